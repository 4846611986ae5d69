// Joins a comparison and the conditional jump behind it into one step of the executor. Both keep their records
// and both count as instructions; only the dispatch in between is saved.

import { Op } from './ops'
import { O_OP, OP_SIZE, TRACE_HEADER } from './trace-format'

/** Rewrites the `count` records of a finished trace. */
export function fuse(trace: usize, count: u32): void {
  if (count < 2) return
  const jump = trace + TRACE_HEADER + (count - 1) * OP_SIZE
  const first = jump - OP_SIZE
  const joined = pair(load<u16>(first, O_OP), load<u16>(jump, O_OP))
  if (joined) store<u16>(first, joined as u16, O_OP)
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
