// RFLAGS in letters and words (SDM 3A 2.3, SDM 1 3.4.3).
import bits from '@assets/x86/register-bits.json'

export interface NamedBit {
  bit: number
  name: string
  meaning: string
  /** Where the manual says so. */
  section: string
}

/** Highest bit first, as the register is written. IOPL is a field of two bits, see `ioPrivilegeLevel`. */
export const RFLAGS_BITS: readonly NamedBit[] = bits.RFLAGS

/** The classic line of nine letters, upper case when set: "odItsZaPc". */
export function flagLetters(rflags: bigint): string {
  return RFLAGS_BITS.filter(({ bit }) => bit <= 11)
    .map(({ bit, name }) => (isSet(rflags, bit) ? name[0]! : name[0]!.toLowerCase()))
    .join('')
}

/** Names of the flags that are set, highest first. */
export function flagNames(rflags: bigint): string[] {
  return RFLAGS_BITS.filter(({ bit }) => isSet(rflags, bit)).map(({ name }) => name)
}

/** I/O privilege level, 0..3. */
export const ioPrivilegeLevel = (rflags: bigint): number => Number((rflags >> 12n) & 3n)

export const isSet = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) !== 0n
