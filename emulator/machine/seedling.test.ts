// Seedling on Ringside: its self-test (short), each of its faults, and what it makes of machines that lack something.
// The same images run on QEMU and Bochs by tools/seedling-peers.mjs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as L from '../core/layout'
import { openDirectBoot } from '../firmware/direct-boot/files'
import { autopsy, type Finding } from '../insight/autopsy'
import { interruptFlows, pathEvents } from '../insight/interrupt-flow'
import { restAutopsy } from '../insight/rest-autopsy'
import { staleUses } from '../insight/stale-uses'
import { SymbolFile } from '../insight/symbols/symbol-file'
import { placeText } from '../insight/symbols/symbols'
import { readTlbLog, type TlbRecord } from '../insight/tlb-log'
import { tripleFaultReport } from '../insight/triple-fault'
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
  prepare: (machine: Machine) => void = () => {},
): Promise<{ text: string; end?: StopInfo }> {
  await machine?.dispose()
  const started = await createMachine({ ...defaultConfig(), memory: 32 * MIB, pace: false, ...config })
  machine = started
  prepare(started)
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

const SHORT = 'run=selftest panic=off ops=3000 unmappings=20'

describe('the self-test', () => {
  test.each([1, 4])('with %i CPU(s)', async (cpus) => {
    const { text, end } = await boot(`${SHORT} hz=1000`, { cpus })
    expect(text).not.toContain('FAILED')
    expect(text).toMatch(new RegExp(`selftest: 18 parts, 0 failed, ${cpus} CPU`))
    // What a part finds missing it leaves out: nothing is missing here.
    expect(text).toMatch(/selftest clock +ok, .* HPET agrees/)
    expect(text).toMatch(/selftest interrupts +ok, IOAPIC, 100 to oneself/)
    expect(text).toMatch(/selftest storage +ok, ram0, hda /)
    expect(text).toMatch(/selftest ext2 +ok, \d+ entries, 12 kinds of damage survived/)
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
    const append = 'run=selftest;off panic=off ops=2000 unmappings=20 hz=1000'
    const direct = openDirectBoot(guest('seedling.elf'), [guest('initrd.tar')], append)
    const { text, end } = await run({ direct })
    expect(text).toContain(`boot line: ${append}`)
    expect(text).toContain('SEEDLING-OK')
    expect(end?.reason).toBe('power-off')
  })
})

/** What each says, and how the machine ends; the same file holds for QEMU and Bochs (tools/seedling-peers.mjs). */
const FAULTS: Record<string, { says: string; saysWithOthers?: string; ends?: StopInfo['reason'] }> =
  JSON.parse(readFileSync(guest('faults.json'), 'utf8'))
/** A panic powers off here, what the kernel survives goes on to `off`. */
const faultLine = (kind: string) => `run=fault,${kind};off panic=off ata=off timer=pit`

describe('fault', () => {
  // eoi: below, with what Ringside sees of it.
  test.each(Object.entries(FAULTS).filter(([kind]) => kind !== 'eoi'))(
    '%s',
    async (kind, { says, ends = 'power-off' }) => {
      const { text, end } = await boot(faultLine(kind))
      expect(text).toMatch(new RegExp(says))
      expect(end?.reason).toBe(ends)
    },
  )

  test.each(['deadlock', 'null'])('%s, with 4 CPUs', async (kind) => {
    const { says, saysWithOthers } = FAULTS[kind]!
    const { text, end } = await boot(`${faultLine(kind)} patience=100`, { cpus: 4 })
    expect(text).toMatch(new RegExp(saysWithOthers ?? says))
    expect(end?.reason).toBe('power-off')
  })
})

describe('what Ringside itself reports of a fault', () => {
  const symbols = new SymbolFile(guest('seedling.elf'))
  afterAll(() => symbols.close())
  const name = (address: bigint) => {
    const place = symbols.symbols.at(address)
    return place && placeText(place)
  }

  /** What is said of a CPU while none goes on: its flags and whether it has halted belong to the same moment. */
  const atRest = (cpu: number) => machine!.hold(() => restAutopsy(machine!.memory, cpu, name))

  /** The panicked kernel, all CPUs halted, and what is said of the first. */
  async function panicked(kind: string, cpus = 1) {
    await boot(`run=fault,${kind} ata=off timer=pit`, { cpus }, undefined, 'All CPUs are stopped.')
    const { memory } = machine!
    // The last CPU halts only after it has said so.
    const all = () => Array.from({ length: cpus }, (_, cpu) => atRest(cpu))
    await vi.waitFor(() => expect(all()).not.toContain(undefined), { timeout: 10_000 })
    return { memory, finding: atRest(0)! }
  }
  const value = ({ evidence }: Finding, key: string) => evidence.find(({ what }) => what === key)?.value
  /** Functions on the stack, the innermost first. */
  const calls = ({ evidence }: Finding) =>
    evidence
      .slice(evidence.findIndex(({ what }) => what === 'called from'))
      .map(({ value }) => /\(([\w.]+)\+/.exec(value)?.[1])

  test.each([
    [
      'null',
      'Halted after #PF page fault',
      /^Linear address 0000000000000008 was to be read and is not mapped/,
    ],
    [
      'wild',
      'Halted after #GP: an address that cannot exist',
      /the address DEADBEEF00000000 is not canonical/i,
    ],
    ['segment', 'Halted after #NP: selector 0038h names a descriptor', /not present/],
  ])('%s', async (kind, title, text) => {
    const { finding } = await panicked(kind)
    expect(finding.kind).toBe('halted')
    expect(finding.title).toContain(title)
    expect(finding.text).toMatch(text)
    expect(finding.text).toContain('has not returned: it has halted this CPU with interrupts off')
    expect(value(finding, 'raised at')).toMatch(new RegExp(`\\(${kind}\\+`))
    expect(calls(finding)).toEqual(expect.arrayContaining(['fault_command', 'monitor_run', 'init']))
  })

  test('double: the stack has run out, and #DF says so on its own', async () => {
    const { finding } = await panicked('double')
    expect(finding.title).toBe('Halted after #DF: the stack ran out of its memory')
    expect(finding.text).toMatch(/could not be delivered because .* so came #PF, then #DF\./)
    expect(value(finding, 'raised at')).toMatch(/\(deeper\+/)
    expect(calls(finding)).toContain('deeper')
  })

  test('triple: the chain, and that there is no table', async () => {
    const { end } = await boot(faultLine('triple'))
    const { memory } = machine!
    const report = tripleFaultReport(memory, 0)!
    // No IDT: #UD cannot be delivered, nor the #GP about that, nor (SDM 3A table 6-5) the #DF that two #GP make.
    expect(report.steps.map(({ record }) => record.vector)).toEqual([6, 13, 13, 8, 13])
    expect(end!.report).toMatch(/#UD[\s\S]*#GP[\s\S]*#DF/)
    const [first] = autopsy(memory, 0, report)
    expect(first).toMatchObject({ kind: 'interrupt-table', title: 'The interrupt table has no gate for #UD' })
    expect(name(report.instruction.linear)).toMatch(/^triple\+/)
  })

  test.each([
    ['deadlock', ['panic', 'spin_lock', 'deadlock', 'fault_command', 'init']],
    ['smash', ['panic', '__stack_chk_fail', 'smash_the_stack']],
  ])('%s: no exception, but who called', async (kind, functions) => {
    const { finding } = await panicked(kind)
    expect(finding.title).toBe('Halted with interrupts off')
    expect(calls(finding)).toEqual(expect.arrayContaining(functions))
  })

  test('of four CPUs the one that panicked, the others halted by it', async () => {
    await panicked('null', 4)
    const all = [0, 1, 2, 3].map(atRest)
    expect(all.map((finding) => finding?.kind)).toEqual(['halted', 'halted', 'halted', 'halted'])
    const telling = all.filter((finding) => value(finding!, 'raised at'))
    expect(telling.length).toBe(1)
    expect(value(telling[0]!, 'raised at')).toMatch(/\(null\+/)
  })

  test('eoi: the interrupt is in service, and nothing of its line is taken until it is acknowledged', async () => {
    const { text, end } = await run(
      { drives: [{ slot: 'hda', medium: openMedium(image(faultLine('eoi'))) }] },
      undefined,
      (started) => started.memory.setHeader32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_PATH),
    )
    expect(text).toMatch(new RegExp(FAULTS.eoi!.says))
    expect(end?.reason).toBe('power-off')
    const { memory } = machine!
    const flows = interruptFlows(pathEvents(memory.view, memory.cpuBlock(0)))
    const timer = flows.filter(({ line, delivered }) => line === 0 && delivered !== undefined)
    const lengths = timer.map(({ delivered, ended }) => (ended === undefined ? 0n : ended - delivered!))
    // Two waits of 100 ms, without what passed before the first tick (of 10 ms) in them. All others are short.
    expect(lengths.filter((ns) => ns > 1_000_000n).length).toBe(1)
    const longest = lengths.toSorted((a, b) => Number(b - a))[0]!
    expect(Number(longest) / 1e6).toBeGreaterThan(188)
    expect(Number(longest) / 1e6).toBeLessThan(201)
    const at = lengths.indexOf(longest)
    expect(timer[at + 1]!.delivered! >= timer[at]!.ended!).toBe(true)
  })

  test.each([false, true])('shootdown, forgotten: %s', async (forget) => {
    const command = forget ? 'fault,shootdown' : 'shootdown,100'
    const { text } = await run(
      {
        cpus: 4,
        drives: [{ slot: 'hda', medium: openMedium(image(`run=${command};off panic=off ata=off`)) }],
      },
      undefined,
      (started) => started.watchTlb(true),
    )
    const counted = Number(/(\d+) (?:reads of the old page|stale uses)/.exec(text)![1])
    const { records, lost } = readTlbLog(machine!.memory)
    expect(lost).toBe(0)
    const uses = staleUses(records)
    if (!forget) {
      expect(counted).toBe(0)
      expect(uses).toEqual([])
      return
    }
    // Each read of the guest's that gave the old page is one of these: by `look`, of the one page, changed by the one CPU.
    expect(counted).toBeGreaterThan(50)
    const looks = uses.filter(({ used }) => /^look\+/.test(name(used.rip) ?? ''))
    const pages = new Set(looks.map(({ linear }) => linear >> 12n))
    expect(pages.size).toBe(1)
    expect(looks.reduce((sum, { count }) => sum + count, 0)).toBe(counted)
    for (const { changed, differs, affected, access } of looks) {
      expect(name(changed!.rip)).toMatch(/^shootdown_trial\+/)
      expect({ differs, affected, access }).toEqual({
        differs: ['other frame'],
        affected: true,
        access: 'read',
      })
    }
    // And no other stale use is told that is none: the page is the only one that was changed without telling.
    expect(uses.filter((use) => use.linear >> 12n !== looks[0]!.linear >> 12n)).toEqual([])
  })

  test.each(['use-after-free', 'double-free', 'interrupts'])('%s: the machine is well', async (kind) => {
    await boot(`run=fault,${kind};shell ata=off`, {}, undefined, '> ')
    await machine!.pause()
    expect(atRest(0)).toBeUndefined()
  })
})

/** How many: 10^5 take minutes, RINGSIDE_UNMAPPINGS=100000 asks for them. */
const UNMAPPINGS = Number(process.env['RINGSIDE_UNMAPPINGS'] ?? 300)

test(`${UNMAPPINGS} unmappings on 4 CPUs, each told by IPI: no stale use`, {
  timeout: 3_600_000,
}, async () => {
  const guest = (machine = await createMachine({
    ...defaultConfig(),
    memory: 32 * MIB,
    pace: false,
    cpus: 4,
    drives: [{ slot: 'hda', medium: openMedium(image(`run=shootdown,${UNMAPPINGS};off panic=off ata=off`)) }],
  }))
  let text = ''
  guest.on('serial', ({ bytes }) => void (text += Buffer.from(bytes).toString('latin1')))
  guest.watchTlb(true)
  // In steps that cannot fill the log, so that nothing is missed; a window of it is kept, as a use is judged by what follows.
  let next = 0
  let records: TlbRecord[] = []
  const found = { changes: 0, uses: 0 }
  const judge = () => {
    const uses = staleUses(records)
    found.uses += uses.length
    expect(uses.slice(0, 3)).toEqual([])
  }
  for (let end: StopInfo; ; ) {
    end = await guest.step(200_000, 'all')
    const read = readTlbLog(guest.memory, next)
    expect(read.lost).toBe(0)
    next += read.records.length
    found.changes += read.records.filter(
      ({ kind, flags }) => kind === L.TLB_LOG_KIND_CHANGE && flags === 1,
    ).length
    records = records.concat(read.records)
    if (end.reason !== 'step') break
    if (records.length < 40_000) continue
    judge()
    records = records.slice(-20_000)
  }
  judge()
  expect(text).toContain(`shootdown: ${UNMAPPINGS} unmappings, 4 CPUs, `)
  expect(text).toContain(' 0 stale uses')
  expect(found.changes).toBeGreaterThanOrEqual(UNMAPPINGS)
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

  test('one CPU of sixteen that never answers', async () => {
    const { text } = await boot(
      'deaf=5 patience=20 run=cpus;shootdown,20;shell',
      { cpus: 16 },
      undefined,
      SHELL,
    )
    expect(text).toContain('smp: the CPU with APIC ID 5 does not answer: going on without it')
    expect(text).toContain('15 CPUs, ')
    expect(text).toMatch(/ 5 +5 silent +-/)
    expect(text).toMatch(/shootdown: 20 unmappings, 15 CPUs, 2\d\d IPIs, 0 stale uses/)
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

  test('an initrd of noise', async () => {
    const broken = (bytes: Buffer) => {
      const at = bytes.readUInt32LE(1024 + 16) * 512
      for (let i = 0; i < 40960; i++) bytes[at + i] = (i * 2654435761) >>> 13
    }
    const { text } = await boot('run=ls;shell', {}, broken, 'kernel> ')
    expect(text).toMatch(/initrd: no ustar header at offset 0/)
    expect(text).toContain('the kernel takes its commands itself')
  })

  test('an ext2 whose group descriptors, inodes and directories are noise', async () => {
    const broken = (bytes: Buffer) => {
      const at = bytes.readUInt32LE(446 + 8) * 512
      for (let i = 2048; i < 20480; i++) bytes[at + i] = (i * 2654435761) >>> 11
    }
    const { text, end } = await boot('run=mounts;selftest,ext2;off', {}, broken)
    expect(text).toMatch(/ext2( on hda1)?: /)
    expect(text).not.toContain('PANIC')
    expect(end?.reason).toBe('power-off')
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
