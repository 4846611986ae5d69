// What Linux says of itself in memory: BTF and kallsyms that were put together by hand, and damaged; and a real Linux 6.1 against its own
// /proc (real-linux.ts).
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { linear, type Machine, MIB } from '../../../machine/api'
import { createMemory } from '../../../machine/memory'
import { freeSpace } from '../free-space'
import { Btf, BtfError } from './btf'
import { Kallsyms } from './kallsyms'
import { findLinux } from './find-linux'
import { followFree } from './freelist'
import { FrameObserver } from '../../frames/frame-observer'
import type { Slab } from '../reading'
import { bootRealLinux, createRealLinux, hasRealLinux } from './real-linux'
import { LinuxLook, readLinux, readLinuxCache } from './read-linux'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** struct s { int a; struct { unsigned b : 3; long c; }; int *d[4]; }; typedef struct s t; enum e { X = -1, Y = 5 } */
function btf(): Uint8Array<ArrayBuffer> {
  const names = ['', 'int', 's', 'a', 'b', 'c', 'd', 't', 'e', 'X', 'Y', 'long int']
  const strings = Buffer.from(`${names.join('\0')}\0`, 'latin1')
  const name = (text: string) => (text === '' ? 0 : strings.indexOf(`\0${text}\0`) + 1)
  const info = (kind: number, parts = 0, flag = 0) => (((flag << 31) | (kind << 24) | parts) >>> 0) as number
  const words = [
    ...[name('int'), info(1), 4, 0x0100_0020],
    ...[name('long int'), info(1), 8, 0x0100_0040],
    ...[0, info(4, 2, 1), 16, name('b'), 1, 3 << 24, name('c'), 2, 64],
    ...[0, info(2), 1],
    ...[0, info(3), 0, 4, 1, 4],
    ...[name('s'), info(4, 3), 56, name('a'), 1, 0, 0, 3, 64, name('d'), 5, 192],
    ...[name('t'), info(8), 6],
    ...[name('e'), info(6, 2), 4, name('X'), 0xffff_ffff, name('Y'), 5],
  ]
  const bytes = Buffer.alloc(24 + words.length * 4 + strings.length)
  bytes.writeUInt16LE(0xeb9f, 0)
  bytes[2] = 1
  for (const [i, value] of [24, 0, words.length * 4, words.length * 4, strings.length].entries())
    bytes.writeUInt32LE(value, 4 + 4 * i)
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, 24 + 4 * i)
  strings.copy(bytes, 24 + words.length * 4)
  return bytes
}

test('BTF: structs, anonymous members, bit fields, arrays, enumerations', () => {
  const types = Btf.read(btf())
  const s = types.named('t')
  expect(types.sizeOf(s)).toBe(56)
  expect(types.member(s, 'c')).toMatchObject({ offset: 16 })
  expect(types.member(s, 'b')).toMatchObject({ offset: 8, bits: { size: 3, offset: 0 } })
  expect(types.sizeOf(types.member(s, 'd')!.type)).toBe(32)
  expect(types.bare(types.named('enum e'))).toMatchObject({
    values: [
      { name: 'X', value: -1 },
      { name: 'Y', value: 5 },
    ],
  })
  expect(types.named('struct t')).toBeUndefined()
})

test('damaged BTF is refused, or read without harm', () => {
  const good = btf()
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
      const bytes = Uint8Array.from(good.subarray(0, Math.max(length, at + 1)))
      bytes[at] = value
      try {
        const types = Btf.read(bytes)
        for (let i = 0; i < 10; i++) {
          types.sizeOf(i)
          types.member(i, 'c')
          types.text(i)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(BtfError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('kallsyms: names of tokens, addresses from a base that KASLR has moved', () => {
  const memory = createMemory(4 * MIB, 1)
  const ram = Buffer.from(memory.wasm.buffer, memory.ram, memory.ramSize)
  const base = 0xffff_ffff_9a40_0000n
  const symbols = Array.from({ length: 1200 }, (_, i) => `T${i === 7 ? 'sla' : 'symbol'}${i}`)
  // Every byte is a token; one of them, 80h, stands for more.
  const tokens = Array.from({ length: 256 }, (_, i) =>
    i === 0x80 ? 'symbol' : i >= 0x21 && i < 0x7f ? String.fromCharCode(i) : '',
  )
  let at = 0x2_0000
  for (let i = 0; i < symbols.length; i++) ram.writeInt32LE(i === 3 ? 64 : -1 - i * 16, at + 4 * i)
  at += symbols.length * 4
  ram.writeBigUInt64LE(base, at)
  ram.writeUInt32LE(symbols.length, at + 8)
  at += 16
  for (const symbol of symbols) {
    const bytes = Buffer.from(symbol.replace('symbol', '\x80'), 'latin1')
    ram[at++] = bytes.length
    bytes.copy(ram, at)
    at += bytes.length
  }
  at = (at + 7) & ~7
  const offsets: number[] = []
  const table = at
  for (const token of tokens) {
    offsets.push(at - table)
    at += ram.write(`${token}\0`, at, 'latin1')
  }
  at = (at + 7) & ~7
  for (const [i, offset] of offsets.entries()) ram.writeUInt16LE(offset, at + 2 * i)
  const found = Kallsyms.find(memory)
  expect(found?.size).toBe(1200)
  expect(found?.address('symbol5')).toBe(base + 80n)
  expect(found?.address('sla7')).toBe(base + 112n)
  expect(found?.address('symbol3')).toBe(64n)
  expect(found?.label(base + 83n)).toBe('symbol5+3h')
  ram.fill(0x30, table, table + 4)
  expect(() => Kallsyms.find(memory)).not.toThrow()
})

test('a chain of free objects, plain or hardened, to its end, in a circle, and astray', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(63), { minLength: 1, maxLength: 40 }),
      fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
      fc.constantFrom('end', 'circle', 'astray', 'unmapped'),
      (picked, random, end) => {
        const order = [...new Set(picked)]
        const objects = 0xffff_8880_0123_4000n
        const at = (index: number) => objects + BigInt(index * 96)
        // mm/slub.c, freelist_ptr(): ptr ^ s->random ^ swab(ptr_addr)
        const swab = (value: bigint) => {
          const bytes = Buffer.alloc(8)
          bytes.writeBigUInt64LE(value)
          return bytes.readBigUInt64BE()
        }
        const kept = new Map<bigint, bigint>()
        const last = end === 'circle' ? at(order[0]!) : end === 'astray' ? objects + 5n : 0n
        for (const [i, index] of order.entries()) {
          const next = i + 1 < order.length ? at(order[i + 1]!) : last
          const place = at(index) + 48n
          if (end !== 'unmapped' || i + 1 < order.length)
            kept.set(place, random === undefined ? next : next ^ random ^ swab(place))
        }
        const view = { unsigned: (address: bigint) => kept.get(address) }
        const free = new Uint8Array(8)
        const found = followFree(
          view,
          { objects, size: 96, count: 64, link: 48, random },
          at(order[0]!),
          free,
        )
        expect(found.count).toBe(order.length)
        expect(found.problem === undefined).toBe(end === 'end')
        for (let i = 0; i < 64; i++) expect((free[i >> 3]! >> (i & 7)) & 1).toBe(order.includes(i) ? 1 : 0)
      },
    ),
  )
})

test.skipIf(!hasRealLinux)(
  'a real Linux: its buddy lists, SLUB caches, objects and counters at the very instruction it counts them',
  { timeout: 900_000 },
  async () => {
    const real = await createRealLinux()
    const started = (machine = real.machine)
    const { said } = real
    await bootRealLinux(real)
    await started.serialInput(0, Buffer.from('cat /proc/meminfo; cat /proc/buddyinfo; echo FIRST""DONE\n'))
    await said(/FIRSTDONE/)
    await started.pause()
    const kernel = findLinux(started.memory)!
    expect(kernel.kallsyms.size).toBeGreaterThan(50_000)

    // At frag_show_print, with the zone's lock held, what it is about to print is in the lists.
    real.text = ''
    void started.serialInput(0, Buffer.from('cat /proc/buddyinfo; echo SECOND""DONE\n'))
    const show = kernel.address('frag_show')!
    await started.runUntil(linear(show))
    const reading = readLinux(started.memory, kernel)
    expect(reading.troubles).toEqual([])
    const [zones] = reading.allocators
    expect(zones!.blocks).toEqual(zones!.claimedBlocks)
    expect(freeSpace(reading.frames).free).toBe(zones!.free)
    started.run()
    await said(/SECONDDONE/)
    await started.pause()
    const rows = [...real.text.matchAll(/zone +\w+ ([ \d]+)/g)].map(([, row]) =>
      row!.trim().split(/\s+/).map(Number),
    )
    expect(rows.length).toBeGreaterThan(0)
    expect(zones!.blocks).toEqual(
      zones!.blocks!.map((_, order) => rows.reduce((sum, row) => sum + row[order]!, 0)),
    )

    // Each cache, at the instruction at which slabinfo counts it.
    real.text = ''
    void started.serialInput(0, Buffer.from('cat /proc/slabinfo; echo THIRD""DONE\n'))
    const seen = new Map<string, string>()
    for (let i = 0; i < 12; i++) {
      await started.runUntil(linear(kernel.address('get_slabinfo')!))
      const cache = readLinuxCache(started.memory, kernel, started.cpu().gpr[7]!)
      const { name, inUse, held, objects, size, perSlab, order } = cache
      // What CPUs keep is in use for slabinfo.
      seen.set(name, [name, inUse + held!, objects, size, perSlab, 2 ** order].join(' '))
      await started.step(1)
    }
    started.run()
    await said(/THIRDDONE/)
    await started.pause()
    for (const [name, mine] of seen) {
      const line = real.text.split('\n').find((line) => line.startsWith(`${name} `))
      expect(line?.trim().split(/\s+/).slice(0, 6).join(' ')).toBe(mine)
    }

    // What /proc/meminfo is about to print.
    real.text = ''
    void started.serialInput(0, Buffer.from('cat /proc/meminfo; echo FOURTH""DONE\n'))
    await started.runUntil(linear(kernel.address('meminfo_proc_show')!))
    const counting = readLinux(started.memory, kernel)
    started.run()
    await said(/FOURTHDONE/)
    await started.pause()
    expect(counting.counters!.length).toBe(9)
    for (const { name, kib } of counting.counters!)
      expect(`${name} ${new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(real.text)?.[1]}`).toBe(`${name} ${kib}`)
    expect(counting.tasks.find(({ id }) => id === counting.current[0])?.name).toBe('cat')
    // And what struct page says of each frame adds up to it.
    const uses = (reading: typeof counting, name: string) =>
      reading.frames.use.reduce((sum, use) => sum + (reading.frames.uses[use]!.name === name ? 4 : 0), 0)
    const kib = (name: string) => {
      const { kib, pending } = counting.counters!.find((each) => each.name === name)!
      return kib + pending
    }
    expect(uses(counting, 'shared memory')).toBe(kib('Shmem'))
    expect(uses(counting, 'page table')).toBe(kib('PageTables'))
    expect(uses(counting, 'anonymous')).toBe(kib('AnonPages'))
    expect(uses(counting, 'free')).toBe(kib('MemFree'))

    // Every object of every slab: their chains of free ones leave what the caches count.
    const look = new LinuxLook(started.memory, kernel)
    const { frames, caches, tasks, current, troubles } = look.read()
    expect(troubles).toEqual([])
    expect(caches.length).toBeGreaterThan(50)
    for (const [i, { name, slabs, objects, inUse }] of caches.entries()) {
      const all = look.slabs(i, 1e6)
      const sum = (of: 'count' | 'inUse') => all.reduce((total, slab) => total + slab[of]!, 0)
      expect([name, all.length, sum('count'), sum('inUse')]).toEqual([name, slabs, objects, inUse])
    }
    expect(frames.cache.some((cache) => cache > 0)).toBe(true)
    expect(tasks.map(({ name }) => name)).toEqual(expect.arrayContaining(['swapper/0', 'sh', 'kthreadd']))
    expect([0, 1]).toContain(current[0])

    // The shell's own memory is told to be the shell's, and the files it runs from are named.
    const observer = new FrameObserver(started.memory, kernel, undefined, kernel)
    observer.look()
    const told = (name: string) =>
      [...frames.use.keys()]
        .filter((frame) => observer.reading.frames.uses[observer.reading.frames.use[frame]!]!.name === name)
        .map((frame) => observer.story(frame))
    const anonymous = told('anonymous')
    expect(anonymous.length).toBeGreaterThan(5)
    for (const { detail, mappings } of anonymous) {
      const where = mappings.find(({ user }) => user)!
      expect(detail).toContain(`${where.spaces[0]} has it at ${where.linear.toString(16).toUpperCase()}h`)
    }
    expect(told('shared memory').flatMap(({ detail }) => detail ?? [])).toEqual(
      expect.arrayContaining([expect.stringMatching(/^page \d+ of \/bin\/busybox \(/)]),
    )
    expect(told('kernel').flatMap(({ detail }) => detail ?? [])).toContain('kernel stack of sh (1)')

    // What the allocator gives out next was free, and is in use when it returns.
    void started.serialInput(0, Buffer.from('cat /proc/uptime\n'))
    for (let i = 0; i < 5; i++) {
      await started.runUntil(linear(kernel.address('kmem_cache_alloc')!))
      const cpu = started.cpu()
      const before = new LinuxLook(started.memory, kernel)
      const { name } = readLinuxCache(started.memory, kernel, cpu.gpr[7]!)
      const index = before.read().caches.findIndex((cache) => cache.name === name)
      const back = Buffer.from(started.readLinear(linear(cpu.gpr[4]!), 8)).readBigUInt64LE()
      const slabs = before.slabs(index, 1e6)
      await started.runUntil(linear(back))
      const object = started.cpu().gpr[0]!
      expect([name, stateOf(slabs, object)]).not.toEqual([name, 'in use'])
      const after = new LinuxLook(started.memory, kernel)
      after.read()
      expect([name, stateOf(after.slabs(index, 1e6), object)]).toEqual([name, 'in use'])
    }
  },
)

/** @param object its address */
function stateOf(slabs: Slab[], object: bigint): 'free' | 'in use' | 'nowhere' {
  for (const slab of slabs) {
    const size = slab.size!
    const index = Number(object - slab.objects) / size
    if (index < 0 || index >= slab.count!) continue
    expect(Number.isInteger(index)).toBe(true)
    return (slab.free[index >> 3]! >> (index & 7)) & 1 ? 'free' : 'in use'
  }
  return 'nowhere'
}
