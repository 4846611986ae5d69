// CPUID (SDM 2A CPUID). What is reported here is what is implemented, no more: a guest that asks first is never
// lied to. Family 6 with the vendor string whose rules (SYSCALL in 64-bit mode only, SYSENTER in compatibility
// mode) this processor follows.

import {
  CPU_CR4,
  CPU_INDEX,
  CPU_MODE,
  CPU_RAX,
  CPU_RBX,
  CPU_RCX,
  CPU_RDX,
  CPU_XCR0,
  MODE_CODE64,
  MODE_SIZE,
} from '../layout'
import { cpu } from './context'
import { XSAVE_AVX, XSAVE_SIZE, XSTATE_COMPONENTS } from './simd/xsave-format'

// control-registers.ts has it too, but depends on this file.
const CR4_OSXSAVE: u64 = 1 << 18

/** MAXPHYADDR. */
export const PHYSICAL_ADDRESS_BITS: u64 = 40
const LINEAR_ADDRESS_BITS: u32 = 48

/** Family 6, model 15, stepping 11. EDX after reset (SDM 3A 9.1.2) and leaf 1 EAX. */
export const CPU_SIGNATURE: u32 = 0x6fb

const MAX_BASIC: u32 = 13
const MAX_EXTENDED: u32 = 0x80000008

// Leaf 1 EDX
const FEATURE_FPU: u32 = 1
const FEATURE_PSE: u32 = 1 << 3
const FEATURE_TSC: u32 = 1 << 4
const FEATURE_MSR: u32 = 1 << 5
const FEATURE_PAE: u32 = 1 << 6
const FEATURE_CX8: u32 = 1 << 8
const FEATURE_SEP: u32 = 1 << 11
const FEATURE_MTRR: u32 = 1 << 12
const FEATURE_PGE: u32 = 1 << 13
const FEATURE_CMOV: u32 = 1 << 15
const FEATURE_PAT: u32 = 1 << 16
const FEATURE_PSE36: u32 = 1 << 17
const FEATURE_FXSR: u32 = 1 << 24
const FEATURE_CLFSH: u32 = 1 << 19
const FEATURE_MMX: u32 = 1 << 23
const FEATURE_SSE: u32 = 1 << 25
const FEATURE_SSE2: u32 = 1 << 26
// Leaf 1 ECX
const FEATURE_SSE3: u32 = 1
const FEATURE_PCLMULQDQ: u32 = 1 << 1
const FEATURE_SSSE3: u32 = 1 << 9
const FEATURE_FMA: u32 = 1 << 12
const FEATURE_CX16: u32 = 1 << 13
const FEATURE_SSE4_1: u32 = 1 << 19
const FEATURE_SSE4_2: u32 = 1 << 20
const FEATURE_MOVBE: u32 = 1 << 22
const FEATURE_POPCNT: u32 = 1 << 23
const FEATURE_AES: u32 = 1 << 25
const FEATURE_XSAVE: u32 = 1 << 26
const FEATURE_OSXSAVE: u32 = 1 << 27
const FEATURE_AVX: u32 = 1 << 28
const FEATURE_F16C: u32 = 1 << 29
// Leaf 7 EBX
const FEATURE_BMI1: u32 = 1 << 3
const FEATURE_AVX2: u32 = 1 << 5
const FEATURE_BMI2: u32 = 1 << 8
const FEATURE_ADX: u32 = 1 << 19
const FEATURE_CLFLUSHOPT: u32 = 1 << 23
const FEATURE_CLWB: u32 = 1 << 24
const FEATURE_SHA: u32 = 1 << 29
// Leaf 0Dh, subleaf 1 EAX
const FEATURE_XSAVEOPT: u32 = 1
const FEATURE_XSAVEC: u32 = 2
const FEATURE_XGETBV1: u32 = 4
// Leaf 80000001h ECX
const FEATURE_LZCNT: u32 = 1 << 5
const FEATURE_PREFETCHW: u32 = 1 << 8
// Leaf 7 EBX: FDP is written with unmasked exceptions only; FCS and FDS are zero (SDM 1 8.1.8)
const FEATURE_FDP_EXCPTN_ONLY: u32 = 1 << 6
const FEATURE_ZERO_FCS_FDS: u32 = 1 << 13
// Leaf 80000001h
const FEATURE_LAHF64: u32 = 1
const FEATURE_SYSCALL: u32 = 1 << 11
const FEATURE_NX: u32 = 1 << 20
const FEATURE_1GPAGES: u32 = 1 << 26
const FEATURE_LM: u32 = 1 << 29
/** Leaf 80000007h EDX: the TSC runs at a constant rate in every state. */
const FEATURE_INVARIANT_TSC: u32 = 1 << 8

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
  else basicLeaf(leaf > MAX_BASIC ? MAX_BASIC : leaf, subleaf)
}

function basicLeaf(leaf: u32, subleaf: u32): void {
  switch (leaf) {
    case 0:
      answer(MAX_BASIC, 0x756e6547, 0x6c65746e, 0x49656e69) // "Genu" "ntel" "ineI"
      break
    case 1:
      answer(CPU_SIGNATURE, leaf1Ebx(), leaf1Ecx(), leaf1Edx())
      break
    case 2:
      // TLBs, 32 KiB L1 data (2Ch) and instruction (30h) caches, 2 MiB L2 (7Dh)
      answer(0x05b0b101, 0x005657f0, 0, 0x2cb4307d)
      break
    case 4:
      cacheLeaf(subleaf)
      break
    case 7:
      answer(0, subleaf ? 0 : FEATURE_FDP_EXCPTN_ONLY | FEATURE_ZERO_FCS_FDS, 0, 0)
      break
    case 7:
      // One subleaf.
      answer(0, subleaf == 0 ? leaf7Ebx() : 0, 0, 0)
      break
    case 13:
      extendedStateLeaf(subleaf)
      break
    default:
      answer(0, 0, 0, 0)
  }
}

/** Initial APIC ID, one logical processor, CLFLUSH of 8 quadwords. */
function leaf1Ebx(): u32 {
  return (load<u32>(cpu, CPU_INDEX) << 24) | (1 << 16) | (8 << 8)
}

function leaf1Ecx(): u32 {
  const osxsave = (load<u64>(cpu, CPU_CR4) & CR4_OSXSAVE) != 0
  return (
    FEATURE_SSE3 |
    FEATURE_PCLMULQDQ |
    FEATURE_SSSE3 |
    FEATURE_FMA |
    FEATURE_CX16 |
    FEATURE_SSE4_1 |
    FEATURE_SSE4_2 |
    FEATURE_MOVBE |
    FEATURE_POPCNT |
    FEATURE_AES |
    FEATURE_XSAVE |
    (osxsave ? FEATURE_OSXSAVE : 0) |
    FEATURE_AVX |
    FEATURE_F16C
  )
}

function leaf7Ebx(): u32 {
  return (
    FEATURE_BMI1 |
    FEATURE_AVX2 |
    FEATURE_BMI2 |
    FEATURE_ADX |
    FEATURE_CLFLUSHOPT |
    FEATURE_CLWB |
    FEATURE_SHA
  )
}

/** Components of XCR0 and what their images need (SDM 1 13.2). */
function extendedStateLeaf(subleaf: u32): void {
  const size: u32 = load<u64>(cpu, CPU_XCR0) & 4 ? XSAVE_SIZE : XSAVE_AVX
  if (subleaf == 0) answer(XSTATE_COMPONENTS, size, XSAVE_SIZE, 0)
  else if (subleaf == 1) answer(FEATURE_XSAVEOPT | FEATURE_XSAVEC | FEATURE_XGETBV1, size, 0, 0)
  else if (subleaf == 2) answer(XSAVE_SIZE - XSAVE_AVX, XSAVE_AVX, 0, 0)
  else answer(0, 0, 0, 0)
}

function leaf1Edx(): u32 {
  return (
    FEATURE_FPU |
    FEATURE_PSE |
    FEATURE_TSC |
    FEATURE_MSR |
    FEATURE_PAE |
    FEATURE_CX8 |
    FEATURE_SEP |
    FEATURE_MTRR |
    FEATURE_PGE |
    FEATURE_CMOV |
    FEATURE_PAT |
    FEATURE_PSE36 |
    FEATURE_FXSR
  )
}

/** Deterministic cache parameters: 8 ways, lines of 64 bytes; L1 of 64 sets, L2 of 4096. */
function cacheLeaf(subleaf: u32): void {
  const geometry: u32 = (7 << 22) | 63
  if (subleaf == 0) answer(0x121, geometry, 63, 0)
  else if (subleaf == 1) answer(0x122, geometry, 63, 0)
  else if (subleaf == 2) answer(0x143, geometry, 4095, 0)
  else answer(0, 0, 0, 0)
}

function extendedLeaf(leaf: u32): void {
  if (leaf == 0x80000000) answer(MAX_EXTENDED, 0, 0, 0)
  else if (leaf == 0x80000001) answer(0, 0, FEATURE_LAHF64 | FEATURE_LZCNT | FEATURE_PREFETCHW, extendedFeatures())
  else if (leaf <= 0x80000004) brandLeaf(leaf - 0x80000002)
  else if (leaf == 0x80000006) answer(0, 0, (2048 << 16) | (6 << 12) | 64, 0)
  else if (leaf == 0x80000007) answer(0, 0, 0, FEATURE_INVARIANT_TSC)
  else if (leaf == 0x80000008) answer(<u32>PHYSICAL_ADDRESS_BITS | (LINEAR_ADDRESS_BITS << 8), 0, 0, 0)
  else answer(0, 0, 0, 0)
}

/** SYSCALL is enumerated in 64-bit mode only, the only mode that has it (SDM 2A table 3-8, footnote). */
function extendedFeatures(): u32 {
  const code64 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  return FEATURE_NX | FEATURE_1GPAGES | FEATURE_LM | (code64 ? FEATURE_SYSCALL : 0)
}

function brandLeaf(part: u32): void {
  const text = BRAND + <usize>part * 16
  answer(load<u32>(text), load<u32>(text, 4), load<u32>(text, 8), load<u32>(text, 12))
}
