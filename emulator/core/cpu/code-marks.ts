// Which frames hold decoded code, of which CPU, and who may be writing them. With one CPU this is a mask per frame. With
// several, each CPU decodes for itself, so a write by one has to reach the traces of the others, and a CPU must not keep
// a trace of bytes that another may write unseen:
//
// - FRAME_WRITERS names the CPUs that may hold a fast TLB entry or a pointer to write the frame by. A CPU sets its bit
//   before it looks at FRAME_CODE, and then writes.
// - A CPU that decodes sets FRAME_CODE, then looks at FRAME_WRITERS. CPUs it finds there have to come to a boundary and
//   drop their fast entries first; when one does not within a moment, the trace is used once and not kept.
// - Who writes marked bytes writes first, then looks at FRAME_CODE_CPUS and hands the range to each CPU named there. It
//   drops its traces of those bytes at its next boundary, that is before the next serialising instruction has completed,
//   which is what SDM 3A 8.1.3 asks of cross-modifying code.
//
// FRAME_CODE is exact while one CPU has code in a frame, and may say too much when there are several.

import {
  CODE_WRITES_MAX,
  CPU_CODE_WRITES,
  CPU_DROP_SERIAL,
  CPU_IN_GUEST,
  FRAME_CODE,
  FRAME_CODE_CPUS,
  FRAME_SIZE,
  FRAME_WRITERS,
  HDR_CODE_LOCK,
  HDR_PROTECT_LOCK,
  HEADER,
  MAINTENANCE_CODE,
  MAINTENANCE_DROP_FAST,
  MAINTENANCE_DROP_TRACES,
} from '../layout'
import { hostWait, WAIT_MICROSECONDS } from '../host'
import { cpuBlock, cpuCount, maintenancePost } from '../machine/smp'
import { tlbDropFast } from '../memory/tlb'
import { cpu, cpuIndex, frames } from './context'

/** How long a writer is waited for, in looks at it: a few microseconds. */
const PATIENCE: u32 = 1000
const ENTRY: usize = 8

@inline
function metaOf(frame: u32): usize {
  return frames + frame * FRAME_SIZE
}

@inline
export function selfBit(): u32 {
  return (1 as u32) << cpuIndex
}

/** Short, and never held across a wait. */
function lockCode(): void {
  for (let i: u32 = 1; atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_CODE_LOCK) != 0; i++) {
    // Whoever holds it may be without a core.
    if ((i & 1023) == 0) hostWait(HEADER + HDR_CODE_LOCK, 1, WAIT_MICROSECONDS | 50)
  }
}

function unlockCode(): void {
  atomic.store<u32>(HEADER, 0, HDR_CODE_LOCK)
}

/** Before this CPU writes `frame` by a pointer or a fast entry. The caller looks at FRAME_CODE afterwards. */
@inline
export function writerNote(meta: usize): void {
  if (!(load<u32>(meta, FRAME_WRITERS) & selfBit())) atomic.or<u32>(meta, selfBit(), FRAME_WRITERS)
}

/**
 * Before bytes of `frame` are decoded: marks the chunks in `mask`, and makes sure that nobody writes them unseen. False:
 * somebody may; what is decoded now must not be kept.
 */
export function codeProtect(frame: u32, mask: u64): bool {
  const meta = metaOf(frame)
  const self = selfBit()
  if (cpuCount() == 1) {
    store<u64>(meta, load<u64>(meta, FRAME_CODE) | mask, FRAME_CODE)
    store<u32>(meta, self, FRAME_CODE_CPUS)
    if (load<u32>(meta, FRAME_WRITERS)) {
      store<u32>(meta, 0, FRAME_WRITERS)
      tlbDropFast()
    }
    return true
  }
  // One at a time, or one would take for stopped whom the other is still waiting for.
  if (atomic.cmpxchg<u32>(HEADER, 0, 1, HDR_PROTECT_LOCK) != 0) return false
  lockCode()
  atomic.or<u32>(meta, self, FRAME_CODE_CPUS)
  atomic.or<u64>(meta, mask, FRAME_CODE)
  unlockCode()
  const writers = atomic.xchg<u32>(meta, 0, FRAME_WRITERS)
  if (writers & self) tlbDropFast()
  let left = writers & ~self
  let unseen: u32 = 0
  while (left) {
    const index: u32 = ctz(left)
    left &= left - 1
    if (!writerStopped(index)) unseen |= (1 as u32) << index
  }
  if (unseen) atomic.or<u32>(meta, unseen, FRAME_WRITERS)
  atomic.store<u32>(HEADER, 0, HDR_PROTECT_LOCK)
  return unseen == 0
}

/** Makes CPU `index` give up its fast entries; true when it has, or is out of the guest and will before it is in again. */
function writerStopped(index: u32): bool {
  const block = cpuBlock(index)
  const serial = atomic.load<u32>(block, CPU_DROP_SERIAL)
  maintenancePost(index, MAINTENANCE_DROP_FAST)
  for (let i: u32 = 0; i < PATIENCE; i++) {
    if (atomic.load<u32>(block, CPU_IN_GUEST) == 0 || atomic.load<u32>(block, CPU_DROP_SERIAL) != serial)
      return true
  }
  return false
}

/** `length` bytes at `offset` of a marked frame were written: the other CPUs with code there are told. */
export function codeWrittenElsewhere(frame: u32, offset: u32, length: u32): void {
  let left = atomic.load<u32>(metaOf(frame), FRAME_CODE_CPUS) & ~selfBit()
  while (left) {
    const index: u32 = ctz(left)
    left &= left - 1
    const writes = cpuBlock(index) + CPU_CODE_WRITES
    lockCode()
    const count = load<u32>(writes)
    if (count < <u32>CODE_WRITES_MAX) {
      const entry = writes + ENTRY + count * ENTRY
      store<u32>(entry, frame)
      store<u16>(entry, offset as u16, 4)
      store<u16>(entry, length as u16, 6)
      store<u32>(writes, count + 1)
    }
    unlockCode()
    maintenancePost(index, count < <u32>CODE_WRITES_MAX ? MAINTENANCE_CODE : MAINTENANCE_DROP_TRACES)
  }
}

/** Takes one of the writes that were handed to this CPU: frame | offset << 32 | length << 48, all ones when there is none. */
export function codeWriteTake(): u64 {
  const writes = cpu + CPU_CODE_WRITES
  lockCode()
  const count = load<u32>(writes)
  let entry: u64 = 0xffffffffffffffff
  if (count) {
    entry = load<u64>(writes + count * ENTRY)
    store<u32>(writes, count - 1)
  }
  unlockCode()
  return entry
}

/** This CPU's traces of `frame` are those in the chunks of `mask`, 0: it has none. */
export function codeRemains(frame: u32, mask: u64): void {
  const meta = metaOf(frame)
  if (cpuCount() == 1) {
    store<u64>(meta, mask, FRAME_CODE)
    return
  }
  const self = selfBit()
  lockCode()
  if (!mask) atomic.and<u32>(meta, ~self, FRAME_CODE_CPUS)
  const cpus = atomic.load<u32>(meta, FRAME_CODE_CPUS)
  if ((cpus & ~self) == 0) atomic.store<u64>(meta, mask, FRAME_CODE)
  unlockCode()
}
