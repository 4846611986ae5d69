// `npm test`: sets up, then checks the sources, runs the unit tests and the tests in real Electron, and ends with
// the line "N passed, N failed". `npm test -- --only check|build|unit|e2e` runs one stage; further arguments go to it.
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { electronEnvironment } from './electron-runtime.mjs'
import { bin, root } from './paths.mjs'
import { SetupError, say } from './progress.mjs'
import { ensureBuild, ensureSetUp } from './setup.mjs'
import { findCommand } from './system-packages.mjs'

/** @typedef {{ passed: number, failed: number }} Counts */

const SUMMARY = join(root, 'build/test-summary.txt')
const UNIT_REPORT = join(root, 'out/unit/report.json')
const E2E_REPORT = join(root, 'out/e2e/report.json')

/** @type {Record<string, (args: string[]) => Promise<Counts>>} */
const STAGES = { check, build, unit, e2e }

const args = process.argv.slice(2)
const at = args.indexOf('--only')
const [, only] = at >= 0 ? args.splice(at, 2) : []
if (at >= 0 && !(only && only in STAGES)) {
  say(`npm test -- --only ${Object.keys(STAGES).join('|')}`)
  process.exit(2)
}

const total = { passed: 0, failed: 0 }
await rm(SUMMARY, { force: true })
try {
  await ensureSetUp({ window: true, test: true, build: false })
  for (const [name, stage] of Object.entries(STAGES)) {
    if (only && only !== name) continue
    say(`\n=== ${name}`)
    try {
      const { passed, failed } = await stage(only ? args : [])
      total.passed += passed
      total.failed += failed
    } catch (error) {
      tell(error)
      total.failed++
    }
  }
} catch (error) {
  tell(error)
  total.failed++
}
const line = `${total.passed} passed, ${total.failed} failed`
await mkdir(dirname(SUMMARY), { recursive: true })
await writeFile(SUMMARY, `${line}\n`)
console.log(`\n${line}`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

/** @param {unknown} error */
function tell(error) {
  say(error instanceof SetupError ? `\n${error.message}` : String(/** @type {Error} */ (error).stack))
}

/** @returns {Promise<Counts>} */
async function build() {
  await ensureBuild()
  return { passed: 1, failed: 0 }
}

/** @returns {Promise<Counts>} */
async function check() {
  const { runChecks } = await import('./check.mjs')
  return runChecks()
}

/** @param {string[]} args @returns {Promise<Counts>} */
async function unit(args) {
  await rm(UNIT_REPORT, { force: true })
  const reporters = ['default', 'json', join(root, 'tools/vitest-second-tries.mjs')]
  const flags = ['run', '--retry=1', `--outputFile.json=${UNIT_REPORT}`]
  flags.push(...reporters.map((reporter) => `--reporter=${reporter}`))
  const status = await run(bin('vitest'), [...flags, ...args], {})
  return counted(status, UNIT_REPORT, (report) => ({
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.testResults.filter(failedToLoad).length,
  }))
}

/** @param {{ status: string, assertionResults: { status: string }[] }} file */
function failedToLoad(file) {
  return file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')
}

/** @param {string[]} args @returns {Promise<Counts>} */
async function e2e(args) {
  await ensureBuild()
  await rm(E2E_REPORT, { force: true })
  const playwright = [bin('playwright'), 'test', '-c', 'e2e/playwright.config.ts', ...args]
  const xvfb = process.platform === 'linux' && findCommand('xvfb-run')
  // A screen of our own: the tests do not depend on what the desktop does, nor disturb it.
  const screen = xvfb ? [xvfb, '-a', '-s', '-screen 0 1600x1000x24', ...playwright] : playwright
  const [file = '', ...rest] = screen
  const status = await run(file, rest, { ...electronEnvironment(), NODE_ENV: 'production' })
  return counted(status, E2E_REPORT, (report) => {
    for (const title of secondTries(report.suites)) say(`needed a second try: ${title}`)
    return { passed: report.stats.expected + report.stats.flaky, failed: report.stats.unexpected }
  })
}

/**
 * @param {any[]} suites of Playwright's report
 * @returns {string[]} file and title of each test that failed once and then passed
 */
function secondTries(suites) {
  return suites.flatMap(({ file, specs = [], suites: inner = [] }) => [
    ...specs
      .filter((/** @type {any} */ spec) =>
        spec.tests.some((/** @type {any} */ one) => one.status === 'flaky'),
      )
      .map((/** @type {any} */ spec) => `${file}: ${spec.title}`),
    ...secondTries(inner),
  ])
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>}
 */
function run(file, args, env) {
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((done) => {
    child.on('error', (error) => {
      say(`${file}: ${error.message}`)
      done(1)
    })
    child.on('close', (status) => done(status ?? 1))
  })
}

/**
 * What a test tool reports, with its exit status: a run that failed without a failed test counts as one.
 * @param {number} status
 * @param {string} report
 * @param {(report: any) => Counts} count
 * @returns {Promise<Counts>}
 */
async function counted(status, report, count) {
  const text = await readFile(report, 'utf8').catch(() => undefined)
  const counts = text === undefined ? { passed: 0, failed: 0 } : count(JSON.parse(text))
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}
