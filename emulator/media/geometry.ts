// Cylinders, heads and sectors of an image, as a BIOS would report them.

export interface Geometry {
  cylinders: number
  heads: number
  sectorsPerTrack: number
}

/** The PC's floppy formats by size in KiB: what a drive of that kind accepts. */
export const FLOPPY_FORMATS: readonly (Geometry & { kib: number; name: string })[] = [
  { kib: 160, cylinders: 40, heads: 1, sectorsPerTrack: 8, name: '5.25" 160 KiB' },
  { kib: 180, cylinders: 40, heads: 1, sectorsPerTrack: 9, name: '5.25" 180 KiB' },
  { kib: 320, cylinders: 40, heads: 2, sectorsPerTrack: 8, name: '5.25" 320 KiB' },
  { kib: 360, cylinders: 40, heads: 2, sectorsPerTrack: 9, name: '5.25" 360 KiB' },
  { kib: 720, cylinders: 80, heads: 2, sectorsPerTrack: 9, name: '3.5" 720 KiB' },
  { kib: 1200, cylinders: 80, heads: 2, sectorsPerTrack: 15, name: '5.25" 1.2 MiB' },
  { kib: 1440, cylinders: 80, heads: 2, sectorsPerTrack: 18, name: '3.5" 1.44 MiB' },
  { kib: 1680, cylinders: 80, heads: 2, sectorsPerTrack: 21, name: '3.5" 1.68 MiB (DMF)' },
  { kib: 2880, cylinders: 80, heads: 2, sectorsPerTrack: 36, name: '3.5" 2.88 MiB' },
]

/** @returns the floppy format of exactly this many bytes */
export function floppyFormat(bytes: number) {
  return FLOPPY_FORMATS.find(({ kib }) => kib * 1024 === bytes)
}

/** ATA-5 Annex C / IDENTIFY words 1, 3, 6: never more than this is addressable by cylinder, head and sector. */
const MAX_CYLINDERS = 16383
const HEADS = 16
const SECTORS_PER_TRACK = 63

/**
 * Geometry an ATA disk of this many 512-byte sectors presents in IDENTIFY: 16 heads of 63 sectors, as every disk made
 * since the middle of the nineties does. The firmware translates it for INT 13h.
 */
export function diskGeometry(sectors: number): Geometry {
  const cylinders = Math.floor(sectors / (HEADS * SECTORS_PER_TRACK))
  return {
    cylinders: Math.max(1, Math.min(cylinders, MAX_CYLINDERS)),
    heads: HEADS,
    sectorsPerTrack: SECTORS_PER_TRACK,
  }
}
