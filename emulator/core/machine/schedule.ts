// The deterministic schedule of several CPUs: one thread, which binds itself to one CPU after the other. Whose turn it
// is, for how long, and everything that ends a turn, is a function of the guest, its input and the seed.
//
// Rounds: each CPU has one turn in each, in an order drawn anew for each; CPUs with nothing to do are left out. A turn
// lasts for a number of instructions drawn between TURN_MIN and TURN_MAX (short ones as often as long ones by octave:
// races want both), until the CPU halts, or to a PAUSE, which says that it waits for another one.
//
// The clock: every retired instruction, of whichever CPU, is one nanosecond; and when all CPUs halt, time skips to the
// next timer. So what a CPU does is later than everything done in the turns before its own, on every CPU's TSC alike, and
// n busy CPUs share the machine's 10^9 instructions a second.

import { lapicInterruptWaits } from '../chipset/lapic'
import { bindContext, cpu, cpuIndex } from '../cpu/context'
import { FLAG_IF } from '../cpu/flags'
import {
  ACTIVITY_HALTED,
  ACTIVITY_MWAIT,
  ACTIVITY_RUNNING,
  ACTIVITY_WAIT_SIPI,
  CPU_ACTIVITY,
  CPU_NMI,
  CPU_REQUEST,
  CPU_RETIRED,
  CPU_RFLAGS,
  HDR_CLOCK_SKIPPED,
  HDR_SEED,
  HDR_TURN_CPU,
  HDR_TURN_LEFT,
  HDR_TURN_ORDER,
  HDR_TURN_RANDOM,
  HDR_TURN_WAITING,
  HEADER,
  REQUEST_INIT,
  REQUEST_NMI,
  REQUEST_SIPI,
} from '../layout'
import { tlbBind } from '../memory/tlb'
import { monitorBroken } from './monitor'
import { cpuBlock, cpuCount } from './smp'

/**
 * Bounds of a turn, in instructions: powers of two. 256 to 32767, 7000 in the mean: a change of turns costs about as much as
 * 500 instructions (the trace it ends in is decoded for it), and short turns have to occur for races to come up.
 */
const TURN_MIN: u64 = 256
const TURN_OCTAVES: u64 = 7

/** Power-on: CPU 0 begins, the generator is at the seed. */
export function turnsReset(): void {
  store<u64>(HEADER, 0, HDR_TURN_LEFT)
  store<u64>(HEADER, load<u64>(HEADER, HDR_SEED), HDR_TURN_RANDOM)
  store<u64>(HEADER, 0, HDR_TURN_ORDER)
  store<u32>(HEADER, 0, HDR_TURN_WAITING)
  store<u32>(HEADER, 0, HDR_TURN_CPU)
}

/** Binds this thread to CPU `index`; the clock reads the same as before. Deterministic schedule only. */
export function turnBind(index: u32): void {
  if (index != cpuIndex) {
    const before = load<u64>(cpu, CPU_RETIRED)
    bindContext(index)
    tlbBind()
    const skipped = load<u64>(HEADER, HDR_CLOCK_SKIPPED) + before - load<u64>(cpu, CPU_RETIRED)
    store<u64>(HEADER, skipped, HDR_CLOCK_SKIPPED)
  }
  store<u32>(HEADER, index, HDR_TURN_CPU)
}

/** Retired by all CPUs since power-on. */
export function retiredByAll(): u64 {
  let sum: u64 = 0
  for (let i: u32 = 0; i < cpuCount(); i++) sum += load<u64>(cpuBlock(i), CPU_RETIRED)
  return sum
}

/** Whether CPU `index` runs, or what it waits for is there. */
export function canRun(index: u32): bool {
  const block = cpuBlock(index)
  const activity = load<u32>(block, CPU_ACTIVITY)
  if (activity == ACTIVITY_RUNNING) return true
  const asked = load<u32>(block, CPU_REQUEST)
  if (asked & REQUEST_INIT) return true
  if (activity == ACTIVITY_WAIT_SIPI) return (asked & REQUEST_SIPI) != 0
  if (asked & REQUEST_NMI || (load<u32>(block, CPU_NMI) & 3) == 1) return true
  if (activity == ACTIVITY_MWAIT && monitorBroken(block)) return true
  if (activity != ACTIVITY_HALTED && activity != ACTIVITY_MWAIT) return false
  return interruptWaits(index, block)
}

/** Whether an interrupt is there that CPU `index` would take. */
function interruptWaits(index: u32, block: usize): bool {
  if (!(load<u32>(block, CPU_RFLAGS) & FLAG_IF)) return false
  return lapicInterruptWaits(index)
}

export function anyCanRun(): bool {
  for (let i: u32 = 0; i < cpuCount(); i++) if (canRun(i)) return true
  return false
}

/** Ends the turn under way. */
export function turnEnd(): void {
  store<u64>(HEADER, 0, HDR_TURN_LEFT)
}

/** Gives the next CPU that can run its turn. One of them must be able to. */
export function turnNext(): void {
  while (true) {
    let waiting = load<u32>(HEADER, HDR_TURN_WAITING)
    if (waiting == 0) waiting = roundBegin()
    const order = load<u64>(HEADER, HDR_TURN_ORDER)
    store<u64>(HEADER, order >> 4, HDR_TURN_ORDER)
    store<u32>(HEADER, waiting - 1, HDR_TURN_WAITING)
    const index = <u32>order & 15
    if (!canRun(index)) continue
    turnBind(index)
    const octave: u64 = TURN_MIN << (random() % TURN_OCTAVES)
    store<u64>(HEADER, octave + (random() & (octave - 1)), HDR_TURN_LEFT)
    return
  }
}

/** Draws the order of the next round (Fisher-Yates). How many CPUs it has. */
function roundBegin(): u32 {
  const count = cpuCount()
  let order: u64 = 0xfedcba9876543210
  for (let i: u32 = count - 1; i > 0; i--) {
    const j = <u32>(random() % (i + 1))
    const both = ((order >> (i * 4)) ^ (order >> (j * 4))) & 15
    order ^= (both << (i * 4)) | (i != j ? both << (j * 4) : 0)
  }
  store<u64>(HEADER, order, HDR_TURN_ORDER)
  return count
}

/** SplitMix64. */
function random(): u64 {
  const state = load<u64>(HEADER, HDR_TURN_RANDOM) + 0x9e3779b97f4a7c15
  store<u64>(HEADER, state, HDR_TURN_RANDOM)
  let z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb
  return z ^ (z >> 31)
}
