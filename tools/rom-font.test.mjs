// The fonts: complete, legible apart, and lines that join whatever stands beside them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './paths.mjs'
import { buildFonts, parseFont } from './rom-font.mjs'

/** @param {string} name */
const text = (name) => readFileSync(join(root, 'assets/fonts/rom', name), 'utf8')
const fonts = buildFonts({ tall: text('8x16.txt'), small: text('8x8.txt') })
/** Name, height, offset in the ROM.
 * @type {['8x16' | '8x14' | '8x8', number, number][]} */
const SIZES = [
  ['8x16', 16, 0],
  ['8x14', 14, 0x1000],
  ['8x8', 8, 0x1e00],
]
/** @param {'8x16' | '8x14' | '8x8'} size @param {number} height @param {number} code */
const glyph = (size, height, code) => [...fonts[size].subarray(code * height, (code + 1) * height)]

describe.each(SIZES)('%s', (size, height, offset) => {
  test('is what the committed ROM holds', () => {
    const rom = readFileSync(join(root, 'assets/firmware/ringside-bios.bin'))
    expect(Buffer.compare(rom.subarray(offset, offset + fonts[size].length), fonts[size])).toBe(0)
  })

  test('no two characters look the same, and only the blanks are blank', () => {
    const seen = new Map()
    for (let code = 0; code < 256; code++) {
      const shape = glyph(size, height, code).join()
      if ([0x00, 0x20, 0xff].includes(code)) expect(shape).toBe(Array(height).fill(0).join())
      else expect(seen.get(shape), `${code.toString(16)}h looks like another`).toBeUndefined()
      seen.set(shape, code)
    }
  })

  // What leaves a cell downwards must arrive in a cell below that has an arm of the same kind upwards, and so on.
  /** @typedef {'up' | 'down' | 'left' | 'right'} Side */
  /** @type {Record<Side, Record<'single' | 'double', number[]>>} */
  const ARMS = {
    up: {
      single: [0xb3, 0xb4, 0xc0, 0xc1, 0xc3, 0xc5, 0xd9, 0xc6, 0xb5, 0xcf, 0xd8, 0xbe, 0xd4],
      double: [0xba, 0xb9, 0xbc, 0xc8, 0xca, 0xcc, 0xce, 0xb6, 0xbd, 0xc7, 0xd0, 0xd3, 0xd7],
    },
    down: {
      single: [0xb3, 0xb4, 0xbf, 0xc2, 0xc3, 0xc5, 0xda, 0xc6, 0xb5, 0xd1, 0xd8, 0xb8, 0xd5],
      double: [0xba, 0xb9, 0xbb, 0xc9, 0xcb, 0xcc, 0xce, 0xb6, 0xb7, 0xc7, 0xd2, 0xd6, 0xd7],
    },
    left: {
      single: [0xc4, 0xb4, 0xbf, 0xc1, 0xc2, 0xc5, 0xd9, 0xb6, 0xb7, 0xbd, 0xd0, 0xd2, 0xd7],
      double: [0xcd, 0xb9, 0xbb, 0xbc, 0xca, 0xcb, 0xce, 0xb5, 0xb8, 0xbe, 0xcf, 0xd1, 0xd8],
    },
    right: {
      single: [0xc4, 0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xda, 0xc7, 0xd0, 0xd2, 0xd3, 0xd6, 0xd7],
      double: [0xcd, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xce, 0xc6, 0xcf, 0xd1, 0xd4, 0xd5, 0xd8],
    },
  }
  /** @type {Record<Side, (rows: number[]) => number | string>} */
  const edge = {
    up: (rows) => rows[0] ?? 0,
    down: (rows) => rows[height - 1] ?? 0,
    left: (rows) => rows.map((row) => row >> 7).join(''),
    right: (rows) => rows.map((row) => row & 1).join(''),
  }
  /** @type {[Side, Side][]} */
  const OPPOSITE = [
    ['up', 'down'],
    ['left', 'right'],
  ]
  test.each(OPPOSITE)('lines join %s and %s', (from, to) => {
    for (const kind of /** @type {const} */ (['single', 'double'])) {
      const ends = [
        ...ARMS[from][kind].map((code) => edge[from](glyph(size, height, code))),
        ...ARMS[to][kind].map((code) => edge[to](glyph(size, height, code))),
      ]
      expect(new Set(ends).size, `${kind} arms`).toBe(1)
    }
    for (const side of [from, to]) {
      const armed = new Set([...ARMS[side].single, ...ARMS[side].double])
      for (let code = 0xb3; code <= 0xda; code++) {
        if (!armed.has(code))
          expect(Number(edge[side](glyph(size, height, code))), `${code.toString(16)}h ${side}`).toBe(0)
      }
    }
  })

  test('blocks fill exactly', () => {
    expect(glyph(size, height, 0xdb)).toEqual(Array(height).fill(0xff))
    /** @param {number} a @param {number} b */
    const both = (a, b) => glyph(size, height, a).map((row, y) => row ^ (glyph(size, height, b)[y] ?? 0))
    expect(both(0xdc, 0xdf)).toEqual(Array(height).fill(0xff))
    expect(both(0xdd, 0xde)).toEqual(Array(height).fill(0xff))
    expect(both(0xb0, 0xb2).some((row) => row !== 0)).toBe(true)
  })
})

describe('a drawing with a mistake says where', () => {
  test.each([
    ['glyph 41 A\n.#x', 'font.txt:2: neither a row nor a glyph: .#x'],
    ['glyph 41 A\nglyph 41 B', 'font.txt:2: drawn twice: glyph 41 B'],
    ['#', 'font.txt:1: a row before the first glyph: #'],
    ['glyph 41 A\n# x9', 'font.txt:2: below the last row: # x9'],
    ['glyph 41 A = nose', 'font.txt: nothing is called "nose"'],
  ])('%j', (source, message) => {
    expect(() => parseFont(source, 'font.txt', 8)).toThrow(message)
  })
})
