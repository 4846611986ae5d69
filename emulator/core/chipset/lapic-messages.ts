// Interrupt messages: whom a destination means, and what its delivery mode asks of them (SDM 3A 10.6, 10.11). The
// interrupt command register, I/O APIC and MSI end here. Callable from any thread.

import { cpu, cpuIndex } from '../cpu/context'
import { currentRip } from '../cpu/execute'
import {
  CLIMB_AP,
  DEV_LINES,
  EVENT_CLASS_PATH,
  EVENT_KIND_ROUTE,
  PATH_IOAPIC,
  PATH_IPI,
  PATH_MSI,
  PATH_NOBODY,
  REQUEST_SMI,
} from '../layout'
import { milestoneOutside } from '../machine/climb'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { cpuBlock, cpuCount, requestInit, requestNmi, requestPost, requestStartup } from '../machine/smp'
import { ipiNote } from '../memory/tlb-log'
import {
  APIC_DFR,
  APIC_ICR,
  APIC_ICR_HIGH,
  APIC_LDR,
  APIC_SVR,
  apicEnabled,
  apicIsX2,
  apicLoad,
  apicStore,
  ERROR_SEND_VECTOR,
  lapicAccept,
  lapicError,
  lapicExternal,
  MODE_EXTINT,
  MODE_FIXED,
  MODE_INIT,
  MODE_LOWEST,
  MODE_NMI,
  MODE_SMI,
  MODE_STARTUP,
  processorPriority,
  SVR_ENABLED,
} from './lapic'

/** u32 in DEV_LINES: CPU that won the last arbitration, so that equals take turns */
const LAST_WINNER: usize = 32

const ICR_LOGICAL: u32 = 0x800
const ICR_ASSERT: u32 = 0x4000
const ICR_LEVEL: u32 = 0x8000
const SHORTHAND_SELF: u32 = 1
const SHORTHAND_ALL: u32 = 2
/** Bits that keep what is written: delivery status (12) reads idle. */
const ICR_KEPT: u32 = 0x000ccfff

/** Destinations: what a message of the chipset or of an xAPIC can name, and what an x2APIC can. */
const BROADCAST: u32 = 0xff
const BROADCAST_X2: u32 = 0xffffffff

/** Whether the destination means CPU `index` (10.6.2, 10.12.10). `wide`: the sender is an x2APIC. */
function matches(index: u32, destination: u32, logical: bool, wide: bool): bool {
  const block = cpuBlock(index)
  if (!apicEnabled(block)) return false
  if (destination == (wide ? BROADCAST_X2 : BROADCAST)) return true
  if (!logical) return destination == index
  const ldr = apicLoad(block, APIC_LDR)
  if (apicIsX2(block)) return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0
  // A logical xAPIC ID has 8 bits: nothing wider can name it.
  if (destination > 0xff) return false
  const id = ldr >> 24
  if (apicLoad(block, APIC_DFR) >> 28 == 15) return (id & destination) != 0
  return (id >> 4 == destination >> 4 || destination >> 4 == 15) && (id & destination & 15) != 0
}

/** Where the message under way comes from (PATH_*); the I/O APIC tells of its own. Transient. */
let source: u32 = PATH_IOAPIC

/** Hands CPU `index` what the mode asks for. */
function deliver(index: u32, mode: u32, vector: u32, level: bool): void {
  if (source != PATH_IOAPIC) routed(index, mode, vector)
  if (mode == MODE_FIXED || mode == MODE_LOWEST) {
    if (source == PATH_IPI) ipiNote(index, vector)
    lapicAccept(index, vector, level)
  } else if (mode == MODE_EXTINT) lapicExternal(index)
  else if (mode == MODE_NMI) requestNmi(index)
  else if (mode == MODE_SMI) requestPost(index, REQUEST_SMI)
  else if (mode == MODE_INIT) requestInit(index)
  else if (mode == MODE_STARTUP) {
    milestoneOutside(CLIMB_AP, currentRip(), <u64>vector | ((<u64>index) << 8))
    requestStartup(index, vector)
  }
}

/** For who looks at the path of interrupts. */
function routed(index: u32, mode: u32, vector: u32): void {
  const input = source == PATH_IPI ? cpuIndex : 0
  const what = <u64>index | ((<u64>mode) << 40)
  event(EVENT_CLASS_PATH, EVENT_KIND_ROUTE, source | (input << 8) | (vector << 16), what, clockNow())
}

/**
 * A message to `destination`. False when nobody is meant. Of several that a lowest-priority message means, one gets it: the
 * one with the lowest processor priority, software-disabled ones left out (10.6.2.4).
 */
export function interruptMessage(
  destination: u32,
  logical: bool,
  mode: u32,
  vector: u32,
  level: bool,
  wide: bool,
): bool {
  const count = cpuCount()
  let met = false
  let winner: u32 = count
  let lowest: u32 = 0x100
  const last = load<u32>(DEV_LINES, LAST_WINNER)
  for (let i: u32 = 0; i < count; i++) {
    const index = mode == MODE_LOWEST ? (last + 1 + i) % count : i
    if (!matches(index, destination, logical, wide)) continue
    met = true
    if (mode != MODE_LOWEST) {
      deliver(index, mode, vector, level)
      continue
    }
    const block = cpuBlock(index)
    const priority = processorPriority(block)
    if (!(apicLoad(block, APIC_SVR) & SVR_ENABLED) || priority >= lowest) continue
    lowest = priority
    winner = index
  }
  if (winner != count) {
    store<u32>(DEV_LINES, winner, LAST_WINNER)
    deliver(winner, mode, vector, level)
  }
  return met
}

/** A write of the low half of the interrupt command register sends. */
export function lapicCommand(low: u32, destination: u32, wide: bool): void {
  source = PATH_IPI
  command(low, destination, wide)
  source = PATH_IOAPIC
}

function command(low: u32, destination: u32, wide: bool): void {
  apicStore(cpu, APIC_ICR, low & ICR_KEPT)
  const mode = (low >> 8) & 7
  const vector = low & 0xff
  const shorthand = (low >> 18) & 3
  // INIT level de-assert set arbitration IDs on the APIC bus; nothing listens to it any more (10.6.1).
  if (mode == MODE_INIT && (low & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL) return
  if (mode == 3 || mode == 7) return
  if ((mode == MODE_FIXED || mode == MODE_LOWEST) && vector < 16) {
    lapicError(ERROR_SEND_VECTOR)
    return
  }
  if (shorthand == 0) {
    const met = interruptMessage(destination, (low & ICR_LOGICAL) != 0, mode, vector, false, wide)
    if (!met) routed(PATH_NOBODY, mode, vector)
    return
  }
  // With a shorthand that includes the sender only fixed interrupts are valid (table 10-3).
  if (shorthand == SHORTHAND_SELF || shorthand == SHORTHAND_ALL) {
    if (mode != MODE_FIXED) return
    routed(cpuIndex, mode, vector)
    lapicAccept(cpuIndex, vector, false)
    if (shorthand == SHORTHAND_SELF) return
  }
  const count = cpuCount()
  for (let index: u32 = 0; index < count; index++) {
    if (index != cpuIndex && apicEnabled(cpuBlock(index))) deliver(index, mode, vector, false)
  }
}

/** The destination an xAPIC's command register names. */
export function lapicCommandDestination(): u32 {
  return apicLoad(cpu, APIC_ICR_HIGH) >> 24
}

/**
 * A write of a device to FEExxxxxh (10.11.1): bits 19-12 destination, 3 redirection hint, 2 logical; data: vector, bits
 * 10-8 delivery mode, 15 level-triggered, 14 asserted. With the hint and a logical destination the mode is lowest priority
 * as the data says; without it every CPU meant is reached.
 */
export function messageSignalled(address: u32, data: u32): bool {
  const mode = (data >> 8) & 7
  const level = (data & 0x8000) != 0
  if (level && !(data & 0x4000)) return true
  source = PATH_MSI
  const met = interruptMessage((address >> 12) & 0xff, (address & 4) != 0, mode, data & 0xff, level, false)
  if (!met) routed(PATH_NOBODY, mode, data & 0xff)
  source = PATH_IOAPIC
  return met
}
