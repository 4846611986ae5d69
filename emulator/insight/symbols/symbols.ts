// Symbols of a kernel: what an address is called, which line it came from, what was inlined there; where a name is; types.
import { type ByteSource, bytesSource, type Elf, ElfError, readElf, SHT_SYMTAB } from '../../media/elf'
import { demangle } from './demangle/demangle'
import { AT, TAG } from './dwarf/constants'
import { chainAt, type FunctionEntry, functionsOf } from './dwarf/functions'
import { type Line, LineTable } from './dwarf/lines'
import { rangesOf } from './dwarf/ranges'
import { type PackedTypes, Types } from './dwarf/types'
import { numeric, type PackedUnits, packUnits, type Unit, Units, unpackUnits } from './dwarf/units'
import { Sections } from './sections'
import { openSplitFile, splitOpener } from './split-files'
import { type ElfSymbol, type SymbolOrder, SymbolTable } from './symbol-table'
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
  directory: string
  lines: number | undefined
}

/** Which unit has the code of an address: by address, ascending. */
interface UnitRanges {
  starts: BigUint64Array<ArrayBuffer>
  ends: BigUint64Array<ArrayBuffer>
  units: Uint32Array<ArrayBuffer>
}
const RANGES_MAX = 1 << 22

/** What going through the debugging information once has found: it goes from thread to thread. */
export interface PreparedDebug {
  units: PackedUnits
  ranges: UnitRanges
  types: PackedTypes
  /** Sections that are kept packed in the file. */
  unpacked: [name: string, bytes: Uint8Array<ArrayBuffer>][]
  troubles: string[]
  /** Files with split units. */
  splitFiles: string[]
}

/** Units of which functions and lines are kept: what is looked at together lies together. */
const KEPT = 64

export class Symbols {
  readonly elf: Elf
  readonly table: SymbolTable
  readonly #sections: Sections
  #units: Units
  #types: Types
  #ranges: UnitRanges | undefined
  readonly #roots = new Map<number, UnitIndex>()
  readonly #lines = new Map<UnitIndex, LineTable | undefined>()
  readonly #functions = new Map<UnitIndex, FunctionEntry[]>()

  /**
   * @param source an ELF file
   * @param names what another thread has made of its symbols; its debugging information is another's to read then, and comes by `adopt`
   * @param debug another ELF file that has the debugging information
   * @throws SymbolError when it is none
   */
  constructor(
    readonly source: ByteSource,
    readonly path = '',
    names?: SymbolOrder,
    debug?: ByteSource,
  ) {
    this.elf = elfOf(source)
    const own = new Sections(source, this.elf)
    this.#sections = debug ? new Sections(debug, elfOf(debug)) : own
    // A program that was stripped has its names there, too.
    const stripped = debug !== undefined && !this.elf.sections.some(({ type }) => type === SHT_SYMTAB)
    const named = stripped ? this.#sections : own
    this.table = new SymbolTable(named.elf, named, names)
    this.#units = names ? this.#noUnits() : this.#openUnits()
    this.#types = new Types(this.#units)
  }

  get types(): Types {
    this.readSplit()
    return this.#types
  }

  #noUnits(): Units {
    return new Units(new Sections(bytesSource(new Uint8Array(0)), { ...this.elf, sections: [] }))
  }

  #openUnits(): Units {
    try {
      return new Units(this.#sections)
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error
      // The names are good without the debugging information.
      const units = this.#noUnits()
      units.trouble(error)
      return units
    }
  }

  /**
   * Goes through all of the debugging information.
   * @param progress is told now and then how much is done, 0 to 1
   */
  prepareDebug(progress: (done: number) => void): PreparedDebug {
    this.readSplit()
    const { all, troubles, splitFiles } = this.#units
    this.#ranges ??= this.#indexUnits()
    let done = 0
    for (const _ of this.#types.scan()) if (++done % 64 === 0) progress(done / all.length)
    return {
      units: packUnits(all),
      ranges: this.#ranges,
      types: this.#types.pack(),
      unpacked: this.#sections.unpacked(),
      troubles: [...troubles],
      splitFiles,
    }
  }

  /** Takes what `prepareDebug` has made of the same file on another thread. */
  adopt({ units, ranges, types, unpacked, troubles, splitFiles }: PreparedDebug) {
    this.#sections.adopt(unpacked)
    this.#units = new Units(this.#sections, unpackUnits(units))
    this.#units.reopen(splitFiles.map((path) => openSplitFile(path)))
    this.#units.troubles.push(...troubles)
    this.#split = true
    this.#types = new Types(this.#units)
    this.#types.adopt(types)
    this.#ranges = ranges
    this.#roots.clear()
    this.#lines.clear()
    this.#functions.clear()
  }

  #split = false
  /** Opens the files with split units; what looks at types does it, and what looks at code. */
  readSplit() {
    if (this.#split) return
    this.#split = true
    for (const _ of this.#units.openSplit(splitOpener(this.path)));
  }

  /** What of the debugging information could not be read: clauses for people. */
  get troubles(): readonly string[] {
    return this.#units.troubles
  }
  /** Notes what of the debugging information could not be read. */
  trouble(message: string) {
    this.#units.trouble(new SymbolError(message))
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
      for (const symbol of this.table.mangled()) {
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
        const { split } = index.unit
        functions = functionsOf(
          this.#units,
          (split === undefined ? undefined : this.#units.all[split]) ?? index.unit,
        )
      } catch (error) {
        this.#units.trouble(error)
      }
      keep(this.#functions, index, functions)
    }
    return functions
  }

  /** The unit whose code covers an address. */
  #unitAt(address: bigint): UnitIndex | undefined {
    this.readSplit()
    this.#ranges ??= this.#indexUnits()
    const { starts, ends, units } = this.#ranges
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= address) low = middle + 1
      else high = middle
    }
    for (let i = low - 1; i >= 0 && i >= low - 8; i--) if (address < ends[i]!) return this.#root(units[i]!)
    return undefined
  }

  /** What a unit's own entry says. */
  #root(number: number): UnitIndex | undefined {
    let index = this.#roots.get(number)
    const unit = this.#units.all[number]
    if (index || !unit) return index
    try {
      const attributes = this.#units.root(unit)?.attributes
      const directory = attributes?.get(AT.comp_dir)
      const lines = numeric(attributes?.get(AT.stmt_list))
      index = { unit, directory: typeof directory === 'string' ? directory : '', lines }
      if (this.#roots.size >= 16 * KEPT) this.#roots.clear()
      this.#roots.set(number, index)
    } catch (error) {
      this.#units.trouble(error)
    }
    return index
  }

  #indexUnits(): UnitRanges {
    const found: { low: bigint; high: bigint; unit: number }[] = []
    for (const [number, unit] of this.#units.all.entries()) {
      try {
        const root = this.#units.root(unit)
        const skeleton = root?.entry.tag === TAG.compile_unit || root?.entry.tag === TAG.skeleton_unit
        if (!root || !skeleton || unit.file !== 0) continue
        for (const { low, high } of rangesOf(this.#units, unit, root.attributes))
          if (found.length < RANGES_MAX) found.push({ low, high, unit: number })
      } catch (error) {
        this.#units.trouble(error)
      }
    }
    found.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))
    return {
      starts: BigUint64Array.from(found, ({ low }) => low),
      ends: BigUint64Array.from(found, ({ high }) => high),
      units: Uint32Array.from(found, ({ unit }) => unit),
    }
  }
}

/** @throws SymbolError */
function elfOf(source: ByteSource): Elf {
  try {
    return readElf(source)
  } catch (error) {
    if (error instanceof ElfError) throw new SymbolError(error.message)
    throw error
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
