import { beforeEach, describe, expect, test } from 'vitest'
import { VRAM, VRAM_SIZE } from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const [ID, XRES, YRES, BPP, ENABLE, BANK, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X_OFFSET, Y_OFFSET, MEMORY] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const
const write = (index: number, value: number) => {
  core.out16(0x1ce, index)
  core.out16(0x1cf, value)
}
const read = (index: number) => {
  core.out16(0x1ce, index)
  return core.in16(0x1cf)
}
const mode = (width: number, height: number, bits: number, flags = 0x41) => {
  write(ENABLE, 0)
  write(XRES, width)
  write(YRES, height)
  write(BPP, bits)
  write(ENABLE, flags)
}

beforeEach(() => {
  core.u8.fill(0, VRAM, VRAM + VRAM_SIZE)
  core.reset()
})

describe('registers', () => {
  test('the identity is B0C5h, and older ones may be asked for', () => {
    expect(read(ID)).toBe(0xb0c5)
    write(ID, 0xb0c0)
    expect(read(ID)).toBe(0xb0c0)
    write(ID, 0xb0c6)
    expect(read(ID)).toBe(0xb0c0)
  })

  test('answers the limits while GETCAPS is set, the mode otherwise', () => {
    mode(1024, 768, 32)
    expect([XRES, YRES, BPP].map(read)).toEqual([1024, 768, 32])
    write(ENABLE, read(ENABLE) | 2)
    expect([XRES, YRES, BPP].map(read)).toEqual([2560, 1600, 32])
    expect(read(MEMORY)).toBe(256)
  })

  test('data are at 1CFh and 1D0h; a double word at 1CEh is index and data', () => {
    core.out32(0x1ce, 0x0320_0001)
    expect(read(XRES)).toBe(0x320)
    core.out16(0x1ce, YRES)
    core.out16(0x1d0, 600)
    expect(core.in16(0x1cf)).toBe(600)
    expect(core.in32(0x1ce)).toBe(((600 << 16) | YRES) >>> 0)
    expect(read(99)).toBe(0)
  })

  test('the virtual screen is at least as wide as the picture and as high as memory allows', () => {
    mode(1024, 768, 32)
    expect(read(VIRTUAL_WIDTH)).toBe(1024)
    expect(read(VIRTUAL_HEIGHT)).toBe(4096)
    write(VIRTUAL_WIDTH, 2048)
    expect(read(VIRTUAL_HEIGHT)).toBe(2048)
    write(VIRTUAL_WIDTH, 100)
    expect(read(VIRTUAL_WIDTH)).toBe(1024)
    write(X_OFFSET, 0xffff)
    write(Y_OFFSET, 0xffff)
    expect([read(X_OFFSET), read(Y_OFFSET)]).toEqual([0, 4096 - 768])
  })

  test('every mode up to 2560x1600x32 fits; nonsense is brought into range', () => {
    mode(2560, 1600, 32)
    expect([XRES, YRES, BPP].map(read)).toEqual([2560, 1600, 32])
    mode(0xffff, 0xffff, 77)
    expect([XRES, YRES, BPP].map(read)).toEqual([2560, 1600, 8])
    mode(0, 0, 0)
    expect([XRES, YRES, BPP].map(read)).toEqual([8, 1, 8])
  })

  test('enabling clears the picture unless told not to, and forgets the offsets', () => {
    core.u8.fill(0xaa, VRAM, VRAM + 1024 * 768 * 4 + 1)
    mode(1024, 768, 32, 0xc1)
    expect(core.u8[VRAM]).toBe(0xaa)
    write(Y_OFFSET, 10)
    mode(1024, 768, 32)
    expect(read(Y_OFFSET)).toBe(0)
    expect(core.u8[VRAM]).toBe(0)
    expect(core.u8[VRAM + 1024 * 768 * 4 - 1]).toBe(0)
    expect(core.u8[VRAM + 1024 * 768 * 4]).toBe(0xaa)
  })

  test('the DAC takes eight bits a component when asked', () => {
    const set = (value: number) => {
      core.out8(0x3c8, 5)
      for (let i = 0; i < 3; i++) core.out8(0x3c9, value)
      core.out8(0x3c7, 5)
      return core.in8(0x3c9)
    }
    expect(set(0xff)).toBe(0x3f)
    mode(640, 480, 8, 0x61)
    expect(set(0xff)).toBe(0xff)
    write(ENABLE, 0x41)
    expect(set(0xff)).toBe(0x3f)
  })
})

describe('the window at A0000h', () => {
  test('shows a bank of 64 KiB', () => {
    mode(1024, 768, 32)
    write(BANK, 3)
    core.exports.mmioWrite(0xa0010n, 4, 0x11223344n)
    expect(core.u32[(VRAM + 0x30010) / 4]).toBe(0x11223344)
    core.u8[VRAM + 0x3ffff] = 0x77
    expect(core.peek(0xaffff)).toBe(0x77)
    expect(core.peek(0xb0000)).toBe(0xff)
    write(BANK, 0x100)
    expect(read(BANK)).toBe(0)
  })

  test('with 4 bits a pixel it has planes, more than the VGA', () => {
    mode(1024, 768, 4)
    core.out16(0x3c4, 0x0502)
    core.out16(0x3ce, 0xff08)
    write(BANK, 1)
    core.poke(0xa0004, 0x5a)
    const at = VRAM + (0x10000 + 4) * 4
    expect([...core.u8.subarray(at, at + 4)]).toEqual([0x5a, 0, 0x5a, 0])
    core.out16(0x3ce, 0x0204)
    expect(core.peek(0xa0004)).toBe(0x5a)
  })

  test('is the VGA’s again when the extension is off', () => {
    core.out8(0x3c2, 0x67)
    core.out16(0x3c4, 0x0f02)
    core.out16(0x3c4, 0x0604)
    core.out16(0x3ce, 0x0506)
    core.out16(0x3ce, 0xff08)
    mode(640, 480, 8)
    core.poke(0xa0001, 1)
    expect(core.u8[VRAM + 1]).toBe(1)
    write(ENABLE, 0)
    core.poke(0xa0001, 2)
    expect(core.u8[VRAM + 4]).toBe(2)
  })
})
