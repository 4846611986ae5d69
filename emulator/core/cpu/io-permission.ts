// Whether IN, OUT, INS, OUTS may reach a port (SDM 1 19.5).

import {
  CPU_CPL,
  CPU_MODE,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_TSS,
  MODE_PROTECTED,
  MODE_V86,
  SEG_TR,
} from '../layout'
import { systemRead16 } from '../memory/linear'
import { cpu } from './context'
import { attributesType, tableLinear, TYPE_TSS32, TYPE_TSS32_BUSY } from './descriptors'
import { faultPending, raise } from './fault'
import { ioPrivilegeLevel } from './flags-register'
import { segmentAttributes, segmentBase, segmentLimit } from './segments'
import { EXC_GP } from './vectors'

/** Offset of the I/O map base address in a 32- and 64-bit TSS. */
const IO_MAP_BASE: u32 = 0x66

/** `size` ports from `port`. False: #GP(0) (or #PF reading the TSS) is pending. */
@inline
export function ioPermitted(port: u32, size: u32): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  if (!(mode & MODE_PROTECTED)) return true
  if (!(mode & MODE_V86) && load<u32>(cpu, CPU_CPL) <= ioPrivilegeLevel()) return true
  return bitmapPermits(port & 0xffff, size)
}

function bitmapPermits(port: u32, size: u32): bool {
  const type = attributesType(segmentAttributes(SEG_TR))
  const limit = segmentLimit(SEG_TR)
  if ((type != TYPE_TSS32 && type != TYPE_TSS32_BUSY) || limit < IO_MAP_BASE + 1) {
    return raise(EXC_GP, 0, FAULT_DETAIL_TSS, IO_MAP_BASE, limit)
  }
  const base = segmentBase(SEG_TR)
  const byte = <u32>systemRead16(tableLinear(base, IO_MAP_BASE)) + (port >> 3)
  if (faultPending()) return false
  // Two bytes are always read, so that an access may straddle them (SDM 1 19.5.2).
  if (byte + 1 > limit) return raise(EXC_GP, 0, FAULT_DETAIL_TSS, byte, limit)
  const bits = <u32>systemRead16(tableLinear(base, byte)) >> (port & 7)
  if (faultPending()) return false
  return !(bits & ((1 << size) - 1)) || raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE, port)
}
