// POPF, PUSHF, CLI, STI, HLT, INVLPG: instructions whose effect depends on CPL and IOPL (SDM 2A, 2B;
// SDM 3A 2.3, 6.8).

import { lapicTimerHalts } from '../chipset/lapic-timer'
import {
  ACTIVITY_HALTED,
  CPU_ACTIVITY,
  CPU_CPL,
  CPU_CR4,
  CPU_FAULT_RIP,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SHADOW,
  FAULT_DETAIL_PRIVILEGE,
  MODE_LONG,
  MODE_PROTECTED,
  MODE_V86,
} from '../layout'
import { canonical } from '../memory/linear'
import { tlbInvalidatePage } from '../memory/tlb'
import { cpu } from './context'
import { CR4_PVI, CR4_VME, privileged } from './control-registers'
import { raise } from './fault'
import { FLAG_AC, FLAG_ID, FLAG_IF, FLAG_RF, FLAG_TF, FLAG_VM } from './flags'
import { EXC_GP } from './vectors'

/** CF PF AF ZF SF TF DF OF NT, which POPF may always change. */
const POPF_ALWAYS: u32 = 0x4dd5
export const FLAG_IOPL: u32 = 0x3000
export const FLAG_VIF: u32 = 0x80000
export const FLAG_VIP: u32 = 0x100000

/** I/O privilege level, 0..3. */
export function ioPrivilegeLevel(): u32 {
  return (load<u32>(cpu, CPU_RFLAGS) >> 12) & 3
}

/** In V86 mode below IOPL 3, where PUSHF, POPF, IRET, CLI, STI and INT n are the monitor's (SDM 3B 21.2.7). */
function virtual8086(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_V86) != 0 && ioPrivilegeLevel() < 3
}

/** PUSHF, POPF, IRET of `size` in V86 mode: IOPL 3, or 16 bits with CR4.VME. Else #GP(0) is pending. */
export function v86FlagsAllowed(size: u32): bool {
  if (!virtual8086() || (size == 2 && load<u64>(cpu, CPU_CR4) & CR4_VME)) return true
  return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

/** False, #GP(0) pending: the popped flags would enable interrupts while one waits, or set TF (SDM 3B 21.3.3.4). */
export function virtualFlagsValid(value: u32): bool {
  if (!virtual8086()) return true
  const waiting = (load<u32>(cpu, CPU_RFLAGS) & FLAG_VIP) != 0
  return !(value & FLAG_TF || (waiting && value & FLAG_IF)) || raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

/** The 16 flags popped under VME: IF becomes VIF, IF and IOPL stay. */
export function virtualFlagsLoad(value: u32): void {
  const kept = load<u32>(cpu, CPU_RFLAGS) & ~(POPF_ALWAYS | FLAG_VIF)
  store<u64>(cpu, kept | (value & POPF_ALWAYS) | (value & FLAG_IF ? FLAG_VIF : 0) | 2, CPU_RFLAGS)
}

/** CLI and STI work on VIF: V86 mode with VME, ring 3 with PVI, below IOPL 3 (SDM 3B 21.3.3.4, 21.4). */
function virtualInterrupts(): bool {
  if (load<u32>(cpu, CPU_CPL) != 3 || ioPrivilegeLevel() == 3) return false
  const mode = load<u32>(cpu, CPU_MODE)
  if (!(mode & MODE_PROTECTED)) return false
  return (load<u64>(cpu, CPU_CR4) & (mode & MODE_V86 ? CR4_VME : CR4_PVI)) != 0
}

/**
 * A program has been entered (IRET, task switch) with VIF and VIP both set: #GP(0) at its first instruction, so that the monitor
 * hands it the interrupt that waits (SDM 3B 21.3.2). False: it is pending, the entry stands.
 */
export function virtualInterruptNone(): bool {
  const both = FLAG_VIF | FLAG_VIP
  if ((load<u32>(cpu, CPU_RFLAGS) & both) != both || !virtualInterrupts()) return true
  store<u64>(cpu, load<u64>(cpu, CPU_RIP), CPU_FAULT_RIP)
  return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

/** POPF/POPFD/POPFQ with the popped `value`; the caller moves the stack pointer afterwards. False: #GP(0). */
export function popFlags(size: u32, value: u64): bool {
  if (!v86FlagsAllowed(size)) return false
  if (virtual8086()) {
    if (!virtualFlagsValid(<u32>value)) return false
    virtualFlagsLoad(<u32>value)
    return true
  }
  const old = load<u32>(cpu, CPU_RFLAGS)
  const cpl = load<u32>(cpu, CPU_CPL)
  let mask = POPF_ALWAYS
  if (size != 2) mask |= FLAG_AC | FLAG_ID
  if (cpl == 0) mask |= FLAG_IOPL
  if (cpl <= ioPrivilegeLevel()) mask |= FLAG_IF
  const kept = size == 2 ? old & ~mask : old & ~mask & ~FLAG_RF
  store<u64>(cpu, kept | (<u32>value & mask) | 2, CPU_RFLAGS)
  return true
}

/** What PUSHF of `size` pushes: VM and RF read 0, under VME IF is VIF and IOPL 3. Ask faultPending(). */
export function pushFlagsImage(size: u32): u64 {
  if (!v86FlagsAllowed(size)) return 0
  if (virtual8086()) {
    const flags = load<u32>(cpu, CPU_RFLAGS)
    return (flags & ~FLAG_IF) | FLAG_IOPL | (flags & FLAG_VIF ? FLAG_IF : 0) | 2
  }
  return (load<u64>(cpu, CPU_RFLAGS) & ~(<u64>(FLAG_VM | FLAG_RF))) | 2
}

function interruptFlagAllowed(): bool {
  const allowed = load<u32>(cpu, CPU_CPL) <= ioPrivilegeLevel()
  return allowed || raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

export function cli(): bool {
  if (virtualInterrupts()) {
    store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_VIF as u64), CPU_RFLAGS)
    return true
  }
  if (!interruptFlagAllowed()) return false
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_IF as u64), CPU_RFLAGS)
  return true
}

/** STI: if IF was clear, interrupts stay inhibited for one more instruction (SDM 2B STI). */
export function sti(): bool {
  if (virtualInterrupts()) {
    const flags = load<u64>(cpu, CPU_RFLAGS)
    if (flags & FLAG_VIP) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
    store<u64>(cpu, flags | FLAG_VIF, CPU_RFLAGS)
    return true
  }
  if (!interruptFlagAllowed()) return false
  const flags = load<u64>(cpu, CPU_RFLAGS)
  if (flags & FLAG_IF) return true
  store<u64>(cpu, flags | FLAG_IF, CPU_RFLAGS)
  store<u32>(cpu, 1, CPU_SHADOW)
  return true
}

/** HLT: CPL 0. The run loop sees CPU_ACTIVITY. */
export function hlt(): bool {
  if (!privileged()) return false
  store<u32>(cpu, ACTIVITY_HALTED, CPU_ACTIVITY)
  if (load<u64>(cpu, CPU_RFLAGS) & FLAG_IF) lapicTimerHalts()
  return true
}

/** INVLPG: CPL 0. An address that is not canonical invalidates nothing (SDM 2A INVLPG). */
export function invlpg(linear: u64): bool {
  if (!privileged()) return false
  const long = (load<u32>(cpu, CPU_MODE) & MODE_LONG) != 0
  if (!long || canonical(linear)) tlbInvalidatePage(linear)
  return true
}
