import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import type { TextScreen } from '../machine/api'
import { main } from './main'
import { encodePng } from './png'
import { renderScreen } from './render-screen'
import { parseRunOptions, parseSize } from './run-options'
import { EscapeReader } from './stdin'
import { TextWatch } from './until'
import { debugExitStatus, UsageError } from './usage'

const MIB = 2 ** 20

describe('options of run', () => {
  const parse = (...args: string[]) => parseRunOptions(args)

  const bare = { disks: [], cdroms: [], floppies: [], boot: undefined }

  test('defaults', () => {
    expect(parse('a.img')).toEqual({
      image: 'a.img',
      kernel: undefined,
      initrd: [],
      append: undefined,
      symbols: undefined,
      ...bare,
      memory: 256 * MIB,
      timeout: undefined,
      until: undefined,
      serial: { kind: 'stdio' },
      debugcon: undefined,
      screenshot: undefined,
      stats: false,
      schedule: 'deterministic',
      seed: 0n,
      cpus: 1,
      cpu: 'v3',
      pace: true,
    })
  })

  test('drives and the order to boot from', () => {
    const line = '--disk a --cdrom=b.iso --disk c --floppy d --floppy e --boot cdrom,disk'
    expect(parse(...line.split(' '))).toMatchObject({
      image: undefined,
      disks: ['a', 'c'],
      cdroms: ['b.iso'],
      floppies: ['d', 'e'],
      boot: ['cdrom', 'disk'],
    })
    expect(() => parse('a', '--boot', 'cd')).toThrow('cd is no boot device')
    expect(() => parse('a', '--boot', 'disk,disk')).toThrow('twice')
    expect(() => parse('a', '--boot', '')).toThrow('nothing is no boot device')
  })

  test('all of them, in both spellings', () => {
    const line =
      '--memory 64M --timeout=1.5 --until OK --serial file:out.txt --debugcon file:d --screenshot s.png --stats json --schedule parallel --seed 0x10 --cpus 1 --no-pace a.img'
    expect(parse(...line.split(' '))).toEqual({
      image: 'a.img',
      kernel: undefined,
      initrd: [],
      append: undefined,
      symbols: undefined,
      ...bare,
      memory: 64 * MIB,
      timeout: 1.5,
      until: 'OK',
      serial: { kind: 'file', path: 'out.txt' },
      debugcon: 'd',
      screenshot: 's.png',
      stats: true,
      schedule: 'parallel',
      seed: 16n,
      cpus: 1,
      cpu: 'v3',
      pace: false,
    })
  })

  test('a kernel, with and without a disk', () => {
    const options = parse('--kernel', 'vmlinuz', '--initrd', 'i.gz', '--initrd', 'j.gz', '--append', 'a b')
    expect(options).toMatchObject({
      image: undefined,
      kernel: 'vmlinuz',
      initrd: ['i.gz', 'j.gz'],
      append: 'a b',
    })
    expect(parse('d.img', '--kernel', 'k')).toMatchObject({ image: 'd.img', kernel: 'k', initrd: [] })
    // Whether an IMAGE is a kernel is seen when it is opened.
    expect(parse('k.elf', '--append', 'x')).toMatchObject({ image: 'k.elf', kernel: undefined, append: 'x' })
    expect(() => parse('--initrd', 'i.gz')).toThrow('--kernel')
    expect(() => parse('--append', 'x')).toThrow('--kernel')
  })

  test.each([
    ['no image', 'an image'],
    ['a.img b.img', 'b.img'],
    ['a.img --memory lots', '64M'],
    ['a.img --memory 3T', '64M or 1G'],
    ['a.img --memory 512K', '1M to 3072M'],
    ['a.img --timeout -1', 'timeout'],
    ['a.img --timeout soon', 'seconds'],
    ['a.img --serial tcp:1', 'stdio, null or file:PATH'],
    ['a.img --serial file:', 'file:PATH'],
    ['a.img --debugcon stdio', 'file:PATH'],
    ['a.img --stats xml', 'json'],
    ['a.img --schedule fair', 'deterministic and parallel'],
    ['a.img --seed x', 'whole number'],
    ['a.img --seed 18446744073709551616', '2^64 - 1'],
    ['a.img --seed=-1', '2^64 - 1'],
    ['a.img --cpus 17', '1 to 16'],
    ['a.img --smp 2 --cpus 2', 'one of them'],
    ['a.img --cpus 0', '1 to 16'],
    ['a.img --colour', '--colour'],
    ['a.img --until=', 'a text'],
  ])('%s', (line, said) => {
    const args = line === 'no image' ? [] : line.split(' ')
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(said)
  })

  test('sizes as in QEMU: MiB without a unit', () => {
    expect([
      parseSize('64'),
      parseSize('1G'),
      parseSize('1.5g'),
      parseSize('2048K'),
      parseSize('32MiB'),
    ]).toEqual([64, 1024, 1536, 2, 32].map((mib) => mib * MIB))
  })
})

test('commands of later versions say so in one line', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  try {
    expect(await main(['replay', 'x'])).toBe(2)
    expect(await main(['compare', 'x', 'y'])).toBe(2)
    expect(await main(['fly'])).toBe(2)
    expect(await main(['run'])).toBe(2)
    expect(written.mock.calls.map(([text]) => text)).toEqual([
      'ringside: replay: this version makes no recordings yet, so there is nothing to replay\n',
      'ringside: compare: this version makes no recordings yet, so there is nothing to compare\n',
      'ringside: there is no command fly; there are run, info, bench, selftest, lab, replay, compare\n',
      'ringside: run needs an image or a --kernel to boot\n‘ringside run --help’ says how it is used.\n',
    ])
  } finally {
    written.mockRestore()
  }
})

test('isa-debug-exit: (v << 1) | 1, eight bits of it', () => {
  expect([0, 1, 0x10, 0x7f, 0xff].map(debugExitStatus)).toEqual([1, 3, 0x21, 0xff, 0xff])
})

test('a text is found across chunks', () => {
  const feed = (...chunks: string[]) => {
    const watch = new TextWatch('long mode')
    return chunks.map((chunk) => watch.feed(Buffer.from(chunk)))
  }
  expect(feed('in long mode now')).toEqual([true])
  expect(feed('long', ' mod', 'e')).toEqual([false, false, true])
  expect(feed(...'lolong mode')).toEqual([...Array(10).fill(false), true])
  expect(feed('long ', 'nothing', ' mode')).toEqual([false, false, false])
})

test('Ctrl-A is an escape, doubled it is itself', () => {
  const seen: string[] = []
  const keys = new EscapeReader(
    () => seen.push('quit'),
    () => seen.push('power'),
    () => seen.push('help'),
  )
  const read = (text: string) => Buffer.from(keys.read(Buffer.from(text))).toString()
  expect(read('ls\r')).toBe('ls\r')
  expect(read('\x01\x01b')).toBe('\x01b')
  expect(read('a\x01')).toBe('a')
  expect(read('hb\x01q')).toBe('b')
  expect(seen).toEqual(['help'])
  expect(read('\x01X')).toBe('')
  expect(seen).toEqual(['help', 'quit'])
  expect(read('\x01p')).toBe('')
  expect(seen).toEqual(['help', 'quit', 'power'])
})

describe('screenshots', () => {
  const screen = (): TextScreen => {
    const font = new Uint8Array(256 * 32)
    font.set([0b1000_0001, 0b0000_0001], 0xc4 * 32)
    return {
      kind: 'text',
      columns: 2,
      rows: 1,
      cells: Uint8Array.of(0xc4, 0x1f, 0x20, 0x1f),
      font,
      font2: font,
      cellHeight: 2,
      cellWidth: 9,
      lineGraphics: true,
      underline: 31,
      blink: true,
      cursor: { visible: true, column: 1, row: 0, start: 1, end: 1 },
      palette: Uint8Array.from({ length: 48 }, (_, i) => i),
    }
  }

  test('text: glyph, ninth column, cursor', () => {
    const { width, height, rgb } = renderScreen(screen())
    expect([width, height]).toEqual([18, 2])
    const lines = [0, 1].map((y) =>
      Array.from({ length: 18 }, (_, x) => (rgb[(y * 18 + x) * 3] === 45 ? '#' : '.')).join(''),
    )
    expect(lines).toEqual(['#......##.........', '.......###########'])
    expect([...rgb.subarray(3, 6)]).toEqual([3, 4, 5])
  })

  test('a PNG as the specification has it', () => {
    const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    const png = encodePng({ width: 2, height: 2, rgb })
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
    expect(png.readUInt32BE(16)).toBe(2)
    const length = png.readUInt32BE(33)
    expect(png.subarray(37, 41).toString()).toBe('IDAT')
    expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12,
    ])
    // The trailer is the same in every PNG there is, its CRC included.
    expect(png.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082')
  })
})

describe('lab', () => {
  const programs = fileURLToPath(new URL('../../assets/guests/sched-lab/', import.meta.url))
  const said = async (...args: string[]) => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    try {
      expect(await main(['lab', ...args])).toBe(0)
      return write.mock.calls.map(([text]) => String(text)).join('')
    } finally {
      write.mockRestore()
    }
  }

  test('run: the trace, the tasks, all schedulers', async () => {
    const text = await said('run', '--scheduler', 'fcfs', `${programs}p3.bin`, `${programs}p1.bin`)
    const path = (name: string) => `[${programs}${name}.bin]`
    expect(text.split('\n').slice(0, 4)).toEqual([
      `${path('p3')}: PUSH`,
      `${path('p3')}: LOAD`,
      `${path('p3')}: HALT`,
      `${path('p1')}: PUSH`,
    ])
    for (const id of ['fcfs', 'sjf', 'srtf', 'rr', 'priority-preemptive', 'mlfq', 'dynamic', 'fair'])
      expect(text).toMatch(new RegExp(`^${id} +\\d`, 'm'))
  })
  test('run: a document, and options that count for more', async () => {
    const text = await said('run', `${programs}mix.lab.json`, '--scheduler', 'sjf', '--json')
    const result = JSON.parse(text)
    expect(result.algorithm).toBe('sjf')
    expect(result.tasks.map(({ name }: { name: string }) => name)).toEqual(
      ['cruncher', 'sleeper', 'riser', 'polite'].map((name) => `${name}.bin`),
    )
    expect(result.comparison).toHaveLength(9)
  })
  test('asm and show undo each other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringside-lab-'))
    try {
      await said('asm', `${programs}p1.txt`, join(folder, 'p.bin'))
      expect(readFileSync(join(folder, 'p.bin'))).toEqual(readFileSync(`${programs}p1.bin`))
      expect(await said('show', join(folder, 'p.bin'))).toBe('PUSH\nADD\nSUB\nLOAD\nHALT\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  test.each([
    [[], 'asm', 'lab asm wants'],
    [['run'], '', 'lab run wants'],
    [['run', 'absent.bin'], '', 'absent.bin: there is no such file'],
    [['run', `${programs}p1.txt`], '', 'byte 0 is 50h'],
    [['run', `${programs}p1.bin`, '--scheduler', 'best'], '', 'knows fcfs'],
    [['run', `${programs}p1.bin`, '--arrival', '1,2'], '', '2 numbers for 1 programs'],
    [['run', `${programs}p1.bin`, '--quantum', '0'], '', 'the quantum'],
    [['fly'], '', 'lab has no fly'],
  ])('%j is refused', async (args, verb, message) => {
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
    try {
      expect(await main(['lab', ...(verb ? [verb] : []), ...args])).toBe(2)
      expect(String(write.mock.calls[0]?.[0])).toContain(message)
    } finally {
      write.mockRestore()
    }
  })
})
