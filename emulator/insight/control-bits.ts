// Names of the control registers' bits, with the section that defines them.
import { isSet, type NamedBit } from './flags'

const table =
  (section: string) =>
  (bit: number, name: string, meaning: string): NamedBit => ({ bit, name, meaning, section })

const controlRegister = table('SDM 3A 2.5')
const efer = table('SDM 3A 2.2.1')

export const CR0_BITS: readonly NamedBit[] = [
  controlRegister(31, 'PG', 'paging'),
  controlRegister(30, 'CD', 'cache disable'),
  controlRegister(29, 'NW', 'not write-through'),
  controlRegister(18, 'AM', 'alignment mask'),
  controlRegister(16, 'WP', 'write protect: supervisor code may not write read-only pages'),
  controlRegister(5, 'NE', 'numeric error: x87 errors raise #MF'),
  controlRegister(4, 'ET', 'extension type, always 1'),
  controlRegister(3, 'TS', 'task switched'),
  controlRegister(2, 'EM', 'x87 emulation'),
  controlRegister(1, 'MP', 'monitor coprocessor'),
  controlRegister(0, 'PE', 'protection enable'),
]

export const CR4_BITS: readonly NamedBit[] = [
  controlRegister(24, 'PKS', 'protection keys for supervisor pages'),
  controlRegister(22, 'PKE', 'protection keys for user pages'),
  controlRegister(21, 'SMAP', 'supervisor code may not touch user pages'),
  controlRegister(20, 'SMEP', 'supervisor code may not execute user pages'),
  controlRegister(18, 'OSXSAVE', 'XSAVE and XCR0 are in use'),
  controlRegister(17, 'PCIDE', 'process-context identifiers'),
  controlRegister(16, 'FSGSBASE', 'RDFSBASE and its like'),
  controlRegister(12, 'LA57', 'five-level paging'),
  controlRegister(11, 'UMIP', 'SGDT, SIDT, SLDT, SMSW, STR need CPL 0'),
  controlRegister(10, 'OSXMMEXCPT', 'SIMD errors raise #XM'),
  controlRegister(9, 'OSFXSR', 'FXSAVE and SSE are in use'),
  controlRegister(8, 'PCE', 'RDPMC at every CPL'),
  controlRegister(7, 'PGE', 'global pages'),
  controlRegister(6, 'MCE', 'machine checks raise #MC'),
  controlRegister(5, 'PAE', 'physical address extension: 64-bit page-table entries'),
  controlRegister(4, 'PSE', '4 MiB pages'),
  controlRegister(3, 'DE', 'DR4 and DR5 do not exist'),
  controlRegister(2, 'TSD', 'RDTSC needs CPL 0'),
  controlRegister(1, 'PVI', 'protected-mode virtual interrupts'),
  controlRegister(0, 'VME', 'virtual-8086 mode extensions'),
]

export const EFER_BITS: readonly NamedBit[] = [
  efer(11, 'NXE', 'bit 63 of page-table entries forbids execution'),
  efer(10, 'LMA', 'long mode is active'),
  efer(8, 'LME', 'long mode is enabled: turning paging on enters it'),
  efer(0, 'SCE', 'SYSCALL and SYSRET are enabled'),
]

/** Names of the bits that are set, highest first: "PG WP PE". */
export function bitNames(value: bigint, bits: readonly NamedBit[]): string[] {
  return bits.filter(({ bit }) => isSet(value, bit)).map(({ name }) => name)
}
