// Bytes on their way out of the machine: COM ports and the debug console.

import { hostWait, hostWake } from '../host'
import {
  CONTROL_QUIT,
  HDR_CONTROL,
  HDR_HOST_WAKE,
  HEADER,
  OUTPUT_RING_STRIDE,
  OUTPUT_RINGS,
  RING_CAPACITY,
  RING_DATA,
  RING_READ,
  RING_WRITE,
} from '../layout'

/**
 * Appends a byte to ring `ring` (RING_*). When the host has fallen behind by a whole ring, waits for it: nothing
 * the guest sent is lost. Gives up only when the machine is being closed.
 */
export function outputByte(ring: u32, byte: u32): void {
  const base: usize = OUTPUT_RINGS + ring * OUTPUT_RING_STRIDE
  const write = load<u32>(base, RING_WRITE)
  let read = atomic.load<u32>(base, RING_READ)
  while (write - read >= <u32>RING_CAPACITY) {
    wakeHost()
    if (atomic.load<u32>(HEADER, HDR_CONTROL) == CONTROL_QUIT) return
    hostWait(base + RING_READ, read, 20)
    read = atomic.load<u32>(base, RING_READ)
  }
  store<u8>(base + RING_DATA + (write & (RING_CAPACITY - 1)), byte as u8)
  atomic.store<u32>(base, write + 1, RING_WRITE)
  wakeHost()
}

/** Tells the host that there is news, once until it has looked. */
export function wakeHost(): void {
  if (load<u32>(HEADER, HDR_HOST_WAKE) == 0 && atomic.xchg<u32>(HEADER, 1, HDR_HOST_WAKE) == 0) hostWake()
}
