// A machine that a window shows: the medium, the machine itself and what is pushed to the page about it.
import { basename, dirname } from 'node:path'
import * as L from '@emulator/core/layout'
import type { DirectBoot } from '@emulator/firmware/direct-boot/chunks'
import { searchStep, type SearchStep } from '@emulator/insight/memory-search'
import type { MemorySpace } from '@emulator/insight/memory-window'
import { pagingControl } from '@emulator/insight/page-walk'
import { findingSymbols, type FoundSymbol } from '@emulator/insight/symbols/find-symbols'
import { type KeyCode, linear, type Machine, physical, type StopInfo } from '@emulator/machine/api'
import { createMachine } from '@emulator/machine/machine'
import { openMedium } from '@emulator/media/medium'
import type {
  FaultAccount,
  Frame,
  FrameFacts,
  Interest,
  MachineCommand,
  MachineSettings,
  MachineSummary,
  RemovableDrive,
  Schedule,
} from '../../preload/bridge'
import { type LensFile, lensBeside, openLens } from '@emulator/insight/lenses/find-lens'
import { elfKernel, type Kernel } from '@emulator/insight/lenses/kernel'
import { type Search, searchLinux, searchNames } from '@emulator/insight/finder/finder'
import type { LinuxKernel } from '@emulator/insight/lenses/linux/find-linux'
import { GuestNames } from '@emulator/insight/symbols/guest-names'
import { type ClimbAccount, climbAccount } from '@emulator/insight/climb/climb'
import { machineAtRest } from '@emulator/insight/rest-autopsy'
import { instructionText, loadDisassembler } from '../disassembly'
import { AllocatorSource, type KernelState } from '../push/allocator-source'
import { EventWatch } from '../push/event-watch'
import { EventsSource } from '../push/events-source'
import { ClimbSource } from '../push/climb-source'
import { CodeSource } from '../push/code-source'
import { CpuSource } from '../push/cpu-source'
import { FrameFlagsSource } from '../push/frame-flags-source'
import { DetailsSource } from '../push/details-source'
import { HexSource } from '../push/hex-source'
import { CpusSource } from '../push/cpus-source'
import { FramePusher } from '../push/frame-pusher'
import { InterruptsSource } from '../push/interrupts-source'
import { RegionsSource } from '../push/regions-source'
import { ScreenSource } from '../push/screen-source'
import { PORTS, SerialSource } from '../push/serial-source'
import { PagesSource } from '../push/pages-source'
import { ShootdownsSource } from '../push/shootdowns-source'
import { SpaceSource } from '../push/space-source'
import { TlbSource } from '../push/tlb-source'
import { SpeakerSource } from '../push/speaker-source'
import { StatusSource } from '../push/status-source'
import { WorkList } from '../push/work-list'
import { HostTerminals } from '../terminal/host-terminals'
import { accountOf } from './fault-account'
import { configOf } from './machine-settings'
import { SpaceComparison } from './space-comparison'

/** How the session speaks to its window. */
export interface SessionHost {
  frame(frame: Frame): void
  fault(account: FaultAccount | undefined): void
  /** The state changed: menus follow. */
  changed(): void
  visible(): boolean
}

const NOTHING: Interest = {
  screen: false,
  serial: false,
  cpu: false,
  chosen: 0,
  memory: false,
  code: false,
  pages: false,
  hex: false,
  details: false,
  tlb: false,
  allocator: false,
  events: false,
  shootdowns: false,
  interrupts: false,
  cpus: false,
  shell: false,
}

/** Symbols that an answer has. */
const SYMBOLS_SHOWN = 60
/** ms that a search for them goes on without a pause. */
const FINDING_SLICE = 4
/** Searches at a time: a name that is typed asks with each letter. */
const QUESTIONS = 3

export class MachineSession {
  readonly machine: Machine
  readonly summary: MachineSummary
  readonly #host: SessionHost
  readonly #pusher: FramePusher
  readonly #serial: SerialSource
  readonly #allocator: AllocatorSource
  readonly #events: EventWatch
  readonly #work = new WorkList(() => this.#pusher.kick('status'))
  #namesSearch: Search<GuestNames> | undefined
  readonly #shootdowns: ShootdownsSource
  readonly spaces: SpaceComparison
  readonly terminals: HostTerminals
  readonly #stopListening: (() => void)[]
  readonly #troubles: string[] = []
  #interest: Interest = NOTHING
  #received = 0
  #epoch = 0
  #fault: FaultAccount | undefined
  #resetting: Promise<void> | undefined
  #names: GuestNames | undefined
  #kernel: Kernel | undefined
  #lens: LensFile | undefined

  /**
   * Opens what belongs to the document and builds a machine around it, at its reset vector.
   * @param kernel whether the document is a kernel, not an image
   * @param direct what was read of it already
   * @throws MediumError, DirectBootError, or an Error when the host has no room for the machine
   */
  static async open(
    path: string,
    kernel: boolean,
    settings: MachineSettings,
    host: SessionHost,
    beside: { symbols: boolean; lens: boolean } = { symbols: true, lens: true },
    direct?: DirectBoot,
  ): Promise<MachineSession> {
    const config = configOf(path, kernel, settings, direct)
    const machine = await createMachine(config).catch((error: unknown) => {
      for (const { medium } of config.drives) medium?.close()
      throw error
    })
    const session = new MachineSession(machine, dirname(path), host)
    // The window comes first: the symbols of a large kernel take a moment to read.
    setImmediate(() => {
      if (beside.symbols) session.readNames({ image: path })
      if (beside.lens) session.useLens(() => lensBeside(path))
    })
    return session
  }

  private constructor(machine: Machine, folder: string, host: SessionHost) {
    const warnings = machine.config.drives.flatMap(({ medium }) => medium?.warnings ?? [])
    this.machine = machine
    this.#host = host
    const { memory, cpus, schedule, seed } = machine.config
    this.summary = {
      memory,
      cpus,
      schedule,
      seed,
      drives: machine.config.drives.flatMap(({ slot, medium }) =>
        medium ? [{ slot, size: medium.size, description: medium.description }] : [],
      ),
      regions: machine.memoryMap(),
      e820: machine.e820(),
    }
    this.#serial = new SerialSource(() =>
      this.#interest.serial === false ? undefined : this.#interest.serial,
    )
    this.terminals = new HostTerminals(
      folder,
      () => this.#interest.shell,
      (port, bytes) => void this.#toGuest(port, bytes).catch(() => {}),
      () => this.#pusher.kick('status', 'shell'),
    )
    this.#events = new EventWatch(machine)
    const label = (address: bigint) => this.#names?.label(address) ?? this.#allocator.label(address)
    this.#shootdowns = new ShootdownsSource(machine, () => this.#interest.shootdowns, label)
    this.#allocator = new AllocatorSource(
      machine,
      () => this.#interest.allocator,
      () => this.#kernelState(),
      () => this.#lens,
      this.#events,
      () => this.#searchLinux(),
      () => this.#pusher.kick('allocator', 'code', 'events'),
    )
    this.spaces = new SpaceComparison(
      machine,
      () => this.#chosen,
      () => this.#allocator.roots(),
    )
    const status = new StatusSource(machine, {
      sent: () => this.#serial.total(0),
      received: () => this.#received,
      ports: () => Array.from({ length: PORTS }, (_, port) => this.#serial.total(port)),
      devices: () => this.terminals.paths(),
      shell: () => this.terminals.shell,
      mediumTroubles: () => [...warnings, ...this.#troubles],
      removable: () => this.removable(),
      work: () => this.#work.shown(),
      label: (address) => this.#label(address),
    })
    this.#pusher = new FramePusher(
      {
        live: () => machine.state === 'running' || this.#serial.pending || this.terminals.source.pending,
        visible: () => host.visible(),
        epoch: () => this.#epoch,
        send: (frame) => host.frame(frame),
        now: () => performance.now(),
      },
      [
        status,
        new ClimbSource(machine, () => true),
        this.#serial,
        this.terminals.source,
        new SpeakerSource(machine),
        new ScreenSource(machine, () => this.#interest.screen),
        new CpuSource(
          machine,
          () => this.#interest.cpu,
          () => this.#chosen,
        ),
        new CodeSource(
          machine,
          () => this.#chosen,
          () => this.#interest.code,
          () => this.#pusher.kick('code'),
          () => this.#names,
        ),
        new FrameFlagsSource(machine, () => this.#interest.memory),
        new RegionsSource(machine, () => this.#interest.memory),
        new PagesSource(
          machine,
          () => this.#chosen,
          () => this.#interest.pages,
        ),
        new TlbSource(machine, () => this.#interest.tlb),
        this.#allocator,
        new DetailsSource(
          machine,
          () => this.#interest.details,
          () => this.#chosen,
        ),
        new HexSource(
          machine,
          () => this.#chosen,
          () => this.#interest.hex,
          () => this.#names,
        ),
        new EventsSource(
          this.#events,
          () => this.#interest.events,
          label,
          () => this.#allocator.armProbes(),
        ),
        this.#shootdowns,
        new InterruptsSource(machine, this.#events, () => this.#interest.interrupts, label),
        new CpusSource(machine, () => this.#interest.cpus, label),
        new SpaceSource(
          machine,
          () => this.#chosen,
          () => this.#interest.pages !== false,
        ),
      ],
    )
    this.#stopListening = [
      machine.on('serial', ({ port, bytes }) => {
        this.#serial.append(port, bytes)
        this.terminals.sent(port, bytes)
        this.#pusher.kick('serial')
      }),
      machine.on('state', () => {
        this.#pusher.kick()
        host.changed()
      }),
      machine.on('stopped', (stop) => this.#stopped(stop)),
      machine.on('medium', ({ slot, message }) => {
        this.#troubles.push(`${slot}: ${message}`)
        this.#pusher.kick('status')
      }),
    ]
  }

  /** The page was loaded (again) and knows nothing. */
  connect() {
    this.#host.fault(this.#fault)
    this.#pusher.restart()
  }

  /** The CPU that the panels follow. */
  get #chosen(): number {
    return Math.min(this.#interest.chosen, this.machine.config.cpus - 1)
  }

  /** Drives whose medium can be changed, and what is in them. */
  removable(): RemovableDrive[] {
    if (this.machine.state === 'disposed') return []
    return this.machine
      .drives()
      .flatMap(({ slot, kind, medium }) =>
        kind === 'disk' ? [] : [{ slot, kind, medium: medium?.name ?? '' }],
      )
  }

  /** @throws MediumError, or Error when the drive does not take it */
  insert(slot: string, path: string) {
    const drive = this.#removableDrive(slot)
    const medium = openMedium(path, drive.kind)
    try {
      this.machine.insert(drive.slot, medium)
    } catch (error) {
      medium.close()
      throw error
    }
    this.#mediaChanged()
  }

  eject(slot: string) {
    this.machine.eject(this.#removableDrive(slot).slot)
    this.#mediaChanged()
  }

  #removableDrive(slot: string) {
    const drive = this.machine.drives().find((drive) => drive.slot === slot && drive.kind !== 'disk')
    if (!drive) throw new Error(`there is no drive ${slot} whose medium can be changed`)
    return drive
  }

  /** The guest takes notice when it next looks at its input. */
  #mediaChanged() {
    this.#pusher.kick('status')
    setTimeout(() => {
      this.#pusher.kick('status')
      this.#host.changed()
    }, 100)
  }

  /** @throws Error while the machine runs */
  async setSchedule(schedule: Schedule) {
    await this.machine.setSchedule(schedule)
    this.#pusher.kick('status')
  }

  /** The page has drawn a frame. */
  drawn(sequence: number) {
    this.#pusher.drawn(sequence)
  }

  setInterest(interest: Interest) {
    this.#interest = interest
    this.#shootdowns.changed()
    const { events, allocator, interrupts } = interest
    this.#events.watch(
      (events === false ? 0 : events.classes) |
        (interrupts === false ? 0 : L.EVENT_CLASS_PATH) |
        (allocator === false ? 0 : L.EVENT_CLASS_GUEST | L.EVENT_CLASS_PROBE),
    )
    this.#pusher.kick()
  }

  /** The window can be seen again. */
  refresh() {
    this.#pusher.kick()
  }

  /** A command that makes no sense in the present state has no effect: the key was pressed a moment too late. */
  async command(command: MachineCommand): Promise<void> {
    const { machine } = this
    // Between two power-ons nothing else is done; a reset meanwhile is that one.
    if (this.#resetting) {
      await this.#resetting
      if (command === 'reset' || machine.state === 'disposed') return
    }
    switch (command) {
      case 'run':
        if (machine.state === 'paused') machine.run()
        return
      case 'pause':
        await machine.pause()
        return
      case 'step':
        if (machine.state === 'paused') await machine.step(1, this.#chosen)
        return
      case 'stepAll':
        if (machine.state === 'paused') await machine.step(1, 'all')
        return
      case 'powerButton':
        if (machine.state === 'running') machine.powerButton()
        return
      case 'stepOver':
        if (machine.state === 'paused') await machine.stepOver(this.#chosen)
        return
      case 'reset':
        this.#resetting = this.#reset().finally(() => {
          this.#resetting = undefined
        })
        return this.#resetting
    }
  }

  /** Asked again after each await. */
  #isDisposed(): boolean {
    return this.machine.state === 'disposed'
  }

  async #reset() {
    const { machine } = this
    // What ended by itself is started again, as the button of a real machine does.
    const goOn = machine.state !== 'paused'
    if (machine.state === 'running') await machine.pause()
    if (this.#isDisposed()) return
    // Its memory is nobody's to read until the new power-on, and all that was said has been heard.
    this.#pusher.suspend()
    this.#serial.clear()
    this.#received = 0
    try {
      await machine.reset()
      if (this.#isDisposed()) return
      this.#epoch++
      this.#allocator.reset()
      this.#events.reset()
      this.#shootdowns.reset()
      this.spaces.reset()
      this.#setFault(undefined)
      if (goOn) machine.run()
    } finally {
      this.#pusher.restart()
    }
    this.#host.changed()
  }

  async serialInput(port: number, text: string): Promise<void> {
    await this.#toGuest(port, new TextEncoder().encode(text))
  }

  async #toGuest(port: number, bytes: Uint8Array): Promise<void> {
    if (port === 0) this.#received += bytes.length
    try {
      await this.machine.serialInput(port, bytes)
    } catch (error) {
      // What is closed meanwhile, by another power-on too, takes its input along.
      if (!this.#isDisposed()) throw error
    }
  }

  key(code: KeyCode, pressed: boolean) {
    this.machine.keyEvent(code, pressed)
  }

  /** @param buttons as in MouseEvent.buttons */
  mouse(dx: number, dy: number, wheel: number, buttons: number) {
    const down = (bit: number) => (buttons & bit) !== 0
    this.machine.mouseEvent(dx, dy, wheel, {
      left: down(1),
      right: down(2),
      middle: down(4),
      fourth: down(8),
      fifth: down(16),
    })
  }

  /** @param frame number of a 4 KiB frame of RAM */
  frameFacts(frame: number): FrameFacts {
    const { memory } = this.machine
    if (frame >= memory.frameCount) throw new RangeError(`this machine has ${memory.frameCount} frames`)
    const at = memory.frames + frame * L.FRAME_SIZE
    const address = frame * L.PAGE_SIZE
    const stamp = memory.u32[(at + L.FRAME_STAMP) >>> 2]!
    const bytes = this.machine.readPhysical(physical(address), L.PAGE_SIZE)
    const region = this.machine.memoryMap().find(({ start, end }) => address >= start && address < end)
    const facts: FrameFacts = {
      frame,
      flags: memory.u32[(at + L.FRAME_FLAGS) >>> 2]!,
      region: region?.name ?? 'nothing answers here',
      bytes: bytes.slice(0, 16),
      used: bytes.reduce((count, byte) => count + (byte === 0 ? 0 : 1), 0),
    }
    const story = this.#allocator.story(frame)
    if (story) facts.story = story
    // The stamp counts 2^20 ns.
    if (stamp !== 0) facts.lastTranslation = (stamp * 2 ** 20) / 1e6
    return facts
  }

  /** The name of an address, if the symbols are those of what runs. */
  #label(address: bigint): string | undefined {
    const names = this.#names
    if (!names?.check(address, (at, length) => this.machine.readLinear(linear(at), length))) return undefined
    return names.label(address)
  }

  /** @param from address to begin at @throws RangeError for a pattern that is empty or too long */
  search(space: MemorySpace, from: bigint, pattern: Uint8Array): SearchStep {
    const { memory } = this.machine
    return searchStep(memory, pagingControl(memory, this.#chosen), space, from, pattern)
  }

  /** Changes memory of the paused machine, linear addresses through the tables of the CPU that is followed. */
  async write(space: MemorySpace, at: bigint, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const address = BigInt.asUintN(64, at + BigInt(done))
      const part = Math.min(bytes.length - done, L.PAGE_SIZE - Number(address & 0xfffn))
      const target =
        space === 'physical'
          ? physical(Number(address))
          : this.machine.translate(linear(address), this.#chosen)
      if (target === undefined) throw new Error(`nothing is mapped at ${address.toString(16).toUpperCase()}h`)
      await this.machine.writePhysical(target, bytes.subarray(done, done + part))
      done += part
    }
    this.#pusher.kick()
  }

  /** The climb, told. */
  async climb(): Promise<ClimbAccount> {
    await loadDisassembler()
    const { machine } = this
    if (machine.state === 'disposed') throw new Error('the machine is gone')
    const label = (address: bigint) => this.#label(address)
    const rests = this.#fault ? undefined : machineAtRest(machine, label)
    const findings = this.#fault?.findings ?? (rests ? [rests] : [])
    return climbAccount(machine.memory, { disassemble: instructionText, label }, findings)
  }

  #finding = 0

  /**
   * Symbols by a part of their names; none when they are not those of the running code. Goes through them a little at a time: the
   * window waits for nothing else meanwhile, and later questions end this one.
   */
  async findSymbols(query: string): Promise<FoundSymbol[]> {
    const names = this.#names
    const table = names?.symbols?.table
    if (!table || names?.state.state === 'mismatch') return []
    const question = ++this.#finding
    const stop = () => {
      stopped = true
    }
    let stopped = false
    const work = this.#work.begin(`Searching ${table.size} symbols`, stop)
    try {
      const steps = findingSymbols(table, query, SYMBOLS_SHOWN)
      let until = performance.now() + FINDING_SLICE
      for (;;) {
        const { done, value } = steps.next()
        if (done) return value
        if (performance.now() < until) continue
        work.progress(value)
        await new Promise((go) => setImmediate(go))
        if (stopped || this.#finding - question >= QUESTIONS || this.#isDisposed()) return []
        until = performance.now() + FINDING_SLICE
      }
    } finally {
      work.end()
    }
  }

  /**
   * Takes names for the guest's addresses from a file's symbols from now on, or from those that belong to an image. They are read on
   * another thread: names are there soon, types and lines when all has been read.
   */
  readNames(where: { file: string } | { image: string }) {
    if (this.machine.state === 'disposed') return
    this.#namesSearch?.stop()
    const path = 'file' in where ? where.file : where.image
    const work = this.#work.begin(`Reading the symbols of ${basename(path)}`, () => search.stop())
    const search = searchNames(
      where,
      (names) => {
        if (this.#namesSearch === search) this.#useNames(names)
      },
      (done) => work.progress(done),
    )
    this.#namesSearch = search
    void search.result
      .catch((error: unknown) => {
        if (this.#namesSearch === search)
          this.#useNames(GuestNames.unreadable(basename(path), (error as Error).message))
      })
      .then(() => work.end())
  }

  #useNames(names: GuestNames) {
    if (this.machine.state === 'disposed') return names.close()
    if (this.#names !== names) this.#names?.close()
    this.#names = names
    const { symbols } = names
    // A lens asks for types at once.
    this.#kernel =
      symbols && names.complete ? elfKernel(symbols, (address) => names.label(address)) : undefined
    this.#pusher.kick('code', 'allocator', 'hex')
    const stop = this.machine.stopInfo
    if (stop && this.#fault) this.#stopped(stop)
  }

  #searchLinux(): Search<LinuxKernel> {
    const work = this.#work.begin('Looking for Linux in the guest’s memory', () =>
      this.#allocator.stopLooking(),
    )
    const search = searchLinux(this.machine.memory, (done) => work.progress(done))
    // Whether it was found is whose business who asked.
    const ended = () => work.end()
    void search.result.then(ended, ended)
    return search
  }

  /** Stops something that takes long. */
  cancelWork(id: number) {
    this.#work.cancel(id)
  }

  /** Reads the kernel's allocators through this lens from now on. */
  useLens(find: () => LensFile | undefined) {
    if (this.machine.state === 'disposed') return
    const lens = find()
    if (!lens) return
    this.#lens = lens
    this.#pusher.kick('allocator')
  }

  /** @throws Error when there is no such file */
  openLens(path: string) {
    const lens = openLens(path)
    if (!lens) throw new Error(`${path} is not there`)
    this.useLens(() => lens)
  }

  /** The slabs of a slab cache. */
  slabs(cache: number) {
    return this.#allocator.slabs(cache)
  }

  /** The lens file for a guess; undefined when it is none any more. */
  guessedLens(guess: number): string | undefined {
    const lens = this.#allocator.guessedLens(guess)
    return lens && `${JSON.stringify(lens, undefined, 2)}\n`
  }

  /** How an allocator keeps what is free. */
  structure(allocator: number) {
    return this.#allocator.structure(allocator)
  }

  /** The guest's symbols, and whether what runs is what they are of. */
  #kernelState(): KernelState | undefined {
    const names = this.#names
    if (!names) return undefined
    const { machine } = this
    for (let cpu = 0; names.state.state === 'waiting' && cpu < machine.config.cpus; cpu++) {
      const read = (address: bigint, length: number) => machine.readLinear(linear(address), length, cpu)
      // Where the CPU is, or where system calls go: in the kernel, even while a program runs.
      names.check(machine.cpu(cpu).ripLinear, read)
      names.check(machine.memory.cpu64(cpu, L.CPU_LSTAR), read)
    }
    const { file, state, problem } = names.state
    return {
      ...{ file, state },
      ...(this.#kernel ? { kernel: this.#kernel } : {}),
      ...(problem === undefined ? {} : { problem }),
    }
  }

  async dispose(): Promise<void> {
    this.#work.stopAll()
    this.#namesSearch?.stop()
    this.#allocator.stop()
    this.#names?.close()
    this.#names = undefined
    this.#pusher.stop()
    this.#events.stop()
    this.terminals.close()
    for (const stop of this.#stopListening) stop()
    await this.machine.dispose()
  }

  #stopped(stop: StopInfo) {
    if (this.#interest.pages !== false) this.spaces.rested()
    this.#pusher.kick()
    this.#host.changed()
    if (stop.reason !== 'triple-fault' && stop.reason !== 'internal') return
    void loadDisassembler().then(() => {
      // It may have been reset meanwhile, and its memory with it.
      if (this.machine.stopInfo === stop) this.#setFault(accountOf(stop, this.machine, this.#names))
    })
  }

  #setFault(account: FaultAccount | undefined) {
    if (this.#fault === account) return
    this.#fault = account
    this.#host.fault(account)
  }
}
