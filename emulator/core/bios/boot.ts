// The search for a boot sector (INT 19h; the loop around it is in the ROM's boot.asm).
import {
  CLIMB_BOOT_SECTOR,
  CPU_RAX,
  CPU_RBP,
  CPU_RBX,
  CPU_RCX,
  CPU_RDI,
  CPU_RDX,
  CPU_RSI,
  CPU_RSP,
  DEV_BIOS,
  DIRECT_BOOT_DONE,
  DIRECT_BOOT_NONE,
  DIRECT_BOOT_READY,
  HDR_BOOT_DRIVE,
  HDR_DIRECT_BOOT,
  HEADER,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  STOP_RESET,
} from '../layout'
import { milestoneAt } from '../machine/events'
import { machineStop } from '../machine/stop'
import { physicalRead16 } from '../memory/physical'
import { diskCount, driveOf, floppyCount, NO_DRIVE } from './drives'
import { setCarry, setRegister32, setSelector, setZero } from './guest'
import { DISK_OK, readBootSector } from './int13-disk'
import {
  BIOS_BOOT_DRIVE,
  BIOS_BOOT_FAILURE,
  BIOS_BOOT_NEXT,
  BIOS_BOOT_STATUS,
  BOOT_FAILURE_NONE,
  BOOT_FAILURE_READ,
  BOOT_FAILURE_SIGNATURE,
  BOOT_STATUS_NO_DEVICE,
  BOOT_STATUS_STARTED,
  BOOT_STATUS_TRYING,
} from './state-layout'
import { print } from './teletype'

const NONE: u32 = 0xffffffff

/** BIOS drive number at place `place` of the boot order: HDR_BOOT_DRIVE first, then floppies, then disks. NONE: end. */
function bootOrder(place: u32): u32 {
  const first = load<u32>(HEADER, HDR_BOOT_DRIVE)
  let left = place
  if (first != 0xff && driveOf(first) != NO_DRIVE) {
    if (left == 0) return first
    left--
  }
  const disks = diskCount()
  const floppies = floppyCount()
  for (let i: u32 = 0; i < floppies + disks; i++) {
    const number = i < floppies ? i : 0x80 + i - floppies
    if (number == first || driveOf(number) == NO_DRIVE) continue
    if (left == 0) return number
    left--
  }
  return NONE
}

/**
 * Tries the next device: ZF its boot sector lies at 0000:7C00; CF no device is left. A device without 55h AAh at the
 * end of sector 0 is passed over, floppies too: they need it in SeaBIOS and in everything younger than the PC AT.
 */
export function bootTry(): void {
  setZero(false)
  setCarry(false)
  if (load<u32>(HEADER, HDR_DIRECT_BOOT) != DIRECT_BOOT_NONE) {
    directBoot()
    return
  }
  const place = load<u32>(DEV_BIOS, BIOS_BOOT_NEXT)
  store<u32>(DEV_BIOS, place + 1, BIOS_BOOT_NEXT)
  const number = bootOrder(place)
  if (number == NONE) {
    store<u32>(DEV_BIOS, BOOT_STATUS_NO_DEVICE, BIOS_BOOT_STATUS)
    print('No bootable device. Press a key to try again.\n')
    setCarry(true)
    return
  }
  store<u32>(DEV_BIOS, BOOT_STATUS_TRYING, BIOS_BOOT_STATUS)
  store<u32>(DEV_BIOS, number, BIOS_BOOT_DRIVE)
  print(number < 0x80 ? 'Booting from Floppy...\n' : 'Booting from Hard Disk...\n')
  let failure: u32 = BOOT_FAILURE_NONE
  if (readBootSector(number) != DISK_OK) {
    failure = BOOT_FAILURE_READ
    print('Boot failed: could not read the boot disk\n\n')
  } else if (physicalRead16(0x7dfe) != 0xaa55) {
    failure = BOOT_FAILURE_SIGNATURE
    print('Boot failed: not a bootable disk\n\n')
  }
  store<u32>(DEV_BIOS, failure, BIOS_BOOT_FAILURE)
  setZero(failure == BOOT_FAILURE_NONE)
}

/** The kernel in memory instead of a device. After a reset the host puts it there again. */
function directBoot(): void {
  if (load<u32>(HEADER, HDR_DIRECT_BOOT) != DIRECT_BOOT_READY) {
    machineStop(STOP_RESET, 0)
    return
  }
  store<u32>(HEADER, DIRECT_BOOT_DONE, HDR_DIRECT_BOOT)
  store<u32>(DEV_BIOS, BOOT_STATUS_TRYING, BIOS_BOOT_STATUS)
  store<u32>(DEV_BIOS, 0x80, BIOS_BOOT_DRIVE)
  store<u32>(DEV_BIOS, BOOT_FAILURE_NONE, BIOS_BOOT_FAILURE)
  print('Booting from the host...\n')
  setZero(true)
}

/** Registers as the boot sector finds them: DL the drive, AX AA55h, everything else zero; the ROM set SS:SP. */
export function bootStart(): void {
  const number = load<u32>(DEV_BIOS, BIOS_BOOT_DRIVE)
  setRegister32(CPU_RAX, 0xaa55)
  setRegister32(CPU_RBX, 0)
  setRegister32(CPU_RCX, 0)
  setRegister32(CPU_RDX, number)
  setRegister32(CPU_RSP, 0x7c00)
  setRegister32(CPU_RBP, 0)
  setRegister32(CPU_RSI, 0)
  setRegister32(CPU_RDI, 0)
  setSelector(SEG_DS, 0)
  setSelector(SEG_ES, 0)
  setSelector(SEG_FS, 0)
  setSelector(SEG_GS, 0)
  store<u32>(DEV_BIOS, BOOT_STATUS_STARTED, BIOS_BOOT_STATUS)
  milestoneAt(CLIMB_BOOT_SECTOR, 0x7c00)
}

export function bootAgain(): void {
  store<u32>(DEV_BIOS, 0, BIOS_BOOT_NEXT)
}
