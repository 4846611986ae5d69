import * as L from '@emulator/core/layout'
import { leakedFrames } from '@emulator/insight/frames/leaks'
import type { Kernel } from '@emulator/insight/lenses/kernel'
import { type Colour, FrameObserver, type FrameStory } from '@emulator/insight/frames/frame-observer'
import type { LensFile } from '@emulator/insight/lenses/find-lens'
import { findLinux, type LinuxKernel } from '@emulator/insight/lenses/linux/find-linux'
import { readCacheSlabs } from '@emulator/insight/lenses/read-lens'
import type { LensReading, Slab } from '@emulator/insight/lenses/reading'
import type { Machine } from '@emulator/machine/api'
import type { AllocatorView, LensState } from '../../preload/bridge'
import { ByteColumn } from './byte-column'
import type { EventWatch } from './event-watch'
import type { Source } from './source'

/** What the guest's symbols are good for at the moment. */
export interface KernelState {
  /** Absent when the file cannot be read. */
  kernel?: Kernel
  file: string
  state: 'match' | 'mismatch' | 'waiting' | 'unreadable'
  problem?: string
}

/** Looks take at most this part of the time. */
const SHARE = 1 / 12
const INTERVAL_MIN = 100
const SLABS_MAX = 400
const LEAKS_MAX = 200
const DOUBLE_FREES_MAX = 20

export class AllocatorSource implements Source<'allocator'> {
  readonly part = 'allocator'
  interval = INTERVAL_MIN
  #observer: FrameObserver | undefined
  #madeOf: [Kernel | undefined, LensFile | undefined] = [undefined, undefined]
  readonly #shades = new ByteColumn()
  #sent: Colour | undefined
  #linux: LinuxKernel | undefined
  /** When to look for it again, and how long to wait after that, ms. */
  #lookAgain = 0
  #pause = 2000
  #last = ''

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
  ) {}

  wanted() {
    return this.colour() !== false
  }

  take(): AllocatorView | undefined {
    const colour = this.colour()
    if (colour === false) return
    const began = performance.now()
    const { observer, lens } = this.#prepare()
    observer.look(true, (read) => this.machine.hold(read))
    if (colour !== this.#sent) this.#shades.forget()
    this.#sent = colour
    const { values, legend } = observer.shades(colour)
    const shades = this.#shades.take(values)
    const { space, reading, samples, map, time } = observer
    const { allocators, caches, tasks, troubles, counters = [] } = reading
    const running = runningWords(reading)
    const state: LensState = lens.state === 'ready' && !observer.ready ? { ...lens, state: 'waiting' } : lens
    const cost = performance.now() - began
    this.interval = Math.max(INTERVAL_MIN, Math.round(cost / SHARE))
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
        troubles: [...troubles],
        samples: [...samples],
      },
      ...{ tables: map.tables, tablesLeftOut: map.incomplete, time, cost },
    }
    if (shades) view.shades = shades
    const said = this.#said(observer)
    if (said) view.said = said
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
    ])
    if (!shades && told === this.#last) return
    this.#last = told
    return view
  }

  /** What the kernel says by the debug port. */
  #said(observer: FrameObserver): AllocatorView['said'] {
    this.events.take()
    const { ledger, table } = this.events
    if (ledger.allocations + ledger.frees === 0) return undefined
    const label = (address: bigint) =>
      address === 0n ? '' : (observer.kernel?.label(address) ?? address.toString(16).toUpperCase())
    return {
      ...{ allocations: ledger.allocations, frees: ledger.frees, lost: table.lost },
      leaks: leakedFrames(this.machine.memory, ledger).slice(0, LEAKS_MAX),
      doubleFrees: ledger.doubleFrees.slice(-DOUBLE_FREES_MAX).map(({ pool, address, again, before }) => ({
        ...{ pool: ledger.pools.get(pool) ?? pool.toString(16), address, time: again.time / 1e6 },
        ...{ by: label(again.caller), before: label(before.caller) },
      })),
    }
  }

  /** What is known of a frame; while nobody looks at the allocator, nothing is. */
  story(frame: number): FrameStory | undefined {
    const observer = this.#observer
    if (!this.wanted() || !observer) return undefined
    const story = observer.story(frame)
    const said = this.events.ledger.frame(frame)
    if (!said) return story
    // What the kernel said as it happened is better than what a look found later.
    const { by, what } = said
    story.since = by.time / 1e6
    story.said = { what, cpu: by.cpu, bytes: by.bytes }
    if (by.caller !== 0n)
      story.caller = { address: by.caller, label: observer.kernel?.label(by.caller) ?? '' }
    return story
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

  /** Another power-on: what was known is history. */
  reset() {
    this.#linux = undefined
    this.#lookAgain = 0
    this.#pause = 2000
    this.#observer = undefined
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
    const kernel = lens.state === 'ready' ? names?.kernel : undefined
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
    const began = performance.now()
    this.#linux = findLinux(memory)
    this.#pause = Math.min(60_000, this.#pause * 2)
    this.#lookAgain = performance.now() + this.#pause + 10 * (performance.now() - began)
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
  const broken = (problem: string): LensState => ({ file: file.name, kernel, state: 'broken', problem })
  if (!names) return broken('there is no file with the kernel’s symbols beside the image')
  if (names.state === 'unreadable') return broken(`${names.file} cannot be read: ${names.problem}`)
  if (names.state === 'mismatch') return broken(`${names.file} is not the kernel that runs`)
  return { file: file.name, kernel, state: names.state === 'match' ? 'ready' : 'waiting' }
}
