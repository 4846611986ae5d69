// Stdin as COM1's other end: a pipe or a file is fed to the guest as fast as it reads; at a terminal every key goes to
// the guest, and Ctrl-A starts a command to us, as in QEMU's and other serial consoles.

const ESCAPE = 0x01
const HELP =
  '\r\nCtrl-A X  end the run    Ctrl-A P  power button    Ctrl-A Ctrl-A  send Ctrl-A    Ctrl-A H  this line\r\n'

/** A terminal in raw mode: a line feed does not go back to the first column. */
let raw = false

/** What ends a line on stderr now. */
export function lineEnd(): string {
  return raw ? '\r\n' : '\n'
}

export interface Stdin {
  /** Gives the terminal back and lets the process end. */
  close(): void
}

/**
 * @param send resolves when the guest has taken the bytes
 * @param quit the user asked for the end of the run
 * @param button the user presses the power button
 */
export function connectStdin(
  send: (bytes: Uint8Array) => Promise<void>,
  quit: () => void,
  button: () => void,
): Stdin {
  const stdin = openStdin()
  if (!stdin) return { close: () => undefined }
  const terminal = stdin.isTTY
  const setRaw = (on: boolean) => {
    if (terminal) stdin.setRawMode(on)
    raw = terminal && on
  }
  setRaw(true)
  const keys = new EscapeReader(quit, button, () => process.stderr.write(HELP))
  const receive = (chunk: Buffer) => {
    const bytes = terminal ? keys.read(chunk) : chunk
    if (bytes.length === 0) return
    stdin.pause()
    // Rejected only when the machine is closed; then nobody wants more.
    send(bytes).then(
      () => stdin.resume(),
      () => undefined,
    )
  }
  // A terminal that went away or a broken pipe is an end of input, not a reason to end the run.
  stdin.on('error', () => undefined)
  stdin.on('data', receive)
  return {
    close() {
      stdin.off('data', receive)
      setRaw(false)
      stdin.pause()
      stdin.destroy()
    },
  }
}

/** undefined when the process was started without a stdin. */
function openStdin(): NodeJS.ReadStream | undefined {
  try {
    return process.stdin
  } catch {
    return undefined
  }
}

/** Takes the escapes out of what is typed. */
export class EscapeReader {
  #escaped = false

  constructor(
    private readonly quit: () => void,
    private readonly button: () => void,
    private readonly help: () => void,
  ) {}

  /** @returns what is for the guest */
  read(bytes: Uint8Array): Uint8Array {
    const out: number[] = []
    for (const byte of bytes) {
      if (!this.#escaped) {
        if (byte === ESCAPE) this.#escaped = true
        else out.push(byte)
        continue
      }
      this.#escaped = false
      const letter = String.fromCharCode(byte).toLowerCase()
      if (byte === ESCAPE) out.push(byte)
      else if (letter === 'x') this.quit()
      else if (letter === 'p') this.button()
      else if (letter === 'h') this.help()
    }
    return Uint8Array.from(out)
  }
}
