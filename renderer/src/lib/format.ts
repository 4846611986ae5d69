// Numbers for people. They do not jump: fixed forms, thin spaces between groups, the unit said once.

/** Narrow no-break space: groups of digits stay together on one line. */
export const THIN = '\u202f'

const grouped = (digits: string, size: number, from: 'left' | 'right') => {
  const groups: string[] = []
  const first = from === 'right' ? digits.length % size : 0
  if (first > 0) groups.push(digits.slice(0, first))
  for (let i = first; i < digits.length; i += size) groups.push(digits.slice(i, i + size))
  return groups.join(THIN)
}

/** 1204881377 -> "1 204 881 377" */
export const count = (value: bigint | number): string => {
  const digits = String(value < 0 ? -value : value)
  return (value < 0 ? '-' : '') + grouped(digits, 3, 'right')
}

/** @param digits least number of hexadecimal digits */
export const hex = (value: bigint | number, digits = 1): string => value.toString(16).padStart(digits, '0')

/** 64 bits in two groups: "ffff8000 0031fef8" */
export const hex64 = (value: bigint): string => grouped(hex(value, 16), 8, 'left')

/** A guest-physical or linear address, in as few digits as its size allows: 8, or 16 in two groups. */
export const address = (value: bigint | number): string =>
  BigInt(value) >> 32n === 0n ? hex(value, 8) : hex64(BigInt(value))

/** ns -> "1.202 881 s", always in seconds with six places */
export const seconds = (ns: bigint): string => {
  const micros = ns / 1000n
  const fraction = String(micros % 1_000_000n).padStart(6, '0')
  return `${count(micros / 1_000_000n)}.${grouped(fraction, 3, 'left')}`
}

/** ns in the unit that fits, three or four digits: "12.40 ms" */
export const shortTime = (ns: bigint): string => {
  const value = Number(ns)
  if (value < 1e3) return `${value} ns`
  if (value < 1e6) return `${significant(value / 1e3)} µs`
  if (value < 1e9) return `${significant(value / 1e6)} ms`
  return `${significant(value / 1e9)} s`
}

/** "12.40 M" */
export const shortCount = (value: bigint): string => {
  if (value < 10_000n) return count(value)
  const number = Number(value)
  if (number < 1e6) return `${significant(number / 1e3)} k`
  if (number < 1e9) return `${significant(number / 1e6)} M`
  return `${significant(number / 1e9)} G`
}

/** Three significant digits, without an exponent. */
const significant = (value: number) => value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** "1.44 MiB", "256 MiB", "512 B" */
export const bytes = (value: number): string => {
  let unit = 0
  let scaled = value
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024
    unit++
  }
  const text = Number.isInteger(scaled) ? count(scaled) : significant(scaled)
  return `${text} ${UNITS[unit]}`
}

/** Bytes as hexadecimal pairs: "8e d8 be" */
export const hexBytes = (value: Uint8Array): string =>
  Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** How long ago, in words: "just now", "5 minutes ago", "yesterday". Times are ms since 1970. */
export function ago(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return hours === 1 ? 'an hour ago' : `${hours} hours ago`
  const days = Math.floor(hours / 24)
  if (days < 30) return days === 1 ? 'yesterday' : `${days} days ago`
  return new Date(then).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}
