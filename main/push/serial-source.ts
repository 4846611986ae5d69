// The serial port that the console shows, of the four. All of them are remembered.
import type { SerialChunk } from '../../preload/bridge'
import { ByteLog } from './byte-log'
import type { Source } from './source'

export const PORTS = 4

export class SerialSource implements Source<'serial'> {
  readonly part = 'serial'
  readonly interval = 0
  readonly #logs = Array.from({ length: PORTS }, () => new ByteLog())
  #shown: number | undefined

  /** @param port that the console shows, 0 = COM1; undefined when nobody looks */
  constructor(private readonly port: () => number | undefined) {}

  wanted() {
    return this.port() !== undefined
  }

  append(port: number, bytes: Uint8Array) {
    this.#logs[port]?.append(bytes)
  }

  /** Bytes that a port has sent since power-on. */
  total(port: number): number {
    return this.#logs[port]?.total ?? 0
  }

  /** There is more to show than was sent. */
  get pending(): boolean {
    const port = this.port()
    return port !== undefined && (this.#logs[port]?.pending ?? 0) > 0
  }

  take(): SerialChunk | undefined {
    const port = this.port()
    if (port === undefined) return
    const log = this.#logs[port]!
    // Another port: the page shows it from its beginning.
    if (this.#shown !== port) log.rewind()
    this.#shown = port
    const chunk = log.take()
    return chunk && { port, ...chunk }
  }

  forget() {
    for (const log of this.#logs) log.rewind()
  }

  /** The machine was reset: nothing has been said yet. */
  clear() {
    for (const log of this.#logs) log.clear()
  }
}
