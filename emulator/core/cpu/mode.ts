// The mode the processor is in, as one word: what instructions are decoded for and how operands are addressed.
// Derived from CS, SS, CR0, EFER and RFLAGS.VM (SDM 3A 2.2); refreshed by whoever changes one of them.

import { tlbContextChanged } from '../memory/tlb'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_EFER,
  CPU_MODE,
  CPU_RFLAGS,
  CPU_SEGMENTS,
  MODE_CODE16,
  MODE_CODE32,
  MODE_CODE64,
  MODE_FLAT,
  MODE_LONG,
  MODE_PAGING,
  MODE_PROTECTED,
  MODE_SIZE,
  MODE_STACK32,
  MODE_V86,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_SS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_READ_LIMIT,
  SEGMENT_SIZE,
  SEGMENT_WRITE_LIMIT,
} from '../layout'
import { cpu } from './context'
import { FLAG_VM } from './flags'

const ATTRIBUTE_L: u32 = 0x2000
const ATTRIBUTE_DB: u32 = 0x4000
const EFER_LMA: u32 = 0x400

/** Recomputes CPU_MODE and what depends on it. Call after CS, SS, CR0, EFER, RFLAGS.VM or CPL changed. */
export function modeRefresh(): void {
  const cr0 = load<u32>(cpu, CPU_CR0)
  const code = load<u16>(cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE, SEGMENT_ATTRIBUTES) as u32
  const stack = load<u16>(cpu + CPU_SEGMENTS + SEG_SS * SEGMENT_SIZE, SEGMENT_ATTRIBUTES) as u32
  let mode: u32 = 0
  const long = (load<u32>(cpu, CPU_EFER) & EFER_LMA) != 0
  if (cr0 & 1) mode |= MODE_PROTECTED
  if (cr0 & 0x80000000) mode |= MODE_PAGING
  if (long) mode |= MODE_LONG
  if (long && code & ATTRIBUTE_L) {
    mode |= MODE_CODE64 | MODE_STACK32
  } else {
    mode |= code & ATTRIBUTE_DB ? MODE_CODE32 : MODE_CODE16
    if (stack & ATTRIBUTE_DB) mode |= MODE_STACK32
  }
  if (cr0 & 1 && load<u32>(cpu, CPU_RFLAGS) & FLAG_VM) mode |= MODE_V86
  store<u32>(cpu, mode, CPU_MODE)
  modeFlatRefresh()
  tlbContextChanged()
}

/** Recomputes MODE_FLAT, which depends on bases and limits, after a segment register changed. */
export function modeFlatRefresh(): void {
  const mode = load<u32>(cpu, CPU_MODE) & ~MODE_FLAT
  const flat = (mode & MODE_SIZE) == MODE_CODE64 || segmentsFlat()
  store<u32>(cpu, flat ? mode | MODE_FLAT : mode, CPU_MODE)
}

function segmentsFlat(): bool {
  const code = cpu + CPU_SEGMENTS + SEG_CS * SEGMENT_SIZE
  if (load<u64>(code, SEGMENT_BASE) != 0 || load<u32>(code, SEGMENT_LIMIT) != 0xffffffff) return false
  return dataFlat(SEG_SS) && dataFlat(SEG_DS) && dataFlat(SEG_ES)
}

function dataFlat(segment: u32): bool {
  const register = cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE
  const whole = load<i64>(register, SEGMENT_READ_LIMIT) == 0xffffffff
  return (
    whole && load<i64>(register, SEGMENT_WRITE_LIMIT) == 0xffffffff && load<u64>(register, SEGMENT_BASE) == 0
  )
}

/** Sets CPL; the caller goes on to modeRefresh(). */
@inline
export function cplSet(cpl: u32): void {
  store<u32>(cpu, cpl, CPU_CPL)
}
