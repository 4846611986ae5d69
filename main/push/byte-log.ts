// What somebody printed: the last part of it, addressed by the count of bytes from the beginning. A guest may print
// much more than anybody reads; what scrolls away unseen is counted, not kept.
import type { ByteChunk } from '../../preload/bridge'

/** Kept for a page that is loaded again, and for a panel that is opened late. */
export const LOG_CAPACITY = 1 << 20
/** Most bytes per frame: a megabyte a second is more than anybody reads, and leaves a terminal time for the rest of the page. */
export const CHUNK_MAX = 1 << 14

export class ByteLog {
  /** Most logs stay empty: the ring comes with the first byte. */
  #ring: Uint8Array | undefined
  #total = 0
  #position = 0

  /** Bytes from the beginning. */
  get total(): number {
    return this.#total
  }

  append(bytes: Uint8Array) {
    if (bytes.length === 0) return
    this.#ring ??= new Uint8Array(LOG_CAPACITY)
    const kept = bytes.length > LOG_CAPACITY ? bytes.subarray(bytes.length - LOG_CAPACITY) : bytes
    const at = (this.#total + bytes.length - kept.length) % LOG_CAPACITY
    const first = Math.min(kept.length, LOG_CAPACITY - at)
    this.#ring.set(kept.subarray(0, first), at)
    this.#ring.set(kept.subarray(first), 0)
    this.#total += bytes.length
  }

  /** Bytes that no chunk has held yet. */
  get pending(): number {
    return this.#total - this.#position
  }

  take(): ByteChunk | undefined {
    if (this.pending === 0 || !this.#ring) return
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

  /** Whoever reads has lost everything: from the beginning again. */
  rewind() {
    this.#position = 0
  }

  /** Nothing has been said yet. */
  clear() {
    this.#total = 0
    this.#position = 0
  }
}
