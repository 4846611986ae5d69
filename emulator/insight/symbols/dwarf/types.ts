// Types as DWARF describes them: sizes, members and where they lie.
import { type Member, type Type, TypeGraph, type TypeReference } from '../type-graph'
import { Cursor } from './cursor'
import { AT, OP_ADDR, OP_ADDRX, OP_GNU_ADDR_INDEX, OP_PLUS_UCONST, TAG } from './constants'
import { type Attributes, numeric, type Unit, type Units, type Value } from './units'

export interface Variable {
  name: string
  linkageName: string | undefined
  address: bigint
  type: TypeReference
}

const MEMBERS_MAX = 1 << 16

const NAMED = new Set<number>([
  TAG.base_type,
  TAG.structure_type,
  TAG.class_type,
  TAG.union_type,
  TAG.enumeration_type,
  TAG.typedef,
])
/** Named types and variables of a program. */
export interface PackedTypes {
  names: string[]
  offsets: Float64Array<ArrayBuffer>
  variables: string[]
  /** Empty: none. */
  linkage: string[]
  addresses: BigUint64Array<ArrayBuffer>
  /** -1: void. */
  types: Float64Array<ArrayBuffer>
}

/** More than any program has: 6.1's Linux has 30,000. */
const NAMES_MAX = 1 << 20
const VARIABLE = new Set<number>([
  AT.name,
  AT.linkage_name,
  AT.location,
  AT.type,
  AT.specification,
  AT.declaration,
])
/** What may hold types and variables of the whole program. */
const SCOPES = new Set<number>([
  TAG.compile_unit,
  TAG.partial_unit,
  TAG.type_unit,
  TAG.namespace,
  TAG.structure_type,
  TAG.class_type,
])

/** In C, types inside of structures have no scope: compilers describe them beside. DW_LANG_C89, C, C99, C11, C17. */
const FLAT = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c])
const TOP = new Set<number>([TAG.compile_unit, TAG.partial_unit, TAG.type_unit])

export class Types extends TypeGraph {
  readonly #known = new Map<number, Type | undefined>()
  /** Definitions by name; filled by `scan`. */
  readonly byName = new Map<string, number>()
  readonly variables = new Map<string, Variable>()

  constructor(readonly units: Units) {
    super()
  }

  /** Looks through all units for named types and for variables with an address. Yields behind each unit. */
  *scan(): Generator<void> {
    for (const unit of this.units.all) {
      try {
        const language = numeric(this.units.root(unit)?.attributes.get(AT.language))
        this.#scanUnit(unit, FLAT.has(language ?? 0) ? TOP : SCOPES)
      } catch (error) {
        this.units.trouble(error)
      }
      yield
    }
    this.#seen = undefined
    this.scanned = true
  }

  /** `scan` has gone through all of them. */
  scanned = false
  /** A bit per byte of .debug_str: a type of this name is known, because most units describe the same ones. */
  #seen: Uint8Array | undefined

  #scanUnit(unit: Unit, scopes: ReadonlySet<number>) {
    const reader = this.units.reader(unit)
    while (reader.next()) {
      const { tag, offset } = reader.entry
      if (NAMED.has(tag)) {
        const name = reader.definedName()
        if (typeof name === 'string') this.#define(name, offset)
        else if (name !== undefined && (unit.file !== 0 || this.#first(name)))
          this.#define(this.units.text('.debug_str', name, unit), offset)
      } else if (tag === TAG.variable && reader.has(AT.location)) {
        this.#variable(unit, reader.attributes(VARIABLE))
      }
      // Locals are in functions.
      if (!scopes.has(tag)) reader.skipChildren()
    }
  }

  /** What `scan` has found, for another thread. */
  pack(): PackedTypes {
    const variables = [...this.variables.values()]
    return {
      names: [...this.byName.keys()],
      offsets: Float64Array.from(this.byName.values()),
      variables: variables.map(({ name }) => name),
      linkage: variables.map(({ linkageName }) => linkageName ?? ''),
      addresses: BigUint64Array.from(variables, ({ address }) => address),
      types: Float64Array.from(variables, ({ type }) => type ?? -1),
    }
  }

  adopt({ names, offsets, variables, linkage, addresses, types }: PackedTypes) {
    for (const [i, name] of names.entries()) this.byName.set(name, offsets[i]!)
    for (const [i, name] of variables.entries())
      this.variables.set(name, {
        ...{ name, linkageName: linkage[i] || undefined, address: addresses[i]! },
        type: types[i]! < 0 ? undefined : types[i]!,
      })
    this.scanned = true
  }

  #first(name: number): boolean {
    this.#seen ??= new Uint8Array(Math.ceil(this.units.sections.get('.debug_str').size / 8))
    const byte = name >>> 3
    if (byte >= this.#seen.length) return true
    const bit = 1 << (name & 7)
    if (this.#seen[byte]! & bit) return false
    this.#seen[byte]! |= bit
    return true
  }

  #define(name: string, offset: number) {
    if (!this.byName.has(name) && this.byName.size < NAMES_MAX) this.byName.set(name, offset)
  }

  #variable(unit: Unit, attributes: Attributes) {
    const location = attributes.get(AT.location)
    if (!(location instanceof Uint8Array) || location.length === 0) return
    const cursor = new Cursor(location, 1)
    const address =
      location[0] === OP_ADDR && location.length === 1 + unit.addressSize
        ? cursor.address(unit.addressSize)
        : location[0] === OP_ADDRX || location[0] === OP_GNU_ADDR_INDEX
          ? this.units.indexedAddress(unit, cursor.uleb())
          : undefined
    if (address === undefined) return
    let { name, linkageName, type } = declared(attributes)
    const specification = numeric(attributes.get(AT.specification))
    const home = specification === undefined ? undefined : this.units.holding(specification)
    if (specification !== undefined && home) {
      const reader = this.units.reader(home, specification)
      if (reader.next()) {
        const more = declared(reader.attributes(VARIABLE))
        name ??= more.name
        linkageName ??= more.linkageName
        type ??= more.type
      }
    }
    if (name !== undefined && !this.variables.has(name) && this.variables.size < NAMES_MAX)
      this.variables.set(name, { name, linkageName, address, type })
  }

  /** @returns undefined for void, and where no type can be read */
  get(reference: TypeReference): Type | undefined {
    if (reference === undefined) return undefined
    if (this.#known.has(reference)) return this.#known.get(reference)
    let type: Type | undefined
    try {
      type = this.#read(reference)
    } catch (error) {
      this.units.trouble(error)
    }
    this.#known.set(reference, type)
    return type
  }

  named(name: string): Type | undefined {
    return this.get(this.byName.get(name))
  }

  protected override definition(name: string): Type | undefined {
    return this.named(name)
  }

  #read(offset: number): Type | undefined {
    const unit = this.units.holding(offset)
    if (!unit) return undefined
    if (unit.low === 0n && offset !== unit.first) this.units.root(unit)
    const reader = this.units.reader(unit, offset)
    if (!reader.next()) return undefined
    const { tag, depth, children } = reader.entry
    const attributes = reader.attributes()
    const name = text(attributes.get(AT.name)) ?? ''
    const size = numeric(attributes.get(AT.byte_size)) ?? 0
    const of = numeric(attributes.get(AT.type))
    /** The entries below, one level down. */
    function* inside() {
      if (!children) return
      while (reader.next() && reader.entry.depth > depth) {
        if (reader.entry.depth === depth + 1) yield reader.entry.tag
      }
    }
    switch (tag) {
      case TAG.base_type:
        return { kind: 'base', name, size, encoding: numeric(attributes.get(AT.encoding)) ?? 0 }
      case TAG.structure_type:
      case TAG.union_type:
      case TAG.class_type: {
        const members: Member[] = []
        for (const inner of inside()) {
          if (inner !== TAG.member && inner !== TAG.inheritance) continue
          const member = memberOf(reader.attributes(), this)
          if (member && members.length < MEMBERS_MAX) members.push(member)
        }
        const kind = tag === TAG.structure_type ? 'struct' : tag === TAG.union_type ? 'union' : 'class'
        return { kind, name, size, members, declaration: attributes.get(AT.declaration) === true }
      }
      case TAG.enumeration_type: {
        const values: { name: string; value: number | bigint }[] = []
        for (const inner of inside()) {
          if (inner !== TAG.enumerator || values.length >= MEMBERS_MAX) continue
          const each = reader.attributes()
          const value = each.get(AT.const_value)
          if (typeof value === 'number' || typeof value === 'bigint')
            values.push({ name: text(each.get(AT.name)) ?? '', value })
        }
        return { kind: 'enum', name, size, values, of }
      }
      case TAG.pointer_type:
        return { kind: 'pointer', size: size || unit.addressSize, to: of }
      case TAG.reference_type:
        return { kind: 'reference', size: size || unit.addressSize, to: of }
      case TAG.rvalue_reference_type:
        return { kind: 'rvalue-reference', size: size || unit.addressSize, to: of }
      case TAG.array_type: {
        const counts: (number | undefined)[] = []
        for (const inner of inside()) {
          if (inner !== TAG.subrange_type) continue
          const each = reader.attributes()
          const upper = numeric(each.get(AT.upper_bound))
          const count = numeric(each.get(AT.count)) ?? (upper === undefined ? undefined : upper + 1)
          // An upper bound of -1 or all ones stands for none, as for flexible arrays.
          counts.push(count !== undefined && count >= 0 && count < 2 ** 48 ? count : undefined)
        }
        return { kind: 'array', of, counts }
      }
      case TAG.typedef:
        return { kind: 'typedef', name, of }
      case TAG.const_type:
        return { kind: 'const', of }
      case TAG.volatile_type:
        return { kind: 'volatile', of }
      case TAG.restrict_type:
        return { kind: 'restrict', of }
      case TAG.atomic_type:
        return { kind: 'atomic', of }
      case TAG.subroutine_type:
        return { kind: 'function', result: of }
      case TAG.unspecified_type:
        return { kind: 'unspecified', name: name || 'void' }
      default:
        return undefined
    }
  }
}

function declared(attributes: Attributes) {
  return {
    name: text(attributes.get(AT.name)),
    linkageName: text(attributes.get(AT.linkage_name)),
    type: numeric(attributes.get(AT.type)),
  }
}

function memberOf(attributes: Attributes, types: Types): Member | undefined {
  const type = numeric(attributes.get(AT.type))
  const name = text(attributes.get(AT.name)) ?? ''
  const place = attributes.get(AT.data_member_location)
  let offset = numeric(place) ?? 0
  if (place instanceof Uint8Array) {
    // Version 2 says it as an expression: plus this many bytes.
    if (place[0] !== OP_PLUS_UCONST) return undefined
    offset = new Cursor(place, 1).uleb()
  }
  const size = numeric(attributes.get(AT.bit_size))
  if (size === undefined) {
    // A static member has no place; it is a variable.
    if (place === undefined && attributes.get(AT.external) === true) return undefined
    return { name, type, offset }
  }
  const dataBit = numeric(attributes.get(AT.data_bit_offset))
  if (dataBit !== undefined)
    return { name, type, offset: offset + (dataBit >> 3), bits: { size, offset: dataBit & 7 } }
  // Before version 4: counted from the most significant bit of a unit of byte_size at the offset (little-endian).
  const unit = numeric(attributes.get(AT.byte_size)) ?? types.sizeOf(type) ?? 4
  const fromTop = numeric(attributes.get(0x0c)) ?? 0
  const bit = unit * 8 - fromTop - size
  return { name, type, offset: offset + (bit >> 3), bits: { size, offset: bit & 7 } }
}

function text(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined
}
