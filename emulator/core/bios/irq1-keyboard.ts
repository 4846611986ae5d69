// IRQ 1: a byte of the keyboard (scan code set 1) into shift states and the key buffer of the BIOS data area.
import { portRead, portWrite } from '../chipset/bus'
import { BDA_ALT_NUMBER, BDA_BREAK, BDA_KEY_FLAGS, BDA_KEY_FLAGS_2, BDA_KEY_LEDS, BDA_KEY_MODE } from './bda'
import { al, bda8, setAh, setAl, setBda8 } from './guest'
import { keyEnqueue, keyFlush } from './int16-keyboard'
import { COLUMN_ALT, COLUMN_CTRL, COLUMN_PLAIN, COLUMN_SHIFT, greyWord, keyWord, LAST_KEY } from './key-table'
import { KEY_BREAK, KEY_DONE, KEY_PAUSE, KEY_PRINT, KEY_REBOOT, KEY_SYSREQ } from './rom-layout'

// 0040:0017
const RIGHT_SHIFT: u32 = 0x01
const LEFT_SHIFT: u32 = 0x02
const CTRL: u32 = 0x04
const ALT: u32 = 0x08
const SCROLL: u32 = 0x10
const NUM: u32 = 0x20
const CAPS: u32 = 0x40
const INSERT: u32 = 0x80
// 0040:0018
const LEFT_CTRL: u32 = 0x01
const LEFT_ALT: u32 = 0x02
const SYSREQ: u32 = 0x04
const PAUSED: u32 = 0x08
// 0040:0096
const RIGHT_CTRL: u32 = 0x04
const RIGHT_ALT: u32 = 0x08
const AFTER_E0: u32 = 0x02
const AFTER_E1: u32 = 0x01
// 0040:0097
const LED_MASK: u32 = 0x07
const LED_UPDATE: u32 = 0x40
const LED_ACK: u32 = 0x10

function setFlag(at: u32, bit: u32, on: bool): void {
  setBda8(at, on ? bda8(at) | bit : bda8(at) & ~bit)
}

/** Tells the keyboard which locks are on; the rest happens as its acknowledgements (FAh) come in. */
function updateLeds(): void {
  const wanted = (bda8(BDA_KEY_FLAGS) >> 4) & LED_MASK
  const leds = bda8(BDA_KEY_LEDS)
  if (wanted == (leds & LED_MASK) || leds & LED_UPDATE) return
  if (portRead(0x64, 1) & 2) return
  setBda8(BDA_KEY_LEDS, (leds & ~LED_ACK) | LED_UPDATE)
  portWrite(0x60, 1, 0xed)
}

function acknowledged(): void {
  const leds = bda8(BDA_KEY_LEDS)
  if (!(leds & LED_UPDATE)) return
  if (!(leds & LED_ACK)) {
    const wanted = (bda8(BDA_KEY_FLAGS) >> 4) & LED_MASK
    setBda8(BDA_KEY_LEDS, (leds & ~LED_MASK) | wanted | LED_ACK)
    portWrite(0x60, 1, wanted)
  } else {
    setBda8(BDA_KEY_LEDS, leds & ~(LED_UPDATE | LED_ACK))
    updateLeds()
  }
}

/** A lock key: toggles once per press; bit of 0040:0018 while it is held. */
function lock(bit: u32, released: bool): void {
  const held = bda8(BDA_KEY_FLAGS_2) & bit
  setFlag(BDA_KEY_FLAGS_2, bit, !released)
  if (released || held) return
  setBda8(BDA_KEY_FLAGS, bda8(BDA_KEY_FLAGS) ^ bit)
  updateLeds()
}

/** SERVICE_KEY: AL the byte, AH on return KEY_*. */
export function keyboardByte(): void {
  setAh(handle(al()))
}

function handle(byte: u32): u32 {
  if (byte == 0xe0) {
    setFlag(BDA_KEY_MODE, AFTER_E0, true)
    return KEY_DONE
  }
  if (byte == 0xe1) {
    setFlag(BDA_KEY_MODE, AFTER_E1, true)
    return KEY_DONE
  }
  if (byte == 0xfa) {
    acknowledged()
    return KEY_DONE
  }
  if (byte == 0xfe || byte == 0xee || byte == 0xff || byte == 0x00) {
    // resend, echo, overrun: an LED update under way is given up
    setFlag(BDA_KEY_LEDS, LED_UPDATE | LED_ACK, false)
    return KEY_DONE
  }
  const mode = bda8(BDA_KEY_MODE)
  const grey = (mode & AFTER_E0) != 0
  const released = (byte & 0x80) != 0
  const scan = byte & 0x7f
  if (mode & AFTER_E1) {
    // Pause: E1 1D 45 E1 9D C5. The 1D and 9D keep the prefix alive, 45 is the key.
    if (scan == 0x1d) return KEY_DONE
    setFlag(BDA_KEY_MODE, AFTER_E1, false)
    return scan == 0x45 && !released ? pause() : KEY_DONE
  }
  setFlag(BDA_KEY_MODE, AFTER_E0, false)
  const result = key(scan, grey, released)
  updateLeds()
  return result
}

function pause(): u32 {
  if (bda8(BDA_KEY_FLAGS_2) & PAUSED) return KEY_DONE
  setFlag(BDA_KEY_FLAGS_2, PAUSED, true)
  return KEY_PAUSE
}

function key(scan: u32, grey: bool, released: bool): u32 {
  switch (scan) {
    case 0x2a:
    case 0x36:
      // E0 2A and E0 36 are the shifts that the keyboard puts around grey keys: not real ones.
      if (!grey) setFlag(BDA_KEY_FLAGS, scan == 0x2a ? LEFT_SHIFT : RIGHT_SHIFT, !released)
      return KEY_DONE
    case 0x1d:
      if (grey) setFlag(BDA_KEY_MODE, RIGHT_CTRL, !released)
      else setFlag(BDA_KEY_FLAGS_2, LEFT_CTRL, !released)
      setFlag(
        BDA_KEY_FLAGS,
        CTRL,
        (bda8(BDA_KEY_MODE) & RIGHT_CTRL) != 0 || (bda8(BDA_KEY_FLAGS_2) & LEFT_CTRL) != 0,
      )
      return KEY_DONE
    case 0x38:
      if (grey) setFlag(BDA_KEY_MODE, RIGHT_ALT, !released)
      else setFlag(BDA_KEY_FLAGS_2, LEFT_ALT, !released)
      setFlag(
        BDA_KEY_FLAGS,
        ALT,
        (bda8(BDA_KEY_MODE) & RIGHT_ALT) != 0 || (bda8(BDA_KEY_FLAGS_2) & LEFT_ALT) != 0,
      )
      if (released) altNumber()
      return KEY_DONE
    case 0x3a:
      lock(CAPS, released)
      return KEY_DONE
    case 0x45:
      if (!released && bda8(BDA_KEY_FLAGS) & CTRL && !grey) return pause()
      lock(NUM, released)
      return KEY_DONE
    case 0x46:
      if (bda8(BDA_KEY_FLAGS) & CTRL || grey) return released ? KEY_DONE : ctrlBreak()
      lock(SCROLL, released)
      return KEY_DONE
    case 0x37:
      if (grey && !(bda8(BDA_KEY_FLAGS) & CTRL)) return released ? KEY_DONE : KEY_PRINT
      break
    case 0x54:
      setFlag(BDA_KEY_FLAGS_2, SYSREQ, !released)
      setAl(released ? 1 : 0)
      return KEY_SYSREQ
    case 0x52:
      if (released) {
        setFlag(BDA_KEY_FLAGS_2, INSERT, false)
        return KEY_DONE
      }
      break
    default:
  }
  if (released) return KEY_DONE
  const flags = bda8(BDA_KEY_FLAGS)
  if (scan == 0x53 && (flags & (CTRL | ALT)) == (CTRL | ALT)) return KEY_REBOOT
  // Any key ends the pause and is lost.
  if (bda8(BDA_KEY_FLAGS_2) & PAUSED) {
    setFlag(BDA_KEY_FLAGS_2, PAUSED, false)
    return KEY_DONE
  }
  const word = translate(scan, grey, flags)
  if (word != 0) keyEnqueue(word)
  return KEY_DONE
}

function ctrlBreak(): u32 {
  keyFlush()
  keyEnqueue(0)
  setBda8(BDA_BREAK, 0x80)
  return KEY_BREAK
}

/** Alt was let go: the number typed on the keypad is a character. */
function altNumber(): void {
  const number = bda8(BDA_ALT_NUMBER)
  setBda8(BDA_ALT_NUMBER, 0)
  if (number != 0) keyEnqueue(number)
}

/** Digit of keypad key 47h-53h, 10 for those that are none. */
function keypadDigit(scan: u32): u32 {
  if (scan >= 0x47 && scan <= 0x49) return scan - 0x40
  if (scan >= 0x4b && scan <= 0x4d) return scan - 0x47
  if (scan >= 0x4f && scan <= 0x51) return scan - 0x4e
  return scan == 0x52 ? 0 : 10
}

function translate(scan: u32, grey: bool, flags: u32): u32 {
  if (scan > LAST_KEY) return 0
  const shift = (flags & (LEFT_SHIFT | RIGHT_SHIFT)) != 0
  const control: u32 = flags & ALT ? COLUMN_ALT : flags & CTRL ? COLUMN_CTRL : COLUMN_PLAIN
  if (grey) {
    if (scan == 0x52 && control == COLUMN_PLAIN) toggleInsert()
    return greyWord(scan, control)
  }
  if (control == COLUMN_ALT) {
    const digit = keypadDigit(scan)
    if (digit < 10 && scan >= 0x47) {
      setBda8(BDA_ALT_NUMBER, bda8(BDA_ALT_NUMBER) * 10 + digit)
      return 0
    }
  }
  if (control != COLUMN_PLAIN) return keyWord(scan, control)
  if (scan >= 0x47 && scan <= 0x53) {
    const digits = shift != ((flags & NUM) != 0)
    if (scan == 0x52 && !digits) toggleInsert()
    return keyWord(scan, digits ? COLUMN_SHIFT : COLUMN_PLAIN)
  }
  const plain = keyWord(scan, COLUMN_PLAIN) & 0xff
  const letter = plain >= 0x61 && plain <= 0x7a
  return keyWord(scan, shift != (letter && (flags & CAPS) != 0) ? COLUMN_SHIFT : COLUMN_PLAIN)
}

function toggleInsert(): void {
  if (bda8(BDA_KEY_FLAGS_2) & INSERT) return
  setFlag(BDA_KEY_FLAGS_2, INSERT, true)
  setBda8(BDA_KEY_FLAGS, bda8(BDA_KEY_FLAGS) ^ INSERT)
}
