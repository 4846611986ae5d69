// What the kernel itself counts of its memory, in the words of /proc/meminfo (fs/proc/meminfo.c, mm/vmstat.c of 6.1).
import type { KernelReader } from './kernel-reader'
import { nodes, zones } from './zones'

export interface Counter {
  /** As in /proc/meminfo. */
  name: string
  /** KiB, as printed there. */
  kib: number
  /** KiB that CPUs have yet to add (vm_stat_diff): each keeps small changes for a while. */
  pending: number
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
  const { reader } = linux
  const found: Counter[] = []
  const total = linux.variable('_totalram_pages')
  if (total !== undefined) found.push({ name: 'MemTotal', kib: Number(total) * 4, pending: 0 })
  const areas = {
    zone: reader.attempt('vm_zone_stat', () =>
      [...zones(linux)].flatMap((zone) =>
        differences(
          linux,
          zone,
          'struct zone',
          'per_cpu_zonestats',
          'struct per_cpu_zonestat',
          'vm_stat_diff',
        ),
      ),
    ),
    node: reader.attempt('vm_node_stat', () =>
      [...nodes(linux)].flatMap((node) =>
        differences(
          ...([linux, node, 'struct pglist_data', 'per_cpu_nodestats'] as const),
          ...(['struct per_cpu_nodestat', 'vm_node_stat_diff'] as const),
        ),
      ),
    ),
  }
  const add = (kind: 'zone' | 'node', name: string, item: string, unit: number) => {
    const at = linux.kernel.address(`vm_${kind}_stat`)
    const index = linux.enumerator(`enum ${kind}_stat_item`, item)
    if (at === undefined || index === undefined) return
    const value = linux.view.unsigned(at + BigInt(8 * index), 8)
    if (value === undefined) return
    let pending = 0
    for (const area of areas[kind] ?? [])
      pending += Number(BigInt.asIntN(8, linux.view.unsigned(area + BigInt(index), 1) ?? 0n))
    // Another CPU may not have added yet what this one has taken away.
    const kib = Math.max(0, Number(BigInt.asIntN(64, value))) * unit
    found.push({ name, kib, pending: pending * unit })
  }
  for (const [name, item] of ZONE) add('zone', name, item, 4)
  for (const [name, item, unit] of NODE) add('node', name, item, unit ?? 4)
  return found
}

/** Where each CPU keeps its changes: bytes, one for each counter. */
function differences(
  linux: KernelReader,
  of: bigint,
  type: string,
  area: string,
  areaType: string,
  field: string,
): bigint[] {
  if (!linux.field(type, area) || !linux.field(areaType, field)) return []
  const base = linux.big(of, type, area)
  return Array.from({ length: linux.cpus }, (_, cpu) =>
    linux.place(base + linux.perCpu(cpu), areaType, field),
  )
}
