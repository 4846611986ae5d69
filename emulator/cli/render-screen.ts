// Draws a screen snapshot into pixels, as a monitor would show it at the moment the cursor and blinking text are on.
import type { IndexedScreen, RgbScreen, ScreenSnapshot, TextScreen } from '../machine/api'
import type { Picture } from './png'

const GLYPH_SIZE = 32

export function renderScreen(screen: ScreenSnapshot): Picture {
  switch (screen.kind) {
    case 'text':
      return renderText(screen)
    case 'indexed':
      return renderIndexed(screen)
    case 'rgb':
      return renderRgb(screen)
    case 'blank':
      return { width: 640, height: 400, rgb: new Uint8Array(640 * 400 * 3) }
  }
}

function renderText(screen: TextScreen): Picture {
  const { columns, rows, cells, cellWidth, cellHeight, cursor } = screen
  const width = columns * cellWidth
  const height = rows * cellHeight
  const rgb = new Uint8Array(width * height * 3)
  const differentFonts = screen.font.some((byte, i) => byte !== screen.font2[i])
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const code = cells[(row * columns + column) * 2]!
      const attribute = cells[(row * columns + column) * 2 + 1]!
      // With two fonts loaded attribute bit 3 chooses between them; without, it is brightness.
      const font = differentFonts && (attribute & 8) !== 0 ? screen.font2 : screen.font
      const foreground = attribute & 15
      const background = (attribute >> 4) & (screen.blink ? 7 : 15)
      const hasCursor = cursor.visible && cursor.row === row && cursor.column === column
      for (let line = 0; line < cellHeight; line++) {
        let bits = font[code * GLYPH_SIZE + line]! << 1
        if (screen.lineGraphics && code >= 0xc0 && code <= 0xdf) bits |= (bits >> 1) & 1
        if (line === screen.underline && (attribute & 0x77) === 0x01) bits = 0x1ff
        if (hasCursor && line >= cursor.start && line <= cursor.end) bits = 0x1ff
        for (let x = 0; x < cellWidth; x++) {
          const colour = (bits & (0x100 >> x)) !== 0 ? foreground : background
          const at = ((row * cellHeight + line) * width + column * cellWidth + x) * 3
          rgb.set(screen.palette.subarray(colour * 3, colour * 3 + 3), at)
        }
      }
    }
  }
  return { width, height, rgb }
}

/** Small pictures are drawn with every pixel doubled, so that they can be looked at. */
function renderIndexed({ width, height, pixels, palette }: IndexedScreen): Picture {
  const scale = width < 400 ? 2 : 1
  const rgb = new Uint8Array(width * height * scale * scale * 3)
  for (let y = 0, at = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++, at += 3) {
      const colour = pixels[Math.floor(y / scale) * width + Math.floor(x / scale)]!
      rgb.set(palette.subarray(colour * 3, colour * 3 + 3), at)
    }
  }
  return { width: width * scale, height: height * scale, rgb }
}

function renderRgb({ width, height, pixels }: RgbScreen): Picture {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
    rgb[at] = pixels[i]! >>> 16
    rgb[at + 1] = pixels[i]! >>> 8
    rgb[at + 2] = pixels[i]!
  }
  return { width, height, rgb }
}
