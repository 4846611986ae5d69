// `ringside bench`: how fast this machine runs guest code, by the bare-metal workloads of assets/guests/bench and by the
// boot of a Linux kernel; beside other emulators in the same run.
import { parseArgs } from 'node:util'
import bench32 from '@assets/guests/bench/bench32.img?asset'
import bench64 from '@assets/guests/bench/bench64.img?asset'
import { DirectBootError, openDirectBoot } from '../firmware/direct-boot/files'
import { defaultConfig, type Machine, MIB } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { benchDisk } from './bench-disk'
import { benchInsight } from './bench-insight'
import { benchSmp } from './bench-smp'
import { BENCH_MEMORY, type Job, type Peer, type PeerOptions, PEERS } from './bench-peers'
import { CHECKSUMS, IDLE, rowBegins, rowEnds } from './bench-rows'
import { runOurs, runPeer, type Watch } from './bench-run'
import { FileError, OK, UsageError } from './usage'

const LINUX = 'linux'
const HELP = `usage: ringside bench [ROW...] [--bits 64|32] [--against LIST] [--repeat N] [--json]
       ringside bench linux --kernel FILE [--initrd FILE] [--append TEXT] [--until TEXT] [--against LIST]
       ringside bench disk [--json]
       ringside bench smp [--kernel FILE --initrd FILE] [--json]
       ringside bench insight [--elf FILE] [--json]
       ringside bench --ui [PART...]

Boots a bare-metal benchmark and reports, for each row, millions of guest instructions per second of host time. Names
choose rows (a1-sieve, a2-crc32, ...). A row whose result is wrong is marked, and the exit status is 1. The row linux is
the boot of a Linux kernel of yours until COM1 says the text of --until (BOOT-OK). The rows of disk read an image by DMA, 4
and 128 KiB a command; their time is that of the wall clock. The rows of smp say what several CPUs gain (bench smp --help), those of
insight what the views of memory compute; --ui measures the window (bench --ui --help).

--against LIST   run the same on other emulators (qemu, bochs, v86) right afterwards and print, for each row, how many
                 times their time ours is; one that is not installed, or cannot run it, is named and left out
--repeat N       all of it N times, and of each row the best time (other work on the machine disturbs caches and clocks)
--v86 FOLDER     where the npm package v86 is; else it is looked for from the current directory (--bits 32 only)
--append TEXT    the kernel's command line (default "console=ttyS0 panic=-1")

All times are seconds on the CPU of all threads of an emulator. To compare, pin the run: taskset -c 1 ./ringside bench
`

interface Row {
  name: string
  /** 0 for rows that are not counted. */
  instructions: number
  /** On the CPU: the best of all runs. */
  seconds: number
  mips: number
  correct: boolean
  /** Seconds of the others, and how many times their time ours is. */
  peers?: Record<string, number>
  ratios?: Record<string, number>
}

interface Plan {
  job: Job
  /** Names of rows. */
  wanted: string[]
  peers: Peer[]
  repeat: number
  options: PeerOptions
  until: string
  json: boolean
}

export async function bench(args: string[]): Promise<number> {
  if (args[0] === 'disk') return benchDisk(args.slice(1))
  if (args[0] === 'smp') return benchSmp(args.slice(1))
  if (args[0] === 'insight') return benchInsight(args.slice(1))
  const plan = parse(args)
  if (plan === 'help') {
    process.stdout.write(HELP)
    return OK
  }
  const rows = new Map<string, Row>()
  // Each round has everybody in it, so that a slow moment of the host hits all alike.
  const left = new Set<Peer>()
  for (let round = 0; round < plan.repeat; round++) {
    await measure(plan, rows, round === 0 && !plan.json)
    for (const peer of plan.peers) if (!left.has(peer)) await measurePeer(plan, peer, rows, left)
  }
  const list = [...rows.values()]
  const present = plan.peers.filter((peer) => !left.has(peer)).map(({ name }) => name)
  for (const row of list) {
    const times = Object.entries(row.peers ?? {})
    if (times.length > 0)
      row.ratios = Object.fromEntries(times.map(([name, seconds]) => [name, row.seconds / seconds]))
  }
  if (plan.json) process.stdout.write(`${JSON.stringify(list)}\n`)
  else if (present.length > 0 || plan.repeat > 1) process.stdout.write(table(list, present))
  return plan.wanted.every((name) => rows.get(name)?.correct) ? OK : 1
}

function parse(args: string[]): Plan | 'help' {
  const { values, positionals } = parseLine(args)
  if (values.help) return 'help'
  const known = [...Object.keys(CHECKSUMS), LINUX]
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`there is no row ${unknown}; there are ${known.join(', ')}`)
  if (values.bits !== '64' && values.bits !== '32')
    throw new UsageError(`--bits is 64 or 32, not ${values.bits}`)
  const repeat = Number(values.repeat)
  if (!Number.isInteger(repeat) || repeat < 1 || repeat > 100)
    throw new UsageError(`--repeat ${values.repeat}: a whole number from 1 to 100`)
  const linux = positionals.includes(LINUX)
  if (linux && positionals.length > 1) throw new UsageError('the row linux is measured alone')
  if (linux && values.kernel === undefined) throw new UsageError('the row linux needs a --kernel')
  const stray = (['kernel', 'initrd', 'append', 'until'] as const).find((name) => values[name] !== undefined)
  if (!linux && stray) throw new UsageError(`--${stray} is for the row linux`)
  return {
    job: linux
      ? {
          kind: 'linux',
          kernel: values.kernel!,
          initrd: values.initrd,
          append: values.append ?? 'console=ttyS0 panic=-1',
        }
      : {
          kind: 'image',
          image: values.bits === '64' ? bench64 : bench32,
          bits: values.bits === '64' ? 64 : 32,
        },
    wanted: positionals.length > 0 ? positionals : Object.keys(CHECKSUMS),
    peers: chosenPeers(values.against),
    repeat,
    options: values.v86 === undefined ? {} : { v86: values.v86 },
    until: values.until ?? 'BOOT-OK',
    json: values.json === true,
  }
}

function parseLine(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        bits: { type: 'string', default: '64' },
        json: { type: 'boolean' },
        against: { type: 'string' },
        repeat: { type: 'string', default: '1' },
        v86: { type: 'string' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
        append: { type: 'string' },
        until: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function chosenPeers(list: string | undefined): Peer[] {
  return (list?.split(',') ?? []).map((name) => {
    const peer = PEERS.find((known) => known.name === name)
    if (!peer)
      throw new UsageError(`--against knows ${PEERS.map((known) => known.name).join(', ')}, not ${name}`)
    return peer
  })
}

/** Called for each row that ends. `ticks` and `correct` are the guest's word. */
type OnRow = (name: string, seconds: number, ticks: number, correct: boolean) => void

/** Watches the lines of a job until all wanted rows have ended. */
function watch({ job, wanted, until }: Plan, onRow: OnRow): Watch {
  if (job.kind === 'linux') {
    return (line, seconds) => {
      if (!line.includes(until)) return false
      onRow(LINUX, seconds, 0, true)
      return true
    }
  }
  const left = new Set(wanted)
  let began = 0
  return (line, seconds) => {
    if (rowBegins(line)) began = seconds
    const end = rowEnds(line)
    if (end && left.delete(end.name)) onRow(end.name, seconds - began, end.ticks, end.correct)
    return left.size === 0
  }
}

async function measure(plan: Plan, rows: Map<string, Row>, show: boolean) {
  const machine = await machineFor(plan.job)
  try {
    await runOurs(
      machine,
      watch(plan, (name, seconds, ticks, correct) => {
        const instructions = ticks || Number(machine.speed().instructions)
        const known = rows.get(name)
        const row: Row = { name, instructions, seconds, mips: instructions / seconds / 1e6, correct }
        if (!known) rows.set(name, row)
        else {
          known.correct &&= correct
          // The clock moves in slices of milliseconds: one that has not moved says nothing.
          if (seconds > 0 && (seconds < known.seconds || known.seconds === 0))
            Object.assign(known, { seconds, mips: row.mips })
        }
        if (show) process.stdout.write(line(row))
      }),
    )
  } catch (error) {
    process.stderr.write(`ringside: ${(error as Error).message}\n`)
  } finally {
    await machine.dispose()
  }
}

async function machineFor(job: Job): Promise<Machine> {
  const config = { ...defaultConfig(), memory: BENCH_MEMORY * MIB, pace: false }
  if (job.kind === 'image')
    return createMachine({ ...config, drives: [{ slot: 'hda', medium: openMedium(job.image) }] })
  try {
    const direct = openDirectBoot(job.kernel, job.initrd === undefined ? [] : [job.initrd], job.append)
    return await createMachine({ ...config, direct })
  } catch (error) {
    if (error instanceof DirectBootError) throw new FileError(error.message)
    throw error
  }
}

/** Notes, in each row, the time of a peer; one that cannot be run is named once and left out. */
async function measurePeer(plan: Plan, peer: Peer, rows: Map<string, Row>, left: Set<Peer>) {
  const busy = plan.wanted.filter((name) => !IDLE.has(name) && rows.has(name))
  if (busy.length === 0) return
  const command = peer.prepare(plan.job, plan.options)
  if (typeof command === 'string') {
    left.add(peer)
    process.stderr.write(`ringside: ${peer.name} is left out: ${command}\n`)
    return
  }
  try {
    await runPeer(
      command,
      watch({ ...plan, wanted: busy }, (name, seconds, _ticks, correct) => {
        const row = rows.get(name)!
        // Its threads end one by one: what is left of a sum may be less than it was.
        if (!(seconds > 0)) return
        if (!correct) process.stderr.write(`ringside: ${peer.name} got a wrong result in ${name}\n`)
        row.peers = { ...row.peers, [peer.name]: Math.min(seconds, row.peers?.[peer.name] ?? Infinity) }
      }),
    )
  } catch (error) {
    process.stderr.write(`ringside: ${peer.name}: ${(error as Error).message}\n`)
  }
}

function line({ name, instructions, seconds, mips, correct }: Row): string {
  if (IDLE.has(name)) return `${name.padEnd(16)}      - (it idles)${correct ? '' : '  WRONG RESULT'}\n`
  const figures = `${mips.toFixed(0).padStart(6)} MIPS  ${(instructions / 1e6).toFixed(1).padStart(8)} M in ${seconds.toFixed(2)} s`
  return `${name.padEnd(16)} ${figures}${correct ? '' : '  WRONG RESULT'}\n`
}

/** Ours and theirs, in seconds, and how many times their time ours is. */
function table(rows: readonly Row[], peers: readonly string[]): string {
  const head = ['row'.padEnd(16), 'MIPS'.padStart(6), 'ours'.padStart(9)]
  for (const peer of peers) head.push(peer.padStart(9), 'ratio'.padStart(7))
  const lines = rows
    .filter(({ name }) => !IDLE.has(name))
    .map(({ name, mips, seconds, correct, peers: times, ratios }) => {
      const cells = [name.padEnd(16), mips.toFixed(0).padStart(6), `${seconds.toFixed(3)} s`.padStart(9)]
      for (const peer of peers) {
        const time = times?.[peer]
        cells.push((time === undefined ? '-' : `${time.toFixed(3)} s`).padStart(9))
        cells.push((time === undefined ? '-' : ratios![peer]!.toFixed(2)).padStart(7))
      }
      return `${cells.join(' ')}${correct ? '' : '  WRONG RESULT'}`
    })
  return `\n${head.join(' ')}\n${lines.join('\n')}\n`
}
