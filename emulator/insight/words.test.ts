import { describe, expect, it } from 'vitest'
import * as L from '../core/layout'
import { CR0_BITS, CR4_BITS, bitNames, EFER_BITS } from './control-bits'
import { errorCodeInWords, exceptionName } from './exceptions'
import { flagLetters, flagNames, ioPrivilegeLevel } from './flags'
import { codeBits, modeInWords } from './mode'
import { generalRegisters } from './registers'

describe('flags', () => {
  it('writes the nine classic letters', () => {
    expect(flagLetters(0x246n)).toBe('odItsZaPc')
    expect(flagLetters(0xed7n)).toBe('ODItSZAPC')
  })
  it('names what is set and reads IOPL', () => {
    expect(flagNames(0x13246n)).toEqual(['RF', 'IF', 'ZF', 'PF'])
    expect(ioPrivilegeLevel(0x3202n)).toBe(3)
  })
})

describe('control registers', () => {
  it('names the bits of a running 64-bit kernel', () => {
    expect(bitNames(0x8005_0033n, CR0_BITS)).toEqual(['PG', 'AM', 'WP', 'NE', 'ET', 'MP', 'PE'])
    expect(bitNames(0xa0n, CR4_BITS)).toEqual(['PGE', 'PAE'])
    expect(bitNames(0xd01n, EFER_BITS)).toEqual(['NXE', 'LMA', 'LME', 'SCE'])
  })
})

describe('mode', () => {
  const protectedMode = L.MODE_PROTECTED
  it.each([
    [L.MODE_CODE16, 'real mode', 16],
    [protectedMode | L.MODE_CODE32, '32-bit protected mode', 32],
    [protectedMode | L.MODE_CODE16 | L.MODE_PAGING, '16-bit protected mode with paging', 16],
    [protectedMode | L.MODE_V86, 'virtual-8086 mode', 16],
    [protectedMode | L.MODE_LONG | L.MODE_PAGING | L.MODE_CODE64, '64-bit mode', 64],
    [
      protectedMode | L.MODE_LONG | L.MODE_PAGING | L.MODE_CODE32,
      '32-bit compatibility mode of long mode',
      32,
    ],
  ])('%i is %s', (mode, words, bits) => {
    expect(modeInWords(mode)).toBe(words)
    expect(codeBits(mode)).toBe(bits)
  })
})

describe('exceptions', () => {
  it('reads error codes (SDM 3A 6.13, 4.7)', () => {
    expect(errorCodeInWords(11, 0x0008)).toBe('GDT entry 1, selector 0x08')
    expect(errorCodeInWords(13, 0x005b)).toBe('IDT entry 11, EXT')
    expect(errorCodeInWords(13, 0x000c)).toBe('LDT entry 1, selector 0x0C')
    expect(errorCodeInWords(14, 0x0007)).toBe('user write, rights violated')
    expect(errorCodeInWords(14, 0x0010)).toBe('supervisor instruction fetch, not present')
    expect(errorCodeInWords(8, 0)).toBe('')
  })
  it('has a name for every vector', () => {
    expect(exceptionName(14)).toEqual({ mnemonic: '#PF', name: 'page fault', hasErrorCode: true })
    expect(exceptionName(0x80).mnemonic).toBe('vector 128')
  })
})

describe('registers', () => {
  const gpr = Array.from({ length: 16 }, (_, i) => BigInt(i) | 0xaaaa_0000_0000_0000n)
  it('shows what the mode has', () => {
    expect(generalRegisters(gpr, L.MODE_CODE16).map(({ name }) => name)).toEqual([
      'EAX',
      'EBX',
      'ECX',
      'EDX',
      'ESI',
      'EDI',
      'EBP',
      'ESP',
    ])
    expect(generalRegisters(gpr, L.MODE_CODE16)[1]).toEqual({ name: 'EBX', value: 3n, digits: 8 })
    const long = generalRegisters(gpr, L.MODE_CODE64)
    expect(long).toHaveLength(16)
    expect(long[15]).toEqual({ name: 'R15', value: 0xaaaa_0000_0000_000fn, digits: 16 })
  })
})
