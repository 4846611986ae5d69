// Gives Vitest what electron-vite gives the build: `import start from './vcpu.ts?nodeWorker'` answers a function
// that starts the file as a worker thread. Tests then run the machine on the same threads as the application.
//
// The worker is bundled to build/test-workers/, because Node cannot load TypeScript by itself.
import { basename, join, relative } from 'node:path'
import { build } from 'vite'
import { root, testWorkers } from './paths.mjs'
import { assemblyscript } from './vite-plugin-asc.mjs'
import { assetPath } from './vite-plugin-asset-path.mjs'

const SUFFIX = '?nodeWorker'

/**
 * @param {{ alias: Record<string, string> }} options the aliases of the surrounding configuration
 * @returns {import('vite').Plugin}
 */
export function nodeWorker({ alias }) {
  return {
    name: 'ringside:node-worker',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(SUFFIX)) return
      const entry = id.slice(0, -SUFFIX.length)
      const name = relative(root, entry).replace(/[^a-z0-9]+/gi, '-')
      const outDir = join(testWorkers, name)
      const result = await build({
        configFile: false,
        logLevel: 'warn',
        root,
        resolve: { alias },
        publicDir: false,
        plugins: [assemblyscript(), assetPath()],
        build: {
          ssr: entry,
          outDir,
          emptyOutDir: true,
          target: 'node20',
          sourcemap: 'inline',
          rolldownOptions: { output: { entryFileNames: 'worker.mjs' } },
        },
      })
      for (const output of Array.isArray(result) ? result : [result]) {
        if (!('output' in output)) continue
        for (const chunk of output.output) {
          if (chunk.type !== 'chunk') continue
          for (const source of chunk.moduleIds)
            if (!source.startsWith('\0')) this.addWatchFile(source.split('?')[0] ?? source)
        }
      }
      const file = JSON.stringify(join(outDir, 'worker.mjs'))
      return `import { Worker } from 'node:worker_threads'
export default (options) => new Worker(${file}, options) // ${basename(entry)}
`
    },
  }
}
