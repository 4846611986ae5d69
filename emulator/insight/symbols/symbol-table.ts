// The symbols of an ELF file: names for addresses, and addresses for names.
import { type Elf, SHT_SYMTAB, textAt } from '../../media/elf'
import { NameIndex } from './name-index'
import type { Sections } from './sections'
import { SymbolError } from './symbol-error'

export interface ElfSymbol {
  name: string
  address: bigint
  /** In bytes; 0 when the file does not say. */
  size: number
  kind: 'function' | 'object' | 'other'
  global: boolean
}

const STT_OBJECT = 1
const STT_FUNC = 2
const STT_SECTION = 3
const STT_FILE = 4
const STT_TLS = 6
const SHN_UNDEF = 0
const SHN_ABS = 0xfff1
const SHT_DYNSYM = 11
/** Of entries, and of bytes of names: a damaged file must not cost more. */
const SYMBOLS_MAX = 4_000_000
const NAMES_MAX = 256 << 20

const [UNDERSCORE, UPPER_R, UPPER_Z] = [0x5f, 0x52, 0x5a]

/** Symbols put in order, once, on any thread. */
export interface SymbolOrder {
  order: Uint32Array<ArrayBuffer>
  addresses: BigUint64Array<ArrayBuffer>
  slots: Uint32Array<ArrayBuffer>
}

export class SymbolTable {
  /** By address, ascending; of those at one address the best first. */
  readonly #addresses: BigUint64Array<ArrayBuffer>
  readonly #order: Uint32Array<ArrayBuffer>
  readonly #entries: Uint8Array
  readonly #names: Uint8Array
  readonly #view: DataView
  readonly #wide: boolean
  #index: NameIndex | undefined

  /**
   * @param prepared what `prepared` gave for the same file
   * @throws SymbolError when the table cannot be read
   */
  constructor(elf: Elf, sections: Sections, prepared?: SymbolOrder) {
    this.#wide = elf.bits === 64
    const table =
      elf.sections.find(({ type }) => type === SHT_SYMTAB) ??
      elf.sections.find(({ type }) => type === SHT_DYNSYM)
    const size = this.#wide ? 24 : 16
    const strings = table ? elf.sections[table.link] : undefined
    let count = 0
    if (table && strings) {
      if (table.offset + table.size > sections.file.size) {
        throw new SymbolError(`the symbol table was cut off: ${table.size} bytes at ${table.offset}`)
      }
      count = Math.floor(table.size / size)
      if (count > SYMBOLS_MAX) throw new SymbolError(`${count} symbols are more than can be read`)
      this.#entries = sections.file.read(table.offset, count * size)
      this.#names = sections.file.read(strings.offset, Math.min(strings.size, NAMES_MAX))
    } else {
      this.#entries = new Uint8Array(0)
      this.#names = new Uint8Array(0)
    }
    this.#view = new DataView(this.#entries.buffer, this.#entries.byteOffset, this.#entries.byteLength)
    if (prepared) {
      this.#order = prepared.order
      this.#addresses = prepared.addresses
      this.#index = new NameIndex(prepared.slots)
      return
    }
    const wanted = Uint32Array.from({ length: count }, (_, i) => i).filter((i) => this.#counts(i))
    // Halves of addresses are compared as plain numbers: big ones cost much.
    const high = new Uint32Array(count)
    const low = new Uint32Array(count)
    for (const i of wanted) {
      const at = this.#wide ? i * 24 + 8 : i * 16 + 4
      low[i] = this.#view.getUint32(at, true)
      high[i] = this.#wide ? this.#view.getUint32(at + 4, true) : 0
    }
    wanted.sort((a, b) => high[a]! - high[b]! || low[a]! - low[b]! || this.#rank(a) - this.#rank(b) || a - b)
    this.#order = wanted
    this.#addresses = new BigUint64Array(wanted.length)
    for (const [i, entry] of wanted.entries()) this.#addresses[i] = this.#address(entry)
  }

  /** What it took to put the symbols in order, for another thread; what it gets is no longer here. */
  prepared(): SymbolOrder {
    return { order: this.#order, addresses: this.#addresses, slots: this.#byName().slots }
  }

  get size(): number {
    return this.#order.length
  }

  /** The symbol that covers an address, or without a size the last one before it. */
  at(address: bigint): ElfSymbol | undefined {
    let low = 0
    let high = this.#addresses.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#addresses[middle]! <= address) low = middle + 1
      else high = middle
    }
    // Nested symbols are rare, and short: a few steps back are enough.
    let open: number | undefined
    for (let i = low - 1; i >= 0 && i >= low - 16; i--) {
      const entry = this.#order[i]!
      const size = this.#size(entry)
      if (size > 0 && address < this.#addresses[i]! + BigInt(size)) return this.#symbol(this.#best(i))
      // A label without a size goes to the next symbol, but not out of what has one.
      if (size === 0 && open === undefined) open = this.#best(i)
      if (size > 0) break
    }
    return open === undefined ? undefined : this.#symbol(open)
  }

  named(name: string): ElfSymbol | undefined {
    const entry = this.#byName().find(name, (entry) => this.#name(entry))
    return entry === undefined ? undefined : this.#symbol(entry)
  }

  #byName(): NameIndex {
    this.#index ??= NameIndex.build(
      this.#order,
      (entry) => this.#name(entry),
      (a, b) => this.#rank(a) < this.#rank(b),
    )
    return this.#index
  }

  /** Those that begin in [low, high), by address, at most `most`. */
  between(low: bigint, high: bigint, most: number): ElfSymbol[] {
    let first = 0
    let last = this.#addresses.length
    while (first < last) {
      const middle = (first + last) >> 1
      if (this.#addresses[middle]! < low) first = middle + 1
      else last = middle
    }
    const found: ElfSymbol[] = []
    for (let i = first; i < this.#addresses.length && found.length < most; i++) {
      if (this.#addresses[i]! >= high) break
      // Of several names of one place the best is first.
      if (i > first && this.#addresses[i] === this.#addresses[i - 1]) continue
      found.push(this.#symbol(this.#order[i]!))
    }
    return found
  }

  /** All, by address. */
  *[Symbol.iterator](): IterableIterator<ElfSymbol> {
    for (const entry of this.#order) yield this.#symbol(entry)
  }

  /** Those whose names a compiler has mangled: `_Z`, `__Z` or `_R` begins them. By address. */
  *mangled(): IterableIterator<ElfSymbol> {
    for (const entry of this.#order) {
      const at = this.#nameOffset(entry)
      if (this.#names[at] !== UNDERSCORE) continue
      const second = this.#names[at + 1] === UNDERSCORE ? this.#names[at + 2] : this.#names[at + 1]
      if (second === UPPER_Z || second === UPPER_R) yield this.#symbol(entry)
    }
  }

  /** First of those at the same address. */
  #best(index: number): number {
    let first = index
    while (first > 0 && this.#addresses[first - 1] === this.#addresses[index]) first--
    return this.#order[first]!
  }
  #symbol(entry: number): ElfSymbol {
    const type = this.#info(entry) & 15
    return {
      name: this.#name(entry),
      address: this.#address(entry),
      size: this.#size(entry),
      kind: type === STT_FUNC ? 'function' : type === STT_OBJECT ? 'object' : 'other',
      global: this.#info(entry) >> 4 !== 0,
    }
  }
  #counts(entry: number): boolean {
    const type = this.#info(entry) & 15
    if (type === STT_SECTION || type === STT_FILE || type === STT_TLS) return false
    const section = this.#view.getUint16(this.#wide ? entry * 24 + 6 : entry * 16 + 14, true)
    if (section === SHN_UNDEF || section === SHN_ABS) return false
    const name = this.#nameOffset(entry)
    return name > 0 && name < this.#names.length && this.#names[name] !== 0
  }
  /** Functions before objects before labels, globals before locals, then as the file has them. */
  #rank(entry: number): number {
    const info = this.#info(entry)
    const type = info & 15
    return (type === STT_FUNC ? 0 : type === STT_OBJECT ? 2 : 4) + (info >> 4 === 0 ? 1 : 0)
  }
  #info(entry: number): number {
    return this.#view.getUint8(this.#wide ? entry * 24 + 4 : entry * 16 + 12)
  }
  #address(entry: number): bigint {
    return this.#wide
      ? this.#view.getBigUint64(entry * 24 + 8, true)
      : BigInt(this.#view.getUint32(entry * 16 + 4, true))
  }
  #size(entry: number): number {
    return this.#wide
      ? Number(this.#view.getBigUint64(entry * 24 + 16, true))
      : this.#view.getUint32(entry * 16 + 8, true)
  }
  #nameOffset(entry: number): number {
    return this.#view.getUint32(entry * (this.#wide ? 24 : 16), true)
  }
  #name(entry: number): string {
    return textAt(this.#names, this.#nameOffset(entry))
  }
}
