// XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS, XGETBV, XSETBV (SDM 1 chapter 13). Components: x87, SSE, AVX, PKRU. An
// image is put together in CPU_XSAVE_IMAGE and copied, since it may lie in several pages. Nothing remembers what has been
// modified since the last XRSTOR: that optimization is the processor's choice (SDM 1 13.6).

import { accessCommit, accessRead, accessWrite, checkAligned, linearProbeWrite } from '../../memory/linear'
import { tlbDropFast } from '../../memory/tlb'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_MODE,
  CPU_RAX,
  CPU_RCX,
  CPU_RDX,
  CPU_XCR0,
  CPU_XSAVE,
  CPU_XSAVE_IMAGE,
  FAULT_DETAIL_NONE,
  FAULT_DETAIL_PRIVILEGE,
  MODE_CODE64,
  MODE_SIZE,
} from '../../layout'
import { linearOf } from '../address'
import { bounce, cpu } from '../context'
import { CR4_OSXSAVE, privileged } from '../control-registers'
import { FEATURE_XSAVEC, feature, stateComponents, WORD_XSAVE } from '../cpuid'
import { raise } from '../fault'
import { O_AUX2, O_SEGMENT } from '../trace-format'
import { EXC_GP, EXC_NM, EXC_UD } from '../vectors'
import { x87FromImage, x87Reset, x87ToImage } from '../x87/environment'
import {
  compactedPkru,
  compactedSize,
  standardSize,
  XSAVE_AVX,
  XSAVE_PKRU,
  XSTATE_AVX as AVX,
  XSTATE_PKRU as PKRU,
  XSTATE_SSE as SSE,
  XSTATE_X87 as X87,
} from './xsave-format'

const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

// Offsets in the image (SDM 1 13.4).
const MXCSR: usize = 24
const XMM: usize = 160
const HEADER: usize = 512
const XCOMP_BV: usize = 520
const COMPACTED: u64 = 0x8000000000000000
const MXCSR_RESET: u32 = 0x1f80
const CR0_TS: u32 = 8

/** Kinds of XSAVE, as Bits has them from XSAVE on: XSAVEOPT is 1. */
const COMPACT: u32 = 2
const SUPERVISOR: u32 = 3

function enabled(): bool {
  if (load<u64>(cpu, CPU_CR4) & CR4_OSXSAVE) return true
  return raise(EXC_UD, 0, FAULT_DETAIL_PRIVILEGE, load<u64>(cpu, CPU_CR4))
}

/** Whether XSAVE or XRSTOR may go on with an image at `linear`; the exceptions of SDM 2 XSAVE. */
function allowed(linear: u64): bool {
  if (!enabled()) return false
  if (load<u32>(cpu, CPU_CR0) & CR0_TS)
    return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, load<u32>(cpu, CPU_CR0))
  if (!(linear & 63)) return true
  // Where alignment is checked #AC(0) if it is not aligned to four bytes either, on Intel's processors.
  if (!checkAligned(linear, 4, load<u32>(cpu, CPU_CPL) == 3)) return false
  return raise(EXC_GP, 0, FAULT_DETAIL_NONE, linear)
}

@inline
function image(): usize {
  return cpu + CPU_XSAVE_IMAGE
}

/** Bytes of XMM (and of YMM) state: eight registers outside 64-bit mode. */
function registerBytes(): u32 {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64 ? 256 : 128
}

function anySet(at: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i += 16) if (v128.any_true(v128.load(cpu + at + i))) return true
  return false
}

/** XINUSE: components that are not in their initial configuration (SDM 1 13.6). */
function inUse(): u32 {
  const control = load<u64>(cpu, CPU_XSAVE) & 0xffffffffff
  const x87 = control != 0x37f || anySet(CPU_XSAVE + 32, 128)
  const avx = anySet(CPU_XSAVE + XSAVE_AVX, 256)
  return (
    (x87 ? X87 : 0) |
    (anySet(CPU_XSAVE + XMM, 256) ? SSE : 0) |
    (avx ? AVX : 0) |
    (load<u32>(cpu, CPU_XSAVE + XSAVE_PKRU) ? PKRU : 0)
  )
}

/** RFBM: what EDX:EAX asks for of what XCR0 enables. IA32_XSS enables nothing: there is no supervisor state. */
function requested(): u32 {
  return load<u32>(cpu, CPU_RAX) & load<u32>(cpu, CPU_XCR0)
}

let written: u32 = 0

/** Copies image bytes to memory, `offset` into the area at `linear`; false with a fault pending. */
function copyOut(linear: u64, segment: u32, from: u32, offset: u32, count: u32): bool {
  const user = load<u32>(cpu, CPU_CPL) == 3
  for (let i: u32 = 0; i < count; i += 8) {
    const p = accessWrite(linear + offset + i, 8, segment, user, false)
    if (!p) return false
    store<u64>(p, load<u64>(image() + from + i))
    if (p == bounce) {
      accessCommit()
      written = COMMITTED
    }
  }
  return true
}

function copyIn(linear: u64, segment: u32, to: u32, offset: u32, count: u32): bool {
  const user = load<u32>(cpu, CPU_CPL) == 3
  for (let i: u32 = 0; i < count; i += 8) {
    const p = accessRead(linear + offset + i, 8, segment, user)
    if (!p) return false
    store<u64>(image() + to + i, load<u64>(p))
  }
  return true
}

/** XSAVE; `kind` 1, COMPACT or SUPERVISOR: XSAVEOPT, XSAVEC, XSAVES. Results as of slow(). */
export function xsave(ip: usize, kind: u32): u32 {
  const wide = ((load<u32>(ip, O_AUX2) >> 16) & 63) == 8
  const wanted = requested()
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  const compact = kind >= COMPACT
  const size = compact ? compactedSize(wanted) : standardSize(wanted)
  const pkruAt = compact ? compactedPkru(wanted) : XSAVE_PKRU
  if (!enabled() || (kind == SUPERVISOR && !privileged())) return FAULTED
  const linear = linearOf(ip, size, true)
  if (!allowed(linear)) return FAULTED
  // Intel's processors ask for the last byte first.
  const user = load<u32>(cpu, CPU_CPL) == 3
  if (!accessWrite(linear + size - 1, 1, segment, user, false)) return FAULTED
  if (!linearProbeWrite(linear, size, user)) return FAULTED
  const present = inUse()
  let save = wanted
  if (kind) save &= present
  const buffer = image()
  written = DONE
  let state: u64 = wanted & present
  if (compact) {
    // MXCSR belongs to SSE here.
    if (wanted & SSE && load<u32>(cpu, CPU_XSAVE + MXCSR) != MXCSR_RESET) {
      state |= SSE
      save |= SSE
    }
    store<u64>(buffer, state, HEADER)
    store<u64>(buffer, COMPACTED | wanted, XCOMP_BV)
  } else {
    if (!copyIn(linear, segment, HEADER as u32, HEADER as u32, 8)) return FAULTED
    store<u64>(buffer, (load<u64>(buffer, HEADER) & ~(wanted as u64)) | state, HEADER)
  }
  x87ToImage(buffer, wide)
  store<u32>(buffer, load<u32>(cpu, CPU_XSAVE + MXCSR), MXCSR)
  store<u32>(buffer, 0xffff, MXCSR + 4)
  memory.copy(buffer + XMM, cpu + CPU_XSAVE + XMM, 256)
  memory.copy(buffer + XSAVE_AVX, cpu + CPU_XSAVE + XSAVE_AVX, 256)
  store<u64>(buffer, load<u32>(cpu, CPU_XSAVE + XSAVE_PKRU) as u64, XSAVE_PKRU)
  if (save & X87) {
    if (!copyOut(linear, segment, 0, 0, 24) || !copyOut(linear, segment, 32, 32, 128)) return FAULTED
  }
  const control = compact ? save & SSE : wanted & (SSE | AVX)
  if (control && !copyOut(linear, segment, MXCSR as u32, MXCSR as u32, 8)) return FAULTED
  if (save & SSE && !copyOut(linear, segment, XMM as u32, XMM as u32, registerBytes())) return FAULTED
  if (save & AVX && !copyOut(linear, segment, XSAVE_AVX, XSAVE_AVX, registerBytes())) return FAULTED
  if (save & PKRU && !copyOut(linear, segment, XSAVE_PKRU, pkruAt, 8)) return FAULTED
  if (!copyOut(linear, segment, HEADER as u32, HEADER as u32, compact ? 16 : 8)) return FAULTED
  return written
}

function refuse(value: u64): u32 {
  raise(EXC_GP, 0, FAULT_DETAIL_NONE, value)
  return FAULTED
}

/** XRSTOR; with `supervisor` XRSTORS, which knows the compacted format only. */
export function xrstor(ip: usize, supervisor: bool): u32 {
  const wide = ((load<u32>(ip, O_AUX2) >> 16) & 63) == 8
  const wanted = requested()
  const segment: u32 = load<u8>(ip, O_SEGMENT)
  if (!enabled() || (supervisor && !privileged())) return FAULTED
  const linear = linearOf(ip, XSAVE_AVX, false)
  if (!allowed(linear)) return FAULTED
  // And here for the header.
  if (!copyIn(linear, segment, XCOMP_BV as u32, XCOMP_BV as u32, 8)) return FAULTED
  if (!copyIn(linear, segment, 0, 0, XSAVE_AVX)) return FAULTED
  const buffer = image()
  const state = load<u64>(buffer, HEADER)
  const layout = load<u64>(buffer, XCOMP_BV)
  const compact = (layout & COMPACTED) != 0
  const components: u64 = load<u64>(cpu, CPU_XCR0)
  // SDM 1 13.8.1, 13.12: the header is checked whatever is asked for.
  if (compact) {
    if (!supervisor && !feature(WORD_XSAVE, FEATURE_XSAVEC)) return refuse(layout)
    if (layout & ~COMPACTED & ~components) return refuse(layout)
    if (state & ~layout) return refuse(state)
    for (let i: usize = 16; i < 64; i += 8) if (load<u64>(buffer + HEADER + i)) return refuse(i)
  } else {
    if (supervisor || state & ~components) return refuse(state)
    if (layout || load<u64>(buffer, HEADER + 16)) return refuse(layout)
  }
  const load_ = wanted & <u32>state
  const bytes = registerBytes()
  const pkruAt = compact ? compactedPkru(<u32>layout) : XSAVE_PKRU
  if (load_ & AVX && !copyIn(linear, segment, XSAVE_AVX, XSAVE_AVX, bytes)) return FAULTED
  if (load_ & PKRU && !copyIn(linear, segment, XSAVE_PKRU, pkruAt, 8)) return FAULTED
  const loadsControl = compact ? (load_ & SSE) != 0 : (wanted & (SSE | AVX)) != 0
  if (loadsControl) {
    const control = load<u32>(buffer, MXCSR)
    if (control & 0xffff0000) return refuse(control)
    store<u32>(cpu, control, CPU_XSAVE + MXCSR)
  } else if (compact && wanted & SSE) store<u32>(cpu, MXCSR_RESET, CPU_XSAVE + MXCSR)
  if (wanted & X87) {
    if (load_ & X87) x87FromImage(buffer, wide)
    else x87Reset()
  }
  if (wanted & SSE) {
    if (load_ & SSE) memory.copy(cpu + CPU_XSAVE + XMM, buffer + XMM, bytes)
    else memory.fill(cpu + CPU_XSAVE + XMM, 0, bytes)
  }
  if (wanted & AVX) {
    if (load_ & AVX) memory.copy(cpu + CPU_XSAVE + XSAVE_AVX, buffer + XSAVE_AVX, bytes)
    else memory.fill(cpu + CPU_XSAVE + XSAVE_AVX, 0, bytes)
  }
  if (wanted & PKRU) pkruSet(load_ & PKRU ? load<u32>(buffer, XSAVE_PKRU) : 0)
  return DONE
}

/** PKRU has a say in every access to a user page. */
export function pkruSet(value: u32): void {
  if (load<u32>(cpu, CPU_XSAVE + XSAVE_PKRU) == value) return
  store<u32>(cpu, value, CPU_XSAVE + XSAVE_PKRU)
  tlbDropFast()
}

/** XGETBV: XCR0, or with ECX = 1 the components of it that are in use. */
export function xgetbv(): u32 {
  if (!enabled()) return FAULTED
  const n = load<u32>(cpu, CPU_RCX)
  if (n > 1) return refuse(n)
  let value = load<u64>(cpu, CPU_XCR0)
  if (n == 1) value &= inUse()
  store<u64>(cpu, value & 0xffffffff, CPU_RAX)
  store<u64>(cpu, value >> 32, CPU_RDX)
  return DONE
}

export function xsetbv(): u32 {
  if (!enabled()) return FAULTED
  const value = (load<u32>(cpu, CPU_RAX) as u64) | ((load<u32>(cpu, CPU_RDX) as u64) << 32)
  const valid =
    (value & X87) != 0 && !(value & ~(stateComponents() as u64)) && (!(value & AVX) || (value & SSE) != 0)
  if (load<u32>(cpu, CPU_CPL) != 0 || load<u32>(cpu, CPU_RCX) != 0 || !valid) return refuse(value)
  store<u64>(cpu, value, CPU_XCR0)
  return DONE
}
