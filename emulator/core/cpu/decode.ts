// Turns one instruction's bytes into one record (SDM 2, chapters 2-5 and appendix A). Every byte sequence is a
// legal input: what is no instruction becomes an UNDEFINED record, what needs bytes that are not there yet is
// reported as such, and nothing is ever read beyond the bytes given.

import {
  CPU_RAX,
  CPU_RBP,
  CPU_RBX,
  CPU_RCX,
  CPU_RDI,
  CPU_RSI,
  CPU_SEGMENTS,
  CPU_ZERO,
  FAULT_DETAIL_LOCK,
  FAULT_DETAIL_NOT_IMPLEMENTED,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  HDR_CPU_COUNT,
  HEADER,
  MODE_CODE16,
  MODE_CODE64,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_V86,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
  SEGMENT_SIZE,
} from '../layout'
import { cpu } from './context'
import {
  decodeCount,
  decodeGroup15,
  decodeLegacy,
  decodeVex,
  decodeXgetbv,
  decodeXsavec,
} from './decode-simd'
import { decodeFxState, decodeWait, decodeX87 } from './decode-x87'
import { hasCount, modelHas, someWithheld } from './withheld'
import {
  Extension,
  Op,
  SLOW_LOCK,
  SLOW_MEMORY,
  Slow,
  STRING_CMPS,
  STRING_INS,
  STRING_LODS,
  STRING_MOVS,
  STRING_OUTS,
  STRING_SCAS,
  STRING_STOS,
  Sys,
} from './ops'
import {
  ADDRESS_16,
  ADDRESS_32,
  ADDRESS_64,
  ADDRESS_64_32,
  O_AUX,
  O_AUX2,
  O_BASE,
  O_DISP,
  O_DST,
  O_IMM,
  O_INDEX,
  O_KIND,
  O_LENGTH,
  O_OP,
  O_SCALE,
  O_SEGBASE,
  O_SEGMENT,
  O_SRC,
  OP_SIZE,
} from './trace-format'

/** Where the executor keeps the RIP of the running trace: the base register of RIP-relative operands. */
export const CPU_TRACE_RIP = 0x30a0

export const DECODED: u32 = 0
/** Decoded, and nothing may follow it in the trace. */
export const DECODED_LAST: u32 = 1
/** The instruction goes on beyond the bytes given. */
export const DECODE_MORE: u32 = 2

const MAX_LENGTH: u32 = 15

// The instruction being decoded. Transient within one call.
let start: usize = 0
let at: usize = 0
let end: usize = 0
export let op: usize = 0
let short: bool = false
let mode64: bool = false
export let mode: u32 = 0
export let size: u32 = 0 // operand bytes: 2, 4, 8
let addressKind: u32 = 0
export let rex: u32 = 0
let prefixSegment: i32 = -1
export let repeat: u32 = 0 // 0, F2h or F3h
let lock: bool = false
export let operand16: bool = false
export let mod: u32 = 0
export let reg: u32 = 0
export let rm: u32 = 0
let result: u32 = 0
/** Displacement is relative to the next instruction. */
export let relative: bool = false

@inline
export function byte(): u32 {
  if (at >= end) {
    short = true
    return 0
  }
  return load<u8>(at++)
}

function word(): u32 {
  const low = byte()
  return low | (byte() << 8)
}

function dword(): u32 {
  const low = word()
  return low | (word() << 16)
}

@inline
function signedByte(): i64 {
  return <i64>(<i8>byte())
}

/** Whether the instruction turned out to go on beyond the bytes given. */
export function isCut(): bool {
  return short
}

/** Makes the R, X, B and W of a VEX prefix what REX would have made them. */
export function setRex(value: u32): void {
  rex = value
}

/** Immediate of the operand size, at most 32 bits, sign-extended (Iz). */
function immediate(bytes: u32): i64 {
  if (bytes == 1) return signedByte()
  if (bytes == 2) return <i64>(<i16>word())
  return <i64>(<i32>dword())
}

@inline
export function gpr(n: u32): u32 {
  return <u32>cpu + CPU_RAX + n * 8
}

/** Address of 8-bit register n: AH..BH without REX, SPL..DIL with it. */
function gpr8(n: u32): u32 {
  if (rex == 0 && n >= 4 && n < 8) return <u32>cpu + CPU_RAX + (n - 4) * 8 + 1
  return <u32>cpu + CPU_RAX + n * 8
}

@inline
function zeroSlot(): u32 {
  return <u32>cpu + CPU_ZERO
}

@inline
function log2(bytes: u32): u32 {
  return ctz(bytes)
}

@inline
export function emit(code: u32): void {
  store<u16>(op, code as u16, O_OP)
}

export function emitSlow(what: Slow, flags: u32): void {
  emit(Op.SLOW)
  store<u32>(op, what, O_AUX)
  store<u32>(op, flags, O_AUX2)
}

export function emitSystem(what: Sys, flags: u32): void {
  emit(Op.SYSTEM)
  store<u32>(op, what, O_AUX)
  store<u32>(op, flags, O_AUX2)
  result = DECODED_LAST
}

function undefined_(): void {
  emitSystem(Sys.UNDEFINED, FAULT_DETAIL_UNDEFINED_OPCODE)
}

function notImplemented(): void {
  emitSystem(Sys.UNDEFINED, FAULT_DETAIL_NOT_IMPLEMENTED)
}

@inline
function setImmediate_(value: i64): void {
  store<i64>(op, value, O_IMM)
  store<u32>(op, <u32>op + O_IMM, O_SRC)
}

/** ModR/M, SIB and displacement (SDM 2 2.1.5, 2.2.1). Register operands are left to the caller. */
export function modrm(): void {
  const b = byte()
  mod = b >> 6
  reg = ((b >> 3) & 7) | ((rex & 4) << 1)
  rm = b & 7
  if (mod == 3) {
    rm |= (rex & 1) << 3
    return
  }
  if (addressKind == ADDRESS_16) memory16()
  else memory32()
}

function operandSegment(defaultSegment: u32): void {
  const segment: u32 = prefixSegment >= 0 ? prefixSegment : defaultSegment
  store<u8>(op, segment as u8, O_SEGMENT)
  store<u8>(op, addressKind as u8, O_KIND)
  // 64-bit mode treats the bases of ES, CS, SS and DS as zero (SDM 1 3.4.2.1).
  const base = mode64 && segment < <u32>SEG_FS ? zeroSlot() : <u32>cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE
  store<u32>(op, base, O_SEGBASE)
}

function memory16(): void {
  let base = zeroSlot()
  let index = zeroSlot()
  let segment: u32 = SEG_DS
  let displacement: i32 = 0
  switch (rm) {
    case 0:
      base = <u32>cpu + CPU_RBX
      index = <u32>cpu + CPU_RSI
      break
    case 1:
      base = <u32>cpu + CPU_RBX
      index = <u32>cpu + CPU_RDI
      break
    case 2:
      base = <u32>cpu + CPU_RBP
      index = <u32>cpu + CPU_RSI
      segment = SEG_SS
      break
    case 3:
      base = <u32>cpu + CPU_RBP
      index = <u32>cpu + CPU_RDI
      segment = SEG_SS
      break
    case 4:
      base = <u32>cpu + CPU_RSI
      break
    case 5:
      base = <u32>cpu + CPU_RDI
      break
    case 6:
      if (mod != 0) {
        base = <u32>cpu + CPU_RBP
        segment = SEG_SS
      }
      break
    default:
      base = <u32>cpu + CPU_RBX
  }
  if (mod == 1) displacement = <i32>signedByte()
  else if (mod == 2 || (mod == 0 && rm == 6)) displacement = <i32>(<i16>word())
  store<u32>(op, base, O_BASE)
  store<u32>(op, index, O_INDEX)
  store<u8>(op, 0, O_SCALE)
  store<i32>(op, displacement, O_DISP)
  operandSegment(segment)
}

function memory32(): void {
  let base = zeroSlot()
  let index = zeroSlot()
  let scale: u32 = 0
  let segment: u32 = SEG_DS
  let displacement: i32 = 0
  if (rm == 4) {
    const sib = byte()
    scale = sib >> 6
    const i = ((sib >> 3) & 7) | ((rex & 2) << 2)
    const b = sib & 7
    if (i != 4) index = gpr(i)
    if (b == 5 && mod == 0) {
      displacement = <i32>dword()
    } else {
      base = gpr(b | ((rex & 1) << 3))
      if ((b == 4 || b == 5) && !(rex & 1)) segment = SEG_SS
    }
  } else if (rm == 5 && mod == 0) {
    displacement = <i32>dword()
    if (mode64) {
      base = <u32>cpu + CPU_TRACE_RIP
      relative = true
    }
  } else {
    base = gpr(rm | ((rex & 1) << 3))
    if (rm == 5 && !(rex & 1)) segment = SEG_SS
  }
  if (mod == 1) displacement = <i32>signedByte()
  else if (mod == 2) displacement = <i32>dword()
  store<u32>(op, base, O_BASE)
  store<u32>(op, index, O_INDEX)
  store<u8>(op, scale as u8, O_SCALE)
  store<i32>(op, displacement, O_DISP)
  operandSegment(segment)
}

/** A memory operand made of one register or none: string operands, XLAT, moffs. */
export function plainMemory(base: u32, segment: u32): void {
  store<u32>(op, base, O_BASE)
  store<u32>(op, zeroSlot(), O_INDEX)
  store<u8>(op, 0, O_SCALE)
  store<i32>(op, 0, O_DISP)
  operandSegment(segment)
}

/** Stack operand size: 64 bits in 64-bit mode unless 66h (SDM 2 PUSH). */
function stackSize(): u32 {
  if (mode64) return operand16 ? 2 : 8
  return size
}

/**
 * Decodes the instruction at `bytes` (at most `available` of them may be read) into the record at `record`.
 * `offset`: distance of the instruction from the start of its trace; `codeMode`: CPU_MODE. Answers DECODED,
 * DECODED_LAST or DECODE_MORE. O_LENGTH is the instruction's length.
 */
export function decode(bytes: usize, available: u32, record: usize, offset: u32, codeMode: u32): u32 {
  start = bytes
  at = bytes
  end = bytes + (available < MAX_LENGTH ? available : MAX_LENGTH)
  op = record
  short = false
  mode = codeMode
  mode64 = (codeMode & MODE_SIZE) == MODE_CODE64
  rex = 0
  prefixSegment = -1
  repeat = 0
  lock = false
  relative = false
  result = DECODED
  memory.fill(record, 0, OP_SIZE)
  const code16 = (codeMode & MODE_SIZE) == MODE_CODE16
  let flipOperand = false
  let flipAddress = false
  let opcode: u32 = 0
  // Prefixes (SDM 2 2.1.1); REX counts only directly before the opcode (2.2.1).
  for (;;) {
    opcode = byte()
    if (short) break
    if (opcode == 0x66) flipOperand = true
    else if (opcode == 0x67) flipAddress = true
    else if (opcode == 0xf0) lock = true
    else if (opcode == 0xf2 || opcode == 0xf3) repeat = opcode
    else if (opcode == 0x26) prefixSegment = mode64 ? prefixSegment : SEG_ES
    else if (opcode == 0x2e) prefixSegment = mode64 ? prefixSegment : SEG_CS
    else if (opcode == 0x36) prefixSegment = mode64 ? prefixSegment : SEG_SS
    else if (opcode == 0x3e) prefixSegment = mode64 ? prefixSegment : SEG_DS
    else if (opcode == 0x64) prefixSegment = SEG_FS
    else if (opcode == 0x65) prefixSegment = SEG_GS
    else if (mode64 && (opcode & 0xf0) == 0x40) {
      rex = opcode
      continue
    } else break
    rex = 0
  }
  operand16 = flipOperand
  if (mode64) {
    size = rex & 8 ? 8 : flipOperand ? 2 : 4
    addressKind = flipAddress ? ADDRESS_64_32 : ADDRESS_64
  } else {
    size = code16 != flipOperand ? 2 : 4
    addressKind = code16 != flipAddress ? ADDRESS_16 : ADDRESS_32
  }
  if (!short) {
    if (opcode == 0x0f) twoByte(byte())
    else oneByte(opcode)
  }
  if (short) {
    if (available < MAX_LENGTH) return DECODE_MORE
    // More than 15 bytes: #GP(0) (SDM 2 2.3.11).
    result = DECODED_LAST
    emitSystem(Sys.TOO_LONG, 0)
    // The bytes it was decoded from, so that the trace dies when they are written.
    store<u8>(record, MAX_LENGTH as u8, O_LENGTH)
    return result
  }
  const length = <u32>(at - start)
  store<u8>(record, length as u8, O_LENGTH)
  if (someWithheld() && !modelHas(record, mode64, operand16, reg)) undefined_()
  if (lock && !lockable()) emitSystem(Sys.UNDEFINED, FAULT_DETAIL_LOCK)
  if (relative) store<i32>(record, load<i32>(record, O_DISP) + <i32>(offset + length), O_DISP)
  return result
}

/** Whether the record just made is one of those LOCK may precede (SDM 2 LOCK), with a memory destination. */
function lockable(): bool {
  const code = load<u16>(op, O_OP) as i32
  if (code >= Op.XCHG_MR8 && code <= Op.XCHG_MR64) return true
  return code == Op.SLOW && (load<u32>(op, O_AUX2) & SLOW_LOCK) != 0
}

/** ADD..CMP: kind 0-7 in the order of the opcodes, form 0 RR, 1 RM, 2 MR. */
function emitAlu(kind: u32, form: u32, bytes: u32): void {
  if (lock && form == 2 && kind != 7) emitSlow(Slow.LOCKED, bytes | SLOW_MEMORY | SLOW_LOCK | (kind << 16))
  else emit(Op.ADD_RR8 + kind * 12 + form * 4 + log2(bytes))
}

function register(n: u32, bytes: u32): u32 {
  return bytes == 1 ? gpr8(n) : gpr(n)
}

/** Operand E of `bytes` as destination: RR with O_DST set, or a memory operand. True for memory. */
function destination(bytes: u32): bool {
  if (mod != 3) return true
  store<u32>(op, register(rm, bytes), O_DST)
  return false
}

/** A one-operand instruction in R and M groups of four. `locked`: number for Slow.LOCKED. */
function emitUnary(first: u32, bytes: u32, locked: u32): void {
  if (destination(bytes)) {
    if (lock) emitSlow(Slow.LOCKED, bytes | SLOW_MEMORY | SLOW_LOCK | (locked << 16))
    else emit(first + 4 + log2(bytes))
  } else emit(first + log2(bytes))
}

function slowFlags(bytes: u32): u32 {
  return destination(bytes) ? bytes | SLOW_MEMORY : bytes
}

function alu(opcode: u32): void {
  const kind = opcode >> 3
  const form = opcode & 7
  const bytes: u32 = form & 1 ? size : 1
  if (form >= 4) {
    store<u32>(op, <u32>cpu + CPU_RAX, O_DST)
    setImmediate_(immediate(bytes))
    emitAlu(kind, 0, bytes)
    return
  }
  modrm()
  if (form < 2) {
    store<u32>(op, register(reg, bytes), O_SRC)
    emitAlu(kind, destination(bytes) ? 2 : 0, bytes)
  } else {
    store<u32>(op, register(reg, bytes), O_DST)
    if (mod == 3) {
      store<u32>(op, register(rm, bytes), O_SRC)
      emitAlu(kind, 0, bytes)
    } else emitAlu(kind, 1, bytes)
  }
}

function pushRegister(source: u32): void {
  const bytes = stackSize()
  store<u32>(op, source, O_SRC)
  emit(bytes == 8 ? Op.PUSH64 : Op.PUSH)
  store<u32>(op, bytes, O_AUX2)
}

function pushSegment(segment: u32): void {
  // The upper part of a 32- or 64-bit push of a selector is zero here; newer processors leave it unwritten for
  // 32 bits (SDM 2 PUSH), which no program can rely on.
  emitSlow(Slow.STORE_SEGMENT, stackSize() | (segment << 16) | 0x80000000)
}

function popSegment(segment: u32): void {
  store<u32>(op, segment, O_DST)
  emitSystem(Sys.POP_SEGMENT, stackSize())
}

/** A jump whose target is `delta` beyond the next instruction; kept as a delta from the trace's RIP in O_DISP. */
function jumpTarget(delta: i64): void {
  store<i32>(op, <i32>delta, O_DISP)
  relative = true
}

/** Operand size of near branches: 64 bits in 64-bit mode whatever the prefixes (Intel, SDM 2 JMP). */
function branchDelta(): i64 {
  if (mode64) return <i64>(<i32>dword())
  return immediate(size)
}

function branchSize(): u32 {
  return mode64 ? 8 : size
}

function emitJump(code: u32, delta: i64): void {
  jumpTarget(delta)
  emit(code)
  store<u32>(op, branchSize(), O_AUX2)
  result = DECODED_LAST
}

function shift(count: u32): void {
  // reg: 0 ROL 1 ROR 2 RCL 3 RCR 4 SHL 5 SHR 6 SHL (alias) 7 SAR
  const bytes = load<u32>(op, O_AUX2)
  store<u32>(op, count, O_SRC)
  const kind = reg & 7
  if (mod == 3 && bytes >= 4 && kind != 2 && kind != 3) {
    store<u32>(op, gpr(rm), O_DST)
    const first: u32 =
      kind == 0
        ? Op.ROL_R32
        : kind == 1
          ? Op.ROR_R32
          : kind == 5
            ? Op.SHR_R32
            : kind == 7
              ? Op.SAR_R32
              : Op.SHL_R32
    emit(first + (bytes == 8 ? 1 : 0))
    return
  }
  emitSlow(Slow.SHIFT, slowFlags(bytes) | (kind << 16))
}

function string(kind: u32, bytes: u32): void {
  // DS:rSI may be overridden, ES:rDI may not.
  plainMemory(<u32>cpu + CPU_RSI, SEG_DS)
  emitSystem(Sys.STRING, bytes | (kind << 16) | (repeat << 24))
}

function portIo(what: Sys, bytes: u32, immediatePort: bool): void {
  if (immediatePort) store<u64>(op, byte() as u64, O_IMM)
  emitSystem(what, bytes | (immediatePort ? 0 : 0x100))
}

function farPointer(what: Sys): void {
  if (mode64) {
    undefined_()
    return
  }
  const offset: u32 = size == 2 ? word() : dword()
  store<u64>(op, offset as u64, O_IMM)
  store<i32>(op, word() as i32, O_DISP)
  emitSystem(what, size)
}

function loadFar(segment: u32): void {
  modrm()
  if (mod == 3) {
    undefined_()
    return
  }
  store<u32>(op, segment, O_SRC)
  store<u32>(op, gpr(reg), O_DST)
  emitSystem(Sys.LOAD_FAR, size)
}

function moffs(bytes: u32, toMemory: bool): void {
  plainMemory(zeroSlot(), SEG_DS)
  if (addressKind == ADDRESS_64) {
    // A 64-bit offset does not fit a displacement; it lies in O_IMM and serves as base.
    const low = dword() as u64
    store<u64>(op, low | ((dword() as u64) << 32), O_IMM)
    store<u32>(op, <u32>op + O_IMM, O_BASE)
  } else {
    store<i32>(op, <i32>(addressKind == ADDRESS_16 ? word() : dword()), O_DISP)
  }
  if (toMemory) {
    store<u32>(op, <u32>cpu + CPU_RAX, O_SRC)
    emit(Op.MOV_MR8 + log2(bytes))
  } else {
    store<u32>(op, <u32>cpu + CPU_RAX, O_DST)
    emit(Op.MOV_RM8 + log2(bytes))
  }
}

function oneByte(opcode: u32): void {
  if (opcode < 0x40) {
    if ((opcode & 7) < 6) {
      alu(opcode)
      return
    }
    if (mode64) {
      undefined_()
      return
    }
    switch (opcode) {
      case 0x06:
        pushSegment(SEG_ES)
        return
      case 0x07:
        popSegment(SEG_ES)
        return
      case 0x0e:
        pushSegment(SEG_CS)
        return
      case 0x16:
        pushSegment(SEG_SS)
        return
      case 0x17:
        popSegment(SEG_SS)
        return
      case 0x1e:
        pushSegment(SEG_DS)
        return
      case 0x1f:
        popSegment(SEG_DS)
        return
      case 0x27:
        emitSlow(Slow.BCD, 0 << 16)
        return
      case 0x2f:
        emitSlow(Slow.BCD, 1 << 16)
        return
      case 0x37:
        emitSlow(Slow.BCD, 2 << 16)
        return
      default:
        emitSlow(Slow.BCD, 3 << 16)
        return
    }
  }
  switch (opcode >> 3) {
    case 0x40 >> 3:
    case 0x48 >> 3:
      // REX in 64-bit mode, so only legacy modes come here.
      store<u32>(op, gpr(opcode & 7), O_DST)
      emit((opcode < 0x48 ? Op.INC_R8 : Op.DEC_R8) + log2(size))
      return
    case 0x50 >> 3:
      pushRegister(gpr((opcode & 7) | ((rex & 1) << 3)))
      return
    case 0x58 >> 3: {
      const bytes = stackSize()
      store<u32>(op, gpr((opcode & 7) | ((rex & 1) << 3)), O_DST)
      emit(bytes == 8 ? Op.POP64 : Op.POP)
      store<u32>(op, bytes, O_AUX2)
      return
    }
    case 0x70 >> 3:
    case 0x78 >> 3:
      emitJump(Op.JO + (opcode & 15), signedByte())
      return
    case 0xb0 >> 3:
      store<u32>(op, gpr8((opcode & 7) | ((rex & 1) << 3)), O_DST)
      setImmediate_(byte() as i64)
      emit(Op.MOV_RR8)
      return
    case 0xb8 >> 3: {
      store<u32>(op, gpr((opcode & 7) | ((rex & 1) << 3)), O_DST)
      if (size == 8) {
        const low = dword() as u64
        setImmediate_(low | ((dword() as u64) << 32))
      } else setImmediate_(immediate(size))
      emit(Op.MOV_RR8 + log2(size))
      return
    }
    case 0xd8 >> 3:
      x87(opcode)
      return
  }
  if (opcode >= 0xc0) oneByteHigh(opcode)
  else oneByteLow(opcode)
}

function oneByteLow(opcode: u32): void {
  switch (opcode) {
    case 0x60:
      if (mode64) undefined_()
      else emitSlow(Slow.PUSHA, size)
      return
    case 0x61:
      if (mode64) undefined_()
      else emitSlow(Slow.POPA, size)
      return
    case 0x62:
      // EVEX in 64-bit mode, and BOUND with a register operand elsewhere, do not exist here.
      if (mode64) {
        undefined_()
        return
      }
      modrm()
      if (mod == 3) {
        undefined_()
        return
      }
      store<u32>(op, gpr(reg), O_SRC)
      emitSlow(Slow.BOUND, size | SLOW_MEMORY)
      return
    case 0x63:
      if (mode64) {
        modrm()
        store<u32>(op, gpr(reg), O_DST)
        const memory = mod != 3
        if (!memory) store<u32>(op, gpr(rm), O_SRC)
        if (size == 8) emit(memory ? Op.MOVSX64_M32 : Op.MOVSX64_R32)
        else emit((memory ? Op.MOV_RM8 : Op.MOV_RR8) + log2(size))
        return
      }
      if (!(mode & MODE_PROTECTED) || mode & MODE_V86) {
        undefined_()
        return
      }
      modrm()
      store<u32>(op, gpr(reg), O_SRC)
      emitSlow(Slow.ARPL, slowFlags(2))
      return
    case 0x68:
      setImmediate_(immediate(mode64 ? (operand16 ? 2 : 4) : size))
      pushRegister(<u32>op + O_IMM)
      return
    case 0x6a:
      setImmediate_(signedByte())
      pushRegister(<u32>op + O_IMM)
      return
    case 0x69:
    case 0x6b: {
      modrm()
      store<u32>(op, gpr(reg), O_DST)
      const memory = mod != 3
      if (!memory) store<u32>(op, gpr(rm), O_SRC)
      store<i64>(op, opcode == 0x6b ? signedByte() : immediate(size), O_IMM)
      // The other factor: the immediate, where the two-operand form has the destination.
      store<u32>(op, <u32>op + O_IMM, O_AUX)
      emit((memory ? Op.IMUL_RM16 : Op.IMUL_RR16) + log2(size) - 1)
      return
    }
    case 0x6c:
      string(STRING_INS, 1)
      return
    case 0x6d:
      string(STRING_INS, size == 8 ? 4 : size)
      return
    case 0x6e:
      string(STRING_OUTS, 1)
      return
    case 0x6f:
      string(STRING_OUTS, size == 8 ? 4 : size)
      return
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83: {
      if (opcode == 0x82 && mode64) {
        undefined_()
        return
      }
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      const memory = destination(bytes)
      setImmediate_(opcode == 0x81 ? immediate(size) : signedByte())
      emitAlu(reg & 7, memory ? 2 : 0, bytes)
      return
    }
    case 0x84:
    case 0x85: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_SRC)
      emit((destination(bytes) ? Op.TEST_MR8 : Op.TEST_RR8) + log2(bytes))
      return
    }
    case 0x86:
    case 0x87: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_SRC)
      emit((destination(bytes) ? Op.XCHG_MR8 : Op.XCHG_RR8) + log2(bytes))
      return
    }
    case 0x88:
    case 0x89: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_SRC)
      emit((destination(bytes) ? Op.MOV_MR8 : Op.MOV_RR8) + log2(bytes))
      return
    }
    case 0x8a:
    case 0x8b: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_DST)
      if (mod == 3) {
        store<u32>(op, register(rm, bytes), O_SRC)
        emit(Op.MOV_RR8 + log2(bytes))
      } else emit(Op.MOV_RM8 + log2(bytes))
      return
    }
    case 0x8c:
      modrm()
      if ((reg & 7) > <u32>SEG_GS) undefined_()
      else emitSlow(Slow.STORE_SEGMENT, slowFlags(mod == 3 ? size : 2) | ((reg & 7) << 16))
      return
    case 0x8d:
      modrm()
      if (mod == 3) {
        undefined_()
        return
      }
      store<u32>(op, gpr(reg), O_DST)
      emit(Op.LEA16 + log2(size) - 1)
      return
    case 0x8e:
      modrm()
      if ((reg & 7) == SEG_CS || (reg & 7) > <u32>SEG_GS) {
        undefined_()
        return
      }
      if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
      store<u32>(op, reg & 7, O_DST)
      emitSystem(Sys.LOAD_SEGMENT, mod == 3 ? 2 : 2 | SLOW_MEMORY)
      return
    case 0x8f: {
      modrm()
      if (reg & 7) {
        undefined_()
        return
      }
      const bytes = stackSize()
      emitSlow(Slow.POP_M, slowFlags(bytes))
      return
    }
    case 0x90:
      if (!(rex & 1)) {
        // PAUSE: with one CPU there is nobody to wait for.
        if (repeat == 0xf3 && load<u32>(HEADER, HDR_CPU_COUNT) > 1) emitSystem(Sys.PAUSE, 0)
        else emit(Op.NOP)
        return
      }
      break
    case 0x98:
      emit(size == 2 ? Op.CBW : size == 4 ? Op.CWDE : Op.CDQE)
      return
    case 0x99:
      emit(size == 2 ? Op.CWD : size == 4 ? Op.CDQ : Op.CQO)
      return
    case 0x9a:
      farPointer(Sys.CALL_FAR)
      return
    case 0x9b:
      decodeWait(op)
      return
    case 0x9c:
      emitSystem(Sys.PUSHF, stackSize())
      return
    case 0x9d:
      emitSystem(Sys.POPF, stackSize())
      return
    case 0x9e:
      emitSlow(Slow.FLAGS, 6 << 16)
      return
    case 0x9f:
      emitSlow(Slow.FLAGS, 5 << 16)
      return
    case 0xa0:
      moffs(1, false)
      return
    case 0xa1:
      moffs(size, false)
      return
    case 0xa2:
      moffs(1, true)
      return
    case 0xa3:
      moffs(size, true)
      return
    case 0xa4:
      string(STRING_MOVS, 1)
      return
    case 0xa5:
      string(STRING_MOVS, size)
      return
    case 0xa6:
      string(STRING_CMPS, 1)
      return
    case 0xa7:
      string(STRING_CMPS, size)
      return
    case 0xa8:
    case 0xa9: {
      const bytes: u32 = opcode & 1 ? size : 1
      store<u32>(op, <u32>cpu + CPU_RAX, O_DST)
      setImmediate_(immediate(bytes))
      emit(Op.TEST_RR8 + log2(bytes))
      return
    }
    case 0xaa:
      string(STRING_STOS, 1)
      return
    case 0xab:
      string(STRING_STOS, size)
      return
    case 0xac:
      string(STRING_LODS, 1)
      return
    case 0xad:
      string(STRING_LODS, size)
      return
    case 0xae:
      string(STRING_SCAS, 1)
      return
    case 0xaf:
      string(STRING_SCAS, size)
      return
  }
  if (opcode >= 0x90 && opcode < 0x98) {
    store<u32>(op, gpr((opcode & 7) | ((rex & 1) << 3)), O_DST)
    store<u32>(op, <u32>cpu + CPU_RAX, O_SRC)
    emit(Op.XCHG_RR8 + log2(size))
    return
  }
  undefined_()
}

function oneByteHigh(opcode: u32): void {
  switch (opcode) {
    case 0xc0:
    case 0xc1: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u64>(op, byte() as u64, O_IMM)
      store<u32>(op, bytes, O_AUX2)
      shift(<u32>op + O_IMM)
      return
    }
    case 0xd0:
    case 0xd1: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u64>(op, 1, O_IMM)
      store<u32>(op, bytes, O_AUX2)
      shift(<u32>op + O_IMM)
      return
    }
    case 0xd2:
    case 0xd3: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, bytes, O_AUX2)
      shift(<u32>cpu + CPU_RCX)
      return
    }
    case 0xc2:
    case 0xc3:
      store<u64>(op, opcode == 0xc2 ? (word() as u64) : 0, O_IMM)
      emit(mode64 ? Op.RET64 : Op.RET)
      store<u32>(op, branchSize(), O_AUX2)
      result = DECODED_LAST
      return
    case 0xc4:
    case 0xc5:
      if (mode64 || (at < end && load<u8>(at) >= 0xc0)) decodeVex(opcode == 0xc4, byte())
      else loadFar(opcode == 0xc4 ? SEG_ES : SEG_DS)
      return
    case 0xc6:
    case 0xc7: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      if (reg & 7) {
        undefined_()
        return
      }
      const memory = destination(bytes)
      setImmediate_(immediate(bytes))
      emit((memory ? Op.MOV_MR8 : Op.MOV_RR8) + log2(bytes))
      return
    }
    case 0xc8: {
      const frame = word()
      const level = byte()
      store<u64>(op, (frame | (level << 16)) as u64, O_IMM)
      emitSlow(Slow.ENTER, stackSize())
      return
    }
    case 0xc9:
      if (mode64 && !operand16) emit(Op.LEAVE64)
      else emitSlow(Slow.LEAVE, stackSize())
      return
    case 0xca:
    case 0xcb:
      store<u64>(op, opcode == 0xca ? (word() as u64) : 0, O_IMM)
      emitSystem(Sys.RET_FAR, size)
      return
    case 0xcc:
      store<u64>(op, 3, O_IMM)
      emitSystem(Sys.INT, 1)
      return
    case 0xcd:
      store<u64>(op, byte() as u64, O_IMM)
      emitSystem(Sys.INT, 0)
      return
    case 0xce:
      if (mode64) {
        undefined_()
        return
      }
      store<u64>(op, 4, O_IMM)
      emitSystem(Sys.INT, 2)
      return
    case 0xcf:
      emitSystem(Sys.IRET, size)
      return
    case 0xd4:
    case 0xd5:
      if (mode64) {
        undefined_()
        return
      }
      store<u64>(op, byte() as u64, O_IMM)
      emitSlow(Slow.BCD, (opcode == 0xd4 ? 4 : 5) << 16)
      return
    case 0xd6:
      if (mode64) undefined_()
      else emitSlow(Slow.FLAGS, 7 << 16)
      return
    case 0xd7:
      plainMemory(<u32>cpu + CPU_RBX, SEG_DS)
      emitSlow(Slow.XLAT, 1 | SLOW_MEMORY)
      return
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3: {
      const code: u32 =
        opcode == 0xe0 ? Op.LOOPNE : opcode == 0xe1 ? Op.LOOPE : opcode == 0xe2 ? Op.LOOP : Op.JCXZ
      emitJump(code, signedByte())
      store<u8>(op, addressKind as u8, O_KIND)
      return
    }
    case 0xe4:
      portIo(Sys.IN, 1, true)
      return
    case 0xe5:
      portIo(Sys.IN, size == 8 ? 4 : size, true)
      return
    case 0xe6:
      portIo(Sys.OUT, 1, true)
      return
    case 0xe7:
      portIo(Sys.OUT, size == 8 ? 4 : size, true)
      return
    case 0xec:
      portIo(Sys.IN, 1, false)
      return
    case 0xed:
      portIo(Sys.IN, size == 8 ? 4 : size, false)
      return
    case 0xee:
      portIo(Sys.OUT, 1, false)
      return
    case 0xef:
      portIo(Sys.OUT, size == 8 ? 4 : size, false)
      return
    case 0xe8:
      emitJump(mode64 ? Op.CALL64 : Op.CALL, branchDelta())
      return
    case 0xe9:
      emitJump(Op.JMP, branchDelta())
      return
    case 0xea:
      farPointer(Sys.JMP_FAR)
      return
    case 0xeb:
      emitJump(Op.JMP, signedByte())
      return
    case 0xf1:
      store<u64>(op, 1, O_IMM)
      emitSystem(Sys.INT, 3)
      return
    case 0xf4:
      emitSystem(Sys.HLT, 0)
      return
    case 0xf5:
      emitSlow(Slow.FLAGS, 2 << 16)
      return
    case 0xf6:
    case 0xf7:
      group3(opcode & 1 ? size : 1)
      return
    case 0xf8:
      emitSlow(Slow.FLAGS, 0 << 16)
      return
    case 0xf9:
      emitSlow(Slow.FLAGS, 1 << 16)
      return
    case 0xfa:
      emitSystem(Sys.CLI, 0)
      return
    case 0xfb:
      emitSystem(Sys.STI, 0)
      return
    case 0xfc:
      emitSlow(Slow.FLAGS, 3 << 16)
      return
    case 0xfd:
      emitSlow(Slow.FLAGS, 4 << 16)
      return
    case 0xfe:
      modrm()
      if ((reg & 7) == 0) emitUnary(Op.INC_R8, 1, 8)
      else if ((reg & 7) == 1) emitUnary(Op.DEC_R8, 1, 9)
      else undefined_()
      return
    case 0xff:
      group5()
      return
  }
  undefined_()
}

function group3(bytes: u32): void {
  modrm()
  switch (reg & 7) {
    case 0:
    case 1: {
      const memory = destination(bytes)
      setImmediate_(immediate(bytes))
      emit((memory ? Op.TEST_MR8 : Op.TEST_RR8) + log2(bytes))
      return
    }
    case 2:
      emitUnary(Op.NOT_R8, bytes, 10)
      return
    case 3:
      emitUnary(Op.NEG_R8, bytes, 11)
      return
    case 4:
      emitSlow(Slow.MUL, slowFlags(bytes))
      return
    case 5:
      emitSlow(Slow.IMUL, slowFlags(bytes))
      return
    case 6:
      emitSlow(Slow.DIV, slowFlags(bytes))
      return
    default:
      emitSlow(Slow.IDIV, slowFlags(bytes))
  }
}

function group5(): void {
  modrm()
  switch (reg & 7) {
    case 0:
      emitUnary(Op.INC_R8, size, 8)
      return
    case 1:
      emitUnary(Op.DEC_R8, size, 9)
      return
    case 2:
    case 4: {
      const call = (reg & 7) == 2
      if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
      const memory = mod != 3
      if (!call) emit(memory ? Op.JMP_M : Op.JMP_R)
      else if (mode64) emit(memory ? Op.CALL64_M : Op.CALL64_R)
      else emit(memory ? Op.CALL_M : Op.CALL_R)
      store<u32>(op, branchSize(), O_AUX2)
      result = DECODED_LAST
      return
    }
    case 3:
    case 5:
      if (mod == 3) undefined_()
      else emitSystem((reg & 7) == 3 ? Sys.CALL_FAR_M : Sys.JMP_FAR_M, size)
      return
    case 6: {
      if (mod == 3) {
        pushRegister(gpr(rm))
        return
      }
      const bytes = stackSize()
      emit(bytes == 8 ? Op.PUSH64_M : Op.PUSH_M)
      store<u32>(op, bytes, O_AUX2)
      return
    }
    default:
      undefined_()
  }
}

function x87(opcode: u32): void {
  modrm()
  if (!decodeX87(op, opcode, mod, reg & 7, rm & 7, size == 2)) undefined_()
}

function twoByte(opcode: u32): void {
  switch (opcode >> 4) {
    case 4: {
      modrm()
      store<u32>(op, gpr(reg), O_DST)
      store<u32>(op, opcode & 15, O_AUX)
      if (mod == 3) {
        store<u32>(op, gpr(rm), O_SRC)
        emit(Op.CMOV_R16 + log2(size) - 1)
      } else emit(Op.CMOV_M16 + log2(size) - 1)
      return
    }
    case 8:
      emitJump(Op.JO + (opcode & 15), branchDelta())
      return
    case 9:
      modrm()
      store<u32>(op, opcode & 15, O_AUX)
      emit(destination(1) ? Op.SET_M : Op.SET_R)
      return
  }
  if (opcode >= 0xa0) twoByteHigh(opcode)
  else twoByteLow(opcode)
}

function twoByteLow(opcode: u32): void {
  switch (opcode) {
    case 0x00: {
      if (!(mode & MODE_PROTECTED) || mode & MODE_V86) {
        undefined_()
        return
      }
      modrm()
      const what = reg & 7
      if (what < 2) {
        emitSlow(Slow.STORE_SYSTEM, slowFlags(mod == 3 ? size : 2) | (what << 16))
        return
      }
      if (what > 5) {
        undefined_()
        return
      }
      if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
      const code: Sys = what == 2 ? Sys.LLDT : what == 3 ? Sys.LTR : what == 4 ? Sys.VERR : Sys.VERW
      emitSystem(code, mod == 3 ? 2 : 2 | SLOW_MEMORY)
      return
    }
    case 0x01:
      group7()
      return
    case 0x02:
    case 0x03:
      if (!(mode & MODE_PROTECTED) || mode & MODE_V86) {
        undefined_()
        return
      }
      modrm()
      store<u32>(op, gpr(reg), O_DST)
      if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
      emitSystem(opcode == 2 ? Sys.LAR : Sys.LSL, size | (mod == 3 ? 0 : SLOW_MEMORY))
      return
    case 0x05:
      emitSystem(Sys.SYSCALL, 0)
      return
    case 0x06:
      emitSystem(Sys.CLTS, 0)
      return
    case 0x07:
      emitSystem(Sys.SYSRET, size == 8 ? 8 : 4)
      return
    case 0x08:
    case 0x09:
      emitSystem(Sys.WBINVD, 0)
      return
    case 0x0d:
    case 0x18:
    case 0x19:
    case 0x1a:
    case 0x1b:
    case 0x1c:
    case 0x1d:
    case 0x1e:
    case 0x1f:
      // PREFETCHW, hints and multi-byte NOPs: ModR/M is decoded, memory is not accessed (SDM 2 NOP).
      modrm()
      emit(Op.NOP)
      return
    case 0x20:
    case 0x22:
    case 0x21:
    case 0x23: {
      // mod is ignored: the operand is always a register (SDM 2 MOV CR).
      const b = byte()
      const n = ((b >> 3) & 7) | ((rex & 4) << 1)
      store<u32>(op, gpr((b & 7) | ((rex & 1) << 3)), O_DST)
      // LOCK MOV CR0 is CR8 on AMD processors; Intel's have #UD, and lockable() says so.
      store<u64>(op, n as u64, O_IMM)
      const code: Sys =
        opcode == 0x20
          ? Sys.READ_CR
          : opcode == 0x22
            ? Sys.WRITE_CR
            : opcode == 0x21
              ? Sys.READ_DR
              : Sys.WRITE_DR
      emitSystem(code, mode64 ? 8 : 4)
      return
    }
    case 0x30:
      emitSystem(Sys.WRMSR, 0)
      return
    case 0x31:
      emitSystem(Sys.RDTSC, 0)
      return
    case 0x32:
      emitSystem(Sys.RDMSR, 0)
      return
    case 0x33:
      emitExtension(Extension.RDPMC)
      return
    case 0x34:
      emitSystem(Sys.SYSENTER, 0)
      return
    case 0x35:
      emitSystem(Sys.SYSEXIT, size == 8 ? 8 : 4)
      return
    case 0x3f:
      // The firmware's call into the core; only the ROM may contain it, which the executor checks.
      store<u64>(op, byte() as u64, O_IMM)
      emitSystem(Sys.BIOS_CALL, 0)
      return
    case 0x0b:
      undefined_()
      return
    case 0x38: {
      const third = byte()
      if (third == 0x82 && operand16) invpcid()
      else decodeLegacy(2, third)
      return
    }
    case 0x3a:
      decodeLegacy(3, byte())
      return
    case 0x04:
    case 0x0a:
    case 0x0c:
      undefined_()
      return
  }
  decodeLegacy(1, opcode)
}

function group7(): void {
  modrm()
  const what = reg & 7
  if (mod == 3) {
    if (what == 4) {
      emitSlow(Slow.STORE_SYSTEM, slowFlags(size) | (2 << 16))
      return
    }
    if (what == 6) {
      store<u32>(op, gpr(rm), O_SRC)
      emitSystem(Sys.LMSW, 2)
      return
    }
    if (what == 2 && (rm & 7) < 2) {
      decodeXgetbv((rm & 7) == 1)
      return
    }
    const low = rm & 7
    if (what == 1 && low < 4 && repeat == 0 && !operand16) {
      // MONITOR's address is rAX in DS unless overridden.
      store<u32>(op, gpr(0), O_BASE)
      emitExtension(
        low == 0
          ? Extension.MONITOR
          : low == 1
            ? Extension.MWAIT
            : low == 2
              ? Extension.CLAC
              : Extension.STAC,
      )
      return
    }
    if (what == 5 && low >= 6 && repeat == 0 && !operand16) {
      emitExtension(low == 6 ? Extension.RDPKRU : Extension.WRPKRU)
      return
    }
    if (what == 7 && low == 1) {
      emitExtension(Extension.RDTSCP)
      return
    }
    if (what == 7 && (rm & 7) == 0 && mode64) {
      emitSystem(Sys.SWAPGS, 0)
      return
    }
    notImplemented()
    return
  }
  switch (what) {
    case 0:
    case 1:
      emitSlow(Slow.STORE_TABLE, (mode64 ? 8 : 4) | SLOW_MEMORY | (what << 16))
      return
    case 2:
    case 3:
      emitSystem(what == 2 ? Sys.LGDT : Sys.LIDT, mode64 ? 8 : size)
      return
    case 4:
      emitSlow(Slow.STORE_SYSTEM, 2 | SLOW_MEMORY | (2 << 16))
      return
    case 6:
      emitSystem(Sys.LMSW, 2 | SLOW_MEMORY)
      return
    case 7:
      emitSystem(Sys.INVLPG, 0)
      return
    default:
      undefined_()
  }
}

function bitTest(kind: u32, isImmediate: bool): void {
  const memory = mod != 3
  if (!memory) store<u32>(op, gpr(rm), O_DST)
  const locked = lock && memory && kind != 0
  emitSlow(
    Slow.BT,
    size | (memory ? SLOW_MEMORY : 0) | (locked ? SLOW_LOCK : 0) | (kind << 16) | (isImmediate ? 1 << 18 : 0),
  )
}

function widen(first8: u32, first16: u32): void {
  // first8, first16: R form; M follows. Operand size 16 from 16 bits is a plain move.
  modrm()
  store<u32>(op, gpr(reg), O_DST)
  const memory: u32 = mod != 3 ? 1 : 0
  if (first16 == 0) {
    if (!memory) store<u32>(op, gpr8(rm), O_SRC)
    emit(first8 + memory)
    return
  }
  if (!memory) store<u32>(op, gpr(rm), O_SRC)
  emit(first16 + memory)
}

function twoByteHigh(opcode: u32): void {
  switch (opcode) {
    case 0xa0:
      pushSegment(SEG_FS)
      return
    case 0xa1:
      popSegment(SEG_FS)
      return
    case 0xa8:
      pushSegment(SEG_GS)
      return
    case 0xa9:
      popSegment(SEG_GS)
      return
    case 0xa2:
      emitSystem(Sys.CPUID, 0)
      return
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
      modrm()
      store<u32>(op, gpr(reg), O_SRC)
      bitTest((opcode >> 3) & 3, false)
      return
    case 0xba: {
      modrm()
      if ((reg & 7) < 4) {
        undefined_()
        return
      }
      setImmediate_(byte() as i64)
      bitTest(reg & 3, true)
      return
    }
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad: {
      modrm()
      store<u32>(op, gpr(reg), O_SRC)
      if (opcode & 1) store<u32>(op, <u32>cpu + CPU_RCX, O_IMM)
      else {
        store<u32>(op, <u32>op + O_IMM + 4, O_IMM)
        store<u8>(op, byte() as u8, O_IMM + 4)
      }
      emitSlow(Slow.SHIFT_DOUBLE, slowFlags(size) | (opcode >= 0xac ? 1 << 16 : 0))
      return
    }
    case 0xae:
      group15()
      return
    case 0xaf:
      modrm()
      store<u32>(op, gpr(reg), O_DST)
      store<u32>(op, gpr(reg), O_AUX)
      if (mod == 3) {
        store<u32>(op, gpr(rm), O_SRC)
        emit(Op.IMUL_RR16 + log2(size) - 1)
      } else emit(Op.IMUL_RM16 + log2(size) - 1)
      return
    case 0xb0:
    case 0xb1: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_SRC)
      const flags = slowFlags(bytes)
      emitSlow(Slow.CMPXCHG, flags | (lock && flags & SLOW_MEMORY ? SLOW_LOCK : 0))
      return
    }
    case 0xb2:
      loadFar(SEG_SS)
      return
    case 0xb4:
      loadFar(SEG_FS)
      return
    case 0xb5:
      loadFar(SEG_GS)
      return
    case 0xb6:
      widen(size == 2 ? Op.MOVZX16_R8 : Op.MOVZX_R8, 0)
      return
    case 0xb7:
      widen(0, size == 2 ? Op.MOV_RR16 : Op.MOVZX_R16)
      if (size == 2 && mod != 3) emit(Op.MOV_RM16)
      return
    case 0xbe:
      widen(size == 2 ? Op.MOVSX16_R8 : size == 4 ? Op.MOVSX_R8 : Op.MOVSX64_R8, 0)
      return
    case 0xbf:
      widen(0, size == 2 ? Op.MOV_RR16 : size == 4 ? Op.MOVSX_R16 : Op.MOVSX64_R16)
      if (size == 2 && mod != 3) emit(Op.MOV_RM16)
      return
    case 0xb9:
    case 0xff:
      // UD1 and UD0 have a ModR/M byte.
      modrm()
      undefined_()
      return
    case 0xbc:
    case 0xbd:
      modrm()
      if (repeat == 0xf3 && hasCount(opcode)) {
        decodeCount(opcode)
        return
      }
      store<u32>(op, gpr(reg), O_DST)
      if (mod == 3) store<u32>(op, gpr(rm), O_SRC)
      emitSlow(opcode == 0xbc ? Slow.BSF : Slow.BSR, size | (mod == 3 ? 0 : SLOW_MEMORY))
      return
    case 0xc0:
    case 0xc1: {
      const bytes: u32 = opcode & 1 ? size : 1
      modrm()
      store<u32>(op, register(reg, bytes), O_SRC)
      const flags = slowFlags(bytes)
      emitSlow(Slow.XADD, flags | (lock && flags & SLOW_MEMORY ? SLOW_LOCK : 0))
      return
    }
    case 0xc7:
      modrm()
      if ((reg & 7) != 1) {
        if (mod != 3 && (reg & 7) >= 3 && (reg & 7) <= 5) decodeXsavec()
        else if (mod == 3 && (reg & 7) >= 6) random()
        else undefined_()
        return
      }
      if (mod == 3) undefined_()
      else emitSlow(Slow.CMPXCHG_PAIR, (size == 8 ? 16 : 8) | SLOW_MEMORY | (lock ? SLOW_LOCK : 0))
      return
  }
  if (opcode >= 0xc8 && opcode < 0xd0) {
    store<u32>(op, gpr((opcode & 7) | ((rex & 1) << 3)), O_DST)
    if (size == 2) emitSlow(Slow.BSWAP16, 2)
    else emit(size == 8 ? Op.BSWAP64 : Op.BSWAP32)
    return
  }
  if (opcode == 0xaa || opcode == 0xa6 || opcode == 0xa7) {
    undefined_()
    return
  }
  decodeLegacy(1, opcode)
}

function emitExtension(what: Extension): void {
  emitSystem(Sys.EXTENSION, size | ((what as u32) << 16))
}

/** 66 0F 38 82: the type in a register of the mode's size, the descriptor in memory. */
function invpcid(): void {
  modrm()
  store<u32>(op, gpr(reg), O_DST)
  if (mod == 3) undefined_()
  else emitExtension(Extension.INVPCID)
}

/** RDRAND, RDSEED; with F3h RDPID. */
function random(): void {
  store<u32>(op, gpr(rm), O_DST)
  if (repeat == 0xf3) {
    if ((reg & 7) == 7) emitExtension(Extension.RDPID)
    else undefined_()
  } else emitExtension((reg & 7) == 6 ? Extension.RDRAND : Extension.RDSEED)
}

function group15(): void {
  modrm()
  if (mod == 3 && repeat == 0xf3 && (reg & 7) < 4) {
    store<u32>(op, gpr(rm), O_DST)
    const what = reg & 7
    emitExtension(
      what == 0
        ? Extension.RDFSBASE
        : what == 1
          ? Extension.RDGSBASE
          : what == 2
            ? Extension.WRFSBASE
            : Extension.WRGSBASE,
    )
    return
  }
  if (mod != 3 && (reg & 7) < 2 && repeat == 0 && !operand16)
    decodeFxState(op, (reg & 1) != 0, (rex & 8) != 0)
  else if (!decodeGroup15()) notImplemented()
}
