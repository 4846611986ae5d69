// A trace run at a stroke must leave what the same instructions leave one at a time: the executor joins records and
// leaves out flags nobody can see, single steps do neither.
import { readFileSync } from 'node:fs'
import { Decoder, DecoderOptions } from 'iced-x86'
import { expect, test } from 'vitest'
import { bindCore } from '../../threads/core-instance'
import { createMemory } from '../../machine/memory'
import corePath from '../index.ts?asc'
import * as L from '../layout'
import { random } from '../testing/random'

const module = new WebAssembly.Module(readFileSync(corePath))
const CODE = 0x8000n
const DATA = 0x9000n
const UNMAPPED = 0x4000_0000

/** A 64-bit machine with the first 2 MiB mapped and no IDT: what faults ends it. */
function machine() {
  const memory = createMemory(1 << 22, 1)
  const core = bindCore(module, memory.wasm, () => {})
  core.cpuStart(0)
  core.machinePowerOn()
  memory.setHeader32(L.HDR_CONTROL, L.CONTROL_RUN)
  memory.setHeader32(L.HDR_STATE, L.STATE_RUNNING)
  const view = new DataView(memory.wasm.buffer)
  const ram = view.getUint32(L.HEADER + L.HDR_RAM, true)
  const put = (at: number, value: bigint) => view.setBigUint64(ram + at, value, true)
  put(0x1000, 0x2003n)
  put(0x2000, 0x3003n)
  put(0x3000, 0x83n)
  const cpu = (at: number, value: bigint) => view.setBigUint64(L.VCPUS + at, value, true)
  cpu(L.CPU_CR3, 0x1000n)
  cpu(L.CPU_CR0, 0x8000_0011n)
  cpu(L.CPU_CR4, 0x620n)
  cpu(L.CPU_EFER, 0x500n)
  view.setUint16(L.VCPUS + L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE + L.SEGMENT_ATTRIBUTES, 0xa09b, true)
  cpu(L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE, 0n)
  const mode = L.MODE_CODE64 | L.MODE_STACK32 | L.MODE_PROTECTED | L.MODE_LONG | L.MODE_PAGING
  view.setUint32(L.VCPUS + L.CPU_MODE, mode, true)
  cpu(L.CPU_RIP, CODE)
  cpu(L.CPU_IDTR_BASE, 0n)
  view.setUint32(L.VCPUS + L.CPU_IDTR_LIMIT, 0, true)
  return { core, view, ram, cpu }
}

type Kind = 'computing' | 'faulting' | 'joining' | 'vector'

/** One random instruction (or a few that belong together) on registers 0-3 and 6-13 that computes, reads or moves; RBX points at data. */
function instruction(pick: (below: number) => number, kind: Kind): number[] {
  const r = () => [0, 1, 2, 6, 7][pick(5)]!
  const wide = pick(2) ? [0x48] : []
  if (kind === 'vector' && pick(3)) return vector(pick, r, wide)
  if (kind === 'joining' && pick(3)) return neighbours(pick, r(), r(), wide)
  const mayFault = kind === 'faulting'
  const alu = [0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39][pick(8)]!
  switch (pick(mayFault ? 13 : 12)) {
    case 0:
    case 1:
    case 2:
      return [...wide, alu, 0xc0 | (r() << 3) | r()]
    case 3:
      return [...wide, 0x83, 0xc0 | (pick(8) << 3) | r(), pick(256)]
    case 4:
      return [...wide, 0xc1, 0xc0 | ([0, 1, 2, 3, 4, 5, 7][pick(7)]! << 3) | r(), pick(70)]
    case 5:
      return [...wide, 0xd3, 0xc0 | ([0, 1, 4, 5, 7][pick(5)]! << 3) | r()]
    case 6:
      return [...wide, 0xff, 0xc0 | (pick(2) << 3) | r()]
    case 7:
      return [...wide, 0xf7, 0xd0 | (pick(2) << 3) | r()]
    case 8:
      return [0x0f, 0x90 | pick(16), 0xc0 | r()]
    case 9:
      return [...wide, alu | 2, 0x43 | (r() << 3), pick(100)]
    case 10:
      return [...wide, 0x8d, 0x44 | (r() << 3), 0x40 | r(), pick(128)]
    case 11:
      return [...wide, 0x0f, 0xaf, 0xc0 | (r() << 3) | r()]
    default:
      return [
        0x8b,
        0x04,
        0x25,
        UNMAPPED & 0xff,
        (UNMAPPED >> 8) & 0xff,
        (UNMAPPED >> 16) & 0xff,
        UNMAPPED >>> 24,
      ]
  }
}

/** What joins (fuse.ts), or loses flags (liveness.ts): a move and what is done to its destination; a test and the move that
 * depends on it; wide products and shifts. */
function neighbours(pick: (below: number) => number, a: number, b: number, wide: number[]): number[] {
  const mov = [...wide, 0x89, 0xc0 | (b << 3) | a]
  const shift = [...wide, 0xc1, (pick(2) ? 0xe0 : 0xe8) | a, pick(70)]
  const xor = [...wide, 0x31, 0xc0 | (pick(2) ? (a << 3) | b : (b << 3) | a)]
  const test = [
    [0xa8, pick(256)],
    [...wide, 0x85, 0xc0 | (b << 3) | a],
    [0x84, 0xc0 | a],
  ][pick(3)]!
  switch (pick(6)) {
    case 5:
      return [...test, ...wide, 0x0f, 0x44 | pick(pick(2) ? 2 : 16), 0xc0 | (a << 3) | b]
    case 0:
      return [...mov, ...shift]
    case 1:
      return [...mov, ...shift, ...xor]
    case 2:
      return [...mov, ...wide, 0x0f, 0xaf, 0xc0 | (a << 3) | [a, b, 1][pick(3)]!]
    case 3:
      return [...wide, 0xf7, 0xe0 | a]
    default:
      return [...wide, 0x0f, pick(2) ? 0xa4 : 0xac, 0xc0 | (b << 3) | a, pick(70)]
  }
}

/** On XMM0 to XMM3, which hold doubles. */
function vector(pick: (below: number) => number, r: () => number, wide: number[]): number[] {
  const x = () => (pick(4) << 3) | pick(4)
  switch (pick(8)) {
    case 0:
      return [0x66, 0x0f, [0xef, 0xdb, 0xeb, 0xd4, 0xfe, 0x6f][pick(6)]!, 0xc0 | x()]
    case 1:
      return [0x66, 0x0f, 0x73, (pick(2) ? 0xf0 : 0xd0) | pick(4), pick(70)]
    case 2:
      return [0x66, ...wide, 0x0f, 0x7e, 0xc0 | (pick(4) << 3) | r()]
    case 3:
      return [0x66, ...wide, 0x0f, 0x6e, 0xc0 | (pick(4) << 3) | r()]
    case 4:
      return [0x66, 0x0f, pick(2) ? 0xf3 : 0xd3, 0xc0 | x()]
    case 5:
      return [0xf2, 0x0f, [0x58, 0x59, 0x5c][pick(3)]!, 0x43 | (pick(4) << 3), pick(100)]
    default:
      return [0xf2, 0x0f, [0x58, 0x59, 0x5c][pick(3)]!, 0xc0 | x()]
  }
}

function outcome(code: readonly number[], seed: number, oneByOne: boolean, count: number): string {
  const { core, view, ram, cpu } = machine()
  const pick = random(seed)
  new Uint8Array(view.buffer, ram + Number(CODE), code.length).set(code)
  for (let i = 0; i < 16; i++)
    cpu(L.CPU_RAX + i * 8, BigInt(pick(2 ** 32)) * BigInt([1, 3, 0x1_0000_0001][i % 3]!))
  cpu(L.CPU_RBX, DATA)
  for (let i = 0; i < 256; i++) view.setUint8(ram + Number(DATA) + i, pick(256))
  const xmm = L.VCPUS + L.CPU_XSAVE + 160
  for (let i = 0; i < 8; i++) view.setFloat64(xmm + i * 8, (pick(1000) - 500) / (1 + pick(9)), true)
  // An inexact result has been noted, or not yet.
  view.setUint32(L.VCPUS + L.CPU_XSAVE + 24, pick(2) ? 0x1fa0 : 0x1f80, true)
  if (oneByOne) for (let i = 0; i < count; i++) core.run(1n)
  else core.run(BigInt(count))
  const state = [
    view.getBigUint64(L.VCPUS + L.CPU_RIP, true),
    view.getBigUint64(L.VCPUS + L.CPU_RFLAGS, true),
  ]
  for (let i = 0; i < 16; i++) state.push(view.getBigUint64(L.VCPUS + L.CPU_RAX + i * 8, true))
  state.push(view.getBigUint64(L.VCPUS + L.CPU_RETIRED, true))
  for (let i = 0; i < 8; i++) state.push(view.getBigUint64(xmm + i * 8, true))
  state.push(BigInt(view.getUint32(L.VCPUS + L.CPU_XSAVE + 24, true)))
  return state.map((value) => value.toString(16)).join(' ')
}

test.each<{ name: string; kind: Kind; seeds: number }>([
  { name: 'computing', kind: 'computing', seeds: 150 },
  { name: 'with loads that fault in between', kind: 'faulting', seeds: 150 },
  { name: 'of neighbours that join', kind: 'joining', seeds: 150 },
  { name: 'of vectors and doubles', kind: 'vector', seeds: 150 },
])('traces $name end as single steps do', ({ kind, seeds }) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const pick = random(seed)
    const code: number[] = []
    const groups = 3 + pick(20)
    for (let i = 0; i < groups; i++) code.push(...instruction(pick, kind))
    // The end of a loop, often; a conditional jump reads what is left of the flags, and joins.
    if (pick(2)) code.push(0x83, 0xc0 | pick(3), 1, 0x39, 0xc0 | (pick(3) << 3) | pick(3))
    code.push(pick(2) ? 0x74 | pick(2) : 0x70 | pick(16), 2, 0x90, 0x90, 0x90)
    const bytes = code.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const count = instructions(code)
    expect(outcome(code, seed, false, count), `seed ${seed}: ${bytes}`).toBe(outcome(code, seed, true, count))
  }
})

/** How many a decoder of others finds. */
function instructions(code: readonly number[]): number {
  const decoder = new Decoder(64, Uint8Array.from(code), DecoderOptions.None)
  let count = 0
  while (decoder.canDecode) {
    decoder.decode().free()
    count++
  }
  decoder.free()
  // The jump skips or executes two NOPs: both ways come to the last one.
  return count - 2
}

test('a REP MOVS that begins beside code and ends in it replaces what is executed', () => {
  const { core, view, ram, cpu } = machine()
  const put = (at: number, bytes: number[]) => new Uint8Array(view.buffer, ram + at, bytes.length).set(bytes)
  const answer = (n: number) => [0xb8, n, 0, 0, 0, 0xc3]
  // call 8800h; mov esi, 9000h; mov edi, 8600h; mov ecx, 300h; rep movsb; call 8800h; jmp $
  put(0x8000, [0xe8, 0xfb, 0x07, 0, 0, 0xbe, 0, 0x90, 0, 0, 0xbf, 0, 0x86, 0, 0, 0xb9, 0, 3, 0, 0])
  put(0x8014, [0xf3, 0xa4, 0xe8, 0xe5, 0x07, 0, 0, 0xeb, 0xfe])
  put(0x8800, answer(1))
  put(0x9200, answer(2))
  cpu(L.CPU_RSP, 0xf000n)
  core.run(3n)
  expect(view.getUint32(L.VCPUS + L.CPU_RAX, true)).toBe(1)
  core.run(0x400n)
  expect(view.getBigUint64(L.VCPUS + L.CPU_RIP, true)).toBe(0x801bn)
  expect(view.getUint32(L.VCPUS + L.CPU_RAX, true)).toBe(2)
})
