// `ringside bench`: how fast this machine runs guest code, by the bare-metal workloads of assets/guests/bench.
import { parseArgs } from 'node:util'
import bench32 from '@assets/guests/bench/bench32.img?asset'
import bench64 from '@assets/guests/bench/bench64.img?asset'
import { defaultConfig } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { type Peer, PEERS, processorSeconds, runPeer } from './bench-peers'
import { OK, UsageError } from './usage'

const HELP = `usage: ringside bench [ROW...] [--bits 64|32] [--against qemu] [--json]

Boots a bare-metal benchmark and reports, for each row, millions of guest instructions per second of host time. Names
choose rows (a1-sieve, a2-crc32, ...). A row whose result is wrong is marked, and the exit status is 1.

--against LIST   run the same image on other emulators (qemu) right afterwards and print, for each row, how
                 many times their time ours is; one that is not installed is named and left out. The figures
                 are seconds on the CPU, so other work on the machine counts little.
`

/** What each row computes, as QEMU 7.2 does: the same in 64 and 32 bits. */
export const CHECKSUMS: Record<string, number> = {
  'a1-sieve': 0xe5f98,
  'a2-crc32': 0x10,
  'a3-sha256': 0xbc1b8e68,
  'a4-alu64': 0xdb7254bf,
  'a5-collatz': 0x15e03a7,
  'b1-chase-page': 1,
  'b2-chase-line': 1,
  'c1-copy-words': 0x400,
  'c2-rep-movsd': 0,
  'c3-rep-movsb': 0,
  'c4-rep-stosd': 0,
  'd1-fib24': 0x71340,
  'd2-interp-icall': 0xe97ded88,
  'd3-interp-goto': 0xed2761a,
  'f1-map-invlpg': 0x7a333810,
  'f2-cr3-flush': 0x8d40bd00,
  'g1-int3': 0x7a120,
  'g2-pagefault': 0x493e0,
  'g3-timer-hlt': 1,
  'h1-smc-imm': 0x5076adb8,
  'h2-smc-jit16': 0x913b4900,
  'h3-smc-samepage': 0x2a0fdd10,
  'i1-out80': 0xf4240,
  'i2-in3fd': 0,
  'j1-vga-text': 0x1f4,
}

/** Rows that halt: the clock they count by is skipped, not executed. */
const IDLE = new Set(['g3-timer-hlt'])

interface Row {
  name: string
  instructions: number
  seconds: number
  mips: number
  correct: boolean
  /** How many times the peer's time ours is. */
  ratios?: Record<string, number>
}

export async function bench(args: string[]): Promise<number> {
  const { values, positionals } = parse(args)
  if (values.help) {
    process.stdout.write(HELP)
    return OK
  }
  const unknown = positionals.find((name) => !Object.hasOwn(CHECKSUMS, name))
  if (unknown !== undefined) {
    throw new UsageError(`there is no row ${unknown}; there are ${Object.keys(CHECKSUMS).join(', ')}`)
  }
  if (values.bits !== '64' && values.bits !== '32')
    throw new UsageError(`--bits is 64 or 32, not ${values.bits}`)
  const peers = chosenPeers(values.against)
  const image = values.bits === '64' ? bench64 : bench32
  const rows = await measure(image, positionals, (row) => {
    if (!values.json) process.stdout.write(line(row))
  })
  for (const peer of peers) await compare(peer, image, rows, values.json === true)
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`)
  const wanted = positionals.length > 0 ? positionals : Object.keys(CHECKSUMS)
  const complete = wanted.every((name) => rows.some((row) => row.name === name && row.correct))
  return complete ? OK : 1
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        bits: { type: 'string', default: '64' },
        json: { type: 'boolean' },
        against: { type: 'string' },
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

/** Runs the rows on a peer and notes, in each row, how many times its time ours is. */
async function compare(peer: Peer, image: string, rows: Row[], quiet: boolean) {
  const busy = rows.filter((row) => !IDLE.has(row.name)).map((row) => row.name)
  if (busy.length === 0) return
  const times = await runPeer(peer, image, busy)
  if (!times) {
    process.stderr.write(`ringside: ${peer.command} is not installed, so ${peer.name} is left out\n`)
    return
  }
  if (!quiet)
    process.stdout.write(`\n${'row'.padEnd(16)} ${'ours'.padStart(9)} ${peer.name.padStart(9)}   ratio\n`)
  for (const row of rows) {
    const theirs = times.get(row.name)
    if (theirs === undefined) continue
    const ratio = row.seconds / theirs
    row.ratios = { ...row.ratios, [peer.name]: ratio }
    if (quiet) continue
    const [a, b] = [row.seconds, theirs].map((seconds) => `${seconds.toFixed(3)} s`.padStart(9))
    process.stdout.write(`${row.name.padEnd(16)} ${a} ${b}  ${ratio.toFixed(2).padStart(6)}\n`)
  }
}

/**
 * @param wanted names of rows, all when empty: the run ends behind the last of them
 * @returns the rows in the order they were run
 */
async function measure(image: string, wanted: readonly string[], onRow: (row: Row) => void): Promise<Row[]> {
  const rows: Row[] = []
  const left = new Set(wanted.length > 0 ? wanted : Object.keys(CHECKSUMS))
  const machine = await createMachine({
    ...defaultConfig(),
    pace: false,
    drives: [{ slot: 'hda', medium: openMedium(image) }],
  })
  try {
    let text = ''
    let began = 0
    machine.on('serial', ({ bytes }) => {
      // The time of the message is that of the line: the guest's own clock counts instructions.
      const now = (processorSeconds(process.pid) ?? performance.now() / 1000) * 1000
      text += Buffer.from(bytes).toString('latin1')
      const lines = text.split('\n')
      text = lines.pop()!
      for (const said of lines) {
        if (said.startsWith('B ')) began = now
        const row = parseRow(said, (now - began) / 1000)
        if (!row || !left.delete(row.name)) continue
        rows.push(row)
        onRow(row)
        if (left.size === 0) void machine.pause()
      }
    })
    machine.run()
    const { reason, message, report } = await machine.whenStopped()
    if (left.size > 0) {
      const account = report ? `\n${report}` : ''
      process.stderr.write(`ringside: the benchmark ended early (${reason}): ${message}${account}\n`)
    }
  } finally {
    await machine.dispose()
  }
  return rows
}

function parseRow(text: string, seconds: number): Row | undefined {
  const [, name, ticks, checksum] = /^E (\S+) n=\S+ tsc=(\S+) chk=(\S+)/.exec(text) ?? []
  if (name === undefined) return undefined
  const instructions = Number.parseInt(ticks!, 16)
  return {
    name,
    instructions,
    seconds,
    mips: instructions / seconds / 1e6,
    correct: Number.parseInt(checksum!, 16) === CHECKSUMS[name],
  }
}

function line({ name, instructions, seconds, mips, correct }: Row): string {
  if (IDLE.has(name)) return `${name.padEnd(16)}      - (it idles)${correct ? '' : '  WRONG RESULT'}\n`
  const figures = `${mips.toFixed(0).padStart(6)} MIPS  ${(instructions / 1e6).toFixed(1).padStart(8)} M in ${seconds.toFixed(2)} s`
  return `${name.padEnd(16)} ${figures}${correct ? '' : '  WRONG RESULT'}\n`
}
