// Instructions that end a trace: system instructions, port I/O, far transfers, string instructions. The run loop
// calls them with RFLAGS exact, CPU_RIP behind the instruction and CPU_FAULT_RIP at it.

import { biosCall } from '../bios/index'
import { climbAfter, climbAwaits, climbFrame } from '../machine/climb'
import { clockSpend } from '../machine/clock'
import { accessRead, alignmentIgnored, checkAligned } from '../memory/linear'
import { isRom } from '../memory/physical'
import {
  CLIMB_RING3,
  CPU_CPL,
  CPU_FETCH_FRAME,
  CPU_MODE,
  CPU_RAX,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_RSP,
  CPU_SHADOW,
  FAULT_DETAIL_INSTRUCTION_LENGTH,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  HDR_FOREIGN_ROM,
  HEADER,
  MODE_PROTECTED,
} from '../layout'
import { effectiveAddress, linearOf } from './address'
import { cpu } from './context'
import {
  clts,
  controlRegisterRead,
  controlRegisterWrite,
  debugRegisterRead,
  debugRegisterWrite,
  lmsw,
  privileged,
} from './control-registers'
import { cpuid } from './cpuid'
import { breakpointsEnabled, ioBreakpoints } from './debug'
import { lar, lgdt, lidt, lldt, lsl, ltr, verr, verw } from './descriptor-tables'
import { extension } from './extensions'
import { farCall, farJump } from './far-transfer'
import { farReturn } from './far-return'
import { swapgs, syscall, sysenter, sysexit, sysret } from './fast-system-call'
import { faultPending, raise } from './fault'
import { FLAG_OF, FLAG_ZF } from './flags'
import { cli, hlt, invlpg, popFlags, pushFlagsImage, sti } from './flags-register'
import { SOFTWARE_INTO, softwareInterrupt } from './interrupt'
import { ioPermitted } from './io-permission'
import { iret } from './iret'
import { rdmsr, rdtsc, wrmsr } from './msr'
import { SLOW_MEMORY, Sys } from './ops'
import { portIn, portOut } from './ports'
import { loadSegment } from './segments'
import { loadSized, operandRead, peekStack, popStack, pushStack, storeRegister } from './slow'
import { stackMask, stackPointerSet } from './stack'
import { stringInstruction } from './string'
import { O_AUX, O_AUX2, O_DISP, O_DST, O_IMM, O_SEGBASE, O_SEGMENT, O_SRC } from './trace-format'
import { EXC_GP, EXC_UD } from './vectors'

/** Carries out the SYSTEM record at `ip`. False: a fault is pending and nothing has changed. */
export function system(ip: usize): bool {
  const completed = operation(ip)
  climbAfter()
  return completed
}

function operation(ip: usize): bool {
  const flags = load<u32>(ip, O_AUX2)
  const size = flags & 0xff
  switch (load<u32>(ip, O_AUX)) {
    case Sys.UNDEFINED:
      return raise(EXC_UD, 0, flags)
    case Sys.TOO_LONG:
      return raise(EXC_GP, 0, FAULT_DETAIL_INSTRUCTION_LENGTH)
    case Sys.HLT:
      return hlt()
    case Sys.CLI:
      return cli()
    case Sys.STI:
      return sti()
    case Sys.IN:
    case Sys.OUT:
      return portAccess(ip)
    case Sys.STRING:
      return stringInstruction(ip)
    case Sys.INT:
      // INTO does nothing without an overflow (SDM 2 INT n).
      if (flags == SOFTWARE_INTO && !(load<u32>(cpu, CPU_RFLAGS) & FLAG_OF)) return true
      return softwareInterrupt(load<u8>(ip, O_IMM), flags)
    case Sys.IRET:
      if (climbAwaits(CLIMB_RING3)) climbFrame()
      return iret(size)
    case Sys.JMP_FAR:
      return farJump(load<u16>(ip, O_DISP), load<u64>(ip, O_IMM), size)
    case Sys.CALL_FAR:
      return farCall(load<u16>(ip, O_DISP), load<u64>(ip, O_IMM), size)
    case Sys.JMP_FAR_M:
      return farThroughMemory(ip, size, false)
    case Sys.CALL_FAR_M:
      return farThroughMemory(ip, size, true)
    case Sys.RET_FAR:
      if (climbAwaits(CLIMB_RING3)) climbFrame()
      return farReturn(size, load<u16>(ip, O_IMM))
    case Sys.LOAD_SEGMENT: {
      const selector = selectorOperand(ip, flags)
      return !faultPending() && loadSegment(load<u32>(ip, O_DST), selector)
    }
    case Sys.POP_SEGMENT:
      return popSegment(load<u32>(ip, O_DST), size)
    case Sys.LOAD_FAR:
      return loadFarPointer(ip, size)
    case Sys.PUSHF: {
      const image = pushFlagsImage(size)
      return !faultPending() && pushStack(image, size) != 1
    }
    case Sys.POPF: {
      const sp = load<u64>(cpu, CPU_RSP)
      const image = popStack(size)
      if (faultPending()) return false
      if (popFlags(size, image)) return true
      store<u64>(cpu, sp, CPU_RSP)
      return false
    }
    case Sys.CPUID:
      cpuid()
      return true
    case Sys.RDTSC:
      return rdtsc()
    case Sys.RDMSR:
      return rdmsr()
    case Sys.WRMSR:
      return wrmsr()
    default:
      return systemTables(ip, flags)
  }
}

function systemTables(ip: usize, flags: u32): bool {
  const size = flags & 0xff
  switch (load<u32>(ip, O_AUX)) {
    case Sys.LGDT:
    case Sys.LIDT:
      return loadTable(ip, size)
    case Sys.LLDT:
    case Sys.LTR: {
      if (!privileged()) return false
      const selector = selectorOperand(ip, flags)
      if (faultPending()) return false
      return load<u32>(ip, O_AUX) == Sys.LLDT ? lldt(selector) : ltr(selector)
    }
    case Sys.VERR:
    case Sys.VERW: {
      const selector = selectorOperand(ip, flags)
      if (faultPending()) return false
      if (load<u32>(ip, O_AUX) == Sys.VERR) verr(selector)
      else verw(selector)
      return !faultPending()
    }
    case Sys.LAR:
    case Sys.LSL: {
      const selector = selectorOperand(ip, flags)
      if (faultPending()) return false
      const value = load<u32>(ip, O_AUX) == Sys.LAR ? lar(selector) : lsl(selector)
      if (faultPending()) return false
      if (load<u32>(cpu, CPU_RFLAGS) & FLAG_ZF) storeRegister(load<u32>(ip, O_DST), size, value)
      return true
    }
    case Sys.LMSW: {
      if (!privileged()) return false
      const value = selectorOperand(ip, flags)
      return !faultPending() && lmsw(value)
    }
    case Sys.CLTS:
      return clts()
    case Sys.INVLPG:
      return invlpg(effectiveAddress(ip) + load<u64>(load<u32>(ip, O_SEGBASE)))
    case Sys.READ_CR:
    case Sys.READ_DR: {
      const n = load<u32>(ip, O_IMM)
      const value = load<u32>(ip, O_AUX) == Sys.READ_CR ? controlRegisterRead(n) : debugRegisterRead(n)
      if (faultPending()) return false
      storeRegister(load<u32>(ip, O_DST), size, value)
      return true
    }
    case Sys.WRITE_CR:
    case Sys.WRITE_DR: {
      const n = load<u32>(ip, O_IMM)
      const value = size == 8 ? load<u64>(load<u32>(ip, O_DST)) : (load<u32>(load<u32>(ip, O_DST)) as u64)
      return load<u32>(ip, O_AUX) == Sys.WRITE_CR
        ? controlRegisterWrite(n, value)
        : debugRegisterWrite(n, value)
    }
    case Sys.SYSCALL:
      return syscall()
    case Sys.SYSRET:
      return sysret(size)
    case Sys.SYSENTER:
      return sysenter()
    case Sys.SYSEXIT:
      return sysexit(size)
    case Sys.SWAPGS:
      return swapgs()
    case Sys.EXTENSION:
      return extension(ip)
    case Sys.WBINVD:
      return privileged()
    case Sys.PAUSE:
      return true
    case Sys.BIOS_CALL:
      // Only Ringside's own ROM, and only in real mode, speaks to the firmware's core.
      if (
        load<u32>(cpu, CPU_MODE) & MODE_PROTECTED ||
        !isRom(load<u64>(cpu, CPU_FETCH_FRAME)) ||
        load<u32>(HEADER, HDR_FOREIGN_ROM)
      ) {
        return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
      }
      biosCall(load<u8>(ip, O_IMM))
      clockSpend(BIOS_SERVICE_NS)
      return true
    default:
      return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  }
}

/** A 16-bit operand in a register or in memory; ask faultPending(). */
function selectorOperand(ip: usize, flags: u32): u32 {
  if (!(flags & SLOW_MEMORY)) return load<u16>(load<u32>(ip, O_SRC))
  const p = operandRead(ip, 2)
  return p ? load<u16>(p) : 0
}

@inline
function portNumber(ip: usize, flags: u32): u32 {
  return flags & 0x100 ? load<u16>(cpu, CPU_RDX) : load<u8>(ip, O_IMM)
}

/** What a short service of a BIOS in ROM takes: programs wait by calling them again and again (INT 1Ah, INT 16h). */
const BIOS_SERVICE_NS: u64 = 2000

/** IN and OUT. False: a fault is pending. */
export function portAccess(ip: usize): bool {
  const flags = load<u32>(ip, O_AUX2)
  const size = flags & 0xff
  const port = portNumber(ip, flags)
  if (!ioPermitted(port, size)) return false
  if (breakpointsEnabled()) ioBreakpoints(port, size)
  if (load<u32>(ip, O_AUX) == Sys.IN) {
    const value = portIn(port, size)
    storeRegister(cpu + CPU_RAX, size, value)
  } else portOut(port, size, load<u32>(cpu, CPU_RAX))
  return true
}

function farThroughMemory(ip: usize, size: u32, call: bool): bool {
  const p = farOperand(ip, size)
  if (!p) return false
  const offset = loadSized(p, size)
  const selector = load<u16>(p + size)
  return call ? farCall(selector, offset, size) : farJump(selector, offset, size)
}

/** POP Sreg: the stack pointer moves only after the segment was loaded, and as wide as the old stack. */
function popSegment(segment: u32, size: u32): bool {
  const selector = <u32>peekStack(0, size) & 0xffff
  if (faultPending()) return false
  const mask = stackMask()
  const sp = load<u64>(cpu, CPU_RSP)
  if (!loadSegment(segment, selector)) return false
  stackPointerSet(sp + size, mask)
  return true
}

/** A far pointer in memory. One of 16:16 bits need be aligned to two bytes only (SDM 3A table 6-7). */
function farOperand(ip: usize, size: u32): usize {
  if (size != 2) return operandRead(ip, size + 2)
  if (!checkAligned(linearOf(ip, 4, false), 2, load<u32>(cpu, CPU_CPL) == 3)) return 0
  alignmentIgnored(true)
  const p = operandRead(ip, 4)
  alignmentIgnored(false)
  return p
}

function loadFarPointer(ip: usize, size: u32): bool {
  const p = farOperand(ip, size)
  if (!p) return false
  const offset = loadSized(p, size)
  if (!loadSegment(load<u32>(ip, O_SRC), load<u16>(p + size))) return false
  // LSS loads the stack pointer itself and inhibits nothing (SDM 3A 6.8.3).
  store<u32>(cpu, 0, CPU_SHADOW)
  storeRegister(load<u32>(ip, O_DST), size, offset)
  return true
}

/** LGDT, LIDT: limit, then 24, 32 or 64 bits of base by operand size (SDM 2 LGDT). */
function loadTable(ip: usize, size: u32): bool {
  if (!privileged()) return false
  const bytes: u32 = size == 8 ? 10 : 6
  const p = accessRead(
    linearOf(ip, bytes, false),
    bytes,
    load<u8>(ip, O_SEGMENT),
    load<u32>(cpu, CPU_CPL) == 3,
  )
  if (!p) return false
  const limit: u32 = load<u16>(p)
  let base = loadSized(p + 2, size == 8 ? 8 : 4)
  if (size == 2) base &= 0xffffff
  return load<u32>(ip, O_AUX) == Sys.LGDT ? lgdt(base, limit) : lidt(base, limit)
}
