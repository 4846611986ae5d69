// What the memory views cost while Seedling's fork storm runs: frames a second and long tasks of the page, bytes from the
// main process, and how much slower the guest gets, in turns with nobody looking.
import { median, startForMeasuring } from './start.mjs'
import { NOTHING } from './interest.mjs'

export const SEEDLING = ['seedling.img', 'seedling.elf', 'seedling.lens.json'].map(
  (name) => `seedling/${name}`,
)

/**
 * @param {number} seconds of each look
 * @param {number} rounds
 * @returns {Promise<import('./main.mjs').Row[]>}
 */
export async function views(seconds, rounds) {
  const started = await startForMeasuring({ files: SEEDLING })
  const { page, choose, during, interest } = started
  try {
    await started.atPrompt()
    await started.type('forkstorm 100000000')
    const look = async (/** @type {string} */ what) => {
      await page.waitForTimeout(1200)
      const found = await during(seconds)
      const { fps, mips, long, longest, traffic } = found
      process.stderr.write(
        `${what}: ${fps.toFixed(1)} frames/s, ${mips.toFixed(1)} MIPS, ${long} long tasks (${longest.toFixed(0)} ms), ${traffic.toFixed(2)} MB/s\n`,
      )
      return found
    }
    /** @type {Record<'alone' | 'memory' | 'events', Awaited<ReturnType<typeof during>>[]>} */
    const found = { alone: [], memory: [], events: [] }
    for (let round = 0; round < rounds; round++) {
      await choose('layout: screen only')
      await interest(NOTHING)
      found.alone.push(await look('nobody looks'))
      await choose('layout: memory')
      found.memory.push(await look('memory preset'))
      await choose('panel: events')
      found.events.push(await look('and events'))
    }
    // All of it is still shown.
    const processor = await started.longestTask(seconds)
    const of = (/** @type {keyof typeof found} */ what, /** @type {keyof typeof found.alone[0]} */ figure) =>
      median(found[what].map((one) => one[figure]))
    const most = (/** @type {keyof typeof found} */ what) => ({
      long: found[what].reduce((sum, { long }) => sum + long, 0),
      longest: Math.max(...found[what].map(({ longest }) => longest)),
    })
    const slower = (/** @type {keyof typeof found} */ what) =>
      100 * (1 - of(what, 'mips') / of('alone', 'mips'))
    const rows = /** @type {const} */ (['memory', 'events']).flatMap((what) => {
      const name = what === 'memory' ? 'Memory preset, fork storm' : 'the same with Events'
      const { long, longest } = most(what)
      return [
        {
          what: `${name}: frames a second`,
          figure: of(what, 'fps').toFixed(1),
          wanted: '50 or more',
          reached: of(what, 'fps') >= 50,
        },
        {
          what: `${name}: tasks over 50 ms in ${seconds * rounds} s`,
          figure: long === 0 ? '0' : `${long}, longest ${longest.toFixed(0)} ms`,
          wanted: 'none',
          reached: long === 0,
        },
        {
          what: `${name}: guest slower by`,
          figure: `${slower(what).toFixed(1)} % (${of(what, 'mips').toFixed(0)} of ${of('alone', 'mips').toFixed(0)} MIPS)`,
          wanted: 'less than 10 %',
          reached: slower(what) < 10,
        },
        {
          what: `${name}: main process to page`,
          figure: `${of(what, 'traffic').toFixed(2)} MB/s`,
          wanted: 'less than 20 MB/s',
          reached: of(what, 'traffic') < 20,
        },
      ]
    })
    return [
      ...rows,
      {
        what: 'the same with Events: longest task, processor time',
        figure: `${processor.toFixed(1)} ms`,
        wanted: 'less than 50 ms',
        reached: processor < 50,
      },
    ]
  } finally {
    await started.close()
  }
}
