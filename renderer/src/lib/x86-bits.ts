// Names and meanings of bits, and what segment registers say, for the CPU panel.
import bits from '@assets/x86/register-bits.json'
import type { CpuMode, SegmentRegister } from '../../../preload/bridge'

export interface BitName {
  bit: number
  name: string
  meaning: string
  /** Where the manual says so. */
  section: string
}

/** In the order people read them: what decides about interrupts and direction, then the arithmetic ones. */
const READING_ORDER = ['IF', 'DF', 'TF', 'OF', 'SF', 'ZF', 'AF', 'PF', 'CF']
const flags: readonly BitName[] = bits.RFLAGS
export const RFLAGS: readonly BitName[] = READING_ORDER.flatMap((name) =>
  flags.filter((flag) => flag.name === name),
)
export const RFLAGS_SYSTEM: readonly BitName[] = flags
  .filter(({ name }) => !READING_ORDER.includes(name))
  .reverse()

export const CR0: readonly BitName[] = bits.CR0
export const CR4: readonly BitName[] = bits.CR4
export const EFER: readonly BitName[] = bits.EFER

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
