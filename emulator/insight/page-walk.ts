// A page-table walk told step by step (SDM 3A 4.3-4.6), over the tables as they are in guest RAM. Nothing is marked
// accessed, no TLB is asked: what the guest sees may differ while a stale translation lives.
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'

export interface PagingControl {
  cr0: bigint
  cr3: bigint
  cr4: bigint
  efer: bigint
  /** PAE paging outside long mode: the four PDPTEs the processor holds. */
  pdptes?: readonly bigint[]
}

export type PagingKind = 'none' | '32-bit' | 'PAE' | '4-level' | '5-level'

export interface WalkStep {
  /** PML5E, PML4E, PDPTE, PDE, PTE */
  name: string
  level: number
  /** Guest-physical address of the entry; undefined for a PDPTE held by the processor. */
  at: bigint | undefined
  /** undefined: the table does not lie in RAM or ROM. */
  entry: bigint | undefined
  present: boolean
  /** This entry maps the page. */
  leaf: boolean
}

export interface Walk {
  kind: PagingKind
  linear: bigint
  steps: WalkStep[]
  /** Guest-physical address; undefined when a step ends the walk or the address is not canonical. */
  physical: bigint | undefined
  /** Bytes of the page. */
  pageSize: number
  writable: boolean
  user: boolean
  executable: boolean
}

const NAMES = ['', 'PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E']
const ADDRESS = 0x000f_ffff_ffff_f000n
const PS = 1n << 7n
const NX = 1n << 63n

export function pagingKind({ cr0, cr4, efer }: PagingControl): PagingKind {
  if (((cr0 >> 31n) & 1n) === 0n) return 'none'
  if (((efer >> 10n) & 1n) !== 0n) return ((cr4 >> 12n) & 1n) !== 0n ? '5-level' : '4-level'
  return ((cr4 >> 5n) & 1n) !== 0n ? 'PAE' : '32-bit'
}

/** What decides about paging on a vCPU now. */
export function pagingControl(memory: MachineMemory, cpu: number): PagingControl {
  return {
    cr0: memory.cpu64(cpu, L.CPU_CR0),
    cr3: memory.cpu64(cpu, L.CPU_CR3),
    cr4: memory.cpu64(cpu, L.CPU_CR4),
    efer: memory.cpu64(cpu, L.CPU_EFER),
    pdptes: [0, 1, 2, 3].map((i) => memory.cpu64(cpu, L.CPU_PDPTE + 8 * i)),
  }
}

/** A what-if: by level, the bits of the entry that are taken to be the other way round. */
export type EntryChanges = ReadonlyMap<number, bigint>
const AS_THEY_ARE: EntryChanges = new Map()

/**
 * @param linear unsigned; 32 bits are used outside long mode
 * @param changes of the entries on the way; the walk goes on through the changed ones
 */
export function walkPages(
  memory: MachineMemory,
  control: PagingControl,
  linear: bigint,
  changes: EntryChanges = AS_THEY_ARE,
): Walk {
  const kind = pagingKind(control)
  const walk: Walk = {
    kind,
    linear: kind === '4-level' || kind === '5-level' ? linear : linear & 0xffff_ffffn,
    steps: [],
    physical: undefined,
    pageSize: 0,
    writable: true,
    user: true,
    executable: true,
  }
  if (kind === 'none') return { ...walk, physical: walk.linear }
  if (kind === '32-bit') return walk32(memory, control, walk, changes)
  if (kind !== 'PAE') {
    const levels = kind === '5-level' ? 5 : 4
    if (BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, linear)) !== linear) return walk
    return walk64(memory, control, walk, control.cr3 & ADDRESS, levels, changes)
  }
  const held = control.pdptes?.[Number(walk.linear >> 30n)] ?? 0n
  const pdpte = held ^ (changes.get(3) ?? 0n)
  const present = (pdpte & 1n) !== 0n
  walk.steps.push({ name: 'PDPTE', level: 3, at: undefined, entry: pdpte, present, leaf: false })
  return present ? walk64(memory, control, walk, pdpte & ADDRESS, 2, changes) : walk
}

function walk64(
  memory: MachineMemory,
  { efer }: PagingControl,
  walk: Walk,
  root: bigint,
  top: number,
  changes: EntryChanges,
): Walk {
  const nxe = ((efer >> 11n) & 1n) !== 0n
  let table = root
  for (let level = top; level >= 1; level--) {
    const shift = BigInt(12 + 9 * (level - 1))
    const at = table + (((walk.linear >> shift) & 0x1ffn) << 3n)
    const entry = readEntry(memory, at, 8, changes.get(level))
    const present = entry !== undefined && (entry & 1n) !== 0n
    const leaf = present && (level === 1 || (level <= 3 && (entry & PS) !== 0n))
    walk.steps.push({ name: NAMES[level]!, level, at, entry, present, leaf })
    if (!present) return walk
    applyRights(walk, entry)
    if (nxe && (entry & NX) !== 0n) walk.executable = false
    if (leaf) return arrive(walk, entry & ADDRESS, 1n << shift)
    table = entry & ADDRESS
  }
  return walk
}

function walk32(memory: MachineMemory, { cr3, cr4 }: PagingControl, walk: Walk, changes: EntryChanges): Walk {
  const directoryAt = (cr3 & 0xffff_f000n) + ((walk.linear >> 22n) << 2n)
  const directory = readEntry(memory, directoryAt, 4, changes.get(2))
  const present = directory !== undefined && (directory & 1n) !== 0n
  const large = present && (directory & PS) !== 0n && ((cr4 >> 4n) & 1n) !== 0n
  walk.steps.push({ name: 'PDE', level: 2, at: directoryAt, entry: directory, present, leaf: large })
  if (!present) return walk
  applyRights(walk, directory)
  // PSE-36: bits 20:13 are address bits 39:32 (SDM 3A table 4-4).
  if (large)
    return arrive(walk, (directory & 0xffc0_0000n) | (((directory >> 13n) & 0xffn) << 32n), 1n << 22n)
  const at = (directory & 0xffff_f000n) + (((walk.linear >> 12n) & 0x3ffn) << 2n)
  const entry = readEntry(memory, at, 4, changes.get(1))
  const mapped = entry !== undefined && (entry & 1n) !== 0n
  walk.steps.push({ name: 'PTE', level: 1, at, entry, present: mapped, leaf: mapped })
  if (!mapped) return walk
  applyRights(walk, entry)
  return arrive(walk, entry & 0xffff_f000n, 1n << 12n)
}

/** The rights of a page are those that every entry grants (SDM 3A 4.6). */
function applyRights(walk: Walk, entry: bigint) {
  if ((entry & 2n) === 0n) walk.writable = false
  if ((entry & 4n) === 0n) walk.user = false
}

function arrive(walk: Walk, frame: bigint, size: bigint): Walk {
  walk.physical = (frame & ~(size - 1n)) | (walk.linear & (size - 1n))
  walk.pageSize = Number(size)
  return walk
}

function readEntry(memory: MachineMemory, at: bigint, size: 4 | 8, change = 0n): bigint | undefined {
  const pointer = memory.physicalPointer(Number(at))
  if (pointer === undefined) return undefined
  const entry =
    size === 8 ? memory.view.getBigUint64(pointer, true) : BigInt(memory.view.getUint32(pointer, true))
  return entry ^ change
}

/** Bytes at a linear address; shorter than `length` where the pages or RAM and ROM end. */
export function readThroughPages(
  memory: MachineMemory,
  control: PagingControl,
  linear: bigint,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const { physical } = walkPages(memory, control, BigInt.asUintN(64, linear + BigInt(i)))
    const pointer = physical === undefined ? undefined : memory.physicalPointer(Number(physical))
    if (pointer === undefined) return bytes.subarray(0, i)
    bytes[i] = memory.view.getUint8(pointer)
  }
  return bytes
}
