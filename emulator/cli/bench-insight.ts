// `ringside bench insight`: what the views of memory compute, at the sizes that they are made for.
import { parseArgs } from 'node:util'
import { searchNames } from '../insight/finder/finder'
import { FrameObserver } from '../insight/frames/frame-observer'
import { ReverseMap } from '../insight/frames/reverse-map'
import type { PagingControl } from '../insight/page-walk'
import { SymbolFile } from '../insight/symbols/symbol-file'
import { createMemory, type MachineMemory } from '../machine/memory'
import { linuxProbes, type ProbeCost, seedlingProbes } from './bench-probes'
import { OK, UsageError } from './usage'

const HELP = `usage: ringside bench insight [--elf FILE] [--probes] [--linux FOLDER] [--json]

Reverse map of a machine whose page tables map 4 GiB in 4 KiB pages (2^20 entries): from scratch, again with nothing changed,
and again with 100 entries in 10 tables changed. With --elf: symbols of that file, the first name and all types; and as
the window reads them, on another thread: until then, the longest that this one did not answer, and what both took of memory.

With --probes: what it costs the guest that calls of its allocator are told, in turns with none told: Seedling's fork storm. With
--linux FOLDER (vmlinuz and an initramfs.gz whose init says READY and starts a shell on ttyS0) also the boot of that Linux and a
shell that starts program after program.

exit status: 0, or 1 when a result is wrong
`

interface InsightRow {
  name: string
  milliseconds: number
  correct: boolean
  /** Of what is no time. */
  unit?: string
}

const PAGES = 2 ** 20
const PAGE_SIZE = 4096
const TABLES = PAGES / 512
/** Of the machine: the tables map its frames over and over. */
const MEMORY = 64 << 20
const ROOT = 16 << 20
const LONG: PagingControl = { cr0: 0x8000_0001n, cr3: BigInt(ROOT), cr4: 0x20n, efer: 0xd00n }

/** @param args behind `bench insight` */
export async function benchInsight(args: string[]): Promise<number> {
  const { help, elf, json, probes, linux } = parse(args)
  if (help) {
    process.stdout.write(HELP)
    return OK
  }
  const rows =
    probes || linux !== undefined
      ? await probed(linux)
      : [...reverseMap(), ...(elf === undefined ? [] : [...symbols(elf), ...(await beside(elf))])]
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`)
  else
    for (const { name, milliseconds, correct, unit } of rows)
      process.stdout.write(
        `${name.padEnd(36)} ${milliseconds.toFixed(1).padStart(8)} ${unit ?? 'ms'}${correct ? '' : '  WRONG RESULT'}\n`,
      )
  return rows.every(({ correct }) => correct) ? OK : 1
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        elf: { type: 'string' },
        probes: { type: 'boolean' },
        linux: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

const ROUNDS = 7
/** Of each turn, ms. */
const TURN = 1500

async function probed(linux: string | undefined): Promise<InsightRow[]> {
  const rows = (what: string, { off, on, told, lost }: ProbeCost): InsightRow[] => [
    { name: `${what}: slower by`, milliseconds: 100 * (on / off - 1), correct: told > 0, unit: '%' },
    { name: `${what}: an instruction, off`, milliseconds: off, correct: true, unit: 'ns' },
    { name: `${what}: an instruction, on`, milliseconds: on, correct: true, unit: 'ns' },
    { name: `${what}: told in a second`, milliseconds: told, correct: true, unit: '' },
    { name: `${what}: lost`, milliseconds: lost, correct: true, unit: '' },
  ]
  const found = rows('probes, fork storm', await seedlingProbes(ROUNDS, TURN))
  if (linux === undefined) return found
  const { boot, storm } = await linuxProbes(linux, ROUNDS, TURN)
  return [...found, ...rows('probes, Linux boot', boot), ...rows('probes, Linux shell', storm)]
}

/** @param times that it is done: the middle one of them is told */
function timed(name: string, what: () => void, correct: () => boolean, times = 1): InsightRow {
  const found: number[] = []
  let right = true
  for (let i = 0; i < times; i++) {
    const began = performance.now()
    what()
    found.push(performance.now() - began)
    right &&= correct()
  }
  found.sort((a, b) => a - b)
  return { name, milliseconds: found[times >> 1]!, correct: right }
}

function* reverseMap(): Generator<InsightRow> {
  const memory = createMemory(MEMORY, 1)
  const frames = memory.frameCount
  const first = ROOT + 6 * PAGE_SIZE
  const put = (at: number, value: number) => memory.view.setBigUint64(memory.ram + at, BigInt(value), true)
  put(ROOT, ROOT + PAGE_SIZE + 7)
  for (let i = 0; i < 4; i++) put(ROOT + PAGE_SIZE + 8 * i, ROOT + (2 + i) * PAGE_SIZE + 7)
  for (let table = 0; table < TABLES; table++)
    put(ROOT + 2 * PAGE_SIZE + 8 * table, first + table * PAGE_SIZE + 7)
  for (let page = 0; page < PAGES; page++) put(first + 8 * page, (page % frames) * PAGE_SIZE + 0x63)
  const roots = [{ control: LONG, name: 'all' }]
  const each = PAGES / frames
  const right = (map: ReverseMap) => map.counts.every((count) => count === each)
  let map = new ReverseMap(memory)
  const whole = () => map.tables === TABLES + 6 && right(map)
  const anew = () => {
    map = new ReverseMap(memory)
    map.update(roots)
  }
  yield timed('reverse map, 2^20 entries, the first time', anew, whole)
  yield timed('reverse map, 2^20 entries, from scratch', anew, whole, 5)
  yield timed('reverse map, nothing changed', () => map.update(roots), whole, 5)
  let changed = 0
  const change = () => {
    for (let i = 0; i < 100; i++, changed++) put(first + (i % 10) * 200 * PAGE_SIZE + 8 * changed, 0)
    map.update(roots)
  }
  yield timed('reverse map, 100 entries changed', change, () => total(map) === PAGES - changed, 5)
  yield* observer(memory)
}

const total = ({ counts }: ReverseMap) => counts.reduce((sum, count) => sum + count, 0)

/** What a look at the frames costs besides, for a machine without a lens. */
function* observer(memory: MachineMemory): Generator<InsightRow> {
  const frames = new FrameObserver(memory)
  frames.look()
  yield timed(
    `a look at ${memory.frameCount} frames`,
    () => frames.look(),
    () => true,
  )
  const { values, legend } = frames.shades('mapped')
  yield timed(
    `shades of ${memory.frameCount} frames`,
    () => frames.shades('mapped'),
    () => values.length === memory.frameCount && legend.length > 1,
  )
}

function* symbols(path: string): Generator<InsightRow> {
  let file: SymbolFile | undefined
  let name: string | undefined
  yield timed(
    'symbols: first name',
    () => {
      file = new SymbolFile(path)
      const { table } = file.symbols
      for (const symbol of table) {
        name = file.symbols.at(symbol.address)?.name
        if (name !== undefined) break
      }
    },
    () => name !== undefined,
  )
  const { symbols: found } = file!
  let units = 0
  yield timed(
    'symbols: all types',
    () => {
      for (const _unit of found.types.scan()) units++
    },
    () => !found.hasDebug || (units > 0 && found.types.byName.size > 0),
  )
  file!.close()
}

/** As the window does it: on another thread, while this one has other things to do. */
async function beside(path: string): Promise<InsightRow[]> {
  let longest = 0
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const ticking = setInterval(tick, 1)
  const began = performance.now()
  let first: number | undefined
  let most = 0
  const search = searchNames(
    { file: path },
    () => {
      first ??= performance.now() - began
    },
    () => {
      most = Math.max(most, process.memoryUsage.rss())
    },
  )
  const names = await search.result
  const all = performance.now() - began
  tick()
  clearInterval(ticking)
  const { symbols: found } = names ?? {}
  const named = found !== undefined && found.table.size > 0
  const types = named && (!found.hasDebug || found.types.byName.size > 0)
  names?.close()
  const row = (name: string, value: number, correct: boolean): InsightRow => ({
    name,
    milliseconds: value,
    correct,
  })
  return [
    row('on a thread: first name', first ?? 0, named),
    row('on a thread: all types', all, types),
    row('on a thread: longest wait meanwhile', longest, true),
    { ...row('on a thread: memory of the process', most / 2 ** 20, true), unit: 'MiB' },
  ]
}
