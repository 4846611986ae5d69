// An address space as a whole: what its page tables map, merged to ranges that a person can read, and the tree of
// tables behind them. The tables are read as they are in memory; nothing is marked accessed. Hostile tables are
// normal input: recursion ends at a table that lies on its own path, and the number of tables read is bounded.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { type PagingControl, type PagingKind, pagingKind } from './page-walk'

/** Consecutive pages with the same rights. Addresses are linear, sign-extended to 64 bits, unsigned. */
export interface MappedRange {
  start: bigint
  /** Bytes. */
  length: bigint
  /** Guest-physical address behind `start`. */
  physical: bigint
  /** The physical pages follow each other as the linear ones do. */
  contiguous: boolean
  /** Bytes of its pages: 4 KiB, 2 MiB, 4 MiB or 1 GiB; 0 when they differ. */
  pageSize: number
  writable: boolean
  user: boolean
  executable: boolean
  /** Every page has G set. */
  global: boolean
  /** Pages, whatever their size, and how many of them were accessed and written. */
  pages: number
  accessed: number
  dirty: number
  /** What it looks like, by its place alone: a guess for the reader, never used for anything else. */
  looksLike: 'identity' | 'direct map' | 'kernel image' | undefined
}

export interface TableNode {
  /** 5 PML5 .. 1 page table. */
  level: number
  /** Guest-physical address of the table. */
  table: number
  /** Linear address that its first entry maps, sign-extended, unsigned. */
  start: bigint
  /** Bytes that the whole table can map. */
  span: bigint
  /** Entries that are present, of 512 (1024 in 32-bit paging). */
  present: number
  /** Pages mapped below it, and how many of them were accessed and written. */
  pages: number
  accessed: number
  dirty: number
  /** Bytes mapped below it. */
  mapped: number
  children: TableNode[]
  /** Children that `pruned` left out. */
  hidden: number
  /** Slots that lead back to a table above: a recursive mapping. */
  recursive: number[]
}

export interface AddressSpace {
  kind: PagingKind
  /** Guest-physical address of the top table. */
  root: number
  ranges: MappedRange[]
  /** Ranges left out because there were more than RANGES_MAX. */
  rangesLeftOut: number
  tree: TableNode | undefined
  /** Tables that were read. */
  tables: number
  /** Reading ended early, at TABLES_MAX. */
  incomplete: boolean
  /** Entries that point to tables outside RAM and ROM. */
  strays: number
}

export const TABLES_MAX = 20_000
export const RANGES_MAX = 4096
/** Runs of pages that are kept: tables that a hostile guest makes have millions. */
const SCANNED_MAX = 1 << 18
/** Runs of physically consecutive pages shorter than this do not make a range of their own. */
const RUN_MIN = 16

const RIGHT_WRITE = 1
const RIGHT_USER = 2
const RIGHT_NX = 4

/** Pages in a row with frames in a row, mapped alike. */
export interface Run {
  /** Page number, not sign-extended. */
  page: number
  /** In 4 KiB pages. */
  count: number
  frame: number
  contiguous: boolean
  /** Level of its entries; 0 when they differ. */
  level: number
  rights: number
  global: boolean
  pages: number
  accessed: number
  dirty: number
}

class Scanner {
  readonly runs: Run[] = []
  tables = 0
  strays = 0
  incomplete = false
  readonly #path: number[] = []
  readonly #wide: boolean
  readonly #indexBits: number

  constructor(
    readonly memory: MachineMemory,
    readonly kind: Exclude<PagingKind, 'none'>,
    readonly nxe: boolean,
    readonly pse: boolean,
  ) {
    this.#wide = kind !== '32-bit'
    this.#indexBits = this.#wide ? 9 : 10
  }

  /** 4 KiB pages that one entry of a level maps. */
  #reach(level: number): number {
    return 2 ** (this.#indexBits * (level - 1))
  }

  /** @param page number of the first page that the table maps */
  scan(level: number, table: number, page: number, rights: number): TableNode | undefined {
    const pointer = this.memory.physicalPointer(table)
    if (pointer === undefined) {
      this.strays++
      return undefined
    }
    if (this.tables >= TABLES_MAX) {
      this.incomplete = true
      return undefined
    }
    this.tables++
    this.#path.push(table)
    const entries = 2 ** this.#indexBits
    const reach = this.#reach(level)
    const node: TableNode = {
      level,
      table,
      start: linearOf(page, this.kind),
      span: BigInt(entries * reach) << 12n,
      present: 0,
      pages: 0,
      accessed: 0,
      dirty: 0,
      mapped: 0,
      children: [],
      hidden: 0,
      recursive: [],
    }
    const { u32 } = this.memory
    const first = pointer >>> 2
    for (let i = 0; i < entries; i++) {
      const low = this.#wide ? u32[first + 2 * i]! : u32[first + i]!
      if ((low & 1) === 0) continue
      const high = this.#wide ? u32[first + 2 * i + 1]! : 0
      this.#entry(node, i, low, high, page + i * reach, rights)
    }
    this.#path.pop()
    return node
  }

  #entry(node: TableNode, index: number, low: number, high: number, page: number, above: number) {
    const { level } = node
    node.present++
    // Rights are what every level grants: W and U only if all have them, NX if one has it (SDM 3A 4.6).
    let rights = above & ~(RIGHT_WRITE | RIGHT_USER)
    if (low & 2) rights |= above & RIGHT_WRITE
    if (low & 4) rights |= above & RIGHT_USER
    if (this.nxe && high >>> 31) rights |= RIGHT_NX
    const frame = (low >>> 12) + 2 ** 20 * (high & 0xf_ffff)
    const large = level > 1 && (low & 0x80) !== 0 && (this.#wide ? level <= 3 : this.pse)
    if (level === 1 || large) return this.#leaf(node, low, frame, page, rights)
    const table = frame * 4096
    if (this.#path.includes(table)) {
      node.recursive.push(index)
      return
    }
    const child = this.scan(level - 1, table, page, rights)
    if (!child) return
    node.children.push(child)
    node.pages += child.pages
    node.accessed += child.accessed
    node.dirty += child.dirty
    node.mapped += child.mapped
  }

  #leaf(node: TableNode, low: number, frame: number, page: number, rights: number) {
    const { level } = node
    const count = this.#reach(level)
    const large = level > 1
    const base = large
      ? Math.floor(frame / count) * count + (this.#wide ? 0 : 2 ** 20 * ((low >>> 13) & 0xff))
      : frame
    const accessed = (low >>> 5) & 1
    const dirty = (low >>> 6) & 1
    node.pages++
    node.accessed += accessed
    node.dirty += dirty
    node.mapped += count * 4096
    const global = (low & 0x100) !== 0
    const last = this.runs.at(-1)
    if (
      last &&
      last.page + last.count === page &&
      last.frame + last.count === base &&
      last.rights === rights &&
      last.level === level &&
      last.global === global
    ) {
      last.count += count
      last.pages++
      last.accessed += accessed
      last.dirty += dirty
      return
    }
    if (this.runs.length >= SCANNED_MAX) {
      this.incomplete = true
      return
    }
    this.runs.push({
      ...{ page, count, frame: base, contiguous: true, level, rights, global },
      ...{ pages: 1, accessed, dirty },
    })
  }
}

/** @param page number of a page, not sign-extended */
export function linearOf(page: number, kind: PagingKind): bigint {
  const bits = kind === '5-level' ? 57 : kind === '4-level' ? 48 : 32
  const linear = BigInt(page) << 12n
  return bits === 32 ? linear : BigInt.asUintN(64, BigInt.asIntN(bits, linear))
}

/** What an address space maps, run by run in ascending order, not merged. */
export function scanAddressSpace(
  memory: MachineMemory,
  control: PagingControl,
): { runs: Run[]; tree: TableNode | undefined; tables: number; incomplete: boolean; strays: number } {
  const kind = pagingKind(control)
  if (kind === 'none') return { runs: [], tree: undefined, tables: 0, incomplete: false, strays: 0 }
  const scanner = new Scanner(
    memory,
    kind,
    ((control.efer >> 11n) & 1n) !== 0n && kind !== '32-bit',
    ((control.cr4 >> 4n) & 1n) !== 0n,
  )
  const levels = kind === '5-level' ? 5 : kind === '4-level' ? 4 : 2
  const tree =
    kind === 'PAE'
      ? scanHeldPdptes(scanner, control)
      : scanner.scan(levels, rootOf(control), 0, RIGHT_WRITE | RIGHT_USER)
  const { runs, tables, incomplete, strays } = scanner
  return { runs, tree, tables, incomplete, strays }
}

const rootOf = (control: PagingControl): number =>
  Number(control.cr3 & (pagingKind(control) === '32-bit' ? 0xffff_f000n : 0xf_ffff_ffff_f000n))

/**
 * Reads a whole address space.
 * @param control of the CPU whose address space it is
 */
export function readAddressSpace(memory: MachineMemory, control: PagingControl): AddressSpace {
  const kind = pagingKind(control)
  const { runs, tree, tables, incomplete, strays } = scanAddressSpace(memory, control)
  const merged = merge(runs)
  const ranges = merged.slice(0, RANGES_MAX).map((run) => rangeOf(run, kind))
  nameRanges(ranges, memory.header32(L.HDR_RAM_SIZE))
  const rangesLeftOut = merged.length - ranges.length
  return { kind, root: rootOf(control), ranges, rangesLeftOut, tree, tables, incomplete, strays }
}

/** PAE paging: the processor holds the four PDPTEs, and they have no rights (SDM 3A 4.4.1). */
function scanHeldPdptes(scanner: Scanner, { cr3, pdptes = [] }: PagingControl): TableNode {
  const node: TableNode = {
    ...{ level: 3, table: Number(cr3 & 0xffff_ffe0n), start: 0n, span: 1n << 32n },
    ...{ present: 0, pages: 0, accessed: 0, dirty: 0, mapped: 0, children: [], hidden: 0, recursive: [] },
  }
  for (const [i, entry] of pdptes.entries()) {
    if ((entry & 1n) === 0n) continue
    node.present++
    const table = Number(entry & 0xf_ffff_ffff_f000n)
    const child = scanner.scan(2, table, i * 2 ** 18, RIGHT_WRITE | RIGHT_USER)
    if (!child) continue
    node.children.push(child)
    node.pages += child.pages
    node.accessed += child.accessed
    node.dirty += child.dirty
    node.mapped += child.mapped
  }
  return node
}

/** Joins neighbours with the same rights; a long run of consecutive frames stays a range of its own. */
function merge(runs: readonly Run[]): Run[] {
  const merged: Run[] = []
  for (const run of runs) {
    const last = merged.at(-1)
    const joins =
      last &&
      last.page + last.count === run.page &&
      last.rights === run.rights &&
      ((last.contiguous && last.frame + last.count === run.frame) ||
        (run.count < RUN_MIN && (!last.contiguous || last.count < RUN_MIN)))
    if (!joins) {
      merged.push({ ...run })
      continue
    }
    if (last.frame + last.count !== run.frame) last.contiguous = false
    if (last.level !== run.level) last.level = 0
    last.count += run.count
    last.global = last.global && run.global
    last.pages += run.pages
    last.accessed += run.accessed
    last.dirty += run.dirty
  }
  return merged
}

function rangeOf(run: Run, kind: PagingKind): MappedRange {
  const bits = kind === '32-bit' ? 10 : 9
  return {
    start: linearOf(run.page, kind),
    length: BigInt(run.count) << 12n,
    physical: BigInt(run.frame) << 12n,
    contiguous: run.contiguous,
    pageSize: run.level === 0 ? 0 : 4096 * 2 ** (bits * (run.level - 1)),
    writable: (run.rights & RIGHT_WRITE) !== 0,
    user: (run.rights & RIGHT_USER) !== 0,
    executable: (run.rights & RIGHT_NX) === 0,
    global: run.global,
    pages: run.pages,
    accessed: run.accessed,
    dirty: run.dirty,
    looksLike: undefined,
  }
}

/** Where kernels of the x86-64 code model lie: the top 2 GiB. */
const TOP_2_GIB = 0xffff_ffff_8000_0000n
/** A range in the upper half that maps at least this part of RAM in order is taken for the direct map. */
const MOST_OF_RAM = 4

function nameRanges(ranges: MappedRange[], ramSize: number) {
  for (const range of ranges) {
    const { start, physical, length, contiguous } = range
    if (!contiguous) continue
    if (start === physical) range.looksLike = 'identity'
    else if (start >= TOP_2_GIB) range.looksLike = 'kernel image'
    else if (start >> 47n !== 0n && length * BigInt(MOST_OF_RAM) >= BigInt(ramSize))
      range.looksLike = 'direct map'
  }
}

/** The tree with at most `most` tables, upper levels first: what fits a picture. */
export function pruned(root: TableNode, most: number): TableNode {
  let left = most - 1
  const copy = { ...root }
  for (let level = [copy]; level.length > 0; ) {
    const below: TableNode[] = []
    for (const node of level) {
      const kept = node.children.slice(0, Math.max(0, left)).map((child) => ({ ...child }))
      left -= kept.length
      node.hidden = node.children.length - kept.length
      node.children = kept
      below.push(...kept)
    }
    level = below
  }
  return copy
}
