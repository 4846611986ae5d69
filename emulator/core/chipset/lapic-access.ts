// The two faces of the local APIC: the xAPIC page (SDM 3A 10.4.1) and the x2APIC MSRs (10.12.1), and IA32_APIC_BASE, which
// chooses between them (10.4.4, 10.12.5).

import { cpu } from '../cpu/context'
import { CPU_APIC_BASE, CPU_INDEX } from '../layout'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { busMapChanged } from '../memory/tlb'
import {
  APIC_BASE_ENABLED,
  APIC_BASE_X2,
  APIC_DCR,
  APIC_DFR,
  APIC_EOI,
  APIC_ESR,
  APIC_ICR,
  APIC_ICR_HIGH,
  APIC_ID,
  APIC_ISR,
  APIC_LDR,
  APIC_LVT_ERROR,
  APIC_LVT_LINT0,
  APIC_LVT_LINT1,
  APIC_LVT_PERFORMANCE,
  APIC_LVT_THERMAL,
  APIC_LVT_TIMER,
  APIC_PPR,
  APIC_SELF_IPI,
  APIC_SVR,
  APIC_TMCCT,
  APIC_TMICT,
  APIC_TPR,
  APIC_VERSION,
  apicLoad,
  apicStore,
  ERROR_RECEIVE_VECTOR,
  ERROR_REGISTER,
  ERROR_SEND_VECTOR,
  lapicAccept,
  lapicEoi,
  lapicError,
  lapicErrorsLatch,
  lapicReset,
  lapicSetTpr,
  lint0Update,
  LVT_MASKED,
  SVR_ENABLED,
  x2LogicalId,
} from './lapic'
import { lapicCommand, lapicCommandDestination } from './lapic-messages'
import { lapicTimerCount, lapicTimerDivide, lapicTimerMode, lapicTimerStart } from './lapic-timer'

const PAGE: u64 = ~(0xfff as u64)
const X2_FIRST: u32 = 0x800

// Which accesses a register takes
const NONE: u32 = 0
const READ: u32 = 1
const WRITE: u32 = 2

/** Whether a guest-physical address lies in this CPU's xAPIC page. */
@inline
export function lapicCovers(phys: u64): bool {
  const base = load<u64>(cpu, CPU_APIC_BASE)
  return ((phys ^ base) & PAGE) == 0 && (base & (APIC_BASE_ENABLED | APIC_BASE_X2)) == APIC_BASE_ENABLED
}

/** The accesses that `register` of the page takes; NONE: there is no such register. */
function accesses(register: u32): u32 {
  if (register >= APIC_ISR && register < APIC_ESR) return READ
  switch (register) {
    case APIC_ID:
    case APIC_VERSION:
    case APIC_PPR:
    case APIC_TMCCT:
    case 0x90: // APR, RRR: reserved where there is no APIC bus; they read 0
    case 0xc0:
      return READ
    case APIC_EOI:
      return WRITE
    case APIC_TPR:
    case APIC_LDR:
    case APIC_DFR:
    case APIC_SVR:
    case APIC_ESR:
    case APIC_ICR:
    case APIC_ICR_HIGH:
    case APIC_LVT_TIMER:
    case APIC_LVT_THERMAL:
    case APIC_LVT_PERFORMANCE:
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
    case APIC_LVT_ERROR:
    case APIC_TMICT:
    case APIC_DCR:
      return READ | WRITE
    default:
      return NONE
  }
}

/** Bits of a register of the local vector table that can be written. */
function lvtWritable(register: u32): u32 {
  switch (register) {
    case APIC_LVT_TIMER:
      return 0x000700ff
    case APIC_LVT_ERROR:
      return 0x000100ff
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
      return 0x0001a7ff
    default:
      return 0x000107ff
  }
}

function readRegister(register: u32): u32 {
  if (register == APIC_TMCCT) return lapicTimerCount()
  return apicLoad(cpu, register)
}

function writeRegister(register: u32, value: u32): void {
  switch (register) {
    case APIC_TPR:
      lapicSetTpr(value)
      return
    case APIC_EOI:
      lapicEoi()
      return
    case APIC_LDR:
      apicStore(cpu, register, value & 0xff000000)
      return
    case APIC_DFR:
      apicStore(cpu, register, value | 0x0fffffff)
      return
    case APIC_SVR:
      writeSpurious(value)
      return
    case APIC_ESR:
      lapicErrorsLatch()
      return
    case APIC_ICR:
      lapicCommand(value, lapicCommandDestination(), false)
      return
    case APIC_ICR_HIGH:
      apicStore(cpu, register, value & 0xff000000)
      return
    case APIC_TMICT:
      lapicTimerStart(value)
      return
    case APIC_DCR:
      lapicTimerDivide(value)
      return
    default:
      writeLocalVector(register, value)
  }
}

/** Software-disabling masks every local interrupt, and they stay masked until it is enabled again (10.4.7.2). */
function writeSpurious(value: u32): void {
  apicStore(cpu, APIC_SVR, value & 0x11ff)
  if (value & SVR_ENABLED) return
  chipsetLock()
  for (let entry = APIC_LVT_TIMER; entry <= APIC_LVT_ERROR; entry += 0x10) {
    apicStore(cpu, entry, apicLoad(cpu, entry) | LVT_MASKED)
  }
  chipsetUnlock()
}

function writeLocalVector(register: u32, value: u32): void {
  const writable = lvtWritable(register)
  let next = (apicLoad(cpu, register) & ~writable) | (value & writable)
  if (!(apicLoad(cpu, APIC_SVR) & SVR_ENABLED)) next |= LVT_MASKED
  if (register == APIC_LVT_TIMER) {
    lapicTimerMode(next)
  } else {
    // An edge entry has no remote IRR.
    if (!(next & 0x8000)) next &= ~0x4000
    chipsetLock()
    apicStore(cpu, register, next)
    if (register == APIC_LVT_LINT0) lint0Update(load<u32>(cpu, CPU_INDEX))
    chipsetUnlock()
  }
  // A vector below 16 is an error when it is written into an entry that can use it (10.5.3).
  const mode = register == APIC_LVT_TIMER || register == APIC_LVT_ERROR ? 0 : (next >> 8) & 7
  if (mode == 0 && (next & 0xf0) == 0 && !(next & LVT_MASKED)) lapicError(ERROR_RECEIVE_VECTOR)
}

// ---------------------------------------------------------------------------------------------------------
// xAPIC

/**
 * A read of the page. Registers are 32 bits wide at every 16 bytes; other accesses are not defined: here a part of a
 * register reads as that part, what lies between registers as 0.
 */
export function xapicRead(offset: u32, size: u32): u64 {
  const register = offset & 0xff0
  const lane = offset & 15
  if (lane >= 4) return 0
  if (!(accesses(register) & READ)) {
    // EOI reads 0 without an error; a register that is not there is one.
    if (accesses(register) == NONE) lapicError(ERROR_REGISTER)
    return 0
  }
  const value = readRegister(register) >> (lane << 3)
  return size < 4 ? value & ((1 << (size << 3)) - 1) : value
}

/** A write: of 32 bits at the register's address; all else is ignored. */
export function xapicWrite(offset: u32, size: u32, value: u64): void {
  if (offset & 15 || size < 4) return
  if (accesses(offset) & WRITE) writeRegister(offset, <u32>value)
  else if (accesses(offset) == NONE) lapicError(ERROR_REGISTER)
}

// ---------------------------------------------------------------------------------------------------------
// x2APIC

export function isX2Register(index: u32): bool {
  return index - X2_FIRST < 0x100
}

/** What an MSR takes: as the page, but DFR and the upper half of ICR are gone, and SELF IPI is there (table 10-6). */
function x2Accesses(register: u32): u32 {
  if (register > APIC_SELF_IPI) return NONE
  if (register == APIC_SELF_IPI) return WRITE
  if (register == APIC_DFR || register == APIC_ICR_HIGH || register == 0x90 || register == 0xc0) return NONE
  if (register == APIC_LDR) return READ
  return accesses(register)
}

/** Bits of an MSR that are not reserved, or read-only. */
function x2Valid(register: u32): u64 {
  switch (register) {
    case APIC_EOI:
    case APIC_ESR:
      return 0
    case APIC_TPR:
    case APIC_SELF_IPI:
      return 0xff
    case APIC_SVR:
      return 0x13ff
    case APIC_ICR:
      return 0xffffffff000ccfff | 0x1000
    case APIC_TMICT:
      return 0xffffffff
    case APIC_DCR:
      return 0xb
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
      return 0x0001f7ff
    default:
      return lvtWritable(register) | 0x1000
  }
}

/** Set when the last x2apicRead found nothing to read: #GP. */
export let x2Refused: bool = false

export function x2apicRead(index: u32): u64 {
  const register = (index - X2_FIRST) << 4
  x2Refused = !(load<u64>(cpu, CPU_APIC_BASE) & APIC_BASE_X2) || !(x2Accesses(register) & READ)
  if (x2Refused) return 0
  const value: u64 = readRegister(register)
  if (register != APIC_ICR) return value
  return value | ((<u64>apicLoad(cpu, APIC_ICR_HIGH)) << 32)
}

/** False: #GP. */
export function x2apicWrite(index: u32, value: u64): bool {
  const register = (index - X2_FIRST) << 4
  if (!(load<u64>(cpu, CPU_APIC_BASE) & APIC_BASE_X2) || !(x2Accesses(register) & WRITE)) return false
  if (value & ~x2Valid(register)) return false
  if (register == APIC_ICR) {
    apicStore(cpu, APIC_ICR_HIGH, <u32>(value >> 32))
    lapicCommand(<u32>value, <u32>(value >> 32), true)
  } else if (register == APIC_SELF_IPI) {
    if (value < 16) lapicError(ERROR_SEND_VECTOR)
    else lapicAccept(load<u32>(cpu, CPU_INDEX), <u32>value, false)
  } else writeRegister(register, <u32>value)
  return true
}

// ---------------------------------------------------------------------------------------------------------
// IA32_APIC_BASE

/**
 * A write of IA32_APIC_BASE whose reserved bits were checked. False: a transition that does not exist (figure 10-24), #GP:
 * x2APIC without enable, from disabled to x2APIC, from x2APIC back to xAPIC.
 */
export function apicBaseWrite(value: u64): bool {
  const before = load<u64>(cpu, CPU_APIC_BASE)
  const mode = value & (APIC_BASE_ENABLED | APIC_BASE_X2)
  const old = before & (APIC_BASE_ENABLED | APIC_BASE_X2)
  if (mode == APIC_BASE_X2) return false
  if (old == 0 && mode == (APIC_BASE_ENABLED | APIC_BASE_X2)) return false
  if (old == (APIC_BASE_ENABLED | APIC_BASE_X2) && mode == APIC_BASE_ENABLED) return false
  store<u64>(cpu, value, CPU_APIC_BASE)
  const index = load<u32>(cpu, CPU_INDEX)
  if (mode != old) {
    if (mode == 0 || old == 0) {
      // Switched off it forgets; switched on it is as after reset (10.4.3).
      chipsetLock()
      lapicReset()
      lint0Update(index)
      chipsetUnlock()
    } else {
      // From xAPIC to x2APIC all is kept but what has another form (10.12.5.1).
      apicStore(cpu, APIC_ID, index)
      apicStore(cpu, APIC_LDR, x2LogicalId(index))
      apicStore(cpu, APIC_ICR_HIGH, 0)
    }
  }
  busMapChanged()
  return true
}
