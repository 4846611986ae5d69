// Power management of the 82371AB (PIIX4, 290562, 7.2): the ACPI fixed registers in 64 bytes of I/O space (pci-devices.ts
// says where), and the APM control port through which the operating system asks the firmware for ACPI mode. What needs an
// SMI handler on a board is done here at once. Chipset lock held.

import { ACPI_ASLEEP, DEV_ACPI, RESET_RESUME, RESET_SUSPEND, STOP_POWER_OFF } from '../layout'
import { machineStop } from '../machine/stop'
import { irqLine } from './interrupt-lines'
import { rtcShutdownCode } from './mc146818'
import { smbusInterrupt } from './smbus'
import { resetRequest } from './system-control'
import { NEVER, TIMER_ACPI, ticksAt, timeOf, timerSet } from './timers'

// State, from DEV_ACPI
const STATUS: usize = 0 // u16, PM1_STS without TMR_STS, which is worked out
const ENABLE: usize = 2 // u16
const CONTROL: usize = 4 // u16
const GPE_STATUS: usize = 6 // u16
const GPE_ENABLE: usize = 8 // u16
const APM_CONTROL: usize = 10 // u8, B2h, B3h
const HALVES: usize = 16 // u64, half turns of the timer for which TMR_STS was cleared

// Registers, offsets in the range
const PM1_STATUS: u32 = 0x00
const PM1_ENABLE: u32 = 0x02
const PM1_CONTROL: u32 = 0x04
const PM_TIMER: u32 = 0x08
const GPE0_STATUS: u32 = 0x0c
const GPE0_ENABLE: u32 = 0x0e

/** TMR, GBL, PWRBTN, RTC (ACPI 6.4, 4.8.3.1) */
const EVENTS: u32 = 0x0521
const BUTTON_EVENT: u32 = 0x0100
const CLOCK_EVENT: u32 = 0x0400
const TIMER_EVENT: u32 = 0x0001
const CONTROL_SCI: u32 = 0x0001
const CONTROL_GBL_RLS: u32 = 0x0004
const CONTROL_SLP_EN: u32 = 0x2000
const CONTROL_SLP_TYP: u32 = 0x1c00
/** SLP_TYP of S3, suspend to RAM (dsdt.asm: _S3); every other one switches off. */
const SLP_TYP_S3: u32 = 0x0400
/** Events that end S3: PWRBTN, RTC; and the bit that says so (ACPI 6.4, 4.8.3.1.1). */
const WAKING: u32 = 0x0500
const WAKE_STATUS: u32 = 0x8000
/** In CMOS 0Fh, as SeaBIOS has it: the reset that follows is a return from S3. */
const SHUTDOWN_S3: u32 = 0xfe
/** SCI_EN, BM_RLD, SLP_TYP: the rest reads 0. */
const CONTROL_KEPT: u32 = 0x1c03

const SCI: u32 = 9
const FREQUENCY: u64 = 3_579_545
/** TMR_STS is set when bit 23 of the timer changes (ACPI 6.4, 4.8.3.3). */
const HALF_TURN: u64 = 0x800000

/** Values for SMI_CMD, as the FADT tells them. */
export const ACPI_ENABLE: u32 = 0xf1
export const ACPI_DISABLE: u32 = 0xf0

export function acpiReset(): void {
  memory.fill(DEV_ACPI, 0, 64)
  timerSet(TIMER_ACPI, NEVER)
}

/** The events, which have power in S3 too: what acpiEventsKeep() takes behind a reset. */
export function acpiEvents(): u32 {
  return <u32>load<u16>(DEV_ACPI, STATUS) | ((<u32>load<u16>(DEV_ACPI, ENABLE)) << 16)
}

export function acpiEventsKeep(events: u32, asleep: bool): void {
  store<u16>(DEV_ACPI, events, STATUS)
  store<u16>(DEV_ACPI, events >> 16, ENABLE)
  store<u8>(DEV_ACPI, asleep ? 1 : 0, ACPI_ASLEEP)
}

function halvesAt(now: u64): u64 {
  return ticksAt(now, FREQUENCY) / HALF_TURN
}

function status(now: u64): u32 {
  const timer = halvesAt(now) != load<u64>(DEV_ACPI, HALVES) ? TIMER_EVENT : 0
  return load<u16>(DEV_ACPI, STATUS) | timer
}

/** The SCI is level-triggered: up while an enabled event stands. */
function update(now: u64): void {
  const events = status(now) & load<u16>(DEV_ACPI, ENABLE)
  if ((events & WAKING) != 0) acpiWake()
  const general = load<u16>(DEV_ACPI, GPE_STATUS) & load<u16>(DEV_ACPI, GPE_ENABLE)
  const asks = (load<u16>(DEV_ACPI, CONTROL) & CONTROL_SCI) != 0 && (events != 0 || general != 0)
  irqLine(SCI, asks || smbusInterrupt())
  const waits = (load<u16>(DEV_ACPI, ENABLE) & TIMER_EVENT) != 0 && (events & TIMER_EVENT) == 0
  timerSet(TIMER_ACPI, waits ? timeOf((halvesAt(now) + 1) * HALF_TURN, FREQUENCY) : NEVER)
}

/** Something that has power in S3 wakes the machine; it need not be asleep. */
export function acpiWake(): void {
  if (load<u8>(DEV_ACPI, ACPI_ASLEEP) == 0) return
  store<u8>(DEV_ACPI, 0, ACPI_ASLEEP)
  store<u16>(DEV_ACPI, <u32>load<u16>(DEV_ACPI, STATUS) | WAKE_STATUS, STATUS)
  resetRequest(RESET_RESUME)
}

/** What the SCI's wire depends on has changed elsewhere: the SMBus host controller shares it. */
export function acpiUpdate(now: u64): void {
  update(now)
}

/** TIMER_ACPI: bit 23 of the timer has changed. */
export function acpiTimer(at: u64): void {
  update(at)
}

/** The clock has raised IRQ 8: RTC_STS (82371AB 7.2.1). */
export function acpiClockEvent(now: u64): void {
  store<u16>(DEV_ACPI, <u32>load<u16>(DEV_ACPI, STATUS) | CLOCK_EVENT, STATUS)
  update(now)
}

/**
 * The power button: PWRBTN_STS, of which an operating system that has switched to ACPI hears by the SCI; asleep the machine wakes.
 * Without one nobody handles the button but the firmware's SMI handler, and that switches off (ACPI 6.4, 4.8.2.2.1).
 */
export function acpiPowerButton(now: u64): void {
  if (load<u8>(DEV_ACPI, ACPI_ASLEEP) == 0 && (load<u16>(DEV_ACPI, CONTROL) & CONTROL_SCI) == 0) {
    machineStop(STOP_POWER_OFF, 0)
    return
  }
  store<u16>(DEV_ACPI, <u32>load<u16>(DEV_ACPI, STATUS) | BUTTON_EVENT, STATUS)
  acpiWake() // whether or not the event is enabled: who presses it wants it
  update(now)
}

function byteRead(at: u32, now: u64): u32 {
  switch (at & 0xfe) {
    case PM1_STATUS:
      return status(now) >> ((at & 1) << 3)
    case PM1_ENABLE:
    case PM1_CONTROL:
      return load<u8>(<usize>DEV_ACPI + at)
    case PM_TIMER:
    case PM_TIMER + 2:
      return at < PM_TIMER + 3 ? <u32>(ticksAt(now, FREQUENCY) >> ((at & 3) << 3)) : 0
    case GPE0_STATUS:
    case GPE0_ENABLE:
      return load<u8>(<usize>DEV_ACPI + GPE_STATUS + (at - GPE0_STATUS))
    default:
      return 0
  }
}

function enterSleep(type: u32): void {
  if (type != SLP_TYP_S3) {
    machineStop(STOP_POWER_OFF, 0)
    return
  }
  rtcShutdownCode(SHUTDOWN_S3)
  store<u8>(DEV_ACPI, 1, ACPI_ASLEEP)
  resetRequest(RESET_SUSPEND)
}

function byteWrite(at: u32, value: u32, now: u64): void {
  const shifted = value << ((at & 1) << 3)
  const cell = <usize>DEV_ACPI + at
  switch (at & 0xfe) {
    case PM1_STATUS:
      // Write one to clear.
      store<u16>(DEV_ACPI, load<u16>(DEV_ACPI, STATUS) & ~shifted, STATUS)
      if (shifted & TIMER_EVENT) store<u64>(DEV_ACPI, halvesAt(now), HALVES)
      break
    case PM1_ENABLE:
      store<u8>(cell, value & (EVENTS >> ((at & 1) << 3)))
      break
    case PM1_CONTROL: {
      store<u8>(cell, value & (CONTROL_KEPT >> ((at & 1) << 3)))
      // The firmware has nothing to release: GBL_RLS raises no SMI. SLP_EN enters the state SLP_TYP names.
      if (shifted & CONTROL_SLP_EN) enterSleep(load<u16>(DEV_ACPI, CONTROL) & CONTROL_SLP_TYP)
      break
    }
    case GPE0_STATUS: {
      const general = <usize>DEV_ACPI + GPE_STATUS + (at & 1)
      store<u8>(general, load<u8>(general) & ~value)
      break
    }
    case GPE0_ENABLE:
      store<u8>(<usize>DEV_ACPI + GPE_ENABLE + (at & 1), value)
      break
    default:
      return
  }
  update(now)
}

/** `size` 1, 2 or 4 bytes at `offset` of the range. */
export function acpiRead(offset: u32, size: u32, now: u64): u32 {
  let value: u32 = 0
  for (let i: u32 = 0; i < size; i++) value |= (byteRead(offset + i, now) & 0xff) << (i << 3)
  return value
}

export function acpiWrite(offset: u32, size: u32, value: u32, now: u64): void {
  for (let i: u32 = 0; i < size; i++) byteWrite(offset + i, (value >> (i << 3)) & 0xff, now)
}

/** PM1a control at its old address, 604h, where it answers even before the range is placed. */
export function pm1ControlRead(index: u32, now: u64): u32 {
  return byteRead(PM1_CONTROL + index, now) & 0xff
}

export function pm1ControlWrite(index: u32, value: u32, now: u64): void {
  byteWrite(PM1_CONTROL + index, value, now)
}

/** Ports B2h and B3h, APM control and status (82371AB 4.2.8). */
export function apmRead(port: u32): u32 {
  return load<u8>(DEV_ACPI + (port & 1), APM_CONTROL)
}

export function apmWrite(port: u32, value: u32, now: u64): void {
  store<u8>(DEV_ACPI + (port & 1), value, APM_CONTROL)
  if (port & 1) return
  const control = <u32>load<u16>(DEV_ACPI, CONTROL)
  if (value == ACPI_ENABLE) store<u16>(DEV_ACPI, control | CONTROL_SCI, CONTROL)
  else if (value == ACPI_DISABLE) store<u16>(DEV_ACPI, control & ~CONTROL_SCI, CONTROL)
  else return
  update(now)
}
