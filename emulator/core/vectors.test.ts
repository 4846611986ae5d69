// Every instruction vector recorded on silicon, on the emulated machine (tools/vectors/README.md).
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Bench } from './vectors/compare'
import { VectorFile } from './vectors/reader'

/** Cases described in full when a group fails. */
const SHOWN = 3

const paths = ['integer-64', 'integer-32', 'integer-16'].map((name) =>
  fileURLToPath(new URL(`vectors/${name}.bin.br`, import.meta.url)),
)
const files = paths.map((path) => VectorFile.open(path))

for (const file of files) {
  const bench = new Bench(file.header)

  describe(`${file.header.environment}: ${file.header.cases} vectors`, () => {
    for (const [group, cases] of file.groups()) {
      test(`${group} (${cases})`, () => {
        const forms = new Map<string, number>()
        const shown: string[] = []
        for (const vector of file.vectors(group)) {
          const differences = bench.check(vector)
          if (differences.length === 0) continue
          const failures = forms.get(vector.form.name) ?? 0
          forms.set(vector.form.name, failures + 1)
          if (failures === 0 && shown.length < SHOWN) shown.push(bench.describe(vector, differences))
        }
        const summary = [...forms].map(([form, failures]) => `${form}: ${failures}`)
        expect(forms.size, `differs from silicon in\n${summary.join('\n')}\n\n${shown.join('\n\n')}\n`).toBe(
          0,
        )
      })
    }
  })
}

describe('the set', () => {
  test('holds at least 50,000 vectors in less than 3 MB', () => {
    expect(files.reduce((sum, { header }) => sum + header.cases, 0)).toBeGreaterThanOrEqual(50_000)
    expect(paths.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(3_000_000)
  })

  test('names what differs: exception, register, flag and memory', () => {
    const file = files[0]!
    const bench = new Bench(file.header)
    const vector = file.vectors('PUSH').next().value!
    const { expect: wanted } = vector
    wanted.gpr[0]! ^= 1
    wanted.rflags ^= 0x40
    wanted.rip += 1n
    wanted.memory = []
    const differences = bench.check(vector).join('\n')
    for (const part of [/^exception: /m, /^RAX: /m, /^RFLAGS: .*zf/im, /^memory at /m]) {
      expect(differences).toMatch(part)
    }
    expect(bench.describe(vector, [])).toContain('push')
  })

  test('is not read when it is something else, or cut off', () => {
    expect(() => new VectorFile(new Uint8Array(64), 'x.bin')).toThrow(/x\.bin: .*RSVECT01/)
    const header = Buffer.from(JSON.stringify({ ...files[0]!.header, windows: [], ldt: [], segments: {} }))
    const size = Buffer.alloc(4)
    size.writeUInt32LE(header.length)
    const cut = Buffer.concat([Buffer.from('RSVECT01'), size, header, Buffer.alloc(10)])
    expect(() => new VectorFile(cut, 'y.bin')).toThrow(/y\.bin: holds 10 bytes/)
  })
})
