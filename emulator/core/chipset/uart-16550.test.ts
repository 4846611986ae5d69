import { beforeEach, describe, expect, test } from 'vitest'
import { INPUT_KIND_SERIAL, RING_COM1 } from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const BASE = 0x3f8
const RBR = BASE
const IER = BASE + 1
const IIR = BASE + 2
const LCR = BASE + 3
const MCR = BASE + 4
const LSR = BASE + 5
const MSR = BASE + 6
const receive = (byte: number, port = 0) => core.deliver(INPUT_KIND_SERIAL, byte | (port << 8))
const sent = () => String.fromCharCode(...core.takeOutput(RING_COM1))

beforeEach(() => {
  core.reset()
  core.takeOutput(RING_COM1)
  core.initialisePic()
})

/** 8N1 at 9600 bit/s. */
const configure = (fifo = 0) => {
  core.out8(LCR, 0x80)
  core.out16(RBR, 12)
  core.out8(LCR, 0x03)
  core.out8(BASE + 2, fifo)
  core.out8(MCR, 0x0b)
}

test('after master reset the registers read as in table I of the data sheet', () => {
  expect([1, 2, 3, 4, 5].map((offset) => core.in8(BASE + offset))).toEqual([0, 1, 0, 0, 0x60])
})

test('a byte goes out at once, all eight bits before anybody has programmed LCR', () => {
  for (const byte of Buffer.from('Hé\xff', 'latin1')) core.out8(RBR, byte)
  expect(sent()).toBe('Hé\xff')
  expect(core.in8(LSR)).toBe(0x60)
})

test('the word length cuts what is sent, once programmed', () => {
  core.out8(LCR, 0x02)
  core.out8(RBR, 0xc1)
  core.out8(LCR, 0x00)
  core.out8(RBR, 0xff)
  expect(sent()).toBe('A\x1f')
})

test('divisor latch and scratch register keep what is written', () => {
  core.out8(LCR, 0x83)
  core.out8(RBR, 0x34)
  core.out8(IER, 0x12)
  core.out8(BASE + 7, 0xa5)
  expect(core.in16(RBR)).toBe(0x1234)
  core.out8(LCR, 0x03)
  expect(core.in8(IER)).toBe(0)
  expect(core.in8(BASE + 7)).toBe(0xa5)
})

test('transmitter-empty interrupt: raised when enabled and after each byte, taken by reading IIR', () => {
  configure()
  core.out8(IER, 0x02)
  expect(core.acknowledge()).toBe(0x24)
  core.out8(0x20, 0x20)
  expect(core.in8(IIR)).toBe(0x02)
  expect(core.in8(IIR)).toBe(0x01)
  expect(core.intr).toBe(false)
  core.out8(RBR, 0x41)
  expect(core.intr).toBe(true)
})

test('an interrupt reaches the PIC with and without OUT2, as in QEMU; not in loop-back', () => {
  for (const mcr of [0, 0x08]) {
    core.out8(MCR, mcr)
    core.out8(IER, 0)
    core.out8(IER, 0x02)
    expect(core.intr).toBe(true)
    core.out8(MCR, mcr | 0x10)
    expect(core.intr).toBe(false)
    core.out8(MCR, mcr)
    expect(core.in8(IIR)).toBe(0x02)
    expect(core.intr).toBe(false)
  }
})

describe('receiver', () => {
  test('without FIFOs there is room for one byte', () => {
    configure()
    core.out8(IER, 0x01)
    expect(receive(0x41)).toBe(true)
    expect(receive(0x42)).toBe(false)
    expect(core.in8(LSR)).toBe(0x61)
    expect(core.in8(IIR)).toBe(0x04)
    expect(core.in8(RBR)).toBe(0x41)
    expect(core.in8(IIR)).toBe(0x01)
    expect(receive(0x42)).toBe(true)
  })

  test('with FIFOs there is room for sixteen', () => {
    configure(0x01)
    for (let i = 0; i < 16; i++) expect(receive(i)).toBe(true)
    expect(receive(16)).toBe(false)
    expect(Array.from({ length: 16 }, () => core.in8(RBR))).toEqual([...Array(16).keys()])
    expect(core.in8(LSR)).toBe(0x60)
  })

  test.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])('FCR %i: trigger level %i', (fcr, level) => {
    configure(fcr)
    core.out8(IER, 0x01)
    for (let i = 1; i < level; i++) {
      receive(i)
      expect(core.intr).toBe(false)
    }
    receive(level)
    expect(core.intr).toBe(true)
    expect(core.in8(IIR)).toBe(0xc4)
    core.in8(RBR)
    expect(core.in8(IIR)).toBe(0xc1)
  })

  test('bytes below the trigger level time out after four characters', () => {
    configure(0xc1)
    core.out8(IER, 0x01)
    receive(0x41)
    const fourCharacters = (4 * 10 * 1e9) / 9600
    core.advance(Math.floor(fourCharacters) - 1)
    expect(core.intr).toBe(false)
    receive(0x42) // starts the time over
    core.advance(Math.floor(fourCharacters) - 1)
    expect(core.intr).toBe(false)
    core.advance(2)
    expect(core.intr).toBe(true)
    expect(core.in8(IIR)).toBe(0xcc)
    core.in8(RBR)
    expect(core.in8(IIR)).toBe(0xc1)
    core.in8(RBR)
    expect(core.untilDeadline).toBeUndefined()
  })

  test('FCR empties it', () => {
    configure(0x01)
    receive(1)
    receive(2)
    core.out8(IIR, 0x03)
    expect(core.in8(LSR)).toBe(0x60)
  })
})

describe('loop-back', () => {
  test('bytes come back and nothing is sent', () => {
    configure(0x01)
    core.out8(MCR, 0x1e)
    core.out8(RBR, 0xae)
    expect(core.in8(LSR) & 1).toBe(1)
    expect(core.in8(RBR)).toBe(0xae)
    expect(sent()).toBe('')
  })

  test('the modem outputs come back as inputs, with their changes', () => {
    core.out8(MCR, 0x10)
    core.in8(MSR)
    core.out8(MCR, 0x1f)
    expect(core.in8(MSR)).toBe(0xf0 | 0x0b) // RI rises: no trailing edge
    core.out8(MCR, 0x10)
    expect(core.in8(MSR)).toBe(0x0f)
    expect(core.in8(MSR)).toBe(0)
    core.out8(MCR, 0x00)
    expect(core.in8(MSR) & 0xf0).toBe(0xb0)
  })

  test('too many bytes: overrun', () => {
    configure(0x01)
    core.out8(MCR, 0x10)
    for (let i = 0; i < 17; i++) core.out8(RBR, i)
    expect(core.in8(LSR) & 0x02).toBe(0x02)
    expect(core.in8(LSR) & 0x02).toBe(0)
    expect(Array.from({ length: 16 }, () => core.in8(RBR)).at(-1)).toBe(15)
  })
})

test('COM1 and COM3 share IRQ 4: it falls when both are served', () => {
  core.out8(0x4d0, 0x10)
  for (const base of [0x3f8, 0x3e8]) {
    core.out8(base + 4, 0x08)
    core.out8(base + 1, 0x02)
  }
  expect(core.intr).toBe(true)
  core.in8(0x3fa)
  expect(core.intr).toBe(true)
  core.in8(0x3ea)
  expect(core.intr).toBe(false)
})

test('each port has its own line to the outside', () => {
  for (const [port, base] of [0x3f8, 0x2f8, 0x3e8, 0x2e8].entries()) {
    core.out8(base, 0x30 + port)
    expect(core.takeOutput(port)).toEqual([0x30 + port])
    receive(0x40 + port, port)
    expect(core.in8(base)).toBe(0x40 + port)
  }
})
