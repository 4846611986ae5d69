// What the host's shell printed. It waits when the page falls behind: nothing of it is lost.
import type { ByteChunk } from '../../preload/bridge'
import { ByteLog } from './byte-log'
import type { Source } from './source'

/** Bytes that are not drawn yet at which whoever prints has to wait, and at which they may go on. */
const HIGH_WATER = 1 << 18
const LOW_WATER = 1 << 16

export class ShellSource implements Source<'shell'> {
  readonly part = 'shell'
  readonly interval = 0
  readonly #log = new ByteLog()
  #held = false

  /** @param flow told to wait, and to go on */
  constructor(
    readonly wanted: () => boolean,
    private readonly flow: (go: boolean) => void,
  ) {}

  append(bytes: Uint8Array) {
    this.#log.append(bytes)
    this.#regulate()
  }

  get pending(): boolean {
    return this.wanted() && this.#log.pending > 0
  }

  take(): ByteChunk | undefined {
    const chunk = this.#log.take()
    this.#regulate()
    return chunk
  }

  forget() {
    this.#log.rewind()
  }

  clear() {
    this.#log.clear()
  }

  #regulate() {
    const { pending } = this.#log
    if (!this.#held && pending > HIGH_WATER) this.flow(false)
    else if (this.#held && pending < LOW_WATER) this.flow(true)
    else return
    this.#held = !this.#held
  }
}
