// ACPI S3 with the threads a machine has: nothing runs, and still the clock's alarm comes.
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine } from './api'
import { createMachine } from './machine'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

test.each([
  ['deterministic', 1],
  ['deterministic', 2],
  ['parallel', 2],
] as const)('asleep until the alarm: %s, CPUs: %i', { timeout: 30_000 }, async (schedule, cpus) => {
  const image = fileURLToPath(new URL('../../assets/guests/tests/suspend.img', import.meta.url))
  machine = await createMachine({
    ...defaultConfig(),
    ...{ schedule, cpus, memory: 16 << 20, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(image) }],
  })
  let said = ''
  machine.on('serial', ({ bytes }) => {
    said += Buffer.from(bytes).toString('latin1')
  })
  machine.run()
  const { reason, value } = await machine.whenStopped()
  expect([reason, value]).toEqual(['debug-exit', 0])
  expect(said).toMatch(/^Sleep\r\nAwake 07[0-9A-F]{2} PM1_STS 8400 lost 0000\r\n$/)
})
