// Onlookers that hold the machine see one moment of it, and leave no trace in the guest.
import { afterEach, describe, expect, test } from 'vitest'
import * as L from '../../core/layout'
import type { Machine, MachineConfig, Schedule } from '../api'
import { JOB, runJob, type SmpJob, smpMachine } from './guest'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** Retired instructions of every CPU, as they are in the memory: a CPU at a boundary has them all accounted for. */
const retired = ({ memory }: Machine) =>
  Array.from({ length: memory.cpuCount }, (_, cpu) => memory.cpu64(cpu, L.CPU_RETIRED))

/** Runs the job to its end, and holds it again and again on the way. */
async function heldJob(job: SmpJob, config: Partial<MachineConfig>) {
  const guest = await smpMachine(job, config)
  machine = guest
  let holds = 0
  let moved = 0
  const again = setInterval(() => {
    if (guest.state !== 'running') return
    const seen = guest.hold(() => {
      const { u8, ram } = guest.memory
      const take = () => [
        retired(guest).join(),
        Buffer.from(u8.subarray(ram, ram + 0x40000)).toString('latin1'),
      ]
      const before = take()
      const until = performance.now() + 0.3
      while (performance.now() < until);
      const after = take()
      return before.every((one, i) => one === after[i])
    })
    holds++
    if (!seen) moved++
  }, 1)
  try {
    const { lines } = await runJob(guest)
    const { instructions } = guest.speed()
    return { run: { lines, instructions, hash: await guest.stateHash() }, holds, moved }
  } finally {
    clearInterval(again)
  }
}

const JOBS: [name: string, job: SmpJob, cpus: number][] = [
  ['one CPU that computes', { job: JOB.alu, rounds: 3_000_000 }, 1],
  ['locks that are split', { job: JOB.locks, variant: 3, rounds: 8000 }, 3],
  ['a shootdown storm', { job: JOB.shootdown, rounds: 800 }, 4],
  ['timers', { job: JOB.timer, rounds: 300, number: 20_000 }, 4],
]

describe('deterministic: the run is the same to the last bit', { timeout: 60_000 }, () => {
  test.each(JOBS)('%s', async (_name, job, cpus) => {
    const config = { cpus, seed: 3n }
    const free = await smpMachine(job, config)
    machine = free
    const { lines } = await runJob(free)
    const { instructions } = free.speed()
    const straight = { lines, instructions, hash: await free.stateHash() }
    await free.dispose()
    const { run, holds } = await heldJob(job, config)
    expect(run).toEqual(straight)
    expect(holds).toBeGreaterThan(0)
  })
})

describe('a moment stands still', { timeout: 60_000 }, () => {
  const schedules: Schedule[] = ['deterministic', 'parallel']
  test.each(
    schedules.flatMap((schedule) => JOBS.map(([name, job, cpus]) => ({ schedule, name, job, cpus }))),
  )('$schedule: $name', async ({ schedule, job, cpus }) => {
    const { holds, moved } = await heldJob(job, { cpus, schedule })
    // A host that gives a thread no core for milliseconds lets a hold fail; without holding, every look sees changes.
    expect(moved).toBeLessThan(holds)
  })
})
