// Where things are. Everything in tools/ that runs before `npm ci` may import this: Node built-ins only.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** What set-up knows about this clone: one small file per stamp. Never in git. */
export const stamps = join(root, '.setup')

/** The Electron runtime that development and tests use. Never in git, never shipped. */
export const electronDist = join(root, '.electron')

/** Where this process bundles the workers of its unit tests: two runs must not share a half-written one. */
export const testWorkers = join(root, 'build/test-workers', String(process.pid))

/** @param {string} name a command that a package brings, e.g. `biome` */
export const bin = (name) => join(root, 'node_modules/.bin', name)
