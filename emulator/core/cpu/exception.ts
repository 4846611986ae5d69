// Exceptions: delivery, the double-fault table, shutdown (SDM 3A 6.3-6.7, 6.15 "Interrupt 8").

import {
  ACTIVITY_RUNNING,
  ACTIVITY_SHUTDOWN,
  CPU_ACTIVITY,
  CPU_CR2,
  CPU_DEBUG_PENDING,
  CPU_FAULT,
  CPU_FAULT_A,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_B,
  CPU_FAULT_DETAIL,
  CPU_FAULT_ERROR,
  CPU_FAULT_RIP,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SHADOW,
  CPU_STATS,
  EVENT_CLASS_EXCEPTION,
  EVENT_KIND_EXCEPTION,
  FAULT_DETAIL_NONE,
  STAT_EXCEPTIONS,
  STOP_TRIPLE_FAULT,
  XLOG_KIND_FAULT,
  XLOG_KIND_TRIPLE,
} from '../layout'
import { event } from '../machine/events'
import { machineStop } from '../machine/stop'
import { cpu } from './context'
import { debugExceptionBegins, statusSet } from './debug'
import { exceptionLog, faultSetExternal } from './exception-log'
import { faultClear } from './fault'
import { FLAG_RF } from './flags'
import { deliverThroughTable, flagsBetween } from './interrupt'
import { SHADOW_MOV_SS } from './segments'
import { EXC_AC, EXC_DB, EXC_DE, EXC_DF, EXC_GP, EXC_PF, EXC_TS } from './vectors'

// Classes of SDM 3A table 6-5.
const CLASS_BENIGN: u32 = 0
const CLASS_CONTRIBUTORY: u32 = 1
const CLASS_PAGE_FAULT: u32 = 2
const CLASS_DOUBLE_FAULT: u32 = 3

/** #DF, #TS, #NP, #SS, #GP, #PF and #AC push an error code (SDM 3A table 6-1). */
function hasErrorCode(vector: u32): bool {
  return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC
}

function exceptionClass(vector: u32): u32 {
  if (vector == EXC_PF) return CLASS_PAGE_FAULT
  if (vector == EXC_DF) return CLASS_DOUBLE_FAULT
  return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP) ? CLASS_CONTRIBUTORY : CLASS_BENIGN
}

/**
 * Delivers the pending exception of the instruction at CPU_FAULT_RIP. An exception while delivering it is handled
 * in its place, becomes #DF, or, while delivering #DF, shuts the processor down and stops the machine.
 */
export function deliverException(): void {
  let rip = load<u64>(cpu, CPU_FAULT_RIP)
  // Every exception that comes this way is a fault, so the image has RF (SDM 3B 17.3.1.1); #DF, an abort, too.
  let flags = load<u64>(cpu, CPU_RFLAGS) | FLAG_RF
  let vector = takeFault(rip)
  let error = load<u32>(cpu, CPU_FAULT_ERROR)
  while (!deliverThroughTable(vector, false, hasErrorCode(vector), error, rip, flags)) {
    faultSetExternal()
    // A task switch may have been committed before its new task faulted.
    rip = load<u64>(cpu, CPU_FAULT_RIP)
    flags = load<u64>(cpu, CPU_RFLAGS) | FLAG_RF
    const first = vector
    if (exceptionClass(first) == CLASS_DOUBLE_FAULT && secondClass() != CLASS_BENIGN) {
      shutdown(rip)
      return
    }
    const doubled = becomesDoubleFault(exceptionClass(first), secondClass())
    vector = takeFault(rip)
    error = load<u32>(cpu, CPU_FAULT_ERROR)
    if (doubled) {
      logException(XLOG_KIND_FAULT, EXC_DF, 0, FAULT_DETAIL_NONE, first, vector, rip)
      vector = EXC_DF
      error = 0
    }
  }
  store<u32>(cpu, ACTIVITY_RUNNING, CPU_ACTIVITY)
  store<u32>(cpu, 0, CPU_SHADOW)
}

/**
 * #DB as a trap after a completed instruction, for what CPU_DEBUG_PENDING has: single step, data and I/O breakpoints,
 * the T flag of a TSS. The frame's RIP is CPU_RIP, the next instruction. Nothing happens when nothing is pending, or
 * while MOV SS defers it to the next instruction.
 */
export function deliverDebugTrap(): void {
  const bits = load<u32>(cpu, CPU_DEBUG_PENDING)
  if (!bits || load<u32>(cpu, CPU_SHADOW) == SHADOW_MOV_SS) return
  store<u32>(cpu, 0, CPU_DEBUG_PENDING)
  const vector = EXC_DB
  const rip = load<u64>(cpu, CPU_RIP)
  statusSet(bits)
  debugExceptionBegins()
  store<u32>(cpu, ACTIVITY_RUNNING, CPU_ACTIVITY)
  store<u64>(cpu, rip, CPU_FAULT_RIP)
  store<u32>(cpu, 0, CPU_SHADOW)
  logException(XLOG_KIND_FAULT, vector, 0, FAULT_DETAIL_NONE, 0, 0, rip)
  if (deliverThroughTable(vector, false, false, 0, rip, flagsBetween())) return
  faultSetExternal()
  deliverException()
}

/** Class of the pending fault, as the second of two. */
function secondClass(): u32 {
  return exceptionClass(load<u32>(cpu, CPU_FAULT) - 1)
}

/** SDM 3A table 6-5. */
function becomesDoubleFault(first: u32, second: u32): bool {
  if (first == CLASS_CONTRIBUTORY) return second == CLASS_CONTRIBUTORY
  if (first == CLASS_PAGE_FAULT) return second != CLASS_BENIGN
  return false
}

/** Takes the pending fault out, loads CR2 for #PF, logs it. Its error code stays in CPU_FAULT_ERROR. */
function takeFault(rip: u64): u32 {
  const vector = load<u32>(cpu, CPU_FAULT) - 1
  faultClear()
  if (vector == EXC_PF) store<u64>(cpu, load<u64>(cpu, CPU_FAULT_ADDRESS), CPU_CR2)
  if (vector == EXC_DB) debugExceptionBegins()
  logPending(XLOG_KIND_FAULT, vector, rip)
  return vector
}

function logPending(kind: u32, vector: u32, rip: u64): void {
  const error = load<u32>(cpu, CPU_FAULT_ERROR)
  const detail = load<u32>(cpu, CPU_FAULT_DETAIL)
  logException(kind, vector, error, detail, load<u64>(cpu, CPU_FAULT_A), load<u64>(cpu, CPU_FAULT_B), rip)
}

function logException(kind: u32, vector: u32, error: u32, detail: u32, a: u64, b: u64, rip: u64): void {
  store<u64>(cpu + CPU_STATS, load<u64>(cpu + CPU_STATS, STAT_EXCEPTIONS) + 1, STAT_EXCEPTIONS)
  exceptionLog(kind, vector, error, detail, a, b, rip)
  event(EVENT_CLASS_EXCEPTION, EVENT_KIND_EXCEPTION, vector | (error << 8), rip, load<u64>(cpu, CPU_CR2))
}

/** The third fault: the processor stops executing instructions (SDM 3A 6.15, interrupt 8). */
function shutdown(rip: u64): void {
  logPending(XLOG_KIND_TRIPLE, load<u32>(cpu, CPU_FAULT) - 1, rip)
  faultClear()
  store<u64>(cpu, rip, CPU_RIP)
  store<u32>(cpu, ACTIVITY_SHUTDOWN, CPU_ACTIVITY)
  machineStop(STOP_TRIPLE_FAULT, 0)
}
