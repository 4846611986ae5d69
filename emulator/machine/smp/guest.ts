// Runs a job of assets/guests/smp/smp.asm on a machine with several CPUs, and reads what it says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import image from '@assets/guests/smp/smp.img?asset'
import { openMedium } from '../../media/medium'
import { defaultConfig, type Machine, type MachineConfig, MIB } from '../api'
import { createMachine } from '../machine'

/** Numbers of the jobs in smp.asm. */
export const JOB = {
  litmus: 0,
  locks: 1,
  pingpong: 2,
  shootdown: 3,
  modify: 4,
  fair: 5,
  timer: 6,
  alu: 7,
  order: 8,
  monitor: 9,
  nmi: 10,
  smash: 11,
  shot: 12,
} as const

/** Where the boot sector keeps them. */
const SETTINGS = 0x1a0

export interface SmpJob {
  job: number
  variant?: number
  rounds?: number
  /** CPUs that take part, 0: all. */
  wanted?: number
  /** By job. */
  number?: number
}

export interface SmpRun {
  /** Lines of the debug console, "END" left out. */
  lines: string[]
  /** The numbers behind the first word of the line that begins with it. */
  numbers(word: string): number[]
}

/** A paused machine with the job in its boot sector. */
export async function smpMachine(job: SmpJob, config: Partial<MachineConfig>): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-smp-'))
  try {
    const bytes = new Uint8Array(readFileSync(image))
    const view = new DataView(bytes.buffer)
    // How many CPUs to wait for; the order job has a use of its own for all bits.
    const number = (job.number ?? 0) | (job.job === JOB.order ? 0 : (config.cpus ?? 1) << 24)
    const settings = [job.job, job.variant ?? 0, job.rounds ?? 1000, job.wanted ?? 0, number]
    for (const [i, value] of settings.entries()) view.setUint32(SETTINGS + i * 4, value >>> 0, true)
    const path = join(folder, 'smp.img')
    writeFileSync(path, bytes)
    const drives = [{ slot: 'hda' as const, medium: openMedium(path) }]
    return await createMachine({ ...defaultConfig(), memory: 16 * MIB, pace: false, ...config, drives })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the job to its end. @throws Error with what was said when the guest does not end by itself */
export async function runJob(machine: Machine, patience = 60_000): Promise<SmpRun> {
  let text = ''
  machine.on('debugcon', ({ bytes }) => {
    text += Buffer.from(bytes).toString('latin1')
  })
  const timer = setTimeout(() => void machine.pause(), patience)
  machine.run()
  const { reason, report } = await machine.whenStopped()
  clearTimeout(timer)
  const lines = text.split('\n').filter((line) => line)
  if (reason !== 'debug-exit' || lines.pop() !== 'END') {
    const cpus = Array.from({ length: machine.config.cpus }, (_, i) => machine.cpu(i))
    const where = cpus.map(({ activity, ripLinear, mode }) => `${activity} ${mode} ${ripLinear.toString(16)}`)
    throw new Error(`${reason}: ${JSON.stringify(text)} ${where.join(', ')} ${report ?? ''}`)
  }
  return {
    lines,
    numbers: (word) => {
      const line = lines.find((one) => one.startsWith(`${word} `)) ?? ''
      return line
        .trim()
        .split(' ')
        .slice(1)
        .map((digits) => Number(BigInt(`0x${digits}`)))
    },
  }
}
