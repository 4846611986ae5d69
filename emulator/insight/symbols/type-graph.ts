// Types of a program, however they are described (DWARF, BTF): a graph of references, gone through without trusting it.

/** As the description numbers its types (in DWARF: offset of the entry in .debug_info); undefined is void. */
export type TypeReference = number | undefined

export interface Member {
  /** Empty for an anonymous struct or union inside. */
  name: string
  type: TypeReference
  /** In bytes from the beginning of the whole. */
  offset: number
  /** Of a bit field: its width, and the bit it begins at, counted from bit 0 of the byte at `offset`. */
  bits?: { size: number; offset: number }
}

export type Type =
  | { kind: 'base'; name: string; size: number; encoding: number }
  | {
      kind: 'struct' | 'union' | 'class'
      name: string
      size: number
      members: Member[]
      declaration: boolean
    }
  | {
      kind: 'enum'
      name: string
      size: number
      values: { name: string; value: number | bigint }[]
      of: TypeReference
    }
  | { kind: 'pointer' | 'reference' | 'rvalue-reference'; size: number; to: TypeReference }
  | { kind: 'array'; of: TypeReference; counts: (number | undefined)[] }
  | { kind: 'typedef'; name: string; of: TypeReference }
  | { kind: 'const' | 'volatile' | 'restrict' | 'atomic'; of: TypeReference }
  | { kind: 'function'; result: TypeReference }
  | { kind: 'unspecified'; name: string }

/** Types that lead to types; a damaged file may lead in a circle. */
const CHAIN_MAX = 64

export abstract class TypeGraph {
  /** @returns undefined for void, and where no type can be read */
  abstract get(reference: TypeReference): Type | undefined

  /** What a type that is only declared here is where it is defined. */
  protected definition(_name: string): Type | undefined {
    return undefined
  }

  /** Without typedefs and qualifiers; where a unit only declares a type, its definition in another one, once scanned. */
  bare(reference: TypeReference): Type | undefined {
    let type = this.get(reference)
    for (let i = 0; type && i < CHAIN_MAX; i++) {
      if ('declaration' in type && type.declaration) return this.definition(type.name) ?? type
      if (!('of' in type) || type.kind === 'array' || type.kind === 'enum') return type
      type = this.get(type.of)
    }
    return undefined
  }

  /** In bytes; undefined where it has none or it cannot be known. */
  sizeOf(reference: TypeReference, depth = 0): number | undefined {
    const type = this.bare(reference)
    if (!type || depth > CHAIN_MAX) return undefined
    if ('size' in type) return type.size
    if (type.kind !== 'array') return undefined
    const element = this.sizeOf(type.of, depth + 1)
    const count = type.counts.reduce<number | undefined>(
      (product, each) => (product === undefined || each === undefined ? undefined : product * each),
      1,
    )
    return element === undefined || count === undefined ? undefined : element * count
  }

  /** A member, also one of an anonymous struct inside, with its offset in the whole. */
  member(reference: TypeReference, name: string, depth = 0): Member | undefined {
    const type = this.bare(reference)
    if (!type || !('members' in type) || depth > CHAIN_MAX) return undefined
    for (const each of type.members) {
      if (each.name === name) return each
      if (each.name !== '') continue
      const inside = this.member(each.type, name, depth + 1)
      if (inside) return { ...inside, offset: inside.offset + each.offset }
    }
    return undefined
  }

  /** As C writes it, without the name of what has it: `struct page *[16]`. */
  text(reference: TypeReference, depth = 0): string {
    const type = this.get(reference)
    if (!type) return 'void'
    if (depth > CHAIN_MAX) return '…'
    const of = (inner: TypeReference) => this.text(inner, depth + 1)
    switch (type.kind) {
      case 'struct':
      case 'union':
      case 'class':
      case 'enum':
        return `${type.kind} ${type.name || '{…}'}`
      case 'pointer':
        return `${of(type.to)} *`
      case 'reference':
        return `${of(type.to)} &`
      case 'rvalue-reference':
        return `${of(type.to)} &&`
      case 'array':
        return `${of(type.of)}${type.counts.map((count) => `[${count ?? ''}]`).join('')}`
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'atomic': {
        // A qualified array is one of qualified elements, and may be described as both.
        const inner = this.get(type.of)
        const twice = inner?.kind === 'array' && this.get(inner.of)?.kind === type.kind
        return twice ? of(type.of) : `${type.kind} ${of(type.of)}`
      }
      case 'function':
        return `${of(type.result)} ()`
      default:
        return type.name
    }
  }
}
