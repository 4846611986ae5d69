// INT 15h/C2h: the pointing device, and what IRQ 12 does with its bytes. The state is where IBM put it, in the extended BIOS
// data area: software reads it there. Reference: IBM PS/2 and PC BIOS Interface Technical Reference, INT 15h/C2h.
import { portRead, portWrite } from '../chipset/bus'
import { kbcCommandByte, kbcCommandByteWrite } from '../chipset/i8042'
import { mouseCommand, mouseHasReply, mouseTakeByte } from '../chipset/ps2-mouse'
import { SEG_ES } from '../layout'
import { clockNow } from '../machine/clock'
import {
  physicalRead32,
  physicalRead8,
  physicalWrite16,
  physicalWrite32,
  physicalWrite8,
} from '../memory/physical'
import {
  EBDA,
  EBDA_MOUSE_DATA,
  EBDA_MOUSE_FLAGS_1,
  EBDA_MOUSE_FLAGS_2,
  EBDA_MOUSE_HANDLER,
  EBDA_MOUSE_PACKET,
} from './bda'
import { al, bh, bx, selector, setAh, setBh, setBl, setCarry, setCx, setDx } from './guest'

const INVALID_FUNCTION: u32 = 1
const INVALID_INPUT: u32 = 2
const INTERFACE_ERROR: u32 = 3
const NO_HANDLER: u32 = 5

const HANDLER_INSTALLED: u32 = 0x80
const INDEX: u32 = 0x07
const RATES: usize = memory.data<u8>([10, 20, 40, 60, 80, 100, 200])

/** AH = C2h. CF and AH say what was wrong. */
export function mouseService(): void {
  const failed = serve()
  setAh(failed)
  setCarry(failed != 0)
}

function serve(): u32 {
  switch (al()) {
    case 0x00:
      if (bh() > 1) return INVALID_INPUT
      if (bh() == 1 && !(flags2() & HANDLER_INSTALLED)) return NO_HANDLER
      return enable(bh() == 1)
    case 0x01: {
      listen()
      const answered = command(0xff)
      if (!answered) return INTERFACE_ERROR
      setBl(mouseTakeByte())
      setBh(mouseTakeByte())
      restart()
      return 0
    }
    case 0x02:
      if (bh() > 6) return INVALID_INPUT
      return command(0xf3) && command(load<u8>(RATES + bh())) ? 0 : INTERFACE_ERROR
    case 0x03:
      if (bh() > 3) return INVALID_INPUT
      return command(0xe8) && command(bh()) ? 0 : INTERFACE_ERROR
    case 0x04:
      if (!command(0xf2)) return INTERFACE_ERROR
      setBh(mouseTakeByte())
      return 0
    case 0x05:
      if (bh() < 1 || bh() > 8) return INVALID_INPUT
      physicalWrite8(EBDA + EBDA_MOUSE_FLAGS_2, <u8>((flags2() & HANDLER_INSTALLED) | (bh() - 1)))
      listen()
      restart()
      return command(0xf6) ? 0 : INTERFACE_ERROR
    case 0x06:
      if (bh() == 0) {
        if (!command(0xe9)) return INTERFACE_ERROR
        setBl(mouseTakeByte())
        setCx(mouseTakeByte())
        setDx(mouseTakeByte())
        return 0
      }
      if (bh() > 2) return INVALID_INPUT
      return command(bh() == 1 ? 0xe6 : 0xe7) ? 0 : INTERFACE_ERROR
    case 0x07: {
      const handler = (selector(SEG_ES) << 16) | bx()
      physicalWrite32(EBDA + EBDA_MOUSE_HANDLER, handler)
      physicalWrite8(
        EBDA + EBDA_MOUSE_FLAGS_2,
        <u8>(handler ? flags2() | HANDLER_INSTALLED : flags2() & ~HANDLER_INSTALLED),
      )
      return handler ? 0 : enable(false)
    }
    default:
      return INVALID_FUNCTION
  }
}

function flags2(): u32 {
  return physicalRead8(EBDA + EBDA_MOUSE_FLAGS_2)
}

/** The next byte is the first of a packet. */
function restart(): void {
  physicalWrite8(EBDA + EBDA_MOUSE_FLAGS_1, <u8>(physicalRead8(EBDA + EBDA_MOUSE_FLAGS_1) & ~INDEX))
}

/** A byte for the mouse, and its acknowledgement taken; what else it answers is next. */
function command(value: u32): bool {
  mouseCommand(value)
  return mouseHasReply() && mouseTakeByte() == 0xfa
}

/** The 8042's second port on with its interrupt, IRQ 12 and the cascade open. */
function listen(): void {
  kbcCommandByteWrite((kbcCommandByte() & ~0x20) | 0x02, clockNow())
  portWrite(0x21, 1, portRead(0x21, 1) & ~0x04)
  portWrite(0xa1, 1, portRead(0xa1, 1) & ~0x10)
}

function enable(on: bool): u32 {
  if (on) listen()
  restart()
  return command(on ? 0xf4 : 0xf5) ? 0 : INTERFACE_ERROR
}

/**
 * SERVICE_MOUSE: one byte of the mouse. CF: a packet is complete and the handler wants it; its four words are at
 * EBDA_MOUSE_PACKET.
 */
export function mouseByte(): void {
  setCarry(false)
  const flags = <u32>physicalRead8(EBDA + EBDA_MOUSE_FLAGS_1)
  const index = flags & INDEX
  const last = flags2() & INDEX
  // Bit 3 of a packet's first byte is always set: what is out of step comes back into it.
  if (index == 0 && last >= 2 && !(al() & 0x08)) return
  physicalWrite8(EBDA + EBDA_MOUSE_DATA + index, <u8>al())
  if (index < last) {
    physicalWrite8(EBDA + EBDA_MOUSE_FLAGS_1, <u8>((flags & ~INDEX) | (index + 1)))
    return
  }
  restart()
  if (!(flags2() & HANDLER_INSTALLED) || physicalRead32(EBDA + EBDA_MOUSE_HANDLER) == 0) return
  for (let i: u32 = 0; i < 4; i++) {
    const byte: u32 = i <= last ? physicalRead8(EBDA + EBDA_MOUSE_DATA + i) : 0
    physicalWrite16(EBDA + EBDA_MOUSE_PACKET + i * 2, <u16>byte)
  }
  setCarry(true)
}
