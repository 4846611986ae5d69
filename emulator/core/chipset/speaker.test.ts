// The speaker through its ports: what a listener is told, held to the output that port 61h bit 5 shows.
import { beforeEach, expect, test } from 'vitest'
import { SpeakerLog, toneOf } from '../../machine/speaker'
import { MachineMemory } from '../../machine/memory'
import { TestCore } from '../testing/core'

const core = new TestCore()
let log: SpeakerLog
beforeEach(() => {
  core.reset()
  log = new SpeakerLog(new MachineMemory(core.memory))
})

function tone(count: number, mode = 3) {
  core.out8(0x43, 0x80 | 0x30 | (mode << 1))
  core.out8(0x42, count & 0xff)
  core.out8(0x42, count >> 8)
}

test('a tone is one record: its halves, where it is, and its frequency', () => {
  core.out8(0x61, 0x03)
  tone(1193)
  const last = log.take().at(-1)!
  expect([last.high, last.low, last.level]).toEqual([597, 596, 1])
  expect(toneOf(last)).toBeCloseTo(1000.15, 1)
  core.out8(0x61, 0)
  expect(log.take().map(({ high, level }) => [high, level])).toEqual([[0, 0]])
})

test('nothing is told while port 61h keeps the speaker still', () => {
  tone(1000)
  core.out8(0x61, 0x01)
  tone(2000)
  core.out8(0x61, 0)
  expect(log.take()).toEqual([])
})

test('samples by bit 1 alone, the timer standing still', () => {
  for (const value of [2, 0, 2, 2, 0]) core.out8(0x61, value)
  expect(log.take().map(({ level, high, left }) => [level, high, left])).toEqual([
    [1, 0, 0],
    [0, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [0, 0, 0],
  ])
})

test.each([
  [3, 1193],
  [3, 1194],
  [2, 50],
  [0, 75],
])('mode %i, count %i: what is told is what OUT does', (mode, count) => {
  core.out8(0x61, 0x03)
  tone(count, mode)
  // A moment later, when the count has been loaded: told anew by a write that changes nothing.
  core.advance(10_000)
  core.out8(0x61, 0x03)
  const { time, high, low, left, level } = log.take().at(-1)!
  const told = (at: bigint) => {
    let pulses = Number(((at - time) * 1_193_182n) / 1_000_000_000n)
    if (left === 0 || pulses < left) return level
    if (high + low === 0) return 1 - level
    pulses = (pulses - left) % (high + low)
    return level === 1 ? (pulses < low ? 0 : 1) : pulses < high ? 1 : 0
  }
  let wrong = 0
  for (let i = 0; i < 2000; i++) {
    core.advance(1709)
    if (((core.in8(0x61) >> 5) & 1) !== told(BigInt(core.time))) wrong++
  }
  // The pulses' grid is not that of `time`: a look within a pulse of a change may see either.
  expect(wrong).toBeLessThan(mode === 2 ? 100 : 10)
})
