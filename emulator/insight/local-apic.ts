// The local APIC of a CPU told in words (SDM 3A chapter 11, "Advanced Programmable Interrupt Controller").
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'

export interface LocalVector {
  /** timer, LINT0, LINT1, error, performance, thermal */
  name: string
  value: number
  masked: boolean
  vector: number
  /** How it is delivered: fixed, NMI, ExtINT, ... */
  delivery: string
  /** Waiting to be accepted. */
  pending: boolean
}

export interface LocalApic {
  mode: 'off' | 'xAPIC' | 'x2APIC'
  /** The spurious-interrupt vector register lets it work. */
  enabled: boolean
  id: number
  /** Guest-physical base of the register page. */
  base: bigint
  spurious: number
  taskPriority: number
  logicalDestination: number
  destinationFormat: number
  errors: number
  /** Last command written: low and high half. */
  command: [low: number, high: number]
  /** Vectors, ascending. */
  requested: number[]
  inService: number[]
  /** Of those, the ones that want a level-triggered end of interrupt. */
  level: number[]
  vectors: LocalVector[]
  timer: { mode: 'one-shot' | 'periodic' | 'TSC-deadline'; divide: number; initial: number }
}

// Register offsets (SDM 3A table 11-1)
const REGISTERS = {
  ...{ id: 0x20, tpr: 0x80, ldr: 0xd0, dfr: 0xe0, svr: 0xf0, isr: 0x100, tmr: 0x180, irr: 0x200, esr: 0x280 },
  ...{ icr: 0x300, icrHigh: 0x310, initial: 0x380, divide: 0x3e0 },
} as const
const LOCAL: readonly [name: string, offset: number][] = [
  ['timer', 0x320],
  ['LINT0', 0x350],
  ['LINT1', 0x360],
  ['error', 0x370],
  ['performance', 0x340],
  ['thermal', 0x330],
]
const DELIVERY = ['fixed', 'lowest priority', 'SMI', 'reserved', 'NMI', 'INIT', 'start-up', 'ExtINT'] as const
const TIMER_MODES = ['one-shot', 'periodic', 'TSC-deadline'] as const

/** @param index 0 .. number of CPUs - 1 */
export function localApic(memory: MachineMemory, index: number): LocalApic {
  const read = (register: number) => memory.cpu32(index, L.CPU_LAPIC + register)
  const base = memory.cpu64(index, L.CPU_APIC_BASE)
  const x2 = (base & 0x400n) !== 0n
  const on = (base & 0x800n) !== 0n
  const set = (register: number) => {
    const found: number[] = []
    for (let word = 0; word < 8; word++) {
      const bits = read(register + word * 16)
      for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) found.push(word * 32 + bit)
    }
    return found
  }
  // Accepted from other threads and not yet moved by the CPU: requested, for whoever asks.
  const requested = new Set(set(REGISTERS.irr))
  for (let word = 0; word < 8; word++) {
    const bits = memory.cpu32(index, L.CPU_INBOX + word * 4)
    for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) requested.add(word * 32 + bit)
  }
  const divide = read(REGISTERS.divide)
  const timer = read(0x320)
  return {
    mode: on ? (x2 ? 'x2APIC' : 'xAPIC') : 'off',
    enabled: on && (read(REGISTERS.svr) & 0x100) !== 0,
    id: x2 ? read(REGISTERS.id) : read(REGISTERS.id) >>> 24,
    base: base & 0xf_ffff_ffff_f000n,
    spurious: read(REGISTERS.svr) & 0xff,
    taskPriority: read(REGISTERS.tpr) & 0xff,
    logicalDestination: x2 ? read(REGISTERS.ldr) : read(REGISTERS.ldr) >>> 24,
    destinationFormat: read(REGISTERS.dfr) >>> 28,
    errors: read(REGISTERS.esr) & 0xff,
    command: [read(REGISTERS.icr), read(REGISTERS.icrHigh)],
    requested: [...requested].sort((a, b) => a - b),
    inService: set(REGISTERS.isr),
    level: set(REGISTERS.tmr),
    vectors: LOCAL.map(([name, offset]) => {
      const value = read(offset)
      return {
        ...{ name, value, vector: value & 0xff },
        masked: (value & 0x10000) !== 0,
        delivery: DELIVERY[(value >> 8) & 7]!,
        pending: (value & 0x1000) !== 0,
      }
    }),
    timer: {
      mode: TIMER_MODES[(timer >> 17) & 3] ?? 'one-shot',
      // Bits 0, 1 and 3; 111 divides by 1 (SDM 3A figure 11-10).
      divide: 1 << ((((divide & 3) | ((divide >> 1) & 4)) + 1) & 7),
      initial: read(REGISTERS.initial),
    },
  }
}
