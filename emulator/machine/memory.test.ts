import { expect, test } from 'vitest'
import * as P from '../core/chipset/pci-layout'
import * as L from '../core/layout'
import { MEMORY_MAX, MEMORY_MIN, physical } from './api'
import { memoryMap } from './memory-map'
import { createMemory, MachineMemory, planMemory } from './memory'
import { clearMemory, stateHash } from './state-hash'

test('the parts behind the vCPU blocks do not overlap, for every size', () => {
  for (const cpus of [1, 2, 16]) {
    for (const size of [MEMORY_MIN, 65 * 2 ** 20, MEMORY_MAX]) {
      const { frames, frameCount, traceHeads, ram, ramSize, end } = planMemory(size, cpus)
      expect(frames).toBe(L.VCPUS + cpus * L.VCPU_STRIDE)
      expect(traceHeads).toBeGreaterThanOrEqual(frames + frameCount * L.FRAME_SIZE)
      expect(ram).toBeGreaterThanOrEqual(traceHeads + cpus * frameCount * 4)
      expect(ram % L.PAGE_SIZE).toBe(0)
      expect(end).toBe(ram + ramSize)
      expect(end).toBeLessThan(2 ** 32)
    }
  }
})

test('sizes that no machine can have are refused', () => {
  expect(() => planMemory(MEMORY_MAX + 0x10000, 1)).toThrow(RangeError)
  expect(() => planMemory(1000, 1)).toThrow(RangeError)
  expect(() => planMemory(MEMORY_MIN + 512, 1)).toThrow(RangeError)
  expect(() => planMemory(MEMORY_MIN, 17)).toThrow('1 to 16')
})

test('a memory of another layout is refused', () => {
  const memory = createMemory(MEMORY_MIN, 1)
  memory.setHeader32(L.HDR_VERSION, L.LAYOUT_VERSION + 1)
  expect(() => new MachineMemory(memory.wasm)).toThrow('layout')
})

test('guest-physical addresses: RAM, ROM twice, nothing else', () => {
  const memory = createMemory(2 ** 21, 1)
  expect(memory.physicalPointer(0)).toBe(memory.ram)
  expect(memory.physicalPointer(2 ** 21 - 1)).toBe(memory.ram + 2 ** 21 - 1)
  expect(memory.physicalPointer(2 ** 21)).toBeUndefined()
  expect(memory.physicalPointer(0xfffff)).toBe(L.ROM + L.ROM_SIZE - 1)
  expect(memory.physicalPointer(physical(0xffff_ffff))).toBe(L.ROM + L.ROM_SIZE - 1)
  for (const hole of [0xa0000, 0xbffff, 0xc0000, 0xdffff, 0x1_0000_0000]) {
    expect(memory.physicalPointer(hole)).toBeUndefined()
  }
})

test('the state hash sees every region of the state, and only that', async () => {
  const memory = createMemory(2 ** 20, 1)
  const empty = await stateHash(memory)
  const cpu = memory.cpuBlock(0)
  const state = [
    L.DEV_PIC,
    L.DEVICES_END - 1,
    L.VRAM + 5,
    cpu + L.CPU_RAX,
    cpu + L.CPU_HASHED_END - 1,
    cpu + L.CPU_TLB,
    cpu + L.CPU_TLB + L.TLB_COUNT * L.TLB_ENTRY_SIZE - 1,
    memory.ram,
    memory.ram + memory.ramSize - 1,
    L.HEADER + L.HDR_CLOCK_SKIPPED,
  ]
  const hashes = new Set([empty])
  for (const address of state) {
    memory.u8[address] = 1
    hashes.add(await stateHash(memory))
    memory.u8[address] = 0
  }
  expect(hashes.size).toBe(state.length + 1)
  const bookkeeping = [
    cpu + L.CPU_HASHED_END,
    cpu + L.CPU_FAST,
    cpu + L.CPU_TRACES,
    memory.frames,
    L.OUTPUT_RINGS,
    L.INPUT_QUEUE,
    L.HEADER + L.HDR_CLOCK_NOW,
    L.HEADER + L.HDR_HOST_WAKE,
  ]
  for (const address of bookkeeping) memory.u8[address] = 1
  expect(await stateHash(memory)).toBe(empty)
})

test('a cleared memory is like a new one', async () => {
  const memory = createMemory(2 ** 20, 1)
  memory.setHeader64(L.HDR_SEED, 77n)
  const before = memory.u8.slice()
  const cpu = memory.cpuBlock(0)
  for (const address of [
    L.HEADER + L.HDR_STATE,
    L.DEV_PIC,
    L.INPUT_QUEUE,
    L.VRAM + 9,
    cpu,
    memory.frames,
    memory.ram + 70_000,
  ]) {
    memory.u8[address] = 0xa5
  }
  await clearMemory(memory)
  expect(Buffer.compare(memory.u8, before)).toBe(0)
})

test('a memory that is being cleared has its CPUs and its size all the time', async () => {
  const memory = createMemory(64 * 2 ** 20, 3)
  memory.u8.fill(1, memory.ram, memory.ram + memory.ramSize)
  let done = false
  const cleared = clearMemory(memory).then(() => {
    done = true
  })
  let looks = 0
  while (!done) {
    expect([memory.cpuCount, memory.header32(L.HDR_RAM_SIZE)]).toEqual([3, 64 * 2 ** 20])
    expect(memory.cpu32(2, L.CPU_MODE)).toBe(0)
    looks++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await cleared
  expect(looks).toBeGreaterThan(1)
  expect(memory.u8[memory.ram + memory.ramSize - 1]).toBe(0)
})

test('the map tells who answers where now: shadow RAM, a frame buffer that moved, local APICs', () => {
  const memory = createMemory(16 * 2 ** 20, 1)
  const named = () =>
    memoryMap(memory).map(({ start, end, kind, name }) => [name, kind, Number(start), Number(end)])
  expect(named().find(([name]) => name === 'system ROM')).toEqual(['system ROM', 'rom', 0xe0000, 0x100000])
  expect(named().map(([name]) => name)).not.toContain('linear frame buffer')
  memory.setHeader32(L.HDR_SHADOW, 0xf000_f003)
  const windows = [
    [0xc000, 16, P.RANGE_IDE_BUS_MASTER, 1],
    [0xfebf_0000, 0x1000, P.RANGE_VGA_REGISTERS, 0],
    [0xd000_0000, L.VRAM_SIZE, P.RANGE_VGA_FRAMEBUFFER, 0],
  ] as const
  memory.view.setUint32(L.DEV_PCI + P.PCI_WINDOW_COUNT, windows.length, true)
  for (const [n, [base, length, handler, io]] of windows.entries()) {
    const record = L.DEV_PCI + P.PCI_WINDOWS + n * P.PCI_WINDOW_SIZE
    memory.view.setBigUint64(record + P.PCI_WINDOW_BASE, BigInt(base), true)
    memory.view.setBigUint64(record + P.PCI_WINDOW_LENGTH, BigInt(length), true)
    memory.view.setUint32(record + P.PCI_WINDOW_HANDLER, handler, true)
    memory.view.setUint32(record + P.PCI_WINDOW_IO, io, true)
  }
  memory.view.setBigUint64(memory.cpuBlock(0) + L.CPU_APIC_BASE, 0xfee0_0900n, true)
  expect(named().filter(([, , start]) => Number(start) >= 0xc0000 && start !== 0x100000)).toEqual([
    ['shadow RAM', 'ram', 0xc0000, 0xc8000],
    ['system ROM', 'rom', 0xe0000, 0xf0000],
    ['shadow RAM', 'ram', 0xf0000, 0x100000],
    ['linear frame buffer', 'video', 0xd000_0000, 0xd100_0000],
    ['VGA registers', 'device', 0xfebf_0000, 0xfebf_1000],
    ['I/O APIC', 'device', 0xfec0_0000, 0xfec0_1000],
    ['HPET', 'device', 0xfed0_0000, 0xfed0_0400],
    ['local APIC', 'device', 0xfee0_0000, 0xfee0_1000],
    ['system ROM', 'rom', 0xfffe_0000, 0x1_0000_0000],
  ])
})
