// Compiles emulator/core (AssemblyScript) to core.wasm, once per content of its sources.
//
// The answer lies in build/core/<hash>/core.wasm, where the hash is over every source file, the options and the
// compiler's version: -O3 takes many seconds, so whoever asks for a core that somebody already built gets that
// one. Several processes may ask at the same time (a test run, a build, a second window): one compiles, the
// others wait for it, and the result appears by a rename, so that nobody ever reads half a module.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locked } from './lock.mjs'
import { root } from './paths.mjs'
import { describeModule } from './wasm-sections.mjs'

const cache = join(root, 'build/core')

/** The core's own folder and its entry. */
export const CORE = join(root, 'emulator/core')
export const ENTRY = join(CORE, 'index.ts')

/** Read-only tables live below this address; the machine's header begins here (emulator/core/layout.ts). */
export const STATIC_DATA_END = 0x10000

/**
 * Tests, and what only they use (vectors/, testing/, tests/), stand beside the core but are TypeScript for Node.
 * @param {string} name a file, relative to emulator/core
 */
export const isAssemblyScript = (name) =>
  name.endsWith('.ts') && !name.endsWith('.test.ts') && !/^(vectors|testing|tests)[\\/]/.test(name)

/** Which target of asconfig.json is built: `release` ships; RINGSIDE_CORE=develop compiles in a sixth of the time, for work on the core. */
const TARGET = process.env['RINGSIDE_CORE'] === 'develop' ? 'develop' : 'release'

/** How many built cores are kept, so that going back to yesterday's source is free. */
const KEPT = 8

/**
 * Every file that decides what core.wasm is, sorted.
 * @returns {Promise<string[]>}
 */
export async function coreSources() {
  const names = await readdir(CORE, { recursive: true })
  return names
    .filter((name) => isAssemblyScript(name) || name === 'asconfig.json')
    .sort()
    .map((name) => join(CORE, name))
}

/**
 * The name of the build that belongs to the sources as they are now.
 * @returns {Promise<string>} 16 hex digits
 */
export async function coreHash() {
  const require = createRequire(import.meta.url)
  const hash = createHash('sha256').update(require('assemblyscript/package.json').version).update(TARGET)
  hash.update(await readFile(fileURLToPath(import.meta.url)))
  for (const file of await coreSources()) {
    hash.update(`\0${relative(CORE, file)}\0`).update(await readFile(file))
  }
  return hash.digest('hex').slice(0, 16)
}

/**
 * Compiles the core if its sources are not those of a build that is already there.
 * @param {(line: string) => void} [log] told when a compilation starts and ends
 * @returns {Promise<{ path: string, sources: string[], hash: string, compiled: boolean }>} `path` is core.wasm
 */
export async function compileCore(log = () => {}) {
  const sources = await coreSources()
  const hash = await coreHash()
  const home = join(cache, hash)
  const path = join(home, 'core.wasm')
  let compiled = false
  if (!existsSync(path)) {
    await locked(`${home}.lock`, async () => {
      if (existsSync(path)) return
      await compile(home, log)
      compiled = true
    })
  }
  if (compiled) await prune()
  return { path, sources, hash, compiled }
}

/** @param {string} home @param {(line: string) => void} log */
async function compile(home, log) {
  const { default: asc } = await import('assemblyscript/asc')
  const began = performance.now()
  log(`compiling the core (AssemblyScript, ${TARGET})`)
  const staged = `${home}.${process.pid}`
  await mkdir(staged, { recursive: true })
  try {
    const wasm = join(staged, 'core.wasm')
    const { error, stderr } = await asc.main(
      [
        relative(root, ENTRY),
        '--config',
        relative(root, join(CORE, 'asconfig.json')),
        '--target',
        TARGET,
        '--outFile',
        relative(root, wasm),
        '--baseDir',
        root,
        '--noColors',
      ],
      {
        readFile: (name, base) => readFile(resolve(base, name), 'utf8').catch(() => null),
        writeFile: async (name, contents, base) => {
          const file = resolve(base, name)
          await mkdir(dirname(file), { recursive: true })
          await writeFile(file, contents)
        },
      },
    )
    const messages = stderr.toString().trim()
    if (error) throw new Error(`emulator/core does not compile (${error.message})\n${messages}`)
    if (messages) log(messages)
    const bytes = await readFile(wasm)
    const facts = checkCore(bytes)
    await rename(staged, home).catch(async (failure) => {
      if (!existsSync(join(home, 'core.wasm'))) throw failure
    })
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    const kib = (bytes.length / 1024).toFixed(0)
    log(`core.wasm: ${kib} KiB, tables end at 0x${facts.dataEnd.toString(16)}, ${seconds} s`)
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
}

/**
 * What must hold for every core, checked on the module itself.
 * @param {Uint8Array} bytes the module
 * @returns {import('./wasm-sections.mjs').ModuleFacts}
 */
export function checkCore(bytes) {
  const facts = describeModule(bytes)
  if (facts.passiveSegments > 0) {
    throw new Error('core.wasm has passive data segments; nothing would copy them into the machine')
  }
  if (facts.dataEnd > STATIC_DATA_END) {
    const over = facts.dataEnd - STATIC_DATA_END
    throw new Error(
      `core.wasm: the read-only tables end at 0x${facts.dataEnd.toString(16)}, ${over} bytes past 0x10000, ` +
        'where the machine header begins. Make a memory.data table smaller.',
    )
  }
  const strangers = facts.imports.filter(
    ({ module, name }) => module !== 'host' && !(module === 'env' && name === 'memory'),
  )
  if (strangers.length > 0) {
    const list = strangers.map(({ module, name }) => `${module}.${name}`).join(', ')
    throw new Error(
      `core.wasm imports ${list}. The core may import env.memory and functions of module "host", nothing ` +
        'else (env.abort comes from an allocation, an array access or an assert: none of them belongs in the core).',
    )
  }
  return facts
}

/** Drops the oldest builds, but none of the last hour: somebody may be running it. */
async function prune() {
  const names = (await readdir(cache)).filter((name) => /^[0-9a-f]{16}$/.test(name))
  const dated = await Promise.all(
    names.map(async (name) => ({ name, age: (await stat(join(cache, name))).mtimeMs })),
  )
  dated.sort((a, b) => b.age - a.age)
  for (const { name, age } of dated.slice(KEPT)) {
    if (Date.now() - age > 3_600_000) await rm(join(cache, name), { recursive: true, force: true })
  }
}
