import { expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const stop = () => [core.header32(L.HDR_STOP_REASON), core.header32(L.HDR_STOP_VALUE)]

test('ports nobody claims read all ones in every size', () => {
  for (const port of [0x2f, 0x1e0, 0x220, 0x3e0, 0xfff8]) {
    expect([core.in8(port), core.in16(port), core.in32(port)]).toEqual([0xff, 0xffff, 0xffffffff])
    core.out32(port, 0x12345678)
  }
})

test('addresses nobody claims read all ones', () => {
  for (const address of [0xc0000n, 0xfebf_0000n, 0xfee0_0000n, 0x1_0000_0000n]) {
    expect(core.exports.mmioRead(address, 1)).toBe(0xffn)
    expect(BigInt.asUintN(64, core.exports.mmioRead(address, 8))).toBe(0xffff_ffff_ffff_ffffn)
    core.exports.mmioWrite(address, 8, 0n)
  }
})

test('wide accesses are bytes at consecutive ports', () => {
  core.reset()
  core.out16(0x3d4, 0x1234)
  core.out8(0x3c2, 1)
  core.out16(0x3d4, 0xab0e)
  expect(core.in16(0x3d4)).toBe(0xab0e)
})

test('debug console', () => {
  core.reset()
  core.takeOutput(L.RING_DEBUGCON)
  expect(core.in8(0xe9)).toBe(0xe9)
  for (const byte of Buffer.from('hello')) core.out8(0xe9, byte)
  expect(Buffer.from(core.takeOutput(L.RING_DEBUGCON)).toString()).toBe('hello')
})

test('POST code reads back', () => {
  core.out8(0x80, 0x55)
  expect(core.in8(0x80)).toBe(0x55)
})

test('isa-debug-exit stops with the value', () => {
  core.reset()
  core.out8(0xf4, 0x31)
  expect(stop()).toEqual([L.STOP_DEBUG_EXIT, 0x31])
  core.reset()
  core.out32(0xf4, 0x10)
  expect(stop()).toEqual([L.STOP_DEBUG_EXIT, 0x10])
})

test('power off: ACPI PM1a and the shutdown port', () => {
  core.reset()
  core.out16(0x604, 0x0001)
  expect(core.in16(0x604)).toBe(0x0001)
  expect(stop()[0]).toBe(L.STOP_NONE)
  core.out16(0x604, 0x2000)
  expect(stop()[0]).toBe(L.STOP_POWER_OFF)
  core.reset()
  for (const byte of Buffer.from('ShutShutdow')) core.out8(0x8900, byte)
  expect(stop()[0]).toBe(L.STOP_NONE)
  core.out8(0x8900, 'n'.charCodeAt(0))
  expect(stop()[0]).toBe(L.STOP_POWER_OFF)
})

test('a timer that was due before an access has fired when it is answered', () => {
  core.reset()
  core.initialisePic()
  core.out8(0x43, 0x30)
  core.out8(0x40, 10)
  core.out8(0x40, 0)
  core.time = 1_000_000
  expect(core.intr).toBe(false)
  core.out8(0x20, 0x0a)
  expect(core.in8(0x20)).toBe(0x01)
})

test('one long step is the same as many short ones', () => {
  const final = [50_000_000, 7_919].map((step) => {
    core.reset()
    core.initialisePic()
    core.out8(0x43, 0x36)
    core.out16(0x40, 0x00a9) // the high byte goes to port 41h
    core.out8(0x40, 0x04)
    core.out8(0x70, 0x0b)
    core.out8(0x71, 0x72)
    core.out8(0x64, 0x60)
    core.out8(0x60, 0x65)
    core.deliver(L.INPUT_KIND_KEY, 0x1c)
    core.out8(0x3fa, 0xc1)
    core.deliver(L.INPUT_KIND_SERIAL, 0x41)
    while (core.time < 50_000_000) core.advance(Math.min(step, 50_000_000 - core.time))
    return [...core.u8.slice(L.DEVICES, L.DEVICES_END), core.intr]
  })
  expect(final[0]).toEqual(final[1])
})

test('CF9h is a byte: PCI configuration writes at CF8h do not reset', () => {
  core.reset()
  core.out32(0xcf8, 0x80000600)
  core.out16(0xcf8, 0x0600)
  expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
  expect(core.in32(0xcf8)).toBe(0x80000600)
  expect([core.in8(0xcf8), core.in16(0xcf8)]).toEqual([0xff, 0xffff])
})

test('a million random accesses: no trap, nothing outside the devices is touched', () => {
  core.attach(L.DRIVE_ATA0, new Uint8Array(64 * 512))
  core.attach(L.DRIVE_ATA0 + 3, new Uint8Array(64 * 512))
  core.reset()
  let state = 0x2545f491
  const random = (below: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const regions = [0x20, 0x40, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xe8, 0xf0, 0x170, 0x1f0, 0x2e8, 0x2f8]
  regions.push(
    0x370,
    0x3b0,
    0x3b8,
    0x3c0,
    0x3c8,
    0x3d0,
    0x3d8,
    0x3e8,
    0x3f0,
    0x3f8,
    0x4d0,
    0x600,
    0xcf8,
    0x8900,
  )
  // What the devices may write: their blocks, the rings, the block requests and buffers, the header, video memory,
  // the record of the climb (an open A20 is a stage of it) and of the speaker
  const writable = [
    [L.HEADER, L.INPUT_QUEUE],
    [L.OUTPUT_RINGS, L.BLOCK_BUFFERS_END],
    [L.PLATFORM, L.PLATFORM_END],
    [L.MILESTONES, L.SPEAKER_LOG_END],
    [L.VRAM, L.VRAM + 0x40000],
    [L.VCPUS, L.VCPUS + L.VCPU_STRIDE],
  ] as const
  const outside = writable.map(([, end], i) => [end, writable[i + 1]?.[0] ?? core.u8.length] as const)
  outside.unshift([0, L.HEADER])
  const sums = () =>
    outside.map(([from, to]) =>
      core.u32.subarray(from >> 2, to >> 2).reduce((sum, word) => (sum * 31 + word) | 0, 0),
    )
  const before = sums()
  const { portRead, portWrite, mmioRead, mmioWrite, inputDeliver, interruptAcknowledge } = core.exports
  for (let i = 0; i < 1_000_000; i++) {
    const port = random(8) === 0 ? random(0x10000) : regions[random(regions.length)]! + random(8)
    const size = [1, 1, 2, 4][random(4)]!
    switch (random(16)) {
      case 0:
        inputDeliver(random(3), random(0x1000))
        break
      case 1:
        core.advance(random(4) ? random(50_000) : random(5_000_000))
        break
      case 2:
        mmioWrite(BigInt(0x9fff0 + random(0x20020)), [1, 2, 4, 8][random(4)]!, BigInt(random(0xffffffff)))
        break
      case 3:
        mmioRead(BigInt(0x9fff0 + random(0x20020)), [1, 2, 4, 8][random(4)]!)
        break
      case 4:
        interruptAcknowledge()
        break
      case 5:
      case 6:
      case 7:
      case 8:
        portRead(port, size)
        break
      default:
        portWrite(port, size, random(4) ? random(256) : random(0xffffffff))
    }
    if ((i & 0xfff) === 0) for (let ring = 0; ring < L.OUTPUT_RING_COUNT; ring++) core.takeOutput(ring)
  }
  expect(sums()).toEqual(before)
}, 60_000)
