// A triple fault or an internal stop, made ready for the page.
import type { MachineMemory } from '@emulator/machine/memory'
import { linear, type Machine, type StopInfo } from '@emulator/machine/api'
import { autopsy } from '@emulator/insight/autopsy'
import { descriptorInWords } from '@emulator/insight/descriptor'
import type { ExceptionRecord } from '@emulator/insight/exception-log'
import { hex, hexBytes } from '@emulator/insight/hex'
import { faultNames } from '@emulator/insight/symbols/fault-names'
import type { GuestNames } from '@emulator/insight/symbols/guest-names'
import { codeBits, isLong, modeInWords } from '@emulator/insight/mode'
import { generalRegisters } from '@emulator/insight/registers'
import {
  type FaultStep as Step,
  type GateLookup,
  type TripleFaultReport,
  tripleFaultReport,
} from '@emulator/insight/triple-fault'
import { tripleFaultText } from '@emulator/insight/triple-fault-text'
import type { FaultAccount, FaultStep } from '../../preload/bridge'
import { instructionText } from '../disassembly'

/** @param stop for a triple fault or an internal reason; the disassembler must have been loaded */
export function accountOf(
  stop: StopInfo,
  machine: Pick<Machine, 'memory' | 'readLinear'>,
  names?: GuestNames,
): FaultAccount {
  const { memory } = machine
  const dead = stop.reason === 'triple-fault' ? deadCpu(memory) : undefined
  const report = dead === undefined ? undefined : tripleFaultReport(memory, dead, instructionText)
  if (dead === undefined || !report) {
    const kind = stop.reason === 'triple-fault' ? 'triple-fault' : 'internal'
    return {
      kind,
      sentence: stop.message,
      findings: [],
      steps: [],
      context: [],
      report: stop.report ?? stop.message,
    }
  }
  const first = report.steps[0]!.record
  const digits = isLong(first.mode) ? 16 : 8
  const named = names
    ? faultNames(report, names, (address, length) => machine.readLinear(linear(address), length, dead))
    : []
  return {
    kind: 'triple-fault',
    ...(memory.cpuCount > 1 ? { cpu: dead } : {}),
    sentence: report.sentence,
    findings: autopsy(memory, dead, report),
    steps: report.steps.map((step, i) => stepOf(step, i, report)),
    context: [
      { what: 'mode', value: `${modeInWords(first.mode)}, CPL ${first.cpl}` },
      {
        what: 'idtr',
        value: `${hex(first.idtr.base, digits)} limit ${hex(first.idtr.limit, 4)}${report.realModeTable ? ': the real-mode vector table' : ''}`,
      },
      { what: 'gdtr', value: `${hex(first.gdtr.base, digits)} limit ${hex(first.gdtr.limit, 4)}` },
      ...named.map((line, i) => ({ what: i === 0 ? 'symbols' : '', value: line.trim() })),
      ...report.gates.map((gate) => ({ what: `IDT ${gate.vector}`, value: gateInWords(gate) })),
    ],
    report: [stop.report ?? tripleFaultText(report), ...(named.length > 0 ? ['', ...named] : [])].join('\n'),
  }
}

/** The CPU that has shut down; undefined when none has. */
function deadCpu(memory: MachineMemory): number | undefined {
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) if (tripleFaultReport(memory, cpu)) return cpu
  return undefined
}

const ROLES: Record<Step['role'], string> = {
  first: '',
  'while-delivering': 'While that was delivered: ',
  'double-fault': 'So it became ',
  shutdown: 'While #DF was delivered: ',
}

function stepOf(step: Step, index: number, report: TripleFaultReport): FaultStep {
  const { record, role, title, why } = step
  const told: FaultStep = {
    title: `${ROLES[role]}${title}`,
    text:
      role === 'shutdown' ? `${why} A fault while #DF is delivered is the third: the CPU shuts down.` : why,
    found: foundBy(step),
    registers: index === 0 ? registersOf(record) : [],
  }
  if (index > 0) return told
  const { cs, rip, bytes, text } = report.instruction
  const bits = codeBits(record.mode)
  told.at = `${hex(cs, 4)}:${hex(rip, bits === 64 ? 16 : bits === 32 ? 8 : 4)}`
  told.instruction = bytes.length === 0 ? 'nothing is mapped there' : (text ?? hexBytes(bytes.subarray(0, 8)))
  return told
}

function foundBy({ selector, gate, walk, record }: Step): FaultStep['found'] {
  const found: FaultStep['found'] = []
  const digits = isLong(record.mode) ? 16 : 8
  if (selector) {
    const { table, base, limit, index, at, descriptor } = selector
    found.push({ what: table, value: `base ${hex(base, digits)} limit ${hex(limit, 4)}` })
    found.push({
      what: `entry ${index}`,
      value: descriptor
        ? `at ${hex(at, digits)}: ${words(descriptor.raw)}  ${descriptorInWords(descriptor)}`
        : `at ${hex(at, digits)}: beyond the limit`,
    })
  }
  if (gate) found.push({ what: `IDT ${gate.vector}`, value: gateInWords(gate) })
  for (const { name, at, entry, present } of walk?.steps ?? []) {
    const value = entry === undefined ? 'not in memory' : hex(entry, 16)
    found.push({
      what: name,
      value: `${at === undefined ? '' : `at ${hex(at, 8)}: `}${value}${present ? '' : '  not present'}`,
    })
  }
  return found
}

function gateInWords({ at, raw, gate, vectorTarget }: GateLookup): string {
  const where = `at ${hex(at, 8)}: `
  if (raw === undefined) return `${where}beyond the limit, or not mapped`
  if (vectorTarget) return `${where}${hex(vectorTarget.segment, 4)}:${hex(vectorTarget.offset, 4)}`
  const isGate = gate?.kind.endsWith('gate') && gate.kind !== 'call-gate'
  return `${where}${words(raw)}  ${gate && isGate ? descriptorInWords(gate) : raw === 0n ? 'empty' : 'not a gate'}`
}

/** High and low half, as tables of descriptors are written. */
const words = (raw: bigint): string => `${hex(raw >> 32n, 8)} ${hex(raw & 0xffff_ffffn, 8)}`

function registersOf(record: ExceptionRecord): FaultStep['registers'] {
  const wide = isLong(record.mode) ? 16 : 8
  const named = (name: string, value: bigint, digits: number) => ({ name, value, digits })
  return [
    ...generalRegisters(record.gpr, record.mode).map(({ name, value, digits }) =>
      named(name.toLowerCase(), value, digits),
    ),
    named(codeBits(record.mode) === 64 ? 'rip' : 'eip', record.rip, codeBits(record.mode) === 64 ? 16 : 8),
    named('flags', record.rflags, 8),
    named('cs', BigInt(record.cs), 4),
    named('ss', BigInt(record.ss), 4),
    named('cr0', record.cr0, 8),
    named('cr2', record.cr2, wide),
    named('cr3', record.cr3, 8),
  ]
}
