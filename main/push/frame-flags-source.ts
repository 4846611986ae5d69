import type { Machine } from '@emulator/machine/api'
import type { FrameFlagsUpdate } from '../../preload/bridge'
import { ByteColumn } from './byte-column'
import type { Source } from './source'

/** Frames that are looked at within one display frame without being felt: larger memories are read less often. */
const FRAMES_PER_LOOK = 1 << 16

export class FrameFlagsSource implements Source<'frames'> {
  readonly part = 'frames'
  readonly interval: number
  readonly #flags = new ByteColumn()

  constructor(
    private readonly machine: Pick<Machine, 'frameFlags' | 'config'>,
    readonly wanted: () => boolean,
  ) {
    const frames = machine.config.memory / 4096
    this.interval = Math.max(33, Math.round((frames / FRAMES_PER_LOOK) * 33))
  }

  take(): FrameFlagsUpdate | undefined {
    const update = this.#flags.take(this.machine.frameFlags())
    if (!update) return
    if (update.kind === 'all') return { kind: 'all', flags: update.values }
    return { kind: 'changed', frames: update.at, flags: update.values }
  }

  forget() {
    this.#flags.forget()
  }
}
