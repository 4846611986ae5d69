// BTF, the types that a Linux kernel carries in itself (Documentation/bpf/btf.rst), in the form that DWARF's have.
import { type Member, type Type, TypeGraph, type TypeReference } from '../../symbols/type-graph'
import { NameIndex } from '../../symbols/name-index'

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
/** What C writes in front of a name. */
const SPACES: Record<number, string> = { 4: 'struct ', 5: 'union ', 6: 'enum ', 19: 'enum ' }
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

/** What it takes to read the types: made once, on any thread. */
export interface BtfParts {
  bytes: Uint8Array<ArrayBuffer>
  /** Offset of each type; type 0 is void. */
  starts: Uint32Array<ArrayBuffer>
  names: Uint32Array<ArrayBuffer>
}

export class Btf extends TypeGraph {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #starts: Uint32Array
  readonly #strings: number
  readonly #stringsEnd: number
  readonly #names: NameIndex
  readonly #known = new Map<number, Type | undefined>()

  constructor(readonly parts: BtfParts) {
    super()
    const { bytes } = parts
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#strings = this.#view.getUint32(4, true) + this.#view.getUint32(16, true)
    this.#stringsEnd = this.#strings + this.#view.getUint32(20, true)
    this.#starts = parts.starts
    this.#names = new NameIndex(parts.names)
  }

  /** @throws BtfError when it is none */
  static read(bytes: Uint8Array<ArrayBuffer>): Btf {
    const starts = startsOf(bytes)
    const parts = { bytes, starts, names: new Uint32Array(1) }
    const types = new Btf(parts)
    const all = starts.subarray(1).map((_, i) => i + 1)
    parts.names = NameIndex.build(all, (id) => types.#nameOf(id)).slots
    return new Btf(parts)
  }

  /** @param name `struct page`, `u64` */
  named(name: string): TypeReference {
    return this.#names.find(name, (id) => this.#nameOf(id))
  }

  protected override definition(name: string): Type | undefined {
    return this.get(this.named(`struct ${name}`) ?? this.named(`union ${name}`))
  }

  /** As it is looked for; empty for what is no type of its own. */
  #nameOf(id: number): string {
    const at = this.#starts[id]!
    const kind = this.#kind(at)
    if (kind === KIND.FUNC || kind === KIND.VAR || kind === KIND.FWD) return ''
    const name = this.#text(this.#view.getUint32(at, true))
    return name === '' ? '' : `${SPACES[kind] ?? ''}${name}`
  }

  #kind(at: number): number {
    return (this.#view.getUint32(at + 4, true) >>> 24) & 31
  }

  #text(offset: number): string {
    const from = this.#strings + offset
    if (from >= this.#stringsEnd) return ''
    let end = from
    while (end < this.#stringsEnd && this.bytes[end] !== 0) end++
    return String.fromCharCode(...this.bytes.subarray(from, Math.min(end, from + 256)))
  }

  get(reference: TypeReference): Type | undefined {
    if (reference === undefined || !(reference > 0) || reference >= this.#starts.length) return undefined
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
    switch (this.#kind(at)) {
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
          kind: this.#kind(at) === KIND.STRUCT ? 'struct' : 'union',
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
}

/** @throws BtfError when it is none, or damaged */
function startsOf(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER || view.getUint16(0, true) !== MAGIC) throw new BtfError('it is no BTF')
  const [header, types, typesLength, strings, stringsLength] = [4, 8, 12, 16, 20].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number, number]
  const end = header + types + typesLength
  if (end > bytes.length || header + strings + stringsLength > bytes.length)
    throw new BtfError('it is cut off')
  const starts = [0]
  for (let at = header + types; at + 12 <= end; ) {
    const info = view.getUint32(at + 4, true)
    const kind = (info >>> 24) & 31
    const [fixed, each] = EXTRA[kind] ?? [0, 0]
    const size = 12 + fixed + each * (info & 0xffff)
    if (kind === 0 || kind > KIND.ENUM64 || at + size > end)
      throw new BtfError(`type ${starts.length} cannot be read`)
    if (starts.push(at) > TYPES_MAX) throw new BtfError('there are too many types')
    at += size
  }
  return Uint32Array.from(starts)
}
