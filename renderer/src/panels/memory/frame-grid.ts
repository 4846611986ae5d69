// How frames of memory are laid out as cells: row by row, a power of two in each, so that every row begins at a round
// address.

export interface Grid {
  columns: number
  rows: number
  /** Side of a cell, in device pixels: whole where cells stand apart, a fraction below that, so that they fill the room;
   *  below 1 several frames share a pixel. */
  cell: number
}

/** Largest cells, device pixels: more is not easier to see. */
export const CELL_MAX = 18
/** Cells from this size on stand apart. */
export const GAP_FROM = 5

/** The side of cells for which so much room would be, device pixels. */
export const cellFor = (room: number): number =>
  room >= GAP_FROM ? Math.min(CELL_MAX, Math.floor(room)) : room

/**
 * The grid with the largest cells that shows all of so many frames in so much room.
 * @param frames to show, at least 1
 * @param width of the room, device pixels
 * @param height of the room, device pixels
 */
export function gridFor(frames: number, width: number, height: number): Grid {
  let best: Grid = { columns: 1, rows: 1, cell: 0 }
  for (let columns = 4; columns <= 4096; columns *= 2) {
    const rows = Math.ceil(frames / columns)
    const cell = cellFor(Math.min(width / columns, height / rows))
    if (cell > best.cell || (cell === best.cell && rows < best.rows && columns <= frames)) {
      best = { columns, rows, cell }
    }
  }
  return best
}

/** Whole powers of two of frames, so that zooming in and out comes back to where it was. */
export const SHOWN_MIN = 64

/**
 * How many frames to show so that all that were used are seen, with a little air.
 * @param flags of all frames
 */
export function framesInUse(flags: Uint8Array): number {
  let last = flags.length - 1
  while (last > 0 && flags[last] === 0) last--
  let shown = 512
  while (shown < last + 1 + 32 && shown < flags.length) shown *= 2
  return Math.min(shown, flags.length)
}

/**
 * Zooms by a step around a frame that stays where it is.
 * @param total frames there are
 */
export function zoomed(
  view: { start: number; shown: number },
  steps: number,
  around: number,
  total: number,
): { start: number; shown: number } {
  const shown = Math.max(SHOWN_MIN, Math.min(total, view.shown * 2 ** -steps))
  const share = (around - view.start) / view.shown
  return { start: clampStart(Math.round(around - share * shown), shown, total), shown }
}

/** Rows begin at round addresses: a start is a multiple of 16 frames. */
export function clampStart(start: number, shown: number, total: number): number {
  const last = Math.max(0, total - shown)
  return Math.max(0, Math.min(last, Math.round(start / 16) * 16))
}
