import { expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const address = (device: number, func: number, register: number) =>
  0x80000000 + (device << 11) + (func << 8) + register

function config(device: number, func: number, register: number): number {
  core.out32(0xcf8, address(device, func, register))
  return core.in32(0xcfc)
}

test('the functions of bus 0, and nobody else', () => {
  core.reset()
  const found = []
  for (let device = 0; device < 32; device++) {
    for (let func = 0; func < 8; func++) {
      const id = config(device, func, 0)
      if (id !== 0xffffffff) found.push([device, func, id.toString(16), config(device, func, 8) >>> 8])
    }
  }
  expect(found).toEqual([
    [0, 0, '12378086', 0x060000],
    [1, 0, '70008086', 0x060100],
    [1, 1, '70108086', 0x010100],
  ])
  core.out32(0xcf8, 0x80010000)
  expect(core.in32(0xcfc)).toBe(0xffffffff)
})

test('data is read in every size at its place; without the enable bit nobody answers', () => {
  core.reset()
  core.out32(0xcf8, address(1, 1, 0))
  expect([core.in16(0xcfc), core.in16(0xcfe), core.in8(0xcff)]).toEqual([0x8086, 0x7010, 0x70])
  core.out32(0xcf8, address(1, 1, 0) & 0x7fffffff)
  expect(core.in32(0xcfc)).toBe(0xffffffff)
})

test('multifunction is said of the ISA bridge; base addresses and identities cannot be written', () => {
  core.reset()
  expect([0, 1].map((device) => (config(device, 0, 0xc) >>> 16) & 0xff)).toEqual([0, 0x80])
  for (let register = 0; register < 256; register += 4) {
    if (register === 4) continue
    const before = config(1, 1, register)
    core.out32(0xcfc, 0xffffffff)
    expect(core.in32(0xcfc)).toBe(before)
  }
  expect(config(1, 1, 4) & 7).toBe(1)
  core.out16(0xcfc, 0)
  expect(core.in32(0xcfc)).toBe(0x02000000)
  expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
})
