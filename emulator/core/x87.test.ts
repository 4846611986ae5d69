// Every x87 vector recorded on silicon, on the emulated machine (tools/vectors/README.md).
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { assemble, runRom } from './tests/system/guest'
import { Bench } from './vectors/compare'
import { type Vector, VectorFile } from './vectors/reader'

/** Cases described in full when a file fails. */
const SHOWN = 5

const paths = ['x87-64', 'x87-32'].map((name) => new URL(`vectors/${name}.bin.br`, import.meta.url).pathname)
const files = paths.map((path) => VectorFile.open(path))

for (const file of files) {
  test(`${file.header.environment}: ${file.header.cases} x87 vectors`, () => {
    const bench = new Bench(file.header)
    const forms = new Map<string, number>()
    const shown: string[] = []
    for (const vector of file.vectors()) {
      const differences = bench.check(vector)
      if (differences.length === 0) continue
      const failures = forms.get(vector.form.name) ?? 0
      forms.set(vector.form.name, failures + 1)
      if (failures === 0 && shown.length < SHOWN) shown.push(bench.describe(vector, differences))
    }
    const summary = [...forms].map(([form, failures]) => `${form}: ${failures}`)
    expect(forms.size, `differs from silicon in\n${summary.join('\n')}\n\n${shown.join('\n\n')}\n`).toBe(0)
  })
}

describe('the set', () => {
  test('holds at least 60,000 vectors in less than 1.5 MB', () => {
    expect(files.reduce((sum, { header }) => sum + header.cases, 0)).toBeGreaterThanOrEqual(60_000)
    expect(paths.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(1_500_000)
  })

  /** The first case of a form that leaves a result in a register. */
  function firstChange(form: string): [Bench, Vector, register: number] {
    const file = files[0]!
    for (const vector of file.vectors()) {
      const { before, after } = vector.x87!
      if (vector.form.name !== form) continue
      const register = after.sig.findIndex((sig, i) => sig !== before.sig[i] && sig !== 0n)
      if (register >= 0 && vector.expect.vector === 3) return [new Bench(file.header), vector, register]
    }
    throw new Error(`no case of ${form} changes a register`)
  }

  test('allows one unit in the last place to transcendental results, and nothing to the others', () => {
    const [bench, add, sum] = firstChange('FADD ST, ST(i)')
    expect(bench.check(add)).toEqual([])
    add.x87!.after.sig[sum]! ^= 1n
    expect(bench.check(add).join()).toMatch(/^R\d: expected/)
    const [other, sine, result] = firstChange('FSIN')
    sine.x87!.after.sig[result]! += 4n
    expect(other.check(sine).join()).toMatch(/^R\d: expected/)
  })

  test('names what differs in control word, status word and tags', () => {
    const [bench, vector] = firstChange('FMUL ST, ST(i)')
    const { after } = vector.x87!
    after.fcw ^= 0x100
    after.fsw ^= 0x4000
    after.tags ^= 1
    const differences = bench.check(vector).join('\n')
    for (const part of [/^FCW: /m, /^FSW: .*4000h/m, /^tags: /m]) expect(differences).toMatch(part)
  })
})

const nasm = (() => {
  try {
    execFileSync('nasm', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

// Power-up, #NM, #MF, IRQ 13 and IGNNE#, environments of real mode, FXSAVE.
test.skipIf(!nasm)('the x87 as a system sees it', () => {
  const { lines } = runRom(assemble('x87'))
  expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([
    expect.stringMatching(/^DONE [0-9A-F]{8} 0{8}$/),
  ])
})
