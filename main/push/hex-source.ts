import * as L from '@emulator/core/layout'
import { readAddressSpace, type TableNode } from '@emulator/insight/address-space'
import { readWindow, ROW_BYTES } from '@emulator/insight/memory-window'
import { tablesOf } from '@emulator/insight/overlays/descriptor-tables'
import type { Overlay, OverlayItem } from '@emulator/insight/overlays/overlay'
import { pageTableOverlay } from '@emulator/insight/overlays/page-table'
import { structureOverlay } from '@emulator/insight/overlays/structure'
import { pagingControl, pagingKind } from '@emulator/insight/page-walk'
import type { GuestNames } from '@emulator/insight/symbols/guest-names'
import { demangle } from '@emulator/insight/symbols/demangle/demangle'
import type { Machine } from '@emulator/machine/api'
import type { HexView, Interest } from '../../preload/bridge'
import { sameBytes, type Source } from './source'

type Wish = Exclude<Interest['hex'], false>

/** Page tables of an address space are looked for this often, ms: it takes some. */
const TABLES_AGE = 500

export class HexSource implements Source<'hex'> {
  readonly part = 'hex'
  /** People read digits at a few per second. */
  readonly interval = 100
  #last: HexView | undefined
  #tables: { at: number; levels: Map<number, number> } | undefined

  /**
   * @param chosen the CPU through whose tables linear addresses go
   */
  constructor(
    private readonly machine: Pick<Machine, 'cpu' | 'memory'>,
    private readonly chosen: () => number,
    private readonly wish: () => Interest['hex'],
    private readonly names: () => GuestNames | undefined,
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): HexView | undefined {
    const wish = this.wish()
    if (wish === false) return
    const view = this.#view(wish)
    if (this.#last && sameView(this.#last, view)) return
    this.#last = view
    return view
  }

  forget() {
    this.#last = undefined
    this.#tables = undefined
  }

  #view(wish: Wish): HexView {
    const { memory } = this.machine
    const cpu = this.chosen()
    const control = pagingControl(memory, cpu)
    const { space, at, bytes, kinds, physicalAt } = readWindow(
      memory,
      control,
      wish.space,
      BigInt(`0x${wish.at}`),
      wish.rows,
    )
    const view: HexView = { cpu, space, at, bytes, kinds, physicalAt, overlays: [] }
    if (wish.overlay === false) return view
    if ('type' in wish.overlay) {
      const base = BigInt(`0x${wish.overlay.base}`)
      const overlay = this.#structure(wish.overlay.type, Number(BigInt.asIntN(64, base - at)), bytes)
      if (typeof overlay === 'string') view.problem = overlay
      else view.overlays.push(overlay)
      return view
    }
    const flat = pagingKind(control) === 'none'
    if (space === 'linear' || flat) view.overlays.push(...tablesOf(this.machine.cpu(cpu), { at, bytes }))
    this.#nameTargets(view.overlays)
    const table = this.#pageTable(view)
    if (table) view.overlays.push(table)
    if (space === 'linear') {
      const symbols = this.#symbols(at, bytes.length)
      if (symbols) view.overlays.push(symbols)
    }
    return view
  }

  /** Says what the kernel calls the code that gates lead to. */
  #nameTargets(overlays: Overlay[]) {
    const names = this.names()
    if (names?.state.state !== 'match') return
    for (const { items } of overlays)
      for (const item of items) {
        const label = item.link?.what === 'code' ? names.label(item.link.address) : undefined
        if (label !== undefined) item.text = `${label}  ${item.text}`
      }
  }

  /** The window lies in a frame that is a page table now: its entries. */
  #pageTable({ physicalAt, bytes, cpu }: HexView): Overlay | undefined {
    const first = physicalAt.findIndex((address) => address >= 0)
    if (first < 0) return undefined
    const { memory } = this.machine
    const frame = Math.floor(physicalAt[first]! / L.PAGE_SIZE)
    if (frame >= memory.frameCount) return undefined
    const flags = memory.u32[(memory.frames + frame * L.FRAME_SIZE + L.FRAME_FLAGS) >>> 2]!
    if ((flags & L.FRAME_PAGE_TABLE) === 0) return undefined
    const control = pagingControl(memory, cpu)
    const kind = pagingKind(control)
    const level = this.#levels(cpu).get(frame * L.PAGE_SIZE)
    if (kind === 'none' || level === undefined) return undefined
    // Only as far as this one table goes.
    let rows = 1
    const start = physicalAt[first]!
    while (
      first + rows < physicalAt.length &&
      physicalAt[first + rows] === start + rows * ROW_BYTES &&
      Math.floor((start + rows * ROW_BYTES) / L.PAGE_SIZE) === frame
    )
      rows++
    const part = bytes.subarray(first * ROW_BYTES, (first + rows) * ROW_BYTES)
    const overlay = pageTableOverlay(BigInt(start), part, kind, level)
    for (const item of overlay.items) item.at += first * ROW_BYTES
    return overlay
  }

  #levels(cpu: number): Map<number, number> {
    const now = performance.now()
    if (!this.#tables || now - this.#tables.at > TABLES_AGE) {
      const levels = new Map<number, number>()
      const visit = (node: TableNode) => {
        levels.set(node.table, node.level)
        node.children.forEach(visit)
      }
      const { tree } = readAddressSpace(this.machine.memory, pagingControl(this.machine.memory, cpu))
      if (tree) visit(tree)
      this.#tables = { at: now, levels }
    }
    return this.#tables.levels
  }

  /** What the kernel's symbols call the places of the window. */
  #symbols(at: bigint, length: number): Overlay | undefined {
    const names = this.names()
    const table = names?.symbols?.table
    if (!table || names.state.state !== 'match') return undefined
    const items: OverlayItem[] = []
    const end = at + BigInt(length)
    const before = table.at(at)
    const inside = table.between(at, end, 256)
    for (const symbol of before && before.address < at ? [before, ...inside] : inside) {
      const offset = Number(BigInt.asIntN(64, symbol.address - at))
      const size = Math.min(symbol.size || 1, 1 << 20)
      if (offset + size <= 0) continue
      items.push({
        ...{ at: offset, length: size, name: demangle(symbol.name) },
        text: `${symbol.kind === 'other' ? 'label' : symbol.kind}${symbol.size > 0 ? `, ${symbol.size} bytes` : ''}`,
        link: {
          space: 'linear',
          address: symbol.address,
          what: symbol.kind === 'function' ? 'code' : 'data',
        },
      })
    }
    return items.length > 0 ? { title: 'Symbols', items } : undefined
  }

  /** @returns in words why there is none */
  #structure(type: string, offset: number, bytes: Uint8Array): Overlay | string {
    const names = this.names()
    const symbols = names?.symbols
    if (names && !names.complete) return 'reading the types…'
    if (!symbols?.hasDebug) return 'no debugging information of the kernel has been found'
    const { types } = symbols
    const reference = types.byName.get(type) ?? types.variables.get(type)?.type
    if (reference === undefined) {
      return `the debugging information knows no type or variable ‘${type}’`
    }
    return structureOverlay(symbols, reference, offset, bytes)
  }
}

function sameView(a: HexView, b: HexView): boolean {
  return (
    a.cpu === b.cpu &&
    a.space === b.space &&
    a.at === b.at &&
    a.problem === b.problem &&
    sameBytes(a.bytes, b.bytes) &&
    sameBytes(a.kinds, b.kinds) &&
    a.physicalAt.every((address, i) => address === b.physicalAt[i]) &&
    sameOverlays(a.overlays, b.overlays)
  )
}

const sameOverlays = (a: Overlay[], b: Overlay[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ title, items }, i) =>
      title === b[i]!.title &&
      items.length === b[i]!.items.length &&
      items.every((item, n) => {
        const other = b[i]!.items[n]!
        return item.at === other.at && item.text === other.text && item.name === other.name
      }),
  )
