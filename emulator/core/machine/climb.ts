// The climb from reset to user mode: each stage (CLIMB_*) is recorded once, when it is first reached, with the instruction that did
// it and the CPU before and after it. Nothing is to be switched on: who looks later finds it all. A stage that was reached
// costs a load and a branch ever after.

import { cpu, cpuIndex } from '../cpu/context'
import {
  CLIMB_BOOT_SECTOR,
  CLIMB_CODE32,
  CLIMB_CODE64,
  CLIMB_HIGHER_HALF,
  CLIMB_NOTES,
  CLIMB_RING3,
  CPU_CR0,
  CPU_FAULT_RIP,
  CPU_FETCH_FRAME,
  CPU_FETCH_PAGE,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  CPU_SEGMENTS,
  MILESTONE_AFTER,
  MILESTONE_BEFORE,
  MILESTONE_BY,
  MILESTONE_BYTES,
  MILESTONE_BYTES_MAX,
  MILESTONE_CPU,
  MILESTONE_DETAIL,
  MILESTONE_HAS_BEFORE,
  MILESTONE_LENGTH,
  MILESTONE_NOTED,
  MILESTONE_PENDING,
  MILESTONE_REACHED,
  MILESTONE_REGISTERS,
  MILESTONE_RETIRED,
  MILESTONE_RIP,
  MILESTONE_SIZE,
  MILESTONE_TIME,
  MILESTONES,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEG_SS,
  SEGMENT_BASE,
  SEGMENT_SIZE,
} from '../layout'
import { physicalPointer } from '../memory/physical'
import { clockNow, retiredNow } from './clock'

const CLAIMED: u32 = 2
const CR0_PG: u64 = 1 << 31
const PAGE: u64 = ~(0xfff as u64)

@inline
function recordOf(id: u32): usize {
  return MILESTONES + id * MILESTONE_SIZE
}

/** Where this CPU keeps what it was before the instruction under way. */
@inline
function notes(): usize {
  return CLIMB_NOTES + cpuIndex * MILESTONE_SIZE
}

/** Whether the stage has not been reached by any CPU. */
@inline
export function climbAwaits(id: u32): bool {
  return load<u32>(recordOf(id), MILESTONE_REACHED) == 0
}

function linearOf(rip: u64): u64 {
  if ((load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64) return rip
  return load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE) + rip
}

/**
 * Notes the CPU as it is, before the system instruction at CPU_FAULT_RIP changes it, if that may take the climb to stage
 * `id` for the first time. Call before anything is changed; harmless when the stage is not reached after all.
 */
@inline
export function climbBefore(id: u32): void {
  if (climbAwaits(id)) climbNote(load<u64>(cpu, CPU_FAULT_RIP))
}

/** climbBefore() for the instruction at `rip`, whether or not a stage is awaited. */
export function climbNote(rip: u64): void {
  const note = notes()
  const linear = linearOf(rip)
  memory.copy(note + MILESTONE_BEFORE, cpu, MILESTONE_REGISTERS)
  store<u64>(note + MILESTONE_BEFORE, rip, CPU_RIP)
  store<u64>(note, linear, MILESTONE_BY)
  // One more than the count, so that 0 is none.
  store<u64>(note, retiredNow() + 1, MILESTONE_NOTED)
  // The bytes are taken now: boot code is often overwritten.
  let length: u32 = 0
  if (load<u64>(cpu, CPU_FETCH_PAGE) == ((linear & PAGE) | 1)) {
    const code = physicalPointer(load<u64>(cpu, CPU_FETCH_FRAME) + (linear & 0xfff))
    const left = 0x1000 - (<u32>linear & 0xfff)
    length = code ? min<u32>(left, MILESTONE_BYTES_MAX) : 0
    memory.copy(note + MILESTONE_BYTES, code, length)
  }
  store<u32>(note, length, MILESTONE_LENGTH)
}

// An IRET has taken its frame from the stack before the code segment is there to tell whither it leads: what it changes,
// and at which instruction that was kept.
let frameAt: u64 = 0xffffffffffffffff
let frameRsp: u64 = 0
let frameFlags: u64 = 0
let frameStack0: u64 = 0
let frameStack1: u64 = 0
let frameStack2: u64 = 0
let frameStack3: u64 = 0

/** Before an instruction that changes stack and flags before it comes to climbCodeBefore(). */
export function climbFrame(): void {
  const stack = cpu + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE
  frameAt = retiredNow()
  frameRsp = load<u64>(cpu, CPU_RSP)
  frameFlags = load<u64>(cpu, CPU_RFLAGS)
  frameStack0 = load<u64>(stack)
  frameStack1 = load<u64>(stack, 8)
  frameStack2 = load<u64>(stack, 16)
  frameStack3 = load<u64>(stack, 24)
}

/** climbBefore() where CS is about to be loaded with a descriptor and the ring to be `cpl`. */
@inline
export function climbCodeBefore(raw: u64, cpl: u32): void {
  const size = <u32>(raw >> 53) & 3
  if (
    (size & 1 && climbAwaits(CLIMB_CODE64)) ||
    (size & 2 && climbAwaits(CLIMB_CODE32)) ||
    (cpl == 3 && climbAwaits(CLIMB_RING3))
  )
    codeBefore()
}

function codeBefore(): void {
  climbNote(load<u64>(cpu, CPU_FAULT_RIP))
  if (frameAt != retiredNow()) return
  const before = notes() + MILESTONE_BEFORE
  const stack = before + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE
  store<u64>(before, frameRsp, CPU_RSP)
  store<u64>(before, frameFlags, CPU_RFLAGS)
  store<u64>(stack, frameStack0)
  store<u64>(stack, frameStack1, 8)
  store<u64>(stack, frameStack2, 16)
  store<u64>(stack, frameStack3, 24)
}

/** Stage `id` is reached by the instruction under way; climbAfter() completes the record when that is done. */
export function milestone(id: u32): void {
  if (climbAwaits(id)) reach(id, 0, 0)
}

/** milestone() with a number that belongs to it: a vector. */
export function milestoneWith(id: u32, detail: u64): void {
  if (climbAwaits(id)) reach(id, 0, detail)
}

/** milestone() with the linear address that the next instruction will have: where the firmware is about to go. */
export function milestoneAt(id: u32, linear: u64): void {
  if (climbAwaits(id)) reach(id, linear, 0)
}

/** milestone() by what the instruction does outside of the CPU: it is complete at once. */
export function milestoneOutside(id: u32, rip: u64, detail: u64): void {
  if (!climbAwaits(id)) return
  climbNote(rip)
  reach(id, 0, detail)
  climbAfter()
}

function reach(id: u32, linear: u64, detail: u64): void {
  const record = recordOf(id)
  if (atomic.cmpxchg<u32>(record, 0, CLAIMED, MILESTONE_REACHED) != 0) return
  const note = notes()
  const now = retiredNow()
  store<u32>(record, cpuIndex, MILESTONE_CPU)
  store<u64>(record, now, MILESTONE_RETIRED)
  store<u64>(record, clockNow(), MILESTONE_TIME)
  store<u64>(record, linear, MILESTONE_RIP)
  store<u64>(record, detail, MILESTONE_DETAIL)
  const noted = load<u64>(note, MILESTONE_NOTED) == now + 1
  store<u32>(record, noted ? 1 : 0, MILESTONE_HAS_BEFORE)
  if (noted) {
    store<u64>(record, load<u64>(note, MILESTONE_BY), MILESTONE_BY)
    store<u32>(record, load<u32>(note, MILESTONE_LENGTH), MILESTONE_LENGTH)
    memory.copy(record + MILESTONE_BYTES, note + MILESTONE_BYTES, MILESTONE_BYTES_MAX)
    memory.copy(record + MILESTONE_BEFORE, note + MILESTONE_BEFORE, MILESTONE_REGISTERS)
  }
  store<u32>(note, load<u32>(note, MILESTONE_PENDING) | (1 << id), MILESTONE_PENDING)
}

/** Behind an instruction: what the CPU is now belongs to the stages that it has reached. */
@inline
export function climbAfter(): void {
  if (load<u32>(notes(), MILESTONE_PENDING)) complete()
}

function complete(): void {
  const note = notes()
  let pending = load<u32>(note, MILESTONE_PENDING)
  store<u32>(note, 0, MILESTONE_PENDING)
  while (pending) {
    const id: u32 = ctz(pending)
    pending &= pending - 1
    const record = recordOf(id)
    const next = linearOf(load<u64>(cpu, CPU_RIP))
    // The firmware is still on its way: its far return follows.
    if (id == CLIMB_BOOT_SECTOR && load<u64>(record, MILESTONE_RIP) != next) {
      store<u32>(note, 1 << id, MILESTONE_PENDING)
      continue
    }
    memory.copy(record + MILESTONE_AFTER, cpu, MILESTONE_REGISTERS)
    if (!load<u64>(record, MILESTONE_RIP)) store<u64>(record, next, MILESTONE_RIP)
    atomic.store<u32>(record, 1, MILESTONE_REACHED)
  }
}

/** Code is about to run at `linear`, whither the instruction at `by` has led: the first in the upper half of the address space? */
export function climbHigher(linear: u64, by: u64): void {
  const long = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PG) || (long ? linear >> 47 == 0 : linear >> 31 == 0)) return
  climbNote(by)
  reach(CLIMB_HIGHER_HALF, linear, 0)
  climbAfter()
  // Between traces CPU_RIP is not kept up to date.
  const base = long ? 0 : load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE)
  store<u64>(recordOf(CLIMB_HIGHER_HALF) + MILESTONE_AFTER, linear - base, CPU_RIP)
}
