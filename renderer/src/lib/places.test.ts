import { describe, expect, test } from 'vitest'
import type { CpuSnapshot } from '../../../preload/bridge'
import { patternOf, placeOf } from './places'

const segment = { base: 0n, big: true }
const cpu = {
  gpr: Array.from({ length: 16 }, (_, i) => BigInt(i) * 0x1000n + 0xffff_8000_0000_0000n),
  ...{ ripLinear: 0x7c10n, bits: 64, cr2: 0x123n, cr3: 0x5018n },
  ...{ gdtr: { base: 0x800n, limit: 23 }, idtr: { base: 0x900n, limit: 4095 } },
  segments: { ss: segment, ldtr: { base: 0x40n }, tr: { base: 0x60n } },
} as unknown as CpuSnapshot

describe('places', () => {
  test.each([
    ['7c00', 0x7c00n],
    ['0x7C00', 0x7c00n],
    ['7c00h', 0x7c00n],
    ['ffff8000_0031fef8', 0xffff_8000_0031_fef8n],
    ['ffff8000\u202f0031fef8', 0xffff_8000_0031_fef8n],
    ['b800:10', 0xb8010n],
    ['rsp', 0xffff_8000_0000_4000n],
    ['esp', 0x4000n],
    ['rsp + 20 - 8', 0xffff_8000_0000_4018n],
    ['r15', 0xffff_8000_0000_f000n],
    ['rip', 0x7c10n],
    ['idt+e0', 0x9e0n],
    ['0-1', 0xffff_ffff_ffff_ffffn],
    ['kmain+4', 0x10_0004n],
  ])('%s', (text, address) => {
    const symbol = (name: string) => (name === 'kmain' ? 0x10_0000n : undefined)
    expect(placeOf(text, cpu, symbol)).toEqual({ address, space: 'linear' })
  })
  test('the page directory’s base is physical', () => {
    expect(placeOf('cr3+8', cpu)).toEqual({ address: 0x5008n, space: 'physical' })
  })
  test.each(['', 'nothing', '12345678901234567', '7c00+', 'xyz:0', '+'])('no place: “%s”', (text) => {
    expect(placeOf(text, cpu)).toBeUndefined()
  })
})

describe('patterns', () => {
  const bytes = (text: string) => [...(patternOf(text) ?? [])]
  test('text, bytes, numbers', () => {
    expect(bytes('GRUB')).toEqual([0x47, 0x52, 0x55, 0x42])
    expect(bytes('"55 aa"')).toEqual([...'55 aa'].map((letter) => letter.charCodeAt(0)))
    expect(bytes('55 AA')).toEqual([0x55, 0xaa])
    expect(bytes('0xaa55')).toEqual([0x55, 0xaa])
    expect(bytes('0x12345')).toEqual([0x45, 0x23, 1, 0])
    expect(bytes('1badb002h')).toEqual([2, 0xb0, 0xad, 0x1b])
    expect(bytes('ab')).toEqual([0x61, 0x62])
    expect(bytes('é')).toEqual([0xc3, 0xa9])
    expect(patternOf('  ')).toBeUndefined()
  })
})
