// The path of each interrupt, put together from the events of the core (layout.ts, EVENT_CLASS_PATH): when a device's
// line rose, how it was routed, when a local APIC accepted it, when the CPU took it and when it ended. Pure functions over
// events; who reads the rings is another's business.
import * as L from '../core/layout'

/** An event of EVENT_CLASS_PATH as the ring has it. */
export interface PathEvent {
  /** EVENT_KIND_LINE .. EVENT_KIND_EOI */
  kind: number
  a: number
  b: bigint
  /** Machine time, ns. */
  time: bigint
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

/** One interrupt. Times in ns of machine time; undefined: not seen (yet). */
export interface InterruptFlow {
  vector: number
  route: Route
  /** IRQ 0-15, 16-19 PIRQA-PIRQD, 20-23 the I/O APIC's own inputs */
  line?: number
  level?: boolean
  raised?: bigint
  routed?: bigint
  /** Into the IRR of `cpu`. */
  accepted?: bigint
  delivered?: bigint
  ended?: bigint
  cpu?: number
}

const IO_APIC_TIMER_INPUT = 2

/** Line behind an input of the I/O APIC; undefined for the 8259's. */
function lineOf(input: number): number | undefined {
  if (input === 0) return undefined
  return input === IO_APIC_TIMER_INPUT ? 0 : input
}

/**
 * Interrupts in the order they began.
 * @param events of one or several CPUs, in any order: they are sorted by time, and at equal times by the order a path has
 */
export function interruptFlows(events: readonly PathEvent[]): InterruptFlow[] {
  const flows: InterruptFlow[] = []
  /** When each line rose last. */
  const risen = new Map<number, bigint>()
  /** Routed and not yet accepted, by vector; accepted and not yet delivered, delivered and not ended, by CPU and vector. */
  const routed = new Map<number, InterruptFlow[]>()
  const accepted = new Map<number, InterruptFlow>()
  const serviced = new Map<number, InterruptFlow>()
  const key = (cpu: number, vector: number) => cpu * 256 + vector
  const begin = (flow: InterruptFlow) => {
    flows.push(flow)
    return flow
  }

  const sorted = events
    .map((event, order) => ({ event, order }))
    .sort((x, y) => compare(x.event.time, y.event.time) || x.event.kind - y.event.kind || x.order - y.order)
  for (const { event } of sorted) {
    const { kind, a, b, time } = event
    const low = a & 0xff
    const cpu = (a >>> 8) & 0xff
    const flag = (a & 0x10000) !== 0
    if (kind === L.EVENT_KIND_LINE) {
      if (a & 0x100) risen.set(low, time)
    } else if (kind === L.EVENT_KIND_ROUTE) {
      const vector = (a >>> 16) & 0xff
      const input = (a >>> 8) & 0xff
      const line = low === L.PATH_PIC ? input : low === L.PATH_IOAPIC ? lineOf(input) : undefined
      const raised = line === undefined ? undefined : risen.get(line)
      const target = Number(b & 0xffffffffn)
      const flow = begin({ vector, route: routeOf(low, input, target), routed: time })
      if (low !== L.PATH_PIC && low !== L.PATH_IOAPIC) flow.cpu = target
      if (line !== undefined) flow.line = line
      if (raised !== undefined) flow.raised = raised
      routed.set(vector, [...(routed.get(vector) ?? []), flow])
    } else if (kind === L.EVENT_KIND_ACCEPT) {
      // A vector that is in the IRR already takes another request in: one interrupt will come of both.
      const flow = take(routed.get(low), cpu) ?? begin({ vector: low, route: { by: 'unseen' } })
      flow.cpu = cpu
      flow.accepted = time
      flow.level = flag
      if (!accepted.has(key(cpu, low))) accepted.set(key(cpu, low), flow)
    } else if (kind === L.EVENT_KIND_DELIVER) {
      // What the 8259 gives goes past the IRR.
      const flow = flag ? take(routed.get(low), cpu) : accepted.get(key(cpu, low))
      if (!flag) accepted.delete(key(cpu, low))
      const taken = flow ?? begin({ vector: low, route: { by: 'unseen' } })
      taken.cpu = cpu
      taken.delivered = time
      serviced.set(flag ? -1 - low : key(cpu, low), taken)
    } else if (kind === L.EVENT_KIND_EOI) {
      const at = flag ? -1 - low : key(cpu, low)
      const flow = serviced.get(at)
      if (flow) flow.ended = time
      serviced.delete(at)
    }
  }
  return flows
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
function take(waiting: InterruptFlow[] | undefined, cpu: number): InterruptFlow | undefined {
  const at = waiting?.findIndex((flow) => flow.cpu === undefined || flow.cpu === cpu) ?? -1
  return at < 0 ? undefined : waiting?.splice(at, 1)[0]
}

function compare(x: bigint, y: bigint): number {
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
