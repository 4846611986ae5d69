// A PS/2 keyboard with 101/102 keys: scan code sets 1-3, its own typematic repeat, LEDs, the commands of the host.
// Keys come from the input queue as what is pressed and released; the codes, their order and their repetition are
// made here, in machine time.
// Reference: IBM PS/2 Hardware Interface Technical Reference, "101- and 102-Key Keyboards", commands and outputs.

import { DEV_KBC, KEY_E0, KEY_PAUSE, KEY_PRINT_SCREEN, KEY_RELEASE } from '../layout'
import { kbcPoll } from './i8042'
import { KEY_BREAKS, KEY_REPEATS, set1FromSet2, set3DefaultType, set3FromSet2 } from './scan-codes'
import { NEVER, TIMER_TYPEMATIC, timerSet } from './timers'

// State
const KEYBOARD: usize = DEV_KBC + 256
const SCAN_SET: usize = 0
const SCANNING: usize = 1
const LEDS: usize = 2
const RATE: usize = 3 // typematic rate and delay, as given to F3h
const PENDING: usize = 4 // command whose parameter is expected
const LAST_SENT: usize = 5
const MODIFIERS: usize = 6 // those that are down
const PRINT_FORM: usize = 7 // what PrintScreen said when it went down: PRINT_*
const HELD: usize = 8 // u32, the key that repeats (KEY bits), 0 none
const BUFFER_HEAD: usize = 12
const BUFFER_COUNT: usize = 13
const REPLY_HEAD: usize = 14
const REPLY_COUNT: usize = 15
const LAST_TAKEN: usize = 16 // u64 ns, when the system took a byte; all ones: never
const BUFFER: usize = 32 // u8[32]
const REPLIES: usize = 64 // u8[16]
const KEY_TYPES: usize = 256 // u8[256], types of the set 3 keys

/** The output buffer of IBM's keyboard holds 16 bytes; one more place is for the overrun code. */
const BUFFER_SIZE: u32 = 16
const BUFFER_MASK: u32 = 31
const REPLY_MASK: u32 = 15
/** A system that has taken no byte for this long does not listen: what is typed is lost, as on any keyboard. */
const LISTENING: u64 = 100_000_000

/** Pause and PrintScreen say something else with these keys. */
const MODIFIER_SHIFT: u32 = 0x03 // left, right
const MODIFIER_CTRL: u32 = 0x0c
const MODIFIER_ALT: u32 = 0x30
const PRINT_PLAIN: u32 = 0
const PRINT_BARE: u32 = 1 // with Shift or Ctrl: without the shift around it
const PRINT_SYSTEM: u32 = 2 // with Alt: SysRq, a key of its own

const ACK: u32 = 0xfa
const RESEND: u32 = 0xfe
const DEFAULT_RATE: u32 = 0x2b // 500 ms, 10.9 a second

/** Power-on; the completion code of the power-on test is long gone when the firmware looks. */
export function keyboardReset(): void {
  memory.fill(KEYBOARD, 0, 512)
  defaults()
  store<u8>(KEYBOARD, 1, SCANNING)
  store<u64>(KEYBOARD, NEVER, LAST_TAKEN)
}

function defaults(): void {
  store<u8>(KEYBOARD, 2, SCAN_SET)
  store<u8>(KEYBOARD, 0, LEDS)
  store<u8>(KEYBOARD, DEFAULT_RATE, RATE)
  store<u8>(KEYBOARD, 0, BUFFER_COUNT)
  stopRepeat()
  for (let code: u32 = 0; code < 256; code++) store<u8>(KEYBOARD + code, set3DefaultType(code), KEY_TYPES)
}

/** True when a byte waits to be sent to the controller. */
export function keyboardHasByte(): bool {
  return load<u8>(KEYBOARD, REPLY_COUNT) != 0 || load<u8>(KEYBOARD, BUFFER_COUNT) != 0
}

/** The byte to be sent: answers to commands go before keys. Only when keyboardHasByte(). */
export function keyboardTakeByte(now: u64): u32 {
  const replies = load<u8>(KEYBOARD, REPLY_COUNT)
  let byte: u32
  if (replies) {
    const head = <u32>load<u8>(KEYBOARD, REPLY_HEAD)
    byte = load<u8>(KEYBOARD + head, REPLIES)
    store<u8>(KEYBOARD, (head + 1) & REPLY_MASK, REPLY_HEAD)
    store<u8>(KEYBOARD, replies - 1, REPLY_COUNT)
  } else {
    const head = <u32>load<u8>(KEYBOARD, BUFFER_HEAD)
    byte = load<u8>(KEYBOARD + head, BUFFER)
    store<u8>(KEYBOARD, (head + 1) & BUFFER_MASK, BUFFER_HEAD)
    store<u8>(KEYBOARD, load<u8>(KEYBOARD, BUFFER_COUNT) - 1, BUFFER_COUNT)
    store<u64>(KEYBOARD, now, LAST_TAKEN)
  }
  if (byte != RESEND) store<u8>(KEYBOARD, byte, LAST_SENT)
  return byte
}

/** A byte from the controller: a command or its parameter. */
export function keyboardCommand(value: u32, now: u64): void {
  const pending = <u32>load<u8>(KEYBOARD, PENDING)
  store<u8>(KEYBOARD, 0, PENDING)
  if (pending && parameter(pending, value)) return
  switch (value) {
    case 0xed: // set LEDs
    case 0xf0: // select scan code set
    case 0xf3: // set typematic rate and delay
    case 0xfb: // set key type: typematic,
    case 0xfc: // make/break,
    case 0xfd: // make
      // "The keyboard stops scanning" and waits; without a parameter the next command is taken instead
      store<u8>(KEYBOARD, value, PENDING)
      reply(ACK)
      return
    case 0xee: // echo
      reply(0xee)
      return
    case 0xf2: // read ID
      reply(ACK)
      reply(0xab)
      reply(0x83)
      return
    case 0xf4: // enable
      store<u8>(KEYBOARD, 0, BUFFER_COUNT)
      store<u8>(KEYBOARD, 1, SCANNING)
      reply(ACK)
      return
    case 0xf5: // default disable
    case 0xf6: // set default
      defaults()
      store<u8>(KEYBOARD, value & 1 ? 0 : 1, SCANNING)
      reply(ACK)
      return
    case 0xf7: // set all keys: typematic,
      allKeys(KEY_REPEATS)
      return
    case 0xf8: // make/break,
      allKeys(KEY_BREAKS)
      return
    case 0xf9: // make,
      allKeys(0)
      return
    case 0xfa: // typematic/make/break
      allKeys(KEY_REPEATS | KEY_BREAKS)
      return
    case 0xfe: // resend
      reply(load<u8>(KEYBOARD, LAST_SENT))
      return
    case 0xff: // reset: acknowledge, test, completion code
      store<u8>(KEYBOARD, 0, REPLY_COUNT)
      defaults()
      store<u8>(KEYBOARD, 1, SCANNING)
      reply(ACK)
      reply(0xaa)
      return
    default:
      reply(RESEND)
  }
}

/** The parameter of `command`. False: `value` is none, but a new command. */
function parameter(command: u32, value: u32): bool {
  switch (command) {
    case 0xed:
      if (value > 7) return false
      store<u8>(KEYBOARD, value, LEDS)
      reply(ACK)
      return true
    case 0xf0:
      if (value > 3) return false
      reply(ACK)
      if (value == 0) {
        reply(load<u8>(KEYBOARD, SCAN_SET))
      } else {
        store<u8>(KEYBOARD, value, SCAN_SET)
        store<u8>(KEYBOARD, 0, BUFFER_COUNT)
        stopRepeat()
      }
      return true
    case 0xf3:
      if (value > 0x7f) return false
      store<u8>(KEYBOARD, value, RATE)
      reply(ACK)
      return true
    default:
      // FBh-FDh take set 3 codes until a command comes
      if (value >= 0xed) return false
      store<u8>(KEYBOARD + value, command == 0xfb ? KEY_REPEATS : command == 0xfc ? KEY_BREAKS : 0, KEY_TYPES)
      store<u8>(KEYBOARD, command, PENDING)
      reply(ACK)
      return true
  }
}

function allKeys(type: u32): void {
  memory.fill(KEYBOARD + KEY_TYPES, <u8>type, 256)
  store<u8>(KEYBOARD, 0, BUFFER_COUNT)
  reply(ACK)
}

function reply(byte: u32): void {
  const count = <u32>load<u8>(KEYBOARD, REPLY_COUNT)
  if (count > REPLY_MASK) return
  store<u8>(KEYBOARD + ((load<u8>(KEYBOARD, REPLY_HEAD) + count) & REPLY_MASK), byte, REPLIES)
  store<u8>(KEYBOARD, count + 1, REPLY_COUNT)
}

/**
 * A key goes down or up (INPUT_KIND_KEY's data). A key that is held and reported again is ignored, the keyboard
 * repeats by itself. False: the buffer is full and the system is still reading, offer the key again later.
 */
export function keyboardKey(key: u32, now: u64): bool {
  if (load<u8>(KEYBOARD, SCANNING) == 0) return true
  const name = key & ~KEY_RELEASE
  const released = (key & KEY_RELEASE) != 0
  modifierNote(name, released)
  if (!released && name == load<u32>(KEYBOARD, HELD)) return true
  if (!room(codeLength(key))) {
    const taken = load<u64>(KEYBOARD, LAST_TAKEN)
    if (taken != NEVER && now - taken < LISTENING) return false
    overrun()
  } else {
    sendKey(key)
  }
  if (!released) {
    store<u32>(KEYBOARD, name, HELD)
    timerSet(TIMER_TYPEMATIC, repeats(key) ? now + repeatDelay() : NEVER)
  } else if (name == load<u32>(KEYBOARD, HELD)) {
    stopRepeat()
  }
  kbcPoll(now)
  return true
}

/** Remembers whether a Shift, Ctrl or Alt key is down. */
function modifierNote(name: u32, released: bool): void {
  let bit: u32 = 0
  if (name == 0x12) bit = 0x01
  else if (name == 0x59) bit = 0x02
  else if (name == 0x14) bit = 0x04
  else if (name == (KEY_E0 | 0x14)) bit = 0x08
  else if (name == 0x11) bit = 0x10
  else if (name == (KEY_E0 | 0x11)) bit = 0x20
  const down = <u32>load<u8>(KEYBOARD, MODIFIERS)
  store<u8>(KEYBOARD, released ? down & ~bit : down | bit, MODIFIERS)
}

function modified(by: u32): bool {
  return (load<u8>(KEYBOARD, MODIFIERS) & by) != 0
}

/** The form of PrintScreen that goes down, or of the one that comes up: the same, whatever has been let go meanwhile. */
function printForm(released: bool): u32 {
  if (!released) {
    const form = modified(MODIFIER_ALT)
      ? PRINT_SYSTEM
      : modified(MODIFIER_SHIFT | MODIFIER_CTRL)
        ? PRINT_BARE
        : PRINT_PLAIN
    store<u8>(KEYBOARD, form, PRINT_FORM)
  }
  return load<u8>(KEYBOARD, PRINT_FORM)
}

/** For the firmware's INT 16h/03h: the parameter of F3h, without a conversation. */
export function keyboardTypematic(rate: u32): void {
  store<u8>(KEYBOARD, rate & 0x7f, RATE)
}

/** TIMER_TYPEMATIC: the held key repeats. */
export function keyboardTypematicTimer(now: u64): void {
  const key = load<u32>(KEYBOARD, HELD)
  if (key == 0 || load<u8>(KEYBOARD, SCANNING) == 0) return
  if (room(codeLength(key))) sendKey(key)
  timerSet(TIMER_TYPEMATIC, now + repeatPeriod())
  kbcPoll(now)
}

function stopRepeat(): void {
  store<u32>(KEYBOARD, 0, HELD)
  timerSet(TIMER_TYPEMATIC, NEVER)
}

/** F3h bits 5-6: 250 ms to 1 s. */
function repeatDelay(): u64 {
  return (((load<u8>(KEYBOARD, RATE) >> 5) & 3) + 1) * 250_000_000
}

/** F3h bits 0-4: (8 + A) * 2^B * 4.17 ms. */
function repeatPeriod(): u64 {
  const rate = <u32>load<u8>(KEYBOARD, RATE)
  return <u64>((8 + (rate & 7)) << ((rate >> 3) & 3)) * 4_170_000
}

function set3Code(key: u32): u32 {
  if (key & KEY_PAUSE) return 0x62
  if (key & KEY_PRINT_SCREEN) return 0x57
  return set3FromSet2(key & 0xff, (key & KEY_E0) != 0)
}

function repeats(key: u32): bool {
  if (key & KEY_PAUSE) return false
  if (load<u8>(KEYBOARD, SCAN_SET) != 3) return true
  return (load<u8>(KEYBOARD + set3Code(key), KEY_TYPES) & KEY_REPEATS) != 0
}

/** At most how many bytes a key takes in the buffer. */
function codeLength(key: u32): u32 {
  if (key & KEY_PAUSE) return 8
  return key & KEY_PRINT_SCREEN ? 6 : 3
}

function room(bytes: u32): bool {
  return <u32>load<u8>(KEYBOARD, BUFFER_COUNT) + bytes <= BUFFER_SIZE
}

/** "When the buffer is full, an overrun code replaces the 17th byte": 00h in sets 2 and 3, FFh in set 1. */
function overrun(): void {
  const code: u32 = load<u8>(KEYBOARD, SCAN_SET) == 1 ? 0xff : 0
  const count = <u32>load<u8>(KEYBOARD, BUFFER_COUNT)
  if (count <= BUFFER_SIZE && count > 0) {
    const last = (<u32>load<u8>(KEYBOARD, BUFFER_HEAD) + count - 1) & BUFFER_MASK
    if (load<u8>(KEYBOARD + last, BUFFER) != code) send(code)
  }
}

function send(byte: u32): void {
  const count = <u32>load<u8>(KEYBOARD, BUFFER_COUNT)
  store<u8>(KEYBOARD + ((load<u8>(KEYBOARD, BUFFER_HEAD) + count) & BUFFER_MASK), byte, BUFFER)
  store<u8>(KEYBOARD, count + 1, BUFFER_COUNT)
}

function sendKey(key: u32): void {
  const released = (key & KEY_RELEASE) != 0
  switch (<u32>load<u8>(KEYBOARD, SCAN_SET)) {
    case 1:
      if (key & KEY_PAUSE) sendPause1(released)
      else if (key & KEY_PRINT_SCREEN) sendPrint1(released)
      else sendSet1(key & KEY_E0 ? 0xe0 : 0, set1FromSet2(key & 0xff) | (released ? 0x80 : 0))
      return
    case 3: {
      const code = set3Code(key)
      if (released) {
        if ((load<u8>(KEYBOARD + code, KEY_TYPES) & KEY_BREAKS) == 0) return
        send(0xf0)
      }
      send(code)
      return
    }
    default:
      if (key & KEY_PAUSE) sendPause2(released)
      else if (key & KEY_PRINT_SCREEN) sendPrint2(released)
      else sendSet2((key & KEY_E0) != 0, key & 0xff, released)
  }
}

function sendSet1(prefix: u32, code: u32): void {
  if (prefix) send(prefix)
  send(code)
}

function sendSet2(prefixed: bool, code: u32, released: bool): void {
  if (prefixed) send(0xe0)
  if (released) send(0xf0)
  send(code)
}

function sendPrint1(released: bool): void {
  const form = printForm(released)
  if (form == PRINT_SYSTEM) {
    sendSet1(0, released ? 0xd4 : 0x54)
    return
  }
  if (form == PRINT_PLAIN && !released) sendSet1(0xe0, 0x2a)
  sendSet1(0xe0, released ? 0xb7 : 0x37)
  if (form == PRINT_PLAIN && released) sendSet1(0xe0, 0xaa)
}

function sendPrint2(released: bool): void {
  const form = printForm(released)
  if (form == PRINT_SYSTEM) {
    sendSet2(false, 0x84, released)
    return
  }
  if (form == PRINT_PLAIN && !released) sendSet2(true, 0x12, false)
  sendSet2(true, 0x7c, released)
  if (form == PRINT_PLAIN && released) sendSet2(true, 0x12, true)
}

/** Pause sends make and break together when it goes down, and nothing when it comes up. With Ctrl it is Break. */
function sendPause1(released: bool): void {
  if (released) return
  if (modified(MODIFIER_CTRL)) {
    sendSet1(0xe0, 0x46)
    sendSet1(0xe0, 0xc6)
    return
  }
  sendSet1(0xe1, 0x1d)
  send(0x45)
  sendSet1(0xe1, 0x9d)
  send(0xc5)
}

function sendPause2(released: bool): void {
  if (released) return
  if (modified(MODIFIER_CTRL)) {
    sendSet2(true, 0x7e, false)
    sendSet2(true, 0x7e, true)
    return
  }
  send(0xe1)
  send(0x14)
  send(0x77)
  send(0xe1)
  sendSet2(false, 0x14, true)
  sendSet2(false, 0x77, true)
}
