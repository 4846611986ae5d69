import { expect, test } from 'vitest'
import * as L from '../core/layout'
import { MEMORY_MAX, MEMORY_MIN, physical } from './api'
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
