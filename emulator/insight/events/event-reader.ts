// Takes events out of the rings of all CPUs as they come and puts them into a table, in one order.
import * as L from '../../core/layout'
import type { MachineMemory } from '../../machine/memory'
import type { EventRecord, EventTable } from './event-table'

const NAME_PIECE = 20
const NAME_MAX = 63
/** Kinds of debug-port events from this one on have a name (docs/debug-port.md). */
const NAMED = 3
/** What belongs to the event before it. */
const PARTS = new Set([
  ...[L.EVENT_KIND_GUEST_MORE, L.EVENT_KIND_GUEST_NAME],
  ...[L.EVENT_KIND_PROBE_MORE, L.EVENT_KIND_PROBE_STACK],
])

/** What is known of where a CPU was: how many instructions it had retired at a machine time, ns. */
interface Anchor {
  retired: number
  time: number
}

/** Events of one CPU, in its order, and which of their times are known: the others are estimates. */
interface Taken {
  events: EventRecord[]
  known: boolean[]
}

/** An event of the debug port or of a probe whose parts have not all been seen. */
interface Unfinished {
  event: EventRecord
  pieces: number
  bytes: number[]
}

export class EventReader {
  /** Events of each CPU's ring that have been taken. */
  readonly #taken: number[]
  /** By CPU, what it had retired and the time at the last look. */
  readonly #anchors: Anchor[]
  #waiting: EventRecord[] = []
  readonly #unfinished = new Map<number, Unfinished>()
  readonly #bytes = new Uint8Array(L.EVENT_COUNT * L.EVENT_SIZE)
  readonly #view = new DataView(this.#bytes.buffer)
  /**
   * Machine time, ns, up to which events that are taken may have had others between them that were lost: with several CPUs
   * what one ring has lost lies among what the others still have.
   */
  lossUntil = -1
  /** Says which words of a stack are return addresses, where there is no chain of frame pointers. */
  unwind: ((caller: bigint, candidates: readonly bigint[], places: readonly number[]) => bigint[]) | undefined

  /** From now on: what the rings hold already is not taken. */
  constructor(
    readonly memory: MachineMemory,
    readonly table: EventTable,
  ) {
    const cpus = Array.from({ length: memory.cpuCount }, (_, cpu) => cpu)
    this.#taken = cpus.map((cpu) => this.#written(cpu))
    this.#anchors = cpus.map((cpu) => this.#anchor(cpu))
  }

  #written(cpu: number): number {
    return Number(Atomics.load(this.memory.u64, (this.memory.cpuBlock(cpu) + L.CPU_EVENTS_NEXT) / 8))
  }

  #anchor(cpu: number): Anchor {
    const retired = Number(this.memory.cpu64(cpu, L.CPU_RETIRED))
    return { retired, time: Number(this.memory.header64(L.HDR_CLOCK_NOW)) }
  }

  /**
   * Takes what has come since. The rings are read one after the other: what is newer than the beginning of this look waits for the
   * next one, because another CPU's ring may have something older.
   * @param all nothing waits: the machine rests
   * @returns what has been added to the table, in its order
   */
  take(all = false): EventRecord[] {
    const now = Number(this.memory.header64(L.HDR_CLOCK_NOW))
    const several = this.memory.cpuCount > 1
    const events = this.#waiting
    for (let cpu = 0; cpu < this.memory.cpuCount; cpu++) {
      const taken: Taken = { events: [], known: [] }
      const before = this.#anchors[cpu]!
      this.#takeFrom(cpu, taken)
      placeEstimates(taken, before, this.#anchors[cpu]!)
      for (const event of taken.events) events.push(event)
    }
    if (several) events.sort((a, b) => a.time - b.time)
    let ready = events.length
    if (several && !all) while (ready > 0 && events[ready - 1]!.time > now) ready--
    this.#waiting = events.slice(ready)
    events.length = ready
    for (const event of events) this.table.append(event)
    return events
  }

  #takeFrom(cpu: number, into: Taken) {
    const ring = this.memory.cpuBlock(cpu) + L.CPU_EVENTS
    const last = this.#taken[cpu]!
    const end = this.#written(cpu)
    if (end < last) {
      // Another power-on.
      this.#taken[cpu] = end
      this.#unfinished.delete(cpu)
      return
    }
    const anchor = this.#anchors[cpu]!
    const now = this.#anchor(cpu)
    this.#anchors[cpu] = now
    if (end === last) return
    let first = Math.max(last, end - L.EVENT_COUNT)
    // A copy first: the guest goes on writing.
    const { u8 } = this.memory
    const slot = (n: number) => (n % L.EVENT_COUNT) * L.EVENT_SIZE
    const from = slot(first)
    const to = slot(end)
    if (from < to) this.#bytes.set(u8.subarray(ring + from, ring + to), from)
    else {
      this.#bytes.set(u8.subarray(ring + from, ring + L.EVENT_COUNT * L.EVENT_SIZE), from)
      this.#bytes.set(u8.subarray(ring, ring + to), 0)
    }
    // What was overwritten meanwhile is not to be believed.
    first = Math.max(first, Math.min(end, this.#written(cpu) - L.EVENT_COUNT + 1))
    this.table.lost += first - last
    if (first > last) this.#unfinished.delete(cpu)
    this.#taken[cpu] = end
    const span = Math.max(1, now.retired - anchor.retired)
    const slope = Math.max(0, now.time - anchor.time) / span
    for (let n = first; n < end; n++) this.#one(cpu, slot(n), anchor, slope, into)
    if (first > last) this.lossUntil = Math.max(this.lossUntil, now.time, into.events.at(-1)?.time ?? -1)
  }

  #one(cpu: number, at: number, anchor: Anchor, slope: number, into: Taken) {
    const view = this.#view
    const kind = view.getUint16(at + L.EVENT_KIND, true)
    const a = view.getUint32(at + L.EVENT_A, true)
    const b = view.getBigUint64(at + L.EVENT_B, true)
    const c = view.getBigUint64(at + L.EVENT_C, true)
    const open = this.#unfinished.get(cpu)
    if (PARTS.has(kind)) {
      if (open) this.#part(cpu, open, kind, a, b, c, into)
      return
    }
    this.#unfinished.delete(cpu)
    const retired = Number(view.getBigUint64(at + L.EVENT_RETIRED, true))
    const exact = kind >= L.EVENT_KIND_LINE && kind <= L.EVENT_KIND_EOI
    const time = exact ? Number(c) : anchor.time + Math.max(0, retired - anchor.retired) * slope
    const event: EventRecord = {
      time,
      retired,
      kind,
      cpu: view.getUint16(at + L.EVENT_CPU, true),
      a,
      b,
      c,
      d: 0n,
      e: 0n,
      name: '',
    }
    if (kind === L.EVENT_KIND_PROBE) {
      event.stack = []
      this.#unfinished.set(cpu, { event, pieces: a >>> 24, bytes: [] })
      return
    }
    if (kind !== L.EVENT_KIND_GUEST) {
      into.events.push(event)
      into.known.push(exact)
      return
    }
    const length = a >= NAMED ? Math.min(NAME_MAX, Number(c)) : 0
    this.#unfinished.set(cpu, { event, pieces: Math.ceil(length / NAME_PIECE), bytes: [] })
  }

  /** The other operands, then the name in pieces. */
  #part(cpu: number, open: Unfinished, kind: number, a: number, b: bigint, c: bigint, into: Taken) {
    const { event } = open
    if (kind === L.EVENT_KIND_PROBE_STACK) {
      open.pieces--
      for (const [i, back] of [b, c].entries()) {
        if (back === 0n) continue
        event.stack?.push(back)
        const place = (a >>> (16 * i)) & 0xffff
        if (place > 0) (event.places ??= []).push(place - 1)
      }
    } else if (kind !== L.EVENT_KIND_GUEST_NAME) {
      event.d = b
      event.e = c
      event.time = nearest(event.time, a)
    } else {
      open.pieces--
      const words = new DataView(new ArrayBuffer(NAME_PIECE))
      words.setUint32(0, a, true)
      words.setBigUint64(4, b, true)
      words.setBigUint64(12, c, true)
      open.bytes.push(...new Uint8Array(words.buffer))
    }
    if (open.pieces > 0) return
    if (event.stack && event.places && this.unwind)
      event.stack = this.unwind(event.d, event.stack, event.places)
    if (open.bytes.length > 0) {
      const length = Math.min(NAME_MAX, Number(event.c))
      const text = new TextDecoder().decode(Uint8Array.from(open.bytes.slice(0, length)))
      event.name = text.replace(/\p{Cc}/gu, '?')
    }
    into.events.push(event)
    into.known.push(true)
    this.#unfinished.delete(cpu)
  }
}

/**
 * Puts the times that are estimates between those that are known around them, by what the CPU has retired: a CPU that sleeps lets
 * much time pass within few instructions, so that an estimate over a whole look lies anywhere.
 */
function placeEstimates({ events, known }: Taken, before: Anchor, after: Anchor) {
  let from = before
  let next = 0
  for (const [i, event] of events.entries()) {
    if (known[i]) {
      from = event
      continue
    }
    while (next < events.length && (next <= i || !known[next])) next++
    const to: Anchor = events[next] ?? after
    const part = (event.retired - from.retired) / Math.max(1, to.retired - from.retired)
    event.time = from.time + Math.max(0, to.time - from.time) * Math.min(1, Math.max(0, part))
  }
}

/** The time with these low 32 bits that is nearest to an estimate; both ns. */
function nearest(estimate: number, low: number): number {
  const span = 2 ** 32
  const base = Math.floor(estimate / span) * span + low
  if (base - estimate > span / 2) return base - span
  return estimate - base > span / 2 ? base + span : base
}
