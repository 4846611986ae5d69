// The ACPI tables of the machine as it is (ACPI 6.4, 5.2): RSDP, RSDT and XSDT, FADT, MADT with every CPU, HPET, an SSDT
// with the processors; the DSDT is in the ROM (firmware/rom/dsdt.asm), the FACS in the extended BIOS data area, as it is
// written by the operating system.
import { ACPI_DISABLE, ACPI_ENABLE } from '../chipset/acpi-pm'
import { HDR_CPU_COUNT, HEADER } from '../layout'
import { physicalWrite32, physicalWrite8 } from '../memory/physical'
import { EBDA, EBDA_FACS } from './bda'
import { PM_BASE } from './pci-setup'
import { ROM_CODE_SEGMENT, ROM_DSDT } from './rom-layout'
import {
  checksum,
  patch32,
  put16,
  put32,
  put64,
  put8,
  putText,
  putZeros,
  romCell,
  tableBegin,
  tableLength,
} from './table-writer'

const DSDT: u32 = (ROM_CODE_SEGMENT << 4) + ROM_DSDT
const FACS: u32 = <u32>EBDA + EBDA_FACS
const LOCAL_APIC: u32 = 0xfee00000
const IO_APIC: u32 = 0xfec00000
const HPET: u32 = 0xfed00000

const SPACE_MEMORY: u32 = 0
const SPACE_IO: u32 = 1

let facp: u32 = 0
let apic: u32 = 0
let hpet: u32 = 0
let ssdt: u32 = 0

/** The header all tables begin with; length and checksum come with tableEnd(). */
function header(signature: string, revision: u32): u32 {
  const at = tableBegin(16)
  putText(signature, 4)
  put32(0)
  put8(revision)
  put8(0)
  putText('RNGSD', 6)
  putText('RINGSIDE', 8)
  put32(1)
  putText('RNGS', 4)
  put32(1)
  return at
}

function headerEnd(at: u32): void {
  patch32(4, tableLength())
  checksum(at, 9, tableLength())
}

/** Generic address structure (5.2.3.2): `bits` wide, accessed `access` (1 byte, 2 word, 3 double word) at a time. */
function address(space: u32, bits: u32, access: u32, at: u32): void {
  put8(space)
  put8(bits)
  put8(0)
  put8(access)
  put64(at)
}

/** FADT of ACPI 3.0 (revision 4, 244 bytes; 5.2.9). */
function fixedTable(): u32 {
  const at = header('FACP', 4)
  put32(FACS)
  put32(DSDT)
  put8(0)
  put8(1) // preferred profile: desktop
  put16(9) // SCI
  put32(0xb2) // SMI command port
  put8(ACPI_ENABLE)
  put8(ACPI_DISABLE)
  put8(0) // S4BIOS
  put8(0) // P-states
  put32(PM_BASE) // PM1a events
  put32(0)
  put32(PM_BASE + 4) // PM1a control
  put32(0)
  put32(0) // PM2 control
  put32(PM_BASE + 8) // timer
  put32(PM_BASE + 12) // GPE0
  put32(0)
  put8(4) // lengths: PM1 events, PM1 control, PM2 control, timer, GPE0, GPE1
  put8(2)
  put8(0)
  put8(4)
  put8(4)
  put8(0)
  put8(0) // GPE1 base
  put8(0) // C-state notification
  put16(0x0fff) // C2 and C3: latencies that say there is none
  put16(0x0fff)
  put16(0) // flush size and stride: WBINVD works
  put16(0)
  put8(0) // duty cycle
  put8(0)
  put8(0) // RTC day and month alarm: none
  put8(0)
  put8(0x32) // RTC century
  put16(0x0003) // there are ISA devices and an 8042
  put8(0)
  // WBINVD, C1, no fixed sleep button, reset register
  put32(0x00000425)
  address(SPACE_IO, 8, 1, 0xcf9)
  put8(0x06)
  put16(0)
  put8(0)
  put64(FACS)
  put64(DSDT)
  address(SPACE_IO, 32, 2, PM_BASE)
  address(SPACE_IO, 0, 0, 0)
  address(SPACE_IO, 16, 2, PM_BASE + 4)
  address(SPACE_IO, 0, 0, 0)
  address(SPACE_IO, 0, 0, 0)
  address(SPACE_IO, 32, 3, PM_BASE + 8)
  address(SPACE_IO, 32, 1, PM_BASE + 12)
  address(SPACE_IO, 0, 0, 0)
  headerEnd(at)
  return at
}

/** An IRQ whose input or sense is not that of an ISA interrupt (5.2.12.5): polarity 1 high, trigger 3 level. */
function sourceOverride(irq: u32, input: u32, flags: u32): void {
  put8(2)
  put8(10)
  put8(0)
  put8(irq)
  put32(input)
  put16(flags)
}

function apicTable(): u32 {
  const at = header('APIC', 3)
  put32(LOCAL_APIC)
  put32(1) // there are two 8259A as well
  const count = load<u32>(HEADER, HDR_CPU_COUNT)
  for (let index: u32 = 0; index < count; index++) {
    put8(0)
    put8(8)
    put8(index) // processor UID
    put8(index) // APIC ID
    put32(1) // enabled
  }
  put8(1)
  put8(12)
  put8(0) // I/O APIC ID, as the chip has it after reset
  put8(0)
  put32(IO_APIC)
  put32(0)
  sourceOverride(0, 2, 0)
  sourceOverride(9, 9, 0x000d) // the SCI
  sourceOverride(10, 10, 0x000d) // where the firmware routes the PIRQs
  sourceOverride(11, 11, 0x000d)
  put8(4) // LINT1 of every CPU is NMI
  put8(6)
  put8(0xff)
  put16(0)
  put8(1)
  headerEnd(at)
  return at
}

/** IA-PC HPET 1.0a, 3.2.4. */
function hpetTable(): u32 {
  const at = header('HPET', 1)
  put32(0x8086a201)
  address(SPACE_MEMORY, 64, 0, HPET)
  put8(0)
  put16(0x80) // least ticks between two periodic interrupts
  put8(0)
  headerEnd(at)
  return at
}

/** Scope (\_SB) with a processor device for each CPU (8.4): _HID ACPI0007, _UID as in the MADT. */
function processorTable(): u32 {
  const at = header('SSDT', 2)
  const count = load<u32>(HEADER, HDR_CPU_COUNT)
  // Device: 5B 82 length name, _HID string of 10 bytes with its Name, _UID byte with its Name
  const device: u32 = 1 + 4 + 15 + 7
  const scope: u32 = 2 + 5 + count * (2 + device)
  put8(0x10)
  put8(0x40 | (scope & 15))
  put8(scope >> 4)
  put8(0x5c)
  putText('_SB_', 4)
  for (let index: u32 = 0; index < count; index++) {
    put8(0x5b)
    put8(0x82)
    put8(device)
    putText('CP', 2)
    put8(0x30 + index / 10)
    put8(0x30 + (index % 10))
    put8(0x08)
    putText('_HID', 4)
    put8(0x0d)
    putText('ACPI0007', 8)
    put8(0)
    put8(0x08)
    putText('_UID', 4)
    put8(0x0a)
    put8(index)
  }
  headerEnd(at)
  return at
}

/** XSDT with addresses of 8 bytes, RSDT of 4 (5.2.7, 5.2.8). */
function rootTable(extended: bool): u32 {
  const at = header(extended ? 'XSDT' : 'RSDT', 1)
  for (let i: u32 = 0; i < 4; i++) {
    const table: u32 = i == 0 ? facp : i == 1 ? apic : i == 2 ? hpet : ssdt
    if (extended) put64(table)
    else put32(table)
  }
  headerEnd(at)
  return at
}

/** FACS version 1 (5.2.10): no waking vector, the global lock is free. */
function writeFacs(): void {
  for (let i: u32 = 0; i < 64; i += 4) physicalWrite32(FACS + i, 0)
  physicalWrite32(FACS, 0x53434146) // FACS
  physicalWrite32(FACS + 4, 64)
  physicalWrite8(FACS + 32, 1)
}

export function acpiTables(): void {
  writeFacs()
  const root = tableBegin(16)
  putText('RSD PTR', 8)
  put8(0)
  putText('RNGSD', 6)
  put8(2)
  putZeros(20)
  facp = fixedTable()
  apic = apicTable()
  hpet = hpetTable()
  ssdt = processorTable()
  const rsdt = rootTable(false)
  const xsdt = rootTable(true)
  store<u32>(romCell(root), rsdt, 16)
  store<u32>(romCell(root), 36, 20)
  store<u64>(romCell(root), xsdt, 24)
  checksum(root, 8, 20)
  checksum(root, 32, 36)
}
