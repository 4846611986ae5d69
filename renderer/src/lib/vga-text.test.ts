import { describe, expect, test } from 'vitest'
import type { TextScreen } from '../../../preload/bridge'
import { textOf, unicodeOf } from './code-page-437'
import { TextPainter } from './vga-text'

const BLACK = 0xff000000
const GREY = 0xffaaaaaa
const BLUE = 0xffaa0000
const ON = { cursor: true, text: true }

/** Two cells in one row: glyph 1 is all dots, C4h has its right half set. */
function screen(cells: number[], more: Partial<TextScreen> = {}): TextScreen {
  const font = new Uint8Array(256 * 32)
  font.fill(0xff, 32, 64)
  font.fill(0x0f, 0xc4 * 32, 0xc5 * 32)
  const palette = new Uint8Array(48)
  palette.set([0xaa, 0xaa, 0xaa], 7 * 3)
  palette.set([0, 0, 0xaa], 3)
  return {
    kind: 'text',
    columns: cells.length / 2,
    rows: 1,
    cells: Uint8Array.from(cells),
    font,
    font2: font,
    cellHeight: 16,
    cellWidth: 9,
    lineGraphics: true,
    underline: 31,
    blink: true,
    cursor: { visible: false, column: 0, row: 0, start: 14, end: 15 },
    palette,
    ...more,
  }
}

describe('a text cell', () => {
  test('has the glyph in its foreground on its background, and a ninth column', () => {
    const painter = new TextPainter()
    painter.paint(screen([1, 0x17, 0xc4, 0x07]), ON)
    expect(painter.width).toBe(18)
    const row = [...painter.pixels.subarray(0, 18)]
    expect(row.slice(0, 9)).toEqual([...Array(8).fill(GREY), BLUE])
    // Line graphics: the ninth column repeats the eighth for C0h-DFh.
    expect(row.slice(9)).toEqual([...Array(4).fill(BLACK), ...Array(5).fill(GREY)])
  })

  test('blinks with attribute bit 7 only while blinking is on', () => {
    const painter = new TextPainter()
    const dark = { cursor: true, text: false }
    painter.paint(screen([1, 0x87]), ON)
    expect(painter.pixels[0]).toBe(GREY)
    expect(painter.paint(screen([1, 0x87]), dark)).toEqual({ top: 0, bottom: 16 })
    expect(painter.pixels[0]).toBe(BLACK)
    painter.paint(screen([1, 0x87], { blink: false }), dark)
    expect(painter.pixels[0]).toBe(GREY)
  })

  test('shows the cursor over its lines, and loses it when it moves on', () => {
    const painter = new TextPainter()
    const at = (column: number) =>
      screen([0, 7, 0, 7], { cursor: { visible: true, column, row: 0, start: 14, end: 15 } })
    painter.paint(at(0), ON)
    expect(painter.pixels[14 * 18]).toBe(GREY)
    expect(painter.pixels[13 * 18]).toBe(BLACK)
    painter.paint(at(1), ON)
    expect(painter.pixels[14 * 18]).toBe(BLACK)
    expect(painter.pixels[14 * 18 + 9]).toBe(GREY)
  })

  test('that did not change is not painted again', () => {
    const painter = new TextPainter()
    const same = screen([1, 7])
    expect(painter.paint(same, ON)).toEqual({ top: 0, bottom: 16 })
    expect(painter.paint({ ...same, cells: same.cells.slice() }, ON)).toBeUndefined()
  })
})

test('code page 437 has 256 characters, and a screen reads as text', () => {
  const all = Array.from({ length: 256 }, (_, code) => unicodeOf(code))
  expect(all.every((character) => character.length === 1)).toBe(true)
  expect(all[0xb0]).toBe('░')
  expect(all[0xdb]).toBe('█')
  expect(all[0xe1]).toBe('ß')
  expect(all[0x7f]).toBe('⌂')
  expect(textOf(Uint8Array.from([0x48, 7, 0x69, 7, 0x20, 7, 0xc9, 7, 0, 7, 0x20, 7]), 3, 2)).toEqual([
    'Hi',
    '╔',
  ])
})
