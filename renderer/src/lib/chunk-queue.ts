// Chunks of a byte stream on their way to a terminal that may not be there yet.
import type { ByteChunk } from '../../../preload/bridge'

export interface ChunkSink {
  /** @param done is called when the terminal has taken it in */
  write(chunk: ByteChunk, done: () => void): void
  /** What was written is another stream's, or an earlier one's. */
  clear(): void
}

export class ChunkQueue {
  #sink: ChunkSink | undefined
  #waiting: ByteChunk[] = []
  /** Chunks that the terminal has and has not taken in. */
  #behind = 0
  #whenTaken: (() => void)[] = []

  apply(chunk: ByteChunk) {
    // The stream is told from its beginning: what a terminal shows is of an earlier telling.
    if (chunk.start === chunk.skipped) this.clear()
    if (this.#sink) this.#write(this.#sink, chunk)
    else this.#waiting.push(chunk)
  }

  #write(sink: ChunkSink, chunk: ByteChunk) {
    this.#behind++
    sink.write(chunk, () => {
      if (this.#sink !== sink || this.#behind === 0) return
      this.#behind--
      if (this.#behind === 0) this.#told()
    })
  }

  #told() {
    for (const told of this.#whenTaken.splice(0)) told()
  }

  /** Resolves when the terminal has taken in what it was given; at once when there is none. */
  taken(): Promise<void> {
    return this.#behind === 0 ? Promise.resolve() : new Promise((done) => this.#whenTaken.push(done))
  }

  attach(sink: ChunkSink) {
    this.#sink = sink
    this.#behind = 0
    for (const chunk of this.#waiting) this.#write(sink, chunk)
    this.#waiting = []
  }

  detach() {
    this.#sink = undefined
    this.#behind = 0
    this.#told()
  }

  clear() {
    this.#waiting = []
    this.#sink?.clear()
  }
}
