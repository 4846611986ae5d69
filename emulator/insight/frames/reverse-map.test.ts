import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemory, type MachineMemory } from '../../machine/memory'
import { type PagingControl, walkPages } from '../page-walk'
import { OWNER_SEVERAL, ReverseMap, TABLES_MAX } from './reverse-map'

const LONG: PagingControl = { cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd00n }
const put = (memory: MachineMemory, at: number, value: bigint) =>
  memory.view.setBigUint64(memory.ram + at, value, true)

test('4 KiB, 2 MiB and shared tables; changes and spaces that go', () => {
  const memory = createMemory(16 << 20, 1)
  const other = { ...LONG, cr3: 0x8000n }
  put(memory, 0x1000, 0x2007n)
  put(memory, 0x2000, 0x3007n)
  put(memory, 0x3000, 0x4007n)
  put(memory, 0x3008, 0x40_0083n) // 2 MiB at 4 MiB
  put(memory, 0x4000, 0x5003n)
  put(memory, 0x4008, 0x5001n | (1n << 63n))
  put(memory, 0x8000 + 256 * 8, 0x2003n) // the other space has the same tables higher up
  const map = new ReverseMap(memory)
  const roots = [
    { control: LONG, name: 'a' },
    { control: other, name: 'b' },
  ]
  map.update(roots)
  expect(map.counts[5]).toBe(2)
  expect(map.counts[0x400]).toBe(1)
  expect(map.counts[0x5ff]).toBe(1)
  expect([...map.levels.slice(0, 10)]).toEqual([0, 4, 3, 2, 1, 0, 0, 0, 4, 0])
  const mappings = map.mappings(5)
  expect(mappings.map(({ linear, spaces }) => [linear.toString(16), ...spaces])).toEqual([
    ['0', 'a'],
    ['1000', 'a'],
    ['ffff800000000000', 'b'],
    ['ffff800000001000', 'b'],
  ])
  expect(mappings[0]).toMatchObject({
    entry: 0x4000,
    writable: true,
    user: false,
    executable: true,
    pageSize: 4096,
  })
  expect(mappings[1]).toMatchObject({ writable: false, executable: false })

  put(memory, 0x4008, 0x6001n)
  map.update(roots)
  expect([map.counts[5], map.counts[6]]).toEqual([1, 1])
  put(memory, 0x1000, 0n)
  put(memory, 0x8000 + 256 * 8, 0n)
  map.update(roots)
  expect(map.tables).toBe(2)
  expect(map.counts.every((count) => count === 0)).toBe(true)
})

test('frames are of the task whose user pages they are, of several, or of nobody', () => {
  const memory = createMemory(16 << 20, 1)
  const space = (cr3: bigint, task: number) => ({ control: { ...LONG, cr3 }, name: `${task}`, task })
  for (const [top, own] of [
    [0x1000, 0x5007n],
    [0x8000, 0x6007n],
  ] as const) {
    put(memory, top, BigInt(top + 0x1007))
    put(memory, top + 0x1000, BigInt(top + 0x2007))
    put(memory, top + 0x2000, BigInt(top + 0x3007))
    put(memory, top + 0x3000, own)
    put(memory, top + 0x3008, 0x7007n) // both have it
    put(memory, top + 0x3010, 0xd003n) // not for user mode
    put(memory, top + 0x2008, 0x40_0087n + BigInt(top) * 0x200n) // 2 MiB
  }
  const map = new ReverseMap(memory)
  map.update([space(0x1000n, 10), space(0x8000n, 20)])
  const owners = map.owners()
  expect([5, 6, 7, 13, 14].map((frame) => owners[frame])).toEqual([10, 20, OWNER_SEVERAL, 0, 0])
  expect([1, 4, 8, 11].map((frame) => owners[frame])).toEqual([10, 10, 20, 20])
  expect([owners[0x600], owners[0x7ff], owners[0x3ff]]).toEqual([10, 10, 0])
})

test('tables whose every entry leads to the next one are gone through once', () => {
  const memory = createMemory(16 << 20, 1)
  for (let level = 0; level < 4; level++)
    for (let i = 0; i < 512; i++) put(memory, 0x1000 * (level + 1) + i * 8, BigInt(0x1000 * (level + 2) + 7))
  const map = new ReverseMap(memory)
  map.update([{ control: LONG, name: 'a', task: 3 }])
  const owners = map.owners()
  expect([...owners.slice(0, 7)]).toEqual([0, 3, 3, 3, 3, 3, 0])
})

test('a table that maps itself ends, and so does whatever random tables say', () => {
  const memory = createMemory(4 << 20, 1)
  put(memory, 0x1000 + 511 * 8, 0x1003n)
  const map = new ReverseMap(memory)
  map.update([{ control: LONG, name: 'a' }])
  expect(map.counts[1]).toBe(1)
  expect(map.tables).toBe(4)
  const entry = fc.tuple(fc.nat(1023), fc.nat(511), fc.nat(0xff))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 200 }), fc.array(entry, { maxLength: 50 }), (first, then) => {
      for (const list of [first, then]) {
        for (const [frame, index, flags] of list)
          put(memory, (frame & 15) * 4096 + index * 8, BigInt(frame & 31) * 4096n + BigInt(flags))
        map.update([{ control: LONG, name: 'a', task: 1 }])
        map.owners()
      }
      // What was kept up to date is what a new one sees.
      const fresh = new ReverseMap(memory)
      fresh.update([{ control: LONG, name: 'a' }])
      expect(map.counts).toEqual(fresh.counts)
      expect(map.levels).toEqual(fresh.levels)
      // And each mapping told is one that the walk confirms.
      for (let frame = 0; frame < 32; frame += 7)
        for (const { linear } of fresh.mappings(frame, 8))
          expect(walkPages(memory, LONG, linear).physical).toBe(BigInt(frame) * 4096n)
    }),
    { numRuns: 60 },
  )
  expect(map.tables).toBeLessThan(TABLES_MAX)
})

test('32-bit paging and PAE', () => {
  const memory = createMemory(16 << 20, 1)
  const narrow: PagingControl = { cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x10n, efer: 0n }
  memory.view.setUint32(memory.ram + 0x1000, 0x2007, true)
  memory.view.setUint32(memory.ram + 0x1004, 0x40_0083, true)
  memory.view.setUint32(memory.ram + 0x2000 + 4 * 1023, 0x9003, true)
  const map = new ReverseMap(memory)
  map.update([{ control: narrow, name: 'a' }])
  expect([map.counts[9], map.counts[0x400], map.counts[0x7ff]]).toEqual([1, 1, 1])
  expect(map.mappings(9)[0]).toMatchObject({ linear: 0x3f_f000n, entry: 0x2ffc })
  const pae: PagingControl = {
    cr0: 0x8000_0001n,
    cr3: 0n,
    cr4: 0x20n,
    efer: 0n,
    pdptes: [0n, 0x3001n, 0n, 0n],
  }
  put(memory, 0x3000, 0x20_0083n)
  map.update([{ control: pae, name: 'b' }])
  expect([map.counts[9], map.counts[0x200]]).toEqual([0, 1])
  expect(map.mappings(0x201)[0]!.linear).toBe(0x4000_1000n)
})
