// Several CPUs on several threads: locked instructions at every alignment, code that another CPU writes, interrupts between
// CPUs.
import { afterEach, describe, expect, test } from 'vitest'
import type { Machine } from '../api'
import { JOB, runJob, type SmpJob, smpMachine } from './guest'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

async function run(cpus: number, job: SmpJob) {
  machine = await smpMachine(job, { cpus, schedule: 'parallel' })
  return runJob(machine, 100_000)
}

describe('locked instructions', { timeout: 120_000 }, () => {
  const CPUS = 3
  const EACH = 2000
  const ALL = CPUS * EACH
  const TWO = ALL - EACH
  test.each<[string, number, bigint, bigint?]>([
    ['aligned', 0, BigInt(ALL)],
    ['misaligned within eight bytes', 1, BigInt(ALL)],
    ['across eight bytes', 2, BigInt(ALL)],
    ['across two lines', 3, BigInt(ALL)],
    ['across two pages', 4, BigInt(ALL)],
    ['CMPXCHG', 5, BigInt(ALL)],
    ['CMPXCHG8B', 6, (BigInt(ALL) << 32n) | BigInt(ALL)],
    ['CMPXCHG16B', 7, BigInt(ALL), BigInt(ALL)],
    ['a lock made of XCHG', 8, BigInt(ALL)],
    ['a lock made of BTS and BTR', 9, BigInt(ALL)],
    ['a split one against aligned ones', 10, (BigInt(EACH) << 32n) | BigInt(TWO)],
    ['CMPXCHG16B against eight bytes', 11, BigInt(TWO), BigInt(TWO)],
    ['a lock made of an XCHG across two lines', 12, BigInt(ALL)],
    ['a byte', 13, BigInt(ALL & 0xff)],
    ['a word across eight bytes', 14, BigInt(ALL)],
    ['beside code', 15, BigInt(ALL)],
    ['XADD', 16, BigInt(ALL)],
    ['CMPXCHG8B across eight bytes', 17, (BigInt(ALL) << 32n) | BigInt(ALL)],
  ])('%s: no change is lost', async (_name, variant, low, high = 0n) => {
    const { lines } = await run(CPUS, { job: JOB.locks, variant, rounds: EACH })
    const [, first, second] = lines.at(-1)!.split(' ')
    expect([BigInt(`0x${first}`), BigInt(`0x${second}`)]).toEqual([low, high])
  })
})

describe('between CPUs', { timeout: 120_000 }, () => {
  test.each([0, 1])('IPIs there and back, variant %d', async (variant) => {
    const { numbers } = await run(2, { job: JOB.pingpong, variant, rounds: 300 })
    expect(numbers('pingpong').slice(1)).toEqual([300, 300])
  })

  test('code that another CPU has modified runs as it is now (SDM 3A 8.1.3)', async () => {
    const { numbers } = await run(2, { job: JOB.modify, rounds: 500 })
    expect(numbers('modify')).toEqual([0, 500])
  })

  test('without serialising, old or new, and in the end new', async () => {
    const { numbers } = await run(2, { job: JOB.modify, variant: 1, rounds: 100 })
    expect(numbers('modify')).toEqual([0, 100])
  })

  test('four CPUs patch and run code of their own in one page', async () => {
    const { numbers } = await run(4, { job: JOB.smash, rounds: 1000 })
    expect(numbers('smash')).toEqual([0])
  })

  test.each([0, 1])('a lock is held by one at a time, variant %d', async (variant) => {
    const turns = (await run(4, { job: JOB.fair, variant, rounds: 2000 })).numbers('fair')
    expect(turns.reduce((sum, count) => sum + count, 0)).toBe(2000)
  })

  test('a store ends MWAIT', async () => {
    expect((await run(2, { job: JOB.monitor, rounds: 100 })).numbers('woken')).toEqual([100])
  })

  test('an NMI ends a halt with interrupts off', async () => {
    expect((await run(2, { job: JOB.nmi, rounds: 100 })).numbers('nmis')).toEqual([100])
  })

  test('sixteen CPUs start', async () => {
    const { lines } = await run(16, { job: JOB.locks, rounds: 10 })
    expect(Number.parseInt(lines[0]!.split(' ')[1]!, 16)).toBe(16)
    expect(BigInt(`0x${lines.at(-1)!.split(' ')[1]}`)).toBe(160n)
  })
})
