// The run loop of one vCPU: what happens at instruction boundaries. Everything the guest can notice from outside
// an instruction (interrupts, timers, input, resets) happens here, at a retired-instruction count that is a
// function of the guest's execution and its input alone.

import { chipsetReset, chipsetRun, inputDeliver, interruptAcknowledge } from '../chipset/bus'
import { bindContext, cpu, cpuIndex } from '../cpu/context'
import { breakpointsEnabled, DR6_BS, executionBreakpoints } from '../cpu/debug'
import { deliverDebugTrap, deliverException } from '../cpu/exception'
import { EXIT_FAULT, EXIT_INTERNAL, EXIT_SYSTEM, execute, opIp } from '../cpu/execute'
import { FLAG_IF, FLAG_RF, FLAG_TF, flagsMaterialise } from '../cpu/flags'
import { externalInterrupt, nonMaskableInterrupt } from '../cpu/interrupt'
import { Sys } from '../cpu/ops'
import { cpuReset } from '../cpu/reset'
import { SHADOW_MOV_SS } from '../cpu/segments'
import { system } from '../cpu/system'
import { traceBreakAt, traceDropAll } from '../cpu/trace'
import { O_AUX, O_OP } from '../cpu/trace-format'
import {
  ACTIVITY_HALTED,
  ACTIVITY_RUNNING,
  CLIMB_RESET,
  CONTROL_RUN,
  CPU_ACTIVITY,
  CPU_DEBUG_PENDING,
  CPU_FAULT_RIP,
  CPU_NMI,
  CPU_REPEATING,
  CPU_RETIRED,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SHADOW,
  HDR_CLOCK_NOW,
  HDR_CLOCK_SKIPPED,
  HDR_CONTROL,
  HDR_DEADLINE,
  HDR_INTR,
  HDR_RESET_REQUEST,
  HDR_SCHEDULE,
  HDR_STEP_TARGET,
  HEADER,
  INPUT_CAPACITY,
  INPUT_DATA,
  INPUT_ENTRIES,
  INPUT_ENTRY_SIZE,
  INPUT_KIND,
  INPUT_QUEUE,
  INPUT_READ,
  INPUT_STAMP,
  INPUT_WRITE,
  LAYOUT_VERSION,
  RESET_NONE,
  RESET_SYSTEM,
  SCHEDULE_DETERMINISTIC,
  STOP_INTERNAL,
} from '../layout'
import { tlbAlignmentChanged, tlbBind } from '../memory/tlb'
import { budget, clockNow, setAhead, setBudget, sliceBegin, sliceFinish } from './clock'
import { milestone } from './events'
import { chipsetLock, chipsetUnlock } from './lock'
import { machineStop, machineStopped } from './stop'

export const RUN_BUDGET: u32 = 0
export const RUN_HALTED: u32 = 1
export const RUN_STOPPED: u32 = 2
export const RUN_STEP: u32 = 3
export const RUN_CONTROL: u32 = 4

/** In the parallel schedule timers are looked at every so many instructions. */
const PARALLEL_SLICE: u64 = 20000

export function layoutVersion(): u32 {
  return LAYOUT_VERSION
}

/** Binds this instance to vCPU `index`. The machine header must be complete. */
export function cpuStart(index: u32): void {
  bindContext(index)
  tlbBind()
  traceDropAll()
}

/** Power-on: every device and this vCPU into their initial states. RAM is the host's to clear. */
export function machinePowerOn(): void {
  chipsetLock()
  chipsetReset()
  chipsetUnlock()
  cpuReset(RESET_SYSTEM)
  tlbBind()
  traceDropAll()
  milestone(CLIMB_RESET)
}

/** Earliest machine time, in ns, at which a timer will fire; all ones when none runs. */
export function haltedUntil(): u64 {
  return load<u64>(HEADER, HDR_DEADLINE)
}

/** Deterministic schedule, every CPU halted: moves the clock forward to `time` ns. */
export function haltSkipTo(time: u64): void {
  const now = clockNow()
  if (load<u32>(HEADER, HDR_SCHEDULE) != SCHEDULE_DETERMINISTIC || time <= now) return
  store<u64>(HEADER, load<u64>(HEADER, HDR_CLOCK_SKIPPED) + (time - now), HDR_CLOCK_SKIPPED)
  store<u64>(HEADER, time, HDR_CLOCK_NOW)
}

/** As run(), and RUN_STEP before the instruction at `linear` is executed. */
export function runUntil(linear: u64, instructions: u64): u32 {
  traceBreakAt(linear, true)
  const result = run(instructions)
  traceBreakAt(linear, false)
  return result
}

/**
 * Runs this vCPU for at most `instructions` instructions. Answers RUN_*; in every case the state is at an
 * instruction boundary and exact.
 */
export function run(instructions: u64): u32 {
  const result = loop(load<u64>(cpu, CPU_RETIRED) + instructions)
  store<u64>(HEADER, clockNow(), HDR_CLOCK_NOW)
  return result
}

function loop(end: u64): u32 {
  while (true) {
    if (machineStopped()) return RUN_STOPPED
    if (load<u32>(HEADER, HDR_RESET_REQUEST) != RESET_NONE) reset()
    const retired = load<u64>(cpu, CPU_RETIRED)
    const stepTarget = load<u64>(HEADER, HDR_STEP_TARGET)
    if (retired >= stepTarget) return RUN_STEP
    if (retired >= end) return RUN_BUDGET
    if (load<u32>(HEADER, HDR_CONTROL) != CONTROL_RUN) return RUN_CONTROL
    if (load<u32>(INPUT_QUEUE, INPUT_READ) != atomic.load<u32>(INPUT_QUEUE, INPUT_WRITE)) takeInput(retired)
    const now = clockNow()
    if (now >= load<u64>(HEADER, HDR_DEADLINE)) {
      chipsetLock()
      chipsetRun(now)
      chipsetUnlock()
      // A timer may have stopped or reset the machine.
      if (machineStopped() || load<u32>(HEADER, HDR_RESET_REQUEST) != RESET_NONE) continue
    }
    if (!interrupts()) return RUN_HALTED
    const end2 = stepTarget < end ? stepTarget : end
    if (!advance(end2 - retired, now)) continue
    if (breakHit) {
      breakHit = false
      return RUN_STEP
    }
  }
}

/** Set when the instruction at the address of runUntil() came up. */
let breakHit: bool = false

/** Takes NMI and INTR where they may be taken. False while the vCPU is not running. */
function interrupts(): bool {
  if (load<u32>(cpu, CPU_SHADOW) == 0) {
    const nmi = load<u32>(cpu, CPU_NMI)
    if ((nmi & 3) == 1) {
      nonMaskableInterrupt()
    } else if (load<u32>(HEADER, HDR_INTR) && load<u32>(cpu, CPU_RFLAGS) & FLAG_IF) {
      const activity = load<u32>(cpu, CPU_ACTIVITY)
      if (activity == ACTIVITY_RUNNING || activity == ACTIVITY_HALTED) {
        chipsetLock()
        const vector = interruptAcknowledge()
        chipsetUnlock()
        externalInterrupt(vector)
      }
    }
  }
  return load<u32>(cpu, CPU_ACTIVITY) == ACTIVITY_RUNNING
}

/** Runs at most `limit` instructions up to the next thing that needs the loop. True when a break was reached. */
function advance(limit: u64, now: u64): bool {
  const flags = load<u32>(cpu, CPU_RFLAGS)
  const trap = (flags & FLAG_TF) != 0
  const shadow = load<u32>(cpu, CPU_SHADOW)
  let most = limit
  if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) {
    const until = load<u64>(HEADER, HDR_DEADLINE) - now
    if (until < most) most = until
  } else if (most > PARALLEL_SLICE) most = PARALLEL_SLICE
  // One instruction at a time while interrupts are inhibited (STI, MOV SS), RF is set or TF traps.
  if (trap || shadow || flags & FLAG_RF) most = 1
  if (breakpointsEnabled()) {
    most = 1
    if (!load<u32>(cpu, CPU_REPEATING) && !executionBreakpoints()) {
      store<u64>(cpu, load<u64>(cpu, CPU_RIP), CPU_FAULT_RIP)
      deliverException()
      return false
    }
  }
  const pending = load<u32>(cpu, CPU_DEBUG_PENDING)
  store<u32>(cpu, 0, CPU_SHADOW)
  store<u32>(cpu, 0, CPU_REPEATING)
  tlbAlignmentChanged()
  sliceBegin(most)
  const exit = execute()
  let completed: bool = true
  let traps = trap
  let keepsFlags: bool = false
  if (exit == EXIT_SYSTEM) {
    flagsMaterialise()
    const what = load<u32>(opIp, O_AUX)
    if (what == Sys.BREAK) {
      setBudget(budget + 1)
      sliceFinish()
      breakHit = true
      return true
    }
    const next = load<u64>(cpu, CPU_RIP)
    setAhead(1)
    completed = system(opIp)
    setAhead(0)
    if (!completed) setBudget(budget + 1)
    // An interrupt taken has cleared TF before the trap; INTO may not have been.
    if (what == Sys.INT && load<u64>(cpu, CPU_RIP) != next) traps = false
    keepsFlags = what == Sys.IRET
    if (what == Sys.STRING && load<u64>(cpu, CPU_RIP) != next) store<u32>(cpu, 1, CPU_REPEATING)
  } else if (exit == EXIT_FAULT) completed = false
  else if (exit == EXIT_INTERNAL) machineStop(STOP_INTERNAL, load<u16>(opIp, O_OP))
  sliceFinish()
  flagsMaterialise()
  if (!completed) {
    // What the abandoned instruction touched is not reported.
    store<u32>(cpu, pending, CPU_DEBUG_PENDING)
    store<u32>(cpu, 0, CPU_REPEATING)
    deliverException()
    deliverDebugTrap()
    return false
  }
  // RF is cleared by every instruction that completes, but not by the IRET that loads it (SDM 3B 17.3.1.1).
  if (flags & FLAG_RF && !keepsFlags) {
    store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_RF as u64), CPU_RFLAGS)
  }
  if (traps && load<u32>(cpu, CPU_SHADOW) != SHADOW_MOV_SS)
    store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_BS, CPU_DEBUG_PENDING)
  deliverDebugTrap()
  return false
}

/** Hands over what has come from outside, stamped, as long as devices take it. */
function takeInput(retired: u64): void {
  chipsetLock()
  let read = load<u32>(INPUT_QUEUE, INPUT_READ)
  const write = atomic.load<u32>(INPUT_QUEUE, INPUT_WRITE)
  while (read != write) {
    const entry: usize = INPUT_QUEUE + INPUT_ENTRIES + (read & (INPUT_CAPACITY - 1)) * INPUT_ENTRY_SIZE
    if (!inputDeliver(load<u32>(entry, INPUT_KIND), load<u32>(entry, INPUT_DATA))) break
    store<u64>(entry, retired, INPUT_STAMP)
    read++
    atomic.store<u32>(INPUT_QUEUE, read, INPUT_READ)
  }
  chipsetUnlock()
}

/** The reset line: of this CPU alone (8042, port 92h) or of everything (CF9h). */
function reset(): void {
  const kind = load<u32>(HEADER, HDR_RESET_REQUEST)
  store<u32>(HEADER, RESET_NONE, HDR_RESET_REQUEST)
  if (kind == RESET_SYSTEM) {
    chipsetLock()
    chipsetReset()
    chipsetUnlock()
  }
  if (cpuIndex == 0) cpuReset(kind)
}
