// A structure of the kernel, by its debugging information, laid over bytes.
import { hex } from '../hex'
import type { Symbols } from '../symbols/symbols'
import { placeText } from '../symbols/symbols'
import type { Type, TypeReference } from '../symbols/type-graph'
import { ITEMS_MAX, type Overlay, type OverlayItem } from './overlay'

/** Structures in structures; a damaged file may nest without end. */
const DEPTH_MAX = 12
/** DW_ATE_* (DWARF 5, 7.8). */
const ENCODING = { boolean: 2, float: 4, signed: 5, signedChar: 6, unsignedChar: 8, utf: 0x10 } as const

interface Laying {
  symbols: Symbols
  bytes: Uint8Array
  items: OverlayItem[]
}

/**
 * The members of a type that lie in a window, each with its value.
 * @param offset of the structure's first byte from the window's
 */
export function structureOverlay(
  symbols: Symbols,
  reference: TypeReference,
  offset: number,
  bytes: Uint8Array,
): Overlay {
  const items: OverlayItem[] = []
  lay({ symbols, bytes, items }, reference, offset, '', 0)
  return { title: symbols.types.text(reference), items }
}

function lay(laying: Laying, reference: TypeReference, at: number, name: string, depth: number) {
  const { symbols, bytes, items } = laying
  const size = symbols.types.sizeOf(reference)
  if (size === undefined || depth > DEPTH_MAX || items.length >= ITEMS_MAX) return
  if (at + size <= 0 || at >= bytes.length) return
  const type = symbols.types.bare(reference)
  if (type && 'members' in type) {
    for (const member of type.members) {
      const inner = member.name === '' ? name : name === '' ? member.name : `${name}.${member.name}`
      if (member.bits) layBits(laying, member.type, at + member.offset, inner, member.bits)
      else lay(laying, member.type, at + member.offset, inner, depth + 1)
    }
    return
  }
  if (type?.kind === 'array') {
    const each = symbols.types.sizeOf(type.of) ?? 0
    const count = type.counts[0] ?? 0
    const text = textOf(symbols, type, bytes, at, size)
    if (text !== undefined) {
      if (at >= 0) items.push({ at, length: size, name, text })
      return
    }
    if (each <= 0) return
    // Of an array only what lies in the window is gone through.
    const inner = type.counts.length > 1 ? Math.floor(size / Math.max(1, count)) : each
    const first = Math.max(0, Math.floor(-at / inner))
    const last = Math.min(count, Math.ceil((bytes.length - at) / inner))
    for (let i = first; i < last && items.length < ITEMS_MAX; i++)
      lay(laying, type.of, at + i * inner, `${name}[${i}]`, depth + 1)
    return
  }
  if (at < 0 || at + size > bytes.length || size > 16) return
  items.push({
    at,
    length: size,
    name: name || 'value',
    ...memberValue(symbols, type, reference, bytes, at, size),
  })
}

function number(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!)
  return value
}

function layBits(
  { symbols, bytes, items }: Laying,
  reference: TypeReference,
  at: number,
  name: string,
  bits: { size: number; offset: number },
) {
  const length = Math.ceil((bits.offset + bits.size) / 8)
  if (at < 0 || at + length > bytes.length || length > 16) return
  const value = (number(bytes, at, length) >> BigInt(bits.offset)) & ((1n << BigInt(bits.size)) - 1n)
  const type = symbols.types.bare(reference)
  const named = type?.kind === 'enum' ? enumerator(type, value) : undefined
  items.push({
    at,
    length,
    name: `${name} : ${bits.size}`,
    text: named ?? String(value),
    faint: value === 0n,
  })
}

const enumerator = (type: Extract<Type, { kind: 'enum' }>, value: bigint) =>
  type.values.find((each) => BigInt(each.value) === value)?.name

/** An array of characters that reads as text. */
function textOf(
  symbols: Symbols,
  type: Extract<Type, { kind: 'array' }>,
  bytes: Uint8Array,
  at: number,
  size: number,
): string | undefined {
  const of = symbols.types.bare(type.of)
  if (of?.kind !== 'base' || of.size !== 1 || type.counts.length !== 1) return undefined
  if (of.encoding !== ENCODING.signedChar && of.encoding !== ENCODING.unsignedChar) return undefined
  if (at < 0 || at + size > bytes.length || size > 256) return undefined
  const content = bytes.subarray(at, at + size)
  const end = content.indexOf(0)
  const text = content.subarray(0, end < 0 ? size : end)
  if (!text.every((byte) => byte >= 0x20 && byte < 0x7f)) return undefined
  return `"${String.fromCharCode(...text)}"`
}

function memberValue(
  symbols: Symbols,
  type: Type | undefined,
  reference: TypeReference,
  bytes: Uint8Array,
  at: number,
  size: number,
): Pick<OverlayItem, 'text' | 'link' | 'faint'> {
  const value = number(bytes, at, size)
  const faint = value === 0n
  switch (type?.kind) {
    case 'pointer':
    case 'reference':
    case 'rvalue-reference': {
      if (faint) return { text: 'null', faint }
      const place = symbols.at(value)
      const code = symbols.types.bare(type.to)?.kind === 'function'
      return {
        text: `${hex(value, size * 2)}${place ? ` ${placeText(place)}` : ''}`,
        link: { space: 'linear', address: value, what: code ? 'code' : 'data' },
      }
    }
    case 'enum':
      return { text: `${enumerator(type, value) ?? `${value}`}`, faint }
    case 'base': {
      if (type.encoding === ENCODING.boolean) return { text: faint ? 'false' : 'true', faint }
      if (type.encoding === ENCODING.float && (size === 4 || size === 8)) {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at, size)
        return { text: String(size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)), faint }
      }
      const signed = type.encoding === ENCODING.signed || type.encoding === ENCODING.signedChar
      const shown = signed ? BigInt.asIntN(size * 8, value) : value
      // Small numbers are counts, large ones more often addresses and masks.
      return {
        text: shown < 100_000n && shown > -100_000n ? String(shown) : `${hex(value, size * 2)}`,
        faint,
      }
    }
    default:
      return { text: `${hex(value, size * 2)} (${symbols.types.text(reference)})`, faint }
  }
}
