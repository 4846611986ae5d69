import { expect, test, vi } from 'vitest'
import { WorkList } from './work-list'

test('shows what takes longer than half a second, and stops what the user does not want', () => {
  let now = 0
  const changed = vi.fn()
  const list = new WorkList(changed, () => now)
  const stop = vi.fn()
  const work = list.begin('Reading', stop)
  const other = list.begin('Looking', vi.fn())
  expect(list.shown()).toEqual([])
  now = 499
  work.progress(0.25)
  expect(list.shown()).toEqual([])
  now = 500
  expect(list.shown().map(({ title, done }) => [title, done])).toEqual([
    ['Reading', 0.25],
    ['Looking', 0],
  ])
  list.cancel(list.shown()[0]!.id)
  expect(stop).toHaveBeenCalledOnce()
  const { id } = list.shown()[0]!
  work.end()
  list.cancel(id)
  expect(stop).toHaveBeenCalledOnce()
  expect(list.shown().map(({ title }) => title)).toEqual(['Looking'])
  other.end()
  expect(list.shown()).toEqual([])
  expect(changed).toHaveBeenCalledTimes(3)
})
