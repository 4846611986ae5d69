import { expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const RAM = core.header32(L.HDR_RAM)

const register = (offset: number, value: bigint) => {
  core.u64[(L.VCPUS + offset) / 8] = value
}

/** The events since the last call, as [kind, a, b, c]. */
let seen = 0
function events(): [number, number, bigint, bigint][] {
  const list: [number, number, bigint, bigint][] = []
  for (const next = Number(core.u64[(L.VCPUS + L.CPU_EVENTS_NEXT) / 8]); seen < next; seen++) {
    const at = L.VCPUS + L.CPU_EVENTS + (seen % L.EVENT_COUNT) * L.EVENT_SIZE
    const kind = core.u8[at + L.EVENT_KIND]! | (core.u8[at + L.EVENT_KIND + 1]! << 8)
    list.push([
      kind,
      core.u32[(at + L.EVENT_A) / 4]!,
      core.u64[(at + L.EVENT_B) / 8]!,
      core.u64[(at + L.EVENT_C) / 8]!,
    ])
  }
  return list
}

const named = (list: [number, number, bigint, bigint][]) => {
  const bytes = Buffer.alloc(20 * list.length)
  list.forEach(([, a, b, c], i) => {
    bytes.writeUInt32LE(a, i * 20)
    bytes.writeBigUInt64LE(b, i * 20 + 4)
    bytes.writeBigUInt64LE(c, i * 20 + 12)
  })
  return bytes.toString('latin1').replace(/\0+$/, '')
}

function send(kind: number, b: bigint, c: bigint, s: bigint, d: bigint) {
  register(L.CPU_RBX, b)
  register(L.CPU_RCX, c)
  register(L.CPU_RSI, s)
  register(L.CPU_RDI, d)
  core.out32(0x5eec, kind)
}

test('a 32-bit IN says that this is Ringside, another size finds nobody', () => {
  expect(core.in32(0x5eec)).toBe(0x31474e52)
  expect(core.in8(0x5eec)).toBe(0xff)
  expect(core.in16(0x5eec)).toBe(0xffff)
})

test('nothing is written while nobody looks', () => {
  core.header32(L.HDR_EVENT_CLASSES, 0)
  send(1, 1n, 2n, 3n, 4n)
  expect(events()).toEqual([])
})

test('an allocation is two events with all four operands', () => {
  core.header32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_GUEST)
  send(1, 0x200000n, 4096n, 0n, 0xffffffff80101234n)
  expect(events()).toEqual([
    [L.EVENT_KIND_GUEST, 1, 0x200000n, 4096n],
    // Nothing has been executed and no timer has run: the clock stands at 0.
    [L.EVENT_KIND_GUEST_MORE, 0, 0n, 0xffffffff80101234n],
  ])
  send(6, 0n, 0n, 0n, 0n) // a kind of tomorrow
  expect(events()).toEqual([])
})

test('a name is read from physical memory while paging is off', () => {
  const text = 'kmalloc-32: objects for whoever asks for little' // 47 characters: three pieces
  core.u8.set(Buffer.from(text), RAM + 0x5000)
  send(3, 0x5000n, BigInt(text.length), 7n, 0n)
  const list = events()
  expect(list.map(([kind]) => kind)).toEqual([64, 65, 66, 66, 66])
  expect(named(list.slice(2))).toBe(text)
})

test('a name is read through the page tables without leaving a mark in them', () => {
  // PML4[511] -> PDPT[510] -> PD[0] -> PT[5], as a higher-half kernel has it, at 6000h; the second page is missing.
  const table = (at: number, index: number, value: bigint) => {
    core.u64[(RAM + at + index * 8) / 8] = value
  }
  table(0x10000, 511, 0x11001n)
  table(0x11000, 510, 0x12001n)
  table(0x12000, 0, 0x13001n)
  table(0x13000, 5, 0x6001n)
  register(L.CPU_CR3, 0x10000n)
  register(L.CPU_CR4, 0x20n)
  register(L.CPU_EFER, 0x500n)
  register(L.CPU_CR0, 0x80000001n)
  core.u8.set(Buffer.from('seedling'), RAM + 0x6ffa)
  core.u8.set(Buffer.from('idle/0'), RAM + 0x6000)
  const name = () => named(events().slice(2))
  send(5, 0xffffffff80005000n, 6n, 0n, 0n)
  expect(name()).toBe('idle/0')
  send(4, 0xffffffff80005ffan, 8n, 0n, 0n) // over the end of what is mapped
  expect(name()).toBe('seedli??')
  for (const [at, index] of [
    [0x10000, 511],
    [0x11000, 510],
    [0x12000, 0],
    [0x13000, 5],
  ] as const)
    expect(core.u64[(RAM + at + index * 8) / 8]! & 0x60n).toBe(0n)
  register(L.CPU_CR0, 0n)
  core.header32(L.HDR_EVENT_CLASSES, 0)
})

test('a wild length and address are no harm', () => {
  core.header32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_GUEST)
  send(4, 0xffffffffffffffffn, 0xffffffffffffffffn, 0n, 0n)
  expect(events()).toHaveLength(2 + 4) // 63 bytes
  core.header32(L.HDR_EVENT_CLASSES, 0)
})
