// What COM1 has said: the last part of it, addressed by the count of bytes since power-on. The guest may print much
// more than anybody reads; what scrolls away unseen is counted, not kept.
import type { SerialChunk } from '../../preload/bridge'
import type { Source } from './source'

/** Kept for a page that is loaded again, and for a panel that is opened late. */
export const LOG_CAPACITY = 1 << 20
/** Most bytes per frame: about what a terminal draws in one. */
export const CHUNK_MAX = 1 << 16

export class SerialLog implements Source<'serial'> {
  readonly part = 'serial'
  readonly interval = 0
  readonly #ring = new Uint8Array(LOG_CAPACITY)
  #total = 0
  #position = 0

  /** @param wanted somebody looks at the console */
  constructor(readonly wanted: () => boolean) {}

  /** Bytes since power-on. */
  get total(): number {
    return this.#total
  }

  append(bytes: Uint8Array) {
    const kept = bytes.length > LOG_CAPACITY ? bytes.subarray(bytes.length - LOG_CAPACITY) : bytes
    const at = (this.#total + bytes.length - kept.length) % LOG_CAPACITY
    const first = Math.min(kept.length, LOG_CAPACITY - at)
    this.#ring.set(kept.subarray(0, first), at)
    this.#ring.set(kept.subarray(first), 0)
    this.#total += bytes.length
  }

  /** There is more than the last chunk held. */
  get pending(): boolean {
    return this.#position < this.#total
  }

  take(): SerialChunk | undefined {
    if (!this.pending) return
    const oldest = Math.max(0, this.#total - LOG_CAPACITY)
    const start = Math.max(this.#position, oldest)
    const skipped = start - this.#position
    const length = Math.min(this.#total - start, CHUNK_MAX)
    const bytes = new Uint8Array(length)
    const at = start % LOG_CAPACITY
    const first = Math.min(length, LOG_CAPACITY - at)
    bytes.set(this.#ring.subarray(at, at + first))
    bytes.set(this.#ring.subarray(0, length - first), first)
    this.#position = start + length
    return { start, skipped, bytes }
  }

  forget() {
    this.#position = 0
  }

  /** The machine was reset: nothing has been said yet. */
  clear() {
    this.#total = 0
    this.#position = 0
  }
}
