// Finds a linked list of free pages: pages whose first word is the address of another such page, in one long chain, and a word
// elsewhere that holds the address of the first.
import { viewOfKernel } from '../lenses/guest-view'
import { pagingKind } from '../page-walk'
import { type Evidence, hex, linearOf } from './evidence'
import type { Guess } from './guess'

/** Pages in a chain that are no accident. */
const LEAST = 24
const NONE = -1

export function* guessFreeList(evidence: Evidence): Generator<void, Guess | undefined> {
  const { memory } = evidence
  const wide =
    memory.cpuCount > 0 && ['4-level', '5-level'].includes(pagingKind(viewOfKernel(memory).control))
  const widths = wide ? ([8] as const) : ([4, 8] as const)
  for (const width of widths) {
    const found = yield* chains(evidence, width)
    if (found) return found
  }
  return undefined
}

function* chains(evidence: Evidence, width: 4 | 8): Generator<void, Guess | undefined> {
  const { memory, written, used } = evidence
  const guest = viewOfKernel(memory)
  const { view, ram, frameCount } = memory
  const word = (physical: number): bigint =>
    width === 8 ? view.getBigUint64(ram + physical, true) : BigInt(view.getUint32(ram + physical, true))
  /** Where a word leads: the frame of a page, by the kernel's mapping. */
  const pages = new Map<bigint, number>()
  const leads = (value: bigint): number => {
    if (value === 0n || (value & 0xfffn) !== 0n) return NONE
    let frame = pages.get(value)
    if (frame === undefined) {
      const physical = guest.physical(value)
      frame =
        physical === undefined || physical % 4096 !== 0 || physical / 4096 >= frameCount
          ? NONE
          : physical / 4096
      pages.set(value, frame)
    }
    return frame
  }
  const next = new Int32Array(frameCount).fill(NONE)
  const before = new Int32Array(frameCount).fill(NONE)
  const shared = new Uint8Array(frameCount)
  for (const [n, frame] of written.entries()) {
    if (n % 64 === 0) yield
    if (used[frame]) continue
    const to = leads(word(frame * 4096))
    if (to === NONE || to === frame || used[to]) continue
    next[frame] = to
    if (before[to] !== NONE) shared[to] = 1
    before[to] = frame
  }
  // From each page that none leads to.
  let best: { head: number; length: number; last: number } | undefined
  for (const frame of written) {
    if (next[frame] === NONE || (before[frame] !== NONE && !shared[frame])) continue
    let length = 1
    let last = frame
    while (next[last] !== NONE && length <= frameCount) {
      last = next[last]!
      length++
    }
    if (length > (best?.length ?? LEAST - 1)) best = { head: frame, length, last }
  }
  if (!best || best.length > frameCount) return undefined
  const end = word(best.last * 4096)
  if (end !== 0n) return undefined
  // The head is kept somewhere: a word that is no page of the chain.
  const inside = new Uint8Array(frameCount)
  for (let frame = best.head, n = 0; frame !== NONE && n < best.length; n++, frame = next[frame]!)
    inside[frame] = 1
  for (const frame of written) {
    if (inside[frame]) continue
    yield
    for (let at = frame * 4096; at < (frame + 1) * 4096; at += width) {
      const value = word(at)
      if (value === 0n || leads(value) !== best.head) continue
      const linear = linearOf(evidence, at)
      if (linear === undefined) continue
      return {
        kind: 'free-list',
        at: linear,
        physical: at,
        evidence: [
          `${best.length} pages begin with the address of the next one, each of them led to once; the last one holds 0`,
          `the word at ${hex(linear)}h holds the address of the first, ${hex(value)}h`,
          'none of them is a page table, code, or mapped for programs',
        ],
        lens: {
          lens: 1,
          kernel: 'unknown kernel (guessed)',
          allocators: [
            {
              kind: 'raw-list',
              name: 'guessed free list',
              head: `0x${hex(linear)}`,
              next: 0,
              width,
              size: 4096,
            },
          ],
        },
      }
    }
  }
  return undefined
}
