// INT 15h: memory map and sizes, A20, block move, waiting.
import { describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine } from '../testing/firmware'

const MIB = 1 << 20
const SMAP = 0x534d4150

function memoryMap(machine: FirmwareMachine, ecx = 20): string[] {
  const entries: string[] = []
  let ebx = 0
  do {
    const answer = machine.call(0x15, { eax: 0xe820, ebx, ecx, edx: SMAP, es: 0x900, di: 4 })
    expect(answer).toMatchObject({ cf: false, eax: SMAP, ecx })
    const base = machine.read64(0x9004)
    const end = base + machine.read64(0x900c)
    entries.push(`${base.toString(16)}-${end.toString(16)} ${machine.read32(0x9014)}`)
    ebx = answer.ebx
  } while (ebx !== 0 && entries.length < 20)
  return entries
}

describe('E820', () => {
  test.each([
    [512 << 10, ['0-7fc00 1', '7fc00-80000 2', 'e0000-100000 2', 'fffc0000-100000000 2']],
    [MIB, ['0-9fc00 1', '9fc00-a0000 2', 'e0000-100000 2', 'fffc0000-100000000 2']],
    [64 * MIB, ['0-9fc00 1', '9fc00-a0000 2', 'e0000-100000 2', '100000-4000000 1', 'fffc0000-100000000 2']],
  ])('%i bytes of RAM', (ram, expected) => {
    const machine = new FirmwareMachine({ ram }).boot()
    expect(memoryMap(machine)).toEqual(expected)
    expect(memoryMap(machine, 24)).toEqual(expected)
  })

  test('nonsense', () => {
    const machine = new FirmwareMachine().boot()
    expect(machine.call(0x15, { eax: 0xe820, ecx: 20, edx: 0x1234 })).toMatchObject({ cf: true, ah: 0x86 })
    expect(machine.call(0x15, { eax: 0xe820, ecx: 19, edx: SMAP })).toMatchObject({ cf: true, ah: 0x86 })
    expect(machine.call(0x15, { eax: 0xe820, ebx: 99, ecx: 20, edx: SMAP })).toMatchObject({
      cf: true,
      ah: 0x86,
    })
    expect(machine.call(0x15, { ax: 0xfe00 })).toMatchObject({ cf: true, ah: 0x86 })
  })
})

describe('sizes', () => {
  test.each([
    [4, 3 * 1024, 3 * 1024, 0],
    [64, 63 * 1024, 15 * 1024, 768],
    [128, 63 * 1024, 15 * 1024, 1792],
  ])('%i MiB', (mib, kib88, low, high) => {
    const machine = new FirmwareMachine({ ram: mib * MIB }).boot()
    expect(machine.call(0x15, { ax: 0x8800 })).toMatchObject({ cf: false, ax: kib88 })
    expect(machine.call(0x15, { ax: 0xe801 })).toMatchObject({
      cf: false,
      ax: low,
      cx: low,
      bx: high,
      dx: high,
    })
    expect(machine.call(0x12).ax).toBe(639)
  })
})

test('A20 through 2400h-2403h, from either gate', () => {
  const machine = new FirmwareMachine().boot()
  const status = () => machine.call(0x15, { ax: 0x2402 })
  expect(status()).toMatchObject({ cf: false, ah: 0, al: 0 })
  expect(machine.call(0x15, { ax: 0x2401 })).toMatchObject({ cf: false, ah: 0 })
  expect(machine.a20).toBe(true)
  expect(status()).toMatchObject({ cf: false, ah: 0, al: 1 })
  expect(machine.call(0x15, { ax: 0x2400 })).toMatchObject({ cf: false, ah: 0 })
  expect(machine.a20).toBe(false)
  machine.exports.portWrite(0x64, 1, 0xdf) // the 8042's gate
  machine.run(100_000)
  expect(machine.a20).toBe(true)
  machine.call(0x15, { ax: 0x2400 })
  machine.run(100_000)
  expect(machine.a20).toBe(false)
  expect(machine.call(0x15, { ax: 0x2403 })).toMatchObject({ cf: false, ah: 0, bx: 3 })
})

describe('block move', () => {
  const table = (source: number, target: number) => {
    const bytes = new Uint8Array(48)
    for (const [at, base] of [
      [0x10, source],
      [0x18, target],
    ] as const) {
      bytes.set(
        [0xff, 0xff, base & 255, (base >> 8) & 255, (base >> 16) & 255, 0x93, 0, (base >>> 24) & 255],
        at,
      )
    }
    return bytes
  }
  test('across 1 MiB and back, with A20 off', () => {
    const machine = new FirmwareMachine().boot()
    const pattern = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255)
    machine.write(0x9000, pattern)
    machine.write(0x600, table(0x9000, 0x10_0800))
    expect(machine.call(0x15, { ax: 0x8700, cx: 500, si: 0x600 })).toMatchObject({ cf: false, ah: 0 })
    expect(machine.bytes(0x10_0800, 1000)).toEqual(pattern)
    expect(machine.a20).toBe(false)
    machine.write(0x600, table(0x10_0800, 0x2_0000))
    machine.call(0x15, { ax: 0x8700, cx: 500, si: 0x600 })
    expect(machine.bytes(0x2_0000, 1000)).toEqual(pattern)
  })
  test('addresses without memory read as ones and swallow writes', () => {
    const machine = new FirmwareMachine().boot()
    machine.write(0x600, table(0xc000_0000, 0x9000))
    expect(machine.call(0x15, { ax: 0x8700, cx: 4, si: 0x600 })).toMatchObject({ cf: false, ah: 0 })
    expect([...machine.bytes(0x9000, 8)]).toEqual(Array(8).fill(0xff))
    machine.write(0x600, table(0x9000, 0xffff_fff0))
    expect(machine.call(0x15, { ax: 0x8700, cx: 0x8000, si: 0x600 })).toMatchObject({ cf: false, ah: 0 })
    expect(machine.call(0x15, { ax: 0x8700, cx: 0x8001, si: 0x600 })).toMatchObject({ cf: true, ah: 2 })
  })
})

describe('waiting', () => {
  test.each([1000, 50_000, 1_500_000])('86h sleeps for %i microseconds', (microseconds) => {
    const machine = new FirmwareMachine().boot()
    const before = machine.now
    expect(
      machine.call(0x15, { ax: 0x8600, cx: microseconds >> 16, dx: microseconds & 0xffff }),
    ).toMatchObject({ cf: false })
    const elapsed = Number(machine.now - before) / 1000
    // The clock's ticks are 976.5625 us; the first may be short.
    expect(elapsed).toBeGreaterThan(microseconds - 1000)
    expect(elapsed).toBeLessThan(microseconds * 1.001 + 2000)
    expect(machine.read8(0x4a0)).toBe(0)
  })

  test('83h raises a bit later, and one wait at a time', () => {
    const machine = new FirmwareMachine().boot()
    machine.write(0x700, [0])
    expect(machine.call(0x15, { ax: 0x8300, cx: 0, dx: 20_000, bx: 0x700 })).toMatchObject({
      cf: false,
      ah: 0,
    })
    expect(machine.call(0x15, { ax: 0x8600, cx: 0, dx: 1000 })).toMatchObject({ cf: true })
    machine.run(15_000_000)
    expect(machine.read8(0x700)).toBe(0)
    machine.run(10_000_000)
    expect(machine.read8(0x700)).toBe(0x80)
  })
})

test('the configuration table', () => {
  const machine = new FirmwareMachine().boot()
  const answer = machine.call(0x15, { ax: 0xc000 })
  expect(answer).toMatchObject({ cf: false, ah: 0, es: 0xf000, bx: 0xe6f5 })
  expect([...machine.u8.subarray(L.ROM + 0x1e6f5, L.ROM + 0x1e6fb)]).toEqual([8, 0, 0xfc, 0, 1, 0x74])
  expect(machine.call(0x15, { ax: 0xc100 })).toMatchObject({ cf: false, es: 0x9fc0 })
})

test('APM switches off', () => {
  const machine = new FirmwareMachine().boot()
  expect(machine.call(0x15, { ax: 0x5300 })).toMatchObject({ cf: false, ax: 0x0102, bx: 0x504d })
  expect(() => machine.call(0x15, { ax: 0x5307, bx: 1, cx: 3 })).toThrow('did not return')
  expect(machine.stopReason).toBe(L.STOP_POWER_OFF)
})
