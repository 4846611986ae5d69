import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemory, type MachineMemory } from '../machine/memory'
import type { PagingControl } from './page-walk'
import { walkPages } from './page-walk'
import { captureSpace, spaceDifference } from './space-difference'

const LONG: PagingControl = { cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd00n }
const OTHER: PagingControl = { ...LONG, cr3: 0x8000n }
const put = (memory: MachineMemory, at: number, value: bigint) =>
  memory.view.setBigUint64(memory.ram + at, value, true)

/** Two spaces with a page table each for the first 2 MiB: at 4000h and at B000h. */
function twoSpaces() {
  const memory = createMemory(4 << 20, 1)
  for (const [root, first] of [
    [0x1000, 0x2007n],
    [0x8000, 0x9007n],
  ] as const)
    put(memory, root, first)
  put(memory, 0x2000, 0x3007n)
  put(memory, 0x3000, 0x4007n)
  put(memory, 0x9000, 0xa007n)
  put(memory, 0xa000, 0xb007n)
  return memory
}

test('pages in one alone, other frames, other permissions and other page sizes', () => {
  const memory = twoSpaces()
  for (let page = 0; page < 8; page++) {
    put(memory, 0x4000 + 8 * page, BigInt(0x10_0000 + page * 4096) | 7n)
    put(memory, 0xb000 + 8 * page, BigInt(0x10_0000 + page * 4096) | 7n)
  }
  put(memory, 0x4000 + 8 * 20, 0x5003n) // only in the first
  put(memory, 0xb000 + 8 * 30, 0x6003n) // only in the second, two pages in a row
  put(memory, 0xb000 + 8 * 31, 0x7003n)
  put(memory, 0xb000 + 8 * 2, 0x10_2000n | 5n) // read-only there
  put(memory, 0xb000 + 8 * 4, 0x18_0000n | 7n) // another frame there
  put(memory, 0xb000 + 8 * 5, 0x10_5000n | 0x107n) // G there
  put(memory, 0x4000 + 8 * 6, 0x10_6000n | 0x67n) // A and D are no difference
  put(memory, 0x3008, 0x20_0083n) // 2 MiB here, 4 KiB pages there
  put(memory, 0xa008, 0xc007n)
  for (let page = 0; page < 512; page++) put(memory, 0xc000 + 8 * page, BigInt(0x20_0000 + page * 4096) | 3n)
  const found = spaceDifference(captureSpace(memory, LONG), captureSpace(memory, OTHER))
  expect(found.differences.map(({ kind, start, length }) => [kind, Number(start), Number(length)])).toEqual([
    ['rights', 0x2000, 0x1000],
    ['frame', 0x4000, 0x1000],
    ['size', 0x5000, 0x1000],
    ['only-a', 0x14000, 0x1000],
    ['only-b', 0x1e000, 0x2000],
    ['size', 0x20_0000, 0x20_0000],
  ])
  expect(found.differences[0]).toMatchObject({
    a: { writable: true },
    b: { writable: false, physical: 0x10_2000n },
  })
  expect(found.differences[1]).toMatchObject({ a: { physical: 0x10_4000n }, b: { physical: 0x18_0000n } })
  expect(found.differences.at(-1)).toMatchObject({ a: { pageSize: 0x20_0000 }, b: { pageSize: 0x1000 } })
  expect(found.same).toBe(5 * 4096)
  expect(found.bytes).toEqual({
    'only-a': 4096,
    'only-b': 8192,
    rights: 4096,
    frame: 4096,
    size: 4096 + 0x20_0000,
  })
})

test('what was captured stays what it was', () => {
  const memory = twoSpaces()
  put(memory, 0x4000, 0x10_0007n)
  const before = captureSpace(memory, LONG)
  expect(spaceDifference(before, captureSpace(memory, LONG)).differences).toEqual([])
  put(memory, 0x4000, 0n)
  put(memory, 0x4008, 0x10_0007n)
  const found = spaceDifference(before, captureSpace(memory, LONG))
  expect(found.differences.map(({ kind, start }) => [kind, start])).toEqual([
    ['only-a', 0n],
    ['only-b', 0x1000n],
  ])
})

test('random tables: each page is told as the walk of both spaces has it', () => {
  const entry = fc.tuple(fc.nat(63), fc.integer({ min: 0x40, max: 0x5f }), fc.constantFrom(1, 3, 5, 7))
  const table = fc.array(entry, { maxLength: 60 })
  fc.assert(
    fc.property(table, table, (first, second) => {
      const memory = twoSpaces()
      for (const [at, list] of [
        [0x4000, first],
        [0xb000, second],
      ] as const)
        for (const [index, frame, flags] of list)
          put(memory, at + 8 * index, BigInt(frame) * 4096n + BigInt(flags))
      const { differences } = spaceDifference(captureSpace(memory, LONG), captureSpace(memory, OTHER))
      for (let page = 0; page < 64; page++) {
        const linear = BigInt(page) * 4096n
        const a = walkPages(memory, LONG, linear)
        const b = walkPages(memory, OTHER, linear)
        const told = differences.find(({ start, length }) => linear >= start && linear < start + length)
        const rights = (walk: typeof a) => `${walk.writable} ${walk.user} ${walk.executable}`
        const wanted =
          a.physical === undefined
            ? b.physical === undefined
              ? undefined
              : 'only-b'
            : b.physical === undefined
              ? 'only-a'
              : a.physical !== b.physical
                ? 'frame'
                : rights(a) !== rights(b)
                  ? 'rights'
                  : undefined
        expect(told?.kind).toBe(wanted)
        if (told?.a && a.physical !== undefined)
          expect(told.a.physical + (linear - told.start)).toBe(a.physical)
        if (told?.b && b.physical !== undefined)
          expect(told.b.physical + (linear - told.start)).toBe(b.physical)
      }
    }),
  )
})

test('tables that map themselves, and paging that is off', () => {
  const memory = createMemory(4 << 20, 1)
  put(memory, 0x1000 + 511 * 8, 0x1003n)
  const loop = captureSpace(memory, LONG)
  const off = captureSpace(memory, { ...LONG, cr0: 1n })
  expect(off.runs).toEqual([])
  const { differences, kinds } = spaceDifference(loop, off)
  expect(kinds).toEqual(['4-level', 'none'])
  for (const { kind } of differences) expect(kind).toBe('only-a')
})
