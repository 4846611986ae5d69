import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLabFile, LabError, LabSession } from './lab-session'

const sample = (name: string) =>
  fileURLToPath(new URL(`../../assets/guests/sched-lab/${name}`, import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-lab-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

test('what is a lab file, and what is left to be an image', () => {
  expect(isLabFile(sample('p1.bin'))).toBe(true)
  expect(isLabFile(sample('mix.lab.json'))).toBe(true)
  expect(isLabFile(file('sector.img', new Uint8Array(512)))).toBe(false)
  expect(isLabFile(file('text', 'PUSH\n'))).toBe(false)
  expect(isLabFile(file('empty', ''))).toBe(false)
  expect(isLabFile(folder)).toBe(false)
  expect(isLabFile(join(folder, 'absent.json'))).toBe(false)
})

test('a document is opened with its programs, and runs as it says', () => {
  const lab = new LabSession(sample('mix.lab.json'))
  const { plan, programs, schedulers } = lab.file
  expect(programs.map(({ name }) => name)).toEqual(['cruncher.bin', 'sleeper.bin', 'riser.bin', 'polite.bin'])
  expect(plan).toMatchObject({ scheduler: 'mlfq', quantum: 2, sleep: 4 })
  const { simulation, comparison } = lab.run(plan)
  expect(simulation.algorithm).toBe('mlfq')
  expect(comparison.map(({ id }) => id)).toEqual(schedulers.map(({ id }) => id))
})

test('a program alone, and others that come to it', () => {
  const lab = new LabSession(sample('p1.bin'))
  expect(lab.add([sample('p2.bin'), sample('p3.bin')])).toHaveLength(3)
  const tasks = [0, 1, 2, 0].map((program) => ({ program, arrival: 0, priority: 0 }))
  expect(lab.run({ ...lab.file.plan, tasks }).simulation.executed).toHaveLength(18)
})

test('a plan that is saved is the plan that is opened, from another folder, too', () => {
  const lab = new LabSession(sample('mix.lab.json'))
  const plan = { ...lab.file.plan, scheduler: 'fair', quantum: 5 }
  plan.tasks = [...plan.tasks, { program: 1, arrival: 9, priority: -2 }]
  const path = join(folder, 'saved.lab.json')
  writeFileSync(path, lab.document(plan, path))
  const opened = new LabSession(path)
  const { simulation } = opened.run(opened.file.plan)
  expect(simulation).toEqual(lab.run(plan).simulation)
  expect(opened.file.plan).toMatchObject({ scheduler: 'fair', quantum: 5 })
  // Beside its programs they are named by file name alone.
  expect(JSON.parse(lab.document(plan, sample('other.lab.json'))).tasks[1].program).toBe('sleeper.bin')
  expect(() => lab.document({ ...plan, tasks: [] }, path)).toThrow(LabError)
})

describe('what cannot be is said in a sentence', () => {
  const lab = () => new LabSession(sample('p1.bin'))
  const plan = () => lab().file.plan
  test.each<[string, () => unknown, string]>([
    ['no JSON', () => new LabSession(file('a.json', '{')), 'a.json: this is no JSON'],
    [
      'a program that is missing',
      () => new LabSession(file('b.json', '{"tasks":[{"program":"x.bin"}]}')),
      'no such file',
    ],
    ['a file that is no program', () => lab().add([sample('p1.txt')]), 'byte 0 is 50h'],
    ['a scheduler', () => lab().run({ ...plan(), scheduler: 'best' }), 'no scheduler best'],
    ['a quantum', () => lab().run({ ...plan(), quantum: 0 }), 'the quantum'],
    [
      'a program',
      () => lab().run({ ...plan(), tasks: [{ program: 7, arrival: 0, priority: 0 }] }),
      'no program 7',
    ],
    [
      'too much for a picture',
      () => lab().run({ ...plan(), tasks: Array.from({ length: 801 }, () => plan().tasks[0]!) }),
      '4005 instructions',
    ],
    ['too many programs', () => lab().add(Array.from({ length: 64 }, () => sample('p1.bin'))), 'at most 64'],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(LabError)
    expect(work).toThrow(message)
  })
})
