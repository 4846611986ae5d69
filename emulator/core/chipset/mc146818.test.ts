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

/** Hours, minutes, seconds, with the divider held while they are set, as data sheet and firmware do it. */
const setTime = (mode: number, ...time: number[]) => {
  write(0x0b, mode)
  write(0x0a, 0x76)
  for (const [i, index] of [4, 2, 0].entries()) write(index, time[i]!)
  write(0x0a, 0x26)
}

test.each<[string, number, number[], number, number[]]>([
  ['BCD, 12 hours: 1 PM', 0, [0x81, 0x59, 0x00], 60, [0x82, 0x00, 0x00]],
  ['9 AM', 0, [0x09, 0x59, 0x59], 60, [0x10, 0x00, 0x59]],
  ['12 AM', 0, [0x12, 0x59, 0x59], 1, [0x01, 0x00, 0x00]],
  ['12 PM', 0, [0x92, 0x59, 0x59], 1, [0x81, 0x00, 0x00]],
  ['11 AM', 0, [0x11, 0x59, 0x59], 1, [0x92, 0x00, 0x00]],
  ['11 PM', 0, [0x91, 0x59, 0x59], 1, [0x12, 0x00, 0x00]],
  ['binary, 12 hours: 12 PM', 4, [0x8c, 59, 59], 1, [0x81, 0, 0]],
  ['12 AM', 4, [0x0c, 59, 59], 1, [0x01, 0, 0]],
  ['11 AM', 4, [0x0b, 59, 59], 1, [0x8c, 0, 0]],
  ['11 PM', 4, [0x8b, 59, 59], 1, [0x0c, 0, 0]],
  ['BCD, 24 hours', 2, [0x23, 0x59, 0x00], 60, [0, 0, 0]],
  ['binary, 24 hours', 6, [9, 59, 0], 60, [10, 0, 0]],
])('%s', (_name, mode, from, seconds, to) => {
  setTime(mode, ...from)
  core.advance(seconds * SECOND)
  expect([4, 2, 0].map(read)).toEqual(to)
})

test('the alarm tells AM from PM', () => {
  for (const [hour, alarm, matches] of [
    [0x81, 0x82, true],
    [0x81, 0x02, false],
  ] as const) {
    for (const cell of [1, 3]) write(cell, 0xc0)
    write(5, alarm)
    setTime(0, hour, 0x59, 0)
    read(0x0c)
    core.advance(60 * SECOND)
    expect(read(4)).toBe(0x82)
    expect((read(0x0c) & 0x20) !== 0).toBe(matches)
  }
})

test('an alarm that is moved while an update is near leaves UIP as it is: it ends with the update', () => {
  setTime(2, 0x02, 0x04, 0x58)
  core.advance(SECOND / 2)
  for (const cell of [1, 3]) write(cell, 0xc0)
  write(5, 0x02)
  core.advance(SECOND - 122_070)
  expect(read(0x0a) & 0x80).toBe(0x80)
  write(5, 0x03)
  core.advance(244_140)
  expect(read(0x0a) & 0x80).toBe(0)
})

test('rates that change between interrupts: the next one comes at the new rate, none is lost', () => {
  write(0x0b, 0x42)
  let interrupts = 0
  const began = core.time
  for (let i = 0; i < 50; i++) {
    for (const rate of [13, 15]) {
      write(0x0a, 0x20 | rate) // 8 Hz, 2 Hz
      while (!(read(0x0c) & 0x40)) core.skipToDeadline()
      interrupts++
    }
  }
  // On the grid of the divider: from an eighth of a second to the next half, and on by an eighth
  expect(interrupts).toBe(100)
  expect((core.time - began) / SECOND).toBe(25)
})

test('dates of 1980, 2011 and 2080 are kept as they are written', () => {
  for (const [century, year] of [
    [0x20, 0x11],
    [0x20, 0x80],
    [0x19, 0x80],
  ] as const) {
    write(0x0a, 0x76)
    write(0x32, century)
    write(9, year)
    write(8, 2)
    write(7, 2)
    write(0x0a, 0x26)
    core.advance(SECOND)
    expect([0x32, 9, 8, 7].map(read)).toEqual([century, year, 2, 2])
  }
})

test('noise in every register leaves a clock that can be set and goes', () => {
  let seed = 5
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  for (let i = 0; i < 20_000; i++) {
    write(random(16), random(256))
    read(random(128))
    if (random(16) === 0) core.advance(random(3 * SECOND))
  }
  setTime(2, 0x23, 0x59, 0x59)
  core.advance(SECOND)
  expect([4, 2, 0].map(read)).toEqual([0, 0, 0])
})

describe('CMOS: what another firmware looks for', () => {
  const drives = (attach: () => void) => {
    core.disks.clear()
    core.u8.fill(0, L.DRIVES, L.DRIVES + L.DRIVE_COUNT * L.DRIVE_SIZE)
    attach()
    core.reset()
  }
  const cells = (from: number, count: number) => Array.from({ length: count }, (_, i) => read(from + i))
  /** A disk of the machine's usual geometry. */
  const disk = (drive: number, sectors: number, heads = 16, perTrack = 63) => {
    core.attach(drive, new Uint8Array(0), heads, perTrack)
    const entry = L.DRIVES + drive * L.DRIVE_SIZE
    core.u64[(entry + L.DRIVE_SECTORS) / 8] = BigInt(sectors)
    core.u32[(entry + L.DRIVE_CYLINDERS) / 4] = Math.floor(sectors / (heads * perTrack))
  }

  test('no disks: all zero', () => {
    drives(() => {})
    expect([read(0x12), read(0x19), read(0x1a), read(0x39)]).toEqual([0, 0, 0, 0])
    expect(cells(0x1b, 18)).toEqual(Array(18).fill(0))
  })

  test('a small and a large disk, a CD drive: type 47, geometry, translation by LBA where cylinders are too many', () => {
    drives(() => {
      disk(L.DRIVE_ATA0, 61440)
      disk(L.DRIVE_ATA0 + 1, 8388608)
      core.attachCd(L.DRIVE_ATA0 + 2)
    })
    expect([read(0x12), read(0x19), read(0x1a)]).toEqual([0xff, 47, 47])
    expect(cells(0x1b, 9)).toEqual([60, 0, 16, 0xff, 0xff, 0xc8, 60, 0, 63])
    expect(cells(0x24, 9)).toEqual([8322 & 0xff, 8322 >> 8, 16, 0xff, 0xff, 0xc8, 8322 & 0xff, 8322 >> 8, 63])
    expect(read(0x39)).toBe(0x04)
  })

  test('few heads; a geometry that ATA cannot express is a translated one', () => {
    drives(() => {
      disk(L.DRIVE_ATA0, 61440, 4, 32)
      disk(L.DRIVE_ATA0 + 3, 61440, 255, 63)
    })
    expect(cells(0x1b, 9)).toEqual([480 & 0xff, 480 >> 8, 4, 0xff, 0xff, 0xc0, 480 & 0xff, 480 >> 8, 32])
    expect(read(0x39)).toBe(0x40)
  })

  test('a CD drive in the place of the first disk is none', () => {
    drives(() => {
      core.attachCd(L.DRIVE_ATA0)
      disk(L.DRIVE_ATA0 + 1, 61440)
    })
    expect([read(0x12), read(0x19), read(0x1a)]).toEqual([0x0f, 0, 47])
    expect(cells(0x1b, 9)).toEqual(Array(9).fill(0))
  })

  test.each([
    [[], 0x21, 0x30], // floppy, disk, CD
    [[L.BOOT_DISK], 0x02, 0],
    [[L.BOOT_CDROM], 0x03, 0],
    [[L.BOOT_CDROM, L.BOOT_DISK, L.BOOT_FLOPPY], 0x23, 0x10],
  ])('boot order %j', (order, first, third) => {
    core.header32(
      L.HDR_BOOT_ORDER,
      order.reduce((sum, device, i) => sum | (device << (8 * i)), 0),
    )
    core.reset()
    expect([read(0x3d), read(0x38)]).toEqual([first, third])
    core.header32(L.HDR_BOOT_ORDER, 0)
  })
})

test('a year nobody looked at', () => {
  epoch(951_782_390)
  core.advance(366 * 86_400 * SECOND)
  expect(now()).toBe(isoAt(951_782_390 + 366 * 86_400))
})
