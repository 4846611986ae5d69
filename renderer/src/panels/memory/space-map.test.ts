import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addressAt,
  bandsOf,
  linearSegments,
  log2,
  physicalSegments,
  placeOf,
  type Segment,
  zoomedWindow,
} from './space-map'

const covers = (segments: readonly Segment[], size: bigint) => {
  let at = 0n
  for (const { start, length } of segments) {
    expect(start).toBe(at)
    at += length
  }
  expect(at).toBe(size)
}

const range = (start: bigint, length: bigint, more: object = {}) => ({
  ...{ start, length, physical: 0n, contiguous: true, pageSize: 4096, writable: true, user: false },
  ...{ executable: false, global: false, pages: 1, accessed: 0, dirty: 0, looksLike: undefined },
  ...more,
})

test('segments cover the space: regions of a PC, and a 64-bit address space with its hole', () => {
  const { segments, size } = physicalSegments([
    { start: 0, end: 0xa0000, kind: 'ram', name: 'conventional memory' },
    { start: 0xfffe0000, end: 0x1_0000_0000, kind: 'rom', name: 'system ROM' },
    { start: 0xa0000, end: 0xc0000, kind: 'video', name: 'VGA' },
  ] as never)
  covers(segments, size)
  expect(size).toBe(1n << 32n)
  expect(segments.map(({ kind }) => kind)).toEqual(['ram', 'device', 'gap', 'rom'])
  const entries = [
    { base: 0, length: 0x9fc00, type: 1 },
    { base: 0x9fc00, length: 0x400, type: 2 },
  ]
  const low = { start: 0, end: 0xa0000, kind: 'ram', name: 'conventional memory' }
  const told = physicalSegments([low] as never, entries as never)
  covers(told.segments, told.size)
  expect(told.segments.map(({ length, note }) => [length, note])).toEqual([
    [0x9fc00n, 'E820 memory'],
    [0x400n, 'E820 reserved'],
    [(1n << 32n) - 0xa0000n, ''],
  ])

  const space = linearSegments({
    kind: '4-level',
    ranges: [
      range(0x400000n, 0x1000n, { user: true }),
      range(0xffff_8000_0000_0000n, 1n << 28n, { looksLike: 'direct map' }),
    ],
  })
  covers(space.segments, 1n << 64n)
  expect(space.segments.map(({ kind }) => kind)).toEqual(['gap', 'user', 'gap', 'hole', 'kernel', 'gap'])
  expect(space.segments[3]).toMatchObject({ start: 1n << 47n, length: (1n << 64n) - (1n << 48n) })
  // Nothing mapped at all, and no paging.
  covers(linearSegments({ kind: '5-level', ranges: [] }).segments, 1n << 64n)
  covers(linearSegments({ kind: 'none', ranges: [] }).segments, 1n << 32n)
})

test('bands fill the height in order, on both scales; every address has its place', () => {
  const piece = fc.tuple(
    fc.bigInt({ min: 1n, max: 1n << 40n }),
    fc.constantFrom('gap' as const, 'ram' as const),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 60 }),
      fc.constantFrom('linear' as const, 'log' as const),
      fc.integer({ min: 20, max: 900 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.integer({ min: 0, max: 70 }),
      (pieces, scale, height, share, steps) => {
        let size = 0n
        const segments = pieces.map(([length, kind]): Segment => {
          size += length
          return { start: size - length, length, kind, name: '', note: '' }
        })
        const around = (size * BigInt(Math.floor(share * 1000))) / 1000n
        const window = zoomedWindow({ from: 0n, length: size }, steps, around, size)
        expect(window.from <= around && around < window.from + window.length).toBe(true)
        const bands = bandsOf(segments, window, scale, height)
        let top = 0
        let at = window.from
        for (const band of bands) {
          expect(band.top).toBeCloseTo(top, 4)
          expect(band.from).toBe(at)
          top += band.height
          at += band.length
        }
        expect(top).toBeCloseTo(height, 4)
        expect(at).toBe(window.from + window.length)
        const y = placeOf(bands, around)!
        expect(y).toBeGreaterThanOrEqual(0)
        expect(y).toBeLessThanOrEqual(height)
        // And back, as exactly as a pixel and whole bytes can tell.
        const back = addressAt(bands, y)
        if (back === undefined) return
        const band = bands.find(({ from, length }) => back >= from && back < from + length)!
        const byte = band.height / Number(band.length)
        expect(Math.abs(placeOf(bands, back)! - y)).toBeLessThan(byte + 0.01)
      },
    ),
    { numRuns: 200 },
  )
})

test('zooming goes from the whole space to one byte and back', () => {
  const size = 1n << 64n
  const at = 0xffff_ffff_8010_2ba8n
  const closest = zoomedWindow({ from: 0n, length: size }, 64, at, size)
  expect(closest).toEqual({ from: at, length: 1n })
  expect(zoomedWindow(closest, -64, at, size)).toEqual({ from: 0n, length: size })
  expect(zoomedWindow(closest, 3, at, size)).toEqual(closest)
  expect(log2(1n << 60n)).toBe(60)
  expect(log2(1n)).toBe(0)
})
