// Booting from a CD: the boot record in sector 17 leads to the boot catalogue, whose first entry names the image to load.
// El Torito specification 1.0, 2.0-2.4. Whatever the CD holds, the answer is a boot or a sentence that says what is wrong,
// on the screen and on COM1.
import { portWrite } from '../chipset/bus'
import { CPU_RDX, DEV_BIOS, SEG_SS } from '../layout'
import { EBDA } from './bda'
import { emulationBegin, emulationEnd, MEDIA_DISK } from './cd-emulation'
import { cdData, cdRead, CD_SECTOR, readCdRecord } from './cd-sectors'
import { driveReady } from './drives'
import { guestWrite16, guestWriteBlock, linear, setRegister32, sp } from './guest'
import { DISK_OK, DISK_PARAMETER } from './int13-disk'
import {
  BIOS_BOOT_ADDRESS,
  BIOS_EMULATION_COUNT,
  BIOS_EMULATION_NUMBER,
  BIOS_EMULATION_SEGMENT,
  BIOS_EMULATION_START,
  BOOT_FAILURE_CATALOGUE,
  BOOT_FAILURE_NONE,
  BOOT_FAILURE_READ,
} from './state-layout'
import { print } from './teletype'

const ENTRY: usize = 32
const HEADER_ID: u32 = 0x01
const BOOTABLE: u32 = 0x88
const PLATFORM_X86: u32 = 0x00
const DEFAULT_SEGMENT: u32 = 0x07c0
const SECTOR: u32 = 512
const COM1: u32 = 0x3f8

/** A line on the screen and on COM1. */
function say(text: string): void {
  print(text)
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (character == 10) portWrite(COM1, 1, 13)
    portWrite(COM1, 1, character)
  }
}

function refuse(text: string): u32 {
  say('Boot failed: ')
  say(text)
  say('\n\n')
  return BOOT_FAILURE_CATALOGUE
}

/** Loads what CD drive `drive` boots and gives it its drive number; BOOT_FAILURE_*. */
export function bootCd(drive: u32): u32 {
  emulationEnd()
  if (!driveReady(drive)) {
    say('Boot failed: there is no CD in the drive\n\n')
    return BOOT_FAILURE_READ
  }
  const catalogue = readCdRecord(drive)
  if (catalogue == 0) return refuse('this CD is not bootable (no El Torito boot record in sector 17)')
  if (cdRead(drive, catalogue, 1) != DISK_OK) return refuse('the boot catalogue of this CD cannot be read')
  const c = cdData(drive)
  if (load<u8>(c) != HEADER_ID || load<u16>(c, 30) != 0xaa55)
    return refuse('the boot catalogue of this CD is damaged (no validation entry)')
  let sum: u32 = 0
  for (let i: usize = 0; i < ENTRY; i += 2) sum += load<u16>(c + i)
  if (sum & 0xffff) return refuse('the boot catalogue of this CD is damaged (wrong checksum)')
  if (load<u8>(c, 1) != PLATFORM_X86)
    return refuse('this CD boots on other machines only, not on a PC with a BIOS')
  const entry = c + ENTRY
  if (load<u8>(entry) != BOOTABLE) return refuse('the first entry of the boot catalogue is not bootable')
  const media = <u32>load<u8>(entry, 1) & 15
  if (media > MEDIA_DISK) return refuse('the boot catalogue of this CD names an unknown media type')
  const segment = <u32>load<u16>(entry, 2)
  const count = <u32>load<u16>(entry, 6)
  const start = load<u32>(entry, 8)
  if (!emulationBegin(drive, media, start, segment, count))
    return refuse('the hard-disk image on this CD has no usable partition table')
  return loadImage(drive)
}

/** Loads the boot image of the emulation that has begun. */
function loadImage(drive: u32): u32 {
  const count = get(BIOS_EMULATION_COUNT)
  const start = get(BIOS_EMULATION_START)
  const chosen = get(BIOS_EMULATION_SEGMENT)
  const segment = chosen ? chosen : DEFAULT_SEGMENT
  const bytes = max<u32>(count, 1) * SECTOR
  if (<u64>(segment << 4) < 0x500 || (segment << 4) + bytes > <u32>EBDA) {
    emulationEnd()
    return refuse('the boot image does not fit below 640 KiB')
  }
  let at: u32 = 0
  while (at < bytes) {
    if (cdRead(drive, start + at / CD_SECTOR, 1) != DISK_OK) {
      emulationEnd()
      return refuse('the boot image lies behind the end of the CD, or cannot be read')
    }
    guestWriteBlock((segment << 4) + at, cdData(drive), min<u32>(CD_SECTOR, bytes - at))
    at += CD_SECTOR
  }
  // 07C0:0000 is 0000:7C00: there boot sectors expect to be
  store<u32>(DEV_BIOS, segment == DEFAULT_SEGMENT ? 0x7c00 : segment << 16, BIOS_BOOT_ADDRESS)
  return BOOT_FAILURE_NONE
}

function get(offset: usize): u32 {
  return load<u32>(DEV_BIOS + offset)
}

/** AH = 4Ch, after the emulation has begun: the INT returns into the boot image. INT 13h status. */
export function bootAt(drive: u32): u32 {
  if (loadImage(drive) != BOOT_FAILURE_NONE) return DISK_PARAMETER
  const address = get(BIOS_BOOT_ADDRESS)
  guestWrite16(linear(SEG_SS, sp()), address & 0xffff)
  guestWrite16(linear(SEG_SS, (sp() + 2) & 0xffff), address >> 16)
  setRegister32(CPU_RDX, get(BIOS_EMULATION_NUMBER))
  return DISK_OK
}

/** What DL is for the image that was loaded. */
export function cdBootNumber(): u32 {
  return get(BIOS_EMULATION_NUMBER)
}
