// A byte per frame of memory, sent whole once and then as what has changed.
import type { ByteColumnUpdate } from '../../preload/bridge'

/** When more than this part of it changed, all of it is sent. */
const WORTH_A_DELTA = 1 / 8

export class ByteColumn {
  #sent: Uint8Array | undefined

  /** @param now is kept: the caller makes another one next time. @returns undefined when nothing has changed */
  take(now: Uint8Array): ByteColumnUpdate | undefined {
    const sent = this.#sent
    this.#sent = now
    if (sent === undefined || sent.length !== now.length) return { kind: 'all', values: now }
    if (Buffer.compare(sent, now) === 0) return undefined
    const most = now.length * WORTH_A_DELTA
    const at: number[] = []
    for (let i = 0; i < now.length; i++) {
      if (now[i] === sent[i]) continue
      if (at.length >= most) return { kind: 'all', values: now }
      at.push(i)
    }
    return { kind: 'changed', at: Uint32Array.from(at), values: Uint8Array.from(at, (i) => now[i]!) }
  }

  forget() {
    this.#sent = undefined
  }
}
