// The files named on the command line: ours, a second instance's, Playwright's and electron-vite's.
import { resolve } from 'node:path'

/** Flags of Electron and Node that take a value in the next argument. */
const WITH_VALUE = new Set(['-r', '--require'])

/**
 * @param argv as in process.argv: the executable first
 * @param cwd what relative paths start at
 * @param appPath the application's folder when it is an argument itself (not packaged)
 * @returns absolute paths
 */
export function filesOf(argv: readonly string[], cwd: string, appPath: string | undefined): string[] {
  const files: string[] = []
  let appSeen = appPath === undefined
  let onlyFiles = false
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!
    if (onlyFiles) files.push(resolve(cwd, arg))
    else if (arg === '--') onlyFiles = true
    else if (WITH_VALUE.has(arg)) i++
    else if (arg === '' || arg.startsWith('-')) continue
    else if (!appSeen && resolve(cwd, arg) === appPath) appSeen = true
    else files.push(resolve(cwd, arg))
  }
  return files
}
