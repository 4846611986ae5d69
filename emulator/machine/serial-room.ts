// Whether a serial port's receiver can take another byte. Bytes go into the input queue only as fast as the UART takes
// them: one that the guest does not read would hold up the keyboard behind it.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

// Fields of emulator/core/chipset/uart-16550.ts
const UART_SIZE = 256
const UART_FCR = 1
const UART_RECEIVED = 11
const FCR_ENABLE = 1
const FIFO_SIZE = 16

/** @param port 0 = COM1 */
export function serialHasRoom(memory: MachineMemory, port: number): boolean {
  const uart = L.DEV_UART + port * UART_SIZE
  const capacity = (memory.u8[uart + UART_FCR]! & FCR_ENABLE) !== 0 ? FIFO_SIZE : 1
  return memory.u8[uart + UART_RECEIVED]! + underWay(memory, port) < capacity
}

/** Bytes for this port that are in the queue. */
function underWay({ u32, view }: MachineMemory, port: number): number {
  const write = Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_WRITE) >>> 2)
  const read = Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_READ) >>> 2)
  let count = 0
  for (let i = read; i !== write; i = (i + 1) >>> 0) {
    const at = L.INPUT_QUEUE + L.INPUT_ENTRIES + (i % L.INPUT_CAPACITY) * L.INPUT_ENTRY_SIZE
    if (view.getUint32(at + L.INPUT_KIND, true) !== L.INPUT_KIND_SERIAL) continue
    if (view.getUint32(at + L.INPUT_DATA, true) >>> 8 === port) count++
  }
  return count
}
