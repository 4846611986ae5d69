// Reads and writes of every port, every memory-mapped page, every range of the PCI bus and every APIC MSR in every size and
// alignment, with time passing and CPUs taking what comes: no trap, and nothing of the core's own is touched. RINGSIDE_FUZZ=N
// makes N accesses (10,000,000 take some minutes), RINGSIDE_FUZZ_SEED others.
import { expect, test } from 'vitest'
import * as L from '../layout'
import { ApicCore } from '../testing/apic'

const COUNT = Number(process.env['RINGSIDE_FUZZ'] ?? 250_000)
const SIZES = [1, 2, 4, 8]
const PAGES = [
  0xa0000, 0xb8000, 0xc0000, 0xe0000, 0xfec00000, 0xfed00000, 0xfee00000, 0xfee3f000, 0xfebf0000, 0xfd000000,
  0xd0000000,
]
const REGISTERS = [
  0x20, 0x30, 0x80, 0xb0, 0xd0, 0xe0, 0xf0, 0x280, 0x300, 0x310, 0x320, 0x350, 0x360, 0x370, 0x380, 0x3e0,
]

test(`${COUNT} accesses: defined answers, the machine alive`, { timeout: 3_600_000 }, () => {
  const core = new ApicCore(2)
  let seed = Number(process.env['RINGSIDE_FUZZ_SEED'] ?? 20_261_126)
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const pick = <T>(of: readonly T[]): T => of[random(of.length)]!
  const value = () => pick([() => random(256), () => random(2 ** 32), () => 0, () => 0xffffffff])()
  const protectedParts = [
    [0, L.HEADER],
    [L.ROM, L.ROM + L.ROM_SIZE],
  ] as const
  const sums = () =>
    protectedParts.map(([from, to]) =>
      core.u32.subarray(from >> 2, to >> 2).reduce((sum, word) => (sum * 31 + word) | 0, 0),
    )
  const before = sums()
  const { portRead, portWrite, mmioRead, mmioWrite, cpuDeviceRead, cpuDeviceWrite } = core.exports
  for (let i = 0; i < COUNT; i++) {
    const cpu = pick(core.cpus)
    const at = BigInt(pick(PAGES) + (random(2) ? random(0x1000) : pick(REGISTERS)))
    const size = pick(SIZES)
    switch (random(12)) {
      case 0: {
        const bytes = pick([1, 2, 4])
        portWrite(random(0x10000), bytes, value())
        break
      }
      case 1: {
        const bytes = pick([1, 2, 4])
        const answer = portRead(random(0x10000), bytes) >>> 0
        if (bytes < 4 && answer >= 2 ** (8 * bytes)) throw new Error(`port answer 0x${answer.toString(16)}`)
        break
      }
      case 2:
        portWrite(0xcf8, 4, 0x80000000 + random(0x20) * 0x100 + random(0x100))
        portWrite(0xcfc + random(4), pick([1, 2, 4]), value())
        break
      case 3:
        mmioWrite(at, size, BigInt(value()))
        break
      case 4: {
        const answer = BigInt.asUintN(64, mmioRead(at, size))
        if (answer >> BigInt(8 * size))
          throw new Error(`${size} bytes of 0x${at.toString(16)}: 0x${answer.toString(16)}`)
        break
      }
      case 5:
        cpu.bind()
        cpuDeviceWrite(at, size, BigInt(value()))
        break
      case 6:
        cpu.bind()
        cpuDeviceRead(at, size)
        break
      case 7:
        cpu.write(pick(REGISTERS), value())
        break
      case 8:
        cpu.wrmsr(
          pick([0x1b, 0x6e0, 0x10, 0x3b, 0x800 + random(0x100)]),
          BigInt(value()) | (BigInt(random(4)) << 32n),
        )
        break
      case 9:
        cpu.rdmsr(0x800 + random(0x100))
        break
      case 10:
        core.ioWrite(0x10 + random(48), value())
        break
      default:
        core.pass(random(4) ? random(50_000) : random(5_000_000))
        cpu.take()
    }
    if ((i & 0xfff) === 0) {
      for (let ring = 0; ring < L.OUTPUT_RING_COUNT; ring++) core.takeOutput(ring)
      core.header32(L.HDR_STOP_REASON, L.STOP_NONE)
      core.header32(L.HDR_STATE, L.STATE_RUNNING)
    }
    if ((i & 0xffff) === 0xffff) core.powerOn()
  }
  expect(sums()).toEqual(before)
  // Alive: after power-on a timer interrupts as ever.
  core.powerOn()
  const [cpu] = core.cpus
  cpu!.enable().write(0x3e0, 0xb)
  cpu!.write(0x320, 0x40)
  cpu!.write(0x380, 1000)
  core.pass(1000)
  expect(cpu!.takeAll()).toEqual([0x40])
})
