// PCI configuration space by mechanism #1 (PCI Local Bus Specification 2.1, 3.2.2.3.2): CF8h, an address written as a
// double word, and CFCh-CFFh, the data it points at. One bus. What is on it is told in pci-devices.ts; here is what all
// functions have in common: 256 bytes of configuration space with a mask of what can be written, base address
// registers that can be sized and moved, the command register that switches decoding, INTx.
//
// A device with a place on the bus does this in its reset:
//   const slot = pciFunction(devfn, id, class)      identity; answers the function's place in the tables below
//   pciBar(slot, index, kind, size, handler)        a base address register; pci-devices.ts sends accesses to `handler`
//   pciWritable(slot, at, mask)                     further bits that software may set
// and later pciInterrupt(devfn, asserted), pciMastering(devfn), pciLoad8/16/32, pciStore8/16/32.

import { DEV_PCI } from '../layout'
import { busMapChanged } from '../memory/tlb'
import { pirqLine } from './interrupt-lines'
import { pciConfigWritten, pciFixedWindows, pciPlaced } from './pci-devices'
import {
  PCI_WINDOW_BASE,
  PCI_WINDOW_COUNT,
  PCI_WINDOW_HANDLER,
  PCI_WINDOW_IO,
  PCI_WINDOW_LENGTH,
  PCI_WINDOW_MAX,
  PCI_WINDOW_SIZE,
  PCI_WINDOW_SLOT,
  PCI_WINDOWS,
} from './pci-layout'
import { messagesOn, msiMaskWritten } from './pci-msi'

// State, from DEV_PCI
const ADDRESS: usize = 0 // u32, CF8h
const FUNCTION_COUNT: usize = 4 // u32
const IO_LOWEST: usize = 12 // u32, no I/O window lies below it
const MEMORY_LOWEST: usize = 16 // u64, no memory window lies below it
/** u8[256]: slot + 1 of the function at device << 3 | function, 0: nobody */
const SLOTS: usize = 0x100
/** One block a function */
const FUNCTIONS: usize = 0x1000
const FUNCTION_SIZE: usize = 0x400
const FUNCTION_MAX: u32 = 16
const CONFIG: usize = 0 // u8[256]
const MASK: usize = 0x100 // u8[256], bits that can be written
const CLEARS: usize = 0x200 // u8[256], bits that are cleared by writing ones
const BARS: usize = 0x300 // BAR_SIZE each
const BAR_SIZE: usize = 16
const BAR_LENGTH: usize = 0 // u64, 0: none
const BAR_HANDLER: usize = 8 // u32
const BAR_KIND: usize = 12 // u32
const BAR_COUNT: u32 = 6
const DEVFN: usize = 0x380 // u8
const INTX: usize = 0x381 // u8, what the function wants of its interrupt pin

const ENABLE: u32 = 0x80000000
/** No function there. */
export const NO_SLOT: u32 = 0xffffffff

// Configuration registers (6.1)
export const PCI_COMMAND: u32 = 0x04
export const PCI_STATUS: u32 = 0x06
const PCI_CLASS: u32 = 0x08
export const PCI_HEADER_TYPE: u32 = 0x0e
export const PCI_BAR0: u32 = 0x10
const PCI_SUBSYSTEM: u32 = 0x2c
export const PCI_CAPABILITIES: u32 = 0x34
export const PCI_INTERRUPT_LINE: u32 = 0x3c
export const PCI_INTERRUPT_PIN: u32 = 0x3d

/** Behind the standard registers: where capabilities lie. */
const PCI_STANDARD: u32 = 0x40

export const COMMAND_IO: u32 = 1
export const COMMAND_MEMORY: u32 = 2
export const COMMAND_MASTER: u32 = 4
const COMMAND_INTX_DISABLE: u32 = 0x400
const STATUS_INTERRUPT: u32 = 0x08
/** DEVSEL timing medium. */
const STATUS_MEDIUM: u32 = 0x0200

// Kinds of base address registers: the low bits as they read
export const BAR_IO: u32 = 1
export const BAR_MEMORY: u32 = 0
export const BAR_MEMORY_64: u32 = 4
export const BAR_PREFETCH: u32 = 8

@inline
function block(slot: u32): usize {
  return <usize>DEV_PCI + FUNCTIONS + <usize>slot * FUNCTION_SIZE
}

@inline
function bar(slot: u32, index: u32): usize {
  return block(slot) + BARS + <usize>index * BAR_SIZE
}

/** An empty bus; the devices announce themselves next. */
export function pciReset(): void {
  memory.fill(DEV_PCI, 0, FUNCTIONS + FUNCTION_MAX * FUNCTION_SIZE)
  rebuildWindows()
}

// ---------------------------------------------------------------------------------------------------------
// For devices

/**
 * Puts a function on the bus: device << 3 | function, device id << 16 | vendor id, class code << 8 | revision.
 * Answers its slot. The command register lets I/O, memory and mastering be switched as BARs need it.
 */
export function pciFunction(devfn: u32, id: u32, classRevision: u32): u32 {
  const slot = load<u32>(DEV_PCI, FUNCTION_COUNT)
  store<u32>(DEV_PCI, slot + 1, FUNCTION_COUNT)
  store<u8>(DEV_PCI + SLOTS + devfn, slot + 1)
  store<u8>(block(slot), devfn, DEVFN)
  pciStore32(slot, 0, id)
  pciStore32(slot, PCI_CLASS, classRevision)
  pciStore16(slot, PCI_STATUS, STATUS_MEDIUM)
  return slot
}

/** Slot of the function at `devfn`; NO_SLOT. */
export function pciSlot(devfn: u32): u32 {
  return <u32>load<u8>(DEV_PCI + SLOTS + (devfn & 0xff)) - 1
}

/**
 * A base address register: index 0-5, BAR_* bits, bytes (a power of two: at least 4 in I/O, 16 in memory space), and
 * the number by which pci-devices.ts knows whose it is. A 64-bit one takes the next index too.
 */
export function pciBar(slot: u32, index: u32, kind: u32, length: u64, handler: u32): void {
  const record = bar(slot, index)
  store<u64>(record, length, BAR_LENGTH)
  store<u32>(record, handler, BAR_HANDLER)
  store<u32>(record, kind, BAR_KIND)
  const at = PCI_BAR0 + index * 4
  pciStore32(slot, at, kind)
  const mask = ~(length - 1)
  // Of an I/O range all 32 bits, though ports have 16: firmware that takes the rest to be zero bits finds ranges of 4 GiB.
  pciWritable32(slot, at, <u32>mask & (kind & BAR_IO ? 0xfffffffc : 0xfffffff0))
  if (kind & BAR_MEMORY_64) pciWritable32(slot, at + 4, <u32>(mask >> 32))
  pciWritable16(slot, PCI_COMMAND, kind & BAR_IO ? COMMAND_IO : COMMAND_MEMORY)
}

/** Interrupt pin 1-4 (INTA#-INTD#); makes the line register writable, which nobody but software looks at. */
export function pciInterruptPin(slot: u32, pin: u32): void {
  pciStore8(slot, PCI_INTERRUPT_PIN, pin)
  pciWritable8(slot, PCI_INTERRUPT_LINE, 0xff)
  pciWritable16(slot, PCI_COMMAND, COMMAND_INTX_DISABLE)
}

export function pciSubsystem(slot: u32, id: u32): void {
  pciStore32(slot, PCI_SUBSYSTEM, id)
}

export function pciLoad8(slot: u32, at: u32): u32 {
  return load<u8>(block(slot) + at, CONFIG)
}
export function pciLoad16(slot: u32, at: u32): u32 {
  return load<u16>(block(slot) + at, CONFIG)
}
export function pciLoad32(slot: u32, at: u32): u32 {
  return load<u32>(block(slot) + at, CONFIG)
}
export function pciStore8(slot: u32, at: u32, value: u32): void {
  store<u8>(block(slot) + at, value, CONFIG)
}
export function pciStore16(slot: u32, at: u32, value: u32): void {
  store<u16>(block(slot) + at, value, CONFIG)
}
export function pciStore32(slot: u32, at: u32, value: u32): void {
  store<u32>(block(slot) + at, value, CONFIG)
}

/** Adds to the bits that software can write. */
export function pciWritable8(slot: u32, at: u32, mask: u32): void {
  const cell = block(slot) + at
  store<u8>(cell, load<u8>(cell, MASK) | mask, MASK)
}
export function pciWritable16(slot: u32, at: u32, mask: u32): void {
  const cell = block(slot) + at
  store<u16>(cell, load<u16>(cell, MASK) | mask, MASK)
}
export function pciWritable32(slot: u32, at: u32, mask: u32): void {
  const cell = block(slot) + at
  store<u32>(cell, load<u32>(cell, MASK) | mask, MASK)
}
/** Bits that software clears by writing ones. */
export function pciClearable16(slot: u32, at: u32, mask: u32): void {
  const cell = block(slot) + at
  store<u16>(cell, load<u16>(cell, CLEARS) | mask, CLEARS)
}

/** Whether the function may begin transfers of its own: without it there is no DMA and no MSI. */
export function pciMastering(devfn: u32): bool {
  const slot = pciSlot(devfn)
  return slot != NO_SLOT && (pciLoad16(slot, PCI_COMMAND) & COMMAND_MASTER) != 0
}

/** Drives the function's interrupt pin; the command register may hold it back, the status register shows it. */
export function pciInterrupt(devfn: u32, asserted: bool): void {
  const slot = pciSlot(devfn)
  if (slot == NO_SLOT) return
  store<u8>(block(slot), asserted ? 1 : 0, INTX)
  interruptUpdate(slot)
}

function interruptUpdate(slot: u32): void {
  const pin = pciLoad8(slot, PCI_INTERRUPT_PIN)
  if (pin == 0) return
  const asserted = load<u8>(block(slot), INTX) != 0
  const status = pciLoad16(slot, PCI_STATUS)
  pciStore16(slot, PCI_STATUS, asserted ? status | STATUS_INTERRUPT : status & ~STATUS_INTERRUPT)
  const drives = asserted && !(pciLoad16(slot, PCI_COMMAND) & COMMAND_INTX_DISABLE) && !messagesOn(slot)
  // The board's swizzle: INTA# of device 1 is PIRQA, that of device 2 PIRQB, and so on.
  const device = <u32>load<u8>(block(slot), DEVFN) >> 3
  pirqLine((pin - 1 + device + 3) & 3, slot, drives)
}

// ---------------------------------------------------------------------------------------------------------
// Configuration accesses

export function pciAddressRead(): u32 {
  return load<u32>(DEV_PCI, ADDRESS)
}

/** Bits 30-24 and 1-0 are reserved and read as zeros. */
export function pciAddressWrite(value: u32): void {
  store<u32>(DEV_PCI, value & 0x80fffffc, ADDRESS)
}

/** The function that CF8h points at: bus 0 alone exists. */
function selected(): u32 {
  const address = load<u32>(DEV_PCI, ADDRESS)
  if (!(address & ENABLE) || (address >> 16) & 0xff) return NO_SLOT
  return pciSlot((address >> 8) & 0xff)
}

/** `size` bytes (1, 2, 4) from byte `lane` of the double word that CF8h points at; they do not leave it. */
export function pciDataRead(lane: u32, size: u32): u32 {
  const slot = selected()
  const ones: u32 = size == 4 ? 0xffffffff : (1 << (size << 3)) - 1
  if (slot == NO_SLOT) return ones
  const at = (load<u32>(DEV_PCI, ADDRESS) & 0xfc) + lane
  return (load<u32>(block(slot) + (at & 0xfc), CONFIG) >> (lane << 3)) & ones
}

export function pciDataWrite(lane: u32, size: u32, value: u32): void {
  const slot = selected()
  if (slot == NO_SLOT) return
  const at = (load<u32>(DEV_PCI, ADDRESS) & 0xfc) + lane
  for (let i: u32 = 0; i < size; i++) writeByte(slot, at + i, (value >> (i << 3)) & 0xff)
  configWritten(slot, at, size)
}

function writeByte(slot: u32, at: u32, value: u32): void {
  const cell = block(slot) + at
  const mask = <u32>load<u8>(cell, MASK)
  const kept = <u32>load<u8>(cell, CONFIG) & ~(value & load<u8>(cell, CLEARS))
  store<u8>(cell, (kept & ~mask) | (value & mask), CONFIG)
}

function configWritten(slot: u32, at: u32, size: u32): void {
  const end = at + size
  if (at < PCI_STATUS && end > PCI_COMMAND) {
    interruptUpdate(slot)
    pciWindowsChanged()
  } else if (at < PCI_BAR0 + BAR_COUNT * 4 && end > PCI_BAR0) pciWindowsChanged()
  if (at >= PCI_STANDARD && pciLoad8(slot, PCI_CAPABILITIES)) {
    interruptUpdate(slot)
    msiMaskWritten(slot, load<u8>(block(slot), DEVFN))
  }
  pciConfigWritten(slot, load<u8>(block(slot), DEVFN), at, end)
}

// ---------------------------------------------------------------------------------------------------------
// What is decoded where

/** Works out the windows again: a BAR, a command register or a device's own decode register has changed. */
export function pciWindowsChanged(): void {
  rebuildWindows()
  pciPlaced()
  busMapChanged()
}

function rebuildWindows(): void {
  store<u32>(DEV_PCI, 0, PCI_WINDOW_COUNT)
  store<u32>(DEV_PCI, 0x10000, IO_LOWEST)
  store<u64>(DEV_PCI, u64.MAX_VALUE, MEMORY_LOWEST)
  const count = load<u32>(DEV_PCI, FUNCTION_COUNT)
  for (let slot: u32 = 0; slot < count; slot++) {
    const command = pciLoad16(slot, PCI_COMMAND)
    for (let index: u32 = 0; index < BAR_COUNT; index++) {
      const record = bar(slot, index)
      const length = load<u64>(record, BAR_LENGTH)
      if (length == 0) continue
      const io = (load<u32>(record, BAR_KIND) & BAR_IO) != 0
      if (!(command & (io ? COMMAND_IO : COMMAND_MEMORY))) continue
      pciWindow(slot, io, barBase(slot, index), length, load<u32>(record, BAR_HANDLER))
    }
  }
  pciFixedWindows()
}

/** Where the BAR points now, decoded or not. */
export function barBase(slot: u32, index: u32): u64 {
  const at = PCI_BAR0 + index * 4
  const low = pciLoad32(slot, at)
  if (low & BAR_IO) return low & 0xfffffffc
  const high: u64 = low & BAR_MEMORY_64 ? pciLoad32(slot, at + 4) : 0
  return (low & 0xfffffff0) | (high << 32)
}

/** Adds a range to what is decoded. A range at 0 is not placed yet: PC firmware and systems take it so. */
export function pciWindow(slot: u32, io: bool, base: u64, length: u64, handler: u32): void {
  const count = load<u32>(DEV_PCI, PCI_WINDOW_COUNT)
  if (base == 0 || count >= <u32>PCI_WINDOW_MAX) return
  const record: usize = DEV_PCI + PCI_WINDOWS + <usize>count * PCI_WINDOW_SIZE
  store<u64>(record, base, PCI_WINDOW_BASE)
  store<u64>(record, length, PCI_WINDOW_LENGTH)
  store<u32>(record, handler, PCI_WINDOW_HANDLER)
  store<u32>(record, io ? 1 : 0, PCI_WINDOW_IO)
  store<u32>(record, slot, PCI_WINDOW_SLOT)
  store<u32>(DEV_PCI, count + 1, PCI_WINDOW_COUNT)
  if (io) {
    if (base < load<u32>(DEV_PCI, IO_LOWEST)) store<u32>(DEV_PCI, <u32>base, IO_LOWEST)
  } else if (base < load<u64>(DEV_PCI, MEMORY_LOWEST)) store<u64>(DEV_PCI, base, MEMORY_LOWEST)
}

/** Handler and offset of the window found last. */
export let windowHandler: u32 = 0
export let windowOffset: u64 = 0

/** Whether a window holds all of `size` bytes at `address`: then windowHandler and windowOffset say which and where. */
function findWindow(io: u32, address: u64, size: u32): bool {
  const count = load<u32>(DEV_PCI, PCI_WINDOW_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = DEV_PCI + PCI_WINDOWS + <usize>i * PCI_WINDOW_SIZE
    if (load<u32>(record, PCI_WINDOW_IO) != io) continue
    const offset = address - load<u64>(record, PCI_WINDOW_BASE)
    const length = load<u64>(record, PCI_WINDOW_LENGTH)
    if (offset >= length || offset + size > length) continue
    windowHandler = load<u32>(record, PCI_WINDOW_HANDLER)
    windowOffset = offset
    return true
  }
  return false
}

@inline
export function pciIoFind(port: u32, size: u32): bool {
  return port >= load<u32>(DEV_PCI, IO_LOWEST) && findWindow(1, port, size)
}

@inline
export function pciMemoryFind(phys: u64, size: u32): bool {
  return phys >= load<u64>(DEV_PCI, MEMORY_LOWEST) && findWindow(0, phys, size)
}

/** Guest-physical (or I/O) address at which `handler`'s range is decoded now; all ones when it is not. */
export function pciWindowBase(handler: u32): u64 {
  const count = load<u32>(DEV_PCI, PCI_WINDOW_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = DEV_PCI + PCI_WINDOWS + <usize>i * PCI_WINDOW_SIZE
    if (load<u32>(record, PCI_WINDOW_HANDLER) == handler) return load<u64>(record, PCI_WINDOW_BASE)
  }
  return u64.MAX_VALUE
}
