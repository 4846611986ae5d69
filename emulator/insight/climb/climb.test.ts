// The climb of real guests: what did each stage, what it changed, and what a kernel that stumbles is told.
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import * as L from '../../core/layout'
import { defaultConfig, type Machine, physical } from '../../machine/api'
import { disassembler } from '../../machine/iced'
import { createMachine } from '../../machine/machine'
import { openMedium } from '../../media/medium'
import { autopsy } from '../autopsy'
import { tripleFaultReport } from '../triple-fault'
import { changed } from './changes'
import { type ClimbAccount, climbAccount } from './climb'
import { STAGES } from './stages'

const guest = (path: string) => fileURLToPath(new URL(`../../../assets/guests/${path}`, import.meta.url))

const machines: Machine[] = []
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.dispose()
})

async function boot(path: string, cpus = 1): Promise<Machine> {
  const machine = await createMachine({
    ...defaultConfig(),
    ...{ cpus, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(guest(path)) }],
  })
  machines.push(machine)
  machine.run()
  return machine
}

async function account(machine: Machine): Promise<ClimbAccount> {
  const read = await disassembler()
  const report = tripleFaultReport(machine.memory, 0)
  return climbAccount(
    machine.memory,
    { disassemble: (...what) => read(...what)?.text ?? '', label: () => undefined },
    report ? autopsy(machine.memory, 0, report) : [],
  )
}

const stage = ({ stages }: ClimbAccount, id: number) => stages.find((one) => one.id === id)!
/** "cr0 60000011 e0000011 PG set" */
const changes = (told: ClimbAccount, id: number) =>
  changed(stage(told, id).registers).map(({ name, before, after, note }) =>
    [name, before?.toString(16) ?? '-', after.toString(16), note].filter(Boolean).join(' '),
  )
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((done) => setTimeout(done, 5))
}
const reached = (machine: Machine, id: number) =>
  machine.milestones().some((one) => one.id === id && one.reached)
const troubles = (told: ClimbAccount) =>
  told.stages.flatMap(({ id, troubles }) => troubles.map(({ kind, title }) => `${id} ${kind}: ${title}`))

describe('the climb', () => {
  it('of the boot chain in the documents: each instruction and what it changed', async () => {
    const machine = await boot('seed/p5.img')
    await until(() => machine.cpu(0).activity === 'halted')
    const told = await account(machine)
    // The addresses and instructions are those that ndisasm reads in the image.
    const did = told.stages.flatMap(({ name, by, next }) =>
      by ? [`${name}: ${by.at} ${by.text} -> ${next!.address.toString(16)}`] : [],
    )
    expect(did).toEqual([
      expect.stringMatching(/^BIOS, POST done: F000:/),
      expect.stringMatching(/^Boot sector: F000:.* -> 7c00$/),
      'A20 gate open: 0000:8018 out 92h,al -> 801a',
      'GDT loaded: 0000:8021 lgdt [8288h] -> 8026',
      'Protected mode: 0000:802D mov cr0,eax -> 8030',
      '32-bit code: 0000:8036 jmp 8:80B3h -> 80b3',
      'Page tables: 0008:000080D6 mov cr3,eax -> 80d9',
      'PAE: 0008:000080DF mov cr4,eax -> 80e2',
      'EFER.LME: 0008:000080EE wrmsr -> 80f0',
      'Paging: 0008:000080F8 mov cr0,eax -> 80fb',
      'Long mode active: 0008:000080F8 mov cr0,eax -> 80fb',
      '64-bit code: 0008:0000810C jmp 0018h:00008205h -> 8205',
    ])
    expect(stage(told, L.CLIMB_BIOS).by!.firmware).toBe(true)
    expect(stage(told, L.CLIMB_GDT).by!.firmware).toBe(false)
    expect(changes(told, L.CLIMB_GDT)).toContainEqual(expect.stringMatching(/^gdtr .* 8260 limit 27$/))
    expect(changes(told, L.CLIMB_PROTECTED)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^cr0 (\d+) .*1 PE set$/), 'eip 802d 8030']),
    )
    // A far jump changes CS and nothing of the table registers.
    expect(changes(told, L.CLIMB_CODE32).map((line) => line.split(' ')[0])).toEqual(['eip', 'cs'])
    expect(changes(told, L.CLIMB_CODE32)[1]).toMatch(/^cs 0 8 base 0 limit ffffffff, 32-bit code$/)
    expect(changes(told, L.CLIMB_PAGING)).toEqual([
      'eip 80f8 80fb',
      expect.stringMatching(/^cr0 \w+ \w+ PG set$/),
      'efer 100 500 LMA set',
    ])
    expect(changes(told, L.CLIMB_CODE64)).toContainEqual(expect.stringMatching(/^cs 8 18 .*64-bit code$/))
    // What opened the gate changed nothing in the CPU but where it is.
    expect(changes(told, L.CLIMB_A20)).toEqual(['eip 8018 801a'])
    expect(troubles(told)).toEqual([])
    expect(stage(told, L.CLIMB_RING3).state).toBe('open')
    expect(stage(told, L.CLIMB_RESET).registers.find(({ name }) => name === 'cs')).toMatchObject({
      after: 0xf000n,
      note: expect.stringContaining('base ffff0000'),
    })
    // Every stage says what it is, and what others call it.
    for (const { text, documents } of told.stages) {
      expect(text.match(/[.;!?](\s|$)/g)!.length, text).toBeGreaterThanOrEqual(2)
      expect(documents.length).toBeGreaterThan(0)
    }
    expect(STAGES.map(({ id }) => id)).toEqual(machine.milestones().map(({ id }) => id))
  })

  it('of real mode ends at the boot sector; that of 32-bit code says so', async () => {
    const p3 = await boot('seed/p3.img')
    await until(() => p3.cpu(0).activity === 'halted')
    const real = await account(p3)
    expect(real.mode).toBe('real mode')
    expect(real.stages.filter(({ state }) => state === 'reached').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Reset vector', 'BIOS, POST done', 'Boot sector']),
    )
    expect(stage(real, L.CLIMB_PROTECTED).state).toBe('open')
    const p4 = await boot('seed/p4.img')
    await until(() => p4.cpu(0).activity === 'halted')
    const protectedMode = await account(p4)
    expect(stage(protectedMode, L.CLIMB_CODE32).state).toBe('reached')
    expect(stage(protectedMode, L.CLIMB_PAGING).state).toBe('open')
    expect(troubles(protectedMode)).toEqual([])
  })

  it('of Seedling with two CPUs goes all the way to user mode', async () => {
    const machine = await boot('seedling/seedling.img', 2)
    await until(() => reached(machine, L.CLIMB_RING3) && reached(machine, L.CLIMB_AP))
    await machine.pause()
    const told = await account(machine)
    expect(told.stages.filter(({ state }) => state !== 'reached')).toEqual([])
    expect(troubles(told)).toEqual([])
    expect(stage(told, L.CLIMB_HIGHER_HALF).by!.text).toBe('jmp rax')
    expect(stage(told, L.CLIMB_HIGHER_HALF).next!.address >> 47n).toBe(0x1ffffn)
    expect(stage(told, L.CLIMB_TSS).by!.text).toBe('ltr ax')
    expect(changes(told, L.CLIMB_TSS)).toContainEqual(expect.stringMatching(/^tr 0 \w+ base ffff/))
    expect(stage(told, L.CLIMB_INTERRUPT)).toMatchObject({
      detail: expect.stringMatching(/^vector [2-9A-F]/),
    })
    expect(stage(told, L.CLIMB_AP).detail).toMatch(/^CPU 1 begins at \w+00:0000$/)
    expect(stage(told, L.CLIMB_SYSCALL).by!.text).toBe('wrmsr')
    // The frame that IRETQ took is above the kernel's stack pointer, the program's stack is another one.
    const user = stage(told, L.CLIMB_RING3)
    expect(user.by!.text).toBe('iretq')
    expect(changes(told, L.CLIMB_RING3)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^rsp ffff\w+ 7f\w+$/),
        expect.stringMatching(/^cs 8 23/),
        'cpl 0 3',
        expect.stringMatching(/^flags \w+ \w+ .*IF set/),
      ]),
    )
  })

  it('is the same in the parallel schedule, whoever of the CPUs did it', async () => {
    const machine = await createMachine({
      ...defaultConfig(),
      ...{ cpus: 2, pace: false, schedule: 'parallel' },
      drives: [{ slot: 'hda', medium: openMedium(guest('seedling/seedling.img')) }],
    })
    machines.push(machine)
    machine.run()
    await until(() => reached(machine, L.CLIMB_RING3) && reached(machine, L.CLIMB_AP))
    await machine.pause()
    const told = await account(machine)
    expect(told.stages.filter(({ state }) => state !== 'reached')).toEqual([])
    expect(stage(told, L.CLIMB_RING3).by!.text).toBe('iretq')
  })

  it('begins anew with a reset', async () => {
    const machine = await boot('seed/p5.img')
    await until(() => machine.cpu(0).activity === 'halted')
    await machine.pause()
    await machine.reset()
    const told = await account(machine)
    expect(told.stages.filter(({ state }) => state === 'reached').map(({ id }) => id)).toEqual([
      L.CLIMB_RESET,
    ])
  })

  it('of a kernel that has forgotten the A20 gate says what that does', async () => {
    const machine = await boot('tests/broken-a20.img')
    await until(() => machine.cpu(0).activity === 'halted')
    expect(troubles(await account(machine))).toEqual([
      `${L.CLIMB_A20} wrong: Address line 20 is still held at 0`,
    ])
    // It is what happened: the interrupt vectors were overwritten.
    expect([...machine.readPhysical(physical(0), 4)]).toEqual([0xd0, 0xba, 0xde, 0xc0])
  })

  it.each([
    ['order', L.CLIMB_PAE, 'dead: Paging went on for long mode without CR4.PAE'],
    ['efer', L.CLIMB_LME, 'dead: EFER.LME was changed while paging was on'],
    ['identity', L.CLIMB_TABLES, 'dead: Paging went on, and the next instruction is not mapped'],
    ['gdt', L.CLIMB_GDT, 'dead: Selector 0008h names an empty descriptor'],
    ['sti', L.CLIMB_IDT, 'dead: Interrupts were on before there was an interrupt table'],
    ['code64', L.CLIMB_CODE64, 'dead: 64-bit code runs as 32-bit code'],
    ['task-state', L.CLIMB_TSS, 'wrong: Ring 3 was entered without a TSS'],
    ['far-jump', L.CLIMB_CODE32, 'dead: The far jump is missing: the code still runs as 16-bit code'],
    ['cr3', L.CLIMB_TABLES, 'wrong: Paging went on with CR3 = 0'],
    ['cr3', L.CLIMB_PAE, 'note: Paging went on without CR4.PAE'],
    ['stack-zero', L.CLIMB_TSS, 'wrong: RSP0 in the TSS is 0'],
    [
      'gate-selector',
      L.CLIMB_IDT,
      'dead: The gate for #UD names selector 0010h, which is no code segment it could go to',
    ],
    ['divide', L.CLIMB_IDT, 'dead: There is no interrupt table yet'],
  ])('%s: the step that a broken chain has botched', async (name, id, trouble) => {
    const machine = await boot(`tests/broken-${name}.img`)
    await machine.whenStopped()
    expect(troubles(await account(machine))).toContain(`${id} ${trouble}`)
  })
})
