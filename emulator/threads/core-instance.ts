// core.wasm bound to a machine's memory, with the three things it may ask of its thread (emulator/core/host.ts).
import * as L from '../core/layout'

/** What `run` answers (emulator/core/machine/run.ts). */
export const RUN_BUDGET = 0
export const RUN_HALTED = 1
export const RUN_STOPPED = 2
export const RUN_STEP = 3
export const RUN_CONTROL = 4

export interface Core {
  layoutVersion(): number
  /** Binds the instance to a vCPU block, and empties its trace cache. */
  cpuStart(index: number): void
  /** Binds the instance to a vCPU block that another instance may have run meanwhile. */
  cpuBind(index: number): void
  /** Devices and CPUs into their power-on state; the rest of the memory is zero. */
  machinePowerOn(): void
  /** At most so many instructions, deterministic: of all CPUs; RUN_*. */
  run(instructions: bigint): number
  /** Machine time of the earliest timer, all ones when there is none. */
  haltedUntil(): bigint
  /** Parallel: 1 when the threads of all other CPUs sleep and nothing has been asked of them. */
  othersSleep(): number
  /** Moves the clock of a halted machine. */
  haltSkipTo(time: bigint): void
  /** As `run`, and RUN_STEP before CPU `cpu` executes the instruction at this linear address; also when that is its first. */
  runUntil(linear: bigint, instructions: bigint, cpu: number): number
  /** A byte at a guest-physical address, by hand; 0 where nothing takes it. */
  hostWrite(address: bigint, value: number): number
}

/** Microseconds with the top bit set, else milliseconds (emulator/core/host.ts). */
function milliseconds(time: number): number {
  return time < 0 || time >= 0x8000_0000 ? (time & 0x7fff_ffff) / 1000 : time
}

/** Not looked up at each call: of what the clock costs a guest that asks often (RDTSC, timers), that was a quarter. */
const monotonicNow = process.hrtime.bigint

const WAIT_RESULTS = { ok: 0, 'not-equal': 1, 'timed-out': 2 }

/**
 * @param wake called when an output ring or the state has news
 * @throws Error when module and program do not fit together
 */
export function bindCore(module: WebAssembly.Module, memory: WebAssembly.Memory, wake: () => void): Core {
  const words = new Int32Array(memory.buffer)
  const host = {
    wait: (address: number, expected: number, time: number) =>
      WAIT_RESULTS[Atomics.wait(words, address >>> 2, expected | 0, milliseconds(time))],
    wake,
    now: monotonicNow,
  }
  const instance = new WebAssembly.Instance(module, { env: { memory }, host })
  const core = instance.exports as unknown as Core
  const version = core.layoutVersion()
  if (version !== L.LAYOUT_VERSION) {
    throw new Error(`core.wasm has layout ${version}, this program ${L.LAYOUT_VERSION}: build again`)
  }
  return core
}
