import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const OBF = 0x01
const FRAME = 20_000
const A = 0x1c // set 2 make code

const command = (value: number) => core.out8(0x64, value)
const data = (value: number) => core.out8(0x60, value)
const commandByte = (value: number) => {
  command(0x60)
  data(value)
}
const status = () => core.in8(0x64)
const key = (value: number) => core.deliver(L.INPUT_KIND_KEY, value)
/** Bytes that arrive as long as frames follow each other; the translation takes the prefix of a break code away. */
const arriving = () => {
  const bytes: number[] = []
  for (let idle = 0; idle < 2; idle++) {
    core.advance(FRAME)
    if ((status() & OBF) === 0) continue
    bytes.push(core.in8(0x60))
    idle = -1
  }
  return bytes
}
const keyboard = (...bytes: number[]) =>
  bytes.flatMap((byte) => {
    data(byte)
    return arriving()
  })

beforeEach(() => {
  core.reset()
  core.initialisePic()
  commandByte(0x65) // as firmware leaves it: translation, IRQ 1
})

describe('controller', () => {
  test('self test and interface tests', () => {
    command(0xaa)
    expect(status() & OBF).toBe(OBF)
    expect(core.in8(0x60)).toBe(0x55)
    for (const test of [0xab, 0xa9]) {
      command(test)
      expect(core.in8(0x60)).toBe(0)
    }
  })

  test('status: command/data bit, system flag, never busy', () => {
    command(0xae)
    expect(status()).toBe(0x1c)
    data(0xee)
    expect(status() & 0x0a).toBe(0)
  })

  test('command byte and RAM read back', () => {
    command(0x20)
    expect(core.in8(0x60)).toBe(0x65)
    command(0x6a)
    data(0x99)
    command(0x2a)
    expect(core.in8(0x60)).toBe(0x99)
    command(0xad)
    command(0x20)
    expect(core.in8(0x60)).toBe(0x75)
  })

  test('IRQ 1 follows the output buffer if the command byte allows it', () => {
    command(0xd2)
    data(0x7e)
    expect(core.acknowledge()).toBe(0x21)
    core.out8(0x20, 0x20)
    expect(core.in8(0x60)).toBe(0x7e)
    commandByte(0x64)
    command(0xd2)
    data(0x7e)
    expect(core.intr).toBe(false)
    expect(status() & OBF).toBe(OBF)
  })

  test('the output buffer stays readable; a reply waits for it to be read', () => {
    command(0xd2)
    data(0x11)
    command(0xaa)
    expect([core.in8(0x60), core.in8(0x60), core.in8(0x60)]).toEqual([0x11, 0x55, 0x55])
    expect(status() & OBF).toBe(0)
  })

  test('second port: IRQ 12 and the AUX bit', () => {
    commandByte(0x47)
    command(0xd3)
    data(0x5a)
    expect(status() & 0x21).toBe(0x21)
    expect(core.acknowledge()).toBe(0x2c)
    expect(core.in8(0x60)).toBe(0x5a)
  })
})

describe('A20 and reset', () => {
  const a20 = () => core.header32(L.HDR_A20)
  const milestone = () => core.u32[(L.MILESTONES + L.CLIMB_A20 * L.MILESTONE_SIZE + L.MILESTONE_REACHED) / 4]

  beforeEach(() => core.u8.fill(0, L.MILESTONES, L.CLIMB_NOTES_END))

  test('open at power-on, closed by port 92h, opened by either gate, closed by both', () => {
    expect(a20()).toBe(1)
    core.out8(0x92, 0)
    expect([a20(), milestone()]).toEqual([0, 0])
    core.out8(0x92, 2)
    expect([a20(), milestone(), core.in8(0x92)]).toEqual([1, 1, 2])
    command(0xd1)
    data(0xdf)
    core.out8(0x92, 0)
    expect(a20()).toBe(1)
    command(0xd0)
    expect(core.in8(0x60) & 2).toBe(2)
    command(0xd1)
    data(0xdd)
    expect(a20()).toBe(0)
    command(0xdf)
    expect(a20()).toBe(1)
    command(0xdd)
    expect(a20()).toBe(0)
  })

  test.each([
    ['8042 pulse', () => command(0xfe), L.RESET_CPU],
    [
      '8042 output port',
      () => {
        command(0xd1)
        data(0xde)
      },
      L.RESET_CPU,
    ],
    ['port 92h', () => core.out8(0x92, 3), L.RESET_CPU],
    ['CF9h, processor', () => core.out8(0xcf9, 4), L.RESET_CPU],
    ['CF9h, system', () => core.out8(0xcf9, 6), L.RESET_SYSTEM],
  ])('%s', (_, pull, kind) => {
    command(0xf1) // pulses other lines
    core.out8(0xcf9, 2)
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(L.RESET_NONE)
    pull()
    expect(core.header32(L.HDR_RESET_REQUEST)).toBe(kind)
  })
})

describe('keyboard', () => {
  test('a key makes IRQ 1 after a frame, translated to set 1', () => {
    key(A)
    expect(core.intr).toBe(false)
    core.advance(FRAME)
    expect(core.acknowledge()).toBe(0x21)
    expect(core.in8(0x60)).toBe(0x1e)
    core.out8(0x20, 0x20)
    key(A | L.KEY_RELEASE)
    expect(arriving()).toEqual([0x9e])
  })

  // Make and break of set 1 (translated), set 2, set 3, from the Keyboard Scan Code Specification
  const E0 = L.KEY_E0
  const pause = L.KEY_PAUSE | 0x77
  const print = L.KEY_PRINT_SCREEN | L.KEY_E0 | 0x7c
  test.each([
    ['A', A, [0x1e], [0x9e], [0x1c], [0xf0, 0x1c], [0x1c], []],
    ['Escape', 0x76, [0x01], [0x81], [0x76], [0xf0, 0x76], [0x08], []],
    ['F7', 0x83, [0x41], [0xc1], [0x83], [0xf0, 0x83], [0x37], []],
    ['left Ctrl', 0x14, [0x1d], [0x9d], [0x14], [0xf0, 0x14], [0x11], [0xf0, 0x11]],
    ['Enter', 0x5a, [0x1c], [0x9c], [0x5a], [0xf0, 0x5a], [0x5a], []],
    ['up', E0 | 0x75, [0xe0, 0x48], [0xe0, 0xc8], [0xe0, 0x75], [0xe0, 0xf0, 0x75], [0x63], []],
    ['right Alt', E0 | 0x11, [0xe0, 0x38], [0xe0, 0xb8], [0xe0, 0x11], [0xe0, 0xf0, 0x11], [0x39], []],
    [
      'Pause',
      pause,
      [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5],
      [],
      [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77],
      [],
      [0x62],
      [],
    ],
    [
      'Print Screen',
      print,
      [0xe0, 0x2a, 0xe0, 0x37],
      [0xe0, 0xb7, 0xe0, 0xaa],
      [0xe0, 0x12, 0xe0, 0x7c],
      [0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12],
      [0x57],
      [],
    ],
  ])('%s in all sets', (_, code, make1, break1, make2, break2, make3, break3) => {
    const press = () => {
      key(code)
      const made = arriving()
      key(code | L.KEY_RELEASE)
      return [made, arriving()]
    }
    expect(press()).toEqual([make1, break1])
    commandByte(0x25) // no translation
    expect(press()).toEqual([make2, break2])
    keyboard(0xf0, 0x01)
    expect(press()).toEqual([make1, break1])
    keyboard(0xf0, 0x03)
    expect(press()).toEqual([make3, break3])
  })

  test('commands', () => {
    commandByte(0x25)
    expect(keyboard(0xee)).toEqual([0xee])
    expect(keyboard(0xf2)).toEqual([0xfa, 0xab, 0x83])
    expect(keyboard(0xed, 0x07)).toEqual([0xfa, 0xfa])
    expect(keyboard(0xf3, 0x00)).toEqual([0xfa, 0xfa])
    expect(keyboard(0xf0, 0x00)).toEqual([0xfa, 0xfa, 0x02])
    expect(keyboard(0xff)).toEqual([0xfa, 0xaa])
    expect(keyboard(0x00)).toEqual([0xfe])
    expect(keyboard(0xfe)).toEqual([0xaa])
    expect(keyboard(0xed, 0xf4)).toEqual([0xfa, 0xfa]) // a command in place of the parameter
  })

  test('the ID comes translated when translation is on', () => {
    expect(keyboard(0xf2)).toEqual([0xfa, 0xab, 0x41])
  })

  test('disabled, it does not scan; a byte to the keyboard opens a disabled interface', () => {
    keyboard(0xf5)
    key(A)
    expect(arriving()).toEqual([])
    command(0xad)
    expect(keyboard(0xf4)).toEqual([0xfa])
    key(A)
    expect(arriving()).toEqual([0x1e])
  })

  test('while its interface is off bytes wait', () => {
    command(0xad)
    key(A)
    expect(arriving()).toEqual([])
    command(0xae)
    expect(arriving()).toEqual([0x1e])
  })

  test('a held key repeats after half a second, 10.9 times a second, until it is released', () => {
    key(A)
    expect(arriving()).toEqual([0x1e])
    expect(key(A)).toBe(true) // the host's own repeat is not a second press
    expect(arriving()).toEqual([])
    const started = core.time
    const times: number[] = []
    while (times.length < 12) {
      core.skipToDeadline()
      if ((status() & OBF) === 0) continue
      expect(core.in8(0x60)).toBe(0x1e)
      times.push(core.time)
    }
    expect((times[0]! - started) / 1e9).toBeCloseTo(0.5, 2)
    expect(11e9 / (times[11]! - times[0]!)).toBeCloseTo(10.9, 0)
    key(A | L.KEY_RELEASE)
    expect(arriving()).toEqual([0x9e])
    expect(core.untilDeadline).toBeUndefined()
  })

  test('typematic rate and delay can be set', () => {
    keyboard(0xf3, 0x00) // 250 ms, 30 a second
    key(A)
    arriving()
    const started = core.time
    const times: number[] = []
    while (times.length < 31) {
      core.skipToDeadline()
      if ((status() & OBF) === 0) continue
      core.in8(0x60)
      times.push(core.time)
    }
    expect((times[0]! - started) / 1e9).toBeCloseTo(0.25, 2)
    expect(30e9 / (times[30]! - times[0]!)).toBeCloseTo(30, 0)
  })

  test('a system that reads loses nothing, one that does not listen loses keys but never blocks', () => {
    for (let i = 0; i < 50; i++) expect(key(i % 2 ? A | L.KEY_RELEASE : A)).toBe(true)
    let bytes = arriving()
    expect(bytes.length).toBeLessThan(20)
    const sent = [0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45].flatMap((make) => [
      make,
      make | L.KEY_RELEASE,
    ])
    bytes = []
    for (const code of sent) {
      while (!key(code)) {
        core.advance(FRAME)
        if (status() & OBF) bytes.push(core.in8(0x60))
      }
    }
    bytes.push(...arriving())
    expect(bytes).toEqual([
      0x02, 0x82, 0x03, 0x83, 0x04, 0x84, 0x05, 0x85, 0x06, 0x86, 0x07, 0x87, 0x08, 0x88, 0x09, 0x89, 0x0a,
      0x8a, 0x0b, 0x8b,
    ])
  })
})
