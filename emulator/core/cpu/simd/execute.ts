// Carries out Op.VECTOR records: finds the operands, computes, settles the floating-point exceptions, writes. Results are
// those of slow(): 0 done, 1 faulted (nothing has changed), 2 done through the bounce buffer.

import { CPU_CPL, CPU_RCX, CPU_XSAVE, FAULT_DETAIL_NONE } from '../../layout'
import { accessCommit, accessWrite, alignmentIgnored } from '../../memory/linear'
import { linearAt, linearOf } from '../address'
import { bounce, cpu } from '../context'
import {
  NUMBER_BITS,
  VECTOR_ALIGNED,
  VECTOR_BYTES_SHIFT,
  VECTOR_COUNT,
  VECTOR_CROSS,
  VECTOR_FLAGS,
  VECTOR_L,
  VECTOR_MEMORY,
  VECTOR_MMX,
  VECTOR_PLAIN,
  VECTOR_RM_GPR,
  VECTOR_SOURCE1_SHIFT,
  VECTOR_STORE,
  VECTOR_TO_GPR,
  VECTOR_TO_MMX,
  VECTOR_VEX,
  VECTOR_W,
} from '../decode-simd'
import { raise } from '../fault'
import { setStatus } from '../flags'
import { operandRead, operandWrite, storeSized } from '../slow'
import { O_AUX, O_AUX2, O_DST, O_SEGMENT, O_SRC } from '../trace-format'
import { EXC_GP } from '../vectors'
import { mmxEnter, mmxLeave, mmxWrite } from '../x87/mmx-state'
import { vectorAvailable } from './available'
import { bitInstruction } from './bits'
import { compute, computeToGpr } from './compute'
import { cross, gatherOrMask, narrowHalves } from './cross'
import { compareFlags } from './float'
import { noteNothing, raised, settleExceptions } from './mxcsr'
import { comparedStrings, stringMask } from './strings'

const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

export const CPU_XMM: usize = CPU_XSAVE + 160
/** From an XMM register to the upper half of its YMM register. */
export const YMM_HIGH: usize = 576 - 160

/** `bytes` (1 to 16) at `p`, zero-extended. */
@inline
export function loadVector(p: usize, bytes: u32): v128 {
  if (bytes == 16) return v128.load(p)
  if (bytes == 8) return v128.load64_zero(p)
  if (bytes == 4) return v128.load32_zero(p)
  return i64x2.replace_lane(i64x2.splat(0), 0, bytes == 1 ? (load<u8>(p) as u64) : (load<u16>(p) as u64))
}

/** Whether a record's memory operand is aligned as it must be; #GP(0) pending if not (SDM 2 2.4.3). */
function aligned(ip: usize, bytes: u32, write: bool): bool {
  const linear = linearOf(ip, bytes, write)
  if (!(linear & (bytes - 1))) return true
  return raise(EXC_GP, 0, FAULT_DETAIL_NONE, linear)
}

@inline
function finish(p: usize): u32 {
  if (p != bounce) return DONE
  accessCommit()
  return COMMITTED
}

/** VCVTPH2PS: it never raises #AC (SDM 2A 2.5.11, exception type 11). */
function halvesRead(ip: usize, bytes: u32): usize {
  alignmentIgnored(true)
  const p = operandRead(ip, bytes)
  alignmentIgnored(false)
  return p
}

/** Carries out the VECTOR record at `ip`. */
export function vector(ip: usize): u32 {
  const number = load<u32>(ip, O_AUX)
  if (number & NUMBER_BITS) return bitInstruction(ip, number & 0xff)
  const flags = load<u32>(ip, O_AUX2)
  if (!(flags & VECTOR_PLAIN) && !vectorAvailable(flags)) return FAULTED
  if (flags & (VECTOR_STORE | VECTOR_FLAGS)) {
    return flags & VECTOR_STORE ? storeResult(ip, number, flags) : withoutDestination(ip, number, flags)
  }
  const bytes = (flags >> VECTOR_BYTES_SHIFT) & 63
  let p: usize = load<u32>(ip, O_SRC)
  if (flags & VECTOR_MEMORY) {
    if ((number & 0xff00) == 0x2100 && gathers(number)) return gatherOrMask(ip, number, flags)
    if (flags & VECTOR_ALIGNED && !aligned(ip, bytes, false)) return FAULTED
    p = number == 0x2113 ? halvesRead(ip, bytes) : operandRead(ip, bytes)
    if (!p) return FAULTED
  }
  noteNothing()
  const dst: usize = load<u32>(ip, O_DST)
  if (flags & (VECTOR_TO_GPR | VECTOR_TO_MMX)) {
    const b = loadVector(p, bytes)
    if (flags & VECTOR_TO_GPR) {
      let r = computeToGpr(number, b, flags)
      if (flags & VECTOR_L) r |= computeToGpr(number, v128.load(p + YMM_HIGH), flags) << highShift(number)
      if (raised && !settleExceptions()) return FAULTED
      if (flags & VECTOR_MMX) mmxEnter()
      store<u64>(dst, r)
      return DONE
    }
    const r = compute(number, v128.load64_zero(dst), b, flags)
    // The transition to MMX comes before any exception of the conversion.
    mmxEnter()
    if (raised && !settleExceptions()) return FAULTED
    mmxWrite(dst, i64x2.extract_lane(r, 0))
    return DONE
  }
  const source1 = cpu + CPU_XMM + ((flags >> VECTOR_SOURCE1_SHIFT) & 15) * 16
  if (flags & VECTOR_CROSS && (flags & VECTOR_L || alwaysCross(number))) {
    if (!cross(number, flags, dst, source1, p)) return FAULTED
    return DONE
  }
  if (!(flags & VECTOR_L)) {
    const r = compute(number, v128.load(source1), loadVector(p, bytes), flags, dst)
    // CVTPI2PS: as above.
    if (flags & VECTOR_MMX) mmxEnter()
    if (raised && !settleExceptions()) return FAULTED
    v128.store(dst, r)
    if (flags & VECTOR_VEX) v128.store(dst, i64x2.splat(0), YMM_HIGH)
    return DONE
  }
  const low = compute(
    number,
    v128.load(source1),
    flags & VECTOR_COUNT ? loadVector(p, bytes) : v128.load(p),
    flags,
    dst,
  )
  const second = flags & VECTOR_COUNT ? p : flags & VECTOR_MEMORY ? p + 16 : p + YMM_HIGH
  const high = compute(
    number,
    v128.load(source1, YMM_HIGH),
    flags & VECTOR_COUNT ? loadVector(second, bytes) : v128.load(second),
    flags | HIGH,
    dst + YMM_HIGH,
  )
  if (raised && !settleExceptions()) return FAULTED
  v128.store(dst, low)
  v128.store(dst, high, YMM_HIGH)
  return DONE
}

/** The end of an instruction without VEX whose sources are the destination and `b`. */
export function vectorCompute(ip: usize, b: v128): u32 {
  const dst: usize = load<u32>(ip, O_DST)
  noteNothing()
  const r = compute(load<u32>(ip, O_AUX), v128.load(dst), b, load<u32>(ip, O_AUX2), dst)
  if (raised && !settleExceptions()) return FAULTED
  v128.store(dst, r)
  return DONE
}

/** In the flags given to compute(): the upper half is being computed. O_AUX2 has the bit for r/m, which is past use. */
export const HIGH: u32 = VECTOR_RM_GPR

/** MOVMSKPS, MOVMSKPD, PMOVMSKB of a YMM register: where the upper half's bits go. */
function highShift(number: u32): u64 {
  return (number & 0xff) == 0xd7 ? 16 : (number & 0xf00) == 0 ? 4 : 2
}

/** VGATHER*, VMASKMOV*, VPMASKMOV*: they access memory by elements. */
function gathers(number: u32): bool {
  const opcode = number & 0xff
  return (opcode >= 0x90 && opcode <= 0x93) || opcode == 0x2c || opcode == 0x2d || opcode == 0x8c
}

/** Those that cross() handles even for 128 bits: all but the legacy conversions, MOVDDUP and PMOVSX. */
function alwaysCross(number: u32): bool {
  if (number < 0x2000) return false
  const opcode = number & 0xff
  return number >= 0x3000 || opcode < 0x20 || opcode > 0x35
}

// --- stores ----------------------------------------------------------------------------------------------------

function storeResult(ip: usize, number: u32, flags: u32): u32 {
  const bytes = (flags >> VECTOR_BYTES_SHIFT) & 63
  const source: usize = load<u32>(ip, O_SRC)
  if (flags & VECTOR_MEMORY) {
    if ((number & 0xff00) == 0x2100) return gatherOrMask(ip, number, flags)
    if (flags & VECTOR_ALIGNED && !aligned(ip, bytes, true)) return FAULTED
    noteNothing()
    if (number == 0x311d) {
      // VCVTPS2PH: the conversion is over, and shows in MXCSR, when the store may fault.
      const halves = narrowHalves(source, flags)
      if (raised && !settleExceptions()) return FAULTED
      alignmentIgnored(true)
      const p = operandWrite(ip, bytes, false)
      alignmentIgnored(false)
      if (!p) return FAULTED
      if (bytes == 8) store<u64>(p, i64x2.extract_lane(halves, 0))
      else v128.store(p, halves)
      return finish(p)
    }
    const p = operandWrite(ip, bytes, false)
    if (!p) return FAULTED
    if (flags & VECTOR_MMX) mmxEnter()
    if (bytes >= 16) {
      v128.store(p, v128.load(number == 0x3119 || number == 0x3139 ? half(source, flags) : source))
      if (bytes == 32) v128.store(p, v128.load(source, YMM_HIGH), 16)
    } else storeSized(p, bytes, element(number, source, flags))
    return finish(p)
  }
  const dst: usize = load<u32>(ip, O_DST)
  if (flags & VECTOR_MMX && (number & 0xff) != 0x7e) {
    mmxEnter()
    mmxWrite(dst, load<u64>(source))
    return DONE
  }
  if (flags & VECTOR_RM_GPR) {
    if (flags & VECTOR_MMX) mmxEnter()
    store<u64>(dst, element(number, source, flags))
    return DONE
  }
  // Register forms of moves.
  const opcode = number & 0xff
  if (number == 0x311d) {
    noteNothing()
    const halves = narrowHalves(source, flags)
    if (raised && !settleExceptions()) return FAULTED
    v128.store(dst, bytes == 8 ? v128.shuffle<u64>(halves, i64x2.splat(0), 0, 2) : halves)
    v128.store(dst, i64x2.splat(0), YMM_HIGH)
    return DONE
  }
  if (number == 0x3119 || number == 0x3139) {
    v128.store(dst, v128.load(half(source, flags)))
    v128.store(dst, i64x2.splat(0), YMM_HIGH)
    return DONE
  }
  const value = v128.load(source)
  if (opcode == 0xd6) v128.store(dst, v128.load64_zero(source))
  else if (opcode == 0x11 && bytes < 16) {
    // MOVSS, MOVSD between registers merge with the first source.
    const first = v128.load(cpu + CPU_XMM + ((flags >> VECTOR_SOURCE1_SHIFT) & 15) * 16)
    v128.store(
      dst,
      bytes == 4
        ? i32x4.replace_lane(first, 0, i32x4.extract_lane(value, 0))
        : i64x2.replace_lane(first, 0, i64x2.extract_lane(value, 0)),
    )
  } else v128.store(dst, value)
  if (flags & VECTOR_VEX) {
    v128.store(dst, flags & VECTOR_L ? v128.load(source, YMM_HIGH) : i64x2.splat(0), YMM_HIGH)
  }
  return DONE
}

/** The half of a YMM register that the immediate chooses (VEXTRACTF128). */
function half(source: usize, flags: u32): usize {
  return flags & 1 ? source + YMM_HIGH : source
}

/** The element that a store of less than 16 bytes writes, zero-extended. */
function element(number: u32, source: usize, flags: u32): u64 {
  const imm = flags & 0xff
  switch (number) {
    case 0x1017:
    case 0x1117:
      return load<u64>(source, 8)
    case 0x3114:
      return load<u8>(source + (imm & 15))
    case 0x3115:
      return load<u16>(source + (imm & 7) * 2)
    case 0x3116:
      if (((flags >> VECTOR_BYTES_SHIFT) & 63) == 8) return load<u64>(source + (imm & 1) * 8)
      return load<u32>(source + (imm & 3) * 4)
    case 0x3117:
      return load<u32>(source + (imm & 3) * 4)
  }
  return ((flags >> VECTOR_BYTES_SHIFT) & 63) == 4 ? (load<u32>(source) as u64) : load<u64>(source)
}

// --- instructions without a destination register ------------------------------------------------------------------

function withoutDestination(ip: usize, number: u32, flags: u32): u32 {
  const opcode = number & 0xff
  if (number == 0x1077) {
    if (!(flags & VECTOR_VEX)) {
      mmxLeave()
      return DONE
    }
    // In 64-bit mode all sixteen; elsewhere R8 and up are out of reach but as if cleared too.
    for (let i: usize = 0; i < 16; i++) {
      v128.store(cpu + CPU_XMM + i * 16, i64x2.splat(0), YMM_HIGH)
      if (flags & VECTOR_L) v128.store(cpu + CPU_XMM + i * 16, i64x2.splat(0))
    }
    return DONE
  }
  const bytes = (flags >> VECTOR_BYTES_SHIFT) & 63
  const a: usize = load<u32>(ip, O_DST)
  let p: usize = load<u32>(ip, O_SRC)
  if (number == 0x10f7 || number == 0x11f7) return maskedStore(ip, number, flags)
  if (flags & VECTOR_MEMORY) {
    if (flags & VECTOR_ALIGNED && !aligned(ip, bytes, false)) return FAULTED
    p = operandRead(ip, bytes)
    if (!p) return FAULTED
  }
  noteNothing()
  const first = v128.load(a)
  const second = loadVector(p, min<u32>(bytes, 16))
  if ((number & 0xf000) == 0x1000) {
    // UCOMISS, COMISS, UCOMISD, COMISD
    const single = (number & 0xf00) == 0
    const r = single
      ? compareFlags(
          u32(i32x4.extract_lane(first, 0)),
          u32(i32x4.extract_lane(second, 0)),
          opcode == 0x2f,
          true,
        )
      : compareFlags(i64x2.extract_lane(first, 0), i64x2.extract_lane(second, 0), opcode == 0x2f, false)
    if (raised && !settleExceptions()) return FAULTED
    setStatus(r)
    return DONE
  }
  if ((number & 0xf000) == 0x2000) {
    // PTEST 17, VTESTPS 0E, VTESTPD 0F
    let mask = i64x2.splat(-1)
    if (opcode == 0x0e) mask = i32x4.splat(0x80000000)
    else if (opcode == 0x0f) mask = i64x2.splat(0x8000000000000000)
    let zero = v128.and(v128.and(first, second), mask)
    let carry = v128.and(v128.andnot(second, first), mask)
    if (flags & VECTOR_L) {
      const firstHigh = v128.load(a, YMM_HIGH)
      const secondHigh = v128.load(flags & VECTOR_MEMORY ? p + 16 : p + YMM_HIGH)
      zero = v128.or(zero, v128.and(v128.and(firstHigh, secondHigh), mask))
      carry = v128.or(carry, v128.and(v128.andnot(secondHigh, firstHigh), mask))
    }
    setStatus((v128.any_true(zero) ? 0 : 0x40) | (v128.any_true(carry) ? 0 : 1))
    return DONE
  }
  // PCMPESTRM 60, PCMPESTRI 61, PCMPISTRM 62, PCMPISTRI 63
  const index = comparedStrings(flags & 0xff, opcode < 0x62, (flags & VECTOR_W) != 0, a, p)
  if (opcode & 1) store<u64>(cpu, index, CPU_RCX)
  else {
    v128.store(cpu + CPU_XMM, stringMask(flags & 0xff))
    if (flags & VECTOR_VEX) v128.store(cpu + CPU_XMM, i64x2.splat(0), YMM_HIGH)
  }
  return DONE
}

/**
 * MASKMOVDQU, MASKMOVQ: bytes whose mask has bit 7, to DS:rDI (SDM 2 MASKMOVDQU). The record's r/m is the mask. All of the
 * destination is checked, whatever the mask, the upper half first, as Intel's processors do.
 */
function maskedStore(ip: usize, number: u32, flags: u32): u32 {
  const data: usize = load<u32>(ip, O_DST)
  const mask: usize = load<u32>(ip, O_SRC)
  if (flags & VECTOR_MMX) mmxEnter()
  const halves: u32 = number == 0x10f7 ? 1 : 2
  const user = load<u32>(cpu, CPU_CPL) == 3
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  // Nothing is written before all of it is known to be writable.
  let result = DONE
  for (let pass: u32 = 0; pass < 2; pass++) {
    for (let half = halves; half > 0; half--) {
      const offset = (half - 1) * 8
      const p = accessWrite(linearAt(ip, offset, 8, true), 8, segment, user, true)
      if (!p) return FAULTED
      if (!pass) continue
      for (let i: u32 = 0; i < 8; i++)
        if (load<u8>(mask + offset + i) & 0x80) store<u8>(p + i, load<u8>(data + offset + i))
      if (finish(p) != DONE) result = COMMITTED
    }
  }
  return result
}
