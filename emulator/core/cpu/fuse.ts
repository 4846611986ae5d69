// Joins a comparison and the conditional jump behind it, and some other neighbours, into one step of the executor. All keep
// their records and count as instructions; what is saved is the dispatch in between, and the way of a value through memory
// where one instruction makes it and the next one takes it. Nothing joined can stop in its middle.

import { Op } from './ops'
import { O_AUX, O_AUX2, O_DST, O_IMM, O_OP, O_SRC, OP_SIZE, TRACE_HEADER } from './trace-format'

/** Rewrites the `count` records of a finished trace. */
export function fuse(trace: usize, count: u32): void {
  if (count < 2) return
  const last = trace + TRACE_HEADER + (count - 1) * OP_SIZE
  let end = last
  const first = last - OP_SIZE
  const joined = pair(load<u16>(first, O_OP), load<u16>(last, O_OP))
  if (joined) {
    store<u16>(first, joined as u16, O_OP)
    end = first
    if (count > 2) {
      const before = first - OP_SIZE
      const triple = addBefore(load<u16>(before, O_OP), joined)
      if (triple) {
        store<u16>(before, triple as u16, O_OP)
        end = before
      }
    }
  }
  let record = trace + TRACE_HEADER
  while (record + OP_SIZE < end) record += (joinTest(record) ? 2 : joinMove(record, end)) * OP_SIZE
}

/** The ADD of a loop's counter, whose flags the comparison behind it replaces, with that and its jump. */
function addBefore(op: i32, joined: i32): i32 {
  if (op == Op.ADD_RR32_NF) {
    if (joined == Op.CMP32_JE) return Op.ADD32_CMP32_JE
    if (joined == Op.CMP32_JNE) return Op.ADD32_CMP32_JNE
  } else if (op == Op.ADD_RR64_NF) {
    if (joined == Op.CMP64_JE) return Op.ADD64_CMP64_JE
    if (joined == Op.CMP64_JNE) return Op.ADD64_CMP64_JNE
  }
  return 0
}

/** Joins the TEST of registers at `record` with a move behind it that depends on ZF. */
function joinTest(record: usize): bool {
  const op = load<u16>(record, O_OP) as i32
  if (op != Op.TEST_RR8 && op != Op.TEST_RR32 && op != Op.TEST_RR64) return false
  const next = record + OP_SIZE
  const second = load<u16>(next, O_OP) as i32
  if ((second != Op.CMOV_R32 && second != Op.CMOV_R64) || load<u32>(next, O_AUX) >> 1 != 2) return false
  const joined = op == Op.TEST_RR8 ? Op.TEST8_CMOV : op == Op.TEST_RR32 ? Op.TEST32_CMOV : Op.TEST64_CMOV
  store<u16>(record, joined as u16, O_OP)
  return true
}

/**
 * Joins the MOV between registers at `record` with what is done to its destination next; all of it lies before `end`.
 * How many records that were.
 */
function joinMove(record: usize, end: usize): u32 {
  const op = load<u16>(record, O_OP) as i32
  if (op != Op.MOV_RR64 && op != Op.MOV_RR32) return 1
  const to = load<u32>(record, O_DST)
  const from = load<u32>(record, O_SRC)
  const next = record + OP_SIZE
  const second = load<u16>(next, O_OP) as i32
  if (from == to || from == <u32>record + O_IMM || load<u32>(next, O_DST) != to) return 1
  if (op == Op.MOV_RR64 && second == Op.IMUL_RR64_NF) {
    const a = load<u32>(next, O_SRC)
    const b = load<u32>(next, O_AUX)
    store<u32>(record, a == to ? from : a, O_SRC)
    store<u32>(record, b == to ? from : b, O_AUX)
    store<u16>(record, Op.MOV_IMUL64, O_OP)
    return 2
  }
  const wide = op == Op.MOV_RR64
  const left = second == (wide ? Op.SHL_R64_NF : Op.SHL_R32_NF)
  const right = second == (wide ? Op.SHR_R64_NF : Op.SHR_R32_NF)
  if ((!left && !right) || load<u32>(next, O_SRC) != <u32>next + O_IMM) return 1
  store<u32>(record, load<u8>(next, O_IMM) & (wide ? 63 : 31), O_AUX)
  const third = next + OP_SIZE
  if (wide && third < end && (load<u16>(third, O_OP) as i32) == Op.XOR_RR64_NF) {
    const a = load<u32>(third, O_DST)
    const b = load<u32>(third, O_SRC)
    if ((a == to && b == from) || (a == from && b == to)) {
      store<u32>(record, a, O_AUX2)
      store<u16>(record, left ? Op.MOV_SHL_XOR64 : Op.MOV_SHR_XOR64, O_OP)
      return 3
    }
  }
  store<u16>(record, left ? (wide ? Op.MOV_SHL64 : Op.MOV_SHL32) : wide ? Op.MOV_SHR64 : Op.MOV_SHR32, O_OP)
  return 2
}

/** The joined operation, 0 when the two do not join. */
function pair(first: i32, jump: i32): i32 {
  if (jump < Op.JO || jump > Op.JG) return 0
  switch (first) {
    case Op.CMP_RR32:
      return relation(jump, Op.CMP32_JE)
    case Op.CMP_RR64:
      return relation(jump, Op.CMP64_JE)
    case Op.CMP_RR8:
      return equality(jump, Op.CMP8_JE)
    case Op.CMP_MR8:
      return equality(jump, Op.CMPM8_JE)
    case Op.CMP_MR32:
      return equality(jump, Op.CMPM32_JE)
    case Op.TEST_RR8:
      return equality(jump, Op.TEST8_JE)
    case Op.TEST_RR32:
      return sign(jump, Op.TEST32_JE)
    case Op.TEST_RR64:
      return sign(jump, Op.TEST64_JE)
    case Op.ADD_RR32:
      return jump == Op.JNE ? Op.ADD32_JNE : 0
    case Op.ADD_RR64:
      return jump == Op.JNE ? Op.ADD64_JNE : 0
    case Op.SUB_RR32:
      return jump == Op.JNE ? Op.SUB32_JNE : 0
    case Op.SUB_RR64:
      return jump == Op.JNE ? Op.SUB64_JNE : 0
    case Op.DEC_R32:
      return jump == Op.JNE ? Op.DEC32_JNE : 0
    case Op.DEC_R64:
      return jump == Op.JNE ? Op.DEC64_JNE : 0
  }
  return 0
}

/** Order of the members: JE JNE JB JAE JBE JA JL JGE JLE JG. */
function relation(jump: i32, base: i32): i32 {
  switch (jump) {
    case Op.JE:
      return base
    case Op.JNE:
      return base + 1
    case Op.JB:
      return base + 2
    case Op.JAE:
      return base + 3
    case Op.JBE:
      return base + 4
    case Op.JA:
      return base + 5
    case Op.JL:
      return base + 6
    case Op.JGE:
      return base + 7
    case Op.JLE:
      return base + 8
    case Op.JG:
      return base + 9
  }
  return 0
}

function equality(jump: i32, base: i32): i32 {
  return jump == Op.JE ? base : jump == Op.JNE ? base + 1 : 0
}

function sign(jump: i32, base: i32): i32 {
  if (jump == Op.JS) return base + 2
  if (jump == Op.JNS) return base + 3
  return equality(jump, base)
}
