// INT 1Ah, INT 14h, INT 17h, INT 11h.
import { describe, expect, test } from 'vitest'
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
  expect(machine.call(0x11).ax).toBe(0x0067 | (ports << 9))
  expect(machine.call(0x17, { ax: 0x0041, dx: 0 }).ah).toBe(0x01)
})

describe('PCI BIOS', () => {
  const machine = new FirmwareMachine().boot()
  const call = (registers: Record<string, number>) => machine.call(0x1a, registers)

  test('present: version 2.10, mechanism 1, one bus', () => {
    expect(call({ ax: 0xb101 })).toMatchObject({ cf: false, ah: 0, al: 1, bx: 0x0210, edx: 0x20494350 })
  })

  test('finds by vendor and device, and by class; the next one, and none', () => {
    expect(call({ ax: 0xb102, ecx: 0x7010, edx: 0x8086 })).toMatchObject({ cf: false, ah: 0, bx: 0x0009 })
    expect(call({ ax: 0xb102, ecx: 0x7010, edx: 0x8086, si: 1 })).toMatchObject({ cf: true, ah: 0x86 })
    expect(call({ ax: 0xb102, ecx: 1, edx: 0xffff })).toMatchObject({ cf: true, ah: 0x83 })
    expect(call({ ax: 0xb103, ecx: 0x030000 })).toMatchObject({ cf: false, ah: 0, bx: 0x0010 })
    expect(call({ ax: 0xb103, ecx: 0xffffff })).toMatchObject({ cf: true, ah: 0x86 })
  })

  test('reads and writes configuration space in every size', () => {
    expect(call({ ax: 0xb108, bx: 9, di: 1 })).toMatchObject({ cf: false, ah: 0, ecx: 0x80 })
    expect(call({ ax: 0xb109, bx: 9, di: 2 }).ecx & 0xffff).toBe(0x7010)
    expect(call({ ax: 0xb10a, bx: 9, di: 0 }).ecx).toBe(0x70108086)
    expect(call({ ax: 0xb10b, bx: 9, di: 0x44, ecx: 0x5a })).toMatchObject({ cf: false, ah: 0 })
    expect(call({ ax: 0xb108, bx: 9, di: 0x44 }).ecx & 0xff).toBe(0x5a)
    expect(call({ ax: 0xb10c, bx: 9, di: 0x40, ecx: 0x8000 })).toMatchObject({ cf: false, ah: 0 })
    expect(call({ ax: 0xb109, bx: 9, di: 0x40 }).ecx & 0xffff).toBe(0x8000)
    for (const [ax, di] of [
      [0xb109, 1],
      [0xb10a, 2],
      [0xb10d, 3],
      [0xb108, 0x100],
    ] as const)
      expect(call({ ax, di })).toMatchObject({ cf: true, ah: 0x87 })
    expect(call({ ax: 0xb1ff })).toMatchObject({ cf: true, ah: 0x81 })
  })
})
