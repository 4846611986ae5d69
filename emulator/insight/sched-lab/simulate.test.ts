import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Mnemonic, OPCODES } from './program'
import { ALGORITHMS, weightOf } from './schedulers'
import { DEFAULT_OPTIONS, type LabOptions, type Simulation, simulate } from './simulate'
import type { TaskSpec } from './task'
import { traceText } from './text'

const algorithm = (id: string) => ALGORITHMS.find((each) => each.id === id)!
const run = (id: string, specs: readonly TaskSpec[], options: Partial<LabOptions> = {}) =>
  simulate(specs, algorithm(id), { ...DEFAULT_OPTIONS, ...options })
const task = (name: string, code: Mnemonic[], arrival = 0, priority = 0): TaskSpec => ({
  name,
  code,
  arrival,
  priority,
})
const work = (length: number): Mnemonic[] => Array.from({ length }, () => 'WORK')
/** Jobs of a textbook: burst, arrival, priority. */
const jobs = (...list: [number, number?, number?][]) =>
  list.map(([burst, arrival, priority], i) => task(`P${i + 1}`, work(burst), arrival, priority))
/** `P1 0-3, P2 3-5` */
const gantt = ({ turns, tasks }: Simulation) =>
  turns.map(({ task: index, start, end }) => `${tasks[index]!.name} ${start}-${end}`).join(', ')

const P1: Mnemonic[] = ['PUSH', 'ADD', 'SUB', 'LOAD', 'HALT']
const P2: Mnemonic[] = ['SLEEP', 'SLEEP', 'SLEEP', 'NOP', 'HALT']
const P3: Mnemonic[] = ['PUSH', 'LOAD', 'HALT']

test('round robin gives the trace of the document', () => {
  const specs = [task('./bins/p1.bin', P1), task('./bins/p2.bin', P2), task('./bins/p3.bin', P3)]
  expect(traceText(run('rr', specs), specs)).toBe(
    [
      '[./bins/p1.bin]: PUSH',
      '[./bins/p2.bin]: SLEEP',
      '[./bins/p3.bin]: PUSH',
      '[./bins/p1.bin]: ADD',
      '[./bins/p2.bin]: SLEEP',
      '[./bins/p3.bin]: LOAD',
      '[./bins/p1.bin]: SUB',
      '[./bins/p2.bin]: SLEEP',
      '[./bins/p3.bin]: HALT',
      '[./bins/p1.bin]: LOAD',
      '[./bins/p2.bin]: NOP',
      '[./bins/p1.bin]: HALT',
      '[./bins/p2.bin]: HALT',
      '',
    ].join('\n'),
  )
})

// Silberschatz, Galvin, Gagne, "Operating System Concepts", 9th edition, 6.3.
describe('examples from the textbook', () => {
  test('first come, first served: 24, 3, 3 wait 17 on average, and 3 the other way round', () => {
    expect(run('fcfs', jobs([24], [3], [3])).figures.waiting).toBe(17)
    expect(run('fcfs', jobs([3], [3], [24])).figures.waiting).toBe(3)
  })
  test('shortest job first: 6, 8, 7, 3 wait 7', () => {
    const simulation = run('sjf', jobs([6], [8], [7], [3]))
    expect(gantt(simulation)).toBe('P4 0-3, P1 3-9, P3 9-16, P2 16-24')
    expect(simulation.figures.waiting).toBe(7)
  })
  test('shortest remaining time first: 8, 4, 9, 5 arriving one after another wait 6.5; without preemption 7.75', () => {
    const list = jobs([8, 0], [4, 1], [9, 2], [5, 3])
    const simulation = run('srtf', list)
    expect(gantt(simulation)).toBe('P1 0-1, P2 1-5, P4 5-10, P1 10-17, P3 17-26')
    expect(simulation.figures.waiting).toBe(6.5)
    expect(run('sjf', list).figures.waiting).toBe(7.75)
  })
  test('round robin, quantum 4: 24, 3, 3 wait 17/3', () => {
    const simulation = run('rr', jobs([24], [3], [3]), { quantum: 4 })
    expect(gantt(simulation)).toBe('P1 0-4, P2 4-7, P3 7-10, P1 10-30')
    expect(simulation.figures.waiting).toBeCloseTo(17 / 3, 10)
  })
  test('priority: 10, 1, 2, 1, 5 wait 8.2', () => {
    // The book's lowest number goes first: priorities 3, 1, 4, 5, 2.
    const simulation = run('priority', jobs([10, 0, -3], [1, 0, -1], [2, 0, -4], [1, 0, -5], [5, 0, -2]))
    expect(gantt(simulation)).toBe('P2 0-1, P5 1-6, P1 6-16, P3 16-18, P4 18-19')
    expect(simulation.figures.waiting).toBeCloseTo(8.2, 10)
  })
  // Arpaci-Dusseau, "Operating Systems: Three Easy Pieces", 8.2: a long job and a short one that comes.
  test('multi-level feedback queue: the short job runs as soon as it comes', () => {
    const simulation = run('mlfq', jobs([40, 0], [4, 20]), { quantum: 2, boost: 0 })
    expect(simulation.tasks[1]).toMatchObject({ response: 0, completion: 24 })
    // Two ticks in the first queue; in the second it takes its turns with nobody, for the long one is in the third.
    expect(gantt(simulation)).toBe('P1 0-20, P2 20-24, P1 24-44')
  })
})

describe('what tasks do', () => {
  test('YIELD gives the CPU away even where nobody is preempted', () => {
    const specs = [task('a', ['WORK', 'YIELD', 'WORK', 'HALT']), task('b', ['WORK', 'HALT'])]
    expect(gantt(run('fcfs', specs))).toBe('a 0-2, b 2-4, a 4-6')
  })
  test('SLEEP blocks, and the CPU may have nothing to do', () => {
    const simulation = run('rr', [task('a', ['SLEEP', 'HALT'])], { sleep: 5 })
    expect(simulation.figures).toMatchObject({ ticks: 7, idle: 5, waiting: 0, turnaround: 7 })
    expect(simulation.spans).toEqual([{ task: 0, start: 1, end: 6, state: 'sleeping' }])
  })
  test('SETPRIO takes effect at once', () => {
    const raise: Mnemonic[] = ['PUSH', 'PUSH', 'ADD', 'SETPRIO', 'WORK', 'HALT']
    const specs = [task('a', raise, 0, 5), task('b', work(2), 0, 3)]
    // a falls from 5 to 2 and b, with 3, takes its place.
    expect(gantt(run('priority-preemptive', specs))).toBe('a 0-4, b 4-6, a 6-8')
    expect(gantt(run('priority', specs))).toBe('a 0-6, b 6-8')
  })
  test('the stack: 1 + 1 - 1, and PRINT says it', () => {
    const specs = [
      task('a', ['PUSH', 'LOAD', 'ADD', 'PRINT', 'PUSH', 'SUB', 'PRINT', 'SUB', 'PRINT', 'HALT']),
    ]
    const outputs = run('rr', specs).executed.flatMap(({ output }) => output ?? [])
    expect(outputs).toEqual(['2', '1', '-1'])
  })
  test('a program without HALT ends where its bytes end, and nothing runs behind a HALT', () => {
    expect(run('rr', [task('a', ['NOP', 'HALT', 'WORK'])]).executed).toHaveLength(2)
    expect(run('rr', [task('a', ['NOP'])]).tasks[0]?.completion).toBe(1)
  })
  test('who sinks in the feedback queue comes up again with the boost', () => {
    const specs = [
      task('long', work(60)),
      ...Array.from({ length: 6 }, (_, i) => task(`s${i}`, work(6), 6 + i * 6)),
    ]
    const waits = (boost: number) => run('mlfq', specs, { quantum: 2, boost }).tasks[0]!
    expect(waits(10).completion).toBeLessThanOrEqual(waits(0).completion)
    const gap = (boost: number) => longestWait(run('mlfq', specs, { quantum: 2, boost }), 0)
    expect(gap(10)).toBeLessThan(gap(0))
  })
})

test.each([
  [{ quantum: 0 }, {}, 'the quantum'],
  [{ sleep: 1.5 }, {}, 'a sleep'],
  [{ boost: -1 }, {}, 'the boost'],
  [{}, { arrival: -1 }, 'the arrival'],
  [{}, { priority: Number.NaN }, 'the priority'],
])('numbers that cannot be: %j %j', (options, spec, message) => {
  expect(() => run('rr', [{ ...task('a', ['NOP']), ...spec }], options)).toThrow(message)
})

// ---------------------------------------------------------------------------------------------------------

const longestWait = ({ spans }: Simulation, index: number) =>
  Math.max(
    0,
    ...spans
      .filter((span) => span.task === index && span.state === 'ready')
      .map(({ start, end }) => end - start),
  )

const anyCode = fc.array(fc.constantFrom(...OPCODES.filter((name) => name !== 'HALT')), {
  minLength: 1,
  maxLength: 12,
})
const anyTask = fc.record({
  name: fc.constant('t'),
  code: anyCode,
  arrival: fc.nat(20),
  priority: fc.integer({ min: -3, max: 3 }),
})
const anyTasks = fc.array(anyTask, { minLength: 1, maxLength: 6 })
const anyOptions = fc.record({
  quantum: fc.integer({ min: 1, max: 5 }),
  sleep: fc.integer({ min: 1, max: 6 }),
  boost: fc.nat(30),
})
/** Tasks that only compute. */
const burst = fc.record({
  length: fc.integer({ min: 1, max: 9 }),
  arrival: fc.nat(12),
  priority: fc.constant(0),
})
const bursts = fc
  .array(burst, { minLength: 1, maxLength: 6 })
  .map((list) =>
    list.map(({ length, arrival, priority }, i) => task(`P${i}`, work(length), arrival, priority)),
  )

describe.each(ALGORITHMS.map(({ id }) => id))('%s', (id) => {
  test('executes every program, in its order, one instruction a tick', () => {
    fc.assert(
      fc.property(anyTasks, anyOptions, (specs, options) => {
        const { executed, figures, tasks, turns, spans } = run(id, specs, options)
        specs.forEach((spec, index) => {
          const mine = executed.filter((each) => each.task === index)
          expect(mine.map(({ instruction }) => instruction)).toEqual(spec.code)
          expect(mine[0]!.time).toBeGreaterThanOrEqual(spec.arrival)
          // Time goes by running, waiting or sleeping, and in nothing else.
          const { turnaround, waiting, slept, ran } = tasks[index]!
          const spent = (state: string) =>
            spans
              .filter((span) => span.task === index && span.state === state)
              .reduce((sum, { start, end }) => sum + end - start, 0)
          expect(spent('ready')).toBe(waiting)
          expect(spent('sleeping')).toBe(slept)
          expect(turnaround).toBe(waiting + slept + ran)
        })
        const times = executed.map(({ time }) => time)
        expect(new Set(times).size).toBe(times.length)
        expect(figures.ticks).toBe(executed.length + figures.idle)
        expect(turns.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(executed.length)
        for (const [i, turn] of turns.entries())
          expect(turn.start).toBeGreaterThanOrEqual(turns[i - 1]?.end ?? 0)
        expect(figures.fairness).toBeGreaterThan(1 / specs.length - 1e-9)
        expect(figures.fairness).toBeLessThan(1 + 1e-9)
      }),
    )
  })

  test('never idles while a task is ready', () => {
    fc.assert(
      fc.property(anyTasks, anyOptions, (specs, options) => {
        const { executed, spans } = run(id, specs, options)
        const busy = new Set(executed.map(({ time }) => time))
        for (const { start, end, state } of spans) {
          for (let time = start; state === 'ready' && time < end; time++) expect(busy.has(time)).toBe(true)
        }
      }),
    )
  })

  test('the same tasks give the same run', () => {
    fc.assert(
      fc.property(anyTasks, anyOptions, (specs, options) => {
        expect(run(id, specs, options)).toEqual(run(id, specs, options))
      }),
      { numRuns: 20 },
    )
  })
})

describe('what each algorithm promises', () => {
  const meanTurnaround = (order: readonly number[], lengths: readonly number[]) => {
    let time = 0
    return order.reduce((sum, i) => sum + (time += lengths[i]!), 0) / order.length
  }
  const permutations = (items: number[]): number[][] =>
    items.length <= 1
      ? [items]
      : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))

  test('shortest job first: no order of jobs that are all there is better', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (lengths) => {
        const best = Math.min(
          ...permutations(lengths.map((_, i) => i)).map((order) => meanTurnaround(order, lengths)),
        )
        expect(
          run('sjf', jobs(...lengths.map((length): [number] => [length]))).figures.turnaround,
        ).toBeCloseTo(best, 9)
      }),
    )
  })
  test('shortest remaining time first: nobody else is better on jobs that only compute (Schrage 1968)', () => {
    fc.assert(
      fc.property(bursts, anyOptions, (specs, options) => {
        const best = run('srtf', specs).figures.turnaround
        for (const { id } of ALGORITHMS)
          expect(run(id, specs, options).figures.turnaround).toBeGreaterThanOrEqual(best - 1e-9)
      }),
    )
  })
  test('first come, first served: in the order of arrival', () => {
    fc.assert(
      fc.property(bursts, (specs) => {
        const { tasks } = run('fcfs', specs)
        tasks.forEach((a, i) => {
          tasks.forEach((b, j) => {
            if (a.arrival < b.arrival || (a.arrival === b.arrival && i < j))
              expect(a.completion).toBeLessThan(b.completion)
          })
        })
      }),
    )
  })
  test('round robin: nobody waits longer than a quantum of every other', () => {
    fc.assert(
      fc.property(anyTasks, anyOptions, (specs, options) => {
        const simulation = run('rr', specs, options)
        for (const index of specs.keys()) {
          expect(longestWait(simulation, index)).toBeLessThanOrEqual((specs.length - 1) * options.quantum)
        }
      }),
    )
  })
  test('preemptive priority: nobody runs while a higher one is ready', () => {
    fc.assert(
      fc.property(
        bursts,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }),
        (list, priorities) => {
          const specs = list.map((spec, i) => ({ ...spec, priority: priorities[i]! }))
          const { executed, spans } = run('priority-preemptive', specs)
          for (const { time, task: running } of executed) {
            for (const { task: waiting, start, end, state } of spans) {
              if (state === 'ready' && start <= time && time < end)
                expect(specs[running]!.priority).toBeGreaterThanOrEqual(specs[waiting]!.priority)
            }
          }
        },
      ),
    )
  })
  test('fair share: of tasks that compute side by side, none is ahead by more than two quanta, by weight', () => {
    const priorities = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(priorities, fc.integer({ min: 1, max: 4 }), (list, quantum) => {
        const specs = list.map((priority, i) => task(`P${i}`, work(40), 0, priority))
        const { executed, tasks } = run('fair', specs, { quantum })
        const until = Math.min(...tasks.map(({ completion }) => completion))
        const time = list.map(() => 0)
        const slack = (2 * quantum) / Math.min(...list.map(weightOf))
        for (const { task: index, time: now } of executed) {
          if (now >= until) break
          time[index]! += 1 / weightOf(list[index]!)
          expect(Math.max(...time) - Math.min(...time)).toBeLessThanOrEqual(slack + 1e-9)
        }
      }),
    )
  })
  test('with equal work from the start, round robin is fairer than first come, first served', () => {
    const specs = jobs([20], [20], [20])
    expect(run('rr', specs).figures.fairness).toBeGreaterThan(run('fcfs', specs).figures.fairness)
  })
})
