// From linear addresses to bytes. The executor tries the fast TLB inline and comes here for everything else:
// misses, accesses that cross a page, devices, pages that hold decoded code, and faults. An access that cannot
// be made in place goes through the bounce buffer.

import { writerNote } from '../cpu/code-marks'
import { bounce, cpu, frames } from '../cpu/context'
import { linearAddressBits } from '../cpu/cpuid'
import { breakpointsEnabled, dataBreakpoints } from '../cpu/debug'
import { faultPending, raise } from '../cpu/fault'
import { EXC_AC, EXC_GP, EXC_SS } from '../cpu/vectors'
import { cpuCount } from '../machine/smp'
import { cpuDeviceRead, cpuDeviceWrite, deviceTimeNote } from './device'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_FETCH_FRAME,
  CPU_FETCH_PAGE,
  CPU_MODE,
  FAST_ADDEND,
  FAST_READ,
  FAST_WRITE,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_NONE,
  FRAME_EXECUTED,
  FRAME_FLAGS,
  FRAME_SIZE,
  FRAME_TOUCHED,
  MODE_LONG,
  MODE_PAGING,
  SEG_DS,
  SEG_SS,
  TLB_DIRTY,
  TLB_FLAGS,
  TLB_FRAME,
  TLB_NX,
  TLB_TAG,
  TLB_USER,
  TLB_WRITABLE,
} from '../layout'
import { frameCount } from '../cpu/context'
import { exclusiveBegin, exclusiveEnd } from '../machine/exclusive'
import { staleUse, tableWatched, tableWriteBegin, tableWriteEnd, tlbWatched } from './tlb-log'
import { a20, frameWritten, physicalPointer, ramPointer } from './physical'
import { codeAt } from '../cpu/trace'
import { alignmentChecked, fastClear, fastFill, fastFillExecute, fastIndex, tlbContext, tlbFind } from './tlb'
import { keyBars, protectionKeysOn } from './protection-keys'
import {
  ACCESS_EXECUTE,
  ACCESS_READ,
  ACCESS_WRITE,
  implicitBarred,
  setImplicit,
  supervisorBarred,
  walk,
} from './walk'

/** What an abandoned address computation yields; not canonical, so no fast entry ever matches it. */
export const NO_ADDRESS: u64 = 0x8000000000000000
const NO_PHYSICAL: u64 = 0xffffffffffffffff
const PAGE: u64 = ~(0xfff as u64)
const CR0_WP: u32 = 0x10000
const CR4_LA57: u32 = 0x1000

// Rights of the last translation and where a bounced write belongs. Transient within one access.
let lastFlags: u32 = 0
/** In lastFlags: the translation is stale. */
const STALE: u32 = 0x80000000
let firstPhys: u64 = 0
let firstSize: u32 = 0
let secondPhys: u64 = 0
let secondSize: u32 = 0

@inline
function isUser(): bool {
  return load<u32>(cpu, CPU_CPL) == 3
}

/** Whether `linear` is canonical in the present paging mode: 48 bits, 57 with CR4.LA57 (SDM 1 3.3.7.1). */
@inline
export function canonical(linear: u64): bool {
  const unused: u64 = load<u32>(cpu, CPU_CR4) & CR4_LA57 ? 7 : 16
  return <u64>(<i64>(linear << unused) >> unused) == linear
}

/**
 * The same for what is loaded into bases and MSRs, which are as wide as the model can address whatever CR4.LA57 says
 * (SDM 3A 4.5.2: loading a segment base, system-table base or MSR).
 */
export function canonicalBase(linear: u64): bool {
  const unused: u64 = 64 - linearAddressBits()
  return <u64>(<i64>(linear << unused) >> unused) == linear
}

/** Guest-physical address of `linear` for an access of the given kind, or NO_PHYSICAL with #PF pending. */
function translate(linear: u64, access: u32, user: bool): u64 {
  if (!(load<u32>(cpu, CPU_MODE) & MODE_PAGING)) {
    lastFlags = TLB_WRITABLE | TLB_USER | TLB_DIRTY
    return linear & 0xffffffff
  }
  let entry = tlbFind(linear)
  if (entry) {
    const flags = load<u32>(entry, TLB_FLAGS)
    if (!allowed(flags, access, user)) entry = 0
    else if (tlbWatched() && staleUse(entry, linear, access)) {
      // No shortcut: its next use is to be seen too.
      lastFlags = flags | STALE
      return load<u64>(entry, TLB_FRAME) | (linear & 0xfff)
    }
  }
  if (!entry) {
    entry = walk(linear, access, user)
    if (!entry) {
      // A page fault invalidates what was cached for the page (SDM 3A 4.10.4.1).
      const stale = tlbFind(linear)
      if (stale) {
        store<u64>(stale, 0, TLB_TAG)
        fastClear(fastIndex(linear))
      }
      return NO_PHYSICAL
    }
  }
  lastFlags = load<u32>(entry, TLB_FLAGS)
  return load<u64>(entry, TLB_FRAME) | (linear & 0xfff)
}

/** Whether a cached translation allows the access as it stands; if not, the structures are walked again. */
@inline
function allowed(flags: u32, access: u32, user: bool): bool {
  if (user && !(flags & TLB_USER)) return false
  if (!user && flags & TLB_USER && supervisorBarred(access)) return false
  if (access != ACCESS_EXECUTE && protectionKeysOn() && keyBars(flags, access == ACCESS_WRITE, user))
    return false
  if (access == ACCESS_WRITE) {
    if (!(flags & TLB_DIRTY)) return false
    if (!(flags & TLB_WRITABLE) && (user || load<u32>(cpu, CPU_CR0) & CR0_WP)) return false
  }
  return access != ACCESS_EXECUTE || !(flags & TLB_NX)
}

/** False, with #GP(0) or #SS(0) pending, if [linear, linear + size) is not canonical (SDM 1 3.3.7.1). */
function checkCanonical(linear: u64, size: u32, segment: u32): bool {
  if (!(load<u32>(cpu, CPU_MODE) & MODE_LONG)) return true
  if (canonical(linear) && canonical(linear + size - 1)) return true
  return raise(segment == SEG_SS ? EXC_SS : EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, linear)
}

/** Accesses of the instruction being carried out need not be aligned. Transient. */
let unaligned: bool = false

/** For instructions that never raise #AC (exception types 6, 11 and 12 of SDM 2A 2.5): on before their accesses and off after. */
export function alignmentIgnored(on: bool): void {
  unaligned = on
}

/**
 * False, with #AC(0) pending, for a misaligned access of ring 3 while alignment is checked (SDM 3A table 6-7). Operands
 * that are no power of two (far pointers, table registers) are aligned as their first part is; vectors of 16 and 32 bytes either
 * have to be aligned anyway, or need not be (SDM 2A 2.5: "8 bytes or less").
 */
export function checkAligned(linear: u64, size: u32, user: bool): bool {
  if (!alignmentChecked() || !user || unaligned) return true
  const unit: u32 = size == 6 ? 4 : size == 10 ? 8 : size <= 8 && (size & (size - 1)) == 0 ? size : 1
  // What is not canonical is #GP or #SS whatever else it is.
  if (!(linear & (unit - 1)) || (load<u32>(cpu, CPU_MODE) & MODE_LONG && !canonical(linear))) return true
  return raise(EXC_AC, 0, FAULT_DETAIL_NONE, linear)
}

/** Address `i` bytes further on, wrapped at 4 GiB outside long mode. */
@inline
function advance(linear: u64, i: u32): u64 {
  const next = linear + i
  return load<u32>(cpu, CPU_MODE) & MODE_LONG ? next : next & 0xffffffff
}

/** The tag of a fast entry that allows an access to `size` bytes at `linear`. One that crosses a page asks for the wrong one. */
@inline
function fastTag(linear: u64, size: u32): u64 {
  return ((linear + (size - 1)) & PAGE) | tlbContext
}

/**
 * Where `size` bytes (at most 64) at `linear` can be read: in place, or from the bounce buffer. 0: a fault is
 * pending. `segment` decides between #SS and #GP for addresses that are not canonical.
 */
export function accessRead(linear: u64, size: u32, segment: u32, user: bool): usize {
  if (faultPending()) return 0
  const fast = fastIndex(linear)
  if (load<u64>(fast, FAST_READ) == fastTag(linear, size) && user == isUser() && !implicitBarred())
    return <usize>linear + load<u32>(fast, FAST_ADDEND)
  if (!checkCanonical(linear, size, segment) || !checkAligned(linear, size, user)) return 0
  if (breakpointsEnabled()) dataBreakpoints(linear, size, false)
  const offset = <u32>linear & 0xfff
  if (offset + size <= 4096) {
    const phys = translate(linear, ACCESS_READ, user)
    if (phys == NO_PHYSICAL) return 0
    if (!(lastFlags & STALE)) fastFill(linear, phys & PAGE, lastFlags, false)
    const pointer = physicalPointer(phys)
    if (pointer) return pointer
    readDevice(phys, size, bounce)
    return bounce
  }
  const head: u32 = 4096 - offset
  const first = translate(linear, ACCESS_READ, user)
  if (first == NO_PHYSICAL) return 0
  const second = translate(advance(linear, head), ACCESS_READ, user)
  if (second == NO_PHYSICAL) return 0
  copyIn(first, head, bounce)
  copyIn(second, size - head, bounce + head)
  return bounce
}

/**
 * Where `size` bytes (at most 64) at `linear` can be written. If the answer is `bounce`, the caller must call
 * accessCommit() once the data is there. With `modify` the present content is there first. 0: a fault is
 * pending and nothing has changed.
 */
export function accessWrite(linear: u64, size: u32, segment: u32, user: bool, modify: bool): usize {
  if (faultPending()) return 0
  const fast = fastIndex(linear)
  if (load<u64>(fast, FAST_WRITE) == fastTag(linear, size) && user == isUser() && !implicitBarred())
    return <usize>linear + load<u32>(fast, FAST_ADDEND)
  if (!checkCanonical(linear, size, segment) || !checkAligned(linear, size, user)) return 0
  if (breakpointsEnabled()) dataBreakpoints(linear, size, true)
  const offset = <u32>linear & 0xfff
  if (offset + size <= 4096) {
    const phys = translate(linear, ACCESS_WRITE, user)
    if (phys == NO_PHYSICAL) return 0
    if (!(lastFlags & STALE)) fastFill(linear, phys & PAGE, lastFlags, true)
    const target = a20(phys)
    const pointer = ramPointer(target)
    // Data and stack beside code in one page is what every boot sector has; only writes to the code itself bounce.
    if (pointer) {
      const frame = <u32>(target >> 12)
      if (cpuCount() > 1 && frame < frameCount) writerNote(frames + frame * FRAME_SIZE)
      if (!codeAt(frame, offset, size) && !tableWatched(frame)) return pointer
    }
    firstPhys = phys
    firstSize = size
    secondSize = 0
    if (modify) copyIn(phys, size, bounce)
    return bounce
  }
  const head: u32 = 4096 - offset
  const first = translate(linear, ACCESS_WRITE, user)
  if (first == NO_PHYSICAL) return 0
  const second = translate(advance(linear, head), ACCESS_WRITE, user)
  if (second == NO_PHYSICAL) return 0
  firstPhys = first
  firstSize = head
  secondPhys = second
  secondSize = size - head
  if (modify) {
    copyIn(first, head, bounce)
    copyIn(second, size - head, bounce + head)
  }
  return bounce
}

/** RAM behind the last accessWrite that answered the bounce buffer because of decoded code; 0: it had another reason. */
export function accessBounced(): usize {
  return secondSize ? 0 : ramPointer(a20(firstPhys))
}

/** Whether the last accessWrite was to two pages. */
export function accessCrosses(): bool {
  return secondSize != 0
}

/** Guest-physical address of the last accessWrite. */
export function accessBouncedFrame(): u64 {
  return firstPhys
}

/** Writes the bounce buffer to where the last accessWrite was meant to go. */
export function accessCommit(): void {
  copyOut(firstPhys, firstSize, bounce)
  if (secondSize) copyOut(secondPhys, secondSize, bounce + firstSize)
}

function readDevice(phys: u64, size: u32, to: usize): void {
  if (size == 1) store<u8>(to, cpuDeviceRead(a20(phys), 1) as u8)
  else if (size == 2) store<u16>(to, cpuDeviceRead(a20(phys), 2) as u16)
  else if (size == 4) store<u32>(to, cpuDeviceRead(a20(phys), 4) as u32)
  else if (size == 8) store<u64>(to, cpuDeviceRead(a20(phys), 8))
  else for (let i: u32 = 0; i < size; i++) store<u8>(to + i, cpuDeviceRead(a20(phys + i), 1) as u8)
  deviceTimeNote(a20(phys))
}

function copyIn(phys: u64, size: u32, to: usize): void {
  const pointer = physicalPointer(phys)
  if (pointer) copySized(to, pointer, size)
  else readDevice(phys, size, to)
}

/** In one access, where there is one of that size: other CPUs never see half of an aligned operand. */
function copySized(to: usize, from: usize, size: u32): void {
  if (size == 8) store<u64>(to, load<u64>(from))
  else if (size == 4) store<u32>(to, load<u32>(from))
  else if (size == 2) store<u16>(to, load<u16>(from))
  else if (size == 16) v128.store(to, v128.load(from))
  else memory.copy(to, from, size)
}

function copyOut(phys: u64, size: u32, from: usize): void {
  const target = a20(phys)
  const pointer = ramPointer(target)
  if (pointer) {
    if (tableWatched(<u32>(target >> 12))) {
      // Before anybody goes on, everybody's next access is seen (tlb-log.ts).
      exclusiveBegin()
      tableWriteBegin(phys, size)
      copySized(pointer, from, size)
      tableWriteEnd()
      exclusiveEnd()
    } else copySized(pointer, from, size)
    frameWritten(phys, size)
    return
  }
  if (size == 1) cpuDeviceWrite(target, 1, load<u8>(from))
  else if (size == 2) cpuDeviceWrite(target, 2, load<u16>(from))
  else if (size == 4) cpuDeviceWrite(target, 4, load<u32>(from))
  else if (size == 8) cpuDeviceWrite(target, 8, load<u64>(from))
  else for (let i: u32 = 0; i < size; i++) cpuDeviceWrite(a20(phys + i), 1, load<u8>(from + i))
  deviceTimeNote(target)
}

/**
 * Makes the page of `linear` the fetch page. False with #PF pending. Called whenever execution enters a page
 * that is not the fetch page, so that what the TLB holds depends on the guest alone.
 */
export function fetchTranslate(linear: u64): bool {
  if (!checkCanonical(linear, 1, SEG_DS)) return false
  const phys = translate(linear, ACCESS_EXECUTE, isUser())
  if (phys == NO_PHYSICAL) return false
  store<u64>(cpu, (linear & PAGE) | 1, CPU_FETCH_PAGE)
  store<u64>(cpu, a20(phys) & PAGE, CPU_FETCH_FRAME)
  fastFillExecute(linear, phys & PAGE)
  return true
}

/** Guest-physical address the instruction byte at `linear` is fetched from, for an instruction that runs into the next page. NO_PHYSICAL with #GP or #PF pending. */
export function fetchPhysical(linear: u64): u64 {
  if (!checkCanonical(linear, 1, SEG_DS)) return NO_PHYSICAL
  return translate(linear, ACCESS_EXECUTE, isUser())
}

/** Marks a frame as executed, for onlookers. */
export function frameExecuted(phys: u64): void {
  const frame = <u32>(a20(phys) >> 12)
  if (frame >= frameCount) return
  const meta = frames + frame * FRAME_SIZE
  const seen: u32 = FRAME_TOUCHED | FRAME_EXECUTED
  if ((load<u32>(meta, FRAME_FLAGS) & seen) != seen) atomic.or<u32>(meta, seen, FRAME_FLAGS)
}

// --- accesses by the processor itself and by system instructions -------------------------------------------

export function linearRead8(linear: u64, user: bool): u8 {
  const pointer = accessRead(linear, 1, SEG_DS, user)
  return pointer ? load<u8>(pointer) : 0
}

export function linearRead16(linear: u64, user: bool): u16 {
  const pointer = accessRead(linear, 2, SEG_DS, user)
  return pointer ? load<u16>(pointer) : 0
}

export function linearRead32(linear: u64, user: bool): u32 {
  const pointer = accessRead(linear, 4, SEG_DS, user)
  return pointer ? load<u32>(pointer) : 0
}

export function linearRead64(linear: u64, user: bool): u64 {
  const pointer = accessRead(linear, 8, SEG_DS, user)
  return pointer ? load<u64>(pointer) : 0
}

export function linearWrite8(linear: u64, value: u8, user: bool): bool {
  const pointer = accessWrite(linear, 1, SEG_DS, user, false)
  if (!pointer) return false
  store<u8>(pointer, value)
  if (pointer == bounce) accessCommit()
  return true
}

export function linearWrite16(linear: u64, value: u16, user: bool): bool {
  const pointer = accessWrite(linear, 2, SEG_DS, user, false)
  if (!pointer) return false
  store<u16>(pointer, value)
  if (pointer == bounce) accessCommit()
  return true
}

export function linearWrite32(linear: u64, value: u32, user: bool): bool {
  const pointer = accessWrite(linear, 4, SEG_DS, user, false)
  if (!pointer) return false
  store<u32>(pointer, value)
  if (pointer == bounce) accessCommit()
  return true
}

export function linearWrite64(linear: u64, value: u64, user: bool): bool {
  const pointer = accessWrite(linear, 8, SEG_DS, user, false)
  if (!pointer) return false
  store<u64>(pointer, value)
  if (pointer == bounce) accessCommit()
  return true
}

/** Translates [linear, linear + size) for writing without writing; false with a fault pending. Any size. */
export function linearProbeWrite(linear: u64, size: u32, user: bool): bool {
  let done: u32 = 0
  while (done < size) {
    const at = advance(linear, done)
    if (!accessWrite(at, 1, SEG_DS, user, false)) return false
    done += 4096 - (<u32>at & 0xfff)
  }
  return true
}

export function systemRead8(linear: u64): u8 {
  setImplicit(true)
  const value = linearRead8(linear, false)
  setImplicit(false)
  return value
}

export function systemRead16(linear: u64): u16 {
  setImplicit(true)
  const value = linearRead16(linear, false)
  setImplicit(false)
  return value
}

export function systemRead32(linear: u64): u32 {
  setImplicit(true)
  const value = linearRead32(linear, false)
  setImplicit(false)
  return value
}

export function systemRead64(linear: u64): u64 {
  setImplicit(true)
  const value = linearRead64(linear, false)
  setImplicit(false)
  return value
}

export function systemWrite8(linear: u64, value: u8): bool {
  setImplicit(true)
  const written = linearWrite8(linear, value, false)
  setImplicit(false)
  return written
}

export function systemWrite16(linear: u64, value: u16): bool {
  setImplicit(true)
  const written = linearWrite16(linear, value, false)
  setImplicit(false)
  return written
}

export function systemWrite32(linear: u64, value: u32): bool {
  setImplicit(true)
  const written = linearWrite32(linear, value, false)
  setImplicit(false)
  return written
}

export function systemWrite64(linear: u64, value: u64): bool {
  setImplicit(true)
  const written = linearWrite64(linear, value, false)
  setImplicit(false)
  return written
}
