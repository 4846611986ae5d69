// Chunks of a byte stream on their way to a terminal that may not be there yet.
import type { ByteChunk } from '../../../preload/bridge'

export interface ChunkSink {
  write(chunk: ByteChunk): void
  /** What was written is another stream's, or an earlier one's. */
  clear(): void
}

export class ChunkQueue {
  #sink: ChunkSink | undefined
  #waiting: ByteChunk[] = []

  apply(chunk: ByteChunk) {
    // The stream is told from its beginning: what a terminal shows is of an earlier telling.
    if (chunk.start === chunk.skipped) this.clear()
    if (this.#sink) this.#sink.write(chunk)
    else this.#waiting.push(chunk)
  }

  attach(sink: ChunkSink) {
    this.#sink = sink
    for (const chunk of this.#waiting) sink.write(chunk)
    this.#waiting = []
  }

  detach() {
    this.#sink = undefined
  }

  clear() {
    this.#waiting = []
    this.#sink?.clear()
  }
}
