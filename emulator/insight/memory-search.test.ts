import { expect, test } from 'vitest'
import { createMemory } from '../machine/memory'
import { searchStep } from './memory-search'

const PAGE = 4096
const ROOT = 1 << 20
const TABLES = 32

/** 16,384 pages from 4 GiB on, in an order that puts no two neighbours together: more ranges than a view lists. */
function scattered() {
  const memory = createMemory(64 << 20, 1)
  const put = (at: number, value: number) => memory.view.setBigUint64(memory.ram + at, BigInt(value), true)
  put(ROOT, ROOT + PAGE + 7)
  put(ROOT + PAGE + 8 * 4, ROOT + 2 * PAGE + 7)
  for (let table = 0; table < TABLES; table++) put(ROOT + 2 * PAGE + 8 * table, ROOT + (3 + table) * PAGE + 7)
  // Every other page is writable: neighbours have other rights, and are ranges of their own.
  const frame = (page: number) => 4096 + ((page * 4099) % 8192)
  for (let page = 0; page < TABLES * 512; page++)
    put(ROOT + 3 * PAGE + 8 * page, frame(page) * PAGE + (page % 2 ? 0x63 : 0x61))
  const control = { cr0: 0x8000_0001n, cr3: BigInt(ROOT), cr4: 0x20n, efer: 0xd00n }
  const find = (from: bigint, pattern: Uint8Array) => {
    for (let at = from; ; ) {
      const { found, next } = searchStep(memory, control, 'linear', at, pattern)
      if (next === undefined) return found
      expect(next).toBeGreaterThan(at)
      at = next
    }
  }
  const write = (linear: bigint, text: string) => {
    for (const [i, byte] of [...Buffer.from(text)].entries()) {
      const at = Number(linear - (4n << 30n)) + i
      memory.u8[memory.ram + frame(Math.floor(at / PAGE)) * PAGE + (at % PAGE)] = byte
    }
  }
  return { find, write }
}

test('a search goes through all of an address space, however many ranges it has, and across pages', () => {
  const { find, write } = scattered()
  const text = 'needle in a haystack'
  const pattern = Buffer.from(text)
  const base = 4n << 30n
  const far = base + BigInt(8190 * PAGE) - 7n
  expect(find(0n, pattern)).toBeUndefined()
  write(far, text)
  expect(find(0n, pattern)).toBe(far)
  expect(find(far, pattern)).toBe(far)
  // Each frame is mapped twice, 8192 pages apart.
  expect(find(far + 1n, pattern)).toBe(far + BigInt(8192 * PAGE))
  expect(find(far + BigInt(8192 * PAGE) + 1n, pattern)).toBeUndefined()
})
