// Far RET, and what it has in common with IRET: the checks of a return's CS and SS (SDM 3A 5.8.6; SDM 2B RET).

import {
  CPU_CPL,
  CPU_RIP,
  CPU_RSP,
  FAULT_DETAIL_DESCRIPTOR_LONG,
  FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT,
  FAULT_DETAIL_DESCRIPTOR_PRIVILEGE,
  FAULT_DETAIL_DESCRIPTOR_TYPE,
  FAULT_DETAIL_SELECTOR_NULL,
  SEG_CS,
  SEG_SS,
} from '../layout'
import { cpu } from './context'
import {
  ATTRIBUTE_P,
  attributesDpl,
  descriptorAttributes,
  descriptorFetch,
  descriptorSetAccessed,
  isCode,
  isConforming,
  selectorError,
  selectorIsNull,
} from './descriptors'
import { codeOffsetValid, codeSizeValid, realTargetValid, selectorsAreReal, transfer } from './far-transfer'
import { faultPending, raise } from './fault'
import {
  isCode64,
  segmentLoadDescriptor,
  segmentLoadNull,
  segmentSetReal,
  segmentsInvalidateOuter,
  stackSegmentValid,
} from './segments'
import { segmentStackMask, stackMask, stackPeek, stackPointerSet } from './stack'
import { EXC_GP, EXC_NP } from './vectors'

/** RETF and RETF imm16: `release` bytes of parameters are dropped. False: a fault is pending, nothing changed. */
export function farReturn(size: u32, release: u32): bool {
  // Which is read first, and that selectors are words, shows in CR2: as Intel's processors do it.
  const selector = <u32>stackPeek(size, 2)
  const offset = faultPending() ? 0 : stackPeek(0, size)
  if (faultPending()) return false
  if (selectorsAreReal()) {
    if (!realTargetValid(offset)) return false
    segmentSetReal(SEG_CS, selector)
    stackPointerSet(load<u64>(cpu, CPU_RSP) + 2 * size + release, stackMask())
    store<u64>(cpu, offset, CPU_RIP)
    return true
  }
  const code = returnCodeFetch(selector)
  if (faultPending()) return false
  const cpl = load<u32>(cpu, CPU_CPL)
  if ((selector & 3) == cpl) return returnSame(selector, code, offset, 2 * size + release)
  return returnOuter(selector, code, offset, size, release)
}

/** Reads and checks the code segment a RETF or IRET goes back to; its RPL is the new CPL. Ask faultPending(). */
export function returnCodeFetch(selector: u32): u64 {
  if (selectorIsNull(selector)) {
    raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
    return 0
  }
  const raw = descriptorFetch(selector, EXC_GP)
  if (!faultPending()) returnCodeCheck(selector, raw)
  return raw
}

function returnCodeCheck(selector: u32, raw: u64): void {
  const attributes = descriptorAttributes(raw)
  const error = selectorError(selector)
  const rpl = selector & 3
  const dpl = attributesDpl(attributes)
  if (!isCode(attributes)) raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  else if (!codeSizeValid(attributes)) raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_LONG, selector, raw)
  else if (rpl < load<u32>(cpu, CPU_CPL) || (isConforming(attributes) ? dpl > rpl : dpl != rpl)) {
    raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  } else if (!(attributes & ATTRIBUTE_P)) {
    raise(EXC_NP, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
  }
}

function returnSame(selector: u32, code: u64, offset: u64, released: u32): bool {
  if (!codeOffsetValid(code, offset) || !descriptorSetAccessed(selector, code)) return false
  // The stack is released with the width it was read with, whatever code it returns to.
  stackPointerSet(load<u64>(cpu, CPU_RSP) + released, stackMask())
  transfer(selector, code, offset, load<u32>(cpu, CPU_CPL))
  return true
}

function returnOuter(selector: u32, code: u64, offset: u64, size: u32, release: u32): bool {
  const stack = <u32>stackPeek(3 * size + release, 2)
  const pointer = faultPending() ? 0 : stackPeek(2 * size + release, size)
  if (faultPending()) return false
  const raw = returnStackFetch(stack, selector & 3, code)
  if (faultPending() || !codeOffsetValid(code, offset)) return false
  if (!returnAccessed(selector, code, stack, raw)) return false
  returnStackCommit(stack, raw, pointer + release, selector & 3, code)
  transfer(selector, code, offset, selector & 3)
  segmentsInvalidateOuter(selector & 3)
  return true
}

/**
 * Reads and checks the SS a return loads for new privilege `cpl`. A null SS is taken when the return goes to
 * 64-bit code at CPL 0-2 (SDM 3A 6.14.3): 0 without a fault. Ask faultPending().
 */
export function returnStackFetch(selector: u32, cpl: u32, code: u64): u64 {
  if (selectorIsNull(selector)) {
    const allowed = isCode64(descriptorAttributes(code)) && cpl != 3 && (selector & 3) == cpl
    if (!allowed) raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
    return 0
  }
  const raw = descriptorFetch(selector, EXC_GP)
  if (!faultPending()) stackSegmentValid(selector, raw, cpl, EXC_GP)
  return raw
}

/** Sets the accessed bits of a return's CS and SS. False: page fault pending. */
export function returnAccessed(selector: u32, code: u64, stack: u32, raw: u64): bool {
  if (!descriptorSetAccessed(selector, code)) return false
  return selectorIsNull(stack) || descriptorSetAccessed(stack, raw)
}

/** Loads SS and the stack pointer in the width of the code returned to. */
export function returnStackCommit(selector: u32, raw: u64, pointer: u64, cpl: u32, code: u64): void {
  if (selectorIsNull(selector)) segmentLoadNull(SEG_SS, selector, cpl)
  else segmentLoadDescriptor(SEG_SS, selector, raw)
  const mask = isCode64(descriptorAttributes(code))
    ? u64.MAX_VALUE
    : segmentStackMask(descriptorAttributes(raw))
  stackPointerSet(pointer, mask)
}
