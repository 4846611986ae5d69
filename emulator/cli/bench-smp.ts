// `ringside bench smp`: what several CPUs gain, and what the schedules cost. Every figure is a ratio, or a time, of things
// measured in turns in one run, of each the best of several, of Linux the middle one of pairs: other work on the host
// disturbs all alike.
import { parseArgs } from 'node:util'
import { DirectBootError, openDirectBoot } from '../firmware/direct-boot/files'
import type { DirectBoot } from '../firmware/direct-boot/load'
import { defaultConfig, type Machine, MIB, type Schedule } from '../machine/api'
import { createMachine } from '../machine/machine'
import { JOB, type SmpJob, smpMachine } from '../machine/smp/guest'
import { FileError, OK, UsageError } from './usage'

const HELP = `usage: ringside bench smp [--repeat N] [--json]
       ringside bench smp --kernel FILE --initrd FILE [--append TEXT] [--repeat N] [--json]

Several CPUs: loops of arithmetic on one to four of them under both schedules, and interrupts there and back. With a Linux
kernel of yours, whose init says READY and gives a shell on ttyS0: the time of its boot and of two sha256 at once, with one
CPU and with two. All times are those of the wall clock, on a machine that has at least two cores and nothing else to do.
`

const LINUX_MEMORY = 256 * MIB
/** About a second of one CPU. */
const ALU_ROUNDS = 8_000_000
const PINGS = 20_000
/** Two at once: bytes of zeros through sha256sum. */
const SHA = 'for i in 1 2; do (dd if=/dev/zero bs=1M count=48 2>/dev/null | sha256sum) & done; wait'

/** A figure and what it has to be; `reached` is the figure's word, not the exit status. */
interface SmpRow {
  name: string
  value: number
  unit: string
  wanted: string
  reached: boolean
}

/** @param args behind `bench smp` */
export async function benchSmp(args: string[]): Promise<number> {
  const { values } = parseLine(args)
  if (values.help) {
    process.stdout.write(HELP)
    return OK
  }
  const repeat = Number(values.repeat)
  if (!Number.isInteger(repeat) || repeat < 1 || repeat > 100)
    throw new UsageError(`--repeat ${values.repeat}: a whole number from 1 to 100`)
  if ((values.kernel === undefined) !== (values.initrd === undefined))
    throw new UsageError('--kernel and --initrd go together')
  const rows: SmpRow[] = []
  const tell = (row: SmpRow) => {
    rows.push(row)
    if (!values.json) process.stdout.write(line(row))
  }
  await arithmetic(repeat, tell)
  await interrupts(repeat, tell)
  if (values.kernel !== undefined && values.initrd !== undefined)
    await linux(kernel(values.kernel, values.initrd, values.append), repeat, tell)
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`)
  return OK
}

function parseLine(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        repeat: { type: 'string', default: '3' },
        json: { type: 'boolean' },
        kernel: { type: 'string' },
        initrd: { type: 'string' },
        append: { type: 'string', default: 'console=ttyS0 panic=-1' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function line({ name, value, unit, wanted, reached }: SmpRow): string {
  return `${name.padEnd(52)} ${value.toFixed(2).padStart(7)} ${unit.padEnd(3)} (${wanted}${reached ? '' : ': NOT REACHED'})\n`
}

/** The best times of several measurements, made in turns. @returns in the order of `what`, seconds */
async function best(repeat: number, what: readonly (() => Promise<number>)[]): Promise<number[]> {
  const times = what.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < repeat; round++)
    for (const [i, measure] of what.entries()) times[i] = Math.min(times[i]!, await measure())
  return times
}

async function arithmetic(repeat: number, tell: (row: SmpRow) => void) {
  const alu = (cpus: number, schedule: Schedule) => () => aluTime(cpus, schedule)
  const [one, two, four, turn, turns] = (await best(repeat, [
    alu(1, 'parallel'),
    alu(2, 'parallel'),
    alu(4, 'parallel'),
    alu(1, 'deterministic'),
    alu(2, 'deterministic'),
  ])) as [number, number, number, number, number]
  const gain = (2 * one) / two
  tell(row('s1 two CPUs in parallel: throughput of one', gain, 'x', 'at least 1.8', gain >= 1.8))
  const loss = 100 * (1 - (4 / four) * (two / 2))
  tell(row('s2 four CPUs on two cores: lost of that of two', loss, '%', 'under 15', loss < 15))
  const cost = 100 * (turn / one - 1)
  tell(row('s3 deterministic, one CPU: cost', cost, '%', 'under 5', cost < 5))
  const both = 100 * (turns / (2 * turn) - 1)
  tell(row('s4 deterministic, two busy CPUs: cost over their sum', both, '%', 'under 10', both < 10))
}

function row(name: string, value: number, unit: string, wanted: string, reached: boolean): SmpRow {
  return { name, value, unit, wanted, reached }
}

/** Seconds that `cpus` loops take, all of them. */
async function aluTime(cpus: number, schedule: Schedule): Promise<number> {
  let began = 0
  let ended = 0
  await guest({ job: JOB.alu, rounds: ALU_ROUNDS }, cpus, schedule, (said) => {
    if (said === 'B alu') began = performance.now()
    if (said === 'E alu') ended = performance.now()
  })
  return (ended - began) / 1000
}

async function interrupts(repeat: number, tell: (row: SmpRow) => void) {
  const there = (variant: number) => () => pingTime(variant)
  const [running, halting] = (await best(repeat, [there(0), there(1)])) as [number, number]
  tell(row('s5 IPI there and back, both CPUs running', running, 'us', 'under 20', running < 20))
  tell(row('s6 the same, each halting until it comes', halting, 'us', 'for comparison', true))
}

/** Microseconds of a round trip, by the guest's TSC, which is the host's clock. */
async function pingTime(variant: number): Promise<number> {
  let nanoseconds = Number.NaN
  const rounds = variant === 0 ? PINGS : PINGS / 10
  await guest({ job: JOB.pingpong, variant, rounds }, 2, 'parallel', (said) => {
    const [, ticks] = /^pingpong ([0-9A-Fa-f]+)/.exec(said) ?? []
    if (ticks !== undefined) nanoseconds = Number.parseInt(ticks, 16)
  })
  return nanoseconds / rounds / 1000
}

/** Runs a job of assets/guests/smp to its end. @throws Error when it does not come to it */
async function guest(job: SmpJob, cpus: number, schedule: Schedule, hear: (line: string) => void) {
  const machine = await smpMachine(job, { cpus, schedule })
  try {
    let text = ''
    machine.on('debugcon', ({ bytes }) => {
      const lines = (text + Buffer.from(bytes).toString('latin1')).split('\n')
      text = lines.pop()!
      for (const said of lines) hear(said)
    })
    machine.run()
    const { reason, message, report } = await machine.whenStopped()
    if (reason !== 'debug-exit')
      throw new Error(`the guest ended with ${reason}: ${message}\n${report ?? ''}`)
  } finally {
    await machine.dispose()
  }
}

function kernel(path: string, initrd: string, append: string): DirectBoot {
  try {
    return openDirectBoot(path, [initrd], append)
  } catch (error) {
    if (error instanceof DirectBootError) throw new FileError(error.message)
    throw error
  }
}

async function linux(direct: DirectBoot, repeat: number, tell: (row: SmpRow) => void) {
  // A host's speed changes within half a minute by more than what is looked for: a boot is held against the one beside it.
  const boots: number[] = []
  const shas: number[] = []
  for (let round = 0; round < repeat; round++) {
    const one = await linuxTimes(direct, 1)
    const two = await linuxTimes(direct, 2)
    boots.push(two.boot / one.boot)
    shas.push(one.sha / two.sha)
  }
  const boot = median(boots)
  tell(row('s7 Linux to its shell: two CPUs to one', boot, 'x', 'no more than 1', boot <= 1))
  const sha = median(shas)
  tell(row('s8 two sha256 at once in Linux: one CPU to two', sha, 'x', 'at least 1.6', sha >= 1.6))
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

/** Seconds to the shell, and of the phase. */
async function linuxTimes(direct: DirectBoot, cpus: number): Promise<{ boot: number; sha: number }> {
  const config = { ...defaultConfig(), memory: LINUX_MEMORY, cpus, schedule: 'parallel' as const }
  const machine: Machine = await createMachine({ ...config, pace: false, direct })
  try {
    let text = ''
    let came: (() => void) | undefined
    machine.on('serial', ({ port, bytes }) => {
      if (port !== 0) return
      text += Buffer.from(bytes).toString('latin1')
      came?.()
    })
    /** Seconds until COM1 says it from now on. */
    const until = async (wanted: RegExp) => {
      const began = performance.now()
      let match = wanted.exec(text)
      while (!match) {
        const heard = new Promise<void>((resolve) => {
          came = resolve
        })
        if ((await Promise.race([heard, stopped])) !== undefined)
          throw new Error(`Linux ended, having said: ${text}`)
        match = wanted.exec(text)
      }
      // What came behind it in the same breath, a prompt, is for the next to find.
      text = text.slice(match.index + match[0].length)
      return (performance.now() - began) / 1000
    }
    machine.run()
    const stopped = machine.whenStopped()
    const boot = await until(/^READY/m)
    // The shell of busybox asks for the cursor behind its prompt.
    await until(/[#$] /)
    const command = `${SHA}; echo SHA-${cpus}-DONE\r`
    const sending = machine.serialInput(0, Buffer.from(command))
    const sha = await until(new RegExp(`^SHA-${cpus}-DONE`, 'm'))
    await sending
    return { boot, sha }
  } finally {
    await machine.dispose()
  }
}
