// Split DWARF (DWARF 5, 7.3.2 and appendix F; GNU's form of it for version 4): units in files of their own, .dwo beside the program
// or all together in one .dwp. The program has skeletons of them, with an identifier that both must have.
import type { Sections } from '../sections'
import { hex, SymbolError } from '../symbol-error'
import { Cursor } from './cursor'

/** A place that split units may be in: what it opens. */
export interface SplitOpener {
  /** The package beside the program, when there is one. */
  package(): SplitFile | undefined
  /**
   * @param name DW_AT_dwo_name
   * @param directory DW_AT_comp_dir
   */
  object(name: string, directory: string): SplitFile | undefined
}

export interface SplitFile {
  path: string
  sections: Sections
}

/** What a package has of one unit: where in each section, in bytes. */
export interface Contribution {
  info: number
  abbrev: number
  strOffsets: number
  rnglists: number
}

const INDEX_MAX = 1 << 20
const COLUMNS_MAX = 16
/** DW_SECT_INFO, ABBREV, STR_OFFSETS; RNGLISTS is in version 5 only. */
const [INFO, ABBREV, STR_OFFSETS, RNGLISTS] = [1, 3, 6, 8]

/**
 * The index of a package: contributions by the identifier of their unit (DWARF 5, 7.3.5).
 * @throws SymbolError when it is damaged
 */
export function readPackage(sections: Sections): Map<bigint, Contribution> {
  const source = sections.get('.debug_cu_index')
  const found = new Map<bigint, Contribution>()
  if (source.size === 0) return found
  const cursor = new Cursor(source.read(0, Math.min(source.size, 64 << 20)), 0, ' in .debug_cu_index')
  // 2 and two bytes of padding, or 5 and two bytes of it.
  const version = cursor.u32() & 0xffff
  if (version !== 2 && version !== 5)
    throw new SymbolError(`.debug_cu_index has version ${version}; 2 and 5 can be read`)
  const columns = cursor.u32()
  const units = cursor.u32()
  const slots = cursor.u32()
  if (columns > COLUMNS_MAX || units > INDEX_MAX || slots > 2 * INDEX_MAX)
    throw new SymbolError(
      `.debug_cu_index claims ${units} units in ${columns} columns and ${hex(slots)} slots`,
    )
  const signatures = Array.from({ length: slots }, () => cursor.u64())
  const rows = Array.from({ length: slots }, () => cursor.u32())
  const kinds = Array.from({ length: columns }, () => cursor.u32())
  const offsets = Array.from({ length: units * columns }, () => cursor.u32())
  for (const [slot, row] of rows.entries()) {
    if (row === 0) continue
    if (row > units) throw new SymbolError(`.debug_cu_index names row ${row} of ${units}`)
    const at = (kind: number) => {
      const column = kinds.indexOf(kind)
      return column < 0 ? 0 : offsets[(row - 1) * columns + column]!
    }
    found.set(signatures[slot]!, {
      ...{ info: at(INFO), abbrev: at(ABBREV), strOffsets: at(STR_OFFSETS) },
      rnglists: version === 5 ? at(RNGLISTS) : 0,
    })
  }
  return found
}
