// Packed integer arithmetic, 16 bytes at a time: WebAssembly's vector instructions are exact for it (SDM 2 PADDB and
// so on). MMX instructions are the same on the low 64 bits, but for those that join two operands.

/** Scratch for lanes chosen at run time would be memory; a swizzle with a computed control needs none. */
@inline
function dwordControl(imm: u32): v128 {
  const base = i32x4.splat(0x03020100)
  const lanes = i32x4.replace_lane(
    i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(imm & 3), 1, (imm >> 2) & 3), 2, (imm >> 4) & 3),
    3,
    (imm >> 6) & 3,
  )
  return i32x4.add(i32x4.mul(lanes, i32x4.splat(0x04040404)), base)
}

/** PSHUFD. */
export function shuffleDwords(b: v128, imm: u32): v128 {
  return i8x16.swizzle(b, dwordControl(imm))
}

function wordControl(imm: u32): u64 {
  const w: u64 =
    ((imm & 3) as u64) |
    (((imm as u64) & 0x0c) << 14) |
    (((imm as u64) & 0x30) << 28) |
    (((imm as u64) & 0xc0) << 42)
  return w * 0x0202 + 0x0100010001000100
}

/** PSHUFW, PSHUFLW: the low four words. */
export function shuffleLowWords(b: v128, imm: u32): v128 {
  return i8x16.swizzle(b, i64x2.replace_lane(i64x2.splat(0x0f0e0d0c0b0a0908), 0, wordControl(imm)))
}

export function shuffleHighWords(b: v128, imm: u32): v128 {
  const control = wordControl(imm) + 0x0808080808080808
  return i8x16.swizzle(b, i64x2.replace_lane(i64x2.splat(0x0706050403020100), 1, control))
}

/** SHUFPS. */
export function shuffleSingles(a: v128, b: v128, imm: u32): v128 {
  const x = shuffleDwords(a, imm)
  const y = shuffleDwords(b, imm)
  return v128.shuffle<u64>(x, y, 0, 3)
}

/** SHUFPD. */
export function shuffleDoubles(a: v128, b: v128, imm: u32): v128 {
  const low = imm & 1 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0)
  const high = imm & 2 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0)
  return i64x2.replace_lane(i64x2.splat(low), 1, high)
}

const ASCENDING: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/** Bytes n..n+15 of the 32 bytes low:high, zeros beyond: PALIGNR and the shifts by bytes. */
export function align(low: v128, high: v128, n: u32): v128 {
  if (n >= 32) return i64x2.splat(0)
  // Indices beyond 15 select zero in a swizzle.
  if (n >= 16) return i8x16.swizzle(high, i8x16.add(ASCENDING, i8x16.splat((n - 16) as u8)))
  const control = i8x16.add(ASCENDING, i8x16.splat(n as u8))
  const rest = i8x16.sub(control, i8x16.splat(16))
  return v128.or(i8x16.swizzle(low, control), i8x16.swizzle(high, rest))
}

/** Sums of absolute differences of bytes, each half (PSADBW). */
function sumOfDifferences(a: v128, b: v128): v128 {
  const d = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a))
  const w = i16x8.extadd_pairwise_i8x16_u(d)
  const q = i32x4.extadd_pairwise_i16x8_u(w)
  return i64x2.add(i64x2.shr_u(q, 32), v128.and(q, i64x2.splat(0xffffffff)))
}

function multiplyHighWords(a: v128, b: v128): v128 {
  const low = i32x4.shr_s(i32x4.extmul_low_i16x8_s(a, b), 16)
  const high = i32x4.shr_s(i32x4.extmul_high_i16x8_s(a, b), 16)
  return i16x8.narrow_i32x4_s(low, high)
}

function multiplyHighWordsUnsigned(a: v128, b: v128): v128 {
  const low = i32x4.extmul_low_i16x8_u(a, b)
  const high = i32x4.extmul_high_i16x8_u(a, b)
  return v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15)
}

/** PMULUDQ. */
function multiplyEvenUnsigned(a: v128, b: v128): v128 {
  const mask = i64x2.splat(0xffffffff)
  return i64x2.mul(v128.and(a, mask), v128.and(b, mask))
}

@inline
function count(b: v128): u64 {
  return i64x2.extract_lane(b, 0)
}

/** 0F 60-FE: what 66h makes of them, and the MMX ones that work lane by lane. */
export function integer0F(opcode: u32, a: v128, b: v128, imm: u32): v128 {
  switch (opcode) {
    case 0x60:
      return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    case 0x61:
      return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
    case 0x62:
      return v128.shuffle<u32>(a, b, 0, 4, 1, 5)
    case 0x63:
      return i8x16.narrow_i16x8_s(a, b)
    case 0x64:
      return i8x16.gt_s(a, b)
    case 0x65:
      return i16x8.gt_s(a, b)
    case 0x66:
      return i32x4.gt_s(a, b)
    case 0x67:
      return i8x16.narrow_i16x8_u(a, b)
    case 0x68:
      return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
    case 0x69:
      return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
    case 0x6a:
      return v128.shuffle<u32>(a, b, 2, 6, 3, 7)
    case 0x6b:
      return i16x8.narrow_i32x4_s(a, b)
    case 0x6c:
      return v128.shuffle<u64>(a, b, 0, 2)
    case 0x6d:
      return v128.shuffle<u64>(a, b, 1, 3)
    case 0x70:
      return shuffleDwords(b, imm)
    case 0x72:
      // PSLLDQ (73 /7)
      return count(b) > 15 ? i64x2.splat(0) : align(i64x2.splat(0), a, 16 - (count(b) as u32))
    case 0x73:
      // PSRLDQ (73 /3)
      return count(b) > 15 ? i64x2.splat(0) : align(a, i64x2.splat(0), count(b) as u32)
    case 0x74:
      return i8x16.eq(a, b)
    case 0x75:
      return i16x8.eq(a, b)
    case 0x76:
      return i32x4.eq(a, b)
    case 0xd1:
      return count(b) > 15 ? i64x2.splat(0) : i16x8.shr_u(a, count(b) as i32)
    case 0xd2:
      return count(b) > 31 ? i64x2.splat(0) : i32x4.shr_u(a, count(b) as i32)
    case 0xd3:
      return count(b) > 63 ? i64x2.splat(0) : i64x2.shr_u(a, count(b) as i32)
    case 0xd4:
      return i64x2.add(a, b)
    case 0xd5:
      return i16x8.mul(a, b)
    case 0xd8:
      return i8x16.sub_sat_u(a, b)
    case 0xd9:
      return i16x8.sub_sat_u(a, b)
    case 0xda:
      return i8x16.min_u(a, b)
    case 0xdb:
      return v128.and(a, b)
    case 0xdc:
      return i8x16.add_sat_u(a, b)
    case 0xdd:
      return i16x8.add_sat_u(a, b)
    case 0xde:
      return i8x16.max_u(a, b)
    case 0xdf:
      return v128.andnot(b, a)
    case 0xe0:
      return i8x16.avgr_u(a, b)
    case 0xe1:
      return i16x8.shr_s(a, count(b) > 15 ? 15 : (count(b) as i32))
    case 0xe2:
      return i32x4.shr_s(a, count(b) > 31 ? 31 : (count(b) as i32))
    case 0xe3:
      return i16x8.avgr_u(a, b)
    case 0xe4:
      return multiplyHighWordsUnsigned(a, b)
    case 0xe5:
      return multiplyHighWords(a, b)
    case 0xe8:
      return i8x16.sub_sat_s(a, b)
    case 0xe9:
      return i16x8.sub_sat_s(a, b)
    case 0xea:
      return i16x8.min_s(a, b)
    case 0xeb:
      return v128.or(a, b)
    case 0xec:
      return i8x16.add_sat_s(a, b)
    case 0xed:
      return i16x8.add_sat_s(a, b)
    case 0xee:
      return i16x8.max_s(a, b)
    case 0xef:
      return v128.xor(a, b)
    case 0xf1:
      return count(b) > 15 ? i64x2.splat(0) : i16x8.shl(a, count(b) as i32)
    case 0xf2:
      return count(b) > 31 ? i64x2.splat(0) : i32x4.shl(a, count(b) as i32)
    case 0xf3:
      return count(b) > 63 ? i64x2.splat(0) : i64x2.shl(a, count(b) as i32)
    case 0xf4:
      return multiplyEvenUnsigned(a, b)
    case 0xf5:
      return i32x4.dot_i16x8_s(a, b)
    case 0xf6:
      return sumOfDifferences(a, b)
    case 0xf8:
      return i8x16.sub(a, b)
    case 0xf9:
      return i16x8.sub(a, b)
    case 0xfa:
      return i32x4.sub(a, b)
    case 0xfb:
      return i64x2.sub(a, b)
    case 0xfc:
      return i8x16.add(a, b)
    case 0xfd:
      return i16x8.add(a, b)
    case 0xfe:
      return i32x4.add(a, b)
  }
  return b
}

/** 0F 60-FE without prefix: both operands lie in the low halves. */
export function mmx0F(opcode: u32, a: v128, b: v128, imm: u32): v128 {
  switch (opcode) {
    case 0x63:
    case 0x67:
    case 0x6b: {
      const both = v128.shuffle<u64>(a, b, 0, 2)
      return integer0F(opcode, both, both, 0)
    }
    case 0x68:
    case 0x69:
    case 0x6a: {
      const r = integer0F(opcode - 8, a, b, 0)
      return v128.shuffle<u64>(r, r, 1, 1)
    }
    case 0x70:
      return shuffleLowWords(b, imm)
  }
  return integer0F(opcode, a, b, imm)
}

// --- SSSE3, SSE4 -----------------------------------------------------------------------------------------------

function evenWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
}

function oddWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
}

function multiplyAddBytes(a: v128, b: v128): v128 {
  const low = i16x8.mul(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_s(b))
  const high = i16x8.mul(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_s(b))
  return i16x8.add_sat_s(evenWords(low, high), oddWords(low, high))
}

function multiplyRound(a: v128, b: v128): v128 {
  // Q15 product; WebAssembly saturates -1 * -1, the processor does not.
  const r = i16x8.q15mulr_sat_s(a, b)
  const both = v128.and(i16x8.eq(a, i16x8.splat(-32768)), i16x8.eq(b, i16x8.splat(-32768)))
  return v128.xor(r, both)
}

function sign8(a: v128, b: v128): v128 {
  const zero = i64x2.splat(0)
  const negative = i8x16.gt_s(zero, b)
  return v128.andnot(i8x16.sub(v128.xor(a, negative), negative), i8x16.eq(b, zero))
}

function sign16(a: v128, b: v128): v128 {
  const zero = i64x2.splat(0)
  const negative = i16x8.gt_s(zero, b)
  return v128.andnot(i16x8.sub(v128.xor(a, negative), negative), i16x8.eq(b, zero))
}

function sign32(a: v128, b: v128): v128 {
  const zero = i64x2.splat(0)
  const negative = i32x4.gt_s(zero, b)
  return v128.andnot(i32x4.sub(v128.xor(a, negative), negative), i32x4.eq(b, zero))
}

/** PHMINPOSUW. */
function minimumWord(b: v128): v128 {
  let best: u32 = 0xffff
  let at: u32 = 0
  let v = b
  for (let i: u32 = 0; i < 8; i++) {
    const w = i16x8.extract_lane_u(v, 0) as u32
    if (w < best) {
      best = w
      at = i
    }
    v = v128.shuffle<u16>(v, v, 1, 2, 3, 4, 5, 6, 7, 0)
  }
  return i32x4.replace_lane(i64x2.splat(0), 0, best | (at << 16))
}

/** Lane-wise variable shifts: VPSRLV, VPSLLV (D and Q), VPSRAVD. */
export function shiftEach(opcode: u32, wide: bool, a: v128, b: v128): v128 {
  let r = i64x2.splat(0)
  if (wide) {
    const n0: u64 = i64x2.extract_lane(b, 0)
    const n1: u64 = i64x2.extract_lane(b, 1)
    const a0: u64 = i64x2.extract_lane(a, 0)
    const a1: u64 = i64x2.extract_lane(a, 1)
    if (opcode == 0x45) {
      r = i64x2.replace_lane(r, 0, n0 > 63 ? 0 : a0 >> n0)
      return i64x2.replace_lane(r, 1, n1 > 63 ? 0 : a1 >> n1)
    }
    r = i64x2.replace_lane(r, 0, n0 > 63 ? 0 : a0 << n0)
    return i64x2.replace_lane(r, 1, n1 > 63 ? 0 : a1 << n1)
  }
  let x = a
  let n = b
  for (let i = 0; i < 4; i++) {
    const v: u32 = i32x4.extract_lane(x, 0)
    const by: u32 = i32x4.extract_lane(n, 0)
    let w: u32
    if (opcode == 0x46) w = <i32>v >> (by > 31 ? 31 : <i32>by)
    else if (by > 31) w = 0
    else w = opcode == 0x45 ? v >> by : v << by
    x = i32x4.replace_lane(x, 0, w)
    x = v128.shuffle<u32>(x, x, 1, 2, 3, 0)
    n = v128.shuffle<u32>(n, n, 1, 2, 3, 0)
  }
  return x
}

/** 0F 38 with 66h: the integer instructions that work within 16 bytes. */
export function integer38(opcode: u32, a: v128, b: v128, wide: bool): v128 {
  switch (opcode) {
    case 0x00:
      // Bit 7 of the control clears; bits 4-6 do not count.
      return i8x16.swizzle(a, v128.and(b, i8x16.splat(<i8>0x8f)))
    case 0x01:
      return i16x8.add(evenWords(a, b), oddWords(a, b))
    case 0x02:
      return i32x4.add(v128.shuffle<u32>(a, b, 0, 2, 4, 6), v128.shuffle<u32>(a, b, 1, 3, 5, 7))
    case 0x03:
      return i16x8.add_sat_s(evenWords(a, b), oddWords(a, b))
    case 0x04:
      return multiplyAddBytes(a, b)
    case 0x05:
      return i16x8.sub(evenWords(a, b), oddWords(a, b))
    case 0x06:
      return i32x4.sub(v128.shuffle<u32>(a, b, 0, 2, 4, 6), v128.shuffle<u32>(a, b, 1, 3, 5, 7))
    case 0x07:
      return i16x8.sub_sat_s(evenWords(a, b), oddWords(a, b))
    case 0x08:
      return sign8(a, b)
    case 0x09:
      return sign16(a, b)
    case 0x0a:
      return sign32(a, b)
    case 0x0b:
      return multiplyRound(a, b)
    case 0x1c:
      return i8x16.abs(b)
    case 0x1d:
      return i16x8.abs(b)
    case 0x1e:
      return i32x4.abs(b)
    case 0x28:
      return i64x2.mul(i64x2.shr_s(i64x2.shl(a, 32), 32), i64x2.shr_s(i64x2.shl(b, 32), 32))
    case 0x29:
      return i64x2.eq(a, b)
    case 0x2a:
      return b
    case 0x2b:
      return i16x8.narrow_i32x4_u(a, b)
    case 0x37:
      return i64x2.gt_s(a, b)
    case 0x38:
      return i8x16.min_s(a, b)
    case 0x39:
      return i32x4.min_s(a, b)
    case 0x3a:
      return i16x8.min_u(a, b)
    case 0x3b:
      return i32x4.min_u(a, b)
    case 0x3c:
      return i8x16.max_s(a, b)
    case 0x3d:
      return i32x4.max_s(a, b)
    case 0x3e:
      return i16x8.max_u(a, b)
    case 0x3f:
      return i32x4.max_u(a, b)
    case 0x40:
      return i32x4.mul(a, b)
    case 0x41:
      return minimumWord(b)
    case 0x45:
    case 0x46:
    case 0x47:
      return shiftEach(opcode, wide, a, b)
  }
  return b
}

/** 0F 38 00-1E without prefix. */
export function mmx38(opcode: u32, a: v128, b: v128): v128 {
  if (opcode == 0) return i8x16.swizzle(a, v128.and(b, i8x16.splat(<i8>0x87)))
  if ((opcode >= 1 && opcode <= 3) || (opcode >= 5 && opcode <= 7)) {
    const both = v128.shuffle<u64>(a, b, 0, 2)
    return integer38(opcode, both, both, false)
  }
  return integer38(opcode, a, b, false)
}

/** PMOVSX, PMOVZX: the low bytes of b, as many as 16 bytes of result need. */
export function extend(opcode: u32, b: v128): v128 {
  switch (opcode) {
    case 0x20:
      return i16x8.extend_low_i8x16_s(b)
    case 0x21:
      return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b))
    case 0x22:
      return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b)))
    case 0x23:
      return i32x4.extend_low_i16x8_s(b)
    case 0x24:
      return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(b))
    case 0x25:
      return i64x2.extend_low_i32x4_s(b)
    case 0x30:
      return i16x8.extend_low_i8x16_u(b)
    case 0x31:
      return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b))
    case 0x32:
      return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b)))
    case 0x33:
      return i32x4.extend_low_i16x8_u(b)
    case 0x34:
      return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(b))
    default:
      return i64x2.extend_low_i32x4_u(b)
  }
}

/** Masks from the low bits of an immediate: a lane of ones for every bit set. */
export function blendMask(bytes: u32, imm: u32): v128 {
  if (bytes == 2) {
    const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128)
    return i16x8.eq(v128.and(i16x8.splat(imm as i16), bits), bits)
  }
  if (bytes == 4) {
    const bits = i32x4(1, 2, 4, 8)
    return i32x4.eq(v128.and(i32x4.splat(imm), bits), bits)
  }
  const bits = i64x2(1, 2)
  return i64x2.eq(v128.and(i64x2.splat(imm), bits), bits)
}

/** MPSADBW; `imm`: bit 2 block of a, bits 0-1 block of b. */
export function multipleSums(a: v128, b: v128, imm: u32): v128 {
  // b's four bytes in every dword, a's sliding window as words of sums.
  const block = i32x4.splat(i32x4.extract_lane(shuffleDwords(b, imm & 3), 0))
  const window = align(a, i64x2.splat(0), imm & 4)
  const low = v128.shuffle<u8>(window, window, 0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6)
  const high = v128.shuffle<u8>(window, window, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10)
  return i16x8.narrow_i32x4_s(sumFour(low, block), sumFour(high, block))
}

function sumFour(a: v128, b: v128): v128 {
  const d = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a))
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(d))
}

/** Carry-less product of two 64-bit values (PCLMULQDQ). */
export function carrylessMultiply(x: u64, y: u64): v128 {
  let low: u64 = 0
  let high: u64 = 0
  for (let i: u64 = 0; i < 64; i++) {
    if (!((y >> i) & 1)) continue
    low ^= x << i
    if (i) high ^= x >> (64 - i)
  }
  return i64x2.replace_lane(i64x2.splat(low), 1, high)
}
