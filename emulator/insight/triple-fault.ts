// The account of a triple fault: from the exception log of a vCPU to what a person wants to know. Which exception
// came first and why, what was being loaded from where, why it could not be delivered, and one sentence for all.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { type Descriptor, decodeDescriptor } from './descriptor'
import { type ExceptionRecord, exceptionRecords, lastChain, tripleFaultChain } from './exception-log'
import { errorCodeInWords, exceptionName } from './exceptions'
import { causeInWords } from './fault-cause'
import { hex } from './hex'
import { codeBits, isLong, isProtected } from './mode'
import { type PagingControl, pagingControl, readThroughPages, type Walk, walkPages } from './page-walk'

/** One instruction's text from its bytes (up to 15); `rip` is the offset in CS. */
export type Disassemble = (bytes: Uint8Array, rip: bigint, bits: 16 | 32 | 64) => string

/** A descriptor that was looked up. */
export interface SelectorLookup {
  selector: number
  table: 'GDT' | 'LDT'
  base: bigint
  limit: number
  index: number
  /** Linear address of the descriptor. */
  at: bigint
  /** undefined: beyond the limit or not mapped. */
  descriptor: Descriptor | undefined
}

/** An entry of the interrupt table. */
export interface GateLookup {
  vector: number
  /** Linear address of the entry. */
  at: bigint
  /** undefined: beyond IDTR's limit or not mapped. */
  raw: bigint | undefined
  /** Real mode: where the vector points. */
  vectorTarget?: { segment: number; offset: number }
  /** Protected mode: the gate. */
  gate?: Descriptor
}

export interface FaultStep {
  /** What happened to the step before it that made this one; the first has none. */
  role: 'first' | 'while-delivering' | 'double-fault' | 'shutdown'
  record: ExceptionRecord
  /** "#NP segment not present, error code 0008 (GDT entry 1, selector 0x08)" */
  title: string
  /** A whole sentence. */
  why: string
  selector?: SelectorLookup
  /** The table entry that was being used when this was raised. */
  gate?: GateLookup
  /** For page faults: the walk of the faulting address. */
  walk?: Walk
}

export interface TripleFaultReport {
  sentence: string
  steps: FaultStep[]
  instruction: { cs: number; rip: bigint; linear: bigint; bytes: Uint8Array; text: string | undefined }
  /** IDTR still points at the real-mode vector table although the processor is in protected mode. */
  realModeTable: boolean
  /** The entries of the interrupt table that delivery needed. */
  gates: GateLookup[]
  /** Exceptions and interrupts before the chain, oldest first; these were delivered. */
  earlier: ExceptionRecord[]
}

/** @returns undefined when this CPU has not shut down */
export function tripleFaultReport(
  memory: MachineMemory,
  cpu: number,
  disassemble?: Disassemble,
): TripleFaultReport | undefined {
  const records = exceptionRecords(memory, cpu)
  return reportOf(memory, cpu, records, tripleFaultChain(records), disassemble)
}

/** The same account of the last thing that this CPU has delivered or tried to; undefined when that was no exception. */
export function lastExceptionReport(
  memory: MachineMemory,
  cpu: number,
  disassemble?: Disassemble,
): TripleFaultReport | undefined {
  const records = exceptionRecords(memory, cpu)
  if (records.at(-1)?.kind !== 'fault') return undefined
  return reportOf(memory, cpu, records, lastChain(records), disassemble)
}

function reportOf(
  memory: MachineMemory,
  cpu: number,
  records: readonly ExceptionRecord[],
  chain: readonly ExceptionRecord[],
  disassemble?: Disassemble,
): TripleFaultReport | undefined {
  const first = chain[0]
  if (!first) return undefined
  const control = { ...pagingControl(memory, cpu), cr0: first.cr0, cr3: first.cr3 }
  const steps = chain.map((_, i) => step(memory, cpu, control, chain, i))
  const vectors = [...new Set(chain.filter(({ kind }) => kind !== 'triple').map(({ vector }) => vector))]
  return {
    sentence: sentence(chain),
    steps,
    instruction: instruction(memory, control, first, disassemble),
    realModeTable: holdsRealModeTable(first),
    gates: vectors.map((vector) => lookUpGate(memory, control, first, vector)),
    earlier: records.slice(0, records.length - chain.length),
  }
}

function step(
  memory: MachineMemory,
  cpu: number,
  control: PagingControl,
  chain: readonly ExceptionRecord[],
  index: number,
): FaultStep {
  const record = chain[index]!
  const cause = causeInWords(record)
  const doubled = record.kind === 'fault' && record.vector === 8 && index > 0
  const role =
    record.kind === 'triple'
      ? 'shutdown'
      : index === 0
        ? 'first'
        : doubled
          ? 'double-fault'
          : 'while-delivering'
  const result: FaultStep = { role, record, title: title(record), why: `${capital(cause)}.` }
  const { detail } = record
  const delivering = vectorLookedUp(chain, index)
  if (detail >= L.FAULT_DETAIL_SELECTOR_LIMIT && detail <= L.FAULT_DETAIL_DESCRIPTOR_LONG) {
    result.selector = lookUpSelector(memory, cpu, control, record)
  }
  if (delivering !== undefined) {
    result.gate = lookUpGate(memory, control, record, delivering)
    if (holdsRealModeTable(record)) {
      result.why += ` IDTR still holds the real-mode table (base 0, limit ${hex(record.idtr.limit)}h).`
    }
  }
  if (detail >= L.FAULT_DETAIL_PAGE_NOT_PRESENT && detail <= L.FAULT_DETAIL_PAGE_RESERVED) {
    result.walk = walkPages(memory, control, record.a)
  }
  return result
}

/** The vector whose entry of the interrupt table was being used when the exception at `index` was raised. */
function vectorLookedUp(chain: readonly ExceptionRecord[], index: number): number | undefined {
  const record = chain[index]!
  const inTable = record.detail >= L.FAULT_DETAIL_IDT_LIMIT && record.detail <= L.FAULT_DETAIL_IDT_PRIVILEGE
  if (inTable) return Number(record.a)
  if (index === 0 || (record.kind === 'fault' && record.vector === 8)) return undefined
  return chain[index - 1]!.vector
}

/** "#GP general protection, error code 005A (IDT entry 11)" */
export function title({ vector, error, kind }: ExceptionRecord): string {
  if (kind === 'interrupt') return `interrupt ${hex(vector, 2)}h`
  if (kind === 'software') return `software interrupt ${hex(vector, 2)}h`
  const { mnemonic, name, hasErrorCode } = exceptionName(vector)
  if (!hasErrorCode) return `${mnemonic} ${name}`
  const words = errorCodeInWords(vector, error)
  return `${mnemonic} ${name}, error code ${hex(error, 4)}${words && ` (${words})`}`
}

// ---------------------------------------------------------------------------------------------------------
// What was being loaded

function lookUpSelector(
  memory: MachineMemory,
  cpu: number,
  control: PagingControl,
  record: ExceptionRecord,
): SelectorLookup {
  const selector = Number(record.a)
  const local = (selector & 4) !== 0
  const ldtr = memory.cpuBlock(cpu) + L.CPU_SEGMENTS + L.SEG_LDTR * L.SEGMENT_SIZE
  const { base, limit } = local
    ? {
        base: memory.view.getBigUint64(ldtr + L.SEGMENT_BASE, true),
        limit: memory.view.getUint32(ldtr + L.SEGMENT_LIMIT, true),
      }
    : record.gdtr
  const at = base + BigInt(selector & 0xfff8)
  const beyond = record.detail === L.FAULT_DETAIL_SELECTOR_LIMIT
  const long = isLong(record.mode)
  const upper = long ? (read64(memory, control, at + 8n) ?? 0n) : 0n
  const descriptor = beyond ? undefined : decodeDescriptor(record.b, long, upper)
  return { selector, table: local ? 'LDT' : 'GDT', base, limit, index: selector >> 3, at, descriptor }
}

/** The entry of a vector in the table as it was when `record` was made. */
function lookUpGate(
  memory: MachineMemory,
  control: PagingControl,
  record: ExceptionRecord,
  vector: number,
): GateLookup {
  const { base, limit } = record.idtr
  const long = isLong(record.mode)
  const size = !isProtected(record.mode) ? 4 : long ? 16 : 8
  const at = base + BigInt(vector * size)
  if (vector * size + size - 1 > limit) return { vector, at, raw: undefined }
  const raw = read64(memory, control, at)
  if (raw === undefined) return { vector, at, raw }
  if (size === 4) {
    const entry = Number(raw & 0xffff_ffffn)
    return { vector, at, raw, vectorTarget: { segment: entry >>> 16, offset: entry & 0xffff } }
  }
  const upper = long ? (read64(memory, control, at + 8n) ?? 0n) : 0n
  return { vector, at, raw, gate: decodeDescriptor(raw, long, upper) }
}

function read64(memory: MachineMemory, control: PagingControl, linear: bigint): bigint | undefined {
  const bytes = readThroughPages(memory, control, linear, 8)
  return bytes.length < 8 ? undefined : new DataView(bytes.buffer).getBigUint64(0, true)
}

function instruction(
  memory: MachineMemory,
  control: PagingControl,
  record: ExceptionRecord,
  disassemble?: Disassemble,
): TripleFaultReport['instruction'] {
  const { cs, rip, csBase, mode } = record
  const bits = codeBits(mode)
  const linear = bits === 64 ? rip : (csBase + rip) & 0xffff_ffffn
  const bytes = readThroughPages(memory, control, linear, 15)
  return { cs, rip, linear, bytes, text: bytes.length > 0 ? disassemble?.(bytes, rip, bits) : undefined }
}

// ---------------------------------------------------------------------------------------------------------
// The sentence

/** Base 0 with the limit of 256 vectors, or of reset: nobody has loaded an IDT since real mode (SDM 3B 20.1.4). */
export function holdsRealModeTable({ mode, idtr }: ExceptionRecord): boolean {
  return isProtected(mode) && idtr.base === 0n && (idtr.limit === 0x3ff || idtr.limit === 0xffff)
}

function sentence(chain: readonly ExceptionRecord[]): string {
  const first = chain[0]!
  const second = chain[1]
  const ended = chain.at(-1)!.kind === 'triple'
  if (!second) return `${capital(causeInWords(first))}${ended ? ', and the processor shut down' : ''}.`
  const table = holdsRealModeTable(second)
    ? `IDTR still held the real-mode table (base 0, limit ${hex(second.idtr.limit)}h), whose bytes are no valid gates`
    : causeInWords(second)
  const event =
    first.kind === 'fault' ? `the ${exceptionName(first.vector).mnemonic} this raised` : 'that interrupt'
  const names = chain.slice(1, ended ? -1 : undefined).map(({ vector }) => exceptionName(vector).mnemonic)
  const course = [...names, ...(ended ? ['the triple fault'] : [])].join(', then ')
  return `${capital(causeInWords(first))}, and ${event} could not be delivered because ${table}: so came ${course}.`
}

const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1)
