// How an allocator keeps what is free, as it lies in memory: the words of a bitmap, the blocks of a buddy allocator, the chain of a
// free list, the entries of a stack. For pictures of it.
import { rawList } from './allocators'
import { elementOf, numberOf } from './evaluate'
import type { AllocatorLens } from './lens'
import { type Reader, WALK_MAX } from './reader'
import { type LensReading, ORDER_NONE } from './reading'

export type AllocatorStructure =
  | {
      kind: 'bitmap'
      /** Linear address of the first word, and its guest-physical one where it is mapped. */
      address: bigint
      physical: number | undefined
      /** Bits, and what a set one means. */
      count: number
      used: 0 | 1
      /** The frame of bit 0, and 4 KiB frames that a bit is about. */
      first: number
      each: number
      /** As they lie in memory; shorter than `count` where not all of it is mapped. */
      bytes: Uint8Array
    }
  | {
      kind: 'buddy'
      orders: number
      /** Frames that the picture is about. */
      frames: number
      /** Free blocks, ascending: first frame and order of each. */
      at: Uint32Array
      order: Uint8Array
    }
  | {
      kind: 'chain'
      /** What it is called: a linked list or a stack. */
      what: 'list' | 'stack'
      /** Linear addresses of the nodes or entries, in the order in which frames will be given out, and the frame of each. */
      nodes: BigUint64Array
      frames: Uint32Array
      /** More than are here. */
      more: number
    }

/** Nodes of a chain that are sent. */
const CHAIN_MAX = 20_000
const BITS_MAX = 1 << 24

/** @returns undefined when it cannot be read, or is a slab allocator, whose slabs are read one cache at a time */
export function readStructure(
  reader: Reader,
  lens: AllocatorLens,
  reading: LensReading,
): AllocatorStructure | undefined {
  switch (lens.kind) {
    case 'bitmap': {
      const address = reader.place(lens.bits)
      const count = reader.number(lens.count, undefined, undefined, BITS_MAX)
      const size = reader.number(lens.size)
      if (address === undefined || count === undefined || count < 0 || !size || size < 4096) return undefined
      const first = reader.number(lens.first ?? 0) ?? 0
      const bytes = reader.view.bytes(address, Math.ceil(count / 8))
      const each = Math.floor(size / 4096)
      const physical = reader.view.physical(address)
      return { kind: 'bitmap', address, physical, count, used: lens.used, first: first * each, each, bytes }
    }
    case 'buddy':
    case 'raw-buddy':
      return buddyBlocks(reading)
    case 'free-list': {
      const found = chain('list')
      for (const node of reader.walk(lens.list)) {
        const physical = reader.view.physical(node.at)
        found.add(node.at, physical === undefined ? 0 : Math.floor(physical / 4096))
      }
      return found.done()
    }
    case 'raw-list': {
      const found = chain('list')
      for (const { node, frame } of rawList(reader, lens)) found.add(node, frame)
      return found.done()
    }
    case 'stack': {
      const entries = reader.value(lens.entries)
      const top = reader.number(lens.top, undefined, undefined, WALK_MAX)
      const size = reader.number(lens.size) ?? 4096
      if (!entries || top === undefined) return undefined
      const found = chain('stack')
      for (let i = top - 1; i >= 0; i--) {
        const element = reader.attempt(`${lens.entries}[${i}]`, () =>
          elementOf(entries, BigInt(i), reader.scope()),
        )
        if (!element) break
        const value = reader.attempt(`${lens.entries}[${i}]`, () => numberOf(element, reader.scope()))
        if (value === undefined) break
        // As readStack() has it: what is larger than any frame's number is an address.
        const address = value >= BigInt(reading.frames.count) && value % 4096n === 0n
        const frame = address ? Number(value / 4096n) : Number(value) * Math.floor(size / 4096)
        found.add('at' in element ? element.at : 0n, Math.min(frame, 0xffff_ffff))
      }
      return found.done()
    }
    case 'slab':
      return undefined
  }
}

/** Free blocks as a reading has them: of whichever allocator keeps its free memory by orders, Linux's zones too. */
export function buddyBlocks({ frames }: LensReading): AllocatorStructure {
  const free = frames.uses.map(({ kind }) => kind === 'free')
  const at: number[] = []
  const orders: number[] = []
  let most = 0
  for (let frame = 0; frame < frames.count; ) {
    const order = frames.order[frame]!
    if (!free[frames.use[frame]!] || order === ORDER_NONE || order > 31) {
      frame++
      continue
    }
    at.push(frame)
    orders.push(order)
    most = Math.max(most, order)
    frame += 2 ** order
  }
  return {
    ...{ kind: 'buddy', orders: Math.max(11, most + 1), frames: frames.count },
    ...{ at: Uint32Array.from(at), order: Uint8Array.from(orders) },
  }
}

function chain(what: 'list' | 'stack') {
  const nodes: bigint[] = []
  const frames: number[] = []
  let more = 0
  return {
    add(node: bigint, frame: number) {
      if (nodes.length >= CHAIN_MAX) more++
      else {
        nodes.push(BigInt.asUintN(64, node))
        frames.push(frame)
      }
    },
    done: (): AllocatorStructure => ({
      ...{ kind: 'chain', what, nodes: BigUint64Array.from(nodes), frames: Uint32Array.from(frames), more },
    }),
  }
}
