// Fixed-size events for whoever looks. A class nobody asked for costs one predicted branch.

import { cpu, cpuIndex } from '../cpu/context'
import {
  CPU_EVENTS,
  CPU_EVENTS_NEXT,
  EVENT_A,
  EVENT_B,
  EVENT_C,
  EVENT_COUNT,
  EVENT_CPU,
  EVENT_KIND,
  EVENT_RETIRED,
  EVENT_SIZE,
  HDR_EVENT_CLASSES,
  HEADER,
} from '../layout'
import { retiredNow } from './clock'

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
