// CPUID (SDM 2A CPUID). What is reported here is what is implemented, no more: a guest that asks first is never
// lied to. Family 6 with the vendor string whose rules (SYSCALL in 64-bit mode only, SYSENTER in compatibility
// mode) this processor follows.

import {
  CPU_CR4,
  CPU_INDEX,
  CPU_MISC_ENABLE,
  CPU_MODE,
  CPU_RAX,
  CPU_RBX,
  CPU_RCX,
  CPU_RDX,
  CPU_UCODE_REV,
  CPU_XCR0,
  HDR_CPU_COUNT,
  HDR_CPU_WITHHELD,
  HEADER,
  MODE_CODE64,
  MODE_SIZE,
} from '../layout'
import { apicEnabled } from '../chipset/lapic'
import { cpu } from './context'
import {
  compactedSize,
  standardSize,
  XSAVE_AVX,
  XSAVE_PKRU,
  XSTATE_AVX,
  XSTATE_PKRU,
  XSTATE_SSE,
  XSTATE_X87,
} from './simd/xsave-format'

// control-registers.ts has it too, but depends on this file.
const CR4_OSXSAVE: u64 = 1 << 18
const CR4_PKE: u64 = 1 << 22

/** MAXPHYADDR. */
export const PHYSICAL_ADDRESS_BITS: u64 = 40

/** Family 6, model 15, stepping 11. EDX after reset (SDM 3A 9.1.2) and leaf 1 EAX. */
export const CPU_SIGNATURE: u32 = 0x6fb

const MAX_BASIC: u32 = 0x16
/** With IA32_MISC_ENABLE's limit (SDM 2A CPUID, leaf 0). */
const MAX_BASIC_LIMITED: u32 = 2
const MAX_EXTENDED: u32 = 0x80000008

// Of IA32_MISC_ENABLE (SDM 4 table 2-2).
const MISC_ENABLE_MONITOR: u64 = 1 << 18
const MISC_ENABLE_LIMIT_CPUID: u64 = 1 << 22
const MISC_ENABLE_XD_DISABLE: u64 = 1 << 34

/** The TSC, and the crystal it and the local APIC's timer run from: one tick a nanosecond. */
const CRYSTAL_HZ: u32 = 1000000000
const CRYSTAL_MHZ: u32 = 1000

/** What IA32_BIOS_SIGN_ID says after CPUID: the update revision, in its high half. */
const MICROCODE_REVISION: u64 = 1 << 32

// The words of feature bits, in the order of HDR_CPU_WITHHELD.
export const WORD_1_ECX: u32 = 0
export const WORD_1_EDX: u32 = 1
export const WORD_7_EBX: u32 = 2
export const WORD_7_ECX: u32 = 3
export const WORD_7_EDX: u32 = 4
export const WORD_EXTENDED_ECX: u32 = 5
export const WORD_EXTENDED_EDX: u32 = 6
export const WORD_XSAVE: u32 = 7

// Leaf 1 ECX
export const FEATURE_MONITOR: u32 = 1 << 3
export const FEATURE_PCID: u32 = 1 << 17
export const FEATURE_X2APIC: u32 = 1 << 21
export const FEATURE_TSC_DEADLINE: u32 = 1 << 24
export const FEATURE_XSAVE: u32 = 1 << 26
const FEATURE_OSXSAVE: u32 = 1 << 27
export const FEATURE_AVX: u32 = 1 << 28
export const FEATURE_RDRAND: u32 = 1 << 30
// Leaf 7 EBX
export const FEATURE7_FSGSBASE: u32 = 1
export const FEATURE7_TSC_ADJUST: u32 = 1 << 1
export const FEATURE7_SMEP: u32 = 1 << 7
export const FEATURE7_INVPCID: u32 = 1 << 10
export const FEATURE7_RDSEED: u32 = 1 << 18
export const FEATURE7_SMAP: u32 = 1 << 20
// Leaf 7 ECX
export const FEATURE7_UMIP: u32 = 1 << 2
export const FEATURE7_PKU: u32 = 1 << 3
const FEATURE7_OSPKE: u32 = 1 << 4
export const FEATURE7_LA57: u32 = 1 << 16
export const FEATURE7_RDPID: u32 = 1 << 22
export const FEATURE7_PKS: u32 = 1 << 31
// Leaf 7 EDX
export const FEATURE7_ARCH_CAPABILITIES: u32 = 1 << 29
// Leaf 0Dh.1 EAX
export const FEATURE_XSAVEC: u32 = 1 << 1
export const FEATURE_XGETBV1: u32 = 1 << 2
export const FEATURE_XSAVES: u32 = 1 << 3
// Leaf 80000001h EDX
const FEATURE_SYSCALL: u32 = 1 << 11
export const FEATURE_NX: u32 = 1 << 20
export const FEATURE_1GPAGES: u32 = 1 << 26
export const FEATURE_RDTSCP: u32 = 1 << 27

/** SSE3 PCLMULQDQ MONITOR SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT TSC-Deadline AES XSAVE AVX F16C RDRAND */
const OFFERED_1_ECX: u32 = 0x77fa320b
/** FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 */
const OFFERED_1_EDX: u32 = 0x078bfbff
/** FSGSBASE TSC_ADJUST BMI1 AVX2 FDP_EXCPTN_ONLY SMEP BMI2 ERMS INVPCID ZERO_FCS_FDS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA */
const OFFERED_7_EBX: u32 = 0x219c27eb
const OFFERED_7_ECX: u32 = FEATURE7_UMIP | FEATURE7_PKU | FEATURE7_LA57 | FEATURE7_RDPID | FEATURE7_PKS
/** LAHF LZCNT PREFETCHW */
const OFFERED_EXTENDED_ECX: u32 = 0x121
/** SYSCALL NX 1GPAGES RDTSCP LM */
const OFFERED_EXTENDED_EDX: u32 = 0x2c100800
/** XSAVEOPT XSAVEC XGETBV1 XSAVES */
const OFFERED_XSAVE: u32 = 0xf
/** Leaf 1 EDX */
const FEATURE_APIC: u32 = 1 << 9
const FEATURE_HTT: u32 = 1 << 28
// Types of levels in leaf 0Bh
const TOPOLOGY_THREADS: u32 = 1
const TOPOLOGY_CORES: u32 = 2
/** Leaf 6 EAX */
const ARAT: u32 = 4
/** Leaf 80000007h EDX: the TSC runs at a constant rate in every state. */
const FEATURE_INVARIANT_TSC: u32 = 1 << 8

function offered(word: u32): u32 {
  switch (word) {
    case WORD_1_ECX:
      return OFFERED_1_ECX
    case WORD_1_EDX:
      return OFFERED_1_EDX
    case WORD_7_EBX:
      return OFFERED_7_EBX
    case WORD_7_ECX:
      return OFFERED_7_ECX
    case WORD_7_EDX:
      return FEATURE7_ARCH_CAPABILITIES
    case WORD_EXTENDED_ECX:
      return OFFERED_EXTENDED_ECX
    case WORD_EXTENDED_EDX:
      return OFFERED_EXTENDED_EDX
    case WORD_XSAVE:
      return OFFERED_XSAVE
    default:
      return 0
  }
}

/** A word of feature bits as this machine's processor model and IA32_MISC_ENABLE have it. */
function featureWord(word: u32): u32 {
  const bits = offered(word) & ~load<u32>(HEADER + HDR_CPU_WITHHELD + word * 4)
  const switches = load<u64>(cpu, CPU_MISC_ENABLE)
  if (word == WORD_1_ECX && !(switches & MISC_ENABLE_MONITOR)) return bits & ~FEATURE_MONITOR
  return word == WORD_EXTENDED_EDX && switches & MISC_ENABLE_XD_DISABLE ? bits & ~FEATURE_NX : bits
}

/** Whether the model has the feature. */
export function feature(word: u32, bit: u32): bool {
  return (featureWord(word) & bit) != 0
}

/** Leaves 80000002h-80000004h: 48 bytes, zero-padded. */
const BRAND = memory.data<u8>([
  0x52, 0x69, 0x6e, 0x67, 0x73, 0x69, 0x64, 0x65, 0x20, 0x76, 0x69, 0x72, 0x74, 0x75, 0x61, 0x6c, 0x20, 0x43,
  0x50, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
])

function answer(eax: u32, ebx: u32, ecx: u32, edx: u32): void {
  store<u64>(cpu, eax, CPU_RAX)
  store<u64>(cpu, ebx, CPU_RBX)
  store<u64>(cpu, ecx, CPU_RCX)
  store<u64>(cpu, edx, CPU_RDX)
}

/** Leaf EAX, sub-leaf ECX; EAX, EBX, ECX, EDX are replaced, zero-extended. */
export function cpuid(): void {
  const leaf = load<u32>(cpu, CPU_RAX)
  const subleaf = load<u32>(cpu, CPU_RCX)
  if (leaf >= 0x80000000 && leaf <= MAX_EXTENDED) extendedLeaf(leaf)
  // A leaf beyond the highest answers like the highest basic one (SDM 2A CPUID).
  else basicLeaf(min(leaf, maxBasic()), subleaf)
}

function maxBasic(): u32 {
  return load<u64>(cpu, CPU_MISC_ENABLE) & MISC_ENABLE_LIMIT_CPUID ? MAX_BASIC_LIMITED : MAX_BASIC
}

function basicLeaf(leaf: u32, subleaf: u32): void {
  switch (leaf) {
    case 0:
      answer(maxBasic(), 0x756e6547, 0x6c65746e, 0x49656e69) // "Genu" "ntel" "ineI"
      break
    case 1:
      // Software writes 0 there and asks CPUID to learn the revision (SDM 3A 9.11.7.1).
      store<u64>(cpu, MICROCODE_REVISION, CPU_UCODE_REV)
      answer(CPU_SIGNATURE, leaf1Ebx(), leaf1Ecx(), leaf1Edx())
      break
    case 5:
      // MONITOR lines of 64 bytes, interrupts may end MWAIT even when masked.
      answer(64, 64, 3, 0)
      break
    case 6:
      answer(ARAT, 0, 1, 0) // the APIC timer never stops; APERF and MPERF
      break
    case 7:
      if (subleaf == 0) answer(0, featureWord(WORD_7_EBX), leaf7Ecx(), featureWord(WORD_7_EDX))
      else answer(0, 0, 0, 0)
      break
    case 0xd:
      stateLeaf(subleaf)
      break
    case 2:
      // TLBs, 32 KiB L1 data (2Ch) and instruction (30h) caches, 2 MiB L2 (7Dh)
      answer(0x05b0b101, 0x005657f0, 0, 0x2cb4307d)
      break
    case 4:
      cacheLeaf(subleaf)
      break
    case 0xb:
      topologyLeaf(subleaf)
      break
    case 0x15:
      answer(1, 1, CRYSTAL_HZ, 0)
      break
    case 0x16:
      answer(CRYSTAL_MHZ, CRYSTAL_MHZ, 100, 0)
      break
    default:
      answer(0, 0, 0, 0)
  }
}

// The CPUs are the cores of one package, a thread each: their APIC IDs have as many bits as the number of cores needs
// (SDM 3A 9.9.3). That is what nearly every PC is, and tells kernels that the cores share one clock.

/** Bits of an APIC ID that tell the cores apart. */
function coreBits(): u32 {
  return 32 - clz<u32>(load<u32>(HEADER, HDR_CPU_COUNT) - 1)
}

/** Initial APIC ID, IDs of logical processors in the package, CLFLUSH lines of 64 bytes. */
function leaf1Ebx(): u32 {
  return (load<u32>(cpu, CPU_INDEX) << 24) | (1 << (16 + coreBits())) | (8 << 8)
}

/** Extended topology: EAX how far to shift an x2APIC ID to the next level's, EBX logical processors; EDX the x2APIC ID. */
function topologyLeaf(subleaf: u32): void {
  const id = load<u32>(cpu, CPU_INDEX)
  if (subleaf == 0) answer(0, 1, TOPOLOGY_THREADS << 8, id)
  else if (subleaf == 1) answer(coreBits(), load<u32>(HEADER, HDR_CPU_COUNT), (TOPOLOGY_CORES << 8) | 1, id)
  else answer(0, 0, subleaf & 0xff, id)
}

/** APIC shows IA32_APIC_BASE's enable bit (SDM 3A 10.4.3); HTT that EBX tells of several logical processors. */
function leaf1Edx(): u32 {
  const several: u32 = load<u32>(HEADER, HDR_CPU_COUNT) > 1 ? FEATURE_HTT : 0
  const bits = featureWord(WORD_1_EDX) | several
  return apicEnabled(cpu) ? bits : bits & ~FEATURE_APIC
}

/** OSXSAVE shows CR4. */
function leaf1Ecx(): u32 {
  const os = (load<u64>(cpu, CPU_CR4) & CR4_OSXSAVE) != 0
  return featureWord(WORD_1_ECX) | (os ? FEATURE_OSXSAVE : 0)
}

/** OSPKE shows CR4. */
function leaf7Ecx(): u32 {
  const os = (load<u64>(cpu, CPU_CR4) & CR4_PKE) != 0
  return featureWord(WORD_7_ECX) | (os ? FEATURE7_OSPKE : 0)
}

/** Components of state that XCR0 can enable on this model. */
export function stateComponents(): u32 {
  let components: u32 = XSTATE_X87 | XSTATE_SSE
  if (feature(WORD_1_ECX, FEATURE_AVX)) components |= XSTATE_AVX
  if (feature(WORD_7_ECX, FEATURE7_PKU)) components |= XSTATE_PKRU
  return components
}

/** XSAVE: components, sizes (SDM 1 13.2). IA32_XSS has no bits. */
function stateLeaf(subleaf: u32): void {
  const components = stateComponents()
  const enabled = load<u32>(cpu, CPU_XCR0)
  if (!feature(WORD_1_ECX, FEATURE_XSAVE)) answer(0, 0, 0, 0)
  else if (subleaf == 0) answer(components, standardSize(enabled), standardSize(components), 0)
  else if (subleaf == 1) answer(featureWord(WORD_XSAVE), compactedSize(enabled), 0, 0)
  else if (subleaf == 2 && components & XSTATE_AVX) answer(256, XSAVE_AVX, 0, 0)
  else if (subleaf == 9 && components & XSTATE_PKRU) answer(8, XSAVE_PKRU, 0, 0)
  else answer(0, 0, 0, 0)
}

/** Bits of a linear address that this model can have, whatever CR4.LA57 says (SDM 3A 4.1.4). */
export function linearAddressBits(): u32 {
  return feature(WORD_7_ECX, FEATURE7_LA57) ? 57 : 48
}

/** Deterministic cache parameters: 8 ways, lines of 64 bytes; L1 of 64 sets, L2 of 4096, each a core's own. */
function cacheLeaf(subleaf: u32): void {
  const geometry: u32 = (7 << 22) | 63
  const cores = ((1 << coreBits()) - 1) << 26
  if (subleaf == 0) answer(0x121 | cores, geometry, 63, 0)
  else if (subleaf == 1) answer(0x122 | cores, geometry, 63, 0)
  else if (subleaf == 2) answer(0x143 | cores, geometry, 4095, 0)
  else answer(0, 0, 0, 0)
}

function extendedLeaf(leaf: u32): void {
  if (leaf == 0x80000000) answer(MAX_EXTENDED, 0, 0, 0)
  else if (leaf == 0x80000001) answer(0, 0, featureWord(WORD_EXTENDED_ECX), extendedFeatures())
  else if (leaf <= 0x80000004) brandLeaf(leaf - 0x80000002)
  else if (leaf == 0x80000006) answer(0, 0, (2048 << 16) | (6 << 12) | 64, 0)
  else if (leaf == 0x80000007) answer(0, 0, 0, FEATURE_INVARIANT_TSC)
  else if (leaf == 0x80000008) answer(<u32>PHYSICAL_ADDRESS_BITS | (linearAddressBits() << 8), 0, 0, 0)
  else answer(0, 0, 0, 0)
}

/** SYSCALL is enumerated in 64-bit mode only, the only mode that has it (SDM 2A table 3-8, footnote). */
function extendedFeatures(): u32 {
  const code64 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  const bits = featureWord(WORD_EXTENDED_EDX)
  return code64 ? bits : bits & ~FEATURE_SYSCALL
}

function brandLeaf(part: u32): void {
  const text = BRAND + <usize>part * 16
  answer(load<u32>(text), load<u32>(text, 4), load<u32>(text, 8), load<u32>(text, 12))
}
