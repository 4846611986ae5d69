import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import vue from '@vitejs/plugin-vue'
import { assemblyscript } from './tools/vite-plugin-asc.mjs'
import { assetPath } from './tools/vite-plugin-asset-path.mjs'
import { nodeWorker } from './tools/vite-plugin-node-worker.mjs'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const alias = { '@emulator': at('emulator'), '@assets': at('assets') }

// Node projects get the release core (the very file that ships) and real worker threads.
const node = () => ({
  extends: true as const,
  plugins: [assemblyscript(), assetPath(), nodeWorker({ alias })],
})

export default defineConfig({
  resolve: { alias },
  test: {
    globalSetup: ['tools/vitest-core.mjs'],
    setupFiles: ['tools/vitest-seed.mjs'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        ...node(),
        test: {
          name: 'emulator',
          include: ['emulator/**/*.test.ts', 'tools/**/*.test.{ts,mjs}', 'bench/**/*.test.ts'],
          environment: 'node',
        },
      },
      {
        ...node(),
        test: { name: 'main', include: ['main/**/*.test.ts', 'preload/**/*.test.ts'], environment: 'node' },
      },
      {
        extends: true,
        plugins: [vue()],
        test: { name: 'renderer', include: ['renderer/**/*.test.ts'], environment: 'happy-dom' },
      },
    ],
  },
})
