// Requests to the block I/O thread. One slot a drive; content never crosses as a message, the thread reads and
// writes the machine's memory directly.

import { hostWait } from '../host'
import {
  BLOCK_ADDRESS,
  BLOCK_COUNT,
  BLOCK_DONE,
  BLOCK_DOORBELL,
  BLOCK_DRIVE,
  BLOCK_ERROR,
  BLOCK_ERROR_ABSENT,
  BLOCK_IDLE,
  BLOCK_LBA,
  BLOCK_MEDIUM,
  BLOCK_OP,
  BLOCK_REQUESTS,
  BLOCK_SLOT_SIZE,
  BLOCK_STATE,
  BLOCK_SUBMITTED,
  CONTROL_QUIT,
  DRIVE_COUNT,
  DRIVE_MEDIUM,
  DRIVE_PRESENT,
  DRIVE_SIZE,
  DRIVES,
  EVENT_CLASS_DISK,
  EVENT_KIND_DISK,
  HDR_CONTROL,
  HEADER,
} from '../layout'
import { event } from './events'

@inline
function slot(drive: u32): usize {
  return BLOCK_REQUESTS + drive * BLOCK_SLOT_SIZE
}

/** Hands a request to the I/O thread. `address`: WebAssembly address of `count` sectors' room. One at a time a drive. */
export function blockSubmit(drive: u32, op: u32, lba: u64, count: u32, address: usize): void {
  const request = slot(drive)
  event(EVENT_CLASS_DISK, EVENT_KIND_DISK, op | (drive << 8) | (count << 16), lba, 0)
  store<u32>(request, op, BLOCK_OP)
  store<u32>(request, drive, BLOCK_DRIVE)
  store<u32>(request, count, BLOCK_COUNT)
  store<u64>(request, lba, BLOCK_LBA)
  store<u32>(request, address as u32, BLOCK_ADDRESS)
  store<u32>(request, load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_MEDIUM), BLOCK_MEDIUM)
  store<u32>(request, 0, BLOCK_ERROR)
  atomic.store<u32>(request, BLOCK_SUBMITTED, BLOCK_STATE)
  atomic.add<u32>(BLOCK_REQUESTS, 1, BLOCK_DOORBELL)
  atomic.notify(BLOCK_REQUESTS + BLOCK_DOORBELL, 1)
}

/** True from blockSubmit until blockWait has taken the answer. */
export function blockPending(drive: u32): bool {
  return atomic.load<u32>(slot(drive), BLOCK_STATE) != BLOCK_IDLE
}

/** Looks at the slot before the thread goes to sleep: about as long as a read from the host's cache takes. */
const SPINS: u32 = 20_000

/** Waits until the host has served the drive's request; BLOCK_ERROR_*. Idle drives answer at once. */
export function blockWait(drive: u32): u32 {
  const request = slot(drive)
  for (let i: u32 = 0; i < SPINS; i++) if (atomic.load<u32>(request, BLOCK_STATE) != BLOCK_SUBMITTED) break
  while (true) {
    const state = atomic.load<u32>(request, BLOCK_STATE)
    if (state == BLOCK_IDLE) return load<u32>(request, BLOCK_ERROR)
    if (state == BLOCK_DONE) break
    if (atomic.load<u32>(HEADER, HDR_CONTROL) == CONTROL_QUIT) return BLOCK_ERROR_ABSENT
    hostWait(request + BLOCK_STATE, state, 20)
  }
  atomic.store<u32>(request, BLOCK_IDLE, BLOCK_STATE)
  return load<u32>(request, BLOCK_ERROR)
}

/** Submits and waits; BLOCK_ERROR_*. */
export function blockTransfer(drive: u32, op: u32, lba: u64, count: u32, address: usize): u32 {
  if (drive >= <u32>DRIVE_COUNT || load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_PRESENT) == 0)
    return BLOCK_ERROR_ABSENT
  // The guest's own driver may have a command under way on the drive while it calls the firmware.
  if (blockPending(drive)) blockWait(drive)
  blockSubmit(drive, op, lba, count, address)
  return blockWait(drive)
}
