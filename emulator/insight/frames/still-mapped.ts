// Frames that the allocator calls free while a program still has them in its address space: whoever gets them next shares them with
// it. The kernel frees and unmaps one after the other, and a look at a guest that runs reads its lists and its tables one after the
// other too: then only what stays so, look after look, is told. At rest a single look is enough.
import type { FrameColumns } from '../lenses/reading'

/** Looks in a row at a guest that runs. */
export const LOOKS_MIN = 8

export class StillMapped {
  /** By frame, at how many looks in a row it was both. */
  #looks: Uint8Array

  /** @param frames that the machine has */
  constructor(frames: number) {
    this.#looks = new Uint8Array(frames)
  }

  /**
   * @param mapped not 0 where a page table maps the frame for user mode, or where it is such a table
   * @param atRest the guest stands
   * @returns the frames, in order
   */
  look(
    { use, uses }: Pick<FrameColumns, 'use' | 'uses'>,
    mapped: ArrayLike<number>,
    atRest: boolean,
  ): number[] {
    const free = uses.map(({ kind }) => kind === 'free')
    const looks = this.#looks
    const found: number[] = []
    for (let frame = 0; frame < looks.length; frame++) {
      if (!free[use[frame]!] || !mapped[frame]) {
        looks[frame] = 0
        continue
      }
      looks[frame] = Math.min(LOOKS_MIN, looks[frame]! + 1)
      if (atRest || looks[frame]! >= LOOKS_MIN) found.push(frame)
    }
    return found
  }
}
