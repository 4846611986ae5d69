// The slots of the TLB as a picture: a cell a slot, in rows, so that neighbours in memory are neighbours here. Pure,
// so that it can be tested without a page.

/** Colour names (tokens.css) by SLOT_ code of the machine's TLB contents, and what to call them. */
export const SLOT_KINDS = [
  { token: '--bg0', word: 'empty' },
  { token: '--line-strong', word: 'other space' },
  { token: '--ring0', word: 'supervisor' },
  { token: '--ring3', word: 'user' },
  { token: '--accent', word: 'global' },
  { token: '--bad', word: 'stale' },
] as const

export const COLUMNS = 256

/**
 * @param slots a SLOT_ code per slot
 * @param colours packed pixels, in the order of SLOT_KINDS
 * @param cell side of a cell in pixels; from 3 on a line of background keeps cells apart
 * @returns pixels of COLUMNS * cell columns
 */
export function paintSlots(slots: Uint8Array, colours: Uint32Array, cell: number): Uint32Array {
  const width = COLUMNS * cell
  const rows = Math.ceil(slots.length / COLUMNS)
  const pixels = new Uint32Array(width * rows * cell).fill(colours[0]!)
  const side = cell >= 3 ? cell - 1 : cell
  for (let slot = 0; slot < slots.length; slot++) {
    const kind = slots[slot]!
    if (kind === 0) continue
    const left = (slot % COLUMNS) * cell
    const top = Math.floor(slot / COLUMNS) * cell
    for (let y = top; y < top + side; y++)
      pixels.fill(colours[kind] ?? colours[0]!, y * width + left, y * width + left + side)
  }
  return pixels
}
