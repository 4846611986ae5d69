// Pixels as runs of equal differences: how large pictures travel to a window. What operating systems draw is mostly flat or
// shaded evenly, and each byte on the way is copied several times, so a picture that is small on the way is cheap, and one
// that does not become smaller does not become larger either.
//
// A word a run: bits 0-23 what is added to a pixel 00RRGGBB to get the next one (modulo 2^24), bits 24-31 for how many
// pixels more than one that goes on. The pixel before the first one is 0.

const PIXEL = 0xff_ffff
const RUN_MAX = 256

export class RunEncoder {
  /** Grows to what the largest picture has needed. */
  #words = new Int32Array(0)
  #used = 0
  #last = 0
  #difference = 0
  /** Pixels of the run that is open. */
  #open = 0

  /** @param pixels the most that may be added until finish() */
  begin(pixels: number) {
    if (this.#words.length < pixels) this.#words = new Int32Array(pixels)
    this.#used = 0
    this.#last = 0
    this.#open = 0
  }

  /** Adds pixels from..to-1; bits 24-31 of each are ignored. */
  add(pixels: Int32Array, from: number, to: number) {
    const words = this.#words
    let used = this.#used
    let last = this.#last
    let difference = this.#difference
    let open = this.#open
    for (let at = from; at < to; at++) {
      const pixel = pixels[at]! & PIXEL
      const step = (pixel - last) & PIXEL
      last = pixel
      if (step === difference && open !== 0 && open !== RUN_MAX) {
        open++
        continue
      }
      if (open !== 0) words[used++] = ((open - 1) << 24) | difference
      difference = step
      open = 1
    }
    this.#used = used
    this.#last = last
    this.#difference = difference
    this.#open = open
  }

  /** The runs, in an array of their own. */
  finish(): Uint32Array {
    if (this.#open !== 0) this.#words[this.#used++] = ((this.#open - 1) << 24) | this.#difference
    this.#open = 0
    return new Uint32Array(this.#words.subarray(0, this.#used))
  }
}
