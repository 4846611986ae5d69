// Breakpoints of the debug registers (SDM 3B 18.2, 18.3). While DR7 enables one, the run loop goes instruction by
// instruction and the pages it lies in have no fast translation, so nobody else pays for it.

import {
  CPU_CR4,
  CPU_DEBUG_PENDING,
  CPU_DR0,
  CPU_DR6,
  CPU_DR7,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEGMENTS,
  FAULT_DETAIL_NONE,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEGMENT_BASE,
  SEGMENT_SIZE,
} from '../layout'
import { cpu } from './context'
import { raise } from './fault'
import { FLAG_RF } from './flags'
import { EXC_DB } from './vectors'

export const DR6_BD: u32 = 0x2000
export const DR6_BS: u32 = 0x4000
export const DR6_BT: u32 = 0x8000
/** L0, G0 .. L3, G3. */
const DR7_ENABLES: u32 = 0xff
const CR4_DE: u32 = 8

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

/** Before the instruction at CPU_RIP: #DB, a fault, where an execution breakpoint is and RF is clear. False: pending. */
export function executionBreakpoints(): bool {
  if (load<u32>(cpu, CPU_RFLAGS) & FLAG_RF) return true
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

/** DR6 for a #DB: B0-B3 are cleared and set anew, the others stay until software clears them (SDM 3B 18.2.3). */
export function statusSet(bits: u32): void {
  const old = load<u64>(cpu, CPU_DR6)
  store<u64>(cpu, (old & ~(0xf as u64)) | bits, CPU_DR6)
}
