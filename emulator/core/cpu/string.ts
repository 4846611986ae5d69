// String instructions (SDM 1 7.3.9, SDM 2 REP). Every iteration is one retired instruction; an iteration that
// faults leaves the registers as the one before left them. Runs inside one page are done at a stroke.

import { lapicPending } from '../chipset/lapic'
import { accessCommit, accessRead, accessWrite } from '../memory/linear'
import { budget, setBudget } from '../machine/clock'
import {
  CPU_CPL,
  CPU_FAULT_RIP,
  CPU_RAX,
  CPU_RCX,
  CPU_RDI,
  CPU_RDX,
  CPU_LAZY,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSI,
  LAZY_NONE,
  SEG_ES,
} from '../layout'
import { linearOf, segmentLinear } from './address'
import { bounce, cpu, ram } from './context'
import { breakpointsEnabled, ioBreakpoints } from './debug'
import { FLAG_DF, FLAG_IF, LAZY_SUB, setLazy, zero } from './flags'
import { ioPermitted } from './io-permission'
import {
  STRING_CMPS,
  STRING_INS,
  STRING_LODS,
  STRING_MOVS,
  STRING_OUTS,
  STRING_SCAS,
  STRING_STOS,
} from './ops'
import { portIn, portOut } from './ports'
import { loadSized, storeRegister, storeSized } from './slow'
import { codeAt } from './trace'
import { ADDRESS_16, ADDRESS_64, ADDRESS_64_32, O_AUX2, O_KIND, O_SEGMENT } from './trace-format'

// The instruction being executed. Transient within one call.
let op: usize = 0
let kind: u32 = 0
let size: u32 = 0
let address: u32 = 0
let backward: bool = false

@inline
function user(): bool {
  return load<u32>(cpu, CPU_CPL) == 3
}

@inline
function cut(value: u64): u64 {
  return address == ADDRESS_64 ? value : address == ADDRESS_16 ? value & 0xffff : value & 0xffffffff
}

/** Writes an index or count register as wide as the address size. */
function setIndex(register: usize, value: u64): void {
  if (address == ADDRESS_16) store<u16>(register, value as u16)
  else store<u64>(register, cut(value))
}

@inline
function step(): u64 {
  return backward ? <u64>-(<i64>size) : (size as u64)
}

function advance(register: usize, iterations: u64): void {
  setIndex(register, load<u64>(register) + step() * iterations)
}

/** Linear address of ES:rDI; ES cannot be overridden. */
function destination(bytes: u32, write: bool): u64 {
  const offset = cut(load<u64>(cpu, CPU_RDI))
  if (address == ADDRESS_64 || address == ADDRESS_64_32) return offset
  return segmentLinear(SEG_ES, offset, bytes, write)
}

function readSource(): usize {
  return accessRead(linearOf(op, size, false), size, load<u8>(op, O_SEGMENT), user())
}

/**
 * Carries out the STRING record at `ip`. CPU_RIP is behind the instruction; it is put back to the instruction when
 * the slice ends first. False: a fault is pending. The slice's budget is charged for every iteration but one,
 * which the trace has been charged for.
 */
export function stringInstruction(ip: usize): bool {
  op = ip
  const fields = load<u32>(ip, O_AUX2)
  size = fields & 0xff
  kind = (fields >> 16) & 0xff
  const repeat = fields >> 24
  address = load<u8>(ip, O_KIND)
  backward = (load<u32>(cpu, CPU_RFLAGS) & FLAG_DF) != 0
  if (kind >= STRING_INS && !ioPermitted(load<u16>(cpu, CPU_RDX), size)) return false
  if (repeat == 0) return iterate()
  return repeated(repeat)
}

function repeated(repeat: u32): bool {
  let first = true
  const compares = kind == STRING_CMPS || kind == STRING_SCAS
  const flags = load<u64>(cpu, CPU_RFLAGS)
  while (true) {
    const count = cut(load<u64>(cpu, CPU_RCX))
    if (count == 0) return true
    // The first iteration is paid for.
    // A port may have taken more time than was left.
    const left: i64 = first ? budget() + 1 : budget()
    if (left <= 0) return suspend()
    let allowed = <u64>left
    if (count < allowed) allowed = count
    let done = bulk(allowed)
    if (done == 0) {
      if (!first) setBudget(budget() - 1)
      if (!iterate()) {
        // Charged by the caller as one instruction that did not happen.
        if (!first) setBudget(budget() + 1)
        // A fault finds the flags as they were before the instruction (SDM 2B REP).
        if (compares && !first) {
          store<u64>(cpu, flags, CPU_RFLAGS)
          store<u32>(cpu, LAZY_NONE, CPU_LAZY)
        }
        if (first) cutRegisters()
        return failed(first)
      }
      setIndex(cpu + CPU_RCX, load<u64>(cpu, CPU_RCX) - 1)
      done = 1
    } else {
      setIndex(cpu + CPU_RCX, load<u64>(cpu, CPU_RCX) - done)
      setBudget(budget() - <i64>(first ? done - 1 : done))
    }
    first = false
    if (cut(load<u64>(cpu, CPU_RCX)) == 0) return true
    if (compares && zero(cpu) != (repeat == 0xf3)) return true
    if (kind >= STRING_INS && lapicPending() && load<u32>(cpu, CPU_RFLAGS) & FLAG_IF) return suspend()
  }
}

/**
 * With 32-bit addresses in 64-bit mode a repetition that faults at once has cut its registers already; which of them is Intel's
 * choice, the others keep their upper halves until they move.
 */
function cutRegisters(): void {
  if (address != ADDRESS_64_32) return
  store<u64>(cpu, load<u32>(cpu, CPU_RCX) as u64, CPU_RCX)
  if (kind == STRING_MOVS) store<u64>(cpu, load<u32>(cpu, CPU_RSI) as u64, CPU_RSI)
  if (kind == STRING_MOVS || kind == STRING_STOS) store<u64>(cpu, load<u32>(cpu, CPU_RDI) as u64, CPU_RDI)
}

/** The fault's instruction is charged once by the trace; if iterations were done, that charge was the first of them. */
function failed(first: bool): bool {
  // The run loop gives one instruction back for the one that faulted. Iterations done keep their price.
  if (!first) setBudget(budget() - 1)
  return false
}

/** Leaves the instruction for the next slice. */
function suspend(): bool {
  store<u64>(cpu, load<u64>(cpu, CPU_FAULT_RIP), CPU_RIP)
  return true
}

/** One iteration without the count. */
function iterate(): bool {
  if (kind >= STRING_INS && breakpointsEnabled()) ioBreakpoints(load<u16>(cpu, CPU_RDX), size)
  switch (kind) {
    case STRING_MOVS: {
      const from = readSource()
      if (!from) return false
      const value = loadSized(from, size)
      if (!writeDestination(value)) return false
      advance(cpu + CPU_RSI, 1)
      advance(cpu + CPU_RDI, 1)
      return true
    }
    case STRING_STOS:
      if (!writeDestination(load<u64>(cpu, CPU_RAX))) return false
      advance(cpu + CPU_RDI, 1)
      return true
    case STRING_LODS: {
      const from = readSource()
      if (!from) return false
      storeRegister(cpu + CPU_RAX, size, loadSized(from, size))
      advance(cpu + CPU_RSI, 1)
      return true
    }
    case STRING_CMPS: {
      // Where both may not be read, Intel's processors tell of the destination.
      const to = accessRead(destination(size, false), size, SEG_ES, user())
      if (!to) return false
      const b = loadSized(to, size)
      const from = readSource()
      if (!from) return false
      compare(loadSized(from, size), b)
      advance(cpu + CPU_RSI, 1)
      advance(cpu + CPU_RDI, 1)
      return true
    }
    case STRING_SCAS: {
      const to = accessRead(destination(size, false), size, SEG_ES, user())
      if (!to) return false
      compare(loadSized(cpu + CPU_RAX, size), loadSized(to, size))
      advance(cpu + CPU_RDI, 1)
      return true
    }
    case STRING_INS: {
      // The destination is known to be writable before the port is read.
      const p = accessWrite(destination(size, true), size, SEG_ES, user(), false)
      if (!p) return false
      const value = portIn(load<u16>(cpu, CPU_RDX), size) as u64
      storeSized(p, size, value)
      if (p == bounce) accessCommit()
      advance(cpu + CPU_RDI, 1)
      return true
    }
    default: {
      const from = readSource()
      if (!from) return false
      portOut(load<u16>(cpu, CPU_RDX), size, loadSized(from, size) as u32)
      advance(cpu + CPU_RSI, 1)
      return true
    }
  }
}

function writeDestination(value: u64): bool {
  const p = accessWrite(destination(size, true), size, SEG_ES, user(), false)
  if (!p) return false
  storeSized(p, size, value)
  if (p == bounce) accessCommit()
  return true
}

function compare(a: u64, b: u64): void {
  const mask: u64 = size == 8 ? 0xffffffffffffffff : ((1 as u64) << (size * 8)) - 1
  setLazy(cpu, LAZY_SUB + ctz(size), a, (a - b) & mask)
}

/** Elements from `linear` to the end of its page. */
@inline
function room(linear: u64): u64 {
  return (4096 - (linear & 0xfff)) / size
}

/**
 * Does up to `most` iterations of MOVS or STOS within one page each; 0 when that cannot be done at a stroke (the
 * caller does one by one: direction, devices, code, page ends, limits, faults).
 */
function bulk(most: u64): u64 {
  if (backward || most < 2 || kind == STRING_OUTS || kind == STRING_INS) return 0
  if (kind != STRING_MOVS && kind != STRING_STOS) return 0
  const offset = cut(load<u64>(cpu, CPU_RDI))
  const to = destination(size, true)
  let n = most
  if (room(to) < n) n = room(to)
  let from: u64 = 0
  let sourceOffset: u64 = 0
  if (kind == STRING_MOVS) {
    from = linearOf(op, size, false)
    sourceOffset = cut(load<u64>(cpu, CPU_RSI))
    if (room(from) < n) n = room(from)
  }
  // Offsets must not wrap and segments not end within the run.
  const bytes = n * size
  if (n < 2 || cut(offset + bytes) < offset || cut(sourceOffset + bytes) < sourceOffset) return 0
  if (address != ADDRESS_64 && address != ADDRESS_64_32) {
    if (destination(bytes as u32, true) != to) return 0
    if (kind == STRING_MOVS && linearOf(op, bytes as u32, false) != from) return 0
  }
  let source: usize = 0
  if (kind == STRING_MOVS) {
    source = accessRead(from, size, load<u8>(op, O_SEGMENT), user())
    if (!source || source == bounce) return 0
  }
  const target = accessWrite(to, size, SEG_ES, user(), false)
  if (!target || target == bounce) return 0
  // The pointer was given for one element; decoded code further on must be seen being written.
  const phys = <u32>(target - ram)
  if (codeAt(phys >> 12, phys & 0xfff, bytes as u32)) return 0
  if (kind == STRING_MOVS) copy(target, source, bytes as usize)
  else fill(target, bytes as usize)
  if (kind == STRING_MOVS) advance(cpu + CPU_RSI, n)
  advance(cpu + CPU_RDI, n)
  return n
}

/** Element by element where the destination overtakes the source: that is a pattern fill, not a move. */
function copy(target: usize, source: usize, bytes: usize): void {
  if (target > source && target < source + bytes) {
    for (let i: usize = 0; i < bytes; i += size) storeSized(target + i, size, loadSized(source + i, size))
  } else memory.copy(target, source, bytes)
}

function fill(target: usize, bytes: usize): void {
  const value = load<u64>(cpu, CPU_RAX)
  if (size == 1) {
    memory.fill(target, value as u8, bytes)
    return
  }
  let pattern = value
  if (size == 2) pattern = (value & 0xffff) * 0x0001000100010001
  else if (size == 4) pattern = (value & 0xffffffff) * 0x0000000100000001
  const vector = i64x2.splat(pattern as i64)
  let i: usize = 0
  for (; i + 16 <= bytes; i += 16) v128.store(target + i, vector)
  for (; i < bytes; i += size) storeSized(target + i, size, value)
}
