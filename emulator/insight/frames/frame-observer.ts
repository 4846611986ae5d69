// All that is known about physical frames, look by look: what a lens tells, what the hardware has noted, where they are mapped,
// and since when they are what they are. One observer belongs to one machine, from power-on to power-on.
import * as L from '../../core/layout'
import type { MachineMemory } from '../../machine/memory'
import { type FreeSpace, freeSpace } from '../lenses/free-space'
import { bareKernel, type Kernel } from '../lenses/kernel'
import type { Lens } from '../lenses/lens'
import { frameCaller, missingSymbols, readLens } from '../lenses/read-lens'
import { emptyColumns, type LensReading, ORDER_NONE, type Slab, USE_UNKNOWN } from '../lenses/reading'
import type { LinuxKernel } from '../lenses/linux/find-linux'
import { LinuxLook, readLinuxTasks } from '../lenses/linux/read-linux'
import type { Hold } from '../lenses/linux/slub'
import { type PagingControl, pagingControl, pagingKind } from '../page-walk'
import { StillMapped } from './still-mapped'
import { type Mapping, OWNER_SEVERAL, ReverseMap, type Root } from './reverse-map'

/** What cells can be coloured by. */
export const COLOURS = ['state', 'order', 'owner', 'age', 'heat', 'mapped'] as const
export type Colour = (typeof COLOURS)[number]

/** A shade is an index into the legend. */
export interface LegendEntry {
  name: string
  /** `scale`: a step of an ordered scale, darkest first. */
  kind: 'unknown' | 'free' | 'reserved' | 'used' | 'scale'
  frames: number
}

export interface Shades {
  colour: Colour
  /** One per frame. */
  values: Uint8Array
  legend: LegendEntry[]
}

/** A moment of the allocators' history. */
export interface Sample {
  /** Machine time, ms. */
  time: number
  free: number
  fragmentation: number
  /** Frames that were taken and given back since the sample before, as far as looks from time to time can tell. */
  taken: number
  given: number
}

export interface FrameStory {
  frame: number
  /** What the lens calls its use; empty without a lens. */
  use: string
  order?: number
  /** The block it lies in: its first frame. */
  block?: number
  owner?: { id: number; name: string }
  cache?: string
  /** What a kernel tells more of whose it is: clauses. */
  detail?: string[]
  /** As the kernel counts. */
  references?: number
  /** Who asked for it last, by the kernel's own note. */
  caller?: { address: bigint; label: string }
  /** Its last allocation or free, as the kernel reports it by the debug port or a probe has seen it; then `since` and `caller` are exact. */
  said?: { what: 'allocated' | 'freed'; cpu: number; bytes: number; retired: number }
  /** Behind the caller, the innermost first, where a probe followed the frame pointers. */
  stack?: { address: bigint; label: string }[]
  /** Machine time, ms, at which a look found it to be what it is; undefined: since before the first look. */
  since?: number
  mapped: number
  mappings: Mapping[]
  /** Level of the page table it is, 0: none. */
  table: number
}

const SAMPLES_MAX = 600
/** Address spaces that were seen in a CR3 and are not there now. */
const SEEN_MAX = 64
/** Steps of the scales of age and heat: each is twice as long ago as the one before. */
const AGES = ['1 ms', '4 ms', '16 ms', '64 ms', '¼ s', '1 s', '4 s', '16 s', '1 min', '5 min'] as const
const AGE_LIMITS = [1, 4, 16, 64, 256, 1000, 4000, 16_000, 60_000, 300_000]
const OWNERS_MAX = 60
const EMPTY_LENS: Lens = { lens: 1, kernel: '' }

export class FrameObserver {
  readonly map: ReverseMap
  reading: LensReading
  space: FreeSpace
  readonly samples: Sample[] = []
  /** Machine time of the last look, ms. */
  time = 0
  /** Frames taken and given back ever, where each call is heard of; better than what looks find. */
  heard: { taken: number; given: number } | undefined
  #heardBefore: { taken: number; given: number } | undefined
  /** Machine time at which each frame became what it is, ms; -1: before the first look. */
  readonly #since: Float32Array
  #before: Uint8Array | undefined
  #linuxLook: LinuxLook | undefined
  readonly #seen = new Map<bigint, PagingControl>()
  readonly #noKernel = bareKernel()
  readonly #stillMapped: StillMapped
  /** Frames that are free, and still mapped by a program. */
  stillMapped: readonly number[] = []

  constructor(
    readonly memory: MachineMemory,
    readonly kernel?: Kernel,
    readonly lens?: Lens,
    /** A kernel that needs no lens file. */
    readonly linux?: LinuxKernel,
  ) {
    this.map = new ReverseMap(memory)
    this.#stillMapped = new StillMapped(memory.frameCount)
    this.#since = new Float32Array(memory.frameCount).fill(-1)
    const frames = emptyColumns(memory.frameCount)
    this.reading = { kernel: '', frames, allocators: [], caches: [], tasks: [], current: [], troubles: [] }
    this.space = freeSpace(frames)
  }

  /** Symbols that the lens wants and the kernel lacks. */
  get missing(): string[] {
    return this.kernel && this.lens ? missingSymbols(this.lens, this.kernel) : []
  }

  /** The lens has something to say: the kernel has set up what it points at. */
  get ready(): boolean {
    return this.space.free + this.space.used > 0
  }

  /**
   * @param mappings whether to follow the page tables too
   * @param hold makes the machine stand still meanwhile: lists that are changed while they are followed end anywhere
   * @param atRest the machine stands still anyway
   */
  look(mappings = true, hold: Hold = (read) => read(), atRest = false) {
    const steps = this.steps(mappings, hold, atRest)
    while (!steps.next().done);
  }

  /** A look in steps of some milliseconds, between which the guest may run; until the last, all is as it was found before. */
  *steps(mappings = true, hold: Hold = (read) => read(), atRest = false): Generator<void> {
    const { memory } = this
    const usable = this.kernel && this.lens && this.missing.length === 0
    if (this.linux) {
      const look = new LinuxLook(memory, this.linux)
      const reading = yield* look.steps(hold)
      this.#linuxLook = look
      this.reading = reading
    } else
      this.reading = hold(() =>
        readLens(memory, usable ? this.kernel! : this.#noKernel, usable ? this.lens! : EMPTY_LENS),
      )
    this.time = Number(memory.header64(L.HDR_CLOCK_NOW)) / 1e6
    this.space = freeSpace(this.reading.frames)
    if (mappings) this.map.update(this.roots())
    // Linux does not note whose a page is; its address spaces tell.
    if (mappings && this.linux) this.reading.frames.owner = this.map.owners()
    if (mappings && this.ready) {
      const { frames } = this.reading
      const mapped = (this.linux && frames.owner) || this.map.userMapped()
      this.stillMapped = this.#stillMapped.look(frames, mapped, atRest)
    }
    this.#notice()
  }

  /** Only what `roots` needs. */
  lookAtTasks(hold: Hold = (read) => read()) {
    const { linux } = this
    if (!linux) return this.look(false, hold)
    this.reading = { ...this.reading, tasks: hold(() => readLinuxTasks(this.memory, linux)) }
  }

  /** What has changed since the last look. */
  #notice() {
    const { use, uses } = this.reading.frames
    const before = this.#before
    const free = uses.map(({ kind }) => kind === 'free')
    let taken = 0
    let given = 0
    if (before && this.ready) {
      for (let frame = 0; frame < use.length; frame++) {
        const now = use[frame]!
        const was = before[frame]!
        if (now === was) continue
        // The first look at a kernel that has just set up its table says nothing about when.
        if (was !== USE_UNKNOWN) this.#since[frame] = this.time
        if (free[was] && !free[now]) taken++
        else if (free[now] && was !== USE_UNKNOWN && !free[was]) given++
      }
    }
    this.#before = this.ready ? use : undefined
    const { heard } = this
    if (heard) {
      taken = heard.taken - (this.#heardBefore?.taken ?? heard.taken)
      given = heard.given - (this.#heardBefore?.given ?? heard.given)
    }
    this.#heardBefore = heard
    const last = this.samples.at(-1)
    if (!this.ready || last?.time === this.time) return
    this.samples.push({
      time: this.time,
      free: this.space.free,
      fragmentation: this.space.fragmentation,
      taken,
      given,
    })
    if (this.samples.length > SAMPLES_MAX) this.samples.shift()
  }

  /** A frame became what it is at a time that was heard, ms. */
  heardOf(frame: number, time: number) {
    if (frame < this.#since.length) this.#since[frame] = time
  }

  /** The address spaces that are live: of each CPU, of the tasks that the lens knows, and without it those seen before. */
  roots(): Root[] {
    const { memory } = this
    const roots = new Map<bigint, Root>()
    const add = (control: PagingControl, name: string, task?: number) => {
      const key = control.cr3 & 0xf_ffff_ffff_f000n
      const known = roots.get(key)
      if (!known) roots.set(key, task === undefined ? { control, name } : { control, name, task })
    }
    let model: PagingControl | undefined
    const { tasks, current } = this.reading
    for (const { id, name, addressSpace } of tasks) {
      model ??= this.#paged()
      if (addressSpace !== undefined && addressSpace > 0 && model)
        add({ ...model, cr3: BigInt(addressSpace) }, `${name} (${id})`, id)
    }
    for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
      const control = pagingControl(memory, cpu)
      if (pagingKind(control) === 'none') continue
      const task = tasks.find(({ id }) => id === current[cpu])
      add(control, task && task.addressSpace === undefined ? 'the kernel' : `CPU ${cpu}`)
      if (tasks.length > 0) continue
      this.#seen.delete(control.cr3)
      this.#seen.set(control.cr3, control)
      if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value!)
    }
    if (tasks.length === 0) {
      const now = [...roots.values()][0]?.control
      for (const control of this.#seen.values()) {
        // One that is gone has other things in its memory: kernels keep the same upper half everywhere.
        if (now && sameUpperHalf(memory, now, control))
          add(control, `CR3 ${control.cr3.toString(16).toUpperCase()}`)
      }
    }
    return [...roots.values()]
  }

  #paged(): PagingControl | undefined {
    for (let cpu = 0; cpu < this.memory.cpuCount; cpu++) {
      const control = pagingControl(this.memory, cpu)
      if (pagingKind(control) !== 'none') return control
    }
    return undefined
  }

  shades(colour: Colour): Shades {
    const { frames, tasks } = this.reading
    const { count, use, uses, order, owner } = frames
    const values = new Uint8Array(count)
    switch (colour) {
      case 'state':
        if (!this.ready) return this.#hardware(values)
        values.set(use)
        return counted(
          colour,
          values,
          uses.map(({ name, kind }) => ({ name, kind, frames: 0 })),
        )
      case 'order': {
        const legend: LegendEntry[] = [{ name: 'no order', kind: 'unknown', frames: 0 }]
        for (let n = 0; n <= 10; n++)
          legend.push({ name: n === 10 ? '10 and more' : String(n), kind: 'scale', frames: 0 })
        for (let frame = 0; frame < count; frame++)
          values[frame] = order[frame] === ORDER_NONE ? 0 : 1 + Math.min(10, order[frame]!)
        return counted(colour, values, legend)
      }
      case 'owner': {
        const legend: LegendEntry[] = [{ name: 'nobody', kind: 'unknown', frames: 0 }]
        legend.push(
          { name: 'free', kind: 'free', frames: 0 },
          { name: 'others', kind: 'reserved', frames: 0 },
        )
        const shade = new Map<number, number>()
        const kinds = uses.map(({ kind }) => kind)
        for (let frame = 0; frame < count; frame++) {
          const kind = kinds[use[frame]!]
          if (kind === 'free') values[frame] = 1
          if (kind !== 'used' || !owner) continue
          const id = owner[frame]!
          let index = shade.get(id)
          if (index === undefined) {
            const name = tasks.find((task) => task.id === id)?.name
            const told =
              id === OWNER_SEVERAL
                ? 'several tasks'
                : id === 0
                  ? 'kernel (0)'
                  : name === undefined
                    ? `${id}, ended`
                    : `${name} (${id})`
            index = shade.size < OWNERS_MAX ? legend.push({ name: told, kind: 'used', frames: 0 }) - 1 : 2
            shade.set(id, index)
          }
          values[frame] = index
        }
        return counted(colour, values, legend)
      }
      case 'age':
        return this.#since.some((since) => since >= 0)
          ? aged(colour, this.#since, this.time, (since) => since)
          : counted(colour, values, [{ name: 'since before the first look', kind: 'unknown', frames: 0 }])
      case 'heat': {
        const { u32 } = this.memory
        const first = this.memory.frames + L.FRAME_STAMP
        const stamps = new Float32Array(count)
        for (let frame = 0; frame < count; frame++) stamps[frame] = u32[(first + frame * L.FRAME_SIZE) >>> 2]!
        // The stamp counts 2^20 ns; 0 is never.
        return aged(colour, stamps, this.time, (stamp) => (stamp === 0 ? -1 : (stamp * 2 ** 20) / 1e6))
      }
      case 'mapped': {
        const steps = ['1', '2', '3', '4', '5-8', '9-16', '17-64', 'more']
        const legend: LegendEntry[] = [{ name: 'not mapped', kind: 'free', frames: 0 }]
        for (const name of steps) legend.push({ name, kind: 'scale', frames: 0 })
        const { counts } = this.map
        for (let frame = 0; frame < count; frame++) {
          const n = counts[frame]!
          values[frame] = n <= 4 ? n : n <= 8 ? 5 : n <= 16 ? 6 : n <= 64 ? 7 : 8
        }
        return counted(colour, values, legend)
      }
    }
  }

  /** Without a lens: what the hardware knows of each frame. */
  #hardware(values: Uint8Array): Shades {
    const { u32 } = this.memory
    const first = this.memory.frames + L.FRAME_FLAGS
    for (let frame = 0; frame < values.length; frame++) {
      const flags = u32[(first + frame * L.FRAME_SIZE) >>> 2]!
      values[frame] =
        flags & L.FRAME_PAGE_TABLE
          ? 4
          : flags & L.FRAME_EXECUTED
            ? 3
            : flags & L.FRAME_WRITTEN
              ? 2
              : flags & L.FRAME_TOUCHED
                ? 1
                : 0
    }
    return counted('state', values, [
      { name: 'never touched', kind: 'free', frames: 0 },
      ...['read', 'written', 'executed', 'page table'].map((name) => ({
        name,
        kind: 'used' as const,
        frames: 0,
      })),
    ])
  }

  /** The slabs of a Linux kernel's cache, by its number. */
  linuxSlabs(cache: number, most: number): Slab[] {
    return this.#linuxLook?.slabs(cache, most) ?? []
  }

  story(frame: number): FrameStory {
    const { use, uses, order, owner, references, cache } = this.reading.frames
    const { tasks, caches } = this.reading
    const told = uses[use[frame] ?? USE_UNKNOWN]!
    const story: FrameStory = {
      ...{ frame, use: told.kind === 'unknown' ? '' : told.name },
      mapped: this.map.counts[frame] ?? 0,
      mappings: this.map.mappings(frame, 16),
      table: this.map.levels[frame] ?? 0,
    }
    const known = order[frame]
    if (known !== undefined && known !== ORDER_NONE) {
      story.order = known
      story.block = frame - (frame % 2 ** known)
    }
    const inside = caches[(cache[frame] ?? 0) - 1]
    if (inside) story.cache = inside.name
    if (references) story.references = references[frame]!
    if (owner && told.kind === 'used' && owner[frame] !== OWNER_SEVERAL) {
      const id = owner[frame]!
      // What no task of Linux maps is the kernel's; its task 0 only waits.
      const known = this.linux && id === 0 ? undefined : tasks.find((task) => task.id === id)
      story.owner = { id, name: known?.name ?? '' }
    }
    const detail = this.#linuxLook?.detail(frame) ?? []
    if (detail.length > 0) story.detail = detail
    const since = this.#since[frame]
    if (since !== undefined && since >= 0) story.since = since
    if (this.kernel && this.lens && story.use !== '' && this.missing.length === 0) {
      const address = frameCaller(this.memory, this.kernel, this.lens, frame)
      if (address !== undefined) story.caller = { address, label: this.kernel.label(address) ?? '' }
    }
    return story
  }
}

function counted(colour: Colour, values: Uint8Array, legend: LegendEntry[]): Shades {
  const counts = new Uint32Array(256)
  for (const value of values) counts[value]!++
  return { colour, values, legend: legend.map((entry, i) => ({ ...entry, frames: counts[i]! })) }
}

/** Shades by how long ago something was, the most recent brightest. @param at ms, negative: never */
function aged(colour: Colour, times: Float32Array, now: number, at: (time: number) => number): Shades {
  const values = new Uint8Array(times.length)
  for (let frame = 0; frame < times.length; frame++) {
    const time = at(times[frame]!)
    if (time < 0) continue
    const ago = now - time
    let step = 0
    while (step < AGE_LIMITS.length && ago >= AGE_LIMITS[step]!) step++
    values[frame] = 1 + AGE_LIMITS.length - step
  }
  const legend: LegendEntry[] = [
    { name: colour === 'heat' ? 'never' : 'before the first look', kind: 'unknown', frames: 0 },
  ]
  legend.push({ name: 'longer ago', kind: 'scale', frames: 0 })
  for (const name of [...AGES].reverse()) legend.push({ name: `within ${name}`, kind: 'scale', frames: 0 })
  return counted(colour, values, legend)
}

function sameUpperHalf(memory: MachineMemory, a: PagingControl, b: PagingControl): boolean {
  if (a.cr3 === b.cr3) return true
  const wide = pagingKind(a) === '4-level' || pagingKind(a) === '5-level'
  if (!wide || pagingKind(b) !== pagingKind(a)) return false
  const half = ({ cr3 }: PagingControl) => {
    const at = memory.physicalPointer(Number(cr3 & 0xf_ffff_ffff_f000n))
    return at === undefined ? undefined : memory.u32.subarray((at + 2048) >>> 2, (at + 4096) >>> 2)
  }
  const first = half(a)
  const second = half(b)
  // Accessed and dirty bits differ without meaning anything.
  return (
    first !== undefined &&
    second !== undefined &&
    first.every((word, i) => ((word ^ second[i]!) & ~0x60) === 0)
  )
}
