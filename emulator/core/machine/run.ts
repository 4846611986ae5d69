// The run loop of one vCPU: what happens at instruction boundaries. Everything the guest can notice from outside
// an instruction (interrupts, timers, input, resets) happens here, at a retired-instruction count that is a
// function of the guest's execution and its input alone.

import { chipsetReset, chipsetResetS3, chipsetRun, inputDeliver } from '../chipset/bus'
import { lapicPending, lapicTake } from '../chipset/lapic'
import { bindContext, cpu, cpuIndex } from '../cpu/context'
import {
  branchTaken,
  breakpointsEnabled,
  codeSegmentNow,
  DR6_BS,
  executionBreakpoints,
  stepsOnBranches,
} from '../cpu/debug'
import { deliverDebugTrap, deliverException } from '../cpu/exception'
import { EXIT_FAULT, EXIT_INTERNAL, EXIT_SYSTEM, execute, opIp } from '../cpu/execute'
import { FLAG_IF, FLAG_RF, FLAG_TF, flagsMaterialise } from '../cpu/flags'
import { externalInterrupt, nonMaskableInterrupt } from '../cpu/interrupt'
import { resumeFlagClear, stepsNow } from '../cpu/onward'
import { Sys } from '../cpu/ops'
import { cpuReset } from '../cpu/reset'
import { SHADOW_MOV_SS } from '../cpu/segments'
import { system } from '../cpu/system'
import { NOWHERE, traceBreakAt, traceDropAll } from '../cpu/trace'
import { O_AUX, O_OP } from '../cpu/trace-format'
import {
  ACTIVITY_HALTED,
  ACTIVITY_MWAIT,
  ACTIVITY_RUNNING,
  ACTIVITY_WAIT_SIPI,
  CLIMB_INTERRUPT,
  CLIMB_RESET,
  CONTROL_RUN,
  CPU_ACTIVITY,
  CPU_ATTENTION,
  CPU_DEBUG_PENDING,
  CPU_FAULT_RIP,
  CPU_MODE,
  CPU_NMI,
  CPU_REPEATING,
  CPU_RETIRED,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SHADOW,
  CPU_STEP_TARGET,
  CPU_TSC_OFFSET,
  HDR_ACTIVE,
  HDR_CLOCK_NOW,
  HDR_CLOCK_SKIPPED,
  HDR_CONTROL,
  HDR_DEADLINE,
  HDR_HOST_CORES,
  HDR_RESET_REQUEST,
  HDR_SCHEDULE,
  HDR_TURN_CPU,
  HDR_TURN_LEFT,
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
  MAINTENANCE_DROP_TRACES,
  MAINTENANCE_REBIND,
  MODE_PROTECTED,
  RESET_CPU,
  RESET_NONE,
  RESET_SUSPEND,
  RESET_SYSTEM,
  SCHEDULE_DETERMINISTIC,
  STOP_INTERNAL,
} from '../layout'
import { hostWait, WAIT_MICROSECONDS } from '../host'
import { tlbAlignmentChanged, tlbBind } from '../memory/tlb'
import { interruptNote, returnNote } from '../memory/tlb-log'
import { budget, clockNow, setAhead, setBudget, sliceBegin, sliceFinish } from './clock'
import { climbAfter, climbAwaits, climbNote, milestone, milestoneWith } from './climb'
import { exclusiveBegin, exclusiveEnd, guestEnter, guestLeave } from './exclusive'
import { standStill } from './hold'
import { chipsetLock, chipsetUnlock } from './lock'
import { monitorBroken } from './monitor'
import { anyCanRun, retiredByAll, turnBind, turnEnd, turnNext, turnsReset } from './schedule'
import { attend, cpuCount, maintenancePost } from './smp'
import { machineStop, machineStopped } from './stop'

export const RUN_BUDGET: u32 = 0
export const RUN_HALTED: u32 = 1
export const RUN_STOPPED: u32 = 2
export const RUN_STEP: u32 = 3
export const RUN_CONTROL: u32 = 4
/** Within the core: the guest's PAUSE has ended the turn. */
const RUN_PAUSE: u32 = 5

/** In the parallel schedule timers are looked at every so many instructions; close to a deadline after fewer. */
const PARALLEL_SLICE: u64 = 20000
const PARALLEL_SLICE_MIN: u64 = 1000

export function layoutVersion(): u32 {
  return LAYOUT_VERSION
}

/** Binds this instance to vCPU `index`. The machine header must be complete. */
export function cpuStart(index: u32): void {
  cpuBind(index)
  traceDropAll()
}

/** The same for a vCPU that another instance may have run meanwhile: what it has decoded stays. */
export function cpuBind(index: u32): void {
  bindContext(index)
  tlbBind()
}

/** Power-on: every device and CPU into their initial states. RAM is the host's to clear; no CPU may be running. */
export function machinePowerOn(): void {
  const self = cpuIndex
  chipsetLock()
  chipsetReset()
  chipsetUnlock()
  turnsReset()
  for (let i: u32 = 0; i < cpuCount(); i++) {
    bindContext(i)
    cpuReset(RESET_SYSTEM)
    // Machine time is 0, whatever the clock of the host says before the first run: all time-stamp counters agree.
    store<u64>(cpu, 0, CPU_TSC_OFFSET)
    tlbBind()
    traceDropAll()
    if (i == 0) {
      milestone(CLIMB_RESET)
      climbAfter()
    }
    maintenancePost(i, MAINTENANCE_REBIND)
  }
  bindContext(self)
  tlbBind()
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

/** As run(), and RUN_STEP before CPU `index` executes the instruction at `linear`. Parallel: `index` is this one. */
export function runUntil(linear: u64, instructions: u64, index: u32): u32 {
  traceBreakAt(linear, index)
  maintenancePost(index, MAINTENANCE_DROP_TRACES)
  const result = run(instructions)
  traceBreakAt(NOWHERE, index)
  maintenancePost(index, MAINTENANCE_DROP_TRACES)
  return result
}

/**
 * Runs for at most `instructions` instructions: this vCPU, or in the deterministic schedule with several of them all in
 * their turns, counted together. Answers RUN_*; in every case the state is at an instruction boundary and exact.
 */
export function run(instructions: u64): u32 {
  let result: u32
  atomic.add<u32>(HEADER, 1, HDR_ACTIVE)
  standStill()
  if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) {
    result = cpuCount() > 1 ? turns(instructions) : loop(load<u64>(cpu, CPU_RETIRED) + instructions)
  } else {
    guestEnter()
    result = loop(load<u64>(cpu, CPU_RETIRED) + instructions)
    guestLeave()
  }
  store<u64>(HEADER, clockNow(), HDR_CLOCK_NOW)
  atomic.sub<u32>(HEADER, 1, HDR_ACTIVE)
  return result
}

/** The CPUs in their turns (schedule.ts). RUN_HALTED: none can run. */
function turns(instructions: u64): u32 {
  let left = instructions
  turnBind(load<u32>(HEADER, HDR_TURN_CPU))
  while (true) {
    if (machineStopped()) return RUN_STOPPED
    if (load<u64>(HEADER, HDR_TURN_LEFT) == 0) {
      if (load<u32>(HEADER, HDR_CONTROL) != CONTROL_RUN) return RUN_CONTROL
      if (left == 0) return RUN_BUDGET
      if (!anyCanRun()) {
        // Only what comes from outside a CPU can go on from here.
        outside()
        if (machineStopped()) return RUN_STOPPED
        if (load<u32>(HEADER, HDR_RESET_REQUEST) != RESET_NONE) reset()
        if (!anyCanRun()) return RUN_HALTED
      }
      turnNext()
    }
    const before = load<u64>(cpu, CPU_RETIRED)
    const turn = load<u64>(HEADER, HDR_TURN_LEFT)
    const result = loop(before + min<u64>(turn, left))
    const done = load<u64>(cpu, CPU_RETIRED) - before
    left -= done
    store<u64>(HEADER, turn - done, HDR_TURN_LEFT)
    if (result == RUN_HALTED || result == RUN_PAUSE) turnEnd()
    else if (result != RUN_BUDGET) return result
    if (left == 0) return RUN_BUDGET
  }
}

function loop(end: u64): u32 {
  while (true) {
    if (machineStopped()) return RUN_STOPPED
    if (load<u32>(cpu, CPU_ATTENTION)) attend()
    if (load<u32>(HEADER, HDR_RESET_REQUEST) != RESET_NONE) reset()
    const retired = load<u64>(cpu, CPU_RETIRED)
    // One more than the count, so that 0 is none.
    const stepTarget = load<u64>(cpu, CPU_STEP_TARGET) - 1
    if (retired >= stepTarget) return RUN_STEP
    if (retired >= end) return RUN_BUDGET
    if (load<u32>(HEADER, HDR_CONTROL) != CONTROL_RUN) return RUN_CONTROL
    const now = outside()
    // A timer may have stopped or reset the machine, or woken this CPU.
    if (
      machineStopped() ||
      load<u32>(HEADER, HDR_RESET_REQUEST) != RESET_NONE ||
      load<u32>(cpu, CPU_ATTENTION)
    )
      continue
    if (!interrupts()) return RUN_HALTED
    const end2 = stepTarget < end ? stepTarget : end
    if (!advance(end2 - retired, now)) continue
    if (breakHit) {
      breakHit = false
      return RUN_STEP
    }
    if (paused) {
      paused = false
      if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) return RUN_PAUSE
      letOthersRun()
    }
  }
}

/** What comes from outside the CPUs: input, and timers that are due. Machine time, ns. */
function outside(): u64 {
  if (load<u32>(INPUT_QUEUE, INPUT_READ) != atomic.load<u32>(INPUT_QUEUE, INPUT_WRITE)) takeInput()
  const now = clockNow()
  if (now >= load<u64>(HEADER, HDR_DEADLINE)) {
    chipsetLock()
    chipsetRun(now)
    chipsetUnlock()
  }
  return now
}

/** Set when the instruction at the address of runUntil() came up. */
let breakHit: bool = false
/** Set by PAUSE where there are several CPUs. */
let paused: bool = false
/** PAUSEs of this thread. */
let pauses: u32 = 0
const PAUSES_MASK: u32 = 15
const PAUSE_NAP_US: u32 = 20

/** Takes NMI and INTR where they may be taken. False while the vCPU is not running. */
function interrupts(): bool {
  const activity = load<u32>(cpu, CPU_ACTIVITY)
  if (activity == ACTIVITY_MWAIT && monitorBroken(cpu)) store<u32>(cpu, ACTIVITY_RUNNING, CPU_ACTIVITY)
  if (load<u32>(cpu, CPU_SHADOW) == 0 && activity != ACTIVITY_WAIT_SIPI) {
    const nmi = load<u32>(cpu, CPU_NMI)
    if ((nmi & 3) == 1) {
      nonMaskableInterrupt()
    } else if (lapicPending() && load<u32>(cpu, CPU_RFLAGS) & FLAG_IF) {
      if (activity == ACTIVITY_RUNNING || activity == ACTIVITY_HALTED || activity == ACTIVITY_MWAIT)
        takeInterrupt(lapicTake())
    }
  }
  return load<u32>(cpu, CPU_ACTIVITY) == ACTIVITY_RUNNING
}

function takeInterrupt(vector: u32): void {
  interruptNote(vector)
  const first = (load<u32>(cpu, CPU_MODE) & MODE_PROTECTED) != 0 && climbAwaits(CLIMB_INTERRUPT)
  if (first) climbNote(load<u64>(cpu, CPU_RIP))
  if (!externalInterrupt(vector) || !first) return
  milestoneWith(CLIMB_INTERRUPT, vector)
  climbAfter()
}

/** Runs at most `limit` instructions up to the next thing that needs the loop. True when a break or a PAUSE was reached. */
function advance(limit: u64, now: u64): bool {
  if (load<u32>(cpu, CPU_ATTENTION)) return false
  const trap = (load<u32>(cpu, CPU_RFLAGS) & FLAG_TF) != 0
  // RF speaks to instruction breakpoints only: where there are none, the next instruction may as well not have it.
  if (!trap && !breakpointsEnabled()) resumeFlagClear()
  const flags = load<u32>(cpu, CPU_RFLAGS)
  const shadow = load<u32>(cpu, CPU_SHADOW)
  const deadline = load<u64>(HEADER, HDR_DEADLINE)
  let most = limit
  if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) {
    const until = deadline - now
    if (until < most) most = until
  } else {
    const slice = parallelSlice(deadline, now)
    if (slice < most) most = slice
  }
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
  const from = load<u64>(cpu, CPU_RIP)
  const stepBranches = trap && stepsOnBranches()
  const codeSegment: u64 = stepBranches ? codeSegmentNow() : 0
  const mode = load<u32>(cpu, CPU_MODE)
  sliceBegin(most)
  const exit = execute(most > 1 && !pending, deadline)
  let completed: bool = true
  let traps: bool = trap
  let keepsFlags: bool = false
  if (exit == EXIT_SYSTEM) {
    flagsMaterialise()
    const what = load<u32>(opIp, O_AUX)
    if (what == Sys.PAUSE) paused = true
    if (what == Sys.BREAK) {
      setBudget(budget() + 1)
      sliceFinish()
      breakHit = true
      return true
    }
    const next = load<u64>(cpu, CPU_RIP)
    setAhead(1)
    completed = system(opIp)
    setAhead(0)
    if (!completed) setBudget(budget() + 1)
    // An interrupt taken has cleared TF before the trap; INTO may not have been.
    if (what == Sys.INT && load<u64>(cpu, CPU_RIP) != next) traps = false
    if (what == Sys.SYSCALL || what == Sys.SYSRET) traps = stepsNow()
    keepsFlags = what == Sys.IRET
    if (keepsFlags && completed) returnNote()
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
  if (flags & FLAG_RF && !keepsFlags) resumeFlagClear()
  if (traps && stepBranches && !branchTaken(from, codeSegment, mode)) traps = false
  if (traps && load<u32>(cpu, CPU_SHADOW) != SHADOW_MOV_SS)
    store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_BS, CPU_DEBUG_PENDING)
  deliverDebugTrap()
  return paused
}

/**
 * Instructions until the clock is looked at again: half as many as there are nanoseconds to the deadline. Whatever the
 * speed, what is left becomes small in a few steps, and an interrupt comes microseconds late, not a whole slice.
 */
function parallelSlice(deadline: u64, now: u64): u64 {
  const half = (deadline - now) >> 1
  return half >= PARALLEL_SLICE ? PARALLEL_SLICE : half > PARALLEL_SLICE_MIN ? half : PARALLEL_SLICE_MIN
}

/** PAUSE with more CPUs running than the host has cores: the one that is waited for may be without one. */
function letOthersRun(): void {
  if (++pauses & PAUSES_MASK || atomic.load<u32>(HEADER, HDR_ACTIVE) <= load<u32>(HEADER, HDR_HOST_CORES))
    return
  hostWait((cpu + CPU_ATTENTION) as u32, 0, WAIT_MICROSECONDS | PAUSE_NAP_US)
}

/**
 * Hands over what has come from outside, stamped, as long as devices take it. Parallel: CPU 0 does. The stamp is the count
 * of the CPU, deterministic: of all CPUs.
 */
function takeInput(): void {
  const parallel = load<u32>(HEADER, HDR_SCHEDULE) != SCHEDULE_DETERMINISTIC
  if (parallel && cpuIndex != 0) return
  const retired = parallel ? load<u64>(cpu, CPU_RETIRED) : retiredByAll()
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

/** The reset line: INIT# of the CPUs (8042, port 92h), or everything (CF9h). */
function reset(): void {
  const self = cpuIndex
  exclusiveBegin()
  // Another CPU may have been faster.
  const kind = load<u32>(HEADER, HDR_RESET_REQUEST)
  store<u32>(HEADER, RESET_NONE, HDR_RESET_REQUEST)
  const system = kind != RESET_NONE && kind != RESET_CPU
  if (system) {
    chipsetLock()
    if (kind == RESET_SYSTEM) chipsetReset()
    else chipsetResetS3(kind == RESET_SUSPEND)
    chipsetUnlock()
  }
  if (kind != RESET_NONE) {
    const now = clockNow()
    for (let i: u32 = 0; i < cpuCount(); i++) {
      if (cpuCount() > 1) turnRebind(i)
      cpuReset(system ? RESET_SYSTEM : RESET_CPU)
      // Asleep, no CPU runs; what wakes the machine resets it.
      if (kind == RESET_SUSPEND) store<u32>(cpu, ACTIVITY_WAIT_SIPI, CPU_ACTIVITY)
      if (system) store<u64>(cpu, 0 - now, CPU_TSC_OFFSET)
      if (i != self) maintenancePost(i, MAINTENANCE_REBIND)
    }
    if (cpuCount() > 1) turnRebind(self)
  }
  exclusiveEnd()
}

/** To another CPU's block and back, in either schedule. */
function turnRebind(index: u32): void {
  if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) {
    const turn = load<u32>(HEADER, HDR_TURN_CPU)
    turnBind(index)
    store<u32>(HEADER, turn, HDR_TURN_CPU)
  } else {
    bindContext(index)
    tlbBind()
  }
}
