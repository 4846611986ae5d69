// Names for the addresses of a running guest: symbols, and whether they may be believed.
import { basename } from 'node:path'
import { PT_LOAD } from '../../media/elf'
import { matchAt } from './match'
import { findSymbolPlace, SymbolFile, type SymbolPlace } from './symbol-file'
import { SymbolError } from './symbol-error'
import type { SymbolOrder } from './symbol-table'
import { placeText, type PreparedDebug, type Symbols } from './symbols'

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
  #problem: string | undefined
  #state: 'match' | 'mismatch' | 'waiting' = 'waiting'
  /** All types are known, or never will be. */
  #complete: boolean

  /**
   * @param where path of an ELF file, or a place that was found
   * @param names what another thread has made of it; `adopt` follows
   */
  constructor(where: string | SymbolPlace, names?: SymbolOrder) {
    const place = typeof where === 'string' ? { path: where, name: basename(where) } : where
    this.#name = place.name
    this.#complete = names === undefined
    try {
      this.#file = new SymbolFile(place, names)
    } catch (error) {
      this.#problem = error instanceof SymbolError ? error.message : (error as Error).message
    }
  }

  /** Of a file that another thread could not read. */
  static unreadable(name: string, problem: string): GuestNames {
    const names = new GuestNames({ path: '', name })
    names.#problem = problem
    return names
  }

  /** For an image or a kernel; undefined when there is no file with symbols beside it or inside. */
  static of(image: string): GuestNames | undefined {
    const place = findSymbolPlace(image)
    return place && new GuestNames(place)
  }

  get state(): NamesState {
    return this.#problem === undefined
      ? { file: this.#name, state: this.#state }
      : { file: this.#name, state: 'unreadable', problem: this.#problem }
  }

  get symbols(): Symbols | undefined {
    return this.#file?.symbols
  }

  /** What there is to know of types is known; before that, names are. */
  get complete(): boolean {
    return this.#complete
  }

  /** Takes what another thread has made of the debugging information. */
  adopt(debug: PreparedDebug) {
    this.#file?.symbols.adopt(debug)
    this.#complete = true
  }

  /** There will be no debugging information. */
  giveUp() {
    this.#complete = true
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
