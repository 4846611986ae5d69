import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
beforeEach(() => core.reset())

const address = (devfn: number, register: number) => 0x80000000 + (devfn << 8) + register
const select = (devfn: number, register: number) => core.out32(0xcf8, address(devfn, register & 0xfc))
const read = (devfn: number, register: number) => {
  select(devfn, register)
  return core.in32(0xcfc)
}
const write = (devfn: number, register: number, value: number) => {
  select(devfn, register)
  core.out32(0xcfc, value)
}
const ISA = 0x08
const IDE = 0x09
const PM = 0x0b
const VGA = 0x10

describe('configuration mechanism #1', () => {
  test('the functions of bus 0, and nobody else', () => {
    const found = []
    for (let devfn = 0; devfn < 256; devfn++) {
      const id = read(devfn, 0)
      if (id !== 0xffffffff) found.push([devfn, id.toString(16), read(devfn, 8) >>> 8])
    }
    expect(found).toEqual([
      [0x00, '12378086', 0x060000],
      [0x08, '70008086', 0x060100],
      [0x09, '70108086', 0x010180],
      [0x0b, '71138086', 0x068000],
      [0x10, '11111234', 0x030000],
    ])
    core.out32(0xcf8, 0x80010000)
    expect(core.in32(0xcfc)).toBe(0xffffffff)
  })

  test('data is read in every size and alignment at its place; without the enable bit nobody answers', () => {
    select(IDE, 0)
    expect([core.in16(0xcfc), core.in16(0xcfd), core.in16(0xcfe)]).toEqual([0x8086, 0x1080, 0x7010])
    expect([0, 1, 2, 3].map((lane) => core.in8(0xcfc + lane))).toEqual([0x86, 0x80, 0x10, 0x70])
    core.out32(0xcf8, address(IDE, 0) & 0x7fffffff)
    expect(core.in32(0xcfc)).toBe(0xffffffff)
    // An access that leaves the register: the rest is nobody's.
    select(IDE, 0)
    expect(core.in32(0xcfe)).toBe(0xffff7010)
  })

  test('CF8h is an address register for double words alone', () => {
    core.out32(0xcf8, 0xffffffff)
    expect(core.in32(0xcf8)).toBe(0x80fffffc)
    core.out8(0xcf8, 0)
    core.out16(0xcfa, 0)
    expect(core.in32(0xcf8)).toBe(0x80fffffc)
    expect(core.in8(0xcf8)).toBe(0xff)
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
  })

  test('identities cannot be written; multifunction is said of the ISA bridge', () => {
    for (const devfn of [0, ISA, IDE, PM, VGA]) {
      for (const register of [0, 8, 0x2c]) {
        const before = read(devfn, register)
        core.out32(0xcfc, ~before >>> 0)
        expect(core.in32(0xcfc)).toBe(before)
      }
    }
    expect([0, ISA, VGA].map((devfn) => (read(devfn, 0xc) >>> 16) & 0xff)).toEqual([0, 0x80, 0])
  })
})

test('there is no system management mode, and whoever looks for it is told so', () => {
  // SMRAM is neither opened (bit 6) nor locked (bit 4).
  select(0, 0x72)
  expect(core.in8(0xcfe)).toBe(0x02)
  core.out8(0xcfe, 0xff)
  expect(core.in8(0xcfe)).toBe(0x2a)
  // DEVACTB's APMC_EN: a handler is in place; it cannot be written.
  expect(read(PM, 0x58)).toBe(0x0200_0000)
  write(PM, 0x58, 0)
  expect(read(PM, 0x58)).toBe(0x0200_0000)
  // The APM ports are two bytes that nobody answers.
  core.out8(0xb3, 0x5a)
  core.out8(0xb2, 0xa5)
  expect([core.in8(0xb2), core.in8(0xb3)]).toEqual([0xa5, 0x5a])
})

describe('base address registers', () => {
  test('tell their size, and keep what their size leaves of an address', () => {
    write(IDE, 0x20, 0xffffffff)
    expect(read(IDE, 0x20)).toBe(0xfffffff1)
    write(IDE, 0x20, 0x0000c00f)
    expect(read(IDE, 0x20)).toBe(0xc001)
    write(VGA, 0x10, 0xffffffff)
    expect(read(VGA, 0x10)).toBe(0xff000008)
    write(VGA, 0x18, 0xffffffff)
    expect(read(VGA, 0x18)).toBe(0xfffff000)
    for (const register of [0x14, 0x1c, 0x20, 0x24]) {
      write(VGA, register, 0xffffffff)
      expect(read(VGA, register)).toBe(0)
    }
  })

  test('that lie over the APICs, the HPET and the ROM hide none of them', () => {
    const { physicalRead8, physicalWrite8 } = core.exports
    const peek = (at: number) => physicalRead8(BigInt(at)) & 0xff
    core.u8[L.ROM + 0x10] = 0x5a
    const board = [0xfec00010, 0xfed00000, 0xfee00030, 0xfffc0010 + 0x20000]
    write(VGA, 4, 3)
    write(VGA, 0x10, 0xe0000000)
    const before = board.map(peek)
    expect(before[3]).toBe(0x5a)
    write(VGA, 0x10, 0xfe000000)
    physicalWrite8(0xfe000100n, 0x77)
    expect(peek(0xfe000100)).toBe(0x77)
    expect(board.map(peek)).toEqual(before)
    // As software leaves it for a moment that asks for the size with decoding on.
    write(VGA, 0x10, 0xffffffff)
    expect(peek(0xff000100)).toBe(0x77)
    expect(board.map(peek)).toEqual(before)
  })

  test('can be written byte by byte', () => {
    select(VGA, 0x10)
    core.out8(0xcff, 0xfd)
    expect(core.in32(0xcfc)).toBe(0xfd000008)
    core.out16(0xcfe, 0xe123)
    expect(core.in32(0xcfc)).toBe(0xe1000008)
  })

  test('the power management range moves with PMBA and is there only when PMREGMISC says so', () => {
    write(PM, 0x40, 0xffffffff)
    expect(read(PM, 0x40)).toBe(0xffc1)
    write(PM, 0x40, 0xb000)
    core.out16(0xb004, 0x0001)
    expect(core.in16(0xb004)).toBe(0xffff)
    write(PM, 0x80, 1)
    core.out16(0xb004, 0x0001)
    expect(core.in16(0xb004)).toBe(1)
    write(PM, 0x40, 0x4000)
    expect([core.in16(0xb004), core.in16(0x4004)]).toEqual([0xffff, 1])
  })
})

test('the command register gates what a function decodes', () => {
  expect(read(IDE, 4) & 7).toBe(1)
  core.out8(0x1f6, 0xa0)
  const status = core.in8(0x1f7)
  write(IDE, 4, 0)
  expect([core.in8(0x1f7), core.in16(0x1f0)]).toEqual([0xff, 0xffff])
  write(IDE, 4, 1)
  expect(core.in8(0x1f7)).toBe(status)
  // IDETIM bit 15 alone switches a channel
  write(IDE, 0x40, 0x80000000)
  expect(core.in8(0x1f7)).toBe(0xff)
  core.out8(0x3c2, 0x67)
  core.out16(0x3c4, 0x0302)
  core.out16(0x3c4, 0x0204)
  for (const value of [0x0004, 0x1005, 0x0e06, 0xff08]) core.out16(0x3ce, value)
  core.poke(0xb8000, 0x41)
  expect(core.peek(0xb8000)).toBe(0x41)
  write(VGA, 4, 1)
  expect(core.peek(0xb8000)).toBe(0xff)
  write(VGA, 4, 2)
  expect([core.peek(0xb8000), core.in8(0x3cc)]).toEqual([0x41, 0xff])
})

describe('host bridge', () => {
  const byte = (register: number) => {
    select(0, register)
    return core.in8(0xcfc + (register & 3))
  }
  const writeByte = (register: number, value: number) => {
    select(0, register)
    core.out8(0xcfc + (register & 3), value)
  }

  test('every register as the 82441FX has it after reset (290549, 3.2)', () => {
    expect(read(0, 0x04)).toBe(0x02800006) // command, status
    expect(read(0, 0x0c)).toBe(0)
    expect(byte(0x50) | (byte(0x51) << 8)).toBe(0) // PMCCFG
    // DETURBO, DBC, AXC, DRT, DRAMC, DRAMT; PAM0-6
    expect([0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58].map(byte)).toEqual([0, 0x80, 0, 0, 0, 1, 0x10])
    expect([0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f].map(byte)).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect([read(0, 0x60), read(0, 0x64)]).toEqual([0x01010101, 0x01010101]) // DRB
    // FDHC, MTT, CLT, SMRAM, ERRCMD, ERRSTS, TRC
    expect([0x68, 0x70, 0x71, 0x72, 0x90, 0x91, 0x93].map(byte)).toEqual([0, 0, 0x10, 2, 0, 0, 0])
  })

  test('what times the memory and the ends of its rows are kept', () => {
    write(0, 0x60, 0x08080402)
    expect(read(0, 0x60)).toBe(0x08080402)
    writeByte(0x57, 0x05)
    expect(byte(0x57)).toBe(0x05)
    writeByte(0x68, 0x80) // no hole can be made
    expect(byte(0x68)).toBe(0)
  })

  test('TRC: RCPU going up resets, the processor or with SHRE everything', () => {
    writeByte(0x93, 0x02)
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
    writeByte(0x93, 0x04)
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_CPU)
    core.header32(L.HDR_RESET_REQUEST, L.RESET_NONE)
    writeByte(0x93, 0x06) // it is up already
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
    writeByte(0x93, 0x02)
    writeByte(0x93, 0x06)
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_SYSTEM)
  })
})

describe('shadow RAM at C0000h-FFFFFh (82441FX 3.2.18: PAM)', () => {
  const HOST = 0
  const pam = (register: number, value: number) => {
    select(HOST, register)
    core.out8(0xcfc + (register & 3), value)
  }
  const { mmioRead, mmioWrite, physicalRead8, physicalWrite8 } = core.exports
  const peek = (at: number) => physicalRead8(BigInt(at)) & 0xff
  const poke = (at: number, value: number) => physicalWrite8(BigInt(at), value)

  test('off after reset: the ROM is read and nothing is written', () => {
    core.u8[L.ROM + 0x10005] = 0x5a
    poke(0xf0005, 1)
    expect([peek(0xf0005), peek(0xc0000)]).toEqual([0x5a, 0xff])
    poke(0xc0000, 1)
    expect(peek(0xc0000)).toBe(0xff)
    expect(Number(BigInt.asUintN(8, mmioRead(0xc0000n, 1)))).toBe(0xff)
  })

  test('write-only it takes a copy while the ROM is still read; read-only it keeps it; then as any RAM', () => {
    core.u8[L.ROM + 0x10005] = 0x5a
    pam(0x59, 0x20)
    poke(0xf0005, 0x77)
    expect(peek(0xf0005)).toBe(0x5a)
    mmioWrite(0xf0006n, 2, 0x9988n)
    pam(0x59, 0x10)
    expect([peek(0xf0005), peek(0xf0006), peek(0xf0007)]).toEqual([0x77, 0x88, 0x99])
    poke(0xf0005, 1)
    expect(peek(0xf0005)).toBe(0x77)
    pam(0x59, 0x30)
    poke(0xf0005, 2)
    expect(peek(0xf0005)).toBe(2)
    pam(0x59, 0)
    expect(peek(0xf0005)).toBe(0x5a)
  })

  test('each nibble is its own 16 KiB', () => {
    // PAM1-PAM6: C0000h, C4000h, ... EC000h
    for (let segment = 0; segment < 12; segment++) {
      pam(0x5a + (segment >> 1), segment & 1 ? 0x30 : 0x03)
      for (let other = 0; other < 12; other++) {
        const at = 0xc0000 + other * 0x4000 + 0x123
        const before = peek(at)
        poke(at, before ^ 0xff)
        expect(peek(at) !== before).toBe(other === segment)
      }
      pam(0x5a + (segment >> 1), 0)
    }
    expect(read(HOST, 0x58) >>> 8).toBe(0)
    pam(0x59, 0xff)
    pam(0x5a, 0xff)
    expect(read(HOST, 0x58)).toBe(0x00333010)
  })
})
