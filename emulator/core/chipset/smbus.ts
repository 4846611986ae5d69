// SMBus host controller of the 82371AB (PIIX4, 290562, 7.3 and 11.5): 16 ports at SMBBA of PCI 01.3 (pci-devices.ts). Nobody
// sits on the bus, memory modules have no serial presence detect: whoever is addressed does not acknowledge, and the
// transaction ends with DEV_ERR when the address has been sent. Chipset lock held.

import { DEV_SMBUS } from '../layout'
import { acpiUpdate } from './acpi-pm'
import { smbusInterruptIsIrq9 } from './pci-devices'
import { NEVER, TIMER_SMBUS, timerSet } from './timers'

// Registers, which are the state as well, from DEV_SMBUS
const HOST_STATUS: u32 = 0x0
const HOST_CONTROL: u32 = 0x2
const HOST_COMMAND: u32 = 0x3
const HOST_ADDRESS: u32 = 0x4
const HOST_DATA0: u32 = 0x5
const HOST_DATA1: u32 = 0x6
const BLOCK_DATA: u32 = 0x7
const SLAVE_CONTROL: u32 = 0x8
const SLAVE_EVENT: u32 = 0xa // u16
// What is no register: the 32 bytes that BLOCK_DATA shows one after the other, and which is next
const BLOCK_INDEX: usize = 0x10
const BLOCK: usize = 0x20
const BLOCK_SIZE: u32 = 32

const HOST_BUSY: u32 = 0x01
const DEV_ERR: u32 = 0x04
const FAILED: u32 = 0x10
/** INTR, DEV_ERR, BUS_ERR, FAILED: each asks for an interrupt, and is cleared by writing 1. */
const ENDINGS: u32 = 0x1e
const INTEREN: u32 = 0x01
const KILL: u32 = 0x02
const START: u32 = 0x40

/** Start condition, address and the missing acknowledgement at 16 kHz (7.3): ten bit times. */
const ADDRESS_TIME: u64 = 625_000

export function smbusReset(): void {
  memory.fill(DEV_SMBUS, 0, BLOCK + BLOCK_SIZE)
  timerSet(TIMER_SMBUS, NEVER)
}

function get(register: u32): u32 {
  return load<u8>(<usize>DEV_SMBUS + register)
}

/** Whether the controller asks for IRQ 9, which it shares with the SCI. */
export function smbusInterrupt(): bool {
  return (get(HOST_STATUS) & ENDINGS) != 0 && (get(HOST_CONTROL) & INTEREN) != 0 && smbusInterruptIsIrq9()
}

/** TIMER_SMBUS: nobody has acknowledged. */
export function smbusTimer(at: u64): void {
  end(DEV_ERR, at)
}

function end(how: u32, now: u64): void {
  store<u8>(DEV_SMBUS, (get(HOST_STATUS) & ~HOST_BUSY) | how, HOST_STATUS)
  acpiUpdate(now)
}

export function smbusRead(register: u32): u32 {
  if (register == BLOCK_DATA) return load<u8>(<usize>DEV_SMBUS + BLOCK + nextOfBlock())
  // Reading the control register begins the block anew.
  if (register == HOST_CONTROL) store<u8>(DEV_SMBUS, 0, BLOCK_INDEX)
  return get(register)
}

function nextOfBlock(): u32 {
  const index: u32 = load<u8>(DEV_SMBUS, BLOCK_INDEX)
  store<u8>(DEV_SMBUS, (index + 1) & (BLOCK_SIZE - 1), BLOCK_INDEX)
  return index
}

export function smbusWrite(register: u32, value: u32, now: u64): void {
  switch (register) {
    case HOST_STATUS:
      store<u8>(DEV_SMBUS, get(HOST_STATUS) & ~(value & ENDINGS), HOST_STATUS)
      acpiUpdate(now)
      return
    case HOST_CONTROL:
      control(value, now)
      return
    case BLOCK_DATA:
      store<u8>(<usize>DEV_SMBUS + BLOCK + nextOfBlock(), value)
      return
    case SLAVE_CONTROL:
      store<u8>(DEV_SMBUS + SLAVE_CONTROL, value & 0x0f)
      return
    case HOST_COMMAND:
    case HOST_ADDRESS:
    case HOST_DATA0:
    case HOST_DATA1:
    case SLAVE_EVENT:
    case SLAVE_EVENT + 1:
      store<u8>(<usize>DEV_SMBUS + register, value)
      return
    default:
      // SMBSLVSTS has nothing to clear; SMBSHDWCMD and SMBSLVDAT (9h, Ch) are what a master on the bus has said: no one.
      return
  }
}

function control(value: u32, now: u64): void {
  store<u8>(DEV_SMBUS, value & ~START, HOST_CONTROL)
  if (value & KILL) {
    if (get(HOST_STATUS) & HOST_BUSY) {
      timerSet(TIMER_SMBUS, NEVER)
      end(FAILED, now)
    }
  } else if (value & START && !(get(HOST_STATUS) & HOST_BUSY)) {
    store<u8>(DEV_SMBUS, get(HOST_STATUS) | HOST_BUSY, HOST_STATUS)
    timerSet(TIMER_SMBUS, now + ADDRESS_TIME)
  }
  acpiUpdate(now)
}
