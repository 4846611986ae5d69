// Other emulators beside ours, on the same workloads in the same run: only ratios of one run mean anything.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Seconds a peer needed for each row, on the CPU where the host tells, else by the clock. */
export type PeerTimes = Map<string, number>

export interface Peer {
  name: string
  command: string
  /** @param image path of the benchmark's disk image */
  args(image: string): string[]
}

export const PEERS: readonly Peer[] = [
  {
    name: 'qemu',
    command: 'qemu-system-x86_64',
    args: (image) => [
      ...['-accel', 'tcg,thread=single', '-cpu', 'max', '-m', '256', '-display', 'none', '-vga', 'std'],
      ...['-serial', 'stdio', '-monitor', 'none', '-no-reboot', '-snapshot'],
      ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-drive', `file=${image},format=raw,if=ide`],
    ],
  },
]

/**
 * Runs the benchmark on a peer until every wanted row is done.
 * @returns undefined when the peer is not installed
 * @throws Error when it ends before the rows are done
 */
export function runPeer(
  peer: Peer,
  image: string,
  wanted: readonly string[],
): Promise<PeerTimes | undefined> {
  return new Promise((resolve, reject) => {
    const left = new Set(wanted)
    const times: PeerTimes = new Map()
    const child = spawn(peer.command, peer.args(image), { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let complaint = ''
    let began = 0
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(undefined)
      else reject(error)
    })
    child.stderr.on('data', (data: Buffer) => {
      complaint = (complaint + data.toString()).slice(-2000)
    })
    child.stdout.on('data', (data: Buffer) => {
      const now = processorSeconds(child.pid!) ?? performance.now() / 1000
      text += data.toString('latin1')
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) {
        // The first line stands behind what the firmware wrote to the same port.
        if (/(?:^|\s)B [a-j]\d-/.test(line)) began = now
        const [, row] = /(?:^|\s)E (\S+) n=\S+ tsc=\S+ chk=\S+/.exec(line) ?? []
        if (row === undefined || !left.delete(row)) continue
        times.set(row, now - began)
        if (left.size === 0) child.kill('SIGKILL')
      }
    })
    child.on('close', () => {
      if (left.size === 0) resolve(times)
      else
        reject(
          new Error(
            `${peer.command} ended before ${[...left].join(', ')}: ${complaint.trim() || 'no message'}`,
          ),
        )
    })
  })
}

/** Seconds all threads of a process have spent on a CPU (Linux), undefined elsewhere. */
export function processorSeconds(pid: number): number | undefined {
  try {
    let nanoseconds = 0
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
      nanoseconds += Number(onCpu)
    }
    return nanoseconds / 1e9
  } catch {
    return undefined
  }
}
