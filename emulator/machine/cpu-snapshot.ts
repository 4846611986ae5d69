// Reads a vCPU block into the words of the SDM.
import * as L from '../core/layout'
import type { CpuActivity, CpuMode, CpuSnapshot, SegmentName, SegmentRegister } from './api'
import { instructions, linear } from './api'
import type { MachineMemory } from './memory'

const SEGMENTS: readonly SegmentName[] = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr']
const ACTIVITIES: readonly CpuActivity[] = ['running', 'halted', 'shutdown', 'wait-for-sipi']

/** SDM 4 table 2-2. */
const MSRS: readonly [name: string, index: number, offset: number][] = [
  ['IA32_APIC_BASE', 0x1b, L.CPU_APIC_BASE],
  ['IA32_SYSENTER_CS', 0x174, L.CPU_SYSENTER_CS],
  ['IA32_SYSENTER_ESP', 0x175, L.CPU_SYSENTER_ESP],
  ['IA32_SYSENTER_EIP', 0x176, L.CPU_SYSENTER_EIP],
  ['IA32_MISC_ENABLE', 0x1a0, L.CPU_MISC_ENABLE],
  ['IA32_PAT', 0x277, L.CPU_PAT],
  ['IA32_MTRR_DEF_TYPE', 0x2ff, L.CPU_MTRR_DEF_TYPE],
  ['IA32_EFER', 0xc000_0080, L.CPU_EFER],
  ['IA32_STAR', 0xc000_0081, L.CPU_STAR],
  ['IA32_LSTAR', 0xc000_0082, L.CPU_LSTAR],
  ['IA32_CSTAR', 0xc000_0083, L.CPU_CSTAR],
  ['IA32_FMASK', 0xc000_0084, L.CPU_SFMASK],
  ['IA32_FS_BASE', 0xc000_0100, L.CPU_SEGMENTS + L.SEG_FS * L.SEGMENT_SIZE + L.SEGMENT_BASE],
  ['IA32_GS_BASE', 0xc000_0101, L.CPU_SEGMENTS + L.SEG_GS * L.SEGMENT_SIZE + L.SEGMENT_BASE],
  ['IA32_KERNEL_GS_BASE', 0xc000_0102, L.CPU_KERNEL_GS_BASE],
  ['IA32_TSC_AUX', 0xc000_0103, L.CPU_TSC_AUX],
]

/** Of every CPU, what a glance wants to know. */
export function cpuBriefs(memory: MachineMemory): { ring: number; activity: CpuActivity }[] {
  return Array.from({ length: memory.cpuCount }, (_, index) => ({
    ring: memory.cpu32(index, L.CPU_CPL) & 3,
    activity: ACTIVITIES[memory.cpu32(index, L.CPU_ACTIVITY)] ?? 'running',
  }))
}

/** @param index 0 .. number of CPUs - 1 */
export const cpuSnapshot = (memory: MachineMemory, index: number): CpuSnapshot =>
  blockSnapshot(memory, memory.cpuBlock(index), index)

/**
 * A vCPU as it was when its block was copied.
 * @param block where in the machine's memory the copy lies; of what is not in it (behind MILESTONE_REGISTERS) nothing is read
 */
export function blockSnapshot(memory: MachineMemory, block: number, index: number): CpuSnapshot {
  const at = (offset: number) => memory.view.getBigUint64(block + offset, true)
  const word = (offset: number) => memory.view.getUint32(block + offset, true)
  const bits = word(L.CPU_MODE)
  const segments = Object.fromEntries(
    SEGMENTS.map((name, i) => [name, segment(memory, block, name, i)]),
  ) as Record<SegmentName, SegmentRegister>
  const rip = at(L.CPU_RIP)
  const size = bits & L.MODE_SIZE
  const table = (base: number, limit: number) => ({ base: linear(at(base)), limit: word(limit) })
  return {
    index,
    gpr: Array.from({ length: 16 }, (_, i) => at(L.CPU_RAX + 8 * i)),
    rip,
    ripLinear: linear(size === L.MODE_CODE64 ? rip : (segments.cs.base + rip) & 0xffff_ffffn),
    rflags: at(L.CPU_RFLAGS),
    segments,
    gdtr: table(L.CPU_GDTR_BASE, L.CPU_GDTR_LIMIT),
    idtr: table(L.CPU_IDTR_BASE, L.CPU_IDTR_LIMIT),
    cr0: at(L.CPU_CR0),
    cr2: at(L.CPU_CR2),
    cr3: at(L.CPU_CR3),
    cr4: at(L.CPU_CR4),
    cr8: at(L.CPU_CR8),
    efer: at(L.CPU_EFER),
    xcr0: at(L.CPU_XCR0),
    dr: {
      dr0: at(L.CPU_DR0),
      dr1: at(L.CPU_DR0 + 8),
      dr2: at(L.CPU_DR0 + 16),
      dr3: at(L.CPU_DR0 + 24),
      dr6: at(L.CPU_DR6),
      dr7: at(L.CPU_DR7),
    },
    msrs: MSRS.map(([name, number, offset]) => ({ name, index: number, value: at(offset) })),
    cpl: word(L.CPU_CPL),
    mode: modeOf(bits),
    bits: size === L.MODE_CODE64 ? 64 : size === L.MODE_CODE32 ? 32 : 16,
    paging: (bits & L.MODE_PAGING) !== 0,
    activity: ACTIVITIES[word(L.CPU_ACTIVITY)] ?? 'running',
    interruptShadow: word(L.CPU_SHADOW) !== 0,
    instructions: instructions(at(L.CPU_RETIRED)),
  }
}

function modeOf(bits: number): CpuMode {
  const code32 = (bits & L.MODE_SIZE) === L.MODE_CODE32
  if ((bits & L.MODE_PROTECTED) === 0) return 'real'
  if ((bits & L.MODE_V86) !== 0) return 'v86'
  if ((bits & L.MODE_LONG) === 0) return code32 ? 'protected32' : 'protected16'
  if ((bits & L.MODE_SIZE) === L.MODE_CODE64) return 'long64'
  return code32 ? 'compat32' : 'compat16'
}

function segment(memory: MachineMemory, block: number, name: SegmentName, index: number): SegmentRegister {
  const at = block + L.CPU_SEGMENTS + index * L.SEGMENT_SIZE
  const attributes = memory.view.getUint16(at + L.SEGMENT_ATTRIBUTES, true)
  return {
    name,
    selector: memory.view.getUint16(at + L.SEGMENT_SELECTOR, true),
    base: linear(memory.view.getBigUint64(at + L.SEGMENT_BASE, true)),
    limit: memory.view.getUint32(at + L.SEGMENT_LIMIT, true),
    attributes,
    type: attributes & 15,
    codeOrData: (attributes & 0x10) !== 0,
    dpl: (attributes >> 5) & 3,
    present: (attributes & 0x80) !== 0,
    long: (attributes & 0x2000) !== 0,
    big: (attributes & 0x4000) !== 0,
    granular: (attributes & 0x8000) !== 0,
    unusable: (attributes & L.SEGMENT_UNUSABLE) !== 0,
  }
}
