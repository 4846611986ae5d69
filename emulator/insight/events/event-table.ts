// Events as columns: what the CPUs and devices have written into their rings, in one order, indexed by time and class. Memory is
// bounded: the oldest fall out, and it is known how many.
import * as L from '../../core/layout'

/** Events that are kept: 14 MiB. */
export const CAPACITY = 1 << 18
const BLOCK = 512
/** Bytes of text that names may take: 64 times as many names as anybody looks at. */
const NAMES_MAX = 1 << 16

/** The classes of the core that go through the rings, by what people call them. */
export const CLASSES = [
  { bit: L.EVENT_CLASS_EXCEPTION, name: 'exceptions' },
  { bit: L.EVENT_CLASS_INTERRUPT, name: 'interrupts' },
  { bit: L.EVENT_CLASS_PATH, name: 'interrupt paths' },
  { bit: L.EVENT_CLASS_MODE, name: 'modes' },
  { bit: L.EVENT_CLASS_BIOS, name: 'BIOS calls' },
  { bit: L.EVENT_CLASS_DISK, name: 'disk' },
  { bit: L.EVENT_CLASS_PORT, name: 'ports' },
  { bit: L.EVENT_CLASS_GUEST, name: 'kernel' },
  { bit: L.EVENT_CLASS_PROBE, name: 'probes' },
] as const
export const ALL_CLASSES = CLASSES.reduce((all, { bit }) => all | bit, 0)

const CLASS_OF = new Map<number, number>([
  [L.EVENT_KIND_EXCEPTION, L.EVENT_CLASS_EXCEPTION],
  [L.EVENT_KIND_INTERRUPT, L.EVENT_CLASS_INTERRUPT],
  [L.EVENT_KIND_MODE, L.EVENT_CLASS_MODE],
  [L.EVENT_KIND_BIOS, L.EVENT_CLASS_BIOS],
  [L.EVENT_KIND_DISK, L.EVENT_CLASS_DISK],
  [L.EVENT_KIND_PORT, L.EVENT_CLASS_PORT],
  [L.EVENT_KIND_GUEST, L.EVENT_CLASS_GUEST],
  [L.EVENT_KIND_PROBE, L.EVENT_CLASS_PROBE],
  ...[16, 17, 18, 19, 20].map((kind): [number, number] => [kind, L.EVENT_CLASS_PATH]),
])
/** Of an EVENT_KIND_*; 0 for one that is not known. */
export const classOf = (kind: number): number => CLASS_OF.get(kind) ?? 0

/**
 * One event. What a, b and c mean: EVENT_KIND_* in layout.ts; d and e of a GUEST are RSI and RDI, of a PROBE the return address
 * (of a use the instruction) and the machine time of the call.
 */
export interface EventRecord {
  /** Machine time, ns; between two looks interpolated by what the CPU has retired. */
  time: number
  /** Retired by its CPU. */
  retired: number
  kind: number
  cpu: number
  a: number
  b: bigint
  c: bigint
  d: bigint
  e: bigint
  name: string
  /** Of a PROBE: return addresses behind the caller's, as the chain of frame pointers has them. */
  stack?: bigint[]
  /** Of a stack that was only looked at for return addresses: how many words behind the caller's each lies. */
  places?: number[]
}

export interface EventFilter {
  /** EVENT_CLASS_* */
  classes: number
  /** undefined: every CPU's. */
  cpu?: number
  /** Machine time, ns. */
  from?: number
  to?: number
}

export class EventTable {
  readonly time: Float64Array
  readonly retired: Float64Array
  readonly kind: Uint16Array
  readonly cpu: Uint8Array
  readonly a: Uint32Array
  readonly b: BigUint64Array
  readonly c: BigUint64Array
  readonly d: BigUint64Array
  readonly e: BigUint64Array
  /** By sequence number. */
  readonly #names = new Map<number, string>()
  readonly #stacks = new Map<number, bigint[]>()
  /** Classes that occur in each block of events. */
  readonly #blocks: Uint32Array
  /** Sequence number of the oldest event that is kept, and of the next one to come. */
  first = 0
  next = 0
  /** Overwritten in a ring before anybody looked. */
  lost = 0
  /** How many of each class there ever were. */
  readonly counts = new Map<number, number>()

  /** @param capacity a multiple of 512 */
  constructor(readonly capacity = CAPACITY) {
    this.time = new Float64Array(capacity)
    this.retired = new Float64Array(capacity)
    this.kind = new Uint16Array(capacity)
    this.cpu = new Uint8Array(capacity)
    this.a = new Uint32Array(capacity)
    this.b = new BigUint64Array(capacity)
    this.c = new BigUint64Array(capacity)
    this.d = new BigUint64Array(capacity)
    this.e = new BigUint64Array(capacity)
    this.#blocks = new Uint32Array(capacity / BLOCK)
  }

  append(event: EventRecord) {
    const sequence = this.next++
    const i = sequence % this.capacity
    if (sequence - this.first >= this.capacity) {
      this.#names.delete(this.first)
      this.#stacks.delete(this.first)
      this.first++
    }
    // In one order: no event is before the one before it.
    const before = sequence > 0 ? this.time[(sequence - 1) % this.capacity]! : 0
    this.time[i] = Math.max(before, event.time)
    this.retired[i] = event.retired
    this.kind[i] = event.kind
    this.cpu[i] = event.cpu
    this.a[i] = event.a
    this.b[i] = event.b
    this.c[i] = event.c
    this.d[i] = event.d
    this.e[i] = event.e
    if (event.name !== '') {
      this.#names.set(sequence, event.name)
      if (this.#names.size > NAMES_MAX) this.#names.delete(this.#names.keys().next().value!)
    }
    if (event.stack && event.stack.length > 0) {
      this.#stacks.set(sequence, event.stack)
      if (this.#stacks.size > NAMES_MAX) this.#stacks.delete(this.#stacks.keys().next().value!)
    }
    const group = classOf(event.kind)
    const block = Math.floor(i / BLOCK)
    this.#blocks[block] = i % BLOCK === 0 ? group : this.#blocks[block]! | group
    this.counts.set(group, (this.counts.get(group) ?? 0) + 1)
  }

  /** @param sequence of an event that is kept */
  at(sequence: number): EventRecord {
    const i = sequence % this.capacity
    const stack = this.#stacks.get(sequence)
    return {
      ...(stack ? { stack } : {}),
      ...{
        time: this.time[i]!,
        retired: this.retired[i]!,
        kind: this.kind[i]!,
        cpu: this.cpu[i]!,
        a: this.a[i]!,
      },
      ...{
        b: this.b[i]!,
        c: this.c[i]!,
        d: this.d[i]!,
        e: this.e[i]!,
        name: this.#names.get(sequence) ?? '',
      },
    }
  }

  /** First event that is not before a time (ns): its sequence number, or `next`. */
  after(time: number): number {
    let low = this.first
    let high = this.next
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.time[middle % this.capacity]! < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Sequence numbers of the events that a filter lets through, oldest first. */
  select({ classes, cpu, from, to }: EventFilter): number[] {
    const found: number[] = []
    const start = from === undefined ? this.first : this.after(from)
    const end = to === undefined ? this.next : this.after(to + 1)
    for (let sequence = start; sequence < end; sequence++) {
      const i = sequence % this.capacity
      if ((this.#blocks[Math.floor(i / BLOCK)]! & classes) === 0) {
        // Nothing of it in this block, as far as the block reaches.
        sequence += Math.min(BLOCK - (i % BLOCK), end - sequence) - 1
        continue
      }
      if ((classOf(this.kind[i]!) & classes) === 0) continue
      if (cpu !== undefined && this.cpu[i] !== cpu) continue
      found.push(sequence)
    }
    return found
  }

  /** Whether a filter lets through an event that is kept. */
  passes(sequence: number, { classes, cpu, from, to }: EventFilter): boolean {
    const i = sequence % this.capacity
    if ((classOf(this.kind[i]!) & classes) === 0) return false
    if (cpu !== undefined && this.cpu[i] !== cpu) return false
    const time = this.time[i]!
    return (from === undefined || time >= from) && (to === undefined || time < to + 1)
  }

  clear() {
    this.first = this.next
    this.#names.clear()
    this.#stacks.clear()
    this.#blocks.fill(0)
  }
}

/** The events of a table that a filter lets through, kept up to date: only what is new is looked at. */
export class EventSelection {
  #found: number[]
  /** Of `#found`, those that have fallen out of the table. */
  #gone = 0
  #seen: number

  constructor(
    readonly table: EventTable,
    readonly filter: EventFilter,
  ) {
    this.#found = table.select(filter)
    this.#seen = table.next
  }

  /** Takes what has come since. */
  update() {
    const { table, filter } = this
    for (let sequence = Math.max(this.#seen, table.first); sequence < table.next; sequence++)
      if (table.passes(sequence, filter)) this.#found.push(sequence)
    this.#seen = table.next
    while (this.#gone < this.#found.length && this.#found[this.#gone]! < table.first) this.#gone++
    // Copied seldom: when half of it is gone.
    if (this.#gone > 4096 && this.#gone * 2 > this.#found.length) {
      this.#found = this.#found.slice(this.#gone)
      this.#gone = 0
    }
  }

  get count(): number {
    return this.#found.length - this.#gone
  }

  /** Sequence numbers, oldest first. */
  slice(from: number, to: number): number[] {
    return this.#found.slice(this.#gone + from, this.#gone + to)
  }
}
