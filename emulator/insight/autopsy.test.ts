// Broken boot chains of our own (assets/guests/tests/broken-*.asm): each dies of its one mistake on the real machine,
// and the autopsy has to name it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import * as L from '../core/layout'
import { defaultConfig, type Machine } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { autopsy, type Finding } from './autopsy'
import { machineAtRest, restAutopsy } from './rest-autopsy'
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
    ['divide', 'interrupt-table', 'There is no interrupt table yet'],
    ['gate-absent', 'interrupt-table', 'The gate for #UD is not present'],
    [
      'gate-selector',
      'gate',
      'The gate for #UD names selector 0010h, which is no code segment it could go to',
    ],
    ['gate-size', 'gate', 'The IDT is not one of long mode: its gates have 8 bytes'],
    ['task-limit', 'task-state', 'The TSS is too short for the stack that is wanted'],
    ['fault-in-fault', 'page-fault-path', 'The page-fault handler raises a page fault itself'],
    [
      'stale',
      'stale-translation',
      'The TLB was out of date: the instruction comes from a frame that is not mapped there any more',
    ],
    ['cr3', 'identity-map-missing', 'Paging went on with CR3 = 0'],
    ['far-jump', 'wrong-code-size', 'The far jump is missing: the code still runs as 16-bit code'],
    ['stack-zero', 'task-state', 'RSP0 in the TSS is 0: ring 3 has no stack to come back on'],
    ['return', 'return-frame', 'The handler of #PF returned without taking the error code from the stack'],
    ['text', 'not-code', 'A text is being executed'],
  ])('%s: %s', async (name, kind, title) => {
    const [first, ...others] = await findings(name)
    expect(first).toMatchObject({ kind, title })
    expect(first!.evidence.length).toBeGreaterThan(0)
    // What else is said must be true as well: without an IDT, that there is none.
    const consequences = [
      'interrupt-table',
      'code-not-mapped',
      'tables-not-mapped',
      'not-code',
      'descriptor-table',
      'stack',
    ]
    expect(consequences).toEqual(expect.arrayContaining([...new Set(others.map((other) => other.kind))]))
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

  it('shows where the evidence lies: code, bytes, walks', async () => {
    const links = (await findings('fault-in-fault'))[0]!.evidence.flatMap(({ what, link }) =>
      link ? [[what, link]] : [],
    )
    expect(links).toEqual(
      expect.arrayContaining([
        ['handler at', { go: 'code', address: 0x7d1fn }],
        ['touches', { go: 'pages', address: 0x500000n }],
        ['PDE', { go: 'memory', address: 0x12010n, physical: true }],
      ]),
    )
    const [gate] = await findings('gate-selector')
    expect(gate!.evidence).toContainEqual({
      ...{ what: 'IDT 6', value: '00008E0000107C9E' },
      link: { go: 'memory', address: 0x20030n },
    })
    const [returned] = await findings('return')
    expect(returned!.text).toContain('ADD RSP, 8 belongs before IRET')
    expect(returned!.evidence[1]!.value).toBe('0000000000007D17  where it was raised')
    const [stale] = await findings('stale')
    expect(stale!.evidence).toContainEqual(expect.objectContaining({ what: 'TLB: frame', value: '00050000' }))
    expect((await findings('task-limit'))[0]!.text).toContain('which is IST1')
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
    const ended = await boot(image('halt'))
    while (restAutopsy(ended.memory, 0)?.kind !== 'halted') await new Promise((done) => setTimeout(done, 5))
    const seed = (name: string) =>
      fileURLToPath(new URL(`../../assets/guests/seed/${name}.img`, import.meta.url))
    const halted = await boot(seed('p5'))
    while (restAutopsy(halted.memory, 0)?.kind !== 'halted') await new Promise((done) => setTimeout(done, 5))
    expect(restAutopsy(halted.memory, 0)!.title).toBe('Halted with interrupts off')
    // p3 halts with interrupts on.
    const waiting = await boot(seed('p3'))
    while (waiting.cpu(0).activity !== 'halted') await new Promise((done) => setTimeout(done, 5))
    await waiting.pause()
    expect(restAutopsy(waiting.memory, 0)).toBeUndefined()
  })

  // As iPXE's cpu_nap() does, and with the clock going on to the next interrupt at once: looked at without care, its flags are those of
  // one moment and its HLT is of the next.
  it('does not take a machine for halted that goes round in STI, HLT, CLI', async () => {
    const sector = new Uint8Array(512)
    // MOV AL, 34h; OUT 43h, AL; MOV AL, 80h; OUT 40h, AL; MOV AL, 0; OUT 40h, AL: channel 0 every 107 us.
    // again: STI; HLT; CLI; MOV CX, 40h; LOOP $; JMP again
    const code = 'b034e643 b080e640 b000e640 fbf4fa b94000 e2fe ebf6'.replace(/ /g, '')
    sector.set(Buffer.from(code, 'hex'))
    sector.set([0x55, 0xaa], 510)
    const folder = mkdtempSync(join(tmpdir(), 'nap-'))
    try {
      writeFileSync(join(folder, 'nap.img'), sector)
      const napping = await boot(join(folder, 'nap.img'))
      const halts = () => napping.memory.cpu32(0, L.CPU_ACTIVITY) === L.ACTIVITY_HALTED
      let looks = 0
      let halted = 0
      while (halted < 10_000) {
        if (halts()) halted++
        expect(machineAtRest(napping), `look ${looks}`).toBeUndefined()
        if (++looks % 500 === 0) await new Promise((done) => setImmediate(done))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
