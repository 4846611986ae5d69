// Which instructions of a trace compute flags that nobody can see: those overwritten before anything reads them
// and before anything that may fault, and so show them to a handler. They are replaced by forms without flags.

import { Op, Slow, SLOW_MEMORY, SLOW_SIZE } from './ops'
import { O_AUX, O_AUX2, O_IMM, O_OP, O_SRC, OP_SIZE, TRACE_HEADER } from './trace-format'

/** Touches no flags and cannot fault. */
const NONE: u32 = 0
/** Reads flags, or may fault and so show them, or is not looked into. */
const READS: u32 = 1
/** Sets all six, whatever they were. */
const SETS: u32 = 2
/** Sets all six, or faults before that. */
const SETS_OR_FAULTS: u32 = 3
/** Sets some of them, or none (a shift by CL): what was there before may remain. */
const PARTLY: u32 = 4

/** Rewrites the `count` records of a finished trace. Flags are taken to be wanted at its end. */
export function dropDeadFlags(trace: usize, count: u32): void {
  let wanted = true
  for (let i: i32 = <i32>count - 1; i >= 0; i--) {
    const record = trace + TRACE_HEADER + i * OP_SIZE
    const op = load<u16>(record, O_OP) as i32
    const effect = effectOf(op, record)
    if (effect == NONE) continue
    if (effect == READS) {
      wanted = true
      continue
    }
    const replacement = wanted ? 0 : op == Op.SLOW ? slowWithoutFlags(record) : withoutFlags(op)
    if (replacement) store<u16>(record, replacement as u16, O_OP)
    if (effect == SETS) wanted = false
    else if (effect == SETS_OR_FAULTS) wanted = true
  }
}

function effectOf(op: i32, record: usize): u32 {
  if (op >= Op.ADD_RR8 && op <= Op.CMP_MR64) {
    const kind = (op - Op.ADD_RR8) / 12
    if (kind == 2 || kind == 3) return READS
    const form = ((op - Op.ADD_RR8) % 12) / 4
    return form == 0 ? SETS : SETS_OR_FAULTS
  }
  if (op >= Op.TEST_RR8 && op <= Op.TEST_RR64) return SETS
  if (op >= Op.MOV_RR8 && op <= Op.MOV_RR64) return NONE
  if (op >= Op.INC_R8 && op <= Op.INC_R64) return PARTLY
  if (op >= Op.DEC_R8 && op <= Op.DEC_R64) return PARTLY
  if (op >= Op.NEG_R8 && op <= Op.NEG_R64) return SETS
  if (op >= Op.NOT_R8 && op <= Op.NOT_R64) return NONE
  if (op >= Op.XCHG_RR8 && op <= Op.XCHG_RR64) return NONE
  if (op >= Op.LEA16 && op <= Op.LEA64) return NONE
  if (op == Op.NOP || (op >= Op.CBW && op <= Op.BSWAP64)) return NONE
  if (op >= Op.SHL_R32 && op <= Op.SAR_R64) {
    // A count in the instruction is known; zero would leave the flags as they were.
    const known = load<u32>(record, O_SRC) == <u32>record + O_IMM
    return known && (load<u8>(record, O_IMM) & 31) != 0 ? SETS : PARTLY
  }
  if (op >= Op.ROL_R32 && op <= Op.ROR_R64) return PARTLY
  if (op == Op.SLOW) return slowEffect(record)
  if (op >= Op.IMUL_RR16 && op <= Op.IMUL_RR64) return SETS
  if (op >= Op.IMUL_RM16 && op <= Op.IMUL_RM64) return SETS_OR_FAULTS
  if (op == Op.MOVZX_R8 || op == Op.MOVZX_R16 || op == Op.MOVZX16_R8) return NONE
  if (op == Op.MOVSX_R8 || op == Op.MOVSX_R16 || op == Op.MOVSX16_R8) return NONE
  if (op == Op.MOVSX64_R8 || op == Op.MOVSX64_R16 || op == Op.MOVSX64_R32) return NONE
  return READS
}

/** Of MUL, SHLD and SHRD between registers of 32 and 64 bits; the others are not looked into. */
function slowEffect(record: usize): u32 {
  const what = load<u32>(record, O_AUX)
  const flags = load<u32>(record, O_AUX2)
  const size = flags & SLOW_SIZE
  if (flags & SLOW_MEMORY || size < 4) return READS
  if (what == Slow.MUL) return PARTLY
  if (what != Slow.SHIFT_DOUBLE || load<u32>(record, O_IMM) != <u32>record + O_IMM + 4) return READS
  return load<u8>(record, O_IMM + 4) & (size == 8 ? 63 : 31) ? SETS : READS
}

function slowWithoutFlags(record: usize): i32 {
  const flags = load<u32>(record, O_AUX2)
  const wide: i32 = (flags & SLOW_SIZE) == 8 ? 1 : 0
  if (load<u32>(record, O_AUX) == Slow.MUL) return Op.MUL_R32_NF + wide
  return (flags & (1 << 16) ? Op.SHRD_R32_NF : Op.SHLD_R32_NF) + wide
}

/** The form of `op` that leaves the flags alone, 0 when there is none. */
function withoutFlags(op: i32): i32 {
  // Both sides list ADD OR AND SUB XOR, and SHL..ROR, in the order of ops.ts.
  if (op >= Op.ADD_RR8 && op <= Op.XOR_MR64) {
    const kind = (op - Op.ADD_RR8) / 12
    const form = (op - Op.ADD_RR8) % 12
    if (kind == 2 || kind == 3) return 0
    const pair = form == 2 ? 0 : form == 3 ? 1 : form == 6 ? 2 : form == 7 ? 3 : -1
    if (pair < 0) return 0
    const row = kind < 2 ? kind : kind - 2
    return Op.ADD_RR32_NF + row * 4 + pair
  }
  if (op >= Op.SHL_R32 && op <= Op.ROR_R64) return Op.SHL_R32_NF + (op - Op.SHL_R32)
  if (op == Op.IMUL_RR32 || op == Op.IMUL_RR64) return Op.IMUL_RR32_NF + (op - Op.IMUL_RR32)
  if (op == Op.IMUL_RM32 || op == Op.IMUL_RM64) return Op.IMUL_RM32_NF + (op - Op.IMUL_RM32)
  if (op == Op.INC_R32) return Op.INC_R32_NF
  if (op == Op.INC_R64) return Op.INC_R64_NF
  if (op == Op.DEC_R32) return Op.DEC_R32_NF
  if (op == Op.DEC_R64) return Op.DEC_R64_NF
  return 0
}
