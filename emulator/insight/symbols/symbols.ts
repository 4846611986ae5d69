// Symbols of a kernel: what an address is called, which line it came from, what was inlined there; where a name is; types.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { type ByteSource, bytesSource, type Elf, ElfError, readElf } from '../../media/elf'
import { readAt } from '../../media/medium'
import { demangle } from './demangle/demangle'
import { AT, TAG } from './dwarf/constants'
import { chainAt, type FunctionEntry, functionsOf } from './dwarf/functions'
import { type Line, LineTable } from './dwarf/lines'
import { type Range, rangesOf } from './dwarf/ranges'
import { Types } from './dwarf/types'
import { numeric, type Unit, Units } from './dwarf/units'
import { Sections } from './sections'
import { type ElfSymbol, SymbolTable } from './symbol-table'
import { SymbolError } from './symbol-error'

/** A name for an address. */
export interface Place {
  /** For people: demangled. */
  name: string
  /** As the file has it. */
  linkageName: string
  /** Begin of what has the name, and how far the address is behind it. */
  address: bigint
  offset: number
}

export interface Frame {
  name: string
  line: Line | undefined
}

interface UnitIndex {
  unit: Unit
  ranges: Range[]
  directory: string
  lines: number | undefined
}

/** Units of which functions and lines are kept: what is looked at together lies together. */
const KEPT = 64

export class Symbols {
  readonly elf: Elf
  readonly table: SymbolTable
  readonly types: Types
  readonly #sections: Sections
  readonly #units: Units
  #index: { starts: BigUint64Array; units: UnitIndex[]; ends: BigUint64Array } | undefined
  readonly #lines = new Map<UnitIndex, LineTable | undefined>()
  readonly #functions = new Map<UnitIndex, FunctionEntry[]>()

  /**
   * @param source an ELF file
   * @throws SymbolError when it is none
   */
  constructor(
    readonly source: ByteSource,
    readonly path = '',
  ) {
    try {
      this.elf = readElf(source)
    } catch (error) {
      if (error instanceof ElfError) throw new SymbolError(error.message)
      throw error
    }
    this.#sections = new Sections(source, this.elf)
    this.table = new SymbolTable(this.elf, this.#sections)
    this.#units = this.#openUnits()
    this.types = new Types(this.#units)
  }

  #openUnits(): Units {
    try {
      return new Units(this.#sections)
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error
      // The names are good without the debugging information.
      const units = new Units(new Sections(bytesSource(new Uint8Array(0)), { ...this.elf, sections: [] }))
      units.trouble(error)
      return units
    }
  }

  /** What of the debugging information could not be read: clauses for people. */
  get troubles(): readonly string[] {
    return this.#units.troubles
  }
  /** The file has debugging information (DWARF). */
  get hasDebug(): boolean {
    return this.#units.all.length > 0
  }

  /** @returns undefined where no symbol is */
  at(address: bigint): Place | undefined {
    const symbol = this.table.at(address)
    return symbol && placeOf(symbol, address)
  }

  line(address: bigint): Line | undefined {
    const index = this.#unitAt(address)
    return index && this.#linesOf(index)?.at(address)
  }

  /** The function at an address and what was inlined there, the innermost first, each with the line it is at. */
  frames(address: bigint): Frame[] {
    const index = this.#unitAt(address)
    if (!index) return []
    const chain = chainAt(this.#functionsOf(index), address)
    const lines = this.#linesOf(index)
    let line = lines?.at(address)
    const frames: Frame[] = []
    for (const entry of chain.toReversed()) {
      frames.push({ name: this.#shown(entry), line })
      const { call } = entry
      line = call && lines ? { file: lines.file(call.file), line: call.line, column: call.column } : undefined
    }
    return frames
  }

  /** @param name as the file has it, or as people see it */
  named(name: string): ElfSymbol | undefined {
    return this.table.named(name) ?? this.#demangled().get(name)
  }

  #byDemangled: Map<string, ElfSymbol> | undefined
  #demangled(): Map<string, ElfSymbol> {
    if (!this.#byDemangled) {
      this.#byDemangled = new Map()
      for (const symbol of this.table) {
        const shown = demangle(symbol.name)
        if (shown !== symbol.name && !this.#byDemangled.has(shown)) this.#byDemangled.set(shown, symbol)
      }
    }
    return this.#byDemangled
  }

  #shown({ name, linkageName }: FunctionEntry): string {
    const shown = linkageName === undefined ? name : demangle(linkageName)
    return shown === linkageName ? name : shown
  }

  #linesOf(index: UnitIndex): LineTable | undefined {
    if (this.#lines.has(index)) return this.#lines.get(index)
    let table: LineTable | undefined
    try {
      if (index.lines !== undefined)
        table = new LineTable(this.#units, index.lines, index.directory, index.unit.addressSize)
    } catch (error) {
      this.#units.trouble(error)
    }
    keep(this.#lines, index, table)
    return table
  }

  #functionsOf(index: UnitIndex): FunctionEntry[] {
    let functions = this.#functions.get(index)
    if (!functions) {
      functions = []
      try {
        functions = functionsOf(this.#units, index.unit)
      } catch (error) {
        this.#units.trouble(error)
      }
      keep(this.#functions, index, functions)
    }
    return functions
  }

  /** The unit whose code covers an address. */
  #unitAt(address: bigint): UnitIndex | undefined {
    this.#index ??= this.#indexUnits()
    const { starts, ends, units } = this.#index
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= address) low = middle + 1
      else high = middle
    }
    for (let i = low - 1; i >= 0 && i >= low - 8; i--) if (address < ends[i]!) return units[i]
    return undefined
  }

  #indexUnits() {
    const found: { range: Range; index: UnitIndex }[] = []
    for (const unit of this.#units.all) {
      try {
        const root = this.#units.root(unit)
        if (!root || root.entry.tag !== TAG.compile_unit) continue
        const { attributes } = root
        const directory = attributes.get(AT.comp_dir)
        const index: UnitIndex = {
          unit,
          ranges: rangesOf(this.#units, unit, attributes),
          directory: typeof directory === 'string' ? directory : '',
          lines: numeric(attributes.get(AT.stmt_list)),
        }
        for (const range of index.ranges) found.push({ range, index })
      } catch (error) {
        this.#units.trouble(error)
      }
    }
    found.sort((a, b) => (a.range.low < b.range.low ? -1 : a.range.low > b.range.low ? 1 : 0))
    return {
      starts: BigUint64Array.from(found, ({ range }) => range.low),
      ends: BigUint64Array.from(found, ({ range }) => range.high),
      units: found.map(({ index }) => index),
    }
  }
}

/** Forgets the oldest when there are too many. */
function keep<V>(map: Map<UnitIndex, V>, key: UnitIndex, value: V) {
  if (map.size >= KEPT) map.delete(map.keys().next().value!)
  map.set(key, value)
}

function placeOf({ name, address }: ElfSymbol, at: bigint): Place {
  return { name: demangle(name), linkageName: name, address, offset: Number(at - address) }
}

/** `name+1Ch`; the plain name at its begin. */
export function placeText({ name, offset }: Place): string {
  return offset === 0 ? name : `${name}+${offset.toString(16).toUpperCase()}h`
}

/** A file that stays open as long as its symbols are used. */
export class SymbolFile {
  readonly symbols: Symbols
  readonly #descriptor: number

  /** @throws SymbolError, or the system's error when it cannot be opened */
  constructor(readonly path: string) {
    this.#descriptor = openSync(path, 'r')
    try {
      const stat = fstatSync(this.#descriptor)
      if (!stat.isFile()) throw new SymbolError('it is no regular file')
      const descriptor = this.#descriptor
      this.symbols = new Symbols(
        {
          size: stat.size,
          read: (at, length) => readAt(descriptor, at, Math.max(0, Math.min(length, stat.size - at))),
        },
        path,
      )
    } catch (error) {
      closeSync(this.#descriptor)
      throw error
    }
  }

  close() {
    closeSync(this.#descriptor)
  }
}
