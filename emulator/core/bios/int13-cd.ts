// INT 13h for CD drives, E0h and up: the extended functions with sectors of 2048 bytes (EDD 3.0), and those of the El
// Torito specification 1.0.
import { BLOCK_READ, DRIVE_LOCKED, DRIVE_MEDIUM, DRIVE_SIZE, DRIVE_TRAY, DRIVES, SEG_DS } from '../layout'
import { emulationCatalogue, emulationInitiate, emulationStatus } from './cd-emulation'
import { CD_SECTOR, cdMoved, cdTransfer } from './cd-sectors'
import { driveReady, driveSectors, mediumChanged } from './drives'
import {
  al,
  bx,
  guestRead16,
  guestRead32,
  guestRead64,
  guestRead8,
  guestWrite16,
  guestWrite32,
  guestWrite64,
  linear,
  setAl,
  setBx,
  setCx,
  si,
} from './guest'
import { bootAt } from './el-torito'
import {
  DISK_CHANGED,
  DISK_LOCKED,
  DISK_NO_MEDIUM,
  DISK_OK,
  DISK_PARAMETER,
  DISK_SECTOR_NOT_FOUND,
  DISK_WRITE_PROTECTED,
  packetDevice,
  VERIFY,
} from './int13-disk'

const CD_NOT_LOCKED: u32 = 0xb0

/** Executes the function for CD drive `drive`; what AH becomes. */
export function int13Cd(number: u32, drive: u32, operation: u32): u32 {
  switch (operation) {
    case 0x00:
    case 0x0d:
    case 0x11:
    case 0x14:
      return DISK_OK
    case 0x10:
      return driveReady(drive) ? DISK_OK : DISK_NO_MEDIUM
    case 0x03:
    case 0x43:
      return DISK_WRITE_PROTECTED
    case 0x42:
      return transferPacket(drive, BLOCK_READ)
    case 0x44:
      return transferPacket(drive, VERIFY)
    case 0x45:
      return lock(drive)
    case 0x46:
      return eject(drive)
    case 0x47:
      return seek(drive)
    case 0x48:
      return parameters(drive)
    case 0x49:
      return mediumChanged(drive) ? DISK_CHANGED : DISK_OK
    case 0x4a:
      return emulationInitiate(drive)
    case 0x4b:
      return emulationStatus(number)
    case 0x4c: {
      const status = emulationInitiate(drive)
      return status == DISK_OK ? bootAt(drive) : status
    }
    case 0x4d:
      return emulationCatalogue(drive)
    case 0x4e: // set hardware configuration: DMA and prefetch are not the firmware's to choose
      return al() == 1 || al() == 3 || al() == 4 || al() == 6 ? DISK_OK : DISK_PARAMETER
    default:
      return DISK_PARAMETER // there are no cylinders, heads and sectors
  }
}

/** AH = 41h: BX 55AAh -> AA55h; CX: packet access, removable drives, EDD parameters. False: not asked rightly. */
export function cdExtensions(): bool {
  if (bx() != 0x55aa) return false
  setBx(0xaa55)
  setCx(0x0007)
  return true
}

/** The disk address packet at DS:SI; a sector has 2048 bytes. */
function transferPacket(drive: u32, operation: u32): u32 {
  const packet = linear(SEG_DS, si())
  const size = guestRead8(packet)
  if (size < 0x10) return DISK_PARAMETER
  const far = guestRead32(packet + 4)
  let address = ((<u64>(far >> 16)) << 4) + (far & 0xffff)
  if (far == 0xffffffff && size >= 0x18) address = guestRead64(packet + 0x10)
  const status = cdTransfer(drive, operation, guestRead64(packet + 8), guestRead16(packet + 2), address)
  guestWrite16(packet + 2, cdMoved)
  return status == DISK_SECTOR_NOT_FOUND ? DISK_PARAMETER : status
}

/** AL = 0 locks, 1 unlocks, 2 asks; AL tells the state. */
function lock(drive: u32): u32 {
  const entry = DRIVES + drive * DRIVE_SIZE
  if (al() > 2) return DISK_PARAMETER
  if (al() == 1 && !load<u32>(entry, DRIVE_LOCKED)) return CD_NOT_LOCKED
  if (al() < 2) store<u32>(entry, al() == 0 ? 1 : 0, DRIVE_LOCKED)
  setAl(load<u32>(entry, DRIVE_LOCKED))
  return DISK_OK
}

function eject(drive: u32): u32 {
  const entry = DRIVES + drive * DRIVE_SIZE
  if (load<u32>(entry, DRIVE_LOCKED)) return DISK_LOCKED
  if (!load<u32>(entry, DRIVE_MEDIUM)) return DISK_NO_MEDIUM
  store<u32>(entry, 1, DRIVE_TRAY)
  return DISK_OK
}

function seek(drive: u32): u32 {
  const packet = linear(SEG_DS, si())
  if (guestRead8(packet) < 0x10) return DISK_PARAMETER
  if (!driveReady(drive)) return DISK_NO_MEDIUM
  return guestRead64(packet + 8) < driveSectors(drive) / 4 ? DISK_OK : DISK_PARAMETER
}

/** Result buffer at DS:SI (EDD 3.0, table 9): removable, change line, lockable; no geometry. */
function parameters(drive: u32): u32 {
  const result = linear(SEG_DS, si())
  const room = guestRead16(result)
  if (room < 26) return DISK_PARAMETER
  const ready = driveReady(drive)
  guestWrite16(result + 2, ready ? 0x0034 : 0x0074)
  guestWrite32(result + 4, 0xffffffff)
  guestWrite32(result + 8, 0xffffffff)
  guestWrite32(result + 12, 0xffffffff)
  guestWrite64(result + 16, ready ? driveSectors(drive) / 4 : u64.MAX_VALUE)
  guestWrite16(result + 24, CD_SECTOR)
  guestWrite16(result, packetDevice(result, room, drive))
  return DISK_OK
}
