import * as L from '@emulator/core/layout'
import { decodeDescriptor } from '@emulator/insight/descriptor'
import { interruptControllers } from '@emulator/insight/interrupt-controllers'
import { linear, type Machine } from '@emulator/machine/api'
import type { Interest, InterruptsView } from '../../preload/bridge'
import type { EventWatch } from './event-watch'
import type { Source } from './source'

/** ms after which a vector's gate is read again: kernels change theirs seldom. */
const GATES_KEPT = 2000

/** The ways of interrupts, and the controllers as they are programmed. */
export class InterruptsSource implements Source<'interrupts'> {
  readonly part = 'interrupts'
  /** Digits are read at a few per second. */
  readonly interval = 250
  #last = ''
  readonly #names = new Map<number, string | undefined>()
  #named = 0

  /** @param label a name for an address of code */
  constructor(
    private readonly machine: Pick<Machine, 'memory' | 'cpu' | 'readLinear'>,
    private readonly watch: EventWatch,
    private readonly wish: () => Interest['interrupts'],
    private readonly label: (address: bigint) => string | undefined,
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): InterruptsView | undefined {
    const wish = this.wish()
    if (wish === false) return
    this.watch.take()
    const { memory } = this.machine
    const now = Number(memory.header64(L.HDR_CLOCK_NOW))
    const summary = this.watch.interrupts.summary(now, new Set(wish.ways))
    const controllers = interruptControllers(memory)
    // Time alone tells nothing new while nothing waits.
    const told = JSON.stringify([
      summary.count,
      wish,
      summary.open.length === 0 ? 0 : Math.round(now / 1e7),
      summary.ways.map(({ rate }) => rate),
      controllers,
      this.watch.table.lost,
    ])
    if (told === this.#last) return
    this.#last = told
    if (performance.now() - this.#named > GATES_KEPT) {
      this.#names.clear()
      this.#named = performance.now()
    }
    const handlers = [...new Set(summary.ways.map(({ vector }) => vector))].flatMap((vector) => {
      const cpu = summary.ways.find(
        (way) => way.vector === vector && way.cpu !== undefined && !way.message,
      )?.cpu
      const name = cpu === undefined ? undefined : this.#handler(cpu, vector)
      return name === undefined ? [] : [{ vector, name }]
    })
    return { ...summary, controllers, handlers, lost: this.watch.table.lost }
  }

  /** What the gate of a vector leads to, by the guest's symbols (SDM 3A 6.11, 6.14.1). */
  #handler(cpu: number, vector: number): string | undefined {
    if (this.#names.has(vector)) return this.#names.get(vector)
    const { idtr, mode } = this.machine.cpu(cpu)
    const long = mode === 'long64' || mode.startsWith('compat')
    const size = long ? 16 : 8
    let name: string | undefined
    if (mode !== 'real' && mode !== 'v86' && vector * size + size - 1 <= idtr.limit) {
      const gate = this.machine.readLinear(linear(idtr.base + BigInt(vector * size)), size, cpu)
      if (gate.length === size) {
        const view = new DataView(gate.buffer, gate.byteOffset, size)
        const decoded = decodeDescriptor(
          view.getBigUint64(0, true),
          long,
          long ? view.getBigUint64(8, true) : 0n,
        )
        if ('offset' in decoded) name = this.label(decoded.offset)
      }
    }
    this.#names.set(vector, name)
    return name
  }

  forget() {
    this.#last = ''
    this.#names.clear()
  }
}
