// Every vector of MMX, SSE, AVX and their companions recorded on silicon, on the emulated machine (tools/vectors/README.md).
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Bench } from './vectors/compare'
import { VectorFile } from './vectors/reader'

/** Cases described in full when a group fails. */
const SHOWN = 3

const paths = ['sse-64', 'sse-32', 'avx-64', 'avx-32'].map((name) =>
  fileURLToPath(new URL(`vectors/${name}.bin.br`, import.meta.url)),
)
const files = paths.map((path) => VectorFile.open(path))

for (const [index, file] of files.entries()) {
  const bench = new Bench(file.header)

  describe(`${paths[index]!.replace(/.*\//, '')}: ${file.header.cases} vectors`, () => {
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
  test('holds at least 100,000 vectors, no file above 5 MB', () => {
    expect(files.reduce((sum, { header }) => sum + header.cases, 0)).toBeGreaterThanOrEqual(100_000)
    for (const path of paths) expect(statSync(path).size).toBeLessThan(5_000_000)
  })

  test('names what differs: a vector register, an MMX register, MXCSR', () => {
    const file = files[0]!
    const bench = new Bench(file.header)
    const vector = file.vectors('SSE moves').next().value!
    const { after } = vector.simd!
    after.ymm[9]! ^= 1
    after.mm[4]! ^= 1
    after.mxcsr ^= 0x20
    const differences = bench.check(vector).join('\n')
    for (const part of [/^YMM1: /m, /^MM2: /m, /^MXCSR: /m]) expect(differences).toMatch(part)
  })
})
