// D8h-DFh, WAIT and the FXSAVE pair (SDM 2D appendix B.17, A table A-7 ff.), with the aliases no manual lists.

import { CPU_RAX } from '../layout'
import { cpu } from './context'
import { Op, SLOW_MEMORY } from './ops'
import { O_AUX, O_AUX2, O_DST, O_IMM, O_OP } from './trace-format'
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
  X87_SHORT,
  X87_SILENT,
  X87_TO_STI,
  X87_TRUNCATE,
} from './x87/ops'

@inline
function emit(record: usize, what: X87, flags: u32): bool {
  store<u16>(record, Op.X87, O_OP)
  store<u32>(record, what, O_AUX)
  store<u32>(record, flags, O_AUX2)
  return true
}

function memory_(record: usize, what: X87, format: u32, flags: u32): bool {
  return emit(record, what, SLOW_MEMORY | (format << X87_FORMAT_SHIFT) | flags)
}

/** WAIT. */
export function decodeWait(record: usize): void {
  emit(record, X87.WAIT, 0)
}

/** FXSAVE, FXRSTOR of a memory operand; `wide`: REX.W. */
export function decodeFxState(record: usize, restore: bool, wide: bool): void {
  emit(record, restore ? X87.FXRSTOR : X87.FXSAVE, SLOW_MEMORY | (wide ? 1 << X87_KIND_SHIFT : 0))
}

/**
 * The instruction `opcode` (D8h-DFh) whose ModR/M byte, memory operand included, is decoded already; `short`:
 * 16-bit operand size. False: there is no such instruction.
 */
export function decodeX87(record: usize, opcode: u32, mod: u32, reg: u32, rm: u32, short: bool): bool {
  const escape = opcode & 7
  store<u16>(record, ((escape << 8) | (mod << 6) | (reg << 3) | rm) as u16, O_IMM)
  return mod == 3 ? registers(record, escape, reg, rm) : operand(record, escape, reg, short)
}

function operand(record: usize, escape: u32, reg: u32, short: bool): bool {
  if (!(escape & 1)) {
    const format: u32 = escape == 0 ? X87_F32 : escape == 2 ? X87_I32 : escape == 4 ? X87_F64 : X87_I16
    if (reg == 2 || reg == 3) return memory_(record, X87.COM_M, format, reg == 3 ? X87_POP : 0)
    return memory_(record, X87.ARITH_M, format, reg << X87_KIND_SHIFT)
  }
  const environment: u32 = short ? X87_SHORT : 0
  if (reg < 4) {
    const format: u32 = escape == 1 ? X87_F32 : escape == 3 ? X87_I32 : escape == 5 ? X87_F64 : X87_I16
    if (reg == 0) return memory_(record, X87.LD_M, format, 0)
    if (reg == 1) {
      if (escape == 1) return false
      return memory_(record, X87.ST_M, escape == 5 ? X87_I64 : format, X87_POP | X87_TRUNCATE)
    }
    return memory_(record, X87.ST_M, format, reg == 3 ? X87_POP : 0)
  }
  switch ((escape << 2) | (reg & 3)) {
    case 4:
      return memory_(record, X87.LDENV, 0, environment)
    case 5:
      return memory_(record, X87.LDCW, 0, 0)
    case 6:
      return memory_(record, X87.STENV, 0, environment)
    case 7:
      return memory_(record, X87.STCW, 0, 0)
    case 13:
      return memory_(record, X87.LD_M, X87_F80, 0)
    case 15:
      return memory_(record, X87.ST_M, X87_F80, X87_POP)
    case 20:
      return memory_(record, X87.RSTOR, 0, environment)
    case 22:
      return memory_(record, X87.SAVE, 0, environment)
    case 23:
      return memory_(record, X87.STSW, 0, 0)
    case 28:
      return memory_(record, X87.LD_M, X87_BCD, 0)
    case 29:
      return memory_(record, X87.LD_M, X87_I64, 0)
    case 30:
      return memory_(record, X87.ST_M, X87_BCD, X87_POP)
    case 31:
      return memory_(record, X87.ST_M, X87_I64, X87_POP)
    default:
      return false
  }
}

function registers(record: usize, escape: u32, reg: u32, i: u32): bool {
  const kind = reg << X87_KIND_SHIFT
  switch (escape) {
    case 0:
      if (reg == 2 || reg == 3) return emit(record, X87.COM, i | (reg == 3 ? X87_POP : 0))
      return emit(record, X87.ARITH, i | kind)
    case 1:
      return single(record, reg, i)
    case 2:
      if (reg < 4) return emit(record, X87.CMOV, i | kind)
      if (reg == 5 && i == 1) return emit(record, X87.COM, i | X87_POP | X87_POP_TWICE | X87_QUIET)
      return false
    case 3:
      if (reg < 4) return emit(record, X87.CMOV, i | kind | (4 << X87_KIND_SHIFT))
      if (reg == 5) return emit(record, X87.COMI, i | X87_QUIET)
      if (reg == 6) return emit(record, X87.COMI, i)
      if (reg != 4) return false
      if (i == 2) return emit(record, X87.CLEX, 0)
      if (i == 3) return emit(record, X87.INIT, 0)
      return i > 4 ? false : emit(record, X87.IGNORED, 0)
    case 4:
      if (reg == 2 || reg == 3) return emit(record, X87.COM, i | (reg == 3 ? X87_POP : 0))
      return emit(record, X87.ARITH, i | kind | X87_TO_STI)
    case 5:
      if (reg == 0) return emit(record, X87.FREE, i)
      if (reg == 1) return emit(record, X87.XCH, i)
      if (reg < 4) return emit(record, X87.ST, i | (reg == 3 ? X87_POP : 0))
      return reg < 6 ? emit(record, X87.COM, i | X87_QUIET | (reg == 5 ? X87_POP : 0)) : false
    case 6:
      if (reg == 2) return emit(record, X87.COM, i | X87_POP)
      if (reg == 3) return i == 1 ? emit(record, X87.COM, i | X87_POP | X87_POP_TWICE) : false
      return emit(record, X87.ARITH, i | kind | X87_TO_STI | X87_POP)
    default:
      if (reg == 0) return emit(record, X87.FREE, i | X87_POP)
      if (reg == 1) return emit(record, X87.XCH, i)
      if (reg < 4) return emit(record, X87.ST, i | X87_POP)
      if (reg == 4 && i == 0) {
        store<u32>(record, <u32>cpu + CPU_RAX, O_DST)
        return emit(record, X87.STSW_AX, 0)
      }
      if (reg == 5) return emit(record, X87.COMI, i | X87_POP | X87_QUIET)
      return reg == 6 ? emit(record, X87.COMI, i | X87_POP) : false
  }
}

/** D9h with a register: moves, then instructions without an operand of their own. */
function single(record: usize, reg: u32, i: u32): bool {
  if (reg == 0) return emit(record, X87.LD, i)
  if (reg == 1) return emit(record, X87.XCH, i)
  if (reg == 2) return i == 0 ? emit(record, X87.NOP, 0) : false
  if (reg == 3) return emit(record, X87.ST, i | X87_POP | X87_SILENT)
  const second: u32 = 1 << X87_KIND_SHIFT
  switch (((reg & 3) << 3) | i) {
    case 0:
      return emit(record, X87.CHS, 0)
    case 1:
      return emit(record, X87.ABS, 0)
    case 4:
      return emit(record, X87.TST, 0)
    case 5:
      return emit(record, X87.XAM, 0)
    case 16:
      return emit(record, X87.F2XM1, 0)
    case 17:
      return emit(record, X87.YL2X, 0)
    case 18:
      return emit(record, X87.PTAN, 0)
    case 19:
      return emit(record, X87.PATAN, 0)
    case 20:
      return emit(record, X87.XTRACT, 0)
    case 21:
      return emit(record, X87.PREM, second)
    case 22:
      return emit(record, X87.DECSTP, 0)
    case 23:
      return emit(record, X87.INCSTP, 0)
    case 24:
      return emit(record, X87.PREM, 0)
    case 25:
      return emit(record, X87.YL2X, second)
    case 26:
      return emit(record, X87.SQRT, 0)
    case 27:
      return emit(record, X87.SINCOS, 0)
    case 28:
      return emit(record, X87.RNDINT, 0)
    case 29:
      return emit(record, X87.SCALE, 0)
    case 30:
      return emit(record, X87.SIN, 0)
    case 31:
      return emit(record, X87.SIN, second)
    default:
      if (reg == 5 && i < 7) return emit(record, X87.CONSTANT, i << X87_KIND_SHIFT)
      return false
  }
}
