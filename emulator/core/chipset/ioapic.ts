// 82093AA I/O APIC (290566) at FEC00000h: 24 inputs, a redirection table, and the EOI register of version 20h (82489DX
// successors; ICH data sheets, "EOI register"). Inputs of this board: 0 the 8259's INTR, 2 IRQ 0, 1 and 3-15 the IRQ of the
// same number (active high), 16-19 PIRQA-PIRQD (active low). Chipset lock held.

import {
  DEV_IOAPIC,
  EVENT_CLASS_PATH,
  EVENT_KIND_ROUTE,
  IOAPIC_LEVELS,
  IOAPIC_TABLE,
  PATH_IOAPIC,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { MODE_FIXED, MODE_LOWEST } from './lapic'
import { interruptMessage } from './lapic-messages'

// State, from DEV_IOAPIC
const SELECT: usize = 0 // u8, IOREGSEL
const ID: usize = 4 // u32
const ARBITRATION: usize = 8 // u32
const LEVELS: usize = IOAPIC_LEVELS // u32, the inputs
const TABLE: usize = IOAPIC_TABLE // u64[24]

export const IOAPIC_PAGE: u32 = 0xfec00
export const IOAPIC_PIRQ: u32 = 16
const PINS: u32 = 24
const VERSION: u32 = 0x00170020

const REGISTER_SELECT: u32 = 0x00
const REGISTER_WINDOW: u32 = 0x10
const REGISTER_EOI: u32 = 0x40
const INDEX_ID: u32 = 0
const INDEX_VERSION: u32 = 1
const INDEX_ARBITRATION: u32 = 2
const INDEX_TABLE: u32 = 0x10

// Redirection entry (3.2.4)
const LOGICAL: u32 = 0x800
const ACTIVE_LOW: u32 = 0x2000
const REMOTE_IRR: u32 = 0x4000
const LEVEL: u32 = 0x8000
const MASKED: u32 = 0x10000
/** Bits of the low half that can be written: not delivery status and remote IRR. */
const WRITABLE: u32 = 0x0001afff

@inline
function entry(pin: u32): usize {
  return <usize>DEV_IOAPIC + TABLE + <usize>pin * 8
}

export function ioapicReset(): void {
  memory.fill(DEV_IOAPIC, 0, 0x200)
  for (let pin: u32 = 0; pin < PINS; pin++) store<u32>(entry(pin), MASKED)
  // PCI interrupts are pulled up while nobody asserts them.
  store<u32>(DEV_IOAPIC, 0x000f0000, LEVELS)
}

/** Whether the input is at the level its entry calls active. */
function active(pin: u32): bool {
  const high = (load<u32>(DEV_IOAPIC, LEVELS) >> pin) & 1
  return (high != 0) != ((load<u32>(entry(pin)) & ACTIVE_LOW) != 0)
}

/** Drives an input high or low. */
export function ioapicPin(pin: u32, high: bool): void {
  const levels = load<u32>(DEV_IOAPIC, LEVELS)
  const bit: u32 = 1 << pin
  if (((levels & bit) != 0) == high) return
  store<u32>(DEV_IOAPIC, levels ^ bit, LEVELS)
  if (!active(pin)) return
  // An edge at a masked input is not remembered (3.2.4, "Interrupt Mask").
  if (load<u32>(entry(pin)) & LEVEL) levelCheck(pin)
  else if (!(load<u32>(entry(pin)) & MASKED)) send(pin)
}

/** A level-triggered input is sent while it is active and the one before has been ended. */
function levelCheck(pin: u32): void {
  const low = load<u32>(entry(pin))
  if ((low & (LEVEL | MASKED | REMOTE_IRR)) == LEVEL && active(pin)) send(pin)
}

function send(pin: u32): void {
  const low = load<u32>(entry(pin))
  const destination = load<u32>(entry(pin), 4) >> 24
  const mode = (low >> 8) & 7
  const level = (low & LEVEL) != 0
  event(
    EVENT_CLASS_PATH,
    EVENT_KIND_ROUTE,
    PATH_IOAPIC | (pin << 8) | ((low & 0xff) << 16),
    <u64>destination | ((<u64>(low & 0xff00)) << 32),
    clockNow(),
  )
  const met = interruptMessage(destination, (low & LOGICAL) != 0, mode, low & 0xff, level, false)
  // A local APIC has accepted it, and an EOI will come.
  if (level && met && (mode == MODE_FIXED || mode == MODE_LOWEST)) store<u32>(entry(pin), low | REMOTE_IRR)
}

/** The EOI message of a local APIC, or a write of the EOI register: for every level-triggered entry with that vector. */
export function ioapicEoi(vector: u32): void {
  for (let pin: u32 = 0; pin < PINS; pin++) {
    const low = load<u32>(entry(pin))
    if ((low & (LEVEL | REMOTE_IRR)) != (LEVEL | REMOTE_IRR) || (low & 0xff) != vector) continue
    store<u32>(entry(pin), low & ~REMOTE_IRR)
    levelCheck(pin)
  }
}

function indexRead(index: u32): u32 {
  if (index == INDEX_ID) return load<u32>(DEV_IOAPIC, ID)
  if (index == INDEX_VERSION) return VERSION
  if (index == INDEX_ARBITRATION) return load<u32>(DEV_IOAPIC, ARBITRATION)
  const half = index - INDEX_TABLE
  return half < PINS * 2 ? load<u32>(entry(half >> 1) + ((half & 1) << 2)) : 0
}

function indexWrite(index: u32, value: u32): void {
  if (index == INDEX_ID) {
    // The arbitration ID takes over the new ID (3.2.3).
    store<u32>(DEV_IOAPIC, value & 0x0f000000, ID)
    store<u32>(DEV_IOAPIC, value & 0x0f000000, ARBITRATION)
    return
  }
  const half = index - INDEX_TABLE
  if (half >= PINS * 2) return
  const pin = half >> 1
  if (half & 1) {
    store<u32>(entry(pin), value & 0xff000000, 4)
    return
  }
  const before = load<u32>(entry(pin))
  let low = (value & WRITABLE) | (before & REMOTE_IRR)
  // Edge-triggered entries have no remote IRR: software that lacks an EOI register ends a level interrupt so.
  if (!(low & LEVEL)) low &= ~REMOTE_IRR
  store<u32>(entry(pin), low)
  if (low & LEVEL) levelCheck(pin)
}

/** A read of the page, `size` 1-8 bytes; the registers are 32 bits wide and read as 0 elsewhere. */
export function ioapicRead(offset: u32, size: u32): u64 {
  const register = offset & 0xfc
  let value: u32 = 0
  if (offset < 0x100) {
    if (register == REGISTER_SELECT) value = load<u8>(DEV_IOAPIC, SELECT)
    else if (register == REGISTER_WINDOW) value = indexRead(load<u8>(DEV_IOAPIC, SELECT))
  }
  value >>= (offset & 3) << 3
  return size < 4 ? value & ((1 << (size << 3)) - 1) : value
}

/** A write at a register's address: IOREGSEL of any size, the others of 32 bits at least. */
export function ioapicWrite(offset: u32, size: u32, value: u64): void {
  if (offset == REGISTER_SELECT) store<u8>(DEV_IOAPIC, <u8>value, SELECT)
  else if (size < 4) return
  else if (offset == REGISTER_WINDOW) indexWrite(load<u8>(DEV_IOAPIC, SELECT), <u32>value)
  else if (offset == REGISTER_EOI) ioapicEoi(<u32>value & 0xff)
}
