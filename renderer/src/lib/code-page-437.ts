// The PC's character set as Unicode, for copying a text screen and for reading it aloud. Codes below 20h show
// glyphs on the screen, unlike in a text file.
const LOW = '\u0020☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼'
const HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

const TABLE: readonly string[] = [
  ...LOW,
  ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)),
  '⌂',
  ...HIGH,
]

/** @param code 0..255 */
export const unicodeOf = (code: number): string => TABLE[code] ?? '\ufffd'

/**
 * The rows of a text screen, without the blanks at their ends.
 * @param cells pairs of character code and attribute, row by row
 */
export function textOf(cells: Uint8Array, columns: number, rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => {
    let line = ''
    for (let column = 0; column < columns; column++)
      line += unicodeOf(cells[(row * columns + column) * 2] ?? 0)
    return line.replace(/[ \u00a0]+$/, '')
  })
}
