import { expect, test } from 'vitest'
import type { InterruptWay } from '../../../../preload/bridge'
import { flowGraph } from './flow-layout'
import { openWords } from './open-words'
import { rateText, storyOf } from './interrupt-words'

const way = (id: number, more: Partial<InterruptWay>): InterruptWay => ({
  ...{ id, route: { by: 'local', source: 'timer' }, vector: 0xe0, cpu: 0, count: 100, rate: 10 },
  ...{ wait: 0, waitMost: 0, service: 0, serviceMost: 0, ended: 0 },
  ...more,
})

test('ways share their rows, columns stand beside each other, and what is named stays where it is', () => {
  const ways = [
    ...[0, 1, 2, 3].map((cpu) => way(cpu, { cpu })),
    way(4, { route: { by: 'ioapic', input: 1, destination: 0 }, line: 1, vector: 0x31, count: 3 }),
    way(5, { route: { by: 'ipi', from: 2 }, vector: 0xf1, cpu: 3, count: 9 }),
    way(6, { route: { by: 'ipi', from: 0 }, vector: 8, message: 'start-up', nobody: true, count: 1 }),
  ]
  const graph = flowGraph(ways, 800)
  const column = (name: string) => graph.nodes.filter((node) => node.column === name).map(({ name }) => name)
  const sorted = (name: string) =>
    graph.nodes
      .filter((node) => node.column === name)
      .toSorted((a, b) => a.y - b.y)
      .map(({ name }) => name)
  expect(sorted('source')).toEqual(['IRQ 1 keyboard', 'APIC timer', 'CPU 0', 'CPU 2'])
  expect(sorted('target')).toEqual(['CPU 0', 'CPU 1', 'CPU 2', 'CPU 3', 'nobody'])
  expect(column('via').length).toBe(3)
  expect(graph.nodes.find(({ name }) => name === 'APIC timer')).toMatchObject({ count: 400, rate: 40 })
  for (const node of graph.nodes) expect(node.x + graph.nodeWidth).toBeLessThanOrEqual(800)
  // Counts change nothing but bands.
  const later = flowGraph(
    ways.map((one) => ({ ...one, count: one.count * 50 })),
    800,
  )
  expect(later.nodes.map(({ id, x, y }) => [id, x, y])).toEqual(graph.nodes.map(({ id, x, y }) => [id, x, y]))
  // Little room: three columns.
  expect(new Set(flowGraph(ways, 340).nodes.map(({ column }) => column))).toEqual(
    new Set(['source', 'vector', 'target']),
  )
})

test('the steps of an interrupt in words; a level that has been up for long did not just rise', () => {
  const one = {
    number: 1,
    vector: 0x31,
    route: { by: 'ioapic' as const, input: 1, destination: 0 },
    line: 1,
    cpu: 2,
  }
  expect(
    storyOf({ ...one, raised: 1000, routed: 1000, accepted: 1000, delivered: 3000, ended: 9000 }),
  ).toEqual([
    'IRQ 1 keyboard rose',
    'I/O APIC 1 sent it as vector 31h, 0 ns later',
    'accepted by the local APIC of CPU 2, 0 ns later',
    'taken by CPU 2, 2.00 µs later',
    'ended (EOI), 6.00 µs later',
  ])
  expect(storyOf({ ...one, raised: 1000, routed: 5_000_000, delivered: 5_000_000 })[0]).toMatch(
    /^I\/O APIC 1 sent/,
  )
  expect([rateText(0.1), rateText(3), rateText(100), rateText(1500), rateText(2e6)]).toEqual([
    ...['', '3.0/s', '100/s', '1.50 k/s', '2.00 M/s'],
  ])
})

test('what waits for long is told with what holds it up', () => {
  const apic = { mode: 'xAPIC' as const, enabled: true, id: 1, taskPriority: 0, logicalDestination: 0 }
  const timer = { mode: 'one-shot' as const, divide: 1, initial: 0 }
  const cpu = (enabled: boolean, inService: number[]) => ({
    ...{ cpu: 1, enabled, timerVector: 0, timerMasked: true },
    apic: { ...apic, requested: [0x40], inService, timer },
  })
  const told = (enabled: boolean, inService: number[], delivered?: number) =>
    openWords({
      now: 2e9,
      open: [
        {
          ...{ number: 0, vector: 0x40, route: { by: 'ipi', from: 0 }, cpu: 1, accepted: 1e9 },
          ...(delivered === undefined ? {} : { delivered }),
        },
      ],
      controllers: { ioapic: [], pic: [], pirqs: [], cpus: [cpu(enabled, inService)] },
    })
  expect(told(false, [])).toEqual([
    'CPU 0, vector 40h, waits for CPU 1 since 1.00 s: its interrupts are off (IF is clear)',
  ])
  expect(told(true, [0x50])[0]).toMatch(/vector 50h is in service$/)
  expect(told(true, [], 1.5e9)[0]).toMatch(/was taken by CPU 1 500.0 ms ago and has not been ended: no EOI$/)
  expect(told(true, [], 2e9 - 100)).toEqual([])
})
