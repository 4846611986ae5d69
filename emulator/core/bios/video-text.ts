// Characters on the screen, in text modes and drawn in graphics modes: cursor, cells, scrolling, teletype.
import { physicalRead16, physicalRead8, physicalWrite16, physicalWrite8 } from '../memory/physical'
import {
  BDA_CHARACTER_HEIGHT,
  BDA_CURSOR,
  BDA_CURSOR_SHAPE,
  BDA_VIDEO_COLUMNS,
  BDA_VIDEO_CONTROL,
  BDA_VIDEO_PAGE,
  BDA_VIDEO_PAGE_SIZE,
  BDA_VIDEO_ROWS,
  BDA_VIDEO_START,
} from './bda'
import { bda16, bda8, setBda16, setBda8 } from './guest'
import { graphicsGlyph } from './video-fonts'
import {
  crtcWrite,
  graphicsWrite,
  isGraphics,
  isInterleaved,
  sequencerWrite,
  textBase,
  VIDEO_MODE_EXTENDED,
  videoMode,
} from './video-modes'
import { pixelRead, pixelsMove, pixelWrite } from './video-pixels'

/** Columns, at least 1 whatever the BIOS data area holds. */
export function columns(): u32 {
  const value = bda16(BDA_VIDEO_COLUMNS)
  return value == 0 ? 80 : min<u32>(value, videoMode() == VIDEO_MODE_EXTENDED ? 320 : 132)
}
export function rows(): u32 {
  const value: u32 = bda8(BDA_VIDEO_ROWS) + 1
  return min<u32>(value, 100)
}
function characterHeight(): u32 {
  const value = bda16(BDA_CHARACTER_HEIGHT)
  return value == 0 || value > 32 ? 16 : value
}
export function activePage(): u32 {
  return bda8(BDA_VIDEO_PAGE) & 7
}

// ---------------------------------------------------------------------------------------------------------
// Cursor

/** Row << 8 | column. */
export function cursor(page: u32): u32 {
  return bda16(BDA_CURSOR + (page & 7) * 2)
}

export function setCursor(page: u32, position: u32): void {
  setBda16(BDA_CURSOR + (page & 7) * 2, position)
  if ((page & 7) == activePage()) showCursor()
}

/** The hardware cursor to the active page's position. */
export function showCursor(): void {
  if (isGraphics(videoMode())) return
  const position = cursor(activePage())
  const address = (bda16(BDA_VIDEO_START) >> 1) + (position >> 8) * columns() + (position & 0xff)
  crtcWrite(0x0e, address >> 8)
  crtcWrite(0x0f, address)
}

/**
 * INT 10h/01h: start line in the high byte, end line in the low one. With cursor emulation (0040:0087 bit 0 clear) a
 * shape meant for 8-line characters is stretched to the real height; bits 6-5 of the start line hide the cursor.
 */
export function setCursorShape(shape: u32): void {
  setBda16(BDA_CURSOR_SHAPE, shape)
  let start = (shape >> 8) & 0x3f
  let end = shape & 0x1f
  const height = characterHeight()
  if (!(bda8(BDA_VIDEO_CONTROL) & 1) && height > 8 && end < 8 && start < 0x20) {
    const underline = end == start + 1
    end = ((end + 1) * height) / 8 - 1
    start = underline ? end - 1 : ((start + 1) * height) / 8 - 1
  }
  crtcWrite(0x0a, start)
  crtcWrite(0x0b, end)
}

export function setActivePage(page: u32): void {
  if (page > 7) return
  const start = page * bda16(BDA_VIDEO_PAGE_SIZE)
  setBda8(BDA_VIDEO_PAGE, page)
  setBda16(BDA_VIDEO_START, start)
  const address = isGraphics(videoMode()) ? start : start >> 1
  crtcWrite(0x0c, address >> 8)
  crtcWrite(0x0d, address)
  showCursor()
}

// ---------------------------------------------------------------------------------------------------------
// Cells

function cellAddress(page: u32, row: u32, column: u32): u64 {
  const offset = (page & 7) * bda16(BDA_VIDEO_PAGE_SIZE) + (row * columns() + column) * 2
  return textBase() + (offset & 0x7fff)
}

/** Attribute << 8 | character at a cell; graphics: 0 (nothing is read back from pixels). */
export function readCell(page: u32, row: u32, column: u32): u32 {
  if (isGraphics(videoMode())) return 0
  return physicalRead16(cellAddress(page, row, column))
}

/** Writes a character; `attribute` is left alone with `keep` (text), is the colour in graphics, bit 7 XOR. */
export function writeCell(
  page: u32,
  row: u32,
  column: u32,
  character: u32,
  attribute: u32,
  keep: bool,
): void {
  if (row >= rows() || column >= columns()) return
  const mode = videoMode()
  if (isGraphics(mode)) {
    drawCharacter(mode, page, row, column, character, attribute)
    return
  }
  const at = cellAddress(page, row, column)
  if (keep) physicalWrite8(at, <u8>character)
  else physicalWrite16(at, <u16>(character | (attribute << 8)))
}

function drawCharacter(mode: u32, page: u32, row: u32, column: u32, character: u32, colour: u32): void {
  const height = characterHeight()
  if (isInterleaved(mode) || mode == VIDEO_MODE_EXTENDED) {
    const xor = (colour & 0x80) != 0 && mode != VIDEO_MODE_EXTENDED
    for (let line: u32 = 0; line < height; line++) {
      const bits = graphicsGlyph(character, line, height)
      for (let x: u32 = 0; x < 8; x++) {
        const on = (bits & (0x80 >> x)) != 0
        if (on || !xor) pixelWrite(mode, column * 8 + x, row * height + line, on ? colour : 0)
      }
    }
    return
  }
  for (let line: u32 = 0; line < height; line++) {
    const bits = graphicsGlyph(character, line, height)
    const y = row * height + line
    if (mode == 0x13) {
      const at: u64 = 0xa0000 + ((y * 320 + column * 8) & 0xffff)
      for (let x: u32 = 0; x < 8; x++) physicalWrite8(at + x, <u8>((bits >> (7 - x)) & 1 ? colour : 0))
    } else {
      const offset = (page & 7) * bda16(BDA_VIDEO_PAGE_SIZE) + y * columns() + column
      planarWrite(0xa0000 + (offset & 0xffff), bits, colour, (colour & 0x80) != 0)
    }
  }
  planarEnd(mode)
}

/** Eight pixels: ones in `colour`, zeros black, or with `xor` ones inverted by it (set/reset and bit mask, VGA). */
function planarWrite(at: u64, bits: u32, colour: u32, xor: bool): void {
  sequencerWrite(2, 0x0f)
  graphicsWrite(1, 0x0f)
  graphicsWrite(3, xor ? 0x18 : 0x00)
  graphicsWrite(0, colour & 15)
  graphicsWrite(8, bits)
  physicalRead8(at)
  physicalWrite8(at, 0xff)
  if (xor) return
  graphicsWrite(0, 0)
  graphicsWrite(8, ~bits & 0xff)
  physicalRead8(at)
  physicalWrite8(at, 0xff)
}

function planarEnd(mode: u32): void {
  if (mode == 0x13) return
  graphicsWrite(0, 0)
  graphicsWrite(1, 0)
  graphicsWrite(3, 0)
  graphicsWrite(8, 0xff)
}

/** INT 10h/0Ch. Bit 7 of `colour` XORs, except with 256 colours. */
export function writePixel(page: u32, x: u32, y: u32, colour: u32): void {
  const mode = videoMode()
  if (mode == 0x13) {
    if (x < 320 && y < 200) physicalWrite8(0xa0000 + y * 320 + x, <u8>colour)
    return
  }
  if (isInterleaved(mode) || mode == VIDEO_MODE_EXTENDED) {
    pixelWrite(mode, x, y, colour)
    return
  }
  if (!isGraphics(mode) || x >= columns() * 8) return
  const at: u64 = 0xa0000 + (((page & 7) * bda16(BDA_VIDEO_PAGE_SIZE) + y * columns() + (x >> 3)) & 0xffff)
  const xor = (colour & 0x80) != 0
  sequencerWrite(2, 0x0f)
  graphicsWrite(1, 0x0f)
  graphicsWrite(3, xor ? 0x18 : 0x00)
  graphicsWrite(0, colour & 15)
  graphicsWrite(8, 0x80 >> (x & 7))
  physicalRead8(at)
  physicalWrite8(at, 0xff)
  planarEnd(mode)
}

/** INT 10h/0Dh; 0 outside of the picture. */
export function readPixel(page: u32, x: u32, y: u32): u32 {
  const mode = videoMode()
  if (mode == 0x13) return x < 320 && y < 200 ? physicalRead8(0xa0000 + y * 320 + x) : 0
  if (isInterleaved(mode) || mode == VIDEO_MODE_EXTENDED) return pixelRead(mode, x, y)
  if (!isGraphics(mode) || x >= columns() * 8) return 0
  const at: u64 = 0xa0000 + (((page & 7) * bda16(BDA_VIDEO_PAGE_SIZE) + y * columns() + (x >> 3)) & 0xffff)
  let colour: u32 = 0
  for (let plane: u32 = 0; plane < 4; plane++) {
    graphicsWrite(4, plane)
    const byte: u32 = physicalRead8(at)
    colour |= ((byte >> (7 - (x & 7))) & 1) << plane
  }
  graphicsWrite(4, 0)
  return colour
}

// ---------------------------------------------------------------------------------------------------------
// Scrolling

/**
 * INT 10h/06h, 07h: moves the window top,left - bottom,right by `lines` (0: clears it); new lines are spaces with
 * `attribute` (text) or that colour (graphics).
 */
export function scroll(
  page: u32,
  up: bool,
  lines: u32,
  attribute: u32,
  top: u32,
  left: u32,
  bottom: u32,
  right: u32,
): void {
  const lastRow = rows() - 1
  const lastColumn = columns() - 1
  const end = bottom > lastRow ? lastRow : bottom
  const edge = right > lastColumn ? lastColumn : right
  if (top > end || left > edge) return
  const height = end - top + 1
  const by = lines == 0 || lines > height ? height : lines
  for (let i: u32 = 0; i < height; i++) {
    const row = up ? top + i : end - i
    const fresh = i + by >= height
    const from = up ? row + by : row - by
    if (isGraphics(videoMode())) scrollGraphicsRow(page, row, from, fresh, attribute, left, edge)
    else scrollTextRow(page, row, from, fresh, attribute, left, edge)
  }
}

function scrollTextRow(
  page: u32,
  row: u32,
  from: u32,
  fresh: bool,
  attribute: u32,
  left: u32,
  right: u32,
): void {
  const blank = <u16>((attribute << 8) | 0x20)
  const target = cellAddress(page, row, 0)
  const source = fresh ? target : cellAddress(page, from, 0)
  for (let column = left; column <= right; column++) {
    physicalWrite16(target + column * 2, fresh ? blank : physicalRead16(source + column * 2))
  }
}

function scrollGraphicsRow(
  page: u32,
  row: u32,
  from: u32,
  fresh: bool,
  attribute: u32,
  left: u32,
  right: u32,
): void {
  const mode = videoMode()
  const height = characterHeight()
  if (isInterleaved(mode) || mode == VIDEO_MODE_EXTENDED) {
    for (let line: u32 = 0; line < height; line++) {
      pixelsMove(mode, left * 8, (right + 1) * 8, from * height + line, row * height + line, fresh, attribute)
    }
    return
  }
  if (mode == 0x13) {
    for (let line: u32 = 0; line < height; line++) {
      const target: u64 = 0xa0000 + (row * height + line) * 320
      const source: u64 = 0xa0000 + (from * height + line) * 320
      for (let x = left * 8; x < (right + 1) * 8; x++) {
        physicalWrite8(target + x, fresh ? <u8>attribute : physicalRead8(source + x))
      }
    }
    return
  }
  // Write mode 1 moves all four planes through the latches; set/reset fills.
  const page0: u64 = 0xa0000 + (page & 7) * bda16(BDA_VIDEO_PAGE_SIZE)
  const width = columns()
  sequencerWrite(2, 0x0f)
  graphicsWrite(1, fresh ? 0x0f : 0)
  graphicsWrite(0, attribute & 15)
  graphicsWrite(8, 0xff)
  if (!fresh) graphicsWrite(5, 0x01)
  for (let line: u32 = 0; line < height; line++) {
    for (let column = left; column <= right; column++) {
      if (!fresh) physicalRead8(page0 + (from * height + line) * width + column)
      physicalWrite8(page0 + (row * height + line) * width + column, 0)
    }
  }
  graphicsWrite(5, 0x00)
  planarEnd(mode)
}

// ---------------------------------------------------------------------------------------------------------
// Teletype

/** INT 10h/0Eh on the active page: BEL, BS, CR, LF act; the attribute of the cell stays. `colour`: graphics. */
export function teletype(character: u32, colour: u32): void {
  writeAtCursor(activePage(), character, colour, true)
}

/** Writes one character at the page's cursor and moves it, scrolling at the end of the page. */
export function writeAtCursor(page: u32, character: u32, attribute: u32, keep: bool): void {
  const position = cursor(page)
  let row = position >> 8
  let column = position & 0xff
  switch (character) {
    case 7:
      return
    case 8:
      if (column > 0) column--
      break
    case 10:
      row++
      break
    case 13:
      column = 0
      break
    default:
      writeCell(page, row, column, character, attribute, keep)
      column++
      if (column >= columns()) {
        column = 0
        row++
      }
  }
  const last = rows() - 1
  if (row > last) {
    // New lines take the attribute of the line the cursor was in.
    const fill: u32 = isGraphics(videoMode()) ? 0 : readCell(page, last, column) >> 8
    scroll(page, true, 1, fill, 0, 0, last, columns() - 1)
    row = last
  }
  setCursor(page, (row << 8) | column)
}
