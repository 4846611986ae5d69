// What an animated picture of 1024x768 with 32 bits a pixel costs: pictures a second that the window draws, what the
// guest loses by it, and the processor time of each process for one picture.
//
//   node e2e/measure-screen.mjs [ROUNDS]      after a build; needs a screen (or xvfb-run -a)
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron as electron } from '@playwright/test'
import { electronExecutable } from '../tools/electron-runtime.mjs'
import { root } from '../tools/paths.mjs'
import { NOTHING } from './interest.mjs'

const rounds = Number(process.argv[2] ?? 4)
const SECONDS = 3
const TICK = 10 // ms: a clock tick of /proc/PID/stat (USER_HZ is 100 on Linux)

const folder = await mkdtemp(join(tmpdir(), 'ringside-screen-'))
const app = await electron.launch({
  executablePath: electronExecutable(),
  args: [
    '--no-sandbox',
    `--user-data-dir=${folder}`,
    root,
    join(root, 'assets/guests/tests/vbe-animate.img'),
  ],
  env: { .../** @type {Record<string, string>} */ (process.env), NODE_ENV: 'production' },
})
const page = await app.firstWindow()
await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1440, 900))
await page.getByTestId('screen-text').filter({ hasText: '1024 × 768' }).waitFor({ state: 'attached' })

/** @type {Array<{ name: string, pid: number }>} */
const processes = await app.evaluate(({ app }) =>
  app.getAppMetrics().map(({ type, name, pid }) => ({ name: name ?? type, pid })),
)

/** Processor time of each thread, ms. @param {number} pid */
async function threads(pid) {
  /** @type {Map<string, number>} */
  const times = new Map()
  for (const tid of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${tid}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    times.set(`${name} ${tid}`, (Number(fields[11]) + Number(fields[12])) * TICK)
  }
  return times
}

/** Counts what the canvas of the screen is drawn with. */
await page.evaluate(() => {
  const counter = /** @type {any} */ (window)
  counter.pictures = 0
  const draw = CanvasRenderingContext2D.prototype.putImageData
  CanvasRenderingContext2D.prototype.putImageData = function (/** @type {any[]} */ ...args) {
    counter.pictures++
    return /** @type {any} */ (draw).apply(this, args)
  }
})
const pictures = () => page.evaluate(() => /** @type {any} */ (window).pictures)
const instructions = async () =>
  Number((await page.getByTestId('instructions').textContent())?.replace(/\D/g, ''))

const none = { ...NOTHING, cpu: true }
const only = { ...none, screen: true }

/** @param {unknown} interest */
async function look(interest) {
  await page.evaluate((value) => window.ringside.call('interest', /** @type {any} */ (value)), interest)
  await page.waitForTimeout(400)
  const before = await Promise.all(processes.map(({ pid }) => threads(pid)))
  const [drawn, done, start] = [await pictures(), await instructions(), performance.now()]
  await page.waitForTimeout(SECONDS * 1000)
  const seconds = (performance.now() - start) / 1000
  const fps = ((await pictures()) - drawn) / seconds
  const mips = ((await instructions()) - done) / seconds / 1e6
  const after = await Promise.all(processes.map(({ pid }) => threads(pid)))
  const cost = processes.map(({ name }, i) => {
    const parts = [...(after[i] ?? [])]
      .map(([thread, time]) => ({ thread, time: (time - (before[i]?.get(thread) ?? 0)) / seconds }))
      .filter(({ time }) => time > 8)
      .sort((a, b) => b.time - a.time)
      .map(({ thread, time }) => `${thread.replace(/ \d+$/, '')} ${Math.round(time / 10)} %`)
    return parts.length > 0 ? `${name}: ${parts.join(', ')}` : ''
  })
  return { fps, mips, cost: cost.filter(Boolean).join('; ') }
}

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const results = { watched: /** @type {any[]} */ ([]), alone: /** @type {any[]} */ ([]) }
for (let round = 0; round < rounds; round++) {
  results.watched.push(await look(only))
  results.alone.push(await look(none))
}
await app.close()
await rm(folder, { recursive: true, force: true })
for (const [name, list] of Object.entries(results))
  for (const { fps, mips, cost } of list)
    console.log(`${name}: ${fps.toFixed(1)} pictures/s, ${mips.toFixed(0)} MIPS; ${cost}`)
const [watched, alone] = [
  median(results.watched.map(({ mips }) => mips)),
  median(results.alone.map(({ mips }) => mips)),
]
console.log(`pictures a second: ${median(results.watched.map(({ fps }) => fps)).toFixed(1)}`)
console.log(
  `cost to the guest: ${(100 * (1 - watched / alone)).toFixed(1)} % (${watched.toFixed(0)} of ${alone.toFixed(0)} MIPS)`,
)
