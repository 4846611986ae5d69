// What the guest is about to execute, in NASM's syntax, by iced-x86: loaded when the first listing is asked for.
import type { CpuSnapshot, LinearAddress, Machine } from '@emulator/machine/api'
import { linear } from '@emulator/machine/api'
import type { CodeLine, CodeListing, Interest } from '../preload/bridge'

type Iced = typeof import('iced-x86')
let iced: Iced | undefined
let loading: Promise<Iced> | undefined

/** Resolves when listings can be made. */
export async function loadDisassembler(): Promise<void> {
  loading ??= import('iced-x86').then((module) => (iced = (module as { default?: Iced }).default ?? module))
  await loading
}

/** @returns true when listings can be made; otherwise `whenReady` is called once they can */
export function disassemblerReady(whenReady: () => void): boolean {
  if (iced) return true
  void loadDisassembler().then(whenReady)
  return false
}

/** Text of the one instruction at the start of `bytes`. The disassembler must have been loaded. */
export const instructionText = (bytes: Uint8Array, rip: bigint, bits: 16 | 32 | 64): string =>
  decode(bytes, rip, bits, 1)[0]?.text ?? ''

/** Longest instruction, SDM 2A 2.3.11. */
const INSTRUCTION_MAX = 15

/**
 * Listing around an offset in the current code segment.
 * @param wish how many lines, how many of them before the anchor; without `at` the anchor is RIP
 */
export function disassemble(
  machine: Pick<Machine, 'readLinear'>,
  cpu: CpuSnapshot,
  wish: Exclude<Interest['code'], false>,
): CodeListing {
  const { cs } = cpu.segments
  const bits = wish.bits ?? cpu.bits
  const mask = bits === 64 ? (1n << 64n) - 1n : bits === 32 ? 0xffff_ffffn : 0xffffn
  const anchor = (wish.at === undefined ? cpu.rip : BigInt(`0x${wish.at}`)) & mask
  const read = (offset: bigint, length: number): Uint8Array =>
    machine.readLinear(linear(cs.base + (offset & mask)) as LinearAddress, length, cpu.index)
  const before = linesBefore(read, anchor, wish.before, bits)
  const rest = wish.lines - before.length
  const code = read(anchor, rest * INSTRUCTION_MAX)
  const lines = [...before, ...decode(code, anchor, bits, rest)]
  return {
    rip: cpu.rip,
    selector: cs.selector,
    base: cs.base,
    bits,
    protectedMode: cpu.mode !== 'real' && cpu.mode !== 'v86',
    lines,
    unmapped: code.length === 0,
  }
}

/**
 * x86 cannot be read backwards. The longest run of whole instructions that ends exactly at the anchor is most likely
 * what the compiler meant: wrong starts fall into step within a few instructions.
 */
function linesBefore(
  read: (offset: bigint, length: number) => Uint8Array,
  anchor: bigint,
  count: number,
  bits: 16 | 32 | 64,
): CodeLine[] {
  if (count === 0) return []
  const reach = Number(anchor < BigInt(count * 8) ? anchor : BigInt(count * 8))
  for (let back = reach; back > 0; back--) {
    const bytes = read(anchor - BigInt(back), back)
    if (bytes.length < back) continue
    const lines = decode(bytes, anchor - BigInt(back), bits, back)
    const whole = lines.every(
      ({ text, bytes }) => text !== '(bad)' && !(bytes.length === 2 && bytes[0] === 0 && bytes[1] === 0),
    )
    const length = lines.reduce((sum, line) => sum + line.bytes.length, 0)
    if (whole && length === back) return lines.slice(-count)
  }
  return []
}

function decode(bytes: Uint8Array, offset: bigint, bits: 16 | 32 | 64, count: number): CodeLine[] {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax, Instruction, FlowControl } = iced!
  const decoder = new Decoder(bits, bytes, DecoderOptions.None)
  const formatter = new Formatter(FormatterSyntax.Nasm)
  const instruction = new Instruction()
  const lines: CodeLine[] = []
  try {
    formatter.hexPrefix = '0x'
    formatter.hexSuffix = ''
    formatter.uppercaseHex = false
    formatter.spaceAfterOperandSeparator = true
    formatter.branchLeadingZeros = false
    formatter.showBranchSize = false
    formatter.smallHexNumbersInDecimal = true
    decoder.ip = offset
    while (lines.length < count && decoder.canDecode) {
      const start = decoder.position
      decoder.decodeOut(instruction)
      const end = decoder.position
      // The last instruction may be cut off by the end of what is mapped.
      if (
        instruction.isInvalid &&
        end === bytes.length &&
        bytes.length - start < INSTRUCTION_MAX &&
        start > 0
      )
        break
      const line: CodeLine = {
        offset: instruction.ip,
        bytes: bytes.slice(start, end),
        text: instruction.isInvalid ? '(bad)' : formatter.format(instruction),
      }
      const flow = instruction.flowControl
      const branches =
        flow === FlowControl.UnconditionalBranch ||
        flow === FlowControl.ConditionalBranch ||
        flow === FlowControl.Call
      if (branches && instruction.nearBranchTarget !== 0n) line.target = instruction.nearBranchTarget
      lines.push(line)
    }
  } finally {
    instruction.free()
    formatter.free()
    decoder.free()
  }
  return lines
}
