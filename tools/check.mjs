// `npm run check`: what can be said about the sources without running them.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './paths.mjs'

/** Each check: its name, and the script that makes it. */
export const CHECKS = /** @type {const} */ ([
  ['format and lint', 'lint.mjs'],
  ['imports', 'check-imports.mjs'],
  ['repository', 'check-repository.mjs'],
  ['types of the TypeScript', 'typecheck.mjs', 'app'],
  ['types of the AssemblyScript', 'typecheck.mjs', 'core'],
])

/**
 * Runs every check, one after the other, and shows what they say.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks() {
  const counts = { passed: 0, failed: 0 }
  for (const [name, script, ...args] of CHECKS) {
    const began = performance.now()
    const child = spawn(process.execPath, [join(root, 'tools', script), ...args], {
      cwd: root,
      stdio: 'inherit',
    })
    const status = await new Promise((done) => child.on('close', done))
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(`${status === 0 ? ' ok' : '  !'} ${name} (${seconds} s)`)
    counts[status === 0 ? 'passed' : 'failed']++
  }
  return counts
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { failed } = await runChecks()
  process.exitCode = failed > 0 ? 1 : 0
}
