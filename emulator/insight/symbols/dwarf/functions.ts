// Functions of a unit, and what was inlined into them.
import { AT, TAG } from './constants'
import { type Range, rangesOf } from './ranges'
import { type Attributes, numeric, type Unit, type Units, type Value } from './units'

export interface FunctionEntry {
  /** As in the source, with its namespaces where they are known. */
  name: string
  /** The name the linker knows; mangled. */
  linkageName: string | undefined
  ranges: Range[]
  /** Where it was inlined: file number and line of the call, in the unit's line table. */
  call: { file: number; line: number; column: number } | undefined
  inlined: FunctionEntry[]
}

const FUNCTION = new Set<number>([
  AT.name,
  AT.linkage_name,
  AT.mips_linkage_name,
  AT.low_pc,
  AT.high_pc,
  AT.ranges,
  AT.abstract_origin,
  AT.specification,
  AT.call_file,
  AT.call_line,
  AT.call_column,
  AT.declaration,
])
const NAMES = new Set<number>([
  AT.name,
  AT.linkage_name,
  AT.mips_linkage_name,
  AT.abstract_origin,
  AT.specification,
])
/** An origin has an origin has an origin; only a damaged file goes on. */
const ORIGINS_MAX = 16
const FUNCTIONS_MAX = 1 << 18

/** All functions of a unit that have code. */
export function functionsOf(units: Units, unit: Unit): FunctionEntry[] {
  const found: FunctionEntry[] = []
  const reader = units.reader(unit)
  /** Functions that are open, and how deep they are. */
  const open: { depth: number; entry: FunctionEntry }[] = []
  let count = 0
  while (reader.next()) {
    const { tag, depth } = reader.entry
    while (open.length > 0 && open.at(-1)!.depth >= depth) open.pop()
    if (tag !== TAG.subprogram && tag !== TAG.inlined_subroutine) continue
    const attributes = reader.attributes(FUNCTION)
    const ranges = rangesOf(units, unit, attributes)
    if (ranges.length === 0) continue
    if (++count > FUNCTIONS_MAX) break
    const { name, linkageName } = namesOf(units, attributes)
    const line = numeric(attributes.get(AT.call_line))
    const entry: FunctionEntry = {
      name: name ?? linkageName ?? '?',
      linkageName,
      ranges,
      call:
        tag === TAG.inlined_subroutine && line !== undefined
          ? {
              file: numeric(attributes.get(AT.call_file)) ?? 0,
              line,
              column: numeric(attributes.get(AT.call_column)) ?? 0,
            }
          : undefined,
      inlined: [],
    }
    const parent = tag === TAG.inlined_subroutine ? open.at(-1)?.entry : undefined
    if (parent) parent.inlined.push(entry)
    else if (tag === TAG.subprogram) found.push(entry)
    open.push({ depth, entry })
  }
  return found
}

/** A name may stand with what the entry is an instance of. */
export function namesOf(
  units: Units,
  given: Attributes,
): { name: string | undefined; linkageName: string | undefined } {
  let attributes = given
  let name = text(attributes.get(AT.name))
  let linkageName = linkage(attributes)
  for (let i = 0; i < ORIGINS_MAX && (name === undefined || linkageName === undefined); i++) {
    const origin = numeric(attributes.get(AT.abstract_origin) ?? attributes.get(AT.specification))
    const unit = origin === undefined ? undefined : units.holding(origin)
    if (origin === undefined || !unit) break
    const reader = units.reader(unit, origin)
    if (!reader.next()) break
    attributes = reader.attributes(NAMES)
    name ??= text(attributes.get(AT.name))
    linkageName ??= linkage(attributes)
  }
  return { name, linkageName }
}

function linkage(attributes: Attributes): string | undefined {
  return text(attributes.get(AT.linkage_name) ?? attributes.get(AT.mips_linkage_name))
}

function text(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined
}

const covers = ({ ranges }: FunctionEntry, address: bigint) =>
  ranges.some(({ low, high }) => low <= address && address < high)

/** The function at an address and what was inlined there, the outermost first. */
export function chainAt(functions: readonly FunctionEntry[], address: bigint): FunctionEntry[] {
  const chain: FunctionEntry[] = []
  let level = functions
  while (chain.length < 64) {
    const here = level.find((entry) => covers(entry, address))
    if (!here) break
    chain.push(here)
    level = here.inlined
  }
  return chain
}
