// Frames that look leaked: allocated while somebody listened, not given back, and never touched since.
import * as L from '../../core/layout'
import type { MachineMemory } from '../../machine/memory'
import type { AllocationLedger } from '../events/allocation-ledger'

/** Younger than this, a frame may still be on its way to its use. ns */
const YOUNG = 2e9
/** What FRAME_STAMP counts. ns */
const STAMP = 2 ** 20

/** A suspicion, not a proof: an access by a translation that was made before the allocation leaves no mark. */
export function leakedFrames(memory: MachineMemory, ledger: AllocationLedger): number[] {
  const now = Number(memory.header64(L.HDR_CLOCK_NOW))
  const leaked: number[] = []
  for (const [frame, { what, by }] of ledger.frames()) {
    if (what !== 'allocated' || now - by.time < YOUNG || frame >= memory.frameCount) continue
    const stamp = memory.u32[(memory.frames + frame * L.FRAME_SIZE + L.FRAME_STAMP) >>> 2]!
    if ((stamp + 1) * STAMP < by.time) leaked.push(frame)
  }
  return leaked
}
