// Fixed-size events for whoever looks. A class nobody asked for costs one predicted branch.

import { cpu, cpuIndex } from '../cpu/context'
import {
  CPU_EVENTS,
  CPU_EVENTS_NEXT,
  CPU_MODE,
  CPU_RIP,
  CPU_SEGMENTS,
  EVENT_A,
  EVENT_B,
  EVENT_C,
  EVENT_COUNT,
  EVENT_CPU,
  EVENT_KIND,
  EVENT_RETIRED,
  EVENT_SIZE,
  HDR_EVENT_CLASSES,
  HDR_MILESTONES,
  HEADER,
  MILESTONE_CPU,
  MILESTONE_REACHED,
  MILESTONE_RETIRED,
  MILESTONE_RIP,
  MILESTONE_SIZE,
  MILESTONE_TIME,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEGMENT_SIZE,
} from '../layout'
import { clockNow, retiredNow } from './clock'

/** Appends an event of `kind` when class `group` is switched on. The meaning of a, b, c: EVENT_KIND_* in layout.ts. */
@inline
export function event(group: u32, kind: u32, a: u32, b: u64, c: u64): void {
  if (load<u32>(HEADER, HDR_EVENT_CLASSES) & group) append(kind, a, b, c)
}

function append(kind: u32, a: u32, b: u64, c: u64): void {
  const next = load<u64>(cpu, CPU_EVENTS_NEXT)
  const record = cpu + CPU_EVENTS + <usize>(next & (EVENT_COUNT - 1)) * EVENT_SIZE
  store<u64>(record, retiredNow(), EVENT_RETIRED)
  store<u16>(record, kind as u16, EVENT_KIND)
  store<u16>(record, cpuIndex as u16, EVENT_CPU)
  store<u32>(record, a, EVENT_A)
  store<u64>(record, b, EVENT_B)
  store<u64>(record, c, EVENT_C)
  atomic.store<u64>(cpu, next + 1, CPU_EVENTS_NEXT)
}

/** Records a stage of the climb (CLIMB_*) at the next instruction, the first time it is reached. */
export function milestone(id: u32): void {
  const code64 = (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
  const base = code64 ? 0 : load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE)
  milestoneAt(id, base + load<u64>(cpu, CPU_RIP))
}

/** milestone() with the linear address given: where the firmware is about to go. */
export function milestoneAt(id: u32, linear: u64): void {
  const record: usize = HEADER + HDR_MILESTONES + id * MILESTONE_SIZE
  if (load<u32>(record, MILESTONE_REACHED)) return
  store<u32>(record, cpuIndex, MILESTONE_CPU)
  store<u64>(record, retiredNow(), MILESTONE_RETIRED)
  store<u64>(record, clockNow(), MILESTONE_TIME)
  store<u64>(record, linear, MILESTONE_RIP)
  atomic.store<u32>(record, 1, MILESTONE_REACHED)
}
