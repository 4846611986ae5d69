// What the decoder produces and the executor switches on. Groups of four are operand sizes 8, 16, 32, 64; the
// forms are RR (register or immediate source), RM (memory source), MR (memory destination). The decoder
// computes members by arithmetic, so the order within a group is fixed.

export enum Op {
  /** Not a record. (The first case of the executor's switch costs a comparison of its own.) */
  INVALID,
  /** Computes the operand address of the record behind it, whose segment has to be looked at. O_AUX: operandAccess(). */
  ADDRESS,
  /** Falls through to the next trace. */
  END,
  /** Ends the trace: the run loop calls system(). O_AUX: Sys. */
  SYSTEM,
  /** Out-of-line instruction that stays in the trace. O_AUX: Slow. */
  SLOW,
  NOP,
  /** MMX, SSE, AVX and what shares their opcode maps (simd/execute.ts). O_AUX: number, O_AUX2: VECTOR_*. */
  VECTOR,
  /** The commonest of them without VEX, registers XMM: moves of 16 bytes and of 8, operations on XMM or 16 or 8 bytes. */
  VECTOR_MOVE_RR,
  VECTOR_MOVE_RM,
  VECTOR_MOVE_MR,
  VECTOR_MOVE8_RM,
  VECTOR_MOVE8_MR,
  /** Those that interpret() has, up to VECTOR_DOUBLE_RM. A shift's count is the quadword at O_SRC. */
  VECTOR_AND_RR,
  VECTOR_OR_RR,
  VECTOR_XOR_RR,
  VECTOR_ADD_Q_RR,
  VECTOR_ADD_D_RR,
  VECTOR_SHL_Q,
  VECTOR_SHR_Q,
  /** MOVD, MOVQ from and to general registers. */
  VECTOR_TO_R32,
  VECTOR_TO_R64,
  VECTOR_FROM_R32,
  VECTOR_FROM_R64,
  /** ADDSD, MULSD, SUBSD. */
  VECTOR_DOUBLE_RR,
  VECTOR_DOUBLE_RM,
  VECTOR_RR,
  VECTOR_RM,
  VECTOR_RM8,

  ADD_RR8,
  ADD_RR16,
  ADD_RR32,
  ADD_RR64,
  ADD_RM8,
  ADD_RM16,
  ADD_RM32,
  ADD_RM64,
  ADD_MR8,
  ADD_MR16,
  ADD_MR32,
  ADD_MR64,
  OR_RR8,
  OR_RR16,
  OR_RR32,
  OR_RR64,
  OR_RM8,
  OR_RM16,
  OR_RM32,
  OR_RM64,
  OR_MR8,
  OR_MR16,
  OR_MR32,
  OR_MR64,
  ADC_RR8,
  ADC_RR16,
  ADC_RR32,
  ADC_RR64,
  ADC_RM8,
  ADC_RM16,
  ADC_RM32,
  ADC_RM64,
  ADC_MR8,
  ADC_MR16,
  ADC_MR32,
  ADC_MR64,
  SBB_RR8,
  SBB_RR16,
  SBB_RR32,
  SBB_RR64,
  SBB_RM8,
  SBB_RM16,
  SBB_RM32,
  SBB_RM64,
  SBB_MR8,
  SBB_MR16,
  SBB_MR32,
  SBB_MR64,
  AND_RR8,
  AND_RR16,
  AND_RR32,
  AND_RR64,
  AND_RM8,
  AND_RM16,
  AND_RM32,
  AND_RM64,
  AND_MR8,
  AND_MR16,
  AND_MR32,
  AND_MR64,
  SUB_RR8,
  SUB_RR16,
  SUB_RR32,
  SUB_RR64,
  SUB_RM8,
  SUB_RM16,
  SUB_RM32,
  SUB_RM64,
  SUB_MR8,
  SUB_MR16,
  SUB_MR32,
  SUB_MR64,
  XOR_RR8,
  XOR_RR16,
  XOR_RR32,
  XOR_RR64,
  XOR_RM8,
  XOR_RM16,
  XOR_RM32,
  XOR_RM64,
  XOR_MR8,
  XOR_MR16,
  XOR_MR32,
  XOR_MR64,
  CMP_RR8,
  CMP_RR16,
  CMP_RR32,
  CMP_RR64,
  CMP_RM8,
  CMP_RM16,
  CMP_RM32,
  CMP_RM64,
  CMP_MR8,
  CMP_MR16,
  CMP_MR32,
  CMP_MR64,

  TEST_RR8,
  TEST_RR16,
  TEST_RR32,
  TEST_RR64,
  TEST_MR8,
  TEST_MR16,
  TEST_MR32,
  TEST_MR64,
  MOV_RR8,
  MOV_RR16,
  MOV_RR32,
  MOV_RR64,
  MOV_RM8,
  MOV_RM16,
  MOV_RM32,
  MOV_RM64,
  MOV_MR8,
  MOV_MR16,
  MOV_MR32,
  MOV_MR64,
  INC_R8,
  INC_R16,
  INC_R32,
  INC_R64,
  INC_M8,
  INC_M16,
  INC_M32,
  INC_M64,
  DEC_R8,
  DEC_R16,
  DEC_R32,
  DEC_R64,
  DEC_M8,
  DEC_M16,
  DEC_M32,
  DEC_M64,
  NEG_R8,
  NEG_R16,
  NEG_R32,
  NEG_R64,
  NEG_M8,
  NEG_M16,
  NEG_M32,
  NEG_M64,
  NOT_R8,
  NOT_R16,
  NOT_R32,
  NOT_R64,
  NOT_M8,
  NOT_M16,
  NOT_M32,
  NOT_M64,
  XCHG_RR8,
  XCHG_RR16,
  XCHG_RR32,
  XCHG_RR64,
  XCHG_MR8,
  XCHG_MR16,
  XCHG_MR32,
  XCHG_MR64,

  LEA16,
  LEA32,
  LEA64,
  /** To 32 (and so 64) bits. */
  MOVZX_R8,
  MOVZX_M8,
  MOVZX_R16,
  MOVZX_M16,
  /** To 16 bits. */
  MOVZX16_R8,
  MOVZX16_M8,
  MOVSX_R8,
  MOVSX_M8,
  MOVSX_R16,
  MOVSX_M16,
  MOVSX16_R8,
  MOVSX16_M8,
  MOVSX64_R8,
  MOVSX64_M8,
  MOVSX64_R16,
  MOVSX64_M16,
  MOVSX64_R32,
  MOVSX64_M32,

  /** O_SRC: the count, a byte. O_AUX is free. */
  SHL_R32,
  SHL_R64,
  SHR_R32,
  SHR_R64,
  SAR_R32,
  SAR_R64,
  ROL_R32,
  ROL_R64,
  ROR_R32,
  ROR_R64,

  PUSH64,
  POP64,
  PUSH64_M,
  /** Stack of the mode, operand size in O_AUX2. */
  PUSH,
  POP,
  PUSH_M,
  CALL64,
  CALL,
  CALL64_R,
  CALL64_M,
  RET64,
  RET,
  JMP,
  JMP_R,
  JMP_M,
  CALL_R,
  CALL_M,
  JO,
  JNO,
  JB,
  JAE,
  JE,
  JNE,
  JBE,
  JA,
  JS,
  JNS,
  JP,
  JNP,
  JL,
  JGE,
  JLE,
  JG,
  LOOP,
  LOOPE,
  LOOPNE,
  JCXZ,
  /** Condition in O_AUX. */
  SET_R,
  SET_M,
  CMOV_R16,
  CMOV_R32,
  CMOV_R64,
  CMOV_M16,
  CMOV_M32,
  CMOV_M64,
  IMUL_RR16,
  IMUL_RR32,
  IMUL_RR64,
  IMUL_RM16,
  IMUL_RM32,
  IMUL_RM64,
  CBW,
  CWDE,
  CDQE,
  CWD,
  CDQ,
  CQO,
  BSWAP32,
  BSWAP64,
  LEAVE64,
  /** On a 32-bit stack (specialise.ts). */
  PUSH32,
  POP32,
  LEAVE32,
  CALL32,
  CALL32_R,
  CALL32_M,
  RET32,

  /** A comparison and the conditional jump behind it in one step (two records, two instructions). */
  CMP32_JE,
  CMP32_JNE,
  CMP32_JB,
  CMP32_JAE,
  CMP32_JBE,
  CMP32_JA,
  CMP32_JL,
  CMP32_JGE,
  CMP32_JLE,
  CMP32_JG,
  CMP64_JE,
  CMP64_JNE,
  CMP64_JB,
  CMP64_JAE,
  CMP64_JBE,
  CMP64_JA,
  CMP64_JL,
  CMP64_JGE,
  CMP64_JLE,
  CMP64_JG,
  CMP8_JE,
  CMP8_JNE,
  CMPM8_JE,
  CMPM8_JNE,
  CMPM32_JE,
  CMPM32_JNE,
  TEST8_JE,
  TEST8_JNE,
  TEST32_JE,
  TEST32_JNE,
  TEST32_JS,
  TEST32_JNS,
  TEST64_JE,
  TEST64_JNE,
  TEST64_JS,
  TEST64_JNS,
  ADD32_JNE,
  ADD64_JNE,
  SUB32_JNE,
  SUB64_JNE,
  DEC32_JNE,
  DEC64_JNE,
  X87, // O_AUX: operation, O_AUX2: its arguments (x87/ops.ts)

  /** The same without flags, where the trace shows that nobody can see them (liveness.ts). */
  ADD_RR32_NF,
  ADD_RR64_NF,
  ADD_RM32_NF,
  ADD_RM64_NF,
  OR_RR32_NF,
  OR_RR64_NF,
  OR_RM32_NF,
  OR_RM64_NF,
  AND_RR32_NF,
  AND_RR64_NF,
  AND_RM32_NF,
  AND_RM64_NF,
  SUB_RR32_NF,
  SUB_RR64_NF,
  SUB_RM32_NF,
  SUB_RM64_NF,
  XOR_RR32_NF,
  XOR_RR64_NF,
  XOR_RM32_NF,
  XOR_RM64_NF,
  SHL_R32_NF,
  SHL_R64_NF,
  SHR_R32_NF,
  SHR_R64_NF,
  SAR_R32_NF,
  SAR_R64_NF,
  ROL_R32_NF,
  ROL_R64_NF,
  ROR_R32_NF,
  ROR_R64_NF,
  INC_R32_NF,
  INC_R64_NF,
  DEC_R32_NF,
  DEC_R64_NF,
  IMUL_RR32_NF,
  IMUL_RR64_NF,
  IMUL_RM32_NF,
  IMUL_RM64_NF,
  /** rDX:rAX times the register at O_DST. */
  MUL_R32_NF,
  MUL_R64_NF,
  /** As Slow.SHIFT_DOUBLE, the count neither 0 nor above the operand's size. */
  SHLD_R32_NF,
  SHLD_R64_NF,
  SHRD_R32_NF,
  SHRD_R64_NF,

  /** Two or three instructions in one step that no flags come out of (fuse.ts): MOV and a shift (count in O_AUX), */
  MOV_SHL32,
  MOV_SHL64,
  MOV_SHR32,
  MOV_SHR64,
  /** which goes on to be XORed with what it was made from, into the register at O_AUX2. */
  MOV_SHL_XOR64,
  MOV_SHR_XOR64,
  /** MOV and IMUL: the operands at O_SRC and O_AUX. */
  MOV_IMUL64,
  /** ADD, then a comparison and its jump. */
  ADD32_CMP32_JE,
  ADD32_CMP32_JNE,
  ADD64_CMP64_JE,
  ADD64_CMP64_JNE,
  /** TEST and CMOVE or CMOVNE between registers. */
  TEST8_CMOV,
  TEST32_CMOV,
  TEST64_CMOV,
}

/** Whether `op` ends a trace by a jump that the interpreter carries out. */
@inline
export function isJump(op: i32): bool {
  return (op >= Op.CALL64 && op <= Op.JCXZ) || (op >= Op.CALL32 && op <= Op.RET32)
}

/** Size in bytes of a record's memory operand. */
export const OPERAND_SIZE: u32 = 0xff
export const OPERAND_WRITE: u32 = 0x100

/** Bytes of the operand of the member number `n` of a group of four. */
function sized(n: i32): u32 {
  return (1 as u32) << n
}

/** Size of the memory operand that the interpreter addresses for `op`, with OPERAND_WRITE; 0 where there is none. */
export function operandAccess(op: i32, size: u32): u32 {
  if (op >= Op.ADD_RR8 && op <= Op.CMP_MR64) {
    const form = ((op - Op.ADD_RR8) % 12) >> 2
    const log = (op - Op.ADD_RR8) & 3
    const bytes: u32 = 1 << log
    return form == 0 ? 0 : form == 2 && op < Op.CMP_RR8 ? bytes | OPERAND_WRITE : bytes
  }
  if (op >= Op.TEST_MR8 && op <= Op.TEST_MR64) return sized(op - Op.TEST_MR8)
  if (op >= Op.MOV_RM8 && op <= Op.MOV_RM64) return sized(op - Op.MOV_RM8)
  if (op >= Op.MOV_MR8 && op <= Op.MOV_MR64) return sized(op - Op.MOV_MR8) | OPERAND_WRITE
  if (op >= Op.INC_M8 && op <= Op.INC_M64) return sized(op - Op.INC_M8) | OPERAND_WRITE
  if (op >= Op.DEC_M8 && op <= Op.DEC_M64) return sized(op - Op.DEC_M8) | OPERAND_WRITE
  if (op >= Op.NEG_M8 && op <= Op.NEG_M64) return sized(op - Op.NEG_M8) | OPERAND_WRITE
  if (op >= Op.NOT_M8 && op <= Op.NOT_M64) return sized(op - Op.NOT_M8) | OPERAND_WRITE
  if (op >= Op.XCHG_MR8 && op <= Op.XCHG_MR64) return sized(op - Op.XCHG_MR8) | OPERAND_WRITE
  switch (op) {
    case Op.MOVZX_M8:
    case Op.MOVSX_M8:
    case Op.MOVZX16_M8:
    case Op.MOVSX16_M8:
    case Op.MOVSX64_M8:
      return 1
    case Op.MOVZX_M16:
    case Op.MOVSX_M16:
    case Op.MOVSX64_M16:
    case Op.CMOV_M16:
    case Op.IMUL_RM16:
      return 2
    case Op.MOVSX64_M32:
    case Op.CMOV_M32:
    case Op.IMUL_RM32:
      return 4
    case Op.CMOV_M64:
    case Op.IMUL_RM64:
    case Op.PUSH64_M:
    case Op.VECTOR_MOVE8_RM:
    case Op.VECTOR_DOUBLE_RM:
      return 8
    case Op.VECTOR_MOVE8_MR:
      return 8 | OPERAND_WRITE
    case Op.VECTOR_MOVE_RM:
      return 16
    case Op.VECTOR_MOVE_MR:
      return 16 | OPERAND_WRITE
    case Op.SET_M:
      return 1 | OPERAND_WRITE
    case Op.JMP_M:
    case Op.CALL_M:
    case Op.CALL32_M:
    case Op.CALL64_M:
    case Op.PUSH_M:
      return size
  }
  return 0
}

/** Whether a record of `op` has slots for the traces that follow. */
export function remembers(op: i32): bool {
  return (
    op == Op.END ||
    op == Op.CALL64 ||
    op == Op.CALL ||
    op == Op.CALL32 ||
    op == Op.JMP ||
    (op >= Op.JO && op <= Op.JCXZ)
  )
}

/** Out-of-line instructions (slow.ts). O_AUX2: operand bytes, SLOW_MEMORY, SLOW_LOCK. */
export enum Slow {
  SHIFT, // kind in bits 16-18 of O_AUX2, count at O_SRC
  SHIFT_DOUBLE, // SHLD, bit 16: SHRD; register at O_SRC, count at the address in O_IMM
  MUL,
  IMUL,
  DIV,
  IDIV,
  BT, // bits 16-17: BT, BTS, BTR, BTC; bit 18: immediate
  BSF,
  BSR,
  CMPXCHG,
  CMPXCHG_PAIR, // CMPXCHG8B, CMPXCHG16B
  XADD,
  LOCKED, // LOCK with ADD..XOR (bits 16-19: 0-7), INC 8, DEC 9, NOT 10, NEG 11
  BSWAP16,
  FLAGS, // CLC STC CMC CLD STD LAHF SAHF SALC: bits 16-19
  BCD, // DAA DAS AAA AAS AAM AAD: bits 16-19
  XLAT,
  ENTER,
  LEAVE,
  PUSHA,
  POPA,
  BOUND,
  ARPL,
  POP_M,
  STORE_SEGMENT,
  STORE_TABLE, // SGDT, bit 16: SIDT
  STORE_SYSTEM, // SLDT 0, STR 1, SMSW 2: bits 16-19
  FENCE, // MFENCE where there are several CPUs
}

export const SLOW_SIZE: u32 = 0x1f
export const SLOW_MEMORY: u32 = 0x100
export const SLOW_LOCK: u32 = 0x200

/** Instructions that end a trace and are carried out by the run loop (system.ts). */
export enum Sys {
  UNDEFINED, // O_AUX2: FAULT_DETAIL_*
  TOO_LONG,
  HLT,
  CLI,
  STI,
  IN, // O_AUX2: size | 0x100 for DX; port in O_IMM
  OUT,
  STRING, // O_AUX2: size | kind << 16 | rep << 24
  INT, // vector in O_IMM, kind in O_AUX2
  IRET,
  JMP_FAR, // offset in O_IMM, selector in O_DISP; O_AUX2: size
  CALL_FAR,
  JMP_FAR_M,
  CALL_FAR_M,
  RET_FAR,
  LOAD_SEGMENT, // segment in O_DST
  POP_SEGMENT,
  LOAD_FAR, // LES LDS LSS LFS LGS: segment in O_SRC, register at O_DST
  PUSHF,
  POPF,
  CPUID,
  RDTSC,
  RDMSR,
  WRMSR,
  LGDT,
  LIDT,
  LLDT,
  LTR,
  VERR,
  VERW,
  LAR,
  LSL,
  LMSW,
  CLTS,
  INVLPG,
  READ_CR, // number in O_IMM, register at O_DST
  WRITE_CR,
  READ_DR,
  WRITE_DR,
  SYSCALL,
  SYSRET,
  SYSENTER,
  SYSEXIT,
  SWAPGS,
  WBINVD,
  BIOS_CALL,
  EXTENSION, // O_AUX2: size | Extension << 16; register at O_DST
  /** The address runUntil() waits for; not an instruction. */
  BREAK,
  PAUSE, // where there are several CPUs
}

/** Those that never go on with the instruction behind them, or not before the run loop has come round. */
const ELSEWHERE: u64 =
  ((1 as u64) << Sys.UNDEFINED) |
  ((1 as u64) << Sys.TOO_LONG) |
  ((1 as u64) << Sys.HLT) |
  ((1 as u64) << Sys.STI) |
  ((1 as u64) << Sys.INT) |
  ((1 as u64) << Sys.IRET) |
  ((1 as u64) << Sys.JMP_FAR) |
  ((1 as u64) << Sys.CALL_FAR) |
  ((1 as u64) << Sys.JMP_FAR_M) |
  ((1 as u64) << Sys.CALL_FAR_M) |
  ((1 as u64) << Sys.RET_FAR) |
  ((1 as u64) << Sys.WRITE_DR) |
  ((1 as u64) << Sys.SYSCALL) |
  ((1 as u64) << Sys.SYSRET) |
  ((1 as u64) << Sys.SYSENTER) |
  ((1 as u64) << Sys.SYSEXIT) |
  ((1 as u64) << Sys.BIOS_CALL) |
  ((1 as u64) << Sys.BREAK) |
  ((1 as u64) << Sys.PAUSE)

/** Whether a system instruction leads to the one behind it: an END record follows it in its trace. */
@inline
export function fallsThrough(what: u32): bool {
  return !((ELSEWHERE >> what) & 1)
}

/** Of Sys.EXTENSION (extensions.ts). */
export enum Extension {
  RDTSCP,
  RDPID,
  RDPMC,
  RDFSBASE,
  RDGSBASE,
  WRFSBASE,
  WRGSBASE,
  CLAC,
  STAC,
  INVPCID,
  MONITOR,
  MWAIT,
  RDRAND,
  RDSEED,
  RDPKRU,
  WRPKRU,
}

export const STRING_MOVS: u32 = 0
export const STRING_CMPS: u32 = 1
export const STRING_STOS: u32 = 2
export const STRING_LODS: u32 = 3
export const STRING_SCAS: u32 = 4
export const STRING_INS: u32 = 5
export const STRING_OUTS: u32 = 6
