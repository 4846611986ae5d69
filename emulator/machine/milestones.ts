// The stages of the climb from reset to long mode, as the core has recorded them.
import * as L from '../core/layout'
import { instructions, linear, type Milestone, nanoseconds } from './api'
import type { MachineMemory } from './memory'

/** In the order of the layout's CLIMB_ constants. */
const NAMES = [
  'reset',
  'BIOS',
  'boot sector',
  'A20',
  'GDT',
  'protected mode',
  'PAE',
  'paging',
  'long mode',
  '64-bit code',
  'ring 3',
]

export function milestones(memory: MachineMemory): Milestone[] {
  return NAMES.map((name, id) => {
    const at = L.HEADER + L.HDR_MILESTONES + id * L.MILESTONE_SIZE
    return {
      id,
      name,
      reached: Atomics.load(memory.u32, (at + L.MILESTONE_REACHED) >>> 2) !== 0,
      cpu: memory.view.getUint32(at + L.MILESTONE_CPU, true),
      instructions: instructions(memory.view.getBigUint64(at + L.MILESTONE_RETIRED, true)),
      time: nanoseconds(memory.view.getBigUint64(at + L.MILESTONE_TIME, true)),
      rip: linear(memory.view.getBigUint64(at + L.MILESTONE_RIP, true)),
    }
  })
}
