// The graph of interrupts: columns of what asked, what it went through, vectors and CPUs, and bands between them as wide as the
// logarithm of how many went there. Every row has its place by kind and number, so that nothing jumps when counts change.
import type { InterruptWay } from '../../../../preload/bridge'
import {
  type Named,
  type SourceKind,
  sourceKind,
  sourceOf,
  targetOf,
  vectorOf,
  viaOf,
} from './interrupt-words'

export interface FlowNode extends Named {
  column: 'source' | 'via' | 'vector' | 'target'
  kind: SourceKind | 'plain' | 'bad'
  count: number
  rate: number
  ways: number[]
  x: number
  y: number
}

export interface FlowLink {
  id: string
  kind: SourceKind | 'bad'
  path: string
  /** px */
  width: number
  count: number
  ways: number[]
  from: string
  to: string
}

export interface FlowGraph {
  nodes: FlowNode[]
  links: FlowLink[]
  height: number
  /** Of every node, px. */
  nodeWidth: number
}

export const NODE_HEIGHT = 20
const GAP = 5
const COLUMNS = ['source', 'via', 'vector', 'target'] as const
/** Narrower than this, what an interrupt goes through is left to the tips, px. */
const VIA_FROM = 470

const order = (way: InterruptWay): number => {
  const kinds: SourceKind[] = ['device', 'message', 'local', 'ipi', 'unseen']
  const { route, line } = way
  const number = route.by === 'ipi' ? route.from : (line ?? (route.by === 'local' ? 0 : 24))
  return kinds.indexOf(sourceKind(way)) * 100 + number
}

/** @param width of the whole, px */
export function flowGraph(ways: readonly InterruptWay[], width: number): FlowGraph {
  const shown = ways.filter(({ count }) => count > 0)
  const columns = COLUMNS.filter((column) => column !== 'via' || width >= VIA_FROM)
  const nodeWidth = Math.max(58, Math.min(190, Math.floor((width - 2) / (columns.length * 1.42))))
  const gap = columns.length > 1 ? (width - 2 - nodeWidth * columns.length) / (columns.length - 1) : 0
  const named = { source: sourceOf, via: viaOf, vector: vectorOf, target: targetOf }
  const nodes = new Map<string, FlowNode & { rank: number; weight: number }>()
  const links = new Map<string, FlowLink & { fromNode: string; toNode: string }>()
  for (const way of shown) {
    const rank = order(way)
    const kind = way.nobody ? 'bad' : sourceKind(way)
    let before: string | undefined
    for (const column of columns) {
      const name = named[column](way)
      const id = `${column}-${name.id}`
      const known = nodes.get(id)
      const bad = column === 'target' && (way.nobody || way.cpu === undefined)
      const node = known ?? {
        ...{ ...name, id, column, count: 0, rate: 0, ways: [], x: 0, y: 0, rank: 0, weight: 0 },
        kind: column === 'source' ? sourceKind(way) : bad ? 'bad' : 'plain',
      }
      node.count += way.count
      node.rate += way.rate
      node.ways.push(way.id)
      node.rank += column === 'target' ? (way.nobody ? 99 : (way.cpu ?? 98)) : rank
      node.weight++
      nodes.set(id, node)
      if (before !== undefined) {
        const key = `${before} ${id} ${kind}`
        const link = links.get(key) ?? {
          ...{ id: key, kind, path: '', width: 0, count: 0, ways: [] },
          ...{ from: before, to: id, fromNode: before, toNode: id },
        }
        link.count += way.count
        link.ways.push(way.id)
        links.set(key, link)
      }
      before = id
    }
  }
  let rows = 0
  for (const [i, column] of columns.entries()) {
    const own = [...nodes.values()]
      .filter((node) => node.column === column)
      .sort(
        (a, b) => a.rank / a.weight - b.rank / b.weight || a.id.localeCompare(b.id, 'en', { numeric: true }),
      )
    own.forEach((node, row) => {
      node.x = Math.round(1 + i * (nodeWidth + gap))
      node.y = row * (NODE_HEIGHT + GAP)
    })
    rows = Math.max(rows, own.length)
  }
  const most = Math.max(1, ...[...links.values()].map(({ count }) => count))
  const drawn = [...links.values()].map(({ fromNode, toNode, ...link }): FlowLink => {
    const from = nodes.get(fromNode)!
    const to = nodes.get(toNode)!
    const x0 = from.x + nodeWidth
    const y0 = from.y + NODE_HEIGHT / 2
    const y1 = to.y + NODE_HEIGHT / 2
    const middle = (x0 + to.x) / 2
    const wide = 1 + (7 * Math.log1p(link.count)) / Math.log1p(Math.max(most, 1000))
    return { ...link, width: wide, path: `M${x0},${y0}C${middle},${y0} ${middle},${y1} ${to.x},${y1}` }
  })
  // Thin ones lie above thick ones.
  drawn.sort((a, b) => b.width - a.width)
  return {
    nodes: [...nodes.values()].map(({ rank: _rank, weight: _weight, ...node }) => node),
    links: drawn,
    height: Math.max(0, rows * (NODE_HEIGHT + GAP) - GAP),
    nodeWidth,
  }
}
