// What the lab looks like at one tick of time: derived from the run that the main process made.
import type { Simulation } from '../../../../preload/bridge'

export type TaskState = 'not yet there' | 'running' | 'ready' | 'sleeping' | 'ended'

/** @param at a tick; the state is that while this tick goes by */
export function stateAt({ tasks, turns, spans }: Simulation, task: number, at: number): TaskState {
  const { arrival, completion } = tasks[task]!
  if (at < arrival) return 'not yet there'
  if (at >= completion) return 'ended'
  const here = (part: { task: number; start: number; end: number }) =>
    part.task === task && part.start <= at && at < part.end
  if (turns.some(here)) return 'running'
  return spans.find(here)?.state ?? 'ready'
}

/** Instructions a task has executed before this tick: its program counter. */
export function counterAt({ executed }: Simulation, task: number, at: number): number {
  let count = 0
  for (const each of executed) if (each.task === task && each.time < at) count++
  return count
}

/** Index of the instruction that takes this tick, or of the next one; the length when there is none. */
export function instructionAt({ executed }: Simulation, at: number): number {
  let low = 0
  let high = executed.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (executed[middle]!.time < at) low = middle + 1
    else high = middle
  }
  return low
}
