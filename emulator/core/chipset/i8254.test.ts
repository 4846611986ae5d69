import { beforeEach, describe, expect, test } from 'vitest'
import { TestCore } from '../testing/core'

const FREQUENCY = 1_193_182
const core = new TestCore()
beforeEach(() => core.reset())

/** First ns at which clock pulse `tick` is complete. */
const pulse = (tick: number) =>
  Number((BigInt(tick) * 1_000_000_000n + BigInt(FREQUENCY) - 1n) / BigInt(FREQUENCY))
const toPulse = (tick: number) => core.advance(pulse(tick) - core.time)

const control = (channel: number, mode: number, access = 3, bcd = 0) =>
  core.out8(0x43, (channel << 6) | (access << 4) | (mode << 1) | bcd)
const write = (channel: number, count: number) => {
  core.out8(0x40 + channel, count & 0xff)
  core.out8(0x40 + channel, count >> 8)
}
const read = (channel: number) => {
  core.out8(0x43, channel << 6)
  return core.in8(0x40 + channel) | (core.in8(0x40 + channel) << 8)
}
const status = (channel: number) => {
  core.out8(0x43, 0xe0 | (2 << channel))
  return core.in8(0x40 + channel)
}
const out = (channel: number) => status(channel) >> 7
const gate = (high: boolean) => core.out8(0x61, high ? 1 : 0)

/** OUT after each of `pulses` clock pulses from now on. */
const trace = (channel: number, from: number, pulses: number) =>
  Array.from({ length: pulses }, (_, i) => {
    toPulse(from + i + 1)
    return out(channel)
  }).join('')

// The pictures are those of the data sheet's timing diagrams (82C54, figures 15-20): OUT pulse by pulse.
describe('modes', () => {
  test('0: OUT is low for the count and one pulse', () => {
    control(0, 0)
    expect(out(0)).toBe(0)
    write(0, 4)
    expect(trace(0, 0, 8)).toBe('00001111')
  })

  test('0: writing the first byte stops counting, a new count starts over', () => {
    control(0, 0)
    write(0, 4)
    toPulse(3)
    core.out8(0x40, 3)
    toPulse(50)
    expect(out(0)).toBe(0)
    core.out8(0x40, 0)
    expect(trace(0, 50, 5)).toBe('00011')
  })

  test('0: GATE low holds the count', () => {
    gate(true)
    control(2, 0)
    write(2, 4)
    toPulse(3)
    gate(false)
    toPulse(100)
    expect(read(2)).toBe(2)
    gate(true)
    expect(trace(2, 100, 3)).toBe('011')
  })

  test('0: after terminal count it goes on from FFFFh', () => {
    control(0, 0)
    write(0, 2)
    toPulse(5)
    expect(read(0)).toBe(0xfffe)
    expect(out(0)).toBe(1)
  })

  test('1: a trigger starts a one-shot of the count, and can restart it', () => {
    control(2, 1)
    write(2, 3)
    expect(trace(2, 0, 2)).toBe('11')
    gate(true)
    expect(trace(2, 2, 5)).toBe('00011')
    gate(false)
    gate(true)
    toPulse(9)
    gate(false)
    gate(true)
    expect(trace(2, 9, 5)).toBe('00011')
  })

  test('2: one pulse low per period', () => {
    gate(true)
    control(2, 2)
    write(2, 3)
    expect(trace(2, 0, 9)).toBe('110110110')
  })

  test('2: a new count waits for the end of the period, GATE starts a new one', () => {
    gate(true)
    control(2, 2)
    write(2, 4)
    toPulse(2)
    write(2, 5)
    expect(status(2) & 0x40).toBe(0x40) // null count
    expect(trace(2, 2, 8)).toBe('10111101')
    expect(status(2) & 0x40).toBe(0)
    gate(false)
    toPulse(40)
    gate(true)
    expect(trace(2, 40, 6)).toBe('111101')
  })

  test('3: even and odd counts', () => {
    gate(true)
    control(2, 3)
    write(2, 4)
    expect(trace(2, 0, 8)).toBe('11001100')
    control(2, 3)
    write(2, 5)
    expect(trace(2, 8, 10)).toBe('1110011100')
  })

  test('3: the element counts by twos', () => {
    gate(true)
    control(2, 3)
    write(2, 6)
    const seen = Array.from({ length: 7 }, (_, i) => {
      toPulse(i + 1)
      return read(2)
    })
    expect(seen).toEqual([6, 4, 2, 6, 4, 2, 6])
    control(2, 3)
    write(2, 5)
    const odd = Array.from({ length: 6 }, (_, i) => {
      toPulse(8 + i)
      return read(2)
    })
    expect(odd).toEqual([4, 2, 0, 4, 2, 4])
  })

  test('4: a strobe of one pulse after the count', () => {
    gate(true)
    control(2, 4)
    write(2, 3)
    expect(trace(2, 0, 7)).toBe('1110111')
  })

  test('5: the same, started by a trigger', () => {
    control(2, 5)
    write(2, 3)
    toPulse(10)
    expect(out(2)).toBe(1)
    gate(true)
    expect(trace(2, 10, 7)).toBe('1110111')
  })
})

describe('reading', () => {
  test('a latched count stays until it is read', () => {
    control(0, 2)
    write(0, 1000)
    toPulse(101)
    core.out8(0x43, 0x00)
    toPulse(500)
    core.out8(0x43, 0x00) // ignored while one is latched
    expect(core.in8(0x40) | (core.in8(0x40) << 8)).toBe(900)
    expect(read(0)).toBe(501)
  })

  test('read-back: status first, then the count', () => {
    control(0, 2)
    write(0, 1000)
    toPulse(101)
    core.out8(0x43, 0xc2)
    expect(core.in8(0x40)).toBe(0x80 | 0x34)
    expect(core.in8(0x40) | (core.in8(0x40) << 8)).toBe(900)
  })

  test('one-byte accesses', () => {
    control(0, 2, 1)
    core.out8(0x40, 0x50)
    toPulse(17)
    expect(core.in8(0x40)).toBe(0x40)
    control(0, 2, 2)
    core.out8(0x40, 0x50)
    toPulse(17 + 257)
    expect(core.in8(0x40)).toBe(0x4f)
  })

  test('BCD counts in decimal; 0 is 10000', () => {
    control(0, 2, 3, 1)
    write(0, 0x1234)
    toPulse(1 + 35)
    expect(read(0)).toBe(0x1199)
    control(0, 2, 3, 1)
    write(0, 0)
    toPulse(36 + 1 + 1)
    expect(read(0)).toBe(0x9999)
  })

  test('0 counts 65536', () => {
    control(0, 2)
    write(0, 0)
    toPulse(2)
    expect(read(0)).toBe(0xffff)
    toPulse(1 + 65535)
    expect(out(0)).toBe(0)
    toPulse(1 + 65536)
    expect(out(0)).toBe(1)
  })
})

test('IRQ 0 comes at exactly 1193182 / n Hz, without drift over hours', () => {
  core.initialisePic()
  control(0, 2)
  write(0, 0)
  const start = 3600 * 5
  core.time = start * 1_000_000_000 // far away in one step
  core.exports.chipsetRun(BigInt(core.time))
  const edges: number[] = []
  while (edges.length < 40) {
    core.skipToDeadline()
    if (!core.intr) continue
    expect(core.acknowledge()).toBe(0x20)
    core.out8(0x20, 0x20)
    edges.push(core.time)
  }
  const first = Math.ceil((start * FREQUENCY - 1) / 65536)
  for (const [i, edge] of edges.entries()) expect(edge).toBe(pulse(1 + (first + i) * 65536))
})

test('the rate is right for any count', () => {
  for (const count of [2, 3, 17, 1193, 11932, 65535]) {
    for (const mode of [2, 3]) {
      core.reset()
      core.initialisePic()
      control(0, mode)
      write(0, count)
      let edges = 0
      const end = core.time + Math.ceil((count * 100.5 * 1e9) / FREQUENCY)
      while (core.time + (core.untilDeadline ?? 0) <= end) {
        core.skipToDeadline()
        if (!core.intr) continue
        core.acknowledge()
        core.out8(0x20, 0x20)
        edges++
      }
      expect([count, mode, edges]).toEqual([count, mode, 100])
    }
  }
})

test('port 61h: gate and output of channel 2, refresh toggle every 15 us', () => {
  control(2, 0)
  write(2, 10)
  expect(core.in8(0x61) & 0x21).toBe(0)
  gate(true)
  toPulse(20)
  expect(core.in8(0x61) & 0x21).toBe(0x21)
  let toggles = 0
  for (let i = 0, last = core.in8(0x61) & 0x10; i < 1000; i++) {
    core.advance(1000)
    const now = core.in8(0x61) & 0x10
    if (now !== last) toggles++
    last = now
  }
  expect(toggles).toBeGreaterThanOrEqual(65) // 1 ms / 15.085 us
  expect(toggles).toBeLessThanOrEqual(67)
})
