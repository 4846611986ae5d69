// What the CMOS RAM of this machine says at power-on: the cells that firmware and operating systems look at.
// References: IBM PC/AT Technical Reference 6280070, "CMOS RAM"; cells 1Bh-2Ch, 30h-3Dh and 5Bh-5Dh as Bochs and QEMU fill
// them: another firmware than ours (--rom) finds the disks' geometry and the boot order there.

import {
  BOOT_CDROM,
  BOOT_DISK,
  BOOT_FLOPPY,
  DRIVE_ATA0,
  DRIVE_CYLINDERS,
  DRIVE_FLOPPY_A,
  DRIVE_FLOPPY_B,
  DRIVE_KIND,
  DRIVE_KIND_DISK,
  DRIVE_PRESENT,
  DRIVE_SECTORS,
  DRIVE_SIZE,
  DRIVES,
  HDR_BOOT_ORDER,
  HDR_RAM_SIZE,
  HEADER,
} from '../layout'
import { ataDefaultHeads, ataDefaultSectors, ataUsableTranslation } from './ata'
import { ataCylinders } from './ata-identify'

const FLOPPY_TYPES: usize = 0x10
const DISK_TYPES: usize = 0x12
const EQUIPMENT: usize = 0x14
const BASE_MEMORY: usize = 0x15 // KiB
const EXTENDED_MEMORY: usize = 0x17 // KiB above 1 MiB
const DISK_TYPE_C: usize = 0x19
const DISK_TYPE_D: usize = 0x1a
/** Nine bytes a disk: the user's type 47 as the AT's table of types has one (fixed disk parameters, without the reserved ones). */
const DISK_C: usize = 0x1b
const DISK_D: usize = 0x24
const CHECKSUM: usize = 0x2e // big-endian sum of 10h-2Dh
const EXTENDED_MEMORY_FOUND: usize = 0x30
const MEMORY_ABOVE_16M: usize = 0x34 // units of 64 KiB
const BOOT_THIRD: usize = 0x38 // bits 7-4 the third device; bit 0 a floppy needs no signature
const TRANSLATIONS: usize = 0x39 // two bits an ATA device
const BOOT_FIRST: usize = 0x3d // bits 3-0 the first device, 7-4 the second: 1 floppy, 2 disk, 3 CD

const BASE_MEMORY_KIB: u32 = 640
const DISK_TYPE_EXTENDED: u32 = 0x0f // "see cell 19h"
const DISK_TYPE_USER: u32 = 47
const ATA_DEVICES: u32 = 4
const TRANSLATION_LBA: u32 = 1
/** INT 13h has ten bits for cylinders. */
const BIOS_CYLINDERS: u32 = 1024
const USUAL_ORDER: u32 = BOOT_FLOPPY | (BOOT_DISK << 8) | (BOOT_CDROM << 16)

function present(drive: u32): bool {
  return load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_PRESENT) != 0
}

function isDisk(drive: u32): bool {
  return present(drive) && load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_KIND) == DRIVE_KIND_DISK
}

/** The disk as it is without a translation (what IDENTIFY DEVICE says in words 1, 3 and 6). */
function diskParameters(drive: u32, at: usize): void {
  const heads = ataDefaultHeads(drive)
  const perTrack = ataDefaultSectors(drive)
  const cylinders = ataCylinders(drive, heads, perTrack)
  store<u16>(at, cylinders)
  store<u8>(at, heads, 2)
  store<u16>(at, 0xffff, 3) // no write precompensation
  store<u8>(at, 0xc0 | (heads > 8 ? 0x08 : 0), 5) // no retries; more than eight heads
  store<u16>(at, cylinders, 6) // landing zone
  store<u8>(at, perTrack, 8)
}

/** Whether INT 13h counts otherwise than the disk: too many cylinders, or an image with a geometry that ATA cannot express. */
function translation(drive: u32): u32 {
  if (!isDisk(drive)) return 0
  const plain =
    ataUsableTranslation(drive) && load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_CYLINDERS) <= BIOS_CYLINDERS
  return plain ? 0 : TRANSLATION_LBA
}

/** The drive type that reads the medium. */
function floppyType(drive: u32): u32 {
  if (!present(drive)) return 0
  switch (<u32>load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS)) {
    case 320:
    case 360:
    case 640:
    case 720:
      return 1 // 360 KiB
    case 2400:
      return 2 // 1.2 MiB
    case 1440:
      return 3 // 720 KiB
    case 5760:
      return 5 // 2.88 MiB
    default:
      return 4 // 1.44 MiB
  }
}

/** Fills the cells behind the clock's registers; `cells` is the address of cell 0. */
export function cmosReset(cells: usize): void {
  const floppies = (floppyType(DRIVE_FLOPPY_A) << 4) | floppyType(DRIVE_FLOPPY_B)
  store<u8>(cells, floppies, FLOPPY_TYPES)
  const disk0 = isDisk(DRIVE_ATA0)
  const disk1 = isDisk(DRIVE_ATA0 + 1)
  store<u8>(cells, (disk0 ? DISK_TYPE_EXTENDED << 4 : 0) | (disk1 ? DISK_TYPE_EXTENDED : 0), DISK_TYPES)
  if (disk0) {
    store<u8>(cells, DISK_TYPE_USER, DISK_TYPE_C)
    diskParameters(DRIVE_ATA0, cells + DISK_C)
  }
  if (disk1) {
    store<u8>(cells, DISK_TYPE_USER, DISK_TYPE_D)
    diskParameters(DRIVE_ATA0 + 1, cells + DISK_D)
  }
  let translations: u32 = 0
  for (let device: u32 = 0; device < ATA_DEVICES; device++)
    translations |= translation(DRIVE_ATA0 + device) << (device * 2)
  store<u8>(cells, translations, TRANSLATIONS)
  const chosen = load<u32>(HEADER, HDR_BOOT_ORDER)
  const order = chosen ? chosen : USUAL_ORDER
  store<u8>(cells, (order & 15) | (((order >> 8) & 15) << 4), BOOT_FIRST)
  store<u8>(cells, ((order >> 16) & 15) << 4, BOOT_THIRD)
  // Bit 0 a floppy drive, bits 6-7 one more; bits 4-5 are 0 for an adapter with its own firmware (VGA)
  let equipment: u32 = 0
  if (floppies & 0xf0) equipment = floppies & 0x0f ? 0x41 : 0x01
  store<u8>(cells, equipment, EQUIPMENT)

  const kib = load<u32>(HEADER, HDR_RAM_SIZE) >> 10
  store<u16>(cells, BASE_MEMORY_KIB, BASE_MEMORY)
  const extended: u32 = kib > 1024 ? min<u32>(kib - 1024, 0xffff) : 0
  store<u16>(cells, extended, EXTENDED_MEMORY)
  store<u16>(cells, extended, EXTENDED_MEMORY_FOUND)
  store<u16>(cells, kib > 16384 ? (kib - 16384) >> 6 : 0, MEMORY_ABOVE_16M)

  let sum: u32 = 0
  for (let index: usize = FLOPPY_TYPES; index < CHECKSUM; index++) sum += load<u8>(cells + index)
  store<u8>(cells, sum >> 8, CHECKSUM)
  store<u8>(cells, sum, CHECKSUM + 1)
}
