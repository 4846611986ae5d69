// A CPU that will do nothing any more although nothing failed: it has halted with interrupts off, or goes round in a
// circle. Kernels that panic end so; then the exception that they panicked about, and who called, is what one wants to know.
import * as L from '../core/layout'
import type { Machine } from '../machine/api'
import type { MachineMemory } from '../machine/memory'
import { autopsy, type Finding } from './autopsy'
import { callers } from './call-stack'
import { hex, hexBytes, addressDigits } from './hex'
import { exceptionName } from './exceptions'
import { codeBits } from './mode'
import { type PagingControl, pagingControl, readThroughPages } from './page-walk'
import { lastExceptionReport, title, type TripleFaultReport } from './triple-fault'

const RFLAGS_IF = 0x200n
/** How far above RSP a handler's frame is looked for. */
const FRAME_REACH = 16384
const RBP = 5

/** JMP to itself, also with a PAUSE before it: bytes, and how far before RIP the loop may have begun. */
const SELF_JUMPS: readonly number[][] = [
  [0xeb, 0xfe],
  [0xf3, 0x90, 0xeb, 0xfc],
  [0xe9, 0xfb, 0xff, 0xff, 0xff],
]

/**
 * What a CPU at rest, or going round in a circle, waits for; undefined when it is neither.
 * @param name of an address, when there are symbols
 */
export function restAutopsy(
  memory: MachineMemory,
  cpu: number,
  name: (address: bigint) => string | undefined = () => undefined,
): Finding | undefined {
  const mode = memory.cpu32(cpu, L.CPU_MODE)
  const rip = memory.cpu64(cpu, L.CPU_RIP)
  const base = memory.cpu64(cpu, L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE + L.SEGMENT_BASE)
  const code = codeBits(mode) === 64 ? rip : (base + rip) & 0xffff_ffffn
  const interruptible = (memory.cpu64(cpu, L.CPU_RFLAGS) & RFLAGS_IF) !== 0n
  const place = (address: bigint, named = address) => {
    const label = name(named)
    return `${hex(address, addressDigits(codeBits(mode)))}${label ? ` (${label})` : ''}`
  }
  const where = { what: 'RIP', value: place(code) }
  const flag = { what: 'RFLAGS.IF', value: interruptible ? '1' : '0' }
  const control = pagingControl(memory, cpu)

  const halted = memory.cpu32(cpu, L.CPU_ACTIVITY) === L.ACTIVITY_HALTED
  const bytes = readThroughPages(memory, control, code, 5)
  const loop = SELF_JUMPS.find((pattern) => pattern.every((byte, i) => bytes[i] === byte))
  if (halted ? interruptible : !loop) return undefined
  // A call that never returns may be the last instruction of its function: the name is that of the CALL.
  const called = (frame: bigint, inMode: number) => {
    const bits = codeBits(inMode)
    const found = bits === 16 ? [] : callers(memory, control, frame, bits === 64 ? 8 : 4)
    return found.map((address, i) => ({
      what: i === 0 ? 'called from' : '',
      value: place(address, address - 1n),
    }))
  }
  const unhandled = interruptible ? undefined : unfinished(memory, cpu, control, mode)
  if (unhandled) return afterException(memory, cpu, unhandled, halted, [where, flag], { place, called })
  const calls = interruptible ? [] : called(memory.cpu64(cpu, L.CPU_RBP), mode)
  if (halted)
    return {
      kind: 'halted',
      title: 'Halted with interrupts off',
      text: 'HLT waits for an interrupt, and RFLAGS.IF keeps all but NMI away: nothing the machine does by itself will wake this CPU. That is how many boot chains end on purpose; if yours should go on, it needs STI before HLT.',
      evidence: [where, flag, ...calls],
    }
  return {
    kind: 'spinning',
    title: interruptible ? 'Spinning in a jump to itself' : 'Spinning with interrupts off',
    text: `The instruction at ${hex(code, addressDigits(codeBits(mode)))} jumps to itself${interruptible ? '; only interrupt handlers still run' : ', and RFLAGS.IF is clear: this CPU will never do anything else'}. HLT in the loop would save the power and show as idle.`,
    evidence: [where, flag, { what: 'bytes', value: hexBytes(bytes.subarray(0, loop!.length)) }, ...calls],
  }
}

function afterException(
  memory: MachineMemory,
  cpu: number,
  report: TripleFaultReport,
  halted: boolean,
  state: Finding['evidence'],
  {
    place,
    called,
  }: { place: (address: bigint) => string; called: (frame: bigint, mode: number) => Finding['evidence'] },
): Finding {
  const first = report.steps[0]!.record
  const { record } = report.steps.at(-1)!
  const [likely] = autopsy(memory, cpu, report)
  const { mnemonic } = exceptionName(record.vector)
  const raised = place(report.instruction.linear)
  const does = halted ? 'has halted this CPU' : 'goes round in a jump to itself'
  return {
    kind: halted ? 'halted' : 'spinning',
    title: `${halted ? 'Halted' : 'Spinning'} after ${likely ? `${mnemonic}: ${lower(likely.title)}` : title(record)}`,
    text: `${report.sentence} That was at ${raised}. The handler of ${mnemonic} has not returned: it ${does} with interrupts off, as a kernel does that panics.${likely ? ` ${likely.text}` : ''}`,
    evidence: [
      ...report.steps.map((step) => ({
        what: exceptionName(step.record.vector).mnemonic,
        value: step.title,
      })),
      { what: 'raised at', value: raised },
      ...called(first.gpr[RBP]!, first.mode),
      ...(likely?.evidence ?? []),
      ...state,
    ],
  }
}

const lower = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? `${text[0]!.toLowerCase()}${text.slice(1)}` : text

/** The last exception, if its handler has not returned: what the CPU pushed for it lies above RSP still. */
function unfinished(
  memory: MachineMemory,
  cpu: number,
  control: PagingControl,
  mode: number,
): TripleFaultReport | undefined {
  const bits = codeBits(mode)
  if (bits === 16) return undefined
  const report = lastExceptionReport(memory, cpu)
  const last = report?.steps.at(-1)?.record
  if (!report || !last || codeBits(last.mode) !== bits) return undefined
  // RIP, CS, RFLAGS, and in 64-bit mode always, else from another ring, RSP and SS (SDM 3A 6.12.1, 6.14.2).
  const width = bits === 64 ? 8 : 4
  const rsp = memory.cpu64(cpu, L.CPU_RSP)
  const above = readThroughPages(memory, control, rsp, FRAME_REACH)
  const view = new DataView(above.buffer, above.byteOffset, above.byteLength)
  const word = (at: number) => (width === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)))
  for (let at = 0; at + 5 * width <= above.length; at += width) {
    if (word(at) !== last.rip || (word(at + width) & 0xffffn) !== BigInt(last.cs)) continue
    if (width === 8 && word(at + 3 * width) !== last.rsp) continue
    return report
  }
  return undefined
}

/**
 * What the machine will never come out of by itself: only when no CPU will do anything else. May be asked of a machine that
 * runs: it is held for the look that counts, and only if a first one, which costs it nothing, has found something.
 * Flags, RIP and whether the CPU has halted belong to one moment only then: a guest that goes round in STI, HLT, CLI is seen
 * before the STI and in the HLT.
 */
export function machineAtRest(
  machine: Pick<Machine, 'memory' | 'hold'>,
  name?: (address: bigint) => string | undefined,
): Finding | undefined {
  const look = () => lookForRest(machine.memory, name)
  return look() && machine.hold(look)
}

/** What has changed while it was looked at is not at rest: the host gives up holding a CPU that waits for it. */
function lookForRest(
  memory: MachineMemory,
  name?: (address: bigint) => string | undefined,
): Finding | undefined {
  const halted = (cpu: number) => memory.cpu32(cpu, L.CPU_ACTIVITY) === L.ACTIVITY_HALTED
  const started = Array.from({ length: memory.cpuCount }, (_, cpu) => cpu).filter(
    (cpu) => memory.cpu32(cpu, L.CPU_ACTIVITY) !== L.ACTIVITY_WAIT_SIPI,
  )
  const look = () => started.map((cpu) => `${halted(cpu)} ${halted(cpu) && memory.cpu64(cpu, L.CPU_RETIRED)}`)
  const before = look()
  let found: Finding | undefined
  for (const cpu of started) {
    const finding = restAutopsy(memory, cpu, name)
    if (!finding) return undefined
    // The CPU that panicked says more than those it has stopped.
    if (!found || (!tells(found) && tells(finding))) found = finding
  }
  return look().every((state, i) => state === before[i]) ? found : undefined
}

const tells = ({ evidence }: Finding): boolean => evidence.some(({ what }) => what === 'raised at')
