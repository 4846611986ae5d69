// FLDENV, FSTENV, FSAVE, FRSTOR, FXSAVE, FXRSTOR (SDM 1 8.1.10, 8.1.11, 10.5): the x87 state in guest memory.

import { accessCommit, accessRead, accessWrite, checkAligned } from '../../memory/linear'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_EFER,
  CPU_MODE,
  CPU_X87_IMAGE,
  CPU_XSAVE,
  FAULT_DETAIL_NONE,
  FAULT_DETAIL_PRIVILEGE,
  MODE_CODE64,
  MODE_LONG,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_V86,
} from '../../layout'
import { linearOf } from '../address'
import { bounce, cpu } from '../context'
import { raise } from '../fault'
import { O_AUX2, O_SEGMENT } from '../trace-format'
import { MXCSR_MASK } from '../simd/mxcsr'
import { EXC_GP, EXC_NM } from '../vectors'
import { normal } from './arithmetic'
import { X87_KIND_SHIFT, X87_SHORT } from './ops'
import {
  BUSY,
  COMMITTED,
  DONE,
  ES,
  exponent,
  FAULTED,
  FCW,
  FDP,
  FIP,
  FOP,
  FSW,
  FTW,
  REGISTERS,
  significand,
  st,
  summarise,
} from './state'

/** Bits of the control word that hold what is written; bit 6 reads as one. */
const CONTROL_BITS: u32 = 0x1f3f
const CONTROL_ONE: u32 = 0x40
const CR0_EM_TS: u32 = 12
const EFER_FFXSR: u32 = 0x4000
const MXCSR = 24
const XMM = 160

export function setControl(word: u32): void {
  store<u16>(cpu, (word & CONTROL_BITS) | CONTROL_ONE, FCW)
}

export function initialise(): void {
  store<u16>(cpu, 0x37f, FCW)
  store<u16>(cpu, 0, FSW)
  store<u8>(cpu, 0, FTW)
  store<u16>(cpu, 0, FOP)
  store<u64>(cpu, 0, FIP)
  store<u64>(cpu, 0, FDP)
}

/** The full tag word (SDM 1 figure 8-7): 0 valid, 1 zero, 2 special, 3 empty. */
export function tagWord(): u32 {
  let word: u32 = 0
  const used = load<u8>(cpu, FTW) as u32
  for (let n: u32 = 0; n < 8; n++) {
    let tag: u32 = 3
    if ((used >> n) & 1) {
      const r = cpu + (n << 4)
      const se = exponent(r)
      const sig = significand(r)
      tag = normal(se, sig) ? 0 : sig == 0 && (se & 0x7fff) == 0 ? 1 : 2
    }
    word |= tag << (2 * n)
  }
  return word
}

function setTags(word: u32): void {
  let used: u32 = 0
  for (let n: u32 = 0; n < 8; n++) if (((word >> (2 * n)) & 3) != 3) used |= 1 << n
  store<u8>(cpu, used as u8, FTW)
}

@inline
function user(): bool {
  return load<u32>(cpu, CPU_CPL) == 3
}

/** Pieces in which an image goes through the bounce buffer. */
const PIECE: u32 = 64

/**
 * Copies `size` bytes from CPU_X87_IMAGE to the operand; everything is checked before anything is written. `unit`: what the operand
 * must be aligned to where alignment is checked (SDM 3A table 6-7: 4 or 2 bytes, by the operand size). Intel's processors ask for
 * the control word in that size, then for the last byte: that is CR2 when an image runs into a page that may not be written.
 */
function put(ip: usize, size: u32, unit: u32): u32 {
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  const linear = linearOf(ip, size, true)
  if (!checkAligned(wrapped(linear), unit, user())) return FAULTED
  if (!accessWrite(wrapped(linear), unit, segment, user(), false)) return FAULTED
  if (!accessWrite(wrapped(linear + size - 1), 1, segment, user(), false)) return FAULTED
  for (let at: u32 = 0; at < size; at += PIECE) {
    const n = size - at < PIECE ? size - at : PIECE
    if (!accessWrite(wrapped(linear + at), n, segment, user(), false)) return FAULTED
  }
  let status = DONE
  for (let at: u32 = 0; at < size; at += PIECE) {
    const n = size - at < PIECE ? size - at : PIECE
    const p = accessWrite(wrapped(linear + at), n, segment, user(), false)
    memory.copy(p, cpu + CPU_X87_IMAGE + at, n)
    if (p == bounce) {
      accessCommit()
      status = COMMITTED
    }
  }
  return status
}

/** The reverse; false when a fault is pending. Of FXRSTOR's image the last byte is asked for first. */
function get(ip: usize, size: u32, unit: u32, fx: bool): bool {
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  const linear = linearOf(ip, size, false)
  if (!checkAligned(wrapped(linear), unit, user())) return false
  if (!fx && !accessRead(wrapped(linear), unit, segment, user())) return false
  if (!accessRead(wrapped(linear + size - 1), 1, segment, user())) return false
  for (let at: u32 = 0; at < size; at += PIECE) {
    const n = size - at < PIECE ? size - at : PIECE
    const p = accessRead(wrapped(linear + at), n, segment, user())
    if (!p) return false
    memory.copy(cpu + CPU_X87_IMAGE + at, p, n)
  }
  return true
}

function wrapped(linear: u64): u64 {
  return load<u32>(cpu, CPU_MODE) & MODE_LONG ? linear : linear & 0xffffffff
}

/** Real-address and virtual-8086 mode have formats of their own (SDM 1 figures 8-10, 8-12). */
function realFormat(): bool {
  return (load<u32>(cpu, CPU_MODE) & (MODE_PROTECTED | MODE_V86)) != MODE_PROTECTED
}

// CS and DS of the pointers are zero (CPUID.07H:EBX[13]).

function buildEnvironment(short: bool): u32 {
  const ip = load<u32>(cpu, FIP)
  const dp = load<u32>(cpu, FDP)
  const opcode = load<u16>(cpu, FOP) as u32 & 0x7ff
  const real = realFormat()
  if (short) {
    store<u16>(cpu + CPU_X87_IMAGE, load<u16>(cpu, FCW))
    store<u16>(cpu + CPU_X87_IMAGE, load<u16>(cpu, FSW), 2)
    store<u16>(cpu + CPU_X87_IMAGE, tagWord() as u16, 4)
    store<u16>(cpu + CPU_X87_IMAGE, ip as u16, 6)
    store<u16>(cpu + CPU_X87_IMAGE, (real ? ((ip >> 4) & 0xf000) | opcode : 0) as u16, 8)
    store<u16>(cpu + CPU_X87_IMAGE, dp as u16, 10)
    store<u16>(cpu + CPU_X87_IMAGE, (real ? (dp >> 4) & 0xf000 : 0) as u16, 12)
    return 14
  }
  const ones: u32 = 0xffff0000
  store<u32>(cpu + CPU_X87_IMAGE, load<u16>(cpu, FCW) | ones)
  store<u32>(cpu + CPU_X87_IMAGE, load<u16>(cpu, FSW) | ones, 4)
  store<u32>(cpu + CPU_X87_IMAGE, tagWord() | ones, 8)
  if (real) {
    store<u32>(cpu + CPU_X87_IMAGE, (ip & 0xffff) | ones, 12)
    store<u32>(cpu + CPU_X87_IMAGE, ((ip >> 4) & 0x0ffff000) | opcode, 16)
    store<u32>(cpu + CPU_X87_IMAGE, (dp & 0xffff) | ones, 20)
    store<u32>(cpu + CPU_X87_IMAGE, (dp >> 4) & 0x0ffff000, 24)
  } else {
    store<u32>(cpu + CPU_X87_IMAGE, ip, 12)
    store<u32>(cpu + CPU_X87_IMAGE, opcode << 16, 16)
    store<u32>(cpu + CPU_X87_IMAGE, dp, 20)
    store<u32>(cpu + CPU_X87_IMAGE, ones, 24)
  }
  return 28
}

function takeEnvironment(short: bool): void {
  const step: u32 = short ? 2 : 4
  setControl(load<u16>(cpu + CPU_X87_IMAGE))
  store<u16>(cpu, load<u16>(cpu + CPU_X87_IMAGE + step), FSW)
  setTags(load<u16>(cpu + CPU_X87_IMAGE + 2 * step))
  let ip: u32
  let dp: u32
  let opcode: u32 = 0
  if (short) {
    ip = load<u16>(cpu + CPU_X87_IMAGE, 6)
    dp = load<u16>(cpu + CPU_X87_IMAGE, 10)
    if (realFormat()) {
      const high = load<u16>(cpu + CPU_X87_IMAGE, 8) as u32
      ip |= (high & 0xf000) << 4
      dp |= (<u32>load<u16>(cpu + CPU_X87_IMAGE, 12) & 0xf000) << 4
      opcode = high & 0x7ff
    }
  } else if (realFormat()) {
    const high = load<u32>(cpu + CPU_X87_IMAGE, 16)
    ip = load<u16>(cpu + CPU_X87_IMAGE, 12) | ((high & 0x0ffff000) << 4)
    dp = load<u16>(cpu + CPU_X87_IMAGE, 20) | ((load<u32>(cpu + CPU_X87_IMAGE, 24) & 0x0ffff000) << 4)
    opcode = high & 0x7ff
  } else {
    ip = load<u32>(cpu + CPU_X87_IMAGE, 12)
    dp = load<u32>(cpu + CPU_X87_IMAGE, 20)
    opcode = load<u16>(cpu + CPU_X87_IMAGE, 18) & 0x7ff
  }
  store<u64>(cpu, ip, FIP)
  store<u64>(cpu, dp, FDP)
  store<u16>(cpu, opcode as u16, FOP)
  summarise()
}

export function storeEnvironment(ip: usize): u32 {
  const short = (load<u32>(ip, O_AUX2) & X87_SHORT) != 0
  const size = buildEnvironment(short)
  const status = put(ip, size, short ? 2 : 4)
  if (status == FAULTED) return FAULTED
  store<u16>(cpu, load<u16>(cpu, FCW) | 0x3f, FCW)
  store<u16>(cpu, load<u16>(cpu, FSW) & ~(ES | BUSY), FSW)
  return status
}

export function loadEnvironment(ip: usize): u32 {
  const short = (load<u32>(ip, O_AUX2) & X87_SHORT) != 0
  if (!get(ip, short ? 14 : 28, short ? 2 : 4, false)) return FAULTED
  takeEnvironment(short)
  return DONE
}

export function saveState(ip: usize): u32 {
  const short = (load<u32>(ip, O_AUX2) & X87_SHORT) != 0
  const size = buildEnvironment(short)
  for (let i: u32 = 0; i < 8; i++) {
    const r = st(i)
    store<u64>(cpu + CPU_X87_IMAGE + size + i * 10, significand(r))
    store<u16>(cpu + CPU_X87_IMAGE + size + i * 10, exponent(r) as u16, 8)
  }
  const status = put(ip, size + 80, short ? 2 : 4)
  if (status == FAULTED) return FAULTED
  initialise()
  return status
}

export function restoreState(ip: usize): u32 {
  const short = (load<u32>(ip, O_AUX2) & X87_SHORT) != 0
  const size: u32 = short ? 14 : 28
  if (!get(ip, size + 80, short ? 2 : 4, false)) return FAULTED
  takeEnvironment(short)
  for (let i: u32 = 0; i < 8; i++) {
    const r = st(i)
    store<u64>(r, load<u64>(cpu + CPU_X87_IMAGE + size + i * 10), REGISTERS)
    store<u16>(r, load<u16>(cpu + CPU_X87_IMAGE + size + i * 10, 8), REGISTERS + 8)
  }
  return DONE
}

// --- FXSAVE image ------------------------------------------------------------------------------------------------

/**
 * Bytes 0-23 and 32-159 of an FXSAVE or XSAVE image at `to` (any WebAssembly address): everything of the x87.
 * `wide`: 64-bit instruction and data pointers.
 */
export function x87ToImage(to: usize, wide: bool): void {
  store<u16>(to, load<u16>(cpu, FCW))
  store<u16>(to, load<u16>(cpu, FSW), 2)
  store<u16>(to, load<u8>(cpu, FTW), 4)
  store<u16>(to, load<u16>(cpu, FOP), 6)
  store<u64>(to, wide ? load<u64>(cpu, FIP) : load<u32>(cpu, FIP), 8)
  store<u64>(to, wide ? load<u64>(cpu, FDP) : load<u32>(cpu, FDP), 16)
  for (let i: u32 = 0; i < 8; i++) {
    const r = st(i)
    store<u64>(to + i * 16, significand(r), 32)
    store<u64>(to + i * 16, exponent(r), 40)
  }
}

/** The reverse. */
export function x87FromImage(from: usize, wide: bool): void {
  setControl(load<u16>(from))
  store<u16>(cpu, load<u16>(from, 2), FSW)
  store<u8>(cpu, load<u8>(from, 4), FTW)
  store<u16>(cpu, load<u16>(from, 6) & 0x7ff, FOP)
  store<u64>(cpu, wide ? load<u64>(from, 8) : load<u32>(from, 8), FIP)
  store<u64>(cpu, wide ? load<u64>(from, 16) : load<u32>(from, 16), FDP)
  for (let i: u32 = 0; i < 8; i++) {
    const r = st(i)
    store<u64>(r, load<u64>(from + i * 16, 32), REGISTERS)
    store<u16>(r, load<u16>(from + i * 16, 40), REGISTERS + 8)
  }
  summarise()
}

/** The state of XINUSE[0] = 0: what XRSTOR loads for a component in its initial configuration. */
export function x87Reset(): void {
  initialise()
  memory.fill(cpu + REGISTERS, 0, 128)
}

/** XMM registers the image holds: sixteen in 64-bit mode (SDM 1 10.5.1), none with EFER.FFXSR there at CPL 0. */
function imageXmm(): u32 {
  const code64 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  if (code64 && load<u64>(cpu, CPU_EFER) & EFER_FFXSR && !user()) return 0
  return code64 ? 256 : 128
}

function fxAllowed(): bool {
  const cr0 = load<u32>(cpu, CPU_CR0)
  if (cr0 & CR0_EM_TS) return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, cr0)
  return true
}

/**
 * False, with a fault pending, for an operand that is not aligned to 16 bytes: #GP(0), or where alignment is checked #AC(0) if it
 * is not aligned to four bytes (SDM 2A FXSAVE leaves that to the processor).
 */
function aligned(linear: u64): bool {
  if (!(linear & 15)) return true
  if (!checkAligned(linear, 4, user())) return false
  return raise(EXC_GP, 0, FAULT_DETAIL_NONE, linear)
}

/** Whether the image can be written. */
function imageThere(ip: usize): bool {
  const linear = linearOf(ip, 512, true)
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  if (!accessWrite(wrapped(linear + 511), 1, segment, user(), false)) return false
  return accessWrite(wrapped(linear), 1, segment, user(), false) != 0
}

export function fxSave(ip: usize): u32 {
  if (!fxAllowed() || !aligned(linearOf(ip, 512, true)) || !imageThere(ip)) return FAULTED
  const size = imageXmm()
  // What the instruction leaves alone keeps its content.
  if (!get(ip, 512, 1, true)) return FAULTED
  x87ToImage(cpu + CPU_X87_IMAGE, ((load<u32>(ip, O_AUX2) >> X87_KIND_SHIFT) & 1) != 0)
  store<u32>(cpu + CPU_X87_IMAGE, load<u32>(cpu, CPU_XSAVE + MXCSR), MXCSR)
  store<u32>(cpu + CPU_X87_IMAGE, MXCSR_MASK, MXCSR + 4)
  memory.copy(cpu + CPU_X87_IMAGE + XMM, cpu + CPU_XSAVE + XMM, size)
  return put(ip, 512, 1)
}

export function fxRestore(ip: usize): u32 {
  if (!fxAllowed() || !aligned(linearOf(ip, 512, false)) || !get(ip, 512, 1, true)) return FAULTED
  const mxcsr = load<u32>(cpu + CPU_X87_IMAGE, MXCSR)
  if (mxcsr & ~MXCSR_MASK) {
    raise(EXC_GP, 0, FAULT_DETAIL_NONE, mxcsr)
    return FAULTED
  }
  x87FromImage(cpu + CPU_X87_IMAGE, ((load<u32>(ip, O_AUX2) >> X87_KIND_SHIFT) & 1) != 0)
  store<u32>(cpu, mxcsr, CPU_XSAVE + MXCSR)
  memory.copy(cpu + CPU_XSAVE + XMM, cpu + CPU_X87_IMAGE + XMM, imageXmm())
  return DONE
}
