// Words for the parts of the CPU panel that open.
import type { CpuSnapshot } from '../../../../preload/bridge'
import { hex } from '../../lib/format'

/** SDM 4 table 2-2, in a sentence. */
export const MSR_STORIES: Record<string, string> = {
  IA32_APIC_BASE: 'Where the local APIC’s registers lie; bit 8 bootstrap processor, 10 x2APIC, 11 enabled',
  IA32_SYSENTER_CS: 'Code segment that SYSENTER loads',
  IA32_SYSENTER_ESP: 'Stack pointer that SYSENTER loads',
  IA32_SYSENTER_EIP: 'Where SYSENTER goes',
  IA32_PAT: 'What the PWT, PCD and PAT bits of page tables mean',
  IA32_EFER: 'Long mode, SYSCALL and no-execute',
  IA32_STAR: 'Segments of SYSCALL and SYSRET',
  IA32_LSTAR: 'Where SYSCALL goes in 64-bit mode',
  IA32_CSTAR: 'Where SYSCALL goes in compatibility mode',
  IA32_FMASK: 'RFLAGS bits that SYSCALL clears',
  IA32_FS_BASE: 'Base of FS',
  IA32_GS_BASE: 'Base of GS',
  IA32_KERNEL_GS_BASE: 'What SWAPGS changes the base of GS with',
  IA32_TSC_AUX: 'What RDTSCP and RDPID read',
}

export interface Breakpoint {
  name: string
  address: bigint
  on: boolean
  words: string
}

/** DR0-DR3 as DR7 has them (SDM 3B 18.2.4). */
export function breakpoints({ dr0, dr1, dr2, dr3, dr7 }: CpuSnapshot['dr']): Breakpoint[] {
  return [dr0, dr1, dr2, dr3].map((address, i) => {
    const enables = Number((dr7 >> BigInt(i * 2)) & 3n)
    const kind = Number((dr7 >> BigInt(16 + i * 4)) & 3n)
    const size = [1, 2, 8, 4][Number((dr7 >> BigInt(18 + i * 4)) & 3n)]!
    const what = ['execution', 'writes', 'I/O', 'reads and writes'][kind]!
    const scope = enables === 0 ? 'off' : enables & 2 ? 'global' : 'local'
    const words = enables === 0 ? 'off' : `${what}${kind === 0 ? '' : `, ${size} B`}, ${scope}`
    return { name: `dr${i}`, address, on: enables !== 0, words }
  })
}

export const LANES = ['u8', 'u16', 'u32', 'u64', 'f32', 'f64'] as const
export type Lanes = (typeof LANES)[number]

/** The lanes of a vector, highest first, as people write them down. */
export function laneTexts(bytes: Uint8Array, lanes: Lanes): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = Number(lanes.slice(1)) / 8
  const texts: string[] = []
  for (let at = bytes.length - size; at >= 0; at -= size) texts.push(laneText(view, at, lanes))
  return texts
}

function laneText(view: DataView, at: number, lanes: Lanes): string {
  switch (lanes) {
    case 'u8':
      return hex(view.getUint8(at), 2)
    case 'u16':
      return hex(view.getUint16(at, true), 4)
    case 'u32':
      return hex(view.getUint32(at, true), 8)
    case 'u64':
      return hex(view.getBigUint64(at, true), 16)
    case 'f32':
      return float(view.getFloat32(at, true), 8)
    case 'f64':
      return float(view.getFloat64(at, true), 16)
  }
}

const float = (value: number, digits: number) =>
  Number.isFinite(value)
    ? String(Number(value.toPrecision(digits)))
    : Number.isNaN(value)
      ? 'NaN'
      : value < 0
        ? '-∞'
        : '∞'

const ROUNDING = ['to nearest', 'down', 'up', 'towards zero']
const EXCEPTIONS = ['IE', 'DE', 'ZE', 'OE', 'UE', 'PE']

const names = (bits: number) => EXCEPTIONS.filter((_, i) => bits & (1 << i)).join(' ')

/** x87 control word (SDM 1 8.1.5). */
export function controlWords(fcw: number): string {
  const precision = ['24 bits', 'reserved precision', '53 bits', '64 bits'][(fcw >> 8) & 3]
  const unmasked = names(~fcw & 0x3f)
  return `${precision}, rounds ${ROUNDING[(fcw >> 10) & 3]}${unmasked ? `, unmasked ${unmasked}` : ', all masked'}`
}

/** MXCSR (SDM 1 10.2.3). */
export function mxcsrWords(mxcsr: number): string {
  const flags = names(mxcsr & 0x3f)
  const unmasked = names(~(mxcsr >> 7) & 0x3f)
  const modes = [
    ...(mxcsr & 0x40 ? ['denormals are zeros'] : []),
    ...(mxcsr & 0x8000 ? ['flush to zero'] : []),
  ]
  return [
    `rounds ${ROUNDING[(mxcsr >> 13) & 3]}`,
    unmasked ? `unmasked ${unmasked}` : 'all masked',
    ...modes,
    ...(flags ? [`flags ${flags}`] : []),
  ].join(', ')
}
