// Locked instructions: one read and one write that no other CPU comes between (SDM 3A 8.1.2).
//
// An operand within eight aligned bytes is changed by one atomic operation, misaligned or not. One that is not (a split
// lock), and the sixteen bytes of CMPXCHG16B, for which WebAssembly has no atomic operation, are changed while this CPU has
// the guest to itself (machine/exclusive.ts): then no other access of any kind comes between, the aligned locked ones
// included. That takes microseconds; so does a split lock on a processor.

import { cpuCount } from '../machine/smp'
import { exclusiveBegin, exclusiveEnd } from '../machine/exclusive'
import { accessBounced, accessCrosses, accessBouncedFrame, accessCommit, accessWrite } from '../memory/linear'
import { frameWritten } from '../memory/physical'
import { tableWatched, tableWriteBegin, tableWriteEnd } from '../memory/tlb-log'
import { CPU_CPL, CPU_RAX, CPU_RBX, CPU_RCX, CPU_RDX, FAULT_DETAIL_NONE } from '../layout'
import { linearOf } from './address'
import { addWithCarry, subtractWithBorrow } from './arithmetic'
import { bounce, cpu } from './context'
import { faultPending, raise } from './fault'
import {
  FLAG_CF,
  FLAG_ZF,
  keepCarry,
  LAZY_ADD,
  LAZY_DEC,
  LAZY_INC,
  LAZY_LOGIC,
  LAZY_SUB,
  setLazy,
  setStatus,
  statusFlags,
} from './flags'
import { SLOW_LOCK, SLOW_MEMORY } from './ops'
import { loadSized, maskOf, operandWrite, storeRegister, storeSized, toggle } from './slow'
import { O_DST, O_SEGMENT, O_SRC } from './trace-format'
import { EXC_GP } from './vectors'

const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

// Of the access between lockBegin() and lockEnd(). Transient.
let alone: bool = false
let coded: u32 = 0
/** It is of a page table that is being watched. */
let noted: bool = false

/**
 * Where the `size` bytes at `linear` are read and written, by swap() or under lockBegin's exclusion; lockEnd() has to follow.
 * 0: a fault is pending and nothing has changed.
 */
function lockBegin(linear: u64, size: u32, segment: u32): usize {
  alone = false
  coded = 0
  let p = place(linear, size, segment)
  const watched = p != 0 && coded != 0 && tableWatched(<u32>(accessBouncedFrame() >> 12))
  // A device is no memory others could change.
  const split = cpuCount() > 1 && p != 0 && splits(p, size) && (p != bounce || accessCrosses())
  if (!watched && !split) return p
  alone = true
  exclusiveBegin()
  // The page tables, and what is known of the frame, may have changed while this CPU stood aside.
  p = place(linear, size, segment)
  if (!p) {
    exclusiveEnd()
    alone = false
  } else if (watched && coded) {
    noted = true
    tableWriteBegin(accessBouncedFrame(), size)
  }
  return p
}

/** In RAM, also where there is decoded code; the bounce buffer for devices and for an operand in two pages. */
function place(linear: u64, size: u32, segment: u32): usize {
  const p = accessWrite(linear, size, segment, load<u32>(cpu, CPU_CPL) == 3, true)
  if (p != bounce) return p
  const direct = accessBounced()
  coded = direct ? size : 0
  return direct ? direct : p
}

/** Whether the operand is more than one atomic operation can change. */
function splits(p: usize, size: u32): bool {
  return (<u32>p & 7) + size > 8 || p == bounce
}

function lockEnd(p: usize): u32 {
  let result = DONE
  if (p == bounce) {
    accessCommit()
    result = COMMITTED
  } else if (coded) {
    if (noted) tableWriteEnd()
    noted = false
    frameWritten(accessBouncedFrame(), coded)
    result = COMMITTED
  }
  if (alone) exclusiveEnd()
  alone = false
  return result
}

/** Replaces `expected` by `value`, false when it is no longer there. */
function swap(p: usize, size: u32, expected: u64, value: u64): bool {
  if ((p & (size - 1)) == 0) {
    if (size == 1) return atomic.cmpxchg<u8>(p, expected as u8, value as u8) == (expected as u8)
    if (size == 2) return atomic.cmpxchg<u16>(p, expected as u16, value as u16) == (expected as u16)
    if (size == 4) return atomic.cmpxchg<u32>(p, expected as u32, value as u32) == (expected as u32)
    return atomic.cmpxchg<u64>(p, expected, value) == expected
  }
  if (splits(p, size)) {
    if (loadSized(p, size) != expected) return false
    storeSized(p, size, value)
    return true
  }
  const around = p & ~(7 as usize)
  const shift: u64 = (p & 7) << 3
  const mask = maskOf(size) << shift
  while (true) {
    const old = atomic.load<u64>(around)
    if ((old & mask) >> shift != expected) return false
    if (atomic.cmpxchg<u64>(around, old, (old & ~mask) | (value << shift)) == old) return true
  }
}

/** XCHG of memory with the register at `src`, where the executor could not do it at a stroke. */
export function exchange(linear: u64, size: u32, segment: u32, src: usize): u32 {
  const p = lockBegin(linear, size, segment)
  if (!p) return FAULTED
  const value = loadSized(src, size)
  let old: u64
  do {
    old = loadSized(p, size)
  } while (!swap(p, size, old, value))
  storeRegister(src, size, old)
  return lockEnd(p)
}

/** LOCK BTS 1, BTR 2, BTC 3 of the bit in `mask`. Only CF is defined; the others keep their values (SDM 2 BT). */
export function lockedBit(linear: u64, size: u32, segment: u32, kind: u32, mask: u64): u32 {
  const p = lockBegin(linear, size, segment)
  if (!p) return FAULTED
  let old: u64
  do {
    old = loadSized(p, size)
  } while (!swap(p, size, old, toggle(old, kind, mask)))
  setStatus((statusFlags() & ~FLAG_CF) | (old & mask ? FLAG_CF : 0))
  return lockEnd(p)
}

function compareFlags(a: u64, b: u64, size: u32): void {
  setLazy(cpu, LAZY_SUB + ctz(size), a, (a - b) & maskOf(size))
}

/** CMPXCHG writes its destination in any case: the old value when the comparison fails (SDM 2). */
export function compareExchange(ip: usize, size: u32, flags: u32): u32 {
  const accumulator = loadSized(cpu + CPU_RAX, size)
  const value = loadSized(load<u32>(ip, O_SRC), size)
  if (!(flags & SLOW_MEMORY)) {
    const dst: usize = load<u32>(ip, O_DST)
    const old = loadSized(dst, size)
    compareFlags(accumulator, old, size)
    if (old == accumulator) storeRegister(dst, size, value)
    // The accumulator is written, and with it its upper half, only when the comparison fails.
    else storeRegister(cpu + CPU_RAX, size, old)
    return DONE
  }
  let old: u64
  let result: u32
  if (flags & SLOW_LOCK) {
    const p = lockBegin(linearOf(ip, size, true), size, load<u8>(ip, O_SEGMENT))
    if (!p) return FAULTED
    while (true) {
      old = loadSized(p, size)
      if (old != accumulator || swap(p, size, old, value)) break
    }
    result = lockEnd(p)
  } else {
    const p = operandWrite(ip, size, true)
    if (!p) return FAULTED
    old = loadSized(p, size)
    if (old == accumulator) storeSized(p, size, value)
    result = plainEnd(p)
  }
  compareFlags(accumulator, old, size)
  if (old != accumulator) storeRegister(cpu + CPU_RAX, size, old)
  return result
}

function plainEnd(p: usize): u32 {
  if (p != bounce) return DONE
  accessCommit()
  return COMMITTED
}

/** CMPXCHG8B, CMPXCHG16B. */
export function compareExchangePair(ip: usize, size: u32, flags: u32): u32 {
  const half = size >> 1
  const linear = linearOf(ip, size, true)
  if (size == 16 && linear & 15 && !faultPending()) {
    raise(EXC_GP, 0, FAULT_DETAIL_NONE, linear)
    return FAULTED
  }
  const segment = load<u8>(ip, O_SEGMENT)
  const isLocked = (flags & SLOW_LOCK) != 0
  const p: usize = isLocked
    ? lockBegin(linear, size, segment)
    : accessWrite(linear, size, segment, load<u32>(cpu, CPU_CPL) == 3, true)
  if (!p) return FAULTED
  const status = statusFlags()
  const expectedLow = loadSized(cpu + CPU_RAX, half)
  const expectedHigh = loadSized(cpu + CPU_RDX, half)
  const newLow = loadSized(cpu + CPU_RBX, half)
  const newHigh = loadSized(cpu + CPU_RCX, half)
  let low: u64
  let high: u64
  while (true) {
    if (size == 8) {
      const pair = load<u64>(p)
      low = pair & 0xffffffff
      high = pair >> 32
    } else {
      low = load<u64>(p)
      high = load<u64>(p, 8)
    }
    if (low != expectedLow || high != expectedHigh) break
    if (size == 8) {
      const value = newLow | (newHigh << 32)
      if (isLocked) {
        if (!swap(p, 8, low | (high << 32), value)) continue
      } else store<u64>(p, value)
    } else {
      store<u64>(p, newLow)
      store<u64>(p, newHigh, 8)
    }
    break
  }
  const result = isLocked ? lockEnd(p) : plainEnd(p)
  if (low == expectedLow && high == expectedHigh) {
    setStatus(status | FLAG_ZF)
  } else {
    storeRegister(cpu + CPU_RAX, half, low)
    storeRegister(cpu + CPU_RDX, half, high)
    setStatus(status & ~FLAG_ZF)
  }
  return result
}

export function exchangeAdd(ip: usize, size: u32, flags: u32): u32 {
  const src: usize = load<u32>(ip, O_SRC)
  const value = loadSized(src, size)
  const mask = maskOf(size)
  let old: u64
  let result = DONE
  if (!(flags & SLOW_MEMORY)) {
    const dst: usize = load<u32>(ip, O_DST)
    old = loadSized(dst, size)
    storeRegister(src, size, old)
    storeRegister(dst, size, (old + value) & mask)
    setLazy(cpu, LAZY_ADD + ctz(size), old, (old + value) & mask)
    return DONE
  }
  if (flags & SLOW_LOCK) {
    const p = lockBegin(linearOf(ip, size, true), size, load<u8>(ip, O_SEGMENT))
    if (!p) return FAULTED
    do {
      old = loadSized(p, size)
    } while (!swap(p, size, old, (old + value) & mask))
    result = lockEnd(p)
  } else {
    const p = operandWrite(ip, size, true)
    if (!p) return FAULTED
    old = loadSized(p, size)
    storeSized(p, size, (old + value) & mask)
    result = plainEnd(p)
  }
  setLazy(cpu, LAZY_ADD + ctz(size), old, (old + value) & mask)
  storeRegister(src, size, old)
  return result
}

/** LOCK with ADD OR ADC SBB AND SUB XOR (0-6), INC 8, DEC 9, NOT 10, NEG 11. */
export function locked(ip: usize, size: u32, kind: u32): u32 {
  const p = lockBegin(linearOf(ip, size, true), size, load<u8>(ip, O_SEGMENT))
  if (!p) return FAULTED
  const b: u64 = kind < 8 ? loadSized(load<u32>(ip, O_SRC), size) : 0
  const mask = maskOf(size)
  const before = statusFlags()
  const cf: u64 = before & FLAG_CF
  let old: u64
  let r: u64
  do {
    old = loadSized(p, size)
    switch (kind) {
      case 0:
        r = old + b
        break
      case 1:
        r = old | b
        break
      case 2:
        r = old + b + cf
        break
      case 3:
        r = old - b - cf
        break
      case 4:
        r = old & b
        break
      case 5:
        r = old - b
        break
      case 6:
        r = old ^ b
        break
      case 8:
        r = old + 1
        break
      case 9:
        r = old - 1
        break
      case 10:
        r = ~old
        break
      default:
        r = 0 - old
    }
    r &= mask
  } while (!swap(p, size, old, r))
  const log = ctz(size)
  switch (kind) {
    case 0:
      setLazy(cpu, LAZY_ADD + log, old, r)
      break
    case 2:
      carried(old, b, size, true)
      break
    case 3:
      carried(old, b, size, false)
      break
    case 5:
      setLazy(cpu, LAZY_SUB + log, old, r)
      break
    case 8:
      keepCarry(cpu)
      setLazy(cpu, LAZY_INC + log, 0, r)
      break
    case 9:
      keepCarry(cpu)
      setLazy(cpu, LAZY_DEC + log, 0, r)
      break
    case 10:
      break
    case 11:
      setLazy(cpu, LAZY_SUB + log, 0, r)
      break
    default:
      setLazy(cpu, LAZY_LOGIC + log, 0, r)
  }
  return lockEnd(p)
}

/** Flags of ADC and SBB, whose result is already stored. */
function carried(a: u64, b: u64, size: u32, add: bool): void {
  if (size == 1) add ? addWithCarry<u8>(a as u8, b as u8) : subtractWithBorrow<u8>(a as u8, b as u8)
  else if (size == 2)
    add ? addWithCarry<u16>(a as u16, b as u16) : subtractWithBorrow<u16>(a as u16, b as u16)
  else if (size == 4)
    add ? addWithCarry<u32>(a as u32, b as u32) : subtractWithBorrow<u32>(a as u32, b as u32)
  else add ? addWithCarry<u64>(a, b) : subtractWithBorrow<u64>(a, b)
}
