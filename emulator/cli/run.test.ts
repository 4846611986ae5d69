// The command line as a user runs it: a process of its own, with its stdin, stdout, stderr and exit status. All but the
// first run skip `./ringside`'s look at whether everything is built, so that an edit in between changes nothing.
import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Symbols } from '../insight/symbols/symbols'
import { bytesSource } from '../media/elf'

const root = fileURLToPath(new URL('../..', import.meta.url))
const seed = (name: string) => join(root, `assets/guests/seed/${name}.img`)
const guest = (name: string) => join(root, `assets/guests/tests/${name}.img`)

const multibootKernel = join(root, 'assets/guests/tests/multiboot1.elf')

const COMMAND = [join(root, 'ringside')]
const BUILT = [
  '--input-type=module',
  '-e',
  `import { runCli } from ${JSON.stringify(pathToFileURL(join(root, 'tools/cli.mjs')).href)}
process.exitCode = await runCli(process.argv.slice(1))`,
  '--',
]

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  // Builds, if nobody has yet.
  const { status, stdout } = await ringside(['run', '--help'], { command: COMMAND })
  expect(status).toBe(0)
  expect(stdout).toContain('--until TEXT')
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

interface How {
  /** Written to stdin, which is closed behind it; without it stdin is empty. */
  input?: string
  /** Called with everything that has come on stdout so far. */
  watch?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void
  /** As root, without root's right to read what it may not. */
  unprivileged?: boolean
  command?: string[]
}

function ringside(
  args: string[],
  { input, watch, unprivileged, command = BUILT }: How = {},
): Promise<Outcome> {
  const node = [process.execPath, ...command, ...args]
  const line = unprivileged ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', ...node] : node
  const child = spawn(line[0]!, line.slice(1), { cwd: root })
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk)
    watch?.(Buffer.concat(out).toString('latin1'), (signal) => child.kill(signal))
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  // A run may end before it has read its stdin.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ status, stdout: Buffer.concat(out).toString('latin1'), stderr }))
  })
}

/** Byte for byte what QEMU 7.2 shows on COM1. */
const TEXTS: Record<string, string> = {
  'p3-nostage2': 'Booting ...\r\nDisk error!\r\n',
  p3: 'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\n',
  p4:
    'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\nA20 Line: Enabled\r\nGDT: Loaded\r\n' +
    'Entered protected mode ...\r\r\n',
  p5:
    'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\nA20 Line: Enabled\r\nGDT: Loaded\r\n' +
    'Protected Mode: Enabled\r\r\nPaging: Enabled\r\r\n64-bit Long mode: Enabled\r\r\n',
}

describe('the seed images', () => {
  test.each(Object.entries(TEXTS))('%s', async (name, expected) => {
    const { status, stdout } = await ringside(['run', seed(name), '--timeout', '0.7'])
    expect({ status, stdout }).toEqual({ status: 124, stdout: expected })
  })

  test('triple-fault.img ends with 4 and a report for a person', async () => {
    const { status, stdout, stderr } = await ringside(['run', seed('triple-fault')])
    expect({ status, stdout }).toEqual({
      status: 4,
      stdout: 'Booting ...\r\nStarting Stage2 ...\r\nAbout to triple fault\r\n',
    })
    for (const said of ['#NP', '0x08', 'not present', 'IDTR', 'real-mode', '#GP', '#DF', 'jmp 8:']) {
      expect(stderr).toContain(said)
    }
  })

  test('p5.img, twenty times in a row: the same text, the same machine', async () => {
    const outcomes = new Set<string>()
    // The guest halts for good, so that the end of the time finds it in the same state however fast the host is.
    const args = ['run', seed('p5'), '--timeout', '4', '--stats', 'json']
    for (let i = 0; i < 20; i += 5) {
      for (const { stdout, stderr } of await Promise.all(Array.from({ length: 5 }, () => ringside(args)))) {
        const { instructions, stateHash } = JSON.parse(stderr.trimEnd().split('\n').at(-1)!)
        outcomes.add(JSON.stringify({ stdout, instructions, stateHash }))
      }
    }
    expect([...outcomes].map((text) => JSON.parse(text).stdout)).toEqual([TEXTS['p5']])
  })
})

describe('a kernel in the place of an image', () => {
  test('Multiboot: recognised by content, with modules and a command line', async () => {
    const module = join(folder, 'module.txt')
    writeFileSync(module, 'content')
    const { status, stdout } = await ringside([
      ...['run', multibootKernel, '--append', 'alpha beta', '--initrd', `${module} first,${module}`],
      ...['--initrd', module],
    ])
    expect(status).toBe(33)
    expect(stdout).toContain(`command line "${multibootKernel} alpha beta"`)
    expect(stdout.match(/size=7 /g)).toHaveLength(3)
    expect(stdout).toContain(`string="${module} first"`)
    expect(stdout).toContain('MULTIBOOT-OK')
  })
  test('a triple fault is told with the names of its ELF file', async () => {
    const bytes = readFileSync(multibootKernel)
    const symbols = new Symbols(bytesSource(bytes))
    const { address } = symbols.named('kmain')!
    const segment = symbols.elf.segments.find(
      ({ vaddr, memsz }) => address >= vaddr && address < vaddr + BigInt(memsz),
    )!
    const at = segment.offset + Number(address - segment.vaddr)
    // No IDT yet: an undefined instruction is the end.
    const broken = join(folder, 'broken.elf')
    bytes.set([0x0f, 0x0b], at)
    writeFileSync(broken, bytes)
    const { status, stderr } = await ringside(['run', broken])
    expect(status).toBe(4)
    expect(stderr).toMatch(
      /By the symbols of broken.elf:\n +[0-9A-F]+ {2}kmain(\+\dh)? {2}.*multiboot\/kernel\.c:\d+/,
    )
    // Symbols of other code are not believed.
    bytes.fill(0x90, at, at + 64)
    bytes.set([0x0f, 0x0b], at + 64)
    writeFileSync(broken, bytes)
    const other = await ringside(['run', broken, '--symbols', multibootKernel])
    expect(other.stderr).toContain('multiboot1.elf is not what runs here')
    expect(other.stderr).not.toContain('kmain+')
  })
  test('--append and --initrd are for kernels only', async () => {
    const { status, stderr } = await ringside(['run', seed('p3'), '--append', 'x'])
    expect(status).toBe(2)
    expect(stderr).toContain('--append is for a kernel')
  })
  test('info names it', async () => {
    const { status, stdout } = await ringside(['info', multibootKernel])
    expect(status).toBe(0)
    expect(stdout).toContain('ELF32 kernel for i386 with a Multiboot header')
  })
})

describe('a ROM in the place of the firmware', () => {
  // mov al, 'R'; out E9h, al; mov al, 21; out F4h, al, at the reset vector; the reset of a 64 KiB ROM.
  const rom = (name: string, size = 0x1_0000) => {
    const bytes = Buffer.alloc(size, 0xf4)
    if (size >= 16) bytes.set([0xb0, 0x52, 0xe6, 0xe9, 0xb0, 0x15, 0xe6, 0xf4], size - 16)
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  }

  test('--bios: runs from the reset vector, with nothing else to boot', async () => {
    const said = join(folder, 'rom.txt')
    const { status } = await ringside(['run', '--bios', rom('rom.bin'), '--debugcon', `file:${said}`])
    expect(status).toBe((21 << 1) | 1)
    expect(readFileSync(said, 'latin1')).toBe('R')
  })

  test('--bios: what the firmware calls itself with is an undefined opcode in another ROM', async () => {
    const path = rom('foreign.bin')
    const bytes = readFileSync(path)
    // F000:E000: vector 6 leads to E017h; 0F 3F 10; 1 to port F4h. E017h: 21 to port F4h.
    bytes.set(Buffer.from('31c08ed8c706180017e0c7061a0000f00f3f10b001e6f4b015e6f4f4', 'hex'), 0xe000)
    bytes.set([0xea, 0x00, 0xe0, 0x00, 0xf0], 0xfff0)
    writeFileSync(path, bytes)
    const { status } = await ringside(['run', '--bios', path])
    expect(status).toBe((21 << 1) | 1)
  })

  const seabios = '/usr/share/seabios/bios.bin'
  test.skipIf(!existsSync(seabios))('--bios: SeaBIOS finds the board and boots', async () => {
    const until = 'Long mode: Enabled'
    const args = ['--bios', seabios, '--no-pace', '--until', until]
    const { status, stdout } = await ringside(['run', seed('p5'), ...args])
    expect(status).toBe(0)
    expect(stdout).toContain(until)
  })

  test('what cannot be one is said', async () => {
    for (const path of [rom('large.bin', 0x2_0001), rom('empty.bin', 0), join(folder, 'absent.bin')]) {
      const { status, stderr } = await ringside(['run', '--bios', path])
      expect(status).toBe(2)
      expect(stderr).toContain(path)
    }
    const { status, stderr } = await ringside(['run', '--bios', rom('rom.bin'), '--kernel', multibootKernel])
    expect(status).toBe(2)
    expect(stderr).toContain('--bios')
  })
})

describe('how a run ends', () => {
  test('--until: 0, as soon as the text is there', async () => {
    const { status, stdout } = await ringside(['run', seed('p5'), '--until', 'Long mode: Enabled'])
    expect(status).toBe(0)
    expect(TEXTS['p5']!.startsWith(stdout)).toBe(true)
  })
  test('isa-debug-exit: (v << 1) | 1', async () => {
    const { status, stdout } = await ringside(['run', guest('debug-exit')])
    expect({ status, stdout }).toEqual({ status: 43, stdout: 'Leaving through port F4h\r\n' })
  })
  test('power-off: 0', async () => {
    const { status, stdout } = await ringside(['run', guest('power-off')])
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'Switching off\r\n' })
  })
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i', async (signal, expected) => {
    const { status } = await ringside(['run', seed('p3')], {
      watch: (stdout, kill) => {
        if (stdout.includes('OK')) kill(signal)
      },
    })
    expect(status).toBe(expected)
  })
  test('nobody reads its output any more: 141, without a word', async () => {
    const child = spawn(process.execPath, [...BUILT, 'run', guest('serial-flood')], {
      cwd: root,
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' })
  })
})

describe('what goes in and out', () => {
  test('stdin is COM1’s receiver: all of it, in order', async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `line ${i} of a long paste`).join(' ')
    const { status, stdout } = await ringside(['run', guest('serial-echo'), '--until', 'Echo ends'], {
      input: `${text}\x04`,
    })
    expect(status).toBe(0)
    // What is typed before the guest's own first line is out may come back in the middle of it.
    const echoed = stdout.replace(/\r\nEcho ends[\s\S]*$/, '')
    expect(echoed.endsWith(text.slice(20))).toBe(true)
    expect(echoed.length).toBe('Echo ready\r\n'.length + text.length)
  })

  test('a closed stdin is no input', async () => {
    const args = ['run', seed('p3'), '--until', 'OK']
    const child = spawn('sh', ['-c', 'exec "$0" "$@" <&-', process.execPath, ...BUILT, ...args], {
      cwd: root,
    })
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect(status).toBe(0)
  })

  test('megabytes to COM1 arrive complete and in order', async () => {
    const lines = 40_000
    const last = (lines - 1).toString(16).toUpperCase().padStart(8, '0')
    const { status, stdout } = await ringside(['run', guest('serial-flood'), '--until', last])
    expect(status).toBe(0)
    const complete = stdout.split('\r\n').slice(0, lines)
    const wrong = complete.findIndex(
      (line, i) => line !== `${'.'.repeat(54)}${i.toString(16).toUpperCase().padStart(8, '0')}`,
    )
    expect({ count: complete.length, wrong }).toEqual({ count: lines, wrong: -1 })
  })

  test('--serial null and file:PATH', async () => {
    const silent = await ringside(['run', seed('p3'), '--serial', 'null', '--until', 'Stage2: OK'])
    expect(silent).toMatchObject({ status: 0, stdout: '' })
    const path = join(folder, 'com1.txt')
    const filed = await ringside(['run', seed('p3'), '--serial', `file:${path}`, '--timeout', '0.7'])
    expect(filed.stdout).toBe('')
    expect(readFileSync(path, 'latin1')).toBe(TEXTS['p3'])
  })

  test('--screenshot: a PNG of the text screen', async () => {
    const path = join(folder, 'screen.png')
    const { status } = await ringside(['run', seed('p3'), '--until', 'OK', '--screenshot', path])
    expect(status).toBe(0)
    const png = readFileSync(path)
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([720, 400])
  })

  test('--stats json is the last line of stderr', async () => {
    const { stderr } = await ringside(['run', guest('debug-exit'), '--stats', 'json'])
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1)!)).toEqual({
      instructions: expect.any(Number),
      seconds: expect.any(Number),
      mips: expect.any(Number),
      cpus: 1,
      schedule: 'deterministic',
      stateHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('what the guest writes to its disk never reaches the image', async () => {
    const path = join(folder, 'mine.img')
    copyFileSync(guest('ata-pio'), path)
    chmodSync(path, 0o444)
    const before = readFileSync(path)
    const { stdout } = await ringside(['run', path, '--until', 'Done'])
    expect(stdout).toContain('READ BACK 1234F013')
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('bad input has an answer', () => {
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  test.each<[string, () => string, string]>([
    ['an empty file', () => file('empty', ''), 'the file is empty'],
    ['a text file', () => file('notes.txt', 'buy milk\n'.repeat(100)), 'text file'],
    ['three bytes', () => file('three', Uint8Array.of(1, 2, 3)), '3 bytes cannot be a disk image'],
    ['a directory', () => folder, 'is a directory'],
    ['a file that is not there', () => join(folder, 'absent'), 'no such file'],
    [
      'another format',
      () => file('x.qcow2', Buffer.from('QFI\xfb'.padEnd(1024, '\0'), 'latin1')),
      'which this version cannot open yet',
    ],
    ['an ELF file that is no kernel', () => process.execPath, 'no Multiboot header'],
    [
      'a kernel that was cut off',
      () => file('cut.elf', readFileSync(multibootKernel).subarray(0, 0x2100)),
      'it was cut off',
    ],
  ])('%s: 2, and one line', async (_name, path, said) => {
    const { status, stdout, stderr } = await ringside(['run', path()])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(said)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test.runIf(process.getuid?.() === 0)('a file without permission: 2', async () => {
    const path = file('secret.img', readFileSync(seed('p3')))
    chmodSync(path, 0)
    const { status, stderr } = await ringside(['run', path], { unprivileged: true })
    expect(stderr).toContain('you may not read this file')
    expect(status).toBe(2)
  })

  test('a wrong option: 2, and where to read about it', async () => {
    const { status, stderr } = await ringside(['run', seed('p3'), '--memory', 'lots'])
    expect(status).toBe(2)
    expect(stderr).toContain('--memory lots')
    expect(stderr).toContain('ringside run --help')
  })

  test('a cut-off image: the guest sees the end of the disk', async () => {
    const path = file('cut.img', readFileSync(seed('p5')).subarray(0, 1000))
    const { status, stdout, stderr } = await ringside(['run', path, '--until', 'Disk error!'])
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('Disk error!') })
    expect(stderr).toContain('cut off')
  })

  test('without 55 AA: it says so, and the firmware does not boot it', async () => {
    const { status, stdout, stderr } = await ringside(['run', guest('no-signature'), '--timeout', '0.5'])
    expect({ status, stdout }).toEqual({ status: 124, stdout: '' })
    expect(stderr).toContain('55 AA')
  })

  test('8 TiB, sparse: boots like any other', async () => {
    const path = file('sparse.img', readFileSync(seed('p5')))
    try {
      truncateSync(path, 8 * 2 ** 40)
    } catch {
      return // this file system has no files of that size
    }
    const { status } = await ringside(['run', path, '--until', 'Long mode: Enabled', '--timeout', '10'])
    expect(status).toBe(0)
  })

  test('a file that is deleted, or cut off, while it runs', async () => {
    const deleted = file('deleted.img', readFileSync(guest('int13-nonsense')))
    const gone = await ringside(['run', deleted, '--until', '4096 calls answered\r\n..'], {
      watch: (stdout) => {
        if (stdout.length < 4) rmSync(deleted, { force: true })
      },
    })
    expect(gone.status).toBe(0)

    const path = file('shrinking.img', readFileSync(guest('int13-nonsense')))
    truncateSync(path, 64 * 2 ** 20)
    let cut = false
    const { status, stderr } = await ringside(
      ['run', path, '--until', '4096 calls answered', '--timeout', '20'],
      {
        watch: () => {
          if (!cut) truncateSync(path, 512)
          cut = true
        },
      },
    )
    expect(status).toBe(0)
    expect(stderr).toMatch(/shrinking\.img \(hda\): .*the file now ends at byte 512/)
    unlinkSync(path)
  })

  test.each([
    ['a guest that loops in INT 13h with nonsense', 'int13-nonsense', '4096 calls answered\r\n.', []],
    ['one that overwrites the IVT', 'ivt-overwrite', 'Overwriting the vectors', ['--timeout', '0.7']],
    ['one that jumps to where nothing is', 'unmapped-jump', 'Jumping to D000:0000', ['--timeout', '0.7']],
  ])('%s', async (_name, image, said, more) => {
    const until = more.length === 0 ? ['--until', said] : more
    const { status, stdout } = await ringside(['run', guest(image), ...until])
    expect(stdout).toContain(said)
    expect(status).toBe(more.length === 0 ? 0 : 124)
  })

  test('one that jumps there in protected mode: a triple fault with a report', async () => {
    const { status, stderr } = await ringside(['run', guest('unmapped-jump-32')])
    expect(status).toBe(4)
    expect(stderr).toContain('C0000000')
  })
})

describe('info', () => {
  test('in words and as JSON', async () => {
    const words = await ringside(['info', seed('p5')])
    expect(words.status).toBe(0)
    expect(words.stdout).toContain(
      'raw hard-disk image without a partition table, 16 KiB (16384 bytes, 32 sectors)',
    )
    const json = await ringside(['info', '--json', seed('p5')])
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'disk',
      sectors: 32,
      bootable: true,
      partitions: [],
    })
  })
  test('what is no image: 2', async () => {
    const { status, stderr } = await ringside(['info', join(root, 'package.json')])
    expect(status).toBe(2)
    expect(stderr).toContain('text file')
  })
})
