import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cellOf, frameAt, hilbertCell, hilbertIndex, layoutFor } from './frame-layout'
import { paintCells } from './heat-painter'

test('a Hilbert curve goes through every cell, from neighbour to neighbour', () => {
  for (const side of [8, 32]) {
    let last = hilbertCell(side, 0)
    const seen = new Set<number>()
    for (let index = 0; index < side * side; index++) {
      const { x, y } = hilbertCell(side, index)
      expect(hilbertIndex(side, x, y)).toBe(index)
      seen.add(y * side + x)
      if (index > 0) expect(Math.abs(x - last.x) + Math.abs(y - last.y)).toBe(1)
      last = { x, y }
    }
    expect(seen.size).toBe(side * side)
  }
})

test('every frame has a cell and every cell its frame, in both orders', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('rows' as const, 'hilbert' as const),
      fc.integer({ min: 256, max: 786_432 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 100, max: 2000 }),
      fc.integer({ min: 100, max: 1500 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (kind, total, part, width, height, which) => {
        const shown = Math.max(64, Math.round(total * part))
        const layout = layoutFor(kind, Math.floor((total - shown) / 2), shown, total, width, height)
        expect(layout.columns * layout.cell).toBeLessThanOrEqual(width + 1e-6)
        expect(layout.rows * layout.cell).toBeLessThanOrEqual(height + 1e-6)
        const frame = layout.start + Math.floor(layout.shown * which)
        const cell = cellOf(layout, frame)
        expect(cell && frameAt(layout, cell.column, cell.row)).toBe(frame)
        expect(frameAt(layout, layout.columns, 0)).toBeUndefined()
      },
    ),
    { numRuns: 300 },
  )
  const all = layoutFor('hilbert', 0, 786_432, 786_432, 1600, 600)
  expect(all).toMatchObject({ side: 512, across: 3, rows: 512, shown: 786_432, step: 1 })
  // It fills the room.
  expect(all.cell).toBeCloseTo(1600 / 1536, 9)
})

test('cells are painted; where a pixel has many, it has their mean', () => {
  const palette = new Uint32Array(256)
  palette[1] = 0xff0000ff
  palette[2] = 0xff00ff00
  const shades = new Uint8Array(64).fill(1)
  shades[63] = 2
  const layout = layoutFor('hilbert', 0, 64, 64, 48, 48)
  expect(layout).toMatchObject({ cell: 6, step: 1 })
  const pixels = paintCells(layout, shades, palette, 0xffffffff, 48, 48)
  expect(pixels[0]).toBe(0xff0000ff)
  expect(pixels[5]).toBe(0xffffffff)
  const { column, row } = cellOf(layout, 63)!
  expect(pixels[row * 6 * 48 + column * 6]).toBe(0xff00ff00)
  const tight = { ...layout, cell: 1 / 8, step: 8 }
  expect(paintCells(tight, shades, palette, 0, 1, 1)[0]! & 0xff).toBe(Math.floor((255 * 63) / 64))
})
