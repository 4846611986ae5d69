// Function probes over Seedling: what they see, against what the kernel says itself by the debug port, on one CPU and several, in
// both schedules; its faults; and that nothing of the guest changes.
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, expect, test } from 'vitest'
import * as L from '../../core/layout'
import { openDirectBoot } from '../../firmware/direct-boot/files'
import { defaultConfig, type Machine, type MachineConfig, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import { openLens } from '../lenses/find-lens'
import { viewOfKernel } from '../lenses/guest-view'
import { elfKernel } from '../lenses/kernel'
import { lensProbes, POOL_FRAMES } from '../lenses/probes'
import { readLens } from '../lenses/read-lens'
import { Reader } from '../lenses/reader'
import { SymbolFile } from '../symbols/symbol-file'
import { AllocationLedger } from './allocation-ledger'
import { EventReader } from './event-reader'
import { EventTable } from './event-table'
import { eventWords } from './event-words'

const guest = (name: string) =>
  fileURLToPath(new URL(`../../../assets/guests/seedling/${name}`, import.meta.url))
const file = new SymbolFile(guest('seedling.elf'))
const found = openLens(guest('seedling.lens.json'))
if (!found || !('lens' in found)) throw new Error('the lens cannot be read')
const { lens } = found
const nameAt = (address: bigint) => file.symbols.at(address)?.name
const kernel = elfKernel(file.symbols, nameAt)
afterAll(() => file.close())

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** Seedling, probed from power-on until it says `until` or ends. */
async function probed(append: string, until: string, config: Partial<MachineConfig> = {}) {
  const direct = openDirectBoot(guest('seedling.elf'), [guest('initrd.tar')], append)
  const started = await createMachine({
    ...defaultConfig(),
    memory: 32 * MIB,
    pace: false,
    direct,
    ...config,
  })
  machine = started
  const table = new EventTable()
  const reader = new EventReader(started.memory, table)
  const lensReader = new Reader(viewOfKernel(started.memory), kernel)
  const probes = lensProbes(lensReader, lens.probes ?? [])
  expect(lensReader.troubles).toEqual([])
  started.watchEvents(L.EVENT_CLASS_GUEST | L.EVENT_CLASS_PROBE)
  started.setProbes(probes, lensReader.big(lens.directMap!))
  const port = new AllocationLedger()
  const calls = new AllocationLedger(probes)
  let lost = 0
  const take = (all = false) => {
    const events = reader.take(all)
    // Of what a busy host had no time to take nobody knows what it was.
    if (table.lost !== lost) {
      lost = table.lost
      port.gap(reader.lossUntil)
      calls.gap(reader.lossUntil)
    }
    for (const event of events) {
      port.hear(event)
      calls.hear(event)
    }
  }
  const timer = setInterval(take, 2)
  let text = ''
  await new Promise<void>((resolve) => {
    started.on('serial', ({ port, bytes }) => {
      if (port === 0) text += Buffer.from(bytes).toString('latin1')
      if (text.includes(until)) resolve()
    })
    started.on('stopped', () => resolve())
    started.run()
  })
  await started.pause()
  clearInterval(timer)
  take(true)
  return { text, table, port, calls, probes }
}

test.each([{ cpus: 1 }, { cpus: 4 }, { cpus: 2, schedule: 'parallel' as const }])(
  'the probes see what the kernel says, %o',
  async (config) => {
    const { port, calls, table, probes } = await probed('run=stress,500;help', 'switch off', config)
    expect(calls.doubleFrees).toEqual([])
    expect(calls.usesAfterFree).toEqual([])
    expect(port.allocations).toBeGreaterThan(100)
    const { frames } = readLens(machine!.memory, kernel, lens)
    let same = 0
    let stacks = 0
    for (const [frame, { what, by }] of port.frames()) {
      const seen = calls.frame(frame)
      expect(seen, `frame ${frame}`).toMatchObject({ what, by: { address: by.address, bytes: by.bytes } })
      // The kernel tells its caller by __builtin_return_address(0).
      expect(seen!.by.caller).toBe(by.caller)
      // Within the call: a probe hears of a free before the kernel does, of an allocation after it.
      if (what === 'freed') expect(seen!.by.time).toBeLessThanOrEqual(by.time)
      else expect(seen!.by.time).toBeGreaterThanOrEqual(by.time)
      if (seen!.by.stack) stacks++
      same++
    }
    expect(same).toBeGreaterThan(100)
    expect(stacks).toBeGreaterThan(same / 2)
    // What the kernel takes before it has an allocator it does not report, and never gives back.
    for (const [frame, { what }] of calls.frames())
      if (!port.frame(frame))
        expect([what, frames.uses[frames.use[frame]!]!.kind]).toEqual(['allocated', 'reserved'])
    // Every object of every cache.
    const objects = new Set<bigint>()
    for (const pool of port.pools.keys())
      if (pool !== POOL_FRAMES) for (const { address } of port.allocated(pool)) objects.add(address)
    const slab = probes.find(({ poolName }) => poolName === 'slab objects')!.pool
    expect(new Set([...calls.allocated(slab)].map(({ address }) => address))).toEqual(objects)
    // In words, with the caller's name.
    const events = table.select({ classes: L.EVENT_CLASS_PROBE }).map((n) => table.at(n))
    const words = eventWords(events.at(-1)!, calls.pools, probes)
    expect(words.what).toMatch(/^(allocate|free)$/)
    expect(nameAt(words.code!)).toMatch(/^\w+$/)
  },
)

test('a use after free is told with who used it and who had freed it', async () => {
  const { calls, table, probes } = await probed('run=fault,use-after-free;help', 'switch off')
  expect(calls.usesAfterFree.length).toBe(1)
  const [use] = calls.usesAfterFree
  expect(use).toMatchObject({ write: true, linear: 0xffff_8000_0000_0028n + BigInt(use!.frame) * 4096n })
  expect(nameAt(use!.code)).toBe('use_after_free')
  expect(nameAt(use!.freed!.caller)).toBe('use_after_free')
  expect(use!.stack!.map(nameAt)).toContain('fault_command')
  const event = table
    .select({ classes: L.EVENT_CLASS_PROBE })
    .map((n) => eventWords(table.at(n), calls.pools, probes))
  expect(event.filter(({ bad }) => bad)).toMatchObject([{ what: 'use after free', physical: use!.address }])
})

test('double frees are told, each once', async () => {
  const { calls } = await probed('run=fault,double-free;help', 'switch off')
  const pools = calls.doubleFrees.map(({ pool }) => calls.pools.get(pool))
  expect(pools).toEqual(['frames', 'kmalloc'])
  for (const { again, before } of calls.doubleFrees) {
    expect(nameAt(again.caller)).toBe('double_free')
    expect(nameAt(before.caller)).toBe('double_free')
  }
  expect(calls.usesAfterFree).toEqual([])
})

test.each([1, 4])('of the self-test nothing false is claimed, %i CPU(s)', async (cpus) => {
  const { text, calls } = await probed('run=selftest;off panic=off ops=2000 unmappings=20 hz=1000', 'never', {
    cpus,
  })
  expect(text).toContain('SEEDLING-OK')
  expect(calls.usesAfterFree.map(({ code }) => nameAt(code))).toEqual([])
  expect(calls.doubleFrees.map(({ again }) => nameAt(again.caller))).toEqual([])
})

test('probing does not change what the guest does', async () => {
  const hash = async (probing: boolean) => {
    const direct = openDirectBoot(
      guest('seedling.elf'),
      [guest('initrd.tar')],
      'run=stress,300;frames;off poison',
    )
    machine = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, cpus: 2, direct })
    if (probing) {
      const reader = new Reader(viewOfKernel(machine.memory), kernel)
      machine.watchEvents(L.EVENT_CLASS_PROBE)
      machine.setProbes(lensProbes(reader, lens.probes ?? []), reader.big(lens.directMap!))
    }
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
