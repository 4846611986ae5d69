import * as L from '@emulator/core/layout'
import { behindCall } from '@emulator/insight/call-stack'
import type { Root } from '@emulator/insight/frames/reverse-map'
import { leakedFrames } from '@emulator/insight/frames/leaks'
import { type Guess, guessing } from '@emulator/insight/guess/guess'
import { bareKernel, type Kernel } from '@emulator/insight/lenses/kernel'
import { type Lens, needsSymbols } from '@emulator/insight/lenses/lens'
import { type Colour, FrameObserver, type FrameStory } from '@emulator/insight/frames/frame-observer'
import type { LensFile } from '@emulator/insight/lenses/find-lens'
import { LINUX_DIRECT_MAP, LINUX_PROBES } from '@emulator/insight/lenses/linux/linux-probes'
import type { LinuxKernel } from '@emulator/insight/lenses/linux/find-linux'
import { Orc } from '@emulator/insight/lenses/linux/orc'
import type { Search } from '@emulator/insight/finder/finder'
import { readCacheSlabs } from '@emulator/insight/lenses/read-lens'
import { viewOfKernel } from '@emulator/insight/lenses/guest-view'
import { lensProbes, POOL_FRAMES } from '@emulator/insight/lenses/probes'
import { type AllocatorStructure, buddyBlocks, readStructure } from '@emulator/insight/lenses/structure'
import { Reader, type Trouble } from '@emulator/insight/lenses/reader'
import type { LensReading, Slab } from '@emulator/insight/lenses/reading'
import { pagingControl } from '@emulator/insight/page-walk'
import type { Machine } from '@emulator/machine/api'
import type { MachineMemory } from '@emulator/machine/memory'
import type { AllocatorView, LensState, NamedCall } from '../../preload/bridge'
import { ByteColumn } from './byte-column'
import type { EventWatch } from './event-watch'
import { LOOK_SHARE, type Source } from './source'

/** What the guest's symbols are good for at the moment. */
export interface KernelState {
  /** Absent when the file cannot be read. */
  kernel?: Kernel
  file: string
  state: 'match' | 'mismatch' | 'waiting' | 'unreadable'
  problem?: string
}

const INTERVAL_MIN = 100
const SLABS_MAX = 400
const LEAKS_MAX = 200
/** Double frees and uses after free that are shown. */
const FAULTS_MAX = 20
const ARM_INTERVAL = 200
/** ms of a look that go on without a pause, about. */
const LOOK_SLICE = 3
/** One that nobody has gone on with for so long, ms, is begun again. */
const LOOK_STALE = 2000
/** ms of a look that go into guessing, and how long a guess is good for. */
const GUESS_SLICE = 8
const GUESS_PAUSE = 4000
/** What a lens that names no symbols is read with where there are none. */
const BARE = bareKernel()
/** Between the kernel's word and the end of its function, ns. */
const SAME_CALL = 1e6

type Call = { time: number; retired: number; cpu: number; caller: bigint; stack?: bigint[] }

/** With names; of the chain of frame pointers what lies behind CALLs. */
function namedCall(
  memory: MachineMemory,
  { time, retired, cpu, caller, stack }: Call,
  kernel: Kernel | undefined,
): NamedCall {
  const named = (address: bigint) => ({ address, label: kernel?.label(address) ?? '' })
  const found = caller === 0n ? [] : [named(caller)]
  const control = pagingControl(memory, cpu)
  for (const address of stack ?? []) {
    if (!behindCall(memory, control, address)) break
    found.push(named(address))
  }
  return { time: time / 1e6, retired, cpu, stack: found }
}

export class AllocatorSource implements Source<'allocator'> {
  readonly part = 'allocator'
  interval = INTERVAL_MIN
  #observer: FrameObserver | undefined
  #madeOf: [Kernel | undefined, LensFile | undefined] = [undefined, undefined]
  readonly #shades = new ByteColumn()
  #sent: Colour | undefined
  #linux: LinuxKernel | undefined
  #search: Search<LinuxKernel> | undefined
  /** When to look for it again, and how long to wait after that, ms. */
  #lookAgain = 0
  #pause = 2000
  #last = ''
  #armAgain = 0
  #looking: { of: FrameObserver; steps: Generator<void>; until: number } | undefined
  /** What the looks have taken that were not the last of theirs, ms. */
  #spent = 0
  #orc: { of: LinuxKernel; tables: Orc | undefined } | undefined
  #guessing: Generator<void, Guess[]> | undefined
  #guesses: Guess[] = []
  #guessAgain = 0
  #probeTroubles: readonly Trouble[] = []

  /**
   * @param colour that the panel shows, false when nobody looks
   * @param names the guest's symbols, undefined when there are none
   */
  constructor(
    private readonly machine: Pick<Machine, 'memory' | 'state' | 'hold'>,
    private readonly colour: () => false | Colour,
    private readonly names: () => KernelState | undefined,
    private readonly lens: () => LensFile | undefined,
    private readonly events: EventWatch,
    /** Looks for Linux in the guest's memory, on another thread. */
    private readonly searchLinux: () => Search<LinuxKernel>,
    /** There is more to show than a moment ago. */
    private readonly found: () => void,
  ) {}

  wanted() {
    return this.colour() !== false
  }

  take(): AllocatorView | undefined {
    const colour = this.colour()
    if (colour === false) return
    const began = performance.now()
    const { observer, lens } = this.#prepare()
    this.armProbes()
    this.events.take()
    const { ledger } = this.events
    const heard = ledger.allocations + ledger.frees > 0
    observer.heard = heard ? { taken: ledger.framesTaken, given: ledger.framesGiven } : undefined
    if (!this.#look(observer)) {
      this.interval = LOOK_SLICE / LOOK_SHARE
      return
    }
    if (lens.state === 'none') this.#guess(observer)
    else this.#forgetGuesses()
    for (const frame of ledger.takeChanged())
      observer.heardOf(frame, (ledger.frame(frame)?.by.time ?? 0) / 1e6)
    if (colour !== this.#sent) this.#shades.forget()
    this.#sent = colour
    const { values, legend } = observer.shades(colour)
    const shades = this.#shades.take(values)
    const { space, reading, samples, map, time } = observer
    const { allocators, caches, tasks, troubles, counters = [] } = reading
    const running = runningWords(reading)
    const state: LensState = lens.state === 'ready' && !observer.ready ? { ...lens, state: 'waiting' } : lens
    const last = performance.now() - began
    const cost = this.#spent + last
    this.#spent = 0
    this.interval = Math.max(INTERVAL_MIN, Math.round(last / LOOK_SHARE))
    const view: AllocatorView = {
      ...{
        lens: state,
        colour,
        legend,
        space,
        allocators,
        caches,
        tasks,
        running,
        counters,
        troubles: [...troubles, ...this.#probeTroubles],
        samples: [...samples],
      },
      ...{ tables: map.tables, tablesLeftOut: map.incomplete, time, cost },
      stillMapped: { count: observer.stillMapped.length, frames: observer.stillMapped.slice(0, FAULTS_MAX) },
    }
    if (shades) view.shades = shades
    const said = this.#said(observer)
    if (said) view.said = said
    if (this.#guesses.length > 0)
      view.guesses = this.#guesses.map(({ kind, at, evidence }) => ({ kind, at, evidence }))
    // A machine at rest tells the same again and again.
    const told = JSON.stringify([
      state,
      colour,
      time,
      space,
      allocators,
      caches,
      tasks.length,
      running,
      counters,
      said?.allocations,
      said?.frees,
      said?.leaked,
      said?.uses.length,
      this.#guesses.length,
      observer.stillMapped,
    ])
    if (!shades && told === this.#last) return
    this.#last = told
    return view
  }

  /**
   * Goes on with a look for some milliseconds, so that a running guest is never held up for longer, nor the window. A machine at rest
   * is looked at in one go: that is what it shows while it rests.
   * @returns whether all of it is there
   */
  #look(observer: FrameObserver): boolean {
    if (this.machine.state !== 'running') this.#looking = undefined
    const began = performance.now()
    if (this.#looking?.of !== observer || began > this.#looking.until) {
      const atRest = this.machine.state === 'paused'
      const steps = observer.steps(true, (read) => this.machine.hold(read), atRest)
      this.#looking = { of: observer, steps, until: 0 }
    }
    this.#looking.until = began + LOOK_STALE
    while (!this.#looking.steps.next().done) {
      if (this.machine.state !== 'running' || performance.now() - began < LOOK_SLICE) continue
      this.#spent += performance.now() - began
      return false
    }
    this.#looking = undefined
    return true
  }

  /** Without a lens: goes on looking for what could be an allocator, a little at each look. */
  #guess({ memory, map }: FrameObserver) {
    if (performance.now() < this.#guessAgain || this.machine.state === 'disposed') return
    this.#guessing ??= guessing(memory, map)
    const end = performance.now() + GUESS_SLICE
    while (performance.now() < end) {
      const { done, value } = this.#guessing.next()
      if (!done) continue
      this.#guessing = undefined
      this.#guessAgain = performance.now() + GUESS_PAUSE
      // A running guest may be in the middle of something: what was found stays until something else is.
      if (value.length > 0 || this.machine.state !== 'running') this.#guesses = value
      return
    }
  }

  #forgetGuesses() {
    this.#guesses = []
    this.#guessing = undefined
    this.#guessAgain = 0
  }

  /** The lens that would read what was guessed, by its number in AllocatorView.guesses. */
  guessedLens(index: number): Lens | undefined {
    return this.#guesses[index]?.lens
  }

  /** What is known call by call. */
  #said(observer: FrameObserver): AllocatorView['said'] {
    const { ledger, port, probes, table } = this.events
    if (ledger.allocations + ledger.frees === 0) return undefined
    const { kernel } = observer
    const { memory } = this.machine
    const call = (of: Call) => namedCall(memory, of, kernel)
    const leaks = leakedFrames(memory, ledger, observer.reading, observer.map)
    // Probes know who called whom.
    const faults = probes.doubleFrees.length > 0 ? probes : port
    return {
      ...{
        source: ledger === port ? 'port' : 'probes',
        probes: (probes.probes ?? []).map((probe) => probe.function),
      },
      ...{ allocations: ledger.allocations, frees: ledger.frees, failed: probes.failed, lost: table.lost },
      leaked: leaks.length,
      leaks: leaks.slice(0, LEAKS_MAX).map(({ frame, why, by }) => ({ frame, why, by: call(by) })),
      doubleFrees: faults.doubleFrees.slice(-FAULTS_MAX).map(({ pool, address, again, before }) => ({
        ...{
          pool: faults.pools.get(pool) ?? pool.toString(16),
          address,
          again: call(again),
          before: call(before),
        },
        ...(pool === POOL_FRAMES ? { frame: Number(address >> 12n) } : {}),
      })),
      uses: probes.usesAfterFree.slice(-FAULTS_MAX).map((use) => ({
        ...{ frame: use.frame, address: use.address, linear: use.linear, write: use.write },
        by: call({ ...use, caller: use.code }),
        ...(use.freed ? { freed: call(use.freed) } : {}),
      })),
    }
  }

  /** The functions that the lens names are probed, as soon as the kernel is there and while somebody wants it. */
  armProbes() {
    if (!this.events.wantsProbes || performance.now() < this.#armAgain) return
    this.#armAgain = performance.now() + ARM_INTERVAL
    const { observer, lens } = this.#prepare()
    const { kernel } = observer
    const wanted = observer.linux ? LINUX_PROBES : (observer.lens?.probes ?? [])
    if (lens.state !== 'ready' || !kernel || wanted.length === 0) return this.events.probe([], undefined)
    const reader = new Reader(viewOfKernel(this.machine.memory), kernel)
    const direct = observer.linux ? LINUX_DIRECT_MAP : observer.lens?.directMap
    const probes = lensProbes(reader, wanted)
    if (observer.linux && this.#orc?.of !== observer.linux)
      this.#orc = { of: observer.linux, tables: Orc.read(reader.view, observer.linux) }
    const tables = observer.linux && this.#orc?.tables
    this.events.unwind = tables && ((caller, words, places) => tables.unwind(caller, words, places))
    this.events.probe(probes, direct === undefined ? undefined : reader.big(direct))
    // Of Linux it is known that not every kernel has all of them.
    this.#probeTroubles = observer.linux ? [] : reader.troubles
  }

  /** What is known of a frame; while nobody looks at the allocator, nothing is. */
  story(frame: number): FrameStory | undefined {
    const observer = this.#observer
    if (!this.wanted() || !observer) return undefined
    const story = observer.story(frame)
    const { ledger } = this.events
    const said = ledger.frame(frame)
    if (!said) return story
    // Where not every function is probed, what was heard last may be over.
    if (ledger.isPartial(POOL_FRAMES) && (said.what === 'freed') !== (story.use === 'free')) return story
    // What was heard as it happened is better than what a look found later.
    const { by, what } = said
    story.since = by.time / 1e6
    story.said = { what, cpu: by.cpu, bytes: by.bytes, retired: by.retired }
    const probed = this.events.probes.frame(frame)
    // The kernel speaks within the call that the probe sees.
    const same =
      probed && probed.what === what && Math.abs(probed.by.time - by.time) < SAME_CALL ? probed.by : by
    const { stack } = namedCall(
      this.machine.memory,
      { ...by, ...(same.stack ? { stack: same.stack } : {}) },
      observer.kernel,
    )
    const [caller, ...behind] = stack
    if (caller) story.caller = caller
    if (behind.length > 0) story.stack = behind
    return story
  }

  /** How an allocator keeps what is free, by its number in AllocatorView.allocators. */
  structure(index: number): AllocatorStructure | undefined {
    const observer = this.#observer
    if (!this.wanted() || !observer?.ready) return undefined
    const { kernel, lens, reading } = observer
    if (observer.linux || !kernel || !lens) return buddyBlocks(reading)
    const reader = new Reader(viewOfKernel(this.machine.memory), kernel)
    const active = (lens.allocators ?? []).filter(
      (each) => each.kind !== 'slab' && reader.holds(each.active) === true,
    )
    const wanted = active[index]
    return wanted && this.machine.hold(() => readStructure(reader, wanted, reading))
  }

  /** The address spaces that are live, as far as anybody knows. */
  roots(): Root[] {
    const { observer } = this.#prepare()
    if (!this.wanted()) observer.lookAtTasks((read) => this.machine.hold(read))
    return observer.roots()
  }

  slabs(cache: number): Slab[] {
    const { observer, lens } = this.#prepare()
    if (observer.linux) {
      let slabs: Slab[] = []
      this.machine.hold(() => {
        slabs = observer.linuxSlabs(cache, SLABS_MAX)
      })
      return slabs
    }
    const { kernel } = observer
    if (lens.state !== 'ready' || !kernel || !observer.lens) return []
    return readCacheSlabs(this.machine.memory, kernel, observer.lens, cache, SLABS_MAX)
  }

  /** The user does not want Linux to be looked for: not before another power-on. */
  stopLooking() {
    this.stop()
    this.#lookAgain = Number.POSITIVE_INFINITY
  }

  stop() {
    this.#search?.stop()
    this.#search = undefined
  }

  /** Another power-on: what was known is history. */
  reset() {
    this.stop()
    this.#linux = undefined
    this.#lookAgain = 0
    this.#pause = 2000
    this.#observer = undefined
    this.#looking = undefined
    this.#forgetGuesses()
    this.forget()
  }

  forget() {
    this.#shades.forget()
    this.#last = ''
  }

  /** The observer for the lens and the symbols there are now. */
  #prepare(): { observer: FrameObserver; lens: LensState } {
    const file = this.lens()
    const names = this.names()
    const lens = lensState(file, names)
    const kernel = lens.state === 'ready' ? (names?.kernel ?? BARE) : undefined
    const known = this.#observer
    if (!file) this.#lookForLinux()
    const linux = file ? undefined : this.#linux
    if (linux) {
      if (known?.linux !== linux)
        this.#observer = new FrameObserver(this.machine.memory, linux, undefined, linux)
      this.#madeOf = [undefined, undefined]
      return { observer: this.#observer!, lens: { file: 'built in', kernel: 'Linux', state: 'ready' } }
    }
    if (known && this.#madeOf[0] === kernel && this.#madeOf[1] === file)
      return { observer: known, lens: this.#missing(known, lens) }
    const observer = new FrameObserver(
      this.machine.memory,
      kernel,
      file && 'lens' in file ? file.lens : undefined,
    )
    this.#observer = observer
    this.#madeOf = [kernel, file]
    return { observer, lens: this.#missing(observer, lens) }
  }

  /** Linux needs no lens file. Looking for it goes through all of memory, so it is done seldom, and where it may succeed. */
  #lookForLinux() {
    const { memory } = this.machine
    if (this.#linux || performance.now() < this.#lookAgain) return
    // Where Linux's system calls go: a kernel in the top 2 GiB has set this up when its symbols are in place.
    if (memory.cpu64(0, L.CPU_LSTAR) < 0xffff_ffff_8000_0000n) return
    this.#pause = Math.min(60_000, this.#pause * 2)
    // Nobody looks twice at the same time.
    this.#lookAgain = Number.POSITIVE_INFINITY
    const search = this.searchLinux()
    this.#search = search
    const began = performance.now()
    void search.result
      .then((linux) => {
        if (this.#search !== search) return
        this.#linux = linux
        this.#lookAgain = performance.now() + this.#pause + 3 * (performance.now() - began)
        if (linux) this.found()
      })
      // A thread that was lost has found nothing, and another would be lost, too.
      .catch((error: unknown) => console.error(error))
  }

  /** A name for an address of a kernel that carries its symbols in itself. */
  label(address: bigint): string | undefined {
    return this.#linux?.label(address)
  }

  #missing(observer: FrameObserver, lens: LensState): LensState {
    if (lens.state !== 'ready') return lens
    const [first, ...more] = observer.missing
    if (first === undefined) return lens
    const others = more.length > 0 ? ` and ${more.length} more symbols` : ''
    return {
      ...lens,
      state: 'broken',
      problem: `it is for another kernel: this one has no ${first}${others}`,
    }
  }
}

/** By CPU, what runs there. */
function runningWords({ kernel, current, tasks }: LensReading): string[] {
  return current.map((id) => {
    const task = tasks.find((each) => each.id === id)
    if (kernel === 'Linux' && id === 0) return 'idle'
    return id === undefined ? '?' : `${task?.name ?? 'task'} (${id})`
  })
}

function lensState(file: LensFile | undefined, names: KernelState | undefined): LensState {
  if (!file) return { file: '', kernel: '', state: 'none' }
  if ('problem' in file) return { file: file.name, kernel: '', state: 'broken', problem: file.problem }
  const { kernel } = file.lens
  if (!needsSymbols(file.lens)) return { file: file.name, kernel, state: 'ready' }
  const broken = (problem: string): LensState => ({ file: file.name, kernel, state: 'broken', problem })
  if (!names) return broken('there is no file with the kernel’s symbols beside the image')
  if (names.state === 'unreadable') return broken(`${names.file} cannot be read: ${names.problem}`)
  if (names.state === 'mismatch') return broken(`${names.file} is not the kernel that runs`)
  return { file: file.name, kernel, state: names.state === 'match' ? 'ready' : 'waiting' }
}
