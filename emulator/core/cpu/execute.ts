// @ts-nocheck: generic over integer types, which TypeScript has no notion of; asc checks this file.
// The executor: runs traces by one big switch (measured against the alternatives in ARCHITECTURE.md). Register
// operands are addresses in the record, memory operands try the fast TLB inline, flags are left lazy. What is
// rare lives in slow.ts, what ends a trace in system.ts.

import { accessCommit, accessRead, accessWrite, canonical } from '../memory/linear'
import { tlbContext } from '../memory/tlb'
import { budget, setAhead, setBudget } from '../machine/clock'
import {
  CPU_ATTENTION,
  CPU_CHAIN_MODE,
  CPU_CPL,
  CPU_CR4,
  CPU_CR0,
  CPU_FAULT_RIP,
  CPU_FETCH_PAGE,
  CPU_MODE,
  CPU_RAX,
  CPU_RBP,
  CPU_RCX,
  CPU_RDX,
  CPU_RIP,
  CPU_RSP,
  CPU_SEGMENTS,
  CPU_TRACE_EPOCH,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_READ,
  FAST_WRITE,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_TARGET_LIMIT,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEG_SS,
  SEGMENT_LIMIT,
  SEGMENT_SIZE,
  TLB_COUNT,
} from '../layout'
import { effective, effectiveAddress, linearOf } from './address'
import { bounce, cpu, fastTlb } from './context'
import { CPU_TRACE_RIP } from './decode'
import { faultPending, raise } from './fault'
import {
  carry,
  condition,
  FLAG_CF,
  FLAG_OF,
  keepCarry,
  LAZY_ADD,
  LAZY_BITS,
  LAZY_DEC,
  LAZY_INC,
  LAZY_LOGIC,
  LAZY_SUB,
  setLazy,
  setStatus,
  statusFlags,
  zero,
} from './flags'
import { addWithCarry, multiplyFlags, subtractWithBorrow } from './arithmetic'
import { exchange } from './locked'
import { Op, SLOW_MEMORY } from './ops'
import { vector, vectorCompute } from './simd/execute'
import { VECTOR_ALIGNED } from './decode-simd'
import { popStack, pushStack, slow } from './slow'
import { traceFind, tracePartial, traceWithinLimit } from './trace'
import {
  ADDRESS_16,
  ADDRESS_64,
  ADDRESS_64_32,
  O_AUX,
  O_AUX2,
  O_DISP,
  O_DST,
  O_IMM,
  O_KIND,
  O_LENGTH,
  O_OFFSET,
  O_OP,
  O_SEGMENT,
  O_SRC,
  OP_SIZE,
  TRACE_BYTES,
  TRACE_COUNT,
  TRACE_HEADER,
  TRACE_MODE,
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

const PAGE: u64 = ~(0xfff as u64)
const INDEX_MASK: usize = (TLB_COUNT - 1) * FAST_ENTRY_SIZE

/** The trace being executed, for those who must know how far it has got. Transient. */
let currentTrace: usize = 0
/** The record that made execute() return. */
export let opIp: usize = 0

/** Instructions of the current trace from the one at `ip` on. */
@inline
function remaining(ip: usize): i64 {
  return <i64>load<u16>(currentTrace, TRACE_COUNT) - <i64>((ip - currentTrace - TRACE_HEADER) / OP_SIZE)
}

/** Abandons the instruction at `ip`: it and what follows it in the trace were not executed. */
function fault(ip: usize): u32 {
  opIp = ip
  setBudget(budget + remaining(ip))
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
  setBudget(budget + remaining(ip) - 1)
  setAhead(0)
  store<u64>(cpu, load<u64>(cpu, CPU_TRACE_RIP) + load<u16>(ip, O_OFFSET) + load<u8>(ip, O_LENGTH), CPU_RIP)
  return EXIT_AFTER
}

@inline
function leave(ip: usize, status: u32): u32 {
  return status == FAULTED ? fault(ip) : status == FROZEN ? again(ip) : after(ip)
}

/** Before anything that may ask for the time or take notice of where we are. */
@inline
function slowly(ip: usize): void {
  setAhead(remaining(ip))
}

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
function readAt<T>(ip: usize, linear: u64, segment: u32): usize {
  const entry = fastEntry(linear)
  if (load<u64>(entry, FAST_READ) == (((linear + (sizeof<T>() - 1)) & PAGE) | tlbContext)) {
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  }
  return slowRead(ip, linear, sizeof<T>() as u32, segment)
}

@inline
function writeAt<T>(ip: usize, linear: u64, segment: u32, modify: bool): usize {
  const entry = fastEntry(linear)
  if (load<u64>(entry, FAST_WRITE) == (((linear + (sizeof<T>() - 1)) & PAGE) | tlbContext)) {
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  }
  return slowWrite(ip, linear, sizeof<T>() as u32, segment, modify)
}

@inline
function source<T>(ip: usize): T {
  return load<T>(load<u32>(ip, O_SRC))
}

/** Pointer to the record's memory operand for reading; 0: faulted. */
@inline
function readOperand<T>(ip: usize): usize {
  return readAt<T>(ip, linearOf(ip, sizeof<T>() as u32, false), load<u8>(ip, O_SEGMENT))
}

@inline
function writeOperand<T>(ip: usize, modify: bool): usize {
  return writeAt<T>(ip, linearOf(ip, sizeof<T>() as u32, true), load<u8>(ip, O_SEGMENT), modify)
}

/** Writes a register: 32-bit results are zero-extended (SDM 1 3.4.1.1). */
@inline
function setRegister<T>(address: usize, value: T): void {
  if (sizeof<T>() == 4) store<u64>(address, value as u64)
  else store<T>(address, value)
}

@inline
function log2<T>(): u32 {
  return sizeof<T>() == 8 ? 3 : sizeof<T>() == 4 ? 2 : sizeof<T>() == 2 ? 1 : 0
}

// --- the hot part of the vector unit; whatever is not plain goes to vector() ----------------------------------------

/** Neither #UD nor #NM for an SSE instruction: CR0.EM, CR0.TS clear, CR4.OSFXSR set. */
@inline
function sseReady(c: usize): bool {
  return (load<u32>(c, CPU_CR0) & 12) == 0 && (load<u32>(c, CPU_CR4) & 0x200) != 0
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

@inline
function vectorMoveRM(c: usize, ip: usize): u32 {
  const linear = linearOf(ip, 16, false)
  if (!sseReady(c) || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = readAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  v128.store(load<u32>(ip, O_DST), v128.load(p))
  return DONE
}

@inline
function vectorMoveMR(c: usize, ip: usize): u32 {
  const linear = linearOf(ip, 16, true)
  if (!sseReady(c) || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = writeAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT), false)
  if (!p) return FAULTED
  v128.store(p, v128.load(load<u32>(ip, O_SRC)))
  return p == bounce ? commit(ip) : DONE
}

/** MOVSD, MOVQ from memory: zero-extended. */
@inline
function vectorMove8RM(c: usize, ip: usize): u32 {
  if (!sseReady(c)) return vectorSlowly(ip)
  const p = readOperand<u64>(ip)
  if (!p) return FAULTED
  v128.store(load<u32>(ip, O_DST), v128.load64_zero(p))
  return DONE
}

@inline
function vectorMove8MR(c: usize, ip: usize): u32 {
  if (!sseReady(c)) return vectorSlowly(ip)
  const p = writeOperand<u64>(ip, false)
  if (!p) return FAULTED
  store<u64>(p, source<u64>(ip))
  return p == bounce ? commit(ip) : DONE
}

function vectorRM(c: usize, ip: usize): u32 {
  const linear = linearOf(ip, 16, false)
  if (!sseReady(c) || misaligned(ip, linear)) return vectorSlowly(ip)
  const p = readAt<v128>(ip, linear, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  return vectorCompute(ip, v128.load(p))
}

function vectorRM8(c: usize, ip: usize): u32 {
  if (!sseReady(c)) return vectorSlowly(ip)
  const p = readOperand<u64>(ip)
  if (!p) return FAULTED
  return vectorCompute(ip, v128.load64_zero(p))
}

/** Result of a two-operand instruction, its flags noted. */
@inline
function compute<T>(c: usize, kind: u32, a: T, b: T): T {
  if (kind == ADD) {
    const r = <T>(a + b)
    setLazy(c, LAZY_ADD + log2<T>(), a as u64, r as u64)
    return r
  }
  if (kind == SUB || kind == CMP) {
    const r = <T>(a - b)
    setLazy(c, LAZY_SUB + log2<T>(), a as u64, r as u64)
    return r
  }
  if (kind == AND || kind == OR || kind == XOR) {
    const r: T = kind == AND ? <T>(a & b) : kind == OR ? <T>(a | b) : <T>(a ^ b)
    setLazy(c, LAZY_LOGIC + log2<T>(), 0, r as u64)
    return r
  }
  if (kind == ADC) return addWithCarry<T>(a, b)
  return subtractWithBorrow<T>(a, b)
}

@inline
function aluRR<T>(c: usize, ip: usize, kind: u32): void {
  const dst: usize = load<u32>(ip, O_DST)
  const r = compute<T>(c, kind, load<T>(dst), source<T>(ip))
  if (kind != CMP) setRegister<T>(dst, r)
}

@inline
function aluRM<T>(c: usize, ip: usize, kind: u32): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  const dst: usize = load<u32>(ip, O_DST)
  const r = compute<T>(c, kind, load<T>(dst), load<T>(p))
  if (kind != CMP) setRegister<T>(dst, r)
  return DONE
}

@inline
function aluMR<T>(c: usize, ip: usize, kind: u32): u32 {
  if (kind == CMP) {
    const p = readOperand<T>(ip)
    if (!p) return FAULTED
    compute<T>(c, kind, load<T>(p), source<T>(ip))
    return DONE
  }
  const p = writeOperand<T>(ip, true)
  if (!p) return FAULTED
  store<T>(p, compute<T>(c, kind, load<T>(p), source<T>(ip)))
  return p == bounce ? commit(ip) : DONE
}

@inline
function movRM<T>(ip: usize): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  setRegister<T>(load<u32>(ip, O_DST), load<T>(p))
  return DONE
}

@inline
function movMR<T>(ip: usize): u32 {
  const p = writeOperand<T>(ip, false)
  if (!p) return FAULTED
  store<T>(p, source<T>(ip))
  return p == bounce ? commit(ip) : DONE
}

@inline
function incDec<T>(c: usize, value: T, up: bool): T {
  keepCarry(c)
  const r: T = up ? <T>(value + 1) : <T>(value - 1)
  setLazy(c, (up ? LAZY_INC : LAZY_DEC) + log2<T>(), 0, r as u64)
  return r
}

@inline
function incDecR<T>(c: usize, ip: usize, up: bool): void {
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, incDec<T>(c, load<T>(dst), up))
}

@inline
function incDecM<T>(c: usize, ip: usize, up: bool): u32 {
  const p = writeOperand<T>(ip, true)
  if (!p) return FAULTED
  store<T>(p, incDec<T>(c, load<T>(p), up))
  return p == bounce ? commit(ip) : DONE
}

@inline
function negR<T>(c: usize, ip: usize): void {
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, compute<T>(c, SUB, 0 as T, load<T>(dst)))
}

@inline
function negM<T>(c: usize, ip: usize): u32 {
  const p = writeOperand<T>(ip, true)
  if (!p) return FAULTED
  store<T>(p, compute<T>(c, SUB, 0 as T, load<T>(p)))
  return p == bounce ? commit(ip) : DONE
}

@inline
function notM<T>(ip: usize): u32 {
  const p = writeOperand<T>(ip, true)
  if (!p) return FAULTED
  store<T>(p, ~load<T>(p))
  return p == bounce ? commit(ip) : DONE
}

/** XCHG with memory is locked with or without the prefix (SDM 2 XCHG). */
@inline
function xchgMR<T>(ip: usize): u32 {
  const p = writeOperand<T>(ip, true)
  if (!p) return FAULTED
  const src: usize = load<u32>(ip, O_SRC)
  if (p != bounce && (p & (sizeof<T>() - 1)) == 0) {
    setRegister<T>(src, atomic.xchg<T>(p, load<T>(src)))
    return DONE
  }
  slowly(ip)
  const status = exchange(
    linearOf(ip, sizeof<T>() as u32, true),
    sizeof<T>() as u32,
    load<u8>(ip, O_SEGMENT),
    src,
  )
  setAhead(0)
  return status
}

@inline
function testMR<T>(c: usize, ip: usize): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  compute<T>(c, AND, load<T>(p), source<T>(ip))
  return DONE
}

/** MOVZX and MOVSX: T is the type the source is read as, D what the destination register is written as. */
@inline
function extendR<T, D>(ip: usize): void {
  setRegister<D>(load<u32>(ip, O_DST), source<T>(ip) as D)
}

@inline
function extendM<T, D>(ip: usize): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  setRegister<D>(load<u32>(ip, O_DST), load<T>(p) as D)
  return DONE
}

// CF of a shift is the last bit shifted out, OF is defined for single-bit shifts and computed alike for others
// (SDM 2 SAL/SAR/SHL/SHR); a count of zero changes nothing.

@inline
function shiftFlags<T>(c: usize, cf: u32, overflow: u32, r: T): void {
  setLazy(c, LAZY_BITS + log2<T>(), ((cf & 1) | ((overflow & 1) << 11)) as u64, r as u64)
}

@inline
function countOf<T>(ip: usize): u32 {
  return <u32>source<u8>(ip) & (sizeof<T>() * 8 - 1)
}

@inline
function shiftLeft<T>(ip: usize): T {
  const count = countOf<T>(ip) as T
  return load<T>(load<u32>(ip, O_DST)) << count
}

@inline
function topBit<T>(value: T): u32 {
  return <u32>(value >> ((sizeof<T>() * 8 - 1) as T)) & 1
}

@inline
function shl<T>(c: usize, ip: usize): void {
  const count = countOf<T>(ip)
  const dst: usize = load<u32>(ip, O_DST)
  const value = load<T>(dst)
  const r = <T>(value << (count as T))
  if (count) {
    const cf = <u32>(value >> ((sizeof<T>() * 8 - count) as T)) & 1
    shiftFlags<T>(c, cf, topBit<T>(r) ^ cf, r)
  }
  setRegister<T>(dst, r)
}

@inline
function shr<T>(c: usize, ip: usize): void {
  const count = countOf<T>(ip)
  const dst: usize = load<u32>(ip, O_DST)
  const value = load<T>(dst)
  const r = <T>(value >> (count as T))
  if (count) shiftFlags<T>(c, <u32>(value >> ((count - 1) as T)), count == 1 ? topBit<T>(value) : 0, r)
  setRegister<T>(dst, r)
}

@inline
function sar<T, S>(c: usize, ip: usize): void {
  const count = countOf<T>(ip)
  const dst: usize = load<u32>(ip, O_DST)
  const value = load<T>(dst)
  const r = <T>(<S>value >> (count as S))
  if (count) shiftFlags<T>(c, <u32>(value >> ((count - 1) as T)), 0, r)
  setRegister<T>(dst, r)
}

@inline
function rotate<T>(ip: usize, left: bool): void {
  const count = countOf<T>(ip)
  const dst: usize = load<u32>(ip, O_DST)
  const value = load<T>(dst)
  const r: T = left ? rotl<T>(value, count as T) : rotr<T>(value, count as T)
  if (count) {
    const top = topBit<T>(r)
    const cf: u32 = left ? <u32>r & 1 : top
    const overflow: u32 = left ? top ^ cf : top ^ (<u32>(r >> ((sizeof<T>() * 8 - 2) as T)) & 1)
    // Rotates change CF and OF only.
    setStatus((statusFlags() & ~(FLAG_CF | FLAG_OF)) | cf | (overflow ? FLAG_OF : 0))
  }
  setRegister<T>(dst, r)
}

/** ADD, OR, AND, SUB, XOR without flags. */
@inline
function plain<T>(kind: u32, a: T, b: T): T {
  if (kind == ADD) return <T>(a + b)
  if (kind == SUB) return <T>(a - b)
  return kind == AND ? <T>(a & b) : kind == OR ? <T>(a | b) : <T>(a ^ b)
}

@inline
function plainRR<T>(ip: usize, kind: u32): void {
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, plain<T>(kind, load<T>(dst), source<T>(ip)))
}

@inline
function plainRM<T>(ip: usize, kind: u32): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, plain<T>(kind, load<T>(dst), load<T>(p)))
  return DONE
}

/** SF, ZF, AF and PF are undefined after IMUL (SDM 2); here they follow from the result. */
@inline
function imul<T, S>(c: usize, ip: usize, a: T, b: T): void {
  const r = <T>(a * b)
  setRegister<T>(load<u32>(ip, O_DST), r)
  let overflow: bool
  if (sizeof<T>() == 8) overflow = multiplyFlags(a as u64, b as u64)
  else overflow = <i64>(<S>a) * <i64>(<S>b) != <i64>(<S>r)
  shiftFlags<T>(c, overflow ? 1 : 0, overflow ? 1 : 0, r)
}

@inline
function imulM<T, S>(c: usize, ip: usize): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  imul<T, S>(c, ip, load<T>(p), load<T>(load<u32>(ip, O_AUX)))
  return DONE
}

/** CMOVcc reads its source whether the condition holds or not (SDM 2 CMOVcc). */
@inline
function cmov<T>(ip: usize, p: usize): void {
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, condition(load<u32>(ip, O_AUX)) ? load<T>(p) : load<T>(dst))
}

@inline
function cmovM<T>(ip: usize): u32 {
  const p = readOperand<T>(ip)
  if (!p) return FAULTED
  cmov<T>(ip, p)
  return DONE
}

@inline
function push64(c: usize, ip: usize, value: u64): u32 {
  const sp = load<u64>(c, CPU_RSP) - 8
  const p = writeAt<u64>(ip, sp, SEG_SS, false)
  if (!p) return FAULTED
  store<u64>(p, value)
  store<u64>(c, sp, CPU_RSP)
  return p == bounce ? commit(ip) : DONE
}

/** rCX as LOOPcc and JrCXZ see it: cut to the address size. */
@inline
function counter(c: usize, ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const value = load<u64>(c, CPU_RCX)
  return kind == ADDRESS_64 ? value : kind == ADDRESS_16 ? value & 0xffff : value & 0xffffffff
}

/** Decrements rCX; the new count. */
function countDown(ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const value = load<u64>(cpu, CPU_RCX) - 1
  if (kind == ADDRESS_16) store<u16>(cpu, value as u16, CPU_RCX)
  else store<u64>(cpu, kind == ADDRESS_64 ? value : value & 0xffffffff, CPU_RCX)
  return counter(cpu, ip)
}

/** False, with #GP(0) pending, where a near branch may not go (SDM 2 JMP). */
function branchAllowed(target: u64, mode64: bool): bool {
  if (mode64) return canonical(target) || raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, target)
  const limit = load<u32>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_LIMIT) as u64
  return target <= limit || raise(EXC_GP, 0, FAULT_DETAIL_TARGET_LIMIT, target, limit)
}

/** Instead of a trace. */
const CALLED_AWAY: usize = 1

/**
 * Finds the trace at `rip` and, where both lie in the same page and in the cache, notes it in the jump's slot, so
 * that the next time needs no search. 0: a fault is pending; CALLED_AWAY: the run loop is wanted.
 */
function follow(trace: usize, slot: usize, rip: u64): usize {
  // Somebody wants this CPU at a boundary (machine/smp.ts).
  if (load<u32>(cpu, CPU_ATTENTION)) return CALLED_AWAY
  const page = load<u64>(cpu, CPU_FETCH_PAGE)
  const epoch = load<u32>(cpu, CPU_TRACE_EPOCH)
  const chained = slot != 0 && load<u32>(trace, TRACE_SHARED) != 0
  const next = traceFind(rip)
  if (!next || !chained || !load<u32>(next, TRACE_SHARED)) return next
  if (load<u64>(cpu, CPU_FETCH_PAGE) == page && load<u32>(cpu, CPU_TRACE_EPOCH) == epoch)
    store<u32>(slot, next as u32)
  return next
}

/**
 * Runs from CPU_RIP until something needs the run loop or the slice's budget is used up. Answers EXIT_*.
 */
export function execute(): u32 {
  const c = cpu
  const mode = load<u32>(c, CPU_MODE)
  const mode64 = (mode & MODE_SIZE) == MODE_CODE64
  const limit: u64 = load<u32>(c + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_LIMIT)
  let rip = load<u64>(c, CPU_RIP)
  let trace = traceFind(rip)
  let ip: usize = 0
  let slot: usize = 0
  let status: u32 = 0
  let target: u64 = 0
  let taken: bool = false
  while (true) {
    // --- enter `trace`, whose code is at `rip` ---
    if (trace && !mode64 && rip + load<u16>(trace, TRACE_BYTES) - 1 > limit) trace = traceWithinLimit(rip)
    if (trace && budget < <i64>load<u16>(trace, TRACE_COUNT)) {
      if (budget <= 0) {
        store<u64>(c, rip, CPU_RIP)
        return EXIT_BUDGET
      }
      if (mode64 || load<u16>(trace, TRACE_COUNT) > 1) trace = tracePartial(rip, budget as u32)
    }
    if (!trace) {
      // The instruction could not be fetched.
      store<u64>(c, rip, CPU_RIP)
      store<u64>(c, rip, CPU_FAULT_RIP)
      return EXIT_FAULT
    }
    currentTrace = trace
    setBudget(budget - load<u16>(trace, TRACE_COUNT))
    store<u64>(c, rip, CPU_TRACE_RIP)
    ip = trace + TRACE_HEADER

    while (true) {
      switch (load<u16>(ip, O_OP) as i32) {
        case Op.END:
          target = rip + <u64>load<i32>(ip, O_DISP)
          slot = ip + O_IMM
          taken = false
          break
        case Op.SYSTEM:
          opIp = ip
          store<u64>(c, rip + load<u16>(ip, O_OFFSET), CPU_FAULT_RIP)
          store<u64>(c, rip + load<u16>(trace, TRACE_BYTES), CPU_RIP)
          return EXIT_SYSTEM
        case Op.SLOW:
          slowly(ip)
          status = slow(ip)
          setAhead(0)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.X87:
          if (load<u32>(ip, O_AUX2) & SLOW_MEMORY) {
            slowly(ip)
            status = x87(ip, rip)
            setAhead(0)
          } else status = x87(ip, rip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NOP:
          ip += OP_SIZE
          continue
        case Op.VECTOR_MOVE_RR:
          if (!sseReady(c)) {
            status = vector(ip)
            return leave(ip, status)
          }
          v128.store(load<u32>(ip, O_DST), v128.load(load<u32>(ip, O_SRC)))
          ip += OP_SIZE
          continue
        case Op.VECTOR_MOVE_RM: {
          status = vectorMoveRM(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        }
        case Op.VECTOR_MOVE_MR:
          status = vectorMoveMR(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR_MOVE8_RM:
          status = vectorMove8RM(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR_MOVE8_MR:
          status = vectorMove8MR(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR_RR:
          status = sseReady(c) ? vectorCompute(ip, v128.load(load<u32>(ip, O_SRC))) : vector(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR_RM:
          status = vectorRM(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR_RM8:
          status = vectorRM8(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.VECTOR:
          slowly(ip)
          status = vector(ip)
          setAhead(0)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADD_RR8:
          aluRR<u8>(c, ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RR16:
          aluRR<u16>(c, ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RR32:
          aluRR<u32>(c, ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RR64:
          aluRR<u64>(c, ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RM8:
          if (aluRM<u8>(c, ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADD_RM16:
          if (aluRM<u16>(c, ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADD_RM32:
          if (aluRM<u32>(c, ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADD_RM64:
          if (aluRM<u64>(c, ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADD_MR8:
          status = aluMR<u8>(c, ip, ADD)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADD_MR16:
          status = aluMR<u16>(c, ip, ADD)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADD_MR32:
          status = aluMR<u32>(c, ip, ADD)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADD_MR64:
          status = aluMR<u64>(c, ip, ADD)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.OR_RR8:
          aluRR<u8>(c, ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RR16:
          aluRR<u16>(c, ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RR32:
          aluRR<u32>(c, ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RR64:
          aluRR<u64>(c, ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RM8:
          if (aluRM<u8>(c, ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_RM16:
          if (aluRM<u16>(c, ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_RM32:
          if (aluRM<u32>(c, ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_RM64:
          if (aluRM<u64>(c, ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_MR8:
          status = aluMR<u8>(c, ip, OR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.OR_MR16:
          status = aluMR<u16>(c, ip, OR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.OR_MR32:
          status = aluMR<u32>(c, ip, OR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.OR_MR64:
          status = aluMR<u64>(c, ip, OR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADC_RR8:
          aluRR<u8>(c, ip, ADC)
          ip += OP_SIZE
          continue
        case Op.ADC_RR16:
          aluRR<u16>(c, ip, ADC)
          ip += OP_SIZE
          continue
        case Op.ADC_RR32:
          aluRR<u32>(c, ip, ADC)
          ip += OP_SIZE
          continue
        case Op.ADC_RR64:
          aluRR<u64>(c, ip, ADC)
          ip += OP_SIZE
          continue
        case Op.ADC_RM8:
          if (aluRM<u8>(c, ip, ADC)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADC_RM16:
          if (aluRM<u16>(c, ip, ADC)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADC_RM32:
          if (aluRM<u32>(c, ip, ADC)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADC_RM64:
          if (aluRM<u64>(c, ip, ADC)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADC_MR8:
          status = aluMR<u8>(c, ip, ADC)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADC_MR16:
          status = aluMR<u16>(c, ip, ADC)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADC_MR32:
          status = aluMR<u32>(c, ip, ADC)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.ADC_MR64:
          status = aluMR<u64>(c, ip, ADC)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SBB_RR8:
          aluRR<u8>(c, ip, SBB)
          ip += OP_SIZE
          continue
        case Op.SBB_RR16:
          aluRR<u16>(c, ip, SBB)
          ip += OP_SIZE
          continue
        case Op.SBB_RR32:
          aluRR<u32>(c, ip, SBB)
          ip += OP_SIZE
          continue
        case Op.SBB_RR64:
          aluRR<u64>(c, ip, SBB)
          ip += OP_SIZE
          continue
        case Op.SBB_RM8:
          if (aluRM<u8>(c, ip, SBB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SBB_RM16:
          if (aluRM<u16>(c, ip, SBB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SBB_RM32:
          if (aluRM<u32>(c, ip, SBB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SBB_RM64:
          if (aluRM<u64>(c, ip, SBB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SBB_MR8:
          status = aluMR<u8>(c, ip, SBB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SBB_MR16:
          status = aluMR<u16>(c, ip, SBB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SBB_MR32:
          status = aluMR<u32>(c, ip, SBB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SBB_MR64:
          status = aluMR<u64>(c, ip, SBB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.AND_RR8:
          aluRR<u8>(c, ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RR16:
          aluRR<u16>(c, ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RR32:
          aluRR<u32>(c, ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RR64:
          aluRR<u64>(c, ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RM8:
          if (aluRM<u8>(c, ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_RM16:
          if (aluRM<u16>(c, ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_RM32:
          if (aluRM<u32>(c, ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_RM64:
          if (aluRM<u64>(c, ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_MR8:
          status = aluMR<u8>(c, ip, AND)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.AND_MR16:
          status = aluMR<u16>(c, ip, AND)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.AND_MR32:
          status = aluMR<u32>(c, ip, AND)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.AND_MR64:
          status = aluMR<u64>(c, ip, AND)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SUB_RR8:
          aluRR<u8>(c, ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RR16:
          aluRR<u16>(c, ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RR32:
          aluRR<u32>(c, ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RR64:
          aluRR<u64>(c, ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RM8:
          if (aluRM<u8>(c, ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_RM16:
          if (aluRM<u16>(c, ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_RM32:
          if (aluRM<u32>(c, ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_RM64:
          if (aluRM<u64>(c, ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_MR8:
          status = aluMR<u8>(c, ip, SUB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SUB_MR16:
          status = aluMR<u16>(c, ip, SUB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SUB_MR32:
          status = aluMR<u32>(c, ip, SUB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.SUB_MR64:
          status = aluMR<u64>(c, ip, SUB)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XOR_RR8:
          aluRR<u8>(c, ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RR16:
          aluRR<u16>(c, ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RR32:
          aluRR<u32>(c, ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RR64:
          aluRR<u64>(c, ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RM8:
          if (aluRM<u8>(c, ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_RM16:
          if (aluRM<u16>(c, ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_RM32:
          if (aluRM<u32>(c, ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_RM64:
          if (aluRM<u64>(c, ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_MR8:
          status = aluMR<u8>(c, ip, XOR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XOR_MR16:
          status = aluMR<u16>(c, ip, XOR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XOR_MR32:
          status = aluMR<u32>(c, ip, XOR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XOR_MR64:
          status = aluMR<u64>(c, ip, XOR)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.CMP_RR8:
          aluRR<u8>(c, ip, CMP)
          ip += OP_SIZE
          continue
        case Op.CMP_RR16:
          aluRR<u16>(c, ip, CMP)
          ip += OP_SIZE
          continue
        case Op.CMP_RR32:
          aluRR<u32>(c, ip, CMP)
          ip += OP_SIZE
          continue
        case Op.CMP_RR64:
          aluRR<u64>(c, ip, CMP)
          ip += OP_SIZE
          continue
        case Op.CMP_RM8:
          if (aluRM<u8>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_RM16:
          if (aluRM<u16>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_RM32:
          if (aluRM<u32>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_RM64:
          if (aluRM<u64>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_MR8:
          if (aluMR<u8>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_MR16:
          if (aluMR<u16>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_MR32:
          if (aluMR<u32>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMP_MR64:
          if (aluMR<u64>(c, ip, CMP)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.TEST_RR8:
          compute<u8>(c, AND, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip))
          ip += OP_SIZE
          continue
        case Op.TEST_RR16:
          compute<u16>(c, AND, load<u16>(load<u32>(ip, O_DST)), source<u16>(ip))
          ip += OP_SIZE
          continue
        case Op.TEST_RR32:
          compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip))
          ip += OP_SIZE
          continue
        case Op.TEST_RR64:
          compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip))
          ip += OP_SIZE
          continue
        case Op.TEST_MR8:
          if (testMR<u8>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.TEST_MR16:
          if (testMR<u16>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.TEST_MR32:
          if (testMR<u32>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.TEST_MR64:
          if (testMR<u64>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOV_RR8:
          setRegister<u8>(load<u32>(ip, O_DST), source<u8>(ip))
          ip += OP_SIZE
          continue
        case Op.MOV_RR16:
          setRegister<u16>(load<u32>(ip, O_DST), source<u16>(ip))
          ip += OP_SIZE
          continue
        case Op.MOV_RR32:
          setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip))
          ip += OP_SIZE
          continue
        case Op.MOV_RR64:
          setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip))
          ip += OP_SIZE
          continue
        case Op.MOV_RM8:
          if (movRM<u8>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOV_RM16:
          if (movRM<u16>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOV_RM32:
          if (movRM<u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOV_RM64:
          if (movRM<u64>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOV_MR8:
          status = movMR<u8>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.MOV_MR16:
          status = movMR<u16>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.MOV_MR32:
          status = movMR<u32>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.MOV_MR64:
          status = movMR<u64>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.INC_R8:
          incDecR<u8>(c, ip, true)
          ip += OP_SIZE
          continue
        case Op.INC_R16:
          incDecR<u16>(c, ip, true)
          ip += OP_SIZE
          continue
        case Op.INC_R32:
          incDecR<u32>(c, ip, true)
          ip += OP_SIZE
          continue
        case Op.INC_R64:
          incDecR<u64>(c, ip, true)
          ip += OP_SIZE
          continue
        case Op.INC_M8:
          status = incDecM<u8>(c, ip, true)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.INC_M16:
          status = incDecM<u16>(c, ip, true)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.INC_M32:
          status = incDecM<u32>(c, ip, true)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.INC_M64:
          status = incDecM<u64>(c, ip, true)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.DEC_R8:
          incDecR<u8>(c, ip, false)
          ip += OP_SIZE
          continue
        case Op.DEC_R16:
          incDecR<u16>(c, ip, false)
          ip += OP_SIZE
          continue
        case Op.DEC_R32:
          incDecR<u32>(c, ip, false)
          ip += OP_SIZE
          continue
        case Op.DEC_R64:
          incDecR<u64>(c, ip, false)
          ip += OP_SIZE
          continue
        case Op.DEC_M8:
          status = incDecM<u8>(c, ip, false)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.DEC_M16:
          status = incDecM<u16>(c, ip, false)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.DEC_M32:
          status = incDecM<u32>(c, ip, false)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.DEC_M64:
          status = incDecM<u64>(c, ip, false)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NEG_R8:
          negR<u8>(c, ip)
          ip += OP_SIZE
          continue
        case Op.NEG_R16:
          negR<u16>(c, ip)
          ip += OP_SIZE
          continue
        case Op.NEG_R32:
          negR<u32>(c, ip)
          ip += OP_SIZE
          continue
        case Op.NEG_R64:
          negR<u64>(c, ip)
          ip += OP_SIZE
          continue
        case Op.NEG_M8:
          status = negM<u8>(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NEG_M16:
          status = negM<u16>(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NEG_M32:
          status = negM<u32>(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NEG_M64:
          status = negM<u64>(c, ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NOT_R8:
          setRegister<u8>(load<u32>(ip, O_DST), ~load<u8>(load<u32>(ip, O_DST)))
          ip += OP_SIZE
          continue
        case Op.NOT_R16:
          setRegister<u16>(load<u32>(ip, O_DST), ~load<u16>(load<u32>(ip, O_DST)))
          ip += OP_SIZE
          continue
        case Op.NOT_R32:
          setRegister<u32>(load<u32>(ip, O_DST), ~load<u32>(load<u32>(ip, O_DST)))
          ip += OP_SIZE
          continue
        case Op.NOT_R64:
          setRegister<u64>(load<u32>(ip, O_DST), ~load<u64>(load<u32>(ip, O_DST)))
          ip += OP_SIZE
          continue
        case Op.NOT_M8:
          status = notM<u8>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NOT_M16:
          status = notM<u16>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NOT_M32:
          status = notM<u32>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.NOT_M64:
          status = notM<u64>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XCHG_RR8: {
          const value = load<u8>(load<u32>(ip, O_DST))
          setRegister<u8>(load<u32>(ip, O_DST), source<u8>(ip))
          setRegister<u8>(load<u32>(ip, O_SRC), value)
          ip += OP_SIZE
          continue
        }
        case Op.XCHG_RR16: {
          const value = load<u16>(load<u32>(ip, O_DST))
          setRegister<u16>(load<u32>(ip, O_DST), source<u16>(ip))
          setRegister<u16>(load<u32>(ip, O_SRC), value)
          ip += OP_SIZE
          continue
        }
        case Op.XCHG_RR32: {
          const value = load<u32>(load<u32>(ip, O_DST))
          setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip))
          setRegister<u32>(load<u32>(ip, O_SRC), value)
          ip += OP_SIZE
          continue
        }
        case Op.XCHG_RR64: {
          const value = load<u64>(load<u32>(ip, O_DST))
          setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip))
          setRegister<u64>(load<u32>(ip, O_SRC), value)
          ip += OP_SIZE
          continue
        }
        case Op.XCHG_MR8:
          status = xchgMR<u8>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XCHG_MR16:
          status = xchgMR<u16>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XCHG_MR32:
          status = xchgMR<u32>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.XCHG_MR64:
          status = xchgMR<u64>(ip)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.LEA16:
          store<u16>(load<u32>(ip, O_DST), effectiveAddress(ip) as u16)
          ip += OP_SIZE
          continue
        case Op.LEA32:
          store<u64>(load<u32>(ip, O_DST), effectiveAddress(ip) & 0xffffffff)
          ip += OP_SIZE
          continue
        case Op.LEA64:
          target = effective(ip)
          store<u64>(
            load<u32>(ip, O_DST),
            load<u8>(ip, O_KIND) == ADDRESS_64_32 ? target & 0xffffffff : target,
          )
          ip += OP_SIZE
          continue
        case Op.MOVZX_R8:
          extendR<u8, u32>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVZX_M8:
          if (extendM<u8, u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVZX_R16:
          extendR<u16, u32>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVZX_M16:
          if (extendM<u16, u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVZX16_R8:
          extendR<u8, u16>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVZX16_M8:
          if (extendM<u8, u16>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX_R8:
          extendR<i8, u32>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX_M8:
          if (extendM<i8, u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX_R16:
          extendR<i16, u32>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX_M16:
          if (extendM<i16, u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX16_R8:
          extendR<i8, i16>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX16_M8:
          if (extendM<i8, i16>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_R8:
          extendR<i8, i64>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_M8:
          if (extendM<i8, i64>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_R16:
          extendR<i16, i64>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_M16:
          if (extendM<i16, i64>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_R32:
          extendR<i32, i64>(ip)
          ip += OP_SIZE
          continue
        case Op.MOVSX64_M32:
          if (extendM<i32, i64>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SHL_R32:
          shl<u32>(c, ip)
          ip += OP_SIZE
          continue
        case Op.SHR_R32:
          shr<u32>(c, ip)
          ip += OP_SIZE
          continue
        case Op.SAR_R32:
          sar<u32, i32>(c, ip)
          ip += OP_SIZE
          continue
        case Op.ROL_R32:
          rotate<u32>(ip, true)
          ip += OP_SIZE
          continue
        case Op.ROR_R32:
          rotate<u32>(ip, false)
          ip += OP_SIZE
          continue
        case Op.SHL_R64:
          shl<u64>(c, ip)
          ip += OP_SIZE
          continue
        case Op.SHR_R64:
          shr<u64>(c, ip)
          ip += OP_SIZE
          continue
        case Op.SAR_R64:
          sar<u64, i64>(c, ip)
          ip += OP_SIZE
          continue
        case Op.ROL_R64:
          rotate<u64>(ip, true)
          ip += OP_SIZE
          continue
        case Op.ROR_R64:
          rotate<u64>(ip, false)
          ip += OP_SIZE
          continue
        case Op.PUSH64:
          status = push64(c, ip, source<u64>(ip))
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.POP64: {
          const sp = load<u64>(c, CPU_RSP)
          const p = readAt<u64>(ip, sp, SEG_SS)
          if (!p) return fault(ip)
          store<u64>(c, sp + 8, CPU_RSP)
          store<u64>(load<u32>(ip, O_DST), load<u64>(p))
          ip += OP_SIZE
          continue
        }
        case Op.PUSH64_M: {
          const p = readOperand<u64>(ip)
          if (!p) return fault(ip)
          status = push64(c, ip, load<u64>(p))
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        }
        case Op.PUSH:
          slowly(ip)
          status = pushStack(source<u64>(ip), load<u32>(ip, O_AUX2))
          setAhead(0)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        case Op.POP: {
          slowly(ip)
          const value = popStack(load<u32>(ip, O_AUX2))
          setAhead(0)
          if (faultPending()) return fault(ip)
          if (load<u32>(ip, O_AUX2) == 2) store<u16>(load<u32>(ip, O_DST), value as u16)
          else store<u64>(load<u32>(ip, O_DST), value)
          ip += OP_SIZE
          continue
        }
        case Op.PUSH_M: {
          const p = load<u32>(ip, O_AUX2) == 2 ? readOperand<u16>(ip) : readOperand<u32>(ip)
          if (!p) return fault(ip)
          slowly(ip)
          status = pushStack(load<u32>(ip, O_AUX2) == 2 ? load<u16>(p) : load<u32>(p), load<u32>(ip, O_AUX2))
          setAhead(0)
          if (status) return leave(ip, status)
          ip += OP_SIZE
          continue
        }
        case Op.CALL64:
          target = rip + <u64>load<i32>(ip, O_DISP)
          if (!canonical(target)) {
            branchAllowed(target, true)
            return fault(ip)
          }
          status = push64(c, ip, rip + load<u16>(trace, TRACE_BYTES))
          if (status == FAULTED) return fault(ip)
          slot = ip + O_IMM
          taken = true
          break
        case Op.CALL64_R:
        case Op.CALL64_M:
          if ((load<u16>(ip, O_OP) as i32) == Op.CALL64_R) target = source<u64>(ip)
          else {
            const p = readOperand<u64>(ip)
            if (!p) return fault(ip)
            target = load<u64>(p)
          }
          if (!branchAllowed(target, true)) return fault(ip)
          status = push64(c, ip, rip + load<u16>(trace, TRACE_BYTES))
          if (status == FAULTED) return fault(ip)
          slot = 0
          taken = true
          break
        case Op.RET64: {
          const sp = load<u64>(c, CPU_RSP)
          const p = readAt<u64>(ip, sp, SEG_SS)
          if (!p) return fault(ip)
          target = load<u64>(p)
          if (!canonical(target)) {
            branchAllowed(target, true)
            return fault(ip)
          }
          store<u64>(c, sp + 8 + load<u64>(ip, O_IMM), CPU_RSP)
          slot = 0
          taken = true
          break
        }
        case Op.CALL:
        case Op.CALL_R:
        case Op.CALL_M: {
          const size = load<u32>(ip, O_AUX2)
          slot = 0
          if ((load<u16>(ip, O_OP) as i32) == Op.CALL) {
            target = rip + <u64>load<i32>(ip, O_DISP)
            slot = ip + O_IMM
          } else if ((load<u16>(ip, O_OP) as i32) == Op.CALL_R) target = source<u64>(ip)
          else {
            const p = size == 2 ? readOperand<u16>(ip) : readOperand<u32>(ip)
            if (!p) return fault(ip)
            target = size == 2 ? load<u16>(p) : load<u32>(p)
          }
          const cut = size == 2 ? target & 0xffff : target & 0xffffffff
          if (cut != target) slot = 0
          target = cut
          if (!branchAllowed(target, false)) return fault(ip)
          slowly(ip)
          status = pushStack(rip + load<u16>(trace, TRACE_BYTES), size)
          setAhead(0)
          if (status == FAULTED) return fault(ip)
          taken = true
          break
        }
        case Op.RET: {
          const size = load<u32>(ip, O_AUX2)
          const sp = load<u64>(c, CPU_RSP)
          slowly(ip)
          target = popStack(size)
          setAhead(0)
          if (faultPending()) return fault(ip)
          if (!branchAllowed(target, false)) {
            store<u64>(c, sp, CPU_RSP)
            return fault(ip)
          }
          releaseStack(load<u64>(ip, O_IMM))
          slot = 0
          taken = true
          break
        }
        case Op.JMP:
          target = rip + <u64>load<i32>(ip, O_DISP)
          slot = ip + O_IMM
          taken = true
          break
        case Op.JMP_R:
        case Op.JMP_M:
          if ((load<u16>(ip, O_OP) as i32) == Op.JMP_R) target = source<u64>(ip)
          else {
            const size = load<u32>(ip, O_AUX2)
            const p =
              size == 8 ? readOperand<u64>(ip) : size == 2 ? readOperand<u16>(ip) : readOperand<u32>(ip)
            if (!p) return fault(ip)
            target = size == 8 ? load<u64>(p) : size == 2 ? (load<u16>(p) as u64) : (load<u32>(p) as u64)
          }
          if (mode64 && !branchAllowed(target, true)) return fault(ip)
          slot = 0
          taken = true
          break
        case Op.JO:
          taken = condition(0)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JNO:
          taken = condition(1)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JB:
          taken = carry(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JAE:
          taken = !carry(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JE:
          taken = zero(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JNE:
          taken = !zero(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JBE:
          taken = condition(6)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JA:
          taken = condition(7)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JS:
          taken = condition(8)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JNS:
          taken = condition(9)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JP:
          taken = condition(10)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JNP:
          taken = condition(11)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JL:
          taken = condition(12)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JGE:
          taken = condition(13)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JLE:
          taken = condition(14)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JG:
          taken = condition(15)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.LOOP:
          taken = countDown(ip) != 0
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.LOOPE:
          taken = countDown(ip) != 0 && zero(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.LOOPNE:
          taken = countDown(ip) != 0 && !zero(c)
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.JCXZ:
          taken = counter(c, ip) == 0
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.SET_R:
          store<u8>(load<u32>(ip, O_DST), condition(load<u32>(ip, O_AUX)) ? 1 : 0)
          ip += OP_SIZE
          continue
        case Op.SET_M: {
          const p = writeOperand<u8>(ip, false)
          if (!p) return fault(ip)
          store<u8>(p, condition(load<u32>(ip, O_AUX)) ? 1 : 0)
          if (p == bounce) return leave(ip, commit(ip))
          ip += OP_SIZE
          continue
        }
        case Op.CMOV_R16:
          cmov<u16>(ip, load<u32>(ip, O_SRC))
          ip += OP_SIZE
          continue
        case Op.CMOV_M16:
          if (cmovM<u16>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.IMUL_RR16:
          imul<u16, i16>(c, ip, source<u16>(ip), load<u16>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        case Op.IMUL_RM16:
          if (imulM<u16, i16>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMOV_R32:
          cmov<u32>(ip, load<u32>(ip, O_SRC))
          ip += OP_SIZE
          continue
        case Op.CMOV_M32:
          if (cmovM<u32>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.IMUL_RR32:
          imul<u32, i32>(c, ip, source<u32>(ip), load<u32>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        case Op.IMUL_RM32:
          if (imulM<u32, i32>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CMOV_R64:
          cmov<u64>(ip, load<u32>(ip, O_SRC))
          ip += OP_SIZE
          continue
        case Op.CMOV_M64:
          if (cmovM<u64>(ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.IMUL_RR64:
          imul<u64, i64>(c, ip, source<u64>(ip), load<u64>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        case Op.IMUL_RM64:
          if (imulM<u64, i64>(c, ip)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.CBW:
          store<u16>(c, <u16>(<i16>load<i8>(c, CPU_RAX)), CPU_RAX)
          ip += OP_SIZE
          continue
        case Op.CWDE:
          store<u64>(c, <u64>(<u32>(<i32>load<i16>(c, CPU_RAX))), CPU_RAX)
          ip += OP_SIZE
          continue
        case Op.CDQE:
          store<i64>(c, <i64>load<i32>(c, CPU_RAX), CPU_RAX)
          ip += OP_SIZE
          continue
        case Op.CWD:
          store<u16>(c, <u16>(load<i16>(c, CPU_RAX) >> 15), CPU_RDX)
          ip += OP_SIZE
          continue
        case Op.CDQ:
          store<u64>(c, <u64>(<u32>(load<i32>(c, CPU_RAX) >> 31)), CPU_RDX)
          ip += OP_SIZE
          continue
        case Op.CQO:
          store<i64>(c, load<i64>(c, CPU_RAX) >> 63, CPU_RDX)
          ip += OP_SIZE
          continue
        case Op.BSWAP32:
          store<u64>(load<u32>(ip, O_DST), bswap<u32>(load<u32>(load<u32>(ip, O_DST))) as u64)
          ip += OP_SIZE
          continue
        case Op.BSWAP64:
          store<u64>(load<u32>(ip, O_DST), bswap<u64>(load<u64>(load<u32>(ip, O_DST))))
          ip += OP_SIZE
          continue
        case Op.LEAVE64: {
          const sp = load<u64>(c, CPU_RBP)
          const p = readAt<u64>(ip, sp, SEG_SS)
          if (!p) return fault(ip)
          store<u64>(c, load<u64>(p), CPU_RBP)
          store<u64>(c, sp + 8, CPU_RSP)
          ip += OP_SIZE
          continue
        }
        case Op.CMP32_JE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a == b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JNE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a != b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JB: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a < b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JAE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a >= b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JBE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a <= b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JA: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = a > b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JL: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = <i32>a < <i32>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JGE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = <i32>a >= <i32>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JLE: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = <i32>a <= <i32>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP32_JG: {
          const a = load<u32>(load<u32>(ip, O_DST))
          const b = source<u32>(ip)
          setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
          taken = <i32>a > <i32>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a == b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JNE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a != b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JB: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a < b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JAE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a >= b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JBE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a <= b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JA: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = a > b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JL: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = <i64>a < <i64>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JGE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = <i64>a >= <i64>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JLE: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = <i64>a <= <i64>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP64_JG: {
          const a = load<u64>(load<u32>(ip, O_DST))
          const b = source<u64>(ip)
          setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
          taken = <i64>a > <i64>b
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        }
        case Op.CMP8_JE:
          taken = compute<u8>(c, CMP, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) == 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.CMPM8_JE:
          if (aluMR<u8>(c, ip, CMP)) return fault(ip)
          taken = zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.CMPM32_JE:
          if (aluMR<u32>(c, ip, CMP)) return fault(ip)
          taken = zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST8_JE:
          taken = compute<u8>(c, AND, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) == 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST32_JE:
          taken = compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) == 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST64_JE:
          taken = compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) == 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.CMP8_JNE:
          taken = compute<u8>(c, CMP, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) != 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.CMPM8_JNE:
          if (aluMR<u8>(c, ip, CMP)) return fault(ip)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.CMPM32_JNE:
          if (aluMR<u32>(c, ip, CMP)) return fault(ip)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST8_JNE:
          taken = compute<u8>(c, AND, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) != 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST32_JNE:
          taken = compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) != 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST64_JNE:
          taken = compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) != 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST32_JS:
          taken = <i32>compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) < 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST64_JS:
          taken = <i64>compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) < 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST32_JNS:
          taken = <i32>compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) >= 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.TEST64_JNS:
          taken = <i64>compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) >= 0
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.ADD32_JNE:
          aluRR<u32>(c, ip, ADD)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.ADD64_JNE:
          aluRR<u64>(c, ip, ADD)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.SUB32_JNE:
          aluRR<u32>(c, ip, SUB)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.SUB64_JNE:
          aluRR<u64>(c, ip, SUB)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.DEC32_JNE:
          incDecR<u32>(c, ip, false)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.DEC64_JNE:
          incDecR<u64>(c, ip, false)
          taken = !zero(c)
          ip += OP_SIZE
          target = rip + (taken ? <u64>load<i32>(ip, O_DISP) : <u64>load<u16>(trace, TRACE_BYTES))
          slot = ip + (taken ? O_IMM : O_IMM + 4)
          break
        case Op.ADD_RR32_NF:
          plainRR<u32>(ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RR64_NF:
          plainRR<u64>(ip, ADD)
          ip += OP_SIZE
          continue
        case Op.ADD_RM32_NF:
          if (plainRM<u32>(ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.ADD_RM64_NF:
          if (plainRM<u64>(ip, ADD)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_RR32_NF:
          plainRR<u32>(ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RR64_NF:
          plainRR<u64>(ip, OR)
          ip += OP_SIZE
          continue
        case Op.OR_RM32_NF:
          if (plainRM<u32>(ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.OR_RM64_NF:
          if (plainRM<u64>(ip, OR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_RR32_NF:
          plainRR<u32>(ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RR64_NF:
          plainRR<u64>(ip, AND)
          ip += OP_SIZE
          continue
        case Op.AND_RM32_NF:
          if (plainRM<u32>(ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.AND_RM64_NF:
          if (plainRM<u64>(ip, AND)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_RR32_NF:
          plainRR<u32>(ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RR64_NF:
          plainRR<u64>(ip, SUB)
          ip += OP_SIZE
          continue
        case Op.SUB_RM32_NF:
          if (plainRM<u32>(ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SUB_RM64_NF:
          if (plainRM<u64>(ip, SUB)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_RR32_NF:
          plainRR<u32>(ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RR64_NF:
          plainRR<u64>(ip, XOR)
          ip += OP_SIZE
          continue
        case Op.XOR_RM32_NF:
          if (plainRM<u32>(ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.XOR_RM64_NF:
          if (plainRM<u64>(ip, XOR)) return fault(ip)
          ip += OP_SIZE
          continue
        case Op.SHL_R32_NF:
          setRegister<u32>(load<u32>(ip, O_DST), shiftLeft<u32>(ip))
          ip += OP_SIZE
          continue
        case Op.SHR_R32_NF:
          setRegister<u32>(load<u32>(ip, O_DST), load<u32>(load<u32>(ip, O_DST)) >> (countOf<u32>(ip) as u32))
          ip += OP_SIZE
          continue
        case Op.SAR_R32_NF:
          setRegister<u32>(
            load<u32>(ip, O_DST),
            <u32>(load<i32>(load<u32>(ip, O_DST)) >> (countOf<u32>(ip) as i32)),
          )
          ip += OP_SIZE
          continue
        case Op.ROL_R32_NF:
          setRegister<u32>(
            load<u32>(ip, O_DST),
            rotl<u32>(load<u32>(load<u32>(ip, O_DST)), countOf<u32>(ip) as u32),
          )
          ip += OP_SIZE
          continue
        case Op.ROR_R32_NF:
          setRegister<u32>(
            load<u32>(ip, O_DST),
            rotr<u32>(load<u32>(load<u32>(ip, O_DST)), countOf<u32>(ip) as u32),
          )
          ip += OP_SIZE
          continue
        case Op.INC_R32_NF:
          setRegister<u32>(load<u32>(ip, O_DST), load<u32>(load<u32>(ip, O_DST)) + 1)
          ip += OP_SIZE
          continue
        case Op.DEC_R32_NF:
          setRegister<u32>(load<u32>(ip, O_DST), load<u32>(load<u32>(ip, O_DST)) - 1)
          ip += OP_SIZE
          continue
        case Op.SHL_R64_NF:
          setRegister<u64>(load<u32>(ip, O_DST), shiftLeft<u64>(ip))
          ip += OP_SIZE
          continue
        case Op.SHR_R64_NF:
          setRegister<u64>(load<u32>(ip, O_DST), load<u64>(load<u32>(ip, O_DST)) >> (countOf<u64>(ip) as u64))
          ip += OP_SIZE
          continue
        case Op.SAR_R64_NF:
          setRegister<u64>(
            load<u32>(ip, O_DST),
            <u64>(load<i64>(load<u32>(ip, O_DST)) >> (countOf<u64>(ip) as i64)),
          )
          ip += OP_SIZE
          continue
        case Op.ROL_R64_NF:
          setRegister<u64>(
            load<u32>(ip, O_DST),
            rotl<u64>(load<u64>(load<u32>(ip, O_DST)), countOf<u64>(ip) as u64),
          )
          ip += OP_SIZE
          continue
        case Op.ROR_R64_NF:
          setRegister<u64>(
            load<u32>(ip, O_DST),
            rotr<u64>(load<u64>(load<u32>(ip, O_DST)), countOf<u64>(ip) as u64),
          )
          ip += OP_SIZE
          continue
        case Op.INC_R64_NF:
          setRegister<u64>(load<u32>(ip, O_DST), load<u64>(load<u32>(ip, O_DST)) + 1)
          ip += OP_SIZE
          continue
        case Op.DEC_R64_NF:
          setRegister<u64>(load<u32>(ip, O_DST), load<u64>(load<u32>(ip, O_DST)) - 1)
          ip += OP_SIZE
          continue
        case Op.IMUL_RR32_NF:
          setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip) * load<u32>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        case Op.IMUL_RR64_NF:
          setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip) * load<u64>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        case Op.IMUL_RM32_NF: {
          const p = readOperand<u32>(ip)
          if (!p) return fault(ip)
          setRegister<u32>(load<u32>(ip, O_DST), load<u32>(p) * load<u32>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        }
        case Op.IMUL_RM64_NF: {
          const p = readOperand<u64>(ip)
          if (!p) return fault(ip)
          setRegister<u64>(load<u32>(ip, O_DST), load<u64>(p) * load<u64>(load<u32>(ip, O_AUX)))
          ip += OP_SIZE
          continue
        }
        default:
          opIp = ip
          return EXIT_INTERNAL
      }
      break
    }

    // --- go on at `target`; `slot`: where the jump remembers the trace it leads to ---
    if (!mode64) {
      const cut = taken && load<u32>(ip, O_AUX2) == 2 ? target & 0xffff : target & 0xffffffff
      // An IP that wrapped is not where the slot leads.
      if (cut != target) slot = 0
      target = cut
      if (taken && target > limit) {
        branchAllowed(target, false)
        return fault(ip)
      }
    }
    // A push that went through the bounce buffer may have dropped traces or reached a device.
    if (status == COMMITTED) {
      store<u64>(c, target, CPU_RIP)
      return EXIT_AFTER
    }
    // CPU_CHAIN_MODE is the mode, or matches nothing when somebody wants this CPU.
    let next: usize = slot ? load<u32>(slot) : 0
    if (next == 0 || load<u32>(next, TRACE_MODE) != load<u32>(c, CPU_CHAIN_MODE)) {
      next = follow(trace, slot, target)
      if (next == CALLED_AWAY) {
        store<u64>(c, target, CPU_RIP)
        return EXIT_BUDGET
      }
    }
    trace = next
    rip = target
  }
}

/** RET imm16: releases parameters after the return address was popped. */
function releaseStack(bytes: u64): void {
  if (!bytes) return
  const sp = load<u64>(cpu, CPU_RSP)
  if (load<u32>(cpu, CPU_MODE) & 4) store<u64>(cpu, (sp + bytes) & 0xffffffff, CPU_RSP)
  else store<u16>(cpu, (sp + bytes) as u16, CPU_RSP)
}
