// What INT 13h makes of a boot image on a CD: a floppy or hard disk under 00h or 80h, or the CD itself. El Torito
// specification 1.0 (Phoenix and IBM, 1995); its INT 13h functions 4Ah-4Dh.
import { BLOCK_READ, DEV_BIOS, SEG_DS } from '../layout'
import { CD_NUMBER, diskCount, driveOf, floppyCount, isCdDrive, NO_DRIVE } from './drives'
import {
  bda16,
  guestRead16,
  guestRead32,
  guestRead8,
  guestWrite16,
  guestWrite32,
  guestWrite8,
  linear,
  setBda16,
  setBda8,
  si,
  al,
} from './guest'
import { BDA_DISK_COUNT, BDA_EQUIPMENT } from './bda'
import { cdData, cdRead, cdTransfer, readCdRecord } from './cd-sectors'
import { DISK_OK, DISK_PARAMETER } from './int13-disk'
import {
  BIOS_EMULATION,
  BIOS_EMULATION_COUNT,
  BIOS_EMULATION_CYLINDERS,
  BIOS_EMULATION_DRIVE,
  BIOS_EMULATION_HEADS,
  BIOS_EMULATION_MEDIA,
  BIOS_EMULATION_NUMBER,
  BIOS_EMULATION_PER_TRACK,
  BIOS_EMULATION_SECTORS,
  BIOS_EMULATION_SEGMENT,
  BIOS_EMULATION_START,
} from './state-layout'

export const MEDIA_NONE: u32 = 0
export const MEDIA_FLOPPY_12: u32 = 1
export const MEDIA_FLOPPY_144: u32 = 2
export const MEDIA_FLOPPY_288: u32 = 3
export const MEDIA_DISK: u32 = 4
/** Bytes of the specification packet (table 5). */
const PACKET_SIZE: u32 = 0x13

function set(offset: usize, value: u32): void {
  store<u32>(DEV_BIOS + offset, value)
}
function get(offset: usize): u32 {
  return load<u32>(DEV_BIOS + offset)
}

/**
 * Gives the image at 2048-byte sector `start` of CD drive `drive` its drive number. False: it is to be a hard disk and
 * its partition table does not tell a geometry (3.4: the end of the one partition there is), or it cannot be read.
 */
export function emulationBegin(drive: u32, media: u32, start: u32, segment: u32, count: u32): bool {
  let cylinders: u32 = 80
  let heads: u32 = 2
  let perTrack: u32 = media == MEDIA_FLOPPY_12 ? 15 : media == MEDIA_FLOPPY_288 ? 36 : 18
  let sectors: u32 = cylinders * heads * perTrack
  let number: u32 = 0
  if (media == MEDIA_NONE) {
    number = numberOf(drive)
    sectors = count
  } else if (media == MEDIA_DISK) {
    number = 0x80
    if (cdRead(drive, start, 1) != DISK_OK) return false
    const table = cdData(drive) + 446
    perTrack = load<u8>(table, 6) & 0x3f
    heads = <u32>load<u8>(table, 5) + 1
    cylinders = (<u32>load<u8>(table, 7) | ((<u32>load<u8>(table, 6) & 0xc0) << 2)) + 1
    sectors = load<u32>(table, 8) + load<u32>(table, 12)
    if (perTrack == 0 || load<u8>(table, 4) == 0 || sectors == 0) return false
    sectors = max<u32>(sectors, cylinders * heads * perTrack)
  }
  set(BIOS_EMULATION_MEDIA, media)
  set(BIOS_EMULATION_NUMBER, number)
  set(BIOS_EMULATION_DRIVE, drive)
  set(BIOS_EMULATION_START, start)
  set(BIOS_EMULATION_SECTORS, sectors)
  set(BIOS_EMULATION_CYLINDERS, cylinders)
  set(BIOS_EMULATION_HEADS, heads)
  set(BIOS_EMULATION_PER_TRACK, perTrack)
  set(BIOS_EMULATION_SEGMENT, segment)
  set(BIOS_EMULATION_COUNT, count)
  set(BIOS_EMULATION, 1)
  countDrives()
  return true
}

export function emulationEnd(): void {
  if (!get(BIOS_EMULATION)) return
  set(BIOS_EMULATION, 0)
  countDrives()
}

/** How many floppy drives and disks there are, where software looks for it: equipment word, BIOS data area. */
function countDrives(): void {
  const floppies = min<u32>(floppyCount(), 4)
  const others = bda16(BDA_EQUIPMENT) & ~0xc1
  setBda16(BDA_EQUIPMENT, floppies ? others | 1 | ((floppies - 1) << 6) : others)
  setBda8(BDA_DISK_COUNT, diskCount())
}

/** BIOS drive number of the CD drive at index `drive`. */
export function numberOf(drive: u32): u32 {
  let number = CD_NUMBER
  while (driveOf(number) != drive && driveOf(number) != NO_DRIVE) number++
  return number
}

/** AH = 4Bh: the specification packet to DS:SI; AL = 0 ends the emulation as well. 7Fh: whatever is emulated. */
export function emulationStatus(number: u32): u32 {
  if (!get(BIOS_EMULATION) || al() > 1) return DISK_PARAMETER
  if (number != 0x7f && number != get(BIOS_EMULATION_NUMBER)) return DISK_PARAMETER
  const packet = linear(SEG_DS, si())
  const unit = get(BIOS_EMULATION_DRIVE) - 2
  const cylinder = get(BIOS_EMULATION_CYLINDERS) - 1
  const emulated = get(BIOS_EMULATION_MEDIA) != MEDIA_NONE
  guestWrite8(packet, PACKET_SIZE)
  guestWrite8(packet + 1, get(BIOS_EMULATION_MEDIA))
  guestWrite8(packet + 2, get(BIOS_EMULATION_NUMBER))
  guestWrite8(packet + 3, unit >> 1) // controller
  guestWrite32(packet + 4, get(BIOS_EMULATION_START))
  guestWrite16(packet + 8, unit & 1) // device specification
  guestWrite16(packet + 10, 0) // no buffer of the user's
  guestWrite16(packet + 12, get(BIOS_EMULATION_SEGMENT))
  guestWrite16(packet + 14, get(BIOS_EMULATION_COUNT))
  guestWrite8(packet + 16, emulated ? cylinder & 0xff : 0)
  guestWrite8(packet + 17, emulated ? get(BIOS_EMULATION_PER_TRACK) | ((cylinder >> 2) & 0xc0) : 0)
  guestWrite8(packet + 18, emulated ? get(BIOS_EMULATION_HEADS) - 1 : 0)
  if (al() == 0) emulationEnd()
  return DISK_OK
}

/** AH = 4Ah: begins an emulation as the packet at DS:SI says. */
export function emulationInitiate(drive: u32): u32 {
  const packet = linear(SEG_DS, si())
  const media = guestRead8(packet + 1) & 15
  if (guestRead8(packet) < PACKET_SIZE || media > MEDIA_DISK || !isCdDrive(drive)) return DISK_PARAMETER
  const began = emulationBegin(
    drive,
    media,
    guestRead32(packet + 4),
    guestRead16(packet + 12),
    guestRead16(packet + 14),
  )
  return began ? DISK_OK : DISK_PARAMETER
}

/** AH = 4Dh: sectors of the boot catalogue to where the command packet at DS:SI says (table 6). */
export function emulationCatalogue(drive: u32): u32 {
  const packet = linear(SEG_DS, si())
  if (guestRead8(packet) < 8) return DISK_PARAMETER
  const count = guestRead8(packet + 1)
  const address = <u64>guestRead32(packet + 2)
  const first = guestRead16(packet + 6)
  const catalogue = readCdRecord(drive)
  if (catalogue == 0) return DISK_PARAMETER
  return cdTransfer(drive, BLOCK_READ, catalogue + first, count, address)
}
