// INT 16h: keys out of the buffer of the BIOS data area. Translation happens in IRQ 1 (irq1-keyboard.ts).
import { keyboardTypematic } from '../chipset/ps2-keyboard'
import {
  BDA_KEY_BUFFER,
  BDA_KEY_BUFFER_END,
  BDA_KEY_END,
  BDA_KEY_FLAGS,
  BDA_KEY_FLAGS_2,
  BDA_KEY_HEAD,
  BDA_KEY_MODE,
  BDA_KEY_START,
  BDA_KEY_TAIL,
} from './bda'
import { ah, al, bda16, bda8, bx, cx, setAh, setAl, setAx, setBda16, setBx, setCarry, setZero } from './guest'

const EMPTY: u32 = 0xffffffff

function bufferStart(): u32 {
  return bda16(BDA_KEY_START)
}
function bufferEnd(): u32 {
  return bda16(BDA_KEY_END)
}

/** Puts the buffer's pointers back in order when a program has left nonsense in them. */
function checkBuffer(): void {
  const start = bufferStart()
  const end = bufferEnd()
  if (start >= end || (end - start) & 1) {
    setBda16(BDA_KEY_START, BDA_KEY_BUFFER)
    setBda16(BDA_KEY_END, BDA_KEY_BUFFER_END)
    setBda16(BDA_KEY_HEAD, BDA_KEY_BUFFER)
    setBda16(BDA_KEY_TAIL, BDA_KEY_BUFFER)
    return
  }
  const head = bda16(BDA_KEY_HEAD)
  const tail = bda16(BDA_KEY_TAIL)
  if (head < start || head >= end || (head - start) & 1) setBda16(BDA_KEY_HEAD, start)
  if (tail < start || tail >= end || (tail - start) & 1) setBda16(BDA_KEY_TAIL, start)
}

function after(pointer: u32): u32 {
  return pointer + 2 >= bufferEnd() ? bufferStart() : pointer + 2
}

/** Appends scan code << 8 | character; false when the buffer is full. */
export function keyEnqueue(key: u32): bool {
  checkBuffer()
  const tail = bda16(BDA_KEY_TAIL)
  const next = after(tail)
  if (next == bda16(BDA_KEY_HEAD)) return false
  setBda16(tail, key)
  setBda16(BDA_KEY_TAIL, next)
  return true
}

export function keyFlush(): void {
  checkBuffer()
  setBda16(BDA_KEY_HEAD, bufferStart())
  setBda16(BDA_KEY_TAIL, bufferStart())
}

/** The key at the head of the buffer, or EMPTY. */
function keyPeek(): u32 {
  checkBuffer()
  const head = bda16(BDA_KEY_HEAD)
  return head == bda16(BDA_KEY_TAIL) ? EMPTY : bda16(head)
}

function keyDrop(): void {
  setBda16(BDA_KEY_HEAD, after(bda16(BDA_KEY_HEAD)))
}

/**
 * What functions 00h and 01h show of a key of the 101-key keyboard: E0h in AL or AH becomes what the 83-key
 * keyboard had; EMPTY when it had no such key and the key is passed over (IBM BIOS Interface, INT 16h).
 */
function oldKey(key: u32): u32 {
  const scan = key >> 8
  const character = key & 0xff
  if (scan == 0xe0) return character == 0x0d || character == 0x0a ? 0x1c00 | character : 0x3500 | character
  if (character == 0xe0 && scan != 0) return scan << 8
  if (character == 0xf0 && scan != 0) return EMPTY
  if (scan >= 0x85 && character == 0) return EMPTY
  return key
}

/** What functions 10h and 11h show: everything, the filler F0h as 00h. */
function newKey(key: u32): u32 {
  return (key & 0xff) == 0xf0 && key >> 8 != 0 ? key & 0xff00 : key
}

function read(extended: bool): void {
  for (;;) {
    const key = keyPeek()
    if (key == EMPTY) {
      setCarry(true)
      return
    }
    keyDrop()
    const shown = extended ? newKey(key) : oldKey(key)
    if (shown == EMPTY) continue
    setAx(shown)
    return
  }
}

function check(extended: bool): void {
  for (;;) {
    const key = keyPeek()
    if (key == EMPTY) {
      setZero(true)
      return
    }
    const shown = extended ? newKey(key) : oldKey(key)
    if (shown == EMPTY) {
      keyDrop()
      continue
    }
    setAx(shown)
    setZero(false)
    return
  }
}

/** CF: no key yet, the stub sleeps until an interrupt and asks again. ZF is the caller's. */
export function int16(): void {
  setCarry(false)
  switch (ah()) {
    case 0x00:
      read(false)
      return
    case 0x10:
      read(true)
      return
    case 0x01:
      check(false)
      return
    case 0x11:
      check(true)
      return
    case 0x02:
      setAl(bda8(BDA_KEY_FLAGS))
      return
    case 0x12: {
      // AH: bits 0-1 left Ctrl, Alt; 2-3 right Ctrl, Alt; 4-6 locks held; 7 SysReq held
      const flags = bda8(BDA_KEY_FLAGS_2)
      const mode = bda8(BDA_KEY_MODE)
      setAl(bda8(BDA_KEY_FLAGS))
      setAh((flags & 0x73) | ((flags & 0x04) << 5) | (mode & 0x0c))
      return
    }
    case 0x03:
      // AL = 0: the defaults, 500 ms and 10.9 a second; 5: BH the delay, BL the rate
      if (al() == 0x00) keyboardTypematic(0x2b)
      else if (al() == 0x05) keyboardTypematic(((bx() >> 3) & 0x60) | (bx() & 0x1f))
      return
    case 0x05:
      setAl(keyEnqueue(cx()) ? 0 : 1)
      return
    case 0x09: // what else there is: 0300h, 0305h, 0Ah, 10h-12h
      setAl(0x35)
      return
    case 0x0a: // identity as the 8042 passes it on: ABh 83h, translated
      setBx(0x41ab)
      return
    default:
      return
  }
}
