// What the paths of interrupts add up to: which way how many have gone and how long they waited and were handled, the last ones, the
// slowest, and those that wait or have not been ended. Bounded, however many there are.
import * as L from '../core/layout'
import type { EventRecord } from './events/event-table'
import { inOrder, type InterruptFlow, InterruptPaths, type Message, type Route } from './interrupt-flow'

/** An interrupt; times in ns of machine time. */
export type Interrupt = InterruptFlow<number> & {
  /** Counts what has been seen. */
  number: number
}

/** A way that interrupts take: from what, through what, with which vector, to which CPU. */
export interface InterruptWay {
  /** Names it while somebody looks. */
  id: number
  route: Route
  line?: number
  message?: Message
  nobody?: boolean
  vector: number
  /** Absent: none has been accepted. */
  cpu?: number
  count: number
  /** A second of machine time, of late. */
  rate: number
  /** From the first that is known of it until a CPU took it: middle and longest, ns. */
  wait: number
  waitMost: number
  /** From there to the end of interrupt, ns; 0: none has been ended. */
  service: number
  serviceMost: number
  ended: number
}

export interface InterruptSummary {
  /** Machine time, ns, since when and until when. */
  since: number
  now: number
  count: number
  ways: InterruptWay[]
  latest: Interrupt[]
  /** Those that waited longest, and those that were handled longest. */
  waits: Interrupt[]
  services: Interrupt[]
  /** Accepted and not taken, or not ended; the oldest first. */
  open: Interrupt[]
}

const SHOWN = 60
/** The last ones of each way: a rare interrupt is not lost among frequent ones. */
const KEPT_OF_WAY = 16
const SLOW = 40
const OPEN_MAX = 64
/** A guest can name every vector on every CPU. */
const WAYS_MAX = 600
/** ns of machine time that a rate is about. */
const RATE_SPAN = 5e8

const BY = ['unseen', 'pic', 'ioapic', 'msi', 'ipi', 'local'] as const
const SOURCES = ['timer', 'thermal', 'performance', 'LINT0', 'LINT1', 'error'] as const
const MESSAGES = ['SMI', 'NMI', 'INIT', 'start-up', 'ExtINT'] as const

/** When it began, as far as it was seen. */
export const beganAt = ({ raised, routed, accepted, delivered }: InterruptFlow<number>): number =>
  // A level that stays up is one rise for many interrupts: its own is what was routed.
  Math.max(raised ?? 0, 0) > 0 && routed !== undefined && routed - raised! < 1e6
    ? raised!
    : (routed ?? accepted ?? delivered ?? 0)

interface Sums {
  way: InterruptWay
  waits: number
  services: number
  last: Interrupt[]
  /** Count at the beginning of the span that the rate is about. */
  counted: number
}

export class InterruptLedger {
  readonly #paths = new InterruptPaths<number>((flow, step) => this.#step(flow as Interrupt, step))
  #ways = new Map<number, Sums>()
  /** The last ones, a ring. */
  #last: Interrupt[] = []
  #waits: Interrupt[] = []
  #services: Interrupt[] = []
  #count = 0
  #since: number | undefined
  #rated = 0
  #now = 0

  /** @param events those of EVENT_CLASS_PATH count; in order of time */
  hear(events: readonly EventRecord[]) {
    const paths = events.filter(({ kind }) => kind >= L.EVENT_KIND_LINE && kind <= L.EVENT_KIND_EOI)
    if (paths.length === 0) return
    this.#since ??= paths[0]!.time
    for (const event of inOrder(paths)) this.#paths.hear(event)
    this.#now = paths.at(-1)!.time
  }

  /** Events were lost. */
  gap() {
    this.#paths.gap()
  }

  #step(flow: Interrupt, step: string) {
    const ends = flow.message !== undefined || flow.nobody
    if (step === 'delivered' || (step === 'routed' && ends)) this.#took(flow)
    else if (step === 'ended') this.#ended(flow)
  }

  #took(flow: Interrupt) {
    flow.number = this.#count++
    const sums = this.#sums(flow)
    this.#last[flow.number % SHOWN] = flow
    if (!sums) return
    sums.last[sums.way.count % KEPT_OF_WAY] = flow
    sums.way.count++
    if (flow.delivered === undefined) return
    const wait = flow.delivered - beganAt(flow)
    sums.waits += wait
    sums.way.wait = sums.waits / sums.way.count
    sums.way.waitMost = Math.max(sums.way.waitMost, wait)
    keepSlow(this.#waits, flow, waitOf)
  }

  #ended(flow: Interrupt) {
    const service = serviceOf(flow)
    const sums = this.#sums(flow)
    keepSlow(this.#services, flow, serviceOf)
    if (!sums) return
    sums.way.ended++
    sums.services += service
    sums.way.service = sums.services / sums.way.ended
    sums.way.serviceMost = Math.max(sums.way.serviceMost, service)
  }

  #sums(flow: Interrupt): Sums | undefined {
    const id = wayOf(flow)
    const known = this.#ways.get(id)
    if (known || this.#ways.size >= WAYS_MAX) return known
    const { route, line, message, nobody, vector, cpu } = flow
    const way: InterruptWay = {
      ...{ id, route, vector, count: 0, rate: 0, wait: 0, waitMost: 0, service: 0, serviceMost: 0, ended: 0 },
      ...(line === undefined ? {} : { line }),
      ...(message === undefined ? {} : { message }),
      ...(nobody === undefined ? {} : { nobody }),
      ...(cpu === undefined ? {} : { cpu }),
    }
    const sums = { way, waits: 0, services: 0, counted: 0, last: [] }
    this.#ways.set(id, sums)
    return sums
  }

  /**
   * @param now machine time, ns
   * @param chosen ways of which the last ones are told; empty: of all
   */
  summary(now: number, chosen: ReadonlySet<number> = new Set()): InterruptSummary {
    this.#now = Math.max(this.#now, now)
    this.#since ??= now
    const span = this.#now - this.#rated
    if (span >= RATE_SPAN) {
      // At first the span begins with what was seen first.
      const since = Math.max(this.#rated, this.#since)
      for (const sums of this.#ways.values()) {
        sums.way.rate = ((sums.way.count - sums.counted) * 1e9) / Math.max(1, this.#now - since)
        sums.counted = sums.way.count
      }
      this.#rated = this.#now
    }
    const among =
      chosen.size === 0
        ? this.#last
        : [...this.#ways].flatMap(([id, { last }]) => (chosen.has(id) ? last : []))
    const latest = among.toSorted((x, y) => y.number - x.number).slice(0, SHOWN)
    return {
      ...{ since: this.#since, now: this.#now, count: this.#count, latest },
      ways: [...this.#ways.values()].map(({ way }) => ({ ...way })),
      waits: [...this.#waits],
      services: [...this.#services],
      open: this.#paths.open
        .map((flow) => flow as Interrupt)
        .toSorted((x, y) => (x.delivered ?? x.accepted ?? 0) - (y.delivered ?? y.accepted ?? 0))
        .slice(0, OPEN_MAX),
    }
  }
}

const waitOf = (flow: Interrupt) => (flow.delivered ?? 0) - beganAt(flow)
const serviceOf = (flow: Interrupt) => (flow.ended ?? 0) - (flow.delivered ?? 0)

/** Keeps a list of the slowest, the slowest first. */
function keepSlow(list: Interrupt[], flow: Interrupt, of: (flow: Interrupt) => number) {
  const value = of(flow)
  if (list.length >= SLOW && value <= of(list.at(-1)!)) return
  let at = list.length
  while (at > 0 && of(list[at - 1]!) < value) at--
  list.splice(at, 0, flow)
  if (list.length > SLOW) list.pop()
}

/** A number for the way of an interrupt. */
function wayOf({ route, vector, cpu, message, nobody }: Interrupt): number {
  const by = BY.indexOf(route.by)
  const from =
    route.by === 'pic'
      ? route.irq
      : route.by === 'ioapic'
        ? route.input
        : route.by === 'ipi'
          ? route.from
          : route.by === 'local'
            ? SOURCES.indexOf(route.source)
            : 0
  const kind = message === undefined ? 0 : 1 + MESSAGES.indexOf(message)
  const to = nobody ? 254 : (cpu ?? 255)
  return (((by * 32 + from) * 8 + kind) * 256 + vector) * 256 + to
}
