// Seedling on Ringside: its self-test (short), each of its faults, and what it makes of machines that lack something.
// The same images run on QEMU and Bochs by tools/seedling-peers.mjs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openDirectBoot } from '../firmware/direct-boot/files'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine, type MachineConfig, MIB, type StopInfo } from './api'
import { createMachine } from './machine'

const guest = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/seedling/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ringside-seedling-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** The image with another boot line, and no prompt (boot/boot-line.asm). */
function image(line: string, change: (bytes: Buffer) => void = () => {}): string {
  const bytes = readFileSync(guest('seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  change(bytes)
  const path = join(folder, 'seedling.img')
  writeFileSync(path, bytes)
  return path
}

/** Runs to the end, or until COM1 says `until`: all it has said, and how it ended. */
async function run(
  config: Partial<MachineConfig>,
  until?: string,
): Promise<{ text: string; end?: StopInfo }> {
  const started = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, ...config })
  machine = started
  let text = ''
  return new Promise((resolve) => {
    started.on('serial', ({ port, bytes }) => {
      if (port === 0) text += Buffer.from(bytes).toString('latin1')
      if (until !== undefined && text.includes(until)) resolve({ text })
    })
    started.on('stopped', (end) => resolve({ text, end }))
    started.run()
  })
}

const boot = (
  line: string,
  config: Partial<MachineConfig> = {},
  change?: (bytes: Buffer) => void,
  until?: string,
) => run({ drives: [{ slot: 'hda', medium: openMedium(image(line, change)) }], ...config }, until)

const SHORT = 'run=selftest panic=off ops=3000 unmappings=20 quiet'

describe('the self-test', () => {
  test.each([1, 4])('with %i CPU(s)', async (cpus) => {
    const { text, end } = await boot(SHORT, { cpus })
    expect(text).not.toContain('FAILED')
    expect(text).toMatch(new RegExp(`selftest: 18 parts, 0 failed, ${cpus} CPU`))
    expect(text).toContain('SEEDLING-OK')
    expect(end?.reason).toBe('power-off')
  })

  test('with the other allocator, controller and timer', async () => {
    const { text, end } = await boot(`${SHORT} frames=bitmap irq=pic timer=pit ata=pio hz=200 sched=fair`)
    expect(text).toContain('frames by bitmap, 8259A, tick by pit at 200 Hz, scheduler fair')
    expect(text).toContain('SEEDLING-OK')
    expect(end?.reason).toBe('power-off')
  })

  test('started by Multiboot 2', async () => {
    const append = 'run=selftest;off panic=off ops=2000 unmappings=20'
    const direct = openDirectBoot(guest('seedling.elf'), [guest('initrd.tar')], append)
    const { text, end } = await run({ direct })
    expect(text).toContain(`boot line: ${append}`)
    expect(text).toContain('SEEDLING-OK')
    expect(end?.reason).toBe('power-off')
  })
})

// What each says, and how the machine ends: a panic powers off here (panic=off), what the kernel survives goes on to `off`.
const FAULTS: Record<string, [RegExp, StopInfo['reason']?]> = {
  null: [
    /PANIC on CPU 0, task 1 init: #PF page fault: address 0000000000000008, not present, read, ring 0 \(null pointer\)[\s\S]*null\+0x[\s\S]*fault_command\+0x/,
  ],
  wild: [/PANIC on CPU 0, task 1 init: #GP general protection[\s\S]*wild\+0x/],
  segment: [/PANIC on CPU 0, task 1 init: #NP segment not present, error code GDT index 7[\s\S]*segment\+0x/],
  double: [/PANIC on CPU 0, task 1 init: #DF double fault[\s\S]*deeper\+0x/],
  triple: [/shutdown/, 'triple-fault'],
  eoi: [/ticks: \d+, then (\d+), \1 100 ms later; interrupt 0 is in service: yes\s+acknowledged now/],
  'use-after-free': [
    /BUG: use after free: frame \w+ was written at offset 28h \(4242\) while it was free[\s\S]*use_after_free\+0x/,
  ],
  'double-free': [
    /BUG: double free: frame \w+ is free already, since double_free\+0x[\s\S]*BUG: double free: \w+ of cache kmalloc-64 is free already/,
  ],
  deadlock: [/PANIC[\s\S]*deadlock: CPU 0 wants the lock 'first', which it has held since deadlock\+0x/],
  interrupts: [/BUG: unbalanced interrupts: the command 'fault' has left them off/],
  smash: [/PANIC[\s\S]*stack smashed: a buffer was written beyond its end[\s\S]*smash_the_stack\+0x/],
}

describe('fault', () => {
  test.each(Object.entries(FAULTS))('%s', async (kind, [expected, reason = 'power-off']) => {
    const { text, end } = await boot(`run=fault,${kind};off panic=off ata=off timer=pit`)
    expect(text).toMatch(expected)
    expect(end?.reason).toBe(reason)
    // No IDT: #UD cannot be delivered, nor the #GP about that, nor the #DF about that.
    if (kind === 'triple') expect(end?.report).toMatch(/#UD[\s\S]*#GP[\s\S]*#DF/)
  })
})

describe('what is missing or broken is said, and the rest goes on', () => {
  const SHELL = 'seedling> '

  test('nonsense in the boot line', async () => {
    const { text } = await boot('frobnicate hz=fast sched=best run=shell', {}, undefined, SHELL)
    expect(text).toContain("boot line: 'frobnicate' means nothing here and is ignored; known are: run")
    expect(text).toContain('boot line: hz must be a number from 10 to 10000')
    expect(text).toContain('boot line: sched must be one of: fcfs sjf rr')
  })

  test('4 MiB of memory, and no ACPI', async () => {
    const { text } = await boot('acpi=off', { memory: 4 * MIB }, undefined, SHELL)
    expect(text).toContain('acpi: switched off by the boot line')
    expect(text).toContain('Welcome to Seedling')
  })

  test('one CPU of four that never answers', async () => {
    const { text } = await boot('deaf=2', { cpus: 4 }, undefined, SHELL)
    expect(text).toContain('smp: the CPU with APIC ID 2 does not answer: going on without it')
    expect(text).toContain('3 CPUs, ')
  })

  test('an initrd that breaks off', async () => {
    const broken = (bytes: Buffer) => {
      const at = bytes.readUInt32LE(1024 + 16) * 512 // where stage 2 is told that it lies
      bytes.fill(0xff, at + 4096, at + 40960)
    }
    const { text } = await boot('run=shell', {}, broken, 'kernel> ')
    expect(text).toMatch(/initrd: no ustar header at offset \d+: using the \d+ files before it/)
    expect(text).toContain('the kernel takes its commands itself')
  })

  test('an ext2 whose superblock is gone', async () => {
    const broken = (bytes: Buffer) => {
      bytes.fill(0, bytes.readUInt32LE(446 + 8) * 512 + 1024, bytes.readUInt32LE(446 + 8) * 512 + 2048)
    }
    const { text } = await boot('run=shell', {}, broken, SHELL)
    expect(text).toContain('ext2 on hda1: no ext2 here: not mounted')
  })

  test('no kernel where it should be', async () => {
    const broken = (bytes: Buffer) => bytes.fill(0, 18 * 512, 19 * 512)
    const { text } = await boot('run=shell', {}, broken, 'cannot start')
    expect(text).toContain('What was loaded is no Seedling kernel.')
  })
})

/** Names in the symbol table of an ELF64 file (ELF-64 Object File Format 1.5). */
function symbols(elf: Buffer): Set<string> {
  const names = new Set<string>()
  const headers = Number(elf.readBigUInt64LE(0x28))
  for (let i = 0; i < elf.readUInt16LE(0x3c); i++) {
    const at = headers + i * 64
    if (elf.readUInt32LE(at + 4) !== 2) continue // SHT_SYMTAB
    const strings = Number(elf.readBigUInt64LE(headers + elf.readUInt32LE(at + 40) * 64 + 24))
    const [start, size] = [Number(elf.readBigUInt64LE(at + 24)), Number(elf.readBigUInt64LE(at + 32))]
    for (let symbol = start; symbol < start + size; symbol += 24) {
      const name = strings + elf.readUInt32LE(symbol)
      names.add(elf.toString('latin1', name, elf.indexOf(0, name)))
    }
  }
  return names
}

test('the lens names only symbols that the kernel has', () => {
  const known = symbols(readFileSync(guest('seedling.elf')))
  const lens = readFileSync(guest('seedling.lens.json'), 'utf8')
  const { match, probes } = JSON.parse(lens) as {
    match: { symbols: string[] }
    probes: { function: string }[]
  }
  const values = [
    ...lens.matchAll(
      /"(?:table|count|list|tree|bits|active|lists|counts|free|policy|ready|queues|caches)": "([^"@]+)"/g,
    ),
  ]
  const roots = values.map(([, text]) => /[a-z_]\w*/.exec(text!)![0])
  expect(roots.length).toBeGreaterThan(10)
  for (const name of [...match.symbols, ...probes.map((probe) => probe.function), ...roots])
    expect(known, name).toContain(name)
})
