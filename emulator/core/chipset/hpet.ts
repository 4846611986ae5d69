// High precision event timer at FED00000h: 64-bit counter of 100 MHz, three comparators that can be periodic, legacy
// replacement, delivery by message. Reference: IA-PC HPET Specification 1.0a; section numbers are its. Chipset lock held.

import { DEV_HPET, EVENT_CLASS_PATH, EVENT_KIND_LINE } from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { legacyReplacement, legacyReplacementLine } from './interrupt-lines'
import { ioapicPin } from './ioapic'
import { messageSignalled } from './lapic-messages'
import { NEVER, TIMER_HPET, timerSet } from './timers'

const TIMERS: u32 = 3
/** Nanoseconds of a tick. */
const TICK: u64 = 10

// State, from DEV_HPET
const CONFIGURATION: usize = 0 // u32, bits 0-1
const STATUS: usize = 4 // u32, interrupt status of level-triggered timers
const COUNTER: usize = 8 // u64, the main counter when it was halted or last set
const STARTED: usize = 16 // u64, tick of machine time at which it had that value, while it runs
/** One block a timer */
const BLOCKS: usize = 64
const BLOCK_SIZE: usize = 64
const T_CONFIGURATION: usize = 0 // u32
const T_COMPARATOR: usize = 8 // u64
const T_PERIOD: usize = 16 // u64
const T_MESSAGE: usize = 24 // u32 data, u32 address
const T_LINE: usize = 32 // u8, level at the output

const CONFIGURATION_ENABLE: u32 = 1
const CONFIGURATION_LEGACY: u32 = 2
/** Revision 1, three timers of 64 bits, legacy replacement, 8086h; 10^7 femtoseconds a tick (2.3.4). */
const CAPABILITIES_LOW: u32 = 0x8086a201
const CAPABILITIES_HIGH: u32 = 10_000_000

// Timer configuration (2.3.8)
const LEVEL: u32 = 0x0002
const ENABLED: u32 = 0x0004
const PERIODIC: u32 = 0x0008
const CAPABLE: u32 = 0x8030 // periodic, 64 bits, messages
const VALUE_SET: u32 = 0x0040
const MODE_32: u32 = 0x0100
const ROUTE_SHIFT: u32 = 9
const MESSAGES: u32 = 0x4000
const WRITABLE: u32 = 0x7f4e
/** Inputs of the I/O APIC that a timer can use: 20-23, which nobody else has. */
const ROUTES: u32 = 0x00f00000

@inline
function block(timer: u32): usize {
  return <usize>DEV_HPET + BLOCKS + <usize>timer * BLOCK_SIZE
}

export function hpetReset(): void {
  memory.fill(DEV_HPET, 0, BLOCKS + TIMERS * BLOCK_SIZE)
  for (let timer: u32 = 0; timer < TIMERS; timer++) {
    store<u32>(block(timer), CAPABLE | (20 << ROUTE_SHIFT), T_CONFIGURATION)
    store<u64>(block(timer), u64.MAX_VALUE, T_COMPARATOR)
    timerSet(TIMER_HPET + timer, NEVER)
  }
}

function running(): bool {
  return (load<u32>(DEV_HPET, CONFIGURATION) & CONFIGURATION_ENABLE) != 0
}

/** The main counter at `now` ns. */
function counterAt(now: u64): u64 {
  const value = load<u64>(DEV_HPET, COUNTER)
  return running() ? value + now / TICK - load<u64>(DEV_HPET, STARTED) : value
}

/** Sets when the timer's comparator matches next. */
function schedule(timer: u32, now: u64): void {
  const b = block(timer)
  let at = NEVER
  if (running()) {
    let left = load<u64>(b, T_COMPARATOR) - counterAt(now)
    if (load<u32>(b, T_CONFIGURATION) & MODE_32) left &= 0xffffffff
    const tick = now / TICK
    if (left < NEVER / TICK - tick) at = (tick + left) * TICK
  }
  timerSet(TIMER_HPET + timer, at)
}

/** TIMER_HPET + `timer`: the counter has reached the comparator. */
export function hpetTimer(timer: u32, at: u64): void {
  const b = block(timer)
  const config = load<u32>(b, T_CONFIGURATION)
  const period = load<u64>(b, T_PERIOD)
  if (config & PERIODIC && period != 0) {
    // Matches nobody could see any more (the host was late) are one.
    const now = clockNow()
    const late = now > at ? (now - at) / TICK / period : 0
    let next = load<u64>(b, T_COMPARATOR) + period * (late + 1)
    if (config & MODE_32) next &= 0xffffffff
    store<u64>(b, next, T_COMPARATOR)
    schedule(timer, at)
  } else {
    // It matches again when the counter has gone round: 42.9 s in 32-bit mode, 5,849 years else.
    timerSet(TIMER_HPET + timer, config & MODE_32 ? at + TICK * 0x1_0000_0000 : NEVER)
  }
  fire(timer)
}

function legacy(timer: u32): bool {
  return timer < 2 && (load<u32>(DEV_HPET, CONFIGURATION) & CONFIGURATION_LEGACY) != 0
}

function fire(timer: u32): void {
  const b = block(timer)
  const config = load<u32>(b, T_CONFIGURATION)
  if (config & LEVEL) store<u32>(DEV_HPET, load<u32>(DEV_HPET, STATUS) | (1 << timer), STATUS)
  if (!(config & ENABLED)) return
  if (config & MESSAGES && !legacy(timer)) {
    messageSignalled(load<u32>(b, T_MESSAGE + 4), load<u32>(b, T_MESSAGE))
    return
  }
  if (config & LEVEL) {
    drive(timer, true)
    return
  }
  // An edge: the line stays up until the next one, as an edge the 8259 has latched needs its level.
  drive(timer, false)
  drive(timer, true)
}

/** Sets a timer's output; asserted or not. */
function drive(timer: u32, asserted: bool): void {
  const b = block(timer)
  const config = load<u32>(b, T_CONFIGURATION)
  store<u8>(b, asserted ? 1 : 0, T_LINE)
  if (legacy(timer)) {
    legacyReplacementLine(timer == 0 ? 0 : 8, asserted)
    return
  }
  const pin = (config >> ROUTE_SHIFT) & 31
  if (!(ROUTES & (1 << pin))) return
  event(EVENT_CLASS_PATH, EVENT_KIND_LINE, pin | (asserted ? 0x100 : 0), timer, clockNow())
  // Level-triggered outputs share PCI's sense: active low (2.3.8, Tn_INT_TYPE_CNF).
  ioapicPin(pin, config & LEVEL ? !asserted : asserted)
}

/** After a change of configuration or status: the output as it has to be. */
function outputUpdate(timer: u32): void {
  const config = load<u32>(block(timer), T_CONFIGURATION)
  if (config & LEVEL)
    drive(timer, (config & ENABLED) != 0 && (load<u32>(DEV_HPET, STATUS) & (1 << timer)) != 0)
  else if (!(config & ENABLED)) drive(timer, false)
}

// ---------------------------------------------------------------------------------------------------------
// Registers

function registerRead(at: u32, now: u64): u32 {
  switch (at) {
    case 0x000:
      return CAPABILITIES_LOW
    case 0x004:
      return CAPABILITIES_HIGH
    case 0x010:
      return load<u32>(DEV_HPET, CONFIGURATION)
    case 0x020:
      return load<u32>(DEV_HPET, STATUS)
    case 0x0f0:
      return <u32>counterAt(now)
    case 0x0f4:
      return <u32>(counterAt(now) >> 32)
    default:
  }
  const timer = (at - 0x100) >> 5
  if (at < 0x100 || timer >= TIMERS) return 0
  const b = block(timer)
  switch (at & 0x1c) {
    case 0x00:
      return load<u32>(b, T_CONFIGURATION)
    case 0x04:
      return ROUTES
    case 0x08:
      return load<u32>(b, T_COMPARATOR)
    case 0x0c:
      return load<u32>(b, T_COMPARATOR + 4)
    case 0x10:
      return load<u32>(b, T_MESSAGE)
    case 0x14:
      return load<u32>(b, T_MESSAGE + 4)
    default:
      return 0
  }
}

function registerWrite(at: u32, value: u32, now: u64): void {
  switch (at) {
    case 0x010:
      configure(value & (CONFIGURATION_ENABLE | CONFIGURATION_LEGACY), now)
      return
    case 0x020:
      store<u32>(DEV_HPET, load<u32>(DEV_HPET, STATUS) & ~value, STATUS)
      for (let timer: u32 = 0; timer < TIMERS; timer++) if (value & (1 << timer)) outputUpdate(timer)
      return
    case 0x0f0:
    case 0x0f4:
      // To be written while halted (2.3.7); else it would not be a clock.
      if (!running()) store<u32>(<usize>DEV_HPET + (at & 4), value, COUNTER)
      return
    default:
  }
  const timer = (at - 0x100) >> 5
  if (at < 0x100 || timer >= TIMERS) return
  const b = block(timer)
  switch (at & 0x1c) {
    case 0x00:
      configureTimer(timer, value, now)
      return
    case 0x08:
    case 0x0c:
      writeComparator(timer, at & 4, value, now)
      return
    case 0x10:
      store<u32>(b, value, T_MESSAGE)
      return
    case 0x14:
      store<u32>(b, value, T_MESSAGE + 4)
      return
    default:
  }
}

function configure(value: u32, now: u64): void {
  const before = load<u32>(DEV_HPET, CONFIGURATION)
  if ((value ^ before) & CONFIGURATION_ENABLE) {
    store<u64>(DEV_HPET, counterAt(now), COUNTER)
    store<u64>(DEV_HPET, now / TICK, STARTED)
  }
  store<u32>(DEV_HPET, value, CONFIGURATION)
  if ((value ^ before) & CONFIGURATION_LEGACY) {
    legacyReplacementLine(0, false)
    legacyReplacementLine(8, false)
    legacyReplacement((value & CONFIGURATION_LEGACY) != 0)
  }
  for (let timer: u32 = 0; timer < TIMERS; timer++) schedule(timer, now)
}

function configureTimer(timer: u32, value: u32, now: u64): void {
  const b = block(timer)
  const before = load<u32>(b, T_CONFIGURATION)
  // The old route is let go before the new one is taken.
  if ((value ^ before) & (ENABLED | LEVEL | MESSAGES | (31 << ROUTE_SHIFT)) && load<u8>(b, T_LINE))
    drive(timer, false)
  let next = (value & WRITABLE) | CAPABLE
  // A route that is not offered is not taken (2.3.8, Tn_INT_ROUTE_CNF).
  if (!(ROUTES & (1 << ((next >> ROUTE_SHIFT) & 31))))
    next = (next & ~(31 << ROUTE_SHIFT)) | (before & (31 << ROUTE_SHIFT))
  store<u32>(b, next, T_CONFIGURATION)
  if (next & MODE_32) {
    store<u64>(b, load<u32>(b, T_COMPARATOR), T_COMPARATOR)
    store<u64>(b, load<u32>(b, T_PERIOD), T_PERIOD)
  }
  outputUpdate(timer)
  schedule(timer, now)
}

/** Half of a comparator. In periodic mode the value is the period, and with VAL_SET the next match too (2.3.9.2.2). */
function writeComparator(timer: u32, half: u32, value: u32, now: u64): void {
  const b = block(timer)
  const config = load<u32>(b, T_CONFIGURATION)
  if (half && config & MODE_32) return
  if (config & PERIODIC) store<u32>(b + half, value, T_PERIOD)
  if (!(config & PERIODIC) || config & VALUE_SET) {
    store<u32>(b + half, value, T_COMPARATOR)
    store<u32>(b, config & ~VALUE_SET, T_CONFIGURATION)
  }
  schedule(timer, now)
}

/** A read of the page, `size` 1-8 bytes, aligned or not. */
export function hpetRead(offset: u32, size: u32, now: u64): u64 {
  const first = offset & 0xffc
  let value: u64 = registerRead(first, now)
  if ((offset & 3) + size > 4) value |= (<u64>registerRead(first + 4, now)) << 32
  value >>= (offset & 3) << 3
  return size == 8 ? value : value & (((<u64>1) << (size << 3)) - 1)
}

/** A write: of 32 or 64 bits at a multiple of 4; others are ignored. */
export function hpetWrite(offset: u32, size: u32, value: u64, now: u64): void {
  if (offset & 3 || size < 4) return
  // Both halves of a comparator at once are one write: VAL_SET holds for both.
  const timer = (offset - 0x100) >> 5
  if (size == 8 && offset >= 0x100 && timer < TIMERS && (offset & 0x1f) == 0x08) {
    const b = block(timer)
    const set = load<u32>(b, T_CONFIGURATION) & VALUE_SET
    registerWrite(offset, <u32>value, now)
    if (set) store<u32>(b, load<u32>(b, T_CONFIGURATION) | VALUE_SET, T_CONFIGURATION)
    registerWrite(offset + 4, <u32>(value >> 32), now)
    store<u32>(b, load<u32>(b, T_CONFIGURATION) & ~VALUE_SET, T_CONFIGURATION)
    return
  }
  registerWrite(offset, <u32>value, now)
  if (size == 8) registerWrite(offset + 4, <u32>(value >> 32), now)
}
