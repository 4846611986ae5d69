// The board's interrupt lines: from a device's pin to the controllers' inputs.
//
// ISA IRQ 0-15 are active high; each is the OR of those that drive it: the device at its AT place, and the PCI
// interrupts that the PIIX routes there (82371SB 2.2.6, PIRQRC). PCI INTx are level-triggered; the four of a slot are
// swizzled over PIRQA-PIRQD, and every PIRQ is the OR of its functions. All of them reach the I/O APIC as well (ioapic.ts),
// the PIRQs at inputs of their own whatever their route.

import { DEV_LINES, EVENT_CLASS_PATH, EVENT_KIND_LINE } from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { acpiClockEvent } from './acpi-pm'
import { picLine } from './i8259'
import { IOAPIC_PIRQ, ioapicPin } from './ioapic'

// State, from DEV_LINES
const ISA: usize = 0 // u16, lines driven by the devices at their AT places
const PIRQ: usize = 4 // u8[4], driven: bit per source, see pirqLine
const ROUTE: usize = 8 // u8[4], PIRQRC of the ISA bridge
const WIRES: usize = 12 // u16, levels of the IRQs
const HPET: usize = 14 // u16, IRQ 0 and 8 as the HPET drives them
const LEGACY: usize = 16 // u8, it does so in place of timer and clock

/** IRQ of the real-time clock. */
const CLOCK: u32 = 8
const PIRQS: u32 = 4
/** PIRQRC bit 7: the PIRQ is not routed. */
const UNROUTED: u32 = 0x80

export function interruptLinesReset(): void {
  memory.fill(DEV_LINES, 0, 64)
  store<u32>(DEV_LINES, 0x80808080, ROUTE)
}

/** Drives IRQ 0-15 high or low, from the device that has it on an AT. */
export function irqLine(irq: u32, high: bool): void {
  const lines = <u32>load<u16>(DEV_LINES, ISA)
  if (irq == CLOCK && high && !(lines & (1 << CLOCK))) acpiClockEvent(clockNow())
  store<u16>(DEV_LINES, high ? lines | (1 << irq) : lines & ~(1 << irq), ISA)
  isaUpdate(irq)
}

/** The HPET's legacy replacement (IA-PC HPET 2.3.5): IRQ 0 and 8 are its, the timer's and the clock's lines lead nowhere. */
export function legacyReplacement(on: bool): void {
  store<u8>(DEV_LINES, on ? 1 : 0, LEGACY)
  isaUpdate(0)
  isaUpdate(8)
}

/** Drives IRQ 0 or 8 for the HPET. */
export function legacyReplacementLine(irq: u32, high: bool): void {
  const lines = load<u16>(DEV_LINES, HPET) as u32
  store<u16>(DEV_LINES, high ? lines | (1 << irq) : lines & ~(1 << irq), HPET)
  isaUpdate(irq)
}

/** Drives PIRQ `pirq` (0-3) for source `source` (0-7). True: asserted (the wire is pulled low). */
export function pirqLine(pirq: u32, source: u32, asserted: bool): void {
  const sources = <u32>load<u8>(DEV_LINES + pirq, PIRQ)
  const now = asserted ? sources | (1 << source) : sources & ~(1 << source)
  if (now == sources) return
  store<u8>(DEV_LINES + pirq, now, PIRQ)
  if ((now != 0) == (sources != 0)) return
  event(EVENT_CLASS_PATH, EVENT_KIND_LINE, (IOAPIC_PIRQ + pirq) | (now ? 0x100 : 0), source, clockNow())
  ioapicPin(IOAPIC_PIRQ + pirq, now == 0)
  const route = <u32>load<u8>(DEV_LINES + pirq, ROUTE)
  if (!(route & UNROUTED)) isaUpdate(route & 15)
}

/** The ISA bridge's PIRQRC[pirq] is written. */
export function pirqRoute(pirq: u32, route: u32): void {
  const before = <u32>load<u8>(DEV_LINES + pirq, ROUTE)
  store<u8>(DEV_LINES + pirq, route, ROUTE)
  if (!(before & UNROUTED)) isaUpdate(before & 15)
  if (!(route & UNROUTED)) isaUpdate(route & 15)
}

function isaUpdate(irq: u32): void {
  const replaced = (irq & 7) == 0 && load<u8>(DEV_LINES, LEGACY) != 0
  const driven = <u32>(replaced ? load<u16>(DEV_LINES, HPET) : load<u16>(DEV_LINES, ISA))
  let high = (driven & (1 << irq)) != 0
  for (let pirq: u32 = 0; pirq < PIRQS; pirq++) {
    if (load<u8>(DEV_LINES + pirq, ROUTE) == irq && load<u8>(DEV_LINES + pirq, PIRQ)) high = true
  }
  const wires = load<u16>(DEV_LINES, WIRES) as u32
  if (((wires >> irq) & 1) != (high ? 1 : 0)) {
    store<u16>(DEV_LINES, wires ^ (1 << irq), WIRES)
    event(EVENT_CLASS_PATH, EVENT_KIND_LINE, irq | (high ? 0x100 : 0), 0, clockNow())
  }
  picLine(irq, high)
  if (irq != 2) ioapicPin(irq == 0 ? 2 : irq, high)
}
