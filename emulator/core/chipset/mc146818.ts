// MC146818 real-time clock and CMOS RAM, ports 70h (index, NMI mask) and 71h (data), IRQ 8. The time of day is kept
// where the guest sees it, in the first cells, and is brought forward when somebody looks: one increment per
// second that passed, as the chip does it. What the cells behind the clock say at power-on is in cmos.ts.
// References: Motorola MC146818 data sheet (1984); Dallas DS12887 for the century and the 128-byte RAM.

import { DEV_RTC, HDR_RTC_EPOCH, HEADER } from '../layout'
import { cmosReset } from './cmos'
import { irqLine } from './interrupt-lines'
import { NEVER, TIMER_RTC_PERIODIC, TIMER_RTC_SECOND, ticksAt, timeOf, timerSet } from './timers'

// State, from DEV_RTC
const CELLS: usize = 0 // u8[128]
const INDEX: usize = 128 // as written to port 70h, NMI mask in bit 7
const PHASE: usize = 136 // u64 ns, 0..999999999: seconds end at times that leave this rest
const SYNCED: usize = 144 // u64 ns, up to which the clock and the flags are worked out

// Cells
const SECONDS: u32 = 0x00
const SECONDS_ALARM: u32 = 0x01
const MINUTES: u32 = 0x02
const MINUTES_ALARM: u32 = 0x03
const HOURS: u32 = 0x04
const HOURS_ALARM: u32 = 0x05
const DAY_OF_WEEK: u32 = 0x06
const DAY: u32 = 0x07
const MONTH: u32 = 0x08
const YEAR: u32 = 0x09
const REGISTER_A: u32 = 0x0a
const REGISTER_B: u32 = 0x0b
const REGISTER_C: u32 = 0x0c
const REGISTER_D: u32 = 0x0d
const SHUTDOWN_CODE: u32 = 0x0f
export const RTC_CENTURY: u32 = 0x32

const A_UIP: u32 = 0x80
const A_DIVIDER: u32 = 0x70
/** The time base of a PC. Above it are tests of the chip (011 to 101) and the reset of the divider (11x). */
const A_DIVIDER_32K: u32 = 0x20
const B_SET: u32 = 0x80
const B_PIE: u32 = 0x40
const B_AIE: u32 = 0x20
const B_UIE: u32 = 0x10
const B_SQWE: u32 = 0x08
const B_BINARY: u32 = 0x04
const B_24H: u32 = 0x02
const C_IRQF: u32 = 0x80
const C_PF: u32 = 0x40
const C_AF: u32 = 0x20
const C_UF: u32 = 0x10
const D_VRT: u32 = 0x80
const PM: u32 = 0x80

const SECOND: u64 = 1_000_000_000
const OSCILLATOR: u64 = 32_768
/** UIP is up for 244 us before an update and during the 1984 us it takes; the cells change at its end. */
const UIP_TIME: u64 = 2_228_000

@inline
function cell(index: u32): u32 {
  return load<u8>(DEV_RTC + index, CELLS)
}

@inline
function cellWrite(index: u32, value: u32): void {
  store<u8>(DEV_RTC + index, value, CELLS)
}

/**
 * Reset at machine time `now` (ns). The battery keeps clock and RAM: the RESET pin clears interrupt enables and flags
 * only. When there was no power (VRT reads 0) the clock is set to HDR_RTC_EPOCH plus `now`, BCD, 24 hours.
 */
export function rtcReset(now: u64): void {
  if ((cell(REGISTER_D) & D_VRT) != 0 && now >= load<u64>(DEV_RTC, SYNCED)) {
    synchronise(now)
    cellWrite(REGISTER_B, cell(REGISTER_B) & ~(B_PIE | B_AIE | B_UIE | B_SQWE))
    cellWrite(REGISTER_C, 0)
    return
  }
  memory.fill(DEV_RTC, 0, 256)
  cellWrite(REGISTER_A, A_DIVIDER_32K | 6)
  cellWrite(REGISTER_B, B_24H)
  cellWrite(REGISTER_D, D_VRT)
  setUnixTime(load<u64>(HEADER, HDR_RTC_EPOCH) + now / SECOND)
  store<u64>(DEV_RTC, now, SYNCED)
  cmosReset(<usize>DEV_RTC + CELLS)
}

/** What POST looks at first: why there was a reset (CMOS 0Fh). */
export function rtcShutdownCode(code: u32): void {
  cellWrite(SHUTDOWN_CODE, code)
}

/** The alarm's interrupt, which ends S3: a reset takes it back, and there it stays. */
export function rtcAlarmEnabled(): bool {
  return (cell(REGISTER_B) & B_AIE) != 0
}

export function rtcAlarmEnable(now: u64): void {
  synchronise(now)
  cellWrite(REGISTER_B, cell(REGISTER_B) | B_AIE)
  updateLine()
  schedule(now)
}

/** `port` 70h or 71h. The index register cannot be read. */
export function rtcRead(port: u32, now: u64): u32 {
  if (port == 0x70) return 0xff
  const index = <u32>load<u8>(DEV_RTC, INDEX) & 0x7f
  synchronise(now)
  if (index == REGISTER_A) return cell(REGISTER_A) | (updating(now) ? A_UIP : 0)
  if (index != REGISTER_C) return cell(index)
  const flags = cell(REGISTER_C) | (interruptWanted() ? C_IRQF : 0)
  cellWrite(REGISTER_C, 0)
  updateLine()
  return flags
}

/** `port` 70h or 71h. */
export function rtcWrite(port: u32, value: u32, now: u64): void {
  if (port == 0x70) {
    store<u8>(DEV_RTC, value, INDEX)
    return
  }
  const index = <u32>load<u8>(DEV_RTC, INDEX) & 0x7f
  synchronise(now)
  switch (index) {
    case REGISTER_A: {
      const ran = running()
      cellWrite(REGISTER_A, value & ~A_UIP)
      // "The first update cycle begins 500 ms after the divider reset is removed"
      if (!ran && running()) store<u64>(DEV_RTC, (now + SECOND / 2) % SECOND, PHASE)
      break
    }
    case REGISTER_B:
      // "A 1 in SET ... clears UIE"
      cellWrite(REGISTER_B, value & B_SET ? value & ~B_UIE : value)
      break
    case REGISTER_C:
    case REGISTER_D:
      return // read-only
    default:
      cellWrite(index, value)
  }
  updateLine()
  schedule(now)
}

/** TIMER_RTC_SECOND: a second is over and somebody wants an interrupt. */
export function rtcSecondTimer(at: u64): void {
  synchronise(at)
  updateLine()
  schedule(at)
}

/** TIMER_RTC_PERIODIC. */
export function rtcPeriodicTimer(at: u64): void {
  rtcSecondTimer(at)
}

/**
 * 000 and 001 name crystals that no PC has. The chipsets' clocks run on with them (82371AB 4.2.4: reserved), and programs that
 * write the rate alone count on it.
 */
function running(): bool {
  const divider = cell(REGISTER_A) & A_DIVIDER
  return divider <= A_DIVIDER_32K
}

/** Ends of seconds that lie at or before `now`. */
function secondsAt(now: u64): u64 {
  return (now + SECOND - load<u64>(DEV_RTC, PHASE)) / SECOND
}

/** The first end of a second after `now`. */
function nextSecond(now: u64): u64 {
  return secondsAt(now) * SECOND + load<u64>(DEV_RTC, PHASE)
}

function updating(now: u64): bool {
  return running() && (cell(REGISTER_B) & B_SET) == 0 && nextSecond(now) - now <= UIP_TIME
}

/** Oscillator pulses between two periodic interrupts, 0 when they are off (data sheet table 5). */
function period(): u64 {
  const rate = cell(REGISTER_A) & 0x0f
  if (rate == 0 || !running()) return 0
  return (<u64>1) << (rate < 3 ? rate + 6 : rate - 1)
}

/** Oscillator pulses, counted so that a second ends with every 32768th. */
function pulsesAt(now: u64): u64 {
  return ticksAt(now + SECOND - load<u64>(DEV_RTC, PHASE), OSCILLATOR)
}

/** Works out the time of day and the flags of register C up to `now`. */
function synchronise(now: u64): void {
  const since = load<u64>(DEV_RTC, SYNCED)
  if (now <= since) return
  store<u64>(DEV_RTC, now, SYNCED)
  let flags = cell(REGISTER_C)
  const pulses = period()
  if (pulses && pulsesAt(now) / pulses != pulsesAt(since) / pulses) flags |= C_PF
  if (running() && (cell(REGISTER_B) & B_SET) == 0) {
    for (let seconds = secondsAt(now) - secondsAt(since); seconds > 0; seconds--) {
      increment()
      flags |= C_UF
      if (alarmMatches()) flags |= C_AF
    }
  }
  cellWrite(REGISTER_C, flags)
}

function interruptWanted(): bool {
  return (cell(REGISTER_C) & cell(REGISTER_B) & (C_PF | C_AF | C_UF)) != 0
}

function updateLine(): void {
  irqLine(8, interruptWanted())
}

/** Timers run only for interrupts that are enabled; flags alone are worked out when they are read. */
function schedule(now: u64): void {
  const enabled = cell(REGISTER_B)
  const ticking = running() && (enabled & B_SET) == 0 && (enabled & (B_AIE | B_UIE)) != 0
  timerSet(TIMER_RTC_SECOND, ticking ? nextSecond(now) : NEVER)
  const pulses = period()
  if (pulses == 0 || (enabled & B_PIE) == 0) {
    timerSet(TIMER_RTC_PERIODIC, NEVER)
    return
  }
  const next = (pulsesAt(now) / pulses + 1) * pulses
  timerSet(TIMER_RTC_PERIODIC, timeOf(next, OSCILLATOR) + load<u64>(DEV_RTC, PHASE) - SECOND)
}

/** A cell's number in the data mode of register B. */
function decode(value: u32): u32 {
  return cell(REGISTER_B) & B_BINARY ? value : (value >> 4) * 10 + (value & 0x0f)
}

function encode(value: u32): u32 {
  return cell(REGISTER_B) & B_BINARY ? value : ((value / 10) << 4) | (value % 10)
}

/** Counts a cell up; true when it went past `last` and is back at `first`. */
function countUp(index: u32, first: u32, last: u32): bool {
  const value = decode(cell(index)) + 1
  cellWrite(index, encode(value > last ? first : value))
  return value > last
}

/** In the 12-hour mode hours run 12, 1 .. 11 with PM in bit 7; true at midnight. */
function countUpHours(): bool {
  if (cell(REGISTER_B) & B_24H) return countUp(HOURS, 0, 23)
  const half = cell(HOURS) & PM
  const hour = decode(cell(HOURS) & 0x7f)
  if (hour == 11) {
    cellWrite(HOURS, encode(12) | (half ^ PM))
    return half != 0
  }
  cellWrite(HOURS, encode(hour >= 12 ? 1 : hour + 1) | half)
  return false
}

function daysInMonth(): u32 {
  const month = decode(cell(MONTH))
  if (month == 2) return decode(cell(YEAR)) % 4 == 0 ? 29 : 28 // right from 1901 to 2099, as on the chip
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** One second. */
function increment(): void {
  if (!countUp(SECONDS, 0, 59)) return
  if (!countUp(MINUTES, 0, 59)) return
  if (!countUpHours()) return
  countUp(DAY_OF_WEEK, 1, 7)
  if (!countUp(DAY, 1, daysInMonth())) return
  if (!countUp(MONTH, 1, 12)) return
  if (!countUp(YEAR, 0, 99)) return
  const century = cell(RTC_CENTURY) // BCD always
  cellWrite(RTC_CENTURY, (century & 0x0f) == 9 ? century + 7 : century + 1)
}

/** An alarm cell of C0h-FFh matches anything. */
function alarmCellMatches(alarm: u32, time: u32): bool {
  return cell(alarm) >= 0xc0 || cell(alarm) == cell(time)
}

function alarmMatches(): bool {
  return (
    alarmCellMatches(SECONDS_ALARM, SECONDS) &&
    alarmCellMatches(MINUTES_ALARM, MINUTES) &&
    alarmCellMatches(HOURS_ALARM, HOURS)
  )
}

/** Sets the date and time cells; `time` in seconds since 1970-01-01 00:00 UTC. */
function setUnixTime(time: u64): void {
  const second = <u32>(time % 86400)
  const days = <u32>(time / 86400)
  cellWrite(SECONDS, encode(second % 60))
  cellWrite(MINUTES, encode((second / 60) % 60))
  cellWrite(HOURS, encode(second / 3600))
  cellWrite(DAY_OF_WEEK, ((days + 4) % 7) + 1) // 1970-01-01 was a Thursday; 1 is Sunday
  // Civil date from days, in years that begin in March so that the leap day comes last
  const shifted = days + 719_468 // since 0000-03-01
  const era = shifted / 146_097
  const dayOfEra = shifted % 146_097
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const march = (5 * dayOfYear + 2) / 153
  const month = march < 10 ? march + 3 : march - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  cellWrite(DAY, encode(dayOfYear - (153 * march + 2) / 5 + 1))
  cellWrite(MONTH, encode(month))
  cellWrite(YEAR, encode(year % 100))
  cellWrite(RTC_CENTURY, (((year / 1000) % 10) << 4) | ((year / 100) % 10))
}
