// Compares what the machine did with what the processor did, and says the difference so that a person can act on it.
import { createRequire } from 'node:module'
import { Lost, type Outcome, VectorMachine } from './harness'
import { background, type Header, type Patch, SEGMENT_NAMES, type Vector } from './reader'
import { compareSimd, describeSimd } from './simd'
import { compareX87, describeX87 } from './x87'

const NAMES = 'RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15'.split(' ')
const SELECTOR_64 = 0x33
const FLAG_NAMES: [number, string][] = [
  [0x1, 'CF'],
  [0x4, 'PF'],
  [0x10, 'AF'],
  [0x40, 'ZF'],
  [0x80, 'SF'],
  [0x100, 'TF'],
  [0x200, 'IF'],
  [0x400, 'DF'],
  [0x800, 'OF'],
  [0x3000, 'IOPL'],
  [0x4000, 'NT'],
  [0x1_0000, 'RF'],
  [0x4_0000, 'AC'],
  [0x20_0000, 'ID'],
]
const EXCEPTIONS = '#DE #DB NMI #BP #OF #BR #UD #NM #DF - #TS #NP #SS #GP #PF - #MF #AC #MC #XM'.split(' ')

const hex = (value: bigint | number) => `${value.toString(16).toUpperCase()}h`
const bytesOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Runs cases and compares. One machine for all of them, until one is lost. */
export class Bench {
  private machine: VectorMachine | undefined
  private readonly back: Uint8Array[]
  /** What the windows must hold after the case. */
  private readonly want: Buffer[]
  private readonly wide: boolean

  constructor(private readonly header: Header) {
    this.back = background(header.windows)
    this.want = this.back.map((bytes) => Buffer.from(bytes))
    this.wide = header.mode === 64
  }

  /** @returns the differences, empty when machine and processor agree */
  check(v: Vector): string[] {
    this.machine ??= new VectorMachine(this.header)
    const { machine } = this
    machine.apply(v.patches)
    let outcome: Outcome
    try {
      outcome = machine.run(v)
    } catch (error) {
      if (!(error instanceof Lost || error instanceof WebAssembly.RuntimeError)) throw error
      this.machine = undefined
      return [error.message]
    }
    const differences = this.registers(v, outcome)
    if (v.x87) differences.push(...compareX87(v.x87, outcome.x87))
    if (v.simd) differences.push(...compareSimd(v.simd, outcome.simd, this.wide))
    this.put(v.patches)
    this.put(v.expect.memory)
    const holes = v.x87?.holes ?? []
    for (const { window, offset, length } of holes) {
      this.want[window]!.set(machine.windows[window]!.subarray(offset, offset + length), offset)
    }
    let changed = false
    for (const [index, window] of this.header.windows.entries()) {
      if (window.pages[0] === 'x') continue
      const now = machine.windows[index]!
      if (this.want[index]!.equals(now)) continue
      changed = true
      differences.push(...this.memory(index, now))
    }
    const touched = holes.map(({ length, ...at }) => ({ ...at, bytes: { length } }))
    for (const patch of [...v.patches, ...v.expect.memory, ...touched]) {
      const original = this.back[patch.window]!.subarray(patch.offset, patch.offset + patch.bytes.length)
      this.want[patch.window]!.set(original, patch.offset)
      machine.windows[patch.window]!.set(original, patch.offset)
    }
    if (changed) for (const [index, bytes] of this.back.entries()) machine.windows[index]!.set(bytes)
    return differences
  }

  private put(patches: readonly Patch[]): void {
    for (const { window, offset, bytes } of patches) this.want[window]!.set(bytes, offset)
  }

  private registers(v: Vector, got: Outcome): string[] {
    const { expect } = v
    const list: string[] = []
    const event = (vector: number, error: bigint, rip: bigint, cr2: bigint) =>
      `${EXCEPTIONS[vector] ?? hex(vector)}(${hex(error)}) at RIP ${hex(rip)}${vector === 14 ? `, CR2 ${hex(cr2)}` : ''}`
    if (
      got.vector !== expect.vector ||
      got.error !== expect.error ||
      got.rip !== expect.rip ||
      (expect.vector === 14 && got.cr2 !== expect.cr2)
    ) {
      list.push(
        `exception: expected ${event(expect.vector, expect.error, expect.rip, expect.cr2)}, ` +
          `got ${event(got.vector, got.error, got.rip, got.cr2)}`,
      )
    }
    const crossed = this.wide !== (expect.segments[1] === SELECTOR_64)
    const narrow = !this.wide || crossed
    for (let i = 0; i < (narrow ? 8 : 16); i++) {
      if (v.undefinedGprs & (1 << i)) continue
      const same =
        got.gpr[2 * i] === expect.gpr[2 * i] && (narrow || got.gpr[2 * i + 1] === expect.gpr[2 * i + 1])
      if (!same)
        list.push(
          `${NAMES[i]}: expected ${register(expect.gpr, i, narrow)}, got ${register(got.gpr, i, narrow)}`,
        )
    }
    const flags = (got.rflags ^ expect.rflags) & 0x3f_ffff & ~v.undefinedFlags
    if (flags)
      list.push(`RFLAGS: expected ${flagsIn(expect.rflags, flags)}, got ${flagsIn(got.rflags, flags)}`)
    for (const [i, name] of SEGMENT_NAMES.entries()) {
      if (got.segments[i] !== expect.segments[i]) {
        list.push(`${name.toUpperCase()}: expected ${hex(expect.segments[i]!)}, got ${hex(got.segments[i]!)}`)
      }
    }
    return list
  }

  private memory(index: number, now: Uint8Array): string[] {
    const want = this.want[index]!
    const list: string[] = []
    let count = 0
    for (let i = 0; i < now.length; i++) {
      if (now[i] === want[i] || ++count > 1) continue
      const end = Math.min(i + 16, now.length)
      const address = hex(this.header.windows[index]!.base + BigInt(i))
      list.push(
        `memory at ${address}: expected ${bytesOf(want.subarray(i, end))}, got ${bytesOf(now.subarray(i, end))}`,
      )
    }
    if (count > 1) list[0] += ` (${count} bytes differ)`
    return list
  }

  /** The case with no more than the instruction reads, and what is different. */
  minimal(v: Vector, differences: readonly string[]): string {
    const { header } = this
    const reads = readBy(v, header.mode)
    const state = NAMES.map((name, i) => `${name}=${register(v.gpr, i, !this.wide)}`).filter((_, i) =>
      reads.has(NAMES[i]!),
    )
    const lines = [
      `${v.form.name}, case ${v.caseIndex}, ${header.mode}-bit code`,
      `  ${bytesOf(v.code)}  ${disassemble(v, header.mode)}`,
      `  from ${[...state, `RFLAGS=${hex(v.rflags)} (${flagsIn(v.rflags, v.rflags)})`, `RIP=${hex(v.rip)}`].join(' ')}`,
    ]
    for (const { window, offset, bytes } of v.patches) {
      lines.push(`  memory at ${hex(header.windows[window]!.base + BigInt(offset))}: ${bytesOf(bytes)}`)
    }
    if (v.x87) lines.push(`  ${describeX87(v.x87)}`)
    if (v.simd) {
      const parts = describeSimd(v.simd).split(' ')
      lines.push(
        `  ${parts.filter((part) => /^MXCSR/.test(part) || reads.has(part.split('=')[0]!)).join(' ')}`,
      )
    }
    for (const difference of differences) lines.push(`  ${difference}`)
    return lines.join('\n')
  }

  /** The case in words: the instruction, what it begins with, and what is different. */
  describe(v: Vector, differences: readonly string[]): string {
    const { header } = this
    const n = this.wide ? 16 : 8
    const state = NAMES.slice(0, n).map((name, i) => `${name}=${register(v.gpr, i, !this.wide)}`)
    const lines = [
      `${v.form.name}, case ${v.caseIndex}: ${bytesOf(v.code)}  ${disassemble(v, header.mode)}`,
      `  at ${hex(v.linear)}; ${state.join(' ')} RFLAGS=${hex(v.rflags)} (${flagsIn(v.rflags, v.rflags)})`,
      `  ES..GS ${[...v.segments].map((s) => hex(s)).join(' ')}`,
    ]
    for (const { window, offset, bytes } of v.patches) {
      lines.push(`  memory at ${hex(header.windows[window]!.base + BigInt(offset))}: ${bytesOf(bytes)}`)
    }
    if (v.x87) lines.push(`  ${describeX87(v.x87)}`)
    if (v.simd) lines.push(`  ${describeSimd(v.simd)}`)
    for (const difference of differences) lines.push(`  ${difference}`)
    return lines.join('\n')
  }
}

/** `RAX`, `XMM3` and the like: what the instruction reads, by its full name in the descriptions here. */
function readBy(v: Vector, mode: number): Set<string> {
  const { Decoder, DecoderOptions, InstructionInfoFactory, OpAccess, Register, RegisterExt } = fromHere(
    'iced-x86',
  ) as typeof import('iced-x86')
  const decoder = new Decoder(mode, v.code, DecoderOptions.None)
  const instruction = decoder.decode()
  const factory = new InstructionInfoFactory()
  const info = factory.info(instruction)
  const names = new Set<string>()
  for (const used of info.usedRegisters()) {
    if (used.access !== OpAccess.Write && used.access !== OpAccess.CondWrite) {
      const full = RegisterExt.fullRegister(used.register)
      names.add((Register[full] ?? '').replace('ZMM', 'YMM'))
    }
    used.free()
  }
  for (const object of [info, factory, instruction, decoder]) object.free()
  return names
}

function register(words: Uint32Array, i: number, narrow: boolean): string {
  const low = BigInt(words[2 * i]!)
  return hex(narrow ? low : (BigInt(words[2 * i + 1]!) << 32n) | low)
}

function flagsIn(flags: number, mask: number): string {
  const names = FLAG_NAMES.filter(([bit]) => mask & bit).map(([bit, name]) =>
    flags & bit ? name : name.toLowerCase(),
  )
  return names.join(' ') || '-'
}

const fromHere = createRequire(import.meta.url)

function disassemble(v: Vector, mode: number): string {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = fromHere(
    'iced-x86',
  ) as typeof import('iced-x86')
  const decoder = new Decoder(mode, v.code, DecoderOptions.None)
  decoder.ip = v.rip
  const instruction = decoder.decode()
  const formatter = new Formatter(FormatterSyntax.Nasm)
  const text = formatter.format(instruction)
  for (const object of [formatter, instruction, decoder]) object.free()
  return text
}
