// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 1 10.1 of "string and text processing", SDM 2 4.1).

import { CPU_RAX, CPU_RDX } from '../../layout'
import { cpu } from '../context'
import { setStatus } from '../flags'

/** IntRes2 of the last comparison. Transient. */
let result: u32 = 0

function element(p: usize, i: i32, format: u32): i32 {
  switch (format) {
    case 0:
      return load<u8>(p + i)
    case 1:
      return load<u16>(p + i * 2)
    case 2:
      return load<i8>(p + i)
  }
  return load<i16>(p + i * 2)
}

function explicitLength(register: usize, wide: bool, most: i32): i32 {
  const value: i64 = wide ? load<i64>(cpu + register) : load<i32>(cpu + register)
  if (value >= most || value <= -most) return most
  return <i32>(value < 0 ? -value : value)
}

function implicitLength(p: usize, format: u32, most: i32): i32 {
  for (let i = 0; i < most; i++) if (!element(p, i, format)) return i
  return most
}

/**
 * Compares the 16 bytes at a (the register) with those at b as `imm` says; sets the flags. The index for the forms that
 * give one; IntRes2 is kept for stringMask().
 */
export function comparedStrings(imm: u32, explicit: bool, wide: bool, a: usize, b: usize): u32 {
  const format = imm & 3
  const most = imm & 1 ? 8 : 16
  const lengthA = explicit ? explicitLength(CPU_RAX, wide, most) : implicitLength(a, format, most)
  const lengthB = explicit ? explicitLength(CPU_RDX, wide, most) : implicitLength(b, format, most)
  let r: u32 = 0
  switch ((imm >> 2) & 3) {
    case 0:
      for (let j = 0; j < lengthB; j++) {
        const x = element(b, j, format)
        for (let i = 0; i < lengthA; i++) if (element(a, i, format) == x) r |= 1 << j
      }
      break
    case 1:
      for (let j = 0; j < lengthB; j++) {
        const x = element(b, j, format)
        for (let i = 0; i + 1 < lengthA; i += 2)
          if (x >= element(a, i, format) && x <= element(a, i + 1, format)) r |= 1 << j
      }
      break
    case 2:
      for (let j = 0; j < most; j++) {
        const inA = j < lengthA
        const inB = j < lengthB
        if (inA && inB ? element(a, j, format) == element(b, j, format) : inA == inB) r |= 1 << j
      }
      break
    default:
      for (let j = 0; j < most; j++) {
        let match = true
        for (let i = 0; i < lengthA && i + j < most; i++) {
          if (i + j >= lengthB || element(a, i, format) != element(b, i + j, format)) {
            match = false
            break
          }
        }
        if (match) r |= 1 << j
      }
  }
  const all: u32 = (1 << most) - 1
  if ((imm & 0x30) == 0x10) r ^= all
  else if ((imm & 0x30) == 0x30) r ^= (1 << lengthB) - 1
  result = r
  setStatus((r ? 1 : 0) | (lengthB < most ? 0x40 : 0) | (lengthA < most ? 0x80 : 0) | (r & 1 ? 0x800 : 0))
  if (!r) return most
  return imm & 0x40 ? 31 - clz(r) : ctz(r)
}

/** The mask for XMM0: a bit an element, or a whole element each. */
export function stringMask(imm: u32): v128 {
  if (!(imm & 0x40)) return i32x4.replace_lane(i64x2.splat(0), 0, result)
  if (imm & 1) {
    const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128)
    return i16x8.eq(v128.and(i16x8.splat(result as i16), bits), bits)
  }
  const bits = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128)
  const bytes = v128.shuffle<u8>(
    i32x4.splat(result),
    i32x4.splat(result),
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
  )
  return i8x16.eq(v128.and(bytes, bits), bits)
}
