// Names and meanings of bits, for the CPU panel. SDM 3A 2.3 (RFLAGS), 2.5 (CR0, CR4), 2.2.1 (EFER), 3.4.5 (segments).
import type { CpuMode, SegmentRegister } from '../../../preload/bridge'

export interface BitName {
  bit: number
  name: string
  meaning: string
}

const bit = (bit: number, name: string, meaning: string): BitName => ({ bit, name, meaning })

/** In the order people read them: what decides about interrupts and direction, then the arithmetic ones. */
export const RFLAGS: readonly BitName[] = [
  bit(9, 'IF', 'Interrupt flag: maskable interrupts are taken'),
  bit(10, 'DF', 'Direction flag: string instructions go downwards'),
  bit(8, 'TF', 'Trap flag: a debug exception after every instruction'),
  bit(11, 'OF', 'Overflow flag: the signed result did not fit'),
  bit(7, 'SF', 'Sign flag: the result is negative'),
  bit(6, 'ZF', 'Zero flag: the result is zero'),
  bit(4, 'AF', 'Auxiliary carry: out of bit 3, for BCD'),
  bit(2, 'PF', 'Parity flag: the low byte has an even number of ones'),
  bit(0, 'CF', 'Carry flag: the unsigned result did not fit'),
]

export const RFLAGS_SYSTEM: readonly BitName[] = [
  bit(14, 'NT', 'Nested task: IRET goes back to another task'),
  bit(16, 'RF', 'Resume flag: no instruction breakpoint for one instruction'),
  bit(17, 'VM', 'Virtual-8086 mode'),
  bit(18, 'AC', 'Alignment check at CPL 3, or access to user pages with SMAP'),
  bit(19, 'VIF', 'Virtual interrupt flag'),
  bit(20, 'VIP', 'Virtual interrupt pending'),
  bit(21, 'ID', 'Can be changed: CPUID is there'),
]

export const CR0: readonly BitName[] = [
  bit(31, 'PG', 'Paging: linear addresses are translated by page tables'),
  bit(30, 'CD', 'Cache disable'),
  bit(29, 'NW', 'Not write-through'),
  bit(18, 'AM', 'Alignment mask: RFLAGS.AC has effect'),
  bit(16, 'WP', 'Write protect: the kernel, too, may not write read-only pages'),
  bit(5, 'NE', 'Numeric error: x87 errors raise #MF'),
  bit(4, 'ET', 'Extension type: always 1'),
  bit(3, 'TS', 'Task switched: the next FPU instruction raises #NM'),
  bit(2, 'EM', 'Emulation: every x87 instruction raises #NM'),
  bit(1, 'MP', 'Monitor coprocessor: WAIT obeys TS'),
  bit(0, 'PE', 'Protection enable: protected mode'),
]

export const CR4: readonly BitName[] = [
  bit(21, 'SMAP', 'The kernel may not touch user pages'),
  bit(20, 'SMEP', 'The kernel may not execute user pages'),
  bit(18, 'OSXSAVE', 'XSAVE and the XCR0 register are in use'),
  bit(17, 'PCIDE', 'Process-context identifiers in CR3'),
  bit(16, 'FSGSBASE', 'RDFSBASE and the like are allowed'),
  bit(12, 'LA57', 'Five-level paging'),
  bit(11, 'UMIP', 'SGDT, SIDT, SLDT, SMSW and STR need CPL 0'),
  bit(10, 'OSXMMEXCPT', 'SIMD errors raise #XM'),
  bit(9, 'OSFXSR', 'SSE and FXSAVE are in use'),
  bit(8, 'PCE', 'RDPMC is allowed at every level'),
  bit(7, 'PGE', 'Global pages stay in the TLB when CR3 is loaded'),
  bit(6, 'MCE', 'Machine checks raise #MC'),
  bit(5, 'PAE', 'Physical address extension: 8-byte page-table entries'),
  bit(4, 'PSE', 'Page size extension: 4 MiB pages'),
  bit(3, 'DE', 'Debugging extensions: DR4 and DR5 are gone'),
  bit(2, 'TSD', 'RDTSC needs CPL 0'),
  bit(1, 'PVI', 'Protected-mode virtual interrupts'),
  bit(0, 'VME', 'Virtual-8086 mode extensions'),
]

export const EFER: readonly BitName[] = [
  bit(14, 'FFXSR', 'Fast FXSAVE'),
  bit(11, 'NXE', 'No-execute: bit 63 of page-table entries forbids execution'),
  bit(10, 'LMA', 'Long mode active: LME and paging are both on'),
  bit(8, 'LME', 'Long mode enable: turning paging on enters long mode'),
  bit(0, 'SCE', 'SYSCALL and SYSRET are enabled'),
]

/** Names of the bits that are set. */
export const setBits = (value: bigint, names: readonly BitName[]): BitName[] =>
  names.filter(({ bit }) => (value >> BigInt(bit)) & 1n)

const MODES: Record<CpuMode, string> = {
  real: 'Real mode',
  v86: 'Virtual-8086 mode',
  protected16: 'Protected mode, 16-bit',
  protected32: 'Protected mode, 32-bit',
  compat16: 'Long mode, 16-bit compatibility',
  compat32: 'Long mode, 32-bit compatibility',
  long64: 'Long mode, 64-bit',
}

export const modeInWords = (mode: CpuMode): string => MODES[mode]

const SYSTEM_TYPES: Record<number, string> = {
  1: 'TSS 16',
  2: 'LDT',
  3: 'TSS 16 busy',
  4: 'call gate 16',
  5: 'task gate',
  6: 'int gate 16',
  7: 'trap gate 16',
  9: 'TSS',
  11: 'TSS busy',
  12: 'call gate',
  14: 'int gate',
  15: 'trap gate',
}

/** What a segment register's hidden part says, in a few words: "code64 rx", "data32 rw", "TSS busy". */
export function segmentInWords(segment: SegmentRegister, mode: CpuMode): string {
  const system = segment.name === 'ldtr' || segment.name === 'tr'
  if (segment.unusable) return 'null'
  if (mode === 'real' || mode === 'v86')
    return system ? 'unused' : `${segment.limit > 0xffff ? 'unreal' : 'real'}`
  if (!segment.present) return 'not present'
  if (!segment.codeOrData) return SYSTEM_TYPES[segment.type] ?? `type ${segment.type}`
  const code = (segment.type & 8) !== 0
  const size = segment.long ? '64' : segment.big ? '32' : '16'
  const rights = code
    ? `${segment.type & 2 ? 'r' : '-'}x${segment.type & 4 ? 'c' : ''}`
    : `r${segment.type & 2 ? 'w' : '-'}${segment.type & 4 ? '↓' : ''}`
  return `${code ? 'code' : 'data'}${size} ${rights}`
}

/** The whole story of a segment register, one line per fact. */
export function segmentStory(segment: SegmentRegister): string {
  const code = (segment.type & 8) !== 0
  const facts = [
    `selector ${segment.selector.toString(16).padStart(4, '0')}: index ${segment.selector >> 3}, ${segment.selector & 4 ? 'LDT' : 'GDT'}, RPL ${segment.selector & 3}`,
    `base ${segment.base.toString(16).padStart(8, '0')}, limit ${segment.limit.toString(16).padStart(8, '0')}${segment.granular ? ' (in 4 KiB pages)' : ''}`,
  ]
  if (segment.codeOrData) {
    facts.push(
      code
        ? `code, ${segment.type & 2 ? 'readable' : 'execute only'}${segment.type & 4 ? ', conforming' : ''}`
        : `data, ${segment.type & 2 ? 'writable' : 'read only'}${segment.type & 4 ? ', expand-down' : ''}`,
    )
  }
  facts.push(`DPL ${segment.dpl}, ${segment.present ? 'present' : 'not present'}`)
  return facts.join('\n')
}
