// Why a machine came to rest, in words.
import * as L from '../core/layout'
import { autopsy } from '../insight/autopsy'
import { tripleFaultReport } from '../insight/triple-fault'
import { tripleFaultText } from '../insight/triple-fault-text'
import { instructions, linear, nanoseconds, type StopInfo, type StopReason } from './api'
import { cpuSnapshot } from './cpu-snapshot'
import { disassembler } from './iced'
import type { MachineMemory } from './memory'
import { readLinear } from './peek'

const REASONS: Record<number, StopReason> = {
  [L.STOP_PAUSE]: 'pause',
  [L.STOP_STEP]: 'step',
  [L.STOP_TRIPLE_FAULT]: 'triple-fault',
  [L.STOP_DEBUG_EXIT]: 'debug-exit',
  [L.STOP_POWER_OFF]: 'power-off',
  [L.STOP_INTERNAL]: 'internal',
}

/**
 * @param reason STOP_*
 * @param error of a thread that broke
 */
export async function describeStop(memory: MachineMemory, reason: number, error?: string): Promise<StopInfo> {
  const value = memory.header32(L.HDR_STOP_VALUE)
  const info: StopInfo = {
    reason: REASONS[reason] ?? 'pause',
    value,
    instructions: instructions(retiredByAll(memory)),
    time: nanoseconds(memory.header64(L.HDR_CLOCK_NOW)),
    message: '',
  }
  switch (info.reason) {
    case 'pause':
      return { ...info, message: 'Paused.' }
    case 'step':
      return { ...info, message: 'Stepped.' }
    case 'power-off':
      return { ...info, message: 'The guest powered the machine off.' }
    case 'debug-exit':
      return { ...info, message: `The guest ended the run through port F4h with the value ${value}.` }
    case 'triple-fault':
      return { ...info, ...(await tripleFault(memory)) }
    case 'internal':
      return {
        ...info,
        message: 'Ringside itself failed: this is a bug in the emulator, not in the guest.',
        report: internalReport(memory, error ?? `inconsistency number ${value}`),
      }
  }
}

function retiredByAll(memory: MachineMemory): bigint {
  let sum = 0n
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) sum += memory.cpu64(cpu, L.CPU_RETIRED)
  return sum
}

/** The account of what led to it, with the instruction in words. */
async function tripleFault(memory: MachineMemory): Promise<Pick<StopInfo, 'message' | 'report'>> {
  const disassemble = await disassembler()
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
    const report = tripleFaultReport(
      memory,
      cpu,
      (bytes, rip, bits) => disassemble(bytes, rip, bits)?.text ?? '(bad)',
    )
    if (!report) continue
    return { message: report.sentence, report: tripleFaultText(report, autopsy(memory, cpu, report)) }
  }
  return { message: 'Triple fault: an exception could not be delivered.' }
}

/** The guest's state when the emulator broke, first that of the CPU it broke on: what somebody needs who is to find out why. */
function internalReport(memory: MachineMemory, error: string): string {
  const broken = Math.min(memory.header32(L.HDR_STOP_CPU), memory.cpuCount - 1)
  const cpu = cpuSnapshot(memory, broken)
  const hex = (number: bigint | number, digits = 16) =>
    number.toString(16).toUpperCase().padStart(digits, '0')
  const bytes = [...readLinear(memory, linear(cpu.ripLinear), 16, broken)]
    .map((byte) => hex(byte, 2))
    .join(' ')
  const names = [
    'RAX',
    'RCX',
    'RDX',
    'RBX',
    'RSP',
    'RBP',
    'RSI',
    'RDI',
    'R8',
    'R9',
    'R10',
    'R11',
    'R12',
    'R13',
  ]
  const registers = [...names, 'R14', 'R15'].map((name, i) => `${name.padEnd(3)} ${hex(cpu.gpr[i]!)}`)
  const lines = [
    error,
    '',
    `${memory.cpuCount > 1 ? `CPU ${broken}: ` : ''}after ${cpu.instructions} instructions, in ${cpu.mode} mode, CPL ${cpu.cpl}, ${cpu.activity}`,
    `next instruction at CS:RIP ${hex(cpu.segments.cs.selector, 4)}:${hex(cpu.rip)}, linear ${hex(cpu.ripLinear)}`,
    `bytes there: ${bytes || 'not mapped'}`,
  ]
  for (let i = 0; i < 16; i += 4) lines.push(registers.slice(i, i + 4).join('  '))
  lines.push(`RFLAGS ${hex(cpu.rflags, 8)}  CR0 ${hex(cpu.cr0, 8)}  CR2 ${hex(cpu.cr2)}  CR3 ${hex(cpu.cr3)}`)
  lines.push(`CR4 ${hex(cpu.cr4, 8)}  EFER ${hex(cpu.efer, 8)}`)
  for (let other = 0; other < memory.cpuCount; other++) {
    if (other === broken) continue
    const { mode, activity, instructions, segments, rip } = cpuSnapshot(memory, other)
    const where = `${hex(segments.cs.selector, 4)}:${hex(rip)}`
    lines.push(`CPU ${other}: ${activity}, ${mode} mode, at ${where} after ${instructions} instructions`)
  }
  lines.push(...lastExceptions(memory, broken))
  return lines.join('\n')
}

function lastExceptions(memory: MachineMemory, cpu: number): string[] {
  const block = memory.cpuBlock(cpu)
  const next = Number(memory.cpu64(cpu, L.CPU_EXCEPTION_LOG_NEXT))
  const lines: string[] = []
  for (let i = Math.max(0, next - 5); i < next; i++) {
    const at = block + L.CPU_EXCEPTION_LOG + (i % L.XLOG_COUNT) * L.XLOG_SIZE
    const vector = memory.view.getUint32(at + L.XLOG_VECTOR, true)
    const error = memory.view.getUint32(at + L.XLOG_ERROR, true)
    const rip = memory.view.getBigUint64(at + L.XLOG_RIP, true)
    const retired = memory.view.getBigUint64(at + L.XLOG_RETIRED, true)
    lines.push(
      `vector ${vector}, error code ${error.toString(16)}h, at RIP ${rip.toString(16)}h after ${retired} instructions`,
    )
  }
  return lines.length > 0 ? ['last exceptions and interrupts, oldest first:', ...lines] : []
}
