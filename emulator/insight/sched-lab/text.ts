// What the lab says in a terminal.
import { ALGORITHMS } from './schedulers'
import { type LabOptions, type Simulation, simulate } from './simulate'
import type { TaskSpec } from './task'

/** `[p1.bin]: PUSH`, a line per instruction; what PRINT says stands behind it. */
export function traceText({ executed }: Simulation, specs: readonly TaskSpec[]): string {
  return executed
    .map(({ task, instruction, output }) => {
      const said = output === undefined ? '' : ` ${output}`
      return `[${specs[task]!.name}]: ${instruction}${said}\n`
    })
    .join('')
}

export function taskTable({ tasks }: Simulation): string {
  const columns = ['task', 'arrival', 'end', 'turnaround', 'waiting', 'response']
  const rows = tasks.map(({ name, arrival, completion, turnaround, waiting, response }) => [
    name,
    ...[arrival, completion, turnaround, waiting, response].map(String),
  ])
  return table(columns, rows)
}

/** All algorithms on the same tasks. */
export function comparison(specs: readonly TaskSpec[], options: LabOptions): Simulation[] {
  return ALGORITHMS.map((algorithm) => simulate(specs, algorithm, options))
}

export function comparisonTable(simulations: readonly Simulation[]): string {
  const columns = ['scheduler', 'turnaround', 'waiting', 'response', 'switches', 'fairness']
  const rows = simulations.map(({ algorithm, figures }) => [
    algorithm,
    figures.turnaround.toFixed(2),
    figures.waiting.toFixed(2),
    figures.response.toFixed(2),
    String(figures.switches),
    figures.fairness.toFixed(3),
  ])
  return table(columns, rows)
}

function table(columns: readonly string[], rows: readonly string[][]): string {
  const widths = columns.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return `${[columns, ...rows].map(line).join('\n')}\n`
}
