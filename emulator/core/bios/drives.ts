// Which drive a BIOS drive number means, and the geometry that CHS addresses are counted in.
import {
  DRIVE_ATA0,
  DRIVE_COUNT,
  DRIVE_CYLINDERS,
  DRIVE_FLOPPY_A,
  DRIVE_FLOPPY_B,
  DRIVE_HEADS,
  DRIVE_KIND,
  DRIVE_KIND_CDROM,
  DRIVE_KIND_DISK,
  DRIVE_PRESENT,
  DRIVE_READ_ONLY,
  DRIVE_SECTORS,
  DRIVE_SECTORS_PER_TRACK,
  DRIVE_SIZE,
  DRIVES,
} from '../layout'

/** Answer of driveOf when the number names nothing. */
export const NO_DRIVE: u32 = 0xffffffff

function field(drive: u32, offset: u32): u32 {
  return load<u32>((DRIVES as usize) + drive * DRIVE_SIZE + offset)
}

function present(drive: u32): bool {
  return field(drive, DRIVE_PRESENT) != 0
}

function isDisk(drive: u32): bool {
  return present(drive) && field(drive, DRIVE_KIND) == DRIVE_KIND_DISK
}

function isCd(drive: u32): bool {
  return present(drive) && field(drive, DRIVE_KIND) == DRIVE_KIND_CDROM
}

/** Index in DRIVES of BIOS drive `number`: 00h, 01h the floppy drives, 80h and up the disks that are there, in order. */
export function driveOf(number: u32): u32 {
  if (number < 0x80) {
    const drive = number == 0 ? DRIVE_FLOPPY_A : DRIVE_FLOPPY_B
    return number < 2 && present(drive) ? drive : NO_DRIVE
  }
  let left = number - 0x80
  for (let drive: u32 = DRIVE_ATA0; drive < (DRIVE_COUNT as u32); drive++) {
    if (!isDisk(drive)) continue
    if (left == 0) return drive
    left--
  }
  return NO_DRIVE
}

export function floppyCount(): u32 {
  return present(DRIVE_FLOPPY_B) ? 2 : present(DRIVE_FLOPPY_A) ? 1 : 0
}

export function diskCount(): u32 {
  let count: u32 = 0
  for (let drive: u32 = DRIVE_ATA0; drive < (DRIVE_COUNT as u32); drive++) if (isDisk(drive)) count++
  return count
}

export function driveSectors(drive: u32): u64 {
  return load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS)
}

export function driveReadOnly(drive: u32): bool {
  return field(drive, DRIVE_READ_ONLY) != 0
}

/** CHS fits into INT 13h: 1024 cylinders, 255 heads (MS-DOS cannot take 256), 63 sectors. */
function physicalFits(drive: u32): bool {
  const cylinders = field(drive, DRIVE_CYLINDERS)
  const heads = field(drive, DRIVE_HEADS)
  const sectors = field(drive, DRIVE_SECTORS_PER_TRACK)
  return cylinders > 0 && cylinders <= 1024 && heads > 0 && heads <= 255 && sectors > 0 && sectors <= 63
}

/** Sectors of a track as INT 13h counts. */
export function geometrySectors(drive: u32): u32 {
  return physicalFits(drive) ? field(drive, DRIVE_SECTORS_PER_TRACK) : 63
}

/** Heads as INT 13h counts. LBA-assisted translation: 16, 32, 64, 128, 255, the least that leaves 1024 cylinders. */
export function geometryHeads(drive: u32): u32 {
  if (physicalFits(drive)) return field(drive, DRIVE_HEADS)
  const tracks = driveSectors(drive) / 63
  for (let heads: u32 = 16; heads < 255; heads <<= 1) if (tracks <= <u64>heads * 1024) return heads
  return 255
}

/** Cylinders as INT 13h counts, 1..1024. */
export function geometryCylinders(drive: u32): u32 {
  if (physicalFits(drive)) return field(drive, DRIVE_CYLINDERS)
  const cylinders = driveSectors(drive) / <u64>(geometryHeads(drive) * 63)
  return cylinders > 1024 ? 1024 : cylinders < 1 ? 1 : <u32>cylinders
}

/** Type of a floppy drive for CMOS and INT 13h/08h, by what it holds: 1 360 KB, 2 1.2 MB, 3 720 KB, 4 1.44 MB, 5 2.88 MB. */
export function floppyType(drive: u32): u32 {
  const sectors = geometrySectors(drive)
  if (sectors > 18) return 5
  if (sectors == 15) return 2
  if (sectors > 9) return 4
  return geometryCylinders(drive) > 42 ? 3 : 1
}
