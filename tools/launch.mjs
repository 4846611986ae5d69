// Starts the built application in Electron. Node built-ins only.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { electronExecutable } from './electron-runtime.mjs'
import { electronDist, root } from './paths.mjs'

/** What Chromium says about machines without a session bus or a graphics card; it means nothing to our users. */
const NOISE =
  /^\[\d+:[^\]]*(ERROR|WARNING):[^\]]*(bus|viz_main_impl|gpu|gl_|angle|vaapi|sandbox_linux|system_network)[^\]]*\]/

/** Is there a screen to open a window on? */
export const hasDisplay = () =>
  process.platform !== 'linux' || Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'])

/**
 * Chromium's sandbox refuses to run as root, and cannot where the kernel keeps user namespaces from ordinary users
 * and the runtime's helper does not belong to root (Chromium, docs/linux/suid_sandbox_development.md).
 */
export function sandboxFlags() {
  if (process.platform !== 'linux') return []
  if (process.getuid?.() === 0) return ['--no-sandbox']
  const namespaces =
    sysctl('kernel/apparmor_restrict_unprivileged_userns') !== '1' &&
    spawnSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'ignore' }).status === 0
  const helper = statSync(join(electronDist, 'chrome-sandbox'), { throwIfNoEntry: false })
  const helperWorks = helper?.uid === 0 && (helper.mode & 0o4000) !== 0
  return namespaces || helperWorks ? [] : ['--no-sandbox']
}

/** @param {string} name @returns {string | undefined} undefined where the kernel does not know it */
function sysctl(name) {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim()
  } catch {
    return undefined
  }
}

/**
 * Opens the files, each in a window of its own, and waits until the last window is closed.
 * @param {string[]} files relative to the working directory; none opens the start page
 * @param {{ first?: boolean }} [options] first: Seedling in place of the start page, with a tour if there was none yet
 * @returns {Promise<number>} the exit status of the application
 */
export function openWindow(files, { first = false } = {}) {
  const args = [...sandboxFlags(), root, ...(first ? ['--first'] : []), ...files.map((file) => resolve(file))]
  // What the application starts of the command line is run by the same Node.js.
  const env = { ...process.env, NODE_ENV: 'production', RINGSIDE_NODE: process.execPath }
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
