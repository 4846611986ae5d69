// Whether an access through page tables would succeed, and with which error code it would fault (SDM 3A 4.6 access
// rights, 4.7 page-fault exceptions). Pure: nothing is read but the walk.
import { entryFields, isReservedViolation } from './page-table-entry'
import type { PagingControl, Walk } from './page-walk'

export interface Access {
  kind: 'read' | 'write' | 'execute'
  /** Made at CPL 3. */
  user: boolean
}

export type AccessOutcome = Access &
  (
    | { allowed: true }
    | {
        allowed: false
        /** Bits P, W/R, U/S, RSVD, I/D, PK of the error code. */
        error: number
        /** Index in the walk's steps of the entry that forbids it; -1: the address itself. */
        step: number
        /** Why, in one sentence. */
        why: string
      }
  )

export const ACCESSES: readonly Access[] = [
  { kind: 'read', user: false },
  { kind: 'write', user: false },
  { kind: 'execute', user: false },
  { kind: 'read', user: true },
  { kind: 'write', user: true },
  { kind: 'execute', user: true },
]

const CR0_WP = 1n << 16n
const CR4_PAE = 1n << 5n
const CR4_PGE = 1n << 7n
const CR4_SMEP = 1n << 20n
const CR4_SMAP = 1n << 21n
const CR4_PKE = 1n << 22n
const CR4_PKS = 1n << 24n
const EFER_NXE = 1n << 11n
const RFLAGS_AC = 1n << 18n

const PF_PRESENT = 1
const PF_WRITE = 2
const PF_USER = 4
const PF_RESERVED = 8
const PF_FETCH = 16

/** Width of a physical address, as CPUID 80000008h tells the guest. */
export const PHYSICAL_BITS = 40

/** The bits of the control registers that decide how an entry is read. */
export const entryControl = ({ cr4, efer }: PagingControl) => ({
  nxe: (efer & EFER_NXE) !== 0n,
  pge: (cr4 & CR4_PGE) !== 0n,
  keys: (cr4 & (CR4_PKE | CR4_PKS)) !== 0n,
  physicalBits: PHYSICAL_BITS,
})

/**
 * What would happen to an access. Protection keys are not looked at (they depend on PKRU).
 * @param walk as walkPages gives it, under the same control registers
 * @param rflags AC lifts SMAP for explicit accesses (SDM 3A 4.6.1)
 */
export function accessOutcome(
  control: PagingControl,
  rflags: bigint,
  walk: Walk,
  access: Access,
): AccessOutcome {
  if (walk.kind === 'none') return { ...access, allowed: true }
  const refuse = (error: number, step: number, why: string): AccessOutcome => ({
    ...access,
    allowed: false,
    error: error | errorOf(control, access),
    step,
    why,
  })
  if (walk.steps.length === 0)
    return {
      ...access,
      allowed: false,
      error: 0,
      step: -1,
      why: 'The address is not canonical: #GP(0), or #SS(0) through SS',
    }
  for (const [i, { name, level, entry, present, leaf }] of walk.steps.entries()) {
    if (entry === undefined) return refuse(0, i, `The table that should hold the ${name} lies outside memory`)
    if (!present) return refuse(0, i, `The ${name} is not present`)
    const shape = { kind: walk.kind, level, leaf, ...entryControl(control) }
    if (isReservedViolation(entryFields(shape, entry)))
      return refuse(PF_PRESENT | PF_RESERVED, i, `The ${name} has a reserved bit set`)
  }
  const blame = (forbids: (entry: bigint) => boolean) =>
    walk.steps.findIndex(({ name, entry }) => !(walk.kind === 'PAE' && name === 'PDPTE') && forbids(entry!))
  const refused = (forbids: (entry: bigint) => boolean, why: (name: string) => string) => {
    const step = Math.max(0, blame(forbids))
    return refuse(PF_PRESENT, step, why(walk.steps[step]!.name))
  }
  const supervisorEntry = (entry: bigint) => (entry & 4n) === 0n
  const last = walk.steps.length - 1
  if (access.user && !walk.user)
    return refused(supervisorEntry, (name) => `U/S is clear in the ${name}: a supervisor page`)
  if (!access.user && walk.user) {
    if (access.kind === 'execute' && (control.cr4 & CR4_SMEP) !== 0n)
      return refuse(PF_PRESENT, last, 'CR4.SMEP: ring 0 does not execute user pages')
    if (access.kind !== 'execute' && (control.cr4 & CR4_SMAP) !== 0n && (rflags & RFLAGS_AC) === 0n)
      return refuse(PF_PRESENT, last, 'CR4.SMAP: ring 0 does not touch user pages while RFLAGS.AC is clear')
  }
  if (access.kind === 'write' && !walk.writable && (access.user || (control.cr0 & CR0_WP) !== 0n))
    return refused(
      (entry) => (entry & 2n) === 0n,
      (name) => `R/W is clear in the ${name}${access.user ? '' : ', and CR0.WP is set'}`,
    )
  if (access.kind === 'execute' && !walk.executable)
    return refused(
      (entry) => entry >> 63n !== 0n,
      (name) => `XD is set in the ${name}`,
    )
  return { ...access, allowed: true }
}

/** The bits that the access itself decides. I/D only where an execute-disable mechanism is on (SDM 3A 4.7). */
function errorOf({ cr4, efer }: PagingControl, { kind, user }: Access): number {
  const fetch =
    kind === 'execute' && (((efer & EFER_NXE) !== 0n && (cr4 & CR4_PAE) !== 0n) || (cr4 & CR4_SMEP) !== 0n)
  return (kind === 'write' ? PF_WRITE : 0) | (user ? PF_USER : 0) | (fetch ? PF_FETCH : 0)
}
