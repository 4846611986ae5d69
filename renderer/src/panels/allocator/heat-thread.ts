// The page's side of the thread that paints frames: one picture is under way at a time, and what changes meanwhile goes with the
// next one.
import type { FromPainter, HeatOrder, ToPainter } from './heat-messages'
import type { HeatPainter, HeatPicture } from './heat-painter'

/** What a Worker is here. */
export interface PainterThread {
  postMessage(message: ToPainter, transfer: Transferable[]): void
  onmessage: ((event: MessageEvent<FromPainter>) => void) | null
  terminate(): void
}

export interface ThreadWords {
  ready(kind: HeatPainter['kind']): void
  /** @param ms of the thread */
  painted(ms: number): void
  lost(): void
}

export class ThreadPainter {
  #known = -1
  #busy = false
  #dirty: [number, number] | undefined
  #next: { picture: HeatPicture; width: number; height: number } | undefined

  /** @param canvas is the thread's from now on */
  constructor(
    private readonly thread: PainterThread,
    canvas: OffscreenCanvas,
    words: ThreadWords,
  ) {
    thread.onmessage = ({ data }) => {
      if (data.kind === 'ready') words.ready(data.painter)
      else if (data.kind === 'lost') words.lost()
      else {
        words.painted(data.ms)
        this.#busy = false
        const next = this.#next
        this.#next = undefined
        if (next) this.#send(next.picture, next.width, next.height)
      }
    }
    thread.postMessage({ kind: 'canvas', canvas }, [canvas])
  }

  paint(picture: HeatPicture, width: number, height: number) {
    const { changed } = picture
    if (changed)
      this.#dirty = this.#dirty
        ? [Math.min(this.#dirty[0], changed[0]), Math.max(this.#dirty[1], changed[1])]
        : [...changed]
    if (this.#busy) this.#next = { picture, width, height }
    else this.#send(picture, width, height)
  }

  #send({ layout, shades, palette, background }: HeatPicture, width: number, height: number) {
    const total = shades.length
    const [first, last] = total === this.#known ? (this.#dirty ?? [0, -1]) : [0, total - 1]
    this.#known = total
    this.#dirty = undefined
    // A copy: the page lays the next changes over its own.
    const values = shades.slice(first, last + 1)
    const order: HeatOrder = { layout, palette, background, width, height, total, first, values }
    this.#busy = true
    this.thread.postMessage({ kind: 'paint', order }, [values.buffer])
  }

  dispose() {
    this.thread.onmessage = null
    this.thread.terminate()
  }
}
