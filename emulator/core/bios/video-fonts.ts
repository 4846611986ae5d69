// Character generators: fonts of the ROM or the guest into the VGA's plane 2 (text), far pointers 1Fh and 43h
// (graphics).
import { physicalRead8, physicalWrite32, physicalWrite8 } from '../memory/physical'
import {
  BDA_CHARACTER_HEIGHT,
  BDA_CURSOR_SHAPE,
  BDA_VIDEO_COLUMNS,
  BDA_VIDEO_PAGE_SIZE,
  BDA_VIDEO_ROWS,
} from './bda'
import { bda16, guestRead8, setBda16, setBda8 } from './guest'
import { crtcRead, crtcWrite, graphicsWrite, sequencerWrite, videoMode } from './video-modes'
import { setCursorShape } from './video-text'

/** INT 43h: font of the graphics modes; INT 1Fh is the upper half of an 8x8 one. */
export function setGraphicsFont(segment: u32, offset: u32): void {
  physicalWrite32(0x43 * 4, (segment << 16) | offset)
}

/** Byte offset of character block 0-7 in plane 2 (IBM: blocks 4-7 lie between 0-3). */
function blockOffset(block: u32): u32 {
  return ((block & 3) << 14) | ((block & 4) << 11)
}

/**
 * Loads `count` glyphs of `height` rows (1-32), beginning with character `first`, into block `block`.
 * `source`: linear address.
 */
export function loadFont(source: u64, count: u32, first: u32, height: u32, block: u32): void {
  if (height == 0 || height > 32 || first > 255) return
  // Plane 2 alone, one byte an address, at A0000h.
  sequencerWrite(0, 0x01)
  sequencerWrite(2, 0x04)
  sequencerWrite(4, 0x07)
  sequencerWrite(0, 0x03)
  graphicsWrite(4, 0x02)
  graphicsWrite(5, 0x00)
  graphicsWrite(6, 0x04)
  const base: u64 = 0xa0000 + blockOffset(block & 7)
  for (let glyph: u32 = 0; glyph < count && first + glyph < 256; glyph++) {
    const target = base + ((first + glyph) << 5)
    const from = source + glyph * height
    for (let row: u32 = 0; row < height; row++) physicalWrite8(target + row, <u8>guestRead8(from + row))
    for (let row = height; row < 32; row++) physicalWrite8(target + row, 0)
  }
  sequencerWrite(0, 0x01)
  sequencerWrite(2, 0x03)
  sequencerWrite(4, 0x02)
  sequencerWrite(0, 0x03)
  graphicsWrite(4, 0x00)
  graphicsWrite(5, 0x10)
  graphicsWrite(6, videoMode() == 0x07 ? 0x0a : 0x0e)
}

/** Rows, cursor and page size for characters of `height` lines (1-32); every text mode has 400 lines. */
export function recalculateRows(height: u32): void {
  const lines: u32 = 400
  const rows = lines / height
  crtcWrite(0x09, (crtcRead(0x09) & 0xe0) | (height - 1))
  const end = rows * height - 1
  crtcWrite(0x12, end)
  crtcWrite(0x07, (crtcRead(0x07) & ~0x42) | ((end >> 7) & 0x02) | ((end >> 3) & 0x40))
  setBda16(BDA_CHARACTER_HEIGHT, height)
  setBda8(BDA_VIDEO_ROWS, rows - 1)
  setBda16(BDA_VIDEO_PAGE_SIZE, (bda16(BDA_VIDEO_COLUMNS) * rows * 2 + 0x7ff) & ~0x7ff)
  setCursorShape(bda16(BDA_CURSOR_SHAPE))
}

/** Row `row` of a character of the graphics font (INT 43h). */
export function graphicsGlyph(character: u32, row: u32, height: u32): u32 {
  const offset: u32 = physicalRead8(0x10c) | ((<u32>physicalRead8(0x10d)) << 8)
  const segment: u32 = physicalRead8(0x10e) | ((<u32>physicalRead8(0x10f)) << 8)
  return physicalRead8(((<u64>segment) << 4) + offset + character * height + row)
}
