// The triple-fault account as plain text, for a terminal, the clipboard and a bug report.
import type { Finding } from './autopsy'
import { CR0_BITS, bitNames } from './control-bits'
import { descriptorInWords } from './descriptor'
import type { ExceptionRecord } from './exception-log'
import { exceptionName } from './exceptions'
import { flagLetters } from './flags'
import { hex, hex0x, hexBytes } from './hex'
import { codeBits, isLong, modeInWords } from './mode'
import type { Walk } from './page-walk'
import { generalRegisters, registerLines } from './registers'
import {
  type FaultStep,
  type GateLookup,
  type SelectorLookup,
  type TripleFaultReport,
  title,
} from './triple-fault'

const WIDTH = 100
const EARLIER = 4

/**
 * Several lines without a final line break.
 * @param findings what it looks like, the likeliest first
 */
export function tripleFaultText(report: TripleFaultReport, findings: readonly Finding[] = []): string {
  const first = report.steps[0]!.record
  const lines = [
    `Triple fault after ${first.retired} instructions: the processor has shut down.`,
    '',
    ...wrap(report.sentence),
    '',
    ...findings.flatMap(({ title, text }) => [
      `* ${title}`,
      ...wrap(text, WIDTH - 2).map((line) => `  ${line}`),
      '',
    ]),
  ]
  report.steps.forEach((step, i) => {
    lines.push(...stepLines(step, i, report), '')
  })
  lines.push(...tableLines(report), '', ...registersOf(first), ...earlierLines(report.earlier))
  return lines.join('\n')
}

const ROLES: Record<FaultStep['role'], string> = {
  first: '',
  'while-delivering': 'while that was being delivered: ',
  'double-fault': 'so it became ',
  shutdown: 'while #DF was being delivered: ',
}

function stepLines(step: FaultStep, index: number, report: TripleFaultReport): string[] {
  const { record, role } = step
  const lines = [`${index + 1}. ${ROLES[role]}${title(record)}`]
  if (role === 'first') lines.push(...instructionLines(report, record))
  lines.push(...wrap(step.why, WIDTH - 3).map((line) => `   ${line}`))
  if (step.gate) lines.push(`   ${gateLine(step.gate, record)}`)
  if (step.selector) lines.push(...selectorLines(step.selector, record))
  if (step.walk) lines.push(...walkLines(step.walk))
  if (role === 'shutdown') lines.push('   A fault while #DF is delivered is the third: shutdown.')
  return lines
}

function instructionLines({ instruction }: TripleFaultReport, record: ExceptionRecord): string[] {
  const { cs, rip, linear, bytes, text } = instruction
  const digits = codeBits(record.mode) === 64 ? 16 : codeBits(record.mode) === 32 ? 8 : 4
  const where = `${hex(cs, 4)}:${hex(rip, digits)} (linear ${hex(linear, digits === 16 ? 16 : 8)})`
  const what = bytes.length === 0 ? 'no bytes: the page is not mapped' : hexBytes(bytes.subarray(0, 10))
  return [
    `   at ${where}, ${modeInWords(record.mode)}, CPL ${record.cpl}`,
    `   ${what}${text ? `   ${text}` : ''}`,
  ]
}

function selectorLines(lookup: SelectorLookup, record: ExceptionRecord): string[] {
  const { selector, table, base, limit, index, at, descriptor } = lookup
  const digits = isLong(record.mode) ? 16 : 8
  const line = `   ${hex0x(selector)} -> ${table} (base ${hex(base, digits)}, limit ${hex(limit)}h) entry ${index} at ${hex(at, digits)}`
  if (!descriptor) return [`${line}, beyond the limit`]
  return [line, `   ${words(descriptor.raw)}  ${descriptorInWords(descriptor)}`]
}

function gateLine({ vector, at, raw, gate, vectorTarget }: GateLookup, record: ExceptionRecord): string {
  const name = `entry ${vector} (${exceptionName(vector).mnemonic}) at ${hex(at, isLong(record.mode) ? 16 : 8)}`
  if (raw === undefined) return `${name}: beyond IDTR's limit, or not mapped`
  if (vectorTarget) return `${name}: ${hex(vectorTarget.segment, 4)}:${hex(vectorTarget.offset, 4)}`
  return `${name}: ${words(raw)}  ${gate && isGate(gate.kind) ? descriptorInWords(gate) : notAGate(raw)}`
}

const isGate = (kind: string): boolean => kind.endsWith('gate') && kind !== 'call-gate'

function notAGate(raw: bigint): string {
  if (raw === 0n) return 'empty (all zeros)'
  return `no gate: type ${hex((raw >> 40n) & 15n)}h, S ${(raw >> 44n) & 1n}, P ${(raw >> 47n) & 1n}`
}

/** High and low half, as tables of descriptors are written. */
const words = (raw: bigint): string => `${hex(raw >> 32n, 8)} ${hex(raw & 0xffff_ffffn, 8)}`

function walkLines(walk: Walk): string[] {
  return walk.steps.map(({ name, at, entry, present }) => {
    const where = at === undefined ? 'held by the processor' : `at ${hex(at, 8)}`
    const value = entry === undefined ? 'not in memory' : hex(entry, 16)
    return `   ${name} ${where}: ${value}${present ? '' : '  not present'}`
  })
}

function tableLines({ gates, realModeTable, steps }: TripleFaultReport): string[] {
  const record = steps[0]!.record
  const digits = isLong(record.mode) ? 16 : 8
  const note = realModeTable ? ' - the real-mode interrupt vector table' : ''
  return [
    `IDTR base ${hex(record.idtr.base, digits)} limit ${hex(record.idtr.limit, 4)}${note}`,
    ...gates.map((gate) => `   ${gateLine(gate, record)}`),
    `GDTR base ${hex(record.gdtr.base, digits)} limit ${hex(record.gdtr.limit, 4)}`,
  ]
}

function registersOf(record: ExceptionRecord): string[] {
  const digits = codeBits(record.mode) === 64 ? 16 : 8
  const last = [
    `CS ${hex(record.cs, 4)}  SS ${hex(record.ss, 4)}`,
    `FLAGS ${hex(record.rflags, 8)} ${flagLetters(record.rflags)}`,
  ]
  const control = [
    `CR0 ${hex(record.cr0, 8)} (${bitNames(record.cr0, CR0_BITS).join(' ')})`,
    `CR2 ${hex(record.cr2, digits)}`,
    `CR3 ${hex(record.cr3, 8)}`,
  ]
  return [
    'Registers (none of the attempts changed them)',
    ...[...registerLines(generalRegisters(record.gpr, record.mode)), last.join('  '), control.join('  ')].map(
      (line) => `   ${line}`,
    ),
  ]
}

function earlierLines(earlier: readonly ExceptionRecord[]): string[] {
  if (earlier.length === 0) return []
  const lines = earlier.slice(-EARLIER).map((record) => {
    const at = `${hex(record.cs, 4)}:${hex(record.rip, codeBits(record.mode) === 16 ? 4 : 8)}`
    return `   ${title(record)}, at ${at} after ${record.retired} instructions`
  })
  return ['', 'Delivered before it, oldest first', ...lines]
}

/** Breaks at spaces. */
function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line]
}
