// `ringside bench --ui`: sets up what the tests of the window need, and measures on a screen of its own where there is
// none. Node built-ins only, what needs packages runs in a process of its own.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { electronEnvironment } from './electron-runtime.mjs'
import { hasDisplay } from './launch.mjs'
import { root } from './paths.mjs'
import { ensureSetUp } from './setup.mjs'
import { findCommand } from './system-packages.mjs'

/** As large as the largest window that is measured. */
const SCREEN = '-screen 0 2560x1440x24'

/** @param {string[]} args of e2e/bench/main.mjs @returns {Promise<number>} the exit status */
export async function benchWindow(args) {
  await ensureSetUp({ window: true, test: true })
  const xvfb = hasDisplay() ? undefined : findCommand('xvfb-run')
  const command = [process.execPath, join(root, 'e2e/bench/main.mjs'), ...args]
  const [file = '', ...rest] = xvfb ? [xvfb, '-a', '-s', SCREEN, ...command] : command
  const child = spawn(file, rest, { stdio: 'inherit', env: { ...process.env, ...electronEnvironment() } })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (status) => done(status ?? 1))
  })
}
