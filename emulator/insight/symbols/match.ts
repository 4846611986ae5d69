// Whether symbols are those of the code that runs: the bytes of the file against the bytes in memory.
import { PT_LOAD } from '../../media/elf'
import type { Symbols } from './symbols'

/** `unknown`: nothing to compare with, because the file has no code there or nothing is mapped. */
export type Match = 'match' | 'mismatch' | 'unknown'

/** Bytes around an address that are compared. */
const WINDOW = 256
/** A kernel patches itself (alternatives, tracing), but not most of a function. */
const ENOUGH = 0.8

/** @param read bytes at a linear address, fewer where nothing is mapped */
export function matchAt(
  symbols: Symbols,
  address: bigint,
  read: (address: bigint, length: number) => Uint8Array,
): Match {
  const segment = symbols.elf.segments.find(
    ({ type, flags, vaddr, filesz }) =>
      type === PT_LOAD && (flags & 1) !== 0 && address >= vaddr && address < vaddr + BigInt(filesz),
  )
  if (!segment) return 'unknown'
  const symbol = symbols.table.at(address)
  const end = segment.vaddr + BigInt(segment.filesz)
  const from = symbol && symbol.address >= segment.vaddr ? symbol.address : address
  const length = Math.min(WINDOW, symbol && symbol.size > 0 ? symbol.size : 64, Number(end - from))
  const theirs = symbols.source.read(segment.offset + Number(from - segment.vaddr), length)
  const ours = read(from, length)
  if (ours.length < theirs.length || theirs.length === 0) return 'unknown'
  let same = 0
  for (let i = 0; i < theirs.length; i++) if (theirs[i] === ours[i]) same++
  return same / theirs.length >= ENOUGH ? 'match' : 'mismatch'
}
