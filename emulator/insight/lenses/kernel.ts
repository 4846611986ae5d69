// What a lens needs of a kernel besides its memory: where names are, and what types are made of. Behind it are an ELF file with
// DWARF, or what a kernel carries in itself (kallsyms and BTF).
import type { Symbols } from '../symbols/symbols'
import type { TypeGraph, TypeReference } from '../symbols/type-graph'

/** What may be asked of types. */
export type TypeReader = Pick<TypeGraph, 'get' | 'bare' | 'sizeOf' | 'member' | 'text'>

export interface Kernel {
  readonly types: TypeReader
  /** Address of a symbol. */
  address(name: string): bigint | undefined
  /** Type of a global variable; undefined where it is not known. */
  typeOf(name: string): TypeReference
  /** @param name `struct slab`, `u64`: @returns undefined when there is none */
  typeNamed(name: string): TypeReference
  /** `kmain+1Ch`; undefined where no symbol is. */
  label(address: bigint): string | undefined
}

/** A kernel whose ELF file is there. Reading the types of all units may take a moment, once. */
export function elfKernel(symbols: Symbols, label: (address: bigint) => string | undefined): Kernel {
  const { types } = symbols
  const scan = () => {
    if (types.scanned) return
    for (const _ of types.scan());
  }
  return {
    types,
    address: (name) => {
      const symbol = symbols.named(name)
      if (symbol) return symbol.address
      scan()
      return types.variables.get(name)?.address
    },
    typeOf: (name) => {
      scan()
      return types.variables.get(name)?.type
    },
    typeNamed: (name) => {
      scan()
      return types.byName.get(name.replace(/^(struct|union|enum|class) /, ''))
    },
    label,
  }
}

/** A kernel of which no file is there: a lens for it names addresses. */
export const bareKernel = (label: (address: bigint) => string | undefined = () => undefined): Kernel => ({
  types: {
    get: () => undefined,
    bare: () => undefined,
    sizeOf: () => undefined,
    member: () => undefined,
    text: () => 'void',
  },
  address: () => undefined,
  typeOf: () => undefined,
  typeNamed: () => undefined,
  label,
})
