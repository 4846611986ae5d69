// @ts-nocheck: generic over integer types, which TypeScript has no notion of; asc checks this file.
// Runs traces: interpret() does the work, and here is what it leaves for: operands that are not in the fast TLB,
// instructions carried out of line, the end of what is known, and the exits to the run loop. What is rare lives in
// slow.ts, what ends a trace in system.ts.

import { deviceTimeForget, deviceTimeTake } from '../memory/device'
import { accessCommit, accessRead, accessWrite, canonical } from '../memory/linear'
import { tlbContext } from '../memory/tlb'
import { climbAwaits, climbHigher } from '../machine/climb'
import { ahead, budget, inSlice, setAhead, setBudget } from '../machine/clock'
import {
  CLIMB_HIGHER_HALF,
  CPU_ADDRESS,
  CPU_ADDRESS_MASK,
  CPU_ATTENTION,
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_FAULT_RIP,
  CPU_JUMPS,
  CPU_MODE,
  CPU_NEXT_RIP,
  CPU_NEXT_SLOT,
  CPU_RECORD,
  CPU_RIP,
  CPU_ZERO,
  CPU_RSP,
  CPU_FETCH_DISTANCE,
  CPU_FETCH_FRAME,
  CPU_FETCH_PAGE,
  CPU_SEGMENTS,
  CPU_TRACE,
  CPU_TRACE_EPOCH,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_EXECUTE,
  FAST_READ,
  FAST_WRITE,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_TARGET_LIMIT,
  MODE_CODE64,
  MODE_FLAT,
  MODE_SIZE,
  MODE_STACK32,
  SEG_CS,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SIZE,
  TLB_COUNT,
} from '../layout'
import { effective, linearOf } from './address'
import { multiplyFlags } from './arithmetic'
import { bounce, cpu, fastTlb } from './context'
import { CPU_TRACE_RIP } from './decode'
import { faultPending, raise } from './fault'
import {
  carry,
  condition,
  FLAG_CF,
  FLAG_OF,
  flagsMaterialise,
  keepCarry,
  LAZY_ADC,
  LAZY_ADD,
  LAZY_BITS,
  LAZY_DEC,
  LAZY_INC,
  LAZY_LOGIC,
  LAZY_SBB,
  LAZY_SUB,
  setLazy,
  setStatus,
  statusFlags,
} from './flags'
import { FLAGS, FOLLOW, interpret, MISS_MODIFY, MISS_READ, RARE } from './interpreter'
import { exchange } from './locked'
import { carryOut, carryOutPort, deliverPending, undisturbed, undisturbedByDevice } from './onward'
import { fallsThrough, Op, operandAccess, OPERAND_SIZE, OPERAND_WRITE, SLOW_MEMORY, Sys } from './ops'
import { vector, vectorCompute } from './simd/execute'
import { VECTOR_ALIGNED } from './decode-simd'
import { probeJump, probeOffset, probeSees, probesTable } from './probes'
import { leaveFrame, loadSized, popStack, pushStack, slow, storeRegister, storeSized } from './slow'
import { traceFind, tracePartial, traceWithinLimit, WINDOW } from './trace'
import {
  ADDRESS_64_BASE,
  jumpEntry,
  O_AUX,
  O_AUX2,
  O_BASE,
  O_DISP,
  O_DST,
  O_IMM,
  O_INDEX,
  O_KIND,
  O_LENGTH,
  O_OFFSET,
  O_OP,
  O_SEGBASE,
  O_SEGMENT,
  O_SRC,
  OP_SIZE,
  TRACE_BYTES,
  TRACE_CODE,
  TRACE_COUNT,
  TRACE_HEADER,
  TRACE_MODE,
  TRACE_PHYS,
  TRACE_PREFIXES,
  TRACE_SHARED,
} from './trace-format'
import { EXC_GP } from './vectors'
import { x87 } from './x87/execute'
import { FROZEN } from './x87/state'

/** Why execute() returned; CPU_RIP is the next instruction to run unless said otherwise. */
export const EXIT_BUDGET: u32 = 0
/** opIp is a SYSTEM record, charged but not carried out. CPU_FAULT_RIP: the instruction, CPU_RIP: behind it. */
export const EXIT_SYSTEM: u32 = 1
/** The instruction at CPU_FAULT_RIP raised an exception and was abandoned. */
export const EXIT_FAULT: u32 = 2
/** An instruction went through a slow write, after which anything may have changed. */
export const EXIT_AFTER: u32 = 3

/** A record nobody can have made: an inconsistency of ours. opIp is it. */
export const EXIT_INTERNAL: u32 = 4

// What else a function that carries out a record may answer.
/** The instruction is done (or was made possible): on with the record at resumeIp. */
const RESUME: u32 = 0x10
/** It was a jump, to jumpTarget; jumpSlot is where to remember the trace there, or CPU_ZERO. */
const JUMPED: u32 = 0x11
/** A system instruction was carried out; execution goes on at CPU_RIP, in whatever mode it has left. */
const ELSEWHERE: u32 = 0x12

/** Status of an operation inside the switch. */
const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

const ADD: u32 = 0
const OR: u32 = 1
const ADC: u32 = 2
const SBB: u32 = 3
const AND: u32 = 4
const SUB: u32 = 5
const XOR: u32 = 6
const CMP: u32 = 7

const WINDOW_TRIES = 1000
const PAGE: u64 = ~(0xfff as u64)
const INDEX_MASK: usize = (TLB_COUNT - 1) * FAST_ENTRY_SIZE

/** The trace being executed, for those who must know how far it has got. Transient. */
let currentTrace: usize = 0
/** The record that made execute() return. */
export let opIp: usize = 0
let resumeIp: usize = 0
let jumpTarget: u64 = 0
let jumpSlot: usize = 0
/** What sourceValue() and pop() found. */
let found: u64 = 0

/** Instructions of the current trace from the one at `ip` on. */
@inline
function remaining(ip: usize): i64 {
  const before = <i64>((ip - currentTrace - TRACE_HEADER) / OP_SIZE) - prefixesBefore(ip)
  return <i64>load<u16>(currentTrace, TRACE_COUNT) - before
}

/** ADDRESS records of the current trace before the record at `ip`. */
function prefixesBefore(ip: usize): i64 {
  let count: i64 = 0
  if (!load<u16>(currentTrace, TRACE_PREFIXES)) return count
  for (let at = currentTrace + TRACE_HEADER; at < ip; at += OP_SIZE) {
    if ((load<u16>(at, O_OP) as i32) == Op.ADDRESS) count++
  }
  return count
}

/** RIP of the instruction that is doing something slow, for notes about it; between instructions the next one's. */
export function currentRip(): u64 {
  if (!inSlice) return load<u64>(cpu, CPU_RIP)
  let left = <i64>load<u16>(currentTrace, TRACE_COUNT) - ahead
  let record = currentTrace + TRACE_HEADER
  if (load<u16>(currentTrace, TRACE_PREFIXES)) {
    // An ADDRESS record is no instruction, but the beginning of the one behind it.
    for (let prefix = load<u16>(record, O_OP) == Op.ADDRESS; left > 0 || prefix; ) {
      if (!prefix) left--
      record += OP_SIZE
      prefix = load<u16>(record, O_OP) == Op.ADDRESS
    }
  } else record += <usize>left * OP_SIZE
  return load<u64>(cpu, CPU_TRACE_RIP) + (ahead > 0 ? <u64>load<u16>(record, O_OFFSET) : 0)
}

/** Abandons the instruction at `ip`: it and what follows it in the trace were not executed. */
function fault(ip: usize): u32 {
  opIp = ip
  setBudget(budget() + remaining(ip))
  setAhead(0)
  const rip = load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(ip, O_OFFSET)
  store<u64>(cpu, rip, CPU_FAULT_RIP)
  store<u64>(cpu, rip, CPU_RIP)
  return EXIT_FAULT
}

/** Leaves the trace and comes back to the instruction at `ip`, which waits for an interrupt; its time passes. */
function again(ip: usize): u32 {
  const exit = after(ip)
  store<u64>(cpu, load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(ip, O_OFFSET), CPU_RIP)
  return exit
}

/** Leaves the trace after the instruction at `ip`. */
function after(ip: usize): u32 {
  opIp = ip
  setBudget(budget() + remaining(ip) - 1)
  setAhead(0)
  store<u64>(cpu, load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(ip, O_OFFSET) + load<u8>(ip, O_LENGTH), CPU_RIP)
  return EXIT_AFTER
}

/** An inconsistency of ours at the record at `ip`. */
function internal(ip: usize): u32 {
  opIp = ip
  return EXIT_INTERNAL
}

/** Before anything that may ask for the time or take notice of where we are. */
@inline
/** RIP of the last instruction of the current trace. */
function lastRip(): u64 {
  const records = <usize>load<u16>(currentTrace, TRACE_COUNT) + <usize>load<u16>(currentTrace, TRACE_PREFIXES)
  const last = currentTrace + TRACE_HEADER + (records - 1) * OP_SIZE
  return load<u64>(cpu, CPU_TRACE_RIP) + <u64>load<u16>(last, O_OFFSET)
}

function slowly(ip: usize): void {
  setAhead(remaining(ip))
}

/** How to go on after an operation that answered `status`. */
@inline
function finish(ip: usize, status: u32): u32 {
  if (status == DONE) {
    resumeIp = ip + OP_SIZE
    return RESUME
  }
  return status == FAULTED ? fault(ip) : status == FROZEN ? again(ip) : after(ip)
}

// --- memory ----------------------------------------------------------------------------------------------------------

function slowRead(ip: usize, linear: u64, size: u32, segment: u32): usize {
  slowly(ip)
  const pointer = accessRead(linear, size, segment, load<u32>(cpu, CPU_CPL) == 3)
  setAhead(0)
  return pointer
}

function slowWrite(ip: usize, linear: u64, size: u32, segment: u32, modify: bool): usize {
  slowly(ip)
  const pointer = accessWrite(linear, size, segment, load<u32>(cpu, CPU_CPL) == 3, modify)
  setAhead(0)
  return pointer
}

/** Carries out a bounced write. */
function commit(ip: usize): u32 {
  slowly(ip)
  accessCommit()
  setAhead(0)
  return COMMITTED
}

@inline
function fastEntry(linear: u64): usize {
  return fastTlb + (<usize>(linear >> 7) & INDEX_MASK)
}

@inline
function tagOf(linear: u64, size: u32): u64 {
  return ((linear + (size - 1)) & PAGE) | tlbContext
}

@inline
function readAt<T>(ip: usize, linear: u64, segment: u32): usize {
  const entry = fastEntry(linear)
  if (load<u64>(entry, FAST_READ) == tagOf(linear, sizeof<T>() as u32))
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  return slowRead(ip, linear, sizeof<T>() as u32, segment)
}

@inline
function writeAt<T>(ip: usize, linear: u64, segment: u32): usize {
  const entry = fastEntry(linear)
  if (load<u64>(entry, FAST_WRITE) == tagOf(linear, sizeof<T>() as u32))
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  return slowWrite(ip, linear, sizeof<T>() as u32, segment, false)
}

/** The memory operand of the record at `ip` was not in the fast TLB: MISS_*, with its size. */
function miss(ip: usize, why: u32): u32 {
  const op = load<u16>(ip, O_OP) as i32
  if (op >= Op.XCHG_MR8 && op <= Op.XCHG_MR64) return uncommon(ip, op)
  // Not for want of a translation: #UD or #NM comes before the operand is looked at.
  if (op >= Op.VECTOR_MOVE_RR && op <= Op.VECTOR_DOUBLE_RM && !sseReady()) return finish(ip, vectorSlowly(ip))
  const size = why & 0xff
  const kind = why & 0xf00
  const write = kind != MISS_READ
  const segment = load<u8>(ip, O_SEGMENT) as u32
  const linear = linearOf(ip, size, write)
  // Accesses of rarer kinds (out of line, strings, the stack) take devices no time.
  deviceTimeForget()
  const p = write
    ? slowWrite(ip, linear, size, segment, kind == MISS_MODIFY)
    : slowRead(ip, linear, size, segment)
  if (!p) return fault(ip)
  const entry = fastEntry(linear)
  const there = write ? load<u64>(entry, FAST_WRITE) : load<u64>(entry, FAST_READ)
  if (there == tagOf(linear, size)) {
    resumeIp = ip
    return RESUME
  }
  // The commonest accesses to devices, to pages with code in them and across pages need no window.
  if (op >= Op.MOV_RM8 && op <= Op.MOV_RM64) {
    storeRegister(load<u32>(ip, O_DST), size, loadSized(p, size))
    return finish(ip, deviceTimeTake() ? COMMITTED : DONE)
  }
  if (op >= Op.MOV_MR8 && op <= Op.MOV_MR64) storeSized(p, size, loadSized(load<u32>(ip, O_SRC), size))
  else if (!throughWindow(ip, linear, p, size)) return internal(ip)
  const status = write && p == bounce ? commit(ip) : DONE
  return finish(ip, deviceTimeTake() ? COMMITTED : status)
}

/**
 * Carries out the one record at `ip` with `p` in place of its memory operand of `size` bytes at `linear`: while it is
 * being interpreted, the fast TLB says that the operand is there.
 */
function throughWindow(ip: usize, linear: u64, p: usize, size: u32): bool {
  const entry = fastEntry(linear)
  const read = load<u64>(entry, FAST_READ)
  const write = load<u64>(entry, FAST_WRITE)
  const execute = load<u64>(entry, FAST_EXECUTE)
  const addend = load<u32>(entry, FAST_ADDEND)
  const record = cpu + WINDOW
  memory.copy(record, ip, OP_SIZE)
  store<u16>(record, single(load<u16>(ip, O_OP)) as u16, O_OP)
  store<u16>(record + OP_SIZE, Op.SYSTEM, O_OP)
  store<u64>(cpu, linear, CPU_ADDRESS)
  store<u8>(record, ADDRESS_64_BASE, O_KIND)
  store<u32>(record, <u32>(cpu + CPU_ADDRESS), O_BASE)
  store<u32>(record, <u32>(cpu + CPU_ZERO), O_INDEX)
  store<u32>(record, <u32>(cpu + CPU_ZERO), O_SEGBASE)
  store<i32>(record, 0, O_DISP)
  let why: u32 = 0
  // Another CPU that frees the frame may shut the window at any moment (probes.ts); nothing has been done then.
  for (let tries = 0; why < RARE && tries < WINDOW_TRIES; tries++) {
    store<u64>(entry, tagOf(linear, size), FAST_READ)
    store<u64>(entry, tagOf(linear, size), FAST_WRITE)
    store<u32>(entry, <u32>p - <u32>linear, FAST_ADDEND)
    why = interpret(record)
  }
  store<u64>(entry, read, FAST_READ)
  store<u64>(entry, write, FAST_WRITE)
  store<u64>(entry, execute, FAST_EXECUTE)
  store<u32>(entry, addend, FAST_ADDEND)
  return why == RARE && load<u32>(cpu, CPU_RECORD) == <u32>(record + OP_SIZE)
}

/** The first of two joined operations (fuse.ts). */
function single(op: i32): i32 {
  if (op == Op.CMPM8_JE || op == Op.CMPM8_JNE) return Op.CMP_MR8
  if (op == Op.CMPM32_JE || op == Op.CMPM32_JNE) return Op.CMP_MR32
  return op
}

// --- out of line -----------------------------------------------------------------------------------------------------

/** Neither #UD nor #NM for an SSE instruction: CR0.EM, CR0.TS clear, CR4.OSFXSR set. */
@inline
function sseReady(): bool {
  return (load<u32>(cpu, CPU_CR0) & 12) == 0 && (load<u32>(cpu, CPU_CR4) & 0x200) != 0
}

/** A misaligned operand of an instruction that wants it aligned. */
@inline
function misaligned(ip: usize, linear: u64): bool {
  return (linear & 15) != 0 && (load<u32>(ip, O_AUX2) & VECTOR_ALIGNED) != 0
}

function vectorSlowly(ip: usize): u32 {
  slowly(ip)
  const status = vector(ip)
  setAhead(0)
  return status
}

function vectorMoveRM(ip: usize): u32 {
  const linear = linearOf(ip, 16, false)
  if (!sseReady() || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = readAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  v128.store(load<u32>(ip, O_DST), v128.load(p))
  return DONE
}

function vectorMoveMR(ip: usize): u32 {
  const linear = linearOf(ip, 16, true)
  if (!sseReady() || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = writeAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  v128.store(p, v128.load(load<u32>(ip, O_SRC)))
  return p == bounce ? commit(ip) : DONE
}

function vectorRM(ip: usize): u32 {
  const linear = linearOf(ip, 16, false)
  if (!sseReady() || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = readAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  return vectorCompute(ip, v128.load(p))
}

function vectorRM8(ip: usize): u32 {
  if (!sseReady()) return vectorSlowly(ip)
  const p = readAt<u64>(ip, linearOf(ip, 8, false), load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  return vectorCompute(ip, v128.load64_zero(p))
}

/** Whether an operation is one of those that outOfLine() carries out. */
@inline
function isOutOfLine(op: i32): bool {
  return op == Op.X87 || op == Op.SLOW || (op >= Op.VECTOR && op <= Op.VECTOR_RM8)
}

/** Carries out a record that interpret() has no case for and that does not jump. Status of slow(). */
function outOfLine(ip: usize, op: i32): u32 {
  let status: u32 = DONE
  switch (op) {
    case Op.X87:
      if (load<u32>(ip, O_AUX2) & SLOW_MEMORY) slowly(ip)
      status = x87(ip, load<u64>(cpu, CPU_TRACE_RIP))
      break
    case Op.VECTOR_MOVE_RM:
      return vectorMoveRM(ip)
    case Op.VECTOR_MOVE_MR:
      return vectorMoveMR(ip)
    case Op.VECTOR_RR:
    case Op.VECTOR_DOUBLE_RR:
      return sseReady() ? vectorCompute(ip, v128.load(load<u32>(ip, O_SRC))) : vectorSlowly(ip)
    case Op.VECTOR_RM:
      return vectorRM(ip)
    case Op.VECTOR_RM8:
    case Op.VECTOR_DOUBLE_RM:
      return vectorRM8(ip)
    case Op.SLOW:
      slowly(ip)
      status = slow(ip)
      break
    default:
      return vectorSlowly(ip)
  }
  setAhead(0)
  return status
}

@inline
function rotate<T>(ip: usize, left: bool): void {
  const count = <u32>load<u8>(load<u32>(ip, O_SRC)) & (sizeof<T>() * 8 - 1)
  const dst: usize = load<u32>(ip, O_DST)
  const value = load<T>(dst)
  const r: T = left ? rotl<T>(value, count as T) : rotr<T>(value, count as T)
  if (count) {
    const top = <u32>(r >> ((sizeof<T>() * 8 - 1) as T)) & 1
    const cf: u32 = left ? <u32>r & 1 : top
    const overflow: u32 = left ? top ^ cf : top ^ (<u32>(r >> ((sizeof<T>() * 8 - 2) as T)) & 1)
    // Rotates change CF and OF only.
    setStatus((statusFlags() & ~(FLAG_CF | FLAG_OF)) | cf | (overflow ? FLAG_OF : 0))
  }
  store<u64>(dst, r as u64)
}

function push(ip: usize, value: u64, size: u32): u32 {
  slowly(ip)
  const status = pushStack(value, size)
  setAhead(0)
  return status
}

/** Pops into `found`; false with a fault pending. */
function pop(ip: usize, size: u32): bool {
  slowly(ip)
  found = popStack(size)
  setAhead(0)
  return !faultPending()
}

/** The record's operand of `size` bytes, register or memory, into `found`; false with a fault pending. */
function sourceValue(ip: usize, size: u32, fromMemory: bool): bool {
  const p: usize = fromMemory ? operandPointer(ip, size, false, false) : load<u32>(ip, O_SRC)
  if (!p) return false
  found = loadSized(p, size)
  return true
}

/** Operand size of a stack instruction or an indirect jump, in bytes. */
function stackSize(ip: usize, op: i32): u32 {
  if (op >= Op.PUSH32 && op <= Op.RET32) return 4
  if ((op >= Op.PUSH64 && op <= Op.PUSH64_M) || op == Op.LEAVE64) return 8
  if (op == Op.CALL64 || op == Op.CALL64_R || op == Op.CALL64_M || op == Op.RET64) return 8
  return load<u32>(ip, O_AUX2)
}

/** Carries out the record at `ip`, which interpret() did not. */
function rare(ip: usize): u32 {
  const op = load<u16>(ip, O_OP) as i32
  const rip = load<u64>(cpu, CPU_TRACE_RIP)
  const behind = rip + load<u16>(currentTrace, TRACE_BYTES)
  switch (op) {
    case Op.SYSTEM:
      opIp = ip
      store<u64>(cpu, rip + load<u16>(ip, O_OFFSET), CPU_FAULT_RIP)
      store<u64>(cpu, behind, CPU_RIP)
      return EXIT_SYSTEM
    case Op.ADDRESS: {
      const access = load<u32>(ip, O_AUX)
      slowly(ip)
      const linear = linearOf(ip, access & OPERAND_SIZE, (access & OPERAND_WRITE) != 0)
      if (faultPending()) return fault(ip)
      setAhead(0)
      store<u64>(cpu, linear, CPU_ADDRESS)
      return finish(ip, DONE)
    }
    case Op.PUSH64:
    case Op.PUSH32:
    case Op.PUSH:
      return finish(ip, push(ip, load<u64>(load<u32>(ip, O_SRC)), stackSize(ip, op)))
    case Op.PUSH64_M:
    case Op.PUSH_M:
      if (!sourceValue(ip, stackSize(ip, op), true)) return fault(ip)
      return finish(ip, push(ip, found, stackSize(ip, op)))
    case Op.POP64:
    case Op.POP32:
    case Op.POP: {
      const size = stackSize(ip, op)
      if (!pop(ip, size)) return fault(ip)
      storeRegister(load<u32>(ip, O_DST), size, found)
      return finish(ip, DONE)
    }
    case Op.LEAVE64:
    case Op.LEAVE32:
      slowly(ip)
      if (leaveFrame(stackSize(ip, op))) return fault(ip)
      setAhead(0)
      return finish(ip, DONE)
    case Op.CALL64:
    case Op.CALL32:
    case Op.CALL:
    case Op.CALL64_R:
    case Op.CALL32_R:
    case Op.CALL_R:
    case Op.CALL64_M:
    case Op.CALL32_M:
    case Op.CALL_M:
      return call(ip, op, rip, behind)
    case Op.RET64:
    case Op.RET32:
    case Op.RET: {
      const size = stackSize(ip, op)
      const sp = load<u64>(cpu, CPU_RSP)
      if (!pop(ip, size)) return fault(ip)
      if (!branchAllowed(found)) {
        store<u64>(cpu, sp, CPU_RSP)
        return fault(ip)
      }
      releaseStack(load<u64>(ip, O_IMM))
      jumpTarget = found
      jumpSlot = cpu + CPU_ZERO
      return JUMPED
    }
    case Op.JMP_R:
    case Op.JMP_M: {
      // Of a register only where the target is not canonical.
      if (!sourceValue(ip, op == Op.JMP_R ? 8 : load<u32>(ip, O_AUX2), op == Op.JMP_M)) return fault(ip)
      if (!branchAllowed(found)) return fault(ip)
      jumpTarget = found
      jumpSlot = cpu + CPU_ZERO
      return JUMPED
    }
    case Op.LEA16:
      store<u16>(load<u32>(ip, O_DST), effective(ip) as u16)
      return finish(ip, DONE)
    case Op.ROL_R32:
      rotate<u32>(ip, true)
      return finish(ip, DONE)
    case Op.ROR_R32:
      rotate<u32>(ip, false)
      return finish(ip, DONE)
    case Op.ROL_R64:
      rotate<u64>(ip, true)
      return finish(ip, DONE)
    case Op.ROR_R64:
      rotate<u64>(ip, false)
      return finish(ip, DONE)
    case Op.CMOV_R16:
    case Op.CMOV_M16:
      if (!sourceValue(ip, 2, op == Op.CMOV_M16)) return fault(ip)
      if (condition(load<u32>(ip, O_AUX))) store<u16>(load<u32>(ip, O_DST), found as u16)
      return finish(ip, DONE)
    case Op.CMOV_M32:
    case Op.CMOV_M64: {
      const size: u32 = op == Op.CMOV_M32 ? 4 : 8
      if (!sourceValue(ip, size, true)) return fault(ip)
      const dst: usize = load<u32>(ip, O_DST)
      storeRegister(dst, size, condition(load<u32>(ip, O_AUX)) ? found : load<u64>(dst))
      return finish(ip, DONE)
    }
    case Op.SET_M: {
      const p = operandPointer(ip, 1, true, false)
      if (!p) return fault(ip)
      store<u8>(p, condition(load<u32>(ip, O_AUX)) ? 1 : 0)
      return finish(ip, p == bounce ? commit(ip) : DONE)
    }
    case Op.IMUL_RR64:
    case Op.IMUL_RM64: {
      if (!sourceValue(ip, 8, op == Op.IMUL_RM64)) return fault(ip)
      const other = load<u64>(load<u32>(ip, O_AUX))
      const product = found * other
      store<u64>(load<u32>(ip, O_DST), product)
      setLazy(cpu, LAZY_BITS + 3, multiplyFlags(found, other) ? FLAG_CF | FLAG_OF : 0, product)
      return finish(ip, DONE)
    }
    case Op.IMUL_RR16:
    case Op.IMUL_RM16: {
      if (!sourceValue(ip, 2, op == Op.IMUL_RM16)) return fault(ip)
      const product = <i32>(<i16>found) * <i32>load<i16>(load<u32>(ip, O_AUX))
      store<u16>(load<u32>(ip, O_DST), product as u16)
      const overflow: u64 = product != <i32>(<i16>product) ? FLAG_CF | FLAG_OF : 0
      setLazy(cpu, LAZY_BITS + 1, overflow, (product & 0xffff) as u64)
      return finish(ip, DONE)
    }
  }
  if (isOutOfLine(op)) return outOfLineRun(ip, op)
  if (op >= Op.ADD_RR8 && op <= Op.MOVSX16_M8) return uncommon(ip, op)
  return internal(ip)
}

/** Forms of common instructions that are not common enough for interpret(): any operand size, at leisure. */
function uncommon(ip: usize, op: i32): u32 {
  const access = operandAccess(op, 0)
  const write = (access & OPERAND_WRITE) != 0
  let size = access & OPERAND_SIZE
  const dst: usize = load<u32>(ip, O_DST)
  const src: usize = load<u32>(ip, O_SRC)
  if (op >= Op.XCHG_MR8 && op <= Op.XCHG_MR64) {
    slowly(ip)
    const status = exchange(linearOf(ip, size, true), size, load<u8>(ip, O_SEGMENT), src)
    setAhead(0)
    return finish(ip, status)
  }
  if (op >= Op.ADD_RR8 && op <= Op.CMP_MR64) {
    const kind: u32 = (op - Op.ADD_RR8) / 12
    const form: u32 = ((op - Op.ADD_RR8) % 12) >> 2
    const log: u32 = (op - Op.ADD_RR8) & 3
    size = (1 as u32) << log
    const p = form ? operandPointer(ip, size, write, true) : dst
    if (!p) return fault(ip)
    const to = form == 1 ? dst : p
    const from = form == 1 ? p : src
    const r = twoOperands(kind, loadSized(to, size), loadSized(from, size), size)
    if (kind != CMP) {
      if (form == 2) storeSized(to, size, r)
      else storeRegister(to, size, r)
    }
    return finish(ip, write && p == bounce ? commit(ip) : DONE)
  }
  const p = access ? operandPointer(ip, size, write, true) : 0
  if (access && !p) return fault(ip)
  if (op >= Op.TEST_MR8 && op <= Op.TEST_MR64) {
    twoOperands(AND, loadSized(p, size), loadSized(src, size), size)
  } else if (op >= Op.INC_M8 && op <= Op.INC_M64) {
    storeSized(p, size, upOrDown(loadSized(p, size), 1, LAZY_INC, size))
  } else if (op >= Op.DEC_M8 && op <= Op.DEC_M64) {
    storeSized(p, size, upOrDown(loadSized(p, size), -1, LAZY_DEC, size))
  } else if (op >= Op.NEG_M8 && op <= Op.NEG_M64) {
    storeSized(p, size, twoOperands(SUB, 0, loadSized(p, size), size))
  } else if (op >= Op.NOT_M8 && op <= Op.NOT_M64) {
    storeSized(p, size, ~loadSized(p, size))
  } else if (op >= Op.NEG_R8 && op <= Op.NEG_R64) {
    size = (1 as u32) << (op - Op.NEG_R8)
    storeRegister(dst, size, twoOperands(SUB, 0, loadSized(dst, size), size))
  } else if (op >= Op.NOT_R8 && op <= Op.NOT_R64) {
    size = (1 as u32) << (op - Op.NOT_R8)
    storeRegister(dst, size, ~loadSized(dst, size))
  } else if (op >= Op.XCHG_RR8 && op <= Op.XCHG_RR64) {
    size = (1 as u32) << (op - Op.XCHG_RR8)
    const value = loadSized(dst, size)
    storeRegister(dst, size, loadSized(src, size))
    storeRegister(src, size, value)
  } else if (op == Op.MOVZX16_R8) store<u16>(dst, load<u8>(src))
  else if (op == Op.MOVZX16_M8) store<u16>(dst, load<u8>(p))
  else if (op == Op.MOVSX16_R8) store<u16>(dst, <u16>(<i16>load<i8>(src)))
  else if (op == Op.MOVSX16_M8) store<u16>(dst, <u16>(<i16>load<i8>(p)))
  else return internal(ip)
  return finish(ip, write && p == bounce ? commit(ip) : DONE)
}

/** Pointer to the record's memory operand; 0: faulted. */
function operandPointer(ip: usize, size: u32, write: bool, modify: bool): usize {
  const linear = linearOf(ip, size, write)
  const entry = fastEntry(linear)
  const there = write ? load<u64>(entry, FAST_WRITE) : load<u64>(entry, FAST_READ)
  if (there == tagOf(linear, size)) return <usize>linear + load<u32>(entry, FAST_ADDEND)
  const segment = load<u8>(ip, O_SEGMENT) as u32
  return write ? slowWrite(ip, linear, size, segment, modify) : slowRead(ip, linear, size, segment)
}

/** Result of an ALU operation on `size` bytes, its flags noted. */
function twoOperands(kind: u32, a: u64, b: u64, size: u32): u64 {
  const log = ctz(size)
  const mask: u64 = (0xffffffffffffffff as u64) >> (64 - size * 8)
  if (kind == AND || kind == OR || kind == XOR) {
    const r = kind == AND ? a & b : kind == OR ? a | b : a ^ b
    setLazy(cpu, LAZY_LOGIC + log, 0, r)
    return r
  }
  const carried: u32 = (kind == ADC || kind == SBB) && carry(cpu) ? 1 : 0
  if (kind == ADD || kind == ADC) {
    const r = (a + b + carried) & mask
    setLazy(cpu, (carried ? LAZY_ADC : LAZY_ADD) + log, a, r)
    return r
  }
  const r = (a - b - carried) & mask
  setLazy(cpu, (carried ? LAZY_SBB : LAZY_SUB) + log, a, r)
  return r
}

/** INC and DEC, which leave CF alone. */
function upOrDown(value: u64, by: i64, kind: u32, size: u32): u64 {
  keepCarry(cpu)
  const r = (value + <u64>by) & ((0xffffffffffffffff as u64) >> (64 - size * 8))
  setLazy(cpu, kind + ctz(size), 0, r)
  return r
}

/** Carries out the record at `ip` and those behind it, as long as interpret() has no case for them either. */
function outOfLineRun(first: usize, firstOp: i32): u32 {
  let ip = first
  let op = firstOp
  while (true) {
    const status = outOfLine(ip, op)
    if (status) return finish(ip, status)
    ip += OP_SIZE
    op = load<u16>(ip, O_OP)
    if (!isOutOfLine(op) || (op >= Op.VECTOR_MOVE_RR && op <= Op.VECTOR_DOUBLE_RM)) {
      resumeIp = ip
      return RESUME
    }
  }
}

/** Near calls through a stack that is not in the fast TLB, of 16-bit operand size, or to where they may not go. */
function call(ip: usize, op: i32, rip: u64, behind: u64): u32 {
  const size = stackSize(ip, op)
  jumpSlot = cpu + CPU_ZERO
  if (op == Op.CALL64 || op == Op.CALL32 || op == Op.CALL) {
    jumpTarget = rip + <u64>load<i32>(ip, O_DISP)
    jumpSlot = ip + O_IMM
  } else {
    const fromMemory = op == Op.CALL64_M || op == Op.CALL32_M || op == Op.CALL_M
    if (!sourceValue(ip, fromMemory ? size : 8, fromMemory)) return fault(ip)
    jumpTarget = found
  }
  if (size != 8) {
    const cut = size == 2 ? jumpTarget & 0xffff : jumpTarget & 0xffffffff
    // An IP that wrapped is not where the slot leads.
    if (cut != jumpTarget) jumpSlot = cpu + CPU_ZERO
    jumpTarget = cut
  }
  if (!branchAllowed(jumpTarget)) return fault(ip)
  const target = jumpTarget
  const status = push(ip, behind, size)
  if (status == FAULTED) return fault(ip)
  if (status == COMMITTED) {
    // The push may have dropped traces or reached a device; nobody follows.
    store<u64>(cpu, target, CPU_RIP)
    if (probesTable())
      probeJump(
        code64()
          ? target
          : (load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE) + target) & 0xffffffff,
      )
    return EXIT_AFTER
  }
  return JUMPED
}

@inline
function code64(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
}

/** False, with #GP(0) pending, where a near branch may not go (SDM 2 JMP). */
function branchAllowed(target: u64): bool {
  if (code64()) return canonical(target) || raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, target)
  const limit = load<u32>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_LIMIT) as u64
  return target <= limit || raise(EXC_GP, 0, FAULT_DETAIL_TARGET_LIMIT, target, limit)
}

/** RET imm16: releases parameters after the return address was popped. */
function releaseStack(bytes: u64): void {
  if (!bytes) return
  const sp = load<u64>(cpu, CPU_RSP)
  if (code64()) store<u64>(cpu, sp + bytes, CPU_RSP)
  else if (load<u32>(cpu, CPU_MODE) & MODE_STACK32) store<u64>(cpu, (sp + bytes) & 0xffffffff, CPU_RSP)
  else store<u16>(cpu, (sp + bytes) as u16, CPU_RSP)
}

// --- from trace to trace ---------------------------------------------------------------------------------------------

/** Instead of a trace. */
const CALLED_AWAY: usize = 1

/**
 * Finds the trace at `rip` and, where it is in the cache, notes it: in the jump's slot if both lie in one page (and
 * nothing else needs a look: CS's limit, the operand size), else in the jump cache. 0: a fault is pending;
 * CALLED_AWAY: the run loop is wanted.
 */
function follow(trace: usize, slot: usize, rip: u64): usize {
  const linear = code64()
    ? rip
    : (load<u64>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_BASE) + rip) & 0xffffffff
  if (probesTable()) probeJump(linear)
  // Somebody wants this CPU at a boundary (machine/smp.ts).
  if (load<u32>(cpu, CPU_ATTENTION)) return CALLED_AWAY
  const page = load<u64>(cpu, CPU_FETCH_PAGE)
  const epoch = load<u32>(cpu, CPU_TRACE_EPOCH)
  const direct = slot != cpu + CPU_ZERO && load<u32>(trace, TRACE_SHARED) != 0 && !probeOffset(linear)
  const next = traceFind(rip)
  if (!next || !load<u32>(next, TRACE_SHARED)) return next
  const mode = load<u32>(cpu, CPU_MODE)
  if (
    direct &&
    mode & MODE_FLAT &&
    load<u64>(cpu, CPU_FETCH_PAGE) == page &&
    load<u32>(cpu, CPU_TRACE_EPOCH) == epoch
  ) {
    const jump = slot - ((slot - trace - TRACE_HEADER) % OP_SIZE)
    if ((mode & MODE_SIZE) == MODE_CODE64 || load<u32>(jump, O_AUX2) != 2) {
      store<u32>(slot, next as u32)
      return next
    }
  }
  remember(linear, next)
  return next
}

/** Notes a trace in the jump cache. */
function remember(linear: u64, trace: usize): void {
  if (probeSees(linear)) return
  const entry = jumpEntry(cpu, linear)
  store<u64>(entry, linear, CPU_JUMPS)
  store<u32>(entry, trace as u32, CPU_JUMPS + 8)
}

/** Carries out what interpret() stopped before, for the reason `why`. */
function resolve(ip: usize, why: u32): u32 {
  if (why < RARE) return miss(ip, why)
  if (why == RARE) return rare(ip)
  if (why == FLAGS) {
    flagsMaterialise()
    resumeIp = ip
    return RESUME
  }
  branchAllowed(load<u64>(cpu, CPU_NEXT_RIP))
  return fault(ip)
}

/** Whether system instructions and exceptions are carried out within execute(), and until when. Set for each call. */
let onwards: bool = false
let deadline: u64 = 0

/**
 * Runs from CPU_RIP until something needs the run loop or the slice's budget is used up. Answers EXIT_*. `may`: neither
 * single steps nor breakpoints are about, so that the run loop need not come round after system instructions and
 * exceptions, as long as HDR_DEADLINE is still `until`.
 */
export function execute(may: bool, until: u64): u32 {
  onwards = may
  deadline = until
  while (true) {
    const exit = traces()
    if (exit == ELSEWHERE) continue
    if (!may) return exit
    if (exit == EXIT_FAULT) deliverPending()
    else if (exit != EXIT_SYSTEM || !carryOut(opIp)) return exit
    if (!undisturbed(until)) return EXIT_AFTER
  }
}

/**
 * The trace at `rip`, if the jump cache knows it and asking for it would change nothing (as interpret() enters traces of
 * other pages, see ARCHITECTURE); 0: ask.
 */
@inline
function known(c: usize, linear: u64): usize {
  const jump = jumpEntry(c, linear)
  const trace: usize = load<u32>(jump, CPU_JUMPS + 8)
  if (
    load<u64>(jump, CPU_JUMPS) != linear ||
    !trace ||
    load<u32>(trace, TRACE_MODE) != load<u32>(c, CPU_MODE)
  )
    return 0
  if (load<u64>(c, CPU_FETCH_PAGE) == ((linear & PAGE) | 1)) {
    const phys = <u32>load<u64>(c, CPU_FETCH_FRAME) | (<u32>linear & 0xfff)
    return load<u32>(trace, TRACE_PHYS) == phys ? trace : 0
  }
  const entry = fastEntry(linear)
  if (
    load<u64>(entry, FAST_EXECUTE) != tagOf(linear, 1) ||
    load<u32>(trace, TRACE_CODE) != <u32>linear + load<u32>(entry, FAST_ADDEND)
  )
    return 0
  store<u64>(c, (linear & PAGE) | 1, CPU_FETCH_PAGE)
  store<u64>(c, (load<u32>(trace, TRACE_PHYS) & 0xfffff000) as u64, CPU_FETCH_FRAME)
  return trace
}

/** Runs traces from CPU_RIP on. Answers EXIT_*, or ELSEWHERE: a system instruction is done and leads to CPU_RIP. */
function traces(): u32 {
  const c = cpu
  const mode64 = code64()
  const segment = c + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE
  const limit: u64 = load<u32>(segment, SEGMENT_LIMIT)
  const base: u64 = mode64 ? 0 : load<u64>(segment, SEGMENT_BASE)
  const mask: u64 = mode64 ? 0xffffffffffffffff : 0xffffffff
  store<u64>(c, mask, CPU_ADDRESS_MASK)
  let rip = load<u64>(c, CPU_RIP)
  if (climbAwaits(CLIMB_HIGHER_HALF)) climbHigher((base + rip) & mask, load<u64>(c, CPU_FAULT_RIP))
  let trace = known(c, (base + rip) & mask)
  if (!trace) {
    trace = traceFind(rip)
    if (trace && load<u32>(trace, TRACE_SHARED)) remember((base + rip) & mask, trace)
  }
  while (true) {
    // --- enter `trace`, whose code is at `rip` ---
    if (trace && !mode64 && rip + load<u16>(trace, TRACE_BYTES) - 1 > limit) trace = traceWithinLimit(rip)
    if (trace && budget() < <i64>load<u16>(trace, TRACE_COUNT)) {
      if (budget() <= 0) {
        store<u64>(c, rip, CPU_RIP)
        return EXIT_BUDGET
      }
      if (mode64 || load<u16>(trace, TRACE_COUNT) > 1) trace = tracePartial(rip, budget() as u32)
    }
    if (!trace) {
      // The instruction could not be fetched.
      store<u64>(c, rip, CPU_RIP)
      store<u64>(c, rip, CPU_FAULT_RIP)
      return EXIT_FAULT
    }
    setBudget(budget() - load<u16>(trace, TRACE_COUNT))
    store<u64>(c, rip, CPU_TRACE_RIP)
    store<u32>(c, trace as u32, CPU_TRACE)
    store<u32>(c, load<u32>(trace, TRACE_CODE) - <u32>(base + rip), CPU_FETCH_DISTANCE)
    const exit = run()
    if (exit != JUMPED) return exit
    rip = jumpTarget
    if (climbAwaits(CLIMB_HIGHER_HALF)) climbHigher((base + rip) & mask, lastRip())
    trace = follow(currentTrace, jumpSlot, rip)
    if (trace == CALLED_AWAY) {
      store<u64>(c, rip, CPU_RIP)
      return EXIT_BUDGET
    }
  }
}

/**
 * Carries out the records of the trace at CPU_TRACE and those of the traces that follow as far as they are known.
 * Answers EXIT_*, ELSEWHERE or JUMPED.
 */
function run(): u32 {
  let ip: usize = load<u32>(cpu, CPU_TRACE) + TRACE_HEADER
  let way = RESUME
  while (way == RESUME) {
    const why = interpret(ip)
    currentTrace = load<u32>(cpu, CPU_TRACE)
    if (why == FOLLOW) {
      jumpTarget = load<u64>(cpu, CPU_NEXT_RIP)
      jumpSlot = load<u32>(cpu, CPU_NEXT_SLOT)
      return JUMPED
    }
    ip = load<u32>(cpu, CPU_RECORD)
    const op = load<u16>(ip, O_OP) as i32
    if (why == RARE && isOutOfLine(op)) way = outOfLineRun(ip, op)
    else if (why == RARE && op == Op.SYSTEM && onwards) {
      const rip = load<u64>(cpu, CPU_TRACE_RIP)
      const behind = rip + load<u16>(currentTrace, TRACE_BYTES)
      store<u64>(cpu, rip + load<u16>(ip, O_OFFSET), CPU_FAULT_RIP)
      store<u64>(cpu, behind, CPU_RIP)
      way = systemWithin(ip, behind)
    } else way = resolve(ip, why)
    ip = resumeIp
  }
  return way
}

/**
 * Carries out the SYSTEM record at `ip` and goes on in its trace, where only END is left, if nothing has changed that is
 * looked at between traces: then the jump from there may be one that is remembered.
 */
function systemWithin(ip: usize, next: u64): u32 {
  opIp = ip
  const page = load<u64>(cpu, CPU_FETCH_PAGE)
  const mode = load<u32>(cpu, CPU_MODE)
  const epoch = load<u32>(cpu, CPU_TRACE_EPOCH)
  const what = load<u32>(ip, O_AUX)
  if (what == Sys.IN || what == Sys.OUT) {
    carryOutPort(ip)
    if (!undisturbedByDevice(deadline)) return EXIT_AFTER
  } else {
    if (!carryOut(ip)) return EXIT_SYSTEM
    if (!undisturbed(deadline)) return EXIT_AFTER
    if (!fallsThrough(what)) return ELSEWHERE
  }
  if (
    load<u64>(cpu, CPU_RIP) != next ||
    load<u64>(cpu, CPU_FETCH_PAGE) != page ||
    load<u32>(cpu, CPU_MODE) != mode ||
    load<u32>(cpu, CPU_TRACE_EPOCH) != epoch ||
    // Not dead either: a device may have written to its page.
    load<u32>(currentTrace, TRACE_MODE) != mode
  )
    return ELSEWHERE
  resumeIp = ip + OP_SIZE
  return RESUME
}
