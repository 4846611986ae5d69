// The path of each interrupt, put together from the events of the core (layout.ts, EVENT_CLASS_PATH): when a device's
// line rose, how it was routed, when a local APIC accepted it, when the CPU took it and when it ended. Pure functions over
// events; who reads the rings is another's business.
import * as L from '../core/layout'

/** An event of EVENT_CLASS_PATH as the ring has it. */
export interface PathEvent<Time = bigint> {
  /** EVENT_KIND_LINE .. EVENT_KIND_EOI */
  kind: number
  a: number
  b: bigint
  /** Machine time, ns. */
  time: Time
}

export type Route =
  | { by: 'pic'; irq: number }
  | { by: 'ioapic'; input: number; destination: number }
  /** A message of a device, past the I/O APIC. */
  | { by: 'msi' }
  /** From the local APIC of CPU `from`. */
  | { by: 'ipi'; from: number }
  /** Of the CPU's own local APIC. */
  | { by: 'local'; source: LocalSource }
  /** What sent it was not seen: events began later. */
  | { by: 'unseen' }

export type LocalSource = 'timer' | 'thermal' | 'performance' | 'LINT0' | 'LINT1' | 'error'
/** In the order of the local vector table's registers (SDM 3A 10.5.1). */
const LOCAL_SOURCES: LocalSource[] = ['timer', 'thermal', 'performance', 'LINT0', 'LINT1', 'error']

/** What goes past the IRR and has no end of interrupt (SDM 3A 10.6.1, delivery mode). */
export type Message = 'SMI' | 'NMI' | 'INIT' | 'start-up' | 'ExtINT'
const MESSAGES: readonly (Message | undefined)[] = [
  ...[undefined, undefined, 'SMI' as const, undefined],
  ...(['NMI', 'INIT', 'start-up', 'ExtINT'] as const),
]

/** One interrupt. Times in ns of machine time; undefined: not seen (yet). */
export interface InterruptFlow<Time = bigint> {
  /** Of a start-up IPI the page at which the CPU begins. */
  vector: number
  route: Route
  /** Not a fixed interrupt but one of these. */
  message?: Message
  /** No local APIC was meant by the destination. */
  nobody?: boolean
  /** IRQ 0-15, 16-19 PIRQA-PIRQD, 20-23 the I/O APIC's own inputs */
  line?: number
  level?: boolean
  raised?: Time
  routed?: Time
  /** Into the IRR of `cpu`. */
  accepted?: Time
  delivered?: Time
  ended?: Time
  cpu?: number
}

const IO_APIC_TIMER_INPUT = 2
/** Interrupts of a vector that are routed and not accepted: what a masked local APIC does not take is forgotten. */
const ROUTED_MAX = 32

/** Line behind an input of the I/O APIC; undefined for the 8259's. */
export function lineOf(input: number): number | undefined {
  if (input === 0) return undefined
  return input === IO_APIC_TIMER_INPUT ? 0 : input
}

/** A step of an interrupt that has just been seen. */
export type PathStep = 'routed' | 'accepted' | 'delivered' | 'ended'

/** Puts paths together event by event: these must come in order of time, at equal times in that of their kinds. */
export class InterruptPaths<Time = bigint> {
  /** When each line rose last. */
  readonly #risen = new Map<number, Time>()
  /** Routed and not yet accepted, by vector; accepted and not yet delivered, delivered and not ended, by CPU and vector. */
  readonly #routed = new Map<number, InterruptFlow<Time>[]>()
  readonly #accepted = new Map<number, InterruptFlow<Time>>()
  readonly #serviced = new Map<number, InterruptFlow<Time>>()

  /** @param seen of each step; `began`: nothing was known of this interrupt before */
  constructor(readonly seen: (flow: InterruptFlow<Time>, step: PathStep, began: boolean) => void) {}

  /** Accepted and not taken, or in service. */
  get open(): InterruptFlow<Time>[] {
    return [...this.#accepted.values(), ...this.#serviced.values()]
  }

  /** Some events are missing from here on: what was under way may have gone on unseen. */
  gap() {
    this.#routed.clear()
    this.#accepted.clear()
    this.#serviced.clear()
  }

  hear({ kind, a, b, time }: PathEvent<Time>) {
    const low = a & 0xff
    const cpu = (a >>> 8) & 0xff
    const flag = (a & 0x10000) !== 0
    if (kind === L.EVENT_KIND_LINE) {
      if (a & 0x100) this.#risen.set(low, time)
    } else if (kind === L.EVENT_KIND_ROUTE) this.#route(low, (a >>> 8) & 0xff, (a >>> 16) & 0xff, b, time)
    else if (kind === L.EVENT_KIND_ACCEPT) {
      // A vector that is in the IRR already takes another request in: one interrupt will come of both.
      const known = take(this.#routed.get(low), cpu)
      const flow = known ?? { vector: low, route: { by: 'unseen' } }
      flow.cpu = cpu
      flow.accepted = time
      flow.level = flag
      if (!this.#accepted.has(key(cpu, low))) this.#accepted.set(key(cpu, low), flow)
      this.seen(flow, 'accepted', known === undefined)
    } else if (kind === L.EVENT_KIND_DELIVER) {
      // What the 8259 gives goes past the IRR.
      const known = flag ? take(this.#routed.get(low), cpu) : this.#accepted.get(key(cpu, low))
      if (!flag) this.#accepted.delete(key(cpu, low))
      const flow = known ?? { vector: low, route: { by: 'unseen' } }
      flow.cpu = cpu
      flow.delivered = time
      this.#serviced.set(flag ? -1 - low : key(cpu, low), flow)
      this.seen(flow, 'delivered', known === undefined)
    } else if (kind === L.EVENT_KIND_EOI) {
      const at = flag ? -1 - low : key(cpu, low)
      const flow = this.#serviced.get(at)
      this.#serviced.delete(at)
      if (!flow) return
      flow.ended = time
      this.seen(flow, 'ended', false)
    }
  }

  #route(path: number, input: number, vector: number, b: bigint, time: Time) {
    const device = path === L.PATH_PIC || path === L.PATH_IOAPIC
    const line = path === L.PATH_PIC ? input : path === L.PATH_IOAPIC ? lineOf(input) : undefined
    const raised = line === undefined ? undefined : this.#risen.get(line)
    const target = Number(b & 0xffffffffn)
    const message = path === L.PATH_PIC ? undefined : MESSAGES[Number((b >> 40n) & 7n)]
    const flow: InterruptFlow<Time> = { vector, route: routeOf(path, input, target), routed: time }
    if (!device && target === L.PATH_NOBODY) flow.nobody = true
    else if (!device) flow.cpu = target
    if (line !== undefined) flow.line = line
    if (raised !== undefined) flow.raised = raised
    if (message) flow.message = message
    else if (!flow.nobody) {
      const waiting = this.#routed.get(vector)
      if (!waiting) this.#routed.set(vector, [flow])
      else {
        waiting.push(flow)
        if (waiting.length > ROUTED_MAX) waiting.shift()
      }
    }
    this.seen(flow, 'routed', true)
  }
}

const key = (cpu: number, vector: number) => cpu * 256 + vector

/**
 * Interrupts in the order they began.
 * @param events of one or several CPUs, in any order: they are sorted by time, and at equal times by the order a path has
 */
export function interruptFlows(events: readonly PathEvent[]): InterruptFlow[] {
  const flows: InterruptFlow[] = []
  const paths = new InterruptPaths((flow, _step, began) => {
    if (began) flows.push(flow)
  })
  for (const event of inOrder(events)) paths.hear(event)
  return flows
}

/** By time, at equal times by the order a path has. */
export function inOrder<Event extends PathEvent<bigint> | PathEvent<number>>(
  events: readonly Event[],
): Event[] {
  return events.toSorted((x, y) => compare(x.time, y.time) || x.kind - y.kind)
}

/** @param path PATH_* */
function routeOf(path: number, input: number, target: number): Route {
  switch (path) {
    case L.PATH_PIC:
      return { by: 'pic', irq: input }
    case L.PATH_IOAPIC:
      return { by: 'ioapic', input, destination: target }
    case L.PATH_IPI:
      return { by: 'ipi', from: input }
    case L.PATH_MSI:
      return { by: 'msi' }
    default:
      return { by: 'local', source: LOCAL_SOURCES[input] ?? 'timer' }
  }
}

/** Takes the first out of `waiting` that CPU `cpu` may have. */
function take<Time>(
  waiting: InterruptFlow<Time>[] | undefined,
  cpu: number,
): InterruptFlow<Time> | undefined {
  const at = waiting?.findIndex((flow) => flow.cpu === undefined || flow.cpu === cpu) ?? -1
  return at < 0 ? undefined : waiting?.splice(at, 1)[0]
}

function compare(x: bigint | number, y: bigint | number): number {
  return x < y ? -1 : x > y ? 1 : 0
}

/**
 * The events of EVENT_CLASS_PATH in the ring of one CPU, oldest first; at most EVENT_COUNT, those before are overwritten.
 * @param view of the machine's memory
 * @param block WebAssembly address of the vCPU's block
 */
export function pathEvents(view: DataView, block: number): PathEvent[] {
  const next = Number(view.getBigUint64(block + L.CPU_EVENTS_NEXT, true))
  const events: PathEvent[] = []
  for (let n = Math.max(0, next - L.EVENT_COUNT); n < next; n++) {
    const at = block + L.CPU_EVENTS + (n % L.EVENT_COUNT) * L.EVENT_SIZE
    const kind = view.getUint16(at + L.EVENT_KIND, true)
    if (kind < L.EVENT_KIND_LINE || kind > L.EVENT_KIND_EOI) continue
    events.push({
      kind,
      a: view.getUint32(at + L.EVENT_A, true),
      b: view.getBigUint64(at + L.EVENT_B, true),
      time: view.getBigUint64(at + L.EVENT_C, true),
    })
  }
  return events
}
