import { beforeEach, describe, expect, it } from 'vitest'
import { createMemory, type MachineMemory } from '../machine/memory'
import { type PagingControl, readThroughPages, walkPages } from './page-walk'

const PG = 0x8000_0001n
const PAE = 0x20n
const PSE = 0x10n
const LMA = 0x500n
const NXE = 0x800n

let memory: MachineMemory
beforeEach(() => {
  memory = createMemory(4 * 2 ** 20, 1)
})
const put64 = (at: number, value: bigint) => memory.view.setBigUint64(memory.ram + at, value, true)
const put32 = (at: number, value: number) => memory.view.setUint32(memory.ram + at, value, true)
const control = (fields: Partial<PagingControl>): PagingControl => ({
  cr0: PG,
  cr3: 0n,
  cr4: 0n,
  efer: 0n,
  ...fields,
})

describe('walkPages', () => {
  it('has nothing to walk without paging', () => {
    expect(walkPages(memory, control({ cr0: 1n }), 0x1234n)).toMatchObject({
      kind: 'none',
      physical: 0x1234n,
      steps: [],
    })
  })

  it('walks two levels (SDM 3A figure 4-2)', () => {
    put32(0x1000 + 4 * 3, 0x2007)
    put32(0x2000 + 4 * 5, 0x3005)
    const walk = walkPages(memory, control({ cr3: 0x1000n }), (3n << 22n) | (5n << 12n) | 0xabcn)
    expect(walk).toMatchObject({
      kind: '32-bit',
      physical: 0x3abcn,
      writable: false,
      user: true,
      pageSize: 4096,
    })
    expect(walk.steps.map(({ name, at }) => [name, at])).toEqual([
      ['PDE', 0x100cn],
      ['PTE', 0x2014n],
    ])
  })

  it('takes 4 MiB pages with their high address bits only with CR4.PSE', () => {
    put32(0x1000 + 4, 0x0040_0083 | (1 << 13))
    const large = walkPages(memory, control({ cr3: 0x1000n, cr4: PSE }), 0x0040_1234n)
    expect(large).toMatchObject({ physical: 0x1_0040_1234n, pageSize: 4 << 20 })
    expect(walkPages(memory, control({ cr3: 0x1000n }), 0x0040_1234n).steps[0]?.leaf).toBe(false)
  })

  it('starts PAE walks at the PDPTEs that the processor holds', () => {
    put64(0x3000, 0x20_0083n)
    const pae = control({ cr4: PAE, pdptes: [0n, 0x3001n, 0n, 0n] })
    expect(walkPages(memory, pae, 0x4000_0123n)).toMatchObject({
      kind: 'PAE',
      physical: 0x20_0123n,
      pageSize: 2 << 20,
    })
    expect(walkPages(memory, pae, 0x123n)).toMatchObject({
      physical: undefined,
      steps: [{ name: 'PDPTE', present: false }],
    })
  })

  describe('in four levels', () => {
    const long = control({ cr3: 0x1000n, cr4: PAE, efer: LMA | NXE })
    beforeEach(() => {
      put64(0x1000 + 8 * 511, 0x2003n)
      put64(0x2000 + 8 * 510, 0x3003n)
      put64(0x3000, 0x8000_0000_0000_4003n)
      put64(0x4000, 0x5003n)
    })
    it('collects the rights of every level', () => {
      const walk = walkPages(memory, long, 0xffff_ffff_8000_0042n)
      expect(walk).toMatchObject({ physical: 0x5042n, user: false, writable: true, executable: false })
      expect(walk.steps.map(({ name }) => name)).toEqual(['PML4E', 'PDPTE', 'PDE', 'PTE'])
    })
    it('ends where an entry is not present', () => {
      const walk = walkPages(memory, long, 0xffff_ffff_8000_1000n)
      expect(walk.physical).toBeUndefined()
      expect(walk.steps.at(-1)).toMatchObject({ name: 'PTE', at: 0x4008n, entry: 0n, present: false })
    })
    it('refuses addresses that are not canonical', () => {
      expect(walkPages(memory, long, 0x8000_0000_0000n)).toMatchObject({ physical: undefined, steps: [] })
    })
    it('walks a fifth with CR4.LA57', () => {
      const five = control({ cr3: 0x6000n, cr4: PAE | (1n << 12n), efer: LMA | NXE })
      put64(0x6000 + 8, 0x1003n)
      const linear = 0x0001_ffff_8000_0042n
      const walk = walkPages(memory, five, linear)
      expect(walk).toMatchObject({ kind: '5-level', physical: 0x5042n })
      expect(walk.steps.map(({ name }) => name)).toEqual(['PML5E', 'PML4E', 'PDPTE', 'PDE', 'PTE'])
      expect(walkPages(memory, five, 0x0100_0000_0000_0000n).steps).toEqual([])
    })
    it('leaves the tables as they are', () => {
      walkPages(memory, long, 0xffff_ffff_8000_0042n)
      expect(memory.view.getBigUint64(memory.ram + 0x4000, true)).toBe(0x5003n)
    })
    it('reads bytes up to the first page that is missing', () => {
      memory.u8.set([1, 2, 3], memory.ram + 0x5ffd)
      expect([...readThroughPages(memory, long, 0xffff_ffff_8000_0ffdn, 8)]).toEqual([1, 2, 3])
    })
    it('survives tables that lie nowhere', () => {
      put64(0x4000, 0x00ff_ffff_f003n)
      const walk = walkPages(memory, long, 0xffff_ffff_8000_0042n)
      expect(walk.physical).toBe(0xff_ffff_f042n)
      expect(readThroughPages(memory, long, 0xffff_ffff_8000_0042n, 4)).toHaveLength(0)
      put64(0x3000, 0x00ff_ffff_f003n)
      expect(walkPages(memory, long, 0xffff_ffff_8000_0042n).steps.at(-1)?.entry).toBeUndefined()
    })
  })
})
