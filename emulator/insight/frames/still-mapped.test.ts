// Free and mapped by a program at once: told at rest, and of a running guest only when it stays so.
import { expect, test } from 'vitest'
import { createMemory } from '../../machine/memory'
import { emptyColumns } from '../lenses/reading'
import { ReverseMap } from './reverse-map'
import { LOOKS_MIN, StillMapped } from './still-mapped'

test('a free frame that a user page maps is found, one that only the kernel maps is not', () => {
  const memory = createMemory(16 << 20, 1)
  const put = (at: number, value: bigint) => memory.view.setBigUint64(memory.ram + at, value, true)
  put(0x1000, 0x2007n)
  put(0x1000 + 511 * 8, 0x6003n)
  put(0x2000, 0x3007n)
  put(0x3000, 0x4007n)
  put(0x4000, 0x5007n) // user
  put(0x4008, 0x7003n) // supervisor
  put(0x6000, 0x8083n) // the kernel's direct map: 1 GiB
  const map = new ReverseMap(memory)
  map.update([{ control: { cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0x20n, efer: 0xd00n }, name: 'a' }])
  const mapped = map.userMapped()
  expect([...mapped.subarray(0, 9)]).toEqual([0, 1, 1, 1, 1, 1, 0, 0, 0])

  const frames = emptyColumns(memory.frameCount)
  const free = frames.uses.push({ name: 'free', kind: 'free' }) - 1
  const used = frames.uses.push({ name: 'user', kind: 'used' }) - 1
  frames.use.fill(free)
  frames.use.fill(used, 1, 5)
  expect(new StillMapped(memory.frameCount).look(frames, mapped, true)).toEqual([5])
  const running = new StillMapped(memory.frameCount)
  for (let look = 1; look < LOOKS_MIN; look++) expect(running.look(frames, mapped, false)).toEqual([])
  expect(running.look(frames, mapped, false)).toEqual([5])
  // Somebody has got it meanwhile: it begins anew.
  frames.use[5] = used
  expect(running.look(frames, mapped, false)).toEqual([])
  frames.use[5] = free
  expect(running.look(frames, mapped, false)).toEqual([])
})
