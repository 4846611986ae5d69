import { beforeEach, expect, test } from 'vitest'
import { ApicCore } from '../testing/apic'

const core = new ApicCore()
const BASE = 0x700
const [STATUS, CONTROL, COMMAND, ADDRESS, DATA0, DATA1, BLOCK] = [0, 2, 3, 4, 5, 6, 7].map(
  (at) => BASE + at,
) as [number, number, number, number, number, number, number]
const config8 = (at: number, value: number) => {
  core.out32(0xcf8, 0x80000b00 | (at & ~3))
  core.out8(0xcfc + (at & 3), value)
}
beforeEach(() => {
  core.powerOn()
  core.out32(0xcf8, 0x80000b90)
  core.out32(0xcfc, BASE)
  config8(0xd2, 0x09)
})
/** IRQ 9 as the 8259 sees it, level-triggered. */
const irq9 = () => {
  core.out8(0x4d1, 0x02)
  core.out8(0xa0, 0x0a)
  return (core.in8(0xa0) & 2) !== 0
}

test('the ports are where SMBBA says, while SMBHSTCFG says so', () => {
  core.out32(0xcf8, 0x80000b90)
  expect(core.in32(0xcfc)).toBe(BASE | 1)
  core.out8(COMMAND, 0x55)
  expect(core.in8(COMMAND)).toBe(0x55)
  config8(0xd2, 0)
  expect(core.in8(COMMAND)).toBe(0xff)
  config8(0xd2, 0xff)
  core.out32(0xcf8, 0x80000bd0)
  expect((core.in32(0xcfc) >>> 16) & 0xff).toBe(0x0f)
  expect(core.in8(COMMAND)).toBe(0x55)
})

test('whoever is addressed does not answer: busy, then DEV_ERR, cleared by writing it', () => {
  core.out8(ADDRESS, 0xa1)
  core.out8(COMMAND, 0)
  core.out8(CONTROL, 0x48) // START, byte data
  expect(core.in8(CONTROL)).toBe(0x08)
  expect(core.in8(STATUS)).toBe(0x01)
  // A second START while the first is under way is none.
  core.pass(300_000)
  core.out8(CONTROL, 0x48)
  core.pass(324_999)
  expect(core.in8(STATUS)).toBe(0x01)
  core.pass(1)
  expect(core.in8(STATUS)).toBe(0x04)
  core.out8(STATUS, 0x02)
  expect(core.in8(STATUS)).toBe(0x04)
  core.out8(STATUS, 0xff)
  expect(core.in8(STATUS)).toBe(0)
  expect(core.untilDeadline).toBeUndefined()
})

test('KILL ends a transaction with FAILED, and an idle controller has nothing to end', () => {
  core.out8(CONTROL, 0x02)
  expect(core.in8(STATUS)).toBe(0)
  core.out8(CONTROL, 0x40)
  core.out8(CONTROL, 0x02)
  expect(core.in8(STATUS)).toBe(0x10)
  core.pass(1_000_000)
  expect(core.in8(STATUS)).toBe(0x10)
})

test('INTEREN asks for IRQ 9 where SMBHSTCFG routes it there, whether ACPI mode is on or not', () => {
  core.out8(CONTROL, 0x49)
  expect(irq9()).toBe(false)
  core.pass(625_000)
  expect(irq9()).toBe(true)
  config8(0xd2, 0x01) // SMI#, which nobody hears
  core.out8(CONTROL, 0x01)
  expect(irq9()).toBe(false)
  config8(0xd2, 0x09)
  core.out8(CONTROL, 0x01)
  expect(irq9()).toBe(true)
  core.out8(STATUS, 0x04)
  expect(irq9()).toBe(false)
})

test('registers keep what is written; the block begins anew when the control register is read', () => {
  for (const [at, value] of [
    [COMMAND, 0x11],
    [ADDRESS, 0x22],
    [DATA0, 0x33],
    [DATA1, 0x44],
  ] as const) {
    core.out8(at, value)
    expect(core.in8(at)).toBe(value)
  }
  for (let i = 0; i < 32; i++) core.out8(BLOCK, i + 100)
  core.in8(CONTROL)
  expect(Array.from({ length: 33 }, () => core.in8(BLOCK))).toEqual([
    ...Array.from({ length: 32 }, (_, i) => i + 100),
    100,
  ])
  expect(core.in32(BASE + 8)).toBe(0)
})
