import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import { useSelection } from './selection'

const locate = vi.fn(async (_name: string, space: string, at: string) =>
  space === 'linear'
    ? { linear: [BigInt(`0x${at}`)], physical: 0x5123n, entry: 0x3008n }
    : { linear: [0x1_0000n + (BigInt(`0x${at}`) & 0xfffn)], physical: BigInt(`0x${at}`) },
)

beforeEach(() => {
  setActivePinia(createPinia())
  window.ringside = { call: locate as never, pathOf: () => '' }
})
const settled = () => new Promise((done) => setTimeout(done))

test('a linear address is its frame and its entry too', async () => {
  const selection = useSelection()
  selection.choose('linear', 0x8123n, 'code')
  expect(selection.inLinear(0x8000n, 0x1000n)).toBe(true)
  expect(selection.frame).toBeUndefined()
  await settled()
  expect(selection.frame).toBe(5)
  expect(selection.inPhysical(0x5000n, 0x1000n)).toBe(true)
  expect(selection.inPhysical(0x6000n, 0x1000n)).toBe(false)
  expect(selection.isEntry(0x3008n)).toBe(true)
  expect(selection.isEntry(0x3010n)).toBe(false)
})

test('what was picked before comes back, and what came after it until another is picked', async () => {
  const selection = useSelection()
  selection.choose('linear', 1n, 'hex')
  selection.choose('physical', 0x2000n, 'allocator', { length: 4096n })
  selection.choose('linear', 3n, 'code')
  expect(selection.can).toEqual({ back: true, forward: false })
  expect(selection.step(-1)?.panel).toBe('allocator')
  expect(selection.step(-1)?.address).toBe(1n)
  expect(selection.step(-1)).toBeUndefined()
  expect(selection.step(1)?.address).toBe(0x2000n)
  selection.choose('linear', 9n, 'tlb')
  expect(selection.can).toEqual({ back: true, forward: false })
  await settled()
  expect(selection.located?.linear).toEqual([9n])
})

test('a cursor that is moved is one pick, and the same pick twice too', () => {
  const selection = useSelection()
  selection.choose('linear', 1n, 'code')
  for (let i = 0; i < 5; i++) selection.choose('linear', BigInt(0x100 + i), 'hex', { moved: i > 0 })
  selection.choose('linear', 0x104n, 'hex')
  expect(selection.step(-1)?.address).toBe(1n)
  expect(selection.step(1)?.address).toBe(0x104n)
  expect(selection.can.forward).toBe(false)
})

test('an answer that comes too late is none', async () => {
  const selection = useSelection()
  let answer: (value: unknown) => void = () => {}
  locate.mockImplementationOnce(() => new Promise((done) => (answer = done as never)))
  selection.choose('linear', 1n, 'code')
  selection.choose('physical', 0x7000n, 'memory')
  await settled()
  answer({ linear: [1n], physical: 1n })
  await settled()
  expect(selection.frame).toBe(7)
})
