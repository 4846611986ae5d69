// @ts-nocheck: generic over integer types, which TypeScript has no notion of; asc checks this file.
// The interpreter's inner loop: traces, one big switch (measured against the alternatives in ARCHITECTURE.md), and the
// way from one trace to the next. Register operands are addresses in the record, memory operands must be in the fast
// TLB, flags are left lazy.
//
// THERE IS NO CALL IN interpret(), and there must be none: a call clobbers every register,
// so with one anywhere in this function V8 keeps the record pointer, the memory's base and everything else in the stack
// frame, in all cases. Whatever needs a call makes the loop return a reason, and execute.ts does it.

import {
  CPU_ADDRESS,
  CPU_ADDRESS_MASK,
  CPU_ATTENTION,
  CPU_BUDGET,
  CPU_CR0,
  CPU_CR4,
  CPU_FAST,
  CPU_FETCH_DISTANCE,
  CPU_FETCH_FRAME,
  CPU_FETCH_PAGE,
  CPU_JUMPS,
  CPU_LAZY,
  CPU_LAZY_A,
  CPU_LAZY_R,
  CPU_MODE,
  CPU_NEXT_RIP,
  CPU_NEXT_SLOT,
  CPU_RAX,
  CPU_RBP,
  CPU_RCX,
  CPU_RDX,
  CPU_RECORD,
  CPU_RFLAGS,
  CPU_RSP,
  CPU_SEGMENTS,
  CPU_TLB_CONTEXT,
  CPU_TRACE,
  CPU_XSAVE,
  CPU_ZERO,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_EXECUTE,
  FAST_READ,
  FAST_WRITE,
  LAZY_NONE,
  MODE_CODE64,
  MODE_FLAT,
  MODE_SIZE,
  SEG_CS,
  SEG_SS,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_READ_LIMIT,
  SEGMENT_SIZE,
  SEGMENT_WRITE_LIMIT,
  TLB_COUNT,
} from '../layout'
import { NO_ADDRESS } from '../memory/linear'
import { cpu } from './context'
import { CPU_TRACE_RIP } from './decode'
import { VECTOR_ALIGNED } from './decode-simd'
import {
  carry,
  FLAG_OF,
  FLAG_PF,
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
  zero,
} from './flags'
import { Op, OPERAND_SIZE, OPERAND_WRITE } from './ops'
import {
  ADDRESS_16,
  ADDRESS_64,
  ADDRESS_64_32,
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
  O_OP,
  O_SCALE,
  O_SEGBASE,
  O_SRC,
  OP_SIZE,
  TRACE_BYTES,
  TRACE_CODE,
  TRACE_COUNT,
  TRACE_HEADER,
  TRACE_MODE,
  TRACE_PHYS,
} from './trace-format'

/** Why interpret() returned. Size in bytes in the low byte where a memory operand is not in the fast TLB. */
export const MISS_READ: u32 = 0x100
export const MISS_WRITE: u32 = 0x200
export const MISS_MODIFY: u32 = 0x300
/** The record at CPU_RECORD, where it stopped, is not carried out here, or not in this case. */
export const RARE: u32 = 0x400
/** The record reads flags that must be made exact first. */
export const FLAGS: u32 = 0x500
/** The trace has ended; the next one, at CPU_NEXT_RIP, is not known, not valid now or more than the slice has left. */
export const FOLLOW: u32 = 0x600
/** The jump leads to CPU_NEXT_RIP, beyond CS's limit. */
export const BEYOND_LIMIT: u32 = 0x700

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

// --- operands --------------------------------------------------------------------------------------------------------

@inline
function effective(ip: usize): u64 {
  const scale = load<u8>(ip, O_SCALE) as u64
  const index = load<u64>(load<u32>(ip, O_INDEX)) << scale
  return load<u64>(load<u32>(ip, O_BASE)) + index + <u64>(load<i32>(ip, O_DISP) as i64)
}

/** An effective address cut to the record's address size. */
@inline
function offsetOf(ip: usize, address: u64): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  if (kind == ADDRESS_64 || kind == ADDRESS_64_BASE) return address
  return kind == ADDRESS_16 ? address & 0xffff : address & 0xffffffff
}

/** Linear address of the record's operand. What needs more than this has an ADDRESS record before it (specialise.ts). */
@inline
function operand(c: usize, ip: usize): u64 {
  if (load<u8>(ip, O_KIND) == ADDRESS_64_BASE)
    return load<u64>(load<u32>(ip, O_BASE)) + <u64>(load<i32>(ip, O_DISP) as i64)
  return effective(ip) & load<u64>(c, CPU_ADDRESS_MASK)
}

/**
 * Linear address of an ADDRESS record's operand, NO_ADDRESS (which is in no TLB) where the segment needs a closer look
 * (SDM 3A 5.3).
 */
@inline
function segmented(ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const address = effective(ip)
  const register: usize = load<u32>(ip, O_SEGBASE)
  if (kind == ADDRESS_64) return address + load<u64>(register)
  if (kind == ADDRESS_64_32) return (address & 0xffffffff) + load<u64>(register)
  const offset = kind == ADDRESS_16 ? address & 0xffff : address & 0xffffffff
  const access = load<u32>(ip, O_AUX)
  const limit =
    access & OPERAND_WRITE
      ? load<i64>(register, SEGMENT_WRITE_LIMIT)
      : load<i64>(register, SEGMENT_READ_LIMIT)
  if (<i64>offset + <i64>(access & OPERAND_SIZE) - 1 > limit) return NO_ADDRESS
  return (offset + load<u64>(register)) & 0xffffffff
}

/** The same for four bytes of a 32-bit stack. */
@inline
function stackLinear(c: usize, offset: u32, write: bool): u64 {
  const limit = write
    ? load<i64>(c, CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE + SEGMENT_WRITE_LIMIT)
    : load<i64>(c, CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE + SEGMENT_READ_LIMIT)
  if (<i64>(offset as u64) + 3 > limit) return NO_ADDRESS
  return ((offset as u64) + load<u64>(c, CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE + SEGMENT_BASE)) & 0xffffffff
}

/** Plus CPU_FAST: the fast TLB's entry. */
@inline
function fastEntry(c: usize, linear: u64): usize {
  return c + (<usize>(linear >> 7) & INDEX_MASK)
}

/** What the entry must say: an access that crosses a page asks for the wrong one. */
@inline
function tag(c: usize, linear: u64, size: u32): u64 {
  return ((linear + (size - 1)) & PAGE) | load<u64>(c, CPU_TLB_CONTEXT)
}

@inline
function pointer(entry: usize, linear: u64): usize {
  return <usize>linear + load<u32>(entry, CPU_FAST + FAST_ADDEND)
}

@inline
function source<T>(ip: usize): T {
  return load<T>(load<u32>(ip, O_SRC))
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

/** Canonical with 48 bits; what LA57 allows beyond that is looked at elsewhere. */
@inline
function canonical48(linear: u64): bool {
  return <u64>(<i64>(linear << 16) >> 16) == linear
}

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

/** MXCSR: rounding to nearest, and an inexact result would change nothing, being masked and noted already. */
@inline
function inexactPasses(c: usize): bool {
  return (load<u32>(c, CPU_XSAVE + 24) & 0x7020) == 0x1020
}

/** Bits of a double that is normal, and not the least of these (which a tiny result may have been rounded to). */
@inline
function normal(bits: u64): bool {
  return (<u32>(bits >> 52) & 0x7ff) - 2 < 0x7fd
}

/** ADDSD 58h, MULSD 59h, SUBSD 5Ch; other results are somebody else's. */
@inline
function combined(ip: usize, a: u64, b: u64): u64 {
  const opcode = load<u8>(ip, O_AUX) as u32
  const x = reinterpret<f64>(a)
  const y = reinterpret<f64>(b)
  if (opcode == 0x58) return reinterpret<u64>(x + y)
  return opcode == 0x59 ? reinterpret<u64>(x * y) : reinterpret<u64>(x - y)
}

/** Operands and result of a scalar operation that raises nothing but, perhaps, the inexact exception. */
@inline
function ordinary(a: u64, b: u64, r: u64): bool {
  return normal(a) && normal(b) && normal(r)
}

/** Upper half of an unsigned 64 x 64 bit product. */
@inline
function upper64(a: u64, b: u64): u64 {
  const al = a & 0xffffffff
  const ah = a >> 32
  const bl = b & 0xffffffff
  const bh = b >> 32
  const middle = ah * bl + ((al * bl) >> 32)
  const middle2 = al * bh + (middle & 0xffffffff)
  return ah * bh + (middle >> 32) + (middle2 >> 32)
}

// --- arithmetic ------------------------------------------------------------------------------------------------------

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
  if (kind == ADC) {
    const carried: u32 = carry(c) ? 1 : 0
    const r = <T>(<T>(a + b) + <T>carried)
    setLazy(c, LAZY_ADD + log2<T>() + carried * (LAZY_ADC - LAZY_ADD), a as u64, r as u64)
    return r
  }
  if (kind == SBB) {
    const borrowed: u32 = carry(c) ? 1 : 0
    const r = <T>(<T>(a - b) - <T>borrowed)
    setLazy(c, LAZY_SUB + log2<T>() + borrowed * (LAZY_SBB - LAZY_SUB), a as u64, r as u64)
    return r
  }
  const r: T = kind == AND ? <T>(a & b) : kind == OR ? <T>(a | b) : <T>(a ^ b)
  setLazy(c, LAZY_LOGIC + log2<T>(), 0, r as u64)
  return r
}

@inline
function aluRR<T>(c: usize, ip: usize, kind: u32): void {
  const dst: usize = load<u32>(ip, O_DST)
  const r = compute<T>(c, kind, load<T>(dst), source<T>(ip))
  if (kind != CMP) setRegister<T>(dst, r)
}

@inline
function aluRM<T>(c: usize, ip: usize, p: usize, kind: u32): void {
  const dst: usize = load<u32>(ip, O_DST)
  const r = compute<T>(c, kind, load<T>(dst), load<T>(p))
  if (kind != CMP) setRegister<T>(dst, r)
}

@inline
function aluMR<T>(c: usize, ip: usize, p: usize, kind: u32): void {
  const r = compute<T>(c, kind, load<T>(p), source<T>(ip))
  if (kind != CMP) store<T>(p, r)
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
function negR<T>(c: usize, ip: usize): void {
  const dst: usize = load<u32>(ip, O_DST)
  setRegister<T>(dst, compute<T>(c, SUB, 0 as T, load<T>(dst)))
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

// The compiler's own bswap is a function.

@inline
function swap32(value: u32): u32 {
  return (rotl<u32>(value, 8) & 0x00ff00ff) | (rotr<u32>(value, 8) & 0xff00ff00)
}

@inline
function swap64(value: u64): u64 {
  return ((swap32(value as u32) as u64) << 32) | (swap32(<u32>(value >> 32)) as u64)
}

/** ADD, OR, AND, SUB, XOR without flags. */
@inline
function plain<T>(kind: u32, a: T, b: T): T {
  if (kind == ADD) return <T>(a + b)
  if (kind == SUB) return <T>(a - b)
  return kind == AND ? <T>(a & b) : kind == OR ? <T>(a | b) : <T>(a ^ b)
}

/** SF, ZF, AF and PF are undefined after IMUL (SDM 2); here they follow from the result. */
@inline
function imul<T, S>(c: usize, ip: usize, a: T, b: T): void {
  const r = <T>(a * b)
  setRegister<T>(load<u32>(ip, O_DST), r)
  const overflow = <i64>(<S>a) * <i64>(<S>b) != <i64>(<S>r)
  shiftFlags<T>(c, overflow ? 1 : 0, overflow ? 1 : 0, r)
}

// --- conditions ------------------------------------------------------------------------------------------------------

/** SF != OF, or ZF: how the operands of a comparison stand to each other. */
const LESS: u32 = 1
const EQUAL: u32 = 2
/** It takes a computation of all flags to know. */
const UNKNOWN: u32 = 4

@inline
function relation(c: usize): u32 {
  const kind = load<u32>(c, CPU_LAZY)
  const shift: u64 = 64 - (8 << (kind & 3))
  const r = load<u64>(c, CPU_LAZY_R)
  if (kind - LAZY_SUB < 4) {
    const a = load<u64>(c, CPU_LAZY_A)
    return (r == 0 ? EQUAL : 0) | (<i64>(a << shift) < <i64>((a - r) << shift) ? LESS : 0)
  }
  if (kind - LAZY_LOGIC < 4) return (r == 0 ? EQUAL : 0) | (<i64>(r << shift) < 0 ? LESS : 0)
  if (kind != LAZY_NONE) return UNKNOWN
  const flags = load<u32>(c, CPU_RFLAGS)
  return ((flags >> 5) & EQUAL) | (((flags >> 7) ^ (flags >> 11)) & LESS)
}

@inline
function sign(c: usize): bool {
  const kind = load<u32>(c, CPU_LAZY)
  if (kind == LAZY_NONE) return (load<u8>(c, CPU_RFLAGS) & 0x80) != 0
  return <i64>(load<u64>(c, CPU_LAZY_R) << ((64 - (8 << (kind & 3))) as u64)) < 0
}

/** Condition `cc` of SETcc and CMOVcc (SDM 1 appendix B): 0, 1 or UNKNOWN. */
@inline
function test(c: usize, cc: u32): u32 {
  const negate = cc & 1
  switch (cc >> 1) {
    case 1:
      return (carry(c) ? 1 : 0) ^ negate
    case 2:
      return (zero(c) ? 1 : 0) ^ negate
    case 3:
      return (carry(c) || zero(c) ? 1 : 0) ^ negate
    case 4:
      return (sign(c) ? 1 : 0) ^ negate
    case 6:
    case 7: {
      const flags = relation(c)
      if (flags == UNKNOWN) return UNKNOWN
      return (cc >> 1 == 6 ? flags & LESS : flags ? 1 : 0) ^ negate
    }
  }
  if (load<u32>(c, CPU_LAZY) != LAZY_NONE) return UNKNOWN
  return ((load<u32>(c, CPU_RFLAGS) >> (cc < 2 ? 11 : 2)) & 1) ^ negate
}

/** rCX as LOOPcc and JrCXZ see it: cut to the address size. */
@inline
function counter(c: usize, ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const value = load<u64>(c, CPU_RCX)
  return kind == ADDRESS_64 ? value : kind == ADDRESS_16 ? value & 0xffff : value & 0xffffffff
}

/** Decrements rCX; the new count. */
@inline
function countDown(c: usize, ip: usize): u64 {
  const kind = load<u8>(ip, O_KIND) as u32
  const value = load<u64>(c, CPU_RCX) - 1
  if (kind == ADDRESS_16) store<u16>(c, value as u16, CPU_RCX)
  else store<u64>(c, kind == ADDRESS_64 ? value : value & 0xffffffff, CPU_RCX)
  return counter(c, ip)
}

// --- jumps -----------------------------------------------------------------------------------------------------------

@inline
function code64(c: usize): bool {
  return (load<u32>(c, CPU_MODE) & MODE_SIZE) == MODE_CODE64
}

@inline
function codeLimit(c: usize): u64 {
  return load<u32>(c, CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE + SEGMENT_LIMIT) as u64
}

/** RIP behind the jump at `ip`. */
@inline
function behind(c: usize, ip: usize): u64 {
  return load<u64>(c, CPU_TRACE_RIP) + load<u32>(ip, O_AUX)
}

/** RIP that the jump at `ip` leads to. */
@inline
function ahead(c: usize, ip: usize): u64 {
  return load<u64>(c, CPU_TRACE_RIP) + <u64>load<i32>(ip, O_DISP)
}

/** `a` if `answer` is 1, `b` if it is 0: computed, for a jump would be foretold wrong every other time. */
@inline
function chosen(answer: u32, a: u64, b: u64): u64 {
  return b ^ ((a ^ b) & (0 - (answer as u64)))
}

/** What CMOV_R32 or CMOV_R64 at `ip` does if its condition is `answer`, 0 or 1. */
@inline
function move(ip: usize, answer: u32): void {
  const dst: usize = load<u32>(ip, O_DST)
  const wide = (load<u16>(ip, O_OP) as i32) == Op.CMOV_R64
  const value = chosen(answer, source<u64>(ip), load<u64>(dst))
  store<u64>(dst, wide ? value : value & 0xffffffff)
}

/** The move behind a TEST with result `r` at `ip`. */
@inline
function moveByZero(ip: usize, r: u64): void {
  const next = ip + OP_SIZE
  move(next, <u32>(r == 0) ^ (load<u32>(next, O_AUX) & 1))
}

/** Leaves interpret() at the record at `ip`. */
@inline
function stop(c: usize, ip: usize, why: u32): u32 {
  store<u32>(c, ip as u32, CPU_RECORD)
  return why
}

/**
 * Carries out the records from `start` on, which is one of the trace at CPU_TRACE (its code at CPU_TRACE_RIP), and the
 * traces that follow. Their instructions are charged to the slice's budget when they are entered; those of the first are
 * already. Only the record pointer lives in a variable from record to record: whatever else did would be in the way.
 * @returns why it stopped; the record is in CPU_RECORD
 */
export function interpret(start: usize): u32 {
  const c = cpu
  let ip = start
  while (true) {
    let target: u64
    let slot: usize
    switch (load<u16>(ip, O_OP) as i32) {
      case Op.END:
        target = ahead(c, ip)
        slot = ip + (O_IMM + 4)
        break
      case Op.SYSTEM:
        return stop(c, ip, RARE)
      case Op.SLOW:
        return stop(c, ip, RARE)
      case Op.NOP:
        ip += OP_SIZE
        continue
      case Op.ADDRESS: {
        const linear = segmented(ip)
        if (linear == NO_ADDRESS) return stop(c, ip, RARE)
        store<u64>(c, linear, CPU_ADDRESS)
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR:
        return stop(c, ip, RARE)
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
      case Op.ADD_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, ADD)
        ip += OP_SIZE
        continue
      }
      case Op.ADD_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, ADD)
        ip += OP_SIZE
        continue
      }
      case Op.ADD_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 1)) return stop(c, ip, MISS_MODIFY + 1)
        const p = pointer(entry, linear)
        aluMR<u8>(c, ip, p, ADD)
        ip += OP_SIZE
        continue
      }
      case Op.ADD_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, ADD)
        ip += OP_SIZE
        continue
      }
      case Op.ADD_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, ADD)
        ip += OP_SIZE
        continue
      }
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
      case Op.OR_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, OR)
        ip += OP_SIZE
        continue
      }
      case Op.OR_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, OR)
        ip += OP_SIZE
        continue
      }
      case Op.OR_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 1)) return stop(c, ip, MISS_MODIFY + 1)
        const p = pointer(entry, linear)
        aluMR<u8>(c, ip, p, OR)
        ip += OP_SIZE
        continue
      }
      case Op.OR_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, OR)
        ip += OP_SIZE
        continue
      }
      case Op.OR_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, OR)
        ip += OP_SIZE
        continue
      }
      case Op.ADC_RR32:
        aluRR<u32>(c, ip, ADC)
        ip += OP_SIZE
        continue
      case Op.ADC_RR64:
        aluRR<u64>(c, ip, ADC)
        ip += OP_SIZE
        continue
      case Op.ADC_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, ADC)
        ip += OP_SIZE
        continue
      }
      case Op.SBB_RR32:
        aluRR<u32>(c, ip, SBB)
        ip += OP_SIZE
        continue
      case Op.SBB_RR64:
        aluRR<u64>(c, ip, SBB)
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
      case Op.AND_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, AND)
        ip += OP_SIZE
        continue
      }
      case Op.AND_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, AND)
        ip += OP_SIZE
        continue
      }
      case Op.AND_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 1)) return stop(c, ip, MISS_MODIFY + 1)
        const p = pointer(entry, linear)
        aluMR<u8>(c, ip, p, AND)
        ip += OP_SIZE
        continue
      }
      case Op.AND_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, AND)
        ip += OP_SIZE
        continue
      }
      case Op.AND_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, AND)
        ip += OP_SIZE
        continue
      }
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
      case Op.SUB_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, SUB)
        ip += OP_SIZE
        continue
      }
      case Op.SUB_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, SUB)
        ip += OP_SIZE
        continue
      }
      case Op.SUB_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, SUB)
        ip += OP_SIZE
        continue
      }
      case Op.SUB_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, SUB)
        ip += OP_SIZE
        continue
      }
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
      case Op.XOR_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, XOR)
        ip += OP_SIZE
        continue
      }
      case Op.XOR_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, XOR)
        ip += OP_SIZE
        continue
      }
      case Op.XOR_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, XOR)
        ip += OP_SIZE
        continue
      }
      case Op.XOR_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, XOR)
        ip += OP_SIZE
        continue
      }
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
      case Op.CMP_RM8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        aluRM<u8>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluRM<u32>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluRM<u64>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        aluMR<u8>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_MR16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 2)) return stop(c, ip, MISS_READ + 2)
        const p = pointer(entry, linear)
        aluMR<u16>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        aluMR<u32>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
      case Op.CMP_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        aluMR<u64>(c, ip, p, CMP)
        ip += OP_SIZE
        continue
      }
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
      case Op.TEST_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        compute<u8>(c, AND, load<u8>(p), source<u8>(ip))
        ip += OP_SIZE
        continue
      }
      case Op.TEST_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        compute<u32>(c, AND, load<u32>(p), source<u32>(ip))
        ip += OP_SIZE
        continue
      }
      case Op.TEST_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        compute<u64>(c, AND, load<u64>(p), source<u64>(ip))
        ip += OP_SIZE
        continue
      }
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
      case Op.MOV_RM8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        setRegister<u8>(load<u32>(ip, O_DST), load<u8>(p))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_RM16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 2)) return stop(c, ip, MISS_READ + 2)
        const p = pointer(entry, linear)
        setRegister<u16>(load<u32>(ip, O_DST), load<u16>(p))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<u32>(p))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_RM64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), load<u64>(p))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_MR8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 1)) return stop(c, ip, MISS_WRITE + 1)
        const p = pointer(entry, linear)
        store<u8>(p, source<u8>(ip))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_MR16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 2)) return stop(c, ip, MISS_WRITE + 2)
        const p = pointer(entry, linear)
        store<u16>(p, source<u16>(ip))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_WRITE + 4)
        const p = pointer(entry, linear)
        store<u32>(p, source<u32>(ip))
        ip += OP_SIZE
        continue
      }
      case Op.MOV_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_WRITE + 8)
        const p = pointer(entry, linear)
        store<u64>(p, source<u64>(ip))
        ip += OP_SIZE
        continue
      }
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
      case Op.INC_M32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        store<u32>(p, incDec<u32>(c, load<u32>(p), true))
        ip += OP_SIZE
        continue
      }
      case Op.INC_M64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        store<u64>(p, incDec<u64>(c, load<u64>(p), true))
        ip += OP_SIZE
        continue
      }
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
      case Op.DEC_M32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, MISS_MODIFY + 4)
        const p = pointer(entry, linear)
        store<u32>(p, incDec<u32>(c, load<u32>(p), false))
        ip += OP_SIZE
        continue
      }
      case Op.DEC_M64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8)) return stop(c, ip, MISS_MODIFY + 8)
        const p = pointer(entry, linear)
        store<u64>(p, incDec<u64>(c, load<u64>(p), false))
        ip += OP_SIZE
        continue
      }
      case Op.NEG_R32:
        negR<u32>(c, ip)
        ip += OP_SIZE
        continue
      case Op.NEG_R64:
        negR<u64>(c, ip)
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
      case Op.XCHG_MR32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (linear & 3 || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4))
          return stop(c, ip, RARE)
        const src: usize = load<u32>(ip, O_SRC)
        setRegister<u32>(src, atomic.xchg<u32>(pointer(entry, linear), load<u32>(src)))
        ip += OP_SIZE
        continue
      }
      case Op.XCHG_MR64: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (linear & 7 || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8))
          return stop(c, ip, RARE)
        const src: usize = load<u32>(ip, O_SRC)
        setRegister<u64>(src, atomic.xchg<u64>(pointer(entry, linear), load<u64>(src)))
        ip += OP_SIZE
        continue
      }
      case Op.LEA32:
        store<u64>(load<u32>(ip, O_DST), offsetOf(ip, effective(ip)) & 0xffffffff)
        ip += OP_SIZE
        continue
      case Op.LEA64:
        store<u64>(load<u32>(ip, O_DST), offsetOf(ip, effective(ip)))
        ip += OP_SIZE
        continue
      case Op.MOVZX_R8:
        setRegister<u32>(load<u32>(ip, O_DST), source<u8>(ip) as u32)
        ip += OP_SIZE
        continue
      case Op.MOVZX_M8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<u8>(p) as u32)
        ip += OP_SIZE
        continue
      }
      case Op.MOVZX_R16:
        setRegister<u32>(load<u32>(ip, O_DST), source<u16>(ip) as u32)
        ip += OP_SIZE
        continue
      case Op.MOVZX_M16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 2)) return stop(c, ip, MISS_READ + 2)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<u16>(p) as u32)
        ip += OP_SIZE
        continue
      }
      case Op.MOVSX_R8:
        setRegister<u32>(load<u32>(ip, O_DST), source<i8>(ip) as u32)
        ip += OP_SIZE
        continue
      case Op.MOVSX_M8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<i8>(p) as u32)
        ip += OP_SIZE
        continue
      }
      case Op.MOVSX_R16:
        setRegister<u32>(load<u32>(ip, O_DST), source<i16>(ip) as u32)
        ip += OP_SIZE
        continue
      case Op.MOVSX_M16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 2)) return stop(c, ip, MISS_READ + 2)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<i16>(p) as u32)
        ip += OP_SIZE
        continue
      }
      case Op.MOVSX64_R8:
        setRegister<i64>(load<u32>(ip, O_DST), source<i8>(ip) as i64)
        ip += OP_SIZE
        continue
      case Op.MOVSX64_M8: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        setRegister<i64>(load<u32>(ip, O_DST), load<i8>(p) as i64)
        ip += OP_SIZE
        continue
      }
      case Op.MOVSX64_R16:
        setRegister<i64>(load<u32>(ip, O_DST), source<i16>(ip) as i64)
        ip += OP_SIZE
        continue
      case Op.MOVSX64_M16: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 2)) return stop(c, ip, MISS_READ + 2)
        const p = pointer(entry, linear)
        setRegister<i64>(load<u32>(ip, O_DST), load<i16>(p) as i64)
        ip += OP_SIZE
        continue
      }
      case Op.MOVSX64_R32:
        setRegister<i64>(load<u32>(ip, O_DST), source<i32>(ip) as i64)
        ip += OP_SIZE
        continue
      case Op.MOVSX64_M32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<i64>(load<u32>(ip, O_DST), load<i32>(p) as i64)
        ip += OP_SIZE
        continue
      }
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
      case Op.PUSH64: {
        const sp = load<u64>(c, CPU_RSP) - 8
        const entry = fastEntry(c, sp)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, sp, 8)) return stop(c, ip, RARE)
        store<u64>(pointer(entry, sp), source<u64>(ip))
        store<u64>(c, sp, CPU_RSP)
        ip += OP_SIZE
        continue
      }
      case Op.POP64: {
        const sp = load<u64>(c, CPU_RSP)
        const entry = fastEntry(c, sp)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, sp, 8)) return stop(c, ip, RARE)
        const value = load<u64>(pointer(entry, sp))
        store<u64>(c, sp + 8, CPU_RSP)
        store<u64>(load<u32>(ip, O_DST), value)
        ip += OP_SIZE
        continue
      }
      case Op.LEAVE64: {
        const sp = load<u64>(c, CPU_RBP)
        const entry = fastEntry(c, sp)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, sp, 8)) return stop(c, ip, RARE)
        store<u64>(c, load<u64>(pointer(entry, sp)), CPU_RBP)
        store<u64>(c, sp + 8, CPU_RSP)
        ip += OP_SIZE
        continue
      }
      case Op.PUSH32: {
        const offset = load<u32>(c, CPU_RSP) - 4
        const linear = stackLinear(c, offset, true)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4)) return stop(c, ip, RARE)
        store<u32>(pointer(entry, linear), source<u32>(ip))
        store<u64>(c, offset as u64, CPU_RSP)
        ip += OP_SIZE
        continue
      }
      case Op.POP32: {
        const offset = load<u32>(c, CPU_RSP)
        const linear = stackLinear(c, offset, false)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, RARE)
        const value = load<u32>(pointer(entry, linear))
        store<u64>(c, <u64>(<u32>(offset + 4)), CPU_RSP)
        store<u64>(load<u32>(ip, O_DST), value as u64)
        ip += OP_SIZE
        continue
      }
      case Op.LEAVE32: {
        const offset = load<u32>(c, CPU_RBP)
        const linear = stackLinear(c, offset, false)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, RARE)
        store<u64>(c, load<u32>(pointer(entry, linear)) as u64, CPU_RBP)
        store<u64>(c, <u64>(<u32>(offset + 4)), CPU_RSP)
        ip += OP_SIZE
        continue
      }
      case Op.CALL64: {
        target = ahead(c, ip)
        const sp = load<u64>(c, CPU_RSP) - 8
        const entry = fastEntry(c, sp)
        if (!canonical48(target) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, sp, 8))
          return stop(c, ip, RARE)
        store<u64>(pointer(entry, sp), behind(c, ip))
        store<u64>(c, sp, CPU_RSP)
        slot = ip + O_IMM
        break
      }
      case Op.CALL64_R: {
        target = source<u64>(ip)
        const sp = load<u64>(c, CPU_RSP) - 8
        const entry = fastEntry(c, sp)
        if (!canonical48(target) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, sp, 8))
          return stop(c, ip, RARE)
        store<u64>(pointer(entry, sp), behind(c, ip))
        store<u64>(c, sp, CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.CALL64_M: {
        const linear = operand(c, ip)
        const from = fastEntry(c, linear)
        if (load<u64>(from, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, RARE)
        target = load<u64>(pointer(from, linear))
        const sp = load<u64>(c, CPU_RSP) - 8
        const entry = fastEntry(c, sp)
        if (!canonical48(target) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, sp, 8))
          return stop(c, ip, RARE)
        store<u64>(pointer(entry, sp), behind(c, ip))
        store<u64>(c, sp, CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.PUSH64_M: {
        const linear = operand(c, ip)
        const from = fastEntry(c, linear)
        const sp = load<u64>(c, CPU_RSP) - 8
        const entry = fastEntry(c, sp)
        if (
          load<u64>(from, CPU_FAST + FAST_READ) != tag(c, linear, 8) ||
          load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, sp, 8)
        )
          return stop(c, ip, RARE)
        store<u64>(pointer(entry, sp), load<u64>(pointer(from, linear)))
        store<u64>(c, sp, CPU_RSP)
        ip += OP_SIZE
        continue
      }
      case Op.RET64: {
        const sp = load<u64>(c, CPU_RSP)
        const entry = fastEntry(c, sp)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, sp, 8)) return stop(c, ip, RARE)
        target = load<u64>(pointer(entry, sp))
        if (!canonical48(target)) return stop(c, ip, RARE)
        store<u64>(c, sp + 8 + load<u64>(ip, O_IMM), CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.CALL32: {
        target = ahead(c, ip) & 0xffffffff
        const offset = load<u32>(c, CPU_RSP) - 4
        const linear = stackLinear(c, offset, true)
        const entry = fastEntry(c, linear)
        if (target > codeLimit(c) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4))
          return stop(c, ip, RARE)
        store<u32>(pointer(entry, linear), <u32>behind(c, ip))
        store<u64>(c, offset as u64, CPU_RSP)
        slot = ip + O_IMM
        break
      }
      case Op.CALL32_R: {
        target = source<u32>(ip) as u64
        const offset = load<u32>(c, CPU_RSP) - 4
        const linear = stackLinear(c, offset, true)
        const entry = fastEntry(c, linear)
        if (target > codeLimit(c) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 4))
          return stop(c, ip, RARE)
        store<u32>(pointer(entry, linear), <u32>behind(c, ip))
        store<u64>(c, offset as u64, CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.CALL32_M: {
        const linear = operand(c, ip)
        const from = fastEntry(c, linear)
        if (load<u64>(from, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, RARE)
        target = load<u32>(pointer(from, linear)) as u64
        const offset = load<u32>(c, CPU_RSP) - 4
        const stack = stackLinear(c, offset, true)
        const entry = fastEntry(c, stack)
        if (target > codeLimit(c) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, stack, 4))
          return stop(c, ip, RARE)
        store<u32>(pointer(entry, stack), <u32>behind(c, ip))
        store<u64>(c, offset as u64, CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.RET32: {
        const offset = load<u32>(c, CPU_RSP)
        const linear = stackLinear(c, offset, false)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, RARE)
        target = load<u32>(pointer(entry, linear)) as u64
        if (target > codeLimit(c)) return stop(c, ip, RARE)
        store<u64>(c, <u64>(<u32>(offset + 4 + load<u32>(ip, O_IMM))), CPU_RSP)
        slot = c + CPU_ZERO
        break
      }
      case Op.JMP:
        target = ahead(c, ip)
        slot = ip + O_IMM
        break
      case Op.JMP_R:
        target = source<u64>(ip)
        if (code64(c) && !canonical48(target)) return stop(c, ip, RARE)
        slot = c + CPU_ZERO
        break
      case Op.JMP_M: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (
          load<u32>(ip, O_AUX2) == 2 ||
          load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, code64(c) ? 8 : 4)
        )
          return stop(c, ip, RARE)
        target = code64(c) ? load<u64>(pointer(entry, linear)) : (load<u32>(pointer(entry, linear)) as u64)
        if (code64(c) && !canonical48(target)) return stop(c, ip, RARE)
        slot = c + CPU_ZERO
        break
      }
      case Op.JO: {
        if (load<u32>(c, CPU_LAZY) != LAZY_NONE) return stop(c, ip, FLAGS)
        const taken = (load<u32>(c, CPU_RFLAGS) & FLAG_OF) != 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JNO: {
        if (load<u32>(c, CPU_LAZY) != LAZY_NONE) return stop(c, ip, FLAGS)
        const taken = (load<u32>(c, CPU_RFLAGS) & FLAG_OF) == 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JB: {
        const taken = carry(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JAE: {
        const taken = !carry(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JE: {
        const taken = zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JNE: {
        const taken = !zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JBE: {
        const taken = carry(c) || zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JA: {
        const taken = !carry(c) && !zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JS: {
        const taken = sign(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JNS: {
        const taken = !sign(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JP: {
        if (load<u32>(c, CPU_LAZY) != LAZY_NONE) return stop(c, ip, FLAGS)
        const taken = (load<u32>(c, CPU_RFLAGS) & FLAG_PF) != 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JNP: {
        if (load<u32>(c, CPU_LAZY) != LAZY_NONE) return stop(c, ip, FLAGS)
        const taken = (load<u32>(c, CPU_RFLAGS) & FLAG_PF) == 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JL: {
        const flags = relation(c)
        if (flags == UNKNOWN) return stop(c, ip, FLAGS)
        const taken = (flags & LESS) != 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JGE: {
        const flags = relation(c)
        if (flags == UNKNOWN) return stop(c, ip, FLAGS)
        const taken = (flags & LESS) == 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JLE: {
        const flags = relation(c)
        if (flags == UNKNOWN) return stop(c, ip, FLAGS)
        const taken = flags != 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JG: {
        const flags = relation(c)
        if (flags == UNKNOWN) return stop(c, ip, FLAGS)
        const taken = flags == 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.LOOP: {
        const taken = countDown(c, ip) != 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.LOOPE: {
        const rest = countDown(c, ip)
        const taken = rest != 0 && zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.LOOPNE: {
        const rest = countDown(c, ip)
        const taken = rest != 0 && !zero(c)
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.JCXZ: {
        const taken = counter(c, ip) == 0
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.SET_R:
      case Op.CMOV_R32:
      case Op.CMOV_R64: {
        const answer = test(c, load<u32>(ip, O_AUX))
        if (answer == UNKNOWN) return stop(c, ip, FLAGS)
        if ((load<u16>(ip, O_OP) as i32) == Op.SET_R) store<u8>(load<u32>(ip, O_DST), answer as u8)
        else move(ip, answer)
        ip += OP_SIZE
        continue
      }
      case Op.IMUL_RR32:
        imul<u32, i32>(c, ip, source<u32>(ip), load<u32>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      case Op.IMUL_RM32: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        imul<u32, i32>(c, ip, load<u32>(p), load<u32>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      }
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
        store<u64>(load<u32>(ip, O_DST), swap32(load<u32>(load<u32>(ip, O_DST))) as u64)
        ip += OP_SIZE
        continue
      case Op.BSWAP64:
        store<u64>(load<u32>(ip, O_DST), swap64(load<u64>(load<u32>(ip, O_DST))))
        ip += OP_SIZE
        continue
      case Op.CMP32_JE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a == b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JNE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a != b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JB: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a < b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JAE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a >= b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JBE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a <= b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JA: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a > b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JL: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = <i32>a < <i32>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JGE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = <i32>a >= <i32>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JLE: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = <i32>a <= <i32>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP32_JG: {
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = <i32>a > <i32>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a == b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JNE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a != b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JB: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a < b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JAE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a >= b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JBE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a <= b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JA: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a > b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JL: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = <i64>a < <i64>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JGE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = <i64>a >= <i64>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JLE: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = <i64>a <= <i64>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP64_JG: {
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = <i64>a > <i64>b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP8_JE: {
        const taken = compute<u8>(c, CMP, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMPM8_JE: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        const taken = compute<u8>(c, CMP, load<u8>(p), source<u8>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMPM32_JE: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        const taken = compute<u32>(c, CMP, load<u32>(p), source<u32>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST8_JE: {
        const taken = compute<u8>(c, AND, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST32_JE: {
        const taken = compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST64_JE: {
        const taken = compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) == 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMP8_JNE: {
        const taken = compute<u8>(c, CMP, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMPM8_JNE: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 1)) return stop(c, ip, MISS_READ + 1)
        const p = pointer(entry, linear)
        const taken = compute<u8>(c, CMP, load<u8>(p), source<u8>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.CMPM32_JNE: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        const taken = compute<u32>(c, CMP, load<u32>(p), source<u32>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST8_JNE: {
        const taken = compute<u8>(c, AND, load<u8>(load<u32>(ip, O_DST)), source<u8>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST32_JNE: {
        const taken = compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST64_JNE: {
        const taken = compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST32_JS: {
        const taken = <i32>compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) < 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST64_JS: {
        const taken = <i64>compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) < 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST32_JNS: {
        const taken = <i32>compute<u32>(c, AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)) >= 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST64_JNS: {
        const taken = <i64>compute<u64>(c, AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)) >= 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD32_JNE: {
        aluRR<u32>(c, ip, ADD)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD64_JNE: {
        aluRR<u64>(c, ip, ADD)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.SUB32_JNE: {
        aluRR<u32>(c, ip, SUB)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.SUB64_JNE: {
        aluRR<u64>(c, ip, SUB)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.DEC32_JNE: {
        incDecR<u32>(c, ip, false)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.DEC64_JNE: {
        incDecR<u64>(c, ip, false)
        const taken = load<u64>(c, CPU_LAZY_R) != 0
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD_RR32_NF:
        setRegister<u32>(
          load<u32>(ip, O_DST),
          plain<u32>(ADD, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.ADD_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), plain<u32>(ADD, load<u32>(load<u32>(ip, O_DST)), load<u32>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.ADD_RR64_NF:
        setRegister<u64>(
          load<u32>(ip, O_DST),
          plain<u64>(ADD, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.ADD_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), plain<u64>(ADD, load<u64>(load<u32>(ip, O_DST)), load<u64>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.OR_RR32_NF:
        setRegister<u32>(
          load<u32>(ip, O_DST),
          plain<u32>(OR, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.OR_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), plain<u32>(OR, load<u32>(load<u32>(ip, O_DST)), load<u32>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.OR_RR64_NF:
        setRegister<u64>(
          load<u32>(ip, O_DST),
          plain<u64>(OR, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.OR_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), plain<u64>(OR, load<u64>(load<u32>(ip, O_DST)), load<u64>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.AND_RR32_NF:
        setRegister<u32>(
          load<u32>(ip, O_DST),
          plain<u32>(AND, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.AND_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), plain<u32>(AND, load<u32>(load<u32>(ip, O_DST)), load<u32>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.AND_RR64_NF:
        setRegister<u64>(
          load<u32>(ip, O_DST),
          plain<u64>(AND, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.AND_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), plain<u64>(AND, load<u64>(load<u32>(ip, O_DST)), load<u64>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.SUB_RR32_NF:
        setRegister<u32>(
          load<u32>(ip, O_DST),
          plain<u32>(SUB, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.SUB_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), plain<u32>(SUB, load<u32>(load<u32>(ip, O_DST)), load<u32>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.SUB_RR64_NF:
        setRegister<u64>(
          load<u32>(ip, O_DST),
          plain<u64>(SUB, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.SUB_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), plain<u64>(SUB, load<u64>(load<u32>(ip, O_DST)), load<u64>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.XOR_RR32_NF:
        setRegister<u32>(
          load<u32>(ip, O_DST),
          plain<u32>(XOR, load<u32>(load<u32>(ip, O_DST)), source<u32>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.XOR_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), plain<u32>(XOR, load<u32>(load<u32>(ip, O_DST)), load<u32>(p)))
        ip += OP_SIZE
        continue
      }
      case Op.XOR_RR64_NF:
        setRegister<u64>(
          load<u32>(ip, O_DST),
          plain<u64>(XOR, load<u64>(load<u32>(ip, O_DST)), source<u64>(ip)),
        )
        ip += OP_SIZE
        continue
      case Op.XOR_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), plain<u64>(XOR, load<u64>(load<u32>(ip, O_DST)), load<u64>(p)))
        ip += OP_SIZE
        continue
      }
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
          <u32>(<i32>load<u32>(load<u32>(ip, O_DST)) >> (countOf<u32>(ip) as i32)),
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
      case Op.IMUL_RR32_NF:
        setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip) * load<u32>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      case Op.IMUL_RM32_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 4)) return stop(c, ip, MISS_READ + 4)
        const p = pointer(entry, linear)
        setRegister<u32>(load<u32>(ip, O_DST), load<u32>(p) * load<u32>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      }
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
          <u64>(<i64>load<u64>(load<u32>(ip, O_DST)) >> (countOf<u64>(ip) as i64)),
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
      case Op.IMUL_RR64_NF:
        setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip) * load<u64>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      case Op.IMUL_RM64_NF: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8)) return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        setRegister<u64>(load<u32>(ip, O_DST), load<u64>(p) * load<u64>(load<u32>(ip, O_AUX)))
        ip += OP_SIZE
        continue
      }
      case Op.MUL_R32_NF: {
        const product = (load<u32>(c, CPU_RAX) as u64) * (load<u32>(load<u32>(ip, O_DST)) as u64)
        store<u64>(c, product & 0xffffffff, CPU_RAX)
        store<u64>(c, product >> 32, CPU_RDX)
        ip += OP_SIZE
        continue
      }
      case Op.MUL_R64_NF: {
        const a = load<u64>(c, CPU_RAX)
        const b = load<u64>(load<u32>(ip, O_DST))
        store<u64>(c, upper64(a, b), CPU_RDX)
        store<u64>(c, a * b, CPU_RAX)
        ip += OP_SIZE
        continue
      }
      case Op.SHLD_R32_NF: {
        const dst: usize = load<u32>(ip, O_DST)
        const n = load<u8>(ip, O_IMM + 4) as u32
        const rest = 0 - n
        const kept = load<u32>(dst) << n
        const comes = source<u32>(ip) >> rest
        setRegister<u32>(dst, kept | comes)
        ip += OP_SIZE
        continue
      }
      case Op.SHLD_R64_NF: {
        const dst: usize = load<u32>(ip, O_DST)
        const n = load<u8>(ip, O_IMM + 4) as u64
        const rest = 0 - n
        const kept = load<u64>(dst) << n
        const comes = source<u64>(ip) >> rest
        setRegister<u64>(dst, kept | comes)
        ip += OP_SIZE
        continue
      }
      case Op.SHRD_R32_NF: {
        const dst: usize = load<u32>(ip, O_DST)
        const n = load<u8>(ip, O_IMM + 4) as u32
        const rest = 0 - n
        const kept = load<u32>(dst) >> n
        const comes = source<u32>(ip) << rest
        setRegister<u32>(dst, kept | comes)
        ip += OP_SIZE
        continue
      }
      case Op.SHRD_R64_NF: {
        const dst: usize = load<u32>(ip, O_DST)
        const n = load<u8>(ip, O_IMM + 4) as u64
        const rest = 0 - n
        const kept = load<u64>(dst) >> n
        const comes = source<u64>(ip) << rest
        setRegister<u64>(dst, kept | comes)
        ip += OP_SIZE
        continue
      }
      case Op.MOV_SHL32: {
        const count = load<u32>(ip, O_AUX)
        setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip) << count)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.MOV_SHL64: {
        const count = load<u32>(ip, O_AUX) as u64
        setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip) << count)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.MOV_SHR32: {
        const count = load<u32>(ip, O_AUX)
        setRegister<u32>(load<u32>(ip, O_DST), source<u32>(ip) >> count)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.MOV_SHR64: {
        const count = load<u32>(ip, O_AUX) as u64
        setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip) >> count)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.MOV_SHL_XOR64: {
        const count = load<u32>(ip, O_AUX) as u64
        const value = source<u64>(ip)
        const moved = value << count
        const mixed = value ^ moved
        store<u64>(load<u32>(ip, O_DST), moved)
        store<u64>(load<u32>(ip, O_AUX2), mixed)
        ip += 3 * OP_SIZE
        continue
      }
      case Op.MOV_SHR_XOR64: {
        const count = load<u32>(ip, O_AUX) as u64
        const value = source<u64>(ip)
        const moved = value >> count
        const mixed = value ^ moved
        store<u64>(load<u32>(ip, O_DST), moved)
        store<u64>(load<u32>(ip, O_AUX2), mixed)
        ip += 3 * OP_SIZE
        continue
      }
      case Op.MOV_IMUL64:
        setRegister<u64>(load<u32>(ip, O_DST), source<u64>(ip) * load<u64>(load<u32>(ip, O_AUX)))
        ip += 2 * OP_SIZE
        continue
      case Op.ADD32_CMP32_JE: {
        const dst: usize = load<u32>(ip, O_DST)
        setRegister<u32>(dst, load<u32>(dst) + source<u32>(ip))
        ip += OP_SIZE
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a == b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD32_CMP32_JNE: {
        const dst: usize = load<u32>(ip, O_DST)
        setRegister<u32>(dst, load<u32>(dst) + source<u32>(ip))
        ip += OP_SIZE
        const a = load<u32>(load<u32>(ip, O_DST))
        const b = source<u32>(ip)
        setLazy(c, LAZY_SUB + 2, a as u64, (a - b) as u64)
        const taken = a != b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD64_CMP64_JE: {
        const dst: usize = load<u32>(ip, O_DST)
        setRegister<u64>(dst, load<u64>(dst) + source<u64>(ip))
        ip += OP_SIZE
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a == b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.ADD64_CMP64_JNE: {
        const dst: usize = load<u32>(ip, O_DST)
        setRegister<u64>(dst, load<u64>(dst) + source<u64>(ip))
        ip += OP_SIZE
        const a = load<u64>(load<u32>(ip, O_DST))
        const b = source<u64>(ip)
        setLazy(c, LAZY_SUB + 3, a as u64, (a - b) as u64)
        const taken = a != b
        ip += OP_SIZE
        if (taken) {
          target = ahead(c, ip)
          slot = ip + O_IMM
        } else {
          target = behind(c, ip)
          slot = ip + (O_IMM + 4)
        }
        break
      }
      case Op.TEST8_CMOV: {
        const dst: usize = load<u32>(ip, O_DST)
        moveByZero(ip, compute<u8>(c, AND, load<u8>(dst), source<u8>(ip)) as u64)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.TEST32_CMOV: {
        const dst: usize = load<u32>(ip, O_DST)
        moveByZero(ip, compute<u32>(c, AND, load<u32>(dst), source<u32>(ip)) as u64)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.TEST64_CMOV: {
        const dst: usize = load<u32>(ip, O_DST)
        moveByZero(ip, compute<u64>(c, AND, load<u64>(dst), source<u64>(ip)) as u64)
        ip += 2 * OP_SIZE
        continue
      }
      case Op.VECTOR_AND_RR: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, v128.and(v128.load(dst), v128.load(src)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_OR_RR: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, v128.or(v128.load(dst), v128.load(src)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_XOR_RR: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, v128.xor(v128.load(dst), v128.load(src)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_ADD_Q_RR: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, i64x2.add(v128.load(dst), v128.load(src)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_ADD_D_RR: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, i32x4.add(v128.load(dst), v128.load(src)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_SHL_Q: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        const count = load<u64>(src)
        v128.store(dst, count > 63 ? i64x2.splat(0) : i64x2.shl(v128.load(dst), count as i32))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_SHR_Q: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        const count = load<u64>(src)
        v128.store(dst, count > 63 ? i64x2.splat(0) : i64x2.shr_u(v128.load(dst), count as i32))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_TO_R32: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        store<u64>(dst, load<u32>(src) as u64)
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_TO_R64: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        store<u64>(dst, load<u64>(src))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_FROM_R32: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, v128.load32_zero(src))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_FROM_R64: {
        if (!sseReady(c)) return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const src: usize = load<u32>(ip, O_SRC)
        v128.store(dst, v128.load64_zero(src))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_DOUBLE_RR: {
        const dst: usize = load<u32>(ip, O_DST)
        const a = load<u64>(dst)
        const b = source<u64>(ip)
        const r = combined(ip, a, b)
        if (!sseReady(c) || !inexactPasses(c) || !ordinary(a, b, r)) return stop(c, ip, RARE)
        store<u64>(dst, r)
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_DOUBLE_RM: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (!sseReady(c) || load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8))
          return stop(c, ip, RARE)
        const dst: usize = load<u32>(ip, O_DST)
        const a = load<u64>(dst)
        const b = load<u64>(pointer(entry, linear))
        const r = combined(ip, a, b)
        if (!inexactPasses(c) || !ordinary(a, b, r)) return stop(c, ip, RARE)
        store<u64>(dst, r)
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_MOVE_RR:
        if (!sseReady(c)) return stop(c, ip, RARE)
        v128.store(load<u32>(ip, O_DST), v128.load(load<u32>(ip, O_SRC)))
        ip += OP_SIZE
        continue
      case Op.VECTOR_MOVE_RM: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (
          !sseReady(c) ||
          misaligned(ip, linear) ||
          load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 16)
        )
          return stop(c, ip, RARE)
        const p = pointer(entry, linear)
        v128.store(load<u32>(ip, O_DST), v128.load(p))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_MOVE_MR: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (
          !sseReady(c) ||
          misaligned(ip, linear) ||
          load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 16)
        )
          return stop(c, ip, RARE)
        const p = pointer(entry, linear)
        v128.store(p, v128.load(load<u32>(ip, O_SRC)))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_MOVE8_RM: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (!sseReady(c) || load<u64>(entry, CPU_FAST + FAST_READ) != tag(c, linear, 8))
          return stop(c, ip, MISS_READ + 8)
        const p = pointer(entry, linear)
        v128.store(load<u32>(ip, O_DST), v128.load64_zero(p))
        ip += OP_SIZE
        continue
      }
      case Op.VECTOR_MOVE8_MR: {
        const linear = operand(c, ip)
        const entry = fastEntry(c, linear)
        if (!sseReady(c) || load<u64>(entry, CPU_FAST + FAST_WRITE) != tag(c, linear, 8))
          return stop(c, ip, MISS_WRITE + 8)
        const p = pointer(entry, linear)
        store<u64>(p, source<u64>(ip))
        ip += OP_SIZE
        continue
      }
      default:
        return stop(c, ip, RARE)
    }

    // --- a jump, to `target` ---
    // In the same page, `slot` remembers the trace there; nothing about it can have changed (trace.ts).
    let next: usize = load<u32>(slot)
    // Nor does somebody want this CPU at a boundary (machine/smp.ts). One test for all: each costs a branch.
    const rest = load<i64>(c, CPU_BUDGET) - <i64>load<u16>(next, TRACE_COUNT)
    if ((load<u32>(c, CPU_ATTENTION) | <u32>(next == 0) | <u32>(<u64>rest >> 63)) == 0) {
      store<i64>(c, rest, CPU_BUDGET)
      store<u32>(c, next as u32, CPU_TRACE)
      store<u64>(c, target, CPU_TRACE_RIP)
      ip = next + TRACE_HEADER
      continue
    }
    // Elsewhere the jump cache may know it.
    const mode = load<u32>(c, CPU_MODE)
    let linear = target
    if ((mode & MODE_SIZE) != MODE_CODE64) {
      const taken = slot != ip + (O_IMM + 4)
      target = taken && load<u32>(ip, O_AUX2) == 2 ? target & 0xffff : target & 0xffffffff
      linear = (load<u64>(c, CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE + SEGMENT_BASE) + target) & 0xffffffff
      if (taken && target > codeLimit(c)) {
        store<u64>(c, target, CPU_NEXT_RIP)
        return stop(c, ip, BEYOND_LIMIT)
      }
    }
    const remembered = jumpEntry(c, linear)
    next = load<u32>(remembered, CPU_JUMPS + 8)
    // Instructions of another page: what the fast TLB has on it is what asking the TLB would bring (ARCHITECTURE).
    const turns = ((linear ^ load<u64>(c, CPU_FETCH_PAGE)) & PAGE) != 0
    const entry = fastEntry(c, linear)
    const distance = turns ? load<u32>(entry, CPU_FAST + FAST_ADDEND) : load<u32>(c, CPU_FETCH_DISTANCE)
    const left = load<i64>(c, CPU_BUDGET) - <i64>load<u16>(next, TRACE_COUNT)
    if (
      load<u64>(remembered, CPU_JUMPS) != linear ||
      load<u32>(c, CPU_ATTENTION) ||
      next == 0 ||
      load<u32>(next, TRACE_MODE) != mode ||
      load<u32>(next, TRACE_CODE) != <u32>linear + distance ||
      left < 0 ||
      (turns && load<u64>(entry, CPU_FAST + FAST_EXECUTE) != tag(c, linear, 1)) ||
      (!(mode & MODE_FLAT) && target + load<u16>(next, TRACE_BYTES) - 1 > codeLimit(c))
    ) {
      store<u64>(c, target, CPU_NEXT_RIP)
      store<u32>(c, slot as u32, CPU_NEXT_SLOT)
      return stop(c, ip, FOLLOW)
    }
    if (turns) {
      store<u32>(c, distance, CPU_FETCH_DISTANCE)
      store<u64>(c, (linear & PAGE) | 1, CPU_FETCH_PAGE)
      store<u64>(c, (load<u32>(next, TRACE_PHYS) & 0xfffff000) as u64, CPU_FETCH_FRAME)
    }
    store<i64>(c, left, CPU_BUDGET)
    store<u32>(c, next as u32, CPU_TRACE)
    store<u64>(c, target, CPU_TRACE_RIP)
    ip = next + TRACE_HEADER
  }
}
