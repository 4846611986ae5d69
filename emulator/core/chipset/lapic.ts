// The local APIC of each CPU (SDM 3A chapter 10 of 2016, 11 of later editions; section numbers are of the former):
// what is requested, in service and deliverable, the local vector table, errors. The registers lie in the vCPU's block
// where the xAPIC page has them. Reading and writing them is in lapic-access.ts, the timer in lapic-timer.ts, messages
// between CPUs and from the chipset in lapic-messages.ts.
//
// A local APIC belongs to its CPU: only the thread that runs the CPU changes IRR, ISR and TPR. Others leave vectors in
// CPU_INBOX and kick; the CPU takes them over at a boundary.

import { cpu, cpuIndex } from '../cpu/context'
import {
  CPU_APIC_BASE,
  CPU_CR8,
  CPU_INBOX,
  CPU_INBOX_LEVEL,
  CPU_INDEX,
  CPU_LAPIC,
  CPU_REQUEST,
  EVENT_CLASS_PATH,
  EVENT_KIND_ACCEPT,
  EVENT_KIND_DELIVER,
  EVENT_KIND_EOI,
  EVENT_KIND_ROUTE,
  HDR_INTR,
  HEADER,
  PATH_LOCAL,
  REQUEST_INTERRUPT,
  REQUEST_SMI,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { cpuBlock, cpuCount, requestInit, requestNmi, requestPost } from '../machine/smp'
import { interruptAcknowledge } from './i8259'
import { ioapicEoi } from './ioapic'
import { lapicTimerAccept, lapicTimerRepay, lapicTimerReset } from './lapic-timer'

// Registers: offsets in the page (table 10-1)
export const APIC_ID: u32 = 0x20
export const APIC_VERSION: u32 = 0x30
export const APIC_TPR: u32 = 0x80
export const APIC_APR: u32 = 0x90
export const APIC_PPR: u32 = 0xa0
export const APIC_EOI: u32 = 0xb0
export const APIC_RRR: u32 = 0xc0
export const APIC_LDR: u32 = 0xd0
export const APIC_DFR: u32 = 0xe0
export const APIC_SVR: u32 = 0xf0
export const APIC_ISR: u32 = 0x100
export const APIC_TMR: u32 = 0x180
export const APIC_IRR: u32 = 0x200
export const APIC_ESR: u32 = 0x280
export const APIC_ICR: u32 = 0x300
export const APIC_ICR_HIGH: u32 = 0x310
export const APIC_LVT_TIMER: u32 = 0x320
export const APIC_LVT_THERMAL: u32 = 0x330
export const APIC_LVT_PERFORMANCE: u32 = 0x340
export const APIC_LVT_LINT0: u32 = 0x350
export const APIC_LVT_LINT1: u32 = 0x360
export const APIC_LVT_ERROR: u32 = 0x370
export const APIC_TMICT: u32 = 0x380
export const APIC_TMCCT: u32 = 0x390
export const APIC_DCR: u32 = 0x3e0
export const APIC_SELF_IPI: u32 = 0x3f0

// Beside the page's registers
const PENDING: u32 = 0x400 // u32, vector that can be delivered now, 0: none
const ERRORS: u32 = 0x404 // u32, errors since the last write of the ESR
const LINT0_LEVEL: u32 = 0x408 // u32, level the pin had when it was last looked at
const EXTERNAL: u32 = 0x40c // u32, 1: a message has said that the 8259 has something
export const TIMER_SINCE: u32 = 0x410 // u64 ns, when the counter had TIMER_COUNT
export const TIMER_FROM: u32 = 0x418 // u32
export const TIMER_TSC_DEADLINE: u32 = 0x420 // u64, IA32_TSC_DEADLINE
export const TIMER_OWED: u32 = 0x428 // u32, ticks of a periodic timer that are still to come, see lapic-timer.ts
export const TIMER_ACCEPTED: u32 = 0x430 // u64, instructions retired when the last one was accepted
export const STATE_SIZE: u32 = 0x440

export const SVR_ENABLED: u32 = 0x100
/** Suppress EOI broadcasts (10.8.5). */
export const SVR_SUPPRESS: u32 = 0x1000
export const LVT_MASKED: u32 = 0x10000
const LVT_LEVEL: u32 = 0x8000
const LVT_REMOTE_IRR: u32 = 0x4000
const LVT_MODE: u32 = 0x700
export const MODE_FIXED: u32 = 0
export const MODE_LOWEST: u32 = 1
export const MODE_SMI: u32 = 2
export const MODE_NMI: u32 = 4
export const MODE_INIT: u32 = 5
export const MODE_STARTUP: u32 = 6
export const MODE_EXTINT: u32 = 7

export const ERROR_SEND_VECTOR: u32 = 0x20
export const ERROR_RECEIVE_VECTOR: u32 = 0x40
export const ERROR_REGISTER: u32 = 0x80

export const APIC_BASE_ENABLED: u64 = 0x800
export const APIC_BASE_X2: u64 = 0x400

/** WebAssembly address of a register of the CPU at `block`. */
@inline
export function apic(block: usize, register: u32): usize {
  return block + <usize>CPU_LAPIC + register
}

@inline
export function apicLoad(block: usize, register: u32): u32 {
  return load<u32>(apic(block, register))
}

@inline
export function apicStore(block: usize, register: u32, value: u32): void {
  store<u32>(apic(block, register), value)
}

/** IA32_APIC_BASE bits 11 and 10. */
export function apicEnabled(block: usize): bool {
  return (load<u64>(block, CPU_APIC_BASE) & APIC_BASE_ENABLED) != 0
}
export function apicIsX2(block: usize): bool {
  return (load<u64>(block, CPU_APIC_BASE) & APIC_BASE_X2) != 0
}

/** Power-up, RESET and INIT (10.4.7): only the APIC ID lives on. The timer is stopped; chipset lock held. */
export function lapicReset(): void {
  memory.fill(cpu + CPU_LAPIC, 0, STATE_SIZE)
  memory.fill(cpu + CPU_INBOX, 0, 64)
  const index = load<u32>(cpu, CPU_INDEX)
  apicStore(cpu, APIC_ID, apicIsX2(cpu) ? index : index << 24)
  // Version 14h, 6 entries in the local vector table, EOI broadcasts can be suppressed
  apicStore(cpu, APIC_VERSION, 0x01050014)
  apicStore(cpu, APIC_DFR, 0xffffffff)
  if (apicIsX2(cpu)) apicStore(cpu, APIC_LDR, x2LogicalId(index))
  apicStore(cpu, APIC_SVR, 0xff)
  for (let entry = APIC_LVT_TIMER; entry <= APIC_LVT_ERROR; entry += 0x10) apicStore(cpu, entry, LVT_MASKED)
  store<u64>(cpu, 0, CPU_CR8)
  lapicTimerReset()
}

/** The logical ID that an x2APIC derives from its ID (10.12.10.2). */
export function x2LogicalId(index: u32): u32 {
  return ((index >> 4) << 16) | (1 << (index & 15))
}

// ---------------------------------------------------------------------------------------------------------
// Requested, in service

@inline
function bitSet(bank: u32, vector: u32): void {
  const word = apic(cpu, bank + ((vector >> 5) << 4))
  store<u32>(word, load<u32>(word) | (1 << (vector & 31)))
}

@inline
function bitClear(bank: u32, vector: u32): void {
  const word = apic(cpu, bank + ((vector >> 5) << 4))
  store<u32>(word, load<u32>(word) & ~(1 << (vector & 31)))
}

@inline
function bitTest(bank: u32, vector: u32): bool {
  return (load<u32>(apic(cpu, bank + ((vector >> 5) << 4))) & (1 << (vector & 31))) != 0
}

/** Highest vector in a bank of the APIC at `block`; 0: none. */
function highest(block: usize, bank: u32): u32 {
  for (let word: i32 = 7; word >= 0; word--) {
    const bits = load<u32>(apic(block, bank + ((<u32>word) << 4)))
    if (bits) return ((<u32>word) << 5) + 31 - clz(bits)
  }
  return 0
}

/** Processor priority (10.8.3.1). */
export function processorPriority(block: usize): u32 {
  const tpr = apicLoad(block, APIC_TPR)
  const service = highest(block, APIC_ISR) & 0xf0
  return (tpr & 0xf0) >= service ? tpr : service
}

/** After every change of IRR, ISR or TPR: what can be delivered now? */
export function lapicRefresh(): void {
  const priority = processorPriority(cpu)
  apicStore(cpu, APIC_PPR, priority)
  const vector = highest(cpu, APIC_IRR)
  apicStore(cpu, PENDING, (vector & 0xf0) > (priority & 0xf0) ? vector : 0)
}

/** Takes a fixed interrupt into the IRR (10.8.4). A software-disabled APIC accepts none. */
function accept(vector: u32, level: bool): void {
  if (!(apicLoad(cpu, APIC_SVR) & SVR_ENABLED) || !apicEnabled(cpu)) return
  if (vector < 16) {
    lapicError(ERROR_RECEIVE_VECTOR)
    return
  }
  if (vector == (apicLoad(cpu, APIC_LVT_TIMER) & 0xff)) lapicTimerAccept(bitTest(APIC_IRR, vector))
  bitSet(APIC_IRR, vector)
  if (level) bitSet(APIC_TMR, vector)
  else bitClear(APIC_TMR, vector)
  event(EVENT_CLASS_PATH, EVENT_KIND_ACCEPT, vector | (cpuIndex << 8) | (level ? 0x10000 : 0), 0, clockNow())
  lapicRefresh()
}

/** Hands a fixed interrupt to CPU `index`; from any thread. */
export function lapicAccept(index: u32, vector: u32, level: bool): void {
  if (index == cpuIndex) {
    accept(vector, level)
    return
  }
  const block = cpuBlock(index)
  const word = (vector >> 5) << 2
  const bit: u32 = 1 << (vector & 31)
  if (level) atomic.or<u32>(block + CPU_INBOX_LEVEL + word, bit)
  atomic.or<u32>(block + CPU_INBOX + word, bit)
  requestPost(index, REQUEST_INTERRUPT)
}

/** Whether CPU `index` has not yet taken over `vector` from its inbox. */
export function lapicInboxHas(index: u32, vector: u32): bool {
  return (atomic.load<u32>(cpuBlock(index) + CPU_INBOX + ((vector >> 5) << 2)) & (1 << (vector & 31))) != 0
}

/** Takes over what others have left in this CPU's inbox. At a boundary, REQUEST_INTERRUPT being set. */
export function lapicInbox(): void {
  for (let word: u32 = 0; word < 8; word++) {
    let bits = atomic.xchg<u32>(cpu + CPU_INBOX + word * 4, 0)
    if (!bits) continue
    const levels = atomic.and<u32>(cpu + CPU_INBOX_LEVEL + word * 4, ~bits)
    while (bits) {
      const bit = ctz(bits)
      bits &= bits - 1
      accept((word << 5) + bit, (levels & (1 << bit)) != 0)
    }
  }
}

/** Whether something can be delivered to this CPU now, if it takes interrupts. */
@inline
export function lapicPending(): bool {
  return load<u32>(apic(cpu, PENDING)) != 0 || (load<u32>(HEADER, HDR_INTR) != 0 && externalPasses(cpu))
}

/** The same of any CPU, and what waits in its inbox counts. */
export function lapicInterruptWaits(index: u32): bool {
  const block = cpuBlock(index)
  if (atomic.load<u32>(block, CPU_REQUEST) & REQUEST_INTERRUPT || apicLoad(block, PENDING)) return true
  return load<u32>(HEADER, HDR_INTR) != 0 && externalPasses(block)
}

/** The vector of the interrupt to be taken now, lapicPending() being true. External interrupts come first. */
export function lapicTake(): u32 {
  let vector: u32
  if (load<u32>(HEADER, HDR_INTR) && externalPasses(cpu)) {
    chipsetLock()
    vector = interruptAcknowledge()
    if (!load<u32>(HEADER, HDR_INTR)) apicStore(cpu, EXTERNAL, 0)
    chipsetUnlock()
    event(EVENT_CLASS_PATH, EVENT_KIND_DELIVER, vector | (cpuIndex << 8) | 0x10000, 0, clockNow())
    return vector
  }
  vector = apicLoad(cpu, PENDING)
  bitClear(APIC_IRR, vector)
  bitSet(APIC_ISR, vector)
  lapicRefresh()
  event(EVENT_CLASS_PATH, EVENT_KIND_DELIVER, vector | (cpuIndex << 8), 0, clockNow())
  return vector
}

/** End of the highest interrupt in service (10.8.5); of a level-triggered one the I/O APIC hears. */
export function lapicEoi(): void {
  const vector = highest(cpu, APIC_ISR)
  if (vector == 0) return
  bitClear(APIC_ISR, vector)
  event(EVENT_CLASS_PATH, EVENT_KIND_EOI, vector | (cpuIndex << 8), 0, clockNow())
  lapicRefresh()
  if (atomic.load<u32>(apic(cpu, TIMER_OWED)) && vector == (apicLoad(cpu, APIC_LVT_TIMER) & 0xff))
    lapicTimerRepay()
  if (!bitTest(APIC_TMR, vector)) return
  const lint0 = apicLoad(cpu, APIC_LVT_LINT0)
  chipsetLock()
  if (lint0 & LVT_REMOTE_IRR && (lint0 & 0xff) == vector) {
    apicStore(cpu, APIC_LVT_LINT0, lint0 & ~LVT_REMOTE_IRR)
    lint0Update(cpuIndex)
  }
  if (!(apicLoad(cpu, APIC_SVR) & SVR_SUPPRESS)) ioapicEoi(vector)
  chipsetUnlock()
}

/** TPR as the page, the MSR or CR8 sets it. */
export function lapicSetTpr(value: u32): void {
  apicStore(cpu, APIC_TPR, value & 0xff)
  store<u64>(cpu, (value & 0xff) >> 4, CPU_CR8)
  lapicRefresh()
}

// ---------------------------------------------------------------------------------------------------------
// Local interrupts

/** Notes errors (10.5.3): they show in the ESR when it is written next, and raise LVT error. */
export function lapicError(errors: u32): void {
  lapicErrorOf(cpuIndex, errors)
}

function lapicErrorOf(index: u32, errors: u32): void {
  const block = cpuBlock(index)
  const before = atomic.or<u32>(apic(block, ERRORS), errors)
  const entry = apicLoad(block, APIC_LVT_ERROR)
  // Its own vector being illegal must not raise it again.
  if (!(entry & LVT_MASKED) && before == 0 && (entry & 0xf0) != 0)
    localAccept(index, APIC_LVT_ERROR, entry & 0xff, false)
}

/** A write of the ESR: the errors since the last one show. */
export function lapicErrorsLatch(): void {
  apicStore(cpu, APIC_ESR, atomic.xchg<u32>(apic(cpu, ERRORS), 0))
}

function localAccept(index: u32, entry: u32, vector: u32, level: bool): void {
  const input = (entry - APIC_LVT_TIMER) >> 4
  event(EVENT_CLASS_PATH, EVENT_KIND_ROUTE, PATH_LOCAL | (input << 8) | (vector << 16), index, clockNow())
  lapicAccept(index, vector, level)
}

/** Raises the local interrupt at `entry` of CPU `index`, as its table says. From any thread. */
export function lapicLocal(index: u32, entry: u32): void {
  const block = cpuBlock(index)
  const value = apicLoad(block, entry)
  if (value & LVT_MASKED) return
  // The timer and the error entry have no delivery mode: fixed.
  const mode = entry == APIC_LVT_TIMER || entry == APIC_LVT_ERROR ? MODE_FIXED : (value & LVT_MODE) >> 8
  if (mode == MODE_FIXED) {
    if (value & 0xf0) localAccept(index, entry, value & 0xff, false)
    else lapicErrorOf(index, ERROR_RECEIVE_VECTOR)
  } else if (mode == MODE_NMI) requestNmi(index)
  else if (mode == MODE_SMI) requestPost(index, REQUEST_SMI)
  else if (mode == MODE_INIT) requestInit(index)
}

/** An ExtINT message, as an input of the I/O APIC sends it: CPU `index` is to ask the 8259 for the vector. From any thread. */
export function lapicExternal(index: u32): void {
  atomic.store<u32>(apic(cpuBlock(index), EXTERNAL), 1)
  requestPost(index, 0)
}

/** Whether the 8259's INTR reaches the CPU: no APIC, LINT0 as ExtINT (10.1: virtual wire), or an ExtINT message. */
@inline
export function externalPasses(block: usize): bool {
  if (!apicEnabled(block) || apicLoad(block, EXTERNAL)) return true
  return (apicLoad(block, APIC_LVT_LINT0) & (LVT_MASKED | LVT_MODE)) == MODE_EXTINT << 8
}

/**
 * The 8259's INTR, which is wired to LINT0 of every CPU, has changed, or an LVT LINT0 has. Chipset lock held. A CPU
 * that takes it as ExtINT is told to look; other modes are carried out.
 */
export function lapicLint0Changed(): void {
  const count = cpuCount()
  for (let index: u32 = 0; index < count; index++) lint0Update(index)
}

export function lint0Update(index: u32): void {
  const block = cpuBlock(index)
  const high = load<u32>(HEADER, HDR_INTR)
  const before = apicLoad(block, LINT0_LEVEL)
  apicStore(block, LINT0_LEVEL, high)
  if (!high) {
    // What a message has told of is gone; the next interrupt comes with one of its own, or not to this CPU.
    apicStore(block, EXTERNAL, 0)
    return
  }
  const entry = apicLoad(block, APIC_LVT_LINT0)
  if (externalPasses(block)) {
    if (!before) requestPost(index, 0)
  } else if (entry & LVT_MASKED) return
  else if ((entry & (LVT_LEVEL | LVT_MODE)) == LVT_LEVEL) {
    if (entry & LVT_REMOTE_IRR) return
    apicStore(block, APIC_LVT_LINT0, entry | LVT_REMOTE_IRR)
    localAccept(index, APIC_LVT_LINT0, entry & 0xff, true)
  } else if (!before) lapicLocal(index, APIC_LVT_LINT0)
}
