// The programs and shared libraries that the operating system must bring. Node built-ins only.
//
// What is missing is found by looking for the thing itself (a command in PATH, a library in the loader's cache),
// never for a package, so that any distribution will do. Only the names to install are Debian's.
import { accessSync, constants } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { quietly, SetupError, step } from './progress.mjs'

/**
 * @typedef {'build' | 'window' | 'test'} Purpose
 * build: to compile the one native package; window: to show Electron; test: to run every test
 */

/** Commands, and the package that brings each. */
const COMMANDS = /** @type {const} */ ([
  ['build', 'c++', 'g++'],
  ['build', 'make', 'make'],
  ['build', 'python3', 'python3'],
  ['window', 'unzip', 'unzip'],
  ['test', 'gcc', 'gcc'],
  ['test', 'nasm', 'nasm'],
  ['test', 'Xvfb', 'xvfb'],
  ['test', 'xvfb-run', 'xvfb'],
  ['test', 'xauth', 'xauth'],
])

/** The libraries that Electron is linked with (or loads at its start), and the packages that bring each. */
const LIBRARIES = /** @type {const} */ ([
  ['libgtk-3.so.0', 'libgtk-3-0t64', 'libgtk-3-0'],
  ['libnss3.so', 'libnss3'],
  ['libnspr4.so', 'libnspr4'],
  ['libasound.so.2', 'libasound2t64', 'libasound2'],
  ['libgbm.so.1', 'libgbm1'],
  ['libdrm.so.2', 'libdrm2'],
  ['libatk-1.0.so.0', 'libatk1.0-0t64', 'libatk1.0-0'],
  ['libatk-bridge-2.0.so.0', 'libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'],
  ['libatspi.so.0', 'libatspi2.0-0t64', 'libatspi2.0-0'],
  ['libcups.so.2', 'libcups2t64', 'libcups2'],
  ['libdbus-1.so.3', 'libdbus-1-3'],
  ['libexpat.so.1', 'libexpat1'],
  ['libglib-2.0.so.0', 'libglib2.0-0t64', 'libglib2.0-0'],
  ['libpango-1.0.so.0', 'libpango-1.0-0'],
  ['libcairo.so.2', 'libcairo2'],
  ['libX11.so.6', 'libx11-6'],
  ['libxcb.so.1', 'libxcb1'],
  ['libXcomposite.so.1', 'libxcomposite1'],
  ['libXdamage.so.1', 'libxdamage1'],
  ['libXext.so.6', 'libxext6'],
  ['libXfixes.so.3', 'libxfixes3'],
  ['libXrandr.so.2', 'libxrandr2'],
  ['libxkbcommon.so.0', 'libxkbcommon0'],
  ['libudev.so.1', 'libudev1'],
])

/**
 * Makes sure that what the purposes need is there: installs it when that is possible without asking, else says
 * the one line that does.
 * @param {Purpose[]} purposes
 * @throws {SetupError} naming the line to run
 */
export async function ensureSystemPackages(purposes) {
  if (process.platform !== 'linux') return
  const missing = missingPackages(purposes)
  if (missing.length === 0) return
  const apt = findCommand('apt-get')
  if (!apt) {
    throw new SetupError(
      `These are missing on this machine: ${missing.map(({ what }) => what).join(', ')}.\n` +
        'Install them with the system’s package manager and run the same command again. ' +
        `(On Debian their packages are ${missing.map(({ packages }) => packages.at(-1)).join(', ')}.)`,
    )
  }
  const root = process.getuid?.() === 0
  if (root) await step('updating the list of system packages', () => quietly(apt, ['update', '-q']))
  const names = [
    ...new Set(missing.map(({ packages }) => packages.find(isKnownToApt) ?? packages.at(-1) ?? '')),
  ]
  if (!root) {
    throw new SetupError(
      'A few system packages are missing. Run this line, then the same command again:\n\n' +
        `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
    )
  }
  await step(`installing system packages: ${names.join(' ')}`, () =>
    quietly(apt, ['install', '-y', '-q', '--no-install-recommends', ...names], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }),
  )
  const still = missingPackages(purposes)
  if (still.length > 0) {
    throw new SetupError(`Still missing after installing: ${still.map(({ what }) => what).join(', ')}.`)
  }
}

/**
 * @param {Purpose[]} purposes
 * @returns {{ what: string, packages: readonly string[] }[]} the missing thing, and the names its package may have
 */
function missingPackages(purposes) {
  const missing = []
  for (const [purpose, command, ...packages] of COMMANDS) {
    if (purposes.includes(purpose) && !findCommand(command)) missing.push({ what: command, packages })
  }
  if (purposes.includes('window')) {
    const known = loaderCache()
    for (const [library, ...packages] of LIBRARIES) {
      if (known && !known.has(library)) missing.push({ what: library, packages })
    }
  }
  return missing
}

/** @param {string} name @returns {string | undefined} its path */
export function findCommand(name) {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder
    }
  }
  return undefined
}

/** The names of the shared libraries that the loader finds; undefined where it cannot be asked (musl, NixOS). */
function loaderCache() {
  const ldconfig = findCommand('ldconfig')
  if (!ldconfig) return undefined
  const { stdout, status } = spawnSync(ldconfig, ['-p'], { encoding: 'utf8' })
  if (status !== 0) return undefined
  return new Set(stdout.split('\n').map((line) => line.trim().split(' ')[0] ?? ''))
}

/** @param {string} name */
function isKnownToApt(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return /Candidate: (?!\(none\))/.test(stdout ?? '')
}
