// A paging structure as an overlay: every entry in a line (SDM 3A 4.3-4.5).
import type { PagingKind } from '../page-walk'
import { hex } from '../hex'
import { TABLE_NAMES } from '../page-table-entry'
import type { Overlay, OverlayItem } from './overlay'

/**
 * @param at guest-physical address of the first byte of the window
 * @param level 1 page table .. 5 PML5
 */
export function pageTableOverlay(
  at: bigint,
  bytes: Uint8Array,
  kind: Exclude<PagingKind, 'none'>,
  level: number,
): Overlay {
  const size = kind === '32-bit' ? 4 : 8
  const items: OverlayItem[] = []
  for (let offset = 0; offset + size <= bytes.length; offset += size) {
    const index = Number((at + BigInt(offset)) & 0xfffn) / size
    items.push(entryItem(bytes, offset, size, index, level))
  }
  return { title: TABLE_NAMES[level] ?? 'paging structure', items }
}

function entryItem(bytes: Uint8Array, at: number, size: number, index: number, level: number): OverlayItem {
  let entry = 0n
  for (let i = size - 1; i >= 0; i--) entry = (entry << 8n) | BigInt(bytes[at + i]!)
  const bit = (n: number) => (entry & (1n << BigInt(n))) !== 0n
  const item: OverlayItem = { at, length: size, name: `entry ${index}`, text: '' }
  if (!bit(0)) {
    item.text = entry === 0n ? 'not present' : `not present, ${hex(entry, size * 2)}`
    item.faint = true
    return item
  }
  const leaf = level === 1 || (level <= 3 && bit(7))
  const span = size === 4 ? (level === 2 ? 22 : 12) : level === 1 ? 12 : level === 2 ? 21 : 30
  const frame = size === 4 ? entry & 0xffff_f000n : entry & 0x000f_ffff_ffff_f000n
  // Below the frame of a large page lie PAT and reserved bits.
  const address = leaf ? (frame >> BigInt(span)) << BigInt(span) : frame
  const rights = [
    leaf ? (level > 1 ? 'large page' : 'page') : 'table',
    hex(address, 8),
    bit(1) ? 'writable' : 'read-only',
    bit(2) ? 'user' : 'supervisor',
    ...(bit(5) ? ['A'] : []),
    ...(leaf && bit(6) ? ['D'] : []),
    ...(leaf && bit(8) ? ['G'] : []),
    ...(size === 8 && bit(63) ? ['NX'] : []),
  ]
  item.text = rights.join(' ')
  item.link = { space: 'physical', address, what: leaf ? 'data' : 'table' }
  return item
}
