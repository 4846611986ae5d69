// Booting from CDs, and INT 13h for them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine, sleeper } from '../testing/firmware'
import { type BootableCd, bootableCd, IMAGE_START, MEDIA } from '../testing/iso-writer'
import { BIOS_BOOT_DRIVE } from './state-layout'

const CD = L.DRIVE_ATA0 + 2
const PACKET = 0x6000
const BUFFER = 0x2000

/** An image whose sectors of 512 bytes begin with their number; the first one sleeps. */
function image(sectors: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512)
  for (let i = 1; i < sectors; i++) bytes[i * 512] = i & 0xff
  bytes.set(sleeper(1).subarray(0, 3))
  bytes.set([0x55, 0xaa], 510)
  return bytes
}
const boot = (cd: BootableCd | Uint8Array, others: Record<number, { content: Uint8Array }> = {}) =>
  new FirmwareMachine({
    drives: { ...others, [CD]: { content: cd instanceof Uint8Array ? cd : bootableCd(cd), cd: true } },
  }).boot()
const bootDrive = (machine: FirmwareMachine) => machine.view.getUint32(L.DEV_BIOS + BIOS_BOOT_DRIVE, true)

describe('a boot without emulation', () => {
  test('loads as many sectors as the catalogue says, to 0000:7C00, and DL is the CD', () => {
    const machine = boot({ image: image(20), count: 5 })
    expect(machine.screen).toContain('Booting from CD-ROM...')
    expect([machine.register('dx'), machine.register('ip') >> 4, machine.selector(L.SEG_CS)]).toEqual([
      0xe0, 0x7c0, 0,
    ])
    expect([1, 4, 5].map((i) => machine.read8(0x7c00 + i * 512))).toEqual([1, 4, 0])
    expect(bootDrive(machine)).toBe(0xe0)
  })

  test('to another segment, at offset 0', () => {
    const machine = boot({ image: image(8), segment: 0x2000 })
    expect([machine.selector(L.SEG_CS), machine.register('ip') < 4, machine.read8(0x20200)]).toEqual([
      0x2000,
      true,
      1,
    ])
  })

  test('INT 13h/4B01h tells what was booted', () => {
    const machine = boot({ image: image(8) })
    const { cf } = machine.call(0x13, { ax: 0x4b01, dx: 0xe0, si: PACKET })
    expect(cf).toBe(false)
    expect([...machine.bytes(PACKET, 0x13)]).toEqual([
      0x13,
      0,
      0xe0,
      1,
      IMAGE_START,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      0,
    ])
    expect(machine.call(0x13, { ax: 0x4b01, dx: 0x80, si: PACKET })).toMatchObject({ cf: true, ah: 1 })
  })
})

describe('a boot with emulation', () => {
  test('of a floppy: it is drive 00h, the real one moves up, and ending it gives the number back', () => {
    const floppy = new Uint8Array(2880 * 512)
    const machine = boot(
      { image: image(2880), media: MEDIA.floppy144, count: 1 },
      { [L.DRIVE_FLOPPY_A]: { content: floppy } },
    )
    expect(machine.register('dx')).toBe(0)
    expect(machine.call(0x13, { ax: 0x0800, dx: 0 })).toMatchObject({
      cf: false,
      cx: 0x4f12,
      dx: 0x0102,
      bx: 4,
    })
    expect(machine.call(0x13, { ax: 0x0203, cx: 0x0105, dx: 0x0100, bx: BUFFER })).toMatchObject({
      cf: false,
      al: 3,
    })
    expect([0, 1, 2].map((i) => machine.read8(BUFFER + i * 512))).toEqual([58, 59, 60])
    expect(machine.call(0x13, { ax: 0x0301, cx: 1, dx: 0, bx: BUFFER })).toMatchObject({ cf: true, ah: 3 })
    expect(machine.call(0x13, { ax: 0x0201, cx: 0x0002, dx: 1, bx: BUFFER })).toMatchObject({ cf: false })
    expect(machine.read8(BUFFER)).toBe(0)
    expect(machine.call(0x13, { ax: 0x4b00, dx: 0x7f, si: PACKET })).toMatchObject({ cf: false })
    expect([...machine.bytes(PACKET, 3), ...machine.bytes(PACKET + 16, 3)]).toEqual([0x13, 2, 0, 79, 18, 1])
    machine.call(0x13, { ax: 0x0201, cx: 0x0002, dx: 0, bx: BUFFER })
    expect(machine.read8(BUFFER)).toBe(0)
  })

  test('of a hard disk: 80h, with the geometry of its partition', () => {
    const disk = image(4 * 17 * 10)
    disk.set([0x80, 1, 1, 0, 0x06, 3, 17, 9, 17, 0, 0, 0, 0x97, 0x02, 0, 0], 446)
    const machine = boot(
      { image: disk, media: MEDIA.disk, count: 1 },
      { [L.DRIVE_ATA0]: { content: new Uint8Array(4096 * 512) } },
    )
    expect(machine.register('dx')).toBe(0x80)
    expect(machine.call(0x13, { ax: 0x0800, dx: 0x80 })).toMatchObject({
      cf: false,
      cx: 0x0911,
      dx: 0x0302,
    })
    expect(machine.call(0x13, { ax: 0x0201, cx: 0x0103, dx: 0x0280, bx: BUFFER })).toMatchObject({
      cf: false,
    })
    expect(machine.read8(BUFFER)).toBe((1 * 4 + 2) * 17 + 2)
    machine.call(0x13, { ax: 0x0201, cx: 0x0002, dx: 0x81, bx: BUFFER })
    expect(machine.read8(BUFFER)).toBe(0)
  })
})

describe('what cannot be booted says why, on the screen and on COM1, and the next device has its chance', () => {
  const no = (cd: Omit<BootableCd, 'image'> & { image?: Uint8Array }) =>
    bootableCd({ image: image(8), ...cd })
  test.each<[string, Uint8Array, string]>([
    [
      'no boot record',
      no({ damage: (disc) => disc.fill(0, 17 * 2048, 18 * 2048) }),
      'no El Torito boot record',
    ],
    [
      'a catalogue beyond the end',
      no({ damage: (disc) => disc.writeUInt32LE(99999, 17 * 2048 + 0x47) }),
      'catalogue of this CD cannot be read',
    ],
    ['no validation entry', no({ damage: (disc) => disc.writeUInt8(9, 20 * 2048) }), 'no validation entry'],
    ['a wrong checksum', no({ damage: (disc) => disc.writeUInt8(9, 20 * 2048 + 5) }), 'wrong checksum'],
    ['another machine', no({ entry: (c) => c.setUint8(1, 0xef) }), 'other machines only'],
    ['not bootable', no({ entry: (c) => c.setUint8(32, 0) }), 'not bootable'],
    ['media type 7', no({ media: 7 }), 'unknown media type'],
    [
      'an image beyond the end',
      no({ entry: (c) => c.setUint32(40, 5000, true) }),
      'behind the end of the CD',
    ],
    ['an image over the ROM', no({ count: 0xffff }), 'does not fit below 640 KiB'],
    ['an image over the vectors', no({ segment: 1 }), 'does not fit'],
    ['a disk without partitions', no({ media: MEDIA.disk }), 'no usable partition table'],
    ['truncated in sector 17', no({}).subarray(0, 17 * 2048), 'no El Torito boot record'],
  ])('%s', (_name, content, said) => {
    const machine = boot(content, { [L.DRIVE_ATA0 + 3]: { content: sleeper(4096) } })
    machine.view.setUint32(L.HEADER + L.HDR_BOOT_ORDER, L.BOOT_CDROM | (L.BOOT_DISK << 8), true)
    expect(bootDrive(machine)).toBe(0x80)
    const again = new FirmwareMachine({ drives: { [CD]: { content, cd: true } } })
    again.run(1_000_000_000)
    expect(again.screen.replaceAll('\n', '')).toContain(said)
    expect(again.serial).toContain(`Boot failed: `)
    expect(again.serial).toContain(said)
    expect(again.screen).toContain('No bootable device')
  })
})

test('the order is the one that is asked for, and an empty CD drive is passed over', () => {
  const disk = { content: sleeper(4096) }
  const drives = { [L.DRIVE_ATA0]: disk, [CD]: { content: bootableCd({ image: image(8) }), cd: true } }
  const booted = (order: number, what: ConstructorParameters<typeof FirmwareMachine>[0]) => {
    const machine = new FirmwareMachine(what)
    machine.view.setUint32(L.HEADER + L.HDR_BOOT_ORDER, order, true)
    return bootDrive(machine.boot())
  }
  expect(booted(0, { drives })).toBe(0x80)
  expect(booted(L.BOOT_CDROM | (L.BOOT_DISK << 8), { drives })).toBe(0xe0)
  const empty = { [L.DRIVE_ATA0]: disk, [CD]: { content: new Uint8Array(0), cd: true } }
  expect(booted(L.BOOT_CDROM | (L.BOOT_DISK << 8), { drives: empty })).toBe(0x80)
})

describe('INT 13h for CD drives', () => {
  const disc = bootableCd({ image: image(40) })
  const machine = boot(disc)
  const call = (ax: number, more: Record<string, number> = {}) =>
    machine.call(0x13, { ax, dx: 0xe0, si: PACKET, ...more })
  const packet = (lba: number, count: number) => {
    machine.write(PACKET, [0x10, 0, count & 0xff, count >> 8, BUFFER & 0xff, BUFFER >> 8, 0, 0])
    machine.write(PACKET + 8, [lba & 0xff, (lba >> 8) & 0xff, lba >> 16, 0, 0, 0, 0, 0])
  }

  test('41h: packets, removable, EDD', () => {
    expect(call(0x4100, { bx: 0x55aa })).toMatchObject({ cf: false, ah: 0x30, bx: 0xaa55, cx: 7 })
    expect(call(0x4100, { bx: 0 })).toMatchObject({ cf: true, ah: 1 })
  })

  test('42h, 44h, 47h, 43h: sectors of 2048 bytes', () => {
    packet(IMAGE_START, 3)
    expect(call(0x4200)).toMatchObject({ cf: false, ah: 0 })
    expect(
      Buffer.compare(
        machine.bytes(BUFFER, 3 * 2048),
        disc.slice(IMAGE_START * 2048, (IMAGE_START + 3) * 2048),
      ),
    ).toBe(0)
    expect(call(0x4400)).toMatchObject({ cf: false })
    expect(call(0x4700)).toMatchObject({ cf: false })
    expect(call(0x4300)).toMatchObject({ cf: true, ah: 3 })
    packet(99999, 1)
    expect(call(0x4200)).toMatchObject({ cf: true, ah: 1 })
    expect(machine.read16(PACKET + 2)).toBe(0)
    expect(call(0x4700)).toMatchObject({ cf: true, ah: 1 })
    expect(call(0x0201, { cx: 1, bx: BUFFER })).toMatchObject({ cf: true, ah: 1 }) // there are no cylinders
  })

  test('48h: size, flags, and the device path', () => {
    machine.write(PACKET, [74, 0])
    expect(call(0x4800)).toMatchObject({ cf: false })
    expect([
      machine.read16(PACKET),
      machine.read16(PACKET + 2),
      machine.read32(PACKET + 16),
      machine.read16(PACKET + 24),
    ]).toEqual([66, 0x34, disc.length / 2048, 2048])
    const text = String.fromCharCode(...machine.bytes(PACKET + 36, 12))
    expect(text).toBe('PCI ATAPI   ')
    expect([...machine.bytes(PACKET + 48, 4)]).toEqual([0, 1, 1, 1])
    expect(machine.bytes(PACKET + 30, 36).reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
  })

  test('45h, 46h, 49h: lock, eject, changed', () => {
    expect(call(0x4500)).toMatchObject({ cf: false, al: 1 })
    expect(call(0x4600)).toMatchObject({ cf: true, ah: 0xb1 })
    expect(call(0x4501)).toMatchObject({ cf: false, al: 0 })
    expect(call(0x4501)).toMatchObject({ cf: true, ah: 0xb0 })
    expect(call(0x4900)).toMatchObject({ cf: false })
    expect(call(0x4600)).toMatchObject({ cf: false })
    packet(IMAGE_START, 1)
    expect(call(0x4200)).toMatchObject({ cf: true, ah: 0x31 })
    machine.view.setUint32(L.DRIVES + CD * L.DRIVE_SIZE + L.DRIVE_TRAY, 0, true)
    machine.view.setUint32(L.DRIVES + CD * L.DRIVE_SIZE + L.DRIVE_MEDIUM, 2, true)
    expect(call(0x4900)).toMatchObject({ cf: true, ah: 6 })
    expect(call(0x4900)).toMatchObject({ cf: false })
    expect(call(0x4200)).toMatchObject({ cf: false })
  })

  test('4Dh: the boot catalogue; 4Ah: an emulation by hand; 4Ch: one that boots', () => {
    machine.write(PACKET, [8, 1, BUFFER & 0xff, BUFFER >> 8, 0, 0, 0, 0])
    expect(call(0x4d00)).toMatchObject({ cf: false })
    expect([machine.read8(BUFFER), machine.read8(BUFFER + 32)]).toEqual([1, 0x88])
    machine.write(PACKET, [
      0x13,
      MEDIA.floppy144,
      0,
      1,
      IMAGE_START,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x30,
      1,
      0,
      0,
      0,
      0,
    ])
    expect(call(0x4a00)).toMatchObject({ cf: false })
    expect(machine.call(0x13, { ax: 0x0201, cx: 2, dx: 0, bx: BUFFER })).toMatchObject({ cf: false })
    expect(machine.read8(BUFFER)).toBe(1)
    expect(machine.call(0x13, { ax: 0x4b00, dx: 0, si: PACKET })).toMatchObject({ cf: false })
    expect(() => call(0x4c00)).toThrow('did not return')
    expect(machine.selector(L.SEG_CS)).toBe(0x3000)
  })
})

const xorriso = spawnSync('xorriso', ['-version']).status === 0
test.skipIf(!xorriso)('a CD that xorriso made boots like our own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-iso-'))
  try {
    writeFileSync(join(folder, 'boot.bin'), image(8))
    const iso = join(folder, 'out.iso')
    const args = [
      '-as',
      'mkisofs',
      '-quiet',
      '-V',
      'BY XORRISO',
      '-b',
      'boot.bin',
      '-c',
      'boot.cat',
      '-no-emul-boot',
      '-boot-load-size',
      '4',
      '-o',
      iso,
      folder,
    ]
    expect(spawnSync('xorriso', args).status).toBe(0)
    const machine = boot(new Uint8Array(readFileSync(iso)))
    expect([machine.register('dx'), machine.read8(0x7e00)]).toEqual([0xe0, 1])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
