// Which drive a BIOS drive number means, what lies in it, and the geometry that CHS addresses are counted in.
import {
  DEV_BIOS,
  DRIVE_ATA0,
  DRIVE_COUNT,
  DRIVE_CYLINDERS,
  DRIVE_FLOPPY_A,
  DRIVE_FLOPPY_B,
  DRIVE_HEADS,
  DRIVE_KIND,
  DRIVE_KIND_CDROM,
  DRIVE_KIND_DISK,
  DRIVE_MEDIUM,
  DRIVE_PRESENT,
  DRIVE_READ_ONLY,
  DRIVE_SECTORS,
  DRIVE_SECTORS_PER_TRACK,
  DRIVE_SIZE,
  DRIVE_TRAY,
  DRIVES,
} from '../layout'
import {
  BIOS_EMULATION,
  BIOS_EMULATION_CYLINDERS,
  BIOS_EMULATION_DRIVE,
  BIOS_EMULATION_HEADS,
  BIOS_EMULATION_MEDIA,
  BIOS_EMULATION_NUMBER,
  BIOS_EMULATION_PER_TRACK,
  BIOS_EMULATION_SECTORS,
  BIOS_EMULATION_START,
  BIOS_MEDIA_SEEN,
} from './state-layout'

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

/** The part of a CD that El Torito makes a drive of, in place of an index in DRIVES. */
export const EMULATED: u32 = 0x100
/** First BIOS drive number of CD drives; they are there whether one was booted from or not. */
export const CD_NUMBER: u32 = 0xe0

function emulation(offset: u32): u32 {
  return load<u32>((DEV_BIOS as usize) + offset)
}

/** The emulated drive is in the place of a floppy drive (`number` below 80h), or of a disk. */
function emulates(number: u32): bool {
  if (!emulation(BIOS_EMULATION) || !emulation(BIOS_EMULATION_MEDIA)) return false
  return emulation(BIOS_EMULATION_NUMBER) < 0x80 == number < 0x80
}

/**
 * Index in DRIVES of BIOS drive `number`: 00h, 01h the floppy drives, 80h and up the disks that are there, E0h and up the
 * CD drives. An emulated drive moves its kind up by one (El Torito 1.0, 3.0).
 */
export function driveOf(number: u32): u32 {
  if (number >= CD_NUMBER) return nth(number - CD_NUMBER, true)
  let at = number < 0x80 ? number : number - 0x80
  if (emulates(number)) {
    if (at == 0) return EMULATED
    at--
  }
  if (number >= 0x80) return nth(at, false)
  const drive = at == 0 ? DRIVE_FLOPPY_A : DRIVE_FLOPPY_B
  return at < 2 && present(drive) ? drive : NO_DRIVE
}

function nth(place: u32, cd: bool): u32 {
  let left = place
  for (let drive: u32 = DRIVE_ATA0; drive < (DRIVE_COUNT as u32); drive++) {
    if (cd ? !isCd(drive) : !isDisk(drive)) continue
    if (left == 0) return drive
    left--
  }
  return NO_DRIVE
}

export function isCdDrive(drive: u32): bool {
  return drive < (DRIVE_COUNT as u32) && isCd(drive)
}

export function floppyCount(): u32 {
  const real: u32 = present(DRIVE_FLOPPY_B) ? 2 : present(DRIVE_FLOPPY_A) ? 1 : 0
  return emulates(0) ? real + 1 : real
}

export function diskCount(): u32 {
  let count: u32 = emulates(0x80) ? 1 : 0
  for (let drive: u32 = DRIVE_ATA0; drive < (DRIVE_COUNT as u32); drive++) if (isDisk(drive)) count++
  return count
}

export function cdCount(): u32 {
  let count: u32 = 0
  for (let drive: u32 = DRIVE_ATA0; drive < (DRIVE_COUNT as u32); drive++) if (isCd(drive)) count++
  return count
}

/** A medium lies in the drive, and a CD drive's tray is closed. */
export function driveReady(drive: u32): bool {
  const at = drive == EMULATED ? emulation(BIOS_EMULATION_DRIVE) : drive
  return field(at, DRIVE_MEDIUM) != 0 && field(at, DRIVE_TRAY) == 0
}

/** Index in DRIVES where the host has the content of `drive`. */
export function hostDrive(drive: u32): u32 {
  return drive == EMULATED ? emulation(BIOS_EMULATION_DRIVE) : drive
}

/** The host's sector behind sector `lba` of `drive`, in units of 512 bytes. */
export function hostSector(drive: u32, lba: u64): u64 {
  return drive == EMULATED ? <u64>emulation(BIOS_EMULATION_START) * 4 + lba : lba
}

/** The medium is another one than when this was asked last. */
export function mediumChanged(drive: u32): bool {
  const at = hostDrive(drive)
  const seen: usize = DEV_BIOS + BIOS_MEDIA_SEEN + at * 4
  const now = field(at, DRIVE_MEDIUM)
  if (load<u32>(seen) == now) return false
  store<u32>(seen, now)
  return true
}

/** Sectors of 512 bytes. */
export function driveSectors(drive: u32): u64 {
  if (drive == EMULATED) return emulation(BIOS_EMULATION_SECTORS)
  return load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS)
}

export function driveReadOnly(drive: u32): bool {
  if (drive == EMULATED) return true
  return field(drive, DRIVE_READ_ONLY) != 0
}

/** CHS fits into INT 13h: 1024 cylinders, 255 heads (MS-DOS cannot take 256), 63 sectors. */
function physicalFits(drive: u32): bool {
  if (drive == EMULATED) return true
  const cylinders = field(drive, DRIVE_CYLINDERS)
  const heads = field(drive, DRIVE_HEADS)
  const sectors = field(drive, DRIVE_SECTORS_PER_TRACK)
  return cylinders > 0 && cylinders <= 1024 && heads > 0 && heads <= 255 && sectors > 0 && sectors <= 63
}

/** Sectors of a track as INT 13h counts. */
export function geometrySectors(drive: u32): u32 {
  if (drive == EMULATED) return emulation(BIOS_EMULATION_PER_TRACK)
  return physicalFits(drive) ? field(drive, DRIVE_SECTORS_PER_TRACK) : 63
}

/** Heads as INT 13h counts. LBA-assisted translation: 16, 32, 64, 128, 255, the least that leaves 1024 cylinders. */
export function geometryHeads(drive: u32): u32 {
  if (drive == EMULATED) return emulation(BIOS_EMULATION_HEADS)
  if (physicalFits(drive)) return field(drive, DRIVE_HEADS)
  const tracks = driveSectors(drive) / 63
  for (let heads: u32 = 16; heads < 255; heads <<= 1) if (tracks <= <u64>heads * 1024) return heads
  return 255
}

/** Cylinders as INT 13h counts, 1..1024. */
export function geometryCylinders(drive: u32): u32 {
  if (drive == EMULATED) return emulation(BIOS_EMULATION_CYLINDERS)
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
