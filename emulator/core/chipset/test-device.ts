// QEMU's pc-testdev, which test suites for processors ask for: a port that keeps what is written (E0h), one that says that a
// page changed (E4h; nothing is cached here that would have to be dropped), a byte wide one (E8h), the interrupt lines
// (2000h + line) and 64 KiB of memory that is reached as a device is (FF000000h).

import { DEV_TEST, DEV_TEST_MEMORY } from '../layout'
import { ioapicPin } from './ioapic'
import { irqLine } from './interrupt-lines'

export const TEST_PORT: u32 = 0xe0
/** The ports E0h-E8h; E9h is the debug console. */
export const TEST_PORTS: u32 = 9
export const TEST_LINES: u32 = 0x2000
export const TEST_LINES_COUNT: u32 = 24
export const TEST_MEMORY: u64 = 0xff000000
export const TEST_MEMORY_SIZE: u64 = 0x10000

const FLUSH: u32 = 4
const BYTE: u32 = 8
const ISA_LINES: u32 = 16

export function testDeviceReset(): void {
  store<u32>(DEV_TEST, 0)
  memory.fill(DEV_TEST_MEMORY, 0, TEST_MEMORY_SIZE as usize)
}

/** `offset` from TEST_PORT, a byte. */
export function testPortRead(offset: u32): u32 {
  if (offset < FLUSH) return load<u8>(DEV_TEST + offset)
  return offset == BYTE ? load<u8>(DEV_TEST) : 0
}

export function testPortWrite(offset: u32, value: u32): void {
  if (offset < FLUSH) store<u8>(DEV_TEST + offset, value)
  else if (offset == BYTE) store<u8>(DEV_TEST, value)
}

/** Drives interrupt line `line` (0-23, inputs of the I/O APIC) high or low. */
export function testLineWrite(line: u32, value: u32): void {
  if (line < ISA_LINES) irqLine(line, value != 0)
  else ioapicPin(line, value != 0)
}

export function testMemoryRead(offset: u32, size: u32): u64 {
  const at: usize = DEV_TEST_MEMORY + offset
  return size == 8 ? load<u64>(at) : size == 4 ? load<u32>(at) : size == 2 ? load<u16>(at) : load<u8>(at)
}

export function testMemoryWrite(offset: u32, size: u32, value: u64): void {
  const at: usize = DEV_TEST_MEMORY + offset
  if (size == 8) store<u64>(at, value)
  else if (size == 4) store<u32>(at, value as u32)
  else if (size == 2) store<u16>(at, value as u16)
  else store<u8>(at, value as u8)
}
