import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import * as L from '../../core/layout'
import { openDirectBoot } from '../../firmware/direct-boot/files'
import { defaultConfig, type Machine, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import { createMemory } from '../../machine/memory'
import { openLens } from '../lenses/find-lens'
import { freeSpace } from '../lenses/free-space'
import { elfKernel } from '../lenses/kernel'
import { readLens } from '../lenses/read-lens'
import { SymbolFile } from '../symbols/symbol-file'
import { AllocationLedger } from './allocation-ledger'
import { EventReader } from './event-reader'
import {
  ALL_CLASSES,
  classOf,
  type EventFilter,
  type EventRecord,
  EventSelection,
  EventTable,
} from './event-table'
import { eventWords } from './event-words'

const guest = (name: string) =>
  fileURLToPath(new URL(`../../../assets/guests/seedling/${name}`, import.meta.url))
let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})
const record = (time: number, kind: number, cpu = 0): EventRecord => ({
  ...{ time, retired: time, kind, cpu, a: 0, b: 0n, c: 0n, d: 0n, e: 0n, name: '' },
})

test('a selection that is kept up to date is what selecting anew gives', () => {
  const table = new EventTable(4096)
  const kinds = [L.EVENT_KIND_EXCEPTION, L.EVENT_KIND_PORT, L.EVENT_KIND_DISK]
  let n = 0
  const more = (count: number) => {
    for (; count > 0; count--, n++) table.append(record(n * 10, kinds[(n * n + (n >> 3)) % 3]!, n % 3))
  }
  more(100)
  const filters: EventFilter[] = [
    { classes: L.EVENT_CLASS_EXCEPTION },
    { classes: L.EVENT_CLASS_PORT | L.EVENT_CLASS_DISK, cpu: 1 },
    { classes: ALL_CLASSES, from: 500, to: 90_000 },
    { classes: 0 },
  ]
  const selections = filters.map((filter) => new EventSelection(table, filter))
  // Within a block, past the capacity, past it by more than all of it, and emptied.
  for (const count of [0, 1, 700, 4000, 9000, 20_000, -1, 10]) {
    if (count < 0) table.clear()
    more(count)
    selections.forEach((selection, i) => {
      selection.update()
      const anew = table.select(filters[i]!)
      expect(selection.count).toBe(anew.length)
      expect(selection.slice(0, anew.length)).toEqual(anew)
    })
  }
})

test('the oldest events fall out, and the rest is found by time, class and CPU', () => {
  const table = new EventTable(1024)
  for (let i = 0; i < 3000; i++)
    table.append({
      ...record(i, i % 3 === 0 ? L.EVENT_KIND_EXCEPTION : L.EVENT_KIND_PORT, i & 1),
      name: i === 2999 ? 'x' : '',
    })
  expect([table.first, table.next]).toEqual([3000 - 1024, 3000])
  expect(table.after(2500)).toBe(2500)
  expect(table.after(0)).toBe(table.first)
  const exceptions = table.select({ classes: L.EVENT_CLASS_EXCEPTION })
  expect(exceptions).toEqual(Array.from({ length: 1024 }, (_, i) => 1976 + i).filter((i) => i % 3 === 0))
  expect(table.select({ classes: ALL_CLASSES, cpu: 1, from: 2000, to: 2010 })).toEqual([
    2001, 2003, 2005, 2007, 2009,
  ])
  expect(table.select({ classes: L.EVENT_CLASS_DISK })).toEqual([])
  expect(table.at(2999)).toMatchObject({ time: 2999, name: 'x' })
})

test('a ring that ran over loses its oldest, and it is counted', () => {
  const memory = createMemory(1 << 20, 1)
  const reader = new EventReader(memory, new EventTable(32768))
  const ring = memory.cpuBlock(0) + L.CPU_EVENTS
  const next = (memory.cpuBlock(0) + L.CPU_EVENTS_NEXT) / 8
  const write = (count: number) => {
    for (let i = 0; i < count; i++) {
      const n = Number(memory.u64[next]!)
      const at = ring + (n % L.EVENT_COUNT) * L.EVENT_SIZE
      memory.view.setUint16(at + L.EVENT_KIND, L.EVENT_KIND_PORT, true)
      memory.view.setUint32(at + L.EVENT_A, n, true)
      memory.u64[next] = BigInt(n + 1)
    }
  }
  write(100)
  expect(reader.take().map(({ a }) => a)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  write(L.EVENT_COUNT + 50)
  const events = reader.take()
  // The slot being written while it is read is not believed.
  expect(events.length + reader.table.lost).toBe(L.EVENT_COUNT + 50)
  expect(reader.table.lost).toBeGreaterThanOrEqual(50)
  expect(events.at(-1)!.a).toBe(100 + L.EVENT_COUNT + 49)
  expect(reader.lossUntil).toBeGreaterThanOrEqual(events.at(-1)!.time)
  memory.u64[next] = 3n
  expect(reader.take()).toEqual([])
})

test('a time that is known stays as it is, and estimates lie between those around them', () => {
  const memory = createMemory(1 << 20, 1)
  const reader = new EventReader(memory, new EventTable(1024))
  const block = memory.cpuBlock(0)
  const write = (kind: number, retired: number, time: number) => {
    const n = Number(memory.u64[(block + L.CPU_EVENTS_NEXT) / 8]!)
    const at = block + L.CPU_EVENTS + n * L.EVENT_SIZE
    memory.view.setUint16(at + L.EVENT_KIND, kind, true)
    memory.view.setBigUint64(at + L.EVENT_RETIRED, BigInt(retired), true)
    memory.view.setBigUint64(at + L.EVENT_C, BigInt(time), true)
    memory.u64[(block + L.CPU_EVENTS_NEXT) / 8] = BigInt(n + 1)
  }
  // The CPU sleeps for 8 ms and works for a moment, then: of what it does in that moment, nothing is said at 4 ms.
  write(L.EVENT_KIND_PORT, 10, 0)
  write(L.EVENT_KIND_LINE, 20, 8_000_000)
  write(L.EVENT_KIND_PORT, 30, 0)
  write(L.EVENT_KIND_EOI, 40, 8_000_100)
  write(L.EVENT_KIND_PORT, 50, 0)
  memory.u64[(block + L.CPU_RETIRED) / 8] = 60n
  memory.setHeader64(L.HDR_CLOCK_NOW, 9_000_100n)
  expect(reader.take(true).map(({ time }) => time)).toEqual([
    4_000_000, 8_000_000, 8_000_050, 8_000_100, 8_500_100,
  ])
})

test('a ledger of frames: blocks, who asked, double frees', () => {
  const ledger = new AllocationLedger()
  const say = (a: number, address: number, bytes: number, time: number) =>
    ledger.hear({ ...record(time, L.EVENT_KIND_GUEST), a, b: BigInt(address), c: BigInt(bytes), e: 0x1234n })
  say(2, 0x9000, 4096, 1)
  expect(ledger).toMatchObject({ unknown: 1, live: 0 })
  say(1, 0x8000, 0x4000, 2)
  expect(ledger.frame(0xb)).toMatchObject({
    what: 'allocated',
    by: { bytes: 0x4000, time: 2, caller: 0x1234n },
  })
  expect(ledger.frame(0xc)).toBeUndefined()
  say(2, 0x8000, 0x4000, 3)
  expect(ledger.frame(8)).toMatchObject({ what: 'freed' })
  say(2, 0x8000, 0x4000, 4)
  expect(ledger.doubleFrees).toMatchObject([{ address: 0x8000n, again: { time: 4 }, before: { time: 3 } }])
  say(1, 0x8000, 0x8000, 5)
  for (let page = 0; page < 8; page++) say(2, 0x8000 + page * 4096, 4096, 6)
  expect(ledger.framesAllocated).toBe(0)
  expect(ledger.doubleFrees.length).toBe(1)
})

test('where events were lost nothing is said to be freed twice', () => {
  const ledger = new AllocationLedger()
  const say = (a: number, time: number) =>
    ledger.hear({ ...record(time, L.EVENT_KIND_GUEST), a, b: 0x8000n, c: 4096n })
  say(2, 1)
  // What another CPU allocated at 11 is missing, and was told of before this CPU's events of that time were heard.
  ledger.gap(20)
  say(2, 10)
  say(2, 12)
  expect(ledger.doubleFrees).toEqual([])
  say(2, 30)
  expect(ledger.doubleFrees).toEqual([])
  say(2, 31)
  expect(ledger.doubleFrees).toMatchObject([{ again: { time: 31 }, before: { time: 30 } }])
})

/** Seedling, watched from power-on until it prints something. */
async function watched(append: string, until: string, cpus: number) {
  const direct = openDirectBoot(guest('seedling.elf'), [guest('initrd.tar')], append)
  const started = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, cpus, direct })
  machine = started
  const table = new EventTable()
  const reader = new EventReader(started.memory, table)
  const ledger = new AllocationLedger()
  started.watchEvents(L.EVENT_CLASS_GUEST | L.EVENT_CLASS_EXCEPTION | L.EVENT_CLASS_PATH)
  let text = ''
  started.on('serial', ({ port, bytes }) => {
    if (port === 0) text += Buffer.from(bytes).toString('latin1')
  })
  // No ring runs over, however little of the host this thread gets.
  while (!text.includes(until)) {
    const { reason } = await started.step(100_000, 'all')
    for (const event of reader.take()) ledger.hear(event)
    if (reason !== 'step') break
  }
  for (const event of reader.take(true)) ledger.hear(event)
  return { text, table, ledger }
}

test.each([1, 4])('what Seedling says of its allocations adds up, %i CPU(s)', async (cpus) => {
  const { table, ledger } = await watched('run=stress,500;help', 'switch off', cpus)
  expect(table.lost).toBe(0)
  expect(ledger.doubleFrees).toEqual([])
  const file = new SymbolFile(guest('seedling.elf'))
  const found = openLens(guest('seedling.lens.json'))
  if (!found || !('lens' in found)) throw new Error('the lens cannot be read')
  const reading = readLens(
    machine!.memory,
    elfKernel(file.symbols, () => undefined),
    found.lens,
  )
  // Every frame that is used now was said to be allocated.
  expect(ledger.framesAllocated).toBe(freeSpace(reading.frames).used)
  expect(ledger.pools.get(0n)).toBe('frames')
  // Every object in use of a cache too.
  const names = new Map([...ledger.pools].map(([pool, name]) => [name, pool]))
  expect(reading.caches.length).toBeGreaterThan(8)
  for (const { name, inUse } of reading.caches)
    expect([...ledger.allocated(names.get(name) ?? -1n)].length, name).toBe(inUse)
  // In one order, with the caller's name.
  const first = table.select({ classes: L.EVENT_CLASS_GUEST }).map((n) => table.at(n))
  const allocation = first.find(({ a }) => a === 1)!
  expect(file.symbols.at(eventWords(allocation, ledger.pools).code!)?.name).toMatch(/^\w+$/)
  file.close()
  for (let n = table.first + 1; n < table.next; n++)
    expect(table.at(n).time).toBeGreaterThanOrEqual(table.at(n - 1).time)
  for (const n of table.select({ classes: L.EVENT_CLASS_PATH }))
    expect(table.at(n).time).toBe(Number(table.at(n).c))
  const kinds = new Set(first.map((event) => eventWords(event, ledger.pools).what))
  for (const what of ['allocate', 'free', 'pool', 'task']) expect(kinds).toContain(what)
  const interrupts = table.select({ classes: L.EVENT_CLASS_PATH })
  expect(interrupts.length).toBeGreaterThan(3)
  expect(classOf(table.at(interrupts[0]!).kind)).toBe(L.EVENT_CLASS_PATH)
})

test('watching does not change what the guest does', async () => {
  const hash = async (watch: boolean) => {
    const direct = openDirectBoot(guest('seedling.elf'), [guest('initrd.tar')], 'run=frames;off')
    machine = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, cpus: 2, direct })
    if (watch) machine.watchEvents(ALL_CLASSES)
    machine.run()
    await machine.whenStopped()
    while (machine.state === 'running') await new Promise((done) => setTimeout(done, 5))
    const { instructions } = machine.stopInfo!
    const value = await machine.stateHash()
    await machine.dispose()
    machine = undefined
    return `${instructions} ${value}`
  }
  expect(await hash(true)).toBe(await hash(false))
})

test('Seedling’s double free is told as it happens', async () => {
  const { ledger } = await watched('run=fault,double-free;help', 'switch off', 1)
  const pools = ledger.doubleFrees.map(({ pool }) => ledger.pools.get(pool))
  expect(pools).toContain('frames')
  expect(pools).toContain('kmalloc-64')
})
