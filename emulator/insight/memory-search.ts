// Looks for bytes in memory, a bounded step at a time, so that whoever asks can tell how far it is and give up.
import type { MachineMemory } from '../machine/memory'
import { readPhysical } from '../machine/peek'
import { physical } from '../machine/api'
import { linearOf, scanAddressSpace } from './address-space'
import { type PagingControl, pagingKind } from './page-walk'
import type { MemorySpace } from './memory-window'

/** Longest pattern, bytes. */
export const PATTERN_MAX = 256
/** Bytes that are looked at in one go. */
const PIECE = 1 << 20
/** Bytes that one step looks at, about. */
export const STEP_BYTES = 32 << 20

export interface SearchStep {
  /** Where the pattern begins. */
  found?: bigint
  /** Where to go on; absent when the end has been reached. */
  next?: bigint
}

/**
 * The first place at or behind `from` where the pattern lies, within STEP_BYTES. Upwards and without wrapping: the
 * caller begins again at 0 if it wants to.
 * @param pattern 1 to PATTERN_MAX bytes
 */
export function searchStep(
  memory: MachineMemory,
  control: PagingControl,
  space: MemorySpace,
  from: bigint,
  pattern: Uint8Array,
): SearchStep {
  if (pattern.length === 0 || pattern.length > PATTERN_MAX)
    throw new RangeError(`a pattern has 1 to ${PATTERN_MAX} bytes, not ${pattern.length}`)
  if (space === 'physical' || pagingKind(control) === 'none') return searchPhysical(memory, from, pattern)
  return searchMapped(memory, control, from, pattern)
}

function searchPhysical(memory: MachineMemory, from: bigint, pattern: Uint8Array): SearchStep {
  const end = Math.max(memory.ramSize, 0x100000)
  if (from >= BigInt(end)) return {}
  const start = Number(from)
  for (let at = start; at < end; ) {
    if (at - start >= STEP_BYTES) return { next: BigInt(at) }
    // What is left at the end is too short for the pattern: it begins the next piece.
    const hit = indexIn(
      readPhysical(memory, physical(at), Math.min(end - at, PIECE + pattern.length - 1)),
      pattern,
    )
    if (hit >= 0) return { found: BigInt(at + hit) }
    at += PIECE
  }
  return {}
}

/** Page by page as the tables have them; pages that touch are one for a pattern that lies across. */
function searchMapped(
  memory: MachineMemory,
  control: PagingControl,
  from: bigint,
  pattern: Uint8Array,
): SearchStep {
  const kind = pagingKind(control)
  const { runs } = scanAddressSpace(memory, control)
  const begin = (index: number) => linearOf(runs[index]!.page, kind)
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (begin(middle) + BigInt(runs[middle]!.count) * 4096n <= from) low = middle + 1
    else high = middle
  }
  let left = STEP_BYTES
  /** The end of what has been looked at, when the next run follows it: shorter than the pattern. */
  let before = new Uint8Array(0)
  for (let index = low; index < runs.length; index++) {
    const { page, count, frame } = runs[index]!
    const start = begin(index)
    const last = runs[index - 1]
    if (!last || last.page + last.count !== page) before = new Uint8Array(0)
    const length = count * 4096
    for (let at = from > start ? Number(from - start) : 0; at < length; ) {
      if (left <= 0) return { next: start + BigInt(at) - BigInt(before.length) }
      const part = Math.min(PIECE, length - at)
      const bytes = new Uint8Array(before.length + part)
      bytes.set(before)
      // Where no memory answers all bits are ones.
      bytes.set(readPhysical(memory, physical(frame * 4096 + at), part), before.length)
      const hit = indexIn(bytes, pattern)
      if (hit >= 0) return { found: start + BigInt(at + hit - before.length) }
      before = bytes.slice(Math.max(0, bytes.length - (pattern.length - 1)))
      at += part
      left -= part
    }
  }
  return {}
}

const indexIn = (bytes: Uint8Array, pattern: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(pattern)
