// `ringside run IMAGE`: a machine whose COM1 is the terminal.
import { readFileSync, writeFileSync } from 'node:fs'
import { KernelError } from '../firmware/direct-boot/kernel-error'
import { faultNames } from '../insight/symbols/fault-names'
import { GuestNames } from '../insight/symbols/guest-names'
import { tripleFaultReport } from '../insight/triple-fault'
import { machineAtRest } from '../insight/rest-autopsy'
import { DirectBootError, isKernelFile, openDirectBoot } from '../firmware/direct-boot/files'
import type { DirectBoot } from '../firmware/direct-boot/load'
import {
  type BootDevice,
  type DriveConfig,
  defaultConfig,
  KIB,
  type Machine,
  type MachineConfig,
  type StopInfo,
  linear,
} from '../machine/api'
import { type DrivePlan, placeDrives } from '../machine/drive-plan'
import { createMachine } from '../machine/machine'
import { type Medium, MediumError, type MediumKind, openMedium, reasonOf } from '../media/medium'
import { encodePng } from './png'
import { renderScreen } from './render-screen'
import { parseRunOptions, RUN_HELP, type RunOptions } from './run-options'
import { fileSink, nullSink, type Sink, streamSink } from './sinks'
import { connectStdin, lineEnd } from './stdin'
import { TextWatch } from './until'
import {
  BROKEN_PIPE,
  debugExitStatus,
  FileError,
  INTERNAL,
  INTERRUPTED,
  OK,
  TERMINATED,
  TIMEOUT,
  TRIPLE_FAULT,
  UsageError,
} from './usage'

const COM1 = 0
const ROM_MAX = 128 * KIB
/** How long the end of a run waits for somebody to read what is left of its output. */
const FLUSH_MS = 2000
const HALT_CHECK_MS = 250

export async function run(args: string[]): Promise<number> {
  const options = parseRunOptions(args)
  if (options === 'help') {
    process.stdout.write(RUN_HELP)
    return OK
  }
  const { kernel, image } = whatToBoot(options)
  const direct = kernel === undefined ? undefined : openKernel(kernel, options)
  const rom = options.bios === undefined ? undefined : readRom(options.bios)
  if (rom && direct)
    throw new UsageError('--bios takes the place of the firmware, which would start the kernel')
  const { drives, media, boot: order } = openDrives(image, options)
  // A disk beside a kernel or another image need not boot.
  for (const { named, warnings, first } of media) {
    for (const warning of warnings) {
      if ((first && !direct) || !warning.includes('will not boot it')) say(`${named}: ${warning}`)
    }
  }
  const ending = new Ending()
  const sinks = openSinks(options, media, ending)
  let machine: Machine
  try {
    machine = await createMachine({
      ...defaultConfig(),
      memory: options.memory,
      cpus: options.cpus,
      schedule: options.schedule,
      seed: options.seed,
      cpu: options.cpu,
      pace: options.pace,
      drives,
      boot: order,
      ...(direct && { direct }),
      ...(rom && { rom }),
    })
  } catch (error) {
    if (error instanceof KernelError) throw new FileError(`${kernel}: ${error.message}`)
    const { message, stack } = error as Error
    // A RangeError is about the configuration; the rest is our own.
    say(`the machine could not be made: ${error instanceof RangeError ? message : (stack ?? message)}`)
    return INTERNAL
  }
  try {
    return await boot(machine, options, sinks, ending)
  } finally {
    await machine.dispose()
  }
}

function readRom(path: string): Uint8Array {
  let rom: Uint8Array
  try {
    rom = readFileSync(path)
  } catch (error) {
    throw new FileError(`${path}: ${(error as Error).message}`)
  }
  if (rom.length === 0 || rom.length > ROM_MAX)
    throw new FileError(`${path}: a ROM has 1 to ${ROM_MAX} bytes, not ${rom.length}`)
  return rom
}

function open(path: string, as?: MediumKind): Medium {
  try {
    return openMedium(path, as)
  } catch (error) {
    if (error instanceof MediumError) throw new FileError(error.message)
    throw error
  }
}

/** IMAGE is a kernel when its content says so and no other is named. */
function whatToBoot({ kernel, image, initrd, append }: RunOptions): Pick<RunOptions, 'kernel' | 'image'> {
  if (kernel !== undefined || image === undefined) return { kernel, image }
  if (isKernelFile(image)) return { kernel: image, image: undefined }
  const alone = initrd.length > 0 ? '--initrd' : append !== undefined ? '--append' : undefined
  if (alone) throw new UsageError(`${alone} is for a kernel, and ${image} is none: name it with --kernel`)
  return { kernel, image }
}

function openKernel(path: string, { initrd, append }: RunOptions): DirectBoot {
  try {
    return openDirectBoot(path, initrd, append ?? '')
  } catch (error) {
    if (error instanceof DirectBootError || error instanceof MediumError) throw new FileError(error.message)
    throw error
  }
}

/** An image of the command line: where it came from, what is to be said about it. */
type Opened = Medium & { first: boolean; named: string }

/** All images in their drives, and the order to boot from: IMAGE first, when nothing else is asked for. */
function openDrives(
  path: string | undefined,
  options: RunOptions,
): {
  drives: DriveConfig[]
  media: Opened[]
  boot: MachineConfig['boot']
} {
  const media: Opened[] = []
  try {
    const add = (named: string, as?: MediumKind) => {
      const medium = open(named, as)
      media.push(Object.assign(medium, { first: media.length === 0, named }))
      return medium
    }
    const image = path === undefined ? undefined : add(path)
    const of = (kind: MediumKind, paths: string[]) => [
      ...(image?.kind === kind ? [image] : []),
      ...paths.map((path) => add(path, kind)),
    ]
    const plan = {
      floppies: of('floppy', options.floppies),
      disks: of('disk', options.disks),
      cdroms: of('cdrom', options.cdroms),
    }
    const usual: BootDevice[] = ['floppy', 'disk', 'cdrom']
    const boot =
      options.boot ?? (image ? [image.kind, ...usual.filter((kind) => kind !== image.kind)] : 'auto')
    return { drives: drivesOf(plan), media, boot }
  } catch (error) {
    for (const medium of media) medium.close()
    throw error
  }
}

function drivesOf(plan: DrivePlan): DriveConfig[] {
  try {
    return placeDrives(plan)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** Why the run is over, if not by the guest: the first reason stands. */
class Ending {
  #status: number | undefined
  readonly #asked: Promise<void>
  #ask!: () => void

  constructor() {
    this.#asked = new Promise((resolve) => {
      this.#ask = resolve
    })
  }

  get status(): number | undefined {
    return this.#status
  }

  readonly end = (status: number) => {
    this.#status ??= status
    this.#ask()
  }

  /** Resolves when somebody asks for the end. */
  asked(): Promise<void> {
    return this.#asked
  }
}

interface Sinks {
  com1: Sink
  debugcon: Sink
}

function openSinks({ serial, debugcon }: RunOptions, media: readonly Medium[], ending: Ending): Sinks {
  const failed = (where: string) => (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') say(`${where}: ${reasonOf(error)}`)
    ending.end(BROKEN_PIPE)
  }
  try {
    return {
      com1:
        serial.kind === 'stdio'
          ? streamSink(process.stdout, failed('stdout'))
          : serial.kind === 'file'
            ? fileSink(serial.path, failed(serial.path))
            : nullSink,
      debugcon: debugcon === undefined ? nullSink : fileSink(debugcon, failed(debugcon)),
    }
  } catch (error) {
    for (const medium of media) medium.close()
    throw error
  }
}

async function boot(machine: Machine, options: RunOptions, { com1, debugcon }: Sinks, ending: Ending) {
  const watch = options.until === undefined ? undefined : new TextWatch(options.until)
  machine.on('serial', ({ port, bytes }) => {
    if (port !== COM1) return
    if (watch && ending.status === undefined && watch.feed(bytes)) ending.end(OK)
    return com1.write(bytes)
  })
  machine.on('debugcon', ({ bytes }) => debugcon.write(bytes))
  machine.on('medium', ({ message }) => say(message))

  const interrupt = () => ending.end(INTERRUPTED)
  const terminate = () => ending.end(TERMINATED)
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', terminate)
  process.on('SIGHUP', terminate)
  const stdin =
    options.serial.kind === 'stdio'
      ? connectStdin(
          (bytes) => machine.serialInput(COM1, bytes),
          interrupt,
          () => machine.powerButton(),
        )
      : undefined
  const timer =
    options.timeout === undefined ? undefined : setTimeout(() => ending.end(TIMEOUT), options.timeout * 1000)
  const haltNotice = noticeOfRest(machine, options)

  machine.run()
  const stopped = await Promise.race([machine.whenStopped(), ending.asked().then(() => undefined)])
  clearTimeout(timer)
  clearInterval(haltNotice)
  const info = stopped ?? (await within(FLUSH_MS, machine.pause()))
  // The terminal is given back first: what follows is written with ordinary line ends.
  stdin?.close()
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', terminate)
  process.off('SIGHUP', terminate)
  await within(FLUSH_MS, Promise.all([com1.close(), debugcon.close()]))
  const status = ending.status ?? statusOf(stopped)
  if (stopped && ending.status === undefined) report(stopped, namesOfFault(machine, stopped, options))
  if (info) await leaveTraces(machine, options)
  return status
}

/** @returns undefined when it takes longer: somebody does not read our output */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function statusOf(info: StopInfo | undefined): number {
  switch (info?.reason) {
    case 'power-off':
      return OK
    case 'debug-exit':
      return debugExitStatus(info.value)
    case 'triple-fault':
      return TRIPLE_FAULT
    default:
      return INTERNAL
  }
}

function report({ reason, message, report: text }: StopInfo, names: readonly string[]) {
  if (reason === 'power-off' || reason === 'debug-exit') return
  const account = reason === 'triple-fault' ? (text ?? message) : [message, text ?? `(${reason})`].join('\n')
  process.stderr.write(
    `\nringside: ${[account.trimEnd(), ...(names.length > 0 ? ['', ...names] : [])].join('\n')}\n`,
  )
}

function symbolsOf(options: RunOptions): GuestNames | undefined {
  if (options.symbols !== undefined) return new GuestNames(options.symbols)
  const subject = options.kernel ?? options.image ?? options.disks[0]
  return subject === undefined ? undefined : GuestNames.of(subject)
}

/** A triple fault's addresses by the symbols of the guest, when there are any. */
function namesOfFault(machine: Machine, { reason }: StopInfo, options: RunOptions): string[] {
  if (reason !== 'triple-fault') return []
  const names = symbolsOf(options)
  if (!names) return []
  try {
    for (let cpu = 0; cpu < options.cpus; cpu++) {
      const found = tripleFaultReport(machine.memory, cpu)
      if (found)
        return faultNames(found, names, (address, length) => machine.readLinear(linear(address), length, cpu))
    }
    return []
  } finally {
    names.close()
  }
}

/** What the run leaves behind: the picture of the screen, the figures. */
async function leaveTraces(machine: Machine, { screenshot, stats, cpus, schedule }: RunOptions) {
  if (screenshot !== undefined) {
    try {
      writeFileSync(screenshot, encodePng(renderScreen(machine.screen())))
    } catch (error) {
      say(`${screenshot}: cannot be written: ${reasonOf(error)}`)
    }
  }
  if (stats) {
    const { instructions, seconds, mips } = machine.speed()
    const figures = {
      instructions: Number(instructions),
      seconds: Number(seconds.toFixed(6)),
      mips: Number(mips.toFixed(3)),
      cpus,
      schedule,
      stateHash: await machine.stateHash(),
    }
    process.stderr.write(`${JSON.stringify(figures)}\n`)
  }
}

/** A guest that has halted for good never goes on: says so once, and why, or people wait for it. */
function noticeOfRest(machine: Machine, options: RunOptions): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (machine.state !== 'running' || !machineAtRest(machine)) return
    const names = symbolsOf(options)
    const read = (address: bigint, length: number) => machine.readLinear(linear(address), length)
    const finding = machineAtRest(machine, (address) =>
      names?.check(address, read) ? names.label(address) : undefined,
    )
    names?.close()
    if (!finding) return
    clearInterval(timer)
    const shown = finding.evidence.filter(({ what }) => what === '' || SHOWN.has(what))
    say(
      [
        `the guest will not go on by itself: ${finding.title.replace(/^[A-Z]/, (letter) => letter.toLowerCase())}`,
        finding.text,
        ...shown.map(({ what, value }) => `${what.padEnd(12)} ${value}`),
      ].join('\n  '),
    )
  }, HALT_CHECK_MS)
  return timer
}

/** What a terminal is told of a guest at rest. */
const SHOWN = new Set(['raised at', 'called from', 'RIP'])

function say(message: string) {
  process.stderr.write(`ringside: ${message}${lineEnd()}`)
}
