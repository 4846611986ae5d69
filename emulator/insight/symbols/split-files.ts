// Where files with split units are on this computer.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { type ByteSource, ElfError, readElf } from '../../media/elf'
import { readAt } from '../../media/medium'
import type { SplitFile, SplitOpener } from './dwarf/split'
import { Sections } from './sections'
import { SymbolError } from './symbol-error'

/** @param program path of the ELF file; empty: it is in no file, and has no others beside it */
export function splitOpener(program: string): SplitOpener {
  const folder = dirname(program)
  const first = (paths: string[]) => {
    for (const path of program === '' ? [] : paths) {
      const file = openSplitFile(path)
      if (file) return file
    }
    return undefined
  }
  return {
    package: () => first([`${program}.dwp`, program.replace(/\.[^./]*$/, '.dwp')]),
    object: (name, directory) =>
      first([
        isAbsolute(name) ? name : join(directory === '' ? folder : directory, name),
        ...(isAbsolute(name) ? [] : [join(folder, name)]),
        // The program was moved, and they with it.
        join(folder, basename(name)),
      ]),
  }
}

/** @returns undefined when it is not there @throws SymbolError when it is no ELF file */
export function openSplitFile(path: string): SplitFile | undefined {
  const source = pathSource(path)
  if (!source) return undefined
  try {
    return { path, sections: new Sections(source, readElf(source)) }
  } catch (error) {
    if (error instanceof ElfError) throw new SymbolError(`${path} cannot be read: ${error.message}`)
    throw error
  }
}

/** Opened for each read: a program may have more of them than a process may have open. */
function pathSource(path: string): ByteSource | undefined {
  const opened = <T>(use: (descriptor: number) => T): T | undefined => {
    let descriptor: number | undefined
    try {
      descriptor = openSync(path, 'r')
      return use(descriptor)
    } catch (error) {
      // What the system refuses is not there.
      if ((error as NodeJS.ErrnoException).code !== undefined) return undefined
      throw error
    } finally {
      if (descriptor !== undefined) closeSync(descriptor)
    }
  }
  const size = opened((descriptor) => {
    const stat = fstatSync(descriptor)
    return stat.isFile() ? stat.size : undefined
  })
  if (size === undefined) return undefined
  return {
    size,
    read: (at, length) =>
      opened((descriptor) => readAt(descriptor, at, Math.max(0, Math.min(length, size - at)))) ??
      new Uint8Array(0),
  }
}
