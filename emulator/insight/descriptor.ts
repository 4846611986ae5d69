// Segment and gate descriptors decoded (SDM 3A 3.4.5, 3.5, 5.8.3, 6.11, 6.14.1, 7.2).
import { hex, hex0x } from './hex'

interface Common {
  raw: bigint
  /** Type field, bits 40-43. */
  type: number
  dpl: number
  present: boolean
}

export interface SegmentDescriptor extends Common {
  kind: 'code' | 'data'
  base: bigint
  /** In bytes, granularity applied. */
  limit: number
  granular: boolean
  accessed: boolean
  /** Code: may be read. Data: may be written. */
  readWrite: boolean
  /** Code: conforming. Data: expand-down. */
  conforming: boolean
  /** 16, 32, or for code with L 64. */
  bits: 16 | 32 | 64
}

export interface SystemDescriptor extends Common {
  kind: 'tss' | 'ldt'
  base: bigint
  limit: number
  granular: boolean
  bits: 16 | 32 | 64
  busy: boolean
}

export interface GateDescriptor extends Common {
  kind: 'call-gate' | 'interrupt-gate' | 'trap-gate' | 'task-gate'
  bits: 16 | 32 | 64
  selector: number
  offset: bigint
  /** Call gates: parameters to copy. */
  parameters: number
  /** 64-bit interrupt and trap gates: interrupt stack table entry, 0 for none. */
  ist: number
}

export interface NoDescriptor extends Common {
  kind: 'invalid'
}

export type Descriptor = SegmentDescriptor | SystemDescriptor | GateDescriptor | NoDescriptor

/** The attributes of SEGMENT_ATTRIBUTES as descriptor bits 40-47 and 52-55. */
export function descriptorFromAttributes(base: bigint, limit: number, attributes: number): Descriptor {
  const raw =
    (BigInt(attributes & 0xf0ff) << 40n) | ((base & 0xffffffn) << 16n) | ((base & 0xff000000n) << 32n)
  const decoded = decodeDescriptor(raw, false)
  return 'limit' in decoded ? { ...decoded, base, limit } : decoded
}

/**
 * @param raw the 8 bytes of the table, the low half of a 16-byte one
 * @param long IA-32e mode: system descriptors have 16 bytes and fewer types
 * @param upper bytes 8-15 of a 16-byte descriptor
 */
export function decodeDescriptor(raw: bigint, long: boolean, upper = 0n): Descriptor {
  const field = (low: number, bits: number) => Number((raw >> BigInt(low)) & ((1n << BigInt(bits)) - 1n))
  const common = { raw, type: field(40, 4), dpl: field(45, 2), present: field(47, 1) === 1 }
  const granular = field(55, 1) === 1
  const pages = field(0, 16) | (field(48, 4) << 16)
  const limit = granular ? ((pages << 12) | 0xfff) >>> 0 : pages
  const base = BigInt(field(16, 24)) | (BigInt(field(56, 8)) << 24n)
  const db = field(54, 1) === 1
  if (field(44, 1) === 1) {
    const code = (common.type & 8) !== 0
    return {
      ...common,
      kind: code ? 'code' : 'data',
      base,
      limit,
      granular,
      accessed: (common.type & 1) !== 0,
      readWrite: (common.type & 2) !== 0,
      conforming: (common.type & 4) !== 0,
      bits: code && field(53, 1) === 1 ? 64 : db ? 32 : 16,
    }
  }
  return systemDescriptor(common, { base, limit, granular, long, upper, field })
}

interface Fields {
  base: bigint
  limit: number
  granular: boolean
  long: boolean
  upper: bigint
  field(low: number, bits: number): number
}

function systemDescriptor(common: Common, fields: Fields): Descriptor {
  const { long, upper, field, granular, limit } = fields
  const bits = long ? 64 : (common.type & 8) !== 0 ? 32 : 16
  const high = long ? (upper & 0xffff_ffffn) << 32n : 0n
  const table = { ...common, base: fields.base | high, limit, granular, bits } as const
  const offset = BigInt(field(0, 16)) | (bits === 16 ? 0n : BigInt(field(48, 16)) << 16n) | high
  const ist = long ? field(32, 3) : 0
  const gate = { ...common, bits, selector: field(16, 16), offset, parameters: 0, ist: 0 } as const
  if (long && ![2, 9, 11, 12, 14, 15].includes(common.type)) return { ...common, kind: 'invalid' }
  switch (common.type) {
    case 1:
    case 3:
    case 9:
    case 11:
      return { ...table, kind: 'tss', busy: (common.type & 2) !== 0 }
    case 2:
      return { ...table, kind: 'ldt', busy: false }
    case 4:
    case 12:
      return { ...gate, kind: 'call-gate', parameters: long ? 0 : field(32, 5) }
    case 5:
      return { ...gate, kind: 'task-gate', offset: 0n }
    case 6:
    case 14:
      return { ...gate, kind: 'interrupt-gate', ist }
    case 7:
    case 15:
      return { ...gate, kind: 'trap-gate', ist }
    default:
      return { ...common, kind: 'invalid' }
  }
}

/** E.g. "32-bit code, base 00000000, limit FFFFFFFF, execute/read, DPL 0, not present". */
export function descriptorInWords(descriptor: Descriptor): string {
  const { dpl, present } = descriptor
  const ending = `DPL ${dpl}, ${present ? 'present' : 'not present'}`
  switch (descriptor.kind) {
    case 'code': {
      const rights = `execute${descriptor.readWrite ? '/read' : ' only'}${descriptor.conforming ? ', conforming' : ''}`
      return `${descriptor.bits}-bit code, ${extent(descriptor)}, ${rights}, ${ending}`
    }
    case 'data': {
      const rights = `${descriptor.readWrite ? 'read/write' : 'read only'}${descriptor.conforming ? ', expand-down' : ''}`
      return `data, ${extent(descriptor)}, ${rights}, ${ending}`
    }
    case 'tss':
      return `${descriptor.bits}-bit ${descriptor.busy ? 'busy' : 'available'} TSS, ${extent(descriptor)}, ${ending}`
    case 'ldt':
      return `LDT, ${extent(descriptor)}, ${ending}`
    case 'call-gate':
    case 'interrupt-gate':
    case 'trap-gate': {
      const target = `${hex(descriptor.selector, 4)}:${hex(descriptor.offset, descriptor.bits / 4)}`
      const ist = descriptor.ist ? `, IST ${descriptor.ist}` : ''
      return `${descriptor.bits}-bit ${descriptor.kind.replace('-', ' ')} to ${target}${ist}, ${ending}`
    }
    case 'task-gate':
      return `task gate to TSS ${hex(descriptor.selector, 4)}, ${ending}`
    case 'invalid':
      if (descriptor.raw === 0n) return 'empty (all zeros)'
      return `no valid descriptor (system type ${descriptor.type}), ${ending}`
  }
}

function extent({ base, limit }: { base: bigint; limit: number }): string {
  return `base ${hex(base, 8)}, limit ${hex(limit, 8)}`
}

/** "0x08 (GDT entry 1, RPL 0)" */
export function selectorInWords(selector: number): string {
  return `${hex0x(selector)} (${selector & 4 ? 'LDT' : 'GDT'} entry ${selector >> 3}, RPL ${selector & 3})`
}
