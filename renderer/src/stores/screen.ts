import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { IndexedScreen, ScreenUpdate, TextScreen } from '../../../preload/bridge'
import { textOf } from '../lib/code-page-437'

export type Picture = TextScreen | IndexedScreen | { kind: 'blank' }

export const useScreen = defineStore('screen', () => {
  const picture = shallowRef<Picture>()
  /** The guest has the keyboard. */
  const captured = ref(false)

  /** Fonts come only when they change; until then the last ones count. */
  function apply(update: ScreenUpdate) {
    if (update.kind !== 'text') {
      picture.value = update
      return
    }
    const { fonts, ...screen } = update
    const last = picture.value
    const known = fonts ?? (last?.kind === 'text' ? last : lastFonts)
    if (!known) return
    lastFonts = { font: known.font, font2: known.font2 }
    // The painter starts afresh when the palette is another object; keep the old one if it says the same.
    const palette =
      last?.kind === 'text' && last.palette.every((value, i) => value === screen.palette[i])
        ? last.palette
        : screen.palette
    picture.value = { ...screen, palette, ...lastFonts }
  }
  let lastFonts: { font: Uint8Array; font2: Uint8Array } | undefined

  function forget() {
    picture.value = undefined
    lastFonts = undefined
  }

  const lines = computed(() => {
    const shown = picture.value
    return shown?.kind === 'text' ? textOf(shown.cells, shown.columns, shown.rows) : []
  })

  /** What the screen is, in words. */
  const description = computed(() => {
    const shown = picture.value
    switch (shown?.kind) {
      case 'text':
        return `Text, ${shown.columns} × ${shown.rows}`
      case 'indexed':
        return `Graphics, ${shown.width} × ${shown.height}, 256 colours`
      case 'blank':
        return 'No signal'
      default:
        return ''
    }
  })

  return { picture, captured, lines, description, apply, forget }
})
