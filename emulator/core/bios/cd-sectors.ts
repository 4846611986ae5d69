// A CD's sectors of 2048 bytes, into guest memory or into the drive's transfer buffer, where the firmware looks at them.
import { BLOCK_BUFFER_SIZE, BLOCK_BUFFERS, BLOCK_ERROR_NONE, BLOCK_READ } from '../layout'
import { blockTransfer } from '../machine/block'
import { driveReady, driveSectors } from './drives'
import { guestWriteBlock } from './guest'
import { DISK_CONTROLLER, DISK_NO_MEDIUM, DISK_OK, DISK_SECTOR_NOT_FOUND, VERIFY } from './int13-disk'

export const CD_SECTOR: u32 = 2048
const HOST_SECTORS: u32 = 4
const CHUNK: u32 = BLOCK_BUFFER_SIZE / CD_SECTOR
const BOOT_RECORD: u32 = 17

/** Sectors moved by the last cdTransfer. */
export let cdMoved: u32 = 0

/** Where cdRead has put what it read. */
export function cdData(drive: u32): usize {
  return BLOCK_BUFFERS + drive * BLOCK_BUFFER_SIZE
}

/** Reads up to 64 sectors to cdData(); INT 13h status. */
export function cdRead(drive: u32, lba: u32, count: u32): u32 {
  if (!driveReady(drive)) return DISK_NO_MEDIUM
  const sectors = driveSectors(drive) / HOST_SECTORS
  if (lba >= sectors || count > sectors - lba) return DISK_SECTOR_NOT_FOUND
  const error = blockTransfer(drive, BLOCK_READ, <u64>lba * HOST_SECTORS, count * HOST_SECTORS, cdData(drive))
  return error == BLOCK_ERROR_NONE ? DISK_OK : driveReady(drive) ? DISK_CONTROLLER : DISK_NO_MEDIUM
}

/** Moves `count` sectors to guest memory at linear `address`; with VERIFY they are only read. */
export function cdTransfer(drive: u32, operation: u32, lba: u64, count: u32, address: u64): u32 {
  cdMoved = 0
  if (!driveReady(drive)) return DISK_NO_MEDIUM
  const sectors = driveSectors(drive) / HOST_SECTORS
  if (lba >= sectors || count > sectors - lba) return DISK_SECTOR_NOT_FOUND
  while (cdMoved < count) {
    const part = min<u32>(count - cdMoved, CHUNK)
    const status = cdRead(drive, <u32>lba + cdMoved, part)
    if (status != DISK_OK) return status
    if (operation != VERIFY)
      guestWriteBlock(address + <u64>cdMoved * CD_SECTOR, cdData(drive), part * CD_SECTOR)
    cdMoved += part
  }
  return DISK_OK
}

const EL_TORITO = memory.data<u8>([
  0x00, 0x43, 0x44, 0x30, 0x30, 0x31, 0x01, 0x45, 0x4c, 0x20, 0x54, 0x4f, 0x52, 0x49, 0x54, 0x4f, 0x20, 0x53,
  0x50, 0x45, 0x43, 0x49, 0x46, 0x49, 0x43, 0x41, 0x54, 0x49, 0x4f, 0x4e,
]) // 00h "CD001" 01h "EL TORITO SPECIFICATION"
const EL_TORITO_LENGTH: u32 = 30

/** First sector of the boot catalogue by the boot record in sector 17; 0 when there is no boot record. */
export function readCdRecord(drive: u32): u32 {
  if (cdRead(drive, BOOT_RECORD, 1) != DISK_OK) return 0
  const record = cdData(drive)
  for (let i: u32 = 0; i < EL_TORITO_LENGTH; i++)
    if (load<u8>(record + i) != load<u8>(EL_TORITO + i)) return 0
  return load<u32>(record, 0x47)
}
