// Keys by the names of the UI Events specification (KeyboardEvent.code) and the make codes of scan code set 2 that an
// enhanced PC keyboard sends for them (IBM PS/2 technical reference, keyboard; UI Events KeyboardEvent code values).
import { KEY_E0, KEY_PAUSE, KEY_PRINT_SCREEN } from '../core/layout'

const E = KEY_E0

/** INPUT_KIND_KEY data without KEY_RELEASE. */
const KEYS: Record<string, number> = {
  Escape: 0x76,
  F1: 0x05,
  F2: 0x06,
  F3: 0x04,
  F4: 0x0c,
  F5: 0x03,
  F6: 0x0b,
  F7: 0x83,
  F8: 0x0a,
  F9: 0x01,
  F10: 0x09,
  F11: 0x78,
  F12: 0x07,
  Backquote: 0x0e,
  Digit1: 0x16,
  Digit2: 0x1e,
  Digit3: 0x26,
  Digit4: 0x25,
  Digit5: 0x2e,
  Digit6: 0x36,
  Digit7: 0x3d,
  Digit8: 0x3e,
  Digit9: 0x46,
  Digit0: 0x45,
  Minus: 0x4e,
  Equal: 0x55,
  Backspace: 0x66,
  Tab: 0x0d,
  KeyQ: 0x15,
  KeyW: 0x1d,
  KeyE: 0x24,
  KeyR: 0x2d,
  KeyT: 0x2c,
  KeyY: 0x35,
  KeyU: 0x3c,
  KeyI: 0x43,
  KeyO: 0x44,
  KeyP: 0x4d,
  BracketLeft: 0x54,
  BracketRight: 0x5b,
  Backslash: 0x5d,
  CapsLock: 0x58,
  KeyA: 0x1c,
  KeyS: 0x1b,
  KeyD: 0x23,
  KeyF: 0x2b,
  KeyG: 0x34,
  KeyH: 0x33,
  KeyJ: 0x3b,
  KeyK: 0x42,
  KeyL: 0x4b,
  Semicolon: 0x4c,
  Quote: 0x52,
  Enter: 0x5a,
  ShiftLeft: 0x12,
  IntlBackslash: 0x61,
  KeyZ: 0x1a,
  KeyX: 0x22,
  KeyC: 0x21,
  KeyV: 0x2a,
  KeyB: 0x32,
  KeyN: 0x31,
  KeyM: 0x3a,
  Comma: 0x41,
  Period: 0x49,
  Slash: 0x4a,
  ShiftRight: 0x59,
  ControlLeft: 0x14,
  MetaLeft: E | 0x1f,
  AltLeft: 0x11,
  Space: 0x29,
  AltRight: E | 0x11,
  MetaRight: E | 0x27,
  ContextMenu: E | 0x2f,
  ControlRight: E | 0x14,
  PrintScreen: E | KEY_PRINT_SCREEN | 0x7c,
  ScrollLock: 0x7e,
  Pause: KEY_PAUSE | 0x77,
  Insert: E | 0x70,
  Home: E | 0x6c,
  PageUp: E | 0x7d,
  Delete: E | 0x71,
  End: E | 0x69,
  PageDown: E | 0x7a,
  ArrowUp: E | 0x75,
  ArrowLeft: E | 0x6b,
  ArrowDown: E | 0x72,
  ArrowRight: E | 0x74,
  NumLock: 0x77,
  NumpadDivide: E | 0x4a,
  NumpadMultiply: 0x7c,
  NumpadSubtract: 0x7b,
  Numpad7: 0x6c,
  Numpad8: 0x75,
  Numpad9: 0x7d,
  NumpadAdd: 0x79,
  Numpad4: 0x6b,
  Numpad5: 0x73,
  Numpad6: 0x74,
  Numpad1: 0x69,
  Numpad2: 0x72,
  Numpad3: 0x7a,
  NumpadEnter: E | 0x5a,
  Numpad0: 0x70,
  NumpadDecimal: 0x71,
  IntlRo: 0x51,
  IntlYen: 0x6a,
  KanaMode: 0x13,
  Convert: 0x64,
  NonConvert: 0x67,
}

/** @returns INPUT_KIND_KEY data of pressing the key; undefined when a PC keyboard has no such key */
export function keyData(code: string): number | undefined {
  return Object.hasOwn(KEYS, code) ? KEYS[code] : undefined
}

export interface Keystroke {
  code: string
  shift: boolean
}

/** What is on the keys of a US keyboard: unshifted and shifted character of each. */
const US: Record<string, string> = {
  Backquote: '`~',
  Digit1: '1!',
  Digit2: '2@',
  Digit3: '3#',
  Digit4: '4$',
  Digit5: '5%',
  Digit6: '6^',
  Digit7: '7&',
  Digit8: '8*',
  Digit9: '9(',
  Digit0: '0)',
  Minus: '-_',
  Equal: '=+',
  BracketLeft: '[{',
  BracketRight: ']}',
  Backslash: '\\|',
  Semicolon: ';:',
  Quote: '\'"',
  Comma: ',<',
  Period: '.>',
  Slash: '/?',
  Space: ' ',
  Enter: '\n',
  Tab: '\t',
  Backspace: '\b',
  Escape: '\x1b',
}

const STROKES = new Map<string, Keystroke>()
for (const [code, characters] of Object.entries(US)) {
  STROKES.set(characters[0]!, { code, shift: false })
  if (characters[1]) STROKES.set(characters[1], { code, shift: true })
}
for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
  STROKES.set(letter, { code: `Key${letter.toUpperCase()}`, shift: false })
  STROKES.set(letter.toUpperCase(), { code: `Key${letter.toUpperCase()}`, shift: true })
}

/**
 * The keys that type a text on a US keyboard. CR LF and CR count as Enter.
 * @throws Error naming a character that is on no key
 */
export function keystrokes(text: string): Keystroke[] {
  return [...text.replace(/\r\n?/g, '\n')].map((character) => {
    const stroke = STROKES.get(character)
    if (!stroke) throw new Error(`a US keyboard has no key for ${JSON.stringify(character)}`)
    return stroke
  })
}
