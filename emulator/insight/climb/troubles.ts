// What kernels skip or botch on the way up: which step it is, and what the CPU will do about it. Each rule looks at what was
// recorded when the stages were reached, and at where the boot processor is now; what an autopsy found is put to the stage it
// belongs to.
import * as L from '../../core/layout'
import type { CpuSnapshot, Milestone } from '../../machine/api'
import type { MachineMemory } from '../../machine/memory'
import type { MilestoneMoment } from '../../machine/milestones'
import type { Evidence, Finding, FindingKind } from '../autopsy'
import { exceptionName } from '../exceptions'
import { hex } from '../hex'
import { pagingControl, readThroughPages } from '../page-walk'

export interface Trouble {
  /** What is wrong, in a line. */
  title: string
  /** What the CPU does about it, and what to do. */
  text: string
  evidence: Evidence[]
  /** note: it may be meant; wrong: it will end badly; dead: it has. */
  kind: 'note' | 'wrong' | 'dead'
}

interface Body {
  memory: MachineMemory
  /** The boot processor. */
  now: CpuSnapshot
  moments: ReadonlyMap<number, MilestoneMoment>
  reached: ReadonlyMap<number, Milestone>
  findings: readonly Finding[]
}

const RFLAGS_IF = 0x200n
const CR4_PAE = 1n << 5n
const EFER_LME = 1n << 8n
/** So many instructions behind a stage, what belongs right behind it has been left out. */
const SOON = 64n

type Rule = (body: Body) => [stage: number, trouble: Trouble] | undefined

const interruptsOn = ({ rflags }: CpuSnapshot): boolean => (rflags & RFLAGS_IF) !== 0n
const fact = (what: string, value: string): Evidence => ({ what, value })
const flagFact = (cpu: CpuSnapshot) => fact('RFLAGS.IF', interruptsOn(cpu) ? '1' : '0')
const tableFact = (cpu: CpuSnapshot, name: 'gdtr' | 'idtr'): Evidence => ({
  ...fact(name.toUpperCase(), `base ${hex(cpu[name].base, 8)} limit ${hex(cpu[name].limit, 4)}`),
  link: { go: 'memory', address: cpu[name].base },
})

/** Whether the boot processor is as far as ever behind the stage and has gone on for a while. */
const wellBehind = ({ now, reached }: Body, id: number): boolean => {
  const stage = reached.get(id)
  return stage?.reached === true && stage.cpu === 0 && now.instructions - stage.instructions > SOON
}

const a20Closed: Rule = ({ memory, moments }) => {
  if (!moments.has(L.CLIMB_PROTECTED) || memory.header32(L.HDR_A20) !== 0) return
  return [
    L.CLIMB_A20,
    {
      kind: 'wrong',
      title: 'Address line 20 is still held at 0',
      text: 'Bit 20 of every physical address is cleared: what is written at 1 MiB lands at 0, on the interrupt vectors, and every odd megabyte is the even one below it. Open the gate by port 92h, bit 1, or INT 15h AX=2401h, before anything lies above 1 MiB.',
      evidence: [fact('A20', 'closed')],
    },
  ]
}

const noTable: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_PROTECTED)
  if (!at || moments.has(L.CLIMB_GDT)) return
  return [
    L.CLIMB_GDT,
    {
      kind: 'wrong',
      title: 'Protected mode without a GDT of its own',
      text: 'The next selector that is loaded, by a far jump or a MOV to DS, reads its descriptor from wherever GDTR happens to point; what lies there is no descriptor, and that raises #GP. LGDT belongs before CR0.PE.',
      evidence: [tableFact(at.after, 'gdtr')],
    },
  ]
}

const interruptsIntoProtected: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_PROTECTED)
  if (!at || !interruptsOn(at.after)) return
  return [
    L.CLIMB_PROTECTED,
    {
      kind: 'wrong',
      title: 'Interrupts were on when CR0.PE was set',
      text: 'The next timer interrupt comes as vector 08h and takes 8 bytes of the real-mode table at 0 for a gate, which they are not: #GP, then #DF, then a triple fault. It may go well for a while, until a tick falls into the wrong moment. CLI belongs before it.',
      evidence: [flagFact(at.after), tableFact(at.after, 'idtr')],
    },
  ]
}

const still16: Rule = (body) => {
  const { now, moments } = body
  const at = moments.get(L.CLIMB_PROTECTED)
  if (!at || moments.has(L.CLIMB_CODE32) || moments.has(L.CLIMB_CODE64)) return
  if (now.mode !== 'protected16' || !wellBehind(body, L.CLIMB_PROTECTED)) return
  return [
    L.CLIMB_CODE32,
    {
      kind: 'wrong',
      title: 'The far jump is missing: this is 16-bit protected mode',
      text: 'CR0.PE alone changes neither CS nor the size of the code. Instructions are still decoded as 16-bit ones, so what was assembled for 32 bits is taken apart wrongly. A far jump to a code segment with D set (JMP 08h:label) belongs right behind the MOV to CR0.',
      evidence: [
        fact(
          'CS',
          `${hex(now.segments.cs.selector, 4)}, 16-bit${now.segments.cs.selector === at.after.segments.cs.selector ? ', as it was in real mode' : ''}`,
        ),
      ],
    },
  ]
}

const pagingFromZero: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_PAGING)
  if (!at?.before || at.before.cr3 >> 12n !== 0n) return
  return [
    L.CLIMB_TABLES,
    {
      kind: 'wrong',
      title: 'Paging went on with CR3 = 0',
      text: 'The interrupt vectors at address 0 are taken for the topmost page table. What the next addresses are translated to is chance, mostly “not present”. Load CR3 with the physical address of the tables first.',
      evidence: [fact('CR3', hex(at.before.cr3, 8))],
    },
  ]
}

const withoutPae: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_PAGING)
  if (!at || (at.after.cr4 & CR4_PAE) !== 0n) return
  return [
    L.CLIMB_PAE,
    {
      kind: 'note',
      title: 'Paging went on without CR4.PAE',
      text: 'These are the two-level tables of 32-bit paging, with entries of 4 bytes. Long mode cannot be entered from here: with EFER.LME set, CR0.PG without CR4.PAE raises #GP, and EFER.LME cannot be changed while paging is on. A kernel that stays in 32 bits is right to do so.',
      evidence: [fact('CR4', hex(at.after.cr4, 8))],
    },
  ]
}

const withoutLme: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_PAGING)
  if (!at || (at.after.cr4 & CR4_PAE) === 0n || (at.after.efer & EFER_LME) !== 0n) return
  return [
    L.CLIMB_LME,
    {
      kind: 'note',
      title: 'Paging went on before EFER.LME was set',
      text: 'This is PAE paging of 32-bit mode: CR3 is taken for the address of four PDPTEs, not of a PML4. WRMSR to EFER.LME raises #GP while CR0.PG is set: for long mode, clear CR0.PG, set EFER.LME, and set CR0.PG again.',
      evidence: [fact('EFER', hex(at.after.efer, 8)), fact('CR4', hex(at.after.cr4, 8))],
    },
  ]
}

const stillCompatible: Rule = (body) => {
  const { now, moments } = body
  if (!moments.has(L.CLIMB_LONG) || moments.has(L.CLIMB_CODE64)) return
  if ((now.mode !== 'compat32' && now.mode !== 'compat16') || !wellBehind(body, L.CLIMB_LONG)) return
  return [
    L.CLIMB_CODE64,
    {
      kind: 'wrong',
      title: 'The far jump is missing: this is compatibility mode',
      text: 'Long mode is active, but CS is a 32-bit segment still, so registers have 32 bits and REX prefixes are read as INC and DEC. A far jump to a code segment with L set and D clear belongs right behind the MOV to CR0.',
      evidence: [fact('CS', `${hex(now.segments.cs.selector, 4)}, ${now.bits}-bit`), fact('EFER.LMA', '1')],
    },
  ]
}

const noInterruptTable: Rule = ({ now, moments }) => {
  if (moments.has(L.CLIMB_IDT) || now.mode === 'real' || now.mode === 'v86' || !interruptsOn(now)) return
  return [
    L.CLIMB_IDT,
    {
      kind: 'wrong',
      title: 'Interrupts are on, and there is no interrupt table',
      text: 'IDTR still says where the real-mode vectors are. The next interrupt takes them for gates, finds none, and that is #GP, #DF and a triple fault. LIDT belongs before STI.',
      evidence: [flagFact(now), tableFact(now, 'idtr')],
    },
  ]
}

const shortTable: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_IDT)
  if (!at) return
  const size = at.after.mode === 'long64' || at.after.mode.startsWith('compat') ? 16 : 8
  const gates = Math.floor((at.after.idtr.limit + 1) / size)
  if (gates >= 32) return
  return [
    L.CLIMB_IDT,
    {
      kind: 'note',
      title: `The table has room for ${gates} gates only`,
      text: `Vectors 0 to 31 are the exceptions. One beyond the limit cannot be delivered: it becomes #GP, and without that #DF and a triple fault. The limit is the size in bytes minus one, with ${size} bytes for a gate in this mode.`,
      evidence: [tableFact(at.after, 'idtr')],
    },
  ]
}

const vectorOfException: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_INTERRUPT)
  const vector = at ? Number(at.detail & 0xffn) : 255
  if (vector >= 32) return
  return [
    L.CLIMB_INTERRUPT,
    {
      kind: 'wrong',
      title: `An interrupt came as vector ${hex(vector, 2)}h, which is ${exceptionName(vector).mnemonic}’s`,
      text: 'The handler cannot tell the two apart, and an exception with an error code has another frame than an interrupt. Remap the PIC to vectors from 20h on before STI.',
      evidence: [fact('vector', `${hex(vector, 2)}h`)],
    },
  ]
}

const noTask: Rule = ({ moments }) => {
  const at = moments.get(L.CLIMB_RING3)
  if (at?.after.segments.tr.selector !== 0) return
  const { base, limit } = at.after.segments.tr
  return [
    L.CLIMB_TSS,
    {
      kind: 'wrong',
      title: 'Ring 3 was entered without a TSS',
      text: 'The next interrupt, exception or system call by a gate takes the kernel’s stack from the TSS in TR. TR was never loaded, so it is read from where the reset left TR’s base: what lies there becomes the stack pointer, and the first push ends in #SS, #TS or #PF, and then in a triple fault. LTR belongs before the IRET.',
      evidence: [fact('TR', `0000 base ${hex(base, 8)} limit ${hex(limit, 4)}`)],
    },
  ]
}

const noKernelStack: Rule = ({ memory, moments }) => {
  const at = moments.get(L.CLIMB_RING3)
  if (!at || at.after.segments.tr.selector === 0) return
  // While a program runs; a kernel may write RSP0 on the way out of itself.
  const cpu = at.after.index
  if (memory.cpu32(cpu, L.CPU_CPL) !== 3) return
  const long = at.after.mode === 'long64' || at.after.mode.startsWith('compat')
  const bytes = readThroughPages(
    memory,
    pagingControl(memory, cpu),
    at.after.segments.tr.base + 4n,
    long ? 8 : 4,
  )
  if (bytes.length < (long ? 8 : 4) || bytes.some((byte) => byte !== 0)) return
  return [
    L.CLIMB_TSS,
    {
      kind: 'wrong',
      title: `${long ? 'RSP0' : 'ESP0'} in the TSS is 0`,
      text: 'An interrupt that comes while a program of ring 3 runs puts its frame below address 0, that is at the very end of the address space. Unless that is mapped, it is a page fault while delivering, then #DF with the same stack: a triple fault.',
      evidence: [fact('TSS', `base ${hex(at.after.segments.tr.base, long ? 16 : 8)}`)],
    },
  ]
}

const RULES: readonly Rule[] = [
  a20Closed,
  noTable,
  interruptsIntoProtected,
  still16,
  pagingFromZero,
  withoutPae,
  withoutLme,
  stillCompatible,
  noInterruptTable,
  shortTable,
  vectorOfException,
  noTask,
  noKernelStack,
]

/** The stages that a mistake belongs to: the first that is not reached yet, else the last of them. */
const STAGES_OF: Partial<Record<FindingKind, readonly number[]>> = {
  'identity-map-missing': [L.CLIMB_TABLES],
  'reserved-bit': [L.CLIMB_TABLES],
  'long-mode-order': [L.CLIMB_LME, L.CLIMB_PAE, L.CLIMB_PAGING],
  'interrupts-without-table': [L.CLIMB_IDT],
  'interrupt-table': [L.CLIMB_IDT],
  gate: [L.CLIMB_IDT],
  'page-fault-path': [L.CLIMB_IDT],
  'return-frame': [L.CLIMB_IDT],
  'tables-not-mapped': [L.CLIMB_IDT],
  'descriptor-table': [L.CLIMB_GDT],
  'task-state': [L.CLIMB_TSS],
  'wrong-code-size': [L.CLIMB_CODE32, L.CLIMB_CODE64],
}

export function troublesOf(body: Body): { byStage: Map<number, Trouble[]>; rest: Trouble[] } {
  const byStage = new Map<number, Trouble[]>()
  const add = (stage: number, trouble: Trouble) =>
    byStage.set(stage, [...(byStage.get(stage) ?? []), trouble])
  const rest: Trouble[] = []
  for (const { kind, title, text, evidence } of body.findings) {
    // A boot chain may have come to its end on purpose; one that panicked has not.
    const rests =
      (kind === 'halted' || kind === 'spinning') && !evidence.some(({ what }) => what === 'raised at')
    const trouble: Trouble = { kind: rests ? 'note' : 'dead', title, text, evidence }
    const stages = STAGES_OF[kind]
    if (!stages) rest.push(trouble)
    else add(stages.find((id) => !body.moments.has(id)) ?? stages.at(-1)!, trouble)
  }
  for (const rule of RULES) {
    const found = rule(body)
    if (found) add(...found)
  }
  return { byStage, rest }
}
