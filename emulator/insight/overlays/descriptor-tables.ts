// GDT, LDT, IDT, TSS and the real-mode vector table as overlays (SDM 3A 3.5, 6.10, 6.14.1, 7.2.1, 7.7; 3B 20.1.4).
import type { CpuSnapshot } from '../../machine/api'
import { type Descriptor, decodeDescriptor, descriptorInWords } from '../descriptor'
import { exceptionName } from '../exceptions'
import { hex } from '../hex'
import type { Overlay, OverlayItem, OverlayLink } from './overlay'

interface Bytes {
  /** Address of the first byte. */
  at: bigint
  bytes: Uint8Array
}

interface Table {
  base: bigint
  /** Offset of the last byte. */
  limit: number
}

/** What the registers of a CPU point at, as far as it lies in the window (of linear addresses). */
export function tablesOf(cpu: CpuSnapshot, window: Bytes): Overlay[] {
  const { gdtr, idtr, segments, mode } = cpu
  const overlays: Overlay[] = []
  const add = (title: string, items: OverlayItem[]) => {
    if (items.length > 0) overlays.push({ title: `${title} of CPU ${cpu.index}`, items })
  }
  const real = mode === 'real'
  if (real) add('Interrupt vector table', vectorItems(idtr, window))
  else {
    const long = mode === 'long64' || mode === 'compat32' || mode === 'compat16'
    add('IDT', gateItems(idtr, window, long))
    add('GDT', descriptorItems(gdtr, window, long, 'GDT'))
    const { ldtr, tr } = segments
    if (ldtr.present && ldtr.selector !== 0)
      add('LDT', descriptorItems({ base: ldtr.base, limit: ldtr.limit }, window, long, 'LDT'))
    if (tr.present && tr.selector !== 0)
      add('TSS', taskStateItems({ base: tr.base, limit: tr.limit }, window, long, (tr.type & 8) !== 0))
  }
  return overlays
}

/** The window's offset of a table's byte; undefined when none of `length` bytes there lies in it. */
function offsetIn(window: Bytes, address: bigint, length: number): number | undefined {
  const at = BigInt.asIntN(64, address - window.at)
  if (at <= BigInt(-length) || at >= BigInt(window.bytes.length)) return undefined
  return Number(at)
}

/** Little-endian; what lies outside the window counts as 0. */
function word(window: Bytes, at: number, length: number): bigint {
  let value = 0n
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(window.bytes[at + i] ?? 0)
  return value
}

/** Entries of a table of which a part lies in the window. */
function* entries(table: Table, window: Bytes, size: number, most: number) {
  const count = Math.min(most, Math.floor((table.limit + 1) / size))
  const distance = BigInt.asIntN(64, window.at - table.base)
  let index = distance <= 0n ? 0 : distance > BigInt(count * size) ? count : Number(distance) / size
  for (index = Math.floor(index); index < count; index++) {
    const at = offsetIn(window, table.base + BigInt(index * size), size)
    if (at === undefined || at < 0) {
      if (at === undefined) return
      continue
    }
    if (at + size > window.bytes.length) return
    yield { index, at }
  }
}

export function vectorItems(table: Table, window: Bytes): OverlayItem[] {
  return [...entries(table, window, 4, 256)].map(({ index, at }) => {
    const [offset, segment] = [Number(word(window, at, 2)), Number(word(window, at + 2, 2))]
    return {
      ...{ at, length: 4, name: vectorName(index) },
      text: `${hex(segment, 4)}:${hex(offset, 4)}`,
      link: { space: 'linear', address: BigInt(segment * 16 + offset), what: 'code' },
      faint: segment === 0 && offset === 0,
    } satisfies OverlayItem
  })
}

const vectorName = (index: number) => {
  const { mnemonic } = exceptionName(index)
  return index < 32 && !mnemonic.startsWith('vector') ? `gate ${index} ${mnemonic}` : `gate ${index}`
}

export function gateItems(table: Table, window: Bytes, long: boolean): OverlayItem[] {
  const size = long ? 16 : 8
  return [...entries(table, window, size, 256)].map(({ index, at }) => {
    const raw = word(window, at, 8)
    const gate = decodeDescriptor(raw, long, long ? word(window, at + 8, 8) : 0n)
    const item: OverlayItem = { at, length: size, name: vectorName(index), text: gateText(gate) }
    if ('offset' in gate && gate.kind !== 'task-gate' && gate.present)
      item.link = { space: 'linear', address: gate.offset, what: 'code' }
    if (!gate.present) item.faint = true
    return item
  })
}

/** Where it leads comes first: that is what people look for. */
function gateText(gate: Descriptor): string {
  if (gate.kind !== 'interrupt-gate' && gate.kind !== 'trap-gate') return descriptorInWords(gate)
  const target = `${hex(gate.selector, 4)}:${hex(gate.offset, gate.bits / 4)}`
  const ist = gate.ist > 0 ? [`IST ${gate.ist}`] : []
  const kind = `${gate.bits}-bit ${gate.kind.replace('-', ' ')}`
  return [target, ...ist, `DPL ${gate.dpl}`, kind, ...(gate.present ? [] : ['not present'])].join(', ')
}

export function descriptorItems(table: Table, window: Bytes, long: boolean, name: string): OverlayItem[] {
  const items: OverlayItem[] = []
  // Of a 16-byte descriptor that began before the window nobody knows: its upper half reads as empty.
  let skip = -1
  for (const { index, at } of entries(table, window, 8, 8192)) {
    if (index === skip) continue
    const raw = word(window, at, 8)
    const system = (raw & (1n << 44n)) === 0n && raw !== 0n
    const wide = long && system && at + 16 <= window.bytes.length
    const descriptor = decodeDescriptor(raw, long, wide ? word(window, at + 8, 8) : 0n)
    if (wide) skip = index + 1
    items.push({
      ...{ at, length: wide ? 16 : 8, name: `${name} ${hex(index * 8, 4)}` },
      text: index === 0 && name === 'GDT' && raw === 0n ? 'null descriptor' : descriptorInWords(descriptor),
      ...linkOf(descriptor),
      faint: !descriptor.present,
    })
  }
  return items
}

function linkOf(descriptor: ReturnType<typeof decodeDescriptor>): { link?: OverlayLink } {
  if (!descriptor.present) return {}
  if (descriptor.kind === 'tss' || descriptor.kind === 'ldt')
    return { link: { space: 'linear', address: descriptor.base, what: 'data' } }
  return {}
}

type Field = [name: string, at: number, length: number]

/** 64-bit TSS (SDM 3A figure 7-11). */
const TSS64: Field[] = [
  ...[0, 1, 2].map((n): Field => [`RSP${n}`, 4 + n * 8, 8]),
  ...[1, 2, 3, 4, 5, 6, 7].map((n): Field => [`IST${n}`, 28 + n * 8, 8]),
  ['I/O map base', 102, 2],
]
/** 32-bit TSS (SDM 3A figure 7-2). */
const TSS32: Field[] = [
  ['previous task', 0, 2],
  ...[0, 1, 2].flatMap((n): Field[] => [
    [`ESP${n}`, 4 + n * 8, 4],
    [`SS${n}`, 8 + n * 8, 2],
  ]),
  ['CR3', 28, 4],
  ['EIP', 32, 4],
  ['EFLAGS', 36, 4],
  ...['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'].map((name, n): Field => [name, 40 + n * 4, 4]),
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDT'].map((name, n): Field => [name, 72 + n * 4, 2]),
  ['T', 100, 2],
  ['I/O map base', 102, 2],
]
/** 16-bit TSS (SDM 3A figure 7-10). */
const TSS16: Field[] = [
  ['previous task', 0, 2],
  ...[0, 1, 2].flatMap((n): Field[] => [
    [`SP${n}`, 2 + n * 4, 2],
    [`SS${n}`, 4 + n * 4, 2],
  ]),
  ...['IP', 'FLAGS', 'AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI', 'ES', 'CS', 'SS', 'DS', 'LDT'].map(
    (name, n): Field => [name, 14 + n * 2, 2],
  ),
]

/** @param wide a 32-bit TSS outside long mode, else a 16-bit one */
export function taskStateItems(table: Table, window: Bytes, long: boolean, wide: boolean): OverlayItem[] {
  const items: OverlayItem[] = []
  for (const [name, offset, length] of long ? TSS64 : wide ? TSS32 : TSS16) {
    if (offset + length - 1 > table.limit) continue
    const at = offsetIn(window, table.base + BigInt(offset), length)
    if (at === undefined || at < 0 || at + length > window.bytes.length) continue
    const value = word(window, at, length)
    const item: OverlayItem = { at, length, name, text: hex(value, length * 2), faint: value === 0n }
    if (value !== 0n && /^(RSP|IST|ESP)\d/.test(name))
      item.link = { space: 'linear', address: value, what: 'data' }
    items.push(item)
  }
  return items
}
