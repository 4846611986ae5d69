// What a death looks like: from the account of a triple fault, or the state of a CPU that will never do anything
// again, to the mistakes that kernels' authors really make. Each finding says what happened, what to do about it, and
// shows the evidence it rests on. Pure functions over the machine's memory; nothing here is certain, so every finding
// is one that the evidence makes likely, the likeliest first.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import type { ExceptionRecord } from './exception-log'
import { exceptionName } from './exceptions'
import { addressDigits, hex, hexBytes } from './hex'
import { codeBits, isLong, isProtected } from './mode'
import { accessOutcome, entryControl } from './page-access'
import { entryFields } from './page-table-entry'
import { pagingControl, readThroughPages, type Walk, walkPages } from './page-walk'
import { tlbLookup } from './tlb-lookup'
import { holdsRealModeTable, type TripleFaultReport } from './triple-fault'

export type FindingKind =
  | 'identity-map-missing'
  | 'code-not-mapped'
  | 'tables-not-mapped'
  | 'stack'
  | 'non-canonical'
  | 'not-code'
  | 'no-execute'
  | 'reserved-bit'
  | 'long-mode-order'
  | 'interrupts-without-table'
  | 'interrupt-table'
  | 'gate'
  | 'page-fault-path'
  | 'return-frame'
  | 'descriptor-table'
  | 'task-state'
  | 'wrong-code-size'
  | 'stale-translation'
  | 'halted'
  | 'spinning'

/** A fact that a finding rests on. */
export interface Evidence {
  what: string
  value: string
  /** Where it can be looked at: its code, its bytes, the walk of its page. Linear unless `physical`. */
  link?: { go: 'code' | 'memory' | 'pages'; address: bigint; physical?: boolean }
}

export interface Finding {
  kind: FindingKind
  /** What happened, in a line. */
  title: string
  /** Why it ends so, and what to do about it. */
  text: string
  evidence: Evidence[]
}

const CR0_PG = 1n << 31n
const CR4_PAE = 1n << 5n
const EFER = 0xc000_0080n
const EFER_LME = 1n << 8n
/** Room that an exception frame takes below RSP, and what a few pushes do before it. */
const STACK_REACH = 512n

/** What a triple fault looks like, the likeliest first; empty when nothing fits. */
export function autopsy(memory: MachineMemory, cpu: number, report: TripleFaultReport): Finding[] {
  const first = report.steps[0]!.record
  const body: Body = { memory, cpu, report, first, code: codeAddress(first) }
  const checks = [
    identityMap,
    staleTranslation,
    returnFrame,
    kernelStack,
    pageFaultPath,
    stackGone,
    tablesGone,
    interruptsTooEarly,
    nonCanonical,
    reservedBit,
    noExecute,
    farJumpMissing,
    wrongCodeSize,
    notCode,
    longModeOrder,
    gate,
    descriptorTable,
    taskState,
    codeNotMapped,
    interruptTable,
  ]
  return checks.flatMap((check) => check(body) ?? [])
}

interface Body {
  memory: MachineMemory
  cpu: number
  report: TripleFaultReport
  first: ExceptionRecord
  /** Linear address of the instruction. */
  code: bigint
}

const codeAddress = ({ mode, rip, csBase }: ExceptionRecord): bigint =>
  codeBits(mode) === 64 ? rip : (csBase + rip) & 0xffff_ffffn

/** Linear, as the record's mode writes addresses. */
const at = ({ mode }: ExceptionRecord, address: bigint): string => hex(address, addressDigits(codeBits(mode)))

const isPageFault = ({ kind, vector }: ExceptionRecord): boolean => kind !== 'interrupt' && vector === 14

/** The exceptions that could not be delivered, without the double fault and what ended it. */
const pageFaults = ({ report }: Body) => report.steps.filter(({ record }) => isPageFault(record))

const walkLines = (walk: Walk): Evidence[] =>
  walk.steps.map(({ name, at, entry, present }) => ({
    what: name,
    value: `${at === undefined ? '' : `at ${hex(at, 8)}: `}${entry === undefined ? 'not in memory' : hex(entry, 16)}${present ? '' : '  not present'}`,
    ...(at === undefined ? {} : { link: { go: 'memory' as const, address: BigInt(at), physical: true } }),
  }))

/** A place in memory: its bytes, the walk of its page, or its code. */
const place = (
  what: string,
  value: string,
  address: bigint,
  go: 'code' | 'memory' | 'pages' = 'memory',
): Evidence => ({
  ...{ what, value },
  link: { go, address },
})
const cr3Line = (cr3: bigint): Evidence => ({
  ...{ what: 'CR3', value: hex(cr3, 8) },
  link: { go: 'memory', address: cr3 & ~0xfffn & 0xf_ffff_ffff_ffffn, physical: true },
})
const tableLine = (record: ExceptionRecord, name: 'idtr' | 'gdtr', more = ''): Evidence =>
  place(
    name.toUpperCase(),
    `base ${at(record, record[name].base)} limit ${hex(record[name].limit, 4)}${more}`,
    record[name].base,
  )
const gateLines = ({ gates }: TripleFaultReport): Evidence[] =>
  gates.map(({ vector, at: where, raw }) =>
    place(`IDT ${vector}`, raw === undefined ? 'beyond the limit' : hex(raw, 16), where),
  )
const instructionLine = ({ first, code, report }: Body): Evidence =>
  place(
    'RIP',
    `${at(first, code)}${report.instruction.text ? `  ${report.instruction.text}` : ''}`,
    code,
    'code',
  )

/** When a milestone of the climb was reached, in retired instructions; undefined when it was not. */
function milestone(memory: MachineMemory, id: number): bigint | undefined {
  const record = L.MILESTONES + id * L.MILESTONE_SIZE
  if (memory.u32[(record + L.MILESTONE_REACHED) >>> 2] === 0) return undefined
  return memory.u64[(record + L.MILESTONE_RETIRED) / 8]
}

function identityMap({ memory, first, report, code }: Body): Finding | undefined {
  if (!isPageFault(first) || first.a !== code) return
  const on = milestone(memory, L.CLIMB_PAGING)
  if (on === undefined || first.retired - on > 2n) return
  const { walk } = report.steps[0]!
  const none = first.cr3 >> 12n === 0n
  return {
    kind: 'identity-map-missing',
    title: none ? 'Paging went on with CR3 = 0' : 'Paging went on, and the next instruction is not mapped',
    text: none
      ? 'The interrupt vectors at address 0 were taken for the topmost page table. Build the tables, load CR3 with the physical address of the topmost one, and only then set CR0.PG; it must map the code that does so to where it lies.'
      : `Setting CR0.PG makes every address go through the page tables at once, that of the next instruction too: ${at(first, code)}. Map the code that turns paging on to where it lies (an identity map) and leave it mapped until after the jump to the kernel's own addresses.`,
    evidence: [
      { what: 'CR0.PG set', value: `${first.retired - on} instructions before the fault` },
      cr3Line(first.cr3),
      place('next instruction', at(first, code), code, 'pages'),
      ...(walk ? walkLines(walk) : []),
    ],
  }
}

/** IRET goes to what the CPU has pushed: an error code that was left on the stack makes everything one off. */
function returnFrame({ memory, cpu, report, first }: Body): Finding | undefined {
  const { bytes } = report.instruction
  const wide = bytes[0] === 0x48 && bytes[1] === 0xcf
  if (first.kind !== 'fault' || (!wide && bytes[0] !== 0xcf) || codeBits(first.mode) === 16) return
  const before = report.earlier.findLast(({ kind }) => kind === 'fault')
  if (!before) return
  const width = codeBits(first.mode) === 64 && wide ? 8 : 4
  const control = { ...pagingControl(memory, cpu), cr0: first.cr0, cr3: first.cr3 }
  const frame = readThroughPages(memory, control, first.rsp, 3 * width)
  if (frame.length < 3 * width) return
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const words = [0, 1, 2].map((i) =>
    width === 8 ? view.getBigUint64(i * 8, true) : BigInt(view.getUint32(i * 4, true)),
  )
  const [top = 0n, next = 0n, third = 0n] = words
  if (top !== BigInt(before.error) || next !== before.rip || (third & 0xffffn) !== BigInt(before.cs)) return
  const { mnemonic } = exceptionName(before.vector)
  return {
    kind: 'return-frame',
    title: `The handler of ${mnemonic} returned without taking the error code from the stack`,
    text: `${mnemonic} pushes an error code above the return address (#DF, #TS, #NP, #SS, #GP, #PF, #AC and #CP do; the others do not). IRET took it, ${hex(before.error)}h, for RIP, and the return address for CS. ADD ${width === 8 ? 'RSP, 8' : 'ESP, 4'} belongs before IRET; stubs that push 0 for the other exceptions make all frames alike.`,
    evidence: [
      ...words.map((word, i) =>
        place(
          `[${width === 8 ? 'RSP' : 'ESP'}${i === 0 ? '' : `+${i * width}`}]`,
          `${hex(word, width * 2)}  ${['the error code', 'where it was raised', 'its CS'][i]}`,
          first.rsp + BigInt(i * width),
        ),
      ),
      place('raised at', at(before, before.rip), codeAddress(before), 'code'),
    ],
  }
}

/** From ring 3 the frame goes to the stack that the TSS names; nobody has written it down there. */
function kernelStack({ memory, cpu, report, first }: Body): Finding | undefined {
  const step = report.steps.find(({ role, record }) => role !== 'first' && isPageFault(record))
  if (!step || first.cpl !== 3) return
  const task = memory.cpuBlock(cpu) + L.CPU_SEGMENTS + L.SEG_TR * L.SEGMENT_SIZE
  const selector = memory.view.getUint16(task + L.SEGMENT_SELECTOR, true)
  const base = memory.view.getBigUint64(task + L.SEGMENT_BASE, true)
  const width = isLong(first.mode) ? 8 : 4
  const control = { ...pagingControl(memory, cpu), cr0: first.cr0, cr3: first.cr3 }
  const bytes = readThroughPages(memory, control, base + 4n, width)
  if (selector === 0 || bytes.length < width || bytes.some((byte) => byte !== 0)) return
  // Below 0 is the end of the address space.
  const top = width === 8 ? 1n << 64n : 1n << 32n
  if (top - step.record.a > STACK_REACH) return
  const name = width === 8 ? 'RSP0' : 'ESP0'
  return {
    kind: 'task-state',
    title: `${name} in the TSS is 0: ring 3 has no stack to come back on`,
    text: `What interrupts ring 3 pushes its frame at the stack that the TSS names for ring 0. ${name} is 0, so the frame would lie at the very end of the address space, which is not mapped; and #DF finds the same stack. Write the top of the task’s kernel stack into ${name} before going to ring 3.`,
    evidence: [
      place('TSS', `${hex(selector, 4)} at ${at(first, base)}`, base),
      place(name, '0', base + 4n),
      place('touched', at(step.record, step.record.a), step.record.a, 'pages'),
    ],
  }
}

/** So many page faults of one instruction in a row are no chance. */
const REPEATED = 3

/** The handler of page faults raises one itself, each time it is called: until there is no stack left. */
function pageFaultPath(body: Body): Finding | undefined {
  const { report, first } = body
  const last = report.earlier.at(-1)
  if (!isPageFault(first) || !last || !isPageFault(last)) return
  const same = report.earlier.filter((one) => isPageFault(one) && one.rip === last.rip && one.a === last.a)
  // Each one came deeper in the stack than the one before: none of them has returned.
  const deeper = same.every(({ rsp }, i) => i === 0 || rsp < same[i - 1]!.rsp)
  if (same.length < REPEATED || !deeper) return
  const origin = report.earlier.find((one) => isPageFault(one) && one.rip !== last.rip)
  const { walk } = report.steps[0]!
  return {
    kind: 'page-fault-path',
    title: 'The page-fault handler raises a page fault itself',
    text: `At ${at(last, codeAddress(last))} it touches ${at(last, last.a)}, which is not mapped either, so it is entered anew, and again, until the stack is used up. What the handler needs (its code, data, stack, and what it looks at to decide) must be mapped in every address space, and be touched before it is relied upon.`,
    evidence: [
      place('handler at', at(last, codeAddress(last)), codeAddress(last), 'code'),
      place('touches', at(last, last.a), last.a, 'pages'),
      { what: 'in a row', value: `${same.length} page faults or more, each deeper in the stack` },
      ...(origin
        ? [
            place(
              'began at',
              `${at(origin, codeAddress(origin))}, touching ${at(origin, origin.a)}`,
              codeAddress(origin),
              'code',
            ),
          ]
        : []),
      place('RSP', at(first, first.rsp), first.rsp),
      ...(walk ? walkLines(walk) : []),
    ],
  }
}

/** CR0.PE is set, and CS still what it was in real mode. */
function farJumpMissing(body: Body): Finding | undefined {
  const { memory, first } = body
  if (!isProtected(first.mode) || isLong(first.mode) || codeBits(first.mode) !== 16) return
  // What failed was the far jump itself, then.
  if (body.report.steps[0]!.selector) return
  const on = milestone(memory, L.CLIMB_PROTECTED)
  if (on === undefined || milestone(memory, L.CLIMB_CODE32) !== undefined) return
  return {
    kind: 'wrong-code-size',
    title: 'The far jump is missing: the code still runs as 16-bit code',
    text: 'Setting CR0.PE changes neither CS nor the size of its code. What was assembled for 32 bits is decoded as 16-bit instructions: immediate values are cut in half and their other half is executed. A far jump to a code segment with D set (JMP 08h:label) belongs right behind the MOV to CR0.',
    evidence: [
      { what: 'CR0.PE set', value: `${first.retired - on} instructions before the fault` },
      { what: 'CS', value: `${hex(first.cs, 4)}, 16-bit, not loaded since` },
      instructionLine(body),
      { what: 'bytes', value: hexBytes(body.report.instruction.bytes.subarray(0, 8)) },
    ],
  }
}

const vectorName = ({ a }: ExceptionRecord): string => exceptionName(Number(a)).mnemonic

/** Whether the upper half of a gate of long mode looks like a gate of 32-bit code. */
function shortGates({ memory, cpu }: Body, gate: bigint, detail: number): boolean {
  if (detail === L.FAULT_DETAIL_IDT_TYPE) return true
  const upper = readThroughPages(memory, pagingControl(memory, cpu), gate + 8n, 8)
  // Its bits 31:0 are the offset's upper half, the others reserved (SDM 3A 6.14.1); there is the byte with P, DPL and type.
  return upper.length === 8 && [0x8e, 0x8f, 0xee, 0xef].includes(upper[5]!)
}

/** The gate is there, but it cannot be gone through. */
function gate(body: Body): Finding | undefined {
  const { report, first } = body
  const step = report.steps.find(({ role, gate }) => role !== 'first' && gate !== undefined)
  // #TS speaks of the stack's selector, not of the gate's.
  if (!step?.gate || step.record.vector === 10 || holdsRealModeTable(step.record)) return
  const { detail } = step.record
  const { vector, raw } = step.gate
  const { mnemonic } = exceptionName(vector)
  const evidence = [
    tableLine(step.record, 'idtr'),
    place(`IDT ${vector}`, raw === undefined ? 'beyond the limit' : hex(raw, 16), step.gate.at),
  ]
  if (isLong(step.record.mode) && raw !== undefined && raw !== 0n && shortGates(body, step.gate.at, detail)) {
    return {
      kind: 'gate',
      title: 'The IDT is not one of long mode: its gates have 8 bytes',
      text: `In long mode a gate has 16 bytes, so that of vector ${vector} (${mnemonic}) is read ${hex(vector * 16)}h bytes into the table, from two gates at once. An IDT made for 32-bit code cannot be used any more: make one of 16-byte gates, and load it with LIDT.`,
      evidence,
    }
  }
  const { selector } = step
  if (!selector || detail < L.FAULT_DETAIL_SELECTOR_NULL || detail > L.FAULT_DETAIL_DESCRIPTOR_LONG) return
  const { descriptor } = selector
  const name = `${hex(selector.selector, 4)}h`
  return {
    kind: 'gate',
    title: `The gate for ${mnemonic} names selector ${name}, which is no code segment it could go to`,
    text: `${step.why} The selector in a gate is that of the kernel’s code segment${isLong(first.mode) ? ', with L set' : ''}; it must not change when descriptors are put into the GDT before it.`,
    evidence: [
      ...evidence,
      place(
        `${selector.table} entry ${selector.index}`,
        descriptor ? hex(descriptor.raw, 16) : 'beyond the limit',
        selector.at,
      ),
    ],
  }
}

function codeNotMapped({ first, report, code }: Body): Finding | undefined {
  if (!isPageFault(first) || first.a !== code || report.instruction.bytes.length > 0) return
  const { walk } = report.steps[0]!
  return {
    kind: 'code-not-mapped',
    title: 'The instruction itself is not mapped',
    text: `Execution went to ${at(first, code)}, where no page is. A wrong function pointer, a return address that was overwritten, or an address space without the kernel in it does that.`,
    evidence: [place('RIP', at(first, code), code, 'pages'), ...(walk ? walkLines(walk) : [])],
  }
}

/** A fault at the stack: by PUSH and CALL, or while an exception was being delivered. */
function stackGone(body: Body): Finding | undefined {
  const { first, memory, cpu } = body
  const onStack = ({ a, rsp }: ExceptionRecord) => a < rsp + 16n && a + STACK_REACH >= rsp
  const step = pageFaults(body).find(({ record }) => onStack(record))
  if (step) {
    const { record } = step
    const control = { ...pagingControl(memory, cpu), cr0: record.cr0, cr3: record.cr3 }
    const above = (record.a & ~0xfffn) + 0x1000n
    const mapped = walkPages(memory, control, above).physical !== undefined
    return {
      kind: 'stack',
      title: mapped ? 'The stack ran out of its memory' : 'The stack pointer points to nothing',
      text: `${mapped ? `RSP ${at(first, record.rsp)} has come down to the page at ${at(first, record.a & ~0xfffn)}, which is not mapped for writing: a recursion without end, a large local array, or a stack that is too small.` : `RSP ${at(first, record.rsp)} lies in no mapped page, so nothing can be pushed, an exception frame neither.`} An exception needs a stack as well; give #DF one of its own (an IST entry in the TSS), and the kernel can at least say what happened.`,
      evidence: [
        place('RSP', at(first, record.rsp), record.rsp),
        place('touched', at(first, record.a), record.a, 'pages'),
        instructionLine(body),
        ...(step.walk ? walkLines(step.walk) : []),
      ],
    }
  }
  const beyond = body.report.steps.find(({ record }) => record.detail === L.FAULT_DETAIL_STACK)?.record
  if (!beyond) return
  return {
    kind: 'stack',
    title: 'The stack left its segment',
    text: `An access at offset ${hex(beyond.a, 4)} lies beyond SS's limit of ${hex(beyond.b)}h. SP was not set up, or ran below 0.`,
    evidence: [
      { what: 'SS', value: hex(first.ss, 4) },
      { what: 'RSP', value: at(first, beyond.rsp) },
    ],
  }
}

/** A page fault while an exception was being delivered: the tables that delivery reads are not mapped. */
function tablesGone(body: Body): Finding | undefined {
  const { report, first } = body
  const step = report.steps.find(({ role, record }) => role !== 'first' && isPageFault(record))
  if (!step) return
  const { idtr, gdtr, a } = step.record
  const inside = ({ base, limit }: { base: bigint; limit: number }) => a >= base && a <= base + BigInt(limit)
  const table = inside(idtr) ? 'IDT' : inside(gdtr) ? 'GDT' : undefined
  if (!table) return
  const { base, limit } = table === 'IDT' ? idtr : gdtr
  return {
    kind: 'tables-not-mapped',
    title: `The ${table} is not mapped in this address space`,
    text: `Delivering ${exceptionName(first.vector).mnemonic} reads the ${table} at ${at(first, base)}, and that raised a page fault of its own. ${table === 'IDT' ? 'LIDT' : 'LGDT'} takes a linear address: it has to be mapped in every address space, and loaded again when the kernel moves to the higher half.`,
    evidence: [
      place(`${table}R`, `base ${at(first, base)} limit ${hex(limit, 4)}`, base, 'pages'),
      place('touched', at(first, a), a, 'pages'),
      ...(step.walk ? walkLines(step.walk) : []),
    ],
  }
}

const MASTER_IRQS = ['timer', 'keyboard', 'cascade', 'COM2', 'COM1', 'LPT2', 'floppy', 'LPT1']

function interruptsTooEarly({ first, report }: Body): Finding | undefined {
  if (first.kind !== 'interrupt' || !isProtected(first.mode)) return
  const unmapped = first.vector >= 8 && first.vector < 16
  const name = MASTER_IRQS[first.vector - 8]
  const noTable = holdsRealModeTable(first)
  return {
    kind: 'interrupts-without-table',
    title: noTable
      ? 'Interrupts were on before there was an interrupt table'
      : `No gate for interrupt ${hex(first.vector, 2)}h`,
    text: `${unmapped ? `IRQ ${first.vector - 8} (${name}) came as vector ${hex(first.vector, 2)}h, where the BIOS left it; in protected mode that is ${exceptionName(first.vector).mnemonic}'s entry. Remap the PIC to vectors from 20h on.` : `The vector came from the interrupt controller.`} ${noTable ? 'Load an IDT with LIDT before STI, and until then keep interrupts off with CLI.' : 'Fill its gate, or mask it in the controller.'}`,
    evidence: [tableLine(first, 'idtr', noTable ? ': the real-mode table' : ''), ...gateLines(report)],
  }
}

function nonCanonical(body: Body): Finding | undefined {
  const record = body.report.steps.find(
    ({ record }) => record.detail === L.FAULT_DETAIL_NON_CANONICAL,
  )?.record
  if (!record) return
  const [opcode = 0] = body.report.instruction.bytes
  // RET near and far, IRET, and the indirect JMP and CALL.
  const jumps = [0xc3, 0xc2, 0xcb, 0xca, 0xcf].includes(opcode) || (opcode === 0xff && record === body.first)
  return {
    kind: 'non-canonical',
    title: jumps ? 'A jump to an address that cannot exist' : 'An address that cannot exist',
    text: `${hex(record.a, 16)} is not canonical: bits 63 to 47 must all be equal. ${jumps ? 'A return address or function pointer was overwritten, or the stack is not where the code believes.' : 'A pointer was never set, was overwritten, or lost its upper half to 32-bit arithmetic.'}`,
    evidence: [{ what: 'address', value: hex(record.a, 16) }, instructionLine(body)],
  }
}

function reservedBit(body: Body): Finding | undefined {
  const { memory, cpu } = body
  const step = pageFaults(body).find(({ record }) => record.detail === L.FAULT_DETAIL_PAGE_RESERVED)
  if (!step?.walk || step.walk.kind === 'none') return
  const control = pagingControl(memory, cpu)
  for (const { name, level, leaf, entry, at: where } of step.walk.steps) {
    if (entry === undefined) continue
    const fields = entryFields({ kind: step.walk.kind, level, leaf, ...entryControl(control) }, entry)
    const bad = fields.filter(({ role, value }) => role === 'reserved' && value !== 0n)
    if (bad.length === 0) continue
    const bits = bad
      .map(({ high, low }) => (high === low ? `bit ${low}` : `bits ${high}:${low}`))
      .join(' and ')
    const nx = bad.some(({ low }) => low === 63)
    return {
      kind: 'reserved-bit',
      title: `The ${name} has a reserved bit set`,
      text: `${bits[0]!.toUpperCase()}${bits.slice(1)} of ${hex(entry, 16)} must be zero here${nx ? ': bit 63 (XD) means something only after EFER.NXE has been set' : ''}. ${nx ? 'Set EFER.NXE before the first entry with XD is used.' : 'The entry was put together wrong, or memory that holds no page table is used as one.'}`,
      evidence: [
        {
          ...{ what: name, value: `${where === undefined ? '' : `at ${hex(where, 8)}: `}${hex(entry, 16)}` },
          ...(where === undefined
            ? {}
            : { link: { go: 'memory' as const, address: BigInt(where), physical: true } }),
        },
        place('touched', at(step.record, step.record.a), step.record.a, 'pages'),
        ...bad.map(({ name, high, low, value }) => ({ what: `${name} ${high}:${low}`, value: hex(value) })),
      ],
    }
  }
}

function noExecute({ first, report, code }: Body): Finding | undefined {
  if (!isPageFault(first) || first.a !== code || (first.error & 17) !== 17) return
  const { walk } = report.steps[0]!
  return {
    kind: 'no-execute',
    title: 'Execution went to a page that is data',
    text: `The page of ${at(first, code)} has XD set in one of its entries, so nothing there can be executed. A jump to the stack or the heap, or a kernel section that was mapped with the wrong rights.`,
    evidence: [place('RIP', at(first, code), code, 'pages'), ...(walk ? walkLines(walk) : [])],
  }
}

/** Opcodes that 64-bit mode does not have (SDM 2, appendix A, superscript i64). */
const NOT_IN_64 = new Set([
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce],
  ...[0xd4, 0xd5, 0xea],
])
/** What commonly follows a REX.W prefix. */
const AFTER_REX = new Set([
  0x01, 0x03, 0x0f, 0x29, 0x2b, 0x31, 0x39, 0x3b, 0x81, 0x83, 0x85, 0x89, 0x8b, 0x8d, 0xb8, 0xc7, 0xff,
])

function wrongCodeSize(body: Body): Finding | undefined {
  const { first, report } = body
  const { bytes } = report.instruction
  const bits = codeBits(first.mode)
  const evidence = [
    { what: 'bytes', value: hexBytes(bytes) },
    { what: 'CS', value: `${hex(first.cs, 4)}, ${bits}-bit` },
    instructionLine(body),
  ]
  if (bits === 64 && first.vector === 6 && NOT_IN_64.has(bytes[0]!))
    return {
      kind: 'wrong-code-size',
      title: '32-bit code runs in 64-bit mode',
      text: `${hex(bytes[0]!, 2)} is an instruction of 16- and 32-bit code that 64-bit mode does not have. The code behind the far jump was assembled for 32 bits ([bits 64] is missing), or CS.L is set where it should not be.`,
      evidence,
    }
  if (bits !== 32) return
  let wide = 0
  for (let i = 0; i + 1 < bytes.length; i++)
    if ((bytes[i]! & 0xf8) === 0x48 && AFTER_REX.has(bytes[i + 1]!)) wide++
  if (wide < 2) return
  return {
    kind: 'wrong-code-size',
    title: '64-bit code runs as 32-bit code',
    text: `The bytes are full of REX.W prefixes, which 32-bit code reads as DEC. ${isLong(first.mode) ? 'Long mode is on, but CS is a compatibility segment: load a code segment with L set and D clear by a far jump.' : 'Long mode is not on yet: set EFER.LME, CR4.PAE and CR0.PG, then jump far to a segment with L set.'}`,
    evidence,
  }
}

/** A run of letters at RIP: a string, or a file that is no program. */
function textExecuted({ first, report, code }: Pick<Body, 'first' | 'report' | 'code'>): Finding | undefined {
  const bytes = [...report.instruction.bytes]
  const letters = bytes.findIndex((byte) => byte < 0x20 || byte > 0x7e)
  const length = letters < 0 ? bytes.length : letters
  // Fifteen bytes of code that all are letters are rare; those of a text are not.
  if (length < 10 || !/[A-Za-z]{4}/.test(String.fromCharCode(...bytes))) return
  const text = String.fromCharCode(...bytes.slice(0, length))
  return {
    kind: 'not-code',
    title: 'A text is being executed',
    text: `At ${at(first, code)} lies “${text}…”, which is data. Execution ran past the end of the code into the strings behind it (a HLT in a loop, or a RET, is missing), or a jump went there.`,
    evidence: [
      place('RIP', at(first, code), code, 'code'),
      place('bytes', hexBytes(report.instruction.bytes), code),
    ],
  }
}

function notCode({ first, report, code }: Body): Finding | undefined {
  const { bytes } = report.instruction
  if (bytes.length < 8) return
  const filler = bytes.subarray(0, 8).every((byte) => byte === bytes[0]) ? bytes[0]! : -1
  if (filler !== 0 && filler !== 0xff) return textExecuted({ first, report, code })
  return {
    kind: 'not-code',
    title: filler === 0 ? 'Zeros are being executed' : 'Nothing is being executed: every byte is FFh',
    text: `At ${at(first, code)} there is no program, only ${filler === 0 ? 'zeros (which decode as ADD [RAX], AL)' : 'ones, as where no memory answers'}. A jump went wrong, execution ran past the end of the code, or a part of the program was not loaded: compare with what the boot loader read, and to where.`,
    evidence: [
      place('RIP', at(first, code), code, 'code'),
      place('bytes', hexBytes(bytes.subarray(0, 8)), code),
    ],
  }
}

function longModeOrder({ memory, cpu, first }: Body): Finding | undefined {
  const control = pagingControl(memory, cpu)
  const state = [
    { what: 'CR0', value: hex(first.cr0, 8) },
    { what: 'CR4', value: hex(control.cr4, 8) },
    { what: 'EFER', value: hex(control.efer, 8) },
  ]
  if (first.detail === L.FAULT_DETAIL_MSR && first.a === EFER && (first.cr0 & CR0_PG) !== 0n)
    return {
      kind: 'long-mode-order',
      title: 'EFER.LME was changed while paging was on',
      text: 'Long mode is entered from protected mode without paging: clear CR0.PG, set CR4.PAE and EFER.LME, load CR3 with a PML4, and only then set CR0.PG (SDM 3A 9.8.5).',
      evidence: state,
    }
  if (first.detail !== L.FAULT_DETAIL_CONTROL_REGISTER) return
  const sets = first.b === 0n && (first.a & CR0_PG) !== 0n && (first.cr0 & CR0_PG) === 0n
  if (sets && (control.efer & EFER_LME) !== 0n && (control.cr4 & CR4_PAE) === 0n)
    return {
      kind: 'long-mode-order',
      title: 'Paging went on for long mode without CR4.PAE',
      text: 'With EFER.LME set, CR0.PG turns long mode on, and that needs CR4.PAE. The order is CR4.PAE, CR3, EFER.LME, CR0.PG (SDM 3A 9.8.5).',
      evidence: state,
    }
  if (first.b === 0n && (first.a & CR0_PG) !== 0n && (first.a & 1n) === 0n)
    return {
      kind: 'long-mode-order',
      title: 'Paging without protected mode',
      text: 'CR0.PG can only be set together with, or after, CR0.PE.',
      evidence: state,
    }
  if (first.b === 4n && isLong(first.mode) && (first.a & CR4_PAE) === 0n)
    return {
      kind: 'long-mode-order',
      title: 'CR4.PAE was cleared in long mode',
      text: 'Long mode is left by clearing CR0.PG first.',
      evidence: state,
    }
}

function descriptorTable({ first, report }: Body): Finding | undefined {
  const { selector } = report.steps[0]!
  if (!selector) return
  const { table, base, limit, index, descriptor } = selector
  const evidence = [
    place(`${table}R`, `base ${at(first, base)} limit ${hex(limit, 4)}`, base),
    place(`entry ${index}`, descriptor ? hex(descriptor.raw, 16) : 'beyond the limit', selector.at),
  ]
  const name = `Selector ${hex(selector.selector, 4)}h`
  if (!descriptor)
    return {
      kind: 'descriptor-table',
      title: `${name} lies beyond the end of the ${table}`,
      text: `The ${table} has ${Math.floor((limit + 1) / 8)} entries. LGDT's limit is the size in bytes minus one; and the pointer must be read as its mode writes it: 2 + 4 bytes in 16- and 32-bit code, 2 + 8 in 64-bit code.`,
      evidence,
    }
  if (descriptor.raw === 0n)
    return {
      kind: 'descriptor-table',
      title: `${name} names an empty descriptor`,
      text: `Entry ${index} of the ${table} at ${at(first, base)} is all zeros. Either the table was not filled in, or LGDT was given another address than that of the table (the linear one counts, segment bases included).`,
      evidence,
    }
  return {
    kind: 'descriptor-table',
    title: `${name} names a descriptor that cannot be used`,
    text: report.steps[0]!.why,
    evidence,
  }
}

function taskState({ first, report }: Body): Finding | undefined {
  // Never loaded, TR says that a TSS lies at 0: what is read there as SS is no stack, and raises #TS (SDM 3A 9.1.1).
  const step = report.steps.find(
    ({ record }) =>
      record.detail === L.FAULT_DETAIL_TSS || (record.kind !== 'interrupt' && record.vector === 10),
  )
  if (!step) return
  const { detail, a, b } = step.record
  // Reset leaves TR with a limit of FFFFh, so one that is too short was loaded.
  if (detail === L.FAULT_DETAIL_TSS && b < 0x67n)
    return {
      kind: 'task-state',
      title: 'The TSS is too short for the stack that is wanted',
      text: `The field at offset ${hex(a)}h is needed${a >= 0x24n && isLong(first.mode) ? `, which is IST${(a - 0x24n) / 8n + 1n},` : ''} and the limit in the TSS’s descriptor is ${hex(b)}h. A 64-bit TSS has 104 bytes, so its limit is 67h; the limit is the size minus one.`,
      evidence: [
        { what: 'limit of TR', value: `${hex(b)}h` },
        { what: 'needed', value: `offset ${hex(a)}h` },
        tableLine(first, 'gdtr'),
      ],
    }
  return {
    kind: 'task-state',
    title: 'There is no TSS to take the stack from',
    text: `An interrupt that comes from ring ${first.cpl}, or whose gate names an IST stack, takes its stack from the TSS in TR: fill in RSP0 (and the IST entries), put a TSS descriptor into the GDT, and load it with LTR. ${step.why}`,
    evidence: [{ what: 'CPL', value: String(first.cpl) }, tableLine(first, 'gdtr')],
  }
}

/** The TLB knows something else than the tables say now, of the code, the stack, or what was refused (SDM 3A 4.10.4). */
function staleTranslation(body: Body): Finding | undefined {
  return staleRefusal(body) ?? staleFrame(body)
}

/** The tables allow what was refused. */
function staleRefusal(body: Body): Finding | undefined {
  const { memory, cpu } = body
  const step = pageFaults(body).find(({ record }) => (record.error & 1) !== 0)
  if (!step?.walk || step.record.detail === L.FAULT_DETAIL_PAGE_RESERVED) return
  const { record, walk } = step
  const control = { ...pagingControl(memory, cpu), cr0: record.cr0, cr3: record.cr3 }
  const kind = record.error & 16 ? 'execute' : record.error & 2 ? 'write' : 'read'
  const now = accessOutcome(control, record.rflags, walk, { kind, user: (record.error & 4) !== 0 })
  if (!now.allowed) return
  return {
    kind: 'stale-translation',
    title: 'The page tables allow this access: the TLB was out of date',
    text: `The entries for ${at(record, record.a)} were changed, and the processor still used what it had cached. ${INVALIDATE}`,
    evidence: [
      place('touched', at(record, record.a), record.a, 'pages'),
      ...walkLines(walk),
      instructionLine(body),
    ],
  }
}

const INVALIDATE = 'INVLPG the address after changing its entry, on every CPU that may have used it.'

/** Code or stack lie in another frame than the tables say. */
function staleFrame(body: Body): Finding | undefined {
  const { memory, cpu, first, code } = body
  const control = { ...pagingControl(memory, cpu), cr0: first.cr0, cr3: first.cr3 }
  for (const [what, address] of [
    ['instruction', code],
    ['stack', first.rsp],
  ] as const) {
    const belief = tlbLookup(memory, cpu, address)
    const walk = walkPages(memory, control, address)
    if (!belief || walk.physical === undefined || (walk.physical & ~0xfffn) === belief.frame) continue
    return {
      kind: 'stale-translation',
      title: `The TLB was out of date: the ${what} comes from a frame that is not mapped there any more`,
      text: `The page tables say that ${at(first, address & ~0xfffn)} is frame ${hex(walk.physical & ~0xfffn, 8)} now; the TLB still had ${hex(belief.frame, 8)}, and that is what was used. ${INVALIDATE}`,
      evidence: [
        place(what, at(first, address), address, 'pages'),
        {
          ...{ what: 'TLB: frame', value: hex(belief.frame, 8) },
          link: { go: 'memory', address: belief.frame, physical: true },
        },
        {
          ...{ what: 'tables: frame', value: hex(walk.physical & ~0xfffn, 8) },
          link: { go: 'memory', address: walk.physical & ~0xfffn, physical: true },
        },
        ...walkLines(walk),
      ],
    }
  }
}

function interruptTable({ first, report }: Body): Finding | undefined {
  if (first.kind === 'interrupt') return
  const failed = report.steps.find(
    ({ record }) =>
      record.detail >= L.FAULT_DETAIL_IDT_LIMIT && record.detail <= L.FAULT_DETAIL_IDT_NOT_PRESENT,
  )
  if (!failed) return
  const none = holdsRealModeTable(failed.record)
  const { mnemonic } = exceptionName(first.vector)
  return {
    kind: 'interrupt-table',
    title: none
      ? 'There is no interrupt table yet'
      : failed.record.detail === L.FAULT_DETAIL_IDT_NOT_PRESENT
        ? `The gate for ${vectorName(failed.record)} is not present`
        : `The interrupt table has no gate for ${mnemonic}`,
    text: `${mnemonic} is only the beginning: without a handler every exception ends the machine. ${none ? 'IDTR still has the BIOS’s real-mode table.' : failed.why} Load an IDT with at least the 32 exceptions as early as possible, and let each handler print its vector, error code and RIP.`,
    evidence: [tableLine(first, 'idtr', none ? ': the real-mode table' : ''), ...gateLines(report)],
  }
}
