// Linux 6.1 and its like: zones and their buddy lists, struct page, SLUB caches and tasks, by the kernel's own BTF and kallsyms.
import type { MachineMemory } from '../../../machine/memory'
import type { LensReading, Slab, SlabCache, TaskReading } from '../reading'
import { readCounters } from './counters'
import type { LinuxKernel } from './find-linux'
import { KernelReader } from './kernel-reader'
import { Pages } from './pages'
import { type Hold, Slub } from './slub'
import { frameDetail } from './story'
import { readCurrent, readTasks } from './tasks'
import { readZones } from './zones'

/** One look at a Linux kernel; which frame is what is the ground for what is asked later. */
export class LinuxLook {
  readonly #pages: Pages

  constructor(
    readonly memory: MachineMemory,
    readonly kernel: LinuxKernel,
  ) {
    this.#pages = new Pages(new KernelReader(memory, kernel))
  }

  /** Never throws for what is in the guest's memory: what could not be read is in `troubles`. */
  read(): LensReading {
    const steps = this.steps((read) => read())
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
    }
  }

  /**
   * The same in steps of a few milliseconds each, between which the guest may run: each list is right in itself then, of one moment, and
   * all of them together of the time the steps took.
   * @param hold makes the machine stand still: lists that are changed while they are followed end anywhere
   */
  *steps(hold: Hold): Generator<void, LensReading> {
    const linux = this.#pages.linux
    const { reader } = linux
    const slub = new Slub(linux, this.#pages)
    const caches = yield* slub.steps(hold)
    yield* this.#pages.steps()
    // What is free and whose address spaces there are belong together: who maps what is asked next, and a frame that has changed hands
    // in between would be free and mapped.
    const zones = hold(() => readZones(linux, this.#pages))
    const { tasks, current, counters } = hold(() => ({
      tasks: reader.attempt('init_task.tasks', () => readTasks(linux)) ?? [],
      current: readCurrent(linux),
      counters: readCounters(linux),
    }))
    slub.frames()
    return {
      ...{ kernel: 'Linux', frames: this.#pages.frames, allocators: [zones], caches, tasks },
      ...{ current, counters, troubles: reader.troubles },
    }
  }

  /** The slabs of a cache by its number in `LensReading.caches`, as many as there were at the look; their objects as they are now. */
  slabs(index: number, most: number): Slab[] {
    const linux = new KernelReader(this.memory, this.kernel)
    const slub = new Slub(linux, this.#pages)
    let i = 0
    const cache = linux.reader.attempt('slab_caches', () => {
      for (const each of slub.caches()) if (i++ === index) return each
      return undefined
    })
    return cache === undefined ? [] : slub.slabs(cache, most)
  }

  /** Whose a frame is: clauses. */
  detail(frame: number): string[] {
    const linux = new KernelReader(this.memory, this.kernel)
    return frameDetail(linux, this.#pages, new Slub(linux, this.#pages), frame)
  }
}

/** Only the processes and their address spaces: what is asked for while nobody looks at the rest. */
export function readLinuxTasks(memory: MachineMemory, kernel: LinuxKernel): TaskReading[] {
  const linux = new KernelReader(memory, kernel)
  return linux.reader.attempt('init_task.tasks', () => readTasks(linux)) ?? []
}

export function readLinux(memory: MachineMemory, kernel: LinuxKernel): LensReading {
  return new LinuxLook(memory, kernel).read()
}

/** One cache by the address of its struct kmem_cache. @throws Unreadable when there is none */
export function readLinuxCache(memory: MachineMemory, kernel: LinuxKernel, at: bigint): SlabCache {
  const linux = new KernelReader(memory, kernel)
  return new Slub(linux, new Pages(linux)).cache(at)
}
