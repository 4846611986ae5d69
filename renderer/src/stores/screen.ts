import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef } from 'vue'
import type { ScreenUpdate, TextScreen } from '../../../preload/bridge'
import { textOf } from '../lib/code-page-437'
import { PixelPainter } from '../lib/pixels'

/** A picture of pixels; they are in `pixels` of the store, where tiles are laid over what was there. */
export interface PixelPicture {
  kind: 'pixels'
  width: number
  height: number
  aspect: number
  depth: number
}
export type Picture = TextScreen | PixelPicture | { kind: 'blank' }

export const useScreen = defineStore('screen', () => {
  const picture = shallowRef<Picture>()
  // Its private fields are out of reach of Vue's proxies.
  const pixels = markRaw(new PixelPainter())
  /** The guest has the keyboard. */
  const captured = ref(false)
  /** And the mouse. */
  const mouse = ref(false)

  /** Fonts come only when they change; until then the last ones count. */
  function apply(update: ScreenUpdate) {
    if (update.kind === 'blank') {
      picture.value = update
      return
    }
    if (update.kind !== 'text') {
      if (update.kind === 'tiles') pixels.lay(update)
      else pixels.begin(update)
      const { width, height, aspect, depth } = pixels
      // A new object each time: it is what those who draw watch.
      picture.value = { kind: 'pixels', width, height, aspect, depth }
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
      case 'pixels': {
        const colours = shown.depth <= 8 ? `${2 ** shown.depth} colours` : `${shown.depth} bits a pixel`
        return `Graphics, ${shown.width} × ${shown.height}, ${colours}`
      }
      case 'blank':
        return 'No signal'
      default:
        return ''
    }
  })

  return { picture, pixels, captured, mouse, lines, description, apply, forget }
})
