// QEMU's fw_cfg and pc-testdev as their guests use them (QEMU docs/specs/fw_cfg.rst; hw/misc/pc-testdev.c).
import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const ram = core.header32(L.HDR_RAM)

beforeEach(() => core.reset())

const item = (selector: number, bytes: number) => {
  core.out16(0x510, selector)
  return Array.from({ length: bytes }, () => core.in8(0x511))
}
const text = (bytes: number[]) => String.fromCharCode(...bytes)
const number = (bytes: number[]) => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)

describe('fw_cfg', () => {
  test('says who it is, and which interfaces there are', () => {
    expect(text(item(0, 4))).toBe('QEMU')
    expect(number(item(1, 4))).toBe(3)
  })

  test('knows the memory and the CPUs; zeros follow an item', () => {
    expect(number(item(3, 8))).toBe(core.header32(L.HDR_RAM_SIZE))
    expect(number(item(5, 2))).toBe(core.header32(L.HDR_CPU_COUNT))
    expect(item(0xf, 10)).toEqual([core.header32(L.HDR_CPU_COUNT), ...Array(9).fill(0)])
    expect(number(item(0x19, 4))).toBe(0)
  })

  test('goes on where it was, and begins anew with a selection', () => {
    expect(text(item(0, 2))).toBe('QE')
    expect(text([core.in8(0x511), core.in8(0x511), core.in8(0x511)])).toBe('MU\0')
    expect(text(item(0, 1))).toBe('Q')
  })

  const access = (control: number, length: number, address: number) => {
    const view = new DataView(core.u8.buffer, ram + 0x5000, 16)
    view.setUint32(0, control)
    view.setUint32(4, length)
    view.setBigUint64(8, BigInt(address))
    core.out32(0x514, 0)
    core.out32(0x518, 0x0050_0000) // 5000h, big-endian
    return view.getUint32(0)
  }

  test('moves items by DMA', () => {
    expect(core.in32(0x514)).toBe(0x554d4551)
    expect(core.in32(0x518)).toBe(0x47464320)
    core.u8.fill(0xee, ram + 0x6000, ram + 0x6010)
    expect(access(0x0000_000a, 6, 0x6000)).toBe(0)
    expect(text([...core.u8.subarray(ram + 0x6000, ram + 0x6007)])).toBe('QEMU\0\0\xee')
    // Select, skip two, then read one more.
    expect(access(0x0000_000c, 2, 0)).toBe(0)
    expect(access(2, 1, 0x6000)).toBe(0)
    expect(core.u8[ram + 0x6000]).toBe('M'.charCodeAt(0))
  })

  test('refuses to be written, and addresses that are nobody’s', () => {
    expect(access(0x0000_0018, 4, 0x6000)).toBe(1)
    expect(access(0x0000_000a, 4, 0xf000_0000)).toBe(1)
    expect(access(0x0000_000a, 0xffff_ffff, 0x6000)).toBe(1)
  })
})

describe('test device', () => {
  test('keeps what its port is given, in any size', () => {
    core.out32(0xe0, 0x1234_5678)
    expect(core.in32(0xe0)).toBe(0x1234_5678)
    core.out16(0xe0, 0x9abc)
    expect(core.in32(0xe0)).toBe(0x1234_9abc)
    core.out8(0xe1, 0xde)
    expect(core.in16(0xe0)).toBe(0xdebc)
    expect(core.in8(0xe9)).toBe(0xe9)
  })

  test('drives interrupt lines', () => {
    // OCW3: read the IRR of the first 8259A (8259A, figure 8)
    core.out8(0x20, 0x0a)
    core.out8(0x2005, 1)
    expect(core.in8(0x20) & 0x20).toBe(0x20)
    core.out8(0x2005, 0)
    expect(core.in8(0x20) & 0x20).toBe(0)
  })

  test('has memory that is a device', () => {
    core.exports.mmioWrite(0xff00_0010n, 8, 0x1122_3344_5566_7788n)
    expect(core.exports.mmioRead(0xff00_0012n, 4)).toBe(0x3344_5566n)
    expect(core.exports.mmioRead(0xff01_0000n, 1)).toBe(0xffn)
  })
})
