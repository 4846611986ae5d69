// Every byte sequence is a legal input: random ones, rich in prefixes, escapes and odd encodings, are executed in every mode and
// at every distance from the end of a page. Whatever they mean, the module never traps and never finds itself inconsistent.
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as L from './layout'
import { TestCore } from './testing/core'
import { Lost, VectorMachine } from './vectors/harness'
import { Stream, type Vector, VectorFile } from './vectors/reader'

/** Cases of a mode; FUZZ=20000 in the environment makes it a longer search. */
const CASES = Number(process.env.FUZZ ?? 400)

const PREFIXES = [
  0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x40, 0x41, 0x44, 0x48, 0x4c, 0x4f,
]

/** Up to 15 bytes, sometimes more: prefixes of any number and order, then an opcode of any map. */
function bytes(stream: Stream): Uint8Array {
  const list: number[] = []
  const next = (below: number) => stream.next() % below
  const prefixes = next(4) === 0 ? next(18) : next(4)
  for (let i = 0; i < prefixes; i++) list.push(PREFIXES[next(PREFIXES.length)]!)
  const kind = next(16)
  if (kind < 4) list.push(0x0f)
  else if (kind === 4) list.push(0x0f, 0x38)
  else if (kind === 5) list.push(0x0f, 0x3a)
  else if (kind < 8) list.push(0xc5, next(256))
  else if (kind < 10) list.push(0xc4, next(256) & (next(3) ? 0xe3 : 0xff), next(256))
  else if (kind === 10) list.push(0x62, next(256), next(256), next(256))
  else if (kind === 11) list.push(0x0f, 0x01)
  const rest = 1 + next(12)
  for (let i = 0; i < rest; i++) list.push(next(256))
  return Uint8Array.from(list.slice(0, next(8) === 0 ? 24 : 15))
}

const hex = (code: Uint8Array) => Buffer.from(code).toString('hex')

describe('at CPL 3, with pages of every kind around', () => {
  test.each(['integer-64', 'sse-32', 'integer-16'])('%s', (name) => {
    const source = VectorFile.open(fileURLToPath(new URL(`vectors/${name}.bin.br`, import.meta.url)))
    const { header } = source
    const stream = new Stream(0xf0220000 + header.mode)
    let machine = new VectorMachine(header)
    let count = 0
    for (const vector of source.vectors()) {
      // Registers and memory of a recorded case, which point to something; the instruction is another.
      if (process.env.FUZZ === undefined && stream.next() % 5) continue
      const code = bytes(stream)
      const window = header.windows[vector.codeWindow]!
      const size = window.pages.length * 4096
      const offset = stream.next() % 3 ? vector.codeOffset : size - 1 - (stream.next() % 16)
      const place: Vector = { ...vector, code, codeOffset: offset }
      place.linear = window.base + BigInt(offset)
      place.rip = header.mode === 16 ? place.linear - header.segments.cs.base : place.linear
      machine.apply(vector.patches)
      try {
        machine.run(place)
      } catch (error) {
        // It ran away, or out of patience: any program may.
        if (!(error instanceof Lost))
          throw new Error(`${hex(code)} at ${offset}: ${(error as Error).message}`)
        expect(error.message, hex(code)).not.toMatch(/reason 6/)
        machine = new VectorMachine(header)
      }
      count++
    }
    expect(count).toBeGreaterThan(1500)
  })
})

interface RunExports {
  machinePowerOn(): void
  run(instructions: bigint): number
}

const IDT = 0x2000
const GDT = 0x1000
const HANDLER = 0x600
const CODE = 0x7000
const STACK = 0x6000
const TABLES = 0x10000

describe('at CPL 0, and in V86 mode', () => {
  const core = new TestCore()
  const exports = core.exports as unknown as RunExports
  const view = new DataView(core.memory.buffer)
  const ram = core.header32(L.HDR_RAM)
  const put64 = (at: number, value: bigint) => view.setBigUint64(ram + at, value, true)
  const cpu64 = (field: number, value: bigint) => view.setBigUint64(L.VCPUS + field, value, true)
  const cpu32 = (field: number, value: number) => view.setUint32(L.VCPUS + field, value, true)

  function segment(index: number, selector: number, base: number, limit: number, attributes: number) {
    const at = L.VCPUS + L.CPU_SEGMENTS + index * L.SEGMENT_SIZE
    view.setBigUint64(at + L.SEGMENT_BASE, BigInt(base), true)
    view.setUint32(at + L.SEGMENT_LIMIT, limit, true)
    view.setUint16(at + L.SEGMENT_SELECTOR, selector, true)
    view.setUint16(at + L.SEGMENT_ATTRIBUTES, attributes, true)
    const readable = BigInt(limit)
    view.setBigInt64(at + L.SEGMENT_READ_LIMIT, readable, true)
    view.setBigInt64(at + L.SEGMENT_WRITE_LIMIT, index === L.SEG_CS ? -1n : readable, true)
  }

  /** Power-on, tables in RAM, every exception to a HLT, and the processor in the middle of `mode`. */
  function enter(mode: string) {
    core.u8.fill(0, ram, ram + 0x20000)
    exports.machinePowerOn()
    core.header32(L.HDR_STOP_REASON, L.STOP_NONE)
    core.header32(L.HDR_STATE, L.STATE_RUNNING)
    view.setUint8(ram + HANDLER, 0xf4)
    view.setUint8(ram + HANDLER + 1, 0xf4)
    for (let n = 0; n < 256; n++) view.setUint32(ram + n * 4, HANDLER, true)
    const long = mode === '64-bit' || mode === 'compatibility'
    const gates = BigInt(HANDLER) | (8n << 16n) | (0x8e00n << 32n)
    put64(GDT + 8, long ? 0x00af9b000000ffffn : 0x00cf9b000000ffffn)
    put64(GDT + 16, 0x00cf93000000ffffn)
    put64(GDT + 24, 0x00cf9b000000ffffn)
    put64(GDT + 32, 0x0000890030000067n)
    for (let n = 0; n < 256; n++) put64(IDT + n * (long ? 16 : 8), gates)
    view.setUint32(ram + 0x3004, STACK, true)
    view.setUint16(ram + 0x3008, 16, true)
    if (mode === 'real') return segment(L.SEG_CS, 0, 0, 0xffff, 0x9b)
    const flat = mode === '16-bit' ? 0xffff : 0xffffffff
    const size = mode === '16-bit' ? 0 : 0x4000
    cpu64(L.CPU_CR0, 0x11n)
    cpu64(L.CPU_GDTR_BASE, BigInt(GDT))
    cpu32(L.CPU_GDTR_LIMIT, 39)
    cpu64(L.CPU_IDTR_BASE, BigInt(IDT))
    cpu32(L.CPU_IDTR_LIMIT, 0xfff)
    const bits = mode === '16-bit' ? L.MODE_CODE16 : L.MODE_CODE32 | L.MODE_STACK32
    let word = bits | L.MODE_PROTECTED
    let code = 0x9b | size | 0x8000
    if (long) {
      put64(TABLES, BigInt(TABLES + 0x1000) | 7n)
      put64(TABLES + 0x1000, 0x87n)
      cpu64(L.CPU_CR0, 0x80000011n)
      cpu64(L.CPU_CR3, BigInt(TABLES))
      cpu64(L.CPU_CR4, 0x606a0n)
      cpu64(L.CPU_EFER, 0xd01n)
      cpu64(L.CPU_XCR0, 7n)
      word |= L.MODE_LONG | L.MODE_PAGING
      if (mode === '64-bit') {
        word = (word & ~L.MODE_SIZE) | L.MODE_CODE64
        code = 0x9b | 0x2000 | 0x8000
      }
    }
    segment(L.SEG_CS, mode === 'compatibility' ? 24 : 8, 0, flat, code)
    for (const index of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS])
      segment(index, 16, 0, flat, 0x8093 | size)
    segment(L.SEG_TR, 32, 0x3000, 0x67, 0x8b)
    if (mode === 'V86') {
      for (let index = 0; index < 6; index++) segment(index, 0, 0, 0xffff, 0xf3)
      word = L.MODE_CODE16 | L.MODE_PROTECTED | L.MODE_V86
      cpu64(L.CPU_RFLAGS, 0x23002n)
      cpu32(L.CPU_CPL, 3)
    }
    cpu32(L.CPU_MODE, word)
  }

  test.each(['real', '16-bit', '32-bit', '64-bit', 'compatibility', 'V86'])('%s', (mode) => {
    const stream = new Stream(0xf0220100 + mode.length)
    for (let n = 0; n < CASES; n++) {
      enter(mode)
      const code = bytes(stream)
      // Across the end of a page, too.
      const at = stream.next() % 3 ? CODE : CODE + 0xfff - (stream.next() % 15)
      core.u8.set(code, ram + at)
      core.u8.fill(0xf4, ram + at + code.length, ram + at + code.length + 16)
      cpu64(L.CPU_RIP, BigInt(at))
      for (let i = 0; i < 16; i++) {
        const value = BigInt(stream.next()) | (BigInt(stream.next()) << 32n)
        const pointer = BigInt(0x8000 + (stream.next() & 0x3fff))
        cpu64(L.CPU_RAX + 8 * i, i === 4 ? BigInt(STACK) : stream.next() & 1 ? pointer : value)
      }
      let stopped = L.STOP_NONE
      try {
        exports.run(64n)
        stopped = core.header32(L.HDR_STOP_REASON)
      } catch (error) {
        throw new Error(`${mode}: ${hex(code)} at ${at.toString(16)}: ${(error as Error).message}`)
      }
      expect(stopped, `${mode}: ${hex(code)}`).not.toBe(L.STOP_INTERNAL)
    }
  })
})
