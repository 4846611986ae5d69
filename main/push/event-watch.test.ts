// Who looks at interrupts, looks away and comes back: nothing of what was seen is forgotten, and nothing is taken for open that may have
// ended unseen.
import * as L from '@emulator/core/layout'
import { createMemory } from '@emulator/machine/memory'
import { expect, test } from 'vitest'
import { EventWatch } from './event-watch'

test('interrupts seen stay when the panel is covered, up to the last before it', () => {
  const memory = createMemory(1 << 20, 1)
  let classes = 0
  const watch = new EventWatch({
    memory,
    state: 'running',
    watchEvents: (wanted) => {
      classes = wanted
    },
    setProbes: () => {},
  })
  const block = memory.cpuBlock(0)
  /** As the core does it: only what somebody watches. */
  const write = (kind: number, a: number, time: number) => {
    if (!(classes & L.EVENT_CLASS_PATH)) return
    const n = Number(memory.u64[(block + L.CPU_EVENTS_NEXT) / 8]!)
    const at = block + L.CPU_EVENTS + n * L.EVENT_SIZE
    memory.view.setUint16(at + L.EVENT_KIND, kind, true)
    memory.view.setUint32(at + L.EVENT_A, a, true)
    memory.view.setBigUint64(at + L.EVENT_C, BigInt(time), true)
    memory.u64[(block + L.CPU_EVENTS_NEXT) / 8] = BigInt(n + 1)
    memory.setHeader64(L.HDR_CLOCK_NOW, BigInt(time))
  }
  const interrupt = (time: number) => {
    write(L.EVENT_KIND_ACCEPT, 0x40, time)
    write(L.EVENT_KIND_DELIVER, 0x40, time + 10)
  }
  const seen = () => {
    const { count, open } = watch.interrupts.summary(1000)
    return { count, open: open.length }
  }
  watch.watch(L.EVENT_CLASS_PATH)
  interrupt(100)
  // Nobody has taken it yet when the panel is covered.
  watch.watch(0)
  expect(seen().count).toBe(1)
  interrupt(200)
  watch.watch(L.EVENT_CLASS_PATH)
  expect(seen()).toEqual({ count: 1, open: 0 })
  interrupt(300)
  watch.take()
  expect(seen()).toEqual({ count: 2, open: 1 })
  watch.reset()
  expect(seen().count).toBe(0)
  watch.stop()
})
