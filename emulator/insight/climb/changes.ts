// What an instruction of the climb changed: the registers before and after it.
import type { CpuSnapshot } from '../../machine/api'
import { bitNames, CR0_BITS, CR4_BITS, EFER_BITS } from '../control-bits'
import { type NamedBit, RFLAGS_BITS } from '../flags'

export interface RegisterChange {
  name: string
  /** Absent where the CPU before was not noted. */
  before?: bigint
  after: bigint
  /** Hexadecimal digits. */
  digits: number
  /** In words: bits that were set and cleared, what a segment has become. */
  note?: string
}

const MODES: Record<CpuSnapshot['mode'], string> = {
  real: 'real mode',
  v86: 'virtual-8086 mode',
  protected16: '16-bit protected mode',
  protected32: '32-bit protected mode',
  compat16: '16-bit compatibility mode',
  compat32: '32-bit compatibility mode',
  long64: '64-bit mode',
}
export const modeWords = ({ mode }: CpuSnapshot): string => MODES[mode]

const GPR64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi']
const IN_ORDER = [0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15]

interface Reading {
  name: string
  value: bigint
  digits: number
  bits?: readonly NamedBit[]
  /** What the register holds, in words. */
  words?: string
}

const MSRS: Record<string, string> = {
  IA32_STAR: 'star',
  IA32_LSTAR: 'lstar',
  IA32_FMASK: 'sfmask',
  IA32_SYSENTER_CS: 'sysenter_cs',
  IA32_SYSENTER_ESP: 'sysenter_esp',
  IA32_SYSENTER_EIP: 'sysenter_eip',
}

function readings(cpu: CpuSnapshot, wide: boolean): Reading[] {
  const digits = wide ? 16 : 8
  const cut = (value: bigint) => (wide ? value : value & 0xffff_ffffn)
  const gprs = IN_ORDER.filter((i) => wide || i < 8).map((i) => {
    const name = GPR64[i] ?? `r${i}`
    return { name: wide ? name : `e${name.slice(1)}`, value: cut(cpu.gpr[i]!), digits }
  })
  const { segments } = cpu
  const selectors = (['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'tr', 'ldtr'] as const).flatMap((name) => {
    const { selector, base, limit, big, long, present, unusable } = segments[name]
    const size = name === 'cs' ? `, ${long ? '64' : big ? '32' : '16'}-bit code` : ''
    const words =
      unusable || !present ? 'not usable' : `base ${base.toString(16)} limit ${limit.toString(16)}${size}`
    return [{ name, value: BigInt(selector), digits: 4, words }]
  })
  const table = (name: 'gdtr' | 'idtr') => [
    { name, value: cpu[name].base, digits, words: `limit ${cpu[name].limit.toString(16)}` },
  ]
  return [
    ...gprs,
    { name: wide ? 'rip' : 'eip', value: cut(cpu.rip), digits },
    { name: 'flags', value: cpu.rflags, digits: 8, bits: RFLAGS_BITS },
    ...selectors,
    ...table('gdtr'),
    ...table('idtr'),
    { name: 'cr0', value: cpu.cr0, digits: 8, bits: CR0_BITS },
    { name: 'cr3', value: cpu.cr3, digits },
    { name: 'cr4', value: cpu.cr4, digits: 8, bits: CR4_BITS },
    { name: 'efer', value: cpu.efer, digits: 8, bits: EFER_BITS },
    ...cpu.msrs.flatMap(({ name, value }) =>
      MSRS[name] === undefined ? [] : [{ name: MSRS[name], value, digits: 16 }],
    ),
    { name: 'cpl', value: BigInt(cpu.cpl), digits: 1 },
  ]
}

/** Every register, those of a pair that are not used in either mode left out. */
export function registerPairs(before: CpuSnapshot | undefined, after: CpuSnapshot): RegisterChange[] {
  const wide = after.bits === 64 || before?.bits === 64
  const was = before && new Map(readings(before, wide).map((reading) => [reading.name, reading]))
  return readings(after, wide).map(({ name, value, digits, bits, words }) => {
    const old = was?.get(name)
    const pair: RegisterChange = { name, after: value, digits }
    if (old) pair.before = old.value
    const note =
      bits && old
        ? bitsInWords(old.value, value, bits)
        : words !== undefined && old?.words !== words
          ? words
          : bits && !old
            ? bitNames(value, bits).join(' ')
            : ''
    if (note) pair.note = note
    return pair
  })
}

/** Those that the instruction changed, in value or in what they mean (a segment's base, limit, size). */
export const changed = (pairs: readonly RegisterChange[]): RegisterChange[] =>
  pairs.filter(({ before, after, note }) => before === undefined || before !== after || (note ?? '') !== '')

/** "PG set, TS cleared" */
function bitsInWords(before: bigint, after: bigint, bits: readonly NamedBit[]): string {
  const of = (value: bigint, word: string) => bitNames(value, bits).map((name) => `${name} ${word}`)
  return [...of(after & ~before, 'set'), ...of(before & ~after, 'cleared')].join(', ')
}
