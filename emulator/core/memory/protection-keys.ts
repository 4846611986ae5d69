// Protection keys (SDM 3A 4.6.2): every page has one of sixteen keys; PKRU says what may be done with user pages of a key,
// IA32_PKRS with supervisor pages. They restrict data accesses in IA-32e mode, never instruction fetches.

import { cpu } from '../cpu/context'
import { XSAVE_PKRU } from '../cpu/simd/xsave-format'
import {
  CPU_CR0,
  CPU_CR4,
  CPU_MODE,
  CPU_PKRS,
  CPU_XSAVE,
  MODE_LONG,
  TLB_KEY_SHIFT,
  TLB_USER,
} from '../layout'

const CR0_WP: u32 = 0x10000
const CR4_PKE: u32 = 1 << 22
const CR4_PKS: u32 = 1 << 24

/** Whether keys have a say at all now. */
@inline
export function protectionKeysOn(): bool {
  return (load<u32>(cpu, CPU_CR4) & (CR4_PKE | CR4_PKS)) != 0 && (load<u32>(cpu, CPU_MODE) & MODE_LONG) != 0
}

/** Whether the key in `flags` (TLB_USER, TLB_KEY_SHIFT) keeps data accesses of the kind from its page. */
export function keyBars(flags: u32, write: bool, user: bool): bool {
  const userPage = (flags & TLB_USER) != 0
  if (!(load<u32>(cpu, CPU_CR4) & (userPage ? CR4_PKE : CR4_PKS))) return false
  const rights = userPage ? load<u32>(cpu, CPU_XSAVE + XSAVE_PKRU) : load<u32>(cpu, CPU_PKRS)
  const pair = (rights >> (((flags >> TLB_KEY_SHIFT) & 15) * 2)) & 3
  // Bit 0 AD, bit 1 WD; a supervisor heeds WD only with CR0.WP.
  if (pair & 1) return true
  return write && (pair & 2) != 0 && (user || (load<u32>(cpu, CPU_CR0) & CR0_WP) != 0)
}
