// A kernel with a large initial RAM disk: read a piece at a time, with others in between.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDirectBoot } from '@emulator/firmware/direct-boot/files'
import { afterAll, expect, test } from 'vitest'
import { defaultSettings, readKernel } from './machine-settings'

const folder = mkdtempSync(join(tmpdir(), 'ringside-read-kernel-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const kernel = fileURLToPath(new URL('../../assets/guests/tests/multiboot1.elf', import.meta.url))
const MIB = 2 ** 20
const large = join(folder, 'large.img')
writeFileSync(
  large,
  Uint8Array.from({ length: 9 * MIB + 5 }, (_, i) => (i * 31) >> 8),
)
const small = join(folder, 'small.img')
writeFileSync(small, 'text')
const settings = { ...defaultSettings(), initrd: [large, small, large] }

test('progress rises, other work is done in between, and what comes out is what is read in one go', async () => {
  const told: { file: string; done: number }[] = []
  let others = 0
  const timer = setInterval(() => others++, 0)
  const read = await readKernel(kernel, settings, (reading) => {
    told.push(reading)
    return true
  })
  clearInterval(timer)
  expect(others).toBeGreaterThan(0)
  expect(told.map(({ file }) => file)).toEqual(Array(6).fill(large))
  const parts = [4 * MIB, 8 * MIB, 9 * MIB + 5].map((bytes) => bytes / (9 * MIB + 5))
  const expected = [...parts.map((part) => part / 3), ...parts.map((part) => (2 + part) / 3)]
  told.forEach(({ done }, i) => {
    expect(done).toBeCloseTo(expected[i]!)
  })
  const whole = openDirectBoot(kernel, settings.initrd, '')
  expect(read?.initrd?.map(({ name, text }) => ({ name, text }))).toEqual(
    whole.initrd?.map(({ name, text }) => ({ name, text })),
  )
  const same = whole.initrd?.map(({ bytes }, i) => Buffer.compare(bytes, read!.initrd![i]!.bytes))
  expect(same).toEqual([0, 0, 0])
})

test('reading ends when it is not wanted any more', async () => {
  let told = 0
  expect(await readKernel(kernel, settings, () => ++told < 2)).toBeUndefined()
  expect(told).toBe(2)
})

test('a file that is not there is named', async () => {
  const gone = { ...settings, initrd: [join(folder, 'gone.img')] }
  await expect(readKernel(kernel, gone, () => true)).rejects.toThrow(/gone\.img/)
})
