// What is different between two address spaces, or between one and what it was: page by page, as runs a person can read.
// An address space is captured as the runs of its pages, so that what is compared later needs no copy of its tables.
import type { MachineMemory } from '../machine/memory'
import { linearOf, type Run, scanAddressSpace } from './address-space'
import { type PagingControl, type PagingKind, pagingKind } from './page-walk'

/** Runs of pages that are captured; an address space that has more is compared as far as they go. */
export const RUNS_MAX = 1 << 18
export const DIFFERENCES_MAX = 2000

/** An address space at a moment. */
export interface CapturedSpace {
  kind: PagingKind
  cr3: bigint
  runs: readonly Run[]
  /** It has more runs than RUNS_MAX, or more tables than are read. */
  incomplete: boolean
}

/** What maps a part of an address space. */
export interface Mapped {
  /** Guest-physical address behind the start. */
  physical: bigint
  writable: boolean
  user: boolean
  executable: boolean
  global: boolean
  /** Bytes. */
  pageSize: number
}

/**
 * - `only-a`, `only-b`: mapped in one of them alone
 * - `rights`: the same frames, other permissions
 * - `frame`: other frames behind the addresses (the permissions may differ too)
 * - `size`: the same frames and permissions by pages of another size, or G differs
 */
export type DifferenceKind = 'only-a' | 'only-b' | 'rights' | 'frame' | 'size'

/** Pages in a row that differ in the same way. Addresses are linear, sign-extended to 64 bits, unsigned. */
export interface Difference {
  kind: DifferenceKind
  start: bigint
  /** Bytes. */
  length: bigint
  a?: Mapped
  b?: Mapped
}

export interface SpaceDifference {
  differences: Difference[]
  /** Differences beyond DIFFERENCES_MAX. */
  leftOut: number
  /** Bytes by kind, all of them. */
  bytes: Record<DifferenceKind, number>
  /** Bytes that are mapped alike. */
  same: number
  incomplete: boolean
  /** The two use paging of different kinds: addresses are compared all the same. */
  kinds: [PagingKind, PagingKind]
}

/** Reads an address space as it is now. Nothing is marked accessed. */
export function captureSpace(memory: MachineMemory, control: PagingControl): CapturedSpace {
  const { runs, incomplete } = scanAddressSpace(memory, control)
  return {
    ...{ kind: pagingKind(control), cr3: control.cr3, runs: runs.slice(0, RUNS_MAX) },
    incomplete: incomplete || runs.length > RUNS_MAX,
  }
}

interface Piece {
  kind: DifferenceKind
  page: number
  count: number
  a: Run | undefined
  b: Run | undefined
  /** Frames behind `page`. */
  frameA: number
  frameB: number
}

/** Accessed and dirty bits are the processor's notes and no difference. */
export function spaceDifference(a: CapturedSpace, b: CapturedSpace): SpaceDifference {
  const pieces: Piece[] = []
  const bytes = { 'only-a': 0, 'only-b': 0, rights: 0, frame: 0, size: 0 }
  let same = 0
  let leftOut = 0
  // The runs of each are in ascending order: both are gone through side by side, from border to border.
  let i = 0
  let j = 0
  let page = 0
  while (i < a.runs.length || j < b.runs.length) {
    const one = a.runs[i]
    const two = b.runs[j]
    const inOne = one !== undefined && one.page <= page
    const inTwo = two !== undefined && two.page <= page
    if (!inOne && !inTwo) {
      page = Math.min(one?.page ?? Infinity, two?.page ?? Infinity)
      continue
    }
    const endOne = one === undefined ? Infinity : inOne ? one.page + one.count : one.page
    const endTwo = two === undefined ? Infinity : inTwo ? two.page + two.count : two.page
    const end = Math.min(endOne, endTwo)
    const frameA = inOne ? one.frame + (page - one.page) : 0
    const frameB = inTwo ? two.frame + (page - two.page) : 0
    const kind = kindOf(inOne ? one : undefined, inTwo ? two : undefined, frameA, frameB)
    if (kind === undefined) same += (end - page) * 4096
    else {
      bytes[kind] += (end - page) * 4096
      const piece = { kind, page, count: end - page, a: inOne ? one : undefined, b: inTwo ? two : undefined }
      if (!joined(pieces.at(-1), { ...piece, frameA, frameB })) {
        if (pieces.length < DIFFERENCES_MAX) pieces.push({ ...piece, frameA, frameB })
        else leftOut++
      }
    }
    page = end
    if (inOne && end === endOne) i++
    if (inTwo && end === endTwo) j++
  }
  return {
    differences: pieces.map((piece) => differenceOf(piece, a.kind, b.kind)),
    ...{ leftOut, bytes, same, incomplete: a.incomplete || b.incomplete, kinds: [a.kind, b.kind] },
  }
}

function kindOf(
  a: Run | undefined,
  b: Run | undefined,
  frameA: number,
  frameB: number,
): DifferenceKind | undefined {
  if (!a) return 'only-b'
  if (!b) return 'only-a'
  if (frameA !== frameB) return 'frame'
  if (a.rights !== b.rights) return 'rights'
  return a.level !== b.level || a.global !== b.global ? 'size' : undefined
}

/** Grows a piece by the next one, when that goes on in the same way. Frames in a row, or each somewhere. */
function joined(last: Piece | undefined, next: Piece): boolean {
  if (!last || last.kind !== next.kind || last.page + last.count !== next.page) return false
  const alike = (one: Run | undefined, two: Run | undefined) =>
    one === two ||
    (one !== undefined && two !== undefined && one.rights === two.rights && one.level === two.level)
  if (!alike(last.a, next.a) || !alike(last.b, next.b)) return false
  const follows = (from: number, to: number, run: Run | undefined) =>
    run === undefined || from + last.count === to
  if (!follows(last.frameA, next.frameA, next.a) || !follows(last.frameB, next.frameB, next.b)) return false
  last.count += next.count
  return true
}

function differenceOf(piece: Piece, kindA: PagingKind, kindB: PagingKind): Difference {
  const kind = piece.a ? kindA : kindB
  const found: Difference = {
    kind: piece.kind,
    start: linearOf(piece.page, kind),
    length: BigInt(piece.count) * 4096n,
  }
  if (piece.a) found.a = mappedOf(piece.a, piece.frameA, kindA)
  if (piece.b) found.b = mappedOf(piece.b, piece.frameB, kindB)
  return found
}

function mappedOf(run: Run, frame: number, kind: PagingKind): Mapped {
  return {
    physical: BigInt(frame) * 4096n,
    writable: (run.rights & 1) !== 0,
    user: (run.rights & 2) !== 0,
    executable: (run.rights & 4) === 0,
    global: run.global,
    pageSize: 4096 * 2 ** ((kind === '32-bit' ? 10 : 9) * (run.level - 1)),
  }
}
