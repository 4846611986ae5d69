// `npm run dev [-- FILE...]`: the application with hot reload; an edited file rebuilds what depends on it.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { electronEnvironment } from './electron-runtime.mjs'
import { bin, root } from './paths.mjs'
import { asCommand, ensureSetUp } from './setup.mjs'

await asCommand(async () => {
  await ensureSetUp({ window: true })
  const files = process.argv.slice(2).map((file) => resolve(file))
  const child = spawn(bin('electron-vite'), ['dev', '-w', '--', ...files], {
    cwd: root,
    env: { ...process.env, ...electronEnvironment() },
    stdio: 'inherit',
  })
  return new Promise((done) => child.on('close', (status) => done(status ?? 1)))
})
