// Hardware task switching (SDM 3A chapter 8): JMP, CALL, interrupts and IRET between 16- and 32-bit TSSs. Everything
// that can fail before the commit point is tried first; what fails behind it is raised in the new task, with
// CPU_FAULT_RIP at its first instruction (SDM 3A 8.3).

import {
  CPU_CR0,
  CPU_CR3,
  CPU_DEBUG_PENDING,
  CPU_DR7,
  CPU_FAULT_RIP,
  CPU_RAX,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_TASK_IMAGE,
  FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT,
  FAULT_DETAIL_DESCRIPTOR_PRIVILEGE,
  FAULT_DETAIL_DESCRIPTOR_TYPE,
  FAULT_DETAIL_SELECTOR_NULL,
  FAULT_DETAIL_TSS,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDTR,
  SEG_SS,
  SEG_TR,
  SEGMENT_UNUSABLE,
} from '../layout'
import {
  linearProbeWrite,
  systemRead16,
  systemRead32,
  systemWrite16,
  systemWrite32,
  systemWrite8,
} from '../memory/linear'
import { cpu } from './context'
import { CR0_PG, CR0_TS, cr3Load } from './control-registers'
import { DR6_BT } from './debug'
import {
  ATTRIBUTE_P,
  attributesDpl,
  attributesType,
  descriptorAttributes,
  descriptorBase,
  descriptorFetch,
  descriptorLimit,
  descriptorLinear,
  descriptorSetAccessed,
  isCode,
  isConforming,
  isReadable,
  selectorError,
  selectorIsNull,
  TYPE_LDT,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS32,
  TYPE_TSS32_BUSY,
} from './descriptors'
import { faultPending, raise } from './fault'
import { FLAG_NT, FLAG_VM } from './flags'
import { virtualInterruptNone } from './flags-register'
import { cplSet, modeRefresh } from './mode'
import {
  codeSegmentCommit,
  segmentAttributes,
  segmentBase,
  segmentLimit,
  segmentLoadDescriptor,
  segmentLoadNull,
  segmentSelector,
  segmentSetReal,
  segmentStore,
  stackSegmentValid,
} from './segments'
import { frameClose, frameOpenCurrent, framePush } from './stack'
import { EXC_GP, EXC_NP, EXC_TS } from './vectors'

/** What switches tasks (SDM 3A table 8-2). */
export const TASK_JUMP: u32 = 0
export const TASK_CALL: u32 = 1
export const TASK_INTERRUPT: u32 = 2
export const TASK_RETURN: u32 = 3

/** EFLAGS bits a TSS can load. */
const FLAGS_LOADED: u32 = 0x3f7fd7
/** L0-L3 and LE, which a task switch clears (SDM 3B 18.2.4). */
const DR7_LOCAL: u64 = 0x155
const BUSY: u32 = 2

// Fields of a 32-bit TSS; CPU_TASK_IMAGE holds the new task's in this form whatever its TSS was.
const TSS_CR3: u32 = 0x1c
const TSS_EIP: u32 = 0x20
const TSS_EFLAGS: u32 = 0x24
const TSS_GPR: u32 = 0x28
const TSS_SEGMENTS: u32 = 0x48
const TSS_LDT: u32 = 0x60
const TSS_TRAP: u32 = 0x64
// And of a 16-bit TSS.
const TSS16_IP: u32 = 0x0e
const TSS16_FLAGS: u32 = 0x10
const TSS16_GPR: u32 = 0x12
const TSS16_SEGMENTS: u32 = 0x22
const TSS16_LDT: u32 = 0x2a

@inline
function tss(base: u64, offset: u32): u64 {
  return (base + offset) & 0xffffffff
}

@inline
function image(offset: u32): u32 {
  return load<u32>(cpu + CPU_TASK_IMAGE + offset)
}

/**
 * Through a task gate (SDM 3A 8.2.5, 8.3): the TSS it names must lie in the GDT, be available and present.
 * `hasError`: `error` is pushed on the new task's stack. Result as of taskSwitch().
 */
export function taskThroughGate(
  gate: u64,
  source: u32,
  hasError: bool,
  error: u32,
  rip: u64,
  flags: u64,
): bool {
  const selector = <u32>(gate >> 16) & 0xffff
  const raw = taskStateFetch(selector)
  if (faultPending() || !taskSwitch(selector, raw, source, rip, flags)) return false
  if (!hasError) return true
  const size: u32 = segmentAttributes(SEG_TR) & 8 ? 4 : 2
  if (!frameOpenCurrent(1, size)) return false
  framePush(error, size)
  frameClose()
  return true
}

/** The available TSS a gate names. Ask faultPending(). */
function taskStateFetch(selector: u32): u64 {
  if (selectorIsNull(selector) || selector & 4) {
    raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector)
    return 0
  }
  const raw = descriptorFetch(selector, EXC_GP)
  if (faultPending()) return 0
  const attributes = descriptorAttributes(raw)
  const type = attributesType(attributes)
  if (type != TYPE_TSS16 && type != TYPE_TSS32) {
    raise(EXC_GP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_TYPE, selector, raw)
  } else if (!(attributes & ATTRIBUTE_P)) {
    raise(EXC_NP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
  }
  return raw
}

/** IRET with NT set: back to the task the link names, which must be busy (SDM 2A IRET, TASK-RETURN). */
export function taskReturn(): bool {
  const link: u32 = systemRead16(segmentBase(SEG_TR))
  if (faultPending()) return false
  if (link & 4) return raise(EXC_TS, selectorError(link), FAULT_DETAIL_DESCRIPTOR_TYPE, link)
  const raw = descriptorFetch(link, EXC_TS)
  if (faultPending()) return false
  const attributes = descriptorAttributes(raw)
  const type = attributesType(attributes)
  if (type != TYPE_TSS16_BUSY && type != TYPE_TSS32_BUSY)
    return raise(EXC_TS, selectorError(link), FAULT_DETAIL_DESCRIPTOR_TYPE, link, raw)
  if (!(attributes & ATTRIBUTE_P))
    return raise(EXC_NP, selectorError(link), FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, link, raw)
  return taskSwitch(link, raw, TASK_RETURN, load<u64>(cpu, CPU_RIP), load<u64>(cpu, CPU_RFLAGS))
}

/**
 * Switches to the TSS `selector`, whose descriptor `raw` has been checked. `rip` and `flags` are what the old task
 * will go on with. False: a fault is pending; either nothing has changed, or the new task is current and raised it.
 */
export function taskSwitch(selector: u32, raw: u64, source: u32, rip: u64, flags: u64): bool {
  const wide = (descriptorAttributes(raw) & 8) != 0
  const base = descriptorBase(raw)
  const limit = descriptorLimit(raw)
  if (limit < <u32>(wide ? 103 : 43))
    return raise(EXC_TS, selectorError(selector), FAULT_DETAIL_TSS, 0, limit)
  const oldSelector = segmentSelector(SEG_TR)
  const oldBase = segmentBase(SEG_TR)
  const oldWide = (segmentAttributes(SEG_TR) & 8) != 0
  const oldLimit = segmentLimit(SEG_TR)
  if (oldLimit < <u32>(oldWide ? 0x5f : 0x29))
    return raise(EXC_TS, selectorError(oldSelector), FAULT_DETAIL_TSS, 0, oldLimit)
  if (!newTaskRead(base, wide)) return false
  const nested = source == TASK_CALL || source == TASK_INTERRUPT
  // Everything the switch writes is probed before the first byte changes.
  if (!linearProbeWrite(tss(oldBase, oldWide ? TSS_EIP : TSS16_IP), oldWide ? 0x40 : 0x1c, false))
    return false
  if (nested && !linearProbeWrite(base, 2, false)) return false
  if (!nested && !linearProbeWrite(descriptorLinear(oldSelector) + 5, 1, false)) return false
  if (!linearProbeWrite(descriptorLinear(selector) + 5, 1, false)) return false

  if (!nested) busySet(oldSelector, false)
  oldTaskSave(oldBase, oldWide, rip, source == TASK_RETURN ? flags & ~(FLAG_NT as u64) : flags)
  if (nested) systemWrite16(base, <u16>oldSelector)
  if (source != TASK_RETURN) busySet(selector, true)
  return newTaskLoad(selector, base, limit, descriptorAttributes(raw), nested)
}

function busySet(selector: u32, busy: bool): void {
  const at = descriptorLinear(selector) + 5
  const access = <u32>systemRead16(at) & 0xff
  systemWrite8(at, <u8>(busy ? access | BUSY : access & ~BUSY))
}

/** Reads the new task's state into CPU_TASK_IMAGE. False: page fault pending. */
function newTaskRead(base: u64, wide: bool): bool {
  const to = cpu + CPU_TASK_IMAGE
  if (wide) {
    for (let at: u32 = 0; at < 104; at += 4) store<u32>(to + at, systemRead32(tss(base, at)))
    return !faultPending()
  }
  memory.fill(to, 0, 104)
  store<u32>(to + TSS_EIP, systemRead16(tss(base, TSS16_IP)))
  store<u32>(to + TSS_EFLAGS, systemRead16(tss(base, TSS16_FLAGS)))
  // The upper halves are undefined by the manual; processors fill them with ones.
  for (let n: u32 = 0; n < 8; n++)
    store<u32>(to + TSS_GPR + n * 4, 0xffff0000 | <u32>systemRead16(tss(base, TSS16_GPR + n * 2)))
  for (let n: u32 = 0; n < 4; n++)
    store<u32>(to + TSS_SEGMENTS + n * 4, systemRead16(tss(base, TSS16_SEGMENTS + n * 2)))
  store<u32>(to + TSS_LDT, systemRead16(tss(base, TSS16_LDT)))
  return !faultPending()
}

function oldTaskSave(base: u64, wide: bool, rip: u64, flags: u64): void {
  if (wide) {
    systemWrite32(tss(base, TSS_EIP), <u32>rip)
    systemWrite32(tss(base, TSS_EFLAGS), <u32>flags | 2)
    for (let n: u32 = 0; n < 8; n++)
      systemWrite32(tss(base, TSS_GPR + n * 4), load<u32>(cpu + CPU_RAX + n * 8))
    for (let n: u32 = 0; n <= <u32>SEG_GS; n++)
      systemWrite16(tss(base, TSS_SEGMENTS + n * 4), <u16>segmentSelector(n))
    return
  }
  systemWrite16(tss(base, TSS16_IP), <u16>rip)
  systemWrite16(tss(base, TSS16_FLAGS), <u16>flags | 2)
  for (let n: u32 = 0; n < 8; n++)
    systemWrite16(tss(base, TSS16_GPR + n * 2), load<u16>(cpu + CPU_RAX + n * 8))
  for (let n: u32 = 0; n <= <u32>SEG_DS; n++)
    systemWrite16(tss(base, TSS16_SEGMENTS + n * 2), <u16>segmentSelector(n))
}

/** From here on the new task is current, and what goes wrong goes wrong in it. */
function newTaskLoad(selector: u32, base: u64, limit: u32, attributes: u32, nested: bool): bool {
  const flags = (image(TSS_EFLAGS) & FLAGS_LOADED) | 2 | (nested ? FLAG_NT : 0)
  segmentStore(SEG_TR, selector, base, limit, attributes | BUSY)
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) | CR0_TS, CPU_CR0)
  store<u64>(cpu, load<u64>(cpu, CPU_DR7) & ~DR7_LOCAL, CPU_DR7)
  store<u64>(cpu, image(TSS_EIP), CPU_RIP)
  store<u64>(cpu, image(TSS_EIP), CPU_FAULT_RIP)
  store<u64>(cpu, flags, CPU_RFLAGS)
  for (let n: u32 = 0; n < 8; n++) store<u64>(cpu + CPU_RAX + n * 8, image(TSS_GPR + n * 4))
  // The selectors are loaded, their segments not yet: none can be used. CPL 3 until SS is good, so that a handler
  // of what follows gets its stack from the TSS.
  for (let n: u32 = 0; n <= <u32>SEG_GS; n++)
    segmentStore(n, image(TSS_SEGMENTS + n * 4) & 0xffff, 0, 0, SEGMENT_UNUSABLE)
  segmentStore(SEG_LDTR, image(TSS_LDT) & 0xffff, 0, 0, SEGMENT_UNUSABLE)
  cplSet(3)
  modeRefresh()
  const cr3: u64 = image(TSS_CR3)
  if (attributes & 8 && load<u64>(cpu, CPU_CR0) & CR0_PG && cr3 != load<u64>(cpu, CPU_CR3)) {
    if (!cr3Load(cr3)) return false
  }
  if (attributes & 8 && image(TSS_TRAP) & 1)
    store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_BT, CPU_DEBUG_PENDING)
  if (!loadLocalTable(image(TSS_LDT) & 0xffff)) return false
  if (flags & FLAG_VM) {
    for (let n: u32 = 0; n <= <u32>SEG_GS; n++) segmentSetReal(n, image(TSS_SEGMENTS + n * 4))
    modeRefresh()
    return virtualInterruptNone()
  }
  const code = taskSegment(SEG_CS)
  const cpl = code & 3
  const raw = codeFetch(code)
  if (faultPending()) return false
  const stack = taskSegment(SEG_SS)
  if (!loadStack(stack, cpl)) return false
  codeSegmentCommit(code, raw, cpl)
  return (
    loadData(SEG_DS, cpl) &&
    loadData(SEG_ES, cpl) &&
    loadData(SEG_FS, cpl) &&
    loadData(SEG_GS, cpl) &&
    virtualInterruptNone()
  )
}

@inline
function taskSegment(segment: u32): u32 {
  return image(TSS_SEGMENTS + segment * 4) & 0xffff
}

function invalid(selector: u32, detail: u32, raw: u64): bool {
  return raise(EXC_TS, selectorError(selector), detail, selector, raw)
}

/** LDTR: null, or a present LDT in the GDT; all faults are #TS (SDM 3A table 8-1). */
function loadLocalTable(selector: u32): bool {
  if (selectorIsNull(selector)) return true
  if (selector & 4) return invalid(selector, FAULT_DETAIL_DESCRIPTOR_TYPE, 0)
  const raw = descriptorFetch(selector, EXC_TS)
  if (faultPending()) return false
  const attributes = descriptorAttributes(raw)
  if (attributesType(attributes) != TYPE_LDT) return invalid(selector, FAULT_DETAIL_DESCRIPTOR_TYPE, raw)
  if (!(attributes & ATTRIBUTE_P)) return invalid(selector, FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, raw)
  segmentStore(SEG_LDTR, selector, descriptorBase(raw), descriptorLimit(raw), attributes)
  return true
}

/** The new task's CS, checked; its RPL is the new CPL. Ask faultPending(). */
function codeFetch(selector: u32): u64 {
  if (selectorIsNull(selector)) {
    invalid(selector, FAULT_DETAIL_SELECTOR_NULL, 0)
    return 0
  }
  const raw = descriptorFetch(selector, EXC_TS)
  if (faultPending()) return 0
  const attributes = descriptorAttributes(raw)
  const dpl = attributesDpl(attributes)
  const rpl = selector & 3
  if (!isCode(attributes)) invalid(selector, FAULT_DETAIL_DESCRIPTOR_TYPE, raw)
  else if (isConforming(attributes) ? dpl > rpl : dpl != rpl)
    invalid(selector, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, raw)
  else if (!(attributes & ATTRIBUTE_P))
    raise(EXC_NP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
  else descriptorSetAccessed(selector, raw)
  return raw
}

function loadStack(selector: u32, cpl: u32): bool {
  if (selectorIsNull(selector)) return invalid(selector, FAULT_DETAIL_SELECTOR_NULL, 0)
  const raw = descriptorFetch(selector, EXC_TS)
  if (faultPending() || !stackSegmentValid(selector, raw, cpl, EXC_TS)) return false
  if (!descriptorSetAccessed(selector, raw)) return false
  segmentLoadDescriptor(SEG_SS, selector, raw)
  return true
}

function loadData(segment: u32, cpl: u32): bool {
  const selector = taskSegment(segment)
  if (selectorIsNull(selector)) {
    segmentLoadNull(segment, selector, 0)
    return true
  }
  const raw = descriptorFetch(selector, EXC_TS)
  if (faultPending()) return false
  const attributes = descriptorAttributes(raw)
  const dpl = attributesDpl(attributes)
  if (!isReadable(attributes)) return invalid(selector, FAULT_DETAIL_DESCRIPTOR_TYPE, raw)
  if (!isConforming(attributes) && (dpl < cpl || dpl < (selector & 3)))
    return invalid(selector, FAULT_DETAIL_DESCRIPTOR_PRIVILEGE, raw)
  if (!(attributes & ATTRIBUTE_P))
    return raise(EXC_NP, selectorError(selector), FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT, selector, raw)
  if (!descriptorSetAccessed(selector, raw)) return false
  segmentLoadDescriptor(segment, selector, raw)
  return true
}
