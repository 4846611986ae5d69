// The processor's state after power-up, RESET and INIT (SDM 3A 9.1, table 9-1).

import { lapicReset } from '../chipset/lapic'
import {
  ACTIVITY_RUNNING,
  ACTIVITY_WAIT_SIPI,
  CPU_ACTIVITY,
  CPU_APERF_OFFSET,
  CPU_APIC_BASE,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_CSTAR,
  CPU_DEBUGCTL,
  CPU_DEBUG_PENDING,
  CPU_EFER,
  CPU_FAULT,
  CPU_FETCH_PAGE,
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_IDTR_BASE,
  CPU_IDTR_LIMIT,
  CPU_INDEX,
  CPU_KERNEL_GS_BASE,
  CPU_LAZY,
  CPU_LSTAR,
  CPU_MISC_ENABLE,
  CPU_MONITOR,
  CPU_MPERF_OFFSET,
  CPU_MTRR_DEF_TYPE,
  CPU_MTRR_FIXED,
  CPU_MTRR_VARIABLE,
  CPU_NMI,
  CPU_PAT,
  CPU_PKRS,
  CPU_PDPTE,
  CPU_RANDOM,
  CPU_RAX,
  CPU_REPEATING,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SFMASK,
  CPU_SHADOW,
  CPU_STAR,
  CPU_SYSENTER_CS,
  CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP,
  CPU_TSC_ADJUST,
  CPU_TSC_AUX,
  CPU_TSC_OFFSET,
  CPU_UCODE_REV,
  CPU_XCR0,
  CPU_XSAVE,
  HDR_SEED,
  HEADER,
  LAZY_NONE,
  RESET_SYSTEM,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDTR,
  SEG_SS,
  SEG_TR,
} from '../layout'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { cpuBlock } from '../machine/smp'
import { tlbFlushAll } from '../memory/tlb'
import { cpu, cpuIndex } from './context'
import { CR0_CD, CR0_ET, CR0_NW, debugRegistersReset } from './control-registers'
import { CPU_SIGNATURE } from './cpuid'
import { cplSet, modeRefresh } from './mode'
import { MISC_ENABLE_RESET, timeStampSet } from './msr'
import { segmentStore } from './segments'

/** Present, accessed, writable, expand-up data of 64 KiB. */
const DATA: u32 = 0x93
const LDT: u32 = 0x82
const BUSY_TSS: u32 = 0x8b
/** At FEE00000h, enabled. */
const APIC_BASE_RESET: u64 = 0xfee00800
const APIC_BASE_BSP: u64 = 0x100

/**
 * Puts this vCPU into its initial state. `kind`: RESET_SYSTEM for power-up and RESET, RESET_CPU for INIT, which
 * keeps caching control, the TSC and most MSRs. CPU 0 is the bootstrap processor, the others wait for SIPI.
 */
export function cpuReset(kind: u32): void {
  const init = kind != RESET_SYSTEM
  store<u32>(cpu, cpuIndex, CPU_INDEX)
  registersReset()
  segmentsReset()
  controlRegistersReset(init)
  if (!init) {
    modelSpecificReset()
    extendedStateReset()
  }
  chipsetLock()
  lapicReset()
  chipsetUnlock()
  store<u32>(cpu, cpuIndex == 0 ? ACTIVITY_RUNNING : ACTIVITY_WAIT_SIPI, CPU_ACTIVITY)
  store<u32>(cpu, 0, CPU_SHADOW)
  store<u32>(cpu, 0, CPU_NMI)
  store<u64>(cpu, 0, CPU_MONITOR)
  store<u32>(cpu, 0, CPU_DEBUG_PENDING)
  store<u32>(cpu, 0, CPU_REPEATING)
  store<u32>(cpu, 0, CPU_FAULT)
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  cplSet(0)
  modeRefresh()
  tlbFlushAll(true)
}

/** Start-up IPI: real-mode execution begins at `vector` * 1000h (SDM 3A 8.4.3, 10.4.2). */
export function cpuStartup(vector: u32): void {
  segmentStore(SEG_CS, vector << 8, vector << 12, 0xffff, DATA)
  store<u64>(cpu, 0, CPU_RIP)
  store<u32>(cpu, ACTIVITY_RUNNING, CPU_ACTIVITY)
  store<u64>(cpu, 0, CPU_FETCH_PAGE)
  modeRefresh()
}

function registersReset(): void {
  memory.fill(cpu + CPU_RAX, 0, 128)
  store<u64>(cpu, CPU_SIGNATURE, CPU_RDX)
  store<u64>(cpu, 0xfff0, CPU_RIP)
  store<u64>(cpu, 2, CPU_RFLAGS)
  store<u32>(cpu, LAZY_NONE, CPU_LAZY)
}

function segmentsReset(): void {
  segmentStore(SEG_CS, 0xf000, 0xffff0000, 0xffff, DATA)
  segmentStore(SEG_ES, 0, 0, 0xffff, DATA)
  segmentStore(SEG_SS, 0, 0, 0xffff, DATA)
  segmentStore(SEG_DS, 0, 0, 0xffff, DATA)
  segmentStore(SEG_FS, 0, 0, 0xffff, DATA)
  segmentStore(SEG_GS, 0, 0, 0xffff, DATA)
  segmentStore(SEG_LDTR, 0, 0, 0xffff, LDT)
  segmentStore(SEG_TR, 0, 0, 0xffff, BUSY_TSS)
  store<u64>(cpu, 0, CPU_GDTR_BASE)
  store<u32>(cpu, 0xffff, CPU_GDTR_LIMIT)
  store<u64>(cpu, 0, CPU_IDTR_BASE)
  store<u32>(cpu, 0xffff, CPU_IDTR_LIMIT)
}

function controlRegistersReset(init: bool): void {
  const caching = init ? load<u64>(cpu, CPU_CR0) & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW
  store<u64>(cpu, CR0_ET | caching, CPU_CR0)
  store<u64>(cpu, 0, CPU_CR2)
  store<u64>(cpu, 0, CPU_CR3)
  store<u64>(cpu, 0, CPU_CR4)
  store<u64>(cpu, 0, CPU_EFER)
  store<u64>(cpu, 1, CPU_XCR0)
  memory.fill(cpu + CPU_PDPTE, 0, 32)
  debugRegistersReset()
}

/** x87, SSE and AVX state after power-up; INIT leaves it alone (SDM 3A table 9-1). */
function extendedStateReset(): void {
  memory.fill(cpu + CPU_XSAVE, 0, 1024)
  store<u16>(cpu, 0x40, CPU_XSAVE)
  store<u8>(cpu, 0xff, CPU_XSAVE + 4)
  store<u32>(cpu, 0x1f80, CPU_XSAVE + 24)
}

function modelSpecificReset(): void {
  store<u64>(cpu, 0, CPU_STAR)
  store<u64>(cpu, 0, CPU_LSTAR)
  store<u64>(cpu, 0, CPU_CSTAR)
  store<u64>(cpu, 0, CPU_SFMASK)
  store<u64>(cpu, 0, CPU_KERNEL_GS_BASE)
  store<u64>(cpu, 0, CPU_SYSENTER_CS)
  store<u64>(cpu, 0, CPU_SYSENTER_ESP)
  store<u64>(cpu, 0, CPU_SYSENTER_EIP)
  store<u64>(cpu, 0, CPU_TSC_AUX)
  store<u64>(cpu, 0, CPU_UCODE_REV)
  store<u64>(cpu, 0x0007040600070406, CPU_PAT)
  store<u64>(cpu, MISC_ENABLE_RESET, CPU_MISC_ENABLE)
  store<u64>(cpu, cpuIndex == 0 ? APIC_BASE_RESET | APIC_BASE_BSP : APIC_BASE_RESET, CPU_APIC_BASE)
  store<u64>(cpu, 0, CPU_MTRR_DEF_TYPE)
  memory.fill(cpu + CPU_MTRR_FIXED, 0, 11 * 8)
  memory.fill(cpu + CPU_MTRR_VARIABLE, 0, 16 * 8)
  store<u64>(cpu, 0, CPU_PKRS)
  store<u64>(cpu, 0, CPU_DEBUGCTL)
  store<u64>(cpu, 0, CPU_APERF_OFFSET)
  store<u64>(cpu, 0, CPU_MPERF_OFFSET)
  store<u64>(cpu, load<u64>(HEADER, HDR_SEED), CPU_RANDOM)
  // RESET is one line: the counters of all CPUs begin together, at CPU 0's, which is reset first.
  if (cpuIndex == 0) timeStampSet(0)
  else store<u64>(cpu, load<u64>(cpuBlock(0), CPU_TSC_OFFSET), CPU_TSC_OFFSET)
  store<u64>(cpu, 0, CPU_TSC_ADJUST)
}
