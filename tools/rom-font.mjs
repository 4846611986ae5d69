// Fonts of the system ROM: drawings in assets/fonts/rom/*.txt to bytes. The format is told in 8x16.txt.
//
// The line and block characters of code page 437 are computed from what they join, for every height: a drawing
// could only get them wrong.

/** @typedef {number[]} Glyph one byte a row, leftmost pixel in bit 7 */

/** Arms of B3h-DAh: up, right, down, left; 0 none, 1 single, 2 double. */
const LINES = [
  '1010 1011 1012 2021 0021 0012 2022 2020', // B3-BA
  '0022 2002 2001 1002 0011 1100 1101 0111', // BB-C2
  '1110 0101 1111 1210 2120 2200 0220 2202', // C3-CA
  '0222 2220 0202 2222 1202 2101 0212 0121', // CB-D2
  '2100 1200 0210 0120 2121 1212 1001 0110', // D3-DA
]
  .join(' ')
  .split(' ')

/**
 * A line character. Verticals are two pixels wide, horizontals one high; the two lines of a double one leave the
 * width of a single line between them.
 * @param {string} arms
 * @param {number} height
 * @returns {Glyph}
 */
function lineGlyph(arms, height) {
  const [up = 0, right = 0, down = 0, left = 0] = [...arms].map(Number)
  const middle = height / 2 - 1
  /** @type {Glyph} */
  const rows = Array(height).fill(0)
  /** @type {(x0: number, x1: number, y0: number, y1: number, on?: boolean) => void} */
  const fill = (x0, x1, y0, y1, on = true) => {
    const pixels = (0xff >> x0) & (0xff << (7 - x1))
    for (let y = y0; y <= y1; y++) rows[y] = on ? (rows[y] ?? 0) | pixels : (rows[y] ?? 0) & ~pixels
  }
  const vertical = Math.max(up, down)
  const horizontal = Math.max(left, right)
  // Outer edges of what the axes occupy, and where an arm begins at the far side of the other axis.
  const x = vertical === 2 ? { near: 1, far: 6 } : { near: 3, far: 4 }
  const y = horizontal === 2 ? { near: middle - 1, far: middle + 1 } : { near: middle, far: middle }
  // Double arms first: the whole band, then the gap out of it, so that bands that meet open into each other.
  const top = up ? 0 : y.near
  const bottom = down ? height - 1 : y.far
  const start = left ? 0 : x.near
  const end = right ? 7 : x.far
  if (vertical === 2) fill(1, 6, top, bottom)
  if (horizontal === 2) fill(start, end, middle - 1, middle + 1)
  const both = vertical === 2 && horizontal === 2
  if (vertical === 2)
    fill(3, 4, up ? 0 : both ? middle : top, down ? height - 1 : both ? middle : bottom, false)
  if (horizontal === 2) fill(left ? 0 : both ? 3 : start, right ? 7 : both ? 4 : end, middle, middle, false)
  // A single arm that ends on a double line that goes through stops at its near rail; else it reaches the far one.
  if (vertical === 1) {
    const through = horizontal === 2 && left && right && up !== down
    fill(3, 4, up ? 0 : through ? middle + 1 : y.near, down ? height - 1 : through ? middle - 1 : y.far)
  }
  if (horizontal === 1) {
    const through = vertical === 2 && up && down && left !== right
    fill(left ? 0 : through ? 5 : x.near, right ? 7 : through ? 2 : x.far, middle, middle)
  }
  return rows
}

/**
 * The characters B0h-DFh.
 * @param {number} height
 * @returns {Map<number, Glyph>}
 */
function computedGlyphs(height) {
  const glyphs = new Map(LINES.map((arms, i) => [0xb3 + i, lineGlyph(arms, height)]))
  /** @type {(code: number, row: (y: number) => number) => void} */
  const set = (code, row) => {
    glyphs.set(
      code,
      Array.from({ length: height }, (_, y) => row(y)),
    )
  }
  set(0xb0, (y) => (y & 1 ? 0x88 : 0x22))
  set(0xb1, (y) => (y & 1 ? 0xaa : 0x55))
  set(0xb2, (y) => (y & 1 ? 0x77 : 0xdd))
  set(0xdb, () => 0xff)
  set(0xdc, (y) => (y < height / 2 ? 0 : 0xff))
  set(0xdd, () => 0xf0)
  set(0xde, () => 0x0f)
  set(0xdf, (y) => (y < height / 2 ? 0xff : 0))
  return glyphs
}

/**
 * Reads a drawing.
 * @param {string} text the file
 * @param {string} name for error messages
 * @param {number} height rows of a glyph
 * @returns {Map<number, Glyph>} the glyphs drawn in it
 */
export function parseFont(text, name, height) {
  /** @typedef {{ rows: Glyph, uses: string, line: number }} Piece */
  /** @type {Map<string, Piece>} */
  const pieces = new Map()
  /** @type {Piece | undefined} */
  let piece
  let row = 0
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    /** @param {string} why */
    const error = (why) => new Error(`${name}:${index + 1}: ${why}: ${line}`)
    if (line === '' || line.startsWith(';')) continue
    const [, code, uses = ''] = line.match(/^glyph ([0-9A-F]{2})(?: [^=]+?| =)?(?: = (.+))?$/) ?? []
    const key = code ?? line.match(/^part (\S+)$/)?.[1]
    if (key !== undefined) {
      if (pieces.has(key)) throw error('drawn twice')
      piece = { rows: Array(height).fill(0), uses, line: index + 1 }
      pieces.set(key, piece)
      row = 0
      continue
    }
    if (!piece) throw error('a row before the first glyph')
    const at = line.match(/^@(\d+)$/)
    if (at) {
      row = Number(at[1])
      continue
    }
    const [, pixels, times = '1'] = line.match(/^([.#]{1,8})(?: x(\d+))?$/) ?? []
    if (pixels === undefined) throw error('neither a row nor a glyph')
    for (let i = 0; i < Number(times); i++, row++) {
      if (row >= height) throw error('below the last row')
      piece.rows[row] = [...pixels].reduce(
        (byte, c, x) => byte | (c === '#' ? 0x80 >> x : 0),
        piece.rows[row] ?? 0,
      )
    }
  }
  /** @type {(key: string, depth: number) => Glyph} */
  const resolve = (key, depth) => {
    const found = pieces.get(key)
    if (!found) throw new Error(`${name}: nothing is called "${key}"`)
    if (depth > 8) throw new Error(`${name}:${found.line}: borrows from itself`)
    const rows = [...found.rows]
    for (const use of found.uses.split(' + ').filter(Boolean)) {
      const [, from = use, direction, by] = use.match(/^([^<>]+)(?:([<>])(\d+))?$/) ?? []
      const shift = direction ? Number(by) * (direction === '<' ? -1 : 1) : 0
      for (const [y, byte] of resolve(from, depth + 1).entries()) {
        if (!byte) continue
        const target = y + shift
        if (target < 0 || target >= height) throw new Error(`${name}:${found.line}: "${use}" leaves the cell`)
        rows[target] = (rows[target] ?? 0) | byte
      }
    }
    return rows
  }
  const glyphs = new Map()
  for (const key of pieces.keys())
    if (/^[0-9A-F]{2}$/.test(key)) glyphs.set(Number.parseInt(key, 16), resolve(key, 0))
  return glyphs
}

/** @param {Map<number, Glyph>} drawn @param {string} name @param {number} height @returns {Uint8Array} */
function fontBytes(drawn, name, height) {
  const computed = computedGlyphs(height)
  const bytes = new Uint8Array(256 * height)
  for (let code = 0; code < 256; code++) {
    const rows = computed.get(code) ?? drawn.get(code)
    if (!rows) throw new Error(`${name}: character ${code.toString(16).padStart(2, '0')}h is missing`)
    bytes.set(rows, code * height)
  }
  return bytes
}

/** Symbols whose drawing fills the cell from edge to edge: their first and last row may be cut off. */
const FULL_HEIGHT = new Set([0x08, 0x0a, 0xf4, 0xf5])

/**
 * The three fonts of the ROM.
 * @param {{ tall: string, small: string }} sources texts of 8x16.txt and 8x8.txt
 * @returns {Record<'8x16' | '8x14' | '8x8', Uint8Array>}
 */
export function buildFonts({ tall, small }) {
  const drawn = parseFont(tall, '8x16.txt', 16)
  const cut = new Map()
  for (const [code, rows] of drawn) {
    if ((rows[0] || rows[15]) && !FULL_HEIGHT.has(code)) {
      throw new Error(
        `8x16.txt: character ${code.toString(16)}h has ink in row 0 or 15, which the 8x14 font leaves out`,
      )
    }
    cut.set(code, rows.slice(1, 15))
  }
  return {
    '8x16': fontBytes(drawn, '8x16.txt', 16),
    '8x14': fontBytes(cut, '8x16.txt', 14),
    '8x8': fontBytes(parseFont(small, '8x8.txt', 8), '8x8.txt', 8),
  }
}
