// IDENTIFY DEVICE: the 256 words in which a disk describes itself. Reference: ATA/ATAPI-6 (T13/1410D r3b), 8.16.

import { DRIVE_SECTORS, DRIVE_SIZE, DRIVES } from '../layout'
import {
  ATA_BUFFER,
  ATA_BUFFER_SECTORS,
  UNIT_HEADS,
  UNIT_MODE,
  UNIT_MULTIPLE,
  UNIT_SECTORS,
  ataDefaultHeads,
  ataDefaultSectors,
} from './ata'

// ASCII, padded with blanks
const SERIAL = memory.data<u8>([0x52, 0x53, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30])
const REVISION = memory.data<u8>([0x31, 0x2e, 0x30])
const MODEL = memory.data<u8>([0x52, 0x69, 0x6e, 0x67, 0x73, 0x69, 0x64, 0x65, 0x20, 0x64, 0x69, 0x73, 0x6b])
const SERIAL_LENGTH: u32 = 8
const REVISION_LENGTH: u32 = 3
const MODEL_LENGTH: u32 = 13

/** Cylinders of a translation: as many as fit, 16,383 at most (word 1); a disk smaller than a cylinder still has one. */
export function ataCylinders(drive: u32, heads: u32, sectorsPerTrack: u32): u32 {
  const sectors = load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS)
  return max<u32>(1, <u32>min<u64>(sectors / (<u64>heads * sectorsPerTrack), 16383))
}

/** Text lies with its bytes swapped in each word. */
export function ataText(buffer: usize, firstWord: u32, words: u32, from: usize, length: u32): void {
  for (let i: u32 = 0; i < words * 2; i++) {
    store<u8>(buffer + firstWord * 2 + (i ^ 1), i < length ? load<u8>(from + i) : 0x20)
  }
}

/** Words 63, 64 and 88: multiword DMA modes 0-2, PIO 3 and 4, ultra DMA modes 0-2 (what the PIIX4 could do at most). */
export function ataIdentifyModes(b: usize, unit: usize): void {
  const mode = <u32>load<u8>(unit, UNIT_MODE)
  const chosen: u32 = 0x100 << (mode & 7)
  store<u16>(b, 0x0007 | ((mode & 0xf8) == 0x20 ? chosen : 0), 63 * 2)
  store<u16>(b, 0x0003, 64 * 2)
  store<u16>(b, 0x0007 | ((mode & 0xf8) == 0x40 ? chosen : 0), 88 * 2)
}

/** Writes the words for `drive` (with its state `unit`) to the buffer of channel `c`. */
export function ataIdentify(c: usize, drive: u32, unit: usize): void {
  const b = c + ATA_BUFFER
  memory.fill(b, 0, 512)
  const sectors = load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS)
  const lba28 = <u32>min<u64>(sectors, 0x0fff_ffff)

  const heads = ataDefaultHeads(drive)
  const perTrack = ataDefaultSectors(drive)
  store<u16>(b, 0x0040, 0 * 2) // fixed device
  store<u16>(b, ataCylinders(drive, heads, perTrack), 1 * 2)
  store<u16>(b, heads, 3 * 2)
  store<u16>(b, perTrack, 6 * 2)
  ataText(b, 10, 10, SERIAL, SERIAL_LENGTH)
  store<u8>(b + 10 * 2 + ((SERIAL_LENGTH - 1) ^ 1), 0x30 + drive)
  ataText(b, 23, 4, REVISION, REVISION_LENGTH)
  ataText(b, 27, 20, MODEL, MODEL_LENGTH)
  store<u16>(b, 0x8000 | ATA_BUFFER_SECTORS, 47 * 2) // most sectors of READ MULTIPLE
  store<u16>(b, 0x0f00, 49 * 2) // IORDY, IORDY may be disabled, LBA, DMA
  store<u16>(b, 0x4000, 50 * 2)
  store<u16>(b, 0x0200, 51 * 2) // PIO mode 2
  store<u16>(b, 0x0007, 53 * 2) // words 54-58, 64-70 and 88 are valid

  const nowHeads = <u32>load<u8>(unit, UNIT_HEADS)
  const nowSectors = <u32>load<u8>(unit, UNIT_SECTORS)
  const cylinders = ataCylinders(drive, nowHeads, nowSectors)
  store<u16>(b, cylinders, 54 * 2)
  store<u16>(b, nowHeads, 55 * 2)
  store<u16>(b, nowSectors, 56 * 2)
  store<u32>(b, cylinders * nowHeads * nowSectors, 57 * 2)
  const multiple = <u32>load<u8>(unit, UNIT_MULTIPLE)
  store<u16>(b, multiple ? 0x0100 | multiple : 0, 59 * 2)
  store<u32>(b, lba28, 60 * 2)
  ataIdentifyModes(b, unit)
  store<u16>(b, 120, 65 * 2) // cycle times in ns
  store<u16>(b, 120, 66 * 2)
  store<u16>(b, 120, 67 * 2)
  store<u16>(b, 120, 68 * 2)
  store<u16>(b, 0x007e, 80 * 2) // ATA-1 to ATA/ATAPI-6
  // Command sets: write cache, look-ahead, power management; FLUSH CACHE (EXT), 48-bit addresses
  store<u16>(b, 0x0068, 82 * 2)
  store<u16>(b, 0x7400, 83 * 2)
  store<u16>(b, 0x4000, 84 * 2)
  store<u16>(b, 0x0068, 85 * 2)
  store<u16>(b, 0x3400, 86 * 2)
  store<u16>(b, 0x4000, 87 * 2)
  store<u16>(b, drive & 1 ? 0x4b01 : 0x400b, 93 * 2) // result of the hardware reset: jumpers, diagnostics passed
  store<u64>(b, sectors, 100 * 2)

  // Integrity word: all 512 bytes add up to 0
  store<u8>(b, 0xa5, 510)
  let sum: u32 = 0
  for (let i: usize = 0; i < 511; i++) sum += load<u8>(b + i)
  store<u8>(b, <u32>0 - sum, 511)
}
