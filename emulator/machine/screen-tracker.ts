// What has changed on the screen since it was last looked at: pictures as tiles, so that a window is sent what moved and
// no more. The guest is never stopped; its video memory is compared with a copy of what was shown.
import type { IndexedScreen, RgbScreen, TextScreen } from './api'
import type { MachineMemory } from './memory'
import { displayed, palette256, textScreen } from './screen'
import type { Raster } from './scan-out'
import { VgaRegisters } from './vga-registers'

export const TILE_WIDTH = 64
export const TILE_HEIGHT = 16
/** When more than this part of the tiles changed, the whole picture is told. */
const WORTH_TILES = 0.75

/** Tiles of the picture told before. Tile n of a row of ceil(width / 64) tiles; cut off at the right and lower edge. */
export interface TileUpdate {
  kind: 'tiles'
  tiles: Uint16Array
  /** The tiles' pixels, one tile after the other, line by line; of the kind of the picture. */
  pixels: Uint8Array | Uint32Array
  /** New colours of an indexed picture. */
  palette?: Uint8Array
}

export type ScreenChange = TextScreen | IndexedScreen | RgbScreen | TileUpdate | { kind: 'blank' }

type Shadow = IndexedScreen | RgbScreen

export class ScreenTracker {
  readonly #memory: MachineMemory
  #shadow: Shadow | 'blank' | 'text' | undefined

  constructor(memory: MachineMemory) {
    this.#memory = memory
  }

  /** Pixels of the picture shown last; 0 for text. What a look costs grows with it. */
  get pixels(): number {
    return typeof this.#shadow === 'object' ? this.#shadow.pixels.length : 0
  }

  /** The next take() tells everything. */
  forget() {
    this.#shadow = undefined
  }

  /** What a picture of pixels has become; the whole of it when it is another one. Text is told whole each time. */
  take(): ScreenChange | undefined {
    const vga = new VgaRegisters(this.#memory)
    const shown = displayed(vga)
    if (shown === undefined) {
      const before = this.#shadow
      this.#shadow = 'blank'
      return before === 'blank' ? undefined : { kind: 'blank' }
    }
    if (shown === 'text') {
      this.#shadow = 'text'
      return textScreen(vga)
    }
    const shadow = this.#shadow
    if (
      typeof shadow !== 'object' ||
      shadow.kind !== shown.kind ||
      shadow.width !== shown.width ||
      shadow.height !== shown.height ||
      shadow.depth !== shown.depth ||
      shadow.aspect !== shown.aspect
    )
      return this.#whole(shown, vga)
    return shadow.kind === 'indexed' ? this.#indexed(shadow, shown, vga) : this.#rgb(shadow, shown)
  }

  #whole(shown: Raster, vga: VgaRegisters): ScreenChange {
    const { width, height, aspect, depth } = shown
    if (shown.kind === 'rgb') {
      const pixels = new Uint32Array(width * height)
      for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
      this.#shadow = { kind: 'rgb', width, height, aspect, depth, pixels }
      return this.#shadow
    }
    const pixels = new Uint8Array(width * height)
    for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
    this.#shadow = { kind: 'indexed', width, height, aspect, depth, pixels, palette: palette256(vga) }
    return this.#shadow
  }

  #indexed(shadow: IndexedScreen, shown: Raster, vga: VgaRegisters): ScreenChange | undefined {
    const dirty = compare(shadow, shown)
    const palette = palette256(vga)
    const recoloured = Buffer.compare(palette, shadow.palette) !== 0
    if (recoloured) shadow.palette = palette
    if (dirty.count === 0 && !recoloured) return
    if (dirty.count > dirty.total * WORTH_TILES) return shadow
    const change: TileUpdate = { kind: 'tiles', ...gather(shadow, dirty) }
    return recoloured ? { ...change, palette } : change
  }

  #rgb(shadow: RgbScreen, shown: Raster): ScreenChange | undefined {
    const dirty = compare(shadow, shown)
    if (dirty.count === 0) return
    if (dirty.count > dirty.total * WORTH_TILES) return shadow
    return { kind: 'tiles', ...gather(shadow, dirty) }
  }
}

interface Dirty {
  flags: Uint8Array
  count: number
  total: number
}

/** Finds the tiles that differ and takes their pixels over. */
function compare(shadow: Shadow, shown: Raster): Dirty {
  const { width, height } = shadow
  const across = Math.ceil(width / TILE_WIDTH)
  const total = across * Math.ceil(height / TILE_HEIGHT)
  const flags = new Uint8Array(total)
  let count = 0
  const before: Uint8Array | Uint32Array = shadow.pixels
  for (let y = 0; y < height; y++) {
    const line = shown.line(y)
    const tiles = Math.floor(y / TILE_HEIGHT) * across
    const at = y * width
    for (let tile = 0, left = 0; left < width; tile++, left += TILE_WIDTH) {
      const right = Math.min(width, left + TILE_WIDTH)
      let x = left
      if (flags[tiles + tile] === 0) {
        x = differsAt(before, at, line, left, right)
        if (x === right) continue
        flags[tiles + tile] = 1
        count++
      }
      for (; x < right; x++) before[at + x] = line[x]!
    }
  }
  return { flags, count, total }
}

function differsAt(
  before: Uint8Array | Uint32Array,
  at: number,
  line: Uint8Array | Uint32Array,
  left: number,
  right: number,
): number {
  let x = left
  while (x < right && before[at + x] === line[x]) x++
  return x
}

function gather<Pixels extends Uint8Array | Uint32Array>(
  shadow: { width: number; height: number; pixels: Pixels },
  { flags, count }: Dirty,
): { tiles: Uint16Array; pixels: Pixels } {
  const { width, height } = shadow
  const across = Math.ceil(width / TILE_WIDTH)
  const tiles = new Uint16Array(count)
  const room = count * TILE_WIDTH * TILE_HEIGHT
  const pixels = (
    shadow.pixels instanceof Uint8Array ? new Uint8Array(room) : new Uint32Array(room)
  ) as Pixels
  let filled = 0
  let found = 0
  for (let tile = 0; tile < flags.length; tile++) {
    if (flags[tile] === 0) continue
    tiles[found++] = tile
    const left = (tile % across) * TILE_WIDTH
    const top = Math.floor(tile / across) * TILE_HEIGHT
    const right = Math.min(width, left + TILE_WIDTH)
    for (let y = top; y < Math.min(height, top + TILE_HEIGHT); y++) {
      pixels.set(shadow.pixels.subarray(y * width + left, y * width + right), filled)
      filled += right - left
    }
  }
  // Not a part of a larger buffer: all of that would travel to the window.
  return { tiles, pixels: (filled === room ? pixels : pixels.slice(0, filled)) as Pixels }
}
