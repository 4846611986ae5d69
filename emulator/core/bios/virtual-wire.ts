// Virtual wire mode (MultiProcessor Specification 1.4, 3.6.2.2): the local APIC of the bootstrap processor passes the 8259's
// INTR on, so that software sees a PC AT. Reset and INIT leave it switched off.
import { APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_SVR } from '../chipset/lapic'
import { xapicWrite } from '../chipset/lapic-access'

const ENABLED_FF: u32 = 0x1ff
const EXTINT: u32 = 0x700
const NMI: u32 = 0x400

export function virtualWire(): void {
  xapicWrite(APIC_SVR, 4, ENABLED_FF)
  xapicWrite(APIC_LVT_LINT0, 4, EXTINT)
  xapicWrite(APIC_LVT_LINT1, 4, NMI)
}
