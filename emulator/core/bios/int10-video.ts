// INT 10h: the video services of the VGA BIOS (IBM PS/2 and PC BIOS Interface Technical Reference, INT 10h).
import { portRead, portWrite } from '../chipset/bus'
import { SEG_ES } from '../layout'
import { physicalRead32, physicalWrite32 } from '../memory/physical'
import {
  BDA_CHARACTER_HEIGHT,
  BDA_CURSOR_SHAPE,
  BDA_VIDEO_CONTROL,
  BDA_VIDEO_MODE,
  BDA_VIDEO_MODESET,
  BDA_VIDEO_PAGE_SIZE,
  BDA_VIDEO_ROWS,
  EBDA,
  EBDA_SEGMENT,
  EBDA_VIDEO_FUNCTIONALITY,
} from './bda'
import {
  ah,
  al,
  bda16,
  bda8,
  bh,
  bl,
  bp,
  bx,
  ch,
  cl,
  cx,
  dh,
  di,
  dl,
  dx,
  guestRead8,
  guestWrite16,
  guestWrite32,
  guestWrite8,
  linear,
  selector,
  setAl,
  setAx,
  setBda16,
  setBda8,
  setBh,
  setBl,
  setBp,
  setBx,
  setCarry,
  setCx,
  setDx,
  setSelector,
} from './guest'
import { ROM_FONT_8X14, ROM_FONT_8X16, ROM_FONT_8X8, ROM_FONT_SEGMENT } from './rom-layout'
import { vbe, vbeForget } from './vbe'
import { loadFont, recalculateRows, setGraphicsFont } from './video-fonts'
import {
  attributeRead,
  attributeWrite,
  dacWrite,
  isGraphics,
  isInterleaved,
  sequencerWrite,
  setMode,
  videoMode,
} from './video-modes'
import { stateBlocks, stateRestore, stateSave } from './video-state'
import {
  activePage,
  columns,
  cursor,
  readCell,
  readPixel,
  rows,
  scroll,
  setActivePage,
  setCursor,
  setCursorShape,
  teletype,
  writeAtCursor,
  writeCell,
  writePixel,
} from './video-text'

const BELL: u32 = 7

/** CF: the bell is to ring, which takes time and is the ROM's. */
export function int10(): void {
  setCarry(false)
  switch (ah()) {
    case 0x00: {
      const mode = al() & 0x7f
      if (setMode(al())) vbeForget()
      // The VGA BIOS answers 20h for graphics, 30h for text, 3Fh for mode 6.
      setAl(mode == 6 ? 0x3f : mode > 7 ? 0x20 : 0x30)
      return
    }
    case 0x01:
      setCursorShape(cx())
      return
    case 0x02:
      setCursor(bh(), dx())
      return
    case 0x03:
      setCx(bda16(BDA_CURSOR_SHAPE))
      setDx(cursor(bh()))
      return
    case 0x05:
      setActivePage(al())
      return
    case 0x06:
      scroll(activePage(), true, al(), bh(), ch(), cl(), dh(), dl())
      return
    case 0x07:
      scroll(activePage(), false, al(), bh(), ch(), cl(), dh(), dl())
      return
    case 0x08: {
      const position = cursor(bh())
      setAx(readCell(bh(), position >> 8, position & 0xff))
      return
    }
    case 0x09:
      repeatCharacter(false)
      return
    case 0x0a:
      repeatCharacter(true)
      return
    case 0x0b:
      setColours()
      return
    case 0x0c:
      writePixel(bh(), cx(), dx(), al())
      return
    case 0x0d:
      setAl(readPixel(bh(), cx(), dx()))
      return
    case 0x0e:
      teletype(al(), bl())
      if (al() == BELL) setCarry(true)
      return
    case 0x0f:
      setAx((columns() << 8) | bda8(BDA_VIDEO_MODE) | (bda8(BDA_VIDEO_CONTROL) & 0x80))
      setBh(activePage())
      return
    case 0x10:
      palette()
      return
    case 0x11:
      characterGenerator()
      return
    case 0x12:
      alternateSelect()
      return
    case 0x13:
      writeString()
      return
    case 0x1a:
      displayCombination()
      return
    case 0x1b:
      functionality()
      return
    case 0x1c:
      saveRestoreState()
      return
    case 0x4f:
      vbe()
      return
    default: // AX unchanged says "not there"
      return
  }
}

/** AH = 1Ch: AL 0 size in BX, 1 save, 2 restore; CX bits 0 hardware, 1 BIOS data, 2 DAC. */
function saveRestoreState(): void {
  const what = cx() & 7
  if (al() == 0) setBx(stateBlocks(what))
  else if (al() == 1) stateSave(what, linear(SEG_ES, bx()))
  else if (al() == 2) stateRestore(what, linear(SEG_ES, bx()))
  else return
  setAl(0x1c)
}

/** AH = 09h, 0Ah: CX times AL at the cursor, which stays. In text it runs on into the next rows. */
function repeatCharacter(keep: bool): void {
  const page = bh()
  const position = cursor(page)
  const width = columns()
  const total = width * rows()
  let at = (position >> 8) * width + (position & 0xff)
  const count = cx()
  for (let i: u32 = 0; i < count && at < total; i++, at++) {
    writeCell(page, at / width, at % width, al(), bl(), keep)
  }
}

/** AH = 0Bh: BH = 0 border (and background) colour BL, bit 4 intense; BH = 1 chooses a palette of modes 04h and 05h. */
function setColours(): void {
  if (isInterleaved(videoMode())) {
    if (bh() == 0) attributeWrite(0, (bl() & 7) | (bl() & 8 ? 0x10 : 0))
    for (let i: u32 = 1; i < 4; i++) {
      const now = attributeRead(i)
      if (bh() == 0) attributeWrite(i, (now & 0xef) | (bl() & 0x10))
      else if (bh() == 1) attributeWrite(i, (now & 0xfe) | (bl() & 1))
    }
    setBda8(0x66, bh() == 0 ? (bda8(0x66) & 0x20) | (bl() & 0x1f) : (bda8(0x66) & 0x1f) | ((bl() & 1) << 5))
    return
  }
  if (bh() != 0) return
  attributeWrite(0x11, bl() & 0x1f)
  if (isGraphics(videoMode()) && videoMode() != 0x13) attributeWrite(0x00, bl() & 0x0f)
}

// ---------------------------------------------------------------------------------------------------------
// AH = 10h: palette registers and DAC

function palette(): void {
  switch (al()) {
    case 0x00:
      if (bl() <= 0x14) attributeWrite(bl(), bh())
      return
    case 0x01:
      attributeWrite(0x11, bh())
      return
    case 0x02: {
      const table = linear(SEG_ES, dx())
      for (let i: u32 = 0; i < 16; i++) attributeWrite(i, guestRead8(table + i))
      attributeWrite(0x11, guestRead8(table + 16))
      return
    }
    case 0x03: {
      const mode = attributeRead(0x10)
      setBda8(0x65, bl() & 1 ? bda8(0x65) | 0x20 : bda8(0x65) & ~0x20)
      attributeWrite(0x10, bl() & 1 ? mode | 0x08 : mode & ~0x08)
      return
    }
    case 0x07:
      if (bl() <= 0x14) setBh(attributeRead(bl()))
      return
    case 0x08:
      setBh(attributeRead(0x11))
      return
    case 0x09: {
      const table = linear(SEG_ES, dx())
      for (let i: u32 = 0; i < 16; i++) guestWrite8(table + i, attributeRead(i))
      guestWrite8(table + 16, attributeRead(0x11))
      return
    }
    case 0x10:
      dacWrite(bl(), dh(), ch(), cl())
      return
    case 0x12: {
      const table = linear(SEG_ES, dx())
      const first = bx()
      const count = cx()
      for (let i: u32 = 0; i < count && first + i < 256; i++) {
        const at = table + i * 3
        dacWrite(first + i, guestRead8(at), guestRead8(at + 1), guestRead8(at + 2))
      }
      return
    }
    case 0x13: {
      const mode = attributeRead(0x10)
      if (bl() == 0) {
        attributeWrite(0x10, bh() & 1 ? mode | 0x80 : mode & 0x7f)
        return
      }
      attributeWrite(0x14, mode & 0x80 ? bh() & 15 : (bh() & 3) << 2)
      return
    }
    case 0x15: {
      portWrite(0x3c7, 1, bl())
      const red = portRead(0x3c9, 1)
      const green = portRead(0x3c9, 1)
      const blue = portRead(0x3c9, 1)
      setDx((red << 8) | dl())
      setCx((green << 8) | blue)
      return
    }
    case 0x17: {
      const table = linear(SEG_ES, dx())
      const first = bx()
      const count = cx()
      portWrite(0x3c7, 1, first)
      for (let i: u32 = 0; i < count * 3 && first + i / 3 < 256; i++)
        guestWrite8(table + i, portRead(0x3c9, 1))
      return
    }
    case 0x18:
      portWrite(0x3c6, 1, bl())
      return
    case 0x19:
      setBl(portRead(0x3c6, 1))
      return
    case 0x1a: {
      const paged = attributeRead(0x10) >> 7
      const select = attributeRead(0x14) & 15
      setBl(paged)
      setBh(paged ? select : select >> 2)
      return
    }
    case 0x1b:
      greyScale(bx(), cx())
      return
    default:
      return
  }
}

/** Replaces DAC colours by their luminance: 30 % red, 59 % green, 11 % blue. */
function greyScale(first: u32, count: u32): void {
  for (let i: u32 = 0; i < count && first + i < 256; i++) {
    portWrite(0x3c7, 1, first + i)
    const red = portRead(0x3c9, 1)
    const green = portRead(0x3c9, 1)
    const blue = portRead(0x3c9, 1)
    const grey = (red * 77 + green * 151 + blue * 28 + 128) >> 8
    dacWrite(first + i, grey, grey, grey)
  }
}

// ---------------------------------------------------------------------------------------------------------
// AH = 11h: character generator

function romFont(kind: u32): u64 {
  const offset: u32 = kind == 1 ? ROM_FONT_8X14 : kind == 2 ? ROM_FONT_8X8 : ROM_FONT_8X16
  return ((<u64>ROM_FONT_SEGMENT) << 4) + offset
}
function romFontHeight(kind: u32): u32 {
  return kind == 1 ? 14 : kind == 2 ? 8 : 16
}

function characterGenerator(): void {
  const operation = al()
  switch (operation) {
    case 0x00:
    case 0x10:
      loadFont(linear(SEG_ES, bp()), cx(), dx(), bh(), bl())
      if (operation == 0x10 && bh() > 0 && bh() <= 32) recalculateRows(bh())
      return
    case 0x01:
    case 0x02:
    case 0x04:
    case 0x11:
    case 0x12:
    case 0x14: {
      const kind = operation & 0x0f
      loadFont(romFont(kind), 256, 0, romFontHeight(kind), bl())
      if (operation >= 0x10 && !isGraphics(videoMode())) recalculateRows(romFontHeight(kind))
      return
    }
    case 0x03:
      sequencerWrite(3, bl())
      return
    case 0x20:
      physicalWrite32(0x1f * 4, (selector(SEG_ES) << 16) | bp())
      return
    case 0x21:
      setGraphicsFont(selector(SEG_ES), bp())
      graphicsRows(cx())
      return
    case 0x22:
      setGraphicsFont(ROM_FONT_SEGMENT, ROM_FONT_8X14)
      graphicsRows(14)
      return
    case 0x23:
      setGraphicsFont(ROM_FONT_SEGMENT, ROM_FONT_8X8)
      graphicsRows(8)
      return
    case 0x24:
      setGraphicsFont(ROM_FONT_SEGMENT, ROM_FONT_8X16)
      graphicsRows(16)
      return
    case 0x30:
      fontInformation()
      return
    default:
      return
  }
}

/** Rows of a graphics mode by BL: 0 DL rows, 1 14, 2 25, 3 43. */
function graphicsRows(height: u32): void {
  const count: u32 = bl() == 0 ? dl() : bl() == 1 ? 14 : bl() == 3 ? 43 : 25
  if (height > 0 && height <= 32) setBda16(BDA_CHARACTER_HEIGHT, height)
  if (count > 0) setBda8(BDA_VIDEO_ROWS, count - 1)
}

function fontInformation(): void {
  let segment: u32 = ROM_FONT_SEGMENT
  let offset: u32 = ROM_FONT_8X16
  switch (bh()) {
    case 0:
    case 1: {
      const far = physicalRead32(bh() == 0 ? 0x1f * 4 : 0x43 * 4)
      segment = far >> 16
      offset = far & 0xffff
      break
    }
    case 2:
    case 5: // the 9-dot supplements: none, our fonts need no other shapes there
      offset = ROM_FONT_8X14
      break
    case 3:
      offset = ROM_FONT_8X8
      break
    case 4:
      offset = ROM_FONT_8X8 + 1024
      break
    default:
  }
  setSelector(SEG_ES, segment)
  setBp(offset)
  setCx(bda16(BDA_CHARACTER_HEIGHT))
  setDx((dx() & 0xff00) | bda8(BDA_VIDEO_ROWS))
}

// ---------------------------------------------------------------------------------------------------------
// AH = 12h: alternate select

function alternateSelect(): void {
  switch (bl()) {
    case 0x10: // colour, 256 KiB, feature bits 0, switches 9
      setBx(0x0003)
      setCx(0x0009)
      return
    case 0x30: {
      // Scan lines of the next text mode: this VGA always has 400, the bits are kept for those who read them.
      const bits: u32 = al() == 0 ? 0x80 : al() == 1 ? 0x00 : 0x10
      setBda8(BDA_VIDEO_MODESET, (bda8(BDA_VIDEO_MODESET) & 0x6f) | bits)
      setAl(0x12)
      return
    }
    case 0x31: // palette loading at mode set: AL = 0 on, 1 off
      setBda8(BDA_VIDEO_MODESET, (bda8(BDA_VIDEO_MODESET) & ~0x08) | (al() & 1 ? 0x08 : 0))
      setAl(0x12)
      return
    case 0x32: {
      const misc = portRead(0x3cc, 1)
      portWrite(0x3c2, 1, al() & 1 ? misc & ~0x02 : misc | 0x02)
      setAl(0x12)
      return
    }
    case 0x33:
      setBda8(BDA_VIDEO_MODESET, (bda8(BDA_VIDEO_MODESET) & ~0x02) | (al() & 1 ? 0 : 0x02))
      setAl(0x12)
      return
    case 0x34: // cursor emulation: AL = 0 on, 1 off
      setBda8(BDA_VIDEO_CONTROL, (bda8(BDA_VIDEO_CONTROL) & ~0x01) | (al() & 1))
      setAl(0x12)
      return
    case 0x36: // screen: AL = 0 on, 1 off (sequencer register 1 bit 5)
      portWrite(0x3c4, 1, 1)
      sequencerWrite(1, al() & 1 ? portRead(0x3c5, 1) | 0x20 : portRead(0x3c5, 1) & ~0x20)
      setAl(0x12)
      return
    default:
      return
  }
}

// ---------------------------------------------------------------------------------------------------------

/** AH = 13h: CX characters at ES:BP from DH,DL on page BH. AL bit 0 moves the cursor, bit 1 each has its attribute. */
function writeString(): void {
  const page = bh()
  const before = cursor(page)
  const pairs = (al() & 2) != 0
  let at = linear(SEG_ES, bp())
  const count = cx()
  setCursor(page, dx())
  for (let i: u32 = 0; i < count; i++) {
    const character = guestRead8(at++)
    const attribute = pairs ? guestRead8(at++) : bl()
    writeAtCursor(page, character, attribute, false)
  }
  if (!(al() & 1)) setCursor(page, before)
}

/** AH = 1Ah: a VGA with a colour display (08h), no second adapter. */
function displayCombination(): void {
  if (al() == 0) setBx(bda8(0x8a))
  else if (al() == 1) setBda8(0x8a, bl())
  else return
  setAl(0x1a)
}

/** AH = 1Bh, BX = 0: 64 bytes of state at ES:DI. */
function functionality(): void {
  if (bx() != 0) return
  const table: u64 = EBDA + EBDA_VIDEO_FUNCTIONALITY
  // Static table: modes 0-7, 0Dh-13h; 400 scan lines; 8 character blocks; what AH = 10h-12h can.
  guestWrite32(table, 0x000fe0ff)
  guestWrite32(table + 4, 0x04000000)
  guestWrite32(table + 8, 0x0e3d0802)
  guestWrite32(table + 12, 0x00000000)
  const at = linear(SEG_ES, di())
  guestWrite16(at, EBDA_VIDEO_FUNCTIONALITY)
  guestWrite16(at + 2, EBDA_SEGMENT)
  for (let i: u32 = 0; i < 0x1e; i++) guestWrite8(at + 4 + i, bda8(BDA_VIDEO_MODE + i))
  guestWrite8(at + 0x22, bda8(BDA_VIDEO_ROWS) + 1)
  guestWrite16(at + 0x23, bda16(BDA_CHARACTER_HEIGHT))
  guestWrite8(at + 0x25, bda8(0x8a))
  guestWrite8(at + 0x26, 0)
  const mode = videoMode()
  guestWrite16(at + 0x27, mode == 0x13 ? 256 : mode == 0x07 ? 0 : 16)
  const size = bda16(BDA_VIDEO_PAGE_SIZE)
  guestWrite8(at + 0x29, isGraphics(mode) ? 1 : size > 0 && size <= 0x8000 ? 0x8000 / size : 1)
  guestWrite8(at + 0x2a, mode == 0x11 || mode == 0x12 ? 3 : mode == 0x10 ? 1 : isGraphics(mode) ? 0 : 2)
  guestWrite8(at + 0x2b, 0)
  guestWrite8(at + 0x2c, 0)
  guestWrite8(at + 0x2d, bda8(BDA_VIDEO_MODESET) & 0x0f)
  for (let i: u32 = 0x2e; i < 0x40; i++) guestWrite8(at + i, 0)
  guestWrite8(at + 0x31, 3) // 256 KiB
  setAl(0x1b)
}
