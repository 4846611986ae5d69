import { expect, test } from 'vitest'
import { SpeakerWave } from './speaker-wave'

const RATE = 48_000
const MS = 1e6
/** Upward crossings of the middle, a second. */
function pitch(samples: Float32Array): number {
  let crossings = 0
  for (let i = 1; i < samples.length; i++) if (samples[i - 1]! < 0 && samples[i]! >= 0) crossings++
  return (crossings * RATE) / samples.length
}
const tone = (time: number, count: number) => [
  time,
  Math.ceil(count / 2),
  count >> 1,
  Math.ceil(count / 2),
  1,
]
const quiet = (time: number) => [time, 0, 0, 0, 0]

test('a tone has its pitch, in one go and in many', () => {
  const whole = new SpeakerWave(RATE).render(RATE, 0, 1000 * MS, Float64Array.from(tone(0, 2712)))
  expect(Math.abs(pitch(whole) - 440)).toBeLessThan(1.5)
  const parts = new SpeakerWave(RATE)
  const pieces = Array.from({ length: 60 }, (_, i) =>
    parts.render(
      800,
      (i * 1000 * MS) / 60,
      ((i + 1) * 1000 * MS) / 60,
      Float64Array.from(i === 0 ? tone(0, 2712) : []),
    ),
  )
  const joined = pieces.flatMap((piece) => [...piece])
  expect(Math.max(...joined.map((sample, i) => Math.abs(sample - whole[i]!)))).toBeLessThan(1e-3)
})

test('a slow guest keeps the pitch; what it told lies further apart', () => {
  const told = Float64Array.from([...tone(0, 1193), ...quiet(50 * MS)])
  const samples = new SpeakerWave(RATE).render(RATE / 5, 0, 100 * MS, told)
  expect(Math.abs(pitch(samples.subarray(0, RATE / 10)) - 1000)).toBeLessThan(15)
  expect(Math.max(...samples.subarray(RATE / 10 + 2000).map(Math.abs))).toBeLessThan(1e-3)
})

test('the same tone told again does not click', () => {
  const once = new SpeakerWave(RATE).render(4800, 0, 100 * MS, Float64Array.from(tone(0, 1193)))
  const again = new SpeakerWave(RATE).render(
    4800,
    0,
    100 * MS,
    Float64Array.from([...tone(0, 1193), ...tone(33.3 * MS, 1193), ...tone(71 * MS, 1193)]),
  )
  expect([...again]).toEqual([...once])
})

test('samples played bit by bit, and by the width of pulses', () => {
  const bits = Array.from({ length: 200 }, (_, i) => [i * 0.5 * MS, 0, 0, 0, i & 1]).flat()
  expect(
    Math.abs(pitch(new SpeakerWave(RATE).render(4800, 0, 100 * MS, Float64Array.from(bits))) - 1000),
  ).toBeLessThan(15)
  // Periods of 40 pulses, whose width follows a tone of 500 Hz
  const widths = Array.from({ length: 1600 }, (_, i) => {
    const high = 20 + Math.round(15 * Math.sin((2 * Math.PI * 500 * i) / 16_000))
    return [(i * MS) / 16, high, 40 - high, high, 1]
  }).flat()
  const heard = new SpeakerWave(RATE).render(4800, 0, 100 * MS, Float64Array.from(widths))
  expect(Math.abs(pitch(heard) - 500)).toBeLessThan(15)
})

test('one movement, then rest: it dies away', () => {
  const samples = new SpeakerWave(RATE).render(4800, 0, 100 * MS, Float64Array.of(0, 0, 0, 11932, 0))
  expect(Math.max(...samples.subarray(0, 470).map(Math.abs))).toBe(0)
  expect(Math.max(...samples.subarray(470, 500))).toBeGreaterThan(0.5)
  expect(Math.abs(samples.at(-1)!)).toBeLessThan(1e-3)
})
