// How fast a machine is: from the count of instructions and the host time its threads measure.
import * as L from '../core/layout'
import { CLOCK_BUSY } from '../threads/protocol'
import { instructions, nanoseconds, type Speed } from './api'
import type { MachineMemory } from './memory'

interface Sample {
  at: number
  retired: bigint
  busy: bigint
}

/** `currentMips` is over the last this many milliseconds. */
const WINDOW_MS = 500

export class Speedometer {
  readonly #memory: MachineMemory
  readonly #clocks: BigInt64Array
  #samples: Sample[] = []
  /** Host ms spent running, without the command under way. */
  #ran = 0
  #since: number | undefined

  constructor(memory: MachineMemory, clocks: SharedArrayBuffer) {
    this.#memory = memory
    this.#clocks = new BigInt64Array(clocks)
  }

  begin() {
    this.#since = performance.now()
    this.#samples = [this.#sample()]
  }

  end() {
    if (this.#since !== undefined) this.#ran += performance.now() - this.#since
    this.#since = undefined
  }

  reset() {
    this.#clocks.fill(0n)
    this.#samples = []
    this.#ran = 0
  }

  read(running: boolean): Speed {
    const now = this.#sample()
    const { retired, busy } = now
    const seconds = (this.#ran + (this.#since === undefined ? 0 : now.at - this.#since)) / 1000
    let currentMips = 0
    if (running) {
      while (this.#samples.length > 1 && now.at - this.#samples[1]!.at >= WINDOW_MS) this.#samples.shift()
      const first = this.#samples[0]
      if (first && now.busy > first.busy) currentMips = mips(retired - first.retired, busy - first.busy)
      this.#samples.push(now)
    }
    return {
      instructions: instructions(retired),
      time: nanoseconds(this.#memory.header64(L.HDR_CLOCK_NOW)),
      seconds,
      busySeconds: Number(busy) / 1e9,
      mips: busy > 0n ? mips(retired, busy) : 0,
      currentMips,
    }
  }

  #sample(): Sample {
    let retired = 0n
    for (let cpu = 0; cpu < this.#memory.cpuCount; cpu++) retired += this.#memory.cpu64(cpu, L.CPU_RETIRED)
    return { at: performance.now(), retired, busy: Atomics.load(this.#clocks, CLOCK_BUSY) }
  }
}

/** @param busy host ns */
function mips(retired: bigint, busy: bigint): number {
  return (Number(retired) / Number(busy)) * 1000
}
