import { classOf, type EventFilter } from '@emulator/insight/events/event-table'
import { eventWords } from '@emulator/insight/events/event-words'
import type { EventRow, EventsView, Interest } from '../../preload/bridge'
import type { EventWatch } from './event-watch'
import type { Source } from './source'

export type EventsWish = Exclude<Interest['events'], false>

export class EventsSource implements Source<'events'> {
  readonly part = 'events'
  readonly interval = 100
  #last = ''

  /**
   * @param wish what the panel wants to see, false when nobody looks
   * @param label a name for an address of code
   */
  constructor(
    private readonly watch: EventWatch,
    private readonly wish: () => Interest['events'],
    private readonly label: (address: bigint) => string | undefined,
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): EventsView | undefined {
    const wish = this.wish()
    if (wish === false) return
    this.watch.take()
    const { table } = this.watch
    const told = `${table.first} ${table.next} ${table.lost} ${JSON.stringify(wish)}`
    if (told === this.#last) return
    this.#last = told
    return eventsView(this.watch, wish, this.label)
  }

  forget() {
    this.#last = ''
  }
}

export function eventsView(
  watch: EventWatch,
  wish: EventsWish,
  label: (address: bigint) => string | undefined,
): EventsView {
  const { table, ledger } = watch
  const filter: EventFilter = { classes: wish.classes }
  if (wish.cpu !== undefined) filter.cpu = wish.cpu
  if (wish.from !== undefined) filter.from = wish.from * 1e6
  if (wish.to !== undefined) filter.to = wish.to * 1e6
  const matching = table.select(filter)
  const last = Math.max(0, matching.length - wish.rows)
  const at = wish.at === undefined ? last : Math.min(wish.at, last)
  const rows = matching.slice(at, at + wish.rows).map((sequence): EventRow => {
    const event = table.at(sequence)
    const words = eventWords(event, ledger.pools)
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
      matching: matching.length,
      kept: table.next - table.first,
      fallen: table.first,
      lost: table.lost,
    },
    capacity: table.capacity,
    counts: [...table.counts].map(([group, count]) => ({ group, count })),
  }
}
