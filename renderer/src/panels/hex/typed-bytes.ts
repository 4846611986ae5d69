// Bytes typed by hand. A key never waits for the machine: the caret and what is shown follow at once, the writes go one after the
// other behind them, and nothing that was typed is lost while one is on its way.
import { shallowRef } from 'vue'
import type { MemorySpace } from '../../../../preload/bridge'

interface Write {
  space: MemorySpace
  at: bigint
  bytes: number[]
}

/** A call writes no more than this (main/ipc/checks.ts). */
const WRITE_MAX = 4096
const keyOf = (space: MemorySpace, at: bigint) => `${space} ${at}`
const keysOf = ({ space, at, bytes }: Write) => bytes.map((_, i) => keyOf(space, at + BigInt(i)))

export class TypedBytes {
  /** The high half of the byte under the caret, typed already. */
  readonly half = shallowRef<number>()
  /** Typed, and not yet seen in what the machine's memory shows. */
  readonly #shown = shallowRef<ReadonlyMap<string, number>>(new Map())
  readonly #queue: Write[] = []
  #onItsWay: Write | undefined
  #working: Promise<void> | undefined
  /** Written, and to be seen in the next view. */
  #written: string[] = []

  /**
   * @param write answers when the bytes are in the machine's memory, rejects when they cannot be
   * @param failed hears why
   */
  constructor(
    private readonly write: (space: MemorySpace, at: bigint, bytes: Uint8Array) => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** @returns whether the byte is whole, and the caret may go on */
  type(space: MemorySpace, at: bigint, digit: number): boolean {
    if (this.half.value === undefined) {
      this.half.value = digit
      return false
    }
    const byte = this.half.value * 16 + digit
    this.half.value = undefined
    this.#shown.value = new Map(this.#shown.value).set(keyOf(space, at), byte)
    const last = this.#queue.at(-1)
    const follows = last?.space === space && last.at + BigInt(last.bytes.length) === at
    if (follows && last.bytes.length < WRITE_MAX) last.bytes.push(byte)
    else this.#queue.push({ space, at, bytes: [byte] })
    this.#working ??= this.#work()
    return true
  }

  /** What was typed there, while memory does not show it yet. */
  at(space: MemorySpace, at: bigint): number | undefined {
    return this.#shown.value.get(keyOf(space, at))
  }

  get pending(): boolean {
    return this.#shown.value.size > 0
  }

  /** Memory has been looked at anew: what had been written by then is in it. */
  seen() {
    this.#forget(this.#written)
    this.#written = []
  }

  /** All that was typed so far is written, or has failed. */
  async settled() {
    while (this.#working) await this.#working
  }

  async #work() {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { space, at, bytes } = next
      const keys = keysOf(next)
      this.#onItsWay = next
      const trouble = await this.write(space, at, Uint8Array.from(bytes)).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      this.#onItsWay = undefined
      if (!trouble) this.#written.push(...keys)
      else {
        this.#forget(keys)
        this.failed(trouble.error)
      }
    }
    this.#working = undefined
  }

  /** A byte that was typed again meanwhile stays. */
  #forget(keys: readonly string[]) {
    if (keys.length === 0) return
    const onTheirWay = this.#onItsWay ? [this.#onItsWay, ...this.#queue] : this.#queue
    const again = new Set(onTheirWay.flatMap(keysOf))
    const shown = new Map(this.#shown.value)
    for (const key of keys) if (!again.has(key)) shown.delete(key)
    this.#shown.value = shown
  }
}
