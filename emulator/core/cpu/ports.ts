// Port I/O as instructions do it: under the chipset lock, and visible as events.

import { portRead, portWrite } from '../chipset/bus'
import { EVENT_CLASS_PORT, EVENT_KIND_PORT } from '../layout'
import { event } from '../machine/events'
import { chipsetLock, chipsetUnlock } from '../machine/lock'

/** Reads 1, 2 or 4 bytes from `port`. */
export function portIn(port: u32, size: u32): u32 {
  chipsetLock()
  const value = portRead(port, size)
  chipsetUnlock()
  event(EVENT_CLASS_PORT, EVENT_KIND_PORT, port | (size << 16), value, 0)
  return value
}

/** Writes 1, 2 or 4 bytes to `port`. */
export function portOut(port: u32, size: u32, value: u32): void {
  event(EVENT_CLASS_PORT, EVENT_KIND_PORT, port | (size << 16) | (1 << 24), value, 0)
  chipsetLock()
  portWrite(port, size, value)
  chipsetUnlock()
}
