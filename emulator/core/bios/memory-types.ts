// Memory types of the address map, alike on every CPU (SDM 3A 11.11): RAM write-back, the VGA's memory and what lies above
// RAM uncached, ROM write-protected. A board's firmware starts the other CPUs for a moment to set them; this one
// sets them from here.
import {
  CPU_MTRR_DEF_TYPE,
  CPU_MTRR_FIXED,
  CPU_MTRR_VARIABLE,
  HDR_CPU_COUNT,
  HEADER,
  VCPU_STRIDE,
  VCPUS,
} from '../layout'

const WRITE_BACK: u64 = 0x0606060606060606
const UNCACHED: u64 = 0
const WRITE_PROTECTED: u64 = 0x0505050505050505
/** MTRRs and fixed ranges on, write-back where none says otherwise. */
const DEFAULT: u64 = 0xc06
/** C0000000h-FFFFFFFFh uncached: base and mask of 1 GiB in 40 bits. */
const HIGH_BASE: u64 = 0xc0000000
const HIGH_MASK: u64 = 0xffc0000800

export function memoryTypes(): void {
  const count = load<u32>(HEADER, HDR_CPU_COUNT)
  for (let index: u32 = 0; index < count; index++) {
    const block: usize = VCPUS + index * VCPU_STRIDE
    // 64K_00000, 16K_80000, 16K_A0000, then the eight of 4 KiB pages from C0000
    for (let range: usize = 0; range < 11; range++) {
      const type = range < 2 ? WRITE_BACK : range == 2 ? UNCACHED : WRITE_PROTECTED
      store<u64>(block + range * 8, type, CPU_MTRR_FIXED)
    }
    store<u64>(block, HIGH_BASE, CPU_MTRR_VARIABLE)
    store<u64>(block + 8, HIGH_MASK, CPU_MTRR_VARIABLE)
    store<u64>(block, DEFAULT, CPU_MTRR_DEF_TYPE)
  }
}
