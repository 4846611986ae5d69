// The board's interrupt lines: from a device's pin to the controllers' inputs.
//
// ISA IRQ 0-15 are active high; each is the OR of those that drive it: the device at its AT place, and the PCI
// interrupts that the PIIX routes there (82371SB 2.2.6, PIRQRC). PCI INTx are level-triggered; the four of a slot are
// swizzled over PIRQA-PIRQD, and every PIRQ is the OR of its functions.

import { DEV_LINES } from '../layout'
import { picLine } from './i8259'

// State, from DEV_LINES
const ISA: usize = 0 // u16, lines driven by the devices at their AT places
const PIRQ: usize = 4 // u8[4], driven: bit per source, see pirqLine
const ROUTE: usize = 8 // u8[4], PIRQRC of the ISA bridge

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
  store<u16>(DEV_LINES, high ? lines | (1 << irq) : lines & ~(1 << irq), ISA)
  isaUpdate(irq)
}

/** Drives PIRQ `pirq` (0-3) for source `source` (0-7). True: asserted (the wire is pulled low). */
export function pirqLine(pirq: u32, source: u32, asserted: bool): void {
  const sources = <u32>load<u8>(DEV_LINES + pirq, PIRQ)
  const now = asserted ? sources | (1 << source) : sources & ~(1 << source)
  if (now == sources) return
  store<u8>(DEV_LINES + pirq, now, PIRQ)
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
  const driven = load<u16>(DEV_LINES, ISA) as u32
  let high = (driven & (1 << irq)) != 0
  for (let pirq: u32 = 0; pirq < PIRQS; pirq++) {
    if (load<u8>(DEV_LINES + pirq, ROUTE) == irq && load<u8>(DEV_LINES + pirq, PIRQ)) high = true
  }
  picLine(irq, high)
}
