// Vector instructions whose upper half is not a second helping of the lower one: conversions that change the width,
// broadcasts, permutations across the halves, blends by an immediate, and accesses to memory element by element.

import { accessCommit, accessRead, accessWrite, alignmentIgnored } from '../../memory/linear'
import { CPU_CPL, CPU_FAULT, CPU_FAULT_ADDRESS, CPU_XSAVE, FAULT_DETAIL_UNDEFINED_OPCODE } from '../../layout'
import { linearAt } from '../address'
import { bounce, cpu } from '../context'
import {
  VECTOR_L,
  VECTOR_MEMORY,
  VECTOR_SOURCE1_SHIFT,
  VECTOR_STORE,
  VECTOR_VEX,
  VECTOR_W,
} from '../decode-simd'
import { raise } from '../fault'
import { O_DST, O_IMM, O_SEGMENT, O_SRC } from '../trace-format'
import { EXC_PF, EXC_UD } from '../vectors'
import { doublesToDwords, doublesToSingles, dwordsToDoubles, singlesToDoubles } from './float'
import { blendMask, extend, multipleSums } from './integer'
import { mxcsr, noteNothing, raised, settleExceptions } from './mxcsr'
import { narrowHalf, widenHalf } from './soft-float'

const YMM_HIGH: usize = 576 - 160
const CPU_XMM: usize = CPU_XSAVE + 160

// Result halves. Transient.
let low: v128 = i64x2.splat(0)
let high: v128 = i64x2.splat(0)

@inline
function zeros(): v128 {
  return i64x2.splat(0)
}

function quarter(v: usize, vHigh: usize, n: u32): u64 {
  return load<u64>(n & 2 ? vHigh + (n & 1) * 8 : v + (n & 1) * 8)
}

/** 128 bits of a:b chosen by a field of VPERM2F128's immediate. */
function chooseHalf(a: usize, b: usize, bHigh: usize, field: u32): v128 {
  if (field & 8) return zeros()
  switch (field & 3) {
    case 0:
      return v128.load(a)
    case 1:
      return v128.load(a, YMM_HIGH)
    case 2:
      return v128.load(b)
  }
  return v128.load(bHigh)
}

/** Computes and writes; false with an exception pending. `p`: second source, in memory 16 bytes a half. */
export function cross(number: u32, flags: u32, dst: usize, a: usize, p: usize): bool {
  const long = (flags & VECTOR_L) != 0
  const imm = flags & 0xff
  const opcode = number & 0xff
  const memory = (flags & VECTOR_MEMORY) != 0
  const pHigh = memory ? p + 16 : p + YMM_HIGH
  high = zeros()
  if ((number & 0xff00) == 0x2100 && opcode >= 0x20 && opcode <= 0x35) {
    // PMOVSX, PMOVZX into both halves: the source's bytes follow one another.
    const step: usize =
      (opcode & 15) == 0 || (opcode & 15) == 3 || (opcode & 15) == 5 ? 8 : (opcode & 15) == 2 ? 2 : 4
    // In a register all 16 bytes are there; in memory no more than needed may be read.
    low = extend(opcode, v128.load64_zero(p))
    high = extend(opcode, v128.load64_zero(p + step))
    return write(flags, dst)
  }
  switch (number) {
    case 0x1312: {
      const x = v128.load(p)
      const y = v128.load(pHigh)
      low = v128.shuffle<u64>(x, x, 0, 0)
      high = v128.shuffle<u64>(y, y, 0, 0)
      break
    }
    case 0x105a: {
      const x = v128.load(p)
      low = singlesToDoubles(x)
      high = singlesToDoubles(v128.shuffle<u64>(x, x, 1, 1))
      break
    }
    case 0x12e6: {
      const x = v128.load(p)
      low = dwordsToDoubles(x)
      high = dwordsToDoubles(v128.shuffle<u64>(x, x, 1, 1))
      break
    }
    case 0x115a:
      low = v128.shuffle<u64>(doublesToSingles(v128.load(p)), doublesToSingles(v128.load(pHigh)), 0, 2)
      break
    case 0x11e6:
    case 0x13e6: {
      const truncate = number == 0x11e6
      low = v128.shuffle<u64>(
        doublesToDwords(v128.load(p), truncate),
        doublesToDwords(v128.load(pHigh), truncate),
        0,
        2,
      )
      break
    }
    case 0x2113:
      low = widenHalves(p)
      if (long) high = widenHalves(p + 8)
      break
    case 0x2116:
    case 0x2136: {
      // VPERMPS, VPERMD: control in a.
      low = permuteDwords(v128.load(a), p, pHigh)
      high = permuteDwords(v128.load(a, YMM_HIGH), p, pHigh)
      break
    }
    case 0x2118:
    case 0x2158:
      low = high = i32x4.splat(load<u32>(p))
      break
    case 0x2119:
    case 0x2159:
      low = high = i64x2.splat(load<u64>(p))
      break
    case 0x211a:
    case 0x215a:
      low = high = v128.load(p)
      break
    case 0x2178:
      low = high = i8x16.splat(load<u8>(p))
      break
    case 0x2179:
      low = high = i16x8.splat(load<u16>(p))
      break
    case 0x3100:
    case 0x3101:
      low = i64x2.replace_lane(i64x2.splat(quarter(p, pHigh, imm)), 1, quarter(p, pHigh, imm >> 2))
      high = i64x2.replace_lane(i64x2.splat(quarter(p, pHigh, imm >> 4)), 1, quarter(p, pHigh, imm >> 6))
      break
    case 0x3102:
    case 0x310c:
      low = v128.bitselect(v128.load(p), v128.load(a), blendMask(4, imm))
      if (long) high = v128.bitselect(v128.load(pHigh), v128.load(a, YMM_HIGH), blendMask(4, imm >> 4))
      break
    case 0x310d:
      low = v128.bitselect(v128.load(p), v128.load(a), blendMask(8, imm))
      if (long) high = v128.bitselect(v128.load(pHigh), v128.load(a, YMM_HIGH), blendMask(8, imm >> 2))
      break
    case 0x310e:
      low = v128.bitselect(v128.load(p), v128.load(a), blendMask(2, imm))
      if (long) high = v128.bitselect(v128.load(pHigh), v128.load(a, YMM_HIGH), blendMask(2, imm))
      break
    case 0x3106:
    case 0x3146: {
      const first = chooseHalf(a, p, pHigh, imm)
      high = chooseHalf(a, p, pHigh, imm >> 4)
      low = first
      break
    }
    case 0x3118:
    case 0x3138:
      low = imm & 1 ? v128.load(a) : v128.load(p)
      high = imm & 1 ? v128.load(p) : v128.load(a, YMM_HIGH)
      break
    case 0x3142:
      low = multipleSums(v128.load(a), v128.load(p), imm)
      if (long) high = multipleSums(v128.load(a, YMM_HIGH), v128.load(pHigh), imm >> 3)
      break
  }
  return write(flags, dst)
}

function write(flags: u32, dst: usize): bool {
  if (raised && !settleExceptions()) return false
  v128.store(dst, low)
  if (flags & VECTOR_L) v128.store(dst, high, YMM_HIGH)
  else if (flags & VECTOR_VEX) v128.store(dst, zeros(), YMM_HIGH)
  return true
}

function permuteDwords(control: v128, p: usize, pHigh: usize): v128 {
  let r = zeros()
  let c = control
  for (let i = 0; i < 4; i++) {
    const n = u32(i32x4.extract_lane(c, 0)) & 7
    r = i32x4.replace_lane(r, 0, load<u32>(n & 4 ? pHigh + (n & 3) * 4 : p + (n & 3) * 4))
    r = v128.shuffle<u32>(r, r, 1, 2, 3, 0)
    c = v128.shuffle<u32>(c, c, 1, 2, 3, 0)
  }
  return r
}

function widenHalves(p: usize): v128 {
  let r = i32x4.splat(widenHalf(load<u16>(p)))
  r = i32x4.replace_lane(r, 1, widenHalf(load<u16>(p, 2)))
  r = i32x4.replace_lane(r, 2, widenHalf(load<u16>(p, 4)))
  return i32x4.replace_lane(r, 3, widenHalf(load<u16>(p, 6)))
}

/** VCVTPS2PH of the XMM or YMM register at `source`. */
export function narrowHalves(source: usize, flags: u32): v128 {
  const mode: u32 = flags & 4 ? (mxcsr() >> 13) & 3 : flags & 3
  let first: u64 = 0
  let second: u64 = 0
  for (let i: u64 = 0; i < 4; i++) {
    first |= (narrowHalf(load<u32>(source + <usize>i * 4), mode) as u64) << (i * 16)
    if (flags & VECTOR_L)
      second |= (narrowHalf(load<u32>(source + YMM_HIGH + <usize>i * 4), mode) as u64) << (i * 16)
  }
  return i64x2.replace_lane(i64x2.splat(first), 1, second)
}

// --- element by element ------------------------------------------------------------------------------------------

/** Address of element `i` of `size` bytes of a YMM register. */
@inline
function elementAt(register: usize, i: u32, size: u32): usize {
  const offset = i * size
  return offset < 16 ? register + offset : register + YMM_HIGH + offset - 16
}

@inline
function maskSet(mask: usize, i: u32, size: u32): bool {
  return (load<u8>(elementAt(mask, i, size) + size - 1) & 0x80) != 0
}

/** VGATHER*, VPGATHER*, VMASKMOV*, VPMASKMOV*; results as of slow(). Their elements need not be aligned (SDM 2C VMASKMOV, VGATHERDPS). */
export function gatherOrMask(ip: usize, number: u32, flags: u32): u32 {
  alignmentIgnored(true)
  const result = byElement(ip, number, flags)
  alignmentIgnored(false)
  return result
}

function byElement(ip: usize, number: u32, flags: u32): u32 {
  const opcode = number & 0xff
  const mask: usize = cpu + CPU_XMM + ((flags >> VECTOR_SOURCE1_SHIFT) & 15) * 16
  if (opcode >= 0x90) return gather(ip, opcode, flags, mask)
  const user = load<u32>(cpu, CPU_CPL) == 3
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  const size: u32 = opcode == 0x2d || opcode == 0x2f || (opcode >= 0x8c && flags & VECTOR_W) ? 8 : 4
  const total: u32 = flags & VECTOR_L ? 32 : 16
  const count = total / size
  if (!(flags & VECTOR_STORE)) {
    low = zeros()
    high = zeros()
    const dst: usize = load<u32>(ip, O_DST)
    // Everything is read before anything is written.
    for (let i: u32 = 0; i < count; i++) {
      if (!maskSet(mask, i, size)) continue
      const p = accessRead(linearAt(ip, i * size, size, false), size, segment, user)
      if (!p) return 1
      put(i, size, size == 8 ? load<u64>(p) : (load<u32>(p) as u64))
    }
    noteNothing()
    write(flags, dst)
    return 0
  }
  const source: usize = load<u32>(ip, O_SRC)
  for (let i: u32 = 0; i < count; i++) {
    if (!maskSet(mask, i, size)) continue
    if (!accessWrite(linearAt(ip, i * size, size, true), size, segment, user, true))
      return maskedFault(
        linearAt(ip, firstByte(mask, size), 1, true),
        linearAt(ip, lastByte(mask, count, size), 1, true),
      )
  }
  let result: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    if (!maskSet(mask, i, size)) continue
    const p = accessWrite(linearAt(ip, i * size, size, true), size, segment, user, true)
    if (!p) return 1
    const from = elementAt(source, i, size)
    if (size == 8) store<u64>(p, load<u64>(from))
    else store<u32>(p, load<u32>(from))
    if (p == bounce) {
      accessCommit()
      result = 2
    }
  }
  return result
}

/** Offset of the first byte that a masked store writes; some element is set. */
function firstByte(mask: usize, size: u32): u32 {
  let first: u32 = 0
  while (!maskSet(mask, first, size)) first++
  return first * size
}

/** Offset of the last byte that a masked store of `count` elements writes. */
function lastByte(mask: usize, count: u32, size: u32): u32 {
  let last: u32 = 0
  for (let i: u32 = 0; i < count; i++) if (maskSet(mask, i, size)) last = i
  return last * size + size - 1
}

/** A store that runs from one page into another which cannot be written reports its last byte (Intel's processors). */
function maskedFault(first: u64, last: u64): u32 {
  const at = load<u64>(cpu, CPU_FAULT_ADDRESS)
  if (load<u32>(cpu, CPU_FAULT) == <u32>EXC_PF + 1 && (at ^ last) >> 12 == 0 && (at ^ first) >> 12 != 0)
    store<u64>(cpu, last, CPU_FAULT_ADDRESS)
  return 1
}

/** Element `i` of the result halves. */
function put(i: u32, size: u32, value: u64): void {
  const scratch = bounce + 64
  v128.store(scratch, low)
  v128.store(scratch, high, 16)
  if (size == 8) store<u64>(scratch + i * 8, value)
  else store<u32>(scratch + i * 4, value as u32)
  low = v128.load(scratch)
  high = v128.load(scratch, 16)
}

/** Zeroes a register above its first `bytes`. */
function clearAbove(register: usize, bytes: u32): void {
  if (bytes == 8) store<u64>(register, 0, 8)
  if (bytes <= 16) v128.store(register, zeros(), YMM_HIGH)
}

/** Elements are gathered from the lowest on; one that faults leaves those before it done (SDM 2 VGATHERDPS). */
function gather(ip: usize, opcode: u32, flags: u32, mask: usize): u32 {
  const user = load<u32>(cpu, CPU_CPL) == 3
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  const dst: usize = load<u32>(ip, O_DST)
  const index: usize = load<u32>(ip, O_SRC)
  if (dst == mask || dst == index || mask == index) {
    raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
    return 1
  }
  const scale = load<u64>(ip, O_IMM)
  const size: u32 = flags & VECTOR_W ? 8 : 4
  const indexSize: u32 = opcode & 1 ? 8 : 4
  const total: u32 = flags & VECTOR_L ? 32 : 16
  const count = total / (size > indexSize ? size : indexSize)
  const written = count * size
  // First of all the mask is all ones or zeros by elements, and nothing above them (SDM 2 VGATHERDPS, "Operation").
  for (let i: u32 = 0; i < 32 / size; i++) {
    const set: u64 = i < total / size && maskSet(mask, i, size) ? 0xffffffffffffffff : 0
    if (size == 8) store<u64>(elementAt(mask, i, size), set)
    else store<u32>(elementAt(mask, i, size), set as u32)
  }
  for (let i: u32 = 0; i < count; i++) {
    const maskAt = elementAt(mask, i, size)
    if (!maskSet(mask, i, size)) continue
    const at = elementAt(index, i, indexSize)
    const offset: i64 = indexSize == 8 ? load<i64>(at) : (load<i32>(at) as i64)
    const p = accessRead(linearAt(ip, offset << (scale as i64), size, false), size, segment, user)
    if (!p) return 1
    if (size == 8) {
      store<u64>(elementAt(dst, i, 8), load<u64>(p))
      store<u64>(maskAt, 0)
    } else {
      store<u32>(elementAt(dst, i, 4), load<u32>(p))
      store<u32>(maskAt, 0)
    }
    // As after every instruction of 128 bits; with 256 the rest stays until the end.
    if (!(flags & VECTOR_L)) v128.store(dst, zeros(), YMM_HIGH)
  }
  clearAbove(dst, written)
  // Nothing remains of the mask.
  v128.store(mask, zeros())
  v128.store(mask, zeros(), YMM_HIGH)
  return 0
}
