// How a CPU is reached from outside it: by another CPU, the chipset, or the host. What is asked is written into its
// block with atomics; the CPU alone carries it out, at an instruction boundary (DESIGN 5.7). Everything but attend() may
// be called from any thread, and with the chipset lock held.

import { lapicInbox } from '../chipset/lapic'
import { cpu, cpuIndex } from '../cpu/context'
import { cpuReset, cpuStartup } from '../cpu/reset'
import { codeWritesServe, traceDropAll } from '../cpu/trace'
import {
  ACTIVITY_MWAIT,
  ACTIVITY_WAIT_SIPI,
  CPU_ACTIVITY,
  CPU_ATTENTION,
  CPU_DROP_SERIAL,
  CPU_FENCE,
  CPU_JUMPS,
  CPU_MAINTENANCE,
  CPU_NMI,
  CPU_REQUEST,
  CPU_SLEEPING,
  HDR_CPU_COUNT,
  HEADER,
  JUMPS_COUNT,
  MAINTENANCE_CODE,
  MAINTENANCE_DROP_FAST,
  MAINTENANCE_DROP_JUMPS,
  MAINTENANCE_DROP_TRACES,
  MAINTENANCE_REBIND,
  REQUEST_INIT,
  REQUEST_INTERRUPT,
  REQUEST_NMI,
  REQUEST_NMI_AGAIN,
  REQUEST_SIPI,
  RESET_CPU,
  VCPU_STRIDE,
  VCPUS,
} from '../layout'
import { tlbBind, tlbDropFast } from '../memory/tlb'
import { staleFetch } from '../memory/tlb-log'
import { exclusiveYield } from './exclusive'
import { standStill } from './hold'
import { monitorBroken } from './monitor'

const SIPI_SHIFT: u32 = 8

/** WebAssembly address of the block of CPU `index`. */
@inline
export function cpuBlock(index: u32): usize {
  return VCPUS + index * VCPU_STRIDE
}

@inline
export function cpuCount(): u32 {
  return load<u32>(HEADER, HDR_CPU_COUNT)
}

/** Everything stored before is seen by all before anything is loaded behind (AssemblyScript's own fence is not valid). */
@inline
export function fullFence(): void {
  atomic.xchg<u32>(cpu, 0, CPU_FENCE)
}

/**
 * Makes CPU `index` come to an instruction boundary soon (within a trace when it runs in parallel), or wakes its thread.
 * There it looks at CPU_REQUEST, CPU_MAINTENANCE and its local APIC. A number no CPU has is ignored.
 */
export function kick(index: u32): void {
  if (index >= cpuCount()) return
  const block = cpuBlock(index)
  atomic.store<u32>(block, 1, CPU_ATTENTION)
  if (index == cpuIndex) return
  if (atomic.load<u32>(block, CPU_SLEEPING)) atomic.notify(block + CPU_ATTENTION, 1)
}

/** kick() for every CPU but the one that runs here. */
export function kickOthers(): void {
  const count = cpuCount()
  for (let i: u32 = 0; i < count; i++) if (i != cpuIndex) kick(i)
}

/** Parallel: whether the thread of every other CPU sleeps, and nothing has been asked of it that it will wake for. */
export function othersSleep(): bool {
  const count = cpuCount()
  for (let i: u32 = 0; i < count; i++) {
    if (i == cpuIndex) continue
    const block = cpuBlock(i)
    if (!atomic.load<u32>(block, CPU_SLEEPING) || atomic.load<u32>(block, CPU_ATTENTION)) return false
    if (load<u32>(block, CPU_ACTIVITY) == ACTIVITY_MWAIT && monitorBroken(block)) return false
  }
  return true
}

/** Asks for REQUEST_INTERRUPT or REQUEST_SMI (or both; 0: to look). A number no CPU has is ignored. */
export function requestPost(index: u32, bits: u32): void {
  if (index >= cpuCount()) return
  atomic.or<u32>(cpuBlock(index), bits, CPU_REQUEST)
  kick(index)
}

/**
 * NMI. A CPU has one in service and one pending behind it at most; where none is in service, two that come together are
 * both taken.
 */
export function requestNmi(index: u32): void {
  if (index >= cpuCount()) return
  const block = cpuBlock(index)
  while (true) {
    const old = atomic.load<u32>(block, CPU_REQUEST)
    const wanted = old | (old & REQUEST_NMI ? REQUEST_NMI_AGAIN : REQUEST_NMI)
    if (atomic.cmpxchg<u32>(block, old, wanted, CPU_REQUEST) == old) break
  }
  kick(index)
}

/** INIT: what a SIPI not yet carried out would start ends with it. */
export function requestInit(index: u32): void {
  if (index >= cpuCount()) return
  const block = cpuBlock(index)
  while (true) {
    const old = atomic.load<u32>(block, CPU_REQUEST)
    const wanted = (old & ~(REQUEST_SIPI | (0xff << SIPI_SHIFT))) | REQUEST_INIT
    if (atomic.cmpxchg<u32>(block, old, wanted, CPU_REQUEST) == old) break
  }
  kick(index)
}

/** Start-up IPI: execution begins at vector * 1000h when the CPU waits for one (SDM 3A 8.4.3). The first one stands. */
export function requestStartup(index: u32, vector: u32): void {
  if (index >= cpuCount()) return
  const block = cpuBlock(index)
  while (true) {
    const old = atomic.load<u32>(block, CPU_REQUEST)
    if (old & REQUEST_SIPI) break
    const wanted = old | REQUEST_SIPI | ((vector & 0xff) << SIPI_SHIFT)
    if (atomic.cmpxchg<u32>(block, old, wanted, CPU_REQUEST) == old) break
  }
  kick(index)
}

/** Asks for MAINTENANCE_*, which the guest never sees. */
export function maintenancePost(index: u32, bits: u32): void {
  atomic.or<u32>(cpuBlock(index), bits, CPU_MAINTENANCE)
  kick(index)
}

/** At a boundary of this CPU, CPU_ATTENTION being set: carries out all that was asked for. */
export function attend(): void {
  atomic.store<u32>(cpu, 0, CPU_ATTENTION)
  standStill()
  exclusiveYield()
  const work = atomic.xchg<u32>(cpu, 0, CPU_MAINTENANCE)
  if (work & MAINTENANCE_REBIND) tlbBind()
  if (work & MAINTENANCE_DROP_FAST) dropFast()
  if (work & MAINTENANCE_DROP_TRACES) traceDropAll()
  if (work & MAINTENANCE_CODE) codeWritesServe()
  if (work & MAINTENANCE_DROP_JUMPS) memory.fill(cpu + CPU_JUMPS, 0, JUMPS_COUNT * 16)
  const asked = atomic.xchg<u32>(cpu, 0, CPU_REQUEST)
  if (!asked) return
  // An INIT that came before the SIPI has taken nothing of it along, see requestInit().
  if (asked & REQUEST_INIT) cpuReset(RESET_CPU)
  if (asked & REQUEST_SIPI && load<u32>(cpu, CPU_ACTIVITY) == ACTIVITY_WAIT_SIPI)
    cpuStartup((asked >> SIPI_SHIFT) & 0xff)
  if (asked & REQUEST_INTERRUPT) lapicInbox()
  if (asked & REQUEST_NMI) nmiPend()
  if (asked & REQUEST_NMI_AGAIN) nmiPend()
  // There is no system management mode: REQUEST_SMI asks for nothing.
}

/** One NMI more is pending: a second one only while none is in service. */
function nmiPend(): void {
  const state = load<u32>(cpu, CPU_NMI)
  store<u32>(cpu, state | ((state & 3) == 1 ? 4 : 1), CPU_NMI)
}

/** Serves MAINTENANCE_DROP_FAST, also in the midst of an instruction: only the executor's shortcuts go. */
export function dropFast(): void {
  tlbDropFast()
  staleFetch()
  atomic.add<u32>(cpu, 1, CPU_DROP_SERIAL)
}
