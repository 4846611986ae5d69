// `ringside bench insight --probes`: what it costs the guest that calls of its allocators are told, on and off in turns. Told in processor
// time of the CPU's thread for each instruction, where the host says it (Linux), so that other work on the host disturbs little.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as L from '../core/layout'
import { openDirectBoot } from '../firmware/direct-boot/files'
import { AllocationLedger } from '../insight/events/allocation-ledger'
import { EventReader } from '../insight/events/event-reader'
import { EventTable } from '../insight/events/event-table'
import { openLens } from '../insight/lenses/find-lens'
import { viewOfKernel } from '../insight/lenses/guest-view'
import { elfKernel } from '../insight/lenses/kernel'
import { findLinux } from '../insight/lenses/linux/find-linux'
import { LINUX_DIRECT_MAP, LINUX_PROBES } from '../insight/lenses/linux/linux-probes'
import { type LensProbe, lensProbes } from '../insight/lenses/probes'
import { Reader } from '../insight/lenses/reader'
import { SymbolFile } from '../insight/symbols/symbol-file'
import { defaultConfig, type Machine, type MachineConfig, MIB } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { threadTimes } from './bench-run'

/** As main/push/event-watch.ts takes them. */
const PERIOD = 8

export interface ProbeCost {
  /** ns of processor time for an instruction of the guest, in the middle of the rounds. */
  off: number
  on: number
  /** Calls told in a second of the guest's processor time, and those that were lost because nobody took them in time. */
  told: number
  lost: number
}

const guest = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/seedling/${name}`, import.meta.url))

/** Processor time of each thread of this process, ns; empty where the host does not say. */
function ownTimes(): Map<string, number> {
  try {
    return threadTimes('self')
  } catch {
    // A thread that is gone by now, or no Linux.
    return new Map()
  }
}

/** What the busiest other thread, which is the CPU's, has used since; without such figures, the time. */
function clock(): () => number {
  const before = ownTimes()
  const began = performance.now()
  return () => {
    const own = String(process.pid)
    const used = [...ownTimes()].map(([id, time]) => (id === own ? 0 : time - (before.get(id) ?? 0)))
    const most = Math.max(0, ...used)
    return most > 0 ? most : (performance.now() - began) * 1e6
  }
}

/** Instructions of the one CPU. */
const retired = (machine: Machine) => machine.memory.cpu64(0, L.CPU_RETIRED)

const later = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/** Takes events as the window does, until told to end. */
function drain(machine: Machine, probes: readonly LensProbe[]) {
  const table = new EventTable(1 << 14)
  const reader = new EventReader(machine.memory, table)
  const ledger = new AllocationLedger(probes)
  const take = () => {
    for (const event of reader.take()) ledger.hear(event)
  }
  const timer = setInterval(take, PERIOD)
  return {
    end() {
      clearInterval(timer)
      take()
      return { told: table.next, lost: table.lost }
    },
  }
}

/** Serial output of a machine, and what to wait for in it. */
function listen(machine: Machine) {
  let text = ''
  machine.on('serial', ({ port, bytes }) => {
    if (port === 0) text = (text + Buffer.from(bytes).toString('latin1')).slice(-20_000)
  })
  return async (what: string) => {
    while (!text.includes(what)) await later(2)
    text = ''
  }
}

const middle = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** In turns, `rounds` times, for `ms` each. */
async function inTurns(
  machine: Machine,
  probes: readonly LensProbe[],
  direct: bigint | undefined,
  rounds: number,
  ms: number,
): Promise<ProbeCost> {
  const found: Record<'off' | 'on', number[]> = { off: [], on: [] }
  let [told, lost, time] = [0, 0, 0]
  for (let round = 0; round < 2 * rounds; round++) {
    const on = round % 2 === 1
    machine.watchEvents(on ? L.EVENT_CLASS_PROBE : 0)
    machine.setProbes(on ? probes : [], direct)
    const events = on ? drain(machine, probes) : undefined
    // Traces are made anew.
    await later(ms / 4)
    const used = clock()
    const first = retired(machine)
    await later(ms)
    const instructions = Number(retired(machine) - first)
    const spent = used()
    found[on ? 'on' : 'off'].push(spent / Math.max(1, instructions))
    if (!events) continue
    const seen = events.end()
    told += seen.told
    lost += seen.lost
    time += spent * 1.25
  }
  machine.setProbes([])
  return { off: middle(found.off), on: middle(found.on), told: told / (time / 1e9), lost }
}

/** Seedling's fork storm, with all that its lens probes. */
export async function seedlingProbes(rounds: number, ms: number): Promise<ProbeCost> {
  const file = new SymbolFile(guest('seedling.elf'))
  const machine = await createMachine({
    ...defaultConfig(),
    ...{
      memory: 64 * MIB,
      pace: false,
      drives: [{ slot: 'hda' as const, medium: openMedium(guest('seedling.img')) }],
    },
  })
  try {
    const kernel = elfKernel(file.symbols, () => undefined)
    const lens = openLens(guest('seedling.lens.json'))
    if (!lens || !('lens' in lens)) throw new Error(`seedling.lens.json: ${lens?.problem ?? 'not there'}`)
    const said = listen(machine)
    machine.run()
    await said('seedling>')
    await machine.serialInput(0, Buffer.from('forkstorm 100000000\r'))
    await later(1000)
    const reader = new Reader(viewOfKernel(machine.memory), kernel)
    const probes = lensProbes(reader, lens.lens.probes ?? [])
    const { directMap } = lens.lens
    return await inTurns(
      machine,
      probes,
      directMap === undefined ? undefined : reader.big(directMap),
      rounds,
      ms,
    )
  } finally {
    await machine.dispose()
    file.close()
  }
}

const LINUX: Partial<MachineConfig> = { memory: 256 * MIB, pace: false }
const READY = 'READY'
const STORM =
  'while :; do (cat /proc/vmstat | sha256sum; dd if=/dev/zero of=/tmp/f bs=64k count=16; rm /tmp/f) >/dev/null 2>&1; done\n'

/**
 * Linux: its boot, the same instructions with probes and without (addresses are the same each time, KASLR included: the same seed is
 * the same boot), and a shell that starts program after program.
 * @param folder with vmlinuz and an initramfs.gz whose init says READY and starts a shell on ttyS0
 */
export async function linuxProbes(
  folder: string,
  rounds: number,
  ms: number,
): Promise<{ boot: ProbeCost; storm: ProbeCost }> {
  const start = async () => {
    const direct = openDirectBoot(
      join(folder, 'vmlinuz'),
      [join(folder, 'initramfs.gz')],
      'console=ttyS0 quiet',
    )
    return createMachine({ ...defaultConfig(), ...LINUX, direct })
  }
  const boot = async (machine: Machine) => {
    const said = listen(machine)
    const used = clock()
    machine.run()
    await said(READY)
    return { cost: used() / Number(retired(machine)), spent: used() }
  }
  let probes: LensProbe[] = []
  let direct: bigint | undefined
  let off = 0
  let storm: ProbeCost
  const plain = await start()
  try {
    off = (await boot(plain)).cost
    await plain.pause()
    const kernel = findLinux(plain.memory)
    if (!kernel) throw new Error(`${folder}: no Linux was found in the guest’s memory`)
    const reader = new Reader(viewOfKernel(plain.memory), kernel)
    probes = lensProbes(reader, LINUX_PROBES)
    direct = reader.big(LINUX_DIRECT_MAP)
    plain.run()
    await plain.serialInput(0, Buffer.from(STORM))
    await later(2000)
    storm = await inTurns(plain, probes, direct, rounds, ms)
  } finally {
    await plain.dispose()
  }
  const probed = await start()
  try {
    probed.watchEvents(L.EVENT_CLASS_PROBE)
    probed.setProbes(probes, direct)
    const events = drain(probed, probes)
    const { cost, spent } = await boot(probed)
    const { told, lost } = events.end()
    return { boot: { off, on: cost, told: told / (spent / 1e9), lost }, storm }
  } finally {
    await probed.dispose()
  }
}
