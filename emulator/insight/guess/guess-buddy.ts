// Finds the lists of a buddy allocator whose nodes lie in a table of frames: list heads side by side, each of a circular list with
// two links; all nodes on one grid, and those of the n-th list on every 2^n-th of its places.
import { viewOfKernel } from '../lenses/guest-view'
import { type Evidence, hex, linearOf } from './evidence'
import type { Guess } from './guess'

const ORDERS_LEAST = 8
const ORDERS_MAX = 16
const NODES_LEAST = 6
const NODES_MAX = 4096
/** Bytes of a record of the table of frames. */
const RECORD_MIN = 16
const RECORD_MAX = 256
/** Sizes of what lies between two heads: the head alone, or with a count or two. */
const STRIDES = [16, 24, 32, 48] as const

interface Lists {
  /** Linear address of the first head. */
  at: bigint
  stride: number
  /** Nodes of each list. */
  nodes: bigint[][]
}

export function* guessBuddy(evidence: Evidence): Generator<void, Guess | undefined> {
  const { memory, written } = evidence
  const guest = viewOfKernel(memory)
  const { view, ram } = memory
  const word = (physical: number) => view.getBigUint64(ram + physical, true)
  /** The nodes of the list whose head is at a physical address; undefined where none is. */
  const walk = (head: number, linear: bigint): bigint[] | undefined => {
    const nodes: bigint[] = []
    let at = word(head)
    let previous = linear
    while (at !== linear) {
      if (nodes.length >= NODES_MAX || (at & 7n) !== 0n) return undefined
      if (guest.unsigned(at + 8n, 8) !== previous) return undefined
      nodes.push(at)
      const next = guest.unsigned(at, 8)
      if (next === undefined) return undefined
      previous = at
      at = next
    }
    return word(head + 8) === previous ? nodes : undefined
  }
  // A head knows its own linear address: an empty one names itself, another one is what its first node's second link names.
  const heads = new Map<number, bigint>()
  for (const frame of written) {
    yield
    for (let at = frame * 4096; at + 16 <= (frame + 1) * 4096; at += 8) {
      const first = word(at)
      const last = word(at + 8)
      if (first >> 47n !== 0x1ffffn || last >> 47n !== 0x1ffffn) continue
      const self = first === last && guest.physical(first) === at ? first : guest.unsigned(first + 8n, 8)
      if (self !== undefined && self >> 47n === 0x1ffffn && guest.physical(self) === at) heads.set(at, self)
    }
  }
  let best: Guess | undefined
  let nodesOfBest = 0
  for (const [at, linear] of heads) {
    for (const stride of STRIDES) {
      // Only from the first of a row on.
      if (heads.get(at - stride) === linear - BigInt(stride)) continue
      const lists: Lists = { at: linear, stride, nodes: [] }
      while (lists.nodes.length < ORDERS_MAX) {
        const n = lists.nodes.length * stride
        if (heads.get(at + n) !== linear + BigInt(n)) break
        const nodes = walk(at + n, linear + BigInt(n))
        if (!nodes) break
        lists.nodes.push(nodes)
      }
      const total = lists.nodes.reduce((sum, nodes) => sum + nodes.length, 0)
      if (lists.nodes.length < ORDERS_LEAST || total < NODES_LEAST || total <= nodesOfBest) continue
      const guess = placed(evidence, lists, at)
      yield
      if (!guess) continue
      best = guess
      nodesOfBest = total
    }
  }
  return best
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))
const size = (value: bigint) => (value < 0n ? -value : value)

/** The grid of the nodes, and which of its places is frame 0. */
function placed(evidence: Evidence, { at, stride, nodes }: Lists, physical: number): Guess | undefined {
  const { memory, used, idle } = evidence
  const top = nodes.findLastIndex((list) => list.length > 0)
  const anchor = nodes[top]?.[0]
  if (anchor === undefined) return undefined
  // Nodes of the n-th list are 2^n records apart; one that is not, is no node of a buddy allocator.
  let record = 0n
  for (const [order, list] of nodes.entries()) {
    for (const node of list) {
      const distance = size(node - anchor)
      if (distance % (1n << BigInt(order)) !== 0n) return undefined
      record = gcd(record, distance >> BigInt(order))
    }
  }
  if (record < BigInt(RECORD_MIN)) return undefined
  // What they have in common may be a multiple of the record: the largest power of two that fits is one.
  const records: number[] = []
  for (let each = RECORD_MAX; each >= RECORD_MIN; each -= 8)
    if (record % BigInt(each) === 0n) records.push(each)
  let best: { record: number; first: number; agree: number; blocks: number } | undefined
  for (const each of records) {
    const span = 2 ** top
    // The anchor is the first of a block: its number is a multiple of the block's size.
    for (let number = 0; number < memory.frameCount; number += span) {
      let good = 0
      let bad = 0
      for (const [order, list] of nodes.entries()) {
        for (const node of list) {
          const frame = number + Number((node - anchor) / BigInt(each))
          if (frame < 0 || frame + 2 ** order > memory.frameCount) {
            bad += 2 ** order
            continue
          }
          for (let inside = frame; inside < frame + 2 ** order; inside++) {
            if (used[inside]) bad += 64
            else if (idle[inside]) good++
          }
        }
      }
      if (bad === 0 && good > (best?.agree ?? 0))
        best = { record: each, first: number, agree: good, blocks: nodes.flat().length }
    }
  }
  const idleCount = evidence.idleCount
  // The free blocks have to be where nobody has ever been.
  if (!best || best.agree < idleCount * 0.9 || idleCount < 64) return undefined
  const link = anchor - BigInt(best.first * best.record)
  const linear = linearOf(evidence, physical) ?? at
  return {
    kind: 'buddy',
    at,
    physical,
    evidence: [
      `${nodes.length} heads of circular lists side by side at ${hex(at)}h, ${stride} bytes apart, with ${best.blocks} nodes`,
      `all nodes lie on a grid of ${best.record} bytes, those of the n-th list at multiples of 2^n of it`,
      `as blocks of frames they hold ${best.agree} of the ${idleCount} frames that were never touched, and no page table or code`,
    ],
    lens: {
      lens: 1,
      kernel: 'unknown kernel (guessed)',
      allocators: [
        {
          ...{
            kind: 'raw-buddy',
            name: 'guessed buddy lists',
            lists: `0x${hex(linear)}`,
            orders: nodes.length,
            stride,
          },
          ...{ nodes: `0x${hex(BigInt.asUintN(64, link))}`, record: best.record, size: 4096 },
        },
      ],
    },
  }
}
