// What ends a trace and does not need the run loop: system instructions and exceptions while neither single steps nor
// breakpoints are about, and what has to be looked at between them and the next instruction.

import { lapicPending } from '../chipset/lapic'
import { budget, setAhead, setBudget } from '../machine/clock'
import { machineStopped } from '../machine/stop'
import {
  ACTIVITY_RUNNING,
  CPU_ACTIVITY,
  CPU_ATTENTION,
  CPU_DEBUG_PENDING,
  CPU_NMI,
  CPU_REPEATING,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SHADOW,
  HDR_DEADLINE,
  HDR_RESET_REQUEST,
  HEADER,
  RESET_NONE,
} from '../layout'
import { tlbAlignmentChanged } from '../memory/tlb'
import { returnNote } from '../memory/tlb-log'
import { cpu } from './context'
import { DR6_BS } from './debug'
import { deliverDebugTrap, deliverException } from './exception'
import { FLAG_IF, FLAG_RF, FLAG_TF, flagsMaterialise } from './flags'
import { Sys } from './ops'
import { portAccess, system } from './system'
import { O_AUX } from './trace-format'

@inline
export function resumeFlagClear(): void {
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_RF as u64), CPU_RFLAGS)
}

/** Carries out the SYSTEM record at `ip`, or what it raises. False: nothing was done, this is the run loop's. */
export function carryOut(ip: usize): bool {
  const what = load<u32>(ip, O_AUX)
  if (what == Sys.PAUSE || what == Sys.BREAK || what == Sys.BIOS_CALL || what == Sys.WRITE_DR) return false
  flagsMaterialise()
  const next = load<u64>(cpu, CPU_RIP)
  setAhead(1)
  const completed = system(ip)
  setAhead(0)
  if (!completed) abandoned()
  else if (what == Sys.IRET) returnNote()
  else if (what == Sys.SYSRET && stepsNow()) stepTaken()
  else if (what == Sys.STRING && load<u64>(cpu, CPU_RIP) != next) store<u32>(cpu, 1, CPU_REPEATING)
  return true
}

/** SYSCALL and SYSRET step by the TF that they leave behind, everything else by the one it began with. */
@inline
export function stepsNow(): bool {
  return (load<u32>(cpu, CPU_RFLAGS) & FLAG_TF) != 0
}

function stepTaken(): void {
  store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_BS, CPU_DEBUG_PENDING)
  deliverDebugTrap()
}

/** The system instruction, which was charged, has raised an exception. */
function abandoned(): void {
  setBudget(budget() + 1)
  deliverPending()
}

/** Delivers the exception of the instruction at CPU_FAULT_RIP. */
export function deliverPending(): void {
  flagsMaterialise()
  store<u32>(cpu, 0, CPU_DEBUG_PENDING)
  deliverException()
}

/** carryOut() for IN and OUT, which neither read nor show the status flags. */
export function carryOutPort(ip: usize): void {
  setAhead(1)
  const completed = portAccess(ip)
  setAhead(0)
  if (!completed) abandoned()
}

/**
 * undisturbed() where only a device was reached: what else it looks at has not changed since, or comes with
 * CPU_ATTENTION (machine/smp.ts).
 */
@inline
export function undisturbedByDevice(deadline: u64): bool {
  return (
    (load<u32>(cpu, CPU_ATTENTION) |
      load<u32>(cpu, CPU_DEBUG_PENDING) |
      (load<u32>(HEADER, HDR_RESET_REQUEST) - RESET_NONE)) ==
      0 &&
    load<u64>(HEADER, HDR_DEADLINE) == deadline &&
    !machineStopped() &&
    !(load<u32>(cpu, CPU_RFLAGS) & FLAG_IF && lapicPending())
  )
}

/**
 * Whether the next instruction may follow without the run loop coming round, which is what looks at all of this.
 * `deadline`: of the timers, as it was when the slice began.
 */
export function undisturbed(deadline: u64): bool {
  const flags = load<u32>(cpu, CPU_RFLAGS)
  if (
    load<u32>(cpu, CPU_SHADOW) |
    load<u32>(cpu, CPU_DEBUG_PENDING) |
    load<u32>(cpu, CPU_REPEATING) |
    load<u32>(cpu, CPU_ATTENTION) |
    (flags & FLAG_TF) |
    (load<u32>(cpu, CPU_ACTIVITY) - ACTIVITY_RUNNING) |
    (load<u32>(HEADER, HDR_RESET_REQUEST) - RESET_NONE)
  )
    return false
  if (machineStopped() || load<u64>(HEADER, HDR_DEADLINE) != deadline || (load<u32>(cpu, CPU_NMI) & 3) == 1)
    return false
  if (flags & FLAG_IF && lapicPending()) return false
  if (flags & FLAG_RF) resumeFlagClear()
  tlbAlignmentChanged()
  return true
}
