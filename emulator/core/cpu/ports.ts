// Port I/O as instructions do it: under the chipset lock, and in the time that a bus takes. Programs wait by polling ports
// (vertical retrace, the timer's count, the refresh bit, the disk's status): if an access took no longer than any other instruction, a
// millisecond would be a third of a million of them, which no host carries out in a millisecond.

import { portRead, portWrite } from '../chipset/bus'
import { clockSpend } from '../machine/clock'
import { chipsetLock, chipsetUnlock } from '../machine/lock'

/** An 8-bit access to a device of the ISA bus: six of its clocks of 8.33 MHz (IEEE P996: six are the standard 8-bit cycle). */
const ISA_ACCESS_NS: u64 = 720
/** A wider one: the data registers of the disks (PIO mode 4: 120 ns a word), and what is on the PCI bus. */
const WIDE_ACCESS_NS: u64 = 120

@inline
function spend(size: u32): void {
  clockSpend(size == 1 ? ISA_ACCESS_NS : WIDE_ACCESS_NS)
}

/** Reads 1, 2 or 4 bytes from `port`. */
export function portIn(port: u32, size: u32): u32 {
  chipsetLock()
  const value = portRead(port, size)
  chipsetUnlock()
  spend(size)
  return value
}

/** Writes 1, 2 or 4 bytes to `port`. */
export function portOut(port: u32, size: u32, value: u32): void {
  chipsetLock()
  portWrite(port, size, value)
  chipsetUnlock()
  spend(size)
}
