// What the paths of interrupts add up to. How the core tells them: core/chipset/interrupt-path.test.ts.
import { expect, test } from 'vitest'
import { ApicCore } from '../core/testing/apic'
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { interruptControllers } from './interrupt-controllers'
import type { EventRecord } from './events/event-table'
import { interruptFlows, pathEvents } from './interrupt-flow'
import { InterruptLedger } from './interrupt-ledger'

const at = (time: number, kind: number, a: number, b = 0n): EventRecord => ({
  ...{ time, retired: time, kind, cpu: 0, a, b, c: BigInt(time), d: 0n, e: 0n, name: '' },
})
const line = (time: number, irq: number) => at(time, L.EVENT_KIND_LINE, irq | 0x100)
const route = (time: number, path: number, input: number, vector: number, b = 0n) =>
  at(time, L.EVENT_KIND_ROUTE, path | (input << 8) | (vector << 16), b)
const accept = (time: number, vector: number, cpu: number) =>
  at(time, L.EVENT_KIND_ACCEPT, vector | (cpu << 8))
const deliver = (time: number, vector: number, cpu: number) =>
  at(time, L.EVENT_KIND_DELIVER, vector | (cpu << 8))
const eoi = (time: number, vector: number, cpu: number) => at(time, L.EVENT_KIND_EOI, vector | (cpu << 8))

/** IRQ 1 by input 1 of the I/O APIC to CPU 2: waits `wait`, is handled for `service`. */
const keyboard = (time: number, wait: number, service: number) => [
  line(time, 1),
  route(time, L.PATH_IOAPIC, 1, 0x31, 4n),
  accept(time, 0x31, 2),
  deliver(time + wait, 0x31, 2),
  eoi(time + wait + service, 0x31, 2),
]

test('ways are counted, with middle and longest wait and handler; the slowest and the last are kept', () => {
  const ledger = new InterruptLedger()
  for (let i = 0; i < 1000; i++) {
    ledger.hear(keyboard(i * 1_000_000, i === 500 ? 9000 : 100, i === 700 ? 5000 : 50))
    if (i % 100 === 0) ledger.hear([route(i * 1_000_000 + 20_000, L.PATH_IPI, 0, 0xf1, 3n)])
  }
  ledger.hear([accept(999_500_000, 0xf1, 3), deliver(999_500_100, 0xf1, 3)])
  const { ways, waits, services, latest, count, open } = ledger.summary(1_000_000_000)
  expect(count).toBe(1001)
  const keys = ways.find(({ vector }) => vector === 0x31)!
  expect(keys).toMatchObject({ line: 1, cpu: 2, count: 1000, ended: 1000, waitMost: 9000, serviceMost: 5000 })
  expect(keys.wait).toBeCloseTo((999 * 100 + 9000) / 1000)
  expect(keys.service).toBeCloseTo((999 * 50 + 5000) / 1000)
  expect(keys.rate).toBeCloseTo(1000, -1)
  expect(waits[0]).toMatchObject({ vector: 0xf1 })
  expect(waits[1]).toMatchObject({ raised: 500_000_000, delivered: 500_009_000 })
  expect(services[0]).toMatchObject({ raised: 700_000_000 })
  expect(latest.map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, i) => 1000 - i))
  expect(open).toMatchObject([{ vector: 0xf1, cpu: 3, delivered: 999_500_100 }])
  // The rare one among the frequent, when it is asked for.
  const ipi = ways.find(({ vector }) => vector === 0xf1)!
  ledger.hear(keyboard(1_000_000_000, 100, 50))
  expect(ledger.summary(1_001_000_000, new Set([ipi.id])).latest.map(({ vector }) => vector)).toEqual([0xf1])
})

test('after a gap nothing is said to wait that may have been taken unseen', () => {
  const ledger = new InterruptLedger()
  ledger.hear([route(10, L.PATH_IPI, 0, 0x40, 1n), accept(11, 0x40, 1)])
  expect(ledger.summary(100).open.length).toBe(1)
  ledger.gap()
  expect(ledger.summary(100).open).toEqual([])
})

function apics(cpus: number) {
  const core = new ApicCore(cpus)
  for (const cpu of core.cpus) cpu.enable()
  core.header32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_PATH)
  const view = new DataView(core.memory.buffer)
  const events = () => core.cpus.flatMap((_, n) => pathEvents(view, L.VCPUS + n * L.VCPU_STRIDE))
  return { core, view, events }
}

test('INIT and start-up IPIs, NMIs, and messages that mean nobody are told with their mode', () => {
  const { core, events } = apics(2)
  const send = (destination: number, command: number) => {
    core.cpus[0]!.write(0x310, destination << 24)
    core.cpus[0]!.write(0x300, command)
  }
  send(1, 0x4500)
  send(1, 0x4608)
  send(1, 0x0400)
  send(9, 0x4608)
  send(9, 0x0055)
  const told = interruptFlows(events()).map(({ message, vector, cpu, nobody }) => ({
    ...{ message, vector, cpu, nobody },
  }))
  expect(told).toEqual([
    { message: 'INIT', vector: 0, cpu: 1, nobody: undefined },
    { message: 'start-up', vector: 8, cpu: 1, nobody: undefined },
    { message: 'NMI', vector: 0, cpu: 1, nobody: undefined },
    { message: 'start-up', vector: 8, cpu: undefined, nobody: true },
    { message: undefined, vector: 0x55, cpu: undefined, nobody: true },
  ])
})

test('the controllers as they are programmed', () => {
  const { core, view } = apics(3)
  const memory = {
    view,
    cpuCount: 3,
    cpu32: (cpu: number, offset: number) => view.getUint32(L.VCPUS + cpu * L.VCPU_STRIDE + offset, true),
    cpu64: (cpu: number, offset: number) => view.getBigUint64(L.VCPUS + cpu * L.VCPU_STRIDE + offset, true),
  } as unknown as MachineMemory
  core.initialisePic(0xfffb)
  core.redirect(2, 0x31, 1)
  core.redirect(9, 0x39, 7)
  const { ioapic, pic, cpus } = interruptControllers(memory)
  expect(ioapic[2]).toMatchObject({ line: 0, masked: false, vector: 0x31, cpus: [1], level: false })
  expect(ioapic[9]).toMatchObject({ line: 9, masked: false, vector: 0x39, cpus: [] })
  expect(ioapic[0]).toMatchObject({ masked: true })
  expect(ioapic[16]).toMatchObject({ line: 16, high: true })
  expect(pic.filter(({ masked }) => !masked).map(({ irq }) => irq)).toEqual([2])
  expect(pic[9]).toMatchObject({ vector: 0x29 })
  expect(cpus.map(({ apic }) => [apic.id, apic.enabled])).toEqual([
    [0, true],
    [1, true],
    [2, true],
  ])
  core.cpus[0]!.write(0x310, 2 << 24)
  core.cpus[0]!.write(0x300, 0x66)
  expect(interruptControllers(memory).cpus[2]!.apic.requested).toEqual([0x66])
})
