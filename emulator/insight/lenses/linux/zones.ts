// Zones of all nodes: the buddy allocator's free areas, and what CPUs keep of free pages (mm/page_alloc.c of 6.1).
import type { AllocatorReading } from '../reading'
import type { KernelReader } from './kernel-reader'
import { FREE, HELD, type Pages } from './pages'

const ORDERS = 11
const NODES_MAX = 64
const ZONES_MAX = 8
/** Lists of the orders 0 to PAGE_ALLOC_COSTLY_ORDER; behind them those of transparent huge pages. */
const COSTLY_ORDER = 3
const HUGE_ORDER = 9

/** Addresses of the nodes' struct pglist_data. */
export function* nodes(linux: KernelReader): Generator<bigint> {
  const data = linux.kernel.address('node_data')
  for (let node = 0; data !== undefined && node < NODES_MAX; node++) {
    const at = linux.view.unsigned(data + BigInt(8 * node), 8)
    if (!at) return
    yield at
  }
}

export function* zones(linux: KernelReader): Generator<bigint> {
  const size = linux.sizeOf('struct zone')
  for (const node of nodes(linux)) {
    const first = linux.place(node, 'struct pglist_data', 'node_zones')
    const count = linux.number(node, 'struct pglist_data', 'nr_zones')
    for (let i = 0; i < Math.min(count, ZONES_MAX); i++) yield first + BigInt(i * size)
  }
}

/** Free areas by order: walked, and as nr_free counts them. Marks the frames. */
export function readZones(linux: KernelReader, pages: Pages): AllocatorReading {
  const blocks = new Array<number>(ORDERS).fill(0)
  const claimedBlocks = new Array<number>(ORDERS).fill(0)
  let held = 0
  linux.reader.attempt('node_data', () => {
    for (const zone of zones(linux)) {
      linux.reader.attempt('struct zone', () => readZone(linux, pages, zone, blocks, claimedBlocks))
      held += linux.reader.attempt('struct per_cpu_pages', () => readHeld(linux, pages, zone)) ?? 0
    }
  })
  const frames = (counts: number[]) => counts.reduce((sum, each, order) => sum + each * 2 ** order, 0)
  return {
    ...{ kind: 'zones', name: 'zones', disagreements: 0, held, blocks, claimedBlocks },
    ...{ free: frames(blocks), claimed: frames(claimedBlocks) },
  }
}

function readZone(linux: KernelReader, pages: Pages, zone: bigint, blocks: number[], claimed: number[]) {
  const types = linux.enumerator('enum migratetype', 'MIGRATE_TYPES') ?? 1
  const areas = linux.place(zone, 'struct zone', 'free_area')
  const size = linux.sizeOf('struct free_area')
  const lists = linux.need('struct free_area', 'free_list').offset
  for (let order = 0; order < ORDERS; order++) {
    const area = areas + BigInt(order * size)
    claimed[order]! += linux.number(area, 'struct free_area', 'nr_free')
    for (let type = 0; type < types; type++)
      for (const page of linux.list(area + BigInt(lists + 16 * type), 'struct page', 'lru'))
        if (pages.mark(pages.frameOf(page), order, FREE)) blocks[order]!++
  }
}

/** Pages that CPUs keep to give them out without the zone's lock. @returns frames */
function readHeld(linux: KernelReader, pages: Pages, zone: bigint): number {
  const field = linux.field('struct per_cpu_pages', 'lists')
  if (!linux.field('struct zone', 'per_cpu_pageset') || !field) return 0
  const types = linux.enumerator('enum migratetype', 'MIGRATE_PCPTYPES') ?? 3
  const sets = linux.big(zone, 'struct zone', 'per_cpu_pageset')
  const link = linux.field('struct page', 'pcp_list') ? 'pcp_list' : 'lru'
  let held = 0
  for (let cpu = 0; cpu < linux.cpus; cpu++) {
    const set = BigInt.asUintN(64, sets + linux.perCpu(cpu))
    for (let list = 0; list < field.size / 16; list++) {
      const row = Math.floor(list / types)
      const order = row > COSTLY_ORDER ? HUGE_ORDER : row
      for (const page of linux.list(set + BigInt(field.offset + 16 * list), 'struct page', link))
        if (pages.mark(pages.frameOf(page), order, HELD)) held += 2 ** order
    }
  }
  return held
}
