// What an animated picture of 1024x768 with 32 bits a pixel costs: pictures a second that the window draws, what the
// guest loses by it, and the processor time of each process.
import { readFile, readdir } from 'node:fs/promises'
import { NOTHING } from './interest.mjs'
import { median, startForMeasuring } from './start.mjs'

const TICK = 10 // ms: a clock tick of /proc/PID/stat (USER_HZ is 100 on Linux)

/** Processor time of each thread, ms. @param {number} pid */
async function threads(pid) {
  /** @type {Map<string, number>} */
  const times = new Map()
  for (const tid of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const stat = await readFile(`/proc/${pid}/task/${tid}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    times.set(`${name} ${tid}`, (Number(fields[11]) + Number(fields[12])) * TICK)
  }
  return times
}

/**
 * Who spends how much of a core within a time, in words.
 * @param {import('@playwright/test').ElectronApplication} app
 * @param {() => Promise<void>} meanwhile
 */
export async function loadsOf(app, meanwhile) {
  /** @type {Array<{ name: string, pid: number }>} */
  const processes = await app.evaluate(({ app }) =>
    app.getAppMetrics().map(({ type, name, pid }) => ({ name: name ?? type, pid })),
  )
  const before = await Promise.all(processes.map(({ pid }) => threads(pid)))
  const start = performance.now()
  await meanwhile()
  const seconds = (performance.now() - start) / 1000
  const after = await Promise.all(processes.map(({ pid }) => threads(pid)))
  return processes
    .map(({ name }, i) => {
      const parts = [...(after[i] ?? [])]
        .map(([thread, time]) => ({ thread, time: (time - (before[i]?.get(thread) ?? 0)) / seconds }))
        .filter(({ time }) => time > 8)
        .sort((a, b) => b.time - a.time)
        .map(({ thread, time }) => `${thread.replace(/ \d+$/, '')} ${Math.round(time / 10)} %`)
      return parts.length > 0 ? `${name}: ${parts.join(', ')}` : ''
    })
    .filter(Boolean)
    .join('; ')
}

/**
 * @param {number} seconds of each look
 * @param {number} rounds
 * @returns {Promise<import('./main.mjs').Row[]>}
 */
export async function screen(seconds, rounds) {
  const started = await startForMeasuring({ files: ['tests/vbe-animate.img'] })
  try {
    const text = started.page.getByTestId('screen-text').filter({ hasText: '1024 × 768' })
    await text.waitFor({ state: 'attached' })
    const none = { ...NOTHING, cpu: true }
    /** @param {unknown} interest */
    const look = async (interest) => {
      await started.interest(interest)
      await started.page.waitForTimeout(400)
      /** @type {Awaited<ReturnType<typeof started.during>>} */
      let found = /** @type {any} */ (undefined)
      const loads = await loadsOf(started.app, async () => {
        found = await started.during(seconds)
      })
      process.stderr.write(
        `${found.pictures.toFixed(1)} pictures/s, ${found.mips.toFixed(0)} MIPS; ${loads}\n`,
      )
      return found
    }
    /** @type {Awaited<ReturnType<typeof look>>[]} */
    const watched = []
    /** @type {Awaited<ReturnType<typeof look>>[]} */
    const alone = []
    for (let round = 0; round < rounds; round++) {
      watched.push(await look({ ...none, screen: true }))
      alone.push(await look(none))
    }
    const mips = (/** @type {typeof watched} */ list) => median(list.map((one) => one.mips))
    return [
      {
        what: '1024x768x32 animated: pictures a second',
        figure: median(watched.map(({ pictures }) => pictures)).toFixed(1),
      },
      {
        what: '1024x768x32 animated: guest slower by',
        figure: `${(100 * (1 - mips(watched) / mips(alone))).toFixed(1)} % (${mips(watched).toFixed(0)} of ${mips(alone).toFixed(0)} MIPS)`,
      },
    ]
  } finally {
    await started.close()
  }
}
