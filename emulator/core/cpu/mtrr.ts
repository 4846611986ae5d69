// Memory type range registers (SDM 3A 11.11). This machine's memory has no caches to steer, so they are checked
// and kept, nothing more.

import { CPU_MTRR_DEF_TYPE, CPU_MTRR_FIXED, CPU_MTRR_VARIABLE } from '../layout'
import { cpu } from './context'
import { BEYOND_PHYSICAL } from './control-registers'

const VARIABLE_COUNT: u32 = 8
/** IA32_MTRRCAP: eight variable ranges, fixed ranges, write combining. */
export const MTRR_CAP_VALUE: u64 = 0x508

const MTRR_PHYSBASE0: u32 = 0x200
const MTRR_FIX64K_00000: u32 = 0x250
const MTRR_FIX16K_80000: u32 = 0x258
const MTRR_FIX16K_A0000: u32 = 0x259
const MTRR_FIX4K_C0000: u32 = 0x268
const MTRR_FIX4K_F8000: u32 = 0x26f
const MTRR_DEF_TYPE: u32 = 0x2ff

export function isMtrr(index: u32): bool {
  return mtrrCell(index) != 0
}

export function mtrrRead(index: u32): u64 {
  return load<u64>(mtrrCell(index))
}

/** False when a type or a reserved bit is wrong (#GP for the caller to raise); then nothing has changed. */
export function mtrrWrite(index: u32, value: u64): bool {
  if (!mtrrValid(index, value)) return false
  store<u64>(mtrrCell(index), value)
  return true
}

function mtrrCell(index: u32): usize {
  if (index >= MTRR_PHYSBASE0 && index < MTRR_PHYSBASE0 + 2 * VARIABLE_COUNT) {
    return cpu + CPU_MTRR_VARIABLE + (index - MTRR_PHYSBASE0) * 8
  }
  if (index == MTRR_FIX64K_00000) return cpu + CPU_MTRR_FIXED
  if (index == MTRR_FIX16K_80000 || index == MTRR_FIX16K_A0000) {
    return cpu + CPU_MTRR_FIXED + (1 + index - MTRR_FIX16K_80000) * 8
  }
  if (index >= MTRR_FIX4K_C0000 && index <= MTRR_FIX4K_F8000) {
    return cpu + CPU_MTRR_FIXED + (3 + index - MTRR_FIX4K_C0000) * 8
  }
  return index == MTRR_DEF_TYPE ? cpu + CPU_MTRR_DEF_TYPE : 0
}

/** UC, WC, WT, WP, WB (SDM 3A table 11-8). */
function typeValid(type: u64): bool {
  return type == 0 || type == 1 || (type >= 4 && type <= 6)
}

function mtrrValid(index: u32, value: u64): bool {
  if (index == MTRR_DEF_TYPE) return typeValid(value & 0xff) && !(value & ~(0xcff as u64))
  if (index < MTRR_FIX64K_00000) {
    if (value & BEYOND_PHYSICAL) return false
    return index & 1 ? !(value & 0x7ff) : typeValid(value & 0xff) && !(value & 0xf00)
  }
  for (let i = 0; i < 8; i++) if (!typeValid((value >> (i * 8)) & 0xff)) return false
  return true
}
