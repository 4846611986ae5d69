// Packed and scalar floating point. WebAssembly's f32 and f64 instructions round to nearest as the processor does; what
// they leave out is decided here: where a NaN, a denormal, an overflow, an underflow or a directed rounding may be
// involved, and where PE is not yet set and the result not seen to be exact, soft-float.ts computes instead.

import {
  IE,
  MASKS,
  mxcsr,
  note,
  noteNothing,
  noteStep,
  PE,
  raised,
  roundAsControlled,
  takeRaised,
} from './mxcsr'
import {
  fromInteger,
  isNan,
  isSignalling,
  narrow,
  noteDenormal,
  operand,
  roundToIntegral,
  softAdd,
  softDivide,
  softFma,
  softMultiply,
  softSqrt,
  toInteger,
  widen,
} from './soft-float'

// Operations, by the opcodes of ADDPS and the like.
export const SQRT: u32 = 0x51
export const ADD: u32 = 0x58
export const MUL: u32 = 0x59
export const SUB: u32 = 0x5c
export const MIN: u32 = 0x5d
export const DIV: u32 = 0x5e
export const MAX: u32 = 0x5f

const EXPONENT64: u64 = 0x7ff0000000000000
const RC: u32 = 0x6000

/** Round to nearest, everything masked. */
@inline
function simple(control: u32): bool {
  return (control & (RC | MASKS)) == MASKS
}

/** Exponent field of a normal number other than the least ones, which a rounded tiny result might have become. */
@inline
function ordinary64(x: u64): bool {
  return ((x >> 52) & 0x7ff) - 2 < 0x7fd
}

@inline
function ordinary32(x: u32): bool {
  return ((x >> 23) & 0xff) - 2 < 0xfd
}

/** Zero or normal. */
@inline
function plain64(x: u64): bool {
  return ((x >> 52) & 0x7ff) != 0 || x << 1 == 0
}

@inline
function plain32(x: u32): bool {
  return ((x >> 23) & 0xff) != 0 || x << 1 == 0
}

function softLane(opcode: u32, a: u64, b: u64, single: bool): u64 {
  switch (opcode) {
    case SQRT:
      return softSqrt(b, single)
    case ADD:
      return softAdd(a, b, false, single)
    case SUB:
      return softAdd(a, b, true, single)
    case MUL:
      return softMultiply(a, b, single)
    case DIV:
      return softDivide(a, b, single)
  }
  return extremum(opcode == MIN, a, b, single)
}

/** MINSD, MAXSD: the second operand unless the first is less (greater); any NaN is invalid (SDM 2 MINSD). */
function extremum(least: bool, x: u64, y: u64, single: bool): u64 {
  const a = operand(x, single)
  const b = operand(y, single)
  if (isNan(a, single) || isNan(b, single)) {
    note(IE)
    return b
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  const r = relation(a, b, single)
  return (least ? r == LESS : r == GREATER) ? a : b
}

const LESS: u32 = 1
const EQUAL: u32 = 2
const GREATER: u32 = 4
const UNORDERED: u32 = 8

/** How two values compare, NaNs apart. */
function relation(a: u64, b: u64, single: bool): u32 {
  const x: f64 = single ? <f64>reinterpret<f32>(a as u32) : reinterpret<f64>(a)
  const y: f64 = single ? <f64>reinterpret<f32>(b as u32) : reinterpret<f64>(b)
  return x < y ? LESS : x > y ? GREATER : EQUAL
}

/** Whether the product of two significands (without hidden bit) has at most `bits` bits. */
@inline
function exactProduct(a: u64, b: u64, bits: u64): bool {
  const zerosA = ctz(a | ((1 as u64) << bits))
  const zerosB = ctz(b | ((1 as u64) << bits))
  return zerosA == bits || zerosB == bits || zerosA + zerosB > bits
}

/** One binary64 operation. */
export function lane64(opcode: u32, a: u64, b: u64): u64 {
  const control = mxcsr()
  if (simple(control) && plain64(b) && (opcode == SQRT || plain64(a))) {
    const x = reinterpret<f64>(a)
    const y = reinterpret<f64>(b)
    let r: f64
    let exact: bool = (control & PE) != 0
    switch (opcode) {
      case ADD: {
        r = x + y
        if (!exact) {
          const t = r - x
          exact = x - (r - t) + (y - t) == 0
        }
        if (exact && r == 0) return reinterpret<u64>(r)
        break
      }
      case SUB: {
        r = x - y
        if (!exact) {
          const t = r - x
          exact = x - (r - t) + (-y - t) == 0
        }
        if (exact && r == 0) return reinterpret<u64>(r)
        break
      }
      case MUL:
        r = x * y
        if (r == 0 && (x == 0 || y == 0)) return reinterpret<u64>(r)
        if (!exact) exact = exactProduct(a, b, 52)
        break
      case DIV:
        r = x / y
        if (!exact) exact = ctz(b | 0x10000000000000) == 52
        break
      case SQRT:
        r = sqrt<f64>(y)
        if (!exact) {
          // A root of at most 26 bits squares exactly.
          exact = ctz(reinterpret<u64>(r)) >= 27 && r * r == y
        }
        break
      case MIN:
        if (isNan(a, false) || isNan(b, false)) return extremum(true, a, b, false)
        return x < y ? a : b
      default:
        if (isNan(a, false) || isNan(b, false)) return extremum(false, a, b, false)
        return x > y ? a : b
    }
    if (exact && ordinary64(reinterpret<u64>(r))) return reinterpret<u64>(r)
  }
  roundAsControlled()
  return softLane(opcode, a, b, false)
}

/** One binary32 operation, on the low 32 bits. */
export function lane32(opcode: u32, a: u32, b: u32): u32 {
  const control = mxcsr()
  if (simple(control) && plain32(b) && (opcode == SQRT || plain32(a))) {
    const x = reinterpret<f32>(a)
    const y = reinterpret<f32>(b)
    let r: f32
    let exact: bool = (control & PE) != 0
    switch (opcode) {
      case ADD: {
        r = x + y
        if (!exact) {
          const t = r - x
          exact = x - (r - t) + (y - t) == 0
        }
        if (exact && r == 0) return reinterpret<u32>(r)
        break
      }
      case SUB: {
        r = x - y
        if (!exact) {
          const t = r - x
          exact = x - (r - t) + (-y - t) == 0
        }
        if (exact && r == 0) return reinterpret<u32>(r)
        break
      }
      case MUL:
        r = x * y
        if (r == 0 && (x == 0 || y == 0)) return reinterpret<u32>(r)
        if (!exact) exact = <f64>x * <f64>y == <f64>r
        break
      case DIV:
        r = x / y
        if (!exact) exact = <f64>r * <f64>y == <f64>x
        break
      case SQRT:
        r = sqrt<f32>(y)
        if (!exact) exact = <f64>r * <f64>r == <f64>y
        break
      case MIN:
        if (isNan(a, true) || isNan(b, true)) return <u32>extremum(true, a, b, true)
        return x < y ? a : b
      default:
        if (isNan(a, true) || isNan(b, true)) return <u32>extremum(false, a, b, true)
        return x > y ? a : b
    }
    if (exact && ordinary32(reinterpret<u32>(r))) return reinterpret<u32>(r)
  }
  roundAsControlled()
  return <u32>softLane(opcode, a, b, true)
}

// --- packed ----------------------------------------------------------------------------------------------------

@inline
function join64(low: u64, high: u64): v128 {
  return i64x2.replace_lane(i64x2.splat(low), 1, high)
}

@inline
function join32(a: u32, b: u32, c: u32, d: u32): v128 {
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(a), 1, b), 2, c), 3, d)
}

const ABSOLUTE64: v128 = i64x2.splat(0x7fffffffffffffff)
const ABSOLUTE32: v128 = i32x4.splat(0x7fffffff)

/** Whether every lane is zero or normal, infinite or NaN: no denormals. */
@inline
function plainLanes64(x: v128): bool {
  const a = v128.and(x, ABSOLUTE64)
  const denormal = v128.and(i64x2.gt_s(i64x2.splat(0x0010000000000000), a), i64x2.ne(a, i64x2.splat(0)))
  return !v128.any_true(denormal)
}

@inline
function plainLanes32(x: v128): bool {
  const a = v128.and(x, ABSOLUTE32)
  const denormal = v128.and(i32x4.gt_s(i32x4.splat(0x00800000), a), i32x4.ne(a, i32x4.splat(0)))
  return !v128.any_true(denormal)
}

/** Whether every lane of a result is ordinary, or zero where `zero` has ones. */
@inline
function settled64(r: v128, zero: v128): bool {
  const a = v128.and(r, ABSOLUTE64)
  const ordinary = v128.and(
    i64x2.gt_s(i64x2.splat(EXPONENT64), a),
    i64x2.gt_s(a, i64x2.splat(0x001fffffffffffff)),
  )
  return i64x2.all_true(v128.or(ordinary, v128.and(i64x2.eq(a, i64x2.splat(0)), zero)))
}

@inline
function settled32(r: v128, zero: v128): bool {
  const a = v128.and(r, ABSOLUTE32)
  const ordinary = v128.and(i32x4.gt_s(i32x4.splat(0x7f800000), a), i32x4.gt_s(a, i32x4.splat(0x00ffffff)))
  return i32x4.all_true(v128.or(ordinary, v128.and(i32x4.eq(a, i32x4.splat(0)), zero)))
}

/** One of the operations above on two binary64 lanes. */
export function packed64(opcode: u32, a: v128, b: v128): v128 {
  const control = mxcsr()
  if (simple(control) && control & PE && plainLanes64(b) && (opcode == SQRT || plainLanes64(a))) {
    const zero = f64x2.splat(0)
    switch (opcode) {
      case ADD: {
        const r = f64x2.add(a, b)
        if (settled64(r, i64x2.splat(-1))) return r
        break
      }
      case SUB: {
        const r = f64x2.sub(a, b)
        if (settled64(r, i64x2.splat(-1))) return r
        break
      }
      case MUL: {
        const r = f64x2.mul(a, b)
        if (settled64(r, v128.or(f64x2.eq(a, zero), f64x2.eq(b, zero)))) return r
        break
      }
      case DIV: {
        const r = f64x2.div(a, b)
        if (settled64(r, f64x2.eq(a, zero))) return r
        break
      }
      case SQRT: {
        const r = f64x2.sqrt(b)
        if (settled64(r, i64x2.splat(-1))) return r
        break
      }
    }
  }
  return join64(
    lane64(opcode, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0)),
    lane64(opcode, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1)),
  )
}

export function packed32(opcode: u32, a: v128, b: v128): v128 {
  const control = mxcsr()
  if (simple(control) && control & PE && plainLanes32(b) && (opcode == SQRT || plainLanes32(a))) {
    const zero = f32x4.splat(0)
    switch (opcode) {
      case ADD: {
        const r = f32x4.add(a, b)
        if (settled32(r, i32x4.splat(-1))) return r
        break
      }
      case SUB: {
        const r = f32x4.sub(a, b)
        if (settled32(r, i32x4.splat(-1))) return r
        break
      }
      case MUL: {
        const r = f32x4.mul(a, b)
        if (settled32(r, v128.or(f32x4.eq(a, zero), f32x4.eq(b, zero)))) return r
        break
      }
      case DIV: {
        const r = f32x4.div(a, b)
        if (settled32(r, f32x4.eq(a, zero))) return r
        break
      }
      case SQRT: {
        const r = f32x4.sqrt(b)
        if (settled32(r, i32x4.splat(-1))) return r
        break
      }
    }
  }
  return join32(
    lane32(opcode, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)),
    lane32(opcode, i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)),
    lane32(opcode, i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)),
    lane32(opcode, i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)),
  )
}

/** HADDPS 7C, HSUBPS 7D; ADDSUBPS D0. */
export function horizontal(opcode: u32, a: v128, b: v128, single: bool): v128 {
  const what: u32 = opcode == 0x7c ? ADD : SUB
  if (single) {
    if (opcode != 0xd0)
      return packed32(what, v128.shuffle<u32>(a, b, 0, 2, 4, 6), v128.shuffle<u32>(a, b, 1, 3, 5, 7))
    return join32(
      lane32(SUB, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)),
      lane32(ADD, i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)),
      lane32(SUB, i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)),
      lane32(ADD, i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)),
    )
  }
  if (opcode != 0xd0) return packed64(what, v128.shuffle<u64>(a, b, 0, 2), v128.shuffle<u64>(a, b, 1, 3))
  return join64(
    lane64(SUB, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0)),
    lane64(ADD, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1)),
  )
}

// --- comparisons -----------------------------------------------------------------------------------------------

/** For each predicate the relations it is true for (SDM 2 CMPPD table 3-1); those from 10h only signal otherwise. */
const TRUTH: u64 = 0xf4650b9a7ced8312

/** Compares a and b as predicate `p` says. */
function compareLane(p: u32, x: u64, y: u64, single: bool): bool {
  const a = operand(x, single)
  const b = operand(y, single)
  let r: u32
  if (isNan(a, single) || isNan(b, single)) {
    const low = p & 3
    const signals = (low == 1 || low == 2) != ((p & 0x10) != 0)
    if (signals || isSignalling(a, single) || isSignalling(b, single)) note(IE)
    r = UNORDERED
  } else {
    noteDenormal(a, single)
    noteDenormal(b, single)
    r = relation(a, b, single)
  }
  return (<u32>(TRUTH >> ((p & 15) * 4)) & 15 & r) != 0
}

/** CMPPD, CMPPS; `lanes`: how many, the others come from a. */
export function compare(p: u32, a: v128, b: v128, single: bool, lanes: u32): v128 {
  let r = a
  if (single) {
    r = i32x4.replace_lane(
      r,
      0,
      compareLane(p, u32(i32x4.extract_lane(a, 0)), u32(i32x4.extract_lane(b, 0)), true) ? -1 : 0,
    )
    if (lanes == 1) return r
    r = i32x4.replace_lane(
      r,
      1,
      compareLane(p, u32(i32x4.extract_lane(a, 1)), u32(i32x4.extract_lane(b, 1)), true) ? -1 : 0,
    )
    r = i32x4.replace_lane(
      r,
      2,
      compareLane(p, u32(i32x4.extract_lane(a, 2)), u32(i32x4.extract_lane(b, 2)), true) ? -1 : 0,
    )
    return i32x4.replace_lane(
      r,
      3,
      compareLane(p, u32(i32x4.extract_lane(a, 3)), u32(i32x4.extract_lane(b, 3)), true) ? -1 : 0,
    )
  }
  r = i64x2.replace_lane(
    r,
    0,
    compareLane(p, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0), false) ? -1 : 0,
  )
  if (lanes == 1) return r
  return i64x2.replace_lane(
    r,
    1,
    compareLane(p, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1), false) ? -1 : 0,
  )
}

/** UCOMISD, COMISD (`signalling`): ZF, PF, CF as a value of RFLAGS (SDM 2 COMISD). */
export function compareFlags(x: u64, y: u64, signalling: bool, single: bool): u32 {
  const a = operand(x, single)
  const b = operand(y, single)
  if (isNan(a, single) || isNan(b, single)) {
    if (signalling || isSignalling(a, single) || isSignalling(b, single)) note(IE)
    return 0x45
  }
  noteDenormal(a, single)
  noteDenormal(b, single)
  const r = relation(a, b, single)
  return r == EQUAL ? 0x40 : r == LESS ? 1 : 0
}

// --- conversions -----------------------------------------------------------------------------------------------

/** Rounding mode of MXCSR, or truncation. */
@inline
function modeOf(truncate: bool): u32 {
  return truncate ? 3 : (mxcsr() >> 13) & 3
}

export function convertToInteger(x: u64, bits: u32, truncate: bool, single: bool): u64 {
  return toInteger(x, bits, modeOf(truncate), single)
}

export function convertFromInteger(x: i64, single: bool): u64 {
  roundAsControlled()
  return fromInteger(x, single)
}

/** CVTPS2DQ, CVTTPS2DQ. */
export function singlesToDwords(b: v128, truncate: bool): v128 {
  const mode = modeOf(truncate)
  return join32(
    <u32>toInteger(u32(i32x4.extract_lane(b, 0)), 32, mode, true),
    <u32>toInteger(u32(i32x4.extract_lane(b, 1)), 32, mode, true),
    <u32>toInteger(u32(i32x4.extract_lane(b, 2)), 32, mode, true),
    <u32>toInteger(u32(i32x4.extract_lane(b, 3)), 32, mode, true),
  )
}

/** CVTPD2DQ, CVTTPD2DQ: two dwords, the rest zero. */
export function doublesToDwords(b: v128, truncate: bool): v128 {
  const mode = modeOf(truncate)
  return join32(
    <u32>toInteger(i64x2.extract_lane(b, 0), 32, mode, false),
    <u32>toInteger(i64x2.extract_lane(b, 1), 32, mode, false),
    0,
    0,
  )
}

export function dwordsToSingles(b: v128): v128 {
  roundAsControlled()
  return join32(
    <u32>fromInteger(i32x4.extract_lane(b, 0), true),
    <u32>fromInteger(i32x4.extract_lane(b, 1), true),
    <u32>fromInteger(i32x4.extract_lane(b, 2), true),
    <u32>fromInteger(i32x4.extract_lane(b, 3), true),
  )
}

/** CVTPI2PS: two dwords. */
export function twoDwordsToSingles(b: v128): u64 {
  roundAsControlled()
  const low = fromInteger(i32x4.extract_lane(b, 0), true)
  return low | (fromInteger(i32x4.extract_lane(b, 1), true) << 32)
}

/** CVTPS2PI, CVTTPS2PI. */
export function twoSinglesToDwords(b: v128, truncate: bool): u64 {
  const mode = modeOf(truncate)
  const low = toInteger(u32(i32x4.extract_lane(b, 0)), 32, mode, true) & 0xffffffff
  return low | (toInteger(u32(i32x4.extract_lane(b, 1)), 32, mode, true) << 32)
}

/** Low two dwords to doubles: exact. */
export function dwordsToDoubles(b: v128): v128 {
  return f64x2.convert_low_i32x4_s(b)
}

export function doublesToSingles(b: v128): v128 {
  roundAsControlled()
  const low = <u32>narrow(i64x2.extract_lane(b, 0))
  return join32(low, <u32>narrow(i64x2.extract_lane(b, 1)), 0, 0)
}

export function singlesToDoubles(b: v128): v128 {
  const low = widen(u32(i32x4.extract_lane(b, 0)))
  return join64(low, widen(u32(i32x4.extract_lane(b, 1))))
}

export function doubleToSingle(x: u64): u64 {
  roundAsControlled()
  return narrow(x)
}

// --- SSE4.1 ----------------------------------------------------------------------------------------------------

/** ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD: lanes as in compare(). */
export function roundLanes(imm: u32, a: v128, b: v128, single: bool, lanes: u32): v128 {
  const mode: u32 = imm & 4 ? (mxcsr() >> 13) & 3 : imm & 3
  const quiet = (imm & 8) != 0
  let r = a
  if (single) {
    r = i32x4.replace_lane(r, 0, <u32>roundToIntegral(u32(i32x4.extract_lane(b, 0)), mode, quiet, true))
    if (lanes == 1) return r
    r = i32x4.replace_lane(r, 1, <u32>roundToIntegral(u32(i32x4.extract_lane(b, 1)), mode, quiet, true))
    r = i32x4.replace_lane(r, 2, <u32>roundToIntegral(u32(i32x4.extract_lane(b, 2)), mode, quiet, true))
    return i32x4.replace_lane(r, 3, <u32>roundToIntegral(u32(i32x4.extract_lane(b, 3)), mode, quiet, true))
  }
  r = i64x2.replace_lane(r, 0, roundToIntegral(i64x2.extract_lane(b, 0), mode, quiet, false))
  if (lanes == 1) return r
  return i64x2.replace_lane(r, 1, roundToIntegral(i64x2.extract_lane(b, 1), mode, quiet, false))
}

// DPPS and DPPD multiply, then add: an unmasked exception of one step keeps the next from being taken, in both halves of a
// YMM register alike. Here every step is taken, and its exceptions are counted if it should have been. Transient.
let products: u32 = 0
let pairs: u32 = 0
let sums: u32 = 0

function dotExceptions(high: bool, product: u32, pair: u32, sum: u32): void {
  products = high ? products | product : product
  pairs = high ? pairs | pair : pair
  sums = high ? sums | sum : sum
  noteNothing()
  if (noteStep(products) && noteStep(pairs)) noteStep(sums)
}

/** DPPS: products of the lanes bits 4-7 choose, summed in pairs, to the lanes bits 0-3 choose. */
export function dotSingles(imm: u32, a: v128, b: v128, high: bool): v128 {
  noteNothing()
  const p0: u32 = imm & 0x10 ? lane32(MUL, i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)) : 0
  const p1: u32 = imm & 0x20 ? lane32(MUL, i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)) : 0
  const p2: u32 = imm & 0x40 ? lane32(MUL, i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)) : 0
  const p3: u32 = imm & 0x80 ? lane32(MUL, i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)) : 0
  const product = takeRaised()
  // Of two NaNs the first operand's comes out, and every lane has an order of its own (Intel's processors; the SDM has
  // one sum for all of them).
  const s0 = lane32(ADD, p1, p0)
  const s1 = lane32(ADD, p0, p1)
  const s2 = lane32(ADD, p3, p2)
  const s3 = lane32(ADD, p2, p3)
  const pair = takeRaised()
  const sum = lane32(ADD, s0, s2)
  dotExceptions(high, product, pair, raised)
  if (!isNan32(sum)) return join32(imm & 1 ? sum : 0, imm & 2 ? sum : 0, imm & 4 ? sum : 0, imm & 8 ? sum : 0)
  const found = takeRaised()
  const r = join32(
    imm & 1 ? sum : 0,
    imm & 2 ? lane32(ADD, s1, s3) : 0,
    imm & 4 ? lane32(ADD, s2, s0) : 0,
    imm & 8 ? lane32(ADD, s3, s1) : 0,
  )
  takeRaised()
  note(found)
  return r
}

export function dotDoubles(imm: u32, a: v128, b: v128): v128 {
  const p0: u64 = imm & 0x10 ? lane64(MUL, i64x2.extract_lane(a, 0), i64x2.extract_lane(b, 0)) : 0
  const p1: u64 = imm & 0x20 ? lane64(MUL, i64x2.extract_lane(a, 1), i64x2.extract_lane(b, 1)) : 0
  const product = takeRaised()
  const sum = lane64(ADD, p0, p1)
  const r = join64(imm & 1 ? sum : 0, imm & 2 ? lane64(ADD, p1, p0) : 0)
  dotExceptions(false, product, 0, raised)
  return r
}

@inline
function isNan32(x: u32): bool {
  return (x & 0x7fffffff) > 0x7f800000
}

// --- approximations --------------------------------------------------------------------------------------------

// Intel's processors look these up: in each of 2,048 (RCPPS) or 2 * 1,024 (RSQRTPS) intervals of the significand the result is
// that of the interval's middle, rounded to 12 bits. All of it was compared with silicon.

/** Value `x` in [0.5, 1) as a significand of 12 bits, with the exponent field `exponent` for [0.5, 1). */
@inline
function twelveBits(x: f64, exponent: u32): u32 {
  return (exponent << 23) + ((<u32>(x * 8192.0 + 0.5) - 4096) << 11)
}

/** RCPPS, one lane; denormals are zeros, nothing is raised (SDM 2 RCPPS). */
export function reciprocal(x: u32): u32 {
  const sign = x & 0x80000000
  const a = x & 0x7fffffff
  if (a > 0x7f800000) return x | 0x00400000
  if (a < 0x00800000) return sign | 0x7f800000
  const exponent = 253 - <i32>(a >> 23)
  // A result that would be denormal is zero.
  if (exponent < 1) return sign
  const middle = 1.0 + (<f64>((a >> 12) & 0x7ff) + 0.5) / 2048.0
  return sign | twelveBits(1.0 / middle, exponent)
}

/** RSQRTPS, one lane. */
export function reciprocalRoot(x: u32): u32 {
  const sign = x & 0x80000000
  const a = x & 0x7fffffff
  if (a > 0x7f800000) return x | 0x00400000
  if (a < 0x00800000) return sign | 0x7f800000
  if (sign) return 0xffc00000
  if (a == 0x7f800000) return 0
  const exponent = a >> 23
  // An odd distance from 1 leaves a factor of 2 under the root.
  const odd = (exponent & 1) == 0
  const middle = (1.0 + (<f64>((a >> 13) & 0x3ff) + 0.5) / 1024.0) * (odd ? 2.0 : 1.0)
  return twelveBits(1.0 / sqrt<f64>(middle), 126 - ((exponent - (odd ? 128 : 127)) as i32) / 2)
}

export function approximate(opcode: u32, b: v128): v128 {
  if (opcode == 0x53)
    return join32(
      reciprocal(i32x4.extract_lane(b, 0)),
      reciprocal(i32x4.extract_lane(b, 1)),
      reciprocal(i32x4.extract_lane(b, 2)),
      reciprocal(i32x4.extract_lane(b, 3)),
    )
  return join32(
    reciprocalRoot(i32x4.extract_lane(b, 0)),
    reciprocalRoot(i32x4.extract_lane(b, 1)),
    reciprocalRoot(i32x4.extract_lane(b, 2)),
    reciprocalRoot(i32x4.extract_lane(b, 3)),
  )
}

// --- FMA -------------------------------------------------------------------------------------------------------

/** x * y + z in one lane. */
export function fuse(x: u64, y: u64, z: u64, negateProduct: bool, negateAddend: bool, single: bool): u64 {
  roundAsControlled()
  return softFma(x, y, z, negateProduct, negateAddend, single)
}
