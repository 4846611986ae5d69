// Numbers of 128 bits for the transcendental instructions. A wide number has a sign elsewhere, an exponent and a
// significand high:low = 1.127 bits, so that its value is high.low / 2^127 * 2^exponent. Results are left in the globals.

import { multiplyHigh } from '../arithmetic'
import { divideWide, remainderWide } from './arithmetic'

/** Significand of the last result. Transient. */
export let high: u64 = 0
export let low: u64 = 0
/** Its exponent, where the function says so. */
export let scaleOf: i32 = 0

@inline
export function setWide(h: u64, l: u64, e: i32): void {
  high = h
  low = l
  scaleOf = e
}

/** Upper 128 bits of a product, a few units of the last place too small. */
export function multiply(ah: u64, al: u64, bh: u64, bl: u64): void {
  let h = multiplyHigh(ah, bh)
  let l = ah * bh
  const c = multiplyHigh(ah, bl)
  l += c
  if (l < c) h++
  const d = multiplyHigh(al, bh)
  l += d
  if (l < d) h++
  high = h
  low = l
}

/** h:l * (1 - f), for an f above zero that may be too small to be seen: the result is below h:l in any case. */
export function reduceBy(h: u64, l: u64, fh: u64, fl: u64, e: i32): void {
  multiply(h, l, fh, fl)
  if ((high | low) == 0) low = 1
  const lower = l - low
  high = h - high - (l < low ? 1 : 0)
  low = lower
  scaleOf = e
  normalise()
}

/** h:l * (1 + f); the sum may carry into the next power of two. */
export function growBy(h: u64, l: u64, fh: u64, fl: u64, e: i32): void {
  multiply(h, l, fh, fl)
  const lower = l + low
  const c: u64 = lower < l ? 1 : 0
  const upper = h + high + c
  scaleOf = e
  if (upper < h || (c && upper == h && high == 0xffffffffffffffff)) {
    low = (lower >> 1) | (upper << 63)
    high = (upper >> 1) | 0x8000000000000000
    scaleOf = e + 1
  } else {
    low = lower
    high = upper
  }
}

/** Shifts the significand until its top bit is set; zero stays zero. */
export function normalise(): void {
  if (<i64>high < 0) return
  if (high == 0) {
    if (low == 0) return
    const n = clz(low)
    high = low << n
    low = 0
    scaleOf -= 64 + <i32>n
    return
  }
  const n = clz(high)
  high = (high << n) | (low >> (64 - n))
  low <<= n
  scaleOf -= <i32>n
}

/** high:low = h:l >> n. */
export function shiftRight(h: u64, l: u64, n: u32): void {
  if (n == 0) {
    high = h
    low = l
  } else if (n < 64) {
    low = (l >> n) | (h << (64 - n))
    high = h >> n
  } else {
    low = n < 128 ? h >> (n - 64) : 0
    high = 0
  }
}

let restHigh: u64 = 0
let restLow: u64 = 0

/** One 64-bit digit of (n2:n1:n0) / (d1:d0), d1's top bit set, n2:n1 < d1:d0. */
function digit(n2: u64, n1: u64, d1: u64, d0: u64): u64 {
  let q: u64
  let r: u64
  let fits = true
  if (n2 == d1) {
    q = 0xffffffffffffffff
    r = n1 + d1
    fits = r >= d1
  } else {
    q = divideWide(n2, n1, d1)
    r = remainderWide
  }
  let ph = multiplyHigh(q, d0)
  let pl = q * d0
  while (fits && (ph > r || (ph == r && pl != 0))) {
    q--
    if (pl < d0) ph--
    pl -= d0
    r += d1
    if (r < d1) fits = false
  }
  restHigh = r - ph - (pl != 0 ? 1 : 0)
  restLow = 0 - pl
  return q
}

/** Quotient of two significands with their top bits set; `e`: difference of the exponents. */
export function divide(nh: u64, nl: u64, dh: u64, dl: u64, e: i32): void {
  if (nh > dh || (nh == dh && nl >= dl)) {
    nl = (nl >> 1) | (nh << 63)
    nh >>= 1
    scaleOf = e
  } else scaleOf = e - 1
  const q1 = digit(nh, nl, dh, dl)
  low = digit(restHigh, restLow, dh, dl)
  high = q1
  normalise()
}

/** Product of two significands with their top bits set; `e`: sum of the exponents. */
export function times(ah: u64, al: u64, bh: u64, bl: u64, e: i32): void {
  multiply(ah, al, bh, bl)
  scaleOf = e + 1
  normalise()
}
