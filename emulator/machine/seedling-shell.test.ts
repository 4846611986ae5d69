// A student at Seedling's shell: the commands of its README, typed on COM1 and on the keyboard, and what the boot chain
// and the consoles do before there is a shell.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine, type MachineConfig, MIB, type TextScreen } from './api'
import { createMachine } from './machine'

const guest = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/seedling/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ringside-seedling-shell-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** The image with another boot line; `ticks` (of 55 ms) is how long the prompt waits for a key. */
function image(line: string, ticks = 0): string {
  const bytes = readFileSync(guest('seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(ticks, 512 + 8)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const path = join(folder, 'seedling.img')
  writeFileSync(path, bytes)
  return path
}

const SHELL = 'seedling> '

/** Somebody in front of COM1. */
class Console {
  text = ''
  #from = 0

  constructor(readonly machine: Machine) {
    machine.on('serial', ({ port, bytes }) => {
      if (port === 0) this.text += Buffer.from(bytes).toString('latin1')
    })
  }

  /** What has been said since the last time, when it ends so. */
  async until(end: string): Promise<string> {
    await vi.waitFor(
      () => {
        if (!this.text.endsWith(end) || this.text.length <= this.#from)
          throw new Error(`no "${end}" in:\n${this.text.slice(this.#from)}`)
      },
      { timeout: 100_000, interval: 10 },
    )
    const said = this.text.slice(this.#from)
    this.#from = this.text.length
    return said.replaceAll('\r', '')
  }

  async say(text: string) {
    await this.machine.serialInput(0, Buffer.from(text, 'latin1'))
  }

  /** Types a command and gives what it prints. */
  async run(command: string): Promise<string> {
    await this.say(`${command}\r`)
    const said = await this.until(SHELL)
    return said.slice(said.indexOf('\n') + 1, -SHELL.length)
  }
}

async function start(path: string, config: Partial<MachineConfig> = {}): Promise<Console> {
  machine = await createMachine({
    ...defaultConfig(),
    memory: 32 * MIB,
    pace: false,
    drives: [{ slot: 'hda', medium: openMedium(path) }],
    ...config,
  })
  const console = new Console(machine)
  machine.run()
  return console
}

const screenText = (screen: TextScreen): string =>
  Array.from({ length: screen.rows }, (_, row) =>
    Array.from({ length: screen.columns }, (_, column) =>
      String.fromCharCode(screen.cells[(row * screen.columns + column) * 2] || 32),
    )
      .join('')
      .trimEnd(),
  ).join('\n')

describe('the commands of the README', () => {
  test('on two CPUs', { timeout: 200_000 }, async () => {
    const com1 = await start(image('run=shell hz=1000'), { cpus: 2 })
    await com1.until(SHELL)
    const run = (command: string) => com1.run(command)

    const help = await run('help')
    for (const command of [
      'ps',
      'mem',
      'frames',
      'slab',
      'vm',
      'irq',
      'sched',
      'stress',
      'shootdown',
      'fault',
      'reboot',
      'off',
    ])
      expect(help).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(await run('ls')).toMatch(/ README\n[\s\S]* bin\//)
    for (const name of ['shell', 'hello', 'forkstorm', 'player', 'walker', 'crash', 'threads'])
      expect(await run('ls /bin')).toContain(` ${name}\n`)
    expect(await run('cat /README')).toBe(readFileSync(guest('initrd/README'), 'utf8'))
    expect(await run('cat /disk/poem')).toBe(readFileSync(guest('disk/poem'), 'utf8'))
    expect(await run('ls /disk')).toMatch(/61440 numbers\n/)
    expect(await run('mounts')).toMatch(/hda1[\s\S]*ram0|ram0[\s\S]*hda1/)
    expect(await run('ps')).toMatch(/ 1 init +waiting .*\n[\s\S]* shell +running /)
    expect(await run('echo one two')).toBe('one two\n')
    expect(await run('hello')).toMatch(/\w/)
    expect(await run('nonsense')).toContain("no command or program 'nonsense'")

    // What the kernel says of the machine is what the machine is.
    const mem = await run('mem')
    for (const { base, length, type } of machine!.e820()) {
      const [first, last] = [base, base + length - 1].map((address) => address.toString(16))
      expect(mem, `${first}-${last} ${type}`).toMatch(new RegExp(`${first}\\b[^\\n]*${last}\\b`, 'i'))
    }
    const pci = await run('pci')
    for (const id of ['8086:1237', '8086:7000', '8086:7010', '8086:7113', '1234:1111'])
      expect(pci).toContain(id)
    expect(await run('acpi')).toMatch(/tables:.* FACP[\s\S]*IDs: 0 1[\s\S]*S5: \d to SLP_TYP/)
    expect(await run('irq')).toMatch(/\d/)
    expect(await run('cpus')).toMatch(/ 0 +0 online[\s\S]* 1 +1 online[\s\S]*TSC \d+ MHz \+- \d+ kHz/)
    expect(await run('frames')).toMatch(/allocator: buddy, \d+ of \d+ frames free/)
    expect(await run('slab')).toMatch(/kmalloc-32 /)

    expect(await run('forkstorm 6')).not.toMatch(/BUG|PANIC|no memory/)
    expect(await run('player swiss')).toMatch(/\w/)
    expect(await run('walker 40')).toMatch(/\w/)
    expect(await run('threads 2')).not.toMatch(/wrong|BUG/)
    expect(await run('crash stack')).toMatch(/stack|fault/i)
    expect(await run('storm 200')).toMatch(/storm: 200 sent, \d+ taken/)
    expect(await run('stress 300')).toMatch(
      /stress: 300 operations on each of 2 CPUs in \d+ ms, 0 blocks damaged/,
    )
    expect(await run('shootdown 50')).toMatch(/shootdown: 50 unmappings, 2 CPUs, 5\d IPIs, 0 stale uses/)
    expect(await run('shootdown 50 forget')).toMatch(/\(forgotten\), [1-9]\d* stale uses/)
    expect(await run('async')).toMatch(/quick: 4[\s\S]*slow: 2[\s\S]*async: \d+ polls/)
    for (const name of ['fcfs', 'sjf', 'priority', 'mlfq', 'dynamic', 'fair', 'async', 'rr'])
      expect(await run(`sched ${name}`)).toContain(`scheduler: ${name}, `)
    expect(await run('sched best')).toContain("no scheduler 'best'")
    expect(await run('vm 1')).toContain('is a kernel thread')
    const shell = /(\d+) shell /.exec(await run('ps'))![1]!
    expect(await run(`vm ${shell}`)).toMatch(/400000[\s\S]*stack/)
    expect(await run('selftest buddy')).toContain('selftest buddy          ok')
    expect(await run('net')).toMatch(/loopback|127\.|10\./)
    expect(await run('time hello')).toMatch(/\d+ ms\n$/)
    expect(await run('fault')).toMatch(/fault null[\s\S]*fault smash/)
    // In the background: the shell is back before the program has ended.
    await com1.say('nice 15 walker 10 &\r')
    await vi.waitFor(() => expect(com1.text).toMatch(/\[\d+\]\r\nseedling> [\s\S]*random, [^\n]*\n/), {
      timeout: 60_000,
    })

    await com1.say('off\r')
    expect((await machine!.whenStopped()).reason).toBe('power-off')
  })

  test('on the keyboard and the screen', { timeout: 60_000 }, async () => {
    // Paced: a key that is held while idle time is skipped repeats.
    const com1 = await start(image('run=shell'), { pace: true })
    await com1.until(SHELL)
    await machine!.typeText('echo Typed, not sent: 42!\n')
    expect(await com1.until(SHELL)).toContain('\nTyped, not sent: 42!\n')
    const screen = machine!.screen()
    expect(screen.kind).toBe('text')
    expect(screenText(screen as TextScreen)).toMatch(
      /seedling> echo Typed, not sent: 42!\nTyped, not sent: 42!\nseedling>$/m,
    )
  })

  test('reboot comes round to the shell again', { timeout: 60_000 }, async () => {
    const com1 = await start(image('run=shell'))
    await com1.until(SHELL)
    await com1.say('reboot\r')
    const again = await com1.until(SHELL)
    expect(again).toContain('Seedling, stage 2')
    expect(again).toContain('Welcome to Seedling')
  })
})

describe('the way to the shell', () => {
  test('the boot line is typed at the prompt', { timeout: 60_000 }, async () => {
    const com1 = await start(image('run=shell', 18), { pace: true })
    await com1.until('(press a key to edit)')
    await com1.say(' sched=fair hz=250\r')
    const said = await com1.until(SHELL)
    expect(said).toContain('boot line: run=shell sched=fair hz=250')
    expect(said).toContain('at 250 Hz, scheduler fair')
  })

  test.each(['hpet', 'pit', 'lapic'])('the tick by %s', { timeout: 60_000 }, async (timer) => {
    const com1 = await start(image(`run=selftest,clock;off timer=${timer} ata=off`))
    expect((await machine!.whenStopped()).reason).toBe('power-off')
    expect(com1.text).toContain(`tick by ${timer} at 100 Hz`)
    expect(com1.text).toMatch(
      new RegExp(`selftest clock +ok, tick by ${timer}, (9|10|11|12) of (10|11) ticks`),
    )
  })

  test('the 8259A and the APICs: the same machine, counted by each', { timeout: 60_000 }, async () => {
    for (const [irq, name] of [
      ['pic', '8259A'],
      ['apic', 'APICs'],
    ]) {
      const com1 = await start(image(`run=selftest,tasks;irq;off irq=${irq} timer=pit`))
      expect((await machine!.whenStopped()).reason).toBe('power-off')
      expect(com1.text).toContain(`, ${name}, tick by pit`)
      expect(com1.text).toMatch(/\n0 +PIT +[1-9]/)
      await machine!.dispose()
    }
  })

  test('a framebuffer console, drawn with the font of the ROM', { timeout: 60_000 }, async () => {
    const com1 = await start(image('run=shell fb=800x600'))
    await com1.until(SHELL)
    const screen = machine!.screen()
    if (screen.kind !== 'rgb') throw new Error(`the screen is ${screen.kind}`)
    expect([screen.width, screen.height]).toEqual([800, 600])
    const glyphs = await fontGlyphs()
    const rows = Array.from({ length: Math.floor(600 / 16) }, (_, row) =>
      Array.from({ length: 100 }, (_, column) => {
        const lit = Array.from({ length: 16 }, (_, y) =>
          Array.from({ length: 8 }, (_, x) =>
            screen.pixels[(row * 16 + y) * 800 + column * 8 + x]! & 0xffffff ? '#' : '.',
          ).join(''),
        ).join('\n')
        return glyphs.get(lit) ?? '?'
      })
        .join('')
        .trimEnd(),
    )
    expect(rows.join('\n')).toContain(
      'Welcome to Seedling. `help` lists what there is; /README says more.\nseedling>',
    )
  })

  test('a panic on the framebuffer shows registers and who called', { timeout: 60_000 }, async () => {
    const com1 = await start(image('run=fault,null fb=1024x768'))
    await com1.until('All CPUs are stopped.\r\n')
    expect(com1.text).toMatch(/rax [0-9a-f]{16}[\s\S]*cr2 0000000000000008/i)
    expect(machine!.screen().kind).toBe('rgb')
  })
})

/** ASCII by its picture, from the font that the firmware loads for text modes. */
async function fontGlyphs(): Promise<Map<string, string>> {
  const plain = await createMachine({ ...defaultConfig(), memory: 2 * MIB, pace: false })
  try {
    plain.run()
    await vi.waitFor(() => expect(plain.screen().kind).toBe('text'), { timeout: 10_000 })
    const { font } = plain.screen() as TextScreen
    const glyphs = new Map<string, string>()
    for (let code = 0x20; code < 0x7f; code++) {
      const rows = Array.from({ length: 16 }, (_, y) =>
        font[code * 32 + y]!.toString(2).padStart(8, '0').replaceAll('0', '.').replaceAll('1', '#'),
      )
      glyphs.set(rows.join('\n'), String.fromCharCode(code))
    }
    return glyphs
  } finally {
    await plain.dispose()
  }
}
