// RFLAGS in letters and words (SDM 3A 2.3, SDM 1 3.4.3).

export interface NamedBit {
  bit: number
  name: string
  meaning: string
  /** Where the manual says so. */
  section: string
}

const status = (bit: number, name: string, meaning: string): NamedBit => ({
  bit,
  name,
  meaning,
  section: 'SDM 1 3.4.3',
})
const system = (bit: number, name: string, meaning: string): NamedBit => ({
  bit,
  name,
  meaning,
  section: 'SDM 3A 2.3',
})

/** Highest bit first, as the register is written. IOPL is a field of two bits, see `ioPrivilegeLevel`. */
export const RFLAGS_BITS: readonly NamedBit[] = [
  system(21, 'ID', 'can be changed: CPUID exists'),
  system(20, 'VIP', 'virtual interrupt pending'),
  system(19, 'VIF', 'virtual interrupt flag'),
  system(18, 'AC', 'alignment check at CPL 3'),
  system(17, 'VM', 'virtual-8086 mode'),
  system(16, 'RF', 'resume: no instruction breakpoint for one instruction'),
  system(14, 'NT', 'nested task'),
  status(11, 'OF', 'overflow'),
  status(10, 'DF', 'string instructions go downwards'),
  system(9, 'IF', 'maskable interrupts are taken'),
  system(8, 'TF', 'single step'),
  status(7, 'SF', 'sign'),
  status(6, 'ZF', 'zero'),
  status(4, 'AF', 'auxiliary carry'),
  status(2, 'PF', 'parity'),
  status(0, 'CF', 'carry'),
]

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
