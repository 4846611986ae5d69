// Guesses over kernels whose lens is withheld: Seedling with either allocator, and a kernel of one page with a list of free pages. What
// is read through a guess is what the kernel's own lens reads, or what the kernel says.
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { openDirectBoot } from '../../firmware/direct-boot/files'
import { defaultConfig, type Machine, type MachineConfig, MIB } from '../../machine/api'
import { createMachine } from '../../machine/machine'
import { openMedium } from '../../media/medium'
import { FrameObserver } from '../frames/frame-observer'
import { openLens } from '../lenses/find-lens'
import { viewOfKernel } from '../lenses/guest-view'
import { bareKernel, elfKernel } from '../lenses/kernel'
import { needsSymbols, parseLens } from '../lenses/lens'
import { readLens } from '../lenses/read-lens'
import { Reader } from '../lenses/reader'
import type { LensReading } from '../lenses/reading'
import { readStructure } from '../lenses/structure'
import { SymbolFile } from '../symbols/symbol-file'
import { guessAllocators } from './guess'

const guest = (name: string) => fileURLToPath(new URL(`../../../assets/guests/${name}`, import.meta.url))
let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** Until it says something, or stops. */
async function until(text: string, config: Partial<MachineConfig>): Promise<string> {
  const started = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, ...config })
  machine = started
  let said = ''
  await new Promise<void>((resolve) => {
    started.on('serial', ({ port, bytes }) => {
      if (port === 0) said += Buffer.from(bytes).toString('latin1')
      if (said.includes(text)) resolve()
    })
    started.on('stopped', () => resolve())
    started.run()
  })
  await started.pause()
  return said
}

function guesses() {
  const observer = new FrameObserver(machine!.memory)
  observer.look()
  return guessAllocators(machine!.memory, observer.map)
}

const freeFrames = ({ frames }: LensReading): number[] => {
  const found: number[] = []
  for (let frame = 0; frame < frames.count; frame++)
    if (frames.uses[frames.use[frame]!]!.kind === 'free') found.push(frame)
  return found
}

test.each([
  ['bitmap', 200],
  ['bitmap', 1000],
  ['buddy', 200],
  ['buddy', 3000],
] as const)(
  'Seedling’s %s is found after %i operations, and read as by its own lens',
  async (allocator, operations) => {
    // Powered off, it keeps its memory: the same moment in every run.
    const direct = openDirectBoot(
      guest('seedling/seedling.elf'),
      [guest('seedling/initrd.tar')],
      `frames=${allocator} run=stress,${operations};off`,
    )
    await until('never said', { direct })
    const found = guesses()
    expect(found.map(({ kind }) => kind)).toEqual([allocator])
    const [guess] = found
    expect(guess!.evidence.length).toBeGreaterThan(1)
    // As a file, and back.
    const lens = parseLens(JSON.stringify(guess!.lens))
    expect(needsSymbols(lens)).toBe(false)
    const { memory } = machine!
    const reading = readLens(memory, bareKernel(), lens)
    expect(reading.troubles).toEqual([])
    const file = new SymbolFile(guest('seedling/seedling.elf'))
    const own = openLens(guest('seedling/seedling.lens.json'))
    if (!own || !('lens' in own)) throw new Error('the lens cannot be read')
    const truth = readLens(
      memory,
      elfKernel(file.symbols, () => undefined),
      own.lens,
    )
    file.close()
    expect(freeFrames(truth).length).toBeGreaterThan(4000)
    expect(freeFrames(reading)).toEqual(freeFrames(truth))
    if (allocator === 'buddy') expect(reading.allocators[0]!.blocks).toEqual(truth.allocators[0]!.blocks)
    // How it lies in memory.
    const reader = new Reader(viewOfKernel(memory), bareKernel())
    const structure = readStructure(reader, lens.allocators![0]!, reading)
    expect(structure?.kind).toBe(allocator)
  },
)

test('a list of free pages is found in a kernel without paging', async () => {
  const said = await until('\r\n', {
    drives: [{ slot: 'hda', medium: openMedium(guest('tests/free-list.img')) }],
  })
  const [, count] = /free pages: (\d+)/.exec(said)!
  const found = guesses()
  expect(found.map(({ kind }) => kind)).toEqual(['free-list'])
  const lens = parseLens(JSON.stringify(found[0]!.lens))
  const reading = readLens(machine!.memory, bareKernel(), lens)
  expect(reading.allocators).toMatchObject([{ kind: 'free-list', free: Number(count) }])
  const reader = new Reader(viewOfKernel(machine!.memory), bareKernel())
  const structure = readStructure(reader, lens.allocators![0]!, reading)
  if (structure?.kind !== 'chain') throw new Error('no chain')
  expect(structure.frames.length).toBe(Number(count))
})

test('where there is nothing to find, nothing is', async () => {
  await until('Keyboard ready', {
    drives: [{ slot: 'hda', medium: openMedium(guest('tests/keyboard-echo.img')) }],
  })
  expect(guesses()).toEqual([])
})
