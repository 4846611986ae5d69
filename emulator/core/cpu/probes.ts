// Calls of functions that somebody wants to know of (docs/lenses.md, probes): frame allocators, mostly. While there are none
// this costs a branch in the slow paths. Nothing here changes what the guest or the state hash sees.
//
// A function is entered by a jump, and jumps to code that is not remembered come by execute.ts's follow(). So a jump to a
// probed address is never remembered, and a trace ends before one (by its offset in the page: traces know no linear addresses).
// A call's return is the jump to its return address with RSP behind it: from the first call on, that address is not remembered
// either. Calls under way are kept by the CPU that made them and found by the others: a task may go on elsewhere.
//
// Uses of free frames: a frame that is freed is marked and has no fast entries, so that each access comes by fastFill()
// (memory/tlb.ts). What the allocator itself does to it, from the entry of its functions to their return, is no use.

import { currentRip } from './execute'
import { cpu, cpuIndex, frameCount, frames } from './context'
import { jumpEntry } from './trace-format'
import {
  CPU_FAST,
  CPU_JUMPS,
  CPU_MODE,
  CPU_PROBE_CALLS,
  CPU_RAX,
  CPU_RBP,
  CPU_RSP,
  CPU_SEGMENTS,
  EVENT_CLASS_PROBE,
  EVENT_KIND_PROBE,
  EVENT_KIND_PROBE_MORE,
  EVENT_KIND_PROBE_STACK,
  FAST_ENTRY_SIZE,
  FAST_READ,
  FAST_WRITE,
  FRAME_FLAGS,
  FRAME_FREED,
  FRAME_FREED_READ,
  FRAME_SIZE,
  HDR_EVENT_CLASSES,
  HDR_PROBES,
  HEADER,
  MAINTENANCE_DROP_JUMPS,
  MODE_CODE16,
  MODE_CODE64,
  MODE_SIZE,
  PROBE_ADDRESS,
  PROBE_ALLOCATED,
  PROBE_BASE,
  PROBE_BYTES,
  PROBE_CALL_SIZE,
  PROBE_CALLS_FIRST,
  PROBE_CALLS_MAX,
  PROBE_FAILED,
  PROBE_FLAGS,
  PROBE_FREED,
  PROBE_ID,
  PROBE_IS_ALLOCATE,
  PROBE_IS_ARRAY,
  PROBE_IS_FRAMES,
  PROBE_IS_LIST,
  PROBE_IS_SHIFT,
  PROBE_IS_WHOLE,
  PROBE_LEFT,
  PROBE_LINEAR,
  PROBE_NONE,
  PROBE_RIGHT,
  PROBE_SCAN_WORDS,
  PROBE_SITES,
  PROBE_SITES_COUNT,
  PROBE_SITES_TABLE,
  PROBE_SIZE,
  PROBE_STACK,
  PROBE_STACK_MAX,
  PROBE_UNIT,
  PROBE_USE_READ,
  PROBE_USE_WRITE,
  PROBES_DIRECT,
  PROBES_OFFSETS,
  PROBES_SLOT_COUNT,
  PROBES_SLOTS,
  SEG_CS,
  SEG_SS,
  SEGMENT_BASE,
  SEGMENT_SIZE,
  TLB_COUNT,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { cpuBlock, cpuCount, maintenancePost } from '../machine/smp'
import { quietFailed, quietWord } from '../memory/quiet'
import { fastClear } from '../memory/tlb'

// A call under way.
const CALL_SP: usize = 0 // u64, RSP when it has returned
const CALL_RETURN: usize = 8 // u64, linear
const CALL_ID: usize = 16 // u32
const CALL_FLAGS: usize = 20 // u32, PROBE_IS_*
const CALL_BYTES: usize = 24 // u64
const CALL_BASE: usize = 32 // u64
const CALL_TIME: usize = 40 // u64
const CALL_RIGHT: usize = 48 // u8
const CALL_LEFT: usize = 49 // u8
const CALL_ADDRESS: usize = 52 // u32, operand
const CALL_SKIP: usize = 50 // u16, elements of the array that were there when the function was entered
const CALL_ARRAY: usize = 56 // u64, linear

const LOCK: usize = 0
const COUNT: usize = 4
const STACK: usize = 16
/** Where each of them was found, u32. */
const PLACES: usize = 80
/** The call that is being told of, taken out of the list. */
const TOLD: usize = 128

/** What `RET n` may release besides the return address. */
const RELEASED_MAX: u64 = 64
/** A stack is at most so large, and so is a frame of it. */
const STACK_SPAN: u64 = 0x4000
const FRAME_SPAN: u64 = 0x100000
/** Of one block. */
const FRAMES_MAX: u64 = 4096
/** Return addresses by the chain of frame pointers: a chain is right, words that only look so need more. */
const CHAIN_MAX: u32 = 6
/** Of one list or array. */
const MANY_MAX: u32 = 4096
const SITES_FULL: u64 = 6000
const USE_ID: u32 = 0xffff

@inline
export function probesTable(): usize {
  return load<u32>(HEADER, HDR_PROBES)
}

/** Whether a probe lies at the offset in its page that `linear` has: neither may a trace run over it nor a jump remember it. */
@inline
export function probeOffset(linear: u64): bool {
  const table = probesTable()
  if (!table) return false
  const offset = <u32>linear & 0xfff
  return ((load<u8>(table + PROBES_OFFSETS + (offset >> 3)) >> (offset & 7)) & 1) != 0
}

@inline
function hash(linear: u64): u32 {
  return (<u32>linear ^ <u32>(linear >> 17)) * 0x9e3779b1
}

/** The probe at `linear`, or 0. */
function probeAt(table: usize, linear: u64): usize {
  let at = hash(linear) >> 16
  for (let i = 0; i < PROBES_SLOT_COUNT; i++) {
    const slot = table + PROBES_SLOTS + <usize>(at++ & (PROBES_SLOT_COUNT - 1)) * PROBE_SIZE
    const there = load<u64>(slot, PROBE_LINEAR)
    if (there == linear) return slot
    if (!there) return 0
  }
  return 0
}

function isSite(linear: u64): bool {
  let at = hash(linear) >> 16
  for (let i = 0; i < PROBE_SITES_COUNT; i++) {
    const there = load<u64>(PROBE_SITES + PROBE_SITES_TABLE + <usize>(at++ & (PROBE_SITES_COUNT - 1)) * 8)
    if (there == linear) return true
    if (!there) return false
  }
  return false
}

/** From now on no CPU remembers jumps to `linear`. */
function siteAdd(linear: u64): void {
  if (isSite(linear) || load<u64>(PROBE_SITES) >= SITES_FULL) return
  let at = hash(linear) >> 16
  while (true) {
    const place = PROBE_SITES + PROBE_SITES_TABLE + <usize>(at++ & (PROBE_SITES_COUNT - 1)) * 8
    const before = atomic.cmpxchg<u64>(place, 0, linear)
    if (before == linear) return
    if (before == 0) break
  }
  atomic.add<u64>(PROBE_SITES, 1)
  const entry = jumpEntry(cpu, linear)
  if (load<u64>(entry, CPU_JUMPS) == linear) store<u32>(entry, 0, CPU_JUMPS + 8)
  for (let i: u32 = 0; i < cpuCount(); i++) if (i != cpuIndex) maintenancePost(i, MAINTENANCE_DROP_JUMPS)
}

/** Whether jumps to `linear` are to be seen. */
export function probeSees(linear: u64): bool {
  const table = probesTable()
  return table != 0 && (probeAt(table, linear) != 0 || isSite(linear))
}

/** A near jump, call or return leads to `linear`; registers are as they are there. */
export function probeJump(linear: u64): void {
  const table = probesTable()
  if ((load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE16) return
  if (isSite(linear)) returned(linear)
  const probe = probeAt(table, linear)
  if (probe) entered(probe)
}

@inline
function code64(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_SIZE) == MODE_CODE64
}

@inline
function cut(value: u64): u64 {
  return code64() ? value : value & 0xffffffff
}

@inline
function base(segment: u32): u64 {
  return code64() ? 0 : load<u64>(cpu + CPU_SEGMENTS + segment * SEGMENT_SIZE, SEGMENT_BASE)
}

/** An operand of the function being entered, or a register. */
function operand(which: u32): u64 {
  if (!(which & PROBE_STACK)) return cut(load<u64>(cpu + (which & 0xfff)))
  const size: u32 = code64() ? 8 : 4
  const sp = cut(load<u64>(cpu, CPU_RSP) + (which & 0xff) * size)
  return quietWord(cut(base(SEG_SS) + sp), size)
}

function entered(probe: usize): void {
  const size: u32 = code64() ? 8 : 4
  const sp = cut(load<u64>(cpu, CPU_RSP))
  const back = quietWord(cut(base(SEG_SS) + sp), size)
  if (quietFailed) return
  const flags = load<u32>(probe, PROBE_FLAGS)
  const which = load<u32>(probe, PROBE_BYTES)
  const unit = load<u64>(probe, PROBE_UNIT)
  let bytes = unit
  if (<u32>which != <u32>PROBE_NONE) {
    const value = operand(which)
    bytes = flags & PROBE_IS_SHIFT ? unit << ((<u32>value < 32 ? <u32>value : 32) as u64) : unit * value
  }
  const call = cpu + CPU_PROBE_CALLS + TOLD
  store<u64>(call, cut(sp + size), CALL_SP)
  store<u64>(call, cut(base(SEG_CS) + back), CALL_RETURN)
  store<u32>(call, load<u32>(probe, PROBE_ID), CALL_ID)
  store<u32>(call, flags, CALL_FLAGS)
  store<u64>(call, bytes, CALL_BYTES)
  store<u64>(call, load<u64>(probe, PROBE_BASE), CALL_BASE)
  store<u64>(call, clockNow(), CALL_TIME)
  store<u8>(call, load<u8>(probe, PROBE_RIGHT), CALL_RIGHT)
  store<u8>(call, load<u8>(probe, PROBE_LEFT), CALL_LEFT)
  store<u32>(call, load<u32>(probe, PROBE_ADDRESS), CALL_ADDRESS)
  const raw =
    flags & PROBE_IS_ALLOCATE && !(flags & PROBE_IS_ARRAY) ? 0 : operand(load<u32>(probe, PROBE_ADDRESS))
  if (flags & PROBE_IS_ARRAY) {
    store<u64>(call, raw, CALL_ARRAY)
    store<u16>(call, <u16>arrayFilled(raw, size), CALL_SKIP)
  }
  begin(call)
  siteAdd(load<u64>(call, CALL_RETURN))
  if (flags & PROBE_IS_ALLOCATE) return
  if (raw == 0) return
  if (flags & PROBE_IS_LIST) {
    let link = quietWord(raw, size)
    let read = !quietFailed
    for (let i: u32 = 0; i < MANY_MAX && read && link != raw && link != 0; i++) {
      const next = quietWord(link, size)
      read = !quietFailed
      if (read) freed(call, link, bytes)
      link = next
    }
    return
  }
  freed(call, raw, bytes)
}

/** How many pointers there are before the first that is null. */
function arrayFilled(array: u64, size: u32): u32 {
  let count: u32 = 0
  if (array == 0) return 0
  while (count < MANY_MAX && quietWord(array + count * size, size) != 0 && !quietFailed) count++
  return count
}

function freed(call: usize, raw: u64, bytes: u64): void {
  const flags = load<u32>(call, CALL_FLAGS)
  const address = addressOf(call, raw)
  tell(call, PROBE_FREED, address, bytes)
  if ((flags & (PROBE_IS_FRAMES | PROBE_IS_WHOLE)) == (PROBE_IS_FRAMES | PROBE_IS_WHOLE))
    framesFreed(address, bytes, raw)
}

function returned(linear: u64): void {
  const sp = cut(load<u64>(cpu, CPU_RSP))
  const call = cpu + CPU_PROBE_CALLS + TOLD
  let found = false
  while (end(cpuIndex, linear, sp)) {
    found = true
    result(call)
  }
  if (found) return
  for (let i: u32 = 0; i < cpuCount(); i++) if (i != cpuIndex) while (end(i, linear, sp)) result(call)
}

/** What the call has brought. */
function result(call: usize): void {
  const flags = load<u32>(call, CALL_FLAGS)
  if (!(flags & PROBE_IS_ALLOCATE)) return
  if (flags & PROBE_IS_ARRAY) {
    const size: u32 = code64() ? 8 : 4
    const array = load<u64>(call, CALL_ARRAY)
    const count = cut(load<u64>(cpu, CPU_RAX))
    if (array == 0) return
    for (let i = <u32>load<u16>(call, CALL_SKIP); i < MANY_MAX && <u64>i < count; i++) {
      const element = quietWord(array + i * size, size)
      if (quietFailed) return
      if (element != 0) taken(call, element)
    }
    return
  }
  const raw = cut(load<u64>(cpu + (load<u32>(call, CALL_ADDRESS) & 0xfff)))
  const bytes = load<u64>(call, CALL_BYTES)
  // Null, or an error number in the place of an address.
  const failed = raw == 0 || (code64() ? raw >= 0xfffffffffffff001 : raw >= 0xfffff001)
  if (failed) {
    tell(call, PROBE_FAILED, 0, bytes)
    return
  }
  taken(call, raw)
}

function taken(call: usize, raw: u64): void {
  const address = addressOf(call, raw)
  const bytes = load<u64>(call, CALL_BYTES)
  if (load<u32>(call, CALL_FLAGS) & PROBE_IS_FRAMES) framesTaken(address, bytes)
  tell(call, PROBE_ALLOCATED, address, bytes)
}

@inline
function addressOf(call: usize, raw: u64): u64 {
  return ((raw - load<u64>(call, CALL_BASE)) >> load<u8>(call, CALL_RIGHT)) << load<u8>(call, CALL_LEFT)
}

// --- calls under way ---------------------------------------------------------------------------------------------

// A machine with one CPU has nobody to keep out, and an uncontended lock costs 10 ns.
function lock(list: usize): void {
  if (cpuCount() == 1) return
  while (atomic.cmpxchg<u32>(list + LOCK, 0, 1) != 0) {}
}

function unlock(list: usize): void {
  if (cpuCount() > 1) atomic.store<u32>(list + LOCK, 0)
}

/** A call's 64 bytes: memory.copy leaves WebAssembly, which costs more than all of these. */
@inline
function copyCall(to: usize, from: usize): void {
  v128.store(to, v128.load(from))
  v128.store(to, v128.load(from, 16), 16)
  v128.store(to, v128.load(from, 32), 32)
  v128.store(to, v128.load(from, 48), 48)
}

@inline
function callAt(list: usize, i: u32): usize {
  return list + PROBE_CALLS_FIRST + i * PROBE_CALL_SIZE
}

function remove(list: usize, i: u32): void {
  const count = load<u32>(list, COUNT)
  for (let n = i + 1; n < count; n++) copyCall(callAt(list, n - 1), callAt(list, n))
  store<u32>(list, count - 1, COUNT)
}

function begin(call: usize): void {
  const list = cpu + CPU_PROBE_CALLS
  const sp = load<u64>(call, CALL_SP)
  lock(list)
  for (let i = load<u32>(list, COUNT); i > 0; ) {
    i--
    const other = callAt(list, i)
    if (load<u64>(other, CALL_SP) != sp) continue
    // A function that jumps to another one returns with it. Else the call whose stack this was never came back.
    const together =
      load<u64>(other, CALL_RETURN) == load<u64>(call, CALL_RETURN) &&
      load<u32>(other, CALL_ID) != load<u32>(call, CALL_ID)
    if (!together) remove(list, i)
  }
  if (load<u32>(list, COUNT) == <u32>PROBE_CALLS_MAX) remove(list, 0)
  const count = load<u32>(list, COUNT)
  copyCall(callAt(list, count), call)
  store<u32>(list, count + 1, COUNT)
  unlock(list)
}

/** Takes out the innermost call of CPU `index` that returns to `linear` with `sp`: into TOLD of this one. False: there is none. */
function end(index: u32, linear: u64, sp: u64): bool {
  const list = cpuBlock(index) + CPU_PROBE_CALLS
  if (!load<u32>(list, COUNT)) return false
  lock(list)
  let found = false
  for (let i = load<u32>(list, COUNT); i > 0 && !found; ) {
    i--
    const call = callAt(list, i)
    const released = sp - load<u64>(call, CALL_SP)
    if (load<u64>(call, CALL_RETURN) != linear || (code64() ? released != 0 : released > RELEASED_MAX))
      continue
    copyCall(cpu + CPU_PROBE_CALLS + TOLD, call)
    remove(list, i)
    found = true
  }
  unlock(list)
  return found
}

/** Whether the code that runs here was called by one of the functions that give out frames or take them back, or interrupts it. */
function insideAllocator(): bool {
  const sp = cut(load<u64>(cpu, CPU_RSP))
  for (let index: u32 = 0; index < cpuCount(); index++) {
    const list = cpuBlock(index) + CPU_PROBE_CALLS
    for (let i = load<u32>(list, COUNT); i > 0; ) {
      const call = callAt(list, --i)
      const above = load<u64>(call, CALL_SP) - sp
      if (load<u32>(call, CALL_FLAGS) & PROBE_IS_FRAMES && above > 0 && above <= STACK_SPAN) return true
    }
  }
  return false
}

// --- telling -----------------------------------------------------------------------------------------------------

/**
 * Return addresses by the chain of frame pointers, the innermost first: how many. Where there is no chain (compilers use RBP for
 * anything), words of the stack that look like addresses near the caller's: whoever reads them knows which are.
 * @param sp behind the caller's return address, 0: no call
 */
function stackGather(sp: u64, caller: u64): u32 {
  const size: u32 = code64() ? 8 : 4
  let at = cut(load<u64>(cpu, CPU_RBP))
  let count: u32 = 0
  while (count < CHAIN_MAX && at != 0 && (at & (size - 1)) == 0) {
    const next = quietWord(cut(base(SEG_SS) + at), size)
    if (quietFailed) break
    const back = quietWord(cut(base(SEG_SS) + at + size), size)
    if (quietFailed || back == 0) break
    if (sp != 0 && !near(back, caller)) break
    store<u64>(cpu + CPU_PROBE_CALLS + STACK + count * 8, back)
    store<u32>(cpu + CPU_PROBE_CALLS + PLACES + count * 4, 0)
    count++
    // Stacks grow down: a caller's frame lies above.
    if (next <= at || next - at > FRAME_SPAN) break
    at = next
  }
  if (count > 0 || sp == 0) return count
  at = cut(base(SEG_SS) + sp)
  for (let i: u32 = 0; i < <u32>PROBE_SCAN_WORDS && count < <u32>PROBE_STACK_MAX; i++, at += size) {
    const word = quietWord(at, size)
    if (quietFailed) break
    if (!near(word, caller) || !calls(word)) continue
    store<u64>(cpu + CPU_PROBE_CALLS + STACK + count * 8, word)
    store<u32>(cpu + CPU_PROBE_CALLS + PLACES + count * 4, i + 1)
    count++
  }
  return count
}

/** In the same GiB: a kernel's code is. */
@inline
function near(one: u64, other: u64): bool {
  return one >> 30 == other >> 30
}

/** Whether a CALL ends at `linear`: E8 and four bytes, or FF /2 with a register (SDM 2A, CALL), which is what compilers make. */
function calls(linear: u64): bool {
  const bytes = quietWord(linear - 8, 8)
  if (quietFailed) return false
  return ((bytes >> 24) & 0xff) == 0xe8 || (((bytes >> 48) & 0xff) == 0xff && ((bytes >> 59) & 7) == 2)
}

function tellWith(id: u32, what: u32, address: u64, bytes: u64, code: u64, began: u64, sp: u64 = 0): void {
  if (!(load<u32>(HEADER, HDR_EVENT_CLASSES) & EVENT_CLASS_PROBE)) return
  const depth = stackGather(sp, code)
  const pieces = (depth + 1) >> 1
  event(EVENT_CLASS_PROBE, EVENT_KIND_PROBE, id | (what << 16) | (pieces << 24), address, bytes)
  event(EVENT_CLASS_PROBE, EVENT_KIND_PROBE_MORE, clockNow() as u32, code, began)
  const stack = cpu + CPU_PROBE_CALLS + STACK
  for (let i: u32 = 0; i < pieces; i++) {
    const two = i * 2 + 1 < depth
    const second: u64 = two ? load<u64>(stack + (i * 2 + 1) * 8) : 0
    const places = cpu + CPU_PROBE_CALLS + PLACES + i * 8
    const where = load<u32>(places) | (two ? load<u32>(places, 4) << 16 : 0)
    event(EVENT_CLASS_PROBE, EVENT_KIND_PROBE_STACK, where, load<u64>(stack + i * 16), second)
  }
}

@inline
function tell(call: usize, what: u32, address: u64, bytes: u64): void {
  const id = load<u32>(call, CALL_ID)
  const scan = code64() ? load<u64>(call, CALL_SP) : 0
  tellWith(id, what, address, bytes, load<u64>(call, CALL_RETURN), load<u64>(call, CALL_TIME), scan)
}

// --- free frames -------------------------------------------------------------------------------------------------

function framesFreed(address: u64, bytes: u64, raw: u64): void {
  const first = address >> 12
  let count = (bytes + 4095) >> 12
  if (count == 0) count = 1
  if (count > FRAMES_MAX) count = FRAMES_MAX
  const direct = load<u64>(probesTable(), PROBES_DIRECT)
  for (let i: u64 = 0; i < count && first + i < frameCount; i++) {
    const meta = frames + <usize>(first + i) * FRAME_SIZE
    atomic.and<u32>(meta, ~(FRAME_FREED_READ as u32), FRAME_FLAGS)
    atomic.or<u32>(meta, FRAME_FREED, FRAME_FLAGS)
    const phys = (first + i) << 12
    if (direct != u64.MAX_VALUE) shortcutsDrop(direct + phys)
    shortcutsDrop(phys)
    if ((raw & ~0xfff) != address) shortcutsDrop((raw & ~0xfff) + (i << 12))
  }
}

/** The fast entries of every CPU for the page at `linear`. One that is being made at this moment may stay. */
function shortcutsDrop(linear: u64): void {
  for (let index: u32 = 0; index < cpuCount(); index++) {
    const entry = cpuBlock(index) + CPU_FAST + (((linear >> 12) as usize) & (TLB_COUNT - 1)) * FAST_ENTRY_SIZE
    const read = load<u64>(entry, FAST_READ) & ~0xfff
    if (read == linear || (load<u64>(entry, FAST_WRITE) & ~0xfff) == linear) fastClear(entry)
  }
}

function framesTaken(address: u64, bytes: u64): void {
  const first = address >> 12
  let count = (bytes + 4095) >> 12
  if (count == 0) count = 1
  for (let i: u64 = 0; i < count && i < FRAMES_MAX && first + i < frameCount; i++)
    atomic.and<u32>(
      frames + <usize>(first + i) * FRAME_SIZE,
      ~((FRAME_FREED | FRAME_FREED_READ) as u32),
      FRAME_FLAGS,
    )
}

/** An access to a frame that is marked FRAME_FREED; true: the next one is to be seen too. Each freeing has one read and one write told. */
export function freedUse(frame: u32, linear: u64, write: bool): bool {
  if (!probesTable()) return false
  const meta = frames + frame * FRAME_SIZE
  if (insideAllocator()) return true
  const told: u32 = write ? FRAME_FREED : FRAME_FREED_READ
  if (!write && load<u32>(meta, FRAME_FLAGS) & FRAME_FREED_READ) return true
  if (write) atomic.and<u32>(meta, ~told, FRAME_FLAGS)
  else atomic.or<u32>(meta, told, FRAME_FLAGS)
  const phys = ((frame as u64) << 12) | (linear & 0xfff)
  tellWith(
    USE_ID,
    write ? PROBE_USE_WRITE : PROBE_USE_READ,
    phys,
    linear,
    cut(base(SEG_CS) + currentRip()),
    clockNow(),
  )
  return !write
}
