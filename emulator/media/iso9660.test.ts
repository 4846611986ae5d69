import { describe, expect, test } from 'vitest'
import { isoBootable, readIso } from './iso9660'
import { recognise } from './recognise'

/** A CD of 40 sectors by ECMA-119 and the El Torito specification; catalogue in sector 20, boot image in 24. */
function iso(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(40 * 2048)
  bytes.write('\x01CD001\x01', 0x8000)
  bytes.write('A LABEL'.padEnd(32), 0x8000 + 40)
  bytes.writeUInt32LE(40, 0x8000 + 80)
  bytes.writeUInt16LE(2048, 0x8000 + 128)
  bytes.write('\x00CD001\x01EL TORITO SPECIFICATION', 0x8800)
  bytes.writeUInt32LE(20, 0x8800 + 0x47)
  const at = 20 * 2048
  bytes[at] = 1
  bytes.writeUInt16LE(0xaa55, at + 30)
  bytes[at + 32] = 0x88
  bytes.writeUInt16LE(4, at + 32 + 6)
  bytes.writeUInt32LE(24, at + 32 + 8)
  change(bytes)
  let sum = 0
  for (let i = 0; i < 32; i += 2) if (i !== 28) sum += bytes.readUInt16LE(at + i)
  if (bytes.readUInt16LE(at + 28) === 0) bytes.writeUInt16LE(-sum & 0xffff, at + 28)
  return bytes
}
const reader = (bytes: Buffer) => (position: number, length: number) =>
  new Uint8Array(bytes.subarray(position, position + length))
const read = (bytes: Buffer) => readIso(reader(bytes), bytes.length)

test('label, size, one entry', () => {
  const volume = read(iso())
  expect(volume).toMatchObject({ label: 'A LABEL', sectors: 40, warnings: [] })
  expect(volume?.boot).toEqual({
    catalogue: 20,
    problem: undefined,
    entries: [{ platform: 'x86', bootable: true, emulation: 'none', segment: 0, sectors: 4, start: 24 }],
  })
  expect(isoBootable(volume)).toBe(true)
})

test('sections behind the default entry', () => {
  const volume = read(
    iso((bytes) => {
      const at = 20 * 2048 + 64
      bytes.set([0x91, 0xef, 2, 0], at)
      bytes.set([0x88, 0x20], at + 32)
      bytes.writeUInt32LE(30, at + 40)
      bytes.set([0x44, 0], at + 64) // more selection criteria
      bytes.set([0x00, 0x02], at + 96)
      bytes.writeUInt32LE(31, at + 104)
    }),
  )
  expect(volume?.boot?.entries.map(({ platform, emulation, start }) => [platform, emulation, start])).toEqual(
    [
      ['x86', 'none', 24],
      ['UEFI', 'none', 30],
      ['UEFI', 'floppy 1.44 MB', 31],
    ],
  )
})

describe('catalogues that are wrong', () => {
  test.each<[string, (bytes: Buffer) => void, string]>([
    [
      'behind the end',
      (bytes) => bytes.writeUInt32LE(4000, 0x8800 + 0x47),
      'sector 4000, lies behind the end',
    ],
    ['no validation entry', (bytes) => bytes.writeUInt8(7, 20 * 2048), 'validation entry is not there'],
    ['checksum', (bytes) => bytes.writeUInt16LE(1, 20 * 2048 + 28), 'checksum'],
    ['not bootable', (bytes) => bytes.writeUInt8(0, 20 * 2048 + 32), 'marked as not bootable'],
    ['media type', (bytes) => bytes.writeUInt8(9, 20 * 2048 + 33), 'unknown media type'],
    ['image beyond', (bytes) => bytes.writeUInt32LE(50, 20 * 2048 + 40), 'sector 50, is not on the CD'],
  ])('%s', (_name, change, said) => {
    const volume = read(iso(change))
    expect(volume?.boot?.problem).toContain(said)
    expect(volume?.warnings.join()).toContain(said)
    expect(isoBootable(volume)).toBe(false)
  })
})

test('a CD that was cut off, one that is no ISO, and noise', () => {
  const cut = iso().subarray(0, 30 * 2048 + 100)
  expect(recognise(cut, cut.length, undefined, reader(cut))).toMatchObject({
    kind: 'cdrom',
    sectors: 31 * 4,
    warnings: [expect.stringContaining('was cut off'), expect.stringContaining('100 of 2048')],
  })
  const blank = Buffer.alloc(8192)
  expect(recognise(blank, 8192, 'cdrom', reader(blank))).toMatchObject({ kind: 'cdrom', bootable: false })
  for (let seed = 1; seed < 200; seed++) {
    const noise = iso((bytes) => {
      for (let i = 20 * 2048; i < 22 * 2048; i++) bytes[i] = (Math.imul(i, seed * 2654435761) >>> 13) & 0xff
    })
    expect(read(noise)?.label).toBe('A LABEL')
  }
})

test('an isohybrid is a CD, and a disk for who asks', () => {
  const hybrid = iso((bytes) => {
    bytes.set([0x80, 0, 0, 0, 0x17, 0, 0, 0, 0, 0, 0, 0, 160, 0, 0, 0], 446)
    bytes.set([0x55, 0xaa], 510)
    bytes[446 + 8] = 1
    bytes[446 + 12] = 150
  })
  const as = (kind?: 'disk') => recognise(hybrid.subarray(0, 0x8800), hybrid.length, kind, reader(hybrid))
  expect(as()).toMatchObject({
    kind: 'cdrom',
    description: expect.stringContaining('hard-disk image as well'),
  })
  expect(as('disk')).toMatchObject({ kind: 'disk', sectors: 160, bootable: true })
})

test('what somebody says is a floppy', () => {
  const small = Buffer.alloc(20 * 1024)
  small.set([0x55, 0xaa], 510)
  expect(recognise(small, small.length, 'floppy', reader(small))).toMatchObject({
    kind: 'floppy',
    sectors: 720,
  })
  expect(recognise(small, 3 << 20, 'floppy', reader(small))).toMatchObject({ problem: 'too-large' })
})
