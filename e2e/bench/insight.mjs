// What the views of memory compute, in plain Node: `ringside bench insight`, with what is wanted of it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../tools/paths.mjs'

/** ms */
const WANTED = [
  { name: /from scratch/, limit: 100 },
  { name: /(nothing|entries) changed/, limit: 10 },
  { name: /first name/, limit: 1000 },
  { name: /all types/, limit: 10_000 },
]

/** @param {string} [elf] a kernel whose symbols are read @returns {Promise<import('./main.mjs').Row[]>} */
export async function insight(elf) {
  const args = ['bench', 'insight', '--json', ...(elf === undefined ? [] : ['--elf', elf])]
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/ringside.mjs'), ...args], {
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  /** @type {{ name: string, milliseconds: number, correct: boolean }[]} */
  const rows = JSON.parse(stdout)
  return rows.map(({ name, milliseconds, correct }) => {
    const limit = WANTED.find((one) => one.name.test(name))?.limit
    const figure = `${milliseconds.toFixed(1)} ms${correct ? '' : ', WRONG RESULT'}`
    if (limit === undefined) return { what: name, figure }
    return { what: name, figure, wanted: `less than ${limit} ms`, reached: correct && milliseconds < limit }
  })
}
