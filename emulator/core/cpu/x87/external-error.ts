// Errors reported the way of the PC/AT, with CR0.NE = 0: FERR# raises IRQ 13, and a write to port F0h lets the processor
// go on in spite of the error by IGNNE# (SDM 1 8.7.2, appendix D.2).

import { numericErrorIgnore, numericErrorIgnored, numericErrorRaise } from '../../chipset/numeric-error'
import { chipsetLock, chipsetUnlock } from '../../machine/lock'

/** An instruction waits for an error. True: it must wait until the handler has dealt with it. */
export function externalError(): bool {
  chipsetLock()
  const ignored = numericErrorIgnored()
  if (!ignored) numericErrorRaise()
  chipsetUnlock()
  return !ignored
}

/** An error where none was pending: the flip-flop that holds IGNNE# was cleared with the last one. */
export function newError(): void {
  chipsetLock()
  numericErrorIgnore(false)
  chipsetUnlock()
}
