// Reading on another thread gives what reading on this one gives.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { MIB } from '../../machine/api'
import { createMemory } from '../../machine/memory'
import { extImage, inPartition } from '../../media/files/made-images'
import { GuestNames } from '../symbols/guest-names'
import { searchLinux, searchNames } from './finder'

const guest = (name: string) => fileURLToPath(new URL(`../../../assets/guests/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ringside-finder-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function read(where: { file: string } | { image: string }) {
  const heard: { complete: boolean; labels: boolean }[] = []
  const progress: number[] = []
  const search = searchNames(
    where,
    (names) => heard.push({ complete: names.complete, labels: (names.symbols?.table.size ?? 0) > 0 }),
    (done) => progress.push(done),
  )
  const names = await search.result
  return { names, heard, progress }
}

/** All that names, lines and types answer is the same. */
function same(found: GuestNames, wanted: GuestNames) {
  const [mine, theirs] = [found.symbols!, wanted.symbols!]
  expect(mine.table.size).toBe(theirs.table.size)
  expect(mine.hasDebug).toBe(theirs.hasDebug)
  expect(mine.troubles).toEqual(theirs.troubles)
  for (const _ of theirs.types.scan()) void _
  expect([...mine.types.byName]).toEqual([...theirs.types.byName])
  expect([...mine.types.variables]).toEqual([...theirs.types.variables])
  for (const { name, address } of theirs.table) {
    expect(mine.named(name)).toEqual(theirs.named(name))
    expect(mine.at(address + 1n)).toEqual(theirs.at(address + 1n))
  }
  for (const { address } of [...theirs.table].slice(0, 60)) {
    expect(mine.line(address)).toEqual(theirs.line(address))
    expect(mine.frames(address)).toEqual(theirs.frames(address))
  }
  for (const reference of theirs.types.byName.values())
    expect(mine.types.get(reference)).toEqual(theirs.types.get(reference))
}

test.each(['seedling/seedling.elf', 'tests/multiboot1.elf', 'tests/multiboot2.elf'])(
  'a file: %s',
  async (name) => {
    const { names, heard } = await read({ file: guest(name) })
    // Names come first, the rest behind them.
    expect(heard).toEqual([
      { complete: false, labels: true },
      { complete: true, labels: true },
    ])
    const wanted = new GuestNames(guest(name))
    same(names!, wanted)
    names!.close()
    wanted.close()
  },
)

test('the kernel inside an image, when there is none beside it', async () => {
  const kernel = new Uint8Array(readFileSync(guest('tests/multiboot2.elf')))
  const path = join(folder, 'disk.img')
  const config = Buffer.from('protocol: limine\npath: boot():/boot/made.elf\n')
  writeFileSync(path, inPartition(extImage({ 'boot/limine.conf': config, 'boot/made.elf': kernel })))
  const { names } = await read({ image: path })
  expect(names!.state.file).toBe('made.elf in disk.img')
  const wanted = new GuestNames(guest('tests/multiboot2.elf'))
  same(names!, wanted)
  // The command line reads it at once.
  const sooner = GuestNames.of(path)!
  expect(sooner.state.file).toBe('made.elf in disk.img')
  expect(sooner.symbols!.named('kmain')).toEqual(wanted.symbols!.named('kmain'))
  for (const each of [names!, wanted, sooner]) each.close()
})

test('what cannot be read says why; what has nothing gives nothing; what is stopped ends', async () => {
  const broken = join(folder, 'broken.elf')
  writeFileSync(broken, readFileSync(guest('tests/multiboot2.elf')).subarray(0, 100))
  expect((await read({ file: broken })).names!.state).toMatchObject({
    file: 'broken.elf',
    state: 'unreadable',
  })
  expect((await read({ file: join(folder, 'none.elf') })).names!.state.problem).toMatch(/no such file/)
  const empty = join(mkdtempSync(join(folder, 'alone-')), 'alone.img')
  writeFileSync(empty, new Uint8Array(4096))
  expect((await read({ image: empty })).names).toBeUndefined()
  const search = searchNames(
    { file: guest('seedling/seedling.elf') },
    () => {},
    () => {},
  )
  search.stop()
  expect(await search.result).toBeUndefined()
})

test('no Linux in memory is found to be none', async () => {
  const progress: number[] = []
  const search = searchLinux(createMemory(64 * MIB, 1), (done) => progress.push(done))
  expect(await search.result).toBeUndefined()
})
