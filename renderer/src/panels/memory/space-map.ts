// An address space drawn from its first byte to its last: what lies where in a window of it, to scale or by the logarithm
// of sizes. All addresses are unsigned; a space may have 2^64 of them, so they are bigints.
import type { AddressSpace, E820Entry, MappedRange, MemoryRegion } from '../../../../preload/bridge'
import { bytes } from '../../lib/format'
import { rightsWords } from '../pages/page-words'

export interface Segment {
  start: bigint
  length: bigint
  /** A style of it; `gap`: nobody answers, `hole`: no address there is canonical. */
  kind: 'ram' | 'rom' | 'device' | 'kernel' | 'user' | 'gap' | 'hole'
  name: string
  /** More, in a few words. */
  note: string
}

/** What is shown of a space. */
export interface Window {
  from: bigint
  /** At least 1. */
  length: bigint
}

export type Scale = 'linear' | 'log'

/** A segment, or several that are too thin to be told apart, in pixels from the top. */
export interface Band {
  top: number
  height: number
  from: bigint
  length: bigint
  /** Of `segments`, the first and how many. */
  first: number
  count: number
}

/** Bands thinner than this are drawn with their neighbours, px. */
const THIN_MAX = 2
/** On the logarithmic scale, what nobody answers is shortened to this part. */
const GAP_SHARE = 0.2
/** What is not canonical takes this part of the height on the other one: to scale it would be all of it. */
const HOLE_SHARE = 0.06
const PARTS = 1n << 20n

/** Binary logarithm of at least 1. */
export function log2(value: bigint): number {
  const digits = value.toString(2).length
  const shift = Math.max(0, digits - 53)
  return Math.log2(Number(value >> BigInt(shift))) + shift
}

function within(value: bigint, least: bigint, most: bigint): bigint {
  if (value < least) return least
  if (value > most) return most
  return value
}

const isEmpty = ({ kind }: Segment) => kind === 'gap' || kind === 'hole'

/** Puts gaps between segments that are in order, so that they cover a space. */
export function filled(segments: readonly Segment[], size: bigint, gap: string): Segment[] {
  const all: Segment[] = []
  let at = 0n
  const until = (end: bigint) => {
    if (end > at) all.push({ start: at, length: end - at, kind: 'gap', name: gap, note: '' })
  }
  for (const segment of segments) {
    if (segment.start < at || segment.start >= size) continue
    until(segment.start)
    all.push(segment)
    at = segment.start + segment.length
  }
  until(size)
  return all
}

/** Who answers where in physical memory, cut where the firmware tells the guest something else of it. */
export function physicalSegments(
  regions: readonly MemoryRegion[],
  e820: readonly E820Entry[] = [],
): { segments: Segment[]; size: bigint } {
  let size = 1n << 32n
  const cuts = [...new Set(e820.flatMap(({ base, length }) => [base, base + length]))].sort((a, b) => a - b)
  const told = (at: number) => e820.find(({ base, length }) => at >= base && at < base + length)
  const list: Segment[] = []
  for (const { start, end, kind, name } of [...regions].sort((a, b) => a.start - b.start)) {
    while (BigInt(end) > size) size <<= 1n
    const edges = [start, ...cuts.filter((cut) => cut > start && cut < end), end]
    for (let i = 0; i + 1 < edges.length; i++) {
      const [from = 0, to = 0] = edges.slice(i, i + 2)
      const entry = told(from)
      list.push({
        ...{ start: BigInt(from), length: BigInt(to - from), name },
        kind: kind === 'ram' ? 'ram' : kind === 'rom' ? 'rom' : 'device',
        note: entry ? `E820 ${entry.type === 1 ? 'memory' : 'reserved'}` : '',
      })
    }
  }
  return { segments: filled(list, size, 'nobody answers'), size }
}

const nameOf = ({ looksLike, user }: MappedRange) => looksLike ?? (user ? 'user' : 'kernel')

/** What the page tables map. */
export function linearSegments({ kind, ranges }: Pick<AddressSpace, 'kind' | 'ranges'>): {
  segments: Segment[]
  size: bigint
} {
  const long = kind === '4-level' || kind === '5-level'
  const size = long ? 1n << 64n : 1n << 32n
  if (kind === 'none') {
    const note = 'paging is off: a linear address is the physical one'
    return { segments: [{ start: 0n, length: size, kind: 'kernel', name: 'identity', note }], size }
  }
  const list = ranges.map(
    (range): Segment => ({
      start: range.start,
      length: range.length,
      kind: range.user ? 'user' : 'kernel',
      name: nameOf(range),
      note: `${rightsWords(range)}${range.global ? ' g' : ''}${range.pageSize > 4096 ? `, ${bytes(range.pageSize)} pages` : ''}`,
    }),
  )
  if (long) {
    const half = 1n << (kind === '5-level' ? 56n : 47n)
    const hole: Segment = {
      ...{ start: half, length: size - 2n * half, kind: 'hole' },
      ...{ name: 'not canonical', note: 'an access raises #GP' },
    }
    const upper = list.findIndex(({ start }) => start >= half)
    list.splice(upper < 0 ? list.length : upper, 0, hole)
  }
  return { segments: filled(list, size, 'not mapped'), size }
}

/**
 * The bands of a window, from the top to the bottom of so many pixels.
 * @param segments cover the space, in order
 */
export function bandsOf(
  segments: readonly Segment[],
  { from, length }: Window,
  scale: Scale,
  height: number,
): Band[] {
  const end = from + length
  const first = Math.max(
    0,
    segments.findIndex((segment) => segment.start + segment.length > from),
  )
  const parts: { index: number; from: bigint; length: bigint; weight: number }[] = []
  let total = 0
  for (let index = first; index < segments.length && segments[index]!.start < end; index++) {
    const segment = segments[index]!
    const start = within(segment.start, from, end)
    const size = within(segment.start + segment.length, from, end) - start
    const weight =
      scale === 'linear'
        ? Number((size * (PARTS * PARTS)) / length)
        : (1 + log2(size)) * (isEmpty(segment) ? GAP_SHARE : 1)
    parts.push({ index, from: start, length: size, weight })
    total += weight
  }
  const hole =
    scale === 'linear' && parts.length > 1 && parts.find(({ index }) => segments[index]!.kind === 'hole')
  if (hole) {
    const rest = total - hole.weight
    hole.weight = Math.min(hole.weight, (HOLE_SHARE * rest) / (1 - HOLE_SHARE))
    total = rest + hole.weight
  }
  const bands: Band[] = []
  let sum = 0
  for (const { index, from: start, length: size, weight } of parts) {
    const top = total === 0 ? 0 : (sum / total) * height
    sum += weight
    const bottom = total === 0 ? height : (sum / total) * height
    const last = bands.at(-1)
    const here: Band = { top, height: bottom - top, from: start, length: size, first: index, count: 1 }
    // Thin neighbours become one band until that is thick enough to be seen.
    if (last && last.height < THIN_MAX && here.height < THIN_MAX) {
      last.height = bottom - last.top
      last.length = start + size - last.from
      last.count++
    } else bands.push(here)
  }
  return bands
}

/** The address at so many pixels from the top. */
export function addressAt(bands: readonly Band[], y: number): bigint | undefined {
  const band = bands.find(({ top, height }) => y >= top && y < top + height)
  if (!band) return undefined
  const part = BigInt(Math.floor(((y - band.top) / band.height) * Number(PARTS)))
  const offset = (band.length * part) / PARTS
  return band.from + (offset < band.length ? offset : band.length - 1n)
}

/** Pixels from the top of an address; undefined when the window does not show it. */
export function placeOf(bands: readonly Band[], address: bigint): number | undefined {
  const band = bands.find(({ from, length }) => address >= from && address < from + length)
  if (!band) return undefined
  return band.top + (Number(((address - band.from) * PARTS) / band.length) / Number(PARTS)) * band.height
}

/** Twice as close for each step, around an address that keeps its place. */
export function zoomedWindow({ from, length }: Window, steps: number, around: bigint, size: bigint): Window {
  const by = BigInt(Math.abs(steps))
  let next = steps >= 0 ? length >> by : length << by
  if (next < 1n) next = 1n
  if (next > size) next = size
  return clampedWindow({ from: around - ((around - from) * next) / length, length: next }, size)
}

export function clampedWindow({ from, length }: Window, size: bigint): Window {
  return { from: within(from, 0n, size - length), length }
}
