import { expect, test } from 'vitest'
import { count, hex64 } from './format'
import { numberAt, numberIn } from './number-in'

test('numbers as the panels write them', () => {
  expect(numberIn('80000011')).toBe(0x80000011n)
  expect(numberIn(hex64(0xffff_8000_0031_fef8n))).toBe(0xffff_8000_0031_fef8n)
  expect(numberIn(count(1_204_881_377))).toBe(1_204_881_377n)
  expect(numberIn(' 0x8205')).toBe(0x8205n)
  expect(numberIn('3FFh')).toBe(0x3ffn)
  expect(numberIn('0018')).toBe(0x18n)
  expect(numberIn('150')).toBe(150n)
  for (const word of ['add', 'dead', 'deadbeef', 'PG ET PE', '', 'r8', '12.5', '00112233445566778899'])
    expect(numberIn(word), word).toBeUndefined()
})

test('the number under the pointer in a line', () => {
  const line = 'gdtr 00008260 limit 0027'
  expect(numberAt(line, 7)).toBe(0x8260n)
  expect(numberAt(line, line.length)).toBe(0x27n)
  expect(numberAt(line, 2)).toBeUndefined()
})
