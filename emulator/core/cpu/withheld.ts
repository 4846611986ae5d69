// What a processor model without a feature makes of its instructions (`--cpu`): #UD, as the "#UD If CPUID..." lines of SDM
// 2 have it. Decoding asks once an instruction, and only on models that withhold something.

import { HDR_CPU_WITHHELD, HEADER } from '../layout'
import { feature, WORD_1_ECX, WORD_7_EBX, WORD_EXTENDED_ECX, WORD_XSAVE } from './cpuid'
import { NUMBER_BITS, VECTOR_L, VECTOR_MEMORY, VECTOR_MMX, VECTOR_TO_MMX, VECTOR_VEX } from './decode-simd'
import { Op, SLOW_MEMORY, SLOW_SIZE, Slow } from './ops'
import { Bits } from './simd/bits'
import { O_AUX, O_AUX2, O_OP } from './trace-format'
import { X87, X87_TRUNCATE } from './x87/ops'

// Leaf 1 ECX
const SSE3: u32 = 1
const PCLMULQDQ: u32 = 1 << 1
const SSSE3: u32 = 1 << 9
const FMA: u32 = 1 << 12
const CX16: u32 = 1 << 13
const SSE41: u32 = 1 << 19
const SSE42: u32 = 1 << 20
const MOVBE: u32 = 1 << 22
const POPCNT: u32 = 1 << 23
const AES: u32 = 1 << 25
const XSAVE: u32 = 1 << 26
const AVX: u32 = 1 << 28
const F16C: u32 = 1 << 29
// Leaf 7 EBX
const BMI1: u32 = 1 << 3
const AVX2: u32 = 1 << 5
const BMI2: u32 = 1 << 8
const ADX: u32 = 1 << 19
const CLFLUSHOPT: u32 = 1 << 23
const CLWB: u32 = 1 << 24
const SHA: u32 = 1 << 29
// Leaf 80000001h ECX
const LAHF: u32 = 1
const LZCNT: u32 = 1 << 5

/** Whether the model lacks anything at all. */
@inline
export function someWithheld(): bool {
  const words = HEADER + HDR_CPU_WITHHELD
  return (load<u64>(words) | load<u64>(words, 8) | load<u64>(words, 16) | load<u64>(words, 24)) != 0
}

/** F3 0F BC is TZCNT where there is BMI1, F3 0F BD is LZCNT where there is that; else they are BSF and BSR (SDM 2). */
export function hasCount(opcode: u32): bool {
  return opcode == 0xbc ? has7(BMI1) : feature(WORD_EXTENDED_ECX, LZCNT)
}

function has1(bit: u32): bool {
  return feature(WORD_1_ECX, bit)
}

function has7(bit: u32): bool {
  return feature(WORD_7_EBX, bit)
}

/** Whether the model has the instruction whose record was just made. `memory66`: 66h before a memory operand of 0F AE; `reg`: its ModRM.reg. */
export function modelHas(record: usize, mode64: bool, operand16: bool, reg: u32): bool {
  const code = load<u16>(record, O_OP) as i32
  const what = load<u32>(record, O_AUX)
  const flags = load<u32>(record, O_AUX2)
  if (code >= Op.VECTOR && code <= Op.VECTOR_RM8) {
    if (what & NUMBER_BITS) return bits(what & ~NUMBER_BITS, flags, operand16, reg)
    return vector(what, flags)
  }
  if (code == Op.SLOW) {
    if (what == Slow.CMPXCHG_PAIR) return (flags & SLOW_SIZE) != 16 || has1(CX16)
    const kind = (flags >> 16) & 15
    if (what == Slow.FLAGS && mode64 && (kind == 5 || kind == 6)) return feature(WORD_EXTENDED_ECX, LAHF)
    return true
  }
  // FISTTP
  if (code == Op.X87 && what == X87.ST_M && flags & SLOW_MEMORY) return !(flags & X87_TRUNCATE) || has1(SSE3)
  return true
}

function bits(what: u32, flags: u32, operand16: bool, reg: u32): bool {
  switch (what) {
    case Bits.POPCNT:
      return has1(POPCNT)
    case Bits.ANDN:
    case Bits.BLSR:
    case Bits.BLSMSK:
    case Bits.BLSI:
    case Bits.BEXTR:
      return has7(BMI1)
    case Bits.BZHI:
    case Bits.PEXT:
    case Bits.PDEP:
    case Bits.MULX:
    case Bits.SHLX:
    case Bits.SARX:
    case Bits.SHRX:
    case Bits.RORX:
      return has7(BMI2)
    case Bits.ADCX:
    case Bits.ADOX:
      return has7(ADX)
    case Bits.CRC32:
      return has1(SSE42)
    case Bits.MOVBE_LOAD:
    case Bits.MOVBE_STORE:
      return has1(MOVBE)
    case Bits.CLFLUSH:
      return !operand16 || has7((reg & 7) == 7 ? CLFLUSHOPT : CLWB)
    case Bits.LDMXCSR:
    case Bits.STMXCSR:
      return !(flags & VECTOR_VEX) || has1(AVX)
    case Bits.XSAVEOPT:
      return feature(WORD_XSAVE, 1)
    case Bits.XSAVEC:
      return feature(WORD_XSAVE, 2)
    case Bits.XSAVES:
    case Bits.XRSTORS:
      return feature(WORD_XSAVE, 8)
    case Bits.XSAVE:
    case Bits.XRSTOR:
    case Bits.XGETBV:
    case Bits.XSETBV:
      return has1(XSAVE)
  }
  return true
}

/** `number`: map, mandatory prefix, opcode, as decode-simd.ts has it. */
function vector(number: u32, flags: u32): bool {
  const map = number >> 12
  const pp = (number >> 8) & 15
  const opcode = number & 0xff
  const vex = (flags & VECTOR_VEX) != 0
  const wide = (flags & VECTOR_L) != 0
  if (vex && !has1(AVX)) return false
  if (map == 1) {
    if (vex && wide && integer0F(pp, opcode)) return has7(AVX2)
    return vex || !sse3(pp, opcode) || has1(SSE3)
  }
  return map == 2 ? map38(opcode, vex, wide, flags) : map3A(opcode, vex, wide)
}

/** Instructions of map 0F whose 256-bit form is AVX2's. */
function integer0F(pp: u32, opcode: u32): bool {
  if (pp != 1 && !(opcode == 0x70 && pp)) return false
  if (opcode >= 0x60 && opcode <= 0x76) return opcode != 0x6e && opcode != 0x6f
  return opcode >= 0xd1 && opcode != 0xd6 && opcode != 0xe6 && opcode != 0xe7 && opcode != 0xf0
}

/** MOVDDUP, MOVSLDUP, MOVSHDUP, horizontal sums, ADDSUB, LDDQU. */
function sse3(pp: u32, opcode: u32): bool {
  if (opcode == 0x12) return pp >= 2
  if (opcode == 0x16) return pp == 2
  return opcode == 0x7c || opcode == 0x7d || opcode == 0xd0 || opcode == 0xf0
}

function map38(opcode: u32, vex: bool, wide: bool, flags: u32): bool {
  if (opcode >= 0xc8 && opcode <= 0xcd) return has7(SHA)
  if (opcode >= 0xdb && opcode <= 0xdf) return has1(AES)
  if (!vex) {
    if (opcode <= 0x0b || (opcode >= 0x1c && opcode <= 0x1e) || flags & (VECTOR_MMX | VECTOR_TO_MMX))
      return has1(SSSE3)
    return has1(opcode == 0x37 ? SSE42 : SSE41)
  }
  if (opcode == 0x13) return has1(F16C)
  if (opcode >= 0x96 && opcode <= 0xbf) return has1(FMA)
  switch (opcode) {
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f:
    case 0x17:
    case 0x1a:
    case 0x2c:
    case 0x2d:
    case 0x2e:
    case 0x2f:
      return true
    // VBROADCASTSS and VBROADCASTSD of a register
    case 0x18:
    case 0x19:
      return (flags & VECTOR_MEMORY) != 0 || has7(AVX2)
  }
  // Behind 41h everything is AVX2's own: shifts by element, broadcasts, masked moves, gathers.
  if (opcode == 0x16 || opcode == 0x36 || opcode > 0x41) return has7(AVX2)
  return !wide || has7(AVX2)
}

function map3A(opcode: u32, vex: bool, wide: bool): bool {
  if (opcode == 0xcc) return has7(SHA)
  if (opcode == 0xdf) return has1(AES)
  if (opcode == 0x44) return has1(PCLMULQDQ)
  if (!vex) {
    if (opcode == 0x0f) return has1(SSSE3)
    return has1(opcode >= 0x60 ? SSE42 : SSE41)
  }
  switch (opcode) {
    case 0x1d:
      return has1(F16C)
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x38:
    case 0x39:
    case 0x46:
      return has7(AVX2)
    case 0x0e:
    case 0x0f:
    case 0x42:
    case 0x4c:
      return !wide || has7(AVX2)
  }
  return true
}
