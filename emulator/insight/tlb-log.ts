// The log of what happened to translations (layout: TLB_LOG, EVENT_CLASS_TLB) as records.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'

export interface TlbRecord {
  /** Its place in the one order of all CPUs, from 0. */
  number: number
  kind: number
  cpu: number
  flags: number
  /** Retired by that CPU. */
  retired: bigint
  /** Machine time, ns. */
  time: bigint
  rip: bigint
  a: bigint
  b: bigint
  c: bigint
  d: bigint
}

/** A moment in the life of a CPU. */
export interface Moment {
  cpu: number
  rip: bigint
  retired: bigint
  time: bigint
}

/**
 * What the log holds, oldest first, from record number `since` on.
 * @returns the records, how many of those asked for have been overwritten already, and the number of the next one to come
 */
export function readTlbLog(
  memory: MachineMemory,
  since = 0,
): { records: TlbRecord[]; lost: number; end: number } {
  const { view } = memory
  const end = Number(view.getBigUint64(L.TLB_LOG, true))
  const first = Math.max(since, end - L.TLB_LOG_COUNT)
  const records: TlbRecord[] = []
  for (let number = first; number < end; number++) {
    const at = L.TLB_LOG_RECORDS + (number % L.TLB_LOG_COUNT) * L.TLB_LOG_SIZE
    const long = (offset: number) => view.getBigUint64(at + offset, true)
    records.push({
      number,
      kind: view.getUint16(at + L.TLB_LOG_KIND, true),
      cpu: view.getUint16(at + L.TLB_LOG_CPU, true),
      flags: view.getUint32(at + L.TLB_LOG_FLAGS, true),
      retired: long(L.TLB_LOG_RETIRED),
      time: long(L.TLB_LOG_TIME),
      rip: long(L.TLB_LOG_RIP),
      a: long(L.TLB_LOG_A),
      b: long(L.TLB_LOG_A + 8),
      c: long(L.TLB_LOG_A + 16),
      d: long(L.TLB_LOG_A + 24),
    })
  }
  return { records, lost: Math.max(0, Math.min(first, end) - since), end }
}

export const momentOf = ({ cpu, rip, retired, time }: TlbRecord): Moment => ({ cpu, rip, retired, time })
