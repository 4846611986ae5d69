// Numbers as reports write them.

/** Upper-case hexadecimal without prefix, at least `digits` long. Negative numbers are cut to 64 bits. */
export function hex(value: number | bigint, digits = 1): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).toUpperCase().padStart(digits, '0')
}

/** "0x08": a selector, a small number in running text. */
export const hex0x = (value: number | bigint, digits = 2): string => `0x${hex(value, digits)}`

/** Bytes as a listing writes them: "EA 83 80 08 00". */
export const hexBytes = (bytes: Uint8Array): string => [...bytes].map((byte) => hex(byte, 2)).join(' ')

/** Digits of an address in code of that size: 8 or 16. */
export const addressDigits = (bits: 16 | 32 | 64): number => (bits === 64 ? 16 : 8)
