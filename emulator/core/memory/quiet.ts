// Reading the guest's memory for onlookers: no mark in the page tables, the TLB or the frame metadata, and no fault. What is
// not mapped, or not memory, is not read.

import { cpu } from '../cpu/context'
import { CPU_CR0, CPU_CR3, CPU_CR4, CPU_EFER, FAST_ADDEND, FAST_READ } from '../layout'
import { physicalPointer } from './physical'
import { fastIndex, tlbContext } from './tlb'

/** A byte at a linear address; where nothing is mapped: a question mark. */
export function quietByte(linear: u64): u8 {
  const pointer = quietPointer(linear)
  return pointer ? load<u8>(pointer) : 0x3f
}

/** Set by quietWord() when it could not read. */
export let quietFailed: bool = false

/** A word of `size` bytes (4 or 8) at a linear address; 0 and quietFailed where it is not mapped. */
export function quietWord(linear: u64, size: u32): u64 {
  quietFailed = false
  const page = linear & ~(0xfff as u64)
  if ((linear & 0xfff) + size <= 4096) {
    // What the CPU itself would read: the commonest case is a stack that it has just written to.
    const fast = fastIndex(linear)
    const pointer =
      load<u64>(fast, FAST_READ) == (page | tlbContext)
        ? <usize>linear + load<u32>(fast, FAST_ADDEND)
        : quietPointer(linear)
    if (pointer) return size == 8 ? load<u64>(pointer) : <u64>load<u32>(pointer)
    quietFailed = true
    return 0
  }
  let value: u64 = 0
  for (let i: u32 = 0; i < size; i++) {
    const pointer = quietPointer(linear + i)
    if (!pointer) {
      quietFailed = true
      return 0
    }
    value |= (load<u8>(pointer) as u64) << (i << 3)
  }
  return value
}

function quietPointer(linear: u64): usize {
  const phys = quietWalk(linear)
  return phys == u64.MAX_VALUE ? 0 : physicalPointer(phys)
}

/** SDM 3A 4.3 to 4.5, all paging modes; all ones when not present. */
function quietWalk(linear: u64): u64 {
  if (!((load<u64>(cpu, CPU_CR0) >> 31) & 1)) return linear & 0xffffffff
  const cr4 = load<u64>(cpu, CPU_CR4)
  const long = ((load<u64>(cpu, CPU_EFER) >> 10) & 1) != 0
  const wide = ((cr4 >> 5) & 1) != 0
  let level: u32 = long ? (((cr4 >> 12) & 1) != 0 ? 5 : 4) : wide ? 3 : 2
  const bits: u32 = wide ? 9 : 10
  let table = load<u64>(cpu, CPU_CR3) & (long ? 0x000ffffffffff000 : level == 3 ? 0xffffffe0 : 0xfffff000)
  while (level > 0) {
    const shift: u64 = 12 + bits * (level - 1)
    const index = (linear >> shift) & ((1 << (level == 3 && !long ? 2 : bits)) - 1)
    const pointer = physicalPointer(table + index * (wide ? 8 : 4))
    if (!pointer) return u64.MAX_VALUE
    const entry: u64 = wide ? load<u64>(pointer) : load<u32>(pointer)
    if (!(entry & 1)) return u64.MAX_VALUE
    const address = entry & (wide ? 0x000ffffffffff000 : 0xfffff000)
    const large = (entry & 0x80) != 0 && (level == 2 || (level == 3 && long))
    if (level == 1 || large) {
      const mask: u64 = ((1 as u64) << shift) - 1
      return (address & ~mask) | (linear & mask)
    }
    table = address
    level--
  }
  return u64.MAX_VALUE
}
