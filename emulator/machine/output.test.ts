import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import * as L from '../core/layout'
import { createMemory, type MachineMemory } from './memory'
import { OutputDrain } from './output'

/** What the core's outputByte does, on a thread of its own: `count` bytes into ring `ring`, value i * 31. */
const PRODUCER = `
const { workerData: { buffer, header, at, L, count }, parentPort } = require('node:worker_threads')
const words = new Int32Array(buffer), bytes = new Uint8Array(buffer)
const write = (at + L.RING_WRITE) >> 2, read = (at + L.RING_READ) >> 2, wake = (header + L.HDR_HOST_WAKE) >> 2
const wakeHost = () => { if (Atomics.exchange(words, wake, 1) === 0) parentPort.postMessage('wake') }
for (let i = 0; i < count; i++) {
  for (;;) {
    const seen = Atomics.load(words, read)
    if (((i - seen) >>> 0) < L.RING_CAPACITY) break
    wakeHost()
    Atomics.wait(words, read, seen, 20)
  }
  bytes[at + L.RING_DATA + (i & (L.RING_CAPACITY - 1))] = i * 31
  Atomics.store(words, write, i + 1)
  wakeHost()
}
parentPort.postMessage('done')
`

function produce(
  memory: MachineMemory,
  ring: number,
  count: number,
  drain: () => OutputDrain,
): Promise<void> {
  const constants = { RING_WRITE: L.RING_WRITE, RING_READ: L.RING_READ, RING_DATA: L.RING_DATA }
  const worker = new Worker(PRODUCER, {
    eval: true,
    workerData: {
      buffer: memory.wasm.buffer,
      header: L.HEADER,
      at: L.OUTPUT_RINGS + ring * L.OUTPUT_RING_STRIDE,
      L: { ...constants, RING_CAPACITY: L.RING_CAPACITY, HDR_HOST_WAKE: L.HDR_HOST_WAKE },
      count,
    },
  })
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message) => (message === 'done' ? resolve() : drain().wake()))
  })
}

test('millions of bytes arrive complete and in order', async () => {
  const memory = createMemory(2 ** 20, 1)
  const count = 5_000_000
  let next = 0
  let wrong = 0
  const drain: OutputDrain = new OutputDrain(memory, (ring, bytes) => {
    expect(ring).toBe(L.RING_COM1)
    for (const byte of bytes) if (byte !== ((next++ * 31) & 0xff)) wrong++
  })
  await produce(memory, L.RING_COM1, count, () => drain)
  await drain.delivered()
  expect({ next, wrong }).toEqual({ next: count, wrong: 0 })
})

test('a listener that is slow holds up its own port only, and loses nothing', async () => {
  const memory = createMemory(2 ** 20, 1)
  const seen = [0, 0]
  let busy = false
  let mostAtOnce = 0
  const drain: OutputDrain = new OutputDrain(memory, (ring, bytes) => {
    seen[ring]! += bytes.length
    mostAtOnce = Math.max(mostAtOnce, bytes.length)
    if (ring !== L.RING_COM1) return
    expect(busy).toBe(false)
    busy = true
    return new Promise((resolve) =>
      setTimeout(() => {
        busy = false
        resolve()
      }, 20),
    )
  })
  await Promise.all([
    produce(memory, L.RING_COM1, 200_000, () => drain),
    produce(memory, L.RING_COM2, 200_000, () => drain),
  ])
  await drain.delivered()
  expect(seen).toEqual([200_000, 200_000])
  expect(mostAtOnce).toBeLessThanOrEqual(L.RING_CAPACITY)
})
