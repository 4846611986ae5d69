// Guest-physical accesses that end at a device: under the chipset lock.

import { mmioRead, mmioWrite } from '../chipset/bus'
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
