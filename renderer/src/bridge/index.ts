// The page's end of the bridge: the two verbs.
import type {
  Acknowledgement,
  CallName,
  Calls,
  EventMessage,
  EventName,
  Events,
} from '../../../preload/bridge'

type Listener<Name extends EventName> = (value: Events[Name]) => void

const listeners = new Map<EventName, Set<Listener<EventName>>>()
let port: MessagePort | undefined

/** Asks the main process. Rejects with a message for people. */
export async function call<Name extends CallName>(
  name: Name,
  ...args: Parameters<Calls[Name]>
): Promise<ReturnType<Calls[Name]>> {
  try {
    return await window.ringside.call(name, ...args)
  } catch (error) {
    // Electron wraps it: "Error invoking remote method 'call': TypeError: a path must be text".
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(message.replace(/^Error invoking remote method '[^']*': (\w*Error: )?/, ''))
  }
}

/** Calls for what nobody waits for; a failure is one of ours and belongs in the console. */
export function send<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>) {
  call(name, ...args).catch((error: unknown) => console.error(error))
}

/** Hears an event until the returned function is called. */
export function listen<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
  let set = listeners.get(name)
  if (!set) listeners.set(name, (set = new Set()))
  set.add(listener as Listener<EventName>)
  return () => set.delete(listener as Listener<EventName>)
}

/** Tells the main process that a frame is on the screen and the next may come. */
export function acknowledge(drawn: number) {
  port?.postMessage({ drawn } satisfies Acknowledgement)
}

/** Takes the event port that the preload script hands on. Once, before `hello`. */
export function receiveEvents() {
  window.addEventListener('message', (event) => {
    if (event.source !== window || event.data !== 'ringside.events') return
    port?.close()
    port = event.ports[0]
    if (port) port.onmessage = ({ data }) => deliver(data as EventMessage)
  })
}

function deliver({ name, value }: EventMessage) {
  for (const listener of listeners.get(name) ?? []) listener(value)
}

export const pathOf = (file: File): string => window.ringside.pathOf(file)
