// One look at a kernel's memory through a lens.
import type { MachineMemory } from '../../machine/memory'
import { readBitmap, readBuddy, readFreeList, readRawBuddy, readRawList, readStack } from './allocators'
import { evaluate, numberOf } from './evaluate'
import { frameTable, readFrameTable } from './frame-table'
import { freeSpace } from './free-space'
import { viewOfKernel } from './guest-view'
import type { Kernel } from './kernel'
import { type Lens, parsed, type SlabLens } from './lens'
import { Reader } from './reader'
import { type AllocatorReading, emptyColumns, type LensReading, type Slab, type SlabCache } from './reading'
import { readSlabCaches, readSlabs } from './slabs'
import { readCurrent, readTasks } from './tasks'

/** Symbols that the lens wants and this kernel does not have: then it is not for this kernel. */
export const missingSymbols = (lens: Lens, kernel: Kernel): string[] =>
  (lens.match?.symbols ?? []).filter((name) => kernel.address(name) === undefined)

/**
 * Never throws for what is in the guest's memory: what could not be read is in `troubles`.
 * While the guest runs, what is read is a moment's view of a moving thing.
 */
export function readLens(memory: MachineMemory, kernel: Kernel, lens: Lens): LensReading {
  const reader = new Reader(viewOfKernel(memory), kernel)
  const frames = emptyColumns(memory.frameCount)
  let told = lens.frames !== undefined && readFrameTable(reader, lens.frames, frames)
  if (!lens.frames?.use) told = false
  const allocators: AllocatorReading[] = []
  const caches: SlabCache[] = []
  for (const allocator of lens.allocators ?? []) {
    if (reader.holds(allocator.active) !== true) continue
    switch (allocator.kind) {
      case 'bitmap':
        allocators.push(readBitmap(reader, allocator, frames, told))
        break
      case 'buddy':
        allocators.push(readBuddy(reader, allocator, frames, told))
        break
      case 'free-list':
        allocators.push(readFreeList(reader, allocator, frames, told))
        break
      case 'stack':
        allocators.push(readStack(reader, allocator, frames, told))
        break
      case 'raw-list':
        allocators.push(readRawList(reader, allocator, frames, told))
        break
      case 'raw-buddy':
        allocators.push(readRawBuddy(reader, allocator, frames, told))
        break
      case 'slab':
        caches.push(...readSlabCaches(reader, allocator, frames, caches.length))
    }
  }
  // Where no allocator keeps free blocks by order, the order is that of the blocks they make.
  if (!allocators.some(({ kind, blocks }) => kind === 'buddy' && blocks)) freeSpace(frames, frames.order)
  const tasks = lens.tasks ? readTasks(reader, lens.tasks) : []
  const current = readCurrent(reader, lens)
  return { kernel: lens.kernel, frames, allocators, caches, tasks, current, troubles: reader.troubles }
}

/** The slabs of a cache, by its number in `LensReading.caches`. */
export function readCacheSlabs(
  memory: MachineMemory,
  kernel: Kernel,
  lens: Lens,
  cache: number,
  most: number,
): Slab[] {
  const reader = new Reader(viewOfKernel(memory), kernel)
  const slabLenses = (lens.allocators ?? []).filter((each): each is SlabLens => each.kind === 'slab')
  let first = 0
  for (const each of slabLenses) {
    if (slabLenses.length === 1) return readSlabs(reader, each, cache, most)
    const count = readSlabCaches(reader, each, emptyColumns(0), 0).length
    if (cache < first + count) return readSlabs(reader, each, cache - first, most)
    first += count
  }
  return []
}

/** Who asked for a frame last, by the kernel's own note: a return address. */
export function frameCaller(
  memory: MachineMemory,
  kernel: Kernel,
  lens: Lens,
  frame: number,
): bigint | undefined {
  const of = lens.frames
  if (!of?.caller) return undefined
  const reader = new Reader(viewOfKernel(memory), kernel)
  const table = frameTable(reader, of, memory.frameCount)
  const index = table ? Math.floor(frame / table.each) - table.firstFrame : -1
  if (!table || index < 0 || index >= table.entries) return undefined
  const entry = { shape: table.shape, at: table.first.at + BigInt(index * table.stride) }
  const scope = reader.scope(entry)
  const { value, add } = of.caller
  const noted = reader.attempt(String(value), () => numberOf(evaluate(parsed(value), scope), scope))
  if (noted === undefined || noted === 0n) return undefined
  return BigInt.asUintN(64, noted + (add === undefined ? 0n : (reader.big(add) ?? 0n)))
}
