// Frames in, what the panels show out. The bridge is a port that the test holds the other end of.
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test, vi } from 'vitest'
import type { CpuSnapshot, Frame, Status } from '../../../preload/bridge'
import type { ChunkSink } from '../lib/chunk-queue'
import { useFrames } from './frames'
import { useMachine } from './machine'
import { useScreen } from './screen'
import { useInterest } from './interest'
import { useSerial } from './serial'

beforeEach(() => {
  window.ringside = { call: vi.fn().mockResolvedValue(undefined), pathOf: () => '' }
  setActivePinia(createPinia())
})

const status = (state: Status['state'], more: Partial<Status> = {}): Status => ({
  state,
  instructions: 0n,
  time: 0n,
  mips: 0,
  sent: 0,
  received: 0,
  ports: [0, 0, 0, 0],
  devices: [undefined, undefined, undefined, undefined],
  shell: 'none',
  mediumTroubles: [],
  cpus: [{ ring: 0, activity: 'running' }],
  schedule: 'deterministic',
  removable: [],
  leds: 0,
  work: [],
  ...more,
})
const cpu = (instructions: bigint, rip: bigint) => ({ instructions, rip }) as CpuSnapshot
let sequence = 0
const frame = (parts: Partial<Frame>): Frame => ({ sequence: ++sequence, epoch: 0, ...parts })

test('changed is what differs from the rest before, and while running from the last rest', () => {
  const machine = useMachine()
  machine.apply(frame({ status: status('running'), cpu: cpu(10n, 1n) }))
  expect(machine.before).toBeUndefined()
  machine.apply(frame({ status: status('paused'), cpu: cpu(20n, 2n) }))
  expect(machine.before).toBeUndefined()
  machine.apply(frame({ cpu: cpu(21n, 3n) }))
  expect(machine.before?.instructions).toBe(20n)
  machine.apply(frame({ cpu: cpu(22n, 4n) }))
  expect(machine.before?.instructions).toBe(21n)
  machine.apply(frame({ status: status('running'), cpu: cpu(500n, 9n) }))
  expect(machine.before?.instructions).toBe(22n)
})

test('a stop that brings no new registers still counts as a rest', () => {
  const machine = useMachine()
  machine.apply(frame({ status: status('running'), cpu: cpu(10n, 1n) }))
  machine.apply(frame({ status: status('paused') }))
  machine.apply(frame({ cpu: cpu(11n, 2n) }))
  expect(machine.before?.instructions).toBe(10n)
})

test('a new power-on forgets everything of the one before', () => {
  const machine = useMachine()
  const sink: ChunkSink = { write: vi.fn(), clear: vi.fn() }
  useSerial().attach(sink)
  machine.apply(
    frame({
      status: status('running'),
      cpu: cpu(10n, 1n),
      frames: { kind: 'all', flags: new Uint8Array(4) },
    }),
  )
  machine.apply({ ...frame({ status: status('running') }), epoch: 1 })
  expect(sink.clear).toHaveBeenCalled()
  expect(machine.cpu).toBeUndefined()
  expect(useFrames().flags).toBeUndefined()
})

test('output waits for the console', () => {
  const machine = useMachine()
  const chunk = { port: 0, start: 0, skipped: 0, bytes: new Uint8Array([65]) }
  machine.apply(frame({ serial: chunk }))
  const sink: ChunkSink = { write: vi.fn(), clear: vi.fn() }
  useSerial().attach(sink)
  expect(sink.write).toHaveBeenCalledWith(chunk, expect.any(Function))
  // Of a port that is not shown, and then of one that is: told from its beginning.
  machine.apply(frame({ serial: { ...chunk, port: 2 } }))
  expect(sink.write).toHaveBeenCalledTimes(1)
  useSerial().show(2)
  expect(useInterest().interest.serial).toBe(false)
  expect(sink.clear).toHaveBeenCalled()
  machine.apply(frame({ serial: { ...chunk, port: 2 } }))
  expect(sink.write).toHaveBeenCalledTimes(2)
})

test('frames of memory take changes in place', () => {
  const frames = useFrames()
  frames.apply({ kind: 'all', flags: new Uint8Array(4) })
  const before = frames.version
  frames.apply({ kind: 'changed', frames: Uint32Array.of(2), flags: Uint8Array.of(6) })
  expect([...(frames.flags ?? [])]).toEqual([0, 0, 6, 0])
  expect(frames.version).toBeGreaterThan(before)
  expect([...frames.changes().keys()]).toEqual([2])
})

test('a screen keeps its fonts until others come', () => {
  const screen = useScreen()
  const fonts = { font: new Uint8Array(1), font2: new Uint8Array(2) }
  const text = {
    kind: 'text' as const,
    columns: 2,
    rows: 1,
    cells: Uint8Array.from([0x48, 7, 0x69, 7]),
    cellHeight: 16,
    cellWidth: 9 as const,
    lineGraphics: true,
    underline: 31,
    blink: true,
    cursor: { visible: true, column: 0, row: 0, start: 0, end: 1 },
    palette: new Uint8Array(48),
  }
  screen.apply(text)
  expect(screen.picture).toBeUndefined()
  screen.apply({ ...text, fonts })
  screen.apply({ kind: 'blank' })
  screen.apply({ ...text })
  expect(screen.picture).toMatchObject(fonts)
  expect(screen.lines).toEqual(['Hi'])
})

test('long input goes to COM1 in pieces', () => {
  useSerial().type('x'.repeat(150_000))
  const pieces = vi
    .mocked(window.ringside.call)
    .mock.calls.map(([, , text]) => (text as unknown as string).length)
  expect(pieces).toEqual([65_536, 65_536, 18_928])
})
