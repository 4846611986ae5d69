// The Ringside debug port, protocol 1 (docs/debug-port.md): a 32-bit OUT is one event of the guest's own, its operands in
// registers. Nothing is kept here and nothing the guest can see changes, so a machine nobody looks at is the same
// machine. A 32-bit IN answers "RNG1"; other sizes find nobody.

import { cpu } from '../cpu/context'
import {
  CPU_RBX,
  CPU_RCX,
  CPU_RDI,
  CPU_RSI,
  EVENT_CLASS_GUEST,
  EVENT_KIND_GUEST,
  EVENT_KIND_GUEST_MORE,
  EVENT_KIND_GUEST_NAME,
  HDR_EVENT_CLASSES,
  HEADER,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { quietByte } from '../memory/quiet'

export const RINGSIDE_PORT: u32 = 0x5eec
export const RINGSIDE_MAGIC: u32 = 0x31474e52 // "RNG1"

// EAX of the OUT.
const ALLOCATE: u32 = 1
const POOL: u32 = 3
const TASK: u32 = 5

const NAME_MAX: u64 = 63
const NAME_PIECE: u32 = 20 // bytes of a name that fit into one event

/** An event of the guest: RBX and RCX, then RSI and RDI, then the name if it is of a kind that has one. */
export function ringsideWrite(kind: u32): void {
  if (!(load<u32>(HEADER, HDR_EVENT_CLASSES) & EVENT_CLASS_GUEST)) return
  if (kind < ALLOCATE || kind > TASK) return
  const rbx = load<u64>(cpu, CPU_RBX)
  const rcx = load<u64>(cpu, CPU_RCX)
  event(EVENT_CLASS_GUEST, EVENT_KIND_GUEST, kind, rbx, rcx)
  event(
    EVENT_CLASS_GUEST,
    EVENT_KIND_GUEST_MORE,
    clockNow() as u32,
    load<u64>(cpu, CPU_RSI),
    load<u64>(cpu, CPU_RDI),
  )
  if (kind >= POOL) name(rbx, rcx < NAME_MAX ? (rcx as u32) : (NAME_MAX as u32))
}

/** The name's bytes in pieces of 20, filled up with zeros; where nothing is mapped: a question mark. */
function name(linear: u64, length: u32): void {
  for (let at: u32 = 0; at < length; at += NAME_PIECE) {
    const a = quietBytes(linear, at, length, 4)
    const b = quietBytes(linear, at + 4, length, 8)
    const c = quietBytes(linear, at + 12, length, 8)
    event(EVENT_CLASS_GUEST, EVENT_KIND_GUEST_NAME, a as u32, b, c)
  }
}

function quietBytes(linear: u64, at: u32, length: u32, count: u32): u64 {
  let value: u64 = 0
  for (let i: u32 = 0; i < count && at + i < length; i++)
    value |= (quietByte(linear + at + i) as u64) << (i << 3)
  return value
}
