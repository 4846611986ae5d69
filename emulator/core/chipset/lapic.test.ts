import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { ApicCore } from '../testing/apic'

const core = new ApicCore(4)
const [cpu, one, two, three] = core.cpus as [
  (typeof core.cpus)[0],
  (typeof core.cpus)[0],
  (typeof core.cpus)[0],
  (typeof core.cpus)[0],
]
beforeEach(() => core.powerOn())

const APIC_BASE = 0x1b
const TSC_DEADLINE = 0x6e0
const ENABLED = 0x800n
const X2 = 0x400n

describe('after reset (SDM 3A 10.4.7.1)', () => {
  test('the registers', () => {
    for (const { index, read } of core.cpus.map((one) => ({ index: one.index, read: one.read.bind(one) }))) {
      expect(read(0x20)).toBe(index * 2 ** 24)
      expect(read(0x30)).toBe(0x01050014)
      expect([0x80, 0xa0, 0xd0, 0x280, 0x300, 0x310, 0x380, 0x390, 0x3e0].map((at) => read(at))).toEqual(
        Array(9).fill(0),
      )
      expect(read(0xe0)).toBe(0xffffffff)
      expect(read(0xf0)).toBe(0xff)
      for (let entry = 0x320; entry <= 0x370; entry += 0x10) expect(read(entry)).toBe(0x10000)
      for (let at = 0x100; at < 0x280; at += 0x10) expect(read(at)).toBe(0)
    }
  })

  test('IA32_APIC_BASE names the bootstrap processor', () => {
    expect(core.cpus.map((one) => one.rdmsr(APIC_BASE))).toEqual([
      0xfee00900n,
      0xfee00800n,
      0xfee00800n,
      0xfee00800n,
    ])
    // The bit is wired.
    expect(one.wrmsr(APIC_BASE, 0xfee00900n)).toBe(true)
    expect(one.rdmsr(APIC_BASE)).toBe(0xfee00800n)
  })
})

describe('registers', () => {
  test('keep the bits that exist', () => {
    cpu.enable()
    const kept: [number, number][] = [
      [0x80, 0xff],
      [0xd0, 0xff000000],
      [0xf0, 0x11ff],
      [0x310, 0xff000000],
      [0x320, 0x700ff],
      [0x330, 0x107ff],
      [0x340, 0x107ff],
      [0x350, 0x1a7ff],
      [0x360, 0x1a7ff],
      [0x370, 0x100ff],
      [0x3e0, 0xb],
    ]
    for (const [register, bits] of kept) {
      cpu.write(register, 0xffffffff)
      expect([register, cpu.read(register)]).toEqual([register, bits])
    }
    cpu.write(0xe0, 0)
    expect(cpu.read(0xe0)).toBe(0x0fffffff)
    for (const register of [0x20, 0x30, 0xa0, 0x100, 0x200, 0x390]) {
      const before = cpu.read(register)
      cpu.write(register, ~before >>> 0)
      expect(cpu.read(register)).toBe(before)
    }
  })

  test('a register that is not there is an error, which shows with the next write of the ESR', () => {
    cpu.enable()
    expect(cpu.read(0x40)).toBe(0)
    expect(cpu.read(0x280)).toBe(0)
    cpu.write(0x280, 0)
    expect(cpu.read(0x280)).toBe(0x80)
    cpu.write(0x2f0, 1) // CMCI: MCG_CAP says there is none
    cpu.write(0x280, 0)
    expect(cpu.read(0x280)).toBe(0x80)
    cpu.write(0x280, 0)
    expect(cpu.read(0x280)).toBe(0)
  })

  test('an error raises LVT error once', () => {
    cpu.enable()
    cpu.write(0x370, 0x45)
    cpu.read(0x50)
    expect(cpu.takeAll()).toEqual([0x45])
  })

  test('the page moves with IA32_APIC_BASE, for each CPU alone', () => {
    expect(cpu.wrmsr(APIC_BASE, 0xfed40900n)).toBe(true)
    expect(cpu.read(0x30)).toBe(0xffffffff)
    expect(cpu.read(0x30 - 0xc0000)).toBe(0x01050014)
    expect(one.read(0x30)).toBe(0x01050014)
    expect(cpu.wrmsr(APIC_BASE, 1n << 40n)).toBe(false)
    expect(cpu.wrmsr(APIC_BASE, 0xfee00901n)).toBe(false)
    expect(cpu.wrmsr(APIC_BASE, 0xfee00b00n)).toBe(false)
  })
})

describe('IA32_APIC_BASE transitions (figure 10-24)', () => {
  const go = (mode: bigint) => cpu.wrmsr(APIC_BASE, 0xfee00100n | mode)
  test('xAPIC: not to x2APIC without enable', () => {
    expect(go(X2)).toBe(false)
    expect(go(ENABLED)).toBe(true)
    expect(go(ENABLED | X2)).toBe(true)
  })
  test('x2APIC: not back to xAPIC, and not to the invalid state; off it can be', () => {
    go(ENABLED | X2)
    expect(go(ENABLED)).toBe(false)
    expect(go(X2)).toBe(false)
    expect(cpu.rdmsr(APIC_BASE)).toBe(0xfee00d00n)
    expect(go(0n)).toBe(true)
  })
  test('disabled: not to x2APIC at once; enabled again it is as after reset', () => {
    cpu.enable().write(0x80, 0x55)
    go(0n)
    expect(cpu.read(0x30)).toBe(0xffffffff)
    expect(go(ENABLED | X2)).toBe(false)
    expect(go(X2)).toBe(false)
    expect(go(ENABLED)).toBe(true)
    expect([cpu.read(0x80), cpu.read(0xf0)]).toEqual([0, 0xff])
  })
  test('from xAPIC to x2APIC the state stays, but for what has another form', () => {
    one.enable().write(0x80, 0x55)
    one.write(0x310, 0x03000000)
    one.wrmsr(APIC_BASE, 0xfee00c00n)
    expect(one.rdmsr(0x808)).toBe(0x55n)
    expect(one.rdmsr(0x802)).toBe(1n)
    expect(one.rdmsr(0x80d)).toBe(2n)
    expect(one.rdmsr(0x830)).toBe(0n)
    expect(one.read(0x30)).toBe(0xffffffff)
  })
})

describe('x2APIC MSRs (table 10-6)', () => {
  beforeEach(() => {
    for (const each of core.cpus) each.wrmsr(APIC_BASE, each.rdmsr(APIC_BASE)! | X2)
  })
  test('which can be read and written', () => {
    const readable: number[] = []
    const writable: number[] = []
    for (let index = 0x800; index < 0x900; index++) {
      if (cpu.rdmsr(index) !== undefined) readable.push(index)
      if (cpu.wrmsr(index, 0n)) writable.push(index)
    }
    const range = (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, n) => first + n)
    const registers = [0x80f, 0x828, 0x830, ...range(0x832, 0x838), 0x83e]
    expect(readable).toEqual(
      [0x802, 0x803, 0x808, 0x80a, 0x80d, ...range(0x810, 0x827), ...registers, 0x839].sort((a, b) => a - b),
    )
    expect(writable).toEqual([0x808, 0x80b, ...registers, 0x83f].sort((a, b) => a - b))
  })
  test('reserved bits raise #GP', () => {
    const refused: [number, bigint][] = [
      [0x808, 0x100n],
      [0x80b, 1n],
      [0x80f, 0x10000n],
      [0x828, 1n],
      [0x830, 0x2000n],
      [0x832, 0x80000n],
      [0x83e, 4n],
      [0x83f, 0x100n],
      [0x838, 1n << 32n],
    ]
    for (const [index, value] of refused) expect([index, cpu.wrmsr(index, value)]).toEqual([index, false])
  })
  test('in xAPIC mode they are not there', () => {
    core.powerOn()
    for (const index of [0x802, 0x808, 0x83f]) expect(cpu.rdmsr(index)).toBeUndefined()
    expect(cpu.wrmsr(0x808, 0n)).toBe(false)
  })
  test('self IPI, and IPIs to 32-bit destinations, physical and by cluster', () => {
    for (const each of core.cpus) each.wrmsr(0x80f, 0x1ffn)
    cpu.wrmsr(0x83f, 0x51n)
    cpu.wrmsr(0x830, 0x0000_0002_0000_0052n)
    cpu.wrmsr(0x830, 0x0000_000a_0000_0853n) // logical: CPUs 1 and 3
    cpu.wrmsr(0x830, 0xffff_ffff_0000_0054n)
    const taken = core.cpus.map((each) => {
      const vectors: number[] = []
      for (let vector = each.take(); vector !== undefined; vector = each.take()) {
        vectors.push(vector)
        each.wrmsr(0x80b, 0n)
      }
      return vectors
    })
    expect(taken).toEqual([
      [0x54, 0x51],
      [0x54, 0x53],
      [0x54, 0x52],
      [0x54, 0x53],
    ])
  })
})

describe('priority (10.8.3)', () => {
  beforeEach(() => cpu.enable())
  const self = (vector: number) => cpu.write(0x300, 0x44000 | vector)

  test('the highest vector first; its class holds others back until EOI', () => {
    self(0x31)
    self(0x45)
    self(0x42)
    expect(cpu.read(0x200 + 0x20)).toBe((1 << 5) | (1 << 2))
    expect(cpu.take()).toBe(0x45)
    expect([cpu.read(0x100 + 0x20), cpu.read(0xa0)]).toEqual([1 << 5, 0x40])
    expect(cpu.take()).toBeUndefined()
    self(0x51)
    expect(cpu.take()).toBe(0x51)
    cpu.write(0xb0, 0)
    expect(cpu.read(0xa0)).toBe(0x40)
    cpu.write(0xb0, 0)
    expect(cpu.takeAll()).toEqual([0x42, 0x31])
  })
  test('TPR holds back what is not above its class, and shows in PPR', () => {
    cpu.write(0x80, 0x4f)
    self(0x4f)
    self(0x50)
    expect(cpu.read(0xa0)).toBe(0x4f)
    expect(cpu.takeAll()).toEqual([0x50])
    cpu.write(0x80, 0x3f)
    expect(cpu.takeAll()).toEqual([0x4f])
  })
  test('CR8 is the upper half of TPR', () => {
    cpu.write(0x80, 0xa7)
    expect(cpu.state(L.CPU_CR8)).toBe(0xa)
  })
  test('a vector below 16 is an error of who sends and who receives', () => {
    self(0x0f)
    cpu.write(0x280, 0)
    expect(cpu.read(0x280)).toBe(0x20)
    core.exports.mmioWrite(0xfee00000n, 4, 0x05n)
    cpu.write(0x280, 0)
    expect(cpu.read(0x280)).toBe(0x40)
    expect(cpu.take()).toBeUndefined()
  })
  test('disabled by software it accepts nothing, masks its local vectors and keeps what it has', () => {
    self(0x61)
    cpu.write(0x350, 0x700)
    cpu.write(0xf0, 0xff)
    expect(cpu.read(0x350)).toBe(0x10700)
    cpu.write(0x350, 0x700)
    expect(cpu.read(0x350)).toBe(0x10700)
    self(0x62)
    expect(cpu.takeAll()).toEqual([0x61])
  })
})

describe('interprocessor interrupts (10.6)', () => {
  beforeEach(() => {
    for (const each of core.cpus) each.enable()
  })
  const send = (from: typeof cpu, low: number, destination = 0) => {
    from.write(0x310, destination << 24)
    from.write(0x300, low)
  }
  const taken = () => core.cpus.map((each) => each.takeAll())

  test('shorthands', () => {
    send(one, 0x40000 | 0x41) // self
    send(one, 0x80000 | 0x42) // all
    send(one, 0xc0000 | 0x43) // all but self
    expect(taken()).toEqual([
      [0x43, 0x42],
      [0x42, 0x41],
      [0x43, 0x42],
      [0x43, 0x42],
    ])
  })
  test('physical destinations, broadcast, and nobody', () => {
    send(cpu, 0x41, 2)
    send(cpu, 0x42, 0xff)
    send(cpu, 0x43, 9)
    expect(taken()).toEqual([[0x42], [0x42], [0x42, 0x41], [0x42]])
    expect(cpu.read(0x300) & 0x1000).toBe(0)
  })
  test('logical destinations: flat', () => {
    for (const each of core.cpus) each.write(0xd0, 2 ** (24 + each.index))
    send(cpu, 0x800 | 0x41, 0b1010)
    send(cpu, 0x800 | 0x42, 0xff)
    expect(taken()).toEqual([[0x42], [0x42, 0x41], [0x42], [0x42, 0x41]])
  })
  test('logical destinations: clusters', () => {
    for (const each of core.cpus) {
      each.write(0xe0, 0)
      each.write(0xd0, ((each.index >> 1) * 16 + 2 ** (each.index & 1)) * 2 ** 24)
    }
    send(cpu, 0x800 | 0x41, 0x12) // cluster 1, second
    send(cpu, 0x800 | 0x42, 0xf1) // first of every cluster
    expect(taken()).toEqual([[0x42], [], [0x42], [0x41]])
  })
  test('lowest priority goes to the one with the lowest, equals take turns', () => {
    for (const each of core.cpus) each.write(0x80, each.index === 2 ? 0x10 : 0x50)
    send(cpu, 0x100 | 0x61, 0xff)
    expect(taken()).toEqual([[], [], [0x61], []])
    for (const each of core.cpus) each.write(0x80, 0)
    const winners = []
    for (let i = 0; i < 4; i++) {
      send(cpu, 0x100 | 0x62, 0xff)
      winners.push(taken().findIndex((vectors) => vectors.length))
    }
    expect([...winners].sort()).toEqual([0, 1, 2, 3])
  })
  test('NMI, INIT, start-up', () => {
    send(cpu, 0x400, 1)
    one.attend()
    expect(one.state(L.CPU_NMI) & 1).toBe(1)
    // Two that come together before either is taken are both taken (one in service, one pending behind it), three are two.
    for (let times = 0; times < 3; times++) send(cpu, 0x400, 1)
    one.attend()
    expect(one.state(L.CPU_NMI)).toBe(5)
    one.write(0x80, 0x33)
    send(cpu, 0xc500, 1)
    one.attend()
    expect(one.state(L.CPU_ACTIVITY)).toBe(L.ACTIVITY_WAIT_SIPI)
    expect([one.read(0x80), one.read(0xf0), one.read(0x20)]).toEqual([0, 0xff, 0x01000000])
    send(cpu, 0x8500, 1) // de-assert
    send(cpu, 0x69a, 1)
    one.attend()
    expect(one.state(L.CPU_ACTIVITY)).toBe(L.ACTIVITY_RUNNING)
    expect(one.state(L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE)).toBe(0x9a000)
  })
  test('to a CPU whose APIC is off nothing comes', () => {
    three.wrmsr(APIC_BASE, 0xfee00000n)
    send(cpu, 0x42, 0xff)
    three.wrmsr(APIC_BASE, 0xfee00800n)
    expect(taken()).toEqual([[0x42], [0x42], [0x42], []])
    expect(two.take()).toBeUndefined()
  })
})

describe('timer (10.5.4)', () => {
  const LVT = 0x320
  beforeEach(() => {
    cpu.enable().write(0x3e0, 0xb)
  })
  test('one-shot, with every divider', () => {
    for (const [code, divider] of [
      [0xb, 1],
      [0, 2],
      [1, 4],
      [2, 8],
      [3, 16],
      [8, 32],
      [9, 64],
      [0xa, 128],
    ] as const) {
      cpu.write(0x3e0, code)
      cpu.write(LVT, 0x40)
      cpu.write(0x380, 1000)
      core.pass(400 * divider)
      expect(cpu.read(0x390)).toBe(600)
      expect(core.untilDeadline).toBe(600 * divider)
      core.pass(600 * divider - 1)
      expect(cpu.takeAll()).toEqual([])
      core.pass(1)
      expect(cpu.takeAll()).toEqual([0x40])
      expect(cpu.read(0x390)).toBe(0)
      expect(cpu.read(0x380)).toBe(1000)
    }
  })
  test('periodic, without drift; masked it counts on', () => {
    cpu.write(LVT, 0x20040)
    cpu.write(0x380, 1000)
    for (let i = 1; i <= 5; i++) {
      core.pass(i === 1 ? 1000 : 1000)
      expect(cpu.takeAll()).toEqual([0x40])
    }
    cpu.write(LVT, 0x30040)
    core.pass(2500)
    expect(cpu.takeAll()).toEqual([])
    expect(cpu.read(0x390)).toBe(500)
    cpu.write(0x380, 0)
    expect(core.untilDeadline).toBeUndefined()
  })
  test('between one-shot and periodic the count goes on', () => {
    cpu.write(LVT, 0x10040)
    cpu.write(0x380, 0x1000)
    core.pass(0x900)
    cpu.write(LVT, 0x30040)
    expect(cpu.read(0x390)).toBe(0x700)
    core.pass(0x800)
    expect(cpu.read(0x390)).toBe(0xf00)
    cpu.write(LVT, 0x10040)
    core.pass(0xf00)
    expect(cpu.read(0x390)).toBe(0)
    cpu.write(LVT, 0x30040)
    core.pass(100)
    expect(cpu.read(0x390)).toBe(0)
  })
  test('TSC-deadline: fires at the tick, clears itself, is disarmed by 0 and by another mode', () => {
    cpu.write(LVT, 0x40041)
    cpu.write(0x380, 500)
    expect([cpu.read(0x380), cpu.read(0x390)]).toEqual([0, 0])
    const now = cpu.rdmsr(0x10)!
    cpu.wrmsr(TSC_DEADLINE, now + 1000n)
    expect(cpu.rdmsr(TSC_DEADLINE)).toBe(now + 1000n)
    core.pass(999)
    expect(cpu.takeAll()).toEqual([])
    core.pass(1)
    expect(cpu.takeAll()).toEqual([0x41])
    expect(cpu.rdmsr(TSC_DEADLINE)).toBe(0n)
    cpu.wrmsr(TSC_DEADLINE, 1n)
    expect(cpu.takeAll()).toEqual([0x41])
    cpu.wrmsr(TSC_DEADLINE, now + 10_000n)
    cpu.wrmsr(TSC_DEADLINE, 0n)
    expect(core.untilDeadline).toBeUndefined()
    cpu.wrmsr(TSC_DEADLINE, now + 10_000n)
    cpu.write(LVT, 0x41)
    expect([cpu.rdmsr(TSC_DEADLINE), core.untilDeadline]).toEqual([0n, undefined])
    cpu.wrmsr(TSC_DEADLINE, now + 10_000n)
    expect(cpu.rdmsr(TSC_DEADLINE)).toBe(0n)
  })
  test('a TSC that is set moves the deadline, IA32_TSC_ADJUST follows', () => {
    cpu.write(LVT, 0x40041)
    cpu.wrmsr(TSC_DEADLINE, cpu.rdmsr(0x10)! + 5000n)
    cpu.wrmsr(0x10, cpu.rdmsr(0x10)! + 2000n)
    expect(cpu.rdmsr(0x3b)).toBe(2000n)
    expect(core.untilDeadline).toBe(3000)
    cpu.wrmsr(0x3b, 0n)
    expect(core.untilDeadline).toBe(5000)
  })
  test('each CPU has its own', () => {
    for (const each of core.cpus) {
      each.enable().write(0x3e0, 0xb)
      each.write(LVT, 0x20000 | (0x50 + each.index))
      each.write(0x380, 1000 + each.index * 1000)
    }
    core.pass(12_000)
    // None of them has come to a boundary meanwhile: what a processor would have taken is owed, but comes one by one.
    const taken = core.cpus.map((each) => each.takeAll())
    expect(taken).toEqual([[0x50], [0x51], [0x52], [0x53]])
    for (let i = 0; i < 48; i++) {
      core.pass(250)
      for (const [index, each] of core.cpus.entries()) {
        const now = each.takeAll()
        expect(now.length).toBeLessThanOrEqual(1)
        taken[index]!.push(...now)
      }
    }
    expect(taken).toEqual([
      Array(24).fill(0x50),
      Array(12).fill(0x51),
      Array(8).fill(0x52),
      Array(6).fill(0x53),
    ])
  })
  test.each([
    [4000, 20_000],
    [9000, 10_000],
    [20_000, 5000],
    [60_000, 5000],
  ])('periodic: with %i ticks owed the next one comes after %i ns', (owed, after) => {
    cpu.write(LVT, 0x20040)
    cpu.write(0x380, 200_000)
    core.pass(owed * 200_000 + 10)
    expect(cpu.take()).toBe(0x40)
    cpu.write(0xb0, 0)
    expect(core.untilDeadline).toBe(after)
  })

  test('periodic: the interrupted program goes on between ticks that are owed', () => {
    cpu.write(LVT, 0x20040)
    cpu.write(0x380, 1000)
    core.pass(10_000)
    expect(cpu.take()).toBe(0x40)
    core.pass(10)
    cpu.write(0xb0, 0)
    for (const [after, tick] of [
      [249, undefined],
      [1, 0x40],
    ] as const) {
      core.pass(after)
      expect(cpu.take()).toBe(tick)
    }
    // The end of a period comes at its own time, and what is owed goes with the timer.
    cpu.write(0xb0, 0)
    expect(core.untilDeadline).toBe(250)
    cpu.write(0x380, 0)
    expect(core.untilDeadline).toBeUndefined()
  })
  test('periodic: ticks that come while the CPU runs on without taking one are one (10.8.4: one bit of the IRR)', () => {
    cpu.write(LVT, 0x20040)
    cpu.write(0x380, 1000)
    const retired = (L.VCPUS + L.CPU_RETIRED) / 4
    for (let i = 0; i < 5; i++) {
      core.u32[retired]! += 1000
      core.exports.chipsetRun(BigInt(core.u32[retired]!))
    }
    expect(cpu.takeAll()).toEqual([0x40])
    // Stopped, it owes nothing.
    core.u32[retired]! += 5000
    core.exports.chipsetRun(BigInt(core.u32[retired]!))
    cpu.write(0x380, 0)
    expect(cpu.takeAll()).toEqual([0x40])
    core.u32[retired] = 0
  })
})

describe('virtual wire (10.1): the 8259 through LINT0', () => {
  test('passes as ExtINT, on top of what the APIC has; masked it waits', () => {
    core.initialisePic(0xfffe)
    cpu.enable().write(0x350, 0x700)
    cpu.write(0x300, 0x44061)
    core.out8(0x43, 0x30)
    core.out8(0x40, 10)
    core.out8(0x40, 0)
    core.pass(50_000)
    expect(core.intr).toBe(true)
    expect(one.take()).toBeUndefined()
    expect(cpu.take()).toBe(0x20)
    expect(cpu.take()).toBe(0x61)
  })
  test('masked in the table it does not', () => {
    core.initialisePic(0xfffe)
    cpu.enable()
    core.out8(0x43, 0x34)
    core.out8(0x40, 10)
    core.out8(0x40, 0)
    core.pass(50_000)
    expect(core.intr).toBe(true)
    expect(cpu.take()).toBeUndefined()
    cpu.write(0x350, 0x700)
    expect(cpu.take()).toBe(0x20)
  })
  test('as a fixed interrupt with a vector of its own', () => {
    core.initialisePic(0xfffe)
    cpu.enable().write(0x350, 0x77)
    core.out8(0x43, 0x34)
    core.out8(0x40, 10)
    core.out8(0x40, 0)
    core.pass(50_000)
    expect(cpu.takeAll()).toEqual([0x77])
  })
})

describe('messages of devices (10.11)', () => {
  beforeEach(() => {
    for (const each of core.cpus) each.enable()
  })
  test('destination and vector come from address and data', () => {
    core.exports.mmioWrite(0xfee02000n, 4, 0x0071n)
    core.exports.mmioWrite(0xfeeff000n, 4, 0x0072n)
    expect(core.cpus.map((each) => each.takeAll())).toEqual([[0x72], [0x72], [0x72, 0x71], [0x72]])
  })
  test('to no CPU, of another size, misaligned: nothing', () => {
    core.exports.mmioWrite(0xfee77000n, 4, 0x0071n)
    core.exports.mmioWrite(0xfee00000n, 2, 0x0071n)
    core.exports.mmioWrite(0xfee00002n, 4, 0x0071n)
    expect(core.cpus.flatMap((each) => each.takeAll())).toEqual([])
  })
})
