import { beforeEach, describe, expect, test } from 'vitest'
import { VRAM } from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const sequencer = (index: number, value: number) => core.out16(0x3c4, index | (value << 8))
const graphics = (index: number, value: number) => core.out16(0x3ce, index | (value << 8))
const plane = (number: number, address: number) => core.u8[VRAM + address * 4 + number]!
const planes = (address: number) => [0, 1, 2, 3].map((number) => plane(number, address))

beforeEach(() => {
  core.reset()
  core.out8(0x3c2, 0x67) // colour, RAM enabled, 28 MHz
})

/** A0000h, 64 KiB, all planes, no odd/even: mode 12h. */
const planar = () => {
  sequencer(2, 0x0f)
  sequencer(4, 0x06)
  graphics(5, 0)
  graphics(6, 0x05)
  graphics(8, 0xff)
}
const text = () => {
  sequencer(2, 0x03)
  sequencer(4, 0x02)
  graphics(4, 0)
  graphics(5, 0x10)
  graphics(6, 0x0e)
  graphics(8, 0xff)
}

describe('registers', () => {
  test('indexed registers keep the bits that exist', () => {
    sequencer(1, 0xff)
    core.out8(0x3c4, 1)
    expect(core.in8(0x3c5)).toBe(0x3d)
    graphics(5, 0xff)
    core.out8(0x3ce, 5)
    expect(core.in8(0x3cf)).toBe(0x7b)
    expect(core.in16(0x3ce)).toBe(0x7b05)
  })

  test('CRTC is at 3Dxh or 3Bxh by miscellaneous output bit 0', () => {
    core.out16(0x3d4, 0x550e)
    expect(core.in8(0x3b5)).toBe(0xff)
    core.out8(0x3c2, 0x66)
    core.out8(0x3b4, 0x0e)
    expect(core.in8(0x3b5)).toBe(0x55)
    expect(core.in8(0x3d5)).toBe(0xff)
    expect(core.in8(0x3cc)).toBe(0x66)
  })

  test('CR11 bit 7 protects CRTC 0-7, but for the line compare bit', () => {
    core.out16(0x3d4, 0x5f00)
    core.out16(0x3d4, 0x0007)
    core.out16(0x3d4, 0x8e11)
    core.out16(0x3d4, 0x0000)
    core.out16(0x3d4, 0xff07)
    core.out8(0x3d4, 0)
    expect(core.in8(0x3d5)).toBe(0x5f)
    core.out8(0x3d4, 7)
    expect(core.in8(0x3d5)).toBe(0x10)
  })

  test('attribute controller: flip-flop, reset by input status 1, palette locked by PAS', () => {
    core.in8(0x3da)
    core.out8(0x3c0, 0x03)
    core.out8(0x3c0, 0x2a)
    core.out8(0x3c0, 0x23) // index only, palette handed to the screen
    core.in8(0x3da)
    core.out8(0x3c0, 0x23)
    core.out8(0x3c0, 0x15)
    expect(core.in8(0x3c0)).toBe(0x23)
    expect(core.in8(0x3c1)).toBe(0x2a)
    core.out8(0x3c0, 0x30)
    core.out8(0x3c0, 0x0c)
    expect(core.in8(0x3c1)).toBe(0x0c) // 10h up are never locked
  })

  test('DAC: three six-bit components, the index counts up', () => {
    core.out8(0x3c8, 0xff)
    for (const value of [0x7f, 0x20, 0x10, 1, 2, 3]) core.out8(0x3c9, value)
    core.out8(0x3c7, 0xff)
    expect(core.in8(0x3c7) & 3).toBe(3)
    expect(Array.from({ length: 6 }, () => core.in8(0x3c9))).toEqual([0x3f, 0x20, 0x10, 1, 2, 3])
    core.out8(0x3c8, 0)
    expect(core.in8(0x3c7) & 3).toBe(0)
  })

  test('input status 1 shows retrace 70 times a second in mode 3', () => {
    const crtc = [0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f]
    for (const [index, value] of crtc.entries()) core.out16(0x3d4, index | (value << 8))
    sequencer(1, 0)
    let frames = 0
    let retrace = 0
    for (let last = 0, i = 0; i < 100_000; i++) {
      core.advance(10_000)
      const now = core.in8(0x3da) & 8
      if (now > last) frames++
      if (now) retrace++
      last = now
    }
    expect(frames).toBe(70)
    expect(retrace / 100_000).toBeCloseTo(2 / 449, 3)
  })
})

describe('memory', () => {
  test('is closed while RAM is disabled, and outside the window', () => {
    planar()
    core.poke(0xa0000, 0x11)
    expect(core.peek(0xb8000)).toBe(0xff)
    core.poke(0xb8000, 0x22)
    core.out8(0x3c2, 0x65)
    expect(core.peek(0xa0000)).toBe(0xff)
    core.out8(0x3c2, 0x67)
    expect(core.peek(0xa0000)).toBe(0x11)
  })

  test('text: characters in plane 0, attributes in plane 1, at even addresses', () => {
    text()
    core.exports.mmioWrite(0xb8000n, 4, 0x07420741n)
    expect(planes(0)).toEqual([0x41, 0x07, 0, 0])
    expect(planes(1)).toEqual([0, 0, 0, 0])
    expect(planes(2)).toEqual([0x42, 0x07, 0, 0])
    expect(core.exports.mmioRead(0xb8000n, 4)).toBe(0x07420741n)
    expect(core.peek(0xb0000)).toBe(0xff)
    core.poke(0xbffff, 0x70)
    expect(plane(1, 0x7ffe)).toBe(0x70)
  })

  test('text: the font in plane 2 is loaded as firmware does it', () => {
    text()
    core.poke(0xb8000, 0x41)
    sequencer(2, 0x04)
    sequencer(4, 0x07)
    graphics(4, 2)
    graphics(5, 0)
    graphics(6, 0x04)
    for (let i = 0; i < 32; i++) core.poke(0xa0000 + 0x41 * 32 + i, i + 1)
    expect(core.peek(0xa0000 + 0x41 * 32 + 5)).toBe(6)
    expect(plane(2, 0x41 * 32 + 31)).toBe(32)
    text()
    expect(core.peek(0xb8000)).toBe(0x41)
  })

  test('chain 4: byte i is in plane i & 3 at address i & ~3', () => {
    sequencer(2, 0x0f)
    sequencer(4, 0x0e)
    graphics(5, 0x40)
    graphics(6, 0x05)
    graphics(8, 0xff)
    core.exports.mmioWrite(0xa0001n, 8, 0x0807060504030201n)
    expect([planes(0), planes(4), planes(8)]).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 0, 0, 0],
    ])
    expect(core.exports.mmioRead(0xa0001n, 8)).toBe(0x0807060504030201n)
    sequencer(2, 0x0d)
    core.poke(0xa0001, 0x55)
    expect(plane(1, 0)).toBe(1)
  })

  test('write mode 0: rotate, set/reset, function, bit mask, map mask', () => {
    planar()
    graphics(3, 0x03) // rotate by 3
    core.poke(0xa0010, 0x81)
    expect(planes(0x10)).toEqual([0x30, 0x30, 0x30, 0x30])
    graphics(3, 0)
    graphics(0, 0x05)
    graphics(1, 0x07)
    core.poke(0xa0010, 0x5a)
    expect(planes(0x10)).toEqual([0xff, 0, 0xff, 0x5a])
    graphics(1, 0)
    core.peek(0xa0010)
    graphics(8, 0x0f)
    core.poke(0xa0010, 0x00)
    expect(planes(0x10)).toEqual([0xf0, 0, 0xf0, 0x50])
    graphics(8, 0xff)
    for (const [code, expected] of [
      [1, [0x30, 0, 0x30, 0x10]],
      [2, [0x3c, 0x3c, 0x3c, 0x3c]],
      [3, [0x30 ^ 0x3c, 0x3c, 0x30 ^ 0x3c, 0x10 ^ 0x3c]],
    ] as const) {
      graphics(3, 0)
      for (const [number, value] of [0x30, 0, 0x30, 0x10].entries()) {
        sequencer(2, 1 << number)
        core.poke(0xa0010, value)
      }
      sequencer(2, 0x0f)
      core.peek(0xa0010)
      graphics(3, code << 3)
      core.poke(0xa0010, 0x3c)
      expect(planes(0x10)).toEqual(expected)
    }
  })

  test('write mode 1 copies the latches', () => {
    planar()
    for (const number of [0, 1, 2, 3]) {
      sequencer(2, 1 << number)
      core.poke(0xa0000, 0x10 + number)
    }
    sequencer(2, 0x0b)
    graphics(5, 1)
    core.peek(0xa0000)
    core.poke(0xa1000, 0xee)
    expect(planes(0x1000)).toEqual([0x10, 0x11, 0, 0x13])
  })

  test('write mode 2: a colour through the bit mask', () => {
    planar()
    graphics(5, 2)
    core.peek(0xa0000)
    graphics(8, 0x18)
    core.poke(0xa0000, 0x0a)
    expect(planes(0)).toEqual([0, 0x18, 0, 0x18])
  })

  test('write mode 3: the data is the mask for set/reset', () => {
    planar()
    graphics(5, 3)
    graphics(0, 0x06)
    graphics(8, 0xf0)
    core.peek(0xa0000)
    core.poke(0xa0000, 0x3c)
    expect(planes(0)).toEqual([0, 0x30, 0x30, 0])
  })

  test('read mode 1 compares colours', () => {
    planar()
    for (const [number, value] of [0xff, 0x0f, 0x33, 0x00].entries()) {
      sequencer(2, 1 << number)
      core.poke(0xa0000, value)
    }
    graphics(5, 0x08)
    graphics(2, 0x03)
    graphics(7, 0x0f)
    expect(core.peek(0xa0000)).toBe(0x0f & ~0x33)
    graphics(7, 0x01)
    expect(core.peek(0xa0000)).toBe(0xff)
    graphics(7, 0x00)
    expect(core.peek(0xa0000)).toBe(0xff)
  })
})
