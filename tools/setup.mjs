// Set-up: system packages, npm packages, the Electron runtime, the build. `npm start`, `npm test` and `./ringside`
// call it every time; stamps under .setup/ make it cost a few milliseconds when nothing has changed.
//
// Runs before `npm ci`, so it may import Node built-ins only, and what needs packages is imported late.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureElectron } from './electron-runtime.mjs'
import { locked } from './lock.mjs'
import { bin, root, stamps } from './paths.mjs'
import { quietly, SetupError, say, step } from './progress.mjs'
import { ensureSystemPackages } from './system-packages.mjs'

/** Folders and files whose content decides what the build answers. */
const BUILT_FROM = [
  'assets',
  'electron.vite.config.ts',
  'emulator',
  'main',
  'package-lock.json',
  'package.json',
  'preload',
  'renderer',
  'tools/compile-core.mjs',
  'tools/vectors/generator',
  'tools/vite-plugin-asc.mjs',
]
/** Guest images are opened at run time; tests are not built. */
const NOT_BUILT = /\.test\.ts$|^assets\/guests|\.md$/

/**
 * @typedef {object} Wanted
 * @property {boolean} [window] the Electron runtime and its libraries too
 * @property {boolean} [test] what the tests need too
 * @property {boolean} [build] false leaves the build to the caller
 */

/**
 * Brings this clone to where the application can run. Does nothing that is done already.
 * @param {Wanted} wanted
 * @throws {SetupError} saying what the user can do
 */
export async function ensureSetUp({ window = false, test = false, build = true }) {
  checkNode()
  await ensureDependencies(test ? ['build', 'window', 'test'] : window ? ['build', 'window'] : ['build'])
  if (window || test) {
    const name = test ? 'system-test' : 'system-window'
    const list = stampOf([readFileSync(join(root, 'tools/system-packages.mjs'))])
    if (!isStamped(name, list)) {
      await ensureSystemPackages(test ? ['window', 'test'] : ['window'])
      await stamp(name, list)
    }
    await ensureElectron()
  }
  if (build) await ensureBuild()
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new SetupError(`Ringside needs Node 20.19 or newer; this is ${process.versions.node}.`)
}

/** @param {import('./system-packages.mjs').Purpose[]} purposes */
async function ensureDependencies(purposes) {
  const wanted = dependenciesStamp()
  if (isStamped('dependencies', wanted)) return
  await locked(join(stamps, 'dependencies.lock'), async () => {
    if (isStamped('dependencies', wanted)) return
    if (isInstalled()) return stamp('dependencies', wanted)
    say('Setting up Ringside. This happens once.')
    await ensureSystemPackages(purposes)
    await step('installing npm packages', () =>
      quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: root,
        env: { ...process.env, ...nodeHeaders() },
        shell: process.platform === 'win32',
      }),
    )
    await stamp('dependencies', wanted)
  })
}

/** What node_modules is a function of: the lock file, and the Node that compiled the native package. */
function dependenciesStamp() {
  const { modules } = process.versions
  return stampOf([readFileSync(join(root, 'package-lock.json')), process.platform, process.arch, modules])
}

/** Has somebody run `npm install` or `npm ci` by hand? Then npm's own record of node_modules equals the lock file. */
function isInstalled() {
  /** @param {string} file @returns {Record<string, { version?: string, optional?: boolean }>} */
  const packages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  const record = 'node_modules/.package-lock.json'
  if (!existsSync(join(root, record))) return false
  const installed = packages(record)
  return Object.entries(packages('package-lock.json')).every(
    ([path, { version, optional }]) =>
      path === '' || (optional && !installed[path]) || installed[path]?.version === version,
  )
}

/** node-gyp downloads Node's headers unless it is told that they came with this Node. */
function nodeHeaders() {
  const home = dirname(dirname(process.execPath))
  const known = process.env['npm_config_nodedir'] ?? ''
  return known || !existsSync(join(home, 'include/node/node_api.h')) ? {} : { npm_config_nodedir: home }
}

/** Builds the application into out/ unless the sources are those of the last build. */
export async function ensureBuild() {
  const isBuilt = () => existsSync(join(root, 'out/main/cli.js')) && isStamped('build', buildStamp())
  if (isBuilt()) return
  await locked(join(stamps, 'build.lock'), async () => {
    if (isBuilt()) return
    // Taken before the build: an edit made meanwhile asks for another one.
    const wanted = buildStamp()
    const env = { ...process.env, NODE_ENV: 'production' }
    await step('compiling the core (AssemblyScript)', () =>
      quietly(process.execPath, [join(root, 'tools/build-core.mjs')], { cwd: root }),
    )
    await step('building the application', () => quietly(bin('electron-vite'), ['build'], { cwd: root, env }))
    await stamp('build', wanted)
  })
}

/** Paths, sizes and times of the sources: cheap to take, and any edit changes it. */
function buildStamp() {
  /** @type {string[]} */
  const lines = []
  /** @param {string} path */
  const visit = (path) => {
    if (NOT_BUILT.test(path)) return
    const found = statSync(join(root, path), { throwIfNoEntry: false })
    if (found?.isDirectory())
      for (const name of readdirSync(join(root, path)).sort()) visit(`${path}/${name}`)
    else if (found) lines.push(`${path} ${found.size} ${found.mtimeMs}`)
  }
  for (const path of BUILT_FROM) visit(path)
  return stampOf([lines.join('\n'), root, process.env['RINGSIDE_CORE'] ?? ''])
}

/** @param {(string | Uint8Array)[]} parts */
function stampOf(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

/** @param {string} name @param {string} value */
function isStamped(name, value) {
  try {
    return readFileSync(join(stamps, name), 'utf8') === value
  } catch {
    return false
  }
}

/** @param {string} name @param {string} value */
async function stamp(name, value) {
  await mkdir(stamps, { recursive: true })
  await writeFile(join(stamps, name), value)
}

/**
 * Runs one of our commands: a SetupError is told as it is, anything else with its stack.
 * @param {() => Promise<number>} work answers the exit status
 */
export async function asCommand(work) {
  try {
    process.exitCode = await work()
  } catch (error) {
    say(
      error instanceof SetupError
        ? `\nringside: ${error.message}`
        : String(/** @type {Error} */ (error).stack),
    )
    process.exitCode = 1
  }
}

// `npm run setup`: everything, the tests' needs included.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await asCommand(async () => {
    await ensureSetUp({ window: true, test: true })
    say(' ok everything is set up')
    return 0
  })
}
