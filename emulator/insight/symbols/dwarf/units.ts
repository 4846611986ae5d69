// Units of .debug_info, their abbreviations, and the values of attributes. A unit's bytes are read when they are needed.
import { type ByteSource, bytesSource, textAt } from '../../../media/elf'
import { Sections } from '../sections'
import { hex, SymbolError } from '../symbol-error'
import {
  AT,
  FORM,
  UNIT_COMPILE,
  UNIT_PARTIAL,
  UNIT_SKELETON,
  UNIT_SPLIT_COMPILE,
  UNIT_SPLIT_TYPE,
  UNIT_TYPE,
} from './constants'
import { Cursor } from './cursor'
import { type Contribution, readPackage, type SplitFile, type SplitOpener } from './split'

export interface Abbreviation {
  tag: number
  children: boolean
  /** Triples: attribute, form, implicit constant. */
  attributes: number[]
  /** Bytes of all attributes where that is the same for every entry of a 32-bit unit with 8-byte addresses, else -1. */
  fixed: number
  /** Attributes in front of DW_AT_sibling, -1: it has none. */
  sibling: number
}

export interface Unit {
  /** In .debug_info, of the header and of the first entry. */
  offset: number
  first: number
  end: number
  version: number
  wide: boolean
  addressSize: number
  abbreviations: number
  type: number
  /** Of type units: the signature, and where in .debug_info the type is. */
  signature?: bigint
  typeOffset?: number
  /** Which file it is in: 0 the program, else one with split units. */
  file: number
  /** Of a skeleton: the number of its unit in another file. */
  split?: number
  /** DWO identifier of a skeleton or a split unit. */
  identifier?: bigint
  // From the unit's own entry:
  strOffsetsBase: number
  addrBase: number
  rnglistsBase: number
  low: bigint
}

/** Texts are texts, references offsets in .debug_info, lists offsets in their section. */
export type Value = number | bigint | string | boolean | Uint8Array | undefined
export type Attributes = Map<number, Value>

export interface Entry {
  /** In .debug_info. */
  offset: number
  tag: number
  children: boolean
  depth: number
}

/** More entries deep than any compiler nests: only a damaged file gets there. */
const DEPTH_MAX = 256
const UNITS_MAX = 1 << 20
const ABBREVIATIONS_MAX = 1 << 16
/** Sections of texts that are kept. */
const TEXTS_KEPT = 64
/** Units whose bytes are kept, and the longest that is. */
const UNITS_KEPT = 8
const ROOT_BYTES = 4096
const BYTES_KEPT = 8 << 20
/** A section of abbreviations that is kept whole. */
const ABBREVIATION_BYTES = 32 << 20

/** A file with units, and where its entries begin in the numbers that entries have here. */
interface UnitFile {
  sections: Sections
  path: string
  base: number
  info: ByteSource
  /** Types of version 4 are in a section of their own; it is read as if it were the end of .debug_info. */
  typesAt: number
}

function infoOf(sections: Sections, suffix: string): { info: ByteSource; typesAt: number } {
  const info = sections.get(`.debug_info${suffix}`)
  const types = sections.get(`.debug_types${suffix}`)
  const read = (at: number, length: number) =>
    at < info.size ? info.read(at, length) : types.read(at - info.size, length)
  return { info: { size: info.size + types.size, read }, typesAt: info.size }
}

export class Units {
  /** Of the program; the entries of other files follow behind. */
  readonly info: ByteSource
  readonly #files: UnitFile[] = []
  readonly all: Unit[]
  /** What could not be read, each once. */
  readonly troubles: string[] = []
  readonly #abbreviations = new Map<number, Map<number, Abbreviation>>()
  readonly #abbrev: ByteSource
  #abbreviationBytes: Uint8Array | undefined
  readonly #texts = new Map<string, Uint8Array>()

  /** @param known the units, when they have been found already */
  constructor(
    readonly sections: Sections,
    known?: Unit[],
  ) {
    const { info, typesAt } = infoOf(sections, '')
    this.info = info
    this.#abbrev = sections.get('.debug_abbrev')
    this.all = known ?? []
    this.#files.push({ sections, path: '', base: 0, info, typesAt })
    if (!known) this.#headers(0, 0)
  }

  /** The units of a file, from one place on. */
  #headers(file: number, from: number) {
    let at = from
    while (at < this.#files[file]!.info.size && this.all.length < UNITS_MAX) {
      try {
        const unit = this.#header(file, at)
        this.all.push(unit)
        at = unit.end - this.#files[file]!.base
      } catch (error) {
        this.trouble(error)
        break
      }
    }
  }

  /** Paths of the files with split units, in the order of their numbers. */
  get splitFiles(): string[] {
    return this.#files.slice(1).map(({ path }) => path)
  }

  /** Opens files with split units again, that were found on another thread. */
  reopen(files: (SplitFile | undefined)[]) {
    const none = new Sections(bytesSource(new Uint8Array(0)), { ...this.sections.elf, sections: [] })
    for (const file of files) this.#addFile(file ?? { path: '', sections: none })
  }

  #addFile({ sections, path }: SplitFile): number {
    const last = this.#files.at(-1)!
    return (
      this.#files.push({ sections, path, base: last.base + last.info.size, ...infoOf(sections, '.dwo') }) - 1
    )
  }

  /** Finds the units that skeletons stand for. Yields behind each. */
  *openSplit(opener: SplitOpener): Generator<void> {
    const skeletons = this.all.slice()
    let packed: { file: number; contributions: Map<bigint, Contribution> } | undefined
    let looked = false
    for (const skeleton of skeletons) {
      try {
        const attributes = this.root(skeleton)?.attributes
        const name = attributes?.get(AT.dwo_name) ?? attributes?.get(AT.gnu_dwo_name)
        const given = attributes?.get(AT.gnu_dwo_id)
        const identifier =
          skeleton.identifier ??
          (given === undefined ? undefined : BigInt.asUintN(64, BigInt(given as number)))
        if (typeof name !== 'string' || identifier === undefined) continue
        if (!looked) {
          looked = true
          const file = opener.package()
          if (file) packed = { file: this.#addFile(file), contributions: readPackage(file.sections) }
        }
        const contribution = packed?.contributions.get(identifier)
        const directory = attributes?.get(AT.comp_dir)
        const number = contribution
          ? this.#packedUnit(packed!.file, contribution)
          : this.#objectUnit(opener.object(name, typeof directory === 'string' ? directory : ''), identifier)
        if (number === undefined)
          throw new SymbolError(
            `${name} is not there: what it says of types and inlined functions is missing`,
          )
        this.#join(skeleton, number, attributes!)
      } catch (error) {
        this.trouble(error)
      }
      yield
    }
  }

  #packedUnit(file: number, { info, abbrev, strOffsets, rnglists }: Contribution): number {
    const unit = this.#header(file, info)
    unit.abbreviations += abbrev
    unit.strOffsetsBase += strOffsets
    unit.rnglistsBase += rnglists
    return this.all.push(unit) - 1
  }

  /** @throws SymbolError when it is of another build */
  #objectUnit(found: SplitFile | undefined, identifier: bigint): number | undefined {
    if (!found) return undefined
    const before = this.all.length
    this.#headers(this.#addFile(found), 0)
    const kinds = [UNIT_SPLIT_COMPILE, UNIT_COMPILE]
    const number = this.all.findIndex((unit, i) => i >= before && kinds.includes(unit.type))
    if (number < 0) throw new SymbolError(`${found.path} has no unit`)
    const unit = this.all[number]!
    if (unit.version < 5) {
      const given = this.root(unit)?.attributes.get(AT.gnu_dwo_id)
      if (given !== undefined) unit.identifier = BigInt.asUintN(64, BigInt(given as number))
    }
    if (unit.identifier !== identifier) {
      this.all.length = before
      throw new SymbolError(`${found.path} is of another build: it is not believed`)
    }
    return number
  }

  /** What a split unit needs of its skeleton. */
  #join(skeleton: Unit, number: number, attributes: Attributes) {
    skeleton.split = number
    // Type units come with it in a file of its own.
    for (const unit of this.all) {
      if (
        unit.file !== this.all[number]!.file ||
        (unit.file !== 0 && unit !== this.all[number] && unit.type === UNIT_SPLIT_COMPILE)
      )
        continue
      unit.addrBase = numeric(attributes.get(AT.gnu_addr_base)) ?? skeleton.addrBase
      unit.low = skeleton.low
    }
  }

  /** Notes what went wrong in a part; whatever is no fault of the file is thrown on. */
  trouble(error: unknown) {
    if (!(error instanceof SymbolError)) throw error
    if (this.troubles.length < 20 && !this.troubles.includes(error.message)) this.troubles.push(error.message)
  }

  /** @param at in the file's .debug_info */
  #header(file: number, at: number): Unit {
    const { info, base, typesAt } = this.#files[file]!
    const offset = base + at
    const head = new Cursor(info.read(at, 64), 0, ` in the unit at ${hex(at)} of .debug_info`)
    let length: number = head.u32()
    const wide = length === 0xffffffff
    if (wide) length = head.offset(true)
    const end = offset + head.at + length
    if (length === 0 || end > base + info.size) {
      throw new SymbolError(
        `the unit at ${hex(at)} of .debug_info claims ${length} bytes; there are ${info.size - at}`,
      )
    }
    const version = head.u16()
    if (version < 2 || version > 5)
      throw new SymbolError(
        `the unit at ${hex(at)} of .debug_info has version ${version}; 2 to 5 can be read`,
      )
    const unit: Unit = {
      offset,
      first: 0,
      end,
      version,
      wide,
      addressSize: 0,
      abbreviations: 0,
      type: UNIT_COMPILE,
      file,
      // GNU's split units of version 4 have offsets without a header in front.
      strOffsetsBase: version < 5 ? 0 : wide ? 16 : 8,
      addrBase: version < 5 ? 0 : wide ? 16 : 8,
      rnglistsBase: wide ? 20 : 12,
      low: 0n,
    }
    if (version >= 5) {
      unit.type = head.u8()
      unit.addressSize = head.u8()
      unit.abbreviations = head.offset(wide)
      if (unit.type === UNIT_SKELETON || unit.type === UNIT_SPLIT_COMPILE) unit.identifier = head.u64()
      else if (unit.type === UNIT_TYPE || unit.type === UNIT_SPLIT_TYPE) {
        unit.signature = head.u64()
        unit.typeOffset = offset + head.offset(wide)
      } else if (unit.type !== UNIT_COMPILE && unit.type !== UNIT_PARTIAL) {
        throw new SymbolError(`the unit at ${hex(at)} of .debug_info has the type ${unit.type}`)
      }
    } else {
      unit.abbreviations = head.offset(wide)
      unit.addressSize = head.u8()
      if (at >= typesAt) {
        unit.type = UNIT_TYPE
        unit.signature = head.u64()
        unit.typeOffset = offset + head.offset(wide)
      }
    }
    unit.first = offset + head.at
    return unit
  }

  /** The unit's own entry; fills in what its other entries need. */
  root(unit: Unit): { entry: Entry; attributes: Attributes } | undefined {
    const reader = this.#rootReader(unit)
    if (!reader.next()) return undefined
    // Bases first: names may need them.
    const bases = reader.attributes(BASES)
    unit.strOffsetsBase = numeric(bases.get(AT.str_offsets_base)) ?? unit.strOffsetsBase
    unit.addrBase = numeric(bases.get(AT.addr_base)) ?? unit.addrBase
    unit.rnglistsBase = numeric(bases.get(AT.rnglists_base)) ?? unit.rnglistsBase
    const attributes = reader.attributes()
    const low = attributes.get(AT.low_pc)
    if (typeof low === 'bigint') unit.low = low
    return { entry: { ...reader.entry }, attributes }
  }

  #read({ file, offset }: Unit, length: number): Uint8Array {
    const { info, base } = this.#files[file]!
    return info.read(offset - base, length)
  }

  /** A section of the file that a unit is in. */
  section({ file }: Unit, name: string): ByteSource {
    return this.#files[file]!.sections.get(file === 0 ? name : `${name}.dwo`)
  }

  /** For the unit's own entry, which is short: of large units only the beginning. */
  #rootReader(unit: Unit): EntryReader {
    if (unit.end - unit.offset <= ROOT_BYTES || this.#bytes.has(unit)) return this.reader(unit)
    const bytes = this.#read(unit, ROOT_BYTES)
    const reader = new EntryReader(this, unit, this.abbreviationsOf(unit), bytes, unit.first - unit.offset)
    try {
      if (reader.next()) reader.attributes()
    } catch (error) {
      if (error instanceof SymbolError) return this.reader(unit)
      throw error
    }
    return new EntryReader(this, unit, this.abbreviationsOf(unit), bytes, unit.first - unit.offset)
  }

  reader(unit: Unit, at = unit.first): EntryReader {
    return new EntryReader(this, unit, this.abbreviationsOf(unit), this.#bytesOf(unit), at - unit.offset)
  }

  /** Of units that were read last: what is asked for together lies together. */
  readonly #bytes = new Map<Unit, Uint8Array>()
  #bytesOf(unit: Unit): Uint8Array {
    const known = this.#bytes.get(unit)
    if (known) return known
    const bytes = this.#read(unit, unit.end - unit.offset)
    if (bytes.length > BYTES_KEPT) return bytes
    if (this.#bytes.size >= UNITS_KEPT) this.#bytes.delete(this.#bytes.keys().next().value!)
    this.#bytes.set(unit, bytes)
    return bytes
  }

  /** Where the entries of a unit's file begin. */
  baseOf({ file }: Unit): number {
    return this.#files[file]!.base
  }

  /** The file leaves things to another one that many programs share (dwz), which is not read. */
  supplement() {
    const link = this.sections.get('.gnu_debugaltlink')
    const name = textAt(link.read(0, Math.min(link.size, 4096)), 0)
    this.trouble(
      new SymbolError(
        `what it shares with other programs is in ${name || 'another file'} (made by dwz) and is not read: some names and types are missing`,
      ),
    )
  }

  #signed: Map<bigint, number> | undefined
  /** Where the type with this signature is. */
  signed(signature: bigint): number | undefined {
    if (!this.#signed) {
      this.#signed = new Map()
      for (const unit of this.all)
        if (unit.signature !== undefined && unit.typeOffset !== undefined)
          this.#signed.set(unit.signature, unit.typeOffset)
    }
    return this.#signed.get(signature)
  }

  /** The unit that holds an offset of .debug_info. */
  holding(offset: number): Unit | undefined {
    let low = 0
    let high = this.all.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.all[middle]!.offset <= offset) low = middle + 1
      else high = middle
    }
    const unit = this.all[low - 1]
    return unit && offset >= unit.first && offset < unit.end ? unit : undefined
  }

  abbreviationsOf(unit: Unit): Map<number, Abbreviation> {
    const key = unit.abbreviations + unit.file * 2 ** 40
    let table = this.#abbreviations.get(key)
    if (!table) {
      table = this.#readAbbreviations(unit)
      if (this.#abbreviations.size > 4096) this.#abbreviations.clear()
      this.#abbreviations.set(key, table)
    }
    return table
  }

  #readAbbreviations(unit: Unit): Map<number, Abbreviation> {
    const { abbreviations: offset, file } = unit
    const source = file === 0 ? this.#abbrev : this.section(unit, '.debug_abbrev')
    // All of them lie together and are small beside what they describe; a damaged section may not be.
    const { size } = source
    let bytes = file === 0 ? this.#abbreviationBytes : undefined
    if (!bytes && file === 0 && size <= ABBREVIATION_BYTES)
      bytes = this.#abbreviationBytes = source.read(0, size)
    const part = bytes?.subarray(offset) ?? source.read(offset, Math.min(size - offset, 4 << 20))
    const cursor = new Cursor(part, 0, ` in the abbreviations at ${hex(offset)}`)
    const table = new Map<number, Abbreviation>()
    while (table.size < ABBREVIATIONS_MAX) {
      const code = cursor.uleb()
      if (code === 0) return table
      const tag = cursor.uleb()
      const children = cursor.u8() !== 0
      const attributes: number[] = []
      while (true) {
        const attribute = cursor.uleb()
        const form = cursor.uleb()
        const implicit = form === FORM.implicit_const ? cursor.sleb() : 0
        if (attribute === 0 && form === 0) break
        attributes.push(attribute, form, implicit)
      }
      let fixed = 0
      let sibling = -1
      for (let i = 0; i < attributes.length; i += 3) {
        if (attributes[i] === AT.sibling) sibling = i
        const size = FIXED[attributes[i + 1]!]
        fixed = size === undefined || fixed < 0 ? -1 : fixed + size
      }
      table.set(code, { tag, children, attributes, fixed, sibling })
    }
    throw new SymbolError(`too many abbreviations at ${hex(offset)}`)
  }

  /** A text of .debug_str or its kin. @param unit whose file it is in; undefined: the program's */
  text(section: string, offset: number, unit?: Unit): string {
    const key = unit && unit.file !== 0 ? `${unit.file} ${section}` : section
    let bytes = this.#texts.get(key)
    if (!bytes) {
      const source = unit ? this.section(unit, section) : this.sections.get(section)
      bytes = source.read(0, source.size)
      if (this.#texts.size >= TEXTS_KEPT) this.#texts.clear()
      this.#texts.set(key, bytes)
    }
    return textAt(bytes, offset)
  }

  indexedText(unit: Unit, index: number): string {
    const size = unit.wide ? 8 : 4
    const at = this.section(unit, '.debug_str_offsets').read(unit.strOffsetsBase + index * size, size)
    return this.text('.debug_str', new Cursor(at).offset(unit.wide), unit)
  }

  /** Addresses are with the program, whatever file asks. */
  indexedAddress(unit: Unit, index: number): bigint {
    const { addressSize } = unit
    const bytes = this.sections.get('.debug_addr').read(unit.addrBase + index * addressSize, addressSize)
    return new Cursor(bytes).address(addressSize)
  }

  /** Where the list with this index begins, in .debug_rnglists. */
  indexedRanges(unit: Unit, index: number): number {
    const size = unit.wide ? 8 : 4
    const bytes = this.section(unit, '.debug_rnglists').read(unit.rnglistsBase + index * size, size)
    return unit.rnglistsBase + new Cursor(bytes).offset(unit.wide)
  }
}

/** Bytes of forms in a 32-bit unit of version 3 and up with addresses of 8 bytes. */
const FIXED: Record<number, number> = {
  ...{ [FORM.flag_present]: 0, [FORM.implicit_const]: 0 },
  ...{ [FORM.data1]: 1, [FORM.flag]: 1, [FORM.ref1]: 1, [FORM.strx1]: 1, [FORM.addrx1]: 1 },
  ...{ [FORM.data2]: 2, [FORM.ref2]: 2, [FORM.strx2]: 2, [FORM.addrx2]: 2 },
  ...{ [FORM.strx3]: 3, [FORM.addrx3]: 3 },
  ...{ [FORM.data4]: 4, [FORM.ref4]: 4, [FORM.strx4]: 4, [FORM.addrx4]: 4 },
  ...{ [FORM.strp]: 4, [FORM.line_strp]: 4, [FORM.sec_offset]: 4, [FORM.ref_addr]: 4 },
  ...{ [FORM.data8]: 8, [FORM.ref8]: 8, [FORM.ref_sig8]: 8, [FORM.addr]: 8, [FORM.data16]: 16 },
}

/** Units as numbers, to go from thread to thread: objects by the hundred thousand are slow to copy. */
export interface PackedUnits {
  numbers: Float64Array<ArrayBuffer>
  words: BigUint64Array<ArrayBuffer>
}
const NUMBERS = 14

export function packUnits(units: readonly Unit[]): PackedUnits {
  const numbers = new Float64Array(units.length * NUMBERS)
  const words = new BigUint64Array(units.length * 2)
  for (const [i, unit] of units.entries()) {
    const { offset, first, end, version, wide, addressSize, abbreviations, type } = unit
    numbers.set(
      [
        ...[offset, first, end, version, wide ? 1 : 0, addressSize, abbreviations, type],
        ...[unit.typeOffset ?? -1, unit.strOffsetsBase, unit.addrBase, unit.rnglistsBase],
        ...[unit.file, unit.split ?? -1],
      ],
      i * NUMBERS,
    )
    words.set([unit.low, unit.signature ?? 0n], i * 2)
  }
  return { numbers, words }
}

export function unpackUnits({ numbers, words }: PackedUnits): Unit[] {
  return Array.from({ length: words.length / 2 }, (_, i) => {
    const n = (at: number) => numbers[i * NUMBERS + at]!
    const unit: Unit = {
      ...{ offset: n(0), first: n(1), end: n(2), version: n(3), wide: n(4) === 1, addressSize: n(5) },
      ...{ abbreviations: n(6), type: n(7), strOffsetsBase: n(9), addrBase: n(10), rnglistsBase: n(11) },
      low: words[2 * i]!,
      file: n(12),
    }
    if (n(13) >= 0) unit.split = n(13)
    if (n(8) >= 0) {
      unit.typeOffset = n(8)
      unit.signature = words[2 * i + 1]!
    }
    return unit
  })
}

const BASES = new Set<number>([AT.str_offsets_base, AT.addr_base, AT.rnglists_base])

export function numeric(value: Value): number | undefined {
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined
}

/** Goes through the entries of a unit, in order. */
export class EntryReader {
  readonly entry: Entry = { offset: 0, tag: 0, children: false, depth: 0 }
  readonly #cursor: Cursor
  #abbreviation: Abbreviation | undefined
  /** Where the attributes of the current entry begin; behind them once they were passed. */
  #attributesAt = 0
  #passed = 0
  #depth = 0
  /** Attributes have the sizes of `FIXED`. */
  readonly #plain: boolean

  constructor(
    readonly units: Units,
    readonly unit: Unit,
    readonly abbreviations: Map<number, Abbreviation>,
    bytes: Uint8Array,
    at: number,
  ) {
    this.#plain = !unit.wide && unit.addressSize === 8 && unit.version > 2
    this.#cursor = new Cursor(bytes, at, ` in the unit at ${hex(unit.offset)} of .debug_info`)
  }

  /** @returns false behind the last entry of the unit */
  next(): boolean {
    this.#pass()
    const cursor = this.#cursor
    while (cursor.left > 0) {
      const offset = this.unit.offset + cursor.at
      const code = cursor.uleb()
      if (code === 0) {
        this.#depth--
        if (this.#depth <= 0) return false
        continue
      }
      const abbreviation = this.abbreviations.get(code)
      if (!abbreviation)
        throw new SymbolError(
          `the entry at ${hex(offset)} of .debug_info has the abbreviation ${code}, which is not there`,
        )
      this.#abbreviation = abbreviation
      this.#attributesAt = cursor.at
      this.#passed = -1
      const { entry } = this
      entry.offset = offset
      entry.tag = abbreviation.tag
      entry.children = abbreviation.children
      entry.depth = this.#depth
      if (abbreviation.children && ++this.#depth > DEPTH_MAX)
        throw new SymbolError(`entries nested more than ${DEPTH_MAX} deep at ${hex(offset)}`)
      return true
    }
    return false
  }

  /** @param wanted only these */
  attributes(wanted?: ReadonlySet<number>): Attributes {
    const found: Attributes = new Map()
    const list = this.#abbreviation?.attributes ?? []
    const cursor = this.#cursor
    cursor.at = this.#attributesAt
    for (let i = 0; i < list.length; i += 3) {
      const attribute = list[i]!
      if (wanted && !wanted.has(attribute)) this.#skip(list[i + 1]!)
      else found.set(attribute, this.#value(list[i + 1]!, list[i + 2]!))
    }
    this.#passed = cursor.at
    return found
  }

  /** The current entry has this attribute. */
  has(attribute: number): boolean {
    const list = this.#abbreviation?.attributes ?? []
    for (let i = 0; i < list.length; i += 3) if (list[i] === attribute) return true
    return false
  }

  /**
   * The name of the current entry, without the cost of all attributes: as an offset of .debug_str where it is one, and not read then.
   * Undefined when it has none, or is only a declaration.
   */
  definedName(): number | string | undefined {
    const list = this.#abbreviation?.attributes ?? []
    const cursor = this.#cursor
    cursor.at = this.#attributesAt
    let name: number | string | undefined
    for (let i = 0; i < list.length; i += 3) {
      const attribute = list[i]!
      const form = list[i + 1]!
      if (attribute === AT.declaration && this.#value(form, list[i + 2]!) === true) {
        name = undefined
        break
      }
      if (attribute === AT.declaration) continue
      if (attribute !== AT.name) this.#skip(form)
      else if (form === FORM.strp) name = cursor.offset(this.unit.wide)
      else {
        const text = this.#value(form, list[i + 2]!)
        name = typeof text === 'string' ? text : undefined
      }
    }
    // Where the attributes end is found out by whoever goes on.
    this.#passed = -1
    return name
  }

  /** Where DW_AT_sibling says that the next one on the same level is; undefined where it does not, or leads back. */
  #sibling(): number | undefined {
    const { sibling, attributes } = this.#abbreviation!
    if (sibling < 0) return undefined
    const cursor = this.#cursor
    cursor.at = this.#attributesAt
    for (let i = 0; i < sibling; i += 3) this.#skip(attributes[i + 1]!)
    const to = this.#value(attributes[sibling + 1]!, attributes[sibling + 2]!)
    const at = typeof to === 'number' ? to - this.unit.offset : -1
    return at > cursor.at && at <= cursor.bytes.length ? at : undefined
  }

  /** To the next entry on the same level, past all children. Costs reading them where nothing says where it is. */
  skipChildren() {
    if (!this.entry.children) return this.#pass()
    const sibling = this.#abbreviation ? this.#sibling() : undefined
    if (sibling !== undefined) {
      this.#cursor.at = sibling
      this.#passed = sibling
      this.#depth = this.entry.depth
      return
    }
    this.#pass()
    const depth = this.entry.depth
    const cursor = this.#cursor
    while (cursor.left > 0 && this.#depth > depth) {
      const code = cursor.uleb()
      if (code === 0) {
        this.#depth--
        continue
      }
      const abbreviation = this.abbreviations.get(code)
      if (!abbreviation) throw new SymbolError(`an entry with the abbreviation ${code}, which is not there`)
      this.#skipAll(abbreviation)
      if (abbreviation.children && ++this.#depth > DEPTH_MAX)
        throw new SymbolError(`entries nested more than ${DEPTH_MAX} deep`)
    }
  }

  #pass() {
    if (!this.#abbreviation || this.#passed >= 0) {
      if (this.#passed > 0) this.#cursor.at = Math.max(this.#cursor.at, this.#passed)
      return
    }
    this.#cursor.at = this.#attributesAt
    this.#skipAll(this.#abbreviation)
    this.#passed = this.#cursor.at
  }

  #skipAll({ attributes, fixed }: Abbreviation) {
    if (fixed >= 0 && this.#plain) this.#cursor.skip(fixed)
    else for (let i = 1; i < attributes.length; i += 3) this.#skip(attributes[i]!)
  }

  #value(form: number, implicit: number): Value {
    const cursor = this.#cursor
    const { unit, units } = this
    switch (form) {
      case FORM.addr:
        return cursor.address(unit.addressSize)
      case FORM.data1:
        return cursor.u8()
      case FORM.data2:
        return cursor.u16()
      case FORM.data4:
        return cursor.u32()
      case FORM.data8:
        return small(cursor.u64())
      case FORM.udata:
        return small(cursor.ulebBig())
      case FORM.sdata:
        return cursor.sleb()
      case FORM.implicit_const:
        return implicit
      case FORM.flag:
        return cursor.u8() !== 0
      case FORM.flag_present:
        return true
      case FORM.string:
        return cursor.text()
      case FORM.strp:
        return units.text('.debug_str', cursor.offset(unit.wide), unit)
      case FORM.line_strp:
        return units.text('.debug_line_str', cursor.offset(unit.wide), unit)
      case FORM.strx:
        return units.indexedText(unit, cursor.uleb())
      case FORM.gnu_str_index:
        return units.indexedText(unit, cursor.uleb())
      case FORM.gnu_addr_index:
        return units.indexedAddress(unit, cursor.uleb())
      case FORM.strp_sup:
      case FORM.gnu_strp_alt:
      case FORM.ref_sup4:
      case FORM.ref_sup8:
      case FORM.gnu_ref_alt:
        units.supplement()
        this.#skip(form)
        return undefined
      case FORM.strx1:
        return units.indexedText(unit, cursor.u8())
      case FORM.strx2:
        return units.indexedText(unit, cursor.u16())
      case FORM.strx3:
        return units.indexedText(unit, cursor.u24())
      case FORM.strx4:
        return units.indexedText(unit, cursor.u32())
      case FORM.addrx:
        return units.indexedAddress(unit, cursor.uleb())
      case FORM.addrx1:
        return units.indexedAddress(unit, cursor.u8())
      case FORM.addrx2:
        return units.indexedAddress(unit, cursor.u16())
      case FORM.addrx3:
        return units.indexedAddress(unit, cursor.u24())
      case FORM.addrx4:
        return units.indexedAddress(unit, cursor.u32())
      case FORM.ref1:
        return unit.offset + cursor.u8()
      case FORM.ref2:
        return unit.offset + cursor.u16()
      case FORM.ref4:
        return unit.offset + cursor.u32()
      case FORM.ref8:
        return unit.offset + Number(cursor.u64())
      case FORM.ref_udata:
        return unit.offset + cursor.uleb()
      case FORM.ref_addr:
        // In version 2 it has the size of an address.
        return unit.version === 2
          ? Number(cursor.address(unit.addressSize))
          : units.baseOf(unit) + cursor.offset(unit.wide)
      case FORM.ref_sig8: {
        const signature = cursor.u64()
        return this.units.signed(signature)
      }
      case FORM.sec_offset:
        return cursor.offset(unit.wide)
      case FORM.rnglistx:
        return units.indexedRanges(unit, cursor.uleb())
      case FORM.exprloc:
      case FORM.block:
        return cursor.block(cursor.uleb())
      case FORM.block1:
        return cursor.block(cursor.u8())
      case FORM.block2:
        return cursor.block(cursor.u16())
      case FORM.block4:
        return cursor.block(cursor.u32())
      case FORM.data16:
        return cursor.block(16)
      case FORM.indirect:
        return this.#value(this.#direct(), 0)
      default:
        this.#skip(form)
        return undefined
    }
  }

  /** A form that stands with its value; it cannot stand for itself again. */
  #direct(): number {
    const form = this.#cursor.uleb()
    if (form === FORM.indirect || form === FORM.implicit_const)
      throw new SymbolError(`a form that leads nowhere${this.#cursor.where}`)
    return form
  }

  #skip(form: number): void {
    const cursor = this.#cursor
    switch (form) {
      case FORM.flag_present:
      case FORM.implicit_const:
        return
      case FORM.data1:
      case FORM.flag:
      case FORM.ref1:
      case FORM.strx1:
      case FORM.addrx1:
        cursor.skip(1)
        return
      case FORM.data2:
      case FORM.ref2:
      case FORM.strx2:
      case FORM.addrx2:
        cursor.skip(2)
        return
      case FORM.strx3:
      case FORM.addrx3:
        cursor.skip(3)
        return
      case FORM.data4:
      case FORM.ref4:
      case FORM.strx4:
      case FORM.addrx4:
      case FORM.ref_sup4:
        cursor.skip(4)
        return
      case FORM.data8:
      case FORM.ref8:
      case FORM.ref_sig8:
      case FORM.ref_sup8:
        cursor.skip(8)
        return
      case FORM.data16:
        cursor.skip(16)
        return
      case FORM.addr:
        cursor.skip(this.unit.addressSize)
        return
      case FORM.strp:
      case FORM.line_strp:
      case FORM.strp_sup:
      case FORM.sec_offset:
      case FORM.gnu_strp_alt:
      case FORM.gnu_ref_alt:
        cursor.skip(this.unit.wide ? 8 : 4)
        return
      case FORM.ref_addr:
        cursor.skip(this.unit.version === 2 ? this.unit.addressSize : this.unit.wide ? 8 : 4)
        return
      case FORM.udata:
      case FORM.sdata:
      case FORM.ref_udata:
      case FORM.strx:
      case FORM.addrx:
      case FORM.loclistx:
      case FORM.rnglistx:
      case FORM.gnu_str_index:
      case FORM.gnu_addr_index:
        cursor.skipLeb()
        return
      case FORM.string:
        cursor.skipText()
        return
      case FORM.exprloc:
      case FORM.block:
        cursor.skip(cursor.uleb())
        return
      case FORM.block1:
        cursor.skip(cursor.u8())
        return
      case FORM.block2:
        cursor.skip(cursor.u16())
        return
      case FORM.block4:
        cursor.skip(cursor.u32())
        return
      case FORM.indirect:
        this.#skip(this.#direct())
        return
      default:
        throw new SymbolError(`the form ${hex(form)}, which is not known${cursor.where}`)
    }
  }
}

function small(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
