// The x87 part of a vector: the state every case begins with, what its record changes, and how results are compared.
// The same streams as base_x87() and x87_value() of tools/vectors/generator/prng.c.

/** By physical registers; `tags` has a bit per register, 1 when in use. */
export interface X87State {
  fcw: number
  fsw: number
  tags: number
  /** Sign and exponent. */
  se: Uint16Array
  sig: BigUint64Array
}

export interface X87Vector {
  before: X87State
  after: X87State
  /** Bits of the status word that the manual leaves undefined. */
  undefinedFsw: number
  /** Transcendental: registers may differ by one unit in the last place. */
  inexact: boolean
  /** Memory that is not compared: pointers of the environment. */
  holes: { window: number; offset: number; length: number }[]
}

export function blankX87(): X87Vector {
  const state = (): X87State => ({
    fcw: 0,
    fsw: 0,
    tags: 0,
    se: new Uint16Array(8),
    sig: new BigUint64Array(8),
  })
  return { before: state(), after: state(), undefinedFsw: 0, inexact: false, holes: [] }
}

export function copyX87(to: X87State, from: X87State): void {
  to.fcw = from.fcw
  to.fsw = from.fsw
  to.tags = from.tags
  to.se.set(from.se)
  to.sig.set(from.sig)
}

const TOP = 1n << 63n
const ALL = (1n << 64n) - 1n
// biome-ignore format: a table
const CORNER_SE = [0, 0, 0x3fff, 0x3fff, 0x3ffe, 0x4000, 0x7fff, 0x7fff, 0x7fff, 0x7ffe, 1, 0, 0, 0x4000, 0x3ffe, 0x403e]
// biome-ignore format: a table
const CORNER_SIG = [0n, 0n, TOP, TOP, TOP, TOP, TOP, 3n << 62n, 5n << 61n, ALL, TOP, 1n, TOP, 0xc90fdaa22168c235n, ALL, TOP]

function setValue(state: X87State, i: number, kind: number, lo: number, hi: number): void {
  const raw = (BigInt(hi) << 32n) | BigInt(lo)
  const n = kind >>> 4
  let m = raw | TOP
  let e: number
  switch (kind & 15) {
    case 7:
      e = n & 0x7fff
      break
    case 8:
      m = BigInt((lo & (n & 1 ? 0xff : 0xffffff)) | 1)
      e = 0x3fff + 63
      while (!(m & TOP)) {
        m <<= 1n
        e--
      }
      break
    case 9:
      e = CORNER_SE[n & 15]!
      m = CORNER_SIG[n & 15]!
      break
    case 10:
      e = 0x3fff - 4 + (n & 7)
      m = TOP | (1n << BigInt(lo & 63)) | (BigInt(hi & 1) << BigInt((hi >>> 1) & 63))
      break
    case 11:
      e = 0x3ffe + (n & 3)
      m = ((ALL << BigInt(lo & 63)) & ALL) | TOP
      break
    case 12:
      e = 0
      m = raw >> BigInt(n & 63)
      break
    case 13:
      e = n & 4 ? 1 + (n & 3) : 0x7ffe - (n & 3)
      break
    case 14:
      e = n & 1 ? 0x7fff : (n >>> 1) & 0x7fff
      m = n & 0x10000 ? raw | TOP : raw
      break
    case 15:
      e = 0x3fff - 16 + (n & 31)
      m &= n & 32 ? ALL ^ 0x7ffn : ALL ^ 0xff_ffff_ffffn
      break
    default:
      e = 0x3fff - 32 + (n & 63)
  }
  state.se[i] = ((kind >>> 31) << 15) | e
  state.sig[i] = m
}

/** The state a case begins with; `next` is the stream seeded for it. */
export function baseX87(state: X87State, next: () => number): void {
  const k = next()
  const t = next()
  const masks = (k & 7) < 6 ? 0x3f : (k & 7) === 6 ? (k >>> 3) & 0x3f : 0
  const rc = (k >>> 11) & 1 ? (k >>> 9) & 3 : 0
  let pc = (k >>> 14) & 1 ? 3 : (k >>> 12) & 3
  if (pc === 1) pc = 3
  state.fcw = 0x40 | masks | (rc << 10) | (pc << 8)
  state.tags = ((k >>> 19) & 7) === 0 ? (k >>> 22) & 0xff : 0xff
  let sticky = ((t >>> 16) & 3) === 0 ? t & 0x7f : 0
  if ((t >>> 18) & 7) sticky &= masks | 0x40
  state.fsw = (t & 0x4700) | (((k >>> 16) & 7) << 11) | sticky
  if (sticky & ~masks & 0x3f) state.fsw |= 0x8080
  for (let i = 0; i < 8; i++) {
    const kind = next()
    const lo = next()
    setValue(state, i, kind, lo, next())
  }
}

/** Distance in units of the last place between two values of the same sign, as an ordinal; large for NaN and the like. */
function near(se: number, sig: bigint, otherSe: number, otherSig: bigint): boolean {
  if ((se ^ otherSe) & 0x8000) return false
  const ordinal = (e: number, s: bigint) =>
    s & TOP ? (BigInt(e & 0x7fff || 1) << 63n) + (s - TOP) : s - TOP + (1n << 63n)
  const d = ordinal(se, sig) - ordinal(otherSe, otherSig)
  return d >= -1n && d <= 1n
}

const hex = (value: number | bigint) => `${value.toString(16).toUpperCase()}h`

/** What differs between the machine's x87 and the processor's. */
export function compareX87(v: X87Vector, got: X87State): string[] {
  const { after } = v
  const list: string[] = []
  if (got.fcw !== after.fcw) list.push(`FCW: expected ${hex(after.fcw)}, got ${hex(got.fcw)}`)
  const fsw = (got.fsw ^ after.fsw) & ~v.undefinedFsw & 0xffff
  if (fsw) list.push(`FSW: expected ${hex(after.fsw)}, got ${hex(got.fsw)} (differ in ${hex(fsw)})`)
  if (got.tags !== after.tags) list.push(`tags: expected ${hex(after.tags)}, got ${hex(got.tags)}`)
  for (let i = 0; i < 8; i++) {
    if (got.se[i] === after.se[i] && got.sig[i] === after.sig[i]) continue
    if (v.inexact && near(got.se[i]!, got.sig[i]!, after.se[i]!, after.sig[i]!)) continue
    list.push(`R${i}: expected ${text(after, i)}, got ${text(got, i)}`)
  }
  return list
}

export function text(state: X87State, i: number): string {
  const digits = state.sig[i]!.toString(16).padStart(16, '0')
  return `${state.se[i]!.toString(16).padStart(4, '0')}_${digits}`.toUpperCase()
}

/** The state before a case, in words. */
export function describeX87({ before }: X87Vector): string {
  const registers = [...before.se.keys()].map((i) => `R${i}=${text(before, i)}`)
  return `FCW=${hex(before.fcw)} FSW=${hex(before.fsw)} (TOP ${(before.fsw >> 11) & 7}) tags=${hex(before.tags)} ${registers.join(' ')}`
}
