// Arithmetic on 80-bit extended values (SDM 1 4.2.2, 4.9, 8.5). An operand is a sign (0 or 8000h), an exponent that may
// lie outside the format's range, and a 64-bit significand. Results are in resultSe and result; what was
// raised is noted in state.ts. Rounding and precision are those of the control word unless said otherwise.

import { multiplyHigh } from '../arithmetic'
import { C1, control, DE, IE, INDEFINITE, INTEGER_BIT, note, OE, PE, QUIET, stopped, UE, ZE } from './state'

const HALF: u64 = INTEGER_BIT
const LOW: u64 = 0xffffffff

/** The result: significand, and sign with biased exponent. Transient. */
export let result: u64 = 0
export let resultSe: u32 = 0

@inline
export function setResult(se: u32, sig: u64): void {
  resultSe = se
  result = sig
}

@inline
export function indefinite(): void {
  note(IE)
  resultSe = INDEFINITE
  result = QUIET
}

// --- rounding ------------------------------------------------------------------------------------------------

/** What roundAt did. */
export let roundedCarry: bool = false
export let roundedInexact: bool = false
export let roundedUp: bool = false

/** high:low without its `drop` (0-63) lowest bits of `high` and without `low`, rounded as `mode` (RC) says. */
export function roundAt(sign: u32, high: u64, low: u64, drop: u32, mode: u32): u64 {
  let rest = low
  let unit: u64 = 1
  let kept = high
  if (drop) {
    rest = (high << (64 - drop)) | (low != 0 ? 1 : 0)
    unit <<= drop
    kept = high & ~(unit - 1)
    // Of 63 bits dropped, one position is left for the sticky bit only if it is free.
    if (drop == 63 && low != 0) rest |= 1
  }
  roundedInexact = rest != 0
  let up: bool
  if (mode == 0) up = rest > HALF || (rest == HALF && (kept & unit) != 0)
  else if (mode == 1) up = sign != 0 && rest != 0
  else if (mode == 2) up = sign == 0 && rest != 0
  else up = false
  roundedUp = up
  roundedCarry = false
  if (up) {
    kept += unit
    roundedCarry = kept < unit
  }
  return kept
}

/** high:low shifted right by `n`, lost bits jammed into the lowest one. */
let jammedLow: u64 = 0
function shiftJam(high: u64, low: u64, n: u32): u64 {
  if (n == 0) {
    jammedLow = low
    return high
  }
  if (n < 64) {
    const lost = low << (64 - n)
    jammedLow = (high << (64 - n)) | (low >> n) | (lost != 0 ? 1 : 0)
    return high >> n
  }
  if (n == 64) {
    jammedLow = high | (low != 0 ? 1 : 0)
    return 0
  }
  if (n < 128) {
    const lost = (high << (128 - n)) | low
    jammedLow = (high >> (n - 64)) | (lost != 0 ? 1 : 0)
    return 0
  }
  jammedLow = high | low ? 1 : 0
  return 0
}

/** Bits of the significand that the precision control leaves out (SDM 1 table 8-2). */
@inline
function dropped(word: u32): u32 {
  const pc = (word >> 8) & 3
  return pc == 0 ? 40 : pc == 2 ? 11 : 0
}

/** Rounds high.low * 2^(exponent - bias), high's top bit set, to the precision of the control word. */
@inline
export function pack(sign: u32, exponent: i32, high: u64, low: u64): void {
  if ((control() & 0xf00) == 0x300 && <u32>(exponent - 1) < 0x7ffd) {
    packNearest(sign, exponent, high, low)
  } else packAny(sign, exponent, high, low, dropped(control()))
}

/** The same with 64 bits whatever the precision control. */
export function packFull(sign: u32, exponent: i32, high: u64, low: u64): void {
  packAny(sign, exponent, high, low, 0)
}

@inline
function packNearest(sign: u32, exponent: i32, high: u64, low: u64): void {
  if (low) {
    const up: u64 = low > HALF ? 1 : low == HALF ? high & 1 : 0
    note(PE | ((<u32>up) << 9))
    high += up
    if (high == 0) {
      high = HALF
      exponent++
    }
  }
  result = high
  resultSe = sign | exponent
}

export function packAny(sign: u32, exponent: i32, high: u64, low: u64, drop: u32): void {
  const word = control()
  const mode = (word >> 10) & 3
  let r = roundAt(sign, high, low, drop, mode)
  let e = exponent
  if (roundedCarry) {
    r = HALF
    e++
  }
  if (e >= 0x7fff) {
    overflow(sign, e, r, drop, mode, word)
    return
  }
  if (e < 1) {
    underflow(sign, exponent, high, low, e, r, drop, mode, word)
    return
  }
  if (roundedInexact) note(PE | (roundedUp ? C1 : 0))
  setResult(sign | e, r)
}

function overflow(sign: u32, e: i32, r: u64, drop: u32, mode: u32, word: u32): void {
  if (!(word & OE)) {
    // Unmasked, a register destination gets the result with the exponent wrapped (SDM 1 8.5.4).
    note(OE | (roundedInexact ? PE | (roundedUp ? C1 : 0) : 0))
    if (e - 24576 < 0x7fff) setResult(sign | (e - 24576), r)
    else {
      // Too large even so (FSCALE)
      note(PE | C1)
      setResult(sign | 0x7fff, HALF)
    }
    return
  }
  const infinite = mode == 0 || (mode == 1 && sign != 0) || (mode == 2 && sign == 0)
  note(OE | PE | (infinite ? C1 : 0))
  if (infinite) setResult(sign | 0x7fff, HALF)
  else setResult(sign | 0x7ffe, ~(((1 as u64) << drop) - 1))
}

function underflow(
  sign: u32,
  exponent: i32,
  high: u64,
  low: u64,
  e: i32,
  r: u64,
  drop: u32,
  mode: u32,
  word: u32,
): void {
  if (!(word & UE)) {
    note(UE | (roundedInexact ? PE | (roundedUp ? C1 : 0) : 0))
    if (e + 24576 >= 1) setResult(sign | (e + 24576), r)
    else {
      note(PE)
      setResult(sign, 0)
    }
    return
  }
  const n = 1 - exponent
  const shifted = shiftJam(high, low, n)
  const d = roundAt(sign, shifted, jammedLow, drop, mode)
  if (roundedInexact) note(UE | PE | (roundedUp ? C1 : 0))
  setResult(sign | (d & INTEGER_BIT ? 1 : 0), d)
}

// --- operands that are not plain numbers ----------------------------------------------------------------------

@inline
export function normal(se: u32, sig: u64): bool {
  return <i64>sig < 0 && <u32>((se & 0x7fff) - 1) < 0x7ffe
}

/** Unnormals, pseudo-NaNs and pseudo-infinities (SDM 1 table 8-3). */
@inline
export function unsupported(se: u32, sig: u64): bool {
  return <i64>sig >= 0 && (se & 0x7fff) != 0
}

@inline
export function isNaN_(se: u32, sig: u64): bool {
  return (se & 0x7fff) == 0x7fff && sig << 1 != 0
}

@inline
export function isSignaling(se: u32, sig: u64): bool {
  return (se & 0x7fff) == 0x7fff && sig << 1 != 0 && !(sig & 0x4000000000000000)
}

@inline
export function isInfinity(se: u32, sig: u64): bool {
  return (se & 0x7fff) == 0x7fff && sig == HALF
}

/** Denormals and pseudo-denormals. */
@inline
export function isDenormal(se: u32, sig: u64): bool {
  return (se & 0x7fff) == 0 && sig != 0
}

/** A single or double precision operand that was denormal: its extended form no longer shows it. Transient. */
export let narrowDenormal: bool = false

/** The NaN that two operands, at least one of them a NaN, make (SDM 1 table 4-7). */
export function propagate(aSe: u32, a: u64, bSe: u32, b: u64): void {
  const aNaN = isNaN_(aSe, a)
  const bNaN = isNaN_(bSe, b)
  const aSignals = aNaN && !(a & 0x4000000000000000)
  const bSignals = bNaN && !(b & 0x4000000000000000)
  if (aSignals || bSignals) note(IE)
  let useA: bool
  if (!bNaN) useA = true
  else if (!aNaN) useA = false
  else if (aSignals != bSignals) useA = bSignals
  else {
    const aq = a | QUIET
    const bq = b | QUIET
    useA = aq == bq ? aSe < bSe : aq > bq
  }
  if (useA) setResult(aSe, a | QUIET)
  else setResult(bSe, b | QUIET)
}

/** Handles unsupported formats and NaNs of a two-operand instruction; true when there was one. */
export function invalidPair(aSe: u32, a: u64, bSe: u32, b: u64): bool {
  if (unsupported(aSe, a) || unsupported(bSe, b)) {
    indefinite()
    return true
  }
  if (isNaN_(aSe, a) || isNaN_(bSe, b)) {
    propagate(aSe, a, bSe, b)
    return true
  }
  return false
}

/** The same for one operand. */
export function invalidOne(se: u32, sig: u64): bool {
  if (unsupported(se, sig)) {
    indefinite()
    return true
  }
  if (isNaN_(se, sig)) {
    if (!(sig & 0x4000000000000000)) note(IE)
    setResult(se, sig | QUIET)
    return true
  }
  return false
}

/** Exponent of a finite operand once its significand is normalised. */
@inline
export function normalExponent(se: u32, sig: u64): i32 {
  const e = <i32>(se & 0x7fff)
  return <i64>sig < 0 ? (e ? e : 1) : 1 - <i32>clz(sig)
}

@inline
export function normalSignificand(sig: u64): u64 {
  return <i64>sig < 0 ? sig : sig << clz(sig)
}

// --- the four operations --------------------------------------------------------------------------------------

export const KIND_ADD: u32 = 0
export const KIND_MUL: u32 = 1
export const KIND_SUB: u32 = 4
export const KIND_SUBR: u32 = 5
export const KIND_DIV: u32 = 6
export const KIND_DIVR: u32 = 7

/** a op b, the operands in any format. */
export function arithmetic(kind: u32, aSe: u32, a: u64, bSe: u32, b: u64): void {
  if (!normal(aSe, a) || !normal(bSe, b) || narrowDenormal) {
    special(kind, aSe, a, bSe, b)
    return
  }
  switch (kind) {
    case KIND_ADD:
      addNumbers(aSe & 0x8000, aSe & 0x7fff, a, bSe & 0x8000, bSe & 0x7fff, b)
      return
    case KIND_MUL:
      multiplyNumbers((aSe ^ bSe) & 0x8000, (aSe & 0x7fff) + (bSe & 0x7fff), a, b)
      return
    case KIND_SUB:
      addNumbers(aSe & 0x8000, aSe & 0x7fff, a, ~bSe & 0x8000, bSe & 0x7fff, b)
      return
    case KIND_SUBR:
      addNumbers(bSe & 0x8000, bSe & 0x7fff, b, ~aSe & 0x8000, aSe & 0x7fff, a)
      return
    case KIND_DIV:
      divideNumbers((aSe ^ bSe) & 0x8000, (aSe & 0x7fff) - (bSe & 0x7fff), a, b)
      return
    default:
      divideNumbers((aSe ^ bSe) & 0x8000, (bSe & 0x7fff) - (aSe & 0x7fff), b, a)
  }
}

function special(kind: u32, aSe: u32, a: u64, bSe: u32, b: u64): void {
  const narrow = narrowDenormal
  narrowDenormal = false
  if (invalidPair(aSe, a, bSe, b)) return
  if (kind == KIND_SUBR || kind == KIND_DIVR) {
    const se = aSe
    aSe = bSe
    bSe = se
    const sig = a
    a = b
    b = sig
    kind &= ~1
  }
  if (kind == KIND_SUB) bSe ^= 0x8000
  const denormal = narrow || isDenormal(aSe, a) || isDenormal(bSe, b)
  const aInfinite = isInfinity(aSe, a)
  const bInfinite = isInfinity(bSe, b)
  const sign = (aSe ^ bSe) & 0x8000
  if (kind == KIND_ADD || kind == KIND_SUB) {
    if (aInfinite && bInfinite && sign) {
      indefinite()
      return
    }
  } else if (kind == KIND_MUL) {
    if ((aInfinite && b == 0) || (bInfinite && a == 0)) {
      indefinite()
      return
    }
  } else {
    if ((aInfinite && bInfinite) || (a == 0 && b == 0)) {
      indefinite()
      return
    }
    if (b == 0 && !aInfinite) {
      // A denormal dividend is not reported then.
      note(ZE)
      setResult(sign | 0x7fff, HALF)
      return
    }
  }
  if (denormal) note(DE)
  if (stopped()) return
  if (kind == KIND_ADD || kind == KIND_SUB) {
    if (aInfinite) {
      setResult(aSe, a)
      return
    }
    if (bInfinite) {
      setResult(bSe, b)
      return
    }
    if (a == 0 && b == 0) {
      const negative = sign ? (control() & 0xc00) == 0x400 : (aSe & 0x8000) != 0
      setResult(negative ? 0x8000 : 0, 0)
      return
    }
    if (a == 0) {
      pack(bSe & 0x8000, normalExponent(bSe, b), normalSignificand(b), 0)
      return
    }
    if (b == 0) {
      pack(aSe & 0x8000, normalExponent(aSe, a), normalSignificand(a), 0)
      return
    }
    addNumbers(
      aSe & 0x8000,
      normalExponent(aSe, a),
      normalSignificand(a),
      bSe & 0x8000,
      normalExponent(bSe, b),
      normalSignificand(b),
    )
  } else if (kind == KIND_MUL) {
    if (aInfinite || bInfinite) {
      setResult(sign | 0x7fff, HALF)
      return
    }
    if (a == 0 || b == 0) {
      setResult(sign, 0)
      return
    }
    multiplyNumbers(
      sign,
      normalExponent(aSe, a) + normalExponent(bSe, b),
      normalSignificand(a),
      normalSignificand(b),
    )
  } else {
    if (aInfinite) {
      setResult(sign | 0x7fff, HALF)
      return
    }
    if (a == 0 || bInfinite) {
      setResult(sign, 0)
      return
    }
    divideNumbers(
      sign,
      normalExponent(aSe, a) - normalExponent(bSe, b),
      normalSignificand(a),
      normalSignificand(b),
    )
  }
}

export function setNarrowDenormal(value: bool): void {
  narrowDenormal = value
}

function addNumbers(aSign: u32, aExponent: i32, a: u64, bSign: u32, bExponent: i32, b: u64): void {
  let shift = aExponent - bExponent
  if (shift < 0 || (shift == 0 && a < b)) {
    const sig = a
    a = b
    b = sig
    const sign = aSign
    aSign = bSign
    bSign = sign
    aExponent = bExponent
    shift = -shift
  }
  let low: u64
  let high: u64
  if (shift == 0) {
    high = b
    low = 0
  } else if (shift < 64) {
    high = b >> shift
    low = b << (64 - shift)
  } else {
    high = 0
    low = shift == 64 ? b : shift < 127 ? (b >> (shift - 64)) | (b << (128 - shift) ? 1 : 0) : 1
  }
  if (aSign == bSign) {
    high += a
    if (high < a) {
      low = (high << 63) | (low >> 1) | (low & 1)
      high = (high >> 1) | HALF
      aExponent++
    }
    pack(aSign, aExponent, high, low)
    return
  }
  high = a - high - (low != 0 ? 1 : 0)
  low = 0 - low
  if (high == 0) {
    if (low == 0) {
      setResult((control() & 0xc00) == 0x400 ? 0x8000 : 0, 0)
      return
    }
    high = low
    low = 0
    aExponent -= 64
  }
  if (<i64>high >= 0) {
    const n = clz(high)
    high = (high << n) | (low >> (64 - n))
    low <<= n
    aExponent -= <i32>n
  }
  pack(aSign, aExponent, high, low)
}

/** `exponent`: sum of the biased exponents. */
function multiplyNumbers(sign: u32, exponent: i32, a: u64, b: u64): void {
  let high = multiplyHigh(a, b)
  let low = a * b
  exponent -= 0x3ffe
  if (<i64>high >= 0) {
    high = (high << 1) | (low >> 63)
    low <<= 1
    exponent--
  }
  pack(sign, exponent, high, low)
}

/** Remainder of the last divideWide. Transient. */
export let remainderWide: u64 = 0

/** high:low / d, d normalised, high < d: two steps of long division with 32-bit digits (Knuth 4.3.1 D). */
@inline
export function divideWide(high: u64, low: u64, d: u64): u64 {
  const d1 = d >> 32
  const d0 = d & LOW
  let q1 = high / d1
  let r = high - q1 * d1
  let next = low >> 32
  while (q1 > LOW || q1 * d0 > ((r << 32) | next)) {
    q1--
    r += d1
    if (r > LOW) break
  }
  const middle = ((high << 32) | next) - q1 * d
  let q0 = middle / d1
  r = middle - q0 * d1
  next = low & LOW
  while (q0 > LOW || q0 * d0 > ((r << 32) | next)) {
    q0--
    r += d1
    if (r > LOW) break
  }
  remainderWide = ((middle << 32) | next) - q0 * d
  return (q1 << 32) + q0
}

/** `exponent`: difference of the biased exponents. */
function divideNumbers(sign: u32, exponent: i32, a: u64, b: u64): void {
  let high: u64
  let low: u64 = 0
  exponent += 0x3fff
  if (a >= b) {
    high = a >> 1
    low = a << 63
  } else {
    high = a
    exponent--
  }
  const quotient = divideWide(high, low, b)
  const rest = remainderWide
  let tail: u64 = 0
  if (rest) {
    const twice = rest << 1
    tail = <i64>rest < 0 || twice > b ? 0xc000000000000000 : twice == b ? HALF : 1
  }
  pack(sign, exponent, quotient, tail)
}

// --- square root ------------------------------------------------------------------------------------------------

export function squareRoot(se: u32, sig: u64): void {
  if (!normal(se, sig) || se & 0x8000) {
    if (invalidOne(se, sig)) return
    if (sig == 0) {
      setResult(se, 0)
      return
    }
    if (se & 0x8000) {
      indefinite()
      return
    }
    if (isInfinity(se, sig)) {
      setResult(se, sig)
      return
    }
    if (isDenormal(se, sig)) {
      note(DE)
      if (stopped()) return
    }
  }
  const unbiased = normalExponent(se, sig) - 0x3fff
  const a = normalSignificand(sig)
  // N = a * 2^62 or a * 2^63, so that the exponent halves; 2^126 <= N < 2^128.
  const odd = unbiased & 1
  const high = odd ? a : a >> 1
  const low: u64 = odd ? 0 : a << 63
  // An estimate good to some 50 bits, then one correction and at most a few steps.
  const estimate = sqrt<f64>(<f64>high) * 4294967296.0
  let s: u64 = estimate >= 18446744073709551615.0 ? 0xffffffffffffffff : <u64>estimate
  if (s < HALF) s = HALF
  // rest = N - s * s, a signed number of at most 80 bits
  let square = s * s
  let restHigh = <i64>(high - multiplyHigh(s, s) - (low < square ? 1 : 0))
  const step = <i64>((restHigh << 33) | <i64>((low - square) >> 31)) / <i64>(s >> 30)
  s += step as u64
  square = s * s
  restHigh = <i64>(high - multiplyHigh(s, s) - (low < square ? 1 : 0))
  while (restHigh < 0) {
    s--
    square = s * s
    restHigh = <i64>(high - multiplyHigh(s, s) - (low < square ? 1 : 0))
  }
  let restLow = low - square
  // s is the root when rest <= 2 s
  while (<u64>restHigh > s >> 63 || (<u64>restHigh == s >> 63 && restLow > s << 1)) {
    s++
    square = s * s
    restHigh = <i64>(high - multiplyHigh(s, s) - (low < square ? 1 : 0))
    restLow = low - square
  }
  // No root lies half-way: above it exactly when rest > s.
  const tail: u64 = restHigh == 0 && restLow == 0 ? 0 : restHigh != 0 || restLow > s ? 0xc000000000000000 : 1
  pack(0, (unbiased >> 1) + 0x3fff, s, tail)
}
