// Which functions' calls are told (emulator/core/cpu/probes.ts): the table in the machine's memory.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

/** An operand of a function: a register when it is entered (an address of an allocation: when it returns), or an argument on the stack, from 1. */
export type ProbeOperand = { register: ProbeRegister } | { stack: number }
export const PROBE_REGISTERS = [
  ...['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'],
  ...['R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'],
] as const
export type ProbeRegister = (typeof PROBE_REGISTERS)[number]

export interface Probe {
  /** Linear address of the function's first instruction. */
  linear: bigint
  event: 'allocate' | 'free'
  address: ProbeOperand
  /** The address of what it is about is ((operand - base) >> right) << left. */
  base?: bigint
  right?: number
  left?: number
  /** Bytes are unit * operand, or unit << operand; without an operand, unit. */
  bytes?: ProbeOperand
  unit: number
  shift?: boolean
  /** Of page frames: addresses are physical. */
  frames?: boolean
  /** `free`: the operand is the head of a circular list, and what is freed are its links. */
  list?: boolean
  /** `allocate`: the operand, when the function is entered, is an array of pointers; it answers how many are there (in RAX). */
  array?: boolean
  /** Nobody else gives out of the pool or takes back: of frames, uses of free ones are told. */
  whole?: boolean
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn

/**
 * Writes the table and makes it the one in use. Events name a probe by its index.
 * @param direct where physical memory is mapped byte for byte, undefined: not known
 */
export function writeProbes(memory: MachineMemory, probes: readonly Probe[], direct?: bigint) {
  const { view, u8, u32 } = memory
  if (probes.length > L.PROBES_MAX)
    throw new RangeError(`at most ${L.PROBES_MAX} functions can be probed at a time`)
  const word = (L.HEADER + L.HDR_PROBES) >>> 2
  const before = Atomics.load(u32, word)
  // Frames that were freed while somebody looked are nobody's business now.
  Atomics.store(u32, word, 0)
  const marks = L.FRAME_FREED | L.FRAME_FREED_READ
  if (before !== 0)
    for (let frame = 0; frame < memory.frameCount; frame++) {
      const flags = (memory.frames + frame * L.FRAME_SIZE + L.FRAME_FLAGS) >>> 2
      if (u32[flags]! & marks) Atomics.and(u32, flags, ~marks)
    }
  if (probes.length > 0) {
    // A CPU may be reading the old one for a moment.
    const table = before === L.PROBES ? L.PROBES + L.PROBES_TABLE_SIZE : L.PROBES
    u8.fill(0, table, table + L.PROBES_TABLE_SIZE)
    u8.fill(0, L.PROBE_SITES, L.PROBE_SITES + L.PROBE_SITES_TABLE + L.PROBE_SITES_COUNT * 8)
    view.setBigUint64(table + L.PROBES_DIRECT, direct ?? ALL_ONES, true)
    for (const [id, probe] of probes.entries()) writeProbe(memory, table, probe, id)
    Atomics.store(u32, word, table)
  }
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
    const block = memory.cpuBlock(cpu)
    if (before === 0) Atomics.store(u32, (block + L.CPU_PROBE_CALLS + 4) >>> 2, 0)
    // What was decoded without them does not know them.
    Atomics.or(u32, (block + L.CPU_MAINTENANCE) >>> 2, L.MAINTENANCE_DROP_TRACES | L.MAINTENANCE_DROP_FAST)
    memory.kick(cpu)
  }
}

function writeProbe({ view, u8 }: MachineMemory, table: number, probe: Probe, id: number) {
  const offset = Number(probe.linear & 0xfffn)
  u8[table + L.PROBES_OFFSETS + (offset >> 3)]! |= 1 << (offset & 7)
  const hashed =
    Math.imul(Number(BigInt.asUintN(32, probe.linear ^ (probe.linear >> 17n))), 0x9e3779b1) >>> 16
  for (let i = 0; i < L.PROBES_SLOT_COUNT; i++) {
    const slot = table + L.PROBES_SLOTS + ((hashed + i) & (L.PROBES_SLOT_COUNT - 1)) * L.PROBE_SIZE
    if (view.getBigUint64(slot + L.PROBE_LINEAR, true) !== 0n) continue
    const flags =
      (probe.event === 'allocate' ? L.PROBE_IS_ALLOCATE : 0) |
      (probe.frames ? L.PROBE_IS_FRAMES : 0) |
      (probe.shift ? L.PROBE_IS_SHIFT : 0) |
      (probe.list ? L.PROBE_IS_LIST : 0) |
      (probe.array ? L.PROBE_IS_ARRAY : 0) |
      (probe.whole ? L.PROBE_IS_WHOLE : 0)
    view.setUint32(slot + L.PROBE_ID, id, true)
    view.setUint32(slot + L.PROBE_FLAGS, flags, true)
    view.setUint32(slot + L.PROBE_ADDRESS, operand(probe.address), true)
    view.setUint32(slot + L.PROBE_BYTES, probe.bytes ? operand(probe.bytes) : L.PROBE_NONE, true)
    view.setBigUint64(slot + L.PROBE_BASE, BigInt.asUintN(64, probe.base ?? 0n), true)
    view.setBigUint64(slot + L.PROBE_UNIT, BigInt(probe.unit), true)
    view.setUint8(slot + L.PROBE_RIGHT, probe.right ?? 0)
    view.setUint8(slot + L.PROBE_LEFT, probe.left ?? 0)
    view.setBigUint64(slot + L.PROBE_LINEAR, probe.linear, true)
    return
  }
}

const operand = (of: ProbeOperand): number =>
  'stack' in of ? (L.PROBE_STACK | of.stack) >>> 0 : L.CPU_RAX + PROBE_REGISTERS.indexOf(of.register) * 8
