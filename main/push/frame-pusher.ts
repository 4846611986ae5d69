// Sends frames to the window: at most one per display frame, only parts that changed, only what somebody looks at,
// and none before the last but one has been drawn: one is on its way while one is drawn. So a slow or hidden page costs
// the guest nothing.
import type { Frame } from '../../preload/bridge'
import type { Part, Source } from './source'

/** One frame of a 60 Hz display, ms, less what the host's timers are late. */
export const FRAME_TIME = 15
/** Timers of the host come a little early or late; a source that is due within this is due, ms. */
const SLACK = 4
/** Frames that the page has not drawn yet when another is sent. */
const IN_FLIGHT = 1
/** A page that has not answered for this long gets the next frame all the same, ms. */
const PATIENCE = 1000

export interface PusherHost {
  /** The guest executes: look again in a moment. */
  live(): boolean
  /** The window can be seen. */
  visible(): boolean
  /** See Frame.epoch. */
  epoch(): number
  send(frame: Frame): void
  now(): number
}

export class FramePusher {
  #timer: NodeJS.Timeout | undefined
  #sequence = 0
  #drawn = 0
  #lastSent = 0
  #taken = new Map<Source, number>()
  /** Parts that must be looked at as soon as possible, whatever their interval. */
  #urgent = new Set<Part>()
  #stopped = false
  #suspended = false

  constructor(
    private readonly host: PusherHost,
    private readonly sources: readonly Source[],
  ) {}

  /** Something happened that the page should see: a stop, another panel, output of the guest. */
  kick(...parts: Part[]) {
    for (const part of parts.length > 0 ? parts : this.sources.map((source) => source.part))
      this.#urgent.add(part)
    this.#schedule(0)
  }

  /** The page was loaded (again). */
  restart() {
    this.#suspended = false
    this.#drawn = this.#sequence
    for (const source of this.sources) source.forget()
    this.kick()
  }

  drawn(sequence: number) {
    if (sequence > this.#drawn && sequence <= this.#sequence) this.#drawn = sequence
    if (this.#urgent.size > 0) this.#schedule(0)
  }

  /** There is nothing to look at for a while: a machine between two power-ons. `restart` ends it. */
  suspend() {
    this.#suspended = true
  }

  stop() {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(delay: number) {
    if (this.#stopped || this.#timer !== undefined) return
    const sinceLast = this.host.now() - this.#lastSent
    this.#timer = setTimeout(() => this.#tick(), Math.max(delay, FRAME_TIME - sinceLast, 0))
  }

  #tick() {
    this.#timer = undefined
    if (this.#stopped || this.#suspended || !this.host.visible()) return
    const now = this.host.now()
    const waiting = this.#sequence - this.#drawn > IN_FLIGHT && now - this.#lastSent < PATIENCE
    if (!waiting) this.#push(now)
    // A page that draws slowly wakes us with `drawn`; the timer is for the guest that goes on meanwhile.
    // What the sending took is part of the display frame, or large pictures would come at two thirds of their rate.
    const spent = this.host.now() - now
    if (this.host.live() || this.#urgent.size > 0)
      this.#schedule(waiting ? FRAME_TIME / 2 : Math.max(1, FRAME_TIME - spent))
  }

  #push(now: number) {
    const frame: Frame = { sequence: this.#sequence + 1, epoch: this.host.epoch() }
    let parts = 0
    for (const source of this.sources) {
      if (!source.wanted()) continue
      const urgent = this.#urgent.delete(source.part)
      if (!urgent && now - (this.#taken.get(source) ?? 0) < source.interval - SLACK) continue
      this.#taken.set(source, now)
      const value = source.take()
      if (value === undefined) continue
      ;(frame as unknown as Record<string, unknown>)[source.part] = value
      parts++
    }
    // What nobody looks at waits until somebody does; `Interest` kicks it then.
    this.#urgent.clear()
    if (parts === 0) return
    this.#sequence++
    this.#lastSent = now
    this.host.send(frame)
  }
}
