// System instructions that came after the 64-bit extensions: RDTSCP, RDPID, RDPMC, RD/WRFSBASE, CLAC, STAC, INVPCID,
// MONITOR, MWAIT, RDRAND, RDSEED, RDPKRU, WRPKRU (SDM 2). Each exists when CPUID says so.

import { lapicTimerHalts } from '../chipset/lapic-timer'
import { accessRead, canonical, canonicalBase } from '../memory/linear'
import { monitorArm, monitorArmed, monitorBroken } from '../machine/monitor'
import { tlbFlushAll, tlbFlushProcessContext, tlbInvalidateIn } from '../memory/tlb'
import {
  ACTIVITY_MWAIT,
  CPU_ACTIVITY,
  CPU_CPL,
  CPU_CR4,
  CPU_MODE,
  CPU_RANDOM,
  CPU_RAX,
  CPU_RCX,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_SEGMENTS,
  CPU_TSC_AUX,
  CPU_XSAVE,
  FAULT_DETAIL_CONTROL_REGISTER,
  FAULT_DETAIL_NON_CANONICAL,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE64,
  MODE_SIZE,
  SEG_DS,
  SEG_FS,
  SEG_GS,
  SEGMENT_BASE,
  SEGMENT_SIZE,
} from '../layout'
import { linearOf } from './address'
import { cpu, ram, ramSize } from './context'
import { CR4_FSGSBASE, CR4_PCE, CR4_PCIDE, CR4_PKE, privileged } from './control-registers'
import {
  FEATURE7_FSGSBASE,
  FEATURE7_INVPCID,
  FEATURE7_RDPID,
  FEATURE7_RDSEED,
  FEATURE7_SMAP,
  FEATURE_MONITOR,
  FEATURE_RDRAND,
  FEATURE_RDTSCP,
  feature,
  WORD_1_ECX,
  WORD_7_EBX,
  WORD_7_ECX,
  WORD_EXTENDED_EDX,
} from './cpuid'
import { raise } from './fault'
import { FLAG_AC, FLAG_CF, FLAG_IF, FLAGS_STATUS } from './flags'
import { rdtsc } from './msr'
import { Extension } from './ops'
import { pkruSet } from './simd/xsave'
import { XSAVE_PKRU } from './simd/xsave-format'
import { storeRegister } from './slow'
import { O_AUX2, O_DST, O_SEGMENT } from './trace-format'
import { EXC_GP, EXC_UD } from './vectors'

function undefined_(): bool {
  return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
}

/** Carries out the EXTENSION record at `ip`. False: a fault is pending and nothing has changed. */
export function extension(ip: usize): bool {
  const flags = load<u32>(ip, O_AUX2)
  const size = flags & 0xff
  const operand: usize = load<u32>(ip, O_DST)
  switch (flags >> 16) {
    case Extension.RDTSCP:
      if (!feature(WORD_EXTENDED_EDX, FEATURE_RDTSCP)) return undefined_()
      if (!rdtsc()) return false
      store<u64>(cpu, load<u32>(cpu, CPU_TSC_AUX), CPU_RCX)
      return true
    case Extension.RDPID:
      if (!feature(WORD_7_ECX, FEATURE7_RDPID)) return undefined_()
      store<u64>(operand, load<u32>(cpu, CPU_TSC_AUX))
      return true
    case Extension.RDPMC:
      return readCounter()
    case Extension.RDFSBASE:
    case Extension.RDGSBASE:
    case Extension.WRFSBASE:
    case Extension.WRGSBASE:
      return segmentBaseAccess(flags >> 16, operand, size)
    case Extension.CLAC:
    case Extension.STAC: {
      if (!feature(WORD_7_EBX, FEATURE7_SMAP) || load<u32>(cpu, CPU_CPL) != 0) return undefined_()
      const rest = load<u64>(cpu, CPU_RFLAGS) & ~(FLAG_AC as u64)
      store<u64>(cpu, flags >> 16 == Extension.STAC ? rest | FLAG_AC : rest, CPU_RFLAGS)
      return true
    }
    case Extension.INVPCID:
      return feature(WORD_7_EBX, FEATURE7_INVPCID) ? invalidate(ip, load<u64>(operand)) : undefined_()
    case Extension.MONITOR:
    case Extension.MWAIT:
      return waiting(ip, flags >> 16 == Extension.MWAIT)
    case Extension.RDRAND:
      if (!feature(WORD_1_ECX, FEATURE_RDRAND)) return undefined_()
      return random(operand, size)
    case Extension.RDSEED:
      if (!feature(WORD_7_EBX, FEATURE7_RDSEED)) return undefined_()
      return random(operand, size)
    default:
      return protectionKeyRights(flags >> 16 == Extension.WRPKRU)
  }
}

/** RDPMC: CR4.PCE lets CPL 3 read; the two counters of family 6 exist and stand still (SDM 2B RDPMC). */
function readCounter(): bool {
  const allowed = load<u32>(cpu, CPU_CPL) == 0 || (load<u64>(cpu, CPU_CR4) & CR4_PCE) != 0
  if (!allowed || load<u32>(cpu, CPU_RCX) > 1) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  store<u64>(cpu, 0, CPU_RAX)
  store<u64>(cpu, 0, CPU_RDX)
  return true
}

/** RDPKRU: EAX = PKRU, EDX = 0. WRPKRU: PKRU = EAX. Every CPL may (SDM 2B RDPKRU, WRPKRU). */
function protectionKeyRights(write: bool): bool {
  if (!(load<u64>(cpu, CPU_CR4) & CR4_PKE)) return undefined_()
  if (load<u32>(cpu, CPU_RCX)) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  if (!write) {
    store<u64>(cpu, load<u32>(cpu, CPU_XSAVE + XSAVE_PKRU) as u64, CPU_RAX)
    store<u64>(cpu, 0, CPU_RDX)
    return true
  }
  if (load<u32>(cpu, CPU_RDX)) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  pkruSet(load<u32>(cpu, CPU_RAX))
  return true
}

function segmentBaseAccess(what: u32, operand: usize, size: u32): bool {
  const enabled = (load<u64>(cpu, CPU_CR4) & CR4_FSGSBASE) != 0
  if (!enabled || (load<u32>(cpu, CPU_MODE) & MODE_SIZE) != MODE_CODE64) return undefined_()
  if (!feature(WORD_7_EBX, FEATURE7_FSGSBASE)) return undefined_()
  const gs = what == Extension.RDGSBASE || what == Extension.WRGSBASE
  const base = cpu + CPU_SEGMENTS + (gs ? SEG_GS : SEG_FS) * SEGMENT_SIZE + SEGMENT_BASE
  if (what == Extension.RDFSBASE || what == Extension.RDGSBASE) {
    storeRegister(operand, size, load<u64>(base))
    return true
  }
  const value = size == 8 ? load<u64>(operand) : <u64>load<u32>(operand)
  if (!canonical(value)) return raise(EXC_GP, 0, FAULT_DETAIL_NON_CANONICAL, value)
  store<u64>(base, value)
  return true
}

/** INVPCID: descriptor of 16 bytes: PCID, reserved, linear address (SDM 2A INVPCID). */
function invalidate(ip: usize, kind: u64): bool {
  if (!privileged()) return false
  const segment = load<u8>(ip, O_SEGMENT)
  const descriptor = accessRead(linearOf(ip, 16, false), 16, segment, false)
  if (!descriptor) return false
  const first = load<u64>(descriptor)
  const linear = load<u64>(descriptor, 8)
  const pcid = <u32>first & 0xfff
  const wrong =
    kind > 3 || first >> 12 != 0 || (kind < 2 && pcid != 0 && !(load<u64>(cpu, CPU_CR4) & CR4_PCIDE))
  if (wrong || (kind == 0 && !canonicalBase(linear)))
    return raise(EXC_GP, 0, FAULT_DETAIL_CONTROL_REGISTER, first, 3)
  if (kind == 0) tlbInvalidateIn(pcid, linear)
  else if (kind == 1) tlbFlushProcessContext(pcid)
  else tlbFlushAll(kind == 2)
  return true
}

const NOWHERE: u64 = u64.MAX_VALUE

/** MONITOR arms a line; MWAIT waits for a store to it or what ends a halt (SDM 2B MONITOR, MWAIT). */
function waiting(ip: usize, wait: bool): bool {
  if (!feature(WORD_1_ECX, FEATURE_MONITOR) || load<u32>(cpu, CPU_CPL) != 0) return undefined_()
  if (!wait) {
    if (load<u32>(cpu, CPU_RCX)) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
    const line = accessRead(linearOf(ip, 1, false), 1, SEG_DS, false)
    // In ROM, video memory or a device there is nothing to wait for.
    if (line) monitorArm(cpu, line >= ram && line - ram < <usize>ramSize ? line - ram : NOWHERE)
    return line != 0
  }
  const masked = load<u32>(cpu, CPU_RCX)
  if (masked > 1) return raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
  // ECX.0: a masked interrupt ends the wait too, which it may end at any time: here it does not begin.
  if (masked && !(load<u32>(cpu, CPU_RFLAGS) & FLAG_IF)) return true
  if (!monitorArmed(cpu) || monitorBroken(cpu)) return true
  store<u32>(cpu, ACTIVITY_MWAIT, CPU_ACTIVITY)
  if (load<u64>(cpu, CPU_RFLAGS) & FLAG_IF) lapicTimerHalts()
  return true
}

/** The machine's random numbers: SplitMix64 from its seed, so that a run can be repeated. CF = 1, the rest 0. */
function random(operand: usize, size: u32): bool {
  const state = load<u64>(cpu, CPU_RANDOM) + 0x9e3779b97f4a7c15
  store<u64>(cpu, state, CPU_RANDOM)
  let z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb
  storeRegister(operand, size, z ^ (z >> 31))
  store<u64>(cpu, (load<u64>(cpu, CPU_RFLAGS) & ~(FLAGS_STATUS as u64)) | FLAG_CF, CPU_RFLAGS)
  return true
}
