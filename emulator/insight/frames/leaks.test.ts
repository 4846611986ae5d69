// What looks leaked, and what does not: frames that were touched, young ones, those that went unheard, and those of tasks that are gone.
import { expect, test } from 'vitest'
import * as L from '../../core/layout'
import { createMemory } from '../../machine/memory'
import { AllocationLedger } from '../events/allocation-ledger'
import type { EventRecord } from '../events/event-table'
import { emptyColumns, type LensReading } from '../lenses/reading'
import { leakedFrames } from './leaks'
import { ReverseMap } from './reverse-map'

const SECOND = 1e9

function scene() {
  const memory = createMemory(1 << 20, 1)
  const ledger = new AllocationLedger()
  const said = (what: number, frame: number, time: number): EventRecord => ({
    ...{ time, retired: time, kind: L.EVENT_KIND_GUEST, cpu: 0, a: what, b: BigInt(frame) * 4096n },
    ...{ c: 4096n, d: 0n, e: 0x1000n, name: '' },
  })
  const touch = (frame: number, time: number) => {
    memory.u32[(memory.frames + frame * L.FRAME_SIZE + L.FRAME_STAMP) >>> 2] = Math.ceil(time / 2 ** 20)
  }
  memory.setHeader64(L.HDR_CLOCK_NOW, BigInt(10 * SECOND))
  for (let frame = 1; frame <= 6; frame++) ledger.hear(said(1, frame, SECOND))
  ledger.hear(said(1, 7, 9 * SECOND))
  ledger.hear(said(2, 2, 2 * SECOND))
  for (const frame of [3, 4, 5, 6]) touch(frame, 3 * SECOND)
  return { memory, ledger, said }
}

test('what was allocated long ago and never touched is suspected, nothing else', () => {
  const { memory, ledger } = scene()
  expect(leakedFrames(memory, ledger)).toMatchObject([
    { frame: 1, why: 'never touched', by: { time: SECOND } },
  ])
})

test('what was left by a task that is gone is suspected, if it was the task’s own', () => {
  const { memory, ledger } = scene()
  const frames = emptyColumns(memory.frameCount)
  frames.uses.push({ name: 'user', kind: 'used' }, { name: 'slab', kind: 'used' })
  const user = frames.uses.length - 2
  frames.owner = new Uint32Array(memory.frameCount)
  // 3: of a task that lives, 4: of one that is gone, 5: of one that is gone, but a cache's; 6: the kernel's own.
  for (const [frame, owner, use] of [
    [3, 1, user],
    [4, 7, user],
    [5, 7, user + 1],
    [6, 0, user],
  ] as const) {
    frames.owner[frame] = owner
    frames.use[frame] = use
  }
  const reading = { frames, tasks: [{ id: 1, name: 'init', state: '' }] } as unknown as LensReading
  const found = leakedFrames(memory, ledger, reading, new ReverseMap(memory))
  expect(found.map(({ frame, why }) => [frame, why])).toEqual([
    [1, 'never touched'],
    [4, 'owner gone'],
  ])
})

test('what may have been given back unheard is not suspected', () => {
  const { memory, ledger, said } = scene()
  ledger.gap()
  expect(leakedFrames(memory, ledger)).toEqual([])
  ledger.hear(said(1, 20, 8.5 * SECOND))
  expect(leakedFrames(memory, ledger)).toMatchObject([])
  memory.setHeader64(L.HDR_CLOCK_NOW, BigInt(13 * SECOND))
  expect(leakedFrames(memory, ledger).map(({ frame }) => frame)).toEqual([7, 20])
  const partial = new AllocationLedger([
    {
      ...{ linear: 1n, event: 'allocate', address: { register: 'RAX' }, unit: 4096, frames: true },
      ...{ function: 'f', pool: 0n, poolName: 'frames' },
    },
  ])
  partial.hear({ ...said(1, 3, SECOND), kind: L.EVENT_KIND_PROBE, a: L.PROBE_ALLOCATED << 16 })
  expect(partial.framesAllocated).toBe(1)
  expect(leakedFrames(memory, partial)).toEqual([])
})
