// A feature that the processor model does not have (`--cpu`) takes its instructions along: they raise #UD, and nothing else
// does. Which instruction belongs to which feature is iced-x86's word, a case of every form in the vectors the sample.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cpuWithheld } from '../machine/cpu-model'
import { VectorMachine } from './vectors/harness'
import { type Form, type Vector, VectorFile } from './vectors/reader'

const { CpuidFeature, Decoder, DecoderOptions } = createRequire(import.meta.url)(
  'iced-x86',
) as typeof import('iced-x86')

const EXC_UD = 6

/** Our names for iced's. */
const NAMES: Record<string, string> = {
  SSE3: 'sse3',
  PCLMULQDQ: 'pclmulqdq',
  SSSE3: 'ssse3',
  FMA: 'fma',
  CMPXCHG16B: 'cx16',
  SSE4_1: 'sse4.1',
  SSE4_2: 'sse4.2',
  MOVBE: 'movbe',
  POPCNT: 'popcnt',
  AES: 'aes',
  XSAVE: 'xsave',
  AVX: 'avx',
  F16C: 'f16c',
  BMI1: 'bmi1',
  AVX2: 'avx2',
  BMI2: 'bmi2',
  ADX: 'adx',
  CLFLUSHOPT: 'clflushopt',
  CLWB: 'clwb',
  SHA: 'sha',
  LZCNT: 'lzcnt',
  XSAVEOPT: 'xsaveopt',
  XSAVEC: 'xsavec',
  XSAVES: 'xsaves',
}

interface Case {
  vector: Vector
  features: string[]
}

/** Features of the instruction by iced, and those these need by the model's own rules. */
function featuresOf(code: Uint8Array, mode: number): string[] {
  const decoder = new Decoder(mode, code, DecoderOptions.None)
  const instruction = decoder.decode()
  const names = [...instruction.cpuidFeatures()].map((n) => NAMES[CpuidFeature[n]!])
  instruction.free()
  decoder.free()
  // LAHF and SAHF have a bit of their own in 64-bit mode (SDM 2A LAHF); FISTTP came with SSE3.
  if (mode === 64 && (code.at(-1) === 0x9e || code.at(-1) === 0x9f) && code.length <= 2) names.push('lahf')
  return names.filter((name) => name !== undefined)
}

/** The first case of every form that raises nothing. */
function cases(file: VectorFile): Case[] {
  const list: Case[] = []
  let done: Form | undefined
  for (const vector of file.vectors()) {
    if (vector.form === done || vector.expect.vector !== 3) continue
    done = vector.form
    // The reader uses one object for all.
    const copy = structuredClone(vector)
    list.push({ vector: copy, features: featuresOf(copy.code, file.header.mode) })
  }
  return list
}

/** How many forms a feature has taken along in all files. */
const affectedBy = new Map<string, number>()

describe.each(['integer-64', 'x87-64', 'sse-64', 'avx-64', 'sse-32', 'avx-32'])('%s', (name) => {
  const file = VectorFile.open(fileURLToPath(new URL(`vectors/${name}.bin.br`, import.meta.url)))
  const all = cases(file)

  test.each([...new Set(Object.values(NAMES)), 'lahf'])('without %s', (feature) => {
    const wrong: string[] = []
    const lacks = new Set(
      Object.values(NAMES).filter((other) => {
        const [a, b] = [cpuWithheld(`v3,-${feature}`), cpuWithheld(`v3,-${other}`)]
        return b.every((word, n) => (word & ~a[n]!) === 0)
      }),
    )
    lacks.add(feature)
    const machine = new VectorMachine(file.header)
    // The kernel that runs the cases has turned everything on by then.
    machine.run(all[0]!.vector)
    machine.withhold(cpuWithheld(`v3,-${feature}`))
    let affected = 0
    for (const { vector, features } of all) {
      // Without their feature LZCNT and TZCNT are BSR and BSF.
      const count = /^[LT]ZCNT/.test(vector.form.name)
      const want = !count && features.some((f) => lacks.has(f))
      if (want) affected++
      machine.apply(vector.patches)
      const got = machine.run(vector).vector === EXC_UD
      if (got !== want) wrong.push(`${vector.form.name}: #UD ${got ? 'raised' : 'missing'}`)
    }
    expect(wrong).toEqual([])
    affectedBy.set(feature, (affectedBy.get(feature) ?? 0) + affected)
  })
})

test('LZCNT and TZCNT without their features are BSR and BSF (SDM 2 LZCNT, TZCNT)', () => {
  const file = VectorFile.open(fileURLToPath(new URL('vectors/sse-64.bin.br', import.meta.url)))
  const machine = new VectorMachine(file.header)
  machine.withhold(cpuWithheld('v3,-lzcnt,-bmi1'))
  let checked = 0
  for (const vector of file.vectors('bit counts')) {
    // F3 [REX.W] 0F BC/BD /r with registers: the destination is another register than the source.
    const { code, expect: silicon } = vector
    const wide = code[1] === 0x48
    const at = wide ? 2 : 1
    if (code[0] !== 0xf3 || code[at] !== 0x0f || (code[at + 1]! & 0xfe) !== 0xbc || code.length !== at + 3)
      continue
    const modrm = code[at + 2]!
    if (modrm < 0xc0) continue
    const [reg, rm] = [(modrm >> 3) & 7, modrm & 7]
    const bits = wide ? 64n : 32n
    const source = BigInt.asUintN(
      wide ? 64 : 32,
      BigInt(vector.gpr[2 * rm]!) | (BigInt(vector.gpr[2 * rm + 1]!) << 32n),
    )
    if (source === 0n) continue
    const counted = BigInt(silicon.gpr[2 * reg]!)
    const got = BigInt(machine.run(vector).gpr[2 * reg]!)
    expect(got).toBe(code[at + 1] === 0xbc ? counted : bits - 1n - counted)
    checked++
  }
  expect(checked).toBeGreaterThan(10)
})

test('every feature was asked for', () => {
  // XSAVES is the kernel's alone; LZCNT never raises #UD.
  const never = [...affectedBy].filter(([, forms]) => forms === 0).map(([feature]) => feature)
  expect(never).toEqual(['lzcnt', 'xsaves'])
})
