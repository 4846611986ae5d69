// What goes between the page and the thread that paints frames (heat.worker.ts).
import type { FrameLayout } from './frame-layout'

export interface HeatOrder {
  layout: FrameLayout
  palette: Uint32Array
  background: number
  width: number
  height: number
  /** How many shades there are. */
  total: number
  /** Those that have changed: from `first` on. */
  first: number
  values: Uint8Array<ArrayBuffer>
}

export type ToPainter = { kind: 'canvas'; canvas: OffscreenCanvas } | { kind: 'paint'; order: HeatOrder }

export type FromPainter =
  | { kind: 'ready'; painter: 'WebGL' | 'canvas' }
  /** ms that it took the thread, and with it the graphics as far as they make it wait. */
  | { kind: 'painted'; ms: number }
  /** The graphics card has forgotten everything. */
  | { kind: 'lost' }
