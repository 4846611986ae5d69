// IRET, IRETD, IRETQ (SDM 2A IRET; SDM 3A 6.14.3), to and in virtual-8086 mode too; from a nested task: task.ts.

import {
  CPU_CPL,
  CPU_MODE,
  CPU_NMI,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_TARGET_LIMIT,
  MODE_CODE64,
  MODE_LONG,
  MODE_SIZE,
  MODE_V86,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../layout'
import { cpu } from './context'
import { descriptorSetAccessed } from './descriptors'
import { returnAccessed, returnCodeFetch, returnStackCommit, returnStackFetch } from './far-return'
import { codeOffsetValid, realTargetValid, selectorsAreReal, transfer } from './far-transfer'
import { faultPending, raise } from './fault'
import { FLAG_AC, FLAG_ID, FLAG_IF, FLAG_NT, FLAG_RF, FLAG_VM } from './flags'
import { iretFast32, iretFast64 } from './interrupt-fast'
import {
  ioPrivilegeLevel,
  v86FlagsAllowed,
  virtualFlagsLoad,
  virtualFlagsValid,
  virtualInterruptNone,
} from './flags-register'
import { cplSet, modeRefresh } from './mode'
import { segmentSetReal, segmentsInvalidateOuter } from './segments'
import { stackMask, stackPeek, stackPointerSet } from './stack'
import { taskReturn } from './task'
import { EXC_GP } from './vectors'

/** CF PF AF ZF SF TF DF OF NT: what every IRET restores. */
const FLAGS_ALWAYS: u32 = 0x4dd5
const FLAGS_IOPL: u32 = 0x3000
const FLAGS_VIF_VIP: u32 = 0x180000

/** `size`: operand size in bytes. False: a fault is pending, nothing has changed. */
export function iret(size: u32): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  if (size == 8 ? (mode & MODE_SIZE) == MODE_CODE64 && iretFast64() : size == 4 && iretFast32()) return true
  const real = selectorsAreReal()
  if (!real && load<u64>(cpu, CPU_RFLAGS) & FLAG_NT) {
    if (mode & MODE_LONG) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
    if (!taskReturn()) return false
    store<u32>(cpu, load<u32>(cpu, CPU_NMI) & ~2, CPU_NMI)
    return true
  }
  if (mode & MODE_V86 && !v86FlagsAllowed(size)) return false
  // Which of them is read first, and that selectors are words, shows in CR2: as Intel's processors do it.
  const flags = <u32>stackPeek(2 * size, size)
  const selector = faultPending() ? 0 : <u32>stackPeek(size, 2)
  const offset = faultPending() ? 0 : stackPeek(0, size)
  if (faultPending()) return false
  if (real) {
    if (!iretReal(selector, offset, flags, size)) return false
  } else if (!iretProtected(selector, offset, flags, size)) return false
  store<u32>(cpu, load<u32>(cpu, CPU_NMI) & ~2, CPU_NMI)
  return virtualInterruptNone()
}

function iretReal(selector: u32, offset: u64, flags: u32, size: u32): bool {
  if (!realTargetValid(offset)) return false
  const v86 = (load<u32>(cpu, CPU_MODE) & MODE_V86) != 0
  if (v86 && !virtualFlagsValid(flags)) return false
  stackPointerSet(load<u64>(cpu, CPU_RSP) + 3 * size, stackMask())
  segmentSetReal(SEG_CS, selector)
  store<u64>(cpu, offset, CPU_RIP)
  if (v86 && ioPrivilegeLevel() < 3) virtualFlagsLoad(flags)
  else flagsRestore(flags, size, v86 ? 3 : 0)
  return true
}

/** The monitor enters or resumes an 8086 program: nine doublewords (SDM 3B 21.2.5). */
function iretToV86(selector: u32, offset: u64, flags: u32): bool {
  const pointer = stackPeek(12, 4)
  for (let n: u32 = 0; n < 5; n++) stackPeek(16 + n * 4, 4)
  if (faultPending()) return false
  if (offset > 0xffff) return raise(EXC_GP, 0, FAULT_DETAIL_TARGET_LIMIT, offset, 0xffff)
  const stack = <u32>stackPeek(16, 4)
  const es = <u32>stackPeek(20, 4)
  const ds = <u32>stackPeek(24, 4)
  const fs = <u32>stackPeek(28, 4)
  const gs = <u32>stackPeek(32, 4)
  flagsRestore(flags, 4, 0)
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) | FLAG_VM, CPU_RFLAGS)
  cplSet(3)
  modeRefresh()
  segmentSetReal(SEG_CS, selector)
  segmentSetReal(SEG_SS, stack)
  segmentSetReal(SEG_ES, es)
  segmentSetReal(SEG_DS, ds)
  segmentSetReal(SEG_FS, fs)
  segmentSetReal(SEG_GS, gs)
  modeRefresh()
  store<u64>(cpu, offset, CPU_RIP)
  store<u64>(cpu, pointer, CPU_RSP)
  return true
}

function iretProtected(selector: u32, offset: u64, flags: u32, size: u32): bool {
  const mode = load<u32>(cpu, CPU_MODE)
  const cpl = load<u32>(cpu, CPU_CPL)
  if (flags & FLAG_VM && size == 4 && cpl == 0 && !(mode & MODE_LONG)) {
    return iretToV86(selector, offset, flags)
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
  const stack = <u32>stackPeek(4 * size, 2)
  const pointer = faultPending() ? 0 : stackPeek(3 * size, size)
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
