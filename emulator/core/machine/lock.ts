// The chipset lock: one for all devices, held while a device is accessed. A thread may take it again while it
// holds it (a device doing DMA into another device's memory).

import { hostWait } from '../host'
import { HDR_CHIPSET_LOCK, HEADER } from '../layout'

/** How often this thread holds the lock. Not machine state: zero at every boundary. */
let depth: u32 = 0
const SPINS: u32 = 300

export function chipsetLock(): void {
  if (depth++ > 0) return
  if (atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_CHIPSET_LOCK) == 0) return
  for (let i: u32 = 0; i < SPINS; i++) {
    if (load<u32>(HEADER, HDR_CHIPSET_LOCK) == 0 && atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_CHIPSET_LOCK) == 0)
      return
  }
  while (atomic.xchg<u32>(HEADER, 2, HDR_CHIPSET_LOCK) != 0) hostWait(HEADER + HDR_CHIPSET_LOCK, 2, 5)
}

export function chipsetUnlock(): void {
  if (--depth > 0) return
  if (atomic.xchg<u32>(HEADER, 0, HDR_CHIPSET_LOCK) == 2) atomic.notify(HEADER + HDR_CHIPSET_LOCK, 1)
}
