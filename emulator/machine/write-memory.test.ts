// Memory changed by hand: what takes it, what refuses, and code that was translated before.
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { openMedium } from '../media/medium'
import { defaultConfig, type Machine, physical, type Schedule } from './api'
import { createMachine } from './machine'

let machine: Machine | undefined
afterEach(() => machine?.dispose())

const guest = (path: string) => fileURLToPath(new URL(`../../assets/guests/${path}`, import.meta.url))

async function boot(schedule: Schedule, cpus: number, image = 'seed/p5.img'): Promise<Machine> {
  const config = defaultConfig()
  machine = await createMachine({
    ...config,
    ...{ schedule, cpus, memory: 16 << 20, pace: false },
    drives: [{ slot: 'hda', medium: openMedium(guest(image)) }],
  })
  return machine
}

const soon = () => new Promise((done) => setTimeout(done, 5))
async function runsInto(it: Machine, activity: string) {
  it.run()
  while (it.cpu().activity !== activity) await soon()
  await it.pause()
}

test.each([
  ['deterministic', 1],
  ['parallel', 2],
] as const)('RAM and video memory take bytes (%s, %i CPUs)', async (schedule, cpus) => {
  const it = await boot(schedule, cpus)
  await it.writePhysical(physical(0x5ffe), Uint8Array.of(1, 2, 3, 4))
  expect([...it.readPhysical(physical(0x5ffd), 6)]).toEqual([0, 1, 2, 3, 4, 0])
  await runsInto(it, 'halted')
  await it.writePhysical(physical(0xb8000), Uint8Array.of(0x41, 0x1f))
  expect([...it.readPhysical(physical(0xb8000), 2)]).toEqual([0x41, 0x1f])
  expect(it.state).toBe('paused')
})

test('the ROM, devices and nothing at all refuse, and say where', async () => {
  const it = await boot('deterministic', 1)
  await expect(it.writePhysical(physical(0xffff0), Uint8Array.of(1))).rejects.toThrow('nothing at FFFF0h')
  await expect(it.writePhysical(physical(0xfee00000), Uint8Array.of(1))).rejects.toThrow('FEE00000h')
  const end = 16 << 20
  await expect(it.writePhysical(physical(end - 1), Uint8Array.of(7, 8))).rejects.toThrow('1000000h')
  expect([...it.readPhysical(physical(end - 1), 1)]).toEqual([7])
  await expect(it.writePhysical(physical(0), new Uint8Array(4097))).rejects.toThrow('4096')
  await expect(it.writePhysical(physical(-1), Uint8Array.of(1))).rejects.toThrow('no guest-physical')
  it.run()
  await expect(it.writePhysical(physical(0x5000), Uint8Array.of(1))).rejects.toThrow('while it runs')
})

test('code that has been translated is translated anew', async () => {
  const it = await boot('deterministic', 1, 'tests/broken-spin.img')
  it.run()
  const spins = () => [...it.readLinear(it.cpu().ripLinear, 2)].join() === '235,254'
  while (!spins()) await soon()
  await soon()
  await it.pause()
  const { ripLinear } = it.cpu()
  // JMP to itself becomes HLT.
  await it.writePhysical(it.translate(ripLinear)!, Uint8Array.of(0xf4))
  await runsInto(it, 'halted')
  expect(it.cpu().ripLinear).toBe(ripLinear + 1n)
})
