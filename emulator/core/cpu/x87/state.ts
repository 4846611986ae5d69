// The x87 state and what every instruction does to it (SDM 1 chapter 8). The registers lie in the XSAVE image, but in
// physical order: R0 at +32, 16 bytes each, significand first; FTW has a bit per physical register, 1 when in use.
// Images in guest memory are made from it by environment.ts.

import { CPU_CR0, CPU_XSAVE, FAULT_DETAIL_NONE, FAULT_DETAIL_PRIVILEGE } from '../../layout'
import { effectiveAddress } from '../address'
import { cpu } from '../context'
import { raise } from '../fault'
import { SLOW_MEMORY } from '../ops'
import { O_AUX2, O_IMM, O_OFFSET } from '../trace-format'
import { EXC_MF, EXC_NM } from '../vectors'
import { externalError, newError } from './external-error'

// Offsets from the vCPU block (SDM 1 table 10-2).
export const FCW: usize = CPU_XSAVE
export const FSW: usize = CPU_XSAVE + 2
export const FTW: usize = CPU_XSAVE + 4 // u8
export const FOP: usize = CPU_XSAVE + 6
export const FIP: usize = CPU_XSAVE + 8
export const FDP: usize = CPU_XSAVE + 16
export const REGISTERS: usize = CPU_XSAVE + 32

// Status word (SDM 1 figure 8-4).
export const IE: u32 = 1
export const DE: u32 = 2
export const ZE: u32 = 4
export const OE: u32 = 8
export const UE: u32 = 16
export const PE: u32 = 32
export const SF: u32 = 0x40
export const ES: u32 = 0x80
export const C0: u32 = 0x100
export const C1: u32 = 0x200
export const C2: u32 = 0x400
export const C3: u32 = 0x4000
export const BUSY: u32 = 0x8000
const TOP_MASK: u32 = 0x3800
/** Exceptions that are found before the operation: unmasked, they leave the operands alone. */
export const BEFORE: u32 = IE | DE | ZE

const CR0_MP: u32 = 2
const CR0_EM: u32 = 4
const CR0_TS: u32 = 8
const CR0_NE: u32 = 0x20

export const DONE: u32 = 0
export const FAULTED: u32 = 1
export const COMMITTED: u32 = 2
/** The instruction waits, unexecuted, for the interrupt that FERR# raises (SDM 1 8.7.2). */
export const FROZEN: u32 = 3

export const INTEGER_BIT: u64 = 0x8000000000000000
export const QUIET: u64 = 0xc000000000000000
export const INDEFINITE: u32 = 0xffff // sign and exponent of the default NaN; its significand is QUIET

/** Exceptions raised by the instruction being executed, and C1 when it rounded up. Transient. */
export let exceptions: u32 = 0

@inline
export function note(bits: u32): void {
  exceptions |= bits
}

@inline
export function noteOnly(bits: u32): void {
  exceptions = bits
}

@inline
export function control(): u32 {
  return load<u16>(cpu, FCW)
}

@inline
export function top(): u32 {
  return (<u32>load<u8>(cpu, FSW + 1) >> 3) & 7
}

/** Address of ST(i), without the displacement REGISTERS. */
@inline
export function st(i: u32): usize {
  return cpu + (((top() + i) & 7) << 4)
}

@inline
export function significand(r: usize): u64 {
  return load<u64>(r, REGISTERS)
}

/** Sign (bit 15) and biased exponent. */
@inline
export function exponent(r: usize): u32 {
  return load<u16>(r, REGISTERS + 8)
}

@inline
export function setRegister(r: usize, se: u32, sig: u64): void {
  store<u64>(r, sig, REGISTERS)
  store<u16>(r, se as u16, REGISTERS + 8)
}

@inline
export function inUse(i: u32): bool {
  return ((<u32>load<u8>(cpu, FTW) >> ((top() + i) & 7)) & 1) != 0
}

export function setTop(value: u32): void {
  store<u16>(cpu, (load<u16>(cpu, FSW) & ~TOP_MASK) | ((value & 7) << 11), FSW)
}

/** Marks ST(0) empty and raises TOP. */
@inline
export function pop(): void {
  const word = load<u16>(cpu, FSW) as u32
  const t = (word >> 11) & 7
  store<u8>(cpu, (<u32>load<u8>(cpu, FTW) & ~((1 as u32) << t)) as u8, FTW)
  store<u16>(cpu, (word & ~TOP_MASK) | (((t + 1) & 7) << 11), FSW)
}

/** Lowers TOP and writes the new ST(0). */
@inline
export function push(se: u32, sig: u64): void {
  const word = load<u16>(cpu, FSW) as u32
  const t = ((word >> 11) - 1) & 7
  store<u8>(cpu, (<u32>load<u8>(cpu, FTW) | ((1 as u32) << t)) as u8, FTW)
  store<u16>(cpu, (word & ~TOP_MASK) | (t << 11), FSW)
  setRegister(cpu + (t << 4), se, sig)
}

/** Writes ST(i), which is in use from now on. */
export function write(i: u32, se: u32, sig: u64): void {
  const n = (top() + i) & 7
  store<u8>(cpu, (<u32>load<u8>(cpu, FTW) | ((1 as u32) << n)) as u8, FTW)
  setRegister(cpu + (n << 4), se, sig)
}

/** True when an exception found so far keeps the operation from being carried out. */
@inline
export function stopped(): bool {
  return (exceptions & ~control() & BEFORE) != 0
}

/** True when an exception found so far is not masked. */
@inline
export function unmasked(): bool {
  return (exceptions & ~control() & 0x3f) != 0
}

/** Brings what the instruction at `ip` raised into the status word; C1 tells how it rounded. */
@inline
export function settle(ip: usize): void {
  store<u16>(cpu, (load<u16>(cpu, FSW) & ~C1) | exceptions, FSW)
  if (exceptions & ~control() & 0x3f) trap(ip)
}

/**
 * An unmasked exception: summary and busy bits, and the pointers. FOP and FDP are written only here
 * (CPUID.07H:EBX[6], SDM 1 8.1.8 and 8.1.9); FIP by every instruction.
 */
function trap(ip: usize): void {
  if (!(load<u16>(cpu, FSW) & ES) && !(load<u32>(cpu, CPU_CR0) & CR0_NE)) newError()
  store<u16>(cpu, load<u16>(cpu, FSW) | (ES | BUSY), FSW)
  store<u16>(cpu, load<u16>(ip, O_IMM) & 0x7ff, FOP)
  store<u64>(cpu, load<u32>(ip, O_AUX2) & SLOW_MEMORY ? effectiveAddress(ip) : 0, FDP)
}

/** A register was needed and empty, or a free one and none was (SDM 1 8.5.1.1). */
export function stackFault(overflow: bool): void {
  exceptions |= IE | SF | (overflow ? C1 : 0)
}

/** ES and B follow the exceptions and the masks (FLDCW, FLDENV, FRSTOR, FXRSTOR; SDM 1 8.1.3.3). */
export function summarise(): void {
  const word = load<u16>(cpu, FSW) as u32
  const pending = (word & ~control() & 0x3f) != 0
  store<u16>(cpu, pending ? word | (ES | BUSY) : word & ~(ES | BUSY), FSW)
}

/** #NM for an x87 instruction other than WAIT (SDM 3A table 2-2). True when it may go on. */
export function available(): bool {
  const cr0 = load<u32>(cpu, CPU_CR0)
  if (!(cr0 & (CR0_EM | CR0_TS))) return true
  return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, cr0)
}

export function waitAvailable(): bool {
  const cr0 = load<u32>(cpu, CPU_CR0)
  if ((cr0 & (CR0_MP | CR0_TS)) != (CR0_MP | CR0_TS)) return true
  return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, cr0)
}

/** #MF, or with CR0.NE = 0 the external way (SDM 1 8.7). DONE when the instruction may go on. */
export function pendingError(): u32 {
  if (!(load<u16>(cpu, FSW) & ES)) return DONE
  if (load<u32>(cpu, CPU_CR0) & CR0_NE) {
    raise(EXC_MF, 0, FAULT_DETAIL_NONE, load<u16>(cpu, FSW))
    return FAULTED
  }
  return externalError() ? FROZEN : DONE
}

/** Where this instruction lies: `rip` is that of its trace. */
@inline
export function instructionPointer(ip: usize, rip: u64): void {
  store<u64>(cpu, rip + load<u16>(ip, O_OFFSET), FIP)
}
