// Starts the built application for a measurement: a profile and a copy of the guest of its own, and figures that are
// taken where they arise: frames and long tasks in the page, bytes where the page takes them, times in /proc.
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { _electron as electron } from '@playwright/test'
import { electronExecutable } from '../../tools/electron-runtime.mjs'
import { root } from '../../tools/paths.mjs'

/**
 * @typedef {object} Figures of the page since it was loaded
 * @property {number} frames that it has drawn
 * @property {number} long tasks of more than 50 ms
 * @property {number} longest of them, ms
 * @property {number} bytes that came by the event port
 * @property {number} messages that brought them
 * @property {number} pictures that were put into a 2D canvas
 * @property {number} instructions that the guest had executed when that was last told
 * @property {number} told then, ms
 * @property {number} now, ms
 */

/** @typedef {Awaited<ReturnType<typeof startForMeasuring>>} Started */

/**
 * @param {object} options
 * @param {string[]} options.files below assets/guests; the first is opened, the others lie beside it
 * @param {number} [options.width] of the window
 * @param {number} [options.height]
 * @param {string} [options.path] an image elsewhere, instead of the first file
 */
export async function startForMeasuring({ files, path, width = 1440, height = 900 }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  for (const file of files) await cp(join(root, 'assets/guests', file), join(folder, basename(file)))
  const image = path ?? join(folder, basename(files[0] ?? ''))
  const began = performance.now()
  const app = await electron.launch({
    executablePath: electronExecutable(),
    args: ['--no-sandbox', `--user-data-dir=${join(folder, 'profile')}`, root, image],
    env: { .../** @type {Record<string, string>} */ (process.env), NODE_ENV: 'production' },
  })
  const page = await app.firstWindow()
  await page.getByTestId('instructions').waitFor()
  const startTime = performance.now() - began
  await app.evaluate(
    ({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
    { width, height },
  )
  await page.addInitScript(count)
  await page.reload()
  await page.getByTestId('instructions').waitFor()

  /** @returns {Promise<Figures>} */
  const figures = () =>
    page.evaluate(() => ({ .../** @type {any} */ (window).figures, now: performance.now() }))
  const instructions = async () =>
    Number((await page.getByTestId('instructions').textContent())?.replace(/\D/g, ''))

  return {
    ...{ app, page, folder, startTime, figures, instructions },
    /** @param {string} command of the palette, by the beginning of its title */
    async choose(command) {
      await page.keyboard.press('Control+Shift+P')
      await page.keyboard.type(command)
      await page.keyboard.press('Enter')
    },
    /** @param {unknown} interest what is sent from now on, whatever is shown */
    interest: (interest) =>
      page.evaluate(
        (value) => window.ringside.call('interest', /** @type {any} */ (value)),
        /** @type {any} */ (interest),
      ),
    /**
     * What happens within some seconds.
     * @param {number} seconds
     */
    async during(seconds) {
      await page.evaluate(() => {
        const counted = /** @type {{ figures: Figures }} */ (/** @type {unknown} */ (window))
        counted.figures.longest = 0
      })
      const before = await figures()
      await page.waitForTimeout(seconds * 1000)
      const after = await figures()
      const passed = (after.now - before.now) / 1000
      return {
        fps: (after.frames - before.frames) / passed,
        pictures: (after.pictures - before.pictures) / passed,
        long: after.long - before.long,
        longest: after.longest,
        traffic: (after.bytes - before.bytes) / passed / 1e6,
        mips: (after.instructions - before.instructions) / (after.told - before.told) / 1e3,
      }
    },
    /**
     * The longest task of the page's main thread within some seconds, ms of processor time: what other work on the host does not
     * make longer.
     * @param {number} seconds
     */
    async longestTask(seconds) {
      const pid = await app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId(),
      )
      const path = join(folder, 'trace.json')
      await app.evaluate(({ contentTracing }) =>
        contentTracing.startRecording({ included_categories: ['toplevel'] }),
      )
      await page.waitForTimeout(seconds * 1000)
      await app.evaluate(({ contentTracing }, to) => contentTracing.stopRecording(to), path)
      /** @type {{ traceEvents: { pid: number, tid: number, name: string, tdur?: number, args: { name?: string } }[] }} */
      const { traceEvents } = JSON.parse(await readFile(path, 'utf8'))
      const main = traceEvents.find(
        (each) => each.pid === pid && each.name === 'thread_name' && each.args.name === 'CrRendererMain',
      )?.tid
      const own = traceEvents.filter(
        (each) => each.pid === pid && each.tid === main && each.tdur !== undefined,
      )
      if (own.length === 0) throw new Error('the trace has no tasks of the page')
      return own.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1000
    },
    /** Seedling's shell is there. */
    async atPrompt() {
      await page
        .getByTestId('serial-text')
        .getByText('seedling>')
        .waitFor({ state: 'attached', timeout: 120_000 })
    },
    /** @param {string} line typed at the serial console */
    async type(line) {
      await page.getByTestId('serial').click()
      await page.keyboard.type(`${line}\n`)
    },
    async close() {
      await app.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs in the page before its own code does. */
function count() {
  const figures = {
    frames: 0,
    long: 0,
    longest: 0,
    bytes: 0,
    messages: 0,
    pictures: 0,
    instructions: 0,
    told: 0,
  }
  Object.assign(window, { figures })
  /** @param {any} value @returns {number} */
  const size = (value) => {
    if (typeof value === 'string') return value.length
    if (typeof value !== 'object' || value === null) return 8
    if (ArrayBuffer.isView(value)) return value.byteLength
    let sum = 0
    for (const each of Object.values(value)) sum += size(each)
    return sum
  }
  const property = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
  )
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    ...property,
    set(listener) {
      property.set?.call(this, (/** @type {MessageEvent} */ event) => {
        figures.messages++
        figures.bytes += size(event.data)
        const { status } = event.data?.value ?? {}
        if (status)
          Object.assign(figures, { instructions: Number(status.instructions), told: performance.now() })
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
  const draw = CanvasRenderingContext2D.prototype.putImageData
  CanvasRenderingContext2D.prototype.putImageData = function (/** @type {any[]} */ ...args) {
    figures.pictures++
    return /** @type {any} */ (draw).apply(this, args)
  }
  const tick = () => {
    figures.frames++
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
}

/** Bytes of memory that a process has for itself, and all that is in memory for it. @param {number} pid */
export async function memoryOf(pid) {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const of = (/** @type {string} */ name) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return { own: of('Private_Dirty') + of('Private_Clean'), resident: of('Rss') }
}

/** @param {number[]} values */
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/**
 * The graphics of the page's WebGL.
 * @param {import('@playwright/test').Page} page
 */
export const graphicsOf = (page) =>
  page.evaluate(() => {
    const gl = document.createElement('canvas').getContext('webgl2')
    if (!gl) return 'no WebGL'
    const info = gl.getExtension('WEBGL_debug_renderer_info')
    return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
  })
