// Who may be in the guest, and how one CPU keeps the others out of it for a moment: for a locked access that no single
// atomic operation can carry out (split locks, CMPXCHG16B), for a reset, for a page-table change that is being watched.
// A CPU is in the guest from the beginning of run() to its end, and leaves at a boundary when it is asked to.
// Deterministic: the others are never in the guest, and all of this costs two loads.

import { cpu, cpuIndex } from '../cpu/context'
import { hostWait } from '../host'
import { CPU_IN_GUEST, HDR_CPU_COUNT, HDR_EXCLUSIVE, HEADER, VCPU_STRIDE, VCPUS } from '../layout'
import { kick } from './smp'

/** Rounds of looking before the thread sleeps: a CPU that runs answers within a trace. */
const SPINS: u32 = 2000
const NAP_MS: u32 = 1

/** This CPU is about to execute. Waits while another one has the guest to itself. */
export function guestEnter(): void {
  while (true) {
    atomic.store<u32>(cpu, 1, CPU_IN_GUEST)
    const owner = atomic.load<u32>(HEADER, HDR_EXCLUSIVE)
    if (owner == 0 || owner == cpuIndex + 1) return
    standAside(owner)
  }
}

export function guestLeave(): void {
  atomic.store<u32>(cpu, 0, CPU_IN_GUEST)
  if (atomic.load<u32>(HEADER, HDR_EXCLUSIVE)) atomic.notify(cpu + CPU_IN_GUEST, 1)
}

/** At a boundary: lets another CPU have the guest to itself if it asks for it. */
export function exclusiveYield(): void {
  const owner = atomic.load<u32>(HEADER, HDR_EXCLUSIVE)
  if (owner == 0 || owner == cpuIndex + 1) return
  standAside(owner)
  atomic.store<u32>(cpu, 1, CPU_IN_GUEST)
  exclusiveYield()
}

/** Out of the guest until `owner` has done. */
function standAside(owner: u32): void {
  atomic.store<u32>(cpu, 0, CPU_IN_GUEST)
  atomic.notify(cpu + CPU_IN_GUEST, 1)
  waitWhile(HEADER + HDR_EXCLUSIVE, owner)
}

/** How often this thread has begun. */
let depth: u32 = 0

/** Until every other CPU is out of the guest. No lock another CPU may wait for may be held. */
export function exclusiveBegin(): void {
  const count = load<u32>(HEADER, HDR_CPU_COUNT)
  if (count == 1 || depth++ > 0) return
  while (true) {
    const owner = atomic.cmpxchg<u32>(HEADER, 0, cpuIndex + 1, HDR_EXCLUSIVE)
    if (owner == 0) break
    standAside(owner)
    atomic.store<u32>(cpu, 1, CPU_IN_GUEST)
  }
  for (let i: u32 = 0; i < count; i++) {
    const other: usize = VCPUS + i * VCPU_STRIDE
    if (i == cpuIndex || atomic.load<u32>(other, CPU_IN_GUEST) == 0) continue
    kick(i)
    waitWhile(other + CPU_IN_GUEST, 1)
  }
}

export function exclusiveEnd(): void {
  if (load<u32>(HEADER, HDR_CPU_COUNT) == 1 || --depth > 0) return
  atomic.store<u32>(HEADER, 0, HDR_EXCLUSIVE)
  atomic.notify(HEADER + HDR_EXCLUSIVE, -1)
}

/** Until the word at `address` is no longer `value`. */
function waitWhile(address: usize, value: u32): void {
  for (let i: u32 = 0; i < SPINS; i++) if (atomic.load<u32>(address) != value) return
  while (atomic.load<u32>(address) == value) hostWait(address as u32, value, NAP_MS)
}
