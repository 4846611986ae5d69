import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  address,
  ago,
  bytes,
  count,
  hex,
  hex64,
  hexBytes,
  seconds,
  shortCount,
  shortTime,
  THIN,
} from './format'

const plain = (text: string) => text.replaceAll(THIN, ' ')

describe('numbers', () => {
  test('are grouped by thousands from the right', () => {
    expect(plain(count(0))).toBe('0')
    expect(plain(count(999))).toBe('999')
    expect(plain(count(1_204_881_377n))).toBe('1 204 881 377')
    expect(plain(count(-12_345))).toBe('-12 345')
  })

  test('lose no digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(BigInt(count(value).replaceAll(THIN, ''))).toBe(value)
        expect(BigInt(`0x${hex64(value).replaceAll(THIN, '')}`)).toBe(value)
      }),
    )
  })

  test('in hexadecimal have the digits asked for', () => {
    expect(hex(0x7c00, 4)).toBe('7c00')
    expect(hex(0n, 8)).toBe('00000000')
    expect(plain(hex64(0xffff_8000_0031_fef8n))).toBe('ffff8000 0031fef8')
    expect(address(0xb8000)).toBe('000b8000')
    expect(plain(address(0x1_0000_0000n))).toBe('00000001 00000000')
    expect(hexBytes(new Uint8Array([0xea, 0, 0x7c]))).toBe('ea 00 7c')
  })
})

describe('time', () => {
  test('is always in seconds with six places', () => {
    expect(plain(seconds(1_202_881_999n))).toBe('1.202 881')
    expect(plain(seconds(46_113n))).toBe('0.000 046')
    expect(plain(seconds(3_600_000_000_000n))).toBe('3 600.000 000')
  })

  test('in short has three digits and a unit', () => {
    expect(shortTime(0n)).toBe('0 ns')
    expect(shortTime(40_200n)).toBe('40.2 µs')
    expect(shortTime(1_205_000n)).toBe('1.21 ms')
    expect(shortTime(12_400_000_000n)).toBe('12.4 s')
    // What would be rounded up to four digits stays at three.
    expect(shortTime(99_960n)).toBe('100 µs')
    expect(shortCount(9_999n)).toBe(`9${THIN}999`)
    expect(shortCount(1_204_881_377n)).toBe('1.20 G')
  })

  test('passed is told in words', () => {
    const now = Date.UTC(2026, 0, 10, 12)
    expect(ago(now - 5_000, now)).toBe('just now')
    expect(ago(now - 60_000, now)).toBe('a minute ago')
    expect(ago(now - 7_200_000, now)).toBe('2 hours ago')
    expect(ago(now - 86_400_000, now)).toBe('yesterday')
    expect(ago(now - 90 * 86_400_000, now)).toContain('2025')
  })
})

test('sizes are in binary units', () => {
  expect(bytes(512)).toBe('512 B')
  expect(bytes(1_474_560)).toBe('1.41 MiB')
  expect(bytes(268_435_456)).toBe('256 MiB')
  expect(bytes(8 * 2 ** 40)).toBe('8 TiB')
})
