import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { Overlay } from './overlay'

const SECTORS = 64

function image() {
  return Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) ^ (i & 0xff))
}

function readerOf(bytes: Uint8Array) {
  return (position: number, into: Uint8Array) => {
    into.fill(0)
    into.set(bytes.subarray(position, position + into.length))
  }
}

/** Everything in memory, part of it in the file, everything in the file. */
test.each([64 * 4096, 2 * 4096, 0])(
  'reads what was written, the image is not touched (%i bytes in memory)',
  (memory) => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            sector: fc.nat(SECTORS - 1),
            count: fc.integer({ min: 1, max: 20 }),
            value: fc.nat(255),
            write: fc.boolean(),
          }),
          { maxLength: 30 },
        ),
        (operations) => {
          const original = image()
          const expected = image()
          const overlay = new Overlay(readerOf(original), { memory })
          try {
            for (const { sector, count, value, write } of operations) {
              const length = Math.min(count, SECTORS - sector) * 512
              if (write) {
                expected.fill(value, sector * 512, sector * 512 + length)
                overlay.write(sector, new Uint8Array(length).fill(value))
              }
              const into = new Uint8Array(length)
              overlay.read(sector, into)
              expect(Buffer.compare(into, expected.subarray(sector * 512, sector * 512 + length))).toBe(0)
            }
            expect(Buffer.compare(original, image())).toBe(0)
          } finally {
            overlay.close()
          }
        },
      ),
      { numRuns: 60 },
    )
  },
)

test('leaves no file behind, not even while it is open', () => {
  // Others use the system's folder at the same time.
  const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  vi.stubEnv('TMPDIR', folder)
  try {
    const overlay = new Overlay(readerOf(image()), { memory: 0 })
    overlay.write(3, new Uint8Array(512).fill(7))
    expect(tmpdir()).toBe(folder)
    expect(readdirSync(folder)).toEqual([])
    overlay.close()
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test('a full overlay refuses and keeps what it has', () => {
  const overlay = new Overlay(readerOf(image()), { memory: 4096, total: 8192 })
  overlay.write(0, new Uint8Array(4096).fill(1))
  overlay.write(8, new Uint8Array(512).fill(2))
  expect(() => overlay.write(16, new Uint8Array(512))).toThrow('8192 bytes')
  overlay.write(9, new Uint8Array(512).fill(3))
  const into = new Uint8Array(3 * 512)
  overlay.read(8, into)
  expect([into[0], into[512], into[1024]]).toEqual([2, 3, 10])
  overlay.read(16, into)
  expect(into.subarray(0, 512)).toEqual(image().subarray(16 * 512, 17 * 512))
  overlay.close()
})

test('far out on a large disk', () => {
  const overlay = new Overlay((_position, into) => into.fill(0))
  const far = 2 ** 34 - 1
  overlay.write(far, new Uint8Array(512).fill(9))
  const into = new Uint8Array(512)
  overlay.read(far, into)
  expect(into[511]).toBe(9)
  expect(overlay.size).toBe(4096)
  overlay.close()
})
