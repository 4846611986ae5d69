// F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS (SDM 1 8.3.6 to 8.3.10), computed with some 110 good bits, so
// that results differ from the exactly rounded one only where that is a matter of a hair. Arguments of the
// trigonometric instructions are reduced, as processors do it, by a pi of 66 bits (SDM 1 8.3.8): the reduced argument is
// exact for that pi.

import {
  indefinite,
  invalidOne,
  invalidPair,
  isDenormal,
  isInfinity,
  normalExponent,
  normalSignificand,
  packFull,
  result,
  resultSe,
  setResult,
} from './arithmetic'
import {
  ARCTANGENTS,
  FACTORIALS,
  LN2_HIGH,
  LN2_LOW,
  LOG2E_HIGH,
  LOG2E_LOW,
  ODD,
  PI_HIGH,
  PI_LOW,
} from './constants'
import { C1, DE, exceptions, INTEGER_BIT, note, noteOnly, PE, stopped, UE, ZE } from './state'
import {
  divide,
  growBy,
  high,
  low,
  multiply,
  normalise,
  reduceBy,
  scaleOf,
  setWide,
  shiftRight,
  times,
} from './wide'

const BIAS: i32 = 0x3fff
/** 4 * (the 66 bits of pi): pi * 2^66. */
const PI_66_HIGH: u64 = 0xc
const PI_66_LOW: u64 = 0x90fdaa22168c234c
/** Exponents below which sine and tangent, and the arc tangent, are the argument itself. */
const TINY: i32 = -68
const TINY_ANGLE: i32 = -40

/** What FPTAN and FSINCOS push: 1, or the cosine. Transient. */
export let secondResult: u64 = 0
export let secondResultSe: u32 = 0

/** Rounds the wide result; a transcendental result is never exact. */
function packWide(sign: u32): void {
  packFull(sign, scaleOf + BIAS, high, low | 1)
}

/**
 * What is so small that the function is its argument: processors give that whatever the rounding, say that it is inexact,
 * and that it underflows if it is denormal, though nothing was lost (seen on silicon: FSIN, FSINCOS, FPTAN below 2^-68,
 * FPATAN below 2^-40).
 */
function packTiny(sign: u32, exponent: i32, h: u64, l: u64): void {
  packFull(sign, exponent + BIAS, h, l)
  note((resultSe & 0x7fff) == 0 ? UE | PE : PE)
}

// --- series ------------------------------------------------------------------------------------------------------

/**
 * z (t0 - z (t1 - z (t2 - ...))), or with plus signs, z = zh:zl and the terms fractions of one, `step` apart in
 * a table; into high:low.
 */
function series(zh: u64, zl: u64, table: usize, first: u32, step: u32, terms: u32, plus: bool): void {
  let at = table + <usize>(first + step * (terms - 1)) * 16
  let h = load<u64>(at)
  let l = load<u64>(at, 8)
  for (let k: u32 = 1; k < terms; k++) {
    at -= <usize>step * 16
    multiply(zh, zl, h, l)
    const th = load<u64>(at)
    const tl = load<u64>(at, 8)
    if (plus) {
      l = tl + low
      h = th + high + (l < tl ? 1 : 0)
    } else {
      l = tl - low
      h = th - high - (tl < low ? 1 : 0)
    }
  }
  multiply(zh, zl, h, l)
}

/** Square of h:l * 2^e (e < 0) as a fraction, into high:low. */
function squareFraction(h: u64, l: u64, e: i32): void {
  multiply(h, l, h, l)
  // 2.126 bits times 2^2e
  const n = -2 * e - 2
  shiftRight(high, low, n)
}

// --- sine and cosine ---------------------------------------------------------------------------------------------

let quadrant: u32 = 0
let argumentNegative: bool = false
let argumentHigh: u64 = 0
let argumentLow: u64 = 0
let argumentExponent: i32 = 0

/** Reduces |x| < 2^63 to at most pi / 4. */
function reduce(e: i32, sig: u64): void {
  argumentNegative = false
  quadrant = 0
  if (e < -1) {
    argumentHigh = sig
    argumentLow = 0
    argumentExponent = e
    return
  }
  // In units of 2^-67, where pi / 2 is PI_66: one bit of the argument after the other.
  let h: u64 = 0
  let l = sig
  let q: u32 = 0
  for (let i = e + 4; i > 0; i--) {
    h = (h << 1) | (l >> 63)
    l <<= 1
    q <<= 1
    if (h > PI_66_HIGH || (h == PI_66_HIGH && l >= PI_66_LOW)) {
      h -= PI_66_HIGH + (l < PI_66_LOW ? 1 : 0)
      l -= PI_66_LOW
      q++
    }
  }
  const twice = (h << 1) | (l >> 63)
  if (twice > PI_66_HIGH || (twice == PI_66_HIGH && l << 1 > PI_66_LOW)) {
    h = PI_66_HIGH - h - (PI_66_LOW < l ? 1 : 0)
    l = PI_66_LOW - l
    argumentNegative = true
    q++
  }
  quadrant = q & 3
  setWide(h, l, 127 - 67)
  normalise()
  argumentHigh = high
  argumentLow = low
  argumentExponent = scaleOf
}

/** Sine of the reduced argument's magnitude. */
function sineOfArgument(): void {
  const h = argumentHigh
  const l = argumentLow
  squareFraction(h, l, argumentExponent)
  series(high, low, FACTORIALS, 1, 2, 14, false)
  reduceBy(h, l, high, low, argumentExponent)
}

function cosineOfArgument(): void {
  squareFraction(argumentHigh, argumentLow, argumentExponent)
  series(high, low, FACTORIALS, 0, 2, 14, false)
  if ((high | low) == 0) {
    setWide(INTEGER_BIT, 0, 0)
    return
  }
  setWide(0 - high - (low != 0 ? 1 : 0), 0 - low, -1)
  normalise()
}

/** What sine, cosine and tangent have in common for special operands: 0 go on, 1 done, 2 out of range. */
function trigonometricSpecial(se: u32, sig: u64): u32 {
  if (invalidOne(se, sig)) return 1
  if (isInfinity(se, sig)) {
    indefinite()
    return 1
  }
  if (isDenormal(se, sig)) {
    note(DE)
    if (stopped()) return 1
  }
  return (se & 0x7fff) >= 0x3fff + 63 ? 2 : 0
}

function sineOf(sign: u32): void {
  if (argumentExponent < TINY) {
    // Not reduced: pi has 66 bits, so a remainder is no smaller.
    packTiny(sign, argumentExponent, argumentHigh, argumentLow)
    return
  }
  if (quadrant & 1) cosineOfArgument()
  else {
    sineOfArgument()
    if (argumentNegative) sign ^= 0x8000
  }
  packWide(quadrant & 2 ? sign ^ 0x8000 : sign)
}

function cosineOf(): void {
  let sign: u32 = 0
  if (quadrant & 1) {
    sineOfArgument()
    if (!argumentNegative) sign = 0x8000
  } else cosineOfArgument()
  packWide(quadrant & 2 ? sign ^ 0x8000 : sign)
}

/** FSIN. False, nothing done, when the operand is out of range. */
export function sine(se: u32, sig: u64): bool {
  const special = trigonometricSpecial(se, sig)
  if (special) return special == 1
  if (sig == 0) setResult(se, sig)
  else {
    reduce(normalExponent(se, sig) - BIAS, normalSignificand(sig))
    sineOf(se & 0x8000)
  }
  return true
}

export function cosine(se: u32, sig: u64): bool {
  const special = trigonometricSpecial(se, sig)
  if (special) return special == 1
  if (sig == 0) setResult(BIAS, INTEGER_BIT)
  else {
    reduce(normalExponent(se, sig) - BIAS, normalSignificand(sig))
    cosineOf()
  }
  return true
}

/** FSINCOS: the sine is the result, the cosine the second one. */
export function sineCosine(se: u32, sig: u64): bool {
  const special = trigonometricSpecial(se, sig)
  if (special == 2) return false
  if (special) {
    secondResultSe = resultSe
    secondResult = result
    return true
  }
  if (sig == 0) {
    secondResultSe = BIAS
    secondResult = INTEGER_BIT
    setResult(se, sig)
    return true
  }
  reduce(normalExponent(se, sig) - BIAS, normalSignificand(sig))
  cosineOf()
  secondResultSe = resultSe
  secondResult = result
  noteOnly(exceptions & ~C1)
  sineOf(se & 0x8000)
  return true
}

/** FPTAN: the tangent is the result, 1 the second one. */
export function tangent(se: u32, sig: u64): bool {
  const special = trigonometricSpecial(se, sig)
  if (special == 2) return false
  secondResultSe = BIAS
  secondResult = INTEGER_BIT
  if (special) {
    secondResultSe = resultSe
    secondResult = result
    return true
  }
  if (sig == 0) {
    setResult(se, sig)
    return true
  }
  reduce(normalExponent(se, sig) - BIAS, normalSignificand(sig))
  if (argumentExponent < TINY && quadrant == 0) {
    packTiny(se & 0x8000, argumentExponent, argumentHigh, argumentLow)
    return true
  }
  if (argumentExponent < -60 && !(quadrant & 1)) {
    // x (1 + x^2 / 3): a hair above x
    setWide(argumentHigh, argumentLow, argumentExponent)
    packWide(argumentNegative ? ~se & 0x8000 : se & 0x8000)
    return true
  }
  sineOfArgument()
  const sh = high
  const sl = low
  const e = scaleOf
  cosineOfArgument()
  let sign = se & 0x8000
  if (argumentNegative) sign ^= 0x8000
  if (quadrant & 1) {
    divide(high, low, sh, sl, scaleOf - e)
    sign ^= 0x8000
  } else divide(sh, sl, high, low, e - scaleOf)
  packWide(sign)
  return true
}

// --- arc tangent -------------------------------------------------------------------------------------------------

/** pi times `quarters` / 4, with a sign. */
function packPi(sign: u32, quarters: u32): void {
  if (quarters == 3) {
    // 3/4 pi = pi - pi / 4, in 2.126 bits
    shiftRight(PI_HIGH, PI_LOW, 2)
    setWide(PI_HIGH - high - (PI_LOW < low ? 1 : 0), PI_LOW - low, 1)
  } else setWide(PI_HIGH, PI_LOW, quarters == 4 ? 1 : quarters == 2 ? 0 : -1)
  normalise()
  packWide(sign)
}

/** FPATAN: the angle of the point (x, y). */
export function arcTangent(ySe: u32, y: u64, xSe: u32, x: u64): void {
  if (invalidPair(ySe, y, xSe, x)) return
  if (isDenormal(ySe, y) || isDenormal(xSe, x)) {
    note(DE)
    if (stopped()) return
  }
  const sign = ySe & 0x8000
  const left = (xSe & 0x8000) != 0
  if (isInfinity(ySe, y)) {
    packPi(sign, isInfinity(xSe, x) ? (left ? 3 : 1) : 2)
    return
  }
  if (isInfinity(xSe, x) || y == 0) {
    if (left) {
      packPi(sign, 4)
      return
    }
    setResult(sign, 0)
    return
  }
  if (x == 0) {
    packPi(sign, 2)
    return
  }
  let ea = normalExponent(ySe, y)
  let a = normalSignificand(y)
  let eb = normalExponent(xSe, x)
  let b = normalSignificand(x)
  const steep = ea > eb || (ea == eb && a > b)
  if (steep) {
    const e = ea
    ea = eb
    eb = e
    const s = a
    a = b
    b = s
  }
  const d = eb - ea
  let index: u32 = 0
  if (d < 7) index = <u32>((<f64>a / <f64>b) * (32.0 / <f64>(1 << d)) + 0.5)
  let negative = false
  let nothing = false
  if (index == 0) {
    divide(a, 0, b, 0, -d)
    if (scaleOf < TINY_ANGLE && !steep && !left) {
      packTiny(sign, scaleOf, high, low)
      return
    }
  } else {
    // (32 a - i b) / (32 b + i a), both exact
    shiftRight(a, 0, 7 + d)
    const ah = high
    const al = low
    const bh = b >> 7
    const bl = b << 57
    const i = index as u64
    let nh = (ah << 5) | (al >> 59)
    let nl = al << 5
    const ih = i * bh + multiplyHighSmall(bl, i)
    const il = i * bl
    negative = nh < ih || (nh == ih && nl < il)
    if (negative) {
      nh = ih - nh - (il < nl ? 1 : 0)
      nl = il - nl
    } else {
      nh = nh - ih - (nl < il ? 1 : 0)
      nl -= il
    }
    const sum = (bl << 5) + i * al
    const carry: u64 = sum < bl << 5 ? 1 : 0
    const dh = ((bh << 5) | (bl >> 59)) + i * ah + multiplyHighSmall(al, i) + carry
    setWide(dh, sum, 0)
    normalise()
    const dHigh = high
    const dLow = low
    const de = scaleOf
    setWide(nh, nl, 0)
    normalise()
    nothing = high == 0
    if (!nothing) divide(high, low, dHigh, dLow, scaleOf - de)
  }
  let h: u64 = 0
  let l: u64 = 0
  let e: i32 = 0
  if (!nothing) {
    h = high
    l = low
    e = scaleOf
    squareFraction(h, l, e)
    series(high, low, ODD, 0, 1, 10, false)
    reduceBy(h, l, high, low, e)
    h = high
    l = low
    e = scaleOf
  }
  if (index) {
    // Into a fraction of one, beside the table's
    const n = -1 - e
    if (nothing) setWide(0, 0, 0)
    else shiftRight(h, l, n)
    const th = load<u64>(ARCTANGENTS + <usize>index * 16)
    const tl = load<u64>(ARCTANGENTS + <usize>index * 16, 8)
    if (negative) setWide(th - high - (tl < low ? 1 : 0), tl - low, -1)
    else {
      const sum = tl + low
      setWide(th + high + (sum < tl ? 1 : 0), sum, -1)
    }
    normalise()
    h = high
    l = low
    e = scaleOf
  } else setWide(h, l, e)
  if (steep || left) {
    // In 2.126 bits: pi / 2 -+ angle, or pi - angle
    const n = 1 - e
    shiftRight(h, l, n)
    let ph = PI_HIGH
    let pl = PI_LOW
    if (steep) {
      pl = (pl >> 1) | (ph << 63)
      ph >>= 1
    }
    if (steep && left) {
      const sum = pl + low
      setWide(ph + high + (sum < pl ? 1 : 0), sum, 1)
    } else setWide(ph - high - (pl < low ? 1 : 0), pl - low, 1)
    normalise()
  }
  packWide(sign)
}

/** Upper half of a 64-bit number times one below 2^32. */
function multiplyHighSmall(a: u64, b: u64): u64 {
  return ((a >> 32) * b + (((a & 0xffffffff) * b) >> 32)) >> 32
}

// --- logarithms --------------------------------------------------------------------------------------------------

let logNegative: bool = false
let logExact: bool = false

/** log2 of (1.127 bits mh:ml) * 2^e, whose sign is left in logNegative. Zero leaves a zero significand. */
function logarithmOf(mh: u64, ml: u64, e: i32): void {
  logExact = false
  if (mh == INTEGER_BIT && ml == 0) {
    logExact = true
    logNegative = e < 0
    setWide((<u64>(e < 0 ? -e : e)) << 48, 0, 15)
    normalise()
    return
  }
  // s = (m - 1) / (m + 1) with m between sqrt(1/2) and sqrt(2); everything halved to fit
  const upper = mh >= 0xb504f333f9de6484
  let nh: u64
  let nl: u64
  let dh = mh >> 1
  const dl = (ml >> 1) | (mh << 63)
  if (upper) {
    nh = 0 - mh - (ml != 0 ? 1 : 0)
    nl = 0 - ml
    dh += INTEGER_BIT
    e++
  } else {
    nh = mh - INTEGER_BIT
    nl = ml
    dh += 0x4000000000000000
  }
  setWide(dh, dl, 1)
  normalise()
  const dHigh = high
  const dLow = low
  const de = scaleOf
  setWide(nh, nl, 0)
  normalise()
  divide(high, low, dHigh, dLow, scaleOf - de)
  fromRatio()
  if (e == 0) {
    logNegative = upper
    return
  }
  // e + log2(m), in 16.112 bits
  const n = 15 - scaleOf
  shiftRight(high, low, n)
  const negative = e < 0
  const whole = (<u64>(negative ? -e : e)) << 48
  if (negative == upper) setWide(whole + high, low, 15)
  else setWide(whole - high - (low != 0 ? 1 : 0), 0 - low, 15)
  normalise()
  logNegative = negative
}

/** From s = high:low * 2^scaleOf to 2 / ln 2 * atanh(s). */
function fromRatio(): void {
  const h = high
  const l = low
  const e = scaleOf
  squareFraction(h, l, e)
  series(high, low, ODD, 0, 1, 22, true)
  growBy(h, l, high, low, e)
  times(high, low, LOG2E_HIGH, LOG2E_LOW, scaleOf + 1)
}

/** The logarithm in high:low, scaleOf times y. */
function timesY(ySe: u32, y: u64): void {
  const negative: u32 = logNegative ? 0x8000 : 0
  times(high, low, normalSignificand(y), 0, scaleOf + normalExponent(ySe, y) - BIAS)
  const sign = (ySe & 0x8000) ^ negative
  if (logExact) {
    packFull(sign, scaleOf + BIAS, high, low)
    note((resultSe & 0x7fff) == 0 ? PE | UE : PE)
  } else packWide(sign)
}

/** FYL2X: y * log2(x). */
export function logarithm(xSe: u32, x: u64, ySe: u32, y: u64): void {
  if (invalidPair(xSe, x, ySe, y)) return
  const ySign = ySe & 0x8000
  const yInfinite = isInfinity(ySe, y)
  if (xSe & 0x8000 && x != 0) {
    indefinite()
    return
  }
  if (x == 0) {
    if (y == 0) {
      indefinite()
      return
    }
    if (yInfinite) {
      setResult((ySign ^ 0x8000) | 0x7fff, INTEGER_BIT)
      return
    }
    // A denormal y is not reported then.
    note(ZE)
    setResult((ySign ^ 0x8000) | 0x7fff, INTEGER_BIT)
    return
  }
  const one = xSe == 0x3fff && x == INTEGER_BIT
  const xInfinite = isInfinity(xSe, x)
  if ((xInfinite && y == 0) || (one && yInfinite)) {
    indefinite()
    return
  }
  if (isDenormal(xSe, x) || isDenormal(ySe, y)) {
    note(DE)
    if (stopped()) return
  }
  const below = xSe < 0x3fff
  const sign = below ? ySign ^ 0x8000 : ySign
  if (xInfinite || yInfinite) {
    setResult(sign | 0x7fff, INTEGER_BIT)
    return
  }
  if (y == 0 || one) {
    setResult(sign, 0)
    return
  }
  logarithmOf(normalSignificand(x), 0, normalExponent(xSe, x) - BIAS)
  timesY(ySe, y)
}

/** FYL2XP1: y * log2(x + 1). */
export function logarithmPlusOne(xSe: u32, x: u64, ySe: u32, y: u64): void {
  if (invalidPair(xSe, x, ySe, y)) return
  const sign = (xSe ^ ySe) & 0x8000
  const yInfinite = isInfinity(ySe, y)
  const xInfinite = isInfinity(xSe, x)
  if ((x == 0 && yInfinite) || (xInfinite && (y == 0 || xSe & 0x8000))) {
    indefinite()
    return
  }
  if (isDenormal(xSe, x) || isDenormal(ySe, y)) {
    note(DE)
    if (stopped()) return
  }
  if (xInfinite || yInfinite) {
    setResult(sign | 0x7fff, INTEGER_BIT)
    return
  }
  if (x == 0 || y == 0) {
    setResult(sign, 0)
    return
  }
  const e = normalExponent(xSe, x) - BIAS
  const s = normalSignificand(x)
  const negative = (xSe & 0x8000) != 0
  if (e >= 0 && negative) {
    // At or below -1 the result is undefined (SDM 2A FYL2XP1); processors hand back the operand.
    note(PE)
    setResult(xSe, x)
    return
  }
  if (e < -2) {
    // s = x / (2 + x), the denominator in 2.126 bits
    const n = 1 - e
    shiftRight(s, 0, n)
    if (negative) setWide(INTEGER_BIT - high - (low != 0 ? 1 : 0), 0 - low, 1)
    else setWide(INTEGER_BIT + high, low, 1)
    normalise()
    divide(s, 0, high, low, e - scaleOf)
    fromRatio()
    logNegative = negative
    logExact = false
  } else if (e > 70) logarithmOf(s, 0, e)
  else {
    // 1 + x, exact up to 2^63
    if (negative) {
      shiftRight(s, 0, <u32>-e)
      setWide(INTEGER_BIT - high - (low != 0 ? 1 : 0), 0 - low, 0)
      normalise()
    } else if (e < 0) {
      shiftRight(s, 0, <u32>-e)
      setWide(INTEGER_BIT + high, low, 0)
    } else {
      shiftRight(INTEGER_BIT, 0, <u32>e)
      const h = s + high
      if (h < s) setWide((h >> 1) | INTEGER_BIT, (low >> 1) | (h << 63), e + 1)
      else setWide(h, low, e)
    }
    logarithmOf(high, low, scaleOf)
  }
  timesY(ySe, y)
}

// --- exponential -------------------------------------------------------------------------------------------------

/** F2XM1: 2^x - 1 for |x| <= 1. */
export function exponential(se: u32, sig: u64): void {
  if (invalidOne(se, sig)) return
  if (isInfinity(se, sig)) {
    setResult(se & 0x8000 ? 0xbfff : se, sig)
    return
  }
  if (sig == 0) {
    setResult(se, sig)
    return
  }
  if (isDenormal(se, sig)) {
    note(DE)
    if (stopped()) return
  }
  const e = normalExponent(se, sig) - BIAS
  const sign = se & 0x8000
  if (e >= 0) {
    // Beyond the range the result is undefined; processors hand back the operand, and 2^-1 - 1 is exact.
    note(PE)
    setResult(e == 0 && sig == INTEGER_BIT && sign ? 0xbffe : se, sig)
    return
  }
  times(normalSignificand(sig), 0, LN2_HIGH, LN2_LOW, e - 1)
  const h = high
  const l = low
  const ze = scaleOf
  const n = -1 - ze
  shiftRight(h, l, n)
  series(high, low, FACTORIALS, 0, 1, 29, sign == 0)
  if (sign) reduceBy(h, l, high, low, ze)
  else growBy(h, l, high, low, ze)
  packWide(sign)
}
