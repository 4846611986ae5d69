import { expect, test } from 'vitest'
import { layoutFor } from './frame-layout'
import type { FromPainter, HeatOrder, ToPainter } from './heat-messages'
import { ThreadPainter } from './heat-thread'

/** A thread that is asked to paint, and answers when the test says so. */
function makeThread() {
  const orders: HeatOrder[] = []
  /** What the thread has of the shades, as heat.worker.ts keeps it. */
  let kept = new Uint8Array(0)
  const thread = {
    onmessage: null as ((event: MessageEvent<FromPainter>) => void) | null,
    ended: false,
    postMessage(message: ToPainter) {
      if (message.kind === 'canvas') return
      const { order } = message
      orders.push(order)
      if (kept.length !== order.total) kept = new Uint8Array(order.total)
      kept.set(order.values, order.first)
    },
    terminate() {
      thread.ended = true
    },
  }
  const answer = (data: FromPainter) => thread.onmessage?.({ data } as MessageEvent<FromPainter>)
  return { thread, orders, answer, kept: () => kept }
}

test('one picture at a time; what changed while it was painted comes with the next', () => {
  const { thread, orders, answer, kept } = makeThread()
  const heard: string[] = []
  const painter = new ThreadPainter(thread, {} as OffscreenCanvas, {
    ready: (kind) => heard.push(kind),
    painted: (ms) => heard.push(`painted ${ms}`),
    lost: () => heard.push('lost'),
  })
  const shades = new Uint8Array(256).fill(1)
  const layout = layoutFor('rows', 0, 256, 256, 64, 64)
  const paint = (changed?: [number, number], width = 64) => {
    const picture = { layout, shades, palette: new Uint32Array(256), background: 0 }
    painter.paint(changed ? { ...picture, changed } : picture, width, 64)
  }
  // All of it the first time, whatever is said to have changed.
  paint()
  expect(orders).toHaveLength(1)
  expect(orders[0]).toMatchObject({ total: 256, first: 0 })
  answer({ kind: 'ready', painter: 'WebGL' })

  shades[200] = 2
  paint([200, 200])
  shades[10] = 3
  paint([10, 10])
  paint(undefined, 32)
  expect(orders).toHaveLength(1)
  answer({ kind: 'painted', ms: 5 })
  expect(orders).toHaveLength(2)
  expect(orders[1]).toMatchObject({ first: 10, width: 32 })
  expect(orders[1]!.values).toHaveLength(191)
  expect([...kept()]).toEqual([...shades])
  answer({ kind: 'painted', ms: 6 })
  expect(orders).toHaveLength(2)

  // A picture of the same shades needs none of them.
  paint()
  expect(orders[2]!.values).toHaveLength(0)
  // Another machine has other memory.
  answer({ kind: 'painted', ms: 7 })
  const larger = new Uint8Array(512).fill(4)
  painter.paint(
    { layout, shades: larger, palette: new Uint32Array(256), background: 0, changed: [3, 3] },
    64,
    64,
  )
  expect([...kept()]).toEqual([...larger])
  answer({ kind: 'lost' })
  expect(heard).toEqual(['WebGL', 'painted 5', 'painted 6', 'painted 7', 'lost'])
  painter.dispose()
  expect(thread.ended).toBe(true)
})
