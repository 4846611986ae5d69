// Looks for bytes in memory, a bounded step at a time, so that whoever asks can tell how far it is and give up.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { readPhysical } from '../machine/peek'
import { physical } from '../machine/api'
import { readAddressSpace } from './address-space'
import { type PagingControl, pagingKind, walkPages } from './page-walk'
import type { MemorySpace } from './memory-window'

/** Longest pattern, bytes. */
export const PATTERN_MAX = 256
/** Bytes that one step looks at, at most. */
export const STEP_BYTES = 32 << 20

export interface SearchStep {
  /** Where the pattern begins. */
  found?: bigint
  /** Where to go on; absent when the end has been reached. */
  next?: bigint
}

interface Extent {
  start: bigint
  /** First address behind it. */
  end: bigint
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
  const flat = space === 'physical' || pagingKind(control) === 'none'
  const extents: Extent[] = flat
    ? physicalExtents(memory)
    : readAddressSpace(memory, control).ranges.map(({ start, length }) => ({ start, end: start + length }))
  let left = STEP_BYTES
  // Ranges that touch are one for a pattern that lies across.
  for (const extent of joined(extents)) {
    if (extent.end <= from) continue
    let at = extent.start > from ? extent.start : from
    while (at < extent.end) {
      if (left <= 0) return { next: at }
      const page = pieceAt(memory, control, flat, at, extent.end, pattern.length)
      const hit = Buffer.from(page.buffer, page.byteOffset, page.length).indexOf(pattern)
      if (hit >= 0) return { found: at + BigInt(hit) }
      // What is left at the end is too short for the pattern: it begins the next piece.
      const fresh = Math.max(1, page.length - (pattern.length - 1))
      if (at + BigInt(page.length) >= extent.end) break
      at += BigInt(fresh)
      left -= fresh
    }
  }
  return {}
}

/** Bytes from `at` on: a megabyte of physical memory as it lies, or pages of an address space put one behind the other. */
function pieceAt(
  memory: MachineMemory,
  control: PagingControl,
  flat: boolean,
  at: bigint,
  end: bigint,
  least: number,
): Uint8Array {
  const room = Number(end - at)
  if (flat) return readPhysical(memory, physical(Number(at)), Math.min(room, 1 << 20))
  const length = Math.min(room, Math.max(1 << 16, least * 2))
  const piece = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const address = at + BigInt(done)
    const part = Math.min(length - done, L.PAGE_SIZE - Number(address & 0xfffn))
    const { physical: target } = walkPages(memory, control, BigInt.asUintN(64, address))
    if (target !== undefined) piece.set(readPhysical(memory, physical(Number(target)), part), done)
    done += part
  }
  return piece
}

/** RAM below and above the adapters, and what lies between. */
function physicalExtents(memory: MachineMemory): Extent[] {
  return [{ start: 0n, end: BigInt(Math.max(memory.ramSize, 0x100000)) }]
}

function joined(extents: Extent[]): Extent[] {
  const found: Extent[] = []
  for (const extent of extents) {
    const last = found.at(-1)
    if (last && last.end === extent.start) last.end = extent.end
    else found.push({ ...extent })
  }
  return found
}
