// The command line of `ringside run`.
import { parseArgs } from 'node:util'
import { MAX_CPUS } from '../core/layout'
import {
  type BootDevice,
  KIB,
  MEMORY_DEFAULT,
  MEMORY_MAX,
  MEMORY_MIN,
  MIB,
  type Schedule,
} from '../machine/api'
import { CPU_DEFAULT, cpuWithheld } from '../machine/cpu-model'
import { UsageError } from './usage'

export const RUN_HELP = `usage: ringside run IMAGE [options]
       ringside run [--disk FILE] [--cdrom FILE] [--floppy FILE] [options]
       ringside run KERNEL [--initrd FILE]... [--append TEXT] [options]
       ringside run [IMAGE] --kernel KERNEL [--initrd FILE]... [--append TEXT] [options]

Boots IMAGE, a raw disk, floppy or CD image, or KERNEL in a PC of its own. A kernel is a Linux bzImage, or an ELF (32 or 64
bits) or flat file with a Multiboot or Multiboot 2 header; which of them a file is, its content says. COM1 is on stdin and
stdout. Images are never written to: what the guest writes is gone when the run ends.

  --disk FILE            a hard disk more (hda, hdb, hdd; up to four without CDs); an ISO as a disk, too
  --cdrom FILE           a CD (hdc first); repeatable like --disk and --floppy
  --floppy FILE          a floppy disk (drive A, then B)
  --boot LIST            what to boot from, in order: floppy, disk, cdrom, separated by commas
                         (default: IMAGE, then floppy,disk,cdrom)

  --kernel FILE          start this kernel; IMAGE is the first disk then, or left out
  --initrd FILE          initial RAM disk of Linux, or modules of a Multiboot kernel: "FILE TEXT,FILE TEXT,..."; repeatable
  --bios FILE            a ROM of at most 128 KiB in place of Ringside's firmware; nothing else need be named
  --symbols FILE         ELF file with the guest's symbols, for reports; else it is looked for beside the image
  --append TEXT          the kernel's command line, such as "console=ttyS0"
  --memory SIZE          guest memory, such as 64M or 1G (default ${MEMORY_DEFAULT / MIB}M, ${MEMORY_MIN / MIB}M to ${MEMORY_MAX / MIB}M)
  --timeout SECONDS      end the run after this time, with status 124
  --until TEXT           end the run when COM1 has said TEXT, with status 0
  --serial WHERE         COM1: stdio (default), null, or file:PATH
  --debugcon file:PATH   what the guest writes to port E9h
  --screenshot OUT.png   the screen at the end of the run
  --stats json           one line of JSON on stderr at the end: instructions, seconds, mips, cpus, schedule, stateHash
  --schedule NAME        deterministic (default): the same image gives the same run; or parallel: host time
  --seed NUMBER          decides the order of the CPUs in the deterministic schedule (default 0)
  --cpu MODEL[,+F,-F]    processor: v1, v2 or v3 (default), features added or taken away, such as v2,+avx
  --smp N, --cpus N      number of CPUs, 1 (default) to ${MAX_CPUS}
  --no-pace              do not wait while the guest idles: its clock jumps to the next timer
  -h, --help             this text

At a terminal every key goes to COM1, Ctrl-C too. Ctrl-A X ends the run, Ctrl-A P presses the power
button, Ctrl-A Ctrl-A sends Ctrl-A.

exit status
  0            the guest powered off, or --until was met
  2            wrong usage, or a file cannot be used
  4            triple fault; the report is on stderr
  (v << 1)|1   the guest wrote v to port F4h (isa-debug-exit)
  124          --timeout
  70           Ringside itself failed
  130, 141, 143  ended by Ctrl-C or Ctrl-A X, a closed pipe, a signal
`

export type SerialTarget = { kind: 'stdio' } | { kind: 'null' } | { kind: 'file'; path: string }

export interface RunOptions {
  /** Recognised by content. */
  image: string | undefined
  disks: string[]
  cdroms: string[]
  floppies: string[]
  /** Undefined: the image, then the usual order. */
  boot: BootDevice[] | undefined
  kernel: string | undefined
  /** For the kernel, which may be what `image` is. */
  initrd: string[]
  append: string | undefined
  /** A ROM in place of the firmware. */
  bios: string | undefined
  symbols: string | undefined
  memory: number
  /** Seconds. */
  timeout: number | undefined
  until: string | undefined
  serial: SerialTarget
  debugcon: string | undefined
  screenshot: string | undefined
  stats: boolean
  schedule: Schedule
  seed: bigint
  cpu: string
  cpus: number
  pace: boolean
}

/**
 * @param args behind `run`
 * @returns 'help' when that is what is asked for
 * @throws UsageError
 */
export function parseRunOptions(args: readonly string[]): RunOptions | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const [image, ...more] = positionals
  const { kernel, initrd = [], append } = values
  const { disk: disks = [], cdrom: cdroms = [], floppy: floppies = [] } = values
  const alone = initrd.length > 0 ? '--initrd' : append !== undefined ? '--append' : undefined
  if (image === undefined && kernel === undefined && alone) {
    throw new UsageError(`${alone} is for a kernel: name it with --kernel`)
  }
  const drives = disks.length + cdroms.length + floppies.length
  if (image === undefined && kernel === undefined && drives === 0 && values.bios === undefined)
    throw new UsageError('run needs an image or a --kernel to boot')
  if (more.length > 0)
    throw new UsageError(
      `run boots one image; ${more[0]} is one too many (more drives: --disk, --cdrom, --floppy)`,
    )
  if (values.stats !== undefined && values.stats !== 'json') {
    throw new UsageError(`--stats knows the format json, not ${values.stats}`)
  }
  if (values.until === '') throw new UsageError('--until needs a text to wait for')
  return {
    image,
    disks,
    cdroms,
    floppies,
    boot: values.boot === undefined ? undefined : parseBoot(values.boot),
    kernel,
    initrd,
    append,
    bios: values.bios,
    symbols: values.symbols,
    memory: values.memory === undefined ? MEMORY_DEFAULT : parseSize(values.memory),
    timeout: values.timeout === undefined ? undefined : parseSeconds(values.timeout),
    until: values.until,
    serial: parseSerial(values.serial ?? 'stdio'),
    debugcon: values.debugcon === undefined ? undefined : parseFile('--debugcon', values.debugcon),
    screenshot: values.screenshot,
    stats: values.stats !== undefined,
    schedule: parseSchedule(values.schedule ?? 'deterministic'),
    seed: parseSeed(values.seed ?? '0'),
    cpu: parseCpu(values.cpu ?? CPU_DEFAULT),
    cpus: parseCpus(values.smp, values.cpus),
    pace: !values['no-pace'],
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        disk: { type: 'string', multiple: true },
        cdrom: { type: 'string', multiple: true },
        floppy: { type: 'string', multiple: true },
        boot: { type: 'string' },
        kernel: { type: 'string' },
        initrd: { type: 'string', multiple: true },
        append: { type: 'string' },
        bios: { type: 'string' },
        symbols: { type: 'string' },
        memory: { type: 'string' },
        timeout: { type: 'string' },
        until: { type: 'string' },
        serial: { type: 'string' },
        debugcon: { type: 'string' },
        screenshot: { type: 'string' },
        stats: { type: 'string' },
        schedule: { type: 'string' },
        seed: { type: 'string' },
        cpu: { type: 'string' },
        cpus: { type: 'string' },
        smp: { type: 'string' },
        'no-pace': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\.? To specify a positional.*$/s, ''))
  }
}

const BOOT_DEVICES: readonly string[] = ['floppy', 'disk', 'cdrom']

function parseBoot(text: string): BootDevice[] {
  const devices = text.split(',').map((name) => name.trim())
  const wrong = devices.find((name) => !BOOT_DEVICES.includes(name))
  if (wrong !== undefined) {
    throw new UsageError(
      `--boot ${text}: ${wrong || 'nothing'} is no boot device; there are floppy, disk and cdrom`,
    )
  }
  const twice = devices.find((name, i) => devices.indexOf(name) !== i)
  if (twice !== undefined) throw new UsageError(`--boot ${text}: ${twice} stands there twice`)
  return devices as BootDevice[]
}

function parseCpu(text: string): string {
  try {
    cpuWithheld(text)
    return text
  } catch (error) {
    throw new UsageError(`--cpu ${text}: ${(error as Error).message}`)
  }
}

const UNITS: Record<string, number> = { '': MIB, K: KIB, M: MIB, G: 1024 * MIB }

/** As QEMU's -m: a number without a unit is MiB. Rounded up to 64 KiB. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text) ?? []
  if (digits === undefined) throw new UsageError(`--memory ${text}: a size looks like 64M or 1G`)
  const bytes = Math.ceil((Number(digits) * UNITS[unit!.toUpperCase()]!) / 0x10000) * 0x10000
  if (bytes < MEMORY_MIN || bytes > MEMORY_MAX) {
    throw new UsageError(`--memory ${text}: this version has ${MEMORY_MIN / MIB}M to ${MEMORY_MAX / MIB}M`)
  }
  return bytes
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  // setTimeout counts milliseconds in 31 bits.
  if (text.trim() === '' || !(seconds > 0) || seconds > 2_000_000) {
    throw new UsageError(`--timeout ${text}: a number of seconds, more than 0`)
  }
  return seconds
}

function parseSerial(text: string): SerialTarget {
  if (text === 'stdio' || text === 'null') return { kind: text }
  if (text.startsWith('file:') && text.length > 5) return { kind: 'file', path: text.slice(5) }
  throw new UsageError(`--serial ${text}: it goes to stdio, null or file:PATH`)
}

function parseFile(option: string, text: string): string {
  if (text.startsWith('file:') && text.length > 5) return text.slice(5)
  throw new UsageError(`${option} ${text}: it goes to file:PATH`)
}

function parseSchedule(text: string): Schedule {
  if (text === 'deterministic' || text === 'parallel') return text
  throw new UsageError(`--schedule ${text}: there are deterministic and parallel`)
}

function parseSeed(text: string): bigint {
  try {
    const seed = BigInt(text)
    if (text.trim() !== '' && BigInt.asUintN(64, seed) === seed) return seed
  } catch {
    // said below
  }
  throw new UsageError(`--seed ${text}: a whole number from 0 to 2^64 - 1`)
}

function parseCpus(smp: string | undefined, cpus: string | undefined): number {
  if (smp !== undefined && cpus !== undefined)
    throw new UsageError('--smp and --cpus are the same: give one of them')
  const text = smp ?? cpus ?? '1'
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_CPUS) {
    throw new UsageError(
      `--${smp === undefined ? 'cpus' : 'smp'} ${text}: a number of CPUs, 1 to ${MAX_CPUS}`,
    )
  }
  return count
}
