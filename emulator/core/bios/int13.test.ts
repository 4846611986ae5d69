// INT 13h, against the tables of the IBM PS/2 and PC BIOS Interface Technical Reference and the EDD specification.
import { beforeAll, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine, sleeper } from '../testing/firmware'

const BUFFER = 0x9000
const PACKET = 0x600

/** Sector n holds n in its first four bytes, and n's low byte everywhere after. */
function numbered(sectors: number): Uint8Array<ArrayBuffer> {
  const image = sleeper(sectors)
  const view = new DataView(image.buffer)
  for (let n = 1; n < sectors; n++) {
    image.fill(n, n * 512, (n + 1) * 512)
    view.setUint32(n * 512, n, true)
  }
  return image
}

let machine: FirmwareMachine
let content: Uint8Array
beforeAll(() => {
  content = numbered(20_000)
  machine = new FirmwareMachine({
    drives: {
      [L.DRIVE_FLOPPY_A]: { content: numbered(2880) },
      [L.DRIVE_FLOPPY_B]: { content: numbered(1440), geometry: [80, 2, 9], readOnly: true },
      [L.DRIVE_ATA0]: { content },
      [L.DRIVE_ATA0 + 1]: { content: new Uint8Array(0), sectors: 8 * 1024 * 1024 * 2 }, // 8 GiB
      [L.DRIVE_ATA0 + 3]: { content: new Uint8Array(0), sectors: 3 * 1024 * 1024 * 2 }, // 3 GiB
    },
    boot: 0x80,
  }).boot()
})

const int13 = (ax: number, dx: number, rest = {}) => machine.call(0x13, { ax, dx, bx: BUFFER, ...rest })

function packet(count: number, lba: number | bigint, address = BUFFER, size = 16) {
  const bytes = new DataView(new ArrayBuffer(24))
  bytes.setUint8(0, size)
  bytes.setUint16(2, count, true)
  bytes.setUint16(4, address & 15, true)
  bytes.setUint16(6, address >> 4, true)
  bytes.setBigUint64(8, BigInt(lba), true)
  machine.write(PACKET, new Uint8Array(bytes.buffer))
}
const extended = (ax: number, dx: number) => machine.call(0x13, { ax, dx, si: PACKET })

describe('cylinder, head, sector', () => {
  test.each([
    [0x80, 0, 0, 2, 1],
    [0x80, 0, 1, 1, 63],
    [0x80, 1, 0, 1, 1008],
    [0x80, 18, 15, 63, 19151],
    [0x00, 0, 1, 1, 18],
    [0x00, 79, 1, 18, 2879],
    [0x01, 1, 0, 9, 26],
  ])('drive %i, %i/%i/%i is sector %i', (dl, cylinder, head, sector, lba) => {
    const cx = ((cylinder & 0xff) << 8) | ((cylinder >> 2) & 0xc0) | sector
    const answer = int13(0x0201, (head << 8) | dl, { cx })
    expect(answer).toMatchObject({ cf: false, ah: 0, al: 1 })
    expect(machine.read32(BUFFER)).toBe(lba)
    expect(machine.read8(BUFFER + 511)).toBe(lba & 0xff)
  })

  test('many sectors, over the end of the track', () => {
    expect(int13(0x0240, 0x80, { cx: 0x0021, bx: 0x1000, es: 0x2000 })).toMatchObject({
      cf: false,
      ah: 0,
      al: 64,
    })
    for (let i = 0; i < 64; i++) expect(machine.read32(0x21000 + i * 512)).toBe(32 + i)
  })

  test.each([
    ['no sectors', 0x0200, 0x0001, 0x80, 0x01],
    ['too many', 0x0281, 0x0001, 0x80, 0x01],
    ['sector 0', 0x0201, 0x0000, 0x80, 0x01],
    ['a sector past the track', 0x0201, 19, 0x00, 0x04],
    ['a head too many', 0x0201, 0x0001, 0x0280, 0x04],
    ['a cylinder too many', 0x0201, 0xff01, 0x80, 0x04],
    ['no such disk', 0x0201, 0x0001, 0x83, 0x01],
    ['no such floppy', 0x0201, 0x0001, 0x02, 0x01],
    ['no such function', 0xee01, 0x0001, 0x80, 0x01],
  ])('%s', (name, ax, cx, dx, status) => {
    const head = name === 'a head too many' ? 0x1080 : dx
    machine.write(BUFFER, [1, 2, 3])
    expect(int13(ax, head, { cx })).toMatchObject({ cf: true, ah: status })
    expect([...machine.bytes(BUFFER, 3)]).toEqual([1, 2, 3])
    expect(machine.read8(dx & 0x80 ? 0x474 : 0x441)).toBe(status)
    expect(int13(0x0100, head)).toMatchObject({ cf: true, ah: status })
    expect(int13(0x0100, head)).toMatchObject({ cf: false, ah: 0 })
  })

  test('past the end of the disk within the geometry', () => {
    // 20,000 sectors are 19 cylinders and 848 sectors: the last ones can only be had by LBA.
    expect(int13(0x0202, 0x0f80, { cx: 0x123f })).toMatchObject({ cf: false, ah: 0 })
    packet(2, 19_999)
    expect(extended(0x4200, 0x80)).toMatchObject({ cf: true, ah: 0x01 })
    expect(machine.read16(PACKET + 2)).toBe(0)
  })

  test('writes reach the medium, verify does not touch memory', () => {
    machine.write(BUFFER, [0xde, 0xad])
    expect(int13(0x0301, 0x80, { cx: 0x0006 })).toMatchObject({ cf: false, ah: 0, al: 1 })
    expect([...content.subarray(5 * 512, 5 * 512 + 2)]).toEqual([0xde, 0xad])
    expect(int13(0x0401, 0x80, { cx: 0x0007 })).toMatchObject({ cf: false, ah: 0 })
    expect([...machine.bytes(BUFFER, 2)]).toEqual([0xde, 0xad])
  })

  test('write protection', () => {
    expect(int13(0x0301, 0x01, { cx: 0x0001 })).toMatchObject({ cf: true, ah: 0x03 })
  })

  test('a medium that fails', () => {
    expect(int13(0x0201, 0x81, { cx: 0x0001 })).toMatchObject({ cf: true, ah: 0x20, al: 0 })
  })
})

describe('drive parameters', () => {
  test('floppy: geometry, type, how many, the parameter table', () => {
    expect(int13(0x0800, 0x00)).toMatchObject({
      cf: false,
      ah: 0,
      bx: 4,
      cx: 0x4f12,
      dx: 0x0102,
      es: 0xf000,
      di: 0xefc7,
    })
    expect(int13(0x0800, 0x01)).toMatchObject({ cf: false, ah: 0, bx: 3, cx: 0x4f09, dx: 0x0102 })
  })

  test('disk: as it is while it fits, translated when it is large', () => {
    expect(int13(0x0800, 0x80)).toMatchObject({ cf: false, ah: 0, cx: 0x123f, dx: 0x0f03 })
    // 3 GiB = 6,291,456 sectors: 128 heads, 780 cylinders. 8 GiB: 255 heads, 1024 cylinders.
    expect(int13(0x0800, 0x82)).toMatchObject({
      cf: false,
      cx: ((779 & 0xff) << 8) | ((779 >> 2) & 0xc0) | 63,
      dx: 0x7f03,
    })
    expect(int13(0x0800, 0x81)).toMatchObject({ cf: false, cx: 0xffff, dx: 0xfe03 })
  })

  test('a drive that is not there', () => {
    expect(int13(0x0800, 0x90)).toMatchObject({ cf: true, ah: 0x01 })
    expect(int13(0x1500, 0x90)).toMatchObject({ cf: false, ah: 0 })
  })

  test('type', () => {
    expect(int13(0x1500, 0x00)).toMatchObject({ cf: false, ah: 2 }) // with change line
    expect(int13(0x1500, 0x80)).toMatchObject({ cf: false, ah: 3, cx: 0, dx: 20_000 })
  })
})

describe('extensions', () => {
  test('installed for disks, not for floppies', () => {
    expect(machine.call(0x13, { ax: 0x4100, bx: 0x55aa, dx: 0x80 })).toMatchObject({
      cf: false,
      ah: 0x30,
      bx: 0xaa55,
      cx: 5,
    })
    expect(machine.call(0x13, { ax: 0x4100, bx: 0x55aa, dx: 0x00 })).toMatchObject({ cf: true, ah: 0x01 })
  })

  test('read by LBA', () => {
    packet(3, 19_997)
    expect(extended(0x4200, 0x80)).toMatchObject({ cf: false, ah: 0 })
    expect(machine.read16(PACKET + 2)).toBe(3)
    expect(machine.read32(BUFFER + 1024)).toBe(19_999)
  })

  test('more than a transfer buffer at once', () => {
    packet(600, 1, 0x20000)
    expect(extended(0x4200, 0x80)).toMatchObject({ cf: false, ah: 0 })
    for (const i of [0, 255, 256, 511, 512, 599]) expect(machine.read32(0x20000 + i * 512)).toBe(i + 1)
  })

  test('write by LBA', () => {
    machine.write(BUFFER, [0xbe, 0xef])
    packet(1, 9)
    expect(extended(0x4300, 0x80)).toMatchObject({ cf: false, ah: 0 })
    expect([...content.subarray(9 * 512, 9 * 512 + 2)]).toEqual([0xbe, 0xef])
  })

  test.each([
    ['an address past the end', 1, 20_000n, 16],
    ['an address of 64 bits', 1, 0xffff_ffff_ffff_ffffn, 16],
    ['a packet too small', 1, 0n, 15],
  ])('%s', (_, count, lba, size) => {
    packet(count, lba, BUFFER, size)
    expect(extended(0x4200, 0x80)).toMatchObject({ cf: true, ah: 0x01 })
  })

  test('a flat 64-bit buffer address, above 1 MiB too', () => {
    machine.call(0x15, { ax: 0x2401 })
    packet(1, 77, BUFFER, 24)
    machine.view.setUint32(machine.at(PACKET + 4), 0xffffffff, true)
    machine.view.setBigUint64(machine.at(PACKET + 16), 0x20_0000n, true)
    expect(extended(0x4200, 0x80)).toMatchObject({ cf: false, ah: 0 })
    expect(machine.read32(0x20_0000)).toBe(77)
    machine.call(0x15, { ax: 0x2400 })
  })

  test('a buffer that is ROM, video memory or nothing: answered, and memory as it was', () => {
    for (const address of [0xf0000, 0xd0000]) {
      packet(1, 77, address)
      expect(extended(0x4200, 0x80)).toMatchObject({ cf: false, ah: 0 })
    }
    expect([...machine.u8.subarray(L.ROM + 0x1fff0, L.ROM + 0x1fff3)]).toEqual([0xea, 0x5b, 0xe0])
  })

  test('parameters', () => {
    machine.write(PACKET, [30, 0])
    expect(extended(0x4800, 0x80)).toMatchObject({ cf: false, ah: 0 })
    expect([0, 4, 8, 12].map((at) => (at ? machine.read32(PACKET + at) : machine.read16(PACKET)))).toEqual([
      30, 19, 16, 63,
    ])
    expect(machine.read64(PACKET + 16)).toBe(20_000n)
    expect(machine.read16(PACKET + 24)).toBe(512)
    const table = machine.read16(PACKET + 26) + machine.read16(PACKET + 28) * 16
    expect(machine.read16(table)).toBe(0x1f0)
    expect(machine.read16(table + 2)).toBe(0x3f6)
    expect(machine.bytes(table, 16).reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
    machine.write(PACKET, [20, 0])
    expect(extended(0x4800, 0x80)).toMatchObject({ cf: true, ah: 0x01 })
  })
})
