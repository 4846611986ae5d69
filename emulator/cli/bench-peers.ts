// Other emulators beside ours, on the same workloads in the same run: only ratios of one run mean anything.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import v86Script from '@assets/guests/bench/v86.mjs?asset'

export type Job =
  | { kind: 'image'; image: string; bits: 32 | 64 }
  | { kind: 'linux'; kernel: string; initrd: string | undefined; append: string }

export interface PeerCommand {
  command: string
  args: string[]
  /** A named pipe that COM1 goes to; else it is stdout. */
  com1?: string
  /** To be called when it has ended. */
  tidy?(): void
}

export interface PeerOptions {
  /** Folder of the npm package v86; without it the one that Node finds from the current directory. */
  v86?: string
}

export interface Peer {
  name: string
  /** @returns how to run it, with COM1 on stdout; or a clause that says why it is left out */
  prepare(job: Job, options: PeerOptions): PeerCommand | string
}

/** Memory that every emulator gets, in MiB. */
export const BENCH_MEMORY = 256

const qemu: Peer = {
  name: 'qemu',
  prepare(job) {
    const command = 'qemu-system-x86_64'
    if (!installed(command)) return `${command} is not installed`
    return {
      command,
      args: [
        ...['-accel', 'tcg,thread=single', '-cpu', 'max', '-m', `${BENCH_MEMORY}`, '-display', 'none'],
        ...['-vga', 'std', '-serial', 'stdio', '-monitor', 'none', '-no-reboot', '-snapshot'],
        ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
        ...(job.kind === 'image'
          ? ['-drive', `file=${job.image},format=raw,if=ide`]
          : ['-kernel', job.kernel, ...(job.initrd ? ['-initrd', job.initrd] : []), '-append', job.append]),
      ],
    }
  },
}

const BOCHS_FILES = '/usr/share/bochs'
const BOCHS_CYLINDERS = 20

/** As Debian packages it: with its debugger, which slows it a little, and without handlers chaining. */
const bochs: Peer = {
  name: 'bochs',
  prepare(job) {
    if (job.kind !== 'image') return 'Bochs loads no kernel by itself'
    if (!installed('bochs')) return 'bochs is not installed'
    const roms = [join(BOCHS_FILES, 'BIOS-bochs-latest'), join(BOCHS_FILES, 'VGABIOS-lgpl-latest')]
    const missing = roms.find((path) => !existsSync(path))
    if (missing !== undefined) return `there is no ${missing} (Debian: bochsbios, vgabios)`
    const folder = mkdtempSync(join(tmpdir(), 'ringside-bochs-'))
    const disk = join(folder, 'disk.img')
    copyFileSync(job.image, disk)
    truncateSync(disk, BOCHS_CYLINDERS * 16 * 63 * 512)
    // Bochs opens its output by name, and what Node gives a child for stdout is a socket, which has none.
    const com1 = join(folder, 'com1')
    if (spawnSync('mkfifo', [com1]).status !== 0) return 'mkfifo did not make a pipe for it'
    const rc = join(folder, 'bochsrc')
    const lines = [
      'plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1',
      'display_library: rfb, options="timeout=0"',
      `megs: ${BENCH_MEMORY}`,
      'cpu: model=corei7_haswell_4770, count=1, ips=100000000, reset_on_triple_fault=0',
      `romimage: file=${roms[0]}`,
      `vgaromimage: file=${roms[1]}`,
      'ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14',
      `ata0-master: type=disk, path=${disk}, mode=flat, cylinders=${BOCHS_CYLINDERS}, heads=16, spt=63`,
      'boot: disk',
      'clock: sync=none',
      `com1: enabled=1, mode=file, dev=${com1}`,
      'port_e9_hack: enabled=0',
      `log: ${join(folder, 'log')}`,
      'panic: action=fatal',
      'error: action=report',
      'info: action=ignore',
      'debug: action=ignore',
    ]
    writeFileSync(rc, `${lines.join('\n')}\n`)
    writeFileSync(join(folder, 'go'), 'c\n')
    // One with a debugger waits for a command first.
    const debugger_ = /^\s*-rc\b/m.test(output('bochs', ['--help']))
    return {
      command: 'bochs',
      args: ['-q', '-f', rc, ...(debugger_ ? ['-rc', join(folder, 'go')] : [])],
      com1,
      tidy: () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}

const BIOS_FOLDERS = ['/usr/share/seabios', '/usr/share/qemu']

const v86: Peer = {
  name: 'v86',
  prepare(job, options) {
    if (job.kind !== 'image') return 'v86 runs 32-bit kernels only'
    if (job.bits !== 32) return 'it runs 32-bit guests only (--bits 32)'
    const folder = options.v86 ?? v86Folder()
    if (folder === undefined || !existsSync(join(folder, 'build/libv86.mjs'))) {
      return folder === undefined
        ? 'the npm package v86 is not found from here (npm install v86, or --v86 FOLDER)'
        : `there is no build/libv86.mjs in ${folder}`
    }
    const bios = BIOS_FOLDERS.find((path) => existsSync(join(path, 'bios.bin')))
    const vga = BIOS_FOLDERS.find((path) => existsSync(join(path, 'vgabios-stdvga.bin')))
    if (bios === undefined || vga === undefined) return 'it needs SeaBIOS (Debian: seabios)'
    return {
      command: process.execPath,
      args: [v86Script, folder, job.image, join(bios, 'bios.bin'), join(vga, 'vgabios-stdvga.bin')],
    }
  },
}

export const PEERS: readonly Peer[] = [qemu, bochs, v86]

function installed(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

function output(command: string, args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

function v86Folder(): string | undefined {
  try {
    const require = createRequire(join(process.cwd(), 'package.json'))
    return dirname(require.resolve('v86/package.json'))
  } catch {
    return undefined
  }
}
