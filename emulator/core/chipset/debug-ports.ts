// Ports for guests that know they run in an emulator, as QEMU and Bochs have them: debug console E9h (reads back
// E9h, which is how guests detect it), isa-debug-exit F4h, and Bochs' shutdown port 8900h.

import { DEV_DEBUG, RING_DEBUGCON, STOP_DEBUG_EXIT, STOP_POWER_OFF } from '../layout'
import { outputByte } from '../machine/output'
import { machineStop } from '../machine/stop'

const SHUTDOWN_MATCHED: usize = 0 // u8, letters of "Shutdown" seen in a row

const SHUTDOWN_LENGTH: u32 = 8
const SHUTDOWN = memory.data<u8>([0x53, 0x68, 0x75, 0x74, 0x64, 0x6f, 0x77, 0x6e])

export function debugPortsReset(): void {
  store<u8>(DEV_DEBUG, 0, SHUTDOWN_MATCHED)
}

export function debugconWrite(value: u32): void {
  outputByte(RING_DEBUGCON, value & 0xff)
}

/** Ends the run; `value` is what the guest wrote, in the size it wrote it. */
export function debugExitWrite(value: u32): void {
  machineStop(STOP_DEBUG_EXIT, value)
}

/** Port 8900h: the letters of "Shutdown", one after the other, switch the machine off. */
export function shutdownWrite(value: u32): void {
  let matched = <u32>load<u8>(DEV_DEBUG, SHUTDOWN_MATCHED)
  if (value == load<u8>(SHUTDOWN + matched)) matched++
  else matched = value == load<u8>(SHUTDOWN) ? 1 : 0
  if (matched == SHUTDOWN_LENGTH) {
    matched = 0
    machineStop(STOP_POWER_OFF, 0)
  }
  store<u8>(DEV_DEBUG, matched, SHUTDOWN_MATCHED)
}
