// Names for the addresses of a running guest: symbols, and whether they may be believed.
import { basename } from 'node:path'
import { PT_LOAD } from '../../media/elf'
import { findSymbolFile } from './find'
import { matchAt } from './match'
import { placeText, SymbolFile, type Symbols } from './symbols'
import { SymbolError } from './symbol-error'

/** Reads bytes at a linear address as the guest sees it, fewer where nothing is mapped. */
export type ReadGuest = (address: bigint, length: number) => Uint8Array

export interface NamesState {
  /** File name of the symbols. */
  file: string
  /** `waiting`: no code of the file has been seen yet. */
  state: 'match' | 'mismatch' | 'waiting' | 'unreadable'
  /** For `unreadable`: why. */
  problem?: string
}

export class GuestNames {
  readonly #file: SymbolFile | undefined
  readonly #name: string
  readonly #problem: string | undefined
  #state: 'match' | 'mismatch' | 'waiting' = 'waiting'

  /** @param path of an ELF file */
  constructor(path: string) {
    this.#name = basename(path)
    try {
      this.#file = new SymbolFile(path)
    } catch (error) {
      this.#problem = error instanceof SymbolError ? error.message : (error as Error).message
    }
  }

  /** For an image or a kernel; undefined when there is no file with symbols. */
  static beside(image: string): GuestNames | undefined {
    const path = findSymbolFile(image)
    return path === undefined ? undefined : new GuestNames(path)
  }

  get state(): NamesState {
    return this.#problem === undefined
      ? { file: this.#name, state: this.#state }
      : { file: this.#name, state: 'unreadable', problem: this.#problem }
  }

  get symbols(): Symbols | undefined {
    return this.#file?.symbols
  }

  /**
   * Compares the code at an address with the file; what was seen last counts.
   * @returns whether names of this file may be believed
   */
  check(address: bigint, read: ReadGuest): boolean {
    if (!this.#file) return false
    const match = matchAt(this.#file.symbols, address, read)
    if (match !== 'unknown') this.#state = match
    return this.#state === 'match'
  }

  /** `kmain+1Ch`; undefined where no symbol is. */
  label(address: bigint): string | undefined {
    const symbols = this.#file?.symbols
    if (!symbols) return undefined
    // The last label of a file goes on for ever; a program's address is not the kernel's.
    const { segments } = symbols.elf
    const inside = segments.some(
      ({ type, vaddr, memsz }) => type === PT_LOAD && address >= vaddr && address < vaddr + BigInt(memsz),
    )
    if (segments.length > 0 && !inside) return undefined
    const place = symbols.at(address)
    return place && placeText(place)
  }

  /** `kernel.c:120`, with the file's own path when `whole`. */
  source(address: bigint, whole = false): string | undefined {
    const line = this.#file?.symbols.line(address)
    if (!line || line.line === 0) return undefined
    return `${whole ? line.file : basename(line.file)}:${line.line}`
  }

  close() {
    this.#file?.close()
  }
}
