// The scheduler lab of a window: the programs that were read, and the runs the page asks for.
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { LabDocumentError, TASKS_MAX } from '@emulator/insight/sched-lab/document'
import { labDocumentText, loadLabDocument, loadProgram } from '@emulator/insight/sched-lab/files'
import { OPCODES, ProgramError } from '@emulator/insight/sched-lab/program'
import { ALGORITHMS } from '@emulator/insight/sched-lab/schedulers'
import { DEFAULT_OPTIONS, simulate } from '@emulator/insight/sched-lab/simulate'
import type { LabFile, LabPlan, LabProgram, LabRun } from '../../preload/bridge'

/** A file that is smaller than this cannot be a disk. */
const SECTOR = 512
/** More instructions than that make no picture. */
export const INSTRUCTIONS_MAX = 4000

/** What the user asked for cannot be; the message is a sentence. */
export class LabError extends Error {
  override name = 'LabError'
}

/** A lab document (.json), or a program: too small for a disk, and of opcodes only. */
export function isLabFile(path: string): boolean {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return false
    if (path.toLowerCase().endsWith('.json')) return true
    if (stat.size === 0 || stat.size >= SECTOR) return false
    return readFileSync(path).every((byte) => byte < OPCODES.length)
  } catch {
    return false
  }
}

export class LabSession {
  readonly #programs: LabProgram[] = []
  readonly #paths: string[] = []
  readonly #plan: LabPlan

  /**
   * @param path of a lab document or a program
   * @throws LabError
   */
  constructor(path: string) {
    const document = path.toLowerCase().endsWith('.json')
      ? guarded(path, () => loadLabDocument(path))
      : undefined
    const { scheduler, options } = document ?? { scheduler: 'rr', options: DEFAULT_OPTIONS }
    const tasks = document?.tasks ?? [{ program: path, arrival: 0, priority: 0 }]
    this.#plan = {
      scheduler,
      ...options,
      tasks: tasks.map(({ program, arrival, priority }, index) => {
        this.#load(program)
        return { program: index, arrival, priority }
      }),
    }
  }

  get file(): LabFile {
    return {
      programs: this.#programs,
      plan: this.#plan,
      schedulers: ALGORITHMS.map(({ id, name, rule, preemptive }) => ({ id, name, rule, preemptive })),
    }
  }

  /** @throws LabError, when one of them is no program; those before it are there then */
  add(paths: readonly string[]): LabProgram[] {
    for (const path of paths) {
      if (this.#programs.length >= TASKS_MAX) throw new LabError(`A lab has at most ${TASKS_MAX} programs.`)
      this.#load(path)
    }
    return this.#programs
  }

  /** @throws LabError */
  run({ scheduler, quantum, sleep, boost, tasks }: LabPlan): LabRun {
    const options = { quantum, sleep, boost }
    const algorithm = ALGORITHMS.find(({ id }) => id === scheduler)
    if (!algorithm) throw new LabError(`There is no scheduler ${scheduler}.`)
    const specs = tasks.map(({ program, arrival, priority }) => {
      const found = this.#programs[program]
      if (!found) throw new LabError(`There is no program ${program}.`)
      return { ...found, arrival, priority }
    })
    const instructions = specs.reduce((sum, { code }) => sum + code.length, 0)
    if (instructions > INSTRUCTIONS_MAX) {
      throw new LabError(
        `The tasks have ${instructions} instructions; the picture has room for ${INSTRUCTIONS_MAX}. ringside lab run takes them.`,
      )
    }
    try {
      return {
        simulation: simulate(specs, algorithm, options),
        comparison: ALGORITHMS.map((each) => ({ id: each.id, ...simulate(specs, each, options).figures })),
      }
    } catch (error) {
      if (error instanceof RangeError) throw new LabError(`It cannot be run: ${error.message}.`)
      throw error
    }
  }

  /**
   * The plan as a lab document that is to lie at `path`.
   * @throws LabError
   */
  document({ scheduler, quantum, sleep, boost, tasks }: LabPlan, path: string): string {
    const named = tasks.map(({ program, arrival, priority }) => {
      const file = this.#paths[program]
      if (file === undefined) throw new LabError(`There is no program ${program}.`)
      return { program: file, arrival, priority }
    })
    if (named.length === 0) throw new LabError('A lab without tasks cannot be saved.')
    return labDocumentText({ scheduler, options: { quantum, sleep, boost }, tasks: named }, path)
  }

  #load(path: string) {
    this.#programs.push({ name: basename(path), code: guarded(path, () => loadProgram(path)) })
    this.#paths.push(path)
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ProgramError || error instanceof LabDocumentError)
      throw new LabError(`${basename(path)}: ${error.message}.`)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new LabError(`${path}: there is no such file.`)
    if (code !== undefined) throw new LabError(`${path}: it cannot be read (${code}).`)
    throw error
  }
}
