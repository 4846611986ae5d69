// What a kernel has said of its allocations by the debug port (docs/debug-port.md): what is allocated now, by whom and since
// when, what was freed twice, and how fast it goes.
import * as L from '../../core/layout'
import type { EventRecord } from './event-table'

const ALLOCATED = 1
const FREED = 2
const POOL = 3
/** Page frames; addresses of this pool are physical. */
export const POOL_FRAMES = 0n

/** Allocations that are remembered, live and freed ones. */
const LIVE_MAX = 1 << 20
const FREED_MAX = 1 << 16
/** Frames of one block: 4 GiB. */
const BLOCK_MAX = 1 << 20
const FAULTS_MAX = 200
const POOLS_MAX = 10_000

export interface Allocation {
  pool: bigint
  address: bigint
  bytes: number
  /** Return address of who asked, 0n: not said. */
  caller: bigint
  cpu: number
  /** Machine time, ns. */
  time: number
}

export interface DoubleFree {
  pool: bigint
  address: bigint
  /** The free that was one too many. */
  again: Allocation
  /** The one before it. */
  before: Allocation
}

export class AllocationLedger {
  readonly pools = new Map<bigint, string>()
  /** Events ever heard. */
  allocations = 0
  frees = 0
  /** Frees of what was allocated before anybody listened. */
  unknown = 0
  readonly doubleFrees: DoubleFree[] = []
  readonly #live = new Map<bigint, Map<bigint, Allocation>>()
  readonly #freed = new Map<bigint, Map<bigint, Allocation>>()
  /** The last thing said of each page frame: blocks may be given back in pieces, or in larger blocks. */
  readonly #frames = new Map<number, { what: 'allocated' | 'freed'; by: Allocation }>()
  #liveCount = 0
  #framesAllocated = 0

  hear(event: EventRecord) {
    if (event.kind !== L.EVENT_KIND_GUEST) return
    if (event.a === POOL && this.pools.size < POOLS_MAX) this.pools.set(event.d, event.name)
    if (event.a !== ALLOCATED && event.a !== FREED) return
    const one: Allocation = {
      pool: event.d,
      address: event.b,
      bytes: Number(event.c),
      caller: event.e,
      cpu: event.cpu,
      time: event.time,
    }
    if (event.a === ALLOCATED) this.#allocate(one)
    else this.#free(one)
  }

  #allocate(one: Allocation) {
    this.allocations++
    if (one.pool === POOL_FRAMES) return this.#eachFrame(one, 'allocated')
    const live = poolOf(this.#live, one.pool)
    if (!live.has(one.address)) {
      if (this.#liveCount >= LIVE_MAX) return
      this.#liveCount++
    }
    live.set(one.address, one)
    poolOf(this.#freed, one.pool).delete(one.address)
  }

  #eachFrame(by: Allocation, what: 'allocated' | 'freed'): void {
    const first = Number(by.address >> 12n)
    const frames = Math.min(BLOCK_MAX, Math.max(1, Math.ceil(by.bytes / 4096)))
    let twice: Allocation | undefined
    let known = false
    for (let frame = first; frame < first + frames; frame++) {
      const before = this.#frames.get(frame)
      if (before?.what !== what) this.#framesAllocated += what === 'allocated' ? 1 : before ? -1 : 0
      if (before) known = true
      else if (this.#frames.size >= LIVE_MAX) continue
      if (what === 'freed' && before?.what === 'freed') twice ??= before.by
      else this.#frames.set(frame, { what, by })
    }
    if (twice) this.#doubleFree(by, twice)
    else if (what === 'freed' && !known) this.unknown++
  }

  #doubleFree(again: Allocation, before: Allocation) {
    this.doubleFrees.push({ pool: again.pool, address: again.address, again, before })
    if (this.doubleFrees.length > FAULTS_MAX) this.doubleFrees.shift()
  }

  #free(one: Allocation) {
    this.frees++
    if (one.pool === POOL_FRAMES) return this.#eachFrame(one, 'freed')
    const live = poolOf(this.#live, one.pool)
    const freed = poolOf(this.#freed, one.pool)
    const known = live.get(one.address)
    if (known) {
      live.delete(one.address)
      this.#liveCount--
    } else {
      const before = freed.get(one.address)
      if (before) {
        this.#doubleFree(one, before)
        return
      }
      this.unknown++
    }
    freed.set(one.address, one)
    if (freed.size > FREED_MAX) freed.delete(freed.keys().next().value!)
  }

  /** Events are missing: what was freed may have been allocated again meanwhile. */
  gap() {
    this.#freed.clear()
    for (const [frame, { what }] of this.#frames) if (what === 'freed') this.#frames.delete(frame)
  }

  get live(): number {
    return this.#liveCount
  }

  /** Of a pool that is not that of the frames. */
  *allocated(pool: bigint): Generator<Allocation> {
    yield* poolOf(this.#live, pool).values()
  }

  /** Frames that are allocated, of those that were heard of. */
  get framesAllocated(): number {
    return this.#framesAllocated
  }

  /** The last thing said of a page frame. */
  frame(frame: number): { what: 'allocated' | 'freed'; by: Allocation } | undefined {
    return this.#frames.get(frame)
  }

  /** Every frame that was heard of. */
  frames(): IterableIterator<[number, { what: 'allocated' | 'freed'; by: Allocation }]> {
    return this.#frames.entries()
  }
}

function poolOf(pools: Map<bigint, Map<bigint, Allocation>>, pool: bigint): Map<bigint, Allocation> {
  let found = pools.get(pool)
  if (!found) pools.set(pool, (found = new Map()))
  return found
}
