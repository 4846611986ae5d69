// What the kernel itself counts of its memory, in the words of /proc/meminfo (fs/proc/meminfo.c of 6.1).
import type { KernelReader } from './kernel-reader'

export interface Counter {
  /** As in /proc/meminfo. */
  name: string
  /** KiB, as printed there: without what CPUs have yet to add (vm_stat_diff). */
  kib: number
}

const ZONE: [name: string, item: string][] = [['MemFree', 'NR_FREE_PAGES']]
const NODE: [name: string, item: string, kib?: number][] = [
  ['AnonPages', 'NR_ANON_MAPPED'],
  ['Mapped', 'NR_FILE_MAPPED'],
  ['Shmem', 'NR_SHMEM'],
  ['SReclaimable', 'NR_SLAB_RECLAIMABLE_B'],
  ['SUnreclaim', 'NR_SLAB_UNRECLAIMABLE_B'],
  ['KernelStack', 'NR_KERNEL_STACK_KB', 1],
  ['PageTables', 'NR_PAGETABLE'],
]

export function readCounters(linux: KernelReader): Counter[] {
  const found: Counter[] = []
  const total = linux.variable('_totalram_pages')
  if (total !== undefined) found.push({ name: 'MemTotal', kib: Number(total) * 4 })
  const add = (table: string, kind: string, name: string, item: string, kib: number) => {
    const at = linux.kernel.address(table)
    const index = linux.enumerator(`enum ${kind}`, item)
    const value =
      at === undefined || index === undefined ? undefined : linux.view.unsigned(at + BigInt(8 * index), 8)
    // Another CPU may not have added yet what this one has taken away.
    if (value !== undefined) found.push({ name, kib: Math.max(0, Number(BigInt.asIntN(64, value))) * kib })
  }
  for (const [name, item] of ZONE) add('vm_zone_stat', 'zone_stat_item', name, item, 4)
  for (const [name, item, kib] of NODE) add('vm_node_stat', 'node_stat_item', name, item, kib ?? 4)
  return found
}
