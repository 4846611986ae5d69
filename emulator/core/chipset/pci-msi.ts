// Message signalled interrupts of PCI functions: the capabilities MSI (PCI 2.2, 6.8.1) and MSI-X (PCI 3.0, 6.8.2), for
// devices to offer. A message is a write of a double word to FEExxxxxh; what is written elsewhere would be plain memory,
// which a device has no business with here, and is dropped. Without bus mastering a function sends nothing.

import { messageSignalled } from './lapic-messages'
import {
  NO_SLOT,
  PCI_CAPABILITIES,
  PCI_STATUS,
  pciLoad16,
  pciLoad32,
  pciLoad8,
  pciMastering,
  pciSlot,
  pciStore16,
  pciStore32,
  pciStore8,
  pciWritable16,
  pciWritable32,
} from './pci'

const CAPABILITY_MSI: u32 = 0x05
const CAPABILITY_MSIX: u32 = 0x11
const STATUS_CAPABILITIES: u32 = 0x0010

// MSI, offsets from the capability
const MSI_CONTROL: u32 = 2
const MSI_ADDRESS: u32 = 4
const MSI_ADDRESS_HIGH: u32 = 8
const MSI_DATA: u32 = 12
const MSI_MASK: u32 = 16
const MSI_PENDING: u32 = 20
const MSI_ENABLE: u32 = 0x0001
/** 64-bit addresses, a mask bit for every vector */
const MSI_FORM: u32 = 0x0180

// MSI-X
const MSIX_CONTROL: u32 = 2
const MSIX_TABLE: u32 = 4
const MSIX_PENDING: u32 = 8
const MSIX_ENABLE: u32 = 0x8000
const MSIX_FUNCTION_MASK: u32 = 0x4000
/** A table entry: address, data, vector control. */
export const MSIX_ENTRY: usize = 16
const ENTRY_HIGH: usize = 4
const ENTRY_DATA: usize = 8
const ENTRY_CONTROL: usize = 12

/** Puts a capability at `at` in front of the function's list. */
function capability(slot: u32, at: u32, id: u32): void {
  pciStore8(slot, at, id)
  pciStore8(slot, at + 1, pciLoad8(slot, PCI_CAPABILITIES))
  pciStore8(slot, PCI_CAPABILITIES, at)
  pciStore16(slot, PCI_STATUS, pciLoad16(slot, PCI_STATUS) | STATUS_CAPABILITIES)
}

/** Where the function has the capability, 0: nowhere. */
export function pciCapability(slot: u32, id: u32): u32 {
  let at = pciLoad8(slot, PCI_CAPABILITIES)
  for (let i: u32 = 0; at != 0 && i < 48; i++) {
    if (pciLoad8(slot, at) == id) return at
    at = pciLoad8(slot, at + 1)
  }
  return 0
}

/** Offers MSI at configuration address `at` (24 bytes) with 2^`order` vectors, order 0-5. */
export function msiOffer(slot: u32, at: u32, order: u32): void {
  capability(slot, at, CAPABILITY_MSI)
  pciStore16(slot, at + MSI_CONTROL, MSI_FORM | (order << 1))
  pciWritable16(slot, at + MSI_CONTROL, 0x0071)
  pciWritable32(slot, at + MSI_ADDRESS, 0xfffffffc)
  pciWritable32(slot, at + MSI_ADDRESS_HIGH, 0xffffffff)
  pciWritable16(slot, at + MSI_DATA, 0xffff)
  pciWritable32(slot, at + MSI_MASK, order == 5 ? 0xffffffff : (1 << (1 << order)) - 1)
}

/** Whether MSI or MSI-X is switched on: then the function does not drive its interrupt pin (6.8). */
export function messagesOn(slot: u32): bool {
  const msi = pciCapability(slot, CAPABILITY_MSI)
  if (msi && pciLoad16(slot, msi + MSI_CONTROL) & MSI_ENABLE) return true
  const msix = pciCapability(slot, CAPABILITY_MSIX)
  return msix != 0 && (pciLoad16(slot, msix + MSIX_CONTROL) & MSIX_ENABLE) != 0
}

function send(address: u32, high: u32, data: u32): void {
  if (high == 0 && address >> 20 == 0xfee) messageSignalled(address, data)
}

/** Sends vector `vector` of the function's MSI, or notes that it is pending while it is masked. */
export function msiSend(devfn: u32, vector: u32): void {
  const slot = pciSlot(devfn)
  if (slot == NO_SLOT || !pciMastering(devfn)) return
  const at = pciCapability(slot, CAPABILITY_MSI)
  if (!at) return
  const control = pciLoad16(slot, at + MSI_CONTROL)
  if (!(control & MSI_ENABLE)) return
  // Software may have granted fewer vectors than were asked for: the low bits of the data count them.
  const order = min<u32>((control >> 4) & 7, (control >> 1) & 7)
  const number = vector & ((1 << order) - 1)
  const pending = pciLoad32(slot, at + MSI_PENDING)
  if (pciLoad32(slot, at + MSI_MASK) & (1 << number)) {
    pciStore32(slot, at + MSI_PENDING, pending | (1 << number))
    return
  }
  pciStore32(slot, at + MSI_PENDING, pending & ~(1 << number))
  const data = (pciLoad16(slot, at + MSI_DATA) & ~((1 << order) - 1)) | number
  send(pciLoad32(slot, at + MSI_ADDRESS), pciLoad32(slot, at + MSI_ADDRESS_HIGH), data)
}

/** The mask of a function's MSI may have been written: what is pending and free now is sent. */
export function msiMaskWritten(slot: u32, devfn: u32): void {
  const at = pciCapability(slot, CAPABILITY_MSI)
  if (!at) return
  let free = pciLoad32(slot, at + MSI_PENDING) & ~pciLoad32(slot, at + MSI_MASK)
  while (free) {
    msiSend(devfn, ctz(free))
    free &= free - 1
  }
}

/**
 * Offers MSI-X at configuration address `at` (12 bytes) with `count` vectors (1-2048), whose table and pending bits lie
 * at `table` and `pending` (multiples of 8) in the memory of BAR `bar`.
 */
export function msixOffer(slot: u32, at: u32, count: u32, bar: u32, table: u32, pending: u32): void {
  capability(slot, at, CAPABILITY_MSIX)
  pciStore16(slot, at + MSIX_CONTROL, count - 1)
  pciWritable16(slot, at + MSIX_CONTROL, MSIX_ENABLE | MSIX_FUNCTION_MASK)
  pciStore32(slot, at + MSIX_TABLE, table | bar)
  pciStore32(slot, at + MSIX_PENDING, pending | bar)
}

/** After reset every vector is masked. `table`: WebAssembly address of the entries, state of the device. */
export function msixTableReset(table: usize, count: u32): void {
  memory.fill(table, 0, <usize>count * MSIX_ENTRY)
  for (let i: u32 = 0; i < count; i++) store<u32>(table + i * MSIX_ENTRY, 1, ENTRY_CONTROL)
}

/** Sends vector `vector`; false while it is masked: the device notes it in its pending bits. */
export function msixSend(devfn: u32, table: usize, vector: u32): bool {
  const slot = pciSlot(devfn)
  if (slot == NO_SLOT || !pciMastering(devfn)) return true
  const at = pciCapability(slot, CAPABILITY_MSIX)
  if (!at) return true
  const control = pciLoad16(slot, at + MSIX_CONTROL)
  if (!(control & MSIX_ENABLE)) return true
  const entry = table + <usize>vector * MSIX_ENTRY
  if (control & MSIX_FUNCTION_MASK || load<u32>(entry, ENTRY_CONTROL) & 1) return false
  send(load<u32>(entry), load<u32>(entry, ENTRY_HIGH), load<u32>(entry, ENTRY_DATA))
  return true
}
