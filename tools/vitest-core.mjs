// Vitest global set-up: the core is compiled before the first test file asks for it, because the compiler keeps
// its thread busy for longer than a test worker waits for a module.
import { rm } from 'node:fs/promises'
import { compileCore } from './compile-core.mjs'
import { testWorkers } from './paths.mjs'

export default async function setup() {
  try {
    await compileCore((line) => console.log(line))
  } catch (error) {
    // Every test that imports the core fails with this message; the others can still tell something.
    console.error(/** @type {Error} */ (error).message)
  }
  return () => rm(testWorkers, { recursive: true, force: true })
}
