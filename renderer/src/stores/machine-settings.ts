// The settings of the document's machine as this window last knew them, and whether their dialog is open.
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import type { MachineSettings } from '../../../preload/bridge'
import { call } from '../bridge'
import { useDocument } from './document'

export const useMachineSettings = defineStore('machine-settings', () => {
  const documents = useDocument()
  const open = ref(false)
  /** Saved since the document was told. */
  const saved = ref<MachineSettings>()
  watch(
    () => documents.view,
    () => {
      saved.value = undefined
      open.value = false
    },
  )

  const settings = computed(() => {
    const { view } = documents
    return saved.value ?? (view.kind === 'open' || view.kind === 'kernel' ? view.settings : undefined)
  })

  async function save(settings: MachineSettings) {
    await call('settings.save', settings)
    saved.value = settings
  }

  const start = (settings: MachineSettings) => call('settings.start', settings)

  return { open, settings, save, start }
})
