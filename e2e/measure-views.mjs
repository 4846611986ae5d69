// What the memory views cost while Seedling's fork storm runs: frames a second and long tasks of the page, bytes from the main process,
// and how much slower the guest gets.
//
//   node e2e/measure-views.mjs [SECONDS]      after a build; needs a screen (or xvfb-run -a)
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron as electron } from '@playwright/test'
import { electronExecutable } from '../tools/electron-runtime.mjs'
import { root } from '../tools/paths.mjs'

const SECONDS = Number(process.argv[2] ?? 6)
const folder = await mkdtemp(join(tmpdir(), 'ringside-views-'))
for (const name of ['seedling.img', 'seedling.elf', 'seedling.lens.json'])
  await cp(join(root, 'assets/guests/seedling', name), join(folder, name))

const app = await electron.launch({
  executablePath: electronExecutable(),
  args: ['--no-sandbox', `--user-data-dir=${folder}`, root, join(folder, 'seedling.img')],
  env: { .../** @type {Record<string, string>} */ (process.env), NODE_ENV: 'production' },
})
const page = await app.firstWindow()
await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1440, 900))
// What comes by the port is counted where the page takes it.
await page.addInitScript(() => {
  const figures = { bytes: 0, long: 0, longest: 0, frames: 0 }
  Object.assign(window, { figures })
  /** @param {any} value @returns {number} */
  const size = (value) => {
    if (typeof value === 'string') return value.length
    if (typeof value !== 'object' || value === null) return 8
    if (ArrayBuffer.isView(value)) return value.byteLength
    return Object.values(value).reduce((/** @type {number} */ sum, each) => sum + size(each), 0)
  }
  const property = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
  )
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    ...property,
    set(listener) {
      property.set?.call(this, (/** @type {MessageEvent} */ event) => {
        figures.bytes += size(event.data)
        listener(event)
      })
    },
  })
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      figures.long++
      figures.longest = Math.max(figures.longest, duration)
    }
  }).observe({ type: 'longtask' })
  const tick = () => {
    figures.frames++
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
})
await page.reload()
await page.getByTestId('serial-text').getByText('seedling>').waitFor({ state: 'attached', timeout: 60_000 })

const figures = () =>
  page.evaluate(() => ({ .../** @type {any} */ (window).figures, now: performance.now() }))
const instructions = async () =>
  Number((await page.getByTestId('instructions').textContent())?.replace(/\D/g, ''))
/** @param {string} what */
async function measure(what) {
  await page.waitForTimeout(1500)
  const [before, first] = [await figures(), await instructions()]
  await page.waitForTimeout(SECONDS * 1000)
  const [after, last] = [await figures(), await instructions()]
  const seconds = (after.now - before.now) / 1000
  const mips = (last - first) / seconds / 1e6
  console.log(
    `${what}: ${((after.frames - before.frames) / seconds).toFixed(0)} frames/s, ${after.long - before.long} tasks over 50 ms (longest ${after.longest.toFixed(0)} ms since the start), ` +
      `${((after.bytes - before.bytes) / seconds / 1e6).toFixed(2)} MB/s, guest ${mips.toFixed(1)} MIPS`,
  )
  return mips
}
/** @param {string} command of the palette */
async function choose(command) {
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type(command)
  await page.keyboard.press('Enter')
}
await page.getByTestId('serial').click()
await page.keyboard.type('forkstorm 1000000\n')
await choose('layout: screen only')
const alone = await measure('screen only')
await choose('layout: memory')
const watched = await measure('memory preset')
await choose('panel: events')
const events = await measure('memory preset with events')
await choose('layout: screen only')
const again = await measure('screen only again')
const base = (alone + again) / 2
console.log(
  `the guest is slower by ${((1 - watched / base) * 100).toFixed(0)} % with the memory preset, ${((1 - events / base) * 100).toFixed(0)} % with events as well`,
)
await app.close()
await rm(folder, { recursive: true, force: true })
