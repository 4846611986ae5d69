import { beforeEach, describe, expect, test } from 'vitest'
import { ApicCore } from '../testing/apic'

const core = new ApicCore()
const [cpu] = core.cpus as [(typeof core.cpus)[0]]
const BASE = 0xfed00000
const read = (offset: number, size = 4) =>
  Number(BigInt.asUintN(64, core.exports.mmioRead(BigInt(BASE + offset), size)))
const write = (offset: number, value: number, size = 4) =>
  core.exports.mmioWrite(BigInt(BASE + offset), size, BigInt(value))
const timer = (n: number, register = 0) => 0x100 + n * 0x20 + register
beforeEach(() => {
  core.powerOn()
  cpu.enable()
})

describe('registers (IA-PC HPET 1.0a, 2.3)', () => {
  test('capabilities: three timers of 64 bits, legacy replacement, 10 ns', () => {
    expect(read(0, 8)).toBe(10_000_000 * 2 ** 32 + 0x8086a201)
    for (let n = 0; n < 3; n++) {
      expect(read(timer(n)) & 0x8030).toBe(0x8030)
      expect(read(timer(n, 4))).toBe(0x00f00000)
      expect(read(timer(n, 8), 8)).toBe(2 ** 64)
    }
    write(0, 0)
    expect(read(0)).toBe(0x8086a201)
  })
  test('the counter counts 100 MHz while enabled, and can be set while it is halted', () => {
    core.pass(1000)
    expect(read(0xf0)).toBe(0)
    write(0x10, 1)
    core.pass(12_345)
    expect(read(0xf0)).toBe(1234)
    write(0xf0, 5)
    expect(read(0xf0)).toBe(1234)
    write(0x10, 0)
    core.pass(1000)
    expect(read(0xf0)).toBe(1234)
    write(0xf0, 0xffffffff)
    write(0xf4, 1)
    write(0x10, 1)
    core.pass(10)
    expect(read(0xf0, 8)).toBe(2 * 2 ** 32)
  })
  test('parts of registers can be read, writes are of 32 and 64 bits', () => {
    expect([read(2, 2), read(7, 1), read(3, 2)]).toEqual([0x8086, 0, 0x8080])
    write(0x10, 1, 1)
    expect(read(0x10)).toBe(0)
  })
})

describe('comparators', () => {
  /** Timer `n` to input 20 + n of the I/O APIC, vector 60h + n. */
  const route = (n: number, config: number) => {
    core.redirect(20 + n, (config & 2 ? 0xa000 : 0) | (0x60 + n))
    write(timer(n), config | ((20 + n) << 9))
  }
  test('one-shot at the tick', () => {
    route(1, 4)
    write(0x10, 1)
    write(timer(1, 8), 100, 8)
    expect(core.untilDeadline).toBe(1000)
    core.pass(999)
    expect(cpu.takeAll()).toEqual([])
    core.pass(1)
    expect(cpu.takeAll()).toEqual([0x61])
    core.pass(1_000_000)
    expect(cpu.takeAll()).toEqual([])
  })
  test('periodic: VAL_SET sets the first match, then the period is written', () => {
    route(0, 4 | 8 | 0x40)
    write(timer(0, 8), 500, 8)
    write(timer(0, 8), 200, 8)
    write(0x10, 1)
    const at: number[] = []
    for (let tick = 0; tick < 1200; tick += 10) {
      core.pass(100)
      for (const _ of cpu.takeAll()) at.push(core.time / 10)
    }
    expect(at).toEqual([500, 700, 900, 1100])
    expect(read(timer(0, 8), 8)).toBe(1300)
  })
  test('32-bit mode goes round', () => {
    write(0xf0, 0xfffffff0)
    write(0xf4, 7)
    route(2, 4 | 0x100)
    write(timer(2, 8), 0x10)
    write(0x10, 1)
    expect(core.untilDeadline).toBe(0x20 * 10)
    core.pass(0x20 * 10)
    expect(cpu.takeAll()).toEqual([0x62])
    expect(core.untilDeadline).toBe(2 ** 32 * 10)
  })
  test('level-triggered: the line stands until its status bit is cleared', () => {
    route(1, 4 | 2)
    write(timer(1, 8), 10, 8)
    write(0x10, 1)
    core.pass(100)
    expect(read(0x20)).toBe(2)
    expect(cpu.take()).toBe(0x61)
    cpu.write(0xb0, 0)
    expect(cpu.take()).toBe(0x61)
    write(0x20, 2)
    cpu.write(0xb0, 0)
    expect(cpu.take()).toBeUndefined()
  })
  test('by message', () => {
    write(timer(0, 0x10), 0x0077)
    write(timer(0, 0x14), 0xfee00000)
    write(timer(0), 4 | 0x4000)
    write(timer(0, 8), 10, 8)
    write(0x10, 1)
    core.pass(100)
    expect(cpu.takeAll()).toEqual([0x77])
  })
  test('legacy replacement: IRQ 0 and 8 are timers 0 and 1, the 8254 is cut off', () => {
    core.initialisePic(0xfffe)
    cpu.write(0x350, 0x700)
    core.out8(0x43, 0x34)
    core.out8(0x40, 100)
    core.out8(0x40, 0)
    write(timer(0), 4)
    write(timer(0, 8), 1_000_000, 8)
    write(0x10, 3)
    core.pass(5_000_000)
    expect(core.intr).toBe(false)
    core.redirect(2, 0x30)
    core.pass(5_000_000)
    expect(cpu.take()).toBe(0x20)
    expect(cpu.take()).toBe(0x30)
    write(0x10, 0)
    core.pass(1_000_000)
    cpu.write(0xb0, 0)
    expect(cpu.take()).toBe(0x30)
  })
})
