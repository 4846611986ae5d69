// Function probes over a guest whose calls are known one by one (assets/guests/tests/probes.asm).
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import * as L from '../core/layout'
import { EventReader } from '../insight/events/event-reader'
import { type EventRecord, EventTable } from '../insight/events/event-table'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine, MIB, physical } from './api'
import { createMachine } from './machine'
import type { Probe } from './probes'

const image = fileURLToPath(new URL('../../assets/guests/tests/probes.img', import.meta.url))
let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

const allocate = (linear: bigint): Probe => ({
  ...{ linear, event: 'allocate', address: { register: 'RAX' }, bytes: { stack: 1 }, unit: 1 },
})
const ALLOC = 0
const OUTER = 1
const ALLOC3 = 2
const THROW = 3
const PASCAL = 4
const RELEASE = 5
const PROBES: Probe[] = [
  ...[0x7d10n, 0x7d50n, 0x7d60n, 0x7d80n, 0x7d90n].map(allocate),
  { linear: 0x7db0n, event: 'free', address: { stack: 1 }, unit: 64 },
]

async function boot(): Promise<Machine> {
  const drives = [{ slot: 'hda' as const, medium: openMedium(image) }]
  machine = await createMachine({ ...defaultConfig(), memory: 4 * MIB, pace: false, drives })
  return machine
}

const told = ({ a, b, c }: EventRecord) => [a & 0xffff, (a >>> 16) & 0xff, Number(b), Number(c)]
const { PROBE_ALLOCATED: TAKEN, PROBE_FREED: GIVEN } = L

/** In the order in which they return. */
const EXPECTED = [
  // In the interrupt of the innermost call, then from there out.
  [ALLOC3, TAKEN, 0x10a000, 10],
  ...[0, 1, 2, 3].map((n) => [ALLOC, TAKEN, 0x100000 + n * 0x1000, n]),
  // Both return at once, the one that was entered last first.
  [ALLOC3, TAKEN, 0x114000, 20],
  [OUTER, TAKEN, 0x114000, 20],
  // Nothing of the one that never returned.
  [ALLOC3, TAKEN, 0x11e000, 30],
  [PASCAL, TAKEN, 0x128000, 40],
  [RELEASE, GIVEN, 0x140000, 64],
]

test('recursion, interrupts, jumps, a call that never returns and RET n are told apart', async () => {
  const guest = await boot()
  const reader = new EventReader(guest.memory, new EventTable(512))
  guest.watchEvents(L.EVENT_CLASS_PROBE)
  guest.setProbes(PROBES)
  guest.run()
  await guest.whenStopped()
  const events = reader.take(true)
  expect(events.map(told)).toEqual(EXPECTED)
  // The recursive calls have one return address, the outermost another one.
  const callers = events.filter(({ a }) => (a & 0xffff) === ALLOC).map(({ d }) => d)
  expect(new Set(callers.slice(0, 3)).size).toBe(1)
  expect(callers[3]).not.toBe(callers[0])
  expect(THROW).toBe(3)
})

test('step by step it is the same', async () => {
  const guest = await boot()
  await guest.runUntil(0x7c00n as Parameters<Machine['runUntil']>[0])
  const reader = new EventReader(guest.memory, new EventTable(512))
  guest.watchEvents(L.EVENT_CLASS_PROBE)
  guest.setProbes(PROBES)
  for (let i = 0; i < 400 && guest.state === 'paused'; i++) await guest.step(1)
  expect(reader.take(true).map(told)).toEqual(EXPECTED)
})

test('probes end when there are none, and come back after a reset', async () => {
  const guest = await boot()
  const reader = new EventReader(guest.memory, new EventTable(512))
  guest.watchEvents(L.EVENT_CLASS_PROBE)
  guest.setProbes(PROBES)
  guest.setProbes([])
  guest.run()
  await guest.whenStopped()
  expect(reader.take(true)).toEqual([])
  guest.setProbes(PROBES)
  await guest.reset()
  const again = new EventReader(guest.memory, new EventTable(512))
  guest.run()
  await guest.whenStopped()
  expect(again.take(true).map(told)).toEqual(EXPECTED)
})

test('a list that is freed is told link by link', async () => {
  const guest = await boot()
  await guest.runUntil(0x7c00n as Parameters<Machine['runUntil']>[0])
  // What RELEASE is given is the head: two links, and back.
  const link = async (at: number, next: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(next)
    await guest.writePhysical(physical(at), bytes)
  }
  // The guest leaves A20 as it is: off, so that the head lies 1 MiB lower.
  await link(0x040000, 0x050000)
  await link(0x050000, 0x051000)
  await link(0x051000, 0x140000)
  const reader = new EventReader(guest.memory, new EventTable(512))
  guest.watchEvents(L.EVENT_CLASS_PROBE)
  const list = PROBES.map((probe) => (probe.event === 'free' ? { ...probe, list: true } : probe))
  guest.setProbes(list)
  guest.run()
  await guest.whenStopped()
  const given = () => reader.take(true).filter(({ a }) => ((a >>> 16) & 0xff) === GIVEN)
  expect(given().map(told)).toEqual([
    [RELEASE, GIVEN, 0x050000, 64],
    [RELEASE, GIVEN, 0x051000, 64],
  ])
})
