// Broken boot chains of our own (assets/guests/tests/broken-*.asm): each dies of its one mistake on the real machine,
// and the autopsy has to name it.
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultConfig, type Machine } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { autopsy, type Finding } from './autopsy'
import { restAutopsy } from './rest-autopsy'
import { tripleFaultReport } from './triple-fault'

const image = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/tests/broken-${name}.img`, import.meta.url))

const machines: Machine[] = []
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.dispose()
})

async function boot(path: string): Promise<Machine> {
  const machine = await createMachine({
    ...defaultConfig(),
    pace: false,
    drives: [{ slot: 'hda', medium: openMedium(path) }],
  })
  machines.push(machine)
  machine.run()
  return machine
}

async function findings(name: string): Promise<Finding[]> {
  const machine = await boot(image(name))
  expect((await machine.whenStopped()).reason).toBe('triple-fault')
  return autopsy(machine.memory, 0, tripleFaultReport(machine.memory, 0)!)
}

describe('autopsy', () => {
  it.each([
    ['identity', 'identity-map-missing', 'Paging went on, and the next instruction is not mapped'],
    ['stack', 'stack', 'The stack ran out of its memory'],
    ['sti', 'interrupts-without-table', 'Interrupts were on before there was an interrupt table'],
    ['zeros', 'not-code', 'Zeros are being executed'],
    ['non-canonical', 'non-canonical', 'A jump to an address that cannot exist'],
    ['reserved', 'reserved-bit', 'The PTE has a reserved bit set'],
    ['no-execute', 'no-execute', 'Execution went to a page that is data'],
    ['order', 'long-mode-order', 'Paging went on for long mode without CR4.PAE'],
    ['efer', 'long-mode-order', 'EFER.LME was changed while paging was on'],
    ['gdt', 'descriptor-table', 'Selector 0008h names an empty descriptor'],
    ['idt', 'tables-not-mapped', 'The IDT is not mapped in this address space'],
    ['code64', 'wrong-code-size', '64-bit code runs as 32-bit code'],
    ['code32', 'wrong-code-size', '32-bit code runs in 64-bit mode'],
    ['task-state', 'task-state', 'There is no TSS to take the stack from'],
  ])('%s: %s', async (name, kind, title) => {
    const [first, ...others] = await findings(name)
    expect(first).toMatchObject({ kind, title })
    expect(first!.evidence.length).toBeGreaterThan(0)
    // What else is said must be true as well: without an IDT, that there is none.
    expect(['interrupt-table', 'code-not-mapped', 'tables-not-mapped']).toEqual(
      expect.arrayContaining([...new Set(others.map((other) => other.kind))]),
    )
  })

  it('says where paging went on and how the walk ended', async () => {
    const [first] = await findings('identity')
    expect(first!.text).toContain('identity map')
    expect(first!.evidence).toContainEqual({
      what: 'CR0.PG set',
      value: expect.stringMatching(/^[12] instruction/),
    })
    expect(first!.evidence.at(-1)!.value).toContain('not present')
  })

  it('knows the timer that the BIOS left at vector 8', async () => {
    const [first] = await findings('sti')
    expect(first!.text).toContain('IRQ 0 (timer) came as vector 08h')
  })

  it('tells a machine that has come to its end from one that waits', async () => {
    const spinning = await boot(image('spin'))
    while (restAutopsy(spinning.memory, 0)?.kind !== 'spinning')
      await new Promise((done) => setTimeout(done, 5))
    expect(restAutopsy(spinning.memory, 0)!.title).toBe('Spinning with interrupts off')
    const seed = (name: string) =>
      fileURLToPath(new URL(`../../assets/guests/seed/${name}.img`, import.meta.url))
    const halted = await boot(seed('p5'))
    while (restAutopsy(halted.memory, 0)?.kind !== 'halted') await new Promise((done) => setTimeout(done, 5))
    expect(restAutopsy(halted.memory, 0)!.title).toBe('Halted with interrupts off')
    // p3 halts with interrupts on.
    const waiting = await boot(seed('p3'))
    while (waiting.cpu(0).activity !== 'halted') await new Promise((done) => setTimeout(done, 5))
    expect(restAutopsy(waiting.memory, 0)).toBeUndefined()
  })
})
