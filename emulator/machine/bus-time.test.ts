// Timers in memory, polled: an access takes the time of a bus cycle in the deterministic schedule, and what happens is the same wherever the
// machine is stopped meanwhile.
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine } from './api'
import { createMachine } from './machine'

const image = fileURLToPath(new URL('../../assets/guests/tests/poll-timers.img', import.meta.url))
let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** What the guest says, and the state it ends in. `step`: instructions until the next rest. */
async function poll(cpus: number, step?: () => number) {
  machine = await createMachine({
    ...defaultConfig(),
    ...{ cpus, memory: 16 << 20, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(image) }],
  })
  let said = ''
  machine.on('serial', ({ bytes }) => {
    said += Buffer.from(bytes).toString('latin1')
  })
  if (step) while (machine.state !== 'stopped') await machine.step(step())
  else machine.run()
  const { reason, value } = await machine.whenStopped()
  expect([reason, value]).toEqual(['debug-exit', 3])
  const hash = await machine.stateHash()
  await machine.dispose()
  return { said, hash }
}

test.each([1, 2])(
  'HPET and local APIC polled for 20 ms each, CPUs: %i',
  { timeout: 60_000 },
  async (cpus) => {
    const whole = await poll(cpus)
    const numbers = whole.said
      .trim()
      .split(/\s+/)
      .map((word) => Number.parseInt(word, 16))
    const [hpet, hpetTicks, lapic, lapicTicks] = numbers as [number, number, number, number]
    // 500 ns and 40 ns a look, and the loop around it
    expect(hpet).toBeGreaterThan(25_000)
    expect(hpet).toBeLessThan(40_000)
    expect(lapic).toBeGreaterThan(250_000)
    expect(lapic).toBeLessThan(500_000)
    for (const ticks of [hpetTicks, lapicTicks]) expect(Math.abs(ticks - 40)).toBeLessThanOrEqual(1)
    let seed = 1
    const stepped = await poll(cpus, () => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return 1 + ((seed >> 8) % 20_000)
    })
    expect(stepped).toEqual(whole)
  },
)
