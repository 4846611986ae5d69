// FPU, vector registers and local APIC of real guests.
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import * as L from '../core/layout'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine, MIB } from '../machine/api'
import { createMachine } from '../machine/machine'
import { createMemory } from '../machine/memory'
import { extendedText, fpuState } from './fpu-state'
import { localApic } from './local-apic'

const guest = (name: string) => fileURLToPath(new URL(`../../assets/guests/${name}`, import.meta.url))
let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

test('80-bit numbers in words', () => {
  const ext = (sign: number, exponent: number, significand: bigint) =>
    extendedText((BigInt((sign << 15) | exponent) << 64n) | significand)
  expect(ext(0, 0, 0n)).toBe('0')
  expect(ext(1, 0, 0n)).toBe('-0')
  expect(ext(0, 16383, 1n << 63n)).toBe('1')
  expect(ext(1, 16384, 0xc000_0000_0000_0000n)).toBe('-3')
  // FLDPI
  expect(ext(0, 0x4000, 0xc90f_daa2_2168_c235n)).toBe(String(Math.PI))
  expect(ext(0, 0x7fff, 1n << 63n)).toBe('∞')
  expect(ext(1, 0x7fff, 0xc000_0000_0000_0000n)).toBe('-quiet NaN')
  expect(ext(0, 0x7fff, 0xa000_0000_0000_0000n)).toBe('signalling NaN')
  expect(ext(0, 0x7fff, 1n)).toBe('unsupported')
  expect(ext(0, 16383, 1n)).toBe('unsupported')
  expect(ext(0, 0x7ffe, 1n << 63n)).toBe('1.0000000 × 2^16383')
  expect(ext(0, 0, 1n << 63n)).toBe('1.0000000 × 2^-16382')
})

test('ST(0) is where TOP says, and the upper halves of YMM are found', () => {
  const memory = createMemory(2 * MIB, 1)
  const at = memory.cpuBlock(0) + L.CPU_XSAVE
  memory.view.setUint16(at, 0x37f, true)
  memory.view.setUint16(at + 2, 6 << 11, true)
  memory.view.setUint8(at + 4, 0b0100_0000)
  memory.view.setBigUint64(at + 32 + 6 * 16, 1n << 63n, true)
  memory.view.setUint16(at + 32 + 6 * 16 + 8, 16383, true)
  memory.view.setUint32(at + 24, 0x1f80, true)
  memory.u8[at + 160 + 3 * 16] = 0x11
  memory.u8[at + 576 + 3 * 16] = 0x22
  const { fcw, top, st, mxcsr, ymm } = fpuState(memory, 0)
  expect([fcw, top, mxcsr]).toEqual([0x37f, 6, 0x1f80])
  expect(st.map(({ physical }) => physical)).toEqual([6, 7, 0, 1, 2, 3, 4, 5])
  expect(st.map(({ empty }) => empty)).toEqual([false, ...Array(7).fill(true)])
  expect(extendedText(st[0]!.value)).toBe('1')
  expect([ymm[3 * 32], ymm[3 * 32 + 16]]).toEqual([0x11, 0x22])
})

test('Seedling’s local APICs tick where it says', async () => {
  const started = await createMachine({
    ...defaultConfig(),
    ...{ memory: 64 * MIB, cpus: 2, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(guest('seedling/seedling.img')) }],
  })
  machine = started
  let text = ''
  await new Promise<void>((resolve) => {
    started.on('serial', ({ port, bytes }) => {
      if (port === 0) text += Buffer.from(bytes).toString('latin1')
      if (text.includes('seedling> ')) resolve()
    })
    started.run()
  })
  await started.pause()
  expect(text).toContain('tick by lapic at 100 Hz')
  for (const index of [0, 1]) {
    const apic = localApic(started.memory, index)
    expect(apic).toMatchObject({ mode: 'xAPIC', enabled: true, id: index, base: 0xfee00000n, errors: 0 })
    const timer = apic.vectors.find(({ name }) => name === 'timer')!
    expect(timer.masked).toBe(false)
    expect(timer.vector).toBeGreaterThanOrEqual(32)
    expect(apic.timer.initial).toBeGreaterThan(0)
    expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(apic.timer.divide)
  }
})
