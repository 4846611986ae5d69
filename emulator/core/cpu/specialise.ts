// Gives a record the form that the interpreter has a fast case for, where the CPU mode or the operand allows it. What the
// decoder makes stays general.

import {
  CPU_ADDRESS,
  CPU_ZERO,
  MODE_CODE64,
  MODE_FLAT,
  MODE_SIZE,
  MODE_STACK32,
  SEG_DS,
  SEG_ES,
  SEG_SS,
} from '../layout'
import { cpu } from './context'
import { Op, operandAccess, Slow, SLOW_SIZE } from './ops'
import {
  ADDRESS_32,
  ADDRESS_32_FLAT,
  ADDRESS_64,
  ADDRESS_64_BASE,
  O_AUX,
  O_AUX2,
  O_BASE,
  O_DISP,
  O_IMM,
  O_INDEX,
  O_KIND,
  O_OP,
  O_SEGBASE,
  O_SEGMENT,
  O_SRC,
  OP_SIZE,
} from './trace-format'

/**
 * Rewrites the record at `record`, decoded for CPU_MODE `mode`. Answers true when it has moved on by one, an ADDRESS
 * record being in its place now.
 */
export function specialise(record: usize, mode: u32): bool {
  const code64 = (mode & MODE_SIZE) == MODE_CODE64
  const zero = <u32>(cpu + CPU_ZERO)
  if (!code64 && mode & MODE_STACK32) onStack32(record, load<u16>(record, O_OP))
  const access = operandAccess(load<u16>(record, O_OP), load<u32>(record, O_AUX2) & SLOW_SIZE)
  if (!access) return false
  const kind = load<u8>(record, O_KIND) as u32
  if (kind == ADDRESS_64) {
    if (load<u32>(record, O_SEGBASE) == zero) {
      if (load<u32>(record, O_INDEX) == zero) store<u8>(record, ADDRESS_64_BASE, O_KIND)
      return false
    }
  }
  const segment = load<u8>(record, O_SEGMENT) as u32
  if (
    kind == ADDRESS_32 &&
    mode & MODE_FLAT &&
    (segment == SEG_DS || segment == SEG_SS || segment == SEG_ES)
  ) {
    store<u8>(record, ADDRESS_32_FLAT, O_KIND)
    return false
  }
  const main = record + OP_SIZE
  memory.copy(main, record, OP_SIZE)
  moveImmediate(record, main, O_SRC)
  moveImmediate(record, main, O_AUX)
  store<u8>(main, ADDRESS_64_BASE, O_KIND)
  store<u32>(main, <u32>(cpu + CPU_ADDRESS), O_BASE)
  store<u32>(main, zero, O_INDEX)
  store<u32>(main, zero, O_SEGBASE)
  store<i32>(main, 0, O_DISP)
  store<u16>(record, Op.ADDRESS, O_OP)
  store<u32>(record, access, O_AUX)
  return true
}

/** An immediate operand is the record's own field. */
function moveImmediate(from: usize, to: usize, field: usize): void {
  if (load<u32>(from + field) == <u32>(from + O_IMM)) store<u32>(to + field, <u32>(to + O_IMM))
}

/** Stack instructions with 32-bit operands. */
function onStack32(record: usize, op: i32): void {
  let fast: i32 = 0
  if (op == Op.SLOW) {
    if (load<u32>(record, O_AUX) == Slow.LEAVE && (load<u32>(record, O_AUX2) & SLOW_SIZE) == 4)
      fast = Op.LEAVE32
  } else if (load<u32>(record, O_AUX2) == 4) {
    if (op == Op.PUSH) fast = Op.PUSH32
    else if (op == Op.POP) fast = Op.POP32
    else if (op == Op.CALL) fast = Op.CALL32
    else if (op == Op.CALL_R) fast = Op.CALL32_R
    else if (op == Op.CALL_M) fast = Op.CALL32_M
    else if (op == Op.RET) fast = Op.RET32
  }
  if (fast) store<u16>(record, fast as u16, O_OP)
}
