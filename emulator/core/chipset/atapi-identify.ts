// IDENTIFY PACKET DEVICE: the 256 words in which a CD drive describes itself. Reference: ATA/ATAPI-6 (T13/1410D r3b), 8.17.

import { ATA_BUFFER } from './ata'
import { ataIdentifyModes, ataText } from './ata-identify'

// ASCII, padded with blanks
const SERIAL = memory.data<u8>([0x52, 0x53, 0x43, 0x44, 0x30, 0x30, 0x30, 0x30]) // RSCD0000
const REVISION = memory.data<u8>([0x31, 0x2e, 0x30])
// prettier-ignore
const MODEL = memory.data<u8>([
  0x52, 0x69, 0x6e, 0x67, 0x73, 0x69, 0x64, 0x65, 0x20, 0x43, 0x44, 0x2d, 0x52, 0x4f, 0x4d,
]) // Ringside CD-ROM
const SERIAL_LENGTH: u32 = 8
const REVISION_LENGTH: u32 = 3
const MODEL_LENGTH: u32 = 15

/** Writes the words for `drive` (with its state `unit`) to the buffer of channel `c`. */
export function atapiIdentify(c: usize, drive: u32, unit: usize): void {
  const b = c + ATA_BUFFER
  memory.fill(b, 0, 512)
  store<u16>(b, 0x85c0, 0 * 2) // packet device, CD-ROM, removable, DRQ within 50 us, 12-byte packets
  ataText(b, 10, 10, SERIAL, SERIAL_LENGTH)
  store<u8>(b + 10 * 2 + ((SERIAL_LENGTH - 1) ^ 1), 0x30 + drive)
  ataText(b, 23, 4, REVISION, REVISION_LENGTH)
  ataText(b, 27, 20, MODEL, MODEL_LENGTH)
  store<u16>(b, 0x0f00, 49 * 2) // DMA, LBA, IORDY, IORDY may be disabled
  store<u16>(b, 0x4000, 50 * 2)
  store<u16>(b, 0x0200, 51 * 2) // PIO mode 2
  store<u16>(b, 0x0006, 53 * 2) // words 64-70 and 88 are valid
  ataIdentifyModes(b, unit)
  store<u16>(b, 120, 65 * 2) // cycle times in ns
  store<u16>(b, 120, 66 * 2)
  store<u16>(b, 120, 67 * 2)
  store<u16>(b, 120, 68 * 2)
  store<u16>(b, 0x0070, 80 * 2) // ATA/ATAPI-4 to -6
  // Command sets: DEVICE RESET, PACKET, power management
  store<u16>(b, 0x0218, 82 * 2)
  store<u16>(b, 0x4000, 83 * 2)
  store<u16>(b, 0x4000, 84 * 2)
  store<u16>(b, 0x0218, 85 * 2)
  store<u16>(b, 0x0000, 86 * 2)
  store<u16>(b, 0x4000, 87 * 2)
  store<u16>(b, drive & 1 ? 0x4b01 : 0x400b, 93 * 2)
  store<u8>(b, 0xa5, 510)
  let sum: u32 = 0
  for (let i: usize = 0; i < 511; i++) sum += load<u8>(b + i)
  store<u8>(b, <u32>0 - sum, 511)
}
