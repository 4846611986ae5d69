// IRET, IRETD, IRETQ (SDM 2A IRET; SDM 3A 6.14.3). Returns to virtual-8086 mode and from a nested task are not
// implemented: #UD.

import {
  CPU_CPL,
  CPU_MODE,
  CPU_NMI,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  FAULT_DETAIL_NOT_IMPLEMENTED,
  FAULT_DETAIL_PRIVILEGE,
  MODE_CODE64,
  MODE_LONG,
  MODE_SIZE,
  MODE_V86,
  SEG_CS,
} from '../layout'
import { cpu } from './context'
import { descriptorSetAccessed } from './descriptors'
import { returnAccessed, returnCodeFetch, returnStackCommit, returnStackFetch } from './far-return'
import { codeOffsetValid, realTargetValid, selectorsAreReal, transfer } from './far-transfer'
import { faultPending, raise } from './fault'
import { FLAG_AC, FLAG_ID, FLAG_IF, FLAG_NT, FLAG_RF, FLAG_VM } from './flags'
import { segmentSetReal, segmentsInvalidateOuter } from './segments'
import { stackMask, stackPeek, stackPointerSet } from './stack'
import { EXC_GP, EXC_UD } from './vectors'

/** CF PF AF ZF SF TF DF OF NT: what every IRET restores. */
const FLAGS_ALWAYS: u32 = 0x4dd5
const FLAGS_IOPL: u32 = 0x3000
const FLAGS_VIF_VIP: u32 = 0x180000

/** `size`: operand size in bytes. False: a fault is pending, nothing has changed. */
export function iret(size: u32): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  if (mode & MODE_V86) return raise(EXC_UD, 0, FAULT_DETAIL_NOT_IMPLEMENTED)
  const real = selectorsAreReal()
  if (!real && load<u64>(cpu, CPU_RFLAGS) & FLAG_NT) {
    if (mode & MODE_LONG) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
    return raise(EXC_UD, 0, FAULT_DETAIL_NOT_IMPLEMENTED)
  }
  const offset = stackPeek(0, size)
  const selector = <u32>stackPeek(size, size) & 0xffff
  const flags = <u32>stackPeek(2 * size, size)
  if (faultPending()) return false
  if (real) {
    if (!iretReal(selector, offset, flags, size)) return false
  } else if (!iretProtected(selector, offset, flags, size)) return false
  store<u32>(cpu, load<u32>(cpu, CPU_NMI) & ~2, CPU_NMI)
  return true
}

function iretReal(selector: u32, offset: u64, flags: u32, size: u32): bool {
  if (!realTargetValid(offset)) return false
  stackPointerSet(load<u64>(cpu, CPU_RSP) + 3 * size, stackMask())
  segmentSetReal(SEG_CS, selector)
  store<u64>(cpu, offset, CPU_RIP)
  flagsRestore(flags, size, 0)
  return true
}

function iretProtected(selector: u32, offset: u64, flags: u32, size: u32): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  const cpl = load<u32>(cpu, CPU_CPL)
  if (flags & FLAG_VM && size == 4 && cpl == 0 && !(mode & MODE_LONG)) {
    return raise(EXC_UD, 0, FAULT_DETAIL_NOT_IMPLEMENTED)
  }
  const code = returnCodeFetch(selector)
  if (faultPending()) return false
  // 64-bit mode pops SS:RSP whatever the privilege (SDM 3A 6.14.3).
  if ((selector & 3) > cpl || (mode & MODE_SIZE) == MODE_CODE64) {
    return iretWithStack(selector, code, offset, flags, size)
  }
  if (!codeOffsetValid(code, offset) || !descriptorSetAccessed(selector, code)) return false
  stackPointerSet(load<u64>(cpu, CPU_RSP) + 3 * size, stackMask())
  flagsRestore(flags, size, cpl)
  transfer(selector, code, offset, cpl)
  return true
}

function iretWithStack(selector: u32, code: u64, offset: u64, flags: u32, size: u32): bool {
  const pointer = stackPeek(3 * size, size)
  const stack = <u32>stackPeek(4 * size, size) & 0xffff
  if (faultPending()) return false
  const cpl = load<u32>(cpu, CPU_CPL)
  const outer = selector & 3
  const raw = returnStackFetch(stack, outer, code)
  if (faultPending() || !codeOffsetValid(code, offset)) return false
  if (!returnAccessed(selector, code, stack, raw)) return false
  returnStackCommit(stack, raw, pointer, outer, code)
  flagsRestore(flags, size, cpl)
  transfer(selector, code, offset, outer)
  if (outer > cpl) segmentsInvalidateOuter(outer)
  return true
}

/** Loads the flags that an IRET executed at `cpl` may change. */
function flagsRestore(popped: u32, size: u32, cpl: u32): void {
  const old = load<u32>(cpu, CPU_RFLAGS)
  let mask = FLAGS_ALWAYS
  if (size != 2) mask |= FLAG_RF | FLAG_AC | FLAG_ID
  if (cpl <= ((old >> 12) & 3)) mask |= FLAG_IF
  if (cpl == 0) {
    mask |= FLAGS_IOPL
    if (size != 2 && !selectorsAreReal()) mask |= FLAGS_VIF_VIP
  }
  store<u64>(cpu, (old & ~mask) | (popped & mask) | 2, CPU_RFLAGS)
}
