// Frames that look leaked: allocated while somebody listened, not given back, and never touched since or left by a task that is gone.
import * as L from '../../core/layout'
import type { MachineMemory } from '../../machine/memory'
import { type Allocation, type AllocationLedger, POOL_FRAMES } from '../events/allocation-ledger'
import type { LensReading } from '../lenses/reading'
import type { ReverseMap } from './reverse-map'

/** Younger than this, a frame may still be on its way to its use. ns */
const YOUNG = 2e9
/** What FRAME_STAMP counts. ns */
const STAMP = 2 ** 20

export interface Leak {
  frame: number
  why: 'never touched' | 'owner gone'
  by: Allocation
}

/**
 * Suspicions, not proofs. Never touched: an access by a translation that was made before the allocation leaves no mark. Owner
 * gone: by the kernel's own note it was allocated for a task that is no more, and nothing maps it for a program.
 */
export function leakedFrames(
  memory: MachineMemory,
  ledger: AllocationLedger,
  reading?: LensReading,
  map?: ReverseMap,
): Leak[] {
  const now = Number(memory.header64(L.HDR_CLOCK_NOW))
  const leaked: Leak[] = []
  if (ledger.isPartial(POOL_FRAMES)) return leaked
  const owners = reading && reading.tasks.length > 0 ? reading.frames.owner : undefined
  const alive = new Set(reading?.tasks.map(({ id }) => id))
  for (const [frame, { what, by }] of ledger.frames()) {
    if (
      what !== 'allocated' ||
      now - by.time < YOUNG ||
      by.time <= ledger.gapTime ||
      frame >= memory.frameCount
    )
      continue
    const stamp = memory.u32[(memory.frames + frame * L.FRAME_SIZE + L.FRAME_STAMP) >>> 2]!
    if ((stamp + 1) * STAMP < by.time) leaked.push({ frame, why: 'never touched', by })
    else if (
      owners &&
      map &&
      gone(owners[frame]!, alive) &&
      reading &&
      isPrivate(reading, frame) &&
      !mappedForUser(map, frame)
    )
      leaked.push({ frame, why: 'owner gone', by })
  }
  return leaked
}

const gone = (owner: number, alive: ReadonlySet<number>) => owner !== 0 && !alive.has(owner)

/** What the kernel calls a program's own: caches and buffers outlive who filled them. */
function isPrivate({ frames }: LensReading, frame: number): boolean {
  const use = frames.uses[frames.use[frame]!]
  return use?.kind === 'used' && /user|stack|page table/.test(use.name)
}

const mappedForUser = (map: ReverseMap, frame: number) =>
  (map.levels[frame] ?? 0) > 0 || map.mappings(frame, 16).some(({ user }) => user)
