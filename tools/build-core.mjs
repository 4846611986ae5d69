// `npm run build:core`: compiles emulator/core and says where core.wasm is.
import { relative } from 'node:path'
import { compileCore } from './compile-core.mjs'

try {
  const { path, compiled } = await compileCore((line) => console.log(line))
  console.log(`${relative(process.cwd(), path)}${compiled ? '' : ' (up to date)'}`)
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
}
