// What the bytes of a window mean: the structures that the processor reads there, and those of the kernel.

export type OverlayLink = { space: 'linear' | 'physical'; address: bigint; what: 'code' | 'data' | 'table' }

export interface OverlayItem {
  /** Offset of its first byte from the begin of the window; negative when it begins before. */
  at: number
  /** Bytes. */
  length: number
  /** "gate 14 #PF", "entry 3", "tasks[2].state" */
  name: string
  /** What the bytes say, for people. */
  text: string
  link?: OverlayLink
  /** It is empty, not present, or of no effect. */
  faint?: boolean
}

export interface Overlay {
  /** "IDT of CPU 0", "page directory", "struct task" */
  title: string
  items: OverlayItem[]
}

/** More than a window can show. */
export const ITEMS_MAX = 1024
