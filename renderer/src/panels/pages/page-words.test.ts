import { describe, expect, it } from 'vitest'
import type { EntryField, MappedRange, PageTableStep } from '../../../../preload/bridge'
import { addressPieces, chipsOf, faultWords, spaceRows } from './page-words'

const step = (level: number, leaf = false): PageTableStep => ({
  ...{ name: '', level, index: 0, present: true, leaf, fields: [], changed: 0n },
})

describe('addressPieces', () => {
  it('cuts nine bits a level and leaves twelve of offset (SDM 3A figure 4-8)', () => {
    const linear = 0xffff_8000_0031_fef8n
    const pieces = addressPieces({ kind: '4-level', linear, canonical: true, steps: [step(1, true)] })
    expect(pieces.map(({ what, value }) => [what, value])).toEqual([
      ['sign', 0xffffn],
      ['PML4', 256n],
      ['PDPT', 0n],
      ['PD', 1n],
      ['PT', 287n],
      ['offset', 0xef8n],
    ])
    const whole = pieces.reduce((sum, { low, value }) => sum | (value << BigInt(low)), 0n)
    expect(whole).toBe(linear)
  })
  it('counts what is below a large page as offset', () => {
    const pieces = addressPieces({
      kind: '4-level',
      linear: 0x20_1234n,
      canonical: true,
      steps: [step(2, true)],
    })
    expect(pieces.at(-1)).toMatchObject({ what: 'offset', high: 20, value: 0x1234n })
  })
  it('cuts ten bits a level in 32-bit paging, and two for a PDPTE of PAE', () => {
    const narrow = addressPieces({ kind: '32-bit', linear: 0xc000_3004n, canonical: true, steps: [] })
    expect(narrow.map(({ high, low, value }) => [high, low, value])).toEqual([
      [31, 22, 768n],
      [21, 12, 3n],
      [11, 0, 4n],
    ])
    const pae = addressPieces({ kind: 'PAE', linear: 0xc000_3004n, canonical: true, steps: [] })
    expect(pae[0]).toMatchObject({ high: 31, low: 30, value: 3n })
  })
})

describe('words', () => {
  it('lists single bits from below, and reserved ones that are set', () => {
    const fields: EntryField[] = [
      { name: 'XD', high: 63, low: 63, value: 1n, meaning: '', role: 'used' },
      { name: 'reserved', high: 51, low: 40, value: 2n, meaning: '', role: 'reserved' },
      { name: 'frame', high: 39, low: 12, value: 5n, meaning: '', role: 'used' },
      { name: 'R/W', high: 1, low: 1, value: 0n, meaning: '', role: 'used' },
      { name: 'P', high: 0, low: 0, value: 1n, meaning: '', role: 'used' },
    ]
    expect(chipsOf(fields, 2n).map(({ name, set, changed }) => [name, set, changed])).toEqual([
      ['P', true, false],
      ['RW', false, true],
      ['bit 41', true, false],
      ['XD', true, false],
    ])
  })
  it('spells an error code out (SDM 3A figure 4-12)', () => {
    const fault = { kind: 'write', user: true, allowed: false, error: 7, step: 3, why: '' } as const
    expect(faultWords(fault)).toBe('#PF 0007 (present, write, user)')
    expect(faultWords({ ...fault, error: 0x14 })).toBe('#PF 0014 (not present, fetch, user)')
  })
  it('puts the canonical hole between the halves', () => {
    const range = (start: bigint) => ({ start, length: 0x1000n }) as MappedRange
    const rows = spaceRows('4-level', [range(0n), range(0xffff_8000_0000_0000n)])
    expect(rows.map(({ kind }) => kind)).toEqual(['range', 'hole', 'range'])
    expect(rows[1]).toEqual({ kind: 'hole', from: 0x8000_0000_0000n, to: 0xffff_7fff_ffff_ffffn })
    expect(spaceRows('32-bit', [range(0n)])).toHaveLength(1)
  })
})
