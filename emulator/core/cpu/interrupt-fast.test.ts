// Interrupts and IRET in their commonest form take a way of their own when the fast TLB has all they need. Dropping the fast
// TLB before every instruction forces the other way: both must leave the same machine, whatever stands in the tables.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createMemory } from '../../machine/memory'
import { bindCore } from '../../threads/core-instance'
import corePath from '../index.ts?asc'
import * as L from '../layout'
import { random } from '../testing/random'

const module = new WebAssembly.Module(readFileSync(corePath))
const CODE = 0x8000
const GDT = 0x5000
const IDT = 0x6000
const TSS = 0x7000
const HANDLERS = 0xa000
const STEPS = 160

type Pick = (below: number) => number

/** Mostly `value`, sometimes with one of the bits of `mask` turned over. */
function damaged(pick: Pick, value: bigint, bits: readonly number[]): bigint {
  return pick(8) ? value : value ^ (1n << BigInt(bits[pick(bits.length)]!))
}

/** Vectors whose exception pushes an error code. */
const hasError = (vector: number) => [8, 10, 11, 12, 13, 14, 17].includes(vector)

/** P, DPL, S, type; the selector; IST. */
const GATE_BITS = [47, 46, 45, 44, 43, 42, 41, 40, 19, 18, 17, 16, 32, 34]
/** P, DPL, S, type, accessed; L, D, G; a limit bit. */
const DESCRIPTOR_BITS = [47, 46, 45, 44, 43, 42, 41, 40, 53, 54, 55, 15, 51]

function tables(view: DataView, ram: number, pick: Pick, wide: boolean) {
  const put = (at: number, value: bigint) => view.setBigUint64(ram + at, BigInt.asUintN(64, value), true)
  const code = wide ? 0x00af9b000000ffffn : 0x00cf9b000000ffffn
  const data = 0x00cf93000000ffffn
  const ring3 = 3n << 45n
  const descriptors = [0n, code, data, data | ring3, code | ring3]
  for (const [i, value] of descriptors.entries())
    put(GDT + i * 8, i ? damaged(pick, value, DESCRIPTOR_BITS) : 0n)
  put(GDT + 0x28, 0x00008b0000000067n | (BigInt(TSS) << 16n))
  put(GDT + 0x30, 0n)
  put(TSS + 4, BigInt(pick(2) ? 0xe000 : 0xe00a))
  if (!wide) put(TSS + 8, 0x10n)
  for (let ist = 1; ist < 8 && wide; ist++) put(TSS + 28 + ist * 8, BigInt(0xf000 + ist * 0x100))
  for (let vector = 0; vector < 48; vector++) {
    const handler = HANDLERS + vector * 32
    const type = pick(2) ? 0x8e : 0x8f
    const dpl = vector === 3 || vector > 31 ? 0x60 : 0
    const ist = wide && pick(6) === 0 ? 1 + pick(7) : 0
    const gate = BigInt(handler & 0xffff) | (8n << 16n) | (BigInt(ist) << 32n) | (BigInt(type | dpl) << 40n)
    put(IDT + vector * (wide ? 16 : 8), damaged(pick, gate, GATE_BITS))
    if (wide) put(IDT + vector * 16 + 8, pick(40) ? 0n : 0x8000n)
    // (add rsp, 8); now and then: turn a flag of the frame over; iret
    const slot = wide ? 8 : 4
    const bytes = hasError(vector) ? [...(wide ? [0x48] : []), 0x83, 0xc4, slot] : []
    // Behind the instruction that faulted, as far as two bytes go.
    if (vector < 32 && vector !== 3) bytes.push(0x83, 0x04, 0x24, 2)
    if (pick(3) === 0)
      bytes.push(0x81, 0x74, 0x24, 2 * slot, 0, [2, 4, 0x40, 1][pick(4)]!, [0, 4, 1][pick(3)]!, 0)
    bytes.push(...(wide ? [0x48, 0xcf] : [0xcf]))
    new Uint8Array(view.buffer, ram + handler, bytes.length).set(bytes)
  }
}

function program(pick: Pick): number[] {
  const code: number[] = []
  while (code.length < 600) {
    switch (pick(7)) {
      case 0:
        code.push(0xcc, 0x90)
        break
      case 1:
        code.push(0xcd, [3, 32, 33, 40, 13, 50][pick(6)]!)
        break
      case 2:
        code.push(0x0f, 0x0b)
        break
      case 3:
        // mov eax, [rsi], which is not mapped (64 bits) or far outside of RAM
        code.push(0x8b, 0x06)
        break
      case 4:
        code.push(0x01, 0xc8)
        break
      case 5:
        code.push(0x50, 0x58)
        break
      default:
        code.push(0xf7, 0xf7) // div edi, which is 0
    }
  }
  return code
}

/** What the guest could know after each instruction. */
function run(seed: number, wide: boolean, ring: number, drop: boolean): string[] {
  const memory = createMemory(1 << 21, 1)
  const core = bindCore(module, memory.wasm, () => {})
  core.cpuStart(0)
  core.machinePowerOn()
  memory.setHeader32(L.HDR_CONTROL, L.CONTROL_RUN)
  memory.setHeader32(L.HDR_STATE, L.STATE_RUNNING)
  const view = new DataView(memory.wasm.buffer)
  const ram = view.getUint32(L.HEADER + L.HDR_RAM, true)
  const pick = random(seed)
  tables(view, ram, pick, wide)
  new Uint8Array(view.buffer, ram + CODE, 600).set(program(pick).slice(0, 600))
  const cpu = L.VCPUS
  const set = (at: number, value: bigint) => view.setBigUint64(cpu + at, value, true)
  const segment = (n: number, selector: number, attributes: number, base = 0, limit = 0xffffffff) => {
    const at = cpu + L.CPU_SEGMENTS + n * L.SEGMENT_SIZE
    view.setBigUint64(at + L.SEGMENT_BASE, BigInt(base), true)
    view.setUint32(at + L.SEGMENT_LIMIT, limit, true)
    view.setUint16(at + L.SEGMENT_SELECTOR, selector, true)
    view.setUint16(at + L.SEGMENT_ATTRIBUTES, attributes, true)
    view.setBigInt64(at + L.SEGMENT_READ_LIMIT, BigInt(limit), true)
    view.setBigInt64(at + L.SEGMENT_WRITE_LIMIT, n === L.SEG_CS ? -1n : BigInt(limit), true)
  }
  const dpl = ring << 5
  segment(L.SEG_CS, ring ? 0x23 : 8, (wide ? 0xa09b : 0xc09b) | dpl)
  for (const n of [L.SEG_SS, L.SEG_DS, L.SEG_ES]) segment(n, ring ? 0x1b : 0x10, 0xc093 | dpl)
  segment(L.SEG_TR, 0x28, 0x8b, TSS, 0x67)
  if (wide) {
    view.setBigUint64(ram + 0x1000, 0x2007n, true)
    view.setBigUint64(ram + 0x2000, 0x3007n, true)
    view.setBigUint64(ram + 0x3000, 0x87n, true)
    set(L.CPU_CR3, 0x1000n)
    set(L.CPU_CR4, pick(3) ? 0x20n : 0x200020n)
    set(L.CPU_EFER, 0x500n)
  }
  set(L.CPU_CR0, wide ? 0x80000011n : 0x11n)
  const size = wide ? L.MODE_CODE64 | L.MODE_LONG | L.MODE_PAGING : L.MODE_CODE32
  view.setUint32(cpu + L.CPU_MODE, size | L.MODE_STACK32 | L.MODE_PROTECTED | L.MODE_FLAT, true)
  view.setUint32(cpu + L.CPU_CPL, ring, true)
  set(L.CPU_GDTR_BASE, BigInt(GDT))
  view.setUint32(cpu + L.CPU_GDTR_LIMIT, 0x37, true)
  set(L.CPU_IDTR_BASE, BigInt(IDT))
  view.setUint32(cpu + L.CPU_IDTR_LIMIT, 48 * (wide ? 16 : 8) - 1, true)
  set(L.CPU_RIP, BigInt(CODE))
  for (let i = 0; i < 8; i++) set(L.CPU_RAX + i * 8, BigInt(pick(2 ** 31)))
  set(L.CPU_RSP, BigInt(0xd000 + pick(3) * 4))
  set(L.CPU_RAX + 7 * 8, 0n)
  set(L.CPU_RAX + 6 * 8, 0x4000_0000n)
  core.cpuBind(0)
  const states: string[] = []
  for (let i = 0; i < STEPS && view.getUint32(L.HEADER + L.HDR_STATE, true) === L.STATE_RUNNING; i++) {
    if (drop) {
      view.setUint32(cpu + L.CPU_MAINTENANCE, L.MAINTENANCE_DROP_FAST, true)
      view.setUint32(cpu + L.CPU_ATTENTION, 1, true)
    }
    core.run(1n)
    const words: bigint[] = []
    for (let at = L.CPU_RAX; at < L.CPU_MODE; at += 8) {
      if (at < L.CPU_LAZY || at > L.CPU_LAZY_R) words.push(view.getBigUint64(cpu + at, true))
    }
    for (let at = 0; at < 8 * L.SEGMENT_SIZE; at += 8)
      words.push(view.getBigUint64(cpu + L.CPU_SEGMENTS + at, true))
    for (let at = 0xd000 - 256; at < 0xd010; at += 8) words.push(view.getBigUint64(ram + at, true))
    for (let at = 0xe000 - 128; at < 0xe010; at += 8) words.push(view.getBigUint64(ram + at, true))
    for (let at = 0xf000; at < 0xf710; at += 8) words.push(view.getBigUint64(ram + at, true))
    for (let at = GDT; at < GDT + 0x38; at += 8) words.push(view.getBigUint64(ram + at, true))
    words.push(view.getBigUint64(cpu + L.CPU_FETCH_PAGE, true), view.getBigUint64(cpu + L.CPU_CR2, true))
    words.push(BigInt(view.getUint32(cpu + L.CPU_MODE, true)), view.getBigUint64(cpu + L.CPU_RETIRED, true))
    states.push(words.map((word) => word.toString(16)).join(' '))
  }
  return states
}

test.each([
  { name: '64-bit code in ring 0', wide: true, ring: 0 },
  { name: '64-bit code in ring 3', wide: true, ring: 3 },
  { name: 'flat 32-bit code in ring 0', wide: false, ring: 0 },
  { name: 'flat 32-bit code in ring 3', wide: false, ring: 3 },
])('$name: the fast way is the other one', ({ wide, ring }) => {
  let longest = 0
  for (let seed = 1; seed <= 60; seed++) {
    const fast = run(seed, wide, ring, false)
    const slow = run(seed, wide, ring, true)
    const at = fast.findIndex((state, i) => state !== slow[i])
    expect(at, `seed ${seed}, instruction ${at}:\n${fast[at]}\n${slow[at]}`).toBe(-1)
    expect(fast.length).toBe(slow.length)
    longest = Math.max(longest, fast.length)
  }
  // Some of them have to get somewhere.
  expect(longest).toBe(STEPS)
})
