// Windows on memory, what is laid over them, and the search, on Seedling in long mode and on the seed's boot sector.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMedium } from '../media/medium'
import { defaultConfig, linear, type Machine, MIB, physical } from '../machine/api'
import { createMachine } from '../machine/machine'
import { STEP_BYTES, searchStep } from './memory-search'
import { NOWHERE, ROW_DEVICE, ROW_RAM, ROW_ROM, ROW_UNMAPPED, ROW_VIDEO, readWindow } from './memory-window'
import {
  descriptorItems,
  gateItems,
  tablesOf,
  taskStateItems,
  vectorItems,
} from './overlays/descriptor-tables'
import { pageTableOverlay } from './overlays/page-table'
import { structureOverlay } from './overlays/structure'
import { pagingControl, walkPages } from './page-walk'
import { findingSymbols, findSymbols } from './symbols/find-symbols'
import { SymbolFile } from './symbols/symbol-file'

const guest = (name: string) => fileURLToPath(new URL(`../../assets/guests/${name}`, import.meta.url))
let file: SymbolFile
let machine: Machine

beforeAll(async () => {
  file = new SymbolFile(guest('seedling/seedling.elf'))
  for (const _ of file.symbols.types.scan());
  machine = await createMachine({
    ...defaultConfig(),
    ...{ memory: 64 * MIB, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(guest('seedling/seedling.img')) }],
  })
  let text = ''
  await new Promise<void>((resolve) => {
    machine.on('serial', ({ port, bytes }) => {
      if (port === 0) text += Buffer.from(bytes).toString('latin1')
      if (text.includes('$ ') || text.includes('> ')) resolve()
    })
    machine.run()
  })
  await machine.pause()
}, 60_000)
afterAll(async () => {
  await machine.dispose()
  file.close()
})

const control = () => pagingControl(machine.memory, 0)

describe('a window on memory', () => {
  test('linear rows go through the page tables, physical ones do not', () => {
    const { ripLinear } = machine.cpu()
    const window = readWindow(machine.memory, control(), 'linear', ripLinear, 8)
    expect(window.at).toBe(ripLinear & ~15n)
    expect(window.bytes).toEqual(machine.readLinear(linear(window.at), 128))
    const target = walkPages(machine.memory, control(), window.at).physical!
    expect(window.physicalAt[0]).toBe(Number(target))
    const there = readWindow(machine.memory, control(), 'physical', target, 8)
    expect(there.bytes).toEqual(window.bytes)
    expect([...window.kinds]).toEqual(Array(8).fill(ROW_RAM))
  })
  test('what answers is told; an unmapped page between mapped ones is seen', () => {
    const kinds = (at: bigint) => readWindow(machine.memory, control(), 'physical', at, 2).kinds
    expect([...kinds(0xb7ff0n)]).toEqual([ROW_VIDEO, ROW_VIDEO])
    expect([...kinds(0x9fff0n)]).toEqual([ROW_RAM, ROW_VIDEO])
    expect([...kinds(0xffff0n)]).toEqual([ROW_ROM, ROW_RAM])
    expect([...kinds(0xfee00000n)]).toEqual([ROW_DEVICE, ROW_DEVICE])
    expect(kinds(0xffff_ffff_ffff_fff0n)[0]).toBe(ROW_UNMAPPED)
    expect(kinds(1n << 52n)[0]).toBe(ROW_UNMAPPED)
    const hole = readWindow(machine.memory, control(), 'linear', 0x7fff_ffff_fff0n, 2)
    expect([...hole.kinds]).toEqual([ROW_UNMAPPED, ROW_UNMAPPED])
    expect([...hole.physicalAt]).toEqual([NOWHERE, NOWHERE])
  })
})

describe('the search', () => {
  const all = (space: 'linear' | 'physical', pattern: Uint8Array, most = 20) => {
    const found: bigint[] = []
    for (let at: bigint | undefined = 0n; at !== undefined && found.length < most; ) {
      const step = searchStep(machine.memory, control(), space, at, pattern)
      if (step.found !== undefined) found.push(step.found)
      at = step.found !== undefined ? step.found + 1n : step.next
    }
    return found
  }
  test('finds bytes that lie across pages, and what is not there is nowhere', async () => {
    const pattern = new TextEncoder().encode('across two pages, 7f31c0')
    const at = 0x3a0_0ff4
    await machine.writePhysical(physical(at), pattern)
    expect(all('physical', pattern)).toEqual([BigInt(at)])
    // Seedling maps all memory from FFFF800000000000h on as well.
    expect(all('linear', pattern)).toContain(0xffff_8000_0000_0000n + BigInt(at))
    expect(all('physical', Uint8Array.of(0x7f, 0x31, 0xc0, 0x99, 0x12, 0xfe, 0xfe, 0xed, 0x77))).toEqual([])
  })
  test('finds the last byte of memory, and goes on from anywhere', async () => {
    await machine.writePhysical(physical(64 * MIB - 3), Uint8Array.of(0xfe, 0xed, 0xf0))
    const pattern = Uint8Array.of(0xfe, 0xed, 0xf0)
    const { found } = searchStep(machine.memory, control(), 'physical', BigInt(60 * MIB), pattern)
    expect(found).toBe(BigInt(64 * MIB - 3))
    expect(searchStep(machine.memory, control(), 'physical', BigInt(64 * MIB - 2), pattern)).toEqual({})
  })
  test('a step is bounded', () => {
    const absent = Uint8Array.of(0x7f, 0x31, 0xc0, 0x99, 0x12, 0xfe, 0xfe, 0xed, 0x78)
    const step = searchStep(machine.memory, control(), 'physical', 0n, absent)
    expect(step.found).toBeUndefined()
    expect(step.next).toBeLessThanOrEqual(BigInt(STEP_BYTES + (1 << 20)))
  })
  test('patterns are 1 to 256 bytes', () => {
    expect(() => all('physical', new Uint8Array(0))).toThrow('1 to 256')
    expect(() => all('physical', new Uint8Array(257))).toThrow('1 to 256')
  })
})

describe('overlays', () => {
  const windowAt = (at: bigint, rows: number) => readWindow(machine.memory, control(), 'linear', at, rows)

  test('the IDT leads to the kernel’s handlers', () => {
    const { idtr } = machine.cpu()
    const items = gateItems(idtr, windowAt(idtr.base, 32), true)
    expect(items).toHaveLength(32)
    const fault = items[14]!
    expect(fault).toMatchObject({ at: 14 * 16, length: 16, name: 'gate 14 #PF' })
    expect(fault.text).toMatch(/^0008:FFFFFFFF8[\dA-F]{7}, .*DPL 0, 64-bit interrupt gate$/)
    const place = file.symbols.at(fault.link!.address)!
    expect(place.offset).toBe(0)
    // Where the next gate leads is another entry.
    expect(items[13]!.link!.address).not.toBe(fault.link!.address)
  })
  test('a window in the middle of a table has the entries that lie in it', () => {
    const { idtr } = machine.cpu()
    const items = gateItems(idtr, windowAt(idtr.base + 0xe0n, 2), true)
    expect(items.map(({ name, at }) => [name, at])).toEqual([
      ['gate 14 #PF', 0],
      ['gate 15', 16],
    ])
    expect(gateItems(idtr, windowAt(idtr.base + 0x1000n, 2), true)).toEqual([])
    expect(gateItems(idtr, windowAt(idtr.base - 0x20n, 2), true)).toEqual([])
    expect(gateItems(idtr, windowAt(idtr.base - 0x10n, 2), true).map(({ at }) => at)).toEqual([16])
  })
  test('the GDT has its code segments and, of 16 bytes, the TSS', () => {
    const { gdtr, segments } = machine.cpu()
    const items = descriptorItems(gdtr, windowAt(gdtr.base & ~15n, 16), true, 'GDT')
    expect(items[0]).toMatchObject({ name: 'GDT 0000', text: 'null descriptor' })
    expect(items[1]!.text).toMatch(/^64-bit code/)
    const task = items.find(
      ({ name }) => name === `GDT ${segments.tr.selector.toString(16).toUpperCase().padStart(4, '0')}`,
    )!
    expect(task.text).toMatch(/^64-bit busy TSS/)
    expect(task.length).toBe(16)
    expect(task.link!.address).toBe(segments.tr.base)
  })
  test('the TSS has its stacks', () => {
    const { tr } = machine.cpu().segments
    const window = windowAt(tr.base, 8)
    const items = taskStateItems({ base: tr.base, limit: tr.limit }, window, true, true)
    const stack = items.find(({ name }) => name === 'RSP0')!
    const bytes = machine.readLinear(linear(tr.base + 4n), 8)
    expect(stack.text).toBe(Buffer.from(bytes).readBigUInt64LE().toString(16).toUpperCase().padStart(16, '0'))
    expect(tablesOf(machine.cpu(), window).map(({ title }) => title)).toContain('TSS of CPU 0')
  })
  test('a page table says what the walk says', () => {
    const { ripLinear } = machine.cpu()
    const walk = walkPages(machine.memory, control(), ripLinear)
    const step = walk.steps.at(-1)!
    const at = BigInt(step.at!) & ~15n
    const window = readWindow(machine.memory, control(), 'physical', at, 1)
    const { title, items } = pageTableOverlay(at, window.bytes, '4-level', step.level)
    const item = items[Number((BigInt(step.at!) - at) / 8n)]!
    expect(title).toBe(step.level === 1 ? 'page table' : 'page directory')
    expect(item.text).toContain(walk.writable ? 'writable' : 'read-only')
    expect(item.text).toContain('supervisor')
    const page = walk.physical! & ~(BigInt(walk.pageSize) - 1n)
    expect(item.link).toEqual({ space: 'physical', address: page, what: 'data' })
  })
  test('the vector table of real mode', () => {
    const bytes = new Uint8Array(32)
    bytes.set([0x34, 0x12, 0x00, 0xf0], 4)
    const items = vectorItems({ base: 0n, limit: 0x3ff }, { at: 0n, bytes })
    expect(items).toHaveLength(8)
    expect(items[1]).toMatchObject({ name: 'gate 1 #DB', text: 'F000:1234', faint: false })
    expect(items[1]!.link!.address).toBe(0xf1234n)
  })
  test('a structure by its debugging information, whole or from its middle', () => {
    const { types } = file.symbols
    const reference = types.byName.get('task')!
    const size = types.sizeOf(reference)!
    const name = types.member(reference, 'name')!
    const bytes = new Uint8Array(Math.ceil(size / 16) * 16)
    bytes.set(new TextEncoder().encode('idle'), name.offset)
    const whole = structureOverlay(file.symbols, reference, 0, bytes)
    expect(whole.title).toBe('struct task')
    expect(whole.items.find((item) => item.name === 'name')).toMatchObject({
      at: name.offset,
      text: '"idle"',
    })
    // Every byte of it belongs to one member at most.
    const owner = new Map<number, string>()
    for (const item of whole.items)
      for (let at = item.at; at < item.at + item.length; at++) {
        if (!item.name.includes(':')) expect(owner.get(at)).toBeUndefined()
        owner.set(at, item.name)
      }
    const later = structureOverlay(file.symbols, reference, -name.offset, bytes.subarray(name.offset))
    expect(later.items[0]).toMatchObject({ at: 0, name: 'name' })
  })
})

test('symbols are found by a part of their names, the best first', () => {
  const { table } = file.symbols
  const names = findSymbols(table, 'frame', 5).map(({ name }) => name)
  expect(names.length).toBe(5)
  expect(names.every((name) => name.toLowerCase().includes('frame'))).toBe(true)
  expect(names[0]!.toLowerCase().startsWith('frame')).toBe(true)
  const [exact] = findSymbols(table, names[3]!, 3)
  expect(exact!.name).toBe(names[3])
  expect(exact!.address).toBe(table.named(names[3]!)!.address)
  const steps = findingSymbols(table, 'frame', 5)
  let step = steps.next()
  for (; !step.done; step = steps.next()) expect(step.value).toBeLessThanOrEqual(1)
  expect(step.value.map(({ name }) => name)).toEqual(names)
  expect(findSymbols(table, 'there is no such symbol', 5)).toEqual([])
  expect(findSymbols(table, ' ', 5)).toEqual([])
})
