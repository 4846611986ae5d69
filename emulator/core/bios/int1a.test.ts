// INT 1Ah, INT 14h, INT 17h, INT 11h.
import { expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine, sleeper } from '../testing/firmware'

// 2024-02-29 23:59:50 UTC
const EPOCH = Date.UTC(2024, 1, 29, 23, 59, 50) / 1000

test('the clock: time, date, the next day', () => {
  const machine = new FirmwareMachine({ epoch: EPOCH }).boot()
  expect(machine.call(0x1a, { ax: 0x0400 })).toMatchObject({ cf: false, cx: 0x2024, dx: 0x0229 })
  expect(machine.call(0x1a, { ax: 0x0200 })).toMatchObject({ cf: false, cx: 0x2359 })
  machine.run(15_000_000_000)
  expect(machine.call(0x1a, { ax: 0x0400 })).toMatchObject({ cf: false, cx: 0x2024, dx: 0x0301 })
  expect(machine.call(0x1a, { ax: 0x0200 })).toMatchObject({ cf: false, cx: 0x0000 })
})

test('setting it', () => {
  const machine = new FirmwareMachine().boot()
  expect(machine.call(0x1a, { ax: 0x0300, cx: 0x1234, dx: 0x5600 })).toMatchObject({ cf: false })
  expect(machine.call(0x1a, { ax: 0x0500, cx: 0x1999, dx: 0x1231 })).toMatchObject({ cf: false })
  expect(machine.call(0x1a, { ax: 0x0200 })).toMatchObject({ cf: false, cx: 0x1234, dx: 0x5600 })
  expect(machine.call(0x1a, { ax: 0x0400 })).toMatchObject({ cf: false, cx: 0x1999, dx: 0x1231 })
})

test('the alarm is INT 4Ah', () => {
  const machine = new FirmwareMachine({ epoch: EPOCH }).boot()
  machine.write(0x6f0, [0x2e, 0xfe, 0x06, 0x00, 0x07, 0xcf]) // inc byte [0700h]; iret
  machine.write(0x700, [0])
  machine.write(0x4a * 4, [0xf0, 0x06, 0, 0])
  expect(machine.call(0x1a, { ax: 0x0600, cx: 0x2359, dx: 0x5500 })).toMatchObject({ cf: false })
  expect(machine.call(0x1a, { ax: 0x0600, cx: 0x2359, dx: 0x5600 })).toMatchObject({ cf: true })
  machine.run(10_000_000_000)
  expect(machine.read8(0x700)).toBe(1)
  expect(machine.call(0x1a, { ax: 0x0700 })).toMatchObject({ cf: false })
})

test('ticks, and midnight once', () => {
  const machine = new FirmwareMachine().boot()
  expect(machine.call(0x1a, { ax: 0x0100, cx: 0x0018, dx: 0x00af })).toMatchObject({ cf: false })
  machine.run(60_000_000)
  expect(machine.call(0x1a, { ax: 0x0000 })).toMatchObject({ cf: false, cx: 0, al: 1 })
  expect(machine.call(0x1a, { ax: 0x0000 })).toMatchObject({ cf: false, cx: 0, al: 0 })
})

test('no PCI bus', () => {
  const machine = new FirmwareMachine().boot()
  expect(machine.call(0x1a, { ax: 0xb101 })).toMatchObject({ cf: true })
})

test('INT 14h: sends, waits for what comes in, knows the ports', () => {
  const machine = new FirmwareMachine().boot()
  expect(machine.call(0x14, { ax: 0x00e3, dx: 0 }).ah & 0x60).toBe(0x60)
  for (const c of 'ok') expect(machine.call(0x14, { ax: 0x0100 | c.charCodeAt(0), dx: 0 }).ah & 0x80).toBe(0)
  expect(machine.serial).toBe('ok')
  const answer = machine.call(0x14, { ax: 0x0200, dx: 0 }, () => machine.queueSerial('!'))
  expect(answer.ax).toBe(0x0021)
  expect(machine.call(0x14, { ax: 0x0341, dx: 9 }).ax).toBe(0x0341)
})

test('INT 11h counts floppies and ports; INT 17h has no printer', () => {
  const drives = {
    [L.DRIVE_FLOPPY_A]: { content: sleeper(2880) },
    [L.DRIVE_FLOPPY_B]: { content: sleeper(2880) },
  }
  const machine = new FirmwareMachine({ drives }).boot()
  const ports = [0, 2, 4, 6].filter((at) => machine.read16(0x400 + at) !== 0).length
  expect(ports).toBeGreaterThanOrEqual(1)
  expect(machine.call(0x11).ax).toBe(0x0063 | (ports << 9))
  expect(machine.call(0x17, { ax: 0x0041, dx: 0 }).ah).toBe(0x01)
})
