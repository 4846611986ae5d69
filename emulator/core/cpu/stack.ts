// The stack as far transfers and interrupts use it: frames that are checked whole before the first byte is
// written (so that a fault leaves everything as it was, but for what a far CALL has pushed), and the stacks of inner privilege levels that the TSS
// names (SDM 3A 5.8.5, 6.12.1, 6.14.2, 7.7).

import {
  CPU_CPL,
  CPU_FAULT,
  CPU_MODE,
  CPU_RSP,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_STACK,
  FAULT_DETAIL_TSS,
  MODE_CODE64,
  MODE_SIZE,
  MODE_STACK32,
  SEG_SS,
  SEG_TR,
} from '../layout'
import {
  canonical,
  checkAligned,
  linearProbeWrite,
  linearRead16,
  linearRead32,
  linearRead64,
  linearWrite16,
  linearWrite32,
  linearWrite64,
  systemRead16,
  systemRead32,
  systemRead64,
} from '../memory/linear'
import { cpu } from './context'
import {
  ATTRIBUTE_CONFORMING,
  ATTRIBUTE_DB,
  descriptorAttributes,
  descriptorBase,
  descriptorFetch,
  descriptorLimit,
  selectorError,
  selectorIsNull,
  tableLinear,
} from './descriptors'
import { faultClear, faultPending, raise } from './fault'
import { segmentAttributes, segmentBase, segmentLimit, segmentSelector, stackSegmentValid } from './segments'
import { EXC_SS, EXC_TS } from './vectors'

const MASK16: u64 = 0xffff
const MASK32: u64 = 0xffffffff
const MASK64: u64 = 0xffffffffffffffff
const PAGE_MASK: u64 = ~(0xfff as u64)

/** The bits of RSP the current stack uses. */
export function stackMask(): u64 {
  const mode = load<u32>(cpu, CPU_MODE)
  if ((mode & MODE_SIZE) == MODE_CODE64) return MASK64
  return mode & MODE_STACK32 ? MASK32 : MASK16
}

/** Stack-pointer bits of a 16- or 32-bit stack segment. */
export function segmentStackMask(attributes: u32): u64 {
  return attributes & ATTRIBUTE_DB ? MASK32 : MASK16
}

/** Sets SP, ESP or RSP; a 16-bit stack leaves the bits above. */
export function stackPointerSet(value: u64, mask: u64): void {
  if (mask == MASK16) store<u16>(cpu, <u16>value, CPU_RSP)
  else store<u64>(cpu, value & mask, CPU_RSP)
}

/** True when bytes `start` .. `end` of a stack segment may be used (SDM 3A 5.3). */
function withinLimit(start: u64, end: u64, limit: u32, attributes: u32): bool {
  if (!(attributes & ATTRIBUTE_CONFORMING)) return end <= limit
  return start > limit && end <= segmentStackMask(attributes)
}

// ---------------------------------------------------------------------------------------------------------
// Reading what lies on the current stack

/** The value `displacement` bytes above the stack pointer. #SS(0) beyond the limit, #PF; ask faultPending(). */
export function stackPeek(displacement: u32, size: u32): u64 {
  return stackPeekAt(load<u64>(cpu, CPU_RSP) + displacement, size)
}

function stackPeekAt(pointer: u64, size: u32): u64 {
  const mask = stackMask()
  const offset = pointer & mask
  const user = load<u32>(cpu, CPU_CPL) == 3
  if (mask == MASK64) {
    if (!canonical(offset) || !canonical(offset + size - 1)) {
      raise(EXC_SS, 0, FAULT_DETAIL_NON_CANONICAL, offset)
      return 0
    }
    return readBySize(offset, size, user)
  }
  const limit = segmentLimit(SEG_SS)
  if (!withinLimit(offset, offset + size - 1, limit, segmentAttributes(SEG_SS))) {
    raise(EXC_SS, 0, FAULT_DETAIL_STACK, offset, limit)
    return 0
  }
  return readBySize((segmentBase(SEG_SS) + offset) & MASK32, size, user)
}

function readBySize(linear: u64, size: u32, user: bool): u64 {
  if (size == 2) return linearRead16(linear, user)
  if (size == 4) return linearRead32(linear, user)
  return linearRead64(linear, user)
}

// ---------------------------------------------------------------------------------------------------------
// Writing a frame: frameOpen* checks room for it, framePush writes, frameClose sets the stack pointer.
// These globals are scratch between frameOpen and frameClose of one instruction; they are no state.

let frameBase: u64 = 0
let frameMask: u64 = 0
let frameTop: u64 = 0
let frameOffset: u64 = 0
let frameUser: bool = false
/** Values of the frame that can be written, when opening it failed at a later one. */
let frameProbed: u32 = 0

/** A frame of `slots` values of `size` bytes on the current stack. #SS(0), #PF. */
export function frameOpenCurrent(slots: u32, size: u32): bool {
  frameProbed = 0
  const mask = stackMask()
  const user = load<u32>(cpu, CPU_CPL) == 3
  const top = load<u64>(cpu, CPU_RSP)
  if (mask == MASK64) return frameOpenWide(top, slots, size, user)
  return frameOpen(
    segmentBase(SEG_SS),
    segmentLimit(SEG_SS),
    segmentAttributes(SEG_SS),
    top,
    slots,
    size,
    user,
    0,
  )
}

/** A frame of `slots` quadwords below `top` on a 64-bit stack. #SS(0) when not canonical, #PF. */
export function frameOpen64(top: u64, slots: u32, user: bool): bool {
  return frameOpenWide(top, slots, 8, user)
}

function frameOpenWide(top: u64, slots: u32, size: u32, user: bool): bool {
  const bytes = slots * size
  const start = top - bytes
  if (!canonical(start) || !canonical(top - 1)) {
    return raise(EXC_SS, 0, FAULT_DETAIL_NON_CANONICAL, start)
  }
  frameBegin(0, MASK64, top, user)
  return probeSlots(top, slots, size)
}

/** A frame on the stack whose descriptor is `raw`, with supervisor rights; `error` is #SS's error code. */
export function frameOpenDescriptor(raw: u64, top: u64, slots: u32, size: u32, error: u32): bool {
  const attributes = descriptorAttributes(raw)
  return frameOpen(descriptorBase(raw), descriptorLimit(raw), attributes, top, slots, size, false, error)
}

function frameOpen(
  base: u64,
  limit: u32,
  attributes: u32,
  top: u64,
  slots: u32,
  size: u32,
  user: bool,
  error: u32,
): bool {
  const mask = segmentStackMask(attributes)
  const bytes: u64 = slots * size
  const start = (top - bytes) & mask
  frameBegin(base, mask, top & MASK32, user)
  if (start + bytes - 1 <= mask) {
    if (!roomAt(start, <u32>bytes, limit, attributes, error)) return false
  } else {
    // The stack pointer wraps inside the frame; each value is an access of its own.
    for (let slot: u32 = 1; slot <= slots; slot++) {
      if (!roomAt((top - slot * size) & mask, size, limit, attributes, error)) return false
    }
  }
  return probeSlots(top, slots, size)
}

function frameBegin(base: u64, mask: u64, top: u64, user: bool): void {
  frameBase = base
  frameMask = mask
  frameTop = top
  frameOffset = top & mask
  frameUser = user
}

function roomAt(start: u64, bytes: u32, limit: u32, attributes: u32, error: u32): bool {
  if (withinLimit(start, start + bytes - 1, limit, attributes)) return true
  return raise(EXC_SS, error, FAULT_DETAIL_STACK, start, limit)
}

/** Whether the values of the frame can be written (and are aligned, where that is checked), in the order of the pushes: CR2 is that of the first that cannot. */
function probeSlots(top: u64, slots: u32, size: u32): bool {
  let page: u64 = MASK64
  frameProbed = 0
  for (let slot: u32 = 1; slot <= slots; slot++, frameProbed++) {
    const linear = frameLinear((top - slot * size) & frameMask)
    if (!checkAligned(linear, size, frameUser)) return false
    if ((linear & PAGE_MASK) == page) continue
    if (!linearProbeWrite(linear, size, frameUser)) return false
    page = linear & PAGE_MASK
  }
  return true
}

/**
 * After an open that failed: writes `value` where the first push goes, if it was a later one that raised the fault. What a far CALL
 * has pushed before the page fault stays, without having moved the stack pointer.
 */
export function framePushAbandoned(value: u64, size: u32): void {
  if (!frameProbed) return
  const fault = load<u32>(cpu, CPU_FAULT)
  faultClear()
  framePush(value, size)
  store<u32>(cpu, fault, CPU_FAULT)
}

function frameLinear(offset: u64): u64 {
  const linear = frameBase + offset
  return frameMask == MASK64 ? linear : linear & MASK32
}

/** Writes the next value of the open frame. Cannot fault: the frame was probed. */
export function framePush(value: u64, size: u32): void {
  frameOffset = (frameOffset - size) & frameMask
  const linear = frameLinear(frameOffset)
  if (size == 2) linearWrite16(linear, <u16>value, frameUser)
  else if (size == 4) linearWrite32(linear, <u32>value, frameUser)
  else linearWrite64(linear, value, frameUser)
}

/** Makes the frame's end the stack pointer. */
export function frameClose(): void {
  store<u64>(cpu, (frameTop & ~frameMask) | frameOffset, CPU_RSP)
}

// ---------------------------------------------------------------------------------------------------------
// The stacks of inner privilege levels. Scratch results, valid until the instruction ends:

export let innerSelector: u32 = 0
export let innerDescriptor: u64 = 0
export let innerTop: u64 = 0

/**
 * SS and (E)SP for privilege level `cpl` from a 16- or 32-bit TSS, with all checks of SS (SDM 3A 6.12.1, 5.8.5).
 * #TS with the TSS's selector when the TSS is too small, else with the stack's; #SS when it is not present.
 */
export function innerStackLoad(cpl: u32): bool {
  const base = segmentBase(SEG_TR)
  if (segmentAttributes(SEG_TR) & 8) {
    const field = cpl * 8 + 4
    if (!withinTss(field, field + 5)) return false
    innerTop = systemRead32(tableLinear(base, field))
    innerSelector = systemRead16(tableLinear(base, field + 4))
  } else {
    const field = cpl * 4 + 2
    if (!withinTss(field, field + 3)) return false
    innerTop = systemRead16(tableLinear(base, field))
    innerSelector = systemRead16(tableLinear(base, field + 2))
  }
  if (faultPending()) return false
  if (selectorIsNull(innerSelector)) {
    return raise(EXC_TS, selectorError(innerSelector), FAULT_DETAIL_SELECTOR_NULL, innerSelector)
  }
  innerDescriptor = descriptorFetch(innerSelector, EXC_TS)
  if (faultPending()) return false
  return stackSegmentValid(innerSelector, innerDescriptor, cpl, EXC_TS)
}

/** RSPn of a 64-bit TSS (SDM 3A 7.7). Ask faultPending(). */
export function tssStackPointer(cpl: u32): u64 {
  return tssRead64(cpl * 8 + 4)
}

/** ISTn of a 64-bit TSS, n = 1..7. Ask faultPending(). */
export function tssInterruptStack(ist: u32): u64 {
  return tssRead64(ist * 8 + 28)
}

function tssRead64(field: u32): u64 {
  if (!withinTss(field, field + 7)) return 0
  return systemRead64(tableLinear(segmentBase(SEG_TR), field))
}

function withinTss(field: u32, last: u32): bool {
  const limit = segmentLimit(SEG_TR)
  if (last <= limit) return true
  return raise(EXC_TS, selectorError(segmentSelector(SEG_TR)), FAULT_DETAIL_TSS, field, limit)
}
