// A COM port of the guest as a terminal device of the host (/dev/pts/N), for screen, minicom or a debugger. node-pty
// opens a pseudoterminal only together with a process: ours makes the line raw and holds it open, so that programs
// can come and go on the device.
import { type IPty, spawn } from 'node-pty'

/** A line that nobody reads loses what is said, as a real one does, bytes. */
const UNREAD_MAX = 1 << 16
const HOLDER = 'stty raw -echo 2>/dev/null; echo; exec sleep 2147483647'

export class SerialDevice {
  readonly path: string
  readonly #terminal: IPty
  #ready = false
  #ended = false

  /**
   * @param onInput bytes that a program wrote to the device
   * @param onEnd the device is gone
   * @throws Error where the host has no pseudoterminals
   */
  constructor(onInput: (bytes: Uint8Array) => void, onEnd: () => void) {
    if (process.platform === 'win32') throw new Error('Windows has no terminal devices to show a COM port as')
    this.#terminal = spawn('/bin/sh', ['-c', HOLDER], { encoding: null, cols: 80, rows: 24 })
    // The name is not in the typings, but in every release for Unix.
    this.path = (this.#terminal as unknown as { ptsName: string }).ptsName
    // With `encoding: null` the data are Buffers, whatever the typings say.
    this.#terminal.onData((data) => {
      const bytes = data as unknown as Buffer
      // The holder's own line break says that the line is raw by now.
      if (!this.#ready) {
        this.#ready = true
        const rest = bytes.subarray(bytes.indexOf(10) + 1)
        if (rest.length > 0) onInput(rest)
        return
      }
      onInput(bytes)
    })
    this.#terminal.onExit(() => {
      this.#ended = true
      onEnd()
    })
  }

  /** Bytes that the guest sent. */
  write(bytes: Uint8Array) {
    const { writableLength = 0 } = this.#socket()
    if (this.#ended || writableLength > UNREAD_MAX) return
    this.#terminal.write(Buffer.from(bytes))
  }

  close() {
    if (this.#ended) return
    this.#ended = true
    this.#terminal.kill('SIGKILL')
  }

  #socket(): { writableLength?: number } {
    return (this.#terminal as unknown as { master?: { writableLength: number } }).master ?? {}
  }
}
