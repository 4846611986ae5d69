// Frame allocators: bitmap, buddy lists, linked free lists, stack of frames. Each is gone through, and held against the table
// of frames where there is one.
import { elementOf, numberOf, type Scope } from './evaluate'
import type { BitmapLens, BuddyLens, FreeListLens, RawBuddyLens, RawListLens, StackLens } from './lens'
import { type Reader, WALK_MAX } from './reader'
import { type AllocatorReading, type FrameColumns, USE_UNKNOWN } from './reading'

const PAGE = 4096
const ORDERS_MAX = 32

/** Says of frames that they are free, or not, where nobody has said it yet. @returns how many say otherwise */
class FreeMarks {
  disagreements = 0
  readonly #free: number
  readonly #used: number
  readonly #marked: Uint8Array

  constructor(
    readonly columns: FrameColumns,
    /** A table of frames has said what they are. */
    readonly told: boolean,
  ) {
    const index = (kind: 'free' | 'used') => {
      const found = columns.uses.findIndex((use) => use.kind === kind)
      if (found >= 0) return found
      return columns.uses.push({ name: kind, kind }) - 1
    }
    this.#free = index('free')
    this.#used = told ? USE_UNKNOWN : index('used')
    this.#marked = new Uint8Array(columns.count)
  }

  free(frame: number, frames: number) {
    const end = Math.min(this.columns.count, frame + frames)
    for (let at = Math.max(0, frame); at < end; at++) {
      this.#marked[at] = 1
      if (!this.told) this.columns.use[at] = this.#free
    }
  }

  /** Behind the last: what was not marked is used, from one frame to before another. */
  done(from: number, to: number): number {
    const { columns, told } = this
    const free = columns.uses.map(({ kind }) => kind === 'free')
    let different = 0
    for (let at = Math.max(0, from); at < Math.min(to, columns.count); at++) {
      if (told) {
        const use = columns.use[at]!
        if (use !== USE_UNKNOWN && free[use] !== (this.#marked[at] === 1)) different++
      } else if (this.#marked[at] === 0) columns.use[at] = this.#used
    }
    return different
  }
}

/** Before anything of an allocator has been found. */
const nothingRead = (kind: AllocatorReading['kind'], name: string): AllocatorReading => ({
  kind,
  name,
  free: undefined,
  disagreements: 0,
})

export function readBitmap(
  reader: Reader,
  lens: BitmapLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  const reading = nothingRead('bitmap', lens.name ?? 'bitmap')
  const bits = reader.place(lens.bits)
  const count = reader.number(lens.count)
  const first = reader.number(lens.first ?? 0) ?? 0
  const each = framesEach(reader, lens.size)
  if (bits === undefined || count === undefined || each === undefined || count < 0) return reading
  const most = Math.min(count, Math.max(0, Math.ceil(columns.count / each) - first))
  const bytes = reader.view.bytes(bits, Math.ceil(most / 8))
  if (bytes.length < Math.ceil(most / 8))
    reader.trouble(String(lens.bits), `only ${bytes.length} of ${Math.ceil(most / 8)} bytes are mapped`)
  const marks = new FreeMarks(columns, told)
  let free = 0
  const known = Math.min(most, bytes.length * 8)
  for (let i = 0; i < known; i++) {
    if (((bytes[i >> 3]! >> (i & 7)) & 1) === lens.used) continue
    free += each
    marks.free((first + i) * each, each)
  }
  if (bytes.length === 0) return reading
  reading.free = free
  reading.disagreements = marks.done(first * each, (first + known) * each)
  claim(reader, reading, lens.free)
  return reading
}

export function readBuddy(
  reader: Reader,
  lens: BuddyLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  const reading = nothingRead('buddy', lens.name ?? 'buddy')
  const orders = reader.number(lens.orders, undefined, undefined, ORDERS_MAX)
  const lists = reader.value(lens.lists)
  const each = framesEach(reader, lens.size)
  if (orders === undefined || !lists || each === undefined) return reading
  const marks = new FreeMarks(columns, told)
  const blocks: number[] = []
  let free = 0
  for (let order = 0; order < orders; order++) {
    const head = reader.attempt(`${lens.lists}[${order}]`, () =>
      elementOf(lists, BigInt(order), reader.scope()),
    )
    if (!head) return reading
    let count = 0
    // The head is at hand as @: a walk starts from it.
    for (const node of reader.walk({ list: '&@', type: lens.type, link: lens.link }, head)) {
      const frame = reader.number(lens.frame, node, head)
      if (frame === undefined) continue
      count++
      const frames = 2 ** order * each
      if (frame * each + frames > columns.count || frame % 2 ** order !== 0)
        reader.trouble(`${lens.lists}[${order}]`, `block ${frame} is not in RAM, or not aligned to its size`)
      free += frames
      marks.free(frame * each, frames)
      columns.order.fill(order, frame * each, Math.min(columns.count, frame * each + frames))
    }
    blocks.push(count)
  }
  reading.free = free
  reading.blocks = blocks
  reading.disagreements = marks.done(0, columns.count)
  claim(reader, reading, lens.free)
  if (lens.counts !== undefined) {
    const counts = reader.value(lens.counts)
    const scope: Scope = reader.scope()
    const claimed =
      counts &&
      reader.attempt(String(lens.counts), () =>
        blocks.map((_, order) => Number(numberOf(elementOf(counts, BigInt(order), scope), scope))),
      )
    if (claimed) reading.claimedBlocks = claimed
  }
  return reading
}

export function readFreeList(
  reader: Reader,
  lens: FreeListLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  function* frames() {
    for (const node of reader.walk(lens.list)) {
      const physical = reader.view.physical(node.at)
      if (physical !== undefined) yield Math.floor(physical / PAGE)
    }
  }
  return readListed(lens, framesEach(reader, lens.size), frames(), columns, told)
}

/** A free list, whose entries are of `each` frames (undefined: of a size that cannot be told) and begin at these. */
function readListed(
  { name }: { name?: string | undefined },
  each: number | undefined,
  frames: Iterable<number>,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  const reading = nothingRead('free-list', name ?? 'free list')
  if (each === undefined) return reading
  const marks = new FreeMarks(columns, told)
  let free = 0
  let highest = 0
  for (const frame of frames) {
    free += each
    highest = Math.max(highest, frame + each)
    marks.free(frame, each)
  }
  reading.free = free
  reading.disagreements = marks.done(0, told ? columns.count : highest)
  return reading
}

export function readStack(
  reader: Reader,
  lens: StackLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  const reading = nothingRead('stack', lens.name ?? 'stack of frames')
  const each = framesEach(reader, lens.size)
  const entries = reader.value(lens.entries)
  const top = reader.number(lens.top, undefined, undefined, WALK_MAX)
  if (each === undefined || !entries || top === undefined) return reading
  const marks = new FreeMarks(columns, told)
  const scope = reader.scope()
  let highest = 0
  const read = reader.attempt(String(lens.entries), () => {
    for (let i = 0; i < top; i++) {
      const value = Number(numberOf(elementOf(entries, BigInt(i), scope), scope))
      // What is larger than any frame's number is an address.
      const frame = value >= columns.count && value % PAGE === 0 ? value / PAGE : value * each
      highest = Math.max(highest, frame + each)
      marks.free(frame, each)
    }
    return top * each
  })
  reading.free = read
  reading.disagreements = read === undefined ? 0 : marks.done(0, told ? columns.count : highest)
  return reading
}

/** The pages of a list without types, as far as it goes: linear address and frame of each. */
export function* rawList(reader: Reader, lens: RawListLens): Generator<{ node: bigint; frame: number }> {
  const head = reader.big(lens.head)
  if (head === undefined) return
  let node = reader.view.unsigned(head, lens.width)
  const seen = new Set<number>()
  while (node !== undefined && node !== 0n) {
    const physical = reader.view.physical(node)
    if (physical === undefined || physical % PAGE !== 0)
      return reader.trouble(String(lens.head), 'the list leads out of memory')
    const frame = physical / PAGE
    if (seen.has(frame)) return reader.trouble(String(lens.head), 'the list goes round in a circle')
    seen.add(frame)
    yield { node, frame }
    node = reader.view.unsigned(node + BigInt(lens.next), lens.width)
  }
  if (node === undefined) reader.trouble(String(lens.head), 'the list leads to what is not mapped')
}

export function readRawList(
  reader: Reader,
  lens: RawListLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  function* frames() {
    for (const { frame } of rawList(reader, lens)) yield frame
  }
  return readListed(lens, framesEach(reader, lens.size), frames(), columns, told)
}

export function readRawBuddy(
  reader: Reader,
  lens: RawBuddyLens,
  columns: FrameColumns,
  told: boolean,
): AllocatorReading {
  const reading = nothingRead('buddy', lens.name ?? 'buddy')
  const each = framesEach(reader, lens.size)
  const orders = reader.number(lens.orders, undefined, undefined, ORDERS_MAX)
  const lists = reader.big(lens.lists)
  const nodes = reader.big(lens.nodes)
  if (
    each === undefined ||
    orders === undefined ||
    lists === undefined ||
    nodes === undefined ||
    lens.record < 8
  )
    return reading
  const marks = new FreeMarks(columns, told)
  const blocks: number[] = []
  let free = 0
  let highest = 0
  for (let order = 0; order < orders; order++) {
    const head = lists + BigInt(order * lens.stride)
    let count = 0
    let at = reader.view.unsigned(head, 8)
    for (; at !== undefined && at !== head && count < WALK_MAX; at = reader.view.unsigned(at, 8)) {
      const frame = Number(BigInt.asIntN(64, at - nodes)) / lens.record
      const frames = 2 ** order * each
      if (
        !Number.isInteger(frame) ||
        frame < 0 ||
        frame * each + frames > columns.count ||
        frame % 2 ** order !== 0
      ) {
        reader.trouble(
          String(lens.lists),
          `a node of list ${order} is no frame of RAM, or not aligned to its block`,
        )
        break
      }
      count++
      free += frames
      highest = Math.max(highest, frame * each + frames)
      marks.free(frame * each, frames)
      columns.order.fill(order, frame * each, frame * each + frames)
    }
    if (at === undefined) reader.trouble(String(lens.lists), `list ${order} leads to what is not mapped`)
    blocks.push(count)
  }
  reading.free = free
  reading.blocks = blocks
  reading.disagreements = marks.done(0, told ? columns.count : highest)
  return reading
}

function framesEach(reader: Reader, size: string | number): number | undefined {
  const bytes = reader.number(size)
  if (bytes === undefined) return undefined
  if (bytes >= PAGE && bytes % PAGE === 0 && bytes <= 2 ** 30) return bytes / PAGE
  reader.trouble(String(size), `${bytes} bytes are no number of frames`)
  return undefined
}

function claim(reader: Reader, reading: AllocatorReading, free: string | number | undefined) {
  if (free === undefined) return
  const claimed = reader.number(free)
  if (claimed !== undefined) reading.claimed = claimed
}
