// The chipset lock: one for all devices, held while a device is accessed. A thread may take it again while it
// holds it (a device doing DMA into another device's memory).

import { hostWait } from '../host'
import { HDR_CHIPSET_LOCK, HDR_CPU_COUNT, HDR_SCHEDULE, HEADER, SCHEDULE_DETERMINISTIC } from '../layout'

/** How often this thread holds the lock. Not machine state: zero at every boundary. */
let depth: u32 = 0
/** Whether it was taken for other threads to see. */
let shared: bool = false
const SPINS: u32 = 300

/** Devices are reached from threads that run guest code only: one in the deterministic schedule, one for each CPU else. */
@inline
function alone(): bool {
  return load<u32>(HEADER, HDR_SCHEDULE) == SCHEDULE_DETERMINISTIC || load<u32>(HEADER, HDR_CPU_COUNT) == 1
}

@inline
export function chipsetLock(): void {
  if (depth++ == 0 && !alone()) take()
}

function take(): void {
  shared = true
  if (atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_CHIPSET_LOCK) == 0) return
  for (let i: u32 = 0; i < SPINS; i++) {
    if (load<u32>(HEADER, HDR_CHIPSET_LOCK) == 0 && atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_CHIPSET_LOCK) == 0)
      return
  }
  while (atomic.xchg<u32>(HEADER, 2, HDR_CHIPSET_LOCK) != 0) hostWait(HEADER + HDR_CHIPSET_LOCK, 2, 5)
}

@inline
export function chipsetUnlock(): void {
  if (--depth == 0 && shared) release()
}

function release(): void {
  shared = false
  if (atomic.xchg<u32>(HEADER, 0, HDR_CHIPSET_LOCK) == 2) atomic.notify(HEADER + HDR_CHIPSET_LOCK, 1)
}
