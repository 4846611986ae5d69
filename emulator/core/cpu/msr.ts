// RDMSR, WRMSR, RDTSC (SDM 2B RDMSR, WRMSR, RDTSC; SDM 4). An MSR that does not exist here: #GP(0).

import { APIC_BASE_X2 } from '../chipset/lapic'
import { apicBaseWrite, isX2Register, x2apicRead, x2apicWrite, x2Refused } from '../chipset/lapic-access'
import { tscChanged, tscDeadlineRead, tscDeadlineWrite } from '../chipset/lapic-timer'
import {
  CLIMB_LME,
  CLIMB_SYSCALL,
  CPU_APERF_OFFSET,
  CPU_APIC_BASE,
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_CSTAR,
  CPU_DEBUGCTL,
  CPU_EFER,
  CPU_KERNEL_GS_BASE,
  CPU_LSTAR,
  CPU_MISC_ENABLE,
  CPU_MPERF_OFFSET,
  CPU_PAT,
  CPU_PKRS,
  CPU_RAX,
  CPU_RCX,
  CPU_RDX,
  CPU_SEGMENTS,
  CPU_SFMASK,
  CPU_STAR,
  CPU_SYSENTER_CS,
  CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP,
  CPU_TSC_ADJUST,
  CPU_TSC_AUX,
  CPU_TSC_OFFSET,
  CPU_UCODE_REV,
  FAULT_DETAIL_MSR,
  FAULT_DETAIL_PRIVILEGE,
  SEGMENT_BASE,
  SEGMENT_SIZE,
  SEG_FS,
  SEG_GS,
} from '../layout'
import { climbAwaits, climbBefore, milestone } from '../machine/climb'
import { clockNow } from '../machine/clock'
import { canonicalBase } from '../memory/linear'
import { pagingModeChanged, tlbDropFast } from '../memory/tlb'
import { cpu } from './context'
import {
  BEYOND_PHYSICAL,
  CR0_PG,
  CR4_TSD,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  privileged,
} from './control-registers'
import {
  FEATURE7_ARCH_CAPABILITIES,
  FEATURE7_PKS,
  FEATURE7_TSC_ADJUST,
  FEATURE_NX,
  FEATURE_RDTSCP,
  FEATURE_TSC_DEADLINE,
  FEATURE_X2APIC,
  FEATURE_XSAVES,
  feature,
  WORD_1_ECX,
  WORD_7_EBX,
  WORD_7_ECX,
  WORD_7_EDX,
  WORD_EXTENDED_EDX,
  WORD_XSAVE,
} from './cpuid'
import { faultPending, raise } from './fault'
import { MTRR_CAP_VALUE, isMtrr, mtrrRead, mtrrWrite } from './mtrr'
import { EXC_GP } from './vectors'

const IA32_FEATURE_CONTROL: u32 = 0x3a
const IA32_BIOS_UPDT_TRIG: u32 = 0x79
const IA32_TSC_ADJUST: u32 = 0x3b
const IA32_MPERF: u32 = 0xe7
const IA32_APERF: u32 = 0xe8
const IA32_TSC_AUX: u32 = 0xc0000103
const IA32_TSC: u32 = 0x10
const IA32_PLATFORM_ID: u32 = 0x17
const IA32_APIC_BASE: u32 = 0x1b
const IA32_TSC_DEADLINE: u32 = 0x6e0
const IA32_BIOS_SIGN_ID: u32 = 0x8b
const IA32_MTRRCAP: u32 = 0xfe
const IA32_ARCH_CAPABILITIES: u32 = 0x10a
const IA32_SYSENTER_CS: u32 = 0x174
const IA32_SYSENTER_ESP: u32 = 0x175
const IA32_SYSENTER_EIP: u32 = 0x176
const IA32_MISC_ENABLE: u32 = 0x1a0
const IA32_DEBUGCTL: u32 = 0x1d9
const IA32_PAT: u32 = 0x277
const IA32_PKRS: u32 = 0x6e1
const IA32_XSS: u32 = 0xda0
const IA32_EFER: u32 = 0xc0000080
const IA32_STAR: u32 = 0xc0000081
const IA32_LSTAR: u32 = 0xc0000082
const IA32_CSTAR: u32 = 0xc0000083
const IA32_FMASK: u32 = 0xc0000084
const IA32_FS_BASE: u32 = 0xc0000100
const IA32_GS_BASE: u32 = 0xc0000101
const IA32_KERNEL_GS_BASE: u32 = 0xc0000102

/** IA32_MISC_ENABLE: fast strings and MONITOR on, no branch trace store, no PEBS (SDM 4 table 2-2). */
export const MISC_ENABLE_RESET: u64 = 0x41801
/**
 * Its bits: fast strings, thermal control, performance monitoring, BTS and PEBS unavailable, SpeedStep, MONITOR, limit of CPUID,
 * xTPR, execute disable. What is not here can be switched and changes nothing; MONITOR, the limit and bit 34 show in CPUID.
 */
const MISC_ENABLE_DEFINED: u64 = 0x400c51889
/**
 * IA32_ARCH_CAPABILITIES: what follows from executing nothing speculatively: RDCL_NO, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO,
 * TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO, ITS_NO.
 */
const ARCH_CAPABILITIES: u64 = 0x400000000d10e171
/** IA32_DEBUGCTL: LBR, with which nothing is recorded (there are no records), and BTF (SDM 3B 18.4.1). */
const DEBUGCTL_DEFINED: u64 = 3
/** IA32_APIC_BASE: bits 7:0 and 9 reserved, bit 10 too where CPUID does not offer the x2APIC. */
const APIC_BASE_RESERVED: u64 = 0x2ff
const APIC_BASE_BSP: u64 = 0x100

/** EDX:EAX = MSR[ECX]. False: #GP(0) is pending. */
export function rdmsr(): bool {
  if (!privileged()) return false
  const value = msrRead(load<u32>(cpu, CPU_RCX))
  if (faultPending()) return false
  storePair(value)
  return true
}

/** MSR[ECX] = EDX:EAX. False: #GP(0) is pending, nothing has changed. */
export function wrmsr(): bool {
  if (!privileged()) return false
  const value = <u64>load<u32>(cpu, CPU_RAX) | ((<u64>load<u32>(cpu, CPU_RDX)) << 32)
  return msrWrite(load<u32>(cpu, CPU_RCX), value)
}

function storePair(value: u64): void {
  store<u64>(cpu, value & 0xffffffff, CPU_RAX)
  store<u64>(cpu, value >> 32, CPU_RDX)
}

/** RDTSC: machine time in ns plus what the guest wrote. CR4.TSD keeps it for CPL 0. */
export function rdtsc(): bool {
  if (load<u64>(cpu, CPU_CR4) & CR4_TSD && load<u32>(cpu, CPU_CPL) != 0) {
    return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  }
  storePair(timeStamp())
  return true
}

function timeStamp(): u64 {
  return clockNow() + load<u64>(cpu, CPU_TSC_OFFSET)
}

/** Makes the time-stamp counter read `value` now. */
export function timeStampSet(value: u64): void {
  store<u64>(cpu, value - clockNow(), CPU_TSC_OFFSET)
}

/** Writing the counter moves IA32_TSC_ADJUST along and the other way round (SDM 3B 18.17.3). */
function timeStampWrite(value: u64): void {
  store<u64>(cpu, load<u64>(cpu, CPU_TSC_ADJUST) + value - timeStamp(), CPU_TSC_ADJUST)
  timeStampSet(value)
}

function timeStampAdjust(value: u64): void {
  const moved = value - load<u64>(cpu, CPU_TSC_ADJUST)
  store<u64>(cpu, load<u64>(cpu, CPU_TSC_OFFSET) + moved, CPU_TSC_OFFSET)
  store<u64>(cpu, value, CPU_TSC_ADJUST)
}

/** Where a plain MSR lies in the vCPU block; 0 when it is none of these. */
function msrCell(index: u32): usize {
  switch (index) {
    case IA32_APIC_BASE:
      return cpu + CPU_APIC_BASE
    case IA32_BIOS_SIGN_ID:
      return cpu + CPU_UCODE_REV
    case IA32_SYSENTER_CS:
      return cpu + CPU_SYSENTER_CS
    case IA32_SYSENTER_ESP:
      return cpu + CPU_SYSENTER_ESP
    case IA32_SYSENTER_EIP:
      return cpu + CPU_SYSENTER_EIP
    case IA32_MISC_ENABLE:
      return cpu + CPU_MISC_ENABLE
    case IA32_PAT:
      return cpu + CPU_PAT
    case IA32_EFER:
      return cpu + CPU_EFER
    case IA32_STAR:
      return cpu + CPU_STAR
    case IA32_LSTAR:
      return cpu + CPU_LSTAR
    case IA32_CSTAR:
      return cpu + CPU_CSTAR
    case IA32_FMASK:
      return cpu + CPU_SFMASK
    case IA32_FS_BASE:
      return cpu + CPU_SEGMENTS + SEG_FS * SEGMENT_SIZE + SEGMENT_BASE
    case IA32_GS_BASE:
      return cpu + CPU_SEGMENTS + SEG_GS * SEGMENT_SIZE + SEGMENT_BASE
    case IA32_KERNEL_GS_BASE:
      return cpu + CPU_KERNEL_GS_BASE
    case IA32_TSC_AUX:
      return feature(WORD_EXTENDED_EDX, FEATURE_RDTSCP) ? cpu + CPU_TSC_AUX : 0
    case IA32_TSC_ADJUST:
      return feature(WORD_7_EBX, FEATURE7_TSC_ADJUST) ? cpu + CPU_TSC_ADJUST : 0
    case IA32_DEBUGCTL:
      return cpu + CPU_DEBUGCTL
    case IA32_PKRS:
      return feature(WORD_7_ECX, FEATURE7_PKS) ? cpu + CPU_PKRS : 0
    default:
      return 0
  }
}

/**
 * MSRs of a family 6 processor that stand for what this machine does not have, and read 0: systems touch them without
 * asking CPUID. Writing those that software clears is ignored.
 */
function readsZero(index: u32): bool {
  switch (index) {
    case IA32_PLATFORM_ID:
    case 0x2a: // EBL_CR_POWERON: bus ratio straps
    case 0xce: // PLATFORM_INFO: no ratio to tell
    case 0x179: // MCG_CAP: no machine check banks
    case 0x15: // reserved on later models, cleared by firmware
      return true
    default:
      return writeIgnored(index) && index != IA32_BIOS_UPDT_TRIG
  }
}

/** Their writes do nothing. */
function writeIgnored(index: u32): bool {
  switch (index) {
    case IA32_BIOS_UPDT_TRIG: // there is no microcode to load
    case 0xc1: // PMC0, PMC1, and what selects their events: the counters stand still
    case 0xc2:
    case 0x186:
    case 0x187:
    case 0x140: // MISC_FEATURE_ENABLES
    case 0x17a: // MCG_STATUS: nothing in progress
    case 0x198: // PERF_STATUS, PERF_CTL: one speed
    case 0x199:
    case 0x19a: // CLOCK_MODULATION: off
    case 0x19b: // THERM_INTERRUPT, THERM_STATUS: cold
    case 0x19c:
      return true
    default:
      return false
  }
}

/** Value of an MSR; #GP is pending when there is none. */
export function msrRead(index: u32): u64 {
  const cell = msrCell(index)
  if (cell) return load<u64>(cell)
  if (isX2Register(index)) {
    const value = x2apicRead(index)
    if (x2Refused) raise(EXC_GP, 0, FAULT_DETAIL_MSR, index)
    return value
  }
  if (index == IA32_TSC_DEADLINE && feature(WORD_1_ECX, FEATURE_TSC_DEADLINE)) return tscDeadlineRead()
  if (index == IA32_TSC) return timeStamp()
  if (index == IA32_MPERF) return clockNow() + load<u64>(cpu, CPU_MPERF_OFFSET)
  if (index == IA32_APERF) return clockNow() + load<u64>(cpu, CPU_APERF_OFFSET)
  if (index == IA32_FEATURE_CONTROL) return 1
  if (index == IA32_ARCH_CAPABILITIES && feature(WORD_7_EDX, FEATURE7_ARCH_CAPABILITIES))
    return ARCH_CAPABILITIES
  if (index == IA32_XSS && feature(WORD_XSAVE, FEATURE_XSAVES)) return 0
  if (readsZero(index)) return 0
  if (index == IA32_MTRRCAP) return MTRR_CAP_VALUE
  if (isMtrr(index)) return mtrrRead(index)
  raise(EXC_GP, 0, FAULT_DETAIL_MSR, index)
  return 0
}

/** False: #GP is pending and nothing has changed. */
export function msrWrite(index: u32, value: u64): bool {
  if (index == IA32_TSC) {
    timeStampWrite(value)
    tscChanged()
    return true
  }
  if (index == IA32_EFER) return eferWrite(value)
  if (index == IA32_MPERF) {
    store<u64>(cpu, value - clockNow(), CPU_MPERF_OFFSET)
    return true
  }
  if (index == IA32_APERF) {
    store<u64>(cpu, value - clockNow(), CPU_APERF_OFFSET)
    return true
  }
  if (index == IA32_XSS && feature(WORD_XSAVE, FEATURE_XSAVES) && value == 0) return true
  if (writeIgnored(index)) return true
  if (isX2Register(index))
    return x2apicWrite(index, value) || raise(EXC_GP, 0, FAULT_DETAIL_MSR, index, value)
  if (index == IA32_TSC_DEADLINE && feature(WORD_1_ECX, FEATURE_TSC_DEADLINE)) {
    tscDeadlineWrite(value)
    return true
  }
  if (isMtrr(index)) return mtrrWrite(index, value) || raise(EXC_GP, 0, FAULT_DETAIL_MSR, index, value)
  const cell = msrCell(index)
  if (!cell || !msrValueValid(index, value)) return raise(EXC_GP, 0, FAULT_DETAIL_MSR, index, value)
  if (index == IA32_SYSENTER_CS) value &= 0xffffffff
  if (index == IA32_TSC_ADJUST) {
    timeStampAdjust(value)
    tscChanged()
    return true
  }
  // Which processor is the bootstrap processor is wired, not written.
  if (index == IA32_APIC_BASE) {
    value = (value & ~APIC_BASE_BSP) | (load<u64>(cell) & APIC_BASE_BSP)
    return apicBaseWrite(value) || raise(EXC_GP, 0, FAULT_DETAIL_MSR, index, value)
  }
  climbBefore(CLIMB_SYSCALL)
  store<u64>(cell, value)
  if (index == IA32_PKRS) tlbDropFast()
  systemCallsReady()
  return true
}

/** A stage of the climb: a system call would find its way into the kernel. */
function systemCallsReady(): void {
  if (!climbAwaits(CLIMB_SYSCALL)) return
  const byCall = (load<u64>(cpu, CPU_EFER) & EFER_SCE) != 0 && load<u64>(cpu, CPU_LSTAR) != 0
  const byEnter = (load<u64>(cpu, CPU_SYSENTER_CS) & 0xfffc) != 0 && load<u64>(cpu, CPU_SYSENTER_EIP) != 0
  if (byCall || byEnter) milestone(CLIMB_SYSCALL)
}

function msrValueValid(index: u32, value: u64): bool {
  switch (index) {
    case IA32_LSTAR:
    case IA32_CSTAR:
    case IA32_FS_BASE:
    case IA32_GS_BASE:
    case IA32_KERNEL_GS_BASE:
    case IA32_SYSENTER_ESP:
    case IA32_SYSENTER_EIP:
      return canonicalBase(value)
    case IA32_FMASK:
    case IA32_TSC_AUX:
    case IA32_PKRS:
      return value >> 32 == 0
    case IA32_DEBUGCTL:
      return !(value & ~DEBUGCTL_DEFINED)
    case IA32_PAT:
      return patValid(value)
    case IA32_APIC_BASE:
      if (value & APIC_BASE_X2 && !feature(WORD_1_ECX, FEATURE_X2APIC)) return false
      return !(value & (BEYOND_PHYSICAL | APIC_BASE_RESERVED))
    case IA32_MISC_ENABLE:
      return !(value & ~MISC_ENABLE_DEFINED)
    default:
      return true
  }
}

/** Each byte is a memory type: UC, WC, WT, WP, WB, UC- (SDM 3A 11.12.2). */
function patValid(value: u64): bool {
  for (let i = 0; i < 8; i++) {
    const type = (value >> (i * 8)) & 0xff
    if (type > 7 || type == 2 || type == 3) return false
  }
  return true
}

/** SCE, LME, NXE. LME cannot change while paging is on; LMA is the processor's (SDM 3A 2.2.1, 4.1.1). */
function eferWrite(value: u64): bool {
  const old = load<u64>(cpu, CPU_EFER)
  const nx = feature(WORD_EXTENDED_EDX, FEATURE_NX) ? EFER_NXE : 0
  if (value & ~(EFER_SCE | EFER_LME | EFER_LMA | nx))
    return raise(EXC_GP, 0, FAULT_DETAIL_MSR, IA32_EFER, value)
  if ((value ^ old) & EFER_LME && load<u64>(cpu, CPU_CR0) & CR0_PG) {
    return raise(EXC_GP, 0, FAULT_DETAIL_MSR, IA32_EFER, value)
  }
  if (value & EFER_LME) climbBefore(CLIMB_LME)
  if (value & EFER_SCE) climbBefore(CLIMB_SYSCALL)
  store<u64>(cpu, (value & ~EFER_LMA) | (old & EFER_LMA), CPU_EFER)
  if (value & EFER_LME) milestone(CLIMB_LME)
  systemCallsReady()
  if ((value ^ old) & EFER_NXE) pagingModeChanged()
  return true
}
