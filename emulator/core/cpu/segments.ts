// Segment registers: their hidden parts, and loading the data segment registers (SDM 3A 3.4.3, 5.5-5.7;
// SDM 2B MOV, POP). CS is loaded by far transfers only.

import {
  CLIMB_CODE32,
  CLIMB_CODE64,
  CLIMB_RING3,
  CPU_CPL,
  CPU_MODE,
  CPU_SEGMENTS,
  CPU_SHADOW,
  FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT,
  FAULT_DETAIL_DESCRIPTOR_PRIVILEGE,
  FAULT_DETAIL_DESCRIPTOR_TYPE,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE32,
  MODE_CODE64,
  MODE_LONG,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_V86,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_READ_LIMIT,
  SEGMENT_SELECTOR,
  SEGMENT_SIZE,
  SEGMENT_UNUSABLE,
  SEGMENT_WRITE_LIMIT,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../layout'
import { climbCodeBefore, milestone } from '../machine/climb'
import { cpu } from './context'
import {
  ATTRIBUTE_ACCESSED,
  ATTRIBUTE_CODE,
  ATTRIBUTE_CONFORMING,
  ATTRIBUTE_DB,
  ATTRIBUTE_G,
  ATTRIBUTE_L,
  ATTRIBUTE_P,
  ATTRIBUTE_READ_WRITE,
  ATTRIBUTE_S,
  attributesDpl,
  descriptorAttributes,
  descriptorBase,
  descriptorFetch,
  descriptorLimit,
  descriptorSetAccessed,
  isConforming,
  isReadable,
  isWritableData,
  selectorError,
  selectorIsNull,
} from './descriptors'
import { faultPending, raise } from './fault'
import { cplSet, modeFlatRefresh, modeRefresh } from './mode'
import { EXC_GP, EXC_NP, EXC_SS, EXC_UD } from './vectors'

/** CPU_SHADOW after MOV SS and POP SS: debug exceptions wait as well (SDM 3A 6.8.3). */
export const SHADOW_MOV_SS: u32 = 2

/** Present, writable, accessed, expand-up data: what real mode and reset give a segment. */
const REAL_MODE_DATA: u32 = ATTRIBUTE_P | ATTRIBUTE_S | ATTRIBUTE_READ_WRITE | ATTRIBUTE_ACCESSED

@inline
export function segmentPointer(segment: u32): usize {
  return cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE
}

@inline
export function segmentSelector(segment: u32): u32 {
  return load<u16>(segmentPointer(segment), SEGMENT_SELECTOR)
}

@inline
export function segmentBase(segment: u32): u64 {
  return load<u64>(segmentPointer(segment), SEGMENT_BASE)
}

@inline
export function segmentLimit(segment: u32): u32 {
  return load<u32>(segmentPointer(segment), SEGMENT_LIMIT)
}

@inline
export function segmentAttributes(segment: u32): u32 {
  return load<u16>(segmentPointer(segment), SEGMENT_ATTRIBUTES)
}

/** Replaces a segment register whole. */
export function segmentStore(segment: u32, selector: u32, base: u64, limit: u32, attributes: u32): void {
  const pointer = segmentPointer(segment)
  store<u64>(pointer, base, SEGMENT_BASE)
  store<u32>(pointer, limit, SEGMENT_LIMIT)
  store<u16>(pointer, <u16>selector, SEGMENT_SELECTOR)
  store<u16>(pointer, <u16>attributes, SEGMENT_ATTRIBUTES)
  segmentRefresh(segment)
}

/** Recomputes SEGMENT_READ_LIMIT and SEGMENT_WRITE_LIMIT after the hidden part or CR0.PE changed. */
export function segmentRefresh(segment: u32): void {
  const pointer = segmentPointer(segment)
  const attributes = <u32>load<u16>(pointer, SEGMENT_ATTRIBUTES)
  const limit = <i64>load<u32>(pointer, SEGMENT_LIMIT)
  let read: i64 = limit
  let write: i64 = limit
  if (attributes & SEGMENT_UNUSABLE || (attributes & 0x90) != 0x90) {
    read = -1
    write = -1
  } else if (attributes & ATTRIBUTE_CODE) {
    if (!(attributes & ATTRIBUTE_READ_WRITE)) read = -1
    write = -1
  } else if (attributes & ATTRIBUTE_CONFORMING) {
    read = -1
    write = -1
  } else if (!(attributes & ATTRIBUTE_READ_WRITE)) {
    write = -1
  }
  store<i64>(pointer, read, SEGMENT_READ_LIMIT)
  store<i64>(pointer, write, SEGMENT_WRITE_LIMIT)
  modeFlatRefresh()
}

/** Loads a segment register from a code or data descriptor whose checks are done. */
export function segmentLoadDescriptor(segment: u32, selector: u32, raw: u64): void {
  segmentStore(
    segment,
    selector,
    descriptorBase(raw),
    descriptorLimit(raw),
    descriptorAttributes(raw) | ATTRIBUTE_ACCESSED,
  )
}

/** Loads a null selector; `dpl` is what SS keeps as the stack's privilege in 64-bit mode. */
export function segmentLoadNull(segment: u32, selector: u32, dpl: u32): void {
  segmentStore(segment, selector, 0, 0, SEGMENT_UNUSABLE | (dpl << 5))
}

/**
 * Loads a segment register the way real and virtual-8086 mode do: base = selector * 16. Real mode keeps limit and
 * rights (a limit of 4 GiB set in protected mode stays: "unreal mode"), except that CS becomes writable data, as
 * real-mode code may write through it. V86 mode sets 64 KiB, DPL 3 (SDM 3B 20.2).
 */
export function segmentSetReal(segment: u32, selector: u32): void {
  let limit = segmentLimit(segment)
  let attributes = segmentAttributes(segment)
  if (load<u32>(cpu, CPU_MODE) & MODE_V86) {
    limit = 0xffff
    attributes = REAL_MODE_DATA | (3 << 5)
  } else if (attributes & SEGMENT_UNUSABLE) {
    limit = 0xffff
    attributes = REAL_MODE_DATA
  } else if (segment == SEG_CS) {
    attributes = (attributes & (ATTRIBUTE_DB | ATTRIBUTE_G)) | REAL_MODE_DATA
  }
  segmentStore(segment, selector & 0xffff, (<u64>(selector & 0xffff)) << 4, limit, attributes)
}

/** CS as it behaves once CR0.PE is clear: whatever it was, real mode may execute, read and write it. */
export function segmentCodeToReal(): void {
  const attributes = (segmentAttributes(SEG_CS) & (ATTRIBUTE_DB | ATTRIBUTE_G)) | REAL_MODE_DATA
  segmentStore(SEG_CS, segmentSelector(SEG_CS), segmentBase(SEG_CS), segmentLimit(SEG_CS), attributes)
}

/**
 * Puts a checked code descriptor into CS with RPL = `cpl`, makes `cpl` current and recomputes the mode.
 * The last step of every far transfer that has not failed.
 */
export function codeSegmentCommit(selector: u32, raw: u64, cpl: u32): void {
  const before = load<u32>(cpu, CPU_CPL)
  climbCodeBefore(raw, cpl)
  segmentLoadDescriptor(SEG_CS, (selector & 0xfffc) | cpl, raw)
  cplSet(cpl)
  modeRefresh()
  const size = load<u32>(cpu, CPU_MODE) & MODE_SIZE
  if (size == MODE_CODE64) milestone(CLIMB_CODE64)
  else if (size == MODE_CODE32) milestone(CLIMB_CODE32)
  if (cpl == 3 && before != 3) milestone(CLIMB_RING3)
}

/** Code segment of IA-32e mode's 64-bit sub-mode. */
export function isCode64(attributes: u32): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_LONG) != 0 && (attributes & ATTRIBUTE_L) != 0
}

/**
 * MOV Sreg, POP Sreg, LxS and the like for ES, SS, DS, FS, GS. SS also inhibits interrupts for one instruction
 * (SDM 3A 6.8.3). False: a fault is pending and the register is as it was. CS: #UD.
 */
export function loadSegment(segment: u32, selector: u32): bool {
  selector &= 0xffff
  if (segment == SEG_CS || segment > <u32>SEG_GS) return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  const mode = load<u32>(cpu, CPU_MODE)
  if (!(mode & MODE_PROTECTED) || mode & MODE_V86) segmentSetReal(segment, selector)
  else if (segment == SEG_SS) {
    if (!loadStackSegment(selector)) return false
  } else if (!loadDataSegment(segment, selector)) return false
  if (segment == SEG_SS) {
    store<u32>(cpu, SHADOW_MOV_SS, CPU_SHADOW)
    modeRefresh()
  }
  return true
}

function loadDataSegment(segment: u32, selector: u32): bool {
  if (selectorIsNull(selector)) {
    segmentLoadNull(segment, selector, 0)
    return true
  }
  const raw = descriptorFetch(selector, EXC_GP)
  if (faultPending()) return false
  const error = selectorError(selector)
  const attributes = descriptorAttributes(raw)
  if (!isReadable(attributes)) return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  const dpl = attributesDpl(attributes)
  if (!isConforming(attributes) && ((selector & 3) > dpl || load<u32>(cpu, CPU_CPL) > dpl)) {
    return raise(EXC_GP, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  }
  if (!(attributes & ATTRIBUTE_P)) {
    return raise(EXC_NP, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
  }
  if (!descriptorSetAccessed(selector, raw)) return false
  segmentLoadDescriptor(segment, selector, raw)
  return true
}

function loadStackSegment(selector: u32): bool {
  const cpl = load<u32>(cpu, CPU_CPL)
  if (selectorIsNull(selector)) {
    if (!nullStackAllowed(selector, cpl)) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, selector)
    segmentLoadNull(SEG_SS, selector, cpl)
    return true
  }
  const raw = descriptorFetch(selector, EXC_GP)
  if (faultPending()) return false
  if (!stackSegmentValid(selector, raw, cpl, EXC_GP)) return false
  if (!descriptorSetAccessed(selector, raw)) return false
  segmentLoadDescriptor(SEG_SS, selector, raw)
  return true
}

/** 64-bit mode takes a null SS at CPL 0-2 when its RPL is the CPL (SDM 3A 5.7.1). */
function nullStackAllowed(selector: u32, cpl: u32): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64 && cpl != 3 && (selector & 3) == cpl
}

/**
 * The checks every load of SS makes: RPL and DPL equal `cpl`, writable data, present. `vector` is what the first
 * three raise (#GP, or #TS when the selector came from a TSS); not present is always #SS.
 */
export function stackSegmentValid(selector: u32, raw: u64, cpl: u32, vector: u32): bool {
  const error = selectorError(selector)
  const attributes = descriptorAttributes(raw)
  if ((selector & 3) != cpl) return raise(vector, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  if (!isWritableData(attributes)) return raise(vector, error, FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  if (attributesDpl(attributes) != cpl) {
    return raise(vector, error, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, selector, raw)
  }
  if (attributes & ATTRIBUTE_P) return true
  return raise(EXC_SS, error, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
}

/**
 * After a return to the less privileged `cpl`: data segment registers that name segments it may not use become
 * null (SDM 3A 5.8.6). One that is null already loses its RPL (SDM 2A IRET: SegmentSelector := 0; silicon does so) and keeps its
 * base, which FS and GS may have from their MSRs.
 */
export function segmentsInvalidateOuter(cpl: u32): void {
  segmentInvalidateOuter(SEG_ES, cpl)
  segmentInvalidateOuter(SEG_DS, cpl)
  segmentInvalidateOuter(SEG_FS, cpl)
  segmentInvalidateOuter(SEG_GS, cpl)
}

function segmentInvalidateOuter(segment: u32, cpl: u32): void {
  const attributes = segmentAttributes(segment)
  if (attributes & SEGMENT_UNUSABLE) {
    store<u16>(segmentPointer(segment), 0, SEGMENT_SELECTOR)
    return
  }
  if (isConforming(attributes) || attributesDpl(attributes) >= cpl) return
  segmentStore(segment, 0, segmentBase(segment), 0, SEGMENT_UNUSABLE)
}
