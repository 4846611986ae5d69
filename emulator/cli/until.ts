// Finds a text in a stream of chunks, also where it lies across two of them.

export class TextWatch {
  readonly #wanted: Buffer
  #tail: Buffer = Buffer.alloc(0)

  /** @param text compared as UTF-8 bytes, not empty */
  constructor(text: string) {
    this.#wanted = Buffer.from(text, 'utf8')
  }

  /** @returns true when the text is complete with this chunk */
  feed(bytes: Uint8Array): boolean {
    const seen = Buffer.concat([this.#tail, bytes])
    if (seen.includes(this.#wanted)) return true
    const keep = Math.min(seen.length, this.#wanted.length - 1)
    this.#tail = seen.subarray(seen.length - keep)
    return false
  }
}
