// 2^20 frames, updated and drawn by the allocator panel's own code in the real application's page.
import { join } from 'node:path'
import { bundlePage } from '../../tools/bundle-page.mjs'
import { root } from '../../tools/paths.mjs'
import { graphicsOf, median, startForMeasuring } from './start.mjs'

const [WIDTH, HEIGHT] = [1024, 1024]
/** Frames that change from one look to the next: a busy kernel changes some hundreds. */
const CHANGES = 4096
const ROUNDS = 40

/** @returns {Promise<import('./main.mjs').Row[]>} */
export async function frames() {
  const script = await bundlePage(join(root, 'e2e/bench/frames-page.ts'), 'frameBench')
  const started = await startForMeasuring({ files: ['seed/p5.img'] })
  try {
    const graphics = await graphicsOf(started.page)
    const software = /swiftshader|llvmpipe|softpipe|software|no WebGL/i.test(graphics)
    /** @type {import('./main.mjs').Row[]} */
    const rows = [{ what: 'graphics', figure: `${software ? 'software' : 'hardware'}: ${graphics}` }]
    for (const kind of /** @type {const} */ (['hilbert', 'rows'])) {
      /** @type {import('./frames-page').Measured} */
      const { painter, update, draw } = await started.page.evaluate(
        `${script}\n;frameBench.measure('${kind}', ${CHANGES}, ${ROUNDS}, ${WIDTH}, ${HEIGHT})`,
      )
      const both = update.map((time, i) => time + (draw[i] ?? 0))
      const time = median(both)
      rows.push({
        what: `2^20 frames, ${kind}: update + draw, ${WIDTH}x${HEIGHT}`,
        figure: `${time.toFixed(1)} ms (${median(update).toFixed(2)} + ${median(draw).toFixed(1)}; ${painter}${software ? ', software' : ''})`,
        // Software has no limit of its own: it is told what it takes.
        ...(software ? {} : { wanted: 'less than 16 ms', reached: time < 16 }),
      })
    }
    return rows
  } finally {
    await started.close()
  }
}
