// @ts-nocheck: generic over integer types, which TypeScript has no notion of; asc checks this file.
// Arithmetic that needs more than the operand's width, or a carry coming in.

import { cpu } from './context'
import { carry, FLAG_AF, FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF, parityFlag, setStatus } from './flags'

function addFlags(a: u64, b: u64, r: u64, carryOut: bool, bits: u64): void {
  let flags: u32 = parityFlag(r as u32) | (<u32>(a ^ b ^ r) & FLAG_AF)
  if (carryOut) flags |= FLAG_CF
  if (r == 0) flags |= FLAG_ZF
  if ((r >> (bits - 1)) & 1) flags |= FLAG_SF
  if ((((a ^ r) & (b ^ r)) >> (bits - 1)) & 1) flags |= FLAG_OF
  setStatus(flags)
}

function subFlags(a: u64, b: u64, r: u64, borrow: bool, bits: u64): void {
  let flags: u32 = parityFlag(r as u32) | (<u32>(a ^ b ^ r) & FLAG_AF)
  if (borrow) flags |= FLAG_CF
  if (r == 0) flags |= FLAG_ZF
  if ((r >> (bits - 1)) & 1) flags |= FLAG_SF
  if ((((a ^ b) & (a ^ r)) >> (bits - 1)) & 1) flags |= FLAG_OF
  setStatus(flags)
}

/** ADC (SDM 2). */
export function addWithCarry<T>(a: T, b: T): T {
  const c: T = carry(cpu) ? 1 : 0
  const r = <T>(<T>(a + b) + c)
  addFlags(a as u64, b as u64, r as u64, r < a || (c != 0 && r == a), sizeof<T>() * 8)
  return r
}

/** SBB (SDM 2). */
export function subtractWithBorrow<T>(a: T, b: T): T {
  const c: T = carry(cpu) ? 1 : 0
  const r = <T>(<T>(a - b) - c)
  subFlags(a as u64, b as u64, r as u64, a < b || (c != 0 && a == b), sizeof<T>() * 8)
  return r
}

/** Upper half of an unsigned 64 x 64 bit product. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff
  const ah = a >> 32
  const bl = b & 0xffffffff
  const bh = b >> 32
  const low = al * bl
  const middle = ah * bl + (low >> 32)
  const middle2 = al * bh + (middle & 0xffffffff)
  return ah * bh + (middle >> 32) + (middle2 >> 32)
}

/** Upper half of a signed 64 x 64 bit product. */
export function multiplyHighSigned(a: i64, b: i64): i64 {
  let high = multiplyHigh(a as u64, b as u64) as i64
  if (a < 0) high -= b
  if (b < 0) high -= a
  return high
}

/** Whether the signed product of two 64-bit values does not fit 64 bits. */
export function multiplyFlags(a: u64, b: u64): bool {
  return multiplyHighSigned(a as i64, b as i64) != <i64>(a * b) >> 63
}

/** Remainder of the last divide128. Transient. */
export let remainder128: u64 = 0

/**
 * high:low / divisor, unsigned. The quotient must fit 64 bits (high < divisor). Leaves the rest in remainder128.
 */
export function divide128(high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) {
    remainder128 = low % divisor
    return low / divisor
  }
  let rest = high
  let quotient: u64 = 0
  for (let i: i32 = 63; i >= 0; i--) {
    const top = rest >> 63
    rest = (rest << 1) | ((low >> (i as u64)) & 1)
    if (top || rest >= divisor) {
      rest -= divisor
      quotient |= (1 as u64) << (i as u64)
    }
  }
  remainder128 = rest
  return quotient
}
