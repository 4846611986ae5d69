// The guest's mouse as entries of the input queue.
import type { MouseButtons } from './api'

const COUNTS_MAX = 511
const WHEEL_MAX = 7

/** Bits of INPUT_KIND_MOUSE's buttons. */
function buttonBits({ left, right, middle, fourth, fifth }: MouseButtons): number {
  return [left, right, middle, fourth, fifth].reduce((bits, down, i) => bits | (down ? 1 << i : 0), 0)
}

/**
 * Data of INPUT_KIND_MOUSE; a movement that does not fit into one entry takes several.
 * @param dx counts to the right @param dy counts down @param wheel notches towards the hand
 */
export function mouseData(dx: number, dy: number, wheel: number, buttons: MouseButtons): number[] {
  const rest = [dx, dy, wheel].map((value) => Math.trunc(Number.isFinite(value) ? value : 0)) as [
    number,
    number,
    number,
  ]
  const entries: number[] = []
  do {
    const part = [COUNTS_MAX, COUNTS_MAX, WHEEL_MAX].map((most, i) => {
      const value = Math.max(-most, Math.min(most, rest[i]!))
      rest[i]! -= value
      return value
    }) as [number, number, number]
    entries.push(
      ((part[0] & 0x3ff) |
        ((part[1] & 0x3ff) << 10) |
        ((part[2] & 15) << 20) |
        (buttonBits(buttons) << 24)) >>>
        0,
    )
  } while (rest.some((value) => value !== 0) && entries.length < 8)
  return entries
}
