// Interrupts, exceptions and IRET in their commonest form at once: 64-bit code in ring 0 and 3, and flat 32-bit code that
// stays in its ring, with tables and stack in the fast TLB, descriptors in the GDT and marked accessed. Each function looks
// at everything first and answers false, nothing having changed, for whatever is different: interrupt.ts and iret.ts,
// which know all cases and cite the manual, carry that out.

import { canonical } from '../memory/linear'
import { systemContext, tlbContext } from '../memory/tlb'
import {
  CPU_CPL,
  CPU_FETCH_PAGE,
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_IDTR_BASE,
  CPU_IDTR_LIMIT,
  CPU_MODE,
  CPU_NMI,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  CPU_SEGMENTS,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_READ,
  FAST_WRITE,
  MODE_CODE32,
  MODE_FLAT,
  MODE_LONG,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_V86,
  SEG_CS,
  SEG_SS,
  SEG_TR,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SELECTOR,
  SEGMENT_SIZE,
  TLB_COUNT,
} from '../layout'
import { cpu, fastTlb } from './context'
import { descriptorAttributes, descriptorBase, descriptorLimit } from './descriptors'
import { FLAG_IF, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM } from './flags'
import {
  codeSegmentCommit,
  segmentLoadDescriptor,
  segmentLoadNull,
  segmentsInvalidateOuter,
} from './segments'

const PAGE: u64 = ~(0xfff as u64)
const INDEX_MASK: usize = (TLB_COUNT - 1) * FAST_ENTRY_SIZE

// Bits 47:40 of a descriptor: P, DPL, S, type.
const GATE_MASK: u32 = 0x9e
/** Present interrupt or trap gate, 64 or 32 bits wide. */
const GATE: u32 = 0x8e
const CODE_MASK: u32 = 0x9d
/** Present, accessed, non-conforming code. */
const CODE: u32 = 0x99
const STACK_MASK: u32 = 0x9b
/** Present, accessed, writable data. */
const STACK: u32 = 0x93
const SIZE_MASK: u64 = 0x0060_0000_0000_0000
const SIZE_64: u64 = 0x0020_0000_0000_0000
const SIZE_32: u64 = 0x0040_0000_0000_0000

/** CF PF AF ZF SF TF IF DF OF IOPL NT RF AC VIF VIP ID: what an IRET of 32 or 64 bits in ring 0 restores. */
const FLAGS_RING0: u32 = 0x3d7fd5
/** VIF and VIP: something waits for ring 3 (virtualInterruptNone). */
const VIRTUAL_INTERRUPT: u32 = 0x180000

/** Pointer to `size` bytes at `linear` that may be read in `context`; 0: ask elsewhere. */
@inline
function readable(linear: u64, size: u32, context: u64): usize {
  const entry = fastTlb + (<usize>(linear >> 7) & INDEX_MASK)
  if (load<u64>(entry, FAST_READ) != (((linear + (size - 1)) & PAGE) | context)) return 0
  return <usize>linear + load<u32>(entry, FAST_ADDEND)
}

@inline
function writable(linear: u64, size: u32, context: u64): usize {
  const entry = fastTlb + (<usize>(linear >> 7) & INDEX_MASK)
  if (load<u64>(entry, FAST_WRITE) != (((linear + (size - 1)) & PAGE) | context)) return 0
  return <usize>linear + load<u32>(entry, FAST_ADDEND)
}

@inline
function access(raw: u64): u32 {
  return <u32>(raw >> 40) & 0xff
}

/** The selector's descriptor from the GDT, 0: ask elsewhere. */
@inline
function descriptor(selector: u32, context: u64): u64 {
  const at = selector & 0xfff8
  if (selector & 4 || at == 0 || at + 7 > load<u32>(cpu, CPU_GDTR_LIMIT)) return 0
  const p = readable(load<u64>(cpu, CPU_GDTR_BASE) + at, 8, context)
  return p ? load<u64>(p) : 0
}

/** Whether the segment register already is what loading the selector would make it. */
@inline
function loaded(segment: u32, selector: u32, raw: u64): bool {
  const register = cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE
  return (
    <u32>load<u16>(register, SEGMENT_SELECTOR) == selector &&
    <u32>load<u16>(register, SEGMENT_ATTRIBUTES) == descriptorAttributes(raw) &&
    load<u64>(register, SEGMENT_BASE) == descriptorBase(raw) &&
    load<u32>(register, SEGMENT_LIMIT) == descriptorLimit(raw)
  )
}

/** CS and CPL; the page instructions come from is asked for anew in any case. */
@inline
function enterCode(selector: u32, raw: u64, cpl: u32): void {
  if (load<u32>(cpu, CPU_CPL) == cpl && loaded(SEG_CS, (selector & 0xfffc) | cpl, raw))
    store<u64>(cpu, 0, CPU_FETCH_PAGE)
  else codeSegmentCommit(selector, raw, cpl)
}

@inline
function flagsEnter(gate: u64): void {
  const trap = <u32>(gate >> 40) & 1
  const cleared = FLAG_TF | FLAG_NT | FLAG_VM | FLAG_RF | (trap ? 0 : FLAG_IF)
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(<u64>cleared), CPU_RFLAGS)
}

/** deliverThroughTable() from 64-bit code to a handler in ring 0. */
export function deliverFast64(
  vector: u32,
  software: bool,
  hasError: bool,
  error: u32,
  rip: u64,
  flags: u64,
): bool {
  const context = systemContext()
  if (vector * 16 + 15 > load<u32>(cpu, CPU_IDTR_LIMIT)) return false
  const entry = readable(load<u64>(cpu, CPU_IDTR_BASE) + vector * 16, 16, context)
  if (!entry) return false
  const gate = load<u64>(entry)
  const cpl = load<u32>(cpu, CPU_CPL)
  if ((access(gate) & GATE_MASK) != GATE || (software && ((access(gate) >> 5) & 3) < cpl)) return false
  const target = <u32>(gate >> 16) & 0xffff
  const code = descriptor(target, context)
  if ((access(code) & (CODE_MASK | 0x60)) != CODE || (code & SIZE_MASK) != SIZE_64) return false
  const offset = (gate & 0xffff) | ((gate >> 32) & 0xffff0000) | ((<u64>load<u32>(entry, 8)) << 32)
  if (!canonical(offset)) return false
  const ist = <u32>(gate >> 32) & 7
  let top = load<u64>(cpu, CPU_RSP)
  if (ist || cpl != 0) {
    const task = cpu + CPU_SEGMENTS + SEG_TR * SEGMENT_SIZE
    const field: u32 = ist ? ist * 8 + 28 : 4
    if (field + 7 > load<u32>(task, SEGMENT_LIMIT)) return false
    const p = readable(load<u64>(task, SEGMENT_BASE) + field, 8, context)
    if (!p) return false
    top = load<u64>(p)
  }
  const bytes: u32 = hasError ? 48 : 40
  const start = (top & ~15) - bytes
  const frame = writable(start, bytes, context)
  if (!frame) return false
  let at = frame
  if (hasError) {
    store<u64>(at, error)
    at += 8
  }
  store<u64>(at, rip)
  store<u64>(at, load<u16>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_SELECTOR), 8)
  store<u64>(at, flags, 16)
  store<u64>(at, load<u64>(cpu, CPU_RSP), 24)
  store<u64>(at, load<u16>(cpu + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE, SEGMENT_SELECTOR), 32)
  if (cpl != 0) segmentLoadNull(SEG_SS, 0, 0)
  store<u64>(cpu, start, CPU_RSP)
  enterCode(target, code, 0)
  store<u64>(cpu, offset, CPU_RIP)
  flagsEnter(gate)
  return true
}

/** deliverThroughTable() in flat 32-bit code, to a handler in the same ring. */
export function deliverFast32(
  vector: u32,
  software: bool,
  hasError: bool,
  error: u32,
  rip: u64,
  flags: u64,
): bool {
  const wanted: u32 = MODE_PROTECTED | MODE_CODE32 | MODE_FLAT
  const looked: u32 = MODE_PROTECTED | MODE_SIZE | MODE_FLAT | MODE_LONG | MODE_V86
  const cpl = load<u32>(cpu, CPU_CPL)
  if ((load<u32>(cpu, CPU_MODE) & looked) != wanted || cpl == 3) return false
  const context = systemContext()
  if (vector * 8 + 7 > load<u32>(cpu, CPU_IDTR_LIMIT)) return false
  const entry = readable((load<u64>(cpu, CPU_IDTR_BASE) + vector * 8) & 0xffffffff, 8, context)
  if (!entry) return false
  const gate = load<u64>(entry)
  if ((access(gate) & GATE_MASK) != GATE || (software && ((access(gate) >> 5) & 3) < cpl)) return false
  const target = <u32>(gate >> 16) & 0xffff
  const code = descriptor(target, context)
  const stack = cpu + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE
  if ((access(code) & (CODE_MASK | 0x60)) != (CODE | (cpl << 5)) || (code & SIZE_MASK) != SIZE_32)
    return false
  const offset = (gate & 0xffff) | ((gate >> 32) & 0xffff0000)
  // A stack of 32 bits, and no wrap.
  const bytes: u32 = hasError ? 16 : 12
  const top = load<u64>(cpu, CPU_RSP)
  if (offset > <u64>descriptorLimit(code) || !(load<u16>(stack, SEGMENT_ATTRIBUTES) & 0x4000)) return false
  if (top < bytes || top > 0xffffffff) return false
  const start = top - bytes
  const frame = writable(start, bytes, context)
  if (!frame) return false
  let at = frame
  if (hasError) {
    store<u32>(at, error)
    at += 4
  }
  store<u32>(at, <u32>rip)
  store<u32>(at, load<u16>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_SELECTOR), 4)
  store<u32>(at, <u32>flags, 8)
  store<u64>(cpu, start, CPU_RSP)
  enterCode(target, code, cpl)
  store<u64>(cpu, offset, CPU_RIP)
  flagsEnter(gate)
  return true
}

/** IRETQ from ring 0 to 64-bit code in ring 0 or 3. */
export function iretFast64(): bool {
  if (load<u32>(cpu, CPU_CPL) != 0 || load<u32>(cpu, CPU_RFLAGS) & FLAG_NT) return false
  const frame = readable(load<u64>(cpu, CPU_RSP), 40, tlbContext)
  if (!frame) return false
  const context = systemContext()
  const offset = load<u64>(frame)
  const selector = <u32>load<u16>(frame, 8)
  const outer = selector & 3
  const code = descriptor(selector, context)
  if ((access(code) & (CODE_MASK | 0x60)) != (CODE | (outer << 5)) || (code & SIZE_MASK) != SIZE_64)
    return false
  if ((outer != 0 && outer != 3) || !canonical(offset)) return false
  const stack = <u32>load<u16>(frame, 32)
  if ((stack & 3) != outer) return false
  let data: u64 = 0
  if (stack == 0) {
    // A null SS is for ring 0 here.
  } else {
    data = descriptor(stack, context)
    if ((access(data) & (STACK_MASK | 0x60)) != (STACK | (outer << 5))) return false
  }
  const flags = load<u32>(frame, 16)
  if ((flags & VIRTUAL_INTERRUPT) == VIRTUAL_INTERRUPT) return false
  const pointer = load<u64>(frame, 24)
  if (!data) segmentLoadNull(SEG_SS, 0, 0)
  else if (!loaded(SEG_SS, stack, data)) segmentLoadDescriptor(SEG_SS, stack, data)
  store<u64>(cpu, pointer, CPU_RSP)
  store<u64>(cpu, (load<u32>(cpu, CPU_RFLAGS) & ~FLAGS_RING0) | (flags & FLAGS_RING0) | 2, CPU_RFLAGS)
  enterCode(selector, code, outer)
  store<u64>(cpu, offset, CPU_RIP)
  if (outer) segmentsInvalidateOuter(outer)
  store<u32>(cpu, load<u32>(cpu, CPU_NMI) & ~2, CPU_NMI)
  return true
}

/** IRETD in flat 32-bit code of ring 0 that stays there. */
export function iretFast32(): bool {
  const wanted: u32 = MODE_PROTECTED | MODE_CODE32 | MODE_FLAT
  const looked: u32 = MODE_PROTECTED | MODE_SIZE | MODE_FLAT | MODE_LONG | MODE_V86
  if ((load<u32>(cpu, CPU_MODE) & looked) != wanted) return false
  if (load<u32>(cpu, CPU_CPL) != 0 || load<u32>(cpu, CPU_RFLAGS) & FLAG_NT) return false
  const stack = cpu + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE
  const top = load<u64>(cpu, CPU_RSP)
  if (!(load<u16>(stack, SEGMENT_ATTRIBUTES) & 0x4000) || top > 0xffffffff) return false
  const frame = readable(top, 12, tlbContext)
  if (!frame) return false
  const offset = <u64>load<u32>(frame)
  const selector = <u32>load<u16>(frame, 4)
  const flags = load<u32>(frame, 8)
  const code = descriptor(selector, systemContext())
  if (selector & 3 || flags & FLAG_VM) return false
  if ((access(code) & (CODE_MASK | 0x60)) != CODE || (code & SIZE_MASK) != SIZE_32) return false
  if (offset > <u64>descriptorLimit(code)) return false
  store<u64>(cpu, (top + 12) & 0xffffffff, CPU_RSP)
  store<u64>(cpu, (load<u32>(cpu, CPU_RFLAGS) & ~FLAGS_RING0) | (flags & FLAGS_RING0) | 2, CPU_RFLAGS)
  enterCode(selector, code, 0)
  store<u64>(cpu, offset, CPU_RIP)
  store<u32>(cpu, load<u32>(cpu, CPU_NMI) & ~2, CPU_NMI)
  return true
}
