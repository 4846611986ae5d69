// Typing into memory over a bridge that is slow, or says no.
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Frame, HexView, Status } from '../../../../preload/bridge'
import { useDocument } from '../../stores/document'
import { useHex } from '../../stores/hex'
import { useMachine } from '../../stores/machine'
import HexPanel from '../HexPanel.vue'
import { TypedBytes } from './typed-bytes'

/** A bridge that answers when the test says so. */
function slowBridge() {
  const waiting: { at: string; bytes: number[]; answer: (error?: Error) => void }[] = []
  const call = vi.fn((name: string, ...args: unknown[]) => {
    if (name !== 'memory.write') return Promise.resolve(undefined)
    return new Promise<void>((resolve, reject) => {
      const [, at, bytes] = args as [string, string, Uint8Array]
      waiting.push({ at, bytes: [...bytes], answer: (error) => (error ? reject(error) : resolve()) })
    })
  })
  return { waiting, call }
}

const settle = () => new Promise((done) => setTimeout(done, 0))

test('bytes typed while a write is on its way go out together behind it, the last word counting', async () => {
  const memory = new Uint8Array(16)
  const writes: string[] = []
  let release = () => {}
  const typed = new TypedBytes(
    async (_space, at, bytes) => {
      await new Promise<void>((done) => {
        release = done
      })
      writes.push(`${at}: ${Buffer.from(bytes).toString('hex')}`)
      memory.set(bytes, Number(at))
    },
    () => expect.unreachable(),
  )
  let at = 0n
  for (const digit of 'c0de1234') if (typed.type('linear', at, Number.parseInt(digit, 16))) at++
  expect(at).toBe(4n)
  // One goes back and types a byte again, which is on its way already.
  for (const digit of 'ff') typed.type('linear', 0n, Number.parseInt(digit, 16))
  expect([0n, 1n, 2n, 3n].map((at) => typed.at('linear', at))).toEqual([0xff, 0xde, 0x12, 0x34])
  release()
  await settle()
  typed.seen()
  expect(typed.at('linear', 0n), 'the older write has come back').toBe(0xff)
  for (let i = 0; i < 2; i++) {
    release()
    await settle()
  }
  await typed.settled()
  typed.seen()
  expect(typed.pending).toBe(false)
  expect(writes).toEqual(['0: c0', '1: de1234', '0: ff'])
  expect([...memory.subarray(0, 4)]).toEqual([0xff, 0xde, 0x12, 0x34])
})

test('what cannot be written is told, and what follows is written all the same', async () => {
  const told: string[] = []
  const written: bigint[] = []
  const typed = new TypedBytes(
    async (_space, at) => {
      if (at === 0n) throw new Error('nothing is mapped at 0h')
      written.push(at)
    },
    (error) => told.push((error as Error).message),
  )
  for (const digit of '11') typed.type('linear', 0n, Number(digit))
  for (const digit of '22') typed.type('linear', 1n, Number(digit))
  await typed.settled()
  expect(told).toEqual(['nothing is mapped at 0h'])
  expect(written).toEqual([1n])
  expect(typed.at('linear', 0n), 'shows what is there').toBeUndefined()
})

let bridge: ReturnType<typeof slowBridge>
beforeEach(() => {
  bridge = slowBridge()
  window.ringside = { call: bridge.call as never, pathOf: () => '' }
  setActivePinia(createPinia())
})

const status = { state: 'paused', instructions: 5n, time: 0n, cpus: [{}] } as unknown as Status
const view = (at: bigint, bytes: Uint8Array): HexView => ({
  ...{ cpu: 0, space: 'linear', at, bytes, overlays: [] },
  kinds: new Uint8Array(bytes.length / 16).fill(1),
  physicalAt: Float64Array.from({ length: bytes.length / 16 }, (_, row) => Number(at) + 16 * row),
})

test('the panel: keys that come faster than the machine answers all count, the caret with them', async () => {
  const machine = useMachine()
  const memory = useHex()
  const panel = mount(HexPanel, {
    attachTo: document.body,
    global: { stubs: { PanelActions: true, AddressLink: true } },
  })
  const frame = (hex: HexView) => machine.apply({ sequence: 1, epoch: 1, status, hex } as Frame)
  frame(view(0n, new Uint8Array(32)))
  // Sent to an address that has not been looked at yet: the first keys come before its bytes.
  memory.look(0x5000n)
  const grid = panel.get('[data-testid="hex-grid"]')
  for (const key of ['Insert', ...'c0de', 'Escape', 'ArrowLeft']) await grid.trigger('keydown', { key })
  expect(memory.cursor).toBe(0x5001n)
  frame(view(0x5000n, new Uint8Array(32)))
  await nextTick()
  expect(panel.get('[data-testid="hex-said"]').text()).toContain('5001: de')
  expect(bridge.waiting.map(({ at }) => at)).toEqual(['5000'])
  bridge.waiting[0]!.answer()
  await settle()
  expect(bridge.waiting[1]).toMatchObject({ at: '5001', bytes: [0xde] })
  bridge.waiting[1]!.answer(new Error('the machine runs'))
  await settle()
  expect(useDocument().refusal).toBe('the machine runs')
  expect(panel.get('[data-testid="hex-said"]').text()).toContain('5001: 00')
  panel.unmount()
})
