// Power-on and the search for a boot sector.
import { describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine, sleeper } from '../testing/firmware'
import { BIOS_BOOT_DRIVE, BIOS_BOOT_STATUS, BOOT_STATUS_NO_DEVICE, BOOT_STATUS_STARTED } from './state-layout'

const SECOND = 1_000_000_000
const floppy = () => ({ content: sleeper(2880) })
const disk = () => ({ content: sleeper(4096) })
const unsigned = () => ({ content: new Uint8Array(4096 * 512) })
const bios = (machine: FirmwareMachine, offset: number) => machine.view.getUint32(L.DEV_BIOS + offset, true)

describe('which device', () => {
  test.each([
    ['the disk when there is nothing else', { [L.DRIVE_ATA0]: disk() }, 0xff, 0x80],
    ['the floppy before the disk', { [L.DRIVE_FLOPPY_A]: floppy(), [L.DRIVE_ATA0]: disk() }, 0xff, 0x00],
    ['the disk when it is asked for', { [L.DRIVE_FLOPPY_A]: floppy(), [L.DRIVE_ATA0]: disk() }, 0x80, 0x80],
    [
      'the next when one cannot be booted',
      { [L.DRIVE_ATA0]: unsigned(), [L.DRIVE_ATA0 + 2]: disk() },
      0xff,
      0x81,
    ],
    ['the others when the one asked for is not there', { [L.DRIVE_ATA0]: disk() }, 0x00, 0x80],
  ])('%s', (_, drives, boot, number) => {
    const machine = new FirmwareMachine({ drives, boot }).boot()
    expect(machine.milestone(L.CLIMB_BOOT_SECTOR)).toBe(true)
    expect(bios(machine, BIOS_BOOT_STATUS)).toBe(BOOT_STATUS_STARTED)
    expect(bios(machine, BIOS_BOOT_DRIVE)).toBe(number)
    expect(machine.register('dx')).toBe(number)
  })

  test('the messages', () => {
    const drives = { [L.DRIVE_FLOPPY_A]: { content: new Uint8Array(2880 * 512) }, [L.DRIVE_ATA0]: disk() }
    const machine = new FirmwareMachine({ drives }).boot()
    expect(machine.screen).toBe(
      'Ringside BIOS\n4 MiB of memory, 1 processor\n\nBooting from Floppy...\n' +
        'Boot failed: not a bootable disk\n\nBooting from Hard Disk...',
    )
  })

  test('a disk that cannot be read', () => {
    const machine = new FirmwareMachine({
      drives: { [L.DRIVE_ATA0]: { content: new Uint8Array(0), sectors: 100 } },
    }).boot()
    expect(machine.screen).toContain('Booting from Hard Disk...\nBoot failed: could not read the boot disk')
  })

  test('nothing at all: says so, sleeps, and tries again at a key', () => {
    const machine = new FirmwareMachine({ drives: {} }).boot()
    machine.run(SECOND)
    expect(bios(machine, BIOS_BOOT_STATUS)).toBe(BOOT_STATUS_NO_DEVICE)
    expect(machine.screen.match(/No bootable device/g)).toHaveLength(1)
    const before = machine.view.getBigUint64(L.VCPUS + L.CPU_RETIRED, true)
    machine.run(10 * SECOND)
    expect(Number(machine.view.getBigUint64(L.VCPUS + L.CPU_RETIRED, true) - before)).toBeLessThan(20_000)
    machine.keys(0x29, 0x29 | L.KEY_RELEASE)
    expect(machine.screen.match(/No bootable device/g)).toHaveLength(2)
  })
})

describe('what a boot sector finds', () => {
  const machine = new FirmwareMachine({
    drives: { [L.DRIVE_FLOPPY_A]: floppy(), [L.DRIVE_ATA0]: disk() },
    boot: 0x80,
  }).boot()

  test('itself at 0000:7C00, DL, a stack, interrupts on, A20 off', () => {
    expect(machine.register('ip')).toBe(0x7c01)
    expect(machine.selector(L.SEG_CS)).toBe(0)
    expect([L.SEG_DS, L.SEG_ES, L.SEG_SS].map((index) => machine.selector(index))).toEqual([0, 0, 0])
    expect(machine.register('sp')).toBe(0x7c00)
    expect(machine.register('dx')).toBe(0x80)
    expect(machine.view.getUint32(L.VCPUS + L.CPU_RFLAGS, true) & 0x200).toBe(0x200)
    expect(machine.a20).toBe(false)
    expect(machine.read16(0x7dfe)).toBe(0xaa55)
  })

  test('vectors where IBM put them', () => {
    const vector = (n: number) => machine.read32(n * 4)
    expect(vector(0x08)).toBe(0xf000fea5)
    expect(vector(0x09)).toBe(0xf000e987)
    expect(vector(0x10)).toBe(0xf000f065)
    expect(vector(0x13)).toBe(0xf000e3fe)
    expect(vector(0x19)).toBe(0xf000e6f2)
    expect(vector(0x1e)).toBe(0xf000efc7)
    expect(vector(0x41)).toBe(0x9fc0003d)
    expect(vector(0x60)).toBe(0)
  })

  test('the BIOS data area', () => {
    expect(machine.read16(0x400)).toBe(0x3f8)
    expect(machine.read16(0x408)).toBe(0)
    expect(machine.read16(0x40e)).toBe(0x9fc0)
    expect(machine.read16(0x410) & 0x0031).toBe(0x0021) // one floppy, 80x25 colour
    expect(machine.read16(0x413)).toBe(639)
    expect(machine.read8(0x449)).toBe(3)
    expect(machine.read16(0x44a)).toBe(80)
    expect(machine.read16(0x463)).toBe(0x3d4)
    expect(machine.read8(0x475)).toBe(1)
    expect(machine.read8(0x484)).toBe(24)
    expect(machine.read8(0x485)).toBe(16)
    expect(machine.read8(0x9fc00)).toBe(1)
  })

  test('a clock that ticks 18.2 times a second and began at the time of day', () => {
    // 2026-01-01 00:00:00 UTC
    const before = machine.read32(0x46c)
    machine.run(10 * SECOND)
    expect(machine.read32(0x46c) - before).toBeGreaterThanOrEqual(181)
    expect(machine.read32(0x46c) - before).toBeLessThanOrEqual(183)
    const noon = new FirmwareMachine({ epoch: 1_767_225_600 + 12 * 3600 }).boot()
    expect(Math.abs(noon.read32(0x46c) - 0x1800b0 / 2)).toBeLessThan(20)
  })

  test('midnight', () => {
    machine.write(0x46c, [0xaf, 0x00, 0x18, 0x00])
    machine.write(0x470, [0])
    machine.run(0.06 * SECOND)
    expect(machine.read32(0x46c)).toBeLessThan(3)
    expect(machine.read8(0x470)).toBe(1)
  })
})

test('the ROM: entry, date, model, sum', () => {
  const machine = new FirmwareMachine()
  const rom = machine.u8.slice(L.ROM, L.ROM + L.ROM_SIZE)
  expect([...rom.subarray(0x1fff0, 0x1fff5)]).toEqual([0xea, 0x5b, 0xe0, 0x00, 0xf0])
  expect(Buffer.from(rom.subarray(0x1fff5, 0x1fffd)).toString()).toMatch(/^\d\d\/\d\d\/\d\d$/)
  expect(rom[0x1fffe]).toBe(0xfc)
  expect(rom.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
})

test('a system that reads a CD at once gets its data: the firmware has heard the unit attention of the reset', () => {
  const disc = Uint8Array.from({ length: 20 * 2048 }, (_, i) => (i >> 11) + i)
  const machine = new FirmwareMachine({
    drives: { [L.DRIVE_ATA0]: { content: sleeper(64) }, [L.DRIVE_ATA0 + 2]: { content: disc, cd: true } },
  }).boot()
  const { portRead, portWrite } = machine.exports
  for (const [register, value] of [
    [6, 0xa0],
    [1, 0],
    [4, 0x00],
    [5, 0x08],
    [7, 0xa0], // PACKET
  ] as const)
    portWrite(0x170 + register, 1, value)
  // READ(10) of sector 16
  for (const word of [0x0028, 0, 0x1000, 0, 0x0001, 0]) portWrite(0x170, 2, word)
  machine.run(1_000_000)
  expect(portRead(0x177, 1)).toBe(0x58)
  const words = Uint16Array.from({ length: 1024 }, () => portRead(0x170, 2))
  expect(Buffer.compare(new Uint8Array(words.buffer), disc.subarray(16 * 2048, 17 * 2048))).toBe(0)
})
