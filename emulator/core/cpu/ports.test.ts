// Port accesses take the time of a bus cycle in the deterministic schedule, and nothing that is due comes late for it.
import { beforeEach, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const RUN_BUDGET = 0
const exports = () => core.exports as unknown as { machinePowerOn(): void; run(instructions: bigint): number }

const core = new TestCore()
beforeEach(() => core.reset())

/** Power-on with `code` at the reset vector, F000:FFF0 (at most 16 bytes), at machine time 0. */
function start(code: number[]) {
  core.u8.set(code, L.ROM + L.ROM_SIZE - 16)
  exports().machinePowerOn()
  core.u64[(L.VCPUS + L.CPU_RETIRED) / 8] = 0n
  core.u64[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8] = 0n
}
const retired = () => Number(core.u64[(L.VCPUS + L.CPU_RETIRED) / 8])
const skipped = () => Number(core.u64[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8])

test('a byte takes 720 ns, a word or more 120 ns, other instructions one', () => {
  start([0xe4, 0x61, 0xeb, 0xfc]) // in al, 61h; jmp back
  expect(exports().run(1000n)).toBe(RUN_BUDGET)
  expect([retired(), skipped()]).toEqual([1000, 500 * 720])
  start([0xe5, 0x80, 0xe6, 0x80, 0xeb, 0xfa]) // in ax, 80h; out 80h, al; jmp back
  exports().run(999n)
  expect([retired(), skipped()]).toEqual([999, 333 * 840])
})

test('the refresh bit of port 61h turns every 15 us: 21 looks, not 5000', () => {
  // mov ah, al; l: in al, 61h; xor al, ah; test al, 10h; jz l; hlt
  start([0xe4, 0x61, 0x88, 0xc4, 0xe4, 0x61, 0x30, 0xe0, 0xa8, 0x10, 0x74, 0xf8, 0xf4])
  exports().run(100_000n)
  expect(retired()).toBeLessThan(2 + 4 * 22 + 1)
  expect(core.u32[(L.VCPUS + L.CPU_ACTIVITY) / 4]).toBe(L.ACTIVITY_HALTED)
})

test('a slice that ends within a REP INS goes on where it was', () => {
  // mov cx, 1000; mov dx, 80h; rep insw; hlt
  start([0xb9, 0xe8, 0x03, 0xba, 0x80, 0x00, 0xf3, 0x6d, 0xf4])
  for (let slices = 0; slices < 2000; slices++) exports().run(7n)
  expect(core.u32[(L.VCPUS + L.CPU_RCX) / 4]! & 0xffff).toBe(0)
  expect(core.u32[(L.VCPUS + L.CPU_RDI) / 4]! & 0xffff).toBe(2000)
  expect([retired(), skipped()]).toEqual([1003, 120_000])
})

test('a timer is not late by more than the access it comes in', () => {
  // The timer's channel 0, mode 2, every 200 counts (167.6 us); then in al, 61h for ever
  start([0xb0, 0x34, 0xe6, 0x43, 0xb0, 0xc8, 0xe6, 0x40, 0x30, 0xc0, 0xe6, 0x40, 0xe4, 0x61, 0xeb, 0xfc])
  for (let i = 0; i < 300; i++) {
    exports().run(50n)
    const deadline = Number(BigInt.asUintN(64, core.exports.chipsetDeadline()))
    expect(retired() + skipped()).toBeLessThan(deadline + 721)
  }
})
