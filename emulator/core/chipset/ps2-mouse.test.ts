import { beforeEach, describe, expect, test } from 'vitest'
import { INPUT_KIND_MOUSE } from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const OBF = 0x01
const AUX = 0x20

/** What the mouse sends until it has nothing to say. */
function answers(): number[] {
  const bytes = []
  for (let i = 0; i < 100; i++) {
    core.advance(30_000)
    const status = core.in8(0x64)
    if (!(status & OBF)) break
    expect(status & AUX).toBe(AUX)
    bytes.push(core.in8(0x60))
  }
  return bytes
}
const say = (...bytes: number[]) =>
  bytes.flatMap((byte) => {
    core.out8(0x64, 0xd4)
    core.out8(0x60, byte)
    return answers()
  })
/** Counts to the right, down, wheel; buttons left 1, right 2, middle 4, fourth 8, fifth 16. */
const move = (dx: number, dy: number, buttons = 0, wheel = 0) =>
  core.deliver(INPUT_KIND_MOUSE, (dx & 0x3ff) | ((dy & 0x3ff) << 10) | ((wheel & 15) << 20) | (buttons << 24))
/** The sample rate's period is over. */
const wait = () => core.advance(10_000_000)

beforeEach(() => {
  core.reset()
  core.out8(0x64, 0x60)
  core.out8(0x60, 0x47) // IRQ 1 and 12, translation
})

test('reset answers its self test and identity, then the defaults hold', () => {
  expect(say(0xff)).toEqual([0xfa, 0xaa, 0x00])
  expect(say(0xe9)).toEqual([0xfa, 0x00, 0x02, 100])
  expect(say(0xf2)).toEqual([0xfa, 0x00])
})

test('nothing is reported before it is enabled; then packets come, up is positive', () => {
  move(5, 5)
  expect(answers()).toEqual([])
  expect(say(0xf4)).toEqual([0xfa])
  move(10, -3, 1)
  expect(answers()).toEqual([0x09, 10, 3])
  wait()
  move(-1, 4)
  expect(answers()).toEqual([0x08 | 0x30, 0xff, 0xfc])
  expect(say(0xf5)).toEqual([0xfa])
  move(1, 1)
  wait()
  expect(answers()).toEqual([])
})

test('movement is sampled at the rate that was set, and adds up in between', () => {
  say(0xf4)
  move(1, 0)
  expect(answers()).toEqual([0x08, 1, 0])
  for (let i = 0; i < 5; i++) move(2, 0)
  expect(answers()).toEqual([])
  wait()
  expect(answers()).toEqual([0x08, 10, 0])
  wait()
  // More than a packet holds goes with the next one.
  move(400, 0)
  expect(answers()).toEqual([0x08, 255, 0])
  wait()
  expect(answers()).toEqual([0x08, 145, 0])
})

test('a click between two samples is not lost', () => {
  say(0xf4)
  move(1, 0)
  answers()
  move(0, 0, 1)
  move(0, 0, 0)
  expect(answers()).toEqual([0x09, 0, 0])
  wait()
  expect(answers()).toEqual([0x08, 0, 0])
})

test('IRQ 12 comes for the mouse when the command byte lets it', () => {
  core.initialisePic()
  core.out8(0x64, 0xd4)
  core.out8(0x60, 0xf4)
  core.advance(30_000)
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x2c)
  expect(core.in8(0x60)).toBe(0xfa)
})

test('the interface off holds its bytes back', () => {
  say(0xf4)
  core.out8(0x64, 0xa7)
  move(3, 0)
  expect(answers()).toEqual([])
  core.out8(0x64, 0xa8)
  expect(answers()).toEqual([0x08, 3, 0])
})

describe('commands', () => {
  test('the wheel answers a knock of sample rates 200, 100, 80', () => {
    say(0xf3, 200, 0xf3, 100, 0xf3, 80)
    expect(say(0xf2)).toEqual([0xfa, 3])
    say(0xf4)
    move(0, 0, 4, -1)
    expect(answers()).toEqual([0x0c, 0, 0, 0xff])
    expect(say(0xff, 0xf2)).toEqual([0xfa, 0xaa, 0, 0xfa, 0])
  })

  test('five buttons answer 200, 200, 80', () => {
    say(0xf3, 200, 0xf3, 200, 0xf3, 80)
    expect(say(0xf2)).toEqual([0xfa, 4])
    say(0xf4)
    move(0, 0, 0x1b, 1)
    expect(answers()).toEqual([0x0b, 0, 0, 0x31])
  })

  test('remote mode answers when asked', () => {
    expect(say(0xf0)).toEqual([0xfa])
    move(7, 0, 2)
    expect(answers()).toEqual([])
    expect(say(0xeb)).toEqual([0xfa, 0x0a, 7, 0])
    expect(say(0xeb)).toEqual([0xfa, 0x0a, 0, 0])
    expect(say(0xe9)).toEqual([0xfa, 0x41, 2, 100])
    expect(say(0xea, 0xf4)).toEqual([0xfa, 0xfa])
  })

  test('wrap mode says what it hears, until EC', () => {
    expect(say(0xee, 0x12, 0xf4, 0xec)).toEqual([0xfa, 0x12, 0xf4, 0xfa])
    expect(say(0xf4)).toEqual([0xfa])
  })

  test('scaling 2:1 in stream mode', () => {
    say(0xe7, 0xf4)
    const seen = []
    for (const counts of [0, 1, 2, 3, 4, 5, 6, 20]) {
      wait()
      move(counts, 1)
      seen.push(answers()[1])
    }
    expect(seen).toEqual([0, 1, 1, 3, 6, 9, 12, 40])
  })

  test('resolution, nonsense and its parameters, resend', () => {
    expect(say(0xe8, 3)).toEqual([0xfa, 0xfa])
    expect(say(0xe9)).toEqual([0xfa, 0, 3, 100])
    expect(say(0x33)).toEqual([0xfe])
    // No parameter, but the next command
    expect(say(0xf3, 0xf2)).toEqual([0xfa, 0xfa, 0])
    expect(say(0xf6)).toEqual([0xfa])
    say(0xf4)
    move(9, 9)
    const packet = answers()
    expect(say(0xfe)).toEqual(packet)
  })
})
