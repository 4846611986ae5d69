import { expect, test } from 'vitest'
import { KEY_E0, KEY_PAUSE } from '../core/layout'
import { keyData, keystrokes } from './keyboard'

// Scan code set 2 as listed in the Linux kernel's atkbd.c (atkbd_set2_keycode) and IBM's tables.
test.each([
  ['KeyA', 0x1c],
  ['KeyQ', 0x15],
  ['Digit1', 0x16],
  ['F7', 0x83],
  ['Enter', 0x5a],
  ['NumpadEnter', KEY_E0 | 0x5a],
  ['ArrowUp', KEY_E0 | 0x75],
  ['Numpad8', 0x75],
  ['ControlRight', KEY_E0 | 0x14],
  ['Pause', KEY_PAUSE | 0x77],
  ['IntlBackslash', 0x61],
])('%s', (code, data) => expect(keyData(code)).toBe(data))

test('no two keys send the same', () => {
  const codes = [
    'KeyA',
    'Numpad4',
    'ArrowLeft',
    'NumpadDivide',
    'Slash',
    'NumLock',
    'Pause',
    'ScrollLock',
    'F7',
    'F8',
  ]
  expect(new Set(codes.map(keyData)).size).toBe(codes.length)
})

test('what no PC keyboard has is undefined', () => {
  for (const code of ['', 'LaunchMail', 'toString', 'Fn', '__proto__']) expect(keyData(code)).toBeUndefined()
})

test('text becomes keys of a US keyboard', () => {
  expect(keystrokes('aA~\r\n')).toEqual([
    { code: 'KeyA', shift: false },
    { code: 'KeyA', shift: true },
    { code: 'Backquote', shift: true },
    { code: 'Enter', shift: false },
  ])
  expect(() => keystrokes('ü')).toThrow('"ü"')
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')
  for (const { code } of keystrokes(printable)) expect(keyData(code)).toBeDefined()
})
