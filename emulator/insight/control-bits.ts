// Names of the control registers' bits, with the section that defines them: highest bit first, as the window has them too.
import bits from '@assets/x86/register-bits.json'
import { isSet, type NamedBit } from './flags'

export const CR0_BITS: readonly NamedBit[] = bits.CR0
export const CR4_BITS: readonly NamedBit[] = bits.CR4
export const EFER_BITS: readonly NamedBit[] = bits.EFER

/** Names of the bits that are set, highest first: "PG WP PE". */
export function bitNames(value: bigint, bits: readonly NamedBit[]): string[] {
  return bits.filter(({ bit }) => isSet(value, bit)).map(({ name }) => name)
}
