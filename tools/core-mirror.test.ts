import { expect, test } from 'vitest'
import { hideDecorators, showDecorators } from './core-mirror.mjs'

const SOURCE = `@external('host', 'wait')
export declare function hostWait(address: u32): u32

  @inline
  @unsafe
function f(x: u32): u32 {
  // mail us @inline
  return x
}
`

test('decorators become comments on lines of their own, and come back', () => {
  const hidden = hideDecorators(SOURCE)
  expect(hidden.split('\n').filter((line) => /^\s*@/.test(line))).toEqual([])
  expect(hidden.split('\n').length).toBe(SOURCE.split('\n').length)
  expect(showDecorators(hidden)).toBe(SOURCE)
})

test('a decorator before its function gets a line of its own', () => {
  expect(showDecorators(hideDecorators('@inline @unsafe function f(): void {}\n'))).toBe(
    '@inline\n@unsafe\nfunction f(): void {}\n',
  )
})
