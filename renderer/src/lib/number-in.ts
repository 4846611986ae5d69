// A number that is shown somewhere, told from its text: what "copy" makes hexadecimal and decimal of.
import { THIN } from './format'

const GROUPS = new RegExp(`[${THIN}\u202f\u2009]`, 'g')

/** @param text exactly one number as the panels write them; undefined for anything else */
export function numberIn(text: string): bigint | undefined {
  const bare = text.trim()
  // Counts are grouped by three from the right, hexadecimal digits by eight.
  if (/^\d{1,3}([\u202f\u2009]\d{3})+$/.test(bare)) return BigInt(bare.replace(GROUPS, ''))
  const digits = bare.replace(GROUPS, '')
  const marked = /^0x([0-9a-f]{1,16})$/i.exec(digits) ?? /^([0-9][0-9a-f]{0,15})h$/i.exec(digits)
  if (marked) return BigInt(`0x${marked[1]}`)
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) return undefined
  // Registers, addresses and bytes have a fixed number of digits; words such as "add" or "dead" are none of ours then.
  const fixed = [2, 4, 8, 16].includes(digits.length) && /[0-9]/.test(digits)
  if (fixed) return BigInt(`0x${digits}`)
  return /^\d+$/.test(digits) ? BigInt(digits) : undefined
}

/** The number at a place in a text, among other words. */
export function numberAt(text: string, offset: number): bigint | undefined {
  const part = /[0-9a-zA-Z\u202f\u2009]/
  let from = offset
  let to = offset
  while (from > 0 && part.test(text[from - 1]!)) from--
  while (to < text.length && part.test(text[to]!)) to++
  return numberIn(text.slice(from, to))
}
