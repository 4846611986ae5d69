// Pictures that programs make by moving the CRT controller's registers about, drawn from modes that our own firmware has set.
// What each pixel must be follows from the IBM Video Subsystem Technical Reference.
import { beforeEach, describe, expect, test } from 'vitest'
import { FirmwareMachine } from '../core/testing/firmware'
import type { IndexedScreen } from './api'
import { MachineMemory } from './memory'
import { screenSnapshot } from './screen'

let machine: FirmwareMachine
beforeEach(() => {
  machine = new FirmwareMachine().boot()
})
const out = (port: number, index: number, value: number) => {
  machine.exports.portWrite(port, 1, index)
  machine.exports.portWrite(port + 1, 1, value)
}
const sequencer = (index: number, value: number) => out(0x3c4, index, value)
const crtc = (index: number, value: number) => out(0x3d4, index, value)
const attribute = (index: number, value: number) => {
  machine.exports.portRead(0x3da, 1)
  machine.exports.portWrite(0x3c0, 1, index | 0x20)
  machine.exports.portWrite(0x3c0, 1, value)
}
const poke = (address: number, value: number) => machine.exports.mmioWrite(BigInt(address), 1, BigInt(value))
const picture = () => {
  const shot = screenSnapshot(new MachineMemory(machine.memory))
  expect(shot.kind).toBe('indexed')
  return shot as IndexedScreen
}
/** RGB of a pixel. */
const colour = ({ pixels, palette, width }: IndexedScreen, x: number, y: number) => {
  const at = pixels[y * width + x]! * 3
  return [...palette.subarray(at, at + 3)]
}

describe("CGA's modes", () => {
  test('mode 4: two bits a pixel, lines in two banks, cyan, magenta and white', () => {
    machine.call(0x10, { ax: 4 })
    poke(0xb8000, 0b00_01_10_11)
    poke(0xb8000 + 0x2000 + 79, 0b11_10_01_00)
    poke(0xb8000 + 80, 0b01_01_01_01)
    const shot = picture()
    const tall = shot.height / 200
    expect([shot.width, Number.isInteger(tall), shot.aspect]).toEqual([320, true, 4 / 3])
    const row = (y: number, from: number) => [0, 1, 2, 3].map((x) => colour(shot, from + x, y * tall))
    const [black, cyan, magenta, white] = [
      [0, 0, 0],
      [85, 255, 255],
      [255, 85, 255],
      [255, 255, 255],
    ]
    expect(row(0, 0)).toEqual([black, cyan, magenta, white])
    expect(row(1, 316)).toEqual([white, magenta, cyan, black])
    expect(row(2, 0)).toEqual([cyan, cyan, cyan, cyan])
    expect(row(1, 0)).toEqual([black, black, black, black])
  })

  test('mode 6: a bit a pixel', () => {
    machine.call(0x10, { ax: 6 })
    poke(0xb8000, 0b1010_0001)
    poke(0xb8000 + 0x2000, 0xff)
    const shot = picture()
    const tall = shot.height / 200
    expect(shot.width).toBe(640)
    const lit = (y: number) => [0, 1, 2, 3, 4, 5, 6, 7].map((x) => (colour(shot, x, y * tall)[0] ? 1 : 0))
    expect(lit(0)).toEqual([1, 0, 1, 0, 0, 0, 0, 1])
    expect(lit(1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
    expect(lit(2)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })
})

describe('256 colours, unchained', () => {
  /** 320 x 240 with square pixels, as M. Abrash gave it (Dr. Dobb's Journal, July 1991). */
  const modeX = () => {
    machine.call(0x10, { ax: 0x13 })
    sequencer(4, 0x06)
    sequencer(0, 0x01)
    machine.exports.portWrite(0x3c2, 1, 0xe3)
    sequencer(0, 0x03)
    crtc(0x11, 0x2c)
    const timing = [
      [0x06, 0x0d],
      [0x07, 0x3e],
      [0x09, 0x41],
      [0x10, 0xea],
      [0x11, 0xac],
      [0x12, 0xdf],
      [0x14, 0x00],
      [0x15, 0xe7],
      [0x16, 0x06],
      [0x17, 0xe3],
    ]
    for (const [index, value] of timing) crtc(index!, value!)
  }
  const plot = (x: number, y: number, value: number, page = 0) => {
    sequencer(2, 1 << (x & 3))
    poke(0xa0000 + page + y * 80 + (x >> 2), value)
  }
  const pixel = ({ pixels, width, height }: IndexedScreen, x: number, y: number) =>
    pixels[y * (height / 240) * width + x]

  test('mode X: 320 x 240, a plane for every fourth pixel, pages to flip', () => {
    modeX()
    const points: [number, number, number][] = [
      [0, 0, 1],
      [1, 0, 2],
      [2, 0, 3],
      [3, 0, 4],
      [319, 239, 5],
      [160, 120, 6],
      [163, 121, 7],
    ]
    for (const [x, y, value] of points) plot(x, y, value)
    plot(10, 10, 99, 0x4b00)
    const shot = picture()
    expect([shot.width, shot.height % 240, shot.aspect]).toEqual([320, 0, 4 / 3])
    for (const [x, y, value] of points) expect(pixel(shot, x, y)).toBe(value)
    crtc(0x0c, 0x4b)
    crtc(0x0d, 0x00)
    const second = picture()
    expect([pixel(second, 10, 10), pixel(second, 0, 0), pixel(second, 160, 120)]).toEqual([99, 0, 0])
  })

  test('split screen: below the line compare the picture begins at address 0, and panning stops there if it is asked to', () => {
    modeX()
    for (let x = 0; x < 320; x++) {
      plot(x, 0, 40 + (x & 3)) // address 0: what the lower part shows first
      plot(x, 0, 80 + (x & 3), 0x4b00)
    }
    crtc(0x0c, 0x4b)
    // Line 160 of 240, each drawn twice: the lower part begins one behind 319 = 13Fh (bits 8 and 9 in CR7 and CR9).
    crtc(0x18, 0x3f)
    crtc(0x07, 0x3e)
    crtc(0x09, 0x41 & ~0x40)
    const shot = picture()
    expect([pixel(shot, 0, 0), pixel(shot, 2, 0), pixel(shot, 0, 159)]).toEqual([80, 82, 0])
    expect([pixel(shot, 0, 160), pixel(shot, 3, 160), pixel(shot, 0, 161)]).toEqual([40, 43, 0])
    // By one pixel (two dots) to the left: both parts, or the upper alone.
    attribute(0x13, 2)
    const panned = picture()
    expect([pixel(panned, 0, 0), pixel(panned, 0, 160)]).toEqual([81, 41])
    attribute(0x10, 0x61)
    const still = picture()
    expect([pixel(still, 0, 0), pixel(still, 0, 160)]).toEqual([81, 40])
  })
})
