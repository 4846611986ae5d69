import { expect, test } from 'vitest'
import { breakpoints, controlWords, laneTexts, mxcsrWords } from './more-words'

test('vectors in every reading, the highest lane first', () => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setFloat32(0, 1.5, true)
  new DataView(bytes.buffer).setFloat64(8, -2, true)
  expect(laneTexts(bytes, 'f32')[3]).toBe('1.5')
  expect(laneTexts(bytes, 'f64')[0]).toBe('-2')
  expect(laneTexts(bytes, 'u64')).toEqual(['c000000000000000', '000000003fc00000'])
  expect(laneTexts(bytes, 'u32')[0]).toBe('c0000000')
  expect(laneTexts(bytes, 'u8')).toHaveLength(16)
})

test('breakpoints as DR7 has them', () => {
  const dr = { dr0: 0x1000n, dr1: 0x2000n, dr2: 0n, dr3: 0n, dr6: 0n, dr7: 0x00d0_0409n }
  expect(breakpoints(dr).map(({ words }) => words)).toEqual([
    'execution, local',
    'writes, 4 B, global',
    'off',
    'off',
  ])
})

test('control words', () => {
  expect(controlWords(0x37f)).toBe('64 bits, rounds to nearest, all masked')
  expect(controlWords(0xe3e)).toBe('53 bits, rounds towards zero, unmasked IE')
  expect(mxcsrWords(0x1f80)).toBe('rounds to nearest, all masked')
  expect(mxcsrWords(0xffc1 & ~0x80)).toBe(
    'rounds towards zero, unmasked IE, denormals are zeros, flush to zero, flags IE',
  )
})
