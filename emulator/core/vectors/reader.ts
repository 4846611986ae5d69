// Reads a file of instruction vectors. The format, and why it is as it is: tools/vectors/README.md.
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { baseSimd, blankSimd, copySimd, type SimdVector } from './simd'
import { baseX87, blankX87, copyX87, type X87State, type X87Vector } from './x87'

export type Mode = 16 | 32 | 64

/** Memory the vectors use. Pages: w read and write, r read only, x execute and read. All around is not mapped. */
export interface Window {
  name: string
  base: bigint
  pages: string
}

export interface Form {
  group: string
  name: string
  cases: number
  /** Length of its records. */
  bytes: number
  /** In a file of vector-register cases: what the lanes hold. */
  flavour?: number
}

export interface Header {
  mode: Mode
  /** The records hold the x87 as well. */
  x87?: boolean
  environment: string
  /** Of the recording; part of every base state. */
  seed?: number
  /** Whose processor it was: Intel or other. */
  processor?: string
  cases: number
  segments: Record<SegmentName, { selector: number; base: bigint }>
  /** Raw descriptors of the local descriptor table. */
  ldt: bigint[]
  windows: Window[]
  forms: Form[]
}

export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const
export type SegmentName = (typeof SEGMENT_NAMES)[number]

export interface Patch {
  window: number
  offset: number
  bytes: Uint8Array
}

/** One case. Registers are pairs of 32-bit words (low, high), by their numbers in the encoding. One object is reused. */
export interface Vector {
  form: Form
  formIndex: number
  caseIndex: number
  code: Uint8Array
  codeWindow: number
  codeOffset: number
  /** Linear address of the first byte of the instruction. */
  linear: bigint
  /** The same as an offset in CS. */
  rip: bigint
  gpr: Uint32Array
  rflags: number
  /** ES, CS, SS, DS, FS, GS. */
  segments: Uint16Array
  patches: Patch[]
  expect: {
    gpr: Uint32Array
    rflags: number
    segments: Uint16Array
    vector: number
    error: bigint
    /** RIP in the frame of the exception. */
    rip: bigint
    cr2: bigint
    memory: Patch[]
  }
  /** Status flags the manual leaves undefined. */
  undefinedFlags: number
  /** Registers the manual leaves undefined, a bit each. */
  undefinedGprs: number
  /** Present in a file of vector-register cases. */
  simd?: SimdVector
  /** Present in a file of x87 vectors. */
  x87?: X87Vector
}

// biome-ignore format: a table
const CORNERS: readonly (readonly [low: number, high: number])[] = [
  [0, 0], [1, 0], [2, 0], [3, 0], [7, 0], [8, 0], [0x0f, 0], [0x10, 0],
  [0x1f, 0], [0x20, 0], [0x3f, 0], [0x40, 0], [0x7f, 0], [0x80, 0], [0xff, 0], [0x100, 0],
  [0x7fff, 0], [0x8000, 0], [0xffff, 0], [0x10000, 0], [0x7fffffff, 0], [0x80000000, 0], [0xffffffff, 0], [0, 1],
  [0xffffffff, 0x7fffffff], [0, 0x80000000], [0xffffffff, 0xffffffff], [0xfffffffe, 0xffffffff],
  [0x55555555, 0x55555555], [0xaaaaaaaa, 0xaaaaaaaa], [0x99999999, 0x99999999], [0x80000000, 0xffffffff],
]
const STATUS_AND_DF = 0x8d5 | 0x400
const STACK_WINDOW = 4

function mix(z: number): number {
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** The generator's stream of 32-bit numbers. */
export class Stream {
  constructor(private state: number) {}
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0
    return mix(this.state)
  }
}

/** The bytes of all windows before any case; code windows are filled with INT3. */
export function background(windows: readonly Window[]): Uint8Array[] {
  const stream = new Stream(0x52494e47)
  return windows.map((window) => {
    const words = new Uint32Array((window.pages.length * 4096) / 4)
    if (window.pages[0] === 'x') return new Uint8Array(words.fill(0xcccccccc).buffer)
    for (let i = 0; i < words.length; i++) words[i] = stream.next()
    return new Uint8Array(words.buffer)
  })
}

export class VectorFile {
  readonly header: Header
  private readonly body: Uint8Array
  /** Where the records of each form begin in the body. */
  private readonly starts: number[] = []
  private at = 0

  /** @throws Error when the bytes are not a vector file of a version known here. */
  constructor(raw: Uint8Array, name = 'vector file') {
    const magic = String.fromCharCode(...raw.subarray(0, 8))
    if (magic !== 'RSVECT01') throw new Error(`${name}: begins with ${JSON.stringify(magic)}, not RSVECT01`)
    const size = new DataView(raw.buffer, raw.byteOffset).getUint32(8, true)
    const json = JSON.parse(new TextDecoder().decode(raw.subarray(12, 12 + size)))
    for (const segment of Object.values<{ base: string | bigint }>(json.segments))
      segment.base = BigInt(segment.base)
    for (const window of json.windows) window.base = BigInt(window.base)
    json.ldt = json.ldt.map(BigInt)
    this.header = json
    this.body = raw.subarray(12 + size)
    let start = 0
    for (const form of this.header.forms) {
      this.starts.push(start)
      start += form.bytes
    }
    if (start !== this.body.length) {
      throw new Error(`${name}: holds ${this.body.length} bytes of vectors, its header says ${start}`)
    }
  }

  static open(path: string): VectorFile {
    const packed = readFileSync(path)
    return new VectorFile(path.endsWith('.br') ? brotliDecompressSync(packed) : packed, path)
  }

  private u8(): number {
    return this.body[this.at++]!
  }

  private u16(): number {
    return this.u8() | (this.u8() << 8)
  }

  private varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8()
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
  }

  /** A 64-bit value into words[2 * index] (low) and words[2 * index + 1]. */
  private words(into: Uint32Array, index: number): void {
    const n = this.u8()
    let low = 0
    let high = 0
    for (let i = 0; i < n; i++) {
      if (i < 4) low |= this.u8() << (8 * i)
      else high |= this.u8() << (8 * (i - 4))
    }
    into[2 * index] = low
    into[2 * index + 1] = high
  }

  private value(): bigint {
    const pair = new Uint32Array(2)
    this.words(pair, 0)
    return (BigInt(pair[1]!) << 32n) | BigInt(pair[0]!)
  }

  private bytes(n: number): Uint8Array {
    this.at += n
    return this.body.subarray(this.at - n, this.at)
  }

  private memory(): Patch[] {
    const list: Patch[] = []
    for (let n = this.u8(); n; n--) {
      const window = this.u8()
      const offset = this.u16()
      list.push({ window, offset, bytes: this.bytes(this.u8()) })
    }
    return list
  }

  /** The groups of forms, in order of first appearance, with their numbers of cases. */
  groups(): Map<string, number> {
    const groups = new Map<string, number>()
    for (const { group, cases } of this.header.forms) groups.set(group, (groups.get(group) ?? 0) + cases)
    return groups
  }

  /** The cases of a group, or all of them, in order. The yielded object is overwritten by the next one. */
  *vectors(group?: string): Generator<Vector> {
    const { forms, mode, windows, segments } = this.header
    const mask = mode === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn
    const selectors = SEGMENT_NAMES.map((name) => segments[name].selector)
    const v = blankVector()
    if (this.header.x87) v.x87 = blankX87()
    if (forms[0]?.flavour !== undefined) v.simd = { before: blankSimd(), after: blankSimd() }
    for (const [formIndex, form] of forms.entries()) {
      if (group !== undefined && form.group !== group) continue
      this.at = this.starts[formIndex]!
      v.form = form
      v.formIndex = formIndex
      for (let caseIndex = 0; caseIndex < form.cases; caseIndex++) {
        v.caseIndex = caseIndex
        this.baseState(v, formIndex, caseIndex)
        v.segments.set(selectors)
        const head = this.u8()
        v.code = this.bytes(this.u8())
        const place = this.u16()
        v.codeWindow = place >> 13
        v.codeOffset = place & 0x1fff
        v.linear = windows[v.codeWindow]!.base + BigInt(v.codeOffset)
        v.rip = mode === 16 ? v.linear - segments.cs.base : v.linear
        if (head & 1) {
          const set = this.varint()
          for (let i = 0; i < 16; i++) if (set & (1 << i)) this.words(v.gpr, i)
          if (set & 0x10000) v.rflags = this.varint()
        }
        v.patches = head & 2 ? this.memory() : []
        const e = v.expect
        e.segments.set(v.segments)
        if (head & 128) {
          const set = this.u8()
          const changed = this.u8()
          for (let i = 0; i < 6; i++) if (set & (1 << i)) v.segments[i] = this.u16()
          e.segments.set(v.segments)
          for (let i = 0; i < 6; i++) if (changed & (1 << i)) e.segments[i] = this.u16()
        }
        e.vector = 3
        e.error = 0n
        e.cr2 = 0n
        e.rip = v.rip + BigInt(v.code.length + 1)
        if (head & 4) {
          e.vector = this.u8()
          e.error = this.value()
          e.rip = (v.rip + this.value()) & mask
          if (e.vector === 14) e.cr2 = this.value()
        }
        e.rflags = (v.rflags ^ this.varint()) >>> 0
        v.undefinedFlags = head & 32 ? this.varint() : 0
        v.undefinedGprs = head & 64 ? this.varint() : 0
        e.gpr.set(v.gpr)
        if (head & 8) {
          const changed = this.varint()
          for (let i = 0; i < 16; i++) {
            if (!(changed & (1 << i))) continue
            this.words(e.gpr, i)
            e.gpr[2 * i]! ^= v.gpr[2 * i]!
            e.gpr[2 * i + 1]! ^= v.gpr[2 * i + 1]!
          }
        }
        e.memory = head & 16 ? this.memory() : []
        if (v.x87) this.x87(v.x87, formIndex, caseIndex)
        if (v.simd) this.simd(v.simd, formIndex, caseIndex)
        yield v
      }
    }
  }

  private simd(v: SimdVector, formIndex: number, caseIndex: number): void {
    const { before, after } = v
    const stream = new Stream(
      (((formIndex << 12) ^ caseIndex ^ (this.header.mode << 26) ^ (this.header.seed ?? 0)) + 0x5349_4d44) >>>
        0,
    )
    baseSimd(before, this.header.forms[formIndex]!.flavour!, () => stream.next(), CORNERS)
    let head = this.varint64()
    const other = head & 1n
    const mxcsr = head & 2n
    head >>= 2n
    const changed = Number(head)
    const mxcsrChange = mxcsr ? this.varint() : 0
    let set = 0
    let cleared = 0
    let mm = 0
    let tags = 0
    if (other) {
      set = this.varint()
      cleared = this.varint()
      mm = this.varint()
      tags = this.varint()
      before.tags ^= tags >> 8
      before.mxcsr ^= this.varint()
    }
    for (let i = 0; i < 32; i++) if (set & (1 << i)) this.quad(before.ymm, (i & 15) * 8 + (i >> 4) * 4)
    for (let i = 0; i < 8; i++) if (mm & (256 << i)) this.pair(before.mm, 2 * i)
    copySimd(after, before)
    after.mxcsr ^= mxcsrChange
    after.tags ^= tags & 0xff
    for (let i = 0; i < 8; i++) if (mm & (1 << i)) this.pair(after.mm, 2 * i)
    for (let i = 0; i < 32; i++) {
      const at = (i & 15) * 8 + (i >> 4) * 4
      if (cleared & (1 << i)) after.ymm.fill(0, at, at + 4)
      else if (changed & (1 << i)) this.quad(after.ymm, at)
    }
  }

  private quad(into: Uint32Array, at: number): void {
    for (let j = 0; j < 4; j++) into[at + j] = this.u16() | (this.u16() << 16)
  }

  private pair(into: Uint32Array, at: number): void {
    for (let j = 0; j < 2; j++) into[at + j] = this.u16() | (this.u16() << 16)
  }

  private varint64(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }

  private x87Registers(state: X87State): void {
    const mask = this.u8()
    for (let i = 0; i < 8; i++) {
      if (!(mask & (1 << i))) continue
      state.se[i] = this.u16()
      let sig = 0n
      for (let byte = 0n; byte < 64n; byte += 8n) sig |= BigInt(this.u8()) << byte
      state.sig[i] = sig
    }
  }

  private x87(v: X87Vector, formIndex: number, caseIndex: number): void {
    const { before, after } = v
    const stream = new Stream(
      mix((formIndex << 12) ^ caseIndex ^ (this.header.mode << 26) ^ 0x387 ^ (this.header.seed ?? 0)),
    )
    baseX87(before, () => stream.next())
    const head = this.u8()
    if (head & 1) {
      before.fcw = this.u16()
      before.fsw = this.u16()
      before.tags = this.u8()
    }
    if (head & 2) this.x87Registers(before)
    copyX87(after, before)
    after.fsw ^= this.varint()
    if (head & 4) after.fcw = this.u16()
    if (head & 8) after.tags = this.u8()
    if (head & 16) this.x87Registers(after)
    v.undefinedFsw = head & 32 ? this.varint() : 0
    v.inexact = (head & 64) !== 0
    v.holes = []
    if (!(head & 128)) return
    for (let n = this.u8(); n; n--) v.holes.push({ window: this.u8(), offset: this.u16(), length: this.u8() })
  }

  // The registers every case begins with unless the record says otherwise; the same as base_state() of the generator.
  private baseState(v: Vector, formIndex: number, caseIndex: number): void {
    const { mode, windows, segments } = this.header
    const wide = mode === 64
    const stream = new Stream(mix((formIndex << 12) ^ caseIndex ^ (mode << 26) ^ (this.header.seed ?? 0)))
    for (let i = 0; i < 16; i++) {
      const kind = stream.next()
      let low = stream.next()
      let high = stream.next()
      if ((kind & 7) === 5) [low, high] = CORNERS[(kind >>> 3) & 31]!
      else if ((kind & 7) === 6) {
        low = (low << 24) >> 24
        high = low >> 31
      } else if ((kind & 7) === 7) {
        const bit = (kind >>> 3) & 63
        low = bit < 32 ? 1 << bit : 0
        high = bit < 32 ? 0 : 1 << (bit - 32)
      }
      v.gpr[2 * i] = wide || i < 8 ? low : 0
      v.gpr[2 * i + 1] = wide ? high : 0
    }
    const sp = windows[STACK_WINDOW]!.base - segments.ss.base + 0x400n + BigInt(stream.next() & 0xbf0)
    v.gpr[8] = Number(sp)
    v.gpr[9] = 0
    v.rflags = 0x202 | (stream.next() & STATUS_AND_DF)
  }
}

function blankVector(): Vector {
  const none = new Uint8Array()
  return {
    form: { group: '', name: '', cases: 0, bytes: 0 },
    formIndex: 0,
    caseIndex: 0,
    code: none,
    codeWindow: 0,
    codeOffset: 0,
    linear: 0n,
    rip: 0n,
    gpr: new Uint32Array(32),
    rflags: 0,
    segments: new Uint16Array(6),
    patches: [],
    expect: {
      gpr: new Uint32Array(32),
      rflags: 0,
      segments: new Uint16Array(6),
      vector: 3,
      error: 0n,
      rip: 0n,
      cr2: 0n,
      memory: [],
    },
    undefinedFlags: 0,
    undefinedGprs: 0,
  }
}
