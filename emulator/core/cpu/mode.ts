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
  MODE_LONG,
  MODE_PAGING,
  MODE_PROTECTED,
  MODE_STACK32,
  MODE_V86,
  SEG_CS,
  SEG_SS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_SIZE,
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
  tlbContextChanged()
}

/** Sets CPL; the caller goes on to modeRefresh(). */
@inline
export function cplSet(cpl: u32): void {
  store<u32>(cpu, cpl, CPU_CPL)
}
