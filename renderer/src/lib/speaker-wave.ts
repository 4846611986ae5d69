// The sound of a PC's speaker, from what the guest told it: samples of a cone that is out or in. Pure arithmetic.

/** Pulses of the guest's timer a second. */
const CLOCK = 1_193_182
/** Numbers of a change: time in ns, pulses out, pulses in, pulses to the next movement, level. */
export const CHANGE = 5
/** Shorter periods are no tone but a position between the two, as programs have it that play samples by the width of pulses. */
const SHORTEST = 60
/** One pole each: what a small cone does not follow, and where it comes back to its rest. */
const LOW_PASS = 0.6
const HIGH_PASS = 0.995

export class SpeakerWave {
  #level = 0
  #left = Number.POSITIVE_INFINITY
  #high = 0
  #low = 0
  #smooth = 0
  #before = 0
  #rest = 0

  constructor(private readonly rate: number) {}

  /**
   * The next samples, -1 to 1.
   * @param from ns of machine time of the first sample; the last is at `to`. A guest that is slower or faster than its clock is
   *  stretched: what it told then lies further apart, but a tone keeps its pitch
   * @param changes CHANGE numbers each, oldest first
   */
  render(samples: number, from: number, to: number, changes: Float64Array): Float32Array<ArrayBuffer> {
    const out = new Float32Array(samples)
    const scale = to > from ? samples / (to - from) : 0
    let next = 0
    for (let i = 0; i < samples; i++) {
      let at = i
      let sum = 0
      while (next < changes.length) {
        const place = (changes[next]! - from) * scale
        if (place >= i + 1) break
        if (place > at) {
          sum += this.#move(place - at)
          at = place
        }
        this.#change(changes, next)
        next += CHANGE
      }
      out[i] = this.#filter(sum + this.#move(i + 1 - at))
    }
    for (; next < changes.length; next += CHANGE) this.#change(changes, next)
    return out
  }

  /** Silence, and no memory of what was. */
  reset() {
    this.#change(Float64Array.of(0, 0, 0, 0, 0), 0)
    this.#smooth = this.#before = this.#rest = 0
  }

  #change(changes: Float64Array, at: number) {
    const [high, low, left, level] = changes.subarray(at + 1, at + CHANGE) as unknown as [
      number,
      number,
      number,
      number,
    ]
    const period = high + low
    if (period > 0 && period < SHORTEST) {
      this.#level = high / period
      this.#left = Number.POSITIVE_INFINITY
      this.#high = this.#low = 0
      return
    }
    // Told the same again: the tone goes on, wherever stretching has brought it.
    if (period > 0 && high === this.#high && low === this.#low) return
    this.#high = high
    this.#low = low
    this.#level = level
    this.#left = left > 0 ? left : Number.POSITIVE_INFINITY
  }

  /** Goes on by so much of a sample. @returns the area under the cone's way */
  #move(samples: number): number {
    const scale = CLOCK / this.rate
    let pulses = samples * scale
    let area = 0
    while (pulses >= this.#left) {
      area += this.#level * this.#left
      pulses -= this.#left
      this.#level = this.#level > 0 ? 0 : 1
      const half = this.#level > 0 ? this.#high : this.#low
      this.#left = half > 0 ? half : Number.POSITIVE_INFINITY
    }
    this.#left -= pulses
    return (area + this.#level * pulses) / scale
  }

  #filter(value: number): number {
    this.#smooth += LOW_PASS * (value - this.#smooth)
    this.#rest = HIGH_PASS * (this.#rest + this.#smooth - this.#before)
    this.#before = this.#smooth
    return this.#rest
  }
}
