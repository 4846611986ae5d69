// A shell of the host in the window, in the folder of the image: to build, and boot again, without leaving.
import { userInfo } from 'node:os'
import { type IPty, spawn } from 'node-pty'

export interface ShellHost {
  /** What it printed. */
  output(bytes: Uint8Array): void
  exited(status: number): void
}

/** Variables that belong to this process, not to what the user starts. */
const OURS = /^(ELECTRON_|NODE_ENV$|NODE_OPTIONS$|CHROME_|ORIGINAL_XDG_)/

export class HostShell {
  readonly #terminal: IPty
  #ended = false

  /**
   * @param folder working directory
   * @throws Error when there is no shell to start
   */
  constructor(folder: string, columns: number, rows: number, host: ShellHost) {
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name)))
    this.#terminal = spawn(shellOf(), [], {
      ...{ name: 'xterm-256color', cols: columns, rows, cwd: folder, encoding: null },
      env: { ...environment, TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    })
    // With `encoding: null` the data are Buffers, whatever the typings say.
    this.#terminal.onData((data) => host.output(data as unknown as Buffer))
    this.#terminal.onExit(({ exitCode }) => {
      this.#ended = true
      host.exited(exitCode)
    })
  }

  /** What was typed. */
  write(text: string) {
    if (!this.#ended) this.#terminal.write(text)
  }

  resize(columns: number, rows: number) {
    if (!this.#ended) this.#terminal.resize(columns, rows)
  }

  /** More came than the page has drawn: what prints has to wait. */
  hold() {
    if (!this.#ended) this.#terminal.pause()
  }

  go() {
    if (!this.#ended) this.#terminal.resume()
  }

  close() {
    if (this.#ended) return
    this.#ended = true
    this.#terminal.kill()
  }
}

function shellOf(): string {
  if (process.platform === 'win32') return process.env['COMSPEC'] ?? 'cmd.exe'
  return process.env['SHELL'] || userInfo().shell || '/bin/sh'
}
