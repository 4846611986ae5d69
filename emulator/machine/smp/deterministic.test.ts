// Several CPUs in turns: the same seed gives the same run, another seed another one, however the host slices it.
import { afterEach, describe, expect, test } from 'vitest'
import type { Machine, MachineConfig } from '../api'
import { JOB, runJob, type SmpJob, smpMachine } from './guest'

const machines: Machine[] = []
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.dispose()
})

async function create(job: SmpJob, cpus: number, config: Partial<MachineConfig> = {}) {
  const machine = await smpMachine(job, { cpus, ...config })
  machines.push(machine)
  return machine
}

async function outcome(job: SmpJob, cpus: number, config: Partial<MachineConfig> = {}) {
  const machine = await create(job, cpus, config)
  const { lines } = await runJob(machine)
  const { instructions } = machine.speed()
  return { lines, instructions, hash: await machine.stateHash() }
}

const JOBS: [name: string, job: SmpJob, cpus: number][] = [
  ['store buffering', { job: JOB.litmus, rounds: 100 }, 2],
  ['IRIW', { job: JOB.litmus, variant: 4, rounds: 100 }, 4],
  ['split locks', { job: JOB.locks, variant: 3, rounds: 500 }, 3],
  ['CMPXCHG16B', { job: JOB.locks, variant: 7, rounds: 500 }, 3],
  ['IPIs', { job: JOB.pingpong, rounds: 50 }, 2],
  ['IPIs to a halted CPU', { job: JOB.pingpong, variant: 1, rounds: 50 }, 2],
  ['a shootdown storm', { job: JOB.shootdown, rounds: 50 }, 4],
  ['modified code', { job: JOB.modify, rounds: 50 }, 2],
  ['a ticket lock', { job: JOB.fair, rounds: 500 }, 4],
  ['timers', { job: JOB.timer, rounds: 50, number: 20_000 }, 4],
  ['MWAIT', { job: JOB.monitor, rounds: 20 }, 2],
  ['NMIs', { job: JOB.nmi, rounds: 20 }, 2],
  ['code in one page', { job: JOB.smash, rounds: 300 }, 4],
]

/** tools/endurance.mjs asks for more. */
const RUNS = Number(process.env['RINGSIDE_SMP_RUNS'] ?? 3)

describe('the same run every time', { timeout: 60_000 * Math.max(1, RUNS / 20) }, () => {
  test.each(JOBS)('%s', async (_name, job, cpus) => {
    const first = await outcome(job, cpus, { seed: 7n })
    for (let again = 1; again < RUNS; again++) {
      expect(await outcome(job, cpus, { seed: 7n })).toEqual(first)
      await machines.pop()!.dispose()
    }
  })

  test('another seed is another run', async () => {
    const [, job, cpus] = JOBS[8]!
    const hashes = await Promise.all(
      [1n, 2n, 3n].map(async (seed) => (await outcome(job, cpus, { seed })).hash),
    )
    expect(new Set(hashes).size).toBe(3)
  })

  test('also when it is paused and stepped on the way, one CPU or all', async () => {
    const [, job, cpus] = JOBS[8]!
    const straight = await outcome(job, cpus)
    const machine = await create(job, cpus)
    await machine.step(10_000, 'all')
    expect(machine.speed().instructions).toBe(10_000n)
    const before = machine.cpu(0).instructions
    expect((await machine.step(17, 0)).reason).toBe('step')
    expect(machine.cpu(0).instructions).toBe(before + 17n)
    for (let i = 0; i < 20; i++) await machine.step(101, 'all')
    for (const cpu of [1, 2, 3]) {
      if (machine.cpu(cpu).activity !== 'running') continue
      const retired = machine.cpu(cpu).instructions
      await machine.step(3, cpu)
      expect(machine.cpu(cpu).instructions).toBe(retired + 3n)
    }
    const { lines } = await runJob(machine)
    expect({ lines, instructions: machine.speed().instructions, hash: await machine.stateHash() }).toEqual(
      straight,
    )
  })
})

test('CPUs start in every order they are started in', { timeout: 60_000 }, async () => {
  for (const order of [0x123, 0x132, 0x213, 0x231, 0x312, 0x321]) {
    const { lines } = await outcome({ job: JOB.order, wanted: 4, number: order }, 4)
    const ids = lines
      .at(-1)!
      .trim()
      .split(' ')
      .slice(1)
      .map((id) => Number.parseInt(id, 16))
    expect(ids).toEqual([0, order & 15, (order >> 4) & 15, order >> 8])
  }
})

test('the schedule changes while the machine is paused, and its clock goes on', {
  timeout: 60_000,
}, async () => {
  const machine = await create({ job: JOB.timer, rounds: 3000, number: 50_000 }, 2)
  await machine.step(10_000, 'all')
  let time = 0n
  for (const schedule of ['parallel', 'deterministic', 'parallel', 'deterministic'] as const) {
    await machine.setSchedule(schedule)
    expect(machine.config.schedule).toBe(schedule)
    machine.run()
    await new Promise((resolve) => setTimeout(resolve, 2))
    const info = await machine.pause()
    if (machine.state === 'stopped') break
    expect(info.time >= time).toBe(true)
    time = info.time
  }
  if (machine.state !== 'stopped') {
    machine.run()
    expect((await machine.whenStopped()).reason).toBe('debug-exit')
  }
})

test('a run to an address stops there, on the CPU asked for', { timeout: 60_000 }, async () => {
  const machine = await create({ job: JOB.fair, rounds: 500 }, 3)
  await machine.step(60_000, 'all')
  const target = machine.cpu(2).ripLinear
  await machine.step(1, 2)
  const { reason } = await machine.runUntil(target, 2)
  expect(reason).toBe('step')
  expect(machine.cpu(2).ripLinear).toBe(target)
})
