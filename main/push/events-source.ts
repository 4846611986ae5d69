import { classOf, type EventFilter, EventSelection } from '@emulator/insight/events/event-table'
import { eventWords } from '@emulator/insight/events/event-words'
import type { EventRow, EventsView, Interest } from '../../preload/bridge'
import type { EventWatch } from './event-watch'
import type { Source } from './source'

export type EventsWish = Exclude<Interest['events'], false>

/** ms; where every row is another one each time, nobody reads them: then less often. */
const INTERVAL = 100
const INTERVAL_FLOOD = 250

export class EventsSource implements Source<'events'> {
  readonly part = 'events'
  interval = INTERVAL
  #last = ''
  #end = 0
  #selection: EventSelection | undefined

  /**
   * @param wish what the panel wants to see, false when nobody looks
   * @param label a name for an address of code
   */
  constructor(
    private readonly watch: EventWatch,
    private readonly wish: () => Interest['events'],
    private readonly label: (address: bigint) => string | undefined,
    /** Sets the probes of the lens, where there is one. */
    private readonly arm: () => void = () => {},
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): EventsView | undefined {
    const wish = this.wish()
    if (wish === false) return
    this.arm()
    this.watch.take()
    const { table } = this.watch
    const told = `${table.first} ${table.next} ${table.lost} ${JSON.stringify(wish)}`
    if (told === this.#last) return
    this.#last = told
    this.interval = table.next - this.#end > wish.rows ? INTERVAL_FLOOD : INTERVAL
    this.#end = table.next
    const filter = filterOf(wish)
    if (this.#selection?.table !== table || !sameFilter(this.#selection.filter, filter))
      this.#selection = new EventSelection(table, filter)
    this.#selection.update()
    return eventsView(this.watch, wish, this.label, this.#selection)
  }

  forget() {
    this.#last = ''
    this.#selection = undefined
  }
}

function filterOf(wish: EventsWish): EventFilter {
  const filter: EventFilter = { classes: wish.classes }
  if (wish.cpu !== undefined) filter.cpu = wish.cpu
  if (wish.from !== undefined) filter.from = wish.from * 1e6
  if (wish.to !== undefined) filter.to = wish.to * 1e6
  return filter
}

const sameFilter = (a: EventFilter, b: EventFilter): boolean =>
  a.classes === b.classes && a.cpu === b.cpu && a.from === b.from && a.to === b.to

function eventsView(
  watch: EventWatch,
  wish: EventsWish,
  label: (address: bigint) => string | undefined,
  matching: EventSelection,
): EventsView {
  const { table, port, probes } = watch
  const last = Math.max(0, matching.count - wish.rows)
  const at = wish.at === undefined ? last : Math.min(wish.at, last)
  const rows = matching.slice(at, at + wish.rows).map((sequence): EventRow => {
    const event = table.at(sequence)
    const words = eventWords(event, port.pools, probes.probes)
    const where = words.code === undefined ? undefined : label(words.code)
    return {
      ...{
        sequence,
        time: event.time,
        retired: event.retired,
        cpu: event.cpu,
        group: classOf(event.kind),
        ...words,
      },
      ...(where === undefined ? {} : { where }),
    }
  })
  return {
    ...{
      at,
      rows,
      matching: matching.count,
      kept: table.next - table.first,
      fallen: table.first,
      lost: table.lost,
    },
    capacity: table.capacity,
    counts: [...table.counts].map(([group, count]) => ({ group, count })),
  }
}
