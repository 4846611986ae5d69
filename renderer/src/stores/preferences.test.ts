// Choices that come faster than the main process answers, and one that it does not take.
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Preferences } from '../../../preload/bridge'
import { receiveEvents } from '../bridge'
import { usePreferences } from './preferences'

const first: Preferences = {
  ...({ theme: 'system', textSize: 100, motion: 'system', sound: true, shell: 'ask' } as const),
  ...{ symbolsBeside: true, lensBeside: true },
  machine: { memory: 256 * 2 ** 20, cpus: 1, cpu: 'v3', schedule: 'deterministic' },
}

let answers: ((error?: Error) => void)[] = []
let sent: Preferences[] = []
const channel = new MessageChannel()
receiveEvents()
window.dispatchEvent(
  new MessageEvent('message', {
    data: 'ringside.events',
    source: window as never,
    ports: [channel.port1] as never,
  }),
)
const tell = async (value: Preferences) => {
  channel.port2.postMessage({ name: 'preferences', value })
  await new Promise((done) => setTimeout(done, 20))
}

beforeEach(() => {
  answers = []
  sent = []
  const call = vi.fn((_name: string, value: Preferences) => {
    sent.push(value)
    return new Promise((resolve, reject) => {
      answers.push((error) => (error ? reject(error) : resolve(value)))
    })
  })
  window.ringside = { call: call as never, pathOf: () => '' }
  setActivePinia(createPinia())
})

test('a choice does not undo the one before it', async () => {
  const preferences = usePreferences()
  await tell(first)
  void preferences.change({ theme: 'dark' })
  void preferences.change({ textSize: 125 })
  expect(sent[1]).toMatchObject({ theme: 'dark', textSize: 125 })
  // The answer to the first one comes while the second is on its way.
  answers[0]!()
  await tell({ ...first, theme: 'dark' })
  expect(preferences.value).toMatchObject({ theme: 'dark', textSize: 125 })
  await tell({ ...first, theme: 'dark', textSize: 125 })
  answers[1]!()
  await new Promise((done) => setTimeout(done, 0))
  expect(preferences.value).toMatchObject({ theme: 'dark', textSize: 125 })
})

test('what is not taken is told, and shown as it was', async () => {
  const preferences = usePreferences()
  await tell(first)
  void preferences.change({ machine: { ...first.machine, cpus: 99 } })
  answers[0]!(new Error('cpus must be a whole number from 1 to 16'))
  await new Promise((done) => setTimeout(done, 0))
  expect(preferences.problem).toContain('1 to 16')
  expect(preferences.value?.machine.cpus).toBe(1)
})
