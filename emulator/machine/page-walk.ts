// Page-table walk over the tables as they are in memory (SDM 3A chapter 4), for onlookers: no access bits are set, no
// TLB is asked or filled. What the CPU itself does is emulator/core/memory/walk.ts.
import * as L from '../core/layout'
import { type LinearAddress, type PhysicalAddress, physical } from './api'
import type { MachineMemory } from './memory'

const CR0_PG = 1n << 31n
const CR4_PSE = 1n << 4n
const CR4_PAE = 1n << 5n
const EFER_LMA = 1n << 10n
const PRESENT = 1n
const PAGE_SIZE = 1n << 7n
const FRAME = 0x000f_ffff_ffff_f000n

/**
 * @param cpu whose control registers say how
 * @returns undefined when the address is not canonical or not mapped
 */
export function translate(
  memory: MachineMemory,
  address: LinearAddress,
  cpu: number,
): PhysicalAddress | undefined {
  const cr0 = memory.cpu64(cpu, L.CPU_CR0)
  if ((cr0 & CR0_PG) === 0n) return physical(address & 0xffff_ffffn)
  const cr3 = memory.cpu64(cpu, L.CPU_CR3)
  const cr4 = memory.cpu64(cpu, L.CPU_CR4)
  if ((memory.cpu64(cpu, L.CPU_EFER) & EFER_LMA) !== 0n) {
    if (BigInt.asUintN(64, BigInt.asIntN(48, address)) !== address) return undefined
    return walk(memory, address, cr3 & FRAME, [39n, 30n, 21n, 12n], 2)
  }
  const low = (address & 0xffff_ffffn) as LinearAddress
  if ((cr4 & CR4_PAE) !== 0n) {
    const pdpte = memory.cpu64(cpu, L.CPU_PDPTE + 8 * Number(low >> 30n))
    return (pdpte & PRESENT) === 0n ? undefined : walk(memory, low, pdpte & FRAME, [21n, 12n], 0)
  }
  return walk32(memory, low, cr3 & 0xffff_f000n, (cr4 & CR4_PSE) !== 0n)
}

/** Tables of 512 entries. @param shifts of the levels, highest first @param largeFrom first level with a PS bit + 1 */
function walk(
  memory: MachineMemory,
  address: bigint,
  root: bigint,
  shifts: readonly bigint[],
  largeFrom: number,
): PhysicalAddress | undefined {
  let table = root
  for (let level = 0; level < shifts.length; level++) {
    const shift = shifts[level]!
    const entry = entry64(memory, table + 8n * ((address >> shift) & 0x1ffn))
    if (entry === undefined || (entry & PRESENT) === 0n) return undefined
    const last = level === shifts.length - 1
    if (last || ((entry & PAGE_SIZE) !== 0n && level >= largeFrom - 1)) {
      const offset = (1n << shift) - 1n
      return physical((entry & FRAME & ~offset) | (address & offset))
    }
    table = entry & FRAME
  }
  return undefined
}

/** Two levels of 1024 entries; 4 MiB pages with PSE-36 bits 13-20 (SDM 3A table 4-4). */
function walk32(
  memory: MachineMemory,
  address: bigint,
  root: bigint,
  pse: boolean,
): PhysicalAddress | undefined {
  const directory = entry32(memory, root + 4n * (address >> 22n))
  if (directory === undefined || (directory & 1) === 0) return undefined
  if (pse && (directory & 0x80) !== 0) {
    const high = BigInt((directory >>> 13) & 0xff) << 32n
    return physical(high | BigInt((directory & 0xffc0_0000) >>> 0) | (address & 0x3f_ffffn))
  }
  const table = BigInt((directory & 0xffff_f000) >>> 0)
  const entry = entry32(memory, table + 4n * ((address >> 12n) & 0x3ffn))
  if (entry === undefined || (entry & 1) === 0) return undefined
  return physical(BigInt((entry & 0xffff_f000) >>> 0) | (address & 0xfffn))
}

function entry64(memory: MachineMemory, address: bigint): bigint | undefined {
  const at = memory.physicalPointer(Number(address))
  return at === undefined ? undefined : memory.view.getBigUint64(at, true)
}

function entry32(memory: MachineMemory, address: bigint): number | undefined {
  const at = memory.physicalPointer(Number(address))
  return at === undefined ? undefined : memory.view.getUint32(at, true)
}
