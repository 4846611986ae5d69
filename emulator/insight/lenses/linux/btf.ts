// BTF, the types that a Linux kernel carries in itself (Documentation/bpf/btf.rst), in the form that DWARF's have.
import type { Member, Type, TypeReference } from '../../symbols/dwarf/types'
import type { TypeReader } from '../kernel'

const KIND = {
  ...{
    INT: 1,
    PTR: 2,
    ARRAY: 3,
    STRUCT: 4,
    UNION: 5,
    ENUM: 6,
    FWD: 7,
    TYPEDEF: 8,
    VOLATILE: 9,
    CONST: 10,
    RESTRICT: 11,
    FUNC: 12,
  },
  ...{ FUNC_PROTO: 13, VAR: 14, DATASEC: 15, FLOAT: 16, DECL_TAG: 17, TYPE_TAG: 18, ENUM64: 19 },
} as const
const HEADER = 24
const MAGIC = 0xeb9f
const TYPES_MAX = 1 << 20
const CHAIN_MAX = 64
/** Bytes behind the three words of a type, and for each of its parts. */
const EXTRA: Record<number, [fixed: number, each: number]> = {
  ...{
    1: [4, 0],
    3: [12, 0],
    4: [0, 12],
    5: [0, 12],
    6: [0, 8],
    13: [0, 8],
    14: [4, 0],
    15: [0, 12],
    17: [4, 0],
    19: [0, 12],
  },
}

export class BtfError extends Error {
  override name = 'BtfError'
}

export class Btf implements TypeReader {
  readonly #view: DataView
  readonly #starts: number[] = [-1]
  readonly #strings: number
  readonly #stringsEnd: number
  readonly #byName = new Map<string, number>()
  readonly #known = new Map<number, Type | undefined>()

  /** @throws BtfError when it is none */
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < HEADER || this.#view.getUint16(0, true) !== MAGIC) throw new BtfError('it is no BTF')
    const [header, types, typesLength, strings, stringsLength] = [4, 8, 12, 16, 20].map((at) =>
      this.#view.getUint32(at, true),
    ) as [number, number, number, number, number]
    const end = header + types + typesLength
    this.#strings = header + strings
    this.#stringsEnd = this.#strings + stringsLength
    if (end > bytes.length || this.#stringsEnd > bytes.length) throw new BtfError('it is cut off')
    for (let at = header + types; at + 12 <= end; ) {
      const info = this.#view.getUint32(at + 4, true)
      const kind = (info >>> 24) & 31
      const [fixed, each] = EXTRA[kind] ?? [0, 0]
      const size = 12 + fixed + each * (info & 0xffff)
      if (kind === 0 || kind > KIND.ENUM64 || at + size > end)
        throw new BtfError(`type ${this.#starts.length} cannot be read`)
      const id = this.#starts.push(at) - 1
      if (id > TYPES_MAX) throw new BtfError('there are too many types')
      const name = this.#text(this.#view.getUint32(at, true))
      const space =
        kind === KIND.STRUCT
          ? 'struct '
          : kind === KIND.UNION
            ? 'union '
            : kind === KIND.ENUM || kind === KIND.ENUM64
              ? 'enum '
              : ''
      if (
        name !== '' &&
        kind !== KIND.FUNC &&
        kind !== KIND.VAR &&
        kind !== KIND.FWD &&
        !this.#byName.has(space + name)
      )
        this.#byName.set(space + name, id)
      at += size
    }
  }

  /** @param name `struct page`, `u64` */
  named(name: string): TypeReference {
    return this.#byName.get(name)
  }

  #text(offset: number): string {
    const from = this.#strings + offset
    if (from >= this.#stringsEnd) return ''
    let end = from
    while (end < this.#stringsEnd && this.bytes[end] !== 0) end++
    return String.fromCharCode(...this.bytes.subarray(from, Math.min(end, from + 256)))
  }

  get(reference: TypeReference): Type | undefined {
    if (reference === undefined || reference <= 0 || reference >= this.#starts.length) return undefined
    if (!this.#known.has(reference)) this.#known.set(reference, this.#read(this.#starts[reference]!))
    return this.#known.get(reference)
  }

  #read(at: number): Type | undefined {
    const word = (offset: number) => this.#view.getUint32(at + offset, true)
    const name = this.#text(word(0))
    const info = word(4)
    const size = word(8)
    const of = size === 0 ? undefined : size
    const parts = info & 0xffff
    const flag = info >>> 31 === 1
    switch ((info >>> 24) & 31) {
      case KIND.INT: {
        // BTF_INT_SIGNED; as DW_ATE_signed and DW_ATE_unsigned.
        return { kind: 'base', name, size, encoding: (word(12) >>> 24) & 1 ? 5 : 7 }
      }
      case KIND.FLOAT:
        return { kind: 'base', name, size, encoding: 4 }
      case KIND.PTR:
        return { kind: 'pointer', size: 8, to: of }
      case KIND.ARRAY:
        return { kind: 'array', of: word(12), counts: [word(20)] }
      case KIND.STRUCT:
      case KIND.UNION: {
        const members: Member[] = []
        for (let i = 0; i < parts; i++) {
          const offset = word(12 + 12 * i + 8)
          const bit = flag ? offset & 0xff_ffff : offset
          const width = flag ? offset >>> 24 : 0
          const member: Member = {
            name: this.#text(word(12 + 12 * i)),
            type: word(12 + 12 * i + 4),
            offset: bit >> 3,
          }
          if (width > 0) member.bits = { size: width, offset: bit & 7 }
          members.push(member)
        }
        return {
          kind: ((info >>> 24) & 31) === KIND.STRUCT ? 'struct' : 'union',
          name,
          size,
          members,
          declaration: false,
        }
      }
      case KIND.ENUM: {
        const values = Array.from({ length: parts }, (_, i) => ({
          name: this.#text(word(12 + 8 * i)),
          value: this.#view.getInt32(at + 16 + 8 * i, true),
        }))
        return { kind: 'enum', name, size, values, of: undefined }
      }
      case KIND.TYPEDEF:
        return { kind: 'typedef', name, of }
      case KIND.VOLATILE:
        return { kind: 'volatile', of }
      case KIND.CONST:
      case KIND.TYPE_TAG:
        return { kind: 'const', of }
      case KIND.RESTRICT:
        return { kind: 'restrict', of }
      case KIND.FUNC_PROTO:
        return { kind: 'function', result: of }
      case KIND.FWD:
        return { kind: 'struct', name, size: 0, members: [], declaration: true }
      default:
        return undefined
    }
  }

  bare(reference: TypeReference): Type | undefined {
    let type = this.get(reference)
    for (let i = 0; type && i < CHAIN_MAX; i++) {
      if (!('of' in type) || type.kind === 'array' || type.kind === 'enum') return type
      type = this.get(type.of)
    }
    return undefined
  }

  sizeOf(reference: TypeReference, depth = 0): number | undefined {
    const type = this.bare(reference)
    if (!type || depth > CHAIN_MAX) return undefined
    if ('size' in type) return type.size
    if (type.kind !== 'array') return undefined
    const element = this.sizeOf(type.of, depth + 1)
    return element === undefined ? undefined : element * (type.counts[0] ?? 0)
  }

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

  text(reference: TypeReference): string {
    const type = this.get(reference)
    return type && 'name' in type
      ? `${type.kind === 'struct' || type.kind === 'union' ? `${type.kind} ` : ''}${type.name}`
      : 'a type'
  }
}
