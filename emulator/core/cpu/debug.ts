// Breakpoints of the debug registers (SDM 3B 18.2, 18.3). While DR7 enables one, the run loop goes instruction by
// instruction and the pages it lies in have no fast translation, so nobody else pays for it.

import {
  CPU_CPL,
  CPU_CR4,
  CPU_DEBUG_PENDING,
  CPU_DEBUGCTL,
  CPU_DR0,
  CPU_DR6,
  CPU_DR7,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEGMENTS,
  CPU_SHADOW,
  FAULT_DETAIL_NONE,
  MODE_CODE16,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEGMENT_BASE,
  SEGMENT_SELECTOR,
  SEGMENT_SIZE,
} from '../layout'
import { fetchPhysical } from '../memory/linear'
import { physicalRead8 } from '../memory/physical'
import { cpu } from './context'
import { faultClear, faultPending, raise } from './fault'
import { FLAG_RF } from './flags'
import { SHADOW_MOV_SS } from './segments'
import { EXC_DB } from './vectors'

export const DR6_BD: u32 = 0x2000
export const DR6_BS: u32 = 0x4000
export const DR6_BT: u32 = 0x8000
/** L0, G0 .. L3, G3. */
const DR7_ENABLES: u32 = 0xff
const CR4_DE: u32 = 8
const DR7_GD: u64 = 0x2000
const DEBUGCTL_BTF: u64 = 2

const ON_EXECUTION: u32 = 0
const ON_WRITE: u32 = 1
const ON_IO: u32 = 2

/** Whether some breakpoint is on. */
@inline
export function breakpointsEnabled(): bool {
  return (load<u32>(cpu, CPU_DR7) & DR7_ENABLES) != 0
}

@inline
function enabled(n: u32): bool {
  return ((load<u32>(cpu, CPU_DR7) >> (n * 2)) & 3) != 0
}

/** R/Wn. */
@inline
function condition(n: u32): u32 {
  return (load<u32>(cpu, CPU_DR7) >> (16 + n * 4)) & 3
}

/** LENn as bytes; 10b is 8 (SDM 3B 18.2.4). */
@inline
function length(n: u32): u32 {
  const code = (load<u32>(cpu, CPU_DR7) >> (18 + n * 4)) & 3
  return code == 2 ? 8 : code + 1
}

/** Whether breakpoint `n` and [from, from + size) have a byte in common; its address is aligned to its length. */
function touches(n: u32, from: u64, size: u32): bool {
  const bytes = length(n)
  const at = load<u64>(cpu + CPU_DR0 + n * 8) & ~((bytes - 1) as u64)
  return from < at + bytes && at < from + size
}

function note(n: u32): void {
  store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | (1 << n), CPU_DEBUG_PENDING)
}

/** A data access was made: what it hits is reported behind the instruction (SDM 3B 18.2.5). */
export function dataBreakpoints(linear: u64, size: u32, write: bool): void {
  for (let n: u32 = 0; n < 4; n++) {
    const kind = condition(n)
    if (kind == ON_EXECUTION || kind == ON_IO || (kind == ON_WRITE && !write)) continue
    if (touches(n, linear, size) && enabled(n)) note(n)
  }
}

/** IN, OUT, INS, OUTS of `size` ports: with CR4.DE only (SDM 3B 18.2.4). */
export function ioBreakpoints(port: u32, size: u32): void {
  if (!(load<u32>(cpu, CPU_CR4) & CR4_DE)) return
  for (let n: u32 = 0; n < 4; n++) {
    if (condition(n) == ON_IO && touches(n, port, size) && enabled(n)) note(n)
  }
}

/** Whether a data breakpoint lies in the page of `linear`: it must not be accessed unseen. */
export function pageWatched(linear: u64): bool {
  if (!breakpointsEnabled()) return false
  for (let n: u32 = 0; n < 4; n++) {
    if (enabled(n) && condition(n) & 1 && (load<u64>(cpu + CPU_DR0 + n * 8) ^ linear) >> 12 == 0) return true
  }
  return false
}

/**
 * Before the instruction at CPU_RIP: #DB, a fault, where an execution breakpoint is and RF is clear. False: pending.
 * Behind MOV SS and POP SS they are suppressed as if RF were set (SDM 3B 18.3.1.1): what those have deferred would else come on top,
 * at the first instruction of the handler.
 */
export function executionBreakpoints(): bool {
  if (load<u32>(cpu, CPU_RFLAGS) & FLAG_RF || load<u32>(cpu, CPU_SHADOW) == SHADOW_MOV_SS) return true
  let linear = load<u64>(cpu, CPU_RIP)
  if ((load<u32>(cpu, CPU_MODE) & MODE_SIZE) != MODE_CODE64) {
    linear = (linear + load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE)) & 0xffffffff
  }
  let hits: u32 = 0
  let matching: u32 = 0
  for (let n: u32 = 0; n < 4; n++) {
    if (condition(n) != ON_EXECUTION || load<u64>(cpu + CPU_DR0 + n * 8) != linear) continue
    matching |= 1 << n
    if (enabled(n)) hits |= 1 << n
  }
  if (!hits) return true
  statusSet(matching)
  return raise(EXC_DB, 0, FAULT_DETAIL_NONE, linear)
}

/** What a debug exception does before its handler begins (SDM 3B 18.2.4, 18.4.4): GD and BTF are cleared. */
export function debugExceptionBegins(): void {
  store<u64>(cpu, load<u64>(cpu, CPU_DR7) & ~DR7_GD, CPU_DR7)
  store<u64>(cpu, load<u64>(cpu, CPU_DEBUGCTL) & ~DEBUGCTL_BTF, CPU_DEBUGCTL)
}

/** TF steps from branch to branch (SDM 3B 18.4.4). */
@inline
export function stepsOnBranches(): bool {
  return (load<u64>(cpu, CPU_DEBUGCTL) & DEBUGCTL_BTF) != 0
}

/** Selector and CPL, to tell whether an instruction has changed them. */
export function codeSegmentNow(): u64 {
  const selector = load<u16>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_SELECTOR) as u64
  return (selector << 32) | load<u32>(cpu, CPU_CPL)
}

/**
 * Whether the instruction at offset `rip`, just completed, was a branch that was taken: told by its opcode, since a jump may
 * lead to where it would have gone anyway. (A conditional one that does so counts as not taken.) `codeSegment`, `mode`: codeSegmentNow()
 * and CPU_MODE before it.
 */
export function branchTaken(rip: u64, codeSegment: u64, mode: u32): bool {
  // Another code segment, privilege or size of code
  if (codeSegment != codeSegmentNow() || mode != load<u32>(cpu, CPU_MODE)) return true
  const wide = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  let linear = rip
  if (!wide) linear = (rip + load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE)) & 0xffffffff
  const size16 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE16
  let at: u32 = 0
  let op = codeByte(linear)
  let operand16 = size16
  while (isPrefix(op, wide) && at < 14) {
    if (op == 0x66 && !wide) operand16 = !size16
    op = codeByte(linear + ++at)
  }
  const end = load<u64>(cpu, CPU_RIP)
  switch (op) {
    case 0xc2: // RET, far RET, IRET
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf:
    case 0xe8: // CALL, JMP
    case 0xe9:
    case 0xeb:
    case 0x9a:
    case 0xea:
      return true
    case 0xff: {
      const reg = (codeByte(linear + at + 1) >> 3) & 7
      return reg >= 2 && reg <= 5
    }
    case 0x0f: {
      const second = codeByte(linear + at + 1)
      if (second == 0x05 || second == 0x07 || second == 0x34 || second == 0x35) return true
      if ((second & 0xf0) != 0x80) return false
      return end != offsetIn(rip + at + 2 + (operand16 ? 2 : 4), wide, operand16)
    }
    default:
      // Jcc, LOOPcc, JrCXZ with a displacement of a byte
      if ((op & 0xf0) != 0x70 && (op & 0xfc) != 0xe0) return false
      return end != offsetIn(rip + at + 2, wide, operand16)
  }
}

function offsetIn(rip: u64, wide: bool, size16: bool): u64 {
  return wide ? rip : rip & (size16 ? 0xffff : 0xffffffff)
}

function isPrefix(op: u32, wide: bool): bool {
  if (wide && (op & 0xf0) == 0x40) return true
  return (op & 0xe7) == 0x26 || (op & 0xfc) == 0x64 || (op & 0xfe) == 0xf2 || op == 0xf0
}

/** A byte of an instruction that was just executed: its translations are there. */
function codeByte(linear: u64): u32 {
  const phys = fetchPhysical(linear)
  if (!faultPending()) return <u32>physicalRead8(phys)
  faultClear()
  return 0
}

/** DR6 for a #DB: B0-B3 are cleared and set anew, the others stay until software clears them (SDM 3B 18.2.3). */
export function statusSet(bits: u32): void {
  const old = load<u64>(cpu, CPU_DR6)
  store<u64>(cpu, (old & ~(0xf as u64)) | bits, CPU_DR6)
}
