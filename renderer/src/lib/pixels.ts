// Pictures of pixels: kept as the canvas wants them, patched by the tiles that come.
import type { IndexedScreen, IndexedTiles, RgbRuns, RgbTiles, TileUpdate } from '../../../preload/bridge'
import { RunDecoder } from './pixel-runs'
import { type Lines, packed } from './vga-text'

// As the main process cuts them (emulator/machine/screen-tracker.ts).
const TILE_WIDTH = 64
const TILE_HEIGHT = 16

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
  begin(picture: IndexedScreen | RgbRuns) {
    const { width, height, aspect, depth } = picture
    Object.assign(this, { width, height, aspect, depth })
    if (this.pixels.length !== width * height) this.pixels = new Uint32Array(width * height)
    if (picture.kind === 'rgb') {
      this.#indices = undefined
      new RunDecoder(picture.runs).fill(signed(this.pixels), 0, this.pixels.length)
      this.#touch(0, height)
      return
    }
    this.#indices = picture.pixels
    this.#colours = packed(picture.palette)
    this.#recolour()
  }

  /** Lays tiles over the picture. */
  lay(update: TileUpdate) {
    if ('runs' in update) this.#layRgb(update)
    else this.#layIndexed(update)
  }

  #layRgb({ tiles, runs }: RgbTiles) {
    const decoder = new RunDecoder(runs)
    const pixels = signed(this.pixels)
    this.#eachLine(tiles, (from, to) => decoder.fill(pixels, from, to))
  }

  #layIndexed({ tiles, pixels, palette }: IndexedTiles) {
    const indices = this.#indices
    if (!indices) return
    let taken = 0
    this.#eachLine(tiles, (from, to) => {
      for (let at = from; at < to; at++) {
        const value = pixels[taken++] ?? 0
        indices[at] = value
        this.pixels[at] = this.#colours[value]!
      }
    })
    if (palette) {
      this.#colours = packed(palette)
      this.#recolour()
    }
  }

  /** Visits the lines of the tiles, as pixels from..to-1 of the picture. */
  #eachLine(tiles: Uint16Array, visit: (from: number, to: number) => void) {
    const { width, height } = this
    const across = Math.ceil(width / TILE_WIDTH)
    for (const tile of tiles) {
      const left = (tile % across) * TILE_WIDTH
      const top = Math.floor(tile / across) * TILE_HEIGHT
      const right = Math.min(width, left + TILE_WIDTH)
      const bottom = Math.min(height, top + TILE_HEIGHT)
      for (let y = top; y < bottom; y++) visit(y * width + left, y * width + right)
      this.#touch(top, bottom)
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

/** As the engine's integers are: unsigned ones beyond 2^31 would pass through floating point one by one. */
function signed({ buffer, byteOffset, length }: Uint32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length)
}
