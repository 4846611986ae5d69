// `npm run typecheck`: vue-tsc over the TypeScript and the tools, tsc over the AssemblyScript sources.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { mirrorCore } from './core-mirror.mjs'
import { bin, root } from './paths.mjs'

const which = process.argv[2]
const failed = []
if (which !== 'core') {
  // What the last run knows is kept beside the other builds: a second run takes about half the time.
  const remember = ['--incremental', '--tsBuildInfoFile', join(root, 'build/types/app.tsbuildinfo')]
  const { status } = spawnSync(bin('vue-tsc'), ['--noEmit', ...remember], { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed.push('TypeScript')
}
if (which !== 'app') {
  const mirror = await mirrorCore()
  try {
    const project = join(mirror.home, 'emulator/core')
    const { status } = spawnSync(bin('tsc'), ['-p', project, '--noEmit'], {
      cwd: mirror.home,
      stdio: 'inherit',
    })
    if (status !== 0) failed.push('AssemblyScript')
  } finally {
    await mirror.drop()
  }
}
process.exitCode = failed.length > 0 ? 1 : 0
