// An opened disk or floppy image. The file is opened once, read-only, and what was recognised is what the guest gets:
// deleting or renaming the file afterwards changes nothing.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Geometry } from './geometry'
import { recognise } from './recognise'

export const SECTOR_SIZE = 512

/** Largest image: what 48-bit LBA can address is more, but 2^53 - 1 bytes is what a file offset may be here. */
export const MEDIUM_MAX = 2 ** 53 - SECTOR_SIZE

export type MediumKind = 'floppy' | 'disk' | 'cdrom'

export interface Medium {
  /** Absolute path. */
  readonly path: string
  /** File name. */
  readonly name: string
  readonly kind: MediumKind
  /** Bytes of content in the file. */
  readonly size: number
  /** 512-byte sectors the guest sees; what the file does not have of them reads as zeros. */
  readonly sectors: number
  readonly geometry: Geometry
  /** What the image is, in words: 'raw hard-disk image', 'floppy image, 3.5" 1.44 MiB', 'CD image (ISO 9660)'. */
  readonly description: string
  /** Sector 0 ends in 55 AA; of a CD: its boot catalogue has something that a BIOS can start. */
  readonly bootable: boolean
  /** Things worth telling the user, each one sentence. */
  readonly warnings: readonly string[]
  /** The open file, for the block I/O thread of this process. */
  readonly descriptor: number
  close(): void
}

export type MediumProblem =
  | 'missing'
  | 'permission'
  | 'directory'
  | 'not-a-file'
  | 'empty'
  | 'unknown-format'
  | 'unsupported-format'
  | 'too-large'
  | 'unreadable'

/** An image that cannot be opened. `message` is one sentence for a person and names the file. */
export class MediumError extends Error {
  override name = 'MediumError'
  constructor(
    readonly problem: MediumProblem,
    readonly path: string,
    explanation: string,
  ) {
    super(`${path}: ${explanation}`)
  }
}

/**
 * Opens a raw floppy, hard-disk or CD image, recognised by content and size. An ISO 9660 image is a CD, also one that
 * is a disk as well (isohybrid).
 * @param path of a regular file
 * @param as what it is to be, whatever it looks like
 * @throws MediumError saying what is wrong with the file
 */
export function openMedium(path: string, as?: MediumKind): Medium {
  let descriptor: number
  try {
    // O_NONBLOCK: a FIFO without a writer must not hang us before we can see that it is one.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw openProblem(path, error as NodeJS.ErrnoException)
  }
  try {
    return inspect(path, descriptor, as)
  } catch (error) {
    closeSync(descriptor)
    if (error instanceof MediumError) throw error
    throw new MediumError('unreadable', path, `reading it failed: ${reasonOf(error)}`)
  }
}

function inspect(path: string, descriptor: number, as: MediumKind | undefined): Medium {
  const stat = fstatSync(descriptor)
  if (stat.isDirectory()) throw new MediumError('directory', path, 'is a directory, not an image')
  if (!stat.isFile()) throw new MediumError('not-a-file', path, 'is not a regular file (a device or a pipe)')
  if (stat.size === 0) throw new MediumError('empty', path, 'the file is empty')
  if (stat.size > MEDIUM_MAX)
    throw new MediumError('too-large', path, `${stat.size} bytes is more than can be opened`)
  const head = readAt(descriptor, 0, Math.min(stat.size, HEAD_SIZE))
  const found = recognise(head, stat.size, as, (position, length) => readAt(descriptor, position, length))
  if ('problem' in found) throw new MediumError(found.problem, path, found.explanation)
  let open = true
  return {
    path: resolve(path),
    name: basename(path),
    size: stat.size,
    descriptor,
    ...found,
    close() {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}

/** Enough to see every magic number that `recognise` knows: the last is ISO 9660's at 8001h, 8801h on some. */
const HEAD_SIZE = 0x8800

/**
 * Reads from a file, fewer bytes than asked only at its end.
 * @param position in bytes
 */
export function readAt(descriptor: number, position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return bytes.subarray(0, done)
}

export function openProblem(path: string, error: NodeJS.ErrnoException): MediumError {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new MediumError('missing', path, 'there is no such file')
    case 'EACCES':
    case 'EPERM':
      return new MediumError('permission', path, 'you may not read this file')
    case 'EISDIR':
      return new MediumError('directory', path, 'is a directory, not an image')
    default:
      return new MediumError('unreadable', path, `opening it failed: ${reasonOf(error)}`)
  }
}

/** The part of a system error that tells a person something: "EIO: i/o error, read" -> "i/o error". */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return /^[A-Z]+: ([^,]*)/.exec(message)?.[1] ?? message
}
