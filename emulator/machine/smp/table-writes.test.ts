// A guest that changes page-table entries in every way there is and forgets to invalidate (table-writes.asm): each use of a
// page after that is told, and none of a page whose entry is as it was.
import image from '@assets/guests/tests/table-writes.img?asset'
import { afterEach, describe, expect, test } from 'vitest'
import { staleUses } from '../../insight/stale-uses'
import { readTlbLog } from '../../insight/tlb-log'
import { openMedium } from '../../media/medium'
import { defaultConfig, type Machine, MIB } from '../api'
import { createMachine } from '../machine'

const PT1 = 0x14000
const PTD = 0x16000
const WINDOW = 0x4000_0000
const WAYS = 0x6000
const PRESENT = 1n

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

async function run(cpus: number): Promise<Machine> {
  const drives = [{ slot: 'hda' as const, medium: openMedium(image) }]
  machine = await createMachine({ ...defaultConfig(), memory: 16 * MIB, pace: false, cpus, drives })
  machine.watchTlb(true)
  machine.run()
  const { reason, report } = await machine.whenStopped()
  expect([reason, report]).toEqual(['debug-exit', undefined])
  return machine
}

describe.each([1, 2])('%d CPUs', { timeout: 60_000 }, (cpus) => {
  test('every use of a changed entry is told, and no other', async () => {
    const { memory } = await run(cpus)
    const long = (phys: number) => memory.view.getBigUint64(memory.ram + phys, true)
    const word = (phys: number) => memory.view.getUint32(memory.ram + phys, true)
    const { records, lost } = readTlbLog(memory)
    expect(lost).toBe(0)
    const uses = staleUses(records)
    const used = new Set(uses.map(({ linear }) => Number(linear >> 12n)))
    const told: string[] = []
    const wanted: string[] = []
    for (let way = 0; way < word(WAYS); way++) {
      const first = word(WAYS + 8 + way * 8)
      const count = word(WAYS + 12 + way * 8)
      expect(count).toBeGreaterThan(0)
      const was = BigInt((0x80 + (first & 15)) << 12) | 3n
      for (let i = first; i < first + count; i++) {
        const name = `way ${way}, entry ${i - first}`
        if (used.has((WINDOW >> 12) + i)) told.push(name)
        const is = long(PT1 + i * 8)
        const less = (was & ~is & 3n) !== 0n || ((was ^ is) & 0xf_ffff_ffff_f000n) !== 0n
        if (less || (is & (1n << 63n)) !== 0n) wanted.push(name)
      }
    }
    expect(wanted.length).toBeGreaterThan(60)
    expect(told).toEqual(wanted)
    // Who changed them, and to what: an entry above counts as well.
    for (const use of uses) {
      const entry = Number(use.entry)
      if (entry >= PT1 && entry < PT1 + 0x1000) {
        expect([entry, use.changed?.cpu]).toEqual([entry, 0])
        expect([entry, use.before & ~0x7_f060n]).toEqual([entry, 0x8_0003n])
      }
    }
    expect(uses.find(({ entry }) => entry === 0x17008n)).toMatchObject({
      linear: BigInt(WINDOW + 0x20_0000),
      differs: ['not present'],
    })
    // By a device, so by no CPU.
    expect(long(PTD) & PRESENT).toBe(0n)
    const moved = uses.filter(({ entry }) => Number(entry) >= PTD && Number(entry) < PTD + 0x1000)
    expect(moved.map(({ linear }) => Number(linear))).toEqual([WINDOW + 0x40_0000, WINDOW + 0x40_1000])
    for (const use of moved) expect(use).toMatchObject({ changed: undefined, differs: ['not present'] })
  })
})
