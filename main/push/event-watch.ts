// The consumer of the machine's events while somebody looks: classes are switched on by who does, and off when nobody does.
import * as L from '@emulator/core/layout'
import { AllocationLedger } from '@emulator/insight/events/allocation-ledger'
import { EventReader } from '@emulator/insight/events/event-reader'
import { EventTable } from '@emulator/insight/events/event-table'
import { InterruptLedger } from '@emulator/insight/interrupt-ledger'
import type { LensProbe } from '@emulator/insight/lenses/probes'
import type { Machine } from '@emulator/machine/api'

/** A ring holds 16,384 events: at 10^6 a second it is full after 16 ms. */
const PERIOD = 8
/** Taking them takes at most this part of the time; what comes faster than that is lost, and counted. */
const SHARE = 1 / 4

export class EventWatch {
  table = new EventTable(512)
  /** What the kernel says by the debug port, and what the probes of its lens see. */
  port = new AllocationLedger()
  probes = new AllocationLedger([])
  /** What the paths of interrupts add up to, while somebody wants them. */
  interrupts = new InterruptLedger()
  /** What was probed last, undefined: nothing. */
  #probed: string | undefined
  #reader: EventReader | undefined
  /** See EventReader.unwind. */
  unwind: EventReader['unwind']
  #classes = 0
  #lost = 0
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly machine: Pick<Machine, 'memory' | 'watchEvents' | 'setProbes' | 'state'>) {}

  get classes(): number {
    return this.#classes
  }

  /** Of the two the one to be believed: where a kernel speaks for itself, what it says. */
  get ledger(): AllocationLedger {
    return this.port.allocations + this.port.frees > 0 ? this.port : this.probes
  }

  /** Whether somebody wants to know of calls. */
  get wantsProbes(): boolean {
    return (this.#classes & L.EVENT_CLASS_PROBE) !== 0
  }

  /** These functions are to be probed from now on, while somebody wants it. */
  probe(probes: readonly LensProbe[], direct: bigint | undefined) {
    if (!this.wantsProbes || this.machine.state === 'disposed') return
    const wish = probes.map(({ linear, function: name }) => `${name} ${linear}`).join('\n')
    if (wish === this.#probed) return
    this.#probed = wish
    this.take()
    this.probes = new AllocationLedger(probes)
    this.machine.setProbes(probes, direct)
  }

  /** @param classes EVENT_CLASS_* that somebody wants now */
  watch(classes: number) {
    if (classes === this.#classes || this.machine.state === 'disposed') return
    // What has been written until now is still of those who looked.
    this.take()
    if (this.#classes === 0) this.#begin()
    // What was seen before stays: a panel that was covered for a while goes on.
    if (!(this.#classes & L.EVENT_CLASS_PATH)) this.interrupts.gap()
    this.#classes = classes
    this.machine.watchEvents(classes)
    if (!this.wantsProbes && this.#probed !== undefined) {
      this.#probed = undefined
      this.machine.setProbes([])
    }
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
    this.port = new AllocationLedger()
    this.probes = new AllocationLedger(this.probes.probes)
  }

  take() {
    const { state } = this.machine
    if (!this.#reader || state === 'disposed' || this.#classes === 0) return
    this.#reader.unwind = this.unwind
    const events = this.#reader.take(state !== 'running')
    if (this.table.lost !== this.#lost) {
      this.#lost = this.table.lost
      this.port.gap(this.#reader.lossUntil)
      this.probes.gap(this.#reader.lossUntil)
      this.interrupts.gap()
    }
    this.interrupts.hear(events)
    for (const event of events) {
      this.port.hear(event)
      this.probes.hear(event)
    }
  }

  /** Another power-on. */
  reset() {
    this.table.clear()
    this.table.lost = this.#lost = 0
    this.port = new AllocationLedger()
    this.probes = new AllocationLedger(this.probes.probes)
    this.interrupts = new InterruptLedger()
    if (this.#reader) this.#reader = new EventReader(this.machine.memory, this.table)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#classes = 0
  }
}
