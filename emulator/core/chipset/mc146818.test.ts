import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const SECOND = 1_000_000_000
const read = (index: number) => {
  core.out8(0x70, index)
  return core.in8(0x71)
}
const write = (index: number, value: number) => {
  core.out8(0x70, index)
  core.out8(0x71, value)
}
const epoch = (seconds: number) => {
  core.u64[(L.HEADER + L.HDR_RTC_EPOCH) / 8] = BigInt(seconds)
  core.reset()
  core.initialisePic()
}
const hex = (value: number) => value.toString(16).padStart(2, '0')
/** Date and time as the guest reads them, BCD. */
const now = () =>
  `${hex(read(0x32))}${hex(read(9))}-${hex(read(8))}-${hex(read(7))} ${hex(read(4))}:${hex(read(2))}:${hex(read(0))}`
const isoAt = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

beforeEach(() => epoch(1_000_000_000))

test.each([0, 951_782_399, 951_782_400, 1_000_000_000, 1_709_164_799, 1_735_689_599, 4_102_444_799])(
  'shows the epoch %i as JavaScript does',
  (seconds) => {
    epoch(seconds)
    expect(now()).toBe(isoAt(seconds))
    expect(read(6)).toBe(new Date(seconds * 1000).getUTCDay() + 1)
  },
)

test('goes on by itself, over every boundary, also in big steps', () => {
  for (const start of [951_782_390, 946_684_790, 1_078_012_790, 1_000_000_000]) {
    epoch(start)
    let elapsed = 0
    for (const step of [1, 9, 50, 3600, 86_400, 31 * 86_400]) {
      elapsed += step
      core.advance(step * SECOND)
      expect(now()).toBe(isoAt(start + elapsed))
    }
  }
})

test('binary and 12-hour modes', () => {
  write(0x0b, 0x04) // binary, 12 hours
  for (const [index, value] of [
    [4, 11],
    [2, 59],
    [0, 59],
  ] as const)
    write(index, value)
  core.advance(SECOND)
  expect([read(4), read(2), read(0)]).toEqual([0x80 | 12, 0, 0])
  core.advance(3600 * SECOND)
  expect(read(4)).toBe(0x81)
  core.advance(11 * 3600 * SECOND)
  expect(read(4)).toBe(12)
})

test('UIP is up for 2228 us before the second ends', () => {
  expect(read(0x0a)).toBe(0x26)
  core.advance(SECOND - 2_228_001)
  expect(read(0x0a) & 0x80).toBe(0)
  core.advance(1)
  expect(read(0x0a) & 0x80).toBe(0x80)
  core.advance(2_227_999)
  expect(read(0x0a) & 0x80).toBe(0x80)
  core.advance(1)
  expect(read(0x0a) & 0x80).toBe(0)
})

test('SET holds the clock, the divider reset puts the next second 500 ms later', () => {
  const before = now()
  write(0x0b, 0x82)
  core.advance(5 * SECOND)
  expect(now()).toBe(before)
  write(0x0a, 0x70)
  write(0x0b, 0x02)
  core.advance(3 * SECOND + 123_456_789)
  write(0x0a, 0x26)
  core.advance(SECOND / 2 - 1)
  expect(now()).toBe(before)
  core.advance(1)
  expect(now()).not.toBe(before)
})

describe('interrupts', () => {
  test('periodic: exactly 1024 a second at the usual rate', () => {
    write(0x0b, 0x42)
    let count = 0
    while (core.time < SECOND) {
      core.skipToDeadline()
      if (!core.intr) continue
      expect(core.acknowledge()).toBe(0x28)
      expect(read(0x0c)).toBe(core.time === SECOND ? 0xd0 : 0xc0)
      core.out8(0xa0, 0x20)
      core.out8(0x20, 0x20)
      count++
    }
    expect([count, core.time]).toEqual([1024, SECOND])
  })

  test.each([
    [1, 256],
    [2, 128],
    [3, 8192],
    [6, 1024],
    [15, 2],
  ])('rate %i is %i Hz', (rate, hertz) => {
    write(0x0a, 0x20 | rate)
    write(0x0b, 0x42)
    let count = 0
    while (core.time + (core.untilDeadline ?? 0) <= SECOND) {
      core.skipToDeadline()
      count++
      read(0x0c)
    }
    expect(count).toBe(hertz)
  })

  test('a rate written without the time base counts as well, only the reset of the divider stops it', () => {
    write(0x0b, 0x42)
    for (const [divider, count] of [
      [0x00, 8],
      [0x10, 8],
      [0x30, 0],
      [0x60, 0],
      [0x70, 0],
      [0x20, 8],
    ] as const) {
      read(0x0c)
      write(0x0a, divider | 13)
      const until = core.time + SECOND
      let seen = 0
      while (core.time + (core.untilDeadline ?? SECOND + 1) <= until) {
        core.skipToDeadline()
        if (read(0x0c) & 0x40) seen++
      }
      core.advance(until - core.time)
      expect([divider, seen]).toEqual([divider, count])
    }
  })

  test('flags are set without the interrupt being enabled, and no timer runs for them', () => {
    expect(core.untilDeadline).toBeUndefined()
    core.advance(3 * SECOND)
    expect(read(0x0c)).toBe(0x50)
    expect(read(0x0c)).toBe(0)
    expect(core.intr).toBe(false)
  })

  test('the line stays up until register C is read', () => {
    write(0x0b, 0x12)
    core.advance(SECOND)
    expect(core.acknowledge()).toBe(0x28)
    core.out8(0xa0, 0x20)
    core.out8(0x20, 0x20)
    core.advance(SECOND)
    expect(core.intr).toBe(false) // no edge
    expect(read(0x0c) & 0x90).toBe(0x90)
    core.advance(SECOND)
    expect(core.intr).toBe(true)
  })

  test('alarm: at the time given, with wildcards every minute', () => {
    write(0x01, 0x05)
    write(0x03, 0xff)
    write(0x05, 0xc0)
    write(0x0b, 0x22)
    const times: number[] = []
    while (times.length < 3) {
      core.skipToDeadline()
      if (!core.intr) continue
      core.acknowledge()
      core.out8(0xa0, 0x20)
      core.out8(0x20, 0x20)
      expect(read(0x0c) & 0xa0).toBe(0xa0)
      expect(read(0)).toBe(0x05)
      times.push(core.time / SECOND)
    }
    expect(times).toEqual([25, 85, 145]) // the epoch is at 01:46:40
  })
})

test('the battery keeps clock and cells over a reset, interrupts are off after it', () => {
  write(0x0f, 0x0a)
  write(0x0b, 0x72)
  core.advance(10 * SECOND)
  core.exports.chipsetReset()
  expect(read(0x0f)).toBe(0x0a)
  expect(read(0x0b)).toBe(0x02)
  expect(now()).toBe(isoAt(1_000_000_010))
})

test('CMOS: memory sizes, drives, checksum', () => {
  core.attach(L.DRIVE_FLOPPY_A, new Uint8Array(1440 * 1024), 2, 18)
  core.attach(L.DRIVE_ATA0, new Uint8Array(1 << 20))
  core.header32(L.HDR_RAM_SIZE, 64 << 20)
  core.reset()
  expect(read(0x10)).toBe(0x40)
  expect(read(0x12)).toBe(0xf0)
  expect(read(0x14) & 0xc1).toBe(0x01)
  expect(read(0x15) | (read(0x16) << 8)).toBe(640)
  expect(read(0x17) | (read(0x18) << 8)).toBe(63 * 1024)
  expect(read(0x34) | (read(0x35) << 8)).toBe((48 << 20) / 65536)
  let sum = 0
  for (let index = 0x10; index < 0x2e; index++) sum += read(index)
  expect((read(0x2e) << 8) | read(0x2f)).toBe(sum)
  expect(read(0x0d)).toBe(0x80)
})

test('a year nobody looked at', () => {
  epoch(951_782_390)
  core.advance(366 * 86_400 * SECOND)
  expect(now()).toBe(isoAt(951_782_390 + 366 * 86_400))
})
