// Bundles a module of the page into one script, for measurements that run inside a page that is there already.
import { build } from 'vite'

/**
 * @param {string} entry path of a module of TypeScript
 * @param {string} name of the global that holds what it exports
 * @returns {Promise<string>} the script
 */
export async function bundlePage(entry, name) {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: { write: false, minify: false, lib: { entry, name, formats: ['iife'], fileName: name } },
  })
  const [first] = Array.isArray(result) ? result : [result]
  const chunk = first && 'output' in first ? first.output[0] : undefined
  if (!chunk) throw new Error(`${entry} gave no script`)
  return chunk.code
}
