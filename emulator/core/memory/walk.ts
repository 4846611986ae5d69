// The page walk (SDM 3A 4.3-4.6). It sets accessed and dirty flags as the processor does, fills the
// architectural TLB, and says exactly why when it cannot.

import { cpu, cpuIndex } from '../cpu/context'
import { FEATURE_1GPAGES, feature, PHYSICAL_ADDRESS_BITS, WORD_EXTENDED_EDX } from '../cpu/cpuid'
import { raisePageFault } from '../cpu/fault'
import { FLAG_AC } from '../cpu/flags'
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_MODE,
  CPU_PDPTE,
  CPU_RFLAGS,
  CPU_STATS,
  CPU_TLB_GENERATION,
  CPU_TLB_LARGE,
  FAULT_DETAIL_PAGE_NOT_PRESENT,
  FAULT_DETAIL_PAGE_PROTECTION,
  FAULT_DETAIL_PAGE_RESERVED,
  FRAME_FLAGS,
  FRAME_PAGE_TABLE,
  FRAME_SIZE,
  MAINTENANCE_DROP_FAST,
  MODE_LONG,
  STAT_TLB_FILLS,
  TLB_DIRTY,
  TLB_FLAGS,
  TLB_FRAME,
  TLB_GENERATION,
  TLB_GLOBAL,
  TLB_HUGE,
  TLB_KEY_SHIFT,
  TLB_LARGE,
  TLB_LARGE4M,
  TLB_LEAF,
  TLB_NX,
  TLB_PTE,
  TLB_TAG,
  TLB_USER,
  TLB_VALID,
  TLB_WRITABLE,
} from '../layout'
import { frameCount, frames } from '../cpu/context'
import {
  a20,
  frameWritten,
  physicalRead32,
  physicalRead64,
  physicalWrite32,
  physicalWrite64,
  ramPointer,
} from './physical'
import { keyBars, protectionKeysOn } from './protection-keys'
import { exclusiveBegin, exclusiveEnd } from '../machine/exclusive'
import { cpuCount, maintenancePost } from '../machine/smp'
import { fastClear, fastIndex, largeBit, tlbDropFast, tlbEntry } from './tlb'
import { tlbWatched } from './tlb-log'

export const ACCESS_READ: u32 = 0
export const ACCESS_WRITE: u32 = 1
export const ACCESS_EXECUTE: u32 = 2

const PTE_P: u64 = 1
const PTE_RW: u64 = 2
const PTE_US: u64 = 4
const PTE_A: u64 = 0x20
const PTE_D: u64 = 0x40
const PTE_PS: u64 = 0x80
const PTE_G: u64 = 0x100
const PTE_NX: u64 = 0x8000000000000000
const ADDRESS: u64 = 0x000ffffffffff000

const CR0_WP: u32 = 0x10000
const CR4_PSE: u32 = 0x10
const CR4_PAE: u32 = 0x20
const CR4_PGE: u32 = 0x80
const CR4_LA57: u32 = 0x1000
const CR4_SMEP: u32 = 0x100000
const CR4_SMAP: u32 = 0x200000
const EFER_NXE: u32 = 0x800

/** Page-fault error code bits (SDM 3A 4.7). */
const PF_PRESENT: u32 = 1
const PF_WRITE: u32 = 2
const PF_USER: u32 = 4
const PF_RESERVED: u32 = 8
const PF_FETCH: u32 = 16

/** The access was barred by a protection key. */
const PF_KEY: u32 = 32

/** Address bits of a 64-bit entry beyond MAXPHYADDR, reserved. */
const RESERVED_ADDRESS: u64 = 0x000fffffffffffff & ~(((1 as u64) << PHYSICAL_ADDRESS_BITS) - 1)

// The walk's trail, leaf last while walking. Transient: nothing here outlives the call.
let trail0: u64 = 0
let trail1: u64 = 0
let trail2: u64 = 0
let trail3: u64 = 0

@inline
function errorCode(access: u32, user: bool, present: bool, reserved: bool): u32 {
  let code: u32 = 0
  if (present) code |= PF_PRESENT
  if (access == ACCESS_WRITE) code |= PF_WRITE
  if (user) code |= PF_USER
  if (reserved) code |= PF_RESERVED
  // I/D is reported only where an execute-disable mechanism is on (SDM 3A 4.7).
  const cr4 = load<u32>(cpu, CPU_CR4)
  if (access == ACCESS_EXECUTE && ((load<u32>(cpu, CPU_EFER) & EFER_NXE && cr4 & CR4_PAE) || cr4 & CR4_SMEP))
    code |= PF_FETCH
  return code
}

function notPresent(linear: u64, access: u32, user: bool, level: u32, entry: u64): usize {
  raisePageFault(
    linear,
    errorCode(access, user, false, false),
    FAULT_DETAIL_PAGE_NOT_PRESENT,
    (level as u64) | (entry << 8),
  )
  return 0
}

function reserved(linear: u64, access: u32, user: bool, entry: u64): usize {
  raisePageFault(linear, errorCode(access, user, true, true), FAULT_DETAIL_PAGE_RESERVED, entry)
  return 0
}

@inline
function markTable(phys: u64): void {
  const frame = <u32>(phys >> 12)
  if (frame >= frameCount) return
  const meta = frames + frame * FRAME_SIZE
  if (load<u32>(meta, FRAME_FLAGS) & FRAME_PAGE_TABLE) return
  atomic.or<u32>(meta, FRAME_PAGE_TABLE, FRAME_FLAGS)
  if (!tlbWatched()) return
  // From now on every write to it is to be seen, whoever has a fast entry for it.
  tlbDropFast()
  exclusiveBegin()
  for (let i: u32 = 0; i < cpuCount(); i++) if (i != cpuIndex) maintenancePost(i, MAINTENANCE_DROP_FAST)
  exclusiveEnd()
}

/**
 * Walks the paging structures for `linear` (canonical; 32 bits wide outside long mode) and answers the TLB entry
 * it filled, or 0 with #PF pending. Rights are checked for the access before anything is marked accessed.
 */
export function walk(linear: u64, access: u32, user: bool): usize {
  const cr4 = load<u32>(cpu, CPU_CR4)
  const nxe = (load<u32>(cpu, CPU_EFER) & EFER_NXE) != 0
  trail0 = 0
  trail1 = 0
  trail2 = 0
  trail3 = 0

  if (!(cr4 & CR4_PAE)) return walk32(linear, access, user, cr4)
  const high: u64 = nxe ? RESERVED_ADDRESS : RESERVED_ADDRESS | PTE_NX
  let rights: u64 = PTE_RW | PTE_US
  let nx: u64 = 0
  const hugePages = feature(WORD_EXTENDED_EDX, FEATURE_1GPAGES)
  let table: u64
  let level: u32
  if (load<u32>(cpu, CPU_MODE) & MODE_LONG) {
    table = load<u64>(cpu, CPU_CR3) & ADDRESS
    level = cr4 & CR4_LA57 ? 5 : 4
  } else {
    // PAE: the four PDPTEs were loaded with CR3 and have no rights (SDM 3A 4.4.1).
    const pdpte = load<u64>(cpu + CPU_PDPTE + (<usize>(linear >> 30) & 3) * 8)
    if (!(pdpte & PTE_P)) return notPresent(linear, access, user, 3, pdpte)
    table = pdpte & ADDRESS
    level = 2
  }
  while (true) {
    markTable(table)
    const at = table + (((linear >> (12 + 9 * (level - 1))) & 511) << 3)
    let entry = physicalRead64(at)
    if (!(entry & PTE_P)) return notPresent(linear, access, user, level, entry)
    let bad = high
    const leaf = level == 1 || (level <= 3 && (entry & PTE_PS) != 0)
    if (level >= 4 || (level == 3 && !hugePages)) bad |= PTE_PS
    if (leaf && level == 3) bad |= 0x3fffe000
    if (leaf && level == 2) bad |= 0x1fe000
    if (entry & bad) return reserved(linear, access, user, entry)
    // Outside long mode bits 62:52 of the entries are reserved too (SDM 3A table 4-8 ff.).
    if (!(load<u32>(cpu, CPU_MODE) & MODE_LONG) && entry & 0x7ff0000000000000)
      return reserved(linear, access, user, entry)
    rights &= entry
    nx |= entry & PTE_NX
    if (leaf) {
      const key = <u32>(entry >> 59) & 15
      const keyed = (rights & PTE_US ? (TLB_USER as u32) : 0) | (key << TLB_KEY_SHIFT)
      const barred =
        access != ACCESS_EXECUTE && protectionKeysOn() && keyBars(keyed, access == ACCESS_WRITE, user)
      if (barred || !permitted(rights, nx, access, user)) return denied(linear, access, user, entry, barred)
      markTrail()
      const marked = entry | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0)
      if (marked != entry) {
        // Changed by another CPU since it was read: from the beginning.
        if (!entryReplace64(at, entry, marked)) return walk(linear, access, user)
        entry = marked
      }
      let flags = keyed
      if (rights & PTE_RW) flags |= TLB_WRITABLE
      if (nx) flags |= TLB_NX
      if (entry & PTE_G && cr4 & CR4_PGE) flags |= TLB_GLOBAL
      if (entry & PTE_D) flags |= TLB_DIRTY
      if (level > 1) flags |= TLB_LARGE
      if (level == 3) flags |= TLB_HUGE
      const span: u64 = ((1 as u64) << (12 + 9 * (level - 1))) - 1
      const frame = ((entry & ADDRESS & ~span) | (linear & span)) & ~(0xfff as u64)
      return fill(linear, frame, flags, at, entry)
    }
    pushTrail(at)
    table = entry & ADDRESS
    level--
  }
}

/** 32-bit paging (SDM 3A 4.3), 4 MiB pages with CR4.PSE and PSE-36 addresses. */
function walk32(linear: u64, access: u32, user: bool, cr4: u32): usize {
  const directory = load<u64>(cpu, CPU_CR3) & 0xfffff000
  markTable(directory)
  const pdeAt = directory + ((linear >> 22) << 2)
  let pde = physicalRead32(pdeAt) as u64
  if (!(pde & PTE_P)) return notPresent(linear, access, user, 2, pde)
  if (pde & PTE_PS && cr4 & CR4_PSE) {
    // Bit 21 is reserved; bits 20:13 are address bits 39:32 (PSE-36).
    if (pde & 0x200000) return reserved(linear, access, user, pde)
    if (!permitted(pde, 0, access, user)) return denied(linear, access, user, pde, false)
    const marked = pde | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0)
    if (marked != pde) {
      if (!entryReplace32(pdeAt, pde as u32, marked as u32)) return walk(linear, access, user)
      pde = marked
    }
    let flags: u32 = TLB_LARGE | TLB_LARGE4M
    if (pde & PTE_RW) flags |= TLB_WRITABLE
    if (pde & PTE_US) flags |= TLB_USER
    if (pde & PTE_G && cr4 & CR4_PGE) flags |= TLB_GLOBAL
    if (pde & PTE_D) flags |= TLB_DIRTY
    const frame = (pde & 0xffc00000) | (((pde >> 13) & 0xff) << 32) | (linear & 0x3ff000)
    return fill(linear, frame, flags, pdeAt, pde)
  }
  const table = pde & 0xfffff000
  markTable(table)
  const pteAt = table + (((linear >> 12) & 1023) << 2)
  let pte = physicalRead32(pteAt) as u64
  if (!(pte & PTE_P)) return notPresent(linear, access, user, 1, pte)
  const rights = pde & pte
  if (!permitted(rights, 0, access, user)) return denied(linear, access, user, pte, false)
  if (!(pde & PTE_A) && !entryReplace32(pdeAt, pde as u32, (pde | PTE_A) as u32))
    return walk(linear, access, user)
  const marked = pte | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0)
  if (marked != pte) {
    if (!entryReplace32(pteAt, pte as u32, marked as u32)) return walk(linear, access, user)
    pte = marked
  }
  let flags: u32 = 0
  if (rights & PTE_RW) flags |= TLB_WRITABLE
  if (rights & PTE_US) flags |= TLB_USER
  if (pte & PTE_G && cr4 & CR4_PGE) flags |= TLB_GLOBAL
  if (pte & PTE_D) flags |= TLB_DIRTY
  trail0 = pdeAt
  return fill(linear, pte & 0xfffff000, flags, pteAt, pte)
}

/** Whether CR4.SMEP or CR4.SMAP keeps a supervisor access from a user page (SDM 3A 4.6.1). */
export function supervisorBarred(access: u32): bool {
  const cr4 = load<u32>(cpu, CPU_CR4)
  if (access == ACCESS_EXECUTE) return (cr4 & CR4_SMEP) != 0
  if (!(cr4 & CR4_SMAP)) return false
  // RFLAGS.AC speaks for explicit accesses only; from CPL 3 the processor's own are implicit.
  return implicit || load<u32>(cpu, CPU_CPL) == 3 || !(load<u32>(cpu, CPU_RFLAGS) & FLAG_AC)
}

/** Set around the processor's own accesses to descriptor tables and TSSs. Transient. */
let implicit: bool = false

/**
 * Whether the access is one of the processor's own that CR4.SMAP keeps from user pages though RFLAGS.AC, set, lets explicit
 * ones through: the fast TLB, made for those, does not answer it.
 */
@inline
export function implicitBarred(): bool {
  return implicit && (load<u32>(cpu, CPU_CR4) & CR4_SMAP) != 0 && (load<u32>(cpu, CPU_RFLAGS) & FLAG_AC) != 0
}

export function setImplicit(value: bool): void {
  implicit = value
}

/** SDM 3A 4.6.1; protection keys are apart. */
function permitted(rights: u64, nx: u64, access: u32, user: bool): bool {
  if (!user && rights & PTE_US && supervisorBarred(access)) return false
  if (user && !(rights & PTE_US)) return false
  if (access == ACCESS_WRITE && !(rights & PTE_RW) && (user || load<u32>(cpu, CPU_CR0) & CR0_WP)) return false
  return access != ACCESS_EXECUTE || nx == 0
}

/** `barred`: by a protection key, which is reported whatever else forbids the access (SDM 3A 4.7). */
function denied(linear: u64, access: u32, user: bool, entry: u64, barred: bool): usize {
  const code = errorCode(access, user, true, false) | (barred ? PF_KEY : 0)
  raisePageFault(linear, code, FAULT_DETAIL_PAGE_PROTECTION, entry)
  return 0
}

@inline
function pushTrail(at: u64): void {
  trail3 = trail2
  trail2 = trail1
  trail1 = trail0
  trail0 = at
}

/** Sets the accessed flag in the entries above the leaf. */
function markTrail(): void {
  markAccessed(trail0)
  markAccessed(trail1)
  markAccessed(trail2)
  markAccessed(trail3)
}

function markAccessed(at: u64): void {
  if (!at) return
  while (true) {
    const entry = physicalRead64(at)
    // An entry that another CPU has cleared since it was walked stays as it is.
    if (entry & PTE_A || !(entry & PTE_P) || entryReplace64(at, entry, entry | PTE_A)) return
  }
}

/** Sets accessed and dirty flags as the processor does: by a locked access (SDM 3A 8.1.2.1). False: the entry is another now. */
function entryReplace64(at: u64, entry: u64, marked: u64): bool {
  const pointer = ramPointer(a20(at))
  if (!pointer) physicalWrite64(at, marked)
  else {
    if (atomic.cmpxchg<u64>(pointer, entry, marked) != entry) return false
    frameWritten(at, 8)
  }
  return true
}

function entryReplace32(at: u64, entry: u32, marked: u32): bool {
  const pointer = ramPointer(a20(at))
  if (!pointer) physicalWrite32(at, marked)
  else {
    if (atomic.cmpxchg<u32>(pointer, entry, marked) != entry) return false
    frameWritten(at, 4)
  }
  return true
}

function fill(linear: u64, frame: u64, flags: u32, leafAt: u64, leaf: u64): usize {
  store<u64>(cpu, load<u64>(cpu + CPU_STATS, STAT_TLB_FILLS) + 1, CPU_STATS + STAT_TLB_FILLS)
  const entry = tlbEntry(linear)
  fastClear(fastIndex(linear))
  store<u64>(entry, (linear & ~(0xfff as u64)) | TLB_VALID, TLB_TAG)
  store<u64>(entry, frame, TLB_FRAME)
  store<u32>(entry, flags, TLB_FLAGS)
  store<u32>(entry, load<u32>(cpu, CPU_TLB_GENERATION), TLB_GENERATION)
  store<u64>(entry, leafAt, TLB_PTE)
  store<u64>(entry, trail0, TLB_PTE + 8)
  store<u64>(entry, trail1, TLB_PTE + 16)
  store<u64>(entry, trail2, TLB_PTE + 24)
  store<u64>(entry, leaf, TLB_LEAF)
  if (flags & TLB_LARGE) store<u32>(cpu, load<u32>(cpu, CPU_TLB_LARGE) | largeBit(linear), CPU_TLB_LARGE)
  return entry
}
