// Lets `import corePath from '@emulator/core/index.ts?asc'` answer the path of core.wasm.
//
// A bundle gets the module as an asset beside the chunk (electron-vite's `?asset`); a test run gets the file
// in the build cache itself. Both are the release build.
import { compileCore, ENTRY } from './compile-core.mjs'

const SUFFIX = '?asc'

/** @returns {import('vite').Plugin} */
export function assemblyscript() {
  let bundling = false
  return {
    name: 'ringside:assemblyscript',
    enforce: 'pre',
    config(_config, { command }) {
      bundling = command === 'build'
    },
    async load(id) {
      if (!id.endsWith(SUFFIX)) return
      const entry = id.slice(0, -SUFFIX.length)
      if (entry !== ENTRY) this.error(`?asc compiles emulator/core/index.ts only, not ${entry}`)
      const { path, sources } = await compileCore((line) => console.log(`  ${line}`))
      for (const source of sources) this.addWatchFile(source)
      return bundling
        ? `export { default } from ${JSON.stringify(`${path}?asset`)}`
        : `export default ${JSON.stringify(path)}`
    },
  }
}
