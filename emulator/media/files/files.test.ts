// Files inside images: made by mke2fs, mtools and xorriso where they are installed, and byte by byte; and damaged.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesSource } from '../elf'
import { FileSystemError } from './file-system'
import { findKernel, namedKernels } from './find-kernel'
import { extImage, fatFloppy, inPartition, isoImage, type Made } from './made-images'
import { openVolumes } from './volumes'

const guests = fileURLToPath(new URL('../../../assets/guests/tests/', import.meta.url))
const kernel = new Uint8Array(readFileSync(join(guests, 'multiboot2.elf')))
const has = (command: string) => spawnSync(command, ['--version']).error === undefined

let seed = 7
const noise = (length: number) =>
  Uint8Array.from({ length }, () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16)
const holed = noise(200_000)
holed.fill(0, 30_000, 90_000)
const FILES: Made = {
  'boot/limine.conf': Buffer.from(
    'timeout: 3\n\n/Made\n    protocol: limine\n    path: boot():/boot/Kernel With A Long Name.elf\n',
  ),
  'boot/Kernel With A Long Name.elf': kernel,
  'a/b/c/d/e/noise': noise(70_000),
  'a/holes': holed,
  'a/empty': new Uint8Array(0),
}
const MAKE = { FAT12: fatFloppy, 'ISO 9660 with Rock Ridge': isoImage, ext2: extImage }

describe.each(Object.entries(MAKE))('%s made by hand', (kind, make) => {
  const image = make(FILES)
  test('gives each file as it is, whole and in parts', () => {
    const [volume, ...more] = openVolumes(bytesSource(image))
    expect(more).toEqual([])
    expect(volume!.files.kind).toBe(kind)
    expect(volume!.files.label).toMatch(/^made$/i)
    for (const [path, bytes] of Object.entries(FILES)) {
      const content = volume!.files.open(path)!
      expect(content.size).toBe(bytes.length)
      expect(Buffer.compare(content.read(0, bytes.length + 10), bytes)).toBe(0)
      for (const [at, length] of [
        [1, 513],
        [511, 2],
        [12 * 1024 - 1, 5000],
        [Math.max(0, bytes.length - 3), 10],
        [bytes.length, 1],
      ] as const)
        expect(
          Buffer.compare(content.read(at, length), bytes.subarray(Math.max(0, at), Math.max(0, at + length))),
        ).toBe(0)
    }
    expect(
      volume!.files
        .list('a')!
        .map(({ name, kind }) => `${name} ${kind}`)
        .toSorted(),
    ).toEqual(['b folder', 'empty file', 'holes file'])
    expect(volume!.files.list('/a/../A/./b')).toEqual([{ name: 'c', kind: 'folder' }])
    expect(volume!.files.open('a')).toBeUndefined()
    expect(volume!.files.list('a/holes')).toBeUndefined()
    expect(volume!.files.open('a/b/none')).toBeUndefined()
  })

  test('the kernel that Limine is told to start is found, in a partition too', () => {
    for (const [bytes, where] of [
      [image, 'the whole image'],
      [inPartition(image), 'partition 1'],
    ] as const) {
      const found = findKernel(bytesSource(bytes))!
      expect(found).toMatchObject({
        kind,
        where,
        path: '/boot/Kernel With A Long Name.elf',
        named: '/boot/limine.conf',
      })
      expect(Buffer.compare(found.content.read(0, found.content.size), kernel)).toBe(0)
    }
  })

  test('damage costs files, never a crash or a hang', () => {
    const used = image.findLastIndex((byte) => byte !== 0) + 1
    const damage = fc.array(fc.tuple(fc.nat(Math.min(used, 90_000)), fc.nat(255)), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(damage, fc.option(fc.nat(used)), (bytes, cut) => {
        const copy = image.slice(0, cut ?? used)
        for (const [at, value] of bytes) if (at < copy.length) copy[at] = value
        const source = bytesSource(copy)
        for (const { files } of openVolumes(source)) {
          for (const path of Object.keys(FILES)) {
            try {
              const content = files.open(path)
              content?.read(0, Math.min(content.size, 1 << 20))
              files.list(path.slice(0, path.lastIndexOf('/')))
            } catch (error) {
              if (!(error instanceof FileSystemError)) throw error
            }
          }
        }
        findKernel(source)
      }),
      { numRuns: 60 },
    )
  })
})

test('without a configuration, what looks most like a kernel is found; packed by gzip too', () => {
  const other = {
    'bin/tool': new Uint8Array(readFileSync(join(guests, 'multiboot1.elf'))),
    'notes.txt': Buffer.from('x'),
  }
  const image = extImage({ ...other, 'sys/kernel.elf': kernel })
  expect(findKernel(bytesSource(image))).toMatchObject({ path: '/sys/kernel.elf', named: undefined })
  const packed = extImage({
    'boot/grub/grub.cfg': Buffer.from('menuentry "x" {\n  multiboot2 ($root)/boot/k.gz a=b\n}\n'),
    'boot/k.gz': gzipSync(kernel),
  })
  const found = findKernel(bytesSource(packed))!
  expect(found).toMatchObject({ path: '/boot/k.gz', named: '/boot/grub/grub.cfg' })
  expect(Buffer.compare(found.content.read(0, found.content.size), kernel)).toBe(0)
  expect(findKernel(bytesSource(extImage({ 'notes.txt': Buffer.from('x') })))).toBeUndefined()
  expect(findKernel(bytesSource(new Uint8Array(100)))).toBeUndefined()
})

test('paths of kernels in the words of each boot loader', () => {
  const hash = 'a'.repeat(128)
  expect(
    namedKernels(
      [
        'KERNEL_PATH=boot:///boot/old.elf',
        `  kernel_path: boot(2):/boot/new.elf#${hash}`,
        'path: guid(12-34):/k',
        '  multiboot /boot/kernel.bin some arguments',
        'multiboot2 (hd0,msdos1)/b',
        'linux $root/vmlinuz root=/dev/sda',
        'KERNEL mboot.c32',
        'APPEND kernel.elf --- module',
        'timeout=5',
      ].join('\r\n'),
    ),
  ).toEqual([
    '/boot/old.elf',
    '/boot/new.elf',
    '/k',
    '/boot/kernel.bin',
    '/b',
    '/vmlinuz',
    '/mboot.c32',
    '/kernel.elf',
  ])
})

describe('made by others', () => {
  let folder = ''
  const from = () => join(folder, 'from')
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { stdio: 'pipe', env: { ...process.env, MTOOLS_SKIP_CHECK: '1' } })
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringside-files-'))
    for (const tree of [from(), join(folder, 'no-links')]) {
      for (const [path, bytes] of Object.entries(FILES)) {
        mkdirSync(join(tree, path, '..'), { recursive: true })
        writeFileSync(join(tree, path), bytes)
      }
      for (let i = 0; i < 300; i++) writeFileSync(join(tree, 'a/b', `file number ${i}`), String(i))
      // Too long for an inode, and not for its attributes.
      writeFileSync(join(tree, 'a/b', 'short'), 'x'.repeat(100))
    }
    symlinkSync('../a/b/c', join(from(), 'a/link'))
    symlinkSync('/a/'.padEnd(80, '/').concat('holes'), join(from(), 'a/b/long-link'))
    symlinkSync('loop', join(from(), 'a/loop'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const check = (path: string, kind: string, links: boolean) => {
    const troubles: string[] = []
    const volume = openVolumes(bytesSource(new Uint8Array(readFileSync(path))), troubles).find(
      (each) => each.files.kind === kind,
    )!
    expect(troubles).toEqual([])
    expect(volume).toBeDefined()
    for (const [name, bytes] of Object.entries(FILES)) {
      const content = volume.files.open(name)!
      expect([name, Buffer.compare(content.read(0, content.size), bytes)]).toEqual([name, 0])
    }
    expect(volume.files.list('a/b')!.filter(({ name }) => name.startsWith('file number')).length).toBe(300)
    for (const i of [0, 17, 299])
      expect(Buffer.from(volume.files.open(`a/b/file number ${i}`)!.read(0, 9)).toString()).toBe(String(i))
    expect(Buffer.from(volume.files.open('a/b/short')!.read(0, 200)).toString()).toBe('x'.repeat(100))
    if (!links) return
    expect(volume.files.open('a/link/d/e/noise')!.size).toBe(70_000)
    expect(volume.files.open('a/b/long-link')!.size).toBe(200_000)
    expect(() => volume.files.open('a/loop')).toThrow(FileSystemError)
  }

  test.skipIf(!has('mke2fs')).each([
    ['ext2', '-t ext2 -b 1024'],
    ['ext3', '-t ext3 -b 4096'],
    ['ext4', '-t ext4 -b 1024'],
    ['ext4', '-t ext4 -b 4096 -O inline_data,64bit -I 256'],
    ['ext4', '-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode,64bit'],
  ])('%s of mke2fs %s', (kind, options) => {
    const image = join(folder, 'ext.img')
    writeFileSync(image, '')
    truncateSync(image, 32 << 20)
    run('mke2fs', '-q', '-F', '-L', 'made', ...options.split(' '), '-d', from(), image)
    check(image, kind, true)
    rmSync(image)
  })

  test.skipIf(!has('mformat') || !has('mcopy')).each([
    ['FAT12', 2880, []],
    ['FAT16', 40960, []],
    ['FAT32', 131072, ['-F']],
  ] as const)('%s of mtools', (kind, sectors, options) => {
    const image = join(folder, 'fat.img')
    const shape = kind === 'FAT12' ? ['-f', '1440'] : ['-T', String(sectors), '-h', '16', '-s', '32']
    run('mformat', '-C', '-i', image, ...shape, ...options, '::')
    run('mcopy', '-s', '-i', image, join(folder, 'no-links', 'boot'), '::')
    run('mcopy', '-s', '-i', image, join(folder, 'no-links', 'a'), '::')
    check(image, kind, false)
    rmSync(image)
  })

  test.skipIf(!has('xorriso')).each([
    ['ISO 9660 with Rock Ridge', ['-R']],
    ['ISO 9660 with Rock Ridge', ['-R', '-D', '-iso-level', '3']],
  ] as const)('%s of xorriso', (kind, options) => {
    const image = join(folder, 'cd.iso')
    run('xorriso', '-as', 'mkisofs', '-quiet', ...options, '-o', image, from())
    check(image, kind, false)
    rmSync(image)
  })
})
