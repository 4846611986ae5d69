// LGDT, LIDT, LLDT, LTR, and the instructions that look a descriptor up: LAR, LSL, VERR, VERW (SDM 2A, 2B;
// SDM 3A 2.4, 5.10).

import {
  CLIMB_GDT,
  CLIMB_IDT,
  CLIMB_TSS,
  CPU_CPL,
  CPU_FETCH_FRAME,
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_IDTR_BASE,
  CPU_IDTR_LIMIT,
  CPU_MODE,
  CPU_RFLAGS,
  FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT,
  FAULT_DETAIL_DESCRIPTOR_TYPE,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE64,
  MODE_PROTECTED,
  MODE_SIZE,
  SEG_LDTR,
  SEG_TR,
} from '../layout'
import { climbBefore, milestone } from '../machine/climb'
import { canonicalBase } from '../memory/linear'
import { isRom } from '../memory/physical'
import { cpu } from './context'
import { privileged } from './control-registers'
import {
  ATTRIBUTE_P,
  ATTRIBUTE_S,
  attributesDpl,
  attributesType,
  descriptorAttributes,
  descriptorBase,
  descriptorFetch,
  descriptorFetchUpper,
  descriptorInTable,
  descriptorLimit,
  descriptorLinear,
  descriptorSetBusy,
  isConforming,
  isReadable,
  isWritableData,
  longModeActive,
  selectorError,
  selectorIsNull,
  TYPE_CALL_GATE16,
  TYPE_CALL_GATE32,
  TYPE_LDT,
  TYPE_TASK_GATE,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
  upperDescriptorValid,
} from './descriptors'
import { systemRead64 } from '../memory/linear'
import { faultPending, raise } from './fault'
import { selectorsAreReal } from './far-transfer'
import { FLAG_ZF } from './flags'
import { segmentLoadNull, segmentStore } from './segments'
import { EXC_GP, EXC_NP, EXC_UD } from './vectors'

/** LGDT; the operand is read and cut to the operand size by the executor. False: #GP(0) is pending. */
export function lgdt(base: u64, limit: u32): bool {
  if (!tableBaseValid(base)) return false
  climbBefore(CLIMB_GDT)
  store<u64>(cpu, base, CPU_GDTR_BASE)
  store<u32>(cpu, limit & 0xffff, CPU_GDTR_LIMIT)
  if (!isRom(load<u64>(cpu, CPU_FETCH_FRAME))) milestone(CLIMB_GDT)
  return true
}

/** LIDT, as LGDT. */
export function lidt(base: u64, limit: u32): bool {
  if (!tableBaseValid(base)) return false
  climbBefore(CLIMB_IDT)
  store<u64>(cpu, base, CPU_IDTR_BASE)
  store<u32>(cpu, limit & 0xffff, CPU_IDTR_LIMIT)
  // One without room for a gate keeps exceptions from going anywhere, as loaders do on their way.
  if (load<u32>(cpu, CPU_MODE) & MODE_PROTECTED && limit >= 7) milestone(CLIMB_IDT)
  return true
}

function tableBaseValid(base: u64): bool {
  if (!privileged()) return false
  const long = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  return !long || canonicalBase(base) || raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, base)
}

// ---------------------------------------------------------------------------------------------------------
// LLDT, LTR

/** LLDT: an LDT descriptor of the GDT, or null. False: a fault is pending, LDTR is as it was. */
export function lldt(selector: u32): bool {
  selector &= 0xffff
  if (selectorsAreReal()) return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  if (!privileged()) return false
  if (selectorIsNull(selector)) {
    segmentLoadNull(SEG_LDTR, selector, 0)
    return true
  }
  const raw = systemDescriptorFetch(selector)
  if (faultPending()) return false
  if (attributesType(descriptorAttributes(raw)) != TYPE_LDT) return wrongType(selector, raw)
  if (!presentSystem(selector, raw)) return false
  const base = systemBase(selector, raw)
  if (faultPending()) return false
  segmentStore(SEG_LDTR, selector, base, descriptorLimit(raw), descriptorAttributes(raw))
  return true
}

/** LTR: an available TSS of the GDT, which becomes busy. False: a fault is pending, nothing has changed. */
export function ltr(selector: u32): bool {
  selector &= 0xffff
  if (selectorsAreReal()) return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  if (!privileged()) return false
  if (selectorIsNull(selector)) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
  const raw = systemDescriptorFetch(selector)
  if (faultPending()) return false
  const type = attributesType(descriptorAttributes(raw))
  const available = type == TYPE_TSS32 || (type == TYPE_TSS16 && !longModeActive())
  if (!available) return wrongType(selector, raw)
  if (!presentSystem(selector, raw)) return false
  const base = systemBase(selector, raw)
  if (faultPending() || !descriptorSetBusy(selector, raw)) return false
  climbBefore(CLIMB_TSS)
  milestone(CLIMB_TSS)
  segmentStore(SEG_TR, selector, base, descriptorLimit(raw), descriptorAttributes(raw) | 2)
  return true
}

function wrongType(selector: u32, raw: u64): bool {
  return raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
}

function presentSystem(selector: u32, raw: u64): bool {
  if (descriptorAttributes(raw) & ATTRIBUTE_P) return true
  return raise(EXC_NP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
}

/** The descriptor of an LDT or TSS, which only the GDT may hold: #GP(selector) otherwise. Ask faultPending(). */
function systemDescriptorFetch(selector: u32): u64 {
  if (selector & 4) {
    wrongType(selector, 0)
    return 0
  }
  return descriptorFetch(selector, EXC_GP)
}

/** Base of an LDT or TSS: 64 bits from a 16-byte descriptor in IA-32e mode (SDM 3A 7.2.3). Ask faultPending(). */
function systemBase(selector: u32, raw: u64): u64 {
  const base = descriptorBase(raw)
  if (!longModeActive()) return base
  const upper = descriptorFetchUpper(selector, EXC_GP)
  if (faultPending()) return 0
  if (!upperDescriptorValid(upper)) wrongType(selector, raw)
  const wide = base | (upper << 32)
  if (!canonicalBase(wide)) raise(EXC_GP, selectorError(selector), FAULT_DETAIL_NON_CANONICAL, wide)
  return wide
}

// ---------------------------------------------------------------------------------------------------------
// LAR, LSL, VERR, VERW: ZF says whether the selector could be used

function zeroFlag(value: bool): void {
  const flags = load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_ZF as u64)
  store<u64>(cpu, value ? flags | FLAG_ZF : flags, CPU_RFLAGS)
}

/** The descriptor, 0 when the selector is null, beyond its table, or a page fault is pending. */
function lookUp(selector: u32): u64 {
  if (selectorIsNull(selector) || !descriptorInTable(selector, 8)) return 0
  return systemRead64(descriptorLinear(selector))
}

/** DPL not above CPL and RPL in privilege; conforming code does not ask. */
function reachable(selector: u32, attributes: u32): bool {
  if (isConforming(attributes)) return true
  const dpl = attributesDpl(attributes)
  return dpl >= load<u32>(cpu, CPU_CPL) && dpl >= (selector & 3)
}

/** Which system descriptors LAR and LSL accept: TSSs and LDTs, LAR also call and task gates (SDM 2A LAR, LSL). */
function systemTypeReadable(type: u32, gates: bool): bool {
  if (type == TYPE_LDT || type == TYPE_TSS32 || type == TYPE_TSS32_BUSY) return true
  if (type == TYPE_CALL_GATE32) return gates
  if (longModeActive()) return false
  if (type == TYPE_TSS16 || type == TYPE_TSS16_BUSY) return true
  return gates && (type == TYPE_CALL_GATE16 || type == TYPE_TASK_GATE)
}

function readableDescriptor(selector: u32, attributes: u32, gates: bool): bool {
  if (!(attributes & ATTRIBUTE_S) && !systemTypeReadable(attributesType(attributes), gates)) return false
  return reachable(selector, attributes)
}

/** LAR: the access rights when ZF was set; without ZF the destination stays. False: a fault is pending. */
export function lar(selector: u32): u64 {
  if (selectorsAreReal()) {
    raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
    return 0
  }
  const raw = lookUp(selector)
  if (faultPending()) return 0
  const valid = raw != 0 && readableDescriptor(selector, descriptorAttributes(raw), true)
  zeroFlag(valid)
  // Bits 19:16, the limit's, are undefined by the manual; processors return them.
  return (raw >> 32) & 0xffff00
}

/** LSL: the limit in bytes when ZF was set; without ZF the destination stays. Ask faultPending(). */
export function lsl(selector: u32): u64 {
  if (selectorsAreReal()) {
    raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
    return 0
  }
  const raw = lookUp(selector)
  if (faultPending()) return 0
  zeroFlag(raw != 0 && readableDescriptor(selector, descriptorAttributes(raw), false))
  return descriptorLimit(raw)
}

/** VERR: ZF = the segment can be read from here. A fault (#UD, #PF) may be pending. */
export function verr(selector: u32): void {
  verify(selector, false)
}

/** VERW: ZF = the segment can be written from here. */
export function verw(selector: u32): void {
  verify(selector, true)
}

function verify(selector: u32, write: bool): void {
  if (selectorsAreReal()) {
    raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
    return
  }
  const raw = lookUp(selector)
  if (faultPending()) return
  const attributes = descriptorAttributes(raw)
  const usable = write ? isWritableData(attributes) : isReadable(attributes)
  zeroFlag(usable && reachable(selector, attributes))
}
