// The timer of the local APIC (SDM 3A 10.5.4): one-shot, periodic, TSC-deadline. It counts the core crystal clock, which
// CPUID leaf 15h gives as 1 GHz: one count is one nanosecond of machine time times the divider. All CPUs' timers are among
// the chipset's deadlines; the chipset lock guards them.

import { cpu, cpuIndex } from '../cpu/context'
import { FLAG_IF } from '../cpu/flags'
import { ACTIVITY_RUNNING, CPU_ACTIVITY, CPU_RFLAGS, CPU_TSC_OFFSET } from '../layout'
import { clockNow, retiredNow } from '../machine/clock'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { cpuBlock } from '../machine/smp'
import {
  APIC_DCR,
  APIC_LVT_TIMER,
  APIC_TMICT,
  apic,
  apicLoad,
  apicStore,
  LVT_MASKED,
  lapicInboxHas,
  lapicLocal,
  TIMER_ACCEPTED,
  TIMER_FROM,
  TIMER_OWED,
  TIMER_SINCE,
  TIMER_TSC_DEADLINE,
} from './lapic'
import { NEVER, TIMER_LAPIC, timerDeadline, timerSet } from './timers'

const MODE: u32 = 0x60000
const PERIODIC: u32 = 0x20000
const TSC_DEADLINE: u32 = 0x40000

export function lapicTimerReset(): void {
  timerSet(TIMER_LAPIC + cpuIndex, NEVER)
}

function modeOf(block: usize): u32 {
  return apicLoad(block, APIC_LVT_TIMER) & MODE
}

/** Nanoseconds per count: DCR bits 3, 1 and 0 (figure 10-10). */
function divider(block: usize): u64 {
  const dcr = apicLoad(block, APIC_DCR)
  const code = (dcr & 3) | ((dcr >> 1) & 4)
  return code == 7 ? 1 : (<u64>2) << code
}

// A processor comes to an instruction boundary every few nanoseconds: a periodic tick is lost there only while interrupts
// are off for a whole period. A CPU of ours may not come to one for many periods, because the host runs something else or
// because other CPUs have their turns. What the guest would have taken meanwhile is owed to it: the end of each tick's
// interrupt brings the next one owed, a part of the period later, so that the interrupted program goes on in between
// however far behind the CPU is. That is bounded, so that a clock nobody can follow does not run on for ever.

const OWED_MOST: u32 = 0xffff
/** From the end of one tick's interrupt to the next one owed: this part of the period, and no more ns than that. */
const REPAID_AFTER: u64 = 4
const REPAID_AT_MOST: u64 = 20_000
/**
 * With as many as this owed, half of that, with twice as many a quarter: a thread that has a twentieth of a core would otherwise
 * fall behind a clock of 5 kHz for ever.
 */
const OWED_MANY: u32 = 8192
/** A CPU that has retired less than this part of its period in instructions has not had the time to take a tick. */
const STOOD_STILL: u64 = 64

function periodOf(block: usize): u64 {
  return <u64>apicLoad(block, APIC_TMICT) * divider(block)
}

function owe(index: u32, ticks: u64): void {
  const at = apic(cpuBlock(index), TIMER_OWED)
  const before = atomic.load<u32>(at)
  if (before < OWED_MOST) atomic.add<u32>(at, <u32>min<u64>(ticks, OWED_MOST - before))
}

/** Whether this CPU takes interrupts, or will unless it stays where it is: what comes while it halts with IF clear is not owed. */
function takesInterrupts(): bool {
  return load<u32>(cpu, CPU_ACTIVITY) == ACTIVITY_RUNNING || (load<u32>(cpu, CPU_RFLAGS) & FLAG_IF) != 0
}

/** The timer's vector comes into the IRR of this CPU, where it may be `still` from the tick before. */
export function lapicTimerAccept(still: bool): void {
  const retired = retiredNow()
  const since = retired - load<u64>(apic(cpu, TIMER_ACCEPTED))
  if (!still) store<u64>(apic(cpu, TIMER_ACCEPTED), retired)
  else if (modeOf(cpu) == PERIODIC && takesInterrupts()) {
    if (since < periodOf(cpu) / STOOD_STILL) owe(cpuIndex, 1)
  }
}

/** The interrupt of this CPU's timer has ended, and at least one tick is owed. */
export function lapicTimerRepay(): void {
  if (modeOf(cpu) != PERIODIC) return
  chipsetLock()
  const most = REPAID_AT_MOST >> min<u64>(atomic.load<u32>(apic(cpu, TIMER_OWED)) / OWED_MANY, 2)
  const at = clockNow() + min<u64>(periodOf(cpu) / REPAID_AFTER, most)
  if (at < timerDeadline(TIMER_LAPIC + cpuIndex)) timerSet(TIMER_LAPIC + cpuIndex, at)
  chipsetUnlock()
}

/** This CPU halts with interrupts on: a tick that is owed comes at once, for nothing is interrupted by it. */
export function lapicTimerHalts(): void {
  const owed = apic(cpu, TIMER_OWED)
  if (!atomic.load<u32>(owed) || modeOf(cpu) != PERIODIC) return
  chipsetLock()
  if (atomic.load<u32>(owed)) {
    atomic.sub<u32>(owed, 1)
    lapicLocal(cpuIndex, APIC_LVT_TIMER)
  }
  chipsetUnlock()
}

/** The current count at `now`. */
function countAt(block: usize, now: u64): u32 {
  if (modeOf(block) == TSC_DEADLINE) return 0
  const from: u64 = apicLoad(block, TIMER_FROM)
  const gone = (now - load<u64>(apic(block, TIMER_SINCE))) / divider(block)
  return gone >= from ? 0 : <u32>(from - gone)
}

/** Counts from `count` at `since` on. */
function begin(index: u32, count: u32, since: u64): void {
  const block = cpuBlock(index)
  store<u64>(apic(block, TIMER_SINCE), since)
  apicStore(block, TIMER_FROM, count)
  timerSet(TIMER_LAPIC + index, count == 0 ? NEVER : since + <u64>count * divider(block))
}

export function lapicTimerCount(): u32 {
  chipsetLock()
  const count = countAt(cpu, clockNow())
  chipsetUnlock()
  return count
}

/** The initial count is written: it starts the timer, 0 stops it. Ignored in TSC-deadline mode. */
export function lapicTimerStart(initial: u32): void {
  if (modeOf(cpu) == TSC_DEADLINE) return
  chipsetLock()
  apicStore(cpu, APIC_TMICT, initial)
  atomic.store<u32>(apic(cpu, TIMER_OWED), 0)
  begin(cpuIndex, initial, clockNow())
  chipsetUnlock()
}

/** The divider is written: the count goes on from where it is. */
export function lapicTimerDivide(value: u32): void {
  chipsetLock()
  const now = clockNow()
  const count = countAt(cpu, now)
  apicStore(cpu, APIC_DCR, value & 0xb)
  if (modeOf(cpu) != TSC_DEADLINE) begin(cpuIndex, count, now)
  chipsetUnlock()
}

/** LVT timer is written. Between one-shot and periodic the count goes on; TSC-deadline on or off disarms (10.5.4.1). */
export function lapicTimerMode(value: u32): void {
  chipsetLock()
  const before = modeOf(cpu)
  apicStore(cpu, APIC_LVT_TIMER, value)
  if (before != modeOf(cpu) || value & LVT_MASKED) atomic.store<u32>(apic(cpu, TIMER_OWED), 0)
  if ((before == TSC_DEADLINE) != (modeOf(cpu) == TSC_DEADLINE)) {
    store<u64>(apic(cpu, TIMER_TSC_DEADLINE), 0)
    apicStore(cpu, APIC_TMICT, 0)
    begin(cpuIndex, 0, clockNow())
  }
  chipsetUnlock()
}

/** IA32_TSC_DEADLINE: 0 when it is not armed. */
export function tscDeadlineRead(): u64 {
  return load<u64>(apic(cpu, TIMER_TSC_DEADLINE))
}

/** Arms the timer for when the TSC reaches `value`; 0 disarms. Ignored in the other modes. */
export function tscDeadlineWrite(value: u64): void {
  if (modeOf(cpu) != TSC_DEADLINE) return
  chipsetLock()
  store<u64>(apic(cpu, TIMER_TSC_DEADLINE), value)
  tscDeadlineSet()
  chipsetUnlock()
}

/** The TSC has been set: the deadline stands, when that is has changed. */
export function tscChanged(): void {
  if (modeOf(cpu) != TSC_DEADLINE || tscDeadlineRead() == 0) return
  chipsetLock()
  tscDeadlineSet()
  chipsetUnlock()
}

function tscDeadlineSet(): void {
  const value = tscDeadlineRead()
  const now = clockNow()
  const left = value - (now + load<u64>(cpu, CPU_TSC_OFFSET))
  // A deadline in the past is due now. (What is further ahead than 2^63 ns never comes.)
  if (value == 0) timerSet(TIMER_LAPIC + cpuIndex, NEVER)
  else if (<i64>left <= 0 && value <= now + load<u64>(cpu, CPU_TSC_OFFSET)) expire(cpuIndex)
  else timerSet(TIMER_LAPIC + cpuIndex, now + left < now ? NEVER : now + left)
}

function expire(index: u32): void {
  store<u64>(apic(cpuBlock(index), TIMER_TSC_DEADLINE), 0)
  timerSet(TIMER_LAPIC + index, NEVER)
  lapicLocal(index, APIC_LVT_TIMER)
}

/** TIMER_LAPIC + `index` is due at `at`. */
export function lapicTimer(index: u32, at: u64): void {
  const block = cpuBlock(index)
  if (modeOf(block) == TSC_DEADLINE) {
    expire(index)
    return
  }
  if (modeOf(block) == PERIODIC) {
    const period = periodOf(block)
    const now = clockNow()
    const entry = apicLoad(block, APIC_LVT_TIMER)
    const ends = load<u64>(apic(block, TIMER_SINCE)) + <u64>apicLoad(block, TIMER_FROM) * divider(block)
    if (at < ends) {
      // Not the end of the period: a tick that is owed.
      timerSet(TIMER_LAPIC + index, ends)
      if (!atomic.load<u32>(apic(block, TIMER_OWED))) return
      atomic.sub<u32>(apic(block, TIMER_OWED), 1)
    } else {
      const late: u64 = period && now > at ? (now - at) / period : 0
      begin(index, apicLoad(block, APIC_TMICT), at + late * period)
      if (late && !(entry & LVT_MASKED)) owe(index, late)
    }
    if (entry & LVT_MASKED) return
    if (index != cpuIndex && lapicInboxHas(index, entry & 0xff)) {
      owe(index, 1)
      return
    }
  } else begin(index, 0, at)
  lapicLocal(index, APIC_LVT_TIMER)
}
