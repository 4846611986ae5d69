import { beforeEach, expect, test } from 'vitest'
import { TestCore } from '../testing/core'

const core = new TestCore()
beforeEach(() => core.reset())

// Lines are driven through devices: IRQ 4 by COM1's transmitter, IRQ 3 by COM2's, IRQ 8 by the RTC.
const raiseCom = (base: number) => {
  core.out8(base + 4, 0x08)
  core.out8(base + 1, 0x02)
}
const lowerCom = (base: number) => core.out8(base + 1, 0x00)
const raiseIrq4 = () => raiseCom(0x3f8)
const raiseIrq3 = () => raiseCom(0x2f8)
const raiseIrq8 = () => {
  core.out8(0x70, 0x0b)
  core.out8(0x71, 0x12) // update-ended interrupt
  core.advance(1_000_000_000)
}
const isr = (port: number) => {
  core.out8(port, 0x0b)
  return core.in8(port)
}
const irr = (port: number) => {
  core.out8(port, 0x0a)
  return core.in8(port)
}

test('power-on: INTR is low whatever the lines do', () => {
  raiseIrq4()
  expect(core.intr).toBe(false)
})

test('an edge raises INTR; INTA answers the vector, sets ISR and clears IRR', () => {
  core.initialisePic()
  raiseIrq4()
  expect(core.intr).toBe(true)
  expect(irr(0x20)).toBe(0x10)
  expect(core.acknowledge()).toBe(0x24)
  expect(core.intr).toBe(false)
  expect(irr(0x20)).toBe(0)
  expect(isr(0x20)).toBe(0x10)
  core.out8(0x20, 0x20)
  expect(isr(0x20)).toBe(0)
  expect(core.intr).toBe(false) // the line is still high, but that is no edge
})

test('a line that was high before ICW1 needs a new edge', () => {
  raiseIrq4()
  core.initialisePic()
  expect(core.intr).toBe(false)
  lowerCom(0x3f8)
  raiseIrq4()
  expect(core.intr).toBe(true)
})

test('an edge that is gone before INTA gives the spurious vector 7 and leaves ISR alone', () => {
  core.initialisePic()
  raiseIrq4()
  lowerCom(0x3f8)
  expect(core.intr).toBe(false)
  expect(core.acknowledge()).toBe(0x27)
  expect(isr(0x20)).toBe(0)
})

test('a masked request stays in IRR and comes through when unmasked', () => {
  core.initialisePic(0xffff)
  raiseIrq4()
  expect(core.intr).toBe(false)
  expect(irr(0x20)).toBe(0x10)
  core.out8(0x21, 0xef)
  expect(core.in8(0x21)).toBe(0xef)
  expect(core.intr).toBe(true)
})

test('fully nested: a higher level interrupts a lower one, not the other way round', () => {
  core.initialisePic()
  raiseIrq4()
  expect(core.acknowledge()).toBe(0x24)
  raiseIrq3()
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x23)
  expect(isr(0x20)).toBe(0x18)
  lowerCom(0x3f8)
  raiseIrq4()
  expect(core.intr).toBe(false)
  core.out8(0x20, 0x20) // non-specific: the highest, level 3
  expect(isr(0x20)).toBe(0x10)
  expect(core.intr).toBe(false)
  core.out8(0x20, 0x64) // specific, level 4
  expect(core.intr).toBe(true)
})

test('the slave comes through IR2 with its own vector, and both are in service', () => {
  core.initialisePic()
  raiseIrq8()
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x28)
  expect(isr(0xa0)).toBe(0x01)
  expect(isr(0x20)).toBe(0x04)
  core.out8(0xa0, 0x20)
  core.out8(0x20, 0x20)
  expect(isr(0xa0) | isr(0x20)).toBe(0)
})

test('specific rotation makes a level the lowest', () => {
  core.initialisePic()
  core.out8(0x20, 0xc3) // set priority: level 3 lowest, so 4 is the highest
  raiseIrq3()
  raiseIrq4()
  expect(core.acknowledge()).toBe(0x24)
  core.out8(0x20, 0xa0) // rotate on non-specific EOI: 4 becomes the lowest, 5.. 3 come first
  lowerCom(0x3f8)
  raiseIrq4()
  expect(core.acknowledge()).toBe(0x23)
})

test('automatic EOI leaves nothing in service', () => {
  core.initialisePic(0, 0x03)
  raiseIrq4()
  expect(core.acknowledge()).toBe(0x24)
  expect(isr(0x20)).toBe(0)
})

test('special mask mode lets lower levels through while a masked one is in service', () => {
  core.initialisePic()
  raiseIrq3()
  expect(core.acknowledge()).toBe(0x23)
  raiseIrq4()
  expect(core.intr).toBe(false)
  core.out8(0x20, 0x68)
  core.out8(0x21, 0x08)
  expect(core.intr).toBe(true)
  core.out8(0x20, 0x48)
  expect(core.intr).toBe(false)
})

test('poll: the read acknowledges and names the level', () => {
  core.initialisePic()
  core.out8(0x20, 0x0c)
  expect(core.in8(0x20) & 0x80).toBe(0)
  raiseIrq4()
  core.out8(0x20, 0x0c)
  expect(core.in8(0x20)).toBe(0x84)
  expect(core.intr).toBe(false)
  expect(isr(0x20)).toBe(0x10)
})

test('level-triggered lines ask again after EOI while they are high', () => {
  core.initialisePic()
  core.out8(0x4d0, 0xff)
  expect(core.in8(0x4d0)).toBe(0xf8)
  core.out8(0x4d1, 0xff)
  expect(core.in8(0x4d1)).toBe(0xde)
  raiseIrq4()
  expect(core.acknowledge()).toBe(0x24)
  expect(core.intr).toBe(false)
  core.out8(0x20, 0x20)
  expect(core.intr).toBe(true)
  lowerCom(0x3f8)
  expect(core.intr).toBe(false)
})

test('special fully nested mode: a second, higher request of the slave gets through', () => {
  core.initialisePic(0, 0x11)
  core.out8(0x64, 0x60) // IRQ 12 on
  core.out8(0x60, 0x03)
  core.out8(0x64, 0xd3) // a byte for the second PS/2 port
  core.out8(0x60, 0x00)
  expect(core.acknowledge()).toBe(0x2c)
  raiseIrq8()
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x28)
})

test('an uninitialised sequence keeps INTR low until the last ICW', () => {
  core.initialisePic()
  raiseIrq4()
  core.out8(0x20, 0x11)
  lowerCom(0x3f8)
  raiseIrq4()
  expect(core.intr).toBe(false)
  core.out8(0x21, 0x50)
  core.out8(0x21, 0x04)
  core.out8(0x21, 0x01)
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x54)
})
