// A window on memory: bytes of a linear or physical range, and what answers at each row of it. Linear addresses go
// through the page tables as they are in memory; nothing is marked accessed, no TLB is asked or filled.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { readPhysical } from '../machine/peek'
import { physical } from '../machine/api'
import { type PagingControl, pagingKind, walkPages } from './page-walk'

export type MemorySpace = 'linear' | 'physical'

/** Bytes of a row; a page is a whole number of rows. */
export const ROW_BYTES = 16

/** What answers at a row: nobody (not mapped), RAM, read-only memory, video memory, a device or nothing (FFh). */
export const ROW_UNMAPPED = 0
export const ROW_RAM = 1
export const ROW_ROM = 2
export const ROW_VIDEO = 3
export const ROW_DEVICE = 4

/** `physicalAt` of a row that is not mapped. */
export const NOWHERE = -1

export interface MemoryWindow {
  space: MemorySpace
  /** Address of the first byte, a multiple of ROW_BYTES. */
  at: bigint
  /** rows * ROW_BYTES; zeros where a row is not mapped. */
  bytes: Uint8Array
  /** ROW_* of each row. */
  kinds: Uint8Array
  /** Guest-physical address of each row, NOWHERE where there is none. */
  physicalAt: Float64Array
}

/**
 * @param at address of any byte of the first row; linear addresses wrap at 2^64, physical ones end at 2^52
 * @param control of the CPU through whose tables linear addresses go
 */
export function readWindow(
  memory: MachineMemory,
  control: PagingControl,
  space: MemorySpace,
  at: bigint,
  rows: number,
): MemoryWindow {
  const first = BigInt.asUintN(64, at) & ~BigInt(ROW_BYTES - 1)
  const window: MemoryWindow = {
    ...{ space, at: first },
    bytes: new Uint8Array(rows * ROW_BYTES),
    kinds: new Uint8Array(rows),
    physicalAt: new Float64Array(rows).fill(NOWHERE),
  }
  const paging = pagingKind(control)
  for (let row = 0; row < rows; ) {
    const address = BigInt.asUintN(64, first + BigInt(row * ROW_BYTES))
    const inPage = Number(address & 0xfffn)
    const count = Math.min(rows - row, (L.PAGE_SIZE - inPage) / ROW_BYTES)
    const target =
      space === 'physical'
        ? address < 1n << 52n
          ? address
          : undefined
        : paging === 'none'
          ? address & 0xffff_ffffn
          : walkPages(memory, control, address).physical
    if (target !== undefined) {
      const start = Number(target)
      const kind = rowKind(memory, start)
      window.bytes.set(readPhysical(memory, physical(start), count * ROW_BYTES), row * ROW_BYTES)
      for (let i = 0; i < count; i++) {
        window.kinds[row + i] = kind
        window.physicalAt[row + i] = start + i * ROW_BYTES
      }
    }
    row += count
  }
  return window
}

function rowKind(memory: MachineMemory, address: number): number {
  if (address >= 0xa0000 && address < 0xc0000) return ROW_VIDEO
  const pointer = memory.physicalPointer(address)
  if (pointer === undefined) return ROW_DEVICE
  return pointer >= L.ROM && pointer < L.ROM + L.ROM_SIZE ? ROW_ROM : ROW_RAM
}
