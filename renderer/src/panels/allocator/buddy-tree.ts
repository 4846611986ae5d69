// The tree of a buddy allocator, by order: which blocks are free as they are, which are split, which are used through and through.
// Pure, so that it can be tested without a page.

export type BlockState = 'free' | 'split' | 'used' | 'inside'

export interface TreeBlock {
  order: number
  /** First frame. */
  frame: number
  /** inside: part of a larger block that is free or used as a whole. */
  state: BlockState
}

export class BuddyTree {
  /** Free frames before each frame. */
  readonly #before: Uint32Array
  /** Order of the free block that begins at a frame, 255: none. */
  readonly #head: Uint8Array

  constructor(
    readonly frames: number,
    readonly orders: number,
    readonly at: Uint32Array,
    readonly order: Uint8Array,
  ) {
    const free = new Uint8Array(frames)
    this.#head = new Uint8Array(frames).fill(255)
    at.forEach((frame, i) => {
      if (frame >= frames) return
      this.#head[frame] = order[i]!
      free.fill(1, frame, Math.min(frames, frame + 2 ** order[i]!))
    })
    this.#before = new Uint32Array(frames + 1)
    for (let frame = 0; frame < frames; frame++) this.#before[frame + 1] = this.#before[frame]! + free[frame]!
  }

  /** Free frames from one to before another. */
  free(from: number, to: number): number {
    const cut = (frame: number) => this.#before[Math.max(0, Math.min(this.frames, frame))]!
    return cut(to) - cut(from)
  }

  state(order: number, frame: number): BlockState {
    const size = 2 ** order
    if (this.#head[frame] === order) return 'free'
    const inside = this.free(frame, frame + size)
    if (inside === 0) {
      // Of what is used only the largest block is shown.
      const parent = frame - (frame % (2 * size))
      return order + 1 < this.orders && this.free(parent, parent + 2 * size) === 0 ? 'inside' : 'used'
    }
    for (let larger = order + 1; larger < this.orders; larger++) {
      const head = frame - (frame % 2 ** larger)
      if (this.#head[head] === larger) return 'inside'
    }
    return 'split'
  }

  /** The smallest block that is told of at a frame: free, or used as a whole. */
  leafAt(frame: number): TreeBlock {
    for (let order = this.orders - 1; order >= 0; order--) {
      const first = frame - (frame % 2 ** order)
      const state = this.state(order, first)
      if (state === 'free' || state === 'used') return { order, frame: first, state }
    }
    return { order: 0, frame, state: 'used' }
  }

  /** In words, with its buddy: the block that differs in the one bit. */
  words({ order, frame, state }: TreeBlock, address: (frame: number) => string): string {
    const buddy = (frame ^ (2 ** order)) >>> 0
    const told = { free: 'free', split: 'split', used: 'used', inside: 'part of a larger one' }
    const its =
      order + 1 < this.orders && buddy < this.frames
        ? `; its buddy at ${address(buddy)} is ${told[this.state(order, buddy)]}`
        : ''
    return `order ${order} at ${address(frame)}: ${told[state]}${its}`
  }

  /** First frames of the free blocks of each order. */
  lists(): number[][] {
    const lists = Array.from({ length: this.orders }, (): number[] => [])
    this.at.forEach((frame, i) => {
      lists[this.order[i]!]?.push(frame)
    })
    return lists
  }
}

/** How much wider a block that is not of the highest order is drawn than one that is: splitting is what there is to see. */
const SMALL = 4

/**
 * Where frames lie from left to right, in units: each block that is free or used as a whole has the same room, whatever its order, those of
 * the highest one less. Within a block it is to scale.
 */
export class TreeAxis {
  /** First frame of each such block, and the one behind the last; units before it. */
  readonly #at: number[] = []
  readonly #before: number[] = []

  constructor(tree: BuddyTree) {
    let units = 0
    const visit = (order: number, frame: number) => {
      if (frame >= tree.frames) return
      const state = tree.state(order, frame)
      if (state === 'split' && order > 0) {
        visit(order - 1, frame)
        visit(order - 1, frame + 2 ** (order - 1))
        return
      }
      this.#at.push(frame)
      this.#before.push(units)
      units += order === tree.orders - 1 ? 1 : SMALL
    }
    const largest = 2 ** (tree.orders - 1)
    for (let frame = 0; frame < tree.frames; frame += largest) visit(tree.orders - 1, frame)
    this.#at.push(tree.frames)
    this.#before.push(units)
  }

  /** All units. */
  get length(): number {
    return this.#before.at(-1)!
  }

  at(frame: number): number {
    return between(this.#at, this.#before, frame)
  }

  /** The frame at a place. */
  frame(unit: number): number {
    return Math.floor(between(this.#before, this.#at, unit))
  }
}

/** From one ascending scale to another one with as many marks. */
function between(from: readonly number[], to: readonly number[], value: number): number {
  let low = 0
  let high = Math.max(0, from.length - 2)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (from[middle]! <= value) low = middle
    else high = middle - 1
  }
  const span = (from[low + 1] ?? value) - from[low]!
  const part = span === 0 ? 0 : (value - from[low]!) / span
  return to[low]! + part * ((to[low + 1] ?? to[low]!) - to[low]!)
}
