// Files of FAT12, FAT16 and FAT32 (Microsoft, FAT32 File System Specification 1.03), with long names.
import type { ByteSource } from '../elf'
import {
  addExtent,
  DEPTH_MAX,
  ENTRIES_MAX,
  type Extent,
  FileContent,
  type FileSystem,
  FileSystemError,
  type FolderEntry,
  named,
  partsOf,
  viewOf,
} from './file-system'

const ENTRY = 32
const FOLDER_MAX = 4 << 20
/** Of a FAT that is kept in memory: FAT32 with 2^28 clusters would have a GiB. */
const WINDOW = 1 << 16
const VOLUME = 8
const FOLDER = 16
const LONG = 15

interface Record extends FolderEntry {
  /** 0: the root of FAT12 and FAT16, or an empty file. */
  cluster: number
  size: number
}

/** @returns undefined when it is none */
export function openFat(volume: ByteSource): FileSystem | undefined {
  const boot = volume.read(0, 512)
  if (boot.length < 512 || (boot[0] !== 0xeb && boot[0] !== 0xe9)) return undefined
  const view = viewOf(boot)
  const sector = view.getUint16(11, true)
  const perCluster = boot[13]!
  const reserved = view.getUint16(14, true)
  const fats = boot[16]!
  const rootEntries = view.getUint16(17, true)
  const sectors = view.getUint16(19, true) || view.getUint32(32, true)
  const fatSectors = view.getUint16(22, true) || view.getUint32(36, true)
  const power = (value: number) => value !== 0 && (value & (value - 1)) === 0
  if (![512, 1024, 2048, 4096].includes(sector) || !power(perCluster)) return undefined
  if (reserved === 0 || fats === 0 || fats > 4 || fatSectors === 0 || sectors === 0) return undefined
  const rootSectors = Math.ceil((rootEntries * ENTRY) / sector)
  const first = reserved + fats * fatSectors + rootSectors
  if (first >= sectors) return undefined
  const clusters = Math.floor((sectors - first) / perCluster)
  // The number of clusters alone says which it is (3.5).
  const bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32
  if (bits === 32 ? rootEntries !== 0 : rootEntries === 0) return undefined
  if (((clusters + 2) * bits) / 8 > fatSectors * sector) return undefined
  return new FatFiles(volume, {
    ...{ bits, clusters },
    size: sector * perCluster,
    table: reserved * sector,
    root: bits === 32 ? view.getUint32(44, true) : 0,
    rootAt: (reserved + fats * fatSectors) * sector,
    rootSize: rootEntries * ENTRY,
    data: first * sector,
    label: text(boot, bits === 32 ? 71 : 43, 11).trim(),
  })
}

interface Shape {
  bits: 12 | 16 | 32
  clusters: number
  /** Bytes of a cluster. */
  size: number
  table: number
  root: number
  rootAt: number
  rootSize: number
  /** Where cluster 2 begins. */
  data: number
  label: string
}

class FatFiles implements FileSystem {
  readonly kind: string
  readonly label: string
  #window: { at: number; bytes: Uint8Array } | undefined

  constructor(
    readonly volume: ByteSource,
    readonly shape: Shape,
  ) {
    this.kind = `FAT${shape.bits}`
    this.label = shape.label
  }

  list(path: string): FolderEntry[] | undefined {
    const found = this.#find(path)
    return found?.kind === 'folder'
      ? this.#records(found).map(({ name, kind }) => ({ name, kind }))
      : undefined
  }

  open(path: string): FileContent | undefined {
    const found = this.#find(path)
    if (found?.kind !== 'file') return undefined
    return new FileContent(this.volume, found.size, this.#chain(found.cluster, found.size))
  }

  #find(path: string): Record | undefined {
    const parts = partsOf(path)
    if (parts.length > DEPTH_MAX) return undefined
    let at: Record | undefined = { name: '', kind: 'folder', cluster: this.shape.root, size: 0 }
    for (const part of parts) {
      if (at?.kind !== 'folder') return undefined
      at = named(this.#records(at), part)
    }
    return at
  }

  #next(cluster: number): number {
    const { bits, table } = this.shape
    const at = bits === 12 ? cluster + (cluster >> 1) : cluster * (bits / 8)
    // Twelve bits may lie in two windows.
    if (!this.#window || at < this.#window.at || at + 4 > this.#window.at + this.#window.bytes.length) {
      const begin = Math.floor(at / 4096) * 4096
      this.#window = { at: begin, bytes: this.volume.read(table + begin, WINDOW) }
    }
    const { bytes, at: begin } = this.#window
    const inside = at - begin
    const low = (bytes[inside] ?? 0xff) | ((bytes[inside + 1] ?? 0xff) << 8)
    if (bits === 12) return cluster & 1 ? low >> 4 : low & 0xfff
    if (bits === 16) return low
    return (low + (((bytes[inside + 2] ?? 0xff) | ((bytes[inside + 3] ?? 0xff) << 8)) << 16)) & 0xfff_ffff
  }

  /** @param most bytes that are wanted @throws FileSystemError */
  #chain(first: number, most: number): Extent[] {
    const { clusters, size, data, bits } = this.shape
    const extents: Extent[] = []
    const end = 2 ** (bits === 32 ? 28 : bits) - 8
    let cluster = first
    for (let done = 0, count = 0; done < most; done += size) {
      if (cluster >= end || cluster === 0) break
      if (cluster < 2 || cluster >= clusters + 2)
        throw new FileSystemError(`a chain of clusters leads to cluster ${cluster} of ${clusters}`)
      if (++count > clusters) throw new FileSystemError('a chain of clusters runs in a circle')
      addExtent(extents, data + (cluster - 2) * size, size)
      cluster = this.#next(cluster)
    }
    return extents
  }

  #bytes({ cluster }: Record): Uint8Array {
    const { rootAt, rootSize, bits } = this.shape
    if (cluster === 0) {
      if (bits === 32) throw new FileSystemError('a folder begins at cluster 0')
      return this.volume.read(rootAt, rootSize)
    }
    const extents = this.#chain(cluster, FOLDER_MAX)
    const size = extents.reduce((sum, { length }) => sum + length, 0)
    return new FileContent(this.volume, size, extents).read(0, size)
  }

  #records(folder: Record): Record[] {
    const bytes = this.#bytes(folder)
    const view = viewOf(bytes)
    const found: Record[] = []
    let long: { name: string; sum: number } | undefined
    for (let at = 0; at + ENTRY <= bytes.length && found.length < ENTRIES_MAX; at += ENTRY) {
      const first = bytes[at]!
      if (first === 0) break
      const attributes = bytes[at + 11]!
      if (first === 0xe5) {
        long = undefined
        continue
      }
      if ((attributes & 0x3f) === LONG) {
        // The last part comes first, with bit 6.
        const before = first & 0x40 ? '' : (long?.name ?? '')
        long = { name: longPart(view, at) + before, sum: bytes[at + 13]! }
        continue
      }
      const shown = long && long.sum === checksum(bytes, at) ? long.name : shortName(bytes, at)
      long = undefined
      if (attributes & VOLUME || shown === '.' || shown === '..') continue
      const high = this.shape.bits === 32 ? view.getUint16(at + 20, true) : 0
      const cluster = high * 65536 + view.getUint16(at + 26, true)
      const kind = attributes & FOLDER ? 'folder' : 'file'
      // The folder above may be the root, which has no number; below, nothing has number 0.
      if (kind === 'folder' && cluster === 0) continue
      found.push({ name: shown, kind, cluster, size: view.getUint32(at + 28, true) })
    }
    return found
  }
}

function longPart(view: DataView, at: number): string {
  let name = ''
  for (const offset of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]) {
    const unit = view.getUint16(at + offset, true)
    if (unit === 0 || unit === 0xffff) break
    name += String.fromCharCode(unit)
  }
  return name
}

function checksum(bytes: Uint8Array, at: number): number {
  let sum = 0
  for (let i = 0; i < 11; i++) sum = (((sum & 1) << 7) + (sum >> 1) + bytes[at + i]!) & 0xff
  return sum
}

function shortName(bytes: Uint8Array, at: number): string {
  // E5h as a letter is kept as 05h; Windows NT notes lower case in byte 12.
  const raw = text(bytes, at, 11)
  const lower = bytes[at + 12]!
  const part = (value: string, bit: number) => (lower & bit ? value.toLowerCase() : value)
  const stem = part(raw.slice(0, 8).trimEnd(), 8)
  const base = bytes[at] === 5 ? `\u00e5${stem.slice(1)}` : stem
  const extension = part(raw.slice(8).trimEnd(), 16)
  return extension === '' ? base : `${base}.${extension}`
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
