// What the guest's speaker is told to do, for those who want to hear or show it. Records of emulator/core/chipset/speaker.ts.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

/** Pulses of the timer a second. */
export const SPEAKER_CLOCK = 1_193_182

/** From `time` on (ns of machine time) the cone is out (1) or in (0), moves after `left` pulses of the timer (0: not by itself), and then
 *  stays out for `high` pulses and in for `low` by turns (both 0: it does not move again). */
export interface SpeakerChange {
  time: bigint
  high: number
  low: number
  left: number
  level: 0 | 1
}

/** Hertz of a tone; undefined for silence, single movements, and what no ear hears. */
export function toneOf(change: SpeakerChange | undefined): number | undefined {
  if (!change || change.high + change.low === 0) return
  const hertz = SPEAKER_CLOCK / (change.high + change.low)
  return hertz >= 16 && hertz <= 20_000 ? hertz : undefined
}

/** Reads the log of one machine from now on. */
export class SpeakerLog {
  #read: number

  constructor(private readonly memory: MachineMemory) {
    this.#read = this.#written
  }

  get #written(): number {
    return Atomics.load(this.memory.u32, L.SPEAKER_LOG >>> 2)
  }

  /** What the speaker was told last; undefined before the first time. */
  get last(): SpeakerChange | undefined {
    const written = this.#written
    return written === 0 ? undefined : this.#record(written - 1)
  }

  /** What is new, oldest first. Of more than the log holds the oldest are lost. */
  take(): SpeakerChange[] {
    const written = this.#written
    // A power-on begins again.
    if (written < this.#read) this.#read = 0
    const first = Math.max(this.#read, written - L.SPEAKER_COUNT + SLACK)
    this.#read = written
    return Array.from({ length: written - first }, (_, i) => this.#record(first + i))
  }

  /** Everything up to now is old. */
  skip() {
    this.#read = this.#written
  }

  #record(index: number): SpeakerChange {
    const { view } = this.memory
    const at = L.SPEAKER_RECORDS + (index % L.SPEAKER_COUNT) * L.SPEAKER_SIZE
    return {
      time: view.getBigUint64(at + L.SPEAKER_TIME, true),
      high: view.getUint32(at + L.SPEAKER_HIGH, true),
      low: view.getUint32(at + L.SPEAKER_LOW, true),
      left: view.getUint32(at + L.SPEAKER_LEFT, true),
      level: view.getUint32(at + L.SPEAKER_LEVEL, true) === 0 ? 0 : 1,
    }
  }
}

/** The guest goes on writing while the oldest records are read. */
const SLACK = 64
