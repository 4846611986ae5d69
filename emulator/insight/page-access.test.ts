import { beforeEach, describe, expect, it } from 'vitest'
import { createMemory, type MachineMemory } from '../machine/memory'
import { ACCESSES, accessOutcome } from './page-access'
import { entryFields, isReservedViolation } from './page-table-entry'
import { type PagingControl, walkPages } from './page-walk'

const WP = 0x1_0000n
const SMEP = 0x10_0000n
const SMAP = 0x20_0000n
let memory: MachineMemory
beforeEach(() => {
  memory = createMemory(4 * 2 ** 20, 1)
  for (const table of [0x1000, 0x2000, 0x3000]) put(table, BigInt(table) + 0x1007n)
})
const put = (at: number, value: bigint) => memory.view.setBigUint64(memory.ram + at, value, true)
const control = (fields: Partial<PagingControl> = {}): PagingControl => ({
  ...{ cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd00n },
  ...fields,
})
/** Per access in the order of ACCESSES: the error code, or undefined where it is allowed. */
function codes(c: PagingControl, linear = 0n, rflags = 0n) {
  const walk = walkPages(memory, c, linear)
  return ACCESSES.map((access) => {
    const outcome = accessOutcome(c, rflags, walk, access)
    return outcome.allowed ? undefined : outcome.error
  })
}

describe('accessOutcome (SDM 3A 4.6, 4.7)', () => {
  it('lets everything through a user page with all rights', () => {
    put(0x4000, 0x8007n)
    expect(codes(control())).toEqual([undefined, undefined, undefined, undefined, undefined, undefined])
  })
  it('a page that is not present: no P in the code, W/R, U/S and I/D by the access', () => {
    expect(codes(control())).toEqual([0, 2, 16, 4, 6, 20])
    expect(codes(control({ efer: 0x500n }))).toEqual([0, 2, 0, 4, 6, 4])
  })
  it('a read-only page: ring 0 writes it until CR0.WP is set', () => {
    put(0x4000, 0x8005n)
    expect(codes(control())).toEqual([undefined, undefined, undefined, undefined, 7, undefined])
    expect(codes(control({ cr0: 0x8000_0001n | WP }))).toEqual([
      undefined,
      3,
      undefined,
      undefined,
      7,
      undefined,
    ])
  })
  it('a supervisor page, and the level that makes it one', () => {
    put(0x2000, 0x3003n)
    put(0x4000, 0x8007n)
    const c = control()
    const walk = walkPages(memory, c, 0n)
    expect(accessOutcome(c, 0n, walk, { kind: 'read', user: true })).toEqual({
      ...{ kind: 'read', user: true, allowed: false, error: 5, step: 1 },
      why: 'U/S is clear in the PDPTE: a supervisor page',
    })
  })
  it('SMEP and SMAP keep ring 0 from user pages, AC lifts SMAP', () => {
    put(0x4000, 0x8007n)
    expect(codes(control({ cr4: 0x20n | SMEP | SMAP }))).toEqual([1, 3, 17, undefined, undefined, undefined])
    expect(codes(control({ cr4: 0x20n | SMAP }), 0n, 1n << 18n)).toEqual(Array(6).fill(undefined))
  })
  it('execute disable, and its bit being reserved without EFER.NXE', () => {
    put(0x4000, (1n << 63n) | 0x8007n)
    expect(codes(control())).toEqual([undefined, undefined, 17, undefined, undefined, 21])
    expect(codes(control({ efer: 0x500n }))).toEqual([9, 11, 9, 13, 15, 13])
  })
  it('an address that is not canonical raises no page fault', () => {
    const c = control()
    const walk = walkPages(memory, c, 0x8000_0000_0000n)
    expect(accessOutcome(c, 0n, walk, ACCESSES[0]!)).toMatchObject({ allowed: false, step: -1 })
  })
  it('a what-if changes the walk and nothing in memory', () => {
    put(0x4000, 0x8005n)
    const c = control()
    const walk = walkPages(memory, c, 0n, new Map([[1, 2n]]))
    expect(accessOutcome(c, 0n, walk, { kind: 'write', user: true }).allowed).toBe(true)
    expect(walkPages(memory, c, 0n, new Map([[1, 1n]])).physical).toBeUndefined()
    expect(memory.view.getBigUint64(memory.ram + 0x4000, true)).toBe(0x8005n)
  })
})

describe('entryFields', () => {
  const shape = { nxe: true, pge: true, keys: false, physicalBits: 40 } as const
  it.each([
    { ...shape, kind: '4-level', level: 1, leaf: true },
    { ...shape, kind: '4-level', level: 2, leaf: true },
    { ...shape, kind: '4-level', level: 2, leaf: false, nxe: false },
    { ...shape, kind: '4-level', level: 3, leaf: true, keys: true },
    { ...shape, kind: '4-level', level: 4, leaf: false },
    { ...shape, kind: '5-level', level: 5, leaf: false },
    { ...shape, kind: 'PAE', level: 3, leaf: false },
    { ...shape, kind: 'PAE', level: 1, leaf: true },
    { ...shape, kind: '32-bit', level: 2, leaf: true, pge: false },
    { ...shape, kind: '32-bit', level: 1, leaf: true },
  ] as const)('leaves no bit of a level-$level $kind entry unsaid', (one) => {
    for (const entry of [0n, 1n, one.kind === '32-bit' ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn]) {
      const fields = entryFields(one, entry)
      expect(fields[0]!.high).toBe(one.kind === '32-bit' ? 31 : 63)
      expect(fields.at(-1)).toMatchObject({ name: 'P', low: 0 })
      for (const [i, field] of fields.entries()) if (i > 0) expect(field.high).toBe(fields[i - 1]!.low - 1)
      const whole = fields.reduce((sum, { low, value }) => sum | (value << BigInt(low)), 0n)
      expect(whole).toBe(entry)
    }
  })
  it('knows what is reserved (SDM 3A tables 4-15 to 4-20)', () => {
    const bad = (level: number, leaf: boolean, entry: bigint) =>
      isReservedViolation(entryFields({ ...shape, kind: '4-level', level, leaf }, entry))
    expect(bad(4, false, 0x1081n)).toBe(true)
    expect(bad(2, true, 0x20_0083n)).toBe(false)
    expect(bad(2, true, 0x20_2083n)).toBe(true)
    expect(bad(2, true, 0x20_1083n)).toBe(false)
    expect(bad(3, true, 0x4000_0083n)).toBe(false)
    expect(bad(3, true, 0x4020_0083n)).toBe(true)
    expect(bad(1, true, (1n << 40n) | 1n)).toBe(true)
    expect(bad(1, true, (1n << 40n) | 0n)).toBe(false)
  })
})
