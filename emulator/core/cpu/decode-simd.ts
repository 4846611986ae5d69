// Decodes MMX, SSE and AVX instructions, and the general-register ones that share their opcode maps (SDM 2 2.3, appendix
// A). The record: O_AUX number (below), O_AUX2 VECTOR_* bits, O_DST and O_SRC register addresses, operands of memory as
// everywhere. Immediates lie in O_AUX2; the counts of shift groups, which are sources, in O_IMM.

import {
  CPU_RAX,
  CPU_RDI,
  CPU_XSAVE,
  CPU_ZERO,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE64,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_V86,
  SEG_DS,
} from '../layout'
import { cpuCount } from '../machine/smp'
import { cpu } from './context'
import {
  byte,
  emit,
  emitSlow,
  emitSystem,
  gpr,
  isCut,
  mod,
  mode,
  modrm,
  op,
  operand16,
  plainMemory,
  reg,
  repeat,
  rex,
  rm,
  setRex,
  size,
} from './decode'
import { Op, Slow, Sys } from './ops'
import {
  F_ALIGN,
  F_BYTES,
  F_COUNT,
  F_CROSS,
  F_FLAGS,
  F_GROUP,
  F_IMM,
  F_L1,
  F_LEGACY,
  F_LIG,
  F_MEMORY_ONLY,
  F_NDS,
  F_NOT_L0,
  F_PLAIN,
  F_REG_GPR,
  F_REG_MM,
  F_REGISTER_ONLY,
  F_RM_GPR,
  F_RM_MM,
  F_SCALED,
  F_STORE,
  F_VEX,
  F_VEX_ALIGN,
  F_W0,
  F_W1,
  F_WIDE,
  format0F,
  format38,
  format3A,
  PP_66,
  PP_F2,
  PP_F3,
  PP_NONE,
} from './simd/format'
import { mmxRegister } from './x87/mmx-state'
import { Bits } from './simd/bits'
import { ADDRESS_16, O_AUX, O_AUX2, O_DST, O_IMM, O_INDEX, O_KIND, O_SCALE, O_SRC } from './trace-format'

// Numbers in O_AUX: map (1 0F, 2 0F 38, 3 0F 3A) << 12 | mandatory prefix << 8 | opcode; NUMBER_BITS | Bits.
export const NUMBER_BITS: u32 = 0x8000

// O_AUX2: bits 0-7 immediate, 8-11 first source, 16-21 bytes of the second source.
export const VECTOR_SOURCE1_SHIFT: u32 = 8
export const VECTOR_L: u32 = 1 << 12
export const VECTOR_VEX: u32 = 1 << 13
export const VECTOR_W: u32 = 1 << 14
export const VECTOR_MEMORY: u32 = 1 << 15
export const VECTOR_BYTES_SHIFT: u32 = 16
export const VECTOR_ALIGNED: u32 = 1 << 22
/** An MMX register is involved. */
export const VECTOR_MMX: u32 = 1 << 23
/** r/m is the destination. */
export const VECTOR_STORE: u32 = 1 << 24
/** The destination is a general register. */
export const VECTOR_TO_GPR: u32 = 1 << 25
export const VECTOR_TO_MMX: u32 = 1 << 26
export const VECTOR_FLAGS: u32 = 1 << 27
export const VECTOR_CROSS: u32 = 1 << 28
/** The second source does not advance with the upper half. */
export const VECTOR_COUNT: u32 = 1 << 29
export const VECTOR_PLAIN: u32 = 1 << 30
/** r/m is a general register. */
export const VECTOR_RM_GPR: u32 = 1 << 31

const CPU_XMM: u32 = CPU_XSAVE + 160

function undefined_(): void {
  emitSystem(Sys.UNDEFINED, FAULT_DETAIL_UNDEFINED_OPCODE)
}

@inline
function xmm(n: u32): u32 {
  return <u32>cpu + CPU_XMM + n * 16
}

@inline
function mode64(): bool {
  return (mode & MODE_SIZE) == MODE_CODE64
}

/** The mandatory prefix: F2h and F3h go before 66h. */
function mandatory(): u32 {
  return repeat == 0xf3 ? PP_F3 : repeat == 0xf2 ? PP_F2 : operand16 ? PP_66 : PP_NONE
}

/** 0F `opcode` (map 1), 0F 38 (2) or 0F 3A (3) without VEX. */
export function decodeLegacy(map: u32, opcode: u32): void {
  if (bits(map, opcode)) return
  decodeVector(map, opcode, mandatory(), false, 0, 0, rex & 8 ? 1 : 0)
}

/**
 * C4h or C5h where it is a VEX prefix (SDM 2 2.3.5): in 64-bit mode always, elsewhere in protected mode when what follows
 * would be a ModRM byte of LDS or LES with a register operand, which is for the caller to know. `first`: the byte behind.
 */
export function decodeVex(three: bool, first: u32): void {
  let map: u32 = 1
  let second = first
  let extension: u32 = first & 0x80 ? 0 : 4
  if (three) {
    map = first & 31
    extension |= (first & 0x40 ? 0 : 2) | (first & 0x20 ? 0 : 1)
    second = byte()
  }
  const w: u32 = three ? second >> 7 : 0
  const opcode = byte()
  if (isCut()) return
  const forbidden = repeat != 0 || operand16 || rex != 0
  if (!(mode & MODE_PROTECTED) || mode & MODE_V86 || forbidden || map == 0 || map > 3) {
    undefined_()
    return
  }
  let vvvv = ~(second >> 3) & 15
  if (mode64()) setRex(0x40 | extension | (w << 3))
  else {
    // Only eight registers: R and X are 1 here, B and the top bit of vvvv are ignored.
    setRex(0)
    vvvv &= 7
  }
  // pp is 1 for 66h, 2 for F3h, 3 for F2h: as PP_*.
  const pp = second & 3
  const l = (second >> 2) & 1
  if (bitsVex(map, opcode, pp, vvvv, l, w)) return
  decodeVector(map, opcode, pp, true, vvvv, l, w)
}

function decodeVector(map: u32, opcode: u32, pp: u32, vex: bool, vvvv: u32, length: u32, w: u32): void {
  let l = length
  if (map == 1 && opcode == 0x77) {
    // EMMS; VZEROUPPER and VZEROALL.
    if (pp != PP_NONE || vvvv) undefined_()
    else record(0x1077, (vex ? VECTOR_VEX : VECTOR_MMX) | VECTOR_FLAGS | (l ? VECTOR_L : 0))
    return
  }
  modrm()
  if (isCut()) return
  if (vex && map == 1 && opcode == 0xae && pp == PP_NONE && mod != 3 && ((reg & 7) == 2 || (reg & 7) == 3)) {
    // VLDMXCSR, VSTMXCSR
    if (vvvv || l) undefined_()
    else record(NUMBER_BITS | ((reg & 7) == 2 ? Bits.LDMXCSR : Bits.STMXCSR), VECTOR_MEMORY | VECTOR_VEX)
    return
  }
  const register = mod == 3
  const f =
    map == 1 ? format0F(pp, opcode, register) : map == 2 ? format38(pp, opcode, w) : format3A(pp, opcode)
  if (f & F_LIG) l = 0
  if (
    f == 0 ||
    !(f & (vex ? F_VEX : F_LEGACY)) ||
    (register ? (f & F_MEMORY_ONLY) != 0 : (f & F_REGISTER_ONLY) != 0) ||
    (vex &&
      ((f & F_W0 && w) || (f & F_W1 && !w) || (l ? !(f & F_L1) : f & F_NOT_L0) || (vvvv && !(f & F_NDS))))
  ) {
    undefined_()
    return
  }
  let number = (map << 12) | (pp << 8) | opcode
  let flags: u32 = (vex ? VECTOR_VEX : 0) | (l ? VECTOR_L : 0) | (w ? VECTOR_W : 0)
  let bytes = f & F_BYTES
  if (f & F_SCALED && l) bytes <<= 1
  if (f & F_WIDE && w && mode64()) bytes = 8
  const regAddress = f & F_REG_GPR ? gpr(reg) : f & F_REG_MM ? mmxRegister(reg & 7) : xmm(reg)
  let rmAddress: u32 = 0
  if (register) {
    if (f & F_RM_GPR) {
      rmAddress = gpr(rm)
      flags |= VECTOR_RM_GPR
    } else if (f & F_RM_MM) rmAddress = mmxRegister(rm & 7)
    else {
      rmAddress = xmm(rm)
      if (!(f & F_STORE)) bytes = 16
    }
  } else {
    flags |= VECTOR_MEMORY
    if (vex ? f & F_VEX_ALIGN : f & (F_ALIGN | F_VEX_ALIGN)) flags |= VECTOR_ALIGNED
  }
  if (f & (F_REG_MM | F_RM_MM) && (register || f & F_REG_MM)) flags |= VECTOR_MMX
  // MASKMOVQ, MASKMOVDQU write to DS:rDI.
  if (map == 1 && opcode == 0xf7) plainMemory(<u32>cpu + CPU_RDI, SEG_DS)
  if (f & F_CROSS) flags |= VECTOR_CROSS
  if (f & F_COUNT) flags |= VECTOR_COUNT
  if (f & F_PLAIN) flags |= VECTOR_PLAIN
  if (f & F_FLAGS) flags |= VECTOR_FLAGS
  // Legacy instructions that merge have the destination as first source.
  let source1: u32 = f & F_NDS && vex ? vvvv : f & F_STORE ? rm : reg
  if (f & F_GROUP) {
    number = shiftGroup(number, reg & 7)
    if (!number) {
      undefined_()
      return
    }
    store<u64>(op, byte() as u64, O_IMM)
    store<u32>(op, vex ? xmm(vvvv) : rmAddress, O_DST)
    store<u32>(op, <u32>op + O_IMM, O_SRC)
    source1 = rm
    bytes = 8
    flags |= VECTOR_COUNT | (f & F_REG_MM ? VECTOR_TO_MMX : 0)
  } else if (f & F_STORE) {
    store<u32>(op, regAddress, O_SRC)
    store<u32>(op, rmAddress, O_DST)
    flags |= VECTOR_STORE
  } else {
    store<u32>(op, regAddress, O_DST)
    store<u32>(op, rmAddress, O_SRC)
    if (f & F_REG_GPR) flags |= VECTOR_TO_GPR
    else if (f & F_REG_MM) flags |= VECTOR_TO_MMX
  }
  // MOVDDUP has 8 bytes or 32.
  if (number == 0x1312 && l) bytes = register ? 16 : 32
  if (map == 2 && opcode >= 0x90 && opcode <= 0x93 && !vectorIndex()) {
    undefined_()
    return
  }
  if (f & F_IMM && !(f & F_GROUP)) flags |= byte()
  // The register in the immediate of VBLENDVPS and relatives has three bits outside 64-bit mode.
  if (number >= 0x314a && number <= 0x314c && !mode64()) flags &= ~0x80
  flags |= ((source1 & 15) << VECTOR_SOURCE1_SHIFT) | (bytes << VECTOR_BYTES_SHIFT)
  record(number, flags)
  if (!vex) quicken(number, flags, bytes)
}

const NOT_QUICK: u32 =
  VECTOR_MMX | VECTOR_TO_GPR | VECTOR_TO_MMX | VECTOR_FLAGS | VECTOR_CROSS | VECTOR_PLAIN | VECTOR_RM_GPR

/** Gives the commonest instructions the records that the executor carries out itself. */
function quicken(number: u32, flags: u32, bytes: u32): void {
  if ((number == 0x117e || number == 0x116e) && !(flags & (VECTOR_MEMORY | VECTOR_MMX))) {
    if (number == 0x117e) emit(bytes == 8 ? Op.VECTOR_TO_R64 : Op.VECTOR_TO_R32)
    else emit(bytes == 8 ? Op.VECTOR_FROM_R64 : Op.VECTOR_FROM_R32)
    return
  }
  if (flags & NOT_QUICK || number == 0x112a) return
  const opcode = number & 0xff
  const memory = (flags & VECTOR_MEMORY) != 0
  // MOVUPS, MOVUPD, MOVAPS, MOVAPD; MOVDQA, MOVDQU
  const low = (number & 0xfe00) == 0x1000 && (opcode & 0xfe) != 0x2a
  const load_ = (low && (opcode == 0x10 || opcode == 0x28)) || number == 0x116f || number == 0x126f
  const store_ = (low && (opcode == 0x11 || opcode == 0x29)) || number == 0x117f || number == 0x127f
  if (load_ || store_) emit(!memory ? Op.VECTOR_MOVE_RR : load_ ? Op.VECTOR_MOVE_RM : Op.VECTOR_MOVE_MR)
  else if (memory && (number == 0x1310 || number == 0x127e)) emit(Op.VECTOR_MOVE8_RM)
  else if (memory && (number == 0x1311 || number == 0x11d6 || number == 0x1013 || number == 0x1113))
    emit(Op.VECTOR_MOVE8_MR)
  else if (flags & VECTOR_STORE) return
  else if (!memory) emit(betweenRegisters(number))
  else if (bytes == 16) emit(Op.VECTOR_RM)
  else if (bytes == 8) emit(isDouble(number) ? Op.VECTOR_DOUBLE_RM : Op.VECTOR_RM8)
}

/** ADDSD, MULSD, SUBSD */
function isDouble(number: u32): bool {
  return number == 0x1358 || number == 0x1359 || number == 0x135c
}

/** Operations on two registers, or on one and an immediate count. */
function betweenRegisters(number: u32): i32 {
  switch (number) {
    case 0x1054:
    case 0x1154:
    case 0x11db:
      return Op.VECTOR_AND_RR
    case 0x1056:
    case 0x1156:
    case 0x11eb:
      return Op.VECTOR_OR_RR
    case 0x1057:
    case 0x1157:
    case 0x11ef:
      return Op.VECTOR_XOR_RR
    case 0x11d4:
      return Op.VECTOR_ADD_Q_RR
    case 0x11fe:
      return Op.VECTOR_ADD_D_RR
    case 0x11f3:
      return Op.VECTOR_SHL_Q
    case 0x11d3:
      return Op.VECTOR_SHR_Q
    case 0x1358:
    case 0x1359:
    case 0x135c:
      return Op.VECTOR_DOUBLE_RR
  }
  return Op.VECTOR_RR
}

/** VSIB (SDM 2 2.3.12): the index is a vector register, at O_SRC; its shift in O_IMM. */
function vectorIndex(): bool {
  if (rm != 4 || load<u8>(op, O_KIND) == ADDRESS_16) return false
  const index = load<u32>(op, O_INDEX)
  const none = <u32>cpu + CPU_ZERO
  store<u32>(op, xmm(index == none ? 4 : (index - <u32>cpu - CPU_RAX) >> 3), O_SRC)
  store<u32>(op, none, O_INDEX)
  store<u64>(op, load<u8>(op, O_SCALE) as u64, O_IMM)
  store<u8>(op, 0, O_SCALE)
  return true
}

function record(number: u32, flags: u32): void {
  emit(Op.VECTOR)
  store<u32>(op, number, O_AUX)
  store<u32>(op, flags, O_AUX2)
}

/** Shifts by an immediate as the shifts by a register that they are; the two by bytes keep numbers of their own. */
function shiftGroup(number: u32, what: u32): u32 {
  const prefix = number & 0xff00
  switch (((number & 3) << 4) | what) {
    case 0x12:
      return prefix | 0xd1
    case 0x14:
      return prefix | 0xe1
    case 0x16:
      return prefix | 0xf1
    case 0x22:
      return prefix | 0xd2
    case 0x24:
      return prefix | 0xe2
    case 0x26:
      return prefix | 0xf2
    case 0x32:
      return prefix | 0xd3
    case 0x36:
      return prefix | 0xf3
    case 0x33:
      return prefix == 0x1100 ? 0x1173 : 0
    case 0x37:
      return prefix == 0x1100 ? 0x1172 : 0
  }
  return 0
}

// --- general-register instructions -----------------------------------------------------------------------------

function emitBits(what: Bits, bytes: u32): void {
  store<u32>(op, gpr(reg), O_DST)
  if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
  record(NUMBER_BITS | what, (bytes << VECTOR_BYTES_SHIFT) | (mod == 3 ? 0 : VECTOR_MEMORY))
}

/** MOVBE, CRC32, ADX in the legacy encoding, and CLFLUSH and friends. */
function bits(map: u32, opcode: u32): bool {
  if (map == 1) {
    if (opcode == 0xb8 && repeat == 0xf3) {
      modrm()
      emitBits(Bits.POPCNT, size)
      return true
    }
    return false
  }
  if (map != 2) return false
  if (opcode == 0xf0 || opcode == 0xf1) {
    modrm()
    if (repeat == 0xf2) {
      const bytes: u32 = opcode == 0xf0 ? 1 : size
      emitBits(Bits.CRC32, bytes)
      // Without REX the byte registers 4 to 7 are AH to BH.
      if (bytes == 1 && mod == 3 && rex == 0 && rm >= 4) store<u32>(op, gpr(rm - 4) + 1, O_SRC)
      return true
    }
    if (repeat == 0 && mod != 3) {
      emitBits(opcode == 0xf0 ? Bits.MOVBE_LOAD : Bits.MOVBE_STORE, size)
      return true
    }
    undefined_()
    return true
  }
  if (opcode == 0xf6 && (repeat == 0xf3 || (repeat == 0 && operand16))) {
    modrm()
    emitBits(repeat == 0xf3 ? Bits.ADOX : Bits.ADCX, rex & 8 ? 8 : 4)
    return true
  }
  return false
}

/** TZCNT and LZCNT: 0F BC and BD with F3h; ModRM is decoded. */
export function decodeCount(opcode: u32): void {
  emitBits(opcode == 0xbc ? Bits.TZCNT : Bits.LZCNT, size)
}

/** 0F AE (group 15) with ModRM decoded: what is not XSAVE, FXSAVE or an FS/GS base. False: not one of these. */
export function decodeGroup15(): bool {
  const what = reg & 7
  if (mod == 3) {
    if (repeat == 0 && !operand16 && what >= 5) {
      // LFENCE, SFENCE: loads and stores are in order as they are; MFENCE orders a load behind a store (SDM 3A 8.2).
      if (what == 6 && cpuCount() > 1) emitSlow(Slow.FENCE, 0)
      else emit(Op.NOP)
      return true
    }
    return false
  }
  if (repeat != 0) return false
  if (!operand16 && (what == 2 || what == 3)) {
    emitBits(what == 2 ? Bits.LDMXCSR : Bits.STMXCSR, 4)
    return true
  }
  if (!operand16 && what >= 4 && what <= 6) {
    emitBits(what == 4 ? Bits.XSAVE : what == 5 ? Bits.XRSTOR : Bits.XSAVEOPT, rex & 8 ? 8 : 4)
    return true
  }
  // CLFLUSH; with 66h CLFLUSHOPT and CLWB.
  if (what == 7 || (operand16 && what == 6)) {
    emitBits(Bits.CLFLUSH, 1)
    return true
  }
  return false
}

/** 0F C7 with memory: /3 XRSTORS, /4 XSAVEC, /5 XSAVES. */
export function decodeXsavec(): void {
  const what = reg & 7
  if (repeat != 0 || operand16) undefined_()
  else emitBits(what == 3 ? Bits.XRSTORS : what == 4 ? Bits.XSAVEC : Bits.XSAVES, rex & 8 ? 8 : 4)
}

/** 0F 01 D0h and D1h. */
export function decodeXgetbv(set: bool): void {
  if (repeat != 0 || operand16) undefined_()
  else record(NUMBER_BITS | (set ? Bits.XSETBV : Bits.XGETBV), 0)
}

/** BMI1 and BMI2. Bits of VEX.L must be zero. */
function bitsVex(map: u32, opcode: u32, pp: u32, vvvv: u32, l: u32, w: u32): bool {
  let what: Bits = Bits.NONE
  if (map == 2) {
    if (opcode == 0xf2 && pp == PP_NONE) what = Bits.ANDN
    else if (opcode == 0xf3 && pp == PP_NONE) what = Bits.BLSR
    else if (opcode == 0xf5)
      what = pp == PP_NONE ? Bits.BZHI : pp == PP_F3 ? Bits.PEXT : pp == PP_F2 ? Bits.PDEP : Bits.NONE
    else if (opcode == 0xf6 && pp == PP_F2) what = Bits.MULX
    else if (opcode == 0xf7)
      what = pp == PP_NONE ? Bits.BEXTR : pp == PP_66 ? Bits.SHLX : pp == PP_F3 ? Bits.SARX : Bits.SHRX
  } else if (map == 3 && opcode == 0xf0 && pp == PP_F2) what = Bits.RORX
  if (what == Bits.NONE) return false
  modrm()
  if (what == Bits.BLSR) {
    const group = reg & 7
    if (group == 0 || group > 3) what = Bits.NONE
    else what = group == 1 ? Bits.BLSR : group == 2 ? Bits.BLSMSK : Bits.BLSI
  }
  let immediate: u32 = 0
  if (what == Bits.RORX) {
    immediate = byte()
    if (vvvv) what = Bits.NONE
  }
  if (what == Bits.NONE || l) {
    undefined_()
    return true
  }
  emitBits(what, w && mode64() ? 8 : 4)
  store<u32>(op, load<u32>(op, O_AUX2) | immediate | (vvvv << VECTOR_SOURCE1_SHIFT), O_AUX2)
  return true
}
