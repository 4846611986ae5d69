// What has changed on the screen since it was last looked at: pictures as tiles, so that a window is sent what moved and
// no more. The guest is never stopped; its video memory is compared with a copy of what was shown.
import type { IndexedScreen, RgbScreen, TextScreen } from './api'
import type { MachineMemory } from './memory'
import { RunEncoder } from './pixel-runs'
import { displayed, palette256, textScreen } from './screen'
import type { Raster } from './scan-out'
import { VgaRegisters } from './vga-registers'

export const TILE_WIDTH = 64
export const TILE_HEIGHT = 16
/** When more than this part of the tiles changed, the whole picture is told. */
const WORTH_TILES = 0.75

/** Tiles of the picture told before. Tile n of a row of ceil(width / 64) tiles; cut off at the right and lower edge. */
export interface IndexedTiles {
  kind: 'tiles'
  tiles: Uint16Array
  /** The tiles' pixels, one tile after the other, line by line. */
  pixels: Uint8Array
  /** New colours. */
  palette?: Uint8Array
}

/** The same of a picture with direct colours; pixel-runs.ts says what the words are. */
export interface RgbTiles {
  kind: 'tiles'
  tiles: Uint16Array
  runs: Uint32Array
}
export type TileUpdate = IndexedTiles | RgbTiles

/** A whole picture with direct colours, line by line. */
export interface RgbRuns extends Omit<RgbScreen, 'pixels'> {
  runs: Uint32Array
}

export type ScreenChange = TextScreen | IndexedScreen | RgbRuns | TileUpdate | { kind: 'blank' }

type Shape = Omit<RgbScreen, 'kind' | 'pixels'>
interface RgbShadow extends Shape {
  kind: 'rgb'
  /** Signed, as the engine's integers are: unsigned ones beyond 2^31 would pass through floating point one by one. */
  pixels: Int32Array
}
type Shadow = IndexedScreen | RgbShadow

export class ScreenTracker {
  readonly #memory: MachineMemory
  readonly #runs = new RunEncoder()
  #shadow: Shadow | 'blank' | 'text' | undefined
  #changed = 0

  constructor(memory: MachineMemory) {
    this.#memory = memory
  }

  /** Pixels of the picture shown last; 0 for text. What a look costs grows with it. */
  get pixels(): number {
    return typeof this.#shadow === 'object' ? this.#shadow.pixels.length : 0
  }

  /** Pixels told by the last take(); 0 for text. What an update costs everybody grows with it. */
  get changed(): number {
    return this.#changed
  }

  /** The next take() tells everything. */
  forget() {
    this.#shadow = undefined
  }

  /** What a picture of pixels has become; the whole of it when it is another one. Text is told whole each time. */
  take(): ScreenChange | undefined {
    this.#changed = 0
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
      shadow.width !== shown.width ||
      shadow.height !== shown.height ||
      shadow.depth !== shown.depth ||
      shadow.aspect !== shown.aspect
    )
      return this.#whole(shown, vga)
    if (shadow.kind === 'indexed' && shown.kind === 'indexed') return this.#indexed(shadow, shown, vga)
    if (shadow.kind === 'rgb' && shown.kind === 'rgb') return this.#rgb(shadow, shown)
    return this.#whole(shown, vga)
  }

  #whole(shown: Raster, vga: VgaRegisters): ScreenChange {
    const { width, height, aspect, depth } = shown
    this.#changed = width * height
    if (shown.kind === 'rgb') {
      const pixels = new Int32Array(width * height)
      for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
      const shadow: RgbShadow = { kind: 'rgb', width, height, aspect, depth, pixels }
      this.#shadow = shadow
      return this.#wholeRgb(shadow)
    }
    const pixels = new Uint8Array(width * height)
    for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
    this.#shadow = { kind: 'indexed', width, height, aspect, depth, pixels, palette: palette256(vga) }
    return this.#shadow
  }

  #wholeRgb({ pixels, ...shape }: RgbShadow): RgbRuns {
    this.#runs.begin(pixels.length)
    this.#runs.add(pixels, 0, pixels.length)
    return { ...shape, runs: this.#runs.finish() }
  }

  #indexed(
    shadow: IndexedScreen,
    shown: Raster & { kind: 'indexed' },
    vga: VgaRegisters,
  ): ScreenChange | undefined {
    const dirty = compare(shadow, (y) => shown.line(y))
    const palette = palette256(vga)
    const recoloured = Buffer.compare(palette, shadow.palette) !== 0
    if (recoloured) shadow.palette = palette
    if (dirty.count === 0 && !recoloured) return
    this.#changed = pixelsOf(shadow, dirty)
    if (dirty.count > dirty.total * WORTH_TILES) return shadow
    const change: IndexedTiles = { kind: 'tiles', ...gather(shadow, dirty) }
    return recoloured ? { ...change, palette } : change
  }

  #rgb(shadow: RgbShadow, shown: Raster & { kind: 'rgb' }): ScreenChange | undefined {
    const dirty = compare(shadow, (y) => signed(shown.line(y)))
    if (dirty.count === 0) return
    this.#changed = pixelsOf(shadow, dirty)
    if (dirty.count > dirty.total * WORTH_TILES) return this.#wholeRgb(shadow)
    this.#runs.begin(this.#changed)
    const tiles = eachTile(shadow, dirty, (from, to) => this.#runs.add(shadow.pixels, from, to))
    return { kind: 'tiles', tiles, runs: this.#runs.finish() }
  }
}

function signed({ buffer, byteOffset, length }: Uint32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length)
}

interface Dirty {
  flags: Uint8Array
  count: number
  total: number
}

/** Finds the tiles that differ and takes their pixels over. */
function compare<Pixels extends Uint8Array | Int32Array>(
  { width, height, pixels: before }: { width: number; height: number; pixels: Pixels },
  lineAt: (y: number) => Uint8Array | Int32Array,
): Dirty {
  const across = Math.ceil(width / TILE_WIDTH)
  const total = across * Math.ceil(height / TILE_HEIGHT)
  const flags = new Uint8Array(total)
  let count = 0
  for (let y = 0; y < height; y++) {
    const line = lineAt(y)
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
  before: Uint8Array | Int32Array,
  at: number,
  line: Uint8Array | Int32Array,
  left: number,
  right: number,
): number {
  let x = left
  while (x < right && before[at + x] === line[x]) x++
  return x
}

function pixelsOf({ width, height }: { width: number; height: number }, { flags }: Dirty): number {
  const across = Math.ceil(width / TILE_WIDTH)
  let pixels = 0
  for (let tile = 0; tile < flags.length; tile++) {
    if (flags[tile] === 0) continue
    const columns = Math.min(TILE_WIDTH, width - (tile % across) * TILE_WIDTH)
    pixels += columns * Math.min(TILE_HEIGHT, height - Math.floor(tile / across) * TILE_HEIGHT)
  }
  return pixels
}

/** Visits the lines of each tile that differs, as pixels from..to-1 of the picture. @returns the tiles */
function eachTile(
  { width, height }: { width: number; height: number },
  { flags, count }: Dirty,
  visit: (from: number, to: number) => void,
): Uint16Array {
  const across = Math.ceil(width / TILE_WIDTH)
  const tiles = new Uint16Array(count)
  let found = 0
  for (let tile = 0; tile < flags.length; tile++) {
    if (flags[tile] === 0) continue
    tiles[found++] = tile
    const left = (tile % across) * TILE_WIDTH
    const top = Math.floor(tile / across) * TILE_HEIGHT
    const right = Math.min(width, left + TILE_WIDTH)
    for (let y = top; y < Math.min(height, top + TILE_HEIGHT); y++) visit(y * width + left, y * width + right)
  }
  return tiles
}

function gather(shadow: IndexedScreen, dirty: Dirty): { tiles: Uint16Array; pixels: Uint8Array } {
  // Not a part of a larger buffer: all of that would travel to the window.
  const pixels = new Uint8Array(pixelsOf(shadow, dirty))
  let filled = 0
  const tiles = eachTile(shadow, dirty, (from, to) => {
    pixels.set(shadow.pixels.subarray(from, to), filled)
    filled += to - from
  })
  return { tiles, pixels }
}
