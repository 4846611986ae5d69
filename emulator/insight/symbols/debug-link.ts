// Debugging information that was taken out of a program: the file that the program names (.gnu_debuglink, with a checksum), or that has
// its build identifier (.note.gnu.build-id), where gdb looks for it ("Debugging Information in Separate Files").
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import * as zlib from 'node:zlib'
import type { ByteSource, Elf } from '../../media/elf'
import { textAt } from '../../media/elf'
import { crc32 as slowCrc32 } from '../../media/partitions'

const SYSTEM = '/usr/lib/debug'
const LINK_MAX = 4096
const NT_GNU_BUILD_ID = 3
const PART = 1 << 20

export interface DebugFile {
  /** Absent: there is one, and it may not be used. */
  path?: string
  problem?: string
}

/** @param path of the program @returns undefined when it names none, or none is there */
export function findDebugFile(elf: Elf, source: ByteSource, path: string): DebugFile | undefined {
  // It has its own.
  if (elf.sections.some(({ name, type }) => /^\.z?debug_info$/.test(name) && type !== 8)) return undefined
  const folder = dirname(resolve(path))
  const id = buildId(elf, source)
  if (id !== undefined) {
    const known = join(SYSTEM, '.build-id', id.slice(0, 2), `${id.slice(2)}.debug`)
    if (sizeOf(known) !== undefined) return { path: known }
  }
  const link = linkOf(elf, source)
  if (!link) return undefined
  let problem: string | undefined
  for (const candidate of [
    join(folder, link.name),
    join(folder, '.debug', link.name),
    join(SYSTEM, folder, link.name),
  ]) {
    // A program that names itself would be read twice.
    if (candidate === resolve(path) || sizeOf(candidate) === undefined) continue
    if (checksum(candidate) === link.checksum) return { path: candidate }
    problem ??= `${candidate} does not belong to it: its checksum is another`
  }
  return { problem: problem ?? `its debugging information is in ${link.name}, which is not there` }
}

function linkOf(elf: Elf, source: ByteSource): { name: string; checksum: number } | undefined {
  const section = elf.sections.find(({ name }) => name === '.gnu_debuglink')
  if (!section || section.size < 8) return undefined
  const bytes = source.read(section.offset, Math.min(section.size, LINK_MAX))
  const name = textAt(bytes, 0)
  const at = (Buffer.byteLength(name) + 4) & ~3
  // A name is no path: it does not lead anywhere else.
  if (name === '' || name !== basename(name) || at + 4 > bytes.length) return undefined
  return { name, checksum: new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) }
}

/** In hexadecimal digits. */
function buildId(elf: Elf, source: ByteSource): string | undefined {
  const section = elf.sections.find(({ name }) => name === '.note.gnu.build-id')
  const bytes = section && source.read(section.offset, Math.min(section.size, LINK_MAX))
  if (!bytes || bytes.length < 16) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(4, true)
  const named = view.getUint32(0, true) === 4 && textAt(bytes, 12) === 'GNU'
  if (!named || view.getUint32(8, true) !== NT_GNU_BUILD_ID || size < 2 || 16 + size > bytes.length)
    return undefined
  return Buffer.from(bytes.subarray(16, 16 + size)).toString('hex')
}

function sizeOf(path: string): number | undefined {
  return opened(path, (descriptor) => {
    const stat = fstatSync(descriptor)
    return stat.isFile() ? stat.size : undefined
  })
}

function checksum(path: string): number | undefined {
  const crc = (zlib as { crc32?: (bytes: Uint8Array, start: number) => number }).crc32 ?? slowCrc32
  return opened(path, (descriptor) => {
    const part = new Uint8Array(PART)
    let sum = 0
    for (let count = readSync(descriptor, part); count > 0; count = readSync(descriptor, part))
      sum = crc(part.subarray(0, count), sum)
    return sum >>> 0
  })
}

function opened<T>(path: string, use: (descriptor: number) => T): T | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    return use(descriptor)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return undefined
    throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
