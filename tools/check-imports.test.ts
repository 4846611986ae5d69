import { describe, expect, test } from 'vitest'
import { checkImports, importsOf, violation } from './check-imports.mjs'

const value = (specifier: string) => ({ specifier, typeOnly: false, line: 1 })
const types = (specifier: string) => ({ specifier, typeOnly: true, line: 1 })

describe('importsOf', () => {
  test('finds every form of an import, with its line', () => {
    const found = importsOf(
      'main/x.ts',
      `import 'a'
import b, { type B } from 'b'
import type { C } from 'c'
import { type D, type E } from 'd'
export * from 'e'
export type { F } from 'f'
const g = await import('g')
let h: import('h').H
const i = require('i')
// import 'j'
const k = "import 'k'"
`,
    )
    expect(
      found.map(({ specifier, typeOnly, line }) => `${line} ${specifier}${typeOnly ? ' types' : ''}`),
    ).toEqual(['1 a', '2 b', '3 c types', '4 d types', '5 e', '6 f types', '7 g', '8 h types', '9 i'])
  })

  test('reads the scripts of a Vue file', () => {
    const text = `<script lang="ts">
import a from 'a'
</script>
<script setup lang="ts">
import b from 'b'
</script>
<template><p>import c from 'c'</p></template>
`
    expect(importsOf('renderer/src/x.vue', text)).toEqual([
      { specifier: 'a', typeOnly: false, line: 2 },
      { specifier: 'b', typeOnly: false, line: 5 },
    ])
  })
})

describe('violation', () => {
  test.each([
    ['emulator/machine/machine.ts', value('electron')],
    ['emulator/machine/machine.ts', value('vue')],
    ['emulator/machine/machine.ts', types('../../main/window')],
    ['emulator/machine/machine.ts', value('../cli/main')],
    ['emulator/machine/machine.ts', value('@emulator/core/cpu/decode')],
    ['emulator/machine/machine.ts', value('vitest')],
    ['emulator/core/cpu/decode.ts', value('node:fs')],
    ['emulator/core/cpu/decode.test.ts', value('./decode')],
    ['emulator/core/cpu/decode.ts', value('../../machine/machine')],
    ['main/index.ts', value('../preload/api')],
    ['main/index.ts', value('vue')],
    ['preload/index.ts', value('node:fs')],
    ['preload/index.ts', value('@emulator/machine/machine')],
    ['renderer/src/main.ts', value('node:fs')],
    ['renderer/src/main.ts', value('fs')],
    ['renderer/src/main.ts', value('electron')],
    ['renderer/src/main.ts', value('../../preload/api')],
    ['renderer/src/main.ts', value('@emulator/core/layout')],
  ])('%s may not have %o', (file, imported) => {
    expect(violation(file, imported)).toBeTypeOf('string')
  })

  test.each([
    ['emulator/machine/machine.ts', value('../core/layout')],
    ['emulator/machine/machine.ts', value('@emulator/core/index.ts?asc')],
    ['emulator/machine/machine.ts', value('node:worker_threads')],
    ['emulator/machine/machine.ts', value('../threads/vcpu.ts?nodeWorker')],
    ['emulator/machine/machine.test.ts', value('vitest')],
    ['emulator/core/cpu/decode.ts', value('../layout')],
    ['emulator/core/vectors/reader.ts', value('node:zlib')],
    ['emulator/core/vectors/vectors.test.ts', value('./reader')],
    ['emulator/firmware/rom.ts', value('../core/bios/rom-layout')],
    ['emulator/core/cpu/decode.test.ts', value('@emulator/core/index.ts?asc')],
    ['main/index.ts', value('@emulator/machine/machine')],
    ['main/index.ts', types('../preload/api')],
    ['preload/index.ts', value('electron')],
    ['renderer/src/main.ts', value('@xterm/xterm/css/xterm.css')],
    ['renderer/src/main.ts', types('../../preload/api')],
    ['tools/setup.mjs', value('typescript')],
  ])('%s may have %o', (file, imported) => {
    expect(violation(file, imported)).toBeUndefined()
  })
})

test('the project keeps to the list', async () => {
  expect(await checkImports()).toEqual([])
})
