// What of the host a machine's window holds: a shell in the image's folder, and serial ports shown as devices.
import { PORTS } from '../push/serial-source'
import { ShellSource } from '../push/shell-source'
import { HostShell } from './host-shell'
import { SerialDevice } from './serial-device'

export class HostTerminals {
  readonly source: ShellSource
  readonly #devices: (SerialDevice | undefined)[] = Array.from({ length: PORTS }, () => undefined)
  #shell: HostShell | undefined
  #ended: number | undefined

  /**
   * @param folder of the image
   * @param shown somebody looks at the shell
   * @param input a program wrote to the device of a port
   * @param changed something to show has changed
   */
  constructor(
    private readonly folder: string,
    shown: () => boolean,
    private readonly input: (port: number, bytes: Uint8Array) => void,
    private readonly changed: () => void,
  ) {
    this.source = new ShellSource(shown, (go) => (go ? this.#shell?.go() : this.#shell?.hold()))
  }

  get shell(): 'none' | 'running' | number {
    return this.#shell ? 'running' : (this.#ended ?? 'none')
  }

  /** Where each port is a device of the host. */
  paths(): (string | undefined)[] {
    return this.#devices.map((device) => device?.path)
  }

  /** Starts a shell, unless one runs. */
  openShell(columns: number, rows: number) {
    if (this.#shell) return
    this.source.clear()
    this.#shell = new HostShell(this.folder, columns, rows, {
      output: (bytes) => {
        this.source.append(bytes)
        this.changed()
      },
      exited: (status) => {
        this.#shell = undefined
        this.#ended = status
        this.changed()
      },
    })
    this.changed()
  }

  typed(text: string) {
    this.#shell?.write(text)
  }

  resize(columns: number, rows: number) {
    this.#shell?.resize(columns, rows)
  }

  /** Makes a port a device, or ends that. @throws Error where the host has no pseudoterminals */
  setDevice(port: number, on: boolean) {
    if (on === (this.#devices[port] !== undefined)) return
    if (on) {
      const device: SerialDevice = new SerialDevice(
        (bytes) => this.input(port, bytes),
        () => {
          if (this.#devices[port] !== device) return
          this.#devices[port] = undefined
          this.changed()
        },
      )
      this.#devices[port] = device
    } else {
      this.#devices[port]?.close()
      this.#devices[port] = undefined
    }
    this.changed()
  }

  /** The guest sent something. */
  sent(port: number, bytes: Uint8Array) {
    this.#devices[port]?.write(bytes)
  }

  close() {
    this.#shell?.close()
    for (const device of this.#devices) device?.close()
  }
}
