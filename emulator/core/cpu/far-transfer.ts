// Far JMP and CALL: real mode, code segments, call gates of 16, 32 and 64 bits (SDM 3A 5.8.1-5.8.5;
// SDM 2A CALL, JMP). Task switches are in task.ts.

import {
  CPU_CPL,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  FAULT_DETAIL_DESCRIPTOR_LONG,
  FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT,
  FAULT_DETAIL_DESCRIPTOR_PRIVILEGE,
  FAULT_DETAIL_DESCRIPTOR_TYPE,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_TARGET_LIMIT,
  MODE_PROTECTED,
  MODE_V86,
  SEG_CS,
  SEG_SS,
} from '../layout'
import { canonical } from '../memory/linear'
import { cpu } from './context'
import {
  ATTRIBUTE_DB,
  ATTRIBUTE_L,
  ATTRIBUTE_P,
  ATTRIBUTE_S,
  attributesDpl,
  attributesType,
  descriptorAttributes,
  descriptorFetch,
  descriptorFetchUpper,
  descriptorLimit,
  descriptorSetAccessed,
  isCode,
  isConforming,
  longModeActive,
  selectorError,
  selectorIsNull,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS32,
  upperDescriptorValid,
} from './descriptors'
import { faultPending, raise } from './fault'
import {
  codeSegmentCommit,
  isCode64,
  segmentLimit,
  segmentLoadDescriptor,
  segmentLoadNull,
  segmentSelector,
  segmentSetReal,
} from './segments'
import {
  frameClose,
  frameOpen64,
  frameOpenCurrent,
  frameOpenDescriptor,
  framePush,
  framePushAbandoned,
  innerDescriptor,
  innerSelector,
  innerStackLoad,
  innerTop,
  stackPeek,
  tssStackPointer,
} from './stack'
import { TASK_CALL, TASK_JUMP, taskSwitch, taskThroughGate } from './task'
import { EXC_GP, EXC_NP } from './vectors'

export { farReturn } from './far-return'

/** Real and virtual-8086 mode: selectors are paragraph numbers. */
export function selectorsAreReal(): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  return !(mode & MODE_PROTECTED) || (mode & MODE_V86) != 0
}

/**
 * JMP ptr16:16/32, JMP m16:16/32/64. `size` is the operand size in bytes. False: a fault is pending, nothing has
 * changed.
 */
export function farJump(selector: u32, offset: u64, size: u32): bool {
  selector &= 0xffff
  offset = truncate(offset, size)
  if (selectorsAreReal()) {
    if (!realTargetValid(offset)) return false
    segmentSetReal(SEG_CS, selector)
    store<u64>(cpu, offset, CPU_RIP)
    return true
  }
  if (selectorIsNull(selector)) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
  const raw = descriptorFetch(selector, EXC_GP)
  if (faultPending()) return false
  if (!(descriptorAttributes(raw) & ATTRIBUTE_S)) return systemTarget(selector, raw, false)
  if (!directTargetValid(selector, raw)) return false
  if (!codeOffsetValid(raw, offset)) return false
  if (!descriptorSetAccessed(selector, raw)) return false
  transfer(selector, raw, offset, load<u32>(cpu, CPU_CPL))
  return true
}

/** CALL ptr16:16/32, CALL m16:16/32/64; the return address is CPU_RIP. As farJump. */
export function farCall(selector: u32, offset: u64, size: u32): bool {
  selector &= 0xffff
  offset = truncate(offset, size)
  if (selectorsAreReal()) {
    if (!frameOpenCurrent(2, size) || !realTargetValid(offset)) return false
    pushReturnAddress(size)
    frameClose()
    segmentSetReal(SEG_CS, selector)
    store<u64>(cpu, offset, CPU_RIP)
    return true
  }
  if (selectorIsNull(selector)) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
  const raw = descriptorFetch(selector, EXC_GP)
  if (faultPending()) return false
  if (!(descriptorAttributes(raw) & ATTRIBUTE_S)) return systemTarget(selector, raw, true)
  if (!directTargetValid(selector, raw)) return false
  if (!frameOpenCurrent(2, size)) {
    framePushAbandoned(segmentSelector(SEG_CS), size)
    return false
  }
  if (!codeOffsetValid(raw, offset) || !descriptorSetAccessed(selector, raw)) return false
  pushReturnAddress(size)
  frameClose()
  transfer(selector, raw, offset, load<u32>(cpu, CPU_CPL))
  return true
}

function truncate(offset: u64, size: u32): u64 {
  if (size == 2) return offset & 0xffff
  return size == 4 ? offset & 0xffffffff : offset
}

/** Real-mode far transfers check the offset against CS's limit as it is (SDM 2A JMP). */
export function realTargetValid(offset: u64): bool {
  const limit = segmentLimit(SEG_CS)
  return offset <= limit || raise(EXC_GP, 0, FAULT_DETAIL_TARGET_LIMIT, offset, limit)
}

function pushReturnAddress(size: u32): void {
  framePush(segmentSelector(SEG_CS), size)
  framePush(load<u64>(cpu, CPU_RIP), size)
}

/**
 * The offset in the target code segment, checked: canonical in 64-bit code, else within the limit. #GP(0). A return or jump
 * of 64 bits to another code segment goes by the lower 32, as on Intel's processors.
 */
export function codeOffsetValid(raw: u64, offset: u64): bool {
  if (isCode64(descriptorAttributes(raw))) {
    return canonical(offset) || raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, offset)
  }
  const limit = descriptorLimit(raw)
  return (offset & 0xffffffff) <= limit || raise(EXC_GP, 0, FAULT_DETAIL_TARGET_LIMIT, offset, limit)
}

/** Goes to a checked target at privilege `cpl`. */
export function transfer(selector: u32, raw: u64, offset: u64, cpl: u32): void {
  codeSegmentCommit(selector, raw, cpl)
  store<u64>(cpu, isCode64(descriptorAttributes(raw)) ? offset : offset & 0xffffffff, CPU_RIP)
}

/** L and D both set is reserved in IA-32e mode (SDM 3A 5.2.1). */
export function codeSizeValid(attributes: u32): bool {
  const both = ATTRIBUTE_L | ATTRIBUTE_DB
  return !longModeActive() || (attributes & both) != both
}

/** The checks of a JMP or CALL straight to a code segment (SDM 3A 5.8.1). */
function directTargetValid(selector: u32, raw: u64): bool {
  const attributes = descriptorAttributes(raw)
  const error = selectorError(selector)
  if (!isCode(attributes)) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  if (!codeSizeValid(attributes)) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_LONG, selector, raw)
  const cpl = load<u32>(cpu, CPU_CPL)
  const dpl = attributesDpl(attributes)
  const allowed = isConforming(attributes) ? dpl <= cpl : dpl == cpl && (selector & 3) <= cpl
  if (!allowed) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  if (attributes & ATTRIBUTE_P) return true
  return raise(EXC_NP, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
}

/** JMP or CALL to a gate or TSS. */
function systemTarget(selector: u32, raw: u64, call: bool): bool {
  const type = attributesType(descriptorAttributes(raw))
  if (longModeActive()) {
    if (type == TYPE_CALL_GATE32) return throughGate(selector, raw, call)
  } else if (type == TYPE_CALL_GATE16 || type == TYPE_CALL_GATE32) {
    return throughGate(selector, raw, call)
  } else if (type == TYPE_TASK_GATE || type == TYPE_TSS16 || type == TYPE_TSS32) {
    return toTask(selector, raw, call)
  }
  return raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
}

/** JMP or CALL to a TSS or task gate (SDM 3A 8.3). A TSS must lie in the GDT. */
function toTask(selector: u32, raw: u64, call: bool): bool {
  if (!gateUsable(selector, raw)) return false
  const source = call ? TASK_CALL : TASK_JUMP
  const rip = load<u64>(cpu, CPU_RIP)
  const flags = load<u64>(cpu, CPU_RFLAGS)
  if (attributesType(descriptorAttributes(raw)) == TYPE_TASK_GATE)
    return taskThroughGate(raw, source, false, 0, rip, flags)
  if (selector & 4) return raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  return taskSwitch(selector, raw, source, rip, flags)
}

/** Gate or TSS: DPL not above CPL and RPL in privilege, present. */
function gateUsable(selector: u32, raw: u64): bool {
  const attributes = descriptorAttributes(raw)
  const dpl = attributesDpl(attributes)
  const error = selectorError(selector)
  if (dpl < load<u32>(cpu, CPU_CPL) || dpl < (selector & 3)) {
    return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  }
  if (attributes & ATTRIBUTE_P) return true
  return raise(EXC_NP, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
}

/** JMP or CALL through a call gate (SDM 3A 5.8.4). */
function throughGate(selector: u32, gate: u64, call: bool): bool {
  if (!gateUsable(selector, gate)) return false
  const long = longModeActive()
  let offset = gate & 0xffff
  if (attributesType(descriptorAttributes(gate)) == TYPE_CALL_GATE32) offset |= (gate >> 32) & 0xffff0000
  if (long) {
    const upper = descriptorFetchUpper(selector, EXC_GP)
    if (faultPending()) return false
    if (!upperDescriptorValid(upper)) {
      return raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector, gate)
    }
    offset |= upper << 32
  }
  const target = <u32>(gate >> 16) & 0xffff
  if (selectorIsNull(target)) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, target)
  const code = descriptorFetch(target, EXC_GP)
  if (faultPending()) return false
  if (!gateTargetValid(target, code, call)) return false
  const attributes = descriptorAttributes(code)
  const cpl = load<u32>(cpu, CPU_CPL)
  if (!call) {
    if (!codeOffsetValid(code, offset) || !descriptorSetAccessed(target, code)) return false
    transfer(target, code, offset, cpl)
    return true
  }
  const inner = !isConforming(attributes) && attributesDpl(attributes) < cpl
  if (long) return inner ? callInner64(target, code, offset) : callSame64(target, code, offset)
  return inner ? callInner(gate, target, code, offset) : callSame(gate, target, code, offset)
}

/** The code segment a call gate names. */
function gateTargetValid(target: u32, code: u64, call: bool): bool {
  const attributes = descriptorAttributes(code)
  const error = selectorError(target)
  if (!isCode(attributes)) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_TYPE, target, code)
  const cpl = load<u32>(cpu, CPU_CPL)
  const dpl = attributesDpl(attributes)
  // A JMP may not raise the privilege: a nonconforming target has to be at CPL exactly.
  const allowed = call || isConforming(attributes) ? dpl <= cpl : dpl == cpl
  if (!allowed) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, target, code)
  if (longModeActive() && (attributes & (ATTRIBUTE_L | ATTRIBUTE_DB)) != ATTRIBUTE_L) {
    return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_LONG, target, code)
  }
  if (attributes & ATTRIBUTE_P) return true
  return raise(EXC_NP, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, target, code)
}

function gateSize(gate: u64): u32 {
  return attributesType(descriptorAttributes(gate)) == TYPE_CALL_GATE32 ? 4 : 2
}

function callSame(gate: u64, target: u32, code: u64, offset: u64): bool {
  const size = gateSize(gate)
  if (!frameOpenCurrent(2, size) || !codeOffsetValid(code, offset)) return false
  if (!descriptorSetAccessed(target, code)) return false
  pushReturnAddress(size)
  frameClose()
  transfer(target, code, offset, load<u32>(cpu, CPU_CPL))
  return true
}

/** Call to an inner level: its stack from the TSS, the parameters copied from the caller's (SDM 3A 5.8.5). */
function callInner(gate: u64, target: u32, code: u64, offset: u64): bool {
  const size = gateSize(gate)
  const parameters = <u32>(gate >> 32) & 31
  const dpl = attributesDpl(descriptorAttributes(code))
  if (!innerStackLoad(dpl)) return false
  const error = selectorError(innerSelector)
  if (!frameOpenDescriptor(innerDescriptor, innerTop, 4 + parameters, size, error)) return false
  if (!codeOffsetValid(code, offset) || !parametersReadable(parameters, size)) return false
  if (!descriptorSetAccessed(innerSelector, innerDescriptor) || !descriptorSetAccessed(target, code))
    return false
  framePush(segmentSelector(SEG_SS), size)
  framePush(load<u64>(cpu, CPU_RSP), size)
  for (let n = parameters; n > 0; n--) framePush(stackPeek((n - 1) * size, size), size)
  pushReturnAddress(size)
  segmentLoadDescriptor(SEG_SS, innerSelector, innerDescriptor)
  frameClose()
  transfer(target, code, offset, dpl)
  return true
}

function parametersReadable(count: u32, size: u32): bool {
  for (let n: u32 = 0; n < count; n++) {
    stackPeek(n * size, size)
    if (faultPending()) return false
  }
  return true
}

function callSame64(target: u32, code: u64, offset: u64): bool {
  const cpl = load<u32>(cpu, CPU_CPL)
  if (!frameOpen64(load<u64>(cpu, CPU_RSP), 2, cpl == 3) || !codeOffsetValid(code, offset)) return false
  if (!descriptorSetAccessed(target, code)) return false
  pushReturnAddress(8)
  frameClose()
  transfer(target, code, offset, cpl)
  return true
}

/** 64-bit call gate to an inner level: RSPn, a null SS, no parameters (SDM 3A 5.8.5.1). */
function callInner64(target: u32, code: u64, offset: u64): bool {
  const dpl = attributesDpl(descriptorAttributes(code))
  const top = tssStackPointer(dpl)
  if (faultPending()) return false
  if (!frameOpen64(top, 4, false) || !codeOffsetValid(code, offset)) return false
  if (!descriptorSetAccessed(target, code)) return false
  framePush(segmentSelector(SEG_SS), 8)
  framePush(load<u64>(cpu, CPU_RSP), 8)
  pushReturnAddress(8)
  segmentLoadNull(SEG_SS, dpl, dpl)
  frameClose()
  transfer(target, code, offset, dpl)
  return true
}
