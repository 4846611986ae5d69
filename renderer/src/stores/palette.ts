import { defineStore } from 'pinia'
import { ref } from 'vue'

export type PaletteMode = 'commands' | 'places'

export const usePalette = defineStore('palette', () => {
  const open = ref(false)
  /** Commands by their titles, or addresses and symbols. */
  const mode = ref<PaletteMode>('commands')
  return {
    open,
    mode,
    toggle: (wanted: PaletteMode = 'commands') => {
      open.value = !open.value || mode.value !== wanted
      mode.value = wanted
    },
    close: () => {
      open.value = false
    },
  }
})
