import type { ScreenSnapshot } from './api'
import type { MachineMemory } from './memory'
export function screenSnapshot(_memory: MachineMemory): ScreenSnapshot {
  return { kind: 'blank' }
}
export function readVideo(_memory: MachineMemory, _address: number, length: number): Uint8Array {
  return new Uint8Array(length)
}
