// SMBIOS structures (DSP0134 3.4.0): who made the machine, its processors, caches and memory. Two entry points, of 32 bits
// (2.8) and 64 bits (3.0).
import { CPU_SIGNATURE } from '../cpu/cpuid'
import { HDR_CPU_COUNT, HDR_RAM_SIZE, HEADER } from '../layout'
import {
  checksum,
  put16,
  put32,
  put64,
  put8,
  putText,
  putZeros,
  tableBegin,
  tableLength,
} from './table-writer'

// Handles: type << 8, and a number
const BOARD: u32 = 0x200
const CHASSIS: u32 = 0x300
const PROCESSOR: u32 = 0x400
const CACHE: u32 = 0x700
const MEMORY_ARRAY: u32 = 0x1000

let structures: u32 = 0
let largest: u32 = 0
let structureStart: u32 = 0

function begin(type: u32, length: u32, handle: u32): void {
  structureStart = tableLength()
  put8(type)
  put8(length)
  put16(handle)
}

function text(value: string): void {
  putText(value, value.length)
  put8(0)
}

/** Behind the last string; without strings two zeros. */
function end(strings: bool): void {
  put8(0)
  if (!strings) put8(0)
  const size = tableLength() - structureStart
  if (size > largest) largest = size
  structures++
}

function bios(): void {
  begin(0, 24, 0)
  put8(1) // vendor
  put8(2) // version
  put16(0xe000) // segment
  put8(3) // date
  put8(1) // ROM: 128 KiB
  put64(0x0000000000098090) // ISA, PCI, bootable CD, selectable boot, EDD
  put8(0x01) // ACPI
  put8(0x14) // targeted content, and a virtual machine
  put8(1)
  put8(0)
  put8(0xff) // embedded controller: none
  put8(0xff)
  text('Ringside')
  text('1.0')
  text('01/01/2026')
  end(true)
}

function system(): void {
  begin(1, 27, 0x100)
  put8(1)
  put8(2)
  put8(3)
  put8(0)
  // A UUID of the kind that is made from a name (RFC 4122, version 5), the same for every machine
  put32(0x52494e47)
  put16(0x5349)
  put16(0x5445)
  put64(0x0100000000004580)
  put8(6) // power switch
  put8(0)
  put8(0)
  text('Ringside')
  text('PC (i440FX + PIIX, 2026)')
  text('1.0')
  end(true)
}

function baseBoard(): void {
  begin(2, 15, BOARD)
  put8(1)
  put8(2)
  put8(0)
  put8(0)
  put8(0)
  put8(0x09) // hosting, replaceable
  put8(0)
  put16(CHASSIS)
  put8(10) // motherboard
  put8(0)
  text('Ringside')
  text('440FX')
  end(true)
}

function chassis(): void {
  begin(3, 22, CHASSIS)
  put8(1)
  put8(3) // desktop
  put8(0)
  put8(0)
  put8(0)
  put8(3) // safe
  put8(3)
  put8(3)
  put8(2) // security: unknown
  put32(0)
  put8(0)
  put8(1)
  put8(0)
  put8(0)
  put8(0)
  text('Ringside')
  end(true)
}

/** The one package; its cores are the machine's CPUs (CPUID leaf 0Bh). */
function processor(cores: u32): void {
  begin(4, 48, PROCESSOR)
  put8(1)
  put8(3) // central processor
  put8(1) // family: other
  put8(2)
  put32(CPU_SIGNATURE)
  put32(0x078bfbff)
  put8(3)
  put8(0)
  put16(100) // external clock, MHz
  put16(1000)
  put16(1000)
  put8(0x41) // populated, enabled
  put8(1)
  put16(CACHE)
  put16(CACHE + 1)
  put16(0xffff)
  put8(0)
  put8(0)
  put8(0)
  put8(cores) // cores, enabled, threads
  put8(cores)
  put8(cores)
  put16(cores > 1 ? 0x000c : 0x0004) // 64 bits, several cores
  put16(1)
  put16(cores)
  put16(cores)
  put16(cores)
  text('CPU 0')
  text('Ringside')
  text('1.0')
  end(true)
}

/** Level 1-2, KiB: as CPUID leaf 4 has them. */
function cache(level: u32, kib: u32, associativity: u32): void {
  begin(7, 27, CACHE + level - 1)
  put8(1)
  put16(0x0180 | (level - 1)) // write-back, enabled, internal
  put16(kib)
  put16(kib)
  put16(2)
  put16(2)
  put8(0)
  put8(3)
  put8(level == 1 ? 4 : 5) // data; unified
  put8(associativity)
  put32(kib)
  put32(kib)
  text(level == 1 ? 'L1' : 'L2')
  end(true)
}

function memoryDevices(kib: u32): void {
  begin(16, 23, MEMORY_ARRAY)
  put8(3) // system board
  put8(3) // system memory
  put8(3) // no error correction
  put32(kib)
  put16(0xfffe)
  put16(1)
  put64(0)
  end(false)

  begin(17, 40, 0x1100)
  put16(MEMORY_ARRAY)
  put16(0xfffe)
  put16(64)
  put16(64)
  put16(kib & 1023 ? 0x8000 | min<u32>(kib, 0x7ffe) : kib >> 10)
  put8(9) // DIMM
  put8(0)
  put8(1)
  put8(0)
  put8(7) // RAM
  put16(0x0002)
  put16(0)
  put8(2)
  put8(0)
  put8(0)
  put8(0)
  put8(0)
  put32(0)
  put16(0)
  put16(0)
  put16(0)
  put16(0)
  text('DIMM 0')
  text('Ringside')
  end(true)

  begin(19, 31, 0x1300)
  put32(0)
  put32(kib - 1)
  put16(MEMORY_ARRAY)
  put8(1)
  put64(0)
  put64(0)
  end(false)
}

function bootStatus(): void {
  begin(32, 11, 0x2000)
  putZeros(7) // no errors
  end(false)
  begin(127, 4, 0x7f00)
  end(false)
}

export function smbios(): void {
  structures = 0
  largest = 0
  const table = tableBegin(16)
  bios()
  system()
  baseBoard()
  chassis()
  processor(load<u32>(HEADER, HDR_CPU_COUNT))
  cache(1, 32, 7)
  cache(2, 2048, 7)
  memoryDevices(load<u32>(HEADER, HDR_RAM_SIZE) >> 10)
  bootStatus()
  const length = tableLength()

  const entry = tableBegin(16)
  putText('_SM_', 4)
  put8(0)
  put8(31)
  put8(2)
  put8(8)
  put16(largest)
  put8(0)
  putZeros(5)
  putText('_DMI_', 5)
  put8(0)
  put16(length)
  put32(table)
  put16(structures)
  put8(0x28)
  // The intermediate checksum is over the second half.
  checksum(entry + 16, 5, 15)
  checksum(entry, 4, 31)

  const wide = tableBegin(16)
  putText('_SM3_', 5)
  put8(0)
  put8(24)
  put8(3)
  put8(0)
  put8(0)
  put8(1)
  put8(0)
  put32(length)
  put64(table)
  checksum(wide, 5, 24)
}
