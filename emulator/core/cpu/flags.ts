// Status flags are computed when somebody asks. An arithmetic instruction stores what it was (class and operand
// size), its first operand and its result, zero-extended; CF, PF, AF, ZF, SF and OF follow from these.
// LAZY_NONE means that CPU_RFLAGS is exact.

import { CPU_LAZY, CPU_LAZY_A, CPU_LAZY_R, CPU_RFLAGS, LAZY_NONE } from '../layout'
import { cpu } from './context'

// class * 4 + log2(operand bytes). For INC and DEC, CF lies in CPU_RFLAGS.
export const LAZY_ADD: u32 = 4
export const LAZY_SUB: u32 = 8
export const LAZY_LOGIC: u32 = 12
export const LAZY_INC: u32 = 16
export const LAZY_DEC: u32 = 20
/** CF and OF as they stand in RFLAGS lie in the first operand's place; AF is 0, the rest follows from the result. */
export const LAZY_BITS: u32 = 24
/** ADC and SBB with a carry coming in; without one they are ADD and SUB. */
export const LAZY_ADC: u32 = 28
export const LAZY_SBB: u32 = 32

export const FLAG_CF: u32 = 1
export const FLAG_PF: u32 = 4
export const FLAG_AF: u32 = 0x10
export const FLAG_ZF: u32 = 0x40
export const FLAG_SF: u32 = 0x80
export const FLAG_TF: u32 = 0x100
export const FLAG_IF: u32 = 0x200
export const FLAG_DF: u32 = 0x400
export const FLAG_OF: u32 = 0x800
export const FLAG_NT: u32 = 0x4000
export const FLAG_RF: u32 = 0x10000
export const FLAG_VM: u32 = 0x20000
export const FLAG_AC: u32 = 0x40000
export const FLAG_ID: u32 = 0x200000
export const FLAGS_STATUS: u32 = 0x8d5

@inline
export function setLazy(c: usize, kind: u32, a: u64, r: u64): void {
  store<u32>(c, kind, CPU_LAZY)
  store<u64>(c, a, CPU_LAZY_A)
  store<u64>(c, r, CPU_LAZY_R)
}

/** Replaces the six status flags at once by exact ones. */
@inline
export function setStatus(flags: u32): void {
  store<u32>(cpu, LAZY_NONE, CPU_LAZY)
  store<u64>(cpu, (load<u64>(cpu, CPU_RFLAGS) & ~(FLAGS_STATUS as u64)) | (flags as u64), CPU_RFLAGS)
}

/** The status flags, whether lazy or not. */
export function statusFlags(): u32 {
  const kind = load<u32>(cpu, CPU_LAZY)
  const old = load<u32>(cpu, CPU_RFLAGS)
  if (kind == LAZY_NONE) return old & FLAGS_STATUS
  const a = load<u64>(cpu, CPU_LAZY_A)
  const r = load<u64>(cpu, CPU_LAZY_R)
  const shift: u64 = 64 - (8 << (kind & 3))
  let flags: u32 = parityFlag(r as u32)
  if (r == 0) flags |= FLAG_ZF
  if (<i64>(r << shift) < 0) flags |= FLAG_SF
  switch (kind >> 2) {
    case 1: {
      const b = r - a
      if (r < a) flags |= FLAG_CF
      flags |= <u32>(a ^ b ^ r) & FLAG_AF
      if (<i64>(((a ^ r) & (b ^ r)) << shift) < 0) flags |= FLAG_OF
      break
    }
    case 2: {
      const b = a - r
      if (r > a) flags |= FLAG_CF
      flags |= <u32>(a ^ b ^ r) & FLAG_AF
      if (<i64>(((a ^ b) & (a ^ r)) << shift) < 0) flags |= FLAG_OF
      break
    }
    case 3:
      break
    case 7: {
      const b = r - a - 1
      if (r <= a) flags |= FLAG_CF
      flags |= <u32>(a ^ b ^ r) & FLAG_AF
      if (<i64>(((a ^ r) & (b ^ r)) << shift) < 0) flags |= FLAG_OF
      break
    }
    case 8: {
      const b = a - r - 1
      if (r >= a) flags |= FLAG_CF
      flags |= <u32>(a ^ b ^ r) & FLAG_AF
      if (<i64>(((a ^ b) & (a ^ r)) << shift) < 0) flags |= FLAG_OF
      break
    }
    case 6:
      flags |= a as u32
      break
    case 4:
      flags |= old & FLAG_CF
      if ((r & 15) == 0) flags |= FLAG_AF
      if (r << shift == 0x8000000000000000) flags |= FLAG_OF
      break
    default:
      flags |= old & FLAG_CF
      if ((r & 15) == 15) flags |= FLAG_AF
      if ((r + 1) << shift == 0x8000000000000000) flags |= FLAG_OF
  }
  return flags
}

/** Makes CPU_RFLAGS exact. */
export function flagsMaterialise(): void {
  if (load<u32>(cpu, CPU_LAZY) != LAZY_NONE) setStatus(statusFlags())
}

/** PF of the low byte of `value`. */
@inline
export function parityFlag(value: u32): u32 {
  return popcnt(value & 0xff) & 1 ? 0 : FLAG_PF
}

/** Keeps CF in CPU_RFLAGS before INC or DEC replaces the lazy state. */
@inline
export function keepCarry(c: usize): void {
  const kind = load<u32>(c, CPU_LAZY)
  if (kind != LAZY_NONE && (kind < LAZY_INC || kind >= LAZY_BITS)) {
    store<u8>(c, (load<u8>(c, CPU_RFLAGS) & 0xfe) | u8(carry(c)), CPU_RFLAGS)
  }
}

@inline
export function carry(c: usize): bool {
  const kind = load<u32>(c, CPU_LAZY)
  if (kind - 4 < 4) return load<u64>(c, CPU_LAZY_R) < load<u64>(c, CPU_LAZY_A)
  if (kind - 8 < 4) return load<u64>(c, CPU_LAZY_R) > load<u64>(c, CPU_LAZY_A)
  if (kind - 12 < 4) return false
  if (kind >= LAZY_BITS) {
    if (kind < LAZY_ADC) return (load<u8>(c, CPU_LAZY_A) & 1) != 0
    const a = load<u64>(c, CPU_LAZY_A)
    const r = load<u64>(c, CPU_LAZY_R)
    return kind < LAZY_SBB ? r <= a : r >= a
  }
  return (load<u8>(c, CPU_RFLAGS) & 1) != 0
}

@inline
export function zero(c: usize): bool {
  return load<u32>(c, CPU_LAZY) != LAZY_NONE
    ? load<u64>(c, CPU_LAZY_R) == 0
    : (load<u8>(c, CPU_RFLAGS) & 0x40) != 0
}

/** Condition `cc` of Jcc, SETcc, CMOVcc (SDM 1 appendix B): 0 O, 1 NO, 2 B, 3 AE, 4 E, 5 NE, 6 BE, 7 A, 8 S ... 15 G. */
export function condition(cc: u32): bool {
  const kind = load<u32>(cpu, CPU_LAZY)
  const test = cc >> 1
  const negate = (cc & 1) != 0
  let result: bool
  if (kind - 8 < 4) {
    // After a comparison the relations are those of the operands.
    const a = load<u64>(cpu, CPU_LAZY_A)
    const r = load<u64>(cpu, CPU_LAZY_R)
    const shift: u64 = 64 - (8 << (kind & 3))
    const b = a - r
    switch (test) {
      case 0:
        result = <i64>(((a ^ b) & (a ^ r)) << shift) < 0
        break
      case 1:
        result = r > a
        break
      case 2:
        result = r == 0
        break
      case 3:
        result = r > a || r == 0
        break
      case 4:
        result = <i64>(r << shift) < 0
        break
      case 5:
        result = parityFlag(r as u32) != 0
        break
      case 6:
        result = <i64>(a << shift) < <i64>(b << shift)
        break
      default:
        result = <i64>(a << shift) <= <i64>(b << shift)
    }
    return result != negate
  }
  const flags = statusFlags()
  switch (test) {
    case 0:
      result = (flags & FLAG_OF) != 0
      break
    case 1:
      result = (flags & FLAG_CF) != 0
      break
    case 2:
      result = (flags & FLAG_ZF) != 0
      break
    case 3:
      result = (flags & (FLAG_CF | FLAG_ZF)) != 0
      break
    case 4:
      result = (flags & FLAG_SF) != 0
      break
    case 5:
      result = (flags & FLAG_PF) != 0
      break
    case 6:
      result = ((flags >> 7) & 1) != ((flags >> 11) & 1)
      break
    default:
      result = (flags & FLAG_ZF) != 0 || ((flags >> 7) & 1) != ((flags >> 11) & 1)
  }
  return result != negate
}
