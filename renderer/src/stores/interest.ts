// What the window shows, told to the main process whenever it changes: it reads and sends nothing else.
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import type { Interest } from '../../../preload/bridge'
import { send } from '../bridge'
import { useAllocator } from './allocator'
import { useChosenCpu } from './chosen-cpu'
import { useDocument } from './document'
import { useHex } from './hex'
import { useEvents } from './events'
import { usePages } from './pages'

export const useInterest = defineStore('interest', () => {
  const documents = useDocument()
  const chosen = useChosenCpu()
  const pages = usePages()
  const allocator = useAllocator()
  const hexView = useHex()
  const events = useEvents()
  const shown = reactive(new Set<string>())
  /** The window as a whole can be seen. */
  const visible = ref(!document.hidden)
  /** The TLB panel shows shootdowns. */
  const shootdowns = ref(false)
  /** Ways of interrupts whose last ones the panel lists; none: of all. */
  const ways = ref<number[]>([])
  /** The serial port that the console shows, 0 = COM1. */
  const port = ref(0)
  const code = ref<Exclude<Interest['code'], false>>({ lines: 40, before: 8 })

  /** A part of the CPU panel with what is looked at now and then is open. */
  const details = ref(false)

  document.addEventListener('visibilitychange', () => {
    visible.value = !document.hidden
  })

  const interest = computed<Interest>(() => {
    const sees = (panel: string) => visible.value && shown.has(panel)
    return {
      screen: sees('screen'),
      serial: sees('serial') && port.value,
      shell: sees('terminal'),
      cpu: sees('cpu') || sees('code') || sees('pages') || sees('hex'),
      details: sees('cpu') && details.value,
      chosen: chosen.index,
      memory: sees('memory'),
      code: sees('code') && { ...code.value },
      tlb: sees('tlb') && chosen.index,
      shootdowns: sees('tlb') && shootdowns.value,
      interrupts: sees('interrupts') && { ways: [...ways.value] },
      cpus: sees('cpus'),
      allocator: sees('allocator') && allocator.colour,
      events: sees('events') && events.wish,
      pages: sees('pages') && pages.wish,
      hex: sees('hex') && hexView.wish,
    }
  })

  watch([interest, () => documents.view], ([now]) => documents.view.kind === 'open' && send('interest', now))

  function show(panels: Iterable<string>) {
    const now = new Set(panels)
    for (const panel of shown) if (!now.has(panel)) shown.delete(panel)
    for (const panel of now) shown.add(panel)
  }

  return { shown, code, port, details, shootdowns, ways, show, interest }
})
