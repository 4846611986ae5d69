// The board's side of x87 errors: FERR# to IRQ 13, port F0h to IGNNE# (82371AB 4.2.5, coprocessor error register).

import { DEV_SYSCTL } from '../layout'
import { irqLine } from './interrupt-lines'

// Beside the fields of system-control.ts, whose reset clears them.
const IGNNE: usize = 8 // u8
const LINE: usize = 9 // u8, level of IRQ 13

/** FERR# became active: IRQ 13 goes up and stays so until port F0h is written. */
export function numericErrorRaise(): void {
  store<u8>(DEV_SYSCTL, 1, LINE)
  irqLine(13, true)
}

/** A write to port F0h, any value. IGNNE# only follows while an error is being reported. */
export function numericErrorAcknowledge(): void {
  if (load<u8>(DEV_SYSCTL, LINE)) store<u8>(DEV_SYSCTL, 1, IGNNE)
  store<u8>(DEV_SYSCTL, 0, LINE)
  irqLine(13, false)
}

export function numericErrorIgnored(): bool {
  return load<u8>(DEV_SYSCTL, IGNNE) != 0
}

export function numericErrorIgnore(ignore: bool): void {
  store<u8>(DEV_SYSCTL, ignore ? 1 : 0, IGNNE)
}
