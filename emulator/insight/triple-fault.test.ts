// Reports made from logs written by hand, in the core's own format. What the core logs when a guest really does it
// is tested with the guests (emulator/core/tests/system, the seed images).
import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../core/layout'
import { createMemory, type MachineMemory } from '../machine/memory'
import { tripleFaultReport } from './triple-fault'
import { tripleFaultText } from './triple-fault-text'

let memory: MachineMemory
beforeEach(() => {
  memory = createMemory(2 ** 20, 1)
})

interface Entry {
  kind?: number
  vector: number
  error?: number
  detail?: number
  a?: bigint
  b?: bigint
  rip?: bigint
  retired?: bigint
  mode?: number
  idtr?: [base: bigint, limit: number]
  cr0?: number
}

function log(entries: Entry[]) {
  entries.forEach((entry, i) => {
    const at = L.VCPUS + L.CPU_EXCEPTION_LOG + (i % L.XLOG_COUNT) * L.XLOG_SIZE
    const u32 = (offset: number, value: number) => memory.view.setUint32(at + offset, value, true)
    const u64 = (offset: number, value: bigint) => memory.view.setBigUint64(at + offset, value, true)
    const [idtBase, idtLimit] = entry.idtr ?? [0n, 0x3ff]
    u32(L.XLOG_KIND, entry.kind ?? L.XLOG_KIND_FAULT)
    u32(L.XLOG_VECTOR, entry.vector)
    u32(L.XLOG_ERROR, entry.error ?? 0)
    u32(L.XLOG_DETAIL, entry.detail ?? 0)
    u64(L.XLOG_A, entry.a ?? 0n)
    u64(L.XLOG_B, entry.b ?? 0n)
    u64(L.XLOG_RIP, entry.rip ?? 0x7e1dn)
    u64(L.XLOG_RETIRED, entry.retired ?? 5000n)
    u32(L.XLOG_MODE, entry.mode ?? L.MODE_PROTECTED)
    u64(L.XLOG_IDTR_BASE, idtBase)
    u32(L.XLOG_IDTR_LIMIT, idtLimit)
    u64(L.XLOG_GDTR_BASE, 0x8088n)
    u32(L.XLOG_GDTR_LIMIT, 0x17)
    u32(L.XLOG_CR0, entry.cr0 ?? 0x11)
    u64(L.XLOG_RFLAGS, 0x46n)
    u64(L.XLOG_GPR, 0x11n)
  })
  memory.view.setBigUint64(L.VCPUS + L.CPU_EXCEPTION_LOG_NEXT, BigInt(entries.length), true)
}

/** The seed image's descriptor: code without P. The gates are what a BIOS leaves at 0: F000:xxxx vectors. */
const NOT_PRESENT = 0x00cf1a000000ffffn
const BIOS_VECTORS = 0xf000ff53f000ff53n
const SEED: Entry[] = [
  { vector: 11, error: 8, detail: L.FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, a: 8n, b: NOT_PRESENT },
  { vector: 13, error: 0x5b, detail: L.FAULT_DETAIL_IDT_TYPE, a: 11n, b: BIOS_VECTORS },
  { vector: 8, a: 11n, b: 13n },
  {
    kind: L.XLOG_KIND_TRIPLE,
    vector: 13,
    error: 0x43,
    detail: L.FAULT_DETAIL_IDT_TYPE,
    a: 8n,
    b: BIOS_VECTORS,
  },
]

describe('tripleFaultReport', () => {
  it('has nothing to say of a CPU that runs', () => {
    expect(tripleFaultReport(memory, 0)).toBeUndefined()
    log([{ vector: 14 }])
    expect(tripleFaultReport(memory, 0)).toBeUndefined()
  })

  it('tells what went wrong in one sentence', () => {
    log(SEED)
    expect(tripleFaultReport(memory, 0)?.sentence).toBe(
      'Selector 0x08 names a descriptor that is not present, and the #NP this raised could not be delivered because ' +
        'IDTR still held the real-mode table (base 0, limit 3FFh), whose bytes are no valid gates: so came #GP, then ' +
        '#DF, then the triple fault.',
    )
  })

  it('shows what was being loaded from where, and the instruction', () => {
    log(SEED)
    memory.u8.set([0xea, 0x83, 0x80, 0x08, 0x00], memory.ram + 0x7e1d)
    const report = tripleFaultReport(memory, 0, (bytes, rip, bits) => `${bits}:${rip}:${bytes[0]}`)!
    expect(report.instruction.text).toBe(`16:${0x7e1d}:${0xea}`)
    expect(report.steps.map(({ role }) => role)).toEqual([
      'first',
      'while-delivering',
      'double-fault',
      'shutdown',
    ])
    expect(report.steps[0]!.selector).toMatchObject({ table: 'GDT', index: 1, at: 0x8090n, limit: 0x17 })
    expect(report.steps[0]!.selector?.descriptor).toMatchObject({ kind: 'code', present: false })
    expect(report.gates.map(({ vector }) => vector)).toEqual([11, 13, 8])
    expect(report.realModeTable).toBe(true)
  })

  it('keeps what was delivered before apart from the chain', () => {
    const earlier: Entry[] = Array.from({ length: 20 }, (_, i) => ({
      kind: L.XLOG_KIND_SOFTWARE,
      vector: 0x10,
      retired: BigInt(i),
    }))
    // An exception at the same count that led into a handler is not part of it: the chain is at the handler's RIP.
    log([...earlier, { vector: 14, rip: 0x1000n }, ...SEED])
    const report = tripleFaultReport(memory, 0)!
    expect(report.steps).toHaveLength(4)
    expect(report.earlier).toHaveLength(L.XLOG_COUNT - 4)
    expect(report.earlier.at(-1)).toMatchObject({ vector: 14, rip: 0x1000n })
  })

  it('says which page was missing when the chain begins with a page fault', () => {
    const mode = L.MODE_PROTECTED | L.MODE_CODE64 | L.MODE_LONG | L.MODE_PAGING
    const common = { mode, cr0: 0x8000_0011 | 0, idtr: [0x1000n, 0x0f] as [bigint, number] }
    log([
      { ...common, vector: 14, error: 2, detail: L.FAULT_DETAIL_PAGE_NOT_PRESENT, a: 0xdeadbeefn, b: 2n },
      { ...common, vector: 13, error: 0x73, detail: L.FAULT_DETAIL_IDT_LIMIT, a: 14n, b: 0xfn },
      { ...common, vector: 8, a: 14n, b: 13n },
      {
        ...common,
        kind: L.XLOG_KIND_TRIPLE,
        vector: 13,
        error: 0x43,
        detail: L.FAULT_DETAIL_IDT_LIMIT,
        a: 8n,
        b: 0xfn,
      },
    ])
    memory.view.setBigUint64(L.VCPUS + L.CPU_EFER, 0x500n, true)
    const report = tripleFaultReport(memory, 0)!
    expect(report.sentence).toBe(
      'Linear address 00000000DEADBEEF was to be written and is not mapped: its page-directory entry (PDE) is not ' +
        'present, and the #PF this raised could not be delivered because the interrupt table ends before entry 14 ' +
        "(#PF): IDTR's limit is Fh: so came #GP, then #DF, then the triple fault.",
    )
    expect(report.steps[0]!.walk?.kind).toBe('4-level')
  })
})

describe('tripleFaultText', () => {
  it('is an account a person can use', () => {
    log(SEED)
    memory.u8.set([0xea, 0x83, 0x80, 0x08, 0x00], memory.ram + 0x7e1d)
    memory.view.setBigUint64(memory.ram + 8 * 11, BIOS_VECTORS, true)
    memory.view.setBigUint64(memory.ram + 8 * 8, BIOS_VECTORS, true)
    const text = tripleFaultText(tripleFaultReport(memory, 0, () => 'jmp 0x8:0x8083')!)
    expect(text.split('\n')[0]).toBe('Triple fault after 5000 instructions: the processor has shut down.')
    expect(text).toContain('1. #NP segment not present, error code 0008 (GDT entry 1, selector 0x08)')
    expect(text).toContain('   at 0000:7E1D (linear 00007E1D), 16-bit protected mode, CPL 0')
    expect(text).toContain('EA 83 80 08 00')
    expect(text).toContain('jmp 0x8:0x8083')
    expect(text).toContain('0x08 -> GDT (base 00008088, limit 17h) entry 1 at 00008090')
    expect(text).toContain('00CF1A00 0000FFFF  32-bit code, base 00000000, limit FFFFFFFF')
    expect(text).toContain('2. while that was being delivered: #GP general protection, error code 005B')
    expect(text).toContain('3. so it became #DF double fault, error code 0000')
    expect(text).toContain('IDTR base 00000000 limit 03FF - the real-mode interrupt vector table')
    expect(text).toContain('entry 8 (#DF) at 00000040: F000FF53 F000FF53  no gate: type Fh, S 1, P 1')
    expect(text).toContain('EAX 00000011')
    expect(text).toContain('CR0 00000011 (ET PE)')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
  })
})

describe('a vector table whose bytes look like a gate by accident', () => {
  it('is still named as the cause, with the entry that was used', () => {
    // What a BIOS leaves in entries 22 and 23, which protected mode reads as the gate of vector 11.
    const lookalike = 0xf000efd2f000e82en
    log([
      SEED[0]!,
      { vector: 13, error: 0xf001, detail: L.FAULT_DETAIL_SELECTOR_LIMIT, a: 0xf000n, b: 0x17n },
      SEED[2]!,
      SEED[3]!,
    ])
    memory.view.setBigUint64(memory.ram + 8 * 11, lookalike, true)
    const report = tripleFaultReport(memory, 0)!
    expect(report.sentence).toContain('because IDTR still held the real-mode table (base 0, limit 3FFh)')
    expect(report.steps[1]!.why).toBe(
      'Selector 0xF000 lies beyond the end of the GDT, whose limit is 17h. IDTR still holds the real-mode table (base 0, ' +
        'limit 3FFh).',
    )
    expect(report.steps[1]!.gate).toMatchObject({ vector: 11, at: 0x58n, raw: lookalike })
    expect(report.steps[2]!.gate).toBeUndefined()
    expect(report.steps[3]!.gate?.vector).toBe(8)
  })
})
