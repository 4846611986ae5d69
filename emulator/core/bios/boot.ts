// The search for a boot sector (INT 19h; the loop around it is in the ROM's boot.asm).
import {
  BOOT_CDROM,
  BOOT_DISK,
  BOOT_FLOPPY,
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
  HDR_BOOT_ORDER,
  HDR_DIRECT_BOOT,
  HEADER,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  STOP_RESET,
} from '../layout'
import { climbBefore, milestoneAt } from '../machine/climb'
import { machineStop } from '../machine/stop'
import { physicalRead16, physicalWrite32 } from '../memory/physical'
import { emulationEnd } from './cd-emulation'
import { CD_NUMBER, cdCount, diskCount, driveOf, driveReady, floppyCount, NO_DRIVE } from './drives'
import { bootCd, cdBootNumber } from './el-torito'
import { setCarry, setRegister32, setSelector, setZero } from './guest'
import { DISK_OK, readBootSector } from './int13-disk'
import {
  BIOS_BOOT_ADDRESS,
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

/** Floppies, disks, CDs. */
const USUAL_ORDER: u32 = BOOT_FLOPPY | (BOOT_DISK << 8) | (BOOT_CDROM << 16)

/**
 * BIOS drive number at place `place` of the boot order: HDR_BOOT_DRIVE if there is one, then the drives of each kind in the
 * order of HDR_BOOT_ORDER. CD drives without a CD are passed over. NONE: end.
 */
function bootOrder(place: u32): u32 {
  const first = load<u32>(HEADER, HDR_BOOT_DRIVE)
  let left = place
  if (first != 0xff && driveOf(first) != NO_DRIVE) {
    if (left == 0) return first
    left--
  }
  const chosen = load<u32>(HEADER, HDR_BOOT_ORDER)
  for (let order = chosen ? chosen : USUAL_ORDER; order; order >>= 8) {
    const kind = order & 0xff
    const count = kind == BOOT_FLOPPY ? floppyCount() : kind == BOOT_DISK ? diskCount() : cdCount()
    const base = kind == BOOT_FLOPPY ? 0 : kind == BOOT_DISK ? <u32>0x80 : CD_NUMBER
    for (let i: u32 = 0; i < count; i++) {
      const number = base + i
      const drive = driveOf(number)
      if (number == first || drive == NO_DRIVE || (kind == BOOT_CDROM && !driveReady(drive))) continue
      if (left == 0) return number
      left--
    }
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
  store<u32>(DEV_BIOS, 0x7c00, BIOS_BOOT_ADDRESS)
  if (load<u32>(HEADER, HDR_DIRECT_BOOT) != DIRECT_BOOT_NONE) {
    directBoot()
    return
  }
  emulationEnd() // a CD that was tried before gives its drive number back
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
  if (number >= CD_NUMBER) {
    print('Booting from CD-ROM...\n')
    const failed = bootCd(driveOf(number))
    if (failed == BOOT_FAILURE_NONE) store<u32>(DEV_BIOS, cdBootNumber(), BIOS_BOOT_DRIVE)
    store<u32>(DEV_BIOS, failed, BIOS_BOOT_FAILURE)
    setZero(failed == BOOT_FAILURE_NONE)
    return
  }
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

/**
 * Registers as the boot sector finds them: DL the drive, AX AA55h, everything else zero, SP 7C00h once the ROM's RETF has
 * taken the address from the stack.
 */
export function bootStart(): void {
  climbBefore(CLIMB_BOOT_SECTOR)
  const address = load<u32>(DEV_BIOS, BIOS_BOOT_ADDRESS)
  physicalWrite32(0x7bfc, address)
  const number = load<u32>(DEV_BIOS, BIOS_BOOT_DRIVE)
  setRegister32(CPU_RAX, 0xaa55)
  setRegister32(CPU_RBX, 0)
  setRegister32(CPU_RCX, 0)
  setRegister32(CPU_RDX, number)
  setRegister32(CPU_RSP, 0x7bfc)
  setRegister32(CPU_RBP, 0)
  setRegister32(CPU_RSI, 0)
  setRegister32(CPU_RDI, 0)
  setSelector(SEG_DS, 0)
  setSelector(SEG_ES, 0)
  setSelector(SEG_FS, 0)
  setSelector(SEG_GS, 0)
  store<u32>(DEV_BIOS, BOOT_STATUS_STARTED, BIOS_BOOT_STATUS)
  milestoneAt(CLIMB_BOOT_SECTOR, ((address >> 16) << 4) + (address & 0xffff))
}

export function bootAgain(): void {
  store<u32>(DEV_BIOS, 0, BIOS_BOOT_NEXT)
}
