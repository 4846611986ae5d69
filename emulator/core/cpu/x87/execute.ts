// Carries out one Op.X87 record. Every instruction follows the same order (SDM 1 8.6, 8.7; 3A table 6-2): #NM, a pending
// error, faults of the memory operand, stack faults, what the operands raise, the result, what the result raises.

import { tlbContext } from '../../memory/tlb'
import { accessCommit, accessRead, accessWrite } from '../../memory/linear'
import {
  CPU_CPL,
  CPU_CR0,
  FAST_ADDEND,
  FAST_ENTRY_SIZE,
  FAST_READ,
  FAST_WRITE,
  TLB_COUNT,
} from '../../layout'
import { linearOf } from '../address'
import { bounce, cpu, fastTlb } from '../context'
import { FLAG_CF, FLAG_ZF, setStatus, statusFlags } from '../flags'
import { O_AUX, O_AUX2, O_DST, O_SEGMENT } from '../trace-format'
import {
  arithmetic,
  narrowDenormal,
  normal,
  result,
  resultSe,
  setNarrowDenormal,
  setResult,
  squareRoot,
} from './arithmetic'
import {
  bcdHigh,
  compare,
  examine,
  extract,
  extracted,
  extractedSe,
  fromBcd,
  narrow,
  NO_QUOTIENT,
  remainder,
  roundToInteger,
  scale,
  toBcd,
  toInteger,
  widenDouble,
  widenInteger,
  widenSingle,
} from './convert'
import {
  fxRestore,
  fxSave,
  initialise,
  loadEnvironment,
  restoreState,
  saveState,
  setControl,
  storeEnvironment,
} from './environment'
import {
  X87,
  X87_BCD,
  X87_F32,
  X87_F64,
  X87_F80,
  X87_FORMAT_SHIFT,
  X87_I16,
  X87_I32,
  X87_I64,
  X87_KIND_SHIFT,
  X87_POP,
  X87_POP_TWICE,
  X87_QUIET,
  X87_SILENT,
  X87_TO_STI,
  X87_TRUNCATE,
} from './ops'
import {
  available,
  C0,
  C1,
  C2,
  C3,
  COMMITTED,
  control,
  DONE,
  ES,
  exceptions,
  exponent,
  FAULTED,
  FCW,
  FSW,
  FTW,
  IE,
  INDEFINITE,
  instructionPointer,
  INTEGER_BIT,
  inUse,
  note,
  noteOnly,
  OE,
  PE,
  pendingError,
  pop,
  push,
  QUIET,
  setRegister,
  setTop,
  SF,
  settle,
  significand,
  st,
  stackFault,
  stopped,
  summarise,
  top,
  UE,
  waitAvailable,
  write,
} from './state'
import {
  arcTangent,
  cosine,
  exponential,
  logarithm,
  logarithmPlusOne,
  secondResult,
  secondResultSe,
  sine,
  sineCosine,
  tangent,
} from './transcendental'

const CR0_EM_TS: u32 = 12
const CONDITIONS: u32 = C0 | C2 | C3
const PAGE: u64 = ~(0xfff as u64)
const INDEX_MASK: usize = (TLB_COUNT - 1) * FAST_ENTRY_SIZE

// --- memory operands ---------------------------------------------------------------------------------------------

@inline
function readPointer(ip: usize, size: u32): usize {
  const linear = linearOf(ip, size, false)
  const entry = fastTlb + (<usize>(linear >> 7) & INDEX_MASK)
  if (load<u64>(entry, FAST_READ) == (((linear + (size - 1)) & PAGE) | tlbContext)) {
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  }
  return accessRead(linear, size, load<u8>(ip, O_SEGMENT), load<u32>(cpu, CPU_CPL) == 3)
}

@inline
function writePointer(ip: usize, size: u32): usize {
  const linear = linearOf(ip, size, true)
  const entry = fastTlb + (<usize>(linear >> 7) & INDEX_MASK)
  if (load<u64>(entry, FAST_WRITE) == (((linear + (size - 1)) & PAGE) | tlbContext)) {
    return <usize>linear + load<u32>(entry, FAST_ADDEND)
  }
  return accessWrite(linear, size, load<u8>(ip, O_SEGMENT), load<u32>(cpu, CPU_CPL) == 3, false)
}

@inline
function finish(p: usize): u32 {
  if (p != bounce) return DONE
  accessCommit()
  return COMMITTED
}

function sizeOf(format: u32): u32 {
  if (format == X87_F64 || format == X87_I64) return 8
  if (format == X87_F32 || format == X87_I32) return 4
  return format == X87_I16 ? 2 : 10
}

/** The memory operand as an extended value in result, resultSe; false with a fault pending. */
@inline
function fetch(ip: usize, format: u32): bool {
  if (format == X87_F64) {
    const p = readPointer(ip, 8)
    if (!p) return false
    widenDouble(load<u64>(p))
    return true
  }
  return fetchOther(ip, format)
}

function fetchOther(ip: usize, format: u32): bool {
  const p = readPointer(ip, sizeOf(format))
  if (!p) return false
  if (format == X87_F32) widenSingle(load<u32>(p))
  else if (format == X87_I16) widenInteger(load<i16>(p))
  else if (format == X87_I32) widenInteger(load<i32>(p))
  else if (format == X87_I64) widenInteger(load<i64>(p))
  else if (format == X87_F80) setResult(load<u16>(p, 8), load<u64>(p))
  else fromBcd(load<u64>(p), load<u16>(p, 8))
  return true
}

// --- the instructions --------------------------------------------------------------------------------------------

/** Carries out the record at `ip` of the trace at `rip`: DONE, FAULTED, COMMITTED or FROZEN. */
export function x87(ip: usize, rip: u64): u32 {
  const what = load<u32>(ip, O_AUX)
  if (what >= <u32>X87.LDCW) return controlInstruction(ip, what)
  if ((load<u32>(cpu, CPU_CR0) & CR0_EM_TS) | (load<u8>(cpu, FSW) & ES)) {
    if (!available()) return FAULTED
    const status = pendingError()
    if (status) return status
  }
  const flags = load<u32>(ip, O_AUX2)
  noteOnly(0)
  switch (what) {
    case X87.ARITH: {
      const i = flags & 7
      const t = top()
      const n = (t + i) & 7
      const used = load<u8>(cpu, FTW) as u32
      const a = cpu + (t << 4)
      const b = cpu + (n << 4)
      const target = flags & X87_TO_STI ? b : a
      if (!((used >> t) & (used >> n) & 1)) {
        stackFault(false)
        if (!stopped()) {
          write(flags & X87_TO_STI ? i : 0, INDEFINITE, QUIET)
          if (flags & X87_POP) pop()
        }
      } else {
        arithmetic((flags >> X87_KIND_SHIFT) & 7, exponent(a), significand(a), exponent(b), significand(b))
        if (!stopped()) {
          setRegister(target, resultSe, result)
          if (flags & X87_POP) pop()
        }
      }
      break
    }
    case X87.ARITH_M: {
      if (!fetch(ip, (flags >> X87_FORMAT_SHIFT) & 7)) return FAULTED
      const a = st(0)
      if (!inUse(0)) {
        setNarrowDenormal(false)
        stackFault(false)
        if (!stopped()) write(0, INDEFINITE, QUIET)
      } else {
        arithmetic((flags >> X87_KIND_SHIFT) & 7, exponent(a), significand(a), resultSe, result)
        if (!stopped()) setRegister(a, resultSe, result)
      }
      break
    }
    case X87.LD: {
      const r = st(flags & 7)
      if (!inUse(flags & 7)) stackFault(false)
      else if (inUse(7)) stackFault(true)
      else {
        push(exponent(r), significand(r))
        break
      }
      if (!stopped()) push(INDEFINITE, QUIET)
      break
    }
    case X87.LD_M: {
      const format = (flags >> X87_FORMAT_SHIFT) & 7
      if (!fetch(ip, format)) return FAULTED
      if (inUse(7)) {
        setNarrowDenormal(false)
        stackFault(true)
        if (!stopped()) push(INDEFINITE, QUIET)
        break
      }
      if (format < 2 && !normal(resultSe, result)) loadSpecial()
      else if (narrowDenormal) loadSpecial()
      // An unmasked denormal is loaded all the same.
      if (!(exceptions & ~control() & IE)) push(resultSe, result)
      break
    }
    case X87.ST: {
      const a = st(0)
      // D9 D8+i pops an empty register without a word.
      if (flags & X87_SILENT && !inUse(0)) {
        pop()
        break
      }
      if (inUse(0)) write(flags & 7, exponent(a), significand(a))
      else {
        stackFault(false)
        if (!stopped()) write(flags & 7, INDEFINITE, QUIET)
      }
      if (flags & X87_POP && !stopped()) pop()
      break
    }
    case X87.ST_M:
      return storeMemory(ip, rip, flags)
    case X87.XCH: {
      const i = flags & 7
      const t = top()
      const n = (t + i) & 7
      const used = load<u8>(cpu, FTW) as u32
      const a = cpu + (t << 4)
      const b = cpu + (n << 4)
      if (!((used >> t) & (used >> n) & 1)) {
        stackFault(false)
        if (stopped()) break
        if (!inUse(0)) write(0, INDEFINITE, QUIET)
        if (!inUse(i)) write(i, INDEFINITE, QUIET)
      }
      const se = exponent(a)
      const sig = significand(a)
      setRegister(a, exponent(b), significand(b))
      setRegister(b, se, sig)
      break
    }
    case X87.CHS:
    case X87.ABS: {
      const a = st(0)
      if (!inUse(0)) {
        stackFault(false)
        if (!stopped()) write(0, INDEFINITE, QUIET)
      } else {
        const se = exponent(a)
        setRegister(a, what == <u32>X87.CHS ? se ^ 0x8000 : se & 0x7fff, significand(a))
      }
      break
    }
    case X87.COM: {
      const a = st(0)
      const b = st(flags & 7)
      let codes: u32 = CONDITIONS
      if (!inUse(0) || !inUse(flags & 7)) stackFault(false)
      else
        codes = compare(
          exponent(a),
          significand(a),
          exponent(b),
          significand(b),
          false,
          (flags & X87_QUIET) != 0,
        )
      compared(codes, flags)
      break
    }
    case X87.COM_M: {
      if (!fetch(ip, (flags >> X87_FORMAT_SHIFT) & 7)) return FAULTED
      const a = st(0)
      let codes: u32 = CONDITIONS
      if (!inUse(0)) stackFault(false)
      else codes = compare(exponent(a), significand(a), resultSe, result, narrowDenormal, false)
      setNarrowDenormal(false)
      compared(codes, flags)
      break
    }
    case X87.COMI: {
      const a = st(0)
      const b = st(flags & 7)
      let codes: u32 = CONDITIONS
      if (!inUse(0) || !inUse(flags & 7)) stackFault(false)
      else
        codes = compare(
          exponent(a),
          significand(a),
          exponent(b),
          significand(b),
          false,
          (flags & X87_QUIET) != 0,
        )
      // C3, C2, C0 to ZF, PF, CF; the others are cleared (SDM 2A FCOMI).
      setStatus((codes & C3 ? FLAG_ZF : 0) | (codes & C2 ? 4 : 0) | (codes & C0 ? FLAG_CF : 0))
      if (flags & X87_POP && !stopped()) pop()
      keepC1()
      break
    }
    case X87.TST: {
      const a = st(0)
      let codes: u32 = CONDITIONS
      if (!inUse(0)) stackFault(false)
      else codes = compare(exponent(a), significand(a), 0, 0, false, false)
      compared(codes, 0)
      break
    }
    case X87.XAM: {
      const a = st(0)
      setConditions(inUse(0) ? examine(exponent(a), significand(a)) : C3 | C0)
      if (exponent(a) & 0x8000) note(C1)
      break
    }
    case X87.CONSTANT:
      if (inUse(7)) {
        stackFault(true)
        if (!stopped()) push(INDEFINITE, QUIET)
      } else {
        constant((flags >> X87_KIND_SHIFT) & 7)
        push(resultSe, result)
      }
      break
    case X87.CMOV: {
      const i = flags & 7
      if (!inUse(0) || !inUse(i)) {
        stackFault(false)
        if (!stopped()) write(0, INDEFINITE, QUIET)
      } else if (holds((flags >> X87_KIND_SHIFT) & 7)) {
        const b = st(i)
        setRegister(st(0), exponent(b), significand(b))
      }
      keepC1()
      break
    }
    case X87.FREE: {
      const n = (top() + (flags & 7)) & 7
      store<u8>(cpu, (<u32>load<u8>(cpu, FTW) & ~((1 as u32) << n)) as u8, FTW)
      if (flags & X87_POP) pop()
      break
    }
    case X87.INCSTP:
      setTop(top() + 1)
      break
    case X87.DECSTP:
      setTop(top() - 1)
      break
    case X87.NOP:
      instructionPointer(ip, rip)
      return DONE
    case X87.SQRT:
    case X87.RNDINT:
    case X87.F2XM1: {
      const a = st(0)
      if (!inUse(0)) {
        stackFault(false)
        if (!stopped()) write(0, INDEFINITE, QUIET)
        break
      }
      if (what == <u32>X87.SQRT) squareRoot(exponent(a), significand(a))
      else if (what == <u32>X87.RNDINT) roundToInteger(exponent(a), significand(a))
      else exponential(exponent(a), significand(a))
      if (!stopped()) setRegister(a, resultSe, result)
      break
    }
    default:
      twoOperands(what, flags)
  }
  instructionPointer(ip, rip)
  settle(ip)
  return DONE
}

/** A single or double precision operand that is NaN, infinite, zero or was denormal. */
function loadSpecial(): void {
  if (narrowDenormal) {
    setNarrowDenormal(false)
    note(2)
  } else if ((resultSe & 0x7fff) == 0x7fff && result << 1 && !(result & 0x4000000000000000)) {
    note(IE)
    setResult(resultSe, result | QUIET)
  }
}

/** FCOMI and FCMOV touch C1 only with a stack fault. */
function keepC1(): void {
  if (!(exceptions & SF)) note(load<u16>(cpu, FSW) & C1)
}

@inline
function setConditions(codes: u32): void {
  store<u16>(cpu, (load<u16>(cpu, FSW) & ~CONDITIONS) | codes, FSW)
}

/** After a comparison: condition codes, and pops unless an unmasked exception keeps them away. */
function compared(codes: u32, flags: u32): void {
  setConditions(codes)
  if (stopped()) return
  if (flags & X87_POP) pop()
  if (flags & X87_POP_TWICE) pop()
}

function holds(condition: u32): bool {
  const rflags = statusFlags()
  let met: bool
  if ((condition & 3) == 0) met = (rflags & FLAG_CF) != 0
  else if ((condition & 3) == 1) met = (rflags & FLAG_ZF) != 0
  else if ((condition & 3) == 2) met = (rflags & (FLAG_CF | FLAG_ZF)) != 0
  else met = (rflags & 4) != 0
  return condition & 4 ? !met : met
}

/** 1, log2 10, log2 e, pi, log10 2, ln 2 rounded as RC says (SDM 1 8.3.4), and 0. */
function constant(which: u32): void {
  const mode = (control() >> 10) & 3
  const up: u64 = mode == 2 ? 1 : 0
  const down: u64 = mode == 1 || mode == 3 ? 1 : 0
  switch (which) {
    case 0:
      setResult(0x3fff, INTEGER_BIT)
      return
    case 1:
      setResult(0x4000, 0xd49a784bcd1b8afe + up)
      return
    case 2:
      setResult(0x3fff, 0xb8aa3b295c17f0bc - down)
      return
    case 3:
      setResult(0x4000, 0xc90fdaa22168c235 - down)
      return
    case 4:
      setResult(0x3ffd, 0x9a209a84fbcff799 - down)
      return
    case 5:
      setResult(0x3ffe, 0xb17217f7d1cf79ac - down)
      return
    default:
      setResult(0, 0)
      return
  }
}

function storeMemory(ip: usize, rip: u64, flags: u32): u32 {
  const format = (flags >> X87_FORMAT_SHIFT) & 7
  const size = sizeOf(format)
  const a = st(0)
  const empty = !inUse(0)
  let se = exponent(a)
  let sig = significand(a)
  if (empty) {
    stackFault(false)
    se = INDEFINITE
    sig = QUIET
  }
  let low: u64
  let high: u32 = 0
  if (format == X87_F64) {
    const e = se & 0x7fff
    // Rounded to nearest, well inside the range: the common case.
    if (<i64>sig < 0 && e - 0x3c01 < 0x7fd && (control() & 0xc00) == 0) {
      const kept = sig >> 11
      const rest = <u32>sig & 0x7ff
      low = ((<u64>(se & 0x8000)) << 48) | ((<u64>(e - 0x3c00)) << 52) | (kept & 0xfffffffffffff)
      if (rest) {
        const up = rest > 0x400 ? 1 : rest == 0x400 ? <u32>kept & 1 : 0
        low += up
        note(PE | (up << 9))
      }
    } else low = narrow(se, sig, true)
  } else if (format == X87_F32) low = narrow(se, sig, false)
  else if (format == X87_F80) {
    low = sig
    high = se
  } else if (format == X87_BCD) {
    low = toBcd(se, sig)
    high = bcdHigh
  } else low = toInteger(se, sig, size, flags & X87_TRUNCATE ? 3 : (control() >> 10) & 3)
  // With a memory destination unmasked overflow and underflow leave it alone as well (SDM 1 8.5.4); it is not even
  // accessed then.
  if (exceptions & ~control() & (IE | OE | UE)) {
    instructionPointer(ip, rip)
    settle(ip)
    return DONE
  }
  const p = writePointer(ip, size)
  if (!p) return FAULTED
  instructionPointer(ip, rip)
  if (size == 8) store<u64>(p, low)
  else if (size == 4) store<u32>(p, low as u32)
  else if (size == 2) store<u16>(p, low as u16)
  else {
    store<u64>(p, low)
    store<u16>(p, high as u16, 8)
  }
  if (flags & X87_POP) pop()
  settle(ip)
  return finish(p)
}

/** Instructions with ST(0) and ST(1), and those that push. */
function twoOperands(what: u32, flags: u32): void {
  const second = ((flags >> X87_KIND_SHIFT) & 1) != 0
  const a = st(0)
  switch (what) {
    case X87.PREM:
    case X87.SCALE:
    case X87.YL2X:
    case X87.PATAN: {
      const b = st(1)
      const pops = what == <u32>X87.YL2X || what == <u32>X87.PATAN
      if (!inUse(0) || !inUse(1)) {
        stackFault(false)
        if (what == <u32>X87.PREM) outOfRange(false)
        if (!stopped()) {
          write(pops ? 1 : 0, INDEFINITE, QUIET)
          if (pops) pop()
        }
        return
      }
      if (what == <u32>X87.PREM) {
        const codes = remainder(exponent(a), significand(a), exponent(b), significand(b), second)
        if (codes == NO_QUOTIENT) outOfRange(false)
        else {
          setConditions(codes & CONDITIONS)
          note(codes & C1)
        }
      } else if (what == <u32>X87.SCALE) scale(exponent(a), significand(a), exponent(b), significand(b))
      else if (what == <u32>X87.PATAN) arcTangent(exponent(b), significand(b), exponent(a), significand(a))
      else if (second) logarithmPlusOne(exponent(a), significand(a), exponent(b), significand(b))
      else logarithm(exponent(a), significand(a), exponent(b), significand(b))
      if (stopped()) return
      setRegister(pops ? b : a, resultSe, result)
      if (pops) pop()
      return
    }
    case X87.SIN: {
      if (!inUse(0)) {
        stackFault(false)
        outOfRange(false)
        if (!stopped()) write(0, INDEFINITE, QUIET)
        return
      }
      const done = second ? cosine(exponent(a), significand(a)) : sine(exponent(a), significand(a))
      outOfRange(!done)
      if (done && !stopped()) setRegister(a, resultSe, result)
      return
    }
    default: {
      // FXTRACT, FPTAN, FSINCOS: replace ST(0) and push.
      if (!inUse(0) || inUse(7)) {
        stackFault(inUse(0))
        if (what != <u32>X87.XTRACT) outOfRange(false)
        if (stopped()) return
        write(0, INDEFINITE, QUIET)
        push(INDEFINITE, QUIET)
        return
      }
      if (what == <u32>X87.XTRACT) {
        extract(exponent(a), significand(a))
        if (stopped()) return
        setRegister(a, resultSe, result)
        push(extractedSe, extracted)
        return
      }
      const done =
        what == <u32>X87.PTAN ? tangent(exponent(a), significand(a)) : sineCosine(exponent(a), significand(a))
      outOfRange(!done)
      if (!done || stopped()) return
      setRegister(a, resultSe, result)
      push(secondResultSe, secondResult)
    }
  }
}

/** C2 of the trigonometric instructions. */
function outOfRange(yes: bool): void {
  store<u16>(cpu, (load<u16>(cpu, FSW) & ~C2) | (yes ? C2 : 0), FSW)
}

// --- control instructions ----------------------------------------------------------------------------------------

function controlInstruction(ip: usize, what: u32): u32 {
  if (what >= <u32>X87.FXSAVE) {
    return what == <u32>X87.FXSAVE ? fxSave(ip) : fxRestore(ip)
  }
  if (what == <u32>X87.WAIT) return waitAvailable() ? pendingError() : FAULTED
  if (!available()) return FAULTED
  if (what < <u32>X87.WAIT) {
    const status = pendingError()
    if (status) return status
  }
  switch (what) {
    case X87.LDCW: {
      const p = readPointer(ip, 2)
      if (!p) return FAULTED
      setControl(load<u16>(p))
      summarise()
      return DONE
    }
    case X87.LDENV:
      return loadEnvironment(ip)
    case X87.RSTOR:
      return restoreState(ip)
    case X87.INIT:
      initialise()
      return DONE
    case X87.CLEX:
      store<u16>(cpu, load<u16>(cpu, FSW) & 0x7f00, FSW)
      return DONE
    case X87.STCW:
    case X87.STSW: {
      const p = writePointer(ip, 2)
      if (!p) return FAULTED
      store<u16>(p, what == <u32>X87.STCW ? load<u16>(cpu, FCW) : load<u16>(cpu, FSW))
      return finish(p)
    }
    case X87.STSW_AX:
      store<u16>(load<u32>(ip, O_DST), load<u16>(cpu, FSW))
      return DONE
    case X87.STENV:
      return storeEnvironment(ip)
    case X87.SAVE:
      return saveState(ip)
    default:
      return DONE
  }
}
