// A machine: its memory, its threads, and the conversation with them. See api.ts for what each member promises.
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import * as L from '../core/layout'
import startBlockIo from '../threads/block-io.worker?nodeWorker'
import {
  type BlockIoMessage,
  type BlockIoNews,
  type BlockIoStart,
  CLOCKS_SIZE,
  type VcpuCommand,
} from '../threads/protocol'
import type {
  BootDevice,
  CpuSnapshot,
  DriveSlot,
  DriveState,
  E820Entry,
  LinearAddress,
  Machine,
  MachineConfig,
  MachineEvents,
  MachineState,
  MemoryRegion,
  Milestone,
  MouseButtons,
  PhysicalAddress,
  Schedule,
  ScreenSnapshot,
  Speed,
  StopInfo,
} from './api'
import { type Chunk, planDirectBoot } from '../firmware/direct-boot/load'
import { coreModule, directBootStarters, systemRom } from './core-module'
import { cpuSnapshot } from './cpu-snapshot'
import { CPU_DEFAULT, cpuWithheld } from './cpu-model'
import type { Medium } from '../media/medium'
import { DriveBay, slotOf } from './drives'
import { Emitter } from './emitter'
import { InputQueue } from './input'
import { keyData, keystrokes } from './keyboard'
import { keyboardIsRead } from './keyboard-line'
import { createMemory, type MachineMemory } from './memory'
import { e820, memoryMap } from './memory-map'
import { milestones } from './milestones'
import { mouseData } from './mouse'
import { OutputDrain } from './output'
import { type Probe, writeProbes } from './probes'
import { readLinear, readPhysical, translate } from './peek'
import { screenSnapshot } from './screen'
import { SerialLine } from './serial-line'
import { Speedometer } from './speed'
import { clearMemory, stateHash } from './state-hash'
import { stepOverTarget } from './step-over'
import { describeStop } from './stop-info'
import { VcpuThreads } from './vcpu-threads'

const BOOT_DEVICES: Record<BootDevice, number> = {
  floppy: L.BOOT_FLOPPY,
  disk: L.BOOT_DISK,
  cdrom: L.BOOT_CDROM,
}
const SCHEDULES = { deterministic: L.SCHEDULE_DETERMINISTIC, parallel: L.SCHEDULE_PARALLEL }
/** A thread that has not ended by itself by then is ended. */
const QUIT_MS = 500
const KEY_ROOM = 1000
/** Bytes that are written by hand at a time. */
const WRITE_MAX = 4096
/** Options of this process's command line (--eval, --input-type, ...) are not the threads'. */
const THREAD = { execArgv: [] }
/** Behind the serial ports. */
const KEYBOARD_CHANNEL = 4

/** What lies below 1 MiB and below 4 GiB. @throws RangeError */
async function romOf({ rom, direct }: MachineConfig): Promise<Uint8Array> {
  if (!rom) return systemRom()
  if (direct)
    throw new RangeError('a kernel is started by the firmware, which another ROM takes the place of')
  if (rom.length === 0 || rom.length > L.ROM_SIZE)
    throw new RangeError(`a ROM has 1 to ${L.ROM_SIZE} bytes, not ${rom.length}`)
  const all = new Uint8Array(L.ROM_SIZE).fill(0xff)
  all.set(rom, L.ROM_SIZE - rom.length)
  return all
}

/**
 * Makes a paused machine at its reset vector.
 * @throws Error (RangeError for a number out of range) saying what in the configuration cannot be; the media are
 *   closed then
 */
export async function createMachine(config: MachineConfig): Promise<Machine> {
  try {
    const [rom] = [await romOf(config), coreModule()]
    const memory = createMemory(config.memory, config.cpus)
    memory.u8.set(rom, L.ROM)
    memory.setHeader32(L.HDR_FOREIGN_ROM, config.rom ? 1 : 0)
    memory.setHeader32(L.HDR_SCHEDULE, SCHEDULES[config.schedule])
    memory.setHeader64(L.HDR_SEED, BigInt.asUintN(64, config.seed))
    memory.setHeader64(L.HDR_RTC_EPOCH, BigInt(Math.floor(config.rtcEpoch)))
    for (const [n, word] of cpuWithheld(config.cpu ?? CPU_DEFAULT).entries())
      memory.setHeader32(L.HDR_CPU_WITHHELD + n * 4, word)
    memory.setHeader32(L.HDR_PACE, config.pace ? 1 : 0)
    memory.setHeader32(L.HDR_BOOT_DRIVE, 0xff)
    memory.setHeader32(L.HDR_BOOT_ORDER, bootOrder(config.boot))
    memory.setHeader64(L.HDR_DEADLINE, NONE)
    memory.setHeader64(L.HDR_TIMEKEEPER, NONE)
    memory.setHeader32(L.HDR_STATE, L.STATE_PAUSED)
    memory.setHeader32(L.HDR_CONTROL, L.CONTROL_PAUSE)
    const bay = new DriveBay(memory, config.drives)
    const { direct } = config
    const kernel = direct
      ? planDirectBoot(direct, await directBootStarters(), config.memory, e820(memory))
      : undefined
    if (kernel) loadKernel(memory, kernel)
    const machine = new ThreadedMachine(config, memory, bay, kernel)
    await machine.powerOn()
    return machine
  } catch (error) {
    for (const { medium } of config.drives) medium?.close()
    throw error
  }
}

class ThreadedMachine implements Machine {
  #state: MachineState = 'paused'
  #stopInfo: StopInfo | undefined
  readonly #events = new Emitter<MachineEvents>()
  readonly #clocks = new SharedArrayBuffer(CLOCKS_SIZE)
  readonly #speed: Speedometer
  readonly #output: OutputDrain
  readonly #input: InputQueue
  readonly #vcpus: VcpuThreads
  readonly #blockIo: { worker: Worker; exit: Promise<void> }
  readonly #bay: DriveBay
  /** To the block I/O thread: media that come and go. */
  readonly #news: MessagePort
  /** A thread has ended on its own: the machine can only be closed. */
  #crippled = false
  #resetting: Promise<void> | undefined
  /** Machine time of the last rest, ns: the time at rest does not count. */
  #timeAtRest = 0n
  #probes: [readonly Probe[], bigint | undefined] = [[], undefined]
  /** Settled when the command under way has ended and its output has been delivered. */
  #rest: Promise<StopInfo> | undefined
  #pausing = false
  #lines: SerialLine[]
  readonly #mediumMessages = new Set<string>()

  constructor(
    public config: Readonly<MachineConfig>,
    readonly memory: MachineMemory,
    bay: DriveBay,
    readonly kernel: readonly Chunk[] | undefined,
  ) {
    this.#output = new OutputDrain(memory, (ring, bytes) =>
      ring === L.RING_DEBUGCON
        ? this.#events.emit('debugcon', { bytes })
        : this.#events.emit('serial', { port: ring, bytes }),
    )
    this.#input = new InputQueue(memory)
    this.#lines = serialLines(memory)
    this.#speed = new Speedometer(memory, this.#clocks)
    this.#vcpus = new VcpuThreads(
      memory,
      this.#clocks,
      () => (this.#state === 'disposed' ? this.#output.discard() : this.#output.wake()),
      (thread, error) => this.#lost(thread, error),
    )
    this.#bay = bay
    const news = new MessageChannel()
    this.#news = news.port1
    const blockIo: BlockIoStart = {
      memory: memory.wasm,
      media: bay.ids.map((id) => bay.blockIo(id)),
      news: news.port2,
    }
    const worker = startBlockIo({
      ...THREAD,
      workerData: blockIo,
      transferList: [news.port2],
      name: 'block I/O',
    })
    worker.on('message', (message: BlockIoMessage) => this.#hearMedium(message))
    worker.on('error', (error) => this.#lost('block I/O', error))
    this.#blockIo = { worker, exit: new Promise((resolve) => worker.once('exit', () => resolve())) }
  }

  /** Once, before anything else. */
  async powerOn(): Promise<void> {
    try {
      await this.#vcpus.start()
    } catch (error) {
      await this.dispose()
      throw error
    }
  }

  get state(): MachineState {
    return this.#state
  }

  get stopInfo(): StopInfo | undefined {
    return this.#stopInfo
  }

  on<E extends keyof MachineEvents>(
    event: E,
    listener: (value: MachineEvents[E]) => void | Promise<void>,
  ): () => void {
    return this.#events.on(event, listener)
  }

  run(): void {
    if (this.#state === 'running') return
    this.#mustBePaused('run')
    void this.#command({ type: 'run' })
  }

  async pause(): Promise<StopInfo> {
    const rest = this.#rest
    if (!rest) return this.#stopInfo ?? this.#describe(L.STOP_PAUSE)
    this.#askForPause()
    return rest
  }

  async step(count = 1, cpu: number | 'all' = 0): Promise<StopInfo> {
    this.#mustBePaused('step')
    if (!Number.isSafeInteger(count) || count < 1)
      throw new RangeError(`${count} instructions cannot be stepped`)
    if (cpu !== 'all') this.memory.cpuBlock(cpu)
    return this.#command({ type: 'step', count, cpu })
  }

  async stepOver(cpu = 0): Promise<StopInfo> {
    this.#mustBePaused('step')
    const target = await stepOverTarget(this, cpu)
    this.#mustBePaused('step')
    return this.#command(
      target === undefined ? { type: 'step', count: 1, cpu } : { type: 'run-until', target, cpu, over: true },
    )
  }

  async runUntil(address: LinearAddress, cpu = 0): Promise<StopInfo> {
    this.#mustBePaused('run')
    this.memory.cpuBlock(cpu)
    return this.#command({ type: 'run-until', target: address, cpu, over: false })
  }

  watchTlb(on: boolean) {
    const { u32 } = this.memory
    const classes = (L.HEADER + L.HDR_EVENT_CLASSES) >>> 2
    if (on) Atomics.or(u32, classes, L.EVENT_CLASS_TLB)
    else Atomics.and(u32, classes, ~L.EVENT_CLASS_TLB)
    // Shortcuts made before would hide what is to be seen.
    for (let cpu = 0; cpu < this.memory.cpuCount; cpu++) {
      Atomics.or(u32, (this.memory.cpuBlock(cpu) + L.CPU_MAINTENANCE) >>> 2, L.MAINTENANCE_DROP_FAST)
      this.memory.kick(cpu)
    }
  }

  async writePhysical(address: PhysicalAddress, bytes: Uint8Array): Promise<void> {
    this.#mustBePaused('be written to')
    if (!Number.isSafeInteger(address) || address < 0)
      throw new RangeError(`${address} is no guest-physical address`)
    if (bytes.length > WRITE_MAX)
      throw new RangeError(`${bytes.length} bytes are more than ${WRITE_MAX} at a time`)
    const writing = this.#vcpus.start().then(() => this.#vcpus.obey({ type: 'write', address, bytes }))
    // Nothing else is asked of the threads meanwhile.
    const rest = writing.then(() => this.#stopInfo ?? this.#describe(L.STOP_PAUSE))
    this.#rest = rest
    const { reasons, broken } = await writing.finally(() => {
      if (this.#rest === rest) this.#rest = undefined
    })
    if (broken !== undefined) throw new Error(broken)
    const taken = reasons[0] ?? 0
    if (taken < bytes.length) {
      const at = (address + taken).toString(16).toUpperCase()
      throw new RangeError(`nothing at ${at}h can be written: only RAM and video memory are changed by hand`)
    }
  }

  watchEvents(classes: number) {
    const { u32 } = this.memory
    const word = (L.HEADER + L.HDR_EVENT_CLASSES) >>> 2
    Atomics.or(u32, word, classes & ~L.EVENT_CLASS_TLB)
    Atomics.and(u32, word, classes | L.EVENT_CLASS_TLB)
  }

  setProbes(probes: readonly Probe[], direct?: bigint) {
    if (this.#state === 'disposed') return
    this.#probes = [probes, direct]
    writeProbes(this.memory, probes, direct)
  }

  async setSchedule(schedule: Schedule): Promise<void> {
    if (this.#rest) throw new Error('pause the machine before its schedule is changed')
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    if (schedule === this.config.schedule) return
    this.config = { ...this.config, schedule }
    this.memory.setHeader32(L.HDR_SCHEDULE, SCHEDULES[schedule])
    // The clock goes on from where it was.
    const turn = this.memory.header32(L.HDR_TURN_CPU)
    const ahead = this.#timeAtRest - this.memory.cpu64(turn, L.CPU_RETIRED)
    this.memory.setHeader64(L.HDR_CLOCK_SKIPPED, BigInt.asUintN(64, ahead))
  }

  async whenStopped(): Promise<StopInfo> {
    return this.#rest ?? this.pause()
  }

  async reset(): Promise<void> {
    // Somebody else's is as good, and two would undo each other's work.
    this.#resetting ??= this.#reset().finally(() => {
      this.#resetting = undefined
    })
    return this.#resetting
  }

  async #reset(): Promise<void> {
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    if (this.#crippled) throw new Error('one of its threads has ended; open the image again')
    const wasRunning = this.#state === 'running'
    if (this.#rest) {
      this.#askForPause()
      await this.#rest
    }
    await this.#blockIdle()
    if (this.#isDisposed()) return
    await this.#clear()
    await this.#send({ type: 'power-on' })
    if (this.#isDisposed()) return
    this.#stopInfo = undefined
    this.#setState('paused')
    if (wasRunning) void this.#command({ type: 'run' })
  }

  /** The memory as before power-on. */
  async #clear() {
    await clearMemory(this.memory)
    // The firmware has written its tables into it.
    this.memory.u8.set(await romOf(this.config), L.ROM)
    const { view } = this.memory
    writeProbes(this.memory, ...this.#probes)
    view.setBigUint64(L.HEADER + L.HDR_DEADLINE, NONE, true)
    view.setBigUint64(L.HEADER + L.HDR_TIMEKEEPER, NONE, true)
    this.#timeAtRest = 0n
    this.#bay.powerOn()
    this.#speed.reset()
    this.#lines = serialLines(this.memory)
    if (this.kernel) loadKernel(this.memory, this.kernel)
  }

  async dispose(): Promise<void> {
    if (this.#state === 'disposed') return
    this.#state = 'disposed'
    this.#input.close()
    this.#events.close()
    this.memory.setHeader32(L.HDR_CONTROL, L.CONTROL_QUIT)
    this.#notify()
    await this.#ended()
    this.#vcpus.abandon()
    this.#news.close()
    this.#bay.close()
  }

  async serialInput(port: number, bytes: Uint8Array): Promise<void> {
    if (!(port >= 0 && port < 4)) throw new RangeError(`there is no serial port ${port}`)
    const data = Array.from(bytes, (byte) => byte | (port << 8))
    return this.#input.putAll(port, L.INPUT_KIND_SERIAL, data, () => this.#lines[port]!.maySend())
  }

  keyEvent(code: string, pressed: boolean): boolean {
    const data = keyData(code)
    if (data === undefined || this.#input.room <= L.INPUT_CAPACITY - KEY_ROOM) return false
    return this.#input.put(L.INPUT_KIND_KEY, pressed ? data : data | L.KEY_RELEASE)
  }

  mouseEvent(dx: number, dy: number, wheel: number, buttons: MouseButtons): boolean {
    if (this.#input.room <= L.INPUT_CAPACITY - KEY_ROOM) return false
    return mouseData(dx, dy, wheel, buttons).every((data) => this.#input.put(L.INPUT_KIND_MOUSE, data))
  }

  powerButton(): void {
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    if (!this.#input.put(L.INPUT_KIND_POWER, 0)) throw new Error('the guest has too much input waiting')
  }

  async typeText(text: string): Promise<void> {
    const shift = keyData('ShiftLeft')!
    const data = keystrokes(text).flatMap(({ code, shift: shifted }) => {
      const key = keyData(code)!
      const stroke = [key, key | L.KEY_RELEASE]
      return shifted ? [shift, ...stroke, shift | L.KEY_RELEASE] : stroke
    })
    return this.#input.putAll(KEYBOARD_CHANNEL, L.INPUT_KIND_KEY, data, () => keyboardIsRead(this.memory))
  }

  drives(): DriveState[] {
    return this.#bay.states()
  }

  insert(slot: DriveSlot, medium: Medium): void {
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    const drive = this.#bay.removable(slot)
    if (this.#input.room === 0) throw new Error('the guest has too much input waiting')
    const queued = this.#input.room < L.INPUT_CAPACITY
    const { id, forgotten } = this.#bay.admit(slot, medium, queued)
    // The thread has the message before the guest can have the medium.
    this.#news.postMessage({ medium: this.#bay.blockIo(id), forgotten } satisfies BlockIoNews)
    this.#input.put(L.INPUT_KIND_MEDIUM, drive | (L.MEDIUM_INSERT << 8) | (id << 16))
  }

  eject(slot: DriveSlot, force = false): void {
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    const what = force ? L.MEDIUM_FORCE : L.MEDIUM_EJECT
    if (!this.#input.put(L.INPUT_KIND_MEDIUM, this.#bay.removable(slot) | (what << 8)))
      throw new Error('the guest has too much input waiting')
  }

  hold<T>(look: () => T): T {
    const { i32 } = this.memory
    if (this.#state !== 'running' || Atomics.load(i32, HOLD) !== 0) return look()
    Atomics.store(i32, HOLD, 1)
    this.memory.kickAll()
    // The order of the two is part of the agreement (emulator/core/machine/hold.ts).
    const held = () => Atomics.load(i32, HELD) === Atomics.load(i32, ACTIVE)
    const until = performance.now() + HOLD_PATIENCE_MS
    while (!held() && performance.now() < until);
    try {
      return look()
    } finally {
      Atomics.store(i32, HOLD, 0)
      Atomics.notify(i32, HOLD)
    }
  }

  cpu(index = 0): CpuSnapshot {
    return cpuSnapshot(this.memory, index)
  }
  milestones(): Milestone[] {
    return milestones(this.memory)
  }
  speed(): Speed {
    return this.#speed.read(this.#state === 'running')
  }
  screen(): ScreenSnapshot {
    return screenSnapshot(this.memory)
  }
  readPhysical(address: PhysicalAddress, length: number): Uint8Array {
    return readPhysical(this.memory, address, length)
  }
  readLinear(address: LinearAddress, length: number, cpu = 0): Uint8Array {
    return readLinear(this.memory, address, length, cpu)
  }
  translate(address: LinearAddress, cpu = 0): PhysicalAddress | undefined {
    return translate(this.memory, address, cpu)
  }
  e820(): E820Entry[] {
    return e820(this.memory)
  }
  memoryMap(): MemoryRegion[] {
    return memoryMap(this.memory)
  }

  frameFlags(into?: Uint8Array): Uint8Array {
    const { frames, frameCount, u8 } = this.memory
    const flags = into?.length === frameCount ? into : new Uint8Array(frameCount)
    for (let i = 0, at = frames + L.FRAME_FLAGS; i < frameCount; i++, at += L.FRAME_SIZE) flags[i] = u8[at]!
    return flags
  }

  async stateHash(): Promise<string> {
    if (this.#rest) throw new Error('pause the machine before its state is hashed')
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    return stateHash(this.memory)
  }

  // -------------------------------------------------------------------------------------------------------

  #mustBePaused(what: string) {
    if (this.#resetting) throw new Error(`this machine cannot ${what} while it is reset`)
    if (this.#state === 'paused' && !this.#rest) return
    if (this.#state === 'stopped')
      throw new Error(`this machine cannot ${what}: ${this.#stopInfo?.message} Reset it.`)
    if (this.#state === 'disposed') throw new Error('this machine has been closed')
    throw new Error(`this machine cannot ${what} while it runs`)
  }

  /** Sends a command that runs the guest; the promise is kept in #rest while it is under way. */
  #command(command: VcpuCommand): Promise<StopInfo> {
    this.#stopInfo = undefined
    this.#setState('running')
    const rest = this.#untilRest(command)
      .catch((error) => this.#failed(error as Error))
      .then((info) => {
        this.#rest = undefined
        if (this.#isDisposed()) return info
        this.#stopInfo = info
        this.#setState(STOPPED_FOR_GOOD.has(info.reason) ? 'stopped' : 'paused')
        this.#events.emit('stopped', info)
        return info
      })
    this.#rest = rest
    return rest
  }

  /** Something broke on the way to the threads or back. */
  #failed(error: Error): Promise<StopInfo> {
    this.#vcpus.halt()
    this.memory.setHeader32(L.HDR_STOP_REASON, L.STOP_INTERNAL)
    this.memory.setHeader32(L.HDR_STATE, L.STATE_STOPPED)
    return this.#describe(L.STOP_INTERNAL, error.stack ?? error.message)
  }

  /**
   * As #send(); a guest that resets a machine with a kernel of the host's finds the kernel in memory again, where it is to lie. All
   * other memory is as it was: a reset is one of the chips, DRAM has no such pin, and the firmware has its own reason to leave it alone.
   */
  async #untilRest(command: VcpuCommand): Promise<StopInfo> {
    let info = await this.#send(command)
    while (!this.#isDisposed() && this.memory.header32(L.HDR_STOP_REASON) === L.STOP_RESET) {
      const { memory } = this
      if (this.kernel) loadKernel(memory, this.kernel)
      for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
        // Code of the last run may have been translated where the kernel lies now.
        Atomics.or(memory.u32, (memory.cpuBlock(cpu) + L.CPU_MAINTENANCE) >>> 2, L.MAINTENANCE_DROP_TRACES)
        memory.kick(cpu)
      }
      if (this.#pausing || command.type !== 'run') {
        const reason = this.#pausing ? L.STOP_PAUSE : L.STOP_STEP
        memory.setHeader32(L.HDR_STOP_REASON, reason)
        memory.setHeader32(L.HDR_STATE, L.STATE_PAUSED)
        return this.#describe(reason)
      }
      info = await this.#send(command)
    }
    return info
  }

  /** Sends a command and waits until it has ended and everything the guest sent before has been delivered. */
  async #send(command: VcpuCommand): Promise<StopInfo> {
    const { memory } = this
    this.#pausing = false
    await this.#vcpus.start()
    if (this.#isDisposed()) return this.#describe(L.STOP_PAUSE)
    this.#speed.begin()
    const parallel = memory.header32(L.HDR_SCHEDULE) === L.SCHEDULE_PARALLEL
    const base = process.hrtime.bigint() - this.#timeAtRest
    memory.setHeader64(L.HDR_HOST_CLOCK_BASE, parallel ? BigInt.asUintN(64, base) : 0n)
    memory.setHeader64(L.HDR_TIMEKEEPER, NONE)
    memory.setHeader32(L.HDR_STOP_REASON, L.STOP_NONE)
    memory.setHeader32(L.HDR_STOP_CPU, 0)
    memory.setHeader32(L.HDR_STATE, L.STATE_RUNNING)
    const obeyed = this.#vcpus.obey(command)
    // Asked for while the threads were being started.
    if (this.#pausing) this.#vcpus.halt()
    const outcome = await obeyed
    const { reasons } = outcome
    this.#speed.end()
    if (this.#isDisposed()) return this.#describe(L.STOP_PAUSE)
    const broken = outcome.broken ?? this.#unasked(command, reasons)
    if (broken !== undefined) {
      memory.setHeader32(L.HDR_STOP_REASON, L.STOP_INTERNAL)
      memory.setHeader32(L.HDR_STATE, L.STATE_STOPPED)
    } else if (memory.header32(L.HDR_STATE) !== L.STATE_STOPPED) {
      memory.setHeader32(L.HDR_STOP_REASON, reasons.includes(L.STOP_STEP) ? L.STOP_STEP : L.STOP_PAUSE)
      memory.setHeader32(L.HDR_STATE, L.STATE_PAUSED)
    }
    // Idle CPUs may have moved the base.
    const since = process.hrtime.bigint() - memory.header64(L.HDR_HOST_CLOCK_BASE)
    if (parallel) memory.setHeader64(L.HDR_CLOCK_NOW, BigInt.asUintN(64, since))
    this.#timeAtRest = memory.header64(L.HDR_CLOCK_NOW)
    await this.#output.delivered()
    return this.#describe(memory.header32(L.HDR_STOP_REASON), broken)
  }

  /** A machine that runs rests only when somebody says so; anything else is our own mistake, and is told as one. */
  #unasked({ type }: VcpuCommand, reasons: readonly number[]): string | undefined {
    if (this.#pausing || (type !== 'run' && type !== 'run-until')) return undefined
    if (this.memory.header32(L.HDR_STATE) === L.STATE_STOPPED || reasons.includes(L.STOP_STEP))
      return undefined
    const control = this.memory.header32(L.HDR_CONTROL)
    return `the machine came to rest during ‘${type}’ although nobody asked: threads ended with ${reasons.join(', ')}, HDR_CONTROL is ${control}`
  }

  #askForPause() {
    if (this.#pausing) return
    this.#pausing = true
    this.#vcpus.halt()
  }

  /** Wakes whoever sleeps on a word of the memory. */
  #notify() {
    const { i32 } = this.memory
    Atomics.notify(i32, CONTROL)
    this.memory.kickAll()
    Atomics.add(i32, DOORBELL, 1)
    Atomics.notify(i32, DOORBELL)
  }

  #lost(thread: string, error: Error) {
    this.#crippled = true
    if (this.#state === 'disposed') return
    this.#askForPause()
    this.#vcpus.abandon(`the thread for ${thread} ended: ${error.stack ?? error.message}`)
    if (this.#rest) return
    this.memory.setHeader32(L.HDR_STOP_REASON, L.STOP_INTERNAL)
    this.memory.setHeader32(L.HDR_STATE, L.STATE_STOPPED)
    void this.#describe(L.STOP_INTERNAL, error.stack).then((info) => {
      this.#stopInfo = info
      this.#setState('stopped')
      this.#events.emit('stopped', info)
    })
  }

  #hearMedium({ index, message }: BlockIoMessage) {
    const slot = slotOf(index)
    const name = this.#bay.mediumIn(slot)?.name ?? slot
    const text = `${name} (${slot}): ${message}`
    if (this.#mediumMessages.has(text) || this.#mediumMessages.size >= MEDIUM_MESSAGES_MAX) return
    this.#mediumMessages.add(text)
    this.#events.emit('medium', { slot, message: text })
  }

  #describe(reason: number, internal?: string): Promise<StopInfo> {
    return describeStop(this.memory, reason, internal)
  }

  #setState(state: MachineState) {
    if (this.#state === state || this.#state === 'disposed') return
    this.#state = state
    this.#events.emit('state', { state })
  }

  /** Asked after an await: dispose() may have come meanwhile. */
  #isDisposed(): boolean {
    return this.#state === 'disposed'
  }

  /** No transfer may still be writing into the memory. */
  async #blockIdle() {
    const { i32 } = this.memory
    const busy = () =>
      Array.from(
        { length: L.BLOCK_SLOTS },
        (_, i) => (L.BLOCK_REQUESTS + i * L.BLOCK_SLOT_SIZE + L.BLOCK_STATE) >>> 2,
      )
        .map((word) => Atomics.load(i32, word))
        .includes(L.BLOCK_SUBMITTED)
    while (busy() && !this.#isDisposed()) await new Promise((resolve) => setTimeout(resolve, 1))
    for (let i = 0; i < L.BLOCK_SLOTS; i++) {
      Atomics.store(i32, (L.BLOCK_REQUESTS + i * L.BLOCK_SLOT_SIZE + L.BLOCK_STATE) >>> 2, L.BLOCK_IDLE)
    }
  }

  /** Waits for the threads; HDR_CONTROL says quit. */
  async #ended(): Promise<void> {
    // A guest that waits for room in a ring must be able to go on to its end.
    const emptying = setInterval(() => this.#output.discard(), 5)
    const patience = setTimeout(() => {
      this.#vcpus.terminate()
      void this.#blockIo.worker.terminate()
    }, QUIT_MS)
    await Promise.all([this.#vcpus.ended(), this.#blockIo.exit])
    clearInterval(emptying)
    clearTimeout(patience)
  }
}

/** A byte per device, the first one lowest. */
function bootOrder(boot: MachineConfig['boot']): number {
  if (boot === 'auto') return 0
  const devices = [...new Set(typeof boot === 'string' ? [boot] : boot)]
  return devices.reduce((order, device, i) => order | (BOOT_DEVICES[device] << (8 * i)), 0)
}

/** What a kernel wants to be zero is so at power-on: only what is not is written, or all of it would be memory in use. */
function loadKernel(memory: MachineMemory, kernel: readonly Chunk[]) {
  for (const { address, bytes, size = 0 } of kernel) {
    const at = memory.ram + address
    memory.u8.set(bytes, at)
    for (let zero = at + bytes.length; zero < at + size; zero += L.PAGE_SIZE) {
      const rest = memory.u8.subarray(zero, Math.min(zero + L.PAGE_SIZE, at + size))
      if (rest.some((byte) => byte !== 0)) rest.fill(0)
    }
  }
  memory.setHeader32(L.HDR_DIRECT_BOOT, L.DIRECT_BOOT_READY)
}

function serialLines(memory: MachineMemory): SerialLine[] {
  return [0, 1, 2, 3].map((port) => new SerialLine(memory, port))
}

/** A time that never comes. */
const NONE = 0xffff_ffff_ffff_ffffn
const CONTROL = (L.HEADER + L.HDR_CONTROL) >>> 2
const HOLD = (L.HEADER + L.HDR_HOLD) >>> 2
const HELD = (L.HEADER + L.HDR_HELD) >>> 2
const ACTIVE = (L.HEADER + L.HDR_ACTIVE) >>> 2
/** A CPU comes to a boundary within microseconds, unless its thread waits for the host, or for a core of it. */
const HOLD_PATIENCE_MS = 4
const DOORBELL = (L.BLOCK_REQUESTS + L.BLOCK_DOORBELL) >>> 2
const STOPPED_FOR_GOOD = new Set<StopInfo['reason']>(['triple-fault', 'debug-exit', 'power-off', 'internal'])
const MEDIUM_MESSAGES_MAX = 100
