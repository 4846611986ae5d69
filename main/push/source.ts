// One part of a frame: what a panel shows.
import type { Frame } from '../../preload/bridge'

export type Part = Exclude<keyof Frame, 'sequence' | 'epoch'>

export interface Source<P extends Part = Part> {
  readonly part: P
  /** Least time between two updates while the guest runs, ms. People read digits at a few per second; pictures and
   *  maps go with the display. */
  readonly interval: number
  /** Somebody looks. */
  wanted(): boolean
  /** The part, if it differs from what was taken last; undefined otherwise. */
  take(): Frame[P] | undefined
  /** The page knows nothing (any more): the next `take` gives everything. */
  forget(): void
}

/** What reads much of the guest's memory takes at most this part of the main process's time. */
export const LOOK_SHARE = 1 / 12

export const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && Buffer.compare(a, b) === 0)
