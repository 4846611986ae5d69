// What is known of a kernel's allocations, event by event: what it says itself by the debug port (docs/debug-port.md), or what the
// probes of a lens see. What is allocated now, by whom and since when, what was freed twice or used while it was free.
import * as L from '../../core/layout'
import type { LensProbe } from '../lenses/probes'
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
/** From a function's entry to that of another one that it leaves the work to. ns */
const WITHIN = 2000
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
  /** Instructions that its CPU had retired. */
  retired: number
  /** When the function was entered, ns. */
  began?: number
  /** Behind the caller, the innermost first, unchecked: the chain of frame pointers, where a probe followed it. */
  stack?: bigint[]
}

/** A CPU has accessed a page frame that was free. */
export interface UseAfterFree {
  frame: number
  /** Guest-physical. */
  address: number
  linear: bigint
  write: boolean
  /** The instruction. */
  code: bigint
  cpu: number
  /** Machine time, ns. */
  time: number
  retired: number
  stack?: bigint[]
  /** The free before it, where it was heard of. */
  freed?: Allocation
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
  /** Allocations that failed, as the probes see. */
  failed = 0
  readonly doubleFrees: DoubleFree[] = []
  readonly usesAfterFree: UseAfterFree[] = []
  readonly #live = new Map<bigint, Map<bigint, Allocation>>()
  readonly #freed = new Map<bigint, Map<bigint, Allocation>>()
  /** The last thing said of each page frame: blocks may be given back in pieces, or in larger blocks. */
  readonly #frames = new Map<number, { what: 'allocated' | 'freed'; by: Allocation }>()
  /** Pools of which not all functions are probed. */
  readonly #partial = new Set<bigint>()
  #liveCount = 0
  #framesAllocated = 0
  /** Frames that were given out and taken back, ever. */
  framesTaken = 0
  framesGiven = 0
  /** Frames of which something was heard since somebody asked. */
  #changed = new Set<number>()

  /** @param probes that events of EVENT_KIND_PROBE name by their index; without them those are not for this ledger */
  constructor(readonly probes?: readonly LensProbe[]) {
    for (const { pool, poolName, whole } of probes ?? []) {
      this.pools.set(pool, poolName)
      if (!whole) this.#partial.add(pool)
    }
  }

  hear(event: EventRecord) {
    this.#last = event.time
    if (this.probes) return this.#hearProbe(event, this.probes)
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
      retired: event.retired,
    }
    if (event.a === ALLOCATED) this.#allocate(one)
    else this.#free(one)
  }

  #hearProbe(event: EventRecord, probes: readonly LensProbe[]) {
    if (event.kind !== L.EVENT_KIND_PROBE) return
    const what = (event.a >>> 16) & 0xff
    const { cpu, time, retired } = event
    const stack = event.stack && event.stack.length > 0 ? { stack: event.stack } : {}
    if (what === L.PROBE_USE_READ || what === L.PROBE_USE_WRITE) {
      const address = Number(event.b)
      const frame = Math.floor(address / 4096)
      const before = this.#frames.get(frame)
      this.usesAfterFree.push({
        ...{
          frame,
          address,
          linear: event.c,
          write: what === L.PROBE_USE_WRITE,
          code: event.d,
          cpu,
          time,
          retired,
        },
        ...stack,
        ...(before?.what === 'freed' ? { freed: before.by } : {}),
      })
      if (this.usesAfterFree.length > FAULTS_MAX) this.usesAfterFree.shift()
      return
    }
    const probe = probes[event.a & 0xffff]
    if (!probe) return
    if (what === L.PROBE_FAILED) {
      this.failed++
      return
    }
    const one: Allocation = {
      ...{ pool: probe.pool, address: event.b, bytes: Number(event.c), caller: event.d, cpu, time, retired },
      began: Number(event.e),
      ...stack,
    }
    if (what === L.PROBE_ALLOCATED) this.#allocate(one)
    else if (what === L.PROBE_FREED) this.#free(one)
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
      // A function that leaves the work to another one, both probed: one allocation.
      const within = what === 'allocated' && before?.what === what && before.by.time >= (by.began ?? Infinity)
      if (what === 'allocated' && !within) this.framesTaken++
      if (before?.what !== what) this.#framesAllocated += what === 'allocated' ? 1 : before ? -1 : 0
      if (before) known = true
      else if (this.#frames.size >= LIVE_MAX) continue
      if (what === 'freed' && before?.what === 'freed') twice ??= before.by
      else {
        if (what === 'freed') this.framesGiven++
        if (what === 'freed' && by.time <= this.gapTime) this.#frames.delete(frame)
        else this.#frames.set(frame, { what, by })
        this.#changed.add(frame)
      }
    }
    if (twice) this.#doubleFree(by, twice)
    else if (what === 'freed' && !known) this.unknown++
  }

  #doubleFree(again: Allocation, before: Allocation) {
    // It may have been given out by a function that nobody probes.
    if (this.#partial.has(again.pool)) return
    // A function that frees by another one, both probed: the outer one has been told.
    const last = this.doubleFrees.at(-1)
    const within = last && last.again.cpu === again.cpu && again.time - last.again.time < WITHIN
    if (this.probes && within && last.address === again.address && last.pool !== again.pool) return
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
    if (one.time <= this.gapTime) return
    freed.set(one.address, one)
    if (freed.size > FREED_MAX) freed.delete(freed.keys().next().value!)
  }

  /** Machine time, ns, up to which events are missing: of what was allocated before nobody knows whether it still is. */
  gapTime = -1
  #last = 0

  /**
   * Events are missing: what was freed may have been allocated again meanwhile.
   * @param until machine time, ns, of the last event that may have had a missing one before it; the last that was heard
   */
  gap(until = this.#last) {
    this.gapTime = Math.max(this.gapTime, until)
    this.#freed.clear()
    for (const [frame, { what }] of this.#frames) if (what === 'freed') this.#frames.delete(frame)
  }

  /** Not every function of the pool is probed: what was given out may have been taken back unheard, and the reverse. */
  isPartial(pool: bigint): boolean {
    return this.#partial.has(pool)
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

  /** Frames of which something was heard since this was asked last. */
  takeChanged(): Set<number> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
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
