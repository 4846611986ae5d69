// `ringside lab`: the scheduler lab in a terminal.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { type LabDocument, LabDocumentError, TASKS_MAX } from '../insight/sched-lab/document'
import { loadLabDocument, loadProgram } from '../insight/sched-lab/files'
import {
  assemble,
  disassemble,
  MEANINGS,
  OPCODES,
  PROGRAM_MAX,
  ProgramError,
} from '../insight/sched-lab/program'
import { ALGORITHMS } from '../insight/sched-lab/schedulers'
import { DEFAULT_OPTIONS, type LabOptions, simulate } from '../insight/sched-lab/simulate'
import type { TaskSpec } from '../insight/sched-lab/task'
import { comparison, comparisonTable, taskTable, traceText } from '../insight/sched-lab/text'
import { openProblem, reasonOf } from '../media/medium'
import { FileError, OK, UsageError } from './usage'

const HELP = `usage: ringside lab asm IN.txt OUT.bin      assemble a program
       ringside lab show PROGRAM.bin        its instructions
       ringside lab run [options] PROGRAM.bin...
       ringside lab run LAB.json [options]

Runs programs as tasks under a scheduler. Prints each instruction as it is executed, then what each task had of it, then
the same tasks under every scheduler: mean turnaround, waiting and response time, switches, and Jain's fairness index.
An instruction takes a tick.

  --scheduler NAME       ${ALGORITHMS.map(({ id }) => id).join(', ')} (default rr)
  --quantum N            ticks of a turn (default ${DEFAULT_OPTIONS.quantum})
  --sleep N              ticks a SLEEP blocks for (default ${DEFAULT_OPTIONS.sleep})
  --boost N              ticks after which mlfq puts all tasks into its first queue, 0: never (default ${DEFAULT_OPTIONS.boost})
  --arrival N,N,...      when each program comes (default 0)
  --priority N,N,...     of each program; the highest goes first (default 0)
  --trace-only           no tables
  --json                 everything as JSON

A program is a byte for each instruction:
${OPCODES.map((name, code) => `  ${code.toString(16).toUpperCase().padStart(2, '0')}h ${name.padEnd(8)} ${MEANINGS[name]}`).join('\n')}
Its text has a mnemonic on each line; “WORK 5” is five of them, comments begin with ; or #.
`

const TEXT_MAX = 1 << 20

export async function lab(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  switch (verb) {
    case 'asm':
      return asm(rest)
    case 'show':
      return show(rest)
    case 'run':
      return run(rest)
    case undefined:
    case '-h':
    case '--help':
      process.stdout.write(HELP)
      return OK
    default:
      throw new UsageError(`lab has no ${verb}; there are asm, show and run`)
  }
}

function asm(args: string[]): number {
  const [input, output, ...more] = args
  if (input === '--help') return help()
  if (input === undefined || output === undefined || more.length > 0)
    throw new UsageError('lab asm wants a text and the file to write')
  if ((statSync(input, { throwIfNoEntry: false })?.size ?? 0) > TEXT_MAX)
    throw new FileError(`${input}: more than 1 MiB is no program`)
  const bytes = guarded(input, () => assemble(readFileSync(input, 'utf8')))
  try {
    writeFileSync(output, bytes)
  } catch (error) {
    throw new FileError(`${output}: cannot be written: ${reasonOf(error)}`)
  }
  return OK
}

function show(args: string[]): number {
  const [path, ...more] = args
  if (path === '--help') return help()
  if (path === undefined || more.length > 0) throw new UsageError('lab show wants one program')
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > PROGRAM_MAX)
    throw new FileError(`${path}: a program has at most ${PROGRAM_MAX} bytes`)
  process.stdout.write(guarded(path, () => disassemble(readFileSync(path))))
  return OK
}

function help(): number {
  process.stdout.write(HELP)
  return OK
}

/** Errors of the file named with it. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ProgramError || error instanceof LabDocumentError)
      throw new FileError(`${path}: ${error.message}`)
    const system = error as NodeJS.ErrnoException
    if (system.code !== undefined && system.syscall !== undefined)
      throw new FileError(openProblem(path, system).message)
    throw error
  }
}

function run(args: string[]): number {
  const { values, positionals } = parse(args)
  if (values.help) return help()
  const { specs, options, scheduler } = subject(values, positionals)
  const algorithm = ALGORITHMS.find(({ id }) => id === scheduler)
  if (!algorithm)
    throw new UsageError(`--scheduler knows ${ALGORITHMS.map(({ id }) => id).join(', ')}, not ${scheduler}`)
  try {
    const simulation = simulate(specs, algorithm, options)
    if (values.json) {
      const all = comparison(specs, options).map(({ algorithm: id, figures }) => ({
        scheduler: id,
        ...figures,
      }))
      process.stdout.write(`${JSON.stringify({ ...simulation, comparison: all }, undefined, 2)}\n`)
      return OK
    }
    process.stdout.write(traceText(simulation, specs))
    if (!values['trace-only']) {
      const tables = [taskTable(simulation), comparisonTable(comparison(specs, options))]
      process.stdout.write(`\n${algorithm.name}\n\n${tables.join('\n')}`)
    }
    return OK
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        scheduler: { type: 'string' },
        quantum: { type: 'string' },
        sleep: { type: 'string' },
        boost: { type: 'string' },
        arrival: { type: 'string' },
        priority: { type: 'string' },
        'trace-only': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Values = ReturnType<typeof parse>['values']

/** What is to be run: a lab document, or programs with options. */
function subject(values: Values, paths: readonly string[]) {
  const [first] = paths
  if (first === undefined) throw new UsageError('lab run wants programs (.bin), or a lab document (.json)')
  const document: LabDocument | undefined = first.endsWith('.json')
    ? guarded(first, () => loadLabDocument(first))
    : undefined
  if (document && paths.length > 1) throw new UsageError('a lab document stands alone')
  const files = document ? document.tasks.map(({ program }) => program) : paths
  if (files.length > TASKS_MAX)
    throw new UsageError(`${files.length} programs; a lab has at most ${TASKS_MAX}`)
  const arrivals = list('--arrival', values.arrival, files.length)
  const priorities = list('--priority', values.priority, files.length)
  const specs: TaskSpec[] = files.map((path, i) => ({
    name: document ? basename(path) : path,
    code: guarded(path, () => loadProgram(path)),
    arrival: arrivals?.[i] ?? document?.tasks[i]?.arrival ?? 0,
    priority: priorities?.[i] ?? document?.tasks[i]?.priority ?? 0,
  }))
  const options: LabOptions = { ...(document?.options ?? DEFAULT_OPTIONS) }
  for (const name of ['quantum', 'sleep', 'boost'] as const) {
    if (values[name] !== undefined) options[name] = whole(`--${name}`, values[name])
  }
  return { specs, options, scheduler: values.scheduler ?? document?.scheduler ?? 'rr' }
}

function list(option: string, text: string | undefined, count: number): number[] | undefined {
  if (text === undefined) return undefined
  const numbers = text.split(',').map((part) => whole(option, part))
  if (numbers.length !== count) {
    throw new UsageError(`${option} has ${numbers.length} numbers for ${count} programs`)
  }
  return numbers
}

function whole(option: string, text: string): number {
  if (!/^-?\d{1,9}$/.test(text.trim())) throw new UsageError(`${option} ${text}: a whole number`)
  return Number(text)
}
