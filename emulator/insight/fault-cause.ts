// Why an exception was raised, in words: the check that failed (FAULT_DETAIL_*) and what it looked at.
import * as L from '../core/layout'
import type { ExceptionRecord } from './exception-log'
import { exceptionName } from './exceptions'
import { addressDigits, hex, hex0x } from './hex'
import { codeBits, isLong } from './mode'

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR']
const ENTRIES = ['', 'page-table entry (PTE)', 'page-directory entry (PDE)', 'PDPTE', 'PML4E']

/** A clause without a full stop that can stand after "because" or open a sentence. */
export function causeInWords(record: ExceptionRecord): string {
  const { detail, a, b } = record
  const number = Number(a)
  if (detail >= L.FAULT_DETAIL_SELECTOR_NULL && detail <= L.FAULT_DETAIL_DESCRIPTOR_LONG)
    return selectorCause(record)
  if (detail >= L.FAULT_DETAIL_IDT_LIMIT && detail <= L.FAULT_DETAIL_IDT_PRIVILEGE) return gateCause(record)
  if (detail >= L.FAULT_DETAIL_PAGE_NOT_PRESENT && detail <= L.FAULT_DETAIL_PAGE_RESERVED)
    return pageCause(record)
  switch (detail) {
    case L.FAULT_DETAIL_UNDEFINED_OPCODE:
      return 'the bytes at CS:RIP are no instruction in this mode'
    case L.FAULT_DETAIL_NOT_IMPLEMENTED:
      return 'this needs a part of the processor that Ringside does not have yet'
    case L.FAULT_DETAIL_LOCK:
      return 'a LOCK prefix stands before an instruction that cannot have it'
    case L.FAULT_DETAIL_PRIVILEGE:
      return `the instruction may not be executed at CPL ${record.cpl} with IOPL ${(record.rflags >> 12n) & 3n}`
    case L.FAULT_DETAIL_DIVIDE:
      return 'a division was by zero or its quotient did not fit'
    case L.FAULT_DETAIL_SEGMENT_LIMIT:
      return `offset ${hex(a, 4)} lies beyond the limit ${hex(b >> 32n)}h of ${segmentName(b)}`
    case L.FAULT_DETAIL_SEGMENT_TYPE:
      return `the segment in ${segmentName(b)} does not allow that access to offset ${hex(a, 4)}`
    case L.FAULT_DETAIL_SEGMENT_NULL:
      return `${segmentName(b)}, through which offset ${hex(a, 4)} was accessed, holds a null selector`
    case L.FAULT_DETAIL_NON_CANONICAL:
      return `the address ${hex(a, 16)} is not canonical`
    case L.FAULT_DETAIL_TARGET_LIMIT:
      return `the target offset ${hex(a, 4)} lies beyond the code segment's limit ${hex(b)}h`
    case L.FAULT_DETAIL_TSS:
      return `the TSS in TR has no room for the field at offset ${hex(a)}h: its limit is ${hex(b)}h`
    case L.FAULT_DETAIL_CONTROL_REGISTER:
      return `${hex(a, 8)} is a value that control register ${b} cannot take`
    case L.FAULT_DETAIL_MSR:
      return `MSR ${hex(number, 8)} does not exist or cannot take the value ${hex(b)}h`
    case L.FAULT_DETAIL_INSTRUCTION_LENGTH:
      return 'an instruction is longer than 15 bytes'
    case L.FAULT_DETAIL_STACK:
      return `the stack access at offset ${hex(a, 4)} lies beyond the stack's limit ${hex(b)}h`
    default:
      return noDetail(record)
  }
}

function noDetail({ kind, vector, a, b }: ExceptionRecord): string {
  if (kind === 'software') return `the program executed the software interrupt ${hex(vector, 2)}h`
  if (kind === 'interrupt') return `interrupt vector ${hex(vector, 2)}h was requested`
  if (vector === 8) {
    const [first, second] = [exceptionName(Number(a)), exceptionName(Number(b))]
    return `${second.mnemonic} was raised while ${first.mnemonic} was being delivered, which makes a double fault`
  }
  return `${exceptionName(vector).name} was raised`
}

const segmentName = (b: bigint): string => SEGMENTS[Number(b & 0xffff_ffffn)] ?? 'a segment'

function selectorCause({ detail, a, b, cpl, vector }: ExceptionRecord): string {
  const selector = Number(a)
  const name = `selector ${hex0x(selector)}`
  const table = selector & 4 ? 'LDT' : 'GDT'
  switch (detail) {
    case L.FAULT_DETAIL_SELECTOR_NULL:
      return `a null selector (${hex0x(selector)}) was used where a segment is needed`
    case L.FAULT_DETAIL_SELECTOR_LIMIT:
      return b === 0xffff_ffff_ffff_ffffn
        ? `${name} names the LDT, and there is none`
        : `${name} lies beyond the end of the ${table}, whose limit is ${hex(b)}h`
    case L.FAULT_DETAIL_DESCRIPTOR_TYPE:
      return `${name} names a descriptor of a type that cannot be used here`
    case L.FAULT_DETAIL_DESCRIPTOR_PRIVILEGE:
      return `${name} names a descriptor that CPL ${cpl} and RPL ${selector & 3} may not use`
    case L.FAULT_DETAIL_DESCRIPTOR_LONG:
      return `${name} names a code segment with L and D bits that long mode does not allow here`
    default:
      return `${name} names a ${vector === 12 ? 'stack segment' : 'descriptor'} that is not present`
  }
}

function gateCause({ detail, a, b, cpl, idtr, mode }: ExceptionRecord): string {
  const vector = Number(a)
  const name = `entry ${vector} (${exceptionName(vector).mnemonic}) of the interrupt table`
  switch (detail) {
    case L.FAULT_DETAIL_IDT_LIMIT:
      return `the interrupt table ends before entry ${vector} (${exceptionName(vector).mnemonic}): IDTR's limit is ${hex(b)}h`
    case L.FAULT_DETAIL_IDT_TYPE:
      if (b === 0n) return `${name} is empty`
      return `${name} at ${hex(idtr.base, addressDigits(codeBits(mode)))} is no gate${isLong(mode) ? ' of long mode' : ''}`
    case L.FAULT_DETAIL_IDT_NOT_PRESENT:
      return `${name} is not present`
    default:
      return `${name} may not be called by a software interrupt from CPL ${cpl}`
  }
}

function pageCause({ detail, a, b, error, mode }: ExceptionRecord): string {
  const address = `linear address ${hex(a, isLong(mode) ? 16 : 8)}`
  const access = error & 16 ? 'executed' : error & 2 ? 'written' : 'read'
  const who = error & 4 ? ' at CPL 3' : ''
  if (detail === L.FAULT_DETAIL_PAGE_NOT_PRESENT) {
    return `${address} was to be ${access}${who} and is not mapped: its ${ENTRIES[Number(b & 0xffn)]} is not present`
  }
  if (detail === L.FAULT_DETAIL_PAGE_RESERVED) {
    return `a page-table entry for ${address}, ${hex(b, 16)}, has a reserved bit set`
  }
  return `${address} was to be ${access}${who}, which its page-table entries do not allow`
}
