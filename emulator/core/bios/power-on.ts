// What power-on writes into memory: interrupt vectors, BIOS data area, extended BIOS data area.
import { atapiProbed } from '../chipset/atapi'
import { portRead, portWrite } from '../chipset/bus'
import { DEV_BIOS, DRIVE_COUNT, HDR_CPU_COUNT, HDR_RAM_SIZE, HEADER } from '../layout'
import {
  physicalRead16,
  physicalRead32,
  physicalWrite16,
  physicalWrite32,
  physicalWrite8,
} from '../memory/physical'
import {
  BDA_COM,
  BDA_COM_TIMEOUT,
  BDA_DISK_COUNT,
  BDA_EBDA,
  BDA_EQUIPMENT,
  BDA_KEY_BUFFER,
  BDA_KEY_BUFFER_END,
  BDA_KEY_END,
  BDA_KEY_HEAD,
  BDA_KEY_MODE,
  BDA_KEY_START,
  BDA_KEY_TAIL,
  BDA_LPT_TIMEOUT,
  BDA_MEMORY,
  BDA_RESET,
  BDA_TICKS,
  EBDA,
  EBDA_DISK_PARAMETERS,
  EBDA_FACS,
  EBDA_SEGMENT,
  EBDA_SIZE,
} from './bda'
import {
  diskCount,
  driveOf,
  floppyCount,
  geometryCylinders,
  geometryHeads,
  geometrySectors,
  mediumChanged,
} from './drives'
import { setBda16, setBda32, setBda8, bda16 } from './guest'
import { clockTicks } from './int1a-time'
import { acpiTables } from './acpi-tables'
import { memoryTypes } from './memory-types'
import { mpTable } from './mp-table'
import { pciSetUp } from './pci-setup'
import {
  ROM_CODE_SEGMENT,
  ROM_FONT_8X8,
  ROM_FONT_SEGMENT,
  ROM_IRET,
  ROM_VECTORS_LOW,
  ROM_WAKING_OFFSET,
  ROM_WAKING_SEGMENT,
} from './rom-layout'
import { smbios } from './smbios'
import { vbeForget } from './vbe'
import { setMode } from './video-modes'
import { tablesBegin } from './table-writer'
import { print, printDecimal } from './teletype'

const FACS_SIGNATURE: u32 = 0x53434146
const FACS_WAKING_VECTOR: u64 = 12

/** Vectors and BIOS data area; and where DEV_BIOS has room for a copy of them. */
const LOW_MEMORY: u32 = 0x500
const SCRATCH: usize = 0x800

const ROM_CODE: u64 = ROM_CODE_SEGMENT << 4

function setVector(vector: u32, segment: u32, offset: u32): void {
  physicalWrite32(vector * 4, (segment << 16) | offset)
}

function romWord(offset: u32): u32 {
  return physicalRead16(ROM_CODE + offset)
}

function setUpVectors(): void {
  // An INT that nobody serves comes back, as with SeaBIOS; small programs call what is not there (INT 21h, 33h, 80h).
  for (let vector: u32 = 0; vector < 0x100; vector++) setVector(vector, ROM_CODE_SEGMENT, ROM_IRET)
  // 60h-66h belong to programs: zero, as those expect that look for a free one.
  for (let vector: u32 = 0x60; vector < 0x67; vector++) setVector(vector, 0, 0)
  for (let i: u32 = 0; i < 32; i++) setVector(i, ROM_CODE_SEGMENT, romWord(ROM_VECTORS_LOW + i * 2))
  for (let i: u32 = 0; i < 8; i++)
    setVector(0x70 + i, ROM_CODE_SEGMENT, romWord(ROM_VECTORS_LOW + 64 + i * 2))
  setVector(0x1f, ROM_FONT_SEGMENT, ROM_FONT_8X8 + 1024)
  setVector(0x40, ROM_CODE_SEGMENT, romWord(ROM_VECTORS_LOW + 0x13 * 2)) // INT 13h for floppies
  setVector(0x42, ROM_CODE_SEGMENT, romWord(ROM_VECTORS_LOW + 0x10 * 2)) // INT 10h before the VGA took it
  setVector(0x43, ROM_FONT_SEGMENT, ROM_FONT_8X8)
}

/** Fixed disk parameter table (INT 41h, 46h), 16 bytes (PC AT Technical Reference, "Fixed disk"). */
function diskTable(number: u32, at: u32): void {
  const drive = driveOf(number)
  const table: u64 = EBDA + at
  const heads = geometryHeads(drive)
  physicalWrite16(table, <u16>geometryCylinders(drive))
  physicalWrite8(table + 2, <u8>heads)
  physicalWrite16(table + 5, 0xffff) // no write precompensation
  physicalWrite8(table + 8, heads > 8 ? 0x08 : 0)
  physicalWrite16(table + 12, <u16>geometryCylinders(drive)) // landing zone
  physicalWrite8(table + 14, <u8>geometrySectors(drive))
}

/** Port bases of the UARTs that are there: their scratch register keeps what is written. Answers how many. */
function findSerialPorts(): u32 {
  let found: u32 = 0
  for (let i: u32 = 0; i < 4; i++) {
    const base: u32 = i == 0 ? 0x3f8 : i == 1 ? 0x2f8 : i == 2 ? 0x3e8 : 0x2e8
    portWrite(base + 7, 1, 0x5a)
    if (portRead(base + 7, 1) != 0x5a) continue
    portWrite(base + 7, 1, 0)
    setBda16(BDA_COM + found * 2, base)
    found++
  }
  return found
}

/**
 * Back from S3 (ACPI 6.4, 16.3.2): what the firmware alone can restore, and nothing in memory but what is its own. The
 * waking vector of the FACS as a far pointer. False when there is none.
 */
export function resume(): bool {
  const facs: u64 = EBDA + EBDA_FACS
  const vector = physicalRead32(facs + FACS_WAKING_VECTOR)
  if (physicalRead32(facs) != FACS_SIGNATURE || vector == 0 || vector >= 0x100000) return false
  pciSetUp()
  memoryTypes()
  screenAgain()
  const place: u64 = (ROM_WAKING_SEGMENT << 4) + ROM_WAKING_OFFSET
  physicalWrite16(place, <u16>(vector & 15))
  physicalWrite16(place + 2, <u16>(vector >> 4))
  return true
}

/**
 * The VGA has lost all it was told; a system that has no driver for it shall not stay in the dark. The variables and vectors
 * that go with a mode lie in memory that is the system's now: they stay what they were.
 */
function screenAgain(): void {
  const kept = <usize>DEV_BIOS + SCRATCH
  for (let at: u32 = 0; at < LOW_MEMORY; at += 4) store<u32>(kept + at, physicalRead32(at))
  setMode(0x03)
  vbeForget()
  for (let at: u32 = 0; at < LOW_MEMORY; at += 4) physicalWrite32(at, load<u32>(kept + at))
  memory.fill(kept, 0, LOW_MEMORY)
}

export function setUpTables(): void {
  const reset = bda16(BDA_RESET) // 1234h: a warm start
  for (let at: u32 = 0; at < 0x100; at += 4) setBda32(at, 0)
  setBda16(BDA_RESET, reset)
  for (let at: u32 = 0; at < (EBDA_SIZE as u32); at += 4) physicalWrite32(EBDA + at, 0)
  memory.fill(DEV_BIOS, 0, 0x100)
  physicalWrite8(0x500, 0) // INT 05h: no screen print in progress
  setUpVectors()
  pciSetUp()
  memoryTypes()
  tablesBegin()
  acpiTables()
  mpTable()
  smbios()

  physicalWrite8(EBDA, (EBDA_SIZE >> 10) as u8)
  setBda16(BDA_EBDA, EBDA_SEGMENT)
  const kib = load<u32>(HEADER, HDR_RAM_SIZE) >> 10
  setBda16(BDA_MEMORY, kib < 640 ? kib - 1 : 639)

  for (let drive: u32 = 0; drive < (DRIVE_COUNT as u32); drive++) mediumChanged(drive)
  atapiProbed()
  const floppies = floppyCount()
  const ports = findSerialPorts()
  // Equipment: bit 0 floppies, 1 coprocessor, 2 pointing device, 5:4 video 80x25 colour, 7:6 floppies - 1, 11:9 ports.
  let equipment: u32 = 0x0026 | (ports << 9)
  if (floppies > 0) equipment |= 1 | ((floppies - 1) << 6)
  setBda16(BDA_EQUIPMENT, equipment)
  for (let i: u32 = 0; i < 4; i++) {
    setBda8(BDA_LPT_TIMEOUT + i, 20)
    setBda8(BDA_COM_TIMEOUT + i, 1)
  }

  setBda16(BDA_KEY_START, BDA_KEY_BUFFER)
  setBda16(BDA_KEY_END, BDA_KEY_BUFFER_END)
  setBda16(BDA_KEY_HEAD, BDA_KEY_BUFFER)
  setBda16(BDA_KEY_TAIL, BDA_KEY_BUFFER)
  setBda8(BDA_KEY_MODE, 0x10)

  setBda32(BDA_TICKS, clockTicks())
  const disks = diskCount()
  setBda8(BDA_DISK_COUNT, disks)
  if (disks > 0) {
    diskTable(0x80, EBDA_DISK_PARAMETERS)
    setVector(0x41, EBDA_SEGMENT, EBDA_DISK_PARAMETERS)
  }
  if (disks > 1) {
    diskTable(0x81, EBDA_DISK_PARAMETERS + 16)
    setVector(0x46, EBDA_SEGMENT, EBDA_DISK_PARAMETERS + 16)
  }
}

/** The first thing on the screen. */
export function banner(): void {
  print('Ringside BIOS\n')
  const mib = load<u32>(HEADER, HDR_RAM_SIZE) >> 20
  if (mib > 0) {
    printDecimal(mib)
    print(' MiB')
  } else {
    printDecimal(bda16(BDA_MEMORY) + 1)
    print(' KiB')
  }
  print(' of memory, ')
  const processors = load<u32>(HEADER, HDR_CPU_COUNT)
  printDecimal(processors)
  print(processors == 1 ? ' processor\n\n' : ' processors\n\n')
}
