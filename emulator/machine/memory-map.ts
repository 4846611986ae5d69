// Who answers where in the guest-physical address space, and what of it the firmware tells the guest.
import * as L from '../core/layout'
import { type E820Entry, type MemoryRegion, physical } from './api'
import type { MachineMemory } from './memory'

/** The extended BIOS data area begins here (emulator/core/bios/bda.ts). */
const EBDA = 0x9fc00
const VGA = 0xa0000
const ROM_LOW = 0x100000 - L.ROM_SIZE
const ROM_HIGH = 0x1_0000_0000 - L.ROM_SIZE
const MIB = 0x100000

/** As INT 15h/E820h answers it. */
export function e820(memory: MachineMemory): E820Entry[] {
  const entry = (base: number, end: number, type: 1 | 2): E820Entry => ({
    base: physical(base),
    length: end - base,
    type,
  })
  return [
    entry(0, EBDA, 1),
    entry(EBDA, VGA, 2),
    entry(ROM_LOW, MIB, 2),
    entry(MIB, memory.ramSize, 1),
    entry(ROM_HIGH, 0x1_0000_0000, 2),
  ].filter(({ length }) => length > 0)
}

export function memoryMap(memory: MachineMemory): MemoryRegion[] {
  const region = (start: number, end: number, kind: MemoryRegion['kind'], name: string): MemoryRegion => ({
    start: physical(start),
    end: physical(end),
    kind,
    name,
  })
  return [
    region(0, VGA, 'ram', 'conventional memory'),
    region(VGA, 0xc0000, 'video', 'VGA'),
    region(ROM_LOW, MIB, 'rom', 'system ROM'),
    region(MIB, memory.ramSize, 'ram', 'extended memory'),
    region(ROM_HIGH, 0x1_0000_0000, 'rom', 'system ROM'),
  ].filter(({ start, end }) => end > start)
}
