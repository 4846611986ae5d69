// Files of ISO 9660 (ECMA-119, 9.1) with the names that Rock Ridge gives them (SUSP 1.12, RRIP 1.12).
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

const SECTOR = 2048
const DESCRIPTORS_MAX = 32
const FOLDER_MAX = 32 << 20
const CONTINUATIONS_MAX = 16
const FOLDER = 2
const MORE = 0x80

interface Record extends FolderEntry {
  extents: Extent[]
  size: number
  /** There is more of it in the next record. */
  more: boolean
}

/** @returns undefined when it is none @throws FileSystemError */
export function openIso(volume: ByteSource): FileSystem | undefined {
  for (let i = 0; i < DESCRIPTORS_MAX; i++) {
    const bytes = volume.read((16 + i) * SECTOR, SECTOR)
    if (bytes.length < SECTOR || text(bytes, 1, 5) !== 'CD001' || bytes[0] === 255) return undefined
    if (bytes[0] === 1) return new IsoFiles(volume, bytes)
  }
  return undefined
}

class IsoFiles implements FileSystem {
  readonly kind: string
  readonly label: string
  readonly #block: number
  readonly #root: Record
  /** Bytes in front of Rock Ridge's fields in each record's system use area; undefined: there is none of it. */
  #skip: number | undefined
  readonly #folders = new Map<string, Record[]>()

  constructor(
    readonly volume: ByteSource,
    descriptor: Uint8Array,
  ) {
    this.#block = viewOf(descriptor).getUint16(128, true)
    if (![512, 1024, 2048].includes(this.#block))
      throw new FileSystemError(`blocks of ${this.#block} bytes are none of ISO 9660`)
    this.label = text(descriptor, 40, 32).trim()
    const root = this.#record(descriptor.subarray(156, 190), true)
    if (!root) throw new FileSystemError('the volume descriptor names no root folder')
    this.#root = root
    this.#skip = this.#rockRidge()
    this.kind = this.#skip === undefined ? 'ISO 9660' : 'ISO 9660 with Rock Ridge'
  }

  /** The root's own record begins with SP when Rock Ridge is used. */
  #rockRidge(): number | undefined {
    const [extent] = this.#root.extents
    const bytes = extent ? this.volume.read(extent.at, SECTOR) : new Uint8Array(0)
    const length = bytes[0] ?? 0
    const use = bytes.subarray(34, length)
    return use.length >= 7 && text(use, 0, 2) === 'SP' && use[4] === 0xbe && use[5] === 0xef
      ? use[6]!
      : undefined
  }

  list(path: string): FolderEntry[] | undefined {
    const found = this.#find(path)
    return found?.kind === 'folder'
      ? this.#records(found).map(({ name, kind }) => ({ name, kind }))
      : undefined
  }

  open(path: string): FileContent | undefined {
    const found = this.#find(path)
    return found?.kind === 'file' ? new FileContent(this.volume, found.size, found.extents) : undefined
  }

  #find(path: string): Record | undefined {
    const parts = partsOf(path)
    if (parts.length > DEPTH_MAX) return undefined
    let at: Record | undefined = this.#root
    for (const part of parts) {
      if (at?.kind !== 'folder') return undefined
      at = named(this.#records(at), part)
    }
    return at
  }

  #records(folder: Record): Record[] {
    const [extent] = folder.extents
    if (!extent) return []
    const key = String(extent.at)
    let found = this.#folders.get(key)
    if (!found) this.#folders.set(key, (found = this.#read(extent.at, folder.size)))
    return found
  }

  #read(at: number, size: number): Record[] {
    if (size > FOLDER_MAX) throw new FileSystemError(`a folder claims ${size} bytes`)
    const bytes = this.volume.read(at, size)
    const found: Record[] = []
    let open: Record | undefined
    for (let from = 0; from < bytes.length && found.length < ENTRIES_MAX; ) {
      const length = bytes[from]!
      // Records do not cross sectors: what is left of one is zero.
      if (length === 0) {
        from = (Math.floor(from / SECTOR) + 1) * SECTOR
        continue
      }
      const record = this.#record(bytes.subarray(from, from + length))
      from += length
      if (!record || record.name === '') continue
      if (open && open.name === record.name) {
        for (const part of record.extents) addExtent(open.extents, part.at, part.length)
        open.size += record.size
      } else found.push(record)
      open = record.more ? (open ?? record) : undefined
    }
    return found
  }

  /** @returns undefined for what is none; the name is empty for the folder itself and the one above */
  #record(bytes: Uint8Array, root = false): Record | undefined {
    if (bytes.length < 33 || bytes.length < 33 + bytes[32]!) return undefined
    const view = viewOf(bytes)
    const flags = bytes[25]!
    const size = view.getUint32(10, true)
    const at = (view.getUint32(2, true) + bytes[1]!) * this.#block
    // Interleaved files: nobody makes them.
    if (bytes[26] !== 0 || bytes[27] !== 0) return undefined
    const raw = text(bytes, 33, bytes[32]!)
    const special = raw === '\0' || raw === '\x01'
    const record: Record = {
      name: special ? '' : raw.replace(/;\d*$/, '').replace(/\.$/, ''),
      kind: flags & FOLDER ? 'folder' : 'file',
      extents:
        at + size > this.volume.size && size > 0 && at >= this.volume.size ? [] : [{ at, length: size }],
      ...{ size, more: (flags & MORE) !== 0 },
    }
    if (root || special || this.#skip === undefined) return record
    const begin = 33 + bytes[32]! + (bytes[32]! % 2 === 0 ? 1 : 0) + this.#skip
    this.#extend(record, bytes.subarray(begin))
    return record
  }

  /** Rock Ridge: NM is the name, SL a link, CL a folder that was moved because it was too deep, CE more of the same elsewhere. */
  #extend(record: Record, first: Uint8Array) {
    let area = first
    let name = ''
    let hidden = false
    for (let round = 0; round < CONTINUATIONS_MAX; round++) {
      let next: Uint8Array | undefined
      for (let at = 0; at + 4 <= area.length; ) {
        const length = area[at + 2]!
        if (length < 4 || at + length > area.length) break
        const field = area.subarray(at, at + length)
        const view = viewOf(field)
        const kind = text(field, 0, 2)
        at += length
        if (kind === 'NM' && length > 5) name += text(field, 5, length - 5, 'utf8')
        else if (kind === 'SL') record.kind = 'link'
        else if (kind === 'RE') hidden = true
        else if (kind === 'CL' && length >= 12) {
          const place = view.getUint32(4, true) * this.#block
          const self = this.volume.read(place, 34)
          if (self.length === 34) {
            record.size = viewOf(self).getUint32(10, true)
            record.extents = [{ at: place, length: record.size }]
            record.kind = 'folder'
          }
        } else if (kind === 'CE' && length >= 28) {
          const where = view.getUint32(4, true) * this.#block + view.getUint32(12, true)
          next = this.volume.read(where, Math.min(SECTOR, view.getUint32(20, true)))
        } else if (kind === 'ST') break
      }
      if (!next) break
      area = next
    }
    if (name !== '') record.name = name
    if (hidden) record.name = ''
  }
}

function text(bytes: Uint8Array, at: number, length: number, encoding: 'latin1' | 'utf8' = 'latin1'): string {
  const part = bytes.subarray(at, at + length)
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString(encoding)
}
