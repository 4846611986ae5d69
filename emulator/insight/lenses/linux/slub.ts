// SLUB caches (mm/slub.c, mm/slab.h, include/linux/slub_def.h of 6.1): slabs in the hands of CPUs, on lists of nodes, and full ones,
// which are on no list and are found by their struct page.
import type { Slab, SlabCache } from '../reading'
import { followFree, type SlabShape } from './freelist'
import type { KernelReader } from './kernel-reader'
import { type Pages, SLAB } from './pages'

const CACHES_MAX = 4096
const NODES_MAX = 64
/** A CPU keeps fewer partial slabs than this. */
const PARTIAL_MAX = 4096
const OBJECTS_MAX = 0x7fff
/** How long the machine stands still for one go at the caches, about: a cache is not left in its middle. */
const HOLD_MS = 2

/** Makes the machine stand still while something is read. */
export type Hold = <T>(read: () => T) => T

/** A slab that a CPU has to itself. */
interface Held {
  slab: bigint
  /** First of the free objects that only this CPU gives out; 0: none. */
  freelist: bigint
  cpu: number
  /** It is the one that the CPU gives out from. */
  active: boolean
}

export class Slub {
  /** Numbers of the caches that were read, by address, from 1. */
  readonly #index = new Map<bigint, number>()

  constructor(
    readonly linux: KernelReader,
    readonly pages: Pages,
  ) {}

  /** Addresses of all caches' struct kmem_cache, as /proc/slabinfo has them. */
  *caches(): Generator<bigint> {
    const head = this.linux.kernel.address('slab_caches')
    if (head === undefined) return
    let count = 0
    for (const cache of this.linux.list(head, 'struct kmem_cache', 'list')) {
      if (++count > CACHES_MAX) return
      yield cache
    }
  }

  /**
   * All of them, in order, some at a time.
   * @param hold makes the machine stand still for what is read in one go
   */
  *steps(hold: Hold): Generator<void, SlabCache[]> {
    const { reader } = this.linux
    const found: SlabCache[] = []
    this.#index.clear()
    const all = hold(() => reader.attempt('slab_caches', () => [...this.caches()]) ?? [])
    for (let next = 0; next < all.length; ) {
      hold(() => {
        const end = performance.now() + HOLD_MS
        do {
          const cache = all[next++]!
          const read = reader.attempt('slab_caches', () =>
            this.#isThere(cache) ? this.cache(cache) : undefined,
          )
          if (read) this.#index.set(cache, found.push(read))
        } while (next < all.length && performance.now() < end)
      })
      yield
    }
    return found
  }

  /** It has not been destroyed since the list was read: the one before it in the list leads to it. */
  #isThere(cache: bigint): boolean {
    const { linux } = this
    const link = linux.place(cache, 'struct kmem_cache', 'list')
    const before = linux.view.unsigned(link + 8n, 8)
    return before !== undefined && linux.view.unsigned(before, 8) === link
  }

  /**
   * Objects in use are those in no chain of free ones. /proc/slabinfo counts as in use also what CPUs hold: `inUse` and `held`
   * together.
   */
  cache(cache: bigint): SlabCache {
    const { linux } = this
    const oo = linux.number(cache, 'struct kmem_cache', 'oo.x')
    const made: SlabCache = {
      name: linux.text(linux.big(cache, 'struct kmem_cache', 'name'), 64),
      size: linux.number(cache, 'struct kmem_cache', 'size'),
      ...{ perSlab: oo & 0xffff, order: oo >>> 16 },
      ...{ slabs: 0, objects: 0, inUse: 0, held: 0 },
    }
    let free = 0
    for (const node of this.#nodes(cache)) {
      made.slabs += linux.number(node, 'struct kmem_cache_node', 'nr_slabs.counter')
      made.objects += linux.number(node, 'struct kmem_cache_node', 'total_objects.counter')
      const partial = linux.place(node, 'struct kmem_cache_node', 'partial')
      for (const slab of linux.list(partial, 'struct slab', 'slab_list')) free += this.#freeOf(slab)
    }
    let held = 0
    for (const { slab, freelist, active } of this.#held(cache)) {
      held += this.#freeOf(slab)
      if (!active || freelist === 0n) continue
      const shape = this.#shape(cache, slab)
      held += followFree(linux.view, shape, freelist, new Uint8Array(Math.ceil(shape.count / 8))).count
    }
    made.inUse = made.objects - free - held
    made.held = held
    return made
  }

  /** Slabs of a cache with their objects, at most `most`. */
  slabs(cache: bigint, most: number): Slab[] {
    const { linux, pages } = this
    const { use, count } = pages.frames
    const field = linux.field('struct slab', 'slab_cache')
    if (!field) return []
    const held = new Map<bigint, Held>()
    linux.reader.attempt('struct kmem_cache_cpu', () => {
      for (const each of this.#held(cache)) held.set(each.slab, each)
    })
    const found: Slab[] = []
    for (let frame = 0; frame < count && found.length < most; frame++) {
      if (use[frame] !== SLAB || pages.behind[frame] !== 0) continue
      const slab = pages.pageOf(frame)
      if (linux.view.unsigned(slab + BigInt(field.offset), 8) !== cache) continue
      const read = linux.reader.attempt('struct slab', () => this.#slab(cache, slab, frame, held.get(slab)))
      if (read) found.push(read)
    }
    return found
  }

  /** The slab of a frame, when it is in one. */
  slabOf(frame: number): { cache: bigint; slab: Slab } | undefined {
    const { linux, pages } = this
    const first = frame - (pages.behind[frame] ?? 0)
    if (pages.frames.use[first] !== SLAB) return undefined
    const at = pages.pageOf(first)
    return linux.reader.attempt('struct slab', () => {
      const cache = linux.big(at, 'struct slab', 'slab_cache')
      const held = [...this.#held(cache)].find(({ slab }) => slab === at)
      return { cache, slab: this.#slab(cache, at, first, held) }
    })
  }

  #slab(cache: bigint, slab: bigint, frame: number, held: Held | undefined): Slab {
    const { linux } = this
    const shape = this.#shape(cache, slab)
    const free = new Uint8Array(Math.ceil(shape.count / 8))
    let count = 0
    for (const first of [linux.big(slab, 'struct slab', 'freelist'), held?.active ? held.freelist : 0n]) {
      const { count: more, problem } = followFree(linux.view, shape, first, free)
      count += more
      if (problem !== undefined)
        linux.reader.trouble(linux.text(linux.big(cache, 'struct kmem_cache', 'name'), 64), problem)
    }
    const where = held
      ? `CPU ${held.cpu}${held.active ? '' : ', set aside'}`
      : count === 0
        ? 'full'
        : count === shape.count
          ? 'empty'
          : 'partial'
    const inUse = shape.count - count
    return { objects: shape.objects, size: shape.size, frame, count: shape.count, inUse, free, where }
  }

  #shape(cache: bigint, slab: bigint): SlabShape {
    const { linux, pages } = this
    const frame = pages.frameOf(slab)
    const pad = linux.field('struct kmem_cache', 'red_left_pad')
    // Between objects and red zones: an object's address is behind the left one (restore_red_left).
    const red = pad && this.#redZoned(cache) ? linux.big(cache, 'struct kmem_cache', 'red_left_pad') : 0n
    const random = linux.field('struct kmem_cache', 'random')
    return {
      objects: pages.addressOf(frame) + red,
      size: Math.max(1, linux.number(cache, 'struct kmem_cache', 'size')),
      count: Math.min(OBJECTS_MAX, linux.number(slab, 'struct slab', 'objects')),
      link: linux.number(cache, 'struct kmem_cache', 'offset'),
      random: random && linux.big(cache, 'struct kmem_cache', 'random'),
    }
  }

  /** SLAB_RED_ZONE (include/linux/slab.h). */
  #redZoned(cache: bigint): boolean {
    return (this.linux.big(cache, 'struct kmem_cache', 'flags') & 0x400n) !== 0n
  }

  /** Free objects in the slab's own chain, as it counts them. */
  #freeOf(slab: bigint): number {
    const { linux } = this
    return linux.number(slab, 'struct slab', 'objects') - linux.number(slab, 'struct slab', 'inuse')
  }

  *#nodes(cache: bigint): Generator<bigint> {
    const first = this.linux.place(cache, 'struct kmem_cache', 'node')
    const count = Math.min(NODES_MAX, this.linux.need('struct kmem_cache', 'node').size / 8)
    for (let node = 0; node < count; node++) {
      const at = this.linux.word(first + BigInt(8 * node))
      if (at === 0n) return
      yield at
    }
  }

  /** Slabs that CPUs have to themselves: the one they give out from, and those set aside. */
  *#held(cache: bigint): Generator<Held> {
    const { linux } = this
    const area = linux.big(cache, 'struct kmem_cache', 'cpu_slab')
    const aside = linux.field('struct kmem_cache_cpu', 'partial')
    for (let cpu = 0; cpu < linux.cpus; cpu++) {
      const at = BigInt.asUintN(64, area + linux.perCpu(cpu))
      const slab = linux.big(at, 'struct kmem_cache_cpu', 'slab')
      const freelist = linux.big(at, 'struct kmem_cache_cpu', 'freelist')
      if (slab !== 0n) yield { slab, freelist, cpu, active: true }
      let next = aside ? linux.big(at, 'struct kmem_cache_cpu', 'partial') : 0n
      for (let i = 0; next !== 0n && i < PARTIAL_MAX; i++) {
        yield { slab: next, freelist: 0n, cpu, active: false }
        next = linux.big(next, 'struct slab', 'next')
      }
    }
  }

  /** The cache of each frame of a slab: the first one's struct slab names it. */
  frames() {
    this.linux.reader.attempt('struct slab', () => this.#frames())
  }

  #frames() {
    const { linux, pages } = this
    const { use, cache, count } = pages.frames
    const { offset } = linux.need('struct slab', 'slab_cache')
    for (let frame = 0; frame < count; frame++) {
      if (use[frame] !== SLAB) continue
      if (pages.behind[frame] !== 0) {
        cache[frame] = cache[frame - pages.behind[frame]!]!
        continue
      }
      const at = linux.view.unsigned(pages.pageOf(frame) + BigInt(offset), 8)
      const which = at === undefined ? undefined : this.#index.get(at)
      if (which !== undefined) cache[frame] = which
    }
  }
}
