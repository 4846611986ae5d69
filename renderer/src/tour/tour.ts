// Where the tour is. It points and tells; the machine and the panels are the real ones, and nothing is locked meanwhile.
import { defineStore } from 'pinia'
import { computed, nextTick, ref, watch } from 'vue'
import { send } from '../bridge'
import { useDock } from '../stores/dock'
import { useDocument } from '../stores/document'
import { STEPS } from './steps'

const SAMPLE = /[\\/]seedling[\\/]seedling\.img$/

export const useTour = defineStore('tour', () => {
  const documents = useDocument()
  const dock = useDock()
  const at = ref<number>()
  /** Seedling is on its way: the tour begins when it is open. */
  const waiting = ref(false)
  const step = computed(() => (at.value === undefined ? undefined : STEPS[at.value]))
  const onSeedling = () => documents.view.kind === 'open' && SAMPLE.test(documents.view.path)

  function begin() {
    if (onSeedling()) return go(0)
    // Another window may be where it opens; that one begins by itself only at the very first start.
    waiting.value = documents.view.kind === 'empty' || documents.view.kind === 'failed'
    documents.openSample('seedling')
  }

  function go(to: number) {
    const next = STEPS[to]
    if (!next) return end()
    const before = at.value === undefined ? undefined : STEPS[at.value]
    at.value = to
    // What somebody has arranged stays: only another layout than that of the step before is laid out.
    if (next.preset !== before?.preset) dock.preset(next.preset)
    if (next.panel) dock.show(next.panel)
  }

  function end() {
    at.value = undefined
    send('tour.taken')
  }

  watch(
    () => [documents.view, dock.api, documents.hello?.tour] as const,
    async () => {
      if (at.value !== undefined && !onSeedling()) at.value = undefined
      if (!onSeedling() || !dock.api || at.value !== undefined) return
      if (!waiting.value && !documents.hello?.tour) return
      waiting.value = false
      // Once for this page, also when it is skipped.
      if (documents.hello) documents.hello = { ...documents.hello, tour: false }
      await nextTick()
      go(0)
    },
  )

  return { at, step, count: STEPS.length, begin, go, end }
})
