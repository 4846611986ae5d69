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
  const [up, right, down, left] = [...arms].map(Number)
  const middle = height / 2 - 1
  /** @type {boolean[][]} */
  const cells = Array.from({ length: height }, () => Array(8).fill(false))
  const fill = (x0, x1, y0, y1, on = true) => {
    for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) cells[y][x] = on
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
  return cells.map((row) => row.reduce((byte, on, x) => byte | (on ? 0x80 >> x : 0), 0))
}

/**
 * The characters B0h-DFh.
 * @param {number} height
 * @returns {Map<number, Glyph>}
 */
function computedGlyphs(height) {
  const rows = (fn) => Array.from({ length: height }, (_, y) => fn(y))
  const glyphs = new Map(LINES.map((arms, i) => [0xb3 + i, lineGlyph(arms, height)]))
  glyphs.set(
    0xb0,
    rows((y) => (y & 1 ? 0x88 : 0x22)),
  )
  glyphs.set(
    0xb1,
    rows((y) => (y & 1 ? 0xaa : 0x55)),
  )
  glyphs.set(
    0xb2,
    rows((y) => (y & 1 ? 0x77 : 0xdd)),
  )
  glyphs.set(
    0xdb,
    rows(() => 0xff),
  )
  glyphs.set(
    0xdc,
    rows((y) => (y < height / 2 ? 0 : 0xff)),
  )
  glyphs.set(
    0xdd,
    rows(() => 0xf0),
  )
  glyphs.set(
    0xde,
    rows(() => 0x0f),
  )
  glyphs.set(
    0xdf,
    rows((y) => (y < height / 2 ? 0xff : 0)),
  )
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
  /** @type {Map<string, { rows: Glyph, uses: string, line: number }>} */
  const pieces = new Map()
  /** @type {{ rows: Glyph, uses: string, line: number } | undefined} */
  let piece
  let row = 0
  text.split('\n').forEach((raw, index) => {
    const line = raw.trimEnd()
    const error = (why) => new Error(`${name}:${index + 1}: ${why}: ${line}`)
    if (line === '' || line.startsWith(';')) return
    const glyph = line.match(/^glyph ([0-9A-F]{2})(?: [^=]+?| =)?(?: = (.+))?$/)
    const part = line.match(/^part (\S+)$/)
    if (glyph || part) {
      const key = glyph ? glyph[1] : part[1]
      if (pieces.has(key)) throw error('drawn twice')
      piece = { rows: Array(height).fill(0), uses: glyph?.[2] ?? '', line: index + 1 }
      pieces.set(key, piece)
      row = 0
      return
    }
    if (!piece) throw error('a row before the first glyph')
    const at = line.match(/^@(\d+)$/)
    if (at) {
      row = Number(at[1])
      return
    }
    const pixels = line.match(/^([.#]{1,8})(?: x(\d+))?$/)
    if (!pixels) throw error('neither a row nor a glyph')
    for (let i = 0; i < Number(pixels[2] ?? 1); i++) {
      if (row >= height) throw error('below the last row')
      piece.rows[row++] |= [...pixels[1]].reduce((byte, c, x) => byte | (c === '#' ? 0x80 >> x : 0), 0)
    }
  })
  /** @type {(key: string, depth: number) => Glyph} */
  const resolve = (key, depth) => {
    const found = pieces.get(key)
    if (!found) throw new Error(`${name}: nothing is called "${key}"`)
    if (depth > 8) throw new Error(`${name}:${found.line}: borrows from itself`)
    const rows = [...found.rows]
    for (const use of found.uses.split(' + ').filter(Boolean)) {
      const [, from, direction, by] = use.match(/^([^<>]+)(?:([<>])(\d+))?$/)
      const shift = direction ? Number(by) * (direction === '<' ? -1 : 1) : 0
      resolve(from, depth + 1).forEach((byte, y) => {
        if (!byte) return
        if (y + shift < 0 || y + shift >= height)
          throw new Error(`${name}:${found.line}: "${use}" leaves the cell`)
        rows[y + shift] |= byte
      })
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
