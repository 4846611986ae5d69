// Linux 6.1 and its like: zones and their buddy lists, struct page, SLUB caches and tasks, by the kernel's own BTF and kallsyms.
import type { MachineMemory } from '../../../machine/memory'
import { type Scope, type Value, memberOf, numberOf, placeOf, elementOf } from '../evaluate'
import { type GuestView, viewOfKernel } from '../guest-view'
import type { Kernel } from '../kernel'
import { Reader } from '../reader'
import {
  type AllocatorReading,
  emptyColumns,
  type FrameColumns,
  type LensReading,
  type SlabCache,
  type TaskReading,
} from '../reading'
import { Btf, BtfError } from './btf'
import { Kallsyms } from './kallsyms'

const ORDERS = 11
const NODES_MAX = 64
const BTF_MAX = 64 << 20
const CACHES_MAX = 4096
/** As the panel calls them; `FREE` and so on are their places. */
const USES = [
  { name: 'unknown', kind: 'unknown' },
  { name: 'reserved', kind: 'reserved' },
  { name: 'free', kind: 'free' },
  { name: 'slab', kind: 'used' },
  { name: 'page table', kind: 'used' },
  { name: 'anonymous', kind: 'used' },
  { name: 'file', kind: 'used' },
  { name: 'kernel', kind: 'used' },
] as const satisfies FrameColumns['uses']
const [, RESERVED, FREE, SLAB, TABLE, ANONYMOUS, FILE, KERNEL] = USES.keys()
/** include/linux/page-flags.h: page types have bits cleared in what is else the count of mappings. */
const PAGE_TYPE_BASE = 0xf000_0000
const PG_BUDDY = 0x80
const PG_TABLE = 0x200

export interface LinuxKernel extends Kernel {
  readonly btf: Btf
  readonly kallsyms: Kallsyms
}

/** @returns undefined when no Linux kernel with kallsyms and BTF runs; takes as long as going through the guest's RAM once */
export function findLinux(memory: MachineMemory): LinuxKernel | undefined {
  const view = viewOfKernel(memory)
  if (view.unpaged) return undefined
  const kallsyms = Kallsyms.find(memory)
  const start = kallsyms?.address('__start_BTF')
  const stop = kallsyms?.address('__stop_BTF')
  if (!kallsyms || start === undefined || stop === undefined || stop <= start || stop - start > BTF_MAX)
    return undefined
  try {
    const btf = new Btf(view.bytes(start, Number(stop - start)))
    return linuxKernel(btf, kallsyms)
  } catch (error) {
    if (error instanceof BtfError) return undefined
    throw error
  }
}

/** BTF says nothing about variables: those that are read here. */
const VARIABLES: Record<string, string> = {
  ...{
    vmemmap_base: 'long unsigned int',
    page_offset_base: 'long unsigned int',
    slab_caches: 'struct list_head',
  },
  init_task: 'struct task_struct',
}

function linuxKernel(btf: Btf, kallsyms: Kallsyms): LinuxKernel {
  return {
    ...{ btf, kallsyms, types: btf },
    address: (name) => kallsyms.address(name),
    typeOf: (name) => btf.named(VARIABLES[name] ?? ''),
    typeNamed: (name) => btf.named(name),
    label: (address) => kallsyms.label(address),
  }
}

type Place = Value & { at: bigint }

class LinuxReader {
  readonly reader: Reader
  readonly scope: Scope
  readonly frames: FrameColumns
  /** Where struct page 0 is, and the bytes of one. */
  readonly #vmemmap: bigint
  readonly #pageSize: number

  constructor(
    readonly memory: MachineMemory,
    readonly kernel: LinuxKernel,
    readonly view: GuestView,
  ) {
    this.reader = new Reader(view, kernel)
    this.scope = this.reader.scope()
    this.frames = { ...emptyColumns(memory.frameCount), uses: [...USES] }
    this.#vmemmap = this.reader.big('vmemmap_base') ?? 0n
    this.#pageSize = kernel.btf.sizeOf(kernel.btf.named('struct page')) ?? 64
  }

  struct(type: string, at: bigint): Place {
    return { shape: { base: this.kernel.btf.named(type), pointers: 0 }, at }
  }
  get(of: Value, ...path: (string | number)[]): Value {
    return path.reduce<Value>(
      (value, step) =>
        typeof step === 'number'
          ? elementOf(value, BigInt(step), this.scope)
          : memberOf(value, step, this.scope),
      of,
    )
  }
  big(of: Value, ...path: (string | number)[]): bigint {
    return numberOf(this.get(of, ...path), this.scope)
  }
  number(of: Value, ...path: (string | number)[]): number {
    return Number(this.big(of, ...path))
  }
  frameOf(page: bigint): number {
    return Number((page - this.#vmemmap) / BigInt(this.#pageSize))
  }

  /** What each struct page says. */
  pages() {
    const { btf } = this.kernel
    const page = btf.named('struct page')
    const offsetOf = (name: string) => btf.member(page, name)?.offset
    const flagsAt = offsetOf('flags') ?? 0
    const mappingAt = offsetOf('mapping')
    const typeAt = offsetOf('page_type')
    const bits = btf.bare(btf.named('enum pageflags'))
    const bit = (name: string) =>
      bits?.kind === 'enum' ? Number(bits.values.find((each) => each.name === name)?.value ?? -1) : -1
    if (mappingAt === undefined || typeAt === undefined || bits?.kind !== 'enum')
      return this.reader.trouble('struct page', 'BTF does not describe it as expected')
    const { count, use } = this.frames
    const column = (offset: number) => {
      const values = new Uint32Array(count)
      // All ones stands for what is not mapped: holes of the physical memory have no struct page.
      const lost = this.view.column(this.#vmemmap, this.#pageSize, offset, 4, values, 0xffff_ffff)
      return { values, lost }
    }
    const flags = column(flagsAt)
    if (flags.lost === count) return this.reader.trouble('vmemmap_base', 'no struct page is mapped')
    const mapping = column(mappingAt).values
    const types = column(typeAt).values
    const [slab, reserved] = [bit('PG_slab'), bit('PG_reserved')]
    for (let frame = 0; frame < count; frame++) {
      const flag = flags.values[frame]!
      const type = types[frame]!
      const typed = (type & PAGE_TYPE_BASE) >>> 0 === PAGE_TYPE_BASE && type !== 0xffff_ffff
      if (flag === 0xffff_ffff) continue
      if (typed && (type & PG_BUDDY) === 0) use[frame] = FREE!
      else if ((flag >>> slab) & 1) use[frame] = SLAB!
      else if ((flag >>> reserved) & 1) use[frame] = RESERVED!
      else if (typed && (type & PG_TABLE) === 0) use[frame] = TABLE!
      else if (mapping[frame]! & 1) use[frame] = ANONYMOUS!
      else if (mapping[frame]! !== 0) use[frame] = FILE!
      else use[frame] = KERNEL!
    }
  }

  /** Zones of all nodes: free areas by order, walked, and as nr_free counts them. */
  zones(): AllocatorReading {
    const reading: AllocatorReading = { kind: 'zones', name: 'zones', free: undefined, disagreements: 0 }
    const data = this.kernel.address('node_data')
    if (data === undefined) return reading
    const blocks = new Array<number>(ORDERS).fill(0)
    const claimed = new Array<number>(ORDERS).fill(0)
    for (let node = 0; node < NODES_MAX; node++) {
      const at = this.view.unsigned(data + BigInt(8 * node), 8)
      if (!at) break
      this.reader.attempt('node_data', () => {
        const zones = this.get(this.struct('struct pglist_data', at), 'node_zones')
        const count = this.number(this.struct('struct pglist_data', at), 'nr_zones')
        for (let i = 0; i < Math.min(count, 8); i++)
          this.#zone(elementOf(zones, BigInt(i), this.scope), blocks, claimed)
      })
    }
    reading.blocks = blocks
    reading.claimedBlocks = claimed
    reading.free = blocks.reduce((sum, each, order) => sum + each * 2 ** order, 0)
    reading.claimed = claimed.reduce((sum, each, order) => sum + each * 2 ** order, 0)
    return reading
  }

  #zone(zone: Value, blocks: number[], claimed: number[]) {
    const types = this.kernel.btf.bare(this.kernel.btf.named('enum migratetype'))
    const lists =
      types?.kind === 'enum'
        ? Number(types.values.find(({ name }) => name === 'MIGRATE_TYPES')?.value ?? 1)
        : 1
    for (let order = 0; order < ORDERS; order++) {
      const area = this.get(zone, 'free_area', order)
      claimed[order]! += this.number(area, 'nr_free')
      for (let type = 0; type < lists; type++) {
        const head = this.get(area, 'free_list', type)
        for (const page of this.reader.walk({ list: '&@', type: 'struct page', link: 'lru' }, head)) {
          const frame = this.frameOf(page.at)
          if (frame < 0 || frame + 2 ** order > this.frames.count) continue
          blocks[order]!++
          this.frames.use.fill(FREE!, frame, frame + 2 ** order)
          this.frames.order.fill(order, frame, frame + 2 ** order)
        }
      }
    }
  }

  /** As /proc/slabinfo counts: objects in slabs, less the free ones of the nodes' partial lists. */
  caches(): SlabCache[] {
    const found: SlabCache[] = []
    const index = new Map<bigint, number>()
    const head = this.reader.value('slab_caches')
    if (!head) return found
    for (const cache of this.reader.walk({ list: '&@', type: 'struct kmem_cache', link: 'list' }, head)) {
      if (found.length >= CACHES_MAX) break
      const read = this.reader.attempt('slab_caches', () => this.cache(cache))
      if (read) index.set(cache.at, found.push(read))
    }
    this.#slabFrames(index)
    return found
  }

  cache(cache: Value): SlabCache {
    const oo = this.number(cache, 'oo', 'x')
    const made: SlabCache = {
      ...{
        name: this.#text(cache),
        size: this.number(cache, 'size'),
        perSlab: oo & 0xffff,
        order: oo >>> 16,
        slabs: 0,
        objects: 0,
        inUse: 0,
      },
    }
    let free = 0
    for (let node = 0; node < NODES_MAX; node++) {
      const at = this.big(cache, 'node', node)
      if (at === 0n) break
      const of = this.struct('struct kmem_cache_node', at)
      made.slabs += this.number(of, 'nr_slabs', 'counter')
      made.objects += this.number(of, 'total_objects', 'counter')
      for (const slab of this.reader.walk(
        { list: '&@', type: 'struct slab', link: 'slab_list' },
        this.get(of, 'partial'),
      ))
        free += this.number(slab, 'objects') - this.number(slab, 'inuse')
    }
    made.inUse = made.objects - free
    return made
  }

  #text(cache: Value): string {
    const at = placeOf(this.get(cache, 'name'), this.scope)
    const bytes = this.view.bytes(at, 64)
    const end = bytes.indexOf(0)
    return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end)).replace(
      /[^\x20-\x7e]/g,
      '?',
    )
  }

  /** The cache of each frame of a slab: the first one's struct slab names it. */
  #slabFrames(index: Map<bigint, number>) {
    const { btf } = this.kernel
    const offset = btf.member(btf.named('struct slab'), 'slab_cache')?.offset
    if (offset === undefined) return
    const { use, cache, count } = this.frames
    for (let frame = 0; frame < count; frame++) {
      if (use[frame] !== SLAB) continue
      const at = this.view.unsigned(this.#vmemmap + BigInt(frame * this.#pageSize + offset), 8)
      const which = at === undefined ? undefined : index.get(at)
      if (which !== undefined) cache[frame] = which
      // Frames behind the first of a compound page are the same slab's.
      else if (frame > 0 && use[frame - 1] === SLAB) cache[frame] = cache[frame - 1]!
    }
  }

  /** All processes, by the list of tasks that begins with init_task. */
  tasks(): TaskReading[] {
    const found: TaskReading[] = []
    const head = this.reader.value('init_task.tasks')
    if (!head) return found
    for (const task of this.reader.walk({ list: '&@', type: 'struct task_struct', link: 'tasks' }, head)) {
      if (found.length >= 4000) break
      this.reader.attempt('init_task.tasks', () => {
        const comm = this.get(task, 'comm')
        const bytes = 'at' in comm ? this.view.bytes(comm.at, 16) : new Uint8Array(0)
        const name = String.fromCharCode(...bytes)
          .split('\0')[0]!
          .replace(/[^\x20-\x7e]/g, '?')
        const one: TaskReading = { id: this.number(task, 'pid'), name, state: '' }
        const mm = this.big(task, 'mm')
        const pgd =
          mm === 0n ? undefined : this.view.physical(this.big(this.struct('struct mm_struct', mm), 'pgd'))
        if (pgd !== undefined) one.addressSpace = pgd
        found.push(one)
      })
    }
    return found
  }
}

/** Never throws for what is in the guest's memory: what could not be read is in `troubles`. */
export function readLinux(memory: MachineMemory, kernel: LinuxKernel): LensReading {
  const linux = new LinuxReader(memory, kernel, viewOfKernel(memory))
  linux.pages()
  // struct page says of the first frame of a free block only that it is free.
  const zones = linux.zones()
  const caches = linux.caches()
  const tasks = linux.tasks()
  const { frames, reader } = linux
  return {
    kernel: 'Linux',
    frames,
    allocators: [zones],
    caches,
    tasks,
    current: [],
    troubles: reader.troubles,
  }
}

/** One cache by the address of its struct kmem_cache, as /proc/slabinfo shows it. */
export function readLinuxCache(memory: MachineMemory, kernel: LinuxKernel, at: bigint): SlabCache {
  const linux = new LinuxReader(memory, kernel, viewOfKernel(memory))
  return linux.cache(linux.struct('struct kmem_cache', at))
}
