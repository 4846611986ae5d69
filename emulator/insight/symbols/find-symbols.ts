// Symbols by a few letters of their names, for a field to type in.
import { demangle } from './demangle/demangle'
import type { ElfSymbol, SymbolTable } from './symbol-table'

export interface FoundSymbol {
  /** For people: demangled. */
  name: string
  address: bigint
  size: number
  kind: ElfSymbol['kind']
}

/**
 * The best matches: names that are the query, then those that begin with it, then those that have it, shorter first.
 * Case counts only to tell equals apart.
 * @param most how many
 */
export function findSymbols(table: SymbolTable, query: string, most: number): FoundSymbol[] {
  const steps = findingSymbols(table, query, most)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Symbols of one step: a kernel has hundreds of thousands, and unfolding the names of C++ and Rust takes microseconds each. */
const STEP = 512

/** The same in steps of a millisecond or two; yields how much of the way is done, 0 to 1. */
export function* findingSymbols(
  table: SymbolTable,
  query: string,
  most: number,
): Generator<number, FoundSymbol[]> {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  const found: { score: number; symbol: ElfSymbol; name: string }[] = []
  let seen = 0
  for (const symbol of table) {
    if (++seen % STEP === 0) yield seen / table.size
    const name = demangle(symbol.name)
    const score = scoreOf(name, wanted)
    if (score === undefined) continue
    found.push({ score, symbol, name })
    // A short query matches very much: only the best are kept.
    if (found.length >= most * 64) cut(found, most)
  }
  cut(found, most)
  return found.map(({ symbol: { address, size, kind }, name }) => ({ name, address, size, kind }))
}

function cut<T extends { score: number; name: string }>(found: T[], most: number) {
  found.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  found.length = Math.min(found.length, most)
}

function scoreOf(name: string, wanted: string): number | undefined {
  const at = name.toLowerCase().indexOf(wanted)
  if (at < 0) return undefined
  const kind = at > 0 ? 2 : name.length === wanted.length ? 0 : 1
  return kind * 1_000_000 + name.length
}
