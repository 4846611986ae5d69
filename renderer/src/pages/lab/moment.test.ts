import { expect, test } from 'vitest'
import type { Simulation } from '../../../../preload/bridge'
import { counterAt, instructionAt, stateAt } from './moment'

/** a runs at 0 and 4, sleeping in between; b comes at 1, runs at 2. */
const run = {
  tasks: [
    { arrival: 0, completion: 5 },
    { arrival: 1, completion: 3 },
  ],
  turns: [
    { task: 0, start: 0, end: 1 },
    { task: 1, start: 2, end: 3 },
    { task: 0, start: 4, end: 5 },
  ],
  spans: [
    { task: 0, start: 1, end: 4, state: 'sleeping' },
    { task: 1, start: 1, end: 2, state: 'ready' },
  ],
  executed: [
    { time: 0, task: 0 },
    { time: 2, task: 1 },
    { time: 4, task: 0 },
  ],
} as unknown as Simulation

test('each task at each tick', () => {
  const states = (task: number) => [0, 1, 2, 3, 4, 5].map((at) => stateAt(run, task, at))
  expect(states(0)).toEqual(['running', 'sleeping', 'sleeping', 'sleeping', 'running', 'ended'])
  expect(states(1)).toEqual(['not yet there', 'ready', 'running', 'ended', 'ended', 'ended'])
})
test('program counters and the place in the trace', () => {
  expect([0, 1, 4, 5].map((at) => counterAt(run, 0, at))).toEqual([0, 1, 1, 2])
  expect([0, 1, 2, 3, 4, 5].map((at) => instructionAt(run, at))).toEqual([0, 1, 1, 2, 2, 3])
})
