// Without a lens: what in the guest's memory looks like a frame allocator. Never more than a guess, and it says what it is based on.
import type { MachineMemory } from '../../machine/memory'
import type { ReverseMap } from '../frames/reverse-map'
import type { Lens } from '../lenses/lens'
import { gatherEvidence } from './evidence'
import { guessBitmap } from './guess-bitmap'
import { guessBuddy } from './guess-buddy'
import { guessFreeList } from './guess-free-list'

export interface Guess {
  kind: 'bitmap' | 'free-list' | 'buddy'
  /** Linear and guest-physical address of what it begins with. */
  at: bigint
  physical: number
  /** What speaks for it, a sentence each. */
  evidence: string[]
  /** Reads it. Needs no symbols. */
  lens: Lens
}

/**
 * Goes through all memory that the guest has written, in steps of well under a millisecond.
 * @param map of the address spaces there are now
 */
export function* guessing(memory: MachineMemory, map: ReverseMap): Generator<void, Guess[]> {
  const evidence = gatherEvidence(memory, map)
  // Lists say more than bits: used memory with free memory behind it looks like many things.
  for (const each of [guessBuddy, guessFreeList, guessBitmap]) {
    const guess = yield* each(evidence)
    if (guess) return [guess]
  }
  return []
}

/** All of it at once. */
export function guessAllocators(memory: MachineMemory, map: ReverseMap): Guess[] {
  const steps = guessing(memory, map)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
