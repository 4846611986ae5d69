// PCI configuration space by mechanism #1 (PCI Local Bus Specification 2.1, 3.2.2.3.2): CF8h, an address written as a
// double word, and CFCh-CFFh, the data it points at. Bus 0 has what software looks for behind an AT's ports:
//
//   00.0  host bridge, 82441FX (290549)
//   01.0  ISA bridge, 82371SB (PIIX3, 290550)
//   01.1  IDE interface of the PIIX3, both channels at the AT's ports; programmed I/O only, no bus master
//
// The functions have no registers to place: what can be written is the command register.

import { DEV_PCI } from '../layout'

const ADDRESS: usize = 0 // u32
/** u16 per function. */
const COMMAND: usize = 8

const ENABLE: u32 = 0x80000000
const NONE: u32 = 0xffffffff
const HOST_BRIDGE: u32 = 0
const ISA_BRIDGE: u32 = 1
const IDE: u32 = 2
const FUNCTIONS: u32 = 3

const COMMAND_IO: u32 = 1
const COMMAND_MEMORY: u32 = 2
const COMMAND_MASTER: u32 = 4
/** DEVSEL timing medium. */
const STATUS: u32 = 0x0200

const REGISTER_ID: u32 = 0x00
const REGISTER_COMMAND: u32 = 0x04
const REGISTER_CLASS: u32 = 0x08
const REGISTER_HEADER: u32 = 0x0c
/** IDETIM, primary and secondary (PIIX3 3.2.10): bit 15 decodes the channel's ports. */
const REGISTER_IDE_TIMING: u32 = 0x40

export function pciReset(): void {
  memory.fill(DEV_PCI, 0, 32)
  store<u16>(DEV_PCI, <u16>(COMMAND_MEMORY | COMMAND_MASTER), COMMAND)
  store<u16>(DEV_PCI, <u16>(COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER), COMMAND + 2)
  store<u16>(DEV_PCI, <u16>COMMAND_IO, COMMAND + 4)
}

export function pciAddressRead(): u32 {
  return load<u32>(DEV_PCI, ADDRESS)
}

/** Bits 30-24 and 1-0 are reserved and read as zeros. */
export function pciAddressWrite(value: u32): void {
  store<u32>(DEV_PCI, value & 0x80fffffc, ADDRESS)
}

/** The function that is addressed; NONE when there is none. */
function selected(): u32 {
  const address = load<u32>(DEV_PCI, ADDRESS)
  if (!(address & ENABLE)) return NONE
  const place = (address >> 8) & 0xffff
  if (place == 0) return HOST_BRIDGE
  if (place == 0x08) return ISA_BRIDGE
  return place == 0x09 ? IDE : NONE
}

/** Byte `lane` (0-3) of the double word that CF8h points at. */
export function pciDataRead(lane: u32): u32 {
  const func = selected()
  if (func >= FUNCTIONS) return 0xff
  return (register(func, load<u32>(DEV_PCI, ADDRESS) & 0xfc) >> (lane << 3)) & 0xff
}

export function pciDataWrite(lane: u32, value: u32): void {
  const func = selected()
  if (func >= FUNCTIONS) return
  // The bridges' command bits are wired; the IDE interface can be told not to answer, which this one does not heed.
  if ((load<u32>(DEV_PCI, ADDRESS) & 0xfc) == REGISTER_COMMAND && lane == 0 && func == IDE)
    store<u8>(DEV_PCI + func * 2, value & COMMAND_IO, COMMAND)
}

function register(func: u32, at: u32): u32 {
  switch (at) {
    case REGISTER_ID:
      if (func == HOST_BRIDGE) return 0x12378086
      return func == ISA_BRIDGE ? 0x70008086 : 0x70108086
    case REGISTER_COMMAND:
      return load<u16>(DEV_PCI + func * 2, COMMAND) | (STATUS << 16)
    case REGISTER_CLASS:
      if (func == HOST_BRIDGE) return 0x06000002
      // IDE, both channels in compatibility mode, no bus master
      return func == ISA_BRIDGE ? 0x06010000 : 0x01010000
    case REGISTER_HEADER:
      // The PIIX3 is one device with several functions.
      return func == ISA_BRIDGE ? 0x00800000 : 0
    case REGISTER_IDE_TIMING:
      return func == IDE ? 0x80008000 : 0
    default:
      return 0
  }
}
