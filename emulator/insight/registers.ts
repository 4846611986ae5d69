// General registers by the names and widths of the mode they are used in.
import { hex } from './hex'
import { codeBits } from './mode'

const LEGACY = ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI']
/** The order people read them in: indices into RAX RCX RDX RBX RSP RBP RSI RDI. */
const READING_ORDER = [0, 3, 1, 2, 6, 7, 5, 4]

export interface NamedRegister {
  name: string
  value: bigint
  /** Hexadecimal digits that it has. */
  digits: number
}

/** RAX..RDI and R8..R15 in 64-bit code, EAX..EDI elsewhere. @param gpr in encoding order @param mode MODE_* bits */
export function generalRegisters(gpr: readonly bigint[], mode: number): NamedRegister[] {
  const long = codeBits(mode) === 64
  const mask = long ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn
  const named = READING_ORDER.map((i) => ({
    name: `${long ? 'R' : 'E'}${LEGACY[i]}`,
    value: gpr[i]! & mask,
    digits: long ? 16 : 8,
  }))
  if (!long) return named
  return [...named, ...gpr.slice(8, 16).map((value, i) => ({ name: `R${i + 8}`, value, digits: 16 }))]
}

/** "EAX 00000011  EBX 00000000 ...", four in a line. */
export function registerLines(registers: readonly NamedRegister[]): string[] {
  const cells = registers.map(({ name, value, digits }) => `${name.padEnd(3)} ${hex(value, digits)}`)
  const lines: string[] = []
  for (let i = 0; i < cells.length; i += 4) lines.push(cells.slice(i, i + 4).join('  '))
  return lines
}
