// Floating point in integers: every rounding mode, denormals, exceptions (SDM 1 4.8, 4.9, 11.5). Used where the
// WebAssembly instructions are not known to give the same result and no exception. Values are bit patterns; of a
// binary32 value the low 32 bits. `single` tells the two formats apart.

import { divide128, multiplyHigh, remainder128 } from '../arithmetic'
import { DAZ, DE, FTZ, IE, mxcsr, note, OE, OM, PE, rounding, UE, UM, ZE } from './mxcsr'

const TOP: u64 = 0x8000000000000000
const SIGN64: u64 = TOP
const SIGN32: u64 = 0x80000000
const INF64: u64 = 0x7ff0000000000000
const INF32: u64 = 0x7f800000
const QUIET64: u64 = 0x0008000000000000
const QUIET32: u64 = 0x00400000
const DEFAULT64: u64 = 0xfff8000000000000
const DEFAULT32: u64 = 0xffc00000

@inline
function infinity(single: bool): u64 {
  return single ? INF32 : INF64
}

@inline
function signBit(single: bool): u64 {
  return single ? SIGN32 : SIGN64
}

@inline
function quietBit(single: bool): u64 {
  return single ? QUIET32 : QUIET64
}

@inline
export function absolute(x: u64, single: bool): u64 {
  return single ? x & 0x7fffffff : x & 0x7fffffffffffffff
}

@inline
function negative(x: u64, single: bool): bool {
  return (x & signBit(single)) != 0
}

@inline
export function isNan(x: u64, single: bool): bool {
  return absolute(x, single) > infinity(single)
}

@inline
export function isSignalling(x: u64, single: bool): bool {
  return isNan(x, single) && !(x & quietBit(single))
}

@inline
export function isDenormal(x: u64, single: bool): bool {
  const a = absolute(x, single)
  const least: u64 = single ? 0x00800000 : 0x0010000000000000
  return a != 0 && a < least
}

/** Default NaN with IE. */
export function invalid(single: bool): u64 {
  note(IE)
  return single ? DEFAULT32 : DEFAULT64
}

/** The result when a or b is a NaN: the first one, quieted (SDM 1 table 4-7). */
export function propagate(a: u64, b: u64, single: bool): u64 {
  if (isSignalling(a, single) || isSignalling(b, single)) note(IE)
  return (isNan(a, single) ? a : b) | quietBit(single)
}

/** An operand with MXCSR.DAZ applied. */
@inline
export function operand(x: u64, single: bool): u64 {
  return isDenormal(x, single) && mxcsr() & DAZ ? x & signBit(single) : x
}

/** DE for a denormal operand (DAZ is applied already). */
@inline
export function noteDenormal(x: u64, single: bool): void {
  if (isDenormal(x, single)) note(DE)
}

// --- unpacked: value = significand / 2^63 * 2^exponent, significand normalised; not for zero, infinity and NaN ------

let exponent: i32 = 0
let significand: u64 = 0

function unpack(x: u64, single: bool): void {
  const bits: u64 = single ? 23 : 52
  const a = absolute(x, single)
  const field = <i32>(a >> bits)
  const fraction = a & (((1 as u64) << bits) - 1)
  const bias = single ? 127 : 1023
  if (field == 0) {
    const n = clz(fraction)
    significand = fraction << n
    exponent = 1 - bias - <i32>(n - (63 - bits))
  } else {
    significand = (fraction | ((1 as u64) << bits)) << (63 - bits)
    exponent = field - bias
  }
}

/** Whether a magnitude with `lost` (of `half` * 2) cut off is rounded up. */
@inline
function roundsUp(sign: bool, odd: bool, lost: u64, half: u64): bool {
  switch (rounding) {
    case 0:
      return lost > half || (lost == half && odd)
    case 1:
      return sign && lost != 0
    case 2:
      return !sign && lost != 0
  }
  return false
}

/** Rounds to the format, with overflow and underflow. `sig`: normalised, its lowest bit sticky. */
export function roundPack(sign: bool, e: i32, sig: u64, single: bool): u64 {
  const bits: u64 = single ? 23 : 52
  const bias = single ? 127 : 1023
  const signed = sign ? signBit(single) : 0
  let drop = 63 - bits
  let lost = sig & (((1 as u64) << drop) - 1)
  let kept = sig >> drop
  let exp = e
  if (roundsUp(sign, (kept & 1) != 0, lost, (1 as u64) << (drop - 1))) {
    kept++
    if (kept >> (bits + 1)) {
      kept >>= 1
      exp++
    }
  }
  if (exp > bias) {
    // Unmasked, the result is the rounded one with another exponent, which may be exact (SDM 1 4.9.1.4).
    note(mxcsr() & OM || lost ? OE | PE : OE)
    const up = rounding == 0 || (rounding == 1 && sign) || (rounding == 2 && !sign)
    return signed | (up ? infinity(single) : infinity(single) - 1)
  }
  const least = 1 - bias
  if (exp < least || e < least) {
    // Tininess is detected after rounding (SDM 1 4.9.1.5).
    const tiny = exp < least
    if (tiny) {
      const control = mxcsr()
      if (!(control & UM)) {
        note(lost ? UE | PE : UE)
        return signed
      }
      if (control & FTZ) {
        note(UE | PE)
        return signed
      }
    }
    const more = <u64>(least - e)
    drop += more
    if (drop > 63) {
      lost = drop > 64 ? 1 : drop == 64 ? (sig >> 1) | (sig & 1) : sig
      // Half of the smallest denormal is the top bit of sig when 64 bits are dropped.
      if (drop == 64) kept = roundsUp(sign, false, lost, TOP >> 1) ? 1 : 0
      else kept = roundsUp(sign, false, lost, TOP) ? 1 : 0
    } else {
      lost = sig & (((1 as u64) << drop) - 1)
      kept = sig >> drop
      if (roundsUp(sign, (kept & 1) != 0, lost, (1 as u64) << (drop - 1))) kept++
    }
    if (lost) note(tiny ? UE | PE : PE)
    return signed | kept
  }
  if (lost) note(PE)
  return signed | (((<u64>(exp + bias - 1)) << bits) + kept)
}

@inline
function shiftJam(x: u64, n: u32): u64 {
  if (n == 0) return x
  if (n > 63) return x != 0 ? 1 : 0
  return (x >> n) | (x << (64 - n) != 0 ? 1 : 0)
}

/** a + b, or a - b. */
export function softAdd(x: u64, y: u64, subtract: bool, single: bool): u64 {
  const a = operand(x, single)
  let b = operand(y, single)
  if (isNan(a, single) || isNan(b, single)) return propagate(a, b, single)
  if (subtract) b ^= signBit(single)
  const inf = infinity(single)
  const signA = negative(a, single)
  const signB = negative(b, single)
  if (absolute(a, single) == inf) {
    if (absolute(b, single) == inf && signA != signB) return invalid(single)
    noteDenormal(b, single)
    return a
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  if (absolute(b, single) == inf) return b
  if (absolute(a, single) == 0) {
    if (absolute(b, single) == 0) {
      if (signA == signB) return a
      return rounding == 1 ? signBit(single) : 0
    }
    unpack(b, single)
    return roundPack(signB, exponent, significand, single)
  }
  unpack(a, single)
  let ea = exponent
  let sa = significand >> 1
  if (absolute(b, single) == 0) return roundPack(signA, ea, significand, single)
  unpack(b, single)
  let eb = exponent
  let sb = significand >> 1
  let sign = signA
  if (ea < eb || (ea == eb && sa < sb)) {
    const t = sa
    sa = sb
    sb = t
    const te = ea
    ea = eb
    eb = te
    sign = signB
  }
  sb = shiftJam(sb, ea - eb)
  const sum = signA == signB ? sa + sb : sa - sb
  if (sum == 0) return rounding == 1 ? signBit(single) : 0
  const n = clz(sum)
  return roundPack(sign, ea + 1 - <i32>n, sum << n, single)
}

export function softMultiply(x: u64, y: u64, single: bool): u64 {
  const a = operand(x, single)
  const b = operand(y, single)
  if (isNan(a, single) || isNan(b, single)) return propagate(a, b, single)
  const inf = infinity(single)
  const sign = negative(a, single) != negative(b, single)
  const signed: u64 = sign ? signBit(single) : 0
  const zero = absolute(a, single) == 0 || absolute(b, single) == 0
  if (absolute(a, single) == inf || absolute(b, single) == inf) {
    if (zero) return invalid(single)
    noteDenormal(a, single)
    noteDenormal(b, single)
    return signed | inf
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  if (zero) return signed
  unpack(a, single)
  const ea = exponent
  const sa = significand
  unpack(b, single)
  let high = multiplyHigh(sa, significand)
  let low = sa * significand
  let e = ea + exponent + 1
  if (!(high & TOP)) {
    high = (high << 1) | (low >> 63)
    low <<= 1
    e--
  }
  return roundPack(sign, e, high | (low != 0 ? 1 : 0), single)
}

export function softDivide(x: u64, y: u64, single: bool): u64 {
  const a = operand(x, single)
  const b = operand(y, single)
  if (isNan(a, single) || isNan(b, single)) return propagate(a, b, single)
  const inf = infinity(single)
  const sign = negative(a, single) != negative(b, single)
  const signed: u64 = sign ? signBit(single) : 0
  if (absolute(a, single) == inf) {
    if (absolute(b, single) == inf) return invalid(single)
    noteDenormal(b, single)
    return signed | inf
  }
  if (absolute(b, single) == inf) {
    noteDenormal(a, single)
    return signed
  }
  if (absolute(b, single) == 0) {
    if (absolute(a, single) == 0) return invalid(single)
    note(ZE)
    return signed | inf
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  if (absolute(a, single) == 0) return signed
  unpack(a, single)
  const ea = exponent
  const sa = significand
  unpack(b, single)
  let q = divide128(sa >> 1, sa << 63, significand)
  let e = ea - exponent
  const rest: u64 = remainder128 != 0 ? 1 : 0
  if (!(q & TOP)) {
    q <<= 1
    e--
  }
  return roundPack(sign, e, q | rest, single)
}

export function softSqrt(x: u64, single: bool): u64 {
  const a = operand(x, single)
  if (isNan(a, single)) return propagate(a, a, single)
  if (absolute(a, single) == 0) return a
  if (negative(a, single)) return invalid(single)
  if (a == infinity(single)) return a
  noteDenormal(a, single)
  unpack(a, single)
  // Two integer bits: [1, 4).
  let rest: u64 = 0
  let root: u64 = 0
  let radicand = exponent & 1 ? significand : significand >> 1
  for (let i = 0; i < 56; i++) {
    rest = (rest << 2) | (radicand >> 62)
    radicand <<= 2
    const trial = (root << 2) | 1
    root <<= 1
    if (rest >= trial) {
      rest -= trial
      root |= 1
    }
  }
  return roundPack(false, exponent >> 1, (root << 8) | (rest != 0 ? 1 : 0), single)
}

/**
 * x * y + z, with the product negated or the addend (SDM 2 VFMADD). NaNs: x, y, z in this order, each quieted.
 */
export function softFma(x: u64, y: u64, z: u64, negateProduct: bool, negateAddend: bool, single: bool): u64 {
  const a = operand(x, single)
  const b = operand(y, single)
  let c = operand(z, single)
  const inf = infinity(single)
  const absA = absolute(a, single)
  const absB = absolute(b, single)
  const absC = absolute(c, single)
  const nan = absA > inf || absB > inf || absC > inf
  const badProduct = (absA == inf && absB == 0) || (absA == 0 && absB == inf)
  if (nan) {
    if (isSignalling(a, single) || isSignalling(b, single) || isSignalling(c, single)) note(IE)
    if (absA > inf) return a | quietBit(single)
    if (absB > inf) return b | quietBit(single)
    return c | quietBit(single)
  }
  if (badProduct) return invalid(single)
  const signP = (negative(a, single) != negative(b, single)) != negateProduct
  if (negateAddend) c ^= signBit(single)
  const signC = negative(c, single)
  const signed: u64 = signP ? signBit(single) : 0
  if (absA == inf || absB == inf) {
    if (absC == inf && signC != signP) return invalid(single)
    noteDenormal(a, single)
    noteDenormal(b, single)
    noteDenormal(c, single)
    return signed | inf
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  noteDenormal(c, single)
  if (absC == inf) return c
  if (absA == 0 || absB == 0) {
    if (absC == 0) {
      if (signP == signC) return c
      return rounding == 1 ? signBit(single) : 0
    }
    unpack(c, single)
    return roundPack(signC, exponent, significand, single)
  }
  unpack(a, single)
  const ea = exponent
  const sa = significand
  unpack(b, single)
  let high = multiplyHigh(sa, significand)
  let low = sa * significand
  let e = ea + exponent + 1
  if (!(high & TOP)) {
    high = (high << 1) | (low >> 63)
    low <<= 1
    e--
  }
  if (absC == 0) return roundPack(signP, e, high | (low != 0 ? 1 : 0), single)
  unpack(c, single)
  let ec = exponent
  let highC = significand >> 1
  let lowC: u64 = 0
  low = (high << 63) | (low >> 1)
  high >>= 1
  let sign: bool = signP
  if (e < ec || (e == ec && (high < highC || (high == highC && low < lowC)))) {
    const th = high
    high = highC
    highC = th
    const tl = low
    low = lowC
    lowC = tl
    const te = e
    e = ec
    ec = te
    sign = signC
  }
  const d: u32 = e - ec
  if (d >= 64) {
    const jam: u64 = lowC != 0 ? 1 : 0
    lowC = shiftJam(highC | jam, d - 64)
    if (d - 64 == 0) lowC = highC | jam
    highC = 0
  } else if (d) {
    const jam: u64 = lowC << (64 - d) != 0 ? 1 : 0
    lowC = (lowC >> d) | (highC << (64 - d)) | jam
    highC >>= d
  }
  if (signP == signC) {
    const sum = low + lowC
    high = high + highC + (sum < low ? 1 : 0)
    low = sum
  } else {
    const difference = low - lowC
    high = high - highC - (low < lowC ? 1 : 0)
    low = difference
  }
  if ((high | low) == 0) return rounding == 1 ? signBit(single) : 0
  e++
  if (high == 0) {
    high = low
    low = 0
    e -= 64
  }
  const n = clz(high)
  if (n) {
    high = (high << n) | (low >> (64 - n))
    low <<= n
  }
  return roundPack(sign, e - <i32>n, high | (low != 0 ? 1 : 0), single)
}

// --- conversions -----------------------------------------------------------------------------------------------

/** binary64 to binary32. */
export function narrow(x: u64): u64 {
  const a = operand(x, false)
  const sign = a >> 63
  if (isNan(a, false)) {
    if (isSignalling(a, false)) note(IE)
    return (sign << 31) | INF32 | QUIET32 | ((a >> 29) & 0x3fffff)
  }
  const magnitude = absolute(a, false)
  if (magnitude == INF64) return (sign << 31) | INF32
  if (magnitude == 0) return sign << 31
  noteDenormal(a, false)
  unpack(a, false)
  return roundPack(sign != 0, exponent, significand, true)
}

/** binary32 to binary64: exact. */
export function widen(x: u64): u64 {
  const a = operand(x, true)
  const sign = (a & SIGN32) << 32
  if (isNan(a, true)) {
    if (isSignalling(a, true)) note(IE)
    return sign | INF64 | QUIET64 | ((a & 0x3fffff) << 29)
  }
  const magnitude = absolute(a, true)
  if (magnitude == INF32) return sign | INF64
  if (magnitude == 0) return sign
  noteDenormal(a, true)
  unpack(a, true)
  return sign | (((<u64>(exponent + 1022)) << 52) + (significand >> 11))
}

/** To a signed integer of `bits` bits; the integer indefinite, with IE, when it does not fit. No DE (SDM 2 CVTSD2SI). */
export function toInteger(x: u64, bits: u32, mode: u32, single: bool): u64 {
  const indefinite: u64 = bits == 32 ? 0x80000000 : TOP
  const a = operand(x, single)
  if (absolute(a, single) >= infinity(single)) {
    note(IE)
    return indefinite
  }
  if (absolute(a, single) == 0) return 0
  const sign = negative(a, single)
  unpack(a, single)
  if (exponent > 63) {
    note(IE)
    return indefinite
  }
  let value: u64
  let up: bool
  let lost: u64
  if (exponent == 63) {
    value = significand
    lost = 0
    up = false
  } else if (exponent < -1) {
    value = 0
    lost = 1
    up = (mode == 1 && sign) || (mode == 2 && !sign)
  } else {
    // 63 - exponent: 1 to 64 bits are cut off.
    const n: u64 = 63 - exponent
    value = n == 64 ? 0 : significand >> n
    lost = n == 64 ? significand : significand << (64 - n)
    up =
      mode == 0
        ? lost > TOP || (lost == TOP && (value & 1) != 0)
        : lost != 0 && ((mode == 1 && sign) || (mode == 2 && !sign))
  }
  if (up) value++
  const limit: u64 = (bits == 32 ? 0x7fffffff : 0x7fffffffffffffff) + (sign ? 1 : 0)
  if (value > limit) {
    note(IE)
    return indefinite
  }
  if (lost) note(PE)
  return sign ? -value : value
}

/** From a signed integer (sign-extended to 64 bits). */
export function fromInteger(x: i64, single: bool): u64 {
  if (x == 0) return 0
  const magnitude: u64 = x < 0 ? -x : x
  const n = clz(magnitude)
  return roundPack(x < 0, 63 - <i32>n, magnitude << n, single)
}

/** To an integral value in the same format (ROUNDPS). `quiet`: no PE. */
export function roundToIntegral(x: u64, mode: u32, quiet: bool, single: bool): u64 {
  const a = operand(x, single)
  if (isNan(a, single)) return propagate(a, a, single)
  if (absolute(a, single) == 0 || absolute(a, single) == infinity(single)) return a
  const sign = negative(a, single)
  unpack(a, single)
  const bits = single ? 23 : 52
  if (exponent >= bits) return a
  let value: u64 = 0
  let lost: u64 = 1
  let up: bool
  if (exponent < -1) up = (mode == 1 && sign) || (mode == 2 && !sign)
  else {
    const n: u64 = 63 - exponent
    value = n == 64 ? 0 : significand >> n
    lost = n == 64 ? significand : significand << (64 - n)
    up =
      mode == 0
        ? lost > TOP || (lost == TOP && (value & 1) != 0)
        : lost != 0 && ((mode == 1 && sign) || (mode == 2 && !sign))
  }
  if (up) value++
  if (lost && !quiet) note(PE)
  const signed: u64 = sign ? signBit(single) : 0
  if (!value) return signed
  const n = clz(value)
  const e = <u64>(63 - <i32>n + (single ? 127 : 1023) - 1)
  return signed | ((e << bits) + ((value << n) >> (63 - bits)))
}

/** binary16 to binary32 (VCVTPH2PS): exact; denormals of the source are not touched by DAZ and raise nothing. */
export function widenHalf(h: u32): u32 {
  const sign = (h & 0x8000) << 16
  const field = (h >> 10) & 31
  const fraction = h & 0x3ff
  if (field == 31) {
    if (!fraction) return sign | 0x7f800000
    if (!(fraction & 0x200)) note(IE)
    return sign | 0x7fc00000 | (fraction << 13)
  }
  if (field) return sign | ((field + 112) << 23) | (fraction << 13)
  if (!fraction) return sign
  const n = clz(fraction) - 21
  return sign | ((113 - n) << 23) | (((fraction << n) & 0x3ff) << 13)
}

/** binary32 to binary16 (VCVTPS2PH) with rounding `mode`; FTZ does not apply (SDM 2 VCVTPS2PH). */
export function narrowHalf(x: u32, mode: u32): u32 {
  const a = operand(x as u64, true)
  const sign: u32 = <u32>(a >> 16) & 0x8000
  if (isNan(a, true)) {
    if (isSignalling(a, true)) note(IE)
    return sign | 0x7e00 | (<u32>(a >> 13) & 0x1ff)
  }
  const magnitude = absolute(a, true)
  if (magnitude == INF32) return sign | 0x7c00
  if (magnitude == 0) return sign
  noteDenormal(a, true)
  unpack(a, true)
  // Round to 11 bits with the exponent unbounded, to know what is tiny.
  const negativeSign = sign != 0
  let e = exponent
  let lost = significand & 0x1fffffffffffff
  let kept = significand >> 53
  if (halfUp(negativeSign, (kept & 1) != 0, lost, 0x10000000000000, mode)) {
    kept++
    if (kept >> 11) {
      kept >>= 1
      e++
    }
  }
  if (e > 15) {
    note(mxcsr() & OM || lost ? OE | PE : OE)
    const up = mode == 0 || (mode == 1 && negativeSign) || (mode == 2 && !negativeSign)
    return sign | (up ? 0x7c00 : 0x7bff)
  }
  if (exponent < -14) {
    const tiny = e < -14
    if (tiny && !(mxcsr() & UM)) {
      // What a handler would get has its exponent unbounded: whether that is exact is another question (IEEE 754 7.5). A denormal
      // operand counts as inexact on the processor, whatever its bits are.
      note(lost || magnitude < 0x800000 ? UE | PE : UE)
      return sign
    }
    const drop: u64 = 53 + <u64>(-14 - exponent)
    if (drop > 63) {
      lost = drop == 64 ? significand : 1
      kept = halfUp(negativeSign, false, lost, TOP, mode) ? 1 : 0
    } else {
      lost = significand & (((1 as u64) << drop) - 1)
      kept = significand >> drop
      if (halfUp(negativeSign, (kept & 1) != 0, lost, (1 as u64) << (drop - 1), mode)) kept++
    }
    if (lost) note(tiny ? UE | PE : PE)
    return sign | <u32>kept
  }
  if (lost) note(PE)
  return sign | <u32>(((<u64>(e + 14)) << 10) + kept)
}

function halfUp(sign: bool, odd: bool, lost: u64, half: u64, mode: u32): bool {
  if (mode == 0) return lost > half || (lost == half && odd)
  return lost != 0 && ((mode == 1 && sign) || (mode == 2 && !sign))
}
