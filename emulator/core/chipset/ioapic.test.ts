import { beforeEach, describe, expect, test } from 'vitest'
import { ApicCore } from '../testing/apic'

const core = new ApicCore(2)
const [cpu, other] = core.cpus as [(typeof core.cpus)[0], (typeof core.cpus)[0]]
beforeEach(() => {
  core.powerOn()
  for (const each of core.cpus) each.enable()
})

const LEVEL = 0x8000
const REMOTE_IRR = 0x4000
const LOW = 0x2000
const MASKED = 0x10000
/** Drives IRQ 9 (the SCI) through the power management: level-triggered, by its timer event. */
const sci = (high: boolean) => {
  core.out16(0xb2, 0xf1)
  core.out32(0xcf8, 0x80000b40)
  core.out32(0xcfc, 0x600)
  core.out32(0xcf8, 0x80000b80)
  core.out8(0xcfc, 1)
  core.out16(0x602, 0)
  core.out16(0x60c, 0xffff)
  core.out16(0x602, high ? 1 : 0)
}
const overflow = () => core.pass(2_343_500_000)
/** A pulse on COM2's IRQ 3: the transmitter's interrupt is enabled, read, disabled. */
const edge = () => {
  core.out8(0x2fc, 0x08)
  core.out8(0x2f9, 0x02)
  core.in8(0x2fa)
  core.out8(0x2f9, 0)
}

describe('registers (82093AA 3)', () => {
  test('identity, version, arbitration', () => {
    expect([core.io(0), core.io(1), core.io(2)]).toEqual([0, 0x00170020, 0])
    core.ioWrite(0, 0xffffffff)
    core.ioWrite(1, 0)
    core.ioWrite(2, 0)
    expect([core.io(0), core.io(1), core.io(2)]).toEqual([0x0f000000, 0x00170020, 0x0f000000])
  })
  test('24 entries, masked after reset; delivery status and remote IRR cannot be written', () => {
    for (let index = 0x10; index < 0x40; index++) expect(core.io(index)).toBe(index & 1 ? 0 : MASKED)
    for (let index = 0x10; index < 0x40; index++) core.ioWrite(index, 0xffffffff)
    for (let index = 0x10; index < 0x40; index++)
      expect(core.io(index)).toBe(index & 1 ? 0xff000000 : 0x1afff)
    for (const index of [3, 0xf, 0x40, 0xff]) expect(core.io(index)).toBe(0)
  })
  test('IOREGSEL is read back; bytes and other places answer 0', () => {
    core.poke(0xfec00000, 0x12)
    expect([core.peek(0xfec00000), core.peek(0xfec00001), core.peek(0xfec00020)]).toEqual([0x12, 0, 0])
    core.poke(0xfec00010, 0)
    expect(core.io(0x12)).toBe(MASKED)
  })
})

describe('edge-triggered', () => {
  test('an edge is one interrupt; one at a masked input is not remembered', () => {
    core.redirect(3, 0x61)
    edge()
    edge()
    expect(cpu.takeAll()).toEqual([0x61])
    core.redirect(3, MASKED | 0x61)
    edge()
    core.redirect(3, 0x61)
    expect(cpu.takeAll()).toEqual([])
    expect(core.io(0x16) & REMOTE_IRR).toBe(0)
  })
  test('an active-low input takes the other edge', () => {
    core.redirect(3, LOW | 0x61)
    expect(cpu.takeAll()).toEqual([])
    core.out8(0x2fc, 0x08)
    core.out8(0x2f9, 0x02)
    expect(cpu.takeAll()).toEqual([])
    core.out8(0x2f9, 0)
    expect(cpu.takeAll()).toEqual([0x61])
  })
  test('to the destination, physical and logical', () => {
    core.redirect(3, 0x61, 1)
    edge()
    expect([cpu.takeAll(), other.takeAll()]).toEqual([[], [0x61]])
    cpu.write(0xd0, 0x01000000)
    other.write(0xd0, 0x02000000)
    core.redirect(3, 0x800 | 0x62, 3)
    edge()
    expect([cpu.takeAll(), other.takeAll()]).toEqual([[0x62], [0x62]])
  })
  test('IRQ 0 is at input 2', () => {
    core.redirect(2, 0x30)
    core.out8(0x43, 0x34)
    core.out8(0x40, 100)
    core.out8(0x40, 0)
    core.pass(200_000)
    expect(cpu.takeAll()).toEqual([0x30])
  })
})

describe('level-triggered', () => {
  beforeEach(() => {
    sci(true)
    overflow()
  })
  test('remote IRR stands until EOI; while the line is up, the interrupt comes again', () => {
    core.redirect(9, LEVEL | 0x71)
    expect(core.io(0x22)).toBe(LEVEL | REMOTE_IRR | 0x71)
    expect(cpu.take()).toBe(0x71)
    expect(cpu.read(0x180 + 0x30)).toBe(1 << 17)
    expect(cpu.take()).toBeUndefined()
    cpu.write(0xb0, 0)
    expect(cpu.take()).toBe(0x71)
    core.out16(0x600, 1)
    cpu.write(0xb0, 0)
    expect(core.io(0x22)).toBe(LEVEL | 0x71)
    expect(cpu.take()).toBeUndefined()
  })
  test('masked it waits', () => {
    core.redirect(9, MASKED | LEVEL | 0x71)
    expect(cpu.take()).toBeUndefined()
    core.redirect(9, LEVEL | 0x71)
    expect(cpu.take()).toBe(0x71)
  })
  test('with broadcasts suppressed only the EOI register ends it (SVR bit 12)', () => {
    cpu.write(0xf0, 0x11ff)
    core.redirect(9, LEVEL | 0x71)
    expect(cpu.take()).toBe(0x71)
    cpu.write(0xb0, 0)
    expect(core.io(0x22) & REMOTE_IRR).toBe(REMOTE_IRR)
    core.out16(0x600, 1)
    core.exports.mmioWrite(0xfec00040n, 4, 0x72n)
    expect(core.io(0x22) & REMOTE_IRR).toBe(REMOTE_IRR)
    core.exports.mmioWrite(0xfec00040n, 4, 0x71n)
    expect(core.io(0x22) & REMOTE_IRR).toBe(0)
  })
  test('switching to edge and back clears remote IRR', () => {
    core.redirect(9, LEVEL | 0x71)
    cpu.take()
    core.ioWrite(0x22, MASKED | 0x71)
    core.ioWrite(0x22, MASKED | LEVEL | 0x71)
    expect(core.io(0x22)).toBe(MASKED | LEVEL | 0x71)
  })
  test('a destination nobody has leaves no remote IRR behind', () => {
    core.redirect(9, LEVEL | 0x71, 0x77)
    expect(core.io(0x22)).toBe(LEVEL | 0x71)
  })
  test('NMI as a delivery mode', () => {
    core.redirect(9, 0x400)
    core.out16(0x600, 1)
    overflow()
    cpu.attend()
    expect(cpu.state(0xc4) & 1).toBe(1)
  })
})

test('PCI interrupts: active low at inputs 16-19, unasserted they are silent', () => {
  for (let pin = 16; pin < 20; pin++) core.redirect(pin, LEVEL | LOW | (0x80 + pin))
  expect(cpu.takeAll()).toEqual([])
  core.redirect(16, LEVEL | 0x90)
  expect(cpu.take()).toBe(0x90)
})

describe('ExtINT at input 0 (the 8259 behind the I/O APIC)', () => {
  const pit = () => {
    core.out8(0x43, 0x34)
    core.out8(0x40, 0xa9)
    core.out8(0x40, 0x04)
  }
  beforeEach(() => {
    // LINT0 is masked: nothing else leads to a CPU.
    for (const each of core.cpus) each.write(0x350, 0x10000)
    core.initialisePic(0xfffe)
  })

  test('the CPU that is meant asks the 8259 for the vector, once an interrupt', () => {
    core.redirect(0, 0x700, 1)
    pit()
    core.pass(1_100_000)
    expect(cpu.take()).toBe(undefined)
    expect(other.take()).toBe(0x20)
    expect(other.take()).toBe(undefined)
    // The next one comes when this one has been ended.
    core.pass(1_100_000)
    expect(other.take()).toBe(undefined)
    core.out8(0x20, 0x20)
    expect(other.take()).toBe(0x20)
    core.out8(0x20, 0x20)
  })

  test('a message whose interrupt has gone lets no later one through', () => {
    core.redirect(0, 0x700, 1)
    pit()
    core.pass(1_100_000)
    core.out8(0x21, 0xff)
    core.redirect(0, 0x10700, 1)
    core.out8(0x21, 0xfe)
    core.pass(1_100_000)
    expect(core.intr).toBe(true)
    expect(other.take()).toBe(undefined)
  })

  test('masked, nobody is', () => {
    core.redirect(0, 0x10700, 1)
    pit()
    core.pass(1_100_000)
    expect([cpu.take(), other.take()]).toEqual([undefined, undefined])
  })
})
