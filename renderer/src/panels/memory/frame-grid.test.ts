import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clampStart, framesInUse, GAP_FROM, gridFor, SHOWN_MIN, zoomed } from './frame-grid'
import { kindOf, kindsOfFrames, KINDS, paintFrames, pixelOf } from './frame-painter'

const frames = fc.integer({ min: 1, max: 786_432 })
const side = fc.integer({ min: 40, max: 3000 })

test('a grid fits its room and shows every frame', () => {
  fc.assert(
    fc.property(frames, side, side, (count, width, height) => {
      const { columns, rows, cell } = gridFor(count, width, height)
      expect(columns * rows).toBeGreaterThanOrEqual(count)
      expect(cell).toBeGreaterThan(0)
      expect(columns * cell).toBeLessThanOrEqual(width + 1e-6)
      expect(rows * cell).toBeLessThanOrEqual(height + 1e-6)
      // Cells that stand apart are whole pixels.
      if (cell >= GAP_FROM) expect(cell % 1).toBe(0)
      expect(Math.log2(columns) % 1).toBe(0)
    }),
  )
  expect(gridFor(512, 320, 200)).toEqual({ columns: 32, rows: 16, cell: 10 })
})

test('what is in use decides how much is shown', () => {
  const flags = new Uint8Array(65_536)
  expect(framesInUse(flags)).toBe(512)
  flags[5000] = 1
  expect(framesInUse(flags)).toBe(8192)
  flags[65_535] = 1
  expect(framesInUse(flags)).toBe(65_536)
})

test('zooming stays inside and comes back', () => {
  const total = 65_536
  const view = { start: 1024, shown: 1024 }
  const closer = zoomed(view, 1, 1536, total)
  expect(closer.shown).toBe(512)
  expect(zoomed(closer, -1, 1536, total)).toEqual(view)
  expect(zoomed({ start: 0, shown: SHOWN_MIN }, 3, 10, total).shown).toBe(SHOWN_MIN)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: total - 1 }),
      fc.integer({ min: -12, max: 12 }),
      (around, steps) => {
        const { start, shown } = zoomed({ start: 0, shown: 4096 }, steps, around, total)
        expect(start).toBeGreaterThanOrEqual(0)
        expect(start + shown).toBeLessThanOrEqual(total)
      },
    ),
  )
  expect(clampStart(1e9, 1024, total)).toBe(total - 1024)
})

test('cells take the colour of the strongest thing that happened', () => {
  expect(KINDS[kindOf(1 | 2 | 4 | 8, 0)]).toBe('table')
  expect(KINDS[kindOf(1 | 2 | 4, 0)]).toBe('executed')
  expect(KINDS[kindOf(1, 0)]).toBe('touched')
  expect(KINDS[kindOf(7, KINDS.indexOf('rom'))]).toBe('rom')
  const region = (start: number, end: number, kind: 'ram' | 'rom' | 'video') => ({
    start,
    end,
    kind,
    name: kind,
  })
  const places = kindsOfFrames(
    [region(0, 0x2000, 'ram'), region(0x2000, 0x3000, 'video'), region(0x4000, 0x5000, 'rom')] as never,
    6,
  )
  expect([...places].map((kind) => KINDS[kind])).toEqual([
    'free',
    'free',
    'device',
    'nothing',
    'rom',
    'nothing',
  ])

  const kinds = Uint32Array.from(KINDS, (_, i) => i + 1)
  const pixels = new Uint32Array(16)
  paintFrames(
    {
      flags: new Uint8Array([0, 2, 4, 2]),
      places: new Uint8Array(4),
      start: 0,
      shown: 4,
      grid: { columns: 4, rows: 1, cell: 2 },
      fresh: new Set([3]),
    },
    { kinds, fresh: 99, grid: 0 },
    pixels,
    8,
  )
  expect([...pixels.subarray(8)]).toEqual([1, 1, 3, 3, 4, 4, 99, 99])
  expect(pixelOf('#62bcff')).toBe(0xffffbc62)

  // Four frames in a pixel: the strongest is seen, and one that is lit more than any.
  const shared = new Uint32Array(2)
  const tight = {
    flags: new Uint8Array([0, 4, 0, 1, 0, 0, 0, 2]),
    places: new Uint8Array(8),
    start: 0,
    shown: 8,
  }
  const grid = { columns: 4, rows: 2, cell: 0.5 }
  paintFrames({ ...tight, grid, fresh: new Set() }, { kinds, fresh: 99, grid: 0 }, shared, 2)
  expect([...shared]).toEqual([4, 3])
  paintFrames({ ...tight, grid, fresh: new Set([2]) }, { kinds, fresh: 99, grid: 0 }, shared, 2)
  expect([...shared]).toEqual([4, 99])
})
