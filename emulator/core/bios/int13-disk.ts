// INT 13h: floppies 00h, 01h and disks 80h and up. CHS functions, and the extensions of the EDD specification
// (Phoenix, EDD 1.1 and 3.0) for disks. Content comes from the host's block thread into the drive's transfer buffer
// and is copied into guest memory from there.
import { ROM_CODE_SEGMENT, ROM_DISKETTE_PARAMETERS } from './rom-layout'
import {
  BLOCK_BUFFER_SIZE,
  BLOCK_BUFFERS,
  BLOCK_ERROR_ABSENT,
  BLOCK_ERROR_NONE,
  BLOCK_ERROR_RANGE,
  BLOCK_READ,
  BLOCK_WRITE,
  SEG_DS,
  SEG_ES,
} from '../layout'
import { blockTransfer } from '../machine/block'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { BDA_DISK_COUNT, BDA_DISK_STATUS, BDA_DISKETTE_STATUS, EBDA, EBDA_DPTE, EBDA_SEGMENT } from './bda'
import { emulationStatus } from './cd-emulation'
import { cdExtensions, int13Cd } from './int13-cd'
import {
  driveOf,
  driveReadOnly,
  driveReady,
  driveSectors,
  EMULATED,
  floppyCount,
  floppyType,
  geometryCylinders,
  geometryHeads,
  geometrySectors,
  hostDrive,
  hostSector,
  isCdDrive,
  mediumChanged,
  NO_DRIVE,
} from './drives'
import {
  ah,
  al,
  bda8,
  bx,
  ch,
  cl,
  dh,
  dl,
  guestRead16,
  guestRead32,
  guestRead64,
  guestRead8,
  guestReadBlock,
  guestWrite16,
  guestWrite32,
  guestWrite64,
  guestWrite8,
  guestWriteBlock,
  linear,
  setAh,
  setAl,
  setAx,
  setBda8,
  setBx,
  setCarry,
  setCx,
  setDi,
  setDx,
  setSelector,
  si,
} from './guest'

/** AH on return (IBM PS/2 and PC BIOS Interface Technical Reference, INT 13h). */
export const DISK_OK: u32 = 0x00
export const DISK_PARAMETER: u32 = 0x01
export const DISK_WRITE_PROTECTED: u32 = 0x03
export const DISK_SECTOR_NOT_FOUND: u32 = 0x04
export const DISK_CHANGED: u32 = 0x06
export const DISK_CONTROLLER: u32 = 0x20
export const DISK_TIMEOUT: u32 = 0x80
export const DISK_NOT_LOCKED: u32 = 0xb0
export const DISK_NOT_REMOVABLE: u32 = 0xb2

export const SECTOR: u32 = 512
const CHUNK: u32 = BLOCK_BUFFER_SIZE / SECTOR
export const VERIFY: u32 = 0xff

/** DMA across a 64 KiB boundary: the address counter of the 8237A has 16 bits. */
const DISK_DMA_BOUNDARY: u32 = 0x09
export const DISK_NO_MEDIUM: u32 = 0x31
export const DISK_LOCKED: u32 = 0xb1

/** A transfer with the chipset lock let go: nobody holds it while waiting for the host. */
function hostTransfer(drive: u32, operation: u32, lba: u64, count: u32, buffer: usize): u32 {
  chipsetUnlock()
  const error = blockTransfer(drive, operation, lba, count, buffer)
  chipsetLock()
  return error
}

/** Sectors moved by the last transfer. */
export let moved: u32 = 0

export function int13(): void {
  const number = dl()
  const operation = ah()
  const drive = driveOf(number)
  if (drive == NO_DRIVE) {
    // 08h on a floppy drive that is not there succeeds with zeros (it tells how many there are), 15h says "none".
    if (operation == 0x08 && number < 0x80) {
      noFloppyParameters()
      return
    }
    if (operation == 0x15) {
      setBda8(number < 0x80 ? BDA_DISKETTE_STATUS : BDA_DISK_STATUS, 0)
      setAx(0)
      setCarry(false)
      return
    }
    if (operation == 0x01) {
      lastStatus(number)
      return
    }
    // 7Fh stands for whatever is emulated (El Torito 1.0, 5.0)
    if (operation == 0x4b && number == 0x7f) {
      finish(number, emulationStatus(number))
      return
    }
    finish(number, operation == 0x00 && number < 2 ? DISK_TIMEOUT : DISK_PARAMETER)
    return
  }
  if (isCdDrive(drive)) {
    if (operation == 0x01) lastStatus(number)
    else if (operation == 0x41 && cdExtensions()) {
      finish(number, DISK_OK)
      setAh(0x30)
    } else finish(number, int13Cd(number, drive, operation))
    return
  }
  if (drive == EMULATED && operation == 0x4b) {
    finish(number, emulationStatus(number))
    return
  }
  const disk = number >= 0x80
  switch (operation) {
    case 0x00:
    case 0x0d:
    case 0x11: // recalibrate
      finish(number, DISK_OK)
      return
    case 0x01:
      lastStatus(number)
      return
    case 0x02:
      finish(number, transferCHS(number, drive, BLOCK_READ))
      return
    case 0x03:
      finish(number, transferCHS(number, drive, BLOCK_WRITE))
      return
    case 0x04:
      finish(number, transferCHS(number, drive, VERIFY))
      return
    case 0x05:
      finish(number, formatTrack(drive, disk))
      return
    case 0x08:
      parameters(number, drive)
      return
    case 0x09: // drive parameters taken from the table
    case 0x10: // ready?
    case 0x14: // controller diagnostic
      finish(number, disk ? DISK_OK : DISK_PARAMETER)
      return
    case 0x0c:
      finish(number, disk ? seekCHS(drive) : DISK_PARAMETER)
      return
    case 0x15:
      driveType(number, drive)
      return
    case 0x16: // changed since the last access?
      finish(number, disk ? DISK_PARAMETER : mediumChanged(drive) ? DISK_CHANGED : DISK_OK)
      return
    case 0x17:
    case 0x18:
      setMedia(number, drive, disk)
      return
    case 0x41:
      extensionsPresent(number, disk)
      return
    case 0x42:
      finish(number, disk ? transferPacket(drive, BLOCK_READ) : DISK_PARAMETER)
      return
    case 0x43:
      finish(number, disk ? transferPacket(drive, BLOCK_WRITE) : DISK_PARAMETER)
      return
    case 0x44:
      finish(number, disk ? transferPacket(drive, VERIFY) : DISK_PARAMETER)
      return
    case 0x45: // lock, unlock, eject: fixed disks
      finish(number, disk && al() <= 2 ? unlocked() : DISK_PARAMETER)
      return
    case 0x46:
      finish(number, disk ? DISK_NOT_REMOVABLE : DISK_PARAMETER)
      return
    case 0x47:
      finish(number, disk ? seekPacket(drive) : DISK_PARAMETER)
      return
    case 0x48:
      finish(number, disk ? packetParameters(drive) : DISK_PARAMETER)
      return
    case 0x49:
      finish(number, disk ? DISK_CHANGED : DISK_PARAMETER)
      return
    case 0x4e: // set hardware configuration: DMA and prefetch off is what there is
      finish(number, disk && (al() == 1 || al() == 3 || al() == 4 || al() == 6) ? DISK_OK : DISK_PARAMETER)
      return
    default:
      finish(number, DISK_PARAMETER)
      return
  }
}

/** AH, CF and the status byte of the BIOS data area. */
export function finish(number: u32, status: u32): void {
  setBda8(number < 0x80 ? BDA_DISKETTE_STATUS : BDA_DISK_STATUS, status)
  setAh(status)
  setCarry(status != DISK_OK)
}

function lastStatus(number: u32): void {
  const at: u32 = number < 0x80 ? BDA_DISKETTE_STATUS : BDA_DISK_STATUS
  const status = bda8(at)
  setBda8(at, 0)
  setAh(status)
  setCarry(status != DISK_OK)
}

function statusOf(error: u32): u32 {
  if (error == BLOCK_ERROR_NONE) return DISK_OK
  if (error == BLOCK_ERROR_RANGE) return DISK_SECTOR_NOT_FOUND
  return error == BLOCK_ERROR_ABSENT ? DISK_TIMEOUT : DISK_CONTROLLER
}

/**
 * Moves `count` sectors between the drive and guest memory at linear `address`; INT 13h status, `moved` sectors done.
 * `operation`: BLOCK_READ, BLOCK_WRITE or VERIFY (the medium is read, memory is left alone).
 */
export function transfer(drive: u32, operation: u32, lba: u64, count: u32, address: u64): u32 {
  moved = 0
  if (!driveReady(drive)) return drive == EMULATED || isCdDrive(drive) ? DISK_NO_MEDIUM : DISK_TIMEOUT
  const sectors = driveSectors(drive)
  if (lba >= sectors || <u64>count > sectors - lba) return DISK_SECTOR_NOT_FOUND
  if (operation == BLOCK_WRITE && driveReadOnly(drive)) return DISK_WRITE_PROTECTED
  const host = hostDrive(drive)
  const from = hostSector(drive, lba)
  const buffer = BLOCK_BUFFERS + host * BLOCK_BUFFER_SIZE
  while (moved < count) {
    const part = count - moved < CHUNK ? count - moved : CHUNK
    const at = address + <u64>moved * SECTOR
    if (operation == BLOCK_WRITE) guestReadBlock(buffer, at, part * SECTOR)
    const error = blockTransfer(
      host,
      operation == VERIFY ? BLOCK_READ : operation,
      from + moved,
      part,
      buffer,
    )
    if (error != BLOCK_ERROR_NONE) return statusOf(error)
    if (operation == BLOCK_READ) guestWriteBlock(at, buffer, part * SECTOR)
    moved += part
  }
  return DISK_OK
}

/** LBA of the CHS address in CX, DH; all ones when it is outside of the geometry. */
function addressCHS(drive: u32): u64 {
  const cylinder = ch() | ((cl() & 0xc0) << 2)
  const sector = cl() & 0x3f
  const heads = geometryHeads(drive)
  const sectors = geometrySectors(drive)
  if (sector == 0 || sector > sectors || dh() >= heads || cylinder >= geometryCylinders(drive))
    return ~(<u64>0)
  return (<u64>cylinder * heads + dh()) * sectors + sector - 1
}

function transferCHS(number: u32, drive: u32, operation: u32): u32 {
  const count = al()
  if (count == 0 || count > 128) return DISK_PARAMETER
  const lba = addressCHS(drive)
  if (lba == ~(<u64>0)) return (cl() & 0x3f) == 0 ? DISK_PARAMETER : DISK_SECTOR_NOT_FOUND
  const address = linear(SEG_ES, bx())
  let status: u32 = DISK_OK
  if (number < 0x80 && drive != EMULATED) {
    // A floppy's data comes by DMA, and its line says once that the disk is another one
    if (mediumChanged(drive)) status = driveReady(drive) ? DISK_CHANGED : DISK_TIMEOUT
    else if (operation != VERIFY && (address & 0xffff) + count * SECTOR > 0x10000) status = DISK_DMA_BOUNDARY
  }
  if (status != DISK_OK) {
    setAl(0)
    return status
  }
  status = transfer(drive, operation, lba, count, address)
  setAl(moved)
  return status
}

function seekCHS(drive: u32): u32 {
  return addressCHS(drive) == ~(<u64>0) ? DISK_SECTOR_NOT_FOUND : DISK_OK
}

/** Formatting writes F6h, the fill byte of the diskette parameter table, over the track. */
function formatTrack(drive: u32, disk: bool): u32 {
  const cylinder = ch() | ((cl() & 0xc0) << 2)
  if (disk) return DISK_PARAMETER
  if (dh() >= geometryHeads(drive) || cylinder >= geometryCylinders(drive)) return DISK_SECTOR_NOT_FOUND
  if (driveReadOnly(drive)) return DISK_WRITE_PROTECTED
  const sectors = geometrySectors(drive)
  const lba = (<u64>cylinder * geometryHeads(drive) + dh()) * sectors
  if (!driveReady(drive)) return DISK_TIMEOUT
  const buffer = BLOCK_BUFFERS + drive * BLOCK_BUFFER_SIZE
  memory.fill(buffer, 0xf6, sectors * SECTOR)
  return statusOf(hostTransfer(drive, BLOCK_WRITE, lba, sectors, buffer))
}

function noFloppyParameters(): void {
  setBda8(BDA_DISKETTE_STATUS, 0)
  setAx(0)
  setBx(0)
  setCx(0)
  setDx(floppyCount())
  setSelector(SEG_ES, 0)
  setDi(0)
  setCarry(false)
}

function parameters(number: u32, drive: u32): void {
  const cylinder = geometryCylinders(drive) - 1
  setCx(((cylinder & 0xff) << 8) | ((cylinder >> 2) & 0xc0) | geometrySectors(drive))
  const disk = number >= 0x80
  setDx(((geometryHeads(drive) - 1) << 8) | (disk ? bda8(BDA_DISK_COUNT) : floppyCount()))
  if (!disk) {
    setBx(floppyType(drive))
    setSelector(SEG_ES, ROM_CODE_SEGMENT)
    setDi(ROM_DISKETTE_PARAMETERS)
  }
  finish(number, DISK_OK)
  setAl(0)
}

/** AH = 2 floppy with change line, 3 disk with CX:DX sectors. */
function driveType(number: u32, drive: u32): void {
  finish(number, DISK_OK)
  if (number < 0x80) {
    setAh(2)
    return
  }
  const sectors = driveSectors(drive)
  const shown = sectors > 0xffffffff ? 0xffffffff : <u32>sectors
  setCx(shown >> 16)
  setDx(shown & 0xffff)
  setAh(3)
}

/** Lock state after INT 13h/45h: a fixed disk is never locked. */
function unlocked(): u32 {
  setAl(0)
  return DISK_OK
}

function setMedia(number: u32, drive: u32, disk: bool): void {
  if (!disk) {
    setSelector(SEG_ES, ROM_CODE_SEGMENT)
    setDi(ROM_DISKETTE_PARAMETERS)
  }
  finish(number, disk ? DISK_PARAMETER : DISK_OK)
}

// ---------------------------------------------------------------------------------------------------------
// Extensions

/** BX 55AAh -> AA55h, AH = 30h (EDD 3.0), CX: packet access and EDD parameters. */
function extensionsPresent(number: u32, disk: bool): void {
  if (!disk || bx() != 0x55aa) {
    finish(number, DISK_PARAMETER)
    return
  }
  setBda8(BDA_DISK_STATUS, DISK_OK)
  setAh(0x30)
  setBx(0xaa55)
  setCx(0x0005)
  setCarry(false)
}

/** Disk address packet at DS:SI: size, 0, count, buffer offset, segment, LBA; with 18h bytes a 64-bit flat address. */
function transferPacket(drive: u32, operation: u32): u32 {
  const packet = linear(SEG_DS, si())
  const size = guestRead8(packet)
  if (size < 0x10) return DISK_PARAMETER
  const count = guestRead16(packet + 2)
  const far = guestRead32(packet + 4)
  const lba = guestRead64(packet + 8)
  let address = ((<u64>(far >> 16)) << 4) + (far & 0xffff)
  if (far == 0xffffffff && size >= 0x18) address = guestRead64(packet + 0x10)
  const status = transfer(drive, operation, lba, count, address)
  guestWrite16(packet + 2, moved)
  return status == DISK_SECTOR_NOT_FOUND ? DISK_PARAMETER : status
}

function seekPacket(drive: u32): u32 {
  const packet = linear(SEG_DS, si())
  if (guestRead8(packet) < 0x10) return DISK_PARAMETER
  return guestRead64(packet + 8) < driveSectors(drive) ? DISK_OK : DISK_PARAMETER
}

/** Result buffer at DS:SI (EDD 3.0, table 9): 26 bytes, 30 with the pointer to the device parameter extension. */
function packetParameters(drive: u32): u32 {
  const result = linear(SEG_DS, si())
  const room = guestRead16(result)
  if (room < 26) return DISK_PARAMETER
  const sectors = driveSectors(drive)
  const heads = geometryHeads(drive)
  const perTrack = geometrySectors(drive)
  guestWrite16(result + 2, 0x0002) // CHS valid
  guestWrite32(result + 4, <u32>(sectors / (heads * perTrack)))
  guestWrite32(result + 8, heads)
  guestWrite32(result + 12, perTrack)
  guestWrite64(result + 16, sectors)
  guestWrite16(result + 24, SECTOR)
  guestWrite16(result, packetDevice(result, room, drive))
  return DISK_OK
}

/** The ATA controller's ports as INT 13h/48h tells them (EDD 3.0, table 10), in the extended BIOS data area. */
export function deviceParameters(drive: u32): void {
  const unit = drive - 2
  const at: u64 = EBDA + EBDA_DPTE
  guestWrite16(at, unit < 2 ? 0x1f0 : 0x170)
  guestWrite16(at + 2, unit < 2 ? 0x3f6 : 0x376)
  guestWrite16(at + 4, 0xe0 | ((unit & 1) << 4)) // device register: LBA, unit
  guestWrite16(at + 6, unit < 2 ? 14 : 15) // IRQ; sector count of READ MULTIPLE: 0
  guestWrite16(at + 8, 0x0020) // DMA channel 0 is none, multiword type 2; PIO 0
  // LBA translation, DMA; a CD drive: removable, ATAPI
  guestWrite16(at + 10, isCdDrive(drive) ? 0x0070 : 0x0010)
  guestWrite16(at + 12, 0)
  let sum: u32 = 0x11
  for (let i: u32 = 0; i < 14; i++) sum += guestRead8(at + i)
  guestWrite16(at + 14, 0x11 | (((0 - sum) & 0xff) << 8))
}

/** What stands behind byte 26 of the answer, as far as there is room; the answer's length (EDD 3.0, table 9). */
export function packetDevice(result: u64, room: u32, drive: u32): u32 {
  if (room < 30 || drive == EMULATED) return 26
  deviceParameters(drive)
  guestWrite32(result + 26, (EBDA_SEGMENT << 16) | EBDA_DPTE)
  if (room < 66) return 30
  // Device path: "PCI" 00:01.1, channel; "ATA" or "ATAPI", unit
  const unit = drive - 2
  guestWrite32(result + 30, 0x0024bedd)
  guestWrite16(result + 34, 0)
  guestWrite32(result + 36, 0x20494350)
  guestWrite32(result + 40, isCdDrive(drive) ? 0x50415441 : 0x20415441)
  guestWrite32(result + 44, isCdDrive(drive) ? 0x20202049 : 0x20202020)
  guestWrite64(result + 48, 0x00000100 | (1 << 16) | ((unit >> 1) << 24))
  guestWrite64(result + 56, unit & 1)
  guestWrite8(result + 64, 0)
  let sum: u32 = 0
  for (let i: u32 = 30; i < 65; i++) sum += guestRead8(result + i)
  guestWrite8(result + 65, (0 - sum) & 0xff)
  return 66
}

/** Sector 0 of BIOS drive `number` to 0000:7C00; INT 13h status. */
export function readBootSector(number: u32): u32 {
  const drive = driveOf(number)
  if (drive == NO_DRIVE) return DISK_TIMEOUT
  mediumChanged(drive)
  const status = transfer(drive, BLOCK_READ, 0, 1, 0x7c00)
  setBda8(number < 0x80 ? BDA_DISKETTE_STATUS : BDA_DISK_STATUS, status)
  return status
}
