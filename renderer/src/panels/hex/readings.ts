// One place in memory read in every way a kernel's author might mean it.
import { count, hex } from '../../lib/format'

export interface Reading {
  name: string
  text: string
  /** What an address-sized reading points at. */
  pointer?: bigint
}

/** @param bytes from the cursor on, up to 16 of them */
export function readings(bytes: Uint8Array): Reading[] {
  const found: Reading[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const size of [1, 2, 4, 8] as const) {
    if (bytes.length < size) break
    const value = unsigned(view, size)
    const signed = BigInt.asIntN(size * 8, value)
    const decimal = signed < 0n ? `${count(value)}, ${count(signed)}` : count(value)
    const reading: Reading = { name: `u${size * 8}`, text: `${hex(value, size * 2)}  ${decimal}` }
    if (size === 8) reading.pointer = value
    found.push(reading)
  }
  if (bytes.length >= 4) found.push({ name: 'f32', text: float(view.getFloat32(0, true)) })
  if (bytes.length >= 8) found.push({ name: 'f64', text: float(view.getFloat64(0, true)) })
  found.push({
    name: 'bits',
    text: (bytes[0] ?? 0)
      .toString(2)
      .padStart(8, '0')
      .replace(/(....)/, '$1 '),
  })
  const letters = textAt(bytes)
  if (letters !== '') found.push({ name: 'text', text: `“${letters}”` })
  return found
}

function unsigned(view: DataView, size: 1 | 2 | 4 | 8): bigint {
  if (size === 8) return view.getBigUint64(0, true)
  return BigInt(
    size === 4 ? view.getUint32(0, true) : size === 2 ? view.getUint16(0, true) : view.getUint8(0),
  )
}

const float = (value: number) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(8))) : String(value)

function textAt(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) break
    text += String.fromCharCode(byte)
  }
  return text.length >= 2 ? text : ''
}
