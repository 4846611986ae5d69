// The smallest CD that El Torito can boot, for tests: a volume descriptor, a boot record, a catalogue, an image.

export const MEDIA = { none: 0, floppy12: 1, floppy144: 2, floppy288: 3, disk: 4 } as const
const SECTOR = 2048
const CATALOGUE = 20
export const IMAGE_START = 24

export interface BootableCd {
  media?: number
  /** 0: 07C0h */
  segment?: number
  /** 512-byte sectors to load. */
  count?: number
  image: Uint8Array
  /** Before the checksum is made. */
  entry?: (catalogue: DataView) => void
  /** Of the finished disc. */
  damage?: (disc: Buffer) => void
}

export function bootableCd({
  media = 0,
  segment = 0,
  count = 4,
  image,
  entry,
  damage,
}: BootableCd): Uint8Array {
  const sectors = IMAGE_START + Math.ceil(image.length / SECTOR) + 2
  const disc = Buffer.alloc(sectors * SECTOR)
  disc.write('\x01CD001\x01', 16 * SECTOR, 'latin1')
  disc.write('TEST'.padEnd(32), 16 * SECTOR + 40)
  disc.writeUInt32LE(sectors, 16 * SECTOR + 80)
  disc.writeUInt16LE(SECTOR, 16 * SECTOR + 128)
  disc.write('\x00CD001\x01EL TORITO SPECIFICATION', 17 * SECTOR, 'latin1')
  disc.writeUInt32LE(CATALOGUE, 17 * SECTOR + 0x47)
  const catalogue = new DataView(disc.buffer, disc.byteOffset + CATALOGUE * SECTOR, SECTOR)
  catalogue.setUint8(0, 1)
  catalogue.setUint16(30, 0xaa55, true)
  catalogue.setUint8(32, 0x88)
  catalogue.setUint8(33, media)
  catalogue.setUint16(34, segment, true)
  catalogue.setUint16(38, count, true)
  catalogue.setUint32(40, IMAGE_START, true)
  entry?.(catalogue)
  let sum = 0
  for (let i = 0; i < 32; i += 2) sum += catalogue.getUint16(i, true)
  catalogue.setUint16(28, -sum & 0xffff, true)
  disc.set(image, IMAGE_START * SECTOR)
  damage?.(disc)
  return new Uint8Array(disc)
}
