// The session against a real machine: what reaches the page, and when.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { bootableCd } from '../../emulator/core/testing/iso-writer'
import type { FaultAccount, Frame, Interest } from '../../preload/bridge'
import { MachineSession } from './machine-session'
import { defaultSettings } from './machine-settings'

const seed = (name: string) =>
  join(fileURLToPath(new URL('../..', import.meta.url)), 'assets/guests/seed', name)

const ALL: Interest = {
  screen: true,
  serial: 0,
  shell: false,
  cpu: true,
  details: false,
  chosen: 0,
  memory: true,
  code: { lines: 20, before: 4 },
  pages: { changes: [] },
  hex: { space: 'linear', at: '0', rows: 16, overlay: { auto: true } },
  tlb: 0,
  allocator: false,
  events: false,
  shootdowns: false,
  interrupts: false,
  cpus: false,
}

const open: MachineSession[] = []
afterEach(async () => {
  for (const session of open.splice(0)) await session.dispose()
})

/** A session whose page draws every frame at once. */
async function start(name: string, interest: Interest = ALL) {
  const frames: Frame[] = []
  const faults: (FaultAccount | undefined)[] = []
  const session: MachineSession = await MachineSession.open(seed(name), false, defaultSettings(), {
    frame: (frame) => {
      frames.push(frame)
      setImmediate(() => session.drawn(frame.sequence))
    },
    fault: (account) => faults.push(account),
    changed: () => {},
    visible: () => true,
  })
  open.push(session)
  session.connect()
  session.setInterest(interest)
  const said = () =>
    Buffer.concat(frames.flatMap(({ serial }) => (serial ? [serial.bytes] : []))).toString('latin1')
  return { session, frames, faults, said }
}

test('a boot reaches the page: COM1, screen, CPU, code, memory and the climb', async () => {
  const { session, frames, said } = await start('p5.img')
  session.machine.run()
  await vi.waitFor(() => expect(said()).toContain('64-bit Long mode: Enabled'), 10_000)
  await vi.waitFor(() => expect(frames.findLast(({ code }) => code)?.code?.bits).toBe(64), 5000)
  expect(frames.findLast(({ cpu }) => cpu)?.cpu?.mode).toBe('long64')
  expect(frames.findLast(({ climb }) => climb)?.climb?.[9]?.reached).toBe(true)
  expect(frames.findLast(({ screen }) => screen)?.screen?.kind).toBe('text')
  expect(frames[0]?.frames?.kind).toBe('all')
  const numbers = frames.map(({ sequence }) => sequence)
  expect(numbers).toEqual(numbers.map((_, i) => i + 1))
})

test('resets that come at once are one, and what is asked meanwhile waits for its end', async () => {
  const { session, said } = await start('p3.img')
  session.machine.run()
  await vi.waitFor(() => expect(said()).toContain('Stage2: OK'), 10_000)
  const before = said().length
  await Promise.all([
    session.command('reset'),
    session.command('reset'),
    session.command('pause'),
    session.machine.reset(),
    session.command('step').catch(() => {}),
    session.command('run'),
    session.command('reset'),
  ])
  if (session.machine.state === 'paused') session.machine.run()
  await vi.waitFor(() => expect(said().slice(before)).toContain('Stage2: OK'), 10_000)
})

test('a session that is closed in the middle of a reset is closed', async () => {
  const { session } = await start('p3.img')
  session.machine.run()
  const reset = session.command('reset')
  await session.dispose()
  await reset
  expect(session.machine.state).toBe('disposed')
})

test('a reset starts a new epoch with a silent console, and boots again', async () => {
  const { session, frames, said } = await start('p3.img')
  session.machine.run()
  await vi.waitFor(() => expect(said()).toContain('Stage2: OK'), 10_000)
  const before = frames.length
  await session.command('reset')
  const again = () =>
    Buffer.concat(
      frames.slice(before).flatMap(({ serial, epoch }) => (serial && epoch === 1 ? [serial.bytes] : [])),
    ).toString('latin1')
  await vi.waitFor(() => expect(again()).toContain('Stage2: OK'), 10_000)
  expect(frames.findLast(({ serial }) => serial)?.serial?.skipped).toBe(0)
})

test('what nobody looks at is not sent', async () => {
  const { session, frames } = await start('p3.img', {
    screen: false,
    serial: false,
    cpu: false,
    details: false,
    chosen: 0,
    memory: false,
    code: false,
    pages: false,
    hex: false,
    tlb: false,
    allocator: false,
    events: false,
    shootdowns: false,
    interrupts: false,
    cpus: false,
    shell: false,
  })
  session.machine.run()
  await vi.waitFor(() => expect(session.machine.milestones()[2]?.reached).toBe(true), 10_000)
  await new Promise((done) => setTimeout(done, 200))
  const parts = new Set(frames.flatMap((frame) => Object.keys(frame)))
  expect([...parts].sort()).toEqual(['climb', 'epoch', 'sequence', 'status'])
})

test('a triple fault is told with the instruction that began it', async () => {
  const { session, faults } = await start('triple-fault.img')
  session.machine.run()
  await vi.waitFor(() => expect(faults.at(-1)?.kind).toBe('triple-fault'), 10_000)
  const account = faults.at(-1)!
  expect(account.sentence).toContain('Selector 0x08')
  expect(account.steps[0]).toMatchObject({ at: '0000:801D', instruction: expect.stringContaining('jmp') })
  expect(account.steps[0]!.registers.map(({ name }) => name)).toContain('cr0')
  expect(account.report).toContain('Triple fault after')
})

test('facts of a frame', async () => {
  const { session } = await start('p3.img')
  session.machine.run()
  await vi.waitFor(() => expect(session.machine.milestones()[2]?.reached).toBe(true), 10_000)
  // 7C00h, where the boot sector lies, is in frame 7.
  expect(session.frameFacts(7)).toMatchObject({ frame: 7, region: 'conventional memory' })
  expect(session.frameFacts(7).used).toBeGreaterThan(100)
  expect(() => session.frameFacts(1e6)).toThrow(/65536 frames/)
})

test('the walk that the page asks for, its what-if, and the address space', async () => {
  const { session, frames, said } = await start('p5.img')
  const view = () => frames.findLast(({ pages }) => pages)?.pages
  session.machine.run()
  await vi.waitFor(() => expect(said()).toContain('64-bit Long mode: Enabled'), 10_000)
  session.setInterest({ ...ALL, pages: { at: '201234', changes: [] } })
  // Identity-mapped by two 2 MiB pages.
  await vi.waitFor(() => expect(view()).toMatchObject({ linear: 0x20_1234n, physical: 0x20_1234n }))
  expect(view()).toMatchObject({ kind: '4-level', pageSize: 2 << 20, canonical: true })
  expect(view()!.steps.map(({ name, index }) => [name, index])).toEqual([
    ['PML4E', 0],
    ['PDPTE', 0],
    ['PDE', 1],
  ])
  session.setInterest({ ...ALL, pages: { at: '201234', changes: [{ level: 2, bits: '1' }] } })
  await vi.waitFor(() => expect(view()!.steps.at(-1)).toMatchObject({ present: false, changed: 1n }))
  expect(view()!.outcomes.map((outcome) => !outcome.allowed && outcome.error)).toEqual([0, 2, 0, 4, 6, 4])
  expect(
    view()!
      .outcomesNow!.slice(0, 3)
      .every(({ allowed }) => allowed),
  ).toBe(true)
  await vi.waitFor(() => expect(frames.findLast(({ space }) => space)?.space?.ranges).toHaveLength(1))
  expect(frames.findLast(({ space }) => space)!.space).toMatchObject({
    ranges: [{ start: 0n, length: 4n << 20n, looksLike: 'identity', pages: 2 }],
    tables: 3,
  })
})

test('a CD goes into the drive and comes out again; what is no image is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-session-'))
  const disc = join(folder, 'disc.iso')
  writeFileSync(disc, bootableCd({ image: new Uint8Array(2048) }))
  try {
    const { session, frames } = await start('p3.img')
    const drive = () => session.removable().find(({ slot }) => slot === 'hdc')
    const told = () => frames.findLast(({ status }) => status)?.status?.removable
    session.machine.run()
    expect(drive()).toMatchObject({ kind: 'cdrom', medium: '' })
    session.insert('hdc', disc)
    await vi.waitFor(() => expect(drive()?.medium).toContain('disc.iso'), 5000)
    await vi.waitFor(
      () => expect(told()?.find(({ slot }) => slot === 'hdc')?.medium).toContain('disc.iso'),
      5000,
    )
    session.eject('hdc')
    await vi.waitFor(() => expect(drive()?.medium).toBe(''), 5000)
    expect(() => session.insert('hdc', folder)).toThrow(/folder|directory/i)
    expect(() => session.insert('hda', disc)).toThrow('hda')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
