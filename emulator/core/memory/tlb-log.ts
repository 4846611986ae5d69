// What happens to translations, for whoever looks (EVENT_CLASS_TLB): changes of page-table entries, invalidations, the
// interrupts between CPUs, and stale uses: a CPU uses a translation whose entries have been changed since, and no
// invalidation has reached it. One log for all CPUs, in one order. Switched off, this costs a branch in the slow paths.
//
// Exact while it is on: page tables have no fast entries for writing, so that every change comes by here. A change that
// takes something away is made while the CPU has the guest to itself, and every CPU drops its fast entries before it goes
// on; so the next use of each page takes the slow path once, where the cached translation is compared with the entries it
// came from. One that is stale gets no fast entry: each of its uses is seen. Instructions are fetched without asking;
// a stale page that is being executed is noted once for each change.
//
// Nothing here changes what the guest or the state hash sees.

import { currentRip } from '../cpu/execute'
import { cpu, cpuIndex, frameCount, frames } from '../cpu/context'
import {
  CPU_CR4,
  CPU_FETCH_PAGE,
  CPU_HANDLERS,
  CPU_MODE,
  CPU_RIP,
  CPU_RSP,
  CPU_SEGMENTS,
  CPU_STALE_USES,
  CPU_TABLE_BEFORE,
  EVENT_CLASS_TLB,
  FRAME_FLAGS,
  FRAME_PAGE_TABLE,
  FRAME_SIZE,
  HDR_EVENT_CLASSES,
  HEADER,
  MAINTENANCE_DROP_FAST,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEGMENT_BASE,
  SEGMENT_SIZE,
  STALE_ABSENT,
  STALE_AFFECTS,
  STALE_FRAME,
  STALE_RIGHTS,
  TLB_CHANGES,
  TLB_CHANGES_COUNT,
  TLB_FLAGS,
  TLB_FRAME,
  TLB_HUGE,
  TLB_LARGE,
  TLB_LARGE4M,
  TLB_LEAF,
  TLB_LOG,
  TLB_LOG_A,
  TLB_LOG_COUNT,
  TLB_LOG_CPU,
  TLB_LOG_FLAGS,
  TLB_LOG_KIND,
  TLB_LOG_KIND_CAUSE,
  TLB_LOG_KIND_CHANGE,
  TLB_LOG_KIND_INTERRUPT,
  TLB_LOG_KIND_INVALIDATE,
  TLB_LOG_KIND_IPI,
  TLB_LOG_KIND_RETURN,
  TLB_LOG_KIND_USE,
  TLB_LOG_RECORDS,
  TLB_LOG_RETIRED,
  TLB_LOG_RIP,
  TLB_LOG_SIZE,
  TLB_LOG_TIME,
  TLB_NX,
  TLB_PTE,
  TLB_USER,
  TLB_WRITABLE,
} from '../layout'
import { clockNow, retiredNow } from '../machine/clock'
import { cpuCount, maintenancePost } from '../machine/smp'
import { a20, ramPointer } from './physical'
import { tlbDropFast, tlbFind } from './tlb'

const PTE_P: u64 = 1
const PTE_RW: u64 = 2
const PTE_US: u64 = 4
const PTE_PS: u64 = 0x80
const PTE_NX: u64 = 0x8000000000000000
const ADDRESS: u64 = 0x000ffffffffff000
const CR4_PAE: u32 = 0x20
const ACCESS_WRITE: u32 = 1
const ACCESS_EXECUTE: u32 = 2
const HANDLER: usize = 24
const HANDLERS: u32 = 4

@inline
export function tlbWatched(): bool {
  return (load<u32>(HEADER, HDR_EVENT_CLASSES) & EVENT_CLASS_TLB) != 0
}

/** Whether writes to `frame` are to be seen. */
@inline
export function tableWatched(frame: u32): bool {
  if (!tlbWatched() || frame >= frameCount) return false
  return (load<u32>(frames + frame * FRAME_SIZE, FRAME_FLAGS) & FRAME_PAGE_TABLE) != 0
}

/** Takes `count` records of the log; the number of the first. */
function take(count: u64): u64 {
  return atomic.add<u64>(TLB_LOG, count)
}

@inline
function recordAt(number: u64): usize {
  return TLB_LOG_RECORDS + <usize>(number & (TLB_LOG_COUNT - 1)) * TLB_LOG_SIZE
}

function write(number: u64, kind: u32, flags: u32, a: u64, b: u64, c: u64, d: u64): usize {
  const record = recordAt(number)
  store<u16>(record, cpuIndex as u16, TLB_LOG_CPU)
  store<u32>(record, flags, TLB_LOG_FLAGS)
  store<u64>(record, retiredNow(), TLB_LOG_RETIRED)
  store<u64>(record, clockNow(), TLB_LOG_TIME)
  store<u64>(record, currentRip(), TLB_LOG_RIP)
  store<u64>(record, a, TLB_LOG_A)
  store<u64>(record, b, TLB_LOG_A + 8)
  store<u64>(record, c, TLB_LOG_A + 16)
  store<u64>(record, d, TLB_LOG_A + 24)
  store<u16>(record, kind as u16, TLB_LOG_KIND)
  return record
}

// --- changes ---------------------------------------------------------------------------------------------------

// The entries about to be written, from the first on; what they were is in CPU_TABLE_BEFORE. Transient.
let firstAt: u64 = 0
let entries: u32 = 0

/** Before `size` bytes (at most 64) at `phys` of a watched page table are written. */
export function tableWriteBegin(phys: u64, size: u32): void {
  firstAt = a20(phys) & ~7
  entries = <u32>(((a20(phys) + size + 7) & ~7) - firstAt) >> 3
  for (let i: u32 = 0; i < entries; i++) store<u64>(cpu + CPU_TABLE_BEFORE + i * 8, entryAt(i))
}

function entryAt(i: u32): u64 {
  const pointer = ramPointer(firstAt + i * 8)
  return pointer ? load<u64>(pointer) : 0
}

/** Behind the write. */
export function tableWriteEnd(): void {
  let less: u32 = 0
  for (let i: u32 = 0; i < entries; i++) {
    const old = load<u64>(cpu + CPU_TABLE_BEFORE + i * 8)
    const now = entryAt(i)
    if (old == now) continue
    const at = firstAt + i * 8
    if (load<u64>(cpu, CPU_CR4) & CR4_PAE) less |= changed(at, old, now)
    else {
      // Two entries of 32 bits.
      if (<u32>old != <u32>now) less |= changed(at, <u64>(<u32>old), <u64>(<u32>now))
      if (old >> 32 != now >> 32) less |= changed(at + 4, old >> 32, now >> 32)
    }
  }
  if (less) dropEverywhere()
}

/** Every CPU's next use of each page is compared with the entries. */
function dropEverywhere(): void {
  for (let i: u32 = 0; i < cpuCount(); i++) {
    if (i == cpuIndex) tlbDropFast()
    else maintenancePost(i, MAINTENANCE_DROP_FAST)
  }
}

/**
 * Copies `length` bytes from `source` to `phys` (A20 does not count) at `target`, in one frame that holds a watched page
 * table: a device, or a person, changes entries. No CPU has done it, and none waits for it: where CPUs run in parallel, one may
 * use what it has up to its next boundary unseen.
 */
export function tableOverwrite(target: usize, source: usize, length: u32, phys: u64): void {
  let done: u32 = 0
  let changes = false
  while (done < length) {
    const at = phys + done
    const entry = (target + done) & ~7
    const part = min<u32>(length - done, 8 - (<u32>at & 7))
    const old = load<u64>(entry)
    memory.copy(target + done, source + done, part)
    done += part
    if (old == load<u64>(entry)) continue
    changes = true
    // Of tables with narrow entries there are two.
    forgetChange(at & ~7)
    forgetChange((at & ~7) + 4)
  }
  if (changes) dropEverywhere()
}

/** Whoever has changed the entry at `at` before is not who has made it what it is. */
function forgetChange(at: u64): void {
  const change = changeOf(at)
  if (load<u64>(change, TLB_LOG_A) == at) store<u16>(change, 0, TLB_LOG_KIND)
}

/** Notes a changed entry; 1 when a translation made from it before may differ from what it says now. */
function changed(at: u64, old: u64, now: u64): u32 {
  const gone = old & ~now & (PTE_P | PTE_RW | PTE_US)
  const moved = ((old ^ now) & (ADDRESS | PTE_PS)) != 0
  const less = (old & PTE_P) != 0 && (gone != 0 || moved || (now & ~old & PTE_NX) != 0)
  const number = take(1)
  const record = write(number, TLB_LOG_KIND_CHANGE, less ? 1 : 0, at, old, now, number)
  if (less) memory.copy(changeOf(at), record, TLB_LOG_SIZE)
  return less ? 1 : 0
}

/** Where the last such change of the entry at `at` is kept. */
@inline
function changeOf(at: u64): usize {
  return TLB_CHANGES + <usize>((at >> 2) & (TLB_CHANGES_COUNT - 1)) * TLB_LOG_SIZE
}

// --- uses ------------------------------------------------------------------------------------------------------

/** Compares the translation in `entry` with what it came from, and notes its use if they differ. True when they do. */
export function staleUse(entry: usize, linear: u64, access: u32): bool {
  const wide = (load<u64>(cpu, CPU_CR4) & CR4_PAE) != 0
  const flags = load<u32>(entry, TLB_FLAGS)
  let rights: u64 = PTE_RW | PTE_US
  let nx: u64 = 0
  let level: u32 = 4
  while (level > 1 && !load<u64>(entry + TLB_PTE + (level - 1) * 8)) level--
  while (level > 0) {
    level--
    const at = load<u64>(entry + TLB_PTE + level * 8)
    const pointer = ramPointer(a20(at))
    // Tables in ROM do not change.
    if (!pointer) return false
    const value: u64 = wide ? load<u64>(pointer) : load<u32>(pointer)
    let how: u32 = 0
    if (!(value & PTE_P)) how = STALE_ABSENT | STALE_AFFECTS
    else if (level > 0) {
      const next = load<u64>(entry + TLB_PTE + (level - 1) * 8)
      if (value & PTE_PS || (value & (wide ? ADDRESS : 0xfffff000)) != (next & ~0xfff))
        how = STALE_FRAME | STALE_AFFECTS
    } else if (frameOf(value, flags, linear) != load<u64>(entry, TLB_FRAME)) how = STALE_FRAME | STALE_AFFECTS
    rights &= value
    nx |= value & PTE_NX
    if (!how) {
      if (flags & TLB_WRITABLE && !(rights & PTE_RW))
        how = access == ACCESS_WRITE ? STALE_RIGHTS | STALE_AFFECTS : STALE_RIGHTS
      if (flags & TLB_USER && !(rights & PTE_US)) how |= STALE_RIGHTS
      if (!(flags & TLB_NX) && nx)
        how |= access == ACCESS_EXECUTE ? STALE_RIGHTS | STALE_AFFECTS : STALE_RIGHTS
    }
    if (how) {
      note(entry, linear, access, how, at, value, level == 0)
      return true
    }
  }
  return false
}

/** The frame a leaf maps `linear` to, by the size of page the translation was made from. */
function frameOf(leaf: u64, flags: u32, linear: u64): u64 {
  if (!(flags & TLB_LARGE)) return leaf & ADDRESS
  if (flags & TLB_LARGE4M) return (leaf & 0xffc00000) | (((leaf >> 13) & 0xff) << 32) | (linear & 0x3ff000)
  const span: u64 = flags & TLB_HUGE ? 0x3fffffff : 0x1fffff
  return (leaf & ADDRESS & ~span) | (linear & span & ~0xfff)
}

function note(entry: usize, linear: u64, access: u32, how: u32, at: u64, now: u64, leaf: bool): void {
  const change = changeOf(at)
  const known = load<u64>(change, TLB_LOG_A) == at && load<u16>(change, TLB_LOG_KIND) != 0
  const old: u64 = leaf ? load<u64>(entry, TLB_LEAF) : known ? load<u64>(change, TLB_LOG_A + 8) : 0
  const serial: u64 = known ? load<u64>(change, TLB_LOG_A + 24) : 0xffffffffffffffff
  const rip = currentRip()
  const page = linear & ~0xfff
  // The same instruction again, before anything has changed: counted, not noted.
  const slot = cpu + CPU_STALE_USES + <usize>(((rip >> 1) ^ (access as u64)) & 15) * 32
  const last = load<u64>(slot, 24)
  if (
    last &&
    load<u64>(slot) == rip &&
    load<u64>(slot, 8) == (page | access) &&
    load<u64>(slot, 16) == serial &&
    atomic.load<u64>(TLB_LOG) - last < <u64>TLB_LOG_COUNT - 64
  ) {
    const counter = recordAt(last)
    store<u64>(counter, load<u64>(counter, TLB_LOG_A + 24) + 1, TLB_LOG_A + 24)
    return
  }
  const number = take(2)
  store<u64>(slot, rip)
  store<u64>(slot, page | access, 8)
  store<u64>(slot, serial, 16)
  store<u64>(slot, number + 1, 24)
  write(number, TLB_LOG_KIND_USE, access | (how << 8), linear, at, old, now)
  const cause = recordAt(number + 1)
  if (known) {
    memory.copy(cause, change, TLB_LOG_SIZE)
    store<u64>(cause, serial, TLB_LOG_A)
    store<u64>(cause, load<u64>(change, TLB_LOG_A + 8), TLB_LOG_A + 8)
  } else memory.fill(cause, 0, TLB_LOG_SIZE)
  store<u64>(cause, 1, TLB_LOG_A + 24)
  store<u32>(cause, known ? 1 : 0, TLB_LOG_FLAGS)
  store<u16>(cause, TLB_LOG_KIND_CAUSE, TLB_LOG_KIND)
}

/** At a boundary behind a change: whether the page being executed is stale. */
export function staleFetch(): void {
  const page = load<u64>(cpu, CPU_FETCH_PAGE)
  if (!tlbWatched() || !(page & 1)) return
  const code64 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  const base = code64 ? 0 : load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE)
  const linear = base + load<u64>(cpu, CPU_RIP)
  // A jump into another page has still to ask for it.
  if ((linear & ~0xfff) != (page & ~1)) return
  const entry = tlbFind(linear)
  if (entry) staleUse(entry, linear, ACCESS_EXECUTE)
}

// --- invalidations and interrupts --------------------------------------------------------------------------------

export function invalidationNote(kind: u32, linear: u64, pcid: u32): void {
  if (tlbWatched()) write(take(1), TLB_LOG_KIND_INVALIDATE, kind, linear, pcid, 0, 0)
}

/** A fixed interrupt that this CPU sends to `target`. */
export function ipiNote(target: u32, vector: u32): void {
  if (tlbWatched() && target != cpuIndex) write(take(1), TLB_LOG_KIND_IPI, 0, vector, target, 0, 0)
}

/** Before this CPU delivers an external interrupt. */
export function interruptNote(vector: u32): void {
  if (!tlbWatched()) return
  write(take(1), TLB_LOG_KIND_INTERRUPT, 0, vector, 0, 0, 0)
  const handlers = cpu + CPU_HANDLERS
  const count = load<u32>(handlers)
  const slot = handlers + 8 + (count % HANDLERS) * HANDLER
  store<u64>(slot, load<u64>(cpu, CPU_RIP))
  store<u64>(slot, load<u64>(cpu, CPU_RSP), 8)
  store<u64>(slot, vector, 16)
  store<u32>(handlers, count + 1)
}

/** Behind an IRET: whether it was the return from the handler of such an interrupt, the last one first. */
export function returnNote(): void {
  const handlers = cpu + CPU_HANDLERS
  const count = load<u32>(handlers)
  if (!count) return
  const slot = handlers + 8 + ((count - 1) % HANDLERS) * HANDLER
  if (load<u64>(slot) != load<u64>(cpu, CPU_RIP) || load<u64>(slot, 8) != load<u64>(cpu, CPU_RSP)) return
  store<u32>(handlers, count - 1)
  if (tlbWatched()) write(take(1), TLB_LOG_KIND_RETURN, 0, load<u64>(slot, 16), 0, 0, 0)
}
