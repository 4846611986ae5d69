// What a vector instruction computes within 16 bytes: a switch by opcode map and mandatory prefix, then by opcode.

import { CPU_XSAVE } from '../../layout'
import { VECTOR_BYTES_SHIFT, VECTOR_VEX, VECTOR_W } from '../decode-simd'
import { cpu } from '../context'
import { aes, aesKeyAssist, sha, shaRounds } from './crypto'
import { HIGH } from './execute'
import {
  approximate,
  compare,
  convertFromInteger,
  convertToInteger,
  dotDoubles,
  dotSingles,
  doublesToDwords,
  doublesToSingles,
  doubleToSingle,
  dwordsToDoubles,
  dwordsToSingles,
  fuse,
  horizontal,
  lane32,
  lane64,
  packed32,
  packed64,
  reciprocal,
  reciprocalRoot,
  roundLanes,
  singlesToDoubles,
  singlesToDwords,
  twoDwordsToSingles,
  twoSinglesToDwords,
} from './float'
import {
  align,
  blendMask,
  carrylessMultiply,
  extend,
  integer0F,
  integer38,
  mmx0F,
  mmx38,
  shuffleDoubles,
  shuffleDwords,
  shuffleHighWords,
  shuffleLowWords,
  shuffleSingles,
} from './integer'
import { widen } from './soft-float'

const XMM0: usize = CPU_XSAVE + 160
const YMM_HIGH: usize = 576 - 160

@inline
function low64(x: v128): u64 {
  return i64x2.extract_lane(x, 0)
}

@inline
function low32(x: v128): u32 {
  return i32x4.extract_lane(x, 0)
}

@inline
function merge32(a: v128, r: u32): v128 {
  return i32x4.replace_lane(a, 0, r)
}

@inline
function merge64(a: v128, r: u64): v128 {
  return i64x2.replace_lane(a, 0, r)
}

/** r in the low 64 bits, zeros above. */
@inline
function only64(r: u64): v128 {
  return i64x2.replace_lane(i64x2.splat(0), 0, r)
}

/**
 * Result of instruction `number` (O_AUX) for sources a and b; `flags`: O_AUX2, with HIGH for the upper half of a YMM
 * register. `dst`: the destination, which FMA reads.
 */
export function compute(number: u32, a: v128, b: v128, flags: u32, dst: usize = 0): v128 {
  const opcode = number & 0xff
  switch (number >> 8) {
    case 0x10:
      return plain0F(opcode, a, b, flags)
    case 0x11:
      return prefixed0F(opcode, a, b, flags)
    case 0x12:
      return single0F(opcode, a, b, flags)
    case 0x13:
      return double0F(opcode, a, b, flags)
    case 0x20:
      return opcode >= 0xc8 ? sha(opcode, v128.load(dst), b) : mmx38(opcode, a, b)
    case 0x21:
      return prefixed38(opcode, a, b, flags, dst)
    case 0x30:
      return opcode == 0xcc ? shaRounds(flags & 3, v128.load(dst), b) : alignMmx(a, b, flags & 0xff)
    default:
      return prefixed3A(opcode, a, b, flags)
  }
}

function alignMmx(a: v128, b: v128, n: u32): v128 {
  // b:a as 16 bytes; what comes in beyond is zero.
  return align(v128.shuffle<u64>(b, a, 0, 2), i64x2.splat(0), n)
}

/** 0F without prefix: packed single, MMX. */
function plain0F(opcode: u32, a: v128, b: v128, flags: u32): v128 {
  if (opcode >= 0x60 && opcode != 0xc2 && opcode != 0xc6) {
    if (opcode == 0x6e || opcode == 0x6f) return b
    if (opcode == 0xc4) return mmxInsertWord(a, b, flags & 3)
    return mmx0F(opcode, a, b, flags & 0xff)
  }
  switch (opcode) {
    case 0x10:
    case 0x28:
      return b
    case 0x12:
      // MOVLPS; MOVHLPS between registers
      return i64x2.replace_lane(a, 0, isMemory(flags) ? low64(b) : i64x2.extract_lane(b, 1))
    case 0x16:
      return v128.shuffle<u64>(a, b, 0, 2)
    case 0x14:
      return v128.shuffle<u32>(a, b, 0, 4, 1, 5)
    case 0x15:
      return v128.shuffle<u32>(a, b, 2, 6, 3, 7)
    case 0x2a:
      return merge64(a, twoDwordsToSingles(b))
    case 0x2c:
    case 0x2d:
      return only64(twoSinglesToDwords(b, opcode == 0x2c))
    case 0x52:
    case 0x53:
      return approximate(opcode, b)
    case 0x54:
      return v128.and(a, b)
    case 0x55:
      return v128.andnot(b, a)
    case 0x56:
      return v128.or(a, b)
    case 0x57:
      return v128.xor(a, b)
    case 0x5b:
      return dwordsToSingles(b)
    case 0x5a:
      return singlesToDoubles(b)
    case 0xc2:
      return compare(predicate(flags), a, b, true, 4)
    case 0xc6:
      return shuffleSingles(a, b, flags & 0xff)
  }
  return packed32(opcode, a, b)
}

@inline
function isMemory(flags: u32): bool {
  return (flags & (1 << 15)) != 0
}

/** The legacy encoding has eight predicates, VEX 32. */
@inline
function predicate(flags: u32): u32 {
  return flags & (flags & VECTOR_VEX ? 31 : 7)
}

function mmxInsertWord(a: v128, b: v128, n: u32): v128 {
  const shift: u64 = n * 16
  return only64((low64(a) & ~((0xffff as u64) << shift)) | ((low64(b) & 0xffff) << shift))
}

function insertWord(a: v128, b: v128, n: u32): v128 {
  const mask = blendMask(2, 1 << n)
  return v128.bitselect(i16x8.splat(low32(b) as i16), a, mask)
}

/** 0F with 66h: packed double, SSE2 integers. */
function prefixed0F(opcode: u32, a: v128, b: v128, flags: u32): v128 {
  if (opcode >= 0x60) {
    switch (opcode) {
      case 0x6e:
      case 0x6f:
        return b
      case 0x7c:
      case 0x7d:
      case 0xd0:
        return horizontal(opcode, a, b, false)
      case 0xc2:
        return compare(predicate(flags), a, b, false, 2)
      case 0xc4:
        return insertWord(a, b, flags & 7)
      case 0xc6:
        return shuffleDoubles(a, b, flags & HIGH ? (flags >> 2) & 3 : flags & 3)
      case 0xe6:
        return doublesToDwords(b, true)
    }
    return integer0F(opcode, a, b, flags & 0xff)
  }
  switch (opcode) {
    case 0x10:
    case 0x28:
      return b
    case 0x12:
      return merge64(a, low64(b))
    case 0x16:
      return v128.shuffle<u64>(a, b, 0, 2)
    case 0x14:
      return v128.shuffle<u64>(a, b, 0, 2)
    case 0x15:
      return v128.shuffle<u64>(a, b, 1, 3)
    case 0x2a:
      return dwordsToDoubles(b)
    case 0x2c:
    case 0x2d:
      return doublesToDwords(b, opcode == 0x2c)
    case 0x54:
      return v128.and(a, b)
    case 0x55:
      return v128.andnot(b, a)
    case 0x56:
      return v128.or(a, b)
    case 0x57:
      return v128.xor(a, b)
    case 0x5a:
      return doublesToSingles(b)
    case 0x5b:
      return singlesToDwords(b, false)
  }
  return packed64(opcode, a, b)
}

/** 0F with F3h: scalar single and some others. */
function single0F(opcode: u32, a: v128, b: v128, flags: u32): v128 {
  switch (opcode) {
    case 0x10:
      return isMemory(flags) ? b : merge32(a, low32(b))
    case 0x12:
      return v128.shuffle<u32>(b, b, 0, 0, 2, 2)
    case 0x16:
      return v128.shuffle<u32>(b, b, 1, 1, 3, 3)
    case 0x2a:
      return merge32(a, <u32>convertFromInteger(integerSource(b, flags), true))
    case 0x52:
      return merge32(a, reciprocalRoot(low32(b)))
    case 0x53:
      return merge32(a, reciprocal(low32(b)))
    case 0x5a:
      return merge64(a, widen(low32(b)))
    case 0x5b:
      return singlesToDwords(b, true)
    case 0x6f:
      return b
    case 0x70:
      return shuffleHighWords(b, flags & 0xff)
    case 0x7e:
    case 0xd6:
      return only64(low64(b))
    case 0xc2:
      return compare(predicate(flags), a, b, true, 1)
    case 0xe6:
      return dwordsToDoubles(b)
  }
  return merge32(a, lane32(opcode, low32(a), low32(b)))
}

/** CVTSI2SS, CVTSI2SD: 4 or 8 bytes. */
function integerSource(b: v128, flags: u32): i64 {
  return ((flags >> VECTOR_BYTES_SHIFT) & 63) == 8 ? i64x2.extract_lane(b, 0) : <i64>i32x4.extract_lane(b, 0)
}

/** 0F with F2h: scalar double and some others. */
function double0F(opcode: u32, a: v128, b: v128, flags: u32): v128 {
  switch (opcode) {
    case 0x10:
      return isMemory(flags) ? b : merge64(a, low64(b))
    case 0x12:
      return v128.shuffle<u64>(b, b, 0, 0)
    case 0x2a:
      return merge64(a, convertFromInteger(integerSource(b, flags), false))
    case 0x5a:
      return merge32(a, <u32>doubleToSingle(low64(b)))
    case 0x70:
      return shuffleLowWords(b, flags & 0xff)
    case 0x7c:
    case 0x7d:
    case 0xd0:
      return horizontal(opcode, a, b, true)
    case 0xc2:
      return compare(predicate(flags), a, b, false, 1)
    case 0xd6:
      return only64(low64(b))
    case 0xe6:
      return doublesToDwords(b, false)
    case 0xf0:
      return b
  }
  return merge64(a, lane64(opcode, low64(a), low64(b)))
}

/** 0F 38 with 66h. */
function prefixed38(opcode: u32, a: v128, b: v128, flags: u32, dst: usize): v128 {
  if ((opcode >= 0x20 && opcode <= 0x25) || (opcode >= 0x30 && opcode <= 0x35)) return extend(opcode, b)
  if (opcode >= 0x96 && opcode <= 0xbf) return multiplyAdd(opcode, a, b, flags, dst)
  if (opcode >= 0xdb) return aes(opcode, a, b)
  switch (opcode) {
    case 0x0c:
      // VPERMILPS
      return permuteSingles(a, b)
    case 0x0d: {
      const low = i64x2.extract_lane(b, 0) & 2 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0)
      const high = i64x2.extract_lane(b, 1) & 2 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0)
      return i64x2.replace_lane(i64x2.splat(low), 1, high)
    }
    case 0x10:
      return v128.bitselect(b, a, i8x16.shr_s(v128.load(cpu, XMM0), 7))
    case 0x14:
      return v128.bitselect(b, a, i32x4.shr_s(v128.load(cpu, XMM0), 31))
    case 0x15:
      return v128.bitselect(b, a, i64x2.shr_s(v128.load(cpu, XMM0), 63))
  }
  return integer38(opcode, a, b, (flags & VECTOR_W) != 0)
}

function permuteSingles(a: v128, control: v128): v128 {
  const lanes = v128.and(control, i32x4.splat(3))
  return i8x16.swizzle(a, i32x4.add(i32x4.mul(lanes, i32x4.splat(0x04040404)), i32x4.splat(0x03020100)))
}

/** VFMADD and relatives: which of destination, vvvv (a) and r/m (b) are factors is in the opcode's high digit. */
function multiplyAdd(opcode: u32, a: v128, b: v128, flags: u32, dst: usize): v128 {
  const d = v128.load(dst)
  const order = opcode >> 4
  // 132: d * b + a; 213: a * d + b; 231: a * b + d.
  const x = order == 9 ? d : a
  const y = order == 10 ? d : b
  const z = order == 9 ? a : order == 10 ? b : d
  const kind = opcode & 15
  const scalar = kind >= 9 && (kind & 1) != 0
  const single = !(flags & VECTOR_W)
  // 6 addsub, 7 subadd, 8-9 madd, A-B msub, C-D nmadd, E-F nmsub
  const negateProduct = kind >= 12
  const even = kind == 6 || kind == 10 || kind == 11 || kind >= 14
  const odd = kind == 7 || kind == 10 || kind == 11 || kind >= 14
  if (single) {
    let r = merge32(d, <u32>fuse(low32(x), low32(y), low32(z), negateProduct, even, true))
    if (scalar) return r
    r = i32x4.replace_lane(
      r,
      1,
      <u32>(
        fuse(
          u32(i32x4.extract_lane(x, 1)),
          u32(i32x4.extract_lane(y, 1)),
          u32(i32x4.extract_lane(z, 1)),
          negateProduct,
          odd,
          true,
        )
      ),
    )
    r = i32x4.replace_lane(
      r,
      2,
      <u32>(
        fuse(
          u32(i32x4.extract_lane(x, 2)),
          u32(i32x4.extract_lane(y, 2)),
          u32(i32x4.extract_lane(z, 2)),
          negateProduct,
          even,
          true,
        )
      ),
    )
    return i32x4.replace_lane(
      r,
      3,
      <u32>(
        fuse(
          u32(i32x4.extract_lane(x, 3)),
          u32(i32x4.extract_lane(y, 3)),
          u32(i32x4.extract_lane(z, 3)),
          negateProduct,
          odd,
          true,
        )
      ),
    )
  }
  const r = merge64(d, fuse(low64(x), low64(y), low64(z), negateProduct, even, false))
  if (scalar) return r
  return i64x2.replace_lane(
    r,
    1,
    fuse(
      i64x2.extract_lane(x, 1),
      i64x2.extract_lane(y, 1),
      i64x2.extract_lane(z, 1),
      negateProduct,
      odd,
      false,
    ),
  )
}

/** 0F 3A with 66h. */
function prefixed3A(opcode: u32, a: v128, b: v128, flags: u32): v128 {
  const imm = flags & 0xff
  switch (opcode) {
    case 0x04:
      return shuffleDwords(b, imm)
    case 0x05:
      return shuffleDoubles(b, b, flags & HIGH ? (imm >> 2) & 3 : imm & 3)
    case 0x08:
      return roundLanes(imm, a, b, true, 4)
    case 0x09:
      return roundLanes(imm, a, b, false, 2)
    case 0x0a:
      return roundLanes(imm, a, b, true, 1)
    case 0x0b:
      return roundLanes(imm, a, b, false, 1)
    case 0x0f:
      return align(b, a, imm)
    case 0x20:
      return v128.bitselect(i8x16.splat(low32(b) as i8), a, i8x16.eq(BYTES, i8x16.splat((imm & 15) as i8)))
    case 0x21:
      return insertSingle(a, b, imm, isMemory(flags))
    case 0x22:
      if (((flags >> VECTOR_BYTES_SHIFT) & 63) == 8)
        return imm & 1 ? i64x2.replace_lane(a, 1, low64(b)) : i64x2.replace_lane(a, 0, low64(b))
      return v128.bitselect(i32x4.splat(low32(b)), a, blendMask(4, 1 << (imm & 3)))
    case 0x40:
      return dotSingles(imm, a, b, (flags & HIGH) != 0)
    case 0x41:
      return dotDoubles(imm, a, b)
    case 0x44:
      return carrylessMultiply(
        imm & 1 ? i64x2.extract_lane(a, 1) : low64(a),
        imm & 16 ? i64x2.extract_lane(b, 1) : low64(b),
      )
    case 0x4a:
    case 0x4b:
    case 0x4c: {
      // The mask register is named by the immediate (SDM 2 VBLENDVPS).
      const mask = v128.load(cpu + XMM0 + (imm >> 4) * 16 + (flags & HIGH ? YMM_HIGH : 0))
      const bits =
        opcode == 0x4a ? i32x4.shr_s(mask, 31) : opcode == 0x4b ? i64x2.shr_s(mask, 63) : i8x16.shr_s(mask, 7)
      return v128.bitselect(b, a, bits)
    }
    case 0xdf:
      return aesKeyAssist(b, imm)
  }
  return b
}

const BYTES: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/** INSERTPS. */
function insertSingle(a: v128, b: v128, imm: u32, memory: bool): v128 {
  const chosen = memory ? b : shuffleDwords(b, imm >> 6)
  const r = v128.bitselect(i32x4.splat(low32(chosen)), a, blendMask(4, 1 << ((imm >> 4) & 3)))
  return v128.andnot(r, blendMask(4, imm & 15))
}

/** Instructions with a general register as destination. */
export function computeToGpr(number: u32, b: v128, flags: u32): u64 {
  const wide = flags & VECTOR_W ? (1 as u32) : 0
  switch (number) {
    case 0x122c:
    case 0x122d:
      return cut(convertToInteger(low32(b), wide ? 64 : 32, number == 0x122c, true), wide)
    case 0x132c:
    case 0x132d:
      return cut(convertToInteger(low64(b), wide ? 64 : 32, number == 0x132c, false), wide)
    case 0x1050:
      return u32(i32x4.bitmask(b))
    case 0x1150:
      return u32(i64x2.bitmask(b))
    case 0x10c5:
      return (low64(b) >> ((flags & 3) * 16)) & 0xffff
    case 0x11c5: {
      const half = flags & 4 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0)
      return (<u64>half >> ((flags & 3) * 16)) & 0xffff
    }
    case 0x10d7:
      return u32(i8x16.bitmask(b)) & 0xff
  }
  return u32(i8x16.bitmask(b))
}

@inline
function cut(value: u64, wide: u32): u64 {
  return wide ? value : value & 0xffffffff
}
