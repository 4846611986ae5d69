// MOV CRn, LMSW, SMSW, CLTS and MOV DRn (SDM 3A 2.5, 4.1, 4.4.1; SDM 2B MOV; SDM 3B 17.2). What the debug
// registers do: debug.ts.

import { lapicSetTpr } from '../chipset/lapic'
import {
  CLIMB_LONG,
  CLIMB_PAE,
  CLIMB_PAGING,
  CLIMB_PROTECTED,
  CLIMB_TABLES,
  CPU_CPL,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_CR8,
  CPU_DR0,
  CPU_DR6,
  CPU_DR7,
  CPU_EFER,
  CPU_FAULT_RIP,
  CPU_FETCH_FRAME,
  CPU_MODE,
  CPU_PDPTE,
  CPU_RIP,
  EVENT_CLASS_MODE,
  EVENT_KIND_MODE,
  FAULT_DETAIL_CONTROL_REGISTER,
  FAULT_DETAIL_NONE,
  FAULT_DETAIL_PRIVILEGE,
  FAULT_DETAIL_UNDEFINED_OPCODE,
  MODE_CODE64,
  MODE_SIZE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../layout'
import { climbAwaits, climbBefore, climbNote, milestone } from '../machine/climb'
import { event } from '../machine/events'
import { isRom, physicalRead64 } from '../memory/physical'
import {
  pagingModeChanged,
  tlbDropFast,
  tlbFlushAll,
  tlbFlushProcessContext,
  tlbSwitchProcessContext,
} from '../memory/tlb'
import { cpu } from './context'
import {
  FEATURE7_FSGSBASE,
  FEATURE7_LA57,
  FEATURE7_PKS,
  FEATURE7_PKU,
  FEATURE7_SMAP,
  FEATURE7_SMEP,
  FEATURE7_UMIP,
  FEATURE_PCID,
  FEATURE_XSAVE,
  feature,
  PHYSICAL_ADDRESS_BITS,
  WORD_1_ECX,
  WORD_7_EBX,
  WORD_7_ECX,
} from './cpuid'
import { ATTRIBUTE_L } from './descriptors'
import { raise } from './fault'
import { cplSet, modeRefresh } from './mode'
import { segmentAttributes, segmentCodeToReal, segmentRefresh } from './segments'
import { EXC_DB, EXC_GP, EXC_UD } from './vectors'

export const CR0_PE: u64 = 1
export const CR0_MP: u64 = 1 << 1
export const CR0_EM: u64 = 1 << 2
export const CR0_TS: u64 = 1 << 3
export const CR0_ET: u64 = 1 << 4
export const CR0_NE: u64 = 1 << 5
export const CR0_WP: u64 = 1 << 16
export const CR0_AM: u64 = 1 << 18
export const CR0_NW: u64 = 1 << 29
export const CR0_CD: u64 = 1 << 30
export const CR0_PG: u64 = 0x80000000
const CR0_DEFINED: u64 =
  CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG

export const CR4_VME: u64 = 1
export const CR4_PVI: u64 = 1 << 1
export const CR4_TSD: u64 = 1 << 2
export const CR4_DE: u64 = 1 << 3
export const CR4_PSE: u64 = 1 << 4
export const CR4_PAE: u64 = 1 << 5
export const CR4_MCE: u64 = 1 << 6
export const CR4_PGE: u64 = 1 << 7
export const CR4_PCE: u64 = 1 << 8
export const CR4_OSFXSR: u64 = 1 << 9
export const CR4_OSXMMEXCPT: u64 = 1 << 10
export const CR4_UMIP: u64 = 1 << 11
export const CR4_LA57: u64 = 1 << 12
export const CR4_FSGSBASE: u64 = 1 << 16
export const CR4_PCIDE: u64 = 1 << 17
export const CR4_OSXSAVE: u64 = 1 << 18
export const CR4_SMEP: u64 = 1 << 20
export const CR4_SMAP: u64 = 1 << 21
export const CR4_PKE: u64 = 1 << 22
export const CR4_PKS: u64 = 1 << 24
/** The bits every model has; the others come with their features. */
const CR4_ALWAYS: u64 =
  CR4_TSD |
  CR4_PSE |
  CR4_PAE |
  CR4_MCE |
  CR4_PGE |
  CR4_PCE |
  CR4_DE |
  CR4_VME |
  CR4_PVI |
  CR4_OSFXSR |
  CR4_OSXMMEXCPT

function cr4Supported(): u64 {
  let bits = CR4_ALWAYS
  if (feature(WORD_1_ECX, FEATURE_XSAVE)) bits |= CR4_OSXSAVE
  if (feature(WORD_1_ECX, FEATURE_PCID)) bits |= CR4_PCIDE
  if (feature(WORD_7_ECX, FEATURE7_UMIP)) bits |= CR4_UMIP
  if (feature(WORD_7_EBX, FEATURE7_FSGSBASE)) bits |= CR4_FSGSBASE
  if (feature(WORD_7_EBX, FEATURE7_SMEP)) bits |= CR4_SMEP
  if (feature(WORD_7_EBX, FEATURE7_SMAP)) bits |= CR4_SMAP
  if (feature(WORD_7_ECX, FEATURE7_LA57)) bits |= CR4_LA57
  if (feature(WORD_7_ECX, FEATURE7_PKU)) bits |= CR4_PKE
  if (feature(WORD_7_ECX, FEATURE7_PKS)) bits |= CR4_PKS
  return bits
}

export const EFER_SCE: u64 = 1
export const EFER_LME: u64 = 1 << 8
export const EFER_LMA: u64 = 1 << 10
export const EFER_NXE: u64 = 1 << 11

/** Bits above MAXPHYADDR of an address-bearing register. */
export const BEYOND_PHYSICAL: u64 = ~(((1 as u64) << PHYSICAL_ADDRESS_BITS) - 1)

/** True at CPL 0; else #GP(0). */
export function privileged(): bool {
  return load<u32>(cpu, CPU_CPL) == 0 || raise(EXC_GP, 0, FAULT_DETAIL_PRIVILEGE)
}

/** MOV r, CRn. CPL > 0: #GP(0); no such register: #UD; then the answer means nothing. */
export function controlRegisterRead(n: u32): u64 {
  if (!privileged()) return 0
  switch (n) {
    case 0:
      return load<u64>(cpu, CPU_CR0)
    case 2:
      return load<u64>(cpu, CPU_CR2)
    case 3:
      return load<u64>(cpu, CPU_CR3)
    case 4:
      return load<u64>(cpu, CPU_CR4)
    case 8:
      return load<u64>(cpu, CPU_CR8)
    default:
      raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
      return 0
  }
}

/** MOV CRn, r; `value` is zero-extended outside 64-bit mode. False: a fault is pending, nothing has changed. */
export function controlRegisterWrite(n: u32, value: u64): bool {
  if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  if (!privileged()) return false
  if (n == 0) return cr0Write(value)
  if (n == 3) return cr3Write(value)
  if (n == 4) return cr4Write(value)
  if (n == 8) {
    if (value > 15) return refuse(8, value)
    lapicSetTpr((<u32>value) << 4)
    return true
  }
  store<u64>(cpu, value, CPU_CR2)
  return true
}

function refuse(n: u32, value: u64): bool {
  return raise(EXC_GP, 0, FAULT_DETAIL_CONTROL_REGISTER, value, n)
}

function code64(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
}

// ---------------------------------------------------------------------------------------------------------
// CR0

function cr0Write(value: u64): bool {
  const old = load<u64>(cpu, CPU_CR0)
  // Reserved bits of the low half are ignored, those of the high half refused (SDM 2B MOV). ET reads 1.
  const next = (value & CR0_DEFINED) | CR0_ET
  if (!cr0Valid(value, next, old)) return refuse(0, value)
  const efer = load<u64>(cpu, CPU_EFER)
  const cr4 = load<u64>(cpu, CPU_CR4)
  const changed = old ^ next
  const entersPae = (next & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && !(efer & EFER_LME)
  if (entersPae && changed & (CR0_PG | CR0_CD | CR0_NW)) {
    if (!pdptesLoad(load<u64>(cpu, CPU_CR3))) return false
  }
  const climbs = (changed & next & (CR0_PE | CR0_PG)) != 0
  if (climbs && (climbAwaits(CLIMB_PROTECTED) || climbAwaits(CLIMB_PAGING) || climbAwaits(CLIMB_LONG)))
    climbNote(load<u64>(cpu, CPU_FAULT_RIP))
  store<u64>(cpu, next, CPU_CR0)
  if (changed & CR0_PG) {
    const active = next & CR0_PG && efer & EFER_LME
    store<u64>(cpu, active ? efer | EFER_LMA : efer & ~EFER_LMA, CPU_EFER)
  }
  if (changed & CR0_PE) protectionChanged(next)
  modeRefresh()
  if (changed & (CR0_PG | CR0_WP)) pagingModeChanged()
  cr0Report(changed, next)
  return true
}

/** SDM 2B MOV—Move to/from Control Registers, "Protected Mode Exceptions". */
function cr0Valid(value: u64, next: u64, old: u64): bool {
  if (value >> 32) return false
  if (next & CR0_PG && !(next & CR0_PE)) return false
  if (next & CR0_NW && !(next & CR0_CD)) return false
  if (next & CR0_PG && !(old & CR0_PG) && load<u64>(cpu, CPU_EFER) & EFER_LME) {
    if (!(load<u64>(cpu, CPU_CR4) & CR4_PAE)) return false
    if (segmentAttributes(SEG_CS) & ATTRIBUTE_L) return false
  }
  if (next & CR0_PG || !(old & CR0_PG)) return true
  return !code64() && !(load<u64>(cpu, CPU_CR4) & CR4_PCIDE)
}

/** CR0.PE has changed: in real mode CPL is 0 and CS may be read and written. */
function protectionChanged(next: u64): void {
  if (!(next & CR0_PE)) {
    cplSet(0)
    segmentCodeToReal()
  }
  segmentRefresh(SEG_ES)
  segmentRefresh(SEG_CS)
  segmentRefresh(SEG_SS)
  segmentRefresh(SEG_DS)
  segmentRefresh(SEG_FS)
  segmentRefresh(SEG_GS)
}

function cr0Report(changed: u64, next: u64): void {
  if (!(changed & (CR0_PE | CR0_PG))) return
  const efer = load<u64>(cpu, CPU_EFER)
  if (next & CR0_PE) milestone(CLIMB_PROTECTED)
  if (next & CR0_PG) milestone(CLIMB_PAGING)
  if (efer & EFER_LMA) milestone(CLIMB_LONG)
  event(
    EVENT_CLASS_MODE,
    EVENT_KIND_MODE,
    load<u32>(cpu, CPU_MODE),
    load<u64>(cpu, CPU_RIP),
    next | (efer << 32),
  )
}

/** LMSW: PE, MP, EM and TS; PE can be set and not cleared (SDM 2A LMSW). */
export function lmsw(value: u32): bool {
  if (!privileged()) return false
  const low = CR0_PE | CR0_MP | CR0_EM | CR0_TS
  const old = load<u64>(cpu, CPU_CR0)
  return cr0Write((old & ~low) | (<u64>value & low) | (old & CR0_PE))
}

/** SMSW: the executor asks UMIP. */
export function smsw(): u64 {
  return load<u64>(cpu, CPU_CR0)
}

export function clts(): bool {
  if (!privileged()) return false
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) & ~CR0_TS, CPU_CR0)
  return true
}

// ---------------------------------------------------------------------------------------------------------
// CR3, CR4

/** PAE paging without IA-32e mode: the processor holds four PDPTEs (SDM 3A 4.4.1). */
function paePaging(cr4: u64): bool {
  return (
    (load<u64>(cpu, CPU_CR0) & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && !(load<u64>(cpu, CPU_EFER) & EFER_LMA)
  )
}

function cr3Write(value: u64): bool {
  // With CR4.PCIDE bit 63 keeps what is cached for the new PCID; it is not part of CR3 (SDM 2B MOV).
  const keep = code64() && (load<u64>(cpu, CPU_CR4) & CR4_PCIDE) != 0 && value >> 63 != 0
  if (keep) value &= 0x7fffffffffffffff
  if (code64() && value & BEYOND_PHYSICAL) return refuse(3, value)
  climbBefore(CLIMB_TABLES)
  if (!isRom(load<u64>(cpu, CPU_FETCH_FRAME))) milestone(CLIMB_TABLES)
  if (!keep) return cr3Load(value)
  store<u64>(cpu, value, CPU_CR3)
  tlbSwitchProcessContext(<u32>value & 0xfff)
  return true
}

/** Loads CR3 unconditionally, as task switches do; PAE paging's PDPTEs may refuse: #GP(0). */
export function cr3Load(value: u64): bool {
  if (paePaging(load<u64>(cpu, CPU_CR4)) && !pdptesLoad(value)) return false
  store<u64>(cpu, value, CPU_CR3)
  // Of the other PCIDs nothing is invalidated (SDM 3A 4.10.4.1).
  if (load<u64>(cpu, CPU_CR4) & CR4_PCIDE) tlbFlushProcessContext(<u32>value & 0xfff)
  else tlbFlushAll(false)
  return true
}

function cr4Write(value: u64): bool {
  const old = load<u64>(cpu, CPU_CR4)
  const long = (load<u64>(cpu, CPU_EFER) & EFER_LMA) != 0
  if (value & ~cr4Supported()) return refuse(4, value)
  if (long && !(value & CR4_PAE)) return refuse(4, value)
  // The number of levels is fixed while they are walked (SDM 3A 4.5).
  if (long && (value ^ old) & CR4_LA57) return refuse(4, value)
  // PCIDE may be set in IA-32e mode only, and while the PCID is 0 (SDM 3A 4.10.1).
  if (value & ~old & CR4_PCIDE && (!long || load<u64>(cpu, CPU_CR3) & 0xfff)) return refuse(4, value)
  const changed = old ^ value
  const paging = changed & (CR4_PSE | CR4_PAE | CR4_PGE)
  if (paging | (changed & CR4_SMEP) && paePaging(value) && !pdptesLoad(load<u64>(cpu, CPU_CR3))) return false
  if (value & CR4_PAE) climbBefore(CLIMB_PAE)
  store<u64>(cpu, value, CPU_CR4)
  // Setting SMEP and clearing PCIDE invalidate everything, too (SDM 3A 4.10.4.1).
  if (paging || value & ~old & CR4_SMEP || old & ~value & CR4_PCIDE) pagingModeChanged()
  else if (changed & (CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS)) tlbDropFast()
  modeRefresh()
  if (value & CR4_PAE) milestone(CLIMB_PAE)
  return true
}

/** Loads the PDPTEs CR3 = `cr3` points at; a present one with a reserved bit: #GP(0), none is loaded. */
function pdptesLoad(cr3: u64): bool {
  // Bits 2:1 and 8:5 and what lies above MAXPHYADDR are reserved (SDM 3A table 4-8).
  const reserved: u64 = BEYOND_PHYSICAL | 0x1e6
  const table = cr3 & 0xffffffe0
  for (let i: u32 = 0; i < 4; i++) {
    const entry = physicalRead64(table + i * 8)
    if (entry & 1 && entry & reserved) return raise(EXC_GP, 0, FAULT_DETAIL_CONTROL_REGISTER, entry, 3)
  }
  for (let i: u32 = 0; i < 4; i++) store<u64>(cpu + CPU_PDPTE + i * 8, physicalRead64(table + i * 8))
  return true
}

// ---------------------------------------------------------------------------------------------------------
// Debug registers (SDM 3B 17.2)

const DR6_FIXED: u64 = 0xffff0ff0
const DR6_WRITABLE: u64 = 0xe00f
const DR7_FIXED: u64 = 0x400
const DR7_WRITABLE: u64 = 0xffff23ff
const DR7_GD: u64 = 0x2000
const DR6_BD: u64 = 0x2000

/** MOV r, DRn. Ask faultPending(). */
export function debugRegisterRead(n: u32): u64 {
  if (!debugRegisterAccess(n)) return 0
  return load<u64>(debugRegister(n))
}

/** MOV DRn, r. False: a fault is pending. */
export function debugRegisterWrite(n: u32, value: u64): bool {
  if (!debugRegisterAccess(n)) return false
  if (n >= 4) {
    if (value >> 32) return refuse(n, value)
    value = n & 1 ? (value & DR7_WRITABLE) | DR7_FIXED : (value & DR6_WRITABLE) | DR6_FIXED
  }
  store<u64>(debugRegister(n), value)
  // Pages that are watched now must have no fast translation.
  tlbDropFast()
  return true
}

/** DR4 and DR5 are DR6 and DR7, unless CR4.DE says that they do not exist. */
function debugRegister(n: u32): usize {
  if (n < 4) return cpu + CPU_DR0 + n * 8
  return cpu + (n & 1 ? CPU_DR7 : CPU_DR6)
}

function debugRegisterAccess(n: u32): bool {
  if (n > 7 || ((n == 4 || n == 5) && load<u64>(cpu, CPU_CR4) & CR4_DE)) {
    return raise(EXC_UD, 0, FAULT_DETAIL_UNDEFINED_OPCODE)
  }
  if (!privileged()) return false
  if (!(load<u64>(cpu, CPU_DR7) & DR7_GD)) return true
  // General detect: the access itself is what the handler wants to see (SDM 3B 17.3.1.3).
  store<u64>(cpu, load<u64>(cpu, CPU_DR6) | DR6_BD, CPU_DR6)
  return raise(EXC_DB, 0, FAULT_DETAIL_NONE)
}

/** The reset values of DR6 and DR7 (SDM 3A table 9-1). */
export function debugRegistersReset(): void {
  memory.fill(cpu + CPU_DR0, 0, 32)
  store<u64>(cpu, DR6_FIXED, CPU_DR6)
  store<u64>(cpu, DR7_FIXED, CPU_DR7)
}
