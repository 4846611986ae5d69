// General-register instructions of the vector extensions' opcode maps: POPCNT, LZCNT, TZCNT, BMI1, BMI2, ADX, CRC32,
// MOVBE; and those that manage the vector state.

import { accessCommit } from '../../memory/linear'
import { CPU_RDX } from '../../layout'
import { bounce, cpu } from '../context'
import { multiplyHigh } from '../arithmetic'
import { FLAG_CF, FLAG_OF, FLAG_SF, FLAG_ZF, FLAG_PF, FLAG_AF, setStatus, statusFlags } from '../flags'
import { loadSized, operandRead, operandWrite, storeRegister, storeSized } from '../slow'
import { O_AUX2, O_DST, O_SRC } from '../trace-format'
import { loadMxcsr, storeMxcsr } from './mxcsr'
import { xgetbv, xrstor, xsave, xsetbv } from './xsave'

export enum Bits {
  NONE,
  POPCNT,
  LZCNT,
  TZCNT,
  ANDN,
  BLSR,
  BLSMSK,
  BLSI,
  BZHI,
  PEXT,
  PDEP,
  MULX,
  BEXTR,
  SHLX,
  SARX,
  SHRX,
  RORX,
  ADCX,
  ADOX,
  CRC32,
  MOVBE_LOAD,
  MOVBE_STORE,
  CLFLUSH,
  LDMXCSR,
  STMXCSR,
  XSAVE,
  XSAVEOPT,
  XSAVEC,
  XSAVES,
  XRSTOR,
  XRSTORS,
  XGETBV,
  XSETBV,
}

const DONE: u32 = 0
const FAULTED: u32 = 1
const COMMITTED: u32 = 2

// Fields of O_AUX2, as decode-simd.ts has them.
const MEMORY: u32 = 1 << 15

/** POPCNT: ZF, everything else cleared. */
function populationFlags(source: u64): void {
  setStatus(source == 0 ? FLAG_ZF : 0)
}

/** LZCNT, TZCNT: CF for a zero source, ZF for a zero result; the rest, undefined, is left alone. */
function countFlags(source: u64, result: u64): void {
  const keep = statusFlags() & ~(FLAG_CF | FLAG_ZF)
  setStatus(keep | (source == 0 ? FLAG_CF : 0) | (result == 0 ? FLAG_ZF : 0))
}

/** ZF and SF of the result, CF as given, OF cleared; AF and PF are undefined. */
function bmiFlags(result: u64, bits: u32, carry: bool): void {
  const keep = statusFlags() & (FLAG_AF | FLAG_PF)
  const sign = (result >> (bits - 1)) & 1
  setStatus(keep | (result == 0 ? FLAG_ZF : 0) | (sign ? FLAG_SF : 0) | (carry ? FLAG_CF : 0))
}

function extract(value: u64, mask: u64): u64 {
  let r: u64 = 0
  let at: u64 = 0
  for (let m = mask; m; m &= m - 1) {
    if (value & m & -m) r |= (1 as u64) << at
    at++
  }
  return r
}

function deposit(value: u64, mask: u64): u64 {
  let r: u64 = 0
  let v = value
  for (let m = mask; m; m &= m - 1) {
    if (v & 1) r |= m & -m
    v >>= 1
  }
  return r
}

/** CRC-32C, bit-reflected (SDM 2 CRC32). */
function crc32(crc: u32, value: u64, bytes: u32): u32 {
  let r = crc
  let v = value
  for (let i: u32 = 0; i < bytes; i++) {
    r ^= <u32>v & 0xff
    for (let k = 0; k < 8; k++) r = (r >> 1) ^ (r & 1 ? 0x82f63b78 : 0)
    v >>= 8
  }
  return r
}

function byteSwap(value: u64, bytes: u32): u64 {
  return bswap<u64>(value) >> (64 - bytes * 8)
}

/** Carries out one of Bits. `what` >= CLFLUSH have operands of their own. */
export function bitInstruction(ip: usize, what: Bits): u32 {
  if (what >= Bits.MOVBE_STORE) return other(ip, what)
  const flags = load<u32>(ip, O_AUX2)
  const bytes = (flags >> 16) & 63
  const bits = bytes * 8
  const p: usize = flags & MEMORY ? operandRead(ip, bytes) : load<u32>(ip, O_SRC)
  if (!p) return FAULTED
  const b = loadSized(p, bytes)
  const dst: usize = load<u32>(ip, O_DST)
  // The VEX.vvvv register: first source, count or second destination.
  const v: usize = cpu + ((flags >> 8) & 15) * 8
  const mask: u64 = bytes == 8 ? 0xffffffffffffffff : 0xffffffff
  const other_ = load<u64>(v) & mask
  let r: u64 = 0
  switch (what) {
    case Bits.POPCNT:
      r = popcnt(b)
      populationFlags(b)
      break
    case Bits.LZCNT:
      r = clz(b) - (64 - bits)
      countFlags(b, r)
      break
    case Bits.TZCNT:
      r = b == 0 ? bits : ctz(b)
      countFlags(b, r)
      break
    case Bits.ANDN:
      r = ~other_ & b
      bmiFlags(r, bits, false)
      break
    case Bits.BLSR:
      r = b & (b - 1)
      bmiFlags(r, bits, b == 0)
      storeRegister(v, bytes, r)
      return DONE
    case Bits.BLSMSK:
      r = (b ^ (b - 1)) & mask
      bmiFlags(r, bits, b == 0)
      storeRegister(v, bytes, r)
      return DONE
    case Bits.BLSI:
      r = b & -b
      bmiFlags(r, bits, b != 0)
      storeRegister(v, bytes, r)
      return DONE
    case Bits.BZHI: {
      const n = <u32>other_ & 0xff
      r = n < bits ? b & (((1 as u64) << n) - 1) : b
      bmiFlags(r, bits, n >= bits)
      break
    }
    case Bits.PEXT:
      r = extract(other_, b)
      break
    case Bits.PDEP:
      r = deposit(other_, b)
      break
    case Bits.MULX: {
      const d = load<u64>(cpu, CPU_RDX) & mask
      const low = d * b
      // When both are the same register it gets the high half.
      storeRegister(v, bytes, low)
      r = bytes == 8 ? multiplyHigh(d, b) : low >> 32
      break
    }
    case Bits.BEXTR: {
      const start = <u32>other_ & 0xff
      const length = <u32>(other_ >> 8) & 0xff
      r = start < bits ? b >> start : 0
      if (length < 64) r &= ((1 as u64) << length) - 1
      setStatus((statusFlags() & (FLAG_AF | FLAG_PF | FLAG_SF)) | (r == 0 ? FLAG_ZF : 0))
      break
    }
    case Bits.SHLX:
      r = b << (other_ & (bits - 1))
      break
    case Bits.SHRX:
      r = b >> (other_ & (bits - 1))
      break
    case Bits.SARX:
      r = bytes == 8 ? <u64>(<i64>b >> (other_ & 63)) : <u64>(<i32>b >> (<i32>other_ & 31))
      break
    case Bits.RORX: {
      const n: u64 = flags & (bits - 1)
      r = n ? (b >> n) | (b << (bits - n)) : b
      break
    }
    case Bits.ADCX:
    case Bits.ADOX: {
      const bit: u32 = what == Bits.ADCX ? FLAG_CF : FLAG_OF
      const status = statusFlags()
      const a = load<u64>(dst) & mask
      const carryIn: u64 = status & bit ? 1 : 0
      r = (a + b + carryIn) & mask
      const out = r < a || (carryIn != 0 && r == a)
      setStatus((status & ~bit) | (out ? bit : 0))
      break
    }
    case Bits.CRC32:
      r = crc32(load<u32>(dst), b, bytes)
      store<u64>(dst, r)
      return DONE
    case Bits.MOVBE_LOAD:
      r = byteSwap(b, bytes)
      break
  }
  storeRegister(dst, bytes, bytes == 4 ? r & mask : r)
  return DONE
}

function other(ip: usize, what: Bits): u32 {
  const flags = load<u32>(ip, O_AUX2)
  switch (what) {
    case Bits.MOVBE_STORE: {
      const bytes = (flags >> 16) & 63
      const p = operandWrite(ip, bytes, false)
      if (!p) return FAULTED
      storeSized(p, bytes, byteSwap(loadSized(load<u32>(ip, O_DST), bytes), bytes))
      if (p != bounce) return DONE
      accessCommit()
      return COMMITTED
    }
    case Bits.CLFLUSH:
      // A read as far as protection is concerned (SDM 2 CLFLUSH); there is no cache to write back.
      return operandRead(ip, 1) ? DONE : FAULTED
    case Bits.LDMXCSR:
      return loadMxcsr(ip)
    case Bits.STMXCSR:
      return storeMxcsr(ip)
    case Bits.XRSTOR:
      return xrstor(ip, false)
    case Bits.XRSTORS:
      return xrstor(ip, true)
    case Bits.XGETBV:
      return xgetbv()
    case Bits.XSETBV:
      return xsetbv()
  }
  return xsave(ip, what - Bits.XSAVE)
}
