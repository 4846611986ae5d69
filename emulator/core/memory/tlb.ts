// The software TLB. The architectural part (CPU_TLB) is machine state: a direct-mapped array of translations
// that live until the guest invalidates them or another page takes their place, as on hardware (SDM 3A 4.10).
// The fast part has the same index; it holds what the executor may do without asking, and may be dropped at any
// time. A fast entry is only ever present while its architectural entry is.

import { cpu, cpuIndex, fastTlb, frameCount, frames } from '../cpu/context'
import { writerNote } from '../cpu/code-marks'
import { pageWatched } from '../cpu/debug'
import { FLAG_AC } from '../cpu/flags'
import { clockNow } from '../machine/clock'
import { cpuCount, maintenancePost } from '../machine/smp'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_FETCH_PAGE,
  CPU_MODE,
  CPU_PCID_SERIAL,
  CPU_PCIDS,
  CPU_RFLAGS,
  CPU_STATS,
  CPU_TLB,
  CPU_TLB_CONTEXT,
  CPU_TLB_GENERATION,
  CPU_TLB_LARGE,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_EXECUTE,
  FAST_READ,
  FAST_WRITE,
  FRAME_CODE,
  FRAME_FLAGS,
  FRAME_SIZE,
  FRAME_FREED,
  FRAME_STAMP,
  FRAME_TOUCHED,
  FRAME_WRITTEN,
  INVALIDATE_ALL,
  INVALIDATE_GLOBAL,
  INVALIDATE_PAGE,
  INVALIDATE_PCID,
  MAINTENANCE_DROP_FAST,
  MODE_PAGING,
  STAT_TLB_FLUSHES,
  TLB_COUNT,
  TLB_DIRTY,
  TLB_ENTRY_SIZE,
  TLB_FLAGS,
  TLB_GENERATION,
  TLB_GLOBAL,
  TLB_HUGE,
  TLB_LARGE,
  TLB_LARGE4M,
  TLB_TAG,
  TLB_USER,
  TLB_VALID,
  TLB_WRITABLE,
} from '../layout'
import { invalidationNote, tableWatched } from './tlb-log'
import { freedUse } from '../cpu/probes'
import { a20, frameBufferPointer, physicalPointer, ramPointer } from './physical'
import { keyBars, protectionKeysOn } from './protection-keys'

const CR0_WP: u32 = 0x10000
// Below 4096, and never the low bits of the empty tag (all ones).
const CONTEXT_LIMIT: u64 = 4092
const CONTEXT_STEP: u64 = 4
const CONTEXT_USER: u64 = 1
const CONTEXT_ALIGNED: u64 = 2
/** Of a supervisor: CR4.SMAP keeps it from user pages, RFLAGS.AC being clear. */
const CONTEXT_GUARDED: u64 = 2
const CR0_AM: u32 = 0x40000
const CR4_PCIDE: u32 = 0x20000
const CR4_SMAP: u32 = 0x200000

/** Whether accesses are to be aligned now: CR0.AM and RFLAGS.AC at CPL 3 (SDM 3A 6.15, #AC). */
@inline
export function alignmentChecked(): bool {
  return (tlbContext & (CONTEXT_USER | CONTEXT_ALIGNED)) == (CONTEXT_USER | CONTEXT_ALIGNED)
}

/** The bits of the context that say what kind of access the entries were made for. */
function contextKind(): u64 {
  if (load<u32>(cpu, CPU_CPL) != 3) {
    const guarded = (load<u32>(cpu, CPU_CR4) & CR4_SMAP) != 0 && !(load<u32>(cpu, CPU_RFLAGS) & FLAG_AC)
    return guarded ? CONTEXT_GUARDED : 0
  }
  const aligned = (load<u32>(cpu, CPU_CR0) & CR0_AM) != 0 && (load<u32>(cpu, CPU_RFLAGS) & FLAG_AC) != 0
  return aligned ? CONTEXT_USER | CONTEXT_ALIGNED : CONTEXT_USER
}

/**
 * Low 12 bits of the tags of fast entries that are valid now: a serial number of the last flush and, in bit 0,
 * whether they were made for CPL 3. Tags of other contexts never match. Bit 1 is set while alignment is checked;
 * no entry is made then, so that every access takes the exact path.
 */
export let tlbContext: u64 = CONTEXT_STEP

/**
 * The context of the fast entries that answer the processor's own accesses, whatever CPL is; 0, which no entry has, where
 * none does (CR4.SMAP with RFLAGS.AC set, see implicitBarred()).
 */
@inline
export function systemContext(): u64 {
  const context = tlbContext & ~(CONTEXT_STEP - 1)
  if (!(load<u32>(cpu, CPU_CR4) & CR4_SMAP)) return context
  return load<u32>(cpu, CPU_RFLAGS) & FLAG_AC ? 0 : context | CONTEXT_GUARDED
}

@inline
export function fastIndex(linear: u64): usize {
  return fastTlb + (((linear >> 12) as usize) & (TLB_COUNT - 1)) * FAST_ENTRY_SIZE
}

@inline
export function tlbEntry(linear: u64): usize {
  return cpu + CPU_TLB + (((linear >> 12) as usize) & (TLB_COUNT - 1)) * TLB_ENTRY_SIZE
}

/** Takes the context up from memory after this instance was bound, or from scratch. */
export function tlbBind(): void {
  tlbContext = load<u64>(cpu, CPU_TLB_CONTEXT)
  if (tlbContext < CONTEXT_STEP) tlbDropFast()
}

/** Drops every fast entry. The guest cannot notice. */
export function tlbDropFast(): void {
  let next = (tlbContext & ~(CONTEXT_STEP - 1)) + CONTEXT_STEP
  if (next >= CONTEXT_LIMIT) {
    memory.fill(fastTlb, 0xff, TLB_COUNT * FAST_ENTRY_SIZE)
    next = CONTEXT_STEP
  }
  tlbContext = next | contextKind()
  store<u64>(cpu, tlbContext, CPU_TLB_CONTEXT)
}

/** CPL or RFLAGS.AC has changed: other fast entries become valid. The fetch page depends on CPL too (U/S). */
export function tlbContextChanged(): void {
  tlbContext = (tlbContext & ~(CONTEXT_STEP - 1)) | contextKind()
  store<u64>(cpu, tlbContext, CPU_TLB_CONTEXT)
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
}

/** Takes notice of RFLAGS.AC, which POPF, IRET and SYSRET change among others. Called at every boundary. */
export function tlbAlignmentChanged(): void {
  const context = (tlbContext & ~(CONTEXT_STEP - 1)) | contextKind()
  if (context == tlbContext) return
  tlbContext = context
  store<u64>(cpu, context, CPU_TLB_CONTEXT)
}

/** MOV CR3 and the like: invalidates every translation, global ones only if asked (SDM 3A 4.10.4.1). */
export function tlbFlushAll(includingGlobal: bool): void {
  invalidationNote(includingGlobal ? INVALIDATE_GLOBAL : INVALIDATE_ALL, 0, 0)
  store<u64>(cpu, load<u64>(cpu + CPU_STATS, STAT_TLB_FLUSHES) + 1, CPU_STATS + STAT_TLB_FLUSHES)
  // Of every PCID: none of them has entries any more.
  memory.fill(cpu + CPU_PCIDS, 0, 4096 * 4)
  const wrapped = newGeneration()
  if (includingGlobal || wrapped) {
    memory.fill(cpu + CPU_TLB, 0, TLB_COUNT * TLB_ENTRY_SIZE)
    store<u32>(cpu, 0, CPU_TLB_LARGE)
  }
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  tlbDropFast()
}

/** Gives the current PCID a generation of its own. True when the serial number has wrapped, which revives the dead. */
function newGeneration(): bool {
  const serial = load<u32>(cpu, CPU_PCID_SERIAL) + 1
  store<u32>(cpu, serial ? serial : 1, CPU_PCID_SERIAL)
  store<u32>(cpu, serial ? serial : 1, CPU_TLB_GENERATION)
  store<u32>(currentContext(), serial ? serial : 1)
  return serial == 0
}

/** Cell of the current PCID: 0 while CR4.PCIDE is clear (SDM 3A 4.10.1). */
function currentContext(): usize {
  const pcid = load<u32>(cpu, CPU_CR4) & CR4_PCIDE ? load<u32>(cpu, CPU_CR3) & 0xfff : 0
  return cpu + CPU_PCIDS + pcid * 4
}

/** MOV CR3 that keeps the translations of its PCID: CR3 is loaded already. */
export function tlbSwitchProcessContext(pcid: u32): void {
  const generation = load<u32>(cpu + CPU_PCIDS + pcid * 4)
  if (generation) store<u32>(cpu, generation, CPU_TLB_GENERATION)
  else newGeneration()
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  tlbDropFast()
}

/** MOV CR3, INVPCID type 1: the translations of one PCID, global ones stay. */
export function tlbFlushProcessContext(pcid: u32): void {
  invalidationNote(INVALIDATE_PCID, 0, pcid)
  const cell = cpu + CPU_PCIDS + pcid * 4
  store<u64>(cpu, load<u64>(cpu + CPU_STATS, STAT_TLB_FLUSHES) + 1, CPU_STATS + STAT_TLB_FLUSHES)
  store<u32>(cell, 0)
  if (cell != currentContext()) return
  if (load<u32>(cpu, CPU_PCID_SERIAL) == 0xffffffff) tlbFlushAll(true)
  else newGeneration()
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  tlbDropFast()
}

/** INVPCID type 0: one page of one PCID. */
export function tlbInvalidateIn(pcid: u32, linear: u64): void {
  const cell = cpu + CPU_PCIDS + pcid * 4
  if (cell == currentContext()) tlbInvalidatePage(linear)
  else tlbFlushProcessContext(pcid)
}

/** INVLPG: the page of `linear`, global or not, and every fragment of the large page it lies in (SDM 3A 4.10.4.1). */
export function tlbInvalidatePage(linear: u64): void {
  invalidationNote(INVALIDATE_PAGE, linear, load<u32>(cpu, CPU_CR3) & 0xfff)
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  if (load<u32>(cpu, CPU_TLB_LARGE) & largeBit(linear)) {
    for (let i: usize = 0; i < <usize>TLB_COUNT; i++) {
      const entry = cpu + CPU_TLB + i * TLB_ENTRY_SIZE
      const flags = load<u32>(entry, TLB_FLAGS)
      if (!(flags & TLB_LARGE) || !load<u64>(entry, TLB_TAG)) continue
      const shift: u64 = flags & TLB_HUGE ? 30 : flags & TLB_LARGE4M ? 22 : 21
      if (load<u64>(entry, TLB_TAG) >> shift == linear >> shift)
        dropEntry(entry, fastTlb + i * FAST_ENTRY_SIZE)
    }
  }
  const entry = tlbEntry(linear)
  if ((load<u64>(entry, TLB_TAG) & ~(0xfff as u64)) == (linear & ~(0xfff as u64)))
    dropEntry(entry, fastIndex(linear))
}

function dropEntry(entry: usize, fast: usize): void {
  store<u64>(entry, 0, TLB_TAG)
  fastClear(fast)
}

@inline
export function fastClear(fast: usize): void {
  store<u64>(fast, -1, FAST_READ)
  store<u64>(fast, -1, FAST_WRITE)
  store<u64>(fast, -1, FAST_EXECUTE)
}

/** CR0.PG/WP, CR4.PAE/PSE/PGE, EFER.NXE have changed (SDM 3A 4.10.4.1: all of them invalidate everything). */
export function pagingModeChanged(): void {
  tlbFlushAll(true)
}

/** The board moved address line 20: every pointer may be another. Translations stay. */
export function a20Changed(): void {
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  tlbDropFast()
  const count = cpuCount()
  for (let index: u32 = 0; index < count; index++) {
    if (index != cpuIndex) maintenancePost(index, MAINTENANCE_DROP_FAST)
  }
}

/** Something is decoded elsewhere now: pointers behind the fast entries of all CPUs may be others. Translations stay. */
export function busMapChanged(): void {
  a20Changed()
}

/** The bit of CPU_TLB_LARGE for the gigabyte `linear` lies in: no large page is larger. */
@inline
export function largeBit(linear: u64): u32 {
  const gigabyte = <u32>(linear >> 30) & 31
  return (1 as u32) << gigabyte
}

/** The entry that translates `linear` now, 0 when there is none. */
@inline
export function tlbFind(linear: u64): usize {
  const entry = tlbEntry(linear)
  if (load<u64>(entry, TLB_TAG) != ((linear & ~(0xfff as u64)) | TLB_VALID)) return 0
  if (load<u32>(entry, TLB_FLAGS) & TLB_GLOBAL) return entry
  return load<u32>(entry, TLB_GENERATION) == load<u32>(cpu, CPU_TLB_GENERATION) ? entry : 0
}

/**
 * Lets the executor use `linear`'s page directly, as far as its rights and its kind allow. `flags`: TLB_* of the
 * translation; without paging everything is allowed. `phys`: guest-physical page address.
 */
export function fastFill(linear: u64, phys: u64, flags: u32, write: bool): void {
  const fast = fastIndex(linear)
  const page = linear & ~(0xfff as u64)
  const tag = page | tlbContext
  const pointer = physicalPointer(phys)
  makeRoom(fast, tag)
  const target = a20(phys)
  const frame = <u32>(target >> 12)
  let freed: bool = false
  if (frame < frameCount) {
    const meta = frames + frame * FRAME_SIZE
    const seen: u32 = write ? FRAME_TOUCHED | FRAME_WRITTEN : FRAME_TOUCHED
    const known = load<u32>(meta, FRAME_FLAGS)
    if ((known & seen) != seen) atomic.or<u32>(meta, seen, FRAME_FLAGS)
    store<u32>(meta, <u32>(clockNow() >> 20), FRAME_STAMP)
    if (known & FRAME_FREED) freed = freedUse(frame, linear, write)
  }
  if (!pointer) return
  if (freed || pageWatched(linear)) {
    fastClear(fast)
    return
  }
  const user = load<u32>(cpu, CPU_CPL) == 3
  if ((user && !(flags & TLB_USER)) || alignmentChecked()) return
  // Implicit accesses may have been made with other rights than the context's.
  if (
    !user &&
    flags & TLB_USER &&
    (tlbContext & CONTEXT_GUARDED) != 0 &&
    load<u32>(cpu, CPU_MODE) & MODE_PAGING
  )
    return
  const keys = load<u32>(cpu, CPU_MODE) & MODE_PAGING && protectionKeysOn()
  if (keys && keyBars(flags, false, user)) return
  store<u32>(fast, <u32>pointer - <u32>page, FAST_ADDEND)
  store<u64>(fast, tag, FAST_READ)
  const buffer = frame >= frameCount && frameBufferPointer(target) != 0
  if (!write || !(flags & TLB_DIRTY) || !ramPointer(target)) return
  if (!(flags & TLB_WRITABLE) && (user || load<u32>(cpu, CPU_CR0) & CR0_WP)) return
  if (keys && keyBars(flags, true, user)) return
  if (buffer) {
    store<u64>(fast, tag, FAST_WRITE)
    return
  }
  const meta = frames + frame * FRAME_SIZE
  if (load<u64>(meta, FRAME_CODE) || tableWatched(frame)) return
  writerNote(meta)
  // Again, now that whoever decodes knows of this one (cpu/code-marks.ts).
  if (!load<u64>(meta, FRAME_CODE)) store<u64>(fast, tag, FAST_WRITE)
}

/** What is there for another page or context must not keep rights under the addend of `tag`. */
@inline
function makeRoom(fast: usize, tag: u64): void {
  if (
    load<u64>(fast, FAST_READ) != tag &&
    load<u64>(fast, FAST_WRITE) != tag &&
    load<u64>(fast, FAST_EXECUTE) != tag
  ) {
    fastClear(fast)
  }
}

/** `linear` has just been translated for an instruction fetch: jumps to its page need not ask for that again. */
export function fastFillExecute(linear: u64, phys: u64): void {
  const pointer = physicalPointer(phys)
  if (!pointer || frameBufferPointer(a20(phys))) return
  const fast = fastIndex(linear)
  const page = linear & ~(0xfff as u64)
  makeRoom(fast, page | tlbContext)
  store<u32>(fast, <u32>pointer - <u32>page, FAST_ADDEND)
  store<u64>(fast, page | tlbContext, FAST_EXECUTE)
}
