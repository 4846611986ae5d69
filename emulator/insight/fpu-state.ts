// The x87 and the vector registers of a CPU (SDM 1 chapters 8, 10 and 14), read out of its state.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'

export interface X87Register {
  /** Which of R0-R7 it is. */
  physical: number
  empty: boolean
  /** 80 bits: sign and exponent in 64-79, significand in 0-63. */
  value: bigint
}

export interface FpuState {
  fcw: number
  fsw: number
  /** Register that ST(0) is. */
  top: number
  /** ST(0) to ST(7). */
  st: X87Register[]
  mxcsr: number
  /** YMM0-YMM15, 32 bytes each, low byte first; XMM is the lower half. */
  ymm: Uint8Array
}

// Offsets in the XSAVE area (SDM 1 tables 10-2 and 13.4.2; the registers lie in physical order here).
const FSW = 2
const FTW = 4
const MXCSR = 24
const REGISTERS = 32
const XMM = 160
const YMM_HIGH = 576
const COUNT = 16

/** @param index 0 .. number of CPUs - 1 */
export function fpuState(memory: MachineMemory, index: number): FpuState {
  const at = memory.cpuBlock(index) + L.CPU_XSAVE
  const { view, u8 } = memory
  const fsw = view.getUint16(at + FSW, true)
  const used = view.getUint8(at + FTW)
  const top = (fsw >> 11) & 7
  const st = Array.from({ length: 8 }, (_, i): X87Register => {
    const physical = (top + i) & 7
    const register = at + REGISTERS + physical * 16
    const value = (BigInt(view.getUint16(register + 8, true)) << 64n) | view.getBigUint64(register, true)
    return { physical, empty: (used & (1 << physical)) === 0, value }
  })
  const ymm = new Uint8Array(COUNT * 32)
  for (let i = 0; i < COUNT; i++) {
    ymm.set(u8.subarray(at + XMM + i * 16, at + XMM + i * 16 + 16), i * 32)
    ymm.set(u8.subarray(at + YMM_HIGH + i * 16, at + YMM_HIGH + i * 16 + 16), i * 32 + 16)
  }
  return { fcw: view.getUint16(at, true), fsw, top, st, mxcsr: view.getUint32(at + MXCSR, true), ymm }
}

const EXPONENT_BIAS = 16383
const INTEGER_BIT = 1n << 63n

/**
 * An 80-bit number for people, to 17 digits: "3.1415926535897931", "-∞", "quiet NaN"; beyond the range of a double as a
 * power of two.
 */
export function extendedText(value: bigint): string {
  const sign = (value >> 79n) & 1n ? '-' : ''
  const exponent = Number((value >> 64n) & 0x7fffn)
  const significand = value & 0xffff_ffff_ffff_ffffn
  if (exponent === 0x7fff) {
    if ((significand & INTEGER_BIT) === 0n) return `${sign}unsupported`
    if (significand === INTEGER_BIT) return `${sign}∞`
    return (significand & (1n << 62n)) !== 0n ? `${sign}quiet NaN` : `${sign}signalling NaN`
  }
  if (significand === 0n) return exponent === 0 ? `${sign}0` : `${sign}unsupported`
  if (exponent > 0 && (significand & INTEGER_BIT) === 0n) return `${sign}unsupported`
  const power = (exponent === 0 ? 1 : exponent) - EXPONENT_BIAS - 63
  const number = Number(significand) * 2 ** power
  if (Number.isFinite(number) && number !== 0) return `${sign}${Number(number.toPrecision(17))}`
  const mantissa = (Number(significand) / 2 ** 63).toPrecision(8)
  return `${sign}${mantissa} × 2^${power + 63}`
}
