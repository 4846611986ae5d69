// The tables of the MultiProcessor Specification 1.4: floating pointer and configuration table. They list every CPU, which
// kernels of the older kind believe before ACPI.
import { CPU_SIGNATURE } from '../cpu/cpuid'
import { HDR_CPU_COUNT, HEADER } from '../layout'
import {
  checksum,
  patch16,
  put16,
  put32,
  put8,
  putText,
  putZeros,
  tableBegin,
  tableLength,
} from './table-writer'

const LOCAL_APIC: u32 = 0xfee00000
const IO_APIC: u32 = 0xfec00000
const BUS_PCI: u32 = 0
const BUS_ISA: u32 = 1
/** FPU, CX8, APIC of CPUID's feature bits, as the table wants them. */
const FEATURES: u32 = 0x078bfbff

const PROCESSOR: u32 = 0
const BUS: u32 = 1
const IO_APIC_ENTRY: u32 = 2
const IO_INTERRUPT: u32 = 3
const LOCAL_INTERRUPT: u32 = 4

const INT: u32 = 0
const NMI: u32 = 1
const EXTINT: u32 = 3
/** Polarity and trigger: as the bus has them; active high and level; active low and level. */
const CONFORMS: u32 = 0
const HIGH_LEVEL: u32 = 0x0d
const LOW_LEVEL: u32 = 0x0f

let entries: u32 = 0

function interrupt(kind: u32, type: u32, flags: u32, bus: u32, irq: u32, apic: u32, input: u32): void {
  put8(kind)
  put8(type)
  put16(flags)
  put8(bus)
  put8(irq)
  put8(apic)
  put8(input)
  entries++
}

function bus(id: u32, name: string): void {
  put8(BUS)
  put8(id)
  putText(name, 6)
  entries++
}

function processors(): void {
  const count = load<u32>(HEADER, HDR_CPU_COUNT)
  for (let index: u32 = 0; index < count; index++) {
    put8(PROCESSOR)
    put8(index)
    put8(0x14)
    put8(index == 0 ? 3 : 1) // enabled; bootstrap processor
    put32(CPU_SIGNATURE)
    put32(FEATURES)
    putZeros(8)
    entries++
  }
}

function interrupts(): void {
  interrupt(IO_INTERRUPT, EXTINT, CONFORMS, BUS_ISA, 0, 0, 0)
  for (let irq: u32 = 0; irq < 16; irq++) {
    if (irq == 2) continue
    const level = irq >= 9 && irq <= 11
    interrupt(IO_INTERRUPT, INT, level ? HIGH_LEVEL : CONFORMS, BUS_ISA, irq, 0, irq == 0 ? 2 : irq)
  }
  // Of a PCI interrupt the source is device << 2 | pin.
  for (let device: u32 = 1; device < 32; device++) {
    for (let pin: u32 = 0; pin < 4; pin++) {
      interrupt(IO_INTERRUPT, INT, LOW_LEVEL, BUS_PCI, (device << 2) | pin, 0, 16 + ((device + pin + 3) & 3))
    }
  }
  interrupt(LOCAL_INTERRUPT, EXTINT, CONFORMS, BUS_ISA, 0, 0xff, 0)
  interrupt(LOCAL_INTERRUPT, NMI, CONFORMS, BUS_ISA, 0, 0xff, 1)
}

export function mpTable(): void {
  entries = 0
  const table = tableBegin(16)
  putText('PCMP', 4)
  put16(0)
  put8(4)
  put8(0)
  putText('RINGSIDE', 8)
  putText('PC', 12)
  put32(0)
  put16(0)
  put16(0) // entries
  put32(LOCAL_APIC)
  put32(0)
  processors()
  bus(BUS_PCI, 'PCI')
  bus(BUS_ISA, 'ISA')
  put8(IO_APIC_ENTRY)
  put8(0)
  put8(0x20)
  put8(1)
  put32(IO_APIC)
  entries++
  interrupts()
  patch16(4, tableLength())
  patch16(34, entries)
  checksum(table, 7, tableLength())

  const pointer = tableBegin(16)
  putText('_MP_', 4)
  put32(table)
  put8(1)
  put8(4)
  put8(0)
  putZeros(5) // a configuration table is there; virtual wire, no IMCR
  checksum(pointer, 10, 16)
}
