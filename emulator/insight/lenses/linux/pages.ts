// struct page, one for each frame: what it is used for, by page flags, page types and mapping (include/linux/mm_types.h,
// include/linux/page-flags.h of 6.1).
import { type FrameColumns, emptyColumns, ORDER_NONE } from '../reading'
import type { KernelReader } from './kernel-reader'

/** As the panel calls them; `FREE` and so on are their places. */
export const USES = [
  { name: 'unknown', kind: 'unknown' },
  { name: 'reserved', kind: 'reserved' },
  { name: 'free', kind: 'free' },
  // In a list of a CPU: the buddy allocator counts them as given out.
  { name: 'free, held by a CPU', kind: 'reserved' },
  { name: 'slab', kind: 'used' },
  { name: 'page table', kind: 'used' },
  { name: 'anonymous', kind: 'used' },
  { name: 'file', kind: 'used' },
  { name: 'shared memory', kind: 'used' },
  { name: 'kernel', kind: 'used' },
] as const satisfies FrameColumns['uses']
export const [, RESERVED, FREE, HELD, SLAB, TABLE, ANONYMOUS, FILE, SHARED, KERNEL] = [...USES.keys()] as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

/** Page types have bits cleared in what is else the count of mappings. */
const PAGE_TYPE_BASE = 0xf000_0000
const PG_BUDDY = 0x80
const PG_TABLE = 0x200
const MAPPING_ANON = 1
const MAPPING_MOVABLE = 2
/** What column() gives where no struct page is mapped: holes of the physical memory have none. */
const MISSING = 0xffff_ffff
const ORDER_MAX = 20

/** Frames of one step: some milliseconds. */
const STEP = 1 << 14

/** Words of some thousand struct pages, one behind the other. */
interface Columns {
  flags: Uint32Array
  heads: Uint32Array | undefined
  mapping: Uint32Array
  types: Uint32Array
}

export class Pages {
  readonly frames: FrameColumns
  /** Of each frame in a compound page behind its first: how many frames behind; 0: it is the first, or alone. */
  readonly behind: Uint32Array
  /** Where struct page 0 is, and the bytes of one. */
  readonly table: bigint
  readonly size: number
  /** Linear address of frame 0 in the kernel's direct map. */
  readonly direct: bigint

  constructor(readonly linux: KernelReader) {
    const { memory } = linux
    this.frames = { ...emptyColumns(memory.frameCount), uses: [...USES] }
    this.behind = new Uint32Array(memory.frameCount)
    this.table = linux.variable('vmemmap_base') ?? 0n
    this.direct = linux.variable('page_offset_base') ?? 0n
    const { btf } = linux.kernel
    this.size = btf.sizeOf(btf.named('struct page')) || 64
  }

  /** The frame that a struct page is of; what is none of ours is out of range. */
  frameOf(page: bigint): number {
    return Number((page - this.table) / BigInt(this.size))
  }
  pageOf(frame: number): bigint {
    return this.table + BigInt(frame * this.size)
  }
  addressOf(frame: number): bigint {
    return BigInt.asUintN(64, this.direct + BigInt(frame) * 4096n)
  }
  has(frame: number): boolean {
    return frame >= 0 && frame < this.frames.count
  }

  /** What each struct page says, some thousand of them a step. The guest may run meanwhile: each word is whole. */
  *steps(): Generator<void> {
    const { linux, frames, size } = this
    const { reader, view } = linux
    const offsetOf = (name: string) => linux.field('struct page', name)?.offset
    const [flagsAt, headAt, mappingAt, typeAt] = [
      ...[offsetOf('flags'), offsetOf('compound_head')],
      ...[offsetOf('mapping'), offsetOf('page_type')],
    ]
    const bit = (name: string) => linux.enumerator('enum pageflags', name)
    const [slab, reserved] = [bit('PG_slab'), bit('PG_reserved')]
    const [head, backed] = [bit('PG_head'), bit('PG_swapbacked')]
    if (mappingAt === undefined || typeAt === undefined || slab === undefined || reserved === undefined)
      return reader.trouble('struct page', 'BTF does not describe it as expected')
    const { count } = frames
    const words = Array.from({ length: 4 }, () => new Uint32Array(Math.min(count, STEP)))
    let lost = 0
    for (let first = 0; first < count; first += STEP) {
      const length = Math.min(STEP, count - first)
      const [flags, heads, mapping, types] = [flagsAt ?? 0, headAt, mappingAt, typeAt].map((offset, i) => {
        if (offset === undefined) return undefined
        const values = words[i]!.subarray(0, length)
        const missing = view.column(this.pageOf(first), size, offset, 4, values, MISSING)
        if (i === 0) lost += missing
        return values
      })
      this.#classify(
        first,
        { flags: flags!, heads, mapping: mapping!, types: types! },
        { slab, reserved, head, backed },
      )
      yield
    }
    if (lost === count) reader.trouble('vmemmap_base', 'no struct page is mapped')
  }

  /** @param bits of `flags`, by number */
  #classify(
    from: number,
    { flags, heads, mapping, types }: Columns,
    {
      slab,
      reserved,
      head,
      backed,
    }: Record<'slab' | 'reserved', number> & Record<'head' | 'backed', number | undefined>,
  ) {
    const { frames, size, behind } = this
    const { use } = frames
    const tableLow = Number(this.table & 0xffff_ffffn)
    for (let i = 0; i < flags.length; i++) {
      const frame = from + i
      const flag = flags[i]!
      if (flag === MISSING) continue
      // A frame behind the first of a compound page is what the first one is: bit 0, and where it is.
      if (heads && heads[i]! & 1) {
        const first = ((heads[i]! - 1 - tableLow) >>> 0) / size
        if (Number.isInteger(first) && first < frame && frame - first < 2 ** ORDER_MAX) {
          behind[frame] = frame - first
          use[frame] = use[first]!
          frames.order[frame] = frames.order[first]!
          continue
        }
      }
      const type = types[i]!
      const typed = (type & PAGE_TYPE_BASE) >>> 0 === PAGE_TYPE_BASE && type !== MISSING
      // PG_buddy says so of the first frame of a free block; which are free now, the lists tell, with the machine held (zones.ts).
      if (typed && (type & PG_BUDDY) === 0) use[frame] = KERNEL
      else if ((flag >>> slab) & 1) use[frame] = SLAB
      else if ((flag >>> reserved) & 1) use[frame] = RESERVED
      else if (typed && (type & PG_TABLE) === 0) use[frame] = TABLE
      else if (mapping[i]! & MAPPING_ANON) use[frame] = ANONYMOUS
      else if (mapping[i]! !== 0 && (mapping[i]! & MAPPING_MOVABLE) === 0)
        use[frame] = backed !== undefined && (flag >>> backed) & 1 ? SHARED : FILE
      else use[frame] = KERNEL
      if (head !== undefined && (flag >>> head) & 1) this.#order(frame)
    }
  }

  /** The order of a compound page is noted in its second struct page. */
  #order(frame: number) {
    const { linux, frames } = this
    const field = linux.field('struct page', 'compound_order')
    if (!field) return
    const order = linux.view.unsigned(this.pageOf(frame + 1) + BigInt(field.offset), 1)
    if (order !== undefined && order > 0n && order <= ORDER_MAX && frame % 2 ** Number(order) === 0)
      frames.order[frame] = Number(order)
    else frames.order[frame] = ORDER_NONE
  }

  /** Says of a block what it is. */
  mark(frame: number, order: number, use: number) {
    if (!this.has(frame) || frame + 2 ** order > this.frames.count) return false
    this.frames.use.fill(use, frame, frame + 2 ** order)
    this.frames.order.fill(order, frame, frame + 2 ** order)
    return true
  }
}
