// The host's end of the input queue: the one way in (DESIGN 5.6).
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

/** Entries that large input leaves free, so that a key still finds room. */
const RESERVE = 1024
/** A guest that reads is back within microseconds; for one that does not, ask ever more rarely. */
const EAGER_TRIES = 200
const PATIENT_MS = 10

export class InputQueue {
  readonly #memory: MachineMemory
  #closed = false
  /** What is still going in, by channel. */
  readonly #tails = new Map<number, Promise<void>>()

  constructor(memory: MachineMemory) {
    this.#memory = memory
  }

  /** Entries that still fit. */
  get room(): number {
    const { u32 } = this.#memory
    return L.INPUT_CAPACITY - ((Atomics.load(u32, WRITE) - Atomics.load(u32, READ)) >>> 0)
  }

  /** @param kind INPUT_KIND_* @param data by kind, see the layout @returns false when the queue is full */
  put(kind: number, data: number): boolean {
    if (this.room === 0) return false
    const { u32, view } = this.#memory
    const write = Atomics.load(u32, WRITE)
    const at = L.INPUT_QUEUE + L.INPUT_ENTRIES + (write % L.INPUT_CAPACITY) * L.INPUT_ENTRY_SIZE
    view.setUint32(at + L.INPUT_KIND, kind, true)
    view.setUint32(at + L.INPUT_DATA, data, true)
    Atomics.store(u32, WRITE, (write + 1) >>> 0)
    this.#memory.kick(0)
    return true
  }

  /**
   * Any number of entries of one `channel`, one after the other, as the guest makes room.
   * @param mayPut whether the receiver takes another one
   * @throws Error when the queue is closed before all have gone in
   */
  putAll(channel: number, kind: number, data: readonly number[], mayPut: () => boolean): Promise<void> {
    const work = (this.#tails.get(channel) ?? Promise.resolve()).then(() => this.#pour(kind, data, mayPut))
    this.#tails.set(
      channel,
      work.catch(() => undefined),
    )
    return work
  }

  async #pour(kind: number, data: readonly number[], mayPut: () => boolean) {
    for (const item of data) {
      for (let tries = 0; !this.#closed && (this.room <= RESERVE || !mayPut()); tries++) await moment(tries)
      if (this.#closed) throw new Error('the machine was closed before it took all its input')
      this.put(kind, item)
    }
  }

  close() {
    this.#closed = true
  }
}

function moment(tries: number): Promise<void> {
  return new Promise((resolve) => {
    if (tries < EAGER_TRIES) setImmediate(resolve)
    else setTimeout(resolve, Math.min(PATIENT_MS, 1 + (tries - EAGER_TRIES) / 10))
  })
}

const WRITE = (L.INPUT_QUEUE + L.INPUT_WRITE) >>> 2
const READ = (L.INPUT_QUEUE + L.INPUT_READ) >>> 2
