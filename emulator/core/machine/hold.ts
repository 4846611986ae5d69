// How an onlooker sees one moment of a running machine: it holds every CPU at a boundary, reads, and lets go. Nothing of
// the guest changes; in the deterministic schedule not even the time it can see.
//
// The host sets HDR_HOLD, kicks every CPU, and has the moment when HDR_HELD equals HDR_ACTIVE (read in this order: whoever
// is held stays so, and whoever comes in is held before the first instruction). A CPU that waits for the host inside of an
// instruction does not come: the host gives up after a while and reads what moves.

import { cpu } from '../cpu/context'
import { hostWait } from '../host'
import { CPU_IN_GUEST, HDR_CLOCK_NOW, HDR_HELD, HDR_HOLD, HEADER } from '../layout'
import { clockNow } from './clock'

const SPINS: u32 = 2000
const NAP_MS: u32 = 1

/** At a boundary, the CPU being counted in HDR_ACTIVE: stands still while the host wants it. */
export function standStill(): void {
  const wish = atomic.load<u32>(HEADER, HDR_HOLD)
  if (wish == 0) return
  // A CPU that wants the guest to itself must not wait for one that is held.
  const inGuest = atomic.load<u32>(cpu, CPU_IN_GUEST)
  if (inGuest) {
    atomic.store<u32>(cpu, 0, CPU_IN_GUEST)
    atomic.notify(cpu + CPU_IN_GUEST, 1)
  }
  store<u64>(HEADER, clockNow(), HDR_CLOCK_NOW)
  atomic.add<u32>(HEADER, 1, HDR_HELD)
  for (let i: u32 = 0; i < SPINS && atomic.load<u32>(HEADER, HDR_HOLD) == wish; i++) {}
  while (atomic.load<u32>(HEADER, HDR_HOLD) == wish) hostWait((HEADER + HDR_HOLD) as u32, wish, NAP_MS)
  atomic.sub<u32>(HEADER, 1, HDR_HELD)
  if (inGuest) atomic.store<u32>(cpu, 1, CPU_IN_GUEST)
}
