// The system architecture as guests see it, each expectation citing its manual section (the .asm files). The same
// ROMs run on QEMU by hand; README.md has the differences.
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import * as L from '../../layout'
import { tripleFaultReport } from '../../../insight/triple-fault'
import { MachineMemory } from '../../../machine/memory'
import { assemble, runRom } from './guest'

const nasm = (() => {
  try {
    execFileSync('nasm', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.skipIf(!nasm)('system tests', () => {
  it.each([
    'real',
    'control',
    'protected',
    'gates16',
    'long',
    'paging',
    'paging64',
    'task',
    'taskgates',
    'v86',
    'debug',
    'debug64',
    'features',
    'access',
    'corner64',
    'control64',
    'device',
    'la57',
    'keys',
    'msr',
    'interrupts',
    'apic',
    'ioapic',
  ])('%s', (name) => {
    const { lines, stopReason } = runRom(assemble(name))
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([
      expect.stringMatching(/^DONE [0-9A-F]{8} 0{8}$/),
    ])
    expect(stopReason).toBe(L.STOP_DEBUG_EXIT)
  })

  it('a triple fault in long mode, and its account', () => {
    const { core, lines, stopReason } = runRom(assemble('triple'))
    expect(lines).toEqual([])
    expect(stopReason).toBe(L.STOP_TRIPLE_FAULT)
    const report = tripleFaultReport(
      new MachineMemory(core.memory),
      0,
      (bytes, _rip, bits) => `${bits}: ${bytes[0]}`,
    )!
    expect(report.sentence).toBe(
      'Linear address 0000000040000008 was to be written and is not mapped: its PDPTE is not present, and the #PF this ' +
        "raised could not be delivered because the interrupt table ends before entry 14 (#PF): IDTR's limit is Fh: so " +
        'came #GP, then #DF, then the triple fault.',
    )
    expect(report.steps.map(({ title }) => title)).toEqual([
      '#PF page fault, error code 0002 (supervisor write, not present)',
      '#GP general protection, error code 0073 (IDT entry 14, EXT)',
      '#DF double fault, error code 0000',
      '#GP general protection, error code 0043 (IDT entry 8, EXT)',
    ])
    // mov [rbx + 8], eax
    expect([...report.instruction.bytes.subarray(0, 3)]).toEqual([0x89, 0x43, 0x08])
    expect(report.instruction.text).toBe('64: 137')
    expect(report.steps[0]!.record.gpr[3]).toBe(0x40000000n)
    expect(report.steps[0]!.walk?.steps.map(({ name, present }) => [name, present])).toEqual([
      ['PML4E', true],
      ['PDPTE', false],
    ])
  })
})
