// What a vCPU's TLB believes about an address, read without asking or filling it. The architectural TLB is part of
// the machine's state (core/memory/tlb.ts): entries live until the guest invalidates them.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import type { Walk } from './page-walk'

export interface TlbBelief {
  /** Linear address of the 4 KiB page it is for. */
  page: bigint
  /** Guest-physical address of the 4 KiB frame. */
  frame: bigint
  writable: boolean
  user: boolean
  executable: boolean
  global: boolean
  /** The dirty flag has been set for it: a write need not walk. */
  dirty: boolean
  /** It is a piece of a large page. */
  large: boolean
  /** Value of the leaf entry when the translation was made. */
  leaf: bigint
}

/** The translation of `linear` that the vCPU would use now; undefined when it would walk. */
export function tlbLookup(memory: MachineMemory, cpu: number, linear: bigint): TlbBelief | undefined {
  const page = linear & ~0xfffn
  const index = Number((linear >> 12n) & BigInt(L.TLB_COUNT - 1))
  const at = memory.cpuBlock(cpu) + L.CPU_TLB + index * L.TLB_ENTRY_SIZE
  if (memory.u64[(at + L.TLB_TAG) / 8] !== (page | BigInt(L.TLB_VALID))) return undefined
  const flags = memory.u32[(at + L.TLB_FLAGS) >>> 2]!
  const generation = memory.u32[(at + L.TLB_GENERATION) >>> 2]!
  if (!(flags & L.TLB_GLOBAL) && generation !== memory.cpu32(cpu, L.CPU_TLB_GENERATION)) return undefined
  return {
    page,
    frame: memory.u64[(at + L.TLB_FRAME) / 8]!,
    writable: (flags & L.TLB_WRITABLE) !== 0,
    user: (flags & L.TLB_USER) !== 0,
    executable: (flags & L.TLB_NX) === 0,
    global: (flags & L.TLB_GLOBAL) !== 0,
    dirty: (flags & L.TLB_DIRTY) !== 0,
    large: (flags & L.TLB_LARGE) !== 0,
    leaf: memory.u64[(at + L.TLB_LEAF) / 8]!,
  }
}

/** In what a TLB entry differs from the page tables as they are now: nothing when it is up to date. */
export function staleness(belief: TlbBelief, walk: Walk): string[] {
  if (walk.physical === undefined) return ['the page tables no longer map the page']
  const differences: string[] = []
  if ((walk.physical & ~0xfffn) !== belief.frame) differences.push('the page tables lead to another frame')
  const right = (name: string, tlb: boolean, tables: boolean) => {
    if (tlb !== tables) differences.push(tlb ? `${name} was taken away` : `${name} was added`)
  }
  right('the right to write', belief.writable, walk.writable)
  right('the right of ring 3', belief.user, walk.user)
  right('the right to execute', belief.executable, walk.executable)
  return differences
}
