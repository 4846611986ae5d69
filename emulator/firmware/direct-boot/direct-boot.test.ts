import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultConfig, type Machine, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import { describeBzImage, readBzImage } from './bzimage'
import { KernelError } from './kernel-error'
import { planDirectBoot } from './load'

const asset = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../assets/${path}`, import.meta.url)))
const file = asset('guests/tests/direct-boot.img')
const starters = { linux: asset('firmware/direct-boot.bin'), multiboot: asset('firmware/multiboot.bin') }
const archive = (bytes: Uint8Array) => ({ name: 'initrd', text: '', bytes })

/** The test kernel with some bytes of its header changed. */
function patched(change: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(file)
  change(new DataView(bytes.buffer))
  return bytes
}

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** What the kernel says on the debug console before it ends the run with 21h. */
async function boot(kernel: Uint8Array, initrd: readonly Uint8Array[], append: string, runs = 1) {
  machine = await createMachine({
    ...defaultConfig(),
    memory: 64 * MIB,
    direct: { kernel, append, initrd: initrd.map(archive) },
  })
  let said = ''
  machine.on('debugcon', ({ bytes }) => {
    said += Buffer.from(bytes).toString('latin1')
  })
  for (let i = 0; i < runs; i++) {
    if (i > 0) await machine.reset()
    machine.run()
    const { reason, value, message } = await machine.whenStopped()
    expect([reason, value], message).toEqual(['debug-exit', 0x21])
  }
  return said.trimEnd().split('\n')
}

describe('the kernel finds what the boot protocol promises', () => {
  const initrd = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff)
  const sum = initrd.reduce((total, byte) => total + byte, 0)
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0')
  // IF, boot_params, type_of_loader, sentinel, columns, initrd: address, size, sum
  const expected = [0, 0x10000, 0xff, 0, 80, 64 * MIB - 8192, initrd.length, sum].map(hex).join(' ')
  const e820 = [
    [0, 0x9fc00, 1],
    [0x9fc00, 0x400, 2],
    [0xe0000, 0x20000, 2],
    [MIB, 63 * MIB, 1],
    [0xfffc0000, 0x40000, 2],
  ].map((entry) => ` ${entry.map(hex).join(' ')}`)

  test('at its 64-bit entry point', async () => {
    expect(await boot(file, [initrd], 'console=ttyS0 two words')).toEqual([
      `64 ${expected}`,
      ...e820,
      'console=ttyS0 two words',
    ])
    const reached = machine!.milestones().filter((milestone) => milestone.reached)
    expect(reached.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['BIOS', 'GDT', 'protected mode', 'PAE', 'paging', 'long mode', '64-bit code']),
    )
  })

  test('several archives come one behind the other, each on four bytes', async () => {
    const [line] = await boot(file, [initrd.subarray(0, 4993), initrd.subarray(0, 7)], '')
    const sums = [4993, 7].map((end) => initrd.subarray(0, end).reduce((total, byte) => total + byte, 0))
    const fields = [0, 0x10000, 0xff, 0, 80, 64 * MIB - 8192, 5003, sums[0]! + sums[1]!]
    expect(line).toBe(`64 ${fields.map(hex).join(' ')}`)
  })

  test('at its 32-bit entry point, when that is all it has', async () => {
    const kernel = patched((view) => view.setUint16(0x236, 0, true))
    expect(await boot(kernel, [initrd], '')).toEqual([`32 ${expected}`, ...e820])
  })

  test('without an initrd, and again after a reset', async () => {
    const lines = await boot(file, [], 'again', 2)
    expect(lines.length).toBe(14)
    expect(lines.slice(7)).toEqual(lines.slice(0, 7))
    expect(lines[0]).toBe(`64 ${[0, 0x10000, 0xff, 0, 80, 0, 0, 0].map(hex).join(' ')}`)
  })
})

test('a kernel says what it is', () => {
  expect(describeBzImage(file)).toBe('Linux kernel (bzImage) direct-boot test, boot protocol 2.15')
})

describe('what cannot be started is refused with a reason', () => {
  test.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'cannot be a Linux kernel'],
    ['a foreign file', new Uint8Array(4096).fill(0x41), 'HdrS'],
    ['one cut off in its header', file.subarray(0, 0x204), 'cannot be a Linux kernel'],
    ['one cut off behind its set-up code', file.subarray(0, 0x400), 'cut off'],
    ['one cut off in its kernel', file.subarray(0, file.length - 100), 'cut off'],
    ['no boot flag', patched((view) => view.setUint16(0x1fe, 0, true)), 'AA55h'],
    ['a protocol too old', patched((view) => view.setUint16(0x206, 0x201, true)), '2.01'],
    ['a protocol that cannot be', patched((view) => view.setUint16(0x206, 0xffff, true)), 'protocol 255.255'],
    ['a zImage', patched((view) => view.setUint8(0x211, 0)), 'zImage'],
    ['255 set-up sectors', patched((view) => view.setUint8(0x1f1, 255)), 'cut off'],
    ['an absurd syssize', patched((view) => view.setUint32(0x1f4, 0xffffffff, true)), 'cut off'],
    ['no kernel', patched((view) => view.setUint32(0x1f4, 0, true)), 'there is none'],
    ['a header without end', patched((view) => view.setUint8(0x201, 0xff)), 'header ends at'],
    ['an address beyond 4 GiB', patched((view) => view.setBigUint64(0x258, 1n << 40n, true)), 'above 4 GiB'],
  ])('%s', (_, kernel, message) => {
    expect(() => readBzImage(kernel)).toThrow(KernelError)
    expect(() => readBzImage(kernel)).toThrow(message)
  })

  const plan = (kernel: Uint8Array, initrd: number, append: string, memory: number) =>
    planDirectBoot({ kernel, initrd: [archive(new Uint8Array(initrd))], append }, starters, memory, [])

  test('kernel, initrd and memory that do not fit together', () => {
    expect(() => plan(file, 0, '', 2 * MIB)).toThrow('needs 3 MiB of memory')
    const huge = patched((view) => view.setUint32(0x260, 0xfffff000, true))
    expect(() => plan(huge, 0, '', 64 * MIB)).toThrow('of memory to unpack itself')
    expect(() => plan(file, 6 * MIB, '', 8 * MIB)).toThrow('the end of memory')
    const low = patched((view) => view.setUint32(0x22c, 0x3fffff, true))
    expect(() => plan(low, 2 * MIB, '', 64 * MIB)).toThrow('the kernel can reach')
    expect(plan(low, MIB, '', 64 * MIB).find(({ bytes }) => bytes.length === MIB)?.address).toBe(3 * MIB)
  })

  test('a command line too long, or with a zero in it', () => {
    expect(() => plan(file, 0, 'x'.repeat(256), 8 * MIB)).toThrow('256 bytes; this kernel takes 255')
    expect(() => plan(file, 0, 'x'.repeat(255), 8 * MIB)).not.toThrow()
    expect(() => plan(file, 0, 'a\0b', 8 * MIB)).toThrow('zero character')
  })

  test('createMachine hands the reason on', async () => {
    await expect(
      createMachine({ ...defaultConfig(), direct: { kernel: new Uint8Array(9999), append: '' } }),
    ).rejects.toThrow('HdrS')
  })

  test('random damage to the header is refused or planned within the memory, never anything else', () => {
    let state = 0x1234567
    const random = (below: number) => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) % below
    }
    for (let i = 0; i < 3000; i++) {
      const kernel = patched((view) => {
        for (let n = random(4); n >= 0; n--) view.setUint8(0x1f1 + random(0x80), random(256))
      })
      try {
        const chunks = plan(kernel, random(3 * MIB), 'x', 8 * MIB)
        const sorted = chunks.toSorted((a, b) => a.address - b.address)
        sorted.forEach(({ address, bytes }, n) => {
          expect(address + bytes.length).toBeLessThanOrEqual(sorted[n + 1]?.address ?? 8 * MIB)
        })
      } catch (error) {
        if (!(error instanceof KernelError)) throw error
      }
    }
  })
})

describe('before protocol 2.10 the set-up code starts the kernel (iPXE, memdisk)', () => {
  /** 2.07: one set-up sector that says what it finds on the debug console, and a protected-mode part of nothing. */
  const old = (() => {
    const bytes = new Uint8Array(1024 + 4096)
    const view = new DataView(bytes.buffer)
    bytes[0x1f1] = 1
    view.setUint32(0x1f4, 4096 / 16, true)
    view.setUint16(0x1fe, 0xaa55, true)
    bytes.set([0xeb, 0x66], 0x200)
    bytes.set(Buffer.from('HdrS'), 0x202)
    view.setUint16(0x206, 0x207, true)
    bytes[0x211] = 1
    view.setUint32(0x214, 0x100000, true)
    view.setUint32(0x22c, 0x37ffffff, true)
    view.setUint32(0x238, 255, true)
    // CS is the segment after DS = ES = FS = GS = SS, SP the heap's end; the first bytes of the command line, far.
    bytes.set(
      [
        [0x8c, 0xc8, 0x8c, 0xdb, 0x29, 0xd8, 0xe6, 0xe9], // MOV AX, CS; MOV BX, DS; SUB AX, BX; OUT E9h, AL
        [0x8c, 0xd0, 0x29, 0xd8, 0x04, 0x30, 0xe6, 0xe9], // MOV AX, SS; SUB AX, BX; ADD AL, '0'; OUT
        [0xa0, 0x11, 0x02, 0xe6, 0xe9], // MOV AL, [211h], loadflags; OUT
        [0x66, 0xa1, 0x28, 0x02, 0x66, 0xc1, 0xe8, 0x04, 0x8e, 0xc0], // MOV EAX, [228h]; SHR EAX, 4; MOV ES, AX
        [0x26, 0xa0, 0x01, 0x00, 0xe6, 0xe9], // MOV AL, [ES:1]; OUT
        [0x66, 0xa1, 0x1c, 0x02, 0xe6, 0xe9], // MOV EAX, [21Ch], the initrd's size; OUT
        [0xb0, 0x21, 0xe6, 0xf4], // MOV AL, 21h; OUT F4h, AL
      ].flat(),
      0x268,
    )
    return bytes
  })()
  test('with its segments, its heap and what it was handed', async () => {
    expect(await boot(old, [new Uint8Array(0x41)], 'xy')).toEqual([' 0\x81yA'])
  })
  test('a later one is started at its own entry', () => {
    expect(readBzImage(old).realMode).toBe(true)
    expect(readBzImage(file).realMode).toBe(false)
  })
  test('with more set-up code than its segment has room for it is refused', () => {
    const large = new Uint8Array(118 * 512 + 4096)
    large.set(old.subarray(0, 1024))
    large[0x1f1] = 117
    expect(() => planDirectBoot({ kernel: large, append: '' }, starters, 64 * MIB, [])).toThrow(/set-up code/)
  })
})

describe('vga= is for the boot loader: the set-up code sets the mode (boot.rst, "Special Command Line Options")', () => {
  /** A 2.15 whose set-up code tells vid_mode on the debug console; its later entry tells something else. */
  const telling = (() => {
    const bytes = new Uint8Array(file)
    bytes.set([0xeb, 0x66], 0x200)
    // MOV AX, [1FAh]; OUT E9h, AL; MOV AL, AH; OUT E9h, AL; MOV AL, 21h; OUT F4h, AL
    bytes.set([0xa1, 0xfa, 0x01, 0xe6, 0xe9, 0x88, 0xe0, 0xe6, 0xe9, 0xb0, 0x21, 0xe6, 0xf4], 0x268)
    return bytes
  })()
  test.each([
    ['vga=16706', 'BA'],
    ['quiet vga=0x314 vga=0x4544 --- x', 'DE'],
    ['vga=044504', 'DI'],
    ['vga=ask', '\xfd\xff'],
    ['vga=ext', '\xfe\xff'],
  ])('%s', async (append, mode) => {
    expect(await boot(telling, [], append)).toEqual([mode])
  })
  test.each(['vga=normal', 'vga=0xffff', 'novga=5'])('%s needs no set-up code', async (append) => {
    const lines = await boot(telling, [], append)
    expect([lines[0]!.slice(0, 2), lines.at(-1)]).toEqual(['64', append])
  })
  test.each(['vga=', 'vga=large', 'vga=0x10000', 'vga=-1', 'vga=09', 'vga=0x'])('%s is refused', (append) => {
    expect(() => planDirectBoot({ kernel: file, append }, starters, 64 * MIB, [])).toThrow(
      `the command line has ${append}`,
    )
  })
})
