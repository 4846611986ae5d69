// The machine's clock. Deterministic schedule: one retired instruction is one nanosecond and one TSC tick, plus
// the time skipped while every CPU was halted. Parallel schedule: the host's monotonic clock since power-on,
// less the time spent paused.

import { cpu } from '../cpu/context'
import { hostNow } from '../host'
import {
  CPU_BUDGET,
  CPU_RETIRED,
  HDR_CLOCK_SKIPPED,
  HDR_HOST_CLOCK_BASE,
  HDR_SCHEDULE,
  HEADER,
  SCHEDULE_DETERMINISTIC,
} from '../layout'

/**
 * Instructions of the running slice not yet accounted in CPU_RETIRED. The executor charges a trace when it
 * enters it; what lies behind the instruction being executed is given back here, so that the count a device or
 * an event sees is exact.
 */
export let sliceEnd: u64 = 0
/** Instructions left in the slice after the current trace. */
@inline
export function budget(): i64 {
  return load<i64>(cpu, CPU_BUDGET)
}
/** Instructions of the current trace not yet executed (the current one included) when something slow asks. */
export let ahead: i64 = 0
export let inSlice: bool = false

export function sliceBegin(instructions: u64): void {
  sliceEnd = load<u64>(cpu, CPU_RETIRED) + instructions
  setBudget(instructions as i64)
  ahead = 0
  inSlice = true
}

export function sliceFinish(): void {
  store<u64>(cpu, sliceEnd - budget(), CPU_RETIRED)
  inSlice = false
}

@inline
export function setBudget(value: i64): void {
  store<i64>(cpu, value, CPU_BUDGET)
}

@inline
export function setAhead(value: i64): void {
  ahead = value
}

/** Instructions retired by this vCPU before the one being executed. */
export function retiredNow(): u64 {
  return inSlice ? sliceEnd - budget() - ahead : load<u64>(cpu, CPU_RETIRED)
}

/**
 * Lets `ns` of machine time pass in which no instruction is retired, in the deterministic schedule: the slice ends that much earlier. In the
 * parallel one the time an access takes has passed by itself.
 */
export function clockSpend(ns: u64): void {
  if (load<u32>(HEADER, HDR_SCHEDULE) != SCHEDULE_DETERMINISTIC) return
  store<u64>(HEADER, load<u64>(HEADER, HDR_CLOCK_SKIPPED) + ns, HDR_CLOCK_SKIPPED)
  if (!inSlice) return
  sliceEnd -= ns
  setBudget(budget() - <i64>ns)
}

/** Machine time in ns, exact to the instruction being executed in the deterministic schedule. */
export function clockNow(): u64 {
  if (load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC) {
    return retiredNow() + load<u64>(HEADER, HDR_CLOCK_SKIPPED)
  }
  const base = load<u64>(HEADER, HDR_HOST_CLOCK_BASE)
  // Before the first run no time has passed.
  return base == 0 ? 0 : hostNow() - base
}
