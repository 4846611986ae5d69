// Video modes: the VGA's registers for each, palettes, and how a mode is set (IBM PS/2 Hardware Interface Technical
// Reference, "Video subsystem").
import { portRead, portWrite } from '../chipset/bus'
import { VBE_ENABLE, vbeRegisterWrite } from '../chipset/vbe-dispi'
import { physicalWrite32 } from '../memory/physical'
import {
  BDA_CHARACTER_HEIGHT,
  BDA_CRTC,
  BDA_CURSOR,
  BDA_CURSOR_SHAPE,
  BDA_EQUIPMENT,
  BDA_VIDEO_COLUMNS,
  BDA_VIDEO_COMBINATION,
  BDA_VIDEO_CONTROL,
  BDA_VIDEO_MODE,
  BDA_VIDEO_MODESET,
  BDA_VIDEO_PAGE,
  BDA_VIDEO_PAGE_SIZE,
  BDA_VIDEO_PALETTE,
  BDA_VIDEO_ROWS,
  BDA_VIDEO_SELECT,
  BDA_VIDEO_START,
  BDA_VIDEO_SWITCHES,
} from './bda'
import { bda16, bda8, setBda16, setBda8 } from './guest'
import { ROM_FONT_8X14, ROM_FONT_8X16, ROM_FONT_8X8, ROM_FONT_SEGMENT } from './rom-layout'
import { loadFont, setGraphicsFont } from './video-fonts'

/** Index of the mode's registers in REGISTERS, or NO_MODE. */
const NO_MODE: u32 = 0xff

// A record: columns, rows, character height, flags, misc output, sequencer 1-4, CRTC 0-24, attribute 16-19 (0-15:
// attributeOf), graphics 0-8.
const RECORD: u32 = 4 + 1 + 4 + 25 + 4 + 9
const GRAPHICS: u8 = 1
const MONO: u8 = 2
const PLANAR: u8 = 4
const RECORDS: usize = memory.data<u8>([
  // 00h, 01h: 40x25 text
  40,
  25,
  16,
  0,
  0x67,
  0x08,
  0x03,
  0x00,
  0x02,
  0x2d,
  0x27,
  0x28,
  0x90,
  0x2b,
  0xa0,
  0xbf,
  0x1f,
  0x00,
  0x4f,
  0x0d,
  0x0e,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x14,
  0x1f,
  0x96,
  0xb9,
  0xa3,
  0xff,
  0x0c,
  0x00,
  0x0f,
  0x08,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x10,
  0x0e,
  0x00,
  0xff,
  // 02h, 03h: 80x25 text
  80,
  25,
  16,
  0,
  0x67,
  0x00,
  0x03,
  0x00,
  0x02,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x55,
  0x81,
  0xbf,
  0x1f,
  0x00,
  0x4f,
  0x0d,
  0x0e,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x28,
  0x1f,
  0x96,
  0xb9,
  0xa3,
  0xff,
  0x0c,
  0x00,
  0x0f,
  0x08,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x10,
  0x0e,
  0x00,
  0xff,
  // 07h: 80x25 monochrome text
  80,
  25,
  16,
  MONO,
  0x66,
  0x00,
  0x03,
  0x00,
  0x02,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x55,
  0x81,
  0xbf,
  0x1f,
  0x00,
  0x4f,
  0x0d,
  0x0e,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x28,
  0x0f,
  0x96,
  0xb9,
  0xa3,
  0xff,
  0x0e,
  0x00,
  0x0f,
  0x08,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x10,
  0x0a,
  0x00,
  0xff,
  // 0Dh: 320x200, 16 colours
  40,
  25,
  8,
  GRAPHICS | PLANAR,
  0x63,
  0x09,
  0x0f,
  0x00,
  0x06,
  0x2d,
  0x27,
  0x28,
  0x90,
  0x2b,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0xc0,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x14,
  0x00,
  0x96,
  0xb9,
  0xe3,
  0xff,
  0x01,
  0x00,
  0x0f,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x05,
  0x0f,
  0xff,
  // 0Eh: 640x200, 16 colours
  80,
  25,
  8,
  GRAPHICS | PLANAR,
  0x63,
  0x01,
  0x0f,
  0x00,
  0x06,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0xc0,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x28,
  0x00,
  0x96,
  0xb9,
  0xe3,
  0xff,
  0x01,
  0x00,
  0x0f,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x05,
  0x0f,
  0xff,
  // 10h: 640x350, 16 colours
  80,
  25,
  14,
  GRAPHICS | PLANAR,
  0xa3,
  0x01,
  0x0f,
  0x00,
  0x06,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0x40,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x83,
  0x85,
  0x5d,
  0x28,
  0x0f,
  0x63,
  0xba,
  0xe3,
  0xff,
  0x01,
  0x00,
  0x0f,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x05,
  0x0f,
  0xff,
  // 12h (and 11h): 640x480, 16 colours
  80,
  30,
  16,
  GRAPHICS | PLANAR,
  0xe3,
  0x01,
  0x0f,
  0x00,
  0x06,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0x0b,
  0x3e,
  0x00,
  0x40,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0xea,
  0x8c,
  0xdf,
  0x28,
  0x00,
  0xe7,
  0x04,
  0xe3,
  0xff,
  0x01,
  0x00,
  0x0f,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x05,
  0x0f,
  0xff,
  // 04h, 05h: 320x200, 4 colours as on the CGA
  40,
  25,
  8,
  GRAPHICS,
  0x63,
  0x09,
  0x03,
  0x00,
  0x02,
  0x2d,
  0x27,
  0x28,
  0x90,
  0x2b,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0xc1,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x14,
  0x00,
  0x96,
  0xb9,
  0xa2,
  0xff,
  0x01,
  0x00,
  0x03,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x30,
  0x0f,
  0x0f,
  0xff,
  // 06h: 640x200, 2 colours as on the CGA
  80,
  25,
  8,
  GRAPHICS,
  0x63,
  0x01,
  0x01,
  0x00,
  0x06,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0xc1,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x28,
  0x00,
  0x96,
  0xb9,
  0xc2,
  0xff,
  0x01,
  0x00,
  0x01,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x0d,
  0x0f,
  0xff,
  // 0Fh: 640x350, monochrome as on the EGA
  80,
  25,
  14,
  GRAPHICS | PLANAR | MONO,
  0xa2,
  0x01,
  0x0f,
  0x00,
  0x06,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0x40,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x83,
  0x85,
  0x5d,
  0x28,
  0x0f,
  0x63,
  0xba,
  0xe3,
  0xff,
  0x0b,
  0x00,
  0x05,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x05,
  0x05,
  0xff,
  // 13h: 320x200, 256 colours
  40,
  25,
  8,
  GRAPHICS,
  0x63,
  0x01,
  0x0f,
  0x00,
  0x0e,
  0x5f,
  0x4f,
  0x50,
  0x82,
  0x54,
  0x80,
  0xbf,
  0x1f,
  0x00,
  0x41,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x9c,
  0x8e,
  0x8f,
  0x28,
  0x40,
  0x96,
  0xb9,
  0xa3,
  0xff,
  0x41,
  0x00,
  0x0f,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x00,
  0x40,
  0x05,
  0x0f,
  0xff,
])

function recordIndex(mode: u32): u32 {
  switch (mode) {
    case 0x00:
    case 0x01:
      return 0
    case 0x02:
    case 0x03:
      return 1
    case 0x07:
      return 2
    case 0x0d:
      return 3
    case 0x0e:
      return 4
    case 0x10:
      return 5
    case 0x11:
    case 0x12:
      return 6
    case 0x04:
    case 0x05:
      return 7
    case 0x06:
      return 8
    case 0x0f:
      return 9
    case 0x13:
      return 10
    default:
      return NO_MODE
  }
}

export function videoMode(): u32 {
  return bda8(BDA_VIDEO_MODE) & 0x7f
}
/** What 0040:0049 holds, but for bit 7, in a mode of the VBE. */
export const VIDEO_MODE_EXTENDED: u32 = 0x7f

export function isGraphics(mode: u32): bool {
  return (mode >= 0x0d && mode <= 0x13) || (mode >= 4 && mode <= 6) || mode == VIDEO_MODE_EXTENDED
}
/** Pixels as the CGA packed them: even lines at B8000h, odd ones at BA000h. */
export function isInterleaved(mode: u32): bool {
  return mode >= 4 && mode <= 6
}
/** Monochrome text at B0000h, colour text at B8000h. */
export function textBase(): u64 {
  return videoMode() == 0x07 ? 0xb0000 : 0xb8000
}
function isMono(mode: u32): bool {
  return mode == 0x07 || mode == 0x0f
}
/** Port of the CRT controller's index register. */
export function crtc(): u32 {
  return isMono(videoMode()) ? 0x3b4 : 0x3d4
}

export function crtcWrite(index: u32, value: u32): void {
  portWrite(crtc(), 1, index)
  portWrite(crtc() + 1, 1, value & 0xff)
}
export function crtcRead(index: u32): u32 {
  portWrite(crtc(), 1, index)
  return portRead(crtc() + 1, 1)
}
export function sequencerWrite(index: u32, value: u32): void {
  portWrite(0x3c4, 1, index)
  portWrite(0x3c5, 1, value)
}
export function sequencerRead(index: u32): u32 {
  portWrite(0x3c4, 1, index)
  return portRead(0x3c5, 1)
}
export function graphicsWrite(index: u32, value: u32): void {
  portWrite(0x3ce, 1, index)
  portWrite(0x3cf, 1, value)
}
/** Attribute controller: address and data share port 3C0h, a read of 3DAh begins with the address; bit 5 is the screen. */
export function attributeWrite(index: u32, value: u32): void {
  portRead(crtc() + 6, 1)
  portWrite(0x3c0, 1, index)
  portWrite(0x3c0, 1, value)
  portWrite(0x3c0, 1, 0x20)
}
export function attributeRead(index: u32): u32 {
  portRead(crtc() + 6, 1)
  portWrite(0x3c0, 1, index)
  const value = portRead(0x3c1, 1)
  portRead(crtc() + 6, 1)
  portWrite(0x3c0, 1, 0x20)
  return value
}
export function dacWrite(index: u32, red: u32, green: u32, blue: u32): void {
  portWrite(0x3c8, 1, index)
  portWrite(0x3c9, 1, red & 63)
  portWrite(0x3c9, 1, green & 63)
  portWrite(0x3c9, 1, blue & 63)
}

/** Palette registers of modes 04h and 05h: cyan, magenta, white, and what the CGA's other colours became. */
const ATTRIBUTES_CGA: usize = memory.data<u8>([
  0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
])
const ATTRIBUTES_0F: usize = memory.data<u8>([
  0x00, 0x08, 0x00, 0x00, 0x18, 0x18, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00,
])

/** Palette register 0-15 of a mode: DAC index of the colour. */
function attributeOf(mode: u32, index: u32): u32 {
  if (mode == 0x04 || mode == 0x05) return load<u8>(ATTRIBUTES_CGA + index)
  if (mode == 0x06) return index ? 0x17 : 0
  if (mode == 0x0f) return load<u8>(ATTRIBUTES_0F + index)
  if (mode == 0x13) return index
  if (mode == 0x11) return index ? 0x3f : 0
  if (mode == 0x07) return index == 0 ? 0 : index < 8 ? 0x08 : index == 8 ? 0x10 : 0x18
  if (mode == 0x0d || mode == 0x0e) return index < 8 ? index : index + 8
  if (index == 6) return 0x14 // brown
  return index < 8 ? index : 0x38 + index - 8
}

// The 256-colour palette: 16 colours, 16 greys, then three brightnesses of three saturations of 24 hues. A hue ramps
// between `low` and `high` in four steps.
const RAMPS: usize = memory.data<u8>([
  0, 16, 31, 47, 63, 31, 39, 47, 55, 63, 45, 49, 54, 58, 63, 0, 7, 14, 21, 28, 14, 17, 21, 24, 28, 20, 22, 24,
  26, 28, 0, 4, 8, 12, 16, 8, 10, 12, 14, 16, 11, 12, 13, 15, 16,
])
const GREYS: usize = memory.data<u8>([0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63])

/** Step 0-4 of red at hue 0-23, which begin with blue; green and blue are the same curve a third of the circle on. */
function hueStep(position: u32): u32 {
  const p = position % 24
  if (p <= 4) return p
  if (p <= 12) return 4
  if (p <= 16) return 16 - p
  return 0
}

/** The six bits rgbRGB of an EGA colour: 2/3 and 1/3 of full. */
function egaLevel(colour: u32, primary: u32, secondary: u32): u32 {
  return (colour & primary ? 42 : 0) + (colour & secondary ? 21 : 0)
}

function dacEga(index: u32, colour: u32): void {
  dacWrite(index, egaLevel(colour, 4, 32), egaLevel(colour, 2, 16), egaLevel(colour, 1, 8))
}

/** CGA colour 0-15 as EGA bits: brown instead of dark yellow, bright ones with all three thirds. */
function cgaColour(index: u32): u32 {
  return index == 6 ? 0x14 : index < 8 ? index : 0x38 | (index & 7)
}

function loadPalette(mode: u32): void {
  portWrite(0x3c6, 1, 0xff)
  if (mode == 0x13) {
    for (let i: u32 = 0; i < 16; i++) dacEga(i, cgaColour(i))
    for (let i: u32 = 0; i < 16; i++) {
      const grey = load<u8>(GREYS + i)
      dacWrite(16 + i, grey, grey, grey)
    }
    for (let i: u32 = 0; i < 216; i++) {
      const ramp = RAMPS + (i / 24) * 5
      const hue = i % 24
      dacWrite(
        32 + i,
        load<u8>(ramp + hueStep(hue)),
        load<u8>(ramp + hueStep(hue + 16)),
        load<u8>(ramp + hueStep(hue + 8)),
      )
    }
    for (let i: u32 = 248; i < 256; i++) dacWrite(i, 0, 0, 0)
    return
  }
  for (let i: u32 = 0; i < 64; i++) {
    if (isMono(mode)) {
      const level: u32 = i & 0x10 ? (i & 8 ? 63 : 42) : i & 8 ? 42 : 0
      dacWrite(i, level, level, level)
    } else if (mode == 0x0d || mode == 0x0e || isInterleaved(mode)) {
      dacEga(i, (i & 7) == 6 && !(i & 0x10) ? 0x14 : i & 0x10 ? 0x38 | (i & 7) : i & 7)
    } else {
      dacEga(i, i)
    }
  }
}

/** INT 10h/00h. Unknown modes change nothing: false. Bit 7 of `request`: the screen is not cleared. */
export function setMode(request: u32): bool {
  const mode = request & 0x7f
  const index = recordIndex(mode)
  if (index == NO_MODE) return false
  vbeRegisterWrite(VBE_ENABLE, 0)
  setRegisters(mode, index)
  if (!(request & 0x80)) clearMemory(mode, load<u8>(RECORDS + index * RECORD, 3))
  setVariables(mode, index, request)
  return true
}

/**
 * What a mode of the VBE has in common with others: screen on, palette, planes if it has them, and the BIOS data area.
 * The extension itself is the caller's to enable.
 */
export function setExtendedMode(width: u32, height: u32, bits: u32): void {
  const mode: u32 = bits == 4 ? 0x12 : 0x13
  setRegisters(mode, recordIndex(mode))
  setVariables(mode, recordIndex(mode), 0)
  const lines: u32 = height < 400 ? 8 : 16
  setBda8(BDA_VIDEO_MODE, 0xff)
  setBda16(BDA_VIDEO_COLUMNS, width / 8)
  setBda8(BDA_VIDEO_ROWS, height / lines - 1)
  setBda16(BDA_CHARACTER_HEIGHT, lines)
  setBda16(BDA_VIDEO_PAGE_SIZE, 0)
  setGraphicsFont(ROM_FONT_SEGMENT, lines == 16 ? ROM_FONT_8X16 : ROM_FONT_8X8)
}

function setRegisters(mode: u32, index: u32): void {
  const record = RECORDS + index * RECORD
  setBda8(BDA_VIDEO_MODE, mode)

  // Screen off and sequencer in reset while the clocks change.
  portRead(crtc() + 6, 1)
  portWrite(0x3c0, 1, 0x00)
  sequencerWrite(0, 0x01)
  for (let i: u32 = 1; i <= 4; i++) sequencerWrite(i, load<u8>(record + 4 + i))
  portWrite(0x3c2, 1, load<u8>(record, 4))
  sequencerWrite(0, 0x03)
  crtcWrite(0x11, 0x00) // CRTC 0-7 may be written
  for (let i: u32 = 0; i < 25; i++) crtcWrite(i, load<u8>(record + 9 + i))
  for (let i: u32 = 0; i < 9; i++) graphicsWrite(i, load<u8>(record + 38 + i))
  for (let i: u32 = 0; i < 16; i++) attributeWrite(i, attributeOf(mode, i))
  for (let i: u32 = 0; i < 4; i++) attributeWrite(0x10 + i, load<u8>(record + 34 + i))
  attributeWrite(0x14, 0)
  if (!(bda8(BDA_VIDEO_MODESET) & 0x08)) loadPalette(mode)

  if (!(load<u8>(record, 3) & GRAPHICS)) loadFont((ROM_FONT_SEGMENT << 4) + ROM_FONT_8X16, 256, 0, 16, 0)
}

function setVariables(mode: u32, index: u32, request: u32): void {
  const record = RECORDS + index * RECORD
  const flags: u32 = load<u8>(record, 3)
  const columns: u32 = load<u8>(record, 0)
  const rows: u32 = load<u8>(record, 1)
  const height: u32 = load<u8>(record, 2)
  setBda16(BDA_VIDEO_COLUMNS, columns)
  setBda16(BDA_VIDEO_PAGE_SIZE, pageSize(mode, columns, rows))
  setBda16(BDA_VIDEO_START, 0)
  for (let page: u32 = 0; page < 8; page++) setBda16(BDA_CURSOR + page * 2, 0)
  setBda16(BDA_CURSOR_SHAPE, flags & GRAPHICS ? 0 : mode == 7 ? 0x0b0c : 0x0607)
  setBda8(BDA_VIDEO_PAGE, 0)
  setBda16(BDA_CRTC, flags & MONO ? 0x3b4 : 0x3d4)
  setBda8(BDA_VIDEO_SELECT, mode == 7 ? 0x29 : columns == 40 ? 0x28 : 0x29)
  setBda8(BDA_VIDEO_PALETTE, 0x30)
  setBda8(BDA_VIDEO_ROWS, rows - 1)
  setBda16(BDA_CHARACTER_HEIGHT, height)
  setBda8(BDA_VIDEO_CONTROL, 0x60 | (request & 0x80))
  setBda8(BDA_VIDEO_SWITCHES, 0xf9)
  setBda8(BDA_VIDEO_MODESET, (bda8(BDA_VIDEO_MODESET) & 0x08) | 0x51)
  setBda8(BDA_VIDEO_COMBINATION, 0x08)
  setBda16(
    BDA_EQUIPMENT,
    (bda16(BDA_EQUIPMENT) & ~0x30) | (flags & MONO ? 0x30 : columns == 40 ? 0x10 : 0x20),
  )
  const font: u32 = height == 16 ? ROM_FONT_8X16 : height == 14 ? ROM_FONT_8X14 : ROM_FONT_8X8
  setGraphicsFont(ROM_FONT_SEGMENT, font)
}

/** Bytes of a page as 0040:004C tells them. */
function pageSize(mode: u32, columns: u32, rows: u32): u32 {
  if (mode == 0x13 || mode == 0x0d) return mode == 0x13 ? 0xfa00 : 0x2000
  if (mode == 0x0e || isInterleaved(mode)) return 0x4000
  if (mode == 0x10 || mode == 0x0f) return 0x8000
  if (mode >= 0x11) return 0xa000
  return (columns * rows * 2 + 0x7ff) & ~0x7ff
}

/** Text: spaces, grey on black. Graphics: zero, all planes at once. */
function clearMemory(mode: u32, flags: u32): void {
  if (isInterleaved(mode)) {
    for (let at: u32 = 0; at < 0x8000; at += 4) physicalWrite32(0xb8000 + at, 0)
    return
  }
  if (flags & GRAPHICS) {
    const length: u32 = mode == 0x13 ? 64000 : 0x10000
    for (let at: u32 = 0; at < length; at += 4) physicalWrite32(0xa0000 + at, 0)
    return
  }
  const base = textBase()
  for (let at: u32 = 0; at < 0x8000; at += 4) physicalWrite32(base + at, 0x07200720)
}
