import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RunEncoder } from './pixel-runs'

/** What the words say, straight from their description. */
function decode(words: Uint32Array): number[] {
  const pixels: number[] = []
  let last = 0
  for (const word of words) {
    for (let n = word >>> 24; n >= 0; n--) {
      last = (last + (word & 0xff_ffff)) % 0x100_0000
      pixels.push(last)
    }
  }
  return pixels
}

function encode(encoder: RunEncoder, ...parts: number[][]): Uint32Array {
  encoder.begin(parts.flat().length)
  for (const part of parts) encoder.add(Int32Array.from(part), 0, part.length)
  return encoder.finish()
}

test('words as they are described', () => {
  const encoder = new RunEncoder()
  expect([...encode(encoder, [0x123456, 0x123456, 0x123456])]).toEqual([0x123456, 0x0100_0000])
  expect([...encode(encoder, [0, 0, 0])]).toEqual([0x0200_0000])
  expect([...encode(encoder, [3, 6], [9], [8])]).toEqual([0x0200_0003, 0x00ff_ffff])
  expect([...encode(encoder, Array(600).fill(0))]).toEqual([0xff00_0000, 0xff00_0000, 0x5700_0000])
  expect(encode(encoder)).toHaveLength(0)
})

const pixel = fc.integer({ min: 0, max: 0xffff_ffff })
const line = fc.oneof(
  fc.array(pixel, { maxLength: 40 }),
  fc.tuple(pixel, fc.integer({ min: 0, max: 700 })).map(([value, count]) => Array<number>(count).fill(value)),
  fc
    .tuple(pixel, pixel, fc.integer({ min: 0, max: 700 }))
    .map(([first, step, count]) => Array.from({ length: count }, (_, n) => (first + n * step) | 0)),
)

test('what comes out is what went in, and never longer', () => {
  const encoder = new RunEncoder()
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const words = encode(encoder, ...lines)
      const pixels = lines.flat().map((value) => (value & 0xff_ffff) >>> 0)
      expect(decode(words)).toEqual(pixels)
      expect(words.length).toBeLessThanOrEqual(pixels.length)
      expect(words.byteLength).toBe(words.buffer.byteLength)
    }),
  )
})
