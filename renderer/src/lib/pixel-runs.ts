// Reads pictures that come as runs of equal differences (emulator/machine/pixel-runs.ts says what a word is).

const PIXEL = 0xff_ffff
const OPAQUE = 0xff000000 | 0

export class RunDecoder {
  readonly #runs: Int32Array
  #next = 0
  #last = 0
  #difference = 0
  /** Pixels of the run under way. */
  #left = 0

  constructor({ buffer, byteOffset, length }: Uint32Array) {
    this.#runs = new Int32Array(buffer, byteOffset, length)
  }

  /** The next pixels into from..to-1, as a canvas has them; black when there are no more. */
  fill(into: Int32Array, from: number, to: number) {
    let at = from
    while (at < to) {
      if (this.#left === 0) {
        if (this.#next >= this.#runs.length) {
          into.fill(OPAQUE, at, to)
          return
        }
        const word = this.#runs[this.#next++]!
        this.#left = (word >>> 24) + 1
        this.#difference = word & PIXEL
      }
      const end = Math.min(to, at + this.#left)
      const difference = this.#difference
      this.#left -= end - at
      let last = this.#last
      for (; at < end; at++) {
        last = (last + difference) & PIXEL
        into[at] = swapped(last)
      }
      this.#last = last
    }
  }
}

/** 00RRGGBB as the canvas has it: bytes R, G, B, A in memory. */
function swapped(value: number): number {
  return OPAQUE | (value & 0xff00) | (value >>> 16) | ((value & 0xff) << 16)
}
