import type { Machine } from '@emulator/machine/api'
import type { FrameFlagsUpdate } from '../../preload/bridge'
import type { Source } from './source'

/** When more than this part of the frames changed, all of them are sent. */
const WORTH_A_DELTA = 1 / 8
/** Frames that are looked at within one display frame without being felt: larger memories are read less often. */
const FRAMES_PER_LOOK = 1 << 16

export class FrameFlagsSource implements Source<'frames'> {
  readonly part = 'frames'
  readonly interval: number
  #sent: Uint8Array | undefined
  #scratch: Uint8Array | undefined

  constructor(
    private readonly machine: Pick<Machine, 'frameFlags' | 'config'>,
    readonly wanted: () => boolean,
  ) {
    const frames = machine.config.memory / 4096
    this.interval = Math.max(33, Math.round((frames / FRAMES_PER_LOOK) * 33))
  }

  take(): FrameFlagsUpdate | undefined {
    const now = this.machine.frameFlags(this.#scratch)
    this.#scratch = now
    const sent = this.#sent
    if (sent === undefined || sent.length !== now.length) {
      this.#sent = now.slice()
      return { kind: 'all', flags: this.#sent }
    }
    if (Buffer.compare(sent, now) === 0) return
    const frames: number[] = []
    for (let frame = 0; frame < now.length; frame++) if (now[frame] !== sent[frame]) frames.push(frame)
    sent.set(now)
    if (frames.length > now.length * WORTH_A_DELTA) return { kind: 'all', flags: sent }
    return {
      kind: 'changed',
      frames: Uint32Array.from(frames),
      flags: Uint8Array.from(frames, (frame) => now[frame]!),
    }
  }

  forget() {
    this.#sent = undefined
  }
}
