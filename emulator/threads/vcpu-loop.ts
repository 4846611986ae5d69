// What a vCPU thread does all day: runs the core in slices of a few ms, sleeps while the guest halts, and comes to rest
// when somebody asks. Waits are finite and re-checked (DESIGN 5.8).
import * as L from '../core/layout'
import { type Core, RUN_HALTED, RUN_STEP, RUN_STOPPED } from './core-instance'
import { CLOCK_BUSY, CLOCK_RUNNING, type VcpuCommand, type VcpuMessage, type VcpuStart } from './protocol'

const NONE = 0xffff_ffff_ffff_ffffn
const RFLAGS_IF = 0x200n
/** A slice ends after about this long, so that pause, quit and pacing are prompt. */
const SLICE_NS = 3_000_000n
const SLICE_MIN = 20_000n
const SLICE_MAX = 4_000_000n
/** Longest sleep of a halted machine: how late a wake-up lost between check and wait is noticed. */
const NAP_MS = 50
const PATIENCE_MS = 1000
/** A paced machine that has fallen behind the host's clock by more than this does not try to make it up. */
const LAG_MAX_NS = 1_000_000_000n

export class VcpuLoop {
  readonly #core: Core
  readonly #words: Int32Array
  readonly #longs: BigUint64Array
  readonly #view: DataView
  readonly #block: number
  readonly #clocks: BigInt64Array
  readonly #post: (message: VcpuMessage) => void
  readonly #nextCommand: () => VcpuCommand | undefined
  #slice = 200_000n
  /** Host time of machine time 0, for pacing. */
  #base = 0n
  #inputSeen = 0
  #timeAtRest = 0n

  constructor(
    core: Core,
    { memory, index, clocks }: VcpuStart,
    post: (message: VcpuMessage) => void,
    nextCommand: () => VcpuCommand | undefined,
  ) {
    this.#core = core
    this.#words = new Int32Array(memory.buffer)
    this.#longs = new BigUint64Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.#block = L.VCPUS + index * L.VCPU_STRIDE
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
    try {
      this.#rebase(began)
      this.#setStepTarget(NONE)
      this.#setHeader(L.HDR_STOP_REASON, L.STOP_NONE)
      this.#setHeader(L.HDR_STATE, L.STATE_RUNNING)
      if (command.type === 'power-on') {
        this.#timeAtRest = 0n
        this.#rebase(began)
        this.#core.machinePowerOn()
        this.#rest(L.STOP_PAUSE)
      } else if (command.type === 'step') {
        this.#setStepTarget(this.#retired() + BigInt(command.count))
        this.#run(true)
      } else if (command.type === 'step-over') {
        this.#stepOver(command.target)
      } else {
        this.#run(false)
      }
    } catch (error) {
      this.#setHeader(L.HDR_STATE, L.STATE_STOPPED)
      this.#setHeader(L.HDR_STOP_REASON, L.STOP_INTERNAL)
      Atomics.compareExchange(this.#words, CONTROL, L.CONTROL_RUN, L.CONTROL_PAUSE)
      this.#post({ type: 'broken', error: (error as Error).stack ?? String(error) })
    } finally {
      this.#timeAtRest = this.#machineTime()
      this.#setStepTarget(NONE)
      this.#clocks[CLOCK_RUNNING]! += process.hrtime.bigint() - began
    }
  }

  /** Runs until somebody or something says stop. @param stepping come to rest in a halt that nothing can end */
  #run(stepping: boolean) {
    for (;;) {
      const result = this.#timed(() => this.#core.run(this.#slice))
      if (result === RUN_STOPPED) return this.#stopped()
      if (result === RUN_STEP) return this.#rest(L.STOP_STEP)
      if (this.#control() !== L.CONTROL_RUN) return this.#rest(L.STOP_PAUSE)
      if (result === RUN_HALTED) {
        if (stepping && !this.#canWake()) return this.#rest(L.STOP_STEP)
        this.#idle()
      }
    }
  }

  /** One instruction, then on to the one at `target` (linear) while the stack is deeper than it is now. */
  #stepOver(target: bigint) {
    const depth = this.#stackPointer()
    this.#setStepTarget(this.#retired() + 1n)
    const first = this.#timed(() => this.#core.run(1n))
    this.#setStepTarget(NONE)
    if (first === RUN_STOPPED) return this.#stopped()
    for (;;) {
      if (this.#ripLinear() === target && this.#stackPointer() >= depth) return this.#rest(L.STOP_STEP)
      if (this.#control() !== L.CONTROL_RUN) return this.#rest(L.STOP_PAUSE)
      // At the target, but deeper in a recursion: on by one, or runUntil would stay where it is.
      const there = this.#ripLinear() === target
      const result = this.#timed(() =>
        there ? this.#core.run(1n) : this.#core.runUntil(target, this.#slice),
      )
      if (result === RUN_STOPPED) return this.#stopped()
      if (result === RUN_HALTED) {
        if (!this.#canWake()) return this.#rest(L.STOP_STEP)
        this.#idle()
      }
    }
  }

  /** Calls the core, counts its time, and keeps slices at about SLICE_NS. */
  #timed(run: () => number): number {
    this.#inputSeen = Atomics.load(this.#words, INPUT_WRITE)
    const retired = this.#retired()
    const began = process.hrtime.bigint()
    const result = run()
    const took = process.hrtime.bigint() - began
    this.#clocks[CLOCK_BUSY]! += took
    if (this.#retired() - retired >= this.#slice) {
      const ideal = (this.#slice * SLICE_NS) / (took > 0n ? took : 1n)
      const next = (this.#slice + ideal) / 2n
      this.#slice = next < SLICE_MIN ? SLICE_MIN : next > SLICE_MAX ? SLICE_MAX : next
    }
    return result
  }

  /** Lets the time pass until something can wake the guest: by the clock when it is paced, at once when not. */
  #idle() {
    if (!this.#canWake()) return this.#nap(NAP_MS)
    const until = this.#core.haltedUntil() & NONE
    const parallel = this.#parallel()
    if (this.#header(L.HDR_PACE) === 0 && !parallel) {
      if (until === NONE) this.#nap(NAP_MS)
      else this.#core.haltSkipTo(until)
      return
    }
    const now = this.#paceNow()
    if (until > now) {
      const left = until === NONE ? NAP_MS : Number(until - now) / 1e6
      this.#nap(Math.min(left, NAP_MS))
    }
    if (parallel) return
    const reached = this.#paceNow()
    this.#core.haltSkipTo(until < reached ? until : reached)
  }

  /** Sleeps until input comes, but not longer than this. */
  #nap(milliseconds: number) {
    if (this.#control() !== L.CONTROL_RUN) return
    Atomics.wait(this.#words, INPUT_WRITE, this.#inputSeen, milliseconds)
  }

  /** Whether an interrupt can end this halt. (A non-maskable one has no source yet.) */
  #canWake(): boolean {
    const flags = this.#longs[(this.#block + L.CPU_RFLAGS) / 8]!
    return (flags & RFLAGS_IF) !== 0n || (this.#view.getUint32(this.#block + L.CPU_NMI, true) & 1) !== 0
  }

  /** The machine time that a paced machine may have reached by now. */
  #paceNow(): bigint {
    const host = process.hrtime.bigint()
    if (host - this.#base - this.#machineTime() > LAG_MAX_NS)
      this.#base = host - this.#machineTime() - LAG_MAX_NS
    return host - this.#base
  }

  /** The clock goes on from where it was: the time at rest does not count. */
  #rebase(host: bigint) {
    this.#base = host - this.#timeAtRest
    if (this.#parallel()) this.#longs[(L.HEADER + L.HDR_HOST_CLOCK_BASE) / 8] = this.#base
  }

  #machineTime(): bigint {
    if (this.#parallel()) return process.hrtime.bigint() - this.#base
    return this.#retired() + this.#longs[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8]!
  }

  #parallel(): boolean {
    return this.#header(L.HDR_SCHEDULE) === L.SCHEDULE_PARALLEL
  }

  #rest(reason: number) {
    this.#setHeader(L.HDR_STOP_REASON, reason)
    this.#setHeader(L.HDR_STATE, L.STATE_PAUSED)
    this.#answer()
  }

  /** The core has written the reason. */
  #stopped() {
    this.#setHeader(L.HDR_STATE, L.STATE_STOPPED)
    this.#answer()
  }

  #answer() {
    // Not a plain store: a quit that came meanwhile must stay.
    Atomics.compareExchange(this.#words, CONTROL, L.CONTROL_RUN, L.CONTROL_PAUSE)
    this.#post({ type: 'rest' })
  }

  #control(): number {
    return Atomics.load(this.#words, CONTROL)
  }
  #header(offset: number): number {
    return Atomics.load(this.#words, (L.HEADER + offset) >> 2)
  }
  #setHeader(offset: number, value: number) {
    Atomics.store(this.#words, (L.HEADER + offset) >> 2, value)
  }
  #setStepTarget(target: bigint) {
    this.#longs[(L.HEADER + L.HDR_STEP_TARGET) / 8] = target
  }
  #retired(): bigint {
    return this.#longs[(this.#block + L.CPU_RETIRED) / 8]!
  }
  /** SS:SP as one number that grows towards the caller. */
  #stackPointer(): bigint {
    const sp = this.#longs[(this.#block + L.CPU_RSP) / 8]!
    const mode = this.#view.getUint32(this.#block + L.CPU_MODE, true)
    if ((mode & L.MODE_SIZE) === L.MODE_CODE64) return sp
    return (mode & L.MODE_STACK32) !== 0 ? sp & 0xffff_ffffn : sp & 0xffffn
  }
  #ripLinear(): bigint {
    const rip = this.#longs[(this.#block + L.CPU_RIP) / 8]!
    const mode = this.#view.getUint32(this.#block + L.CPU_MODE, true)
    if ((mode & L.MODE_SIZE) === L.MODE_CODE64) return rip
    const base = this.#longs[(this.#block + L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE) / 8]!
    return (base + rip) & 0xffff_ffffn
  }
}

const CONTROL = (L.HEADER + L.HDR_CONTROL) >> 2
const INPUT_WRITE = (L.INPUT_QUEUE + L.INPUT_WRITE) >> 2
