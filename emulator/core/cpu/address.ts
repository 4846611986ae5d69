// From a decoded memory operand to a linear address (SDM 1 3.7, 3A 3.4, 5.3, 5.4).

import { NO_ADDRESS } from '../memory/linear'
import {
  CPU_SEGMENTS,
  FAULT_DETAIL_SEGMENT_LIMIT,
  FAULT_DETAIL_SEGMENT_NULL,
  FAULT_DETAIL_SEGMENT_TYPE,
  SEG_SS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_READ_LIMIT,
  SEGMENT_SIZE,
  SEGMENT_UNUSABLE,
  SEGMENT_WRITE_LIMIT,
} from '../layout'
import { cpu } from './context'
import { raise } from './fault'
import {
  ADDRESS_16,
  ADDRESS_64,
  ADDRESS_64_32,
  ADDRESS_64_BASE,
  O_BASE,
  O_DISP,
  O_INDEX,
  O_KIND,
  O_SCALE,
  O_SEGBASE,
  O_SEGMENT,
} from './trace-format'
import { EXC_GP, EXC_SS } from './vectors'

const TYPE_CODE: u32 = 8
const TYPE_EXPAND_DOWN: u32 = 4
const TYPE_WRITABLE: u32 = 2 // data; for code: readable
const ATTRIBUTE_DB: u32 = 0x4000

@inline
function flat(ip: usize): bool {
  const kind = load<u8>(ip, O_KIND) as u32
  return kind == ADDRESS_64 || kind == ADDRESS_64_BASE
}

/** base + index * scale + displacement, not yet cut to the address size. */
@inline
export function effective(ip: usize): u64 {
  const index = load<u64>(load<u32>(ip, O_INDEX))
  const scale = load<u8>(ip, O_SCALE) as u64
  return load<u64>(load<u32>(ip, O_BASE)) + (index << scale) + <u64>(load<i32>(ip, O_DISP) as i64)
}

/** Effective address cut to the address size: LEA, and offsets of far and bit operands. */
export function effectiveAddress(ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const address = effective(ip)
  if (kind == ADDRESS_64 || kind == ADDRESS_64_BASE) return address
  return kind == ADDRESS_16 ? address & 0xffff : address & 0xffffffff
}

/**
 * Linear address of `size` bytes at the record's operand, segment checks done. NO_ADDRESS, with a fault pending,
 * if the segment forbids the access; no fast TLB entry matches NO_ADDRESS, so the slow path sees the fault.
 */
@inline
export function linearOf(ip: usize, size: u32, write: bool): u64 {
  const address = effective(ip)
  if (flat(ip)) return address + load<u64>(load<u32>(ip, O_SEGBASE))
  return segmentedLinear(ip, address, size, write)
}

/** linearOf with `displacement` added before the address is cut to its size. */
export function linearAt(ip: usize, displacement: i64, size: u32, write: bool): u64 {
  const address = effective(ip) + (displacement as u64)
  if (flat(ip)) return address + load<u64>(load<u32>(ip, O_SEGBASE))
  return segmentedLinear(ip, address, size, write)
}

function segmentedLinear(ip: usize, address: u64, size: u32, write: bool): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  if (kind == ADDRESS_64_32) return (address & 0xffffffff) + load<u64>(load<u32>(ip, O_SEGBASE))
  const offset = kind == ADDRESS_16 ? address & 0xffff : address & 0xffffffff
  return segmentLinear(load<u8>(ip, O_SEGMENT), offset, size, write)
}

/** Linear address of `size` bytes at segment:offset outside 64-bit mode, or NO_ADDRESS with #GP or #SS pending. */
export function segmentLinear(segment: u32, offset: u64, size: u32, write: bool): u64 {
  const register = cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE
  const limit = write ? load<i64>(register, SEGMENT_WRITE_LIMIT) : load<i64>(register, SEGMENT_READ_LIMIT)
  if (<i64>(offset + size - 1) <= limit) return (offset + load<u64>(register, SEGMENT_BASE)) & 0xffffffff
  return checkSegment(register, segment, offset, size, write)
}

function refuse(segment: u32, detail: u32, offset: u64, b: u64): u64 {
  raise(segment == SEG_SS ? EXC_SS : EXC_GP, 0, detail, offset, b)
  return NO_ADDRESS
}

/** The exact check, for what the derived limits do not cover (SDM 3A 5.3, 5.5). */
function checkSegment(register: usize, segment: u32, offset: u64, size: u32, write: bool): u64 {
  const attributes = load<u16>(register, SEGMENT_ATTRIBUTES) as u32
  if (attributes & SEGMENT_UNUSABLE) return refuse(segment, FAULT_DETAIL_SEGMENT_NULL, offset, segment as u64)
  const code = (attributes & TYPE_CODE) != 0
  if (write ? code || !(attributes & TYPE_WRITABLE) : code && !(attributes & TYPE_WRITABLE)) {
    // Type violations are #GP(0) for every segment register (SDM 3A 5.5).
    raise(EXC_GP, 0, FAULT_DETAIL_SEGMENT_TYPE, offset, segment as u64)
    return NO_ADDRESS
  }
  const limit = load<u32>(register, SEGMENT_LIMIT) as u64
  const last = offset + size - 1
  let inside: bool
  if (!code && attributes & TYPE_EXPAND_DOWN) {
    const top: u64 = attributes & ATTRIBUTE_DB ? 0xffffffff : 0xffff
    inside = offset > limit && last <= top
  } else inside = last <= limit
  if (!inside) return refuse(segment, FAULT_DETAIL_SEGMENT_LIMIT, offset, (segment as u64) | (limit << 32))
  return (offset + load<u64>(register, SEGMENT_BASE)) & 0xffffffff
}
