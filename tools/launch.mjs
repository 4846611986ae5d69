// Starts the built application in Electron. Node built-ins only.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { electronExecutable } from './electron-runtime.mjs'
import { root } from './paths.mjs'

/** What Chromium says about machines without a session bus or a graphics card; it means nothing to our users. */
const NOISE =
  /^\[\d+:[^\]]*(ERROR|WARNING):[^\]]*(bus|viz_main_impl|gpu|gl_|angle|vaapi|sandbox_linux|system_network)[^\]]*\]/

/** Is there a screen to open a window on? */
export const hasDisplay = () =>
  process.platform !== 'linux' || Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'])

/**
 * Opens the files, each in a window of its own, and waits until the last window is closed.
 * @param {string[]} files relative to the working directory; none opens the start page
 * @returns {Promise<number>} the exit status of the application
 */
export function openWindow(files) {
  // Chromium's sandbox refuses to run as root.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [...flags, root, ...files.map((file) => resolve(file))]
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(electronExecutable(), args, { env, stdio: ['inherit', 'inherit', 'pipe'] })
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (!NOISE.test(line)) process.stderr.write(`${line}\n`)
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (status) => done(status ?? 1))
  })
}
