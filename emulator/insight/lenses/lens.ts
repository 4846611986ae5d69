// Lens files (docs/lenses.md): read, held against the published schema, and their expressions parsed.
import schemaText from '../../../docs/lens.schema.json'
import { type Expression, ExpressionError, parseExpression } from './expression'
import { errorAt, type JsonNode, parseJson, plain } from './json'
import { LensError } from './lens-error'
import { problemsOf, type Schema } from './schema'

type Text = string | number

export interface Walk {
  list?: Text
  tree?: Text
  table?: Text
  type?: string
  link?: string
  next?: string
  count?: Text
  where?: Text
}
export interface Enumerated {
  value: Text
  enum: string
  free?: string[]
}
export interface FramesLens {
  table: Text
  count: Text
  first?: Text
  size: Text
  use?: Enumerated
  references?: Text
  order?: Text
  caller?: { value: Text; add?: Text }
  owner?: Text
}
interface Named {
  name?: string
  active?: Text
}
export type BitmapLens = Named & {
  kind: 'bitmap'
  bits: Text
  count: Text
  used: 0 | 1
  first?: Text
  size: Text
  free?: Text
}
export type BuddyLens = Named & {
  kind: 'buddy'
  orders: Text
  lists: Text
  type: string
  link: string
  frame: Text
  counts?: Text
  free?: Text
  size: Text
}
export type SlabLens = Named & {
  kind: 'slab'
  caches: Walk
  cache: { name: Text; size: Text; perSlab?: Text; order?: Text; inUse?: Text; lists: Text[] }
  slab: { type: string; link: string; objects: Text; inUse?: Text; free?: Text; links?: Text; end?: Text }
}
export type FreeListLens = Named & { kind: 'free-list'; list: Walk; size: Text }
export type StackLens = Named & { kind: 'stack'; entries: Text; top: Text; size: Text }
/** Without types: each free page holds the address of the next one at offset `next`; `head` is where the first one's is kept. */
export type RawListLens = Named & { kind: 'raw-list'; head: Text; next: number; width: 4 | 8; size: Text }
/** Without types: heads `stride` bytes apart, nodes in a table of records; the node of frame 0 would lie at `nodes`. */
export type RawBuddyLens = Named & {
  kind: 'raw-buddy'
  lists: Text
  orders: Text
  stride: number
  nodes: Text
  record: number
  size: Text
}
export type AllocatorLens =
  | BitmapLens
  | BuddyLens
  | SlabLens
  | FreeListLens
  | StackLens
  | RawListLens
  | RawBuddyLens

export type OperandLens = string | { stack: number }
export interface ProbeLens {
  function: string
  event: 'allocate' | 'free'
  pool?: string
  address: OperandLens | { of: OperandLens; minus?: Text; right?: number; left?: number }
  bytes?: OperandLens | number | { shift: number; by: OperandLens }
  many?: 'list' | 'array'
  whole?: boolean
}

export interface Lens {
  lens: 1
  kernel: string
  match?: { symbols: string[] }
  directMap?: Text
  frames?: FramesLens
  allocators?: AllocatorLens[]
  tasks?: Walk & { type: string; id: Text; name?: Text; state?: Enumerated; addressSpace?: Text }
  currentTask?: { table?: Text; count?: Text; value: Text }
  runQueue?: unknown
  probes?: ProbeLens[]
}

/** Bytes of a lens file; Seedling's has 3000. */
export const LENS_SIZE_MAX = 1 << 20
/** Of allocators and of probes. */
const PARTS_MAX = 256
const schema = schemaText as unknown as Schema

/**
 * @param text of a lens file
 * @throws LensError with line and column of what is wrong first
 */
export function parseLens(text: string): Lens {
  if (text.length > LENS_SIZE_MAX) throw new LensError(`a lens has at most ${LENS_SIZE_MAX} bytes`, 1, 1)
  const root = parseJson(text.replace(/^\uFEFF/, ' '))
  const expressions: JsonNode[] = []
  const problems = problemsOf(root, schema, (name, node) => {
    if (name === '#/$defs/expression') expressions.push(node)
  })
  for (const node of expressions) {
    if (node.kind !== 'string' && node.kind !== 'number') continue
    try {
      parsed(node.value)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      const inside = node.kind === 'string' ? 1 + error.at : 0
      problems.push({ at: node.at + inside, message: `in this expression: ${error.message}` })
    }
  }
  const [first] = problems.sort((a, b) => a.at - b.at)
  if (first) throw errorAt(text, first.at, first.message)
  const lens = plain(root) as Lens
  for (const [name, list] of [
    ['allocators', lens.allocators],
    ['probes', lens.probes],
  ] as const)
    if (list && list.length > PARTS_MAX) throw new LensError(`${name} has more than ${PARTS_MAX} parts`, 1, 1)
  return lens
}

/** Whether the lens names nothing of the kernel's: then it needs no symbols. */
export function needsSymbols({ match, frames, tasks, currentTask, probes, allocators }: Lens): boolean {
  if (match || frames || tasks || currentTask || probes) return true
  return (allocators ?? []).some((each) => {
    const texts =
      each.kind === 'bitmap'
        ? [each.bits, each.count, each.first, each.size, each.free]
        : each.kind === 'raw-list'
          ? [each.head, each.size]
          : each.kind === 'raw-buddy'
            ? [each.lists, each.orders, each.nodes, each.size]
            : undefined
    if (!texts) return true
    return [...texts, each.active].some((text) => text !== undefined && parsed(text).kind !== 'number')
  })
}

const known = new Map<Text, Expression>()

/** The same expression of all lenses is parsed once. @throws ExpressionError */
export function parsed(text: Text): Expression {
  let expression = known.get(text)
  if (!expression) {
    expression = parseExpression(text)
    if (known.size > 10_000) known.clear()
    known.set(text, expression)
  }
  return expression
}
