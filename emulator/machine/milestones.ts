// The stages of the climb from reset to user mode, as the core has recorded them.
import * as L from '../core/layout'
import {
  type CpuSnapshot,
  instructions,
  linear,
  type LinearAddress,
  type Milestone,
  nanoseconds,
} from './api'
import { blockSnapshot } from './cpu-snapshot'
import type { MachineMemory } from './memory'

/** In the order in which kernels climb, with their CLIMB_ numbers. */
const STAGES: readonly [id: number, name: string][] = [
  [L.CLIMB_RESET, 'reset'],
  [L.CLIMB_BIOS, 'BIOS'],
  [L.CLIMB_BOOT_SECTOR, 'boot sector'],
  [L.CLIMB_A20, 'A20'],
  [L.CLIMB_GDT, 'GDT'],
  [L.CLIMB_PROTECTED, 'protected mode'],
  [L.CLIMB_CODE32, '32-bit code'],
  [L.CLIMB_TABLES, 'page tables'],
  [L.CLIMB_PAE, 'PAE'],
  [L.CLIMB_LME, 'EFER.LME'],
  [L.CLIMB_PAGING, 'paging'],
  [L.CLIMB_LONG, 'long mode'],
  [L.CLIMB_CODE64, '64-bit code'],
  [L.CLIMB_HIGHER_HALF, 'higher half'],
  [L.CLIMB_IDT, 'IDT'],
  [L.CLIMB_TSS, 'TSS'],
  [L.CLIMB_INTERRUPT, 'first interrupt'],
  [L.CLIMB_AP, 'other CPUs'],
  [L.CLIMB_SYSCALL, 'system calls'],
  [L.CLIMB_RING3, 'ring 3'],
]

const recordOf = (id: number): number => L.MILESTONES + id * L.MILESTONE_SIZE

export function milestones(memory: MachineMemory): Milestone[] {
  return STAGES.map(([id, name]) => {
    const at = recordOf(id)
    return {
      id,
      name,
      reached: Atomics.load(memory.u32, (at + L.MILESTONE_REACHED) >>> 2) === 1,
      cpu: memory.view.getUint32(at + L.MILESTONE_CPU, true),
      instructions: instructions(memory.view.getBigUint64(at + L.MILESTONE_RETIRED, true)),
      time: nanoseconds(memory.view.getBigUint64(at + L.MILESTONE_TIME, true)),
      rip: linear(memory.view.getBigUint64(at + L.MILESTONE_RIP, true)),
    }
  })
}

/** The moment at which a stage was reached. */
export interface MilestoneMoment {
  /** The instruction that did it; absent where none of the guest or its firmware did (power-on). */
  by?: { address: LinearAddress; bytes: Uint8Array }
  /** The CPU before that instruction; status flags are masked out where they were not worked out yet. */
  before?: CpuSnapshot
  after: CpuSnapshot
  /** By stage, MILESTONE_DETAIL. */
  detail: bigint
}

/** @returns undefined when the stage has not been reached */
export function milestoneMoment(memory: MachineMemory, id: number): MilestoneMoment | undefined {
  const at = recordOf(id)
  if (Atomics.load(memory.u32, (at + L.MILESTONE_REACHED) >>> 2) !== 1) return undefined
  const cpu = memory.view.getUint32(at + L.MILESTONE_CPU, true)
  const moment: MilestoneMoment = {
    after: snapshot(memory, at + L.MILESTONE_AFTER, cpu),
    detail: memory.view.getBigUint64(at + L.MILESTONE_DETAIL, true),
  }
  if (memory.view.getUint32(at + L.MILESTONE_HAS_BEFORE, true) === 0) return moment
  const length = Math.min(memory.view.getUint32(at + L.MILESTONE_LENGTH, true), L.MILESTONE_BYTES_MAX)
  const bytes = at + L.MILESTONE_BYTES
  moment.by = {
    address: linear(memory.view.getBigUint64(at + L.MILESTONE_BY, true)),
    bytes: Uint8Array.from(memory.u8.subarray(bytes, bytes + length)),
  }
  moment.before = snapshot(memory, at + L.MILESTONE_BEFORE, cpu)
  return moment
}

/** CF PF AF ZF SF OF */
const STATUS_FLAGS = 0x8d5n

function snapshot(memory: MachineMemory, block: number, cpu: number): CpuSnapshot {
  const found = blockSnapshot(memory, block, cpu)
  if (memory.view.getUint32(block + L.CPU_LAZY, true) !== L.LAZY_NONE) found.rflags &= ~STATUS_FLAGS
  return found
}
