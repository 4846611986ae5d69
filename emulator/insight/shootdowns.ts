// TLB shootdowns, recognised from outside: a CPU takes something away in a page-table entry, sends interrupts, and each CPU
// they are for invalidates within the handler and returns from it. The guest's help is not needed; a kernel that answers in
// another way than from an interrupt handler is not recognised.
import * as L from '../core/layout'
import type { Moment, TlbRecord } from './tlb-log'
import { momentOf } from './tlb-log'

export interface ShootdownTarget {
  cpu: number
  sent: Moment
  /** The handler began. */
  taken: Moment | undefined
  /** The first invalidation in it. */
  invalidated: Moment | undefined
  /** 'page': INVLPG; 'space': a load of CR3, INVPCID; 'all': everything, global pages too. */
  how: 'page' | 'space' | 'all' | undefined
  /** The handler returned: this is what can be seen of the acknowledgement. */
  returned: Moment | undefined
  /** From sent to returned, ns. */
  duration: bigint | undefined
}

export interface Shootdown {
  initiator: number
  vector: number
  /** Changes of entries that take something away, since the initiator's last shootdown. */
  changes: { entry: bigint; before: bigint; after: bigint; at: Moment }[]
  targets: ShootdownTarget[]
  began: Moment
  /** From the first change to the last return, ns; undefined while one is missing. */
  duration: bigint | undefined
  complete: boolean
}

const HOW = ['page', 'space', 'space', 'all'] as const

/** @param records of the log, in their order */
export function shootdowns(records: readonly TlbRecord[]): Shootdown[] {
  const found: Shootdown[] = []
  const changes = new Map<number, Shootdown['changes']>()
  /** The shootdown whose interrupts a CPU is just sending. */
  const sending = new Map<number, Shootdown>()
  /** Targets that have not returned, by CPU. */
  const open = new Map<number, ShootdownTarget[]>()
  const waiting = (cpu: number) => open.get(cpu) ?? []
  const vectors = new Map<ShootdownTarget, number>()

  for (const record of records) {
    const { cpu, kind } = record
    if (kind === L.TLB_LOG_KIND_CHANGE) {
      sending.delete(cpu)
      if (record.flags !== 1) continue
      const list = changes.get(cpu) ?? []
      list.push({ entry: record.a, before: record.b, after: record.c, at: momentOf(record) })
      changes.set(cpu, list)
    } else if (kind === L.TLB_LOG_KIND_IPI) {
      const vector = Number(record.a)
      let shootdown = sending.get(cpu)
      if (!shootdown || shootdown.vector !== vector) {
        const mine = changes.get(cpu)
        if (!mine) continue
        changes.delete(cpu)
        shootdown = {
          initiator: cpu,
          vector,
          changes: mine,
          targets: [],
          began: mine[0]!.at,
          duration: undefined,
          complete: false,
        }
        found.push(shootdown)
        sending.set(cpu, shootdown)
      }
      const target: ShootdownTarget = {
        cpu: Number(record.b),
        sent: momentOf(record),
        taken: undefined,
        invalidated: undefined,
        how: undefined,
        returned: undefined,
        duration: undefined,
      }
      shootdown.targets.push(target)
      vectors.set(target, vector)
      open.set(target.cpu, [...waiting(target.cpu), target])
    } else if (kind === L.TLB_LOG_KIND_INTERRUPT) {
      // One interrupt may answer several requests with the same vector.
      for (const target of waiting(cpu)) {
        if (!target.taken && vectors.get(target) === Number(record.a)) target.taken = momentOf(record)
      }
    } else if (kind === L.TLB_LOG_KIND_INVALIDATE) {
      sending.delete(cpu)
      for (const target of waiting(cpu)) {
        if (!target.taken || target.invalidated) continue
        target.invalidated = momentOf(record)
        target.how = HOW[record.flags]
      }
    } else if (kind === L.TLB_LOG_KIND_RETURN) {
      const left: ShootdownTarget[] = []
      for (const target of waiting(cpu)) {
        if (!target.taken || vectors.get(target) !== Number(record.a)) left.push(target)
        else {
          target.returned = momentOf(record)
          target.duration = record.time - target.sent.time
        }
      }
      open.set(cpu, left)
    }
  }
  // Interrupts for something else than translations: nobody invalidated anything.
  const real = found.filter(({ targets }) => targets.some(({ invalidated }) => invalidated))
  for (const shootdown of real) {
    const { targets, began } = shootdown
    shootdown.complete = targets.every(({ invalidated, returned }) => invalidated && returned)
    if (!shootdown.complete) continue
    let last = 0n
    for (const { returned } of targets) if (returned && returned.time > last) last = returned.time
    shootdown.duration = last - began.time
  }
  return real
}
