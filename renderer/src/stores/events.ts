// Which events are watched, and those that are shown.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { EventsView, Interest } from '../../../preload/bridge'

/** Classes of events, as the machine's layout has them. */
export const EVENT_CLASSES = [
  { bit: 1, name: 'exceptions', tip: 'Exceptions with error code and address' },
  { bit: 2, name: 'interrupts', tip: 'Interrupts that a CPU has taken' },
  { bit: 64, name: 'paths', tip: 'The way of an interrupt: line, route, accepted, delivered, ended' },
  { bit: 4, name: 'modes', tip: 'Changes of CR0, EFER and the code’s size' },
  { bit: 8, name: 'BIOS', tip: 'Calls of the firmware' },
  { bit: 16, name: 'disk', tip: 'Requests to drives' },
  { bit: 32, name: 'ports', tip: 'Port accesses: many' },
  {
    bit: 0x10000,
    name: 'kernel',
    tip: 'What the kernel itself reports by the debug port: allocations, frees, tasks, its own events',
  },
  {
    bit: 0x20000,
    name: 'probes',
    tip: 'Calls of the functions that the lens probes, and uses of free frames',
  },
] as const

export const useEvents = defineStore('events', () => {
  const classes = ref(1 | 2 | 4 | 8 | 16 | 0x10000 | 0x20000)
  const cpu = ref<number>()
  /** Machine time, ms. */
  const from = ref<number>()
  const to = ref<number>()
  /** First row shown; undefined: the last ones. */
  const at = ref<number>()
  const rows = ref(60)
  const view = shallowRef<EventsView>()

  const wish = computed<Exclude<Interest['events'], false>>(() => {
    const wish: Exclude<Interest['events'], false> = { classes: classes.value, rows: rows.value }
    if (at.value !== undefined) wish.at = at.value
    if (cpu.value !== undefined) wish.cpu = cpu.value
    if (from.value !== undefined) wish.from = from.value
    if (to.value !== undefined) wish.to = to.value
    return wish
  })

  function toggle(bit: number) {
    classes.value ^= bit
    at.value = undefined
  }

  function forget() {
    view.value = undefined
    at.value = undefined
  }

  return { classes, cpu, from, to, at, rows, view, wish, toggle, forget }
})
