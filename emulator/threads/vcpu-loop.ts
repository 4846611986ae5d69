// What a vCPU thread does all day: runs the core in slices of a few ms, sleeps while the guest halts, and comes to rest
// when somebody asks. Waits are finite and re-checked (DESIGN 5.8).
//
// Deterministic schedule: the thread of CPU 0 runs all CPUs, one after the other (emulator/core/machine/schedule.ts); the
// others wait for commands. Parallel: each thread runs its CPU.
//
// Timers in the parallel schedule have no thread of their own: any CPU fires what is due at its boundaries, at most
// PARALLEL_SLICE instructions apart, and of the CPUs that sleep one, the timekeeper, sleeps no longer than to the next
// deadline. Who sets an earlier deadline is awake, and looks after it until it sleeps in turn. A thread for the timers
// would wake for every one of them, also where the CPU that runs would have seen it anyway, and take a core to do so.
import * as L from '../core/layout'
import { type Core, RUN_HALTED, RUN_STEP, RUN_STOPPED } from './core-instance'
import { CLOCK_BUSY, CLOCK_RUNNING, type VcpuCommand, type VcpuMessage, type VcpuStart } from './protocol'
import { StoppedCpu } from './stopped-cpu'

const NONE = 0xffff_ffff_ffff_ffffn
/** A slice ends after about this long, so that pause, quit and pacing are prompt. */
const SLICE_NS = 3_000_000n
const SLICE_MIN = 20_000n
const SLICE_MAX = 4_000_000n
/** Longest sleep of a halted machine: how late a wake-up lost between check and wait is noticed. */
const NAP_MS = 50
/** A store to a monitored line wakes nobody: it is looked for, often at first. */
const MONITOR_EAGER_MS = 0.1
const MONITOR_EAGER_NAPS = 50
const MONITOR_MS = 1
const PATIENCE_MS = 1000
/**
 * While another CPU runs, a halted one looks for its interrupt for so long before its thread sleeps: most come soon, and to wake
 * a thread takes ten times as long as they do. Only where the host has a core for each: else it would take one from those that run.
 */
const POLL_MS = 0.05
/** Looks between two at the clock. */
const POLL_LOOKS = 100
/** A paced machine's slices do not get further ahead of the host's clock than this, and it waits when it is half as far. */
const AHEAD_MAX_NS = 4_000_000n
/** A paced machine that has fallen behind the host's clock by more than this does not try to make it up. */
const LAG_MAX_NS = 1_000_000_000n

export class VcpuLoop {
  readonly #core: Core
  readonly #words: Int32Array
  readonly #longs: BigUint64Array
  readonly #memory: WebAssembly.Memory
  readonly #index: number
  readonly #self: StoppedCpu
  readonly #attention: number
  readonly #clocks: BigInt64Array
  readonly #post: (message: VcpuMessage) => void
  readonly #nextCommand: () => VcpuCommand | undefined
  #slice = 200_000n
  /** Host time of machine time 0, for pacing. */
  #base = 0n
  #monitorNaps = 0

  constructor(
    core: Core,
    { memory, index, clocks }: VcpuStart,
    post: (message: VcpuMessage) => void,
    nextCommand: () => VcpuCommand | undefined,
  ) {
    this.#core = core
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer)
    this.#longs = new BigUint64Array(memory.buffer)
    this.#index = index
    this.#self = new StoppedCpu(memory, index)
    this.#attention = (this.#self.block + L.CPU_ATTENTION) >> 2
    this.#clocks = new BigInt64Array(clocks)
    this.#post = post
    this.#nextCommand = nextCommand
  }

  /** Serves commands until HDR_CONTROL says quit. */
  serve() {
    for (;;) {
      const control = this.#control()
      if (control === L.CONTROL_QUIT) return
      // Taken even if a pause came meanwhile: every command is answered.
      const command = this.#nextCommand()
      if (command) this.#obey(command)
      else Atomics.wait(this.#words, CONTROL, control, control === L.CONTROL_PAUSE ? PATIENCE_MS : 1)
    }
  }

  #obey(command: VcpuCommand) {
    const began = process.hrtime.bigint()
    const stepped = command.type === 'step' || command.type === 'run-until' ? command.cpu : 'all'
    const target = new StoppedCpu(this.#memory, stepped === 'all' ? this.#index : stepped)
    try {
      this.#core.cpuBind(this.#parallel() ? this.#index : this.#header(L.HDR_TURN_CPU))
      this.#base = this.#parallel() ? this.#hostClockBase() : began - this.#machineTime()
      let reason = L.STOP_PAUSE
      if (command.type === 'power-on') this.#core.machinePowerOn()
      else if (command.type === 'write') reason = this.#write(command.address, command.bytes)
      else if (command.type === 'run') reason = this.#run(false)
      else if (command.type === 'run-until') reason = this.#runUntil(target, command.target, command.over)
      else if (command.type === 'step') {
        const count = BigInt(command.count)
        if (command.cpu === 'all' && !this.#parallel()) reason = this.#runFor(count)
        else {
          target.setStepTarget(target.retired + count)
          reason = this.#run(true)
        }
      }
      this.#post({ type: 'rest', reason })
    } catch (error) {
      const cpu = this.#parallel() ? this.#index : this.#header(L.HDR_TURN_CPU)
      Atomics.store(this.#words, (L.HEADER + L.HDR_STOP_CPU) / 4, cpu)
      this.#post({ type: 'broken', error: (error as Error).stack ?? String(error) })
    } finally {
      target.setStepTarget(undefined)
      Atomics.add(this.#clocks, CLOCK_RUNNING, process.hrtime.bigint() - began)
    }
  }

  /** @returns bytes from the first on that were taken */
  #write(address: number, bytes: Uint8Array): number {
    let taken = 0
    while (taken < bytes.length && this.#core.hostWrite(BigInt(address + taken), bytes[taken]!) !== 0) taken++
    return taken
  }

  /** Runs until somebody or something says stop. @param stepping come to rest in a halt that nothing can end @returns STOP_* */
  #run(stepping: boolean): number {
    for (;;) {
      const result = this.#timed(() => this.#core.run(this.#slice))
      if (result === RUN_STOPPED) return L.STOP_NONE
      if (result === RUN_STEP) return L.STOP_STEP
      if (this.#control() !== L.CONTROL_RUN) return L.STOP_PAUSE
      if (result === RUN_HALTED) {
        if (stepping && !this.#canWake()) return L.STOP_STEP
        this.#idle()
      } else this.#holdBack()
    }
  }

  /** Deterministic: `count` instructions, of whichever CPU's turn it is. @returns STOP_* */
  #runFor(count: bigint): number {
    const end = this.#retired() + count
    for (;;) {
      const left = end - this.#retired()
      if (left <= 0n) return L.STOP_STEP
      const result = this.#timed(() => this.#core.run(lesser(left, this.#slice)))
      if (result === RUN_STOPPED) return L.STOP_NONE
      if (this.#control() !== L.CONTROL_RUN) return L.STOP_PAUSE
      if (result === RUN_HALTED) {
        if (!this.#canWake()) return L.STOP_STEP
        this.#idle()
      }
    }
  }

  /**
   * On to the instruction at `target` (linear); `over`: behind the next one, while the stack is deeper than it is now.
   * @returns STOP_*
   */
  #runUntil(cpu: StoppedCpu, target: bigint, over: boolean): number {
    const depth = over ? cpu.stackPointer : 0n
    if (over) {
      cpu.setStepTarget(cpu.retired + 1n)
      const first = this.#run(true)
      cpu.setStepTarget(undefined)
      if (first !== L.STOP_STEP) return first
    }
    for (;;) {
      if (cpu.ripLinear === target && cpu.stackPointer >= depth) return L.STOP_STEP
      if (this.#control() !== L.CONTROL_RUN) return L.STOP_PAUSE
      // At the target, but deeper in a recursion: on by one, or runUntil would stay where it is.
      const there = cpu.ripLinear === target
      if (there) cpu.setStepTarget(cpu.retired + 1n)
      const result = this.#timed(() =>
        there ? this.#core.run(this.#slice) : this.#core.runUntil(target, this.#slice, cpu.index),
      )
      if (there) cpu.setStepTarget(undefined)
      if (result === RUN_STOPPED) return L.STOP_NONE
      if (result === RUN_HALTED) {
        if (!this.#canWake()) return L.STOP_STEP
        this.#idle()
      }
    }
  }

  /** Calls the core, counts its time, and keeps slices at about SLICE_NS. */
  #timed(run: () => number): number {
    const retired = this.#retired()
    const time = this.#paced() ? this.#machineTime() : 0n
    const began = process.hrtime.bigint()
    const result = run()
    const took = process.hrtime.bigint() - began
    Atomics.add(this.#clocks, CLOCK_BUSY, took)
    if (this.#retired() - retired >= this.#slice) {
      const ideal = (this.#slice * SLICE_NS) / (took > 0n ? took : 1n)
      let next = (this.#slice + ideal) / 2n
      // Port accesses take the guest more time than they take the host.
      const passed = this.#paced() ? this.#machineTime() - time : 0n
      if (passed > AHEAD_MAX_NS) next = lesser(next, (this.#slice * AHEAD_MAX_NS) / passed)
      this.#slice = next < SLICE_MIN ? SLICE_MIN : next > SLICE_MAX ? SLICE_MAX : next
    }
    return result
  }

  /** Lets the time pass until something can wake the guest: by the clock when it is paced, at once when not. */
  #idle() {
    if (this.#parallel()) return this.#idleParallel()
    if (!this.#canWake()) return this.#nap(NAP_MS)
    const until = this.#core.haltedUntil() & NONE
    if (this.#header(L.HDR_PACE) === 0) {
      if (until === NONE) this.#nap(NAP_MS)
      else this.#core.haltSkipTo(until)
      return
    }
    const now = this.#paceNow()
    if (until > now) {
      const left = until === NONE ? NAP_MS : Number(until - now) / 1e6
      this.#nap(Math.min(left, NAP_MS))
    }
    const reached = this.#paceNow()
    this.#core.haltSkipTo(until < reached ? until : reached)
  }

  #paced(): boolean {
    return !this.#parallel() && this.#header(L.HDR_PACE) !== 0
  }

  /** A paced guest that is busy and ahead of the host's clock (it polls ports, see core/cpu/ports.ts) waits for it. */
  #holdBack() {
    if (!this.#paced()) return
    const ahead = this.#machineTime() - this.#paceNow()
    if (ahead > AHEAD_MAX_NS / 2n) this.#nap(Math.min(Number(ahead) / 1e6, NAP_MS))
  }

  #idleParallel() {
    const monitoring = this.#self.activity === L.ACTIVITY_MWAIT
    this.#monitorNaps = monitoring ? this.#monitorNaps + 1 : 0
    if (!monitoring && this.#poll()) return
    const longest = !monitoring
      ? NAP_MS
      : this.#monitorNaps < MONITOR_EAGER_NAPS
        ? MONITOR_EAGER_MS
        : MONITOR_MS
    const until = this.#core.haltedUntil() & NONE
    if (this.#header(L.HDR_PACE) === 0 && until !== NONE && this.#skipParallel(until)) return
    const promised = Atomics.load(this.#longs, TIMEKEEPER)
    if (until >= promised) return this.#nap(longest)
    // Nobody else will be awake by then.
    if (Atomics.compareExchange(this.#longs, TIMEKEEPER, promised, until) !== promised) return
    this.#nap(Math.min(longest, Number(until - this.#machineTime()) / 1e6))
    Atomics.compareExchange(this.#longs, TIMEKEEPER, until, NONE)
  }

  /** Parallel: waits awake while another CPU runs. @returns whether something has been asked of this one meanwhile */
  #poll(): boolean {
    if (this.#header(L.HDR_CPU_COUNT) > this.#header(L.HDR_HOST_CORES)) return false
    const words = this.#words
    const end = performance.now() + POLL_MS
    for (;;) {
      if (this.#control() !== L.CONTROL_RUN) return false
      // One that has been asked for something runs soon.
      if (this.#core.othersSleep()) return false
      for (let i = 0; i < POLL_LOOKS; i++) if (Atomics.load(words, this.#attention) !== 0) return true
      if (performance.now() >= end) return false
    }
  }

  /**
   * Not paced, and this CPU the last to fall asleep: the clock jumps to `until` ns, the next deadline. The flag is up before it
   * looks at the others', so that of two that fall asleep at once one at least sees that all do; both may, and one jumps.
   * @returns whether the deadline is there now
   */
  #skipParallel(until: bigint): boolean {
    const sleeping = (this.#self.block + L.CPU_SLEEPING) >> 2
    Atomics.store(this.#words, sleeping, 1)
    let reached = false
    if (this.#control() === L.CONTROL_RUN && Atomics.load(this.#words, this.#attention) === 0) {
      if (this.#core.othersSleep()) {
        const base = this.#hostClockBase()
        const left = until - this.#since(base)
        const sooner = BigInt.asUintN(64, base - left)
        reached = left <= 0n || Atomics.compareExchange(this.#longs, CLOCK_BASE, base, sooner) === base
      }
    }
    Atomics.store(this.#words, sleeping, 0)
    return reached
  }

  /** Sleeps until somebody kicks this CPU, but not longer than this. */
  #nap(milliseconds: number) {
    if (milliseconds <= 0) return
    const sleeping = (this.#self.block + L.CPU_SLEEPING) >> 2
    Atomics.store(this.#words, sleeping, 1)
    // A pause kicks after it has set HDR_CONTROL.
    if (this.#control() === L.CONTROL_RUN) Atomics.wait(this.#words, this.#attention, 0, milliseconds)
    Atomics.store(this.#words, sleeping, 0)
  }

  /** Whether something can still end this halt: an interrupt, or what another CPU does. */
  #canWake(): boolean {
    if (this.#parallel()) return this.#self.canWake
    const count = this.#header(L.HDR_CPU_COUNT)
    for (let i = 0; i < count; i++) if (new StoppedCpu(this.#memory, i).canWake) return true
    return false
  }

  /** The machine time that a paced machine may have reached by now. */
  #paceNow(): bigint {
    const host = process.hrtime.bigint()
    if (host - this.#base - this.#machineTime() > LAG_MAX_NS)
      this.#base = host - this.#machineTime() - LAG_MAX_NS
    return host - this.#base
  }

  #machineTime(): bigint {
    if (this.#parallel()) return this.#since(this.#hostClockBase())
    const turn = L.VCPUS + this.#header(L.HDR_TURN_CPU) * L.VCPU_STRIDE
    const retired = this.#longs[(turn + L.CPU_RETIRED) / 8]!
    return BigInt.asUintN(64, retired + this.#longs[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8]!)
  }

  #hostClockBase(): bigint {
    return Atomics.load(this.#longs, CLOCK_BASE)
  }

  /** Host time since `base`, which is before the host's 0 where the guest has skipped more time than the host has been up. */
  #since(base: bigint): bigint {
    return BigInt.asUintN(64, process.hrtime.bigint() - base)
  }

  #parallel(): boolean {
    return this.#header(L.HDR_SCHEDULE) === L.SCHEDULE_PARALLEL
  }

  #control(): number {
    return Atomics.load(this.#words, CONTROL)
  }
  #header(offset: number): number {
    return Atomics.load(this.#words, (L.HEADER + offset) >> 2)
  }
  /** By the CPUs this thread runs. */
  #retired(): bigint {
    const count = this.#header(L.HDR_CPU_COUNT)
    if (this.#parallel() || count === 1) return this.#self.retired
    let sum = 0n
    for (let i = 0; i < count; i++) sum += this.#longs[(L.VCPUS + i * L.VCPU_STRIDE + L.CPU_RETIRED) / 8]!
    return sum
  }
}

const CONTROL = (L.HEADER + L.HDR_CONTROL) >> 2
const CLOCK_BASE = (L.HEADER + L.HDR_HOST_CLOCK_BASE) / 8
const TIMEKEEPER = (L.HEADER + L.HDR_TIMEKEEPER) / 8

/** Math.min() knows numbers only. */
function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}
