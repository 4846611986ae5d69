// How free memory lies: whichever way an allocator keeps it, free frames make blocks of 2^n frames, aligned to their size.
import type { FrameColumns } from './reading'

/** Blocks of 4 MiB and more count as one kind. */
export const ORDERS = 11
/** 2 MiB: what a large page needs, and what the fragmentation index is about. */
const LARGE_ORDER = 9

export interface FreeSpace {
  /** Frames. */
  free: number
  used: number
  reserved: number
  /** Largest aligned blocks that the free frames make, by order. */
  blocks: number[]
  /** Order of the largest of them, -1: none. */
  largest: number
  /** Frames of the longest run of free frames, aligned or not, and where it begins. */
  longestRun: number
  longestAt: number
  /** Unusable free space index (Gorman) for 2 MiB blocks: 0: all free memory could be given out in them, 1: none of it. */
  fragmentation: number
}

/** @param orders is filled in for free frames, when given: the order of the block they make */
export function freeSpace({ count, use, uses }: FrameColumns, orders?: Uint8Array): FreeSpace {
  const kinds = Uint8Array.from(uses, ({ kind }) => ['unknown', 'free', 'reserved', 'used'].indexOf(kind))
  const found: FreeSpace = {
    ...{ free: 0, used: 0, reserved: 0, blocks: new Array<number>(ORDERS).fill(0) },
    ...{ largest: -1, longestRun: 0, longestAt: 0, fragmentation: 0 },
  }
  for (let frame = 0; frame < count; ) {
    const kind = kinds[use[frame]!]!
    if (kind !== 1) {
      if (kind === 3) found.used++
      else if (kind === 2) found.reserved++
      frame++
      continue
    }
    const start = frame
    while (frame < count && kinds[use[frame]!] === 1) frame++
    const length = frame - start
    found.free += length
    if (length > found.longestRun) {
      found.longestRun = length
      found.longestAt = start
    }
    for (let at = start; at < frame; ) {
      // The largest order that the address is aligned to and that fits.
      let order = Math.min(ORDERS - 1, at === 0 ? ORDERS - 1 : 31 - Math.clz32(at & -at))
      while (at + 2 ** order > frame) order--
      found.blocks[order]!++
      if (order > found.largest) found.largest = order
      orders?.fill(order, at, at + 2 ** order)
      at += 2 ** order
    }
  }
  let large = 0
  for (let order = LARGE_ORDER; order < ORDERS; order++) large += found.blocks[order]! * 2 ** order
  found.fragmentation = found.free === 0 ? 0 : 1 - large / found.free
  return found
}
