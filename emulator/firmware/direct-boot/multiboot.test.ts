import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultConfig, type Machine, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import type { InitrdFile } from './chunks'
import { moduleList } from './files'
import { describeKernel, kernelKind } from './kernel'
import { KernelError } from './kernel-error'
import { planDirectBoot } from './load'

const asset = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../assets/${path}`, import.meta.url)))
const starters = { linux: asset('firmware/direct-boot.bin'), multiboot: asset('firmware/multiboot.bin') }
const elf32 = asset('guests/tests/multiboot1.elf')
const elf64 = asset('guests/tests/multiboot2.elf')
const e820 = [
  { base: 0, length: 0x9fc00, type: 1 },
  { base: 0x9fc00, length: 0x400, type: 2 },
  { base: MIB, length: 63 * MIB, type: 1 },
]

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

const modules: InitrdFile[] = [
  {
    name: 'dir/one',
    text: 'first module',
    bytes: Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff),
  },
  { name: 'two', text: '', bytes: new Uint8Array(0) },
]
/** As the kernels of the tests sum up a module. */
const sumOf = (bytes: Uint8Array) => bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0)
const hex = (value: number) => value.toString(16).toUpperCase()

/** What the kernel says on the debug console before it ends the run. */
async function boot(kernel: Uint8Array, initrd: readonly InitrdFile[], append: string, runs = 1) {
  machine = await createMachine({
    ...defaultConfig(),
    memory: 64 * MIB,
    direct: { kernel, name: 'dir/kernel', append, initrd },
  })
  let said = ''
  machine.on('debugcon', ({ bytes }) => {
    said += Buffer.from(bytes).toString('latin1')
  })
  for (let i = 0; i < runs; i++) {
    if (i > 0) await machine.reset()
    machine.run()
    const { reason, value, message } = await machine.whenStopped()
    expect([reason, value], `${message}\n${said}`).toEqual(['debug-exit', 0x10])
  }
  return said.trimEnd().split('\n')
}

describe('a kernel finds what a Multiboot loader promises', () => {
  // The kernels check registers, flags, symbols, tables and sums themselves (assets/guests/tests/multiboot/kernel.c); the
  // same files say OK under GRUB 2.06 on QEMU.
  test('an ELF32 kernel by Multiboot, as QEMU would hand it its texts', async () => {
    const lines = await boot(elf32, modules, 'one  two')
    expect(lines[0]).toBe('Multiboot 1 word=20')
    expect(lines).toContain('command line "dir/kernel one  two"')
    const [first, second] = lines.filter((line) => line.startsWith('module'))
    expect(first).toMatch(/ size=1388 /)
    expect(first).toContain(`sum=${hex(sumOf(modules[0]!.bytes))} string="dir/one first module"`)
    expect(second).toMatch(/ size=0 sum=0 string="two"$/)
    expect(lines).toContain('loader Ringside')
    expect(lines.at(-1)).toBe('MULTIBOOT-OK')
  })

  test('an ELF64 kernel in the higher half by Multiboot 2, as GRUB would hand it its texts', async () => {
    const lines = await boot(elf64, modules, 'one two')
    expect(lines[0]).toBe('Multiboot 2 word=40')
    expect(lines).toContain('command line "one two"')
    // What Xen asks before it takes the first word for an argument.
    expect(lines.find((line) => line.startsWith('loader '))).toMatch(/GRUB [^0]/)
    expect(
      lines.filter((line) => line.startsWith('module')).map((line) => /string=.*/.exec(line)?.[0]),
    ).toEqual(['string="first module"', 'string=""'])
    expect(lines.at(-1)).toBe('MULTIBOOT-OK')
    const reached = machine!.milestones().filter((milestone) => milestone.reached)
    expect(reached.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['BIOS', 'GDT', 'protected mode', 'PAE', 'paging', 'long mode', '64-bit code']),
    )
  })

  test('the memory map is the firmware’s', async () => {
    const lines = await boot(elf64, [], '')
    const ranges = machine!
      .e820()
      .map(({ base, length, type }) => `memory base=${hex(base)} length=${hex(length)} type=${type}`)
    for (const range of ranges.slice(0, 2)) expect(lines).toContain(range)
  })

  test('again after a reset', async () => {
    const lines = await boot(elf32, modules, '', 2)
    expect(lines.slice(lines.length / 2)).toEqual(lines.slice(0, lines.length / 2))
    expect(lines).toContain('command line "dir/kernel"')
  })
})

// A reset is one of the chips: neither the CPU's INIT and RESET (SDM 3A 10.1.1) nor PCIRST# and CPURST reach the DRAM. QEMU has the kernel
// in memory again as well, and says the same with SeaBIOS.
test.each([
  ['deterministic', 1],
  ['deterministic', 2],
  ['parallel', 2],
] as const)(
  'a guest that resets itself (CF9h, 8042, 92h, host bridge) finds memory and CMOS as it left them: %s, CPUs: %i',
  { timeout: 30_000 },
  async (schedule, cpus) => {
    machine = await createMachine({
      ...defaultConfig(),
      ...{ schedule, cpus, memory: 64 * MIB, pace: false },
      direct: { kernel: asset('guests/tests/warm-reset.img'), append: '' },
    })
    let said = ''
    machine.on('debugcon', ({ bytes }) => {
      said += Buffer.from(bytes).toString('latin1')
    })
    machine.run()
    const { reason, value } = await machine.whenStopped()
    expect([reason, value, said]).toEqual(['debug-exit', 2, '0zc0 1zc1 2zc2 3zc3 4zc4 '])
  },
)

test('a machine stepped through such a reset rests there and goes on', { timeout: 30_000 }, async () => {
  const kernel = asset('guests/tests/warm-reset.img')
  const config = { ...defaultConfig(), memory: 64 * MIB, pace: false, direct: { kernel, append: '' } }
  machine = await createMachine(config)
  machine.run()
  await machine.whenStopped()
  const whole = await machine.stateHash()
  await machine.reset()
  let rests = 0
  for (let state = machine.state; state !== 'stopped'; state = machine.state) {
    await machine.step(200_000)
    rests++
  }
  expect(rests).toBeGreaterThan(4)
  expect(await machine.stateHash()).toBe(whole)
})

/** A flat kernel at `load`: says "ok", looks whether the byte at `zero` is 0, and leaves with 10h. */
function flat(
  change: (view: DataView) => void = () => undefined,
  load = 0x300000,
  zero = load + 0x70, // behind load_end_addr
): Uint8Array {
  const address = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)]
  const bytes = new Uint8Array(0x80)
  const view = new DataView(bytes.buffer)
  const flags = 1 << 16
  const fields = [0x1badb002, flags, 0, load + 0x10, load, load + 0x70, load + 0x3000, load + 0x40]
  fields.forEach((value, i) => {
    view.setUint32(0x10 + i * 4, value, true)
  })
  bytes.set(
    [
      ...[0x3d, 0x02, 0xb0, 0xad, 0x2b, 0x75, 0x1b], // cmp eax, 2BADB002h; jne
      ...[0xbe, ...address(load + 0x68)], // mov esi, the text
      ...[0xac, 0x84, 0xc0, 0x74, 0x04, 0xe6, 0xe9, 0xeb, 0xf7], // lodsb; test; jz; out E9h, al; jmp
      ...[0xa0, ...address(zero), 0x84, 0xc0, 0x75, 0x04], // mov al, [zero]; test; jne
      ...[0xb0, 0x10, 0xe6, 0xf4], // mov al, 10h; out F4h, al
      ...[0xf4],
    ],
    0x40,
  )
  bytes.set(new TextEncoder().encode('ok\n\0'), 0x68)
  bytes.fill(0xcc, 0x70)
  change(view)
  view.setUint32(0x18, -(view.getUint32(0x10, true) + view.getUint32(0x14, true)) >>> 0, true)
  return bytes
}

test('a flat kernel is loaded where its header says, no further', async () => {
  expect(await boot(flat(), [], '')).toEqual(['ok'])
})

// Where multiboot.asm is at work (7C00h to 10000h) a kernel comes last: real-mode kernels are linked low.
test.each([
  ['over its code', 0x7c00, 0x7c00 + 0x2fff],
  ['over what it finds out, which is zeroed', 0x7000, 0x9000],
  ['below its stack', 0x600, 0x2000],
  ['up to 10000h and on', 0xe000, 0x10fff],
])('a kernel below 10000h: %s', async (_, load, zero) => {
  expect(await boot(flat(undefined, load, zero), modules, 'one')).toEqual(['ok'])
})

describe('what a file is', () => {
  test.each<[string, Uint8Array, string | undefined, string | undefined]>([
    ['ELF32, Multiboot', elf32, 'multiboot', 'ELF32 kernel for i386 with a Multiboot header'],
    ['ELF64, Multiboot 2', elf64, 'multiboot2', 'ELF64 kernel for x86-64 with a Multiboot 2 header'],
    ['flat', flat(), 'multiboot', 'flat kernel with a Multiboot header'],
    ['bzImage', asset('guests/tests/direct-boot.img'), 'bzimage', undefined],
    ['an image', asset('guests/seed/p5.img'), undefined, undefined],
  ])('%s', (_, file, kind, words) => {
    expect(kernelKind(file)).toBe(kind)
    if (words) expect(describeKernel(file)).toBe(words)
  })

  test('a disk whose boot loader has a Multiboot header, as GRUB’s has, is a disk', () => {
    const disk = new Uint8Array(8192)
    disk.set(flat(), 1024)
    expect(kernelKind(disk)).toBe('multiboot')
    disk.set([0x55, 0xaa], 510)
    expect(kernelKind(disk)).toBeUndefined()
  })
})

test('modules are listed as for QEMU', () => {
  expect(moduleList('a')).toEqual([{ name: 'a', text: '' }])
  expect(moduleList('a b=c  d,e')).toEqual([
    { name: 'a', text: 'b=c  d' },
    { name: 'e', text: '' },
  ])
  expect(moduleList('a,,b x,,y')).toEqual([{ name: 'a,b', text: 'x,y' }])
  expect(() => moduleList('a,')).toThrow('without a file')
})

// ---------------------------------------------------------------------------------------------------------

const plan = (kernel: Uint8Array, initrd: readonly InitrdFile[] = [], map = e820) =>
  planDirectBoot({ kernel, append: '', initrd }, starters, 64 * MIB, map)

function patched(file: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(file)
  change(new DataView(bytes.buffer))
  return bytes
}
/** Field of program header `n`, by class: p_offset, p_paddr, p_filesz, p_memsz. */
const program32 = (n: number, field: number) => 52 + n * 32 + { 1: 4, 2: 12, 3: 16, 4: 20 }[field]!
const program64 = (n: number, field: number) => 64 + n * 56 + { 1: 8, 2: 24, 3: 32, 4: 40 }[field]!

/** A flat Multiboot 2 kernel with these tags (type, flags, fields) before the end tag. */
function flat2(...tags: [number, number, ...number[]][]): Uint8Array {
  const all: [number, number, ...number[]][] = [...tags, [0, 0]]
  const length = 16 + all.reduce((sum, tag) => sum + Math.ceil((8 + (tag.length - 2) * 4) / 8) * 8, 0)
  const bytes = new Uint8Array(512)
  const view = new DataView(bytes.buffer)
  const words = [0xe85250d6, 0, length]
  const sum = words.reduce((total, word) => total + word, 0)
  ;[...words, -sum >>> 0].forEach((value, i) => {
    view.setUint32(i * 4, value >>> 0, true)
  })
  let at = 16
  for (const [type, flags, ...fields] of all) {
    const size = 8 + fields.length * 4
    view.setUint16(at, type, true)
    view.setUint16(at + 2, flags, true)
    view.setUint32(at + 4, size, true)
    fields.forEach((value, i) => {
      view.setUint32(at + 8 + i * 4, value >>> 0, true)
    })
    at += Math.ceil(size / 8) * 8
  }
  return bytes
}
const at4: [number, number, ...number[]] = [2, 0, 4 * MIB, 0xffffffff, 0, 5 * MIB]
const entry4: [number, number, ...number[]] = [3, 0, 4 * MIB + 0x100]

describe('Multiboot 2 tags', () => {
  const placeOf = (kernel: Uint8Array) => plan(kernel).find(({ bytes }) => bytes.length === 512)?.address

  test('the address tag loads the file where it says', () => {
    expect(placeOf(flat2(at4, entry4))).toBe(4 * MIB)
  })
  test('what is not known and optional is passed over', () => {
    expect(placeOf(flat2([99, 1, 5], [1, 1, 77], at4, entry4))).toBe(4 * MIB)
  })
  test.each([
    [0, 16 * MIB],
    [1, 16 * MIB],
    [2, 31 * MIB],
  ])('a relocatable kernel goes where it prefers (%i)', (preference, expected) => {
    const kernel = flat2([10, 0, 16 * MIB - 5, 32 * MIB - 1, 0x100000, preference], at4, entry4)
    expect(placeOf(kernel)).toBe(expected)
    const info = plan(kernel).find(({ address }) => address === 0x10000)!.bytes
    // Tag 21: the address it was loaded at.
    expect(Buffer.from(info).indexOf(Buffer.from(Uint32Array.of(21, 12, expected).buffer))).toBeGreaterThan(0)
  })
  test('one that wants to be as high as possible (Xen) leaves room for its modules behind it', () => {
    const kernel = flat2([10, 0, 2 * MIB, 0xffffffff, 0x200000, 2], at4, entry4)
    const initrd = [{ name: 'dom0', text: '', bytes: new Uint8Array(14 * MIB) }]
    const chunks = plan(kernel, initrd)
    const at = chunks.find(({ bytes }) => bytes.length === 512)!.address
    const module = chunks.find(({ bytes }) => bytes.length === 14 * MIB)!.address
    expect(at).toBe(48 * MIB)
    expect(module).toBeGreaterThan(at)
    expect(module + 14 * MIB).toBeLessThanOrEqual(64 * MIB)
  })
})

test('symbols go behind the kernel and the modules behind them, on pages', () => {
  const chunks = plan(elf64, modules)
  const module = chunks.find(({ bytes }) => bytes.length === 5000)!
  expect(module.address % 4096).toBe(0)
  const [info] = chunks.filter(({ address }) => address === 0x10000)
  expect(info).toBeDefined()
  // Without room for them the sections stay away, and the kernel starts all the same.
  const tight = [e820[0]!, { base: MIB, length: 0x20f000 - MIB, type: 1 }]
  expect(plan(elf64, [], tight).length).toBeLessThan(plan(elf64).length)
})

describe('what cannot be started is refused with a reason', () => {
  const version1 = (flags: number, also: (view: DataView) => void = () => undefined) =>
    flat((view) => {
      view.setUint32(0x14, flags, true)
      also(view)
    })
  const KLUDGE = 1 << 16
  test.each<[string, Uint8Array, string]>([
    [
      'an ELF file without a header',
      patched(elf32, (view) => view.setUint32(0x1000, 0, true)),
      'no Multiboot header',
    ],
    [
      'a wrong check sum',
      patched(elf32, (view) => view.setUint32(0x1008, 5, true)),
      'check sum 5h; E4524FF7h would be right',
    ],
    [
      'a header of version 2 that is not aligned',
      Buffer.concat([elf64.subarray(0, 4096), new Uint8Array(4), elf64.subarray(4096)]),
      'not aligned to 8',
    ],
    ['an unknown demand', version1(KLUDGE | 0x18), 'flags 3, 4 (flags 10018h)'],
    ['flags that promise more than the file has', version1(KLUDGE | 4).subarray(0, 0x3f), 'cut off'],
    [
      'a load address behind the header',
      version1(KLUDGE, (view) => view.setUint32(0x20, 0x300011, true)),
      'below what is loaded',
    ],
    [
      'a begin before the file',
      version1(KLUDGE, (view) => view.setUint32(0x20, 0x200000, true)),
      'before the file begins',
    ],
    [
      'an end before the begin',
      version1(KLUDGE, (view) => view.setUint32(0x24, 5, true)),
      'ends the load at 5h',
    ],
    ['more than the file', version1(KLUDGE, (view) => view.setUint32(0x24, 0x300081, true)), 'cut off'],
    [
      'an entry point elsewhere',
      version1(KLUDGE, (view) => view.setUint32(0x2c, 0x400000, true)),
      'entry point 400000h',
    ],
    [
      'an end of zeros beyond memory',
      version1(KLUDGE, (view) => view.setUint32(0x28, 0x5000000, true)),
      'memory ends at 4000000h',
    ],
    ['a big-endian ELF file', patched(elf32, (view) => view.setUint8(5, 2)), 'big-endian'],
    ['another processor’s', patched(elf64, (view) => view.setUint16(18, 183, true)), 'AArch64'],
    ['an object file', patched(elf32, (view) => view.setUint16(16, 1, true)), 'has to be linked'],
    ['cut off in its segments', elf32.subarray(0, 0x2100), 'cut off'],
    [
      'cut off in its program headers',
      patched(elf64, (view) => view.setBigUint64(32, BigInt(elf64.length - 8), true)),
      'cut off',
    ],
    [
      'more in the file than in memory',
      patched(elf32, (view) => view.setUint32(program32(0, 4), 1, true)),
      'segment 0 has',
    ],
    [
      'two segments in one place',
      patched(elf64, (view) => view.setBigUint64(program64(2, 2), 0x200000n, true)),
      'overlap',
    ],
    [
      'a virtual address for a physical one',
      patched(elf64, (view) => view.setBigUint64(program64(2, 2), 0xffffffff8020c000n, true)),
      'AT()',
    ],
    [
      'a segment in the video memory',
      patched(elf32, (view) => view.setUint32(program32(3, 2), 0xb8000, true)),
      'video memory',
    ],
    [
      'a segment over the interrupt vectors',
      patched(elf32, (view) => view.setUint32(program32(3, 2), 0x4ff, true)),
      'interrupt vectors',
    ],
    [
      'a segment behind the memory',
      patched(elf32, (view) => view.setUint32(program32(3, 2), 0xfffff000, true)),
      'memory ends at 4000000h',
    ],
    [
      'an absurd offset',
      patched(elf64, (view) => view.setBigUint64(program64(0, 1), 1n << 60n, true)),
      'p_offset',
    ],
    [
      'an entry point in no segment',
      patched(elf64, (view) => view.setBigUint64(24, 0x999999n, true)),
      'entry point',
    ],
    [
      'version 2 for MIPS',
      patched(flat2(), (view) => {
        view.setUint32(4, 4, true)
        view.setUint32(12, view.getUint32(12, true) - 4, true)
      }),
      'architecture 4',
    ],
    ['version 2 with an unknown tag', flat2([99, 0, 5], at4, entry4), 'type 99'],
    ['version 2 with an unknown demand', flat2([1, 0, 6, 77], at4, entry4), 'type 77'],
    ['version 2 without an end tag', patched(flat2(), (view) => view.setUint16(16, 5, true)), 'tag 5'],
    ['version 2 without addresses', flat2(), 'no address tag'],
    ['version 2 without an entry', flat2(at4), 'no entry address tag'],
    [
      'version 2 that can go nowhere',
      flat2([10, 0, 128 * MIB, 256 * MIB, 4096, 0], at4, entry4),
      'no 1048576 bytes',
    ],
  ])('%s', (_, kernel, message) => {
    expect(() => plan(kernel)).toThrow(KernelError)
    expect(() => plan(kernel)).toThrow(message)
  })

  test('a module that does not fit', () => {
    const big = { name: 'big', text: '', bytes: new Uint8Array(62 * MIB) }
    expect(() => plan(elf32, [big])).toThrow('the module big (65011712 bytes) does not fit')
  })

  test('random damage is refused or planned within the memory, never anything else', () => {
    let state = 0x1234567
    const random = (below: number) => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) % below
    }
    const tags = flat2([10, 0, 16 * MIB, 32 * MIB, 4096, 1], at4, entry4)
    const kernels = [elf32, elf64, flat(), tags]
    for (let i = 0; i < 4000; i++) {
      const original = kernels[i % 4]!
      const interesting = i % 4 < 2 ? [0x200, elf32.length - 0x400] : [0x80]
      const kernel = patched(original, (view) => {
        for (let n = random(4); n >= 0; n--) {
          const base = random(4) === 0 ? interesting.at(-1)! : 0
          view.setUint8((base + random(interesting[0]!)) % view.byteLength, random(3) ? random(256) : 0xff)
        }
      })
      try {
        const chunks = plan(kernel, modules)
        const sorted = chunks.toSorted((a, b) => a.address - b.address)
        sorted.forEach(({ address, bytes }, n) => {
          expect(address + bytes.length).toBeLessThanOrEqual(sorted[n + 1]?.address ?? 64 * MIB)
        })
      } catch (error) {
        if (!(error instanceof KernelError)) throw error
      }
    }
  })
})
