// The host's end of the output rings: takes what the guest sent and hands it on, port by port, in order, losing
// nothing. A ring that nobody empties fills up, and then the guest waits.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

export type Deliver = (ring: number, bytes: Uint8Array) => void | Promise<void>

/** So many bytes at once are a stream. */
const BUSY_BYTES = 64
const BUSY_MS = 1

export class OutputDrain {
  readonly #memory: MachineMemory
  readonly #deliver: Deliver
  readonly #running: (Promise<void> | undefined)[] = []
  /** Bytes ever taken. */
  #taken = 0
  #timer: NodeJS.Timeout | undefined

  constructor(memory: MachineMemory, deliver: Deliver) {
    this.#memory = memory
    this.#deliver = deliver
  }

  /** To be called for every wake-up from the core. */
  wake() {
    // Cleared before the rings are looked at: a byte that comes later wakes us again.
    this.#memory.setHeader32(L.HDR_HOST_WAKE, 0)
    const before = this.#taken
    for (let ring = 0; ring < L.OUTPUT_RING_COUNT; ring++) {
      this.#running[ring] ??= this.#drain(ring)
    }
    if (this.#taken - before < BUSY_BYTES) return
    // A guest that talks without end would send a message every few bytes: look by the clock while it does.
    this.#memory.setHeader32(L.HDR_HOST_WAKE, 1)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.wake()
    }, BUSY_MS)
  }

  /** Resolves when everything sent so far has been delivered. */
  async delivered(): Promise<void> {
    for (let ring = 0; ring < L.OUTPUT_RING_COUNT; ring++) {
      while (this.#running[ring] || this.#waiting(ring) > 0) {
        this.#running[ring] ??= this.#drain(ring)
        await this.#running[ring]
      }
    }
  }

  /** Throws away what is in the rings, so that a guest that waits for room can go on to its end. */
  discard() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (let ring = 0; ring < L.OUTPUT_RING_COUNT; ring++) this.#take(ring)
  }

  #drain(ring: number): Promise<void> | undefined {
    for (;;) {
      if (this.#waiting(ring) === 0) return undefined
      const delivering = this.#deliver(ring, this.#take(ring))
      if (delivering)
        return delivering.then(
          () => this.#goOn(ring),
          (error) => this.#giveUp(ring, error),
        )
    }
  }

  #goOn(ring: number): void | Promise<void> {
    return (this.#running[ring] = this.#drain(ring))
  }

  #giveUp(ring: number, error: unknown): never {
    this.#running[ring] = undefined
    throw error
  }

  #waiting(ring: number): number {
    const { u32 } = this.#memory
    const at = ringAddress(ring)
    return (Atomics.load(u32, (at + L.RING_WRITE) >>> 2) - Atomics.load(u32, (at + L.RING_READ) >>> 2)) >>> 0
  }

  /** @returns a copy of all that is in a ring; its room is the guest's again */
  #take(ring: number): Uint8Array {
    const { u8, u32, i32 } = this.#memory
    const at = ringAddress(ring)
    const read = Atomics.load(u32, (at + L.RING_READ) >>> 2)
    const count = this.#waiting(ring)
    this.#taken += count
    const bytes = new Uint8Array(count)
    const start = read % L.RING_CAPACITY
    const first = Math.min(count, L.RING_CAPACITY - start)
    const data = at + L.RING_DATA
    bytes.set(u8.subarray(data + start, data + start + first))
    bytes.set(u8.subarray(data, data + count - first), first)
    Atomics.store(u32, (at + L.RING_READ) >>> 2, (read + count) >>> 0)
    Atomics.notify(i32, (at + L.RING_READ) >>> 2)
    return bytes
  }
}

function ringAddress(ring: number): number {
  return L.OUTPUT_RINGS + ring * L.OUTPUT_RING_STRIDE
}
