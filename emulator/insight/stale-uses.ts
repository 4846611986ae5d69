// Uses of translations whose page-table entries have been changed since, with nothing having invalidated them: who
// changed the entry and when, who used the translation and when.
import * as L from '../core/layout'
import { type Moment, momentOf, type TlbRecord } from './tlb-log'

/**
 * A CPU may use a translation until the shootdown of it reaches it: the one that has changed the entry waits. So a use is
 * told as stale only if the CPU does not invalidate afterwards in the handler of an interrupt that the changing CPU has sent
 * for this change: after it, and before it took the matter for finished, that is, has dropped its own translation and
 * changed the same entry again.
 */
export interface StaleUse {
  /** In the log. */
  number: number
  linear: bigint
  access: 'read' | 'write' | 'execute'
  used: Moment
  /** Undefined: it was changed before anybody looked, or not by a CPU. */
  changed: Moment | undefined
  /** Guest-physical address of the entry. */
  entry: bigint
  /** What it was when the translation was made, and what it is now. */
  before: bigint
  after: bigint
  /** In what the translation differs from the entries. */
  differs: ('not present' | 'other frame' | 'fewer rights')[]
  /** How many times the same instruction did, before anything else changed. */
  count: number
  /** This very access would have faulted, or gone elsewhere, by the entries as they are. */
  affected: boolean
}

const ACCESS = ['read', 'write', 'execute'] as const

/** @param records of the log, in their order */
export function staleUses(records: readonly TlbRecord[]): StaleUse[] {
  return records.flatMap((record, i) => {
    if (record.kind !== L.TLB_LOG_KIND_USE) return []
    const cause = records[i + 1]
    const known = cause?.kind === L.TLB_LOG_KIND_CAUSE && cause.flags === 1
    if (known && beingShotDown(records, i, record.cpu, cause)) return []
    const how = record.flags >>> 8
    const differs: StaleUse['differs'] = []
    if (how & L.STALE_ABSENT) differs.push('not present')
    if (how & L.STALE_FRAME) differs.push('other frame')
    if (how & L.STALE_RIGHTS) differs.push('fewer rights')
    return {
      number: record.number,
      linear: record.a,
      access: ACCESS[record.flags & 3] ?? 'read',
      used: momentOf(record),
      changed: known ? momentOf(cause) : undefined,
      entry: record.b,
      before: record.c,
      after: record.d,
      differs,
      count: cause?.kind === L.TLB_LOG_KIND_CAUSE ? Number(cause.d) : 1,
      affected: (how & L.STALE_AFFECTS) !== 0,
    }
  })
}

/** Whether the invalidation that `cpu` makes after record `i` is one the CPU of `change` has asked it for. */
function beingShotDown(records: readonly TlbRecord[], i: number, cpu: number, change: TlbRecord): boolean {
  if (change.cpu === cpu) return false
  const first = records[0]!.number
  const begin = Math.max(0, Number(change.a) - first + 1)
  const end = finishedAt(records, begin, change.cpu, records[i]!.b)
  const asked = new Set<bigint>()
  // Interrupts sent before the use, but after the change, count too.
  const hear = (n: number) => {
    const { kind, cpu: sender, a, b } = records[n]!
    if (n < end && kind === L.TLB_LOG_KIND_IPI && sender === change.cpu && Number(b) === cpu) asked.add(a)
  }
  for (let n = begin; n < i; n++) hear(n)
  let handling = false
  for (let n = i + 1; n < records.length; n++) {
    hear(n)
    const { kind, cpu: who, a } = records[n]!
    if (who !== cpu) continue
    if (kind === L.TLB_LOG_KIND_INTERRUPT) handling ||= asked.has(a)
    else if (kind === L.TLB_LOG_KIND_RETURN) handling = false
    else if (kind === L.TLB_LOG_KIND_INVALIDATE) return handling
  }
  return false
}

/** Where `cpu` changes the entry again after having dropped its own translation; the end of the log if it does not. */
function finishedAt(records: readonly TlbRecord[], begin: number, cpu: number, entry: bigint): number {
  let dropped = false
  for (let n = begin; n < records.length; n++) {
    const { kind, cpu: who, a } = records[n]!
    if (who !== cpu) continue
    if (kind === L.TLB_LOG_KIND_INVALIDATE) dropped = true
    else if (kind === L.TLB_LOG_KIND_CHANGE && a === entry && dropped) return n
  }
  return records.length
}
