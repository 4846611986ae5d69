import { type Shootdown, shootdowns } from '@emulator/insight/shootdowns'
import { type StaleUse, staleUses } from '@emulator/insight/stale-uses'
import { readTlbLog, type TlbRecord } from '@emulator/insight/tlb-log'
import type { Machine } from '@emulator/machine/api'
import type { NamedMoment, NamedShootdown, NamedStaleUse, ShootdownsView } from '../../preload/bridge'
import type { Source } from './source'

/** Records in which shootdowns are looked for: those of one lie close together. */
const RECORDS_MAX = 6000
const KEPT_MAX = 1000
const SHOWN_MAX = 40
const STALE_MAX = 60

/** The log of translations, watched while the panel shows shootdowns; what was seen is kept until the next power-on. */
export class ShootdownsSource implements Source<'shootdowns'> {
  readonly part = 'shootdowns'
  readonly interval = 250
  #records: TlbRecord[] = []
  #next = 0
  #lost = 0
  readonly #found = new Map<string, Shootdown>()
  readonly #stale = new Map<number, StaleUse>()
  #count = 0
  #watching = false
  #last = ''

  constructor(
    private readonly machine: Pick<Machine, 'memory' | 'watchTlb' | 'state'>,
    readonly wanted: () => boolean,
    private readonly label: (address: bigint) => string | undefined,
  ) {}

  /** Somebody begins or ends to look. */
  changed() {
    const wanted = this.wanted()
    if (wanted === this.#watching || this.machine.state === 'disposed') return
    this.#watching = wanted
    // What happened before is of no use: changes of entries were not noted.
    if (wanted) this.#next = readTlbLog(this.machine.memory, Number.MAX_SAFE_INTEGER).end
    this.#records = []
    this.machine.watchTlb(wanted)
  }

  take(): ShootdownsView | undefined {
    const { records, lost, end } = readTlbLog(this.machine.memory, this.#next)
    if (end < this.#next) this.reset()
    this.#next = end
    this.#lost += lost
    if (records.length > 0) {
      this.#records = [...this.#records, ...records].slice(-RECORDS_MAX)
      for (const each of shootdowns(this.#records)) this.#keep(each)
      for (const use of staleUses(this.#records)) this.#stale.set(use.number, use)
      while (this.#stale.size > STALE_MAX) this.#stale.delete(this.#stale.keys().next().value!)
    }
    const told = `${this.#count} ${this.#lost} ${this.#stale.size} ${[...this.#stale.keys()].at(-1)}`
    if (told === this.#last) return
    this.#last = told
    const all = [...this.#found.values()]
    const slowest = all.toSorted((a, b) => Number((b.duration ?? 0n) - (a.duration ?? 0n)))
    const durations = slowest.map(({ duration }) => Number(duration ?? 0n))
    return {
      ...{
        count: this.#count,
        lost: this.#lost,
        slowest: slowest.slice(0, SHOWN_MAX).map((each) => this.#named(each)),
      },
      latest: all
        .slice(-SHOWN_MAX)
        .reverse()
        .map((each) => this.#named(each)),
      median: durations[Math.floor(durations.length / 2)] ?? 0,
      most: durations[0] ?? 0,
      stale: [...this.#stale.values()].reverse().map((use) => this.#namedUse(use)),
    }
  }

  #keep(shootdown: Shootdown) {
    if (!shootdown.complete) return
    const key = `${shootdown.initiator} ${shootdown.began.retired}`
    if (this.#found.has(key)) return
    this.#count++
    this.#found.set(key, shootdown)
    if (this.#found.size <= KEPT_MAX) return
    // The slow ones stay, and so do the last ones.
    const half = [...this.#found].slice(0, KEPT_MAX / 2)
    const quickest = half.reduce((a, b) => ((b[1].duration ?? 0n) < (a[1].duration ?? 0n) ? b : a))
    this.#found.delete(quickest[0])
  }

  #moment<M extends { rip: bigint }>(moment: M): M & { where?: string } {
    const where = this.label(moment.rip)
    return where === undefined ? moment : { ...moment, where }
  }

  #named(shootdown: Shootdown): NamedShootdown {
    const changes = shootdown.changes
      .slice(0, 16)
      .map((change) => ({ ...change, at: this.#moment(change.at) as NamedMoment }))
    return { ...shootdown, changes, changed: shootdown.changes.length, began: this.#moment(shootdown.began) }
  }

  #namedUse(use: StaleUse): NamedStaleUse {
    const changed = use.changed && this.#moment(use.changed)
    return { ...use, used: this.#moment(use.used), changed }
  }

  /** Another power-on. */
  reset() {
    this.#records = []
    this.#found.clear()
    this.#stale.clear()
    this.#count = 0
    this.#lost = 0
    this.#next = 0
    this.#last = ''
  }

  forget() {
    this.#last = ''
  }
}
