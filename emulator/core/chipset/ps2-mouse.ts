// A PS/2 mouse on the second port of the 8042: stream, remote and wrap mode, sample rate, resolution, scaling; a wheel and
// two more buttons for those who knock as Microsoft's drivers do (sample rates 200, 100, 80: IntelliMouse, identity 3;
// 200, 200, 80: IntelliMouse Explorer, identity 4).
// What the hand does comes from the input queue; packets, and when they are sent, are made here, in machine time.
// Reference: IBM PS/2 Hardware Interface Technical Reference, "Mouse"; Microsoft, "IntelliMouse Mouse Protocol".

import { DEV_KBC } from '../layout'
import { kbcPoll } from './i8042'
import { NEVER, TIMER_MOUSE, timerDeadline, timerSet } from './timers'

// State
const MOUSE: usize = DEV_KBC + 1024
const ENABLED: usize = 0
const MODE: usize = 1 // MODE_*
const RATE: usize = 2 // samples a second
const RESOLUTION: usize = 3 // 0-3: 1, 2, 4, 8 counts a millimetre
const SCALING: usize = 4 // 1: 2:1
const IDENTITY: usize = 5
const PENDING: usize = 6 // command whose parameter is expected
const KNOCK: usize = 7 // u8[2], the last two sample rates
const BUTTONS: usize = 9
const SENT_BUTTONS: usize = 10
const WRAP_BEFORE: usize = 11
const REPLY_HEAD: usize = 12
const REPLY_COUNT: usize = 13
const BUFFER_HEAD: usize = 14
const BUFFER_COUNT: usize = 15
const LAST_LENGTH: usize = 16
const LAST: usize = 17 // u8[4], the last packet
const X: usize = 24 // i32, counts not yet reported
const Y: usize = 28 // i32, up is positive
const Z: usize = 32 // i32, wheel, towards the hand is positive
const REPLIES: usize = 48 // u8[16]
const BUFFER: usize = 64 // u8[64]

const MODE_STREAM: u32 = 0
const MODE_REMOTE: u32 = 1
const MODE_WRAP: u32 = 2

const REPLY_MASK: u32 = 15
const BUFFER_SIZE: u32 = 64
const BUFFER_MASK: u32 = 63
/** Counts that nobody fetches do not pile up further than a hand goes. */
const COUNTS_MAX: i32 = 4096

const ACK: u32 = 0xfa
const RESEND: u32 = 0xfe
const IDENTITY_WHEEL: u32 = 3
const IDENTITY_EXPLORER: u32 = 4

export function mouseReset(): void {
  memory.fill(MOUSE, 0, 256)
  defaults()
}

function defaults(): void {
  store<u8>(MOUSE, 0, ENABLED)
  store<u8>(MOUSE, <u8>MODE_STREAM, MODE)
  store<u8>(MOUSE, 100, RATE)
  store<u8>(MOUSE, 2, RESOLUTION)
  store<u8>(MOUSE, 0, SCALING)
  forget()
}

/** Movement and packets on their way are dropped: every command but those that ask does so. */
function forget(): void {
  store<i32>(MOUSE, 0, X)
  store<i32>(MOUSE, 0, Y)
  store<i32>(MOUSE, 0, Z)
  store<u8>(MOUSE, 0, BUFFER_COUNT)
}

/** True when a byte waits to be sent to the controller. */
export function mouseHasByte(): bool {
  return load<u8>(MOUSE, REPLY_COUNT) != 0 || load<u8>(MOUSE, BUFFER_COUNT) != 0
}

/** True when an answer to a command waits. */
export function mouseHasReply(): bool {
  return load<u8>(MOUSE, REPLY_COUNT) != 0
}

/** The byte to be sent: answers go before packets. Only when mouseHasByte(). */
export function mouseTakeByte(): u32 {
  const replies = <u32>load<u8>(MOUSE, REPLY_COUNT)
  if (replies) {
    const head = <u32>load<u8>(MOUSE, REPLY_HEAD)
    store<u8>(MOUSE, (head + 1) & REPLY_MASK, REPLY_HEAD)
    store<u8>(MOUSE, replies - 1, REPLY_COUNT)
    return load<u8>(MOUSE + head, REPLIES)
  }
  const head = <u32>load<u8>(MOUSE, BUFFER_HEAD)
  store<u8>(MOUSE, (head + 1) & BUFFER_MASK, BUFFER_HEAD)
  store<u8>(MOUSE, load<u8>(MOUSE, BUFFER_COUNT) - 1, BUFFER_COUNT)
  return load<u8>(MOUSE + head, BUFFER)
}

function reply(byte: u32): void {
  const count = <u32>load<u8>(MOUSE, REPLY_COUNT)
  if (count > REPLY_MASK) return
  store<u8>(MOUSE + ((load<u8>(MOUSE, REPLY_HEAD) + count) & REPLY_MASK), byte, REPLIES)
  store<u8>(MOUSE, count + 1, REPLY_COUNT)
}

/** A byte from the controller: a command or its parameter. */
export function mouseCommand(value: u32): void {
  const pending = <u32>load<u8>(MOUSE, PENDING)
  store<u8>(MOUSE, 0, PENDING)
  store<u8>(MOUSE, 0, REPLY_COUNT)
  if (load<u8>(MOUSE, MODE) == MODE_WRAP && value != 0xff && value != 0xec) {
    reply(value)
    return
  }
  if (pending && parameter(pending, value)) return
  switch (value) {
    case 0xe6: // scaling 1:1, 2:1
    case 0xe7:
      store<u8>(MOUSE, value & 1, SCALING)
      reply(ACK)
      return
    case 0xe8: // set resolution
    case 0xf3: // set sample rate
      store<u8>(MOUSE, value, PENDING)
      reply(ACK)
      return
    case 0xe9: // status request
      reply(ACK)
      reply(status())
      reply(load<u8>(MOUSE, RESOLUTION))
      reply(load<u8>(MOUSE, RATE))
      return
    case 0xea:
      setMode(MODE_STREAM)
      return
    case 0xeb: // read data
      reply(ACK)
      packet(false)
      for (let i: u32 = 0; i < load<u8>(MOUSE, LAST_LENGTH); i++) reply(load<u8>(MOUSE + LAST + i))
      return
    case 0xec: // reset wrap mode
      if (load<u8>(MOUSE, MODE) == MODE_WRAP) store<u8>(MOUSE, load<u8>(MOUSE, WRAP_BEFORE), MODE)
      reply(ACK)
      return
    case 0xee:
      store<u8>(MOUSE, load<u8>(MOUSE, MODE), WRAP_BEFORE)
      setMode(MODE_WRAP)
      return
    case 0xf0:
      setMode(MODE_REMOTE)
      return
    case 0xf2: // read device type
      reply(ACK)
      reply(load<u8>(MOUSE, IDENTITY))
      return
    case 0xf4:
    case 0xf5:
      store<u8>(MOUSE, value == 0xf4 ? 1 : 0, ENABLED)
      forget()
      reply(ACK)
      return
    case 0xf6:
      defaults()
      reply(ACK)
      return
    case 0xfe: // resend
      for (let i: u32 = 0; i < load<u8>(MOUSE, LAST_LENGTH); i++) reply(load<u8>(MOUSE + LAST + i))
      return
    case 0xff: // reset: acknowledge, completion code, identity
      defaults()
      store<u8>(MOUSE, 0, IDENTITY)
      store<u16>(MOUSE, 0, KNOCK)
      reply(ACK)
      reply(0xaa)
      reply(0x00)
      return
    default:
      reply(RESEND)
  }
}

function setMode(mode: u32): void {
  store<u8>(MOUSE, <u8>mode, MODE)
  forget()
  reply(ACK)
}

/** The parameter of `command`. False: `value` is none, but a new command. */
function parameter(command: u32, value: u32): bool {
  if (command == 0xe8) {
    if (value > 3) return false
    store<u8>(MOUSE, value, RESOLUTION)
    reply(ACK)
    return true
  }
  if (value == 0 || value > 200) return false
  const first = load<u8>(MOUSE, KNOCK)
  const second = load<u8>(MOUSE, KNOCK + 1)
  if (first == 200 && second == 100 && value == 80) store<u8>(MOUSE, <u8>IDENTITY_WHEEL, IDENTITY)
  if (first == 200 && second == 200 && value == 80) store<u8>(MOUSE, <u8>IDENTITY_EXPLORER, IDENTITY)
  store<u8>(MOUSE, second, KNOCK)
  store<u8>(MOUSE, value, KNOCK + 1)
  store<u8>(MOUSE, value, RATE)
  reply(ACK)
  return true
}

/** First byte of the status: remote, enabled, scaling, buttons (left, middle, right). */
function status(): u32 {
  const buttons = <u32>load<u8>(MOUSE, BUTTONS)
  return (
    (load<u8>(MOUSE, MODE) == MODE_REMOTE ? 0x40 : 0) |
    (load<u8>(MOUSE, ENABLED) ? 0x20 : 0) |
    (load<u8>(MOUSE, SCALING) ? 0x10 : 0) |
    ((buttons & 1) << 2) |
    ((buttons & 4) >> 1) |
    ((buttons & 2) >> 1)
  )
}

/**
 * Movement and buttons (INPUT_KIND_MOUSE's data). A click that begins and ends between two samples is reported all the
 * same.
 */
export function mouseInput(data: u32, now: u64): void {
  const buttons = (data >> 24) & 31
  const streaming = reports()
  if (
    streaming &&
    buttons != load<u8>(MOUSE, BUTTONS) &&
    load<u8>(MOUSE, BUTTONS) != load<u8>(MOUSE, SENT_BUTTONS)
  )
    send(now)
  add(X, ((<i32>data) << 22) >> 22)
  add(Y, -(((<i32>data) << 12) >> 22))
  add(Z, ((<i32>data) << 8) >> 28)
  store<u8>(MOUSE, buttons, BUTTONS)
  if (streaming && timerDeadline(TIMER_MOUSE) == NEVER) sample(now)
}

function add(axis: usize, counts: i32): void {
  const sum = load<i32>(MOUSE + axis) + counts
  store<i32>(MOUSE + axis, max<i32>(-COUNTS_MAX, min<i32>(COUNTS_MAX, sum)))
}

/** In remote mode the counts wait for who asks; in stream mode without reporting they are lost. */
function reports(): bool {
  if (load<u8>(MOUSE, MODE) == MODE_STREAM && load<u8>(MOUSE, ENABLED)) return true
  if (load<u8>(MOUSE, MODE) != MODE_REMOTE) forget()
  return false
}

/** TIMER_MOUSE: the time of the next sample. */
export function mouseTimer(now: u64): void {
  if (reports()) sample(now)
}

/** Something to tell is told, and the next sample is a period away. */
function sample(now: u64): void {
  if (!moved() && load<u8>(MOUSE, BUTTONS) == load<u8>(MOUSE, SENT_BUTTONS)) return
  send(now)
  timerSet(TIMER_MOUSE, now + 1_000_000_000 / <u64>load<u8>(MOUSE, RATE))
}

function moved(): bool {
  return load<i32>(MOUSE, X) != 0 || load<i32>(MOUSE, Y) != 0 || load<i32>(MOUSE, Z) != 0
}

/** A packet into the buffer; without room the counts wait for the next sample. */
function send(now: u64): void {
  const length = <u32>(load<u8>(MOUSE, IDENTITY) ? 4 : 3)
  const count = <u32>load<u8>(MOUSE, BUFFER_COUNT)
  if (count + length > BUFFER_SIZE) return
  packet(true)
  const head = <u32>load<u8>(MOUSE, BUFFER_HEAD)
  for (let i: u32 = 0; i < length; i++) {
    store<u8>(MOUSE + ((head + count + i) & BUFFER_MASK), load<u8>(MOUSE + LAST + i), BUFFER)
  }
  store<u8>(MOUSE, count + length, BUFFER_COUNT)
  kbcPoll(now)
}

/** Makes the next packet, in LAST. Scaling is for packets sent by themselves alone. */
function packet(scaled: bool): void {
  const x = take(X, 255)
  const y = take(Y, 255)
  const buttons = <u32>load<u8>(MOUSE, BUTTONS)
  const scale = scaled && load<u8>(MOUSE, SCALING) != 0
  const sx = scale ? twice(x) : x
  const sy = scale ? twice(y) : y
  let first: u32 = 0x08 | (buttons & 7)
  if (sx < 0) first |= 0x10
  if (sy < 0) first |= 0x20
  if (sx > 255 || sx < -256) first |= 0x40
  if (sy > 255 || sy < -256) first |= 0x80
  store<u8>(MOUSE, first, LAST)
  store<u8>(MOUSE, <u8>sx, LAST + 1)
  store<u8>(MOUSE, <u8>sy, LAST + 2)
  const identity = <u32>load<u8>(MOUSE, IDENTITY)
  store<u8>(MOUSE, identity ? 4 : 3, LAST_LENGTH)
  if (identity == IDENTITY_EXPLORER) store<u8>(MOUSE, (take(Z, 7) & 15) | ((buttons & 0x18) << 1), LAST + 3)
  else if (identity == IDENTITY_WHEEL) store<u8>(MOUSE, <u8>take(Z, 127), LAST + 3)
  else store<i32>(MOUSE, 0, Z)
  store<u8>(MOUSE, buttons, SENT_BUTTONS)
}

function take(axis: usize, most: i32): i32 {
  const counts = load<i32>(MOUSE + axis)
  const part = max<i32>(-most, min<i32>(most, counts))
  store<i32>(MOUSE + axis, counts - part)
  return part
}

/** Scaling 2:1: 0, 1, 1, 3, 6, 9, then twice. */
function twice(counts: i32): i32 {
  const size = counts < 0 ? -counts : counts
  let scaled = size * 2
  if (size < 6) scaled = size < 2 ? size : size == 2 ? 1 : (size - 2) * 3
  return counts < 0 ? -scaled : scaled
}
