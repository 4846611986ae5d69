// Guest-physical accesses that end at a device: under the chipset lock.

import { mmioRead, mmioWrite } from '../chipset/bus'
import { lapicCovers, xapicRead, xapicWrite } from '../chipset/lapic-access'
import { chipsetLock, chipsetUnlock } from '../machine/lock'

/** Reads 1, 2, 4 or 8 bytes at `phys`, address line 20 applied; holes answer all ones. */
export function deviceRead(phys: u64, size: u32): u64 {
  chipsetLock()
  const value = mmioRead(phys, size)
  chipsetUnlock()
  return value
}

/** Writes 1, 2, 4 or 8 bytes at `phys`, address line 20 applied; holes ignore them. */
export function deviceWrite(phys: u64, size: u32, value: u64): void {
  chipsetLock()
  mmioWrite(phys, size, value)
  chipsetUnlock()
}

/** deviceRead() by this CPU, whose local APIC comes before the bus. */
export function cpuDeviceRead(phys: u64, size: u32): u64 {
  return lapicCovers(phys) ? xapicRead(<u32>phys & 0xfff, size) : deviceRead(phys, size)
}

/** deviceWrite() by this CPU. */
export function cpuDeviceWrite(phys: u64, size: u32, value: u64): void {
  if (lapicCovers(phys)) xapicWrite(<u32>phys & 0xfff, size, value)
  else deviceWrite(phys, size, value)
}
