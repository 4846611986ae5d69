// Where each physical frame is mapped, and how often: the page tables read backwards, over all live address spaces at once.
// A table that several address spaces share counts once: what is counted are entries in memory. Kept up to date by comparing each
// table with what it was at the last look, so that a look at tables nobody changed costs a comparison of bytes (10 GB a
// second; keeping the guest from writing to them unseen would cost the guest). Hostile tables are normal input: each table
// is read once per level, whatever points to it, and their number is bounded.
import type { MachineMemory } from '../../machine/memory'
import { type PagingControl, type PagingKind, pagingKind } from '../page-walk'

/** Tables (at a level) that are followed: 4 GiB in 4 KiB pages take 2,053. */
export const TABLES_MAX = 1 << 16
/** Mappings of one frame that are told. */
const MAPPINGS_MAX = 64

export interface Root {
  control: PagingControl
  /** Whose address space it is, for people. */
  name: string
  /** The task it is of, as the kernel numbers its tasks. */
  task?: number
}

/** Several tasks have the frame. */
export const OWNER_SEVERAL = 0xffff_ffff

/** One entry that maps a frame. */
export interface Mapping {
  /** Sign-extended, unsigned. */
  linear: bigint
  /** Guest-physical address of the entry. */
  entry: number
  pageSize: number
  writable: boolean
  user: boolean
  executable: boolean
  /** Address spaces it belongs to, by their names. */
  spaces: string[]
}

interface Table {
  frame: number
  level: number
  narrow: boolean
  /** What it held when it was looked at last, and the same as bytes. */
  copy: Uint32Array
  bytes: Uint8Array
  /** Addresses of the tables that its entries lead to. */
  below: number[]
  /** Number of the look that met it last. */
  met: number
}

const WIDE_ENTRIES = 512
const PS = 0x80

export class ReverseMap {
  /** Entries that map each frame; those of large pages count for all of their frames. At most 65535. */
  readonly counts: Uint16Array
  /** Level of each frame that is a page table: 1 page table .. 5; 0: it is none. */
  readonly levels: Uint8Array
  /** Tables were left out: there are more than TABLES_MAX. */
  incomplete = false
  /** Entries that lead out of RAM and ROM. */
  strays = 0
  readonly #tables = new Map<number, Table>()
  readonly #now = new Uint32Array(1024)
  #look = 0
  #roots: Root[] = []

  constructor(readonly memory: MachineMemory) {
    this.counts = new Uint16Array(memory.frameCount)
    this.levels = new Uint8Array(memory.frameCount)
  }

  get tables(): number {
    return this.#tables.size
  }

  /** Looks at all tables of these address spaces; those of others are forgotten. */
  update(roots: readonly Root[]) {
    this.#look++
    this.incomplete = false
    this.strays = 0
    this.#roots = roots.filter(({ control }) => pagingKind(control) !== 'none')
    for (const { control } of this.#roots) {
      for (const { table, level, narrow } of topsOf(control)) this.#visit(table, level, narrow)
    }
    for (const [key, table] of this.#tables) {
      if (table.met === this.#look) continue
      for (let i = 0; i < entriesOf(table.narrow); i++) this.#count(table, table.copy, i, -1)
      this.#tables.delete(key)
    }
    this.levels.fill(0)
    for (const { frame, level } of this.#tables.values())
      if (frame < this.levels.length && level > this.levels[frame]!) this.levels[frame] = level
  }

  #visit(address: number, level: number, narrow: boolean) {
    const pointer = this.memory.physicalPointer(address)
    if (pointer === undefined) {
      this.strays++
      return
    }
    const frame = address / 4096
    const key = (frame * 8 + level) * 2 + (narrow ? 1 : 0)
    let table = this.#tables.get(key)
    if (table?.met === this.#look) return
    if (!table) {
      if (this.#tables.size >= TABLES_MAX) {
        this.incomplete = true
        return
      }
      const copy = new Uint32Array(1024)
      table = { ...{ frame, level, narrow, copy }, bytes: new Uint8Array(copy.buffer), below: [], met: 0 }
      this.#tables.set(key, table)
    }
    table.met = this.#look
    const now = this.memory.u8.subarray(pointer, pointer + 4096)
    if (Buffer.compare(now, table.bytes) !== 0) this.#changed(table, pointer)
    for (const below of table.below) this.#visit(below, level - 1, narrow)
  }

  /** Counts anew what has changed in a table. */
  #changed(table: Table, pointer: number) {
    const { copy, level, narrow } = table
    this.#now.set(this.memory.u32.subarray(pointer >>> 2, (pointer >>> 2) + 1024))
    // The guest may write between two reads: only what was copied counts.
    const now = this.#now
    if (level === 1 && !narrow) {
      const { counts } = this
      const frames = counts.length
      for (let i = 0; i < 1024; i += 2) {
        const low = now[i]!
        const high = now[i + 1]!
        const before = copy[i]!
        const beforeHigh = copy[i + 1]!
        if (low === before && high === beforeHigh) continue
        if (before & 1 && (beforeHigh & 0xf_ffff) === 0) {
          const frame = before >>> 12
          if (frame < frames) counts[frame] = Math.max(0, counts[frame]! - 1)
        }
        if (low & 1 && (high & 0xf_ffff) === 0) {
          const frame = low >>> 12
          if (frame < frames) counts[frame] = Math.min(0xffff, counts[frame]! + 1)
        }
      }
      copy.set(now)
      return
    }
    const entries = entriesOf(narrow)
    table.below = []
    for (let i = 0; i < entries; i++) {
      const at = narrow ? i : 2 * i
      const low = now[at]!
      if (low !== copy[at] || (!narrow && now[at + 1] !== copy[at + 1])) {
        this.#count(table, copy, i, -1)
        this.#count(table, now, i, 1)
      }
      if (level > 1 && low & 1 && !isLeaf(low, level, narrow))
        table.below.push(frameOf(now, i, narrow) * 4096)
    }
    copy.set(now)
  }

  #count(table: Table, words: Uint32Array, index: number, by: 1 | -1) {
    const { level, narrow } = table
    const low = words[narrow ? index : 2 * index]!
    if ((low & 1) === 0 || !isLeaf(low, level, narrow)) return
    const frames = reach(level, narrow)
    const first = level === 1 ? frameOf(words, index, narrow) : largeFrame(words, index, level, narrow)
    const { counts } = this
    const end = Math.min(counts.length, first + frames)
    for (let frame = first; frame < end; frame++) {
      const count = counts[frame]! + by
      counts[frame] = Math.max(0, Math.min(count, 0xffff))
    }
  }

  /**
   * Which task has each frame, by user pages of its address space and the tables that map them. 0: nobody's; what more than one
   * maps is `OWNER_SEVERAL`'s.
   */
  owners(): Uint32Array {
    const owners = new Uint32Array(this.counts.length)
    const give = (frame: number, task: number) => {
      if (frame < owners.length)
        owners[frame] = owners[frame] === 0 || owners[frame] === task ? task : OWNER_SEVERAL
    }
    for (const { control, task } of this.#roots) {
      if (task === undefined || task === 0) continue
      for (const top of topsOf(control)) this.#own(top.table, top.level, top.narrow, task, give, new Map())
    }
    return owners
  }

  /** 1 for each frame that a page table maps for user mode, and for the tables that do, in any address space. */
  userMapped(): Uint8Array {
    const found = new Uint8Array(this.counts.length)
    const give = (frame: number) => {
      if (frame < found.length) found[frame] = 1
    }
    const known = new Map<Table, boolean>()
    for (const { control } of this.#roots)
      for (const top of topsOf(control)) this.#own(top.table, top.level, top.narrow, 1, give, known)
    return found
  }

  /** @returns whether a user page is mapped below */
  #own(
    address: number,
    level: number,
    narrow: boolean,
    task: number,
    give: (frame: number, task: number) => void,
    known: Map<Table, boolean>,
  ): boolean {
    const frame = address / 4096
    const table = this.#tables.get((frame * 8 + level) * 2 + (narrow ? 1 : 0))
    if (!table) return false
    // Once per task, however many entries lead there: hostile tables would take for ever.
    const before = known.get(table)
    if (before !== undefined) return before
    known.set(table, false)
    let any = false
    const { copy } = table
    for (let i = 0; i < entriesOf(narrow); i++) {
      const low = copy[narrow ? i : 2 * i]!
      // Present, and for user mode.
      if ((low & 5) !== 5) continue
      if (!isLeaf(low, level, narrow)) {
        if (this.#own(frameOf(copy, i, narrow) * 4096, level - 1, narrow, task, give, known)) any = true
        continue
      }
      any = true
      const first = level === 1 ? frameOf(copy, i, narrow) : largeFrame(copy, i, level, narrow)
      const end = Math.min(this.counts.length, first + reach(level, narrow))
      for (let each = first; each < end; each++) give(each, task)
    }
    if (any) give(frame, task)
    known.set(table, any)
    return any
  }

  /** The entries that map a frame. As many as `most` are told; `counts` says how many there are. */
  mappings(frame: number, most = MAPPINGS_MAX): Mapping[] {
    const found: Mapping[] = []
    // What several spaces share is gone through once when the frame is not there.
    const without = new Set<Table>()
    for (const { control, name } of this.#roots) {
      const kind = pagingKind(control)
      const nxe = ((control.efer >> 11n) & 1n) !== 0n && kind !== '32-bit'
      for (const top of topsOf(control))
        this.#search(top, frame, { kind, nxe, name, most, found, path: [], without })
      if (found.length >= most) break
    }
    return found.slice(0, most)
  }

  /** @returns whether the frame is mapped there */
  #search({ table: address, level, narrow, page, rights }: Top, wanted: number, search: Search): boolean {
    const frame = address / 4096
    const table = this.#tables.get((frame * 8 + level) * 2 + (narrow ? 1 : 0))
    if (!table || search.without.has(table)) return false
    if (search.path.includes(table) || search.found.length >= search.most) return true
    let inside = false
    search.path.push(table)
    const size = reach(level, narrow)
    for (let i = 0; i < entriesOf(narrow); i++) {
      const low = table.copy[narrow ? i : 2 * i]!
      if ((low & 1) === 0) continue
      const leaf = isLeaf(low, level, narrow)
      const first =
        leaf && level > 1 ? largeFrame(table.copy, i, level, narrow) : frameOf(table.copy, i, narrow)
      if (leaf && (wanted < first || wanted >= first + size)) continue
      const high = narrow ? 0 : table.copy[2 * i + 1]!
      const now = {
        writable: rights.writable && (low & 2) !== 0,
        user: rights.user && (low & 4) !== 0,
        executable: rights.executable && !(search.nxe && high >>> 31),
      }
      const at = page + i * size
      if (!leaf) {
        const next = { table: first * 4096, level: level - 1, narrow, page: at, rights: now }
        if (this.#search(next, wanted, search)) inside = true
        continue
      }
      inside = true
      const entry = frame * 4096 + i * (narrow ? 4 : 8)
      const linear = linearOf(at + (wanted - first), search.kind)
      const known = search.found.find((each) => each.entry === entry && each.linear === linear)
      if (known) {
        if (!known.spaces.includes(search.name)) known.spaces.push(search.name)
      } else if (search.found.length < search.most)
        search.found.push({ linear, entry, pageSize: size * 4096, ...now, spaces: [search.name] })
    }
    search.path.pop()
    if (!inside) search.without.add(table)
    return inside
  }
}

interface Rights {
  writable: boolean
  user: boolean
  executable: boolean
}
interface Top {
  table: number
  level: number
  narrow: boolean
  page: number
  rights: Rights
}
interface Search {
  kind: PagingKind
  nxe: boolean
  name: string
  most: number
  found: Mapping[]
  path: Table[]
  /** Tables below which the frame is not mapped. */
  without: Set<Table>
}

const entriesOf = (narrow: boolean) => (narrow ? 1024 : WIDE_ENTRIES)
/** 4 KiB pages that an entry maps. */
const reach = (level: number, narrow: boolean) => 2 ** ((narrow ? 10 : 9) * (level - 1))
const isLeaf = (low: number, level: number, narrow: boolean) =>
  level === 1 || (level <= (narrow ? 2 : 3) && (low & PS) !== 0)

function frameOf(words: Uint32Array, index: number, narrow: boolean): number {
  if (narrow) return words[index]! >>> 12
  return (words[2 * index]! >>> 12) + 2 ** 20 * (words[2 * index + 1]! & 0xf_ffff)
}

function largeFrame(words: Uint32Array, index: number, level: number, narrow: boolean): number {
  const size = reach(level, narrow)
  const frame = frameOf(words, index, narrow)
  // PSE-36: bits 20:13 are address bits 39:32 (SDM 3A table 4-4).
  if (narrow) return (frame & ~0x3ff) + 2 ** 20 * ((words[index]! >>> 13) & 0xff)
  return Math.floor(frame / size) * size
}

/** The tables an address space begins with: one, or with PAE outside long mode those behind the four PDPTEs. */
function* topsOf(control: PagingControl): Generator<Top> {
  const kind = pagingKind(control)
  const rights = { writable: true, user: true, executable: true }
  if (kind === 'PAE') {
    for (const [i, entry] of (control.pdptes ?? []).entries())
      if (entry & 1n)
        yield {
          table: Number(entry & 0xf_ffff_ffff_f000n),
          level: 2,
          narrow: false,
          page: i * 2 ** 18,
          rights,
        }
    return
  }
  const narrow = kind === '32-bit'
  const table = Number(control.cr3 & (narrow ? 0xffff_f000n : 0xf_ffff_ffff_f000n))
  yield { table, level: narrow ? 2 : kind === '5-level' ? 5 : 4, narrow, page: 0, rights }
}

function linearOf(page: number, kind: PagingKind): bigint {
  const bits = kind === '5-level' ? 57 : kind === '4-level' ? 48 : 32
  const linear = BigInt(page) << 12n
  return bits === 32 ? linear : BigInt.asUintN(64, BigInt.asIntN(bits, linear))
}
