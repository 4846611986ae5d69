// INT 09h and INT 16h: from the keyboard's scan codes (set 2, through the 8042) to what programs read.
import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { keyboardLeds } from '../../machine/keyboard-line'
import { MachineMemory } from '../../machine/memory'
import { FirmwareMachine } from '../testing/firmware'

const up = L.KEY_RELEASE
const E0 = L.KEY_E0
// Scan code set 2
const A = 0x1c
const ONE = 0x16
const SHIFT = 0x12
const RIGHT_SHIFT = 0x59
const CTRL = 0x14
const ALT = 0x11
const CAPS = 0x58
const NUM = 0x77
const SCROLL = 0x7e
const ENTER = 0x5a
const PAUSE = L.KEY_PAUSE | 0x77
const PRINT = L.KEY_PRINT_SCREEN | E0 | 0x7c
const KEYPAD = [0x70, 0x69, 0x72, 0x7a, 0x6b, 0x73, 0x74, 0x6c, 0x75, 0x7d]

let machine: FirmwareMachine
beforeEach(() => {
  machine = new FirmwareMachine().boot()
})
const press = (...codes: number[]) => machine.keys(...codes.flatMap((code) => [code, code | up]))
/** What INT 16h/10h reads until the buffer is empty. */
function read(): string[] {
  const keys: string[] = []
  while (!machine.call(0x16, { ax: 0x1100 }).zf) {
    keys.push(machine.call(0x16, { ax: 0x1000 }).ax.toString(16).padStart(4, '0'))
  }
  return keys
}
const flags = () => machine.call(0x16, { ax: 0x0200 }).al

test('letters, digits, Enter', () => {
  press(A, ONE, ENTER)
  expect(read()).toEqual(['1e61', '0231', '1c0d'])
})

test('Shift, left and right', () => {
  machine.keys(SHIFT)
  expect(flags()).toBe(0x02)
  press(A, ONE)
  machine.keys(RIGHT_SHIFT, SHIFT | up)
  expect(flags()).toBe(0x01)
  press(A)
  machine.keys(RIGHT_SHIFT | up)
  press(A)
  expect(read()).toEqual(['1e41', '0221', '1e41', '1e61'])
})

test('Ctrl and Alt, left and right', () => {
  for (const [key, ax] of [
    [CTRL, '1e01'],
    [E0 | CTRL, '1e01'],
    [ALT, '1e00'],
    [E0 | ALT, '1e00'],
  ] as const) {
    machine.keys(key)
    press(A)
    machine.keys(key | up)
    expect(read()).toEqual([ax])
  }
  machine.keys(E0 | CTRL)
  expect(machine.call(0x16, { ax: 0x1200 })).toMatchObject({ al: 0x04, ah: 0x04 })
})

test('locks: Caps turns letters only, Num the keypad, and the keyboard is told its lights', () => {
  press(CAPS)
  press(A, ONE)
  machine.keys(SHIFT)
  press(A)
  machine.keys(SHIFT | up)
  press(KEYPAD[7]!, NUM, KEYPAD[7]!)
  machine.keys(SHIFT)
  press(KEYPAD[7]!)
  machine.keys(SHIFT | up)
  expect(read()).toEqual(['1e41', '0231', '1e61', '4700', '4737', '4700'])
  expect(flags()).toBe(0x60)
  machine.run(100_000_000)
  expect(machine.read8(0x497)).toBe(0x06)
  press(SCROLL, CAPS, NUM)
  machine.run(100_000_000)
  expect(flags()).toBe(0x10)
  expect(machine.read8(0x497)).toBe(0x01)
})

test('grey keys: E0h in the new functions, as before in the old', () => {
  press(E0 | 0x75, E0 | 0x71, E0 | 0x5a, E0 | 0x4a)
  expect(read()).toEqual(['48e0', '53e0', 'e00d', 'e02f'])
  press(E0 | 0x75, E0 | 0x5a, E0 | 0x4a)
  const old = () => machine.call(0x16, { ax: 0 }).ax.toString(16)
  expect([old(), old(), old()]).toEqual(['4800', '1c0d', '352f'])
})

test('function keys; the old functions pass F11 over', () => {
  press(0x05, 0x78, 0x07, A)
  expect(machine.call(0x16, { ax: 0 }).ax).toBe(0x3b00)
  expect(machine.call(0x16, { ax: 0 }).ax).toBe(0x1e61)
  press(0x78)
  expect(read()).toEqual(['8500'])
})

test('Alt and a number on the keypad is a character', () => {
  machine.keys(ALT)
  press(KEYPAD[2]!, KEYPAD[1]!, KEYPAD[9]!)
  machine.keys(ALT | up)
  expect(read()).toEqual([(219).toString(16).padStart(4, '0')])
})

test('a service that waits sleeps until the key comes', () => {
  const before = machine.now
  const answer = machine.call(0x16, { ax: 0 }, () => {
    machine.queueKey(A)
    machine.queueKey(A | up)
  })
  expect(answer.ax).toBe(0x1e61)
  expect(Number(machine.now - before)).toBeLessThan(1_000_000_000)
})

test('the buffer holds 15 keys and loses the rest', () => {
  for (let i = 0; i < 20; i++) press(A)
  expect(read()).toHaveLength(15)
})

test('keys put in by a program', () => {
  expect(machine.call(0x16, { ax: 0x0500, cx: 0x1234 })).toMatchObject({ al: 0 })
  for (let i = 0; i < 14; i++) machine.call(0x16, { ax: 0x0500, cx: 1 })
  expect(machine.call(0x16, { ax: 0x0500, cx: 1 })).toMatchObject({ al: 1 })
  expect(read()[0]).toBe('1234')
})

test('Ctrl-Break empties the buffer and calls INT 1Bh', () => {
  // INT 1Bh: inc byte [0700h]; iret
  machine.write(0x6f0, [0x2e, 0xfe, 0x06, 0x00, 0x07, 0xcf])
  machine.write(0x700, [0])
  machine.write(0x1b * 4, [0xf0, 0x06, 0, 0])
  press(A)
  machine.keys(CTRL, E0 | 0x7e, E0 | 0x7e | up, CTRL | up)
  expect(machine.read8(0x700)).toBe(1)
  expect(machine.read8(0x471)).toBe(0x80)
  expect(read()).toEqual(['0000'])
})

test('the lights follow the locks, for those who look at the keyboard', () => {
  const lit = () => keyboardLeds(new MachineMemory(machine.memory))
  expect(lit()).toBe(0)
  press(CAPS, NUM, SCROLL)
  machine.run(10_000_000)
  expect(lit()).toBe(7)
  press(NUM)
  machine.run(10_000_000)
  expect(lit()).toBe(5)
})

test('Ctrl and Pause are Break', () => {
  machine.keys(CTRL, PAUSE, PAUSE | up, CTRL | up)
  expect(machine.read8(0x471)).toBe(0x80)
  expect(read()).toEqual(['0000'])
})

test('Alt and PrintScreen are SysReq: INT 15h/85h', () => {
  // INT 15h: cmp ah, 85h; jne +6; mov [0700h + AL], AL + 1; for all: stc, retf 2
  const inc = [0x2e, 0xfe, 0x06, 0x00, 0x07]
  machine.write(0x6e0, [0x80, 0xfc, 0x85, 0x75, inc.length, ...inc, 0xf9, 0xca, 0x02, 0x00])
  machine.write(0x700, [0])
  machine.write(0x15 * 4, [0xe0, 0x06, 0, 0])
  machine.keys(ALT, PRINT)
  expect([machine.read8(0x700), machine.read8(0x418) & 0x04]).toEqual([1, 0x04])
  machine.keys(ALT | up, PRINT | up)
  expect([machine.read8(0x700), machine.read8(0x418) & 0x04]).toEqual([2, 0])
})

test('INT 16h/03h sets rate and delay of the keyboard; nothing of the talk reaches the program', () => {
  const repeats = () => {
    machine.keys(A)
    machine.run(900_000_000)
    machine.keys(A | up)
    return read().length
  }
  // 500 ms, then 10.9 a second
  expect(repeats()).toBeGreaterThanOrEqual(5)
  expect(machine.call(0x16, { ax: 0x0305, bx: 0x0300 }).ax).toBe(0x0305)
  expect(repeats()).toBe(1)
  // 250 ms, 2 a second
  machine.call(0x16, { ax: 0x0305, bx: 0x001f })
  expect(repeats()).toBe(3)
  machine.call(0x16, { ax: 0x0300 })
  expect(repeats()).toBeGreaterThanOrEqual(5)
})

test('the last key alone repeats, until it is let go', () => {
  machine.keys(A)
  machine.run(700_000_000)
  machine.keys(ONE)
  read()
  machine.run(1_000_000_000)
  const ones = read()
  expect(new Set(ones)).toEqual(new Set(['0231']))
  machine.keys(A | up)
  machine.run(300_000_000)
  expect(new Set(read())).toEqual(new Set(['0231']))
  machine.keys(ONE | up)
  read()
  machine.run(1_000_000_000)
  expect(read()).toEqual([])
})

test('Ctrl-Alt-Del starts the machine again', () => {
  machine.write(0x7c10, [0xaa])
  machine.keys(CTRL, ALT, E0 | 0x71)
  machine.run(200_000_000)
  expect(machine.read8(0x7c10)).toBe(0)
  expect(machine.read16(0x472)).toBe(0x1234)
  expect(machine.screen).toContain('Booting from Hard Disk...')
})

test('INT 15h/4Fh sees every scan code and may swallow it', () => {
  // cmp al, 1Eh (A); je +4; stc; retf 2; clc; retf 2
  machine.write(0x6f0, [0x3c, 0x1e, 0x74, 0x04, 0xf9, 0xca, 0x02, 0x00, 0xf8, 0xca, 0x02, 0x00])
  machine.write(0x15 * 4, [0xf0, 0x06, 0, 0])
  press(A, ONE)
  expect(read()).toEqual(['0231'])
})

describe('a BIOS data area full of nonsense', () => {
  test('the key buffer mends itself', () => {
    machine.write(0x41a, [0xff, 0xff, 0x13, 0x37])
    machine.write(0x480, [0x00, 0x90, 0x00, 0x10])
    press(A)
    machine.call(0x16, { ax: 0x1100 })
    press(ONE)
    expect(read()).toContain('0231')
  })
})
