// The kernel's own table with an entry per page frame, as columns.
import { fieldOf, type Shape, sizeOf, type Value } from './evaluate'
import { elementOf } from './evaluate'
import { type FramesLens, parsed } from './lens'
import type { Reader } from './reader'
import { enumeratorWords, type FrameColumns, ORDER_NONE } from './reading'

const PAGE = 4096

/** Values of `use` that fit a column. */
const USES_MAX = 250

/** Of the table: where it begins, an entry's type and bytes, and which frames the entries are about. */
export interface FrameTable {
  first: Value & { at: bigint }
  shape: Shape
  stride: number
  entries: number
  firstFrame: number
  /** 4 KiB frames that an entry is about. */
  each: number
}

export function frameTable(reader: Reader, lens: FramesLens, frames: number): FrameTable | undefined {
  const table = reader.value(lens.table)
  const count = reader.number(lens.count)
  const size = reader.number(lens.size)
  const firstFrame = reader.number(lens.first ?? 0)
  if (!table || count === undefined || size === undefined || firstFrame === undefined) return undefined
  const first = reader.attempt(String(lens.table), () => elementOf(table, 0n, reader.scope()))
  if (!first || !('at' in first)) return undefined
  const stride = sizeOf(first.shape, reader.scope())
  if (stride === undefined || stride === 0) {
    reader.trouble(String(lens.table), 'the size of an entry is not known')
    return undefined
  }
  if (size < PAGE || size % PAGE !== 0 || firstFrame < 0 || count < 0) {
    reader.trouble(String(lens.table), `frames of ${size} bytes from ${firstFrame} cannot be shown`)
    return undefined
  }
  const each = size / PAGE
  // A kernel may keep entries for more than there is RAM; and nonsense ends there.
  const entries = Math.max(0, Math.min(count, Math.ceil(frames / each) - firstFrame))
  return { first, shape: first.shape, stride, entries, firstFrame, each }
}

/** Fills in use, order, owner and references. @returns whether the table could be read */
export function readFrameTable(reader: Reader, lens: FramesLens, columns: FrameColumns): boolean {
  const table = frameTable(reader, lens, columns.count)
  if (!table) return false
  const { first, shape, stride, entries, firstFrame, each } = table
  const column = <A extends Uint8Array | Uint16Array | Uint32Array>(
    text: string | number,
    make: (length: number) => A,
  ): A | undefined => {
    const field = fieldOf(parsed(text), shape, reader.kernel)
    if (!field) {
      reader.trouble(String(text), 'it is no plain member of the table’s entries')
      return undefined
    }
    const values = make(entries)
    const lost = reader.view.column(first.at, stride, field.offset, field.size, values)
    if (lost > 0) reader.trouble(String(text), `${lost} of ${entries} entries are not mapped`)
    if (lost === entries) return undefined
    if (firstFrame === 0 && each === 1 && entries === columns.count) return values
    const spread = make(columns.count)
    for (let i = 0; i < entries; i++)
      spread.fill(values[i]!, (firstFrame + i) * each, (firstFrame + i + 1) * each)
    return spread
  }
  const { use, order, owner, references } = lens
  if (use) {
    const names = reader.enumerators(use.enum)
    const values = column(use.value, (length) => new Uint8Array(length).fill(0xff))
    if (!values) return false
    setUses(columns, values, names, use.free ?? [], entries * each, firstFrame * each)
  }
  const orders = order === undefined ? undefined : column(order, (length) => new Uint8Array(length))
  if (orders) columns.order.set(orders)
  if (owner !== undefined) {
    const owners = column(owner, (length) => new Uint32Array(length))
    if (owners) columns.owner = owners
  }
  if (references !== undefined) {
    const found = column(references, (length) => new Uint32Array(length))
    if (found) columns.references = found
  }
  if (orders) spreadOrders(columns)
  return true
}

function setUses(
  columns: FrameColumns,
  values: Uint8Array,
  names: Map<bigint, string>,
  free: string[],
  length: number,
  from: number,
) {
  const words = enumeratorWords([...names.values()])
  const index = new Uint8Array(256)
  let i = 0
  for (const [value, name] of names) {
    const word = words[i++]!
    if (value < 0n || value > 255n || columns.uses.length > USES_MAX) continue
    index[Number(value)] = columns.uses.length
    const kind = free.includes(name) ? 'free' : /reserved/i.test(name) ? 'reserved' : 'used'
    columns.uses.push({ name: word, kind })
  }
  for (let frame = from; frame < from + length && frame < columns.count; frame++)
    columns.use[frame] = index[values[frame]!]!
}

/**
 * Kernels note the order of a block in its first frame; the others carry what they had before. From the lowest frame up, each
 * block begins where the last one ended.
 */
function spreadOrders({ count, use, uses, order }: FrameColumns) {
  const kinds = uses.map(({ kind }) => kind)
  for (let frame = 0; frame < count; ) {
    const here = use[frame]!
    const noted = order[frame]!
    const kind = kinds[here]
    if (kind === 'reserved' || kind === 'unknown' || noted > 20) {
      order[frame++] = ORDER_NONE
      continue
    }
    const size = 2 ** noted
    let end = Math.min(count, frame + size)
    // A block that does not fit says nothing: it is the first frame of something else.
    if (frame % size !== 0) end = frame + 1
    for (let at = frame; at < end; at++) if (use[at] !== here) end = at
    order.fill(noted, frame, end)
    frame = end
  }
}
