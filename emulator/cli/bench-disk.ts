// `ringside bench disk`: bus-master DMA from an image that the host has in its cache.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import guest from '@assets/guests/bench/disk-dma.img?asset'
import { defaultConfig } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { OK, UsageError } from './usage'

const DISK = 64 * 1024 * 1024
const SECTOR = 512

/** Commands of each row and bytes of a command, as disk-dma.asm has them. */
const ROWS = {
  'k1-dma-4k': { commands: 4000, bytes: 4096 },
  'k2-dma-sequential': { commands: 1600, bytes: 131072 },
} as const
type RowName = keyof typeof ROWS

interface DiskRow {
  name: string
  /** Host seconds of the wall clock: the time of a disk is mostly waiting. */
  seconds: number
  /** Microseconds a command. */
  microseconds: number
  megabytesPerSecond: number
  correct: boolean
}

/** @param args behind `bench disk` */
export async function benchDisk(args: string[]): Promise<number> {
  const wrong = args.find((arg) => arg !== '--json')
  if (wrong !== undefined) throw new UsageError(`bench disk knows --json alone, not ${wrong}`)
  const json = args.includes('--json')
  const rows = await measureDisk((row) => {
    if (!json) process.stdout.write(line(row))
  })
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`)
  return rows.length === Object.keys(ROWS).length && rows.every((row) => row.correct) ? OK : 1
}

/** Runs both rows; each is told of as soon as it is over. */
async function measureDisk(onRow: (row: DiskRow) => void): Promise<DiskRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'))
  try {
    const path = join(folder, 'disk.img')
    const words = new Uint32Array(DISK / 4)
    for (let sector = 0; sector < DISK / SECTOR; sector++) words[(sector * SECTOR) / 4] = sector
    writeFileSync(path, words)
    return await run(path, onRow)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(disk: string, onRow: (row: DiskRow) => void): Promise<DiskRow[]> {
  const machine = await createMachine({
    ...defaultConfig(),
    pace: false,
    drives: [
      { slot: 'hda', medium: openMedium(guest, 'disk') },
      { slot: 'hdb', medium: openMedium(disk, 'disk') },
    ],
  })
  const rows: DiskRow[] = []
  let text = ''
  let began = 0
  machine.on('serial', ({ bytes }) => {
    const now = performance.now()
    text += Buffer.from(bytes).toString('latin1')
    const lines = text.split('\n')
    text = lines.pop()!
    for (const said of lines) {
      if (said.startsWith('B ')) began = now
      const [, name, wrong] = /^E (\S+) ([0-9A-F]{4})/.exec(said) ?? []
      if (name === undefined || !(name in ROWS)) continue
      const { commands, bytes: size } = ROWS[name as RowName]
      const seconds = (now - began) / 1000
      rows.push({
        name,
        seconds,
        microseconds: (seconds / commands) * 1e6,
        megabytesPerSecond: (commands * size) / seconds / 1e6,
        correct: wrong === '0000',
      })
      onRow(rows.at(-1)!)
    }
  })
  try {
    machine.run()
    await machine.whenStopped()
    return rows
  } finally {
    await machine.dispose()
  }
}

function line({ name, microseconds, megabytesPerSecond, correct }: DiskRow): string {
  const time = `${microseconds.toFixed(1).padStart(8)} us a command`
  return `${name.padEnd(18)} ${time}  ${megabytesPerSecond.toFixed(0).padStart(6)} MB/s${correct ? '' : '  WRONG RESULT'}\n`
}
