// Finds a frame bitmap by what its bits say: a region of memory where the bits of frames that are surely used are all alike, and
// those of frames never touched are all the other.
import { type Evidence, hex, linearOf } from './evidence'
import type { Guess } from './guess'

/** Fewer frames of either kind than this prove nothing. */
const LEAST = 24
const SAMPLES = 48
/** Of the frames that say something, in parts of one. */
const AGREE = 0.985
/** Of all frames that were ever touched so many must be used: what says of most of them that they are free says little. */
const TOUCHED_USED = 0.5
/** From bit to bit something changes so often at least, or it begins with a page: one border looks like any other. */
const CHANGES = 6
/** So many frames have been touched and are free again: an allocator that never took anything back is not told from a border. */
const HOLES = 4
/** Of the first samples; by chance half of them miss. */
const MISSES = 4
/** Bits between bit 0's frame and frame 0 that are tried come by themselves: a bitmap of frames from n on lies n / 8 bytes later. */
const STEP = 4

interface Fit {
  /** Physical address of the bit of frame 0, if there is one; may lie before the region. */
  base: number
  used: 0 | 1
  agree: number
  asked: number
  /** Of several places that agree with what is sure: what was ever touched is likely to be used, and tables begin at round addresses. */
  score: number
}

export function* guessBitmap(evidence: Evidence): Generator<void, Guess | undefined> {
  const { memory, used, idle, usedCount, idleCount, written } = evidence
  if (usedCount < LEAST || idleCount < LEAST) return undefined
  const usedFrames = spread(used, usedCount)
  const idleFrames = spread(idle, idleCount)
  const { u8, ram, ramSize } = memory
  // One of each in turn: what is no bitmap fails at once.
  const probes: { byte: number; bit: number; used: boolean }[] = []
  for (let i = 0; i < SAMPLES; i++) {
    const each = (frame: number | undefined, is: boolean) => {
      if (frame !== undefined) probes.push({ byte: frame >> 3, bit: frame & 7, used: is })
    }
    each(usedFrames[i % usedFrames.length], true)
    each(idleFrames[i % idleFrames.length], false)
  }
  const isWritten = new Uint8Array(memory.frameCount)
  for (const frame of written) isWritten[frame] = 1
  const bytes = Math.ceil(memory.frameCount / 8)
  let best: Guess | undefined
  let score = 0
  // A bit of the first sample that is used lies in written memory: that bounds where frame 0's could be.
  const first = probes[0]!
  for (const frame of written) {
    yield
    for (let at = frame * 4096; at < (frame + 1) * 4096; at += STEP) {
      const base = at - (first.byte - (first.byte % STEP))
      if (base + bytes < 0 || base >= ramSize) continue
      for (const polarity of [1, 0] as const) {
        let misses = 0
        let outside = 0
        for (const { byte, bit, used: is } of probes) {
          const place = base + byte
          if (place < 0 || place >= ramSize) {
            if (++outside > SAMPLES / 2) break
            continue
          }
          const set = (u8[ram + place]! >> bit) & 1
          if ((set === polarity) !== is && ++misses > MISSES) break
        }
        if (misses > MISSES || outside > SAMPLES / 2) continue
        const fit = check(evidence, base, polarity, isWritten)
        if (!fit || fit.score <= score) continue
        // What no kernel could reach is none.
        const guess = tell(evidence, fit)
        if (!guess) continue
        best = guess
        score = fit.score
      }
    }
  }
  return best
}

/** All frames that say something. */
function check(
  { memory, used, idle }: Evidence,
  base: number,
  polarity: 0 | 1,
  isWritten: Uint8Array,
): Fit | undefined {
  const { u8, ram, ramSize, frameCount } = memory
  let asked = 0
  let agree = 0
  let foreign = 0
  let touched = 0
  let likely = 0
  let changes = 0
  let last = -1
  for (let frame = 256; frame < frameCount; frame++) {
    const place = base + (frame >> 3)
    if (place < 0 || place >= ramSize) continue
    const set = (u8[ram + place]! >> (frame & 7)) & 1
    if (set !== last) changes++
    last = set
    if (!idle[frame]) {
      touched++
      if (set === polarity) likely++
    }
    if (!used[frame] && !idle[frame]) continue
    asked++
    if (!isWritten[place >> 12]) foreign++
    if ((set === polarity) === (used[frame] === 1)) agree++
  }
  // Memory that was never written is all zeros, and says nothing.
  if (asked < 2 * LEAST || foreign > asked / 2 || agree < asked * AGREE || likely < touched * TOUCHED_USED)
    return undefined
  const round = base % 4096 === 0 ? 0.2 : base % 16 === 0 ? 0.1 : base % 8 === 0 ? 0.05 : 0
  if ((changes < CHANGES && round < 0.2) || touched - likely < HOLES) return undefined
  return { base, used: polarity, agree, asked, score: agree + likely + round * touched }
}

function tell(evidence: Evidence, { base, used, agree, asked }: Fit): Guess | undefined {
  const { memory, usedCount, idleCount } = evidence
  // Whole words, from the first that is in memory.
  const skip = base < 0 ? Math.ceil(-base / 8) * 8 : 0
  const at = base + skip
  const count = Math.min(memory.frameCount - skip * 8, (memory.ramSize - at) * 8)
  const linear = linearOf(evidence, at)
  if (linear === undefined || count < 64) return undefined
  return {
    kind: 'bitmap',
    at: linear,
    physical: at,
    evidence: [
      `${agree} of ${asked} frames that say something agree with the bits from ${hex(linear)}h on: ${usedCount} are page tables, code or mapped on purpose, ${idleCount} were never touched`,
      `a ${used === 1 ? 'set' : 'clear'} bit means used`,
    ],
    lens: {
      lens: 1,
      kernel: 'unknown kernel (guessed)',
      allocators: [
        {
          kind: 'bitmap',
          name: 'guessed bitmap',
          bits: `0x${hex(linear)}`,
          count,
          used,
          first: skip * 8,
          size: 4096,
        },
      ],
    },
  }
}

/** Some of the frames, from all over. */
function spread(which: Uint8Array, count: number): number[] {
  const found: number[] = []
  const step = Math.max(1, Math.floor(count / SAMPLES))
  let n = 0
  for (let frame = 0; frame < which.length; frame++) if (which[frame] && n++ % step === 0) found.push(frame)
  return found
}
