// Where frames lie as cells: row by row, or along Hilbert curves, which keep neighbours in memory neighbours in the picture.
import { cellFor, gridFor } from '../memory/frame-grid'

export type LayoutKind = 'rows' | 'hilbert'

export interface FrameLayout {
  kind: LayoutKind
  /** Frames shown: from `start` on. */
  start: number
  shown: number
  /** Cells in the picture. */
  columns: number
  rows: number
  /** Side of a cell, device pixels: whole where cells stand apart (GAP_FROM), below that a fraction, so that they fill the room. */
  cell: number
  /** Places along each side of a pixel whose mean it shows, when there are more cells than pixels; else 1. */
  step: number
  /** Hilbert: side of a curve in cells, and how many lie beside each other. */
  side: number
  across: number
}

const STEP_MAX = 16
const stepFor = (cell: number) => Math.min(STEP_MAX, Math.max(1, Math.ceil(1 / cell - 1e-9)))

/**
 * @param start first frame, @param shown how many, of `total`
 * @param width of the room, device pixels, @param height too
 */
export function layoutFor(
  kind: LayoutKind,
  start: number,
  shown: number,
  total: number,
  width: number,
  height: number,
): FrameLayout {
  if (kind === 'hilbert') return hilbertLayout(start, shown, total, width, height)
  const { columns, rows, cell } = gridFor(Math.max(1, shown), width, height)
  return { kind, start, shown, columns, rows, cell, step: stepFor(cell), side: 0, across: 0 }
}

function hilbertLayout(
  start: number,
  wanted: number,
  total: number,
  width: number,
  height: number,
): FrameLayout {
  // The whole memory is as many curves as it has powers of four; a part of it is one.
  let side = 8
  while (side * side * 4 <= Math.min(wanted, total)) side *= 2
  const all = wanted >= total
  const curve = side * side
  const from = all
    ? 0
    : Math.min(Math.floor(start / curve), Math.max(0, Math.ceil(total / curve) - 1)) * curve
  const curves = all ? Math.ceil(total / curve) : 1
  let best = { across: 1, scale: 0 }
  for (let across = 1; across <= curves; across++) {
    const scale = Math.min(width / (side * across), height / (side * Math.ceil(curves / across)))
    if (scale > best.scale) best = { across, scale }
  }
  const { across, scale } = best
  const cell = cellFor(scale)
  return {
    ...{ kind: 'hilbert', start: from, shown: Math.min(curves * curve, total - from), side, across },
    ...{ columns: side * across, rows: side * Math.ceil(curves / across), cell, step: stepFor(cell) },
  }
}

/** @returns the frame in a cell, undefined where none is shown */
export function frameAt(layout: FrameLayout, column: number, row: number): number | undefined {
  const { kind, columns, rows, start, shown, side, across } = layout
  if (column < 0 || row < 0 || column >= columns || row >= rows) return undefined
  let at = row * columns + column
  if (kind === 'hilbert') {
    const curve = Math.floor(row / side) * across + Math.floor(column / side)
    at = curve * side * side + hilbertIndex(side, column % side, row % side)
  }
  return at < shown ? start + at : undefined
}

/** @returns the cell of a frame, undefined when it is not shown */
export function cellOf(layout: FrameLayout, frame: number): { column: number; row: number } | undefined {
  const { kind, columns, start, shown, side, across } = layout
  const at = frame - start
  if (at < 0 || at >= shown) return undefined
  if (kind === 'rows') return { column: at % columns, row: Math.floor(at / columns) }
  const curve = Math.floor(at / (side * side))
  const { x, y } = hilbertCell(side, at % (side * side))
  return { column: (curve % across) * side + x, row: Math.floor(curve / across) * side + y }
}

/** How far along the curve of a square a cell is. @param side a power of two */
export function hilbertIndex(side: number, x: number, y: number): number {
  let index = 0
  for (let half = side >> 1; half > 0; half >>= 1) {
    const right = x & half ? 1 : 0
    const down = y & half ? 1 : 0
    index += half * half * ((3 * right) ^ down)
    if (down === 0) {
      if (right === 1) {
        x = side - 1 - x
        y = side - 1 - y
      }
      ;[x, y] = [y, x]
    }
  }
  return index
}

export function hilbertCell(side: number, index: number): { x: number; y: number } {
  let x = 0
  let y = 0
  let rest = index
  for (let half = 1; half < side; half *= 2) {
    const right = (rest >> 1) & 1
    const down = (rest ^ right) & 1
    if (down === 0) {
      if (right === 1) {
        x = half - 1 - x
        y = half - 1 - y
      }
      ;[x, y] = [y, x]
    }
    x += half * right
    y += half * down
    rest >>= 2
  }
  return { x, y }
}
