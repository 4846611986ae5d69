// Paints frames as cells into pixels.
import type { MemoryRegion } from '../../../../preload/bridge'
import { EXECUTED, PAGE_TABLE, TOUCHED, WRITTEN } from '../../stores/frames'
import { GAP_FROM, type Grid } from './frame-grid'

/** What a cell means: the order of the colours and of the legend. */
export const KINDS = ['free', 'touched', 'written', 'executed', 'table', 'rom', 'device', 'nothing'] as const
export type Kind = (typeof KINDS)[number]

export const KIND_WORDS: Record<Kind, string> = {
  free: 'never touched',
  touched: 'read',
  written: 'written',
  executed: 'executed',
  table: 'page table',
  rom: 'ROM',
  device: 'video, device',
  nothing: 'nothing there',
}

/** Who answers at each frame below the end of RAM, as far as it is not RAM. */
export function kindsOfFrames(regions: readonly MemoryRegion[], frames: number): Uint8Array {
  const kinds = new Uint8Array(frames).fill(KINDS.indexOf('nothing'))
  for (const { start, end, kind } of regions) {
    const value = KINDS.indexOf(kind === 'ram' ? 'free' : kind === 'rom' ? 'rom' : 'device')
    kinds.fill(value, Math.min(frames, Math.floor(start / 4096)), Math.min(frames, Math.ceil(end / 4096)))
  }
  return kinds
}

/** The strongest thing that happened to a frame. */
export function kindOf(flags: number, place: number): number {
  if (place !== 0) return place
  if (flags & PAGE_TABLE) return 4
  if (flags & EXECUTED) return 3
  if (flags & WRITTEN) return 2
  if (flags & TOUCHED) return 1
  return 0
}

export interface Palette {
  /** By kind, as the canvas wants them: bytes R, G, B, A in memory order. */
  kinds: Uint32Array
  /** Of a frame that has changed just now. */
  fresh: number
  grid: number
}

/** "#62bcff" as a pixel. */
export function pixelOf(colour: string): number {
  const value = Number.parseInt(colour.slice(1, 7), 16)
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0
}

export interface Picture {
  flags: Uint8Array
  places: Uint8Array
  start: number
  shown: number
  grid: Grid
  /** Frames that are lit because they have changed just now. */
  fresh: ReadonlySet<number>
}

/** @param width of the pixels in a row; the grid fits */
export function paintFrames(
  { flags, places, start, shown, grid, fresh }: Picture,
  palette: Palette,
  pixels: Uint32Array,
  width: number,
) {
  pixels.fill(palette.grid)
  const { columns, rows, cell } = grid
  const end = Math.min(flags.length, start + Math.min(shown, columns * rows))
  /** 1 + kind of a frame, and of one that is lit more than any: where frames share a pixel, the strongest is seen. */
  const strength = (frame: number) =>
    fresh.has(frame) ? KINDS.length + 1 : 1 + kindOf(flags[frame]!, places[frame]!)
  const colourOf = (strongest: number) =>
    strongest > KINDS.length ? palette.fresh : palette.kinds[strongest - 1]!
  if (cell < 1) {
    const strongest = new Uint8Array(pixels.length)
    for (let frame = start; frame < end; frame++) {
      const at = frame - start
      const x = Math.floor((at % columns) * cell)
      const pixel = Math.floor(Math.floor(at / columns) * cell) * width + x
      const here = strength(frame)
      if (here > strongest[pixel]!) strongest[pixel] = here
    }
    strongest.forEach((value, pixel) => {
      if (value > 0) pixels[pixel] = colourOf(value)
    })
    return
  }
  // Large cells stand apart; small ones need all their pixels.
  const gap = cell >= GAP_FROM ? 1 : 0
  for (let frame = start; frame < end; frame++) {
    const at = frame - start
    const colour = colourOf(strength(frame))
    const column = at % columns
    const row = Math.floor(at / columns)
    const left = Math.floor(column * cell)
    const right = Math.floor((column + 1) * cell) - gap
    const bottom = Math.floor((row + 1) * cell) - gap
    for (let y = Math.floor(row * cell); y < bottom; y++)
      pixels.fill(colour, y * width + left, y * width + right)
  }
}
