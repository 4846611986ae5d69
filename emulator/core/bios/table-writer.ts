// Writing tables into the ROM's room for them (ROM_TABLES), as firmware does into shadow RAM before it protects it. The
// guest sees them below 1 MiB, read-only.
import { ROM, ROM_SIZE } from '../layout'
import { ROM_CODE_SEGMENT, ROM_TABLES, ROM_TABLES_END } from './rom-layout'

const ROM_BASE: u32 = 0x100000 - ROM_SIZE
const FIRST: u32 = (ROM_CODE_SEGMENT << 4) + ROM_TABLES
const END: u32 = (ROM_CODE_SEGMENT << 4) + ROM_TABLES_END

/** Guest-physical address of the next byte. */
let next: u32 = FIRST
/** Of the table being written. */
let start: u32 = FIRST

/** Where a guest-physical address of the ROM lies. */
@inline
export function romCell(phys: u32): usize {
  return <usize>ROM + phys - ROM_BASE
}

/** All room is free again. */
export function tablesBegin(): void {
  next = FIRST
  memory.fill(romCell(FIRST), 0, END - FIRST)
}

/** Begins a table at the next multiple of `alignment`; answers its guest-physical address. */
export function tableBegin(alignment: u32): u32 {
  next = (next + alignment - 1) & ~(alignment - 1)
  start = next
  return start
}

/** Bytes of the table so far. */
export function tableLength(): u32 {
  return next - start
}

export function put8(value: u32): void {
  // What does not fit is left out: a table that is too long would overwrite the DSDT.
  if (next >= END) return
  store<u8>(romCell(next), value)
  next++
}

export function put16(value: u32): void {
  put8(value & 0xff)
  put8((value >> 8) & 0xff)
}

export function put32(value: u32): void {
  put16(value & 0xffff)
  put16(value >> 16)
}

export function put64(value: u64): void {
  put32(<u32>value)
  put32(<u32>(value >> 32))
}

export function putZeros(count: u32): void {
  for (let i: u32 = 0; i < count; i++) put8(0)
}

/** ASCII, cut off or filled up with blanks to `length` bytes. */
export function putText(text: string, length: u32): void {
  for (let i: u32 = 0; i < length; i++) put8(i < <u32>text.length ? text.charCodeAt(i) : 0x20)
}

/** Sets a 16-bit field at `offset` of the table being written. */
export function patch16(offset: u32, value: u32): void {
  store<u16>(romCell(start + offset), value)
}

export function patch32(offset: u32, value: u32): void {
  store<u32>(romCell(start + offset), value)
}

/** Sets the byte at `offset` so that the first `length` bytes of the table at `table` add up to 0. */
export function checksum(table: u32, offset: u32, length: u32): void {
  store<u8>(romCell(table + offset), 0)
  let sum: u32 = 0
  for (let i: u32 = 0; i < length; i++) sum += load<u8>(romCell(table + i))
  store<u8>(romCell(table + offset), 0 - sum)
}
