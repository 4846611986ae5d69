// Operations of an Op.X87 record (O_AUX) and their arguments (O_AUX2). O_IMM: the opcode as FOP shows it.

export enum X87 {
  // Those that wait for errors, and that FIP points to afterwards
  ARITH, // kind in bits 16-18
  ARITH_M,
  COM,
  COM_M,
  COMI,
  LD,
  LD_M,
  ST,
  ST_M,
  XCH,
  CHS,
  ABS,
  TST,
  XAM,
  CONSTANT, // bits 16-18: 1, log2 10, log2 e, pi, log10 2, ln 2, 0
  CMOV, // bits 16-18: B, E, BE, U, NB, NE, NBE, NU
  FREE,
  INCSTP,
  DECSTP,
  NOP,
  SQRT,
  PREM, // bit 16: PREM1
  RNDINT,
  SCALE,
  XTRACT,
  F2XM1,
  YL2X, // bit 16: YL2XP1
  PTAN,
  PATAN,
  SIN, // bit 16: COS
  SINCOS,
  // Control instructions that wait
  LDCW,
  LDENV,
  RSTOR,
  WAIT,
  // and those that do not
  INIT,
  CLEX,
  STCW,
  STSW,
  STSW_AX,
  STENV,
  SAVE,
  IGNORED, // FNENI, FNDISI, FNSETPM: 8087 and 80287 only
  FXSAVE, // bit 16: 64-bit pointers
  FXRSTOR,
}

/** Bits 0-2: i of ST(i). */
export const X87_TO_STI: u32 = 0x08
export const X87_POP: u32 = 0x10
export const X87_POP_TWICE: u32 = 0x20
/** FUCOM: quiet NaNs are no exception. */
export const X87_QUIET: u32 = 0x40
/** FSTP1: no stack underflow. */
export const X87_SILENT: u32 = 0x40
export const X87_TRUNCATE: u32 = 0x80
/** Bits 12-14: format of the memory operand. */
export const X87_FORMAT_SHIFT: u32 = 12
export const X87_F32: u32 = 0
export const X87_F64: u32 = 1
export const X87_I16: u32 = 2
export const X87_I32: u32 = 3
export const X87_F80: u32 = 4
export const X87_I64: u32 = 5
export const X87_BCD: u32 = 6
/** Bits 16-18. */
export const X87_KIND_SHIFT: u32 = 16
/** 16-bit environment (LDENV, STENV, RSTOR, SAVE). */
export const X87_SHORT: u32 = 1 << 16
