// The small ports of the system board: 61h (NMI status and speaker), 80h (POST code), 92h (fast A20 and INIT),
// CF9h (reset control) and the host bridge's TRC, and the A20 gate itself.
// References: 82371AB (PIIX4) data sheet 290562, 4.2.6 and 4.2.7.

import { cpu } from '../cpu/context'
import {
  CLIMB_A20,
  CPU_FAULT_RIP,
  DEV_SYSCTL,
  HDR_A20,
  HDR_RESET_REQUEST,
  HEADER,
  RESET_CPU,
  RESET_SYSTEM,
} from '../layout'
import { milestoneOutside } from '../machine/climb'
import { a20Changed } from '../memory/tlb'
import { PIT_FREQUENCY, pitGate2, pitOut2 } from './i8254'
import { ticksAt } from './timers'

const PORT_61: usize = 0 // u8, bits 0-3
const PORT_92: usize = 1
const POST_CODE: usize = 2
const PORT_CF9: usize = 3
const A20_KBC: usize = 4 // the keyboard controller's half of the gate
const TURBO_RESET: usize = 5 // u8, the host bridge's TRC

const PORT_61_GATE2: u32 = 0x01
const PORT_92_INIT: u32 = 0x01
const PORT_92_A20: u32 = 0x02
const CF9_SYSTEM: u32 = 0x02
const CF9_RESET: u32 = 0x04

/** Clock pulses of the timer between two refresh requests: 15.085 us. */
const REFRESH_PULSES: u64 = 18

/** Power-on. The processor starts just below 4 GiB, so A20 passes until the firmware closes port 92h's gate. */
export function systemControlReset(): void {
  memory.fill(DEV_SYSCTL, 0, 16)
  store<u8>(DEV_SYSCTL, PORT_92_A20, PORT_92)
  store<u32>(HEADER, 1, HDR_A20)
  a20Changed()
}

export function port61Read(now: u64): u32 {
  const refresh = <u32>((ticksAt(now, PIT_FREQUENCY) / REFRESH_PULSES) & 1)
  return load<u8>(DEV_SYSCTL, PORT_61) | (refresh << 4) | (pitOut2(now) << 5)
}

export function port61Write(value: u32, now: u64): void {
  store<u8>(DEV_SYSCTL, value & 0x0f, PORT_61)
  pitGate2((value & PORT_61_GATE2) != 0, now)
}

/** The last POST code; the register can be read back like the DMA page register it once was. */
export function postRead(): u32 {
  return load<u8>(DEV_SYSCTL, POST_CODE)
}

export function postWrite(value: u32): void {
  store<u8>(DEV_SYSCTL, value, POST_CODE)
}

export function port92Read(): u32 {
  return load<u8>(DEV_SYSCTL, PORT_92)
}

export function port92Write(value: u32): void {
  const before = <u32>load<u8>(DEV_SYSCTL, PORT_92)
  store<u8>(DEV_SYSCTL, value, PORT_92)
  a20Update()
  if ((value & ~before & PORT_92_INIT) != 0) resetRequest(RESET_CPU)
}

/** The keyboard controller's output pin. The gate is open when it or port 92h opens it (82371AB 4.2.6.2). */
export function a20FromKeyboardController(open: bool): void {
  store<u8>(DEV_SYSCTL, open ? 1 : 0, A20_KBC)
  a20Update()
}

function a20Update(): void {
  const fast = (load<u8>(DEV_SYSCTL, PORT_92) & PORT_92_A20) != 0
  const open: u32 = fast || load<u8>(DEV_SYSCTL, A20_KBC) != 0 ? 1 : 0
  if (open == load<u32>(HEADER, HDR_A20)) return
  store<u32>(HEADER, open, HDR_A20)
  if (open) milestoneOutside(CLIMB_A20, load<u64>(cpu, CPU_FAULT_RIP), 0)
  a20Changed()
}

export function resetControlRead(): u32 {
  return load<u8>(DEV_SYSCTL, PORT_CF9)
}

/** CF9h: bit 2 going from 0 to 1 resets, the whole system if bit 1 is set, else the processor. */
export function resetControlWrite(value: u32): void {
  const before = <u32>load<u8>(DEV_SYSCTL, PORT_CF9)
  store<u8>(DEV_SYSCTL, value & 0x0e, PORT_CF9)
  if ((value & ~before & CF9_RESET) != 0) resetRequest(value & CF9_SYSTEM ? RESET_SYSTEM : RESET_CPU)
}

/** TRC, 93h of the host bridge (82441FX 3.2.26), works as CF9h does. */
export function turboResetWrite(value: u32): void {
  const before = <u32>load<u8>(DEV_SYSCTL, TURBO_RESET)
  store<u8>(DEV_SYSCTL, value, TURBO_RESET)
  if ((value & ~before & CF9_RESET) != 0) resetRequest(value & CF9_SYSTEM ? RESET_SYSTEM : RESET_CPU)
}

/** Asks the engine for a reset at the next boundary; a system reset is not weakened to one of the processor. */
export function resetRequest(kind: u32): void {
  if (kind == RESET_CPU) {
    // The processor starts over just below 4 GiB, with A20 masked it would not find the ROM there.
    store<u8>(DEV_SYSCTL, load<u8>(DEV_SYSCTL, PORT_92) | PORT_92_A20, PORT_92)
    store<u32>(HEADER, 1, HDR_A20)
    a20Changed()
  }
  if (load<u32>(HEADER, HDR_RESET_REQUEST) < kind) store<u32>(HEADER, kind, HDR_RESET_REQUEST)
}
