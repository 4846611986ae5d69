// Instructions that are carried out out of line but do not end a trace. Results are those of the executor's
// switch: 0 done, 1 faulted (nothing has changed), 2 done through a slow write (the trace must be left).

import { fullFence } from '../machine/smp'
import { accessCommit, accessRead, accessWrite } from '../memory/linear'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_IDTR_BASE,
  CPU_IDTR_LIMIT,
  CPU_MODE,
  CPU_RAX,
  CPU_RBP,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_RSP,
  CPU_SEGMENTS,
  FAULT_DETAIL_DIVIDE,
  FAULT_DETAIL_NONE,
  FAULT_DETAIL_PRIVILEGE,
  MODE_CODE64,
  MODE_SIZE,
  SEG_LDTR,
  SEG_SS,
  SEG_TR,
  SEGMENT_SELECTOR,
  SEGMENT_SIZE,
} from '../layout'
import { linearAt, linearOf, segmentLinear } from './address'
import { divide128, multiplyHigh, multiplyHighSigned, remainder128 } from './arithmetic'
import { adjust } from './bcd'
import { bounce, cpu } from './context'
import { CR4_UMIP } from './control-registers'
import { faultPending, raise } from './fault'
import {
  carry,
  FLAG_CF,
  FLAG_DF,
  FLAG_OF,
  FLAG_ZF,
  FLAGS_STATUS,
  flagsMaterialise,
  parityFlag,
  setStatus,
  statusFlags,
} from './flags'
import { compareExchange, compareExchangePair, exchangeAdd, locked, lockedBit } from './locked'
import { stackMask, stackPointerSet } from './stack'
import { SLOW_LOCK, SLOW_MEMORY, SLOW_SIZE, Slow } from './ops'
import { O_AUX, O_AUX2, O_DST, O_IMM, O_SEGMENT, O_SRC } from './trace-format'
import { EXC_BR, EXC_DE, EXC_GP } from './vectors'

const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

/** Address of the fault that loadSized and friends ran into is in CPU_FAULT; they answer 0 then. */
export function loadSized(p: usize, size: u32): u64 {
  if (size == 1) return load<u8>(p)
  if (size == 2) return load<u16>(p)
  if (size == 4) return load<u32>(p)
  return load<u64>(p)
}

export function storeSized(p: usize, size: u32, value: u64): void {
  if (size == 1) store<u8>(p, value as u8)
  else if (size == 2) store<u16>(p, value as u16)
  else if (size == 4) store<u32>(p, value as u32)
  else store<u64>(p, value)
}

/** storeSized to a register: 32-bit results are zero-extended. */
export function storeRegister(p: usize, size: u32, value: u64): void {
  storeSized(p, size == 4 ? 8 : size, size == 4 ? value & 0xffffffff : value)
}

@inline
function user(): bool {
  return load<u32>(cpu, CPU_CPL) == 3
}

@inline
export function maskOf(size: u32): u64 {
  return size == 8 ? 0xffffffffffffffff : ((1 as u64) << (size * 8)) - 1
}

/** Pointer to the memory operand of `size` bytes for reading, 0 with a fault pending. */
export function operandRead(ip: usize, size: u32): usize {
  return accessRead(linearOf(ip, size, false), size, load<u8>(ip, O_SEGMENT), user())
}

/** Pointer to the memory operand for writing; bounced writes are to be committed. */
export function operandWrite(ip: usize, size: u32, modify: bool): usize {
  return accessWrite(linearOf(ip, size, true), size, load<u8>(ip, O_SEGMENT), user(), modify)
}

@inline
function finish(p: usize): u32 {
  if (p != bounce) return DONE
  accessCommit()
  return COMMITTED
}

/** Carries out the SLOW record at `ip`. */
export function slow(ip: usize): u32 {
  const flags = load<u32>(ip, O_AUX2)
  const size = flags & SLOW_SIZE
  switch (load<u32>(ip, O_AUX)) {
    case Slow.SHIFT:
      return shift(ip, size, flags)
    case Slow.SHIFT_DOUBLE:
      return shiftDouble(ip, size, flags)
    case Slow.MUL:
    case Slow.IMUL:
    case Slow.DIV:
    case Slow.IDIV:
      return multiplyDivide(ip, size, flags)
    case Slow.BT:
      return bitTest(ip, size, flags)
    case Slow.BSF:
    case Slow.BSR:
      return bitScan(ip, size, flags)
    case Slow.CMPXCHG:
      return compareExchange(ip, size, flags)
    case Slow.CMPXCHG_PAIR:
      return compareExchangePair(ip, size, flags)
    case Slow.XADD:
      return exchangeAdd(ip, size, flags)
    case Slow.LOCKED:
      return locked(ip, size, (flags >> 16) & 15)
    case Slow.FENCE:
      fullFence()
      return DONE
    case Slow.BSWAP16:
      // Undefined by the manual; processors clear the register's low half (SDM 2 BSWAP).
      store<u16>(load<u32>(ip, O_DST), 0)
      return DONE
    case Slow.FLAGS:
      flagInstruction((flags >> 16) & 15)
      return DONE
    case Slow.BCD:
      if (!adjust((flags >> 16) & 15, load<u8>(ip, O_IMM))) return FAULTED
      return DONE
    case Slow.XLAT: {
      const linear = linearAt(ip, load<u8>(cpu, CPU_RAX) as i64, 1, false)
      const p = accessRead(linear, 1, load<u8>(ip, O_SEGMENT), user())
      if (!p) return FAULTED
      store<u8>(cpu, load<u8>(p), CPU_RAX)
      return DONE
    }
    case Slow.ENTER:
      return enter(ip, size)
    case Slow.LEAVE:
      return leaveFrame(size)
    case Slow.PUSHA:
      return pushAll(size)
    case Slow.POPA:
      return popAll(size)
    case Slow.BOUND:
      return bound(ip, size)
    case Slow.ARPL:
      return adjustRpl(ip, flags)
    case Slow.POP_M:
      return popMemory(ip, size, flags)
    case Slow.STORE_SEGMENT:
      return storeSegment(ip, size, flags)
    case Slow.STORE_TABLE:
      return storeTable(ip, size, (flags >> 16) & 1)
    default:
      return storeSystem(ip, size, flags)
  }
}

// --- stack ---------------------------------------------------------------------------------------------------

function stackLinear(offset: u64, size: u32, write: bool): u64 {
  if ((load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64) return offset
  return segmentLinear(SEG_SS, offset, size, write)
}

/** Pushes `size` bytes with the mode's stack; result as of slow(). */
export function pushStack(value: u64, size: u32): u32 {
  const sp = (load<u64>(cpu, CPU_RSP) - size) & stackMask()
  const p = accessWrite(stackLinear(sp, size, true), size, SEG_SS, user(), false)
  if (!p) return FAULTED
  storeSized(p, size, value)
  stackPointerSet(sp, stackMask())
  return finish(p)
}

/** PUSH of a segment register: of 32 bits, the upper 16 stay as they are (SDM 2 PUSH, Intel's processors). */
function pushSelector(selector: u64, size: u32): u32 {
  if (size != 4) return pushStack(selector, size)
  const sp = (load<u64>(cpu, CPU_RSP) - size) & stackMask()
  const p = accessWrite(stackLinear(sp, 2, true), 2, SEG_SS, user(), false)
  if (!p) return FAULTED
  store<u16>(p, selector as u16)
  stackPointerSet(sp, stackMask())
  return finish(p)
}

/** Pops `size` bytes; 0 with a fault pending and rSP unchanged on a fault. */
export function popStack(size: u32): u64 {
  const sp = load<u64>(cpu, CPU_RSP) & stackMask()
  const p = accessRead(stackLinear(sp, size, false), size, SEG_SS, user())
  if (!p) return 0
  const value = loadSized(p, size)
  stackPointerSet(sp + size, stackMask())
  return value
}

/** Reads the stack `depth` bytes above rSP without popping. */
export function peekStack(depth: u32, size: u32): u64 {
  const sp = (load<u64>(cpu, CPU_RSP) + depth) & stackMask()
  const p = accessRead(stackLinear(sp, size, false), size, SEG_SS, user())
  return p ? loadSized(p, size) : 0
}

/** POP to memory: the address is computed with rSP already incremented (SDM 2 POP). */
function popMemory(ip: usize, size: u32, flags: u32): u32 {
  const old = load<u64>(cpu, CPU_RSP)
  const value = popStack(size)
  if (faultPending()) return FAULTED
  if (!(flags & SLOW_MEMORY)) {
    if (size == 2) store<u16>(load<u32>(ip, O_DST), value as u16)
    else store<u64>(load<u32>(ip, O_DST), value)
    return DONE
  }
  const p = operandWrite(ip, size, false)
  if (!p) {
    store<u64>(cpu, old, CPU_RSP)
    return FAULTED
  }
  storeSized(p, size, value)
  return finish(p)
}

/** PUSHA: one after the other; what was pushed before a fault stays in memory, and the stack pointer has not moved. */
function pushAll(size: u32): u32 {
  const sp = load<u64>(cpu, CPU_RSP)
  let result = DONE
  for (let i: u32 = 0; i < 8; i++) {
    const value = i == 4 ? sp : load<u64>(cpu + CPU_RAX + i * 8)
    const status = pushStack(value, size)
    if (status == FAULTED) return restoreStack(sp)
    if (status == COMMITTED) result = COMMITTED
  }
  return result
}

/** POPA: one after the other; registers popped before a fault keep what they got, and the stack pointer has not moved. */
function popAll(size: u32): u32 {
  // Order of the stack: DI SI BP (SP) BX DX CX AX.
  const sp = load<u64>(cpu, CPU_RSP)
  for (let i: i32 = 7; i >= 0; i--) {
    const value = popStack(size)
    if (faultPending()) return restoreStack(sp)
    if (i != 4) storeRegister(cpu + CPU_RAX + i * 8, size, value)
  }
  return DONE
}

/** ENTER (SDM 2). rSP and rBP change only when everything, the probe at the new top included, is known to work. */
function enter(ip: usize, size: u32): u32 {
  const frame = load<u64>(ip, O_IMM) & 0xffff
  const level = <u32>(load<u64>(ip, O_IMM) >> 16) & 31
  const oldSp = load<u64>(cpu, CPU_RSP)
  const oldBp = load<u64>(cpu, CPU_RBP)
  const mask = stackMask()
  let result = pushStack(oldBp, size)
  if (result == FAULTED) return FAULTED
  const frameTemp = load<u64>(cpu, CPU_RSP)
  let bp = oldBp
  for (let i: u32 = 1; i < level; i++) {
    bp = (bp - size) & mask
    const p = accessRead(stackLinear(bp, size, false), size, SEG_SS, user())
    if (!p) return restoreStack(oldSp)
    const status = pushStack(loadSized(p, size), size)
    if (status == FAULTED) return restoreStack(oldSp)
    if (status == COMMITTED) result = COMMITTED
  }
  if (level) {
    const status = pushStack(frameTemp, size)
    if (status == FAULTED) return restoreStack(oldSp)
    if (status == COMMITTED) result = COMMITTED
  }
  const top = (load<u64>(cpu, CPU_RSP) - frame) & mask
  if (!accessWrite(stackLinear(top, size, true), size, SEG_SS, user(), false)) return restoreStack(oldSp)
  stackPointerSet(top, stackMask())
  if (size == 2) store<u16>(cpu, frameTemp as u16, CPU_RBP)
  else store<u64>(cpu, size == 4 ? frameTemp & 0xffffffff : frameTemp, CPU_RBP)
  return result
}

function restoreStack(sp: u64): u32 {
  store<u64>(cpu, sp, CPU_RSP)
  return FAULTED
}

/** LEAVE with operands of `size` bytes; result as of slow(). */
export function leaveFrame(size: u32): u32 {
  const bp = load<u64>(cpu, CPU_RBP) & stackMask()
  const p = accessRead(stackLinear(bp, size, false), size, SEG_SS, user())
  if (!p) return FAULTED
  const value = loadSized(p, size)
  stackPointerSet(bp + size, stackMask())
  storeRegister(cpu + CPU_RBP, size, value)
  return DONE
}

// --- shifts --------------------------------------------------------------------------------------------------

/** Shifts and rotates that the executor has no record of its own for. */
function shift(ip: usize, size: u32, flags: u32): u32 {
  const kind = (flags >> 16) & 7
  const bits = size * 8
  const count: u32 = load<u8>(load<u32>(ip, O_SRC)) & (size == 8 ? 63 : 31)
  const memory = (flags & SLOW_MEMORY) != 0
  const p: usize = memory ? operandWrite(ip, size, true) : load<u32>(ip, O_DST)
  if (!p) return FAULTED
  const value = loadSized(p, size)
  let r = value
  if (count) {
    if (kind < 2) r = rotate(value, bits, count, kind == 0)
    else if (kind < 4) r = rotateCarry(value, bits, count, kind == 2)
    else r = shiftPlain(value, bits, count, kind)
  }
  if (!memory) {
    storeRegister(p, size, r)
    return DONE
  }
  storeSized(p, size, r)
  return finish(p)
}

function setCarryOverflow(cf: u64, overflow: u64): void {
  setStatus((statusFlags() & ~(FLAG_CF | FLAG_OF)) | (cf & 1 ? FLAG_CF : 0) | (overflow & 1 ? FLAG_OF : 0))
}

function rotate(value: u64, bits: u32, count: u32, left: bool): u64 {
  const n = count & (bits - 1)
  const mask = maskOf(bits >> 3)
  let r = value
  if (n)
    r = left ? ((value << n) | (value >> (bits - n))) & mask : ((value >> n) | (value << (bits - n))) & mask
  const top = r >> (bits - 1)
  if (left) setCarryOverflow(r, top ^ r)
  else setCarryOverflow(top, top ^ (r >> (bits - 2)))
  return r
}

function rotateCarry(value: u64, bits: u32, count: u32, left: bool): u64 {
  // 8- and 16-bit operands rotate through 9 and 17 bits (SDM 2 RCL).
  const n = bits < 32 ? count % (bits + 1) : count
  let r = value
  let cf: u64 = carry(cpu) ? 1 : 0
  const mask = maskOf(bits >> 3)
  const top: u64 = bits - 1
  for (let i: u32 = 0; i < n; i++) {
    if (left) {
      const out = (r >> top) & 1
      r = ((r << 1) | cf) & mask
      cf = out
    } else {
      const out = r & 1
      r = (r >> 1) | (cf << top)
      cf = out
    }
  }
  setCarryOverflow(cf, left ? (r >> top) ^ cf : (r >> top) ^ (r >> (top - 1)))
  return r
}

function shiftPlain(value: u64, bits: u32, count: u32, kind: u32): u64 {
  const mask = maskOf(bits >> 3)
  const top: u64 = bits - 1
  let r: u64
  let cf: u64
  let overflow: u64
  if (kind == 5) {
    r = count < bits ? value >> count : 0
    cf = count <= bits ? (value >> (count - 1)) & 1 : 0
    overflow = count == 1 ? value >> top : 0
  } else if (kind == 7) {
    const signed = <i64>(value << (64 - bits)) >> (64 - bits)
    const n: i64 = count < bits ? count : bits - 1
    r = <u64>(signed >> n) & mask
    cf = count <= bits ? <u64>(signed >> (count - 1)) & 1 : <u64>(signed >> 63) & 1
    overflow = 0
  } else {
    r = count < bits ? (value << count) & mask : 0
    cf = count <= bits ? (value >> (bits - count)) & 1 : 0
    overflow = (r >> top) ^ cf
  }
  let status: u32 = parityFlag(r as u32)
  if (r == 0) status |= FLAG_ZF
  if ((r >> top) & 1) status |= 0x80
  if (cf & 1) status |= FLAG_CF
  if (overflow & 1) status |= FLAG_OF
  setStatus(status)
  return r
}

function shiftDouble(ip: usize, size: u32, flags: u32): u32 {
  const right = ((flags >> 16) & 1) != 0
  const bits = size * 8
  const count: u32 = load<u8>(load<u32>(ip, O_IMM)) & (size == 8 ? 63 : 31)
  const memory = (flags & SLOW_MEMORY) != 0
  const p: usize = memory ? operandWrite(ip, size, true) : load<u32>(ip, O_DST)
  if (!p) return FAULTED
  const a = loadSized(p, size)
  let r = a
  if (count) {
    const b = loadSized(load<u32>(ip, O_SRC), size)
    const mask = maskOf(size)
    const top: u64 = bits - 1
    let cf: u64
    if (count <= bits) {
      if (right) {
        r = count == bits ? b : ((a >> count) | (b << (bits - count))) & mask
        cf = (a >> (count - 1)) & 1
      } else {
        r = count == bits ? b : ((a << count) | (b >> (bits - count))) & mask
        cf = (a >> (bits - count)) & 1
      }
    } else {
      // 16-bit operands with counts of 17 to 31: undefined by the manual; processors rotate b:a:b.
      const n = count - bits
      if (right) {
        r = ((b >> n) | (a << (bits - n))) & mask
        cf = (b >> (n - 1)) & 1
      } else {
        r = ((b << n) | (a >> (bits - n))) & mask
        cf = (b >> (bits - n)) & 1
      }
    }
    let status: u32 = parityFlag(r as u32)
    if (r == 0) status |= FLAG_ZF
    if ((r >> top) & 1) status |= 0x80
    if (cf) status |= FLAG_CF
    if (((a ^ r) >> top) & 1) status |= FLAG_OF
    setStatus(status)
  }
  if (!memory) {
    storeRegister(p, size, r)
    return DONE
  }
  storeSized(p, size, r)
  return finish(p)
}

// --- multiply and divide -------------------------------------------------------------------------------------

function multiplyDivide(ip: usize, size: u32, flags: u32): u32 {
  const p: usize = flags & SLOW_MEMORY ? operandRead(ip, size) : load<u32>(ip, O_DST)
  if (!p) return FAULTED
  const value = loadSized(p, size)
  switch (load<u32>(ip, O_AUX)) {
    case Slow.MUL:
      multiply(value, size, false)
      return DONE
    case Slow.IMUL:
      multiply(value, size, true)
      return DONE
    case Slow.DIV:
      return divide(value, size) ? DONE : FAULTED
    default:
      return divideSigned(value, size) ? DONE : FAULTED
  }
}

function signExtend(value: u64, size: u32): i64 {
  const s: i64 = 64 - size * 8
  return ((value as i64) << s) >> s
}

/** SF, ZF, AF and PF are undefined; they keep their values here (SDM 2 MUL). */
function multiply(value: u64, size: u32, signed: bool): void {
  let overflow: bool
  if (size == 8) {
    const a = load<u64>(cpu, CPU_RAX)
    const low = a * value
    const high: u64 = signed ? <u64>multiplyHighSigned(a as i64, value as i64) : multiplyHigh(a, value)
    store<u64>(cpu, low, CPU_RAX)
    store<u64>(cpu, high, CPU_RDX)
    overflow = signed ? (high as i64) != (low as i64) >> 63 : high != 0
  } else {
    const a = load<u64>(cpu, CPU_RAX) & maskOf(size)
    const product: u64 = signed ? <u64>(signExtend(a, size) * signExtend(value, size)) : a * value
    if (size == 1) store<u16>(cpu, product as u16, CPU_RAX)
    else if (size == 2) {
      store<u16>(cpu, product as u16, CPU_RAX)
      store<u16>(cpu, <u16>(product >> 16), CPU_RDX)
    } else {
      store<u64>(cpu, product & 0xffffffff, CPU_RAX)
      store<u64>(cpu, product >> 32, CPU_RDX)
    }
    overflow = signed
      ? (product as i64) != signExtend(product & maskOf(size), size)
      : product >> (size * 8) != 0
  }
  setCarryOverflow(overflow ? 1 : 0, overflow ? 1 : 0)
}

function divideError(): bool {
  return raise(EXC_DE, 0, FAULT_DETAIL_DIVIDE)
}

function divide(divisor: u64, size: u32): bool {
  if (divisor == 0) return divideError()
  if (size == 8) {
    const high = load<u64>(cpu, CPU_RDX)
    if (high >= divisor) return divideError()
    const quotient = divide128(high, load<u64>(cpu, CPU_RAX), divisor)
    store<u64>(cpu, quotient, CPU_RAX)
    store<u64>(cpu, remainder128, CPU_RDX)
    return true
  }
  const dividend = wideDividend(size)
  const quotient = dividend / divisor
  if (quotient > maskOf(size)) return divideError()
  storeQuotient(size, quotient, dividend % divisor)
  return true
}

/** AX, DX:AX or EDX:EAX. */
function wideDividend(size: u32): u64 {
  if (size == 1) return load<u16>(cpu, CPU_RAX)
  if (size == 2) return (load<u16>(cpu, CPU_RAX) as u64) | ((load<u16>(cpu, CPU_RDX) as u64) << 16)
  return (load<u32>(cpu, CPU_RAX) as u64) | ((load<u32>(cpu, CPU_RDX) as u64) << 32)
}

function storeQuotient(size: u32, quotient: u64, rest: u64): void {
  if (size == 1) store<u16>(cpu, <u16>((quotient & 0xff) | (rest << 8)), CPU_RAX)
  else {
    storeRegister(cpu + CPU_RAX, size, quotient)
    storeRegister(cpu + CPU_RDX, size, rest)
  }
}

function divideSigned(raw: u64, size: u32): bool {
  if (raw == 0) return divideError()
  const divisor = signExtend(raw, size)
  if (size == 8) {
    let high = load<u64>(cpu, CPU_RDX)
    let low = load<u64>(cpu, CPU_RAX)
    const negative = high >> 63 != 0
    if (negative) {
      low = 0 - low
      high = ~high + (low == 0 ? 1 : 0)
    }
    const magnitude: u64 = divisor < 0 ? 0 - (divisor as u64) : (divisor as u64)
    if (high >= magnitude) return divideError()
    const quotient = divide128(high, low, magnitude)
    const flip = negative != (<u64>divisor >> 63 != 0)
    if (quotient > (flip ? 0x8000000000000000 : 0x7fffffffffffffff)) return divideError()
    store<u64>(cpu, flip ? 0 - quotient : quotient, CPU_RAX)
    store<u64>(cpu, negative ? 0 - remainder128 : remainder128, CPU_RDX)
    return true
  }
  const dividend = signExtend(wideDividend(size), size * 2)
  // The one quotient that overflows 64 bits cannot arise: the dividend has at most 64 bits and |divisor| = 1
  // with the smallest dividend is caught here.
  if (divisor == -1 && dividend == i64.MIN_VALUE) return divideError()
  const quotient = dividend / divisor
  if (quotient != signExtend(quotient as u64, size)) return divideError()
  storeQuotient(size, quotient as u64, <u64>(dividend % divisor))
  return true
}

// --- bits ----------------------------------------------------------------------------------------------------

/** BT, BTS, BTR, BTC. A register bit offset reaches beyond the memory operand (SDM 2 BT). */
function bitTest(ip: usize, size: u32, flags: u32): u32 {
  const kind = (flags >> 16) & 3
  const isImmediate = ((flags >> 18) & 1) != 0
  const bits = size * 8
  const raw = loadSized(load<u32>(ip, O_SRC), isImmediate ? 1 : size)
  const bit = raw & (bits - 1)
  let p: usize
  const mask = (1 as u64) << bit
  if (flags & SLOW_MEMORY) {
    const words: i64 = isImmediate ? 0 : signExtend(raw, size) >> (3 + ctz(size))
    const linear = linearAt(ip, words * size, size, kind != 0)
    if (flags & SLOW_LOCK) return lockedBit(linear, size, load<u8>(ip, O_SEGMENT), kind, mask)
    p =
      kind != 0
        ? accessWrite(linear, size, load<u8>(ip, O_SEGMENT), user(), true)
        : accessRead(linear, size, load<u8>(ip, O_SEGMENT), user())
    if (!p) return FAULTED
  } else p = load<u32>(ip, O_DST)
  const old = loadSized(p, size)
  if (kind != 0) {
    const r = toggle(old, kind, mask)
    if (flags & SLOW_MEMORY) storeSized(p, size, r)
    else storeRegister(p, size, r)
  }
  // Only CF is defined; the others keep their values (SDM 2 BT).
  setStatus((statusFlags() & ~FLAG_CF) | (old & mask ? FLAG_CF : 0))
  return kind != 0 && flags & SLOW_MEMORY ? finish(p) : DONE
}

/** What BTS 1, BTR 2 and BTC 3 make of `value`. */
export function toggle(value: u64, kind: u32, mask: u64): u64 {
  if (kind == 1) return value | mask
  return kind == 2 ? value & ~mask : value ^ mask
}

/** BSF, BSR: with a zero source the destination stays as it was (AMD APM 3; Intel calls it undefined and does the same). */
function bitScan(ip: usize, size: u32, flags: u32): u32 {
  const p: usize = flags & SLOW_MEMORY ? operandRead(ip, size) : load<u32>(ip, O_SRC)
  if (!p) return FAULTED
  const value = loadSized(p, size)
  const old = statusFlags() & ~FLAG_ZF
  if (value == 0) {
    setStatus(old | FLAG_ZF)
    return DONE
  }
  setStatus(old)
  const index: u64 = load<u32>(ip, O_AUX) == Slow.BSF ? ctz(value) : 63 - clz(value)
  storeRegister(load<u32>(ip, O_DST), size, index)
  return DONE
}

// --- flags ---------------------------------------------------------------------------------------------------

/** CLC 0, STC 1, CMC 2, CLD 3, STD 4, LAHF 5, SAHF 6, SALC 7. */
function flagInstruction(what: u32): void {
  flagsMaterialise()
  const flags = load<u32>(cpu, CPU_RFLAGS)
  switch (what) {
    case 0:
      store<u32>(cpu, flags & ~FLAG_CF, CPU_RFLAGS)
      return
    case 1:
      store<u32>(cpu, flags | FLAG_CF, CPU_RFLAGS)
      return
    case 2:
      store<u32>(cpu, flags ^ FLAG_CF, CPU_RFLAGS)
      return
    case 3:
      store<u32>(cpu, flags & ~FLAG_DF, CPU_RFLAGS)
      return
    case 4:
      store<u32>(cpu, flags | FLAG_DF, CPU_RFLAGS)
      return
    case 5:
      store<u8>(cpu, flags as u8, CPU_RAX + 1)
      return
    case 6: {
      const kept: u32 = FLAGS_STATUS & 0xff
      store<u32>(cpu, (flags & ~kept) | (load<u8>(cpu, CPU_RAX + 1) & kept), CPU_RFLAGS)
      return
    }
    default:
      store<u8>(cpu, flags & FLAG_CF ? 0xff : 0, CPU_RAX)
  }
}

// --- checks and stores ---------------------------------------------------------------------------------------

/** Of bounds of 32 bits Intel's processors read the upper one when the lower one holds. */
function bound(ip: usize, size: u32): u32 {
  const index = signExtend(loadSized(load<u32>(ip, O_SRC), size), size)
  let p = operandRead(ip, size)
  if (!p) return FAULTED
  // The upper bound is read only if the lower one holds (Intel's processors).
  let inside = index >= signExtend(loadSized(p, size), size)
  if (inside) {
    p = accessRead(linearAt(ip, size, size, false), size, load<u8>(ip, O_SEGMENT), user())
    if (!p) return FAULTED
    inside = index <= signExtend(loadSized(p, size), size)
  }
  if (inside) return DONE
  raise(EXC_BR, 0, FAULT_DETAIL_NONE, index as u64)
  return FAULTED
}

function adjustRpl(ip: usize, flags: u32): u32 {
  const rpl = load<u16>(load<u32>(ip, O_SRC)) & 3
  const memory = (flags & SLOW_MEMORY) != 0
  let p: usize = memory ? operandRead(ip, 2) : load<u32>(ip, O_DST)
  if (!p) return FAULTED
  const selector = load<u16>(p)
  const lower = (selector & 3) < rpl
  if (lower) {
    // The destination is written, and checked for it, only when it changes.
    if (memory) p = operandWrite(ip, 2, true)
    if (!p) return FAULTED
    store<u16>(p, (selector & 0xfffc) | rpl)
  }
  setStatus((statusFlags() & ~FLAG_ZF) | (lower ? FLAG_ZF : 0))
  return memory && lower ? finish(p) : DONE
}

/** MOV r/m, Sreg and PUSH Sreg (bit 31). */
function storeSegment(ip: usize, size: u32, flags: u32): u32 {
  const segment = (flags >> 16) & 7
  const selector = load<u16>(cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE, SEGMENT_SELECTOR) as u64
  if (flags & 0x80000000) return pushSelector(selector, size)
  if (!(flags & SLOW_MEMORY)) {
    storeRegister(load<u32>(ip, O_DST), size, selector)
    return DONE
  }
  const p = operandWrite(ip, 2, false)
  if (!p) return FAULTED
  store<u16>(p, selector as u16)
  return finish(p)
}

/** SGDT and SIDT: limit, then a 64-bit base in 64-bit mode, else 32 bits (SDM 2 SGDT). */
/** False, #GP(0) pending: CR4.UMIP keeps SGDT, SIDT, SLDT, SMSW and STR from CPL 1-3 (SDM 3A 2.5). */
function tablesReadable(): bool {
  if (load<u32>(cpu, CPU_CPL) == 0 || !(load<u64>(cpu, CPU_CR4) & CR4_UMIP)) return true
  return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

function storeTable(ip: usize, size: u32, idt: u32): u32 {
  if (!tablesReadable()) return FAULTED
  const p = operandWrite(ip, size + 2, false)
  if (!p) return FAULTED
  const base = idt ? load<u64>(cpu, CPU_IDTR_BASE) : load<u64>(cpu, CPU_GDTR_BASE)
  const limit = idt ? load<u32>(cpu, CPU_IDTR_LIMIT) : load<u32>(cpu, CPU_GDTR_LIMIT)
  store<u16>(p, limit as u16)
  storeSized(p + 2, size, base)
  return finish(p)
}

/** SLDT, STR, SMSW. */
function storeSystem(ip: usize, size: u32, flags: u32): u32 {
  if (!tablesReadable()) return FAULTED
  const what = (flags >> 16) & 15
  let value: u64
  if (what == 2) value = load<u64>(cpu, CPU_CR0)
  else {
    const segment: u32 = what == 0 ? SEG_LDTR : SEG_TR
    value = load<u16>(cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE, SEGMENT_SELECTOR) as u64
  }
  if (!(flags & SLOW_MEMORY)) {
    storeRegister(load<u32>(ip, O_DST), size, value)
    return DONE
  }
  const p = operandWrite(ip, 2, false)
  if (!p) return FAULTED
  store<u16>(p, value as u16)
  return finish(p)
}
