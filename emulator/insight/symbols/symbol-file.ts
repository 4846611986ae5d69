// Where a guest's symbols are: an ELF file, or a file inside an image; opened once, and open as long as they are used.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import { type ByteSource, bytesSource } from '../../media/elf'
import { type Extent, FileContent } from '../../media/files/file-system'
import { findKernel } from '../../media/files/find-kernel'
import { readAt } from '../../media/medium'
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
  readonly #descriptor: number

  /**
   * @param where path of an ELF file, or a place that was found
   * @param names what another thread has made of the symbols; then their debugging information comes from there, too
   * @throws SymbolError, or the system's error when it cannot be opened
   */
  constructor(where: string | SymbolPlace, names?: SymbolOrder) {
    const { path, inside }: Omit<SymbolPlace, 'name'> = typeof where === 'string' ? { path: where } : where
    this.#descriptor = openSync(path, 'r')
    try {
      if (!fstatSync(this.#descriptor).isFile()) throw new SymbolError('it is no regular file')
      const file = fileSource(this.#descriptor)
      const source = !inside
        ? file
        : 'bytes' in inside
          ? bytesSource(inside.bytes)
          : new FileContent(file, inside.size, inside.extents)
      this.symbols = new Symbols(source, path, names)
    } catch (error) {
      closeSync(this.#descriptor)
      throw error
    }
  }

  close() {
    closeSync(this.#descriptor)
  }
}
