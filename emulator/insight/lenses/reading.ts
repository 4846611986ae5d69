// What a look through a lens answers: columns over all page frames, the allocators, slab caches and tasks.
import type { Trouble } from './reader'

export interface FrameUse {
  name: string
  kind: 'unknown' | 'free' | 'reserved' | 'used'
}

/** No order is known of the frame. */
export const ORDER_NONE = 0xff
export const USE_UNKNOWN = 0

/** One entry per 4 KiB frame of RAM. */
export interface FrameColumns {
  count: number
  /** Index into `uses`; `USE_UNKNOWN` where the lens says nothing. */
  use: Uint8Array
  uses: FrameUse[]
  /** Of the block, free or used, that the frame lies in: it has 2^order frames. */
  order: Uint8Array
  /** 1 + index into the slab caches, 0: in none. */
  cache: Uint16Array
  /** Whom the kernel has put it down to, as it numbers its tasks. */
  owner?: Uint32Array
  /** How many page tables map it, as the kernel counts. */
  references?: Uint32Array
}

export interface AllocatorReading {
  kind: 'bitmap' | 'buddy' | 'free-list' | 'stack' | 'zones'
  name: string
  /** Frames, counted by going through what the allocator has; undefined when it could not be read. */
  free: number | undefined
  /** As the kernel counts. */
  claimed?: number
  /** Free blocks of each order, counted. */
  blocks?: number[]
  claimedBlocks?: number[]
  /** Frames that CPUs keep to give them out themselves: no longer in the lists, and not in use. */
  held?: number
  /** Frames that are free here and used in the kernel's table of frames, or the reverse. */
  disagreements: number
}

export interface SlabCache {
  name: string
  /** Bytes of an object. */
  size: number
  perSlab: number
  /** A slab has 2^order frames. */
  order: number
  slabs: number
  /** Objects there is room for, and in use: counted. */
  objects: number
  inUse: number
  /** Free objects that CPUs keep for themselves; kernels count them as in use. */
  held?: number
  /** As the kernel counts. */
  claimed?: number
}

export interface Slab {
  /** Linear address of the first object, and the frame it is in; undefined where it is not mapped. */
  objects: bigint
  frame: number | undefined
  inUse: number
  /** A bit per object, 1: free. */
  free: Uint8Array
  /** Objects it has, where that is not the same for all slabs of a cache. */
  count?: number
  /** Bytes from one object to the next. */
  size?: number
  /** In whose hands it is: `CPU 0`, `partial`, `full`. */
  where?: string
}

export interface TaskReading {
  id: number
  name: string
  state: string
  /** Guest-physical address of its top page table. */
  addressSpace?: number
}

export interface LensReading {
  kernel: string
  frames: FrameColumns
  /** Those in use. */
  allocators: AllocatorReading[]
  caches: SlabCache[]
  tasks: TaskReading[]
  /** By CPU, the id of the task that runs there. */
  current: (number | undefined)[]
  /** What the kernel counts itself, by its own names, KiB; `pending`: what CPUs have not added yet. */
  counters?: { name: string; kib: number; pending: number }[]
  troubles: readonly Trouble[]
}

export const emptyColumns = (count: number): FrameColumns => ({
  count,
  use: new Uint8Array(count),
  uses: [{ name: 'unknown', kind: 'unknown' }],
  order: new Uint8Array(count).fill(ORDER_NONE),
  cache: new Uint16Array(count),
})

/** `FRAME_PAGE_TABLE` of `FRAME_FREE, FRAME_PAGE_TABLE` is a `page table`. */
export function enumeratorWords(names: readonly string[]): string[] {
  let prefix = names[0] ?? ''
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1)
  prefix = prefix.slice(0, prefix.lastIndexOf('_') + 1)
  return names.map((name) =>
    (names.length > 1 ? name.slice(prefix.length) : name).toLowerCase().replaceAll('_', ' '),
  )
}
