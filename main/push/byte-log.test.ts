import { expect, test } from 'vitest'
import { ByteLog, CHUNK_MAX, LOG_CAPACITY } from './byte-log'
import { SerialSource } from './serial-source'
import { ShellSource } from './shell-source'

test('a log keeps the last part, in order, and counts what was lost', () => {
  const log = new ByteLog()
  const all = Uint8Array.from({ length: LOG_CAPACITY + 1000 }, (_, i) => (i * 7) & 0xff)
  for (let at = 0; at < all.length; at += 77_777) log.append(all.subarray(at, at + 77_777))
  const first = log.take()!
  expect(first.skipped).toBe(1000)
  expect(first.start).toBe(1000)
  expect(first.bytes).toHaveLength(CHUNK_MAX)
  const parts = [first.bytes]
  for (let chunk = log.take(); chunk; chunk = log.take()) {
    expect(chunk.skipped).toBe(0)
    parts.push(chunk.bytes)
  }
  expect(Buffer.compare(Buffer.concat(parts), all.subarray(1000))).toBe(0)
  log.rewind()
  expect(log.take()?.start).toBe(1000)
  log.clear()
  expect(log.take()).toBeUndefined()
})

test('the console tells the port that is shown, each from its beginning', () => {
  let port: number | undefined = 0
  const source = new SerialSource(() => port)
  const text = () => Buffer.from(source.take()?.bytes ?? []).toString()
  source.append(0, Buffer.from('one'))
  source.append(3, Buffer.from('four'))
  source.append(9, Buffer.from('there is no such port'))
  expect(text()).toBe('one')
  expect(source.pending).toBe(false)
  port = 3
  expect(source.pending).toBe(true)
  expect(source.take()).toMatchObject({ port: 3, start: 0, skipped: 0 })
  port = 0
  expect(text()).toBe('one')
  port = undefined
  expect(source.wanted()).toBe(false)
  expect(source.take()).toBeUndefined()
  expect([0, 1, 2, 3].map((port) => source.total(port))).toEqual([3, 0, 0, 4])
})

test('a shell waits while the page is behind, and nothing of what it prints is lost', () => {
  const flow: boolean[] = []
  const source = new ShellSource(
    () => true,
    (go) => flow.push(go),
  )
  const block = new Uint8Array(1 << 16)
  for (let i = 0; i < 5; i++) source.append(block)
  expect(flow).toEqual([false])
  let taken = 0
  while (source.pending) taken += source.take()!.bytes.length
  expect(taken).toBe(5 << 16)
  expect(flow).toEqual([false, true])
})
