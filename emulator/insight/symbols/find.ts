// The ELF file with an image's symbols: beside it, by name.
import { closeSync, openSync, readdirSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { isElf } from '../../media/elf'
import { readAt } from '../../media/medium'

/** More files than anybody keeps beside a kernel; a folder of a million is not gone through. */
const FILES_MAX = 2000

/**
 * @param image path of an image, or of a kernel that was started directly
 * @returns the file itself when it is an ELF file; else `NAME.elf`, `NAME.sym`, `NAME.debug`, `NAME` beside it, the same
 *   for the part of NAME before a dash, `kernel.elf`, `vmlinux`; else the only `.elf` in the folder
 */
export function findSymbolFile(image: string): string | undefined {
  if (startsAsElf(image)) return image
  const folder = dirname(image)
  const stem = basename(image, extname(image))
  const short = stem.split('-')[0]!
  const wanted = [stem, short, 'kernel'].flatMap((name) => [
    `${name}.elf`,
    `${name}.sym`,
    `${name}.debug`,
    name,
  ])
  const found = [...wanted, 'vmlinux'].find((name) => startsAsElf(join(folder, name)))
  if (found !== undefined) return join(folder, found)
  try {
    const elves = readdirSync(folder)
      .slice(0, FILES_MAX)
      .filter((name) => name.endsWith('.elf') && startsAsElf(join(folder, name)))
    return elves.length === 1 ? join(folder, elves[0]!) : undefined
  } catch {
    return undefined
  }
}

function startsAsElf(path: string): boolean {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    return isElf(readAt(descriptor, 0, 4))
  } catch {
    return false
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
