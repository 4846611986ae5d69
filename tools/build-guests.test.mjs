// The committed ROM and guest images are what their sources make. Needs nasm; where it is missing there is nothing
// to compare with, and the images are used as they are.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { root } from './paths.mjs'

const nasm = spawnSync('nasm', ['-v']).status === 0

test.skipIf(!nasm)('npm run build:guests -- --check', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/build-guests.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ok {7}assets\/firmware\/ringside-bios\.bin$/m)
  expect(stdout).toMatch(/^ok {7}assets\/guests\/first-light\/first-light\.img$/m)
  expect(status).toBe(0)
})
