// Listeners by event. One that returns a promise holds up whoever waits for `emit`.

type Listener<T> = (value: T) => void | Promise<void>

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    let listeners = this.#listeners.get(event)
    if (!listeners) this.#listeners.set(event, (listeners = new Set()))
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** @returns a promise only if a listener gave one; it is settled when all are */
  emit<E extends keyof Events>(event: E, value: Events[E]): void | Promise<void> {
    const waits: Promise<void>[] = []
    for (const listener of this.#listeners.get(event) ?? []) {
      const wait = (listener as Listener<Events[E]>)(value)
      if (wait) waits.push(wait)
    }
    if (waits.length > 0) return Promise.all(waits).then(() => undefined)
  }

  close() {
    this.#listeners.clear()
  }
}
