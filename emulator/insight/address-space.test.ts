import { beforeEach, describe, expect, it } from 'vitest'
import { createMemory, type MachineMemory } from '../machine/memory'
import { pruned, readAddressSpace, TABLES_MAX } from './address-space'
import { type PagingControl, walkPages } from './page-walk'

const control = (fields: Partial<PagingControl>): PagingControl => ({
  ...{ cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd00n },
  ...fields,
})
let memory: MachineMemory
beforeEach(() => {
  memory = createMemory(16 * 2 ** 20, 1)
})
const put64 = (table: number, index: number, value: bigint) =>
  memory.view.setBigUint64(memory.ram + table + 8 * index, value, true)
const put32 = (table: number, index: number, value: number) =>
  memory.view.setUint32(memory.ram + table + 4 * index, value, true)

/** An identity map of 4 MiB in 2 MiB pages, and a higher half of four pages in scattered frames. */
function usual() {
  put64(0x1000, 0, 0x2023n)
  put64(0x2000, 0, 0x3023n)
  put64(0x3000, 0, 0x00_00e3n)
  put64(0x3000, 1, 0x20_00a3n)
  put64(0x1000, 511, 0x4023n)
  put64(0x4000, 510, 0x5023n)
  put64(0x5000, 0, 0x6023n)
  for (const [i, frame] of [7n, 9n, 8n, 12n].entries()) put64(0x6000, i, (1n << 63n) | (frame << 12n) | 0x21n)
}

describe('readAddressSpace', () => {
  it('has nothing to tell without paging', () => {
    expect(readAddressSpace(memory, control({ cr0: 1n }))).toMatchObject({
      kind: 'none',
      ranges: [],
      tables: 0,
    })
  })

  it('merges pages with the same rights and says what is contiguous', () => {
    usual()
    const space = readAddressSpace(memory, control({}))
    expect(space.ranges).toEqual([
      {
        ...{
          start: 0n,
          length: 4n << 20n,
          physical: 0n,
          contiguous: true,
          pageSize: 2 << 20,
          looksLike: 'identity',
        },
        ...{ writable: true, user: false, executable: true, global: false, pages: 2, accessed: 2, dirty: 1 },
      },
      {
        ...{
          start: 0xffff_ffff_8000_0000n,
          length: 0x4000n,
          physical: 0x7000n,
          contiguous: false,
          pageSize: 4096,
        },
        ...{
          writable: false,
          user: false,
          executable: false,
          global: false,
          pages: 4,
          accessed: 4,
          dirty: 0,
        },
        looksLike: undefined,
      },
    ])
    expect(space.tables).toBe(6)
    expect(space.tree).toMatchObject({
      level: 4,
      table: 0x1000,
      present: 2,
      pages: 6,
      mapped: (4 << 20) + 0x4000,
    })
    expect(space.tree!.children[1]!.children[0]!.children[0]).toMatchObject({
      level: 1,
      table: 0x6000,
      start: 0xffff_ffff_8000_0000n,
      span: 2n << 20n,
    })
  })

  it('agrees with the walk of every page it lists', () => {
    usual()
    const c = control({})
    for (const range of readAddressSpace(memory, c).ranges) {
      for (let at = range.start; at < range.start + range.length; at += 0x1000n) {
        const walk = walkPages(memory, c, at)
        expect(walk).toMatchObject({
          writable: range.writable,
          user: range.user,
          executable: range.executable,
        })
        if (range.contiguous) expect(walk.physical).toBe(range.physical + (at - range.start))
      }
      expect(walkPages(memory, c, BigInt.asUintN(64, range.start + range.length)).physical).toBeUndefined()
    }
  })

  it('takes the rights that every level grants (SDM 3A 4.6)', () => {
    put64(0x1000, 0, 0x2007n)
    put64(0x2000, 0, 0x3005n)
    put64(0x3000, 0, 0x4007n)
    put64(0x4000, 5, 0x9007n)
    expect(readAddressSpace(memory, control({})).ranges).toMatchObject([
      { start: 0x5000n, writable: false, user: true, executable: true },
    ])
  })

  it('stops at a recursive slot', () => {
    usual()
    put64(0x1000, 510, 0x1003n)
    const space = readAddressSpace(memory, control({}))
    expect(space.tree!.recursive).toEqual([510])
    expect(space.ranges).toHaveLength(2)
  })

  it('reads a bounded number of tables, however often they share each other', () => {
    // Every slot of every level leads to the same table below: 2^27 ways down.
    for (let i = 0; i < 512; i++) {
      put64(0x1000, i, 0x2003n)
      put64(0x2000, i, 0x3003n)
      put64(0x3000, i, 0x4003n)
    }
    const space = readAddressSpace(memory, control({}))
    expect(space).toMatchObject({ incomplete: true, tables: TABLES_MAX })
  })

  it('can be cut to the size of a picture, from below', () => {
    usual()
    const { tree } = readAddressSpace(memory, control({}))
    const small = pruned(tree!, 4)
    expect(small.children.map(({ children, hidden }) => [children.length, hidden])).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(tree!.children[1]!.children).toHaveLength(1)
  })

  it('counts tables that lie nowhere', () => {
    put64(0x1000, 3, 0x00ff_ffff_f003n)
    expect(readAddressSpace(memory, control({}))).toMatchObject({ strays: 1, ranges: [] })
  })

  it('reads PAE tables from the PDPTEs that the processor holds', () => {
    put64(0x3000, 1, 0x20_0087n)
    const pae = control({ efer: 0n, pdptes: [0n, 0x3001n, 0n, 0n] })
    expect(readAddressSpace(memory, pae).ranges).toMatchObject([
      { start: 0x4020_0000n, physical: 0x20_0000n, pageSize: 2 << 20, user: true, executable: true },
    ])
  })

  it('reads 32-bit tables, 4 MiB pages with CR4.PSE among them', () => {
    put32(0x1000, 1, 0x0040_0083)
    put32(0x1000, 768, 0x2003)
    put32(0x2000, 3, 0xfff0_0003)
    const space = readAddressSpace(memory, control({ cr4: 0x10n, efer: 0n }))
    expect(space.ranges).toMatchObject([
      { start: 0x40_0000n, physical: 0x40_0000n, pageSize: 4 << 20, looksLike: 'identity' },
      { start: 0xc000_3000n, physical: 0xfff0_0000n, pageSize: 4096 },
    ])
  })
})
