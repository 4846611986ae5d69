import { expect, test } from 'vitest'
import { cpuWithheld } from './cpu-model'

test('models, and features added and taken away', () => {
  expect(cpuWithheld('v3')).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  expect(cpuWithheld('v3,-pcid,-smap')).toEqual([1 << 17, 0, (1 << 20) | (1 << 10), 0, 0, 0, 0, 0])
  // AVX takes AVX2, FMA and F16C along, and brings XSAVE.
  expect(cpuWithheld('v3,-avx')).toEqual([0x3000_1000, 0, 1 << 5, 0, 0, 0, 0, 0])
  expect((cpuWithheld('v2,+avx2')[0]! >>> 26) & 1).toBe(0)
  // POPCNT is of v2, AVX is not.
  expect((cpuWithheld('v2')[0]! >>> 23) & 1).toBe(0)
  expect((cpuWithheld('v2')[0]! >>> 28) & 1).toBe(1)
  expect((cpuWithheld('v2,+avx')[0]! >>> 28) & 1).toBe(0)
  expect(cpuWithheld('v1')[0]).toBe(0xffffffff)
})

test('what is unknown is named', () => {
  expect(() => cpuWithheld('v9')).toThrow(/v9.*v1, v2, v3/)
  expect(() => cpuWithheld('v3,+warp')).toThrow(/\+warp/)
  expect(() => cpuWithheld('v3,avx')).toThrow(/avx/)
})
