// Stale uses and shootdowns, told from a guest that does them on purpose: all of them, and none where there is none.
import { afterEach, describe, expect, test } from 'vitest'
import * as L from '../../core/layout'
import { shootdowns } from '../../insight/shootdowns'
import { staleUses } from '../../insight/stale-uses'
import { readTlbLog } from '../../insight/tlb-log'
import type { Machine, Schedule } from '../api'
import { JOB, runJob, type SmpJob, smpMachine } from './guest'

const WINDOW = 0x4000_0000n
const PT1 = 0x74000n

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

async function watch(schedule: Schedule, cpus: number, job: SmpJob) {
  const guest = (machine = await smpMachine(job, { cpus, schedule }))
  guest.watchTlb(true)
  const run = await runJob(guest)
  const { records, lost } = readTlbLog(guest.memory)
  return { run, records, lost, uses: staleUses(records), guest }
}

const SCHEDULES: Schedule[] = ['deterministic', 'parallel']

describe.each(SCHEDULES)('%s', { timeout: 60_000 }, (schedule) => {
  test.each([
    ['moved', 0, 50, ['other frame'], true],
    ['unmapped', 1, 50, ['not present'], true],
    ['made read-only, and read', 2, 50, ['fewer rights'], false],
  ] as const)(
    'a page that is %s and used: every use is told',
    async (_name, variant, rounds, differs, affected) => {
      const { uses } = await watch(schedule, 2, { job: JOB.shot, variant, rounds })
      expect(uses.map(({ used, access, count }) => [used.cpu, access, count])).toEqual([[1, 'read', rounds]])
      for (const use of uses) {
        expect(use).toMatchObject({ linear: WINDOW + 16n, access: 'read', entry: PT1, differs, affected })
        expect(use.used.cpu).toBe(1)
        expect(use.changed?.cpu).toBe(0)
        expect(use.changed!.time <= use.used.time).toBe(true)
        expect(use.before & ~0x60n).not.toBe(use.after & ~0x60n)
      }
      // All by the one instruction, and the change by one of CPU 0.
      expect(new Set(uses.map(({ used }) => used.rip)).size).toBe(1)
      expect(new Set(uses.map(({ changed }) => changed!.rip)).size).toBe(1)
    },
  )

  test.each([
    ['allowed more', 3],
    ['marked accessed and dirty', 4],
  ])('a page that is only %s: nothing is stale', async (_name, variant) => {
    const { uses } = await watch(schedule, 2, { job: JOB.shot, variant, rounds: 50 })
    expect(uses).toEqual([])
  })

  test.each([0, 2, 4])(
    'a storm with the IPI protocol, variant %d: no stale use, every shootdown seen',
    async (variant) => {
      const rounds = 40
      const { uses, records, lost } = await watch(schedule, 4, { job: JOB.shootdown, variant, rounds })
      expect(lost).toBe(0)
      expect(uses).toEqual([])
      const found = shootdowns(records)
      // Allowing more is no shootdown, though this guest sends its interrupts for it too.
      expect(found.length).toBeGreaterThanOrEqual(variant === 4 ? rounds / 2 - 1 : rounds - 1)
      for (const shootdown of found) {
        expect(shootdown).toMatchObject({ initiator: 0, vector: 0x42, complete: true })
        expect(shootdown.targets.map(({ cpu }) => cpu).sort()).toEqual([1, 2, 3])
        expect(shootdown.targets.every(({ how }) => how === 'page')).toBe(true)
        expect(shootdown.changes.every(({ entry }) => entry === PT1)).toBe(true)
        expect(shootdown.duration! > 0n).toBe(true)
      }
    },
  )

  test('a storm without it: stale uses by the others, of the window alone', async () => {
    // The others need time, or turns, to come by.
    const rounds = schedule === 'parallel' ? 20_000 : 4000
    const { uses } = await watch(schedule, 4, { job: JOB.shootdown, variant: 1, rounds })
    expect(uses.length).toBeGreaterThan(0)
    for (const { linear, used, changed } of uses) {
      expect(linear >> 12n).toBe(WINDOW >> 12n)
      expect(used.cpu).not.toBe(0)
      expect(changed?.cpu).toBe(0)
    }
  })
})

test('looking changes nothing: the same hash with and without', { timeout: 60_000 }, async () => {
  const hashes: string[] = []
  for (const on of [false, true]) {
    const guest = await smpMachine({ job: JOB.shootdown, variant: 1, rounds: 40 }, { cpus: 4 })
    if (on) guest.watchTlb(true)
    await runJob(guest)
    expect(guest.memory.view.getBigUint64(L.TLB_LOG, true) > 0n).toBe(on)
    hashes.push(await guest.stateHash())
    await guest.dispose()
  }
  expect(hashes[1]).toBe(hashes[0])
})
