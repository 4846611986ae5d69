// The sending end of `listen`: a MessagePort to the page of one window.
import { MessageChannelMain, type MessagePortMain, type WebFrameMain } from 'electron'
import type { EventMessage, EventName, Events } from '../../preload/bridge'

export class EventPort {
  #port: MessagePortMain | undefined

  /** @param drawn hears that the page has drawn the frame of this sequence number */
  constructor(private readonly drawn: (sequence: number) => void) {}

  get connected(): boolean {
    return this.#port !== undefined
  }

  /** A page (or the same one, loaded again) is ready to hear. */
  connect(frame: WebFrameMain) {
    this.close()
    const { port1, port2 } = new MessageChannelMain()
    port1.on('message', ({ data }) => {
      if (typeof data === 'object' && data !== null && Number.isSafeInteger(data.drawn))
        this.drawn(data.drawn)
    })
    port1.on('close', () => {
      if (this.#port === port1) this.#port = undefined
    })
    port1.start()
    frame.postMessage('events', null, [port2])
    this.#port = port1
  }

  /** Says nothing when no page listens: it asks for everything when it comes. */
  send<Name extends EventName>(name: Name, value: Events[Name]) {
    this.#port?.postMessage({ name, value } as EventMessage)
  }

  close() {
    const port = this.#port
    this.#port = undefined
    port?.close()
  }
}
