// Who runs, and who could.
import type { Lens } from './lens'
import type { Reader } from './reader'
import { enumeratorWords, type TaskReading } from './reading'

const TASKS_MAX = 10_000

export function readTasks(reader: Reader, lens: NonNullable<Lens['tasks']>): TaskReading[] {
  const names = lens.state ? reader.enumerators(lens.state.enum) : new Map<bigint, string>()
  const words = enumeratorWords([...names.values()])
  const states = new Map([...names.keys()].map((value, i) => [value, words[i]!]))
  const tasks: TaskReading[] = []
  for (const object of reader.walk(lens)) {
    if (tasks.length >= TASKS_MAX) break
    const id = reader.number(lens.id, object)
    if (id === undefined) continue
    const task: TaskReading = {
      id,
      name: (lens.name !== undefined && reader.text(lens.name, object)) || `task ${id}`,
      state: '',
    }
    if (lens.state) {
      const state = reader.big(lens.state.value, object)
      task.state = state === undefined ? '' : (states.get(state) ?? String(state))
    }
    if (lens.addressSpace !== undefined) {
      // A kernel thread has none: NULL on the way is no trouble.
      const before = reader.troubles.length
      const space = reader.number(lens.addressSpace, object)
      if (space !== undefined) task.addressSpace = space
      else if (reader.troubles.at(-1)?.why === 'the pointer is NULL') reader.troubles.length = before
    }
    tasks.push(task)
  }
  return tasks
}

/** By CPU, the id of the task that runs there. */
export function readCurrent(reader: Reader, lens: Lens): (number | undefined)[] {
  const { currentTask, tasks } = lens
  if (!currentTask || !tasks) return []
  if (currentTask.table === undefined) {
    const value = reader.value(currentTask.value)
    return [value && reader.number(tasks.id, value)]
  }
  const ids: (number | undefined)[] = []
  const table = {
    table: currentTask.table,
    ...(currentTask.count === undefined ? {} : { count: currentTask.count }),
  }
  for (const cpu of reader.walk(table)) {
    const value = reader.value(currentTask.value, cpu)
    ids.push(value && reader.number(tasks.id, value))
    if (ids.length >= 256) break
  }
  return ids
}
