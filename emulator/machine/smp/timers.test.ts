// Timer interrupts, each answered before the next is asked for: one that gets lost ends the run.
import { afterEach, expect, test } from 'vitest'
import type { Machine, Schedule } from '../api'
import { JOB, runJob, smpMachine } from './guest'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** tools/endurance.mjs asks for more. */
const TICKS = Number(process.env['RINGSIDE_SMP_TICKS'] ?? 500)
const PATIENCE = 60_000 * Math.max(1, TICKS / 50_000)

// Variant bit 0: periodic, bit 1: busy instead of halting, bit 2: TSC-deadline.
test.each<[string, Schedule, number]>([
  ['one-shot, halting', 'parallel', 0],
  ['one-shot, busy', 'parallel', 2],
  ['TSC-deadline, halting', 'parallel', 4],
  ['TSC-deadline, busy', 'parallel', 6],
  ['periodic, halting', 'parallel', 1],
  ['periodic, busy', 'parallel', 3],
  ['one-shot, halting', 'deterministic', 0],
  ['TSC-deadline, halting', 'deterministic', 4],
  ['periodic, halting', 'deterministic', 1],
])(
  '%s, %s: no timer interrupt is lost on any of three CPUs',
  { timeout: PATIENCE + 20_000 },
  async (...args) => {
    const [, schedule, variant] = args
    // A periodic timer's ticks are made up for where a CPU has not had a turn meanwhile: four turns are up to 130 us.
    const count = variant & 1 ? 200_000 : schedule === 'parallel' ? 5000 : 20_000
    const job = { job: JOB.timer, variant, rounds: TICKS, number: count }
    machine = await smpMachine(job, { cpus: 3, schedule })
    const run = await runJob(machine, PATIENCE)
    const numbers = run.numbers('timer')
    const ticks = numbers.filter((_, i) => i % 2 === 0)
    const times = numbers.filter((_, i) => i % 2 === 1)
    // The ticks of a clock that counts nanoseconds: never early.
    for (const took of times) expect(took).toBeGreaterThanOrEqual(TICKS * count)
    if (variant & 1) {
      // A periodic timer goes on until there are as many ticks as periods have passed.
      expect(run.numbers('lost')).toEqual([0, 0, 0])
      for (const [i, seen] of ticks.entries()) {
        expect(seen).toBeGreaterThanOrEqual(TICKS)
        if (schedule === 'deterministic') expect(times[i]).toBeLessThan((TICKS + 2) * count)
      }
    } else expect(ticks).toEqual([TICKS, TICKS, TICKS])
  },
)

test('parallel, not paced: while all CPUs halt the clock jumps to the next timer', {
  timeout: 80_000,
}, async () => {
  // 160 s of machine time, which are not waited for.
  const job = { job: JOB.timer, variant: 0, rounds: 10_000, number: 16_000_000 }
  machine = await smpMachine(job, { cpus: 2, schedule: 'parallel' })
  const run = await runJob(machine, 60_000)
  const numbers = run.numbers('timer')
  expect(numbers.filter((_, i) => i % 2 === 0)).toEqual([10_000, 10_000])
  for (const took of numbers.filter((_, i) => i % 2 === 1)) expect(took).toBeGreaterThanOrEqual(160e9)
})
