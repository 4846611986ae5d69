import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLOPPY_FORMATS } from './geometry'
import { type Medium, MediumError, openMedium, readAt } from './medium'

const seed = fileURLToPath(new URL('../../assets/guests/seed/', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function opened<T>(path: string, look: (medium: Medium) => T): T {
  const medium = openMedium(path)
  try {
    return look(medium)
  } finally {
    medium.close()
  }
}

function problem(path: string): MediumError {
  try {
    openMedium(path).close()
  } catch (error) {
    if (error instanceof MediumError) return error
    throw error
  }
  throw new Error(`${path} opened`)
}

function bootSector(size = 512): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes.set([0xfa, 0xf4, 0xeb, 0xfd])
  bytes.set([0x55, 0xaa], 510)
  return bytes
}

describe('what opens', () => {
  test.each(['p3-nostage2', 'p3', 'p4', 'p5', 'triple-fault'])('%s.img is a bootable hard disk', (name) => {
    opened(join(seed, `${name}.img`), ({ kind, bootable, warnings, sectors, size }) => {
      expect({ kind, bootable, warnings }).toEqual({ kind: 'disk', bootable: true, warnings: [] })
      expect(sectors * 512).toBe(size)
    })
  })

  test.each(FLOPPY_FORMATS)('$kib KiB is a floppy: $name', ({ kib, cylinders, heads, sectorsPerTrack }) => {
    const path = file(`floppy-${kib}.img`, bootSector(kib * 1024))
    opened(path, ({ kind, geometry, sectors }) => {
      expect(kind).toBe('floppy')
      expect(geometry).toEqual({ cylinders, heads, sectorsPerTrack })
      expect(cylinders * heads * sectorsPerTrack).toBe(sectors)
    })
  })

  test('a disk of floppy size with a partition table is a disk', () => {
    const bytes = bootSector(1440 * 1024)
    bytes.set([0x80, 1, 1, 0, 0x83, 15, 63, 2, 1, 0, 0, 0, 0x3f, 0x0b, 0, 0], 446)
    opened(file('partitioned.img', bytes), ({ kind }) => expect(kind).toBe('disk'))
  })

  test('one without 55 AA opens, with a warning', () => {
    const bytes = bootSector(4096)
    bytes[511] = 0
    opened(file('unsigned.img', bytes), ({ bootable, warnings }) => {
      expect(bootable).toBe(false)
      expect(warnings.join()).toContain('55 AA')
    })
  })

  test('one cut off in the middle of a sector opens, with a warning', () => {
    opened(file('cut.img', bootSector(1000)), ({ sectors, warnings }) => {
      expect(sectors).toBe(2)
      expect(warnings.join()).toContain('488 of 512')
    })
  })

  test('a cut-off floppy is still a floppy, because its file system says so', () => {
    // BIOS parameter block as mkfs.fat writes it on a 1.44 MB floppy: 512-byte sectors, 2880 of them, 18 a track, 2 heads
    const bytes = bootSector(100_000)
    bytes.set([0xeb, 0x3c, 0x90])
    bytes.set([0x00, 0x02, 1, 1, 0, 2, 0xe0, 0x00, 0x40, 0x0b, 0xf0, 9, 0, 18, 0, 2, 0], 0x0b)
    opened(file('cut-floppy.img', bytes), ({ kind, sectors, warnings }) => {
      expect({ kind, sectors }).toEqual({ kind: 'floppy', sectors: 2880 })
      expect(warnings.join()).toContain('cut off')
    })
  })

  test('8 TiB of nothing but a boot sector', () => {
    const path = file('sparse.img', bootSector())
    try {
      truncateSync(path, 8 * 2 ** 40)
    } catch {
      return // this file system has no sparse files of that size
    }
    opened(path, ({ kind, sectors, descriptor, geometry }) => {
      expect({ kind, sectors }).toEqual({ kind: 'disk', sectors: 2 ** 34 })
      expect(geometry).toEqual({ cylinders: 16383, heads: 16, sectorsPerTrack: 63 })
      expect(readAt(descriptor, 8 * 2 ** 40 - 512, 4096)).toEqual(new Uint8Array(512))
    })
  })

  test('an image is opened for reading only', () => {
    const path = file('mine.img', bootSector())
    chmodSync(path, 0o444)
    opened(path, ({ bootable }) => expect(bootable).toBe(true))
  })
})

describe('what does not open says why', () => {
  test('an empty file', () => {
    expect(problem(file('empty.img', ''))).toMatchObject({
      problem: 'empty',
      message: expect.stringContaining('empty'),
    })
  })
  test('a text file', () => {
    const path = file('notes.txt', 'Grüße! '.repeat(1000))
    expect(problem(path).message).toBe(`${path}: this is a text file, not a disk image`)
  })
  test('three bytes', () => {
    expect(problem(file('three', Uint8Array.of(1, 2, 3))).message).toContain('3 bytes cannot be a disk image')
  })
  test('a directory', () => {
    mkdirSync(join(folder, 'sub'))
    expect(problem(join(folder, 'sub')).problem).toBe('directory')
  })
  test('a file that is not there', () => {
    expect(problem(join(folder, 'absent.img'))).toMatchObject({
      problem: 'missing',
      message: expect.stringContaining('no such file'),
    })
  })
  test.skipIf(process.getuid?.() === 0)('a file without permission', () => {
    const path = file('secret.img', bootSector())
    chmodSync(path, 0)
    expect(problem(path).problem).toBe('permission')
  })
  test('a device', () => {
    expect(problem('/dev/null').problem).toBe('not-a-file')
  })
  test.each<[string, string, Uint8Array]>([
    ['qcow2', 'qcow2', Uint8Array.from([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])],
    ['VMDK', 'VMDK', Buffer.from('KDMV\x01\0\0\0')],
    ['ELF', 'ELF', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])],
    ['gzip', 'gzip', gzipSync('something')],
  ])('%s is named', (name, said, bytes) => {
    const { problem: kind, message } = problem(file(`foreign-${name}`, bytes))
    expect(kind).toBe('unsupported-format')
    expect(message).toContain(said)
    expect(message).toContain('cannot open yet')
  })
})
