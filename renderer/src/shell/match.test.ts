import { expect, test } from 'vitest'
import { wordsOf } from '../panels/code-words'
import { keysOf } from './commands'
import { matching } from './match'

const titles = (query: string) =>
  matching(
    ['Run', 'Pause', 'Reset the machine', 'Layout: Memory', 'Show panel: Memory map', 'Step over'].map(
      (title) => ({ title }),
    ),
    query,
  ).map(({ title }) => title)

test('commands are found by what people remember of them', () => {
  expect(titles('')).toHaveLength(6)
  expect(titles('mem')).toEqual(['Layout: Memory', 'Show panel: Memory map'])
  expect(titles('RUN')[0]).toBe('Run')
  expect(titles('rstm')).toEqual(['Reset the machine'])
  expect(titles('qqq')).toEqual([])
})

test('keys are named as menus name them', () => {
  const event = (init: KeyboardEventInit) => keysOf(new KeyboardEvent('keydown', init))
  expect(event({ key: 'F5', ctrlKey: true, shiftKey: true })).toBe('Ctrl+Shift+F5')
  expect(event({ key: 'p', ctrlKey: true, shiftKey: true })).toBe('Ctrl+Shift+P')
  expect(event({ key: 'o', metaKey: true })).toBe('Ctrl+O')
})

test('an instruction is read as mnemonic, registers and numbers', () => {
  const kinds = wordsOf('mov eax, [rsp+0x28]').map(({ kind, text }) => `${kind}:${text.trim()}`)
  expect(kinds[0]).toBe('mnemonic:mov')
  expect(kinds).toContain('register:eax')
  expect(kinds).toContain('number:0x28')
  expect(wordsOf('rep movsb')[0]?.text.trim()).toBe('rep movsb')
  expect(
    wordsOf('jmp 8:0x8083')
      .filter(({ kind }) => kind === 'number')
      .map(({ text }) => text),
  ).toEqual(['8', '0x8083'])
})
