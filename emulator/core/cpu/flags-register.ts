// POPF, PUSHF, CLI, STI, HLT, INVLPG: instructions whose effect depends on CPL and IOPL (SDM 2A, 2B;
// SDM 3A 2.3, 6.8).

import {
  ACTIVITY_HALTED,
  CPU_ACTIVITY,
  CPU_CPL,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_SHADOW,
  FAULT_DETAIL_PRIVILEGE,
  MODE_LONG,
  MODE_V86,
} from '../layout'
import { canonical } from '../memory/linear'
import { tlbInvalidatePage } from '../memory/tlb'
import { cpu } from './context'
import { privileged } from './control-registers'
import { raise } from './fault'
import { FLAG_AC, FLAG_ID, FLAG_IF, FLAG_RF, FLAG_VM } from './flags'
import { EXC_GP } from './vectors'

/** CF PF AF ZF SF TF DF OF NT, which POPF may always change. */
const POPF_ALWAYS: u32 = 0x4dd5
const FLAG_IOPL: u32 = 0x3000

/** I/O privilege level, 0..3. */
export function ioPrivilegeLevel(): u32 {
  return (load<u32>(cpu, CPU_RFLAGS) >> 12) & 3
}

/** In V86 mode PUSHF, POPF, CLI and STI belong to IOPL 3 (SDM 3B 20.2.7). */
function virtual8086Denied(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_V86) != 0 && ioPrivilegeLevel() < 3
}

/** POPF/POPFD/POPFQ with the popped `value`; the caller moves the stack pointer afterwards. False: #GP(0). */
export function popFlags(size: u32, value: u64): bool {
  if (virtual8086Denied()) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
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

/** What PUSHF pushes: VM and RF read 0. In V86 mode below IOPL 3: #GP(0); ask faultPending(). */
export function pushFlagsImage(): u64 {
  if (virtual8086Denied()) raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  return (load<u64>(cpu, CPU_RFLAGS) & ~(<u64>(FLAG_VM | FLAG_RF))) | 2
}

function interruptFlagAllowed(): bool {
  const allowed = load<u32>(cpu, CPU_CPL) <= ioPrivilegeLevel()
  return allowed || raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

export function cli(): bool {
  if (!interruptFlagAllowed()) return false
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_IF as u64), CPU_RFLAGS)
  return true
}

/** STI: if IF was clear, interrupts stay inhibited for one more instruction (SDM 2B STI). */
export function sti(): bool {
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
  return true
}

/** INVLPG: CPL 0. An address that is not canonical invalidates nothing (SDM 2A INVLPG). */
export function invlpg(linear: u64): bool {
  if (!privileged()) return false
  const long = (load<u32>(cpu, CPU_MODE) & MODE_LONG) != 0
  if (!long || canonical(linear)) tlbInvalidatePage(linear)
  return true
}
