// The trace cache: decoded code by guest-physical address and CPU mode. Traces die when the bytes they were made
// from are written; when the arena is full everything is dropped. Nothing here is machine state.

import { codeProtect, codeRemains, codeWriteTake, codeWrittenElsewhere } from './code-marks'
import { cpu, cpuIndex, frameCount, frames, traceHeads } from './context'
import { DECODE_MORE, DECODED_LAST, decode } from './decode'
import { faultPending, raise } from './fault'
import { fuse } from './fuse'
import { dropDeadFlags } from './liveness'
import { fallsThrough, isJump, Op, remembers, Sys } from './ops'
import { probeOffset } from './probes'
import { specialise } from './specialise'
import { fetchPhysical, fetchTranslate, frameExecuted } from '../memory/linear'
import { a20, frameBufferPointer, physicalPointer, physicalRead8, ramPointer } from '../memory/physical'
import { cpuCount } from '../machine/smp'
import {
  CODE_BYTES_MAX,
  CPU_CODE_BYTES,
  CPU_FETCH_FRAME,
  CPU_FETCH_PAGE,
  CPU_JUMPS,
  CPU_MODE,
  CPU_SEGMENTS,
  CPU_STATS,
  CPU_TRACE_EPOCH,
  CPU_TRACE_HASH,
  CPU_TRACE_NEXT,
  CPU_TRACES,
  CPU_TRACES_END,
  FAULT_DETAIL_SEGMENT_LIMIT,
  FRAME_CODE,
  FRAME_SIZE,
  JUMPS_COUNT,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SIZE,
  STAT_TRACES_BUILT,
  STAT_TRACES_DROPPED,
  TRACE_HASH_COUNT,
} from '../layout'
import {
  O_AUX,
  O_DISP,
  O_IMM,
  O_LENGTH,
  O_OFFSET,
  O_OP,
  OP_SIZE,
  TRACE_BYTES,
  TRACE_CODE,
  TRACE_COUNT,
  TRACE_DEAD,
  TRACE_FRAME_NEXT,
  TRACE_HASH_NEXT,
  TRACE_HEADER,
  TRACE_LAST,
  TRACE_LIMIT,
  TRACE_MODE,
  TRACE_PHYS,
  TRACE_PREFIXES,
  TRACE_SHARED,
} from './trace-format'
import { EXC_GP } from './vectors'

/** Room for the largest trace, its ADDRESS and END records included: one END, also behind a system instruction. */
const TRACE_ROOM: usize = TRACE_HEADER + (2 * TRACE_LIMIT + 1) * OP_SIZE
/** Where a trace lies that is not cached: single steps, ends of slices, code across pages or outside RAM. */
const SCRATCH: usize = CPU_TRACES
/** Where execute.ts lays out the one record it carries out through a window (and an end). */
export const WINDOW: usize = CPU_TRACES + TRACE_ROOM
const ARENA: usize = WINDOW + 2 * OP_SIZE
/** Bytes of an instruction gathered from two pages or from a device. */
const GATHER: usize = 0x3200

@inline
function bucket(phys: u32, mode: u32): usize {
  const h = (phys * 0x9e3779b1) ^ (mode * 0x85ebca6b)
  return cpu + CPU_TRACE_HASH + ((h >> 12) & (TRACE_HASH_COUNT - 1)) * 4
}

/** Empties the cache, at binding and when the arena is full. */
export function traceDropAll(): void {
  memory.fill(cpu + CPU_TRACE_HASH, 0, TRACE_HASH_COUNT * 4)
  for (let frame: u32 = 0; frame < frameCount; frame++) {
    if (load<u32>(traceHeads + frame * 4)) codeRemains(frame, 0)
  }
  memory.fill(cpu + CPU_JUMPS, 0, JUMPS_COUNT * 16)
  memory.fill(traceHeads, 0, frameCount * 4)
  store<u32>(cpu, <u32>(cpu + ARENA), CPU_TRACE_NEXT)
  store<u32>(cpu, load<u32>(cpu, CPU_TRACE_EPOCH) + 1, CPU_TRACE_EPOCH)
}

export const NOWHERE: u64 = 0xffffffffffffffff
/** Linear address before which traces of CPU `breakCpu` end in a BREAK record. */
let breakAt: u64 = NOWHERE
let breakCpu: u32 = 0

/** Sets the break of runUntil(). Traces made without it do not know it: the caller drops them. */
export function traceBreakAt(linear: u64, index: u32): void {
  breakAt = linear
  breakCpu = index
}

@inline
function linearRip(rip: u64): u64 {
  const mode = load<u32>(cpu, CPU_MODE)
  if ((mode & MODE_SIZE) == MODE_CODE64) return rip
  return (load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE) + rip) & 0xffffffff
}

/**
 * Makes the page of `linear` the fetch page and answers the guest-physical address of the instruction, or all
 * ones with #PF pending.
 */
@inline
function fetchAddress(linear: u64): u64 {
  if (load<u64>(cpu, CPU_FETCH_PAGE) != ((linear & ~(0xfff as u64)) | 1)) {
    if (!fetchTranslate(linear)) return 0xffffffffffffffff
  }
  return load<u64>(cpu, CPU_FETCH_FRAME) | (linear & 0xfff)
}

/** The trace that starts at `rip` in the present mode, decoded if need be. 0: a fault is pending. */
export function traceFind(rip: u64): usize {
  const linear = linearRip(rip)
  const phys = fetchAddress(linear)
  if (phys == 0xffffffffffffffff) return 0
  const key = <u32>a20(phys)
  const mode = load<u32>(cpu, CPU_MODE)
  let trace: usize = load<u32>(bucket(key, mode))
  while (trace) {
    if (load<u32>(trace, TRACE_PHYS) == key && load<u32>(trace, TRACE_MODE) == mode) return trace
    trace = load<u32>(trace, TRACE_HASH_NEXT)
  }
  return build(linear, phys, TRACE_LIMIT, true)
}

/** A trace of at most `limit` instructions from `rip` that is not cached. Valid until the next call. 0: a fault is pending. */
export function tracePartial(rip: u64, limit: u32): usize {
  const linear = linearRip(rip)
  const phys = fetchAddress(linear)
  if (phys == 0xffffffffffffffff) return 0
  return build(linear, phys, limit < TRACE_LIMIT ? limit : TRACE_LIMIT, false)
}

/** tracePartial of one instruction that must lie within CS's limit, else #GP(0) (SDM 3A 5.3). */
export function traceWithinLimit(rip: u64): usize {
  const limit = load<u32>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_LIMIT) as u64
  if (rip <= limit) {
    const trace = tracePartial(rip, 1)
    if (!trace) return 0
    if (rip + load<u16>(trace, TRACE_BYTES) - 1 <= limit) return trace
  }
  raise(EXC_GP, 0, FAULT_DETAIL_SEGMENT_LIMIT, rip, (SEG_CS as u64) | (limit << 32))
  return 0
}

function build(linear: u64, phys: u64, limit: u32, cached: bool): usize {
  const mode = load<u32>(cpu, CPU_MODE)
  const target = a20(phys)
  const frame = <u32>(target >> 12)
  const offset = <u32>phys & 0xfff
  let bytes = frame >= frameCount && frameBufferPointer(target) ? 0 : physicalPointer(phys)
  let available: u32 = 4096 - offset
  let most = limit
  let shared = cached && bytes != 0
  const source = bytes
  const stop = breakCpu == cpuIndex ? breakAt : NOWHERE
  if (!bytes) {
    // Code in video memory, a device or a hole: fetched byte by byte, decoded anew each time.
    bytes = cpu + GATHER
    if (available > 16) available = 16
    for (let i: u32 = 0; i < available; i++) store<u8>(bytes + i, physicalRead8(phys + i))
    most = 1
  } else {
    frameExecuted(phys)
    if (shared && cpuCount() > 1) {
      // Another CPU may be writing them: what is decoded is compared with what is there once they are protected.
      memory.copy(cpu + CPU_CODE_BYTES, bytes, available < <u32>CODE_BYTES_MAX ? available : CODE_BYTES_MAX)
      bytes = cpu + CPU_CODE_BYTES
    }
  }

  let trace: usize = cpu + SCRATCH
  if (shared) {
    if (load<u32>(cpu, CPU_TRACE_NEXT) + TRACE_ROOM > cpu + CPU_TRACES_END) traceDropAll()
    trace = load<u32>(cpu, CPU_TRACE_NEXT)
  }
  let record = trace + TRACE_HEADER
  let length: u32 = 0
  let count: u32 = 0
  let last = false
  if (linear == stop) {
    memory.fill(record, 0, OP_SIZE)
    store<u16>(record, Op.SYSTEM, O_OP)
    store<u32>(record, Sys.BREAK, O_AUX)
    record += OP_SIZE
    count = 1
    most = 0
    last = true
  }
  while (count < most && length < available) {
    if (count && (linear + length == stop || probeOffset(linear + length))) break
    const answer = decode(bytes + length, available - length, record, length, mode)
    if (answer == DECODE_MORE) {
      if (count) break
      // The first instruction runs into the next page.
      if (!gather(linear, bytes, available)) return 0
      shared = false
      trace = cpu + SCRATCH
      record = trace + TRACE_HEADER
      if (decode(cpu + GATHER, 16, record, 0, mode) == DECODED_LAST) last = true
      store<u16>(record, 0, O_OFFSET)
      length = load<u8>(record, O_LENGTH)
      count = 1
      if (specialise(record, mode)) record += OP_SIZE
      record += OP_SIZE
      break
    }
    store<u16>(record, length as u16, O_OFFSET)
    length += load<u8>(record, O_LENGTH)
    count++
    if (specialise(record, mode)) record += OP_SIZE
    record += OP_SIZE
    if (answer == DECODED_LAST) {
      last = true
      break
    }
  }
  const records = <u32>((record - trace - TRACE_HEADER) / OP_SIZE)
  if (
    !last ||
    (load<u16>(record - OP_SIZE, O_OP) == Op.SYSTEM && fallsThrough(load<u32>(record - OP_SIZE, O_AUX)))
  ) {
    memory.fill(record, 0, OP_SIZE)
    store<u16>(record, Op.END, O_OP)
    store<u16>(record, length as u16, O_OFFSET)
    store<i32>(record, length as i32, O_DISP)
    record += OP_SIZE
  }
  store<u32>(trace, <u32>target, TRACE_PHYS)
  store<u32>(trace, mode, TRACE_MODE)
  store<u16>(trace, count as u16, TRACE_COUNT)
  store<u16>(trace, length as u16, TRACE_BYTES)
  store<u32>(trace, shared ? 1 : 0, TRACE_SHARED)
  store<u32>(trace, source as u32, TRACE_CODE)
  store<u16>(trace, <u16>(record - OP_SIZE - trace), TRACE_LAST)
  store<u16>(trace, <u16>(records - count), TRACE_PREFIXES)
  // A jump knows how far it is to the instruction behind it.
  if (last && isJump(load<u16>(record - OP_SIZE, O_OP))) store<u32>(record - OP_SIZE, length, O_AUX)
  dropDeadFlags(trace, records)
  fuse(trace, records)
  if (shared && !publish(trace, record, frame, offset, length, source)) store<u32>(trace, 0, TRACE_SHARED)
  return trace
}

/** Protects the bytes of a finished trace, which are at `source`, and enters it into the cache. False: it cannot be kept. */
function publish(trace: usize, end: usize, frame: u32, offset: u32, length: u32, source: usize): bool {
  // ROM cannot be written; RAM frames keep a list of their traces.
  const writable = frame < frameCount && ramPointer((frame as u64) << 12) != 0
  if (writable) {
    if (!codeProtect(frame, chunks(offset, length))) return false
    if (cpuCount() > 1 && memory.compare(cpu + CPU_CODE_BYTES, source, length) != 0) return false
  }
  const slot = bucket(load<u32>(trace, TRACE_PHYS), load<u32>(trace, TRACE_MODE))
  store<u32>(trace, load<u32>(slot), TRACE_HASH_NEXT)
  store<u32>(slot, trace as u32)
  store<u32>(cpu, <u32>((end + 15) & ~(15 as usize)), CPU_TRACE_NEXT)
  store<u64>(cpu + CPU_STATS, load<u64>(cpu + CPU_STATS, STAT_TRACES_BUILT) + 1, STAT_TRACES_BUILT)
  if (writable) {
    const head = traceHeads + frame * 4
    store<u32>(trace, load<u32>(head), TRACE_FRAME_NEXT)
    store<u32>(head, trace as u32)
  }
  return true
}

/** Bits of the 64-byte chunks that [offset, offset + length) of a frame touches. */
@inline
function chunks(offset: u32, length: u32): u64 {
  const first = offset >> 6
  const last = (offset + (length ? length - 1 : 0)) >> 6
  const span = last - first
  const mask: u64 = span >= 63 ? 0xffffffffffffffff : ((1 as u64) << (span + 1)) - 1
  return mask << first
}

/** Whether code was decoded from the 64-byte chunks that [offset, offset + length) of a frame touches. */
@inline
export function codeAt(frame: u32, offset: u32, length: u32): bool {
  return (
    frame < frameCount && (load<u64>(frames + frame * FRAME_SIZE, FRAME_CODE) & chunks(offset, length)) != 0
  )
}

/** Gathers the bytes of an instruction that crosses into the next page. False with #PF pending. */
function gather(linear: u64, bytes: usize, available: u32): bool {
  memory.copy(cpu + GATHER, bytes, available)
  let next = (linear & ~(0xfff as u64)) + 4096
  if ((load<u32>(cpu, CPU_MODE) & MODE_SIZE) != MODE_CODE64) next &= 0xffffffff
  const phys = fetchPhysical(next)
  if (faultPending()) return false
  const pointer = physicalPointer(phys)
  if (pointer) memory.copy(cpu + GATHER + available, pointer, 16)
  else for (let i: u32 = 0; i < 16; i++) store<u8>(cpu + GATHER + available + i, physicalRead8(phys + i))
  return true
}

/**
 * Bytes [offset, offset + length) of a RAM frame with decoded code were written: traces made from them die.
 * The one being executed is left by whoever wrote (execute.ts).
 */
export function codeWritten(frame: u32, offset: u32, length: u32): void {
  if (!codeAt(frame, offset, length)) return
  if (cpuCount() > 1) codeWrittenElsewhere(frame, offset, length)
  tracesDrop(frame, offset, length)
}

/** The writes of other CPUs to code this one has decoded. */
export function codeWritesServe(): void {
  while (true) {
    const written = codeWriteTake()
    if (written == 0xffffffffffffffff) return
    tracesDrop(written as u32, <u32>(written >> 32) & 0xffff, <u32>(written >> 48))
  }
}

/** This CPU's traces made from bytes [offset, offset + length) of a frame die. */
function tracesDrop(frame: u32, offset: u32, length: u32): void {
  let slot = traceHeads + frame * 4
  let trace: usize = load<u32>(slot)
  let code: u64 = 0
  while (trace) {
    const next: usize = load<u32>(trace, TRACE_FRAME_NEXT)
    const from = load<u32>(trace, TRACE_PHYS) & 0xfff
    const bytes = load<u16>(trace, TRACE_BYTES) as u32
    if (from < offset + length && offset < from + bytes) {
      unhash(trace)
      store<u32>(trace, TRACE_DEAD, TRACE_MODE)
      store<u32>(slot, next as u32)
      store<u64>(cpu + CPU_STATS, load<u64>(cpu + CPU_STATS, STAT_TRACES_DROPPED) + 1, STAT_TRACES_DROPPED)
    } else {
      code |= chunks(from, bytes)
      slot = trace + TRACE_FRAME_NEXT
    }
    trace = next
  }
  codeRemains(frame, code)
  unlinkDead(frame)
}

/** Jumps remember traces of their own page only, so those that remember a dead one are in the same list. */
function unlinkDead(frame: u32): void {
  let trace: usize = load<u32>(traceHeads + frame * 4)
  while (trace) {
    const last = trace + <usize>load<u16>(trace, TRACE_LAST)
    if (remembers(load<u16>(last, O_OP))) {
      unlinkSlot(last + O_IMM)
      unlinkSlot(last + O_IMM + 4)
    }
    trace = load<u32>(trace, TRACE_FRAME_NEXT)
  }
}

@inline
function unlinkSlot(slot: usize): void {
  const next: usize = load<u32>(slot)
  if (next && load<u32>(next, TRACE_MODE) == TRACE_DEAD) store<u32>(slot, 0)
}

function unhash(trace: usize): void {
  let slot = bucket(load<u32>(trace, TRACE_PHYS), load<u32>(trace, TRACE_MODE))
  let at: usize = load<u32>(slot)
  while (at) {
    if (at == trace) {
      store<u32>(slot, load<u32>(trace, TRACE_HASH_NEXT))
      return
    }
    slot = at + TRACE_HASH_NEXT
    at = load<u32>(slot)
  }
}
