// Between the extended format and the others (SDM 1 4.2, 4.7, 8.3.3 ff.): single, double, integers, packed BCD, and
// the instructions that round or take apart a number.

import {
  divideWide,
  indefinite,
  invalidOne,
  invalidPair,
  isDenormal,
  isInfinity,
  isNaN_,
  isSignaling,
  normalExponent,
  normalSignificand,
  packFull,
  remainderWide,
  resultSe,
  roundAt,
  roundedCarry,
  roundedInexact,
  roundedUp,
  setNarrowDenormal,
  setResult,
  unsupported,
} from './arithmetic'
import { C0, C1, C2, C3, control, DE, IE, INTEGER_BIT, note, OE, PE, QUIET, stopped, UE, ZE } from './state'

const BIAS: i32 = 0x3fff

// --- widening ----------------------------------------------------------------------------------------------------

/** A double as operand of an instruction: exact, a signaling NaN stays one. */
@inline
export function widenDouble(bits: u64): void {
  const e = <u32>(bits >> 52) & 0x7ff
  const sign = <u32>(bits >> 48) & 0x8000
  if (e - 1 < 0x7fe) setResult(sign | (e + 0x3c00), (bits << 11) | INTEGER_BIT)
  else widenSpecial(sign, e, bits << 12, 0x3c00, 0x7ff)
}

@inline
export function widenSingle(bits: u32): void {
  const e = (bits >> 23) & 0xff
  const sign = (bits >> 16) & 0x8000
  if (e - 1 < 0xfe) setResult(sign | (e + 0x3f80), ((<u64>bits) << 40) | INTEGER_BIT)
  else widenSpecial(sign, e, (<u64>bits) << 41, 0x3f80, 0xff)
}

function widenSpecial(sign: u32, e: u32, fraction: u64, bias: u32, highest: u32): void {
  if (e == highest) setResult(sign | 0x7fff, INTEGER_BIT | (fraction >> 1))
  else if (fraction == 0) setResult(sign, 0)
  else {
    const n = <u32>clz(fraction)
    setNarrowDenormal(true)
    setResult(sign | (bias - n), fraction << n)
  }
}

@inline
export function widenInteger(value: i64): void {
  if (value == 0) {
    setResult(0, 0)
    return
  }
  const sign: u32 = value < 0 ? 0x8000 : 0
  const magnitude = <u64>(value < 0 ? 0 - value : value)
  const n = <u32>clz(magnitude)
  setResult(sign | (BIAS + 63 - n), magnitude << n)
}

// --- narrowing ---------------------------------------------------------------------------------------------------

/** To a double (single) for FST; overflow and underflow unmasked leave memory alone, which the caller sees to. */
export function narrow(se: u32, sig: u64, double: bool): u64 {
  const drop: u32 = double ? 11 : 40
  const highest: i32 = double ? 0x7ff : 0xff
  const width: u64 = double ? 52 : 23
  const signBit: u64 = se & 0x8000 ? (double ? INTEGER_BIT : 0x80000000) : 0
  const infinity = (<u64>highest) << width
  if (unsupported(se, sig)) {
    note(IE)
    return double ? 0xfff8000000000000 : 0xffc00000
  }
  if ((se & 0x7fff) == 0x7fff) {
    if (sig == INTEGER_BIT) return signBit | infinity
    if (isSignaling(se, sig)) note(IE)
    return signBit | infinity | (((sig | QUIET) << 1) >> (64 - width))
  }
  if (sig == 0) return signBit
  const word = control()
  const mode = (word >> 10) & 3
  const sign = se & 0x8000
  const exponent = normalExponent(se, sig) - BIAS + (highest >> 1)
  const s = normalSignificand(sig)
  let r = roundAt(sign, s, 0, drop, mode)
  let e = exponent
  if (roundedCarry) {
    r = INTEGER_BIT
    e++
  }
  if (e >= highest) {
    if (!(word & OE)) {
      note(OE)
      return 0
    }
    const infinite = mode == 0 || (mode == 1 && sign != 0) || (mode == 2 && sign == 0)
    note(OE | PE | (infinite ? C1 : 0))
    return signBit | (infinite ? infinity : infinity - 1)
  }
  if (e < 1) {
    if (!(word & UE)) {
      note(UE)
      return 0
    }
    const n = 1 - exponent
    const shifted: u64 = n > 63 ? 0 : s >> n
    const lost: u64 = n > 64 ? 1 : n == 64 ? s : s << (64 - n)
    const d = roundAt(sign, shifted, lost, drop, mode)
    if (roundedInexact) note(UE | PE | (roundedUp ? C1 : 0))
    return signBit | (d >> drop)
  }
  if (roundedInexact) note(PE | (roundedUp ? C1 : 0))
  return signBit | ((<u64>e) << width) | ((r << 1) >> (64 - width))
}

/** Magnitude of the last toMagnitude. Transient. */
let magnitude: u64 = 0

/** Rounds to an integer below 2^64; false when it is none. The magnitude is left in `magnitude`. */
function toMagnitude(se: u32, sig: u64, mode: u32): bool {
  if (unsupported(se, sig) || (se & 0x7fff) == 0x7fff) return false
  const e = <i32>(se & 0x7fff) - BIAS
  if (e > 63) return false
  let whole: u64 = 0
  let rest: u64 = 0
  if (e == 63) whole = sig
  else if (e >= 0) {
    whole = sig >> (63 - e)
    rest = sig << (e + 1)
  } else if (e == -1) rest = sig
  else rest = sig != 0 ? 1 : 0
  magnitude = roundAt(se & 0x8000, whole, rest, 0, mode)
  return !roundedCarry
}

/** To an integer of `size` bytes, rounded as `mode`; the integer indefinite with IE if it does not fit (SDM 1 8.5.1.2). */
export function toInteger(se: u32, sig: u64, size: u32, mode: u32): u64 {
  const limit = (1 as u64) << (size * 8 - 1)
  const negative = (se & 0x8000) != 0
  if (!toMagnitude(se, sig, mode) || magnitude > (negative ? limit : limit - 1)) {
    note(IE)
    return limit
  }
  if (roundedInexact) note(PE | (roundedUp ? C1 : 0))
  return negative ? 0 - magnitude : magnitude
}

/** Packed BCD: low eight bytes answered, the upper two in `bcdHigh`. */
export let bcdHigh: u32 = 0
export function toBcd(se: u32, sig: u64): u64 {
  if (!toMagnitude(se, sig, (control() >> 10) & 3) || magnitude > 999999999999999999) {
    note(IE)
    bcdHigh = 0xffff
    return 0xc000000000000000
  }
  if (roundedInexact) note(PE | (roundedUp ? C1 : 0))
  let rest = magnitude
  let low: u64 = 0
  for (let i: u64 = 0; i < 64; i += 4) {
    low |= (rest % 10) << i
    rest /= 10
  }
  bcdHigh = (se & 0x8000) | <u32>(rest % 10) | ((<u32>(rest / 10)) << 4)
  return low
}

/** Packed BCD to extended: exact. A digit above 9 counts as what it is, as processors do it. */
export function fromBcd(low: u64, high: u32): void {
  let value: u64 = (high >> 4) & 15
  value = value * 10 + (high & 15)
  for (let i: i32 = 60; i >= 0; i -= 4) value = value * 10 + ((low >> i) & 15)
  widenInteger(value as i64)
  setResult(resultSe | (high & 0x8000), normalSignificandOrZero(value))
}

function normalSignificandOrZero(value: u64): u64 {
  return value ? value << clz(value) : 0
}

/** FRNDINT. */
export function roundToInteger(se: u32, sig: u64): void {
  if (invalidOne(se, sig)) return
  const e = <i32>(se & 0x7fff) - BIAS
  if (e >= 63 || sig == 0) {
    setResult(se, sig)
    return
  }
  if (isDenormal(se, sig)) {
    note(DE)
    if (stopped()) return
  }
  toMagnitude(se, sig, (control() >> 10) & 3)
  if (roundedInexact) note(PE | (roundedUp ? C1 : 0))
  if (magnitude == 0) {
    setResult(se & 0x8000, 0)
    return
  }
  const n = <u32>clz(magnitude)
  setResult((se & 0x8000) | (BIAS + 63 - n), magnitude << n)
}

// --- comparison --------------------------------------------------------------------------------------------------

const UNORDERED: u32 = C0 | C2 | C3

/** C0, C2, C3 of a compared with b (SDM 1 table 8-6); `quiet`: quiet NaNs are no exception (FUCOM). */
export function compare(aSe: u32, a: u64, bSe: u32, b: u64, narrow: bool, quiet: bool): u32 {
  if (unsupported(aSe, a) || unsupported(bSe, b)) {
    note(IE)
    return UNORDERED
  }
  if (isNaN_(aSe, a) || isNaN_(bSe, b)) {
    if (!quiet || isSignaling(aSe, a) || isSignaling(bSe, b)) note(IE)
    return UNORDERED
  }
  if (narrow || isDenormal(aSe, a) || isDenormal(bSe, b)) note(DE)
  if (a == 0 && b == 0) return C3
  const aNegative = (aSe & 0x8000) != 0 && a != 0
  const bNegative = (bSe & 0x8000) != 0 && b != 0
  if (aNegative != bNegative) return aNegative ? C0 : 0
  const ae = aSe & 0x7fff ? aSe & 0x7fff : 1
  const be = bSe & 0x7fff ? bSe & 0x7fff : 1
  if (a == 0) return aNegative != bNegative || !bNegative ? C0 : 0
  if (b == 0) return aNegative ? C0 : 0
  if (ae == be && a == b) return C3
  const less = ae != be ? ae < be : a < b
  return less != aNegative ? C0 : 0
}

/** FXAM's C3, C2, C0 for a register in use (SDM 1 table 8-7), without the sign. */
export function examine(se: u32, sig: u64): u32 {
  if (unsupported(se, sig)) return 0
  const e = se & 0x7fff
  if (e == 0x7fff) return sig == INTEGER_BIT ? C2 | C0 : C0
  if (e == 0) return sig == 0 ? C3 : C3 | C2
  return C2
}

// --- FSCALE, FXTRACT, FPREM ----------------------------------------------------------------------------------------

/** An operand as it is is the result: a denormal one does not underflow, a pseudo-denormal becomes normal. */
function unchanged(se: u32, sig: u64): void {
  setResult(sig & INTEGER_BIT && (se & 0x7fff) == 0 ? se | 1 : se, sig)
}

/** a * 2^trunc(b). */
export function scale(aSe: u32, a: u64, bSe: u32, b: u64): void {
  if (invalidPair(aSe, a, bSe, b)) return
  if (isInfinity(bSe, b)) {
    if (bSe & 0x8000 ? isInfinity(aSe, a) : a == 0) {
      indefinite()
      return
    }
    if (isDenormal(aSe, a)) {
      note(DE)
      if (stopped()) return
    }
    if (isInfinity(aSe, a) || a == 0) {
      setResult(aSe, a)
      return
    }
    if (bSe & 0x8000) setResult(aSe & 0x8000, 0)
    else setResult((aSe & 0x8000) | 0x7fff, INTEGER_BIT)
    return
  }
  if (isDenormal(aSe, a) || isDenormal(bSe, b)) {
    note(DE)
    if (stopped()) return
  }
  if (isInfinity(aSe, a) || a == 0) {
    setResult(aSe, a)
    return
  }
  if (b == 0) {
    unchanged(aSe, a)
    return
  }
  const e = <i32>(bSe & 0x7fff) - BIAS
  let n: i32 = e < 0 ? 0 : e > 16 ? 0x20000 : <i32>(b >> (63 - e))
  if (bSe & 0x8000) n = -n
  packFull(aSe & 0x8000, normalExponent(aSe, a) + n, normalSignificand(a), 0)
}

/** Significand of FXTRACT; the exponent is the ordinary result. Transient. */
export let extractedSe: u32 = 0
export let extracted: u64 = 0

export function extract(se: u32, sig: u64): void {
  if (invalidOne(se, sig)) {
    extractedSe = resultSe
    extracted = sig | QUIET
    if (unsupported(se, sig)) extracted = QUIET
    return
  }
  if (isInfinity(se, sig)) {
    extractedSe = se
    extracted = sig
    setResult(0x7fff, sig)
    return
  }
  if (sig == 0) {
    note(ZE)
    extractedSe = se
    extracted = 0
    setResult(0xffff, INTEGER_BIT)
    return
  }
  if (isDenormal(se, sig)) {
    note(DE)
    if (stopped()) return
  }
  extractedSe = (se & 0x8000) | BIAS
  extracted = normalSignificand(sig)
  widenInteger(normalExponent(se, sig) - BIAS)
}

/** There is no quotient to show: C2 is cleared, C0, C1 and C3 stay. */
export const NO_QUOTIENT: u32 = 1

/** FPREM and, with `nearest`, FPREM1. Answers C0, C1, C2, C3, or NO_QUOTIENT. */
export function remainder(aSe: u32, a: u64, bSe: u32, b: u64, nearest: bool): u32 {
  if (invalidPair(aSe, a, bSe, b)) return NO_QUOTIENT
  if (isInfinity(aSe, a) || b == 0) {
    indefinite()
    return NO_QUOTIENT
  }
  if (isDenormal(aSe, a) || isDenormal(bSe, b)) {
    note(DE)
    if (stopped()) return NO_QUOTIENT
  }
  if (a == 0) {
    setResult(aSe, a)
    return 0
  }
  let sign = aSe & 0x8000
  const ae = normalExponent(aSe, a)
  let n = normalSignificand(a)
  if (isInfinity(bSe, b)) {
    // Any finite divisor computes.
    unchanged(aSe, a)
    return 0
  }
  const be = normalExponent(bSe, b)
  const d = normalSignificand(b)
  const difference = ae - be
  const least: i32 = nearest ? -1 : 0
  if (difference < least) {
    packFull(sign, ae, n, 0)
    return 0
  }
  let e = be
  let quotient: u64 = 0
  if (difference == -1) {
    // In units of a's last place the divisor is 2 d; the quotient is 0 or 1.
    e = ae
    if (n > d) {
      n = (d << 1) - n
      sign ^= 0x8000
      quotient = 1
    }
  } else {
    // Too far apart: bring the exponent down by 32 to 63 and say that there is more to do (SDM 2A FPREM).
    const partial = difference >= 64
    const shift = partial ? (difference & 31) | 32 : difference
    if (partial) e = be + difference - shift
    quotient = modulo(shift ? n >> (64 - shift) : 0, n << shift, d)
    n = rest
    if (partial) {
      if (n == 0) setResult(sign, 0)
      else packFull(sign, e - <i32>clz(n), n << clz(n), 0)
      return C2
    }
    if (nearest && (n > d - n || (n == d - n && quotient & 1))) {
      n = d - n
      sign ^= 0x8000
      quotient++
    }
  }
  if (n == 0) setResult(aSe & 0x8000, 0)
  else packFull(sign, e - <i32>clz(n), n << clz(n), 0)
  return (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0)
}

let rest: u64 = 0
/** high:low / d for a normalised d and high < 2^63; the remainder is left in `rest`. */
function modulo(high: u64, low: u64, d: u64): u64 {
  const q = divideWide(high, low, d)
  rest = remainderWide
  return q
}
