// Where a guest's symbols are: an ELF file, or a file inside an image; opened once, and open as long as they are used.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import { type ByteSource, bytesSource, ElfError, readElf } from '../../media/elf'
import { type Extent, FileContent } from '../../media/files/file-system'
import { findKernel } from '../../media/files/find-kernel'
import { readAt } from '../../media/medium'
import { type DebugFile, findDebugFile } from './debug-link'
import { findSymbolFile } from './find'
import { SymbolError } from './symbol-error'
import type { SymbolOrder } from './symbol-table'
import { Symbols } from './symbols'

/** It can go from thread to thread. */
export interface SymbolPlace {
  /** Of the ELF file, or of the image. */
  path: string
  /** As people should see it. */
  name: string
  /** Inside of an image: where its bytes are, or what it unpacks to. */
  inside?: { size: number; extents: Extent[] } | { bytes: Uint8Array<ArrayBuffer> }
  /** The file that its debugging information is in, once it has been looked for. */
  debug?: DebugFile
}

/**
 * The symbols of an image or a kernel: the file itself, one beside it, or the kernel that is in the image.
 * @returns undefined when there are none
 */
export function findSymbolPlace(image: string): SymbolPlace | undefined {
  const path = findSymbolFile(image)
  return path === undefined ? insideOf(image) : { path, name: basename(path) }
}

function insideOf(path: string): SymbolPlace | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    if (!fstatSync(descriptor).isFile()) return undefined
    const found = findKernel(fileSource(descriptor))
    if (!found) return undefined
    const { content, volumeAt } = found
    const name = `${found.path.slice(found.path.lastIndexOf('/') + 1)} in ${basename(path)}`
    if (content instanceof FileContent) {
      const extents = content.extents.map(({ at, length }) => ({ at: at < 0 ? at : at + volumeAt, length }))
      return { path, name, inside: { size: content.size, extents } }
    }
    return { path, name, inside: { bytes: Uint8Array.from(content.read(0, content.size)) } }
  } catch (error) {
    // It is no image that can be read: then it has no symbols either.
    if ((error as NodeJS.ErrnoException).code !== undefined) return undefined
    throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

export function fileSource(descriptor: number): ByteSource {
  const { size } = fstatSync(descriptor)
  return {
    size,
    read: (at, length) => readAt(descriptor, at, Math.max(0, Math.min(length, size - at))),
  }
}

export class SymbolFile {
  readonly symbols: Symbols
  /** Where all of it was found. */
  readonly place: SymbolPlace
  readonly #descriptors: number[] = []

  /**
   * @param where path of an ELF file, or a place that was found
   * @param names what another thread has made of the symbols; then their debugging information comes from there, too
   * @throws SymbolError, or the system's error when it cannot be opened
   */
  constructor(where: string | SymbolPlace, names?: SymbolOrder) {
    const place: SymbolPlace = typeof where === 'string' ? { path: where, name: basename(where) } : where
    const { path, inside } = place
    try {
      const file = this.#open(path)
      const source = !inside
        ? file
        : 'bytes' in inside
          ? bytesSource(inside.bytes)
          : new FileContent(file, inside.size, inside.extents)
      const debug = place.debug ?? this.#findDebug(source, path)
      this.place = debug ? { ...place, debug } : place
      const other = debug?.path === undefined ? undefined : this.#open(debug.path)
      this.symbols = new Symbols(source, debug?.path ?? path, names, other)
      if (debug?.problem !== undefined) this.symbols.trouble(debug.problem)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #findDebug(source: ByteSource, path: string): DebugFile | undefined {
    try {
      return findDebugFile(readElf(source), source, path)
    } catch (error) {
      // What is wrong with it is said by who reads all of it.
      if (error instanceof ElfError) return undefined
      throw error
    }
  }

  #open(path: string): ByteSource {
    const descriptor = openSync(path, 'r')
    this.#descriptors.push(descriptor)
    if (!fstatSync(descriptor).isFile()) throw new SymbolError('it is no regular file')
    return fileSource(descriptor)
  }

  close() {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor)
  }
}
