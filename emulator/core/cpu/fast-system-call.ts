// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS (SDM 3A 5.8.7, 5.8.8; SDM 2B). CS and SS get fixed contents; no
// descriptor is read.

import {
  CLIMB_RING3,
  CPU_CPL,
  CPU_CR0,
  CPU_EFER,
  CPU_KERNEL_GS_BASE,
  CPU_LSTAR,
  CPU_MODE,
  CPU_R8,
  CPU_RCX,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_RSP,
  CPU_SFMASK,
  CPU_STAR,
  CPU_SYSENTER_CS,
  CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEG_GS,
  SEG_SS,
  SEGMENT_BASE,
} from '../layout'
import { climbBefore, milestone } from '../machine/climb'
import { canonical } from '../memory/linear'
import { cpu } from './context'
import { CR0_PE, EFER_LMA, EFER_SCE, privileged } from './control-registers'
import { ATTRIBUTE_DB, ATTRIBUTE_G, ATTRIBUTE_L, ATTRIBUTE_P, ATTRIBUTE_S } from './descriptors'
import { raise } from './fault'
import { FLAG_IF, FLAG_RF, FLAG_VM } from './flags'
import { cplSet, modeRefresh } from './mode'
import { segmentPointer, segmentStore } from './segments'
import { EXC_GP, EXC_UD } from './vectors'

const CPU_R11 = CPU_R8 + 3 * 8
/** The flags SYSRET takes from R11 (SDM 2B SYSRET). */
const SYSRET_FLAGS: u64 = 0x3c7fd7

/** Flat, accessed, readable code and writable data, as the four instructions install them. */
const FLAT_CODE: u32 = 0x0b | ATTRIBUTE_S | ATTRIBUTE_P | ATTRIBUTE_G
const FLAT_STACK: u32 = 0x03 | ATTRIBUTE_S | ATTRIBUTE_P | ATTRIBUTE_G | ATTRIBUTE_DB

function code64(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
}

/** Installs CS and SS for privilege `cpl`; 64-bit or 32-bit code. */
function segmentsInstall(code: u32, stack: u32, cpl: u32, long: bool): void {
  const rights = FLAT_CODE | (cpl << 5) | (long ? ATTRIBUTE_L : ATTRIBUTE_DB)
  segmentStore(SEG_CS, (code & 0xfffc) | cpl, 0, 0xffffffff, rights)
  segmentStore(SEG_SS, (stack & 0xfffc) | cpl, 0, 0xffffffff, FLAT_STACK | (cpl << 5))
  cplSet(cpl)
  modeRefresh()
  if (cpl == 3) milestone(CLIMB_RING3)
}

/** SYSCALL: 64-bit mode with EFER.SCE only, else #UD. CPU_RIP (the next instruction) goes to RCX. */
export function syscall(): bool {
  if (!code64() || !(load<u64>(cpu, CPU_EFER) & EFER_SCE))
    return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  const flags = load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_RF as u64)
  store<u64>(cpu, load<u64>(cpu, CPU_RIP), CPU_RCX)
  store<u64>(cpu, flags, CPU_R11)
  store<u64>(cpu, load<u64>(cpu, CPU_LSTAR), CPU_RIP)
  store<u64>(cpu, (flags & ~load<u64>(cpu, CPU_SFMASK)) | 2, CPU_RFLAGS)
  const code = <u32>(load<u64>(cpu, CPU_STAR) >> 32) & 0xfffc
  segmentsInstall(code, code + 8, 0, true)
  return true
}

/** SYSRET to 64-bit code (`size` 8, RCX must be canonical) or to 32-bit code. CPL 0 only. */
export function sysret(size: u32): bool {
  if (!code64() || !(load<u64>(cpu, CPU_EFER) & EFER_SCE))
    return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  if (!privileged()) return false
  const long = size == 8
  const rip = load<u64>(cpu, CPU_RCX)
  if (long && !canonical(rip)) return raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, rip)
  climbBefore(CLIMB_RING3)
  store<u64>(cpu, long ? rip : rip & 0xffffffff, CPU_RIP)
  store<u64>(cpu, (load<u64>(cpu, CPU_R11) & SYSRET_FLAGS & ~(<u64>(FLAG_RF | FLAG_VM))) | 2, CPU_RFLAGS)
  const base = <u32>(load<u64>(cpu, CPU_STAR) >> 48)
  segmentsInstall(long ? base + 16 : base, base + 8, 3, long)
  return true
}

function sysenterCode(): u32 {
  return load<u32>(cpu, CPU_SYSENTER_CS) & 0xfffc
}

/** SYSENTER: protected mode, IA32_SYSENTER_CS not null, else #GP(0). Enters 64-bit code in IA-32e mode. */
export function sysenter(): bool {
  const code = sysenterCode()
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PE)) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  if (!code) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, code)
  const long = (load<u64>(cpu, CPU_EFER) & EFER_LMA) != 0
  const mask: u64 = long ? u64.MAX_VALUE : 0xffffffff
  store<u64>(cpu, load<u64>(cpu, CPU_SYSENTER_ESP) & mask, CPU_RSP)
  store<u64>(cpu, load<u64>(cpu, CPU_SYSENTER_EIP) & mask, CPU_RIP)
  const cleared = <u64>(FLAG_VM | FLAG_IF | FLAG_RF)
  store<u64>(cpu, load<u64>(cpu, CPU_RFLAGS) & ~cleared, CPU_RFLAGS)
  segmentsInstall(code, code + 8, 0, long)
  return true
}

/** SYSEXIT to CPL 3: RIP from RDX, RSP from RCX. `size` 8 returns to 64-bit code. */
export function sysexit(size: u32): bool {
  const code = sysenterCode()
  if (!(load<u64>(cpu, CPU_CR0) & CR0_PE)) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  if (!code) return raise(EXC_GP, 0, FAULT_DETAIL_SELECTOR_NULL, code)
  if (!privileged()) return false
  const long = size == 8
  const rip = load<u64>(cpu, CPU_RDX)
  const rsp = load<u64>(cpu, CPU_RCX)
  if (long && !canonical(rip)) return raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, rip)
  if (long && !canonical(rsp)) return raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, rsp)
  climbBefore(CLIMB_RING3)
  store<u64>(cpu, long ? rip : rip & 0xffffffff, CPU_RIP)
  store<u64>(cpu, long ? rsp : rsp & 0xffffffff, CPU_RSP)
  segmentsInstall(long ? code + 32 : code + 16, long ? code + 40 : code + 24, 3, long)
  return true
}

/** SWAPGS: 64-bit mode (#UD), CPL 0 (#GP). */
export function swapgs(): bool {
  if (!code64()) return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  if (load<u32>(cpu, CPU_CPL) != 0) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  const gs = segmentPointer(SEG_GS)
  const base = load<u64>(gs, SEGMENT_BASE)
  store<u64>(gs, load<u64>(cpu, CPU_KERNEL_GS_BASE), SEGMENT_BASE)
  store<u64>(cpu, base, CPU_KERNEL_GS_BASE)
  return true
}
