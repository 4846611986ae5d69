// Where MMX registers lie in the x87 state (SDM 1 9.2): MMn is the significand of physical register Rn. The FXSAVE image
// of the vCPU block holds the registers in physical order, so an MMX register is found without TOP.

import { CPU_XSAVE } from '../../layout'
import { cpu } from '../context'

const FSW: usize = CPU_XSAVE + 2
const FTW: usize = CPU_XSAVE + 4
const REGISTERS: usize = CPU_XSAVE + 32
const FSW_TOP: u16 = 0x3800

/** WebAssembly address of the low 64 bits of MMn. */
@inline
export function mmxRegister(n: u32): u32 {
  return <u32>(cpu + REGISTERS) + n * 16
}

/** Whether an unmasked x87 exception waits: #MF before an MMX instruction (SDM 1 9.6.3). */
@inline
export function x87ExceptionPending(): bool {
  return (load<u16>(cpu, FSW) & 0x80) != 0
}

/** What every MMX instruction but EMMS does to the x87 state: TOP is 0, all registers are in use (SDM 1 9.5.1). */
@inline
export function mmxEnter(): void {
  store<u16>(cpu, load<u16>(cpu, FSW) & ~FSW_TOP, FSW)
  store<u8>(cpu, 0xff, FTW)
}

/** EMMS: all registers are empty. */
export function mmxLeave(): void {
  store<u16>(cpu, load<u16>(cpu, FSW) & ~FSW_TOP, FSW)
  store<u8>(cpu, 0, FTW)
}

/** Writes MMn; bits 64-79 of the x87 register become ones (SDM 1 9.5.1). `register`: from mmxRegister(). */
@inline
export function mmxWrite(register: usize, value: u64): void {
  store<u64>(register, value)
  store<u16>(register, 0xffff, 8)
}
