// Whether the system lets a vector instruction execute (SDM 2 2.4-2.6, 3A 13.1, 14.1).

import { CPU_CR0, CPU_CR4, CPU_XCR0, FAULT_DETAIL_PRIVILEGE } from '../../layout'
import { cpu } from '../context'
import { CR4_OSFXSR, CR4_OSXSAVE } from '../control-registers'
import { raise } from '../fault'
import { EXC_MF, EXC_NM, EXC_UD } from '../vectors'
import { x87ExceptionPending } from '../x87/mmx-state'

const CR0_EM: u32 = 4
const CR0_TS: u32 = 8
const XCR0_SSE_AVX: u32 = 6
// Of O_AUX2, as decode-simd.ts has them.
const VEX: u32 = 1 << 13
const MMX: u32 = 1 << 23

/** False with #UD, #NM or #MF pending. `flags`: VECTOR_* of the record. */
export function vectorAvailable(flags: u32): bool {
  const cr0 = load<u32>(cpu, CPU_CR0)
  const cr4 = load<u32>(cpu, CPU_CR4)
  if (flags & VEX) {
    if (!(cr4 & <u32>CR4_OSXSAVE) || (load<u32>(cpu, CPU_XCR0) & XCR0_SSE_AVX) != XCR0_SSE_AVX)
      return raise(EXC_UD, 0, FAULT_DETAIL_PRIVILEGE, cr4)
    if (cr0 & CR0_TS) return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, cr0)
    return true
  }
  if (cr0 & CR0_EM) return raise(EXC_UD, 0, FAULT_DETAIL_PRIVILEGE, cr0)
  if (!(flags & MMX) && !(cr4 & <u32>CR4_OSFXSR)) return raise(EXC_UD, 0, FAULT_DETAIL_PRIVILEGE, cr4)
  if (cr0 & CR0_TS) return raise(EXC_NM, 0, FAULT_DETAIL_PRIVILEGE, cr0)
  if (flags & MMX && x87ExceptionPending()) return raise(EXC_MF, 0, FAULT_DETAIL_PRIVILEGE)
  return true
}
