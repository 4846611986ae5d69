// Pictures of pixels: kept as the canvas wants them, patched by the tiles that come.
import type { IndexedScreen, RgbScreen, TileUpdate } from '../../../preload/bridge'
import { type Lines, packed } from './vga-text'

// As the main process cuts them (emulator/machine/screen-tracker.ts).
const TILE_WIDTH = 64
const TILE_HEIGHT = 16
const OPAQUE = 0xff000000 | 0

export class PixelPainter {
  width = 0
  height = 0
  aspect = 4 / 3
  depth = 8
  /** Bytes R, G, B, A in memory order on a little-endian host. */
  pixels = new Uint32Array(0)
  /** DAC indices, while the picture has them. */
  #indices: Uint8Array | undefined
  #colours: Uint32Array = new Uint32Array(256)
  #dirty: Lines | undefined

  /** A picture of its own. */
  begin(picture: IndexedScreen | RgbScreen) {
    const { width, height, aspect, depth } = picture
    Object.assign(this, { width, height, aspect, depth })
    if (this.pixels.length !== width * height) this.pixels = new Uint32Array(width * height)
    if (picture.kind === 'rgb') {
      this.#indices = undefined
      swapAll(picture.pixels, this.pixels)
      this.#touch(0, height)
      return
    }
    this.#indices = picture.pixels
    this.#colours = packed(picture.palette)
    this.#recolour()
  }

  /** Lays tiles over the picture. */
  lay({ tiles, pixels, palette }: TileUpdate) {
    const { width, height } = this
    const across = Math.ceil(width / TILE_WIDTH)
    const indices = this.#indices
    let taken = 0
    for (const tile of tiles) {
      const left = (tile % across) * TILE_WIDTH
      const top = Math.floor(tile / across) * TILE_HEIGHT
      const right = Math.min(width, left + TILE_WIDTH)
      const bottom = Math.min(height, top + TILE_HEIGHT)
      for (let y = top; y < bottom; y++) {
        for (let at = y * width + left; at < y * width + right; at++) {
          const value = pixels[taken++] ?? 0
          if (indices) {
            indices[at] = value
            this.pixels[at] = this.#colours[value]!
          } else this.pixels[at] = swapped(value)
        }
      }
      this.#touch(top, bottom)
    }
    if (palette) {
      this.#colours = packed(palette)
      this.#recolour()
    }
  }

  /** The lines changed since the last call. */
  takeDirty(): Lines | undefined {
    const dirty = this.#dirty
    this.#dirty = undefined
    return dirty
  }

  #recolour() {
    const indices = this.#indices
    if (!indices) return
    for (let i = 0; i < indices.length; i++) this.pixels[i] = this.#colours[indices[i]!]!
    this.#touch(0, this.height)
  }

  #touch(top: number, bottom: number) {
    const before = this.#dirty
    this.#dirty = before
      ? { top: Math.min(before.top, top), bottom: Math.max(before.bottom, bottom) }
      : { top, bottom }
  }
}

/** 00RRGGBB as the canvas has it; signed, which is what the engine's integers are and a Uint32Array does not mind. */
function swapped(value: number): number {
  return OPAQUE | (value & 0xff00) | ((value >>> 16) & 0xff) | ((value & 0xff) << 16)
}

/** All of a picture, seen as signed words: unsigned ones beyond 2^31 would pass through floating point one by one. */
function swapAll(from: Uint32Array, into: Uint32Array) {
  const words = new Int32Array(from.buffer, from.byteOffset, from.length)
  const pixels = new Int32Array(into.buffer, into.byteOffset, into.length)
  const count = Math.min(words.length, pixels.length)
  for (let i = 0; i < count; i++) pixels[i] = swapped(words[i]!)
}
