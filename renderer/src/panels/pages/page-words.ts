// Words and shapes of the page-table panel: pure, so that they can be tested without a page.
import type { AccessOutcome, EntryField, MappedRange, PagesView, TableNode } from '../../../../preload/bridge'
import { address, bytes, hex } from '../../lib/format'

/** Pieces of a linear address, highest first: what each chooses, and its value. */
export interface AddressPiece {
  /** Sign extension, one per level, offset. */
  what: string
  high: number
  low: number
  value: bigint
  /** The level whose entry it chooses; undefined for the sign extension and the offset. */
  level?: number
}

const INDEX_OF = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'] as const

/** Cuts an address as the walk does (SDM 3A figures 4-8 to 4-11). */
export function addressPieces(
  view: Pick<PagesView, 'kind' | 'linear' | 'steps' | 'canonical'>,
): AddressPiece[] {
  const { kind, linear, steps } = view
  const piece = (what: string, high: number, low: number, level?: number): AddressPiece => {
    const value = (linear >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)
    return level === undefined ? { what, high, low, value } : { what, high, low, value, level }
  }
  if (kind === 'none') return [piece('physical', linear >> 32n ? 63 : 31, 0)]
  const levels = kind === '5-level' ? 5 : kind === '4-level' ? 4 : kind === 'PAE' ? 3 : 2
  const bits = kind === '32-bit' ? 10 : 9
  // The walk ends at a large page: what is below is offset.
  const lowest = steps.find(({ leaf }) => leaf)?.level ?? 1
  const pieces: AddressPiece[] = []
  const top = 12 + bits * (levels - 1)
  if (kind === '4-level' || kind === '5-level') pieces.push(piece('sign', 63, top + bits))
  for (let level = levels; level >= lowest; level--) {
    const low = 12 + bits * (level - 1)
    const high = level === levels && kind === 'PAE' ? 31 : low + bits - 1
    pieces.push(piece(INDEX_OF[level]!, high, low, level))
  }
  pieces.push(piece('offset', 11 + bits * (lowest - 1), 0))
  return pieces
}

/** Short names for chips, as kernels' authors write them. */
const SHORT: Record<string, string> = { 'R/W': 'RW', 'U/S': 'US' }

export interface Chip {
  name: string
  bit: number
  set: boolean
  role: EntryField['role']
  meaning: string
  changed: boolean
}

/** The single bits of an entry, lowest first, and reserved ones only where they are set. */
export function chipsOf(fields: readonly EntryField[], changed: bigint): Chip[] {
  const chips: Chip[] = []
  for (const { name, high, low, value, role, meaning } of fields) {
    const bits = Array.from({ length: high - low + 1 }, (_, i) => i)
    if (role === 'used' && high === low)
      chips.push(chip(SHORT[name] ?? name, low, value !== 0n, role, meaning, changed))
    else if (role === 'reserved')
      for (const i of bits)
        if ((value >> BigInt(i)) & 1n)
          chips.push(chip(`bit ${low + i}`, low + i, true, role, meaning, changed))
  }
  return chips.sort((a, b) => a.bit - b.bit)
}

const chip = (
  name: string,
  bit: number,
  set: boolean,
  role: EntryField['role'],
  meaning: string,
  changed: bigint,
): Chip => ({ name, bit, set, role, meaning, changed: ((changed >> BigInt(bit)) & 1n) !== 0n })

/** "#PF 0007: present, write, user" */
export function faultWords(outcome: AccessOutcome): string {
  if (outcome.allowed) return 'allowed'
  if (outcome.step < 0) return '#GP'
  const { error } = outcome
  const parts = [error & 1 ? 'present' : 'not present']
  if (error & 8) parts.push('reserved bit')
  if (error & 16) parts.push('fetch')
  else parts.push(error & 2 ? 'write' : 'read')
  parts.push(error & 4 ? 'user' : 'supervisor')
  return `#PF ${hex(error, 4)} (${parts.join(', ')})`
}

/** "rwx": what the tables allow, with u for pages of ring 3. */
export const rightsWords = (range: Pick<MappedRange, 'writable' | 'user' | 'executable'>): string =>
  `${range.user ? 'u' : 's'} r${range.writable ? 'w' : '-'}${range.executable ? 'x' : '-'}`

/** The whole story of a range, for a tip. */
export function rangeStory(range: MappedRange): string {
  const end = BigInt.asUintN(64, range.start + range.length - 1n)
  return [
    `${address(range.start)} to ${address(end)}`,
    range.contiguous
      ? `physical ${address(range.physical)} and on, in order`
      : `physical ${address(range.physical)} first, then scattered`,
    `${range.user ? 'user' : 'supervisor'}, ${range.writable ? 'writable' : 'read-only'}, ${range.executable ? 'executable' : 'not executable'}${range.global ? ', global' : ''}`,
    `${range.pages} ${range.pages === 1 ? 'page' : 'pages'}${range.pageSize ? ` of ${bytes(range.pageSize)}` : ' of several sizes'}: ${range.accessed} accessed, ${range.dirty} dirty`,
  ].join('\n')
}

const TABLE_NAMES = ['', 'Page table', 'Page directory', 'PDPT', 'PML4', 'PML5'] as const

/** The whole story of a table, for a tip. */
export function tableStory(node: TableNode): string {
  const lines = [
    `${TABLE_NAMES[node.level]} at physical ${address(node.table)}`,
    `from ${address(node.start)}, ${bytes(Number(node.span))} in reach`,
    `${node.present} entries present, ${bytes(node.mapped)} mapped`,
    `${node.pages} pages: ${node.accessed} accessed, ${node.dirty} dirty`,
  ]
  if (node.recursive.length > 0) lines.push(`slot ${node.recursive.join(', ')} leads back to a table above`)
  else if (node.hidden > 0) lines.push(`${node.hidden} tables below are not drawn`)
  return lines.join('\n')
}

/** Rows of the table of ranges: the ranges, and the hole between the halves. */
export type SpaceRow = { kind: 'range'; range: MappedRange } | { kind: 'hole'; from: bigint; to: bigint }

export function spaceRows(kind: PagesView['kind'], ranges: readonly MappedRange[]): SpaceRow[] {
  const rows: SpaceRow[] = ranges.map((range) => ({ kind: 'range', range }))
  if (kind !== '4-level' && kind !== '5-level') return rows
  const top = kind === '5-level' ? 56n : 47n
  const hole: SpaceRow = {
    kind: 'hole',
    from: 1n << top,
    to: BigInt.asUintN(64, -(1n << top) - 1n),
  }
  const upper = ranges.findIndex(({ start }) => start >> 63n !== 0n)
  rows.splice(upper < 0 ? rows.length : upper, 0, hole)
  return rows
}
