// Units of .debug_info, their abbreviations, and the values of attributes. A unit's bytes are read when they are needed.
import type { ByteSource } from '../../../media/elf'
import { textAt } from '../../../media/elf'
import type { Sections } from '../sections'
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

export interface Abbreviation {
  tag: number
  children: boolean
  /** Triples: attribute, form, implicit constant. */
  attributes: number[]
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

export class Units {
  readonly info: ByteSource
  readonly all: Unit[] = []
  /** What could not be read, each once. */
  readonly troubles: string[] = []
  readonly #abbreviations = new Map<number, Map<number, Abbreviation>>()
  readonly #abbrev: ByteSource
  readonly #typesAt: number
  readonly #texts = new Map<string, Uint8Array>()

  constructor(readonly sections: Sections) {
    const info = sections.get('.debug_info')
    // Types of version 4 are in a section of their own; it is read as if it were the end of .debug_info.
    const types = sections.get('.debug_types')
    this.#typesAt = info.size
    this.info = {
      size: info.size + types.size,
      read: (at, length) => (at < info.size ? info.read(at, length) : types.read(at - info.size, length)),
    }
    this.#abbrev = sections.get('.debug_abbrev')
    let at = 0
    while (at < this.info.size && this.all.length < UNITS_MAX) {
      try {
        const unit = this.#header(at)
        this.all.push(unit)
        at = unit.end
      } catch (error) {
        this.trouble(error)
        break
      }
    }
  }

  /** Notes what went wrong in a part; whatever is no fault of the file is thrown on. */
  trouble(error: unknown) {
    if (!(error instanceof SymbolError)) throw error
    if (this.troubles.length < 20 && !this.troubles.includes(error.message)) this.troubles.push(error.message)
  }

  #header(offset: number): Unit {
    const head = new Cursor(this.info.read(offset, 64), 0, ` in the unit at ${hex(offset)} of .debug_info`)
    let length: number = head.u32()
    const wide = length === 0xffffffff
    if (wide) length = head.offset(true)
    const end = offset + head.at + length
    if (length === 0 || end > this.info.size) {
      throw new SymbolError(
        `the unit at ${hex(offset)} of .debug_info claims ${length} bytes; there are ${this.info.size - offset}`,
      )
    }
    const version = head.u16()
    if (version < 2 || version > 5)
      throw new SymbolError(
        `the unit at ${hex(offset)} of .debug_info has version ${version}; 2 to 5 can be read`,
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
      strOffsetsBase: wide ? 16 : 8,
      addrBase: wide ? 16 : 8,
      rnglistsBase: wide ? 20 : 12,
      low: 0n,
    }
    if (version >= 5) {
      unit.type = head.u8()
      unit.addressSize = head.u8()
      unit.abbreviations = head.offset(wide)
      if (unit.type === UNIT_SKELETON || unit.type === UNIT_SPLIT_COMPILE) head.skip(8)
      else if (unit.type === UNIT_TYPE || unit.type === UNIT_SPLIT_TYPE) {
        unit.signature = head.u64()
        unit.typeOffset = offset + head.offset(wide)
      } else if (unit.type !== UNIT_COMPILE && unit.type !== UNIT_PARTIAL) {
        throw new SymbolError(`the unit at ${hex(offset)} of .debug_info has the type ${unit.type}`)
      }
    } else {
      unit.abbreviations = head.offset(wide)
      unit.addressSize = head.u8()
      if (offset >= this.#typesAt) {
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
    const reader = this.reader(unit)
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

  reader(unit: Unit, at = unit.first): EntryReader {
    const bytes = this.info.read(unit.offset, unit.end - unit.offset)
    return new EntryReader(this, unit, this.abbreviationsOf(unit), bytes, at - unit.offset)
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
    let table = this.#abbreviations.get(unit.abbreviations)
    if (!table) {
      table = this.#readAbbreviations(unit.abbreviations)
      if (this.#abbreviations.size > 4096) this.#abbreviations.clear()
      this.#abbreviations.set(unit.abbreviations, table)
    }
    return table
  }

  #readAbbreviations(offset: number): Map<number, Abbreviation> {
    const bytes = this.#abbrev.read(offset, Math.min(this.#abbrev.size - offset, 4 << 20))
    const cursor = new Cursor(bytes, 0, ` in the abbreviations at ${hex(offset)}`)
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
      table.set(code, { tag, children, attributes })
    }
    throw new SymbolError(`too many abbreviations at ${hex(offset)}`)
  }

  /** A text of .debug_str or its kin. */
  text(section: string, offset: number): string {
    let bytes = this.#texts.get(section)
    if (!bytes) {
      const source = this.sections.get(section)
      bytes = source.read(0, source.size)
      this.#texts.set(section, bytes)
    }
    return textAt(bytes, offset)
  }

  indexedText(unit: Unit, index: number): string {
    const size = unit.wide ? 8 : 4
    const at = new Cursor(
      this.sections.get('.debug_str_offsets').read(unit.strOffsetsBase + index * size, size),
    )
    return this.text('.debug_str', at.offset(unit.wide))
  }

  indexedAddress(unit: Unit, index: number): bigint {
    const { addressSize } = unit
    const bytes = this.sections.get('.debug_addr').read(unit.addrBase + index * addressSize, addressSize)
    return new Cursor(bytes).address(addressSize)
  }

  /** Where the list with this index begins, in .debug_rnglists. */
  indexedRanges(unit: Unit, index: number): number {
    const size = unit.wide ? 8 : 4
    const bytes = this.sections.get('.debug_rnglists').read(unit.rnglistsBase + index * size, size)
    return unit.rnglistsBase + new Cursor(bytes).offset(unit.wide)
  }
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

  constructor(
    readonly units: Units,
    readonly unit: Unit,
    readonly abbreviations: Map<number, Abbreviation>,
    bytes: Uint8Array,
    at: number,
  ) {
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
      Object.assign(this.entry, {
        offset,
        tag: abbreviation.tag,
        children: abbreviation.children,
        depth: this.#depth,
      })
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

  /** To the next entry on the same level, past all children. Costs reading them. */
  skipChildren() {
    this.#pass()
    if (!this.entry.children) return
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
      for (let i = 1; i < abbreviation.attributes.length; i += 3) this.#skip(abbreviation.attributes[i]!)
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
    const list = this.#abbreviation.attributes
    for (let i = 1; i < list.length; i += 3) this.#skip(list[i]!)
    this.#passed = this.#cursor.at
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
        return units.text('.debug_str', cursor.offset(unit.wide))
      case FORM.line_strp:
        return units.text('.debug_line_str', cursor.offset(unit.wide))
      case FORM.strx:
        return units.indexedText(unit, cursor.uleb())
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
        return unit.version === 2 ? Number(cursor.address(unit.addressSize)) : cursor.offset(unit.wide)
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
