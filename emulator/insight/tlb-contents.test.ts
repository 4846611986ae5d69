// A guest that changes page-table entries and forgets INVLPG (assets/guests/tests/tlb-stale.asm).
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as L from '../core/layout'
import { defaultConfig } from '../machine/api'
import { createMachine } from '../machine/machine'
import { openMedium } from '../media/medium'
import { restAutopsy } from './rest-autopsy'
import { SLOT_EMPTY, SLOT_GLOBAL, SLOT_STALE, SLOT_SUPERVISOR, tlbContents } from './tlb-contents'
import { tlbLookup } from './tlb-lookup'

const image = fileURLToPath(new URL('../../assets/guests/tests/tlb-stale.img', import.meta.url))

it('shows what the TLB holds, and which of it the page tables no longer say', async () => {
  const machine = await createMachine({
    ...defaultConfig(),
    pace: false,
    drives: [{ slot: 'hda', medium: openMedium(image) }],
  })
  try {
    machine.run()
    while (restAutopsy(machine.memory, 0)?.kind !== 'spinning')
      await new Promise((done) => setTimeout(done, 5))
    await machine.pause()
    const before = await machine.stateHash()
    const { ranges, slots, count, fills } = tlbContents(machine.memory, 0)
    const at = (start: bigint) => ranges.find((range) => range.start === start)!
    expect(at(0x40000n)).toMatchObject({ frame: 0x40000n, entries: 1, dirty: true, stale: 'frame 50000 now' })
    expect(at(0x41000n)).toMatchObject({ writable: true, stale: 'write taken away' })
    expect(at(0x42000n)).toMatchObject({ global: true, stale: '' })
    expect(at(0x43000n)).toMatchObject({ stale: 'not mapped any more' })
    expect(at(0x44000n)).toMatchObject({ frame: 0x54000n, stale: '' })
    expect(at(0x45000n)).toMatchObject({ frame: 0x45000n, stale: '' })
    expect(count).toMatchObject({ stale: 3, global: 1, other: 0, large: 0 })
    expect([0x40, 0x42, 0x45, 0x80].map((slot) => slots[slot])).toEqual([
      SLOT_STALE,
      SLOT_GLOBAL,
      SLOT_SUPERVISOR,
      SLOT_EMPTY,
    ])
    expect(fills).toBeGreaterThan(6n)
    // The picture and the look-up of one address are the same truth.
    for (const { start, frame, current } of ranges)
      expect(tlbLookup(machine.memory, 0, start)?.frame).toBe(current ? frame : undefined)
    expect(slots).toHaveLength(L.TLB_COUNT)
    expect(await machine.stateHash()).toBe(before)
  } finally {
    await machine.dispose()
  }
})
