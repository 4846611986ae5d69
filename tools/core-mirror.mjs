// A copy of emulator/core that ordinary TypeScript tools can read.
//
// AssemblyScript puts decorators on functions (`@inline`, `@external('host', 'wait')`). TypeScript's compiler
// (TS1206) and Biome refuse that. In the copy each such line is a comment of the same form (`//@inline`), so that
// everything else is checked and formatted like the rest of the project, with the same line numbers.
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CORE } from './compile-core.mjs'
import { root } from './paths.mjs'

const DECORATOR = 'inline|external|unsafe|lazy|global|final|unmanaged|operator(?:\\.\\w+)?|builtin'
const HIDE = new RegExp(`^([ \\t]*)@((?:${DECORATOR})\\b(?:\\([^)\\n]*\\))?)[ \\t]*$`, 'gm')
const SHOW = new RegExp(`^([ \\t]*)//@((?:${DECORATOR})\\b(?:\\([^)\\n]*\\))?)$`, 'gm')
const SAME_LINE = new RegExp(`^([ \\t]*)@((?:${DECORATOR})\\b(?:\\([^)\\n]*\\))?)[ \\t]+(?=\\S)`, 'gm')

/** @param {string} source AssemblyScript; a decorator before something on its line gets a line of its own */
export const hideDecorators = (source) => {
  let text = source
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(SAME_LINE, '$1@$2\n$1')
  }
  return text.replace(HIDE, '$1//@$2')
}

/** @param {string} source what `hideDecorators` answered */
export const showDecorators = (source) => source.replace(SHOW, '$1@$2')

/**
 * Makes the copy under build/.
 * @returns {Promise<{ home: string, files: string[], drop: () => Promise<void> }>} `home` stands for the project's
 *   root; `files` are the sources, relative to emulator/core
 */
export async function mirrorCore() {
  const home = join(root, 'build', `core-mirror.${process.pid}`)
  const files = (await readdir(CORE, { recursive: true })).filter((name) => name.endsWith('.ts')).sort()
  await rm(home, { recursive: true, force: true })
  for (const name of files) {
    const copy = join(home, 'emulator/core', name)
    await mkdir(dirname(copy), { recursive: true })
    await writeFile(copy, hideDecorators(await readFile(join(CORE, name), 'utf8')))
  }
  await mkdir(join(home, 'emulator/core'), { recursive: true })
  await cp(join(CORE, 'tsconfig.json'), join(home, 'emulator/core/tsconfig.json'))
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'))
  return { home, files, drop: () => rm(home, { recursive: true, force: true }) }
}

/**
 * Carries what a formatter changed in the copy back to emulator/core.
 * @param {{ home: string, files: string[] }} mirror
 * @returns {Promise<string[]>} the files that changed
 */
export async function writeBack({ home, files }) {
  const changed = []
  for (const name of files) {
    const original = join(CORE, name)
    const text = showDecorators(await readFile(join(home, 'emulator/core', name), 'utf8'))
    if (text === (await readFile(original, 'utf8'))) continue
    await writeFile(original, text)
    changed.push(name)
  }
  return changed
}
