// MXCSR (SDM 1 10.2.3) and the exceptions of SSE and AVX floating point (SDM 1 11.5).

import { CPU_CR4, CPU_XSAVE, FAULT_DETAIL_NONE } from '../../layout'
import { accessCommit } from '../../memory/linear'
import { bounce, cpu } from '../context'
import { CR4_OSXMMEXCPT } from '../control-registers'
import { raise } from '../fault'
import { operandRead, operandWrite } from '../slow'
import { O_AUX2 } from '../trace-format'
import { EXC_GP, EXC_UD, EXC_XM } from '../vectors'
import { vectorAvailable } from './available'

export const MXCSR: usize = CPU_XSAVE + 24
export const MXCSR_MASK: u32 = 0xffff
export const MXCSR_RESET: u32 = 0x1f80

export const IE: u32 = 1
export const DE: u32 = 2
export const ZE: u32 = 4
export const OE: u32 = 8
export const UE: u32 = 16
export const PE: u32 = 32
export const DAZ: u32 = 0x40
export const MASKS: u32 = 0x1f80
export const UM: u32 = 0x800
export const OM: u32 = 0x400
export const FTZ: u32 = 0x8000

export const ROUND_NEAREST: u32 = 0
export const ROUND_DOWN: u32 = 1
export const ROUND_UP: u32 = 2
export const ROUND_ZERO: u32 = 3

/** Exceptions that the instruction being executed has found so far. Transient. */
export let raised: u32 = 0
/** What earlier steps of the instruction have found, all of it masked: a later step hides nothing of that. Transient. */
let settled: u32 = 0
/** Rounding mode of the conversion or operation at hand: RC, or an immediate's. Transient. */
export let rounding: u32 = 0

@inline
export function mxcsr(): u32 {
  return load<u32>(cpu, MXCSR)
}

@inline
export function note(flags: u32): void {
  raised |= flags
}

@inline
export function noteNothing(): void {
  raised = 0
  settled = 0
}

/** Takes what was raised out, to count it as a step of its own. */
@inline
export function takeRaised(): u32 {
  const flags = raised
  raised = 0
  return flags
}

/** Adds a step to what was raised; false when something of it is unmasked, and the next step is not taken. */
export function noteStep(flags: u32): bool {
  settled = raised
  raised |= flags
  return (flags & ~(load<u32>(cpu, MXCSR) >> 7)) == 0
}

@inline
export function roundAsControlled(): void {
  rounding = (load<u32>(cpu, MXCSR) >> 13) & 3
}

/**
 * Notes what was raised. False, with #XM (or #UD, SDM 3A 2.5 OSXMMEXCPT) pending, if something of it is unmasked: an
 * exception found before the operation hides those found after it (SDM 1 11.5.2).
 */
export function settleExceptions(): bool {
  const control = load<u32>(cpu, MXCSR)
  const unmasked = raised & ~(control >> 7)
  if (unmasked & (IE | DE | ZE)) raised &= IE | DE | ZE | settled
  store<u32>(cpu, control | raised, MXCSR)
  if (!unmasked) return true
  return raise(load<u64>(cpu, CPU_CR4) & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD, 0, FAULT_DETAIL_NONE, control)
}

/** LDMXCSR, VLDMXCSR; results as of slow(). */
export function loadMxcsr(ip: usize): u32 {
  if (!vectorAvailable(load<u32>(ip, O_AUX2))) return 1
  const p = operandRead(ip, 4)
  if (!p) return 1
  const value = load<u32>(p)
  if (value & ~MXCSR_MASK) {
    raise(EXC_GP, 0, FAULT_DETAIL_NONE, value)
    return 1
  }
  store<u32>(cpu, value, MXCSR)
  return 0
}

export function storeMxcsr(ip: usize): u32 {
  if (!vectorAvailable(load<u32>(ip, O_AUX2))) return 1
  const p = operandWrite(ip, 4, false)
  if (!p) return 1
  store<u32>(p, load<u32>(cpu, MXCSR))
  if (p != bounce) return 0
  accessCommit()
  return 2
}
