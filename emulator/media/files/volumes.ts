// The file systems of an image: of the whole (superfloppies and CDs), and of each of its partitions.
import type { ByteSource } from '../elf'
import { readPartitions } from '../partitions'
import { openExt } from './ext'
import { openFat } from './fat'
import { type FileSystem, FileSystemError, partOf } from './file-system'
import { openIso } from './iso9660-files'

export interface Volume {
  /** `partition 1`, `the whole image` */
  where: string
  files: FileSystem
  /** What the paths of its files are of. */
  source: ByteSource
  /** Bytes from the beginning of the image. */
  at: number
}

const SECTOR = 512
const PARTITIONS_MAX = 256

/** @param troubles gets clauses about file systems that are there and cannot be read */
export function openVolumes(image: ByteSource, troubles: string[] = []): Volume[] {
  const found: Volume[] = []
  const open = (where: string, at: number, size: number) => {
    const source = partOf(image, at, size)
    for (const kind of [openIso, openExt, openFat]) {
      try {
        const files = kind(source)
        if (files) found.push({ where, files, source, at })
      } catch (error) {
        if (!(error instanceof FileSystemError)) throw error
        troubles.push(`${where}: ${error.message}`)
      }
    }
  }
  open('the whole image', 0, image.size)
  const { partitions } = readPartitions((at, length) => image.read(at, length), image.size)
  for (const { number, start, sectors } of partitions.slice(0, PARTITIONS_MAX)) {
    // An ISO image that is a disk as well has a partition that is all of it.
    if (start * SECTOR < image.size && start > 0)
      open(`partition ${number}`, start * SECTOR, sectors * SECTOR)
  }
  return found
}
