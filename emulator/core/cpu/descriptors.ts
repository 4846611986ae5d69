// Segment and gate descriptors (SDM 3A 3.4.5, 5.8.3, 7.2.3): their fields, and reading them from the GDT or LDT.
//
// "attributes" is descriptor bits 40-47 in bits 0-7 and bits 52-55 in bits 12-15, the form the segment registers
// keep (SEGMENT_ATTRIBUTES in layout.ts).

import {
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_MODE,
  CPU_SEGMENTS,
  FAULT_DETAIL_SELECTOR_LIMIT,
  MODE_LONG,
  SEG_LDTR,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SIZE,
  SEGMENT_UNUSABLE,
} from '../layout'
import { systemRead64, systemWrite8 } from '../memory/linear'
import { cpu } from './context'
import { faultPending, raise } from './fault'

export const ATTRIBUTE_ACCESSED: u32 = 0x01
/** Data: writable. Code: readable. */
export const ATTRIBUTE_READ_WRITE: u32 = 0x02
/** Data: expand-down. Code: conforming. */
export const ATTRIBUTE_CONFORMING: u32 = 0x04
export const ATTRIBUTE_CODE: u32 = 0x08
export const ATTRIBUTE_S: u32 = 0x10
export const ATTRIBUTE_P: u32 = 0x80
export const ATTRIBUTE_L: u32 = 0x2000
export const ATTRIBUTE_DB: u32 = 0x4000
export const ATTRIBUTE_G: u32 = 0x8000

// System segment and gate types (SDM 3A table 3-2). In IA-32e mode 2, 9, 11, 12, 14 and 15 remain.
export const TYPE_TSS16: u32 = 1
export const TYPE_LDT: u32 = 2
export const TYPE_TSS16_BUSY: u32 = 3
export const TYPE_CALL_GATE16: u32 = 4
export const TYPE_TASK_GATE: u32 = 5
export const TYPE_INTERRUPT_GATE16: u32 = 6
export const TYPE_TRAP_GATE16: u32 = 7
export const TYPE_TSS32: u32 = 9
export const TYPE_TSS32_BUSY: u32 = 11
export const TYPE_CALL_GATE32: u32 = 12
export const TYPE_INTERRUPT_GATE32: u32 = 14
export const TYPE_TRAP_GATE32: u32 = 15

export function descriptorAttributes(raw: u64): u32 {
  return <u32>(raw >> 40) & 0xf0ff
}

/** Base of a code, data, or 32-bit system descriptor. */
export function descriptorBase(raw: u64): u64 {
  return ((raw >> 16) & 0xffffff) | ((raw >> 32) & 0xff000000)
}

/** Limit in bytes, granularity applied. */
export function descriptorLimit(raw: u64): u32 {
  const limit = <u32>(raw & 0xffff) | (<u32>(raw >> 32) & 0xf0000)
  return descriptorAttributes(raw) & ATTRIBUTE_G ? (limit << 12) | 0xfff : limit
}

export function attributesDpl(attributes: u32): u32 {
  return (attributes >> 5) & 3
}

/** Type field together with S: 0-15 are system types, 16-31 data and code. */
export function attributesType(attributes: u32): u32 {
  return attributes & 0x1f
}

export function isCode(attributes: u32): bool {
  return (attributes & (ATTRIBUTE_S | ATTRIBUTE_CODE)) == (ATTRIBUTE_S | ATTRIBUTE_CODE)
}

export function isConforming(attributes: u32): bool {
  const conformingCode = ATTRIBUTE_S | ATTRIBUTE_CODE | ATTRIBUTE_CONFORMING
  return (attributes & conformingCode) == conformingCode
}

export function isWritableData(attributes: u32): bool {
  return (
    (attributes & (ATTRIBUTE_S | ATTRIBUTE_CODE | ATTRIBUTE_READ_WRITE)) ==
    (ATTRIBUTE_S | ATTRIBUTE_READ_WRITE)
  )
}

/** Data of any kind, or code that may be read: what DS, ES, FS and GS may hold. */
export function isReadable(attributes: u32): bool {
  if (!(attributes & ATTRIBUTE_S)) return false
  return !(attributes & ATTRIBUTE_CODE) || (attributes & ATTRIBUTE_READ_WRITE) != 0
}

export function selectorIsNull(selector: u32): bool {
  return !(selector & 0xfffc)
}

/** What an error code says of a selector: the index and TI; RPL is replaced by EXT and IDT (SDM 3A 6.13). */
export function selectorError(selector: u32): u32 {
  return selector & 0xfffc
}

export function longModeActive(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_LONG) != 0
}

/** Linear address of byte `offset` of a system table: 64 bits in IA-32e mode, else 32 (SDM 3A 3.5.1). */
export function tableLinear(base: u64, offset: u32): u64 {
  const linear = base + offset
  return longModeActive() ? linear : linear & 0xffffffff
}

/** Limit of the table the selector's TI bit names; -1 when LDTR is null. */
export function descriptorTableLimit(selector: u32): i64 {
  if (!(selector & 4)) return load<u32>(cpu, CPU_GDTR_LIMIT)
  const ldtr = cpu + CPU_SEGMENTS + SEG_LDTR * SEGMENT_SIZE
  if (load<u16>(ldtr, SEGMENT_ATTRIBUTES) & SEGMENT_UNUSABLE) return -1
  return load<u32>(ldtr, SEGMENT_LIMIT)
}

/** Linear address of the selector's descriptor. */
export function descriptorLinear(selector: u32): u64 {
  const base =
    selector & 4
      ? load<u64>(cpu + CPU_SEGMENTS + SEG_LDTR * SEGMENT_SIZE, SEGMENT_BASE)
      : load<u64>(cpu, CPU_GDTR_BASE)
  return tableLinear(base, selector & 0xfff8)
}

/** True when `bytes` bytes of descriptor at the selector's index lie within its table. */
export function descriptorInTable(selector: u32, bytes: u32): bool {
  return <i64>((selector & 0xfff8) + bytes - 1) <= descriptorTableLimit(selector)
}

/**
 * Reads the 8 bytes of the selector's descriptor. Outside the table's limit: exception `vector` (#GP or #TS)
 * with the selector. Also page faults. The caller asks faultPending().
 */
export function descriptorFetch(selector: u32, vector: u32): u64 {
  if (!descriptorInTable(selector, 8)) return descriptorBeyondLimit(selector, vector)
  return systemRead64(descriptorLinear(selector))
}

/**
 * Bits 127:64 of a 16-byte system descriptor (SDM 3A 7.2.3, 5.8.3.1): the answer's low half is what bits 63:32
 * of the base or offset become. Only in IA-32e mode; `vector` as in descriptorFetch. Bits 44:40 must be zero,
 * for which the caller asks upperDescriptorValid.
 */
export function descriptorFetchUpper(selector: u32, vector: u32): u64 {
  if (!descriptorInTable(selector, 16)) return descriptorBeyondLimit(selector, vector)
  return systemRead64(descriptorLinear(selector) + 8)
}

/** The type field of the upper half is zero, so that it cannot be taken for a descriptor (SDM 3A 5.8.3.1). */
export function upperDescriptorValid(upper: u64): bool {
  return !((upper >> 40) & 0x1f)
}

function descriptorBeyondLimit(selector: u32, vector: u32): u64 {
  raise(
    vector,
    selectorError(selector),
    FAULT_DETAIL_SELECTOR_LIMIT,
    selector,
    <u64>descriptorTableLimit(selector),
  )
  return 0
}

/** Sets the accessed bit in the table when it is not yet set (SDM 3A 3.4.5.1). False: page fault pending. */
export function descriptorSetAccessed(selector: u32, raw: u64): bool {
  const access = <u32>(raw >> 40)
  if (access & ATTRIBUTE_ACCESSED) return true
  systemWrite8(descriptorLinear(selector) + 5, <u8>(access | ATTRIBUTE_ACCESSED))
  return !faultPending()
}

/** Sets the busy bit of a TSS descriptor (SDM 3A 7.2.2). False: page fault pending. */
export function descriptorSetBusy(selector: u32, raw: u64): bool {
  systemWrite8(descriptorLinear(selector) + 5, <u8>(<u32>(raw >> 40) | 2))
  return !faultPending()
}
