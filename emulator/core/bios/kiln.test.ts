// Kiln, the game among the samples, played a little: what it does with keyboard, timer, speaker and screen.
import { expect, test } from 'vitest'
import { MachineMemory } from '../../machine/memory'
import { screenSnapshot } from '../../machine/screen'
import { SpeakerLog, toneOf } from '../../machine/speaker'
import * as L from '../layout'
import { FirmwareMachine, guestImage } from '../testing/firmware'

// Variables of assets/guests/kiln/kiln.asm
const STATE = 0x600
const SCORE = 0x602
const LIVES = 0x606
const LEFT = 0x60a
const BAT = 0x60c
const COUNT = 0x60e
const FRAMES = 0x610
const DEMO = 0x612
const IDLE = 0x638
const [TITLE, SERVE, PLAY] = [0, 1, 2]

const SPACE = 0x29
const RIGHT = L.KEY_E0 | 0x74
const PAUSE = 0x4d
const MUTE = 0x3a
const up = L.KEY_RELEASE

const SECOND = 1_000_000_000

function start() {
  const machine = new FirmwareMachine({ drives: { [L.DRIVE_ATA0]: { content: guestImage('kiln/kiln') } } })
  machine.run(SECOND)
  expect([machine.read8(0x449), machine.read16(STATE)]).toEqual([0x13, TITLE])
  const memory = new MachineMemory(machine.memory)
  const picture = () => {
    const screen = screenSnapshot(memory)
    if (screen.kind !== 'indexed') throw new Error(`a screen of kind ${screen.kind}`)
    return screen
  }
  return { machine, picture, log: new SpeakerLog(memory) }
}

test('a fire at the title, a tune, sixty pictures a second, and the BIOS keeps its time', () => {
  const { machine, picture, log } = start()
  const [frames, ticks] = [machine.read16(FRAMES), machine.read16(0x46c)]
  const before = picture()
  expect([before.width, before.height]).toEqual([320, 200])
  machine.run(2 * SECOND)
  expect(machine.read16(FRAMES) - frames).toBeGreaterThanOrEqual(118)
  expect(machine.read16(FRAMES) - frames).toBeLessThanOrEqual(122)
  expect(Math.abs(machine.read16(0x46c) - ticks - 36)).toBeLessThanOrEqual(1)
  const tones = log.take().flatMap((change) => toneOf(change) ?? [])
  expect(tones.length).toBeGreaterThan(10)
  expect(tones.map(Math.round)).toContain(440)
  const after = picture()
  const burning = (row: number) => {
    let changed = 0
    for (let x = 0; x < 320; x++) if (before.pixels[row * 320 + x] !== after.pixels[row * 320 + x]) changed++
    return changed
  }
  expect(burning(190)).toBeGreaterThan(100)
  expect(burning(20)).toBe(0)
})

test('served, played, paused and muted', () => {
  const { machine, picture, log } = start()
  machine.keys(SPACE, SPACE | up)
  machine.run(SECOND / 10)
  expect([machine.read16(STATE), machine.read16(LEFT), machine.read16(LIVES)]).toEqual([SERVE, 84, 3])
  // Bricks of six glazes, each a row
  const row = (y: number) => picture().pixels.subarray(y * 320, (y + 1) * 320)
  expect([0, 1, 2, 3, 4, 5].map((n) => row(36 + 9 * n + 3)[20])).toEqual([81, 85, 89, 93, 97, 101])
  const bat = machine.read16(BAT)
  machine.queueKey(RIGHT)
  machine.run(SECOND / 5)
  machine.keys(RIGHT | up)
  // Five dots a picture
  expect(Math.abs(machine.read16(BAT) - bat - 60)).toBeLessThanOrEqual(10)
  expect((machine.read16(BAT) - bat) % 5).toBe(0)
  machine.keys(SPACE, SPACE | up)
  expect(machine.read16(STATE)).toBe(PLAY)
  log.skip()
  machine.run(2 * SECOND, () => machine.read32(SCORE) > 0)
  expect(machine.read32(SCORE)).toBeGreaterThan(0)
  expect(machine.read16(LEFT)).toBeLessThan(84)
  machine.run(SECOND / 50)
  expect(log.take().some((change) => toneOf(change) !== undefined)).toBe(true)
  machine.keys(PAUSE, PAUSE | up)
  machine.run(SECOND / 10)
  const still = picture().pixels
  machine.run(SECOND / 2)
  expect(Buffer.compare(picture().pixels, still)).toBe(0)
  machine.keys(PAUSE, PAUSE | up, MUTE, MUTE | up)
  machine.run(SECOND / 4)
  log.skip()
  machine.run(3 * SECOND)
  expect(log.take().filter((change) => toneOf(change) !== undefined)).toEqual([])
})

test('left alone it plays by itself, and does not miss', () => {
  const { machine } = start()
  machine.write(IDLE, [0xff, 0x7f])
  machine.run(8 * SECOND)
  expect([machine.read16(DEMO), machine.read16(LIVES)]).toEqual([1, 3])
  expect(machine.read32(SCORE)).toBeGreaterThan(100)
  expect(machine.read16(COUNT)).toBeGreaterThanOrEqual(1)
})
