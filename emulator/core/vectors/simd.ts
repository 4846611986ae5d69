// The vector part of a case: XMM, YMM and MMX registers, MXCSR. Rebuilds the base state as
// tools/vectors/generator/vector-state.c makes it.

/** 16 registers of 8 words, MMX registers of 2 words. `tags`: abridged x87 tag word. */
export interface SimdState {
  ymm: Uint32Array
  mm: Uint32Array
  mxcsr: number
  tags: number
}

export interface SimdVector {
  before: SimdState
  after: SimdState
}

export function blankSimd(): SimdState {
  return { ymm: new Uint32Array(128), mm: new Uint32Array(16), mxcsr: 0, tags: 0 }
}

export function copySimd(to: SimdState, from: SimdState): void {
  to.ymm.set(from.ymm)
  to.mm.set(from.mm)
  to.mxcsr = from.mxcsr
  to.tags = from.tags
}

const INTEGER = 0
const SINGLE = 1
const DOUBLE = 2
const SMALL = 3
const TEXT = 4

// biome-ignore format: a table
const SINGLES = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
  0x7f800001, 0xff800001, 0x7fbfffff, 0xffbfffff, 0x7fffffff, 0xffffffff, 0x7f7fffff, 0xff7fffff,
  0x00800000, 0x80800000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x40000000, 0x3f000000,
  0x4f000000, 0xcf000000, 0x5f000000, 0xdf000000, 0x4effffff, 0x3f7fffff, 0x3f800001, 0x40490fdb,
]
/** High and low words. */
// biome-ignore format: a table
const DOUBLES: readonly (readonly [number, number])[] = [
  [0x00000000, 0], [0x80000000, 0], [0x3ff00000, 0], [0xbff00000, 0], [0x7ff00000, 0], [0xfff00000, 0], [0x7ff80000, 0], [0xfff80000, 0],
  [0x7ff00000, 1], [0xfff00000, 1], [0x7ff7ffff, 0xffffffff], [0xfff7ffff, 0xffffffff],
  [0x7fffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x7fefffff, 0xffffffff], [0xffefffff, 0xffffffff],
  [0x00100000, 0], [0x80100000, 0], [0, 1], [0x80000000, 1],
  [0x000fffff, 0xffffffff], [0x800fffff, 0xffffffff], [0x41dfffff, 0xffc00000], [0xc1e00000, 0],
  [0x41e00000, 0], [0x43e00000, 0], [0xc3e00000, 0], [0x43dfffff, 0xffffffff],
  [0x3fefffff, 0xffffffff], [0x3ff00000, 1], [0x3fe00000, 0], [0x400921fb, 0x54442d18],
]
const SMALLS = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x81, 2]
const LETTERS = [0, 0x61, 0x62, 0x63, 0x61, 0x80, 0xff, 0x62]

const floats = new Float32Array(1)
const floatBits = new Uint32Array(floats.buffer)
const doubles = new Float64Array(1)
const doubleBits = new Uint32Array(doubles.buffer)

function single(kind: number, x: number): number {
  const n = kind >>> 4
  const bits = x & 0x807fffff
  switch (kind & 15) {
    case 0:
    case 1:
      return SINGLES[n & 31]!
    case 2:
      return bits | ((124 + (n & 7)) << 23)
    case 3:
    case 4:
      return (x & 0x80780000) | ((124 + (n & 7)) << 23)
    case 5:
      return bits
    case 6:
      return x
    case 7:
      return bits | ((1 + (n & 31)) << 23)
    case 8:
      return bits | ((254 - (n & 15)) << 23)
    case 9:
      floats[0] = ((x << 16) >> 16) / 4
      return floatBits[0]!
    case 10:
      return bits | ((127 + 28 + (n & 7)) << 23)
    case 11:
      return bits | ((127 + 60 + (n & 7)) << 23)
    case 12:
      return (x & 0x807ff000) | ((64 + (n & 127)) << 23)
    default:
      return bits | ((111 + (n & 31)) << 23)
  }
}

function double(kind: number, low: number, high: number, out: Uint32Array, at: number): void {
  const n = kind >>> 4
  const bits = high & 0x800fffff
  out[at] = low
  switch (kind & 15) {
    case 0:
    case 1: {
      const [h, l] = DOUBLES[n & 31]!
      out[at] = l
      out[at + 1] = h
      return
    }
    case 2:
      out[at + 1] = bits | ((1020 + (n & 7)) << 20)
      return
    case 3:
    case 4:
      out[at] = 0
      out[at + 1] = (high & 0x800f0000) | ((1020 + (n & 7)) << 20)
      return
    case 5:
      out[at + 1] = bits
      return
    case 6:
      out[at + 1] = high
      return
    case 7:
      out[at + 1] = bits | ((1 + (n & 63)) << 20)
      return
    case 8:
      out[at + 1] = bits | ((2046 - (n & 15)) << 20)
      return
    case 9:
      doubles[0] = ((low << 16) >> 16) / 4
      out[at] = doubleBits[0]!
      out[at + 1] = doubleBits[1]!
      return
    case 10:
      out[at + 1] = bits | ((1023 + 28 + (n & 7)) << 20)
      return
    case 11:
      out[at + 1] = bits | ((1023 + 60 + (n & 7)) << 20)
      return
    case 12:
      out[at] = low & 0xf0000000
      out[at + 1] = bits | ((1023 - 32 + (n & 63)) << 20)
      return
    case 13:
      out[at] = low & 0xf0000000
      out[at + 1] = bits | ((1023 - 152 + (n & 31)) << 20)
      return
    case 14:
      out[at + 1] = bits | ((1023 + 120 + (n & 15)) << 20)
      return
    default:
      out[at + 1] = bits | ((1007 + (n & 31)) << 20)
  }
}

function smalls(a: number, b: number): number {
  let r = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const k = (a >>> shift) & 0xff
    r |= (k & 0x80 ? (b >>> shift) & 0xff : SMALLS[k & 7]!) << shift
  }
  return r
}

function letters(a: number): number {
  let r = 0
  for (let shift = 0; shift < 32; shift += 8) {
    const k = (a >>> shift) & 0xff
    r |= LETTERS[k < 10 ? 0 : 1 + (k % 7)]! << shift
  }
  return r
}

/** Two words of a flavour from the stream into out[at], out[at + 1]. */
function words(
  flavour: number,
  next: () => number,
  corners: readonly (readonly [low: number, high: number])[],
  out: Uint32Array,
  at: number,
): void {
  const kind = next()
  const low = next()
  const high = next()
  switch (flavour) {
    case SINGLE:
      out[at] = single(kind, low)
      out[at + 1] = single(((kind >>> 12) ^ (high >>> 20)) >>> 0, high)
      return
    case DOUBLE:
      double(kind, low, high, out, at)
      return
    case SMALL:
      out[at] = smalls(kind, low)
      out[at + 1] = smalls(high, low)
      return
    case TEXT:
      out[at] = letters(low)
      out[at + 1] = letters(high)
      return
    case INTEGER:
      out[at] = low
      out[at + 1] = high
      if ((kind & 7) === 0) out[at] = corners[(kind >>> 3) & 31]![0]
      if ((kind & 7) === 1) {
        const [l, h] = corners[(kind >>> 3) & 31]!
        out[at] = l
        out[at + 1] = h
      }
      if ((kind & 7) === 2) {
        out[at] = (kind >>> 3) & 127
        out[at + 1] = (kind >>> 10) & 1 ? 0 : high
      }
      if ((kind & 7) === 3) out[at] = 1 << ((kind >>> 3) & 31)
  }
}

/** The state a case begins with, from its stream. */
export function baseSimd(
  state: SimdState,
  flavour: number,
  next: () => number,
  corners: readonly (readonly [low: number, high: number])[],
): void {
  const k = next()
  state.mxcsr = 0x1f80
  if ((k & 7) < 4) state.mxcsr |= (k >>> 3) & 1 ? 0x20 : 0
  else {
    state.mxcsr |=
      ((k >>> 8) & 0x3f) | (((k >>> 14) & 3) << 13) | (((k >>> 16) & 1) << 6) | (((k >>> 17) & 1) << 15)
    if (((k >>> 18) & 7) === 0) state.mxcsr &= ~(((k >>> 21) & 0x3f) << 7)
  }
  const same = next()
  for (let i = 0; i < 128; i += 2) words(flavour, next, corners, state.ymm, i)
  if (same & 1) {
    const to = ((same >>> 1) & 15) * 8
    const from = ((same >>> 5) & 15) * 8
    state.ymm.copyWithin(to, from, from + 4)
  }
  for (let i = 0; i < 16; i += 2) words(flavour, next, corners, state.mm, i)
  state.tags = next() & 1 ? 0xff : 0
}

const hex = (value: number) => value.toString(16).padStart(8, '0')

function register(words_: Uint32Array, at: number, count: number): string {
  return [...words_.subarray(at, at + count)].map(hex).reverse().join('_')
}

/** What differs between the expected and the real state. `wide`: 64-bit mode, all sixteen registers. */
export function compareSimd(v: SimdVector, got: SimdState, wide: boolean): string[] {
  const list: string[] = []
  const { after } = v
  for (let i = 0; i < (wide ? 16 : 8); i++) {
    for (let j = 0; j < 8; j++) {
      if (after.ymm[i * 8 + j] === got.ymm[i * 8 + j]) continue
      list.push(`YMM${i}: expected ${register(after.ymm, i * 8, 8)}, got ${register(got.ymm, i * 8, 8)}`)
      break
    }
  }
  for (let i = 0; i < 8; i++) {
    if (after.mm[2 * i] === got.mm[2 * i] && after.mm[2 * i + 1] === got.mm[2 * i + 1]) continue
    list.push(`MM${i}: expected ${register(after.mm, i * 2, 2)}, got ${register(got.mm, i * 2, 2)}`)
  }
  if (after.mxcsr !== got.mxcsr) list.push(`MXCSR: expected ${hex(after.mxcsr)}, got ${hex(got.mxcsr)}`)
  if (after.tags !== got.tags) list.push(`tags: expected ${hex(after.tags)}, got ${hex(got.tags)}`)
  return list
}

export function describeSimd(v: SimdVector): string {
  const { before } = v
  const lines = []
  for (let i = 0; i < 16; i++) lines.push(`YMM${i}=${register(before.ymm, i * 8, 8)}`)
  for (let i = 0; i < 8; i++) lines.push(`MM${i}=${register(before.mm, i * 2, 2)}`)
  return `MXCSR=${hex(before.mxcsr)} ${lines.join(' ')}`
}
