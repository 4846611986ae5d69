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

/** An instruction of this CPU has spent time at a device: its trace ends there, as a timer may be due. */
export let deviceTimeSpent: bool = false

export function deviceTimeSeen(): void {
  deviceTimeSpent = false
}

/** As instructions reach devices: lets the time of the access pass (cpu/ports.ts says why). */
export function deviceSpend(phys: u64): void {
  if (load<u32>(HEADER, HDR_SCHEDULE) != SCHEDULE_DETERMINISTIC) return
  if (lapicCovers(phys)) clockSpend(LAPIC_ACCESS_NS)
  else if (phys >= REGISTERS && phys < REGISTERS_END) clockSpend(BOARD_ACCESS_NS)
  else return
  deviceTimeSpent = true
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
