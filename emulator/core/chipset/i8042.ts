// 8042 keyboard controller, ports 60h and 64h: command byte, output port (A20, processor reset), translation,
// self tests. The keyboard hangs on its first port, the mouse on the second. Bytes the controller itself answers
// with are there at once; bytes from the devices take the time of a frame on the wire.
// References: Intel UPI-41AH/42AH (210393); IBM PC/AT Technical Reference 6280070, "Keyboard Controller".

import { DEV_KBC, RESET_CPU } from '../layout'
import { irqLine } from './interrupt-lines'
import { keyboardCommand, keyboardHasByte, keyboardTakeByte } from './ps2-keyboard'
import { mouseCommand, mouseHasByte, mouseTakeByte } from './ps2-mouse'
import { set1FromSet2 } from './scan-codes'
import { a20FromKeyboardController, resetRequest } from './system-control'
import { NEVER, TIMER_KEYBOARD, timerDeadline, timerSet } from './timers'

// State, from DEV_KBC (the keyboard's own begins at DEV_KBC + 256)
const STATUS: usize = 0 // OBF, SYS, A2, AUX, TIMEOUT bits of the status register
const OUTPUT: usize = 1 // output buffer
const OUTPUT_PORT: usize = 2
const COMMAND: usize = 3 // command whose data byte is expected at port 60h, 0 none
const BREAK_PREFIX: usize = 4 // translation has swallowed an F0h
const REPLY_COUNT: usize = 5 // bytes of the controller waiting for the output buffer
const PASSWORD_SET: usize = 6
const REPLIES: usize = 16 // u8[8]
const RAM: usize = 32 // u8[32], byte 0 is the command byte

/** A frame of 11 bits; a real keyboard needs about 1 ms, this one is fast but leaves a handler time to run. */
const FRAME_TIME: u64 = 20_000

const STATUS_OBF: u32 = 0x01
const STATUS_SYS: u32 = 0x04
const STATUS_COMMAND: u32 = 0x08
const STATUS_UNLOCKED: u32 = 0x10
const STATUS_AUX: u32 = 0x20
const STATUS_TIMEOUT: u32 = 0x40
const COMMAND_IRQ1: u32 = 0x01
const COMMAND_IRQ12: u32 = 0x02
const COMMAND_SYS: u32 = 0x04
const COMMAND_KEYBOARD_OFF: u32 = 0x10
const COMMAND_AUX_OFF: u32 = 0x20
const COMMAND_TRANSLATE: u32 = 0x40
const PORT_NO_RESET: u32 = 0x01
const PORT_A20: u32 = 0x02
const PORT_OBF: u32 = 0x10
const PORT_AUX_OBF: u32 = 0x20

const REPLY_AUX: u32 = 0x100
const REPLY_TIMEOUT: u32 = 0x200
const MAX_REPLIES: u32 = 8

/** Power-on: both interfaces off until the firmware writes the command byte, no reset, A20 left to port 92h. */
export function kbcReset(): void {
  memory.fill(DEV_KBC, 0, 64)
  store<u8>(DEV_KBC, PORT_NO_RESET | 0xcc, OUTPUT_PORT)
  store<u8>(DEV_KBC, COMMAND_KEYBOARD_OFF | COMMAND_AUX_OFF, RAM)
}

/** `port` 60h or 64h. */
export function kbcRead(port: u32, now: u64): u32 {
  const status = <u32>load<u8>(DEV_KBC, STATUS)
  if (port == 0x64) return status | STATUS_UNLOCKED
  const value = load<u8>(DEV_KBC, OUTPUT) // stays readable until it is replaced
  if (status & STATUS_OBF) {
    store<u8>(DEV_KBC, status & ~(STATUS_OBF | STATUS_AUX | STATUS_TIMEOUT), STATUS)
    updateLines()
    nextReply()
    kbcPoll(now)
  }
  return value
}

/** `port` 60h or 64h. The input buffer is empty again before the next access: IBF always reads 0. */
export function kbcWrite(port: u32, value: u32, now: u64): void {
  const status = <u32>load<u8>(DEV_KBC, STATUS)
  if (port == 0x64) {
    store<u8>(DEV_KBC, status | STATUS_COMMAND, STATUS)
    command(value)
  } else {
    store<u8>(DEV_KBC, status & ~STATUS_COMMAND, STATUS)
    data(value, now)
  }
  kbcPoll(now)
}

/** Starts the next byte of a device on its way if its interface is on and the output buffer is free. */
export function kbcPoll(now: u64): void {
  if (timerDeadline(TIMER_KEYBOARD) == NEVER && (canReceive() || canReceiveAux()))
    timerSet(TIMER_KEYBOARD, now + FRAME_TIME)
}

/** TIMER_KEYBOARD: the byte has arrived. */
export function kbcTimer(now: u64): void {
  if (!canReceive()) {
    // The frame is refused, the device sends it again when it may.
    if (canReceiveAux()) output(REPLY_AUX | mouseTakeByte())
    return
  }
  let byte = keyboardTakeByte(now)
  if (commandByte() & COMMAND_TRANSLATE) {
    // A break code is F0h and the make code; in set 1 it is the make code with bit 7 set
    if (byte == 0xf0) {
      store<u8>(DEV_KBC, 1, BREAK_PREFIX)
      kbcPoll(now)
      return
    }
    const released = load<u8>(DEV_KBC, BREAK_PREFIX) != 0
    store<u8>(DEV_KBC, 0, BREAK_PREFIX)
    byte = released ? set1FromSet2(byte) | 0x80 : set1FromSet2(byte)
  }
  output(byte)
}

/** For the firmware: the command byte, without a conversation. */
export function kbcCommandByte(): u32 {
  return commandByte()
}
export function kbcCommandByteWrite(value: u32, now: u64): void {
  commandByteWrite(value)
  kbcPoll(now)
}

function commandByte(): u32 {
  return load<u8>(DEV_KBC, RAM)
}

function canReceive(): bool {
  return (
    keyboardHasByte() &&
    (load<u8>(DEV_KBC, STATUS) & STATUS_OBF) == 0 &&
    (commandByte() & COMMAND_KEYBOARD_OFF) == 0
  )
}

function canReceiveAux(): bool {
  return (
    mouseHasByte() && (load<u8>(DEV_KBC, STATUS) & STATUS_OBF) == 0 && (commandByte() & COMMAND_AUX_OFF) == 0
  )
}

/** Puts a byte (with REPLY_AUX, REPLY_TIMEOUT) into the output buffer. */
function output(value: u32): void {
  let status = <u32>load<u8>(DEV_KBC, STATUS) | STATUS_OBF
  if (value & REPLY_AUX) status |= STATUS_AUX
  if (value & REPLY_TIMEOUT) status |= STATUS_TIMEOUT
  store<u8>(DEV_KBC, status, STATUS)
  store<u8>(DEV_KBC, value, OUTPUT)
  updateLines()
}

/** A byte of the controller itself: waits for its turn when the output buffer is full. */
function reply(value: u32): void {
  const count = <u32>load<u8>(DEV_KBC, REPLY_COUNT)
  if (count == MAX_REPLIES) return
  store<u16>(DEV_KBC + count * 2, value, REPLIES)
  store<u8>(DEV_KBC, count + 1, REPLY_COUNT)
  nextReply()
}

function nextReply(): void {
  const count = <u32>load<u8>(DEV_KBC, REPLY_COUNT)
  if (count == 0 || (load<u8>(DEV_KBC, STATUS) & STATUS_OBF) != 0) return
  const value = <u32>load<u16>(DEV_KBC, REPLIES)
  for (let i: u32 = 1; i < count; i++) {
    store<u16>(DEV_KBC + (i - 1) * 2, load<u16>(DEV_KBC + i * 2, REPLIES), REPLIES)
  }
  store<u8>(DEV_KBC, count - 1, REPLY_COUNT)
  output(value)
}

/** IRQ 1 and 12 follow the output buffer, when the command byte lets them. */
function updateLines(): void {
  const status = <u32>load<u8>(DEV_KBC, STATUS)
  const full = (status & STATUS_OBF) != 0
  const aux = (status & STATUS_AUX) != 0
  let pins = <u32>load<u8>(DEV_KBC, OUTPUT_PORT) & ~(PORT_OBF | PORT_AUX_OBF)
  if (full && !aux && (commandByte() & COMMAND_IRQ1) != 0) pins |= PORT_OBF
  if (full && aux && (commandByte() & COMMAND_IRQ12) != 0) pins |= PORT_AUX_OBF
  store<u8>(DEV_KBC, pins, OUTPUT_PORT)
  irqLine(1, (pins & PORT_OBF) != 0)
  irqLine(12, (pins & PORT_AUX_OBF) != 0)
}

function commandByteWrite(value: u32): void {
  store<u8>(DEV_KBC, value, RAM)
  const status = <u32>load<u8>(DEV_KBC, STATUS) & ~STATUS_SYS
  store<u8>(DEV_KBC, value & COMMAND_SYS ? status | STATUS_SYS : status, STATUS)
  updateLines()
}

function outputPortWrite(value: u32): void {
  store<u8>(DEV_KBC, value, OUTPUT_PORT)
  a20FromKeyboardController((value & PORT_A20) != 0)
  if ((value & PORT_NO_RESET) == 0) resetRequest(RESET_CPU)
  updateLines()
}

function command(value: u32): void {
  store<u8>(DEV_KBC, 0, COMMAND)
  if (value < 0x40) {
    if (value >= 0x20) reply(load<u8>(DEV_KBC + (value & 0x1f), RAM))
    return
  }
  if (value < 0x80) {
    if (value >= 0x60) store<u8>(DEV_KBC, value, COMMAND)
    return
  }
  // Pulse output port: bits 0-3 that are 0 go low for 6 us; bit 0 is the processor's reset
  if (value >= 0xf0) {
    if ((value & PORT_NO_RESET) == 0) resetRequest(RESET_CPU)
    return
  }
  const pins = <u32>load<u8>(DEV_KBC, OUTPUT_PORT)
  switch (value) {
    case 0xa4: // test password: F1h none
      reply(load<u8>(DEV_KBC, PASSWORD_SET) ? 0xfa : 0xf1)
      return
    case 0xa5: // load password, up to a 0
    case 0xd1: // write output port
    case 0xd2: // write keyboard output buffer
    case 0xd3: // write auxiliary output buffer
    case 0xd4: // write to the auxiliary device
      store<u8>(DEV_KBC, value, COMMAND)
      return
    case 0xa7:
      commandByteWrite(commandByte() | COMMAND_AUX_OFF)
      return
    case 0xa8:
      commandByteWrite(commandByte() & ~COMMAND_AUX_OFF)
      return
    case 0xa9: // interface test, auxiliary and keyboard: nothing stuck
    case 0xab:
      reply(0)
      return
    case 0xaa: // self test
      commandByteWrite(commandByte() | COMMAND_SYS)
      reply(0x55)
      return
    case 0xad:
      commandByteWrite(commandByte() | COMMAND_KEYBOARD_OFF)
      return
    case 0xae:
      commandByteWrite(commandByte() & ~COMMAND_KEYBOARD_OFF)
      return
    case 0xc0: // input port: not locked, colour display, jumpers as shipped
      reply(0xb0)
      return
    case 0xd0:
      reply(pins)
      return
    case 0xdd: // A20 off and on, as most later controllers know them
      outputPortWrite(pins & ~PORT_A20)
      return
    case 0xdf:
      outputPortWrite(pins | PORT_A20)
      return
    case 0xe0: // test inputs: clock in bit 0, data in bit 1; the clock is held low while the interface is off
      reply(commandByte() & COMMAND_KEYBOARD_OFF ? 2 : 3)
      return
  }
}

function data(value: u32, now: u64): void {
  const pending = <u32>load<u8>(DEV_KBC, COMMAND)
  if (pending != 0xa5 || value == 0) store<u8>(DEV_KBC, 0, COMMAND)
  switch (pending) {
    case 0: {
      // A byte for the keyboard; sending it switches the interface on
      const enabled = commandByte() & ~COMMAND_KEYBOARD_OFF
      if (enabled != commandByte()) commandByteWrite(enabled)
      keyboardCommand(value, now)
      return
    }
    case 0x60:
      commandByteWrite(value)
      return
    case 0xa5:
      store<u8>(DEV_KBC, 1, PASSWORD_SET)
      return
    case 0xd1:
      outputPortWrite(value)
      return
    case 0xd2:
      reply(value)
      return
    case 0xd3:
      reply(REPLY_AUX | value)
      return
    case 0xd4: {
      // A byte for the mouse; sending it switches the interface on
      const enabled = commandByte() & ~COMMAND_AUX_OFF
      if (enabled != commandByte()) commandByteWrite(enabled)
      mouseCommand(value)
      return
    }
    default:
      store<u8>(DEV_KBC + (pending & 0x1f), value, RAM)
  }
}
