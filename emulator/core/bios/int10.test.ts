// INT 10h beyond what the survey against SeaBIOS covers: strings, windows, fonts, pages, graphics text, nonsense.
import { beforeEach, describe, expect, test } from 'vitest'
import { MachineMemory } from '../../machine/memory'
import { SpeakerLog, toneOf } from '../../machine/speaker'
import { FirmwareMachine } from '../testing/firmware'

let machine: FirmwareMachine
beforeEach(() => {
  machine = new FirmwareMachine().boot()
  machine.call(0x10, { ax: 3 })
})
const int10 = (ax: number, rest = {}) => machine.call(0x10, { ax, ...rest })
const pixel = (x: number, y: number) => int10(0x0d00, { cx: x, dx: y }).al
function type(text: string) {
  for (const c of text) int10(0x0e00 | c.charCodeAt(0), { bx: 7 })
}

test('teletype: lines, backspace, the end of a row, scrolling', () => {
  type('one\r\ntwo\b\bw\r\n')
  type('x'.repeat(82))
  expect(machine.screen).toBe(`one\ntwo\n${'x'.repeat(80)}\nxx`)
  type('\r\n'.repeat(22))
  expect(machine.screen).toBe(`two\n${'x'.repeat(80)}\nxx`)
  expect(int10(0x0300).dx).toBe(0x1800)
})

test('strings, with and without attributes', () => {
  machine.write(0x600, Buffer.from('Hello'))
  int10(0x1301, { bx: 0x1e, cx: 5, dx: 0x0203, es: 0x60, bp: 0 })
  expect(machine.cell(2, 3)).toBe(0x1e48)
  expect(int10(0x0300).dx).toBe(0x0208)
  machine.write(0x600, [0x41, 0x70, 0x42, 0x0c])
  int10(0x1302, { cx: 2, dx: 0x0400, es: 0x60 })
  expect([machine.cell(4, 0), machine.cell(4, 1)]).toEqual([0x7041, 0x0c42])
  expect(int10(0x0300).dx).toBe(0x0208)
})

test('scrolling a window leaves what is outside alone', () => {
  for (let row = 0; row < 4; row++) {
    int10(0x0200, { dx: row << 8 })
    type(`abcd${row}`)
  }
  int10(0x0601, { bx: 0x4f00, cx: 0x0101, dx: 0x0202 })
  expect(machine.screen).toBe('abcd0\nabcd1\na  d2\nabcd3')
  expect(machine.cell(2, 1)).toBe(0x4f20)
  int10(0x0702, { bx: 0x0700, cx: 0x0000, dx: 0xffff })
  expect(machine.screen).toBe('\n\nabcd0\nabcd1\na  d2\nabcd3')
  int10(0x0600, { bx: 0x1700, cx: 0, dx: 0x184f })
  expect(machine.screen).toBe('')
  expect(machine.cell(24, 79)).toBe(0x1720)
})

test('pages', () => {
  type('zero')
  int10(0x0200, { bx: 0x0200, dx: 0x0101 })
  int10(0x0958, { bx: 0x0207, cx: 1 })
  expect(int10(0x0800, { bx: 0x0200 }).ax).toBe(0x0758)
  int10(0x0502)
  expect(machine.read16(0x44e)).toBe(0x2000)
  type('y')
  expect(int10(0x0300, { bx: 0x0200 }).dx).toBe(0x0102)
  int10(0x0500)
  expect(machine.screen).toBe('zero')
})

describe('fonts', () => {
  const plane2 = (address: number) => {
    const { portWrite, mmioRead } = machine.exports
    portWrite(0x3ce, 2, 0x0204) // read plane 2
    portWrite(0x3ce, 2, 0x0005)
    portWrite(0x3ce, 2, 0x0406)
    const value = Number(mmioRead(BigInt(0xa0000 + address), 1))
    portWrite(0x3ce, 2, 0x0004)
    portWrite(0x3ce, 2, 0x1005)
    portWrite(0x3ce, 2, 0x0e06)
    return value
  }
  test('mode 3 has the 8x16 font in block 0', () => {
    const { es, bp } = int10(0x1130, { bx: 0x0600 })
    const rom = es * 16 + bp
    expect([es, bp]).toEqual([0xe000, 0])
    const glyph = Array.from({ length: 16 }, (_, row) => plane2(0x41 * 32 + row))
    expect(glyph).toEqual([...machine.u8.subarray(0x20_0000 + (rom - 0xe0000) + 0x41 * 16).subarray(0, 16)])
    expect(glyph.some((byte) => byte !== 0)).toBe(true)
  })
  test('a program may draw its own', () => {
    machine.write(0x600, [1, 2, 4, 8, 16, 32, 64, 128])
    int10(0x1100, { bx: 0x0803, cx: 1, dx: 0x41, es: 0x60, bp: 0 })
    expect(Array.from({ length: 9 }, (_, row) => plane2(0xc000 + 0x41 * 32 + row))).toEqual([
      1, 2, 4, 8, 16, 32, 64, 128, 0,
    ])
  })
  test.each([
    [0x1111, 28, 14],
    [0x1112, 50, 8],
    [0x1114, 25, 16],
  ])('%i: %i rows of %i lines', (ax, rows, height) => {
    int10(ax)
    expect(machine.read8(0x484) + 1).toBe(rows)
    const info = int10(0x1130, { bx: 0x0300 })
    expect([info.cx, info.dx & 0xff]).toEqual([height, rows - 1])
    type('\n'.repeat(60))
    expect(int10(0x0300).dx).toBe((rows - 1) << 8)
  })
})

describe('graphics', () => {
  test('mode 13h: text is drawn with the 8x8 font, pixels are what they are told', () => {
    int10(0x0013)
    int10(0x0edb, { bx: 0x2a })
    expect([pixel(0, 0), pixel(7, 7), pixel(8, 0), pixel(0, 8)]).toEqual([0x2a, 0x2a, 0, 0])
    int10(0x0cff, { cx: 319, dx: 199 })
    expect(pixel(319, 199)).toBe(0xff)
    int10(0x0cff, { cx: 320, dx: 0 })
    expect(pixel(0, 1)).toBe(0x2a)
    type('\n'.repeat(30))
    expect(pixel(0, 0)).toBe(0)
  })
  test('mode 12h: planes', () => {
    int10(0x0012)
    int10(0x0c0a, { cx: 639, dx: 479 })
    int10(0x0c8f, { cx: 639, dx: 479 }) // XOR
    expect(pixel(639, 479)).toBe(5)
    int10(0x0edb, { bx: 0x0c })
    expect([pixel(0, 0), pixel(7, 15), pixel(8, 0)]).toEqual([12, 12, 0])
    type(`\r${'\n'.repeat(30)}`)
    expect(pixel(0, 0)).toBe(0)
  })
})

test('nonsense changes nothing', () => {
  type('still here')
  for (const ax of [0xff00, 0x1cff, 0x11ff, 0x10ff, 0x12ff]) {
    expect(int10(ax, { bx: 0xffff, cx: 0xffff, dx: 0xffff }).ax).toBe(ax)
  }
  int10(0x0601, { bx: 0x0700, cx: 0xffff, dx: 0x0000 })
  int10(0x0200, { bx: 0xff00, dx: 0xffff })
  int10(0x0fff)
  expect(machine.screen).toBe('still here')
})

test('a cursor outside of the screen, a data area of nonsense: nothing is written outside of video memory', () => {
  machine.write(0x44a, [0xff, 0xff])
  machine.write(0x450, [0xff, 0xff])
  machine.write(0x484, [0xff])
  machine.write(0x485, [0xff, 0xff])
  const before = machine.bytes(0x500, 0x6000)
  type('xyz\r\n')
  int10(0x0941, { bx: 7, cx: 0xffff })
  int10(0x0600, { bx: 0x0700, cx: 0, dx: 0xffff })
  expect(machine.bytes(0x500, 0x6000)).toEqual(before)
})

test('the bell rings: 896 Hz for a moment, then the speaker is as before', () => {
  const log = new SpeakerLog(new MachineMemory(machine.memory))
  const before = machine.now
  expect(machine.call(0x10, { ax: 0x0e07, bx: 0x1234, cx: 0x5678 })).toMatchObject({ bx: 0x1234, cx: 0x5678 })
  expect(Number(machine.now - before) / 1e6).toBeGreaterThan(40)
  const told = log.take()
  expect(told.map(toneOf).filter((hertz) => hertz !== undefined && Math.round(hertz) === 896)).not.toEqual([])
  expect(told.at(-1)).toMatchObject({ high: 0, level: 0 })
  expect(machine.exports.portRead(0x61, 1) & 3).toBe(0)
})

test('interrupts that nobody serves come back', () => {
  for (const vector of [0x21, 0x33, 0x67, 0x80, 0xff])
    expect(machine.call(vector, { ax: 0x1234 }).ax).toBe(0x1234)
})
