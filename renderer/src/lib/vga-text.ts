// Draws a text screen's pixels as the VGA does: the guest's glyphs, the guest's sixteen colours, nine dots a cell.
import type { TextScreen } from '../../../preload/bridge'

export interface BlinkPhase {
  /** The cursor is in the lit half of its period. */
  cursor: boolean
  /** Blinking characters are in the lit half of theirs. */
  text: boolean
}

/** From `top` to before `bottom`. */
export interface Lines {
  top: number
  bottom: number
}

/** Colours as the canvas wants them: bytes R, G, B, A in memory order on a little-endian host. */
export function packed(palette: Uint8Array): Uint32Array {
  const colours = new Uint32Array(palette.length / 3)
  for (let i = 0; i < colours.length; i++) {
    colours[i] = 0xff000000 | (palette[i * 3 + 2]! << 16) | (palette[i * 3 + 1]! << 8) | palette[i * 3]!
  }
  return colours
}

export class TextPainter {
  width = 0
  height = 0
  /** One word per pixel, row by row. */
  pixels = new Uint32Array(0)
  #drawn: TextScreen | undefined
  #cells = new Uint8Array(0)
  #phase: BlinkPhase = { cursor: true, text: true }
  #cursorCell = -1

  /** Draws what differs from the last picture. @returns the lines of dots that it drew in, undefined when nothing does */
  paint(screen: TextScreen, phase: BlinkPhase): Lines | undefined {
    const { columns, rows, cellWidth, cellHeight, cells } = screen
    const before = this.#drawn
    const afresh =
      before === undefined ||
      before.columns !== columns ||
      before.rows !== rows ||
      before.cellWidth !== cellWidth ||
      before.cellHeight !== cellHeight ||
      before.blink !== screen.blink ||
      before.lineGraphics !== screen.lineGraphics ||
      before.underline !== screen.underline ||
      before.font !== screen.font ||
      before.font2 !== screen.font2 ||
      before.palette !== screen.palette
    if (afresh) {
      this.width = columns * cellWidth
      this.height = rows * cellHeight
      if (this.pixels.length !== this.width * this.height)
        this.pixels = new Uint32Array(this.width * this.height)
      this.#cells = new Uint8Array(columns * rows * 2)
    }
    const { cursor } = screen
    const onScreen = cursor.visible && cursor.column < columns && cursor.row < rows
    const cursorCell = onScreen ? cursor.row * columns + cursor.column : -1
    const cursorMoved =
      afresh ||
      cursorCell !== this.#cursorCell ||
      phase.cursor !== this.#phase.cursor ||
      before.cursor.start !== cursor.start ||
      before.cursor.end !== cursor.end
    const textPhase = screen.blink && phase.text !== this.#phase.text
    const colours = packed(screen.palette)
    let [first, last] = [rows, -1]
    for (let cell = 0; cell < columns * rows; cell++) {
      const code = cells[cell * 2]!
      const attribute = cells[cell * 2 + 1]!
      const same =
        !afresh &&
        this.#cells[cell * 2] === code &&
        this.#cells[cell * 2 + 1] === attribute &&
        !(cursorMoved && (cell === cursorCell || cell === this.#cursorCell)) &&
        !(textPhase && attribute & 0x80)
      if (same) continue
      const row = Math.floor(cell / columns)
      if (row < first) first = row
      last = row
      this.#cell(screen, colours, cell, code, attribute, phase.text)
      if (cell === cursorCell && phase.cursor) this.#cursor(screen, colours, cell, attribute)
    }
    this.#cells.set(cells.subarray(0, this.#cells.length))
    this.#cursorCell = cursorCell
    this.#phase = { ...phase }
    this.#drawn = screen
    return last < 0 ? undefined : { top: first * cellHeight, bottom: (last + 1) * cellHeight }
  }

  #cell(
    screen: TextScreen,
    colours: Uint32Array,
    cell: number,
    code: number,
    attribute: number,
    lit: boolean,
  ) {
    const { columns, cellWidth, cellHeight } = screen
    const background = colours[screen.blink ? (attribute >> 4) & 7 : attribute >> 4]!
    const hidden = screen.blink && attribute & 0x80 && !lit
    const foreground = hidden ? background : colours[attribute & 15]!
    // Attribute bit 3 chooses the second font; it is the first one again unless the guest loaded another.
    const font = attribute & 8 ? screen.font2 : screen.font
    const ninth = cellWidth === 9 && screen.lineGraphics && code >= 0xc0 && code <= 0xdf
    const left = (cell % columns) * cellWidth
    let at = Math.floor(cell / columns) * cellHeight * this.width + left
    for (let line = 0; line < cellHeight; line++) {
      const underlined = line === screen.underline && (attribute & 0x77) === 0x01
      const bits = underlined ? 0xff : (font[code * 32 + line] ?? 0)
      for (let dot = 0; dot < 8; dot++) this.pixels[at + dot] = bits & (0x80 >> dot) ? foreground : background
      if (cellWidth === 9) this.pixels[at + 8] = underlined || (ninth && bits & 1) ? foreground : background
      at += this.width
    }
  }

  #cursor(screen: TextScreen, colours: Uint32Array, cell: number, attribute: number) {
    const { columns, cellWidth, cellHeight, cursor } = screen
    const colour = colours[attribute & 15]!
    const left = (cell % columns) * cellWidth
    const top = Math.floor(cell / columns) * cellHeight
    for (let line = cursor.start; line <= Math.min(cursor.end, cellHeight - 1); line++) {
      const at = (top + line) * this.width + left
      this.pixels.fill(colour, at, at + cellWidth)
    }
  }
}
