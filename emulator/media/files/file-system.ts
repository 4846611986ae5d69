// Files inside images, read-only: what the three file systems here have in common. Images are hostile until proven otherwise: every
// place is checked against the volume, and every chain and list has an end.
import type { ByteSource } from '../elf'

/** Something in a file system that cannot be read; the message is a clause that says where and why. */
export class FileSystemError extends Error {
  override name = 'FileSystemError'
}

export interface FolderEntry {
  name: string
  kind: 'file' | 'folder' | 'link'
}

export interface FileSystem {
  /** `ISO 9660`, `FAT16`, `ext4` */
  readonly kind: string
  readonly label: string
  /**
   * @param path from the root, with slashes; case counts only where the file system has names that differ by nothing else
   * @returns undefined when there is no such folder
   * @throws FileSystemError when it cannot be read
   */
  list(path: string): FolderEntry[] | undefined
  /**
   * @returns undefined when there is no such file
   * @throws FileSystemError when it cannot be read
   */
  open(path: string): FileContent | undefined
}

/** Bytes of the volume that hold a part of a file; `at` -1: a hole, which reads as zeros. */
export interface Extent {
  at: number
  length: number
}

/** More parts than a file of a few GiB has on the worst of disks. */
export const EXTENTS_MAX = 1 << 18
export const ENTRIES_MAX = 1 << 16
/** Folders deeper than this are a loop. */
export const DEPTH_MAX = 64

/** The content of a file, piece by piece from where it lies. */
export class FileContent implements ByteSource {
  readonly #ends: number[] = []

  constructor(
    readonly volume: ByteSource,
    readonly size: number,
    readonly extents: Extent[],
  ) {
    let end = 0
    for (const { length } of extents) this.#ends.push((end += length))
  }

  read(at: number, length: number): Uint8Array {
    const wanted = at < 0 ? 0 : Math.max(0, Math.min(length, this.size - at))
    const bytes = new Uint8Array(wanted)
    let index = this.#holding(at)
    for (let done = 0; done < wanted; index++) {
      const extent = this.extents[index]
      // What no part holds reads as zeros: a file may be longer than what was written of it.
      if (!extent) break
      const inside = at + done - (this.#ends[index]! - extent.length)
      const part = Math.min(wanted - done, extent.length - inside)
      if (extent.at >= 0) bytes.set(this.volume.read(extent.at + inside, part), done)
      done += part
    }
    return bytes
  }

  #holding(at: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ends[middle]! <= at) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Adds a part; what follows the last one directly is one with it. */
export function addExtent(extents: Extent[], at: number, length: number) {
  const last = extents.at(-1)
  if (last && (at < 0 ? last.at < 0 : last.at >= 0 && last.at + last.length === at)) last.length += length
  else if (extents.length < EXTENTS_MAX) extents.push({ at, length })
  else throw new FileSystemError('a file lies in more pieces than can be followed')
}

/** A part of a source as a source. */
export function partOf(source: ByteSource, at: number, size: number): ByteSource {
  const end = Math.max(0, Math.min(size, source.size - at))
  return {
    size: end,
    read: (from, length) =>
      from < 0 || from >= end ? new Uint8Array(0) : source.read(at + from, Math.min(length, end - from)),
  }
}

/** @returns the parts of a path, with `.` and `..` resolved */
export function partsOf(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts
}

/** Of entries, the one with a name: exactly, else whatever its case. */
export function named<T extends { name: string }>(entries: T[], name: string): T | undefined {
  const lower = name.toLowerCase()
  return (
    entries.find((entry) => entry.name === name) ??
    entries.find((entry) => entry.name.toLowerCase() === lower)
  )
}

/** @throws FileSystemError when it is not all there */
export function need(source: ByteSource, at: number, length: number, what: string): Uint8Array {
  const bytes = at < 0 || !Number.isSafeInteger(at) ? undefined : source.read(at, length)
  if (!bytes || bytes.length < length)
    throw new FileSystemError(
      `${what} would lie behind the end of the volume, at ${at.toString(16).toUpperCase()}h`,
    )
  return bytes
}

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
