// The page's memory while Seedling's fork storm runs on and on with the Memory preset and the Events panel in turn.
import { memoryOf, startForMeasuring } from './start.mjs'
import { SEEDLING } from './views.mjs'

const MIB = 2 ** 20

/**
 * @param {number} minutes that the soak lasts after its first minute
 * @returns {Promise<import('./main.mjs').Row[]>}
 */
export async function soak(minutes) {
  const started = await startForMeasuring({ files: SEEDLING })
  const { app, page } = started
  try {
    await started.atPrompt()
    await started.type('forkstorm 100000000')
    await started.choose('layout: memory')
    const cdp = await page.context().newCDPSession(page)
    const pid = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId(),
    )
    const main = await app.evaluate(() => process.pid)
    const began = performance.now()
    /** What is left when everything that nobody holds is gone: what is beyond it is only when Chromium tidies up. */
    const take = async () => {
      await cdp.send('HeapProfiler.collectGarbage')
      const { usedSize } = await cdp.send('Runtime.getHeapUsage')
      const counters = await cdp.send('Memory.getDOMCounters')
      const { own } = await memoryOf(Number(pid))
      const figures = {
        ...{ minutes: (performance.now() - began) / 60_000, own: own / MIB, heap: usedSize / MIB },
        ...{ nodes: counters.nodes, listeners: counters.jsEventListeners },
        main: (await memoryOf(main)).own / MIB,
        instructions: await started.instructions(),
      }
      process.stderr.write(
        `${figures.minutes.toFixed(1)} min: page ${figures.own.toFixed(1)} MiB (heap ${figures.heap.toFixed(1)}), ${figures.nodes} nodes, ${figures.listeners} listeners; main process ${figures.main.toFixed(0)} MiB; ${(figures.instructions / 1e9).toFixed(2)} G instructions\n`,
      )
      return figures
    }
    await page.waitForTimeout(60_000)
    const first = await take()
    let last = first
    while ((performance.now() - began) / 60_000 < minutes) {
      await page.waitForTimeout(Math.min(60_000, minutes * 60_000))
      // The events come and go, so that what they leave behind would show.
      await started.choose(Math.round(last.minutes) % 2 === 0 ? 'panel: events' : 'panel: serial')
      await page.waitForTimeout(3000)
      last = await take()
    }
    const growth = 100 * (last.own / first.own - 1)
    return [
      {
        what: `page's memory after 1 and ${last.minutes.toFixed(0)} minutes of fork storm`,
        figure: `${first.own.toFixed(0)} and ${last.own.toFixed(0)} MiB, ${growth.toFixed(0)} % (heap ${first.heap.toFixed(1)} and ${last.heap.toFixed(1)} MiB)`,
        wanted: 'within 20 %',
        reached: growth <= 20,
      },
    ]
  } finally {
    await started.close()
  }
}
