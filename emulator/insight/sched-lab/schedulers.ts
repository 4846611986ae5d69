// The schedulers of the lab. Each decides three things: where a task that becomes ready waits, which waiting task is next,
// and whether the running one has to go. Time goes by in ticks; a tick is one instruction.
import type { Task } from './task'

/** Why a task waits: it came, it woke up, its time was up, or it gave the CPU away. */
export type Ready = 'arrived' | 'woken' | 'preempted' | 'yielded'

export interface SchedulerOptions {
  /** Ticks a task runs before another gets its turn (round robin and its kin). */
  quantum: number
  /** Ticks after which a multi-level feedback queue puts everybody into the first queue again; 0: never. */
  boost: number
}

export interface Scheduler {
  /** A task starts to wait. Of tasks that do so at one tick, those that arrive or wake come first. */
  ready(task: Task, why: Ready): void
  /** Takes the next task from those that wait. */
  next(): Task | undefined
  /** Asked behind each tick. @param turn ticks of the running task's turn so far */
  preempts(running: Task, turn: number): boolean
  /** The running task has run for a tick. */
  ran?(task: Task): void
  /** The running task sleeps or has ended. */
  left?(task: Task): void
  /** A tick begins. */
  tick?(now: number): void
}

export interface Algorithm {
  id: string
  name: string
  /** One sentence. */
  rule: string
  preemptive: boolean
  create(options: SchedulerOptions): Scheduler
}

/** One queue, in which the least by `key` is next; of equals the one that waits longest. */
class Ordered implements Scheduler {
  readonly waiting: Task[] = []
  constructor(
    readonly key: (task: Task) => number,
    readonly preemptive: boolean,
  ) {}
  ready(task: Task) {
    this.waiting.push(task)
  }
  next(): Task | undefined {
    const best = least(this.waiting, this.key)
    return best < 0 ? undefined : this.waiting.splice(best, 1)[0]
  }
  preempts(running: Task) {
    return this.preemptive && this.waiting.some((task) => this.key(task) < this.key(running))
  }
}

/** @returns the index of the first of the least, -1 when there is none */
function least(tasks: readonly Task[], key: (task: Task) => number): number {
  let best = tasks.length > 0 ? 0 : -1
  for (let i = 1; i < tasks.length; i++) if (key(tasks[i]!) < key(tasks[best]!)) best = i
  return best
}

class RoundRobin implements Scheduler {
  readonly #waiting: Task[] = []
  constructor(readonly quantum: number) {}
  ready(task: Task) {
    this.#waiting.push(task)
  }
  next() {
    return this.#waiting.shift()
  }
  /** Alone, it is next again, with a new quantum. */
  preempts(_running: Task, turn: number) {
    return turn >= this.quantum
  }
}

/** Queues by level, 0 first; a subclass moves tasks between them. */
abstract class Levels implements Scheduler {
  readonly queues: Task[][]
  readonly level = new Map<Task, number>()
  constructor(readonly count: number) {
    this.queues = Array.from({ length: count }, () => [])
  }
  abstract first(task: Task): number
  abstract quantumOf(level: number): number
  /** Has the whole quantum been used when a task is preempted? */
  #used = new Map<Task, boolean>()

  levelOf(task: Task): number {
    return this.level.get(task) ?? this.first(task)
  }
  move(task: Task, by: number) {
    this.level.set(task, Math.min(Math.max(this.levelOf(task) + by, 0), this.count - 1))
  }
  ready(task: Task, why: Ready) {
    if (!this.level.has(task)) this.level.set(task, this.first(task))
    if (why === 'preempted' && this.#used.get(task)) this.move(task, 1)
    if (why === 'woken' || why === 'yielded') this.move(task, -1)
    this.#used.delete(task)
    this.queues[this.levelOf(task)]!.push(task)
  }
  next() {
    return this.queues.find((queue) => queue.length > 0)?.shift()
  }
  preempts(running: Task, turn: number) {
    const level = this.levelOf(running)
    const used = turn >= this.quantumOf(level)
    this.#used.set(running, used)
    return used || this.queues.some((queue, n) => n < level && queue.length > 0)
  }
}

const MLFQ_LEVELS = 3

/** After Corbato; the rules are those of Arpaci-Dusseau, "Operating Systems: Three Easy Pieces", 8, and promotion. */
class FeedbackQueue extends Levels {
  constructor(readonly options: SchedulerOptions) {
    super(MLFQ_LEVELS)
  }
  first() {
    return 0
  }
  quantumOf(level: number) {
    return this.options.quantum << level
  }
  tick(now: number) {
    const { boost } = this.options
    if (boost === 0 || now === 0 || now % boost !== 0) return
    for (const task of this.level.keys()) this.level.set(task, 0)
    const all = this.queues.flatMap((queue) => queue.splice(0))
    this.queues[0]!.push(...all)
  }
}

const DYNAMIC_LEVELS = 16
const DYNAMIC_MIDDLE = 8

/** Sixteen priorities, round robin within each: whoever uses up its quantum sinks by one, whoever sleeps or yields rises. */
class DynamicPriorities extends Levels {
  constructor(readonly quantum: number) {
    super(DYNAMIC_LEVELS)
  }
  first(task: Task) {
    return Math.min(Math.max(DYNAMIC_MIDDLE - task.priority, 0), DYNAMIC_LEVELS - 1)
  }
  quantumOf() {
    return this.quantum
  }
}

/** Weight of a task: a step of priority is a quarter more time, as Linux's nice levels (sched/core.c, sched_prio_to_weight). */
export function weightOf(priority: number): number {
  return 1.25 ** Math.min(Math.max(priority, -20), 20)
}

/** The task that had the least time, by weight, is next. */
class Fair implements Scheduler {
  readonly #waiting: Task[] = []
  readonly #runtime = new Map<Task, number>()
  /** Never goes back: who comes or wakes later does not catch up on what it did not wait for. */
  #floor = 0
  constructor(readonly quantum: number) {}

  runtime(task: Task): number {
    return this.#runtime.get(task) ?? 0
  }
  ready(task: Task, why: Ready) {
    if (why === 'arrived' || why === 'woken') {
      this.#runtime.set(task, Math.max(this.runtime(task), this.#floor))
    }
    this.#waiting.push(task)
  }
  next() {
    const best = least(this.#waiting, (task) => this.runtime(task))
    if (best < 0) return undefined
    const [task] = this.#waiting.splice(best, 1)
    this.#floor = Math.max(this.#floor, this.runtime(task!))
    return task
  }
  ran(task: Task) {
    this.#runtime.set(task, this.runtime(task) + 1 / weightOf(task.priority))
  }
  preempts(_running: Task, turn: number) {
    return turn >= this.quantum
  }
}

export const ALGORITHMS: readonly Algorithm[] = [
  {
    id: 'fcfs',
    name: 'First come, first served',
    rule: 'Who comes first runs until it sleeps or ends.',
    preemptive: false,
    create: () => new Ordered(() => 0, false),
  },
  {
    id: 'sjf',
    name: 'Shortest job first',
    rule: 'The one with the fewest instructions to go is next, and runs until it sleeps or ends.',
    preemptive: false,
    create: () => new Ordered((task) => task.remaining, false),
  },
  {
    id: 'srtf',
    name: 'Shortest remaining time first',
    rule: 'The one with the fewest instructions to go runs; a shorter one that comes takes its place.',
    preemptive: true,
    create: () => new Ordered((task) => task.remaining, true),
  },
  {
    id: 'rr',
    name: 'Round robin',
    rule: 'Each runs for a quantum, then goes to the end of the queue.',
    preemptive: true,
    create: ({ quantum }) => new RoundRobin(quantum),
  },
  {
    id: 'priority',
    name: 'Priority',
    rule: 'The one with the highest priority is next, and runs until it sleeps or ends.',
    preemptive: false,
    create: () => new Ordered((task) => -task.priority, false),
  },
  {
    id: 'priority-preemptive',
    name: 'Priority, preemptive',
    rule: 'The one with the highest priority runs; a higher one that comes takes its place.',
    preemptive: true,
    create: () => new Ordered((task) => -task.priority, true),
  },
  {
    id: 'mlfq',
    name: 'Multi-level feedback queue',
    rule: 'Three queues: who uses up its quantum sinks, who sleeps or yields rises; lower queues have longer quanta.',
    preemptive: true,
    create: (options) => new FeedbackQueue(options),
  },
  {
    id: 'dynamic',
    name: 'Round robin with dynamic priorities',
    rule: 'Sixteen queues, the highest first: who uses up its quantum sinks by one, who sleeps or yields rises by one.',
    preemptive: true,
    create: ({ quantum }) => new DynamicPriorities(quantum),
  },
  {
    id: 'fair',
    name: 'Fair share',
    rule: 'The one that had the least time is next; a higher priority makes time count less.',
    preemptive: true,
    create: ({ quantum }) => new Fair(quantum),
  },
]
