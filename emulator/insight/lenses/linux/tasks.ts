// Processes, and which of them runs on which CPU (include/linux/sched.h of 6.1).
import type { TaskReading } from '../reading'
import type { KernelReader } from './kernel-reader'

const TASKS_MAX = 4000
const TASK = 'struct task_struct'
/** fs/proc/array.c, get_task_state: the letters of ps, in words. Bits of __state | exit_state, the highest counts. */
const STATES: [bit: number, word: string][] = [
  ...([
    [0x20, 'zombie'],
    [0x10, 'dead'],
    [0x8, 'traced'],
    [0x4, 'stopped'],
  ] as [number, string][]),
  ...([
    [0x402, 'idle'],
    [0x2, 'waiting for the disk'],
    [0x1, 'sleeping'],
  ] as [number, string][]),
]

/** Addresses of the first thread of each process, that of the idle task in front. */
export function* processes(linux: KernelReader): Generator<bigint> {
  const first = linux.kernel.address('init_task')
  if (first === undefined) return
  yield first
  let count = 0
  for (const task of linux.list(linux.place(first, TASK, 'tasks'), TASK, 'tasks')) {
    if (++count > TASKS_MAX) return
    yield task
  }
}

/** `sh (80)` */
export function taskName(linux: KernelReader, task: bigint): string {
  const name = linux.text(linux.place(task, TASK, 'comm'), 16)
  return `${name} (${linux.number(task, TASK, 'pid')})`
}

export function readTasks(linux: KernelReader): TaskReading[] {
  const found: TaskReading[] = []
  for (const task of processes(linux)) {
    linux.reader.attempt('init_task.tasks', () => {
      const one: TaskReading = {
        id: linux.number(task, TASK, 'pid'),
        name: linux.text(linux.place(task, TASK, 'comm'), 16),
        state: stateOf(linux, task),
      }
      const mm = linux.big(task, TASK, 'mm')
      const pgd = mm === 0n ? undefined : linux.view.physical(linux.big(mm, 'struct mm_struct', 'pgd'))
      if (pgd !== undefined) one.addressSpace = pgd
      found.push(one)
    })
  }
  return found
}

function stateOf(linux: KernelReader, task: bigint): string {
  const field = linux.field(TASK, '__state') ? '__state' : 'state'
  const bits = linux.number(task, TASK, field) | linux.number(task, TASK, 'exit_state')
  for (const [mask, word] of STATES) if ((bits & mask) === mask) return word
  return bits === 0 ? 'running' : ''
}

/** By CPU, the process whose thread runs there; 0 is the idle task. */
export function readCurrent(linux: KernelReader): (number | undefined)[] {
  const { kernel } = linux
  // From 6.2 on it is the first member of pcpu_hot.
  const hot = kernel.address('pcpu_hot')
  const at =
    kernel.address('current_task') ??
    (hot === undefined
      ? undefined
      : hot + BigInt(linux.field('struct pcpu_hot', 'current_task')?.offset ?? 0))
  if (at === undefined) return []
  return Array.from({ length: Math.min(linux.cpus, linux.memory.cpuCount) }, (_, cpu) =>
    linux.reader.attempt('current_task', () => {
      const task = linux.word(BigInt.asUintN(64, at + linux.perCpu(cpu)))
      return task === 0n ? undefined : linux.number(task, TASK, 'tgid')
    }),
  )
}
