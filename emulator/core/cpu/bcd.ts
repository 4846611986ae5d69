// Decimal adjustment (SDM 2 DAA, DAS, AAA, AAS, AAM, AAD). Flags the manual leaves undefined are as processors
// have them; the vectors mask them.

import { CPU_RAX, FAULT_DETAIL_DIVIDE } from '../layout'
import { cpu } from './context'
import { raise } from './fault'
import { FLAG_AF, FLAG_CF, FLAG_SF, FLAG_ZF, parityFlag, setStatus, statusFlags } from './flags'
import { EXC_DE } from './vectors'

function resultFlags(al: u32): u32 {
  return parityFlag(al) | (al == 0 ? FLAG_ZF : 0) | (al & 0x80 ? FLAG_SF : 0)
}

function decimal(subtract: bool): void {
  const old: u32 = load<u8>(cpu, CPU_RAX)
  const flags = statusFlags()
  let al = old
  let out: u32 = 0
  if ((al & 15) > 9 || flags & FLAG_AF) {
    al = subtract ? al - 6 : al + 6
    out |= FLAG_AF
    // DAS borrows out of the low nibble's correction too.
    if (subtract ? old < 6 : al > 0xff) out |= FLAG_CF
    if (flags & FLAG_CF) out |= FLAG_CF
  }
  if (old > 0x99 || flags & FLAG_CF) {
    al = subtract ? al - 0x60 : al + 0x60
    out |= FLAG_CF
  }
  al &= 0xff
  store<u8>(cpu, al as u8, CPU_RAX)
  setStatus(out | resultFlags(al))
}

function ascii(subtract: bool): void {
  const ax: u32 = load<u16>(cpu, CPU_RAX)
  const flags = statusFlags()
  let out: u32 = 0
  let result = ax
  if ((ax & 15) > 9 || flags & FLAG_AF) {
    result = subtract ? ax - 0x106 : ax + 0x106
    out = FLAG_AF | FLAG_CF
  }
  result &= 0xff0f
  store<u16>(cpu, result as u16, CPU_RAX)
  setStatus(out | resultFlags(result & 0xff))
}

/** `what`: DAA 0, DAS 1, AAA 2, AAS 3, AAM 4, AAD 5. False with #DE pending for AAM 0. */
export function adjust(what: u32, base: u32): bool {
  switch (what) {
    case 0:
    case 1:
      decimal(what == 1)
      return true
    case 2:
    case 3:
      ascii(what == 3)
      return true
    case 4: {
      if (base == 0) return raise(EXC_DE, 0, FAULT_DETAIL_DIVIDE)
      const al: u32 = load<u8>(cpu, CPU_RAX)
      store<u8>(cpu, <u8>(al / base), CPU_RAX + 1)
      store<u8>(cpu, <u8>(al % base), CPU_RAX)
      setStatus(resultFlags(al % base))
      return true
    }
    default: {
      const al: u32 = (<u32>load<u8>(cpu, CPU_RAX) + <u32>load<u8>(cpu, CPU_RAX + 1) * base) & 0xff
      store<u16>(cpu, al as u16, CPU_RAX)
      setStatus(resultFlags(al))
      return true
    }
  }
}
