// 8254 programmable interval timer, ports 40h-43h. Channel 0 drives IRQ 0, channel 2 the speaker (its gate and
// output are in port 61h, system-control.ts). All channels count one clock of 1.193182 MHz whose pulses lie at
// fixed places of machine time; a channel keeps the pulse up to which it has been worked out and is brought
// forward when somebody looks, in one step however long that was.
// Reference: Intel 82C54 data sheet (231244-006), "Mode Definitions", "Read Operations".

import { DEV_PIT } from '../layout'
import { irqLine } from './interrupt-lines'
import { NEVER, TIMER_PIT, ticksAt, timeOf, timerSet } from './timers'

export const PIT_FREQUENCY: u64 = 1_193_182

// State of one channel, from DEV_PIT + channel * CHANNEL_SIZE
const CHANNEL_SIZE: usize = 64
const TICK: usize = 0 // u64, clock pulse up to which the rest is true
const COUNT: usize = 8 // u32, the count register as written (BCD or binary)
const LOADED: usize = 12 // u32, the count the present period began with, 1..65536
// u32: the counting element. Mode 2: pulses to the end of the period. Mode 3: to the end of the half period.
// Otherwise the value itself, 0..65535 (0..9999 in BCD).
const ELEMENT: usize = 16
const CONTROL: usize = 20 // RW, M and BCD bits of the control word
const GATE: usize = 21
const OUT: usize = 22
const NULL_COUNT: usize = 23 // the count register has not reached the counting element yet
const LOAD: usize = 24 // the next pulse moves the count register to the counting element
const COUNTING: usize = 25
const ARMED: usize = 26 // modes 0, 1, 4, 5: terminal count is still to come
const WRITTEN: usize = 27 // a count was written since the control word
const WRITE_LOW: usize = 28 // low byte waiting for its high byte
const WRITE_HIGH: usize = 29 // the high byte is written next
const READ_HIGH: usize = 30 // the high byte is read next
const LATCHED: usize = 31 // the output latch holds a count
const LATCH: usize = 32 // u16
const STATUS_LATCHED: usize = 34
const STATUS: usize = 35

const CONTROL_PORT: u32 = 0x43
const CONTROL_BCD: u32 = 1
const RW_LATCH: u32 = 0
const RW_LOW: u32 = 1
const RW_HIGH: u32 = 2

@inline
function channel(index: u32): usize {
  return <usize>DEV_PIT + <usize>index * CHANNEL_SIZE
}

/** Power-on: the state is undefined (data sheet); here all outputs are high and nothing counts. */
export function pitReset(): void {
  memory.fill(DEV_PIT, 0, 3 * CHANNEL_SIZE)
  for (let index: u32 = 0; index < 3; index++) {
    const c = channel(index)
    store<u8>(c, index == 2 ? 0 : 1, GATE)
    store<u8>(c, 1, OUT)
    store<u8>(c, 1, NULL_COUNT)
    store<u8>(c, (3 << 4) | (3 << 1), CONTROL)
  }
  irqLine(0, true)
}

export function pitRead(port: u32, now: u64): u32 {
  if (port == CONTROL_PORT) return 0xff // "no-operation (3-state)"
  const c = channel(port & 3)
  if (load<u8>(c, STATUS_LATCHED)) {
    store<u8>(c, 0, STATUS_LATCHED)
    return load<u8>(c, STATUS)
  }
  const access = <u32>load<u8>(c, CONTROL) >> 4
  let value: u32
  if (load<u8>(c, LATCHED)) {
    value = load<u16>(c, LATCH)
    if (access != 3 || load<u8>(c, READ_HIGH)) store<u8>(c, 0, LATCHED)
  } else {
    advance(c, ticksAt(now, PIT_FREQUENCY))
    value = elementValue(c)
  }
  if (access == RW_LOW) return value & 0xff
  if (access == RW_HIGH) return value >> 8
  const high = <u32>load<u8>(c, READ_HIGH)
  store<u8>(c, high ^ 1, READ_HIGH)
  return high ? value >> 8 : value & 0xff
}

export function pitWrite(port: u32, value: u32, now: u64): void {
  const tick = ticksAt(now, PIT_FREQUENCY)
  if (port != CONTROL_PORT) {
    const c = channel(port & 3)
    advance(c, tick)
    writeCount(c, value)
  } else if (value >> 6 == 3) {
    readBack(value, tick)
  } else {
    const c = channel(value >> 6)
    advance(c, tick)
    if (((value >> 4) & 3) == RW_LATCH) latchCount(c)
    else writeControl(c, value & 0x3f)
  }
  schedule()
}

/** Drives channel 2's GATE (port 61h bit 0). */
export function pitGate2(high: bool, now: u64): void {
  const c = channel(2)
  advance(c, ticksAt(now, PIT_FREQUENCY))
  const before = load<u8>(c, GATE) != 0
  store<u8>(c, high ? 1 : 0, GATE)
  if (before == high) return
  const mode = modeOf(c)
  if (high) {
    // A trigger: modes 1 and 5 start with it, modes 2 and 3 begin a new period
    if (mode != 0 && mode != 4 && load<u8>(c, WRITTEN)) store<u8>(c, 1, LOAD)
  } else if (mode == 2 || mode == 3) {
    setOut(c, 1)
  }
}

/** Channel 2's OUT (port 61h bit 5). */
export function pitOut2(now: u64): u32 {
  const c = channel(2)
  advance(c, ticksAt(now, PIT_FREQUENCY))
  return load<u8>(c, OUT)
}

/** Channel 2's output from `now` on, for those who listen: pulses of 1.193182 MHz. */
export let wave2High: u32 = 0
export let wave2Low: u32 = 0
/** To the next change; 0: none comes by itself. */
export let wave2Left: u32 = 0
export let wave2Level: u32 = 0

/** Works out wave2*: a square wave in mode 3, a short low in mode 2, one change at most in the other modes. */
export function pitWave2(now: u64): void {
  wave2Level = pitOut2(now)
  const c = channel(2)
  const mode = modeOf(c)
  const count = countValue(c)
  wave2High = 0
  wave2Low = 0
  wave2Left = 0
  const next = nextChange(c)
  if (next == NEVER || load<u8>(c, GATE) == 0) return
  if ((mode == 2 || mode == 3) && count > 1) {
    wave2Low = mode == 2 ? 1 : count >> 1
    wave2High = count - wave2Low
  }
  wave2Left = <u32>(next - load<u64>(c, TICK))
  if (!load<u8>(c, LOAD)) return
  // A count that is loaded with the next pulse: the output stands still, or begins its period there.
  if (mode == 3 || mode == 2) wave2Left += wave2High
  else if (mode == 0) wave2Left += count
  else wave2Left = 0
}

/** TIMER_PIT: channel 0's output changes, or its count is loaded. */
export function pitTimer(at: u64): void {
  advance(channel(0), ticksAt(at, PIT_FREQUENCY))
  schedule()
}

function schedule(): void {
  const next = nextChange(channel(0))
  timerSet(TIMER_PIT, next == NEVER ? NEVER : timeOf(next, PIT_FREQUENCY))
}

/** Modes 6 and 7 are 2 and 3: the M2 bit is "don't care" there. */
function modeOf(c: usize): u32 {
  const bits = (<u32>load<u8>(c, CONTROL) >> 1) & 7
  return bits >= 6 ? bits - 4 : bits
}

function modulus(c: usize): u32 {
  return load<u8>(c, CONTROL) & CONTROL_BCD ? 10000 : 65536
}

/** The count register as a number of pulses, 1..65536: zero stands for the largest count. */
function countValue(c: usize): u32 {
  const raw = load<u32>(c, COUNT)
  if ((load<u8>(c, CONTROL) & CONTROL_BCD) == 0) return raw == 0 ? 65536 : raw
  const number = ((raw >> 12) * 1000 + ((raw >> 8) & 15) * 100 + ((raw >> 4) & 15) * 10 + (raw & 15)) % 10000
  return number == 0 ? 10000 : number
}

/** The counting element as the guest reads it. */
function elementValue(c: usize): u32 {
  let value = load<u32>(c, ELEMENT)
  if (modeOf(c) == 3 && load<u8>(c, COUNTING)) {
    // Counts by twos from an even number; for an odd count the high half has one pulse more, at zero
    const extra = (load<u32>(c, LOADED) & 1) != 0 && load<u8>(c, OUT) != 0
    value = (extra ? value - 1 : value) * 2
  }
  value %= modulus(c)
  if ((load<u8>(c, CONTROL) & CONTROL_BCD) == 0) return value
  return ((value / 1000) << 12) | (((value / 100) % 10) << 8) | (((value / 10) % 10) << 4) | (value % 10)
}

function setOut(c: usize, level: u32): void {
  store<u8>(c, level, OUT)
  if (c == channel(0)) irqLine(0, level != 0)
}

function writeControl(c: usize, control: u32): void {
  const value = elementValue(c)
  store<u8>(c, control, CONTROL)
  // The counting element keeps its bits until a count is loaded
  store<u32>(c, value, COUNT)
  store<u32>(c, countValue(c) % modulus(c), ELEMENT)
  store<u32>(c, 0, COUNT)
  store<u8>(c, 1, NULL_COUNT)
  store<u8>(c, 0, LOAD)
  store<u8>(c, 0, COUNTING)
  store<u8>(c, 0, ARMED)
  store<u8>(c, 0, WRITTEN)
  store<u8>(c, 0, WRITE_HIGH)
  store<u8>(c, 0, READ_HIGH)
  store<u8>(c, 0, LATCHED)
  store<u8>(c, 0, STATUS_LATCHED)
  setOut(c, modeOf(c) == 0 ? 0 : 1)
}

function writeCount(c: usize, value: u32): void {
  const access = <u32>load<u8>(c, CONTROL) >> 4
  const mode = modeOf(c)
  if (access == 3 && load<u8>(c, WRITE_HIGH) == 0) {
    store<u8>(c, value, WRITE_LOW)
    store<u8>(c, 1, WRITE_HIGH)
    if (mode == 0) {
      // "Writing the first byte disables counting. OUT is set low immediately"
      store<u8>(c, 0, COUNTING)
      store<u8>(c, 0, LOAD)
      setOut(c, 0)
    }
    return
  }
  store<u8>(c, 0, WRITE_HIGH)
  if (access == RW_LOW) store<u32>(c, value, COUNT)
  else store<u32>(c, (value << 8) | (access == 3 ? load<u8>(c, WRITE_LOW) : 0), COUNT)
  store<u8>(c, 1, NULL_COUNT)
  if (mode == 0) setOut(c, 0)
  // Modes 0 and 4 start with every count, 2 and 3 with the first, 1 and 5 wait for a trigger
  if (mode == 0 || mode == 4 || ((mode == 2 || mode == 3) && load<u8>(c, COUNTING) == 0))
    store<u8>(c, 1, LOAD)
  store<u8>(c, 1, WRITTEN)
}

function latchCount(c: usize): void {
  if (load<u8>(c, LATCHED)) return // "the second Counter Latch Command is ignored"
  store<u8>(c, 1, LATCHED)
  store<u16>(c, elementValue(c), LATCH)
}

function readBack(value: u32, tick: u64): void {
  for (let index: u32 = 0; index < 3; index++) {
    if ((value & (2 << index)) == 0) continue
    const c = channel(index)
    advance(c, tick)
    if ((value & 0x20) == 0) latchCount(c)
    if ((value & 0x10) == 0 && load<u8>(c, STATUS_LATCHED) == 0) {
      store<u8>(c, 1, STATUS_LATCHED)
      store<u8>(c, (load<u8>(c, OUT) << 7) | (load<u8>(c, NULL_COUNT) << 6) | load<u8>(c, CONTROL), STATUS)
    }
  }
}

/** Works out channel `c` up to clock pulse `to`. */
function advance(c: usize, to: u64): void {
  const from = load<u64>(c, TICK)
  if (to <= from) return
  store<u64>(c, to, TICK)
  let pulses = to - from
  if (load<u8>(c, LOAD)) {
    loadElement(c)
    pulses--
  }
  if (pulses == 0 || load<u8>(c, COUNTING) == 0) return
  const mode = modeOf(c)
  // "GATE = 1 enables counting", except where it only triggers
  if (mode != 1 && mode != 5 && load<u8>(c, GATE) == 0) return
  if (mode == 2) advanceRate(c, pulses)
  else if (mode == 3) advanceSquare(c, pulses)
  else advanceOnce(c, mode, pulses)
}

function loadElement(c: usize): void {
  const mode = modeOf(c)
  const count = countValue(c)
  store<u8>(c, 0, LOAD)
  store<u8>(c, 0, NULL_COUNT)
  store<u8>(c, 1, COUNTING)
  store<u8>(c, 1, ARMED)
  store<u32>(c, count, LOADED)
  if (mode == 2) store<u32>(c, count, ELEMENT)
  else if (mode == 3) store<u32>(c, (count + 1) >> 1, ELEMENT)
  else store<u32>(c, count % modulus(c), ELEMENT)
  if (mode == 1) setOut(c, 0)
  else if (mode != 0) setOut(c, mode == 2 && count == 1 ? 0 : 1)
}

/** Modes 0, 1, 4, 5: one terminal count, then the element goes on counting round. */
function advanceOnce(c: usize, mode: u32, pulses: u64): void {
  const size = modulus(c)
  const element = load<u32>(c, ELEMENT)
  const left: u64 = element == 0 ? size : element
  store<u32>(c, <u32>((element + size - (pulses % size)) % size), ELEMENT)
  if (load<u8>(c, ARMED) && pulses >= left) {
    store<u8>(c, 0, ARMED)
    setOut(c, mode < 4 || pulses > left ? 1 : 0)
  } else if (mode >= 4) {
    setOut(c, 1) // the strobe is one pulse long
  }
}

/** Mode 2: low for the last pulse of each period. */
function advanceRate(c: usize, pulses: u64): void {
  const element = <u64>load<u32>(c, ELEMENT)
  let left = element
  if (pulses < element) {
    left -= pulses
  } else {
    const count = <u64>countValue(c)
    store<u8>(c, 0, NULL_COUNT)
    store<u32>(c, <u32>count, LOADED)
    left = count - ((pulses - element) % count)
  }
  store<u32>(c, <u32>left, ELEMENT)
  setOut(c, left == 1 ? 0 : 1)
}

/** Mode 3: high for (n + 1) / 2 pulses, low for the rest. */
function advanceSquare(c: usize, pulses: u64): void {
  const left = <u64>load<u32>(c, ELEMENT)
  if (pulses < left) {
    store<u32>(c, <u32>(left - pulses), ELEMENT)
    return
  }
  const count = <u64>countValue(c)
  store<u8>(c, 0, NULL_COUNT)
  store<u32>(c, <u32>count, LOADED)
  const high = (count + 1) >> 1
  const low = count > 1 ? count >> 1 : 1 // a count of 1 is not allowed; this keeps it harmless
  let out = load<u8>(c, OUT) ^ 1
  let rest = (pulses - left) % (high + low)
  const half = out ? high : low
  if (rest >= half) {
    rest -= half
    out ^= 1
  }
  store<u32>(c, <u32>((out ? high : low) - rest), ELEMENT)
  setOut(c, out)
}

/** The pulse at which OUT changes next, or the count is loaded; NEVER if neither will happen by itself. */
function nextChange(c: usize): u64 {
  const tick = load<u64>(c, TICK)
  if (load<u8>(c, LOAD)) return tick + 1
  if (load<u8>(c, COUNTING) == 0) return NEVER
  const mode = modeOf(c)
  const element = load<u32>(c, ELEMENT)
  if (mode != 1 && mode != 5 && load<u8>(c, GATE) == 0) return NEVER
  if (mode == 3) return tick + element
  if (mode == 2) {
    if (element > 1) return tick + element - 1
    // A count of 1 is not allowed and never changes OUT; a new count ends that
    return load<u32>(c, LOADED) == 1 && load<u8>(c, NULL_COUNT) == 0 ? NEVER : tick + 1
  }
  if (mode >= 4 && load<u8>(c, OUT) == 0) return tick + 1
  return load<u8>(c, ARMED) ? tick + (element == 0 ? modulus(c) : element) : NEVER
}
