// One run of an emulator, ours or another: lines from COM1, each with the seconds spent on the CPU so far.
import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  createReadStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs'
import type { Machine, StopInfo } from '../machine/api'
import type { PeerCommand } from './bench-peers'

/**
 * @param line from COM1, without its end
 * @param seconds on the CPU, all threads, since the emulator began
 * @returns true: all is said, the run may end
 */
export type Watch = (line: string, seconds: number) => boolean

/** Lines out of bytes. */
class Lines {
  #text = ''
  constructor(readonly watch: Watch) {}
  /** @returns whether the watch has seen all */
  feed(bytes: Uint8Array, seconds: number): boolean {
    const lines = (this.#text + Buffer.from(bytes).toString('latin1')).split('\n')
    this.#text = lines.pop()!
    let done = false
    for (const line of lines) done = this.watch(line.replace(/\r$/, ''), seconds) || done
    return done
  }
}

/** @throws Error when the machine comes to rest before the watch has seen all */
export async function runOurs(machine: Machine, watch: Watch): Promise<void> {
  const lines = new Lines(watch)
  const before = secondsNow(process.pid)
  let done = false
  machine.on('serial', ({ port, bytes }) => {
    // The time of the message is that of the line: the guest's own clock counts instructions.
    if (port !== 0 || done || !lines.feed(bytes, secondsNow(process.pid) - before)) return
    done = true
    void machine.pause()
  })
  machine.run()
  const info: StopInfo = await machine.whenStopped()
  if (done) return
  const account = info.report ? `\n${info.report}` : ''
  throw new Error(`the benchmark ended early (${info.reason}): ${info.message}${account}`)
}

/** @throws Error when it does not start, or ends before the watch has seen all */
export function runPeer({ command, args, com1, tidy }: PeerCommand, watch: Watch): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const lines = new Lines(watch)
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let complaint = ''
    let done = false
    child.on('error', reject)
    child.stderr.on('data', (data: Buffer) => {
      complaint = (complaint + data.toString()).slice(-2000)
    })
    const source = com1 === undefined ? child.stdout : createReadStream(com1)
    if (com1 !== undefined) child.stdout.resume()
    source.on('data', (data: string | Buffer) => {
      if (typeof data === 'string' || done || !lines.feed(data, secondsNow(child.pid!))) return
      done = true
      child.kill('SIGKILL')
    })
    child.on('close', () => {
      // A reader that still waits for somebody to open the other end gets its end of file.
      if (com1 !== undefined && !done) release(com1)
      if (done) resolve()
      else reject(new Error(`${command} ended early: ${complaint.trim() || 'no message'}`))
    })
  }).finally(() => tidy?.())
}

/** Ends a reader of a named pipe that nobody ever opened for writing. */
function release(pipe: string) {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
  } catch {
    // There is no reader any more.
  }
}

/**
 * Nanoseconds that each thread of a process has spent on a CPU, by its ID (Linux).
 * @throws where the host does not say, and when a thread or the process is gone meanwhile
 */
export function threadTimes(pid: number | 'self'): Map<string, number> {
  const folder = `/proc/${pid}/task`
  return new Map(
    readdirSync(folder).map((thread) => {
      const [onCpu] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')
      return [thread, Number(onCpu)]
    }),
  )
}

/**
 * Seconds all threads of a process have spent on a CPU (Linux); elsewhere the clock's, which other work disturbs.
 * @returns NaN for a process that is ending: a guest's last line may come when its emulator is gone already
 */
function secondsNow(pid: number): number {
  if (!existsSync('/proc/self/schedstat')) return performance.now() / 1000
  try {
    let nanoseconds = 0
    for (const time of threadTimes(pid).values()) nanoseconds += time
    return nanoseconds / 1e9
  } catch {
    return Number.NaN
  }
}
