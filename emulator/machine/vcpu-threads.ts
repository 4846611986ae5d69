// The threads of a machine's CPUs, and the commands they obey. Deterministic: the thread of CPU 0 runs every CPU.
// Parallel: one thread a CPU; those of the others are started when the machine first runs in parallel.
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import * as L from '../core/layout'
import type { VcpuCommand, VcpuMessage, VcpuStart } from '../threads/protocol'
import startVcpu from '../threads/vcpu.worker?nodeWorker'
import { coreModule } from './core-module'
import type { MachineMemory } from './memory'

/** Options of this process's command line (--eval, --input-type, ...) are not the threads'. */
const THREAD = { execArgv: [] }

interface VcpuThread {
  worker: Worker
  commands: MessagePort
  ready: Promise<void>
  exit: Promise<void>
  /** Settles the command under way: a STOP_*, or what broke. */
  answer: ((outcome: number | string) => void) | undefined
}

/** What a command came to: STOP_* of each thread, or an account of what broke. */
export interface Outcome {
  reasons: number[]
  broken?: string
}

export class VcpuThreads {
  readonly #memory: MachineMemory
  readonly #clocks: SharedArrayBuffer
  readonly #wake: () => void
  readonly #lost: (thread: string, error: Error) => void
  readonly #threads: (VcpuThread | undefined)[] = []

  /**
   * @param wake called when an output ring has something
   * @param lost called when a thread has ended on its own
   */
  constructor(
    memory: MachineMemory,
    clocks: SharedArrayBuffer,
    wake: () => void,
    lost: (thread: string, error: Error) => void,
  ) {
    this.#memory = memory
    this.#clocks = clocks
    this.#wake = wake
    this.#lost = lost
    memory.setHeader32(L.HDR_HOST_CORES, availableParallelism())
  }

  get #parallel(): boolean {
    return this.#memory.header32(L.HDR_SCHEDULE) === L.SCHEDULE_PARALLEL
  }

  /** Resolves when every thread the schedule needs is there. */
  async start(): Promise<void> {
    const count = this.#parallel ? this.#memory.cpuCount : 1
    for (let index = 0; index < count; index++) this.#threads[index] ??= await this.#startOne(index)
    await Promise.all(this.#threads.map((thread) => thread?.ready))
  }

  async #startOne(index: number): Promise<VcpuThread> {
    const module = await coreModule()
    const { port1, port2 } = new MessageChannel()
    const start: VcpuStart = { memory: this.#memory.wasm, index, commands: port2, clocks: this.#clocks }
    const worker = startVcpu({ ...THREAD, workerData: start, transferList: [port2], name: `vCPU ${index}` })
    const thread: VcpuThread = {
      worker,
      commands: port1,
      exit: new Promise((resolve) => worker.once('exit', () => resolve())),
      answer: undefined,
      ready: new Promise((resolve, reject) => {
        worker.on('error', (error) => {
          reject(error)
          this.#lost(`vCPU ${index}`, error)
        })
        worker.on('message', (message: VcpuMessage) => {
          if (message.type === 'ready') resolve()
          else if (message.type === 'wake') this.#wake()
          else thread.answer?.(message.type === 'rest' ? message.reason : message.error)
        })
      }),
    }
    port1.postMessage({ type: 'module', module } satisfies VcpuCommand)
    return thread
  }

  /**
   * Has a command carried out: deterministic by the one thread, parallel by the threads of the CPUs it is about. The rest
   * of the machine comes to rest with whoever ends first, except when all step. HDR_CONTROL is the caller's before.
   */
  async obey(command: VcpuCommand): Promise<Outcome> {
    const commands = this.#parallel ? this.#perCpu(command) : [command]
    const together = command.type !== 'step'
    const outcome: Outcome = { reasons: [] }
    // Before the commands: a thread that happens to look for one meanwhile would take the pause for its end, and take the
    // whole machine to rest. It looks again at once, without being woken.
    Atomics.compareExchange(this.#memory.i32, CONTROL, L.CONTROL_PAUSE, L.CONTROL_RUN)
    const answers = commands.map((one, index) => {
      const thread = this.#threads[index]
      if (!one || !thread) return undefined
      return new Promise<void>((resolve) => {
        thread.answer = (answer) => {
          thread.answer = undefined
          if (typeof answer === 'string') outcome.broken ??= answer
          else outcome.reasons.push(answer)
          if (together || outcome.broken !== undefined) this.halt()
          resolve()
        }
        thread.commands.postMessage(one)
      })
    })
    Atomics.notify(this.#memory.i32, CONTROL)
    await Promise.all(answers)
    this.halt()
    return outcome
  }

  /** In the parallel schedule: what each CPU's thread is to do. */
  #perCpu(command: VcpuCommand): (VcpuCommand | undefined)[] {
    return Array.from({ length: this.#memory.cpuCount }, (_, index) => {
      if (command.type === 'power-on' || command.type === 'write') return index === 0 ? command : undefined
      // The others stand still while one CPU steps, and run while it is on its way to an address.
      if (command.type === 'step') {
        if (command.cpu === 'all') return { ...command, cpu: index }
        return command.cpu === index ? command : undefined
      }
      if (command.type === 'run-until' && command.cpu !== index) return { type: 'run' }
      return command
    })
  }

  /** Makes every CPU come to rest at its next boundary. */
  halt() {
    // Not a plain store: a quit that came meanwhile must stay.
    Atomics.compareExchange(this.#memory.i32, CONTROL, L.CONTROL_RUN, L.CONTROL_PAUSE)
    Atomics.notify(this.#memory.i32, CONTROL)
    this.#memory.kickAll()
  }

  /** Ends whatever is under way, with the account of what broke if there is one. */
  abandon(error?: string) {
    for (const thread of this.#threads) thread?.answer?.(error ?? L.STOP_PAUSE)
  }

  /** Resolves when all have ended, which they do when HDR_CONTROL says quit. */
  async ended(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.exit))
    for (const thread of this.#threads) thread?.commands.close()
  }

  terminate() {
    for (const thread of this.#threads) void thread?.worker.terminate()
  }
}

const CONTROL = (L.HEADER + L.HDR_CONTROL) >>> 2
