// What must hold for the repository itself: nothing generated in it, dependencies pinned, a lock file without hosts.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'

/** Folders that only set-up, builds and tests fill. */
const GENERATED = /(^|\/)(node_modules|\.electron|\.setup)\/|^(build|out|dist)\//

/** @type {string[]} */
const problems = []

const tracked = execFileSync('git', ['ls-files', '-z'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
}).split('\0')
for (const file of tracked)
  if (GENERATED.test(file)) problems.push(`${file} is generated and belongs in .gitignore`)

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (Object.keys(manifest.dependencies).join() !== 'node-pty') {
  problems.push(
    'package.json: only node-pty is a dependency at run time; all else is bundled: devDependencies',
  )
}
for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))
    problems.push(`package.json: ${name} is not pinned (${version})`)
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue
  if (entry.resolved || entry.link)
    problems.push(`package-lock.json: ${path} names where it came from (${entry.resolved})`)
  // A registry that does not carry a foreign platform's binary cannot tell its hash either; its version is pinned.
  if (!entry.integrity && !(entry.optional && entry.os)) {
    problems.push(`package-lock.json: ${path} has no integrity`)
  }
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`]) continue
    problems.push(
      `package-lock.json: ${name}, an optional part of ${path}, has no entry. ` +
        '`npm ci` refuses such a file where the registry does not carry that part; take the entry from the file’s history.',
    )
  }
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
