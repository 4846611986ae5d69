// The chipset's deadlines: one per timer, in ns of machine time. A device that will change by itself (an output
// that toggles, a byte that arrives) says when; bus.ts calls it back at exactly that time. HDR_DEADLINE is always
// the earliest of them, so the engine compares one word.

import { DEV_TIMERS, HDR_DEADLINE, HEADER } from '../layout'

export const TIMER_PIT: u32 = 0
export const TIMER_RTC_SECOND: u32 = 1
export const TIMER_RTC_PERIODIC: u32 = 2
export const TIMER_KEYBOARD: u32 = 3
export const TIMER_TYPEMATIC: u32 = 4
export const TIMER_UART: u32 = 5 // 5..8: receive time-out of COM1..COM4
export const TIMER_ATA: u32 = 9 // 9 primary, 10 secondary channel
export const TIMER_FDC: u32 = 11
export const TIMER_SMBUS: u32 = 27 // the end of a transaction
export const TIMER_ACPI: u32 = 28 // the PM timer's overflow
export const TIMER_HPET: u32 = 29 // 29..31
export const TIMER_LAPIC: u32 = 32 // 32..47: local APIC of each CPU
export const TIMER_COUNT: u32 = 48
export const TIMER_MOUSE: u32 = 12

/** A timer that is not running. */
export const NEVER: u64 = u64.MAX_VALUE

/** Switches every timer off. */
export function timersReset(): void {
  for (let timer: u32 = 0; timer < TIMER_COUNT; timer++) store<u64>(DEV_TIMERS + timer * 8, NEVER)
  store<u64>(HEADER, NEVER, HDR_DEADLINE)
}

/** Sets when `timer` fires, ns of machine time; NEVER switches it off. */
export function timerSet(timer: u32, deadline: u64): void {
  store<u64>(DEV_TIMERS + timer * 8, deadline)
  store<u64>(HEADER, timerDeadline(timerEarliest()), HDR_DEADLINE)
}

/** When `timer` fires, NEVER if it is off. */
export function timerDeadline(timer: u32): u64 {
  return load<u64>(DEV_TIMERS + timer * 8)
}

/** The timer that fires next; of several at the same time the one with the lowest number. */
export function timerEarliest(): u32 {
  let earliest: u32 = 0
  for (let timer: u32 = 1; timer < TIMER_COUNT; timer++) {
    if (timerDeadline(timer) < timerDeadline(earliest)) earliest = timer
  }
  return earliest
}

// Fixed frequencies are counted on one grid that begins at machine time 0, so nothing drifts: whole seconds and
// the rest are converted apart, which keeps every product inside 64 bits for centuries.

const SECOND: u64 = 1_000_000_000

/** Pulses of a clock of `frequency` Hz (below 10 GHz) completed by `now` ns. */
export function ticksAt(now: u64, frequency: u64): u64 {
  return (now / SECOND) * frequency + ((now % SECOND) * frequency) / SECOND
}

/** The first ns at which `ticks` pulses of a clock of `frequency` Hz are complete: ticksAt(timeOf(t)) is t. */
export function timeOf(ticks: u64, frequency: u64): u64 {
  return (ticks / frequency) * SECOND + ((ticks % frequency) * SECOND + frequency - 1) / frequency
}
