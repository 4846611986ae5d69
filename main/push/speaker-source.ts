import type { Machine } from '@emulator/machine/api'
import { type SpeakerChange, SpeakerLog, toneOf } from '@emulator/machine/speaker'
import type { SpeakerUpdate } from '../../preload/bridge'
import type { Source } from './source'

/** What the speaker does, as long as it does something. Nobody need look: it is heard. */
export class SpeakerSource implements Source<'speaker'> {
  readonly part = 'speaker'
  readonly interval = 0
  readonly #log: SpeakerLog
  #told = true

  constructor(private readonly machine: Pick<Machine, 'memory' | 'speed' | 'state'>) {
    this.#log = new SpeakerLog(machine.memory)
  }

  wanted() {
    return true
  }

  take(): SpeakerUpdate | undefined {
    const changes = this.#log.take()
    const { last } = this.#log
    const moving = last !== undefined && (last.high + last.low > 0 || last.left > 0)
    if (changes.length === 0) {
      if (!moving || this.machine.state !== 'running') return
      if (!this.#told) changes.push(last)
    }
    this.#told = true
    const tone = toneOf(last)
    // Read last: no change is later.
    const { time } = this.machine.speed()
    return { time, changes: columns(changes), moving, ...(tone === undefined ? {} : { tone }) }
  }

  forget() {
    this.#told = false
  }
}

function columns(changes: SpeakerChange[]): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    changes.flatMap(({ time, high, low, left, level }) => [Number(time), high, low, left, level]),
  )
}
