// Runs tasks under a scheduler, tick by tick, and says what happened: every instruction, every turn on the CPU, and the
// figures by which schedulers are compared.
import type { Mnemonic } from './program'
import type { Algorithm, SchedulerOptions } from './schedulers'
import { Task, type TaskSpec } from './task'

export interface LabOptions extends SchedulerOptions {
  /** Ticks a SLEEP blocks for, behind the tick it takes itself. */
  sleep: number
}

/** One instruction per turn and a SLEEP of one tick: what the shortest round robin does. */
export const DEFAULT_OPTIONS: LabOptions = { quantum: 1, boost: 100, sleep: 1 }

/** One instruction: it took the tick from `time` to `time` + 1. */
export interface Executed {
  time: number
  /** Index of the task. */
  task: number
  instruction: Mnemonic
  /** What PRINT said. */
  output?: string
}

/** How a turn on the CPU ended. */
export type TurnEnd = 'preempted' | 'yielded' | 'slept' | 'ended'

export interface Turn {
  task: number
  start: number
  /** First tick behind it. */
  end: number
  why: TurnEnd
}

/** A task waiting for the CPU, or sleeping. */
export interface Span {
  task: number
  start: number
  end: number
  state: 'ready' | 'sleeping'
}

export interface TaskFigures {
  name: string
  arrival: number
  /** When it ended. */
  completion: number
  /** Ticks on the CPU, and asleep. */
  ran: number
  slept: number
  /** From its arrival to its end. */
  turnaround: number
  /** Ready, but not running. */
  waiting: number
  /** From its arrival to its first instruction. */
  response: number
}

export interface Figures {
  turnaround: number
  waiting: number
  response: number
  /** The CPU went from one task to another. */
  switches: number
  /**
   * Jain's index (Jain, Chiu, Hawe 1984) of the tasks' speeds, a task's speed being the part of its wakeful time that it
   * ran: 1 when all were served alike, 1/n when one had everything.
   */
  fairness: number
  /** Ticks until the last has ended, and how many of them the CPU had nothing to do. */
  ticks: number
  idle: number
}

export interface Simulation {
  algorithm: string
  executed: Executed[]
  turns: Turn[]
  spans: Span[]
  tasks: TaskFigures[]
  /** Means over the tasks, and totals. */
  figures: Figures
}

/** All ends by itself: programs have no jumps. Arrivals later than this are no lab's. */
export const ARRIVAL_MAX = 1_000_000

/**
 * @param specs in the order in which those that come at one tick are queued
 * @throws RangeError for numbers that cannot be
 */
export function simulate(
  specs: readonly TaskSpec[],
  algorithm: Algorithm,
  options: LabOptions = DEFAULT_OPTIONS,
): Simulation {
  check(specs, options)
  const tasks = specs.map((spec, index) => new Task(index, spec))
  const scheduler = algorithm.create(options)
  const executed: Executed[] = []
  const turns: Turn[] = []
  const spans: Span[] = []
  const since = tasks.map((task) => task.spec.arrival)
  // Those that are not here yet or asleep, by the tick at which they come.
  const outside = new Map(tasks.map((task) => [task, { at: task.spec.arrival, woken: false }]))
  let running: Task | undefined
  let turnStart = 0
  let idle = 0
  let now = 0

  const makeReady = (task: Task, why: Parameters<typeof scheduler.ready>[1]) => {
    since[task.index] = now
    scheduler.ready(task, why)
  }
  const endTurn = (task: Task, why: TurnEnd) => {
    turns.push({ task: task.index, start: turnStart, end: now, why })
    running = undefined
  }

  while (true) {
    scheduler.tick?.(now)
    for (const task of tasks) {
      const coming = outside.get(task)
      if (!coming || coming.at > now) continue
      outside.delete(task)
      if (coming.woken)
        spans.push({ task: task.index, start: since[task.index]!, end: now, state: 'sleeping' })
      makeReady(task, coming.woken ? 'woken' : 'arrived')
    }
    // Whoever came is queued before the one that has to go.
    if (running) {
      const last = executed.at(-1)!.instruction
      if (last === 'YIELD') {
        endTurn(running, 'yielded')
        makeReady(tasks[executed.at(-1)!.task]!, 'yielded')
      } else if (scheduler.preempts(running, now - turnStart)) {
        const task: Task = running
        endTurn(task, 'preempted')
        makeReady(task, 'preempted')
      }
    }
    if (!running) {
      running = scheduler.next()
      turnStart = now
      if (running) {
        running.firstRun ??= now
        const start = since[running.index]!
        if (now > start) spans.push({ task: running.index, start, end: now, state: 'ready' })
      }
    }
    if (!running) {
      if (outside.size === 0) break
      const next = Math.min(...[...outside.values()].map(({ at }) => at))
      idle += next - now
      now = next
      continue
    }
    const task: Task = running
    const step = task.step()
    executed.push({ time: now, task: task.index, ...step })
    task.ran++
    scheduler.ran?.(task)
    now++
    if (task.done) {
      task.completion = now
      endTurn(task, 'ended')
      scheduler.left?.(task)
    } else if (step.instruction === 'SLEEP') {
      endTurn(task, 'slept')
      scheduler.left?.(task)
      task.slept += options.sleep
      since[task.index] = now
      outside.set(task, { at: now + options.sleep, woken: true })
    }
  }
  const figures = tasks.map(figuresOf)
  return {
    algorithm: algorithm.id,
    executed,
    turns: joined(turns),
    spans,
    tasks: figures,
    figures: {
      turnaround: mean(figures.map(({ turnaround }) => turnaround)),
      waiting: mean(figures.map(({ waiting }) => waiting)),
      response: mean(figures.map(({ response }) => response)),
      switches: switchesOf(executed),
      fairness: jain(figures.map(({ ran, slept, turnaround }) => ran / (turnaround - slept))),
      ticks: now,
      idle,
    },
  }
}

function check(specs: readonly TaskSpec[], { quantum, boost, sleep }: LabOptions) {
  const whole = (value: number, least: number, what: string, most = ARRIVAL_MAX) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`${what} is a whole number from ${least} to ${most}, not ${value}`)
    }
  }
  whole(quantum, 1, 'the quantum', 10_000)
  whole(boost, 0, 'the boost')
  whole(sleep, 1, 'a sleep', 10_000)
  for (const { name, arrival, priority } of specs) {
    whole(arrival, 0, `${name}: the arrival`)
    whole(priority, -1000, `${name}: the priority`, 1000)
  }
}

function figuresOf({ spec, ran, slept, firstRun, completion }: Task): TaskFigures {
  const turnaround = completion! - spec.arrival
  return {
    name: spec.name,
    arrival: spec.arrival,
    completion: completion!,
    ran,
    slept,
    turnaround,
    waiting: turnaround - ran - slept,
    response: firstRun! - spec.arrival,
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function jain(values: readonly number[]): number {
  if (values.length === 0) return 1
  const sum = values.reduce((total, value) => total + value, 0)
  const squares = values.reduce((total, value) => total + value * value, 0)
  return (sum * sum) / (values.length * squares)
}

function switchesOf(executed: readonly Executed[]): number {
  let count = 0
  for (let i = 1; i < executed.length; i++) if (executed[i]!.task !== executed[i - 1]!.task) count++
  return count
}

/** A task that is preempted and chosen again at once has gone on: one turn. */
function joined(turns: readonly Turn[]): Turn[] {
  const all: Turn[] = []
  for (const turn of turns) {
    const last = all.at(-1)
    if (last && last.task === turn.task && last.end === turn.start && last.why === 'preempted') {
      last.end = turn.end
      last.why = turn.why
    } else all.push({ ...turn })
  }
  return all
}
