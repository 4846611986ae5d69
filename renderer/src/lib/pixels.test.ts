import { expect, test } from 'vitest'
import { PixelPainter } from './pixels'

const bytes = (painter: PixelPainter, at: number) =>
  Array.from(new Uint8Array(painter.pixels.buffer, at * 4, 4))

test('a picture in RGB, and tiles at its edges laid over it', () => {
  const painter = new PixelPainter()
  // One pixel, and the 1999 behind it like it.
  const runs = Uint32Array.of(0x123456, ...Array(7).fill(0xff00_0000), 0xce00_0000)
  painter.begin({ kind: 'rgb', width: 100, height: 20, aspect: 5, depth: 32, runs })
  expect(bytes(painter, 0)).toEqual([0x12, 0x34, 0x56, 0xff])
  expect(painter.takeDirty()).toEqual({ top: 0, bottom: 20 })
  expect(painter.takeDirty()).toBeUndefined()
  // The tile at the right lower corner is 36 by 4.
  painter.lay({ kind: 'tiles', tiles: Uint16Array.of(3), runs: Uint32Array.of(0x0000ff, 0x8e00_0000) })
  expect(bytes(painter, 16 * 100 + 64)).toEqual([0, 0, 255, 255])
  expect(bytes(painter, 19 * 100 + 99)).toEqual([0, 0, 255, 255])
  expect(bytes(painter, 16 * 100 + 63)).toEqual([0x12, 0x34, 0x56, 0xff])
  expect(bytes(painter, 15 * 100 + 99)).toEqual([0x12, 0x34, 0x56, 0xff])
  expect(painter.takeDirty()).toEqual({ top: 16, bottom: 20 })
})

test('a picture with a palette, tiles and new colours', () => {
  const painter = new PixelPainter()
  const palette = new Uint8Array(768)
  palette.set([1, 2, 3], 3)
  palette.set([4, 5, 6], 6)
  const pixels = new Uint8Array(64 * 32).fill(1)
  painter.begin({ kind: 'indexed', width: 64, height: 32, aspect: 4 / 3, depth: 8, pixels, palette })
  painter.lay({ kind: 'tiles', tiles: Uint16Array.of(1), pixels: new Uint8Array(64 * 16).fill(2) })
  expect(bytes(painter, 0)).toEqual([1, 2, 3, 255])
  expect(bytes(painter, 64 * 16)).toEqual([4, 5, 6, 255])
  const other = palette.map((value) => value * 2)
  painter.lay({ kind: 'tiles', tiles: new Uint16Array(), pixels: new Uint8Array(), palette: other })
  expect(bytes(painter, 0)).toEqual([2, 4, 6, 255])
  expect(bytes(painter, 64 * 16)).toEqual([8, 10, 12, 255])
})
