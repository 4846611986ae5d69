import { describe, expect, it } from 'vitest'
import { decodeDescriptor, descriptorInWords } from './descriptor'

const words = (raw: bigint, long = false, upper = 0n) => descriptorInWords(decodeDescriptor(raw, long, upper))

// The left sides are bytes as other people's tables hold them: Linux's boot GDT (arch/x86/boot/pm.c), the GDT of the
// AMD64 examples (APM 2, 4.8), the seed image whose code segment lacks P.
describe('decodeDescriptor', () => {
  it('reads flat segments', () => {
    expect(words(0x00cf9b000000ffffn)).toBe(
      '32-bit code, base 00000000, limit FFFFFFFF, execute/read, DPL 0, present',
    )
    expect(words(0x00cf93000000ffffn)).toBe('data, base 00000000, limit FFFFFFFF, read/write, DPL 0, present')
    expect(words(0x00affb000000ffffn)).toBe(
      '64-bit code, base 00000000, limit FFFFFFFF, execute/read, DPL 3, present',
    )
  })

  it('says that a segment is not present', () => {
    expect(words(0x00cf1a000000ffffn)).toContain('DPL 0, not present')
  })

  it('puts base and limit together from their pieces (SDM 3A figure 3-8)', () => {
    const tss = decodeDescriptor(0x12408b3456780067n, false)
    expect(tss).toMatchObject({ kind: 'tss', base: 0x12345678n, limit: 0x67, busy: true, bits: 32 })
    expect(decodeDescriptor(0x000f96000000ffffn, false)).toMatchObject({
      kind: 'data',
      conforming: true,
      limit: 0xfffff,
      bits: 16,
    })
  })

  it('reads gates of every size', () => {
    expect(words(0x00008e000008abcdn)).toBe('32-bit interrupt gate to 0008:0000ABCD, DPL 0, present')
    expect(words(0x1234ef000010abcdn)).toBe('32-bit trap gate to 0010:1234ABCD, DPL 3, present')
    expect(words(0x12348603000810cdn)).toBe('16-bit interrupt gate to 0008:10CD, DPL 0, present')
    expect(words(0x8000ee010010_1000n, true, 0xffff_ffffn)).toBe(
      '64-bit interrupt gate to 0010:FFFFFFFF80001000, IST 1, DPL 3, present',
    )
    expect(decodeDescriptor(0x0000ec0300081000n, false)).toMatchObject({
      kind: 'call-gate',
      parameters: 3,
      dpl: 3,
    })
  })

  it('knows which types long mode has dropped (SDM 3A table 3-2)', () => {
    const task = 0x0000850000280000n
    expect(decodeDescriptor(task, false).kind).toBe('task-gate')
    expect(decodeDescriptor(task, true).kind).toBe('invalid')
  })

  it('takes the high half of a 64-bit TSS base from the second entry', () => {
    expect(decodeDescriptor(0x0000890010000067n, true, 0xffff8000n)).toMatchObject({
      base: 0xffff800000001000n,
      bits: 64,
    })
  })
})
