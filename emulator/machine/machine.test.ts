import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import * as L from '../core/layout'
import { openMedium } from '../media/medium'
import { defaultConfig, linear, type Machine, type MachineConfig, physical } from './api'
import { placeDrives } from './drive-plan'
import { createMachine } from './machine'

const seed = (name: string) => fileURLToPath(new URL(`../../assets/guests/seed/${name}.img`, import.meta.url))

const testGuest = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/tests/${name}.img`, import.meta.url))

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

async function create(name: string, changes: Partial<MachineConfig> = {}): Promise<Machine> {
  const drives: MachineConfig['drives'] = [{ slot: 'hda', medium: openMedium(seed(name)) }]
  machine = await createMachine({ ...defaultConfig(), drives, ...changes })
  return machine
}

/** Resolves with all that COM1 has said when it has said `text`. */
function said(guest: Machine, text: string): Promise<string> {
  let all = ''
  return new Promise((resolve) => {
    const off = guest.on('serial', ({ port, bytes }) => {
      if (port !== 0) return
      all += Buffer.from(bytes).toString('latin1')
      if (!all.includes(text)) return
      off()
      resolve(all)
    })
  })
}

/** Byte for byte what QEMU 7.2 shows. (The 32- and 64-bit stages put a CR of their own before CR LF.) */
const TEXTS = {
  'p3-nostage2': 'Booting ...\r\nDisk error!\r\n',
  p3: 'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\n',
  p4:
    'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\nA20 Line: Enabled\r\nGDT: Loaded\r\n' +
    'Entered protected mode ...\r\r\n',
  p5:
    'Booting ...\r\nStarting Stage2 ...\r\nStage2: OK\r\nA20 Line: Enabled\r\nGDT: Loaded\r\n' +
    'Protected Mode: Enabled\r\r\nPaging: Enabled\r\r\n64-bit Long mode: Enabled\r\r\n',
}

describe('the seed images say on COM1 what they must', () => {
  test.each(Object.entries(TEXTS))('%s', async (name, expected) => {
    const guest = await create(name)
    let all = ''
    guest.on('serial', ({ bytes }) => {
      all += Buffer.from(bytes).toString('latin1')
    })
    const text = said(guest, expected)
    guest.run()
    await text
    await guest.pause()
    expect(all).toBe(expected)
  })
})

test('a triple fault stops the machine for good, with an account of it', async () => {
  const guest = await create('triple-fault')
  const text = said(guest, 'triple fault\r\n')
  guest.run()
  expect(await text).toBe('Booting ...\r\nStarting Stage2 ...\r\nAbout to triple fault\r\n')
  const { reason, message, report } = await guest.whenStopped()
  expect(reason).toBe('triple-fault')
  expect(message).toContain('0x08')
  expect(report).toContain('#NP')
  expect(guest.state).toBe('stopped')
  expect(() => guest.run()).toThrow('Reset')
})

test('the same image gives the same machine, bit for bit, however it is sliced', async () => {
  const hashes = new Set<string>()
  for (const steps of [[2_000_000], [1, 999, 1_000_000, 999_000], [123_456, 1_876_544]]) {
    const guest = await create('p5')
    for (const count of steps) await guest.step(count)
    expect(guest.cpu().instructions).toBeGreaterThan(0n)
    hashes.add(await guest.stateHash())
    await guest.dispose()
  }
  expect(hashes.size).toBe(1)
})

test('reset: the same run again, from the same power-on state', async () => {
  const guest = await create('p5')
  const fresh = await guest.stateHash()
  for (let round = 0; round < 2; round++) {
    const text = said(guest, TEXTS.p5)
    guest.run()
    expect(await text).toBe(TEXTS.p5)
    await guest.pause()
    expect(guest.milestones().find(({ name }) => name === 'long mode')?.reached).toBe(true)
    await guest.reset()
    expect(guest.state).toBe('paused')
    expect(await guest.stateHash()).toBe(fresh)
  }
})

test('at power-on: the reset vector, real mode, the ROM in both places', async () => {
  const guest = await create('p5')
  const cpu = guest.cpu()
  expect(cpu).toMatchObject({
    mode: 'real',
    bits: 16,
    rip: 0xfff0n,
    cpl: 0,
    instructions: 0n,
    activity: 'running',
  })
  expect(cpu.segments.cs).toMatchObject({ selector: 0xf000, base: 0xffff0000n, limit: 0xffff })
  const vector = guest.readPhysical(physical(0xffff_fff0), 16)
  expect(vector).toEqual(guest.readPhysical(physical(0xffff0), 16))
  expect(vector.some((byte) => byte !== 0)).toBe(true)
  expect(guest.readPhysical(physical(0xffff_ffff), 2)[1]).toBe(0xff)
})

test('stepping counts instructions exactly', async () => {
  const guest = await create('p3')
  for (const count of [1, 2, 10, 1000]) {
    const before = guest.cpu().instructions
    const { reason } = await guest.step(count)
    expect(reason).toBe('step')
    expect(guest.cpu().instructions - before).toBe(BigInt(count))
  }
})

test('step over stops behind the call', async () => {
  const guest = await create('p3')
  const text = said(guest, 'Booting')
  guest.run()
  await text
  await guest.pause()
  const boot = guest.milestones().find(({ name }) => name === 'boot sector')!
  expect(boot.reached).toBe(true)
  await guest.reset()
  await guest.step(Number(boot.instructions))
  for (let i = 0; i < 100 && guest.cpu().ripLinear !== 0x7c00n; i++) await guest.step()
  expect(guest.cpu().ripLinear).toBe(0x7c00n)
  await guest.step(10)
  expect(guest.cpu().ripLinear).toBe(0x7c14n)
  // call 0x7c6c, three bytes
  const { reason } = await guest.stepOver()
  expect(reason).toBe('step')
  expect(guest.cpu().ripLinear).toBe(0x7c17n)
  // mov si, 0x7cb5 is an ordinary step
  await guest.stepOver()
  expect(guest.cpu().ripLinear).toBe(0x7c1an)
})

test('pause and run, many times, lose and repeat nothing', async () => {
  const guest = await create('p5', { pace: false })
  const text = said(guest, TEXTS.p5)
  for (let i = 0; i < 40; i++) {
    guest.run()
    if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, i % 5))
    const { reason } = await guest.pause()
    expect(reason).toBe('pause')
    expect(guest.state).toBe('paused')
  }
  guest.run()
  expect(await text).toBe(TEXTS.p5)
})

test('in long mode: registers, page walk, memory', async () => {
  const guest = await create('p5')
  const text = said(guest, TEXTS.p5)
  guest.run()
  await text
  await new Promise((resolve) => setTimeout(resolve, 50))
  await guest.pause()
  const cpu = guest.cpu()
  expect(cpu).toMatchObject({ mode: 'long64', bits: 64, paging: true, activity: 'halted' })
  expect(cpu.segments.cs).toMatchObject({ long: true, present: true, codeOrData: true })
  // Two identity-mapped 2 MiB pages, nothing behind them.
  expect(guest.translate(linear(0x3fffff))).toBe(0x3fffff)
  expect(guest.translate(linear(0x400000))).toBeUndefined()
  expect(guest.readLinear(linear(0x3ffffe), 8).length).toBe(2)
  expect(guest.readLinear(linear(0x7c00), 2)).toEqual(Uint8Array.of(0xfa, 0x31))
  const names = guest.milestones().filter(({ reached }) => reached)
  expect(names.map(({ name }) => name)).toEqual([
    'reset',
    'BIOS',
    'boot sector',
    'A20',
    'GDT',
    'protected mode',
    '32-bit code',
    'page tables',
    'PAE',
    'EFER.LME',
    'paging',
    'long mode',
    '64-bit code',
  ])
  const flags = guest.frameFlags()
  expect(flags.length).toBe(256 * 256)
  expect(flags[7]! & 4).toBe(4)
  expect(guest.speed().instructions).toBe(cpu.instructions)
})

test('the screen after the firmware has set it up: 80 by 25 text with a font', async () => {
  const guest = await create('p3')
  const text = said(guest, 'OK\r\n')
  guest.run()
  await text
  await guest.pause()
  const screen = guest.screen()
  if (screen.kind !== 'text') throw new Error(`the screen is ${screen.kind}`)
  expect(screen).toMatchObject({ columns: 80, rows: 25, cellHeight: 16 })
  expect(screen.cells.length).toBe(4000)
  // 'A' is not empty in any font, the space is in every.
  expect(screen.font.subarray(0x41 * 32, 0x42 * 32).some((byte) => byte !== 0)).toBe(true)
  expect(screen.font.subarray(0x20 * 32, 0x21 * 32).every((byte) => byte === 0)).toBe(true)
  expect([...screen.palette.subarray(0, 3), ...screen.palette.subarray(45)]).toEqual([0, 0, 0, 255, 255, 255])
})

describe('the keyboard', () => {
  const start = async () => {
    const medium = openMedium(testGuest('keyboard-echo'))
    machine = await createMachine({ ...defaultConfig(), drives: [{ slot: 'hda', medium }] })
    const ready = said(machine, 'Keyboard ready\r\n')
    machine.run()
    await ready
    return machine
  }

  test('what is typed reaches INT 16h as scan codes and characters', async () => {
    const guest = await start()
    const text = said(guest, '1C0D 00\r\n')
    await guest.typeText('Hi, 5%\n')
    // INT 16h/10h: scan code and ASCII of a US keyboard, then the shift flags at that moment and the character.
    expect(
      (await text)
        .trimEnd()
        .split('\r\n')
        .map((line) => line.slice(0, 4)),
    ).toEqual(['2348', '1769', '332C', '3920', '0635', '0625', '1C0D'])
  })

  test('keys that have no character, and keys that do not exist', async () => {
    const guest = await start()
    const text = said(guest, '48E0 00\r\n')
    for (const code of ['F5', 'ArrowUp']) {
      expect(guest.keyEvent(code, true)).toBe(true)
      expect(guest.keyEvent(code, false)).toBe(true)
    }
    expect(
      (await text)
        .trimEnd()
        .split('\r\n')
        .map((line) => line.slice(0, 4)),
    ).toEqual(['3F00', '48E0'])
    expect(guest.keyEvent('MediaPlayPause', true)).toBe(false)
    await expect(guest.typeText('ä')).rejects.toThrow('US keyboard')
  })
})

test('what a machine cannot be is said before anything starts', async () => {
  await expect(create('p3', { cpus: 17 })).rejects.toThrow('1 to 16 CPUs')
  await expect(create('p3', { memory: 12345 })).rejects.toThrow(RangeError)
  const twice = [1, 2].map(() => ({ slot: 'hda' as const, medium: openMedium(seed('p3')) }))
  await expect(create('p3', { drives: twice })).rejects.toThrow('hda')
})

test('when the core itself breaks, the machine stops with an account and can be reset', async () => {
  const medium = openMedium(fileURLToPath(new URL('../../assets/guests/bench/bench64.img', import.meta.url)))
  const guest = (machine = await createMachine({ ...defaultConfig(), drives: [{ slot: 'hda', medium }] }))
  const text = said(guest, 'B a1-sieve')
  guest.run()
  await text
  await guest.pause()
  // Break the engine's own bookkeeping: every bucket of the trace cache points behind the end of the memory.
  const buckets = guest.memory.cpuBlock(0) + L.CPU_TRACE_HASH
  guest.memory.u8.fill(0xff, buckets, buckets + L.TRACE_HASH_COUNT * 4)
  guest.run()
  const { reason, message, report } = await guest.whenStopped()
  expect(reason).toBe('internal')
  expect(message).toContain('bug in the emulator')
  expect(report).toMatch(/out of bounds[\s\S]*in long64 mode[\s\S]*bytes there: [0-9A-F]{2} [\s\S]*RFLAGS/)
  await guest.reset()
  const again = said(guest, 'B a1-sieve')
  guest.run()
  await again
})

test('dispose in the middle of a run ends everything', async () => {
  const guest = await create('p3')
  guest.run()
  const rest = guest.whenStopped()
  await guest.dispose()
  expect(guest.state).toBe('disposed')
  await rest
  expect(() => guest.run()).toThrow('closed')
  await expect(guest.serialInput(0, Uint8Array.of(1))).rejects.toThrow('closed')
})

test('media go in and out while the machine is on', async () => {
  const medium = openMedium(seed('p3'), 'cdrom')
  machine = await createMachine({ ...defaultConfig(), drives: placeDrives({}) })
  const cd = () => machine!.drives().find(({ slot }) => slot === 'hdc')
  const soon = async (done: () => boolean) => {
    for (let i = 0; i < 500 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(cd()).toMatchObject({ kind: 'cdrom', medium: undefined, trayOpen: false })
  expect(() => machine!.insert('hda', medium)).toThrow('no drive hda')
  const before = await machine.stateHash()
  machine.run()
  machine.insert('hdc', medium)
  await soon(() => cd()?.medium !== undefined)
  expect(cd()).toMatchObject({ medium: { name: medium.name }, trayOpen: false })
  machine.eject('hdc')
  await soon(() => cd()?.medium === undefined)
  expect(cd()).toMatchObject({ medium: undefined, trayOpen: true })
  await machine.pause()
  await machine.reset()
  expect(cd()).toMatchObject({ trayOpen: false })
  expect(await machine.stateHash()).toBe(before)
})
