// All that a vCPU's TLB holds, merged to ranges that a person can read, each held against the page tables it came
// from. Read from the machine's memory; nothing is filled, nothing evicted.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { pagingControl, pagingKind } from './page-walk'

/** What a slot of the direct-mapped TLB holds, for a picture: a code per slot. */
export const SLOT_EMPTY = 0
/** Of another address space or process context: kept, but not usable now. */
export const SLOT_OTHER = 1
export const SLOT_SUPERVISOR = 2
export const SLOT_USER = 3
export const SLOT_GLOBAL = 4
/** Usable now, and the page tables say something else. */
export const SLOT_STALE = 5

export interface TlbRange {
  /** Linear address of the first 4 KiB page. */
  start: bigint
  /** Entries: consecutive 4 KiB pages with the same rights, whose frames follow each other. */
  entries: number
  /** Guest-physical address behind `start`. */
  frame: bigint
  writable: boolean
  user: boolean
  executable: boolean
  global: boolean
  dirty: boolean
  /** Bytes of the page that the entries are pieces of. */
  pageSize: number
  /** It belongs to the address space that is in use. */
  current: boolean
  /** What the page tables say now, where that differs; empty when the entries are up to date. */
  stale: string
}

export interface TlbContents {
  cpu: number
  /** A SLOT_ code per slot, in the order of the slots. */
  slots: Uint8Array
  /** By start, at most RANGES_MAX. */
  ranges: TlbRange[]
  rangesLeftOut: number
  /** Entries of each kind: usable now, of other address spaces, global, pieces of large pages, stale. */
  count: { usable: number; other: number; global: number; large: number; stale: number }
  /** Since power-on. */
  fills: bigint
  flushes: bigint
  /** Retired by this CPU since power-on. */
  instructions: bigint
}

export const RANGES_MAX = 2000

const RW = 2
const US = 4

interface Found {
  page: bigint
  frame: bigint
  flags: number
  current: boolean
  stale: string
}

export function tlbContents(memory: MachineMemory, cpu: number): TlbContents {
  const block = memory.cpuBlock(cpu)
  const { u32, u64 } = memory
  const generation = memory.cpu32(cpu, L.CPU_TLB_GENERATION)
  const control = pagingControl(memory, cpu)
  const wide = pagingKind(control) !== '32-bit'
  const nxe = ((control.efer >> 11n) & 1n) !== 0n
  const slots = new Uint8Array(L.TLB_COUNT)
  const found: Found[] = []
  const count = { usable: 0, other: 0, global: 0, large: 0, stale: 0 }
  for (let i = 0; i < L.TLB_COUNT; i++) {
    const at = block + L.CPU_TLB + i * L.TLB_ENTRY_SIZE
    if ((u32[at >>> 2]! & L.TLB_VALID) === 0) continue
    const flags = u32[(at + L.TLB_FLAGS) >>> 2]!
    const global = (flags & L.TLB_GLOBAL) !== 0
    const current = global || u32[(at + L.TLB_GENERATION) >>> 2] === generation
    const frame = u64[(at + L.TLB_FRAME) / 8]!
    const page = u64[(at + L.TLB_TAG) / 8]! & ~0xfffn
    const stale = current ? staleness(memory, at, page, frame, flags, wide, nxe) : ''
    found.push({ page, frame, flags, current, stale })
    if (flags & L.TLB_LARGE) count.large++
    if (global) count.global++
    if (!current) count.other++
    else count.usable++
    if (stale) count.stale++
    slots[i] = stale
      ? SLOT_STALE
      : !current
        ? SLOT_OTHER
        : global
          ? SLOT_GLOBAL
          : flags & L.TLB_USER
            ? SLOT_USER
            : SLOT_SUPERVISOR
  }
  const all = merge(found)
  return {
    ...{ cpu, slots, count, ranges: all.slice(0, RANGES_MAX) },
    rangesLeftOut: Math.max(0, all.length - RANGES_MAX),
    fills: u64[(block + L.CPU_STATS + L.STAT_TLB_FILLS) / 8]!,
    flushes: u64[(block + L.CPU_STATS + L.STAT_TLB_FLUSHES) / 8]!,
    instructions: memory.cpu64(cpu, L.CPU_RETIRED),
  }
}

/**
 * Holds an entry against the entries it was walked from, as they are now: through the same tables, so that a table
 * that was replaced shows as well. The accessed and dirty flags do not count.
 */
function staleness(
  memory: MachineMemory,
  at: number,
  page: bigint,
  frame: bigint,
  flags: number,
  wide: boolean,
  nxe: boolean,
): string {
  const { u64, view } = memory
  const size = wide ? 8 : 4
  let rights = RW | US
  let execute = true
  let below = 0n
  for (let level = 0; level < 4; level++) {
    const address = u64[(at + L.TLB_PTE + 8 * level) / 8]!
    if (address === 0n) break
    const pointer = memory.physicalPointer(Number(address))
    if (pointer === undefined) return 'a table is gone'
    const entry = size === 8 ? view.getBigUint64(pointer, true) : BigInt(view.getUint32(pointer, true))
    if ((entry & 1n) === 0n) return level === 0 ? 'not mapped any more' : 'a table above is not present'
    rights &= Number(entry & 7n)
    if (nxe && wide && entry >> 63n !== 0n) execute = false
    if (level === 0) {
      const mapped = leafFrame(entry, flags, page, wide)
      if (mapped !== frame) return `frame ${mapped.toString(16)} now`
    } else if (!(level === 1 && flags & L.TLB_LARGE && (entry & 0x80n) !== 0n)) {
      const table = entry & (wide ? 0x000f_ffff_ffff_f000n : 0xffff_f000n)
      if (table !== (below & ~0xfffn)) return 'another table now'
    }
    below = address
  }
  const lost: string[] = []
  const gained: string[] = []
  const compare = (name: string, had: boolean, has: boolean) => {
    if (had !== has) (had ? lost : gained).push(name)
  }
  compare('write', (flags & L.TLB_WRITABLE) !== 0, (rights & RW) !== 0)
  compare('user', (flags & L.TLB_USER) !== 0, (rights & US) !== 0)
  compare('execute', (flags & L.TLB_NX) === 0, execute)
  const words: string[] = []
  if (lost.length > 0) words.push(`${lost.join(', ')} taken away`)
  if (gained.length > 0) words.push(`${gained.join(', ')} added`)
  return words.join(', ')
}

/** 4 KiB frame that a leaf entry gives `page` (SDM 3A 4.3-4.5). */
function leafFrame(entry: bigint, flags: number, page: bigint, wide: boolean): bigint {
  if (!(flags & L.TLB_LARGE)) return entry & (wide ? 0x000f_ffff_ffff_f000n : 0xffff_f000n)
  if (flags & L.TLB_LARGE4M)
    return (entry & 0xffc0_0000n) | (((entry >> 13n) & 0xffn) << 32n) | (page & 0x3f_f000n)
  const span = flags & L.TLB_HUGE ? (1n << 30n) - 1n : (1n << 21n) - 1n
  return ((entry & 0x000f_ffff_ffff_f000n & ~span) | (page & span)) & ~0xfffn
}

const pageSizeOf = (flags: number): number =>
  flags & L.TLB_HUGE ? 1 << 30 : flags & L.TLB_LARGE4M ? 1 << 22 : flags & L.TLB_LARGE ? 1 << 21 : 4096

function merge(found: Found[]): TlbRange[] {
  found.sort((a, b) => (a.page < b.page ? -1 : a.page > b.page ? 1 : 0))
  const ranges: (TlbRange & { flags: number })[] = []
  for (const { page, frame, flags, current, stale } of found) {
    const last = ranges.at(-1)
    if (
      last &&
      last.start + BigInt(last.entries * 4096) === page &&
      last.frame + BigInt(last.entries * 4096) === frame &&
      last.flags === flags &&
      last.current === current &&
      last.stale === stale
    ) {
      last.entries++
      continue
    }
    ranges.push({
      ...{ start: page, entries: 1, frame, flags, current, stale, pageSize: pageSizeOf(flags) },
      writable: (flags & L.TLB_WRITABLE) !== 0,
      user: (flags & L.TLB_USER) !== 0,
      executable: (flags & L.TLB_NX) === 0,
      global: (flags & L.TLB_GLOBAL) !== 0,
      dirty: (flags & L.TLB_DIRTY) !== 0,
    })
  }
  return ranges.map(({ flags: _, ...range }) => range)
}
