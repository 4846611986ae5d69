// A lab document: which programs come when, and how they are scheduled. JSON, so that an editor helps to write it:
//   { "scheduler": "rr", "quantum": 2, "tasks": [{ "program": "p1.bin", "arrival": 0, "priority": 1 }] }
import { ALGORITHMS } from './schedulers'
import { DEFAULT_OPTIONS, type LabOptions } from './simulate'

export interface LabDocument {
  scheduler: string
  options: LabOptions
  tasks: { program: string; arrival: number; priority: number }[]
}

/** The message says what is wrong, and where. */
export class LabDocumentError extends Error {
  override name = 'LabDocumentError'
}

export const TASKS_MAX = 64

/** @throws LabDocumentError */
export function parseLabDocument(text: string): LabDocument {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LabDocumentError(`this is no JSON: ${(error as Error).message}`)
  }
  const root = object(value, 'the document')
  only(root, ['scheduler', 'quantum', 'boost', 'sleep', 'tasks'], 'the document')
  const scheduler = root['scheduler'] ?? 'rr'
  if (typeof scheduler !== 'string' || !ALGORITHMS.some(({ id }) => id === scheduler)) {
    throw new LabDocumentError(
      `scheduler is ${JSON.stringify(scheduler)}; there are ${ALGORITHMS.map(({ id }) => id).join(', ')}`,
    )
  }
  const options = { ...DEFAULT_OPTIONS }
  for (const name of ['quantum', 'boost', 'sleep'] as const) {
    if (root[name] !== undefined) options[name] = whole(root[name], name)
  }
  const list = root['tasks']
  if (!Array.isArray(list) || list.length === 0)
    throw new LabDocumentError('tasks is to be a list with something in it')
  if (list.length > TASKS_MAX)
    throw new LabDocumentError(`${list.length} tasks; a lab has at most ${TASKS_MAX}`)
  const tasks = list.map((each, i) => {
    const where = `tasks[${i}]`
    const task = object(each, where)
    only(task, ['program', 'arrival', 'priority'], where)
    const { program } = task as { program: unknown }
    if (typeof program !== 'string' || program === '')
      throw new LabDocumentError(`${where}.program is to be a path`)
    return {
      program,
      arrival: whole(task['arrival'] ?? 0, `${where}.arrival`),
      priority: whole(task['priority'] ?? 0, `${where}.priority`),
    }
  })
  return { scheduler, options, tasks }
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LabDocumentError(`${where} is to be an object`)
  }
  return value as Record<string, unknown>
}

function only(value: Record<string, unknown>, names: readonly string[], where: string) {
  const stray = Object.keys(value).find((name) => !names.includes(name))
  if (stray !== undefined)
    throw new LabDocumentError(`${where} has a field ${stray}; there are ${names.join(', ')}`)
}

function whole(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value)) throw new LabDocumentError(`${where} is to be a whole number`)
  return value as number
}
