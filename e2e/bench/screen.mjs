// What an animated picture of 1024x768 with 32 bits a pixel costs: pictures a second that the window draws, what the
// guest loses by it, and the processor time of each process.
import { readFile, readdir } from 'node:fs/promises'
import { NOTHING } from './interest.mjs'
import { median, startForMeasuring } from './start.mjs'

/** Of each thread, ms: on a processor, and ready to run without one. @param {number} pid */
async function threads(pid) {
  /** @type {Map<string, { ran: number, waited: number }>} */
  const times = new Map()
  for (const tid of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const of = (/** @type {string} */ file) =>
      readFile(`/proc/${pid}/task/${tid}/${file}`, 'utf8').catch(() => '')
    const [ran = 0, waited = 0] = (await of('schedstat')).split(' ').map((time) => Number(time) / 1e6)
    times.set(`${(await of('comm')).trim()} ${tid}`, { ran, waited })
  }
  return times
}

/**
 * Who spends how much of a core within a time.
 * @param {import('@playwright/test').ElectronApplication} app
 * @param {() => Promise<void>} meanwhile
 * @returns {Promise<{ loads: string, busiest: { ran: number, waited: number } }>} in words; and shares of the time of the
 * busiest thread, the guest's
 */
async function loadsOf(app, meanwhile) {
  /** @type {Array<{ name: string, pid: number }>} */
  const processes = await app.evaluate(({ app }) =>
    app.getAppMetrics().map(({ type, name, pid }) => ({ name: name ?? type, pid })),
  )
  const before = await Promise.all(processes.map(({ pid }) => threads(pid)))
  const start = performance.now()
  await meanwhile()
  const passed = performance.now() - start
  const after = await Promise.all(processes.map(({ pid }) => threads(pid)))
  const parts = processes.map(({ name }, i) => ({
    name,
    threads: [...(after[i] ?? [])]
      .map(([thread, { ran, waited }]) => ({
        thread: thread.replace(/ \d+$/, ''),
        ran: (ran - (before[i]?.get(thread)?.ran ?? 0)) / passed,
        waited: (waited - (before[i]?.get(thread)?.waited ?? 0)) / passed,
      }))
      .sort((a, b) => b.ran - a.ran),
  }))
  const [busiest] = parts.flatMap(({ threads }) => threads).sort((a, b) => b.ran - a.ran)
  const loads = parts
    .map(({ name, threads }) => ({ name, threads: threads.filter(({ ran }) => ran > 0.01) }))
    .filter(({ threads }) => threads.length > 0)
    .map(({ name, threads }) => {
      const list = threads.map(({ thread, ran }) => `${thread} ${Math.round(100 * ran)} %`)
      return `${name}: ${list.join(', ')}`
    })
  return { loads: loads.join('; '), busiest: busiest ?? { ran: Number.NaN, waited: Number.NaN } }
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
      await started.page.waitForTimeout(150)
      /** @type {Awaited<ReturnType<typeof started.during>>} */
      let found = /** @type {any} */ (undefined)
      const { loads, busiest } = await loadsOf(started.app, async () => {
        found = await started.during(seconds)
      })
      process.stderr.write(
        `${found.pictures.toFixed(1)} pictures/s, ${found.mips.toFixed(0)} MIPS, waiting for a core ${(100 * busiest.waited).toFixed(1)} %; ${loads}\n`,
      )
      return { pictures: found.pictures, mips: found.mips, share: busiest.ran }
    }
    // A host's speed changes within seconds: each look is held against those before and behind it, not against the best.
    let alone = await look(none)
    /** @type {{ pictures: number, cost: number, share: number, mips: number, alone: number }[]} */
    const found = []
    for (let round = 0; round < rounds; round++) {
      const watched = await look({ ...none, screen: true })
      const next = await look(none)
      const [mips, share] = [(alone.mips + next.mips) / 2, (alone.share + next.share) / 2]
      found.push({
        ...watched,
        alone: mips,
        cost: 100 * (1 - watched.mips / mips),
        share: 100 * (1 - watched.share / share),
      })
      alone = next
    }
    const of = (/** @type {'pictures' | 'cost' | 'share' | 'mips' | 'alone'} */ what) =>
      median(found.map((one) => one[what]))
    const [pictures, cost] = [of('pictures'), of('cost')]
    return [
      {
        what: '1024x768x32 animated: pictures a second',
        figure: pictures.toFixed(1),
        wanted: '30 or more',
        reached: pictures >= 30,
      },
      {
        what: '1024x768x32 animated: guest slower by',
        figure: `${cost.toFixed(1)} % (${of('mips').toFixed(0)} of ${of('alone').toFixed(0)} MIPS; had a core ${of('share').toFixed(1)} % less)`,
        wanted: 'less than 10 %',
        reached: cost < 10,
      },
    ]
  } finally {
    await started.close()
  }
}
