// Guest-physical accesses that end at a device: under the chipset lock.

import { mmioRead, mmioWrite } from '../chipset/bus'
import { lapicCovers, xapicRead, xapicWrite } from '../chipset/lapic-access'
import { HDR_SCHEDULE, HEADER, SCHEDULE_DETERMINISTIC } from '../layout'
import { clockSpend } from '../machine/clock'
import { chipsetLock, chipsetUnlock } from '../machine/lock'

/**
 * What an access takes: one to the I/O APIC, the HPET or any other register of the board crosses the PCI bus and waits for the answer of the
 * bridge behind it; the local APIC is on the processor. Video memory takes none: nobody waits by reading it.
 */
const BOARD_ACCESS_NS: u64 = 500
const LAPIC_ACCESS_NS: u64 = 40
/** Where registers lie: the I/O APIC, the HPET, and messages of interrupts up to the ROM and the memory of the test device. */
const REGISTERS: u64 = 0xfec00000
const REGISTERS_END: u64 = 0xff000000

/** ns that accesses to devices have taken since deviceTimeTake(). */
let taken: u64 = 0

/** Notes what an access at `phys` takes. */
export function deviceTimeNote(phys: u64): void {
  if (lapicCovers(phys)) taken += LAPIC_ACCESS_NS
  else if (phys >= REGISTERS && phys < REGISTERS_END) taken += BOARD_ACCESS_NS
}

/**
 * Lets that time pass in the deterministic schedule (cpu/ports.ts says why). True when some has: a timer may be due, and the trace has to end
 * here, or where a slice ends would show.
 */
export function deviceTimeTake(): bool {
  const ns = taken
  taken = 0
  if (ns == 0 || load<u32>(HEADER, HDR_SCHEDULE) != SCHEDULE_DETERMINISTIC) return false
  clockSpend(ns)
  return true
}

export function deviceTimeForget(): void {
  taken = 0
}

/** Reads 1, 2, 4 or 8 bytes at `phys`, address line 20 applied; holes answer all ones. */
export function deviceRead(phys: u64, size: u32): u64 {
  chipsetLock()
  const value = mmioRead(phys, size)
  chipsetUnlock()
  return value
}

/** Writes 1, 2, 4 or 8 bytes at `phys`, address line 20 applied; holes ignore them. */
export function deviceWrite(phys: u64, size: u32, value: u64): void {
  chipsetLock()
  mmioWrite(phys, size, value)
  chipsetUnlock()
}

/** deviceRead() by this CPU, whose local APIC comes before the bus. */
export function cpuDeviceRead(phys: u64, size: u32): u64 {
  return lapicCovers(phys) ? xapicRead(<u32>phys & 0xfff, size) : deviceRead(phys, size)
}

/** deviceWrite() by this CPU. */
export function cpuDeviceWrite(phys: u64, size: u32, value: u64): void {
  if (lapicCovers(phys)) xapicWrite(<u32>phys & 0xfff, size, value)
  else deviceWrite(phys, size, value)
}
