// `./ringside bench --ui`: the figures of the window, taken in the real application.
//
//   ./ringside bench --ui [PART...] [--seconds N] [--rounds N] [--minutes N] [--json]
import { parseArgs } from 'node:util'
import { compute } from './compute.mjs'
import { frames } from './frames.mjs'
import { insight } from './insight.mjs'
import { screen } from './screen.mjs'
import { soak } from './soak.mjs'
import { views } from './views.mjs'

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} figure
 * @property {string} [wanted]
 * @property {boolean} [reached] what was wanted
 */

const HELP = `usage: ringside bench --ui [PART...]

Starts the built application, on a screen of its own where there is none, and prints its figures:

  views      the Memory preset while Seedling's fork storm runs, with and without the events
  frames     2^20 frames: update and draw
  insight    reverse map of 10^6 entries; with --elf FILE symbols as well
  soak       the page's memory after one minute and after --minutes N (3)
  compute    start; what the Boot preset costs a guest that computes
  screen     an animated picture of 1024x768x32

Without a name all but compute and screen. Options: --seconds N of each look (4), --rounds N (3), --json.

exit status: 0 when everything was reached, 1 when something was not, 2 for a wrong command line
`

/** @param {string[]} args @returns {Promise<number>} the exit status */
export async function main(args) {
  const { values, positionals } = parse(args)
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const number = (/** @type {'seconds' | 'rounds' | 'minutes'} */ name) => {
    const value = Number(values[name])
    if (!(value > 0 && value <= 600)) throw new RangeError(`--${name} is a number from 1 to 600`)
    return value
  }
  const [seconds, rounds, minutes] = [number('seconds'), number('rounds'), number('minutes')]
  /** @type {Record<string, () => Promise<Row[]>>} */
  const parts = {
    views: () => views(seconds, rounds),
    frames: () => frames(),
    insight: () => insight(values.elf),
    soak: () => soak(minutes),
    compute: () => compute(seconds / 2, rounds * 2),
    // The host's speed swings by a third within seconds: many short looks, each between two without the picture.
    screen: () => screen(seconds / 6, rounds * 8),
  }
  const unknown = positionals.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined)
    throw new RangeError(`there is no part ${unknown}; there are ${Object.keys(parts).join(', ')}`)
  const wanted = positionals.length > 0 ? positionals : ['views', 'frames', 'insight', 'soak']
  /** @type {Row[]} */
  const rows = []
  for (const name of wanted) rows.push(...((await parts[name]?.()) ?? []))
  process.stdout.write(values.json ? `${JSON.stringify(rows)}\n` : table(rows))
  return rows.some(({ reached }) => reached === false) ? 1 : 0
}

/** @param {string[]} args */
function parse(args) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '3' },
      elf: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

/** @param {Row[]} rows */
function table(rows) {
  const width = Math.max(...rows.map(({ what }) => what.length))
  const figures = Math.max(...rows.map(({ figure }) => figure.length))
  return rows
    .map(({ what, figure, wanted = '', reached }) => {
      const verdict = reached === undefined ? '' : reached ? `  (${wanted})` : `  NOT ${wanted}`
      return `${what.padEnd(width)}  ${figure.padEnd(figures)}${verdict}\n`
    })
    .join('')
}

// Started by tools/ringside.mjs, on a screen of its own where there is none.
if (process.argv[1] && import.meta.filename === process.argv[1]) {
  process.exitCode = await main(process.argv.slice(2)).catch((/** @type {Error} */ error) => {
    const wrongLine =
      error instanceof RangeError || /^ERR_PARSE_ARGS/.test(/** @type {any} */ (error).code ?? '')
    process.stderr.write(`ringside: ${wrongLine ? error.message : error.stack}\n`)
    return wrongLine ? 2 : 1
  })
}
