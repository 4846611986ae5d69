// What takes long and goes on beside the machine: shown with how far it is, and stopped when the user says so.
import type { Work } from '../../preload/bridge'

/** What is done sooner is not worth a word. */
const SHOWN_AFTER_MS = 500

interface Going {
  id: number
  title: string
  done: number
  began: number
  stop: () => void
}

export class WorkList {
  #going: Going[] = []
  #last = 0

  /** @param changed there is something else to show */
  constructor(
    private readonly changed: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * @param title what is being done: `Reading the symbols of kernel.elf`
   * @param stop when the user wants it no longer
   */
  begin(title: string, stop: () => void): { progress(done: number): void; end(): void } {
    const work: Going = { id: ++this.#last, title, done: 0, began: this.now(), stop }
    this.#going.push(work)
    return {
      progress: (done) => {
        work.done = done
        this.changed()
      },
      end: () => {
        this.#going = this.#going.filter((each) => each !== work)
        this.changed()
      },
    }
  }

  shown(): Work[] {
    const long = this.#going.filter(({ began }) => this.now() - began >= SHOWN_AFTER_MS)
    return long.map(({ id, title, done }) => ({ id, title, done }))
  }

  /** Of something that has ended meanwhile: nothing. */
  cancel(id: number) {
    this.#going.find((each) => each.id === id)?.stop()
  }

  stopAll() {
    for (const { stop } of this.#going) stop()
    this.#going = []
  }
}
