// The bus master of the PIIX3's IDE function: per channel a command, a status and a descriptor table pointer, 16 ports at
// BAR4 of PCI function 01.1. References: 82371SB (PIIX3) data sheet 290550, 2.4 and 3.2.9-3.2.11; Programming Interface
// for Bus Master IDE Controller 1.0 (SFF-8038i).
//
// The device says when it has data or wants some (ataDmaStarted, in the ATA files); the engine here only walks the
// descriptors. A descriptor is at least two bytes long, so no table, however it is made, keeps a transfer from ending.

import { dmaRead, dmaWrite } from '../memory/dma'
import { ataChannel, ataDmaStarted } from './ata'
import { pciMastering } from './pci'
import { DEVFN_IDE } from './pci-devices'

// State, from the channel's block
const BM_COMMAND: usize = 112 // u8
const BM_STATUS: usize = 113 // u8
const BM_TABLE: usize = 116 // u32, BMIDTP
/** The descriptor being worked on. */
const BM_NEXT: usize = 120 // u32, address of the next descriptor
const BM_ADDRESS: usize = 124 // u32, memory
const BM_LEFT: usize = 128 // u32, bytes left of it
const BM_LAST: usize = 132 // u8, it is the last one

const COMMAND_START: u32 = 0x01
const COMMAND_TO_MEMORY: u32 = 0x08
const STATUS_ACTIVE: u32 = 0x01
const STATUS_ERROR: u32 = 0x02
const STATUS_INTERRUPT: u32 = 0x04
/** Drive 0 and 1 are set up for DMA: for software's own use. */
const STATUS_CAPABLE: u32 = 0x60

/** Reads byte `offset` (0-15) of the I/O range: 0-7 the primary channel, 8-15 the secondary. */
export function busMasterRead(offset: u32): u32 {
  const c = ataChannel((offset >> 3) & 1)
  const register = offset & 7
  if (register == 0) return load<u8>(c, BM_COMMAND)
  if (register == 2) return load<u8>(c, BM_STATUS)
  return register >= 4 ? load<u8>(c + (register & 3), BM_TABLE) : 0
}

export function busMasterWrite(offset: u32, value: u32, now: u64): void {
  const channel = (offset >> 3) & 1
  const c = ataChannel(channel)
  const register = offset & 7
  if (register == 0) {
    const before = <u32>load<u8>(c, BM_COMMAND)
    // The direction must not change while the engine runs (3.2.9); it does not.
    const direction = before & COMMAND_START & value ? before & COMMAND_TO_MEMORY : value & COMMAND_TO_MEMORY
    store<u8>(c, (value & COMMAND_START) | direction, BM_COMMAND)
    if ((value & ~before & COMMAND_START) != 0) start(c, channel, now)
    else if ((value & COMMAND_START) == 0) setStatus(c, status(c) & ~STATUS_ACTIVE)
  } else if (register == 2) {
    const cleared = value & (STATUS_ERROR | STATUS_INTERRUPT)
    setStatus(c, (status(c) & ~cleared & ~STATUS_CAPABLE) | (value & STATUS_CAPABLE))
  } else if (register >= 4) {
    store<u8>(c + (register & 3), register == 4 ? value & 0xfc : value, BM_TABLE)
  }
}

/** The drive's interrupt has come in: the bit is set by the edge, whoever made it (3.2.10). */
export function busMasterInterrupt(c: usize): void {
  setStatus(c, status(c) | STATUS_INTERRUPT)
}

/** The engine runs, may master the bus, and moves data this way. */
export function busMasterReady(c: usize, toMemory: bool): bool {
  return (
    (status(c) & STATUS_ACTIVE) != 0 &&
    pciMastering(DEVFN_IDE) &&
    ((load<u8>(c, BM_COMMAND) & COMMAND_TO_MEMORY) != 0) == toMemory
  )
}

/**
 * Moves up to `length` bytes between `buffer` and the memory the descriptors name; how many. Less than all: the table
 * has come to its end (Active is clear, no interrupt) or named an address that is nobody's (Error is set as well).
 */
export function busMasterMove(c: usize, buffer: usize, length: u32, toMemory: bool): u32 {
  let done: u32 = 0
  while (done < length) {
    if (load<u32>(c, BM_LEFT) == 0 && !nextDescriptor(c)) return done
    const address = load<u32>(c, BM_ADDRESS)
    const part = min<u32>(load<u32>(c, BM_LEFT), length - done)
    const moved = toMemory ? dmaWrite(address, buffer + done, part) : dmaRead(address, buffer + done, part)
    store<u32>(c, address + moved, BM_ADDRESS)
    store<u32>(c, load<u32>(c, BM_LEFT) - moved, BM_LEFT)
    done += moved
    if (moved < part) {
      abort(c)
      return done
    }
  }
  // All that was described has been moved: the engine is done when the device is (SFF-8038i, table "status")
  if (load<u32>(c, BM_LEFT) == 0 && load<u8>(c, BM_LAST)) setStatus(c, status(c) & ~STATUS_ACTIVE)
  return done
}

function start(c: usize, channel: u32, now: u64): void {
  store<u32>(c, load<u32>(c, BM_TABLE), BM_NEXT)
  store<u32>(c, 0, BM_LEFT)
  store<u8>(c, 0, BM_LAST)
  setStatus(c, status(c) | STATUS_ACTIVE)
  ataDmaStarted(channel, now)
}

/** False at the end of the table. Descriptor: base, then byte count (0: 64 KiB) with EOT in bit 31. */
function nextDescriptor(c: usize): bool {
  if (load<u8>(c, BM_LAST)) {
    setStatus(c, status(c) & ~STATUS_ACTIVE)
    return false
  }
  const at = load<u32>(c, BM_NEXT)
  let read: u32 = 0
  // 8 bytes at BM_ADDRESS and BM_LEFT, which lie side by side
  read = dmaRead(at, c + BM_ADDRESS, 8)
  if (read < 8) {
    store<u32>(c, 0, BM_LEFT)
    abort(c)
    return false
  }
  const count = load<u32>(c, BM_LEFT)
  store<u32>(c, load<u32>(c, BM_ADDRESS) & ~1, BM_ADDRESS)
  store<u32>(c, (count & 0xfffe) == 0 ? 0x10000 : count & 0xfffe, BM_LEFT)
  store<u8>(c, count >> 31, BM_LAST)
  // A table must not cross 64 KiB: the counter has 16 bits
  store<u32>(c, (at & 0xffff0000) | ((at + 8) & 0xffff), BM_NEXT)
  return true
}

/** A master abort on the bus: Error, not active; the drive is left waiting, as no one tells it. */
function abort(c: usize): void {
  setStatus(c, (status(c) & ~STATUS_ACTIVE) | STATUS_ERROR)
}

@inline
function status(c: usize): u32 {
  return load<u8>(c, BM_STATUS)
}

@inline
function setStatus(c: usize, value: u32): void {
  store<u8>(c, value, BM_STATUS)
}
