// Port I/O as instructions do it: under the chipset lock.

import { portRead, portWrite } from '../chipset/bus'
import { chipsetLock, chipsetUnlock } from '../machine/lock'

/** Reads 1, 2 or 4 bytes from `port`. */
export function portIn(port: u32, size: u32): u32 {
  chipsetLock()
  const value = portRead(port, size)
  chipsetUnlock()
  return value
}

/** Writes 1, 2 or 4 bytes to `port`. */
export function portOut(port: u32, size: u32, value: u32): void {
  chipsetLock()
  portWrite(port, size, value)
  chipsetUnlock()
}
