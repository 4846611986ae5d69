import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from '../../preload/bridge'
import { FRAME_TIME, FramePusher, type PusherHost } from './frame-pusher'
import type { Source } from './source'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function setUp({ live = true, visible = true, answers = true, interval = 0 } = {}) {
  const frames: Frame[] = []
  let value = 0
  const source: Source<'climb'> = {
    part: 'climb',
    interval,
    wanted: () => true,
    take: () => [{ id: value++ } as never],
    forget: vi.fn(),
  }
  const host: PusherHost = {
    live: () => live,
    visible: () => visible,
    epoch: () => 0,
    now: () => Date.now(),
    send: (frame) => {
      frames.push(frame)
      if (answers) pusher.drawn(frame.sequence)
    },
  }
  const pusher = new FramePusher(host, [source])
  return { pusher, frames, source }
}

test('at most one frame per display frame', () => {
  const { pusher, frames } = setUp()
  pusher.kick()
  vi.advanceTimersByTime(1000)
  expect(frames.length).toBeGreaterThan(40)
  expect(frames.length).toBeLessThanOrEqual(Math.ceil(1000 / FRAME_TIME) + 1)
})

test('a page that does not draw gets no more, but is not forgotten', () => {
  const { pusher, frames } = setUp({ answers: false })
  pusher.kick()
  vi.advanceTimersByTime(900)
  // One to draw, and one on its way.
  expect(frames).toHaveLength(2)
  vi.advanceTimersByTime(2000)
  expect(frames.length).toBeLessThanOrEqual(5)
  expect(frames.length).toBeGreaterThan(2)
})

test('nothing goes to a window that nobody sees, or of a machine between two power-ons', () => {
  const hidden = setUp({ visible: false })
  hidden.pusher.kick()
  vi.advanceTimersByTime(500)
  expect(hidden.frames).toHaveLength(0)
  const between = setUp()
  between.pusher.suspend()
  between.pusher.kick()
  vi.advanceTimersByTime(500)
  expect(between.frames).toHaveLength(0)
  between.pusher.restart()
  vi.advanceTimersByTime(50)
  expect(between.frames.length).toBeGreaterThan(0)
})

test('a machine at rest is looked at once per kick, and slow parts keep their pace', () => {
  const still = setUp({ live: false })
  still.pusher.kick()
  vi.advanceTimersByTime(1000)
  expect(still.frames).toHaveLength(1)
  const slow = setUp({ interval: 100 })
  slow.pusher.kick()
  vi.advanceTimersByTime(1000)
  expect(slow.frames.length).toBeGreaterThan(7)
  expect(slow.frames.length).toBeLessThanOrEqual(11)
})
