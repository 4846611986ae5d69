// `npm run lint` and `npm run format`: Biome over the project, and over emulator/core through its mirror.
// `--write` formats and applies the safe fixes. Paths given limit it to them.
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { CORE } from './compile-core.mjs'
import { mirrorCore, writeBack } from './core-mirror.mjs'
import { bin, root } from './paths.mjs'

const write = process.argv.includes('--write')
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const inCore = wanted.filter((path) => !relative(CORE, resolve(path)).startsWith('..'))
const elsewhere = wanted.filter((path) => !inCore.includes(path))
const flags = ['check', ...(write ? ['--write'] : []), '--error-on-warnings', '--no-errors-on-unmatched']

let failed = false
if (wanted.length === 0 || elsewhere.length > 0) {
  const { status } = spawnSync(
    bin('biome'),
    [...flags, ...elsewhere.map((path) => relative(root, resolve(path)))],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  failed ||= status !== 0
}
if (wanted.length === 0 || inCore.length > 0) failed ||= !(await lintCore())
process.exitCode = failed ? 1 : 0

async function lintCore() {
  const mirror = await mirrorCore()
  try {
    const config = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'))
    config.vcs.enabled = false
    config.files.includes = ['emulator/core/**/*.ts']
    await writeFile(join(mirror.home, 'biome.json'), JSON.stringify(config))
    const { status } = spawnSync(
      bin('biome'),
      [...flags, ...(inCore.length > 0 ? inCore.map((path) => relative(root, resolve(path))) : ['emulator'])],
      {
        cwd: mirror.home,
        stdio: 'inherit',
      },
    )
    if (write) for (const name of await writeBack(mirror)) console.log(`formatted emulator/core/${name}`)
    return status === 0
  } finally {
    await mirror.drop()
  }
}
