// What is known of each page frame without knowing the kernel: frames that are surely in use, and frames that nobody has ever
// touched, which are free in all likelihood. Guesses are held against these.
import * as L from '../../core/layout'
import type { MachineMemory } from '../../machine/memory'
import type { ReverseMap } from '../frames/reverse-map'

export interface Evidence {
  memory: MachineMemory
  map: ReverseMap
  /** 1: a page table, executed, or mapped more often than memory is in general. */
  used: Uint8Array
  /** 1: never touched since power-on. */
  idle: Uint8Array
  usedCount: number
  idleCount: number
  /** RAM frames that have ever been written, in order: where a kernel's data can be. */
  written: number[]
}

export function gatherEvidence(memory: MachineMemory, map: ReverseMap): Evidence {
  const count = memory.frameCount
  const used = new Uint8Array(count)
  const idle = new Uint8Array(count)
  const written: number[] = []
  let usedCount = 0
  let idleCount = 0
  const { u32 } = memory
  const usual = usualCount(map.counts)
  for (let frame = 0; frame < count; frame++) {
    // Below 1 MiB are the firmware's data and the adapters.
    const low = frame < 256
    const flags = u32[(memory.frames + frame * L.FRAME_SIZE + L.FRAME_FLAGS) >>> 2]!
    if (flags & L.FRAME_WRITTEN && !(frame >= 0xa0 && frame < 256)) written.push(frame)
    if (low) continue
    const touched = (flags & (L.FRAME_TOUCHED | L.FRAME_WRITTEN)) !== 0
    if (map.levels[frame]! > 0 || flags & L.FRAME_EXECUTED || (touched && map.counts[frame]! > usual)) {
      used[frame] = 1
      usedCount++
    } else if (!touched) {
      idle[frame] = 1
      idleCount++
    }
  }
  return { memory, map, used, idle, usedCount, idleCount, written }
}

/** How often most frames are mapped: by the kernel's map of all memory, if it has one. What is mapped more often has another use. */
function usualCount(counts: Uint16Array): number {
  const often = new Uint32Array(8)
  for (let frame = 256; frame < counts.length; frame++) often[Math.min(7, counts[frame]!)]!++
  return often.indexOf(Math.max(...often))
}

/** Where a kernel would call a byte of RAM by: of its mappings the one in the upper half, or the lowest; unpaged: its own address. */
export function linearOf({ map }: Evidence, physical: number): bigint | undefined {
  const mappings = map.mappings(Math.floor(physical / 4096), 8).filter(({ user }) => !user)
  if (map.tables === 0) return BigInt(physical)
  const [best] = mappings.sort((a, b) => (a.linear > b.linear ? -1 : 1))
  return best && best.linear + BigInt(physical % 4096)
}

export const hex = (value: bigint | number) => value.toString(16).toUpperCase()
