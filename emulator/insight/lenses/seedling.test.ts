// Seedling through its lens, against what it prints of itself.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openMedium } from '../../media/medium'
import { defaultConfig, type Machine, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import { SymbolFile } from '../symbols/symbol-file'
import { placeText } from '../symbols/symbols'
import { elfKernel, type Kernel } from './kernel'
import { openLens } from './find-lens'
import { freeSpace } from './free-space'
import type { Lens } from './lens'
import { frameCaller, missingSymbols, readCacheSlabs, readLens } from './read-lens'

const guest = (name: string) =>
  fileURLToPath(new URL(`../../../assets/guests/seedling/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ringside-lens-test-'))
let file: SymbolFile
let kernel: Kernel
let lens: Lens
let machine: Machine | undefined

beforeAll(() => {
  file = new SymbolFile(guest('seedling.elf'))
  kernel = elfKernel(file.symbols, (address) => {
    const place = file.symbols.at(address)
    return place && placeText(place)
  })
  const found = openLens(guest('seedling.lens.json'))
  if (!found || !('lens' in found)) throw new Error(`the lens cannot be read: ${found?.problem}`)
  lens = found.lens
})
afterAll(() => {
  file.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** Boots with a boot line until COM1 says `until`, or to its end, and stops there. @returns all it has said */
async function runUntil(line: string, until: string | undefined, cpus = 1): Promise<string> {
  const bytes = readFileSync(guest('seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const path = join(folder, 'seedling.img')
  writeFileSync(path, bytes)
  const started = await createMachine({
    ...defaultConfig(),
    ...{ memory: 64 * MIB, pace: false, cpus, drives: [{ slot: 'hda', medium: openMedium(path) }] },
  })
  machine = started
  let text = ''
  await new Promise<void>((resolve, reject) => {
    started.on('serial', ({ port, bytes }) => {
      if (port === 0) text += Buffer.from(bytes).toString('latin1')
      if (until !== undefined && text.includes(until)) resolve()
    })
    started.on('stopped', ({ reason }) =>
      until === undefined && reason === 'power-off' ? resolve() : reject(new Error(text)),
    )
    started.run()
  })
  await started.pause()
  return text
}

/** The numbers behind a word at the begin of a line, the last time it was printed. */
const line = (text: string, word: string): string =>
  text
    .split('\n')
    .filter((each) => each.startsWith(word))
    .at(-1) ?? ''

const COMMANDS = 'stress,3000;player,swiss;frames;slab;ps'

describe.each(['buddy', 'bitmap'])('%s', (allocator) => {
  test('frames and slab caches are what the kernel prints', async () => {
    // It powers off behind the last command: on a busy host a pause would find the shell that comes after it.
    const text = await runUntil(`frames=${allocator} run=${COMMANDS};off`, undefined)
    expect(missingSymbols(lens, kernel)).toEqual([])
    const { memory } = machine!
    const reading = readLens(memory, kernel, lens)
    expect(reading.troubles).toEqual([])
    const [, printed, total, largest] =
      /allocator: \w+, (\d+) of (\d+) frames free, largest block of order (\d+)/.exec(text)!
    const space = freeSpace(reading.frames)
    expect(space.free).toBe(Number(printed))
    expect(space.free + space.used).toBe(Number(total))
    expect(space.largest).toBe(Number(largest))
    // Each use with its number of frames.
    const uses = new Map<string, number>()
    for (const use of reading.frames.use) {
      const { name } = reading.frames.uses[use]!
      uses.set(name, (uses.get(name) ?? 0) + 1)
    }
    const word = (name: string) => (name === 'table' ? 'page table' : name)
    let compared = 0
    for (const [name, frames] of uses) {
      if (name === 'reserved' || name === 'unknown') continue
      expect(
        line(text, `  ${word(name).padEnd(12)} `)
          .trim()
          .split(/\s+/)
          .at(-1),
        name,
      ).toBe(String(frames))
      compared++
    }
    expect(compared).toBeGreaterThan(4)

    expect(reading.allocators.map(({ kind }) => kind)).toEqual([allocator])
    const [found] = reading.allocators
    expect(found!.free).toBe(Number(printed))
    expect(found!.claimed).toBe(Number(printed))
    expect(found!.disagreements).toBe(0)
    if (allocator === 'buddy') {
      const blocks = line(text, '  free  ').trim().split(/\s+/).slice(1).map(Number)
      expect(found!.blocks).toEqual(blocks)
      expect(found!.claimedBlocks).toEqual(blocks)
      expect(space.blocks).toEqual(blocks)
    }

    const rows = text.slice(text.lastIndexOf('cache  ')).split('\n').slice(1)
    expect(reading.caches.length).toBeGreaterThan(8)
    for (const [i, { name, size, perSlab, order, slabs, inUse, claimed }] of reading.caches.entries()) {
      const numbers = rows[i]!.slice(16).trim().split(/\s+/).map(Number)
      expect(rows[i]!.slice(0, 16).trim()).toBe(name)
      expect([size, perSlab, order, slabs, inUse], name).toEqual(numbers.slice(0, 5))
      expect(claimed).toBe(inUse)
      const details = readCacheSlabs(memory, kernel, lens, i, 1000)
      expect(details.length).toBe(slabs)
      const frames = reading.frames.cache.filter((cache) => cache === i + 1).length
      expect(frames).toBe(slabs * 2 ** order)
    }
    const slabFrames = reading.frames.cache.filter((cache) => cache > 0).length
    expect(slabFrames).toBe(uses.get('slab'))

    for (const { id, name } of reading.tasks) expect(text).toMatch(new RegExp(`\\b${id} +${name}\\b`))
    expect(reading.tasks.length).toBeGreaterThan(2)
    expect(reading.current.length).toBe(1)

    // Who asked: a return address behind a call in the kernel.
    const user = reading.frames.uses.findIndex(({ name }) => name === 'table')
    const caller = frameCaller(memory, kernel, lens, reading.frames.use.lastIndexOf(user))
    expect(kernel.label(caller!)).toMatch(/^\w+\+[0-9A-F]+h$/)
  })
})

test('looking changes nothing, and before the kernel is there it is said', async () => {
  await runUntil('run=frames;help', 'switch off', 2)
  const before = await machine!.stateHash()
  const reading = readLens(machine!.memory, kernel, lens)
  expect(reading.current.length).toBe(2)
  expect(await machine!.stateHash()).toBe(before)
  await machine!.reset()
  await machine!.pause()
  const early = readLens(machine!.memory, kernel, lens)
  expect(early.frames.use.every((use) => use === 0)).toBe(true)
  expect(early.troubles.length).toBeGreaterThan(0)
})
