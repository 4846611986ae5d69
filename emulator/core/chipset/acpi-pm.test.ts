import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { ApicCore } from '../testing/apic'

const core = new ApicCore()
const BASE = 0xb000
beforeEach(() => {
  core.powerOn()
  core.out32(0xcf8, 0x80000b40)
  core.out32(0xcfc, BASE)
  core.out32(0xcf8, 0x80000b80)
  core.out8(0xcfc, 1)
})
/** IRQ 9 as the 8259 sees it, level-triggered. */
const sci = () => {
  core.out8(0x4d1, 0x02)
  core.out8(0xa0, 0x0a)
  return (core.in8(0xa0) & 2) !== 0
}

describe('PM timer (ACPI 6.4, 4.8.3.3)', () => {
  test('24 bits at 3.579545 MHz', () => {
    core.pass(1_000_000_000)
    expect(core.in32(BASE + 8)).toBe(3_579_545)
    core.pass(4_000_000_000)
    expect(core.in32(BASE + 8)).toBe((3_579_545 * 5) % 2 ** 24)
    expect([core.in8(BASE + 9), core.in16(BASE + 10)]).toEqual([
      (((3_579_545 * 5) % 2 ** 24) >> 8) & 0xff,
      ((3_579_545 * 5) % 2 ** 24) >> 16,
    ])
  })
  test('TMR_STS is set when bit 23 changes, both ways', () => {
    const half = Math.ceil((2 ** 23 / 3_579_545) * 1e9)
    core.pass(half - 1)
    expect(core.in16(BASE)).toBe(0)
    core.pass(1)
    expect(core.in16(BASE)).toBe(1)
    core.out16(BASE, 1)
    expect(core.in16(BASE)).toBe(0)
    core.pass(half)
    expect(core.in16(BASE)).toBe(1)
  })
  test('raises the SCI when it is enabled and the system is in ACPI mode', () => {
    core.out16(BASE + 2, 1)
    core.pass(3_000_000_000)
    expect(sci()).toBe(false)
    core.out8(0xb2, 0xf1)
    expect(core.in16(BASE + 4) & 1).toBe(1)
    expect(sci()).toBe(true)
    core.out16(BASE, 1)
    expect(sci()).toBe(false)
    expect(core.untilDeadline).toBeGreaterThan(0)
    core.skipToDeadline()
    expect(sci()).toBe(true)
    core.out8(0xb2, 0xf0)
    expect([core.in16(BASE + 4) & 1, sci()]).toEqual([0, false])
  })
})

test('enable registers keep the events that exist', () => {
  core.out16(BASE + 2, 0xffff)
  core.out16(BASE + 14, 0x1234)
  core.out16(BASE, 0xffff)
  expect([core.in16(BASE + 2), core.in16(BASE + 14), core.in32(BASE + 0x20)]).toEqual([0x0521, 0x1234, 0])
})

test('the clock’s interrupt is RTC_STS', () => {
  core.out8(0x70, 0x0b)
  core.out8(0x71, 0x12)
  expect(core.in16(BASE) & 0x400).toBe(0)
  core.pass(1_100_000_000)
  expect(core.in16(BASE) & 0x400).toBe(0x400)
  core.out16(BASE, 0x400)
  expect(core.in16(BASE) & 0x400).toBe(0)
})

test('SLP_EN switches off; it and GBL_RLS read 0', () => {
  core.out16(BASE + 4, 0x0005)
  expect(core.in16(BASE + 4)).toBe(0x0001)
  expect(core.header32(L.HDR_STOP_REASON)).toBe(L.STOP_NONE)
  core.out16(BASE + 4, 0x2001)
  expect(core.header32(L.HDR_STOP_REASON)).toBe(L.STOP_POWER_OFF)
})

test('the power button: PWRBTN_STS and the SCI for who has switched to ACPI, off for who has not', () => {
  core.out8(0xb2, 0xf1)
  core.out16(BASE + 2, 0x100)
  core.deliver(L.INPUT_KIND_POWER, 0)
  expect([core.in16(BASE) & 0x100, sci(), core.header32(L.HDR_STOP_REASON)]).toEqual([
    0x100,
    true,
    L.STOP_NONE,
  ])
  core.out16(BASE, 0x100)
  expect([core.in16(BASE) & 0x100, sci()]).toEqual([0, false])
  core.out8(0xb2, 0xf0)
  core.deliver(L.INPUT_KIND_POWER, 0)
  expect(core.header32(L.HDR_STOP_REASON)).toBe(L.STOP_POWER_OFF)
})
