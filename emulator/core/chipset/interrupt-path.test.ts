// The path of an interrupt as the core reports it, and as insight puts it together.
import { expect, test } from 'vitest'
import { ApicCore } from '../testing/apic'
import * as L from '../layout'
import { interruptFlows, pathEvents } from '../../insight/interrupt-flow'

function machine(cpus: number) {
  const core = new ApicCore(cpus)
  for (const cpu of core.cpus) cpu.enable()
  core.header32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_PATH)
  const view = new DataView(core.memory.buffer)
  const flows = () =>
    interruptFlows(core.cpus.flatMap((_, n) => pathEvents(view, L.VCPUS + n * L.VCPU_STRIDE)))
  return { core, flows }
}
/** The timer's next tick, in `ns`. */
const timer = (core: ApicCore) => {
  core.out8(0x43, 0x34)
  core.out8(0x40, 0xa9)
  core.out8(0x40, 0x04)
}

/** Time passes from one deadline to the next, as it does for the engine. */
const run = (core: ApicCore, until: number) => {
  while (core.time + (core.untilDeadline ?? until) <= until) core.skipToDeadline()
  core.pass(until - core.time)
}

test('timer, I/O APIC, second CPU: raised, routed, accepted, delivered, ended', () => {
  const { core, flows } = machine(2)
  core.redirect(2, 0x31, 1)
  timer(core)
  run(core, 1_500_000)
  core.time += 100
  expect(core.cpus[1]!.take()).toBe(0x31)
  core.time += 900
  core.cpus[1]!.write(0xb0, 0)
  const flow = flows().find(({ vector }) => vector === 0x31)!
  expect(flow).toMatchObject({
    route: { by: 'ioapic', input: 2, destination: 1 },
    line: 0,
    level: false,
    cpu: 1,
    delivered: BigInt(core.time) - 900n,
    ended: BigInt(core.time),
  })
  expect(flow.raised).toBeLessThanOrEqual(flow.routed!)
  expect(flow.routed).toBeLessThanOrEqual(flow.accepted!)
  expect(flow.accepted).toBeLessThanOrEqual(flow.delivered!)
  // The line rose with the timer's period of 1193 pulses.
  expect(Number(flow.raised) / 1e6).toBeCloseTo(1, 2)
})

test('the 8259 by virtual wire', () => {
  const { core, flows } = machine(1)
  core.initialisePic(0xfffe)
  core.cpus[0]!.write(0x350, 0x700)
  timer(core)
  core.pass(1_500_000)
  expect(core.cpus[0]!.take()).toBe(0x20)
  core.time += 50
  core.out8(0x20, 0x20)
  expect(flows().find(({ vector }) => vector === 0x20)).toMatchObject({
    route: { by: 'pic', irq: 0 },
    line: 0,
    cpu: 0,
    delivered: BigInt(core.time) - 50n,
    ended: BigInt(core.time),
  })
})

test('IPIs have no line; a vector that is already requested is one interrupt', () => {
  const { core, flows } = machine(2)
  for (let i = 0; i < 2; i++) {
    core.cpus[0]!.write(0x310, 0x01000000)
    core.cpus[0]!.write(0x300, 0x55)
    core.cpus[1]!.attend()
  }
  expect(core.cpus[1]!.takeAll()).toEqual([0x55])
  const seen = flows().filter(({ vector }) => vector === 0x55)
  expect(seen.map(({ route, cpu }) => ({ route, cpu }))).toEqual([
    { route: { by: 'ipi', from: 0 }, cpu: 1 },
    { route: { by: 'ipi', from: 0 }, cpu: 1 },
  ])
  expect(seen.filter(({ delivered }) => delivered !== undefined)).toHaveLength(1)
})

test('a broadcast is an interrupt of each CPU it reaches; to itself too', () => {
  const { core, flows } = machine(3)
  core.cpus[2]!.write(0x300, 0x800a1) // all, itself included
  for (const cpu of [...core.cpus].reverse()) expect(cpu.takeAll()).toEqual([0xa1])
  const seen = flows().filter(({ vector }) => vector === 0xa1)
  expect(seen.map(({ route, cpu }) => [route, cpu]).sort((x, y) => Number(x[1]) - Number(y[1]))).toEqual([
    [{ by: 'ipi', from: 2 }, 0],
    [{ by: 'ipi', from: 2 }, 1],
    [{ by: 'ipi', from: 2 }, 2],
  ])
  for (const { routed, accepted, delivered, ended } of seen) {
    expect([routed, accepted, delivered, ended].every((time) => time !== undefined)).toBe(true)
  }
})

test('what is local names its entry, a message of a device is one', () => {
  const { core, flows } = machine(2)
  const [cpu] = core.cpus
  cpu!.write(0x3e0, 11)
  cpu!.write(0x320, 0x91)
  cpu!.write(0x380, 1000)
  core.pass(2000)
  expect(cpu!.takeAll()).toEqual([0x91])
  core.exports.mmioWrite(0xfee01000n, 4, 0x92n)
  expect(core.cpus[1]!.takeAll()).toEqual([0x92])
  const route = (wanted: number) => flows().find(({ vector }) => vector === wanted)
  expect(route(0x91)).toMatchObject({ route: { by: 'local', source: 'timer' }, cpu: 0 })
  expect(route(0x92)).toMatchObject({ route: { by: 'msi' }, cpu: 1 })
})

test('off, nothing is written', () => {
  const { core, flows } = machine(1)
  core.header32(L.HDR_EVENT_CLASSES, 0)
  core.redirect(2, 0x31)
  timer(core)
  core.pass(1_500_000)
  expect(core.cpus[0]!.takeAll()).toEqual([0x31])
  expect(flows()).toEqual([])
})
