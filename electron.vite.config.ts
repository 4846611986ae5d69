import { fileURLToPath } from 'node:url'
import { defineConfig } from 'electron-vite'
import vue from '@vitejs/plugin-vue'
import { assemblyscript } from './tools/vite-plugin-asc.mjs'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = { '@emulator': at('emulator'), '@assets': at('assets') }

// The oldest runtimes that must run what is built: Node 20 for the command line, Electron 33 for the window.
const NODE = 'node20'
const CHROME = 'chrome130'

export default defineConfig({
  main: {
    plugins: [assemblyscript()],
    resolve: { alias },
    publicDir: 'assets',
    build: {
      outDir: 'out/main',
      target: NODE,
      copyPublicDir: false,
      sourcemap: true,
      rolldownOptions: {
        // iced-x86 finds its WebAssembly file beside its own source, so it stays a package of its own.
        external: ['iced-x86'],
        input: { index: at('main/index.ts'), cli: at('emulator/cli/main.ts') },
      },
    },
  },
  preload: {
    resolve: { alias },
    build: {
      outDir: 'out/preload',
      target: NODE,
      // A sandboxed preload is loaded as CommonJS and may require nothing but
      // `electron`, so everything else is bundled into the one file.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: at('preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    resolve: { alias },
    plugins: [vue()],
    publicDir: false,
    build: {
      outDir: at('out/renderer'),
      target: CHROME,
      rolldownOptions: { input: { index: at('renderer/index.html') } },
    },
  },
})
