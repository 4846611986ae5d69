// The consumer of the machine's events while somebody looks: classes are switched on by who does, and off when nobody does.
import { AllocationLedger } from '@emulator/insight/events/allocation-ledger'
import { EventReader } from '@emulator/insight/events/event-reader'
import { EventTable } from '@emulator/insight/events/event-table'
import type { Machine } from '@emulator/machine/api'

/** A ring holds 16,384 events: at 10^6 a second it is full after 16 ms. */
const PERIOD = 8
/** Taking them takes at most this part of the time; what comes faster than that is lost, and counted. */
const SHARE = 1 / 4

export class EventWatch {
  table = new EventTable(512)
  ledger = new AllocationLedger()
  #reader: EventReader | undefined
  #classes = 0
  #lost = 0
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly machine: Pick<Machine, 'memory' | 'watchEvents' | 'state'>) {}

  get classes(): number {
    return this.#classes
  }

  /** @param classes EVENT_CLASS_* that somebody wants now */
  watch(classes: number) {
    if (classes === this.#classes || this.machine.state === 'disposed') return
    if (this.#classes === 0) this.#begin()
    this.#classes = classes
    this.machine.watchEvents(classes)
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (classes !== 0) this.#later(PERIOD)
  }

  #later(delay: number) {
    this.#timer = setTimeout(() => {
      const began = performance.now()
      this.take()
      const cost = performance.now() - began
      if (this.#classes !== 0) this.#later(Math.max(PERIOD - cost, cost / SHARE - cost))
    }, delay)
    this.#timer.unref()
  }

  #begin() {
    if (this.table.capacity === 512) this.table = new EventTable()
    this.#reader = new EventReader(this.machine.memory, this.table)
    // What happened while nobody listened is not known.
    this.ledger = new AllocationLedger()
  }

  take() {
    const { state } = this.machine
    if (!this.#reader || state === 'disposed' || this.#classes === 0) return
    const events = this.#reader.take(state !== 'running')
    if (this.table.lost !== this.#lost) {
      this.#lost = this.table.lost
      this.ledger.gap()
    }
    for (const event of events) this.ledger.hear(event)
  }

  /** Another power-on. */
  reset() {
    this.table.clear()
    this.table.lost = this.#lost = 0
    this.ledger = new AllocationLedger()
    if (this.#reader) this.#reader = new EventReader(this.machine.memory, this.table)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#classes = 0
  }
}
