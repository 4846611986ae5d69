// A function of the tests' own on the bus, as a device announces itself.
import { beforeEach, expect, test } from 'vitest'
import { ApicCore } from '../testing/apic'
import * as L from '../layout'

interface DeviceExports {
  pciFunction(devfn: number, id: number, classRevision: number): number
  pciInterruptPin(slot: number, pin: number): void
  pciInterrupt(devfn: number, asserted: number): void
  pciWritable16(slot: number, at: number, mask: number): void
  msiOffer(slot: number, at: number, order: number): void
  msiSend(devfn: number, vector: number): void
  msixOffer(slot: number, at: number, count: number, bar: number, table: number, pending: number): void
  msixTableReset(table: number, count: number): void
  msixSend(devfn: number, table: number, vector: number): number
}

const core = new ApicCore(2)
const device = core.exports as unknown as DeviceExports
const DEVFN = 0x50
const MSI = 0x50
const MSIX = 0x70
/** Room for a table in the platform's state. */
const TABLE = L.PLATFORM + 0x10000
const read = (at: number) => {
  core.out32(0xcf8, 0x80000000 + DEVFN * 0x100 + at)
  return core.in32(0xcfc)
}
const write = (at: number, value: number) => {
  core.out32(0xcf8, 0x80000000 + DEVFN * 0x100 + at)
  core.out32(0xcfc, value)
}
const taken = () => core.cpus.map((cpu) => cpu.takeAll())

beforeEach(() => {
  core.powerOn()
  for (const cpu of core.cpus) cpu.enable()
  const slot = device.pciFunction(DEVFN, 0xbeef1234, 0xff000000)
  device.pciInterruptPin(slot, 1)
  device.pciWritable16(slot, 4, 7)
  device.msiOffer(slot, MSI, 2)
  device.msixOffer(slot, MSIX, 4, 0, 0x800, 0xc00)
  device.msixTableReset(TABLE, 4)
  write(4, 6)
})

test('the capabilities are found through the list', () => {
  expect(read(4) >>> 20).toBe(0x21)
  const list = [read(0x34) & 0xff]
  list.push((read(list[0]!) >>> 8) & 0xff)
  expect(list).toEqual([MSIX, MSI])
  expect(read(MSI)).toBe(0x01840005)
  expect([read(MSIX), read(MSIX + 4), read(MSIX + 8)]).toEqual([0x00035011, 0x800, 0xc00])
  write(MSI, 0xffffffff)
  expect(read(MSI)).toBe(0x01f50005)
})

test('MSI: vectors count in the low bits of the data, as many as were granted', () => {
  write(MSI + 4, 0xfee01000)
  write(MSI + 12, 0x0063)
  device.msiSend(DEVFN, 1)
  expect(taken()).toEqual([[], []])
  write(MSI, 0x00210000)
  device.msiSend(DEVFN, 0)
  device.msiSend(DEVFN, 3)
  expect(taken()).toEqual([[], [0x63, 0x60]])
})

test('a masked vector is pending, and sent when the mask goes', () => {
  write(MSI + 4, 0xfee00000)
  write(MSI + 12, 0x0040)
  write(MSI + 16, 1)
  write(MSI, 0x00010000)
  device.msiSend(DEVFN, 0)
  expect([taken(), read(MSI + 20)]).toEqual([[[], []], 1])
  write(MSI + 16, 0)
  expect([taken(), read(MSI + 20)]).toEqual([[[0x40], []], 0])
})

test('to nowhere, and without bus mastering: nothing', () => {
  write(MSI, 0x00010000)
  write(MSI + 12, 0x0040)
  write(MSI + 4, 0x12345000)
  device.msiSend(DEVFN, 0)
  write(MSI + 4, 0xfee77000)
  device.msiSend(DEVFN, 0)
  write(MSI + 4, 0xfee00000)
  write(4, 2)
  device.msiSend(DEVFN, 0)
  expect(taken()).toEqual([[], []])
})

test('MSI-X: an entry a vector, masked each and all together', () => {
  const entry = (n: number, address: number, data: number, control: number) =>
    core.u32.set([address, 0, data, control], (TABLE + n * 16) / 4)
  entry(2, 0xfee01000, 0x71, 0)
  write(MSIX, 0x80000000)
  expect(device.msixSend(DEVFN, TABLE, 2)).toBe(1)
  expect(device.msixSend(DEVFN, TABLE, 1)).toBe(0)
  write(MSIX, 0xc0000000)
  expect(device.msixSend(DEVFN, TABLE, 2)).toBe(0)
  expect(taken()).toEqual([[], [0x71]])
})

test('with messages on, the pin is silent', () => {
  core.redirect(16 + 1, 0x8000 | 0x2000 | 0x80)
  device.pciInterrupt(DEVFN, 1)
  expect(core.cpus[0]!.take()).toBe(0x80)
  write(MSI, 0x00010000)
  core.cpus[0]!.write(0xb0, 0)
  expect(core.cpus[0]!.take()).toBeUndefined()
})
